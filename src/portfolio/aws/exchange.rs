//! Exchange of convertible Reserved Instances: the value test, the true-up, the rules of payment option, term and end.
//!
//! The value of a reservation is its prorated upfront price plus its hourly price of the remaining hours. Of what is received the upfront
//! price is prorated to the end that it takes over, so both sides are counted over the time to come.

use super::*;
use crate::time::{Hour, Term};

/// What an exchange of one or several convertible Reserved Instances for an offer gives and costs. Several are merged: the result ends when
/// the latest of them ends.
///
/// # Errors
/// The rule that forbids it.
pub fn quote(given: &[&Holding<'_>], offer: &Offer, at: DateTime<Utc>, assumptions: &Assumptions) -> Result<Quote, Refusal> {
    let mut deadline = DateTime::<Utc>::MAX_UTC;
    for holding in given {
        deadline = deadline.min(rights::allowed(holding, Action::Exchange, at, assumptions)?.until);
        if holding.offer.region != offer.region || holding.offer.provider != offer.provider {
            return Err(differ(Rule::AwsExchangeRegion, "the region", &holding.offer.region, &offer.region));
        }
    }
    if class(offer) != Some(OfferingClass::Convertible) || !offer.is_purchasable_on(at.date_naive()) {
        return Err(kind(Rule::AwsExchangeClass, "what is received is no convertible Reserved Instance that is on offer"));
    }
    let sources: Vec<(Term, DateTime<Utc>)> = given.iter().map(|held| (held.offer.term, held.commitment.end)).collect();
    let (term, end) = merged_term(&sources).ok_or_else(|| kind(Rule::AwsExchangeTerm, "nothing is given up"))?;
    if offer.term != term {
        return Err(differ(Rule::AwsExchangeTerm, "the term", &term.to_string(), &offer.term.to_string()));
    }
    let is_free = |option: PaymentOption| option == PaymentOption::NoUpfront;
    let paid = given.iter().find(|held| !is_free(held.offer.payment_option));
    if let Some(paid) = paid.filter(|_| is_free(offer.payment_option)) {
        let (left, right) = (paid.offer.payment_option.to_string(), offer.payment_option.to_string());
        return Err(differ(Rule::AwsExchangePayment, "the payment option", &left, &right));
    }
    let hours = Decimal::from((Hour::containing(end).since_epoch() - Hour::containing(at).since_epoch()).max(0));
    let upfront = offer.upfront * (hours / offer.term.list_hours()).min(Decimal::ONE);
    let obligation = offer.recurring.over_hours(hours);
    let each = |count: &dyn Fn(&Holding<'_>) -> Decimal| given.iter().map(|held| count(held)).collect::<Vec<Decimal>>();
    let mut tests = vec![at_least(
        Rule::AwsExchangeValue,
        each(&|held| (held.prepaid_left(at) + held.obligation(at)).value()),
        (upfront + obligation).value(),
    )];
    if given.iter().any(|held| held.offer.upfront > Money::ZERO) {
        tests.push(at_least(Rule::AwsExchangeTrueUp, each(&|held| held.prepaid_left(at).value()), upfront.value()));
    }
    if is_free(offer.payment_option) {
        tests.push(at_least(Rule::AwsExchangeHourly, each(&|held| held.offer.recurring.value()), offer.recurring.value()));
    }
    Ok(Quote {
        action: Action::Exchange,
        at,
        effective: at,
        deadline,
        // The remaining upfront price counts against the new one; the difference is the true-up.
        given: given.iter().map(|held| Given { cash: held.prepaid_left(at), ..rights::given(held, at) }).collect(),
        received: Some(Received {
            offer: offer.id.clone(),
            upfront,
            recurring: offer.recurring,
            obligation,
            start: at,
            end,
            scope: None,
            lot: offer.lot.unwrap_or_else(|| rights::default_lot(false)),
            tests,
        }),
        probability: 1.0,
    })
}

/// Term and end of the result of an exchange: the longest term and the latest end of what is given up. `None` for nothing.
#[must_use]
pub fn merged_term(sources: &[(Term, DateTime<Utc>)]) -> Option<(Term, DateTime<Utc>)> {
    let term = sources.iter().map(|(term, _)| *term).max_by_key(|term| term.list_hours())?;
    let end = sources.iter().map(|(_, end)| *end).max()?;
    Some((term, end))
}

/// How many Reserved Instances of a value are received for a value given up: the ratio, and the least whole number that is no less. `None`
/// if what is received is worth nothing.
#[must_use]
pub fn count(given: Money, received: Money) -> Option<(Decimal, Decimal)> {
    if received <= Money::ZERO {
        return None;
    }
    let ratio = given.value() / received.value();
    let mut count = ratio.floor();
    while count * received.value() < given.value() {
        count += Decimal::ONE;
    }
    Some((ratio, count))
}

fn at_least(rule: Rule, given: Vec<Decimal>, received: Decimal) -> Test {
    Test { rule, relation: Relation::AtLeast, given, received }
}

fn differ(rule: Rule, what: &'static str, left: &str, right: &str) -> Refusal {
    Refusal { rule, because: Because::Differ { what, left: left.to_owned(), right: right.to_owned() } }
}
