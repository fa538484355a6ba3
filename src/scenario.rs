//! What may happen: transforms of usage into futures, forecasts with their errors, bootstrap scenarios, risk, and the backtest that shows
//! how a rule of purchase would have done.
//!
//! | question | where |
//! |---|---|
//! | what if we grow, migrate, launch, shut down | [`transform`], read from a file by [`ScenarioFile`] |
//! | how does a series go on, and how sure is that | [`forecast`] |
//! | scenarios to plan for, from the past alone | [`Futures`] |
//! | many futures that keep shape and correlation | [`bootstrap`] |
//! | fewer futures that cost the same | [`reduction`] |
//! | what is at risk, what is waiting worth | [`risk`] |
//! | which commitment may stand idle | [`utilisation_risk`] |
//! | what does a token, user or order cost | [`unit_cost`] |
//! | when to buy how much of one product | [`ladder`] |
//! | what does spot capacity cost, interruptions and all | [`spot`] |
//! | how would a rule have done | [`backtest`] |
//!
//! Formulas and sources: `docs/formulation-scenario.md`.

pub mod backtest;
pub mod bootstrap;
mod file;
pub mod forecast;
mod futures;
pub mod hedge;
pub mod ladder;
pub mod reduction;
pub mod risk;
pub mod spot;
pub mod transform;
pub mod unit_cost;
mod utilisation;

pub use file::{FutureFile, ScenarioFile};
pub use futures::Futures;
pub use utilisation::{UtilisationRisk, utilisation_risk};

use crate::error::{Error, Problem, Result};
use crate::usage::UsageCurves;
use transform::PriceChange;

/// One possible future.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name: `base`, `high`, `low`.
    pub name: String,
    /// How likely it is, above 0 to 1.
    pub probability: f64,
    /// What runs in it.
    pub usage: UsageCurves,
    /// How prices change in it.
    pub prices: Vec<PriceChange>,
}

/// Futures whose probabilities sum to one, over the same hours.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenarios(Vec<Scenario>);

impl Scenarios {
    /// Scenarios, in the order of their names.
    ///
    /// # Errors
    /// [`Problem::Empty`] without scenarios, [`Problem::Repeated`] for a name used twice, [`Problem::Probabilities`] if a probability is not
    /// above 0 or they do not sum to one, [`Problem::OutOfRange`] for scenarios over different hours.
    pub fn new(mut scenarios: Vec<Scenario>) -> Result<Self> {
        let named: Vec<(&str, f64)> = scenarios.iter().map(|one| (one.name.as_str(), one.probability)).collect();
        check_probabilities(&named)?;
        let grid = scenarios[0].usage.grid();
        if let Some(other) = scenarios.iter().find(|one| one.usage.grid() != grid) {
            let value = format!("{} hours from {}", other.usage.grid().count, other.usage.grid().first);
            let problem = Problem::OutOfRange { value, range: "the same hours in every scenario" };
            return Err(Error::from(problem).in_field("scenario").in_item(other.name.clone()));
        }
        scenarios.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self(scenarios))
    }

    /// The scenarios, by name.
    #[must_use]
    pub fn as_slice(&self) -> &[Scenario] {
        &self.0
    }

    /// Their probabilities, in the same order; they sum to one.
    #[must_use]
    pub fn probabilities(&self) -> Vec<f64> {
        self.0.iter().map(|one| one.probability).collect()
    }
}

/// Checks names and probabilities.
pub(crate) fn check_probabilities(scenarios: &[(&str, f64)]) -> Result<()> {
    if scenarios.is_empty() {
        return Err(Problem::Empty { what: "scenario" }.into());
    }
    let mut names = std::collections::BTreeSet::new();
    if let Some(twice) = scenarios.iter().find(|one| !names.insert(one.0)) {
        return Err(Error::from(Problem::Repeated).in_field("scenario.name").in_item(twice.0));
    }
    let sum: f64 = scenarios.iter().map(|one| one.1).sum();
    if scenarios.iter().any(|one| one.1.is_nan() || one.1 <= 0.0) || (sum - 1.0).abs() > 1e-9 {
        let list = scenarios.iter().map(|(name, probability)| format!("{name} {probability}")).collect::<Vec<_>>().join(", ");
        return Err(Error::from(Problem::Probabilities { sum, list }).in_field("scenario.probability"));
    }
    Ok(())
}
