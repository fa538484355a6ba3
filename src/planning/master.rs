//! The master problem: a mixed-integer program over the purchases alone, built with good_lp, solved by HiGHS.
//!
//! One variable a candidate (steps bought), one a block of hours (its on-demand cost, bounded from below by the recourse's cuts), one a line in
//! each path of prices, the policy's rules as rows, and what the objective needs. Formula: `docs/formulation.md`, "Master problem". Bound and
//! status are read through the `highs` model, since good_lp hides them. Where purchases need not be whole, its dual is solved instead
//! (`planning/dual.rs`), which is smaller.
//!
//! Its unknowns: `docs/formulation.md`, "Variables".

use super::capacity::{Capacities, is_long};
use super::dual::{self, Optimum};
use super::objective::Objective;
use super::path::{OwnCapacity, PathCut};
use super::problem::Problem;
use super::recourse::{Block, Cut, Group};
use super::rows::{Row, RowKind, Term};
use super::swept::{Source, Weights};
use crate::error::{Error, Problem as Wrong, Result};
use good_lp::{Expression, ProblemVariables, SolverModel, Variable, constraint, variable};
use highs::{HighsModelStatus, HighsSolutionStatus};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// The master problem with the cuts known so far.
#[derive(Clone)]
pub(super) struct Master<'p, 'a> {
    problem: &'p Problem<'a>,
    blocks: Vec<Block>,
    own: Vec<OwnCapacity>,
    cuts: Cuts,
    /// Money is divided by this, so that coefficients stay near 1.
    scale: f64,
}

/// What is known of the on-demand cost: bounds that hold for every plan over the same usage, slots and blocks.
#[derive(Clone, Default)]
pub(super) struct Cuts {
    /// Block, where the prices come from if they are kept, and the block's cut.
    of_blocks: Vec<(usize, Option<Source>, Cut)>,
    /// Paths of prices, each with a cut a group.
    paths: Vec<(Source, Vec<PathCut>)>,
}

/// What to solve.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'q> {
    /// Whether purchases must be whole.
    pub(super) is_integer: bool,
    /// Candidates of which nothing is bought.
    pub(super) closed: &'q BTreeSet<usize>,
    /// Steps that are given, for some candidates.
    pub(super) given: &'q BTreeMap<usize, u32>,
    /// The gap within which HiGHS may stop.
    pub(super) relative_gap: f64,
    /// The seconds after which it must.
    pub(super) seconds: f64,
    /// If given, the objective is how little rules must give, instead of cost.
    pub(super) elastic: Option<Elastic<'q>>,
}

/// Rules that count, and those of them that may give.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elastic<'q> {
    pub(super) active: &'q BTreeSet<usize>,
    pub(super) giving: &'q BTreeSet<usize>,
}

/// What the master problem answers.
#[derive(Clone, Debug)]
pub(super) struct MasterAnswer {
    /// Steps of each candidate; `None` if the solver stopped before it found any.
    pub(super) steps: Option<Vec<f64>>,
    /// A proven lower bound on the objective of any purchases that the policy allows, cost of what is held included. Minus infinity if the
    /// solver stopped before it had one.
    pub(super) bound: f64,
    /// Whether the solver stopped at its time limit.
    pub(super) stopped: bool,
    /// By how much each row that may give does, in its own unit.
    pub(super) gives: BTreeMap<usize, f64>,
    /// With what weight cuts bear the bound, if purchases need not be whole and the dual was solved.
    pub(super) weights: Option<Weights>,
}

impl<'p, 'a> Master<'p, 'a> {
    pub(super) fn new(problem: &'p Problem<'a>, blocks: Vec<Block>, own: Vec<OwnCapacity>, scale: f64) -> Self {
        let scale = if scale > 0.0 { scale } else { 1.0 };
        Self { problem, blocks, own, cuts: Cuts::default(), scale }
    }

    /// Takes out all cuts.
    pub(super) fn take(&mut self) -> Cuts {
        std::mem::take(&mut self.cuts)
    }

    /// Puts in cuts taken out of the master of a problem with the same usage, slots and blocks.
    pub(super) fn put(&mut self, cuts: Cuts) {
        self.cuts = cuts;
    }

    /// Adds a sweep's cuts, one for each block; `source` says where its prices are kept, if they are.
    pub(super) fn add(&mut self, cuts: Vec<Cut>, source: Option<Source>) {
        self.cuts.of_blocks.extend(cuts.into_iter().enumerate().map(|(block, cut)| (block, source, cut)));
    }

    /// Adds a path of prices; of the older ones only the last few are kept.
    pub(super) fn add_path(&mut self, source: Source, path: Vec<PathCut>, kept: usize) {
        let surplus = (self.cuts.paths.len() + 1).saturating_sub(kept);
        self.cuts.paths.drain(..surplus);
        self.cuts.paths.push((source, path));
    }

    /// How many cuts there are.
    pub(super) fn len(&self) -> usize {
        self.cuts.of_blocks.len()
    }

    /// What the cuts know of a block's on-demand cost at a capacity.
    pub(super) fn known(&self, block: usize, capacity: &[f64]) -> f64 {
        let of_block = self.cuts.of_blocks.iter().filter(|(of, ..)| *of == block);
        of_block.map(|(.., cut)| cut.at(capacity)).fold(0.0, f64::max)
    }

    /// Keeps only the cuts within a tolerance of binding at one of the points given (capacity by epoch).
    pub(super) fn purge(&mut self, points: &[&[Vec<f64>]], tolerance: f64) {
        let mut highest = vec![vec![f64::NEG_INFINITY; self.blocks.len()]; points.len()];
        let at = |blocks: &[Block], block: usize, cut: &Cut, point: &[Vec<f64>]| cut.at(&point[blocks[block].epoch]);
        for (block, _, cut) in &self.cuts.of_blocks {
            for (point, highest) in points.iter().zip(&mut highest) {
                highest[*block] = highest[*block].max(at(&self.blocks, *block, cut, point));
            }
        }
        let blocks = &self.blocks;
        self.cuts.of_blocks.retain(|(block, _, cut)| {
            let is_near = |(point, highest): (&&[Vec<f64>], &Vec<f64>)| {
                at(blocks, *block, cut, point) >= highest[*block] - tolerance * self.scale
            };
            points.iter().zip(&highest).any(is_near)
        });
    }

    /// Solves it; `None` if no purchases keep all rules.
    ///
    /// # Errors
    /// [`Wrong::Solver`] if HiGHS fails for a reason of its own; stopping at the time limit is an answer.
    pub(super) fn solve(&self, question: &Question<'_>) -> Result<Option<MasterAnswer>> {
        let problem = self.problem;
        let mut model = Model { variables: ProblemVariables::new(), columns: 0, rows: Vec::new() };
        let steps: Vec<Variable> = problem
            .columns
            .iter()
            .enumerate()
            .map(|(index, candidate)| {
                let most = if question.closed.contains(&index) { 0.0 } else { f64::from(candidate.max_steps) };
                let given = candidate.fixed.or_else(|| question.given.get(&index).copied()).map(f64::from);
                let bounded = variable().min(given.unwrap_or(0.0)).max(given.unwrap_or(most));
                model.add(if question.is_integer && !candidate.is_divisible { bounded.integer() } else { bounded })
            })
            .collect();
        let open: Vec<Variable> = self.blocks.iter().map(|_| model.add(variable().min(0))).collect();
        let choice = |_: &Vec<usize>| {
            let bounded = variable().min(0).max(1);
            model.add(if question.is_integer { bounded.integer() } else { bounded })
        };
        let choices: Vec<Variable> = problem.rows.choices.iter().map(choice).collect();
        let mut objective = self.objective(&steps, &open, &mut model);
        if question.elastic.is_some() {
            objective = Expression::default();
        }
        let capacities = Capacities::new(problem, &steps, &mut model);
        let first_cut = model.rows.len();
        self.cut_rows(&steps, &open, &capacities, &mut model);
        let of_paths = self.path_rows(&steps, &open, &capacities, &mut model);
        let mut gives = BTreeMap::new();
        for (index, row) in problem.rows.rows.iter().enumerate() {
            let (sum, size) = self.row_sum(row, &steps, &open, &choices);
            let (lower, upper) = (row.lower / size, row.upper / size);
            match question.elastic.filter(|_| row.kind == RowKind::Rule) {
                None => model.bound(&sum, lower, upper),
                Some(elastic) if elastic.active.contains(&index) && !elastic.giving.contains(&index) => {
                    model.bound(&sum, lower, upper);
                }
                Some(elastic) if elastic.active.contains(&index) => {
                    let give = model.add(variable().min(0));
                    gives.insert(index, (model.columns - 1, size));
                    objective.add_mul(1.0 / lower.abs().min(upper.abs()).clamp(1e-3, 1e6), give);
                    model.bound(&(sum.clone() + give), lower, f64::INFINITY);
                    model.bound(&(sum - give), f64::NEG_INFINITY, upper);
                }
                Some(_) => {}
            }
        }
        let began = Instant::now();
        // Long calendars are networks, which HiGHS solves well as they are.
        let is_by_dual = !question.is_integer && question.elastic.is_none() && !is_long(problem);
        if is_by_dual && let Some(optimum) = dual::minimise(&model.variables, &model.rows, &objective, question.seconds)? {
            return Ok(Some(self.of_dual(&optimum, first_cut, &of_paths)));
        }
        let mut solver = model.variables.minimise(objective).using(good_lp::highs);
        for row in model.rows {
            solver.add_constraint(row);
        }
        self.ask(solver, question, question.seconds - began.elapsed().as_secs_f64(), &gives)
    }

    /// The answer of the dual, in which the cuts' rows begin with `first_cut`; `of_paths` gives row, group and source of the paths.
    fn of_dual(&self, optimum: &Optimum, first_cut: usize, of_paths: &[(usize, usize, Source)]) -> MasterAnswer {
        let bears = |weight: f64| weight > 1e-9;
        let of_cuts = self.cuts.of_blocks.iter().zip(&optimum.weights[first_cut..]);
        let of_cut = |((block, source, _), weight): (&(usize, Option<Source>, Cut), &f64)| {
            source.filter(|_| bears(*weight)).map(|source| (*block, source, *weight))
        };
        let of_path = |(row, group, source): &(usize, usize, Source)| (*group, *source, optimum.weights[*row]);
        let weights = Weights {
            of_blocks: of_cuts.filter_map(of_cut).collect(),
            of_paths: of_paths.iter().map(of_path).filter(|(.., weight)| bears(*weight)).collect(),
        };
        MasterAnswer {
            steps: Some(optimum.columns.iter().take(self.problem.columns.len()).map(|steps| steps.max(0.0)).collect()),
            bound: optimum.value * self.scale + self.constant(),
            stopped: false,
            gives: BTreeMap::new(),
            weights: Some(weights),
        }
    }

    /// The sum of a policy row, divided by the size that is returned with it.
    fn row_sum(&self, row: &Row, steps: &[Variable], open: &[Variable], choices: &[Variable]) -> (Expression, f64) {
        let largest = row.terms.iter().map(|(_, coefficient)| coefficient.abs()).fold(0.0, f64::max).max(1e-12);
        let size = if row.terms.iter().any(|(term, _)| matches!(term, Term::OnDemand(_))) { self.scale } else { largest };
        let mut sum = Expression::default();
        for (term, coefficient) in &row.terms {
            match term {
                Term::Steps(candidate) => sum.add_mul(coefficient / size, steps[*candidate]),
                Term::Choice(choice) => sum.add_mul(coefficient / size, choices[*choice]),
                Term::OnDemand(scenario) => {
                    for (block, open) in self.blocks.iter().zip(open) {
                        if self.problem.recourse.groups()[block.group].scenarios.contains(scenario) {
                            sum.add_mul(coefficient * self.scale / size, *open);
                        }
                    }
                }
            }
        }
        (sum, size)
    }

    /// Solves a model and reads the answer.
    fn ask(
        &self,
        model: good_lp::solvers::highs::HighsProblem,
        question: &Question<'_>,
        seconds: f64,
        gives: &BTreeMap<usize, (usize, f64)>,
    ) -> Result<Option<MasterAnswer>> {
        let mut model = model.try_into_inner().map_err(|error| solver(error.to_string()))?;
        model.make_quiet();
        model.set_option("time_limit", seconds.max(0.1));
        model.set_option("random_seed", 0);
        model.set_option("threads", 1);
        model.set_option("mip_rel_gap", question.relative_gap);
        model.set_option("mip_abs_gap", 0.0);
        let solved = model.try_solve().map_err(|status| solver(format!("{status:?}")))?;
        let stopped = match solved.status() {
            HighsModelStatus::Optimal => false,
            HighsModelStatus::ReachedTimeLimit | HighsModelStatus::ReachedIterationLimit => true,
            HighsModelStatus::Infeasible | HighsModelStatus::UnboundedOrInfeasible => return Ok(None),
            other => return Err(solver(format!("{other:?}"))),
        };
        let bound = match question.is_integer {
            false if stopped => f64::NEG_INFINITY,
            false => solved.objective_value(),
            true => solved.double_info_value(c"mip_dual_bound").map_err(|status| solver(format!("{status:?}")))?,
        };
        let is_feasible = solved.primal_solution_status() == HighsSolutionStatus::Feasible;
        let solution = solved.get_solution();
        let columns = solution.columns();
        let count = self.problem.columns.len();
        let steps = is_feasible.then(|| columns.iter().take(count).map(|steps| steps.max(0.0)).collect());
        let given = |(index, (column, size)): (&usize, &(usize, f64))| (*index, columns[*column] * size);
        let gives = if is_feasible { gives.iter().map(given).collect() } else { BTreeMap::new() };
        Ok(Some(MasterAnswer { steps, bound: bound * self.scale + self.constant(), stopped, gives, weights: None }))
    }

    /// What the objective has beside the variables.
    fn constant(&self) -> f64 {
        let (held, groups) = (self.problem.held_cost, self.problem.recourse.groups());
        let other = (0..groups.len()).map(|group| groups[group].probability * self.other_cost(group)).sum::<f64>();
        match &self.problem.objective {
            Objective::ExpectedCost => held + other,
            Objective::ExpectedCostAndTail { weight, .. } => held * (1.0 + weight) + other,
            Objective::MinimumRegret { .. } => 0.0,
        }
    }

    /// The objective, with the variables and rows it needs.
    fn objective(&self, steps: &[Variable], open: &[Variable], model: &mut Model) -> Expression {
        let problem = self.problem;
        let groups = problem.recourse.groups();
        let mut first = Expression::default();
        for (column, steps) in problem.columns.iter().zip(steps) {
            first.add_mul(column.cost / self.scale, steps);
        }
        let added = self.agreement(steps, open, model);
        let of_group = |group: usize| -> Expression {
            let blocks = self.blocks.iter().zip(open).filter(|(block, _)| block.group == group);
            let other = self.other_cost(group) / self.scale;
            first.clone() + blocks.map(|(_, open)| *open).sum::<Expression>() + added[group].clone() + other
        };
        let mut expected = first.clone();
        for (group, added) in groups.iter().zip(&added) {
            expected += added.clone() * group.probability;
        }
        for (block, open) in self.blocks.iter().zip(open) {
            expected.add_mul(groups[block.group].probability, open);
        }
        match &problem.objective {
            Objective::ExpectedCost => expected,
            Objective::ExpectedCostAndTail { weight, level } => {
                // Money that changes bring can make costs negative.
                let threshold = model.add(if problem.changes.is_empty() { variable().min(0) } else { variable() });
                expected.add_mul(*weight, threshold);
                for (group, of) in groups.iter().enumerate() {
                    let above = model.add(variable().min(0));
                    expected.add_mul(weight * of.probability / (1.0 - level), above);
                    model.rows.push(constraint!(of_group(group) - threshold <= above));
                }
                expected
            }
            Objective::MinimumRegret { foresight } => {
                let regret = model.add(variable());
                for (group, best) in foresight.iter().enumerate() {
                    model.rows.push(constraint!(of_group(group) - (best - problem.held_cost) / self.scale <= regret));
                }
                regret.into()
            }
        }
    }

    /// What spend beside the usage costs a group.
    fn other_cost(&self, group: usize) -> f64 {
        let agreement = self.problem.agreement.as_ref();
        agreement.map_or(0.0, |agreement| agreement.other_cost_of(&self.problem.recourse.groups()[group]))
    }

    /// What an agreement's settlement adds to the cost of each group, with the variables and rows it needs: `planning::agreement`.
    fn agreement(&self, steps: &[Variable], open: &[Variable], model: &mut Model) -> Vec<Expression> {
        let groups = self.problem.recourse.groups();
        let Some(agreement) = &self.problem.agreement else { return vec![Expression::default(); groups.len()] };
        // What counts of each block: a multiple of its cost, or, where services count differently, something between two.
        let counted: Vec<Expression> = self
            .blocks
            .iter()
            .zip(open)
            .map(|(block, open)| {
                let (least, most) = agreement.ratio(block);
                if !agreement.has_minimum() || most - least <= 1e-12 * most {
                    return *open * most;
                }
                let counted = model.add(variable().min(0));
                model.rows.push(constraint!(counted <= *open * most));
                model.rows.push(constraint!(counted >= *open * least));
                counted.into()
            })
            .collect();
        let of_group = |(index, group): (usize, &Group)| -> Expression {
            let mut cost = Expression::default();
            if !agreement.has_minimum() {
                return cost;
            }
            let columns: Vec<Variable> = agreement.program.columns.iter().map(|_| model.add(variable().min(0))).collect();
            for (column, factor) in columns.iter().zip(&agreement.program.columns) {
                cost.add_mul(*factor, *column);
            }
            let mut spend = vec![Expression::default(); agreement.periods.len()];
            for (block, counted) in self.blocks.iter().zip(&counted).filter(|(block, _)| block.group == index) {
                for (period, scale) in agreement.periods_of(block) {
                    spend[period] += counted.clone() * scale;
                }
            }
            for (period, spend) in spend.iter_mut().enumerate() {
                for (counts, steps) in agreement.candidates.iter().zip(steps) {
                    spend.add_mul(counts[period] / self.scale, *steps);
                }
                *spend += agreement.fixed[group.scenarios.start][period] / self.scale;
            }
            for row in &agreement.program.rows {
                let mut sum = Expression::default();
                for (column, coefficient) in &row.columns {
                    sum.add_mul(*coefficient, columns[*column]);
                }
                for (period, coefficient) in &row.spend {
                    sum += spend[*period].clone() * *coefficient;
                }
                model.rows.push(constraint!(sum >= row.least / self.scale));
            }
            cost
        };
        groups.iter().enumerate().map(of_group).collect()
    }

    /// `open_b >= constant - Σ slope · capacity`.
    fn cut_rows(&self, steps: &[Variable], open: &[Variable], capacities: &Capacities<'_>, model: &mut Model) {
        for (block, _, cut) in &self.cuts.of_blocks {
            let mut row: Expression = open[*block].into();
            let epoch = self.blocks[*block].epoch;
            for (slot, slope) in cut.slope.iter().enumerate() {
                capacities.add(&mut row, slope / self.scale, (slot, epoch), steps);
            }
            model.rows.push(constraint!(row >= cut.constant / self.scale));
        }
    }

    /// The cuts by line: `Σ_b open_b >= constant - Σ wide + Σ_i of_line_i`, `of_line_i >= each tangent`.
    /// Returns row, group and source of each.
    fn path_rows(
        &self,
        steps: &[Variable],
        open: &[Variable],
        capacities: &Capacities<'_>,
        model: &mut Model,
    ) -> Vec<(usize, usize, Source)> {
        let mut rows = Vec::new();
        for (source, cut) in self.cuts.paths.iter().flat_map(|(source, cuts)| cuts.iter().map(|cut| (*source, cut))) {
            let mut row = Expression::default();
            for (block, open) in self.blocks.iter().zip(open) {
                if block.group == cut.group {
                    row.add_mul(1.0, open);
                }
            }
            for (epoch, slot, slope) in &cut.wide {
                capacities.add(&mut row, slope / self.scale, (*slot, *epoch), steps);
            }
            for cell in &cut.cells {
                let of_line = model.add(variable().min(0));
                row.add_mul(-1.0, of_line);
                let Ok(own) = self.own.binary_search_by_key(&cell.line, |own| own.line) else { continue };
                let mut capacity = Expression::default();
                for (slot, weight) in &self.own[own].slots {
                    capacities.add(&mut capacity, 1.0 / weight, (*slot, cell.epoch), steps);
                }
                for (constant, slope) in &cell.tangents {
                    let tangent = capacity.clone() * (slope / self.scale) + of_line;
                    model.rows.push(constraint!(tangent >= constant / self.scale));
                }
            }
            rows.push((model.rows.len(), cut.group, source));
            model.rows.push(constraint!(row >= cut.constant / self.scale));
        }
        rows
    }
}

/// A model in the making.
pub(super) struct Model {
    variables: ProblemVariables,
    columns: usize,
    pub(super) rows: Vec<good_lp::Constraint>,
}

impl Model {
    /// Adds a variable; good_lp gives HiGHS its columns in the order in which they are added.
    pub(super) fn add(&mut self, definition: good_lp::VariableDefinition) -> Variable {
        self.columns += 1;
        self.variables.add(definition)
    }

    /// Adds `lower <= sum <= upper`.
    fn bound(&mut self, sum: &Expression, lower: f64, upper: f64) {
        if lower > f64::NEG_INFINITY {
            self.rows.push(constraint!(sum.clone() >= lower));
        }
        if upper < f64::INFINITY {
            self.rows.push(constraint!(sum.clone() <= upper));
        }
    }
}

fn solver(status: String) -> Error {
    Wrong::Solver { status }.into()
}
