//! The bill as cash: what is charged on which day, as each provider charges it.
//!
//! Upfront fees are due on the day of purchase. Recurring fees: AWS books Reserved Instances by month, on the day of purchase for the
//! first month and on day 1 of the others, for the hours of the term in that month, and Savings Plans by the hour (Cost and Usage
//! Report, "Reservation details", "Understanding Savings Plans"); Azure in equal monthly instalments from the day of purchase ("Monthly
//! payments for reservations"); Google by the hour. Usage is charged on the day it happens. Days are those of the provider's billing
//! calendar. A payment is in the bill if its day is.
//!
//! As formulas: `docs/formulation-billing.md`, "Days, hours, cash".

use super::Bill;
use super::calendar;
use super::record::{Record, RecordHeld};
use crate::time::{Hour, Month, Term};
use crate::units::Money;
use crate::usage::Provider;
use chrono::{DateTime, Months, NaiveDate, Utc};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What a payment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CashKind {
    /// Usage on demand, after sustained use discounts.
    OnDemand,
    /// The part of a commitment's price that is due at purchase.
    Upfront,
    /// A recurring fee or an instalment of a commitment.
    Recurring,
}

/// What is charged on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashPayment {
    /// The billing day.
    pub date: NaiveDate,
    /// What it is for.
    pub kind: CashKind,
    /// The commitment's identifier; `None` for usage.
    pub commitment: Option<String>,
    /// The amount.
    pub amount: Money,
}

impl Bill {
    /// Every payment, by date, then kind, then commitment. Weights of hours count for usage and for fees by the hour.
    #[must_use]
    pub fn cash(&self) -> Vec<CashPayment> {
        let mut payments: BTreeMap<(NaiveDate, CashKind, Option<&str>), Money> = BTreeMap::new();
        for (date, charges) in self.days() {
            let amount = charges.on_demand - charges.sustained_use_discount;
            *payments.entry((date, CashKind::OnDemand, None)).or_default() += amount;
        }
        let days = Days::new(&self.record);
        for held in &self.record.held {
            for (date, kind, amount) in days.of_commitment(&self.record, held) {
                *payments.entry((date, kind, Some(&held.id))).or_default() += Money::new(amount);
            }
        }
        let payment = |((date, kind, commitment), amount): ((NaiveDate, CashKind, Option<&str>), Money)| CashPayment {
            date,
            kind,
            commitment: commitment.map(str::to_owned),
            amount,
        };
        payments.into_iter().filter(|(_, amount)| *amount != Money::ZERO).map(payment).collect()
    }

    /// All payments of each calendar month.
    #[must_use]
    pub fn cash_by_month(&self) -> BTreeMap<Month, Money> {
        let mut months = BTreeMap::new();
        for payment in self.cash() {
            let month = Month::containing(payment.date.and_time(chrono::NaiveTime::MIN).and_utc());
            *months.entry(month).or_insert(Money::ZERO) += payment.amount;
        }
        months
    }
}

/// The instants that the bill spans.
struct Days {
    first: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Days {
    fn new(record: &Record) -> Self {
        let grid = record.usage.grid();
        Self { first: grid.first.start(), end: grid.hour(grid.count).start() }
    }

    fn contain(&self, instant: DateTime<Utc>) -> bool {
        self.first <= instant && instant < self.end
    }

    fn of_commitment(&self, record: &Record, held: &RecordHeld) -> Vec<(NaiveDate, CashKind, Decimal)> {
        let date = |instant: DateTime<Utc>| calendar::day(held.provider, Hour::containing(instant));
        let mut payments = Vec::new();
        if self.contain(Hour::containing(held.start).start()) {
            payments.push((date(held.start), CashKind::Upfront, held.upfront));
        }
        let recurring: Vec<(NaiveDate, Decimal)> = match (held.provider, held.is_spend_plan) {
            (Provider::Aws, false) => self.monthly_fees(held),
            (Provider::Azure, _) => self.instalments(held).into_iter().map(|(at, amount)| (date(at), amount)).collect(),
            (Provider::Aws, true) | (Provider::Gcp, _) => hourly_fees(record, held),
        };
        payments.extend(recurring.into_iter().map(|(date, amount)| (date, CashKind::Recurring, amount)));
        payments
    }

    /// For each month the hours of the term in it, booked on its first day within the term.
    fn monthly_fees(&self, held: &RecordHeld) -> Vec<(NaiveDate, Decimal)> {
        let (start, end) = (Hour::containing(held.start).start(), Hour::containing(held.end).start());
        let mut fees = Vec::new();
        let mut month = Month::containing(start);
        while month.start() < end.min(self.end) {
            let (from, until) = (month.start().max(start), month.next().start().min(end));
            if self.contain(from) {
                fees.push((from.date_naive(), held.recurring_list_hour * Decimal::from((until - from).num_hours())));
            }
            month = month.next();
        }
        fees
    }

    /// Equal instalments, one a month from the purchase on.
    fn instalments(&self, held: &RecordHeld) -> Vec<(DateTime<Utc>, Decimal)> {
        let months = match held.term {
            Term::Months(months) => months,
            Term::Days(_) => held.term.nominal_months().max(1),
        };
        let each = held.recurring_list_hour * held.term.list_hours() / Decimal::from(months);
        let due = |month: u32| held.start.checked_add_months(Months::new(month));
        // The hour of the purchase is billed from its start.
        let in_bill = |at: &DateTime<Utc>| self.contain(Hour::containing(*at).start()) && *at < held.end;
        (0..months).filter_map(due).filter(in_bill).map(|at| (at, each)).collect()
    }
}

/// The fee of every hour, by day.
fn hourly_fees(record: &Record, held: &RecordHeld) -> Vec<(NaiveDate, Decimal)> {
    let mut days: BTreeMap<NaiveDate, Decimal> = BTreeMap::new();
    for index in held.hours.clone() {
        let weight = crate::units::to_decimal(record.usage.weights()[index]).unwrap_or(Decimal::ONE);
        *days.entry(calendar::day(held.provider, record.hour(index))).or_default() += held.recurring_list_hour * weight;
    }
    days.into_iter().collect()
}
