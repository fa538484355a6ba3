//! The end of the search: integer points are billed by the provider's rules, repaired where they break a rule that only a bill can tell, and
//! improved by small moves where the provider's order costs money.
//!
//! Formulas: `docs/formulation.md`, "The plan".

use super::problem::{Evaluation, fractional};
use super::solve::{Search, Solution, Status, round_down};
use crate::error::{Problem as Wrong, Result};
use rayon::prelude::*;
use std::time::{Duration, Instant};

/// Plans are all billed if that takes no more line-hours than this.
const ENUMERATED_LINE_HOURS: usize = 500_000;

/// How many integer points are billed at most.
const BILLED_POINTS: usize = 24;

/// The time given to small moves against the judge: what it takes to sweep this often, but at least some seconds.
const MOVING_SWEEPS: f64 = 40.0;

/// A plan with its bill.
type Billed = (Vec<u32>, Evaluation);

impl Search<'_, '_> {
    /// Bills the most promising integer points, and improves the cheapest.
    pub(super) fn judged(mut self) -> Result<Solution> {
        if let Some(plans) = self.every_plan().filter(|_| !self.stopped) {
            let billed = self.bill(plans)?;
            if let Some((steps, evaluation)) = cheapest(billed.into_iter().filter(|(_, evaluation)| evaluation.is_allowed())) {
                // What runs on spot was chosen for each plan by the recourse, not by trying everything: the relaxation has to prove it.
                let proven = self.problem.interruptible.is_empty().then_some(evaluation.objective);
                return self.solution(steps, evaluation, proven);
            }
        }
        let mut promising: Vec<(&Vec<u32>, f64)> =
            self.integer.iter().filter(|(steps, _)| self.problem.is_allowed(steps)).map(|(steps, cost)| (steps, *cost)).collect();
        promising.sort_by(|a, b| a.1.total_cmp(&b.1));
        // Those with no cost are the rules' plans, which are billed too; of the others the cheapest few.
        let of_rules = promising.iter().filter(|(_, cost)| cost.is_infinite()).map(|(steps, _)| (*steps).clone());
        let seconds = self.seconds_sweep();
        let most = if seconds > 1.0 { 3 } else { BILLED_POINTS };
        let of_search = promising.iter().filter(|(_, cost)| cost.is_finite()).take(most).map(|(steps, _)| (*steps).clone());
        let mut points: Vec<Vec<u32>> = of_search.chain(of_rules).collect();
        points.push(round_down(&self.best.steps));
        points.push(self.problem.nothing());
        points.sort();
        points.dedup();
        points.retain(|steps| self.problem.is_allowed(steps));
        let billed = self.bill(points)?;
        let began = Instant::now();
        let (allowed, mut broken): (Vec<Billed>, Vec<Billed>) =
            billed.into_iter().partition(|(_, evaluation)| evaluation.is_allowed());
        let mut best = cheapest(allowed.into_iter());
        // Points that break a rule only by a bill are often cheaper: bring the most promising of them back.
        broken.sort_by(|a, b| a.1.objective.total_cmp(&b.1.objective));
        for (steps, evaluation) in broken.into_iter().take(4) {
            if let Some(repaired) = self.repair(steps, evaluation)? {
                best = cheapest(best.into_iter().chain([repaired]));
            }
        }
        let Some((mut steps, mut evaluation)) = best else { return Err(self.unmet()) };
        self.improve(&mut steps, &mut evaluation, began)?;
        self.prune(&mut steps, &mut evaluation)?;
        self.solution(steps, evaluation, None)
    }

    /// Every plan, if there are so few that each can be billed; then the cheapest is the optimum, and its bill the bound.
    fn every_plan(&self) -> Option<Vec<Vec<u32>>> {
        let size: usize = self.problem.recourse.size().iter().product();
        let most = ENUMERATED_LINE_HOURS.div_euclid(size.max(1));
        let mut plans = vec![Vec::new()];
        for candidate in &self.problem.columns {
            let first = candidate.fixed.unwrap_or(0);
            let choices = usize::try_from(candidate.max_steps - first.min(candidate.max_steps)).ok()?.checked_add(1)?;
            if plans.len().checked_mul(choices)? > most {
                return None;
            }
            plans = plans
                .into_iter()
                .flat_map(|plan| (first..=candidate.max_steps.max(first)).map(move |steps| [plan.clone(), vec![steps]].concat()))
                .collect();
        }
        plans.retain(|steps| self.problem.is_allowed(steps));
        Some(plans)
    }

    fn bill(&self, plans: Vec<Vec<u32>>) -> Result<Vec<Billed>> {
        let bill = |steps: Vec<u32>| self.problem.evaluate(&steps).map(|evaluation| (steps, evaluation));
        plans.into_par_iter().map(bill).collect()
    }

    /// Moves a plan that breaks a rule by its bill (coverage, utilisation) step by step to one that does not; `None` if that does not work out.
    fn repair(&mut self, mut steps: Vec<u32>, mut evaluation: Evaluation) -> Result<Option<Billed>> {
        let mut stride: u32 = 64;
        while stride > 0 && !self.must_stop() {
            if evaluation.is_allowed() {
                return Ok(Some((steps, evaluation)));
            }
            let moves = self.moves(&steps, stride);
            let broken = |evaluation: &Evaluation| evaluation.broken.iter().map(|(_, by)| by).sum::<f64>();
            let better =
                self.bill(moves)?.into_iter().filter(|(_, moved)| broken(moved) < broken(&evaluation) * (1.0 - 1e-9)).min_by(
                    |a, b| {
                        // What is allowed first, then what loses least for what it mends.
                        let price = |(_, moved): &Billed| {
                            let lost = (moved.objective - evaluation.objective).max(0.0);
                            (!moved.is_allowed(), lost / (broken(&evaluation) - broken(moved)))
                        };
                        let (a_price, b_price) = (price(a), price(b));
                        a_price.0.cmp(&b_price.0).then(a_price.1.total_cmp(&b_price.1)).then_with(|| a.0.cmp(&b.0))
                    },
                );
            match better {
                Some(better) => (steps, evaluation) = better,
                None => stride >>= 2,
            }
        }
        Ok(evaluation.is_allowed().then_some((steps, evaluation)))
    }

    /// Moves single purchases up and down while the bill falls, the gap is not reached and time allows.
    fn improve(&mut self, steps: &mut Vec<u32>, evaluation: &mut Evaluation, began: Instant) -> Result<()> {
        let most = Duration::from_secs_f64((MOVING_SWEEPS * self.seconds_sweep()).clamp(20.0, 60.0));
        let mut stride: u32 = 64;
        while stride > 0 {
            let cost = evaluation.objective;
            if cost - self.bound <= self.options.relative_gap * cost.abs() || self.must_stop() || began.elapsed() > most {
                return Ok(());
            }
            let moves = self.moves(steps, stride);
            // A few at a time, so that the time limit holds where bills take long.
            let mut billed = Vec::new();
            for part in moves.chunks(64) {
                billed.extend(self.bill(part.to_vec())?);
                if began.elapsed() > most {
                    break;
                }
            }
            match cheapest(billed.into_iter().filter(|(_, moved)| moved.is_allowed())) {
                Some(better) if better.1.objective < cost - 1e-9 * cost.abs() => (*steps, *evaluation) = better,
                _ => stride >>= 2,
            }
        }
        Ok(())
    }

    /// Leaves out changes of what is held that lower no bill, one by one: within the gap asked for the search may have taken some for nothing.
    fn prune(&self, steps: &mut Vec<u32>, evaluation: &mut Evaluation) -> Result<()> {
        for index in self.problem.candidates.len()..steps.len() {
            let mut without = steps.clone();
            without[index] = 0;
            if steps[index] == 0 || !self.problem.is_allowed(&without) {
                continue;
            }
            let left_out = self.problem.evaluate(&without)?;
            if left_out.is_allowed() && left_out.objective <= evaluation.objective + 1e-9 * evaluation.objective.abs() {
                (*steps, *evaluation) = (without, left_out);
            }
        }
        Ok(())
    }

    /// The allowed neighbours of a point: one purchase up or down.
    fn moves(&self, steps: &[u32], stride: u32) -> Vec<Vec<u32>> {
        let mut moves = Vec::new();
        for (index, candidate) in self.problem.columns.iter().enumerate() {
            let down = steps[index].saturating_sub(stride);
            let up = steps[index].saturating_add(stride).min(candidate.max_steps);
            for changed in [down, up] {
                if changed == steps[index] || (steps[index] == 0 && stride > 1) {
                    continue;
                }
                let mut moved = steps.to_vec();
                moved[index] = changed;
                if self.problem.is_allowed(&moved) {
                    moves.push(moved);
                }
            }
        }
        moves
    }

    fn solution(mut self, steps: Vec<u32>, evaluation: Evaluation, proven: Option<f64>) -> Result<Solution> {
        let relaxed_cost_of_steps = self.price(&fractional(&steps));
        let cost = evaluation.objective;
        // The bound is computed to about 1e-9; it cannot be above a cost that was reached.
        let lower_bound = proven.unwrap_or(self.bound).min(cost);
        let gap_reached = cost - lower_bound <= self.options.relative_gap * cost.abs();
        let status = match (gap_reached, self.stopped) {
            (true, _) => Status::Optimal,
            (false, true) => Status::StoppedAtLimit,
            (false, false) => Status::GapRemains,
        };
        Ok(Solution {
            steps,
            evaluation,
            lower_bound,
            relaxed_cost: self.best.cost.min(relaxed_cost_of_steps),
            relaxed_cost_of_steps,
            sweeps: self.sweeps,
            seconds_sweep: self.seconds_sweep(),
            time: self.started.elapsed(),
            status,
        })
    }

    /// No plan was found that keeps all rules by its bill, though the master problem knows of no clash.
    fn unmet(&self) -> crate::error::Error {
        let sentence = "no whole purchases were found that keep all rules once billed, though fractional ones may".to_owned();
        Wrong::PolicyClash { sentence }.into()
    }
}

/// The cheapest; among equals the first by steps, so that the order of the plans does not matter.
fn cheapest(plans: impl Iterator<Item = Billed>) -> Option<Billed> {
    plans.min_by(|a, b| a.1.objective.total_cmp(&b.1.objective).then_with(|| a.0.cmp(&b.0)))
}
