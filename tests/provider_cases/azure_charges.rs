//! Azure's published examples of charges: amortisation, instalments, price rows, export rows, and ratios of sizes. Each is put to the
//! judge; the adapter only reads its figures.

use crate::case::{self, decimal};
use crate::check::compare;
use crate::{Outcome, words};
use chrono::{DateTime, Days, NaiveDate, Utc};
use covermix::billing::Bill;
use covermix::time::Term;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, dec};
use serde_json::{Value, json};

type Parsed<T> = Result<T, String>;

/// The outcome of an example of these shapes; `None` for one of another shape.
pub(crate) fn run(inputs: &Value, expected: &Value, is_rounded: bool) -> Option<Parsed<Outcome>> {
    let has = |field: &str| inputs.get(field).is_some();
    let wants = |field: &str| expected.get(field).is_some();
    let tolerance = |wanted: &Value| if is_rounded { words::rounding(&wanted.to_string()) } else { dec!(1e-9) };
    let reasons = if wants("daily") {
        daily(inputs, expected)
    } else if wants("divisor_days") {
        divisor(inputs, expected)
    } else if wants("amortised") || wants("actual") {
        actual_and_amortised(inputs, expected)
    } else if has("term_price") && wants("monthly") {
        instalment(&inputs["term_price"], inputs)
            .and_then(|found| one(found, &expected["monthly"], tolerance(&expected["monthly"])))
    } else if has("retailPrice") && wants("per_hour") {
        price_row(inputs, expected)
    } else if has("list") && has("effective") && wants("savings") {
        savings(inputs, expected)
    } else if has("RINormalizationRatio") {
        flexible_row(inputs, expected)
    } else if has("ChargeType") && has("Term") && inputs["ChargeType"] == "Purchase" {
        purchase_row(inputs, expected)
    } else if has("EffectivePrice") && wants("Cost") {
        plan_row(inputs, expected)
    } else if has("raw") && wants("normalised") {
        normalised(inputs, expected)
    } else if wants("covered_fraction") && has("reservation") {
        fractions(inputs, expected)
    } else if wants("periods") {
        periods(inputs, expected)
    } else if has("minutes") && expected.as_object().is_some_and(|fields| fields.values().any(Value::is_number)) {
        minutes(inputs, expected)
    } else {
        return None;
    };
    Some(reasons.map(|reasons| if reasons.is_empty() { Outcome::Passed } else { Outcome::Failed(reasons) }))
}

fn bill(case: &Value) -> Parsed<Bill> {
    case::bill(case, "azure").map(|(_, bill)| bill)
}

fn one(found: Decimal, wanted: &Value, tolerance: Decimal) -> Parsed<Vec<String>> {
    let mut reasons = Vec::new();
    compare(Some(found), wanted, tolerance, "the figure", &mut reasons);
    Ok(reasons)
}

fn date(text: &str) -> Parsed<NaiveDate> {
    text.trim().parse().map_err(|_| format!("{text}: no date"))
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}

/// A reservation bought on a day at the price of its term, and what runs of it in every hour from that day on.
fn reserved(price: &Value, purchase: NaiveDate, term: &str, hours: u64, running: &[Decimal]) -> Parsed<Value> {
    let start = midnight(purchase).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let offer = json!({"id": "r", "benefit": {"kind": "reservation", "sku": "vm"}, "term": term, "payment_option": "all_upfront",
        "upfront": decimal(price)?.to_string(), "recurring": "0"});
    let usage: Vec<Value> = running
        .iter()
        .enumerate()
        .map(|(index, quantity)| json!({"price": "vm", "account": index.to_string(), "quantity": quantity.to_string()}))
        .collect();
    let usage = if usage.is_empty() { vec![json!({"price": "vm", "quantity": "0"})] } else { usage };
    Ok(
        json!({"first_hour": start, "hours": hours, "prices": [{"id": "vm", "price": "1000000"}], "usage": usage, "offers": [offer],
        "commitments": [{"id": "r", "quantity": "1", "start": start}]}),
    )
}

fn term_text(inputs: &Value) -> String {
    match inputs["term"].as_str() {
        Some(term) if term.starts_with('P') => term.to_owned(),
        _ => match inputs.get("term_months").or_else(|| inputs.get("months")).and_then(Value::as_u64) {
            Some(months) => format!("P{months}M"),
            None => "P1Y".to_owned(),
        },
    }
}

/// The cost of a day, of a named month of so many days, and how it falls on machines and on what is unused.
fn daily(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let price = ["price", "upfront", "total"].iter().find_map(|name| inputs.get(*name)).ok_or("no price")?;
    let purchase = inputs["purchase"].as_str().or_else(|| inputs["term"].as_str()?.split("..").next()).ok_or("no purchase")?;
    let purchase = date(purchase)?;
    let of_day = |running: &[Decimal]| -> Parsed<Bill> {
        let mut inputs = inputs.clone();
        if inputs["term"].as_str().is_some_and(|term| term.contains("..")) {
            inputs["term"] = Value::Null;
        }
        bill(&reserved(price, purchase, &term_text(&inputs), 24, running)?)
    };
    let mut reasons = Vec::new();
    let day = of_day(&[Decimal::ONE])?.total().commitment().value();
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        let rounding = words::rounding(&wanted.to_string());
        let part = name.split('_').find_map(|word| word.parse::<Decimal>().ok());
        if name == "daily" {
            compare(Some(day), wanted, rounding, name, &mut reasons);
        } else if let (Some(days), true) = (part, name.ends_with("days")) {
            // The page multiplies the rounded cost of a day.
            compare(Some(day * days), wanted, dec!(0.005) * days, name, &mut reasons);
        } else if let Some(machines) = wanted.as_array() {
            let share = Decimal::ONE / Decimal::from(machines.len());
            let bill = of_day(&vec![share; machines.len()])?;
            let commitment = &bill.commitments()[0];
            for (wanted, quantity) in machines.iter().zip(commitment.by_line.values()) {
                let cost = commitment.charges.commitment().value() * *quantity / commitment.provided;
                compare(Some(cost), wanted, rounding.max(dec!(1e-9)), name, &mut reasons);
            }
        } else if let Some(parts) = wanted.as_object() {
            let bill = of_day(&[dec!(0.5)])?;
            for (part, wanted) in parts {
                let charges = &bill.commitments()[0].charges;
                let cost = if part.starts_with("Unused") { charges.unused_commitment } else { charges.used_commitment };
                compare(Some(cost.value()), wanted, dec!(1e-9), part, &mut reasons);
            }
        } else {
            return Err(format!("expected field {name}"));
        }
    }
    Ok(reasons)
}

/// The days of a term that starts within a month.
fn divisor(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let purchase = date(inputs["purchase"].as_str().ok_or("no purchase")?)?;
    let term: Term = term_text(inputs).parse().map_err(|error: covermix::Error| error.to_string())?;
    let end = term.end(midnight(purchase));
    let days = (end - midnight(purchase)).num_days();
    // The judge spreads the price over these days.
    let bill = bill(&reserved(&json!("1000"), purchase, &term_text(inputs), 24, &[])?)?;
    let mut reasons = Vec::new();
    let divisor = dec!(1000) / bill.total().commitment().value();
    compare(Some(divisor), &expected["divisor_days"], dec!(1e-9), "divisor", &mut reasons);
    compare(Some(Decimal::from(days)), &expected["divisor_days"], dec!(0), "days of the term", &mut reasons);
    if let Some((_, last)) = expected["spread"].as_str().and_then(|spread| spread.split_once("..")) {
        let found = end.date_naive().checked_sub_days(Days::new(1)).ok_or("end")?;
        if found != date(last)? {
            reasons.push(format!("the last day is {found}, expected {last}"));
        }
    }
    Ok(reasons)
}

/// Cash and amortised cost of a year paid upfront.
fn actual_and_amortised(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let month = inputs["month"].as_str().ok_or("no month")?;
    let purchase = date(&format!("{month}-01"))?;
    let hours = 59 * 24;
    let bill = bill(&reserved(&inputs["upfront"], purchase, &term_text(inputs), hours, &[])?)?;
    let mut reasons = Vec::new();
    let cash = bill.cash_by_month();
    for (period, wanted) in expected["actual"].as_object().into_iter().flatten() {
        let paid: Decimal = cash
            .iter()
            .filter(|(key, _)| if period == "others" { key.to_string() != month } else { key.to_string() == *period })
            .map(|(_, amount)| amount.value())
            .sum();
        compare(Some(paid), wanted, dec!(1e-9), &format!("paid in {period}"), &mut reasons);
    }
    for (period, wanted) in expected["amortised"].as_object().into_iter().flatten() {
        let charges =
            bill.months().iter().find(|(key, _)| key.to_string() == *period).map(|(_, charges)| charges.commitment().value());
        compare(charges, wanted, words::rounding(&wanted.to_string()), &format!("amortised in {period}"), &mut reasons);
    }
    Ok(reasons)
}

/// A monthly instalment, as cash on the day of purchase.
fn instalment(term_price: &Value, inputs: &Value) -> Parsed<Decimal> {
    let term = term_text(inputs);
    let hours = term.parse::<Term>().map_err(|error| error.to_string())?.list_hours();
    let offer = json!({"id": "r", "benefit": {"kind": "reservation", "sku": "vm"}, "term": term,
        "recurring": (decimal(term_price)? / hours).to_string()});
    let bill = bill(&json!({"first_hour": "2023-01-01T00:00:00Z", "prices": [{"id": "vm", "price": "1000000"}],
        "usage": [{"price": "vm", "quantity": "0"}], "offers": [offer], "commitments": [{"id": "r", "quantity": "1"}]}))?;
    Ok(bill.cash().iter().map(|payment| payment.amount.value()).sum::<Decimal>().round_dp(12))
}

/// A row of the price list: the price of a term, per hour.
fn price_row(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let years = inputs["reservationTerm"].as_str().and_then(words::leading).ok_or("no reservationTerm")?;
    let term = format!("P{years}Y");
    let case = reserved(&inputs["retailPrice"], date("2021-06-01")?, &term, 1, &[])?;
    // The hour basis of price lists is 8,760 a year; a term over 29 February would be spread over more.
    let hours = term.parse::<Term>().map_err(|error| error.to_string())?.list_hours();
    let bill = bill(&case)?;
    let held = bill.commitments()[0].charges.commitment().value();
    let factor = if years == Decimal::ONE { Decimal::ONE } else { dec!(26304) / hours };
    one(held * factor, &expected["per_hour"], dec!(1e-9))
}

/// Savings keep their sign.
fn savings(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let offer = json!({"id": "r", "benefit": {"kind": "reservation", "sku": "vm"}, "recurring": decimal(&inputs["effective"])?.to_string()});
    let bill = bill(
        &json!({"first_hour": "2021-01-01T00:00:00Z", "prices": [{"id": "vm", "price": decimal(&inputs["list"])?.to_string()}],
        "usage": [{"price": "vm", "quantity": "1"}], "offers": [offer], "commitments": [{"id": "r", "quantity": "1"}]}),
    )?;
    one(bill.total().savings().value(), &expected["savings"], dec!(1e-9))
}

/// A row of amortised cost under size flexibility: the effective price is for an hour of the size used.
fn flexible_row(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let (ratio, quantity) = (decimal(&inputs["RINormalizationRatio"])?, decimal(&inputs["Quantity"])?);
    let effective = decimal(expected.get("EffectivePrice").ok_or("no effective price")?)?;
    let offer = json!({"id": "r", "recurring": (effective / ratio).to_string(),
        "benefit": {"kind": "reservation", "sku": "vm", "pool": {"pool": "g", "units": "1"}}});
    let price = inputs.get("UnitPrice").cloned().unwrap_or_else(|| json!(1)).to_string();
    let bill = bill(&json!({"first_hour": "2021-01-01T00:00:00Z",
        "prices": [{"id": "vm", "price": price, "pools": [{"pool": "g", "units": ratio.to_string()}]}],
        "usage": [{"price": "vm", "quantity": quantity.to_string()}], "offers": [offer],
        "commitments": [{"id": "r", "quantity": (quantity * ratio).to_string()}]}))?;
    one(bill.total().used_commitment.value(), &expected["Cost"], dec!(1e-9))
}

/// A row of usage under a savings plan: the last record of an hour can be covered in part.
fn plan_row(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let (quantity, rate) = (decimal(&inputs["Quantity"])?, decimal(&inputs["EffectivePrice"])?);
    let price = ["PayGPrice", "UnitPrice"].iter().find_map(|name| inputs.get(*name)).ok_or("no pay-as-you-go price")?;
    let left = decimal(&expected["Cost"])?;
    let bill =
        bill(&json!({"first_hour": "2021-01-01T00:00:00Z", "prices": [{"id": "vm", "price": decimal(price)?.to_string()}],
        "usage": [{"price": "vm", "quantity": (quantity + dec!(1)).to_string()}],
        "offers": [{"id": "sp", "benefit": {"kind": "spend_plan", "plan": "Compute", "rates": {"vm": rate.to_string()}}}],
        "commitments": [{"id": "sp", "quantity": left.to_string()}]}))?;
    // What is left of the commitment cuts the quantity.
    let mut reasons = one(bill.total().used_commitment.value(), &expected["Cost"], dec!(1e-12))?;
    compare(Some(bill.lines()[0].covered), &inputs["Quantity"], dec!(1e-8), "quantity", &mut reasons);
    Ok(reasons)
}

/// A purchase row in instalments.
fn purchase_row(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let price = decimal(expected.get("EffectivePrice").ok_or("no price")?)?;
    let (months, quantity) = (decimal(&inputs["Term"])?, decimal(&inputs["Quantity"])?);
    let term_price = json!((price * months * quantity).to_string());
    let found = instalment(&term_price, &json!({"term_months": months.to_u64()}))?;
    one(found, &expected["Cost"], dec!(1e-9))
}

/// Ratios of sizes divided by the least of their group. Groups are told apart by the letters of the series.
fn normalised(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let raw = inputs["raw"].as_object().ok_or("raw")?;
    let series = |name: &str| -> String {
        let size = name.trim_start_matches("Standard_");
        size.chars().take_while(char::is_ascii_alphabetic).collect()
    };
    let mut reasons = Vec::new();
    for (name, wanted) in expected["normalised"].as_object().ok_or("nothing expected")? {
        let group: Vec<(&String, Decimal)> = raw
            .iter()
            .filter(|(other, _)| series(other) == series(name))
            .map(|(other, ratio)| Ok((other, decimal(ratio)?)))
            .collect::<Parsed<_>>()?;
        let least = group.iter().min_by_key(|(_, ratio)| *ratio).ok_or("an empty group")?;
        let covered = covered_of(least.1, decimal(&raw[name])?)?;
        compare(Some(Decimal::ONE / covered), wanted, dec!(1e-9), name, &mut reasons);
    }
    Ok(reasons)
}

/// The part of one machine of a ratio that one reservation of another covers.
fn covered_of(reserved: Decimal, running: Decimal) -> Parsed<Decimal> {
    let bill = bill(&json!({"prices": [{"id": "vm", "price": "1", "pools": [{"pool": "g", "units": running.to_string()}]}],
        "usage": [{"price": "vm", "quantity": "1"}], "commitments": [{"id": "r", "quantity": "1"}],
        "offers": [{"id": "r", "recurring": "0.1",
            "benefit": {"kind": "reservation", "sku": "vm", "pool": {"pool": "g", "units": reserved.to_string()}}}]}))?;
    Ok(bill.lines()[0].covered)
}

/// One reservation against one machine of other sizes: ratios given, as `4 of 8`, or the processors in the sizes' names.
fn fractions(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let sku = inputs["reservation"]["sku"].as_str().ok_or("no size reserved")?;
    let quantity = inputs["reservation"].get("quantity").map_or(Ok(Decimal::ONE), decimal)?;
    let ratio_of = |name: &str| -> Parsed<Decimal> {
        if let Some(ratio) = inputs["ratios"].get(name) {
            return decimal(ratio);
        }
        let size = name.trim_start_matches("Standard_").trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
        words::leading(size).ok_or_else(|| format!("no ratio of {name}"))
    };
    let given = inputs["ratio"].as_str().map(words::numbers).filter(|numbers| numbers.len() == 2);
    let mut reasons = Vec::new();
    match &expected["covered_fraction"] {
        Value::Object(sizes) => {
            for (name, wanted) in sizes {
                let found = covered_of(quantity * ratio_of(sku)?, ratio_of(name)?)?;
                compare(Some(found), wanted, dec!(1e-9), name, &mut reasons);
            }
        }
        wanted => {
            let (reserved, running) = match (given.as_deref(), inputs["running"].as_object().and_then(|all| all.keys().next())) {
                (Some([part, whole]), _) => (*part, *whole),
                (_, Some(name)) => (quantity * ratio_of(sku)?, ratio_of(name)?),
                _ => return Err("nothing running".into()),
            };
            compare(Some(covered_of(reserved, running)?), wanted, dec!(1e-9), "covered", &mut reasons);
        }
    }
    Ok(reasons)
}

/// Units that run for some minutes of the hour.
fn minutes(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let fields = inputs.as_object().ok_or("no inputs")?;
    let (_, units) = fields.iter().find(|(name, value)| *name != "minutes" && value.is_number()).ok_or("no units")?;
    let seconds = (decimal(&inputs["minutes"])? * dec!(60)).to_i64();
    let interval = json!({"from": "2024-01-01T00:00:00Z", "seconds": seconds, "count": units});
    let bill = bill(&json!({"prices": [{"id": "u", "price": "1"}], "usage": [{"price": "u", "intervals": [interval]}]}))?;
    let wanted =
        expected.as_object().and_then(|fields| fields.values().find(|value| value.is_number())).ok_or("nothing expected")?;
    one(bill.lines()[0].quantity, wanted, dec!(1e-9))
}

/// Terms of one month, each from the end of the one before, from purchases such as `Dec 30`, in years without 29 February.
fn periods(inputs: &Value, expected: &Value) -> Parsed<Vec<String>> {
    let purchases = inputs["purchase"].as_array().ok_or("no purchases")?;
    let mut reasons = Vec::new();
    for (purchase, wanted) in purchases.iter().zip(expected["periods"].as_array().into_iter().flatten()) {
        let text = format!("{} 2025", purchase.as_str().ok_or("a purchase")?);
        let day = NaiveDate::parse_from_str(&text, "%b %d %Y").map_err(|_| format!("{text}: no day"))?;
        let mut start = midnight(day);
        for wanted in wanted.as_array().into_iter().flatten().filter_map(Value::as_str) {
            let end = Term::Months(1).end(start);
            let last = end.date_naive().checked_sub_days(Days::new(1)).ok_or("end")?;
            let found = format!("{} - {}", start.format("%b %-d"), last.format("%b %-d"));
            if !wanted.starts_with(&found) {
                reasons.push(format!("the period is {found}, expected {wanted}"));
            }
            start = end;
        }
    }
    Ok(reasons)
}
