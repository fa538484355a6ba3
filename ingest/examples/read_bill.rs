//! Reads a bill of any format: where every row and all money went, savings rate, coverage and utilisation, commitments, owners; and the
//! query behind the curves for a warehouse.
//!
//! `cargo run --release -p covermix-ingest --example read_bill -- [--spread] [--owners RULES] [--print-sql DIALECT --table NAME] FILE...`
//!
//! Bad input ends with exit code 2 and an error on standard error.

use clap::Parser;
use covermix::catalog::Catalog;
use covermix::units::Money;
use covermix_ingest::azure::price_sheet::PriceSheet;
use covermix_ingest::owners::OwnerRules;
use covermix_ingest::{Bill, ChargeKind, Dialect, LongRows, Note, Options, Phase, UnknownSkus};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

/// Read a bill of any format.
#[derive(Parser)]
struct Arguments {
    /// Spread usage rows of more than an hour evenly over their hours.
    #[arg(long)]
    spread: bool,
    /// The zone of times that name none, such as Europe/Berlin.
    #[arg(long, default_value = "UTC")]
    time_zone: chrono_tz::Tz,
    /// Memory for the query engine, in MiB.
    #[arg(long, default_value_t = 2048)]
    memory: usize,
    /// Rules that give cost an owner (TOML).
    #[arg(long)]
    owners: Option<PathBuf>,
    /// The catalog that commitments and missing on-demand prices are looked up in.
    #[arg(long)]
    catalog: Option<PathBuf>,
    /// Files that tell when commitments begin and end: the ContractCommitment dataset of FOCUS; of Google, the list of `gcloud compute
    /// commitments list --format=json` and the export cud_subscriptions_export.
    #[arg(long)]
    contracts: Vec<PathBuf>,
    /// Azure's price sheet, for covered usage whose on-demand price the bill does not show.
    #[arg(long, conflicts_with = "catalog")]
    price_sheet: Vec<PathBuf>,
    /// Write the usage curves to this file (CSV, packed if it ends in .gz).
    #[arg(long)]
    usage_out: Option<PathBuf>,
    /// Print the query behind the curves: athena, bigquery, snowflake or duckdb.
    #[arg(long)]
    print_sql: Option<String>,
    /// The table that the printed query reads.
    #[arg(long, default_value = "bill")]
    table: String,
    /// Say how far reading is, on standard error.
    #[arg(long)]
    progress: bool,
    /// Billing exports of one format, or addresses of them in an object store.
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
    let rules = arguments.owners.as_ref().map(OwnerRules::read).transpose()?;
    let mut options = Options {
        long_rows: if arguments.spread { LongRows::Spread } else { LongRows::Refuse },
        time_zone: arguments.time_zone,
        memory_limit: arguments.memory << 20,
        tag_keys: rules.as_ref().map(OwnerRules::tag_keys).unwrap_or_default(),
        ..Options::default()
    };
    if arguments.progress {
        options.progress = Some(Arc::new(|progress| {
            let phase = match progress.phase {
                Phase::Fetching => "fetched",
                Phase::Reading => "read",
                Phase::Checked => "checked",
            };
            let _ = writeln!(std::io::stderr(), "{phase} {} rows, {} bytes of text", progress.rows, progress.bytes);
        }));
    }
    let begin = Instant::now();
    let bill = Bill::read_with_contracts(&arguments.files, &arguments.contracts, &options)?;
    let seconds = begin.elapsed().as_secs_f64();
    if let Some(dialect) = &arguments.print_sql {
        writeln!(output, "{}", bill.warehouse_sql(dialect.parse::<Dialect>()?, &arguments.table)?)?;
        return Ok(());
    }
    let months: Vec<String> = bill.months().iter().map(ToString::to_string).collect();
    let currency = if bill.currency().is_empty() { "a currency that it does not name" } else { bill.currency() };
    writeln!(output, "{} of {}, in {currency}", bill.format(), months.join(", "))?;
    writeln!(output, "{}\n", bill.reconciliation())?;
    money(&bill, arguments, output)?;
    match bill.usage() {
        Ok(usage) => {
            writeln!(output, "usage: {} lines x {} hours", usage.lines().len(), usage.grid().count)?;
            if let Some(path) = &arguments.usage_out {
                usage.write(path)?;
            }
        }
        Err(covermix_ingest::Error::Core(_)) => {
            writeln!(output, "no usage curves: no row is of usage that commitments are sold for")?;
        }
        Err(error) => writeln!(output, "no usage curves: {error}")?,
    }
    for held in bill.commitments() {
        let name = if held.name.is_empty() { "what the bill does not say" } else { &held.name };
        let quantity = held.quantity.filter(|quantity| !quantity.is_zero());
        let quantity =
            quantity.map_or_else(|| "a quantity that the bill does not tell".to_owned(), |quantity| quantity.to_string());
        let day = |time: Option<chrono::DateTime<chrono::Utc>>| {
            time.map_or_else(|| "?".to_owned(), |time| time.date_naive().to_string())
        };
        writeln!(output, "commitment {}: {quantity} of {name}, {} to {}", held.id, day(held.start), day(held.end))?;
    }
    if let Some(rules) = &rules {
        writeln!(output, "\n{}", bill.allocate(rules)?)?;
    }
    notes(&bill, output)?;
    writeln!(output, "read {} rows in {seconds:.2} s", bill.reconciliation().rows())?;
    Ok(())
}

/// What to know about the bill; missing columns with the same consequence in one line.
fn notes(bill: &Bill, output: &mut impl Write) -> std::io::Result<()> {
    let mut missing: BTreeMap<(&Path, &str), Vec<&str>> = BTreeMap::new();
    let mut prices = Vec::new();
    for note in bill.notes() {
        match note {
            Note::MissingColumn { file, column, consequence } => {
                missing.entry((file.as_path(), *consequence)).or_default().push(*column);
            }
            Note::PriceChanged { line } => prices.push(line),
            other => writeln!(output, "note: {other}")?,
        }
    }
    for ((file, consequence), columns) in missing {
        writeln!(output, "note: {}: no column {}: {consequence}", file.display(), columns.join(", "))?;
    }
    if let Some((first, others)) = prices.split_first() {
        let others = if others.is_empty() { String::new() } else { format!(", and of {} more line(s)", others.len()) };
        writeln!(output, "note: the on-demand price on the bill changed, the highest is kept: of {first}{others}")?;
    }
    Ok(())
}

fn money(bill: &Bill, arguments: &Arguments, output: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let catalog = arguments.catalog.as_ref().map(Catalog::read).transpose()?;
    let money = match &catalog {
        Some(catalog) => bill.money_with(catalog),
        None if !arguments.price_sheet.is_empty() => bill.money_with_price_sheet(&PriceSheet::read(&arguments.price_sheet)?)?,
        None => bill.money().clone(),
    };
    let share = |rate: Option<f64>| rate.map_or_else(|| "none".to_owned(), |rate| format!("{:.2} %", rate * 100.0));
    let rounded = |money: Money| money.value().round_dp(6);
    let sums = format!("billed {:.6}, amortised {:.6} {}", rounded(money.billed()), rounded(money.effective()), bill.currency());
    writeln!(output, "{}", sums.trim_end())?;
    match money.effective_savings_rate() {
        Ok(rate) => writeln!(output, "effective savings rate {}, coverage {}", share(rate), share(money.coverage()?))?,
        Err(error) => writeln!(output, "no effective savings rate: {error}")?,
    }
    let covered = money.of(ChargeKind::Covered);
    writeln!(output, "utilisation {}, {} covered row(s)", share(money.utilisation()), covered.rows)?;
    if let Some(catalog) = &catalog {
        let (portfolio, notes) = bill.portfolio(catalog, UnknownSkus::Exclude)?;
        writeln!(output, "{} commitment(s) in the portfolio", portfolio.commitments().len())?;
        for note in notes {
            writeln!(output, "note: {note}")?;
        }
    }
    Ok(())
}
