//! Straight-line amortisation of a prepaid fee over its term, by calendar month in UTC.
//!
//! Accrual follows the seconds of the term, as FOCUS ("evenly per charge period") and the providers do: January of a
//! one-year plan takes 744 of 8,760 hours. Ledgers often use equal months instead; both sum to the fee exactly, the last
//! row taking what rounding left.
//!
//! Terms: an AWS year is 365 days of seconds (31,536,000 s), so it ends a day early over 29 February; an Azure or Google
//! year ends on the same calendar day, so its day rate divides by 366 when the term holds 29 February (Azure's page
//! "reservation amortization").

use super::cash_flow::{month_start, sum};
use super::{Error, Result};
use chrono::{DateTime, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// From when (inclusive) to when (exclusive) a fee gives a right to service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Term {
    /// A term between two instants.
    ///
    /// # Errors
    /// [`Error::EmptyTerm`] unless `end` is later than `start`.
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Result<Self> {
        if end > start {
            Ok(Self { start, end })
        } else {
            Err(Error::EmptyTerm { what: "a term", start: start.to_rfc3339(), end: end.to_rfc3339() })
        }
    }

    /// A fixed number of days of 86,400 seconds (AWS: 365 or 1,095).
    ///
    /// # Errors
    /// [`Error::EmptyTerm`] for no days, [`Error::DateOverflow`].
    pub fn of_days(start: DateTime<Utc>, days: u32) -> Result<Self> {
        let end = TimeDelta::try_days(i64::from(days)).and_then(|length| start.checked_add_signed(length));
        Self::new(start, end.ok_or(Error::DateOverflow { what: "the end of the term" })?)
    }

    /// Calendar months: it ends on the same day of the month (Azure, Google), or on the month's last.
    ///
    /// # Errors
    /// As [`Term::of_days`].
    pub fn of_months(start: DateTime<Utc>, months: u32) -> Result<Self> {
        let end = start.checked_add_months(Months::new(months));
        Self::new(start, end.ok_or(Error::DateOverflow { what: "the end of the term" })?)
    }

    /// The first instant.
    #[must_use]
    pub fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// The first instant after it.
    #[must_use]
    pub fn end(&self) -> DateTime<Utc> {
        self.end
    }

    /// Its length in seconds.
    #[must_use]
    pub fn seconds(&self) -> Decimal {
        Decimal::from((self.end - self.start).num_seconds())
    }

    /// Its length in hours.
    #[must_use]
    pub fn hours(&self) -> Decimal {
        self.seconds() / Decimal::from(3600)
    }

    /// The seconds of the term in each calendar month, keyed by the first of the month.
    ///
    /// # Errors
    /// [`Error::DateOverflow`].
    pub fn seconds_by_month(&self) -> Result<BTreeMap<NaiveDate, Decimal>> {
        let mut months = BTreeMap::new();
        let mut from = self.start;
        while from < self.end {
            let month = month_start(from.date_naive());
            let next = midnight(next_month(month)?);
            let to = next.min(self.end);
            months.insert(month, Decimal::from((to - from).num_seconds()));
            from = to;
        }
        Ok(months)
    }
}

/// How a fee is spread over the months of its term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Spread {
    /// By the seconds of each month: what providers and FOCUS do.
    #[default]
    BySecond,
    /// By whole hours of the term, a started hour counting in the month it starts in.
    ByHour,
    /// Equal parts per month of the term from the start month on, as ledgers do; a term that starts inside a month shares
    /// its first and last month by days.
    ByMonth,
}

/// A fee's expense by month: every row keyed by the first of its month; the rows sum to the fee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    fee: Decimal,
    expense: BTreeMap<NaiveDate, Decimal>,
}

/// Spreads `fee` over `term`, each row rounded to `decimals` (2 for cents; `None` keeps 28 digits).
///
/// # Errors
/// [`Error::Overflow`] or [`Error::DateOverflow`].
pub fn amortise(fee: Decimal, term: &Term, spread: Spread, decimals: Option<u32>) -> Result<Schedule> {
    let weights = match spread {
        Spread::BySecond => term.seconds_by_month()?,
        Spread::ByHour => whole_hours(term)?,
        Spread::ByMonth => equal_months(term)?,
    };
    let whole = sum(weights.values().copied())?;
    let mut expense = BTreeMap::new();
    let (mut weighed, mut booked) = (Decimal::ZERO, Decimal::ZERO);
    for (month, weight) in weights {
        weighed += weight;
        // From the running total, so that rounding never adds up and the last row takes the rest.
        let exact = share(fee, weighed, whole)?;
        let due = decimals.map_or(exact, |decimals| exact.round_dp(decimals));
        let due = if weighed == whole { fee } else { due };
        expense.insert(month, due - booked);
        booked = due;
    }
    Ok(Schedule { fee, expense })
}

impl Schedule {
    /// The fee spread.
    #[must_use]
    pub fn fee(&self) -> Decimal {
        self.fee
    }

    /// Expense by month.
    #[must_use]
    pub fn expense(&self) -> &BTreeMap<NaiveDate, Decimal> {
        &self.expense
    }

    /// Expense by fiscal year, keyed by the year in which the fiscal year ends; `first_month` 1 is the calendar year.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a month outside 1 to 12.
    pub fn by_fiscal_year(&self, first_month: u32) -> Result<BTreeMap<i32, Decimal>> {
        by_fiscal_year(&self.expense, first_month)
    }

    /// What is still prepaid when the month before `date` is closed: expense of the month of `date` and later.
    #[must_use]
    pub fn prepaid_before(&self, date: NaiveDate) -> Decimal {
        self.expense.range(month_start(date)..).map(|row| row.1).sum()
    }

    /// The prepaid balance at `date` split into what is expensed within twelve months (current asset) and later
    /// (non-current asset).
    ///
    /// # Errors
    /// [`Error::DateOverflow`].
    pub fn prepaid_split(&self, date: NaiveDate) -> Result<PrepaidSplit> {
        let later =
            month_start(date).checked_add_months(Months::new(12)).ok_or(Error::DateOverflow { what: "twelve months on" })?;
        let non_current = self.prepaid_before(later);
        Ok(PrepaidSplit { current: self.prepaid_before(date) - non_current, non_current })
    }

    /// The prepaid asset month by month: opening + paid - amortised = closing, the fee paid in the first month.
    #[must_use]
    pub fn roll_forward(&self) -> Vec<RollForward> {
        let mut opening = Decimal::ZERO;
        let mut paid = self.fee;
        self.expense
            .iter()
            .map(|(month, amortised)| {
                let row =
                    RollForward { month: *month, opening, paid, amortised: *amortised, closing: opening + paid - *amortised };
                opening = row.closing;
                paid = Decimal::ZERO;
                row
            })
            .collect()
    }
}

/// A prepaid balance by when it becomes expense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrepaidSplit {
    /// Expensed within twelve months.
    pub current: Decimal,
    /// Expensed later.
    pub non_current: Decimal,
}

/// One month of a prepaid asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollForward {
    /// The first of the month.
    pub month: NaiveDate,
    /// Balance at its start.
    pub opening: Decimal,
    /// Paid in it.
    pub paid: Decimal,
    /// Expensed in it.
    pub amortised: Decimal,
    /// Balance at its end.
    pub closing: Decimal,
}

/// Sums a monthly series by fiscal year (named after the calendar year it ends in).
///
/// # Errors
/// [`Error::OutOfRange`] for a month outside 1 to 12.
pub fn by_fiscal_year(months: &BTreeMap<NaiveDate, Decimal>, first_month: u32) -> Result<BTreeMap<i32, Decimal>> {
    use chrono::Datelike;
    if !(1..=12).contains(&first_month) {
        return Err(Error::OutOfRange {
            field: "first_month",
            value: f64::from(first_month),
            remedy: "give a month from 1 to 12",
        });
    }
    let mut years = BTreeMap::new();
    for (month, amount) in months {
        let later = first_month > 1 && month.month() >= first_month;
        *years.entry(month.year() + i32::from(later)).or_insert(Decimal::ZERO) += *amount;
    }
    Ok(years)
}

/// Midnight UTC of a day.
pub(super) fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc()
}

/// The first of the following month.
pub(super) fn next_month(month: NaiveDate) -> Result<NaiveDate> {
    month.checked_add_months(Months::new(1)).ok_or(Error::DateOverflow { what: "the next month" })
}

/// `amount` × part / whole.
pub(super) fn share(amount: Decimal, part: Decimal, whole: Decimal) -> Result<Decimal> {
    let product = amount.checked_mul(part).and_then(|product| product.checked_div(whole));
    product.ok_or(Error::Overflow { what: "a share of an amount" })
}

fn whole_hours(term: &Term) -> Result<BTreeMap<NaiveDate, Decimal>> {
    let mut months = BTreeMap::new();
    let hour = Decimal::from(3600);
    let (mut elapsed, mut counted) = (Decimal::ZERO, Decimal::ZERO);
    for (month, seconds) in term.seconds_by_month()? {
        elapsed += seconds;
        let hours = (elapsed / hour).ceil();
        months.insert(month, hours - counted);
        counted = hours;
    }
    Ok(months)
}

fn equal_months(term: &Term) -> Result<BTreeMap<NaiveDate, Decimal>> {
    let mut months = BTreeMap::new();
    for (month, seconds) in term.seconds_by_month()? {
        let length = Decimal::from((midnight(next_month(month)?) - midnight(month)).num_seconds());
        months.insert(month, share(Decimal::ONE, seconds, length)?);
    }
    Ok(months)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap_or_default()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap_or_default()
    }

    #[test]
    fn three_years_from_mid_month() -> Result<()> {
        let term = Term::of_days(at("2025-03-15T00:00:00Z"), 1095)?;
        let schedule = amortise(dec!(36000), &term, Spread::BySecond, Some(2))?;
        assert_eq!(schedule.expense().len(), 37);
        assert_eq!(schedule.expense().values().sum::<Decimal>(), dec!(36000));
        assert_eq!(schedule.prepaid_before(day("2026-01-01")), dec!(26400.00));
        let split = schedule.prepaid_split(day("2026-01-01"))?;
        assert_eq!((split.current, split.non_current), (dec!(12000.00), dec!(14400.00)));
        for pair in schedule.roll_forward().windows(2) {
            assert_eq!(pair[0].closing, pair[1].opening);
        }
        assert_eq!(schedule.roll_forward().last().map(|row| row.closing), Some(Decimal::ZERO));
        Ok(())
    }

    #[test]
    fn a_year_over_29_february() -> Result<()> {
        let aws = Term::of_days(at("2024-01-01T00:00:00Z"), 365)?;
        assert_eq!(aws.end(), at("2024-12-31T00:00:00Z"));
        let azure = Term::of_months(at("2019-10-23T00:00:00Z"), 12)?;
        assert_eq!(azure.hours(), dec!(8784));
        let schedule = amortise(dec!(12016), &azure, Spread::BySecond, None)?;
        let november = schedule.expense()[&day("2019-11-01")];
        assert_eq!(november.round_dp(3), dec!(984.918));
        Ok(())
    }

    #[test]
    fn months_and_hours_sum_to_the_same_fee() -> Result<()> {
        let term = Term::of_months(at("2025-01-01T00:00:00Z"), 12)?;
        for spread in [Spread::BySecond, Spread::ByHour, Spread::ByMonth] {
            let schedule = amortise(dec!(8760.01), &term, spread, Some(2))?;
            assert_eq!(schedule.expense().values().sum::<Decimal>(), dec!(8760.01));
        }
        let equal = amortise(dec!(8760), &term, Spread::ByMonth, Some(2))?;
        assert!(equal.expense().values().all(|row| *row == dec!(730)));
        Ok(())
    }

    #[test]
    fn an_empty_term_is_an_error() {
        assert!(matches!(Term::of_days(at("2025-01-01T00:00:00Z"), 0), Err(Error::EmptyTerm { .. })));
        assert!(Term::of_months(at("2025-01-01T00:00:00Z"), u32::MAX).is_err());
    }
}
