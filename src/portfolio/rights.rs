//! What can be done with what is held: which actions are allowed at an instant, why not, until when, and what each gives and costs. Sends
//! each question to the provider's file.

use super::action::{Action, Because, Given, Permission, Quote, Received, Refusal, Relation, Test, Verdict, Window};
use super::assumptions::Assumptions;
use super::holding::Holding;
use super::ledger::{Ledger, Use};
use super::particulars::{Renewal, Status};
use super::rule::Rule;
use super::{Commitment, Portfolio, Scope, aws, azure, gcp, insured};
use crate::catalog::{Catalog, Lot, Offer};
use crate::error::Result;
use crate::usage::Provider;
use chrono::{DateTime, Duration, Utc};
use rust_decimal::Decimal;

/// From when until when an action is allowed, limits over several actions aside.
///
/// # Errors
/// The rule that forbids it at any time.
pub fn window(holding: &Holding<'_>, action: Action, assumptions: &Assumptions) -> Result<Window, Refusal> {
    if matches!(holding.particulars.status, Status::Retired | Status::PaymentFailed) {
        require_settled(holding, Rule::Active)?;
    }
    match holding.offer.provider {
        Provider::Aws => aws::window(holding, action, assumptions),
        Provider::Azure => azure::window(holding, action, assumptions),
        Provider::Gcp => gcp::window(holding, action, assumptions),
    }
}

/// The window of an action, if an instant lies in it.
///
/// # Errors
/// The rule that forbids it then.
pub fn allowed(holding: &Holding<'_>, action: Action, at: DateTime<Utc>, assumptions: &Assumptions) -> Result<Window, Refusal> {
    let window = window(holding, action, assumptions)?;
    window.check(at)?;
    Ok(window)
}

/// Every action on every commitment at an instant: allowed until when, or why not. By commitment, then action. Actions that take more of a
/// limit than the ledger has left for the least quantity are refused.
///
/// # Errors
/// As [`Portfolio::offer`].
pub fn permissions(
    portfolio: &Portfolio,
    catalog: &Catalog,
    at: DateTime<Utc>,
    assumptions: &Assumptions,
    ledger: &Ledger,
) -> Result<Vec<Permission>> {
    let mut permissions = Vec::new();
    for holding in portfolio.holdings(catalog)? {
        for action in Action::ALL {
            let verdict = allowed(&holding, action, at, assumptions)
                .and_then(|window| limits(&holding, action, at, assumptions, ledger).map(|()| window));
            permissions.push(Permission {
                commitment: holding.commitment.id.clone(),
                action,
                verdict: verdict.map_or_else(Verdict::Refused, Verdict::Allowed),
            });
        }
    }
    Ok(permissions)
}

/// Whether the least that an action can be done for is within the limits that are left.
fn limits(
    holding: &Holding<'_>,
    action: Action,
    at: DateTime<Utc>,
    assumptions: &Assumptions,
    ledger: &Ledger,
) -> Result<(), Refusal> {
    let quote = match action {
        Action::Return => aws::return_quote(holding, at, assumptions)?,
        Action::Refund => azure::refund::quote(holding, None, at, assumptions)?,
        // The price of a sale is the seller's; only the count is limited whatever it is.
        Action::Sell => aws::resale::quote_at(holding, crate::units::Money::ZERO, at, assumptions)?,
        _ => return Ok(()),
    };
    let least: Vec<Decimal> = quote.given.iter().map(|given| given.lot.minimum).collect();
    quote.uses(&least).iter().try_for_each(|used| ledger.check(used))
}

/// Everything that can be quoted at an instant, one commitment at a time, by commitment. Quotes of which the ledger has nothing left are
/// left out; how much can be taken of the others is for the caller to see, with [`Quote::uses`] and [`Ledger::left`].
///
/// # Errors
/// As [`Portfolio::offer`].
pub fn quotes(
    portfolio: &Portfolio,
    catalog: &Catalog,
    at: DateTime<Utc>,
    assumptions: &Assumptions,
    ledger: &Ledger,
) -> Result<Vec<Quote>> {
    let mut quotes = Vec::new();
    for holding in portfolio.holdings(catalog)? {
        let own = match holding.offer.provider {
            Provider::Aws => aws::quotes(&holding, catalog, at, assumptions),
            Provider::Azure => azure::quotes(&holding, catalog, at, assumptions),
            Provider::Gcp => gcp::quotes(&holding, catalog, at, assumptions),
        };
        quotes.extend(own);
        quotes.extend(insured::quote(&holding, at, assumptions));
    }
    let is_within = |quote: &Quote| {
        let least: Vec<Decimal> = quote.given.iter().map(|given| given.lot.minimum).collect();
        quote.uses(&least).iter().all(|used| ledger.check(used).is_ok())
    };
    quotes.retain(is_within);
    Ok(quotes)
}

/// The catalog's offer that is the same but for its price.
#[must_use]
pub fn current_offer<'a>(offer: &Offer, catalog: &'a Catalog) -> Option<&'a Offer> {
    let same = |other: &&Offer| {
        other.provider == offer.provider
            && other.service == offer.service
            && other.region == offer.region
            && other.benefit == offer.benefit
            && other.term == offer.term
            && other.payment_option == offer.payment_option
    };
    catalog.offer(&offer.id).or_else(|| catalog.offers().iter().find(same))
}

/// What a commitment that renews automatically is followed by: the same, at the catalog's price, from its end on. `None` if it does not renew,
/// or the catalog does not sell it any more.
#[must_use]
pub fn renewed(holding: &Holding<'_>, catalog: &Catalog) -> Option<Commitment> {
    let start = holding.commitment.end;
    let offer = current_offer(holding.offer, catalog).filter(|offer| offer.is_purchasable_on(start.date_naive()))?;
    (holding.renewal() == Renewal::Automatic).then(|| Commitment {
        id: format!("{}>renewal", holding.commitment.id),
        offer: offer.id.clone(),
        start,
        end: offer.term.end(start),
        ..holding.commitment.clone()
    })
}

impl Quote {
    /// What these quantities given up take of limits over several actions.
    #[must_use]
    pub fn uses(&self, quantities: &[Decimal]) -> Vec<Use> {
        let of = |(given, quantity): (&Given, &Decimal)| -> Vec<Use> {
            let amount = |each: Decimal, action: Decimal| each * *quantity + action;
            let uses = given.limits.iter().map(|limit| Use {
                limit: limit.limit,
                owner: limit.owner.clone(),
                at: self.at,
                amount: amount(limit.for_each_unit, limit.for_each_action),
            });
            uses.filter(|_| *quantity > Decimal::ZERO).collect()
        };
        self.given.iter().zip(quantities).flat_map(of).collect()
    }
}

/// The last second before an instant.
pub(super) fn last_instant(end: DateTime<Utc>) -> DateTime<Utc> {
    end - Duration::seconds(1)
}

/// Refused, because of what the commitment is.
pub(super) fn kind(rule: Rule, what: &str) -> Refusal {
    Refusal { rule, because: Because::Kind { what: what.to_owned() } }
}

/// Whether nothing is pending.
pub(super) fn require_settled(holding: &Holding<'_>, rule: Rule) -> Result<(), Refusal> {
    match holding.particulars.status {
        Status::Settled => Ok(()),
        status => Err(Refusal { rule, because: Because::Status { status } }),
    }
}

/// A unit of a holding given up for nothing: what falls away of it.
pub(super) fn given(holding: &Holding<'_>, at: DateTime<Utc>) -> Given {
    Given {
        commitment: holding.commitment.id.clone(),
        held: holding.commitment.quantity,
        lot: holding.offer.lot.unwrap_or_else(|| default_lot(holding.offer.is_spend_plan())),
        cash: crate::units::Money::ZERO,
        recurring: holding.offer.recurring,
        obligation: holding.obligation(at),
        prepaid: holding.prepaid_left(at),
        limits: Vec::new(),
    }
}

/// Whole reservations; thousandths of money an hour.
pub(super) fn default_lot(is_spend_plan: bool) -> Lot {
    let step = if is_spend_plan { Decimal::new(1, 3) } else { Decimal::ONE };
    Lot { minimum: step, increment: step }
}

/// A swap of one for one: what is received takes over what the old one still costs and its end.
pub(super) fn one_for_one(
    (action, rule): (Action, Rule),
    (at, window): (DateTime<Utc>, Window),
    (holding, effective): (&Holding<'_>, DateTime<Utc>),
    offer: &Offer,
    scope: Scope,
) -> Quote {
    let given = Given { cash: holding.prepaid_left(effective), ..given(holding, effective) };
    let even = Test { rule, relation: Relation::Equal, given: vec![Decimal::ONE], received: Decimal::ONE };
    let received = Received {
        offer: offer.id.clone(),
        upfront: given.prepaid,
        recurring: given.recurring,
        obligation: given.obligation,
        start: effective,
        end: holding.commitment.end,
        scope: Some(scope),
        lot: given.lot,
        tests: vec![even],
    };
    Quote { effective, received: Some(received), ..without_receipt(action, at, window, given) }
}

/// A quote in which nothing is received.
pub(super) fn without_receipt(action: Action, at: DateTime<Utc>, window: Window, given: Given) -> Quote {
    Quote { action, at, effective: at, deadline: window.until, given: vec![given], received: None, probability: 1.0 }
}
