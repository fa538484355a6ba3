//! The purchase calendar: weekly purchase dates over three years, and the same on a small trace of its own. Needs Snowflake's Shaved Ice
//! trace in `../shared/data/shavedice` (or under COVERMIX_SHARED); without it the first test says so and passes.

#![cfg(feature = "highs")]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss, reason = "a test may fail by panic")]

use chrono::{DateTime, Duration, Utc};
use covermix::catalog::Catalog;
use covermix::planning::{Options, Plan, Planner, Problem};
use covermix::time::{Hour, HourGrid};
use covermix::usage::{UsageCurves, UsageLine};
use ndarray::Array2;
use shared::shared;
use std::time::Instant;

#[path = "common/shared.rs"]
mod shared;
#[allow(dead_code)]
#[path = "../cli/src/command/trace.rs"]
mod trace;

/// An hour on demand costs 2.1, a committed one 1.
const PREMIUM: &str = "2.1";

/// All usage as one line, with one commitment of a year for it.
fn pooled(first: Hour, demand: &[f64]) -> (UsageCurves, Catalog) {
    let sku = serde_json::json!({"provider": "aws", "service": "AmazonEC2", "region": "us-east-1", "sku": "pooled"});
    let line = UsageLine::new(serde_json::from_value(sku.clone()).unwrap(), "all");
    let quantity = Array2::from_shape_vec((demand.len(), 1), demand.to_vec()).unwrap();
    let usage = UsageCurves::new(HourGrid { first, count: demand.len() }, vec![line], quantity).unwrap();
    let price = serde_json::json!({"id": "pooled", "sku": sku, "price": PREMIUM});
    let offer = serde_json::json!({
        "id": "one-year", "provider": "aws", "service": "AmazonEC2", "region": "us-east-1",
        "benefit": {"kind": "reservation", "sku": "pooled"}, "term": covermix::time::Term::AWS_ONE_YEAR, "payment_option": "no_upfront",
        "upfront": "0", "recurring": "1", "scopes": ["region"],
    });
    let prices = vec![serde_json::from_value(price).unwrap()];
    let catalog = Catalog::new("USD", None, "the paper's cost", prices, vec![serde_json::from_value(offer).unwrap()]).unwrap();
    (usage, catalog)
}

fn weekly(usage: &UsageCurves) -> Vec<DateTime<Utc>> {
    let (first, count) = (usage.grid().first.start(), usage.grid().count);
    (0..count.div_ceil(168)).map(|week| first + Duration::hours(168 * i64::try_from(week).unwrap())).collect()
}

fn problem<'a>(usage: &'a UsageCurves, catalog: &'a Catalog) -> Problem<'a> {
    Planner::new(catalog).usage(usage).purchase_dates(weekly(usage)).build().unwrap()
}

/// The share of the bill on demand that the plan saves.
fn saved(plan: &Plan, demand: &[f64]) -> f64 {
    let on_demand = 2.1 * demand.iter().sum::<f64>();
    1.0 - plan.objective() / on_demand
}

#[test]
fn weekly_purchases_of_three_years_save_what_perfect_foresight_allows() {
    let Some(path) = shared("shavedice/hourly_normalized.csv.gz") else { return };
    let all = trace::read(&path).unwrap();
    let demand: Vec<f64> = all.quantity().rows().into_iter().map(|row| row.sum()).collect();
    let (usage, catalog) = pooled(all.grid().first, &demand);
    let began = Instant::now();
    let problem = problem(&usage, &catalog);
    let solution = problem.search(&Options { relative_gap: 1e-6, ..Options::default() }).unwrap();
    let seconds = began.elapsed().as_secs_f64();
    let on_demand = 2.1 * demand.iter().sum::<f64>();
    let saved = 100.0 * (1.0 - solution.evaluation.objective / on_demand);
    println!(
        "{} dates x {} h: cost {:.1}, bound {:.1}, {saved:.2} % saved, {} sweeps, {seconds:.1} s",
        problem.candidates().len(),
        demand.len(),
        solution.evaluation.objective,
        solution.lower_bound,
        solution.sweeps
    );
    // An independent linear program of the same data found 52,944,577.5 of 96,577,611.9.
    assert!((on_demand - 96_577_611.9).abs() < 0.1, "{on_demand}");
    assert!((saved - 45.18).abs() < 0.005, "{saved}");
    assert!((solution.evaluation.objective - 52_944_577.5).abs() < 2e-6 * 52_944_577.5, "{}", solution.evaluation.objective);
    assert!(solution.gap() <= 1e-6);
    // Whole without branching: the best relaxed point costs no less than the whole steps.
    let integrality = solution.certificate().integrality;
    assert!(integrality.abs() <= 1e-7 * solution.evaluation.objective, "{integrality}");
}

#[test]
fn a_small_trace_is_planned_week_by_week_without_branching() {
    // Usage that grows, with days and weeks, over eighteen months.
    let hours = 24 * 546;
    let demand: Vec<f64> = (0..hours)
        .map(|hour: usize| {
            let (day, clock) = (hour.div_euclid(24), hour % 24);
            let daily = if (8..20).contains(&clock) { 6.0 } else { 2.0 };
            let weekly = if day % 7 < 5 { 1.0 } else { 0.5 };
            (10.0 + day as f64 / 40.0 + daily * weekly).floor()
        })
        .collect();
    let (usage, catalog) = pooled(Hour::from_epoch(0), &demand);
    let problem = problem(&usage, &catalog);
    let plan = problem.solve(&Options { relative_gap: 1e-6, ..Options::default() }).unwrap();
    // The relaxation of the whole problem as one linear program has the same cost: its optimum is whole by itself (consecutive ones).
    let relaxed = problem.extensive(false).solve().unwrap();
    assert!((plan.objective() - relaxed).abs() <= 1e-6 * relaxed, "{} and {relaxed}", plan.objective());
    assert!(saved(&plan, &demand) > 0.4, "{}", saved(&plan, &demand));
    let calendar = plan.calendar(&problem).unwrap();
    assert!(calendar.len() >= 12, "{} tranches", calendar.len());
    let bought: covermix::units::MoneyPerHour =
        calendar.iter().fold(covermix::units::MoneyPerHour::ZERO, |sum, of| sum + of.hourly);
    let expiring = plan.ladder(&problem).unwrap().values().fold(covermix::units::MoneyPerHour::ZERO, |sum, of| sum + of.total());
    assert_eq!(bought, expiring);
}
