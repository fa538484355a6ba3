//! Internal rates of return with a typed outcome: one rate, several (all of them), or none and why. Never a silent NaN.
//!
//! A commitment without upfront payment has no internal rate when it saves in every month: rank such choices by NPV
//! ([`super::npv`]). Where several rates exist none of them ranks a project either.

use super::present_value::finite;
use super::rate::check;
use super::roots::Flows;
use super::{Error, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Every rate above -100 % at which the present value is zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum InternalRate {
    /// The only rate, as a fraction per period (or year).
    Unique(f64),
    /// All rates, ascending; at least two.
    Multiple(Vec<f64>),
    /// There is no rate.
    None(NoRate),
}

/// Why there is no internal rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoRate {
    /// All flows that are not zero have one sign: nothing is invested, or nothing comes back.
    NoSignChange,
    /// Flows of both signs, but the present value is zero at no rate above -100 %.
    NoRoot,
    /// A root exists only where 1 + rate is too near zero or too large for a 64-bit float.
    BeyondRange,
}

impl InternalRate {
    /// The rate if it is the only one.
    #[must_use]
    pub fn unique(&self) -> Option<f64> {
        match self {
            Self::Unique(rate) => Some(*rate),
            Self::Multiple(_) | Self::None(_) => None,
        }
    }

    /// All rates, ascending; empty if there is none.
    #[must_use]
    pub fn all(&self) -> &[f64] {
        match self {
            Self::Unique(rate) => std::slice::from_ref(rate),
            Self::Multiple(rates) => rates,
            Self::None(_) => &[],
        }
    }

    /// The same rates after `transform` (for example from monthly to annual).
    #[must_use]
    pub fn map(&self, transform: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Unique(rate) => Self::Unique(transform(*rate)),
            Self::Multiple(rates) => Self::Multiple(rates.iter().map(|rate| transform(*rate)).collect()),
            Self::None(reason) => Self::None(*reason),
        }
    }

    fn of(flows: &Flows) -> Self {
        if flows.sign_changes() == 0 {
            return Self::None(NoRate::NoSignChange);
        }
        let roots = flows.roots();
        let rates: Vec<f64> = roots.iter().map(|x| x.exp_m1()).filter(|rate| *rate > -1.0 && rate.is_finite()).collect();
        match rates.as_slice() {
            [rate] => Self::Unique(*rate),
            [] if !roots.is_empty() || flows.sign_changes() % 2 == 1 => Self::None(NoRate::BeyondRange),
            [] => Self::None(NoRate::NoRoot),
            _ => Self::Multiple(rates),
        }
    }
}

/// The internal rates per period of equally spaced flows, the first one now.
///
/// # Errors
/// [`Error::Empty`] or [`Error::NotFinite`].
pub fn irr(amounts: &[f64]) -> Result<InternalRate> {
    finite(amounts)?;
    let times: Vec<f64> = (0_u32..).take(amounts.len()).map(f64::from).collect();
    Ok(InternalRate::of(&Flows::new(&times, amounts)))
}

/// The internal rates, effective per year, of flows at these times in years, in any order; equal times add up.
///
/// # Errors
/// [`Error::Empty`], [`Error::NotFinite`] or [`Error::LengthMismatch`].
pub fn xirr(years: &[f64], amounts: &[f64]) -> Result<InternalRate> {
    check_dated(years, amounts)?;
    Ok(InternalRate::of(&Flows::new(years, amounts)))
}

/// [`xirr`] of many flow series on all cores; series `i` is `years[i]` with `amounts[i]`.
///
/// # Errors
/// As [`xirr`], for the first series that is wrong.
pub fn xirr_many<Y, A>(years: &[Y], amounts: &[A]) -> Result<Vec<InternalRate>>
where
    Y: AsRef<[f64]> + Sync,
    A: AsRef<[f64]> + Sync,
{
    if years.len() != amounts.len() {
        return Err(Error::LengthMismatch { left: "years", left_len: years.len(), right: "amounts", right_len: amounts.len() });
    }
    years
        .par_iter()
        .zip(amounts)
        .with_min_len(256)
        .map_init(Flows::default, |flows, (years, amounts)| {
            check_dated(years.as_ref(), amounts.as_ref())?;
            flows.fill(years.as_ref(), amounts.as_ref());
            Ok(InternalRate::of(flows))
        })
        .collect()
}

/// Modified internal rate per period: outflows financed at `finance_rate`, inflows reinvested at `reinvest_rate`.
/// ((future value of inflows) / (-present value of outflows))^(1/n) - 1, n one less than the number of flows. Unique.
///
/// # Errors
/// [`Error::NoSignChange`] unless there are inflows and outflows, and as [`irr`] and [`super::npv`].
pub fn mirr(amounts: &[f64], finance_rate: f64, reinvest_rate: f64) -> Result<f64> {
    finite(amounts)?;
    check(finance_rate)?;
    check(reinvest_rate)?;
    let (mut future, mut present, mut discount) = (0.0_f64, 0.0_f64, 1.0_f64);
    for amount in amounts {
        future = future * (1.0 + reinvest_rate) + amount.max(0.0);
        present += amount.min(0.0) * discount;
        discount /= 1.0 + finance_rate;
    }
    if future <= 0.0 || present >= 0.0 {
        return Err(Error::NoSignChange { what: "the modified internal rate" });
    }
    let periods: f64 = amounts.iter().skip(1).map(|_| 1.0).sum();
    let rate = (((future / -present).ln()) / periods).exp_m1();
    if rate.is_finite() { Ok(rate) } else { Err(Error::Overflow { what: "the modified internal rate" }) }
}

fn check_dated(years: &[f64], amounts: &[f64]) -> Result<()> {
    if years.len() != amounts.len() {
        return Err(Error::LengthMismatch { left: "years", left_len: years.len(), right: "amounts", right_len: amounts.len() });
    }
    finite(amounts)?;
    finite(years)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_is_typed() -> Result<()> {
        assert_eq!(irr(&[1.0, 2.0])?, InternalRate::None(NoRate::NoSignChange));
        assert_eq!(irr(&[0.0, 0.0])?, InternalRate::None(NoRate::NoSignChange));
        assert_eq!(irr(&[100.0, -300.0, 250.0])?, InternalRate::None(NoRate::NoRoot));
        assert_eq!(xirr(&[0.0, 1.0 / 365.0], &[-1.0, 1000.0])?, InternalRate::None(NoRate::BeyondRange));
        assert_eq!(irr(&[-100.0, 230.0, -132.0])?.all().len(), 2);
        assert!(irr(&[]).is_err() && irr(&[f64::INFINITY, 1.0]).is_err());
        assert!(xirr(&[0.0], &[1.0, 2.0]).is_err());
        Ok(())
    }

    #[test]
    fn extreme_rates_are_found() -> Result<()> {
        for rate in [-0.999_999, -0.5, 0.0, 10.0, 1_000.0, 1e9] {
            let found = irr(&[-100.0, 0.0, 100.0 * (1.0 + rate) * (1.0 + rate)])?.unique().unwrap_or(f64::NAN);
            assert!((found - rate).abs() <= 1e-9 * (1.0 + rate), "{found} is not {rate}");
        }
        let huge = irr(&[-1e300, 1.1e300])?.unique().unwrap_or(f64::NAN);
        assert!((huge - 0.1).abs() < 1e-12);
        Ok(())
    }

    #[test]
    fn many_equal_one_by_one() -> Result<()> {
        let years: Vec<Vec<f64>> = (1..600).map(|n| vec![0.0, f64::from(n) / 365.0, 3.0]).collect();
        let amounts: Vec<Vec<f64>> = (1..600).map(|n| vec![-1000.0, f64::from(n), 900.0]).collect();
        for ((many, years), amounts) in xirr_many(&years, &amounts)?.iter().zip(&years).zip(&amounts) {
            assert_eq!(many, &xirr(years, amounts)?);
        }
        Ok(())
    }
}
