//! The example `reconcile` as a user runs it: exit codes, one JSON object a month, files that the core reads back.

use super::{own, prices};
use covermix::portfolio::Portfolio;
use covermix::usage::UsageCurves;
use covermix_ingest::aws::CostAndUsage;
use std::path::PathBuf;
use std::process::{Command, Output};

/// Runs the example that cargo built beside this test; `None`, with the reason printed, if it was not built.
#[allow(clippy::print_stderr)]
fn run(arguments: &[&str]) -> Option<Output> {
    let test = std::env::current_exe().unwrap();
    let name = format!("reconcile{}", std::env::consts::EXE_SUFFIX);
    let example: PathBuf = test.parent().and_then(|folder| folder.parent()).unwrap().join("examples").join(name);
    if !example.exists() {
        eprintln!("skipped: {} is not built (cargo test builds it unless it is told which targets to test)", example.display());
        return None;
    }
    let catalog = own("prices.json");
    Some(Command::new(example).arg("--catalog").arg(catalog).args(arguments).output().unwrap())
}

#[test]
fn json_is_one_object_a_month() {
    let bill = own("bill-2024-02.csv");
    let Some(output) = run(&["--json", bill.to_str().unwrap()]) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1);
    let month: serde_json::Value = serde_json::from_str(&text).unwrap();
    let keys: Vec<&str> = month.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "month",
        "on_demand_cost",
        "public_on_demand_cost",
        "public_covered_cost",
        "ri_effective_used",
        "ri_recurring_fee",
        "ri_amortized_upfront",
        "unused_upfront",
        "unused_recurring",
        "pool_hours",
        "pool_hours_matching",
    ];
    let mut found = keys;
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(month["month"], "2024-02");
    assert!(month["ri_recurring_fee"].is_number());
}

#[test]
fn the_files_written_are_the_cores() {
    let folder = tempfile::tempdir().unwrap();
    let (usage, portfolio) = (folder.path().join("usage.csv"), folder.path().join("portfolio.json"));
    let bill = own("bill-2024-02.csv");
    let paths = [usage.to_str().unwrap(), portfolio.to_str().unwrap(), bill.to_str().unwrap()];
    let Some(output) = run(&["--usage-out", paths[0], "--portfolio-out", paths[1], paths[2]]) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("2024-02"));
    let read = CostAndUsage::read(&[&bill]).unwrap();
    assert_eq!(UsageCurves::read(&usage).unwrap(), read.instance_usage().unwrap());
    assert_eq!(Portfolio::read(&portfolio, &prices()).unwrap().commitments().len(), 3);
}

#[test]
fn bad_input_ends_with_code_2_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (usage, portfolio) = (folder.path().join("usage.csv"), folder.path().join("portfolio.json"));
    let empty = folder.path().join("empty.csv");
    std::fs::write(&empty, "").unwrap();
    let outs = ["--usage-out", usage.to_str().unwrap(), "--portfolio-out", portfolio.to_str().unwrap()];
    let Some(output) = run(&[&outs[..], &[empty.to_str().unwrap()]].concat()) else { return };
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("error: ") && message.contains("empty.csv"), "{message}");
    assert!(output.stdout.is_empty() && !usage.exists() && !portfolio.exists());
    // The portfolio cannot be written: the usage file goes again.
    let bill = own("bill-2024-02.csv");
    let blocked = empty.join("portfolio.json");
    let arguments =
        ["--usage-out", usage.to_str().unwrap(), "--portfolio-out", blocked.to_str().unwrap(), bill.to_str().unwrap()];
    let Some(output) = run(&arguments) else { return };
    assert_eq!(output.status.code(), Some(2));
    assert!(!usage.exists());
}

#[test]
fn what_is_left_out_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    std::fs::write(&path, super::BILL.replace("m5.xlarge", "m9.xlarge")).unwrap();
    let Some(output) = run(&["--json", path.to_str().unwrap()]) else { return };
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("m9.xlarge"));
    let Some(output) = run(&["--json", "--exclude-unknown", path.to_str().unwrap()]) else { return };
    assert!(output.status.success());
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(notes.contains("left out, no price in the catalog: aws/AmazonEC2/us-east-1/m9.xlarge"), "{notes}");
    assert!(notes.contains("on-demand spend 0.19"), "{notes}");
}
