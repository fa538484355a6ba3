//! Reads the price file of ec2instances.info (vantage-sh/ec2instances.info, MIT): an array of instance types, each with
//! `pricing.{region}.{os}.ondemand` and `.reserved["yrTerm{1,3}{Standard,Convertible}.{no,partial,all}Upfront"]`.
//!
//! `reserved` holds effective hourly prices, upfront spread over 8,760 hours a year and rounded to six digits (three in 2017). What the
//! file does not say is derived, and every such offer says so in `derived`:
//! - all upfront: the fee is effective x hours, to the whole dollar where the digits tell which (fees are whole dollars), else to cents;
//! - partial upfront: half of that is upfront (rounded to dollars), the rest hourly;
//! - Savings Plan rates (EC2 only): the effective price of the convertible Reserved Instance with the same term and payment option for Compute
//!   plans, of the standard one for EC2 Instance plans.
//!
//! Files since 2022 also hold Savings Plan rates themselves, as `yrTerm{1,3}{Savings,InstanceSavings,DatabaseSavings}`: Compute, EC2 Instance
//! and Database plans. An entry that has any of them has no derived ones.
//!
//! A missing offer is not for sale; `ebs` and `emr` stand beside the operating systems and have no `ondemand`.
//!
//! The whole file is read into one row for each price before any offer is made: rows are small and soon sorted, offers are neither.

use super::services::pools;
use super::terms::{decimal, on_demand, reservation_of};
use super::{COMPUTE_PLAN, DATABASE_PLAN, EC2, EC2_INSTANCE_PLAN, INSTANCE_HOUR, OfferingClass, TERMS, family, plan_key, spot};
use crate::catalog::draft::{Draft, PlanIndex, Rated, RatedIndex};
use crate::catalog::stream::JsonStream;
use crate::catalog::{Benefit, Offer, PaymentOption, RejectionReason, SpotPrice};
use crate::error::Result;
use crate::time::Term;
use crate::units::UnitPrice;
use crate::usage::{Provider, Sku};
use rust_decimal::Decimal;
use std::io::BufRead;

mod document;

use document::{Entry, Instance, InstanceSeed, Value};

const EXPECTED: &str = "a price file of ec2instances.info (a JSON array of instance types with `pricing`)";

/// Reads a price file: an array of types, or one type.
///
/// # Errors
/// [`crate::Problem::Malformed`] for another shape.
pub(in crate::catalog) fn read(input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    let mut stream = JsonStream::new(input, EXPECTED);
    draft.currency("USD")?;
    draft.origin.source = "ec2instances.info".into();
    let mut rows = Vec::new();
    if stream.peek()? == Some(b'{') {
        let instance = stream.value_as(InstanceSeed(&draft.selection))?;
        add_type(draft, &mut rows, instance);
    } else {
        stream.array(|stream| {
            let instance = stream.value_as(InstanceSeed(&draft.selection))?;
            add_type(draft, &mut rows, instance);
            Ok(())
        })?;
    }
    stream.finish()?;
    // Offers and rates in the order of the finished catalog need no sorting there: that of `{id}/{terms}`, not of `{id}` alone.
    rows.iter_mut().for_each(|row| row.id.push('/'));
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    for row in &mut rows {
        row.id.pop();
    }
    let mut plans = Plans::default();
    for row in rows {
        add(draft, &mut plans, row);
    }
    Ok(())
}

/// A price with what is offered beside it.
struct Row {
    id: String,
    sku: Sku,
    price: UnitPrice,
    reserved: Vec<(Key, Decimal)>,
}

fn add_type(draft: &mut Draft, rows: &mut Vec<Row>, instance: Instance<'_>) {
    let service = instance.service.as_deref().unwrap_or(EC2);
    draft.reject_many("types in regions that were not asked for", RejectionReason::NotSelected, instance.left_out);
    for (region, systems) in instance.pricing {
        if systems.iter().any(|(key, _)| &**key == "ondemand") {
            // Services without engines: the price stands one level higher.
            let sku = sku(service, &region, &instance.instance_type, "");
            rows.extend(row(draft, sku, &Entry::of(systems)));
            continue;
        }
        for (system, entry) in systems {
            let entry = match entry {
                Value::Object(fields) => Entry::of(fields),
                _ => Entry::default(),
            };
            if entry.on_demand.is_none() {
                let kind = format!("entries `{}` without on-demand price", &*system);
                draft.reject_many(&kind, RejectionReason::NotUsage, 1);
                continue;
            }
            rows.extend(row(draft, sku(service, &region, &instance.instance_type, &system), &entry));
        }
    }
}

fn sku(service: &str, region: &str, thing: &str, system: &str) -> Sku {
    let (platform, tenancy) = if service == EC2 { platform(system) } else { (system, "") };
    Sku {
        provider: Provider::Aws,
        service: service.into(),
        region: region.into(),
        sku: thing.into(),
        platform: platform.into(),
        tenancy: tenancy.into(),
        unit: INSTANCE_HOUR.into(),
    }
}

/// Platform and tenancy of an operating-system key; unknown keys keep their own name.
fn platform(system: &str) -> (&str, &str) {
    let platform = match system {
        "linux" | "dedicated" => "Linux",
        "mswin" => "Windows",
        "mswinSQL" => "Windows with SQL Standard",
        "mswinSQLWeb" => "Windows with SQL Web",
        "mswinSQLEnterprise" => "Windows with SQL Enterprise",
        "linuxSQL" => "Linux with SQL Standard",
        "linuxSQLWeb" => "Linux with SQL Web",
        "linuxSQLEnterprise" => "Linux with SQL Enterprise",
        "rhel" => "RHEL",
        "rhelSQL" => "RHEL with SQL Standard",
        "rhelSQLWeb" => "RHEL with SQL Web",
        "rhelSQLEnterprise" => "RHEL with SQL Enterprise",
        "rhelHA" => "RHEL with HA",
        "rhelHASQL" => "RHEL with HA and SQL Standard",
        "rhelHASQLEnterprise" => "RHEL with HA and SQL Enterprise",
        "sles" => "SUSE",
        "ubuntu" => "Ubuntu Pro",
        other => other,
    };
    (platform, if system == "dedicated" { "dedicated" } else { "shared" })
}

/// Understands an entry; its spot price goes to the draft at once.
fn row(draft: &mut Draft, sku: Sku, entry: &Entry<'_>) -> Option<Row> {
    if !draft.takes(&sku) {
        return None;
    }
    let id = super::terms::price_id(&sku);
    let price = match entry.on_demand.as_ref().and_then(number) {
        Some(price) if price > Decimal::ZERO => UnitPrice::new(price),
        found => {
            let reason = if found.is_some() { RejectionReason::NoPrice } else { RejectionReason::UnreadablePrice };
            draft.reject(id, reason);
            return None;
        }
    };
    let mut reserved = Vec::with_capacity(entry.reserved.len());
    for (key, value) in &entry.reserved {
        let reason = match (Key::of(key), number(value)) {
            (None, _) => RejectionReason::UnknownTerms,
            (_, None) => RejectionReason::UnreadablePrice,
            (Some(_), Some(price)) if price <= Decimal::ZERO => RejectionReason::NoPrice,
            (Some(key), Some(price)) => {
                reserved.push((key, price));
                continue;
            }
        };
        draft.reject(format!("{id}: {}", &**key), reason);
    }
    reserved.sort_by_key(|(key, _)| *key);
    add_spot(draft, &sku, &id, entry);
    Some(Row { id, sku, price, reserved })
}

/// What a key of `reserved` is the price of. In the order of offers' identifiers: term, class, payment option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    years: u32,
    kind: Kind,
    payment: Payment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Convertible,
    Standard,
    ComputePlan,
    InstancePlan,
    DatabasePlan,
}

/// In the order of their names in identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Payment {
    All,
    None,
    Partial,
}

impl Key {
    /// Of a key such as `yrTerm1Standard.noUpfront`.
    fn of(key: &str) -> Option<Self> {
        let (lease, payment) = key.strip_prefix("yrTerm")?.split_once('.')?;
        let (years, kind) = lease.split_at_checked(1)?;
        let years = match years {
            "1" => 1,
            "3" => 3,
            _ => return None,
        };
        let kind = match kind {
            "Standard" => Kind::Standard,
            "Convertible" => Kind::Convertible,
            "Savings" => Kind::ComputePlan,
            "InstanceSavings" => Kind::InstancePlan,
            "DatabaseSavings" => Kind::DatabasePlan,
            _ => return None,
        };
        let payment = match payment {
            "noUpfront" => Payment::None,
            "partialUpfront" => Payment::Partial,
            "allUpfront" => Payment::All,
            _ => return None,
        };
        Some(Self { years, kind, payment })
    }

    fn term(self) -> Term {
        TERMS.iter().find(|(years, _)| *years == self.years).map_or(Term::AWS_ONE_YEAR, |(_, term)| *term)
    }

    fn payment_option(self) -> PaymentOption {
        match self.payment {
            Payment::All => PaymentOption::AllUpfront,
            Payment::None => PaymentOption::NoUpfront,
            Payment::Partial => PaymentOption::PartialUpfront,
        }
    }

    fn class(self) -> Option<OfferingClass> {
        match self.kind {
            Kind::Convertible => Some(OfferingClass::Convertible),
            Kind::Standard => Some(OfferingClass::Standard),
            Kind::ComputePlan | Kind::InstancePlan | Kind::DatabasePlan => None,
        }
    }
}

/// Adds what a row says; consecutive rows of one family share what is the same for all.
fn add(draft: &mut Draft, plans: &mut Plans, row: Row) {
    let Row { id, sku, price, reserved } = row;
    let day = draft.origin.price_date;
    let pool = pools(&sku, day).into_iter().next();
    let has_plan_rates = reserved.iter().any(|(key, _)| key.class().is_none());
    let mut rated = None;
    for (key, effective) in reserved {
        let term = key.term();
        let Some(class) = key.class() else {
            let plan = if sku.service == EC2 { key.kind } else { Kind::DatabasePlan };
            add_rate(draft, plans, (key, plan, ""), &id, &sku, (effective, price), &mut rated);
            continue;
        };
        let payment_option = key.payment_option();
        let (upfront, recurring, derived) = split(effective, term, payment_option);
        let benefit = Benefit::Reservation { sku: id.clone(), pool: pool.clone() };
        let offer = reservation_of(&sku, benefit, Some(class), (term, payment_option), (upfront, recurring));
        draft.offer(Offer { id: ["ri/", &id, "/", offer_name(key)].concat(), derived: derived.into(), ..offer });
        if sku.service == EC2 && !has_plan_rates {
            let (plan, derived) = match class {
                OfferingClass::Convertible => {
                    (Kind::ComputePlan, "rates are the effective prices of convertible Reserved Instances")
                }
                OfferingClass::Standard => (Kind::InstancePlan, "rates are the effective prices of standard Reserved Instances"),
            };
            add_rate(draft, plans, (key, plan, derived), &id, &sku, (effective, price), &mut rated);
        }
    }
    draft.price(on_demand(&sku, price, "", crate::catalog::Origin::default(), day));
}

/// The end of an offer's identifier.
fn offer_name(key: Key) -> &'static str {
    match (key.years, key.class(), key.payment) {
        (1, Some(OfferingClass::Convertible), Payment::All) => "1y-convertible-all-upfront",
        (1, Some(OfferingClass::Convertible), Payment::None) => "1y-convertible-no-upfront",
        (1, Some(OfferingClass::Convertible), Payment::Partial) => "1y-convertible-partial-upfront",
        (1, _, Payment::All) => "1y-standard-all-upfront",
        (1, _, Payment::None) => "1y-standard-no-upfront",
        (1, _, Payment::Partial) => "1y-standard-partial-upfront",
        (_, Some(OfferingClass::Convertible), Payment::All) => "3y-convertible-all-upfront",
        (_, Some(OfferingClass::Convertible), Payment::None) => "3y-convertible-no-upfront",
        (_, Some(OfferingClass::Convertible), Payment::Partial) => "3y-convertible-partial-upfront",
        (_, _, Payment::All) => "3y-standard-all-upfront",
        (_, _, Payment::None) => "3y-standard-no-upfront",
        (_, _, Payment::Partial) => "3y-standard-partial-upfront",
    }
}

/// The plans that rates were added to lately: those of one region and family, and those over all.
#[derive(Default)]
struct Plans {
    region: String,
    family: String,
    known: Vec<(u32, Kind, Payment, PlanIndex)>,
}

fn add_rate(
    draft: &mut Draft,
    plans: &mut Plans,
    (key, kind, derived): (Key, Kind, &str),
    id: &str,
    sku: &Sku,
    (rate, price): (Decimal, UnitPrice),
    rated: &mut Option<RatedIndex>,
) {
    if rate > price.value() {
        let item = format!("Savings Plan rate of {id}: {}y {}", key.years, key.payment_option());
        return draft.reject(item, RejectionReason::AboveOnDemand);
    }
    let family = family(&sku.sku);
    if plans.region != sku.region || plans.family != family {
        *plans = Plans { region: sku.region.clone(), family: family.to_owned(), known: Vec::new() };
    }
    let known = plans.known.iter().find(|(years, of, payment, _)| (*years, *of, *payment) == (key.years, kind, key.payment));
    let plan = match known {
        Some((.., plan)) => *plan,
        None => {
            let name = match kind {
                Kind::InstancePlan | Kind::Standard => EC2_INSTANCE_PLAN,
                Kind::DatabasePlan => DATABASE_PLAN,
                Kind::ComputePlan | Kind::Convertible => COMPUTE_PLAN,
            };
            let plan = plan_key(name.into(), &sku.region, family, key.years, key.payment_option());
            let plan = draft.plan(&plan, derived);
            plans.known.push((key.years, kind, key.payment, plan));
            plan
        }
    };
    let rated = *rated.get_or_insert_with(|| draft.rated(Rated::Price(id.into())));
    draft.rate(plan, "", rated, UnitPrice::new(rate));
}

/// The average spot price and its interruption class, which files since 2020 have.
fn add_spot(draft: &mut Draft, sku: &Sku, id: &str, entry: &Entry<'_>) {
    let Some(value) = &entry.spot_average else { return };
    let spot_id = format!("spot/{id}");
    match number(value).filter(|price| *price > Decimal::ZERO) {
        Some(price) => draft.spot(SpotPrice {
            id: spot_id,
            sku: sku.clone(),
            availability_zone: String::new(),
            price: UnitPrice::new(price),
            interruption: entry.interruption.as_deref().and_then(spot::interruption),
            origin: crate::catalog::Origin::default(),
            derived: "average over zones and time, as the source gives it".into(),
        }),
        None => draft.reject(spot_id, RejectionReason::UnreadablePrice),
    }
}

/// Upfront and hourly amounts behind an effective hourly price, and how they were derived.
fn split(effective: Decimal, term: Term, payment: PaymentOption) -> (Decimal, Decimal, &'static str) {
    let hours = term.list_hours();
    let total = effective * hours;
    match payment {
        PaymentOption::NoUpfront => (Decimal::ZERO, effective, ""),
        PaymentOption::AllUpfront => {
            // Half a unit of the last digit given, over the term.
            let slack = Decimal::new(5, effective.scale() + 1) * hours;
            let dollars = total.round();
            let is_known = slack < Decimal::new(5, 1) && (total - dollars).abs() <= slack;
            let fee = if is_known { dollars } else { total.round_dp(2) };
            (fee, Decimal::ZERO, "fee = effective hourly price x hours of the term")
        }
        PaymentOption::PartialUpfront => {
            let upfront = (total / Decimal::TWO).round();
            let recurring = effective - upfront / hours;
            let derived = "half of the effective price is upfront, rounded to whole units of money";
            (upfront, recurring.round_dp(10), derived)
        }
    }
}

/// A price: a string, or in some files a number; binary fractions are rounded to ten digits.
fn number(value: &Value<'_>) -> Option<Decimal> {
    match value {
        Value::Text(text) => decimal(text),
        Value::Number(number) => decimal(&number.to_string()).map(|price| price.round_dp(10).normalize()),
        Value::Object(_) | Value::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use rust_decimal::dec;

    fn read(text: &str) -> Result<Catalog> {
        Catalog::from_json(text)
    }

    /// Invented prices in the file's shape: one good instance, one with what sources get wrong.
    const SMALL: &str = r#"[
        {"instance_type": "m4.large", "vCPU": 2, "pricing": {"us-east-1": {
            "ebs": "0.00", "emr": {"emr": "0.03"},
            "linux": {"ondemand": "0.1", "reserved": {
                "yrTerm1Standard.noUpfront": "0.062", "yrTerm1Standard.allUpfront": "0.057877",
                "yrTerm1Standard.partialUpfront": "0.058952", "yrTerm3Convertible.allUpfront": 0.045091}},
            "mswin": {"ondemand": 0.192, "reserved": {"yrTerm1Standard.noUpfront": "0.2"}}}}},
        {"instance_type": "g5.xlarge", "pricing": {"eu-west-1": {
            "linux": {"ondemand": "1.1", "reserved": {"yrTerm5Standard.noUpfront": "0.1", "yrTerm1Standard.noUpfront": "0"}},
            "rhel": {"ondemand": "0"}, "sles": {"ondemand": "N/A"}}}}]"#;

    #[test]
    fn offers_carry_the_fees_behind_the_effective_price() {
        let catalog = read(SMALL).unwrap();
        let offer = |id: &str| catalog.offer(id).unwrap_or_else(|| panic!("no offer {id}"));
        let all = offer("ri/us-east-1/m4.large/Linux/1y-standard-all-upfront");
        assert_eq!((all.upfront.value(), all.recurring.value()), (dec!(507), dec!(0)));
        let partial = offer("ri/us-east-1/m4.large/Linux/1y-standard-partial-upfront");
        assert_eq!(partial.upfront.value(), dec!(258));
        assert!((partial.effective_hourly().value() - dec!(0.058952)).abs() < dec!(1e-9));
        let none = offer("ri/us-east-1/m4.large/Linux/1y-standard-no-upfront");
        assert_eq!((none.recurring.value(), none.derived.as_str()), (dec!(0.062), ""));
        let Benefit::Reservation { pool: Some(pool), .. } = &none.benefit else { panic!("not a pool: {none:?}") };
        assert_eq!(pool.units.value(), dec!(4));
    }

    #[test]
    fn savings_plan_rates_are_derived_and_say_so() {
        let catalog = read(SMALL).unwrap();
        let plan = catalog.offer("sp/compute/3y-all-upfront").unwrap();
        let Benefit::SpendPlan { rates, .. } = &plan.benefit else { panic!("not a plan: {plan:?}") };
        assert_eq!(rates["us-east-1/m4.large/Linux"].value(), dec!(0.045091));
        assert_eq!(plan.upfront.value(), dec!(26280));
        assert!(plan.derived.contains("convertible"));
    }

    #[test]
    fn what_is_left_out_is_listed_with_its_reason() {
        let catalog = read(SMALL).unwrap();
        let mut reasons: Vec<_> = catalog.rejected().iter().map(|rejection| rejection.reason).collect();
        reasons.sort();
        use RejectionReason::{AboveOnDemand, NoPrice, NotUsage, UnknownTerms, UnreadablePrice};
        assert_eq!(reasons, [NoPrice, NoPrice, UnreadablePrice, AboveOnDemand, UnknownTerms, NotUsage, NotUsage]);
        assert_eq!(catalog.prices().len(), 3);
    }

    #[test]
    fn windows_and_excluded_families_are_not_size_flexible() {
        let catalog = read(SMALL).unwrap();
        assert!(catalog.price_with_id("us-east-1/m4.large/Windows").unwrap().pools.is_empty());
        assert!(catalog.price_with_id("eu-west-1/g5.xlarge/Linux").unwrap().pools.is_empty());
    }
}
