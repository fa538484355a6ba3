//! Google Cloud: what its resources are called here, how machines are turned into resources, and the readers of its prices.
//!
//! Resource-based committed use discounts are bought per vCPU, GiB of memory, GPU and GiB of local SSD, in one region and machine series
//! ("Purchase resource-based commitments", Compute Engine documentation); vCPU and memory are matched separately. Bills and price lists
//! name machine types as often as resources, so the catalog holds both prices: of the machine (`n2-standard-4`, which no commitment
//! covers) and of its resources (`N2 vCPU`, `N2 memory`). [`split_machines`] turns usage of machines into usage of resources.

pub mod billing_catalog;
pub mod description;
pub mod machine_types;
pub mod pricing;
mod solve;
pub mod spend_discounts;
pub mod sustained_use;

pub use billing_catalog::BillingCatalog;
pub use machine_types::MachineTypes;
pub use pricing::Pricing;
pub use spend_discounts::{SpendDiscounts, SpendModel};

use super::parts::{self, Part};
use super::{Benefit, Catalog, Lot, Offer, OnDemandPrice, Origin, PaymentOption, PoolUnits, RejectionReason, Right, ScopeKind};
use crate::error::Result;
use crate::time::Term;
use crate::units::{Money, MoneyPerHour, UnitPrice, Units};
use crate::usage::{Provider, Sku, UsageCurves};
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::fmt;

/// The service name of Compute Engine.
pub const COMPUTE_ENGINE: &str = "Compute Engine";
/// The unit of a machine: one for one hour.
pub const INSTANCE_HOUR: &str = "instance-hour";
/// The terms of resource-based commitments.
pub const TERMS: [Term; 2] = [Term::Months(12), Term::Months(36)];

/// A resource that is priced, and committed to, by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// A vCPU of a series, in vCPU-hours.
    Cpu,
    /// A vCPU with all that every machine type of the series has in the same proportion to it, where the price list does not tell their
    /// prices apart: `C2 vCPU with memory`.
    CpuBundle(BTreeSet<Resource>),
    /// Memory of a series, in GiB-hours.
    Memory,
    /// A GPU of a model (`A100`), in GPU-hours.
    Gpu(String),
    /// Local SSD, in GiB-hours.
    LocalSsd,
}

impl Resource {
    /// The unit of quantity.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Cpu | Self::CpuBundle(_) => "vCPU-hour",
            Self::Memory | Self::LocalSsd => "GiB-hour",
            Self::Gpu(_) => "GPU-hour",
        }
    }

    /// Whether commitments of it can be merged and split: not where they need attached reservations (GPU, local SSD).
    fn can_be_split(&self) -> bool {
        matches!(self, Self::Cpu | Self::CpuBundle(_) | Self::Memory)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("vCPU"),
            Self::CpuBundle(others) => {
                let names: Vec<String> = others.iter().map(Self::to_string).collect();
                write!(f, "vCPU with {}", names.join(" and "))
            }
            Self::Memory => f.write_str("memory"),
            Self::Gpu(model) => write!(f, "{model} GPU"),
            Self::LocalSsd => f.write_str("local SSD"),
        }
    }
}

/// The series that a commitment for this series' resources is of: custom N1 machines are covered by N1 commitments.
fn commitment_series(series: &str) -> &str {
    series.trim_end_matches(" custom")
}

/// Series whose local SSD is a SKU of its own; all others share one.
const OWN_LOCAL_SSD: [&str; 3] = ["C4", "C4A", "C4D"];

/// The SKU of a resource: `N2 vCPU`, `N2 custom memory`, `A100 GPU`, `local SSD`.
#[must_use]
pub fn resource_sku(region: &str, series: &str, resource: &Resource) -> Sku {
    let is_common = match resource {
        Resource::Gpu(_) => true,
        Resource::LocalSsd => !OWN_LOCAL_SSD.contains(&series),
        Resource::Cpu | Resource::CpuBundle(_) | Resource::Memory => false,
    };
    let name = if is_common || series.is_empty() { resource.to_string() } else { format!("{series} {resource}") };
    compute_sku(region, &name, resource.unit())
}

/// The SKU of a machine type.
#[must_use]
pub fn machine_sku(region: &str, machine_type: &str) -> Sku {
    compute_sku(region, machine_type, INSTANCE_HOUR)
}

fn compute_sku(region: &str, name: &str, unit: &str) -> Sku {
    Sku {
        provider: Provider::Gcp,
        service: COMPUTE_ENGINE.into(),
        region: region.into(),
        sku: name.into(),
        platform: String::new(),
        tenancy: String::new(),
        unit: unit.into(),
    }
}

/// The pool of a resource: its region, the series of the commitment, and the resource; one unit for one unit.
fn resource_pool(region: &str, series: &str, resource: &Resource) -> PoolUnits {
    let sku = resource_sku(region, commitment_series(series), resource);
    PoolUnits { pool: format!("gcp/{COMPUTE_ENGINE}/{region}/{}", sku.sku), units: Units::new(Decimal::ONE) }
}

/// The on-demand price of a resource.
fn resource_price(region: &str, series: &str, resource: &Resource, price: Decimal, provider_id: &str) -> OnDemandPrice {
    let sku = resource_sku(region, series, resource);
    OnDemandPrice {
        id: sku.to_string(),
        price: UnitPrice::new(price),
        family: commitment_series(series).to_owned(),
        pools: vec![resource_pool(region, series, resource)],
        provider_id: provider_id.to_owned(),
        list_price: None,
        origin: Origin::default(),
        sku,
    }
}

/// The scopes of commitments: the project that bought it, or all of the billing account with discount sharing.
#[must_use]
pub fn scopes() -> BTreeSet<ScopeKind> {
    BTreeSet::from([ScopeKind::Project, ScopeKind::Shared])
}

/// What is known of a committed price, beside the price.
struct Committed<'a> {
    region: &'a str,
    series: &'a str,
    resource: &'a Resource,
    term: Term,
    /// For one unit and hour.
    price: Decimal,
    provider_id: &'a str,
    derived: &'a str,
}

/// A resource-based commitment: nothing upfront, whole units, no exchange or refund; merge and split where the resource allows it.
fn resource_offer(committed: &Committed<'_>) -> Offer {
    let Committed { region, series, resource, term, price, provider_id, derived } = committed;
    let sku = resource_sku(region, commitment_series(series), resource);
    let rights = if resource.can_be_split() { BTreeSet::from([Right::Modification]) } else { BTreeSet::new() };
    Offer {
        id: format!("{sku}/commitment/{}m", term.nominal_months()),
        provider: Provider::Gcp,
        service: COMPUTE_ENGINE.into(),
        region: (*region).to_owned(),
        benefit: Benefit::Reservation { sku: sku.to_string(), pool: Some(resource_pool(region, series, resource)) },
        term: *term,
        payment_option: PaymentOption::NoUpfront,
        upfront: Money::ZERO,
        recurring: MoneyPerHour::new(*price),
        scopes: scopes(),
        rights,
        purchasable_from: None,
        purchasable_until: None,
        derived: (*derived).to_owned(),
        lot: Some(Lot { minimum: Decimal::ONE, increment: Decimal::ONE }),
        provider_id: (*provider_id).to_owned(),
        origin: Origin::default(),
    }
}

/// The prices of the two terms, each checked against on demand and against the other; hourly, in the order of [`TERMS`].
///
/// A price of 0 means that the source had none, and then the other term's is not to be trusted either: in a widely used list of 2022-02
/// every E2 machine had a 3-year price of 0 and a 1-year price a quarter too low. A 1-year price that is not above the 3-year price is no
/// commitment price.
fn check_terms(on_demand: Decimal, terms: [Option<Decimal>; 2]) -> [Option<Result<Decimal, RejectionReason>>; 2] {
    let [one, three] = terms;
    let is_zero = |price: Option<Decimal>| price.is_some_and(|price| price <= Decimal::ZERO);
    let is_not_above = one.zip(three).is_some_and(|(one, three)| one < three);
    let is_equal = one.zip(three).is_some_and(|(one, three)| one == three);
    let check = |price: Option<Decimal>, other: Option<Decimal>, is_out_of_order: bool| {
        price.map(|price| {
            if price <= Decimal::ZERO {
                Err(RejectionReason::NoPrice)
            } else if is_zero(other) || is_out_of_order {
                Err(RejectionReason::Implausible)
            } else if price > on_demand {
                Err(RejectionReason::AboveOnDemand)
            } else {
                Ok(price)
            }
        })
    };
    [check(one, three, is_not_above || is_equal), check(three, one, is_equal)]
}

/// The resources of a machine, where the table knows the type and the catalog prices every one of them; `None` for every other SKU.
#[must_use]
pub fn machine_parts(catalog: &Catalog, types: &MachineTypes, sku: &Sku) -> Option<Vec<Part>> {
    if sku.provider != Provider::Gcp || sku.service != COMPUTE_ENGINE || sku.unit != INSTANCE_HOUR || !sku.platform.is_empty() {
        return None;
    }
    let parts = types.parts(&sku.region, &sku.sku)?;
    parts.iter().all(|part| catalog.price(&part.sku).is_some()).then_some(parts)
}

/// The same usage with machines as vCPU, memory, GPU and local SSD; see [`machine_parts`].
///
/// # Errors
/// As [`parts::split`].
pub fn split_machines(catalog: &Catalog, types: &MachineTypes, usage: &UsageCurves) -> Result<UsageCurves> {
    parts::split(usage, |sku| machine_parts(catalog, types, sku))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    #[test]
    fn terms_are_checked_against_each_other() {
        use RejectionReason::{AboveOnDemand, Implausible, NoPrice};
        let check = |one, three| check_terms(dec!(1), [one, three]);
        assert_eq!(check(Some(dec!(0.63)), Some(dec!(0.45))), [Some(Ok(dec!(0.63))), Some(Ok(dec!(0.45)))]);
        assert_eq!(check(Some(dec!(0.4)), Some(dec!(0))), [Some(Err(Implausible)), Some(Err(NoPrice))]);
        assert_eq!(check(Some(dec!(0.4)), Some(dec!(0.5))), [Some(Err(Implausible)), Some(Ok(dec!(0.5)))]);
        assert_eq!(check(Some(dec!(0.7)), Some(dec!(0.7))), [Some(Err(Implausible)), Some(Err(Implausible))]);
        assert_eq!(check(Some(dec!(1.2)), None), [Some(Err(AboveOnDemand)), None]);
        assert_eq!(check(None, Some(dec!(0.5))), [None, Some(Ok(dec!(0.5)))]);
    }

    #[test]
    fn resources_have_the_names_of_bills() {
        let name = |series: &str, resource: &Resource| resource_sku("us-central1", series, resource).sku;
        assert_eq!(name("N2", &Resource::Cpu), "N2 vCPU");
        assert_eq!(name("A2", &Resource::Gpu("A100".into())), "A100 GPU");
        assert_eq!(name("C3", &Resource::LocalSsd), "local SSD");
        assert_eq!(name("C4A", &Resource::LocalSsd), "C4A local SSD");
        assert_eq!(name("C2", &Resource::CpuBundle([Resource::Memory].into())), "C2 vCPU with memory");
        assert_eq!(resource_pool("r", "N1 custom", &Resource::Cpu).pool, "gcp/Compute Engine/r/N1 vCPU");
    }
}
