//! A solution as a document, from which the plan is made again: what a pickle holds.

use super::status;
use covermix::planning::baseline::{Baseline, Rule};
use covermix::planning::{Evaluation, Solution, Status};
use covermix::{Error, Problem as Wrong};
use serde::{Deserialize, Deserializer, Serialize};
use std::time::Duration;

/// A number that is read to its last digit: as JSON number or, since the JSON reader may be one unit of the last digit off, as text.
#[derive(Clone, Copy, Serialize)]
#[serde(transparent)]
pub(crate) struct Exact(pub(crate) f64);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Number(f64),
            Text(String),
        }
        match Given::deserialize(deserializer)? {
            Given::Number(number) => Ok(Self(number)),
            Given::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

/// A solution as a document.
#[derive(Serialize, Deserialize)]
pub(crate) struct Numbers {
    steps: Vec<u32>,
    objective: Exact,
    scenario_costs: Vec<Exact>,
    coverage: Vec<Exact>,
    least_utilisation: Option<(String, Exact)>,
    broken: Vec<(String, Exact)>,
    lower_bound: Exact,
    relaxed_cost: Exact,
    relaxed_cost_of_steps: Exact,
    sweeps: usize,
    seconds_sweep: Exact,
    seconds: Exact,
    status: String,
    gap: Exact,
    /// Rule and its number, steps, cost, whether it is allowed.
    baselines: Vec<(String, u8, Vec<u32>, Exact, bool)>,
}

impl Numbers {
    pub(crate) fn new(solution: &Solution, baselines: &[Baseline]) -> Self {
        let Evaluation { objective, scenario_costs, coverage, least_utilisation, broken } = solution.evaluation.clone();
        let baseline = |one: &Baseline| {
            let (kind, number) = match one.rule {
                Rule::ReservedPercentile(percent) => ("reserved_percentile", percent),
                Rule::SpendPlanPercentile(percent) => ("spend_plan_percentile", percent),
                Rule::RecommendedReservations { days } => ("recommended_reservations", days),
                Rule::RecommendedSpendPlan { days } => ("recommended_spend_plan", days),
                Rule::OwnPlan => ("own_plan", 0),
                // Buy nothing, and rules that this binding does not know yet: those would not survive a pickle.
                _ => ("buy_nothing", 0),
            };
            (kind.to_owned(), number, one.steps.clone(), Exact(one.billed_cost), one.is_allowed)
        };
        Self {
            steps: solution.steps.clone(),
            objective: Exact(objective),
            scenario_costs: scenario_costs.into_iter().map(Exact).collect(),
            coverage: coverage.into_iter().map(Exact).collect(),
            least_utilisation: least_utilisation.map(|(name, share)| (name, Exact(share))),
            broken: broken.into_iter().map(|(rule, by)| (rule, Exact(by))).collect(),
            lower_bound: Exact(solution.lower_bound),
            relaxed_cost: Exact(solution.relaxed_cost),
            relaxed_cost_of_steps: Exact(solution.relaxed_cost_of_steps),
            sweeps: solution.sweeps,
            seconds_sweep: Exact(solution.seconds_sweep),
            seconds: Exact(solution.time.as_secs_f64()),
            status: status(solution.status).to_owned(),
            gap: Exact(solution.gap()),
            baselines: baselines.iter().map(baseline).collect(),
        }
    }

    pub(crate) fn into_solution(self) -> covermix::Result<(Solution, Vec<Baseline>)> {
        let wrong = |value: &str, expected| Error::from(Wrong::Value { value: value.to_owned(), expected });
        let status = match self.status.as_str() {
            "optimal" => Status::Optimal,
            "gap_remains" => Status::GapRemains,
            "stopped_at_limit" => Status::StoppedAtLimit,
            other => return Err(wrong(other, "a status of a plan")),
        };
        let baseline = |(kind, number, steps, billed_cost, is_allowed): (String, u8, Vec<u32>, Exact, bool)| {
            let rule = match kind.as_str() {
                "buy_nothing" => Rule::BuyNothing,
                "reserved_percentile" => Rule::ReservedPercentile(number),
                "spend_plan_percentile" => Rule::SpendPlanPercentile(number),
                "recommended_reservations" => Rule::RecommendedReservations { days: number },
                "recommended_spend_plan" => Rule::RecommendedSpendPlan { days: number },
                "own_plan" => Rule::OwnPlan,
                other => return Err(wrong(other, "a rule of purchase")),
            };
            Ok(Baseline { rule, steps, billed_cost: billed_cost.0, is_allowed })
        };
        let time = Duration::try_from_secs_f64(self.seconds.0).map_err(|_| wrong(&self.seconds.0.to_string(), "seconds"))?;
        let evaluation = Evaluation {
            objective: self.objective.0,
            scenario_costs: self.scenario_costs.into_iter().map(|cost| cost.0).collect(),
            coverage: self.coverage.into_iter().map(|share| share.0).collect(),
            least_utilisation: self.least_utilisation.map(|(name, share)| (name, share.0)),
            broken: self.broken.into_iter().map(|(rule, by)| (rule, by.0)).collect(),
        };
        let solution = Solution {
            steps: self.steps,
            evaluation,
            lower_bound: self.lower_bound.0,
            relaxed_cost: self.relaxed_cost.0,
            relaxed_cost_of_steps: self.relaxed_cost_of_steps.0,
            sweeps: self.sweeps,
            seconds_sweep: self.seconds_sweep.0,
            time,
            status,
        };
        Ok((solution, self.baselines.into_iter().map(baseline).collect::<covermix::Result<_>>()?))
    }
}
