//! Lesson 8: several futures. One plan for all of them, and what it costs to be careful.
//!
//! ```text
//! cargo run --release --example 08_scenarios
//! ```
//!
//! A purchase is made before it is known which future comes. The plan for expected cost is the best bet on the average; the plan that also
//! counts the tail (the mean cost of the worst cases, CVaR) pays a little more on the average for less in the worst. Nobody who decides now
//! can beat the mean of what each future would cost if it were known: the difference is what perfect information would be worth.

#![allow(clippy::print_stdout, reason = "an example prints")]

use covermix::catalog::Catalog;
use covermix::planning::{Objective, Options, Planner, Policy, tail};
use covermix::scenario::ScenarioFile;
use covermix::usage::UsageCurves;
use covermix::{Error, Problem};
use std::path::Path;

/// The same format as `data/scenarios.toml`.
const FUTURES: &str = r#"
schema = "covermix-scenarios/1"
horizon = { start = "2026-01-01T00:00:00Z", months = 12 }

[[scenarios]]
name = "base"
probability = 0.5

[[scenarios]]
name = "boom"
probability = 0.25
transforms = [{ kind = "growth", select = {}, annual = 0.4 }]

[[scenarios]]
name = "loss of a customer"
probability = 0.25
transforms = [{ kind = "step", select = {}, factor = 0.7, from = "2026-04-01T00:00:00Z" }]
"#;

fn main() -> covermix::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let catalog = Catalog::read(data.join("catalog.json"))?;
    let usage = UsageCurves::read(data.join("usage.csv.gz"))?;
    let is_m5 = |line: &covermix::usage::UsageLine| line.sku.region == "us-east-1" && line.sku.sku.starts_with("m5.");
    let usage = usage.filter(is_m5).ok_or_else(|| Error::from(Problem::Empty { what: "usage of m5" }))?;
    let futures = ScenarioFile::from_toml(FUTURES)?.scenarios(&usage, Some(&catalog))?;
    let probabilities = futures.probabilities();
    for future in futures.as_slice() {
        let hours = future.usage.total_hours();
        println!(
            "{:<20} probability {:.2}, {:.1} instances on the average",
            future.name,
            future.probability,
            future.usage.totals().sum() / hours
        );
    }

    let policy = Policy { payment_options: [covermix::catalog::PaymentOption::NoUpfront].into(), ..Policy::default() };
    let problem = Planner::new(&catalog).scenarios(&futures).policy(policy).build()?;
    let options = Options { relative_gap: 1e-4, ..Options::default() };
    let level = 0.75;
    let careful = Objective::ExpectedCostAndTail { weight: 3.0, level };
    let objectives = [("expected cost", Objective::ExpectedCost), ("and the tail", careful)];
    println!("\n{:<16} {:>12} {:>12} {:>10}  cost in each future", "plan for", "expected", "worst 25 %", "committed");
    let mut found = Vec::new();
    for (name, objective) in objectives {
        let plan = problem.with_objective(objective)?.solve(&options)?;
        let costs = plan.solution().evaluation.scenario_costs.clone();
        let (expected, worst) = (Objective::ExpectedCost.of(&costs, &probabilities), tail(&costs, &probabilities, level));
        let committed: f64 = plan.purchases().iter().map(|bought| bought.monthly.to_f64()).sum();
        println!("{name:<16} {expected:>12.0} {worst:>12.0} {committed:>10.0}  {costs:.0?}");
        found.push((expected, worst, plan.gap()));
    }
    let known: Vec<f64> = (0..probabilities.len())
        .map(|index| Ok(problem.with_scenario(index)?.solve(&options)?.lower_bound()))
        .collect::<covermix::Result<_>>()?;
    let known = Objective::ExpectedCost.of(&known, &probabilities);
    let (bet, careful) = (found[0], found[1]);
    println!(
        "\nBeing careful costs {:.0} on the average and saves {:.0} in the worst cases.",
        careful.0 - bet.0,
        bet.1 - careful.1
    );
    println!("If the future were known: {known:.0}, so knowing it would be worth {:.0} at most.", bet.0 - known);

    let slack = bet.0 * (bet.2 + careful.2);
    assert!(careful.0 >= bet.0 - slack, "the careful plan beats the best bet on the average");
    assert!(careful.1 <= bet.1 + slack, "the careful plan is worse in the worst cases");
    assert!(known <= bet.0, "nobody can do better than to know the future");
    Ok(())
}
