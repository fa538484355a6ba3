//! What a plan does with what is held, and what it costs at the prices of scenarios, for people and programs; shared by `covermix recommend`,
//! `covermix rebalance` and `covermix negotiate`.

use crate::answer::Result;
use crate::inputs::{self, exact};
use covermix::catalog::Catalog;
use covermix::planning::{Plan, PlannedAction, Repriced};
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
    let mut text = format!(
        "What to do with what is held, and by how many {} the plan would cost more without each alone (which do not add up):",
        catalog.currency()
    );
    for action in plan.actions() {
        let _ = write!(text, "\n  {action}");
    }
    text
}

/// A line for each scenario whose price changes the plan was not made with.
pub(crate) fn note_prices(repriced: &[Repriced], currency: &str, text: &mut String) {
    for scenario in repriced {
        let _ = write!(text, "\nnote, in {currency} over the hours planned: {scenario}");
    }
    if !repriced.is_empty() {
        text.push('\n');
    }
}

/// The same for programs.
pub(crate) fn prices_document(repriced: &[Repriced]) -> Value {
    let one = |of: &Repriced| {
        json!({
            "scenario": of.scenario, "probability": of.probability, "on_demand": exact(of.on_demand), "affected": exact(of.affected),
            "affected_share": of.affected_share(), "before_at_catalog": exact(of.before_at_catalog), "before": exact(of.before),
            "plan_at_catalog": exact(of.plan_at_catalog), "plan": exact(of.plan),
        })
    };
    repriced.iter().map(one).collect()
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
