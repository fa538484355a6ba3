//! Lesson 11: an agreement asks for spend, and every commitment lowers what counts. Signed first, it can be the wrong one; and for one tier
//! the discount that would make it right is known in closed form.
//!
//! ```text
//! cargo run --release --example 11_agreement
//! ```
//!
//! 100 instances always on: 876,000 a year on demand, 525,600 reserved. Tier A gives 15 % for 600,000 a year, tier B 10 % for 470,000.
//! Looked at alone A is better; but with everything reserved only 446,760 counts for it, and the shortfall is paid.

#![allow(clippy::print_stdout, reason = "an example prints")]

use chrono::NaiveDate;
use covermix::catalog::{Catalog, Offer, OnDemandPrice};
use covermix::finance::agreement::contract;
use covermix::planning::agreement::OfferedAgreement;
use covermix::planning::{Options, Planner};
use covermix::time::{Hour, HourGrid};
use covermix::usage::{Provider, UsageCurves, UsageLine};
use ndarray::Array2;
use rust_decimal::{Decimal, dec};
use serde_json::json;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let sku = json!({"provider": "aws", "service": "AmazonEC2", "region": "us-east-1", "sku": "server"});
    let price: OnDemandPrice = serde_json::from_value(json!({"id": "server", "sku": sku, "price": "1"}))?;
    let offer: Offer = serde_json::from_value(json!({
        "id": "reserved", "provider": "aws", "service": "AmazonEC2", "region": "us-east-1", "benefit": {"kind": "reservation", "sku": "server"},
        "term": "P365D", "payment_option": "no_upfront", "upfront": "0", "recurring": "0.60", "scopes": ["region"]}))?;
    let catalog = Catalog::new("USD", None, "invented", vec![price], vec![offer])?;
    let line = UsageLine::new(serde_json::from_value(sku)?, "shop");
    let start = NaiveDate::from_ymd_opt(2027, 1, 1).ok_or("a date")?;
    let first = Hour::containing(start.and_time(chrono::NaiveTime::MIN).and_utc());
    let usage = UsageCurves::new(HourGrid { first, count: 8760 }, vec![line], Array2::from_elem((8760, 1), 100.0))?;

    let tier = |name: &str, discount: Decimal, minimum: Decimal| -> Result<OfferedAgreement, Box<dyn Error>> {
        let terms = contract::aws_enterprise_discount(start, &[minimum])?;
        Ok(OfferedAgreement::cross_service(name, Provider::Aws, discount, terms))
    };
    let offers = [OfferedAgreement::none(), tier("A", dec!(0.15), dec!(600_000))?, tier("B", dec!(0.10), dec!(470_000))?];
    let problem = Planner::new(&catalog).usage(&usage).build()?;
    let options = Options { relative_gap: 1e-9, ..Options::default() };
    let choice = problem.choose_agreement(&offers, &[], &options)?;
    println!("{:<14} {:>10} {:>10}  what is reserved", "agreement", "cost", "shortfall");
    for branch in &choice.branches {
        let reserved: Decimal = branch.purchases.iter().map(|bought| bought.quantity).sum();
        let shortfall = branch.expected_shortfall().iter().sum::<f64>().abs();
        println!("{:<14} {:>10.0} {shortfall:>10.0}  {}", branch.offer.name, branch.cost(), reserved.normalize());
    }
    let first = problem.agreement_first(&offers, &[], &options)?;
    let best = choice.best();
    println!("\nDecided together: {} for {:.0} (no plan below {:.0}).", best.offer.name, best.cost(), choice.lower_bound);
    println!("The agreement first, then the commitments: {} for {:.0}.", offers[first.offer].name, first.blind.1);

    // By hand: with everything reserved 525,600 (1 - d) counts, and the minimum is paid at least.
    let by_hand = |discount: f64, minimum: f64| f64::max(minimum, 525_600.0 * (1.0 - discount));
    // A third tier asks for 400,000. From which discount on is it worth as much as B? d = 1 - R / G.
    let third = tier("C", dec!(0.05), dec!(400_000))?;
    let indifferent = problem.indifference_discount(&third, best.cost(), &[], &options, (0.4, 1e-5))?;
    let closed_form = 1.0 - best.cost() / 525_600.0;
    let found = indifferent.at.ok_or("a discount that makes C as good as B")?;
    println!(
        "Tier C is as good as {} from {:.3} % on; by hand 1 - R / G = {:.3} %.",
        best.offer.name,
        100.0 * found,
        100.0 * closed_form
    );

    assert_eq!(best.offer.name, "B");
    assert!((best.cost() - by_hand(0.10, 470_000.0)).abs() < 1.0, "B costs something else than by hand");
    assert_eq!(offers[first.offer].name, "A", "on demand A looks better");
    assert!((first.blind.1 - by_hand(0.15, 600_000.0)).abs() < 1.0, "A costs its minimum");
    assert!((found - closed_form).abs() < 1e-4, "another discount than 1 - R / G");
    Ok(())
}
