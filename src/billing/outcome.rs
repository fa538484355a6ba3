//! What planning needs of a replay, in f64 and without the detail of a [`Bill`](super::Bill): on-demand charges by month, and how much of
//! each commitment was used.

use super::gcp::sustained::{self, Group};
use super::{Judge, waterfall};
use crate::time::Month;
use crate::units::to_f64;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The replay's sums.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    /// On-demand charges after sustained use discounts, by calendar month (UTC).
    pub(crate) on_demand: BTreeMap<Month, f64>,
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
        Outcome { on_demand, utilisation }
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
