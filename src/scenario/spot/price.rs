//! The distribution of a spot price over time, hour by hour.

use super::{InterruptionRate, check};
use crate::catalog::SpotHistory;
use crate::error::{Error, Problem, Result};
use crate::scenario::forecast::count;

/// A spot price in every hour of a stretch of time: money for one unit of usage.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceDistribution {
    hourly: Vec<f64>,
    sorted: Vec<f64>,
}

impl PriceDistribution {
    /// Of prices hour by hour.
    ///
    /// # Errors
    /// [`Problem::Empty`] without prices, [`Problem::OutOfRange`] for one that is not finite and above 0.
    pub fn new(hourly: Vec<f64>) -> Result<Self> {
        if hourly.is_empty() {
            return Err(Problem::Empty { what: "hour of spot prices" }.into());
        }
        for price in &hourly {
            check(*price, "spot.price", "finite prices above 0", |price| price > 0.0)?;
        }
        let mut sorted = hourly.clone();
        sorted.sort_by(f64::total_cmp);
        Ok(Self { hourly, sorted })
    }

    /// Of a history: the price at the end of each hour from the first change to the last, so that every change of an hour but its last is
    /// passed over.
    ///
    /// # Errors
    /// As [`PriceDistribution::new`]; [`Problem::OutOfRange`] for a history longer than 100 years.
    pub fn of_history(history: &SpotHistory) -> Result<Self> {
        let changes = history.changes();
        let (Some((first, _)), Some((last, _))) = (changes.first(), changes.last()) else {
            return Err(Problem::Empty { what: "spot price" }.into());
        };
        let hours = (last.timestamp() - first.timestamp()).div_euclid(3600) + 1;
        let hours = usize::try_from(hours).ok().filter(|hours| *hours <= 876_600);
        let range = "histories of up to 100 years";
        let hours = hours.ok_or_else(|| {
            Error::from(Problem::OutOfRange { value: format!("{first} to {last}"), range }).in_field("timestamp")
        })?;
        let mut hourly = Vec::with_capacity(hours);
        let (mut next, mut price) = (0, 0.0);
        for hour in 0..hours {
            let end = first.timestamp() + 3600 * i64::try_from(hour).unwrap_or(i64::MAX);
            while let Some((_, change)) = changes.get(next).filter(|(time, _)| time.timestamp() <= end) {
                price = change.to_f64();
                next += 1;
            }
            hourly.push(price);
        }
        Self::new(hourly)
    }

    /// The prices hour by hour.
    #[must_use]
    pub fn hourly(&self) -> &[f64] {
        &self.hourly
    }

    /// The mean over the hours.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.hourly.iter().sum::<f64>() / count(self.hourly.len())
    }

    /// The least price that the price is at or below in at least this share of the hours (the inverse of the empirical distribution function).
    ///
    /// # Errors
    /// [`Problem::OutOfRange`] unless the share is 0 to 1.
    pub fn quantile(&self, share: f64) -> Result<f64> {
        check(share, "quantile", "0 to 1", |share| (0.0..=1.0).contains(&share))?;
        let hours = self.sorted.len();
        let at = (0..hours).find(|index| count(index + 1) >= share * count(hours) * (1.0 - 1e-12)).unwrap_or(hours - 1);
        Ok(self.sorted[at])
    }

    /// The share of the hours in which the price is at or below a bid.
    #[must_use]
    pub fn share_within(&self, bid: f64) -> f64 {
        count(self.sorted.partition_point(|price| *price <= bid)) / count(self.sorted.len())
    }

    /// The mean price of the hours at or below a bid; `None` if there are none.
    #[must_use]
    pub fn mean_within(&self, bid: f64) -> Option<f64> {
        let within = &self.sorted[..self.sorted.partition_point(|price| *price <= bid)];
        (!within.is_empty()).then(|| within.iter().sum::<f64>() / count(within.len()))
    }

    /// Persistence: the correlation of the price with that of the hour before, -1 to 1. `None` for a price that never changes.
    #[must_use]
    pub fn persistence(&self) -> Option<f64> {
        let mean = self.mean();
        let variance: f64 = self.hourly.iter().map(|price| (price - mean).powi(2)).sum();
        let covariance: f64 = self.hourly.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
        (variance > 1e-18 * mean * mean).then(|| covariance / variance)
    }

    /// After how many hours half of a deviation from the mean is left, by the persistence; `None` if it has no sign of lasting.
    #[must_use]
    pub fn half_life(&self) -> Option<f64> {
        self.persistence()
            .filter(|persistence| (0.0..1.0).contains(persistence) && *persistence > 0.0)
            .map(|rate| 0.5f64.ln() / rate.ln())
    }

    /// How often capacity held at a bid is lost because the price rises above it: hours after which that happens, over the hours held. `None` if
    /// the price is above the bid in every hour.
    #[must_use]
    pub fn interruptions_at(&self, bid: f64) -> Option<InterruptionRate> {
        let held = self.hourly[..self.hourly.len() - 1].iter().filter(|price| **price <= bid).count();
        let lost = self.hourly.windows(2).filter(|pair| pair[0] <= bid && pair[1] > bid).count();
        if held == 0 {
            return (self.hourly[0] <= bid).then_some(InterruptionRate::NEVER);
        }
        InterruptionRate::observed(count(lost), count(held)).ok()
    }

    /// The mean length in hours of a stretch above a bid; 0 if there is none.
    #[must_use]
    pub fn outage_at(&self, bid: f64) -> f64 {
        let above = self.hourly.iter().filter(|price| **price > bid).count();
        let begun = self.hourly.windows(2).filter(|pair| pair[0] <= bid && pair[1] > bid).count();
        let stretches = begun + usize::from(self.hourly[0] > bid);
        if stretches == 0 { 0.0 } else { count(above) / count(stretches) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_small_series() -> Result<()> {
        let prices = PriceDistribution::new(vec![1.0, 1.0, 3.0, 3.0, 1.0, 2.0, 1.0, 1.0])?;
        assert!((prices.mean() - 13.0 / 8.0).abs() < 1e-12);
        assert_eq!(
            (prices.quantile(0.0)?, prices.quantile(0.625)?, prices.quantile(0.63)?, prices.quantile(1.0)?),
            (1.0, 1.0, 2.0, 3.0)
        );
        assert_eq!(
            (prices.share_within(1.5), prices.mean_within(2.0), prices.mean_within(0.5)),
            (5.0 / 8.0, Some(7.0 / 6.0), None)
        );
        // At a bid of 1.5 capacity is held in 4 of the first 7 hours and lost after 2 of them; the two stretches above last 3 hours.
        assert_eq!(prices.interruptions_at(1.5), InterruptionRate::observed(2.0, 4.0).ok());
        assert!((prices.outage_at(1.5) - 1.5).abs() < 1e-12 && prices.outage_at(3.0).abs() < 1e-12);
        assert_eq!((prices.interruptions_at(0.5), prices.interruptions_at(3.0)), (None, Some(InterruptionRate::NEVER)));
        assert_eq!(PriceDistribution::new(vec![2.0; 5])?.persistence(), None);
        assert!(PriceDistribution::new(vec![1.0, f64::NAN]).is_err() && PriceDistribution::new(Vec::new()).is_err());
        assert!(prices.quantile(1.1).is_err());
        Ok(())
    }
}
