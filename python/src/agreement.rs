//! Agreements: their terms, and the decision which to sign together with what to buy. Offers, spend beside the usage and clauses are the library's
//! documents.

use crate::error::Result;
use crate::planning::numbers::{Exact, Numbers};
use crate::planning::{Effort, Inputs, Problem};
use crate::run::{self, Callback, detached, with_progress};
use chrono::NaiveDate;
use covermix::finance::agreement::contract::Contract;
use covermix::planning::Options;
use covermix::planning::agreement::{Agreements, Branch, Choice as Answer, Clause, OfferedAgreement};
use covermix::{Error, Problem as Wrong};
use pyo3::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// The terms of a contract with a minimum for each year, a JSON document. `name` is what yearly terms are called.
#[pyfunction]
pub(crate) fn agreement_terms(contract: &str, name: &str, start: NaiveDate, minimums: Vec<Decimal>) -> Result<String> {
    let contract: Contract = serde_json::from_value(Value::from(contract))?;
    Ok(serde_json::to_string(&contract.terms(name, start, &minimums)?)?)
}

/// An offered agreement from its document, in full.
#[pyfunction]
pub(crate) fn check_agreement(text: &str) -> Result<String> {
    Ok(serde_json::to_string(&OfferedAgreement::from_json(text)?)?)
}

/// A clause from its document, as the library writes it.
#[pyfunction]
pub(crate) fn check_clause(text: &str) -> Result<String> {
    Ok(serde_json::to_string(&serde_json::from_str::<Clause>(text)?)?)
}

/// A clause in words.
#[pyfunction]
pub(crate) fn clause_words(text: &str) -> Result<String> {
    Ok(serde_json::from_str::<Clause>(text)?.to_string())
}

/// A document of agreements, in full.
#[pyfunction]
pub(crate) fn check_agreements(text: &str) -> Result<String> {
    Ok(Agreements::from_json(text)?.to_json())
}

/// A file of agreements, TOML or JSON, as JSON.
#[pyfunction]
pub(crate) fn read_agreements(path: PathBuf) -> Result<String> {
    Ok(Agreements::read(path)?.to_json())
}

/// What is asked of a problem: agreements on offer with spend beside the usage, and how hard to try.
struct Question {
    inputs: Arc<Inputs>,
    agreements: Agreements,
    effort: Effort,
}

impl Question {
    fn read(problem: &Problem, agreements: &str, effort: &str) -> Result<Self> {
        let (agreements, effort) = (Agreements::from_json(agreements)?, serde_json::from_str(effort)?);
        Ok(Self { inputs: Arc::clone(&problem.0), agreements, effort })
    }

    /// Builds the problem and searches it, on threads of its own.
    fn search<T: Send + 'static>(
        self,
        py: Python<'_>,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
        work: impl FnOnce(&covermix::planning::Problem<'_>, &Agreements, &Options<'_>) -> covermix::Result<T> + Send + 'static,
    ) -> Result<run::Answer<T>> {
        let work =
            move |callback: &Callback<'_>| work(&self.inputs.build()?, &self.agreements, &self.effort.options(Some(callback))?);
        with_progress(py, threads, progress, work)
    }
}

/// Which agreement to sign together with what to buy. Returns the choice, and whether Ctrl-C ended a search.
#[pyfunction]
#[pyo3(signature = (problem, agreements, effort, threads=None, progress=None))]
pub(crate) fn choose_agreement(
    py: Python<'_>,
    problem: &Problem,
    agreements: &str,
    effort: &str,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> Result<(Choice, bool)> {
    let question = Question::read(problem, agreements, effort)?;
    let (inputs, agreements) = (Arc::clone(&problem.0), question.agreements.clone());
    let answer = question.search(py, threads, progress, |problem, agreements, options| {
        problem.choose_agreement(agreements.offers(), agreements.other_spend(), options)
    })?;
    Ok((Choice { inputs, agreements, answer: answer.value }, answer.is_interrupted))
}

/// What deciding in turn comes to: JSON, and whether Ctrl-C ended a search.
#[pyfunction]
#[pyo3(signature = (problem, agreements, effort, threads=None, progress=None))]
pub(crate) fn agreement_first(
    py: Python<'_>,
    problem: &Problem,
    agreements: &str,
    effort: &str,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> Result<(String, bool)> {
    let question = Question::read(problem, agreements, effort)?;
    let answer = question.search(py, threads, progress, |problem, agreements, options| {
        let first = problem.agreement_first(agreements.offers(), agreements.other_spend(), options)?;
        Ok(json!({
            "offer": agreements.offers()[first.offer].name,
            "cost_without_purchases": first.cost_without_purchases,
            "blind_purchases": problem.commitments(&first.blind.0),
            "blind_cost": first.blind.1,
            "informed_purchases": problem.commitments(&first.informed.0),
            "informed_cost": first.informed.1,
        }))
    })?;
    Ok((answer.value.to_string(), answer.is_interrupted))
}

/// At which discount each offer costs as much as a reference: a JSON list, and whether Ctrl-C ended a search. `among` are the largest discount and
/// the tolerance.
#[pyfunction]
#[pyo3(signature = (problem, agreements, reference_cost, among, effort, threads=None, progress=None))]
#[allow(clippy::too_many_arguments, reason = "as Python hands them over")]
pub(crate) fn indifference_discounts(
    py: Python<'_>,
    problem: &Problem,
    agreements: &str,
    reference_cost: f64,
    among: (f64, f64),
    effort: &str,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> Result<(String, bool)> {
    let question = Question::read(problem, agreements, effort)?;
    let answer = question.search(py, threads, progress, move |problem, agreements, options| {
        let found = |offer: &OfferedAgreement| {
            problem.indifference_discount(offer, reference_cost, agreements.other_spend(), options, among)
        };
        agreements.offers().iter().map(found).collect::<covermix::Result<Vec<_>>>()
    })?;
    Ok((serde_json::to_string(&answer.value)?, answer.is_interrupted))
}

/// Every offer with its best purchases, and the best offer.
#[pyclass(frozen, module = "covermix._native")]
pub(crate) struct Choice {
    inputs: Arc<Inputs>,
    agreements: Agreements,
    answer: Answer,
}

fn of_branch(branch: &Branch) -> Value {
    json!({
        "offer": branch.offer,
        "discount": branch.offer.general_discount(),
        "cost": branch.cost(),
        "lower_bound": branch.solution.lower_bound,
        "purchases": branch.purchases,
        "shortfall_probability": branch.shortfall_probability(),
        "expected_shortfall": branch.expected_shortfall(),
        "outcomes": branch.outcomes,
        "numbers": Numbers::new(&branch.solution, &[]),
    })
}

#[pymethods]
impl Choice {
    /// All of it as JSON.
    fn to_json(&self) -> String {
        let answer = &self.answer;
        json!({
            "branches": answer.branches.iter().map(of_branch).collect::<Vec<_>>(),
            "chosen": answer.chosen,
            "cost": answer.best().cost(),
            "lower_bound": answer.lower_bound,
            "gap": answer.gap(),
        })
        .to_string()
    }

    /// The dated ledger of a branch in a scenario as JSON; `None` without terms.
    fn ledger(&self, py: Python<'_>, branch: usize, scenario: usize) -> Result<Option<String>> {
        let (of, other) = (&self.answer.branches[branch], self.agreements.other_spend());
        let ledger = detached(py, None, || self.inputs.build()?.under(&of.offer, other)?.ledger(&of.solution.steps, scenario))?;
        Ok(ledger.as_ref().map(serde_json::to_string).transpose()?)
    }

    /// What each clause would be worth if it were added to the offer of a branch, the most valuable first: a JSON list, and whether Ctrl-C ended
    /// a search.
    #[pyo3(signature = (branch, clauses, effort, threads=None, progress=None))]
    fn clause_values(
        slf: Py<Self>,
        py: Python<'_>,
        branch: usize,
        clauses: &str,
        effort: &str,
        threads: Option<usize>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> Result<(String, bool)> {
        let own = slf.get();
        let clauses: Vec<Clause> = serde_json::from_str(clauses)?;
        let (inputs, agreements) = (Arc::clone(&own.inputs), own.agreements.clone());
        let (question, base) =
            (Question { inputs, agreements, effort: serde_json::from_str(effort)? }, own.answer.branches[branch].clone());
        let answer = question.search(py, threads, progress, move |problem, agreements, options| {
            problem.clause_values(&base, &clauses, agreements.other_spend(), options)
        })?;
        let rows = answer.value.iter().map(|of| {
            json!({
                "clause": of.clause.to_string(),
                "cost": of.cost,
                "value": of.value,
                "proven": of.proven,
                "shortfall_probability": of.shortfall_probability,
                "changes_purchases": of.changes_purchases,
            })
        });
        Ok((Value::from_iter(rows).to_string(), answer.is_interrupted))
    }
}

/// A branch as it is written by [`Choice::to_json`]; what follows from the steps is made anew.
#[derive(Deserialize)]
struct Kept {
    offer: OfferedAgreement,
    numbers: Numbers,
}

/// A choice from its JSON and the agreements it was made among.
#[pyfunction]
pub(crate) fn restore_choice(py: Python<'_>, problem: &Problem, agreements: &str, text: &str) -> Result<Choice> {
    #[derive(Deserialize)]
    struct Whole {
        branches: Vec<Kept>,
        chosen: usize,
        lower_bound: Exact,
    }
    let whole: Whole = serde_json::from_str(text)?;
    let agreements = Agreements::from_json(agreements)?;
    let inputs = Arc::clone(&problem.0);
    let answer = detached(py, None, || {
        let problem = inputs.build()?;
        let restored = |Kept { offer, numbers }: Kept| -> covermix::Result<Branch> {
            let under = problem.under(&offer, agreements.other_spend())?;
            let (solution, _) = numbers.into_solution()?;
            under.check_steps(&solution.steps)?;
            Branch::new(&offer, &under, solution)
        };
        let branches = whole.branches.into_iter().map(restored).collect::<covermix::Result<Vec<_>>>()?;
        if whole.chosen >= branches.len() {
            let problem = Wrong::OutOfRange { value: whole.chosen.to_string(), range: "the index of a branch" };
            return Err(Error::from(problem).in_field("chosen"));
        }
        Ok(Answer { branches, chosen: whole.chosen, lower_bound: whole.lower_bound.0 })
    })?;
    Ok(Choice { inputs, agreements, answer })
}
