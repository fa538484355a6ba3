//! Lesson 6: what is held ends. Renewed in one piece it is the same cliff a year later; a rule on what may expire in a month makes the plan
//! a ladder.
//!
//! ```text
//! cargo run --release --example 06_ladder
//! ```
//!
//! Seven tenths of 500 reservations end in one month. With purchase dates the plan says what to buy when; `renewing` lets it buy again what
//! ends, on its day, or let it lapse. `max_expiring_per_month` is in effective cost an hour: 6.00 is a hundred of these reservations.

#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "an example prints")]

use chrono::{DateTime, Duration, Months, NaiveDate, NaiveTime, Utc};
use covermix::catalog::{Catalog, Offer, OnDemandPrice};
use covermix::planning::calendar::Expiring;
use covermix::planning::{Options, Plan, Planner, Policy, Problem};
use covermix::portfolio::{Commitment, Portfolio};
use covermix::time::{Hour, HourGrid, Month};
use covermix::units::MoneyPerHour;
use covermix::usage::{UsageCurves, UsageLine};
use ndarray::Array2;
use rust_decimal::dec;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const MONTHS: u32 = 24;

fn main() -> Outcome<()> {
    let now = NaiveDate::from_ymd_opt(2026, 1, 1).ok_or("a date")?.and_time(NaiveTime::MIN).and_utc();
    let later = |months: u32| now.checked_add_months(Months::new(months)).unwrap_or(now);
    let sku = json!({"provider": "aws", "service": "AmazonEC2", "region": "us-east-1", "sku": "m5.large", "platform": "Linux"});
    let price: OnDemandPrice = serde_json::from_value(json!({"id": "m5.large", "sku": sku, "price": "0.096"}))?;
    let offer: Offer = serde_json::from_value(json!({
        "id": "m5.large 1 year", "provider": "aws", "service": "AmazonEC2", "region": "us-east-1", "benefit": {"kind": "reservation", "sku": "m5.large"},
        "term": "P365D", "payment_option": "no_upfront", "upfront": "0", "recurring": "0.060", "scopes": ["region"],
        "lot": {"minimum": "10", "increment": "10"}}))?;
    let catalog = Catalog::new("USD", None, "invented", vec![price], vec![offer])?;
    let count = usize::try_from((later(MONTHS) - now).num_hours())?;
    let quantity = Array2::from_shape_fn((count, 1), |(hour, _)| {
        let is_day = (8..20).contains(&(hour % 24)) && hour.div_euclid(24) % 7 < 5;
        520.0 + if is_day { 180.0 } else { 0.0 } + ((hour * 7919) % 13) as f64
    });
    let line = UsageLine::new(serde_json::from_value(sku)?, "shop");
    let usage = UsageCurves::new(HourGrid { first: Hour::containing(now), count }, vec![line], quantity)?;
    let held = |id: &str, quantity: u32, months: u32, day: i64| -> Outcome<Commitment> {
        let end = later(months) + Duration::days(day);
        Ok(serde_json::from_value(json!({
            "id": id, "offer": "m5.large 1 year", "quantity": quantity.to_string(), "start": end - Duration::days(365), "end": end,
            "account": "shop", "scope": {"kind": "region"}}))?)
    };
    let commitments = [
        held("spring", 70, 1, 10)?,
        held("cliff 1", 200, 3, 4)?,
        held("cliff 2", 150, 3, 18)?,
        held("summer", 50, 6, 2)?,
        held("autumn", 30, 9, 20)?,
    ];
    let portfolio = Portfolio::default().with(commitments)?;

    let dates: Vec<DateTime<Utc>> = (0..MONTHS).map(later).collect();
    let solve = |limit: Option<MoneyPerHour>| -> Outcome<(Problem<'_>, Plan)> {
        let policy = Policy { max_expiring_per_month: limit, ..Policy::default() };
        let planner = Planner::new(&catalog).usage(&usage).owning(&portfolio).purchase_dates(dates.clone()).renewing();
        let problem = planner.policy(policy).build()?;
        let plan = problem.solve(&Options { relative_gap: 1e-3, ..Options::default() })?;
        Ok((problem, plan))
    };
    let limit = MoneyPerHour::new(dec!(6));
    let (free_problem, free) = solve(None)?;
    let (problem, plan) = solve(Some(limit))?;

    println!("Expiring, USD an hour      held    bought in one piece    as a ladder");
    let (without, with) = (free.ladder(&free_problem)?, plan.ladder(&problem)?);
    for month in without.keys().chain(with.keys()).copied().collect::<BTreeSet<Month>>() {
        let of = |ladder: &BTreeMap<Month, Expiring>| ladder.get(&month).copied().unwrap_or_default();
        println!(
            "  {month}{:>22.2}{:>23.2}{:>15.2}",
            of(&with).held.to_f64(),
            of(&without).bought.to_f64(),
            of(&with).bought.to_f64()
        );
    }
    println!("\nThe ladder's purchases:");
    for tranche in plan.calendar(&problem)? {
        let bought: Vec<String> =
            tranche.purchases.iter().map(|(offer, quantity)| format!("{} x {offer}", quantity.normalize())).collect();
        println!("  {}: {}", tranche.date.date_naive(), bought.join(", "));
    }
    let more = plan.objective() / free.objective() - 1.0;
    println!(
        "\nOver {MONTHS} months {:.0} USD in one piece, {:.0} as a ladder: {:.2} % more.",
        free.objective(),
        plan.objective(),
        100.0 * more
    );

    // The cliff holds 350 reservations, 21.00 an hour; the ladder's months hold a hundred each at most.
    let most = |ladder: &BTreeMap<Month, Expiring>| ladder.values().map(|month| month.bought).max().unwrap_or(MoneyPerHour::ZERO);
    assert!(most(&without) > limit * dec!(3), "in one piece the cliff comes again: {}", most(&without));
    assert!(most(&with) <= limit, "the rule is kept: {}", most(&with));
    assert!((-2e-3..0.05).contains(&more), "a ladder costs little here: {more}");
    Ok(())
}
