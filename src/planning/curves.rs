//! What rules cost: the relaxed optimum under one limit after another, as curves.
//!
//! What a search learns of the usage holds whatever the limits are, so each point of a curve starts with the cuts of the points before, and from
//! the best of all plans that were priced for them.
//! Formulas: `docs/formulation.md`, "Explanations".

use super::master::Cuts;
use super::policy::Policy;
use super::problem::Problem;
use super::solve::{Options, Search};
use super::swept::Swept;
use crate::error::Result;
use crate::units::{Money, MoneyPerHour};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeSet;

/// A point of a curve: a limit, and the relaxed optimum under it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sensitivity {
    /// The level of coverage, or the limit.
    pub at: f64,
    /// The lowest cost found there; purchases in any fraction. `None` if no purchases keep the rules there.
    pub cost: Option<f64>,
    /// A proven lower bound on it.
    pub lower_bound: Option<f64>,
}

impl Problem<'_> {
    /// Cost against coverage, the curve that people draw by hand: the relaxed optimum at which just this share of usage is covered in every
    /// scenario.
    ///
    /// # Errors
    /// As [`Problem::search`].
    pub fn cost_by_coverage(&self, levels: &[f64], options: &Options<'_>) -> Result<Vec<Sensitivity>> {
        let mut learned = None;
        let at = |level: &f64| {
            let policy = Policy { min_coverage: Some(*level), max_coverage: Some(*level), ..self.policy.clone() };
            self.at(*level, policy, options, &mut learned)
        };
        levels.iter().map(at).collect()
    }

    /// Cost against each limit of the policy that is an amount or a share: the rule's field, and the relaxed optimum with the limit multiplied by
    /// each factor.
    ///
    /// # Errors
    /// As [`Problem::search`].
    pub fn cost_by_limit(&self, factors: &[f64], options: &Options<'_>) -> Result<Vec<(&'static str, Vec<Sensitivity>)>> {
        let mut learned = None;
        let mut curves = Vec::new();
        for (field, limit) in limits(&self.policy) {
            let point = |factor: &f64| {
                let mut policy = self.policy.clone();
                let at = scale(&mut policy, field, *factor).unwrap_or(limit * factor);
                self.at(at, policy, options, &mut learned)
            };
            curves.push((field, factors.iter().map(point).collect::<Result<_>>()?));
        }
        Ok(curves)
    }

    fn at(&self, at: f64, policy: Policy, options: &Options<'_>, learned: &mut Option<Learned>) -> Result<Sensitivity> {
        let problem = self.with_policy(policy)?;
        let mut search = Search::new(&problem, options, Vec::new());
        if let Some(known) = learned.take().filter(|known| known.is_of(&problem)) {
            search.master.put(known.cuts);
            search.swept = known.swept;
        }
        let found = search.relaxed_optimum();
        *learned = Some(Learned::of(search));
        match found {
            Ok((cost, bound)) => Ok(Sensitivity { at, cost: cost.is_finite().then_some(cost), lower_bound: Some(bound) }),
            Err(error) if matches!(error.problem(), crate::Problem::PolicyClash { .. }) => {
                Ok(Sensitivity { at, cost: None, lower_bound: None })
            }
            Err(error) => Err(error),
        }
    }
}

/// What a search leaves behind for one under other limits.
struct Learned {
    /// What the cuts are in terms of: the lines of each slot, the first hour of each epoch, the number of columns.
    slots: Vec<Vec<(usize, f64)>>,
    epochs: Vec<usize>,
    columns: usize,
    cuts: Cuts,
    swept: Swept,
}

impl Learned {
    fn of(mut search: Search<'_, '_>) -> Self {
        let (cuts, problem) = (search.master.take(), search.problem);
        Self {
            slots: problem.recourse.slot_lines().to_vec(),
            epochs: first_hours(problem),
            columns: problem.columns.len(),
            cuts,
            swept: search.swept,
        }
    }

    fn is_of(&self, problem: &Problem<'_>) -> bool {
        problem.columns.len() == self.columns
            && problem.recourse.slot_lines() == self.slots
            && first_hours(problem) == self.epochs
    }
}

fn first_hours(problem: &Problem<'_>) -> Vec<usize> {
    problem.recourse.epochs().iter().map(|epoch| epoch.hours.start).collect()
}

impl Search<'_, '_> {
    /// The lowest relaxed cost found and its bound.
    pub(super) fn relaxed_optimum(&mut self) -> Result<(f64, f64)> {
        self.start();
        if self.problem.columns.is_empty() {
            return Ok((self.best.cost, self.best.cost));
        }
        let bound = self.relaxed(&BTreeSet::new(), 2000, self.options.relative_gap)?;
        Ok((self.best.cost, bound))
    }
}

/// The limits of a policy that are a number each.
fn limits(policy: &Policy) -> Vec<(&'static str, f64)> {
    let limits = [
        ("upfront_budget", policy.upfront_budget.map(Money::to_f64)),
        ("max_remaining_obligation", policy.max_remaining_obligation.map(Money::to_f64)),
        ("max_share_three_year", policy.max_share_three_year),
        ("min_utilisation", policy.min_utilisation),
        ("max_coverage", policy.max_coverage),
        ("min_coverage", policy.min_coverage),
        ("max_purchase_per_month", policy.max_purchase_per_month.map(MoneyPerHour::to_f64)),
        ("max_expiring_per_month", policy.max_expiring_per_month.map(MoneyPerHour::to_f64)),
    ];
    limits.into_iter().filter_map(|(field, limit)| Some((field, limit?))).collect()
}

/// Multiplies a limit; returns what it is then (a share is at most 1).
fn scale(policy: &mut Policy, field: &str, factor: f64) -> Option<f64> {
    let decimal = crate::units::to_decimal(factor).unwrap_or(Decimal::ONE);
    let money = |limit: &mut Option<Money>| {
        limit.as_mut().map(|limit| {
            *limit = Money::new(limit.value() * decimal);
            limit.to_f64()
        })
    };
    let hourly = |limit: &mut Option<MoneyPerHour>| {
        limit.as_mut().map(|limit| {
            *limit = MoneyPerHour::new(limit.value() * decimal);
            limit.to_f64()
        })
    };
    let share = |limit: &mut Option<f64>| {
        limit.as_mut().map(|limit| {
            *limit = (*limit * factor).min(1.0);
            *limit
        })
    };
    match field {
        "upfront_budget" => money(&mut policy.upfront_budget),
        "max_remaining_obligation" => money(&mut policy.max_remaining_obligation),
        "max_share_three_year" => share(&mut policy.max_share_three_year),
        "min_utilisation" => share(&mut policy.min_utilisation),
        "max_coverage" => share(&mut policy.max_coverage),
        "min_coverage" => share(&mut policy.min_coverage),
        "max_purchase_per_month" => hourly(&mut policy.max_purchase_per_month),
        "max_expiring_per_month" => hourly(&mut policy.max_expiring_per_month),
        _ => None,
    }
}
