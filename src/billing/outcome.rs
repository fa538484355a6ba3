//! What planning needs of a replay, in f64 and without the detail of a [`Bill`](super::Bill): on-demand charges by month, and how much of
//! each commitment was used.

use super::waterfall::{self, Number};
use super::{Judge, gcp};
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
        let sums = waterfall::replay::<f64>(self);
        let prices: Vec<f64> = self.lines.iter().map(|line| line.price.price.to_f64()).collect();
        let mut on_demand: BTreeMap<Month, f64> = BTreeMap::new();
        let (mut provided, mut used) = (vec![0.0; self.held.len()], vec![0.0; self.held.len()]);
        let capacity: Vec<f64> = self.held.iter().map(|held| f64::from_decimal(held.capacity())).collect();
        for (epoch, sums) in self.epochs.iter().zip(&sums) {
            let month = self.usage.grid().hour(epoch.hours.start).month();
            let open = on_demand.entry(month).or_insert(0.0);
            *open += sums.used.iter().zip(&prices).map(|(used, price)| used * price).sum::<f64>();
            for (draw, taken) in epoch.draws.iter().zip(&sums.taken) {
                *open -= taken * prices[draw.line];
                used[draw.commitment] += taken * to_f64(draw.weight);
            }
            for (index, held) in self.held.iter().enumerate() {
                if held.hours.contains(&epoch.hours.start) {
                    provided[index] += capacity[index] * sums.hours;
                }
            }
        }
        for (month, discount) in gcp::sustained::discounts(self, &sums) {
            *on_demand.entry(month).or_insert(0.0) -= discount;
        }
        let utilisation = provided.iter().zip(&used).map(|(provided, used)| (*provided > 0.0).then(|| used / provided)).collect();
        Outcome { on_demand, utilisation }
    }

    /// For each line that takes part, by its column in the usage: the least that a unit of it can cost on demand, which is its price after
    /// the sustained use discount of a full month.
    pub(crate) fn least_prices(&self) -> BTreeMap<usize, f64> {
        let mut least: BTreeMap<usize, f64> = self.lines.iter().map(|line| (line.column, line.price.price.to_f64())).collect();
        for group in &self.sustained {
            let charged = to_f64(group.tiers().iter().sum::<Decimal>() / Decimal::from(4)).min(1.0);
            for (line, price) in group.prices::<f64>() {
                least.insert(self.lines[line].column, price * charged);
            }
        }
        least
    }
}
