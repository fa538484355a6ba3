//! Azure: what its meters are called here, what a reservation or savings plan covers of a Windows machine, and the readers of its price
//! lists.
//!
//! A Windows machine is billed as compute and licence. Reservations and savings plans cover the compute alone ("Software costs not
//! included with Azure Reserved VM Instances", Microsoft cost management documentation), which is the Linux meter's price. The
//! catalog therefore holds three prices for a size: `Linux`, `Windows` (the whole machine, which no commitment covers) and `Windows
//! licence` (the difference). [`split_windows`] turns usage of whole Windows machines into compute and licence, so that commitments apply
//! to the first; the sum of money is the same.

pub mod changes;
mod document;
mod meter;
pub mod products;
pub mod retail;
mod size_flexibility;

pub use retail::RetailPrices;
pub use size_flexibility::SizeFlexibility;

use super::parts::{self, Part};
use super::{Catalog, ScopeKind};
use crate::error::Result;
use crate::usage::{Provider, Sku, UsageCurves};
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// The service name of virtual machines in the Retail Prices API.
pub const VIRTUAL_MACHINES: &str = "Virtual Machines";
/// The unit in which machines are metered here: one machine for one hour.
pub const INSTANCE_HOUR: &str = "instance-hour";
/// Platform of the compute meter, whatever runs on it.
pub const LINUX: &str = "Linux";
/// Platform of the meter of a machine with its Windows licence.
pub const WINDOWS: &str = "Windows";
/// Platform of the Windows licence alone.
pub const WINDOWS_LICENCE: &str = "Windows licence";

/// The scopes of reservations and savings plans.
#[must_use]
pub fn scopes() -> BTreeSet<ScopeKind> {
    BTreeSet::from([ScopeKind::Shared, ScopeKind::ManagementGroup, ScopeKind::Subscription, ScopeKind::ResourceGroup])
}

/// The SKU of a virtual machine size.
#[must_use]
pub fn machine_sku(region: &str, arm_sku_name: &str, platform: &str) -> Sku {
    Sku {
        provider: Provider::Azure,
        service: VIRTUAL_MACHINES.into(),
        region: region.into(),
        sku: arm_sku_name.into(),
        platform: platform.into(),
        tenancy: "shared".into(),
        unit: INSTANCE_HOUR.into(),
    }
}

/// Compute and licence of a Windows machine, where the catalog prices both and they add up to the whole; `None` for every other SKU.
/// A Windows meter that has a savings plan rate of its own is no such bundle and stays whole.
#[must_use]
pub fn windows_parts(catalog: &Catalog, sku: &Sku) -> Option<Vec<Part>> {
    if sku.provider != Provider::Azure || sku.platform != WINDOWS {
        return None;
    }
    let whole = catalog.price(sku)?.price;
    let compute = catalog.price(&Sku { platform: LINUX.into(), ..sku.clone() })?;
    let mut parts = vec![Part { sku: compute.sku.clone(), quantity: Decimal::ONE }];
    match catalog.price(&Sku { platform: WINDOWS_LICENCE.into(), ..sku.clone() }) {
        Some(licence) if compute.price + licence.price == whole => {
            parts.push(Part { sku: licence.sku.clone(), quantity: Decimal::ONE });
        }
        None if compute.price == whole => {}
        _ => return None,
    }
    Some(parts)
}

/// The same usage with every Windows machine as compute and licence; see [`windows_parts`].
///
/// # Errors
/// As [`parts::split`].
pub fn split_windows(catalog: &Catalog, usage: &UsageCurves) -> Result<UsageCurves> {
    parts::split(usage, |sku| windows_parts(catalog, sku))
}
