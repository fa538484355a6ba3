//! Lesson 15: a quarter later. What was promised against what came, cause by cause; the causes add up to the difference.
//!
//! ```text
//! cargo run --release --example 15_promise_and_bill
//! ```
//!
//! The plan is written as orders. Then usage turns out a tenth higher, and one order was never placed. `orders::verify` changes one thing
//! at a time and lets the judge bill each step, so that every dollar of the difference has a cause: usage, prices, each order, what nobody
//! ordered, the rest.

#![allow(clippy::print_stdout, reason = "an example prints")]

use covermix::billing::{Judge, Rules};
use covermix::catalog::Catalog;
use covermix::planning::orders::{Came, verify};
use covermix::planning::{Options, Planner, Policy};
use covermix::portfolio::Portfolio;
use covermix::units::Money;
use covermix::usage::UsageCurves;
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let catalog = Catalog::read(data.join("catalog.json"))?;
    let usage = UsageCurves::read(data.join("usage.csv.gz"))?;
    let usage = usage.filter(|line| line.account == "shop" && line.sku.sku.starts_with("r5.")).ok_or("no usage of r5")?;
    let held = Portfolio::default();
    let problem = Planner::new(&catalog).usage(&usage).policy(Policy::read(data.join("policy.toml"))?).build()?;
    let plan = problem.solve(&Options::default())?;
    let orders = plan.orders(&problem, "shop")?;
    println!("{} orders; promised {} over the hours planned\n", orders.orders.len(), orders.cost_after.to_cents());

    // What came: a tenth more usage, and the largest order forgotten.
    let more = usage.quantity().mapv(|quantity| 1.1 * quantity);
    let came_usage = UsageCurves::new(usage.grid(), usage.lines().to_vec(), more)?;
    let forgotten = orders.orders.iter().max_by_key(|order| order.recurring).ok_or("no orders")?;
    println!("Not placed: {} ({} x {})\n", forgotten.id, forgotten.quantity, forgotten.offer);
    let mut placed = orders.clone();
    placed.orders.retain(|order| order.id != forgotten.id);
    let portfolio = placed.apply(&held)?;
    let came = Came { usage: &came_usage, catalog: &catalog, portfolio: &portfolio, billed: None };
    let verification = verify(&orders, (&usage, &catalog, &held), &came, &Rules::default())?;
    println!("{verification}");

    // The order's part by hand: the bill of the usage that came, without it and with it.
    let bill = |of: &Portfolio| {
        Ok::<Money, covermix::Error>(Judge::new(&came_usage, &catalog, of, &Rules::default())?.bill().total().cost())
    };
    let missed = bill(&portfolio)? - bill(&orders.apply(&held)?)?;
    println!("By hand the forgotten order costs {}.", missed.to_cents());

    let of_order = verification.orders.iter().find(|order| order.order == forgotten.id).ok_or("the order is not verified")?;
    let parts: Money = verification.orders.iter().map(|order| order.amount).sum();
    let all = verification.usage + verification.price + parts + verification.unordered + verification.rest;
    assert_eq!(all, verification.difference(), "the causes do not add up");
    assert!((of_order.amount - missed).to_f64().abs() < 0.005, "the order is blamed for another amount");
    assert!(verification.usage > Money::ZERO && missed > Money::ZERO, "more usage costs, and a good order forgotten too");
    Ok(())
}
