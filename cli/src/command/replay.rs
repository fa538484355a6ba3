//! `covermix replay`: the judge alone. What a portfolio costs for given usage, by the provider's own rules.

use crate::answer::{Answer, Failure, Result};
use crate::console::Console;
use crate::inputs::{self, Demand, charges, exact, percent};
use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
#[cfg(feature = "ingest")]
use covermix::billing::focus::FocusRow;
use covermix::billing::{Bill, CashKind, Charges, Explanation, Judge, Rules};
use covermix::time::Hour;
use covermix::units::to_f64;
#[cfg(feature = "ingest")]
use covermix::usage::UsageCurves;
use serde_json::{Value, json};
use std::fmt::Write as _;
#[cfg(feature = "ingest")]
use std::path::Path;
use std::path::PathBuf;

/// Bill usage under the commitments held, by the provider's own rules
///
/// Every hour is replayed; no solver takes part. Prints the bill by month (or day, or hour), by
/// commitment and in all: what is left on demand, used and unused commitment, effective savings rate,
/// coverage, utilisation.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  covermix replay --usage usage.csv.gz --catalog prices.json.gz --portfolio portfolio.json
  covermix replay --usage usage.csv.gz --catalog prices.json.gz --portfolio portfolio.json --by day --json
  covermix replay --usage usage.csv.gz --catalog prices.json.gz --portfolio portfolio.json --explain 2025-03-14T10:00:00Z"
)]
pub(crate) struct Replay {
    #[command(flatten)]
    demand: Demand,
    /// The commitments to bill (covermix JSON); none without it.
    #[arg(long, value_name = "FILE")]
    portfolio: Option<PathBuf>,
    /// The rows of the table.
    #[arg(long, value_name = "SPAN", default_value = "month")]
    by: By,
    /// Also print what is paid in which month: upfront fees when due, recurring fees as the provider charges them.
    #[arg(long)]
    cash: bool,
    /// Write the bill as a FOCUS file (CSV).
    #[cfg(feature = "ingest")]
    #[arg(long, value_name = "FILE")]
    focus: Option<PathBuf>,
    /// Explain one hour (2025-03-14T10:00:00Z): every step of the provider's order of applying commitments.
    #[arg(long, value_name = "HOUR")]
    explain: Option<DateTime<Utc>>,
}

/// The spans that are billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    Month,
    Day,
    Hour,
}

impl By {
    fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Day => "day",
            Self::Hour => "hour",
        }
    }
}

impl Replay {
    pub(crate) fn run(&self, console: &Console) -> Result<Answer> {
        console.say("reading usage and prices");
        let (usage, catalog) = self.demand.read(console)?;
        let portfolio = inputs::portfolio(self.portfolio.as_ref(), &catalog)?;
        console.say("replaying every hour");
        let judge = Judge::new(&usage, &catalog, &portfolio, &Rules::default())?;
        let bill = judge.bill();
        let explanation = self.explanation(&bill)?;
        let rows: Vec<(String, Charges)> = match self.by {
            By::Month => bill.months().iter().map(|(month, charges)| (month.to_string(), *charges)).collect(),
            By::Day => bill.days().into_iter().map(|(day, charges)| (day.to_string(), charges)).collect(),
            By::Hour => {
                let hours = bill.hours(0..usage.grid().count);
                hours.into_iter().map(|(hour, charges)| (hour.to_string(), charges)).collect()
            }
        };
        let currency = catalog.currency();
        let mut text = format!(
            "{} usage line(s) x {} hours under {} commitment(s), {currency}\n\n",
            usage.lines().len(),
            usage.grid().count,
            portfolio.commitments().len()
        );
        table(self.by, &rows, &bill, &mut text);
        commitments(&bill, &mut text);
        let mut document = json!({
            "schema": "covermix-replay/1", "currency": currency, "hours": usage.total_hours(), "total": charges(&bill.total()),
            "by": self.by.name(),
            "rows": rows.iter().map(|(name, of)| {
                let mut row = charges(of);
                row[self.by.name()] = json!(name);
                row
            }).collect::<Vec<_>>(),
            "commitments": bill.commitments().iter().map(|of| json!({
                "id": of.id, "hours": of.hours, "provided": of.provided, "used": of.used, "utilisation": of.utilisation(),
                "covered": exact(of.covered), "cost": exact(of.charges.commitment()), "unused": exact(of.charges.unused_commitment),
                "net_savings": exact(of.net_savings()),
            })).collect::<Vec<_>>(),
            "lines": bill.lines().iter().map(|of| json!({
                "line": usage.lines()[of.column].to_string(), "quantity": of.quantity, "covered": of.covered,
                "on_demand_equivalent": exact(of.on_demand_equivalent), "on_demand": exact(of.on_demand),
            })).collect::<Vec<_>>(),
        });
        if self.cash {
            cash(&bill, currency, &mut text);
            document["cash"] = cash_document(&bill);
        }
        if let Some(explanation) = explanation {
            let _ = write!(text, "\n{explanation}");
            document["explanation"] = explanation_document(&explanation);
        }
        #[cfg(feature = "ingest")]
        if let Some(path) = &self.focus {
            let rows = judge.focus_rows(0..usage.grid().count, currency)?;
            write_focus(path, &rows, &usage)?;
            let _ = writeln!(text, "\nwritten: {} ({} FOCUS rows)", path.display(), rows.len());
            document["focus"] = json!({ "file": path, "rows": rows.len() });
        }
        Ok(Answer::done(text, document))
    }

    fn explanation(&self, bill: &Bill) -> Result<Option<Explanation>> {
        let Some(instant) = self.explain else { return Ok(None) };
        let hour = Hour::containing(instant);
        let missing =
            || Failure::wrong(format!("--explain: the hour {hour} is not in the usage"), "give an hour that the usage has");
        bill.explain(hour).ok_or_else(missing).map(Some)
    }
}

/// Writes the rows beside their place first, then renames, so that no half a bill is left.
#[cfg(feature = "ingest")]
fn write_focus(path: &Path, rows: &[FocusRow], usage: &UsageCurves) -> Result<()> {
    let failed = |source| Failure::File { path: path.to_owned(), source };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let file = std::fs::File::create(&temporary).map_err(failed)?;
    let written = covermix_ingest::focus::export::write_csv(rows, usage, std::io::BufWriter::new(file));
    let placed = written.map_err(Failure::from).and_then(|()| std::fs::rename(&temporary, path).map_err(failed));
    if placed.is_err() {
        // The first error is the one to report.
        let _ = std::fs::remove_file(&temporary);
    }
    placed
}

fn table(by: By, rows: &[(String, Charges)], bill: &Bill, text: &mut String) {
    let _ = writeln!(
        text,
        "{:<17} {:>15} {:>15} {:>15} {:>15} {:>15} {:>8} {:>9} {:>11}",
        by.name(),
        "at on-demand",
        "left on demand",
        "used",
        "unused",
        "bill",
        "savings",
        "coverage",
        "utilisation"
    );
    let total = [("total".to_owned(), bill.total())];
    for (name, of) in rows.iter().chain(&total) {
        let amount = |money: covermix::units::Money| money.value().round_dp(2);
        let [all, left, used, unused, cost] = [
            of.on_demand_equivalent,
            of.on_demand - of.sustained_use_discount,
            of.used_commitment,
            of.unused_commitment,
            of.cost(),
        ]
        .map(amount);
        let [savings, coverage, utilisation] = [of.effective_savings_rate_list(), of.coverage(), of.utilisation()].map(percent);
        let _ = writeln!(
            text,
            "{name:<17} {all:>15.2} {left:>15.2} {used:>15.2} {unused:>15.2} {cost:>15.2} {savings:>8} {coverage:>9} {utilisation:>11}"
        );
    }
}

fn commitments(bill: &Bill, text: &mut String) {
    if bill.commitments().is_empty() {
        return;
    }
    let width = bill.commitments().iter().map(|of| of.id.chars().count()).max().unwrap_or(0).max(10);
    let _ =
        writeln!(text, "\n{:<width$} {:>15} {:>15} {:>15} {:>11}", "commitment", "cost", "covers", "net savings", "utilisation");
    for of in bill.commitments() {
        let amount = |money: covermix::units::Money| money.value().round_dp(2);
        let [cost, covered, net] = [of.charges.commitment(), of.covered, of.net_savings()].map(amount);
        let _ = writeln!(text, "{:<width$} {cost:>15.2} {covered:>15.2} {net:>15.2} {:>11}", of.id, percent(of.utilisation()));
    }
}

fn cash(bill: &Bill, currency: &str, text: &mut String) {
    let _ = writeln!(text, "\nPaid in each month, {currency}:");
    for (month, amount) in bill.cash_by_month() {
        let _ = writeln!(text, "  {month} {:>15.2}", to_f64(amount.value()));
    }
}

fn cash_document(bill: &Bill) -> Value {
    let payments: Vec<Value> = bill
        .cash()
        .iter()
        .map(|of| {
            let kind = match of.kind {
                CashKind::OnDemand => "on_demand",
                CashKind::Upfront => "upfront",
                CashKind::Recurring => "recurring",
            };
            json!({ "date": of.date, "kind": kind, "commitment": of.commitment, "amount": exact(of.amount) })
        })
        .collect();
    let months: serde_json::Map<String, Value> =
        bill.cash_by_month().into_iter().map(|(month, amount)| (month.to_string(), json!(exact(amount)))).collect();
    json!({ "months": months, "payments": payments })
}

fn explanation_document(of: &Explanation) -> Value {
    json!({
        "hour": of.hour.start(),
        "steps": of.steps.iter().map(|step| json!({
            "commitment": step.commitment, "line": step.line, "weight": step.weight, "taken": step.taken, "open_before": step.open_before,
            "open_after": step.open_after(), "left_before": step.left_before, "left_after": step.left_after(),
        })).collect::<Vec<_>>(),
        "on_demand": of.on_demand.iter().map(|(line, quantity, price)| json!({ "line": line, "quantity": quantity, "price": price })).collect::<Vec<_>>(),
        "unused": of.unused.iter().map(|(commitment, left, provided)| json!({ "commitment": commitment, "left": left, "provided": provided })).collect::<Vec<_>>(),
    })
}
