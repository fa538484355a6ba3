//! Lesson 14: one plan, three readers. Every page is written from one model, so a number means the same wherever it stands.
//!
//! ```text
//! cargo run --release --example 14_report
//! ```
//!
//! `Report::write` makes a page for analysts, a memo for who signs, an order list for who buys, and all numbers as CSV and JSON. The JSON
//! is the report itself: read back, it writes the same pages again, without the usage, the prices or the solver.

#![allow(clippy::print_stdout, reason = "an example prints")]

use covermix::catalog::Catalog;
use covermix::planning::{Options, Planner, Policy};
use covermix::report::{Audience, Report, Settings};
use covermix::usage::UsageCurves;
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let catalog = Catalog::read(root.join("data/catalog.json"))?;
    let usage = UsageCurves::read(root.join("data/usage.csv.gz"))?;
    let usage = usage.filter(|line| line.account == "shop" && line.sku.sku.starts_with("r5.")).ok_or("no usage of r5")?;
    let problem = Planner::new(&catalog).usage(&usage).policy(Policy::read(root.join("data/policy.toml"))?).build()?;
    let plan = problem.solve(&Options::default())?;
    let settings = Settings { discount_rate: 0.10, ..Settings::default() };
    let report = Report::builder(&problem, &plan).settings(settings).build()?;
    for path in report.write(root.join("target/covermix/lesson.json"))? {
        println!("{}", path.strip_prefix(root).unwrap_or(&path).display());
    }

    // The saving, as four readers see it.
    let saving = plan.monthly(plan.savings());
    let document = report.json()?;
    let in_json = document["savings_monthly"].as_f64().ok_or("no savings in the JSON")?;
    let csv = report.csv()?;
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let in_csv =
        rows.records().filter_map(Result::ok).find(|row| &row[0] == "/savings_monthly").ok_or("no savings in the CSV")?;
    let in_csv: f64 = in_csv[4].parse()?;
    let page = report.html(Audience::Analyst)?;
    let marked =
        page.split("<data ").find(|part| part.contains("data-path=\"/savings_monthly\"")).ok_or("no savings on the page")?;
    let in_page: f64 = marked.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).ok_or("no value")?.parse()?;
    println!("\nThe saving of a month: {saving} by the judge, {in_json} in JSON, {in_csv} in CSV, {in_page} on the page");

    let again = Report::from_json(&document.to_string())?;
    assert!(Audience::ALL.into_iter().all(|reader| again.markdown(reader) == report.markdown(reader)), "read back, other pages");
    for figure in [in_json, in_csv, in_page] {
        assert!((figure - saving.to_f64()).abs() < 1e-9 * figure, "{figure} is not the plan's saving");
    }
    Ok(())
}
