//! Futures, forecasts, risk and the backtest.

use crate::data::{Catalog, Portfolio};
use crate::error::{Failure, Result};
use crate::run::detached;
use crate::usage::UsageCurves;
use chrono::{DateTime, Utc};
use covermix::billing::Rules;
use covermix::scenario::backtest::{
    self as trial, BuyNothing, Dates, Foresight, Level, Lookback, Outcome, Purchase, Rule, Situation,
};
use covermix::scenario::bootstrap::{Bootstrap, Setting};
use covermix::scenario::forecast::Forecaster;
use covermix::scenario::hedge::{Hedged, HedgedFamilies};
use covermix::scenario::risk::Decisions;
use covermix::scenario::transform::PriceChange;
use covermix::scenario::{Scenario, ScenarioFile, Scenarios};
use covermix::{Error, Problem};
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

/// A scenario file given as JSON, checked, as JSON in full.
#[pyfunction]
pub(crate) fn scenario_file(json: &str) -> Result<String> {
    let file: ScenarioFile = serde_json::from_str(json)?;
    // The checks of a file are made on reading its text.
    Ok(serde_json::to_string(&ScenarioFile::from_toml(&file.to_toml()?)?)?)
}

/// A scenario file given as the text of its TOML, as JSON.
#[pyfunction]
pub(crate) fn scenario_file_from_toml(text: &str) -> Result<String> {
    Ok(serde_json::to_string(&ScenarioFile::from_toml(text)?)?)
}

/// The futures of usage by a scenario file: name, probability, usage, price changes in JSON.
#[pyfunction]
#[pyo3(signature = (file, usage, catalog=None))]
pub(crate) fn project(
    py: Python<'_>,
    file: &str,
    usage: &UsageCurves,
    catalog: Option<&Catalog>,
) -> Result<Vec<(String, f64, UsageCurves, String)>> {
    let file: ScenarioFile = serde_json::from_str(file)?;
    let scenarios = detached(py, None, || file.scenarios(&usage.0, catalog.map(|catalog| &*catalog.0)))?;
    let row = |one: &covermix::scenario::Scenario| {
        let prices = serde_json::to_string(&one.prices)?;
        Ok((one.name.clone(), one.probability, UsageCurves(one.usage.clone()), prices))
    };
    scenarios.as_slice().iter().map(row).collect()
}

/// The catalog of an instant under price changes.
#[pyfunction]
pub(crate) fn catalog_at(changes: &str, catalog: &Catalog, at: DateTime<Utc>) -> Result<Catalog> {
    let changes: Vec<PriceChange> = serde_json::from_str(changes)?;
    Ok(Catalog(Arc::new(PriceChange::catalog_at(&changes, &catalog.0, at)?)))
}

/// Scenarios that keep the shape and correlation of the past, around a future.
#[pyfunction]
pub(crate) fn bootstrap(
    py: Python<'_>,
    past: &UsageCurves,
    future: &UsageCurves,
    count: u64,
    setting: &str,
) -> Result<Vec<UsageCurves>> {
    let setting: Setting = serde_json::from_str(setting)?;
    let draw = || Bootstrap::new(&past.0, &future.0, setting)?.scenarios(count).collect::<covermix::Result<Vec<_>>>();
    Ok(detached(py, None, draw)?.into_iter().map(UsageCurves).collect())
}

/// A forecast with its bands and its errors from rolling origins, JSON.
#[pyfunction]
pub(crate) fn forecast(
    series: PyReadonlyArray1<'_, f64>,
    horizon: usize,
    forecaster: Option<&str>,
    quantiles: Vec<f64>,
    error_horizons: Vec<usize>,
) -> Result<String> {
    let forecaster: Forecaster = forecaster.map(serde_json::from_str).transpose()?.unwrap_or_default();
    let series = series.as_array().to_vec();
    let bands = forecaster.bands(&series, horizon, &quantiles)?;
    let errors = forecaster.rolling_origin(&series, &error_horizons)?;
    Ok(json!({"bands": bands, "errors": errors, "forecaster": forecaster}).to_string())
}

/// The risk of each decision (a row of costs by scenario), and what perfect information is worth: JSON.
#[pyfunction]
pub(crate) fn risk(probability: Vec<f64>, cost: PyReadonlyArray2<'_, f64>, level: f64, weight: f64) -> Result<String> {
    let cost: Vec<Vec<f64>> = cost.as_array().rows().into_iter().map(|row| row.to_vec()).collect();
    let count = cost.len();
    let decisions = Decisions::new(probability, cost)?;
    let risks: Vec<_> = (0..count).map(|decision| decisions.risk(decision, level)).collect::<covermix::Result<_>>()?;
    let chosen = decisions.choose(level, weight)?;
    let value = decisions.value_of_perfect_information();
    Ok(json!({"risks": risks, "chosen": chosen, "value_of_perfect_information": value}).to_string())
}

/// The utilisation of everything held in every scenario, the most endangered first: a JSON list.
#[pyfunction]
pub(crate) fn utilisation_risk(
    py: Python<'_>,
    scenarios: Vec<(String, f64, PyRef<'_, UsageCurves>)>,
    catalog: &Catalog,
    portfolio: &Portfolio,
    rules: &str,
    threshold: f64,
) -> Result<String> {
    let rules: Rules = serde_json::from_str(rules)?;
    let scenario = |(name, probability, usage): (String, f64, PyRef<'_, UsageCurves>)| Scenario {
        name,
        probability,
        usage: usage.0.clone(),
        prices: Vec::new(),
    };
    let scenarios: Vec<Scenario> = scenarios.into_iter().map(scenario).collect();
    let risks = detached(py, None, || {
        covermix::scenario::utilisation_risk(&Scenarios::new(scenarios)?, &catalog.0, &portfolio.0, &rules, threshold)
    })?;
    Ok(serde_json::to_string(&risks)?)
}

/// A rule of purchase, as Python names it.
#[derive(Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
enum Named {
    BuyNothing {},
    MaximumSavings { offer: String, days: usize, share: f64 },
    MinimumHour { offer: String, days: usize, share: f64 },
    DailyMeanPercentile { offer: String, days: usize, share: f64, percent: u8 },
    Hedged { offer: String },
    HedgedFamilies { offer: String, locked_share: f64 },
    Foresight { offer: String, lot: f64 },
}

/// A rule written in Python: a function of past usage, now, what is held and the hours to the next decision, that returns quantities by offer.
struct Written<'p> {
    name: String,
    decide: &'p Py<PyAny>,
    error: Mutex<Option<PyErr>>,
}

impl Rule for Written<'_> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn decide(&self, situation: &Situation<'_>) -> covermix::Result<Vec<Purchase>> {
        let decided = Python::attach(|py| -> PyResult<Vec<(String, Decimal)>> {
            py.check_signals()?;
            let past = UsageCurves(situation.past.clone());
            let held = Portfolio(situation.held.clone());
            self.decide.bind(py).call1((past, situation.now.start(), held, situation.step_hours))?.extract()
        });
        match decided {
            Ok(purchases) => Ok(purchases.into_iter().map(|(offer, quantity)| Purchase { offer, quantity }).collect()),
            Err(error) => {
                let value = error.to_string();
                *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Err(Error::from(Problem::Value { value, expected: "quantities by offer" }).in_item(self.name.clone()))
            }
        }
    }
}

/// Runs rules of purchase over a trace: what each bought and how it did, a list of (JSON, portfolio). A rule is JSON, or a function with its name.
#[pyfunction]
pub(crate) fn backtest(
    py: Python<'_>,
    rules: Vec<(String, Option<Py<PyAny>>)>,
    usage: &UsageCurves,
    catalog: &Catalog,
    first: usize,
    step_hours: usize,
    end: usize,
) -> Result<Vec<(String, Portfolio)>> {
    let dates = Dates { first, step_hours, end };
    let mut outcomes = Vec::with_capacity(rules.len());
    for (rule, decide) in &rules {
        py.check_signals()?;
        let outcome = match decide {
            Some(decide) => {
                let written = Written { name: rule.clone(), decide, error: Mutex::new(None) };
                let outcome = py.detach(|| trial::run(&written, &usage.0, &catalog.0, dates));
                let error = written.error.into_inner().unwrap_or_else(PoisonError::into_inner);
                match (outcome, error) {
                    (Err(_), Some(error)) => return Err(error.into()),
                    (outcome, _) => outcome.map_err(Failure::from)?,
                }
            }
            None => {
                let rule: Named = serde_json::from_str(rule)?;
                detached(py, None, || {
                    let rule = rule.make(&usage.0, &catalog.0, dates)?;
                    trial::run(&*rule, &usage.0, &catalog.0, dates)
                })?
            }
        };
        outcomes.push((of_outcome(&outcome).to_string(), Portfolio(outcome.bought)));
    }
    Ok(outcomes)
}

impl Named {
    fn make(
        self,
        usage: &covermix::usage::UsageCurves,
        catalog: &covermix::catalog::Catalog,
        dates: Dates,
    ) -> covermix::Result<Box<dyn Rule>> {
        Ok(match self {
            Self::BuyNothing {} => Box::new(BuyNothing),
            Self::MaximumSavings { offer, days, share } => {
                Box::new(Lookback { offer, level: Level::MaximumSavings, days, share })
            }
            Self::MinimumHour { offer, days, share } => Box::new(Lookback { offer, level: Level::MinimumHour, days, share }),
            Self::DailyMeanPercentile { offer, days, share, percent } => {
                Box::new(Lookback { offer, level: Level::DailyMeanPercentile(percent), days, share })
            }
            Self::Hedged { offer } => Box::new(Hedged::new(&offer)),
            Self::HedgedFamilies { offer, locked_share } => {
                Box::new(HedgedFamilies { locked_share, ..HedgedFamilies::new(&offer) })
            }
            Self::Foresight { offer, lot } => Box::new(Foresight::new(&offer, usage, catalog, dates, lot)?),
        })
    }
}

fn of_outcome(outcome: &Outcome) -> Value {
    json!({
        "rule": outcome.rule,
        "cost": outcome.cost,
        "on_demand": outcome.on_demand,
        "savings": outcome.savings,
        "utilisation": outcome.utilisation,
        "coverage": outcome.coverage,
        "worst_month": outcome.worst_month,
        "lock_in_months": outcome.lock_in_months,
    })
}
