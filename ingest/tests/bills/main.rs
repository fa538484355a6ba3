//! Bills read as their users would: an invented one in `tests/data`, hostile variants of it, and the real one of the shared data where that
//! is at hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod azure;
mod example;
mod formats;
mod fuzz;
mod google;
mod hostile;
mod owners;
mod real;
mod round_trip;
mod scale;
mod sessions;
mod small;
mod stores;
mod synthetic;
mod torture;

use covermix::catalog::Catalog;
use std::path::{Path, PathBuf};

/// The invented bill.
pub(crate) const BILL: &str = include_str!("../data/bill-2024-02.csv");

/// A file of the tests' own data.
pub(crate) fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// The invented prices.
pub(crate) fn prices() -> Catalog {
    Catalog::read(own("prices.json")).unwrap()
}

/// A file of the shared data; `None`, with the reason printed, if it is not at hand.
#[allow(clippy::print_stderr)]
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("COVERMIX_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let path = folder.join("data").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there (set COVERMIX_SHARED)", path.display());
    None
}

/// The cells of the invented bill, header first.
pub(crate) fn table() -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(BILL.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// Writes cells as CSV.
pub(crate) fn write(path: &Path, table: &[Vec<String>]) {
    let mut writer = csv::Writer::from_path(path).unwrap();
    for row in table {
        writer.write_record(row).unwrap();
    }
    writer.flush().unwrap();
}

/// The position of a column.
pub(crate) fn position(table: &[Vec<String>], column: &str) -> usize {
    table[0].iter().position(|header| header == column).unwrap()
}

/// Sets a column in the rows that `which` accepts.
pub(crate) fn set(table: &mut [Vec<String>], column: &str, value: &str, which: impl Fn(&[String]) -> bool) {
    let position = position(table, column);
    for row in table.iter_mut().skip(1).filter(|row| which(row)) {
        row[position] = value.to_owned();
    }
}

/// Removes a column.
pub(crate) fn remove(table: &mut [Vec<String>], column: &str) {
    let position = position(table, column);
    for row in table {
        row.remove(position);
    }
}

/// Asserts that two figures agree to 1e-4, as golden figures are compared.
#[track_caller]
pub(crate) fn agree(name: &str, found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-4, "{name}: {found}, not {expected}");
}
