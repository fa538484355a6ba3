//! Google Cloud: what can be done with committed use discounts.
//!
//! From the Compute Engine documentation ("Merge and split commitments", "Upgrade the term of commitments", "Extend the term length of
//! commitments", "Renew commitments automatically") and Cloud Billing's ("Committed use discounts", "Spend-based CUD data model updates").
//! Nothing is ever refunded or cancelled. What a change makes is in force at 12 AM Pacific of the next day.

use super::action::{Action, Because, Given, Quote, Received, Refusal, Relation, Test, Window};
use super::assumptions::Assumptions;
use super::holding::Holding;
use super::particulars::{Attachment, Renewal};
use super::rights::{self, kind, last_instant};
use super::rule::Rule;
use crate::catalog::gcp::COMPUTE_ENGINE;
use crate::catalog::{Benefit, Catalog, Lot, Offer, Right};
use crate::time::{Hour, Term, pacific};
use crate::units::{Money, MoneyPerHour};
use chrono::{DateTime, Months, Utc};
use rust_decimal::Decimal;

/// The terms of one year and of three.
const YEAR: Term = Term::Months(12);
const THREE_YEARS: Term = Term::Months(36);

/// Whether it is a resource-based commitment of hardware.
fn is_hardware(offer: &Offer) -> bool {
    !offer.is_spend_plan() && offer.service == COMPUTE_ENGINE
}

/// From when until when an action is allowed.
///
/// # Errors
/// The rule that forbids it at any time.
pub fn window(holding: &Holding<'_>, action: Action, assumptions: &Assumptions) -> Result<Window, Refusal> {
    let (commitment, offer) = (holding.commitment, holding.offer);
    let within = |rule: Rule| {
        rights::require_settled(holding, Rule::Active)?;
        Ok(Window { from: commitment.start, until: last_instant(commitment.end), rule })
    };
    let hardware = |rule: Rule| match is_hardware(offer) {
        true => Ok(rule),
        false if offer.is_spend_plan() => Err(kind(Rule::GoogleFixed, "it is a spend-based commitment")),
        false => Err(kind(Rule::GoogleLicence, "it is a commitment for licences")),
    };
    match action {
        Action::Merge => hardware(Rule::GoogleMerge).and_then(within),
        Action::Split => {
            let rule = hardware(Rule::GoogleSplit)?;
            let is_attached = holding.particulars.attachment == Attachment::Reservations;
            if is_attached || !offer.rights.contains(&Right::Modification) {
                return Err(kind(rule, "reservations are attached to it"));
            }
            within(rule)
        }
        Action::Upgrade => {
            let rule = hardware(Rule::GoogleUpgrade)?;
            if offer.term != YEAR {
                return Err(kind(rule, &format!("its term is {}", offer.term)));
            }
            within(rule)
        }
        Action::Extend => {
            let rule = hardware(Rule::GoogleExtend)?;
            let open = commitment.start.checked_add_months(Months::new(12)).unwrap_or(commitment.end);
            let window = within(rule)?;
            Ok(Window { until: window.until.min(last_instant(open)), ..window })
        }
        Action::Renew | Action::StopRenewal => {
            let rule = hardware(Rule::GoogleRenewal)?;
            if action == Action::StopRenewal && holding.renewal() == Renewal::Off {
                return Err(kind(rule, "it does not renew"));
            }
            let day = pacific::midnight(pacific::day(Hour::containing(commitment.end)));
            let window = within(rule)?;
            Ok(Window { until: last_instant(day), ..window })
        }
        Action::ConvertModel if !offer.is_spend_plan() => Err(kind(Rule::GoogleModel, "it is a resource-based commitment")),
        Action::ConvertModel if offer.recurring == MoneyPerHour::new(Decimal::ONE) => {
            Err(kind(Rule::GoogleModel, "its amount is discounted money already"))
        }
        Action::ConvertModel => within(Rule::GoogleModel),
        Action::Lapse => within(Rule::End),
        Action::PutBack => super::insured::window(holding, assumptions),
        Action::Modify
        | Action::ChangeScope
        | Action::Exchange
        | Action::SwapStorage
        | Action::TradeIn
        | Action::Sell
        | Action::Return
        | Action::Refund
        | Action::CancelQueued => Err(kind(Rule::GoogleFixed, "Google has no such action")),
    }
}

/// Everything that can be quoted for a holding at an instant: an upgrade to three years, and the change of a legacy amount.
#[must_use]
pub fn quotes(holding: &Holding<'_>, catalog: &Catalog, at: DateTime<Utc>, assumptions: &Assumptions) -> Vec<Quote> {
    let (mut quotes, own) = (Vec::new(), holding.offer);
    for offer in catalog.offers().iter().filter(|offer| (offer.provider, &offer.region) == (own.provider, &own.region)) {
        quotes.extend(upgrade(holding, offer, at, assumptions));
        quotes.extend(convert_model(holding, offer, at, assumptions));
    }
    quotes
}

/// The upgrade of a one-year commitment to a three-year offer for the same resource: the whole commitment, from 12 AM Pacific of the next day
/// on, until two years after its end. The offer should be of the price list of the day on which the term began.
///
/// # Errors
/// The rule that forbids it.
pub fn upgrade(holding: &Holding<'_>, offer: &Offer, at: DateTime<Utc>, assumptions: &Assumptions) -> Result<Quote, Refusal> {
    let window = rights::allowed(holding, Action::Upgrade, at, assumptions)?;
    let (old, rule) = (holding.offer, Rule::GoogleUpgrade);
    let same = (old.provider, &old.service, &old.region, &old.benefit)
        == (offer.provider, &offer.service, &offer.region, &offer.benefit);
    if !same || offer.term != THREE_YEARS {
        return Err(kind(rule, "what is received is not the same resource for three years"));
    }
    let effective = pacific::resource_commitment_start(at);
    let end = upgraded_end(holding.commitment.end);
    Ok(replace(holding, Action::Upgrade, offer, at, effective, end, window))
}

/// When an upgraded commitment ends: two years later.
#[must_use]
pub fn upgraded_end(end: DateTime<Utc>) -> DateTime<Utc> {
    later(end, 24)
}

/// A number of months later at 12 AM Pacific, where the commitment ends at 12 AM Pacific; at the same time UTC otherwise.
fn later(end: DateTime<Utc>, months: u32) -> DateTime<Utc> {
    let day = pacific::day(Hour::containing(end));
    if pacific::midnight(day) == end {
        let day = day.checked_add_months(Months::new(months)).unwrap_or(day);
        return pacific::midnight(day);
    }
    end.checked_add_months(Months::new(months)).unwrap_or(end)
}

/// A later end for a commitment at its price, in force from 12 AM Pacific of the next day on.
///
/// # Errors
/// The rule that forbids it: an end that is not between the term and three years (of one year) or six (of three).
pub fn extend(holding: &Holding<'_>, end: DateTime<Utc>, at: DateTime<Utc>, assumptions: &Assumptions) -> Result<Quote, Refusal> {
    let window = rights::allowed(holding, Action::Extend, at, assumptions)?;
    let (shortest, longest) = if holding.offer.term == THREE_YEARS { (36, 72) } else { (12, 36) };
    let (from, until) = (later(holding.commitment.start, shortest), later(holding.commitment.start, longest));
    if end <= from || end <= holding.commitment.end {
        return Err(Refusal { rule: Rule::GoogleExtend, because: Because::Before { from } });
    }
    if end >= until {
        return Err(Refusal { rule: Rule::GoogleExtend, because: Because::After { until } });
    }
    let effective = pacific::resource_commitment_start(at);
    Ok(replace(holding, Action::Extend, holding.offer, at, effective, end, window))
}

/// The amount of a legacy spend-based commitment in discounted money: the fee of an hour stays.
///
/// # Errors
/// The rule that forbids it.
pub fn convert_model(
    holding: &Holding<'_>,
    offer: &Offer,
    at: DateTime<Utc>,
    assumptions: &Assumptions,
) -> Result<Quote, Refusal> {
    let window = rights::allowed(holding, Action::ConvertModel, at, assumptions)?;
    let old = holding.offer;
    let plan = |offer: &Offer| match &offer.benefit {
        Benefit::SpendPlan { plan, family, .. } => Some((plan.clone(), family.clone())),
        Benefit::Reservation { .. } => None,
    };
    let same = (old.provider, &old.region, old.term, plan(old)) == (offer.provider, &offer.region, offer.term, plan(offer));
    if !same || offer.recurring != MoneyPerHour::new(Decimal::ONE) {
        return Err(kind(Rule::GoogleModel, "what is received is not the same commitment in discounted money"));
    }
    let effective = Hour::containing(at).plus(1).start();
    let mut quote = replace(holding, Action::ConvertModel, offer, at, effective, holding.commitment.end, window);
    if let Some(received) = &mut quote.received {
        // No lot: whatever the old amount gives.
        received.lot = Lot { minimum: Decimal::ZERO, increment: Decimal::ZERO };
        for test in &mut received.tests {
            test.given = vec![old.recurring.value()];
            test.received = offer.recurring.value();
        }
    }
    Ok(quote)
}

/// A whole commitment in place of another of the same quantity.
fn replace(
    holding: &Holding<'_>,
    action: Action,
    offer: &Offer,
    at: DateTime<Utc>,
    effective: DateTime<Utc>,
    end: DateTime<Utc>,
    window: Window,
) -> Quote {
    let whole = Lot { minimum: holding.commitment.quantity, increment: holding.commitment.quantity };
    let given = Given { lot: whole, obligation: holding.obligation(effective), ..rights::given(holding, at) };
    let hours = Hour::containing(end).since_epoch() - Hour::containing(effective).since_epoch();
    let received = Received {
        offer: offer.id.clone(),
        upfront: Money::ZERO,
        recurring: offer.recurring,
        obligation: offer.recurring.over_hours(Decimal::from(hours.max(0))),
        start: effective,
        end,
        scope: Some(holding.commitment.scope.clone()),
        lot: whole,
        tests: vec![Test { rule: window.rule, relation: Relation::Equal, given: vec![Decimal::ONE], received: Decimal::ONE }],
    };
    let quote = rights::without_receipt(action, at, window, given);
    Quote { effective, received: Some(received), ..quote }
}

/// Whether commitments can be merged, and when the result ends: one project, region, series, resource and term; the latest of their ends.
///
/// # Errors
/// The rule that forbids it.
pub fn merged_end(holdings: &[&Holding<'_>], at: DateTime<Utc>, assumptions: &Assumptions) -> Result<DateTime<Utc>, Refusal> {
    for holding in holdings {
        rights::allowed(holding, Action::Merge, at, assumptions)?;
    }
    for pair in holdings.windows(2) {
        let key = |holding: &Holding<'_>| {
            let (held, offer) = (holding.commitment, holding.offer);
            (held.account.clone(), held.scope.clone(), offer.region.clone(), offer.benefit.clone(), offer.term)
        };
        if key(pair[0]) != key(pair[1]) {
            let because = Because::Differ {
                what: "the project, region, series, resource or term",
                left: format!("{} ({})", pair[0].offer.id, pair[0].commitment.account),
                right: format!("{} ({})", pair[1].offer.id, pair[1].commitment.account),
            };
            return Err(Refusal { rule: Rule::GoogleMerge, because });
        }
    }
    let end = holdings.iter().map(|holding| holding.commitment.end).max();
    end.filter(|_| holdings.len() > 1).ok_or_else(|| kind(Rule::GoogleMerge, "there are not several to merge"))
}

/// The instant at which merges, splits, upgrades and extensions asked for at another are in force.
#[must_use]
pub fn effective(at: DateTime<Utc>) -> DateTime<Utc> {
    pacific::resource_commitment_start(at)
}
