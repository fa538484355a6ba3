//! How rules of purchase would have done on a real trace of hourly demand: decide on data before t, be charged on data after t, buy again.
//!
//! `cargo run --release --no-default-features --example backtest -- --usage TRACE [--reverse] [--discount 0.28] [--json]`
//!
//! TRACE is the table of Snowflake's Shaved Ice data (USAGE_HOUR, REGION_NUM, INSTANCE_TYPE, NORM_USAGE; CSV, plain or gzip). All lines
//! have the on-demand price 1. Purchases are made every 720 hours from the second year on, each for a year; the last two years are
//! charged. `--locked 0.4` sells reservations of each line, 40 % off, beside the flexible plan: the rules of the market still buy the plan,
//! ours (`covermix`) buys both, and `covermix, flexible only` shows what the plan alone would have saved. `--planner` adds the optimiser as a rule.
//! `--forecasts` compares forecasts instead. Exit code 2 means that the trace cannot be
//! read or is shorter than two years. Without arguments a small trace of its own is used.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "backtest/trace.rs"]
mod trace;

use clap::Parser;
use covermix::scenario::backtest::{BuyNothing, Dates, Foresight, Lookback, Outcome, Purchase, Rule, Situation, run};
use covermix::scenario::forecast::{Forecaster, Method, Scale};
use covermix::scenario::hedge::{Hedged, HedgedFamilies};
use covermix::usage::UsageCurves;
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
    /// Hours of past that the first decision sees.
    #[arg(long, default_value_t = 8760)]
    first: usize,
    /// Hours charged; to the end of the trace if absent.
    #[arg(long)]
    hours: Option<usize>,
    /// Hours between decisions; as many as are charged for a single purchase.
    #[arg(long, default_value_t = 720)]
    step: usize,
    /// Also let the optimiser plan at every date (`planner`; needs the feature `highs`).
    #[cfg(feature = "highs")]
    #[arg(long)]
    planner: bool,
    /// Instead, compare forecasts of the weekly means of all lines together, from every past week.
    #[arg(long)]
    forecasts: bool,
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
    if arguments.forecasts {
        return forecasts(&usage, arguments.json);
    }
    let catalog = trace::catalog(&usage, arguments.discount, arguments.locked)?;
    let end = arguments.hours.map_or(usage.grid().count, |hours| arguments.first.saturating_add(hours));
    let dates = Dates { first: arguments.first, step_hours: arguments.step, end };
    let plan = trace::FLEXIBLE;
    let mut rules: Vec<Box<dyn Rule>> = vec![Box::new(BuyNothing)];
    rules.extend(Lookback::peers(plan).into_iter().map(|rule| Box::new(rule) as Box<dyn Rule>));
    if arguments.locked.is_some() {
        rules.push(Box::new(Named("covermix, flexible only", Hedged::new(plan))));
        rules.push(Box::new(HedgedFamilies::new(plan)));
    } else {
        rules.push(Box::new(Hedged::new(plan)));
    }
    #[cfg(feature = "highs")]
    if arguments.planner {
        let limit = std::time::Duration::from_secs(60);
        let planned = covermix::planning::Planned { relative_gap: Some(1e-3), time_limit: Some(limit), ..Default::default() };
        rules.push(Box::new(planned));
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

/// Mean absolute error by weeks ahead, as a share of what came.
fn forecasts(usage: &UsageCurves, as_json: bool) -> covermix::Result<()> {
    let total: Vec<f64> = usage.quantity().rows().into_iter().map(|row| row.sum()).collect();
    let weeks: Vec<f64> = total[total.len() % 168..].chunks_exact(168).map(|week| week.iter().sum::<f64>() / 168.0).collect();
    let trend = |damping| Method::DampedTrend { level: 0.5, trend: 0.05, damping };
    let methods = [
        ("trailing mean, 8 weeks", Method::TrailingMean { window: 8 }),
        ("last week", Method::SeasonalNaive { season: 1, drift: false }),
        ("last week, drift", Method::SeasonalNaive { season: 1, drift: true }),
        ("year ago, drift", Method::SeasonalNaive { season: 52, drift: true }),
        ("trend, damping 0.9", trend(0.9)),
        ("trend, damping 0.98", trend(0.98)),
        ("trend, not damped", trend(1.0)),
    ];
    let horizons = [1, 4, 13, 26, 52];
    let mut rows = Vec::new();
    for (name, method) in methods {
        let errors = Forecaster { method, scale: Scale::Logarithmic }.rolling_origin(&weeks, &horizons)?;
        rows.push((name, errors));
    }
    if as_json {
        let rows: Vec<_> = rows.iter().map(|(name, errors)| json!({"method": name, "errors": errors})).collect();
        println!("{:#}", json!({"weeks": weeks.len(), "rows": rows}));
        return Ok(());
    }
    println!("mean absolute error as % of demand, by weeks ahead; {} weeks", weeks.len());
    println!("{:<24} {:>7} {:>7} {:>7} {:>7} {:>7}", "method", 1, 4, 13, 26, 52);
    for (name, errors) in rows {
        let cells: Vec<String> = errors.iter().map(|error| format!("{:>7.2}", error.weighted_absolute * 100.0)).collect();
        println!("{name:<24} {}", cells.join(" "));
    }
    Ok(())
}
