//! What a plan does with what is held, for people and programs; shared by `covermix recommend --rights` and `covermix rebalance`.

use crate::answer::Result;
use crate::inputs::{self, exact};
use covermix::catalog::Catalog;
use covermix::planning::{Plan, PlannedAction};
use covermix::portfolio::{Assumptions, Portfolio};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

/// The assumptions of a file; the published rules without one.
pub(crate) fn assumptions(path: Option<&PathBuf>) -> Result<Assumptions> {
    let Some(path) = path else { return Ok(Assumptions::default()) };
    Ok(Assumptions::from_json(&inputs::read_text(path)?).map_err(|error| error.in_file(path))?)
}

/// The account that buys if nobody says: the one that most commitments are held by.
pub(crate) fn buyer(portfolio: &Portfolio) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for held in portfolio.commitments() {
        *counts.entry(held.account.as_str()).or_insert(0_usize) += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(account, _)| account.to_owned()).unwrap_or_default()
}

/// The actions as lines.
pub(crate) fn table(plan: &Plan, catalog: &Catalog) -> String {
    if plan.actions().is_empty() {
        return "Nothing to do with what is held.".to_owned();
    }
    let mut text = String::from("What to do with what is held, and what the plan would cost more without each:\n");
    for action in plan.actions() {
        let _ = writeln!(text, "  {action}");
    }
    let worth: f64 = plan.actions().iter().filter_map(|action| action.value).sum();
    let _ = write!(text, "  worth {worth:.0} {} in all, taken one by one", catalog.currency());
    text
}

/// The actions for programs.
pub(crate) fn document(plan: &Plan) -> Value {
    plan.actions().iter().map(action).collect()
}

/// One action for programs.
pub(crate) fn action(of: &PlannedAction) -> Value {
    let gives: Vec<Value> =
        of.gives.iter().map(|(commitment, quantity)| json!({ "commitment": commitment, "quantity": quantity })).collect();
    let receives: Vec<Value> = of
        .receives
        .iter()
        .map(|received| json!({ "offer": received.offer, "quantity": received.quantity, "scope": received.scope }))
        .collect();
    json!({
        "action": of.kind, "times": of.times, "decided": of.decided, "at": of.at, "deadline": of.deadline, "gives": gives,
        "receives": receives, "paid": exact(of.paid), "value": of.value, "reason": of.reason,
    })
}
