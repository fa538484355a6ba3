//! Google's published examples of what is done with commitments: merge, split, upgrade, extension, renewal.

use crate::Outcome;
use crate::case::decimal;
use crate::meaning::{Findings, Parsed, fields, figure, held, instant, offer, term, text, verdict};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use covermix::catalog::gcp::COMPUTE_ENGINE;
use covermix::catalog::{Offer, Right};
use covermix::portfolio::action::{Action, Refusal};
use covermix::portfolio::replacement::{merge, split};
use covermix::portfolio::{Assumptions, Commitment, Holding, gcp, rights};
use covermix::time::{Hour, Term, pacific};
use covermix::units::MoneyPerHour;
use covermix::usage::Provider;
use rust_decimal::{Decimal, dec};
use serde_json::Value;

/// The outcome of an example of these topics; `None` for one of another.
pub(crate) fn run(topic: &str, inputs: &Value, expected: &Value) -> Option<Parsed<Outcome>> {
    let topic = topic.to_lowercase();
    let is = |word: &str| topic.contains(word);
    if is("attribution") || is("export") || is("model") {
        return None;
    }
    let found = if is("merge") {
        merged(inputs, expected)
    } else if is("split") {
        parted(inputs, expected)
    } else if is("upgrade") || is("extend") || is("extension") || is("renew") {
        changed(&topic, inputs, expected)
    } else {
        return None;
    };
    Some(found.and_then(Findings::outcome))
}

/// A day is its start in Pacific time.
fn moment(text: &str) -> Parsed<DateTime<Utc>> {
    Ok(match text.trim().parse::<NaiveDate>() {
        Ok(day) => pacific::midnight(day),
        Err(_) => instant(text)?,
    })
}

fn day(at: DateTime<Utc>) -> String {
    pacific::day(Hour::containing(at)).to_string()
}

fn committed(name: &str, term: Term) -> Offer {
    let base = offer(Provider::Gcp, COMPUTE_ENGINE, name, term, &[Right::Modification]);
    Offer { recurring: MoneyPerHour::new(dec!(0.02)), ..base }
}

/// Resources of an object: all figures but times.
fn resources(item: &Value) -> Vec<(String, Decimal)> {
    let number = |(path, value): (String, &Value)| decimal(value).ok().map(|number| (path, number));
    let is_time =
        |path: &str| ["term", "month", "year", "date", "end", "start", "duration"].iter().any(|word| path.contains(word));
    fields(item).into_iter().filter(|(path, _)| !is_time(path)).filter_map(number).collect()
}

fn merged(inputs: &Value, expected: &Value) -> Parsed<Findings> {
    let mut findings = Findings::default();
    let lists = inputs.as_object().into_iter().flatten().map(|(_, value)| value);
    let items = lists
        .filter_map(Value::as_array)
        .find(|list| list.len() > 1 && list.iter().all(Value::is_object))
        .ok_or("no commitments")?;
    let at = match text(inputs, &["merge", "request", "today"]).map(moment) {
        Some(Ok(at)) => at,
        _ => {
            items
                .iter()
                .filter_map(|item| text(item, &["end", "expir"]))
                .filter_map(|end| moment(end).ok())
                .min()
                .ok_or("no ends")?
                - Duration::days(30)
        }
    };
    let mut offers = Vec::new();
    for item in items {
        let name = format!("{} {}", text(item, &["type", "series"]).unwrap_or("N2"), text(item, &["region"]).unwrap_or("r"));
        let term =
            item.get("term").or_else(|| item.get("plan")).map_or(Ok(Term::Months(12)), |value| term(value, Provider::Gcp))?;
        offers.push(committed(&name, term));
    }
    let mut commitments: Vec<Commitment> = Vec::new();
    for (index, (item, offer)) in items.iter().zip(&offers).enumerate() {
        let end = moment(text(item, &["end", "expir"]).ok_or("no end")?)?;
        let quantity = resources(item).first().map_or(Decimal::ONE, |(_, number)| *number);
        let project = text(item, &["project"]).unwrap_or("p").to_owned();
        commitments.push(Commitment {
            id: format!("c{index}"),
            end,
            account: project,
            ..held(offer, quantity, at - Duration::days(60))
        });
    }
    let holdings: Vec<Holding<'_>> = commitments.iter().zip(&offers).map(|(held, offer)| Holding::plain(held, offer)).collect();
    let references: Vec<&Holding<'_>> = holdings.iter().collect();
    let result = merge(&references, at, &Assumptions::default());
    let made = || result.clone().map(|made| made.commitments[0].clone()).map_err(|refusal| refusal.to_string());
    for (name, wanted) in fields(expected) {
        if let Some(wanted) = verdict(wanted).filter(|_| !name.contains("renew")) {
            findings.allowed(&result, wanted, &name);
        } else if name.contains("renew") {
            let renewal = Holding::plain(&made()?, &offers[0]).renewal();
            let is_on = verdict(wanted).unwrap_or(wanted == "on" || wanted == "enabled");
            findings.holds((renewal == covermix::portfolio::particulars::Renewal::Automatic) == is_on, name);
        } else if name.contains("end") || name.contains("expir") {
            findings.text(&day(made()?.end), wanted, &name);
        } else if name.contains("start") || name.contains("active") || name.contains("effective") {
            findings.text(&day(made()?.start), wanted, &name);
        } else if decimal(wanted).is_ok() {
            let leaf = name.rsplit('.').next().unwrap_or(&name);
            let sum = items
                .iter()
                .flat_map(resources)
                .filter(|(path, _)| path.rsplit('.').next() == Some(leaf))
                .map(|(_, number)| number);
            let sum: Decimal = sum.sum();
            findings.figure(if sum.is_zero() { made()?.quantity } else { sum }, wanted, &name);
        }
    }
    Ok(findings)
}

fn parted(inputs: &Value, expected: &Value) -> Parsed<Findings> {
    let mut findings = Findings::default();
    let whole = figure(inputs, &["source", "total", "original", "committed", "whole", "resources", "vcpu", "quantity"])
        .ok_or("no quantity")?;
    let part = figure(inputs, &["new", "split", "part"]).ok_or("no part")?;
    let attached = text(inputs, &["resource", "type"])
        .is_some_and(|name| name.to_lowercase().contains("gpu") || name.to_lowercase().contains("ssd"));
    let own = committed("N2 vCPU", Term::Months(12));
    let own = if attached { Offer { rights: [].into(), ..own } } else { own };
    let start = text(inputs, &["start"]).map_or(instant("2026-01-10"), moment)?;
    let commitment = held(&own, whole, start);
    let holding = Holding::plain(&commitment, &own);
    let at = text(inputs, &["split_on", "split_at", "request", "today"]).map_or(Ok(start + Duration::days(20)), moment)?;
    let result = split(&holding, part, at, &Assumptions::default());
    for (name, wanted) in fields(expected) {
        let pieces = || result.clone().map(|made| made.commitments).map_err(|refusal| refusal.to_string());
        if let Some(wanted) = verdict(wanted) {
            findings.allowed(&result, wanted, &name);
        } else if name.contains("end") {
            findings.text(&day(pieces()?[1].end), wanted, &name);
        } else if decimal(wanted).is_ok() {
            let is_new = name.contains("new") || name.contains("split") || name.contains("part");
            findings.figure(pieces()?[usize::from(is_new)].quantity, wanted, &name);
        } else if name.contains("start") || name.contains("active") || name.contains("effective") {
            findings.text(&day(pieces()?[1].start), wanted, &name);
        }
    }
    Ok(findings)
}

fn changed(topic: &str, inputs: &Value, expected: &Value) -> Parsed<Findings> {
    let mut findings = Findings::default();
    let length =
        inputs.get("term").or_else(|| inputs.get("plan")).map_or(Ok(Term::Months(12)), |value| term(value, Provider::Gcp))?;
    let own = committed("N2 vCPU", length);
    let start = text(inputs, &["start", "bought"]).map_or(instant("2026-01-10"), moment)?;
    let mut commitment = held(&own, Decimal::TEN, start);
    if let Some(end) = text(inputs, &["end", "expir"]).filter(|_| !topic.contains("exten")) {
        commitment.end = moment(end)?;
    } else {
        let day = pacific::day(Hour::containing(start)).checked_add_months(chrono::Months::new(length.nominal_months()));
        commitment.end = pacific::midnight(day.ok_or("no end")?);
    }
    let holding = Holding::plain(&commitment, &own);
    let at = match text(inputs, &["upgraded", "upgrade_on", "upgrade_at", "extended", "request", "disabled", "today"]) {
        Some(at) => moment(at)?,
        None => start + Duration::days(20),
    };
    let assumptions = Assumptions::default();
    let quote = if topic.contains("upgrade") {
        let target = Offer { id: "three years".into(), term: Term::Months(36), ..own.clone() };
        gcp::upgrade(&holding, &target, at, &assumptions)
    } else if topic.contains("exten") {
        let end = text(inputs, &["custom", "new_end", "end"]).ok_or("no end")?;
        gcp::extend(&holding, moment(end)?, at, &assumptions)
    } else {
        let automatic = covermix::portfolio::Particulars {
            renewal: Some(covermix::portfolio::particulars::Renewal::Automatic),
            ..covermix::portfolio::Particulars::of("held")
        };
        let holding = Holding { particulars: std::borrow::Cow::Owned(automatic), ..holding.clone() };
        let window = rights::window(&holding, Action::StopRenewal, &assumptions);
        for (name, wanted) in fields(expected) {
            if let Some(wanted) = verdict(wanted) {
                let checked: Result<(), Refusal> = window.clone().and_then(|window| window.check(at));
                findings.allowed(&checked, wanted, &name);
            } else if wanted.is_string() {
                let until = window.clone().map_err(|refusal| refusal.to_string())?.until;
                findings.text(&day(until), wanted, &name);
            }
        }
        return Ok(findings);
    };
    for (name, wanted) in fields(expected) {
        let received =
            || quote.clone().map_err(|refusal| refusal.to_string()).and_then(|quote| quote.received.ok_or("nothing".into()));
        if let Some(wanted) = verdict(wanted) {
            findings.allowed(&quote, wanted, &name);
        } else if name.contains("end") || name.contains("expir") {
            findings.text(&day(received()?.end), wanted, &name);
        } else if name.contains("active") || name.contains("effective") || name.contains("valid") {
            findings.text(&day(received()?.start), wanted, &name);
        } else if name.contains("start") {
            findings.text(&day(commitment.start), wanted, &name);
        } else if name.contains("term") {
            let months = if topic.contains("upgrade") { 36 } else { length.nominal_months() };
            findings.holds(term(wanted, Provider::Gcp)?.nominal_months() == months, name);
        }
    }
    Ok(findings)
}
