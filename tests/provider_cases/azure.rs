//! Published examples of Azure, translated into cases: a number of units reserved against what runs, size flexibility, regional ratios.

use crate::case::{self, decimal};
use crate::{Outcome, azure_charges, azure_commitment, azure_rights, words};
use rust_decimal::Decimal;
use serde_json::{Value, json};

type Parsed<T> = Result<T, String>;

pub(crate) fn run(example: &Value) -> Outcome {
    let (inputs, expected) = (&example["inputs"], &example["expected"]);
    let is_rounded = example["check"]["status"] == "ok-rounded";
    let has = |field: &str| inputs.get(field).is_some();
    let topic = example["topic"].as_str().unwrap_or("");
    if let Some(outcome) = azure_rights::run(topic, inputs, expected) {
        return outcome.unwrap_or_else(Outcome::Unsupported);
    }
    if let Some(outcome) = azure_charges::run(inputs, expected, is_rounded) {
        return outcome.unwrap_or_else(Outcome::Unsupported);
    }
    if let Some(outcome) = azure_commitment::run(example) {
        return outcome.unwrap_or_else(Outcome::Unsupported);
    }
    if has("prepurchase") && has("reservation") && has("running") {
        return case::run(&before_pre_purchase(), "azure");
    }
    if example["kind"] == "rule" {
        return Outcome::Unsupported("a rule without figures".into());
    }
    let other = [("a provider's recommendation", &["look_back", "rows", "typical_hourly_payg"])];
    if let Some((reason, _)) = other.iter().find(|(_, fields)| fields.iter().any(|field| has(field))) {
        return Outcome::Unsupported((*reason).into());
    }
    let found = if has("ratios") {
        sizes(inputs, expected)
    } else if inputs.get("ratio").is_some_and(Value::is_object) && has("reservation_rus") {
        regions(inputs, expected)
    } else if inputs.get("hours").is_some_and(Value::is_array) {
        machine_hours(inputs, expected)
    } else if has("commitment") || has("hourly_commitment") {
        savings_plan(inputs, expected)
    } else {
        units(inputs, expected)
    };
    match found {
        Ok(translated) => case::run(&translated, "azure"),
        Err(reason) => Outcome::Unsupported(reason),
    }
}

/// A reservation that covers all of a machine's hours, beside a pre-purchase plan that could: its balance is unchanged.
fn before_pre_purchase() -> Value {
    let scope = json!({"kind": "subscription", "subscription": "A"});
    json!({
        "prices": [{"id": "vm", "price": "1"}], "usage": [{"price": "vm", "account": "A", "quantity": "1"}],
        "offers": [{"id": "r", "benefit": {"kind": "reservation", "sku": "vm"}, "recurring": "0.6"}],
        "commitments": [{"id": "r", "quantity": "1", "scope": scope}],
        "pre_purchase": [{"id": "p", "units": "100", "price": "100", "start": "2024-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z",
            "scope": scope, "ratios": {"vm": "1"}}],
        "expected": {"lines": [{"on_demand": "0"}], "pre_purchase": [{"id": "p", "left": "100"}]},
    })
}

/// A savings plan against records with pay-as-you-go, plan and perhaps negotiated rates.
fn savings_plan(inputs: &Value, expected: &Value) -> Parsed<Value> {
    let records = ["usage", "records"].iter().find_map(|name| inputs[*name].as_array()).ok_or("no records")?;
    let amount = inputs.get("commitment").or_else(|| inputs.get("hourly_commitment")).ok_or("no commitment")?;
    let number = |record: &Value, words: &[&str]| -> Option<Value> {
        let fields = record.as_object()?;
        fields
            .iter()
            .find(|(name, value)| words.iter().any(|word| name.contains(word)) && decimal(value).is_ok())
            .map(|(_, value)| value.clone())
    };
    let (mut prices, mut usage, mut rates) = (vec![], vec![], serde_json::Map::new());
    for (index, record) in records.iter().enumerate() {
        let id = ["id", "name", "sku"]
            .iter()
            .find_map(|name| record[*name].as_str())
            .map_or_else(|| format!("u{index}"), str::to_owned);
        let list = decimal(&number(record, &["payg", "on_demand"]).ok_or("no pay-as-you-go price")?)?;
        let negotiated = number(record, &["negotiated"]).map_or(Ok(list), |price| decimal(&price))?;
        let quantity = number(record, &["quantity", "hours", "units"]).unwrap_or_else(|| json!(1));
        let price = list.min(negotiated);
        prices.push(json!({"id": id, "price": price.to_string(), "list_price": list.to_string()}));
        usage.push(json!({"price": id, "quantity": decimal(&quantity)?.to_string()}));
        if let Some(rate) = number(record, &["plan", "sp_"]) {
            let rate = decimal(&rate)?;
            rates.insert(id, json!(rate.to_string()));
        }
    }
    let mut total = serde_json::Map::new();
    let mut plans = vec![json!({"id": "sp"})];
    for (name, value) in expected.as_object().into_iter().flatten() {
        match name.as_str() {
            "unused" | "unused_commitment" => plans.push(json!({"id": "sp", "unused": value})),
            "used" | "used_commitment" => plans.push(json!({"id": "sp", "used": value})),
            "payg" | "payg_cost" | "on_demand" | "overage" => drop(total.insert("on_demand".into(), value.clone())),
            "total" | "total_cost" | "cost" => drop(total.insert("cost".into(), value.clone())),
            _ => return Err(format!("expected field {name}")),
        }
    }
    Ok(json!({"prices": prices, "usage": usage, "rules": {"rates_above_on_demand": "allowed"},
        "offers": [{"id": "sp", "benefit": {"kind": "spend_plan", "plan": "Compute", "rates": rates}}],
        "commitments": [{"id": "sp", "quantity": decimal(amount)?.to_string()}], "expected": {"total": total, "commitments": plans}}))
}

/// One reservation of a size against machines of other sizes of its group.
fn sizes(inputs: &Value, expected: &Value) -> Parsed<Value> {
    let ratios = inputs["ratios"].as_object().ok_or("ratios")?;
    let running = inputs["running"].as_object().ok_or("no machines running")?;
    let reserved = inputs["reservation"]["sku"].as_str().ok_or("no size reserved")?;
    let pool = |name: &str| json!({"pool": "group", "units": ratios[name].to_string()});
    let prices: Vec<Value> =
        ratios.iter().map(|(name, ratio)| json!({"id": name, "price": ratio.to_string(), "pools": [pool(name)]})).collect();
    let usage: Vec<Value> = running.iter().map(|(name, count)| json!({"price": name, "quantity": count})).collect();
    let machines: Decimal = running.values().map(decimal).sum::<Parsed<Decimal>>()?;
    let mut covered = None;
    for (field, value) in expected.as_object().into_iter().flatten() {
        match field.as_str() {
            "covered_vms" => covered = Some(decimal(value)?),
            "covered_fraction_of_vm" => covered = Some(decimal(value)? * machines),
            "payg" => covered = Some(machines - decimal(value)?),
            _ => return Err(format!("expected field {field}")),
        }
    }
    let covered = covered.ok_or("nothing expected")?;
    let benefit = json!({"kind": "reservation", "sku": reserved, "pool": pool(reserved)});
    // Lines without a name sum over all.
    Ok(json!({
        "prices": prices, "usage": usage, "offers": [{"id": "r", "benefit": benefit, "recurring": "0.1"}],
        "commitments": [{"id": "r", "quantity": inputs["reservation"]["quantity"].to_string()}],
        "expected": {"lines": [{"covered": covered.to_string()}]},
    }))
}

/// Request units a second reserved against regions of different ratios.
fn regions(inputs: &Value, expected: &Value) -> Parsed<Value> {
    let ratios = inputs["ratio"].as_object().ok_or("ratio")?;
    let usage = inputs["usage"].as_object().ok_or("usage")?;
    let first = inputs["first"].as_str().unwrap_or_default();
    let units = |name: &str| ratios.get(name).map(Value::to_string).ok_or_else(|| format!("no ratio of {name}"));
    let mut prices = Vec::new();
    for name in usage.keys() {
        let units = units(name)?;
        // The region named first is the one that saves most.
        let price = if name == first { Decimal::from(100) } else { Decimal::ONE };
        prices.push(json!({"id": name, "price": price.to_string(), "pools": [{"pool": "RU", "units": units}]}));
    }
    let lines: Vec<Value> = expected["discounted"]
        .as_object()
        .ok_or("no discounted regions expected")?
        .iter()
        .map(|(name, covered)| json!({"price": name, "covered": covered}))
        .collect();
    let sku = usage.keys().next().ok_or("no usage")?;
    let benefit = json!({"kind": "reservation", "sku": sku, "pool": {"pool": "RU", "units": "1"}});
    let usage: Vec<Value> = usage.iter().map(|(name, quantity)| json!({"price": name, "quantity": quantity})).collect();
    // The page rounds the covered side down.
    Ok(json!({
        "prices": prices, "usage": usage, "offers": [{"id": "r", "benefit": benefit, "recurring": "0.1"}], "tolerance": "1",
        "commitments": [{"id": "r", "quantity": inputs["reservation_rus"].to_string()}], "expected": {"lines": lines},
    }))
}

/// Hours in which several machines run for parts of the hour.
fn machine_hours(inputs: &Value, expected: &Value) -> Parsed<Value> {
    let hours = inputs["hours"].as_array().ok_or("hours")?;
    let quantities: Vec<String> = hours
        .iter()
        .map(|hour| {
            hour.as_object()
                .ok_or("an hour without machines")?
                .values()
                .map(decimal)
                .sum::<Parsed<Decimal>>()
                .map(|sum| sum.to_string())
        })
        .collect::<Parsed<_>>()?;
    let on_demand = expected["payg_hours"].as_array().ok_or("no payg_hours expected")?;
    let wanted: Vec<Value> = on_demand
        .iter()
        .enumerate()
        .map(|(hour, value)| json!({"hour": hour, "lines": [{"price": "unit", "on_demand_quantity": value}]}))
        .collect();
    Ok(plain(&inputs["reservation_quantity"], json!([{"price": "unit", "quantity": quantities}]), json!({"hours": wanted})))
}

/// A case of one SKU and one reservation of it.
#[allow(clippy::needless_pass_by_value)]
fn plain(reserved: &Value, usage: Value, expected: Value) -> Value {
    let benefit = json!({"kind": "reservation", "sku": "unit"});
    json!({
        "prices": [{"id": "unit", "price": "1"}], "usage": usage,
        "offers": [{"id": "r", "benefit": benefit, "recurring": "0.1"}],
        "commitments": [{"id": "r", "quantity": reserved.to_string()}], "expected": expected,
    })
}

/// Units reserved (vCores, CU, PTU, TiB, disks) against units in use: at once, or hour by hour.
fn units(inputs: &Value, expected: &Value) -> Parsed<Value> {
    let fields = inputs.as_object().ok_or("no inputs")?;
    let reserved = fields.iter().find(|(name, value)| name.starts_with("reserved") && value.is_number());
    let reserved = reserved.map(|(_, value)| value).ok_or("no number of units reserved")?;
    let by_hour = fields.get("used_tib_by_hour").or_else(|| fields.get("used"));
    let expectation = |value: &Value, field: &str| -> Parsed<Value> {
        Ok(match field {
            name if name.starts_with("covered") => json!({"lines": [{"covered": value}]}),
            name if name.starts_with("payg") => json!({"lines": [{"on_demand_quantity": value}]}),
            name if name.starts_with("unused") || name.starts_with("wasted") => {
                json!({"commitments": [{"id": "r", "unused": value}]})
            }
            name => return Err(format!("expected field {name}")),
        })
    };
    let expected = expected.as_object().ok_or("nothing expected")?;
    if let Some(Value::Array(used)) = by_hour {
        let mut hours = Vec::new();
        for (field, values) in expected {
            for (hour, value) in values.as_array().ok_or("one expected value for several hours")?.iter().enumerate() {
                let mut wanted = expectation(value, field)?;
                wanted["hour"] = json!(hour);
                hours.push(wanted);
            }
        }
        return Ok(plain(reserved, json!([{"price": "unit", "quantity": used}]), json!({"hours": hours})));
    }
    let running = fields.iter().find(|(name, _)| ["deployed", "running", "cluster"].iter().any(|word| name.starts_with(word)));
    let mut usage = Vec::new();
    for (index, item) in running.map(|(_, value)| values(value)).ok_or("nothing running")??.into_iter().enumerate() {
        usage.push(json!({"price": "unit", "account": index.to_string(), "quantity": item.to_string()}));
    }
    // Several figures of one hour, each as a check of that hour.
    let mut hours = Vec::new();
    for (field, value) in expected {
        let mut wanted = expectation(value, field)?;
        wanted["hour"] = json!(0);
        hours.push(wanted);
    }
    Ok(plain(reserved, json!(usage), json!({"hours": hours})))
}

/// The quantities of things running: numbers, or objects with units and hours.
fn values(running: &Value) -> Parsed<Vec<Decimal>> {
    let one = |item: &Value| -> Parsed<Decimal> {
        if item.is_number() {
            return decimal(item);
        }
        if let Some(text) = item.as_str() {
            return Ok(words::units(text));
        }
        let fields = item.as_object().ok_or_else(|| format!("{item} is no quantity"))?;
        let units = ["vcores", "cores", "units", "cu", "ptu", "count"].iter().find_map(|name| fields.get(*name));
        let part =
            |name: &str, whole: i64| fields.get(name).map(|value| decimal(value).map(|value| value / Decimal::from(whole)));
        let hours = part("hours", 1).or_else(|| part("minutes", 60)).unwrap_or(Ok(Decimal::ONE))?;
        Ok(decimal(units.ok_or_else(|| format!("no units in {item}"))?)? * hours)
    };
    match running {
        Value::Array(items) => items.iter().map(one).collect(),
        Value::Object(items) if items.values().all(Value::is_number) => items.values().map(one).collect(),
        Value::Object(_) | Value::Number(_) | Value::String(_) => Ok(vec![one(running)?]),
        _ => Err(format!("{running}: no quantities")),
    }
}
