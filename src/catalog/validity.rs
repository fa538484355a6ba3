//! What a price, an offer and a spot price must be to stand in a catalog at all, and finding them by identifier in sorted lists.

use super::{Benefit, Offer, OnDemandPrice, SpotPrice};
use crate::error::{Error, Problem, Result};
use crate::units::{UnitPrice, Units};
use rust_decimal::Decimal;

/// Finds prices by identifier in a sorted list; fast where the identifiers are asked for in (nearly) ascending order, which they
/// are when offers and rates are checked.
pub(super) struct Finder<'a> {
    prices: &'a [OnDemandPrice],
    at: usize,
}

impl<'a> Finder<'a> {
    /// A finder in prices sorted by identifier.
    pub(super) fn new(prices: &'a [OnDemandPrice]) -> Self {
        Self { prices, at: 0 }
    }

    /// The price with this identifier.
    pub(super) fn find(&mut self, id: &str) -> Option<&'a OnDemandPrice> {
        // Where the last one was found, right after it, or else somewhere.
        for at in [self.at, self.at + 1] {
            if self.prices.get(at).is_some_and(|price| price.id == id) {
                self.at = at;
                return self.prices.get(at);
            }
        }
        let at = self.prices.binary_search_by(|price| price.id.as_str().cmp(id)).ok()?;
        self.at = at;
        self.prices.get(at)
    }
}

/// The checks on an on-demand price.
pub(super) fn check_price(price: &OnDemandPrice) -> Result<()> {
    if price.id.is_empty() {
        return Err(Error::from(Problem::EmptyValue).in_field("prices.id"));
    }
    if price.price <= UnitPrice::ZERO {
        return Err(Error::from(Problem::PriceNotPositive { value: price.price.to_string() }).in_field("prices.price"));
    }
    if let Some(pool) = price.pools.iter().find(|pool| pool.units <= Units::ZERO || pool.pool.is_empty()) {
        let problem = Problem::OutOfRange { value: pool.units.to_string(), range: "units above 0 of a pool with a name" };
        return Err(Error::from(problem).in_field("prices.pools"));
    }
    Ok(())
}

/// The checks on a spot price.
pub(super) fn check_spot(spot: &SpotPrice) -> Result<()> {
    if spot.price <= UnitPrice::ZERO {
        return Err(Error::from(Problem::PriceNotPositive { value: spot.price.to_string() }).in_field("spot.price"));
    }
    if let Some(range) =
        spot.interruption.filter(|range| range.from < Decimal::ZERO || range.to < range.from || range.to > Decimal::ONE)
    {
        let problem = Problem::OutOfRange { value: format!("{} to {}", range.from, range.to), range: "0 to 1, ascending" };
        return Err(Error::from(problem).in_field("spot.interruption"));
    }
    Ok(())
}

/// The checks on an offer alone and against the prices it refers to.
pub(super) fn check_offer(offer: &Offer, prices: &mut Finder<'_>) -> Result<()> {
    if offer.id.is_empty() {
        return Err(Error::from(Problem::EmptyValue).in_field("offers.id"));
    }
    for (field, value) in [("offers.upfront", offer.upfront.value()), ("offers.recurring", offer.recurring.value())] {
        if value.is_sign_negative() && !value.is_zero() {
            return Err(Error::from(Problem::Negative { value: value.to_string() }).in_field(field));
        }
    }
    if offer.upfront.value().is_zero() && offer.recurring.value().is_zero() {
        return Err(Error::from(Problem::PriceNotPositive { value: "0".into() }).in_field("offers.upfront, offers.recurring"));
    }
    if let Some(lot) = offer.lot.filter(|lot| lot.minimum <= Decimal::ZERO || lot.increment <= Decimal::ZERO) {
        let value = format!("{} in steps of {}", lot.minimum, lot.increment);
        return Err(
            Error::from(Problem::OutOfRange { value, range: "a minimum and an increment above 0" }).in_field("offers.lot")
        );
    }
    if offer.scopes.is_empty() {
        return Err(Error::from(Problem::Scope { scope: String::new() }).in_field("offers.scopes"));
    }
    match &offer.benefit {
        Benefit::Reservation { sku, pool } => {
            if prices.find(sku).is_none() {
                return Err(
                    Error::from(Problem::Dangling { kind: "on-demand price", id: sku.clone() }).in_field("offers.benefit.sku")
                );
            }
            if let Some(pool) = pool.as_ref().filter(|pool| pool.units <= Units::ZERO) {
                let problem = Problem::OutOfRange { value: pool.units.to_string(), range: "units above 0" };
                return Err(Error::from(problem).in_field("offers.benefit.pool.units"));
            }
        }
        Benefit::SpendPlan { rates, .. } => {
            for (id, rate) in rates {
                let Some(price) = prices.find(id) else {
                    let problem = Problem::Dangling { kind: "on-demand price", id: id.clone() };
                    return Err(Error::from(problem).in_field("offers.benefit.rates"));
                };
                if rate.value() <= Decimal::ZERO {
                    let problem = Problem::PriceNotPositive { value: rate.to_string() };
                    return Err(Error::from(problem).in_field(format!("offers.benefit.rates.{id}")));
                }
                if *rate > price.price {
                    let problem = Problem::RateAboveOnDemand { rate: rate.to_string(), on_demand: price.price.to_string() };
                    return Err(Error::from(problem).in_field(format!("offers.benefit.rates.{id}")));
                }
            }
        }
    }
    Ok(())
}
