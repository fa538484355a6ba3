//! `covermix recommend` as its users meet it: a table and a report for good input; for bad input exit code 2, a message that names file, line, field and
//! remedy, and nothing written.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test may fail by panic")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use test_case::test_case;

const CATALOG: &str = include_str!("../../tests/data/catalog.json");
const HEADER: &str = "hour,provider,service,region,sku,platform,tenancy,unit,account,quantity\n";

fn rows(hours: u32, quantity: impl Fn(u32) -> String) -> String {
    let mut text = HEADER.to_owned();
    for hour in 0..hours {
        let (day, clock) = (1 + hour.div_euclid(24), hour % 24);
        let quantity = quantity(hour);
        writeln!(
            text,
            "2024-01-{day:02}T{clock:02}:00:00Z,aws,AmazonEC2,us-east-1,m5.large,Linux,shared,instance-hour,a,{quantity}"
        )
        .unwrap();
    }
    text
}

fn run(folder: &Path, usage: &str, catalog: &str, more: &[&str]) -> Output {
    fs::write(folder.join("usage.csv"), usage).unwrap();
    fs::write(folder.join("catalog.json"), catalog).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_covermix"));
    command
        .current_dir(folder)
        .args(["recommend", "--usage", "usage.csv", "--catalog", "catalog.json", "--out", "out"])
        .args(more);
    command.output().unwrap()
}

#[test]
fn a_plan_is_printed_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let usage = rows(72, |hour| if hour % 24 < 12 { "8".into() } else { "5".into() });
    let output = run(folder.path(), &usage, CATALOG, &[]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for word in ["offer", "upfront", "even in month", "lower bound", "Gap", "effective savings rate"] {
        assert!(printed.contains(word), "`{word}` is not in:\n{printed}");
    }
    let plan: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("out/recommendation.json")).unwrap()).unwrap();
    for key in ["lower_bound", "billed_cost", "gap", "savings", "purchases"] {
        assert!(!plan[key].is_null(), "no {key}");
    }
    assert!(plan["gap"].as_f64().unwrap() <= 1e-3 && plan["savings"].as_f64().unwrap() > 0.0);
    for form in ["csv", "html", "md"]
        .map(|end| format!("recommendation.{end}"))
        .into_iter()
        .chain(["recommendation-orders.html", "recommendation-orders.md", "recommendation-orders.csv"].map(str::to_owned))
    {
        let text = fs::read_to_string(folder.path().join("out").join(&form)).unwrap_or_else(|error| panic!("{form}: {error}"));
        assert!(text.contains("m5.large"), "{form} does not name what to buy");
    }
    let json = run(folder.path(), &usage, CATALOG, &["--json"]);
    let printed: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(printed["purchases"], plan["purchases"]);
}

#[test_case(HEADER.replace(",quantity", "") + "x,y,z,r,s,p,t,u,a\n", CATALOG.to_owned(), &["usage.csv", "line 1", "quantity"]; "missing column")]
#[test_case(rows(3, |_| "1".into()) + rows(3, |_| "1".into()).lines().nth(2).unwrap() + "\n", CATALOG.to_owned(),
    &["usage.csv", "line 5", "field `hour`", "twice"]; "repeated hour")]
#[test_case(rows(5, |_| "1".into()).replace("2024-01-01T03", "2024-01-02T03"), CATALOG.to_owned(), &["usage.csv", "field `hour`", "missing", "T03:00:00Z"]; "gap")]
#[test_case(rows(3, |_| "-1".into()), CATALOG.to_owned(), &["usage.csv", "line 2", "field `quantity`", "negative"]; "negative")]
#[test_case(rows(3, |_| "NaN".into()), CATALOG.to_owned(), &["usage.csv", "line 2", "field `quantity`", "finite"]; "not a number")]
#[test_case(rows(3, |_| "1".into()).replace("m5.large", "m5.huge"), CATALOG.to_owned(), &["m5.huge", "on-demand spend", "--exclude-unknown"]; "unknown sku")]
#[test_case(rows(3, |_| "1".into()), CATALOG.replacen("\"price\": \"0.096\"", "\"price\": \"0\"", 1), &["catalog.json", "line ", "prices.price", "above 0"]; "price zero")]
#[test_case(rows(3, |_| "1".into()), CATALOG.replacen("\"price\": \"0.096\"", "\"price\": \"0.096\", \"currency\": \"EUR\"", 1),
    &["catalog.json", "line ", "currency", "EUR"]; "mixed currency")]
#[test_case(String::new(), CATALOG.to_owned(), &["usage.csv", "empty"]; "empty usage")]
#[test_case(rows(3, |_| "1".into()), String::new(), &["catalog.json", "empty"]; "empty catalog")]
#[allow(clippy::needless_pass_by_value, reason = "cases make their texts")]
fn bad_input_is_refused_with_a_remedy(usage: String, catalog: String, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &usage, &catalog, &[]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
    assert!(message.contains("; "), "no remedy: {message}");
    assert!(output.stdout.is_empty() && !folder.path().join("out").exists(), "something was written");
}

#[test]
fn a_folder_is_not_a_file_and_an_unknown_sku_can_be_excluded() {
    let folder = tempfile::tempdir().unwrap();
    let known = rows(3, |_| "1".into());
    let unknown = known.lines().skip(1).map(|row| row.replace("m5.large", "m5.huge") + "\n").collect::<String>();
    let output = run(folder.path(), &(known + &unknown), CATALOG, &["--exclude-unknown"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && message.contains("m5.huge"), "{message}");
    fs::create_dir(folder.path().join("portfolio")).unwrap();
    let output = run(folder.path(), &rows(3, |_| "1".into()), CATALOG, &["--portfolio", "portfolio"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && message.contains("is not a file"), "{message}");
}
