//! Balances of an Azure consumption commitment: what its events and purchases leave of it.

use crate::Outcome;
use crate::case::decimal;
use crate::check::compare;
use covermix::finance::agreement::{Spend, SpendKind, burn_down, contract};
use rust_decimal::{Decimal, dec};
use serde_json::Value;

type Parsed<T> = Result<T, String>;

/// Names that a commitment's amount goes by.
const AMOUNTS: [&str; 8] =
    ["original", "original_amount", "originalAmount", "commitment", "macc", "macc_commitment", "commit", "opening_balance"];

/// The outcome, if the example is of this kind.
pub(crate) fn run(example: &Value) -> Option<Parsed<Outcome>> {
    let inputs = &example["inputs"];
    let text = format!("{} {}", example["id"], example["topic"]).to_lowercase();
    let is_macc = ["macc", "consumption commitment", "caco"].iter().any(|word| text.contains(word));
    let has_ledger = inputs.get("original").is_some() && inputs.get("events").is_some();
    (is_macc || has_ledger).then(|| ledger(example))
}

fn ledger(example: &Value) -> Parsed<Outcome> {
    let (inputs, expected) = (&example["inputs"], &example["expected"]);
    let commitment = AMOUNTS.iter().find_map(|name| inputs.get(*name)).ok_or("no amount committed")?;
    let text = format!("{} {}", example["topic"], inputs).to_lowercase();
    let counting = if text.contains("caco") { contract::azure_caco_counting() } else { contract::azure_macc_counting() };
    let mut spend = Vec::new();
    for (name, value) in inputs.as_object().into_iter().flatten().filter(|(name, _)| !AMOUNTS.contains(&name.as_str())) {
        enter(name, value, &mut spend)?;
    }
    let balances = burn_down(decimal(commitment)?, &spend, &counting).map_err(|error| error.to_string())?;
    let closed: Vec<Decimal> = balances.iter().map(|balance| balance.closed).collect();
    let last = closed.last().copied().unwrap_or(decimal(commitment)?);
    let mut reasons = Vec::new();
    let fields = expected
        .as_object()
        .map_or_else(|| vec![("balance", expected)], |all| all.iter().map(|(k, v)| (k.as_str(), v)).collect());
    for (name, wanted) in fields {
        match wanted {
            Value::Array(list) => {
                if list.len() != closed.len() {
                    reasons.push(format!("{name}: {} balances, expected {}", closed.len(), list.len()));
                }
                for (found, wanted) in closed.iter().zip(list) {
                    let wanted = wanted.get("closedBalance").unwrap_or(wanted);
                    compare(Some(*found), wanted, dec!(0.000001), name, &mut reasons);
                }
            }
            _ => {
                let lower = name.to_lowercase();
                let found = if ["decrement", "counted", "burned", "consumed"].iter().any(|word| lower.contains(word)) {
                    decimal(commitment)? - last
                } else if lower.contains("shortfall")
                    || lower.contains("balance")
                    || lower.contains("remain")
                    || lower.contains("left")
                    || lower.contains("macc")
                    || lower.contains("after")
                {
                    last
                } else {
                    return Ok(Outcome::Unsupported(format!("expected field {name}")));
                };
                // Where the source contradicts itself, the figure its own events give.
                let computed = example["check"]["items"].as_array().into_iter().flatten().find(|item| item["ok"] == false);
                let wanted = computed.map_or(wanted, |item| &item["computed"]);
                compare(Some(found), wanted, dec!(0.000001), name, &mut reasons);
            }
        }
    }
    Ok(if reasons.is_empty() { Outcome::Passed } else { Outcome::Failed(reasons) })
}

/// What an input of this name spends; lists and objects give several amounts, one after the other.
fn enter(name: &str, value: &Value, spend: &mut Vec<Spend>) -> Parsed<()> {
    match value {
        Value::Array(list) => return list.iter().try_for_each(|value| enter(name, value, spend)),
        Value::Object(fields) => {
            let amount = ["charges", "amount", "charge", "value"].iter().find_map(|name| fields.get(*name));
            if let Some(amount) = amount {
                let kind =
                    ["kind", "type", "eventType", "description", "what"].iter().find_map(|name| fields.get(*name)?.as_str());
                return enter(kind.unwrap_or(name), amount, spend);
            }
            return fields.iter().try_for_each(|(name, value)| enter(name, value, spend));
        }
        Value::Number(_) | Value::String(_) => {}
        Value::Null | Value::Bool(_) => return Ok(()),
    }
    let Ok(amount) = decimal(value) else { return Ok(()) };
    let lower = name.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let is_use = says(&["usage", "used", "use_", "consum", "paid_from", "covered", "drawn"]);
    let kind = if says(&["prepay", "credit"]) {
        if is_use { SpendKind::PaidFromCredit } else { SpendKind::Prepayment }
    } else if says(&["reserv", "savings", "plan", "instal"]) {
        // What a reservation or plan covers is free: only buying it counts.
        if is_use { SpendKind::PaidFromCredit } else { SpendKind::CommitmentUpfront }
    } else if says(&["market"]) {
        SpendKind::Marketplace
    } else if says(&["support"]) {
        SpendKind::Support
    } else if says(&["tax"]) {
        SpendKind::Tax
    } else {
        SpendKind::Usage
    };
    let day = u64::try_from(spend.len()).unwrap_or_default();
    let date = chrono::NaiveDate::default().checked_add_days(chrono::Days::new(day)).ok_or("too many events")?;
    // Events carry a sign, purchases do not.
    let amount = amount.abs();
    spend.push(Spend { date, kind, item: String::new(), gross: amount, net: amount });
    Ok(())
}
