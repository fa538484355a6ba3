//! Reads the price file of ec2instances.info (vantage-sh/ec2instances.info, MIT): an array of instance types, each with
//! `pricing.{region}.{os}.ondemand` and `.reserved["yrTerm{1,3}{Standard,Convertible}.{no,partial,all}Upfront"]`.
//!
//! `reserved` holds effective hourly prices, upfront spread over 8,760 hours a year and rounded to six digits (three in 2017). What the
//! file does not say is derived, and every such offer says so in `derived`:
//! - all upfront: the fee is effective x hours, to the whole dollar where rounding allows it (fees are whole dollars), else to cents;
//! - partial upfront: half of that is upfront (rounded to dollars), the rest hourly;
//! - Savings Plan rates (EC2 only): the effective price of the convertible Reserved Instance with the same term and payment option for Compute
//!   plans, of the standard one for EC2 Instance plans.
//!
//! A missing offer is not for sale; `ebs` and `emr` stand beside the operating systems and have no `ondemand`.

use super::services::pools;
use super::terms::{decimal, on_demand, reservation};
use super::{COMPUTE_PLAN, EC2, EC2_INSTANCE_PLAN, INSTANCE_HOUR, OfferingClass, TERMS, family, spot};
use crate::catalog::draft::{Draft, PlanKey, Rated};
use crate::catalog::stream::JsonStream;
use crate::catalog::{Benefit, Offer, PaymentOption, PoolUnits, RejectionReason, SpotPrice};
use crate::error::Result;
use crate::time::Term;
use crate::units::UnitPrice;
use crate::usage::{Provider, Sku};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::BufRead;

const EXPECTED: &str = "a price file of ec2instances.info (a JSON array of instance types with `pricing`)";

/// An instance type of the file, or a node type of its files for other services.
#[derive(Deserialize)]
struct Instance {
    instance_type: String,
    #[serde(default, alias = "serviceCode")]
    servicecode: Option<String>,
    pricing: BTreeMap<String, BTreeMap<String, Value>>,
}

/// Reads a price file: an array of types, or one type.
///
/// # Errors
/// [`crate::Problem::Malformed`] for another shape.
pub(in crate::catalog) fn read(input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    let mut stream = JsonStream::new(input, EXPECTED);
    draft.currency("USD")?;
    draft.origin.source = "ec2instances.info".into();
    if stream.peek()? == Some(b'{') {
        add_type(draft, &stream.value()?);
    } else {
        stream.array(|stream| {
            add_type(draft, &stream.value()?);
            Ok(())
        })?;
    }
    stream.finish()
}

fn add_type(draft: &mut Draft, instance: &Instance) {
    let service = instance.servicecode.as_deref().unwrap_or(EC2);
    for (region, systems) in &instance.pricing {
        if systems.contains_key("ondemand") {
            // Services without engines: the price stands one level higher.
            let entry = Value::Object(systems.iter().map(|(key, value)| (key.clone(), value.clone())).collect());
            add(draft, &sku(service, region, &instance.instance_type, ""), &entry);
            continue;
        }
        for (system, entry) in systems {
            if entry.get("ondemand").is_none() {
                let kind = format!("entries `{system}` without on-demand price");
                draft.reject_many(&kind, RejectionReason::NotUsage, 1);
                continue;
            }
            add(draft, &sku(service, region, &instance.instance_type, system), entry);
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

fn add(draft: &mut Draft, sku: &Sku, entry: &Value) {
    if !draft.takes(sku) {
        return;
    }
    let id = super::terms::price_id(sku);
    let price = match entry.get("ondemand").and_then(number) {
        Some(price) if price > Decimal::ZERO => UnitPrice::new(price),
        Some(_) => return draft.reject(id, RejectionReason::NoPrice),
        None => return draft.reject(id, RejectionReason::UnreadablePrice),
    };
    let pool = pools(sku).into_iter().next();
    for (key, value) in entry.get("reserved").and_then(Value::as_object).into_iter().flatten() {
        let reason = match (terms(key), number(value)) {
            (None, _) => RejectionReason::UnknownTerms,
            (_, None) => RejectionReason::UnreadablePrice,
            (Some(_), Some(effective)) if effective <= Decimal::ZERO => RejectionReason::NoPrice,
            (Some(terms), Some(effective)) => {
                add_offer(draft, sku, &id, key, terms, effective, pool.clone(), price);
                continue;
            }
        };
        draft.reject(format!("{id}: {key}"), reason);
    }
    add_spot(draft, sku, &id, entry);
    let origin = draft.origin.clone();
    draft.price(on_demand(sku, price, "", origin));
}

/// What a key of `reserved` says: years, term, class, payment option.
type Terms = (u32, Term, OfferingClass, PaymentOption);

#[allow(clippy::too_many_arguments)]
fn add_offer(
    draft: &mut Draft,
    sku: &Sku,
    id: &str,
    key: &str,
    (years, term, class, payment): Terms,
    effective: Decimal,
    pool: Option<PoolUnits>,
    price: UnitPrice,
) {
    let (upfront, recurring, derived) = split(effective, term, payment);
    let offer = reservation(sku, Some(class), (term, payment), (upfront, recurring));
    draft.offer(Offer {
        id: format!("ri/{id}/{years}y-{}-{}", class.as_str(), payment.slug()),
        benefit: Benefit::Reservation { sku: id.into(), pool },
        derived: derived.into(),
        origin: draft.origin.clone(),
        ..offer
    });
    if sku.service != EC2 {
        return;
    }
    if effective > price.value() {
        return draft.reject(format!("Savings Plan rate of {id}: {key}"), RejectionReason::AboveOnDemand);
    }
    let (plan, region, family, derived) = match class {
        OfferingClass::Convertible => (COMPUTE_PLAN, "", "", "rates are the effective prices of convertible Reserved Instances"),
        OfferingClass::Standard => (
            EC2_INSTANCE_PLAN,
            sku.region.as_str(),
            family(&sku.sku),
            "rates are the effective prices of standard Reserved Instances",
        ),
    };
    let plan = PlanKey {
        plan: plan.into(),
        service: format!("{plan}SavingsPlans"),
        region: region.into(),
        family: family.into(),
        years,
        payment_option: payment,
    };
    draft.rate(plan, "", Rated::Price(id.into()), UnitPrice::new(effective), derived);
}

/// The average spot price and its interruption class, which files since 2020 have.
fn add_spot(draft: &mut Draft, sku: &Sku, id: &str, entry: &Value) {
    let Some(value) = entry.get("spot_avg") else { return };
    let spot_id = format!("spot/{id}");
    match number(value).filter(|price| *price > Decimal::ZERO) {
        Some(price) => draft.spot(SpotPrice {
            id: spot_id,
            sku: sku.clone(),
            availability_zone: String::new(),
            price: UnitPrice::new(price),
            interruption: entry.get("pct_interrupt").and_then(Value::as_str).and_then(spot::interruption),
            origin: draft.origin.clone(),
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
            let fee = if (total - dollars).abs() <= slack { dollars } else { total.round_dp(2) };
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

/// Years, term, class and payment option of a key such as `yrTerm1Standard.noUpfront`.
fn terms(key: &str) -> Option<Terms> {
    let (lease, payment) = key.strip_prefix("yrTerm")?.split_once('.')?;
    let (years, class) = lease.split_at_checked(1)?;
    let (years, term) = *TERMS.iter().find(|(count, _)| years == count.to_string())?;
    let class = match class {
        "Standard" => OfferingClass::Standard,
        "Convertible" => OfferingClass::Convertible,
        _ => return None,
    };
    let payment = match payment {
        "noUpfront" => PaymentOption::NoUpfront,
        "partialUpfront" => PaymentOption::PartialUpfront,
        "allUpfront" => PaymentOption::AllUpfront,
        _ => return None,
    };
    Some((years, term, class, payment))
}

/// A price: a string, or in some files a number; binary fractions are rounded to ten digits.
fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::String(text) => decimal(text),
        Value::Number(number) => decimal(&number.to_string()).map(|price| price.round_dp(10).normalize()),
        _ => None,
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
