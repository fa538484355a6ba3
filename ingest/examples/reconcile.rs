//! Rebuilds the coverage of an AWS bill from its usage and its reservations, and prints it beside the bill's own, month by month.
//!
//! `cargo run --release -p covermix-ingest --example reconcile -- --catalog CATALOG.json.gz [--json] FILE...`
//!
//! Files are Cost and Usage Reports, Parquet or CSV, any number of consecutive months. With `--json` one object a month, one a line. With
//! `--usage-out` and `--portfolio-out` the usage and the commitments held are written in covermix's own formats. Bad input ends with
//! exit code 2 and an error on standard error, and leaves no output file behind. With `--json` notes go to standard error.

use clap::Parser;
use covermix::catalog::Catalog;
use covermix::usage::{PricingCategory, UsageCurves};
use covermix_ingest::UnknownSkus;
use covermix_ingest::aws::{CostAndUsage, MonthFigures, Note};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Rebuild the coverage of an AWS bill from its usage and its reservations.
#[derive(Parser)]
struct Arguments {
    /// The catalog: covermix's own JSON or an ec2instances.info file, plain or gzip.
    #[arg(long)]
    catalog: PathBuf,
    /// Print one JSON object a month, one a line.
    #[arg(long)]
    json: bool,
    /// Leave out instances that the catalog has no price for, instead of refusing them.
    #[arg(long)]
    exclude_unknown: bool,
    /// Write the usage curves of EC2 instances to this file (CSV, packed if it ends in .gz).
    #[arg(long, value_name = "FILE")]
    usage_out: Option<PathBuf>,
    /// Add the usage of other services with commitments to the usage file.
    #[arg(long, requires = "usage_out")]
    all_services: bool,
    /// Write the commitments held to this file (JSON).
    #[arg(long, value_name = "FILE")]
    portfolio_out: Option<PathBuf>,
    /// Cost and Usage Reports, Parquet or CSV.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let mut output = std::io::stdout().lock();
    match run(&Arguments::parse(), &mut output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments, output: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let catalog = Catalog::read(&arguments.catalog)?;
    let bill = CostAndUsage::read(&arguments.files)?;
    let unknown = if arguments.exclude_unknown { UnknownSkus::Exclude } else { UnknownSkus::Refuse };
    let figures = bill.reconcile(&catalog, unknown)?;
    write_files(arguments, &catalog, &bill, unknown)?;
    if arguments.json {
        for month in &figures {
            writeln!(output, "{}", serde_json::to_string(month)?)?;
        }
        return notes(&bill, &catalog, &mut std::io::stderr().lock());
    }
    writeln!(output, "{}\n", bill.reconciliation())?;
    table(&figures, output)?;
    notes(&bill, &catalog, output)
}

/// What to know about the bill; missing columns in one line a file, and what the catalog has no price for.
fn notes(bill: &CostAndUsage, catalog: &Catalog, output: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut missing: BTreeMap<&Path, Vec<&str>> = BTreeMap::new();
    for note in bill.notes() {
        match note {
            Note::MissingColumn { file, column, .. } => missing.entry(file).or_default().push(column),
            other => writeln!(output, "note: {other}")?,
        }
    }
    for (file, columns) in missing {
        writeln!(output, "note: {} has no column {} (see docs/ingest.md)", file.display(), columns.join(", "))?;
    }
    let usage = bill.instance_usage()?;
    for (line, quantity) in usage.lines().iter().zip(usage.totals()) {
        if line.pricing == PricingCategory::Standard && catalog.price(&line.sku).is_none() {
            let spend = line.billed_price.map_or_else(|| "unknown".into(), |price| format!("{:.2}", price.to_f64() * quantity));
            writeln!(output, "note: left out, no price in the catalog: {line}, {quantity:.2} units, on-demand spend {spend}")?;
        }
    }
    for lease in bill.reserved_instances().iter().filter(|lease| catalog.price(&lease.sku).is_none()) {
        writeln!(output, "note: left out, no price in the catalog: {} of {}", lease.arn, lease.sku)?;
    }
    Ok(())
}

/// Writes both files or none.
fn write_files(
    arguments: &Arguments,
    catalog: &Catalog,
    bill: &CostAndUsage,
    unknown: UnknownSkus,
) -> Result<(), Box<dyn Error>> {
    let portfolio = bill.portfolio(catalog, unknown)?;
    let instances: UsageCurves;
    let usage = if arguments.all_services {
        bill.usage()?
    } else {
        instances = bill.instance_usage()?;
        &instances
    };
    if let Some(path) = &arguments.usage_out {
        usage.write(path)?;
    }
    let Some(path) = &arguments.portfolio_out else { return Ok(()) };
    portfolio.write(path, catalog.currency()).map_err(|error| {
        if let Some(usage) = &arguments.usage_out {
            let _ = std::fs::remove_file(usage);
        }
        error.into()
    })
}

/// One figure of a month.
type Figure = fn(&MonthFigures) -> f64;

/// A table for people, months side by side.
fn table(figures: &[MonthFigures], output: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let money: [(&str, Figure); 8] = [
        ("on demand", |month| month.on_demand_cost),
        ("all at public on-demand prices", |month| month.public_on_demand_cost),
        ("covered, at public on-demand prices", |month| month.public_covered_cost),
        ("reserved instances, used", |month| month.ri_effective_used),
        ("reserved instances, recurring fees", |month| month.ri_recurring_fee),
        ("reserved instances, amortised upfront", |month| month.ri_amortized_upfront),
        ("unused upfront", |month| month.unused_upfront),
        ("unused recurring", |month| month.unused_recurring),
    ];
    write!(output, "{:<40}", "EC2 instances without spot")?;
    for month in figures {
        write!(output, " {:>14}", month.month)?;
    }
    writeln!(output)?;
    for (name, figure) in money {
        write!(output, "{name:<40}")?;
        for month in figures {
            write!(output, " {:>14.6}", figure(month))?;
        }
        writeln!(output)?;
    }
    write!(output, "{:<40}", "pool hours as on the bill")?;
    for month in figures {
        write!(output, " {:>14}", format!("{} of {}", month.pool_hours_matching, month.pool_hours))?;
    }
    writeln!(output)?;
    Ok(())
}
