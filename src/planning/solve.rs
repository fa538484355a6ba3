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
use super::problem::{Candidate, Problem};
use super::recourse::Cut;
use crate::error::Result;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
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
    pub progress: Option<&'c Callback<'c>>,
}

/// What [`Options::progress`] calls.
pub type Callback<'c> = dyn Fn(&Progress) -> ControlFlow<()> + Sync + 'c;

impl Default for Options<'_> {
    /// A gap of 5e-4, ten minutes, no callback.
    fn default() -> Self {
        Self { relative_gap: 5e-4, time_limit: Duration::from_secs(600), progress: None }
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

    /// The lower bound alone, by cutting planes with whole reservations.
    #[cfg(test)]
    pub(super) fn relaxed_bound(&self, options: &Options<'_>) -> Result<f64> {
        let mut search = Search::new(self, options);
        search.start();
        search.relaxed(&BTreeSet::new(), 2000)?;
        search.integer(&BTreeSet::new(), 200)?;
        Ok(search.bound)
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

/// Plans are all billed if that takes no more line-hours than this.
const ENUMERATED_LINE_HOURS: usize = 500_000;

/// How many slots over the same lines a point of the search mixes at most.
const MIXED_SLOTS: usize = 2;

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
    /// Slots that cover the same lines.
    rivals: Vec<Vec<usize>>,
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
        let rivals = problem.recourse.rivals();
        Self {
            problem,
            options,
            started: Instant::now(),
            blocks,
            master,
            sweeps: 1,
            bound,
            best,
            rivals,
            integer,
            stopped: false,
        }
    }

    fn run(mut self) -> Result<Plan> {
        if !self.problem.candidates.is_empty() && self.best.cost > self.problem.held_cost {
            let all = BTreeSet::new();
            self.start();
            self.relaxed(&all, 2000)?;
            if !self.stopped {
                self.integer(&all, 50)?;
                self.apart()?;
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

    /// Prices the simple rules' points, so that the master starts with cuts where plans lie.
    fn start(&mut self) {
        for start in baseline::starts(self.problem) {
            let steps: Vec<f64> = start.iter().map(|steps| f64::from(*steps)).collect();
            let cost = self.price(&steps);
            self.integer.insert(start, cost);
            if cost < self.best.cost && self.problem.is_within_policy(&steps) {
                self.best = Point { steps, cost };
            }
        }
    }

    /// Cutting planes without integrality; returns the bound for the candidates that are not closed.
    fn relaxed(&mut self, closed: &BTreeSet<usize>, rounds: usize) -> Result<f64> {
        let target = 0.2 * self.options.relative_gap;
        let mut bound = 0.0;
        for round in 0..rounds {
            let answer = self.master.solve(Integrality::Relaxed, closed, 0.0, self.seconds_left())?;
            if answer.stopped {
                self.stopped = true;
                break;
            }
            bound = answer.bound.max(bound);
            if closed.is_empty() {
                self.bound = self.bound.max(bound);
            }
            if self.best.cost - bound <= target * self.best.cost || self.must_stop() {
                break;
            }
            // Between the best point and the proposal; every few rounds the proposal itself, so that the bound keeps rising.
            let share = if round % 4 == 3 { 1.0 } else { 0.4 };
            let steps: Vec<f64> =
                self.best.steps.iter().zip(&answer.steps).map(|(best, proposed)| best + share * (proposed - best)).collect();
            let steps = self.sparse(steps);
            let cost = self.price(&steps);
            if cost < self.best.cost && self.problem.is_within_policy(&steps) {
                self.best = Point { steps, cost };
            }
            if self.master.len() > 120 * self.blocks.len() {
                let (best, proposed) = (self.problem.capacity(&self.best.steps), self.problem.capacity(&answer.steps));
                self.master.purge(&[&best, &proposed], 0.5);
            }
        }
        Ok(bound)
    }

    /// A point near the one given that mixes at most three of the slots that cover the same lines: the rest of their capacity goes to the largest
    /// of them. An hour's prices are found by a search nested once for each, so more would take long, and the best plans mix few.
    fn sparse(&self, mut steps: Vec<f64>) -> Vec<f64> {
        let candidates = &self.problem.candidates;
        for rivals in &self.rivals {
            let order = self.by_coverage(rivals, &steps);
            if order.len() <= MIXED_SLOTS {
                continue;
            }
            let dropped: Vec<usize> = order[MIXED_SLOTS..].iter().map(|(_, slot)| *slot).collect();
            let rest: f64 = order[MIXED_SLOTS..].iter().map(|(covered, _)| covered).sum();
            let factor = 1.0 + rest / order[0].0;
            for (candidate, steps) in candidates.iter().zip(&mut steps) {
                if dropped.contains(&candidate.slot) {
                    *steps = 0.0;
                } else if candidate.slot == order[0].1 {
                    *steps = (*steps * factor).min(f64::from(candidate.max_steps));
                }
            }
        }
        steps
    }

    /// Cutting planes with whole steps.
    fn integer(&mut self, closed: &BTreeSet<usize>, rounds: usize) -> Result<()> {
        let target = 0.2 * self.options.relative_gap;
        let mut cheapest = f64::INFINITY;
        for _ in 0..rounds {
            let seconds = self.seconds_left().min(30.0);
            let answer = self.master.solve(Integrality::Integer, closed, 0.5 * target, seconds)?;
            if closed.is_empty() {
                self.bound = self.bound.max(answer.bound);
            }
            let steps = self.whole(&answer.steps);
            if self.integer.contains_key(&steps) && !answer.stopped {
                break; // its cuts are all there: the master's bound is what it can prove
            }
            let cost = self.price(&steps.iter().map(|steps| f64::from(*steps)).collect::<Vec<f64>>());
            cheapest = cheapest.min(cost);
            self.integer.insert(steps, cost);
            if cheapest - answer.bound <= target * cheapest || self.must_stop() || answer.stopped {
                break;
            }
        }
        Ok(())
    }

    /// Searches again with fewer tables of rates over the same lines, since the provider's order is not the cheapest when several plans compete
    /// for the same usage: of the widest group only the table that the best point uses most, then only the next, then one table in every group.
    fn apart(&mut self) -> Result<()> {
        let best = self.best.clone();
        let used = |rivals: &&Vec<usize>| self.by_coverage(rivals, &best.steps).len() > 1;
        let Some(widest) = self.rivals.iter().filter(used).max_by_key(|rivals| self.problem.recourse.width(rivals[0])).cloned()
        else {
            return Ok(());
        };
        let variants = [(vec![widest.clone()], 0), (vec![widest], 1), (self.rivals.clone(), 0)];
        for (groups, rank) in variants {
            if self.stopped {
                break;
            }
            let mut closed = BTreeSet::new();
            for rivals in &groups {
                let order = self.by_coverage(rivals, &best.steps);
                let kept = order.get(rank.min(order.len().saturating_sub(1))).map(|(_, slot)| *slot);
                let of_rivals =
                    self.problem.candidates.iter().enumerate().filter(|(_, candidate)| rivals.contains(&candidate.slot));
                closed.extend(of_rivals.filter(|(_, candidate)| Some(candidate.slot) != kept).map(|(index, _)| index));
            }
            let open = |(index, steps): (usize, &f64)| if closed.contains(&index) { 0.0 } else { *steps };
            let steps: Vec<f64> = best.steps.iter().enumerate().map(open).collect();
            self.best = Point { cost: self.price(&steps), steps };
            self.relaxed(&closed, 60)?;
            self.integer(&closed, 8)?;
        }
        self.best = best;
        Ok(())
    }

    /// The slots of a group that a point uses, by what they cover, the most first.
    fn by_coverage(&self, rivals: &[usize], steps: &[f64]) -> Vec<(f64, usize)> {
        let covered = |slot: usize| -> f64 {
            let of_slot = self.problem.candidates.iter().zip(steps).filter(|(candidate, _)| candidate.slot == slot);
            of_slot.map(|(candidate, steps)| candidate.capacity * steps).sum::<f64>() * self.problem.recourse.worth(slot)
        };
        let mut order: Vec<(f64, usize)> =
            rivals.iter().map(|slot| (covered(*slot), *slot)).filter(|(covered, _)| *covered > 0.0).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        order
    }

    /// Every plan, if there are so few that each can be billed; then the cheapest is the optimum, and its bill the bound.
    fn every_plan(&self) -> Option<Vec<Vec<u32>>> {
        let size = self.problem.recourse.hours() * self.problem.recourse.prices().len().max(1);
        let most = ENUMERATED_LINE_HOURS.div_euclid(size.max(1));
        let mut plans = vec![Vec::new()];
        for candidate in &self.problem.candidates {
            let choices = usize::try_from(candidate.max_steps).ok()?.checked_add(1)?;
            if plans.len().checked_mul(choices)? > most {
                return None;
            }
            plans = plans
                .into_iter()
                .flat_map(|plan| {
                    (0..=candidate.max_steps).map(move |steps| {
                        let mut longer = plan.clone();
                        longer.push(steps);
                        longer
                    })
                })
                .collect();
        }
        plans.retain(|steps| self.problem.is_allowed(steps));
        Some(plans)
    }

    /// Bills the most promising integer points and the baselines, and improves the cheapest.
    fn judged(mut self) -> Result<Plan> {
        let baselines = baseline::all(self.problem)?;
        if let Some(plans) = self.every_plan().filter(|_| !self.stopped) {
            let billed: Vec<(Vec<u32>, f64)> = plans
                .into_par_iter()
                .map(|steps| self.problem.billed_cost(&steps).map(|cost| (steps, cost)))
                .collect::<Result<_>>()?;
            if let Some((steps, cost)) = billed.into_iter().min_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0))) {
                return Plan::new(self.problem, &steps, cost, Status::Optimal, self.sweeps, baselines, self.started.elapsed());
            }
        }
        let mut promising: Vec<(&Vec<u32>, f64)> =
            self.integer.iter().filter(|(steps, _)| self.problem.is_allowed(steps)).map(|(steps, cost)| (steps, *cost)).collect();
        promising.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut points: Vec<Vec<u32>> = promising.into_iter().take(24).map(|(steps, _)| steps.clone()).collect();
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

    /// Whole steps near a point: the nearest, or, if the policy forbids them, with three-year purchases rounded down.
    fn whole(&self, steps: &[f64]) -> Vec<u32> {
        let nearest = round(steps);
        if self.problem.is_allowed(&nearest) {
            return nearest;
        }
        let down = |(candidate, steps): (&Candidate, &f64)| {
            let is_limited = candidate.months >= 36 || candidate.upfront > 0.0;
            if is_limited { (steps + 1e-6).floor() } else { steps.round() }
        };
        round(&self.problem.candidates.iter().zip(steps).map(down).collect::<Vec<f64>>())
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
