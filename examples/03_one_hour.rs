//! Lesson 3: an hour of the bill, step by step. Reservations first, then the spend plan, then on demand: the judge's replay, and the same
//! by hand.
//!
//! ```text
//! cargo run --release --example 03_one_hour
//! ```
//!
//! AWS applies a regional Reserved Instance to the smallest size of its family first, and counts in normalised units: large 4, xlarge 8,
//! 2xlarge 16. A Savings Plan then covers what is left at its rates until its money an hour is used up. What a commitment does not find to
//! cover is lost in the same hour. So an hour can be checked with a pencil.

#![allow(clippy::print_stdout, reason = "an example prints")]

use covermix::billing::{Judge, Rules};
use covermix::catalog::{Benefit, Catalog};
use covermix::portfolio::Portfolio;
use covermix::usage::UsageCurves;
use covermix::{Error, Problem};
use std::path::Path;

fn main() -> covermix::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let catalog = Catalog::read(data.join("catalog.json"))?;
    let usage = UsageCurves::read(data.join("usage.csv.gz"))?;
    let missing = |what| Error::from(Problem::Empty { what });
    let is_m5 = |line: &covermix::usage::UsageLine| {
        let sku = &line.sku;
        sku.region == "us-east-1" && sku.platform == "Linux" && line.account == "shop" && sku.sku.starts_with("m5.")
    };
    let usage = usage.filter(is_m5).ok_or_else(|| missing("usage of m5"))?;

    // Held: 40 reservations of m5.xlarge, and a plan of 2 USD an hour for the family m5.
    let held = r#"{"schema": "covermix-portfolio/1", "currency": "USD", "commitments": [
        {"id": "reservations", "offer": "ri/us-east-1/m5.xlarge/Linux/1y-standard-no-upfront", "quantity": "40",
         "start": "2025-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z", "account": "shop", "scope": {"kind": "region"}},
        {"id": "plan", "offer": "sp/ec2-instance/us-east-1/m5/1y-no-upfront", "quantity": "2.00",
         "start": "2025-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z", "account": "shop", "scope": {"kind": "shared"}}]}"#;
    let portfolio = Portfolio::from_json(held, &catalog)?;
    let judge = Judge::new(&usage, &catalog, &portfolio, &Rules::default())?;
    let index = 71 * 24 + 15;
    let hour = usage.grid().hour(index);
    println!("{}", judge.explain(hour).ok_or_else(|| missing("the hour"))?);
    let bill = judge.bill();
    let charged = bill.hours(index..index + 1)[0].1;
    println!(
        "on demand {}, commitments used {}, unused {}: {} in this hour",
        charged.on_demand,
        charged.used_commitment,
        charged.unused_commitment,
        charged.cost()
    );

    // By hand: the reservations' units go to the smallest size first, the plan's money to the highest discount first.
    let offer = |id: &str| catalog.offer(id).ok_or_else(|| missing("the offer"));
    let reservation = offer("ri/us-east-1/m5.xlarge/Linux/1y-standard-no-upfront")?;
    let plan = offer("sp/ec2-instance/us-east-1/m5/1y-no-upfront")?;
    let Benefit::SpendPlan { rates, .. } = &plan.benefit else { return Err(missing("a spend plan")) };
    let mut open = Vec::new();
    for (size, units) in [("m5.large", 4.0), ("m5.xlarge", 8.0), ("m5.2xlarge", 16.0)] {
        let id = format!("us-east-1/{size}/Linux");
        let price = catalog.price_with_id(&id).ok_or_else(|| missing("the price"))?.price.to_f64();
        let rate = rates.get(&id).ok_or_else(|| missing("the plan's rate"))?.to_f64();
        let used =
            usage.lines().iter().zip(usage.at(index)).find(|(line, _)| line.sku.sku == size).map_or(0.0, |(_, used)| *used);
        open.push((size, units, price, rate, used));
    }
    let (mut units_left, mut money_left) = (40.0 * 8.0, 2.0);
    for (_, units, _, _, quantity) in &mut open {
        let taken = f64::min(*quantity, units_left / *units);
        (*quantity, units_left) = (*quantity - taken, units_left - taken * *units);
    }
    open.sort_by(|a, b| (a.3 / a.2).total_cmp(&(b.3 / b.2)));
    let mut cost = 40.0 * reservation.effective_hourly().to_f64() + 2.0;
    println!("\nBy hand: 40 reservations and the plan cost {cost:.3}, used or not; after the reservations");
    for (size, _, price, rate, quantity) in open {
        let taken = f64::min(quantity, money_left / rate);
        money_left -= taken * rate;
        cost += (quantity - taken) * price;
        let saved = 100.0 * (1.0 - rate / price);
        println!("  {quantity} x {size} are open: {taken:.4} by the plan at {rate} ({saved:.1} % off), the rest at {price}");
    }
    println!("  in all {cost:.6}");
    assert!((charged.cost().to_f64() - cost).abs() < 1e-9, "the hour by hand differs from the judge's");
    Ok(())
}
