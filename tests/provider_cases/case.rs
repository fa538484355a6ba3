//! One case: from JSON to usage, catalog, portfolio and rules, with defaults for what a case leaves out.

use crate::check;
use crate::{Outcome, actions};
use covermix::billing::agreement::Agreement;
use covermix::billing::azure::pre_purchase::PrePurchasePlan;
use covermix::billing::{Bill, Judge, Rules};
use covermix::catalog::{Benefit, Catalog, Offer, OnDemandPrice};
use covermix::portfolio::{Commitment, Portfolio};
use covermix::time::{Hour, HourGrid};
use covermix::usage::{PricingCategory, UsageCurves, UsageLine};
use ndarray::Array2;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

type Parsed<T> = Result<T, String>;

/// What a case describes.
pub(crate) struct Case {
    pub(crate) usage: UsageCurves,
    pub(crate) catalog: Catalog,
    pub(crate) portfolio: Portfolio,
    pub(crate) rules: Rules,
}

const FIELDS: [&str; 19] = [
    "id",
    "title",
    "source",
    "provider",
    "note",
    "first_hour",
    "hours",
    "prices",
    "usage",
    "offers",
    "commitments",
    "particulars",
    "assumptions",
    "ledger",
    "rules",
    "agreement",
    "pre_purchase",
    "tolerance",
    "expected",
];

/// Runs a case in this library's own format.
pub(crate) fn run(case: &Value, provider: &str) -> Outcome {
    if let Some(field) = case.as_object().and_then(|case| case.keys().find(|key| !FIELDS.contains(&key.as_str()))) {
        return Outcome::Unsupported(format!("unknown field {field}"));
    }
    let expected = &case["expected"];
    if expected.get("actions").is_some() {
        return actions::run(case, provider).unwrap_or_else(|reason| Outcome::Failed(vec![reason]));
    }
    let tolerance = match case.get("tolerance") {
        None => Decimal::new(1, 9),
        Some(value) => match decimal(value) {
            Ok(tolerance) => tolerance,
            Err(error) => return Outcome::Unsupported(error),
        },
    };
    let wants_error = expected.get("error").and_then(Value::as_str);
    let built = match build(case, provider) {
        Ok(built) => built,
        Err(error) => return judge_error(wants_error, &error),
    };
    let judge = match Judge::new(&built.usage, &built.catalog, &built.portfolio, &built.rules) {
        Ok(judge) => judge,
        Err(error) => return judge_error(wants_error, &error.to_string()),
    };
    let mut reasons = Vec::new();
    let bill = judge.bill();
    check::bill(&built, &bill, expected, tolerance, "", &mut reasons);
    if let Err(error) = stages(case, &judge, &bill, tolerance, &mut reasons) {
        return judge_error(wants_error, &error);
    }
    for expected in expected["hours"].as_array().into_iter().flatten() {
        match bill_of_hour(&built, expected) {
            Ok((hour, bill)) => check::bill(&built, &bill, expected, tolerance, &format!("hour {hour} "), &mut reasons),
            Err(error) => reasons.push(error),
        }
    }
    if let Some(wanted) = wants_error {
        return Outcome::Failed(vec![format!("no error, but one with \"{wanted}\" was expected")]);
    }
    if let Some(reason) = reasons.iter().find_map(|reason| reason.strip_prefix("unsupported: ")) {
        return Outcome::Unsupported(reason.to_owned());
    }
    if reasons.is_empty() { Outcome::Passed } else { Outcome::Failed(reasons) }
}

/// The stages after the waterfall: an agreement's discounts, pre-purchase plans.
fn stages(case: &Value, judge: &Judge<'_>, bill: &Bill, tolerance: Decimal, reasons: &mut Vec<String>) -> Parsed<()> {
    let expected = &case["expected"];
    if let Some(agreement) = case.get("agreement") {
        let rows = judge.discounts(bill, &read::<Agreement>(agreement.clone())?).map_err(text)?;
        let discount: Decimal = rows.iter().map(|row| row.discount.value()).sum();
        for (field, wanted) in expected["agreement"].as_object().into_iter().flatten() {
            let actual = match field.as_str() {
                "discount" => discount,
                "cost" => bill.total().cost().value() - discount,
                item => rows.iter().filter(|row| row.item == item).map(|row| row.discount.value()).sum(),
            };
            check::compare(Some(actual), wanted, tolerance, &format!("agreement {field}"), reasons);
        }
    }
    if let Some(plans) = case.get("pre_purchase") {
        let plans: Vec<PrePurchasePlan> = read(plans.clone())?;
        let found = judge.draw_pre_purchase(&plans).map_err(text)?;
        for wanted in expected["pre_purchase"].as_array().into_iter().flatten() {
            let Some(plan) = found.iter().find(|plan| wanted["id"] == plan.id.as_str()) else {
                reasons.push(format!("there is no pre-purchase plan {}", wanted["id"]));
                continue;
            };
            for (field, wanted) in wanted.as_object().into_iter().flatten().filter(|(field, _)| *field != "id") {
                let actual = match field.as_str() {
                    "used" => plan.used,
                    "left" => plan.left,
                    "covered" => plan.covered.value(),
                    _ => return Err(format!("unknown field {field} of a pre-purchase plan")),
                };
                check::compare(Some(actual), wanted, tolerance, &format!("{} {field}", plan.id), reasons);
            }
        }
    }
    Ok(())
}

/// The bill of what a case describes, for adapters that compare figures themselves.
pub(crate) fn bill(case: &Value, provider: &str) -> Parsed<(Case, Bill)> {
    let built = build(case, provider)?;
    let bill = Judge::new(&built.usage, &built.catalog, &built.portfolio, &built.rules).map_err(text)?.bill();
    Ok((built, bill))
}

/// An error is a pass if the case expects it, else the case could not be interpreted.
fn judge_error(wanted: Option<&str>, error: &str) -> Outcome {
    match wanted {
        Some(wanted) if error.contains(wanted) => Outcome::Passed,
        Some(wanted) => Outcome::Failed(vec![format!("error \"{error}\" does not name \"{wanted}\"")]),
        None => Outcome::Failed(vec![error.to_owned()]),
    }
}

/// The bill of one hour alone.
fn bill_of_hour(case: &Case, expected: &Value) -> Parsed<(usize, Bill)> {
    let hour = expected["hour"].as_u64().and_then(|hour| usize::try_from(hour).ok()).ok_or("hours[].hour is not a number")?;
    let grid = case.usage.grid();
    if hour >= grid.count {
        return Err(format!("hour {hour} is beyond the case"));
    }
    let row = Array2::from_shape_vec((1, case.usage.lines().len()), case.usage.at(hour).to_vec()).map_err(|e| e.to_string())?;
    let grid = HourGrid { first: grid.hour(hour), count: 1 };
    let usage = UsageCurves::new(grid, case.usage.lines().to_vec(), row).map_err(|error| error.to_string())?;
    let judge = Judge::new(&usage, &case.catalog, &case.portfolio, &case.rules).map_err(|error| error.to_string())?;
    Ok((hour, judge.bill()))
}

/// A decimal number: a string, or a number whose text is taken as it stands.
pub(crate) fn decimal(value: &Value) -> Parsed<Decimal> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return Err(format!("{value} is not a number")),
    };
    text.parse().or_else(|_| Decimal::from_scientific(&text)).map_err(|_| format!("{value} is not a number"))
}

/// Builds what the case describes.
pub(crate) fn build(case: &Value, provider: &str) -> Parsed<Case> {
    let first: Hour = case["first_hour"].as_str().unwrap_or("2024-01-01T00:00:00Z").parse().map_err(text)?;
    let prices = prices(case, provider)?;
    let usage = usage(case, first, &prices)?;
    let portfolio = portfolio(case, provider, first)?;
    let rules = case.get("rules").map_or(Ok(Rules::default()), |rules| read(rules.clone()))?;
    let catalog = Catalog::new("USD", None, "case", prices, Vec::new()).map_err(text)?;
    Ok(Case { usage, catalog, portfolio, rules })
}

/// What the case holds, and a catalog of its prices and offers, for questions about what can be done with it.
pub(crate) fn held(case: &Value, provider: &str) -> Parsed<(Catalog, Portfolio)> {
    let portfolio = portfolio(case, provider, Hour::from_epoch(0))?;
    let mut prices = prices(case, provider)?;
    // What is reserved needs a price, of which these questions make no use.
    let reserved = portfolio.offers().iter().filter_map(|offer| match &offer.benefit {
        Benefit::Reservation { sku, .. } => Some(sku.clone()),
        Benefit::SpendPlan { .. } => None,
    });
    for id in reserved.chain(["something".to_owned()]) {
        if !prices.iter().any(|price| price.id == id) {
            prices.push(read(price_defaults(&json!({"id": id, "price": "1"}), provider))?);
        }
    }
    let catalog = Catalog::new("USD", None, "case", prices, portfolio.offers().to_vec()).map_err(text)?;
    Ok((catalog, portfolio))
}

fn prices(case: &Value, provider: &str) -> Parsed<Vec<OnDemandPrice>> {
    items(case, "prices")?.iter().map(|item| read(price_defaults(item, provider))).collect()
}

fn portfolio(case: &Value, provider: &str, first: Hour) -> Parsed<Portfolio> {
    let offers = items(case, "offers")?.iter().map(|item| read(offer_defaults(item, provider))).collect::<Parsed<Vec<_>>>()?;
    let commitments = items(case, "commitments")?
        .iter()
        .map(|item| commitment(item, first, &offers, provider))
        .collect::<Parsed<Vec<Commitment>>>()?;
    let particulars = items(case, "particulars")?.into_iter().map(read).collect::<Parsed<Vec<_>>>()?;
    Portfolio::new(offers, commitments).and_then(|held| held.with_particulars(particulars)).map_err(text)
}

#[allow(clippy::needless_pass_by_value)]
fn text(error: covermix::Error) -> String {
    error.to_string()
}

pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Parsed<T> {
    serde_json::from_value(value.clone()).map_err(|error| format!("{error} in {value}"))
}

fn items(case: &Value, field: &str) -> Parsed<Vec<Value>> {
    match case.get(field) {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items.clone()),
        Some(_) => Err(format!("{field} is not a list")),
    }
}

/// `item` over `defaults`, objects merged.
fn over(defaults: Value, item: &Value) -> Value {
    match (defaults, item) {
        (Value::Object(mut defaults), Value::Object(item)) => {
            for (key, value) in item {
                let merged = defaults.remove(key).map_or_else(|| value.clone(), |old| over(old, value));
                defaults.insert(key.clone(), merged);
            }
            Value::Object(defaults)
        }
        (_, item) => item.clone(),
    }
}

fn service(provider: &str) -> &'static str {
    match provider {
        "azure" => "Virtual Machines",
        "gcp" => "Compute Engine",
        _ => "AmazonEC2",
    }
}

fn price_defaults(item: &Value, provider: &str) -> Value {
    let sku = json!({"provider": provider, "service": service(provider), "region": "us-east-1", "sku": item["id"]});
    over(json!({"sku": sku}), item)
}

fn offer_defaults(item: &Value, provider: &str) -> Value {
    let is_plan = item["benefit"]["kind"] == "spend_plan";
    let scopes = ["availability_zone", "region", "shared", "management_group", "subscription", "resource_group", "project"];
    let defaults = json!({
        "provider": provider, "service": service(provider), "term": if provider == "aws" { "P365D" } else { "P1Y" },
        "payment_option": "no_upfront", "upfront": "0", "recurring": if is_plan { "1" } else { "0" }, "scopes": scopes,
    });
    over(defaults, item)
}

fn commitment(item: &Value, first: Hour, offers: &[Offer], provider: &str) -> Parsed<Commitment> {
    let id = item["offer"].as_str().or_else(|| item["id"].as_str()).unwrap_or_default();
    let offer = offers.iter().find(|offer| offer.id == id);
    let start = item["start"]
        .as_str()
        .map_or_else(|| Ok(first.start()), |start| start.parse().map_err(|_| format!("{start}: no instant")))?;
    let end = offer.map_or(start + chrono::Duration::days(365), |offer| offer.term.end(start));
    let regional = provider == "aws" && offer.is_none_or(|offer| !offer.is_spend_plan());
    let scope = if regional { json!({"kind": "region"}) } else { json!({"kind": "shared"}) };
    let scope = if item.get("scope").is_some() { Value::Null } else { scope };
    read(over(json!({"offer": id, "start": start, "end": end, "scope": scope}), item))
}

/// Usage lines; several entries of the same stream sum.
fn usage(case: &Value, first: Hour, prices: &[OnDemandPrice]) -> Parsed<UsageCurves> {
    let entries = items(case, "usage")?;
    let listed = entries.iter().filter_map(|entry| entry["quantity"].as_array().map(Vec::len)).max().unwrap_or(1);
    let count = case["hours"].as_u64().and_then(|hours| usize::try_from(hours).ok()).unwrap_or(listed);
    let mut streams: BTreeMap<UsageLine, Vec<Decimal>> = BTreeMap::new();
    for entry in &entries {
        let id = entry["price"].as_str().ok_or("usage without price")?;
        let price = prices.iter().find(|price| price.id == id).ok_or_else(|| format!("usage of {id}, which has no price"))?;
        let mut line = UsageLine::new(price.sku.clone(), entry["account"].as_str().unwrap_or_default());
        line.availability_zone = entry["zone"].as_str().unwrap_or_default().into();
        line.pricing = entry.get("pricing").map_or(Ok(PricingCategory::Standard), |pricing| read(pricing.clone()))?;
        line.tags = entry.get("tags").map_or(Ok(BTreeMap::new()), |tags| read(tags.clone()))?;
        let quantities = streams.entry(line).or_insert_with(|| vec![Decimal::ZERO; count]);
        match entry.get("quantity") {
            Some(Value::Array(values)) => {
                if values.len() > count {
                    return Err(format!("{id}: {} quantities for {count} hours", values.len()));
                }
                for (sum, value) in quantities.iter_mut().zip(values) {
                    *sum += decimal(value)?;
                }
            }
            Some(value) => {
                let value = decimal(value)?;
                quantities.iter_mut().for_each(|sum| *sum += value);
            }
            None => {}
        }
        for interval in entry["intervals"].as_array().into_iter().flatten() {
            spread(interval, first, quantities)?;
        }
    }
    let grid = HourGrid { first, count };
    let lines: Vec<UsageLine> = streams.keys().cloned().collect();
    let columns: Vec<Vec<Decimal>> = streams.into_values().collect();
    let quantity = Array2::from_shape_fn((count, lines.len()), |(hour, line)| columns[line][hour].to_f64().unwrap_or(f64::NAN));
    UsageCurves::new(grid, lines, quantity).map_err(text)
}

/// Adds an interval (`from`, `seconds`, `count` things running) to the clock hours it touches.
fn spread(interval: &Value, first: Hour, quantities: &mut [Decimal]) -> Parsed<()> {
    let from = interval["from"].as_str().ok_or("interval without from")?;
    let from: chrono::DateTime<chrono::Utc> = from.parse().map_err(|_| format!("{from}: no instant"))?;
    let seconds = interval["seconds"].as_i64().ok_or("interval without seconds")?;
    let things = interval.get("count").map_or(Ok(Decimal::ONE), decimal)?;
    let (start, end) = ((from - first.start()).num_seconds(), (from - first.start()).num_seconds() + seconds);
    for (hour, quantity) in (0i64..).zip(quantities.iter_mut()) {
        let overlap = end.min((hour + 1) * 3600) - start.max(hour * 3600);
        if overlap > 0 {
            *quantity += things * Decimal::from(overlap) / Decimal::from(3600);
        }
    }
    Ok(())
}

/// A JSON object of these fields, for adapters.
pub(crate) fn object(fields: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Object(fields.into_iter().collect::<Map<_, _>>())
}
