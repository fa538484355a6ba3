//! The planner against brute force, the newsvendor's quantile, and the extensive form solved whole.

#![allow(clippy::unwrap_used, clippy::type_complexity, reason = "a test may fail by panic, and a strategy's type is its shape")]

mod actions;
mod orders;
mod prices;
mod rights;
mod rules;
mod spot;

use super::problem::{Problem, Slot};
use super::recourse::{Demand, Recourse};
use super::*;
use crate::catalog::{Benefit, Offer, OnDemandPrice, PaymentOption, PoolUnits, ScopeKind};
use crate::time::{Hour, HourGrid, Term};
use crate::units::{Money, MoneyPerHour, UnitPrice, Units};
use crate::usage::{Provider, Sku, UsageLine};
use good_lp::{Expression, ProblemVariables, Solution as _, SolverModel, constraint, variable};
use ndarray::Array2;
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

fn sku(name: &str) -> Sku {
    Sku {
        provider: Provider::Aws,
        service: "AmazonEC2".into(),
        region: "us-east-1".into(),
        sku: name.into(),
        platform: String::new(),
        tenancy: String::new(),
        unit: String::new(),
    }
}

fn usage(hours: &[Vec<f64>]) -> UsageCurves {
    let width = hours[0].len();
    let lines = (0..width).map(|line| UsageLine::new(sku(&format!("sku{line}")), "a")).collect();
    let quantity = Array2::from_shape_fn((hours.len(), width), |(hour, line)| hours[hour][line]);
    UsageCurves::new(HourGrid { first: Hour::from_epoch(0), count: hours.len() }, lines, quantity).unwrap()
}

/// Slots over lines with weights, capacities, demand and prices of one hour: the recourse's value.
fn hour_value(prices: &[f64], demand: &[f64], slots: &[Vec<(usize, u32)>], capacity: &[f64]) -> (f64, f64) {
    let usage = usage(&[demand.to_vec()]);
    let slots: Vec<Slot> = slots
        .iter()
        .map(|lines| Slot {
            weights: lines.iter().map(|(line, weight)| (*line, Decimal::from(*weight) / Decimal::from(8))).collect(),
            held: Vec::new(),
            peak: 0.0,
        })
        .collect();
    let curve = std::borrow::Cow::Owned(usage.at(0).to_vec());
    let demands = vec![Demand { curve, probability: 1.0 }];
    let recourse = Recourse::new(demands, false, prices.to_vec(), vec![1.0], &slots, std::iter::empty());
    let (cuts, _) = recourse.sweep(&[capacity.to_vec()], &recourse.blocks(1));
    let value: f64 = cuts.iter().map(|cut| cut.at(capacity)).sum();
    // The same hour as a linear program.
    let mut variables = ProblemVariables::new();
    let mut objective = Expression::default();
    let mut served: Vec<Expression> = Vec::new();
    for price in prices {
        let open = variables.add(variable().min(0));
        objective.add_mul(*price, open);
        served.push(open.into());
    }
    let mut rows = Vec::new();
    for (slot, capacity) in slots.iter().zip(capacity) {
        let mut used = Expression::default();
        for (line, weight) in &slot.weights {
            let cover = variables.add(variable().min(0));
            served[*line].add_mul(1.0, cover);
            used.add_mul(crate::units::to_f64(*weight), cover);
        }
        rows.push(constraint!(used <= *capacity));
    }
    for (served, demand) in served.into_iter().zip(demand) {
        rows.push(constraint!(served >= *demand));
    }
    let objective_copy = objective.clone();
    let mut model = variables.minimise(objective).using(good_lp::highs);
    for row in rows {
        model.add_constraint(row);
    }
    (value, model.solve().unwrap().eval(&objective_copy))
}

/// Lines, then slots as (first line, last line, weights), then capacities.
fn nested_hour() -> impl Strategy<Value = (Vec<f64>, Vec<f64>, Vec<Vec<(usize, u32)>>, Vec<f64>)> {
    let lines = 6usize;
    let slot = |range: std::ops::Range<usize>| {
        prop::collection::vec(2u32..9, range.len())
            .prop_map(move |weights| range.clone().zip(weights).collect::<Vec<(usize, u32)>>())
    };
    (
        prop::collection::vec(4u32..12, lines),
        prop::collection::vec(0u32..6, lines),
        (slot(0..6), slot(0..6), slot(0..3), slot(0..3), slot(3..6), slot(0..2), slot(3..4)),
        prop::collection::vec(0u32..10, 7),
    )
        .prop_map(|(prices, demand, slots, capacity)| {
            let slots = vec![slots.0, slots.1, slots.2, slots.3, slots.4, slots.5, slots.6];
            (
                prices.into_iter().map(|price| f64::from(price) / 8.0).collect(),
                demand.into_iter().map(f64::from).collect(),
                slots,
                capacity.into_iter().map(|capacity| f64::from(capacity) / 3.0).collect(),
            )
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn an_hours_value_is_the_linear_programs((prices, demand, slots, capacity) in nested_hour()) {
        let (value, optimum) = hour_value(&prices, &demand, &slots, &capacity);
        prop_assert!((value - optimum).abs() <= 1e-6 * optimum.max(1.0), "recourse {value}, linear program {optimum}");
    }
}

fn price(name: &str, on_demand: Decimal, pool: Option<u32>) -> OnDemandPrice {
    let pools = pool.map(|units| PoolUnits { pool: "pool".into(), units: Units::new(units.into()) });
    OnDemandPrice { pools: pools.into_iter().collect(), ..bare_price(name, on_demand) }
}

fn bare_price(name: &str, on_demand: Decimal) -> OnDemandPrice {
    let json = serde_json::json!({"id": name, "sku": sku(name), "price": on_demand.to_string()});
    serde_json::from_value(json).unwrap()
}

fn offer(id: &str, benefit: &Benefit, term: Term, payment: PaymentOption, upfront: Decimal, recurring: Decimal) -> Offer {
    let scope = if matches!(benefit, Benefit::SpendPlan { .. }) { ScopeKind::Shared } else { ScopeKind::Region };
    let json = serde_json::json!({
        "id": id, "provider": "aws", "service": "AmazonEC2", "benefit": benefit, "term": term, "payment_option": payment,
        "upfront": Money::new(upfront), "recurring": MoneyPerHour::new(recurring), "scopes": BTreeSet::from([scope]),
    });
    serde_json::from_value(json).unwrap()
}

fn reservation(name: &str, pool: Option<u32>) -> Benefit {
    let pool = pool.map(|units| PoolUnits { pool: "pool".into(), units: Units::new(units.into()) });
    Benefit::Reservation { sku: name.into(), pool }
}

fn spend_plan(plan: &str, rates: &[(&str, Decimal)]) -> Benefit {
    let rates: BTreeMap<String, UnitPrice> = rates.iter().map(|(name, rate)| ((*name).into(), UnitPrice::new(*rate))).collect();
    Benefit::SpendPlan { plan: plan.into(), family: String::new(), rates }
}

fn cents(amount: u32) -> Decimal {
    Decimal::new(amount.into(), 2)
}

/// Three lines, of which two share a pool; reservations, a narrow and a wide plan, in two terms.
fn catalog(rates: [u32; 6]) -> Catalog {
    let prices = vec![price("sku0", cents(20), Some(1)), price("sku1", cents(40), Some(2)), price("sku2", cents(30), None)];
    let (one, three) = (Term::AWS_ONE_YEAR, Term::AWS_THREE_YEARS);
    let none = PaymentOption::NoUpfront;
    let wide = |rate: u32| {
        spend_plan("Compute", &[("sku0", cents(rate)), ("sku1", cents(2 * rate)), ("sku2", cents((rate * 3).div_ceil(2)))])
    };
    let narrow = |rate: u32| spend_plan("EC2Instance", &[("sku0", cents(rate)), ("sku1", cents(2 * rate))]);
    let all = PaymentOption::AllUpfront;
    let offers = vec![
        offer("ri-pool-1y", &reservation("sku0", Some(1)), one, none, Decimal::ZERO, cents(rates[0])),
        offer("ri-pool-3y", &reservation("sku0", Some(1)), three, all, cents(rates[1]) * three.list_hours(), Decimal::ZERO),
        offer("ri-sku2-1y", &reservation("sku2", None), one, none, Decimal::ZERO, cents(rates[2])),
        offer("sp-wide-1y", &wide(rates[3]), one, none, Decimal::ZERO, Decimal::ONE),
        offer("sp-wide-3y", &wide(rates[4]), three, none, Decimal::ZERO, Decimal::ONE),
        offer("sp-narrow-1y", &narrow(rates[5]), one, none, Decimal::ZERO, Decimal::ONE),
    ];
    Catalog::new("USD", None, "invented", prices, offers).unwrap()
}

fn rates() -> impl Strategy<Value = [u32; 6]> {
    [10u32..19, 6u32..15, 12u32..29, 11u32..19, 9u32..16, 9u32..18]
}

fn hours(lines: usize, count: std::ops::Range<usize>, most: u32) -> impl Strategy<Value = Vec<Vec<f64>>> {
    prop::collection::vec(prop::collection::vec(0..most, lines).prop_map(|row| row.into_iter().map(f64::from).collect()), count)
}

/// All combinations of steps up to each candidate's most useful number.
pub(super) fn every_plan(problem: &Problem<'_>) -> Vec<Vec<u32>> {
    let mut plans = vec![Vec::new()];
    for candidate in problem.candidates() {
        plans = plans
            .into_iter()
            .flat_map(|plan| (0..=candidate.max_steps).map(move |steps| [plan.clone(), vec![steps]].concat()))
            .collect();
    }
    plans
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn one_pool_and_one_offer_give_the_newsvendors_quantile(
        demand in prop::collection::vec(0u32..20, 1..60),
        rate in 1u32..20,
    ) {
        let offers = vec![offer("ri", &reservation("sku0", None), Term::AWS_ONE_YEAR, PaymentOption::NoUpfront, Decimal::ZERO, cents(rate))];
        let catalog = Catalog::new("USD", None, "invented", vec![price("sku0", cents(20), None)], offers).unwrap();
        let usage = usage(&demand.iter().map(|demand| vec![f64::from(*demand)]).collect::<Vec<_>>());
        let plan = Planner::new(&catalog).usage(&usage).solve().unwrap();
        let bought = plan.purchases().first().map_or(Decimal::ZERO, |purchase| purchase.quantity);
        // Commit at a level that usage reaches for the fraction rate/price of the hours: less is used more often, more less often.
        let reached = |level: Decimal| demand.iter().filter(|demand| Decimal::from(**demand) >= level).count();
        let fraction = cents(rate) / cents(20) * Decimal::from(demand.len());
        prop_assert!(bought.is_zero() || Decimal::from(reached(bought)) >= fraction);
        prop_assert!(Decimal::from(reached(bought + Decimal::ONE)) <= fraction);
        prop_assert!(plan.gap() <= 1e-6, "gap {}", plan.gap());
    }

    #[test]
    fn the_plan_equals_brute_force_on_tiny_cases(hours in hours(3, 1..4, 3), rates in rates(), is_limited: bool) {
        let catalog = catalog(rates);
        let usage = usage(&hours);
        // Spend plans in steps of a quarter, so that every plan can be tried; only offers of one year, or with a limited share.
        let policy = Policy { spend_plan_increment: Decimal::new(25, 2), forbidden_offers: vec!["sp-wide-3y".into()], ..Policy::default() };
        let policy = if is_limited { policy.max_share_three_year(0.5) } else { policy };
        let problem = Planner::new(&catalog).usage(&usage).policy(policy).build().unwrap();
        let plans = every_plan(&problem);
        prop_assume!(plans.len() <= 3000);
        let evaluations = plans.iter().map(|steps| problem.evaluate(steps).unwrap()).filter(Evaluation::is_allowed);
        let best = evaluations.map(|evaluation| evaluation.objective).fold(f64::INFINITY, f64::min);
        let plan = problem.solve(&Options { relative_gap: 0.0, ..Options::default() }).unwrap();
        let billed = plan.billed_cost().to_f64();
        prop_assert!(plan.lower_bound() <= best + 1e-6, "bound {} above the optimum {best}", plan.lower_bound());
        prop_assert!(billed >= best - 1e-6, "billed {billed} below the optimum {best}");
        prop_assert!(billed <= best + 1e-6, "billed {billed}, optimum {best}, of {} plans", plans.len());
    }

    #[test]
    fn cutting_planes_and_the_extensive_form_agree(hours in hours(3, 2..12, 9), rates in rates()) {
        let catalog = catalog(rates);
        let usage = usage(&hours);
        let problem = Planner::new(&catalog).usage(&usage).build().unwrap();
        let optimum = problem.extensive(true).solve().unwrap();
        let bound = problem.relaxed_bound(&Options { relative_gap: 1e-6, ..Options::default() }).unwrap();
        prop_assert!(bound <= optimum + 1e-5 * optimum, "bound {bound} above the optimum {optimum}");
        prop_assert!(bound >= optimum - 1e-4 * optimum - 1e-6, "bound {bound} far below {optimum}");
    }

    #[test]
    fn bound_plan_and_baselines_are_in_order(hours in hours(3, 1..20, 12), rates in rates(), held in 0u32..4) {
        let catalog = catalog(rates);
        let usage = usage(&hours);
        let mut portfolio = Portfolio::default();
        if held > 0 {
            let commitment = serde_json::json!({
                "id": "held", "offer": "ri-pool-1y", "quantity": held.to_string(), "start": "1970-01-01T00:00:00Z",
                "end": "1970-01-01T09:00:00Z", "account": "a", "scope": {"kind": "region"},
            });
            portfolio = portfolio.with([serde_json::from_value(commitment).unwrap()]).unwrap();
        }
        let plan = Planner::new(&catalog).usage(&usage).owning(&portfolio).solve().unwrap();
        let billed = plan.billed_cost().to_f64();
        prop_assert!(plan.lower_bound() <= billed + 1e-9);
        prop_assert!(billed <= plan.before().total().cost().to_f64() + 1e-9);
        for baseline in plan.baselines() {
            prop_assert!(billed <= baseline.billed_cost + 1e-9 || !baseline.is_allowed, "{} is cheaper", baseline.rule);
            prop_assert!(plan.lower_bound() <= baseline.billed_cost + 1e-6 || !baseline.is_allowed);
        }
    }

    #[test]
    fn a_tighter_rule_never_lowers_the_bound_of_the_optimum(hours in hours(3, 1..10, 9), rates in rates()) {
        let catalog = catalog(rates);
        let usage = usage(&hours);
        let optimum = |policy: Policy| {
            let problem = Planner::new(&catalog).usage(&usage).policy(policy).build().unwrap();
            let plan = problem.solve(&Options { relative_gap: 1e-6, ..Options::default() }).unwrap();
            (plan.lower_bound(), plan.billed_cost().to_f64(), problem.is_allowed(&vec![0; problem.candidates().len()]))
        };
        let (free, free_cost, _) = optimum(Policy::default());
        let (limited, limited_cost, zero_is_allowed) = optimum(Policy::default().max_share_three_year(0.2).upfront_budget(Money::ZERO));
        prop_assert!(zero_is_allowed);
        prop_assert!(free <= limited_cost + 1e-6 && limited <= limited_cost + 1e-6 && free <= free_cost + 1e-6);
    }
}

#[test]
fn a_plan_keeps_its_policy_and_the_time_limit_is_an_answer() {
    let catalog = catalog([15, 9, 20, 14, 12, 13]);
    let usage = usage(&(0..200).map(|hour| vec![f64::from(hour % 7), f64::from(hour % 5), 4.0]).collect::<Vec<_>>());
    let policy = Policy::default().upfront_budget(Money::new(Decimal::from(3000))).max_share_three_year(0.3);
    let problem = Planner::new(&catalog).usage(&usage).policy(policy).build().unwrap();
    let plan = problem.solve(&Options::default()).unwrap();
    assert!(plan.upfront() <= Money::new(Decimal::from(3000)));
    let hourly = |three_year: bool| -> f64 {
        let of = plan.purchases().iter().filter(|purchase| !three_year || purchase.offer.term.nominal_months() >= 36);
        of.map(|purchase| purchase.offer.effective_hourly().to_f64() * crate::units::to_f64(purchase.quantity)).sum()
    };
    assert!(hourly(true) <= 0.3 * hourly(false) + 1e-9, "{} of {}", hourly(true), hourly(false));
    let stopped = problem.solve(&Options { time_limit: std::time::Duration::ZERO, ..Options::default() }).unwrap();
    assert!(stopped.billed_cost() <= stopped.before().total().cost());
    let cancel = |_: &Progress| std::ops::ControlFlow::Break(());
    let cancelled = problem.solve(&Options { progress: Some(&cancel), relative_gap: 0.0, ..Options::default() }).unwrap();
    assert_eq!(cancelled.status(), Status::StoppedAtLimit);
}
