//! Reads the price file of ec2instances.info (vantage-sh/ec2instances.info, MIT): an array of instance types, each with
//! `pricing.{region}.{os}.ondemand` and `.reserved["yrTerm{1,3}{Standard,Convertible}.{no,partial,all}Upfront"]`.
//!
//! `reserved` holds effective hourly prices, upfront spread over 8,760 hours a year and rounded to six digits (three in 2017). What the
//! file does not say is derived, and every such offer says so in `derived`:
//! - all upfront: the fee is effective x hours, to the whole dollar where rounding allows it (fees are whole dollars), else to cents;
//! - partial upfront: half of that is upfront (rounded to dollars), the rest hourly;
//! - Savings Plan rates: the effective price of the convertible Reserved Instance with the same term and payment option for Compute
//!   plans, of the standard one for EC2 Instance plans.
//!
//! A missing offer is not for sale; `ebs` and `emr` stand beside the operating systems and have no `ondemand`.

use super::{COMPUTE_PLAN, EC2, EC2_INSTANCE_PLAN, OfferingClass, TERMS, family, instance_sku, pool, reserved_instance_scopes};
use crate::catalog::{
    Benefit, Catalog, Offer, OnDemandPrice, Origin, PaymentOption, Rejection, RejectionReason, Right, ScopeKind,
};
use crate::error::Result;
use crate::files;
use crate::time::Term;
use crate::units::{Money, MoneyPerHour, UnitPrice};
use crate::usage::Provider;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const EXPECTED: &str = "a price file of ec2instances.info (a JSON array of instance types with `pricing`)";

/// An instance type of the file.
#[derive(Deserialize)]
pub(crate) struct Instance {
    instance_type: String,
    pricing: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
}

/// Reads the text of a price file.
///
/// # Errors
/// [`crate::Problem::Malformed`] for another shape, and all of [`Catalog::new`].
pub fn read(text: &str) -> Result<Catalog> {
    let instances: Vec<Instance> = if text.trim_start().starts_with('{') {
        vec![files::parse_json(text, EXPECTED)?]
    } else {
        files::parse_json(text, EXPECTED)?
    };
    let mut builder = Builder::default();
    for instance in instances {
        for (region, systems) in &instance.pricing {
            for (system, entry) in systems {
                builder.add(&instance.instance_type, region, system, entry);
            }
        }
    }
    builder.finish()
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

#[derive(Default)]
struct Builder {
    prices: Vec<OnDemandPrice>,
    offers: Vec<Offer>,
    rejected: Vec<Rejection>,
    compute: BTreeMap<(u32, PaymentOption), BTreeMap<String, UnitPrice>>,
    instance: BTreeMap<(String, String, u32, PaymentOption), BTreeMap<String, UnitPrice>>,
}

impl Builder {
    fn add(&mut self, instance_type: &str, region: &str, system: &str, entry: &serde_json::Value) {
        let Some(on_demand) = entry.get("ondemand") else { return }; // `ebs`, `emr`
        let (platform, tenancy) = platform(system);
        let dedicated = if tenancy == "shared" { "" } else { "/dedicated" };
        let id = format!("{region}/{instance_type}/{platform}{dedicated}");
        let price = match decimal(on_demand) {
            Some(price) if price > Decimal::ZERO => UnitPrice::new(price),
            Some(_) => return self.reject(id, RejectionReason::NoPrice),
            None => return self.reject(id, RejectionReason::UnreadablePrice),
        };
        let sku = instance_sku(region, instance_type, platform, tenancy);
        let pool = pool(&sku);
        let family = family(instance_type);
        for (key, value) in entry.get("reserved").and_then(serde_json::Value::as_object).into_iter().flatten() {
            let Some((years, term, class, payment)) = terms(key) else {
                self.reject(format!("{id}: {key}"), RejectionReason::UnknownTerms);
                continue;
            };
            let effective = match decimal(value) {
                Some(effective) if effective > Decimal::ZERO => effective,
                Some(_) => {
                    self.reject(format!("{id}: {key}"), RejectionReason::NoPrice);
                    continue;
                }
                None => {
                    self.reject(format!("{id}: {key}"), RejectionReason::UnreadablePrice);
                    continue;
                }
            };
            let (upfront, recurring, derived) = split(effective, term, payment);
            self.offers.push(Offer {
                id: format!("ri/{id}/{years}y-{}-{}", class.as_str(), payment_slug(payment)),
                provider: Provider::Aws,
                service: EC2.into(),
                region: region.into(),
                benefit: Benefit::Reservation { sku: id.clone(), pool: pool.clone() },
                term,
                payment_option: payment,
                upfront,
                recurring,
                scopes: reserved_instance_scopes(),
                rights: class.rights(),
                purchasable_from: None,
                purchasable_until: None,
                derived: derived.into(),
                lot: None,
                provider_id: String::new(),
                origin: Origin::default(),
            });
            if effective > price.value() {
                self.reject(format!("Savings Plan rate of {id}: {key}"), RejectionReason::AboveOnDemand);
                continue;
            }
            let rate = UnitPrice::new(effective);
            match class {
                OfferingClass::Convertible => self.compute.entry((years, payment)).or_default().insert(id.clone(), rate),
                OfferingClass::Standard => {
                    let key = (region.to_owned(), family.to_owned(), years, payment);
                    self.instance.entry(key).or_default().insert(id.clone(), rate)
                }
            };
        }
        self.prices.push(OnDemandPrice {
            id,
            sku,
            price,
            family: family.into(),
            pools: pool.into_iter().collect(),
            provider_id: String::new(),
            list_price: None,
            origin: Origin::default(),
        });
    }

    fn reject(&mut self, item: String, reason: RejectionReason) {
        self.rejected.push(Rejection { item, reason, count: 1 });
    }

    fn finish(mut self) -> Result<Catalog> {
        for ((years, payment), rates) in self.compute {
            let id = format!("sp/compute/{years}y-{}", payment_slug(payment));
            let derived = "rates are the effective prices of convertible Reserved Instances";
            self.offers.push(savings_plan(id, "", COMPUTE_PLAN, "", years, payment, rates, derived));
        }
        for ((region, family, years, payment), rates) in self.instance {
            let id = format!("sp/ec2-instance/{region}/{family}/{years}y-{}", payment_slug(payment));
            let derived = "rates are the effective prices of standard Reserved Instances";
            self.offers.push(savings_plan(id, &region, EC2_INSTANCE_PLAN, &family, years, payment, rates, derived));
        }
        let mut catalog = Catalog::new("USD", None, "ec2instances.info", self.prices, self.offers)?;
        catalog.rejected = self.rejected;
        Ok(catalog)
    }
}

#[allow(clippy::too_many_arguments)]
fn savings_plan(
    id: String,
    region: &str,
    plan: &str,
    family: &str,
    years: u32,
    payment_option: PaymentOption,
    rates: BTreeMap<String, UnitPrice>,
    derived: &str,
) -> Offer {
    let term = TERMS.iter().find(|(count, _)| *count == years).map_or(Term::AWS_ONE_YEAR, |(_, term)| *term);
    let upfront_share = match payment_option {
        PaymentOption::NoUpfront => Decimal::ZERO,
        PaymentOption::PartialUpfront => Decimal::new(5, 1),
        PaymentOption::AllUpfront => Decimal::ONE,
    };
    Offer {
        id,
        provider: Provider::Aws,
        service: if plan == COMPUTE_PLAN { "ComputeSavingsPlans".into() } else { "EC2InstanceSavingsPlans".into() },
        region: region.into(),
        benefit: Benefit::SpendPlan { plan: plan.into(), family: family.into(), rates },
        term,
        payment_option,
        upfront: Money::new(upfront_share * term.list_hours()),
        recurring: MoneyPerHour::new(Decimal::ONE - upfront_share),
        scopes: BTreeSet::from([ScopeKind::Shared]),
        // Within seven days and the calendar month of the purchase, up to 100 an hour.
        rights: BTreeSet::from([Right::Refund]),
        purchasable_from: None,
        purchasable_until: None,
        derived: derived.into(),
        lot: None,
        provider_id: String::new(),
        origin: Origin::default(),
    }
}

/// Upfront and hourly amounts behind an effective hourly price, and how they were derived.
fn split(effective: Decimal, term: Term, payment: PaymentOption) -> (Money, MoneyPerHour, &'static str) {
    let hours = term.list_hours();
    let total = effective * hours;
    match payment {
        PaymentOption::NoUpfront => (Money::ZERO, MoneyPerHour::new(effective), ""),
        PaymentOption::AllUpfront => {
            // Half a unit of the last digit given, over the term.
            let slack = Decimal::new(5, effective.scale() + 1) * hours;
            let dollars = total.round();
            let fee = if (total - dollars).abs() <= slack { dollars } else { total.round_dp(2) };
            (Money::new(fee), MoneyPerHour::ZERO, "fee = effective hourly price x hours of the term")
        }
        PaymentOption::PartialUpfront => {
            let upfront = (total / Decimal::TWO).round();
            let recurring = effective - upfront / hours;
            let derived = "half of the effective price is upfront, rounded to whole units of money";
            (Money::new(upfront), MoneyPerHour::new(recurring.round_dp(10)), derived)
        }
    }
}

fn payment_slug(payment: PaymentOption) -> &'static str {
    match payment {
        PaymentOption::NoUpfront => "no-upfront",
        PaymentOption::PartialUpfront => "partial-upfront",
        PaymentOption::AllUpfront => "all-upfront",
    }
}

/// Years, term, class and payment option of a key such as `yrTerm1Standard.noUpfront`.
fn terms(key: &str) -> Option<(u32, Term, OfferingClass, PaymentOption)> {
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

/// A price: a string, or in some files a number.
fn decimal(value: &serde_json::Value) -> Option<Decimal> {
    match value {
        serde_json::Value::String(text) => text.parse().ok().or_else(|| Decimal::from_scientific(text).ok()),
        serde_json::Value::Number(number) => {
            let text = number.to_string();
            text.parse().ok().or_else(|| Decimal::from_scientific(&text).ok())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

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
        use RejectionReason::{AboveOnDemand, NoPrice, UnknownTerms, UnreadablePrice};
        assert_eq!(reasons, [NoPrice, NoPrice, UnreadablePrice, AboveOnDemand, UnknownTerms]);
        assert_eq!(catalog.prices().len(), 3);
    }

    #[test]
    fn windows_and_excluded_families_are_not_size_flexible() {
        let catalog = read(SMALL).unwrap();
        assert!(catalog.price_with_id("us-east-1/m4.large/Windows").unwrap().pools.is_empty());
        assert!(catalog.price_with_id("eu-west-1/g5.xlarge/Linux").unwrap().pools.is_empty());
    }
}
