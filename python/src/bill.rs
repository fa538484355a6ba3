//! The judge and its bill: figures as tables of decimals, hours as NumPy arrays.

use crate::data::{Catalog, Portfolio};
use crate::error::Result;
use crate::run::detached;
use crate::usage::UsageCurves;
use chrono::{DateTime, Utc};
use covermix::billing::{Bill as Exact, CashKind, Charges, Judge, Rules};
use covermix::time::Hour;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Value, json};

/// What usage costs under commitments.
#[pyclass(frozen, eq, module = "covermix._native")]
#[derive(PartialEq)]
pub(crate) struct Bill(pub(crate) Exact);

/// Charges in JSON; money as text, so that no digit is lost.
pub(crate) fn charges(charges: &Charges) -> Value {
    json!({
        "on_demand_equivalent": charges.on_demand_equivalent,
        "list_equivalent": charges.list_equivalent,
        "on_demand": charges.on_demand,
        "used_commitment": charges.used_commitment,
        "unused_commitment": charges.unused_commitment,
        "amortised_upfront": charges.amortised_upfront,
        "recurring": charges.recurring,
        "sustained_use_discount": charges.sustained_use_discount,
        "commitment": charges.commitment(),
        "covered": charges.covered(),
        "cost": charges.cost(),
        "savings": charges.savings(),
        "effective_savings_rate_list": charges.effective_savings_rate_list(),
        "effective_savings_rate_contracted": charges.effective_savings_rate_contracted(),
        "coverage": charges.coverage(),
        "utilisation": charges.utilisation(),
    })
}

/// An object with one more field in front.
fn with(name: &str, value: impl Into<Value>, object: Value) -> Value {
    let mut row = serde_json::Map::new();
    row.insert(name.to_owned(), value.into());
    if let Value::Object(fields) = object {
        row.extend(fields);
    }
    Value::Object(row)
}

#[pymethods]
impl Bill {
    /// All charges as JSON.
    fn total(&self) -> String {
        charges(&self.0.total()).to_string()
    }

    /// Charges by billing month, a JSON list.
    fn months(&self) -> String {
        let months = self.0.months().iter().map(|(month, of)| with("month", month.to_string(), charges(of)));
        Value::from_iter(months).to_string()
    }

    /// Charges by billing day, a JSON list.
    fn days(&self, py: Python<'_>) -> String {
        let days = py.detach(|| self.0.days());
        Value::from_iter(days.iter().map(|(day, of)| with("day", day.to_string(), charges(of)))).to_string()
    }

    /// Charges by hour, as arrays of float64: indices of the usage's grid.
    fn hours<'py>(&self, py: Python<'py>, first: usize, end: usize) -> PyResult<Bound<'py, PyDict>> {
        let hours = py.detach(|| self.0.hours(first..end.max(first)));
        let column = |of: fn(&Charges) -> f64| -> Bound<'py, PyArray1<f64>> {
            hours.iter().map(|(_, charges)| of(charges)).collect::<Vec<f64>>().into_pyarray(py)
        };
        let columns = PyDict::new(py);
        let first: Vec<i64> = hours.iter().map(|(hour, _)| hour.since_epoch()).collect();
        columns.set_item("hour", first.into_pyarray(py))?;
        columns.set_item("on_demand_equivalent", column(|charges| charges.on_demand_equivalent.to_f64()))?;
        columns.set_item("on_demand", column(|charges| charges.on_demand.to_f64()))?;
        columns.set_item("used_commitment", column(|charges| charges.used_commitment.to_f64()))?;
        columns.set_item("unused_commitment", column(|charges| charges.unused_commitment.to_f64()))?;
        columns.set_item("cost", column(|charges| charges.cost().to_f64()))?;
        Ok(columns)
    }

    /// By usage line, a JSON list; `column` is the line's place in the usage.
    fn lines(&self) -> String {
        let lines = self.0.lines().iter().map(|line| {
            json!({
                "column": line.column,
                "quantity": line.quantity,
                "covered": line.covered,
                "on_demand_equivalent": line.on_demand_equivalent,
                "on_demand": line.on_demand,
                "sustained_use_discount": line.sustained_use_discount,
            })
        });
        Value::from_iter(lines).to_string()
    }

    /// By commitment, a JSON list.
    fn commitments(&self) -> String {
        let commitments = self.0.commitments().iter().map(|one| {
            json!({
                "id": one.id,
                "hours": one.hours,
                "provided": one.provided,
                "used": one.used,
                "utilisation": one.utilisation(),
                "covered": one.covered,
                "cost": one.charges.commitment(),
                "used_cost": one.charges.used_commitment,
                "unused_cost": one.charges.unused_commitment,
                "net_savings": one.net_savings(),
            })
        });
        Value::from_iter(commitments).to_string()
    }

    /// Every payment by date, a JSON list.
    fn cash(&self, py: Python<'_>) -> String {
        let cash = py.detach(|| self.0.cash());
        let payments = cash.iter().map(|payment| {
            let kind = match payment.kind {
                CashKind::OnDemand => "on_demand",
                CashKind::Upfront => "upfront",
                CashKind::Recurring => "recurring",
            };
            json!({"date": payment.date, "kind": kind, "commitment": payment.commitment, "amount": payment.amount})
        });
        Value::from_iter(payments).to_string()
    }

    /// The waterfall of one hour, JSON with the same in words; `None` if the hour is not in the usage.
    fn explain(&self, instant: DateTime<Utc>) -> Option<String> {
        let of = self.0.explain(Hour::containing(instant))?;
        let steps = of.steps.iter().map(|step| {
            json!({
                "commitment": step.commitment,
                "line": step.line,
                "weight": step.weight,
                "taken": step.taken,
                "open_before": step.open_before,
                "open_after": step.open_after(),
                "left_before": step.left_before,
                "left_after": step.left_after(),
            })
        });
        let row = json!({
            "hour": of.hour.start(),
            "steps": steps.collect::<Vec<_>>(),
            "on_demand": of.on_demand,
            "unused": of.unused,
            "text": of.to_string(),
        });
        Some(row.to_string())
    }
}

/// The bill of usage under a portfolio.
#[pyfunction]
pub(crate) fn bill(py: Python<'_>, usage: &UsageCurves, catalog: &Catalog, portfolio: &Portfolio, rules: &str) -> Result<Bill> {
    let rules: Rules = serde_json::from_str(rules)?;
    detached(py, None, || Ok(Judge::new(&usage.0, &catalog.0, &portfolio.0, &rules)?.bill())).map(Bill)
}

/// The amortised cost in float64, without the detail.
#[pyfunction]
pub(crate) fn billed_cost(
    py: Python<'_>,
    usage: &UsageCurves,
    catalog: &Catalog,
    portfolio: &Portfolio,
    rules: &str,
) -> Result<f64> {
    let rules: Rules = serde_json::from_str(rules)?;
    detached(py, None, || Ok(Judge::new(&usage.0, &catalog.0, &portfolio.0, &rules)?.cost()))
}

/// Some hours of the bill as FOCUS rows, a JSON list.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "as Python hands them over")]
pub(crate) fn focus_rows(
    py: Python<'_>,
    usage: &UsageCurves,
    catalog: &Catalog,
    portfolio: &Portfolio,
    rules: &str,
    first: usize,
    end: usize,
) -> Result<String> {
    let rules: Rules = serde_json::from_str(rules)?;
    let rows = detached(py, None, || {
        let judge = Judge::new(&usage.0, &catalog.0, &portfolio.0, &rules)?;
        judge.focus_rows(first..end.min(usage.0.grid().count).max(first), catalog.0.currency())
    })?;
    Ok(serde_json::to_string(&rows)?)
}
