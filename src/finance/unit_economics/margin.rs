//! What a unit earns and what the next one costs: contribution margin, gross margin, average against marginal cost.

use super::ratio;
use crate::finance::{Error, Result};

/// A unit's revenue and the cost that comes with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitMargin {
    /// Revenue of a unit.
    pub revenue: f64,
    /// Cost that a further unit causes.
    pub variable_cost: f64,
}

impl UnitMargin {
    /// Contribution margin of a unit: revenue - variable cost.
    #[must_use]
    pub fn contribution(&self) -> f64 {
        self.revenue - self.variable_cost
    }

    /// Contribution margin ratio: contribution / revenue.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] without revenue.
    pub fn ratio(&self) -> Result<f64> {
        ratio(self.contribution(), "revenue", self.revenue)
    }

    /// The units that pay for a fixed cost: fixed cost / contribution.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if a unit contributes nothing: no number of units does.
    pub fn break_even_units(&self, fixed_cost: f64) -> Result<f64> {
        let contribution = self.contribution();
        if contribution > 0.0 {
            return ratio(fixed_cost, "contribution", contribution);
        }
        Err(Error::OutOfRange { field: "contribution", value: contribution, remedy: "give a revenue above the variable cost" })
    }
}

/// Gross margin: (revenue - cost of revenue) / revenue.
///
/// # Errors
/// [`Error::OutOfRange`] without revenue.
pub fn gross_margin(revenue: f64, cost_of_revenue: f64) -> Result<f64> {
    ratio(revenue - cost_of_revenue, "revenue", revenue)
}

/// Effect of a change of cloud cost on the gross margin, as a fraction (0.01 is one percentage point): (cost before - cost after) / revenue.
///
/// # Errors
/// [`Error::OutOfRange`] without revenue.
pub fn gross_margin_effect(revenue: f64, cost_before: f64, cost_after: f64) -> Result<f64> {
    ratio(cost_before - cost_after, "revenue", revenue)
}

/// What so many units cost altogether.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostOfUnits {
    /// Units.
    pub units: f64,
    /// Their cost.
    pub cost: f64,
}

impl CostOfUnits {
    /// Average cost: cost / units.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] without units.
    pub fn average(&self) -> Result<f64> {
        ratio(self.cost, "units", self.units)
    }

    /// Marginal cost from here to another volume: difference of cost / difference of units. Below the average where commitments and shared
    /// cost are paid anyway.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for the same number of units.
    pub fn marginal(&self, other: &Self) -> Result<f64> {
        ratio(other.cost - self.cost, "difference of units", other.units - self.units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_and_volumes_fit_together() -> Result<()> {
        let close = |left: f64, right: f64| assert!((left - right).abs() < 1e-12, "{left} is not {right}");
        let unit = UnitMargin { revenue: 0.02, variable_cost: 0.005 };
        close(unit.contribution(), 0.015);
        close(unit.ratio()?, 0.75);
        // At the break-even volume contributions equal the fixed cost.
        close(unit.break_even_units(300.0)? * unit.contribution(), 300.0);
        assert!(UnitMargin { revenue: 1.0, variable_cost: 1.0 }.break_even_units(1.0).is_err());
        close(gross_margin(1000.0, 300.0)? + gross_margin_effect(1000.0, 300.0, 250.0)?, gross_margin(1000.0, 250.0)?);
        // A fixed cost of 60 and 0.4 for each unit: the average falls to the marginal cost, never below.
        let at = |units: f64| CostOfUnits { units, cost: 60.0 + 0.4 * units };
        close(at(100.0).average()?, 1.0);
        close(at(100.0).marginal(&at(250.0))?, 0.4);
        assert!(at(100.0).marginal(&at(100.0)).is_err() && CostOfUnits { units: 0.0, cost: 1.0 }.average().is_err());
        Ok(())
    }
}
