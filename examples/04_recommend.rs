//! Lesson 4: what to buy, and how we know. A plan with its bill and its bound; both are checked from outside.
//!
//! ```text
//! cargo run --release --example 04_recommend
//! ```
//!
//! The planner searches over purchases alone. What it prints is the judge's bill of the usage with those purchases, and a bound: no plan
//! under the same policy is billed less. The difference of the two is all that anybody could still find.

#![allow(clippy::print_stdout, reason = "an example prints")]

use covermix::billing::{Judge, Rules};
use covermix::catalog::Catalog;
use covermix::planning::{Options, Planner, Policy};
use covermix::report::recommendation_table;
use covermix::usage::UsageCurves;
use covermix::{Error, Problem};
use std::path::Path;

fn main() -> covermix::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let catalog = Catalog::read(data.join("catalog.json"))?;
    let usage = UsageCurves::read(data.join("usage.csv.gz"))?;
    // The databases of one account, to keep it short.
    let usage = usage.filter(|line| line.account == "shop" && line.sku.sku.starts_with("r5."));
    let usage = usage.ok_or_else(|| Error::from(Problem::Empty { what: "usage of r5" }))?;
    let policy = Policy::read(data.join("policy.toml"))?;
    let problem = Planner::new(&catalog).usage(&usage).policy(policy).build()?;
    let plan = problem.solve(&Options::default())?;
    println!("{}", recommendation_table(&plan, &catalog));

    // 1. The bill, made again from nothing but the list of purchases.
    let portfolio = problem.portfolio_with(&plan.solution().steps)?;
    let again = Judge::new(&usage, &catalog, &portfolio, &Rules::default())?.bill().total().cost();
    println!("Billed again: {again}, the plan said {}", plan.billed_cost());
    assert_eq!(again, plan.billed_cost(), "another bill for the same purchases");

    // 2. The bound is below every plan that we can think of: each percentile rule of the market.
    for baseline in plan.baselines() {
        assert!(plan.lower_bound() <= baseline.billed_cost * (1.0 + 1e-9), "{} beats the bound", baseline.rule);
        if baseline.is_allowed {
            assert!(plan.objective() <= baseline.billed_cost * (1.0 + 1e-9), "{} beats the plan", baseline.rule);
        }
    }
    println!("{} rules of thumb tried; none is billed less than the plan.", plan.baselines().len());

    // 3. One step more or less of any purchase saves no more than the gap.
    let left = plan.objective() - plan.lower_bound();
    for reason in problem.explain(plan.solution())? {
        let more = reason.value_of_one_more.map_or_else(|| "is not allowed".to_owned(), |value| format!("saves {value:+.2}"));
        let less =
            reason.value_of_one_less.map_or_else(|| "is needed by a rule".to_owned(), |value| format!("saves {value:+.2}"));
        println!("{}: one more {more}, the last one {less}", reason.purchase);
        assert!(reason.value_of_one_more.is_none_or(|value| value <= left), "one more saves more than the gap allows");
    }
    Ok(())
}
