//! The planner against brute force, the newsvendor's quantile, and the extensive form solved whole.

use super::problem::{Problem, Slot};
use super::recourse::Recourse;
use super::*;
use crate::catalog::{Benefit, Offer, OnDemandPrice, PaymentOption, PoolUnits, ScopeKind};
use crate::time::{Hour, HourGrid, Term};
use crate::units::{Money, MoneyPerHour, UnitPrice, Units};
use crate::usage::{Provider, Sku, UsageLine};
use good_lp::{Expression, ProblemVariables, Solution, SolverModel, constraint, variable};
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

/// Minimises the extensive form by HiGHS; purchases whole or fractional.
fn extensive_optimum(problem: &Problem<'_>, fixed: Option<&[u32]>, whole: bool) -> f64 {
    let form = problem.extensive();
    let mut variables = ProblemVariables::new();
    let steps: Vec<_> = problem
        .candidates()
        .iter()
        .enumerate()
        .map(|(index, candidate)| {
            let bounded = match fixed {
                Some(steps) => variable().min(f64::from(steps[index])).max(f64::from(steps[index])),
                None => variable().min(0).max(f64::from(candidate.max_steps)),
            };
            variables.add(if whole && !candidate.is_divisible { bounded.integer() } else { bounded })
        })
        .collect();
    let mut objective = Expression::from(form.constant);
    for (cost, steps) in form.candidate_costs.iter().zip(&steps) {
        objective.add_mul(*cost, steps);
    }
    let mut rows = Vec::new();
    for hour in &form.hours {
        let covers: Vec<_> = hour.covers.iter().map(|_| variables.add(variable().min(0))).collect();
        for (line, (demand, price)) in hour.lines.iter().enumerate() {
            let open = variables.add(variable().min(0));
            objective.add_mul(hour.weight * price, open);
            let mut served = Expression::from(open);
            for ((_, of, _), cover) in hour.covers.iter().zip(&covers) {
                if *of == line {
                    served.add_mul(1.0, cover);
                }
            }
            rows.push(constraint!(served >= *demand));
        }
        for (slot, held) in hour.held.iter().enumerate() {
            let mut used = Expression::default();
            for ((of, _, weight), cover) in hour.covers.iter().zip(&covers) {
                if *of == slot {
                    used.add_mul(*weight, cover);
                }
            }
            for ((of, capacity), steps) in hour.candidates.iter().zip(&steps) {
                if *of == slot {
                    used.add_mul(-*capacity, steps);
                }
            }
            rows.push(constraint!(used <= *held));
        }
    }
    let objective_copy = objective.clone();
    let mut model = variables.minimise(objective).using(good_lp::highs).set_option("mip_rel_gap", 0.0);
    for row in rows {
        model.add_constraint(row);
    }
    model.solve().unwrap().eval(&objective_copy)
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
    let columns: Vec<usize> = (0..prices.len()).collect();
    let recourse = Recourse::new(&usage, &columns, prices.to_vec(), &slots);
    let value: f64 = recourse.sweep(capacity, &recourse.blocks(1)).iter().map(|cut| cut.at(capacity)).sum();
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
