//! Annuities: payment, present and future value and number of payments, with the signs of spreadsheets (money paid is
//! negative): pv (1 + r)^n + pmt (1 + r·type) ((1 + r)^n - 1) / r + fv = 0.

use super::rate::{PaymentTiming, check};
use super::{Error, Result};

/// The level payment of `periods` that repays `present_value` and leaves `future_value` (PMT).
///
/// # Errors
/// [`Error::OutOfRange`] for a rate at or below -100 % or no periods; [`Error::Overflow`].
pub fn payment(rate: f64, periods: f64, present_value: f64, future_value: f64, timing: PaymentTiming) -> Result<f64> {
    let (growth, annuity) = factors(rate, periods, timing)?;
    bounded(-(present_value * growth + future_value) / annuity)
}

/// What a present value and level payments grow to, with reversed sign (FV).
///
/// # Errors
/// As [`payment`].
pub fn future_value(rate: f64, periods: f64, payment: f64, present_value: f64, timing: PaymentTiming) -> Result<f64> {
    let (growth, annuity) = factors(rate, periods, timing)?;
    bounded(-(present_value * growth + payment * annuity))
}

/// What level payments and a future value are worth now, with reversed sign (PV).
///
/// # Errors
/// As [`payment`].
pub fn present_value(rate: f64, periods: f64, payment: f64, future_value: f64, timing: PaymentTiming) -> Result<f64> {
    let (growth, annuity) = factors(rate, periods, timing)?;
    bounded(-(future_value + payment * annuity) / growth)
}

/// The present value of what is still to be paid on a commitment: `months` equal payments at a monthly rate. With
/// [`super::AnnualRate::NominalMonthly`] it is the figure of buy-out calculators.
///
/// # Errors
/// As [`payment`].
pub fn buy_out(monthly_payment: f64, rate: super::AnnualRate, months: f64, timing: PaymentTiming) -> Result<f64> {
    present_value(rate.per_month(), months, -monthly_payment, 0.0, timing)
}

fn factors(rate: f64, periods: f64, timing: PaymentTiming) -> Result<(f64, f64)> {
    check(rate)?;
    if !(periods.is_finite() && periods > 0.0) {
        return Err(Error::OutOfRange { field: "periods", value: periods, remedy: "give at least one period" });
    }
    let log_growth = periods * rate.ln_1p();
    let annuity = if rate == 0.0 { periods } else { log_growth.exp_m1() / rate };
    let annuity = match timing {
        PaymentTiming::End => annuity,
        PaymentTiming::Begin => annuity * (1.0 + rate),
    };
    Ok((log_growth.exp(), annuity))
}

fn bounded(value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(Error::Overflow { what: "an annuity" }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payment_present_and_future_value_agree() -> Result<()> {
        for timing in [PaymentTiming::End, PaymentTiming::Begin] {
            for rate in [0.0, 0.08 / 12.0, -0.01] {
                let paid = payment(rate, 60.0, 15_000.0, -500.0, timing)?;
                assert!((future_value(rate, 60.0, paid, 15_000.0, timing)? + 500.0).abs() < 1e-8);
                assert!((present_value(rate, 60.0, paid, -500.0, timing)? - 15_000.0).abs() < 1e-8);
            }
        }
        assert!(payment(-1.0, 1.0, 1.0, 0.0, PaymentTiming::End).is_err());
        assert!(payment(0.1, 0.0, 1.0, 0.0, PaymentTiming::End).is_err());
        Ok(())
    }
}
