//! The purchase calendar: which tranche on which date, and the ladder of expiries that results.

use super::plan::Plan;
use super::problem::Problem;
use crate::error::Result;
use crate::time::{Hour, Month};
use crate::units::{Money, MoneyPerHour};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What is bought on one date.
#[derive(Clone, Debug, PartialEq)]
pub struct Tranche {
    /// The date.
    pub date: DateTime<Utc>,
    /// Offers and quantities.
    pub purchases: Vec<(String, Decimal)>,
    /// The effective cost an hour of all of it.
    pub hourly: MoneyPerHour,
    /// Paid at once.
    pub upfront: Money,
    /// The effective cost an hour of all that runs just after, held and bought.
    pub running: MoneyPerHour,
}

/// What expires in one calendar month, in effective cost an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expiring {
    /// Of what is held today and not given up.
    pub held: MoneyPerHour,
    /// Of what the plan buys or receives.
    pub bought: MoneyPerHour,
}

impl Expiring {
    /// Both.
    #[must_use]
    pub fn total(self) -> MoneyPerHour {
        self.held + self.bought
    }
}

impl Plan {
    /// What to buy on which date.
    ///
    /// # Errors
    /// As [`crate::portfolio::Portfolio::offer`].
    pub fn calendar(&self, problem: &Problem<'_>) -> Result<Vec<Tranche>> {
        let mut tranches: BTreeMap<DateTime<Utc>, Tranche> = BTreeMap::new();
        for purchase in self.purchases() {
            let empty = || Tranche {
                date: purchase.start,
                purchases: Vec::new(),
                hourly: MoneyPerHour::ZERO,
                upfront: Money::ZERO,
                running: MoneyPerHour::ZERO,
            };
            let tranche = tranches.entry(purchase.start).or_insert_with(empty);
            tranche.purchases.push((purchase.offer.id.clone(), purchase.quantity));
            tranche.hourly += purchase.offer.effective_hourly() * purchase.quantity;
            tranche.upfront += purchase.upfront;
        }
        for tranche in tranches.values_mut() {
            tranche.purchases.sort();
            for commitment in self.portfolio().commitments() {
                if commitment.start <= tranche.date && tranche.date < commitment.end {
                    let offer = self.portfolio().offer(problem.catalog, commitment)?;
                    tranche.running += offer.effective_hourly() * commitment.quantity;
                }
            }
        }
        Ok(tranches.into_values().collect())
    }

    /// What expires in which month after the plan.
    ///
    /// # Errors
    /// As [`crate::portfolio::Portfolio::offer`].
    pub fn ladder(&self, problem: &Problem<'_>) -> Result<BTreeMap<Month, Expiring>> {
        let mut months: BTreeMap<Month, Expiring> = BTreeMap::new();
        for commitment in self.portfolio().commitments() {
            let hourly = self.portfolio().offer(problem.catalog, commitment)?.effective_hourly() * commitment.quantity;
            let is_held = problem.portfolio.commitments().iter().any(|held| held.id == commitment.id);
            let month = months.entry(Hour::containing(commitment.end).month()).or_default();
            let part = if is_held { &mut month.held } else { &mut month.bought };
            *part += hourly;
        }
        Ok(months)
    }
}
