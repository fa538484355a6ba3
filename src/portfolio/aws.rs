//! AWS: what can be done with Reserved Instances and Savings Plans.
//!
//! From the EC2 User Guide ("Modify Reserved Instances", "Exchange Convertible Reserved Instances", "Sell Reserved Instances in the Reserved
//! Instance Marketplace", "Buy Reserved Instances", "Reserved Instance limits") and the Savings Plans User Guide ("Returning a purchased
//! Savings Plan", "Quotas and restrictions", "Queuing a Savings Plan purchase"), editions read in 2026. Reserved nodes of other services
//! (databases, caches) can only lapse.

pub mod exchange;
pub mod modification;
pub mod resale;

use super::Scope;
use super::action::{Action, Because, Given, LimitUse, Quote, Received, Refusal, Relation, Test, Window};
use super::assumptions::{Assumptions, SellerOfRecord};
use super::holding::Holding;
use super::ledger::{Limit, Use};
use super::particulars::{PriceKind, UpfrontPayment};
use super::rights::{self, kind, last_instant};
use super::rule::Rule;
use crate::catalog::aws::{EC2, OfferingClass};
use crate::catalog::{Catalog, Lot, Offer, PaymentOption, Right};
use crate::time::Month;
use crate::units::{Money, MoneyPerHour};
use chrono::{DateTime, Duration, Months, Utc};
use rust_decimal::Decimal;

/// The most a Savings Plan may commit to an hour to be returned, in US dollars.
pub const RETURN_HOURLY: Decimal = Decimal::ONE_HUNDRED;
/// How long after its purchase a Savings Plan can be returned.
const RETURN_DAYS: i64 = 7;
/// How far ahead a purchase can be queued.
const QUEUE_DAYS: i64 = 3 * 365;

/// The class of an EC2 Reserved Instance; `None` for every other commitment.
#[must_use]
pub fn class(offer: &Offer) -> Option<OfferingClass> {
    if offer.is_spend_plan() || offer.service != EC2 || !offer.rights.contains(&Right::Modification) {
        return None;
    }
    let is_convertible = offer.rights.contains(&Right::Exchange);
    Some(if is_convertible { OfferingClass::Convertible } else { OfferingClass::Standard })
}

/// From when until when an action is allowed.
///
/// # Errors
/// The rule that forbids it at any time.
pub fn window(holding: &Holding<'_>, action: Action, assumptions: &Assumptions) -> Result<Window, Refusal> {
    let (commitment, offer) = (holding.commitment, holding.offer);
    let until = |until: DateTime<Utc>, rule: Rule| Window { from: commitment.start, until, rule };
    match action {
        Action::Modify | Action::Split | Action::Merge => {
            if class(offer).is_none() {
                return Err(fixed(offer, "it is no EC2 Reserved Instance"));
            }
            rights::require_settled(holding, Rule::AwsModify)?;
            Ok(until(last_instant(commitment.end), Rule::AwsModify))
        }
        Action::Exchange => {
            if class(offer) != Some(OfferingClass::Convertible) {
                let what = "it is no convertible Reserved Instance";
                return Err(if offer.is_spend_plan() { fixed(offer, what) } else { kind(Rule::AwsExchangeClass, what) });
            }
            rights::require_settled(holding, Rule::Active)?;
            Ok(until(commitment.end - Duration::hours(24), Rule::AwsExchangeLastDay))
        }
        Action::Sell => sale_window(holding, assumptions),
        Action::Return => return_window(holding, assumptions),
        Action::CancelQueued => {
            rights::require_settled(holding, Rule::Active)?;
            let from = holding.particulars.bought.unwrap_or(commitment.start - Duration::days(QUEUE_DAYS));
            Ok(Window { from, until: last_instant(commitment.start), rule: Rule::AwsQueue })
        }
        Action::Renew if matches!(commitment.scope, Scope::AvailabilityZone { .. }) => {
            Err(kind(Rule::AwsQueue, "the purchase of a zonal Reserved Instance cannot be queued"))
        }
        Action::Renew => {
            Ok(Window { from: commitment.end - Duration::days(QUEUE_DAYS), until: commitment.end, rule: Rule::AwsNoRenewal })
        }
        Action::StopRenewal => Err(kind(Rule::AwsNoRenewal, "AWS renews nothing by itself")),
        Action::Lapse => Ok(until(last_instant(commitment.end), Rule::AwsNoRenewal)),
        Action::PutBack => super::insured::window(holding, assumptions),
        Action::Refund | Action::TradeIn => Err(fixed(offer, "AWS refunds and trades in no commitment of this kind")),
        Action::ChangeScope | Action::SwapStorage | Action::Upgrade | Action::Extend | Action::ConvertModel => {
            Err(kind(Rule::NotOffered, "AWS has no such change"))
        }
    }
}

/// Refused, because commitments of this kind cannot be changed so.
fn fixed(offer: &Offer, what: &str) -> Refusal {
    kind(if offer.is_spend_plan() { Rule::AwsFixed } else { Rule::NotOffered }, what)
}

/// When a Reserved Instance can be sold.
fn sale_window(holding: &Holding<'_>, assumptions: &Assumptions) -> Result<Window, Refusal> {
    let (commitment, offer, particulars) = (holding.commitment, holding.offer, &holding.particulars);
    let rule = Rule::AwsMarketplaceClass;
    if offer.is_spend_plan() {
        return Err(fixed(offer, "Savings Plans cannot be sold"));
    }
    if class(offer) != Some(OfferingClass::Standard) || !offer.rights.contains(&Right::Resale) {
        return Err(kind(rule, "it is no standard EC2 Reserved Instance"));
    }
    if particulars.price == PriceKind::Discounted {
        return Err(kind(rule, "it was bought with a discount"));
    }
    if assumptions.aws.opt_in_regions.contains(&offer.region) {
        return Err(kind(rule, &format!("the region {} is disabled by default", offer.region)));
    }
    if assumptions.aws.seller_of_record == SellerOfRecord::India {
        return Err(kind(rule, "the seller of record is AWS India"));
    }
    if assumptions.aws.seller == super::assumptions::Seller::NotRegistered {
        return Err(kind(rule, "the account is not a registered seller"));
    }
    rights::require_settled(holding, Rule::Active)?;
    if particulars.upfront_payment == UpfrontPayment::Pending {
        return Err(kind(Rule::AwsMarketplaceTime, "its upfront payment has not been received"));
    }
    let from = (holding.bought() + Duration::days(30)).max(commitment.start);
    let until = commitment.end.checked_sub_months(Months::new(1)).unwrap_or(commitment.end);
    Ok(Window { from, until, rule: Rule::AwsMarketplaceTime })
}

/// When a Savings Plan can be returned. A plan that was queued is bought when it starts.
fn return_window(holding: &Holding<'_>, assumptions: &Assumptions) -> Result<Window, Refusal> {
    let (commitment, offer) = (holding.commitment, holding.offer);
    if !offer.is_spend_plan() || !offer.rights.contains(&Right::Refund) {
        return Err(kind(Rule::AwsReturnWindow, "it is no Savings Plan that may be returned"));
    }
    if commitment.quantity > RETURN_HOURLY {
        return Err(kind(Rule::AwsReturnAmount, &format!("it commits {} an hour", commitment.quantity)));
    }
    let has_upfront = offer.payment_option != PaymentOption::NoUpfront;
    if has_upfront && matches!(assumptions.aws.seller_of_record, SellerOfRecord::Brazil | SellerOfRecord::Turkey) {
        return Err(kind(Rule::AwsReturnSeller, "it has an upfront payment, and the seller of record is AWS Brazil or Turkey"));
    }
    rights::require_settled(holding, Rule::Active)?;
    let bought = commitment.start;
    let until = (bought + Duration::days(RETURN_DAYS)).min(last_instant(Month::containing(bought).next().start()));
    Ok(Window { from: bought, until, rule: Rule::AwsReturnWindow })
}

/// Everything that can be quoted for a holding at an instant, one commitment at a time: an exchange for each convertible offer of the catalog
/// that the rules allow, a sale, a return, the change of a zonal reservation to its region.
#[must_use]
pub fn quotes(holding: &Holding<'_>, catalog: &Catalog, at: DateTime<Utc>, assumptions: &Assumptions) -> Vec<Quote> {
    let mut quotes = Vec::new();
    if window(holding, Action::Exchange, assumptions).is_ok_and(|window| window.check(at).is_ok()) {
        // A catalog has many offers; what cannot be received is passed over before it is quoted.
        let own = holding.offer;
        let may_be = |offer: &&Offer| (&offer.region, offer.term) == (&own.region, own.term) && offer.id != own.id;
        let others = catalog.offers().iter().filter(may_be);
        quotes.extend(others.filter_map(|offer| exchange::quote(&[holding], offer, at, assumptions).ok()));
    }
    quotes.extend(resale::quote(holding, catalog, at, assumptions));
    quotes.extend(return_quote(holding, at, assumptions));
    quotes.extend(modification::to_region(holding, at, assumptions));
    quotes
}

/// What the return of a Savings Plan gives: its upfront payment in full; what it covered is charged anew.
///
/// # Errors
/// The rule that forbids it.
pub fn return_quote(holding: &Holding<'_>, at: DateTime<Utc>, assumptions: &Assumptions) -> Result<Quote, Refusal> {
    let window = rights::allowed(holding, Action::Return, at, assumptions)?;
    let whole = holding.commitment.quantity;
    let given = Given {
        lot: Lot { minimum: whole, increment: whole },
        cash: holding.offer.upfront,
        limits: vec![LimitUse {
            limit: Limit::SavingsPlanReturns,
            owner: assumptions.aws.account.clone(),
            for_each_unit: Decimal::ZERO,
            for_each_action: Decimal::ONE,
        }],
        ..rights::given(holding, at)
    };
    Ok(rights::without_receipt(Action::Return, at, window, given))
}

/// What the purchase of Reserved Instances takes of the monthly quota: regional ones by Region, zonal ones by availability zone. `None` for what
/// has no such quota.
#[must_use]
pub fn purchase_use(offer: &Offer, scope: &Scope, quantity: Decimal, at: DateTime<Utc>) -> Option<Use> {
    class(offer)?;
    let (limit, owner) = match scope {
        Scope::AvailabilityZone { availability_zone } => (Limit::ZonalPurchases, availability_zone),
        _ => (Limit::RegionalPurchases, &offer.region),
    };
    Some(Use { limit, owner: owner.clone(), at, amount: quantity })
}

/// Whether a purchase can be queued at an instant to start at another.
///
/// # Errors
/// [`Rule::AwsQueue`] for a zonal Reserved Instance and for a start more than three years ahead.
pub fn check_queue(scope: &Scope, at: DateTime<Utc>, start: DateTime<Utc>) -> Result<(), Refusal> {
    if matches!(scope, Scope::AvailabilityZone { .. }) {
        return Err(kind(Rule::AwsQueue, "the purchase of a zonal Reserved Instance cannot be queued"));
    }
    Window { from: at, until: at + Duration::days(QUEUE_DAYS), rule: Rule::AwsQueue }.check(start)
}
