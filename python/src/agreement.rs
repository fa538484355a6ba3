//! Agreements: their terms, and the decision which to sign together with what to buy.

use crate::error::Result;
use crate::planning::numbers::{Exact, Numbers};
use crate::planning::{Effort, Inputs, Problem};
use crate::run::{Callback, detached, with_progress};
use chrono::NaiveDate;
use covermix::billing::agreement::Agreement;
use covermix::finance::agreement::{CarryOver, EarlyRenewal, ShortfallRule, Spend, SpendKind, Terms, contract};
use covermix::planning::agreement::{Branch, Choice as Answer, Clause, OfferedAgreement, OtherSpend, YearOutcome};
use covermix::usage::Provider;
use covermix::{Error, Problem as Wrong};
use pyo3::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// An offered agreement as a document.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Offered {
    name: String,
    provider: Option<Provider>,
    discounts: Agreement,
    terms: Option<Terms>,
}

impl From<Offered> for OfferedAgreement {
    fn from(of: Offered) -> Self {
        let Offered { name, provider, discounts, terms } = of;
        Self { name, provider, discounts, terms }
    }
}

impl From<&OfferedAgreement> for Offered {
    fn from(of: &OfferedAgreement) -> Self {
        let OfferedAgreement { name, provider, discounts, terms } = of.clone();
        Self { name, provider, discounts, terms }
    }
}

/// Spend beside the usage as a document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Beside {
    scenario: Option<String>,
    provider: Provider,
    date: NaiveDate,
    kind: SpendKind,
    item: String,
    gross: Decimal,
    net: Decimal,
}

impl From<Beside> for OtherSpend {
    fn from(of: Beside) -> Self {
        let Beside { scenario, provider, date, kind, item, gross, net } = of;
        Self { scenario, provider, spend: Spend { date, kind, item, gross, net } }
    }
}

/// A clause to ask for as a document: one field, by its name.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Asked {
    MoreDiscount(Decimal),
    Minimums(Decimal),
    Growth(Decimal),
    CarryOver(CarryOver),
    Shortfall(ShortfallRule),
    MarketplaceCap(Option<Decimal>),
    MarketplaceWeight(Decimal),
    EarlyRenewal(EarlyRenewal),
}

impl From<Asked> for Clause {
    fn from(of: Asked) -> Self {
        match of {
            Asked::MoreDiscount(points) => Self::MoreDiscount(points),
            Asked::Minimums(factor) => Self::Minimums(factor),
            Asked::Growth(growth) => Self::Growth(growth),
            Asked::CarryOver(rule) => Self::CarryOver(rule),
            Asked::Shortfall(rule) => Self::Shortfall(rule),
            Asked::MarketplaceCap(cap) => Self::MarketplaceCap(cap),
            Asked::MarketplaceWeight(weight) => Self::MarketplaceWeight(weight),
            Asked::EarlyRenewal(renewal) => Self::EarlyRenewal(renewal),
        }
    }
}

/// A JSON list, each entry by way of its document.
fn list<Document: for<'de> Deserialize<'de>, T: From<Document>>(text: &str) -> Result<Vec<T>> {
    Ok(serde_json::from_str::<Vec<Document>>(text)?.into_iter().map(T::from).collect())
}

/// The terms of a kind of agreement with a minimum for each year, a JSON document.
#[pyfunction]
pub(crate) fn agreement_terms(kind: &str, start: NaiveDate, minimums: Vec<Decimal>) -> Result<String> {
    let terms = match kind {
        "aws_enterprise_discount" => contract::aws_enterprise_discount(start, &minimums)?,
        "azure_macc" => contract::azure_macc(start, &minimums)?,
        "google_cloud_commit" => contract::google_cloud_commit(start, &minimums)?,
        "oracle_annual_credits" => contract::oracle_annual_credits(start, &minimums)?,
        name => Terms::yearly(name, start, &minimums)?,
    };
    Ok(serde_json::to_string(&terms)?)
}

/// An offered agreement from its document, in full.
#[pyfunction]
pub(crate) fn check_agreement(text: &str) -> Result<String> {
    let offered: Offered = serde_json::from_str(text)?;
    if let Some(terms) = &offered.terms {
        terms.check()?;
    }
    Ok(serde_json::to_string(&offered)?)
}

/// Which agreement to sign together with what to buy. `other` is spend beside the usage. Returns the choice, and whether Ctrl-C ended a search.
#[pyfunction]
#[pyo3(signature = (problem, offers, other, effort, threads=None, progress=None))]
pub(crate) fn choose_agreement(
    py: Python<'_>,
    problem: &Problem,
    offers: &str,
    other: &str,
    effort: &str,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> Result<(Choice, bool)> {
    let effort: Effort = serde_json::from_str(effort)?;
    let (offers, other): (Vec<OfferedAgreement>, Vec<OtherSpend>) = (list::<Offered, _>(offers)?, list::<Beside, _>(other)?);
    let inputs = Arc::clone(&problem.0);
    let work = move |callback: &Callback<'_>| {
        let answer = inputs.build()?.choose_agreement(&offers, &other, &effort.options(Some(callback))?)?;
        Ok(Choice { inputs, other, answer })
    };
    let answer = with_progress(py, threads, progress, work)?;
    Ok((answer.value, answer.is_interrupted))
}

/// What deciding in turn comes to: JSON, and whether Ctrl-C ended a search.
#[pyfunction]
#[pyo3(signature = (problem, offers, other, effort, threads=None, progress=None))]
pub(crate) fn agreement_first(
    py: Python<'_>,
    problem: &Problem,
    offers: &str,
    other: &str,
    effort: &str,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> Result<(String, bool)> {
    let effort: Effort = serde_json::from_str(effort)?;
    let (offers, other): (Vec<OfferedAgreement>, Vec<OtherSpend>) = (list::<Offered, _>(offers)?, list::<Beside, _>(other)?);
    let inputs = Arc::clone(&problem.0);
    let work = move |callback: &Callback<'_>| {
        let problem = inputs.build()?;
        let first = problem.agreement_first(&offers, &other, &effort.options(Some(callback))?)?;
        let row = json!({
            "offer": offers[first.offer].name,
            "cost_without_purchases": first.cost_without_purchases,
            "blind_purchases": problem.commitments(&first.blind.0),
            "blind_cost": first.blind.1,
            "informed_purchases": problem.commitments(&first.informed.0),
            "informed_cost": first.informed.1,
        });
        Ok(row.to_string())
    };
    let answer = with_progress(py, threads, progress, work)?;
    Ok((answer.value, answer.is_interrupted))
}

/// At which discount an offer costs as much as a reference: JSON, and whether Ctrl-C ended a search.
#[pyfunction]
#[pyo3(signature = (problem, offer, reference_cost, other, search, effort, threads=None, progress=None))]
#[allow(clippy::too_many_arguments, reason = "as Python hands them over")]
pub(crate) fn indifference_discount(
    py: Python<'_>,
    problem: &Problem,
    offer: &str,
    reference_cost: f64,
    other: &str,
    search: (f64, f64),
    effort: &str,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> Result<(String, bool)> {
    let effort: Effort = serde_json::from_str(effort)?;
    let (offer, other): (OfferedAgreement, Vec<OtherSpend>) =
        (serde_json::from_str::<Offered>(offer)?.into(), list::<Beside, _>(other)?);
    let inputs = Arc::clone(&problem.0);
    let work = move |callback: &Callback<'_>| {
        inputs.build()?.indifference_discount(&offer, reference_cost, &other, &effort.options(Some(callback))?, search)
    };
    let answer = with_progress(py, threads, progress, work)?;
    let found = answer.value;
    let row = json!({
        "offer": found.offer,
        "offered": found.offered,
        "reference_cost": found.reference_cost,
        "at": found.at,
        "tolerance": found.tolerance,
    });
    Ok((row.to_string(), answer.is_interrupted))
}

/// Every offer with its best purchases, and the best offer.
#[pyclass(frozen, module = "covermix._native")]
pub(crate) struct Choice {
    inputs: Arc<Inputs>,
    other: Vec<OtherSpend>,
    answer: Answer,
}

fn of_branch(branch: &Branch) -> Value {
    let outcome = |of: &YearOutcome| json!({"scenario": of.scenario, "probability": of.probability, "periods": of.periods});
    json!({
        "offer": Offered::from(&branch.offer),
        "discount": branch.offer.general_discount(),
        "cost": branch.cost(),
        "lower_bound": branch.solution.lower_bound,
        "purchases": branch.purchases,
        "shortfall_probability": branch.shortfall_probability(),
        "expected_shortfall": branch.expected_shortfall(),
        "outcomes": branch.outcomes.iter().map(outcome).collect::<Vec<_>>(),
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
        let of = &self.answer.branches[branch];
        let ledger =
            detached(py, None, || self.inputs.build()?.under(&of.offer, &self.other)?.ledger(&of.solution.steps, scenario))?;
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
        let effort: Effort = serde_json::from_str(effort)?;
        let clauses: Vec<Clause> = list::<Asked, _>(clauses)?;
        let own = slf.get();
        let (inputs, other, base) = (Arc::clone(&own.inputs), own.other.clone(), own.answer.branches[branch].clone());
        let work = move |callback: &Callback<'_>| {
            inputs.build()?.clause_values(&base, &clauses, &other, &effort.options(Some(callback))?)
        };
        let answer = with_progress(py, threads, progress, work)?;
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
    offer: Offered,
    numbers: Numbers,
}

/// A choice from its JSON.
#[pyfunction]
pub(crate) fn restore_choice(py: Python<'_>, problem: &Problem, other: &str, text: &str) -> Result<Choice> {
    #[derive(Deserialize)]
    struct Whole {
        branches: Vec<Kept>,
        chosen: usize,
        lower_bound: Exact,
    }
    let whole: Whole = serde_json::from_str(text)?;
    let other: Vec<OtherSpend> = list::<Beside, _>(other)?;
    let inputs = Arc::clone(&problem.0);
    let answer = detached(py, None, || {
        let problem = inputs.build()?;
        let restored = |kept: Kept| -> covermix::Result<Branch> {
            let offer: OfferedAgreement = kept.offer.into();
            let under = problem.under(&offer, &other)?;
            let (solution, _) = kept.numbers.into_solution()?;
            let settled = under.settled(&solution.steps)?;
            let outcome = |((name, probability), periods): ((&str, f64), _)| YearOutcome {
                scenario: name.to_owned(),
                probability,
                periods,
            };
            let outcomes = under.scenarios().zip(settled).map(outcome).collect();
            Ok(Branch { offer, purchases: under.commitments(&solution.steps), solution, outcomes })
        };
        let branches = whole.branches.into_iter().map(restored).collect::<covermix::Result<Vec<_>>>()?;
        if whole.chosen >= branches.len() {
            let problem = Wrong::OutOfRange { value: whole.chosen.to_string(), range: "the index of a branch" };
            return Err(Error::from(problem).in_field("chosen"));
        }
        Ok(Answer { branches, chosen: whole.chosen, lower_bound: whole.lower_bound.0 })
    })?;
    Ok(Choice { inputs, other, answer })
}
