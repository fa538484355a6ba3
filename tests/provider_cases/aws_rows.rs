//! AWS's published examples beyond one waterfall: rows of the Cost and Usage Report, list values, blended rates, credits, metering,
//! scenarios in words. Each is put to the judge; the adapter only reads its figures.

use crate::aws::{field, list, pool_of};
use crate::case::{self, decimal};
use crate::check::compare;
use crate::{Outcome, words};
use covermix::billing::Bill;
use covermix::billing::agreement::{Credit, apply_credits};
use covermix::units::Money;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, dec};
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Parsed<T> = Result<T, String>;

/// The outcome of an example of these shapes; `None` for one of another shape.
pub(crate) fn run(kind: &str, example: &Value) -> Option<Parsed<Outcome>> {
    let (inputs, expected) = (&example["inputs"], &example["expected"]);
    let has = |field: &str| inputs.get(field).is_some();
    let held = list(&inputs["commitments"]);
    let usage = list(&inputs["usage"]);
    let first = |items: &[Value], field: &str| items.first().is_some_and(|item| item.get(field).is_some());
    Some(if kind.starts_with("ri-exchange") || kind.starts_with("ri-modify") {
        Err("a change of what is held, not a bill".into())
    } else if has("credits") && has("charges") {
        credits(inputs, expected)
    } else if expected["line_items"].is_array() {
        covered_rows(inputs, expected)
    } else if expected.get("total_reserved_units").is_some() || expected.get("rifee_unblended_cost").is_some() {
        fee_rows(inputs, expected)
    } else if expected.get("rifee_row_total_reserved_units").is_some() {
        reserved_units(inputs, expected)
    } else if has("slots") && has("used") {
        capacity_rows(inputs, expected)
    } else if has("provisioned") {
        metering(inputs, expected)
    } else if expected.get("list_value").is_some() {
        list_value(inputs, expected)
    } else if expected.get("blended_rate").is_some() {
        blended(inputs, expected)
    } else if has("rows") && expected.get("savings_pct").is_some() {
        savings_percentages(inputs, expected)
    } else if has("cases") {
        in_words(inputs, expected)
    } else if has("options") {
        options(inputs, expected)
    } else if has("clusters") {
        clusters(inputs, expected)
    } else if expected.get("ris_to_buy").is_some() {
        to_buy(inputs, expected)
    } else if expected.get("leftover_units").is_some() {
        leftover(inputs, expected)
    } else if expected.get("discounted_rpu").is_some() {
        layers(inputs, expected)
    } else if first(usage, "hours") && first(usage, "rate") {
        months(inputs, expected)
    } else if has("discount_pct") && first(held, "hourly_commitment") {
        by_discount(inputs, expected, &example["derived"])
    } else if held.iter().any(|held| held.get("row").is_some()) {
        Err("rows that show a format; their dates are not dates".into())
    } else if kind == "savings-plan" && !usage.iter().any(|line| line.as_object().is_some_and(has_plan_rate)) {
        Err("the source does not give the plan's rate".into())
    } else {
        return None;
    })
}

fn has_plan_rate(line: &serde_json::Map<String, Value>) -> bool {
    line.iter().any(|(name, value)| name.ends_with("_sp_rate") && value.is_string())
        || line.contains_key("instance_type") && !line.contains_key("on_demand_hours")
}

fn outcome(reasons: Vec<String>) -> Parsed<Outcome> {
    Ok(if reasons.is_empty() { Outcome::Passed } else { Outcome::Failed(reasons) })
}

fn bill(case: &Value) -> Parsed<Bill> {
    case::bill(case, "aws").map(|(_, bill)| bill)
}

/// A figure as printed: rounded to its last digit.
fn printed(actual: Decimal, expected: &Value, name: &str, reasons: &mut Vec<String>) {
    let text = expected.as_str().map_or_else(|| expected.to_string(), str::to_owned);
    compare(Some(actual), expected, words::rounding(&text), name, reasons);
}

fn reservation(id: &str, sku: &str, count: &Value, pool: Option<Value>) -> (Value, Value) {
    let mut benefit = json!({"kind": "reservation", "sku": sku});
    if let Some(pool) = pool {
        benefit["pool"] = pool;
    }
    (json!({"id": id, "benefit": benefit, "recurring": "0.01"}), json!({"id": id, "quantity": count, "account": "A"}))
}

/// Credits by service, after everything else.
fn credits(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let charges = inputs["charges"].as_object().ok_or("charges")?;
    let mut charges: BTreeMap<String, Money> =
        charges.iter().map(|(name, value)| Ok((name.clone(), Money::new(decimal(value)?)))).collect::<Parsed<_>>()?;
    let credit = |credit: &Value| -> Parsed<Credit> {
        Ok(Credit {
            amount: Money::new(decimal(&credit["amount"])?),
            expires: field(credit, "expires")?.to_owned(),
            granted: credit["granted"].as_str().unwrap_or("").to_owned(),
            services: list(&credit["services"]).iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    };
    let credits: Vec<Credit> = list(&inputs["credits"]).iter().map(credit).collect::<Parsed<_>>()?;
    apply_credits(&mut charges, &credits);
    let mut reasons = Vec::new();
    for (service, wanted) in expected["after"].as_object().ok_or("nothing expected")? {
        compare(charges.get(service).map(|charge| charge.value()), wanted, dec!(0.000000001), service, &mut reasons);
    }
    outcome(reasons)
}

/// Covered usage of one SKU under a plan, and the row that negates it.
fn covered_rows(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let usage = list(&inputs["usage"]).first().ok_or("no usage")?;
    let (price, rate) = (decimal(&usage["on_demand_rate"])?, decimal(&usage["savings_plan_rate"])?);
    let amounts = list(&usage["lines"]).iter().map(|line| decimal(&line["usage_amount"])).collect::<Parsed<Vec<_>>>()?;
    let total: Decimal = amounts.iter().sum();
    let lines: Vec<Value> = amounts
        .iter()
        .enumerate()
        .map(|(index, amount)| json!({"price": "u", "tags": {"row": index.to_string()}, "quantity": amount.to_string()}))
        .collect();
    let bill = bill(&json!({
        "prices": [{"id": "u", "price": price.to_string()}], "usage": lines,
        "offers": [{"id": "sp", "benefit": {"kind": "spend_plan", "plan": "Compute", "rates": {"u": rate.to_string()}}}],
        "commitments": [{"id": "sp", "quantity": (total * rate).to_string()}],
    }))?;
    let (mut reasons, mut covered) = (Vec::new(), bill.lines().iter());
    for (index, row) in list(&expected["line_items"]).iter().enumerate() {
        let (quantity, cost) = match row["type"].as_str() {
            Some("SavingsPlanCoveredUsage") => {
                let line = covered.next().ok_or("more rows than usage")?;
                (line.covered, line.on_demand_equivalent.value())
            }
            Some("SavingsPlanNegation") => {
                let covered: Decimal = bill.lines().iter().map(|line| line.covered).sum();
                (-covered, -bill.total().covered().value())
            }
            other => return Err(format!("row type {other:?}")),
        };
        let figures =
            [("usage_amount", quantity), ("unblended_cost", cost), ("sp_rate", rate), ("sp_effective_cost", quantity * rate)];
        for (name, actual) in figures.into_iter().filter(|(name, _)| row.get(*name).is_some()) {
            compare(Some(actual), &row[name], dec!(1e-12), &format!("row {index} {name}"), &mut reasons);
        }
    }
    outcome(reasons)
}

/// A month of reservations on instances of given factors.
fn fee_rows(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let held = list(&inputs["commitments"]).first().ok_or("no commitments")?;
    let sku = field(held, "instance_type")?;
    let hours = decimal(&held["month_hours"])?;
    let pool = pool_of(sku, held);
    let (mut offer, commitment) = reservation("r", sku, held.get("count").unwrap_or(&json!("1")), pool.clone());
    offer["recurring"] = json!(held["hourly"]);
    let mut prices = vec![json!({"id": sku, "price": "1", "pools": pool.map_or(json!([]), |pool| json!([pool]))})];
    let mut usage = Vec::new();
    for (index, line) in list(&inputs["usage"]).iter().enumerate() {
        let name = field(line, "instance_type")?;
        let units = json!({"pool": covermix::catalog::aws::family(name), "units": line["normalization_factor"]});
        if prices.iter().all(|price| price["id"] != name) {
            prices.push(json!({"id": name, "price": "1", "pools": [units]}));
        }
        usage.push(json!({"price": name, "tags": {"row": index.to_string()}, "quantity": line["usage_amount"]}));
    }
    let case = json!({"hours": hours.to_u64(), "first_hour": "2024-01-01T00:00:00Z", "prices": prices, "usage": usage,
        "offers": [offer], "commitments": [commitment]});
    let bill = bill(&case)?;
    let (mut reasons, billed) = (Vec::new(), &bill.commitments()[0]);
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        match name.as_str() {
            "rifee_unblended_cost" => printed(billed.charges.recurring.value(), wanted, name, &mut reasons),
            "total_reserved_units" => compare(Some(billed.hours), wanted, dec!(0), name, &mut reasons),
            "total_reserved_normalized_units" => compare(Some(billed.provided), wanted, dec!(0), name, &mut reasons),
            "rows" => {
                for ((row, line), source) in list(wanted).iter().zip(bill.lines()).zip(list(&inputs["usage"])) {
                    let units = line.covered * decimal(&source["normalization_factor"])? / hours;
                    compare(Some(units), &row["normalized_usage_amount"], dec!(1e-12), "normalized_usage_amount", &mut reasons);
                    compare(Some(line.on_demand.value()), &row["unblended_cost"], dec!(1e-12), "unblended_cost", &mut reasons);
                }
            }
            _ => return Err(format!("expected field {name}")),
        }
    }
    outcome(reasons)
}

/// Units of reservations in fee rows: of a month by the judge, of the term as so many such months.
fn reserved_units(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let held = list(&inputs["commitments"]).first().ok_or("no commitments")?;
    let (offer, commitment) = reservation("r", "i", &json!(held["reservations"].to_string()), None);
    let case = json!({"hours": held["hours_per_month"], "prices": [{"id": "i", "price": "1"}],
        "usage": [{"price": "i", "quantity": "0"}], "offers": [offer], "commitments": [commitment]});
    let units = bill(&case)?.commitments()[0].provided;
    let (months, count) = (decimal(&held["months"])?, decimal(&held["reservations"])?);
    let mut reasons = Vec::new();
    for (name, actual) in [
        ("fee_row_total_reserved_units", units * months),
        ("rifee_row_total_reserved_units", units),
        ("fee_row_units_per_reservation", units * months / count),
        ("rifee_row_units_per_reservation", units / count),
    ] {
        compare(Some(actual), &expected[name], dec!(0), name, &mut reasons);
    }
    outcome(reasons)
}

/// A capacity reservation's rows in an hour and a day.
fn capacity_rows(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let (slots, used) = (decimal(&inputs["slots"])?, decimal(&inputs["used"])?);
    let bill = bill(&json!({"hours": 24, "prices": [{"id": "i", "price": "1"}],
        "usage": [{"price": "i", "quantity": used.to_string()},
                  {"price": "i", "quantity": (slots - used).to_string(), "tags": {"capacity_reservation_status": "Unused"}}]}))?;
    let quantity = |line: usize| bill.lines()[line].quantity;
    let mut reasons = Vec::new();
    for (period, hours) in [("hour", dec!(24)), ("day", dec!(1))] {
        for (name, actual) in [("BoxUsage", quantity(0)), ("UnusedBox", quantity(1)), ("Reservation", quantity(0) + quantity(1))]
        {
            compare(Some(actual / hours), &expected[period][name], dec!(0), &format!("{period} {name}"), &mut reasons);
        }
    }
    outcome(reasons)
}

/// A time such as `24h15m`, metered by the second.
fn metering(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let text = field(inputs, "provisioned")?.replace('h', " h ").replace('m', " min ");
    let part = |unit: &str| words::before(&text, unit).unwrap_or_default();
    let seconds = part("h") * dec!(3600) + part("min") * dec!(60);
    let hours = (seconds / dec!(3600)).ceil();
    let interval = json!({"from": "2024-01-01T00:00:00Z", "seconds": seconds.to_i64()});
    let bill = bill(&json!({"hours": hours.to_u64(), "prices": [{"id": "i", "price": "1"}],
        "usage": [{"price": "i", "intervals": [interval]}]}))?;
    let mut reasons = Vec::new();
    compare(Some(bill.lines()[0].quantity), &expected["reservation_hours"], dec!(1e-12), "hours", &mut reasons);
    outcome(reasons)
}

/// What a reservation costs over its whole term.
fn list_value(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let held = list(&inputs["commitments"]).first().ok_or("no commitments")?;
    let (mut offer, commitment) = reservation("r", "i", &json!("1"), None);
    offer["upfront"] = json!(held["upfront"]);
    offer["recurring"] = json!(held["hourly"]);
    let hours = held["hours_in_term"].as_u64().ok_or("hours_in_term")?;
    offer["term"] = json!(format!("P{}D", hours.div_euclid(24)));
    let bill = bill(&json!({"hours": hours, "prices": [{"id": "i", "price": "1"}], "usage": [{"price": "i", "quantity": "0"}],
        "offers": [offer], "commitments": [commitment]}))?;
    let mut reasons = Vec::new();
    compare(Some(bill.total().commitment().value()), &expected["list_value"], dec!(1e-12), "list value", &mut reasons);
    outcome(reasons)
}

/// Blended rate: usage charges of an organisation over its hours, reservation-covered ones at 0, fees left out.
fn blended(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let hours = inputs.get("month_hours").map_or(Ok(dec!(720)), decimal)?;
    let rows = list(&inputs["usage"]);
    if rows.is_empty() {
        return Err("volume tiers: no commitment, and left alone by the judge".into());
    }
    let mut usage = Vec::new();
    let rate = rows.iter().map(|row| decimal(&row["unblended_rate"])).collect::<Parsed<Vec<_>>>()?.into_iter().max();
    for (index, row) in rows.iter().enumerate() {
        let quantity = (decimal(&row["hours"])? / hours).to_string();
        usage.push(json!({"price": "i", "account": row["account"], "tags": {"row": index.to_string()}, "quantity": quantity}));
    }
    let owner = &rows.iter().find(|row| row["unblended_rate"] == "0").ok_or("no covered usage")?["account"];
    let (mut offers, mut commitments) = (vec![], vec![]);
    for (index, held) in list(&inputs["commitments"]).iter().enumerate() {
        let (offer, mut commitment) = reservation(&format!("r{index}"), "i", &json!(decimal(&held["count"])?.to_string()), None);
        commitment["account"] = owner.clone();
        offers.push(offer);
        commitments.push(commitment);
    }
    let case = json!({"hours": hours.to_u64(), "first_hour": "2024-06-01T00:00:00Z",
        "prices": [{"id": "i", "price": rate.unwrap_or_default().to_string()}], "usage": usage, "offers": offers,
        "commitments": commitments});
    let bill = bill(&case)?;
    let quantity: Decimal = bill.lines().iter().map(|line| line.quantity).sum();
    let blended = bill.total().on_demand.value() / quantity;
    let mut reasons = Vec::new();
    let figures = [("unblended_total", bill.total().on_demand.value()), ("total_hours", quantity), ("blended_rate", blended)];
    for (name, actual) in figures {
        compare(Some(actual), &expected[name], dec!(1e-9), name, &mut reasons);
    }
    for (wanted, row) in list(&expected["blended_costs"]).iter().zip(rows) {
        compare(Some(blended * decimal(&row["hours"])?), wanted, dec!(1e-9), "blended cost", &mut reasons);
    }
    outcome(reasons)
}

/// Savings percentages of plan rates.
fn savings_percentages(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let mut reasons = Vec::new();
    for row in list(&inputs["rows"]) {
        let fields = row.as_object().ok_or("row")?;
        let rate = fields.iter().find(|(name, _)| name.ends_with("sp_rate")).map(|(_, rate)| rate).ok_or("no plan rate")?;
        let bill = bill(
            &json!({"prices": [{"id": "u", "price": row["on_demand_rate"]}], "usage": [{"price": "u", "quantity": "1000"}],
            "offers": [{"id": "sp", "benefit": {"kind": "spend_plan", "plan": "Database", "rates": {"u": rate}}}],
            "commitments": [{"id": "sp", "quantity": (decimal(rate)? * dec!(1000)).to_string()}]}),
        )?;
        let total = bill.total();
        let percent = total.savings().value() / total.on_demand_equivalent.value() * dec!(100);
        let unit = field(row, "unit")?;
        compare(Some(percent), &expected["savings_pct"][unit], dec!(1e-9), unit, &mut reasons);
    }
    outcome(reasons)
}

/// Reservations and usage, both in words, of flexible families.
fn flexible(reserved: &str, running: &str) -> Parsed<Bill> {
    let (mut prices, mut usage, mut offers, mut commitments) = (BTreeMap::new(), vec![], vec![], vec![]);
    for (_, name) in words::counted(running).into_iter().chain(words::counted(reserved)) {
        let pool = pool_of(&name, &Value::Null).ok_or_else(|| format!("{name} has no normalisation factor"))?;
        prices.insert(name.clone(), json!({"id": name, "price": "1", "pools": [pool]}));
    }
    for (count, name) in words::counted(running) {
        usage.push(json!({"price": name, "quantity": count.to_string()}));
    }
    for (index, (count, name)) in words::counted(reserved).into_iter().enumerate() {
        let (offer, commitment) =
            reservation(&format!("r{index}"), &name, &json!(count.to_string()), pool_of(&name, &Value::Null));
        offers.push(offer);
        commitments.push(commitment);
    }
    let prices: Vec<Value> = prices.into_values().collect();
    bill(&json!({"prices": prices, "usage": usage, "offers": offers, "commitments": commitments}))
}

fn covered_share(bill: &Bill) -> Decimal {
    let total = bill.lines().iter().fold((dec!(0), dec!(0)), |sum, line| (sum.0 + line.covered, sum.1 + line.quantity));
    if total.1.is_zero() { Decimal::ZERO } else { total.0 / total.1 }
}

/// Cases `{ri, usage}` with results `fully covered`, `50% covered`, `= 16 h on cache.r6g.large`.
fn in_words(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let mut reasons = Vec::new();
    for (index, case) in list(&inputs["cases"]).iter().enumerate() {
        let wanted = expected["results"].get(index).or_else(|| expected.get("each_case")).and_then(Value::as_str);
        let wanted = wanted.ok_or("no result")?;
        let usage = field(case, "usage")?.rsplit(" on ").next().unwrap_or_default().to_owned();
        let reserved = match wanted.strip_prefix('=') {
            // So many hours of another size: as many reservations of it are used up.
            Some(equal) => {
                let (hours, name) = (words::numbers(equal).first().copied(), equal.rsplit(" on ").next().unwrap_or_default());
                format!("{} x {name}", hours.ok_or("no hours")?)
            }
            None => field(case, "ri")?.to_owned(),
        };
        let bill = flexible(&reserved, &usage)?;
        let share = match words::before(wanted, "%").or_else(|| wanted.split_once('%').and_then(|(part, _)| part.parse().ok())) {
            Some(percent) => percent / dec!(100),
            None if wanted.starts_with('=') || wanted.contains("fully") => Decimal::ONE,
            None => return Err(format!("result {wanted}")),
        };
        compare(Some(covered_share(&bill)), &json!(share.to_string()), dec!(1e-12), &format!("case {index}"), &mut reasons);
        if wanted.starts_with('=') {
            compare(
                Some(bill.total().unused_commitment.value()),
                &json!("0"),
                dec!(0),
                &format!("unused of case {index}"),
                &mut reasons,
            );
        }
    }
    outcome(reasons)
}

/// A Multi-AZ cluster under several sets of reservations, in words.
fn options(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let usage = list(&inputs["usage"]).first().ok_or("no usage")?;
    let class = field(usage, "multi_az_cluster_of")?;
    let instances = decimal(&usage["instances"])?;
    let mut reasons = Vec::new();
    for (option, result) in list(&inputs["options"]).iter().zip(list(&expected["results"])) {
        let (option, result) = (option.as_str().unwrap_or(""), result.as_str().unwrap_or(""));
        // A Multi-AZ instance has the units of two.
        let singles: Decimal = words::counted(option)
            .iter()
            .map(|(count, words)| *count * if words.contains("Multi-AZ") { dec!(2) } else { dec!(1) })
            .sum();
        let bill = flexible(&format!("{singles} x {class}"), &format!("{instances} x {class}"))?;
        let wanted = if result.contains("fully") { instances } else { *words::numbers(result).first().ok_or("result")? };
        compare(Some(bill.lines()[0].covered), &json!(wanted.to_string()), dec!(0), option, &mut reasons);
    }
    outcome(reasons)
}

/// Clusters of nodes against reserved nodes, in words; `12 then 16` are two hours, of which the last counts.
fn clusters(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let reserved: Decimal = list(&inputs["commitments"]).iter().map(|held| decimal(&held["count"])).sum::<Parsed<_>>()?;
    let mut reasons = Vec::new();
    for (cluster, result) in list(&inputs["clusters"]).iter().zip(list(&expected["results"])) {
        let (text, result) = (cluster.as_str().unwrap_or(""), result.as_str().unwrap_or(""));
        let nodes: Vec<Decimal> = text.split(" then ").map(|hour| words::numbers(hour).iter().sum()).collect();
        let quantities: Vec<String> = nodes.iter().map(Decimal::to_string).collect();
        let (offer, commitment) = reservation("r", "n", &json!(reserved.to_string()), None);
        let bill = bill(&json!({"prices": [{"id": "n", "price": "1"}], "usage": [{"price": "n", "quantity": quantities}],
            "offers": [offer], "commitments": [commitment]}))?;
        let hours = bill.hours(0..nodes.len());
        let (_, last) = hours.last().ok_or("no hours")?;
        let used = reserved - last.unused_commitment.value() / dec!(0.01);
        let figures = [("reserved", used), ("on-demand", last.on_demand.value()), ("paid but idle", reserved - used)];
        for part in result.split([',', ';']) {
            let number = words::numbers(part).first().copied().ok_or("a result without a number")?;
            let (name, actual) = figures
                .iter()
                .rev()
                .find(|(name, _)| part.contains(name) || part.contains("idle") && name.ends_with("idle"))
                .ok_or_else(|| format!("result {part}"))?;
            compare(Some(*actual), &json!(number.to_string()), dec!(1e-12), &format!("{text}: {name}"), &mut reasons);
        }
    }
    outcome(reasons)
}

/// The fewest reservations of a size that leave nothing of some I/O-optimised instances on demand.
fn to_buy(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let usage = list(&inputs["usage"]).first().ok_or("no usage")?;
    let instances = decimal(&usage["instances"])?;
    let weight = if usage["storage"].as_str().is_some_and(|storage| storage.contains("I/O")) { "1.3" } else { "1" };
    let mut reasons = Vec::new();
    for count in 1..=(instances.to_u32().unwrap_or(0) * 2) {
        let (offer, commitment) = reservation("r", "i", &json!(count.to_string()), Some(json!({"pool": "p", "units": "1"})));
        let bill = bill(&json!({"prices": [{"id": "i", "price": "1", "pools": [{"pool": "p", "units": weight}]}],
            "usage": [{"price": "i", "quantity": instances.to_string()}], "offers": [offer], "commitments": [commitment]}))?;
        if bill.total().on_demand == Money::ZERO {
            compare(Some(Decimal::from(count)), &expected["ris_to_buy"], dec!(0), "reservations", &mut reasons);
            if let Some(units) = expected["units_for_small"].as_str().and_then(words::leading) {
                compare(Some(bill.commitments()[0].used), &json!(units.to_string()), dec!(1e-12), "units", &mut reasons);
            }
            return outcome(reasons);
        }
    }
    Err("no number of reservations is enough".into())
}

/// What a reserved node of one engine leaves after a node of another, and what that covers, in words.
fn leftover(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let held = list(&inputs["commitments"]).first().ok_or("no commitments")?;
    let used = list(&inputs["usage"]).first().ok_or("no usage")?;
    let (node, running) = (field(held, "node")?, field(used, "node")?);
    let factor = |name: &str| covermix::catalog::aws::size_flexibility::factor(name).ok_or_else(|| format!("factor of {name}"));
    let ratio = decimal(&used["units"])? / factor(running)?;
    let run = |more: &[String]| -> Parsed<Bill> {
        let pool = |units: Decimal| json!([{"pool": "p", "units": units.to_string()}]);
        let mut prices = vec![json!({"id": "0", "price": "1", "pools": pool(decimal(&used["units"])?)})];
        let mut usage = vec![json!({"price": "0", "quantity": "1"})];
        for (index, name) in more.iter().enumerate() {
            let id = format!("1{index}");
            prices.push(json!({"id": id, "price": "1", "pools": pool(factor(name)? * ratio)}));
            // Of an owner's account after the first: sizes go from the smallest otherwise.
            usage.push(json!({"price": id, "quantity": "1", "account": "B"}));
        }
        usage[0]["account"] = json!("A");
        let units = json!({"pool": "p", "units": held["units"]});
        let (offer, commitment) = reservation("r", "0", &json!("1"), Some(units));
        bill(&json!({"prices": prices, "usage": usage, "offers": [offer], "commitments": [commitment]}))
    };
    let mut reasons = Vec::new();
    let alone = run(&[])?;
    let left = alone.commitments()[0].provided - alone.commitments()[0].used;
    compare(Some(left), &expected["leftover_units"], dec!(1e-12), &format!("left of {node}"), &mut reasons);
    for text in list(&expected["leftover_covers"]).iter().filter_map(Value::as_str) {
        let parts: Vec<(Decimal, String)> = text
            .split(" and ")
            .filter_map(|part| {
                let percent = part.split_once('%')?.0.trim().parse().ok()?;
                let name = part
                    .split_whitespace()
                    .find(|word| word.matches('.').count() == 2 || word.contains('.') && word.ends_with("large"))?;
                Some((percent, name.to_owned()))
            })
            .collect();
        let bill = run(&parts.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>())?;
        for ((percent, name), line) in parts.iter().zip(bill.lines().iter().skip(1)) {
            // Printed percentages are cut to whole ones.
            compare(Some((line.covered * dec!(100)).floor()), &json!(percent.to_string()), dec!(0), name, &mut reasons);
        }
    }
    outcome(reasons)
}

/// Reservations add up.
fn layers(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let (mut offers, mut commitments) = (vec![], vec![]);
    for (index, held) in list(&inputs["commitments"]).iter().enumerate() {
        let (offer, commitment) = reservation(&format!("r{index}"), "rpu", &json!(decimal(&held["rpu"])?.to_string()), None);
        offers.push(offer);
        commitments.push(commitment);
    }
    let bill = bill(&json!({"prices": [{"id": "rpu", "price": "1"}], "usage": [{"price": "rpu", "quantity": "100000"}],
        "offers": offers, "commitments": commitments}))?;
    let mut reasons = Vec::new();
    compare(Some(bill.lines()[0].covered), &expected["discounted_rpu"], dec!(0), "discounted", &mut reasons);
    outcome(reasons)
}

/// A month of constant usage, on demand and under a plan with a discount; whole dollars are printed.
fn months(inputs: &Value, expected: &Value) -> Parsed<Outcome> {
    let usage = list(&inputs["usage"]).first().ok_or("no usage")?;
    let quantity =
        ["acu", "count", "quantity", "units"].iter().find_map(|name| usage.get(*name)).map_or(Ok(Decimal::ONE), decimal)?;
    let factor = usage.get("region_factor").map_or(Ok(Decimal::ONE), decimal)?;
    let rate = decimal(&usage["rate"])? * factor;
    let hours = decimal(&usage["hours"])?;
    let discount = list(&inputs["commitments"]).iter().find_map(|held| held.get("discount_pct"));
    let mut case = json!({"hours": hours.to_u64(), "prices": [{"id": "u", "price": rate.to_string()}],
        "usage": [{"price": "u", "quantity": quantity.to_string()}]});
    if let Some(discount) = discount {
        let plan_rate = rate * (Decimal::ONE - decimal(discount)? / dec!(100));
        let benefit = json!({"kind": "spend_plan", "plan": "Database", "rates": {"u": plan_rate.to_string()}});
        case["offers"] = json!([{"id": "sp", "benefit": benefit}]);
        case["commitments"] = json!([{"id": "sp", "quantity": (quantity * plan_rate).to_string()}]);
    }
    let total = bill(&case)?.total();
    let mut reasons = Vec::new();
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        let actual = match name.as_str() {
            "on_demand_month" => total.on_demand_equivalent,
            "saving" | "savings" if discount.is_some() => total.savings(),
            _ if name.ends_with("_month") && discount.is_some() => total.cost(),
            // Offers whose discount the example does not give.
            _ => continue,
        };
        printed(actual.value(), wanted, name, &mut reasons);
    }
    outcome(reasons)
}

/// A plan by its discount: what is paid upfront, and what on-demand usage it covers in an hour. Where the source contradicts itself, our
/// recomputed figure is compared.
fn by_discount(inputs: &Value, expected: &Value, derived: &Value) -> Parsed<Outcome> {
    let held = list(&inputs["commitments"]).first().ok_or("no commitments")?;
    let hourly = decimal(&held["hourly_commitment"])?;
    let rate = Decimal::ONE - decimal(&inputs["discount_pct"])? / dec!(100);
    let mut offer = json!({"id": "sp", "benefit": {"kind": "spend_plan", "plan": "Compute", "rates": {"u": rate.to_string()}}});
    if held["payment"].as_str().is_some_and(|payment| payment.starts_with("All")) {
        offer["upfront"] = json!("8760");
        offer["recurring"] = json!("0");
    }
    let bill = bill(
        &json!({"prices": [{"id": "u", "price": "1"}], "usage": [{"price": "u", "quantity": "1000000"}], "offers": [offer],
        "commitments": [{"id": "sp", "quantity": hourly.to_string()}]}),
    )?;
    let mut reasons = Vec::new();
    let upfront: Decimal = bill
        .cash()
        .iter()
        .filter(|payment| payment.kind == covermix::billing::CashKind::Upfront)
        .map(|payment| payment.amount.value())
        .sum();
    if expected.get("upfront").is_some() {
        compare(Some(upfront), &expected["upfront"], dec!(1e-9), "upfront", &mut reasons);
    }
    let covered = bill.total().covered().value();
    match derived.get("exact_on_demand_covered").or_else(|| expected.get("on_demand_covered_per_hour")) {
        Some(wanted) => compare(Some(covered), wanted, dec!(1e-9), "covered", &mut reasons),
        None => return Err("nothing expected".into()),
    }
    outcome(reasons)
}
