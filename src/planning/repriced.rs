//! What a finished plan costs in the scenarios that change prices. The plan itself is made with the catalog's prices; here the judge bills it again
//! with on-demand prices as the scenario has them in each hour. What was bought before a change keeps the price and the rates that it was bought
//! at, as providers have it; what is bought after it follows, if the scenario says so.
//!
//! Formulas: `docs/formulation.md`, "Price changes".

use super::problem::{Problem, Scenario};
use crate::billing::{Judge, RatesAboveOnDemand, Rules};
use crate::error::Result;
use crate::portfolio::Portfolio;
use crate::scenario::transform::PriceChange;
use crate::units::Money;
use std::collections::{BTreeMap, BTreeSet};

/// A scenario that changes prices, with what the plan costs in it. Amounts are billed, over all hours of the usage, before agreements and
/// undiscounted.
#[derive(Clone, Debug, PartialEq)]
pub struct Repriced {
    /// The scenario.
    pub scenario: String,
    /// How likely it is.
    pub probability: f64,
    /// All usage at the catalog's on-demand prices.
    pub on_demand: Money,
    /// The part of it whose price changes, in the hours in which it does.
    pub affected: Money,
    /// With nothing bought and nothing done, at the catalog's prices.
    pub before_at_catalog: Money,
    /// The same at the scenario's prices.
    pub before: Money,
    /// With the plan, at the catalog's prices.
    pub plan_at_catalog: Money,
    /// The same at the scenario's prices.
    pub plan: Money,
}

impl Repriced {
    /// The part of the usage at on-demand prices whose price changes.
    #[must_use]
    pub fn affected_share(&self) -> f64 {
        if self.on_demand > Money::ZERO { self.affected.to_f64() / self.on_demand.to_f64() } else { 0.0 }
    }
}

impl std::fmt::Display for Repriced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "scenario {}: prices of {:.1} % of the on-demand spend change ({:.2} of {:.2}), and the plan was not made with them; at the \
             scenario's prices it costs {:.2} instead of {:.2}, and saves {:.2} instead of {:.2}",
            self.scenario,
            100.0 * self.affected_share(),
            self.affected.to_f64(),
            self.on_demand.to_f64(),
            self.plan.to_f64(),
            self.plan_at_catalog.to_f64(),
            (self.before - self.plan).to_f64(),
            (self.before_at_catalog - self.plan_at_catalog).to_f64(),
        )
    }
}

impl Problem<'_> {
    /// The steps of a plan billed in every scenario that changes prices; none where no scenario does.
    ///
    /// # Errors
    /// As [`Problem::portfolio_with`], [`Judge::new`] and [`PriceChange::catalog_at`].
    pub fn repriced(&self, steps: &[u32]) -> Result<Vec<Repriced>> {
        let changing: Vec<&Scenario<'_>> = self.scenarios.iter().filter(|scenario| !scenario.prices.is_empty()).collect();
        if changing.is_empty() {
            return Ok(Vec::new());
        }
        let (after, at_once) = (self.portfolio_with(steps)?, self.one_off(steps));
        let one = |scenario: &Scenario<'_>| {
            let today = |portfolio: &Portfolio| -> Result<Money> {
                Ok(Judge::new(scenario.usage, self.catalog, portfolio, &self.rules)?.bill().total().cost())
            };
            let (on_demand, affected) = self.affected(scenario);
            Ok(Repriced {
                scenario: scenario.name.clone(),
                probability: scenario.probability,
                on_demand,
                affected,
                before_at_catalog: today(&self.portfolio)?,
                before: self.cost_at_prices(scenario, &self.portfolio)?,
                plan_at_catalog: today(&after)? + at_once,
                plan: self.cost_at_prices(scenario, &after)? + at_once,
            })
        };
        changing.into_iter().map(one).collect()
    }

    /// All usage at on-demand prices, and the part whose price changes.
    fn affected(&self, scenario: &Scenario<'_>) -> (Money, Money) {
        let usage = scenario.usage;
        let (mut all, mut affected) = (0.0, 0.0);
        for (column, line) in self.lines.iter().map(|column| (*column, &usage.lines()[*column])) {
            let Some(price) = self.catalog.price(&line.sku).map(|price| price.price.to_f64()) else { continue };
            let changes = scenario.prices.iter().filter(|change| change.select.takes_sku(&line.sku));
            let first = changes.map(|change| first_hour(usage.grid(), change)).min().unwrap_or(usize::MAX);
            for (hour, quantity) in usage.quantity().column(column).iter().enumerate() {
                let cost = price * quantity * usage.weights()[hour];
                all += cost;
                affected += if hour >= first { cost } else { 0.0 };
            }
        }
        (Money::from_f64(all).unwrap_or_default(), Money::from_f64(affected).unwrap_or_default())
    }

    /// The bill of a scenario's usage at its prices: stretches of hours between changes, each at the prices of its first hour.
    fn cost_at_prices(&self, scenario: &Scenario<'_>, portfolio: &Portfolio) -> Result<Money> {
        let grid = scenario.usage.grid();
        let bought = self.as_bought(scenario, portfolio)?;
        // After a price cut a plan's rate may be above the on-demand price.
        let rules = Rules { rates_above_on_demand: RatesAboveOnDemand::Allowed, ..self.rules.clone() };
        let cuts = scenario.prices.iter().map(|change| first_hour(grid, change));
        let cuts: Vec<usize> = cuts.chain([0, grid.count]).collect::<BTreeSet<usize>>().into_iter().collect();
        let mut cost = Money::ZERO;
        for stretch in cuts.windows(2) {
            let catalog = PriceChange::catalog_at(scenario.prices, self.catalog, grid.hour(stretch[0]).start())?;
            // All hours are billed, for what hangs on a whole month, and those of the stretch are taken.
            let bill = Judge::new(scenario.usage, &catalog, &bought, &rules)?.bill();
            cost += if cuts.len() == 2 {
                bill.total().cost()
            } else {
                bill.hours(stretch[0]..stretch[1]).into_iter().map(|(_, charges)| charges.cost()).sum()
            };
        }
        Ok(cost)
    }

    /// A portfolio whose commitments keep the offers that they were bought by, at the prices of their first day.
    fn as_bought(&self, scenario: &Scenario<'_>, portfolio: &Portfolio) -> Result<Portfolio> {
        let mut offers = BTreeMap::new();
        let mut commitments = portfolio.commitments().to_vec();
        for commitment in &mut commitments {
            let is_own = portfolio.offers().iter().any(|offer| offer.id == commitment.offer);
            if is_own {
                continue;
            }
            let catalog = PriceChange::catalog_at(scenario.prices, self.catalog, commitment.start)?;
            let mut offer = portfolio.offer(&catalog, commitment)?.clone();
            offer.id = format!("{} as of {}", offer.id, commitment.start.date_naive());
            commitment.offer.clone_from(&offer.id);
            offers.insert(offer.id.clone(), offer);
        }
        let offers = portfolio.offers().iter().cloned().chain(offers.into_values()).collect();
        Portfolio::new(offers, commitments)?.with_particulars(portfolio.particulars().values().cloned())
    }
}

/// The first hour of the grid that starts at or after a change, and so has its price; the grid's end if none does.
fn first_hour(grid: crate::time::HourGrid, change: &PriceChange) -> usize {
    grid.hours().position(|hour| hour.start() >= change.from).unwrap_or(grid.count)
}
