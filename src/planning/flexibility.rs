//! What the rights of commitments are worth: in each scenario, what is held is used as well as can be with its rights and without them.
//!
//! A right is an option: it is exercised after it has become clear which scenario comes true. So each scenario is solved alone, with and
//! without rights, and the difference is averaged by probability (the value of recourse; Birge and Louveaux, "Introduction to Stochastic
//! Programming"). What the rights cost is what the same commitments without them would have cost less. Formula: `docs/formulation.md`,
//! "Value of flexibility".

use super::problem::Problem;
use super::solve::Options;
use crate::catalog::{Offer, Right};
use crate::error::Result;
use crate::units::{Money, MoneyPerHour, to_decimal, to_f64};
use rust_decimal::Decimal;

/// Hours of a year in price lists.
const HOURS_PER_YEAR: u32 = 8760;

/// What flexibility costs and what it is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Flexibility {
    /// What the commitments held that carry rights cost a year more than the cheapest ones of the catalog that are alike but for the right
    /// of exchange; 0 where the catalog has none that is cheaper.
    pub cost_a_year: Money,
    /// What their rights are worth a year, on the average of the scenarios.
    pub worth_a_year: f64,
    /// Scenario, probability, and the billed objective with and without rights over the hours planned.
    pub scenarios: Vec<(String, f64, f64, f64)>,
}

impl std::fmt::Display for Flexibility {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "flexibility costs {:.2} a year and is worth {:.2}", to_f64(self.cost_a_year.value()), self.worth_a_year)
    }
}

impl Problem<'_> {
    /// What the rights of what is held cost and are worth.
    ///
    /// # Errors
    /// As [`Problem::search`].
    pub fn flexibility(&self, options: &Options<'_>) -> Result<Flexibility> {
        let mut scenarios = Vec::new();
        let mut worth = 0.0;
        for (index, scenario) in self.scenarios.iter().enumerate() {
            let alone = self.with_scenario(index)?;
            let without = alone.without_actions()?.search(options)?.evaluation.objective;
            // What can be done without rights can be done with them.
            let with = alone.search(options)?.evaluation.objective.min(without);
            worth += scenario.probability * (without - with);
            scenarios.push((scenario.name.clone(), scenario.probability, with, without));
        }
        let years = self.usage().total_hours() / f64::from(HOURS_PER_YEAR);
        let mut premium = MoneyPerHour::ZERO;
        for commitment in self.portfolio.commitments() {
            let offer = self.portfolio.offer(self.catalog, commitment)?;
            if let Some(rigid) = self.rigid(offer) {
                let more = offer.effective_hourly() - rigid.effective_hourly();
                premium += more.max(MoneyPerHour::ZERO) * commitment.quantity;
            }
        }
        let cost_a_year = premium.over_hours(Decimal::from(HOURS_PER_YEAR));
        Ok(Flexibility { cost_a_year, worth_a_year: if years > 0.0 { worth / years } else { 0.0 }, scenarios })
    }

    /// The cheapest offer that is alike but for the right of exchange.
    fn rigid(&self, offer: &Offer) -> Option<&Offer> {
        let is_alike = |other: &&Offer| {
            !other.rights.contains(&Right::Exchange)
                && (&other.service, &other.region, other.term) == (&offer.service, &offer.region, offer.term)
                && (&other.benefit, other.payment_option) == (&offer.benefit, offer.payment_option)
        };
        let alike = self.catalog.offers().iter().filter(is_alike).filter(|_| offer.rights.contains(&Right::Exchange));
        alike.min_by_key(|other| other.effective_hourly())
    }
}

impl Flexibility {
    /// What rights are worth less what they cost, a year.
    #[must_use]
    pub fn net_a_year(&self) -> Money {
        Money::new(to_decimal(self.worth_a_year).unwrap_or_default()) - self.cost_a_year
    }
}
