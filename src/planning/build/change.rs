//! Changes of what is held become columns: the capacity they take and bring, what they cost, and what the rules count of them.

use super::super::action::{Change, Limit};
use super::super::column::{ChangeTerms, Column, Effect};
use super::super::timing::Leg;
use super::{Builder, units};
use crate::billing::{self, Rules};
use crate::catalog::Offer;
use crate::error::{Error, Problem as Wrong, Result};
use crate::portfolio::Portfolio;
use crate::units::to_f64;
use chrono::{DateTime, Utc};
use rust_decimal::prelude::ToPrimitive;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// A commitment held, as far as changes need it.
pub(in crate::planning) struct HeldUnits {
    pub(super) hours: Range<usize>,
    /// The slot and what one unit provides there; `None` if it covers no usage that takes part.
    pub(super) slot: Option<(usize, f64)>,
    /// What one unit costs an hour of its term: upfront, and recurring.
    pub(super) upfront: f64,
    pub(super) recurring: f64,
}

impl Builder<'_, '_> {
    /// The columns of changes, with what the rules count of each.
    ///
    /// # Errors
    /// Those of [`Change::check`]; [`Wrong::Repeated`] for an identifier used twice or by something held, [`Wrong::Dangling`] for a commitment,
    /// an offer or a limit that is not there, [`Wrong::OutOfRange`] for more than is held.
    pub(super) fn change(
        &mut self,
        portfolio: &Portfolio,
        units_held: &[HeldUnits],
        (changes, limits): (&[Change], &[Limit]),
        rules: &Rules,
    ) -> Result<Vec<(Column, ChangeTerms)>> {
        let held: HashMap<&str, usize> =
            portfolio.commitments().iter().enumerate().map(|(index, of)| (of.id.as_str(), index)).collect();
        let limit_of: HashMap<&str, usize> =
            limits.iter().enumerate().map(|(index, limit)| (limit.name.as_str(), index)).collect();
        let mut ids: HashSet<&str> = held.keys().copied().collect();
        let mut columns = Vec::with_capacity(changes.len());
        for change in changes {
            let place = |error: Error| error.in_item(change.id.clone());
            change.check()?;
            if !ids.insert(change.id.as_str()) {
                return Err(place(Error::from(Wrong::Repeated).in_field("changes.id")));
            }
            let mut gives = Vec::new();
            for given in &change.gives {
                let missing = || Wrong::Dangling { kind: "commitment", id: given.commitment.clone() };
                let index = *held.get(given.commitment.as_str()).ok_or_else(missing).map_err(|problem| place(problem.into()))?;
                gives.push((index, given.quantity));
            }
            let mut uses = Vec::new();
            for (name, amount) in &change.uses {
                let missing = || Wrong::Dangling { kind: "limit", id: name.clone() };
                let index = *limit_of.get(name.as_str()).ok_or_else(missing).map_err(|problem| place(problem.into()))?;
                uses.push((index, *amount));
            }
            let by_held = gives.iter().map(|(index, quantity)| portfolio.commitments()[*index].quantity / quantity);
            let by_limit =
                uses.iter().filter(|(_, amount)| !amount.is_zero()).map(|(index, amount)| limits[*index].most / amount);
            let least = by_held.chain(by_limit).min().unwrap_or_default().floor().to_u32().unwrap_or(0);
            let max_steps = least.min(change.most.unwrap_or(u32::MAX));
            let (column, mut terms) = self.column(portfolio, units_held, change, &gives, rules).map_err(place)?;
            terms.uses = uses.into_iter().map(|(index, amount)| (index, to_f64(amount))).collect();
            columns.push((Column { max_steps, ..column }, terms));
        }
        Ok(columns)
    }

    fn column(
        &mut self,
        portfolio: &Portfolio,
        units_held: &[HeldUnits],
        change: &Change,
        gives: &[(usize, rust_decimal::Decimal)],
        rules: &Rules,
    ) -> Result<(Column, ChangeTerms)> {
        let grid = self.usage.grid();
        let share = change.probability;
        let (mut effects, mut obligations) = (Vec::new(), Vec::new());
        let (mut given_up, mut received) = (Vec::new(), Vec::new());
        let mut is_long = false;
        for (index, quantity) in gives {
            let commitment = &portfolio.commitments()[*index];
            let offer = portfolio.offer(self.catalog, commitment)?;
            let held = &units_held[*index];
            let quantity = share * to_f64(*quantity);
            let from = released_from(self, offer, commitment.start, change.at, &held.hours, rules);
            let hours = from.min(held.hours.end)..held.hours.end;
            if let Some((slot, capacity)) = held.slot.filter(|_| !hours.is_empty()) {
                effects.push(Effect { hours: hours.clone(), slot, capacity: -quantity * capacity });
            }
            let start = change.at.clamp(commitment.start, commitment.end);
            let (upfront, recurring) = (quantity * held.upfront, quantity * held.recurring);
            obligations.push((start, commitment.end, -upfront - recurring));
            given_up.push(Leg { upfront, recurring, hours, from: start, end: commitment.end });
        }
        for of in &change.receives {
            let own = change.offers.iter().find(|offer| offer.id == of.offer);
            let of_portfolio = || portfolio.offers().iter().find(|offer| offer.id == of.offer);
            let Some(offer) = own.or_else(of_portfolio).or_else(|| self.catalog.offer(&of.offer)) else {
                return Err(
                    Error::from(Wrong::Dangling { kind: "offer", id: of.offer.clone() }).in_field("changes.receives.offer")
                );
            };
            billing::check_rates(offer, self.catalog, rules)?;
            is_long |= offer.term.nominal_months() >= 36;
            let hours = billing::served(grid, offer, of.start, of.end, rules);
            let quantity = share * to_f64(of.quantity);
            let weights = self.coverage(offer, &of.scope);
            if !weights.is_empty() && !hours.is_empty() {
                let capacity = quantity * units(offer, &of.scope);
                let (slot, worth) = self.slot(weights);
                effects.push(Effect { hours: hours.clone(), slot, capacity: capacity * worth });
            }
            let (upfront, recurring) = hourly(offer, of.start);
            let (upfront, recurring) = (quantity * upfront, quantity * recurring);
            obligations.push((of.start, of.end, upfront + recurring));
            received.push(Leg { upfront, recurring, hours, from: of.start, end: of.end });
        }
        let paid = share * change.paid.to_f64();
        let cost = self.timing.change_cost(&given_up, &received, paid, change.decided, grid.first, &self.hour_weights);
        let terms = ChangeTerms {
            at: change.decided,
            gives: gives.iter().map(|(index, quantity)| (*index, to_f64(*quantity))).collect(),
            uses: Vec::new(),
            upfront: paid.max(0.0),
            obligations,
            one_off: self.timing.one_off(&given_up, &received, paid, change.decided, grid.first, &self.usage.weights().to_vec()),
        };
        let column = Column { cost, upfront: terms.upfront, max_steps: 0, fixed: None, is_divisible: false, is_long, effects };
        Ok((column, terms))
    }
}

/// The first hour that a commitment given up at an instant does not serve any more.
fn released_from(
    builder: &Builder<'_, '_>,
    offer: &Offer,
    start: DateTime<Utc>,
    at: DateTime<Utc>,
    hours: &Range<usize>,
    rules: &Rules,
) -> usize {
    if at <= start { hours.start } else { billing::served(builder.usage.grid(), offer, start, at, rules).end.max(hours.start) }
}

/// What one unit of an offer that starts then costs an hour of its term: upfront spread evenly, and recurring.
pub(super) fn hourly(offer: &Offer, start: DateTime<Utc>) -> (f64, f64) {
    let calendar = to_f64(billing::calendar_factor(offer, start));
    (to_f64(offer.upfront.value() / offer.term.list_hours()) * calendar, offer.recurring.to_f64() * calendar)
}
