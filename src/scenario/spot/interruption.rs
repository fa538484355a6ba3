//! How often spot capacity is taken back.

use super::check;
use crate::catalog::Interruption;
use crate::error::Result;
use crate::units::to_f64;

/// Hours of a month, on average, as price lists count them.
pub const HOURS_PER_MONTH: f64 = 730.0;

/// Interruptions an hour of running, 0 or more; the time to the next one is taken as exponential.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct InterruptionRate(f64);

/// Where in a class of interruption frequency one is: the providers publish classes only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BandPoint {
    /// At its lower end.
    Lower,
    /// In its middle.
    #[default]
    Middle,
    /// At its upper end; an open class (`>20%`) has none.
    Upper,
}

impl InterruptionRate {
    /// Capacity that is never taken back.
    pub const NEVER: Self = Self(0.0);

    /// Interruptions an hour.
    ///
    /// # Errors
    /// [`crate::Problem::OutOfRange`] unless finite and 0 or more.
    pub fn new(per_hour: f64) -> Result<Self> {
        check(per_hour, "interruptions_per_hour", "finite numbers of 0 or more", |rate| rate >= 0.0).map(Self)
    }

    /// As counted: interruptions over hours run.
    ///
    /// # Errors
    /// [`crate::Problem::OutOfRange`] for a negative count or hours not above 0.
    pub fn observed(interruptions: f64, hours: f64) -> Result<Self> {
        check(hours, "hours", "finite hours above 0", |hours| hours > 0.0)?;
        check(interruptions, "interruptions", "finite counts of 0 or more", |count| count >= 0.0)?;
        Self::new(interruptions / hours)
    }

    /// From the share of capacity that was taken back within some hours: the rate at which that share does not last so long,
    /// `-ln(1 - share) / hours`. Azure quotes eviction rates for one hour.
    ///
    /// # Errors
    /// [`crate::Problem::OutOfRange`] unless the share is 0 or more and below 1, and the hours are above 0.
    pub fn from_share(share: f64, hours: f64) -> Result<Self> {
        check(share, "interruption", "0 or more, below 1", |share| (0.0..1.0).contains(&share))?;
        check(hours, "hours", "finite hours above 0", |hours| hours > 0.0)?;
        Self::new(-(1.0 - share).ln() / hours)
    }

    /// From the share taken back within a month of 730 hours.
    ///
    /// # Errors
    /// As [`InterruptionRate::from_share`].
    pub fn from_monthly_share(share: f64) -> Result<Self> {
        Self::from_share(share, HOURS_PER_MONTH)
    }

    /// From a class of the AWS Spot Instance Advisor, which is a share taken back in the trailing month.
    ///
    /// # Errors
    /// As [`InterruptionRate::from_monthly_share`]: the upper end of the class `>20%` gives no rate.
    pub fn from_band(band: &Interruption, point: BandPoint) -> Result<Self> {
        let (from, to) = (to_f64(band.from), to_f64(band.to));
        Self::from_monthly_share(match point {
            BandPoint::Lower => from,
            BandPoint::Middle => f64::midpoint(from, to),
            BandPoint::Upper => to,
        })
    }

    /// Interruptions an hour.
    #[must_use]
    pub fn per_hour(self) -> f64 {
        self.0
    }

    /// The mean time between interruptions in hours; `None` if there are none.
    #[must_use]
    pub fn mean_hours_between(self) -> Option<f64> {
        (self.0 > 0.0).then(|| 1.0 / self.0)
    }

    /// Both causes together: rates add.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// The probability that a run of so many hours is not interrupted.
    #[must_use]
    pub fn survives(self, hours: f64) -> f64 {
        (-self.0 * hours.max(0.0)).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    #[test]
    fn a_band_is_a_share_of_a_month() -> Result<()> {
        let band = Interruption { from: dec!(0.05), to: dec!(0.10) };
        let rate = InterruptionRate::from_band(&band, BandPoint::Middle)?;
        assert!((1.0 - rate.survives(HOURS_PER_MONTH) - 0.075).abs() < 1e-12);
        assert!(
            rate > InterruptionRate::from_band(&band, BandPoint::Lower)?
                && rate < InterruptionRate::from_band(&band, BandPoint::Upper)?
        );
        let open = Interruption { from: dec!(0.20), to: dec!(1) };
        assert!(InterruptionRate::from_band(&open, BandPoint::Upper).is_err());
        // A tenth within the next hour is far more than a tenth within a month.
        assert!((InterruptionRate::from_share(0.1, 1.0)?.survives(1.0) - 0.9).abs() < 1e-12);
        assert!(InterruptionRate::new(-1.0).is_err() && InterruptionRate::observed(1.0, 0.0).is_err());
        assert_eq!(InterruptionRate::NEVER.mean_hours_between(), None);
        Ok(())
    }
}
