//! The example `gpu_capacity`, which ends in assertions of its own: it succeeds, and its JSON holds what its table says.

#![cfg(feature = "highs")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The example's program, built beside the test by `cargo test`.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().join("examples").join("gpu_capacity")
}

#[test]
fn it_compares_ways_to_buy_and_names_its_sources() {
    let output = Command::new(program()).arg("--json").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = json["capacity"].as_array().unwrap();
    for way in ["on demand", "1-year", "3-year", "capacity block", "spot"] {
        for work in ["training", "inference"] {
            let found = rows.iter().find(|row| row["work"] == work && row["way"].as_str().unwrap().contains(way)).unwrap();
            assert!(found["per_1k_tokens"].as_f64().unwrap() > 0.0);
        }
    }
    assert!(json["joint"]["gap"].as_f64().unwrap() < 0.01 && json["joint"]["cost_of_the_year"].as_f64().unwrap() > 0.0);
    assert!(json["sources"].as_array().unwrap().len() >= 3);
    let table = Command::new(program()).output().unwrap();
    assert!(table.status.success() && String::from_utf8_lossy(&table.stdout).contains("break-even"));
}
