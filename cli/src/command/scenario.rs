//! `covermix scenario`: usage as it may become, by a scenario file.

use crate::answer::{Answer, Failure, Result};
use crate::console::Console;
use crate::inputs;
use clap::Args;
use covermix::catalog::Catalog;
use covermix::scenario::ScenarioFile;
use covermix::usage::{PricingCategory, UsageCurves};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Project usage into the futures of a scenario file
///
/// Lists the futures (growth, drivers, migrations, launches, shutdowns) with their probabilities and
/// totals, and writes each as usage curves.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  covermix scenario --usage usage.csv.gz --scenarios scenarios.toml
  covermix scenario --usage usage.csv.gz --scenarios scenarios.toml --catalog prices.json.gz --out futures/"
)]
pub(crate) struct Futures {
    /// Hourly usage: CSV, plain or gzip.
    #[arg(long, value_name = "FILE")]
    usage: PathBuf,
    /// The futures (TOML; data/scenarios.toml is an example).
    #[arg(long, value_name = "FILE")]
    scenarios: PathBuf,
    /// Prices: totals are then money too, and what a migration leads to must have a price.
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
    /// Write each future to this folder as NAME.csv.gz; made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Futures {
    pub(crate) fn run(&self, console: &Console) -> Result<Answer> {
        console.say("reading usage");
        let file = ScenarioFile::read(&self.scenarios)?;
        let usage = UsageCurves::read(&self.usage)?;
        let catalog = self.catalog.as_ref().map(Catalog::read).transpose()?;
        let scenarios = file.scenarios(&usage, catalog.as_ref())?;
        let currency = catalog.as_ref().map_or("", Catalog::currency);
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{:<24} {:>11} {:>8} {:>7} {:>18} {:>16}",
            "scenario", "probability", "hours", "lines", "mean units an hour", "on demand a month"
        );
        let mut rows = Vec::new();
        let named = [("(measured)", None, &usage)].into_iter();
        let futures = scenarios.as_slice().iter().map(|one| (one.name.as_str(), Some(one.probability), &one.usage));
        for (name, probability, usage) in named.chain(futures) {
            let cost = catalog.as_ref().map(|catalog| monthly(usage, catalog));
            let mean = usage.totals().sum() / usage.total_hours();
            let grid = usage.grid();
            let _ = writeln!(
                text,
                "{name:<24} {:>11} {:>8} {:>7} {mean:>18.2} {:>16}",
                probability.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", 100.0 * share)),
                grid.count,
                usage.lines().len(),
                cost.map_or_else(|| "-".to_owned(), |cost| format!("{cost:.2} {currency}")),
            );
            rows.push(json!({
                "name": name, "probability": probability, "first_hour": grid.first.start(), "hours": grid.count,
                "lines": usage.lines().len(), "mean_units": mean, "on_demand_monthly": cost,
            }));
        }
        let priced = scenarios.as_slice().iter().filter(|one| !one.prices.is_empty());
        for one in priced {
            let _ = writeln!(text, "note: scenario {} also changes prices; usage alone is projected here", one.name);
        }
        let mut written: Vec<PathBuf> = Vec::new();
        if let Some(folder) = &self.out {
            inputs::make_folder(folder)?;
            for one in scenarios.as_slice() {
                let path = folder.join(format!("{}.csv.gz", file_name(&one.name)));
                if written.contains(&path) {
                    return Err(Failure::wrong(
                        format!("two scenarios would be written to {}", path.display()),
                        "give them names that differ",
                    ));
                }
                one.usage.write(&path)?;
                let _ = writeln!(text, "written: {}", path.display());
                written.push(path);
            }
        }
        let measured = rows.remove(0);
        let document: Value = json!({
            "schema": "covermix-scenario-totals/1", "currency": currency, "measured": measured, "scenarios": rows, "written": written,
        });
        Ok(Answer::done(text, document))
    }
}

/// What a month of 730 hours costs on demand.
fn monthly(usage: &UsageCurves, catalog: &Catalog) -> f64 {
    let lines = usage.lines().iter().zip(usage.totals());
    let priced = lines.filter(|(line, _)| line.pricing == PricingCategory::Standard);
    let cost: f64 = priced.filter_map(|(line, quantity)| Some(catalog.price(&line.sku)?.price.to_f64() * quantity)).sum();
    cost * 730.0 / usage.total_hours()
}

/// A name that is a file's.
fn file_name(name: &str) -> String {
    name.chars().map(|letter| if letter.is_alphanumeric() || "-_.".contains(letter) { letter } else { '-' }).collect()
}
