//! Lesson 2: what runs and what it costs on demand. Usage and prices are read, and usage without a price is refused with what is missing.
//!
//! ```text
//! cargo run --release --example 02_on_demand
//! ```
//!
//! A usage line is metered usage with one on-demand price: SKU, account, tags. A curve is its quantity in every hour. Before anything is
//! bought the bill is quantity times price, in every hour of every line, and the lowest hour says how much of it never stops: a commitment
//! of that size is always used.

#![allow(clippy::print_stdout, reason = "an example prints")]

use covermix::billing::{Judge, Rules};
use covermix::catalog::Catalog;
use covermix::portfolio::Portfolio;
use covermix::usage::UsageCurves;
use covermix::{Error, Problem};
use std::path::Path;

fn main() -> covermix::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let catalog = Catalog::read(data.join("catalog.json"))?;
    let usage = UsageCurves::read(data.join("usage.csv.gz"))?;
    println!("{} lines over {} hours from {}\n", usage.lines().len(), usage.grid().count, usage.grid().first);

    println!("{:<34} {:>9} {:>8} {:>8} {:>13}", "line", "lowest", "mean", "highest", "on demand");
    let (mut spend, mut steady) = (0.0, 0.0);
    for (index, line) in usage.lines().iter().enumerate() {
        let price = catalog.price(&line.sku).ok_or_else(|| Error::from(Problem::Empty { what: "a price" }))?.price.to_f64();
        let curve = usage.quantity().column(index);
        let lowest = curve.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = curve.iter().copied().fold(0.0, f64::max);
        let cost = price * curve.sum();
        let name = format!("{} {} {}", line.sku.region, line.sku.sku, line.sku.platform);
        println!("{name:<34} {lowest:>9.1} {:>8.1} {highest:>8.1} {cost:>13.2}", curve.sum() / usage.total_hours());
        spend += cost;
        steady += price * lowest * usage.total_hours();
    }
    println!("{:<34} {:>41.2}", "together", spend);
    println!(
        "Never stops: {steady:.2}, {:.1} % of it. What a commitment is worth is decided by the rest.\n",
        100.0 * steady / spend
    );

    // The judge charges the same: nothing is held, so all of it is on demand.
    let (nothing, rules) = (Portfolio::default(), Rules::default());
    let bill = Judge::new(&usage, &catalog, &nothing, &rules)?.bill();
    println!("The judge's bill: {} {}", bill.total().cost().to_cents(), catalog.currency());

    // Usage that the catalog cannot price would be left out of every figure, so it is refused.
    let unknown = "hour,provider,service,region,sku,platform,tenancy,unit,account,quantity\n\
        2025-01-01T00:00:00Z,aws,AmazonEC2,us-east-1,x9.large,Linux,shared,instance-hour,shop,3\n";
    let unknown = UsageCurves::from_reader(unknown.as_bytes())?;
    let refused = Judge::new(&unknown, &catalog, &nothing, &rules).err();
    println!("\nWithout a price: {}", refused.as_ref().map_or_else(String::new, ToString::to_string));

    assert!((bill.total().cost().to_f64() - spend).abs() < 0.005, "the judge's bill is not quantity times price");
    assert!(refused.is_some_and(|error| matches!(error.problem(), Problem::UnknownSkus(list) if list.len() == 1)));
    Ok(())
}
