//! The program as its users meet it: every subcommand on small files, text and JSON, exit codes, errors with their remedy, pipes that close, and
//! Ctrl-C.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::float_cmp, missing_docs)]

mod held;
#[cfg(feature = "ingest")]
mod ingest;
mod plan;
mod prices;
mod shell;

use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A few offers for m5 in one region.
pub(crate) const CATALOG: &str = include_str!("../../../tests/data/catalog.json");

const HEADER: &str = "hour,provider,service,region,sku,platform,tenancy,unit,account,quantity\n";

/// The program, in a folder.
pub(crate) fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_covermix"));
    command.current_dir(folder).args(arguments);
    command
}

/// Runs it.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    program(folder, arguments).output().unwrap()
}

/// What it printed, where it has to succeed.
pub(crate) fn text(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", errors(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The one JSON document that it printed with `--json`, with an exit code.
pub(crate) fn json(folder: &Path, arguments: &[&str], code: i32) -> Value {
    let output = run(folder, &[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", errors(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
}

pub(crate) fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The number behind text such as `"0.096"`, or a JSON number.
pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("{value} is no number"))
}

/// A folder with `usage.csv` (m5.large: 5 by night, 8 by day), `catalog.json` and `portfolio.json` (two reservations).
pub(crate) fn folder(days: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("usage.csv"), usage(days, |hour| if hour % 24 < 12 { 8.0 } else { 5.0 })).unwrap();
    fs::write(folder.path().join("catalog.json"), CATALOG).unwrap();
    fs::write(folder.path().join("portfolio.json"), PORTFOLIO).unwrap();
    folder
}

/// Two reservations from before the usage to after it.
pub(crate) const PORTFOLIO: &str = r#"{"schema": "covermix-portfolio/1", "currency": "USD", "commitments": [{
    "id": "two", "offer": "ri/us-east-1/m5.large/Linux/1y-standard-no-upfront", "quantity": "2",
    "start": "2023-06-01T00:00:00Z", "end": "2024-05-31T00:00:00Z", "account": "a", "scope": {"kind": "region"}}]}"#;

/// Usage of m5.large from 2024-01-01 on.
pub(crate) fn usage(days: u32, quantity: impl Fn(u32) -> f64) -> String {
    let mut text = HEADER.to_owned();
    let first = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
    for hour in 0..24 * days {
        let start = (first + chrono::Duration::hours(i64::from(hour))).format("%Y-%m-%dT%H:%M:%SZ");
        let quantity = quantity(hour);
        writeln!(text, "{start},aws,AmazonEC2,us-east-1,m5.large,Linux,shared,instance-hour,a,{quantity}").unwrap();
    }
    text
}

/// A file of the repository.
pub(crate) fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}
