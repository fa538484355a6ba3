//! AWS: what is interchangeable with what, and the readers of its price lists.
//!
//! Rules from the EC2 User Guide, "How Reserved Instances are applied" (edition read in 2026-06) and the Savings Plans User Guide.

pub mod capacity_block;
pub(super) mod ec2instances;
pub(super) mod price_list;
pub(super) mod price_list_csv;
pub(super) mod pricing_page;
pub mod regions;
pub(super) mod savings_plans;
pub mod services;
pub mod size_flexibility;
pub(super) mod spot;
mod terms;

use super::draft::PlanKey;
use super::format::{Format, Outline};
use super::{PaymentOption, PoolUnits, Right, ScopeKind};
use crate::time::Term;
use crate::units::Units;
use crate::usage::{Provider, Sku};
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// The service code of EC2, as in the bill and the price list.
pub const EC2: &str = "AmazonEC2";
/// The unit in which running instances are metered here: one instance for one hour.
pub const INSTANCE_HOUR: &str = "instance-hour";
/// Plan type of Compute Savings Plans.
pub const COMPUTE_PLAN: &str = "Compute";
/// Plan type of EC2 Instance Savings Plans.
pub const EC2_INSTANCE_PLAN: &str = "EC2Instance";

/// Plan type of SageMaker Savings Plans.
pub const SAGEMAKER_PLAN: &str = "SageMaker";
/// Plan type of Database Savings Plans.
pub const DATABASE_PLAN: &str = "Database";

/// The terms AWS sells commitments for.
pub const TERMS: [(u32, Term); 2] = [(1, Term::AWS_ONE_YEAR), (3, Term::AWS_THREE_YEARS)];

/// The class of a Reserved Instance. It has no effect on how the discount applies, only on what the owner may do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OfferingClass {
    /// May be modified and resold.
    Standard,
    /// May be modified and exchanged.
    Convertible,
}

impl OfferingClass {
    /// As in the price list: `standard`, `convertible`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Convertible => "convertible",
        }
    }

    /// What the owner of such a Reserved Instance may do with it.
    #[must_use]
    pub fn rights(self) -> BTreeSet<Right> {
        match self {
            Self::Standard => BTreeSet::from([Right::Modification, Right::Resale]),
            Self::Convertible => BTreeSet::from([Right::Modification, Right::Exchange]),
        }
    }
}

/// The scopes of EC2 Reserved Instances.
#[must_use]
pub fn reserved_instance_scopes() -> BTreeSet<ScopeKind> {
    BTreeSet::from([ScopeKind::Region, ScopeKind::AvailabilityZone])
}

/// The SKU of an EC2 instance type.
#[must_use]
pub fn instance_sku(region: &str, instance_type: &str, platform: &str, tenancy: &str) -> Sku {
    Sku {
        provider: Provider::Aws,
        service: EC2.into(),
        region: region.into(),
        sku: instance_type.into(),
        platform: platform.into(),
        tenancy: tenancy.into(),
        unit: INSTANCE_HOUR.into(),
    }
}

/// The family of an instance or node type: all before the size (`m5`, `m5d` and `r6gd` are different families; `db.r5`, `cache.r6g`).
#[must_use]
pub fn family(instance_type: &str) -> &str {
    let class =
        ["db.", "cache.", "ml.", "dms."].iter().find(|class| instance_type.starts_with(**class)).map_or(0, |class| class.len());
    instance_type[class..].find('.').map_or(instance_type, |dot| &instance_type[..class + dot])
}

/// The size-flexible pool of an instance type, with its normalisation factor: Linux, shared tenancy, a family that was not excluded on
/// a day (today's rules without one). `None` where a regional Reserved Instance covers the exact type only.
#[must_use]
pub fn pool(sku: &Sku, day: Option<NaiveDate>) -> Option<PoolUnits> {
    let edition = size_flexibility::edition(day);
    let factor = edition.factor(&sku.sku)?;
    let is_flexible = sku.platform == "Linux" && sku.tenancy == "shared" && !edition.is_excluded(&sku.sku);
    is_flexible.then(|| PoolUnits {
        pool: format!("aws/{}/{}/{}/{}/{}", sku.service, sku.region, family(&sku.sku), sku.platform, sku.tenancy),
        units: Units::new(factor),
    })
}

/// The service that sells a type of plan.
fn plan_service(plan: &str) -> String {
    match plan {
        SAGEMAKER_PLAN => "MachineLearningSavingsPlans".into(),
        other => format!("{other}SavingsPlans"),
    }
}

/// What makes a Savings Plan one offer; only EC2 Instance plans are limited to a region and family.
fn plan_key(plan: String, region: &str, family: &str, years: u32, payment_option: PaymentOption) -> PlanKey {
    let is_limited = plan == EC2_INSTANCE_PLAN;
    PlanKey {
        service: plan_service(&plan),
        region: if is_limited { region.into() } else { String::new() },
        family: if is_limited { family.into() } else { String::new() },
        years,
        payment_option,
        plan,
    }
}

/// Recognises AWS's JSON formats.
pub(super) fn recognise_json(outline: &Outline) -> Option<Format> {
    let formats: [(&[&str], Format); 9] = [
        (&["instance_type"], Format::Ec2Instances),
        (&["SpotPriceHistory"], Format::AwsSpotHistory),
        (&["PriceList"], Format::AwsGetProducts),
        (&["product"], Format::AwsGetProducts),
        (&["searchResults"], Format::AwsSavingsPlanRates),
        (&["manifest", "regions"], Format::AwsPricingPage),
        (&["instance_types", "ranges"], Format::AwsSpotAdvisor),
        (&["instance_types"], Format::AwsSpotAdvisor),
        (&["vers", "config"], Format::AwsSpotFeed),
    ];
    if outline.is_array && outline.first_is_text {
        return Some(Format::AwsGetProducts);
    }
    match outline.kind("products") {
        Some(b'{') => return Some(Format::AwsPriceList),
        Some(b'[') => return Some(Format::AwsSavingsPlans),
        _ => {}
    }
    formats.iter().find(|(keys, _)| keys.iter().all(|key| outline.has(key))).map(|(_, format)| *format)
}

/// Recognises AWS's formats that are not JSON, by their first line.
pub(super) fn recognise_text(text: &str) -> Option<Format> {
    if text.starts_with("callback(") {
        return Some(Format::AwsSpotFeed);
    }
    let lines: Vec<String> = text.lines().take(8).map(|line| line.replace(['"', ' ', '_'], "").to_lowercase()).collect();
    let header = lines.iter().find(|line| line.starts_with("sku,"));
    match header {
        Some(line) if line.contains("discountedrate") => Some(Format::AwsSavingsPlansCsv),
        Some(line) if line.contains("offertermcode") => Some(Format::AwsPriceListCsv),
        Some(line) if line.contains("usagetype") && line.contains("price") => Some(Format::AwsSkuTable),
        Some(_) => None,
        None => lines.first().filter(|line| line.starts_with("formatversion,")).map(|_| Format::AwsPriceListCsv),
    }
}
