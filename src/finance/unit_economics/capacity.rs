//! What work costs on capacity bought in different ways, and the use at which one way costs as much as another: GPUs by the hour, blocks
//! paid in advance, throughput provisioned for a model against tokens on demand.
//!
//! Capacity paid while it runs costs the same for a unit of work however seldom it is needed; capacity paid for all hours costs less an hour
//! and the more for a unit the less it is used. The share of hours at which both are equal is the break-even utilisation, `r_all / r_run`
//! for prices of an hour of work. Formulas: `docs/spot-and-capacity.md`, "Capacity".

use super::ratio;
use crate::finance::{Error, Result};

/// Which hours are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaidHours {
    /// Those in which it runs: on demand, spot.
    Running,
    /// All of a term or window, used or not: reservations, capacity blocks, provisioned throughput.
    All,
}

/// One way to buy the capacity for some work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    /// What a paid hour costs, the effective price with upfront spread; above 0.
    pub price_per_hour: f64,
    /// Which hours are paid.
    pub paid: PaidHours,
    /// Work of an hour at full load: tokens, images, steps; above 0.
    pub work_per_hour: f64,
    /// Paid hours for an hour of work: 1, or more where interruptions cost time.
    pub hours_per_hour_of_work: f64,
}

impl Capacity {
    /// What an hour of work costs in a paid hour.
    #[must_use]
    pub fn hour_of_work(&self) -> f64 {
        self.price_per_hour * self.hours_per_hour_of_work
    }

    /// What a unit of work costs if capacity is needed in a share of the hours, at a load of a share of the full work.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless both shares are above 0 and at most 1.
    pub fn cost_per_unit(&self, utilisation: f64, load: f64) -> Result<f64> {
        let utilisation = fraction("utilisation", utilisation)?;
        let load = fraction("load", load)?;
        let used = match self.paid {
            PaidHours::Running => 1.0,
            PaidHours::All => utilisation,
        };
        ratio(self.hour_of_work(), "work_per_hour", self.work_per_hour * load * used)
    }

    /// The share of the hours from which on this capacity, paid for all of them, costs no more than another that is paid while it runs. Above
    /// 1 it never does. `None` unless the two are paid so.
    #[must_use]
    pub fn break_even_utilisation(&self, running: &Self) -> Option<f64> {
        let per_unit = |capacity: &Self| capacity.hour_of_work() / capacity.work_per_hour;
        let are = (self.paid, running.paid) == (PaidHours::All, PaidHours::Running);
        (are && per_unit(running) > 0.0).then(|| per_unit(self) / per_unit(running))
    }
}

/// Capacity in a fixed window, paid in advance (AWS Capacity Blocks for ML): not cancellable, covered by no reservation or plan; the operating
/// system is paid while instances run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrepaidWindow {
    /// Instances.
    pub instances: f64,
    /// Hours of the window.
    pub hours: f64,
    /// What an instance costs for each hour of the window.
    pub price_per_hour: f64,
    /// What the operating system costs for each hour an instance runs.
    pub system_fee_per_hour: f64,
}

impl PrepaidWindow {
    /// Due when it is bought.
    #[must_use]
    pub fn fee(&self) -> f64 {
        self.instances * self.hours * self.price_per_hour
    }

    /// What it costs in the end, if instances run so many hours together.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for more hours than the window has, or fewer than 0.
    pub fn cost(&self, instance_hours: f64) -> Result<f64> {
        if (0.0..=self.instances * self.hours * (1.0 + 1e-12)).contains(&instance_hours) {
            return Ok(self.fee() + instance_hours * self.system_fee_per_hour);
        }
        let remedy = "give from 0 to all instance-hours of the window";
        Err(Error::OutOfRange { field: "instance_hours", value: instance_hours, remedy })
    }

    /// The share of its instance-hours from which on it costs no more than an on-demand price that includes the operating system:
    /// `price / (on-demand - system fee)`. Above 1 it never does.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if the on-demand price is not above the fee for the system.
    pub fn break_even_utilisation(&self, on_demand_per_hour: f64) -> Result<f64> {
        if on_demand_per_hour > self.system_fee_per_hour {
            return ratio(self.price_per_hour, "on_demand_per_hour", on_demand_per_hour - self.system_fee_per_hour);
        }
        let remedy = "give a price above the operating system's fee";
        Err(Error::OutOfRange { field: "on_demand_per_hour", value: on_demand_per_hour, remedy })
    }
}

/// Tokens of a model: a flow, or amounts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tokens {
    /// Read by the model.
    pub input: f64,
    /// Written by it.
    pub output: f64,
}

/// What tokens cost on demand, in money for a million.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenPrices {
    /// For a million input tokens.
    pub input: f64,
    /// For a million output tokens.
    pub output: f64,
}

impl TokenPrices {
    /// What tokens cost.
    #[must_use]
    pub fn cost(&self, tokens: Tokens) -> f64 {
        (tokens.input * self.input + tokens.output * self.output) / 1e6
    }
}

/// Throughput of a model bought in units (Azure provisioned throughput units): a unit processes so many input tokens a minute, an output token
/// counting as several.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThroughputUnit {
    /// What a unit costs an hour, reserved or not.
    pub price_per_hour: f64,
    /// Input tokens a minute that a unit processes.
    pub tokens_per_minute: f64,
    /// Input tokens that an output token counts as.
    pub input_per_output: f64,
    /// The fewest units of a deployment.
    pub minimum: u32,
    /// The step in which more can be had; above 0.
    pub increment: u32,
}

impl ThroughputUnit {
    /// A flow of tokens in the unit's terms: input + ratio · output.
    #[must_use]
    pub fn weighted(&self, tokens: Tokens) -> f64 {
        tokens.input + self.input_per_output * tokens.output
    }

    /// Units for a peak of so many tokens a minute, in the steps they are sold in.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a flow below 0 or a unit without throughput or increment.
    pub fn units_for(&self, per_minute: Tokens) -> Result<f64> {
        let flow = self.weighted(per_minute);
        if flow < 0.0 {
            return Err(Error::OutOfRange { field: "tokens a minute", value: flow, remedy: "give 0 or more tokens" });
        }
        let needed = ratio(flow, "tokens_per_minute", self.tokens_per_minute)?;
        let above = (needed - f64::from(self.minimum)).max(0.0);
        let steps = (ratio(above, "increment", f64::from(self.increment))? - 1e-9).ceil().max(0.0);
        Ok(f64::from(self.minimum) + steps * f64::from(self.increment))
    }

    /// The share of so many units' throughput, over all hours, that a mean flow of tokens a minute uses.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] without units.
    pub fn utilisation(&self, units: f64, mean_per_minute: Tokens) -> Result<f64> {
        ratio(self.weighted(mean_per_minute), "units", units * self.tokens_per_minute)
    }

    /// The utilisation from which on a unit costs no more than the same tokens on demand, in the mix given: price of a unit / on-demand price
    /// of an hour of its throughput. Above 1 it never does.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for tokens that cost or weigh nothing.
    pub fn break_even_utilisation(&self, mix: Tokens, prices: TokenPrices) -> Result<f64> {
        let per_weighted = ratio(prices.cost(mix), "tokens", self.weighted(mix))?;
        ratio(self.price_per_hour, "on-demand price of the throughput", per_weighted * self.tokens_per_minute * 60.0)
    }

    /// Cost of 1,000 tokens of a mix, input and output together, at a utilisation of the throughput.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless the utilisation is above 0 and at most 1, or for a mix without tokens.
    pub fn cost_per_1k_tokens(&self, mix: Tokens, utilisation: f64) -> Result<f64> {
        let utilisation = fraction("utilisation", utilisation)?;
        let per_weighted = ratio(self.price_per_hour, "tokens_per_minute", self.tokens_per_minute * 60.0 * utilisation)?;
        ratio(1000.0 * per_weighted * self.weighted(mix), "tokens", mix.input + mix.output)
    }
}

fn fraction(field: &'static str, value: f64) -> Result<f64> {
    if value > 0.0 && value <= 1.0 {
        return Ok(value);
    }
    Err(Error::OutOfRange { field, value, remedy: "give a share above 0, at most 1" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() <= 1e-12 * right.abs(), "{left} is not {right}");
    }

    #[test]
    fn costs_are_equal_at_the_break_even_utilisation() -> Result<()> {
        let on_demand =
            Capacity { price_per_hour: 11.0, paid: PaidHours::Running, work_per_hour: 3.6e6, hours_per_hour_of_work: 1.0 };
        let reserved = Capacity { price_per_hour: 7.7, paid: PaidHours::All, ..on_demand };
        let even = reserved.break_even_utilisation(&on_demand).unwrap_or(0.0);
        close(even, 0.7);
        for load in [0.2, 1.0] {
            close(reserved.cost_per_unit(even, load)?, on_demand.cost_per_unit(even, load)?);
        }
        assert!(reserved.cost_per_unit(0.75, 1.0)? < on_demand.cost_per_unit(0.75, 1.0)?);
        // Halving the load doubles the cost; the finance formula is the same at full use of all hours.
        close(on_demand.cost_per_unit(1.0, 0.5)? * 1000.0, super::super::cost_per_1k_tokens(11.0, 1000.0, 0.5)?);
        assert_eq!(on_demand.break_even_utilisation(&reserved), None);
        assert!(on_demand.cost_per_unit(0.0, 1.0).is_err() && on_demand.cost_per_unit(1.0, 1.5).is_err());
        Ok(())
    }

    #[test]
    fn a_prepaid_window_breaks_even_where_on_demand_costs_as_much() -> Result<()> {
        let block = PrepaidWindow { instances: 4.0, hours: 336.0, price_per_hour: 40.0, system_fee_per_hour: 0.5 };
        close(block.fee(), 53_760.0);
        let hours = block.break_even_utilisation(80.5)? * 4.0 * 336.0;
        close(hours, 672.0);
        close(block.cost(hours)?, hours * 80.5);
        assert!(block.cost(1345.0).is_err() && block.break_even_utilisation(0.5).is_err());
        Ok(())
    }

    #[test]
    fn throughput_is_sold_in_steps_and_breaks_even_against_tokens() -> Result<()> {
        let unit =
            ThroughputUnit { price_per_hour: 1.0, tokens_per_minute: 3000.0, input_per_output: 4.0, minimum: 15, increment: 5 };
        close(unit.units_for(Tokens { input: 10_000.0, output: 1_000.0 })?, 15.0);
        close(unit.units_for(Tokens { input: 45_000.0, output: 0.0 })?, 15.0);
        close(unit.units_for(Tokens { input: 45_000.0, output: 1.0 })?, 20.0);
        let (mix, prices) = (Tokens { input: 3.0, output: 1.0 }, TokenPrices { input: 2.0, output: 8.0 });
        let even = unit.break_even_utilisation(mix, prices)?;
        // 7 weighted tokens cost 14 / 1e6, an hour of throughput is 180,000: 0.36 on demand against 1.
        close(even, 1.0 / 0.36);
        let cheap = ThroughputUnit { price_per_hour: 0.18, ..unit };
        let even = cheap.break_even_utilisation(mix, prices)?;
        close(cheap.cost_per_1k_tokens(mix, even)?, 1000.0 * prices.cost(mix) / 4.0);
        close(unit.utilisation(15.0, Tokens { input: 9_000.0, output: 0.0 })?, 0.2);
        assert!(unit.units_for(Tokens { input: -1.0, output: 0.0 }).is_err());
        assert!(unit.break_even_utilisation(Tokens { input: 0.0, output: 0.0 }, prices).is_err());
        Ok(())
    }
}
