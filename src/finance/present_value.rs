//! Present values: of equally spaced flows ([`npv`]), of dated flows ([`xnpv`]), and over many rates ([`npv_profile`]).

use super::rate::check;
use super::{Error, Result};
use serde::{Deserialize, Serialize};

/// Whether the first flow is discounted. The two conventions differ by exactly 1 + rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirstFlow {
    /// The first flow happens now and keeps its value: numpy-financial, pyxirr, textbooks.
    Now,
    /// The first flow happens one period from now: spreadsheets' NPV.
    AfterOnePeriod,
}

/// Σ amountᵢ / (1 + rate)^i, i counted from 0 or 1 as `first` says; `rate` is per period.
///
/// # Errors
/// [`Error::Empty`] without amounts, [`Error::NotFinite`], [`Error::OutOfRange`] for a rate at or below -100 %,
/// [`Error::Overflow`] if the sum is beyond f64.
pub fn npv(rate: f64, amounts: &[f64], first: FirstFlow) -> Result<f64> {
    check(rate)?;
    finite(amounts)?;
    let factor = 1.0 / (1.0 + rate);
    let value = amounts.iter().rev().fold(0.0, |later, amount| later * factor + amount);
    bounded(match first {
        FirstFlow::Now => value,
        FirstFlow::AfterOnePeriod => value * factor,
    })
}

/// Σ amountᵢ / (1 + rate)^yearsᵢ; `rate` is effective per year, `years` are counted from the valuation date.
///
/// # Errors
/// As [`npv`], and [`Error::LengthMismatch`].
pub fn xnpv(rate: f64, years: &[f64], amounts: &[f64]) -> Result<f64> {
    check(rate)?;
    finite(amounts)?;
    if years.len() != amounts.len() {
        return Err(Error::LengthMismatch { left: "years", left_len: years.len(), right: "amounts", right_len: amounts.len() });
    }
    finite(years)?;
    let log = rate.ln_1p();
    bounded(years.iter().zip(amounts).map(|(years, amount)| amount * (-years * log).exp()).sum())
}

/// The present value at each rate: (rate, NPV) pairs in the order given, for a chart.
///
/// # Errors
/// As [`xnpv`].
pub fn npv_profile(rates: &[f64], years: &[f64], amounts: &[f64]) -> Result<Vec<(f64, f64)>> {
    rates.iter().map(|rate| Ok((*rate, xnpv(*rate, years, amounts)?))).collect()
}

/// Refuses an empty list and values that are not finite.
pub(super) fn finite(values: &[f64]) -> Result<()> {
    if values.is_empty() {
        return Err(Error::Empty { what: "cash flows" });
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(Error::NotFinite { what: "cash flows", index }),
        None => Ok(()),
    }
}

fn bounded(value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(Error::Overflow { what: "a present value" }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_conventions_differ_by_one_period() -> Result<()> {
        let amounts = [-40_000.0, 5_000.0, 8_000.0, 12_000.0, 30_000.0];
        let now = npv(0.08, &amounts, FirstFlow::Now)?;
        let later = npv(0.08, &amounts, FirstFlow::AfterOnePeriod)?;
        assert!((now / later - 1.08).abs() < 1e-12);
        Ok(())
    }

    #[test]
    fn bad_input_is_an_error() {
        assert!(matches!(npv(0.1, &[], FirstFlow::Now), Err(Error::Empty { .. })));
        assert!(matches!(npv(-1.0, &[1.0], FirstFlow::Now), Err(Error::OutOfRange { .. })));
        assert!(matches!(npv(0.1, &[1.0, f64::NAN], FirstFlow::Now), Err(Error::NotFinite { index: 1, .. })));
        assert!(matches!(xnpv(0.1, &[0.0], &[1.0, 2.0]), Err(Error::LengthMismatch { .. })));
        assert!(matches!(npv(-0.999, &[1e300; 200], FirstFlow::Now), Err(Error::Overflow { .. })));
    }
}
