//! Living with a portfolio: three fifths of what is held is of families that usage has left. The plan exchanges, sells and lets lapse; the same
//! problem without rights shows what they are worth.
//!
//! ```text
//! cargo run --release --example rebalance
//! ```
//!
//! Makes its own data (invented prices in the proportions of a public list). Writes the orders to `target/covermix/orders.json` and `.csv`.

#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "an example prints")]

use chrono::{DateTime, Duration, TimeZone, Utc};
use covermix::billing::{Charges, Rules};
use covermix::catalog::{Catalog, Offer, OnDemandPrice};
use covermix::planning::orders::{Came, verify};
use covermix::planning::{Options, Plan, Planner, Rights};
use covermix::portfolio::action::Action;
use covermix::portfolio::assumptions::SalePrice;
use covermix::portfolio::deadline::{ALERT_DAYS, DeadlineKind, alerts};
use covermix::portfolio::{Commitment, Portfolio};
use covermix::time::{Hour, HourGrid, Term};
use covermix::units::{Money, to_f64};
use covermix::usage::{UsageCurves, UsageLine};
use ndarray::Array2;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const REGION: &str = "us-east-1";
const DAYS: usize = 90;

/// Instance type, price an hour on demand, usage at night and by day: `m4` and `c4` are as good as gone.
const TYPES: [(&str, &str, f64, f64); 5] = [
    ("m4.large", "0.100", 1.0, 2.0),
    ("c4.large", "0.100", 0.0, 1.0),
    ("m5.large", "0.096", 90.0, 150.0),
    ("c5.large", "0.085", 60.0, 90.0),
    ("r5.large", "0.126", 40.0, 52.0),
];

/// Class and term of a Reserved Instance without upfront payment, and its share of the price on demand.
const CLASSES: [(&str, Term, &str); 4] = [
    ("standard", Term::AWS_ONE_YEAR, "0.63"),
    ("convertible", Term::AWS_ONE_YEAR, "0.68"),
    ("standard", Term::AWS_THREE_YEARS, "0.43"),
    ("convertible", Term::AWS_THREE_YEARS, "0.50"),
];

fn main() -> Outcome<()> {
    let now = Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 0).single().ok_or("a date that exists")?;
    let (usage, catalog) = (usage(now)?, catalog()?);
    let portfolio = portfolio(now)?;
    let mut rights = Rights { at: vec![now], ..Rights::default() };
    rights.assumptions.aws.sale_price = SalePrice::ShareOfReplacement { share: Decimal::new(5, 1) };
    rights.assumptions.aws.sell_through = 0.8;
    let assumptions = rights.assumptions.clone();
    let dates = [now, now + Duration::days(30), now + Duration::days(60)];
    let planner = Planner::new(&catalog).usage(&usage).owning(&portfolio).purchase_dates(dates).renewing().rights(rights);
    let problem = planner.build()?;
    let options = Options { relative_gap: 1e-3, ..Options::default() };
    let plan = problem.solve(&options)?;
    let without = problem.without_actions()?.solve(&options)?;

    let hourly = |of: &dyn Fn(&Commitment) -> bool| -> Outcome<f64> {
        let held = portfolio.commitments().iter().filter(|held| of(held));
        let costs = held.map(|held| Ok((portfolio.offer(&catalog, held)?.effective_hourly() * held.quantity).to_f64()));
        costs.sum::<Outcome<f64>>()
    };
    let share = hourly(&|held| held.id.starts_with("m4") || held.id.starts_with("c4"))? / hourly(&|_| true)?;
    println!("Held today: {:.0} % of its cost is of m4 and c4, which usage has left", 100.0 * share);
    println!("{DAYS} days of usage, {} changes that the rules allow", problem.changes().len());
    assert!(share > 0.6);
    let findings = problem.triage(&plan, now)?;
    println!("\n{:<12}{:>6}{:>8}{:>14}{:>16}  best action", "commitment", "units", "used", "waste/month", "beside/month");
    for of in &findings {
        let best = of.best().map_or("keep".to_owned(), |action| {
            format!("{} ({})", action.kind, action.value.map_or("no value".to_owned(), |value| format!("worth {value:.0}")))
        });
        let used = of.utilisation.map_or("-".to_owned(), |share| format!("{:.0} %", 100.0 * share));
        let (waste, beside) = (to_f64(of.monthly_waste.value()), to_f64(of.uncovered_beside.value()));
        println!("{:<12}{:>6}{used:>8}{waste:>14.0}{beside:>16.0}  {best}", of.commitment, of.quantity);
    }
    println!("\nDeadlines of the next 90 days:");
    for alert in alerts(&portfolio, &catalog, now, &assumptions, &ALERT_DAYS)? {
        let deadline = &alert.deadline;
        let what = match deadline.kind {
            DeadlineKind::LastChance { action } => format!("last chance to {action}"),
            DeadlineKind::Renewal => "renews unless that is stopped".to_owned(),
            DeadlineKind::Expiry => "ends".to_owned(),
            DeadlineKind::ExchangePolicy => "can be exchanged any number of times".to_owned(),
        };
        println!("  within {} days: {} {what}, {}", alert.within_days, deadline.commitment, deadline.last.date_naive());
    }
    compare(&plan, &without);

    println!("\nActions, and what the plan would cost more without each:");
    let mut by_kind: BTreeMap<Action, f64> = BTreeMap::new();
    for action in plan.actions() {
        println!("  {action}");
        *by_kind.entry(action.kind).or_default() += action.value.unwrap_or(0.0);
    }
    for (kind, value) in &by_kind {
        println!("  {:<14} {value:>10.0} USD", kind.to_string());
    }
    println!("\nPurchase calendar:");
    for tranche in plan.calendar(&problem)? {
        let bought: Vec<String> =
            tranche.purchases.iter().map(|(offer, quantity)| format!("{} x {offer}", quantity.normalize())).collect();
        println!("  {}: {} ({:.2} USD/h)", tranche.date.date_naive(), bought.join(", "), tranche.hourly.to_f64());
    }

    let orders = plan.orders(&problem, "111122223333")?;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/covermix");
    std::fs::create_dir_all(&folder)?;
    orders.write(folder.join("orders.json"))?;
    orders.write(folder.join("orders.csv"))?;
    println!("\n{} orders written to target/covermix/orders.json and orders.csv", orders.orders.len());

    // Had everything come as promised, but for the sale, which found no taker:
    let mut partly = orders.clone();
    let is_sale =
        |order: &&covermix::planning::orders::Order| order.operation == covermix::planning::orders::Operation::Act(Action::Sell);
    let sale = orders.orders.iter().find(is_sale).map(|order| order.id.clone()).ok_or("the plan sells something")?;
    partly.orders.retain(|order| order.id != sale);
    let came = partly.apply(&portfolio)?;
    let came = Came { usage: &usage, catalog: &catalog, portfolio: &came, billed: None };
    let verification = verify(&orders, (&usage, &catalog, &portfolio), &came, &Rules::default())?;
    println!("\nPromise and bill, had {sale} not been executed:\n{verification}");

    assert!(plan.objective() < without.objective(), "rights must be worth something here");
    for kind in [Action::Exchange, Action::Sell, Action::Lapse] {
        assert!(by_kind.contains_key(&kind), "{kind} is missing");
    }
    assert!(plan.actions().iter().all(|action| action.value.is_none_or(|value| value > -1e-6)), "an action raises the cost");
    let used = |plan: &Plan, after: bool| if after { plan.after() } else { plan.before() }.total().utilisation().unwrap_or(0.0);
    assert!(used(&plan, true) > used(&plan, false) + 0.3);
    let parts: Money = verification.orders.iter().map(|order| order.amount).sum();
    let sum = verification.usage + verification.price + parts + verification.unordered + verification.rest;
    assert_eq!(sum, verification.difference());
    assert!(verification.difference() > Money::ZERO, "an unsold commitment costs money");
    Ok(())
}

fn compare(plan: &Plan, without: &Plan) {
    let (before, after, alone) = (plan.before().total(), plan.after().total(), without.after().total());
    println!("\n{:<34}{:>12}{:>14}{:>16}", "A month, USD", "before", "with rights", "without rights");
    let row = |name: &str, of: &dyn Fn(&Charges) -> f64| {
        let month = |charges: &Charges| of(charges) * 730.0 / plan.hours();
        println!("  {name:<32}{:>12.0}{:>14.0}{:>16.0}", month(&before), month(&after), month(&alone));
    };
    row("left on demand", &|of| of.on_demand.to_f64());
    row("commitments, used", &|of| of.used_commitment.to_f64());
    row("commitments, unused", &|of| of.unused_commitment.to_f64());
    row("bill", &|of| of.cost().to_f64());
    let share = |name: &str, of: &dyn Fn(&Charges) -> Option<f64>| {
        let percent = |charges: &Charges| of(charges).map_or("-".to_owned(), |share| format!("{:.1} %", 100.0 * share));
        println!("  {name:<32}{:>12}{:>14}{:>16}", percent(&before), percent(&after), percent(&alone));
    };
    share("coverage", &Charges::coverage);
    share("utilisation", &Charges::utilisation);
    let worth = without.objective() - plan.objective();
    println!(
        "  objective over {:.0} h: {:.0} with rights (bound {:.0}, gap {:.3} %), {:.0} without: rights are worth {worth:.0} USD",
        plan.hours(),
        plan.objective(),
        plan.lower_bound(),
        100.0 * plan.gap(),
        without.objective()
    );
}

fn sku(name: &str) -> Value {
    json!({"provider": "aws", "service": "AmazonEC2", "region": REGION, "sku": name, "platform": "Linux", "tenancy": "shared"})
}

fn usage(now: DateTime<Utc>) -> Outcome<UsageCurves> {
    let line = |(name, ..): &(&str, &str, f64, f64)| Ok(UsageLine::new(serde_json::from_value(sku(name))?, "111122223333"));
    let lines = TYPES.iter().map(line).collect::<Outcome<Vec<UsageLine>>>()?;
    let quantity = Array2::from_shape_fn((24 * DAYS, TYPES.len()), |(hour, line)| {
        let (_, _, night, day) = TYPES[line];
        let is_day = (8..20).contains(&(hour % 24)) && hour.div_euclid(24) % 7 < 5;
        // A little unrest, the same in every run.
        let unrest = ((hour * 7919 + line * 104_729) % 11) as f64 / 10.0;
        if is_day { day - unrest } else { night + unrest }
    });
    Ok(UsageCurves::new(HourGrid { first: Hour::containing(now), count: 24 * DAYS }, lines, quantity)?)
}

fn catalog() -> Outcome<Catalog> {
    let price = |(name, price, ..): &(&str, &str, f64, f64)| -> Outcome<OnDemandPrice> {
        Ok(serde_json::from_value(json!({"id": name, "sku": sku(name), "price": price}))?)
    };
    let mut offers: Vec<Offer> = Vec::new();
    for (name, price, ..) in TYPES {
        for (class, term, share) in CLASSES {
            let rights = if class == "standard" { ["resale", "modification"] } else { ["exchange", "modification"] };
            let hourly = price.parse::<Decimal>()? * share.parse::<Decimal>()?;
            offers.push(serde_json::from_value(json!({
                "id": format!("{name} {class} {term}"), "provider": "aws", "service": "AmazonEC2", "region": REGION,
                "benefit": {"kind": "reservation", "sku": name}, "term": term, "payment_option": "no_upfront", "upfront": "0",
                "recurring": hourly.to_string(), "scopes": ["region"], "rights": rights,
            }))?);
        }
    }
    let prices = TYPES.iter().map(price).collect::<Outcome<Vec<OnDemandPrice>>>()?;
    Ok(Catalog::new("USD", None, "invented", prices, offers)?)
}

/// What is held: three fifths of it, by cost, of the families that usage has left.
fn portfolio(now: DateTime<Utc>) -> Outcome<Portfolio> {
    let held = |id: &str, offer: &str, quantity: u32, bought: i64, days: i64| -> Outcome<Commitment> {
        let start = now - Duration::days(bought);
        Ok(serde_json::from_value(json!({
            "id": id, "offer": offer, "quantity": quantity.to_string(), "start": start, "end": start + Duration::days(days),
            "account": "111122223333", "scope": {"kind": "region"},
        }))?)
    };
    Ok(Portfolio::default().with([
        held("m4-conv", "m4.large convertible 3 years", 60, 400, 1095)?,
        held("m4-ending", "m4.large convertible 1 year", 12, 345, 365)?,
        held("c4-std", "c4.large standard 1 year", 31, 120, 365)?,
        held("m5-conv", "m5.large convertible 3 years", 30, 200, 1095)?,
        held("r5-std", "r5.large standard 1 year", 30, 340, 365)?,
    ])?)
}
