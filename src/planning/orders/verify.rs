//! What was promised against what came, split by cause.
//!
//! Each cause is the difference of two bills that the judge makes of the same hours, in which one thing changes at a time: usage, prices,
//! what was done of each order in turn, what happened without an order; the rest is what the invoice differs from the last of them. So the
//! parts add up to the whole. Formula: `docs/formulation.md`, "Verification".

use super::{Executed, Operation, Order, Orders, Part};
use crate::billing::{Judge, Rules};
use crate::catalog::{Catalog, Offer};
use crate::error::{Error, Problem as Wrong, Result};
use crate::portfolio::{Commitment, Portfolio};
use crate::time::Hour;
use crate::units::{Money, MoneyPerHour};
use crate::usage::UsageCurves;
use ndarray::Array2;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What came: the usage metered, the prices in force, the commitments that are held now, and the invoice.
#[derive(Clone, Copy, Debug)]
pub struct Came<'a> {
    /// The usage of the hours that are verified.
    pub usage: &'a UsageCurves,
    /// The prices of those hours.
    pub catalog: &'a Catalog,
    /// What is held, with what has ended within those hours.
    pub portfolio: &'a Portfolio,
    /// The amortised cost of that usage as invoiced; as the judge makes it if absent.
    pub billed: Option<Money>,
}

/// Why an order had another effect than promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// It was executed as ordered.
    AsOrdered,
    /// It was not executed.
    NotExecuted,
    /// It was executed at another time.
    OtherTime,
    /// It was executed in another quantity.
    OtherQuantity,
    /// It was executed at another price.
    OtherPrice,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AsOrdered => "executed as ordered",
            Self::NotExecuted => "not executed",
            Self::OtherTime => "executed at another time",
            Self::OtherQuantity => "executed in another quantity",
            Self::OtherPrice => "executed at another price",
        })
    }
}

/// By how much an order makes the bill differ from the promise.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderEffect {
    /// The [`Order::id`].
    pub order: String,
    /// Why.
    pub cause: Cause,
    /// By how much the bill is higher because of it.
    pub amount: Money,
}

/// What was promised, what came, and the causes of the difference; they add up to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    /// What the hours verified should have cost.
    pub promised: Money,
    /// What they cost.
    pub came: Money,
    /// By how much the bill is higher because usage differs.
    pub usage: Money,
    /// By how much because on-demand prices and plan rates differ.
    pub price: Money,
    /// By how much because of each order.
    pub orders: Vec<OrderEffect>,
    /// By how much because of what happened to the portfolio without an order.
    pub unordered: Money,
    /// By how much the invoice is higher than the judge's bill.
    pub rest: Money,
}

impl Verification {
    /// By how much the bill is higher than promised.
    #[must_use]
    pub fn difference(&self) -> Money {
        self.came - self.promised
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = |money: Money| money.value().round_dp(2);
        writeln!(f, "promised {}, came {}, difference {}", amount(self.promised), amount(self.came), amount(self.difference()))?;
        writeln!(f, "  usage      {}", amount(self.usage))?;
        writeln!(f, "  price      {}", amount(self.price))?;
        for order in &self.orders {
            writeln!(f, "  {}  {} ({})", order.order, amount(order.amount), order.cause)?;
        }
        writeln!(f, "  unordered  {}", amount(self.unordered))?;
        writeln!(f, "  rest       {}", amount(self.rest))
    }
}

/// Compares a promise with what came. `usage` and `catalog` are those that the plan was made with, `held` what was held then. Hours that the
/// plan's usage does not have stand for the same hours of earlier weeks.
///
/// # Errors
/// Those of [`Judge::new`]: usage that the plan's catalog has no price for above all; [`Wrong::Dangling`] for orders of another portfolio.
pub fn verify(
    orders: &Orders,
    (usage, catalog, held): (&UsageCurves, &Catalog, &Portfolio),
    came: &Came<'_>,
    rules: &Rules,
) -> Result<Verification> {
    let promised_usage = redated(usage, came.usage)?;
    let mut offers: Vec<Offer> = Vec::new();
    let results = orders.orders.iter().flat_map(|order| &order.results);
    for commitment in held.commitments().iter().chain(results) {
        let own = held.offers().iter().chain(&orders.offers).find(|offer| offer.id == commitment.offer);
        let missing = || Error::from(Wrong::Dangling { kind: "offer", id: commitment.offer.clone() });
        let offer = own.or_else(|| catalog.offer(&commitment.offer)).ok_or_else(missing)?;
        if !offers.iter().any(|known| known.id == offer.id) {
            offers.push(offer.clone());
        }
    }
    let cost = |usage: &UsageCurves, catalog: &Catalog, portfolio: &Portfolio| -> Result<Money> {
        Ok(Judge::new(usage, catalog, portfolio, rules)?.bill().total().cost())
    };
    let mut executed: Vec<Executed> = orders.orders.iter().map(Executed::as_ordered).collect();
    let promise = state(held, &offers, executed.clone())?;
    let promised = cost(&promised_usage, catalog, &promise)?;
    let with_usage = cost(came.usage, catalog, &promise)?;
    let with_prices = cost(came.usage, came.catalog, &promise)?;
    let done = Matching::new(orders, held, came)?;
    let mut effects = Vec::new();
    let mut last = with_prices;
    for (index, order) in orders.orders.iter().enumerate() {
        let (done, cause) = done.of(index, order, catalog)?;
        executed[index] = done;
        let now = cost(came.usage, came.catalog, &state(held, &all_offers(&offers, came), executed.clone())?)?;
        effects.push(OrderEffect { order: order.id.clone(), cause, amount: now - last });
        last = now;
    }
    let judged = cost(came.usage, came.catalog, came.portfolio)?;
    let billed = came.billed.unwrap_or(judged);
    Ok(Verification {
        promised,
        came: billed,
        usage: with_usage - promised,
        price: with_prices - with_usage,
        orders: effects,
        unordered: judged - last,
        rest: billed - judged,
    })
}

/// The offers of the promise, and those of what came under names that the promise does not have.
fn all_offers(offers: &[Offer], came: &Came<'_>) -> Vec<Offer> {
    let mut all = offers.to_vec();
    for commitment in came.portfolio.commitments() {
        if let Ok(offer) = came.portfolio.offer(came.catalog, commitment) {
            let id = actual(&offer.id);
            if !all.iter().any(|known| known.id == id) {
                all.push(Offer { id, ..offer.clone() });
            }
        }
    }
    all
}

/// The name of an offer at the price at which it was really bought, beside the promised one.
fn actual(offer: &str) -> String {
    format!("{offer} as bought")
}

/// A portfolio after what was done.
pub(super) fn state(held: &Portfolio, offers: &[Offer], executed: Vec<Executed>) -> Result<Portfolio> {
    let mut all: Vec<Offer> = held.offers().to_vec();
    for offer in offers {
        if !all.iter().any(|known| known.id == offer.id) {
            all.push(offer.clone());
        }
    }
    let mut left: BTreeMap<&str, Decimal> = held.commitments().iter().map(|of| (of.id.as_str(), of.quantity)).collect();
    let mut commitments: Vec<Commitment> = Vec::new();
    for (number, done) in executed.into_iter().enumerate() {
        for Part { commitment, quantity } in done.gives {
            let missing = || Error::from(Wrong::Dangling { kind: "commitment", id: commitment.clone() });
            let of = held.commitments().iter().find(|of| of.id == commitment).ok_or_else(missing)?;
            if done.at >= of.end {
                continue; // a renewal stopped: it serves until its end
            }
            if let Some(left) = left.get_mut(commitment.as_str()) {
                *left -= quantity;
            }
            if done.at > of.start && quantity > Decimal::ZERO {
                let id = format!("{commitment} until order {}", number + 1);
                commitments.push(Commitment { id, quantity, end: done.at.min(of.end), ..of.clone() });
            }
        }
        for (part, result) in done.results.into_iter().enumerate() {
            commitments.push(Commitment { id: format!("{} [{}.{}]", result.id, number + 1, part + 1), ..result });
        }
    }
    for of in held.commitments() {
        let quantity = left.get(of.id.as_str()).copied().unwrap_or(of.quantity);
        if quantity > Decimal::ZERO {
            commitments.push(Commitment { quantity, ..of.clone() });
        }
    }
    Portfolio::new(all, commitments)
}

/// Which commitments that came belong to which order.
struct Matching<'m> {
    /// For each order.
    results: Vec<Vec<&'m Commitment>>,
    /// How much of each commitment held is left of what came, and how much was held.
    left: BTreeMap<&'m str, (Decimal, Decimal)>,
    /// For each order, whether it only stops a renewal.
    stops: Vec<bool>,
    offers: BTreeMap<&'m str, &'m Offer>,
}

impl<'m> Matching<'m> {
    fn new(orders: &'m Orders, held: &'m Portfolio, came: &'m Came<'_>) -> Result<Self> {
        let mut results: Vec<Vec<&Commitment>> = vec![Vec::new(); orders.orders.len()];
        let known: BTreeSet<&str> = held.commitments().iter().map(|of| of.id.as_str()).collect();
        let mut offers = BTreeMap::new();
        for commitment in came.portfolio.commitments() {
            offers.insert(commitment.offer.as_str(), came.portfolio.offer(came.catalog, commitment)?);
            if known.contains(commitment.id.as_str()) {
                continue;
            }
            // By its identifier, else the order for the same offer whose start, and then quantity, is nearest.
            let wants =
                |order: &Order| order.results.iter().any(|result| result.id == commitment.id || result.offer == commitment.offer);
            let distance = |order: &Order| {
                let is_named = order.results.iter().any(|result| result.id == commitment.id);
                let start = order.start.unwrap_or(order.at);
                (!is_named, (start - commitment.start).num_seconds().abs())
            };
            // Of two orders for the same, one that still lacks something, and the one for as much.
            let rest = |index: usize, order: &Order| {
                let of_offer = || order.results.iter().filter(|result| result.offer == commitment.offer);
                let ordered: Decimal = of_offer().map(|result| result.quantity).sum();
                let came: Decimal =
                    results[index].iter().filter(|came| came.offer == commitment.offer).map(|came| came.quantity).sum();
                (came >= ordered, of_offer().map(|result| (result.quantity - commitment.quantity).abs()).min())
            };
            let of_orders = orders.orders.iter().enumerate().filter(|(_, order)| wants(order));
            // Else it may be the renewal of something whose renewal was to be stopped.
            let is_renewal = |order: &Order| {
                let ended = ends_with(order, held).filter(|ended| ended.offer == commitment.offer);
                ended.is_some_and(|ended| (ended.end - commitment.start).num_hours().abs() <= 24)
            };
            let index = of_orders.min_by_key(|(index, order)| (distance(order), rest(*index, order))).map(|(index, _)| index);
            if let Some(index) = index.or_else(|| orders.orders.iter().position(is_renewal)) {
                results[index].push(commitment);
            }
        }
        let stops = orders.orders.iter().map(|order| ends_with(order, held).is_some()).collect();
        let left = held.commitments().iter().map(|of| {
            let now = came.portfolio.commitments().iter().find(|now| now.id == of.id && now.end >= of.end);
            (of.id.as_str(), (now.map_or(Decimal::ZERO, |now| now.quantity), of.quantity))
        });
        Ok(Self { results, left: left.collect(), offers, stops })
    }

    /// What was done of an order, and how that differs from it.
    fn of(&self, index: usize, order: &Order, catalog: &Catalog) -> Result<(Executed, Cause)> {
        let came = &self.results[index];
        // What should bring something and brought nothing was not done, whatever else became of what it gives up.
        let is_undone = !order.results.is_empty() && came.is_empty();
        let gives: Vec<Part> = order
            .gives
            .iter()
            .map(|part| {
                let (left, held) = self.left.get(part.commitment.as_str()).copied().unwrap_or_default();
                let given = if is_undone { Decimal::ZERO } else { part.quantity.min((held - left).max(Decimal::ZERO)) };
                Part { commitment: part.commitment.clone(), quantity: given }
            })
            .collect();
        let results: Vec<Commitment> =
            came.iter().map(|result| Commitment { offer: actual(&result.offer), ..(*result).clone() }).collect();
        if self.stops[index] {
            let cause = if came.is_empty() { Cause::AsOrdered } else { Cause::NotExecuted };
            return Ok((Executed { gives: Vec::new(), at: order.at, results }, cause));
        }
        let received: Decimal = results.iter().map(|result| result.quantity).sum();
        let given: Decimal = gives.iter().map(|part| part.quantity).sum();
        let wanted: Decimal = order.gives.iter().map(|part| part.quantity).sum();
        let start = results.iter().map(|result| result.start).min();
        let hour = |instant| Hour::containing(instant);
        let price = |offer: &Offer| -> (MoneyPerHour, Money) { (offer.recurring, offer.upfront) };
        let is_dearer = || {
            let promised = catalog.offer(&order.offer).map(price);
            promised.is_some_and(|promised| {
                came.iter().any(|result| self.offers.get(result.offer.as_str()).is_some_and(|of| price(of) != promised))
            })
        };
        let is_missing =
            if order.operation == Operation::Buy || order.gives.is_empty() { received.is_zero() } else { given.is_zero() };
        let cause = if is_missing {
            Cause::NotExecuted
        } else if received != order.quantity || given != wanted {
            Cause::OtherQuantity
        } else if start.is_some_and(|start| order.start.is_some_and(|ordered| hour(start) != hour(ordered))) {
            Cause::OtherTime
        } else if is_dearer() {
            Cause::OtherPrice
        } else {
            Cause::AsOrdered
        };
        let at = start.filter(|_| !order.gives.is_empty()).unwrap_or_else(|| order.released.unwrap_or(order.at));
        Ok((Executed { gives, at, results }, cause))
    }
}

/// The commitment whose renewal an order stops, if that is what it does.
fn ends_with<'m>(order: &Order, held: &'m Portfolio) -> Option<&'m Commitment> {
    let [part] = order.gives.as_slice() else { return None };
    let of = held.commitments().iter().find(|of| of.id == part.commitment)?;
    (order.results.is_empty() && order.released.is_some_and(|released| released >= of.end)).then_some(of)
}

/// Usage on the hours of another: its own hours where it has them, else the same hours of earlier weeks, as in a steady state.
fn redated(usage: &UsageCurves, onto: &UsageCurves) -> Result<UsageCurves> {
    let (from, to) = (usage.grid(), onto.grid());
    let weeks = from.count.div_euclid(168);
    let period = if weeks > 0 { weeks * 168 } else { from.count };
    let period = i64::try_from(period.max(1)).unwrap_or(i64::MAX);
    let source = |hour: usize| {
        let hour = to.hour(hour);
        let since = hour.since_epoch() - from.first.since_epoch();
        from.index(hour).unwrap_or_else(|| usize::try_from(since.rem_euclid(period)).unwrap_or(0))
    };
    let hours: Vec<usize> = (0..to.count).map(source).collect();
    let quantity = Array2::from_shape_fn((to.count, usage.lines().len()), |(hour, line)| usage.quantity()[[hours[hour], line]]);
    UsageCurves::new(to, usage.lines().to_vec(), quantity)?.with_weights(onto.weights().clone())
}
