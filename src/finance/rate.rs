//! Rates with their convention in the type, so that an effective annual rate is never divided by twelve.

use super::{Error, Result};
use serde::{Deserialize, Serialize};

/// A yearly rate as a fraction (0.08 is 8 %), with its compounding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum AnnualRate {
    /// One year multiplies by 1 + rate; a month by (1 + rate)^(1/12). How a WACC is quoted.
    Effective(f64),
    /// Twelve months each of rate / 12. How loans and buy-out calculators quote.
    NominalMonthly(f64),
}

impl AnnualRate {
    /// An effective annual rate.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless the rate is finite and above -100 %.
    pub fn effective(rate: f64) -> Result<Self> {
        check(rate)?;
        Ok(Self::Effective(rate))
    }

    /// A nominal annual rate compounded monthly.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless the rate is finite and above -1,200 % (a month loses less than everything).
    pub fn nominal_monthly(rate: f64) -> Result<Self> {
        check(rate / 12.0)?;
        Ok(Self::NominalMonthly(rate))
    }

    /// The rate of one month: (1 + R)^(1/12) - 1, or R / 12.
    #[must_use]
    pub fn per_month(self) -> f64 {
        match self {
            Self::Effective(rate) => (rate.ln_1p() / 12.0).exp_m1(),
            Self::NominalMonthly(rate) => rate / 12.0,
        }
    }

    /// The same rate, effective per year.
    #[must_use]
    pub fn per_year(self) -> f64 {
        match self {
            Self::Effective(rate) => rate,
            Self::NominalMonthly(rate) => (12.0 * (rate / 12.0).ln_1p()).exp_m1(),
        }
    }
}

/// The effective annual rate of a monthly one: (1 + i)^12 - 1.
#[must_use]
pub fn annual_from_monthly(monthly: f64) -> f64 {
    (12.0 * monthly.ln_1p()).exp_m1()
}

/// When within its period a payment is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PaymentTiming {
    /// At the end of each period (in arrears), as spreadsheets' type 0.
    #[default]
    #[serde(rename = "end", alias = "arrears", alias = "in arrears")]
    End,
    /// At the start of each period (in advance), as spreadsheets' type 1.
    #[serde(rename = "begin", alias = "start", alias = "advance", alias = "in advance")]
    Begin,
}

/// The factors 1 / (1 + i)^k of `periods` payments at rate `per_period`: k runs from 1 in arrears, from 0 in advance.
///
/// # Errors
/// [`Error::OutOfRange`] for a rate at or below -100 %.
pub fn discount_factors(per_period: f64, periods: u32, timing: PaymentTiming) -> Result<Vec<f64>> {
    check(per_period)?;
    let shift = match timing {
        PaymentTiming::End => 1.0,
        PaymentTiming::Begin => 0.0,
    };
    let log = per_period.ln_1p();
    Ok((0..periods).map(|period| (-(f64::from(period) + shift) * log).exp()).collect())
}

/// The present value of 1 per period (the sum of [`discount_factors`]).
///
/// # Errors
/// As [`discount_factors`].
pub fn annuity_factor(per_period: f64, periods: u32, timing: PaymentTiming) -> Result<f64> {
    check(per_period)?;
    let arrears =
        if per_period == 0.0 { f64::from(periods) } else { -(-f64::from(periods) * per_period.ln_1p()).exp_m1() / per_period };
    Ok(match timing {
        PaymentTiming::End => arrears,
        PaymentTiming::Begin => arrears * (1.0 + per_period),
    })
}

/// Refuses a rate per period that is not finite or not above -100 %.
pub(super) fn check(rate: f64) -> Result<()> {
    if rate.is_finite() && rate > -1.0 {
        Ok(())
    } else {
        Err(Error::OutOfRange { field: "rate", value: rate, remedy: "give a finite rate above -1 as a fraction (8 % is 0.08)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conventions_differ_and_return() -> Result<()> {
        let effective = AnnualRate::effective(0.1)?;
        assert!((effective.per_month() - 0.007_974_140_428_903_764).abs() < 1e-16);
        assert!((AnnualRate::nominal_monthly(0.1)?.per_month() - 0.1 / 12.0).abs() < 1e-16);
        assert!((annual_from_monthly(effective.per_month()) - 0.1).abs() < 1e-15);
        assert!(AnnualRate::effective(-1.0).is_err() && AnnualRate::effective(f64::NAN).is_err());
        Ok(())
    }

    #[test]
    fn annuity_is_the_sum_of_its_factors() -> Result<()> {
        for timing in [PaymentTiming::End, PaymentTiming::Begin] {
            for rate in [-0.01, 0.0, 0.007_974] {
                let sum: f64 = discount_factors(rate, 36, timing)?.iter().sum();
                assert!((sum - annuity_factor(rate, 36, timing)?).abs() < 1e-10);
            }
        }
        Ok(())
    }
}
