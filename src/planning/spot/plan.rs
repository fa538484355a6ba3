//! The joint plan of purchases and spot, with its bound, its bill and what deciding jointly is worth.

use super::{INTERRUPTIBLE, Split, SpotOption, original};
use crate::billing::{Bill, Judge};
use crate::error::Result;
use crate::planning::problem::fractional;
use crate::planning::{Options, Planner, Problem, Solution};
use crate::portfolio::Commitment;
use crate::usage::{PricingCategory, UsageCurves, UsageLine};
use ndarray::Array2;
use std::collections::BTreeMap;

/// What a line does on spot, in the first scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct SpotLine {
    /// The option.
    pub option: SpotOption,
    /// All usage of the line, in its unit.
    pub quantity: f64,
    /// What of it runs on spot.
    pub on_spot: f64,
    /// What that costs: `on_spot * option.price`.
    pub cost: f64,
}

impl SpotLine {
    /// The share of the line's usage that runs on spot; 0 without usage.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.quantity > 0.0 { self.on_spot / self.quantity } else { 0.0 }
    }
}

/// Purchases and spot, decided together. Usage, bill and lines are of the first scenario; cost, bound and gap of all.
#[derive(Clone, Debug)]
pub struct SpotPlan {
    solution: Solution,
    commitments: Vec<Commitment>,
    lines: Vec<SpotLine>,
    usage: UsageCurves,
    bill: Bill,
    sequential: f64,
    without_spot: f64,
}

impl SpotPlan {
    /// The numbers of the search, over the problem with split lines.
    #[must_use]
    pub fn solution(&self) -> &Solution {
        &self.solution
    }

    /// What to buy.
    #[must_use]
    pub fn commitments(&self) -> &[Commitment] {
        &self.commitments
    }

    /// What each line with an option does on spot, in the order of the options.
    #[must_use]
    pub fn lines(&self) -> &[SpotLine] {
        &self.lines
    }

    /// The usage of the first scenario, what runs on spot as lines of [`PricingCategory::Spot`].
    #[must_use]
    pub fn usage(&self) -> &UsageCurves {
        &self.usage
    }

    /// The bill of all that does not run on spot.
    #[must_use]
    pub fn bill(&self) -> &Bill {
        &self.bill
    }

    /// What runs on spot costs, interruptions and all.
    #[must_use]
    pub fn spot_cost(&self) -> f64 {
        self.lines.iter().map(|line| line.cost).sum()
    }

    /// What the plan costs in the terms of the objective, spot at its effective price.
    #[must_use]
    pub fn objective(&self) -> f64 {
        self.solution.evaluation.objective
    }

    /// A proven lower bound on [`SpotPlan::objective`] of any purchases under the policy and any use of spot within the caps.
    #[must_use]
    pub fn lower_bound(&self) -> f64 {
        self.solution.lower_bound
    }

    /// `(objective - lower bound) / objective`.
    #[must_use]
    pub fn gap(&self) -> f64 {
        self.solution.gap()
    }

    /// What it costs to buy as if there were no spot, and then to use spot for what the purchases leave.
    #[must_use]
    pub fn sequential(&self) -> f64 {
        self.sequential
    }

    /// What the best purchases without spot cost.
    #[must_use]
    pub fn without_spot(&self) -> f64 {
        self.without_spot
    }
}

impl Planner<'_> {
    /// Decides purchases and spot together. Never worse than buying first and using spot for what is left; with nothing that may be interrupted
    /// it is the plan without spot. Rules on coverage count what runs on spot as not covered, at its effective price.
    ///
    /// # Errors
    /// As [`Planner::build`] and [`crate::planning::Problem::search`]; [`crate::Problem::Dangling`] for an option of a line that is not in the
    /// usage, [`crate::Problem::Repeated`] for a second one of a line, [`crate::Problem::OutOfRange`] for a share or price out of range,
    /// [`crate::Problem::Value`] for a line that is not on demand.
    pub fn solve_with_spot(&self, spot: &[SpotOption], options: &Options<'_>) -> Result<SpotPlan> {
        let splits = self.split(spot)?;
        let base = self.clone().build()?;
        let alone = base.search(options)?;
        // Regret is over the cheapest plan with spot, which is found first.
        let problem = self.over(&splits)?.with_foresight(options)?.into_owned();
        let mut solution = if problem.interruptible.is_empty() { alone.clone() } else { problem.search(options)? };
        // Both problems have the same offers and dates; a split line has no more peak, so that few candidates differ.
        let by_name: BTreeMap<_, _> = base
            .candidates()
            .iter()
            .zip(&alone.steps)
            .map(|(candidate, steps)| ((candidate.offer.as_str(), candidate.start), *steps))
            .collect();
        let bought = |candidate: &crate::planning::Candidate| {
            by_name.get(&(candidate.offer.as_str(), candidate.start)).copied().unwrap_or(0).min(candidate.max_steps)
        };
        let steps: Vec<u32> = problem.candidates().iter().map(bought).collect();
        let sequential = problem.evaluate(&steps)?;
        if sequential.is_allowed() && sequential.objective < solution.evaluation.objective {
            solution = Solution {
                lower_bound: solution.lower_bound.min(sequential.objective),
                steps,
                evaluation: sequential.clone(),
                ..solution
            };
        }
        let probabilities: Vec<f64> = problem.scenarios().map(|(_, probability)| probability).collect();
        let without_spot = problem.objective().of(&alone.evaluation.scenario_costs, &probabilities);
        finished(self, spot, (&splits[0], &problem), solution, (sequential.objective, without_spot))
    }

    /// The plan of a search made before: usage, lines and bill for its numbers, made anew. `compared` are [`SpotPlan::sequential`] and
    /// [`SpotPlan::without_spot`].
    ///
    /// # Errors
    /// As [`Planner::solve_with_spot`]; [`crate::Problem::OutOfRange`] if the solution has another number of steps than the problem.
    pub fn spot_plan(&self, spot: &[SpotOption], solution: Solution, compared: (f64, f64)) -> Result<SpotPlan> {
        let splits = self.split(spot)?;
        let problem = self.over(&splits)?;
        finished(self, spot, (&splits[0], &problem), solution, compared)
    }
}

/// Usage, lines and bill of a solution.
fn finished(
    planner: &Planner<'_>,
    spot: &[SpotOption],
    (first, problem): (&Split, &Problem<'_>),
    solution: Solution,
    (sequential, without_spot): (f64, f64),
) -> Result<SpotPlan> {
    problem.check_steps(&solution.steps)?;
    let usage = planner.parts.scenarios[0].usage;
    let portfolio = problem.portfolio_with(&solution.steps)?;
    let (whole, lines) = if problem.interruptible.is_empty() {
        (usage.clone(), lines_without_spot(spot, usage))
    } else {
        let (on_spot, _) = problem.on_spot(0, &first.usage, &portfolio, &fractional(&solution.steps))?;
        (merged(first, &on_spot.0)?, lines_of(spot, usage, first, &on_spot.0))
    };
    let bill = Judge::new(&whole, planner.parts.catalog, &portfolio, &planner.parts.rules)?.bill();
    Ok(SpotPlan {
        commitments: problem.commitments(&solution.steps),
        solution,
        lines,
        usage: whole,
        bill,
        sequential,
        without_spot,
    })
}

fn total(usage: &UsageCurves, line: &UsageLine) -> f64 {
    let column = usage.lines().iter().position(|other| other == line);
    column.map_or(0.0, |column| usage.weights().dot(&usage.quantity().column(column)))
}

fn lines_without_spot(spot: &[SpotOption], usage: &UsageCurves) -> Vec<SpotLine> {
    let line =
        |option: &SpotOption| SpotLine { option: option.clone(), quantity: total(usage, &option.line), on_spot: 0.0, cost: 0.0 };
    spot.iter().map(line).collect()
}

fn lines_of(spot: &[SpotOption], usage: &UsageCurves, split: &Split, on_spot: &Array2<f64>) -> Vec<SpotLine> {
    let columns: Vec<usize> = split.interruptible.0.keys().copied().collect();
    let mut lines = lines_without_spot(spot, usage);
    for line in &mut lines {
        let is_of = |column: &usize| original(&split.usage.lines()[*column]).is_some_and(|of| of == line.option.line);
        if let Some(position) = columns.iter().position(is_of) {
            line.on_spot = usage.weights().dot(&on_spot.column(position));
            line.cost = line.on_spot * line.option.price;
        }
    }
    lines
}

/// The usage as it runs: what may be interrupted but is not back in its line, the rest in lines of spot usage.
fn merged(split: &Split, on_spot: &Array2<f64>) -> Result<UsageCurves> {
    let hours = split.usage.grid().count;
    let mut columns: BTreeMap<UsageLine, Vec<f64>> = BTreeMap::new();
    let mut add = |line: UsageLine, values: &dyn Fn(usize) -> f64| {
        let column = columns.entry(line).or_insert_with(|| vec![0.0; hours]);
        column.iter_mut().enumerate().for_each(|(hour, sum)| *sum += values(hour));
    };
    for (column, line) in split.usage.lines().iter().enumerate() {
        let quantity = |hour: usize| split.usage.quantity()[(hour, column)];
        let position = split.interruptible.0.keys().position(|other| *other == column);
        let Some((position, original)) = position.zip(original(line)) else {
            add(line.clone(), &quantity);
            continue;
        };
        let moved = |hour: usize| on_spot[(hour, position)];
        let mut spot = original.clone();
        spot.pricing = PricingCategory::Spot;
        spot.tags.remove(INTERRUPTIBLE);
        add(original, &|hour| (quantity(hour) - moved(hour)).max(0.0));
        if (0..hours).any(|hour| moved(hour) > 0.0) {
            add(spot, &moved);
        }
    }
    let values: Vec<Vec<f64>> = columns.values().cloned().collect();
    let quantity = Array2::from_shape_fn((hours, values.len()), |(hour, line)| values[line][hour]);
    UsageCurves::new(split.usage.grid(), columns.into_keys().collect(), quantity)?.with_weights(split.usage.weights().clone())
}
