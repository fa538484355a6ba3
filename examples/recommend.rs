//! What to buy, on your own data or on the example data in `data/`.
//!
//! ```text
//! cargo run --release --example recommend
//! cargo run --release --example recommend -- --usage FILE --catalog FILE [--portfolio FILE] [--policy FILE] [--json]
//! ```
//!
//! Prints a table (with `--json` the JSON document) and writes the report to `target/covermix/`: `recommendation.json` with every number, the
//! same as `.csv`, and as pages to read: `recommendation.html` and `.md` (analysts), `recommendation-memo.html` (who signs),
//! `recommendation-orders.html` and `.csv` (who places the orders). Bad input ends with exit code 2 and writes nothing.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::cast_precision_loss, reason = "an example prints")]

use clap::Parser;
use covermix::catalog::Catalog;
use covermix::planning::{Options, Planner, Policy, Progress};
use covermix::portfolio::Portfolio;
use covermix::report::{Report, Settings, recommendation_table};
use covermix::usage::{PricingCategory, UsageCurves};
use covermix::{Error, Problem};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Recommends which cloud commitments to buy.
#[derive(Parser)]
struct Arguments {
    /// Hourly usage (CSV, plain or gzip). Without it: data/usage.csv.gz.
    #[arg(long, requires = "catalog")]
    usage: Option<PathBuf>,
    /// Prices and offers (covermix JSON, or a price file of ec2instances.info). Without it: data/catalog.json.
    #[arg(long, requires = "usage")]
    catalog: Option<PathBuf>,
    /// Commitments already held (covermix JSON).
    #[arg(long)]
    portfolio: Option<PathBuf>,
    /// What may be bought (TOML or JSON). Without it everything, or data/policy.toml with the example data.
    #[arg(long)]
    policy: Option<PathBuf>,
    /// Leave out usage that the catalog has no price for, and list it, instead of refusing it.
    #[arg(long)]
    exclude_unknown: bool,
    /// The gap between billed cost and lower bound that is good enough.
    #[arg(long, default_value_t = 5e-4)]
    gap: f64,
    /// Seconds after which the best plan so far is returned.
    #[arg(long, default_value_t = 600)]
    time_limit: u64,
    /// The cost of capital for net present values, effective a year.
    #[arg(long, default_value_t = 0.08)]
    discount_rate: f64,
    /// Print JSON instead of the table.
    #[arg(long)]
    json: bool,
    /// Where to write the JSON document; the report's other forms go beside it.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/covermix/recommendation.json"))]
    out: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> covermix::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let is_example = arguments.usage.is_none();
    let catalog = Catalog::read(arguments.catalog.clone().unwrap_or_else(|| data.join("catalog.json")))?;
    let usage = UsageCurves::read(arguments.usage.clone().unwrap_or_else(|| data.join("usage.csv.gz")))?;
    let portfolio = match &arguments.portfolio {
        Some(path) => Portfolio::read(path, &catalog)?,
        None => Portfolio::default(),
    };
    let policy = match &arguments.policy {
        Some(path) => Policy::read(path)?,
        None if is_example => Policy::read(data.join("policy.toml"))?,
        None => Policy::default(),
    };
    let usage = if arguments.exclude_unknown { without_unknown(&usage, &catalog)? } else { usage };
    let bar = progress_bar();
    let show = |progress: &Progress| {
        let gap = (progress.relaxed_cost - progress.lower_bound) / progress.relaxed_cost;
        bar.set_message(format!("{} sweeps over all hours, relaxed gap {:.4} %", progress.sweeps, 100.0 * gap));
        ControlFlow::Continue(())
    };
    let options =
        Options { relative_gap: arguments.gap, time_limit: Duration::from_secs(arguments.time_limit), progress: Some(&show) };
    let problem = Planner::new(&catalog).usage(&usage).owning(&portfolio).policy(policy).build()?;
    let plan = problem.solve(&options)?;
    bar.set_message("gathering the evidence for the report");
    let settings = Settings { discount_rate: arguments.discount_rate, ..Settings::default() };
    let report = Report::builder(&problem, &plan).settings(settings).build()?;
    bar.finish_and_clear();

    let written = report.write(&arguments.out)?;
    if arguments.json {
        println!("{:#}", report.json()?);
    } else {
        println!("{}", recommendation_table(&plan, &catalog));
        println!("The report:");
        for path in written {
            println!("  {}", path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&path).display());
        }
    }
    assert!(plan.billed_cost() <= plan.before().total().cost(), "the plan costs more than buying nothing");
    assert!(plan.lower_bound() <= plan.after().total().cost().to_f64(), "the bound is above the bill");
    let is_cut_short = plan.status() == covermix::planning::Status::StoppedAtLimit;
    assert!(!is_example || is_cut_short || plan.gap() <= 1e-3, "the example's gap is {}", plan.gap());
    Ok(())
}

/// The usage that the catalog has prices for; lists the rest with its spend.
fn without_unknown(usage: &UsageCurves, catalog: &Catalog) -> covermix::Result<UsageCurves> {
    let is_known =
        |line: &covermix::usage::UsageLine| line.pricing != PricingCategory::Standard || catalog.price(&line.sku).is_some();
    let totals = usage.totals();
    let mut excluded = 0.0;
    for (line, quantity) in usage.lines().iter().zip(&totals).filter(|(line, _)| !is_known(line)) {
        let spend = line.billed_price.map(|price| price.to_f64() * quantity);
        excluded += spend.unwrap_or(0.0);
        let spend = spend.map_or("on-demand spend unknown".to_owned(), |spend| format!("on-demand spend {spend:.2}"));
        eprintln!("excluded, no price in the catalog: {line}: {quantity:.2} units, {spend}");
    }
    if excluded > 0.0 {
        eprintln!("excluded in all: on-demand spend {excluded:.2} {}", catalog.currency());
    }
    usage.filter(is_known).ok_or_else(|| Error::from(Problem::Empty { what: "usage with a price in the catalog" }))
}

/// A spinner on a terminal, nothing in a pipe.
fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
