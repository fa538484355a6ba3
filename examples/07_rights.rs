//! Lesson 7: what is held can be changed. An idle reservation is sold or exchanged where the provider's rules allow it, and what that is
//! worth is checked by hand.
//!
//! ```text
//! cargo run --release --example 07_rights
//! ```
//!
//! A standard Reserved Instance can be sold on the marketplace: the seller sets an upfront price, AWS keeps 12 % of it, the buyer takes
//! over the hourly fee. A convertible one can be exchanged for others of at least its value. The plan decides both together with purchases.

#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "an example prints")]

use chrono::{Duration, NaiveDate, NaiveTime};
use covermix::catalog::{Catalog, Offer, OnDemandPrice};
use covermix::planning::{Options, Planner, Rights};
use covermix::portfolio::action::Action;
use covermix::portfolio::assumptions::SalePrice;
use covermix::portfolio::{Commitment, Portfolio};
use covermix::time::{Hour, HourGrid};
use covermix::units::Money;
use covermix::usage::{UsageCurves, UsageLine};
use ndarray::Array2;
use rust_decimal::dec;
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const DAYS: usize = 90;
/// Instance type, on-demand price, reserved price, instances in every hour: `c4` and `m4` are gone.
const TYPES: [(&str, &str, &str, f64); 3] =
    [("c4.large", "0.100", "0.063", 0.0), ("m4.large", "0.100", "0.068", 0.0), ("m5.large", "0.096", "0.065", 100.0)];

fn main() -> Outcome<()> {
    let now = NaiveDate::from_ymd_opt(2026, 3, 1).ok_or("a date")?.and_time(NaiveTime::MIN).and_utc();
    let sku =
        |name: &str| json!({"provider": "aws", "service": "AmazonEC2", "region": "us-east-1", "sku": name, "platform": "Linux"});
    let price = |(name, price, ..): &(&str, &str, &str, f64)| -> Outcome<OnDemandPrice> {
        Ok(serde_json::from_value(json!({"id": name, "sku": sku(name), "price": price}))?)
    };
    let offer = |(name, _, reserved, _): &(&str, &str, &str, f64), right: &str| -> Outcome<Offer> {
        Ok(serde_json::from_value(json!({
            "id": format!("{name} {right}"), "provider": "aws", "service": "AmazonEC2", "region": "us-east-1",
            "benefit": {"kind": "reservation", "sku": name}, "term": "P365D", "payment_option": "no_upfront", "upfront": "0",
            "recurring": reserved, "scopes": ["region"], "rights": [right, "modification"]}))?)
    };
    let offers =
        TYPES.iter().flat_map(|kind| ["resale", "exchange"].map(|right| offer(kind, right))).collect::<Outcome<Vec<Offer>>>()?;
    let catalog = Catalog::new("USD", None, "invented", TYPES.iter().map(price).collect::<Outcome<_>>()?, offers)?;
    let lines = TYPES.iter().map(|kind| Ok(UsageLine::new(serde_json::from_value::<covermix::usage::Sku>(sku(kind.0))?, "shop")));
    let quantity = Array2::from_shape_fn((24 * DAYS, TYPES.len()), |(_, line)| TYPES[line].3);
    let grid = HourGrid { first: Hour::containing(now), count: 24 * DAYS };
    let usage = UsageCurves::new(grid, lines.collect::<Outcome<Vec<UsageLine>>>()?, quantity)?;
    let held = |id: &str, offer: &str, quantity: &str| -> Outcome<Commitment> {
        let start = now - Duration::days(120);
        let document: Value = json!({"id": id, "offer": offer, "quantity": quantity, "start": start, "end": start + Duration::days(365),
            "account": "shop", "scope": {"kind": "region"}});
        Ok(serde_json::from_value(document)?)
    };
    let portfolio =
        Portfolio::default().with([held("idle c4", "c4.large resale", "10")?, held("idle m4", "m4.large exchange", "20")?])?;

    // Eight of ten listings at 20 USD each find a buyer, we assume; nothing is bought, so that the actions stand alone.
    let mut rights = Rights { at: vec![now], ..Rights::default() };
    (rights.assumptions.aws.sale_price, rights.assumptions.aws.sell_through) =
        (SalePrice::Each { price: Money::new(dec!(20)) }, 0.8);
    let no_purchases = covermix::planning::Policy { max_purchases: Some(0), ..Default::default() };
    let planner =
        Planner::new(&catalog).usage(&usage).owning(&portfolio).purchase_dates([now]).rights(rights).policy(no_purchases);
    let problem = planner.build()?;
    let options = Options { relative_gap: 1e-6, ..Options::default() };
    let plan = problem.solve(&options)?;
    let without = problem.without_actions()?.solve(&options)?;
    for action in plan.actions() {
        println!("{action}\n  worth {:.2}", action.value.unwrap_or(f64::NAN));
    }
    let worth = without.objective() - plan.objective();
    println!("\nOver {DAYS} days {:.2} without rights, {:.2} with them: {worth:.2} USD.", without.objective(), plan.objective());

    // The sale by hand: of ten, eight are sold; each brings 20 less 12 % and saves its fee for the hours planned.
    let hours = usage.total_hours();
    let sale = 0.8 * 10.0 * (20.0 * 0.88 + 0.063 * hours);
    let of = |kind: Action| plan.actions().iter().find(|action| action.kind == kind).ok_or("an action is missing");
    let sold = of(Action::Sell)?.value.ok_or("a sale has a value")?;
    println!("The sale by hand: 8 x (20 x 0.88 + 0.063 x {hours}) = {sale:.2}; the plan says {sold:.2}.");
    // The exchange: 20 idle fees end; each one received costs its fee and replaces an on-demand instance.
    let exchange = of(Action::Exchange)?;
    let received: f64 = exchange.receives.iter().map(|received| covermix::units::to_f64(received.quantity)).sum();
    let exchanged = (20.0 * 0.068 + received * (0.096 - 0.065)) * hours;
    println!(
        "The exchange by hand: (20 x 0.068 + {received} x (0.096 - 0.065)) x {hours} = {exchanged:.2}; the plan says {:.2}.",
        exchange.value.unwrap_or(f64::NAN)
    );
    assert!((sold - sale).abs() < 0.01, "the sale is worth something else");
    assert!((worth - sale - exchanged).abs() < 0.01, "both together are worth something else");
    assert!(received * 0.065 >= 20.0 * 0.068, "an exchange never lowers the value");
    Ok(())
}
