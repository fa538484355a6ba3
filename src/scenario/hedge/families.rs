//! The hedged rule where reservations locked to one line are sold beside a flexible plan.
//!
//! A locked unit costs less than a flexible one, but stands idle when its family dies, and families die: the past of one line does not show
//! it until it happens. The scenarios of a line therefore use what happened to *all* lines: the pooled changes of the logarithm of weekly
//! means, each line counting alike. A unit is locked if it is used in a larger share of the hours of all scenarios than
//! 1 - (flexible rate - locked rate): that is where it beats the flexible unit it replaces. No line is expected to grow, a falling one is
//! expected to fall on for half a year. The flexible plan then fills up to the level of [`Hedged`], less what the locked units serve.
//! Formulas: `docs/formulation-scenario.md`, "The hedged rule".

use super::{Hedged, WEEK, shape, weekly_means};
use crate::catalog::{Benefit, Offer};
use crate::error::Result;
use crate::scenario::backtest::{Coverable, Purchase, Rule, Situation, offer, quantile};
use crate::scenario::forecast::{ERROR_HORIZONS, count, slope, sorted_quantile};
use crate::time::Hour;
use crate::units::to_f64;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

/// Weeks whose slope says whether a line falls.
const SLOPE_WEEKS: usize = 8;
/// Weeks for which a falling line is expected to fall on.
const FALL_WEEKS: usize = 26;
/// A line counts in a week if it has this much usage in the mean hour.
const LEAST_USAGE: f64 = 1.0;

/// The hedged rule for a flexible plan and every reservation of one SKU in the catalog, in whole reservations.
#[derive(Clone, Debug, PartialEq)]
pub struct HedgedFamilies {
    /// The rule for the flexible plan.
    pub flexible: Hedged,
    /// The share of the locked units that pay in the scenarios which is bought, 0 to 1: the appetite for the risk that all families fall at
    /// once, which scenarios of single lines do not show.
    pub locked_share: f64,
}

impl HedgedFamilies {
    /// The rule with its default setting: the default of [`Hedged`], three tenths of the locked units that pay.
    #[must_use]
    pub fn new(flexible: &str) -> Self {
        Self { flexible: Hedged::new(flexible), locked_share: 0.3 }
    }
}

impl Rule for HedgedFamilies {
    fn name(&self) -> String {
        "covermix".into()
    }

    fn decide(&self, situation: &Situation<'_>) -> Result<Vec<Purchase>> {
        let (past, catalog) = (situation.past, situation.catalog);
        let plan = Coverable::new(offer(catalog, &self.flexible.offer)?, past, catalog)?;
        let weeks: Vec<Vec<f64>> =
            (0..past.lines().len()).map(|column| weekly_means(&past.quantity().column(column).to_vec())).collect();
        let changes = pooled_changes(&weeks);
        let mut purchases = Vec::new();
        let mut served = 0.0;
        for (column, line) in past.lines().iter().enumerate() {
            let Some(price) = catalog.price(&line.sku) else { continue };
            let unit_price = price.price.to_f64();
            let of_line = |offer: &&Offer| matches!(&offer.benefit, Benefit::Reservation { sku, .. } if *sku == price.id);
            let cheapest = |left: &&Offer, right: &&Offer| left.effective_hourly().cmp(&right.effective_hourly());
            let Some(locked) = catalog.offers().iter().filter(of_line).min_by(cheapest) else { continue };
            let held = held_units(situation, locked);
            let mean = weeks[column].last().copied().unwrap_or(0.0);
            let series = past.quantity().column(column).to_vec();
            let margin = plan.rate - locked.effective_hourly().to_f64() / unit_price;
            let mut units = held;
            if mean >= LEAST_USAGE && margin > 0.0 && !changes.is_empty() {
                let start = situation.now.start();
                let life =
                    usize::try_from((locked.term.end(start) - start).num_hours()).unwrap_or(usize::MAX).div_ceil(WEEK).max(1);
                let paths = self.paths(&weeks[column], life, &changes);
                let shape = shape(&series, self.flexible.futures.shape_weeks);
                let best = |weeks: usize| {
                    let path = paths.iter().flat_map(|path| &path[..weeks.min(path.len())]);
                    let mut values: Vec<f64> = path.flat_map(|mean| shape.iter().map(move |ratio| mean * ratio)).collect();
                    quantile(&mut values, margin)
                };
                let worth = best(life).min(best(situation.step_hours.div_euclid(WEEK).max(1)));
                let level = (worth * self.locked_share.clamp(0.0, 1.0)).floor();
                if level > held {
                    let quantity = Decimal::from_f64((level - held).floor()).unwrap_or_default();
                    purchases.push(Purchase { offer: locked.id.clone(), quantity });
                    units = held + (level - held).floor();
                }
            }
            served += units.min(mean) * unit_price;
        }
        let start = situation.now.start();
        let life = usize::try_from((plan.offer.term.end(start) - start).num_hours()).unwrap_or(usize::MAX);
        let level = self.flexible.level(&plan.demand, plan.rate, life, situation.step_hours)?;
        let missing = level - served - plan.held(situation.held, situation.now);
        let quantity = plan.quantity(missing.max(0.0));
        purchases.push(Purchase { offer: self.flexible.offer.clone(), quantity });
        Ok(purchases)
    }
}

impl HedgedFamilies {
    /// One path of weekly means for each scenario.
    fn paths(&self, weeks: &[f64], horizon: usize, changes: &[f64]) -> Vec<Vec<f64>> {
        let logarithms: Vec<f64> = weeks.iter().map(|mean| mean.max(1e-9).ln()).collect();
        let last = logarithms.last().copied().unwrap_or(0.0);
        let falls = slope(&logarithms[logarithms.len().saturating_sub(SLOPE_WEEKS)..]).min(0.0);
        let path = |share: &f64| {
            let change = sorted_quantile(changes, *share);
            let at = |step: usize| last + falls * count(step.min(FALL_WEEKS)) + change * count(step).sqrt();
            (1..=horizon).map(|step| at(step).clamp(-50.0, 50.0).exp()).collect()
        };
        self.flexible.futures.quantiles.iter().map(path).collect()
    }
}

fn held_units(situation: &Situation<'_>, locked: &Offer) -> f64 {
    let now = situation.now;
    let held = situation.held.commitments().iter();
    let running =
        held.filter(|one| one.offer == locked.id && Hour::containing(one.start) <= now && Hour::containing(one.end) > now);
    running.map(|one| to_f64(one.quantity)).sum()
}

/// Changes of the logarithm of weekly means over several horizons, divided by the root of the horizon, of all lines, ascending.
fn pooled_changes(weeks: &[Vec<f64>]) -> Vec<f64> {
    let mut changes = Vec::new();
    for line in weeks {
        let floor = (line.iter().sum::<f64>() / count(line.len().max(1)) * 1e-3).max(1e-9);
        for horizon in ERROR_HORIZONS {
            let pairs = line.iter().zip(line.iter().skip(horizon)).filter(|pair| *pair.0 > LEAST_USAGE);
            changes.extend(pairs.map(|(before, after)| (after.max(floor) / before).ln() / count(horizon).sqrt()));
        }
    }
    changes.sort_by(f64::total_cmp);
    changes
}
