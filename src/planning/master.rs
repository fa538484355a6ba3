//! The master problem: a mixed-integer program over the purchases alone, built with good_lp, solved by HiGHS.
//!
//! One variable a candidate (steps bought) and one a block of hours (its on-demand cost, bounded from below by the recourse's cuts), the
//! policy's rules as rows. Formula: `docs/formulation.md`, "Master problem". Bound, gap and status are read through the `highs` model, since
//! good_lp hides them.

use super::problem::Problem;
use super::recourse::Cut;
use crate::error::{Error, Problem as Wrong, Result};
use good_lp::{Expression, ProblemVariables, SolverModel, Variable, constraint, variable};
use highs::HighsModelStatus;
use std::collections::BTreeSet;

/// The master problem with the cuts known so far.
pub(super) struct Master<'p, 'a> {
    problem: &'p Problem<'a>,
    /// Block of hours and its cut.
    cuts: Vec<(usize, Cut)>,
    blocks: usize,
    /// Money is divided by this, so that coefficients stay near 1.
    scale: f64,
}

/// Whether purchases may be fractional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Integrality {
    Relaxed,
    Integer,
}

/// What the master problem answers.
#[derive(Clone, Debug)]
pub(super) struct MasterAnswer {
    /// Steps of each candidate.
    pub(super) steps: Vec<f64>,
    /// A proven lower bound on the cost of any purchases that the policy allows, cost of what is held included.
    pub(super) bound: f64,
    /// Whether the solver stopped at its time limit.
    pub(super) stopped: bool,
}

impl<'p, 'a> Master<'p, 'a> {
    pub(super) fn new(problem: &'p Problem<'a>, blocks: usize, scale: f64) -> Self {
        Self { problem, cuts: Vec::new(), blocks, scale: if scale > 0.0 { scale } else { 1.0 } }
    }

    /// Adds a sweep's cuts, one for each block.
    pub(super) fn add(&mut self, cuts: Vec<Cut>) {
        self.cuts.extend(cuts.into_iter().enumerate());
    }

    /// How many cuts there are.
    pub(super) fn len(&self) -> usize {
        self.cuts.len()
    }

    /// Keeps only the cuts within a tolerance of binding at one of the points given.
    pub(super) fn purge(&mut self, points: &[&[f64]], tolerance: f64) {
        let mut highest = vec![vec![f64::NEG_INFINITY; self.blocks]; points.len()];
        for (block, cut) in &self.cuts {
            for (point, highest) in points.iter().zip(&mut highest) {
                highest[*block] = highest[*block].max(cut.at(point));
            }
        }
        self.cuts.retain(|(block, cut)| {
            points.iter().zip(&highest).any(|(point, highest)| cut.at(point) >= highest[*block] - tolerance * self.scale)
        });
    }

    /// Solves it, buying nothing of the candidates in `closed`.
    ///
    /// # Errors
    /// [`Wrong::Solver`] if HiGHS fails for a reason of its own; stopping at the time limit is an answer.
    pub(super) fn solve(
        &self,
        integrality: Integrality,
        closed: &BTreeSet<usize>,
        relative_gap: f64,
        seconds: f64,
    ) -> Result<MasterAnswer> {
        let problem = self.problem;
        let mut variables = ProblemVariables::new();
        let steps: Vec<Variable> = problem
            .candidates
            .iter()
            .enumerate()
            .map(|(index, candidate)| {
                let most = if closed.contains(&index) { 0.0 } else { f64::from(candidate.max_steps) };
                let bounded = variable().min(0).max(most);
                let is_integer = integrality == Integrality::Integer && !candidate.is_divisible;
                variables.add(if is_integer { bounded.integer() } else { bounded })
            })
            .collect();
        let costs: Vec<Variable> = (0..self.blocks).map(|_| variables.add(variable().min(0))).collect();
        let mut objective: Expression = costs.iter().sum();
        for (candidate, steps) in problem.candidates.iter().zip(&steps) {
            objective.add_mul(candidate.cost / self.scale, steps);
        }
        let mut model = variables.minimise(objective).using(good_lp::highs);
        for (block, cut) in &self.cuts {
            let mut row: Expression = costs[*block].into();
            for (candidate, steps) in problem.candidates.iter().zip(&steps) {
                let slope = cut.slope[candidate.slot] * candidate.capacity / self.scale;
                if slope.abs() > 1e-13 {
                    row.add_mul(slope, steps);
                }
            }
            model.add_constraint(constraint!(row >= cut.constant / self.scale));
        }
        for row in self.policy_rows(&steps) {
            model.add_constraint(row);
        }
        let mut model = model.try_into_inner().map_err(|error| solver(error.to_string()))?;
        model.make_quiet();
        model.set_option("time_limit", seconds.max(0.1));
        model.set_option("random_seed", 0);
        model.set_option("threads", 1);
        model.set_option("mip_rel_gap", relative_gap);
        model.set_option("mip_abs_gap", 0.0);
        let solved = model.try_solve().map_err(|status| solver(format!("{status:?}")))?;
        let stopped = match solved.status() {
            HighsModelStatus::Optimal => false,
            HighsModelStatus::ReachedTimeLimit | HighsModelStatus::ReachedIterationLimit => true,
            other => return Err(solver(format!("{other:?}"))),
        };
        let bound = match integrality {
            Integrality::Relaxed if stopped => 0.0,
            Integrality::Relaxed => solved.objective_value(),
            Integrality::Integer => {
                solved.double_info_value(c"mip_dual_bound").map_err(|status| solver(format!("{status:?}")))?
            }
        };
        let columns = solved.get_solution();
        let steps = columns.columns().iter().take(problem.candidates.len()).map(|steps| steps.max(0.0)).collect();
        Ok(MasterAnswer { steps, bound: bound * self.scale + problem.held_cost, stopped })
    }

    /// The policy's rules as rows.
    fn policy_rows(&self, steps: &[Variable]) -> Vec<good_lp::Constraint> {
        let policy = &self.problem.policy;
        let sum = |value: &dyn Fn(&super::Candidate) -> f64| {
            let mut sum = Expression::default();
            for (candidate, steps) in self.problem.candidates.iter().zip(steps) {
                sum.add_mul(value(candidate), steps);
            }
            sum
        };
        let mut rows = Vec::new();
        if let Some(budget) = policy.upfront_budget {
            let scale = budget.to_f64().max(1.0);
            rows.push(constraint!(sum(&|candidate| candidate.upfront / scale) <= budget.to_f64() / scale));
        }
        if let Some(share) = policy.max_share_three_year {
            let above = |candidate: &super::Candidate| {
                let three_year = if candidate.months >= 36 { 1.0 } else { 0.0 };
                (three_year - share) * candidate.hourly_cost
            };
            rows.push(constraint!(sum(&above) <= 0.0));
        }
        rows
    }
}

fn solver(status: String) -> Error {
    Wrong::Solver { status }.into()
}
