//! The hedged rule: buys what is worth its price over its whole life in expectation over scenarios, and no more than what would be worth
//! it before the next chance to buy.
//!
//! Scenarios are the quantile paths of a forecast of weekly means ([`super::forecast`]), each with the shape of the latest weeks. Over the
//! life of the commitment the best level is the one that demand exceeds in a share of 1 - discount of all hours of all scenarios (the
//! newsvendor's critical ratio). A unit that pays over its life but not until the next decision is better bought then: waiting costs
//! nothing and tells which scenario came true. The level is therefore the smaller of the two. It knows no direction of demand.
//! Formulas: `docs/formulation-scenario.md`, "The hedged rule".

mod families;

pub use families::HedgedFamilies;

use super::backtest::{Coverable, Purchase, Rule, Situation, offer, quantile};
use super::forecast::count;
use super::futures::Futures;
use crate::error::Result;

/// Hours in a week.
pub(crate) const WEEK: usize = 168;

/// The hedged rule for one spend plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Hedged {
    /// The plan that is bought.
    pub offer: String,
    /// The scenarios it hedges between: a forecast of weekly means, with the shape of the latest weeks.
    pub futures: Futures,
}

impl Hedged {
    /// The rule with the default futures: ten scenarios, the shape of four weeks.
    #[must_use]
    pub fn new(offer: &str) -> Self {
        Self { offer: offer.to_owned(), futures: Futures::default() }
    }

    /// The level to hold, in the unit of the demand.
    ///
    /// # Errors
    /// As [`super::forecast::Forecaster::bands`].
    pub fn level(&self, demand: &[f64], rate: f64, life_hours: usize, step_hours: usize) -> Result<f64> {
        let weeks = weekly_means(demand);
        let shape = shape(demand, self.futures.shape_weeks);
        let horizon = life_hours.div_ceil(WEEK).max(1);
        let bands = self.futures.forecaster.bands(&weeks, horizon, &self.futures.quantiles)?;
        let best = |weeks: usize| {
            let mut values: Vec<f64> = bands
                .paths
                .iter()
                .flat_map(|path| &path[..weeks.min(path.len())])
                .flat_map(|mean| shape.iter().map(move |ratio| mean * ratio))
                .collect();
            quantile(&mut values, 1.0 - rate)
        };
        Ok(best(horizon).min(best(step_hours.div_euclid(WEEK).max(1))))
    }
}

impl Rule for Hedged {
    fn name(&self) -> String {
        "covermix".into()
    }

    fn decide(&self, situation: &Situation<'_>) -> Result<Vec<Purchase>> {
        let plan = Coverable::new(offer(situation.catalog, &self.offer)?, situation.past, situation.catalog)?;
        let start = situation.now.start();
        let life = usize::try_from((plan.offer.term.end(start) - start).num_hours()).unwrap_or(usize::MAX);
        let level = self.level(&plan.demand, plan.rate, life, situation.step_hours)?;
        let missing = level - plan.held(situation.held, situation.now);
        Ok(vec![Purchase { offer: self.offer.clone(), quantity: plan.quantity(missing.max(0.0)) }])
    }
}

/// Means of whole weeks, the last one ending with the series; days at the start that make no week are left out. The mean of all if there is
/// less than a week.
pub(crate) fn weekly_means(series: &[f64]) -> Vec<f64> {
    if series.len() < WEEK {
        return vec![series.iter().sum::<f64>() / count(series.len().max(1))];
    }
    series[series.len() % WEEK..].chunks_exact(WEEK).map(|week| week.iter().sum::<f64>() / count(WEEK)).collect()
}

/// Ratios of the hours of the last weeks to their week's mean; 1 where there is no usage.
pub(crate) fn shape(series: &[f64], weeks: usize) -> Vec<f64> {
    let whole = &series[series.len() % WEEK..];
    let tail = if whole.len() < WEEK { series } else { &whole[whole.len().saturating_sub(weeks.max(1) * WEEK)..] };
    tail.chunks(WEEK)
        .flat_map(|week| {
            let mean = week.iter().sum::<f64>() / count(week.len());
            week.iter().map(move |value| if mean > 0.0 { value / mean } else { 1.0 })
        })
        .collect()
}
