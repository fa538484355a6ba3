//! Things that are metered as a whole but committed to in parts: an Azure Windows machine is compute and licence, a Google machine is
//! vCPU, memory, GPU and local SSD. Splitting usage into its parts lets commitments apply to each part, as the provider bills it.

use super::gcp::MachineTypes;
use super::{Catalog, azure, gcp};
use crate::error::Result;
use crate::units::to_f64;
use crate::usage::{Sku, UsageCurves, UsageLine};
use ndarray::Array2;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// One part of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub sku: Sku,
    /// How many units of it one unit of the whole has.
    pub quantity: Decimal,
}

/// The usage with each line for which `parts_of` gives parts replaced by lines of its parts. Lines that become the same stream are added
/// up; account, zone, pricing category and tags stay, and a price that the bill showed for the whole is dropped.
///
/// # Errors
/// As [`UsageCurves::new`] and [`UsageCurves::with_weights`]; none for curves that were valid, unless a sum is not finite.
pub fn split(usage: &UsageCurves, parts_of: impl Fn(&Sku) -> Option<Vec<Part>>) -> Result<UsageCurves> {
    // Which lines, times what, make up each new line. Lines that stay keep their billed price beside lines that are new.
    let mut sources: BTreeMap<UsageLine, Vec<(usize, f64)>> = BTreeMap::new();
    let mut billed: BTreeMap<UsageLine, UsageLine> = BTreeMap::new();
    for (column, line) in usage.lines().iter().enumerate() {
        let plain = UsageLine { billed_price: None, ..line.clone() };
        match parts_of(&line.sku) {
            None => {
                sources.entry(plain.clone()).or_default().push((column, 1.0));
                billed.insert(plain, line.clone());
            }
            Some(parts) => {
                for part in parts {
                    let key = UsageLine { sku: part.sku, ..plain.clone() };
                    sources.entry(key).or_default().push((column, to_f64(part.quantity)));
                }
            }
        }
    }
    let hours = usage.grid().count;
    let mut quantity = Array2::zeros((hours, sources.len()));
    for (mut target, columns) in quantity.columns_mut().into_iter().zip(sources.values()) {
        for (column, factor) in columns {
            target.scaled_add(*factor, &usage.quantity().column(*column));
        }
    }
    let lines = sources.into_keys().map(|line| billed.remove(&line).unwrap_or(line)).collect();
    UsageCurves::new(usage.grid(), lines, quantity)?.with_weights(usage.weights().clone())
}

/// The usage as the providers bill it: every Azure Windows machine as compute and licence, and every Google machine as its resources,
/// where the catalog prices the parts. Commitments cover parts alone, so that usage goes through this once before it is planned for;
/// doing it again changes nothing. Without machine types Google's machines stay whole.
///
/// # Errors
/// As [`split`].
pub fn split_bundles(catalog: &Catalog, types: Option<&MachineTypes>, usage: &UsageCurves) -> Result<UsageCurves> {
    split(usage, |sku| azure::windows_parts(catalog, sku).or_else(|| gcp::machine_parts(catalog, types?, sku)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Hour, HourGrid};
    use crate::usage::Provider;
    use ndarray::array;
    use rust_decimal::dec;

    fn sku(name: &str) -> Sku {
        Sku {
            provider: Provider::Gcp,
            service: "Compute Engine".into(),
            region: "us-central1".into(),
            sku: name.into(),
            platform: String::new(),
            tenancy: String::new(),
            unit: String::new(),
        }
    }

    #[test]
    fn parts_are_added_up_by_stream() {
        let lines = ["a", "b", "memory"].map(|name| UsageLine::new(sku(name), "project")).to_vec();
        let grid = HourGrid { first: Hour::from_epoch(0), count: 2 };
        let usage = UsageCurves::new(grid, lines, array![[1.0, 2.0, 5.0], [0.5, 0.0, 6.0]]).unwrap();
        let parts = |wanted: &Sku| match wanted.sku.as_str() {
            "a" => Some(vec![Part { sku: sku("cpu"), quantity: dec!(2) }, Part { sku: sku("memory"), quantity: dec!(8) }]),
            "b" => Some(vec![Part { sku: sku("cpu"), quantity: dec!(4) }]),
            _ => None,
        };
        let split = split(&usage, parts).unwrap();
        let names: Vec<_> = split.lines().iter().map(|line| line.sku.sku.as_str()).collect();
        assert_eq!(names, ["cpu", "memory"]);
        assert_eq!(split.quantity(), array![[10.0, 13.0], [1.0, 10.0]]);
    }
}
