//! Lesson 12: all, part or nothing upfront. Prepaying is a loan to the provider; the cost of capital decides, and there is one rate at
//! which it does not matter.
//!
//! ```text
//! cargo run --release --example 12_payment_options
//! ```
//!
//! The cheapest option by price (all upfront) is not the one worth most once money has a cost. Options are ranked by net present value. The
//! rate implied by prepaying is the internal rate of the difference of two payment plans: if capital costs less, prepay. At just that rate
//! both are worth the same.

#![allow(clippy::print_stdout, reason = "an example prints")]

use covermix::catalog::{Catalog, Offer};
use covermix::finance::payment_option::{PaymentCase, PaymentOption, implied_prepayment_rate, rank};
use covermix::finance::{AnnualRate, PaymentTiming};
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let catalog = Catalog::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/catalog.json"))?;
    let (product, months) = ("ri/us-east-1/m5.large/Linux/3y-standard", 36);
    let on_demand = catalog.price_with_id("us-east-1/m5.large/Linux").ok_or("no price")?.price.to_f64();

    // The list's three prices as discount and share paid upfront.
    let mut options = Vec::new();
    for name in ["all-upfront", "partial-upfront", "no-upfront"] {
        let offer: &Offer = catalog.offer(&format!("{product}-{name}")).ok_or("no offer")?;
        let hours = covermix::units::to_f64(offer.term.list_hours());
        let total = offer.effective_hourly().to_f64() * hours;
        let discount = 1.0 - offer.effective_hourly().to_f64() / on_demand;
        options.push(PaymentOption { name: name.to_owned(), discount, upfront_share: offer.upfront.to_f64() / total });
    }
    // 100 instances, always on.
    let case =
        PaymentCase { on_demand_monthly: 100.0 * on_demand * 730.0, months, utilisation: 1.0, timing: PaymentTiming::Begin };

    println!("{:>16} {:>16} {:>10} {:>16} {:>18}", "cost of capital", "best", "NPV", "second", "discount of best");
    let mut best_at = Vec::new();
    for percent in [0, 5, 10, 20, 30, 40] {
        let ranked = rank(&options, &case, AnnualRate::Effective(f64::from(percent) / 100.0))?;
        let (best, second) = (&ranked[0], &ranked[1]);
        let discount = 100.0 * best.option.discount;
        println!("{percent:>14} % {:>16} {:>10.0} {:>16} {discount:>16.1} %", best.option.name, best.npv, second.option.name);
        best_at.push(best.option.name.clone());
    }

    let rate = implied_prepayment_rate(&options[0], &options[2], months, case.timing)?;
    let rate = rate.unique().ok_or("prepaying all against nothing has one rate")?;
    println!("\nPaying all upfront returns {:.2} % a year against paying nothing upfront.", 100.0 * rate);
    let npv =
        |option: &PaymentOption, rate: f64| Ok::<f64, Box<dyn Error>>(option.appraise(&case, AnnualRate::Effective(rate))?.npv);
    for shift in [-0.02, 0.0, 0.02] {
        let (all, nothing) = (npv(&options[0], rate + shift)?, npv(&options[2], rate + shift)?);
        println!("  at {:>5.2} %: all upfront {all:.2}, nothing upfront {nothing:.2}", 100.0 * (rate + shift));
    }
    assert!(
        (npv(&options[0], rate)? - npv(&options[2], rate)?).abs() < 1e-6 * case.on_demand_monthly,
        "not the rate of indifference"
    );
    assert!(npv(&options[0], rate - 0.02)? > npv(&options[2], rate - 0.02)?, "cheap money prepays");
    assert!(npv(&options[0], rate + 0.02)? < npv(&options[2], rate + 0.02)?, "dear money does not");
    assert_eq!(
        (best_at.first().map(String::as_str), best_at.last().map(String::as_str)),
        (Some("all-upfront"), Some("no-upfront"))
    );
    Ok(())
}
