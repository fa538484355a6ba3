//! What a plan is to be good at: expected cost, a tail of bad scenarios too, or the largest regret. Formulas: `docs/formulation.md`,
//! "Objective".

use crate::error::{Error, Problem, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is minimised.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// The mean of the scenarios' costs by their probabilities.
    #[default]
    ExpectedCost,
    /// `expected cost + weight x CVaR`: CVaR is the mean of the costs in the worst `1 - level` of all cases (Rockafellar and Uryasev,
    /// "Optimization of conditional value-at-risk", 2000).
    ExpectedCostAndTail {
        /// How much the tail counts beside the mean, 0 or more.
        weight: f64,
        /// The level, from 0 to below 1: 0.9 is the mean of the worst tenth.
        level: f64,
    },
    /// The largest difference, over the scenarios, between a plan's cost and the cost with perfect foresight (Savage, "The theory of
    /// statistical decision", 1951).
    MinimumRegret {
        /// The cost with perfect foresight in each scenario; if empty, a proven lower bound of it is computed first.
        foresight: Vec<f64>,
    },
}

impl Objective {
    /// The objective's value for the costs of scenarios with probabilities.
    ///
    /// ```
    /// use covermix::planning::Objective;
    /// let tail = Objective::ExpectedCostAndTail { weight: 1.0, level: 0.75 };
    /// assert_eq!(tail.of(&[100.0, 200.0], &[0.5, 0.5]), 150.0 + 200.0);
    /// ```
    #[must_use]
    pub fn of(&self, costs: &[f64], probabilities: &[f64]) -> f64 {
        let expected = || costs.iter().zip(probabilities).map(|(cost, probability)| cost * probability).sum::<f64>();
        match self {
            Self::ExpectedCost => expected(),
            Self::ExpectedCostAndTail { weight, level } => expected() + weight * tail(costs, probabilities, *level),
            Self::MinimumRegret { foresight } => {
                let of = |(index, cost): (usize, &f64)| cost - foresight.get(index).copied().unwrap_or(0.0);
                costs.iter().enumerate().map(of).fold(f64::NEG_INFINITY, f64::max)
            }
        }
    }

    /// Whether scenarios count for themselves rather than in the mean alone.
    pub(super) fn is_by_scenario(&self) -> bool {
        !matches!(self, Self::ExpectedCost)
    }

    /// # Errors
    /// [`Problem::OutOfRange`] for a negative weight or a level outside of 0 to 1.
    pub(super) fn check(&self) -> Result<()> {
        let Self::ExpectedCostAndTail { weight, level } = self else { return Ok(()) };
        if !weight.is_finite() || *weight < 0.0 {
            let problem = Problem::OutOfRange { value: weight.to_string(), range: "0 or more" };
            return Err(Error::from(problem).in_field("objective.weight"));
        }
        if !(0.0..1.0).contains(level) {
            let problem = Problem::OutOfRange { value: level.to_string(), range: "0 to below 1" };
            return Err(Error::from(problem).in_field("objective.level"));
        }
        Ok(())
    }
}

/// CVaR: the mean of the costs in the worst `1 - level` of all cases; a scenario on the edge counts in part.
#[must_use]
pub fn tail(costs: &[f64], probabilities: &[f64], level: f64) -> f64 {
    let mut order: Vec<usize> = (0..costs.len()).collect();
    order.sort_by(|a, b| costs[*b].total_cmp(&costs[*a]));
    let mass = 1.0 - level;
    let (mut left, mut sum) = (mass, 0.0);
    for index in order {
        let taken = probabilities[index].min(left);
        sum += taken * costs[index];
        left -= taken;
    }
    sum / mass
}
