//! Time: steady state or purchase dates, discounting, and what happens to a commitment beyond the hours planned. Formulas:
//! `docs/formulation.md`, "Time".

use super::problem::Candidate;
use crate::catalog::Offer;
use crate::error::{Error, Problem, Result};
use crate::time::{Hour, HourGrid, Month};
use crate::units::to_f64;
use chrono::{DateTime, Utc};
use ndarray::Array1;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What a commitment that ends after the hours planned is worth at their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Remainder {
    /// As much as it still costs: the hours planned bear their share of the upfront payment and the recurring payments that fall into them.
    #[default]
    WorthItsCost,
    /// Nothing: the hours planned bear the whole price.
    Worthless,
}

/// Whether what is held may be bought again on the day it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Renewal {
    /// On purchase dates alone.
    #[default]
    OnPurchaseDates,
    /// On the day it ends too.
    AtExpiry,
}

/// When things may be bought and how money of different times compares.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Timing {
    /// Sorted; empty for a steady state.
    pub(super) dates: Vec<DateTime<Utc>>,
    /// Effective rate a year.
    pub(super) discount_rate: f64,
    pub(super) remainder: Remainder,
    pub(super) renewal: Renewal,
}

/// What one step of a change gives up or brings, as a stream of costs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leg {
    /// Upfront payment an hour of the term, and recurring payment an hour.
    pub(super) upfront: f64,
    pub(super) recurring: f64,
    /// The hours planned that it would serve, or serves.
    pub(super) hours: Range<usize>,
    /// From when, and until when.
    pub(super) from: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
}

impl Leg {
    /// The hours of its life.
    fn left(&self) -> f64 {
        (self.end - self.from).num_hours().max(0) as f64
    }
}

impl Timing {
    pub(super) fn is_dated(&self) -> bool {
        !self.dates.is_empty()
    }

    /// # Errors
    /// [`Problem::OutOfRange`] for a rate that is not a number above -1, or a date outside of the hours planned.
    pub(super) fn check(&self, grid: HourGrid) -> Result<()> {
        if !self.discount_rate.is_finite() || self.discount_rate <= -1.0 {
            let (value, range) = (self.discount_rate.to_string(), "rates above -1 (0.08 is 8 % a year)");
            return Err(Error::from(Problem::OutOfRange { value, range }).in_field("discount_rate"));
        }
        for date in &self.dates {
            if grid.index(Hour::containing(*date)).is_none() {
                let (value, range) = (date.to_string(), "dates within the hours of the usage");
                return Err(Error::from(Problem::OutOfRange { value, range }).in_field("purchase_dates"));
            }
        }
        Ok(())
    }

    /// The dates on which something can be bought.
    pub(super) fn purchase_dates(&self, grid: HourGrid) -> Vec<DateTime<Utc>> {
        if self.is_dated() { self.dates.clone() } else { vec![grid.first.start()] }
    }

    /// When a purchase of a candidate ends: with its term; in a steady state not before the usage does, since it is renewed.
    pub(super) fn end(&self, candidate: &Candidate, grid: HourGrid) -> DateTime<Utc> {
        if self.is_dated() { candidate.term_end } else { candidate.term_end.max(grid.hour(grid.count).start()) }
    }

    /// The value at the first hour of a unit of money at an instant: `(1 + rate)^(-days / 365)`.
    fn factor(&self, first: Hour, instant: DateTime<Utc>) -> f64 {
        let days = (instant - first.start()).num_hours() as f64 / 24.0;
        (1.0 + self.discount_rate).powf(-days / 365.0)
    }

    /// The factor of what is used in a month, which is paid at its end. In a steady state all months count alike.
    pub(super) fn month_factor(&self, first: Hour, month: Month) -> f64 {
        if self.is_dated() && self.discount_rate != 0.0 { self.factor(first, month.next().start()) } else { 1.0 }
    }

    /// The weight of each hour in the objective: the hours it stands for, discounted.
    pub(super) fn hour_weights(&self, grid: HourGrid, weights: &Array1<f64>) -> Vec<f64> {
        let mut factors: Vec<f64> = Vec::with_capacity(grid.count);
        let mut last: Option<(Month, f64)> = None;
        for hour in grid.hours() {
            let month = hour.month();
            let factor = match last {
                Some((of, factor)) if of == month => factor,
                _ => self.month_factor(grid.first, month),
            };
            last = Some((month, factor));
            factors.push(factor);
        }
        factors.iter().zip(weights).map(|(factor, weight)| factor * weight).collect()
    }

    /// What one unit of an offer bought at a date adds to the objective. `calendar` is by how much the hours of this term differ from those
    /// that its price is given for.
    pub(super) fn cost(
        &self,
        offer: &Offer,
        calendar: f64,
        start: DateTime<Utc>,
        served: &Range<usize>,
        first: Hour,
        hour_weights: &[f64],
    ) -> f64 {
        let (upfront, recurring) = (offer.upfront.to_f64(), offer.recurring.to_f64());
        let weight: f64 = hour_weights[served.clone()].iter().sum();
        if !self.is_dated() {
            return (upfront / self.annuity_hours(offer) + recurring) * calendar * weight;
        }
        let end = offer.term.end(start);
        let term_hours = (end - start).num_hours().max(1) as f64;
        let share = if self.remainder == Remainder::WorthItsCost { served.len() as f64 / term_hours } else { 1.0 };
        let after = match self.remainder {
            Remainder::WorthItsCost => 0.0,
            Remainder::Worthless => self.weight_after(first, hour_weights.len(), start, end),
        };
        upfront * calendar * share.min(1.0) * self.factor(first, start) + recurring * calendar * (weight + after)
    }

    /// The weight of the hours of a stretch that lie after the planned ones, paid month by month.
    fn weight_after(&self, first: Hour, planned: usize, start: DateTime<Utc>, end: DateTime<Utc>) -> f64 {
        let planned_end = first.plus(i64::try_from(planned).unwrap_or(i64::MAX)).start().max(start);
        let mut sum = 0.0;
        let mut from = planned_end;
        while from < end {
            let month = Month::containing(from);
            let until = month.next().start().min(end);
            sum += (until - from).num_hours() as f64 * self.month_factor(first, month);
            from = until;
        }
        sum
    }

    /// What one step of a change adds to the objective (`docs/formulation.md`, "Actions"): recurring payments of what is received less those of what is given up, and what is
    /// paid at once. What was paid upfront for commitments given up is spent either way; what they and those received would still be worth after
    /// the hours planned counts as for purchases. In a steady state payments at once are spread over what was left of what is given up.
    pub(super) fn change_cost(
        &self,
        gives: &[Leg],
        receives: &[Leg],
        paid: f64,
        at: DateTime<Utc>,
        first: Hour,
        hour_weights: &[f64],
    ) -> f64 {
        let served = |leg: &Leg| -> f64 { hour_weights[leg.hours.clone()].iter().sum() };
        let sum = |legs: &[Leg], of: &dyn Fn(&Leg) -> f64| -> f64 { legs.iter().map(of).sum() };
        if !self.is_dated() {
            let life = sum(gives, &Leg::left);
            let share = if life > 0.0 { (sum(gives, &served) / life).min(1.0) } else { 1.0 };
            let basis = sum(receives, &|leg| leg.upfront * leg.left());
            let received = sum(receives, &|leg| (leg.upfront + leg.recurring) * served(leg));
            return received - sum(gives, &|leg| leg.recurring * served(leg)) + (paid - basis) * share;
        }
        let recurring = |leg: &Leg| match self.remainder {
            Remainder::WorthItsCost => leg.recurring * served(leg),
            Remainder::Worthless => {
                leg.recurring * (served(leg) + self.weight_after(first, hour_weights.len(), leg.from, leg.end))
            }
        };
        let planned_end = first.plus(i64::try_from(hour_weights.len()).unwrap_or(i64::MAX)).start();
        let kept = |leg: &Leg| match self.remainder {
            Remainder::WorthItsCost => leg.upfront * (leg.end - planned_end.max(leg.from)).num_hours().max(0) as f64,
            Remainder::Worthless => 0.0,
        };
        let at_once = paid + sum(gives, &kept) - sum(receives, &kept);
        sum(receives, &recurring) - sum(gives, &recurring) + self.factor(first, at) * at_once
    }

    /// The part of [`Timing::change_cost`] that no bill shows, undiscounted: what giving up and receiving costs beside the amortised cost of
    /// the hours planned.
    pub(super) fn one_off(
        &self,
        gives: &[Leg],
        receives: &[Leg],
        paid: f64,
        at: DateTime<Utc>,
        first: Hour,
        weights: &[f64],
    ) -> f64 {
        let undiscounted = Self { discount_rate: 0.0, ..self.clone() };
        let amortised = |legs: &[Leg]| -> f64 {
            legs.iter().map(|leg| (leg.upfront + leg.recurring) * weights[leg.hours.clone()].iter().sum::<f64>()).sum()
        };
        undiscounted.change_cost(gives, receives, paid, at, first, weights) - amortised(receives) + amortised(gives)
    }

    /// The hours over which an upfront payment is spread in a steady state: those of the term; with a discount rate the present value of an
    /// hour in every month of it (the equivalent annual cost of engineering economics).
    fn annuity_hours(&self, offer: &Offer) -> f64 {
        let hours = to_f64(offer.term.list_hours());
        if self.discount_rate == 0.0 {
            return hours;
        }
        let months = offer.term.nominal_months().max(1);
        let monthly = (1.0 + self.discount_rate).powf(-1.0 / 12.0);
        let present: f64 = (1..=months).map(|month| monthly.powi(i32::try_from(month).unwrap_or(i32::MAX))).sum();
        hours / f64::from(months) * present
    }
}
