//! The report of a plan: one model, written for three readers in four forms.

use crate::error::Result;
use crate::planning::Plan;
use crate::run::{abandonable, detached};
use crate::usage::UsageCurves;
use chrono::NaiveDate;
use covermix::finance::accounting::Treatment;
use covermix::report::{Audience, Report as Model, Settings};
use covermix::{Error, Problem as Wrong};
use pyo3::prelude::*;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What a report assumes, as Python says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Assumed {
    discount_rate: f64,
    purchase_date: Option<NaiveDate>,
    is_capitalised: bool,
    low_usage: f64,
    high_usage: f64,
    coverage_levels: Vec<f64>,
    price_limits: bool,
    time_limit: f64,
}

impl Assumed {
    fn settings(self) -> covermix::Result<Settings> {
        let wrong = |value: f64| {
            Error::from(Wrong::OutOfRange { value: value.to_string(), range: "seconds, 0 or more" }).in_field("time_limit")
        };
        Ok(Settings {
            discount_rate: self.discount_rate,
            purchase_date: self.purchase_date,
            treatment: if self.is_capitalised { Treatment::Capitalised } else { Treatment::ServiceContract },
            low_usage: self.low_usage,
            high_usage: self.high_usage,
            coverage_levels: self.coverage_levels,
            price_limits: self.price_limits,
            time_limit: Duration::try_from_secs_f64(self.time_limit).map_err(|_| wrong(self.time_limit))?,
        })
    }
}

/// A plan with its evidence, for people.
#[pyclass(frozen, eq, module = "covermix._native")]
#[derive(PartialEq)]
pub(crate) struct Report(Model);

/// Gathers the evidence of a plan; `cases` are named usages to show it with.
#[pyfunction]
pub(crate) fn plan_report(
    py: Python<'_>,
    plan: Py<Plan>,
    settings: &str,
    cases: Vec<(String, PyRef<'_, UsageCurves>)>,
    threads: Option<usize>,
) -> Result<Report> {
    let settings = serde_json::from_str::<Assumed>(settings)?.settings()?;
    let cases: Vec<_> = cases.into_iter().map(|(name, usage)| (name, usage.0.clone())).collect();
    let (inputs, answer) = (Arc::clone(&plan.get().inputs), plan.get().answer.clone());
    let work = move || {
        let problem = inputs.build()?;
        let builder = Model::builder(&problem, &answer).settings(settings);
        cases.into_iter().fold(builder, |builder, (name, usage)| builder.case(name, usage)).build()
    };
    abandonable(py, threads, work).map(Report)
}

fn audience(name: &str) -> Result<Audience> {
    match name {
        "executive" => Ok(Audience::Executive),
        "analyst" => Ok(Audience::Analyst),
        "engineer" => Ok(Audience::Engineer),
        other => {
            let problem = Wrong::Value { value: other.to_owned(), expected: "executive, analyst or engineer" };
            Err(Error::from(problem).in_field("audience").into())
        }
    }
}

#[pymethods]
impl Report {
    /// Reads the document of a report.
    #[staticmethod]
    fn from_json(text: &str) -> Result<Self> {
        Ok(Self(Model::from_json(text)?))
    }

    /// The document, `covermix-report/1`.
    fn to_json(&self) -> Result<String> {
        Ok(self.0.json()?.to_string())
    }

    /// A reader's page, without network and script.
    fn to_html(&self, py: Python<'_>, reader: &str) -> Result<String> {
        let audience = audience(reader)?;
        detached(py, None, || self.0.html(audience))
    }

    /// A reader's page, without charts.
    fn to_markdown(&self, reader: &str) -> Result<String> {
        Ok(self.0.markdown(audience(reader)?))
    }

    /// Every number and text, one row each.
    fn to_csv(&self) -> Result<String> {
        Ok(self.0.csv()?)
    }

    /// The order list, one row a purchase.
    fn orders_csv(&self) -> Result<String> {
        Ok(self.0.orders_csv()?)
    }

    /// Writes the document to a file, and all other forms beside it; returns their paths.
    fn write(&self, py: Python<'_>, path: PathBuf) -> Result<Vec<PathBuf>> {
        detached(py, None, || self.0.write(path))
    }
}
