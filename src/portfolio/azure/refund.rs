//! Refund of Azure reservations: prorated by days in UTC at the lower of two prices, less a fee, within USD 50,000 of cancelled commitment in
//! any 12 months.

use super::*;
use crate::portfolio::ledger::Ledger;
use chrono::Duration;

/// What of a price is refunded: the lower of the price paid and the current price, as a share of the price paid. 1 without a current price.
#[must_use]
pub fn price_share(offer: &Offer, current: Option<&Offer>) -> Decimal {
    let (paid, now) = (lifetime_commitment(offer), current.map(lifetime_commitment));
    match now {
        Some(now) if now < paid && paid > Money::ZERO => now.value() / paid.value(),
        _ => Decimal::ONE,
    }
}

/// One unit returned: its refund, and what falls away. Of an exchange or a trade-in neither fee nor limit applies.
pub(super) fn returned(
    holding: &Holding<'_>,
    current: Option<&Offer>,
    at: DateTime<Utc>,
    assumptions: &Assumptions,
) -> (Given, Residual) {
    let left = residual(holding, at, assumptions.azure.proration);
    let cash = left.prepaid * price_share(holding.offer, current);
    let given = Given { cash, obligation: left.unpaid, prepaid: left.prepaid, ..rights::given(holding, at) };
    (given, left)
}

/// What the refund of a reservation gives; `current` is the offer at its current price, if it is still sold.
///
/// # Errors
/// The rule that forbids it. How much of the limit is left is for the ledger to say.
pub fn quote(
    holding: &Holding<'_>,
    current: Option<&Offer>,
    at: DateTime<Utc>,
    assumptions: &Assumptions,
) -> Result<Quote, Refusal> {
    let window = rights::allowed(holding, Action::Refund, at, assumptions)?;
    let (given, left) = returned(holding, current, at, assumptions);
    let given = Given {
        cash: given.cash - left.total() * assumptions.azure.early_termination_fee,
        limits: vec![LimitUse {
            limit: Limit::Refunds,
            owner: assumptions.azure.billing_scope.clone(),
            for_each_unit: left.total().value() * assumptions.azure.usd_rate,
            for_each_action: Decimal::ZERO,
        }],
        ..given
    };
    Ok(rights::without_receipt(Action::Refund, at, window, given))
}

/// The first day, as its first instant, on which a whole commitment can be refunded within what the ledger has left then: a commitment of
/// more than the limit has to be paid down first. `None` if there is no such day before its end.
#[must_use]
pub fn refundable_from(
    holding: &Holding<'_>,
    from: DateTime<Utc>,
    assumptions: &Assumptions,
    ledger: &Ledger,
) -> Option<DateTime<Utc>> {
    let mut at = from.max(holding.commitment.start);
    while at < holding.commitment.end {
        let uses = quote(holding, None, at, assumptions).map(|quote| quote.uses(&[holding.commitment.quantity]));
        if uses.is_ok_and(|uses| uses.iter().all(|used| ledger.check(used).is_ok())) {
            return Some(at);
        }
        let midnight = at.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
        at = midnight + Duration::days(1);
    }
    None
}
