//! `ingest`: from a bill to the files that the other subcommands read.

use super::{errors, json, number, repository, run, text};
use serde_json::Value;
use std::fs;
use std::path::Path;

fn own(name: &str) -> String {
    repository("ingest/tests/data").join(name).to_str().unwrap().to_owned()
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

const RULES: &str = "[[rule]]\nowner = \"team/$1\"\naccount = \"^(1+|2+)$\"\n";

#[test]
fn a_bill_becomes_curves_portfolio_and_reconciliation() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("owners.toml"), RULES).unwrap();
    let (bill, prices) = (own("bill-2024-02.csv"), own("prices.json"));
    let arguments = ["ingest", &bill, "--catalog", &prices, "--owners", "owners.toml", "--exclude-unknown", "--out", "made/bill"];
    let document = json(folder.path(), &arguments, 0);
    assert_eq!((&document["schema"], &document["currency"]), (&"covermix-ingest/1".into(), &"USD".into()));
    assert_eq!(document["months"], serde_json::json!(["2024-02"]));

    // The total is the plain sum of the bill's column of costs.
    let mut reader = csv::Reader::from_path(&bill).unwrap();
    let column = reader.headers().unwrap().iter().position(|name| name == "lineItem/UnblendedCost").unwrap();
    let costs: Vec<f64> = reader.records().map(|row| row.unwrap()[column].parse().unwrap_or(0.0)).collect();
    let reconciliation = &document["reconciliation"];
    assert_eq!(reconciliation["rows"].as_u64(), Some(costs.len() as u64));
    assert!((number(&reconciliation["cost"]) - costs.iter().sum::<f64>()).abs() < 1e-9);
    let entries = reconciliation["entries"].as_array().unwrap();
    let of = |field: &str| entries.iter().map(|entry| number(&entry[field])).sum::<f64>();
    assert!(
        (of("rows") - number(&reconciliation["rows"])).abs() < 1e-9
            && (of("cost") - number(&reconciliation["cost"])).abs() < 1e-9
    );
    assert!((number(&document["money"]["billed"]) - number(&reconciliation["cost"])).abs() < 1e-9);

    // What is printed is what is written.
    let made = folder.path().join("made/bill");
    assert_eq!(&read(&made.join("reconciliation.json")), reconciliation);
    assert_eq!(read(&made.join("portfolio.json")), document["portfolio"]);
    assert_eq!(read(&made.join("owners.json")), document["owners"]);
    assert!(number(&document["owners"]["coverage"]) > 0.0);
    assert!(!document["portfolio"]["commitments"].as_array().unwrap().is_empty());
    for (name, path) in document["written"].as_object().unwrap() {
        assert!(folder.path().join(path.as_str().unwrap()).is_file(), "{name}");
    }
    let printed = text(folder.path(), &arguments);
    for word in [
        "AWS Cost and Usage Report of 2024-02, in USD",
        "total",
        "effective savings rate",
        "owner",
        "note: ",
        "written: made/bill/usage.csv.gz",
    ] {
        assert!(printed.contains(word), "`{word}` is not in:\n{printed}");
    }

    // Rounded, not cut off.
    assert!(printed.contains(&format!(
        "billed {:.2}, amortised {:.2} USD",
        number(&document["money"]["billed"]),
        number(&document["money"]["effective"])
    )));

    // The other subcommands read what it wrote.
    let written = [
        "--usage",
        "made/bill/usage.csv.gz",
        "--catalog",
        &prices,
        "--portfolio",
        "made/bill/portfolio.json",
        "--exclude-unknown",
    ];
    let replay = json(folder.path(), &[&["replay"], &written[..]].concat(), 0);
    assert_eq!(replay["hours"].as_f64(), Some(29.0 * 24.0));
    assert_eq!(replay["commitments"].as_array().unwrap().len(), document["portfolio"]["commitments"].as_array().unwrap().len());
    json(folder.path(), &[&["recommend"], &written[..]].concat(), 0);
}

#[test]
fn commitments_without_a_price_are_refused_or_left_out_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let bill = own("bill-2024-02.csv");
    // Prices without the machines that are reserved.
    let prices =
        r#"[{"instance_type": "t2.micro", "pricing": {"us-east-1": {"linux": {"ondemand": "0.0116", "reserved": {}}}}}]"#;
    fs::write(folder.path().join("few.json"), prices).unwrap();
    let output = run(folder.path(), &["ingest", &bill, "--catalog", "few.json", "--out", "made"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("on-demand price") && !folder.path().join("made").exists(), "{}", errors(&output));
    let document = json(folder.path(), &["ingest", &bill, "--catalog", "few.json", "--exclude-unknown"], 0);
    let notes = document["notes"].to_string();
    assert!(notes.contains("not in the portfolio"), "{notes}");
    assert!(!document["usage"]["unpriced"].as_array().unwrap().is_empty());
}

#[test]
fn a_bill_by_the_day_is_spread_on_request_alone() {
    let folder = tempfile::tempdir().unwrap();
    let bill = own("azure.csv");
    let output = run(folder.path(), &["ingest", &bill, "--out", "made"]);
    assert_eq!(output.status.code(), Some(2), "{}", errors(&output));
    assert!(errors(&output).contains("--spread") && !folder.path().join("made").exists(), "{}", errors(&output));
    // Without a folder everything else of the bill is told.
    let document = json(folder.path(), &["ingest", &bill], 0);
    assert!(document["usage"].is_null() && document["no_usage_because"].as_str().unwrap().contains("--spread"));
    assert!(number(&document["reconciliation"]["cost"]) > 0.0);
    let spread = json(folder.path(), &["ingest", &bill, "--spread", "--out", "made"], 0);
    assert!(spread["usage"]["hours"].as_u64().unwrap() >= 24 && folder.path().join("made/usage.csv.gz").is_file());
}

#[test]
fn the_query_is_printed_for_each_warehouse() {
    let folder = tempfile::tempdir().unwrap();
    let bill = own("bill-2024-02.csv");
    for dialect in ["athena", "bigquery", "snowflake", "duckdb"] {
        let sql = text(folder.path(), &["ingest", &bill, "--print-sql", dialect, "--table", "billing.cur"]);
        assert!(sql.contains("SELECT") && sql.contains("FROM billing.cur"), "{sql}");
        let document = json(folder.path(), &["ingest", &bill, "--print-sql", dialect, "--table", "billing.cur"], 0);
        assert_eq!((&document["dialect"], document["sql"].as_str().unwrap().trim()), (&dialect.into(), sql.trim()));
    }
    assert_eq!(run(folder.path(), &["ingest", &bill, "--print-sql", "oracle"]).status.code(), Some(2));
}

#[test]
fn a_file_that_is_no_bill_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("list.csv"), "name,amount\napples,3\n").unwrap();
    let output = run(folder.path(), &["ingest", "list.csv", "--out", "made"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("list.csv") && errors(&output).contains("give an export"), "{}", errors(&output));
    assert!(!folder.path().join("made").exists());
}
