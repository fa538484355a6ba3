//! What a client asks for: a usage file with the rest in the query, or one JSON document.

use crate::{Failure, Limits};
use axum::http::StatusCode;
use covermix::catalog::Catalog;
use covermix::planning::Policy;
use covermix::portfolio::Portfolio;
use covermix::usage::UsageCurves;
use covermix::{Error, Problem};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A request for a plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanRequest {
    usage: Usage,
    #[serde(default)]
    pub(crate) policy: Policy,
    portfolio: Option<Value>,
    gap: Option<f64>,
    time_limit_seconds: Option<f64>,
}

/// Usage as the text of a usage file, or its rows.
#[derive(Deserialize)]
#[serde(untagged)]
enum Usage {
    Text(String),
    Rows(Vec<Map<String, Value>>),
}

impl PlanRequest {
    /// Reads the body by its content type.
    pub(crate) fn read(kind: &str, query: &BTreeMap<String, String>, body: &[u8]) -> Result<Self, Failure> {
        let wrong = |message: String| Failure::new(StatusCode::BAD_REQUEST, message);
        let kind = kind.split(';').next().unwrap_or("").trim();
        match kind {
            "application/json" if query.is_empty() => {
                serde_json::from_slice(body).map_err(|error| wrong(format!("the body: {error}")))
            }
            "application/json" => Err(wrong("with a JSON body all settings but `wait` stand in it, not in the query".to_owned())),
            "text/csv" => {
                let text = std::str::from_utf8(body).map_err(|error| wrong(format!("the body: {error}")))?;
                let mut document = json!({"usage": text});
                for (name, value) in query {
                    let value = match name.as_str() {
                        "policy" => serde_json::from_str(value).map_err(|error| wrong(format!("`policy`: {error}")))?,
                        "gap" | "time_limit_seconds" => {
                            json!(value.parse::<f64>().map_err(|error| wrong(format!("`{name}`: {error}")))?)
                        }
                        _ => {
                            return Err(wrong(format!("`{name}` is not known; there are wait, policy, gap, time_limit_seconds")));
                        }
                    };
                    document[name] = value;
                }
                serde_json::from_value(document).map_err(|error| wrong(format!("the query: {error}")))
            }
            _ => Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send text/csv or application/json")),
        }
    }

    /// The usage curves, refused if they are larger than allowed.
    pub(crate) fn usage(&self, limits: Limits) -> Result<UsageCurves, Failure> {
        let usage = match &self.usage {
            Usage::Text(text) => UsageCurves::from_reader(text.as_bytes())?,
            Usage::Rows(rows) => UsageCurves::from_reader(table(rows)?.as_slice())?,
        };
        let cells = usage.grid().count.saturating_mul(usage.lines().len());
        if cells > limits.cells {
            let message = format!("the usage has {cells} hours x lines, and this service takes {}", limits.cells);
            return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        Ok(usage)
    }

    pub(crate) fn portfolio(&self, catalog: &Catalog) -> Result<Portfolio, Failure> {
        let Some(held) = &self.portfolio else { return Ok(Portfolio::default()) };
        Ok(Portfolio::from_json(&held.to_string(), catalog)?)
    }

    /// The gap asked for, 0.05 % if none is.
    pub(crate) fn gap(&self) -> Result<f64, Failure> {
        match self.gap {
            None => Ok(5e-4),
            Some(gap) if gap.is_finite() && gap >= 0.0 => Ok(gap),
            Some(gap) => Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, format!("`gap` is {gap}; give 0 or more"))),
        }
    }

    /// The time of the search: what is asked for, at most what is allowed.
    pub(crate) fn time(&self, limits: Limits) -> Result<Duration, Failure> {
        let Some(seconds) = self.time_limit_seconds else { return Ok(limits.time) };
        let wrong = |error| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, format!("`time_limit_seconds` is {seconds}: {error}"));
        Ok(Duration::try_from_secs_f64(seconds).map_err(wrong)?.min(limits.time))
    }
}

/// Rows as the usage file that they stand for.
fn table(rows: &[Map<String, Value>]) -> Result<Vec<u8>, Failure> {
    let columns: BTreeSet<&str> = rows.iter().flat_map(|row| row.keys().map(String::as_str)).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let wrong = |error: csv::Error| Error::from(Problem::Malformed { expected: "a list of rows of usage" }).caused_by(error);
    writer.write_record(&columns).map_err(wrong)?;
    for row in rows {
        let cell = |column: &&str| match row.get(*column) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        writer.write_record(columns.iter().map(cell)).map_err(wrong)?;
    }
    Ok(writer.into_inner().map_err(|error| Error::from(Problem::InputOutput).caused_by(error.to_string()))?)
}
