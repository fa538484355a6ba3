//! Azure's published examples of what is done with reservations: exchange, refund, trade-in, and the exchange policy in words.

use crate::case::decimal;
use crate::meaning::{Findings, Parsed, fields, figure, held, instant, months_after, offer, plan, term, text, verdict};
use crate::{Outcome, words};
use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use covermix::catalog::azure::VIRTUAL_MACHINES;
use covermix::catalog::azure::products::{COMPUTE_PLAN, reservation_rights};
use covermix::catalog::{Lot, Offer, PaymentOption, Right};
use covermix::portfolio::action::{Action, Quote, Refusal};
use covermix::portfolio::assumptions::Proration;
use covermix::portfolio::ledger::Limit;
use covermix::portfolio::{Assumptions, Holding, Ledger, Portfolio, Scope, azure, rights};
use covermix::time::Term;
use covermix::units::{Money, MoneyPerHour};
use covermix::usage::Provider;
use rust_decimal::{Decimal, dec};
use serde_json::Value;

/// The outcome of an example of these topics; `None` for one of another.
pub(crate) fn run(topic: &str, inputs: &Value, expected: &Value) -> Option<Parsed<Outcome>> {
    let topic = topic.to_lowercase();
    let is = |word: &str| topic.contains(word);
    let names = |word: &str| fields(inputs).iter().any(|(path, _)| path.contains(word));
    let found = if is("policy") && is("exchange") {
        policy(&topic, inputs, expected)
    } else if is("trade-in") || is("trade in") || is("tradein") {
        Purchase::read(inputs).and_then(|purchase| trade_in(&purchase, inputs, expected))
    } else if is("exchange") && !is("rate") {
        Purchase::read(inputs).and_then(|purchase| exchange(&purchase, expected))
    } else if is("refund") || is("cancel") {
        Purchase::read(inputs).and_then(|purchase| refund(&purchase, inputs, expected))
    } else if names("exchanged") || names("payments_made") {
        Purchase::read(inputs).and_then(|purchase| exchange(&purchase, expected))
    } else {
        return None;
    };
    Some(found.and_then(Findings::outcome))
}

/// A reservation and the instant at which something is done with it.
struct Purchase {
    offer: Offer,
    quantity: Decimal,
    start: DateTime<Utc>,
    at: DateTime<Utc>,
    proration: Proration,
}

/// A reservation of virtual machines with the rights that are sold with it.
fn machines(term: Term, upfront: Decimal, instalment: Decimal) -> Offer {
    let rights: Vec<Right> = reservation_rights(VIRTUAL_MACHINES, None).into_iter().collect();
    let months = Decimal::from(term.nominal_months());
    let base = offer(Provider::Azure, VIRTUAL_MACHINES, "vm", term, &rights);
    Offer {
        payment_option: if upfront.is_zero() { PaymentOption::NoUpfront } else { PaymentOption::AllUpfront },
        upfront: Money::new(upfront),
        recurring: MoneyPerHour::new(instalment * months / term.list_hours()),
        ..base
    }
}

impl Purchase {
    fn read(inputs: &Value) -> Parsed<Self> {
        let number = |names: &[&str]| figure(inputs, names);
        let words_of_term =
            inputs.as_object().and_then(|fields| fields.iter().find(|(name, _)| name.contains("term") && !name.contains("new")));
        let named = fields(inputs).iter().map(|(path, _)| path.clone()).collect::<Vec<String>>().join(" ");
        let term = match words_of_term {
            Some((_, value)) => term(value, Provider::Azure)?,
            None if named.contains("one_year") || named.contains("1_year") => Term::Months(12),
            None => Term::Months(36),
        };
        let months = term.nominal_months();
        let monthly = number(&["monthly", "per_month", "instalment", "installment", "payment_amount"]);
        let upfront = number(&["upfront", "purchase", "price", "one_year", "three_year", "value", "cost", "total"]);
        let (upfront, monthly) = match (monthly, upfront) {
            (Some(monthly), _) => (Decimal::ZERO, monthly),
            (None, upfront) => (upfront.unwrap_or(dec!(1000)), Decimal::ZERO),
        };
        let whole = |value: Decimal| value.trunc().to_string().parse::<u32>().unwrap_or(0);
        let start = match text(inputs, &["bought", "purchased", "start"]) {
            Some(day) => instant(day)?,
            None => instant("2025-01-10")?,
        };
        let elapsed_names = ["payments_made", "payments", "elapsed_months", "month", "elapsed"];
        let fields = fields(inputs);
        let elapsed = fields.iter().find_map(|(path, value)| {
            let is_elapsed =
                elapsed_names.iter().any(|name| path.contains(name)) || path.contains("cancel") || path.contains("refund");
            let is_other =
                ["term", "monthly", "per_month", "limit", "usd", "amount", "quantity", "count", "units", "fee", "price"]
                    .iter()
                    .any(|name| path.contains(name));
            decimal(value).ok().filter(|_| is_elapsed && !is_other)
        });
        let remaining = number(&["remaining_months", "months_remaining", "months_left"]);
        let day = text(inputs, &["exchanged", "refunded", "cancelled", "canceled", "returned", "traded"]);
        let share = text(inputs, &["elapsed"]).map(|elapsed| match elapsed {
            half if half.contains("half") => Ok(dec!(2)),
            third if third.contains("third") => Ok(dec!(3)),
            quarter if quarter.contains("quarter") => Ok(dec!(4)),
            other => Err(format!("{other}: how much of the term?")),
        });
        let (at, proration) = match (day, remaining, elapsed, share) {
            (Some(day), ..) if instant(day).is_ok() => (instant(day)?, Proration::Days),
            (_, Some(left), ..) => (months_after(start, months.saturating_sub(whole(left))), Proration::Months),
            (_, _, Some(elapsed), _) => (months_after(start, whole(elapsed)), Proration::Months),
            (_, _, _, Some(share)) => (months_after(start, whole(Decimal::from(months) / share?)), Proration::Months),
            _ => (start, Proration::Months),
        };
        let quantity = number(&["quantity", "count"]).unwrap_or(Decimal::ONE);
        Ok(Self { offer: machines(term, upfront, monthly), quantity, start, at, proration })
    }

    fn assumptions(&self) -> Assumptions {
        let mut assumptions = Assumptions::default();
        assumptions.azure.proration = self.proration;
        assumptions
    }

    /// Puts a question to the holding at an instant.
    fn ask<T>(&self, question: impl Fn(&Holding<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let commitment = held(&self.offer, self.quantity, self.start);
        question(&Holding::plain(&commitment, &self.offer))
    }

    /// The remaining commitment at the instant, for all of it.
    fn remaining(&self) -> Decimal {
        let left = self.ask(|holding| Ok(azure::residual(holding, self.at, self.proration)));
        left.map_or(Decimal::ZERO, |left| left.total().value() * self.quantity)
    }

    /// The least lifetime commitment that an exchange accepts, from the quote's own test.
    fn least_exchange(&self) -> Parsed<Decimal> {
        let target = machines(Term::Months(12), dec!(1), Decimal::ZERO);
        let target = Offer { id: "new".into(), ..target };
        let quote = self
            .ask(|holding| azure::exchange::quote(&[(holding, None)], &target, self.at, &self.assumptions()))
            .map_err(|refusal| refusal.to_string())?;
        Ok(required(&quote, self.quantity))
    }
}

fn required(quote: &Quote, quantity: Decimal) -> Decimal {
    quote.received.as_ref().map_or(Decimal::ZERO, |received| received.tests.iter().map(|test| test.required(&[quantity])).sum())
}

fn exchange(purchase: &Purchase, expected: &Value) -> Parsed<Findings> {
    let mut findings = Findings::default();
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        match name.as_str() {
            name if name.contains("day") => days(purchase, wanted, &mut findings),
            _ if decimal(wanted).is_ok() => findings.figure(purchase.least_exchange()?, wanted, name),
            _ => {
                let words = wanted.as_str().ok_or_else(|| format!("expected field {name}"))?;
                for clause in words.split(';') {
                    exchange_clause(purchase, clause, &mut findings)?;
                }
            }
        }
    }
    Ok(findings)
}

fn days(purchase: &Purchase, wanted: &Value, findings: &mut Findings) {
    let end = purchase.offer.term.end(purchase.start);
    findings.figure(Decimal::from((end.date_naive() - purchase.at.date_naive()).num_days()), wanted, "days remaining");
    // What is refunded is that share of the price.
    let share = purchase.ask(|holding| Ok(holding.share_left(purchase.at)));
    let term = Decimal::from((end.date_naive() - purchase.start.date_naive()).num_days());
    let left = share.map_or(Decimal::ZERO, |share| (share * term).round_dp(9));
    findings.figure(left, wanted, "days refunded");
}

/// What a rule of exchange says in words, checked half way through the term.
fn exchange_clause(purchase: &Purchase, clause: &str, findings: &mut Findings) -> Parsed<()> {
    let clause = clause.trim();
    let at = months_after(purchase.start, purchase.offer.term.nominal_months().div_euclid(2));
    let half = Purchase {
        offer: purchase.offer.clone(),
        quantity: purchase.quantity,
        start: purchase.start,
        at,
        proration: Proration::Days,
    };
    let paid = azure::lifetime_commitment(&half.offer).value() * half.quantity;
    let (remaining, least) = (half.remaining(), half.least_exchange()?);
    let numbers = words::numbers(&clause.replace(',', ""));
    if clause.contains("does not count") || clause.contains("doesn't count") || clause.contains("not count") {
        let target = Offer { id: "new".into(), ..machines(Term::Months(12), dec!(1), Decimal::ZERO) };
        let quote = half
            .ask(|holding| azure::exchange::quote(&[(holding, None)], &target, at, &half.assumptions()))
            .map_err(|refusal| refusal.to_string())?;
        findings.holds(quote.uses(&[half.quantity]).is_empty(), clause);
        findings.holds(numbers.iter().all(|number| *number == Limit::Refunds.published()), clause);
    } else if clause.contains(">=") || clause.contains("remaining") || clause.contains("at least") {
        findings.holds(least.round_dp(9) == remaining.round_dp(9) && remaining < paid, clause);
        // An amount that is named is the floor, or with "not" what was paid.
        let named = if clause.contains("not") { paid } else { least };
        findings.holds(numbers.iter().all(|number| number.round_dp(2) == named.round_dp(2)), clause);
        for (price, is_enough) in [(remaining, true), (remaining - dec!(0.01), false)] {
            let target = Offer { id: "new".into(), ..machines(Term::Months(36), price, Decimal::ZERO) };
            let received = half.ask(|holding| {
                let quote = azure::exchange::quote(&[(holding, None)], &target, at, &half.assumptions())?;
                quote.check_received(&[half.quantity], Decimal::ONE)
            });
            findings.allowed(&received, is_enough, clause);
        }
    } else if clause.contains("fee") || clause.contains("penalty") || clause.contains("limit") {
        findings.holds(half.ask(|holding| rights::allowed(holding, Action::Exchange, at, &half.assumptions())).is_ok(), clause);
    } else {
        return Err(format!("the rule \"{clause}\" is not understood"));
    }
    Ok(())
}

fn refund(purchase: &Purchase, inputs: &Value, expected: &Value) -> Parsed<Findings> {
    let mut findings = Findings::default();
    let mut ledger = Ledger::default();
    if let Some(limit) = figure(inputs, &["limit"]) {
        ledger = ledger.with_limit(Limit::Refunds, limit);
    }
    let limit = ledger.limit(Limit::Refunds);
    let mut assumptions = purchase.assumptions();
    if let Some(fee) = figure(inputs, &["fee", "penalty"]) {
        assumptions.azure.early_termination_fee = if fee >= Decimal::ONE { fee / Decimal::ONE_HUNDRED } else { fee };
    }
    let current = figure(inputs, &["current_price", "current"]).map(|price| machines(purchase.offer.term, price, Decimal::ZERO));
    let quote = purchase
        .ask(|holding| azure::refund::quote(holding, current.as_ref(), purchase.at, &assumptions))
        .map_err(|refusal| refusal.to_string())?;
    let quantity = purchase.quantity;
    let uses = quote.uses(&[quantity]);
    let allowed = uses.iter().try_for_each(|used| ledger.check(used));
    let total = azure::lifetime_commitment(&purchase.offer).value() * quantity;
    let mut after = ledger.clone();
    let recorded = uses.into_iter().try_for_each(|used| after.record(used));
    let left_at = |at: DateTime<Utc>| after.left(Limit::Refunds, "", at);
    for (name, wanted) in fields(expected) {
        let number = words::numbers(&name).last().copied();
        let later = number.filter(|days| *days > dec!(300));
        let payments = number.filter(|_| name.contains("after")).filter(|payments| *payments < dec!(100));
        let is = |word: &str| name.contains(word);
        if let Some(payments) = payments {
            let each = total / Decimal::from(purchase.offer.term.nominal_months());
            let left = total - payments * each;
            findings.figure(if is("remain") || is("left") { left } else { payments * each }, wanted, &name);
        } else if is("day") && is("remain") {
            days(purchase, wanted, &mut findings);
        } else if is("month") && (is("remain") || is("left")) {
            let months = purchase.offer.term.nominal_months();
            let left = (0..=months).rev().find(|left| months_after(purchase.start, months - left) >= purchase.at);
            findings.figure(Decimal::from(left.unwrap_or(0)), wanted, &name);
        } else if decimal(wanted).is_ok() && (is("count") || is("against") || is("uses")) {
            findings.figure(purchase.remaining(), wanted, &name);
        } else if is("restor") || is("replenish") || is("back") {
            if is("day") && later.is_none() {
                findings.figure(first_day_restored(purchase.at, &after, limit), wanted, &name);
            } else {
                findings.figure(left_at(purchase.at + Duration::days(365)), wanted, &name);
            }
        } else if let Some(days) = later.filter(|_| decimal(wanted).is_ok()) {
            let days: i64 = days.to_string().parse().unwrap_or(365);
            findings.figure(left_at(purchase.at + Duration::days(days)), wanted, &name);
        } else if is("spent") || is("spend") || is("paid") {
            findings.figure((total - limit).max(Decimal::ZERO), wanted, &name);
        } else if is("payment") || is("month") && !is("limit") {
            findings.figure(payments_until(purchase, limit), wanted, &name);
        } else if is("left") || is("limit") || is("available") || is("pool") {
            if decimal(wanted).is_ok() {
                findings.holds(recorded.is_ok(), "the refund is within the limit");
                findings.figure(left_at(purchase.at), wanted, &name);
            }
        } else if is("total") {
            findings.figure(total, wanted, &name);
        } else if let Some(wanted) = verdict(wanted) {
            findings.allowed(&allowed, wanted, &name);
        } else if decimal(wanted).is_ok() {
            let is_cash = is("refund") && !is("commit") || is("cash") || is("net");
            let found = if is_cash { quote.cash(&[quantity], Decimal::ZERO).value() } else { purchase.remaining() };
            let found = if is("remaining") && total > limit && purchase.at == purchase.start { limit } else { found };
            let fee = purchase.remaining() * assumptions.azure.early_termination_fee;
            findings.figure(if is("fee") { fee } else { found }, wanted, &name);
        } else if let Some(words) = wanted.as_str() {
            refund_clauses(purchase, words, &allowed, &mut findings)?;
        }
    }
    Ok(findings)
}

/// What is said of a refund in words.
fn refund_clauses(purchase: &Purchase, words: &str, allowed: &Result<(), Refusal>, findings: &mut Findings) -> Parsed<()> {
    for clause in words.split(';') {
        let lower = clause.to_lowercase();
        if lower.contains("partial") {
            let several = Purchase { offer: purchase.offer.clone(), quantity: dec!(2), ..*purchase };
            let quote = several.ask(|holding| azure::refund::quote(holding, None, several.at, &several.assumptions()));
            findings.allowed(&quote.and_then(|quote| quote.check_quantities(&[Decimal::ONE])), true, clause);
        } else if lower.contains("cannot") || lower.contains("not ") || lower.contains("exceed") {
            findings.allowed(allowed, false, clause);
        } else if lower.contains("can ") || lower.contains("allowed") || lower.contains("possible") {
            findings.allowed(allowed, true, clause);
        } else if let Some(number) = crate::words::numbers(&clause.replace(',', "")).first() {
            let limit = Limit::Refunds.published();
            let total = azure::lifetime_commitment(&purchase.offer).value() * purchase.quantity;
            let known =
                [purchase.remaining(), limit - purchase.remaining(), limit, total - limit, payments_until(purchase, limit)];
            findings.holds(known.contains(number), clause);
        } else {
            return Err(format!("\"{clause}\" is not understood"));
        }
    }
    Ok(())
}

/// After how many payments the rest is within the limit.
fn payments_until(purchase: &Purchase, limit: Decimal) -> Decimal {
    let months = purchase.offer.term.nominal_months();
    let remaining = |month: u32| {
        let at = months_after(purchase.start, month);
        Purchase { offer: purchase.offer.clone(), at, ..*purchase }.remaining()
    };
    Decimal::from((0..=months).find(|month| remaining(*month) <= limit).unwrap_or(months))
}

/// How many days after an instant the whole limit is left again.
fn first_day_restored(at: DateTime<Utc>, ledger: &Ledger, limit: Decimal) -> Decimal {
    let days = (0..800).find(|days| ledger.left(Limit::Refunds, "", at + Days::new(*days)) == limit);
    Decimal::from(days.unwrap_or(0))
}

fn trade_in(purchase: &Purchase, inputs: &Value, expected: &Value) -> Parsed<Findings> {
    let mut findings = Findings::default();
    let hours = figure(inputs, &["new_term_hours", "term_hours", "hours"]);
    let years = figure(inputs, &["new_term_years", "plan_years"]);
    let new_term = match (hours, years, text(inputs, &["new_term"])) {
        (Some(hours), ..) => Term::Days(whole(hours / dec!(24))?),
        (_, Some(years), _) => Term::Months(12 * whole(years)?),
        (_, _, Some(written)) => term(&Value::String(written.to_owned()), Provider::Azure)?,
        _ => Term::Months(12),
    };
    let target = plan(Provider::Azure, COMPUTE_PLAN, new_term, &[]);
    let target = Offer { id: "plan".into(), ..target };
    let quote = |lot: Option<Decimal>| {
        let lot = lot.map(|step| Lot { minimum: step, increment: step });
        let target = Offer { lot, ..target.clone() };
        purchase.ask(|holding| azure::exchange::trade_in(&[(holding, None)], &target, purchase.at, &purchase.assumptions()))
    };
    let exact = quote(None).map_err(|refusal| refusal.to_string())?;
    let remaining = required(&exact, purchase.quantity);
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        let name = name.to_lowercase();
        if name.contains("hour") && decimal(wanted).is_ok() {
            // The page prints the least amount of as many decimals.
            let printed = wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned);
            let decimals = printed.split_once('.').map_or(0, |(_, decimals)| u32::try_from(decimals.len()).unwrap_or(0));
            let step = Decimal::new(1, decimals.min(9));
            let stepped = quote(Some(step)).and_then(|quote| quote.least_received(&[purchase.quantity]));
            let least = stepped.map_err(|refusal| refusal.to_string())?;
            let up = decimal(wanted)? == least;
            if up {
                findings.figure(least, wanted, &name);
            } else {
                findings.figure(remaining / target.term.list_hours(), wanted, &name);
            }
        } else if decimal(wanted).is_ok() {
            findings.figure(remaining, wanted, &name);
        } else if let Some(wanted) = verdict(wanted) {
            findings.allowed(&quote(None), wanted, &name);
        }
    }
    Ok(findings)
}

fn whole(value: Decimal) -> Parsed<u32> {
    value.trunc().to_string().parse().map_err(|_| format!("{value} is not whole"))
}

/// The exchange policy in words: what was bought when, and what is then possible.
fn policy(topic: &str, inputs: &Value, expected: &Value) -> Parsed<Findings> {
    let mut findings = Findings::default();
    let case = text(inputs, &["case", "scenario"]).ok_or("no case")?.to_lowercase();
    let change = dated(&case).or_else(|| dated(topic)).unwrap_or_else(|| Assumptions::default().azure.exchange_policy_change);
    let mut assumptions = Assumptions::default();
    assumptions.azure.exchange_policy_change = change;
    let midnight = change.and_time(chrono::NaiveTime::MIN).and_utc();
    let is_service = text(inputs, &["product", "service"]).unwrap_or("");
    let service = if is_service.is_empty() { VIRTUAL_MACHINES } else { is_service };
    let rights: Vec<Right> = reservation_rights(service, None).into_iter().collect();
    let own = Offer { upfront: Money::new(dec!(3000)), ..offer(Provider::Azure, service, "vm", Term::Months(36), &rights) };
    let bought_before = case.contains("before") && !case.starts_with("renew") || case.contains("during");
    let is_renewed = case.contains("renewed") && case.contains("after");
    let before = midnight - Duration::days(60);
    let start = if bought_before && !is_renewed { before } else { midnight + Duration::days(5) };
    let numbers: Vec<Decimal> = case
        .split(|c: char| !c.is_ascii_digit() && c != '-')
        .filter(|word| !word.contains('-'))
        .filter_map(|word| word.parse().ok())
        .collect();
    let (held_units, exchanged) = (numbers.first().copied().unwrap_or(dec!(10)), numbers.get(1).copied().unwrap_or(Decimal::ONE));
    let after = midnight + Duration::days(30);
    let commitment = held(&own, held_units, start);
    let holding = Holding::plain(&commitment, &own);
    let allowed =
        |holding: &Holding<'_>, action: Action, at: DateTime<Utc>| rights::allowed(holding, action, at, &assumptions).map(drop);
    // A part exchanged at an instant: what is left of it, and what is received.
    let parted = |at: DateTime<Utc>| -> Parsed<Portfolio> {
        let target = Offer { id: "new".into(), ..own.clone() };
        let quote =
            azure::exchange::quote(&[(&holding, None)], &target, at, &assumptions).map_err(|refusal| refusal.to_string())?;
        let count = quote.least_received(&[exchanged]).map_err(|refusal| refusal.to_string())?;
        let made = quote.carry_out(&[exchanged], count, "", &Scope::Shared).map_err(|refusal| refusal.to_string())?;
        let portfolio = Portfolio::new(vec![own.clone(), target], vec![commitment.clone()]).and_then(|held| held.replaced(&made));
        portfolio.map_err(|error| error.to_string())
    };
    let of = |portfolio: &Portfolio, id: &str, at: DateTime<Utc>| -> Parsed<(Decimal, Result<(), Refusal>)> {
        let catalog = crate::meaning::catalog(Vec::new(), Vec::new())?;
        let holdings = portfolio.holdings(&catalog).map_err(|error| error.to_string())?;
        let found = holdings.iter().find(|holding| holding.commitment.id == id).ok_or("nothing is left")?;
        Ok((found.commitment.quantity, allowed(found, Action::Exchange, at)))
    };
    let results = expected.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
    for clause in results.flat_map(|text| text.split([';', ':'])).map(|clause| clause.trim().to_lowercase()) {
        let is = |word: &str| clause.contains(word);
        let at = start + Duration::days(40);
        if is("trade-in") || is("trade in") {
            findings.allowed(&allowed(&holding, Action::TradeIn, at), true, &clause);
            findings.allowed(&allowed(&holding, Action::TradeIn, after + Duration::days(60)), true, &clause);
        } else if is("refund") {
            findings.allowed(&allowed(&holding, Action::Refund, after), true, &clause);
        } else if is("new purchase") {
            findings.holds(start >= midnight, &clause);
        } else if is("other") || is("remaining") || is("leftover") || is("left") {
            let portfolio = parted(after)?;
            let (left, may) = of(&portfolio, "held", after + Duration::days(1))?;
            findings.holds(left == held_units - exchanged, &clause);
            findings.holds(words::numbers(&clause).iter().all(|number| *number == left), &clause);
            findings.allowed(&may, true, &clause);
            findings.allowed(
                &of(&portfolio, "held>exchange", after + Duration::days(1))?.1,
                false,
                "a second exchange of what was exchanged",
            );
        } else if is("result") || is("no longer") {
            let is_denied = is("not") || is("no ") || is("cannot") || is("can't");
            let (_, again) = of(&parted(after)?, "held>exchange", after + Duration::days(1))?;
            findings.allowed(&again, !is_denied, &clause);
        } else if is("no exchange") || is("not exchangeable") || is("cannot") || is("can't") || is("not be exchanged") {
            findings.allowed(&allowed(&holding, Action::Exchange, at), false, &clause);
        } else if is("freely") || is("as many") || is("unlimited") || is("any number") {
            findings.allowed(&allowed(&holding, Action::Exchange, before + Duration::days(20)), true, &clause);
            let (_, again) = of(&parted(before + Duration::days(20))?, "held>exchange", before + Duration::days(30))?;
            findings.allowed(&again, true, &clause);
        } else if is("one") || is("once") {
            let first = allowed(&holding, Action::Exchange, after);
            findings.allowed(&first, true, &clause);
            if first.is_err() {
                continue;
            }
            let (_, again) = of(&parted(after)?, "held>exchange", after + Duration::days(1))?;
            findings.allowed(&again, false, &clause);
        } else if is("exchangeable") || is("exchange") {
            findings.allowed(&allowed(&holding, Action::Exchange, after), true, &clause);
        } else if !is("renewal") {
            return Err(format!("\"{clause}\" is not understood"));
        }
    }
    Ok(findings)
}

/// The first date in a text.
fn dated(text: &str) -> Option<NaiveDate> {
    text.split_whitespace().find_map(|word| word.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok())
}
