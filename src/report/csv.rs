//! Every value of a report as CSV: one row a value with its place in the JSON, its exact number and its unit; and the purchases as one row each.

use super::model::Report;
use crate::error::{Error, Problem, Result};
use serde_json::Value;

/// The columns of the table of values.
const COLUMNS: [&str; 6] = ["path", "section", "item", "figure", "value", "unit"];

/// The columns of the order list, which are fields of [`super::model::Purchase`].
const ORDER: [&str; 21] = [
    "id",
    "provider",
    "service",
    "offer",
    "provider_id",
    "kind",
    "subject",
    "platform",
    "tenancy",
    "region",
    "scope",
    "term",
    "payment_option",
    "start",
    "end",
    "quantity",
    "quantity_unit",
    "upfront",
    "recurring_hourly",
    "effective_hourly",
    "monthly",
];

/// Every number and text of the report, a row each.
///
/// # Errors
/// None that a report can cause; those of the CSV writer are passed on.
pub(super) fn values(report: &Report) -> Result<String> {
    let json = serde_json::to_value(report).map_err(malformed)?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(malformed)?;
    walk(&mut writer, &json, &mut Vec::new(), "", &report.currency)?;
    text(writer)
}

/// One row a purchase, with the fields that an order needs.
///
/// # Errors
/// As [`values`].
pub(super) fn orders(report: &Report) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(ORDER.iter().copied().chain(["currency"])).map_err(malformed)?;
    for purchase in &report.purchases {
        let json = serde_json::to_value(purchase).map_err(malformed)?;
        let field = |name: &&str| leaf(&json[*name]).unwrap_or_default();
        writer.write_record(ORDER.iter().map(field).chain([report.currency.clone()])).map_err(malformed)?;
    }
    text(writer)
}

fn text(writer: csv::Writer<Vec<u8>>) -> Result<String> {
    let bytes = writer.into_inner().map_err(malformed)?;
    String::from_utf8(bytes).map_err(malformed)
}

fn malformed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::from(Problem::Malformed { expected: "a table of the report" }).caused_by(error)
}

/// A value as text; `None` for one that is absent or made of others. A number is written as JSON writes it.
fn leaf(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn walk(writer: &mut csv::Writer<Vec<u8>>, value: &Value, path: &mut Vec<String>, item: &str, currency: &str) -> Result<()> {
    if let Some(leaf) = leaf(value) {
        let figure = path.iter().rev().find(|part| part.parse::<usize>().is_err()).map_or("", String::as_str);
        let section = path.first().map_or("", String::as_str);
        let unit = if value.is_number() { unit(section, figure, currency) } else { String::new() };
        let pointer = format!("/{}", path.join("/"));
        return writer.write_record([pointer.as_str(), section, item, figure, &leaf, &unit]).map_err(malformed);
    }
    match value {
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                path.push(index.to_string());
                let name = ["id", "name", "offer", "rule", "month", "day", "assumption"];
                let name = name.iter().find_map(|key| value.get(key).and_then(Value::as_str));
                let item = name.map_or_else(
                    || if item.is_empty() { index.to_string() } else { item.to_owned() },
                    |name| {
                        if item.is_empty() { name.to_owned() } else { format!("{item}, {name}") }
                    },
                );
                walk(writer, value, path, &item, currency)?;
                path.pop();
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                path.push(key.clone());
                walk(writer, value, path, item, currency)?;
                path.pop();
            }
        }
        _ => {}
    }
    Ok(())
}

/// The unit of a number, by its field.
fn unit(section: &str, figure: &str, currency: &str) -> String {
    let word = match figure {
        "hours" => "hours",
        "seconds" => "seconds",
        "sweeps" => "sweeps",
        "year" => "year from purchase",
        "times" => "steps of the action",
        "low_case" => "index of a case",
        "cash_break_even_month" | "break_even_month" | "payback_months" => "months",
        "gap"
        | "savings_rate"
        | "break_even_usage"
        | "effective_savings_rate_list"
        | "utilisation"
        | "irr"
        | "share"
        | "break_even_utilisation"
        | "probability"
        | "discount_rate"
        | "affected_share"
        | "return_on_investment" => "share",
        "coverage" => "share",
        "quantity" | "step" => "reservations, or money an hour of a spend plan",
        "limit" | "loosened" => "unit of the policy's field",
        "level" => "unit of the curve",
        "usage" if section == "load_duration" => "unit of the curve",
        "recurring_hourly" | "effective_hourly" | "held" | "one_year" | "longer" | "expiring" | "usage" | "covered" => {
            return format!("{currency} an hour");
        }
        monthly if monthly.ends_with("monthly") => return format!("{currency} a month"),
        _ => return currency.to_owned(),
    };
    word.to_owned()
}
