//! `covermix ingest`: a bill of any format to usage curves, the commitments held, and where every row and all money went.

use crate::answer::{Answer, Failure, Result};
use crate::console::Console;
use crate::inputs::{self, exact};
use clap::{Args, ValueEnum};
use covermix::catalog::Catalog;
use covermix::catalog::gcp::MachineTypes;
use covermix::portfolio::Portfolio;
use covermix::report::write_json;
use covermix::usage::{PricingCategory, UsageCurves};
use covermix_ingest::owners::{Allocation, OwnerCost, OwnerRules};
use covermix_ingest::{
    Bill, BillMoney, ChargeKind, Dialect, Error, LongRows, Note, Options, Phase, Reconciliation, Treatment, UnknownSkus,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Read a bill into hourly usage and the commitments held
///
/// Bills are exports of FOCUS, AWS, Azure or Google, as CSV, JSON or Parquet. With --out these files
/// are written: usage.csv.gz (hourly usage), portfolio.json (the commitments held; needs --catalog),
/// reconciliation.json (where every row and all money went) and owners.json (with --owners). Prints the
/// reconciliation, the bill's effective savings rate, coverage and utilisation, and notes on everything
/// that was inferred or left out.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  covermix ingest october.parquet november.parquet --catalog prices.json.gz --out bill/
  covermix ingest focus.csv.gz --contracts contracts.csv --catalog prices.json --out bill/ --json
  covermix ingest azure.csv --spread --time-zone Europe/Berlin --out bill/
  covermix ingest report.parquet --print-sql athena --table billing.cur"
)]
pub(crate) struct Ingest {
    /// Billing exports of one format, of one or more consecutive months.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The folder to write to; made if it is not there. Without it nothing is written.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Prices and offers that the commitments on the bill refer to (covermix JSON, or a price file of ec2instances.info).
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
    /// Spread usage rows of more than an hour, such as those of bills by the day, evenly over their hours; they are refused otherwise.
    #[arg(long)]
    spread: bool,
    /// The zone of times that name none, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: chrono_tz::Tz,
    /// Rules that give cost an owner (TOML).
    #[arg(long, value_name = "FILE")]
    owners: Option<PathBuf>,
    /// Files of the ContractCommitment dataset of FOCUS, which tells when commitments begin and end.
    #[arg(long, value_name = "FILE")]
    contracts: Vec<PathBuf>,
    /// Google's table of machine types: machines become vCPU, memory, GPU and local SSD, which commitments are bought in.
    #[arg(long, value_name = "FILE", requires = "catalog")]
    machine_types: Option<PathBuf>,
    /// Memory for the query engine; what needs more goes to disk.
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    memory: usize,
    /// Leave commitments that the catalog has no offer or price of out of the portfolio, and list them, instead of refusing them.
    #[arg(long)]
    exclude_unknown: bool,
    /// Print the query behind the curves for a warehouse that holds the bill, and nothing else.
    #[arg(long, value_name = "DIALECT", conflicts_with = "out")]
    print_sql: Option<Warehouse>,
    /// The table that the printed query reads.
    #[arg(long, value_name = "NAME", default_value = "bill", requires = "print_sql")]
    table: String,
}

/// A warehouse whose SQL can be printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Warehouse {
    Athena,
    #[value(name = "bigquery")]
    BigQuery,
    Snowflake,
    #[value(name = "duckdb")]
    DuckDb,
}

impl From<Warehouse> for Dialect {
    fn from(warehouse: Warehouse) -> Self {
        match warehouse {
            Warehouse::Athena => Self::Athena,
            Warehouse::BigQuery => Self::BigQuery,
            Warehouse::Snowflake => Self::Snowflake,
            Warehouse::DuckDb => Self::DuckDb,
        }
    }
}

/// What was read, before anything is written.
struct Findings<'a> {
    bill: &'a Bill,
    money: BillMoney,
    /// The usage, or why there is none.
    usage: Result<UsageCurves>,
    /// Usage lines that the catalog has no price for: the line, its quantity, its on-demand cost on the bill.
    unpriced: Vec<(String, f64, Option<f64>)>,
    portfolio: Option<Portfolio>,
    owners: Option<Allocation>,
    notes: Vec<String>,
}

impl Ingest {
    pub(crate) fn run(&self, console: &Console) -> Result<Answer> {
        let begin = Instant::now();
        let rules = self.owners.as_ref().map(OwnerRules::read).transpose()?;
        let catalog = self.catalog.as_ref().map(Catalog::read).transpose()?;
        let types = self.machine_types.as_ref().map(MachineTypes::read).transpose()?;
        let bar = console.bar();
        let options = Options {
            long_rows: if self.spread { LongRows::Spread } else { LongRows::Refuse },
            time_zone: self.time_zone,
            memory_limit: self.memory << 20,
            tag_keys: rules.as_ref().map(OwnerRules::tag_keys).unwrap_or_default(),
            progress: Some(Arc::new(move |progress| {
                let phase = match progress.phase {
                    Phase::Fetching => "fetched",
                    Phase::Reading => "read",
                    Phase::Checked => "checked",
                };
                bar.set_message(format!("{phase} {} rows, {} MiB of text", progress.rows, progress.bytes >> 20));
            })),
            ..Options::default()
        };
        let bill = Bill::read_with_contracts(&self.files, &self.contracts, &options)?;
        if let Some(warehouse) = self.print_sql {
            let sql = bill.warehouse_sql(warehouse.into(), &self.table)?;
            let name = warehouse.to_possible_value().map(|value| value.get_name().to_owned());
            let document = json!({ "schema": "covermix-sql/1", "dialect": name, "table": self.table, "sql": sql });
            return Ok(Answer::done(sql, document));
        }
        let findings = self.find(&bill, catalog.as_ref(), rules.as_ref(), types.as_ref())?;
        let written = self.write(findings, catalog.as_ref().map(Catalog::currency))?;
        let (findings, written) = written;
        let mut document = findings.document(catalog.as_ref());
        document["files"] = json!(self.files);
        document["written"] = json!(written);
        let mut text = findings.text();
        let _ = writeln!(text, "read {} rows in {:.1} s", bill.reconciliation().rows(), begin.elapsed().as_secs_f64());
        for path in written.values() {
            let _ = writeln!(text, "written: {}", path.display());
        }
        Ok(Answer::done(text, document))
    }

    fn find<'a>(
        &self,
        bill: &'a Bill,
        catalog: Option<&Catalog>,
        rules: Option<&OwnerRules>,
        types: Option<&MachineTypes>,
    ) -> Result<Findings<'a>> {
        let is_column = |note: &&Note| matches!(note, Note::MissingColumn { .. });
        let mut notes = missing_columns(bill);
        notes.extend(bill.notes().iter().filter(|note| !is_column(note)).map(ToString::to_string));
        let usage = match (bill.usage(), catalog, types) {
            (Ok(usage), Some(catalog), Some(types)) => Ok(covermix::catalog::gcp::split_machines(catalog, types, usage)?),
            (Ok(usage), ..) => Ok(usage.clone()),
            (Err(error @ Error::Granularity { .. }), ..) => {
                Err(Failure::wrong(error.to_string(), "with covermix ingest the choice is --spread"))
            }
            (Err(error), ..) => Err(error.into()),
        };
        let unpriced = match (&usage, catalog) {
            (Ok(usage), Some(catalog)) => unpriced(usage, catalog),
            _ => Vec::new(),
        };
        let portfolio = match catalog {
            Some(catalog) => {
                let unknown = if self.exclude_unknown { UnknownSkus::Exclude } else { UnknownSkus::Refuse };
                let (portfolio, left_out) = bill.portfolio(catalog, unknown)?;
                notes.extend(left_out.iter().map(ToString::to_string));
                notes.extend(reservations_left_out(bill, &portfolio));
                Some(portfolio)
            }
            None => None,
        };
        let money = catalog.map_or_else(|| bill.money().clone(), |catalog| bill.money_with(catalog));
        let owners = rules.map(|rules| bill.allocate(rules)).transpose()?;
        Ok(Findings { bill, money, usage, unpriced, portfolio, owners, notes })
    }

    /// Writes the files that were asked for; returns their paths by what they are.
    fn write<'a>(
        &self,
        findings: Findings<'a>,
        currency: Option<&str>,
    ) -> Result<(Findings<'a>, BTreeMap<&'static str, PathBuf>)> {
        let mut written = BTreeMap::new();
        let Some(folder) = &self.out else { return Ok((findings, written)) };
        // Without usage there is nothing to plan with: nothing is written, so that no file of an earlier run is taken for this one's.
        let Findings { bill, money, usage, unpriced, portfolio, owners, notes } = findings;
        let usage = usage?;
        inputs::make_folder(folder)?;
        let path = folder.join("usage.csv.gz");
        usage.write(&path)?;
        written.insert("usage", path);
        if let Some(portfolio) = &portfolio {
            let path = folder.join("portfolio.json");
            portfolio.write(&path, currency.unwrap_or_default())?;
            written.insert("portfolio", path);
        }
        let path = folder.join("reconciliation.json");
        write_json(&path, &reconciliation(bill.reconciliation(), bill.currency()))?;
        written.insert("reconciliation", path);
        if let Some(owners) = &owners {
            let path = folder.join("owners.json");
            write_json(&path, &allocation(owners, bill.currency()))?;
            written.insert("owners", path);
        }
        Ok((Findings { bill, money, usage: Ok(usage), unpriced, portfolio, owners, notes }, written))
    }
}

impl Findings<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        let _ = self.describe(&mut text);
        text
    }

    fn describe(&self, text: &mut String) -> std::fmt::Result {
        let Self { bill, money, .. } = self;
        let months: Vec<String> = bill.months().iter().map(ToString::to_string).collect();
        let currency = if bill.currency().is_empty() { "a currency that it does not name" } else { bill.currency() };
        writeln!(text, "{} of {}, in {currency}", bill.format(), months.join(", "))?;
        writeln!(text, "{}\n", bill.reconciliation())?;
        writeln!(
            text,
            "billed {:.2}, amortised {:.2} {}",
            money.billed().value().round_dp(2),
            money.effective().value().round_dp(2),
            bill.currency()
        )?;
        let share = |rate: Option<f64>| rate.map_or_else(|| "none".to_owned(), |rate| format!("{:.2} %", rate * 100.0));
        match (money.effective_savings_rate(), money.coverage()) {
            (Ok(rate), Ok(coverage)) => writeln!(
                text,
                "effective savings rate {}, coverage {}, utilisation {}",
                share(rate),
                share(coverage),
                share(money.utilisation())
            )?,
            (Err(error), _) | (_, Err(error)) => {
                writeln!(text, "utilisation {}; no effective savings rate: {error}", share(money.utilisation()))?;
            }
        }
        match &self.usage {
            Ok(usage) => writeln!(
                text,
                "usage: {} line(s) x {} hours from {}",
                usage.lines().len(),
                usage.grid().count,
                usage.grid().first
            )?,
            Err(error) => writeln!(text, "no usage curves: {error}")?,
        }
        match &self.portfolio {
            Some(portfolio) => writeln!(text, "portfolio: {} commitment(s)", portfolio.commitments().len())?,
            None => writeln!(text, "no portfolio: give --catalog, which its commitments refer to")?,
        }
        if let Some(owners) = &self.owners {
            writeln!(text, "\n{owners}")?;
        }
        if !self.unpriced.is_empty() {
            writeln!(text, "\nno price in the catalog ({} usage line(s)):", self.unpriced.len())?;
            for (line, quantity, spend) in &self.unpriced {
                let spend = spend.map_or("unknown".to_owned(), |spend| format!("{spend:.2}"));
                writeln!(text, "  {line}: {quantity:.2} units, on-demand spend {spend}")?;
            }
        }
        for note in &self.notes {
            writeln!(text, "note: {note}")?;
        }
        Ok(())
    }

    fn document(&self, catalog: Option<&Catalog>) -> Value {
        let Self { bill, money, .. } = self;
        let kinds = [
            ("on_demand", ChargeKind::OnDemand),
            ("covered", ChargeKind::Covered),
            ("spot", ChargeKind::Spot),
            ("free_tier", ChargeKind::FreeTier),
            ("unused", ChargeKind::Unused),
            ("purchase", ChargeKind::Purchase),
            ("other", ChargeKind::Other),
        ];
        let kinds: serde_json::Map<String, Value> = kinds
            .into_iter()
            .map(|(name, kind)| {
                let of = money.of(kind);
                let value = json!({
                    "rows": of.rows, "billed": exact(of.billed), "effective": exact(of.effective), "list": exact(of.list),
                    "contracted": exact(of.contracted), "unpriced_rows": of.unpriced_rows,
                });
                (name.to_owned(), value)
            })
            .collect();
        let rate = money.effective_savings_rate();
        let usage = self.usage.as_ref().ok().map(|usage| {
            json!({
                "lines": usage.lines().len(), "hours": usage.grid().count, "first_hour": usage.grid().first.start(),
                "unpriced": self.unpriced.iter().map(|(line, quantity, spend)| json!({
                    "line": line, "quantity": quantity, "on_demand_cost": spend,
                })).collect::<Vec<_>>(),
            })
        });
        let held = self.portfolio.as_ref().map(|portfolio| portfolio.to_json(catalog.map_or("", Catalog::currency)));
        json!({
            "schema": "covermix-ingest/1",
            "format": bill.format().name(),
            "currency": bill.currency(),
            "months": bill.months(),
            "reconciliation": reconciliation(bill.reconciliation(), bill.currency()),
            "money": {
                "billed": exact(money.billed()), "effective": exact(money.effective()),
                "effective_savings_rate": rate.as_ref().ok(),
                "effective_savings_rate_contracted": money.effective_savings_rate_contracted().ok(),
                "no_savings_rate_because": rate.as_ref().err().map(ToString::to_string),
                "coverage": money.coverage().ok(), "utilisation": money.utilisation(), "kinds": kinds,
            },
            "usage": usage,
            "no_usage_because": self.usage.as_ref().err().map(ToString::to_string),
            "portfolio": held.and_then(|text| serde_json::from_str::<Value>(&text).ok()),
            "owners": self.owners.as_ref().map(|owners| allocation(owners, bill.currency())),
            "notes": self.notes,
        })
    }
}

fn reconciliation(of: &Reconciliation, currency: &str) -> Value {
    let entries: Vec<Value> = of
        .entries()
        .iter()
        .map(|entry| {
            let treatment = match entry.treatment {
                Treatment::Usage => "usage",
                Treatment::UncoverableUsage => "uncoverable_usage",
                Treatment::Commitments => "commitments",
                Treatment::SetAside => "set_aside",
            };
            json!({ "treatment": treatment, "reason": entry.reason, "rows": entry.rows, "cost": exact(entry.cost) })
        })
        .collect();
    json!({
        "schema": "covermix-reconciliation/1", "currency": currency, "rows": of.rows(), "cost": exact(of.cost()), "entries": entries,
    })
}

fn allocation(of: &Allocation, currency: &str) -> Value {
    let cost = |cost: OwnerCost| {
        json!({
            "rows": cost.rows, "billed": exact(cost.billed), "effective": exact(cost.effective), "shared": exact(cost.shared),
            "charged": exact(cost.charged()),
        })
    };
    let owners: serde_json::Map<String, Value> = of.owners().iter().map(|(name, of)| (name.clone(), cost(*of))).collect();
    json!({
        "schema": "covermix-owners/1", "currency": currency, "owners": owners, "unowned": cost(of.unowned()), "coverage": of.coverage(),
    })
}

fn unpriced(usage: &UsageCurves, catalog: &Catalog) -> Vec<(String, f64, Option<f64>)> {
    let lines = usage.lines().iter().zip(usage.totals());
    lines
        .filter(|(line, _)| line.pricing == PricingCategory::Standard && catalog.price(&line.sku).is_none())
        .map(|(line, quantity)| (line.to_string(), quantity, line.billed_price.map(|price| price.to_f64() * quantity)))
        .collect()
}

/// Missing columns by what follows from their absence, those of several files together.
fn missing_columns(bill: &Bill) -> Vec<String> {
    let mut by_consequence: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<&Path>)> = BTreeMap::new();
    for note in bill.notes() {
        if let Note::MissingColumn { file, column, consequence } = note {
            let (columns, files) = by_consequence.entry(consequence).or_default();
            columns.insert(column);
            files.insert(file);
        }
    }
    let line = |(consequence, (columns, files)): (&str, (BTreeSet<&str>, BTreeSet<&Path>))| {
        let columns: Vec<String> = columns.into_iter().map(|column| format!("`{column}`")).collect();
        let files = match files.len() {
            1 => files.into_iter().map(|file| file.display().to_string()).collect(),
            count => format!("{count} files"),
        };
        format!("{files}: no column {}: {consequence}", columns.join(", "))
    };
    by_consequence.into_iter().map(line).collect()
}

/// The reservations of an AWS bill that did not come into the portfolio.
fn reservations_left_out(bill: &Bill, portfolio: &Portfolio) -> Vec<String> {
    let Some(bill) = bill.cost_and_usage() else { return Vec::new() };
    let is_held = |id: &str| portfolio.commitments().iter().any(|held| held.id == id);
    let left_out = bill.reserved_instances().iter().filter(|lease| !is_held(&lease.arn));
    left_out.map(|lease| format!("{}: not in the portfolio: the catalog has no price of {}", lease.arn, lease.sku)).collect()
}
