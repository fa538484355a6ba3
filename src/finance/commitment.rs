//! From a commitment, or a whole plan, to dated incremental cash flows against a stated alternative.
//!
//! Incremental means: what is paid because of the commitment (negative) and what is not paid any more because of it
//! (positive). Waste needs no line of its own: the fee runs on when the avoided cost falls. What happens at the end is
//! stated in [`Terminal`], never assumed.

use super::amortisation::{Term, midnight, next_month, share};
use super::cash_flow::{month_start, sum};
use super::{CashFlow, CashFlows, Error, Result};
use chrono::{Months, NaiveDate, TimeDelta, Timelike};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the commitment is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Alternative {
    /// Buying nothing: the same use at on-demand rates.
    #[default]
    OnDemand,
    /// Keeping what is held today: the same use under the present commitments.
    HeldToday,
}

/// When recurring fees are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum RecurringBilling {
    /// The hours of a calendar month, paid on the first of the next month (AWS Savings Plans, Google).
    #[default]
    MonthEnd,
    /// The hours of a calendar month, paid on its first day or at purchase (the monthly fee of AWS reservations).
    MonthStart,
    /// Equal instalments on the day of purchase in each month (Azure monthly payment).
    Anniversary,
}

/// What the commitment's use would have cost under the alternative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Avoided {
    /// Cost of each hour from the start of the term on.
    PerHour(Vec<Decimal>),
    /// Cost of each calendar month, keyed by the first of the month.
    PerMonth(BTreeMap<NaiveDate, Decimal>),
    /// The same cost in every hour of the term.
    EveryHour(Decimal),
}

/// What happens at the end, or before it. After a resale or a refund neither fee nor saving runs on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Terminal {
    /// The term runs out; nothing is left and nothing follows.
    #[default]
    RunsOut,
    /// Sold at the start of `date` for `proceeds` less a share kept by the market place.
    Resale {
        /// The day of sale.
        date: NaiveDate,
        /// What the buyer pays.
        proceeds: Decimal,
        /// The share kept (AWS market place: 0.12).
        fee_share: Decimal,
    },
    /// Returned at the start of `date` for this refund.
    Refund {
        /// The day of return.
        date: NaiveDate,
        /// What the provider pays back.
        amount: Decimal,
    },
}

/// A commitment as money and time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    /// A name for reports.
    pub name: String,
    /// Its term.
    pub term: Term,
    /// Paid at the start.
    pub upfront: Decimal,
    /// Fee per hour of the term, used or not.
    pub recurring_per_hour: Decimal,
    /// When the fee is paid.
    pub billing: RecurringBilling,
    /// What it is compared with.
    pub alternative: Alternative,
    /// What is saved against the alternative, paid (as the provider bills use) on the first of the next month.
    pub avoided: Avoided,
    /// How it ends.
    pub terminal: Terminal,
}

/// What a line of the cash flow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CashKind {
    /// Paid at purchase.
    Upfront,
    /// A recurring fee.
    Recurring,
    /// Not paid any more.
    Saved,
    /// Paid back by the provider.
    Refund,
    /// Received from a buyer, net of the market place's share.
    Resale,
}

/// One dated line with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashLine {
    /// The day of payment.
    pub date: NaiveDate,
    /// The reason.
    pub kind: CashKind,
    /// Negative when paid.
    pub amount: Decimal,
}

/// The incremental cash of a commitment, by date, then kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncrementalCash {
    /// What it is compared with.
    pub alternative: Alternative,
    /// The lines.
    pub lines: Vec<CashLine>,
}

impl IncrementalCash {
    /// The lines as one series.
    #[must_use]
    pub fn flows(&self) -> CashFlows {
        self.lines.iter().map(|line| CashFlow { date: line.date, amount: line.amount }).collect()
    }

    /// The sum of the lines of one kind.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn total(&self, kind: CashKind) -> Result<Decimal> {
        sum(self.lines.iter().filter(|line| line.kind == kind).map(|line| line.amount))
    }

    /// The largest sum ever out of pocket, positive: what a buyer without an internal rate still risks.
    #[must_use]
    pub fn largest_exposure(&self) -> Decimal {
        let (mut running, mut worst) = (Decimal::ZERO, Decimal::ZERO);
        for flow in self.flows().as_slice() {
            running += flow.amount;
            worst = worst.min(running);
        }
        -worst
    }
}

impl Commitment {
    /// What the commitment costs over its whole term.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn total_cost(&self) -> Result<Decimal> {
        share(self.recurring_per_hour, self.term.seconds(), Decimal::from(3600))?
            .checked_add(self.upfront)
            .ok_or(Error::Overflow { what: "the cost of a commitment" })
    }

    /// The part of the term in which it is held: up to a resale or refund.
    ///
    /// # Errors
    /// [`Error::EmptyTerm`] if it is given up before it starts or after it ends.
    pub fn held(&self) -> Result<Term> {
        let date = match &self.terminal {
            Terminal::RunsOut => return Ok(self.term),
            Terminal::Resale { date, .. } | Terminal::Refund { date, .. } => midnight(*date),
        };
        if date > self.term.end() {
            return Err(Error::EmptyTerm {
                what: "the time left at resale or refund",
                start: date.to_rfc3339(),
                end: self.term.end().to_rfc3339(),
            });
        }
        Term::new(self.term.start(), date)
    }

    /// The dated incremental cash against the alternative.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] if hourly avoided costs do not cover the term, [`Error::EmptyTerm`], [`Error::Overflow`].
    pub fn incremental_cash(&self) -> Result<IncrementalCash> {
        let held = self.held()?;
        let mut lines = Vec::new();
        let mut add = |date, kind, amount: Decimal| {
            if !amount.is_zero() {
                lines.push(CashLine { date, kind, amount });
            }
        };
        let start = self.term.start().date_naive();
        add(start, CashKind::Upfront, -self.upfront);
        for (date, fee) in self.recurring(&held)? {
            add(date, CashKind::Recurring, -fee);
        }
        for (month, saved) in self.avoided.by_month(&self.term, &held)? {
            add(next_month(month)?, CashKind::Saved, saved);
        }
        match &self.terminal {
            Terminal::RunsOut => {}
            Terminal::Resale { date, proceeds, fee_share } => {
                add(*date, CashKind::Resale, share(*proceeds, Decimal::ONE - *fee_share, Decimal::ONE)?);
            }
            Terminal::Refund { date, amount } => add(*date, CashKind::Refund, *amount),
        }
        lines.sort_by_key(|line| (line.date, line.kind));
        Ok(IncrementalCash { alternative: self.alternative, lines })
    }

    fn recurring(&self, held: &Term) -> Result<Vec<(NaiveDate, Decimal)>> {
        let start = self.term.start().date_naive();
        let monthly = held.seconds_by_month()?.into_iter().map(|(month, seconds)| {
            let fee = share(self.recurring_per_hour, seconds, Decimal::from(3600))?;
            Ok((month, fee))
        });
        match self.billing {
            RecurringBilling::MonthEnd => monthly.map(|row| row.and_then(|(month, fee)| Ok((next_month(month)?, fee)))).collect(),
            RecurringBilling::MonthStart => monthly.map(|row| row.map(|(month, fee)| (month.max(start), fee))).collect(),
            RecurringBilling::Anniversary => {
                let total = share(self.recurring_per_hour, self.term.seconds(), Decimal::from(3600))?;
                let mut dates = Vec::new();
                for number in 0.. {
                    let date = self.term.start().checked_add_months(Months::new(number));
                    let date = date.ok_or(Error::DateOverflow { what: "an instalment" })?;
                    // A term of 365 days over 29 February has twelve instalments, not a thirteenth of one day.
                    if date + TimeDelta::days(2) > self.term.end() {
                        break;
                    }
                    dates.push(date);
                }
                if dates.is_empty() {
                    dates.push(self.term.start());
                }
                let count = Decimal::from(dates.len());
                let mut rows = Vec::new();
                let (mut number, mut paid) = (Decimal::ZERO, Decimal::ZERO);
                for date in dates {
                    number += Decimal::ONE;
                    let due = share(total, number, count)?;
                    if date < held.end() {
                        rows.push((date.date_naive(), due - paid));
                    }
                    paid = due;
                }
                Ok(rows)
            }
        }
    }
}

impl Avoided {
    /// Avoided cost by calendar month while the commitment is `held`.
    pub(super) fn by_month(&self, term: &Term, held: &Term) -> Result<BTreeMap<NaiveDate, Decimal>> {
        match self {
            Self::EveryHour(rate) => held
                .seconds_by_month()?
                .into_iter()
                .map(|(month, seconds)| Ok((month, share(*rate, seconds, Decimal::from(3600))?)))
                .collect(),
            Self::PerMonth(months) => {
                let (first, end) = (month_start(held.start().date_naive()), held.end());
                Ok(months.iter().filter(|row| *row.0 >= first && midnight(*row.0) < end).map(|row| (*row.0, *row.1)).collect())
            }
            Self::PerHour(hours) => {
                let needed = usize::try_from((term.end() - term.start()).num_hours()).unwrap_or(usize::MAX);
                if hours.len() != needed {
                    return Err(Error::LengthMismatch {
                        left: "avoided hours",
                        left_len: hours.len(),
                        right: "hours of the term",
                        right_len: needed,
                    });
                }
                let mut months: BTreeMap<NaiveDate, Decimal> = BTreeMap::new();
                let mut hour = term.start().with_minute(0).and_then(|start| start.with_second(0)).unwrap_or(term.start());
                for cost in hours {
                    if hour >= held.end() {
                        break;
                    }
                    let month = months.entry(month_start(hour.date_naive())).or_default();
                    *month = month.checked_add(*cost).ok_or(Error::Overflow { what: "avoided cost" })?;
                    hour += TimeDelta::hours(1);
                }
                Ok(months)
            }
        }
    }
}

/// The incremental cash of several commitments together. They must be compared with the same alternative.
///
/// # Errors
/// [`Error::Empty`] without commitments, [`Error::MixedAlternatives`], and as [`Commitment::incremental_cash`].
pub fn plan_cash(commitments: &[Commitment]) -> Result<IncrementalCash> {
    let Some(first) = commitments.first() else {
        return Err(Error::Empty { what: "commitments" });
    };
    let mut lines = Vec::new();
    for commitment in commitments {
        if commitment.alternative != first.alternative {
            return Err(Error::MixedAlternatives { left: first.name.clone(), right: commitment.name.clone() });
        }
        lines.extend(commitment.incremental_cash()?.lines);
    }
    lines.sort_by_key(|line| (line.date, line.kind, line.amount));
    Ok(IncrementalCash { alternative: first.alternative, lines })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    fn commitment(billing: RecurringBilling) -> Result<Commitment> {
        Ok(Commitment {
            name: "one year".into(),
            term: Term::of_days("2025-01-01T00:00:00Z".parse().unwrap_or_default(), 365)?,
            upfront: dec!(4380),
            recurring_per_hour: dec!(0.5),
            billing,
            alternative: Alternative::OnDemand,
            avoided: Avoided::EveryHour(dec!(2)),
            terminal: Terminal::RunsOut,
        })
    }

    #[test]
    fn every_billing_rule_pays_the_same_total() -> Result<()> {
        for billing in [RecurringBilling::MonthEnd, RecurringBilling::MonthStart, RecurringBilling::Anniversary] {
            let cash = commitment(billing)?.incremental_cash()?;
            assert_eq!(cash.total(CashKind::Recurring)?, dec!(-4380));
            assert_eq!(cash.lines.iter().filter(|line| line.kind == CashKind::Recurring).count(), 12);
            assert_eq!(cash.total(CashKind::Saved)?, dec!(17520));
            assert_eq!(cash.flows().total()?, dec!(8760));
        }
        Ok(())
    }

    #[test]
    fn hours_months_and_a_flat_rate_agree() -> Result<()> {
        let flat = commitment(RecurringBilling::MonthEnd)?;
        let hourly = Commitment { avoided: Avoided::PerHour(vec![dec!(2); 8760]), ..flat.clone() };
        assert_eq!(flat.incremental_cash()?, hourly.incremental_cash()?);
        let short = Commitment { avoided: Avoided::PerHour(vec![dec!(2); 10]), ..flat.clone() };
        assert!(matches!(short.incremental_cash(), Err(Error::LengthMismatch { .. })));
        Ok(())
    }

    #[test]
    fn a_resale_stops_fee_and_saving() -> Result<()> {
        let date = "2025-07-01".parse().unwrap_or_default();
        let sold = Commitment {
            terminal: Terminal::Resale { date, proceeds: dec!(1000), fee_share: dec!(0.12) },
            ..commitment(RecurringBilling::MonthEnd)?
        };
        let cash = sold.incremental_cash()?;
        assert_eq!(cash.total(CashKind::Recurring)?, dec!(-0.5) * dec!(4344));
        assert_eq!(cash.total(CashKind::Saved)?, dec!(2) * dec!(4344));
        assert_eq!(cash.total(CashKind::Resale)?, dec!(880));
        assert_eq!(plan_cash(&[sold.clone(), sold])?.total(CashKind::Resale)?, dec!(1760));
        Ok(())
    }
}
