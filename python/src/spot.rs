//! Spot beside commitments: what work costs there, and purchases and spot decided together.

use crate::bill::Bill;
use crate::error::Result;
use crate::planning::numbers::{Exact, Numbers};
use crate::planning::{Effort, Problem, status};
use crate::run::{Callback, detached, with_progress};
use crate::usage::{Line, UsageCurves};
use covermix::planning::{SpotLine, SpotOption, SpotPlan as Answer};
use covermix::scenario::spot::{InterruptionRate, Outage, Recovery, SpotTerms};
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// A spot option, as Python says it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    line: Line,
    max_share: Exact,
    price: Exact,
}

impl From<Given> for SpotOption {
    fn from(of: Given) -> Self {
        Self { line: of.line.into(), max_share: of.max_share.0, price: of.price.0 }
    }
}

impl From<&SpotOption> for Given {
    fn from(of: &SpotOption) -> Self {
        Self { line: of.line.clone().into(), max_share: Exact(of.max_share), price: Exact(of.price) }
    }
}

/// Purchases and spot, decided together.
#[pyclass(frozen, module = "covermix._native")]
pub(crate) struct SpotPlan {
    answer: Answer,
}

/// Decides purchases and spot together. Returns the plan, and whether Ctrl-C ended a search.
#[pyfunction]
#[pyo3(signature = (problem, options, effort, threads=None, progress=None))]
pub(crate) fn solve_with_spot(
    py: Python<'_>,
    problem: &Problem,
    options: &str,
    effort: &str,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> Result<(SpotPlan, bool)> {
    let effort: Effort = serde_json::from_str(effort)?;
    let given: Vec<Given> = serde_json::from_str(options)?;
    let options: Vec<SpotOption> = given.into_iter().map(SpotOption::from).collect();
    let inputs = Arc::clone(&problem.0);
    let work = move |callback: &Callback<'_>| inputs.planner()?.solve_with_spot(&options, &effort.options(Some(callback))?);
    let answer = with_progress(py, threads, progress, work)?;
    Ok((SpotPlan { answer: answer.value }, answer.is_interrupted))
}

/// A plan from its JSON: usage, lines and bill are made anew.
#[pyfunction]
pub(crate) fn restore_spot_plan(py: Python<'_>, problem: &Problem, text: &str) -> Result<SpotPlan> {
    #[derive(Deserialize)]
    struct Whole {
        options: Vec<Given>,
        numbers: Numbers,
        sequential: Exact,
        without_spot: Exact,
    }
    let Whole { options, numbers, sequential, without_spot } = serde_json::from_str(text)?;
    let options: Vec<SpotOption> = options.into_iter().map(SpotOption::from).collect();
    let (solution, _) = numbers.into_solution()?;
    let inputs = Arc::clone(&problem.0);
    let answer = detached(py, None, || inputs.planner()?.spot_plan(&options, solution, (sequential.0, without_spot.0)))?;
    Ok(SpotPlan { answer })
}

#[pymethods]
impl SpotPlan {
    /// All of it as JSON: figures, and from what [`restore_spot_plan`] makes the plan again.
    fn to_json(&self) -> String {
        let answer = &self.answer;
        let line = |of: &SpotLine| {
            json!({
                "line": of.option.line.to_string(),
                "max_share": of.option.max_share,
                "price": of.option.price,
                "quantity": of.quantity,
                "on_spot": of.on_spot,
                "share": of.share(),
                "cost": of.cost,
            })
        };
        json!({
            "options": answer.lines().iter().map(|of| Given::from(&of.option)).collect::<Vec<_>>(),
            "numbers": Numbers::new(answer.solution(), &[]),
            "status": status(answer.solution().status),
            "objective": answer.objective(),
            "lower_bound": answer.lower_bound(),
            "gap": answer.gap(),
            "spot_cost": answer.spot_cost(),
            "sequential": answer.sequential(),
            "without_spot": answer.without_spot(),
            "lines": answer.lines().iter().map(line).collect::<Vec<Value>>(),
            "commitments": answer.commitments(),
        })
        .to_string()
    }

    /// The usage of the first scenario, what runs on spot in lines of its own.
    fn usage(&self) -> UsageCurves {
        UsageCurves(self.answer.usage().clone())
    }

    /// The bill of all that does not run on spot.
    fn bill(&self) -> Bill {
        Bill(self.answer.bill().clone())
    }
}

/// What an hour of work takes and costs on spot, as Python says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Work {
    spot_price: f64,
    on_demand_price: f64,
    interruptions_per_hour: f64,
    interval_hours: Option<f64>,
    checkpoint_hours: f64,
    restart_hours: f64,
    outage_hours: f64,
    waits: bool,
}

/// The effective price of an hour of work on spot: JSON.
#[pyfunction]
pub(crate) fn effective_spot_price(work: &str) -> Result<String> {
    let of: Work = serde_json::from_str(work)?;
    let Work { checkpoint_hours, restart_hours, .. } = of;
    let rate = InterruptionRate::new(of.interruptions_per_hour)?;
    let recovery = match of.interval_hours {
        Some(interval_hours) => Recovery::Checkpoint { interval_hours, checkpoint_hours, restart_hours },
        None if checkpoint_hours > 0.0 => Recovery::best_checkpoint(rate, checkpoint_hours, restart_hours)?,
        None => Recovery::Stateless { restart_hours },
    };
    let hours = of.outage_hours;
    let outage = if of.waits { Outage::Wait { hours } } else { Outage::OnDemand { hours } };
    let terms = SpotTerms { spot_price: of.spot_price, on_demand_price: of.on_demand_price, rate, recovery, outage };
    let of = terms.effective_price()?;
    let interval = match recovery {
        Recovery::Checkpoint { interval_hours, .. } => Some(interval_hours),
        Recovery::Stateless { .. } => None,
    };
    let row = json!({
        "price": of.price,
        "on_spot": of.on_spot,
        "is_worthwhile": of.is_worthwhile(),
        "spot_hours": of.spot_hours,
        "on_demand_hours": of.on_demand_hours,
        "elapsed_hours": of.elapsed_hours,
        "interval_hours": interval,
    });
    Ok(row.to_string())
}
