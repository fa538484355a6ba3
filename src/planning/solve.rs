//! The method: cutting planes between master problem and recourse, then integers, then the judge (`planning/judged.rs`).
//!
//! 1. Relaxed: the master proposes purchases, a sweep over all hours prices them and returns cuts by block of hours; the hourly prices that
//!    bear the master's bound give cuts by line, which tell the master about all lines at once. Points are queried between the proposal and the best point so far
//!    (in-out step), which keeps the number of rounds small.
//! 2. Integer: the same with whole steps, from the cuts of the relaxed stage, until the best integer point is within the gap of the
//!    master's bound.
//! 3. Judged: the best integer points and the baselines are billed by the provider's rules; small moves improve the best of them where the
//!    provider's order costs money. The cheapest bill wins.

use super::baseline;
use super::capacity;
use super::column::Column;
use super::master::{Master, MasterAnswer, Question};
use super::objective::Objective;
use super::path::OwnCapacity;
use super::plan::Plan;
use super::problem::{Evaluation, Problem, fractional};
use super::recourse::Block;
use super::swept::Swept;
use crate::error::{Problem as Wrong, Result};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
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

/// Why the search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// The billed cost is within the gap asked for of the lower bound.
    Optimal,
    /// The search is complete, and a larger gap remains: by whole units, or by the provider's order of applying commitments.
    GapRemains,
    /// The search stopped at its time limit or was cancelled; this is the best plan so far.
    StoppedAtLimit,
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Optimal => "optimal within the gap asked for",
            Self::GapRemains => "search complete, a gap remains",
            Self::StoppedAtLimit => "stopped at a limit",
        })
    }
}

/// What the search found: numbers alone. [`Plan`] is the same for people.
#[derive(Clone, Debug)]
pub struct Solution {
    /// Steps of each candidate of the problem.
    pub steps: Vec<u32>,
    /// What they cost by the judge.
    pub evaluation: Evaluation,
    /// A proven lower bound on the objective of any plan that the policy allows.
    pub lower_bound: f64,
    /// The lowest relaxed cost found: purchases in any fraction, usage covered in the cheapest order.
    pub relaxed_cost: f64,
    /// The relaxed cost of these steps: usage covered in the cheapest order.
    pub relaxed_cost_of_steps: f64,
    /// Sweeps over all hours.
    pub sweeps: usize,
    /// Seconds that one sweep takes, on the average.
    pub seconds_sweep: f64,
    /// The time the search took.
    pub time: Duration,
    /// Why it ended.
    pub status: Status,
}

impl Solution {
    /// `(objective - lower bound) / objective`.
    #[must_use]
    pub fn gap(&self) -> f64 {
        let cost = self.evaluation.objective;
        if cost.abs() > 0.0 { (cost - self.lower_bound).max(0.0) / cost.abs() } else { 0.0 }
    }
}

impl<'a> Problem<'a> {
    /// Solves the problem and gathers the evidence. Stopping at a limit is an answer: the best plan so far, with its bound and gap.
    ///
    /// # Errors
    /// As [`Problem::search`].
    pub fn solve(&self, options: &Options<'_>) -> Result<Plan> {
        let problem = self.with_foresight(options)?;
        let baselines = baseline::all(&problem)?;
        let rules = baselines.iter().filter(|rule| rule.is_allowed).map(|rule| rule.steps.clone()).collect();
        let solution = Search::new(&problem, options, rules).run()?;
        Plan::new(&problem, &solution, baselines)
    }

    /// The plan of a solution found before: its bills and evidence, without a search.
    ///
    /// # Errors
    /// As [`Problem::evaluate`]; [`Wrong::OutOfRange`] if the solution is of another problem.
    pub fn plan(&self, solution: &Solution, baselines: Vec<baseline::Baseline>) -> Result<Plan> {
        self.check_steps(&solution.steps)?;
        Plan::new(self, solution, baselines)
    }

    /// Solves the problem for the numbers alone: no bills in decimals, and no baselines. For problems of any size.
    ///
    /// # Errors
    /// [`Wrong::PolicyClash`] if no plan keeps all rules, [`Wrong::Solver`] if HiGHS fails.
    pub fn search(&self, options: &Options<'_>) -> Result<Solution> {
        let problem = self.with_foresight(options)?;
        Search::new(&problem, options, Vec::new()).run()
    }

    /// Fills in the cost of perfect foresight where the objective needs it and does not have it.
    pub(super) fn with_foresight(&self, options: &Options<'_>) -> Result<Cow<'_, Self>> {
        match &self.objective {
            Objective::MinimumRegret { foresight } if foresight.len() != self.scenarios.len() => {
                let bound = |index| Ok(self.with_scenario(index)?.search(options)?.lower_bound);
                let foresight = (0..self.scenarios.len()).map(bound).collect::<Result<_>>()?;
                Ok(Cow::Owned(self.with_objective(Objective::MinimumRegret { foresight })?))
            }
            _ => Ok(Cow::Borrowed(self)),
        }
    }

    /// The lower bound alone, by cutting planes with whole reservations.
    #[cfg(test)]
    pub(super) fn relaxed_bound(&self, options: &Options<'_>) -> Result<f64> {
        let mut search = Search::new(self, options, Vec::new());
        search.start();
        search.relaxed(&BTreeSet::new(), 2000, RELAXED_SHARE * options.relative_gap)?;
        search.integer(&BTreeSet::new(), 200)?;
        Ok(search.bound)
    }
}

/// How many slots over the same lines a point of the search mixes at most.
const MIXED_SLOTS: usize = 2;

/// The share of the usage by which a point of the search may miss the least coverage asked for.
const COVERAGE_TOLERANCE: f64 = 1e-7;

/// The share of the gap asked for that the relaxed stage may leave to the others.
const RELAXED_SHARE: f64 = 0.3;

/// A relative gap that is as good as none: what HiGHS's tolerances can tell apart.
const LEAST_GAP: f64 = 1e-8;

/// Rounds of the relaxed stage without any progress after which it ends.
const ROUNDS_WITHOUT_PROGRESS: usize = 30;

/// A point with its relaxed cost.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) steps: Vec<f64>,
    /// Infinite if less is covered than the policy asks.
    pub(super) cost: f64,
    /// How much more is left on demand than the least coverage allows, as a share of the usage; negative if less.
    pub(super) short: f64,
}

pub(super) struct Search<'s, 'a> {
    pub(super) problem: &'s Problem<'a>,
    pub(super) options: &'s Options<'s>,
    pub(super) started: Instant,
    blocks: Vec<Block>,
    own: Vec<OwnCapacity>,
    pub(super) master: Master<'s, 'a>,
    pub(super) sweeps: usize,
    sweeping: Duration,
    pub(super) bound: f64,
    pub(super) best: Point,
    /// The master's last relaxed proposal.
    proposed: Option<Vec<f64>>,
    /// What sweeps have found.
    pub(super) swept: Swept,
    /// Slots that cover the same lines.
    rivals: Vec<Vec<usize>>,
    /// Integer points visited.
    pub(super) integer: BTreeMap<Vec<u32>, f64>,
    pub(super) stopped: bool,
}

impl<'s, 'a> Search<'s, 'a> {
    /// `rules`: plans that are known, to start from.
    pub(super) fn new(problem: &'s Problem<'a>, options: &'s Options<'s>, rules: Vec<Vec<u32>>) -> Self {
        let recourse = &problem.recourse;
        // Cuts by block have a coefficient for every candidate: fewer blocks keep the master small where there are many.
        let most = 2_400usize.div_euclid((problem.columns.len() * recourse.groups().len()).max(1));
        let blocks = recourse.blocks(most.clamp(1, 12));
        let expected = problem.held_cost + problem.on_demand_equivalent.iter().copied().fold(0.0, f64::max);
        let own = OwnCapacity::of(problem);
        let master = Master::new(problem, blocks.clone(), own.clone(), expected / 1000.0);
        let best = Point { steps: vec![0.0; problem.columns.len()], cost: f64::INFINITY, short: f64::INFINITY };
        let integer = rules.into_iter().map(|steps| (steps, f64::INFINITY)).collect();
        let rivals = recourse.rivals();
        let started = Instant::now();
        Self {
            problem,
            options,
            started,
            blocks,
            own,
            master,
            sweeps: 0,
            sweeping: Duration::ZERO,
            bound: f64::NEG_INFINITY,
            best,
            proposed: None,
            swept: Swept::default(),
            rivals,
            integer,
            stopped: false,
        }
    }

    fn run(mut self) -> Result<Solution> {
        self.start();
        if self.problem.columns.is_empty() {
            self.bound = self.best.cost;
        } else {
            let all = BTreeSet::new();
            self.relaxed(&all, 2000, RELAXED_SHARE * self.options.relative_gap)?;
            if !self.stopped && !self.is_rounding_enough()? {
                self.integer(&all, 50)?;
                self.apart()?;
            }
        }
        self.judged()
    }

    /// Whether the best point, rounded to whole steps, is billed within the gap already. What must be whole is rounded, up from a half or, if a
    /// budget forbids that, from more; the master then sets the rest anew, so that the rules are kept.
    fn is_rounding_enough(&mut self) -> Result<bool> {
        // Where optima are whole by themselves, the proposal is.
        if let Some(proposed) = self.proposed.take() {
            let steps = self.whole(&proposed);
            if self.problem.is_allowed(&steps) {
                let cost = self.price(&fractional(&steps));
                self.integer.insert(steps.clone(), cost);
                if self.is_enough(&steps, cost)? {
                    return Ok(true);
                }
            }
        }
        let best = self.best.steps.clone();
        let mut tried: BTreeSet<Vec<u32>> = BTreeSet::new();
        for up_from in [0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9, 1.0] {
            let whole = round(&best.iter().map(|steps| (steps + 1.0 - up_from + 1e-6).floor()).collect::<Vec<f64>>());
            if !tried.insert(whole.clone()) {
                continue;
            }
            let is_whole = |index: &usize| !self.problem.columns[*index].is_divisible;
            let given: BTreeMap<usize, u32> = (0..whole.len()).filter(is_whole).map(|index| (index, whole[index])).collect();
            let (closed, seconds) = (BTreeSet::new(), self.seconds_left().min(20.0));
            let question =
                Question { is_integer: false, closed: &closed, given: &given, relative_gap: 0.0, seconds, elastic: None };
            let Some(proposed) = self.master.solve(&question)?.and_then(|answer| answer.steps) else { continue };
            let steps = self.whole(&proposed);
            if !self.problem.is_allowed(&steps) {
                continue;
            }
            let cost = self.price(&fractional(&steps));
            self.integer.insert(steps.clone(), cost);
            // More rounded down is worse still.
            return self.is_enough(&steps, cost);
        }
        Ok(false)
    }

    /// Whether whole steps of this relaxed cost are billed within the gap of the bound.
    fn is_enough(&self, steps: &[u32], cost: f64) -> Result<bool> {
        let limit = self.bound + self.options.relative_gap * cost.abs();
        if cost > limit || !self.problem.is_allowed(steps) {
            return Ok(false);
        }
        let evaluation = self.problem.evaluate(steps)?;
        Ok(evaluation.is_allowed() && evaluation.objective <= limit)
    }

    pub(super) fn seconds_left(&self) -> f64 {
        self.options.time_limit.saturating_sub(self.started.elapsed()).as_secs_f64()
    }

    /// The average time of a sweep.
    pub(super) fn seconds_sweep(&self) -> f64 {
        self.sweeping.as_secs_f64() / (self.sweeps.max(1) as f64)
    }

    /// Reports progress; true if the search must end.
    pub(super) fn must_stop(&mut self) -> bool {
        let progress = Progress { sweeps: self.sweeps, lower_bound: self.bound, relaxed_cost: self.best.cost };
        tracing::debug!(sweeps = self.sweeps, bound = self.bound, cost = self.best.cost, cuts = self.master.len(), "round");
        let cancelled = self.options.progress.is_some_and(|callback| callback(&progress).is_break());
        self.stopped |= cancelled || self.seconds_left() <= 0.0;
        self.stopped
    }

    /// Makes a point the best if it is.
    fn improve_with(&mut self, point: Point) {
        if point.cost < self.best.cost && self.problem.is_within_policy(&point.steps) {
            self.best = point;
        }
    }

    /// The relaxed cost of steps: see [`Self::point`].
    pub(super) fn price(&mut self, steps: &[f64]) -> f64 {
        self.point(steps.to_vec()).cost
    }

    /// Sweeps at a point and adds its cuts to the master.
    fn point(&mut self, steps: Vec<f64>) -> Point {
        let began = Instant::now();
        let capacity = self.problem.capacity(&steps);
        let (cuts, prices) = self.problem.recourse.sweep(&capacity, &self.blocks);
        self.sweeps += 1;
        let of_blocks: Vec<f64> = self.blocks.iter().zip(&cuts).map(|(block, cut)| cut.at(&capacity[block.epoch])).collect();
        let source = self.swept.sweep(prices);
        self.master.add(cuts, Some(source));
        let point = self.costed(steps.clone(), &of_blocks);
        self.swept.visit(steps, of_blocks);
        self.sweeping += began.elapsed();
        point
    }

    /// A point whose blocks of hours cost this much on demand.
    fn costed(&self, steps: Vec<f64>, of_blocks: &[f64]) -> Point {
        let mut on_demand = self.on_demand(of_blocks);
        let short = self.cap_coverage(&mut on_demand);
        let cost = if short <= COVERAGE_TOLERANCE { self.cost(&steps, of_blocks, on_demand) } else { f64::INFINITY };
        Point { steps, cost, short }
    }

    /// What is left on demand by group.
    fn on_demand(&self, of_blocks: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.problem.recourse.groups().len()];
        for (block, cost) in self.blocks.iter().zip(of_blocks) {
            sums[block.group] += cost;
        }
        sums
    }

    /// The objective of steps that leave this much on demand, by group.
    fn cost(&self, steps: &[f64], of_blocks: &[f64], on_demand: Vec<f64>) -> f64 {
        let groups = self.problem.recourse.groups();
        let first = self.problem.commitment_cost(steps);
        let mut costs: Vec<f64> = on_demand.into_iter().map(|cost| cost + first).collect();
        if let Some(agreement) = &self.problem.agreement {
            // Terms were checked when the problem was built, so that this settles.
            let added =
                agreement.relaxed(groups, &self.blocks, of_blocks, steps).unwrap_or_else(|_| vec![f64::INFINITY; costs.len()]);
            costs.iter_mut().zip(added).for_each(|(cost, added)| *cost += added);
        }
        let probabilities: Vec<f64> = groups.iter().map(|group| group.probability).collect();
        self.problem.objective.of(&costs, &probabilities)
    }

    /// Raises the on-demand cost of scenarios to what a cap on coverage leaves, as if the rest of the commitments went unused; returns
    /// how much more is left on demand than the least coverage allows, as a share of the usage, where it is most.
    fn cap_coverage(&self, on_demand: &mut [f64]) -> f64 {
        let policy = &self.problem.policy;
        let mut short = f64::NEG_INFINITY;
        for (open, equivalent) in on_demand.iter_mut().zip(&self.problem.on_demand_equivalent) {
            if let Some(least) = policy.min_coverage.filter(|_| *equivalent > 0.0) {
                short = short.max(*open / equivalent - (1.0 - least));
            }
            if let Some(most) = policy.max_coverage {
                *open = open.max((1.0 - most) * equivalent);
            }
        }
        short
    }

    /// Gives the master the cuts by line of the prices that bear its bound, exact at some points.
    fn respond(&mut self, points: &[&[f64]]) {
        if self.own.len() < 2 {
            return;
        }
        let began = Instant::now();
        let Some(prices) = self.swept.bearing(&self.problem.recourse, &self.blocks) else { return };
        let points: Vec<Vec<Vec<f64>>> = points.iter().map(|steps| self.problem.capacity(steps)).collect();
        let path = self.problem.recourse.path(&prices, &self.own, &points);
        self.sweeps += 1;
        let source = self.swept.keep(prices);
        self.master.add_path(source, path, 3);
        self.sweeping += began.elapsed();
    }

    /// Gives the master cuts on both sides of the whole steps next to a point, in every epoch: where purchases have many dates and no slot is
    /// over several lines, that makes its optima whole.
    fn around(&mut self, steps: &[f64]) {
        if !capacity::is_long(self.problem) || !self.problem.recourse.wide().is_empty() {
            return;
        }
        let mut units = vec![0.0; self.problem.recourse.slots()];
        for candidate in self.problem.candidates.iter().filter(|candidate| !candidate.is_divisible) {
            let unit = &mut units[candidate.slot];
            *unit = if *unit > 0.0 { candidate.capacity.min(*unit) } else { candidate.capacity };
        }
        let began = Instant::now();
        for offset in [-0.5, 0.5] {
            let mut capacity = self.problem.capacity(steps);
            for of_epoch in &mut capacity {
                for (capacity, unit) in of_epoch.iter_mut().zip(&units).filter(|(_, unit)| **unit > 0.0) {
                    *capacity = ((*capacity / unit).round() + offset) * unit;
                }
            }
            let (cuts, _) = self.problem.recourse.sweep(&capacity, &self.blocks);
            self.master.add(cuts, None);
            self.sweeps += 1;
        }
        self.sweeping += began.elapsed();
    }

    /// Prices nothing and the simple rules' points, so that the master starts with cuts where plans lie. What sweeps of an earlier search have
    /// found is known.
    pub(super) fn start(&mut self) {
        let known: Vec<Point> =
            self.swept.points().iter().map(|(steps, of_blocks)| self.costed(steps.clone(), of_blocks)).collect();
        for start in std::iter::once(self.problem.nothing()).chain(baseline::starts(self.problem)) {
            let steps = fractional(&start);
            let point = known.iter().find(|point| point.steps == steps).cloned().unwrap_or_else(|| self.point(steps));
            self.integer.insert(start, point.cost);
            self.improve_with(point);
        }
        for point in known {
            self.improve_with(point);
        }
    }

    /// Asks the master; a policy that cannot be kept is told with the rules that clash.
    fn ask(&self, is_integer: bool, closed: &BTreeSet<usize>, relative_gap: f64, seconds: f64) -> Result<MasterAnswer> {
        let question = Question { is_integer, closed, given: &BTreeMap::new(), relative_gap, seconds, elastic: None };
        match self.master.solve(&question)? {
            Some(answer) => Ok(answer),
            None => {
                let sentence = self.problem.clash()?.map_or_else(String::new, |clash| clash.to_string());
                Err(Wrong::PolicyClash { sentence }.into())
            }
        }
    }

    /// Cutting planes without integrality, until cost and bound are within a gap; returns the bound for the candidates that are not closed.
    pub(super) fn relaxed(&mut self, closed: &BTreeSet<usize>, rounds: usize, target: f64) -> Result<f64> {
        let target = target.max(LEAST_GAP);
        let mut bound = f64::NEG_INFINITY;
        let (mut gap, mut unchanged) = (f64::INFINITY, 0);
        for round in 0..rounds {
            let answer = self.ask(false, closed, 0.0, self.seconds_left())?;
            let Some(proposed) = answer.steps.filter(|_| !answer.stopped) else {
                self.stopped = true;
                break;
            };
            bound = answer.bound.max(bound);
            self.swept.weigh(answer.weights);
            if closed.is_empty() {
                self.proposed = Some(proposed.clone());
                self.bound = self.bound.max(bound);
            }
            let is_close = self.best.cost.is_finite() && self.best.cost - bound <= target * self.best.cost.abs();
            if is_close || self.must_stop() {
                break;
            }
            // Numbers can keep the gap from closing any further.
            let left = self.best.cost - bound;
            unchanged = if left < gap * (1.0 - 1e-6) { 0 } else { unchanged + 1 };
            gap = left.min(gap);
            if unchanged >= ROUNDS_WITHOUT_PROGRESS {
                break;
            }
            // Between the best point and the proposal; every few rounds the proposal itself, so that the bound keeps rising. Where a least coverage
            // is asked for and the best point is far off, the proposal too: it just misses that coverage, which little of the best point mends.
            let is_far = self.best.cost.is_infinite()
                || (self.problem.policy.min_coverage.is_some() && left > 0.01 * self.best.cost.abs());
            let share = if round % 4 == 3 || is_far { 1.0 } else { 0.4 };
            let steps: Vec<f64> =
                self.best.steps.iter().zip(&proposed).map(|(best, proposed)| best + share * (proposed - best)).collect();
            let point = self.point(self.sparse(steps));
            let steps = point.steps.clone();
            if point.short > COVERAGE_TOLERANCE && self.best.cost.is_finite() {
                self.mend(&point);
            }
            self.improve_with(point);
            let best = self.best.steps.clone();
            self.respond(&[&best, &proposed, &steps]);
            self.around(&best);
            self.around(&proposed);
            if self.master.len() > 120 * self.blocks.len() {
                let (best, proposed) = (self.problem.capacity(&self.best.steps), self.problem.capacity(&proposed));
                self.master.purge(&[&best, &proposed], 0.5);
            }
        }
        Ok(bound)
    }

    /// Mixes a point that covers less than the policy asks with the best one until enough is covered. What is left on demand is convex, so that
    /// the chord between them meets the least coverage where enough is covered; more of the best point makes up for slots that are left out.
    fn mend(&mut self, point: &Point) {
        let chord = point.short / (point.short - self.best.short.min(0.0));
        for more in [0.0, 0.2, 0.5] {
            let share = chord + more * (1.0 - chord);
            let mixed = point.steps.iter().zip(&self.best.steps).map(|(steps, best)| steps + share * (best - steps)).collect();
            let mixed = self.point(self.sparse(mixed));
            if mixed.cost.is_finite() {
                return self.improve_with(mixed);
            }
        }
    }

    /// A point near the one given that mixes at most [`MIXED_SLOTS`] of the slots that cover the same lines: the rest of their capacity goes to
    /// the largest of them. An hour's prices are found by a search nested once for each, so more would take long, and the best plans mix few.
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
    pub(super) fn integer(&mut self, closed: &BTreeSet<usize>, rounds: usize) -> Result<()> {
        let target = (0.5 * self.options.relative_gap).max(LEAST_GAP);
        let mut cheapest = f64::INFINITY;
        for _ in 0..rounds {
            let seconds = self.seconds_left().min(20.0);
            let answer = self.ask(true, closed, 0.5 * target, seconds)?;
            self.swept.weigh(None);
            if closed.is_empty() {
                self.bound = self.bound.max(answer.bound);
            }
            let Some(proposed) = answer.steps else { break };
            let steps = self.whole(&proposed);
            if self.integer.get(&steps).is_some_and(|cost| cost.is_finite()) && !answer.stopped {
                break; // its cuts are all there: the master's bound is what it can prove
            }
            let point = fractional(&steps);
            let cost = self.price(&point);
            cheapest = cheapest.min(cost);
            let is_enough = closed.is_empty() && self.is_enough(&steps, cost)?;
            self.integer.insert(steps, cost);
            if is_enough || cheapest - answer.bound <= target * cheapest.abs() || self.must_stop() || answer.stopped {
                break;
            }
            self.respond(&[&point]);
        }
        Ok(())
    }

    /// Searches again with fewer tables of rates over the same lines, since the provider's order is not the cheapest when several plans compete
    /// for the same usage: of the widest group only the table that the best point uses most, then only the next, then one table in every group.
    fn apart(&mut self) -> Result<()> {
        let best = self.best.clone();
        let width = |rivals: &&Vec<usize>| self.problem.recourse.slot_lines()[rivals[0]].len();
        let used = |rivals: &&Vec<usize>| self.by_coverage(rivals, &best.steps).len() > 1;
        let Some(widest) = self.rivals.iter().filter(used).max_by_key(width).cloned() else {
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
            let (given, seconds) = (BTreeMap::new(), 10.0);
            let question =
                Question { is_integer: false, closed: &closed, given: &given, relative_gap: 0.0, seconds, elastic: None };
            if self.master.solve(&question)?.is_none() {
                continue; // the rules need the tables that are left out
            }
            self.best = Point { cost: f64::INFINITY, short: f64::INFINITY, steps: steps.clone() };
            if self.problem.is_within_policy(&steps) {
                self.best = self.point(steps);
            }
            self.relaxed(&closed, 60, RELAXED_SHARE * self.options.relative_gap)?;
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

    /// Whole steps near a point: the nearest, or, if the policy forbids them, rounded down where a rule limits upfront or three-year purchases,
    /// or rounded down all.
    fn whole(&self, steps: &[f64]) -> Vec<u32> {
        let nearest = round(steps);
        if self.problem.is_allowed(&nearest) {
            return nearest;
        }
        let limited = |column: &Column| column.is_long || column.upfront > 0.0;
        let down = |(column, steps): (&Column, &f64)| if limited(column) { (steps + 1e-6).floor() } else { steps.round() };
        let some = round(&self.problem.columns.iter().zip(steps).map(down).collect::<Vec<f64>>());
        if self.problem.is_allowed(&some) {
            return some;
        }
        let all = round_down(steps);
        if self.problem.is_allowed(&all) { all } else { nearest }
    }
}

/// Whole steps nearest to the solver's, which are whole up to its tolerance.
pub(super) fn round(steps: &[f64]) -> Vec<u32> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = |steps: &f64| steps.round().clamp(0.0, f64::from(u32::MAX)) as u32;
    steps.iter().map(whole).collect()
}

/// Every purchase rounded down.
pub(super) fn round_down(steps: &[f64]) -> Vec<u32> {
    round(&steps.iter().map(|steps| (steps + 1e-6).floor()).collect::<Vec<f64>>())
}
