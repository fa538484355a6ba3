//! Lesson 1: when does a reservation pay, and how many to buy? A screening curve by hand, then the optimiser, which must agree.
//!
//! ```text
//! cargo run --release --example 01_break_even
//! ```
//!
//! The first instance is used in nearly every hour, the tenth in fewer, the last one in a few. On demand each costs `p` for each hour of use, reserved `c`
//! for every hour. So the k-th is worth reserving if it is used in a share `c / p` of the hours or more: draw cost against hours of use, and
//! the two lines cross there (a screening curve; for one product it is the newsvendor's quantile).

#![allow(clippy::print_stdout, reason = "an example prints")]

use covermix::catalog::{Benefit, Catalog};
use covermix::planning::{Options, Planner, Policy};
use covermix::usage::UsageCurves;
use covermix::{Error, Problem};
use std::path::Path;

fn main() -> covermix::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let catalog = Catalog::read(data.join("catalog.json"))?;
    let usage = UsageCurves::read(data.join("usage.csv.gz"))?;

    // One usage line, one reservation for it.
    let missing = |what| Error::from(Problem::Empty { what });
    let offer = catalog.offer("ri/us-east-1/c5.2xlarge/Linux/1y-standard-no-upfront").ok_or_else(|| missing("the offer"))?;
    let Benefit::Reservation { sku, .. } = &offer.benefit else { return Err(missing("a reservation")) };
    let price = catalog.price_with_id(sku).ok_or_else(|| missing("the on-demand price"))?;
    let one = usage.filter(|line| line.sku == price.sku).ok_or_else(|| missing("usage of the SKU"))?;
    assert_eq!(one.lines().len(), 1, "the lesson needs a single line");
    let (on_demand, reserved) = (price.price.to_f64(), offer.effective_hourly().to_f64());
    let hours = one.total_hours();
    let break_even = hours * reserved / on_demand;
    println!("{}: {on_demand:.4} an hour on demand, {reserved:.4} reserved", offer.id);
    println!("A reservation pays from {break_even:.0} of {hours:.0} hours on ({:.1} %).\n", 100.0 * reserved / on_demand);

    // By hand: the hours in which the k-th instance is used, and the cheaper of the two lines there.
    println!("{:>4} {:>8} {:>12} {:>12}", "k-th", "hours", "on demand", "reserved");
    let mut by_hand = 0_u32;
    let mut cost_by_hand = 0.0;
    for number in 1_u32.. {
        let level = f64::from(number);
        let used: f64 = (0..one.grid().count).map(|hour| (one.at(hour)[0] - (level - 1.0)).clamp(0.0, 1.0)).sum();
        if used == 0.0 {
            break;
        }
        let is_worth_it = used > break_even;
        if number % 4 == 1 || (used > 0.9 * break_even && used < 1.1 * break_even) {
            let mark = if is_worth_it { "reserve" } else { "" };
            println!("{number:>4} {used:>8.0} {:>12.2} {:>12.2} {mark}", used * on_demand, hours * reserved);
        }
        by_hand += u32::from(is_worth_it);
        cost_by_hand += f64::min(used * on_demand, hours * reserved);
    }

    // By the optimiser: the same line, this one offer.
    let policy = Policy { allowed_offers: vec![covermix::usage::Pattern(offer.id.clone())], ..Policy::default() };
    let problem = Planner::new(&catalog).usage(&one).policy(policy).build()?;
    let plan = problem.solve(&Options { relative_gap: 1e-9, ..Options::default() })?;
    let by_optimiser = plan.purchases().first().map_or(0.0, |purchase| covermix::units::to_f64(purchase.quantity));
    println!(
        "\nBy hand {by_hand} reservations for {cost_by_hand:.2}; the optimiser buys {by_optimiser} for {:.2}.",
        plan.objective()
    );
    assert!((by_optimiser - f64::from(by_hand)).abs() < 0.5, "the optimiser disagrees with the screening curve");
    assert!((plan.objective() - cost_by_hand).abs() < 1e-6 * cost_by_hand, "the costs differ");
    Ok(())
}
