//! Scenarios that change prices: the finished plan billed at them, against an hour's arithmetic done here.

use super::actions::start;
use super::*;
use crate::scenario::transform::{OfferPrices, PriceChange, Select};
use crate::scenario::{Scenario as Future, Scenarios};
use chrono::{DateTime, Utc};

fn cut(factor: f64, from: DateTime<Utc>, offers: OfferPrices) -> PriceChange {
    PriceChange { select: Select { sku: Some("sku0".into()), ..Select::default() }, factor, from, offers }
}

/// A line that a reservation and a plan cover, and one that the plan covers for next to no saving, so that it takes it last.
fn two_lines() -> Catalog {
    let prices = vec![price("sku0", cents(20), None), price("sku2", cents(30), None)];
    let (one, none) = (Term::AWS_ONE_YEAR, PaymentOption::NoUpfront);
    let offers = vec![
        offer("ri", &reservation("sku0", None), one, none, Decimal::ZERO, cents(9)),
        offer("sp", &spend_plan("Compute", &[("sku0", cents(10)), ("sku2", cents(29))]), one, none, Decimal::ZERO, Decimal::ONE),
    ];
    Catalog::new("USD", None, "invented", prices, offers).unwrap()
}

fn curves(hours: &[(u32, u32)]) -> UsageCurves {
    let lines = ["sku0", "sku2"].map(|name| UsageLine::new(sku(name), "a")).to_vec();
    let quantity =
        Array2::from_shape_fn((hours.len(), 2), |(hour, line)| f64::from(if line == 0 { hours[hour].0 } else { hours[hour].1 }));
    UsageCurves::new(HourGrid { first: Hour::from_epoch(0), count: hours.len() }, lines, quantity).unwrap()
}

fn futures(usage: &UsageCurves, prices: Vec<PriceChange>) -> Scenarios {
    let future = |name: &str, prices| Future { name: name.into(), probability: 0.5, usage: usage.clone(), prices };
    Scenarios::new(vec![future("as now", Vec::new()), future("cut", prices)]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_at_a_scenarios_prices_is_each_hours_arithmetic(
        hours in prop::collection::vec((0u32..9, 0u32..4), 4..40), reserved in 0u32..6, spent in 0u32..4, first in -3i64..45, second in -3i64..45,
        factors in (12u32..30, 20u32..30), stay: bool,
    ) {
        let (catalog, usage) = (two_lines(), curves(&hours));
        let factor = |tenths: u32| f64::from(tenths) / 20.0;
        let offers = if stay { OfferPrices::Stay } else { OfferPrices::Follow };
        // The first may be a rise or a cut, the second is a rise: the price stays above the plan's rate.
        let (one, two) = (factor(factors.0), factor(factors.1));
        let prices = vec![cut(one, start(first), offers), cut(two, start(second), offers)];
        let futures = futures(&usage, prices.clone());
        let problem = Planner::new(&catalog).scenarios(&futures).build().unwrap();
        let mut steps = problem.nothing();
        let offered: BTreeSet<&str> = problem.candidates().iter().map(|candidate| candidate.offer.as_str()).collect();
        prop_assume!(offered.len() == 2);
        let mut bought = [0.0, 0.0];
        for (index, candidate) in problem.candidates().iter().enumerate() {
            let (wanted, which) = if candidate.offer == "ri" { (reserved, 0) } else { (100 * spent, 1) };
            steps[index] = wanted.min(candidate.max_steps);
            bought[which] = f64::from(steps[index]) * crate::units::to_f64(candidate.step);
        }
        let found = problem.repriced(&steps).unwrap();
        prop_assert_eq!(found.len(), 1);
        let found = &found[0];
        // What is bought on the first hour is bought at the prices of that hour; the plan's rate is of that hour too.
        let at = |hour: i64| {
            prices.iter().filter(|change| change.from <= start(hour)).map(|change| change.factor).product::<f64>()
        };
        let locked = if stay { 1.0 } else { at(0) };
        let (mut plan, mut before, mut affected) = (0.0, 0.0, 0.0);
        for (hour, (zero, two)) in hours.iter().enumerate() {
            let now = 0.20 * at(i64::try_from(hour).unwrap());
            before += now * f64::from(*zero) + 0.30 * f64::from(*two);
            let open = (f64::from(*zero) - bought[0]).max(0.0);
            let covered = open.min(bought[1] / (0.10 * locked));
            let left = bought[1] - covered * 0.10 * locked;
            let other = (f64::from(*two) - left / 0.29).max(0.0);
            plan += 0.09 * locked * bought[0] + bought[1] + now * (open - covered) + 0.30 * other;
            if prices.iter().any(|change| change.from <= start(i64::try_from(hour).unwrap())) {
                affected += 0.20 * f64::from(*zero);
            }
        }
        for (name, ours, theirs) in [("plan", plan, found.plan), ("before", before, found.before), ("affected", affected, found.affected)] {
            prop_assert!((ours - theirs.to_f64()).abs() < 1e-6, "{name}: {ours} and {}", theirs.to_f64());
        }
        // At the catalog's prices it is the scenario's cost in the plan.
        let evaluation = problem.evaluate(&steps).unwrap();
        prop_assert!((found.plan_at_catalog.to_f64() - evaluation.scenario_costs[1]).abs() < 1e-6);
    }
}

#[test]
fn a_later_purchase_follows_the_price_if_the_scenario_says_so() {
    let (catalog, usage) = (two_lines(), curves(&[(4, 0); 48]));
    for (offers, share) in [(OfferPrices::Follow, 0.8), (OfferPrices::Stay, 1.0)] {
        let futures = futures(&usage, vec![cut(0.8, start(12), offers)]);
        let planner = Planner::new(&catalog).scenarios(&futures).purchase_dates([start(0), start(24)]);
        let problem = planner.build().unwrap();
        let mut steps = problem.nothing();
        assert_eq!(problem.candidates().iter().filter(|candidate| candidate.offer == "ri").count(), 2);
        for (index, candidate) in problem.candidates().iter().enumerate().filter(|(_, candidate)| candidate.offer == "ri") {
            steps[index] = if candidate.start == start(0) { 1 } else { 3 };
        }
        let found = &problem.repriced(&steps).unwrap()[0];
        // Twelve hours at the old price and twelve at the new one with one reservation, then all is reserved.
        let expected = 48.0 * 0.09 + 12.0 * 3.0 * 0.20 + 12.0 * 3.0 * 0.16 + 24.0 * 3.0 * 0.09 * share;
        assert!((found.plan.to_f64() - expected).abs() < 1e-9, "{offers:?}: {} and {expected}", found.plan.to_f64());
    }
}

#[test]
fn without_price_changes_nothing_is_billed_again() {
    let (catalog, usage) = (two_lines(), curves(&[(4, 1); 24]));
    let problem = Planner::new(&catalog).usage(&usage).build().unwrap();
    assert!(problem.repriced(&problem.nothing()).unwrap().is_empty());
}
