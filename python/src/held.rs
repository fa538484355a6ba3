//! What is held: what may be done with it and until when, what a plan does with it, and the orders that follow.

use crate::data::{Catalog, Portfolio};
use crate::error::Result;
use crate::planning::{Effort, Plan, Problem};
use crate::run::{Callback, detached, with_progress};
use crate::usage::UsageCurves;
use chrono::{DateTime, Utc};
use covermix::billing::Rules;
use covermix::planning::PlannedAction;
use covermix::planning::orders::{self as ordering, Came, Cause, Orders};
use covermix::portfolio::action::Verdict;
use covermix::portfolio::deadline::{Deadline, DeadlineKind};
use covermix::portfolio::reconciliation::{self, Prefer};
use covermix::portfolio::{Assumptions, Ledger, deadline, rights, state};
use covermix::units::Money;
use covermix::{Error, Problem as Wrong};
use pyo3::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::sync::Arc;

fn assumed(text: &str) -> Result<Assumptions> {
    Ok(Assumptions::from_json(text)?)
}

/// Assumptions about commitments, checked, in full.
#[pyfunction]
pub(crate) fn check_assumptions(json: &str) -> Result<String> {
    Ok(serde_json::to_string(&assumed(json)?)?)
}

fn of_deadline(of: &Deadline) -> Value {
    let (kind, action) = match of.kind {
        DeadlineKind::LastChance { action } => ("last_chance", Some(action)),
        DeadlineKind::Renewal => ("renewal", None),
        DeadlineKind::Expiry => ("expiry", None),
        DeadlineKind::ExchangePolicy => ("exchange_policy", None),
    };
    json!({
        "last": of.last,
        "commitment": of.commitment,
        "kind": kind,
        "action": action,
        "opens": of.opens,
        "rule": of.rule.to_string(),
        "per_hour": of.per_hour,
        "prepaid": of.prepaid,
        "obligation": of.obligation,
    })
}

/// Every deadline that is not over, the earliest first: a JSON list. With spans only those that fall within one of so many days.
#[pyfunction]
#[pyo3(signature = (portfolio, catalog, at, assumptions, spans=None))]
pub(crate) fn deadlines(
    py: Python<'_>,
    portfolio: &Portfolio,
    catalog: &Catalog,
    at: DateTime<Utc>,
    assumptions: &str,
    spans: Option<Vec<u32>>,
) -> Result<String> {
    let assumptions = assumed(assumptions)?;
    let rows = detached(py, None, || match spans {
        Some(spans) => {
            let alerts = deadline::alerts(&portfolio.0, &catalog.0, at, &assumptions, &spans)?;
            Ok(Value::from_iter(alerts.iter().map(|alert| of_deadline(&alert.deadline))))
        }
        None => {
            let all = deadline::deadlines(&portfolio.0, &catalog.0, at, &assumptions)?;
            Ok(Value::from_iter(all.iter().map(of_deadline)))
        }
    })?;
    Ok(rows.to_string())
}

/// Every action on every commitment at an instant: allowed until when, or why not. A JSON list.
#[pyfunction]
pub(crate) fn permissions(
    py: Python<'_>,
    portfolio: &Portfolio,
    catalog: &Catalog,
    at: DateTime<Utc>,
    assumptions: &str,
    ledger: &str,
) -> Result<String> {
    let (assumptions, ledger): (_, Ledger) = (assumed(assumptions)?, serde_json::from_str(ledger)?);
    let all = detached(py, None, || rights::permissions(&portfolio.0, &catalog.0, at, &assumptions, &ledger))?;
    let rows = all.iter().map(|of| {
        let (is_allowed, until, rule, why) = match &of.verdict {
            Verdict::Allowed(window) => (true, Some(window.until), window.rule, String::new()),
            Verdict::Refused(refusal) => (false, None, refusal.rule, refusal.because.to_string()),
        };
        json!({
            "commitment": of.commitment, "action": of.action, "is_allowed": is_allowed, "until": until, "rule": rule.to_string(), "why": why,
        })
    });
    Ok(Value::from_iter(rows).to_string())
}

/// Positions, charges to come by month, and how locked in one is, of what is held at an instant: JSON.
#[pyfunction]
pub(crate) fn portfolio_state(py: Python<'_>, portfolio: &Portfolio, catalog: &Catalog, at: DateTime<Utc>) -> Result<String> {
    let document = detached(py, None, || {
        let holdings = portfolio.0.holdings(&catalog.0)?;
        Ok(json!({
            "positions": state::positions(&holdings, &catalog.0, at),
            "obligations": state::obligations(&holdings, at),
            "lock_in": state::lock_in(&holdings, at),
        }))
    })?;
    Ok(document.to_string())
}

/// What each action gives and costs at an instant, one commitment at a time: a JSON list.
#[pyfunction]
pub(crate) fn quotes(
    py: Python<'_>,
    portfolio: &Portfolio,
    catalog: &Catalog,
    at: DateTime<Utc>,
    assumptions: &str,
    ledger: &str,
) -> Result<String> {
    let (assumptions, ledger): (_, Ledger) = (assumed(assumptions)?, serde_json::from_str(ledger)?);
    let quotes = detached(py, None, || rights::quotes(&portfolio.0, &catalog.0, at, &assumptions, &ledger))?;
    Ok(serde_json::to_string(&quotes)?)
}

/// A portfolio compared with the one that the bill shows: JSON, and the two merged. `prefer` is `ours` or `bill`.
#[pyfunction]
pub(crate) fn reconcile_portfolios(
    py: Python<'_>,
    ours: &Portfolio,
    bill: &Portfolio,
    catalog: &Catalog,
    prefer: &str,
) -> Result<(String, Portfolio)> {
    let prefer = match prefer {
        "ours" => Prefer::Ours,
        "bill" => Prefer::Bill,
        other => {
            let problem = Wrong::Value { value: other.to_owned(), expected: "`ours` or `bill`" };
            return Err(Error::from(problem).in_field("prefer").into());
        }
    };
    let of = detached(py, None, || reconciliation::reconcile(&ours.0, &bill.0, &catalog.0, prefer))?;
    let document = json!({
        "matched": of.matched,
        "only_ours": of.only_ours,
        "only_bill": of.only_bill,
        "differences": of.differences,
    });
    Ok((document.to_string(), Portfolio(of.merged)))
}

/// What may be done with what is held, a JSON list.
#[pyfunction]
pub(crate) fn changes(py: Python<'_>, problem: &Problem) -> Result<String> {
    let inputs = &problem.0;
    let rows = detached(py, None, || Ok(json!(inputs.build()?.changes())))?;
    Ok(rows.to_string())
}

fn of_action(action: &PlannedAction) -> Value {
    json!({
        "kind": action.kind,
        "times": action.times,
        "decided": action.decided,
        "at": action.at,
        "gives": action.gives,
        "receives": action.receives,
        "paid": action.paid,
        "value": action.value,
        "deadline": action.deadline,
        "before": action.before,
        "after": action.after,
        "reason": action.reason,
        "change": action.change.as_ref().map(|change| change.id.clone()),
        "sentence": action.to_string(),
    })
}

/// What a plan does with what is held, a JSON list.
#[pyfunction]
pub(crate) fn actions(plan: &Plan) -> String {
    Value::from_iter(plan.answer.actions().iter().map(of_action)).to_string()
}

/// Every commitment held, by waste, the largest first: a JSON list.
#[pyfunction]
pub(crate) fn triage(py: Python<'_>, plan: &Plan, now: DateTime<Utc>) -> Result<String> {
    let findings = detached(py, None, || plan.inputs.build()?.triage(&plan.answer, now))?;
    let rows = findings.iter().map(|of| {
        json!({
            "commitment": of.commitment,
            "offer": of.offer,
            "quantity": of.quantity,
            "end": of.end,
            "utilisation": of.utilisation,
            "monthly_waste": of.monthly_waste,
            "uncovered": of.uncovered,
            "uncovered_beside": of.uncovered_beside,
            "actions": of.actions.iter().map(of_action).collect::<Vec<_>>(),
            "deadlines": of.deadlines.iter().map(of_deadline).collect::<Vec<_>>(),
            "deadline": of.deadline(),
        })
    });
    Ok(Value::from_iter(rows).to_string())
}

/// What a plan buys on which date, and what expires in which month after it: JSON.
#[pyfunction]
pub(crate) fn calendar(py: Python<'_>, plan: &Plan) -> Result<String> {
    let (tranches, ladder) = detached(py, None, || {
        let problem = plan.inputs.build()?;
        Ok((plan.answer.calendar(&problem)?, plan.answer.ladder(&problem)?))
    })?;
    let tranches = tranches.iter().map(|of| {
        json!({
            "date": of.date, "purchases": of.purchases, "hourly": of.hourly, "upfront": of.upfront, "running": of.running,
        })
    });
    let months = ladder.iter().map(|(month, of)| json!({"month": month.to_string(), "held": of.held, "bought": of.bought}));
    Ok(json!({"tranches": tranches.collect::<Vec<_>>(), "ladder": months.collect::<Vec<_>>()}).to_string())
}

/// What the rights of what is held cost and are worth: JSON, and whether Ctrl-C ended a search.
#[pyfunction]
#[pyo3(signature = (problem, effort, threads=None, progress=None))]
pub(crate) fn flexibility(
    py: Python<'_>,
    problem: &Problem,
    effort: &str,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> Result<(String, bool)> {
    let effort: Effort = serde_json::from_str(effort)?;
    let inputs = Arc::clone(&problem.0);
    let work = move |callback: &Callback<'_>| inputs.build()?.flexibility(&effort.options(Some(callback))?);
    let answer = with_progress(py, threads, progress, work)?;
    let of = answer.value;
    let row = json!({
        "cost_a_year": of.cost_a_year, "worth_a_year": of.worth_a_year, "net_a_year": of.net_a_year(), "scenarios": of.scenarios,
    });
    Ok((row.to_string(), answer.is_interrupted))
}

/// A plan as orders, a document of the library.
#[pyfunction]
pub(crate) fn plan_orders(py: Python<'_>, plan: &Plan, account: &str) -> Result<String> {
    Ok(detached(py, None, || plan.answer.orders(&plan.inputs.build()?, account))?.to_json())
}

/// Whether a document is one of orders.
#[pyfunction]
pub(crate) fn check_orders(text: &str) -> Result<()> {
    Ok(Orders::from_json(text).map(drop)?)
}

/// Orders as CSV.
#[pyfunction]
pub(crate) fn orders_csv(text: &str) -> Result<String> {
    Ok(Orders::from_json(text)?.to_csv())
}

/// The portfolio that there should be after the orders.
#[pyfunction]
pub(crate) fn apply_orders(text: &str, held: &Portfolio) -> Result<Portfolio> {
    Ok(Portfolio(Orders::from_json(text)?.apply(&held.0)?))
}

/// What was promised against what came, JSON: usage, catalog and portfolio of the plan, then those that came.
#[pyfunction]
#[pyo3(signature = (orders, promised, came, rules, billed=None))]
pub(crate) fn verify_orders(
    py: Python<'_>,
    orders: &str,
    promised: (PyRef<'_, UsageCurves>, PyRef<'_, Catalog>, PyRef<'_, Portfolio>),
    came: (PyRef<'_, UsageCurves>, PyRef<'_, Catalog>, PyRef<'_, Portfolio>),
    rules: &str,
    billed: Option<Decimal>,
) -> Result<String> {
    let (orders, rules): (_, Rules) = (Orders::from_json(orders)?, serde_json::from_str(rules)?);
    let (usage, catalog, held) = (&promised.0.0, &*promised.1.0, &promised.2.0);
    let came = Came { usage: &came.0.0, catalog: &came.1.0, portfolio: &came.2.0, billed: billed.map(Money::new) };
    let of = detached(py, None, || ordering::verify(&orders, (usage, catalog, held), &came, &rules))?;
    let effects = of.orders.iter().map(|effect| {
        let cause = match effect.cause {
            Cause::AsOrdered => "as_ordered",
            Cause::NotExecuted => "not_executed",
            Cause::OtherTime => "other_time",
            Cause::OtherQuantity => "other_quantity",
            Cause::OtherPrice => "other_price",
        };
        json!({"order": effect.order, "cause": cause, "amount": effect.amount})
    });
    let row = json!({
        "promised": of.promised,
        "came": of.came,
        "usage": of.usage,
        "price": of.price,
        "orders": effects.collect::<Vec<_>>(),
        "unordered": of.unordered,
        "rest": of.rest,
        "difference": of.difference(),
        "text": of.to_string(),
    });
    Ok(row.to_string())
}
