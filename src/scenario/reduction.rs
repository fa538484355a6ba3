//! Fewer scenarios that stand for many: forward selection by the Kantorovich distance (Heitsch and Römisch 2003, "Scenario Reduction
//! Algorithms in Stochastic Programming"), and the error that the reduction makes, measured on the decision it is for.
//!
//! Scenarios are compared by load-duration curves: quantiles of the hourly on-demand cost of each group of lines, which is what the best
//! level of a commitment depends on. Formulas: `docs/formulation-scenario.md`, "Reduction".

use super::forecast::{count, sorted_quantile};
use crate::error::{Error, Problem, Result};
use crate::usage::UsageCurves;

/// The scenarios kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduction {
    /// Their indices among all, ascending.
    pub kept: Vec<usize>,
    /// Their new probabilities: their own and those of the scenarios they stand for.
    pub probability: Vec<f64>,
    /// For each scenario of all, the index of the one that stands for it.
    pub stands_for: Vec<usize>,
    /// Mean distance between a scenario and the one that stands for it.
    pub distance: f64,
}

/// The load-duration curve of each group of lines at evenly spaced quantiles, in money an hour; `price` has one value a line, `group` the
/// group of each line.
///
/// # Errors
/// [`Problem::OutOfRange`] unless there is one price and one group for each line.
pub fn features(usage: &UsageCurves, price: &[f64], group: &[usize], quantiles: usize) -> Result<Vec<f64>> {
    if price.len() != usage.lines().len() || group.len() != usage.lines().len() {
        let value = format!("{} prices and {} groups", price.len(), group.len());
        return Err(Error::from(Problem::OutOfRange { value, range: "one price and one group for each line" }).in_field("price"));
    }
    let groups = group.iter().copied().max().map_or(0, |last| last + 1);
    let mut features = Vec::with_capacity(groups * quantiles);
    for index in 0..groups {
        let mut cost = vec![0.0; usage.grid().count];
        for column in (0..price.len()).filter(|column| group[*column] == index) {
            for (sum, quantity) in cost.iter_mut().zip(usage.quantity().column(column)) {
                *sum += quantity * price[column];
            }
        }
        cost.sort_by(f64::total_cmp);
        features.extend((0..quantiles).map(|step| sorted_quantile(&cost, (count(step) + 0.5) / count(quantiles))));
    }
    Ok(features)
}

/// Keeps so many scenarios, one after the other the one that lowers the distance to all most.
///
/// # Errors
/// [`Problem::Probabilities`], [`Problem::OutOfRange`] for features of different lengths or a number to keep that is not 1 to all.
pub fn reduce(probability: &[f64], features: &[Vec<f64>], keep: usize) -> Result<Reduction> {
    let names: Vec<String> = (0..probability.len()).map(|index| format!("scenario {index}")).collect();
    let named: Vec<(&str, f64)> = names.iter().map(String::as_str).zip(probability.iter().copied()).collect();
    super::check_probabilities(&named)?;
    let all = probability.len();
    if features.len() != all || features.iter().any(|one| one.len() != features[0].len()) || !(1..=all).contains(&keep) {
        let value = format!("{keep} of {all} scenarios with {} features", features.len());
        return Err(
            Error::from(Problem::OutOfRange { value, range: "1 to all scenarios, with as many features each" }).in_field("keep")
        );
    }
    let distance = |left: usize, right: usize| -> f64 {
        features[left].iter().zip(&features[right]).map(|(left, right)| (left - right).abs()).sum()
    };
    let table: Vec<Vec<f64>> = (0..all).map(|left| (0..all).map(|right| distance(left, right)).collect()).collect();
    let mut nearest = vec![f64::INFINITY; all];
    let mut kept = Vec::with_capacity(keep);
    for _ in 0..keep {
        let with = |candidate: usize| -> f64 {
            (0..all).map(|other| probability[other] * nearest[other].min(table[candidate][other])).sum()
        };
        let best =
            (0..all).filter(|candidate| !kept.contains(candidate)).min_by(|left, right| with(*left).total_cmp(&with(*right)));
        let Some(best) = best else { break };
        kept.push(best);
        for other in 0..all {
            nearest[other] = nearest[other].min(table[best][other]);
        }
    }
    kept.sort_unstable();
    let closest = |other: usize| kept.iter().copied().min_by(|left, right| table[*left][other].total_cmp(&table[*right][other]));
    let stands_for: Vec<usize> = (0..all).map(|other| closest(other).unwrap_or(other)).collect();
    let shares = |index: &usize| (0..all).filter(|other| stands_for[*other] == *index).map(|other| probability[other]).sum();
    Ok(Reduction {
        probability: kept.iter().map(shares).collect(),
        distance: (0..all).map(|other| probability[other] * table[stands_for[other]][other]).sum(),
        kept,
        stands_for,
    })
}

/// What a reduction costs: the expected cost, over all scenarios, of the level that is best for the kept ones, above that of the level that
/// is best for all, as a fraction of the latter. `demand` is hourly, one series a scenario; `rate` is 1 - discount.
///
/// # Errors
/// As [`super::ladder::Calendar::solve`].
pub fn error_of(reduction: &Reduction, probability: &[f64], demand: &[Vec<f64>], rate: f64, lot: f64) -> Result<f64> {
    let best = |scenarios: &[(f64, Vec<f64>)]| -> Result<f64> {
        let hours = scenarios.first().map_or(0, |scenario| scenario.1.len());
        let calendar = super::ladder::Calendar { demand: scenarios, dates: &[0], term_hours: hours.max(1), rate, held: &[], lot };
        Ok(calendar.solve()?.quantity[0])
    };
    let all: Vec<(f64, Vec<f64>)> = probability.iter().copied().zip(demand.iter().cloned()).collect();
    let few: Vec<(f64, Vec<f64>)> =
        reduction.kept.iter().zip(&reduction.probability).map(|(index, share)| (*share, demand[*index].clone())).collect();
    let cost = |level: f64| -> f64 {
        let of = |demand: &[f64]| demand.iter().map(|value| (value - level).max(0.0) + rate * level).sum::<f64>();
        all.iter().map(|(probability, demand)| probability * of(demand)).sum()
    };
    let exact = cost(best(&all)?);
    Ok(cost(best(&few)?) / exact - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_found_and_their_probabilities_added() {
        let features: Vec<Vec<f64>> = [1.0, 1.1, 9.0, 9.1, 9.2].iter().map(|value| vec![*value]).collect();
        let found = reduce(&[0.3, 0.2, 0.1, 0.3, 0.1], &features, 2).unwrap();
        assert_eq!(found.kept.iter().map(|index| index / 2).collect::<Vec<_>>(), [0, 1]);
        assert!((found.probability[0] - 0.5).abs() < 1e-12 && (found.probability.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let whole = reduce(&[0.3, 0.2, 0.1, 0.3, 0.1], &features, 5).unwrap();
        assert!(whole.distance < 1e-12);
        assert!(reduce(&[1.0], &[vec![1.0]], 2).is_err());
    }

    #[test]
    fn the_error_is_not_negative_and_vanishes_with_all_scenarios() {
        let demand: Vec<Vec<f64>> =
            (0..12).map(|one| (0..100).map(|hour| f64::from((one * 7 + hour * 3) % 23 + one)).collect()).collect();
        let probability = vec![1.0 / 12.0; 12];
        let mut last = f64::INFINITY;
        for keep in [1, 4, 12] {
            let reduction = reduce(&probability, &demand, keep).unwrap();
            let error = error_of(&reduction, &probability, &demand, 0.7, 1.0).unwrap();
            assert!(error >= -1e-12, "{error}");
            last = error;
        }
        assert!(last.abs() < 1e-12);
    }
}
