//! How rules of purchase would have done on a real trace of hourly demand: decide on data before t, be charged on data after t, buy again.
//!
//! `cargo run --release --no-default-features --example backtest -- --usage TRACE [--reverse] [--discount 0.28] [--json]`
//!
//! TRACE is the table of Snowflake's Shaved Ice data (USAGE_HOUR, REGION_NUM, INSTANCE_TYPE, NORM_USAGE; CSV, plain or gzip). All lines
//! have the on-demand price 1. Purchases are made every 720 hours from the second year on, each for a year; the last two years are
//! charged. `--locked 0.4` sells reservations of each line, 40 % off, beside the flexible plan: the rules of the market still buy the plan,
//! ours (`covermix`) buys both, and `covermix, flexible only` shows what the plan alone would have saved. Exit code 2 means that the trace cannot be
//! read or is shorter than two years. Without arguments a small trace of its own is used.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "backtest/trace.rs"]
mod trace;

use clap::Parser;
use covermix::scenario::backtest::{BuyNothing, Dates, Foresight, Lookback, Outcome, Purchase, Rule, Situation, run};
use covermix::scenario::hedge::{Hedged, HedgedFamilies};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Compare rules of purchase on a trace of hourly demand.
#[derive(Parser)]
struct Arguments {
    /// The trace.
    #[arg(long)]
    usage: Option<PathBuf>,
    /// Run the trace backwards in time, so that growing demand shrinks.
    #[arg(long)]
    reverse: bool,
    /// Discount of the flexible plan, a fraction of the on-demand price.
    #[arg(long, default_value_t = 0.28)]
    discount: f64,
    /// Discount of the locked reservations that are sold beside it, a fraction of the on-demand price.
    #[arg(long)]
    locked: Option<f64>,
    /// Hours between decisions.
    #[arg(long, default_value_t = 720)]
    step: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match compare(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// A rule under another name.
struct Named<R>(&'static str, R);

impl<R: Rule> Rule for Named<R> {
    fn name(&self) -> String {
        self.0.to_owned()
    }

    fn decide(&self, situation: &Situation<'_>) -> covermix::Result<Vec<Purchase>> {
        self.1.decide(situation)
    }
}

fn compare(arguments: &Arguments) -> covermix::Result<()> {
    let usage = match &arguments.usage {
        Some(path) => trace::read(path)?,
        None => trace::synthetic()?,
    };
    let usage = if arguments.reverse { trace::reversed(&usage)? } else { usage };
    let catalog = trace::catalog(&usage, arguments.discount, arguments.locked)?;
    let dates = Dates { first: 8760, step_hours: arguments.step, end: usage.grid().count };
    let plan = trace::FLEXIBLE;
    let mut rules: Vec<Box<dyn Rule>> = vec![Box::new(BuyNothing)];
    rules.extend(Lookback::peers(plan).into_iter().map(|rule| Box::new(rule) as Box<dyn Rule>));
    if arguments.locked.is_some() {
        rules.push(Box::new(Named("covermix, flexible only", Hedged::new(plan))));
        rules.push(Box::new(HedgedFamilies::new(plan)));
    } else {
        rules.push(Box::new(Hedged::new(plan)));
    }
    let foresight = Foresight::new(plan, &usage, &catalog, dates, 1.0)?;
    let name = if arguments.locked.is_some() { "foresight, flexible only" } else { "perfect foresight" };
    rules.push(Box::new(Named(name, foresight)));
    let rows =
        rules.iter().map(|rule| run(rule.as_ref(), &usage, &catalog, dates)).collect::<covermix::Result<Vec<Outcome>>>()?;
    let best = rows.iter().map(|row| row.cost).fold(f64::INFINITY, f64::min);
    if arguments.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({
                    "rule": row.rule, "savings": row.savings, "cost": row.cost, "regret": row.cost - best, "utilisation": row.utilisation,
                    "coverage": row.coverage, "worst_month": row.worst_month, "lock_in_months": row.lock_in_months,
                    "purchases": row.bought.commitments().len(),
                })
            })
            .collect();
        let document = json!({
            "discount": arguments.discount, "reverse": arguments.reverse, "step_hours": arguments.step,
            "hours_charged": dates.end - dates.first, "rows": rows,
        });
        println!("{document:#}");
        return Ok(());
    }
    println!(
        "{:<28} {:>9} {:>14} {:>12} {:>8} {:>8} {:>11} {:>9}",
        "rule", "savings %", "cost", "regret", "util. %", "cover %", "worst mo. %", "lock-in mo"
    );
    for row in &rows {
        let utilisation = row.utilisation.map_or_else(|| "-".to_owned(), |value| format!("{:.1}", value * 100.0));
        println!(
            "{:<28} {:>9.2} {:>14.1} {:>12.1} {:>8} {:>8.1} {:>11.1} {:>9.1}",
            row.rule,
            row.savings * 100.0,
            row.cost,
            row.cost - best,
            utilisation,
            row.coverage * 100.0,
            row.worst_month * 100.0,
            row.lock_in_months
        );
    }
    Ok(())
}
