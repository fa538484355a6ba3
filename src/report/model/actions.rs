//! What a plan does with what is held, what that saves apart from the purchases, and what the plan costs where prices change.

use crate::report::figure::Figure;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The savings in two parts, which add up to them: cost with nothing done -> cost with the actions alone -> cost with both. Each step is a bill
/// by the provider's rules. The actions are counted first; counted last they save [`SavingsSplit::by_actions_counted_last`], since a purchase and an
/// action may take the same usage. Without actions all is due to the purchases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavingsSplit {
    /// What the usage costs with the actions and nothing bought, with what the actions cost at once.
    pub cost_with_actions: Figure,
    /// The cost before, less that.
    pub by_actions: Figure,
    /// The same, a month.
    pub by_actions_monthly: Figure,
    /// The cost with the actions alone, less the billed cost.
    pub by_purchases: Figure,
    /// The same, a month.
    pub by_purchases_monthly: Figure,
    /// The cost with the purchases alone, less the billed cost.
    pub by_actions_counted_last: Figure,
    /// The same, a month.
    pub by_actions_counted_last_monthly: Figure,
    /// Paid at once for actions: upfront payments, true-ups, fees.
    pub paid_for_actions: Figure,
    /// Comes back at once from actions: refunds, proceeds of sales.
    pub received_for_actions: Figure,
}

/// Something to do with what is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Its identifier, which what is received has in bills too; for a renewal or a lapse of what is held, the identifier of that.
    pub id: String,
    /// What kind it is: `exchange`, `sell`, `return`, `lapse` ...
    pub action: String,
    /// The day to do it, and on which it is paid.
    pub decided: NaiveDate,
    /// The day from which what is given up serves no more, and what is received does.
    pub at: NaiveDate,
    /// The last day on which it can be done.
    pub deadline: Option<NaiveDate>,
    /// How many times the smallest step that the rule allows.
    pub times: u32,
    /// What is given up, or ends.
    pub gives: Vec<GivenUp>,
    /// What is received instead, or bought to renew.
    pub receives: Vec<Received>,
    /// What is held before, in words.
    pub before: String,
    /// What is held instead, in words.
    pub after: String,
    /// Paid at once.
    pub paid: Figure,
    /// Comes back at once.
    pub received: Figure,
    /// By how much the plan would cost more without it, all else equal, in the terms of the objective.
    pub value: Option<Figure>,
    /// The provider's rule that allows it; empty for what happens by itself.
    pub rule: String,
    /// Why, in words.
    pub reason: String,
    /// Who places the order: the account that holds what is given up; empty where no order is needed.
    pub account: String,
    /// The provider's call or form; empty where no order is needed.
    pub call: String,
    /// What to enter there, in the provider's words.
    pub parameters: BTreeMap<String, String>,
}

/// What an action gives up of a commitment. Quantities are what is expected: offered, times the share that finds a taker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GivenUp {
    /// The commitment.
    pub commitment: String,
    /// Reservations, or money an hour.
    pub quantity: Figure,
}

/// What an action brings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// The offer.
    pub offer: String,
    /// Reservations, or money an hour.
    pub quantity: Figure,
    /// The scope.
    pub scope: String,
    /// The day from which it serves.
    pub start: NaiveDate,
    /// The day it ends.
    pub end: NaiveDate,
}

/// A scenario whose price changes the plan was not made with: the finished plan, billed at its prices. Purchases made before a change keep the
/// price and the rates that they were bought at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repriced {
    /// The scenario.
    pub name: String,
    /// How likely it is.
    pub probability: Figure,
    /// The usage whose price changes, in the hours in which it does, at the catalog's on-demand prices, a month.
    pub affected_monthly: Figure,
    /// The same as a share of all usage at on-demand prices.
    pub affected_share: Figure,
    /// What the plan costs at the catalog's prices, a month.
    pub plan_at_catalog_monthly: Figure,
    /// What it costs at the scenario's prices, a month.
    pub plan_monthly: Figure,
    /// What doing nothing costs at the catalog's prices, less the plan at those, a month.
    pub savings_at_catalog_monthly: Figure,
    /// The same at the scenario's prices, a month.
    pub savings_monthly: Figure,
}
