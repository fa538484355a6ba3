//! Modification of Reserved Instances: sizes, scope, split and merge, at the same footprint.

use super::*;
use crate::catalog::aws::{family, pool, size_flexibility};
use crate::catalog::{Benefit, OnDemandPrice, PoolUnits};
use crate::portfolio::replacement::Replacement;
use crate::portfolio::{Commitment, Particulars};
use crate::time::Hour;
use crate::units::Units;
use chrono::NaiveDate;

/// So many instances of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// The instance type.
    pub instance_type: String,
    /// How many, a whole number.
    pub count: Decimal,
}

/// What a modification makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Target<'a> {
    /// The SKU reserved, as the catalog prices it.
    pub price: &'a OnDemandPrice,
    /// How many.
    pub count: Decimal,
    /// Where they apply.
    pub scope: Scope,
}

/// The footprint: the sum of count times normalisation factor, by the edition of a day.
///
/// # Errors
/// [`Because::Kind`] for a type without factor, [`Because::Quantity`] for a count that is not a whole number above 0.
pub fn footprint(sizes: &[Size], day: Option<NaiveDate>) -> Result<Units, Refusal> {
    let mut sum = Decimal::ZERO;
    for size in sizes {
        if size.count <= Decimal::ZERO || !size.count.fract().is_zero() {
            let because = Because::Quantity { quantity: size.count, wanted: "whole instances".into() };
            return Err(Refusal { rule: Rule::Lot, because });
        }
        let factor = size_flexibility::edition(day).factor(&size.instance_type);
        let missing = || kind(Rule::AwsModifySize, &format!("{} has no normalisation factor", size.instance_type));
        sum += size.count * factor.ok_or_else(missing)?;
    }
    Ok(Units::new(sum))
}

/// Whether sizes can be changed into others: one family with size flexibility, the same footprint.
///
/// # Errors
/// [`Rule::AwsModifySize`], [`Rule::AwsModifyFootprint`].
pub fn resize(from: &[Size], into: &[Size], day: Option<NaiveDate>) -> Result<Units, Refusal> {
    let edition = size_flexibility::edition(day);
    let Some(first) = from.first() else { return Err(kind(Rule::AwsModifySize, "nothing is given up")) };
    for size in from.iter().chain(into) {
        if family(&size.instance_type) != family(&first.instance_type) {
            let because = Because::Differ {
                what: "the family",
                left: family(&first.instance_type).to_owned(),
                right: family(&size.instance_type).to_owned(),
            };
            return Err(Refusal { rule: Rule::AwsModifySize, because });
        }
        let is_resized = into.iter().chain(from).any(|other| other.instance_type != size.instance_type);
        if is_resized && (edition.is_excluded(&size.instance_type) || size.instance_type == "t1.micro") {
            let what = format!("{} has no size flexibility", size.instance_type);
            return Err(kind(Rule::AwsModifySize, &what));
        }
    }
    let (before, after) = (footprint(from, day)?, footprint(into, day)?);
    if before == after {
        return Ok(before);
    }
    let because = Because::Value { relation: Relation::Equal, required: before.value(), received: after.value() };
    Err(Refusal { rule: Rule::AwsModifyFootprint, because })
}

/// Modifies quantities of one or several Reserved Instances into targets. The identifiers of the new commitments are the first old one's with
/// `/1`, `/2` ..., their fees those of the old ones by footprint. It holds from the start of the clock hour of the request.
///
/// # Errors
/// The rule that forbids it.
pub fn modify(
    given: &[(&Holding<'_>, Decimal)],
    into: &[Target<'_>],
    catalog: &Catalog,
    at: DateTime<Utc>,
    assumptions: &Assumptions,
) -> Result<Replacement, Refusal> {
    let mut from = Vec::new();
    let mut skus = Vec::new();
    for (holding, quantity) in given {
        rights::allowed(holding, Action::Modify, at, assumptions)?;
        if *quantity > holding.commitment.quantity {
            let wanted = format!("no more than {}", holding.commitment.quantity);
            return Err(Refusal { rule: Rule::Lot, because: Because::Quantity { quantity: *quantity, wanted } });
        }
        let price = reserved(holding, catalog)?;
        from.push(Size { instance_type: price.sku.sku.clone(), count: *quantity });
        skus.push(price);
    }
    let Some(((first, _), sku)) = given.first().zip(skus.first()) else {
        return Err(kind(Rule::AwsModify, "nothing is given up"));
    };
    together(given)?;
    let sizes: Vec<Size> =
        into.iter().map(|target| Size { instance_type: target.price.sku.sku.clone(), count: target.count }).collect();
    let is_resized = from.iter().chain(&sizes).any(|size| size.instance_type != sku.sku.sku);
    for other in skus.iter().copied().chain(into.iter().map(|target| target.price)) {
        if (&other.sku.region, &other.sku.platform, &other.sku.tenancy) != (&sku.sku.region, &sku.sku.platform, &sku.sku.tenancy)
        {
            return Err(differ("the platform, tenancy or Region", &sku.sku.to_string(), &other.sku.to_string()));
        }
        if is_resized && pool(&other.sku, Some(at.date_naive())).is_none() {
            return Err(kind(Rule::AwsModifySize, &format!("{} has no size flexibility", other.sku)));
        }
    }
    let day = Some(at.date_naive());
    let footprint = resize(&from, &sizes, day)?;
    let effective = Hour::containing(at).start();
    let end = given.iter().map(|(holding, _)| holding.commitment.end).max().unwrap_or(first.commitment.end);
    let combined = combine(given, footprint, effective);
    let mut offers = Vec::new();
    let mut commitments = Vec::new();
    for (index, target) in into.iter().enumerate() {
        let factor = size_flexibility::edition(day).factor(&target.price.sku.sku).unwrap_or(Decimal::ONE);
        let offer = resized(&combined, target, factor, day);
        commitments.push(Commitment {
            id: format!("{}/{}", first.commitment.id, index + 1),
            offer: offer.id.clone(),
            quantity: target.count,
            start: effective,
            end,
            account: first.commitment.account.clone(),
            scope: target.scope.clone(),
        });
        offers.push(offer);
    }
    let retired = given.iter().map(|(holding, quantity)| (holding.commitment.id.clone(), *quantity)).collect();
    let bought = given.iter().map(|(holding, _)| holding.bought()).max();
    let particulars =
        |made: &Commitment| Particulars { commitment: made.id.clone(), bought, ..first.particulars.clone().into_owned() };
    let particulars = commitments.iter().map(particulars).collect();
    Ok(Replacement { action: Action::Modify, effective, retired, offers, commitments, particulars })
}

/// What can be modified together: one class, one account, and for standard ones one hour of expiry.
fn together(given: &[(&Holding<'_>, Decimal)]) -> Result<(), Refusal> {
    for pair in given.windows(2) {
        let (left, right) = (pair[0].0, pair[1].0);
        if class(left.offer) != class(right.offer) {
            let name = |offer: &Offer| class(offer).map_or("none", OfferingClass::as_str);
            return Err(differ("the class", name(left.offer), name(right.offer)));
        }
        let hour = |holding: &Holding<'_>| Hour::containing(holding.commitment.end);
        if class(left.offer) == Some(OfferingClass::Standard) && hour(left) != hour(right) {
            return Err(differ("the hour of expiry", &hour(left).to_string(), &hour(right).to_string()));
        }
        if left.commitment.account != right.commitment.account {
            return Err(differ("the account", &left.commitment.account, &right.commitment.account));
        }
    }
    Ok(())
}

/// One offer for one unit of footprint with the fees of all that is given up: for one source its own fees, for several their sum with the
/// longest term, the latest end and the prepaid value of the day.
fn combine(given: &[(&Holding<'_>, Decimal)], footprint: Units, at: DateTime<Utc>) -> Offer {
    let longest = given.iter().map(|(holding, _)| holding).max_by_key(|holding| holding.offer.term.list_hours());
    let Some(longest) = longest else { return given[0].0.offer.clone() };
    let sum = |amount: &dyn Fn(&Holding<'_>) -> Decimal| -> Decimal {
        given.iter().map(|(holding, quantity)| amount(holding) * *quantity).sum()
    };
    let end = given.iter().map(|(holding, _)| holding.commitment.end).max().unwrap_or(longest.commitment.end);
    let is_alike = |holding: &Holding<'_>| holding.offer.term == longest.offer.term && holding.commitment.end == end;
    let upfront = if given.iter().all(|(holding, _)| is_alike(holding)) {
        sum(&|holding| holding.offer.upfront.value())
    } else {
        let hours = Hour::containing(end).since_epoch() - Hour::containing(at).since_epoch();
        let share = Decimal::from(hours.max(0)) / longest.offer.term.list_hours();
        let prepaid = sum(&|holding| holding.prepaid_left(at).value());
        if share.is_zero() { Decimal::ZERO } else { prepaid / share }
    };
    Offer {
        upfront: Money::new(upfront / footprint.value()),
        recurring: MoneyPerHour::new(sum(&|holding| holding.offer.recurring.value()) / footprint.value()),
        ..longest.offer.clone()
    }
}

/// The offer of a target, from the offer of one unit of footprint.
fn resized(unit: &Offer, target: &Target<'_>, factor: Decimal, day: Option<NaiveDate>) -> Offer {
    let is_flexible = matches!(&unit.benefit, Benefit::Reservation { pool: Some(_), .. });
    let pool: Option<PoolUnits> = if is_flexible { pool(&target.price.sku, day) } else { None };
    let upfront = unit.upfront * factor;
    let recurring = unit.recurring * factor;
    Offer {
        id: format!("modified/{}/{}+{}", target.price.id, upfront.value().normalize(), recurring.value().normalize()),
        benefit: Benefit::Reservation { sku: target.price.id.clone(), pool },
        upfront,
        recurring,
        derived: "modified: the fees of the original by footprint".into(),
        provider_id: String::new(),
        ..unit.clone()
    }
}

/// The price of the SKU that a Reserved Instance reserves.
fn reserved<'a>(holding: &Holding<'_>, catalog: &'a Catalog) -> Result<&'a OnDemandPrice, Refusal> {
    let Benefit::Reservation { sku, .. } = &holding.offer.benefit else {
        return Err(kind(Rule::AwsModify, "it is no reservation"));
    };
    catalog.price_with_id(sku).ok_or_else(|| kind(Rule::AwsModify, &format!("the catalog has no price {sku}")))
}

/// The change of a zonal Reserved Instance to its region: free, from the start of this hour on, and reversible.
///
/// # Errors
/// The rule that forbids it.
pub fn to_region(holding: &Holding<'_>, at: DateTime<Utc>, assumptions: &Assumptions) -> Result<Quote, Refusal> {
    let window = rights::allowed(holding, Action::Modify, at, assumptions)?;
    if holding.commitment.scope == Scope::Region {
        return Err(kind(Rule::AwsModify, "it is regional"));
    }
    let effective = Hour::containing(at).start().max(holding.commitment.start);
    let rule = (Action::Modify, Rule::AwsModifyFootprint);
    Ok(rights::one_for_one(rule, (at, window), (holding, effective), holding.offer, Scope::Region))
}

fn differ(what: &'static str, left: &str, right: &str) -> Refusal {
    let because = Because::Differ { what, left: left.to_owned(), right: right.to_owned() };
    Refusal { rule: Rule::AwsModifyTogether, because }
}
