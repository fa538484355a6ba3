//! AWS's published examples of what is done with commitments: exchange, modification, sale, return, purchase limits.

use crate::case::decimal;
use crate::meaning::{self, Findings, Parsed, fields, figure, held, instant, offer, text, verdict};
use crate::{Outcome, words};
use chrono::{DateTime, Duration, Months, Utc};
use covermix::catalog::aws::{EC2, family, instance_sku, size_flexibility};
use covermix::catalog::{Offer, PaymentOption, Right};
use covermix::portfolio::action::{Action, Refusal};
use covermix::portfolio::aws::exchange::{count, merged_term};
use covermix::portfolio::aws::modification::{Size, Target, footprint, modify};
use covermix::portfolio::aws::{self, exchange, resale};
use covermix::portfolio::ledger::{Limit, Use};
use covermix::portfolio::replacement::{Replacement, split};
use covermix::portfolio::{Assumptions, Holding, Ledger, Scope, rights};
use covermix::time::Term;
use covermix::units::{Money, MoneyPerHour, Units};
use covermix::usage::Provider;
use rust_decimal::{Decimal, dec};
use serde_json::Value;

const CONVERTIBLE: [Right; 2] = [Right::Modification, Right::Exchange];
const STANDARD: [Right; 2] = [Right::Modification, Right::Resale];

/// The outcome of an example of these shapes; `None` for one of another shape.
pub(crate) fn run(kind: &str, inputs: &Value, expected: &Value) -> Option<Parsed<Outcome>> {
    let has = |field: &str| inputs.get(field).is_some();
    let all = || fields(inputs);
    let names = |word: &str| all().iter().any(|(path, _)| path.contains(word));
    let is_change = kind.contains("exchange") || kind.contains("modif") || kind.contains("split") || kind.contains("merge");
    let is_sale = kind.contains("market") || kind.contains("sale") || kind.contains("sell") || kind.contains("resale");
    let cases = list(&inputs["cases"]);
    let asks = |field: &str| cases.iter().any(|case| case.get(field).is_some());
    let found = if is_change && (asks("own") || has("own")) {
        partial(inputs, expected)
    } else if is_change && (asks("from") || has("from")) {
        changes(inputs, expected)
    } else if is_change && list_of(inputs, "expir").is_some() {
        merges(inputs, expected)
    } else if is_change && (names("modified_at") || names("requested_at") || names("request_time")) {
        effective_hour(inputs, expected)
    } else if is_change {
        exchange_values(inputs, expected)
    } else if is_sale || (kind.starts_with("ri") && (names("listing") || names("marketplace"))) {
        sale(inputs, expected)
    } else if kind.contains("return") || (names("return") && names("commitment")) {
        returned(inputs, expected)
    } else if kind.contains("limit") || kind.contains("quota") {
        limits(inputs, expected)
    } else {
        return None;
    };
    Some(found.and_then(Findings::outcome))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The first list of things that have a field with a word in its name.
fn list_of<'a>(inputs: &'a Value, word: &str) -> Option<&'a [Value]> {
    let has = |item: &Value| item.as_object().is_some_and(|fields| fields.keys().any(|name| name.contains(word)));
    inputs.as_object()?.values().map(list).find(|items| !items.is_empty() && items.iter().all(has))
}

/// The value of Reserved Instances: as stated, or upfront and hourly price of the remaining hours; for all of them.
fn value_of(item: &Value, inputs: &Value) -> Option<Decimal> {
    let number = figure(item, &["count", "quantity"]).unwrap_or(Decimal::ONE);
    let each = figure(item, &["value"]).or_else(|| {
        let hours = figure(item, &["hours"]).or_else(|| figure(inputs, &["hours"])).unwrap_or(Decimal::ZERO);
        let upfront = figure(item, &["upfront", "fixed"]);
        let hourly = figure(item, &["hourly", "recurring"]);
        (upfront.is_some() || hourly.is_some()).then(|| upfront.unwrap_or_default() + hourly.unwrap_or_default() * hours)
    });
    each.map(|each| each * number)
}

/// How many are received, and the true-up.
fn exchange_values(inputs: &Value, expected: &Value) -> Parsed<Findings> {
    let mut findings = Findings::default();
    let sides = (one_of(inputs, &["old", "given", "from", "current"]), one_of(inputs, &["new", "target", "to", "received"]));
    if let (Some(old), Some(new)) = sides {
        let items: Vec<&Value> = old.as_array().map_or_else(|| vec![old], |list| list.iter().collect());
        let new = new.as_array().and_then(|list| list.first()).unwrap_or(new);
        let given: Decimal = items.iter().filter_map(|item| value_of(item, inputs)).sum();
        let single = value_of(&without_count(new), inputs);
        if let Some((ratio, least)) = single.and_then(|value| count(Money::new(given), Money::new(value))) {
            for (name, wanted) in expected.as_object().into_iter().flatten() {
                match name.as_str() {
                    name if name.contains("ratio") => findings.figure(ratio, wanted, name),
                    name if name.contains("count") || name.contains("number") || name.contains("quantity") => {
                        findings.figure(least, wanted, name);
                    }
                    name if name.contains("true") => {
                        let upfront = |item: &Value| figure(item, &["upfront"]).unwrap_or_default();
                        let paid: Decimal = items.iter().map(|item| upfront(item) * counted(item)).sum();
                        findings.figure((upfront(new) * least - paid).max(Decimal::ZERO), wanted, name);
                    }
                    _ => {}
                }
            }
            return Ok(findings);
        }
    }
    // The prorated upfront price of what is received, and the remaining one of what is given up.
    let new = figure(inputs, &["new+upfront", "prorated", "new", "target"]).ok_or("no value of what is received")?;
    let old = figure(inputs, &["old+upfront", "remaining", "old", "current"]).ok_or("no value of what is given up")?;
    let (quote, quantity) = true_up(old, new)?;
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        if decimal(wanted).is_ok() {
            let found = if name.contains("count") { quantity } else { -quote.value() };
            findings.figure(found, wanted, name);
        }
    }
    Ok(findings)
}

fn without_count(item: &Value) -> Value {
    let mut item = item.clone();
    if let Some(fields) = item.as_object_mut() {
        fields.retain(|name, _| !name.contains("count") && !name.contains("quantity"));
    }
    item
}

fn counted(item: &Value) -> Decimal {
    figure(item, &["count", "quantity"]).unwrap_or(Decimal::ONE)
}

fn one_of<'a>(inputs: &'a Value, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| inputs.get(*name)).filter(|value| value.is_object() || value.is_array())
}

/// The cash of an exchange of all upfront for all upfront with these remaining upfront prices, and how many are received.
fn true_up(old: Decimal, new: Decimal) -> Parsed<(Money, Decimal)> {
    let start = instant("2024-01-01")?;
    let paid = |name: &str, upfront: Decimal| Offer {
        payment_option: PaymentOption::AllUpfront,
        upfront: Money::new(upfront),
        ..offer(Provider::Aws, EC2, name, Term::AWS_ONE_YEAR, &CONVERTIBLE)
    };
    // At the start of the term the remaining upfront price is the whole.
    let (from, into) = (paid("old", old), paid("new", new));
    let commitment = held(&from, Decimal::ONE, start);
    let holding = Holding::plain(&commitment, &from);
    let quote = exchange::quote(&[&holding], &into, start, &Assumptions::default()).map_err(|refusal| refusal.to_string())?;
    let least = quote.least_received(&[Decimal::ONE]).map_err(|refusal| refusal.to_string())?;
    Ok((quote.cash(&[Decimal::ONE], least), least))
}

/// Term and end of merged reservations. An expected field names the reservations with `+`.
fn merges(inputs: &Value, expected: &Value) -> Parsed<Findings> {
    let mut findings = Findings::default();
    let items = list_of(inputs, "expir").ok_or("no reservations")?;
    let source = |item: &Value| -> Parsed<(Term, DateTime<Utc>)> {
        let term = item.get("term").ok_or("no term")?;
        Ok((meaning::term(term, Provider::Aws)?, instant(text(item, &["expir"]).ok_or("no expiry")?)?))
    };
    let named = |id: &str| items.iter().find(|item| item["id"] == id);
    let is_of_ids = |name: &str| name.split('+').all(|id| named(id.trim()).is_some());
    let groups: Vec<(Vec<&Value>, &Value)> = match expected.as_object() {
        Some(object) if object.keys().any(|name| is_of_ids(name)) => object
            .iter()
            .filter(|(name, _)| is_of_ids(name))
            .map(|(name, wanted)| (name.split('+').filter_map(|id| named(id.trim())).collect(), wanted))
            .collect(),
        _ => vec![(items.iter().collect(), expected)],
    };
    for (group, wanted) in groups {
        let sources = group.into_iter().map(source).collect::<Parsed<Vec<_>>>()?;
        let (term, end) = merged_term(&sources).ok_or("nothing is merged")?;
        if let Some(wanted) = wanted.get("term") {
            let expected = meaning::term(wanted, Provider::Aws)?;
            findings.holds(term == expected, format!("the term is {wanted} (found {term})"));
        }
        if let Some(wanted) = text(wanted, &["expir", "end"]) {
            findings.holds(instant(wanted)? == end, format!("the end is {wanted} (found {end})"));
        }
        // The rule that is quoted must agree: another term is refused.
        findings.holds(exchanged(&sources, term).is_ok(), "the exchange for the merged term is allowed");
        let other = if term == Term::AWS_ONE_YEAR { Term::AWS_THREE_YEARS } else { Term::AWS_ONE_YEAR };
        findings.holds(exchanged(&sources, other).is_err(), "the exchange for the other term is refused");
    }
    Ok(findings)
}

/// An exchange of reservations with these terms and ends for one with a term, a month before the first end.
fn exchanged(sources: &[(Term, DateTime<Utc>)], term: Term) -> Result<(), Refusal> {
    let first = sources.iter().map(|(_, end)| *end).min().unwrap_or_default();
    let offers: Vec<Offer> =
        sources.iter().map(|(term, _)| priced(offer(Provider::Aws, EC2, "old", *term, &CONVERTIBLE), dec!(0.1))).collect();
    let commitments: Vec<_> = sources
        .iter()
        .zip(&offers)
        .map(|((_, end), offer)| {
            let mut held = held(offer, Decimal::ONE, first - Duration::days(60));
            held.end = *end;
            held
        })
        .collect();
    let holdings: Vec<Holding<'_>> = commitments.iter().zip(&offers).map(|(held, offer)| Holding::plain(held, offer)).collect();
    let target = priced(offer(Provider::Aws, EC2, "new", term, &CONVERTIBLE), dec!(0.2));
    let references: Vec<&Holding<'_>> = holdings.iter().collect();
    exchange::quote(&references, &target, first - Duration::days(30), &Assumptions::default()).map(drop)
}

fn priced(offer: Offer, hourly: Decimal) -> Offer {
    Offer { recurring: MoneyPerHour::new(hourly), ..offer }
}

/// From and to: payment options of an exchange, or sizes of a modification.
fn changes(inputs: &Value, expected: &Value) -> Parsed<Findings> {
    let single = [inputs.clone()];
    let cases = if list(&inputs["cases"]).is_empty() { &single[..] } else { list(&inputs["cases"]) };
    let mut findings = Findings::default();
    for (index, case) in cases.iter().enumerate() {
        let wanted = expected_of(expected, case, index).ok_or("no result")?;
        let from = case["from"].as_str().ok_or("no from")?;
        let into = case["to"].as_str().unwrap_or("");
        if from.to_lowercase().contains("upfront") {
            let allowed = payment(from, into)?;
            findings.allowed(&allowed, verdict(wanted).ok_or("no verdict")?, &format!("{from} to {into}"));
        } else {
            resized(case, from, into, wanted, &mut findings)?;
        }
    }
    Ok(findings)
}

/// What is expected of one case: beside it, or in the list of results.
fn expected_of<'a>(expected: &'a Value, case: &'a Value, index: usize) -> Option<&'a Value> {
    let own = ["result", "expected", "allowed", "verdict"].iter().find_map(|name| case.get(*name));
    let listed = || expected.as_object()?.values().find_map(|value| value.as_array())?.get(index);
    own.or_else(listed).or_else(|| expected.as_object()?.values().next())
}

/// An exchange between payment options at the same value.
fn payment(from: &str, into: &str) -> Parsed<Result<(), Refusal>> {
    let start = instant("2024-01-01")?;
    let offered = |name: &str, words: &str| -> Parsed<Offer> {
        let words = words.to_lowercase();
        let base = offer(Provider::Aws, EC2, name, Term::AWS_ONE_YEAR, &CONVERTIBLE);
        let (payment_option, upfront, hourly) = match words {
            words if words.contains("no") => (PaymentOption::NoUpfront, dec!(0), dec!(0.2)),
            words if words.contains("partial") => (PaymentOption::PartialUpfront, dec!(876), dec!(0.1)),
            words if words.contains("all") => (PaymentOption::AllUpfront, dec!(1752), dec!(0)),
            words => return Err(format!("{words}: no payment option")),
        };
        Ok(Offer { payment_option, upfront: Money::new(upfront), ..priced(base, hourly) })
    };
    let (old, new) = (offered("old", from)?, offered("new", into)?);
    let commitment = held(&old, Decimal::ONE, start);
    Ok(exchange::quote(&[&Holding::plain(&commitment, &old)], &new, start, &Assumptions::default()).map(drop))
}

/// Counts and types: `2 x t2.micro + 1 x t2.small`, `1 t2.medium`.
fn sizes(text: &str) -> Vec<Size> {
    words::counted(text)
        .into_iter()
        .filter_map(|(count, name)| {
            let mut words = name.split_whitespace();
            let first = words.next()?;
            let (count, name) = match (first.parse::<Decimal>(), words.next()) {
                (Ok(count), Some(name)) => (count, name),
                _ => (count, first),
            };
            let is_type = size_flexibility::factor(name).is_some();
            is_type.then(|| Size { instance_type: name.to_owned(), count })
        })
        .collect()
}

fn resized(case: &Value, from: &str, into: &str, wanted: &Value, findings: &mut Findings) -> Parsed<()> {
    let printed = wanted.as_str().unwrap_or("");
    let before = sizes(from);
    let units = |sizes: &[Size]| footprint(sizes, None).map(Units::value).map_err(|refusal| refusal.to_string());
    let in_brackets: Vec<Decimal> = printed.split_once('(').map_or(Vec::new(), |(_, rest)| words::numbers(rest));
    if let (None, Some(number)) = (verdict(wanted), words::before(printed, "unit")) {
        findings.figure(units(&before)?, &Value::String(number.to_string()), &format!("footprint of {from}"));
        return Ok(());
    }
    let wanted = verdict(wanted).ok_or("no verdict")?;
    for alternative in into.split('|') {
        let after = sizes(alternative);
        if after.is_empty() {
            return Err(format!("{alternative}: no sizes"));
        }
        let result = modified(case, &before, &after)?;
        findings.allowed(&result, wanted, &format!("{from} to {alternative}"));
        let parts = after.iter().map(|size| units(std::slice::from_ref(size))).collect::<Parsed<Vec<Decimal>>>()?;
        match (wanted, in_brackets.as_slice()) {
            (true, printed) if !printed.is_empty() => findings.holds(parts == printed, format!("{printed:?} units ({parts:?})")),
            (false, [received, given]) => {
                findings.holds(parts.iter().sum::<Decimal>() == *received, format!("{received} units received ({parts:?})"));
                findings.holds(units(&before)? == *given, format!("{given} units given up"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A modification of standard Reserved Instances of these sizes.
fn modified(case: &Value, from: &[Size], into: &[Size]) -> Parsed<Result<Replacement, Refusal>> {
    let platform = match text(case, &["platform", "os"]).unwrap_or("Linux") {
        linux if linux.to_lowercase().starts_with("linux") => "Linux",
        other => other,
    };
    let tenancy = match text(case, &["tenancy"]).unwrap_or("shared") {
        "default" => "shared",
        other => other,
    };
    let mut types: Vec<&str> = from.iter().chain(into).map(|size| size.instance_type.as_str()).collect();
    types.sort_unstable();
    types.dedup();
    let prices =
        types.iter().map(|name| meaning::price(instance_sku("us-east-1", name, platform, tenancy), family(name))).collect();
    let catalog = meaning::catalog(prices, Vec::new())?;
    let offers: Vec<Offer> = from
        .iter()
        .map(|size| priced(offer(Provider::Aws, EC2, &size.instance_type, Term::AWS_ONE_YEAR, &STANDARD), dec!(0.1)))
        .collect();
    let start = instant("2026-07-01")?;
    let commitments: Vec<_> = from
        .iter()
        .zip(&offers)
        .enumerate()
        .map(|(index, (size, offer))| {
            let mut held = held(offer, size.count, start);
            held.id = format!("ri{index}");
            held
        })
        .collect();
    let holdings: Vec<Holding<'_>> = commitments.iter().zip(&offers).map(|(held, offer)| Holding::plain(held, offer)).collect();
    let given: Vec<(&Holding<'_>, Decimal)> = holdings.iter().zip(from).map(|(holding, size)| (holding, size.count)).collect();
    let target = |size: &Size| {
        let price = catalog.price_with_id(&size.instance_type).ok_or("no price")?;
        Ok(Target { price, count: size.count, scope: Scope::Region })
    };
    let targets = into.iter().map(target).collect::<Parsed<Vec<_>>>()?;
    Ok(modify(&given, &targets, &catalog, start + Duration::days(10), &Assumptions::default()))
}

/// When a modification holds, and what it costs.
fn effective_hour(inputs: &Value, expected: &Value) -> Parsed<Findings> {
    let mut findings = Findings::default();
    let at = instant(text(inputs, &["modified_at", "requested_at", "request_time"]).ok_or("no time")?)?;
    let months = figure(inputs, &["remaining", "months"]).unwrap_or(Decimal::from(12));
    let months: u32 = months.to_string().parse().map_err(|_| "months are not whole")?;
    let old = priced(offer(Provider::Aws, EC2, "t2.large", Term::AWS_THREE_YEARS, &STANDARD), dec!(0.1));
    let old = Offer { payment_option: PaymentOption::PartialUpfront, upfront: Money::new(dec!(500)), ..old };
    let mut commitment = held(&old, Decimal::ONE, at - Duration::days(365));
    commitment.end = meaning::months_after(at, months);
    commitment.scope = Scope::AvailabilityZone { availability_zone: "a".into() };
    let holding = Holding::plain(&commitment, &old);
    let quote = aws::modification::to_region(&holding, at, &Assumptions::default()).map_err(|refusal| refusal.to_string())?;
    let received = quote.received.as_ref().ok_or("nothing is received")?;
    let left = (1..=36u32)
        .take_while(|month| received.start.checked_add_months(Months::new(*month)).is_some_and(|end| end <= received.end));
    let left = Decimal::from(left.count());
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        match name.as_str() {
            name if name.contains("month") => findings.figure(left, wanted, name),
            name if name.contains("price") || name.contains("fee") || name.contains("cost") => {
                findings.figure(quote.cash(&[Decimal::ONE], Decimal::ONE).value(), wanted, name);
            }
            name if name.contains("end") && !name.contains("benefit") => {
                findings.holds(received.end == commitment.end, "the end is kept");
            }
            name => {
                if let Some(wanted) = wanted.as_str() {
                    findings.holds(instant(wanted)? == quote.effective, format!("{name} is {wanted}"));
                }
            }
        }
    }
    Ok(findings)
}

/// A part of a reservation exchanged: what is modified first, and what is exchanged then.
fn partial(inputs: &Value, expected: &Value) -> Parsed<Findings> {
    let single = [inputs.clone()];
    let cases = if list(&inputs["cases"]).is_empty() { &single[..] } else { list(&inputs["cases"]) };
    let mut findings = Findings::default();
    for (index, case) in cases.iter().enumerate() {
        let own = sizes(case["own"].as_str().ok_or("no own")?);
        let own = own.first().ok_or("no type owned")?;
        let want = case["want"].as_str().ok_or("no want")?;
        let listed = || expected.as_object()?.values().find_map(Value::as_array)?.get(index)?.as_array();
        let steps: Vec<&str> = listed().into_iter().flatten().filter_map(Value::as_str).collect();
        let [first, second] = steps.as_slice() else { return Err("no two steps".into()) };
        // `2 t2.micro -> m4.xlarge` gives up two; `1 t2.medium + 1 m3.medium` keeps the first and gives up the rest for the second.
        let (part, kept, target) = if let Some((part, target)) = want.split_once("->") {
            let part = sizes(part).into_iter().next().ok_or("no part")?;
            (part, None, target.trim().to_owned())
        } else {
            let wanted = sizes(want);
            let is_kept = |size: &&Size| family(&size.instance_type) == family(&own.instance_type);
            let kept = wanted.iter().find(is_kept).ok_or("nothing is kept")?.clone();
            let target = wanted.iter().find(|size| !is_kept(size)).ok_or("nothing is received")?.instance_type.clone();
            let factor = |name: &str| size_flexibility::factor(name).ok_or("no factor");
            let all = factor(&own.instance_type)? * own.count / factor(&kept.instance_type)?;
            (Size { count: all - kept.count, ..kept.clone() }, Some(kept), target)
        };
        let held_offer = priced(offer(Provider::Aws, EC2, &own.instance_type, Term::AWS_ONE_YEAR, &CONVERTIBLE), dec!(0.1));
        let start = instant("2026-07-01")?;
        let commitment = held(&held_offer, own.count, start);
        let holding = Holding::plain(&commitment, &held_offer);
        let at = start + Duration::days(10);
        let pieces: Vec<Decimal> = match kept {
            None => {
                let split = split(&holding, part.count, at, &Assumptions::default()).map_err(|refusal| refusal.to_string())?;
                split.commitments.iter().map(|piece| piece.quantity).collect()
            }
            Some(kept) => {
                let made = [Size { count: kept.count + part.count, ..kept }];
                let result = modified(case, std::slice::from_ref(own), &made)?.map_err(|refusal| refusal.to_string())?;
                result.commitments.iter().map(|piece| piece.quantity).collect()
            }
        };
        findings.holds(first.contains("modify") && first.contains(&own.instance_type), format!("first, {first}"));
        let printed = first.split_once(" into ").map_or(Vec::new(), |(_, made)| words::counted(made));
        let printed: Vec<Decimal> =
            printed.iter().map(|(count, name)| name.parse().map_or(*count, |number: Decimal| number)).collect();
        findings.holds(printed == pieces, format!("{first} ({pieces:?})"));
        findings.holds(second.contains("exchange") && second.contains(&target), format!("then, {second}"));
        let new = priced(offer(Provider::Aws, EC2, &target, Term::AWS_ONE_YEAR, &CONVERTIBLE), dec!(0.3));
        let allowed = exchange::quote(&[&holding], &new, at, &Assumptions::default());
        findings.allowed(&allowed.and_then(|quote| quote.least_received(&[Decimal::ONE])), true, "the exchange");
    }
    Ok(findings)
}

/// A sale on the marketplace: proceeds, listings, times, limits.
fn sale(inputs: &Value, expected: &Value) -> Parsed<Findings> {
    let mut findings = Findings::default();
    let number = figure(inputs, &["count", "quantity", "instances", "listed"]).unwrap_or(Decimal::ONE);
    let sold = figure(inputs, &["sold", "bought_by", "purchased_count"]);
    let price = figure(inputs, &["price", "upfront", "amount"]).unwrap_or_default();
    let price = if inputs.as_object().is_some_and(|fields| fields.keys().any(|name| name.contains("total"))) && !number.is_zero()
    {
        figure(inputs, &["total"]).unwrap_or(price) / number
    } else {
        price
    };
    let at = instant("2026-07-01")?;
    let days = |names: &[&str]| figure(inputs, names).and_then(|days| days.to_string().parse::<i64>().ok());
    let active = days(&["days_active", "active_days", "days_held", "days_since", "active_for"]).unwrap_or(60);
    let rights = match text(inputs, &["class", "offering"]).unwrap_or("standard").to_lowercase() {
        class if class.contains("convertible") => CONVERTIBLE,
        _ => STANDARD,
    };
    let own = offer(Provider::Aws, text(inputs, &["service"]).unwrap_or(EC2), "m5.large", Term::AWS_THREE_YEARS, &rights);
    let own = Offer { payment_option: PaymentOption::PartialUpfront, upfront: Money::new(dec!(300)), ..priced(own, dec!(0.05)) };
    let mut commitment = held(&own, number, at - Duration::days(active));
    if let Some(months) = figure(inputs, &["months_remaining", "remaining_months", "months_left"]) {
        let months: u32 = months.trunc().to_string().parse().unwrap_or(0);
        commitment.end = meaning::months_after(at, months);
    } else if let Some(days) = days(&["days_remaining", "remaining_days", "days_left"]) {
        commitment.end = at + Duration::days(days);
    }
    let holding = Holding::plain(&commitment, &own);
    let assumptions = Assumptions::default();
    let quote = resale::quote_at(&holding, Money::new(price), at, &assumptions);
    let uses = quote.as_ref().map_or(Vec::new(), |quote| quote.uses(&[number]));
    let mut ledger = Ledger::default();
    if let Some(before) = figure(inputs, &["sold_before", "already", "previous", "lifetime"]) {
        let limit = if before > Decimal::from(5000) { Limit::MarketplaceSales } else { Limit::MarketplaceInstances };
        let used = Use { limit, owner: String::new(), at: at - Duration::days(400), amount: before };
        ledger.record(used).map_err(|refusal| refusal.to_string())?;
    }
    let checked = quote.clone().and_then(|_| uses.iter().try_for_each(|used| ledger.check(used)));
    let (gross, net) = (price * number, resale::proceeds(Money::new(price)).value() * number);
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        let left = number - sold.unwrap_or_default();
        match name.as_str() {
            name if ["available", "remaining", "left", "unsold"].iter().any(|word| name.contains(word)) && sold.is_some() => {
                findings.figure(left, wanted, name);
            }
            name if name.contains("percent") => findings.figure(resale::FEE * Decimal::ONE_HUNDRED, wanted, name),
            name if name.contains("rate") || name.contains("share") => findings.figure(resale::FEE, wanted, name),
            name if name.contains("fee") => findings.figure(gross - net, wanted, name),
            name if ["proceeds", "net", "receives", "disburse", "payout", "seller"].iter().any(|word| name.contains(word)) => {
                if decimal(wanted).is_ok() {
                    findings.figure(net, wanted, name);
                }
            }
            name if name.contains("sold") && sold.is_some() => findings.figure(sold.unwrap_or_default(), wanted, name),
            name if name.contains("total") && sold.is_some() => findings.figure(number, wanted, name),
            name => {
                if let Some(wanted) = verdict(wanted) {
                    findings.allowed(&checked, wanted, name);
                }
            }
        }
    }
    Ok(findings)
}

/// The return of a Savings Plan.
fn returned(inputs: &Value, expected: &Value) -> Parsed<Findings> {
    let single = [inputs.clone()];
    let cases = if list(&inputs["cases"]).is_empty() { &single[..] } else { list(&inputs["cases"]) };
    let mut findings = Findings::default();
    for (index, case) in cases.iter().enumerate() {
        let bought = instant(text(case, &["purchas", "bought", "start"]).unwrap_or("2026-07-03"))?;
        let after = figure(case, &["days_after", "days_since", "days"]).and_then(|days| days.to_string().parse::<i64>().ok());
        let at = match text(case, &["returned", "return_", "request", "today", "now"]) {
            Some(at) => instant(at)?,
            None => bought + Duration::days(after.unwrap_or(1)),
        };
        let amount = figure(case, &["hourly", "commitment", "amount"]).unwrap_or(Decimal::TEN);
        let upfront = figure(case, &["upfront"]);
        let mut own = meaning::plan(Provider::Aws, "Compute", Term::AWS_ONE_YEAR, &[Right::Refund]);
        let words = text(case, &["payment"]).unwrap_or("").to_lowercase();
        if let Some(paid) = upfront.or_else(|| words.contains("all").then(|| amount * own.term.list_hours())) {
            own.payment_option =
                if words.contains("partial") { PaymentOption::PartialUpfront } else { PaymentOption::AllUpfront };
            own.upfront = Money::new(paid / amount);
            own.recurring = MoneyPerHour::ZERO;
        }
        let commitment = held(&own, amount, bought);
        let holding = Holding::plain(&commitment, &own);
        let quote = aws::return_quote(&holding, at, &Assumptions::default());
        let mut ledger = Ledger::default();
        let before = figure(case, &["returns", "already", "previous"]).unwrap_or_default();
        if before > Decimal::ZERO {
            let used = Use { limit: Limit::SavingsPlanReturns, owner: String::new(), at, amount: before };
            ledger.record(used).map_err(|refusal| refusal.to_string())?;
        }
        let checked = quote.clone().and_then(|quote| quote.uses(&[amount]).iter().try_for_each(|used| ledger.check(used)));
        let own_result = ["result", "expected", "allowed", "returnable"].iter().find_map(|name| case.get(*name));
        let listed = || expected.as_object()?.values().find_map(Value::as_array)?.get(index);
        if let Some(wanted) = own_result.or_else(listed).and_then(verdict) {
            findings.allowed(&checked, wanted, &format!("the return of case {index}"));
            continue;
        }
        for (name, wanted) in expected.as_object().into_iter().flatten() {
            let window = rights::window(&holding, Action::Return, &Assumptions::default());
            match (verdict(wanted), name.as_str()) {
                (Some(wanted), _) => findings.allowed(&checked, wanted, name),
                (_, name) if name.contains("percent") => {
                    let share = quote
                        .as_ref()
                        .map_or(Decimal::ZERO, |quote| quote.given[0].cash.value() / own.upfront.value().max(dec!(1e-9)));
                    findings.figure(if own.upfront == Money::ZERO { dec!(100) } else { share * dec!(100) }, wanted, name);
                }
                (_, name) if name.contains("refund") => {
                    let cash = quote.as_ref().map_or(Decimal::ZERO, |quote| quote.cash(&[amount], Decimal::ZERO).value());
                    findings.figure(cash, wanted, name);
                }
                (_, name) if name.contains("last") || name.contains("deadline") || name.contains("until") => {
                    let found = window.map(|window| meaning::last_day(&window)).map_err(|refusal| refusal.to_string())?;
                    let printed = wanted.as_str().unwrap_or("");
                    findings.text(&found, &Value::String(printed.chars().take(10).collect()), name);
                }
                (_, name) if name.contains("left") || name.contains("remaining") => {
                    findings.figure(ledger.left(Limit::SavingsPlanReturns, "", at), wanted, name);
                }
                _ => {}
            }
        }
    }
    Ok(findings)
}

/// How many Reserved Instances can be bought in a month: regional, and zonal in each availability zone.
fn limits(inputs: &Value, expected: &Value) -> Parsed<Findings> {
    let mut findings = Findings::default();
    let names: Vec<String> = fields(inputs).into_iter().map(|(path, _)| path).collect();
    if names.iter().any(|name| name.contains("on_demand") || name.contains("running")) {
        return Err("a quota of running instances, not of purchases".into());
    }
    let is_zones = |name: &str| {
        let is_amount = ["limit", "per_", "quota", "default", "zonal"].iter().any(|word| name.contains(word));
        (name.contains("zone") || name.contains("az")) && !is_amount
    };
    let zones = match inputs.as_object().and_then(|fields| fields.iter().find(|(name, _)| is_zones(name))) {
        Some((_, Value::Array(zones))) => Decimal::from(zones.len()),
        Some((_, zones)) => decimal(zones)?,
        None => Decimal::ONE,
    };
    let mut ledger = Ledger::default();
    for (limit, word) in [(Limit::RegionalPurchases, "regional"), (Limit::ZonalPurchases, "zonal")] {
        if let Some(amount) = figure(inputs, &[word]) {
            ledger = ledger.with_limit(limit, amount);
        }
    }
    let (regional, zonal) = (ledger.limit(Limit::RegionalPurchases), ledger.limit(Limit::ZonalPurchases));
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        let found = match name.as_str() {
            name if name.contains("per_az") || name.contains("per_zone") || name.contains("each") => zonal,
            name if name.contains("zonal") => zonal * zones,
            name if name.contains("regional") => regional,
            _ => regional + zonal * zones,
        };
        findings.figure(found, wanted, name);
    }
    Ok(findings)
}
