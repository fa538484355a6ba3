//! The ratios of the FinOps Foundation's KPI library, rate optimisation and FinOps for AI: one published formula each.

use super::ratio;
use crate::finance::{Error, Result};

/// Effective savings rate with the cost of achieving it: (on-demand equivalent - actual cost with unused commitment - fees) / on-demand
/// equivalent. Without fees it is the KPI's first form.
///
/// # Errors
/// [`Error::OutOfRange`] without on-demand equivalent.
pub fn effective_savings_rate(on_demand_equivalent: f64, actual_cost: f64, cost_to_achieve: f64) -> Result<f64> {
    ratio(on_demand_equivalent - actual_cost - cost_to_achieve, "on_demand_equivalent", on_demand_equivalent)
}

/// Commitment utilisation score: used / all commitment, both in cost or both in units.
///
/// # Errors
/// [`Error::OutOfRange`] without commitment.
pub fn commitment_utilisation(used: f64, commitment: f64) -> Result<f64> {
    ratio(used, "commitment", commitment)
}

/// Commitment waste: unused commitment cost / all commitment cost; 1 - utilisation in cost.
///
/// # Errors
/// [`Error::OutOfRange`] without commitment.
pub fn commitment_waste(unused: f64, commitment: f64) -> Result<f64> {
    ratio(unused, "commitment", commitment)
}

/// Percentage of compute spend covered by commitments: effective cost of committed compute / effective cost of all compute but spot, of the
/// month before.
///
/// # Errors
/// [`Error::OutOfRange`] without cost.
pub fn spend_covered(committed_cost: f64, compute_cost_without_spot: f64) -> Result<f64> {
    ratio(committed_cost, "compute cost without spot", compute_cost_without_spot)
}

/// Consumption against commitment, as an agreement is burnt down: actual / committed units.
///
/// # Errors
/// [`Error::OutOfRange`] without commitment.
pub fn consumption_against_commitment(actual: f64, committed: f64) -> Result<f64> {
    ratio(actual, "committed", committed)
}

/// Effective average cost per core: amortised cost with unused commitment / core-hours.
///
/// # Errors
/// [`Error::OutOfRange`] without core-hours.
pub fn cost_per_core_hour(amortised_cost: f64, core_hours: f64) -> Result<f64> {
    ratio(amortised_cost, "core_hours", core_hours)
}

/// Cloud spend as a share of annual recurring revenue.
///
/// # Errors
/// [`Error::OutOfRange`] without revenue.
pub fn share_of_revenue(cloud_cost: f64, recurring_revenue: f64) -> Result<f64> {
    ratio(cloud_cost, "recurring_revenue", recurring_revenue)
}

/// Cost of tokens at a price for 1,000 of each kind (FinOps for AI, "token consumption metrics").
#[must_use]
pub fn token_cost(input: f64, price_per_1k_input: f64, output: f64, price_per_1k_output: f64) -> f64 {
    (input * price_per_1k_input + output * price_per_1k_output) / 1000.0
}

/// What one piece of a larger whole is, as a share of it: cache hits of requests, reasoning tokens of output tokens, failed of all requests,
/// GPU hours used of those paid.
///
/// # Errors
/// [`Error::OutOfRange`] without a whole, or for a part below 0 or above the whole.
pub fn share(part: f64, whole: f64) -> Result<f64> {
    let share = ratio(part, "whole", whole)?;
    if (0.0..=1.0).contains(&share) {
        return Ok(share);
    }
    Err(Error::OutOfRange { field: "part", value: part, remedy: "give a part of 0 up to the whole" })
}

/// Cost of one agent cycle or one "thought": model cost, and beside it what serves it (retrieval, tools, storage, network) where the full
/// stack is asked for, over cycles.
///
/// # Errors
/// [`Error::OutOfRange`] without cycles.
pub fn cost_per_cycle(model_cost: f64, serving_cost: f64, cycles: f64) -> Result<f64> {
    ratio(model_cost + serving_cost, "cycles", cycles)
}

/// Time to value: the days until the value reached pays for what was spent, at a steady value a day.
///
/// # Errors
/// [`Error::OutOfRange`] without value.
pub fn time_to_value(cost: f64, value_per_day: f64) -> Result<f64> {
    ratio(cost, "value_per_day", value_per_day)
}

/// How serious the share of cost in anomalies is: below 2 % green, up to 7 % yellow, above red (FinOps for AI, "anomaly detection rate").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnomalyLevel {
    /// Below 2 %.
    Green,
    /// 2 % to 7 %.
    Yellow,
    /// Above 7 %.
    Red,
}

impl AnomalyLevel {
    /// The level of a share of cost.
    #[must_use]
    pub fn of(share: f64) -> Self {
        match share {
            share if share < 0.02 => Self::Green,
            share if share <= 0.07 => Self::Yellow,
            _ => Self::Red,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_figures() -> Result<()> {
        let close = |left: f64, right: f64| assert!((left - right).abs() < 1e-9, "{left} is not {right}");
        close(effective_savings_rate(100.0, 75.0, 0.0)?, 0.25);
        close(effective_savings_rate(100.0, 75.0, 5.0)?, 0.20);
        close(commitment_utilisation(75.0, 100.0)? + commitment_waste(25.0, 100.0)?, 1.0);
        close(cost_per_core_hour(12.0, 400.0)?, 0.03);
        close(token_cost(2000.0, 0.0025, 500.0, 0.01), 0.01);
        close(cost_per_cycle(2.0, 1.0, 100.0)?, 0.03);
        close(share(30.0, 40.0)?, 0.75);
        assert!(share(5.0, 4.0).is_err() && share_of_revenue(1.0, 0.0).is_err());
        assert_eq!([0.019, 0.02, 0.07, 0.071].map(AnomalyLevel::of), {
            use AnomalyLevel::{Green, Red, Yellow};
            [Green, Yellow, Yellow, Red]
        });
        close(time_to_value(900.0, 30.0)?, 30.0);
        close(spend_covered(4.0, 7.0)?, 4.0 / 7.0);
        close(consumption_against_commitment(90.0, 120.0)?, 0.75);
        Ok(())
    }
}
