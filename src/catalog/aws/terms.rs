//! Makes prices and offers of Price List terms, whichever file shape they were read from.

use super::{EC2, OfferingClass, TERMS, family, regions, reserved_instance_scopes, services};
use crate::catalog::draft::{Draft, Metered};
use crate::catalog::{Benefit, Lot, Offer, OnDemandPrice, Origin, PaymentOption, RejectionReason, ScopeKind};
use crate::time::Term;
use crate::units::{Money, MoneyPerHour, UnitPrice, Units};
use crate::usage::{Provider, Sku};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// A product of the list: its SKU and how a bill meters it.
#[derive(Clone, Debug)]
pub(super) struct Product {
    pub(super) provider_id: String,
    pub(super) sku: Sku,
    pub(super) usage_type: String,
    pub(super) operation: String,
}

/// A price dimension: unit, start of its range, price.
#[derive(Clone, Debug)]
pub(super) struct Dimension {
    pub(super) unit: String,
    pub(super) begin: Decimal,
    pub(super) price: Option<Decimal>,
}

/// The words of a reserved term.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lease {
    pub(super) length: String,
    pub(super) class: String,
    pub(super) purchase: String,
}

/// The identifier of a price in catalogs read from AWS sources, the same for all of them.
pub(super) fn price_id(sku: &Sku) -> String {
    let mut id = String::new();
    if sku.service != EC2 {
        id.push_str(&sku.service);
        id.push('/');
    }
    id.push_str(&sku.region);
    for part in [&sku.sku, &sku.platform] {
        if !part.is_empty() {
            id.push('/');
            id.push_str(part);
        }
    }
    if !sku.tenancy.is_empty() && sku.tenancy != "shared" {
        id.push('/');
        id.push_str(&sku.tenancy);
    }
    id
}

/// Adds the on-demand price of a product: of tiers the first one that costs something.
pub(super) fn add_on_demand(draft: &mut Draft, product: &Product, effective: Option<NaiveDate>, mut dimensions: Vec<Dimension>) {
    let id = price_id(&product.sku);
    let item = || format!("{id} ({})", product.provider_id);
    dimensions.sort_by_key(|dimension| dimension.begin);
    if dimensions.iter().any(|dimension| dimension.price.is_none()) {
        return draft.reject(item(), RejectionReason::UnreadablePrice);
    }
    let mut paid = dimensions.iter().filter(|dimension| dimension.price.is_some_and(|price| price > Decimal::ZERO));
    let Some(first) = paid.next().and_then(|dimension| dimension.price) else {
        return draft.reject(item(), RejectionReason::NoPrice);
    };
    draft.reject_many("further tiers of volume prices", RejectionReason::Superseded, u64::try_from(paid.count()).unwrap_or(0));
    let metered = Metered {
        service: product.sku.service.clone(),
        region: product.sku.region.clone(),
        usage_type: regions::without_prefix(&product.usage_type).into(),
        operation: product.operation.clone(),
    };
    let price = on_demand(
        &product.sku,
        UnitPrice::new(first.normalize()),
        &product.provider_id,
        origin(effective),
        draft.origin.price_date,
    );
    draft.metered_price(metered, price);
}

/// The on-demand price of a SKU, with its family and the pools of the rules of a day.
pub(super) fn on_demand(sku: &Sku, price: UnitPrice, provider_id: &str, origin: Origin, day: Option<NaiveDate>) -> OnDemandPrice {
    OnDemandPrice {
        id: price_id(sku),
        family: if sku.unit == super::INSTANCE_HOUR { family(&sku.sku).into() } else { String::new() },
        pools: services::pools(sku, day),
        sku: sku.clone(),
        price,
        provider_id: provider_id.into(),
        list_price: None,
        origin,
    }
}

/// Adds the offer of a reserved term.
pub(super) fn add_reserved(
    draft: &mut Draft,
    product: &Product,
    term_code: &str,
    effective: Option<NaiveDate>,
    lease: &Lease,
    dimensions: &[Dimension],
) {
    let id = price_id(&product.sku);
    let provider_id = format!("{}.{term_code}", product.provider_id);
    let item = || format!("{id} ({provider_id}): {} {} {}", lease.length, lease.class, lease.purchase);
    let (Some((years, term)), Some(payment_option)) = (lease.term(), lease.payment_option()) else {
        return draft.reject(item(), RejectionReason::UnknownTerms);
    };
    let Some(class) = lease.class() else {
        return draft.reject(item(), RejectionReason::UnknownTerms);
    };
    let (mut upfront, mut recurring) = (Decimal::ZERO, Decimal::ZERO);
    for dimension in dimensions {
        let Some(price) = dimension.price else {
            return draft.reject(item(), RejectionReason::UnreadablePrice);
        };
        if dimension.unit == "Quantity" { upfront += price } else { recurring += price }
    }
    if upfront.is_zero() && recurring.is_zero() {
        return draft.reject(item(), RejectionReason::NoPrice);
    }
    let origin = origin(effective);
    let kind = class.map_or(String::new(), |class| format!("{}-", class.as_str()));
    let offer_id = format!("ri/{id}/{years}y-{kind}{}", payment_option.slug());
    let offer = reservation(
        &product.sku,
        class,
        (term, payment_option),
        (upfront.normalize(), recurring.normalize()),
        draft.origin.price_date,
    );
    draft.offer(Offer { id: offer_id, provider_id, origin, ..offer });
}

/// A reservation of a SKU, with the scopes and rights of its service; identifiers are left to the caller.
pub(super) fn reservation(
    sku: &Sku,
    class: Option<OfferingClass>,
    lease: (Term, PaymentOption),
    price: (Decimal, Decimal),
    day: Option<NaiveDate>,
) -> Offer {
    let pool = services::pools(sku, day).into_iter().next();
    let benefit = Benefit::Reservation { sku: price_id(sku), pool };
    reservation_of(sku, benefit, class, lease, price)
}

/// As [`reservation`], where the caller knows already what is covered.
pub(super) fn reservation_of(
    sku: &Sku,
    mut benefit: Benefit,
    class: Option<OfferingClass>,
    (term, payment_option): (Term, PaymentOption),
    (upfront, recurring): (Decimal, Decimal),
) -> Offer {
    let block = services::block(sku);
    if let (Benefit::Reservation { pool: Some(pool), .. }, Some(block)) = (&mut benefit, block) {
        pool.units = Units::new(block);
    }
    Offer {
        id: String::new(),
        provider: Provider::Aws,
        service: sku.service.clone(),
        region: sku.region.clone(),
        benefit,
        term,
        payment_option,
        upfront: Money::new(upfront),
        recurring: MoneyPerHour::new(recurring),
        scopes: if sku.service == EC2 { reserved_instance_scopes() } else { BTreeSet::from([ScopeKind::Region]) },
        rights: class.filter(|_| sku.service == EC2).map_or_else(BTreeSet::new, OfferingClass::rights),
        purchasable_from: None,
        purchasable_until: None,
        derived: block.map_or(String::new(), |units| format!("the price is that of a block of {units} units")),
        lot: Some(Lot { minimum: Decimal::ONE, increment: Decimal::ONE }),
        provider_id: String::new(),
        origin: Origin::default(),
    }
}

/// The file's source, and the term's own date.
fn origin(effective: Option<NaiveDate>) -> Origin {
    Origin { source: String::new(), price_date: effective }
}

/// The day of a time such as `2021-02-01T00:00:00Z`; AWS writes it with and without time.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    text.get(..10)?.parse().ok()
}

impl Lease {
    fn term(&self) -> Option<(u32, Term)> {
        let years = self.length.strip_suffix("yr").or_else(|| self.length.strip_suffix(" yr"))?.trim();
        TERMS.iter().find(|(count, _)| years == count.to_string()).copied()
    }

    /// The class; `Some(None)` for services that have none.
    #[allow(clippy::option_option)]
    fn class(&self) -> Option<Option<OfferingClass>> {
        match self.class.as_str() {
            "standard" | "Standard" => Some(Some(OfferingClass::Standard)),
            "convertible" | "Convertible" => Some(Some(OfferingClass::Convertible)),
            "" => Some(None),
            _ => None,
        }
    }

    fn payment_option(&self) -> Option<PaymentOption> {
        payment_option(&self.purchase)
    }
}

/// A payment option in AWS's words.
pub(super) fn payment_option(text: &str) -> Option<PaymentOption> {
    match text {
        "No Upfront" => Some(PaymentOption::NoUpfront),
        "Partial Upfront" => Some(PaymentOption::PartialUpfront),
        "All Upfront" => Some(PaymentOption::AllUpfront),
        _ => None,
    }
}

/// A decimal number as price files write it: plain, or with an exponent; without trailing zeros.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    // Cutting zeros off the text is much faster than dividing the number by ten again and again.
    let short = if text.contains('.') && !text.contains(['e', 'E']) { text.trim_end_matches('0') } else { text };
    let short = short.strip_suffix('.').unwrap_or(short);
    short.parse().ok().or_else(|| Decimal::from_scientific(text).ok().map(|value| value.normalize()))
}
