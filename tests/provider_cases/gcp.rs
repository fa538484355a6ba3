//! Published examples of Google Cloud, translated into cases: attribution to projects, flexible commitments, sustained use.

use crate::case::{self, decimal};
use crate::check::compare;
use crate::{Outcome, gcp_models, gcp_rights};
use covermix::billing::gcp::attribution::{AccountCharges, Allotment, FeeRule, ProjectUsage, attribute};
use covermix::billing::gcp::{calendar, converted_commitment, discount_of_fee};
use covermix::units::Money;
use rust_decimal::{Decimal, dec};
use serde_json::{Value, json};
use std::collections::BTreeSet;

type Parsed<T> = Result<T, String>;

pub(crate) fn run(example: &Value) -> Outcome {
    let inputs = &example["inputs"];
    let has = |field: &str| inputs.get(field).is_some();
    let topic = example["topic"].as_str().unwrap_or("");
    if let Some(Ok(outcome)) = gcp_rights::run(topic, inputs, &example["expected"]) {
        return outcome;
    }
    if let Some(outcome) = gcp_models::run(example) {
        return outcome.unwrap_or_else(Outcome::Unsupported);
    }
    if example["kind"] == "rule" {
        return Outcome::Unsupported("a rule without figures".into());
    }
    let found = if has("account_cud_credit") {
        attribution(example)
    } else if has("commitment_per_h_discounted") {
        flexible(inputs, &example["expected"])
    } else if has("old_commitment_on_demand") {
        conversion(inputs, &example["expected"])
    } else if has("flex_sku_price") || has("prices") {
        fees(inputs, &example["expected"])
    } else if has("bought") || has("purchase") {
        starts(inputs, &example["expected"])
    } else {
        reserved(inputs, &example["expected"])
    };
    match found {
        Ok(outcome) => outcome,
        Err(reason) => Outcome::Unsupported(reason),
    }
}

fn number(value: &Value, field: &str) -> Parsed<Decimal> {
    decimal(value.get(field).ok_or_else(|| format!("no {field}"))?)
}

fn outcome(reasons: Vec<String>) -> Outcome {
    if reasons.is_empty() { Outcome::Passed } else { Outcome::Failed(reasons) }
}

/// Cases of `cuds-prioritized-attribution`: usage and tranches of projects, credits and fee of the account, and what falls on each row.
fn attribution(example: &Value) -> Parsed<Outcome> {
    let (inputs, expected) = (&example["inputs"], &example["expected"]);
    if example["check"]["status"] == "discrepancy" {
        return Ok(Outcome::Unsupported("the source contradicts itself".into()));
    }
    let usage = inputs["usage"].as_object().ok_or("usage without the projects' names")?;
    let tranches = match (&inputs["tranches"], &inputs["tranche"]) {
        (Value::Array(tranches), _) => tranches.clone(),
        (_, tranche @ Value::Object(_)) => vec![tranche.clone()],
        _ => return Err("no tranches".into()),
    };
    let texts = |value: &Value| -> BTreeSet<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let named: BTreeSet<String> = tranches.iter().flat_map(|tranche| texts(&tranche["projects"])).collect();
    let rows: Vec<ProjectUsage> = usage
        .iter()
        .map(|(name, quantity)| {
            let project = if named.contains(name) { name.as_str() } else { project_of(name) };
            let folders = texts(&inputs["folders_of"][project]);
            Ok(ProjectUsage { project: project.into(), folders, quantity: decimal(quantity)? })
        })
        .collect::<Parsed<_>>()?;
    let allotments: Vec<Allotment> = tranches
        .iter()
        .map(|tranche| {
            let units = number(tranche, "amount")?;
            Ok(Allotment { units, projects: texts(&tranche["projects"]), folders: texts(&tranche["folders"]) })
        })
        .collect::<Parsed<_>>()?;
    let allotted: Decimal = allotments.iter().map(|allotment| allotment.units).sum();
    let covered = number(inputs, "account_cud_credit")?;
    let sustained = inputs.get("account_sud_credit").map_or(Ok(Decimal::ZERO), decimal)?;
    let account = AccountCharges {
        committed: allotted.max(inputs.get("committed").map_or(Ok(allotted), decimal)?),
        covered,
        credit: Money::new(covered),
        sustained_use_discount: Money::new(sustained),
        fee: Money::new(number(inputs, "commitment_cost")?),
    };
    let is_second = example["topic"].as_str().is_some_and(|topic| topic.contains("option 2"));
    let rule = if is_second { FeeRule::ByUse } else { FeeRule::ByAllotment };
    let found = match attribute(&account, &rows, &allotments, rule) {
        Ok(found) => found,
        Err(error) => return Ok(Outcome::Failed(vec![error.to_string()])),
    };
    let mut reasons = Vec::new();
    for (field, wanted) in expected.as_object().into_iter().flatten() {
        for (name, wanted) in wanted.as_object().into_iter().flatten() {
            let owners: BTreeSet<&str> = name.trim_end_matches(" rows").split('/').collect();
            let is_row = |row: &str| row == name || owners.contains(project_of(row));
            let exact = usage.contains_key(name);
            for ((row, _), share) in
                usage.iter().zip(&found.shares).filter(|((row, _), _)| if exact { *row == name } else { is_row(row) })
            {
                let figures = match field.as_str() {
                    "cud" => vec![share.credit],
                    "sud" => vec![share.sustained_use_discount],
                    "cost" => vec![share.fee],
                    "cud_and_cost" => vec![share.credit, share.fee],
                    _ => return Err(format!("expected field {field}")),
                };
                for figure in figures {
                    compare(Some(figure.value()), wanted, dec!(0.05), &format!("{field} of {row}"), &mut reasons);
                }
            }
        }
    }
    Ok(outcome(reasons))
}

/// `P1` of `P1(L1,L2)`.
fn project_of(name: &str) -> &str {
    name.split_once('(').map_or(name, |(project, _)| project)
}

/// Units committed against units running.
fn reserved(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let fields = inputs.as_object().ok_or("no inputs")?;
    let find = |words: &[&str]| {
        let mut found =
            fields.iter().filter(|(name, value)| words.iter().any(|word| name.contains(word)) && decimal(value).is_ok());
        found.next().map(|(_, value)| value)
    };
    let committed = decimal(find(&["commit", "reserved"]).ok_or("no adapter for these inputs")?)?;
    let running = decimal(find(&["running", "usage", "used"]).ok_or("nothing running")?)?;
    let mut wanted = json!({"lines": [{"price": "u"}], "commitments": [{"id": "r"}]});
    for (field, value) in expected.as_object().into_iter().flatten() {
        match field.as_str() {
            name if name.contains("unused") => wanted["commitments"][0]["unused"] = value.clone(),
            name if ["standard", "on_demand", "overage"].iter().any(|word| name.contains(word)) => {
                wanted["lines"][0]["on_demand_quantity"] = value.clone();
            }
            name if ["cud", "covered", "commit"].iter().any(|word| name.contains(word)) => {
                wanted["lines"][0]["covered"] = value.clone();
            }
            _ => return Err(format!("expected field {field}")),
        }
    }
    let translated = json!({
        "prices": [{"id": "u", "price": "1"}], "usage": [{"price": "u", "quantity": running.to_string()}],
        "offers": [{"id": "r", "benefit": {"kind": "reservation", "sku": "u"}, "recurring": "0.63"}],
        "commitments": [{"id": "r", "quantity": committed.to_string()}], "expected": wanted,
    });
    Ok(case::run(&translated, "gcp"))
}

/// A commitment in discounted dollars against usage in on-demand dollars, at one discount.
fn flexible(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let rate = Decimal::ONE - number(inputs, "discount")?;
    let mut wanted = json!({"lines": [{"price": "core"}], "total": {}, "commitments": [{"id": "f"}]});
    for (field, value) in expected.as_object().into_iter().flatten() {
        match field.as_str() {
            "covered_on_demand" => wanted["lines"][0]["covered"] = value.clone(),
            "overage" => wanted["lines"][0]["on_demand"] = value.clone(),
            "total" | "total_cost" | "cost" => wanted["total"]["cost"] = value.clone(),
            "unused" | "unused_commitment" => wanted["commitments"][0]["unused"] = value.clone(),
            "fee" | "commitment_cost" => wanted["total"]["commitment"] = value.clone(),
            "utilisation" | "utilization" => wanted["commitments"][0]["utilisation"] = value.clone(),
            "covered_at_cud_price" | "used" => wanted["commitments"][0]["used"] = value.clone(),
            _ => return Err(format!("expected field {field}")),
        }
    }
    let benefit = json!({"kind": "spend_plan", "plan": "Compute flexible", "rates": {"core": rate.to_string()}});
    let translated = json!({
        "prices": [{"id": "core", "price": "1"}],
        "usage": [{"price": "core", "quantity": inputs["usage_at_on_demand"]}],
        "offers": [{"id": "f", "benefit": benefit}],
        "commitments": [{"id": "f", "quantity": number(inputs, "commitment_per_h_discounted")?.to_string()}],
        "expected": wanted,
    });
    Ok(case::run(&translated, "gcp"))
}

fn conversion(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let found = converted_commitment(number(inputs, "old_commitment_on_demand")?, number(inputs, "discount")?);
    let mut reasons = Vec::new();
    compare(Some(found), &expected["new_commitment"], dec!(1e-9), "new commitment", &mut reasons);
    Ok(outcome(reasons))
}

/// Discounts from the fees of 0.01 of on-demand spend.
fn fees(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let mut reasons = Vec::new();
    let prices = inputs["prices"].as_array().cloned().unwrap_or_else(|| vec![inputs["flex_sku_price"].clone()]);
    let wanted = match (&expected["discount"], &expected["discount_pct"]) {
        (Value::Array(list), _) => list.clone(),
        (Value::Null, value) => vec![value.clone()],
        (value, _) => vec![value.clone()],
    };
    for (price, wanted) in prices.iter().zip(&wanted) {
        compare(Some(discount_of_fee(decimal(price)?)), wanted, dec!(1e-12), "discount", &mut reasons);
    }
    Ok(outcome(reasons))
}

/// Times of purchase (`16:49`) and the hours at which spend-based commitments start.
fn starts(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let texts = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .map_or_else(|| vec![value.clone()], Clone::clone)
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let bought = if inputs.get("bought").is_some() { &inputs["bought"] } else { &inputs["purchase"] };
    let wanted = ["start", "starts"].iter().find_map(|field| expected.get(*field)).ok_or("no start expected")?;
    let mut reasons = Vec::new();
    for (bought, wanted) in texts(bought).iter().zip(texts(wanted)) {
        let instant = format!("2026-01-01T{bought}:00Z").parse().map_err(|_| format!("{bought} is no time"))?;
        let found = calendar::spend_commitment_start(instant).format("%H:%M").to_string();
        if found != wanted {
            reasons.push(format!("bought at {bought}: starts at {found}, expected {wanted}"));
        }
    }
    Ok(outcome(reasons))
}
