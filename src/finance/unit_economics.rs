//! Cost per unit of work, and the small ratios of a FinOps report: each function is one published formula.
//!
//! What capacity costs for a unit of work is in `unit_economics/capacity.rs`, margins in `unit_economics/margin.rs`, further indicators in
//! `unit_economics/indicators.rs`. Which usage serves which driver of cost is not known here: `scenario/unit_cost.rs` joins them.

mod capacity;
mod indicators;
mod margin;

pub use capacity::{Capacity, PaidHours, PrepaidWindow, ThroughputUnit, TokenPrices, Tokens};
pub use indicators::{
    AnomalyLevel, commitment_utilisation, commitment_waste, consumption_against_commitment, cost_per_core_hour, cost_per_cycle,
    effective_savings_rate, share, share_of_revenue, spend_covered, time_to_value, token_cost,
};
pub use margin::{CostOfUnits, UnitMargin, gross_margin, gross_margin_effect};

use super::{Error, Result};

/// Cost per unit: direct effective cost, plus allocated shared cost and unused commitment, over units.
///
/// # Errors
/// [`Error::OutOfRange`] without units.
pub fn unit_cost(cost: f64, units: f64) -> Result<f64> {
    ratio(cost, "units", units)
}

/// Cost of 1,000 tokens: rate per GPU hour / (tokens per second × 3,600 × utilisation) × 1,000. The rate must be the
/// effective one (amortised and with unused hours); idle hours belong in the utilisation.
///
/// # Errors
/// [`Error::OutOfRange`] without tokens or utilisation.
pub fn cost_per_1k_tokens(rate_per_gpu_hour: f64, tokens_per_second: f64, utilisation: f64) -> Result<f64> {
    ratio(rate_per_gpu_hour * 1000.0, "tokens per hour", tokens_per_second * 3600.0 * utilisation)
}

/// Cost optimisation index (FinOps KPI "COIN"): 100 × (1 - Σ open opportunities / total cost).
///
/// # Errors
/// [`Error::OutOfRange`] without cost.
pub fn cost_optimisation_index(total_cost: f64, opportunities: &[f64]) -> Result<f64> {
    Ok(100.0 * (1.0 - ratio(opportunities.iter().sum(), "total_cost", total_cost)?))
}

/// Share of cost recharged in the ledger (FinOps KPI "general ledger recharge rate").
///
/// # Errors
/// [`Error::OutOfRange`] without cost.
pub fn recharge_rate(recharged: f64, cost: f64) -> Result<f64> {
    ratio(recharged, "cost", cost)
}

/// (forecast - actual) / forecast, signed: negative when more was spent than forecast (FinOps KPI "forecast accuracy").
///
/// # Errors
/// [`Error::OutOfRange`] without forecast.
pub fn forecast_accuracy(forecast: f64, actual: f64) -> Result<f64> {
    ratio(forecast - actual, "forecast", forecast)
}

/// (budget - forecast) / budget, signed (FinOps KPI "budget vs forecast variance").
///
/// # Errors
/// [`Error::OutOfRange`] without budget.
pub fn budget_variance(budget: f64, forecast: f64) -> Result<f64> {
    ratio(budget - forecast, "budget", budget)
}

/// How well a cost is forecast: |variance| at most 12 % run, 15 % walk, 20 % crawl (FinOps "Forecasting").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ForecastMaturity {
    /// Above 20 %.
    BelowCrawl,
    /// At most 20 %.
    Crawl,
    /// At most 15 %.
    Walk,
    /// At most 12 %.
    Run,
}

impl ForecastMaturity {
    /// The stage of a signed variance.
    #[must_use]
    pub fn of(variance: f64) -> Self {
        match variance.abs() {
            size if size <= 0.12 => Self::Run,
            size if size <= 0.15 => Self::Walk,
            size if size <= 0.20 => Self::Crawl,
            _ => Self::BelowCrawl,
        }
    }
}

/// Discounts multiply: on-demand × (1 - plan) × (1 - agreement).
#[must_use]
pub fn net_price(on_demand: f64, discounts: &[f64]) -> f64 {
    discounts.iter().fold(on_demand, |price, discount| price * (1.0 - discount))
}

/// The price at which later short terms cost as much as one long term: the average that the short-term price must have
/// after the first `short` periods, (long × long price - short × short price) / (long - short). A long term wins only if
/// prices stay above it. From 7.20 for one year and 5.40 for three it is 4.50.
///
/// # Errors
/// [`Error::OutOfRange`] unless the long term is longer.
pub fn implied_forward_price(short_price: f64, short: f64, long_price: f64, long: f64) -> Result<f64> {
    if long <= short {
        return Err(Error::OutOfRange { field: "long term", value: long, remedy: "give a term longer than the short one" });
    }
    ratio(long * long_price - short * short_price, "long - short term", long - short)
}

/// Breakage of a reservation: unused hours × price, less what a resale brings.
///
/// # Errors
/// [`Error::OutOfRange`] for a negative number of hours.
pub fn breakage(unused_hours: f64, price_per_hour: f64, resale_per_hour: f64) -> Result<f64> {
    if unused_hours >= 0.0 {
        Ok(unused_hours * (price_per_hour - resale_per_hour))
    } else {
        Err(Error::OutOfRange { field: "unused_hours", value: unused_hours, remedy: "give zero or more hours" })
    }
}

/// How the cost of unused commitment is shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnusedAllocation {
    /// By each owner's covered cost.
    CoveredCost,
    /// By each owner's eligible on-demand equivalent.
    EligibleOnDemand,
    /// None to owners: the buyer of the commitment keeps it.
    Central,
}

/// What one owner used, for [`allocate_unused`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OwnerUse {
    /// Effective cost of use covered by commitments.
    pub covered_cost: f64,
    /// On-demand equivalent of use that commitments could cover.
    pub eligible_on_demand: f64,
}

/// Each owner's part of the unused cost, and what stays central: the parts sum to `unused`.
#[must_use]
pub fn allocate_unused(unused: f64, owners: &[OwnerUse], rule: UnusedAllocation) -> (Vec<f64>, f64) {
    let weight = |owner: &OwnerUse| match rule {
        UnusedAllocation::CoveredCost => owner.covered_cost,
        UnusedAllocation::EligibleOnDemand => owner.eligible_on_demand,
        UnusedAllocation::Central => 0.0,
    };
    let whole: f64 = owners.iter().map(weight).sum();
    if whole <= 0.0 {
        return (vec![0.0; owners.len()], unused);
    }
    (owners.iter().map(|owner| unused * weight(owner) / whole).collect(), 0.0)
}

fn ratio(part: f64, field: &'static str, whole: f64) -> Result<f64> {
    let value = part / whole;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Error::OutOfRange { field, value: whole, remedy: "give a finite number other than zero" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_figures() -> Result<()> {
        let close = |left: f64, right: f64| assert!((left - right).abs() < 1e-6, "{left} is not {right}");
        close(cost_per_1k_tokens(4.0, 1000.0, 0.5)?, 0.002_222_222);
        close(implied_forward_price(7.2, 1.0, 5.4, 3.0)?, 4.5);
        close(net_price(100.0, &[0.28, 0.09]), 65.52);
        close(forecast_accuracy(100.0, 112.0)?, -0.12);
        close(breakage(100.0, 4.0, 1.5)?, 250.0);
        assert_eq!(ForecastMaturity::of(-0.13), ForecastMaturity::Walk);
        assert!(unit_cost(1.0, 0.0).is_err() && forecast_accuracy(0.0, 1.0).is_err());
        let owners =
            [OwnerUse { covered_cost: 1.0, eligible_on_demand: 1.0 }, OwnerUse { covered_cost: 3.0, eligible_on_demand: 1.0 }];
        assert_eq!(allocate_unused(8.0, &owners, UnusedAllocation::CoveredCost), (vec![2.0, 6.0], 0.0));
        assert_eq!(allocate_unused(8.0, &owners, UnusedAllocation::Central), (vec![0.0, 0.0], 8.0));
        Ok(())
    }
}
