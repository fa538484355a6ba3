//! An expiry cliff: seven tenths of what is held ends in one month. Renewed in one piece it would be the same cliff a year later; under
//! `max_expiring_per_month` the plan renews it as a ladder.
//!
//! ```text
//! cargo run --release --example expiry_cliff
//! ```
//!
//! Makes its own data (invented prices).

#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "an example prints")]

use chrono::{DateTime, Months, TimeZone, Utc};
use covermix::catalog::{Catalog, Offer, OnDemandPrice};
use covermix::planning::{Options, Plan, Planner, Policy, Problem};
use covermix::portfolio::action::Action;
use covermix::portfolio::{Commitment, Portfolio};
use covermix::time::{Hour, HourGrid, Month, Term};
use covermix::units::MoneyPerHour;
use covermix::usage::{UsageCurves, UsageLine};
use ndarray::Array2;
use rust_decimal::Decimal;
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const MONTHS: u32 = 24;
/// What may expire in a month, in effective cost an hour.
const MOST: i64 = 6;

fn main() -> Outcome<()> {
    let now = Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).single().ok_or("a date that exists")?;
    let (usage, catalog) = (usage(now)?, catalog()?);
    let portfolio = portfolio(now)?;
    let dates: Vec<DateTime<Utc>> = (0..MONTHS).map(|month| later(now, month)).collect();
    let solve = |policy: Policy| -> Outcome<(Problem<'_>, Plan)> {
        let planner =
            Planner::new(&catalog).usage(&usage).owning(&portfolio).purchase_dates(dates.clone()).renewing().policy(policy);
        let problem = planner.build()?;
        let plan = problem.solve(&Options { relative_gap: 1e-3, ..Options::default() })?;
        Ok((problem, plan))
    };
    let limit = MoneyPerHour::new(Decimal::from(MOST));
    let (free_problem, free) = solve(Policy::default())?;
    let (problem, plan) = solve(Policy { max_expiring_per_month: Some(limit), ..Policy::default() })?;

    println!("Expiring, USD an hour       held       free     ladder");
    let (without, with) = (free.ladder(&free_problem)?, plan.ladder(&problem)?);
    let months: std::collections::BTreeSet<Month> = without.keys().chain(with.keys()).copied().collect();
    for month in months {
        let (free, ladder) = (without.get(&month).copied().unwrap_or_default(), with.get(&month).copied().unwrap_or_default());
        println!("  {month}{:>22.2}{:>11.2}{:>11.2}", ladder.held.to_f64(), free.bought.to_f64(), ladder.bought.to_f64());
    }
    println!("\nPurchase calendar under max_expiring_per_month = {MOST}:");
    let calendar = plan.calendar(&problem)?;
    for tranche in &calendar {
        let bought: Vec<String> =
            tranche.purchases.iter().map(|(offer, quantity)| format!("{} x {offer}", quantity.normalize())).collect();
        println!("  {}: {} ({:.2} USD/h)", tranche.date.date_naive(), bought.join(", "), tranche.hourly.to_f64());
    }
    println!("\nWhat ends:");
    for action in plan.actions() {
        println!("  {action}");
    }
    let more = 100.0 * (plan.objective() / free.objective() - 1.0);
    println!(
        "\nCost over {MONTHS} months: {:.0} USD in one piece, {:.0} as a ladder ({more:.2} % more; bound {:.0}, gap {:.3} %)",
        free.objective(),
        plan.objective(),
        plan.lower_bound(),
        100.0 * plan.gap()
    );

    let most_bought = |ladder: &std::collections::BTreeMap<Month, covermix::planning::calendar::Expiring>| {
        ladder.values().map(|month| month.bought).max().unwrap_or(MoneyPerHour::ZERO)
    };
    assert!(most_bought(&without) > limit * Decimal::TWO, "without the rule there is a new cliff");
    assert!(most_bought(&with) <= limit, "the rule is kept: {}", most_bought(&with));
    assert!(calendar.len() >= 4, "a ladder has rungs: {}", calendar.len());
    assert!(free.actions().iter().any(|action| action.kind == Action::Renew), "in one piece everything is renewed on its day");
    assert!(plan.actions().iter().any(|action| action.kind == Action::Lapse), "as a ladder a part is bought later");
    assert!(plan.objective() >= free.objective() * (1.0 - 2e-3), "a rule never lowers the cost");
    Ok(())
}

fn later(now: DateTime<Utc>, months: u32) -> DateTime<Utc> {
    now.checked_add_months(Months::new(months)).unwrap_or(now)
}

fn sku() -> Value {
    json!({"provider": "aws", "service": "AmazonEC2", "region": "us-east-1", "sku": "m5.large", "platform": "Linux"})
}

fn usage(now: DateTime<Utc>) -> Outcome<UsageCurves> {
    let end = later(now, MONTHS);
    let count = usize::try_from((end - now).num_hours())?;
    let quantity = Array2::from_shape_fn((count, 1), |(hour, _)| {
        let is_day = (8..20).contains(&(hour % 24)) && hour.div_euclid(24) % 7 < 5;
        520.0 + if is_day { 180.0 } else { 0.0 } + ((hour * 7919) % 13) as f64
    });
    let line = UsageLine::new(serde_json::from_value(sku())?, "111122223333");
    Ok(UsageCurves::new(HourGrid { first: Hour::containing(now), count }, vec![line], quantity)?)
}

fn catalog() -> Outcome<Catalog> {
    let price: OnDemandPrice = serde_json::from_value(json!({"id": "m5.large", "sku": sku(), "price": "0.096"}))?;
    let offer = |term: Term, rate: &str| -> Outcome<Offer> {
        Ok(serde_json::from_value(json!({
            "id": format!("m5.large {term}"), "provider": "aws", "service": "AmazonEC2", "region": "us-east-1",
            "benefit": {"kind": "reservation", "sku": "m5.large"}, "term": term, "payment_option": "no_upfront", "upfront": "0",
            "recurring": rate, "scopes": ["region"], "rights": ["resale", "modification"], "lot": {"minimum": "10", "increment": "10"},
        }))?)
    };
    let offers = vec![offer(Term::AWS_ONE_YEAR, "0.060")?];
    Ok(Catalog::new("USD", None, "invented", vec![price], offers)?)
}

/// 500 reservations; 350 of them end in the fourth month.
fn portfolio(now: DateTime<Utc>) -> Outcome<Portfolio> {
    let held = |id: &str, quantity: u32, months: u32, day: i64| -> Outcome<Commitment> {
        let end = later(now, months) + chrono::Duration::days(day);
        Ok(serde_json::from_value(json!({
            "id": id, "offer": "m5.large 1 year", "quantity": quantity.to_string(), "start": end - chrono::Duration::days(365), "end": end,
            "account": "111122223333", "scope": {"kind": "region"},
        }))?)
    };
    Ok(Portfolio::default().with([
        held("spring", 70, 1, 10)?,
        held("cliff-1", 200, 3, 4)?,
        held("cliff-2", 150, 3, 18)?,
        held("summer", 50, 6, 2)?,
        held("autumn", 30, 9, 20)?,
    ])?)
}
