//! Azure: what can be done with reservations and savings plans.
//!
//! From Microsoft's cost management documentation: "Self-service exchanges and refunds for Azure Reservations" (2026-01-15), "Changes to the
//! Azure reservation exchange policy" (revision of 2026-08-27), "Self-service trade-in for Azure savings plans", "Manage Azure Reservations"
//! and "Automatically renew reservations".

pub mod exchange;
pub mod refund;

use super::action::{Action, Because, Given, LimitUse, Quote, Received, Refusal, Relation, Test, Window};
use super::assumptions::{Assumptions, Proration};
use super::holding::Holding;
use super::ledger::Limit;
use super::particulars::Renewal;
use super::rights::{self, kind, last_instant};
use super::rule::Rule;
use crate::catalog::azure::products;
use crate::catalog::{Benefit, Catalog, Offer, Right};
use crate::units::Money;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

/// What is left of one unit of an Azure commitment at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Residual {
    /// The part of what was paid that is for the time to come.
    pub prepaid: Money,
    /// Instalments that are not due yet.
    pub unpaid: Money,
}

impl Residual {
    /// The remaining commitment: both.
    #[must_use]
    pub fn total(self) -> Money {
        self.prepaid + self.unpaid
    }
}

/// What is left of one unit. An instalment is for the month that follows it, and prorated within it.
#[must_use]
pub fn residual(holding: &Holding<'_>, at: DateTime<Utc>, proration: Proration) -> Residual {
    if at.date_naive() >= holding.commitment.end.date_naive() {
        return Residual::default();
    }
    let unpaid = holding.obligation(at);
    let upfront = match proration {
        Proration::Days => holding.prepaid_left(at),
        Proration::Months => {
            let months = holding.offer.term.nominal_months().max(1);
            let left = (1..=months).filter(|month| holding.due(*month) > at).count();
            holding.offer.upfront * (Decimal::from(left) / Decimal::from(months))
        }
    };
    Residual { prepaid: upfront + current_instalment(holding, at, proration), unpaid }
}

/// The part of the last instalment that is for the time to come.
fn current_instalment(holding: &Holding<'_>, at: DateTime<Utc>, proration: Proration) -> Money {
    let months = holding.offer.term.nominal_months().max(1);
    let Some(month) = (0..months).rev().find(|month| holding.due(*month) <= at) else { return Money::ZERO };
    let (from, until) = (holding.due(month), holding.due(month + 1).min(holding.commitment.end));
    let days = |from: DateTime<Utc>, until: DateTime<Utc>| (until.date_naive() - from.date_naive()).num_days();
    let (left, whole) = (days(at, until), days(from, until));
    let share = match proration {
        _ if whole <= 0 => Decimal::ZERO,
        Proration::Months if left < whole => Decimal::ZERO,
        Proration::Days | Proration::Months => Decimal::from(left) / Decimal::from(whole),
    };
    holding.instalment() * share
}

/// What one unit of an offer commits to over its term: the price of the term, however it is paid.
#[must_use]
pub fn lifetime_commitment(offer: &Offer) -> Money {
    offer.upfront + offer.recurring.over_hours(offer.term.list_hours())
}

/// What was charged for one unit up to an instant, instalments due at it included.
#[must_use]
pub fn paid(holding: &Holding<'_>, at: DateTime<Utc>) -> Money {
    if at < holding.commitment.start {
        return Money::ZERO;
    }
    lifetime_commitment(holding.offer) - holding.obligation(at)
}

/// Whether the exchange policy of 2027 applies to a service: one that savings plans cover.
fn is_under_policy(service: &str) -> bool {
    products::has_plan(service)
}

/// From when until when an action is allowed.
///
/// # Errors
/// The rule that forbids it at any time.
pub fn window(holding: &Holding<'_>, action: Action, assumptions: &Assumptions) -> Result<Window, Refusal> {
    let (commitment, offer) = (holding.commitment, holding.offer);
    let is_plan = offer.is_spend_plan();
    let within = |rule: Rule| {
        rights::require_settled(holding, Rule::Active)?;
        Ok(Window { from: commitment.start, until: last_instant(commitment.end), rule })
    };
    match action {
        Action::Refund | Action::Exchange | Action::TradeIn | Action::SwapStorage if is_plan => {
            Err(kind(Rule::AzureFixed, "it is a savings plan"))
        }
        Action::Refund if !offer.rights.contains(&Right::Refund) || !is_returnable(offer) => {
            Err(kind(Rule::AzureNotReturnable, &format!("reservations of {} are not refunded", offer.service)))
        }
        Action::Refund => within(Rule::AzureRefund),
        Action::Exchange | Action::SwapStorage if !is_returnable(offer) => {
            Err(kind(Rule::AzureNotReturnable, &format!("reservations of {} are not exchanged", offer.service)))
        }
        Action::Exchange => {
            let change = assumptions.azure.exchange_policy_change;
            if is_under_policy(&offer.service) && holding.bought().date_naive() >= change {
                let what = format!("it was bought on {}, and the policy changes on {change}", holding.bought().date_naive());
                return Err(kind(Rule::AzureExchangePolicy, &what));
            }
            if !offer.rights.contains(&Right::Exchange) {
                return Err(kind(Rule::AzureExchangeProduct, "it was sold without the right of exchange"));
            }
            within(Rule::AzureExchangeTerm)
        }
        Action::SwapStorage if offer.service != crate::catalog::azure::VIRTUAL_MACHINES => {
            Err(kind(Rule::AzureSwapStorage, "it is not of a virtual machine"))
        }
        Action::SwapStorage => within(Rule::AzureSwapStorage),
        Action::TradeIn if !offer.rights.contains(&Right::TradeIn) => {
            Err(kind(Rule::AzureTradeInProduct, &format!("reservations of {} are not traded in", offer.service)))
        }
        Action::TradeIn => within(Rule::AzureTradeInProduct),
        Action::Split | Action::Merge if is_plan => Err(kind(Rule::AzureFixed, "it is a savings plan")),
        Action::Split | Action::Merge => within(Rule::AzureSplit),
        Action::ChangeScope => within(Rule::AzureScope),
        Action::Renew => within(Rule::AzureRenewal),
        Action::StopRenewal if holding.renewal() == Renewal::Off => Err(kind(Rule::AzureRenewal, "it does not renew")),
        Action::StopRenewal => within(Rule::AzureRenewal),
        Action::Lapse => within(Rule::End),
        Action::PutBack => super::insured::window(holding, assumptions),
        Action::Modify | Action::Sell | Action::Return | Action::CancelQueued => {
            Err(kind(Rule::NotOffered, "Azure has no such action"))
        }
        Action::Upgrade | Action::Extend | Action::ConvertModel => {
            Err(kind(Rule::NotOffered, "Azure changes a term by exchange only"))
        }
    }
}

/// Whether a product can be exchanged and refunded at all.
fn is_returnable(offer: &Offer) -> bool {
    products::reservation_rights(&offer.service, None).contains(&Right::Refund)
}

/// Everything that can be quoted for a holding at an instant, one commitment at a time: a refund, an exchange for each reservation and a
/// trade-in for each savings plan of the catalog that the rules allow, swaps of premium storage.
#[must_use]
pub fn quotes(holding: &Holding<'_>, catalog: &Catalog, at: DateTime<Utc>, assumptions: &Assumptions) -> Vec<Quote> {
    let current = rights::current_offer(holding.offer, catalog);
    let mut quotes: Vec<Quote> = refund::quote(holding, current, at, assumptions).into_iter().collect();
    let is_open = |action: Action| rights::allowed(holding, action, at, assumptions).is_ok();
    let (exchange, trade_in, swap) = (is_open(Action::Exchange), is_open(Action::TradeIn), is_open(Action::SwapStorage));
    for offer in catalog.offers().iter().filter(|offer| offer.provider == holding.offer.provider) {
        if exchange && offer.id != holding.offer.id && !offer.is_spend_plan() {
            quotes.extend(exchange::quote(&[(holding, current)], offer, at, assumptions));
        }
        if trade_in && offer.is_spend_plan() {
            quotes.extend(exchange::trade_in(&[(holding, current)], offer, at, assumptions));
        }
        if swap && offer.id != holding.offer.id {
            quotes.extend(exchange::swap_storage(holding, offer, catalog, at, assumptions));
        }
    }
    quotes
}
