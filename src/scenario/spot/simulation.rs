//! Work on spot, run many times: interruptions are drawn, prices are hours of the past drawn in blocks.

use super::{Outage, PriceDistribution, Recovery, SpotTerms, check};
use crate::error::{Error, Problem, Result};
use crate::scenario::forecast::count;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp};

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Simulation {
    /// Hours of work of one run.
    pub work_hours: f64,
    /// How many runs.
    pub runs: u32,
    /// Same seed, same runs; run i uses stream i.
    pub seed: u64,
    /// Hours of past prices that stay together, which keeps their persistence.
    pub block_hours: usize,
}

/// What came of it, over the runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulated {
    /// The cost of an hour of work in each run, the lowest first.
    costs: Vec<f64>,
    /// The hours that passed for an hour of work in each run, the lowest first.
    elapsed: Vec<f64>,
    /// Interruptions in all runs.
    pub interruptions: u64,
}

impl Simulated {
    /// The mean cost of an hour of work.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.costs.iter().sum::<f64>() / count(self.costs.len())
    }

    /// The standard error of the mean.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        let (mean, runs) = (self.mean(), count(self.costs.len()));
        let variance = self.costs.iter().map(|cost| (cost - mean).powi(2)).sum::<f64>() / (runs - 1.0).max(1.0);
        (variance / runs).sqrt()
    }

    /// The cost of an hour of work that is not exceeded in this share of the runs; the share is cut to 0 to 1.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        quantile(&self.costs, share)
    }

    /// The hours for an hour of work that are not exceeded in this share of the runs.
    #[must_use]
    pub fn elapsed_quantile(&self, share: f64) -> f64 {
        quantile(&self.elapsed, share)
    }
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let runs = sorted.len();
    let at = (0..runs).find(|index| count(index + 1) >= share * count(runs) * (1.0 - 1e-12)).unwrap_or(runs - 1);
    sorted[at]
}

/// Runs work on spot. `prices` are the spot prices hour by hour; [`SpotTerms::spot_price`] does not count. A price above the on-demand price is
/// paid like any other: a bid is a lower rate of interruption and a price distribution within the bid.
///
/// # Errors
/// [`Problem::OutOfRange`] for a figure out of range, or work that does not end within a million cycles.
pub fn simulate(terms: &SpotTerms, prices: &PriceDistribution, simulation: &Simulation) -> Result<Simulated> {
    terms.check()?;
    check(simulation.work_hours, "work_hours", "finite hours above 0", |hours| hours > 0.0)?;
    let hours = prices.hourly().len();
    let wrong = |value: usize, field: &str, range| {
        Err(Error::from(Problem::OutOfRange { value: value.to_string(), range }).in_field(field))
    };
    if !(1..=hours).contains(&simulation.block_hours) {
        return wrong(simulation.block_hours, "block_hours", "1 hour to the hours of the prices");
    }
    if simulation.runs == 0 {
        return wrong(0, "runs", "1 run or more");
    }
    let (mut costs, mut elapsed, mut interruptions) = (Vec::new(), Vec::new(), 0);
    for run in 0..simulation.runs {
        let mut random = ChaCha8Rng::seed_from_u64(simulation.seed);
        random.set_stream(u64::from(run));
        let mut work = Run {
            terms,
            random,
            path: Path { prices: prices.hourly(), block: simulation.block_hours, hours: Vec::new() },
            clock: 0.0,
            cost: 0.0,
            interruptions: 0,
        };
        work.finish(simulation.work_hours)?;
        costs.push(work.cost / simulation.work_hours);
        elapsed.push(work.clock / simulation.work_hours);
        interruptions += work.interruptions;
    }
    costs.sort_by(f64::total_cmp);
    elapsed.sort_by(f64::total_cmp);
    Ok(Simulated { costs, elapsed, interruptions })
}

/// A path of prices, drawn as far as it is needed.
struct Path<'p> {
    prices: &'p [f64],
    block: usize,
    hours: Vec<f64>,
}

impl Path<'_> {
    /// What spot costs from one instant to another, in hours from the start.
    fn cost(&mut self, from: f64, until: f64, random: &mut ChaCha8Rng) -> f64 {
        let (mut at, mut hour, mut cost) = (from, 0usize, 0.0);
        while count(hour + 1) <= from {
            hour += 1;
        }
        while at < until {
            while self.hours.len() <= hour {
                let start = random.random_range(0..self.prices.len());
                self.hours.extend((start..start + self.block).map(|index| self.prices[index % self.prices.len()]));
            }
            let end = count(hour + 1).min(until);
            cost += (end - at) * self.hours[hour];
            (at, hour) = (end, hour + 1);
        }
        cost
    }
}

struct Run<'p> {
    terms: &'p SpotTerms,
    random: ChaCha8Rng,
    path: Path<'p>,
    clock: f64,
    cost: f64,
    interruptions: u64,
}

impl Run<'_> {
    fn draw(&mut self, mean: f64) -> f64 {
        if mean <= 0.0 {
            return 0.0;
        }
        Exp::new(1.0 / mean).map_or(f64::INFINITY, |law| law.sample(&mut self.random))
    }

    /// Works until so many hours are done. The first run starts as all others do.
    fn finish(&mut self, work: f64) -> Result<()> {
        let mut left = work;
        for _ in 0..1_000_000 {
            let lasts = self.terms.rate.mean_hours_between().map_or(f64::INFINITY, |mean| self.draw(mean));
            let restart = self.terms.recovery.restart_hours();
            // The time this capacity is needed for, and the work it does if it lasts as long as drawn.
            let (needed, done) = match self.terms.recovery {
                Recovery::Stateless { .. } => (restart + left, (lasts - restart).max(0.0)),
                Recovery::Checkpoint { interval_hours, checkpoint_hours, .. } => {
                    let segment = interval_hours + checkpoint_hours;
                    let segments = (left / interval_hours - 1e-9).ceil().max(1.0);
                    (restart + segments * segment, ((lasts - restart).max(0.0) / segment).floor() * interval_hours)
                }
            };
            let held = lasts.min(needed);
            self.cost += self.path.cost(self.clock, self.clock + held, &mut self.random);
            self.clock += held;
            if lasts >= needed {
                return Ok(());
            }
            left -= done;
            self.interruptions += 1;
            match self.terms.outage {
                Outage::Wait { hours } => self.clock += self.draw(hours),
                Outage::OnDemand { hours } if hours > 0.0 => {
                    let outage = self.draw(hours).min(left);
                    self.cost += (outage + restart) * self.terms.on_demand_price;
                    self.clock += outage + restart;
                    left -= outage;
                    if left <= 1e-12 * work {
                        return Ok(());
                    }
                }
                Outage::OnDemand { .. } => {}
            }
        }
        let range = "rates at which the work ends within a million interruptions";
        let value = self.terms.rate.per_hour().to_string();
        Err(Error::from(Problem::OutOfRange { value, range }).in_field("interruptions_per_hour"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::InterruptionRate;
    use super::*;

    #[test]
    fn the_mean_is_the_effective_price() -> Result<()> {
        let prices = PriceDistribution::new((0..48).map(|hour| 0.3 + 0.2 * f64::from(hour % 24) / 23.0).collect())?;
        let checkpoint = Recovery::Checkpoint { interval_hours: 1.0, checkpoint_hours: 0.05, restart_hours: 0.25 };
        for (recovery, outage) in [
            (checkpoint, Outage::OnDemand { hours: 2.0 }),
            (checkpoint, Outage::Wait { hours: 2.0 }),
            (Recovery::Stateless { restart_hours: 0.25 }, Outage::OnDemand { hours: 0.0 }),
        ] {
            let terms = SpotTerms {
                spot_price: prices.mean(),
                on_demand_price: 1.0,
                rate: InterruptionRate::new(0.1)?,
                recovery,
                outage,
            };
            let simulation = Simulation { work_hours: 2000.0, runs: 200, seed: 7, block_hours: 24 };
            let found = simulate(&terms, &prices, &simulation)?;
            let expected = terms.effective_price()?;
            let far = (found.mean() - expected.on_spot).abs();
            assert!(
                far < 4.0 * found.standard_error() + 0.002 * expected.on_spot,
                "{} is not {}",
                found.mean(),
                expected.on_spot
            );
            assert!((found.elapsed_quantile(0.5) / expected.elapsed_hours - 1.0).abs() < 0.05);
            assert!(found.quantile(0.1) < found.mean() && found.mean() < found.quantile(0.9));
            assert_eq!(simulate(&terms, &prices, &simulation)?, found);
            assert_ne!(simulate(&terms, &prices, &Simulation { seed: 8, ..simulation })?, found);
        }
        Ok(())
    }
}
