//! Lesson 5: rules. What a rule costs, and what happens when rules cannot all be kept: the clash names them and says how far each would
//! have to give.
//!
//! ```text
//! cargo run --release --example 05_policy
//! ```
//!
//! A policy is what the buyer allows: budgets, shares, floors and caps. Each rule is a row of the program, so its price can be asked for.
//! If no purchases keep all rows, the planner answers with the smallest set of rules that clash. Loosening one of them by the amount named
//! must be enough, which is tried here.

#![allow(clippy::print_stdout, reason = "an example prints")]

use covermix::catalog::Catalog;
use covermix::planning::{Options, Planner, Policy};
use covermix::units::{Money, to_decimal};
use covermix::usage::UsageCurves;
use covermix::{Error, Problem};
use std::path::Path;

fn main() -> covermix::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let catalog = Catalog::read(data.join("catalog.json"))?;
    let usage = UsageCurves::read(data.join("usage.csv.gz"))?;
    let missing = |what| Error::from(Problem::Empty { what });
    let usage = usage.filter(|line| line.account == "shop" && line.sku.sku.starts_with("r5.")).ok_or_else(|| missing("usage"))?;
    let base = Planner::new(&catalog).usage(&usage).build()?;
    let options = Options::default();

    // What a rule costs: the same problem under tighter limits.
    println!("{:<40} {:>12} {:>10}", "at most this share for three years", "cost", "upfront");
    let mut costs = Vec::new();
    for share in [1.0, 0.6, 0.3, 0.0] {
        let plan = base.with_policy(Policy::default().max_share_three_year(share))?.solve(&options)?;
        println!("{share:<40} {:>12.2} {:>10}", plan.objective(), plan.upfront());
        costs.push(plan.objective());
    }

    // Nine tenths covered, but no more than 100,000 to be locked in: impossible together.
    let limit = Money::new(100_000.into());
    let policy = Policy { min_coverage: Some(0.9), max_remaining_obligation: Some(limit), ..Policy::default() };
    let problem = base.with_policy(policy.clone())?;
    let refused = problem.solve(&options).err().ok_or_else(|| missing("a clash"))?;
    println!("\n{refused}\n");
    let clash = problem.clash()?.ok_or_else(|| missing("a clash"))?;
    for rule in &clash.rules {
        let by = rule.by.map_or_else(|| "cannot help alone".to_owned(), |by| format!("{by:.2} {}", rule.unit));
        println!("  {}: {by}", rule.rule);
    }

    // Loosened by what is named, and a hair less than that.
    let by = clash.rules.iter().find(|rule| rule.rule.starts_with("max_remaining_obligation")).and_then(|rule| rule.by);
    let by = by.ok_or_else(|| missing("how far the obligation would have to give"))?;
    let loosened = |by: f64| -> covermix::Result<bool> {
        let more = Money::new(to_decimal(by).ok_or_else(|| missing("a number"))?);
        let policy = Policy { max_remaining_obligation: Some(limit + more), ..policy.clone() };
        Ok(base.with_policy(policy)?.clash()?.is_none())
    };
    let (enough, too_little) = (loosened(by * 1.0001)?, loosened(by * 0.99)?);
    println!("\nWith {by:.2} more to be locked in: {}; with 1 % less: {}", word(enough), word(too_little));

    let slack = 1.0 + 2.0 * options.relative_gap;
    assert!(costs.windows(2).all(|pair| pair[0] <= pair[1] * slack), "a tighter rule made the plan cheaper: {costs:?}");
    assert_eq!(clash.rules.len(), 2, "the two rules clash");
    assert!(enough && !too_little, "the clash named the wrong amount");
    Ok(())
}

fn word(is_possible: bool) -> &'static str {
    if is_possible { "possible" } else { "impossible" }
}
