//! Spot capacity: how its price and its interruptions are distributed, and what a unit of work costs on it in the end.
//!
//! | question | where |
//! |---|---|
//! | how does the price vary, how long does it stay, how often would a bid be outbid | [`PriceDistribution`] |
//! | how often is capacity taken back | [`InterruptionRate`] |
//! | what does an hour of work cost, interruptions and all | [`SpotTerms::effective_price`], [`EffectivePrice`] |
//! | how far can it be from that | [`simulate`], with a seed |
//!
//! [`crate::planning::SpotOption`] takes the effective price into a plan beside commitments. Formulas and sources: `docs/spot-and-capacity.md`, "Effective
//! price"; `docs/formulation-scenario.md`, "Spot and unit costs", points there.

mod effective;
mod interruption;
mod price;
mod simulation;

pub use effective::{EffectivePrice, Outage, Recovery, SpotTerms};
pub use interruption::{BandPoint, HOURS_PER_MONTH, InterruptionRate};
pub use price::PriceDistribution;
pub use simulation::{Simulated, Simulation, simulate};

use crate::error::{Error, Problem, Result};

/// A figure within its range, or an error that names the field.
fn check(value: f64, field: &str, range: &'static str, holds: impl Fn(f64) -> bool) -> Result<f64> {
    if value.is_finite() && holds(value) {
        return Ok(value);
    }
    Err(Error::from(Problem::OutOfRange { value: value.to_string(), range }).in_field(field))
}
