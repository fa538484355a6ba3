//! When an investment has paid for itself: in periods, discounted or not, and as a date; and the use at which a commitment
//! is worth what it costs.

use super::present_value::finite;
use super::rate::{PaymentTiming, annuity_factor, check};
use super::{Error, Result};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// When the running total of flows stops being negative for good.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Payback {
    /// Nothing is ever owed: the running total is never below zero.
    Immediate,
    /// Paid back.
    After {
        /// Periods from the first flow, the last one shared out evenly (16.92).
        periods: f64,
        /// Whole periods until the running total is no longer negative (17).
        whole: u32,
    },
    /// The total stays below zero.
    Never,
}

/// When dated flows have paid for themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BreakEven {
    /// From the first flow on nothing is owed.
    Immediate,
    /// From this date on the running total is never below zero again.
    On(NaiveDate),
    /// Not within these flows.
    Never,
}

/// Payback in periods of equally spaced flows, the first one now. A total that dips below zero again is not paid back yet.
///
/// # Errors
/// [`Error::Empty`] or [`Error::NotFinite`].
pub fn payback(amounts: &[f64]) -> Result<Payback> {
    discounted_payback(0.0, amounts)
}

/// As [`payback`], flows discounted at `rate` per period.
///
/// # Errors
/// As [`payback`], and [`Error::OutOfRange`] for a rate at or below -100 %.
pub fn discounted_payback(rate: f64, amounts: &[f64]) -> Result<Payback> {
    finite(amounts)?;
    check(rate)?;
    let log = rate.ln_1p();
    let (mut total, mut size) = (0.0_f64, 0.0_f64);
    let mut outcome = Payback::Immediate;
    let mut owed = false;
    for (period, amount) in (0_u32..).zip(amounts) {
        let value = amount * (-f64::from(period) * log).exp();
        let before = total;
        total += value;
        size += value.abs();
        let negative = total < -4.0 * f64::EPSILON * size;
        if negative {
            owed = true;
            outcome = Payback::Never;
        } else if owed {
            owed = false;
            let share = if value > 0.0 { (-before / value).clamp(0.0, 1.0) } else { 1.0 };
            outcome = Payback::After { periods: f64::from(period) - 1.0 + share, whole: period };
        }
    }
    Ok(outcome)
}

/// The date from which every running total is covered.
pub(super) fn break_even(cumulative: impl Iterator<Item = (NaiveDate, bool)>) -> Result<BreakEven> {
    let mut outcome = None;
    for (date, covered) in cumulative {
        outcome = Some(match (outcome, covered) {
            (_, false) => BreakEven::Never,
            (None, true) => BreakEven::Immediate,
            (Some(BreakEven::Never), true) => BreakEven::On(date),
            (Some(earlier), true) => earlier,
        });
    }
    outcome.ok_or(Error::Empty { what: "cash flows" })
}

/// The share of a commitment that must be used for its NPV to be zero.
///
/// Undiscounted it is 1 - discount. Discounted it is PV(cost) / PV(on-demand equivalent) =
/// [s T + (1 - s) a] (1 - d) / a for upfront share s, T months, a = Σ (1 + i)^-k: 47 % becomes 52.8 % for an all-upfront
/// three-year plan at 8 % a year.
///
/// # Errors
/// [`Error::OutOfRange`] for a discount or share outside 0 to 1, a rate at or below -100 % or no months.
pub fn break_even_utilisation(
    discount: f64,
    upfront_share: f64,
    monthly_rate: f64,
    months: u32,
    timing: PaymentTiming,
) -> Result<f64> {
    fraction("discount", discount)?;
    fraction("upfront_share", upfront_share)?;
    if months == 0 {
        return Err(Error::OutOfRange { field: "months", value: 0.0, remedy: "give a term of at least one month" });
    }
    let saved = annuity_factor(monthly_rate, months, PaymentTiming::End)?;
    let recurring = annuity_factor(monthly_rate, months, timing)?;
    Ok((upfront_share * f64::from(months) + (1.0 - upfront_share) * recurring) * (1.0 - discount) / saved)
}

/// Months of full use until an upfront commitment has saved what was paid at the start:
/// s (1 - d) T / (1 - (1 - s)(1 - d)). With everything upfront it is (1 - d) T, the FinOps toolkit's formula.
///
/// # Errors
/// [`Error::OutOfRange`] for a discount or share outside 0 to 1.
pub fn break_even_months(discount: f64, upfront_share: f64, months: f64) -> Result<f64> {
    fraction("discount", discount)?;
    fraction("upfront_share", upfront_share)?;
    let upfront = upfront_share * (1.0 - discount) * months;
    let net = 1.0 - (1.0 - upfront_share) * (1.0 - discount);
    if upfront == 0.0 {
        return Ok(0.0);
    }
    Ok(upfront / net)
}

/// Refuses what is not a share.
pub(super) fn fraction(field: &'static str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        Ok(())
    } else {
        Err(Error::OutOfRange { field, value, remedy: "give a fraction between 0 and 1" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finance::rate::AnnualRate;

    fn flows(upfront: f64, net: f64) -> Vec<f64> {
        std::iter::once(-upfront).chain((0..36).map(|_| net)).collect()
    }

    #[test]
    fn payment_options_pay_back_as_published() -> Result<()> {
        assert!(
            matches!(payback(&flows(16_920.0, 1_000.0))?, Payback::After { periods, whole: 17 } if (periods - 16.92).abs() < 1e-9)
        );
        assert!(
            matches!(payback(&flows(8_640.0, 760.0))?, Payback::After { periods, .. } if (periods - 11.368_421_052_6).abs() < 1e-9)
        );
        let monthly = AnnualRate::Effective(0.08).per_month();
        assert!(matches!(discounted_payback(monthly, &flows(16_920.0, 1_000.0))?, Payback::After { whole: 18, .. }));
        assert!(matches!(discounted_payback(monthly, &flows(8_640.0, 760.0))?, Payback::After { whole: 12, .. }));
        assert_eq!(payback(&flows(0.0, 480.0))?, Payback::Immediate);
        assert_eq!(payback(&flows(100_000.0, 1.0))?, Payback::Never);
        assert!((break_even_months(0.53, 1.0, 36.0)? - 16.92).abs() < 1e-12);
        assert!((break_even_months(0.52, 0.5, 36.0)? - 11.368_421_052_6).abs() < 1e-9);
        Ok(())
    }

    #[test]
    fn capital_raises_the_break_even_use() -> Result<()> {
        let at = |rate: f64, share: f64| {
            break_even_utilisation(0.53, share, AnnualRate::Effective(rate).per_month(), 36, PaymentTiming::End)
        };
        assert!((at(0.0, 1.0)? - 0.47).abs() < 1e-12);
        assert!((at(0.08, 1.0)? - 0.528).abs() < 5e-4);
        assert!((at(0.08, 0.0)? - 0.47).abs() < 1e-12);
        Ok(())
    }

    #[test]
    fn a_total_that_falls_again_is_not_paid_back() -> Result<()> {
        assert!(matches!(payback(&[-10.0, 12.0, -5.0, 4.0])?, Payback::After { whole: 3, .. }));
        assert_eq!(payback(&[-10.0, 12.0, -5.0])?, Payback::Never);
        Ok(())
    }
}
