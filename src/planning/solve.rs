//! The method: cutting planes between master problem and recourse, then integers, then the judge.
//!
//! 1. Relaxed: the master proposes purchases, a sweep over all hours prices them and returns cuts. Points are queried between the proposal and
//!    the best point so far (in-out step), which keeps the number of rounds small.
//! 2. Integer: the same with whole steps, from the cuts of the relaxed stage, until the best integer point is within the gap of the
//!    master's bound.
//! 3. Judged: the best integer points and the baselines are billed by the provider's rules; small moves improve the best of them where the
//!    provider's order costs money. The cheapest bill wins.

use super::baseline;
use super::master::{Integrality, Master};
use super::plan::{Plan, Status};
use super::problem::Problem;
use super::recourse::Cut;
use crate::error::Result;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

/// How hard to try.
#[derive(Clone, Copy)]
pub struct Options<'c> {
    /// The gap between billed cost and bound, relative to the billed cost, that is good enough.
    pub relative_gap: f64,
    /// The time after which the best plan so far is returned.
    pub time_limit: Duration,
    /// Called between rounds; `Break` ends the search with the best plan so far.
    pub progress: Option<&'c (dyn Fn(&Progress) -> ControlFlow<()> + Sync)>,
}

impl Default for Options<'_> {
    /// A gap of 1e-4, ten minutes, no callback.
    fn default() -> Self {
        Self { relative_gap: 1e-4, time_limit: Duration::from_secs(600), progress: None }
    }
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("relative_gap", &self.relative_gap)
            .field("time_limit", &self.time_limit)
            .field("progress", &self.progress.is_some())
            .finish()
    }
}

/// Where the search stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Sweeps over all hours so far.
    pub sweeps: usize,
    /// The lower bound so far.
    pub lower_bound: f64,
    /// The relaxed cost of the best point so far.
    pub relaxed_cost: f64,
}

impl Problem<'_> {
    /// Solves the problem. Stopping at a limit is an answer: the best plan so far, with its bound and gap.
    ///
    /// # Errors
    /// [`crate::Problem::Solver`] if HiGHS fails.
    pub fn solve(&self, options: &Options<'_>) -> Result<Plan> {
        Search::new(self, options).run()
    }

    /// The capacity that steps of each candidate add to each slot.
    fn capacity(&self, steps: &[f64]) -> Vec<f64> {
        let mut capacity = vec![0.0; self.recourse.slots()];
        for (candidate, steps) in self.candidates.iter().zip(steps) {
            capacity[candidate.slot] += candidate.capacity * steps;
        }
        capacity
    }

    /// What steps of each candidate cost, with what is held.
    fn commitment_cost(&self, steps: &[f64]) -> f64 {
        self.held_cost + self.candidates.iter().zip(steps).map(|(candidate, steps)| candidate.cost * steps).sum::<f64>()
    }
}

/// A point with its relaxed cost.
#[derive(Clone, Debug)]
struct Point {
    steps: Vec<f64>,
    cost: f64,
}

struct Search<'s, 'a> {
    problem: &'s Problem<'a>,
    options: &'s Options<'s>,
    started: Instant,
    blocks: Vec<Range<usize>>,
    master: Master<'s, 'a>,
    sweeps: usize,
    bound: f64,
    best: Point,
    /// Integer points visited.
    integer: BTreeMap<Vec<u32>, f64>,
    stopped: bool,
}

impl<'s, 'a> Search<'s, 'a> {
    fn new(problem: &'s Problem<'a>, options: &'s Options<'s>) -> Self {
        // Months would do; a fixed number keeps the master small for any horizon.
        let blocks = problem.recourse.blocks(12);
        let nothing = vec![0.0; problem.candidates.len()];
        let cuts = problem.recourse.sweep(&problem.capacity(&nothing), &blocks);
        let cost = total(&cuts, &problem.capacity(&nothing)) + problem.held_cost;
        let mut master = Master::new(problem, blocks.len(), cost / 1000.0);
        master.add(cuts);
        let best = Point { steps: nothing, cost };
        let integer = BTreeMap::from([(vec![0; problem.candidates.len()], cost)]);
        let bound = problem.held_cost;
        Self { problem, options, started: Instant::now(), blocks, master, sweeps: 1, bound, best, integer, stopped: false }
    }

    fn run(mut self) -> Result<Plan> {
        if !self.problem.candidates.is_empty() && self.best.cost > self.problem.held_cost {
            self.relaxed()?;
            if !self.stopped {
                self.integer()?;
            }
        } else {
            self.bound = self.best.cost;
        }
        self.judged()
    }

    fn seconds_left(&self) -> f64 {
        self.options.time_limit.saturating_sub(self.started.elapsed()).as_secs_f64()
    }

    /// Reports progress; true if the search must end.
    fn must_stop(&mut self) -> bool {
        let progress = Progress { sweeps: self.sweeps, lower_bound: self.bound, relaxed_cost: self.best.cost };
        tracing::debug!(sweeps = self.sweeps, bound = self.bound, cost = self.best.cost, cuts = self.master.len(), "round");
        let cancelled = self.options.progress.is_some_and(|callback| callback(&progress).is_break());
        self.stopped |= cancelled || self.seconds_left() <= 0.0;
        self.stopped
    }

    /// Sweeps at a point, adds its cuts to the master, and returns its relaxed cost.
    fn price(&mut self, steps: &[f64]) -> f64 {
        let capacity = self.problem.capacity(steps);
        let cuts = self.problem.recourse.sweep(&capacity, &self.blocks);
        let cost = self.problem.commitment_cost(steps) + total(&cuts, &capacity);
        self.master.add(cuts);
        self.sweeps += 1;
        cost
    }

    fn relaxed(&mut self) -> Result<()> {
        let target = 0.1 * self.options.relative_gap;
        for start in baseline::starts(self.problem) {
            let steps: Vec<f64> = start.iter().map(|steps| f64::from(*steps)).collect();
            let cost = self.price(&steps);
            self.integer.insert(start, cost);
            if cost < self.best.cost {
                self.best = Point { steps, cost };
            }
        }
        for round in 0..2000 {
            let answer = self.master.solve(Integrality::Relaxed, 0.0, self.seconds_left())?;
            if answer.stopped {
                self.stopped = true;
                return Ok(());
            }
            self.bound = self.bound.max(answer.bound);
            if self.best.cost - self.bound <= target * self.best.cost || self.must_stop() {
                return Ok(());
            }
            // Between the best point and the proposal; every few rounds the proposal itself, so that the bound keeps rising.
            let share = if round % 4 == 3 { 1.0 } else { 0.4 };
            let steps: Vec<f64> =
                self.best.steps.iter().zip(&answer.steps).map(|(best, proposed)| best + share * (proposed - best)).collect();
            let cost = self.price(&steps);
            if cost < self.best.cost {
                self.best = Point { steps, cost };
            }
            if self.master.len() > 120 * self.blocks.len() {
                let (best, proposed) = (self.problem.capacity(&self.best.steps), self.problem.capacity(&answer.steps));
                self.master.purge(&[&best, &proposed], 0.5);
            }
        }
        Ok(())
    }

    fn integer(&mut self) -> Result<()> {
        let target = 0.25 * self.options.relative_gap;
        let mut cheapest = self.integer.values().copied().fold(f64::INFINITY, f64::min);
        for _ in 0..50 {
            let seconds = self.seconds_left().min(60.0);
            let answer = self.master.solve(Integrality::Integer, 0.5 * target, seconds)?;
            self.bound = self.bound.max(answer.bound);
            let steps = round(&answer.steps);
            if self.integer.contains_key(&steps) && !answer.stopped {
                return Ok(()); // its cuts are all there: the master's bound is what it can prove
            }
            let cost = self.price(&steps.iter().map(|steps| f64::from(*steps)).collect::<Vec<f64>>());
            cheapest = cheapest.min(cost);
            self.integer.insert(steps, cost);
            if cheapest - self.bound <= target * cheapest || self.must_stop() || answer.stopped {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Bills the most promising integer points and the baselines, and improves the cheapest.
    fn judged(mut self) -> Result<Plan> {
        let baselines = baseline::all(self.problem)?;
        let mut promising: Vec<(&Vec<u32>, f64)> =
            self.integer.iter().filter(|(steps, _)| self.problem.is_allowed(steps)).map(|(steps, cost)| (steps, *cost)).collect();
        promising.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut points: Vec<Vec<u32>> = promising.into_iter().take(4).map(|(steps, _)| steps.clone()).collect();
        points.push(self.round_down());
        points.push(vec![0; self.problem.candidates.len()]);
        let billed: Vec<(Vec<u32>, f64)> = points
            .into_par_iter()
            .filter(|steps| self.problem.is_allowed(steps))
            .map(|steps| self.problem.billed_cost(&steps).map(|cost| (steps, cost)))
            .collect::<Result<_>>()?;
        let of_baselines = baselines.iter().filter(|rule| rule.is_allowed).map(|rule| (rule.steps.clone(), rule.billed_cost));
        let cheapest = billed.into_iter().chain(of_baselines).min_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        let (mut steps, mut cost) = cheapest.unwrap_or_else(|| (vec![0; self.problem.candidates.len()], f64::INFINITY));
        self.improve(&mut steps, &mut cost)?;
        let gap_reached = cost - self.bound <= self.options.relative_gap * cost.abs();
        let status = match (gap_reached, self.stopped) {
            (true, _) => Status::Optimal,
            (false, true) => Status::StoppedAtLimit,
            (false, false) => Status::GapRemains,
        };
        Plan::new(self.problem, &steps, self.bound, status, self.sweeps, baselines, self.started.elapsed())
    }

    /// The best relaxed point with every purchase rounded down.
    fn round_down(&self) -> Vec<u32> {
        round(&self.best.steps.iter().map(|steps| (steps + 1e-6).floor()).collect::<Vec<f64>>())
    }

    /// Moves single purchases up and down while the bill falls and the gap is not reached.
    fn improve(&mut self, steps: &mut Vec<u32>, cost: &mut f64) -> Result<()> {
        let mut stride: u32 = 64;
        while stride > 0 {
            if *cost - self.bound <= self.options.relative_gap * cost.abs() || self.must_stop() {
                return Ok(());
            }
            let moves: Vec<Vec<u32>> = self.moves(steps, stride);
            let billed: Vec<(Vec<u32>, f64)> = moves
                .into_par_iter()
                .map(|steps| self.problem.billed_cost(&steps).map(|cost| (steps, cost)))
                .collect::<Result<_>>()?;
            match billed.into_iter().min_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0))) {
                Some((better, its_cost)) if its_cost < *cost - 1e-9 * cost.abs() => (*steps, *cost) = (better, its_cost),
                _ => stride >>= 2,
            }
        }
        Ok(())
    }

    /// The allowed neighbours of a point: one purchase up or down, or a step moved from one to another of the same slot.
    fn moves(&self, steps: &[u32], stride: u32) -> Vec<Vec<u32>> {
        let mut moves = Vec::new();
        for (index, candidate) in self.problem.candidates.iter().enumerate() {
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
}

fn total(cuts: &[Cut], capacity: &[f64]) -> f64 {
    cuts.iter().map(|cut| cut.at(capacity)).sum()
}

/// Whole steps nearest to the solver's, which are whole up to its tolerance.
fn round(steps: &[f64]) -> Vec<u32> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = |steps: &f64| steps.round().clamp(0.0, f64::from(u32::MAX)) as u32;
    steps.iter().map(whole).collect()
}
