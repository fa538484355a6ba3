//! From the providers' rules to changes: every quote for what is held becomes [`Change`]s that the optimisation can take a whole number of
//! times.
//!
//! A quote is linear: for x units given up, n units are received, in lots, with `received n >= given x` for each test. The pairs of lots
//! (G, M) with `M >= ratio G` are all sums of few of them: those G at which the rounding up of `ratio G` wastes less than at any smaller G
//! (the Hilbert basis of the cone, as in the theory of continued fractions). Each of those pairs is a change, so that no exchange that the
//! rule allows is missed and none that it forbids can be put together. Formula: `docs/formulation.md`, "Actions".

use super::action::{Change, Given, Limit, Received};
use super::policy::Policy;
use crate::billing::calendar_factor;
use crate::catalog::{Benefit, Catalog, Offer, PaymentOption, ScopeKind};
use crate::error::Result;
use crate::portfolio::action::{Action, Quote, Relation};
use crate::portfolio::assumptions::Premium;
use crate::portfolio::ledger::{Limit as Shared, Use};
use crate::portfolio::{Assumptions, Commitment, Holding, Ledger, Portfolio, Scope, rights};
use crate::units::{Money, MoneyPerHour, to_f64};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Lots that one change combines at most; beyond, what rounding wastes is nothing.
const MOST_LOTS: u32 = 2_000;

/// So many pairs of lots are kept in any case; then only those that waste half as much as the last.
const KEPT_LOTS: usize = 6;

/// For each limit and owner: the changes that use it, when, and how much a step.
type Uses = BTreeMap<(Shared, String), Vec<(usize, DateTime<Utc>, Decimal)>>;

/// What is given up how for which pool, payment option and end.
type Pooled = (String, Action, String, PaymentOption, DateTime<Utc>);

/// What the planner may do with what is held, by the providers' rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rights {
    /// When something may be decided; if empty the purchase dates, or the first hour in a steady state.
    pub at: Vec<DateTime<Utc>>,
    /// The actions that may be taken; all if empty.
    pub actions: BTreeSet<Action>,
    /// Prices of sales, fees and other things that no rule tells.
    pub assumptions: Assumptions,
    /// What was used of limits over several actions.
    pub ledger: Ledger,
}

impl Rights {
    /// The changes that the rules allow at the dates, with the limits that they share. What would bring something that covers no usage is left
    /// out, and of the sizes of one pool at one price a unit all but the smallest.
    ///
    /// # Errors
    /// Those of [`rights::quotes`].
    pub(super) fn changes(
        &self,
        (portfolio, catalog, policy): (&Portfolio, &Catalog, &Policy),
        dates: &[DateTime<Utc>],
        covers: &dyn Fn(&Offer, &Scope) -> bool,
    ) -> Result<(Vec<Change>, Vec<Limit>)> {
        let dates = if self.at.is_empty() { dates } else { &self.at };
        let holdings: HashMap<&str, Holding<'_>> =
            portfolio.holdings(catalog)?.into_iter().map(|holding| (holding.commitment.id.as_str(), holding)).collect();
        let mut changes = Vec::new();
        let mut uses = Uses::new();
        for at in dates.iter().copied().collect::<BTreeSet<_>>() {
            let quotes = rights::quotes(portfolio, catalog, at, &self.assumptions, &self.ledger)?;
            for quote in finest(quotes, catalog) {
                let is_wanted = self.actions.is_empty() || self.actions.contains(&quote.action);
                let held = quote.given.first().and_then(|given| holdings.get(given.commitment.as_str()));
                let Some(held) = held.filter(|_| is_wanted && quote.probability > 0.0) else { continue };
                for (quantity, count) in lots(&quote) {
                    let Some(change) = self.change(&quote, (quantity, count), held, (portfolio, catalog, policy)) else {
                        continue;
                    };
                    let is_of_use = |of: &Received| {
                        let own = change.offers.iter().chain(portfolio.offers()).find(|offer| offer.id == of.offer);
                        own.or_else(|| catalog.offer(&of.offer)).is_some_and(|offer| covers(offer, &of.scope))
                    };
                    if !change.receives.is_empty() && !change.receives.iter().any(is_of_use) {
                        continue;
                    }
                    for used in quote.uses(&[quantity]) {
                        uses.entry((used.limit, used.owner)).or_default().push((changes.len(), at, used.amount));
                    }
                    changes.push(change);
                }
            }
        }
        let limits = self.limits(&uses, &mut changes);
        Ok((changes, limits))
    }

    fn change(
        &self,
        quote: &Quote,
        (quantity, count): (Decimal, Decimal),
        holding: &Holding<'_>,
        (portfolio, catalog, policy): (&Portfolio, &Catalog, &Policy),
    ) -> Option<Change> {
        let held = holding.commitment;
        let to = quote.received.as_ref().map(|received| received.offer.clone());
        let id = format!(
            "{} {} x {}{} on {}",
            quote.action,
            quantity.normalize(),
            held.id,
            to.map_or(String::new(), |offer| format!(" for {} x {offer}", count.normalize())),
            quote.effective.format("%Y-%m-%d %H:%M")
        );
        let (mut receives, mut offers) = (Vec::new(), Vec::new());
        if let Some(received) = &quote.received {
            let own = portfolio.offers().iter().find(|offer| offer.id == received.offer);
            let offer = own.or_else(|| catalog.offer(&received.offer))?;
            if !policy.allows(offer) {
                return None;
            }
            let priced = priced(offer, received.upfront, received.recurring, (received.start, received.end), &id);
            receives.push(Received {
                offer: priced.as_ref().map_or_else(|| offer.id.clone(), |priced| priced.id.clone()),
                quantity: count,
                start: received.start,
                end: received.end,
                account: held.account.clone(),
                scope: received.scope.clone().unwrap_or_else(|| scope(held, offer)),
            });
            offers.extend(priced);
        }
        let cash = quote.cash(&[quantity], count) + self.premium(quote, quantity, holding);
        // A plan returned is charged for as if it had never been bought.
        let at = if quote.action == Action::Return { held.start } else { quote.effective };
        let window = rights::window(holding, quote.action, &self.assumptions);
        let rule = window.map_or_else(|refusal| refusal.rule, |window| window.rule);
        let rule = quote.received.as_ref().and_then(|of| of.tests.first()).map_or(rule, |test| test.rule);
        Some(Change {
            id,
            kind: quote.action,
            decided: quote.at,
            at,
            gives: vec![Given { commitment: held.id.clone(), quantity }],
            receives,
            offers,
            paid: -cash,
            most: None,
            probability: quote.probability,
            uses: Vec::new(),
            deadline: Some(quote.deadline),
            rule: rule.to_string(),
        })
    }

    /// The insurer's premium for the hours to come, which falls away when a commitment is put back.
    fn premium(&self, quote: &Quote, quantity: Decimal, holding: &Holding<'_>) -> Money {
        let put = self.assumptions.puts.get(&holding.commitment.id).filter(|_| quote.action == Action::PutBack);
        match put.map(|put| &put.premium) {
            Some(Premium::ShareOfPrice { share }) => {
                (holding.offer.effective_hourly() * *share).over_hours(holding.hours_left(quote.at)) * quantity
            }
            // A share of savings is paid where the commitment saves; it is not put back there.
            Some(Premium::ShareOfSavings { .. }) | None => Money::ZERO,
        }
    }

    /// One limit for each date and all earlier uses that count in the same period.
    fn limits(&self, uses: &Uses, changes: &mut [Change]) -> Vec<Limit> {
        let mut limits = Vec::new();
        for ((limit, owner), uses) in uses {
            let mut known: BTreeSet<Vec<DateTime<Utc>>> = BTreeSet::new();
            let dates: BTreeSet<DateTime<Utc>> = uses.iter().map(|(_, at, _)| *at).collect();
            for last in &dates {
                let together: Vec<DateTime<Utc>> =
                    dates.iter().copied().filter(|at| at <= last && count_together(*limit, *at, *last)).collect();
                if !known.insert(together.clone()) {
                    continue;
                }
                let of = if owner.is_empty() { String::new() } else { format!(" of {owner}") };
                let name = format!("{limit:?}{of} until {}", last.date_naive());
                for (index, _, amount) in uses.iter().filter(|(_, at, _)| together.contains(at)) {
                    changes[*index].uses.push((name.clone(), *amount));
                }
                limits.push(Limit { name, most: self.ledger.left(*limit, owner, *last) });
            }
        }
        limits
    }
}

/// Without the quotes that bring a larger size of a pool at the same price a unit as another: the smallest can be received for the same
/// value in finer steps, and covers the same.
fn finest(quotes: Vec<Quote>, catalog: &Catalog) -> Vec<Quote> {
    let mut kept: Vec<Quote> = Vec::with_capacity(quotes.len());
    let mut smallest: BTreeMap<Pooled, (usize, Decimal, Decimal)> = BTreeMap::new();
    for quote in quotes {
        let received = quote.received.as_ref();
        let offer = received.and_then(|received| catalog.offer(&received.offer));
        let pool = offer.and_then(|offer| match &offer.benefit {
            Benefit::Reservation { pool: Some(pool), .. }
                if !offer.scopes.contains(&ScopeKind::AvailabilityZone) || offer.scopes.len() > 1 =>
            {
                Some((pool.pool.clone(), pool.units.value(), offer.payment_option))
            }
            _ => None,
        });
        let (Some(received), Some((pool, units, payment)), [given]) = (received, pool, quote.given.as_slice()) else {
            kept.push(quote);
            continue;
        };
        let a_unit = (received.upfront + received.obligation).value() / units;
        let key = (given.commitment.clone(), quote.action, pool, payment, received.end);
        match smallest.get(&key).copied() {
            Some((index, least, price)) if (price - a_unit).abs() <= Decimal::new(1, 4) * price.abs() => {
                if units < least {
                    smallest.insert(key, (index, units, a_unit));
                    kept[index] = quote;
                }
            }
            Some(_) => kept.push(quote),
            None => {
                smallest.insert(key, (kept.len(), units, a_unit));
                kept.push(quote);
            }
        }
    }
    kept
}

/// Whether uses at two instants count in one period of a limit.
fn count_together(limit: Shared, first: DateTime<Utc>, last: DateTime<Utc>) -> bool {
    let mut ledger = Ledger::default().with_limit(limit, Decimal::ONE);
    let used = Use { limit, owner: String::new(), at: first, amount: Decimal::ONE };
    ledger.record(used).is_ok() && ledger.left(limit, "", last).is_zero()
}

/// The quantities given up and received of which all others are made up.
fn lots(quote: &Quote) -> Vec<(Decimal, Decimal)> {
    let [given] = quote.given.as_slice() else { return Vec::new() };
    let lot = given.lot.minimum.max(given.lot.increment);
    let lot = if lot.is_zero() { given.held } else { lot };
    if lot <= Decimal::ZERO || lot > given.held {
        return Vec::new();
    }
    let Some(received) = &quote.received else { return vec![(lot, Decimal::ZERO)] };
    let most = (given.held / lot).floor().to_u32().unwrap_or(u32::MAX).min(MOST_LOTS);
    let unit = if received.lot.increment.is_zero() { Decimal::ZERO } else { received.lot.increment };
    let counts = |test: &&crate::portfolio::action::Test| test.received > Decimal::ZERO;
    let of_test = |test: &crate::portfolio::action::Test| to_f64(test.given[0] * lot / test.received / unit);
    let ratio = if unit.is_zero() { 0.0 } else { received.tests.iter().filter(counts).map(of_test).fold(0.0, f64::max) };
    let mut found = Vec::new();
    let mut least = f64::INFINITY;
    for number in 1..=most {
        let exact = ratio * f64::from(number);
        let waste = (exact - 1e-9).ceil() - exact;
        let is_better = if found.len() < KEPT_LOTS { waste < least - 1e-9 } else { waste <= least / 2.0 };
        if !is_better {
            continue;
        }
        let quantity = lot * Decimal::from(number);
        // The rule itself has the last word, in decimals: also on what must be equal.
        let Ok(count) = quote.least_received(&[quantity]) else { continue };
        least = waste;
        found.push((quantity, count));
        let is_equal = received.tests.iter().any(|test| test.relation == Relation::Equal);
        if is_equal || waste <= 1e-9 {
            break;
        }
    }
    found
}

/// Where what is received applies: as what is given up, if the offer has that; else all that it covers.
fn scope(held: &Commitment, offer: &Offer) -> Scope {
    if offer.scopes.contains(&held.scope.kind()) {
        return held.scope.clone();
    }
    if offer.scopes.contains(&ScopeKind::Region) { Scope::Region } else { Scope::Shared }
}

/// The offer at the price of a quote, if that is another than its own over the time that it runs.
fn priced(
    offer: &Offer,
    upfront: Money,
    recurring: MoneyPerHour,
    (start, end): (DateTime<Utc>, DateTime<Utc>),
    id: &str,
) -> Option<Offer> {
    let hours = Decimal::from((end - start).num_hours().max(1));
    let calendar = calendar_factor(offer, start);
    let own = offer.upfront.value() / offer.term.list_hours() * calendar * hours;
    let is_own = (own - upfront.value()).abs() <= Decimal::new(1, 3) * upfront.value().abs().max(Decimal::ONE);
    if is_own && recurring == offer.recurring {
        return None;
    }
    let whole = upfront.value() * offer.term.list_hours() / hours / calendar;
    Some(Offer { id: format!("{} by {id}", offer.id), upfront: Money::new(whole), recurring, ..offer.clone() })
}
