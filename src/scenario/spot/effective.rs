//! What an hour of work costs on spot: interruptions cost the work since the last checkpoint and a restart, checkpoints cost time, and while
//! there is no capacity the work runs on demand or waits.
//!
//! A run lasts a time T, exponential of rate λ. It begins with a restart of R hours; then come segments of τ hours of work and a checkpoint of δ
//! hours, of which those that end in time count. The mean number of them is `e^(-λR) / (e^(λ(τ+δ)) - 1)`, so that an hour of work takes
//!
//! ```text
//! h = e^(λR) (e^(λ(τ+δ)) - 1) / (λτ)     spot hours     (Daly 2006, equation 14; (τ+δ)/τ for λ = 0)
//! ```

use super::{InterruptionRate, check};
use crate::catalog::{Catalog, SpotPrice};
use crate::error::{Error, Problem, Result};
use crate::usage::Sku;

/// How work survives an interruption.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Recovery {
    /// Nothing is lost but the time to start again: stateless services, queues of short tasks, work saved within the provider's notice (AWS two
    /// minutes; Google and Azure 30 seconds).
    Stateless {
        /// Hours that pass, and are paid, before new capacity does work.
        restart_hours: f64,
    },
    /// Work since the last checkpoint is lost: training, simulation.
    Checkpoint {
        /// Hours of work between checkpoints, above 0.
        interval_hours: f64,
        /// Hours that one checkpoint takes.
        checkpoint_hours: f64,
        /// Hours that pass, and are paid, before new capacity has loaded the checkpoint.
        restart_hours: f64,
    },
}

impl Recovery {
    /// Checkpoints in the interval that makes an hour of work cheapest: with x = λτ, the root of `e^(-(x + λδ)) = 1 - x` (Daly 2006). Where there
    /// are no interruptions, or checkpoints take no time, there is no such interval.
    ///
    /// # Errors
    /// [`Problem::OutOfRange`] for a rate or checkpoint of 0, or a figure out of range.
    pub fn best_checkpoint(rate: InterruptionRate, checkpoint_hours: f64, restart_hours: f64) -> Result<Self> {
        check(checkpoint_hours, "checkpoint_hours", "finite hours above 0", |hours| hours > 0.0)?;
        let rate = check(rate.per_hour(), "interruptions_per_hour", "finite numbers above 0", |rate| rate > 0.0)?;
        let lost = rate * checkpoint_hours;
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            // e^(-(x + λδ)) - 1 + x rises from below 0 to above 0.
            if (-(middle + lost)).exp_m1() + middle < 0.0 { low = middle } else { high = middle }
        }
        let recovery = Self::Checkpoint { interval_hours: high / rate, checkpoint_hours, restart_hours };
        recovery.check()?;
        Ok(recovery)
    }

    fn check(self) -> Result<()> {
        let not_negative = |value: f64, field: &str| check(value, field, "finite hours of 0 or more", |hours| hours >= 0.0);
        let Self::Checkpoint { interval_hours, checkpoint_hours, restart_hours } = self else {
            let Self::Stateless { restart_hours } = self else { return Ok(()) };
            return not_negative(restart_hours, "restart_hours").map(drop);
        };
        check(interval_hours, "interval_hours", "finite hours above 0", |hours| hours > 0.0)?;
        not_negative(checkpoint_hours, "checkpoint_hours")?;
        not_negative(restart_hours, "restart_hours").map(drop)
    }

    pub(super) fn restart_hours(self) -> f64 {
        match self {
            Self::Stateless { restart_hours } | Self::Checkpoint { restart_hours, .. } => restart_hours,
        }
    }

    /// Spot hours that an hour of work takes, waiting for capacity not counted; at least 1.
    fn hours_of_work(self, rate: f64) -> f64 {
        match self {
            Self::Stateless { restart_hours } => (rate * restart_hours).exp(),
            Self::Checkpoint { interval_hours, checkpoint_hours, restart_hours } => {
                let segment = interval_hours + checkpoint_hours;
                let of_segment = if rate * segment > 0.0 { (rate * segment).exp_m1() / rate } else { segment };
                (rate * restart_hours).exp() * of_segment / interval_hours
            }
        }
    }
}

/// What happens while there is no spot capacity after an interruption.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outage {
    /// The work runs on demand, restarted there too, for so many hours on the average.
    OnDemand {
        /// Hours of work on demand after an interruption.
        hours: f64,
    },
    /// The work waits for so many hours on the average: nothing is paid, and it ends later.
    Wait {
        /// Hours without work after an interruption.
        hours: f64,
    },
}

/// All that the price of work on spot depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpotTerms {
    /// What an hour of spot costs while it runs: the mean over the hours held.
    pub spot_price: f64,
    /// What an hour on demand costs.
    pub on_demand_price: f64,
    /// How often capacity is taken back.
    pub rate: InterruptionRate,
    /// How the work survives that.
    pub recovery: Recovery,
    /// What happens until there is capacity again.
    pub outage: Outage,
}

/// What an hour of work takes and costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EffectivePrice {
    /// Spot hours paid for an hour of work.
    pub spot_hours: f64,
    /// On-demand hours paid for an hour of work.
    pub on_demand_hours: f64,
    /// Hours that pass for an hour of work, waiting and all.
    pub elapsed_hours: f64,
    /// What they cost: `spot hours · spot price + on-demand hours · on-demand price`. It can be above the on-demand price.
    pub on_spot: f64,
    /// What the work costs where it is cheaper: the lower of [`EffectivePrice::on_spot`] and the on-demand price. More interruptions never lower
    /// it.
    pub price: f64,
}

impl EffectivePrice {
    /// Whether spot is cheaper than on demand.
    #[must_use]
    pub fn is_worthwhile(&self) -> bool {
        self.on_spot <= self.price
    }
}

impl SpotTerms {
    /// The terms of a SKU that a catalog has a spot price and an on-demand price of: the cheapest zone. Without a class of interruption the
    /// rate given is taken, and else the higher of both.
    ///
    /// # Errors
    /// [`Problem::Dangling`] if the catalog lacks one of the prices; as [`InterruptionRate::from_band`].
    pub fn of_catalog(
        catalog: &Catalog,
        sku: &Sku,
        rate: InterruptionRate,
        point: super::BandPoint,
        (recovery, outage): (Recovery, Outage),
    ) -> Result<Self> {
        let missing = |kind| Error::from(Problem::Dangling { kind, id: sku.to_string() }).in_field("spot");
        let on_demand = catalog.price(sku).ok_or_else(|| missing("on-demand price"))?;
        let of_sku = catalog.spot().iter().filter(|spot| spot.sku == *sku);
        let cheapest: Option<&SpotPrice> = of_sku.min_by(|a, b| a.price.cmp(&b.price).then_with(|| a.id.cmp(&b.id)));
        let spot = cheapest.ok_or_else(|| missing("spot price"))?;
        let of_band = spot.interruption.as_ref().map_or(Ok(rate), |band| InterruptionRate::from_band(band, point))?;
        let rate = if of_band > rate { of_band } else { rate };
        Ok(Self { spot_price: spot.price.to_f64(), on_demand_price: on_demand.price.to_f64(), rate, recovery, outage })
    }

    /// The effective price of an hour of work.
    ///
    /// # Errors
    /// [`Problem::OutOfRange`] for a figure out of range, or interruptions so frequent that no work gets done.
    pub fn effective_price(&self) -> Result<EffectivePrice> {
        self.check()?;
        let rate = self.rate.per_hour();
        let hours = self.recovery.hours_of_work(rate);
        check(hours, "interruptions_per_hour", "rates at which work gets done between interruptions", |hours| hours < 1e12)?;
        let (spot_hours, on_demand_hours, elapsed_hours) = match self.outage {
            Outage::Wait { hours: waiting } => (hours, 0.0, hours * (1.0 + rate * waiting)),
            // Of a cycle of 1/λ spot hours, 1/(λh) are work; then come `outage` hours of work on demand.
            Outage::OnDemand { hours: outage } => {
                let restart = if outage > 0.0 { self.recovery.restart_hours() } else { 0.0 };
                let work = 1.0 / hours + rate * outage;
                let (spot, on_demand) = (1.0 / work, rate * (outage + restart) / work);
                (spot, on_demand, spot + on_demand)
            }
        };
        let on_spot = spot_hours * self.spot_price + on_demand_hours * self.on_demand_price;
        Ok(EffectivePrice { spot_hours, on_demand_hours, elapsed_hours, on_spot, price: on_spot.min(self.on_demand_price) })
    }

    pub(super) fn check(&self) -> Result<()> {
        check(self.spot_price, "spot_price", "finite prices above 0", |price| price > 0.0)?;
        check(self.on_demand_price, "on_demand_price", "finite prices above 0", |price| price > 0.0)?;
        let (Outage::OnDemand { hours } | Outage::Wait { hours }) = self.outage;
        check(hours, "outage", "finite hours of 0 or more", |hours| hours >= 0.0)?;
        self.recovery.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn terms(rate: f64, recovery: Recovery, outage: Outage) -> Result<SpotTerms> {
        Ok(SpotTerms { spot_price: 0.4, on_demand_price: 1.0, rate: InterruptionRate::new(rate)?, recovery, outage })
    }

    #[test]
    fn without_interruptions_only_checkpoints_cost() -> Result<()> {
        let recovery = Recovery::Checkpoint { interval_hours: 1.0, checkpoint_hours: 0.1, restart_hours: 0.5 };
        let price = terms(0.0, recovery, Outage::OnDemand { hours: 3.0 })?.effective_price()?;
        assert!((price.price - 0.44).abs() < 1e-12 && price.on_demand_hours.abs() < 1e-15, "{price:?}");
        // Often enough, spot is dearer than on demand, and the work stays there.
        let price = terms(2.0, recovery, Outage::Wait { hours: 0.0 })?.effective_price()?;
        assert!(price.on_spot > 1.0 && (price.price - 1.0).abs() < 1e-15 && !price.is_worthwhile());
        Ok(())
    }

    #[test]
    fn the_best_checkpoint_is_cheaper_than_its_neighbours() -> Result<()> {
        let rate = InterruptionRate::new(0.02)?;
        let best = Recovery::best_checkpoint(rate, 0.05, 0.2)?;
        let Recovery::Checkpoint { interval_hours, .. } = best else { return Ok(()) };
        // Young's approximation, the square root of twice the checkpoint over the rate, is near.
        assert!((interval_hours / (2.0 * 0.05 / 0.02f64).sqrt() - 1.0).abs() < 0.05, "{interval_hours}");
        for factor in [0.8, 0.95, 1.05, 1.25] {
            let other =
                Recovery::Checkpoint { interval_hours: interval_hours * factor, checkpoint_hours: 0.05, restart_hours: 0.2 };
            assert!(other.hours_of_work(0.02) > best.hours_of_work(0.02));
        }
        assert!(Recovery::best_checkpoint(InterruptionRate::NEVER, 0.05, 0.2).is_err());
        Ok(())
    }

    #[test]
    fn wrong_figures_are_refused() -> Result<()> {
        let bad = Recovery::Checkpoint { interval_hours: 0.0, checkpoint_hours: 0.1, restart_hours: 0.5 };
        assert!(terms(0.1, bad, Outage::Wait { hours: 1.0 })?.effective_price().is_err());
        let good = Recovery::Stateless { restart_hours: 0.1 };
        assert!(terms(0.1, good, Outage::Wait { hours: -1.0 })?.effective_price().is_err());
        assert!(terms(1e6, good, Outage::Wait { hours: 1.0 })?.effective_price().is_err());
        Ok(())
    }

    fn recovery() -> impl Strategy<Value = Recovery> {
        prop_oneof![
            (0.0..2.0f64).prop_map(|restart_hours| Recovery::Stateless { restart_hours }),
            (0.05..8.0f64, 0.0..0.5f64, 0.0..2.0f64).prop_map(|(interval_hours, checkpoint_hours, restart_hours)| {
                Recovery::Checkpoint { interval_hours, checkpoint_hours, restart_hours }
            }),
        ]
    }

    fn outage() -> impl Strategy<Value = Outage> {
        prop_oneof![
            (0.0..24.0f64).prop_map(|hours| Outage::OnDemand { hours }),
            (0.0..24.0f64).prop_map(|hours| Outage::Wait { hours }),
        ]
    }

    proptest! {
        #[test]
        fn more_interruption_never_lowers_the_effective_price(
            rate in 0.0..0.5f64, more in 0.0..0.5f64, spot in 0.05..1.5f64, recovery in recovery(), outage in outage(),
        ) {
            let price = |rate: f64| {
                let rate = InterruptionRate::new(rate).unwrap_or_default();
                SpotTerms { spot_price: spot, on_demand_price: 1.0, rate, recovery, outage }.effective_price().map(|found| found.price)
            };
            let (few, many) = (price(rate), price(rate + more));
            prop_assert!(few.is_ok() && many.is_ok());
            prop_assert!(many.unwrap_or(0.0) >= few.unwrap_or(f64::INFINITY) - 1e-9);
        }
    }
}
