//! How good a plan provably is and why: what its gap is made of, what each purchase is worth at the margin, and what rules cost.
//!
//! Formulas: `docs/formulation.md`, "The plan" and "Explanations".

use super::plan::Plan;
use super::policy::Policy;
use super::problem::Problem;
use super::solve::{Options, Search, Solution};
use crate::error::Result;
use crate::units::{Money, MoneyPerHour};
use rayon::prelude::*;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeSet;

/// The bound, the cost, and the parts of the gap between them, which add up to it. Amounts in the terms of the objective.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Certificate {
    /// No plan under the policy costs less.
    pub lower_bound: f64,
    /// What the plan costs by the judge.
    pub billed_cost: f64,
    /// `(billed cost - lower bound) / billed cost`.
    pub gap: f64,
    /// Part of the gap: the provider applies commitments in its own order, not in the cheapest one.
    pub billing_order: f64,
    /// Part of the gap: purchases are whole, and points near them; negative where whole steps turned out cheaper than the best fractional point
    /// that was looked at.
    pub integrality: f64,
    /// Part of the gap: the bound was not pushed further.
    pub tolerance: f64,
}

impl Solution {
    /// The parts of the gap.
    #[must_use]
    pub fn certificate(&self) -> Certificate {
        let billed_cost = self.evaluation.objective;
        Certificate {
            lower_bound: self.lower_bound,
            billed_cost,
            gap: self.gap(),
            billing_order: billed_cost - self.relaxed_cost_of_steps,
            integrality: self.relaxed_cost_of_steps - self.relaxed_cost,
            tolerance: self.relaxed_cost - self.lower_bound,
        }
    }
}

impl Plan {
    /// The bound, the cost, and the parts of the gap.
    #[must_use]
    pub fn certificate(&self) -> Certificate {
        self.solution().certificate()
    }
}

/// Why a purchase is as large as it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// The purchase: [`crate::planning::Candidate::purchase_id`].
    pub purchase: String,
    /// Steps bought, of the size of [`crate::planning::Candidate::step`].
    pub steps: u32,
    /// The hours of the first scenario in which a first unit of it would be used, were nothing else bought.
    pub hours_of_use: f64,
    /// The share of its hours in which it must be used to cost no more than on demand, on the average of what it covers.
    pub break_even_utilisation: f64,
    /// By how much the objective falls with one step more (negative: it rises); `None` if a rule forbids it.
    pub value_of_one_more: Option<f64>,
    /// By how much the objective rises with one step less; `None` if a rule forbids it.
    pub value_of_one_less: Option<f64>,
    /// What keeps it from being larger: the rules one step more would break; empty if one more is simply not worth its cost.
    pub stopped_by: Vec<String>,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: used in {:.0} hours, pays from {:.0} % utilisation",
            self.purchase,
            self.hours_of_use,
            100.0 * self.break_even_utilisation
        )?;
        match self.value_of_one_more {
            Some(value) => write!(f, "; one step more would change the cost by {:+.2}", -value)?,
            None => write!(f, "; one step more would break {}", self.stopped_by.join(" and "))?,
        }
        match self.value_of_one_less {
            Some(value) => write!(f, ", one less by {value:+.2}"),
            None => write!(f, ", and one less would break a rule too"),
        }
    }
}

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
    /// Why each purchase of a solution is as large as it is.
    ///
    /// # Errors
    /// As [`Problem::evaluate`].
    pub fn explain(&self, solution: &Solution) -> Result<Vec<Reason>> {
        let bought: Vec<usize> = (0..self.candidates.len()).filter(|index| solution.steps[*index] > 0).collect();
        let cost = solution.evaluation.objective;
        let reason = |index: usize| -> Result<Reason> {
            let candidate = &self.candidates[index];
            let with = |steps: u32| -> Result<(Option<f64>, Vec<String>)> {
                let mut moved = solution.steps.clone();
                moved[index] = steps;
                let evaluation = self.evaluate(&moved)?;
                let broken: Vec<String> = evaluation.broken.iter().map(|(rule, _)| rule.clone()).collect();
                Ok((evaluation.is_allowed().then_some(evaluation.objective), broken))
            };
            let (more, stopped_by) = with(solution.steps[index] + 1)?;
            let (less, _) = with(solution.steps[index] - 1)?;
            let lines = &self.recourse.slot_lines()[candidate.slot];
            let is_used = |hour: &usize| {
                let demand = self.recourse.demand(0, *hour);
                lines.iter().any(|(line, _)| demand[*line] > 0.0)
            };
            let hours_of_use = candidate.hours.clone().filter(is_used).map(|hour| self.usage().weights()[hour]).sum();
            let worth = self.recourse.worth(candidate.slot) * candidate.capacity;
            Ok(Reason {
                purchase: candidate.purchase_id(self.timing.is_dated()),
                steps: solution.steps[index],
                hours_of_use,
                break_even_utilisation: candidate.hourly_cost / worth,
                value_of_one_more: more.map(|more| cost - more),
                value_of_one_less: less.map(|less| less - cost),
                stopped_by,
            })
        };
        bought.into_par_iter().map(reason).collect()
    }

    /// Cost against coverage, the curve that people draw by hand: the relaxed optimum at which just this share of usage is covered in every
    /// scenario.
    ///
    /// # Errors
    /// As [`Problem::search`].
    pub fn cost_by_coverage(&self, levels: &[f64], options: &Options<'_>) -> Result<Vec<Sensitivity>> {
        let at = |level: &f64| {
            let policy = Policy { min_coverage: Some(*level), max_coverage: Some(*level), ..self.policy.clone() };
            self.at(*level, policy, options)
        };
        levels.iter().map(at).collect()
    }

    /// Cost against each limit of the policy that is an amount or a share: the rule's field, and the relaxed optimum with the limit multiplied by
    /// each factor.
    ///
    /// # Errors
    /// As [`Problem::search`].
    pub fn cost_by_limit(&self, factors: &[f64], options: &Options<'_>) -> Result<Vec<(&'static str, Vec<Sensitivity>)>> {
        let mut curves = Vec::new();
        for (field, limit) in limits(&self.policy) {
            let point = |factor: &f64| {
                let mut policy = self.policy.clone();
                let at = scale(&mut policy, field, *factor).unwrap_or(limit * factor);
                self.at(at, policy, options)
            };
            curves.push((field, factors.iter().map(point).collect::<Result<_>>()?));
        }
        Ok(curves)
    }

    fn at(&self, at: f64, policy: Policy, options: &Options<'_>) -> Result<Sensitivity> {
        let problem = self.with_policy(policy)?;
        let mut search = Search::new(&problem, options, Vec::new());
        match search.relaxed_optimum() {
            Ok((cost, bound)) => Ok(Sensitivity { at, cost: cost.is_finite().then_some(cost), lower_bound: Some(bound) }),
            Err(error) if matches!(error.problem(), crate::Problem::PolicyClash { .. }) => {
                Ok(Sensitivity { at, cost: None, lower_bound: None })
            }
            Err(error) => Err(error),
        }
    }
}

impl Search<'_, '_> {
    /// The lowest relaxed cost found and its bound.
    pub(super) fn relaxed_optimum(&mut self) -> Result<(f64, f64)> {
        self.start();
        if self.problem.columns.is_empty() {
            return Ok((self.best.cost, self.best.cost));
        }
        let bound = self.relaxed(&BTreeSet::new(), 2000)?;
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
