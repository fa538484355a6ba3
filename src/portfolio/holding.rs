//! A commitment with the offer it was bought by and its particulars, and what follows from the three: its state at an instant, what is
//! prepaid and what is still to be charged.
//!
//! Money follows the way each provider charges (see `docs/portfolio.md`): AWS and Google every clock hour of the term, the hour that contains
//! the start in full and the hour that contains the end not at all; Azure in equal monthly instalments, or once, prorated by days in UTC.

use super::Commitment;
use super::particulars::{Particulars, Renewal, Status};
use crate::catalog::Offer;
use crate::time::{Hour, Term};
use crate::units::{Money, MoneyPerHour};
use crate::usage::Provider;
use chrono::{DateTime, Duration, Months, Utc};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A commitment, its offer and its particulars.
#[derive(Clone, Debug)]
pub struct Holding<'a> {
    /// What is held.
    pub commitment: &'a Commitment,
    /// What it was bought by.
    pub offer: &'a Offer,
    /// What else is known of it.
    pub particulars: Cow<'a, Particulars>,
}

/// Where a commitment stands at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Bought, and not started.
    Queued,
    /// In its term.
    Active,
    /// Its term is over.
    Expired,
    /// It was given up, or never paid.
    Retired,
}

impl<'a> Holding<'a> {
    /// A commitment of which nothing is known but its offer.
    #[must_use]
    pub fn plain(commitment: &'a Commitment, offer: &'a Offer) -> Self {
        Self { commitment, offer, particulars: Cow::Owned(Particulars::of(commitment.id.clone())) }
    }

    /// Its state at an instant; in its term it is active from the clock hour of its start to the one before that of its end.
    #[must_use]
    pub fn state(&self, at: DateTime<Utc>) -> State {
        let hour = Hour::containing(at);
        match self.particulars.status {
            Status::Retired | Status::PaymentFailed => State::Retired,
            _ if hour < Hour::containing(self.commitment.start) => State::Queued,
            _ if hour >= Hour::containing(self.commitment.end) => State::Expired,
            _ => State::Active,
        }
    }

    /// When it was bought.
    #[must_use]
    pub fn bought(&self) -> DateTime<Utc> {
        self.particulars.bought.unwrap_or(self.commitment.start)
    }

    /// Whether it renews: as set, else as the provider sells it.
    #[must_use]
    pub fn renewal(&self) -> Renewal {
        let is_azure_reservation = self.offer.provider == Provider::Azure && !self.offer.is_spend_plan();
        self.particulars.renewal.unwrap_or(if is_azure_reservation { Renewal::Automatic } else { Renewal::Off })
    }

    /// The fee of each hour of the term for all that is held.
    #[must_use]
    pub fn recurring(&self) -> MoneyPerHour {
        self.offer.recurring * self.commitment.quantity
    }

    /// The clock hours from the one that contains an instant (or from the start) to the end.
    #[must_use]
    pub fn hours_left(&self, at: DateTime<Utc>) -> Decimal {
        let from = Hour::containing(at.max(self.commitment.start));
        Decimal::from((Hour::containing(self.commitment.end).since_epoch() - from.since_epoch()).max(0))
    }

    /// When a full term that ends with this commitment would have started: after a modification or an exchange a commitment runs for the
    /// rest of one.
    #[must_use]
    pub fn term_start(&self) -> DateTime<Utc> {
        match self.offer.term {
            Term::Days(days) => self.commitment.end.checked_sub_signed(Duration::days(i64::from(days))),
            // The same day of an earlier month; where the months differ in length, the start itself is one.
            Term::Months(months) => match self.offer.term.end(self.commitment.start) == self.commitment.end {
                true => Some(self.commitment.start),
                false => self.commitment.end.checked_sub_months(Months::new(months)),
            },
        }
        .unwrap_or(self.commitment.start)
    }

    /// The share of a full term that is left at an instant: hours of hours (AWS, Google), days of days (Azure). 0 to 1.
    #[must_use]
    pub fn share_left(&self, at: DateTime<Utc>) -> Decimal {
        let (start, end) = (self.term_start(), self.commitment.end);
        let at = at.max(self.commitment.start);
        let (left, whole) = match self.offer.provider {
            Provider::Azure => {
                ((end.date_naive() - at.date_naive()).num_days(), (end.date_naive() - start.date_naive()).num_days())
            }
            Provider::Aws | Provider::Gcp => {
                let hour = |instant| Hour::containing(instant).since_epoch();
                (hour(end) - hour(at), hour(end) - hour(start))
            }
        };
        if whole <= 0 {
            return Decimal::ZERO;
        }
        Decimal::from(left.clamp(0, whole)) / Decimal::from(whole)
    }

    /// The part of the upfront payment of one unit that is for the time to come.
    #[must_use]
    pub fn prepaid_left(&self, at: DateTime<Utc>) -> Money {
        self.offer.upfront * self.share_left(at)
    }

    /// What will still be charged for one unit from an instant on. Instalments that are due at that instant count as charged.
    #[must_use]
    pub fn obligation(&self, at: DateTime<Utc>) -> Money {
        match self.offer.provider {
            Provider::Azure => self.instalment() * Decimal::from(self.instalments_left(at)),
            Provider::Aws | Provider::Gcp => self.offer.recurring.over_hours(self.hours_left(at)),
        }
    }

    /// How many months an Azure commitment is paid in.
    fn months(&self) -> u32 {
        self.offer.term.nominal_months().max(1)
    }

    /// One monthly instalment of one unit of an Azure commitment: the price of the term in equal parts.
    #[must_use]
    pub fn instalment(&self) -> Money {
        self.offer.recurring.over_hours(self.offer.term.list_hours() / Decimal::from(self.months()))
    }

    /// When the instalment of a month is due; 0 is the first, at the start.
    #[must_use]
    pub fn due(&self, month: u32) -> DateTime<Utc> {
        self.commitment.start.checked_add_months(Months::new(month)).unwrap_or(self.commitment.end)
    }

    /// How many instalments are due after an instant.
    #[must_use]
    pub fn instalments_left(&self, at: DateTime<Utc>) -> u32 {
        let due = (0..self.months()).filter(|month| self.due(*month) > at && self.due(*month) < self.commitment.end).count();
        u32::try_from(due).unwrap_or(u32::MAX)
    }
}
