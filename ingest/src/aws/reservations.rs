//! Reserved Instances held, from their monthly fee rows (RIFee) and the usage rows that name them.
//!
//! Columns: Cost and Usage Report User Guide, "Reservation details". A fee row has a usage type of its own, `HeavyUsage:t2.micro`, and stands
//! on the owner's account; class, payment option and term stand on the covered usage.

use super::Note;
use super::sku::{Words, sku};
use crate::UnknownSkus;
use crate::error::{Error, Result};
use crate::session::{Rows, Session, decimal, instant};
use chrono::{DateTime, Duration, Utc};
use covermix::catalog::aws::{OfferingClass, pool, reserved_instance_scopes};
use covermix::catalog::{Benefit, Catalog, Offer, PaymentOption, Right};
use covermix::portfolio::{Commitment, Scope};
use covermix::time::Term;
use covermix::units::{Money, MoneyPerHour};
use covermix::usage::{Provider, Sku};
use covermix::{Problem, error};
use datafusion::arrow::array::Array;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// Reserved Instances bought in one purchase, as the bill describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservedInstances {
    /// The lease's ARN.
    pub arn: String,
    /// The account that owns them.
    pub account: String,
    /// What is reserved.
    pub sku: Sku,
    /// How many.
    pub quantity: Decimal,
    /// The zone; empty for regional ones.
    pub availability_zone: String,
    /// When they start.
    pub start: DateTime<Utc>,
    /// When they end: the first instant without them.
    pub end: DateTime<Utc>,
    /// The term they were bought for.
    pub term: Term,
    /// Standard or convertible; `None` if the bill does not say.
    pub class: Option<OfferingClass>,
    /// When they are paid.
    pub payment_option: PaymentOption,
    /// Upfront fee of one.
    pub upfront: Money,
    /// Fee of one for every hour.
    pub recurring: MoneyPerHour,
}

const QUERY: &str = "\
    SELECT fee.*, terms.class AS offering_class, terms.option AS purchase_option, terms.length AS lease, terms.tenancy AS used_tenancy \
    FROM (SELECT reservation_reservation_a_r_n AS arn, MIN(line_item_usage_account_id) AS account, \
        MAX(line_item_product_code) AS product, MAX(line_item_usage_type) AS usage_type, MAX(line_item_operation) AS operation, \
        MAX(product_region) AS region, MAX(product_tenancy) AS tenancy, MAX(LOWER(line_item_line_item_description)) AS description, \
        MAX(reservation_availability_zone) AS zone, MAX(reservation_number_of_reservations) AS quantity, \
        MIN(reservation_number_of_reservations) AS least_quantity, MAX(reservation_upfront_value) AS upfront, \
        MIN(reservation_start_time) AS start, MAX(reservation_end_time) AS finish, \
        MAX(line_item_unblended_rate) AS rate, SUM(line_item_unblended_cost) AS cost, SUM(line_item_usage_amount) AS amount \
        FROM bill WHERE class = 'reservation_fee' GROUP BY reservation_reservation_a_r_n) AS fee \
    LEFT JOIN (SELECT reservation_reservation_a_r_n AS arn, MAX(LOWER(CASE WHEN pricing_offering_class <> '' \
        THEN pricing_offering_class ELSE product_offering_class END)) AS class, \
        MAX(LOWER(pricing_purchase_option)) AS option, MAX(LOWER(pricing_lease_contract_length)) AS length, \
        MAX(CASE WHEN class = 'instance_reserved' THEN product_tenancy ELSE '' END) AS tenancy \
        FROM bill WHERE reservation_reservation_a_r_n <> '' GROUP BY reservation_reservation_a_r_n) AS terms ON fee.arn = terms.arn \
    ORDER BY fee.arn";

/// The Reserved Instances of the bill, by ARN.
pub(super) async fn read(session: &Session, notes: &mut Vec<Note>) -> Result<Vec<ReservedInstances>> {
    let rows = session.query(QUERY).await?;
    (0..rows.len()).map(|row| lease(&rows, row, notes)).collect()
}

fn lease(rows: &Rows, row: usize, notes: &mut Vec<Note>) -> Result<ReservedInstances> {
    let text = |name: &str| -> String {
        let column = rows.text(name);
        if column.is_null(row) { String::new() } else { column.value(row).to_owned() }
    };
    let number = |name: &str| decimal(&rows.numbers(name), row);
    let arn = text("arn");
    let bad = |field: &'static str, problem: &str| Error::Commitment {
        commitment: if arn.is_empty() { format!("`{}`", text("usage_type")) } else { arn.clone() },
        field,
        problem: problem.to_owned(),
    };
    if arn.is_empty() {
        return Err(bad("reservation/ReservationARN", "the fee names no reservation"));
    }
    let start = instant(&rows.integers("start"), row).ok_or_else(|| bad("reservation/StartTime", "the start is not given"))?;
    let last = instant(&rows.integers("finish"), row).ok_or_else(|| bad("reservation/EndTime", "the end is not given"))?;
    let quantity = number("quantity").filter(|quantity| *quantity > Decimal::ZERO);
    let quantity = quantity.ok_or_else(|| bad("reservation/NumberOfReservations", "the number is not given"))?;
    let end = exclusive_end(start, last);
    let mut infer = |what: String| notes.push(Note::Inferred { commitment: arn.clone(), what });
    if number("least_quantity") != Some(quantity) {
        infer(format!("the number of reservations changes within the bill; the highest, {quantity}, is kept"));
    }
    let term = term(&text("lease"), start, end);
    let upfront = number("upfront").unwrap_or_default() / quantity;
    let hours = number("amount").filter(|hours| !hours.is_zero());
    let by_cost = || Some(number("cost")? / hours?);
    let recurring = number("rate").or_else(by_cost).unwrap_or_default();
    let payment_option = match text("purchase_option").replace(' ', "").as_str() {
        "noupfront" => PaymentOption::NoUpfront,
        "partialupfront" => PaymentOption::PartialUpfront,
        "allupfront" => PaymentOption::AllUpfront,
        _ => {
            infer("the payment option is inferred from the fees".into());
            by_fees(upfront, recurring)
        }
    };
    let class = match text("offering_class").as_str() {
        "standard" => Some(OfferingClass::Standard),
        "convertible" => Some(OfferingClass::Convertible),
        _ => None,
    };
    let tenancy = [text("tenancy"), text("used_tenancy")].into_iter().find(|tenancy| !tenancy.is_empty());
    let dedicated = if text("description").contains("dedicated") { "Dedicated" } else { "" };
    let (product, usage_type, operation, region) = (text("product"), text("usage_type"), text("operation"), text("region"));
    let words = Words {
        product: &product,
        usage_type: &usage_type,
        operation: &operation,
        tenancy: tenancy.as_deref().unwrap_or(dedicated),
        region: &region,
        ..Words::default()
    };
    Ok(ReservedInstances {
        account: text("account"),
        sku: sku(words),
        quantity,
        availability_zone: text("zone"),
        start,
        end,
        term,
        class,
        payment_option,
        upfront: Money::new(upfront),
        recurring: MoneyPerHour::new(recurring),
        arn,
    })
}

/// The bill gives the last second of a term (start 18:14:02, end 18:14:01 a year later); the end is the first instant after it.
pub(super) fn exclusive_end(start: DateTime<Utc>, last: DateTime<Utc>) -> DateTime<Utc> {
    let next = last + Duration::seconds(1);
    if (next - start).num_seconds() % 86_400 == 0 { next } else { last }
}

/// The term as the bill names it (`1yr`), else the shortest that holds start and end: after an exchange or a modification a lease runs
/// for less than its term.
pub(super) fn term(length: &str, start: DateTime<Utc>, end: DateTime<Utc>) -> Term {
    match length.trim().chars().next() {
        Some('1') => Term::AWS_ONE_YEAR,
        Some('3') => Term::AWS_THREE_YEARS,
        _ if end - start <= Duration::days(366) => Term::AWS_ONE_YEAR,
        _ => Term::AWS_THREE_YEARS,
    }
}

fn by_fees(upfront: Decimal, recurring: Decimal) -> PaymentOption {
    if upfront.is_zero() {
        PaymentOption::NoUpfront
    } else if recurring.is_zero() {
        PaymentOption::AllUpfront
    } else {
        PaymentOption::PartialUpfront
    }
}

/// Offers and commitments of the Reserved Instances, against a catalog's prices.
///
/// # Errors
/// [`Problem::Dangling`] for one without price in the catalog, unless those are excluded.
pub(super) fn hold(
    leases: &[ReservedInstances],
    catalog: &Catalog,
    unknown: UnknownSkus,
    offers: &mut Vec<Offer>,
    commitments: &mut Vec<Commitment>,
) -> Result<()> {
    let mut made: BTreeMap<String, Offer> = BTreeMap::new();
    for lease in leases {
        let Some(price) = catalog.price(&lease.sku) else {
            if unknown == UnknownSkus::Exclude {
                tracing::warn!(arn = lease.arn, sku = %lease.sku, "reservation left out: the catalog has no price");
                continue;
            }
            let problem = Problem::Dangling { kind: "on-demand price", id: lease.sku.to_string() };
            return Err(error::Error::from(problem).in_item(lease.arn.clone()).into());
        };
        let offer = offer(lease, &price.id, catalog);
        let scope = match lease.availability_zone.as_str() {
            "" => Scope::Region,
            zone => Scope::AvailabilityZone { availability_zone: zone.to_owned() },
        };
        commitments.push(Commitment {
            id: lease.arn.clone(),
            offer: offer.id.clone(),
            quantity: lease.quantity,
            start: lease.start,
            end: lease.end,
            account: lease.account.clone(),
            scope,
        });
        made.entry(offer.id.clone()).or_insert(offer);
    }
    offers.extend(made.into_values());
    Ok(())
}

/// The offer that a lease was bought by. Leases with the same SKU, term, class and fees share it.
fn offer(lease: &ReservedInstances, price: &str, catalog: &Catalog) -> Offer {
    let class = lease.class.or_else(|| nearest_class(lease, price, catalog));
    let years = lease.term.nominal_months().div_euclid(12);
    let class_name = class.map_or("unknown-class", OfferingClass::as_str);
    let payment = match lease.payment_option {
        PaymentOption::NoUpfront => "no-upfront",
        PaymentOption::PartialUpfront => "partial-upfront",
        _ => "all-upfront",
    };
    let fees = format!("{}+{}", lease.upfront.value().normalize(), lease.recurring.value().normalize());
    let derived = if lease.class.is_none() && class.is_some() {
        "the class is that of the catalog's offer with the nearest price"
    } else {
        ""
    };
    Offer {
        id: format!("held/{price}/{years}y-{class_name}-{payment}/{fees}"),
        provider: Provider::Aws,
        service: lease.sku.service.clone(),
        region: lease.sku.region.clone(),
        benefit: Benefit::Reservation { sku: price.to_owned(), pool: pool(&lease.sku, catalog.price_date()) },
        term: lease.term,
        payment_option: lease.payment_option,
        upfront: lease.upfront,
        recurring: lease.recurring,
        scopes: reserved_instance_scopes(),
        rights: class.map_or_else(|| BTreeSet::from([Right::Modification]), OfferingClass::rights),
        purchasable_from: None,
        purchasable_until: None,
        lot: None,
        provider_id: String::new(),
        origin: covermix::catalog::Origin::default(),
        derived: derived.into(),
    }
}

/// The class of the catalog's offer for the same SKU, term and payment option whose effective price is nearest.
fn nearest_class(lease: &ReservedInstances, price: &str, catalog: &Catalog) -> Option<OfferingClass> {
    let paid = lease.upfront.value() / lease.term.list_hours() + lease.recurring.value();
    let is_same = |offer: &&Offer| {
        matches!(&offer.benefit, Benefit::Reservation { sku, .. } if sku == price)
            && offer.term == lease.term
            && offer.payment_option == lease.payment_option
    };
    let distance = |offer: &&Offer| (offer.effective_hourly().value() - paid).abs();
    let offer = catalog.offers().iter().filter(is_same).min_by_key(distance)?;
    Some(if offer.rights.contains(&Right::Exchange) { OfferingClass::Convertible } else { OfferingClass::Standard })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_second_of_a_term_becomes_its_end() {
        let start = at("2018-08-13T18:14:02Z");
        assert_eq!(exclusive_end(start, at("2019-08-13T18:14:01Z")), at("2019-08-13T18:14:02Z"));
        assert_eq!(exclusive_end(start, at("2019-08-13T00:00:00Z")), at("2019-08-13T00:00:00Z"));
    }

    #[test]
    fn terms_are_named_or_inferred() {
        let (start, end) = (at("2018-08-13T18:14:02Z"), at("2019-02-01T00:00:00Z"));
        assert_eq!(term("1yr", start, end), Term::AWS_ONE_YEAR);
        assert_eq!(term("3yr", start, end), Term::AWS_THREE_YEARS);
        assert_eq!(term("", start, end), Term::AWS_ONE_YEAR);
        assert_eq!(term("", start, at("2021-08-12T18:14:02Z")), Term::AWS_THREE_YEARS);
    }
}
