//! Compares a bill with what a case expects. A field that no check knows makes the case unsupported.

use crate::case::{Case, decimal};
use covermix::billing::{Bill, Charges};
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use serde_json::Value;

/// Compares; differences are added to `reasons`, unknown fields with the prefix `unsupported: `.
pub(crate) fn bill(case: &Case, bill: &Bill, expected: &Value, tolerance: Decimal, place: &str, reasons: &mut Vec<String>) {
    let Some(fields) = expected.as_object() else {
        reasons.push("unsupported: no expected object".into());
        return;
    };
    for (field, value) in fields {
        match field.as_str() {
            "hour" | "hours" | "error" | "note" | "agreement" | "pre_purchase" => {}
            "total" => charges(&bill.total(), value, tolerance, &format!("{place}total"), reasons),
            "days" => {
                let days = bill.days();
                for (day, value) in value.as_object().into_iter().flatten() {
                    match days.iter().find(|(key, _)| key.to_string() == *day) {
                        Some((_, day_charges)) => charges(day_charges, value, tolerance, day, reasons),
                        None => reasons.push(format!("day {day} is not in the bill")),
                    }
                }
            }
            "cash" => {
                let cash = bill.cash();
                for (period, value) in value.as_object().into_iter().flatten() {
                    let within = cash.iter().filter(|payment| payment.date.to_string().starts_with(period.as_str()));
                    let amount: Decimal = within.map(|payment| payment.amount.value()).sum();
                    compare(Some(amount), value, tolerance, &format!("{place}cash {period}"), reasons);
                }
            }
            "months" => {
                for (month, value) in value.as_object().into_iter().flatten() {
                    match bill.months().iter().find(|(key, _)| key.to_string() == *month) {
                        Some((_, month_charges)) => charges(month_charges, value, tolerance, month, reasons),
                        None => reasons.push(format!("month {month} is not in the bill")),
                    }
                }
            }
            "lines" => value.as_array().into_iter().flatten().for_each(|line| lines(case, bill, line, tolerance, place, reasons)),
            "commitments" => {
                value.as_array().into_iter().flatten().for_each(|item| commitments(bill, item, tolerance, place, reasons));
            }
            _ => reasons.push(format!("unsupported: expected field {field}")),
        }
    }
}

fn charges(actual: &Charges, expected: &Value, tolerance: Decimal, place: &str, reasons: &mut Vec<String>) {
    for (field, value) in expected.as_object().into_iter().flatten() {
        let actual = match field.as_str() {
            "on_demand" => Some(actual.on_demand.value()),
            "on_demand_equivalent" => Some(actual.on_demand_equivalent.value()),
            "list_equivalent" => Some(actual.list_equivalent.value()),
            "sustained_use_discount" => Some(actual.sustained_use_discount.value()),
            "covered" => Some(actual.covered().value()),
            "cost" => Some(actual.cost().value()),
            "commitment" => Some(actual.commitment().value()),
            "used_commitment" => Some(actual.used_commitment.value()),
            "unused_commitment" => Some(actual.unused_commitment.value()),
            "amortised_upfront" => Some(actual.amortised_upfront.value()),
            "recurring" => Some(actual.recurring.value()),
            "savings" => Some(actual.savings().value()),
            "coverage" => actual.coverage().and_then(Decimal::from_f64),
            "utilisation" => actual.utilisation().and_then(Decimal::from_f64),
            "effective_savings_rate_contracted" => actual.effective_savings_rate_contracted().and_then(Decimal::from_f64),
            "effective_savings_rate_list" => actual.effective_savings_rate_list().and_then(Decimal::from_f64),
            _ => {
                reasons.push(format!("unsupported: charge {field}"));
                continue;
            }
        };
        compare(actual, value, tolerance, &format!("{place} {field}"), reasons);
    }
}

/// A line of `expected` is named by any of price, account, zone; quantities of all lines that fit are summed.
fn lines(case: &Case, bill: &Bill, expected: &Value, tolerance: Decimal, place: &str, reasons: &mut Vec<String>) {
    let fits = |column: usize| {
        let line = &case.usage.lines()[column];
        let is = |field: &str, value: &str| expected.get(field).is_none_or(|wanted| wanted == value);
        let price = case.catalog.price(&line.sku).map_or("", |price| price.id.as_str());
        is("price", price) && is("account", &line.account) && is("zone", &line.availability_zone)
    };
    let tolerance = expected.get("tolerance").and_then(|own| decimal(own).ok()).unwrap_or(tolerance);
    let matching: Vec<_> = bill.lines().iter().filter(|line| fits(line.column)).collect();
    let name = format!("{place}line {} {} {}", expected["price"], expected["account"], expected["zone"]);
    if matching.is_empty() {
        reasons.push(format!("{name} is not in the bill"));
        return;
    }
    for (field, value) in expected.as_object().into_iter().flatten() {
        let actual = match field.as_str() {
            "price" | "account" | "zone" | "tolerance" => continue,
            "quantity" => matching.iter().map(|line| line.quantity).sum(),
            "covered" => matching.iter().map(|line| line.covered).sum(),
            "on_demand_quantity" => matching.iter().map(|line| line.quantity - line.covered).sum(),
            "on_demand" => matching.iter().map(|line| line.on_demand.value()).sum(),
            "sustained_use_discount" => matching.iter().map(|line| line.sustained_use_discount.value()).sum(),
            "on_demand_equivalent" => matching.iter().map(|line| line.on_demand_equivalent.value()).sum(),
            "covered_by" => {
                covered_by(bill, matching.iter().map(|line| line.column).collect(), value, tolerance, &name, reasons);
                continue;
            }
            _ => {
                reasons.push(format!("unsupported: line field {field}"));
                continue;
            }
        };
        compare(Some(actual), value, tolerance, &format!("{name} {field}"), reasons);
    }
}

#[allow(clippy::needless_pass_by_value)]
fn covered_by(bill: &Bill, columns: Vec<usize>, expected: &Value, tolerance: Decimal, name: &str, reasons: &mut Vec<String>) {
    for (id, value) in expected.as_object().into_iter().flatten() {
        let of = bill.commitments().iter().filter(|commitment| commitment.id == *id);
        let actual = of.flat_map(|of| columns.iter().filter_map(|column| of.by_line.get(column))).sum();
        compare(Some(actual), value, tolerance, &format!("{name} covered by {id}"), reasons);
    }
}

fn commitments(bill: &Bill, expected: &Value, tolerance: Decimal, place: &str, reasons: &mut Vec<String>) {
    let name = format!("{place}commitment {}", expected["id"]);
    let Some(actual) = bill.commitments().iter().find(|commitment| expected["id"] == commitment.id.as_str()) else {
        reasons.push(format!("{name} is not in the bill"));
        return;
    };
    for (field, value) in expected.as_object().into_iter().flatten() {
        let actual = match field.as_str() {
            "id" => continue,
            "provided" => Some(actual.provided),
            "used" => Some(actual.used),
            "unused" => Some(actual.provided - actual.used),
            "hours" => Some(actual.hours),
            "covered" => Some(actual.covered.value()),
            "cost" => Some(actual.charges.commitment().value()),
            "used_commitment" => Some(actual.charges.used_commitment.value()),
            "unused_commitment" => Some(actual.charges.unused_commitment.value()),
            "amortised_upfront" => Some(actual.charges.amortised_upfront.value()),
            "recurring" => Some(actual.charges.recurring.value()),
            "net_savings" => Some(actual.net_savings().value()),
            "utilisation" => actual.utilisation().and_then(Decimal::from_f64),
            _ => {
                reasons.push(format!("unsupported: commitment field {field}"));
                continue;
            }
        };
        compare(actual, value, tolerance, &format!("{name} {field}"), reasons);
    }
}

/// One figure against another.
pub(crate) fn compare(actual: Option<Decimal>, expected: &Value, tolerance: Decimal, name: &str, reasons: &mut Vec<String>) {
    match (actual, decimal(expected)) {
        (Some(actual), Ok(wanted)) if (actual - wanted).abs() <= tolerance => {}
        (Some(actual), Ok(wanted)) => reasons.push(format!("{name} is {actual}, expected {wanted}")),
        (None, Ok(wanted)) => reasons.push(format!("{name} is not defined, expected {wanted}")),
        (_, Err(error)) => reasons.push(format!("unsupported: {name}: {error}")),
    }
}
