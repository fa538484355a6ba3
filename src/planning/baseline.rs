//! What people buy without an optimiser: nothing, the minimum of each pool, a percentile of each pool. They are what a plan is compared with.

use super::problem::{Candidate, Problem};
use crate::error::Result;
use rayon::prelude::*;
use rust_decimal::prelude::ToPrimitive;
use std::fmt;

/// A simple rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Buy nothing.
    BuyNothing,
    /// In each pool, the level that usage reaches or exceeds in all hours but this many in a hundred, with the cheapest reservation.
    ReservedPercentile(u8),
    /// The cheapest spend plan over all its lines, at the level that spend at its rates reaches or exceeds in all hours but this many
    /// in a hundred.
    SpendPlanPercentile(u8),
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuyNothing => f.write_str("buy nothing"),
            Self::ReservedPercentile(0) => f.write_str("reserve the minimum of each pool"),
            Self::ReservedPercentile(percent) => write!(f, "reserve percentile {percent} of each pool"),
            Self::SpendPlanPercentile(0) => f.write_str("spend plan at the minimum"),
            Self::SpendPlanPercentile(percent) => write!(f, "spend plan at percentile {percent}"),
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
    /// Its bill.
    pub billed_cost: f64,
    /// Whether the policy allows it.
    pub is_allowed: bool,
}

/// Percentiles tried.
const PERCENTILES: [u8; 19] = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90];

/// Every rule, billed by the judge.
///
/// # Errors
/// As [`Problem::billed_cost`].
pub fn all(problem: &Problem<'_>) -> Result<Vec<Baseline>> {
    let percentiles =
        PERCENTILES.iter().flat_map(|percent| [Rule::ReservedPercentile(*percent), Rule::SpendPlanPercentile(*percent)]);
    let rules: Vec<Rule> = std::iter::once(Rule::BuyNothing).chain(percentiles).collect();
    let levels = Levels::new(problem);
    rules
        .into_par_iter()
        .map(|rule| {
            let steps = levels.steps(rule);
            let (is_allowed, billed_cost) = (problem.is_allowed(&steps), problem.billed_cost(&steps)?);
            Ok(Baseline { rule, steps, billed_cost, is_allowed })
        })
        .collect()
}

/// Points for the search to start from.
#[cfg(feature = "highs")]
pub(super) fn starts(problem: &Problem<'_>) -> Vec<Vec<u32>> {
    let levels = Levels::new(problem);
    [Rule::ReservedPercentile(25), Rule::SpendPlanPercentile(25)].map(|rule| levels.steps(rule)).into()
}

/// The sorted need of every slot that a rule may buy for.
struct Levels<'p, 'a> {
    problem: &'p Problem<'a>,
    /// For each slot: the candidate that the rules buy there, with the slot's hourly need less what is held, sorted.
    chosen: Vec<(usize, Vec<f64>)>,
}

impl<'p, 'a> Levels<'p, 'a> {
    fn new(problem: &'p Problem<'a>) -> Self {
        let recourse = &problem.recourse;
        let mut chosen = Vec::new();
        for (slot, lines) in recourse.slot_lines() {
            let Some(candidate) = cheapest(problem, slot) else { continue };
            let mut need: Vec<f64> = (0..recourse.hours())
                .map(|hour| {
                    let demand = recourse.demand(hour);
                    let need: f64 = lines.iter().map(|(line, weight)| demand[*line] * weight).sum();
                    (need - recourse.held_at(hour)[slot]).max(0.0)
                })
                .collect();
            need.sort_by(f64::total_cmp);
            chosen.push((candidate, need));
        }
        Self { problem, chosen }
    }

    fn steps(&self, rule: Rule) -> Vec<u32> {
        let mut steps = vec![0; self.problem.candidates.len()];
        match rule {
            Rule::BuyNothing => {}
            Rule::ReservedPercentile(percent) => {
                // Slots over the same lines (a pool and its sizes) are bought once: the widest pool first.
                let mut chosen: Vec<&(usize, Vec<f64>)> = self.chosen.iter().filter(|(index, _)| !self.is_plan(*index)).collect();
                chosen.sort_by_key(|(index, _)| *index);
                for (index, need) in chosen {
                    steps[*index] = self.level(*index, need, percent);
                }
            }
            Rule::SpendPlanPercentile(percent) => {
                let rate = |index: usize| {
                    let candidate = &self.problem.candidates[index];
                    (self.width(candidate), candidate)
                };
                let widest = self.chosen.iter().filter(|(index, _)| self.is_plan(*index)).max_by(|a, b| {
                    let ((wide_a, a), (wide_b, b)) = (rate(a.0), rate(b.0));
                    wide_a.cmp(&wide_b).then_with(|| b.offer.cmp(&a.offer))
                });
                if let Some((index, need)) = widest {
                    steps[*index] = self.level(*index, need, percent);
                }
            }
        }
        steps
    }

    fn level(&self, index: usize, need: &[f64], percent: u8) -> u32 {
        let candidate = &self.problem.candidates[index];
        let position = (usize::from(percent) * (need.len() - 1)).div_euclid(100);
        (need[position] / candidate.capacity).floor().to_u32().unwrap_or(0).min(candidate.max_steps)
    }

    fn is_plan(&self, index: usize) -> bool {
        self.problem.catalog.offer(&self.problem.candidates[index].offer).is_some_and(crate::catalog::Offer::is_spend_plan)
    }

    fn width(&self, candidate: &Candidate) -> usize {
        self.problem.recourse.slot_lines().iter().find(|(slot, _)| *slot == candidate.slot).map_or(0, |(_, lines)| lines.len())
    }
}

/// The candidate of a slot with the lowest cost per unit; one that a rule of the policy limits only if there is no other.
fn cheapest(problem: &Problem<'_>, slot: usize) -> Option<usize> {
    let policy = problem.policy();
    let is_limited = |candidate: &Candidate| {
        (policy.max_share_three_year.is_some_and(|share| share < 1.0) && candidate.months >= 36)
            || (policy.upfront_budget.is_some() && candidate.upfront > 0.0)
    };
    let of_slot = problem.candidates.iter().enumerate().filter(|(_, candidate)| candidate.slot == slot);
    let per_unit = |candidate: &Candidate| candidate.hourly_cost / candidate.capacity;
    of_slot
        .min_by(|(_, a), (_, b)| is_limited(a).cmp(&is_limited(b)).then(per_unit(a).total_cmp(&per_unit(b))))
        .map(|(index, _)| index)
}
