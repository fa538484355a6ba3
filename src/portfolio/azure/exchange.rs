//! Exchange of Azure reservations, trade-in for a savings plan, and the swap of premium storage.
//!
//! An exchange is a refund of what is returned and a purchase in full of what is received, which gets a new term. Its one condition on money:
//! the lifetime commitment of the new is no less than the remaining commitment of the old. A trade-in asks the same of a savings plan, whose
//! lifetime commitment is its hourly commitment times 24 times the days of its term.

use super::*;
use crate::catalog::azure::products::COMPUTE_PLAN;

/// The most reservations that can be traded in at a time.
const TRADE_INS: usize = 100;

/// A product family: what can be exchanged for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family<'a> {
    Compute,
    Sql,
    Product(&'a str),
}

fn family(service: &str) -> Family<'_> {
    let is = |name: &str| service.contains(name);
    if is("Virtual Machines") || is("Dedicated Host") || is("VMware") || is("Nutanix") || is("Cloud Services") {
        Family::Compute
    } else if service == "SQL Database" || is("SQL Managed Instance") || is("Elastic Pool") {
        Family::Sql
    } else {
        Family::Product(service)
    }
}

/// What an exchange of one or several reservations, each with its offer at the current price, for an offer gives and costs.
///
/// # Errors
/// The rule that forbids it.
pub fn quote(
    given: &[(&Holding<'_>, Option<&Offer>)],
    offer: &Offer,
    at: DateTime<Utc>,
    assumptions: &Assumptions,
) -> Result<Quote, Refusal> {
    for (holding, _) in given {
        rights::allowed(holding, Action::Exchange, at, assumptions)?;
        if offer.provider != holding.offer.provider
            || offer.is_spend_plan()
            || family(&offer.service) != family(&holding.offer.service)
        {
            let because =
                Because::Differ { what: "the product", left: holding.offer.service.clone(), right: offer.service.clone() };
            return Err(Refusal { rule: Rule::AzureExchangeProduct, because });
        }
    }
    buy(Action::Exchange, Rule::AzureExchangeValue, given, offer, at, assumptions)
}

/// What the trade-in of one or several reservations for a savings plan gives and costs.
///
/// # Errors
/// The rule that forbids it.
pub fn trade_in(
    given: &[(&Holding<'_>, Option<&Offer>)],
    offer: &Offer,
    at: DateTime<Utc>,
    assumptions: &Assumptions,
) -> Result<Quote, Refusal> {
    if given.len() > TRADE_INS {
        let quantity = Decimal::from(given.len());
        let because = Because::Quantity { quantity, wanted: format!("up to {TRADE_INS} reservations at a time") };
        return Err(Refusal { rule: Rule::AzureTradeInProduct, because });
    }
    for (holding, _) in given {
        rights::allowed(holding, Action::TradeIn, at, assumptions)?;
        if offer.provider != holding.offer.provider {
            return Err(kind(Rule::AzureTradeInProduct, "what is received is not of Azure"));
        }
    }
    let is_compute_plan = matches!(&offer.benefit, Benefit::SpendPlan { plan, .. } if plan == COMPUTE_PLAN);
    if !is_compute_plan {
        return Err(kind(Rule::AzureTradeInProduct, "what is received is no savings plan for compute"));
    }
    buy(Action::TradeIn, Rule::AzureTradeInValue, given, offer, at, assumptions)
}

/// Returns and buys.
fn buy(
    action: Action,
    rule: Rule,
    given: &[(&Holding<'_>, Option<&Offer>)],
    offer: &Offer,
    at: DateTime<Utc>,
    assumptions: &Assumptions,
) -> Result<Quote, Refusal> {
    let Some(deadline) = given.iter().map(|(holding, _)| last_instant(holding.commitment.end)).min() else {
        return Err(kind(rule, "nothing is given up"));
    };
    if !offer.is_purchasable_on(at.date_naive()) {
        return Err(kind(rule, "what is received is not on offer that day"));
    }
    let parts: Vec<(Given, Residual)> =
        given.iter().map(|(holding, current)| refund::returned(holding, *current, at, assumptions)).collect();
    let test = Test {
        rule,
        relation: Relation::AtLeast,
        given: parts.iter().map(|(_, left)| left.total().value()).collect(),
        received: lifetime_commitment(offer).value(),
    };
    let received = Received {
        offer: offer.id.clone(),
        upfront: offer.upfront,
        recurring: offer.recurring,
        obligation: offer.recurring.over_hours(offer.term.list_hours()),
        start: at,
        end: offer.term.end(at),
        scope: None,
        lot: offer.lot.unwrap_or_else(|| rights::default_lot(offer.is_spend_plan())),
        tests: vec![test],
    };
    let given = parts.into_iter().map(|(given, _)| given).collect();
    Ok(Quote { action, at, effective: at, deadline, given, received: Some(received), probability: 1.0 })
}

/// The swap of a size for the same size with or without premium storage: no charge, and the term runs on.
///
/// # Errors
/// The rule that forbids it.
pub fn swap_storage(
    holding: &Holding<'_>,
    offer: &Offer,
    catalog: &Catalog,
    at: DateTime<Utc>,
    assumptions: &Assumptions,
) -> Result<Quote, Refusal> {
    let window = rights::allowed(holding, Action::SwapStorage, at, assumptions)?;
    let size = |offer: &Offer| match &offer.benefit {
        Benefit::Reservation { sku, .. } => catalog.price_with_id(sku).map(|price| price.sku.sku.clone()),
        Benefit::SpendPlan { .. } => None,
    };
    let names = size(holding.offer).zip(size(offer));
    let same = (&offer.service, &offer.region, offer.term, offer.payment_option)
        == (&holding.offer.service, &holding.offer.region, holding.offer.term, holding.offer.payment_option);
    if !same || !names.is_some_and(|(old, new)| is_storage_twin(&old, &new)) {
        return Err(kind(Rule::AzureSwapStorage, "what is received is not the same size with or without premium storage"));
    }
    let (rule, scope) = ((Action::SwapStorage, Rule::AzureSwapStorage), holding.commitment.scope.clone());
    Ok(rights::one_for_one(rule, (at, window), (holding, at), offer, scope))
}

/// Whether two sizes differ in premium storage alone: `Standard_F1` and `Standard_F1s`, `Standard_D2_v2` and `Standard_DS2_v2`.
#[must_use]
pub fn is_storage_twin(one: &str, other: &str) -> bool {
    let plain = |name: &str| -> Option<(String, bool)> {
        let name = name.replace(' ', "_");
        let (tier, body) = name.split_once('_')?;
        let (size, version) = body.split_once('_').map_or((body, ""), |(size, version)| (size, version));
        let digit = size.find(|character: char| character.is_ascii_digit())?;
        let (letters, rest) = size.split_at(digit);
        let number = rest.find(|character: char| character.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (count, features) = rest.split_at(number);
        let (letters, features) = (letters.to_uppercase(), features.to_lowercase());
        let by_letters = letters.len() > 1 && letters.ends_with('S');
        let by_feature = features.contains('s');
        let letters = if by_letters { &letters[..letters.len() - 1] } else { &letters };
        let features = features.replacen('s', "", 1);
        Some((format!("{tier}_{letters}{count}{features}_{version}").to_lowercase(), by_letters || by_feature))
    };
    match (plain(one), plain(other)) {
        (Some((one, first)), Some((other, second))) => one == other && first != second,
        _ => false,
    }
}
