//! Lesson 10: spot beside reservations. What may be interrupted has a price of its own, so fewer reservations pay; deciding in turn
//! overlooks that.
//!
//! ```text
//! cargo run --release --example 10_spot
//! ```
//!
//! 10 instances by night and 20 by day, on demand 1 an hour, reserved 0.60 for all hours; nine tenths may run on spot at 0.35,
//! interruptions included (`scenario::spot` gives that price). By hand: of each instance a tenth must run, and only that part is worth more
//! than 0.35 to a reservation.

#![allow(clippy::print_stdout, reason = "an example prints")]

use covermix::catalog::{Catalog, Offer, OnDemandPrice};
use covermix::planning::{Options, Planner, SpotOption};
use covermix::time::{Hour, HourGrid};
use covermix::usage::{UsageCurves, UsageLine};
use ndarray::Array2;
use serde_json::json;

const SPOT: f64 = 0.35;
const RESERVED: f64 = 0.60;
/// The share that may be interrupted.
const SHARE: f64 = 0.9;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sku = json!({"provider": "aws", "service": "AmazonEC2", "region": "us-east-1", "sku": "batch"});
    let price: OnDemandPrice = serde_json::from_value(json!({"id": "batch", "sku": sku, "price": "1"}))?;
    let offer: Offer = serde_json::from_value(json!({
        "id": "reserved", "provider": "aws", "service": "AmazonEC2", "region": "us-east-1", "benefit": {"kind": "reservation", "sku": "batch"},
        "term": "P365D", "payment_option": "no_upfront", "upfront": "0", "recurring": RESERVED.to_string(), "scopes": ["region"]}))?;
    let catalog = Catalog::new("USD", None, "invented", vec![price], vec![offer])?;
    let line = UsageLine::new(serde_json::from_value(sku)?, "data");
    let days = 28;
    let quantity = Array2::from_shape_fn((24 * days, 1), |(hour, _)| if (8..20).contains(&(hour % 24)) { 20.0 } else { 10.0 });
    let usage = UsageCurves::new(HourGrid { first: Hour::from_epoch(490_000), count: 24 * days }, vec![line.clone()], quantity)?;

    let option = SpotOption { line, max_share: SHARE, price: SPOT };
    let plan =
        Planner::new(&catalog).usage(&usage).solve_with_spot(&[option], &Options { relative_gap: 1e-9, ..Options::default() })?;
    let a_day = |cost: f64| cost * 24.0 / usage.total_hours();
    let bought: f64 = plan.commitments().iter().map(|bought| covermix::units::to_f64(bought.quantity)).sum();
    println!("Cost a day                     USD");
    println!("  without spot          {:>10.2}", a_day(plan.without_spot()));
    println!("  reserve, then spot    {:>10.2}", a_day(plan.sequential()));
    println!("  decided together      {:>10.2}  (bound {:.2})", a_day(plan.objective()), a_day(plan.lower_bound()));
    println!("  {bought} reserved, {:.0} % of the work on spot", 100.0 * plan.lines()[0].share());

    // By hand: the k-th instance is worth to a reservation 1 where a tenth of the usage reaches it, spot's price elsewhere, per hour of use.
    let mut by_hand = 0_u32;
    let mut cost = 0.0;
    for instance in 1..=20_u32 {
        let worth = |used: f64| {
            let level = f64::from(instance) - 1.0;
            let must_run = ((1.0 - SHARE) * used - level).clamp(0.0, 1.0);
            must_run + SPOT * ((used - level).clamp(0.0, 1.0) - must_run)
        };
        let open = 12.0 * (worth(10.0) + worth(20.0));
        by_hand += u32::from(open > 24.0 * RESERVED);
        cost += open.min(24.0 * RESERVED);
    }
    println!("By hand: {by_hand} reserved, {cost:.2} a day");
    assert!((bought - f64::from(by_hand)).abs() < 0.5, "another number of reservations than by hand");
    assert!((a_day(plan.objective()) - cost).abs() < 1e-6, "another cost than by hand");
    assert!(plan.objective() < 0.8 * plan.sequential(), "deciding in turn overlooks a quarter here");
    Ok(())
}
