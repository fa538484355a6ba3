//! The plan as a list of orders that a person or a service can execute, and what to expect of each.
//!
//! An [`Order`] has every field that the provider's purchase call or console asks for (`planning/orders/call.rs` puts them into the
//! provider's words), what it costs, and its expected effect. [`Orders`] are written as JSON or CSV; with the bill that came,
//! [`verify`] tells what differs from the promise and why.

mod call;
mod verify;

pub use verify::{Came, Cause, OrderEffect, Verification, verify};

use super::action::taken::PlannedAction;
use super::plan::{Plan, Purchase};
use super::problem::Problem;
use crate::billing::Bill;
use crate::catalog::Offer;
use crate::error::{Error, Problem as Wrong, Result};
use crate::portfolio::action::Action;
use crate::portfolio::{Commitment, Portfolio, Scope};
use crate::time::Term;
use crate::units::{Money, MoneyPerHour};
use crate::usage::Provider;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The schema's name and version, the first field of the document.
const SCHEMA: &str = "covermix-orders/1";

/// What an order does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Buy a commitment.
    Buy,
    /// Do something with what is held.
    Act(Action),
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Buy => f.write_str("buy"),
            Self::Act(action) => action.fmt(f),
        }
    }
}

/// A part of a commitment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The [`Commitment::id`].
    pub commitment: String,
    /// How many reservations, or how much money an hour.
    #[serde(with = "rust_decimal::serde::str")]
    pub quantity: Decimal,
}

/// What an order should do, to check later.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// What is bought or received costs a month of 730 hours, upfront payments spread over its term.
    pub monthly_cost: Money,
    /// The usage it covers in a month of 730 hours, at on-demand prices.
    pub monthly_covered: Money,
    /// The share of it that is used; absent if nothing is bought or received, or outside of the hours planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utilisation: Option<f64>,
    /// By how much the plan's objective is lower with an action than without it; absent for purchases, which are worth their net savings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

/// One order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Its number in the list: `order-001`.
    pub id: String,
    /// What to do.
    pub operation: Operation,
    /// When to do it; purchases for later dates can be queued where the provider has that.
    pub at: DateTime<Utc>,
    /// The last instant at which it can be done, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<DateTime<Utc>>,
    /// The provider.
    pub provider: Provider,
    /// The service.
    pub service: String,
    /// The region; empty for offers over all regions.
    pub region: String,
    /// The account, subscription or project that buys or owns it.
    pub account: String,
    /// The catalog's identifier of what is bought or received; empty where nothing is.
    pub offer: String,
    /// The provider's identifier of it, where the catalog knows one.
    pub provider_offer: String,
    /// What it covers: the SKU, or the plan.
    pub subject: String,
    /// Where it applies; absent where nothing is bought or received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Its term; absent where nothing is bought or received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<Term>,
    /// How it is paid; absent where nothing is bought or received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_option: Option<crate::catalog::PaymentOption>,
    /// How many reservations, or how much money an hour, are bought or received.
    #[serde(with = "rust_decimal::serde::str")]
    pub quantity: Decimal,
    /// What the quantity counts: `reservations`, or the currency an hour.
    pub unit: String,
    /// When what is bought or received starts and ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<DateTime<Utc>>,
    /// See `start`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<DateTime<Utc>>,
    /// From when what is given up serves no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<DateTime<Utc>>,
    /// What is given up.
    pub gives: Vec<Part>,
    /// What is asked for where only a share of it finds a taker: so many are offered for sale, and `gives` is what is expected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offered: Vec<Part>,
    /// Paid at once; below 0 for money that comes back.
    pub paid: Money,
    /// Due for every hour from then on, for all that is bought or received.
    pub recurring: MoneyPerHour,
    /// The provider's call, in its own words.
    pub call: String,
    /// The parameters of the call, in the provider's words.
    pub parameters: BTreeMap<String, String>,
    /// The commitments there should be afterwards because of it.
    pub results: Vec<Commitment>,
    /// What to expect of it.
    pub effect: Effect,
    /// Why.
    pub reason: String,
}

/// All orders of a plan, by date.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Orders {
    /// `covermix-orders/1`.
    pub schema: String,
    /// The currency of every amount.
    pub currency: String,
    /// The first hour of the usage that the plan is made for.
    pub first_hour: DateTime<Utc>,
    /// The bill of that usage without the orders.
    pub cost_before: Money,
    /// The bill of that usage with them.
    pub cost_after: Money,
    /// The orders.
    pub orders: Vec<Order>,
    /// Offers of results that are in no catalog, as after an exchange at its own price.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<Offer>,
}

impl Plan {
    /// The order of one action, not numbered yet; `None` for what needs none: renewals are purchases, and what lapses ends by itself.
    ///
    /// # Errors
    /// As [`Plan::orders`].
    pub fn order_of(&self, problem: &Problem<'_>, action: &PlannedAction) -> Result<Option<Order>> {
        if matches!(action.kind, Action::Renew | Action::Lapse) {
            return Ok(None);
        }
        // What is acted on has its own account.
        Writer { plan: self, problem, account: "" }.action(action).map(Some)
    }

    /// The plan as orders; `account` is the one that buys.
    ///
    /// # Errors
    /// [`Wrong::Dangling`] if the plan is of another problem.
    pub fn orders(&self, problem: &Problem<'_>, account: &str) -> Result<Orders> {
        let writer = Writer { plan: self, problem, account };
        let mut orders = Vec::new();
        for purchase in self.purchases() {
            orders.push(writer.purchase(purchase));
        }
        for action in self.actions() {
            orders.extend(self.order_of(problem, action)?);
        }
        orders.sort_by(|a, b| a.at.cmp(&b.at).then(b.operation.cmp(&a.operation)).then_with(|| a.offer.cmp(&b.offer)));
        for (index, order) in orders.iter_mut().enumerate() {
            order.id = format!("order-{:03}", index + 1);
        }
        let changed = self.actions().iter().filter_map(|action| action.change.as_ref());
        let mut offers: Vec<Offer> = changed.flat_map(|change| change.offers.iter().cloned()).collect();
        offers.sort_by(|a, b| a.id.cmp(&b.id));
        offers.dedup();
        Ok(Orders {
            schema: SCHEMA.to_owned(),
            currency: problem.catalog.currency().to_owned(),
            first_hour: problem.usage().grid().first.start(),
            cost_before: self.before().total().cost(),
            cost_after: self.billed_cost(),
            orders,
            offers,
        })
    }
}

struct Writer<'w, 'a> {
    plan: &'w Plan,
    problem: &'w Problem<'a>,
    account: &'w str,
}

impl Writer<'_, '_> {
    fn purchase(&self, purchase: &Purchase) -> Order {
        let offer = &purchase.offer;
        let result = Commitment {
            id: purchase.id.clone(),
            offer: offer.id.clone(),
            quantity: purchase.quantity,
            start: purchase.start,
            end: purchase.end,
            account: self.account.to_owned(),
            scope: purchase.scope.clone(),
        };
        let renews: Vec<&str> = self
            .plan
            .actions()
            .iter()
            .filter(|action| {
                action.kind == Action::Renew
                    && action.receives.iter().any(|of| of.offer == offer.id && of.start == purchase.start)
            })
            .flat_map(|action| action.gives.iter().map(|(id, _)| id.as_str()))
            .collect();
        let reason = if renews.is_empty() {
            format!("covers usage of {} a month at on-demand prices", purchase.covered_monthly)
        } else {
            format!("renews {}; covers usage of {} a month at on-demand prices", renews.join(" and "), purchase.covered_monthly)
        };
        self.order(Operation::Buy, offer, vec![result], purchase.upfront, self.plan.after(), reason)
    }

    fn action(&self, action: &PlannedAction) -> Result<Order> {
        let catalog = self.problem.catalog;
        let held = |id: &str| self.problem.portfolio.commitments().iter().find(|held| held.id == id);
        let first = action.gives.first().and_then(|(id, _)| held(id));
        let Some(first) = first else {
            let id = action.gives.first().map_or_else(String::new, |(id, _)| id.clone());
            return Err(Error::from(Wrong::Dangling { kind: "commitment", id }));
        };
        let of_change = action.change.as_ref().map(|change| change.offers.as_slice()).unwrap_or_default();
        let mut results = Vec::new();
        let mut offer = self.problem.portfolio.offer(catalog, first)?;
        for received in &action.receives {
            let own = of_change.iter().find(|offer| offer.id == received.offer);
            offer = own.or_else(|| catalog.offer(&received.offer)).unwrap_or(offer);
            let id = action.change.as_ref().map_or_else(String::new, |change| change.id.clone());
            let id = if action.receives.len() == 1 { id } else { format!("{id} ({})", results.len() + 1) };
            results.push(Commitment {
                id,
                offer: received.offer.clone(),
                quantity: received.quantity,
                start: received.start,
                end: received.end,
                account: received.account.clone(),
                scope: received.scope.clone(),
            });
        }
        let mut order =
            self.order(Operation::Act(action.kind), offer, results, action.paid, self.plan.after(), action.reason.clone());
        order.at = action.deadline.map_or(action.decided, |deadline| action.decided.min(deadline));
        order.released = Some(action.at);
        order.deadline = action.deadline;
        let gives = action.gives.iter().map(|(id, quantity)| Part { commitment: id.clone(), quantity: *quantity });
        order.gives = gives.collect();
        if let Some(change) = action.change.as_ref().filter(|change| change.probability < 1.0) {
            let times = Decimal::from(action.times);
            let part = |given: &super::Given| Part { commitment: given.commitment.clone(), quantity: given.quantity * times };
            order.offered = change.gives.iter().map(part).collect();
        }
        if action.receives.is_empty() {
            (order.offer, order.provider_offer, order.quantity) = (String::new(), String::new(), Decimal::ZERO);
            (order.scope, order.term, order.payment_option) = (None, None, None);
            order.recurring = MoneyPerHour::ZERO;
        }
        order.account = first.account.clone();
        order.effect.value = action.value;
        (order.call, order.parameters) = call::of(&order, offer, catalog);
        Ok(order)
    }

    fn order(
        &self,
        operation: Operation,
        offer: &Offer,
        results: Vec<Commitment>,
        paid: Money,
        bill: &Bill,
        reason: String,
    ) -> Order {
        let catalog = self.problem.catalog;
        let currency = catalog.currency();
        let quantity = results.iter().map(|result| result.quantity).sum();
        let billed: Vec<_> =
            results.iter().filter_map(|result| bill.commitments().iter().find(|of| of.id == result.id)).collect();
        let covered = billed.iter().map(|of| of.covered).sum();
        let first = results.first();
        let mut order = Order {
            id: String::new(),
            operation,
            at: first.map_or_else(|| self.problem.usage().grid().first.start(), |result| result.start),
            deadline: None,
            provider: offer.provider,
            service: offer.service.clone(),
            region: offer.region.clone(),
            account: self.account.to_owned(),
            offer: offer.id.clone(),
            provider_offer: offer.provider_id.clone(),
            subject: offer.subject(),
            scope: first.map(|result| result.scope.clone()),
            term: Some(offer.term),
            payment_option: Some(offer.payment_option),
            quantity,
            unit: if offer.is_spend_plan() { format!("{currency} an hour") } else { "reservations".to_owned() },
            start: first.map(|result| result.start),
            end: first.map(|result| result.end),
            released: None,
            gives: Vec::new(),
            offered: Vec::new(),
            paid,
            recurring: offer.recurring * quantity,
            call: String::new(),
            parameters: BTreeMap::new(),
            effect: Effect {
                monthly_cost: offer.effective_hourly().over_hours(Decimal::from(super::plan::HOURS_PER_MONTH)) * quantity,
                monthly_covered: self.plan.monthly(covered),
                utilisation: billed.first().and_then(|of| of.utilisation()),
                value: None,
            },
            results,
            reason,
        };
        (order.call, order.parameters) = call::of(&order, offer, catalog);
        order
    }
}

impl Orders {
    /// The orders as a JSON document.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Reads orders from their JSON document.
    ///
    /// # Errors
    /// [`Wrong::Malformed`] with the line, [`Wrong::Version`] for another version.
    pub fn from_json(text: &str) -> Result<Self> {
        let orders: Self = crate::files::parse_json(text, "covermix orders")?;
        if orders.schema == SCHEMA {
            return Ok(orders);
        }
        Err(Error::from(Wrong::Version { found: orders.schema, expected: SCHEMA }).in_field("schema"))
    }

    /// Writes the orders: CSV if the name ends in `.csv`, else JSON; whole or not at all.
    ///
    /// # Errors
    /// [`Wrong::InputOutput`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let text = if is_csv { self.to_csv() } else { self.to_json() };
        crate::files::write(path, |file| file.write_all(text.as_bytes()).map_err(|error| crate::files::input_output(path, error)))
    }

    /// The orders as CSV, one a row, for a spreadsheet. Parts and parameters are written `name=value`, with `; ` between them.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        // Writing to memory cannot fail.
        let _ = writer.write_record(HEADER);
        for order in &self.orders {
            let _ = writer.write_record(self.row(order));
        }
        writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
    }

    fn row(&self, order: &Order) -> [String; 27] {
        let list = |parts: &[Part]| -> String {
            parts.iter().map(|part| format!("{}={}", part.commitment, part.quantity.normalize())).collect::<Vec<_>>().join("; ")
        };
        let time = |instant: Option<DateTime<Utc>>| instant.map_or_else(String::new, |instant| instant.to_rfc3339());
        let parameters: Vec<String> = order.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let effect = &order.effect;
        [
            order.id.clone(),
            order.operation.to_string(),
            order.at.to_rfc3339(),
            time(order.deadline),
            order.provider.to_string(),
            order.service.clone(),
            order.region.clone(),
            order.account.clone(),
            order.offer.clone(),
            order.provider_offer.clone(),
            order.subject.clone(),
            order.scope.as_ref().map_or_else(String::new, call::scope),
            order.term.map_or_else(String::new, |term| term.to_string()),
            order.payment_option.map_or_else(String::new, |option| option.to_string()),
            order.quantity.normalize().to_string(),
            order.unit.clone(),
            time(order.start),
            time(order.end),
            list(&order.gives),
            order.paid.to_string(),
            order.recurring.to_string(),
            order.call.clone(),
            parameters.join("; "),
            effect.monthly_cost.value().round_dp(2).to_string(),
            effect.monthly_covered.value().round_dp(2).to_string(),
            effect.utilisation.map_or_else(String::new, |share| format!("{share:.4}")),
            order.reason.clone(),
        ]
    }

    /// The portfolio that there should be after the orders, from the one that is held.
    ///
    /// # Errors
    /// As [`Portfolio::new`]; [`Wrong::Dangling`] for an order that gives up what is not held.
    pub fn apply(&self, held: &Portfolio) -> Result<Portfolio> {
        let executed = |order: &Order| Executed::as_ordered(order);
        verify::state(held, &self.offers, self.orders.iter().map(executed).collect())
    }
}

/// What was done of an order.
#[derive(Clone, Debug, PartialEq)]
struct Executed {
    gives: Vec<Part>,
    at: DateTime<Utc>,
    results: Vec<Commitment>,
}

impl Executed {
    fn as_ordered(order: &Order) -> Self {
        Self { gives: order.gives.clone(), at: order.released.unwrap_or(order.at), results: order.results.clone() }
    }
}

/// The columns of the CSV.
const HEADER: [&str; 27] = [
    "order",
    "operation",
    "at",
    "deadline",
    "provider",
    "service",
    "region",
    "account",
    "offer",
    "provider_offer",
    "subject",
    "scope",
    "term",
    "payment_option",
    "quantity",
    "unit",
    "start",
    "end",
    "gives",
    "paid",
    "recurring",
    "call",
    "parameters",
    "expected_monthly_cost",
    "expected_monthly_covered",
    "expected_utilisation",
    "reason",
];
