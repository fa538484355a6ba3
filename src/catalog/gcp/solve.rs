//! Unit prices from the prices of things made of units: a linear least-squares problem of a few unknowns, solved exactly where the list
//! is additive, and refused where it is not or where the things do not tell the units apart.

use super::Resource;
use crate::units::{to_decimal, to_f64};
use rust_decimal::Decimal;
use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

/// Columns whose part that is independent of the others is below this share of their length count as dependent.
const INDEPENDENT: f64 = 1e-7;
/// A list is additive if every price is met to this share of it.
const ADDITIVE: f64 = 1e-6;

/// Why there are no unit prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsolved {
    /// The things do not tell the units apart.
    Dependent,
    /// No unit prices meet every price.
    NotAdditive,
}

/// A machine type's prices in a region, checked; hourly.
pub(super) struct Row {
    pub machine_type: String,
    pub resources: Vec<(Resource, Decimal)>,
    pub on_demand: Option<Decimal>,
    pub terms: [Option<Decimal>; 2],
}

/// Unit prices of one series in one region. A resource that the list gives away is not in it.
pub(super) type UnitPrices = BTreeMap<Resource, Decimal>;

/// Unit prices that meet the price of every row that has one; `Err(None)` if no row has one.
pub(super) fn series<R: Borrow<Row>>(
    rows: &[R],
    price: impl Fn(&Row) -> Option<Decimal>,
) -> Result<UnitPrices, Option<Unsolved>> {
    let priced: Vec<(&Row, Decimal)> = rows.iter().map(Borrow::borrow).filter_map(|row| Some((row, price(row)?))).collect();
    if priced.is_empty() {
        return Err(None);
    }
    let names: BTreeSet<&Resource> =
        priced.iter().flat_map(|(row, _)| row.resources.iter().map(|(resource, _)| resource)).collect();
    let quantity = |row: &Row, name: &Resource| {
        row.resources.iter().find(|(resource, _)| resource == name).map_or(0.0, |(_, quantity)| to_f64(*quantity))
    };
    let table: Vec<_> = priced
        .iter()
        .map(|(row, price)| (names.iter().map(|name| quantity(row, name)).collect::<Vec<_>>(), to_f64(*price)))
        .collect();
    let prices = unit_prices(&table).map_err(Some)?;
    let rounded = prices.into_iter().map(shortest).collect::<Option<Vec<_>>>().ok_or(Some(Unsolved::NotAdditive))?;
    Ok(names.into_iter().cloned().zip(rounded).filter(|(_, price)| *price > Decimal::ZERO).collect())
}

/// The shortest decimal that is the same price to 1e-9: solving leaves the last digits of an f64 behind.
fn shortest(price: f64) -> Option<Decimal> {
    let exact = to_decimal(price)?;
    let tolerance = exact.abs() * Decimal::new(1, 9);
    (3..=14).map(|digits| exact.round_dp(digits)).find(|rounded| (rounded - exact).abs() <= tolerance).or(Some(exact))
}

/// Equal to 1e-6.
pub(super) fn is_same(a: Decimal, b: Decimal) -> bool {
    (a - b).abs() <= b.abs() * Decimal::new(1, 6)
}

/// The unit prices `x` with `sum of quantity x price = total` for every row; every row is weighted by 1 / total. By modified
/// Gram-Schmidt.
fn unit_prices(rows: &[(Vec<f64>, f64)]) -> Result<Vec<f64>, Unsolved> {
    let width = rows.first().map_or(0, |(quantities, _)| quantities.len());
    if rows.len() < width || width == 0 {
        return Err(Unsolved::Dependent);
    }
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut basis: Vec<Vec<f64>> = (0..width).map(|column| rows.iter().map(|(q, total)| q[column] / total).collect()).collect();
    let mut upper = vec![vec![0.0; width]; width];
    let mut rest = vec![1.0; rows.len()]; // total / total
    let mut right = vec![0.0; width];
    for column in 0..width {
        let (done, open) = basis.split_at_mut(column);
        let current = &mut open[0];
        let length = dot(current, current).sqrt();
        for (earlier, vector) in done.iter().enumerate() {
            let share = dot(vector, current);
            upper[earlier][column] = share;
            current.iter_mut().zip(vector).for_each(|(value, basis)| *value -= share * basis);
        }
        let left = dot(current, current).sqrt();
        if left.is_nan() || left <= INDEPENDENT * length {
            return Err(Unsolved::Dependent);
        }
        upper[column][column] = left;
        current.iter_mut().for_each(|value| *value /= left);
        right[column] = dot(current, &rest);
        let share = right[column];
        rest.iter_mut().zip(current.iter()).for_each(|(value, basis)| *value -= share * basis);
    }
    let mut prices = vec![0.0; width];
    for column in (0..width).rev() {
        let known: f64 = (column + 1..width).map(|later| upper[column][later] * prices[later]).sum();
        prices[column] = (right[column] - known) / upper[column][column];
    }
    for (column, price) in prices.iter_mut().enumerate() {
        let largest_share = rows.iter().map(|(quantities, total)| quantities[column] / total).fold(0.0, f64::max);
        if price.abs() * largest_share <= ADDITIVE {
            *price = 0.0;
        }
    }
    let is_met = |(quantities, total): &(Vec<f64>, f64)| (dot(quantities, &prices) - total).abs() <= 2.0 * ADDITIVE * total;
    if rows.iter().all(is_met) && prices.iter().all(|price| *price >= 0.0) { Ok(prices) } else { Err(Unsolved::NotAdditive) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn additive_lists_are_solved() {
        let rows: Vec<_> =
            [[2.0, 8.0], [2.0, 16.0], [4.0, 4.0]].map(|q| (q.to_vec(), q[0] * 0.031611 + q[1] * 0.004237)).to_vec();
        let prices = unit_prices(&rows).unwrap();
        assert!((prices[0] - 0.031611).abs() < 1e-12 && (prices[1] - 0.004237).abs() < 1e-12, "{prices:?}");
    }

    #[test]
    fn other_lists_are_refused() {
        let proportional = [(vec![2.0, 8.0], 0.2), (vec![4.0, 16.0], 0.4)];
        assert_eq!(unit_prices(&proportional), Err(Unsolved::Dependent));
        let bent = [(vec![1.0, 4.0], 0.1), (vec![1.0, 8.0], 0.2), (vec![1.0, 12.0], 0.5)];
        assert_eq!(unit_prices(&bent), Err(Unsolved::NotAdditive));
        let negative = [(vec![1.0, 4.0], 0.1), (vec![1.0, 8.0], 0.05)];
        assert_eq!(unit_prices(&negative), Err(Unsolved::NotAdditive));
        assert_eq!(unit_prices(&[(vec![1.0, 1.0], 1.0)]), Err(Unsolved::Dependent));
    }
}
