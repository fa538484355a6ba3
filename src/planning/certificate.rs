//! How good a plan provably is and why: what its gap is made of, and what each purchase is worth at the margin.
//!
//! Formulas: `docs/formulation.md`, "The plan" and "Explanations".

use super::plan::Plan;
use super::problem::Problem;
use super::solve::Solution;
use crate::error::Result;
use rayon::prelude::*;
use serde::Serialize;

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
}
