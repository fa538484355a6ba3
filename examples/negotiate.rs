//! Which agreement to sign together with which commitments to buy: three offered tiers over three years, three growth scenarios,
//! commitments already held, and spot.
//!
//! ```text
//! cargo run --release --example negotiate
//! cargo run --release --example negotiate -- --json
//! ```
//!
//! Prints every offer with its best purchases, the chosen one with its bound, what deciding in turn would have cost and why, the discount
//! at which each other tier would be worth signing, and what each clause is worth. Prices, usage and tiers are invented (no provider
//! publishes a tier table); the rules of the agreement are those of `covermix::finance::agreement::contract`.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::cast_precision_loss, reason = "an example prints")]

#[path = "negotiate/case.rs"]
mod case;

use case::{Case, thousands};
use clap::Parser;
use covermix::finance::agreement::{CarryLifetime, CarryOver, EarlyRenewal, ShortfallRule, Terms};
use covermix::planning::agreement::{AgreementFirst, Branch, Choice, Clause, ClauseValue, IndifferenceDiscount};
use covermix::planning::{Options, Planner, Problem};
use rust_decimal::{Decimal, dec};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// Chooses an agreement and commitments together.
#[derive(Parser)]
struct Arguments {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// The gap between cost and bound that is good enough.
    #[arg(long, default_value_t = 1e-3)]
    gap: f64,
    /// Leave out indifference discounts and clauses.
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> covermix::Result<()> {
    let case = Case::new()?;
    let options = Options { relative_gap: arguments.gap, time_limit: Duration::from_secs(60), progress: None };
    let problem = case
        .scenarios
        .iter()
        .fold(Planner::new(&case.catalog), |planner, (name, probability, usage)| planner.scenario(*name, *probability, usage));
    let problem = problem.owning(&case.portfolio).purchase_dates(case.dates.clone()).policy(case.policy()).build()?;
    let choice = problem.choose_agreement(&case.offers, &case.other, &options)?;
    let first = problem.agreement_first(&case.offers, &case.other, &options)?;
    let (mut indifference, mut clauses) = (Vec::new(), Vec::new());
    if !arguments.quick {
        let best = choice.best();
        for offer in case.offers.iter().skip(1).filter(|offer| offer.name != best.offer.name) {
            indifference.push(problem.indifference_discount(offer, best.cost(), &case.other, &options, (0.4, 5e-4))?);
        }
        let tier = if best.offer.terms.is_some() { best } else { &choice.branches[1] };
        clauses = problem.clause_values(tier, &asked(tier), &case.other, &options)?;
    }
    if arguments.json {
        println!("{:#}", document(&problem, &case, &choice, &first, &indifference, &clauses)?);
    } else {
        print(&problem, &case, &choice, &first, &indifference, &clauses)?;
    }
    check(&case, &choice, &first, &indifference, &clauses);
    Ok(())
}

/// The clauses to ask for.
fn asked(tier: &Branch) -> Vec<Clause> {
    let minimums = tier.offer.terms.as_ref().map(Terms::minimums).unwrap_or_default();
    let last = minimums.last().copied().unwrap_or_default();
    vec![
        Clause::MoreDiscount { points: dec!(0.01) },
        Clause::Minimums { factor: dec!(0.9) },
        Clause::Growth { share: dec!(0) },
        Clause::CarryOver { rule: CarryOver::Excess { cap_share: None, lifetime: CarryLifetime::UntilUsed } },
        Clause::Shortfall { rule: ShortfallRule::Deferral { share: dec!(0.15), not_in_last: 1 } },
        Clause::MarketplaceCap { share: Some(dec!(0.30)) },
        Clause::EarlyRenewal(EarlyRenewal { from_period: 2, minimums: vec![last * dec!(0.85)] }),
    ]
}

/// Quantity bought by offer and date.
fn purchases(branch: &Branch) -> Vec<(String, Decimal)> {
    branch.purchases.iter().map(|bought| (bought.id.clone(), bought.quantity)).collect()
}

fn print(
    problem: &Problem<'_>,
    case: &Case,
    choice: &Choice,
    first: &AgreementFirst,
    indifference: &[IndifferenceDiscount],
    clauses: &[ClauseValue],
) -> covermix::Result<()> {
    println!("Three years, cost in thousand USD (expected over the scenarios, undiscounted):\n");
    println!(
        "{:<34} {:>9} {:>9} {:>9}  {:>12}  {:>26}",
        "offer", "discount", "cost", "bound", "P(shortfall)", "expected shortfall by year"
    );
    for (index, branch) in choice.branches.iter().enumerate() {
        let shortfall: Vec<String> = branch.expected_shortfall().iter().map(|amount| thousands(*amount)).collect();
        println!(
            "{:<34} {:>7.1} % {:>9} {:>9}  {:>10.0} %  {:>26} {}",
            branch.offer.name,
            100.0 * covermix::units::to_f64(branch.offer.general_discount()),
            thousands(branch.cost()),
            thousands(branch.solution.lower_bound),
            100.0 * branch.shortfall_probability(),
            shortfall.join(" / "),
            if index == choice.chosen { "<- chosen" } else { "" },
        );
    }
    let best = choice.best();
    println!(
        "\nChosen: {}. No plan under any offer costs less than {} thousand: the gap is {:.3} %.",
        best.offer.name,
        thousands(choice.lower_bound),
        100.0 * choice.gap()
    );
    println!("\nWhat to buy under each offer:");
    for branch in &choice.branches {
        let list: Vec<String> = purchases(branch).iter().map(|(id, quantity)| format!("{id}: {quantity}")).collect();
        println!("  {:<34} {}", branch.offer.name, if list.is_empty() { "nothing".to_owned() } else { list.join(", ") });
    }
    let signed = &case.offers[first.offer].name;
    println!("\nAgreement first, commitments second:");
    println!(
        "  with nothing bought {signed} is the cheapest offer, at {} thousand: its minimum is in reach of today's spend.",
        thousands(first.cost_without_purchases)
    );
    println!("  buying at its prices without looking at the minimum then costs {} thousand,", thousands(first.blind.1));
    println!(
        "  buying with the minimum in mind {} thousand: every dollar saved below the minimum is paid as shortfall.",
        thousands(first.informed.1)
    );
    println!(
        "  Decided together: {} thousand, {} less. The smaller commitment leaves room for the savings of the commitments bought.",
        thousands(best.cost()),
        thousands(first.informed.1 - best.cost())
    );
    if !indifference.is_empty() {
        println!("\nAt which discount would another tier be worth as much as {}?", best.offer.name);
        for found in indifference {
            let at = found.at.map_or("no discount up to 40 % is enough".to_owned(), |at| format!("{:.2} %", 100.0 * at));
            println!("  {:<34} offered {:>5.2} %, indifferent at {at}", found.offer, 100.0 * found.offered);
        }
    }
    if !clauses.is_empty() {
        println!("\nWhat a clause would be worth, thousand USD over three years, with purchases decided anew:");
        println!("  {:<42} {:>8}  {:>19}  {:>12}  buys differently", "clause", "value", "proven between", "P(shortfall)");
        for value in clauses {
            println!(
                "  {:<42} {:>8}  {:>8} and {:>6}  {:>10.0} %  {}",
                value.clause.to_string(),
                thousands(value.value),
                thousands(value.proven.0),
                thousands(value.proven.1),
                100.0 * value.shortfall_probability,
                if value.changes_purchases { "yes" } else { "no" }
            );
        }
    }
    let chosen = problem.under(&best.offer, &case.other)?;
    for (index, (name, ..)) in case.scenarios.iter().enumerate() {
        let Some(ledger) = chosen.ledger(&best.solution.steps, index)? else { continue };
        println!("\nLedger of scenario {name}, thousand USD:");
        for (year, period) in ledger.periods.iter().enumerate() {
            let settled = &period.settled;
            println!(
                "  year {}: required {:>8}, counted {:>8}, invoiced shortfall {:>7}",
                year + 1,
                thousands(covermix::units::to_f64(settled.required)),
                thousands(covermix::units::to_f64(settled.counted)),
                thousands(covermix::units::to_f64(settled.paid))
            );
        }
    }
    Ok(())
}

fn document(
    problem: &Problem<'_>,
    case: &Case,
    choice: &Choice,
    first: &AgreementFirst,
    indifference: &[IndifferenceDiscount],
    clauses: &[ClauseValue],
) -> covermix::Result<Value> {
    let branches: Vec<Value> = choice
        .branches
        .iter()
        .map(|branch| {
            json!({
                "offer": branch.offer.name, "discount": branch.offer.general_discount(), "cost": branch.cost(),
                "lower_bound": branch.solution.lower_bound, "shortfall_probability": branch.shortfall_probability(),
                "expected_shortfall_by_year": branch.expected_shortfall(),
                "purchases": purchases(branch).into_iter().map(|(id, quantity)| json!({"purchase": id, "quantity": quantity})).collect::<Vec<_>>(),
            })
        })
        .collect();
    let chosen = problem.under(&choice.best().offer, &case.other)?;
    let mut ledgers = Vec::new();
    for (index, (name, ..)) in case.scenarios.iter().enumerate() {
        ledgers.push(json!({"scenario": name, "ledger": chosen.ledger(&choice.best().solution.steps, index)?}));
    }
    Ok(json!({
        "currency": "USD", "chosen": choice.best().offer.name, "cost": choice.best().cost(), "lower_bound": choice.lower_bound, "gap": choice.gap(),
        "branches": branches,
        "agreement_first": {"offer": case.offers[first.offer].name, "cost_without_purchases": first.cost_without_purchases,
            "cost_blind": first.blind.1, "cost_informed": first.informed.1},
        "indifference": indifference.iter().map(|found| json!({"offer": found.offer, "offered": found.offered, "at": found.at, "tolerance": found.tolerance})).collect::<Vec<_>>(),
        "clauses": clauses.iter().map(|value| json!({"clause": value.clause.to_string(), "value": value.value, "proven_from": value.proven.0,
            "proven_to": value.proven.1, "shortfall_probability": value.shortfall_probability})).collect::<Vec<_>>(),
        "ledgers": ledgers,
    }))
}

/// What the example must show.
fn check(case: &Case, choice: &Choice, first: &AgreementFirst, indifference: &[IndifferenceDiscount], clauses: &[ClauseValue]) {
    let best = choice.best();
    assert!(choice.lower_bound <= best.cost(), "the bound is above the cost");
    assert!(choice.gap() <= 1e-2, "the gap is {}", choice.gap());
    assert_ne!(case.offers[first.offer].name, best.offer.name, "the case is to be one where the orders differ");
    assert!(best.cost() < first.informed.1 && first.informed.1 <= first.blind.1 + 1e-6, "deciding together must be cheaper");
    // Certified: even the bound of the tier signed first is above what the joint decision costs.
    let signed = choice.branches.iter().find(|branch| branch.offer.name == case.offers[first.offer].name);
    assert!(signed.is_some_and(|branch| branch.solution.lower_bound > best.cost()), "the difference is within the gap");
    for found in indifference {
        assert!(found.at.is_none_or(|at| at >= found.offered - found.tolerance), "{} would already be better", found.offer);
    }
    for value in clauses.iter().filter(|value| !matches!(value.clause, Clause::Growth { .. })) {
        assert!(value.value >= -1e-6, "{} costs {}", value.clause, -value.value);
    }
}
