//! The planner as a rule of purchase, for the backtest: it plans for futures made of the past, with this date, the next and those of
//! renewals as purchase dates, and buys what the plan buys now. Formulas: `docs/formulation-scenario.md`, "The planner as a rule".

use super::{Objective, Options, Planner, Policy};
use crate::error::Result;
use crate::scenario::Futures;
use crate::scenario::backtest::{Purchase, Rule, Situation};
use std::time::Duration;

/// A rule that plans with [`Planner`]. What pays over its life, but not before the next date, is planned for that date and so not bought
/// yet: waiting costs nothing and tells which scenario came true.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    /// What is allowed; [`Policy::allowed_offers`] limits what is bought.
    pub policy: Policy,
    /// What is minimised.
    pub objective: Objective,
    /// How futures are made of the past.
    pub futures: Futures,
    /// The relative gap at which a plan is good enough; that of [`Options`] if `None`.
    pub relative_gap: Option<f64>,
    /// The time after which the best plan so far is taken; that of [`Options`] if `None`.
    pub time_limit: Option<Duration>,
}

impl Rule for Planned {
    fn name(&self) -> String {
        "planner".into()
    }

    fn decide(&self, situation: &Situation<'_>) -> Result<Vec<Purchase>> {
        let now = situation.now.start();
        let ends = || situation.catalog.offers().iter().map(|offer| (offer.term.end(now) - now).num_hours());
        let (Some(shortest), Some(longest)) = (ends().min(), ends().max()) else { return Ok(Vec::new()) };
        // Not longer than the longest term: hours that only a later purchase serves would speak for waiting.
        let hours = usize::try_from(longest).unwrap_or(usize::MAX);
        let futures = self.futures.of(situation.past, situation.catalog, hours)?;
        let step = i64::try_from(situation.step_hours).unwrap_or(i64::MAX);
        let renewals = (1..).map(|term| term * shortest.max(1));
        let later = std::iter::once(step).chain(renewals.take_while(|after| *after < longest)).filter(|after| *after < longest);
        let problem = Planner::new(situation.catalog)
            .scenarios(&futures)
            .owning(situation.held)
            .policy(self.policy.clone())
            .objective(self.objective.clone())
            .purchase_dates(std::iter::once(now).chain(later.map(|after| situation.now.plus(after).start())))
            .build()?;
        let defaults = Options::default();
        let options = Options {
            relative_gap: self.relative_gap.unwrap_or(defaults.relative_gap),
            time_limit: self.time_limit.unwrap_or(defaults.time_limit),
            progress: None,
        };
        let steps = problem.search(&options)?.steps;
        let bought = problem.commitments(&steps).into_iter().filter(|commitment| commitment.start == now);
        Ok(bought.map(|commitment| Purchase { offer: commitment.offer, quantity: commitment.quantity }).collect())
    }
}
