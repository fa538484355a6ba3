//! Dated cash flows in exact decimals, and every measure of them: NPV, internal rate, payback, return on investment.
//! One series is in one currency, chosen by the caller; money paid is negative.

use super::payback::{self, BreakEven};
use super::present_value;
use super::rate::AnnualRate;
use super::{DayCount, Error, InternalRate, Result, internal_rate};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One payment: negative when paid, positive when received or saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashFlow {
    /// The day it is paid.
    pub date: NaiveDate,
    /// The amount, in the currency of the series.
    pub amount: Decimal,
}

/// Cash flows by date, ascending, one per date: flows given in any order and twice on a day are sorted and added up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<CashFlow>", into = "Vec<CashFlow>")]
pub struct CashFlows(Vec<CashFlow>);

impl From<CashFlows> for Vec<CashFlow> {
    fn from(flows: CashFlows) -> Self {
        flows.0
    }
}

impl From<Vec<CashFlow>> for CashFlows {
    fn from(flows: Vec<CashFlow>) -> Self {
        flows.into_iter().collect()
    }
}

impl FromIterator<CashFlow> for CashFlows {
    fn from_iter<I: IntoIterator<Item = CashFlow>>(flows: I) -> Self {
        let mut by_date: BTreeMap<NaiveDate, Decimal> = BTreeMap::new();
        for flow in flows {
            let sum = by_date.entry(flow.date).or_default();
            *sum = sum.saturating_add(flow.amount);
        }
        Self(by_date.into_iter().map(|(date, amount)| CashFlow { date, amount }).collect())
    }
}

impl CashFlows {
    /// The flows, by ascending date.
    #[must_use]
    pub fn as_slice(&self) -> &[CashFlow] {
        &self.0
    }

    /// The undiscounted sum.
    ///
    /// # Errors
    /// [`Error::Overflow`] beyond 28 digits.
    pub fn total(&self) -> Result<Decimal> {
        sum(self.0.iter().map(|flow| flow.amount))
    }

    /// Both series together.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.0.iter().chain(&other.0).copied().collect()
    }

    /// Times in years from `origin` and amounts, for the mathematics.
    ///
    /// # Errors
    /// [`Error::Empty`] without flows.
    pub fn in_years(&self, origin: NaiveDate, day_count: DayCount) -> Result<(Vec<f64>, Vec<f64>)> {
        if self.0.is_empty() {
            return Err(Error::Empty { what: "cash flows" });
        }
        let years = self.0.iter().map(|flow| day_count.years(origin, flow.date)).collect();
        let amounts = self.0.iter().map(|flow| float(flow.amount)).collect::<Result<_>>()?;
        Ok((years, amounts))
    }

    /// Present value at the first date (XNPV of spreadsheets, there with [`DayCount::Actual365Fixed`]).
    ///
    /// # Errors
    /// As [`present_value::xnpv`].
    pub fn xnpv(&self, rate: AnnualRate, day_count: DayCount) -> Result<f64> {
        self.xnpv_at(self.first()?, rate, day_count)
    }

    /// Present value at `valuation`; earlier flows are compounded up to it.
    ///
    /// # Errors
    /// As [`present_value::xnpv`].
    pub fn xnpv_at(&self, valuation: NaiveDate, rate: AnnualRate, day_count: DayCount) -> Result<f64> {
        let (years, amounts) = self.in_years(valuation, day_count)?;
        present_value::xnpv(rate.per_year(), &years, &amounts)
    }

    /// All internal rates, effective per year (XIRR of spreadsheets, where that is right).
    ///
    /// # Errors
    /// As [`internal_rate::xirr`].
    pub fn xirr(&self, day_count: DayCount) -> Result<InternalRate> {
        let (years, amounts) = self.in_years(self.first()?, day_count)?;
        internal_rate::xirr(&years, &amounts)
    }

    /// The date from which what came in covers what went out, and stays so.
    ///
    /// # Errors
    /// [`Error::Empty`] without flows.
    pub fn break_even(&self) -> Result<BreakEven> {
        let mut sum = Decimal::ZERO;
        let cumulative = self.0.iter().map(|flow| {
            sum = sum.saturating_add(flow.amount);
            (flow.date, sum >= Decimal::ZERO)
        });
        payback::break_even(cumulative)
    }

    /// As [`CashFlows::break_even`], with flows discounted to the first date.
    ///
    /// # Errors
    /// As [`CashFlows::xnpv`].
    pub fn discounted_break_even(&self, rate: AnnualRate, day_count: DayCount) -> Result<BreakEven> {
        let (years, amounts) = self.in_years(self.first()?, day_count)?;
        super::rate::check(rate.per_year())?;
        let log = rate.per_year().ln_1p();
        let (mut sum, mut size) = (0.0, 0.0);
        let cumulative = self.0.iter().zip(years.iter().zip(&amounts)).map(|(flow, (years, amount))| {
            let value = amount * (-years * log).exp();
            sum += value;
            size += value.abs();
            (flow.date, sum >= -4.0 * f64::EPSILON * size)
        });
        payback::break_even(cumulative)
    }

    /// Net gain over money put in: Σ flows / -Σ negative flows. None if nothing is put in (the ratio would be infinite).
    /// FinOps names a threshold (above 10 %) without a formula; this is net savings / total commitment cost when the flows
    /// are a commitment's payments and savings on separate dates. Use [`return_on_investment`] with the two totals.
    ///
    /// # Errors
    /// [`Error::Overflow`] beyond 28 digits.
    pub fn return_on_investment(&self) -> Result<Option<Decimal>> {
        let paid = sum(self.0.iter().map(|flow| flow.amount.min(Decimal::ZERO)))?;
        Ok(self.total()?.checked_div(-paid))
    }

    /// The sums by calendar month, keyed by the first of the month.
    #[must_use]
    pub fn by_month(&self) -> BTreeMap<NaiveDate, Decimal> {
        let mut months = BTreeMap::new();
        for flow in &self.0 {
            *months.entry(month_start(flow.date)).or_default() += flow.amount;
        }
        months
    }

    fn first(&self) -> Result<NaiveDate> {
        self.0.first().map(|flow| flow.date).ok_or(Error::Empty { what: "cash flows" })
    }
}

/// Net savings / cost: (avoided - cost) / cost. None when the cost is zero.
#[must_use]
pub fn return_on_investment(avoided: Decimal, cost: Decimal) -> Option<Decimal> {
    avoided.checked_sub(cost)?.checked_div(cost)
}

/// The first day of a date's month.
#[must_use]
pub fn month_start(date: NaiveDate) -> NaiveDate {
    chrono::Datelike::with_day(&date, 1).unwrap_or(date)
}

/// A checked sum.
pub(super) fn sum(amounts: impl IntoIterator<Item = Decimal>) -> Result<Decimal> {
    amounts.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add).ok_or(Error::Overflow { what: "a sum of money" })
}

/// A decimal as f64, for the mathematics.
pub(super) fn float(amount: Decimal) -> Result<f64> {
    amount.to_f64().filter(|value| value.is_finite()).ok_or(Error::Overflow { what: "an amount of money" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    fn flows(given: &[(&str, Decimal)]) -> CashFlows {
        given.iter().map(|(date, amount)| CashFlow { date: date.parse().unwrap_or_default(), amount: *amount }).collect()
    }

    #[test]
    fn order_and_duplicates_do_not_matter() {
        let left = flows(&[("2025-03-01", dec!(5)), ("2025-01-01", dec!(-10)), ("2025-03-01", dec!(7))]);
        assert_eq!(left, flows(&[("2025-01-01", dec!(-10)), ("2025-03-01", dec!(12))]));
    }

    #[test]
    fn break_even_and_return() -> Result<()> {
        let series = flows(&[("2025-01-01", dec!(-100)), ("2025-07-01", dec!(60)), ("2026-01-01", dec!(60))]);
        assert_eq!(series.break_even()?, BreakEven::On("2026-01-01".parse().unwrap_or_default()));
        assert_eq!(series.return_on_investment()?, Some(dec!(0.2)));
        assert_eq!(series.discounted_break_even(AnnualRate::Effective(0.9), DayCount::default())?, BreakEven::Never);
        assert!(CashFlows::default().xirr(DayCount::default()).is_err());
        Ok(())
    }
}
