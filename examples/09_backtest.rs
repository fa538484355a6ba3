//! Lesson 9: would it have worked? Rules of purchase decide on the past alone and are charged for what came; the same demand is run
//! forwards and backwards.
//!
//! ```text
//! cargo run --release --example 09_backtest
//! ```
//!
//! Demand grows by half a year over two and a half years, with days and weeks. Every 30 days a rule sees the hours before and may buy
//! one-year plans at 28 % off. A rule that fits the last 30 days does well while demand grows. Run backwards, demand shrinks, and the same
//! rule is left with what nobody uses.

#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "an example prints")]

use covermix::catalog::{Catalog, Offer, OnDemandPrice};
use covermix::scenario::backtest::{BuyNothing, Dates, Foresight, Lookback, Outcome, Rule, run};
use covermix::scenario::hedge::Hedged;
use covermix::time::{Hour, HourGrid};
use covermix::usage::{UsageCurves, UsageLine};
use ndarray::{Array2, s};
use serde_json::json;
use std::error::Error;

const HOURS: usize = 21_900;

fn main() -> Result<(), Box<dyn Error>> {
    let sku = json!({"provider": "aws", "service": "AmazonEC2", "region": "us-east-1", "sku": "any"});
    let price: OnDemandPrice = serde_json::from_value(json!({"id": "any", "sku": sku, "price": "1"}))?;
    let offer: Offer = serde_json::from_value(json!({
        "id": "plan", "provider": "aws", "service": "AmazonEC2", "term": "P365D", "payment_option": "no_upfront", "upfront": "0", "recurring": "1",
        "benefit": {"kind": "spend_plan", "plan": "Compute", "rates": {"any": "0.72"}}, "scopes": ["shared"]}))?;
    let catalog = Catalog::new("USD", None, "invented", vec![price], vec![offer])?;
    let demand = |hour: usize| {
        let years = hour as f64 / 8760.0;
        let day = (hour % 24) as f64 / 24.0;
        let is_weekend = hour.div_euclid(24) % 7 >= 5;
        (100.0 * 1.5_f64.powf(years) * (1.0 + 0.2 * (std::f64::consts::TAU * day).sin()) * if is_weekend { 0.8 } else { 1.0 })
            .round()
    };
    let line = UsageLine::new(serde_json::from_value(sku)?, "shop");
    let quantity = Array2::from_shape_fn((HOURS, 1), |(hour, _)| demand(hour));
    let backwards = quantity.slice(s![..;-1, ..]).as_standard_layout().into_owned();
    let grid = HourGrid { first: Hour::from_epoch(447_000), count: HOURS };
    let growing = UsageCurves::new(grid, vec![line.clone()], quantity)?;
    let shrinking = UsageCurves::new(grid, vec![line], backwards)?;

    // The first decision sees a year; what follows is charged.
    let dates = Dates { first: 8760, step_hours: 720, end: HOURS };
    let backtest = |usage: &UsageCurves| -> covermix::Result<Vec<Outcome>> {
        let mut rules: Vec<Box<dyn Rule>> = vec![Box::new(BuyNothing)];
        rules.extend(Lookback::peers("plan").into_iter().map(|rule| Box::new(rule) as Box<dyn Rule>));
        rules.push(Box::new(Hedged::new("plan")));
        rules.push(Box::new(Foresight::new("plan", usage, &catalog, dates, 1.0)?));
        rules.iter().map(|rule| run(rule.as_ref(), usage, &catalog, dates)).collect()
    };
    let (forwards, backwards) = (backtest(&growing)?, backtest(&shrinking)?);
    println!("{:<34} {:>10} {:>10} {:>12}", "savings in % of on demand", "growing", "shrinking", "worst month");
    for (up, down) in forwards.iter().zip(&backwards) {
        println!(
            "{:<34} {:>10.2} {:>10.2} {:>12.1}",
            up.rule,
            100.0 * up.savings,
            100.0 * down.savings,
            100.0 * down.worst_month
        );
    }

    let last = forwards.len() - 1;
    let (hedged, foresight) = (last - 1, last);
    let regret = |index: usize| {
        let of = |rows: &[Outcome]| rows[foresight].savings - rows[index].savings;
        of(&forwards).max(of(&backwards))
    };
    println!("\nThe larger of both regrets against perfect foresight, in points:");
    for (index, row) in forwards.iter().enumerate().take(last).skip(1) {
        println!("  {:<32} {:>6.2}", row.rule, 100.0 * regret(index));
    }
    for rows in [&forwards, &backwards] {
        assert!(rows[0].savings.abs() < 1e-12, "nothing bought saves nothing");
        assert!(rows.iter().all(|row| row.savings <= rows[foresight].savings + 1e-6), "a rule beats perfect foresight");
        assert!(rows[foresight].savings <= 0.28, "nobody saves more than the discount");
    }
    // Not knowing which way demand goes, the rule to have is the one whose larger regret is the least.
    assert!((1..hedged).all(|rule| regret(hedged) <= regret(rule)), "a rule of the market is safer in both directions");
    Ok(())
}
