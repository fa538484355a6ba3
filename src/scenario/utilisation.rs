//! How likely it is that a commitment is not used: the judge bills a portfolio in every scenario, and each commitment's utilisation is read
//! off its bills. Formulas: `docs/formulation-scenario.md`, "Risk".

use super::Scenarios;
use super::risk::probability_of_under_utilisation;
use crate::billing::{Judge, Rules};
use crate::catalog::Catalog;
use crate::error::{Error, Problem, Result};
use crate::portfolio::Portfolio;
use rayon::prelude::*;
use serde::Serialize;

/// The utilisation of one commitment over scenarios. A commitment that serves no hour of the scenarios is left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UtilisationRisk {
    /// [`crate::portfolio::Commitment::id`].
    pub commitment: String,
    /// Used / provided in each scenario, 0 to 1, in the order of the scenarios.
    pub utilisation: Vec<f64>,
    /// Its mean over the scenarios, by probability.
    pub expected: f64,
    /// The lowest.
    pub lowest: f64,
    /// The probability that it stays below the threshold.
    pub probability_below: f64,
}

/// The utilisation of everything held, in every scenario, by the judge; the most endangered first. Prices are those of the catalog: changes
/// of prices move no utilisation of a reservation, and a spend plan's rates are fixed at purchase.
///
/// # Errors
/// [`Problem::OutOfRange`] for a threshold outside of 0 to 1, and as [`Judge::new`].
pub fn utilisation_risk(
    scenarios: &Scenarios,
    catalog: &Catalog,
    portfolio: &Portfolio,
    rules: &Rules,
    threshold: f64,
) -> Result<Vec<UtilisationRisk>> {
    if !(0.0..=1.0).contains(&threshold) {
        let problem = Problem::OutOfRange { value: threshold.to_string(), range: "utilisations from 0 to 1" };
        return Err(Error::from(problem).in_field("threshold"));
    }
    let billed = scenarios.as_slice().par_iter().map(|scenario| {
        let bill = Judge::new(&scenario.usage, catalog, portfolio, rules)?.bill();
        Ok(bill.commitments().iter().map(|one| (one.id.clone(), one.utilisation())).collect())
    });
    let billed: Vec<Vec<(String, Option<f64>)>> = billed.collect::<Result<_>>()?;
    let probability = scenarios.probabilities();
    let mut risks: Vec<UtilisationRisk> = (0..portfolio.commitments().len())
        .filter_map(|index| {
            let utilisation: Vec<f64> = billed.iter().map(|bill| bill[index].1).collect::<Option<_>>()?;
            Some(UtilisationRisk {
                commitment: billed.first()?[index].0.clone(),
                expected: utilisation.iter().zip(&probability).map(|(value, probability)| value * probability).sum(),
                lowest: utilisation.iter().copied().fold(f64::INFINITY, f64::min),
                probability_below: probability_of_under_utilisation(&probability, &utilisation, threshold),
                utilisation,
            })
        })
        .collect();
    risks.sort_by(|a, b| {
        b.probability_below
            .total_cmp(&a.probability_below)
            .then(a.expected.total_cmp(&b.expected))
            .then(a.commitment.cmp(&b.commitment))
    });
    Ok(risks)
}
