//! Cases of what can be done with what is held: `expected.actions` is a list of questions, each of one commitment, one action and one instant.

use crate::Outcome;
use crate::case::{self, decimal};
use crate::check::compare;
use chrono::{DateTime, Utc};
use covermix::portfolio::action::{Action, Quote, Verdict};
use covermix::portfolio::{Assumptions, Ledger, rights};
use rust_decimal::Decimal;
use serde_json::Value;

type Parsed<T> = Result<T, String>;

const FIELDS: [&str; 14] = [
    "commitment",
    "action",
    "at",
    "allowed",
    "rule",
    "from",
    "until",
    "offer",
    "quantity",
    "count",
    "cash",
    "released",
    "end",
    "effective",
];

/// Runs a case with such questions.
pub(crate) fn run(case: &Value, provider: &str) -> Parsed<Outcome> {
    let (catalog, portfolio) = case::held(case, provider)?;
    let assumptions: Assumptions =
        case.get("assumptions").map_or(Ok(Assumptions::default()), |value| case::read(value.clone()))?;
    let ledger: Ledger = case.get("ledger").map_or(Ok(Ledger::default()), |value| case::read(value.clone()))?;
    let mut reasons = Vec::new();
    for asked in case["expected"]["actions"].as_array().into_iter().flatten() {
        if let Some(field) = asked.as_object().and_then(|asked| asked.keys().find(|field| !FIELDS.contains(&field.as_str()))) {
            return Err(format!("unknown field {field} of an action"));
        }
        let action: Action = case::read(asked["action"].clone())?;
        let at: DateTime<Utc> = case::read(asked["at"].clone())?;
        let id = asked["commitment"].as_str().unwrap_or_default();
        let name = format!("{action} of {id} at {at}");
        let all = rights::permissions(&portfolio, &catalog, at, &assumptions, &ledger).map_err(|error| error.to_string())?;
        let found = all.into_iter().find(|permission| permission.commitment == id && permission.action == action);
        let verdict = found.map(|permission| permission.verdict).ok_or_else(|| format!("{id} is not held"))?;
        check_verdict(&verdict, asked, &name, &mut reasons);
        if ["offer", "count", "cash", "released", "end", "effective"].iter().any(|field| asked.get(*field).is_some()) {
            let quotes = rights::quotes(&portfolio, &catalog, at, &assumptions, &ledger).map_err(|error| error.to_string())?;
            let of = |quote: &&Quote| {
                let offer = quote.received.as_ref().map(|received| received.offer.as_str());
                quote.action == action && quote.given[0].commitment == id && (offer == asked["offer"].as_str())
            };
            match quotes.iter().find(of) {
                Some(quote) => check_quote(quote, asked, &name, &mut reasons)?,
                None => reasons.push(format!("{name}: no quote")),
            }
        }
    }
    Ok(if reasons.is_empty() { Outcome::Passed } else { Outcome::Failed(reasons) })
}

fn check_verdict(verdict: &Verdict, asked: &Value, name: &str, reasons: &mut Vec<String>) {
    let is_instant = |wanted: &Value, found: DateTime<Utc>| wanted.as_str().is_some_and(|wanted| wanted.parse() == Ok(found));
    match (verdict, asked["allowed"].as_bool()) {
        (Verdict::Allowed(_), Some(false)) => reasons.push(format!("{name} is allowed")),
        (Verdict::Refused(refusal), Some(true)) => reasons.push(format!("{name}: {refusal}")),
        _ => {}
    }
    if let Some(wanted) = asked.get("rule") {
        let rule = match verdict {
            Verdict::Allowed(window) => window.rule,
            Verdict::Refused(refusal) => refusal.rule,
        };
        if wanted != rule.as_str() {
            reasons.push(format!("{name}: the rule is {}, expected {wanted}", rule.as_str()));
        }
    }
    for (field, pick) in [("from", 0), ("until", 1)] {
        if let Some(wanted) = asked.get(field) {
            let found = if let Verdict::Allowed(window) = verdict { Some([window.from, window.until][pick]) } else { None };
            if !found.is_some_and(|found| is_instant(wanted, found)) {
                reasons.push(format!("{name}: {field} is {found:?}, expected {wanted}"));
            }
        }
    }
}

fn check_quote(quote: &Quote, asked: &Value, name: &str, reasons: &mut Vec<String>) -> Parsed<()> {
    let tolerance = Decimal::new(1, 9);
    let quantity = asked.get("quantity").map_or(Ok(quote.given[0].held), decimal)?;
    let count = match quote.least_received(&[quantity]) {
        Ok(count) => count,
        Err(refusal) => {
            reasons.push(format!("{name}: {refusal}"));
            return Ok(());
        }
    };
    let figures = [
        ("count", count),
        ("cash", quote.cash(&[quantity], count).value()),
        ("released", quote.obligation_released(&[quantity], count).value()),
    ];
    for (field, found) in figures {
        if let Some(wanted) = asked.get(field) {
            compare(Some(found), wanted, tolerance, &format!("{name}: {field}"), reasons);
        }
    }
    let end = quote.received.as_ref().map(|received| received.end);
    for (field, found) in [("end", end), ("effective", Some(quote.effective))] {
        let Some(wanted) = asked.get(field) else { continue };
        if wanted.as_str().is_none_or(|wanted| wanted.parse().ok() != found) {
            reasons.push(format!("{name}: {field} is {found:?}, expected {wanted}"));
        }
    }
    Ok(())
}
