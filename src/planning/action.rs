//! Actions on what is held: what a provider's rule allows, in the terms that the optimisation needs.
//!
//! A [`Change`] is one thing that may be done: so much of a commitment is given up from an instant on, so much is received for it, so much is
//! paid. The planner may do it a whole number of times (steps). [`Limit`]s are shared by several changes, and no unit of a commitment is
//! given up twice. The rules themselves, which say what is allowed at what price, are the portfolio's; formulas: `docs/formulation.md`,
//! "Actions".

#[cfg(feature = "highs")]
pub(super) mod taken;

use crate::catalog::{Benefit, Offer};
use crate::error::{Error, Problem, Result};
use crate::portfolio::action::Action;
use crate::portfolio::{Commitment, Portfolio, Scope};
use crate::units::{Money, to_decimal};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A part of a commitment that one step of a change gives up; in documents the two side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(String, Decimal)", into = "(String, Decimal)")]
pub struct Given {
    /// The [`crate::portfolio::Commitment::id`].
    pub commitment: String,
    /// How many reservations, or how much money an hour.
    pub quantity: Decimal,
}

impl From<(String, Decimal)> for Given {
    fn from((commitment, quantity): (String, Decimal)) -> Self {
        Self { commitment, quantity }
    }
}

impl From<Given> for (String, Decimal) {
    fn from(given: Given) -> Self {
        (given.commitment, given.quantity)
    }
}

/// What one step of a change brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Received {
    /// The [`Offer::id`]: of the catalog, of the portfolio or of [`Change::offers`].
    pub offer: String,
    /// How many reservations, or how much money an hour.
    pub quantity: Decimal,
    /// From when it serves.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// The account that owns it; empty for one that all accounts own alike.
    #[serde(default)]
    pub account: String,
    /// Where it applies.
    pub scope: Scope,
}

/// Something that may be done with what is held, a whole number of times. In documents what is empty or at its default may be left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// An identifier of its own, which what is received has in bills too.
    pub id: String,
    /// What kind of action it is.
    pub kind: Action,
    /// When it is decided and paid.
    pub decided: DateTime<Utc>,
    /// From when what is given up serves no more. Before the start of what is given up: as if it had never been bought.
    pub at: DateTime<Utc>,
    /// What one step gives up.
    pub gives: Vec<Given>,
    /// What one step brings.
    #[serde(default)]
    pub receives: Vec<Received>,
    /// Offers of what is received that neither catalog nor portfolio has.
    #[serde(default)]
    pub offers: Vec<Offer>,
    /// What one step costs at once: upfront payments, true-ups and fees, less refunds and proceeds.
    #[serde(default)]
    pub paid: Money,
    /// The most steps, where the rule has a number; what is held limits them in any case.
    #[serde(default)]
    pub most: Option<u32>,
    /// The share of what is offered that finds a taker (sell-through), above 0 to 1. The plan counts on this share: release, receipt and
    /// payment are multiplied by it, the rest stays held.
    #[serde(default = "certain")]
    pub probability: f64,
    /// What one step takes of limits, by [`Limit::name`].
    #[serde(default)]
    pub uses: Vec<(String, Decimal)>,
    /// The last instant at which it can be done.
    #[serde(default)]
    pub deadline: Option<DateTime<Utc>>,
    /// The provider's rule that allows it, in words.
    #[serde(default)]
    pub rule: String,
}

/// An amount that several changes share: money, units or a number of times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Its name, which [`Change::uses`] refers to.
    pub name: String,
    /// How much is left of it.
    pub most: Decimal,
}

/// All that is offered finds a taker.
fn certain() -> f64 {
    1.0
}

impl Change {
    /// The share that finds a taker, as a decimal.
    pub(super) fn share(&self) -> Decimal {
        if self.probability < 1.0 { to_decimal(self.probability).unwrap_or(Decimal::ONE) } else { Decimal::ONE }
    }

    /// # Errors
    /// [`Problem::EmptyValue`] without identifier, [`Problem::Empty`] for one that gives nothing up, [`Problem::OutOfRange`] for quantities or a
    /// probability that are not above 0, [`Problem::EndBeforeStart`] for what ends before it starts.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |field: &str, value: String, range| Err(Error::from(Problem::OutOfRange { value, range }).in_field(field));
        if self.id.is_empty() {
            return Err(Error::from(Problem::EmptyValue).in_field("changes.id"));
        }
        if self.gives.is_empty() {
            return Err(Error::from(Problem::Empty { what: "commitments that a change gives up" }).in_item(self.id.clone()));
        }
        let quantities =
            self.gives.iter().map(|given| given.quantity).chain(self.receives.iter().map(|received| received.quantity));
        if let Some(quantity) = quantities.into_iter().find(|quantity| *quantity <= Decimal::ZERO) {
            return wrong("changes.quantity", quantity.to_string(), "quantities above 0").map_err(|e| e.in_item(self.id.clone()));
        }
        if !(self.probability > 0.0 && self.probability <= 1.0) {
            return wrong("changes.probability", self.probability.to_string(), "above 0 to 1")
                .map_err(|e| e.in_item(self.id.clone()));
        }
        if let Some(received) = self.receives.iter().find(|received| received.end <= received.start) {
            let problem = Problem::EndBeforeStart { start: received.start.to_rfc3339(), end: received.end.to_rfc3339() };
            return Err(Error::from(problem).in_field("changes.receives.end").in_item(self.id.clone()));
        }
        Ok(())
    }
}

/// Whether an offer is the same product as another, at today's price: benefit, term, payment option and rights.
pub(super) fn renews(held: &Offer, again: &Offer) -> bool {
    let is_same_benefit = match (&held.benefit, &again.benefit) {
        (Benefit::Reservation { .. }, Benefit::Reservation { .. }) => held.benefit == again.benefit,
        (Benefit::SpendPlan { plan, family, .. }, Benefit::SpendPlan { plan: other, family: of, .. }) => {
            plan == other && family == of
        }
        _ => false,
    };
    is_same_benefit
        && (held.provider, held.term, held.payment_option) == (again.provider, again.term, again.payment_option)
        && (&held.service, &held.region, &held.rights) == (&again.service, &again.region, &again.rights)
}

/// A portfolio after changes (with how often, in expectation) and purchases.
pub(super) fn after(portfolio: &Portfolio, taken: &[(&Change, Decimal)], bought: Vec<Commitment>) -> Result<Portfolio> {
    let mut offers = portfolio.offers().to_vec();
    let mut commitments = bought;
    let mut given: HashMap<&str, Vec<(&Change, Decimal)>> = HashMap::new();
    for (change, times) in taken {
        for part in &change.gives {
            given.entry(part.commitment.as_str()).or_default().push((*change, part.quantity * times));
        }
        for (index, received) in change.receives.iter().enumerate() {
            let id = if change.receives.len() == 1 { change.id.clone() } else { format!("{} ({})", change.id, index + 1) };
            let Received { offer, quantity, start, end, account, scope } = received.clone();
            commitments.push(Commitment { id, offer, quantity: quantity * times, start, end, account, scope });
        }
        offers.extend(
            change.offers.iter().filter(|offer| !offers.iter().any(|known| known.id == offer.id)).cloned().collect::<Vec<_>>(),
        );
    }
    for held in portfolio.commitments() {
        let mut left = held.quantity;
        for (change, quantity) in given.get(held.id.as_str()).into_iter().flatten() {
            left -= quantity;
            if change.at > held.start {
                let (id, end) = (format!("{} until {}", held.id, change.id), change.at.min(held.end));
                commitments.push(Commitment { id, quantity: *quantity, end, ..held.clone() });
            }
        }
        if left < Decimal::ZERO {
            let problem = Problem::OutOfRange { value: (held.quantity - left).to_string(), range: "no more than is held" };
            return Err(Error::from(problem).in_field("changes.gives").in_item(held.id.clone()));
        }
        if left > Decimal::ZERO {
            commitments.push(Commitment { quantity: left, ..held.clone() });
        }
    }
    let after = Portfolio::new(offers, commitments)?;
    let is_left = |id: &str| after.commitments().iter().any(|of| of.id == id);
    let particulars: Vec<_> = portfolio.particulars().values().filter(|of| is_left(&of.commitment)).cloned().collect();
    after.with_particulars(particulars)
}
