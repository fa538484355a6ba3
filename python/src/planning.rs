//! The planner's problem and its plan.
//!
//! A Python problem holds its inputs, not the built problem, which borrows them: it is built anew for each question, in about the time of one
//! pass over the usage. So it can be pickled and shared between threads.

pub(crate) mod numbers;

use crate::bill::Bill;
use crate::data::{Catalog, Portfolio};
use crate::error::Result;
use crate::run::{Callback, abandonable, detached, with_progress};
use crate::usage::UsageCurves;
use chrono::{DateTime, Utc};
use covermix::billing::Rules;
use covermix::catalog::Catalog as Prices;
use covermix::planning::agreement::{Branch, OfferedAgreement, OtherSpend};
use covermix::planning::{
    Change, Clashing, Evaluation, Limit, Objective, Options, Plan as Answer, Planner, Policy, Remainder, Rights, Status,
};
use covermix::portfolio::Portfolio as Commitments;
use covermix::portfolio::action::Action;
use covermix::portfolio::{Assumptions, Ledger};
use covermix::report::recommendation_table;
use covermix::units::Units;
use covermix::usage::UsageCurves as Curves;
use covermix::{Error, Problem as Wrong};
use numbers::Numbers;
use pyo3::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What may be done with what is held, as Python says it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    at: Vec<DateTime<Utc>>,
    actions: BTreeSet<Action>,
    assumptions: Assumptions,
    ledger: Ledger,
}

impl Given {
    fn rights(self) -> covermix::Result<Rights> {
        self.assumptions.check().map_err(|error| error.in_field("rights.assumptions"))?;
        let Self { at, actions, assumptions, ledger } = self;
        Ok(Rights { at, actions, assumptions, ledger })
    }
}

/// What may be done with what is held, checked, in full.
#[pyfunction]
pub(crate) fn check_rights(json: &str) -> Result<String> {
    let given: Given = serde_json::from_str(json)?;
    given.clone().rights()?;
    Ok(serde_json::to_string(&given)?)
}

/// The settings of a planner, as Python says them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    policy: Policy,
    rules: Rules,
    objective: Objective,
    discount_rate: f64,
    purchase_dates: Vec<DateTime<Utc>>,
    remainder: Remainder,
    own_plan: Option<BTreeMap<String, Units>>,
    rights: Option<Given>,
    changes: Vec<Change>,
    limits: Vec<Limit>,
    renewing: bool,
    agreement: Option<OfferedAgreement>,
    other_spend: Vec<OtherSpend>,
}

/// All that decides the answer.
pub(crate) struct Inputs {
    pub(crate) catalog: Arc<Prices>,
    scenarios: Vec<(String, f64, Curves)>,
    portfolio: Commitments,
    settings: Settings,
}

type Built<'a> = covermix::planning::Problem<'a>;

/// Limit, cost and lower bound of a point on a curve.
type Point = (f64, Option<f64>, Option<f64>);

impl Inputs {
    pub(crate) fn planner(&self) -> covermix::Result<Planner<'_>> {
        let mut planner = Planner::new(&self.catalog);
        for (name, probability, usage) in &self.scenarios {
            planner = planner.scenario(name.clone(), *probability, usage);
        }
        let of = &self.settings;
        if let Some(own) = &of.own_plan {
            planner = planner.own_plan(own.clone());
        }
        if let Some(given) = &of.rights {
            planner = planner.rights(given.clone().rights()?);
        }
        if of.renewing {
            planner = planner.renewing();
        }
        Ok(planner
            .owning(&self.portfolio)
            .changes(of.changes.iter().cloned(), of.limits.iter().cloned())
            .policy(of.policy.clone())
            .rules(of.rules.clone())
            .objective(of.objective.clone())
            .discount_rate(of.discount_rate)
            .purchase_dates(of.purchase_dates.iter().copied())
            .remainder(of.remainder))
    }

    pub(crate) fn build(&self) -> covermix::Result<Built<'_>> {
        let problem = self.planner()?.build()?;
        match &self.settings.agreement {
            Some(signed) => problem.under(signed, &self.settings.other_spend),
            None => Ok(problem),
        }
    }
}

/// A planning problem.
#[pyclass(frozen, module = "covermix._native")]
pub(crate) struct Problem(pub(crate) Arc<Inputs>);

/// How hard to try, as Python says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Effort {
    relative_gap: f64,
    time_limit: f64,
}

impl Effort {
    pub(crate) fn options<'c>(&self, progress: Option<&'c Callback<'c>>) -> covermix::Result<Options<'c>> {
        let wrong =
            |field: &str, value: f64, range| Error::from(Wrong::OutOfRange { value: value.to_string(), range }).in_field(field);
        if !(self.relative_gap >= 0.0 && self.relative_gap.is_finite()) {
            return Err(wrong("relative_gap", self.relative_gap, "0 or more"));
        }
        let time_limit = Duration::try_from_secs_f64(self.time_limit)
            .map_err(|_| wrong("time_limit", self.time_limit, "seconds, 0 or more"))?;
        Ok(Options { relative_gap: self.relative_gap, time_limit, progress: progress.map(|callback| callback as _) })
    }
}

#[pymethods]
impl Problem {
    /// Gathers the inputs and checks them together.
    #[new]
    fn new(
        py: Python<'_>,
        catalog: &Catalog,
        scenarios: Vec<(String, f64, PyRef<'_, UsageCurves>)>,
        portfolio: &Portfolio,
        settings: &str,
    ) -> Result<Self> {
        let inputs = Inputs {
            catalog: Arc::clone(&catalog.0),
            scenarios: scenarios.iter().map(|(name, probability, usage)| (name.clone(), *probability, usage.0.clone())).collect(),
            portfolio: portfolio.0.clone(),
            settings: serde_json::from_str(settings)?,
        };
        detached(py, None, || inputs.build().map(|_| ()))?;
        Ok(Self(Arc::new(inputs)))
    }

    /// What may be bought, a JSON list.
    fn candidates(&self, py: Python<'_>) -> Result<String> {
        let candidates = detached(py, None, || {
            let problem = self.0.build()?;
            let row = |one: &covermix::planning::Candidate| {
                json!({
                    "offer": one.offer,
                    "start": one.start,
                    "term_end": one.term_end,
                    "step": one.step,
                    "min_steps": one.min_steps,
                    "max_steps": one.max_steps,
                    "hourly_cost": one.hourly_cost,
                    "upfront": one.upfront,
                    "months": one.months,
                    "is_divisible": one.is_divisible,
                })
            };
            Ok(Value::from_iter(problem.candidates().iter().map(row)))
        })?;
        Ok(candidates.to_string())
    }

    /// Offers that are not candidates, and why.
    fn set_aside(&self, py: Python<'_>) -> Result<Vec<(String, String)>> {
        detached(py, None, || Ok(self.0.build()?.set_aside().to_vec()))
    }

    /// What quantities by offer would cost by the judge, and which rules they break: JSON.
    fn evaluate(&self, py: Python<'_>, quantities: BTreeMap<String, Decimal>) -> Result<String> {
        let quantities = quantities.into_iter().map(|(offer, quantity)| (offer, Units::new(quantity))).collect();
        let evaluation = detached(py, None, || {
            let problem = self.0.build()?;
            problem.evaluate(&problem.steps_of(&quantities)?)
        })?;
        Ok(of_evaluation(&evaluation).to_string())
    }

    /// Solves the problem. Returns the plan, and whether Ctrl-C ended the search.
    #[pyo3(signature = (effort, threads=None, progress=None))]
    fn solve(
        &self,
        py: Python<'_>,
        effort: &str,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> Result<(Plan, bool)> {
        let effort: Effort = serde_json::from_str(effort)?;
        let inputs = Arc::clone(&self.0);
        let work = move |callback: &Callback<'_>| inputs.build()?.solve(&effort.options(Some(callback))?);
        let answer = with_progress(py, threads, progress, work)?;
        Ok((Plan { inputs: Arc::clone(&self.0), answer: answer.value }, answer.is_interrupted))
    }

    /// Solves for the numbers alone, a JSON document, and whether Ctrl-C ended the search.
    #[pyo3(signature = (effort, threads=None, progress=None))]
    fn search(
        &self,
        py: Python<'_>,
        effort: &str,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> Result<(String, bool)> {
        let effort: Effort = serde_json::from_str(effort)?;
        let inputs = Arc::clone(&self.0);
        let work = move |callback: &Callback<'_>| inputs.build()?.search(&effort.options(Some(callback))?);
        let answer = with_progress(py, threads, progress, work)?;
        Ok((serde_json::to_string(&Numbers::new(&answer.value, &[]))?, answer.is_interrupted))
    }

    /// The relaxed optimum at levels of coverage: (level, cost, lower bound).
    fn cost_by_coverage(&self, py: Python<'_>, levels: Vec<f64>, effort: &str, threads: Option<usize>) -> Result<Vec<Point>> {
        let effort: Effort = serde_json::from_str(effort)?;
        let inputs = Arc::clone(&self.0);
        let work = move |callback: &Callback<'_>| inputs.build()?.cost_by_coverage(&levels, &effort.options(Some(callback))?);
        let curve = with_progress(py, threads, None, work)?.value;
        Ok(curve.iter().map(|point| (point.at, point.cost, point.lower_bound)).collect())
    }

    /// The relaxed optimum under each limit of the policy, multiplied by factors: field and (limit, cost, lower bound).
    fn cost_by_limit(
        &self,
        py: Python<'_>,
        factors: Vec<f64>,
        effort: &str,
        threads: Option<usize>,
    ) -> Result<Vec<(&'static str, Vec<Point>)>> {
        let effort: Effort = serde_json::from_str(effort)?;
        let inputs = Arc::clone(&self.0);
        let work = move |callback: &Callback<'_>| inputs.build()?.cost_by_limit(&factors, &effort.options(Some(callback))?);
        let curves = with_progress(py, threads, None, work)?.value;
        let points = |curve: Vec<covermix::planning::Sensitivity>| {
            curve.iter().map(|point| (point.at, point.cost, point.lower_bound)).collect()
        };
        Ok(curves.into_iter().map(|(field, curve)| (field, points(curve))).collect())
    }

    /// The smallest set of rules that clash, JSON; `None` if the policy can be kept.
    fn clash(&self, py: Python<'_>) -> Result<Option<String>> {
        let Some(clash) = detached(py, None, || self.0.build()?.clash())? else { return Ok(None) };
        let rule = |of: &Clashing| json!({"rule": of.rule, "by": of.by, "unit": of.unit});
        let rules: Vec<Value> = clash.rules.iter().map(rule).collect();
        Ok(Some(json!({"sentence": clash.to_string(), "rules": rules}).to_string()))
    }

    /// The whole problem as JSON.
    fn to_json(&self, py: Python<'_>) -> Result<String> {
        let document = detached(py, None, || Ok(self.0.build()?.to_json()))??;
        Ok(document.to_string())
    }

    /// The optimum of the extensive form, solved whole.
    fn extensive_optimum(&self, py: Python<'_>, is_whole: bool, threads: Option<usize>) -> Result<f64> {
        let inputs = Arc::clone(&self.0);
        abandonable(py, threads, move || inputs.build()?.extensive(is_whole).solve())
    }

    /// Writes the extensive form for another solver.
    fn write_mps(&self, py: Python<'_>, path: PathBuf, is_whole: bool) -> Result<()> {
        detached(py, None, || {
            let extensive = self.0.build()?.extensive(is_whole);
            let written = std::fs::File::create(&path).and_then(|file| extensive.write_mps(std::io::BufWriter::new(file)));
            written.map_err(|error| Error::from(Wrong::InputOutput).in_file(&path).caused_by(error))
        })
    }
}

/// The purchases with the evidence for them.
#[pyclass(frozen, module = "covermix._native")]
pub(crate) struct Plan {
    pub(crate) inputs: Arc<Inputs>,
    pub(crate) answer: Answer,
}

#[pymethods]
impl Plan {
    /// The recommendation as text.
    fn table(&self) -> String {
        recommendation_table(&self.answer, &self.inputs.catalog)
    }

    /// The purchases with every digit of their money, a JSON list.
    fn purchases(&self) -> String {
        let purchases = self.answer.purchases().iter().map(|purchase| {
            json!({
                "id": purchase.id,
                "offer": purchase.offer,
                "start": purchase.start,
                "end": purchase.end,
                "scope": purchase.scope,
                "quantity": purchase.quantity,
                "upfront": purchase.upfront,
                "monthly": purchase.monthly,
                "covered_monthly": purchase.covered_monthly,
                "utilisation": purchase.utilisation,
                "break_even_month": purchase.break_even_month,
            })
        });
        Value::from_iter(purchases).to_string()
    }

    /// The figures of the whole plan, JSON.
    fn figures(&self) -> String {
        let answer = &self.answer;
        json!({
            "status": status(answer.status()),
            "objective": answer.objective(),
            "lower_bound": answer.lower_bound(),
            "gap": answer.gap(),
            "billed_cost": answer.billed_cost(),
            "savings": answer.savings(),
            "savings_rate": answer.savings_rate(),
            "savings_monthly": answer.monthly(answer.savings()),
            "upfront": answer.upfront(),
            "one_off": answer.one_off(),
            "cash_break_even_month": answer.cash_break_even_month(),
            "hours": answer.hours(),
            "sweeps": answer.sweeps(),
            "seconds": answer.time().as_secs_f64(),
            "certificate": answer.certificate(),
            "evaluation": of_evaluation(&answer.solution().evaluation),
        })
        .to_string()
    }

    /// The periods of the agreement it is under as the ledger settles them, by scenario: a JSON list.
    fn settled(&self, py: Python<'_>) -> Result<String> {
        let outcomes = detached(py, None, || {
            let problem = self.inputs.build()?;
            let signed = problem.agreement().cloned().unwrap_or_else(OfferedAgreement::none);
            Ok(Branch::new(&signed, &problem, self.answer.solution().clone())?.outcomes)
        })?;
        Ok(serde_json::to_string(&outcomes)?)
    }

    /// The dated ledger of the agreement it is under in a scenario, JSON; `None` without terms.
    fn ledger(&self, py: Python<'_>, scenario: usize) -> Result<Option<String>> {
        let ledger = detached(py, None, || self.inputs.build()?.ledger(&self.answer.solution().steps, scenario))?;
        Ok(ledger.as_ref().map(serde_json::to_string).transpose()?)
    }

    /// The simple rules it is compared with, a JSON list.
    fn baselines(&self) -> String {
        let baselines = self.answer.baselines().iter().map(|baseline| {
            let (rule, cost) = (baseline.rule.to_string(), baseline.billed_cost);
            json!({"rule": rule, "billed_cost": cost, "allowed_by_policy": baseline.is_allowed})
        });
        Value::from_iter(baselines).to_string()
    }

    /// The bill with what is held and nothing bought.
    fn before(&self) -> Bill {
        Bill(self.answer.before().clone())
    }

    /// The bill with the purchases.
    fn after(&self) -> Bill {
        Bill(self.answer.after().clone())
    }

    /// Why each purchase is as large as it is: (JSON list, sentences).
    fn reasons(&self, py: Python<'_>) -> Result<(String, Vec<String>)> {
        let reasons = detached(py, None, || self.inputs.build()?.explain(self.answer.solution()))?;
        Ok((serde_json::to_string(&reasons)?, reasons.iter().map(ToString::to_string).collect()))
    }

    /// What is held with the purchases.
    fn portfolio(&self, py: Python<'_>) -> Result<Portfolio> {
        detached(py, None, || self.inputs.build()?.portfolio_with(&self.answer.solution().steps)).map(Portfolio)
    }

    /// The search's numbers, from which [`restore_plan`] makes the plan again.
    fn numbers(&self) -> Result<String> {
        Ok(serde_json::to_string(&Numbers::new(self.answer.solution(), self.answer.baselines()))?)
    }
}

/// The plan of a problem from its numbers: bills and evidence are made anew.
#[pyfunction]
pub(crate) fn restore_plan(py: Python<'_>, problem: &Problem, numbers: &str) -> Result<Plan> {
    let numbers: Numbers = serde_json::from_str(numbers)?;
    let (solution, baselines) = numbers.into_solution()?;
    let inputs = Arc::clone(&problem.0);
    let answer = detached(py, None, || inputs.build()?.plan(&solution, baselines))?;
    Ok(Plan { inputs, answer })
}

fn of_evaluation(evaluation: &Evaluation) -> Value {
    json!({
        "objective": evaluation.objective,
        "scenario_costs": evaluation.scenario_costs,
        "coverage": evaluation.coverage,
        "least_utilisation": evaluation.least_utilisation,
        "broken": evaluation.broken,
    })
}

pub(crate) fn status(status: Status) -> &'static str {
    match status {
        Status::Optimal => "optimal",
        Status::StoppedAtLimit => "stopped_at_limit",
        // The last one, and any that this binding does not know yet: the search ended, and the gap says how good the plan is.
        _ => "gap_remains",
    }
}
