//! AWS's published examples, translated into cases: Savings Plans by rates, Reserved Instances by types or plain units, Redshift
//! Serverless RPU. What a translation does not read of `expected` is not compared; an example of which nothing can be compared is
//! unsupported.

use crate::case::{self, decimal, object};
use crate::{Outcome, aws_rights, aws_rows, words};
use covermix::catalog::aws::{family, size_flexibility};
use rust_decimal::Decimal;
use serde_json::{Value, json};

pub(crate) fn run(example: &Value) -> Outcome {
    let (inputs, expected) = (&example["inputs"], &example["expected"]);
    let kind = example["kind"].as_str().unwrap_or("");
    match aws_rights::run(kind, inputs, expected) {
        Some(Ok(outcome)) => return outcome,
        Some(Err(reason)) if kind.starts_with("ri-") => return Outcome::Unsupported(reason),
        _ => {}
    }
    if let Some(outcome) = aws_rows::run(kind, example) {
        return outcome.unwrap_or_else(Outcome::Unsupported);
    }
    if example["verification"]["status"] == "discrepancy" {
        return Outcome::Unsupported("the source contradicts itself".into());
    }
    let has_rates = list(&inputs["usage"]).iter().any(|line| line.get("on_demand_rate").is_some());
    let translated = if has_rates && inputs["commitments"].is_array() {
        savings_plan(inputs, expected, &example["derived"])
    } else if inputs.get("reservation_slots").is_some() {
        slots(inputs, expected)
    } else if inputs.get("ri_rate").is_some() {
        utilisation_table(inputs, expected)
    } else if inputs["usage"].is_array() && list(&inputs["commitments"]).iter().all(|held| held.get("rpu").is_some()) {
        redshift_serverless(inputs, expected)
    } else {
        reserved(inputs, expected)
    };
    match translated {
        Ok(case) => case::run(&case, "aws"),
        Err(reason) => Outcome::Unsupported(reason),
    }
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(crate) fn field<'a>(item: &'a Value, name: &str) -> Result<&'a str, String> {
    item[name].as_str().ok_or_else(|| format!("no {name}"))
}

/// Usage with on-demand and plan rates.
fn savings_plan(inputs: &Value, expected: &Value, derived: &Value) -> Result<Value, String> {
    let usage = list(&inputs["usage"]);
    let (mut prices, mut lines, mut offers, mut commitments) = (vec![], vec![], vec![], vec![]);
    for line in usage {
        let (id, rate) = (field(line, "id")?, field(line, "on_demand_rate")?);
        let name = line["instance_type"].as_str().unwrap_or(id);
        prices.push(json!({"id": id, "price": rate, "family": family(name), "sku": {"sku": id}}));
        lines.push(json!({"price": id, "account": line["account"].as_str().unwrap_or("A"), "quantity": line["quantity"]}));
    }
    for (index, held) in list(&inputs["commitments"]).iter().enumerate() {
        let id = held["id"].as_str().map_or_else(|| format!("c{index}"), str::to_owned);
        let account = held["account"].as_str().unwrap_or("A");
        let kind = held["type"].as_str().unwrap_or("");
        let (plan, rate_field) = match kind {
            "ComputeSavingsPlans" => ("Compute", "compute_sp_rate"),
            "EC2InstanceSavingsPlans" => ("EC2Instance", "ec2_instance_sp_rate"),
            _ if kind.contains("RI") => {
                let wanted = field(held, "instance_type")?;
                let line = usage.iter().find(|line| line["instance_type"] == wanted).ok_or("a reservation of unused type")?;
                let benefit = json!({"kind": "reservation", "sku": line["id"]});
                offers.push(json!({"id": id, "benefit": benefit, "recurring": "0.01"}));
                let count = held.get("count").or_else(|| held.get("quantity")).map_or(Ok(Decimal::ONE), decimal)?;
                commitments.push(json!({"id": id, "quantity": count.to_string(), "account": account}));
                continue;
            }
            _ => return Err(format!("plan type {kind} has no rates in the example")),
        };
        let within = |line: &&Value| {
            held["family"].as_str().is_none_or(|wanted| line["instance_type"].as_str().is_some_and(|name| family(name) == wanted))
        };
        let rated =
            usage.iter().filter(within).filter_map(|line| Some((line["id"].as_str()?.to_owned(), line.get(rate_field)?.clone())));
        let rates = object(rated.filter(|(_, rate)| rate.is_string()));
        if rates.as_object().is_none_or(serde_json::Map::is_empty) {
            return Err("no plan rates in the example".into());
        }
        offers.push(json!({"id": id, "benefit": {"kind": "spend_plan", "plan": plan, "rates": rates}}));
        commitments.push(json!({"id": id, "quantity": held["hourly_commitment"], "account": account}));
    }
    let wanted = plan_figures(expected, derived, &lines, &commitments)?;
    Ok(json!({"prices": prices, "usage": lines, "offers": offers, "commitments": commitments, "tolerance": "0.005",
        "rules": {"rates_above_on_demand": "allowed"}, "expected": wanted}))
}

/// What the examples say of plans, in the case format. Figures of money are rounded to cents.
fn plan_figures(expected: &Value, derived: &Value, usage: &[Value], commitments: &[Value]) -> Result<Value, String> {
    let (mut total, mut lines) = (serde_json::Map::new(), Vec::new());
    let mut plans: Vec<Value> = derived["plans"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(id, plan)| json!({"id": id, "used": plan["used"], "unused": plan["unused"]}))
        .collect();
    let ids = || commitments.iter().filter_map(|held| held["id"].as_str());
    let named = |prefix: &str| {
        let prefix = prefix.trim_end_matches('_');
        ids().find(|id| *id == prefix).or_else(|| if prefix.is_empty() || prefix == "plan" { ids().next() } else { None })
    };
    let line = |name: &str| usage.iter().filter_map(|line| line["price"].as_str()).find(|id| *id == name || id.starts_with(name));
    let first = expected["first_covered"].as_str().and_then(line);
    for (name, value) in expected.as_object().into_iter().flatten() {
        let printed = value.as_str().unwrap_or("");
        let is_number = printed.parse::<Decimal>().is_ok();
        match name.as_str() {
            "all_usage_covered" if *value == true => drop(total.insert("on_demand".into(), json!("0"))),
            "on_demand_cost_without_sp" | "all_on_demand" => drop(total.insert("on_demand_equivalent".into(), value.clone())),
            "on_demand_total" | "on_demand_m5_and_lambda" | "on_demand_remaining" => {
                drop(total.insert("on_demand".into(), value.clone()));
            }
            "commitment_needed_at_sp_rates" if ids().count() == 1 => {
                plans.push(json!({"id": ids().next(), "used": value}));
            }
            "covered_units_approx" | "remaining_units_approx" => {
                let field = if name.starts_with("covered") { "covered" } else { "on_demand_quantity" };
                if let Some(first) = first {
                    lines.push(json!({"price": first, field: value, "tolerance": words::rounding(printed).to_string()}));
                }
            }
            _ if name.ends_with("exhausted") && *value == true => {
                // Without a name it is the plan that comes last in the example, the widest one.
                let id =
                    named(name.trim_end_matches("exhausted")).or_else(|| commitments.last().and_then(|held| held["id"].as_str()));
                plans.push(json!({"id": id, "unused": "0"}));
            }
            _ if is_number && (name.ends_with("_used") || name.ends_with("_unused")) => {
                let (prefix, field) = name.rsplit_once('_').unwrap_or((name, "used"));
                if let Some(id) = named(prefix) {
                    plans.push(json!({"id": id, field: value}));
                }
            }
            _ if is_number => {
                if let Some(id) = name.strip_prefix("on_demand_").and_then(line) {
                    lines.push(json!({"price": id, "on_demand": value}));
                }
            }
            _ => {}
        }
    }
    if total.is_empty() && plans.is_empty() && lines.is_empty() {
        return Err("expected has no figure of a bill".into());
    }
    Ok(json!({"total": total, "commitments": plans, "lines": lines}))
}

/// Instance types with normalisation factors, or plain units of a service.
fn reserved(inputs: &Value, expected: &Value) -> Result<Value, String> {
    let (usage, held) = (list(&inputs["usage"]), list(&inputs["commitments"]));
    if usage.is_empty() || held.is_empty() {
        return Err("no usage or no commitments".into());
    }
    let (mut ids, mut lines, mut offers, mut commitments) = (std::collections::BTreeSet::new(), vec![], vec![], vec![]);
    let type_of = |item: &Value| {
        let name = ["instance_type", "class", "node"].iter().find_map(|field| item[*field].as_str());
        name.unwrap_or("unit").to_owned()
    };
    for line in usage {
        let id = type_of(line);
        let count = line.get("count").or_else(|| line.get("units")).map_or(Ok(Decimal::ONE), decimal)?;
        let seconds = line.get("seconds_each").map_or(Ok(Decimal::from(3600)), decimal)?;
        let quantity = (count * seconds / Decimal::from(3600)).to_string();
        lines.push(json!({"price": id, "account": line["account"].as_str().unwrap_or("A"), "zone": line["az"].as_str().unwrap_or(""), "quantity": quantity}));
        ids.insert(id);
    }
    for (index, item) in held.iter().enumerate() {
        let sku = type_of(item);
        let id = item["id"].as_str().map_or_else(|| format!("c{index}"), str::to_owned);
        let zonal = item["scope"] == "zonal";
        let pool = pool_of(&sku, item).filter(|_| !zonal);
        let mut benefit = json!({"kind": "reservation", "sku": sku});
        if let Some(pool) = pool {
            benefit["pool"] = pool;
        }
        offers.push(json!({"id": id, "benefit": benefit, "recurring": "0.01"}));
        let scope = if zonal {
            json!({"kind": "availability_zone", "availability_zone": field(item, "az")?})
        } else {
            json!({"kind": "region"})
        };
        let count = item.get("count").map_or(Ok(Decimal::ONE), decimal)?.to_string();
        commitments
            .push(json!({"id": id, "quantity": count, "account": item["account"].as_str().unwrap_or("A"), "scope": scope}));
        ids.insert(sku);
    }
    let prices: Vec<Value> = ids
        .iter()
        .map(|id| match pool_of(id, &Value::Null) {
            Some(pool) => json!({"id": id, "price": "1", "family": family(id), "pools": [pool]}),
            None => json!({"id": id, "price": "1"}),
        })
        .collect();
    let expected = reserved_expected(expected, &lines)?;
    Ok(json!({"prices": prices, "usage": lines, "offers": offers, "commitments": commitments, "expected": expected}))
}

/// The pool of a type, Linux on shared tenancy unless the reservation says otherwise.
pub(crate) fn pool_of(sku: &str, item: &Value) -> Option<Value> {
    let plain = item["platform"].as_str().is_none_or(|platform| platform.starts_with("Linux/UNIX"));
    let shared = item["tenancy"].as_str().is_none_or(|tenancy| tenancy == "default");
    let units = item["units"].as_str().and_then(|units| units.parse::<Decimal>().ok());
    let factor = units.or_else(|| Some(size_flexibility::factor(sku)? * multiplier(item)))?;
    (plain && shared && !size_flexibility::is_excluded(sku)).then(|| json!({"pool": family(sku), "units": factor.to_string()}))
}

/// By how much the units of a database or cache node differ from those of its size (RDS, Aurora, ElastiCache and MemoryDB user guides).
fn multiplier(item: &Value) -> Decimal {
    let says = |word: &str| {
        item.as_object().into_iter().flatten().any(|(_, value)| value.as_str().is_some_and(|value| value.contains(word)))
    };
    let node = item["node"].as_str().unwrap_or("");
    let tenths = match () {
        () if says("Multi-AZ DB cluster") || says("Multi-AZ cluster") => 30,
        () if says("Multi-AZ") || item["multi_az"] == true => 20,
        () if says("I/O-Optimized") => 13,
        () if says("Valkey") && node.starts_with("db.") => 7,
        () if says("Valkey") => 8,
        () => 10,
    };
    Decimal::new(tenths, 1)
}

/// What the examples say of coverage, in the case format; every price is 1, so that on-demand cost is a number of instance-hours.
fn reserved_expected(expected: &Value, usage: &[Value]) -> Result<Value, String> {
    let (mut lines, mut total) = (Vec::new(), serde_json::Map::new());
    for (name, value) in expected.as_object().into_iter().flatten() {
        let words = value.as_str().unwrap_or("");
        let first = words.split([' ', '%']).next().and_then(|word| word.parse::<Decimal>().ok());
        match name.as_str() {
            "on_demand_instance_hours" | "on_demand_hours" | "billed_on_demand" | "on_demand" => {
                total.insert("on_demand".into(), value.clone());
            }
            "covered_instance_hours" | "ri_hours" | "billed_as_reserved" => {
                total.insert("covered".into(), value.clone());
            }
            "covered_fraction" => {
                total.insert("coverage".into(), value.clone());
            }
            "application_order" => {}
            _ if words.starts_with("covered by ") => {
                let (account, zone) = name.split_once('.').ok_or("no account and zone")?;
                let by = object([(words.trim_start_matches("covered by ").to_owned(), json!("1"))]);
                lines.push(json!({"account": account, "zone": zone, "on_demand": "0", "covered_by": by}));
            }
            _ => {
                let (sku, kind) = match (name.strip_suffix("_covered"), name.strip_suffix("_on_demand")) {
                    (Some(sku), _) => (sku, "covered"),
                    (_, Some(sku)) => (sku, "on_demand_quantity"),
                    _ => (name.as_str(), "covered"),
                };
                let used: Decimal =
                    usage.iter().filter(|line| line["price"] == sku).filter_map(|line| decimal(&line["quantity"]).ok()).sum();
                match first {
                    Some(part) if words.contains('%') => {
                        lines.push(json!({"price": sku, kind: (used * part / Decimal::ONE_HUNDRED).to_string()}));
                    }
                    Some(count) if !used.is_zero() => lines.push(json!({"price": sku, kind: count.to_string()})),
                    _ => return Err(format!("expected.{name} cannot be compared")),
                }
            }
        }
    }
    Ok(json!({"total": total, "lines": lines}))
}

/// RPU of workgroups hour by hour against reserved RPU.
fn redshift_serverless(inputs: &Value, expected: &Value) -> Result<Value, String> {
    let hours = list(&inputs["usage"]);
    let results = list(&expected["hours"]);
    if hours.is_empty() || hours.len() != results.len() {
        return Err("no usage by hour".into());
    }
    let workgroups = |hour: &Value| -> Result<Decimal, String> {
        hour.as_object().into_iter().flatten().filter(|(name, _)| *name != "hour").map(|(_, value)| decimal(value)).sum()
    };
    let quantity = hours.iter().map(|hour| Ok(workgroups(hour)?.to_string())).collect::<Result<Vec<_>, String>>()?;
    let reserved = list(&inputs["commitments"]).iter().map(|held| decimal(&held["rpu"])).sum::<Result<Decimal, String>>()?;
    let by_hour =
        results.iter().enumerate().map(|(index, result)| json!({"hour": index, "total": {"on_demand": result["on_demand_rpu"]}}));
    Ok(json!({
        "prices": [{"id": "rpu", "price": "1"}],
        "usage": [{"price": "rpu", "quantity": quantity}],
        "offers": [{"id": "r", "benefit": {"kind": "reservation", "sku": "rpu"}, "recurring": "0.8"}],
        "commitments": [{"id": "r", "quantity": reserved.to_string()}],
        "expected": {"hours": by_hour.collect::<Vec<_>>()},
    }))
}

/// Slots of a capacity reservation: running instances are billed in their place.
fn slots(inputs: &Value, expected: &Value) -> Result<Value, String> {
    let (slots, running) = (decimal(&inputs["reservation_slots"])?, decimal(&inputs["running"])?);
    let unused = (slots - running).max(Decimal::ZERO).to_string();
    let total = decimal(&expected["charged_instances"])? + decimal(&expected["charged_unused_slots"])?;
    Ok(json!({
        "prices": [{"id": "instance", "price": "1"}],
        "usage": [{"price": "instance", "quantity": running.to_string()},
                  {"price": "instance", "tags": {"capacity_reservation_status": "Unused"}, "quantity": unused}],
        "expected": {"total": {"on_demand": total.to_string()}},
    }))
}

/// Cost Explorer's table of Reserved Instance utilisation, one account a reservation.
fn utilisation_table(inputs: &Value, expected: &Value) -> Result<Value, String> {
    let (rate, price) = (field(inputs, "ri_rate")?, field(inputs, "on_demand_rate")?);
    let (mut usage, mut offers, mut commitments) = (vec![], vec![], vec![]);
    for account in list(&inputs["accounts"]) {
        let name = field(account, "account")?;
        usage.push(json!({"price": "i", "account": name, "quantity": decimal(&account["ri_hours_used"])?.to_string()}));
        offers.push(json!({"id": name, "benefit": {"kind": "reservation", "sku": "i"}, "recurring": rate}));
        commitments.push(json!({"id": name, "account": name, "quantity": decimal(&account["ri_hours_purchased"])?.to_string()}));
    }
    let rows = list(&expected["rows"]).iter().map(|row| {
        json!({"id": row["account"], "utilisation": row["utilization"], "unused": row["unused_hours"],
            "covered": row["on_demand_cost_of_used"], "cost": row["effective_ri_cost"], "net_savings": row["net_savings"]})
    });
    Ok(json!({"prices": [{"id": "i", "price": price}], "usage": usage, "offers": offers, "commitments": commitments,
        "expected": {"commitments": rows.collect::<Vec<_>>()}}))
}
