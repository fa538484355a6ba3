//! Usage as curves to look at: every day, an ordinary week by instrument, and load-duration curves with the level chosen.

use super::super::figure::Figure;
use super::super::model::{Day, Level, LoadDuration, LoadPoint, Week, WeekHour};
use super::{actions, first_usage, number, ratio};
use crate::catalog::{Benefit, Offer};
use crate::error::Result;
use crate::planning::{Plan, Problem};
use crate::portfolio::Commitment;
use crate::units::{Money, to_decimal, to_f64};
use crate::usage::UsageCurves;
use chrono::{Datelike, NaiveDate, Weekday};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Points of a load-duration curve.
const POINTS: usize = 201;

/// What is held and kept.
const HELD: &str = "held before";

/// What actions put in the place of what was held.
const BY_ACTIONS: &str = "by actions";

/// Pools with a load-duration curve of their own.
const POOLS: usize = 3;

/// All usage and what the plan covers of it, as money an hour on the average of each day.
pub(super) fn days(plan: &Plan, usage: &UsageCurves) -> Result<Vec<Day>> {
    let mut days: BTreeMap<NaiveDate, (Money, Money, f64)> = BTreeMap::new();
    for (index, (hour, charges)) in plan.after().hours(0..usage.grid().count).into_iter().enumerate() {
        let day = days.entry(hour.start().date_naive()).or_insert((Money::ZERO, Money::ZERO, 0.0));
        day.0 += charges.on_demand_equivalent;
        day.1 += charges.covered();
        day.2 += usage.weights()[index];
    }
    let mut rows = Vec::with_capacity(days.len());
    for (day, (usage, covered, hours)) in days {
        let hours = to_decimal(hours).filter(|hours| !hours.is_zero()).unwrap_or(Decimal::ONE);
        rows.push(Day { day, usage: (usage.value() / hours).into(), covered: (covered.value() / hours).into() });
    }
    Ok(rows)
}

/// The week, Monday to Sunday, whose usage is nearest to the mean week's; all hours if there is no whole week.
pub(super) fn week(problem: &Problem<'_>, plan: &Plan, usage: &UsageCurves) -> Result<Week> {
    let grid = usage.grid();
    let hourly: Vec<f64> = plan
        .after()
        .hours(0..grid.count)
        .into_iter()
        .zip(usage.weights())
        .map(|((_, charges), weight)| charges.on_demand_equivalent.to_f64() / weight)
        .collect();
    let mean = hourly.iter().sum::<f64>() / hourly.len().max(1) as f64;
    let is_start = |index: &usize| {
        let start = grid.hour(*index).start();
        start.weekday() == Weekday::Mon && start.time() == chrono::NaiveTime::MIN && index + 168 <= grid.count
    };
    let distance = |index: usize| (hourly[index..index + 168].iter().sum::<f64>() / 168.0 - mean).abs();
    let first = (0..grid.count).filter(is_start).min_by(|a, b| distance(*a).total_cmp(&distance(*b)));
    let span = first.map_or(0..grid.count.min(168), |first| first..first + 168);
    let groups = groups(problem, plan);
    let mut instruments: Vec<String> = groups.values().cloned().collect();
    instruments.sort_by_key(|name| order(name));
    instruments.dedup();
    let mut hours = Vec::with_capacity(span.len());
    for index in span.clone() {
        let Some(explained) = plan.after().explain(grid.hour(index)) else { continue };
        let mut covered = vec![Decimal::ZERO; instruments.len()];
        for step in &explained.steps {
            let price = problem.catalog().price(&usage.lines()[step.column].sku);
            let group = groups.get(&step.commitment).and_then(|name| instruments.iter().position(|one| one == name));
            if let (Some(price), Some(group)) = (price, group) {
                covered[group] += price.price.value() * step.taken;
            }
        }
        hours.push(WeekHour { usage: number(hourly[index])?, covered: covered.into_iter().map(Figure::new).collect() });
    }
    Ok(Week { from: grid.hour(span.start).start(), instruments, hours })
}

/// The instrument of each commitment, in words: what is held, then by kind and length.
fn groups(problem: &Problem<'_>, plan: &Plan) -> BTreeMap<String, String> {
    let name = |held: &Commitment| if actions::is_received(plan, held) { BY_ACTIONS } else { HELD };
    let held = actions::kept(problem, plan).into_iter().map(|held| (held.id.clone(), name(held).to_owned()));
    let bought = problem.commitments(&plan.solution().steps).into_iter().filter_map(|commitment| {
        let offer = problem.catalog().offer(&commitment.offer)?;
        Some((commitment.id, instrument(offer)))
    });
    held.chain(bought).collect()
}

fn instrument(offer: &Offer) -> String {
    let kind = if offer.is_spend_plan() { "spend plans" } else { "reservations" };
    format!("{kind}, {}", offer.term)
}

/// Stacked from below: what is held, reservations, spend plans; longer terms first.
fn order(name: &str) -> (u8, std::cmp::Reverse<String>) {
    let kind = match name {
        HELD => 0,
        BY_ACTIONS => 1,
        _ => 2 + u8::from(name.starts_with("spend plans")),
    };
    (kind, std::cmp::Reverse(name.to_owned()))
}

/// The curve of all usage, and of the pools with the largest reservations bought.
pub(super) fn load_duration(problem: &Problem<'_>, plan: &Plan, usage: &UsageCurves) -> Result<Vec<LoadDuration>> {
    let grid = usage.grid();
    let weights: Vec<f64> = usage.weights().to_vec();
    let money = plan.after().hours(0..grid.count).into_iter().zip(&weights);
    let all: Vec<f64> = money.map(|((_, charges), weight)| charges.on_demand_equivalent.to_f64() / weight).collect();
    let currency = problem.catalog().currency();
    let mut curves = vec![LoadDuration {
        name: "All usage at on-demand prices".into(),
        unit: format!("{currency} an hour"),
        points: points(&all, &weights)?,
        levels: full_use(problem, plan)?,
    }];
    for pool in pools(plan) {
        let mut demand = vec![0.0; grid.count];
        for (column, line) in usage.lines().iter().enumerate() {
            let units = problem.catalog().price(&line.sku).and_then(|price| price.pools.iter().find(|one| one.pool == pool));
            let Some(units) = units.filter(|_| line.pricing == crate::usage::PricingCategory::Standard) else { continue };
            let units = units.units.to_f64();
            for (hour, demand) in demand.iter_mut().enumerate() {
                *demand += usage.at(hour)[column] * units;
            }
        }
        curves.push(LoadDuration {
            name: format!("Pool {pool}"),
            unit: "normalised units".into(),
            points: points(&demand, &weights)?,
            levels: reserved(problem, plan, &pool)?,
        });
    }
    Ok(curves)
}

/// The curve by falling usage, at even shares of the hours.
fn points(values: &[f64], weights: &[f64]) -> Result<Vec<LoadPoint>> {
    let mut sorted: Vec<(f64, f64)> = values.iter().copied().zip(weights.iter().copied()).collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let total: f64 = weights.iter().sum();
    let mut curve = Vec::with_capacity(POINTS);
    let (mut index, mut passed) = (0, 0.0);
    for point in 0..POINTS {
        let share = point as f64 / (POINTS - 1) as f64;
        while index + 1 < sorted.len() && passed + sorted[index].1 <= share * total {
            passed += sorted[index].1;
            index += 1;
        }
        let Some((value, _)) = sorted.get(index) else { break };
        curve.push(LoadPoint { share: number(share)?, usage: number(*value)? });
    }
    Ok(curve)
}

/// What the commitments could cover in an hour at full use, in on-demand money: what they cover on the average / their utilisation.
fn full_use(problem: &Problem<'_>, plan: &Plan) -> Result<Vec<Level>> {
    let bought: Vec<String> = problem.commitments(&plan.solution().steps).into_iter().map(|one| one.id).collect();
    let hours = to_decimal(plan.hours()).filter(|hours| !hours.is_zero()).unwrap_or(Decimal::ONE);
    let full = |is_bought: bool| -> Decimal {
        let commitments = plan.after().commitments().iter().filter(|billed| bought.contains(&billed.id) == is_bought);
        let of = commitments.filter_map(|billed| {
            let used = ratio(billed.used, billed.provided).filter(|share| *share > 0.0)?;
            Some(billed.covered.value() / hours / to_decimal(used)?)
        });
        of.sum()
    };
    let (held, new) = (full(false), full(true));
    let mut levels = Vec::new();
    if !held.is_zero() {
        levels.push(Level { name: after_actions(plan).into(), level: held.into() });
    }
    if !new.is_zero() {
        levels.push(Level { name: "with the plan".into(), level: (held + new).into() });
    }
    Ok(levels)
}

/// What is held before the purchases, in words.
fn after_actions(plan: &Plan) -> &'static str {
    if plan.actions().iter().any(|action| action.change.is_some()) { "held, after the actions" } else { HELD }
}

/// The pools in which reservations are bought, the largest first.
fn pools(plan: &Plan) -> Vec<String> {
    let mut sums: BTreeMap<&str, Money> = BTreeMap::new();
    for purchase in plan.purchases() {
        if let Benefit::Reservation { pool: Some(pool), .. } = &purchase.offer.benefit {
            *sums.entry(pool.pool.as_str()).or_insert(Money::ZERO) += purchase.covered_monthly;
        }
    }
    let mut pools: Vec<(&str, Money)> = sums.into_iter().collect();
    pools.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    pools.into_iter().take(POOLS).map(|(pool, _)| pool.to_owned()).collect()
}

/// The units reserved in a pool, from below: what is held, then purchases by length of term.
fn reserved(problem: &Problem<'_>, plan: &Plan, pool: &str) -> Result<Vec<Level>> {
    let units = |offer: &Offer, quantity: Decimal| match &offer.benefit {
        Benefit::Reservation { pool: Some(of), .. } if of.pool == pool => Some(to_f64(quantity) * of.units.to_f64()),
        _ => None,
    };
    let mut parts: BTreeMap<(u8, std::cmp::Reverse<u32>), (String, f64)> = BTreeMap::new();
    let grid = first_usage(problem)?.grid();
    for held in actions::kept(problem, plan).into_iter().filter(|held| held.end > grid.first.start()) {
        if let Some(units) = units(plan.portfolio().offer(problem.catalog(), held)?, held.quantity) {
            parts.entry((0, std::cmp::Reverse(0))).or_insert((after_actions(plan).into(), 0.0)).1 += units;
        }
    }
    for purchase in plan.purchases() {
        if let Some(units) = units(&purchase.offer, purchase.quantity) {
            let key = (1, std::cmp::Reverse(purchase.offer.term.nominal_months()));
            parts.entry(key).or_insert((format!("reservations, {}", purchase.offer.term), 0.0)).1 += units;
        }
    }
    let mut level = 0.0;
    let mut levels = Vec::new();
    for (name, units) in parts.into_values() {
        level += units;
        levels.push(Level { name, level: number(level)? });
    }
    Ok(levels)
}
