//! What planning needs of a replay, in f64 and without the detail of a [`Bill`](super::Bill): on-demand charges by month, and how much of
//! each commitment was used.

use super::gcp::sustained::{self, Group};
use super::record::Record;
use super::waterfall::{Number, Sums};
use super::{Judge, waterfall};
use crate::time::Month;
use crate::units::to_f64;
use crate::usage::Provider;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// By calendar month (UTC) and line: what is charged on demand, after sustained use discounts.
pub(super) fn open_by_month<N: Number>(record: &Record, sums: &[Sums<N>]) -> BTreeMap<Month, Vec<N>> {
    let prices: Vec<N> = record.lines.iter().map(|line| N::from_decimal(line.price.value())).collect();
    let discounts = sustained::discounts(record, sums);
    let rates: Vec<BTreeMap<Month, N>> = discounts
        .into_iter()
        .map(|months| {
            let of_cost = |(discount, cost): (N, N)| if cost.is_nothing() { N::ZERO } else { discount / cost };
            months.into_iter().map(|(month, parts)| (month, of_cost(parts))).collect()
        })
        .collect();
    let mut open: BTreeMap<Month, Vec<N>> = BTreeMap::new();
    for (epoch, sums) in record.epochs.iter().zip(sums) {
        let hour = record.hour(epoch.hours.start);
        let mut quantity = sums.used.clone();
        for (draw, taken) in epoch.draws.iter().zip(&sums.taken) {
            quantity[draw.line] -= *taken;
        }
        let of_month = open.entry(hour.month()).or_insert_with(|| vec![N::ZERO; prices.len()]);
        for ((open, quantity), price) in of_month.iter_mut().zip(&quantity).zip(&prices) {
            *open += *quantity * *price;
        }
        for (group, rates) in record.sustained.iter().zip(&rates) {
            // Each line of a group has its part of the discount: the group's rate of the billing month.
            let rate = rates.get(&super::calendar::month(Provider::Gcp, hour)).copied().unwrap_or(N::ZERO);
            for (line, price) in group.prices::<N>() {
                of_month[line] -= quantity[line] * price * rate;
            }
        }
    }
    open
}

/// The replay's sums.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    /// On-demand charges after sustained use discounts, by calendar month (UTC).
    pub(crate) on_demand: BTreeMap<Month, f64>,
    /// The same by line that takes part, in the judge's order.
    pub(crate) by_line: BTreeMap<Month, Vec<f64>>,
    /// For each commitment, in the portfolio's order: the share of its capacity that was used; `None` if it served no hour.
    pub(crate) utilisation: Vec<Option<f64>>,
}

impl Judge<'_> {
    /// Replays in f64.
    pub(crate) fn outcome(&self) -> Outcome {
        let record = &*self.record;
        let sums = waterfall::replay::<f64>(record);
        let prices: Vec<f64> = record.lines.iter().map(|line| line.price.to_f64()).collect();
        let mut on_demand: BTreeMap<Month, f64> = BTreeMap::new();
        let (mut provided, mut used) = (vec![0.0; record.held.len()], vec![0.0; record.held.len()]);
        let capacity: Vec<f64> = record.held.iter().map(|held| to_f64(held.capacity)).collect();
        for (epoch, sums) in record.epochs.iter().zip(&sums) {
            let month = record.hour(epoch.hours.start).month();
            let open = on_demand.entry(month).or_insert(0.0);
            *open += sums.used.iter().zip(&prices).map(|(used, price)| used * price).sum::<f64>();
            *open -= epoch.draws.iter().zip(&sums.taken).map(|(draw, taken)| taken * prices[draw.line]).sum::<f64>();
            for (index, held) in record.held.iter().enumerate() {
                used[index] += sums.spent[index];
                if held.hours.contains(&epoch.hours.start) {
                    provided[index] += capacity[index] * sums.hours;
                }
            }
        }
        for (month, (discount, _)) in sustained::discounts(record, &sums).into_iter().flatten() {
            *on_demand.entry(month).or_insert(0.0) -= discount;
        }
        let utilisation = provided.iter().zip(&used).map(|(provided, used)| (*provided > 0.0).then(|| used / provided)).collect();
        Outcome { on_demand, by_line: open_by_month(record, &sums), utilisation }
    }

    /// For each line that takes part, by its column in the usage: the least that a unit of it can cost on demand, which is its price after
    /// the sustained use discount of a full month.
    pub(crate) fn least_prices(&self) -> BTreeMap<usize, f64> {
        let record = &*self.record;
        let mut least: BTreeMap<usize, f64> = record.lines.iter().map(|line| (line.column, line.price.to_f64())).collect();
        for group in &record.sustained {
            let charged = to_f64(Group::tiers(group).iter().sum::<Decimal>() / Decimal::from(4)).min(1.0);
            for (line, price) in group.lines() {
                least.insert(record.lines[*line].column, to_f64(*price) * charged);
            }
        }
        least
    }
}
