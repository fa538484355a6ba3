//! Simple rules that plans are compared with, each billed by the same judge as the plan.
//!
//! Buy nothing; cover a percentile of each pool or of spend, as most tools do; what the provider's own recommendation would be (AWS: "the
//! commitment with the largest savings over the usage of the last 7, 30 or 60 days", each product alone); the buyer's own plan.
//!
//! Formulas: `docs/formulation.md`, "Baselines".

use super::problem::{Candidate, Evaluation, Problem};
use crate::error::{Error, Problem as Wrong, Result};
use crate::units::Units;
use rayon::prelude::*;
use rust_decimal::prelude::ToPrimitive;
use std::collections::BTreeMap;
use std::fmt;

/// A simple rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Buy nothing, but for what the policy fixes.
    BuyNothing,
    /// In each pool, the level that usage reaches or exceeds in all hours but this many in a hundred, with the cheapest reservation.
    ReservedPercentile(u8),
    /// The cheapest spend plan over all its lines, at the level that spend at its rates reaches or exceeds in all hours but this many
    /// in a hundred.
    SpendPlanPercentile(u8),
    /// As a provider recommends reservations: for each pool alone, the number with the lowest cost over the last days of the usage.
    RecommendedReservations {
        /// The days looked back: AWS offers 7, 30 and 60.
        days: u8,
    },
    /// As a provider recommends its widest spend plan: the amount with the lowest cost over the last days of the usage, nothing else bought.
    RecommendedSpendPlan {
        /// The days looked back: AWS offers 7, 30 and 60.
        days: u8,
    },
    /// The buyer's own plan, given to [`super::Planner::own_plan`].
    OwnPlan,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuyNothing => f.write_str("buy nothing"),
            Self::ReservedPercentile(0) => f.write_str("reserve the minimum of each pool"),
            Self::ReservedPercentile(percent) => write!(f, "reserve percentile {percent} of each pool"),
            Self::SpendPlanPercentile(0) => f.write_str("spend plan at the minimum"),
            Self::SpendPlanPercentile(percent) => write!(f, "spend plan at percentile {percent}"),
            Self::RecommendedReservations { days } => write!(f, "reservations by the provider's rule on {days} days"),
            Self::RecommendedSpendPlan { days } => write!(f, "spend plan by the provider's rule on {days} days"),
            Self::OwnPlan => f.write_str("your own plan"),
        }
    }
}

/// A rule with what it buys and what that costs by the judge.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// The rule.
    pub rule: Rule,
    /// Steps of each candidate.
    pub steps: Vec<u32>,
    /// Its bill: the problem's objective.
    pub billed_cost: f64,
    /// Whether the policy allows it.
    pub is_allowed: bool,
}

/// Percentiles tried.
const PERCENTILES: [u8; 19] = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90];

/// Windows that providers recommend on.
const WINDOWS: [u8; 3] = [7, 30, 60];

/// Every rule, billed by the judge.
///
/// # Errors
/// As [`Problem::evaluate`].
pub fn all(problem: &Problem<'_>) -> Result<Vec<Baseline>> {
    let percentiles =
        PERCENTILES.iter().flat_map(|percent| [Rule::ReservedPercentile(*percent), Rule::SpendPlanPercentile(*percent)]);
    let recommended = WINDOWS
        .iter()
        .flat_map(|days| [Rule::RecommendedReservations { days: *days }, Rule::RecommendedSpendPlan { days: *days }])
        .filter(|_| !problem.candidates().is_empty());
    let own = problem.own_plan.as_ref().map(|_| Rule::OwnPlan);
    let rules: Vec<Rule> = std::iter::once(Rule::BuyNothing).chain(percentiles).chain(recommended).chain(own).collect();
    let levels = Levels::new(problem);
    rules
        .into_par_iter()
        .map(|rule| {
            let steps = match (&problem.own_plan, rule) {
                (Some(own), Rule::OwnPlan) => problem.steps_of(own)?,
                _ => levels.steps(rule),
            };
            let evaluation: Evaluation = problem.evaluate(&steps)?;
            Ok(Baseline { rule, steps, billed_cost: evaluation.objective, is_allowed: evaluation.is_allowed() })
        })
        .collect()
}

impl Problem<'_> {
    /// The steps of a plan given as quantities by offer (bought on the first purchase date), to evaluate what one would buy oneself.
    ///
    /// # Errors
    /// [`Wrong::Dangling`] for an offer that is not a candidate, [`Wrong::OutOfRange`] for a quantity that is not a whole number of steps.
    pub fn steps_of(&self, quantities: &BTreeMap<String, Units>) -> Result<Vec<u32>> {
        let mut steps = vec![0; self.columns.len()];
        for (offer, quantity) in quantities {
            let of_offer = self.candidates.iter().enumerate().filter(|(_, candidate)| candidate.offer == *offer);
            let Some((index, candidate)) = of_offer.min_by_key(|(_, candidate)| candidate.start) else {
                let problem = Wrong::Dangling { kind: "candidate for the offer", id: offer.clone() };
                return Err(Error::from(problem).in_field("own_plan"));
            };
            let wanted = quantity.value() / candidate.step;
            steps[index] = wanted.to_u32().filter(|_| wanted.fract().is_zero()).ok_or_else(|| {
                let range = "a multiple of the step in which the offer is bought";
                Error::from(Wrong::OutOfRange { value: quantity.to_string(), range }).in_item(offer.clone())
            })?;
        }
        Ok(steps)
    }
}

/// Points for the search to start from: rules on every n-th hour of large problems, since a start need not be exact. Where a least coverage is
/// asked for, also some that cover more.
#[cfg(feature = "highs")]
pub(super) fn starts(problem: &Problem<'_>) -> Vec<Vec<u32>> {
    let size: usize = problem.recourse.size().iter().product();
    let levels = Levels { problem, every: size.div_euclid(2_000_000).max(1) };
    let percentiles: &[u8] = if problem.policy().min_coverage.is_some() { &[25, 60, 90, 100] } else { &[25] };
    let rules = percentiles.iter().flat_map(|percent| [Rule::ReservedPercentile(*percent), Rule::SpendPlanPercentile(*percent)]);
    let mut starts: Vec<Vec<u32>> = rules.map(|rule| levels.steps(rule)).collect();
    if let [.., reserved, plan] = starts.as_slice()
        && percentiles.len() > 1
    {
        starts.push(reserved.iter().zip(plan).map(|(reserved, plan)| *reserved.max(plan)).collect());
    }
    starts
}

/// What rules buy.
struct Levels<'p, 'a> {
    problem: &'p Problem<'a>,
    /// Only every so many hours are looked at.
    every: usize,
}

impl<'p, 'a> Levels<'p, 'a> {
    fn new(problem: &'p Problem<'a>) -> Self {
        Self { problem, every: 1 }
    }

    /// For each slot the candidate that the rules buy there.
    fn chosen(&self) -> Vec<usize> {
        let cheapest = cheapest(self.problem);
        (0..self.problem.recourse.slots()).filter_map(|slot| cheapest.get(&slot).copied()).collect()
    }

    /// A slot's need, less what is held, that is reached or exceeded in all but so many of a hundred hours of all scenarios.
    fn need(&self, slot: usize, percent: u8) -> f64 {
        let recourse = &self.problem.recourse;
        let lines = &recourse.slot_lines()[slot];
        let mut need = Vec::with_capacity(recourse.size()[0] * recourse.hours().div_euclid(self.every) + 1);
        for scenario in 0..recourse.size()[0] {
            for hour in (0..recourse.hours()).step_by(self.every) {
                let demand = recourse.demand(scenario, hour);
                let sum: f64 = lines.iter().map(|(line, weight)| demand[*line] * weight).sum();
                need.push((sum - recourse.epochs()[recourse.epoch_at(hour)].held[slot]).max(0.0));
            }
        }
        let position = (usize::from(percent) * (need.len() - 1)).div_euclid(100);
        *need.select_nth_unstable_by(position, f64::total_cmp).1
    }

    fn steps(&self, rule: Rule) -> Vec<u32> {
        let mut steps = self.problem.nothing();
        match rule {
            Rule::BuyNothing | Rule::OwnPlan => {}
            Rule::ReservedPercentile(percent) => {
                for index in self.reserved() {
                    steps[index] = steps[index].max(self.level(index, percent));
                }
            }
            Rule::SpendPlanPercentile(percent) => {
                if let Some(index) = self.widest() {
                    steps[index] = steps[index].max(self.level(index, percent));
                }
            }
            Rule::RecommendedReservations { days } => {
                for index in self.reserved() {
                    steps[index] = steps[index].max(self.recommended(index, days));
                }
            }
            Rule::RecommendedSpendPlan { days } => {
                if let Some(index) = self.widest() {
                    steps[index] = steps[index].max(self.recommended(index, days));
                }
            }
        }
        steps
    }

    /// Each pool's reservation.
    fn reserved(&self) -> Vec<usize> {
        let mut chosen: Vec<usize> = self.chosen().into_iter().filter(|index| !self.is_plan(*index)).collect();
        chosen.sort_unstable();
        chosen
    }

    /// The spend plan over the most lines.
    fn widest(&self) -> Option<usize> {
        let candidates = &self.problem.candidates;
        let width = |index: usize| self.problem.recourse.slot_lines()[candidates[index].slot].len();
        let plans = self.chosen().into_iter().filter(|index| self.is_plan(*index));
        plans.max_by(|a, b| width(*a).cmp(&width(*b)).then_with(|| candidates[*b].offer.cmp(&candidates[*a].offer)))
    }

    fn level(&self, index: usize, percent: u8) -> u32 {
        let candidate = &self.problem.candidates[index];
        (self.need(candidate.slot, percent) / candidate.capacity).floor().to_u32().unwrap_or(0).min(candidate.max_steps)
    }

    /// The steps of a candidate with the lowest cost over the last days of the first scenario, nothing else bought: the fewest after which one
    /// more costs more than it saves.
    fn recommended(&self, index: usize, days: u8) -> u32 {
        let (problem, candidate) = (self.problem, &self.problem.candidates[index]);
        let hours = problem.recourse.hours();
        let window = hours.saturating_sub(24 * usize::from(days))..hours;
        let weight: f64 = window.clone().map(|hour| problem.recourse.hour_weight(hour)).sum();
        let cost = candidate.hourly_cost * weight;
        let saves = |steps: u32| {
            let capacity = f64::from(steps) * candidate.capacity;
            problem.recourse.worth_of_more(candidate.slot, capacity, window.clone()) * candidate.capacity
        };
        let (mut low, mut high) = (0, candidate.max_steps);
        while low < high {
            let middle = low + (high - low).div_euclid(2);
            if saves(middle) <= cost { high = middle } else { low = middle + 1 }
        }
        low
    }

    fn is_plan(&self, index: usize) -> bool {
        self.problem.catalog.offer(&self.problem.candidates[index].offer).is_some_and(crate::catalog::Offer::is_spend_plan)
    }
}

/// For each slot the candidate with the lowest cost per unit, bought on the first date; one that a rule of the policy limits only if there is no
/// other.
fn cheapest(problem: &Problem<'_>) -> BTreeMap<usize, usize> {
    let policy = problem.policy();
    let is_limited = |candidate: &Candidate| {
        (policy.max_share_three_year.is_some_and(|share| share < 1.0) && candidate.months >= 36)
            || (policy.upfront_budget.is_some() && candidate.upfront > 0.0)
    };
    let per_unit = |candidate: &Candidate| candidate.hourly_cost / candidate.capacity;
    let mut cheapest: BTreeMap<usize, usize> = BTreeMap::new();
    for (index, candidate) in problem.candidates.iter().enumerate().filter(|(_, candidate)| candidate.fixed.is_none()) {
        let best = cheapest.entry(candidate.slot).or_insert(index);
        let other = &problem.candidates[*best];
        let order = is_limited(candidate).cmp(&is_limited(other));
        if order.then(candidate.start.cmp(&other.start)).then(per_unit(candidate).total_cmp(&per_unit(other))).is_lt() {
            *best = index;
        }
    }
    cheapest
}
