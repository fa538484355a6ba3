//! Google's published examples of both models of spend-based commitments, of attribution without tranches, of sustained use and of
//! break-even. Each is put to the judge; the adapter only reads its figures.

use crate::case::{self, decimal};
use crate::check::compare;
use crate::{Outcome, words};
use covermix::billing::Bill;
use covermix::billing::gcp::attribution::{AccountCharges, Allotment, FeeRule, ProjectUsage, attribute};
use covermix::units::Money;
use rust_decimal::{Decimal, dec};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

type Parsed<T> = Result<T, String>;

/// The documented legacy fee of 0.01 of on-demand spend for one year.
const FEE: Decimal = dec!(0.0072);

/// The outcome of an example of these shapes; `None` for one of another shape.
pub(crate) fn run(example: &Value) -> Option<Parsed<Outcome>> {
    let (inputs, expected) = (&example["inputs"], &example["expected"]);
    let has = |field: &str| inputs.get(field).is_some();
    let wants = |word: &str| expected.as_object().is_some_and(|fields| fields.keys().any(|name| name.contains(word)));
    let reasons = if has("credits") && wants("net") {
        credits(inputs, expected)
    } else if has("fee") && has("on_demand") && wants("new") {
        both_models(inputs, expected)
    } else if has("commitment_on_demand_per_h") {
        legacy_rows(inputs, expected)
    } else if has("commitment_discounted_per_h") && !has("usage_at_on_demand") {
        new_rows(inputs, expected)
    } else if wants("share_of_credit") {
        shares(inputs, expected)
    } else if has("allotments") || has("allotment_gb") {
        allotments(inputs, expected)
    } else if wants("break_even") {
        break_even(inputs, expected)
    } else if has("uptime") {
        uptime(inputs, expected)
    } else if wants("same_discount") {
        same_discount(expected)
    } else if is_sustained(example) || wants("discount") && !has("flex_sku_price") && !has("prices") {
        sustained(example)
    } else if inputs["usage"].is_array() && has("account_cud_credit") && !has("tranches") {
        by_use(inputs, expected)
    } else {
        return None;
    };
    Some(reasons.map(|reasons| if reasons.is_empty() { Outcome::Passed } else { Outcome::Failed(reasons) }))
}

/// Whether the example is of sustained use discounts, by its topic.
fn is_sustained(example: &Value) -> bool {
    let topic = example["topic"].as_str().unwrap_or("");
    (topic.starts_with("SUD") || topic.contains("sustained use"))
        && example["inputs"].as_object().is_some_and(|inputs| inputs.values().any(Value::is_array))
}

fn bill(case: &Value) -> Parsed<Bill> {
    case::bill(case, "gcp").map(|(_, bill)| bill)
}

fn number(value: &Value, field: &str) -> Parsed<Decimal> {
    decimal(value.get(field).ok_or_else(|| format!("no {field}"))?)
}

/// Differences against a printed figure, which is rounded to its last digit.
fn printed(actual: Decimal, wanted: &Value, name: &str, reasons: &mut Vec<String>) {
    compare(Some(actual), wanted, words::rounding(&wanted.to_string()) * dec!(2), name, reasons);
}

/// A flexible commitment: its rates by SKU, its fee for a unit committed, its amount.
fn flexible(id: &str, rates: Map<String, Value>, fee: Decimal, amount: Decimal) -> (Value, Value) {
    let benefit = json!({"kind": "spend_plan", "plan": "Compute flexible", "rates": rates});
    (json!({"id": id, "benefit": benefit, "recurring": fee.to_string()}), json!({"id": id, "quantity": amount.to_string()}))
}

/// Usage of one SKU that several legacy commitments cover, one credit each.
fn credits(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let credits = inputs["credits"].as_array().ok_or("credits")?.iter().map(decimal).collect::<Parsed<Vec<_>>>()?;
    let usage = inputs.as_object().into_iter().flatten().find(|(name, _)| *name != "credits").ok_or("no usage")?;
    let (mut offers, mut commitments) = (vec![], vec![]);
    for (index, credit) in credits.iter().enumerate() {
        let rates = Map::from_iter([("u".to_owned(), json!("1"))]);
        let (offer, commitment) = flexible(&format!("c{index}"), rates, dec!(0.72), -*credit);
        offers.push(offer);
        commitments.push(commitment);
    }
    let bill = bill(
        &json!({"prices": [{"id": "u", "price": "1"}], "usage": [{"price": "u", "quantity": decimal(usage.1)?.to_string()}],
        "offers": offers, "commitments": commitments}),
    )?;
    let mut reasons = Vec::new();
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        compare(Some(bill.total().on_demand.value()), wanted, dec!(1e-9), name, &mut reasons);
    }
    for (billed, credit) in bill.commitments().iter().zip(&credits) {
        compare(Some(-billed.covered.value()), &json!(credit.to_string()), dec!(1e-9), &billed.id, &mut reasons);
    }
    Ok(reasons)
}

/// One usage under the legacy and under the new model.
fn both_models(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let (fee, usage) = (number(inputs, "fee")?, number(inputs, "on_demand")?);
    let mut reasons = Vec::new();
    for (model, figures) in expected.as_object().into_iter().flatten() {
        let is_new = model == "new";
        // Legacy: rates are on-demand prices and the fee is less than the amount. New: rates are discounted, amount and fee are one.
        let rate = if is_new { fee / usage } else { Decimal::ONE };
        let (unit_fee, amount) = if is_new { (Decimal::ONE, fee) } else { (fee / usage, usage) };
        let (offer, commitment) = flexible("f", Map::from_iter([("u".to_owned(), json!(rate.to_string()))]), unit_fee, amount);
        let bill =
            bill(&json!({"prices": [{"id": "u", "price": "1"}], "usage": [{"price": "u", "quantity": usage.to_string()}],
            "offers": [offer], "commitments": [commitment]}))?;
        let (total, used) = (bill.total(), bill.commitments()[0].used);
        for (name, wanted) in figures.as_object().into_iter().flatten() {
            let actual = match name.as_str() {
                "usage" => used,
                "fee" => total.commitment().value(),
                "credit" => -total.covered().value(),
                "net" | "total" => total.cost().value(),
                "savings_programs_column" if is_new => total.commitment().value() - total.covered().value(),
                "savings_programs_column" => -total.covered().value(),
                _ => return Err(format!("expected field {model}.{name}")),
            };
            compare(Some(actual), wanted, dec!(1e-9), &format!("{model} {name}"), &mut reasons);
        }
    }
    Ok(reasons)
}

/// The SKUs of an example: name, quantity, on-demand cost.
fn skus(inputs: &Value) -> Parsed<Vec<(String, Decimal, Decimal)>> {
    if let Some(usage) = inputs["usage"].as_object() {
        let sku = |(name, item): (&String, &Value)| {
            let quantity = item.get("amount").or_else(|| item.get("quantity")).map_or(Ok(Decimal::ONE), decimal)?;
            let cost = item.get("cost").map_or_else(|| number(item, "price").map(|price| price * quantity), decimal)?;
            Ok((name.clone(), quantity, cost))
        };
        return usage.iter().map(sku).collect();
    }
    let costs = inputs["usage_on_demand"].as_array().or_else(|| inputs["usage"].as_array()).ok_or("no usage in the inputs")?;
    let names = ["RAM SKU", "Core SKU"];
    let sku = |(index, cost): (usize, &Value)| {
        let name = names.get(index).map_or_else(|| format!("SKU {index}"), |name| (*name).to_owned());
        Ok((name, Decimal::ONE, decimal(cost)?))
    };
    costs.iter().enumerate().map(sku).collect()
}

/// Rows of the billing export under either model: by SKU what of it is covered, and what the fee row of its use is.
struct Rows {
    /// Name, covered quantity, covered at on-demand prices, covered at the commitment's rates.
    skus: Vec<(String, Decimal, Decimal, Decimal)>,
    unused: Decimal,
    bill: Bill,
}

fn rows(skus: &[(String, Decimal, Decimal)], rate: Decimal, fee: Decimal, amount: Decimal) -> Parsed<Rows> {
    let (mut prices, mut usage, mut rates) = (vec![], vec![], Map::new());
    for (name, quantity, cost) in skus {
        let price = cost / quantity;
        prices.push(json!({"id": name, "price": price.to_string()}));
        usage.push(json!({"price": name, "quantity": quantity.to_string()}));
        rates.insert(name.clone(), json!((price * rate).to_string()));
    }
    let (offer, commitment) = flexible("f", rates, fee, amount);
    let case = json!({"prices": prices, "usage": usage, "offers": [offer], "commitments": [commitment]});
    let (built, bill) = case::bill(&case, "gcp")?;
    let mut found = Vec::new();
    for line in bill.lines() {
        let name = built.usage.lines()[line.column].sku.sku.clone();
        let covered = (line.on_demand_equivalent - line.on_demand).value();
        found.push((name, line.covered, covered, covered * rate));
    }
    let unused = bill.commitments()[0].provided - bill.commitments()[0].used;
    Ok(Rows { skus: found, unused, bill })
}

/// Compares a figure of each SKU, given as a list in the order of the inputs or by name, with what falls on none as `unattributed`.
fn by_sku(
    skus: &[(String, Decimal, Decimal)],
    wanted: &Value,
    figure: impl Fn(&str) -> Option<Decimal>,
    unattributed: Decimal,
    name: &str,
    reasons: &mut Vec<String>,
) {
    match wanted {
        Value::Array(list) => {
            for (wanted, (sku, ..)) in list.iter().zip(skus) {
                if let Some(found) = figure(sku) {
                    printed(found, wanted, &format!("{name} of {sku}"), reasons);
                }
            }
        }
        Value::Object(fields) => {
            for (sku, wanted) in fields {
                let found = if sku == "unattributed" { Some(unattributed) } else { figure(sku) };
                match found {
                    Some(found) => printed(found, wanted, &format!("{name} of {sku}"), reasons),
                    None => reasons.push(format!("{name}: {sku} is not in the bill")),
                }
            }
        }
        wanted => {
            let total = skus.iter().filter_map(|(sku, ..)| figure(sku)).sum::<Decimal>() + unattributed;
            printed(total, wanted, name, reasons);
        }
    }
}

/// Legacy model: credits on usage rows, fees in units of 0.01 of on-demand spend.
fn legacy_rows(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let skus = skus(inputs)?;
    let amount = number(inputs, "commitment_on_demand_per_h")?;
    let fee = inputs.get("fee_sku_price").map_or(Ok(FEE), decimal)?;
    let rows = rows(&skus, Decimal::ONE, fee * dec!(100), amount)?;
    let covered = |sku: &str| rows.skus.iter().find(|row| row.0 == sku).map(|row| row.2);
    let mut reasons = Vec::new();
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        match name.as_str() {
            "credits" | "credit" => by_sku(&skus, wanted, |sku| covered(sku).map(|credit| -credit), dec!(0), name, &mut reasons),
            "fee_amounts" => {
                by_sku(&skus, wanted, |sku| covered(sku).map(|c| c * dec!(100)), rows.unused * dec!(100), name, &mut reasons);
            }
            "fee_costs" | "fee_cost" => {
                let cost = |amount: Decimal| amount * dec!(100) * fee;
                by_sku(&skus, wanted, |sku| covered(sku).map(cost), cost(rows.unused), name, &mut reasons);
            }
            "net" | "total" | "net_cost" => printed(rows.bill.total().cost().value(), wanted, name, &mut reasons),
            _ => return Err(format!("expected field {name}")),
        }
    }
    Ok(reasons)
}

/// New model: covered usage at discounted prices, a fee row for each SKU and an offset of it.
fn new_rows(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let amount = number(inputs, "commitment_discounted_per_h")?;
    let discount = inputs.get("discount").map_or(Ok(Decimal::ONE - FEE * dec!(100)), decimal)?;
    let rate = Decimal::ONE - discount;
    // Where the example gives usage at discounted prices alone, it is what is covered.
    let skus = match skus(inputs) {
        Ok(skus) => skus,
        Err(error) => {
            let costs = expected["usage_cost"].as_array().ok_or(error)?;
            let costs: Vec<String> = costs.iter().map(|cost| Ok((decimal(cost)? / rate).to_string())).collect::<Parsed<_>>()?;
            self::skus(&json!({"usage": costs}))?
        }
    };
    let rows = rows(&skus, rate, Decimal::ONE, amount)?;
    let row = |sku: &str| rows.skus.iter().find(|row| row.0 == sku);
    let mut reasons = Vec::new();
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        match name.as_str() {
            "usage_cost" | "covered_cost" => by_sku(&skus, wanted, |sku| row(sku).map(|row| row.3), dec!(0), name, &mut reasons),
            "fee_cost" | "fee_costs" => by_sku(&skus, wanted, |sku| row(sku).map(|row| row.3), rows.unused, name, &mut reasons),
            // The page's own offsets are below its fee rows by up to 1.2e-5.
            "offset" | "offsets" => {
                for (sku, wanted) in wanted.as_object().into_iter().flatten() {
                    compare(row(sku).map(|row| -row.3), wanted, dec!(0.000015), &format!("offset of {sku}"), &mut reasons);
                }
            }
            _ if name.contains("quantit") || name.contains("covered_amount") || name.contains("covered_units") => {
                by_sku(&skus, wanted, |sku| row(sku).map(|row| row.1), dec!(0), name, &mut reasons);
            }
            "net" | "total" | "net_cost" => printed(rows.bill.total().cost().value(), wanted, name, &mut reasons),
            _ => return Err(format!("expected field {name}")),
        }
    }
    Ok(reasons)
}

fn projects(usage: &Value) -> Parsed<Vec<ProjectUsage>> {
    let project = |(name, quantity): (&String, &Value)| {
        Ok(ProjectUsage { project: name.clone(), folders: BTreeSet::new(), quantity: decimal(quantity)? })
    };
    usage.as_object().ok_or("usage by project")?.iter().map(project).collect()
}

fn account(committed: Decimal, covered: Decimal, fee: Decimal) -> AccountCharges {
    let credit = Money::new(covered);
    AccountCharges { committed, covered, credit, sustained_use_discount: Money::ZERO, fee: Money::new(fee) }
}

/// Proportional attribution.
fn shares(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let rows = projects(&inputs["usage"])?;
    let used: Decimal = rows.iter().map(|row| row.quantity).sum();
    let covered = used / dec!(2);
    let found =
        attribute(&account(covered, covered, covered), &rows, &[], FeeRule::ByAllotment).map_err(|error| error.to_string())?;
    let mut reasons = Vec::new();
    for (row, share) in rows.iter().zip(&found.shares) {
        for name in ["share_of_credit", "share_of_fee"] {
            if let Some(wanted) = expected[name].get(&row.project) {
                let amount = if name == "share_of_fee" { share.fee } else { share.credit };
                compare(Some(amount.value() / covered), wanted, dec!(1e-12), &format!("{name} of {}", row.project), &mut reasons);
            }
        }
    }
    Ok(reasons)
}

/// Prioritised attribution with allotments: what is left for all, and the fee of an allotment that is not used.
fn allotments(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let allotted: Vec<(String, Decimal)> = match inputs["allotments"].as_object() {
        Some(all) => all.iter().map(|(name, units)| Ok((name.clone(), decimal(units)?))).collect::<Parsed<_>>()?,
        None => vec![("owner".to_owned(), number(inputs, "allotment_gb")?)],
    };
    let all: Decimal = allotted.iter().map(|(_, units)| *units).sum();
    let committed = inputs.get("commitment_gb").map_or(Ok(all), decimal)?;
    let own = inputs.get("used_gb").map(decimal).transpose()?;
    let mut rows: Vec<ProjectUsage> = match inputs.get("usage") {
        Some(usage) => projects(usage)?,
        None => allotted
            .iter()
            .map(|(name, units)| ProjectUsage {
                project: name.clone(),
                folders: BTreeSet::new(),
                quantity: own.unwrap_or(*units),
            })
            .collect(),
    };
    if inputs.get("usage").is_none() {
        rows.push(ProjectUsage { project: "all others".into(), folders: BTreeSet::new(), quantity: committed });
    }
    let allotments: Vec<Allotment> = allotted
        .iter()
        .map(|(name, units)| Allotment { units: *units, projects: BTreeSet::from([name.clone()]), folders: BTreeSet::new() })
        .collect();
    let used: Decimal = rows.iter().map(|row| row.quantity).sum();
    let found = attribute(&account(committed, committed.min(used), committed), &rows, &allotments, FeeRule::ByAllotment)
        .map_err(|error| error.to_string())?;
    let of = |name: &str| rows.iter().position(|row| row.project == name);
    let mut reasons = Vec::new();
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        let rest: Decimal = rows
            .iter()
            .zip(&found.shares)
            .map(|(row, share)| {
                let own = allotted.iter().find(|(owner, _)| *owner == row.project).map_or(dec!(0), |(_, units)| *units);
                share.covered - own.min(row.quantity).min(share.covered)
            })
            .sum();
        let fee: Decimal = allotted.iter().filter_map(|(owner, _)| of(owner)).map(|row| found.shares[row].fee.value()).sum();
        match (name.as_str(), wanted) {
            ("proportional_rest_gb", _) => compare(Some(rest), wanted, dec!(1e-9), name, &mut reasons),
            ("fee_charged_for_gb", Value::Number(_)) => compare(Some(fee), wanted, dec!(1e-9), name, &mut reasons),
            (_, Value::Object(by_project)) => {
                for (project, wanted) in by_project {
                    let share = of(project).map(|row| &found.shares[row]).ok_or_else(|| format!("{project} has no usage"))?;
                    let actual = if name.contains("fee") { share.fee.value() } else { share.covered };
                    compare(Some(actual), wanted, dec!(1e-9), &format!("{name} of {project}"), &mut reasons);
                }
            }
            _ => return Err(format!("expected field {name}")),
        }
    }
    Ok(reasons)
}

/// Option 2 without tranches: everybody pays for what it uses.
fn by_use(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let usage: Map<String, Value> = inputs["usage"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(index, value)| (format!("P{index:03}"), value.clone()))
        .collect();
    let rows = projects(&Value::Object(usage))?;
    let covered = number(inputs, "account_cud_credit")?;
    let found = attribute(&account(covered, covered, number(inputs, "commitment_cost")?), &rows, &[], FeeRule::ByUse)
        .map_err(|error| error.to_string())?;
    let mut reasons = Vec::new();
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        for ((row, share), wanted) in rows.iter().zip(&found.shares).zip(wanted.as_array().into_iter().flatten()) {
            let actual = if name == "cud" { share.credit } else { share.fee };
            compare(Some(actual.value()), wanted, dec!(0.05), &format!("{name} of {}", row.project), &mut reasons);
        }
    }
    Ok(reasons)
}

/// The use at which a commitment costs what on demand would.
fn break_even(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let discount = number(inputs, "discount")?;
    let wanted =
        expected.as_object().and_then(|fields| fields.iter().find(|(name, _)| name.contains("break_even"))).ok_or("no figure")?.1;
    let total = part_used(dec!(100), discount, decimal(wanted)?)?.total();
    let mut reasons = Vec::new();
    compare(Some(total.savings().value()), &json!("0"), dec!(1e-9), "savings at the expected break-even", &mut reasons);
    Ok(reasons)
}

/// A reservation at a discount of which a part is used.
fn part_used(list: Decimal, discount: Decimal, part: Decimal) -> Parsed<Bill> {
    let offer = json!({"id": "r", "benefit": {"kind": "reservation", "sku": "u"}, "recurring": (list * (Decimal::ONE - discount)).to_string()});
    bill(&json!({"prices": [{"id": "u", "price": list.to_string()}], "usage": [{"price": "u", "quantity": part.to_string()}],
        "offers": [offer], "commitments": [{"id": "r", "quantity": "1"}]}))
}

/// What a commitment saves when usage runs a part of the time.
fn uptime(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let list = inputs.as_object().into_iter().flatten().find(|(name, _)| name.starts_with("list")).ok_or("no list price")?.1;
    let total = part_used(decimal(list)?, number(inputs, "discount")?, number(inputs, "uptime")?)?.total();
    let mut reasons = Vec::new();
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        let actual = match name.as_str() {
            "commitment_cost" => total.commitment().value(),
            "list_for_uptime" => total.on_demand_equivalent.value(),
            "saving_pct" | "savings_pct" => total.savings().value() / total.on_demand_equivalent.value(),
            "saving" | "savings" => total.savings().value(),
            _ => return Err(format!("expected field {name}")),
        };
        compare(Some(actual), wanted, dec!(1e-9), name, &mut reasons);
    }
    Ok(reasons)
}

/// Hours of a billing month of 30 days.
const MONTH: usize = 720;

/// The sustained use discount on a curve of one June, as a part of its on-demand cost.
fn rate(curve: &[Decimal], tiers: &[Decimal]) -> Parsed<Decimal> {
    let total = june(curve, tiers)?.total();
    Ok(total.sustained_use_discount.value() / total.on_demand_equivalent.value())
}

fn june(curve: &[Decimal], tiers: &[Decimal]) -> Parsed<Bill> {
    let quantities: Vec<String> = curve.iter().map(Decimal::to_string).collect();
    let tiers: Vec<String> = tiers.iter().map(Decimal::to_string).collect();
    bill(&json!({"first_hour": "2026-06-01T07:00:00Z", "hours": MONTH, "prices": [{"id": "u", "price": "1", "family": "SERIES"}],
        "usage": [{"price": "u", "quantity": quantities}], "rules": {"gcp": {"sustained_use_tiers": {"SERIES": tiers}}}}))
}

/// Tiers given as charged parts, or those of the series that the example names.
fn tiers(example: &Value) -> Vec<Decimal> {
    let given =
        example["inputs"].as_object().into_iter().flatten().find(|(name, _)| name.contains("tiers") || name.contains("rates"));
    let given: Option<Vec<Decimal>> =
        given.and_then(|(_, tiers)| tiers.as_array()?.iter().map(|tier| decimal(tier).ok()).collect());
    let text = example.to_string();
    let is_newer = ["N2", "C2"].iter().any(|series| text.contains(series));
    let documented =
        if is_newer { [dec!(1), dec!(0.8678), dec!(0.733), dec!(0.6)] } else { [dec!(1), dec!(0.8), dec!(0.6), dec!(0.4)] };
    given.filter(|tiers| tiers.len() == 4).unwrap_or_else(|| documented.to_vec())
}

fn constant(level: Decimal, part: Decimal) -> Vec<Decimal> {
    let hours = (Decimal::from(MONTH) * part).round();
    (0..MONTH).map(|hour| if Decimal::from(hour) < hours { level } else { Decimal::ZERO }).collect()
}

/// Discounts by share of the month, and by layer of a curve given by quarters of the month.
fn sustained(example: &Value) -> Parsed<Vec<String>> {
    let (inputs, expected) = (&example["inputs"], &example["expected"]);
    let tiers = tiers(example);
    let lists = || {
        let fields =
            inputs.as_object().into_iter().flatten().filter(|(name, _)| !name.contains("tiers") && !name.contains("rates"));
        fields.filter_map(|(_, value)| value.as_array()?.iter().map(|item| decimal(item).ok()).collect::<Option<Vec<Decimal>>>())
    };
    let mut reasons = Vec::new();
    let parts = lists().find(|list| list.iter().all(|part| *part <= Decimal::ONE));
    let quarters = lists().find(|list| list.len() == 4 && list.iter().any(|level| *level > Decimal::ONE));
    if let Some(levels) = quarters {
        let found = layers(&levels, &tiers)?;
        // Layers by name, or a list or an object of them.
        let by_name = expected.as_object().is_some_and(|fields| fields.values().all(Value::is_number) && fields.len() > 1);
        let lists: Vec<&Value> =
            if by_name { vec![expected] } else { expected.as_object().into_iter().flat_map(Map::values).collect() };
        for wanted in lists {
            match wanted {
                Value::Array(wanted) => {
                    for ((_, found), wanted) in found.iter().zip(wanted) {
                        // Either the discount alone, or after the height of its layer, or as a field.
                        let wanted =
                            wanted.as_array().and_then(|pair| pair.last()).or_else(|| wanted.get("discount")).unwrap_or(wanted);
                        compare(Some(*found), wanted, dec!(0.0005), "layer", &mut reasons);
                    }
                }
                Value::Object(wanted) => {
                    for (name, wanted) in wanted {
                        compare(named_layer(name, &found), wanted, dec!(0.0005), name, &mut reasons);
                    }
                }
                _ => return Err("expected discounts by layer".into()),
            }
        }
        return Ok(reasons);
    }
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        match (wanted, &parts) {
            (Value::Array(wanted), Some(parts)) => {
                for (part, wanted) in parts.iter().zip(wanted) {
                    let found = rate(&constant(dec!(4), *part), &tiers)?;
                    compare(Some(found), wanted, dec!(0.0005), &format!("{name} at {part} of the month"), &mut reasons);
                }
            }
            (Value::Number(_) | Value::String(_), _) => {
                let part = inputs
                    .as_object()
                    .into_iter()
                    .flatten()
                    .find(|(name, _)| name.contains("share") || name.contains("fraction"));
                let part = part.map_or(Ok(Decimal::ONE), |(_, part)| decimal(part))?;
                compare(Some(rate(&constant(dec!(4), part), &tiers)?), wanted, dec!(0.0005), name, &mut reasons);
            }
            _ => return Err(format!("expected field {name}")),
        }
    }
    Ok(reasons)
}

/// A layer by its name: `first 4`, `next 8`, `last 16`, or its units `5-8`.
fn named_layer(name: &str, layers: &[(Decimal, Decimal)]) -> Option<Decimal> {
    let numbers = words::numbers(name);
    if let [from, _] = numbers.as_slice() {
        let mut below = Decimal::ZERO;
        return layers.iter().find_map(|(height, discount)| {
            let is_this = below < *from && *from <= below + *height;
            below += *height;
            is_this.then_some(*discount)
        });
    }
    let number = *numbers.first()?;
    let middle = layers.iter().skip(1).find(|(height, _)| *height == number);
    match () {
        () if name.contains("first") => layers.first(),
        () if name.contains("last") || name.contains("rest") => layers.last(),
        () => middle.or_else(|| layers.iter().find(|(height, _)| *height == number)),
    }
    .map(|(_, discount)| *discount)
}

/// Height and discount of each layer of a curve that steps through levels by quarters of the month, from the lowest layer up.
fn layers(levels: &[Decimal], tiers: &[Decimal]) -> Parsed<Vec<(Decimal, Decimal)>> {
    let mut steps: Vec<Decimal> = levels.to_vec();
    steps.sort();
    steps.dedup();
    let up_to = |top: Decimal| -> Parsed<(Decimal, Decimal)> {
        let curve: Vec<Decimal> = levels.iter().flat_map(|level| vec![(*level).min(top); MONTH.div_euclid(4)]).collect();
        let total = june(&curve, tiers)?.total();
        Ok((total.sustained_use_discount.value(), total.on_demand_equivalent.value()))
    };
    let mut below = (Decimal::ZERO, Decimal::ZERO);
    let (mut found, mut bottom) = (Vec::new(), Decimal::ZERO);
    for top in steps {
        let all = up_to(top)?;
        found.push((top - bottom, (all.0 - below.0) / (all.1 - below.1)));
        (below, bottom) = (all, top);
    }
    Ok(found)
}

/// One instance after another is one instance: thirty that run a day each, not at the same time, against one for thirty days. Thirty at
/// the same time get nothing, so that the sentence holds for the first alone.
fn same_discount(expected: &Value) -> Parsed<Vec<String>> {
    let tiers = [dec!(1), dec!(0.8), dec!(0.6), dec!(0.4)];
    let usage: Vec<Value> = (0..30)
        .map(|day| {
            let quantities: Vec<&str> = (0..MONTH).map(|hour| if hour.div_euclid(24) == day { "1" } else { "0" }).collect();
            json!({"price": "u", "tags": {"instance": day.to_string()}, "quantity": quantities})
        })
        .collect();
    let many = bill(
        &json!({"first_hour": "2026-06-01T07:00:00Z", "hours": MONTH, "prices": [{"id": "u", "price": "1", "family": "SERIES"}],
        "usage": usage, "rules": {"gcp": {"sustained_use_tiers": {"SERIES": ["1", "0.8", "0.6", "0.4"]}}}}),
    )?;
    let one = june(&constant(dec!(1), dec!(1)), &tiers)?;
    let is_same = (many.total().sustained_use_discount - one.total().sustained_use_discount).value().abs() < dec!(1e-9);
    Ok(if expected["same_discount"] == is_same { Vec::new() } else { vec![format!("same discount: {is_same}")] })
}
