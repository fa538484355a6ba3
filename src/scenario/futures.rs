//! Futures from a past: the quantile paths of a forecast, each with the shape of the latest weeks, as scenarios a planner can plan for.
//!
//! The forecast is of the weekly on-demand cost of all lines together, since single lines are too short-lived to forecast alone; each line
//! keeps the share of it that it had in the same hour of the latest weeks. Formulas: `docs/formulation-scenario.md`, "Futures".

use super::forecast::{Forecaster, count};
use super::hedge::{WEEK, weekly_means};
use super::{Scenario, Scenarios};
use crate::catalog::Catalog;
use crate::error::{Error, Problem, Result};
use crate::time::HourGrid;
use crate::usage::UsageCurves;
use ndarray::Array2;

/// How futures are made of a past.
#[derive(Clone, Debug, PartialEq)]
pub struct Futures {
    /// How weekly costs are forecast.
    pub forecaster: Forecaster,
    /// The scenarios: equally likely quantiles of the forecast's errors, each between 0 and 1.
    pub quantiles: Vec<f64>,
    /// How many trailing weeks give the shape of the hours.
    pub shape_weeks: usize,
}

impl Default for Futures {
    /// Ten equally likely quantiles, the shape of the last four weeks.
    fn default() -> Self {
        let quantiles = (0..10).map(|index| 0.05 + 0.1 * f64::from(index)).collect();
        Self { forecaster: Forecaster::default(), quantiles, shape_weeks: 4 }
    }
}

impl Futures {
    /// Scenarios of the hours that follow the past, all equally likely, named by their quantile.
    ///
    /// # Errors
    /// [`Problem::Empty`] for a past shorter than a week, no hours or no quantiles, [`Problem::Dangling`] for a line without a price, and
    /// as [`Forecaster::bands`].
    pub fn of(&self, past: &UsageCurves, catalog: &Catalog, hours: usize) -> Result<Scenarios> {
        if past.grid().count < WEEK || hours == 0 || self.quantiles.is_empty() {
            return Err(Problem::Empty { what: "past of a week or more, hours ahead or quantiles" }.into());
        }
        let mut prices = Vec::with_capacity(past.lines().len());
        for line in past.lines() {
            let unknown =
                || Error::from(Problem::Dangling { kind: "on-demand price", id: line.sku.to_string() }).in_field("usage");
            prices.push(catalog.price(&line.sku).ok_or_else(unknown)?.price.to_f64());
        }
        let quantity = past.quantity();
        let cost: Vec<f64> =
            quantity.rows().into_iter().map(|row| row.iter().zip(&prices).map(|(q, price)| q * price).sum()).collect();
        let weeks = weekly_means(&cost);
        let bands = self.forecaster.bands(&weeks, hours.div_ceil(WEEK), &self.quantiles)?;
        let shape_weeks = self.shape_weeks.clamp(1, weeks.len());
        let from = past.grid().count - shape_weeks * WEEK;
        let level = &weeks[weeks.len() - shape_weeks..];
        let grid = HourGrid { first: past.grid().hour(past.grid().count), count: hours };
        let probability = 1.0 / count(self.quantiles.len());
        let scenario = |(quantile, path): (&f64, &Vec<f64>)| {
            let future = Array2::from_shape_fn((hours, prices.len()), |(hour, line)| {
                let source = hour % (shape_weeks * WEEK);
                let was = level[source.div_euclid(WEEK)];
                let factor = if was > 0.0 { path[hour.div_euclid(WEEK)] / was } else { 0.0 };
                quantity[(from + source, line)] * factor
            });
            let usage = UsageCurves::new(grid, past.lines().to_vec(), future)?;
            Ok(Scenario { name: format!("quantile {quantile:.3}"), probability, usage, prices: Vec::new() })
        };
        Scenarios::new(bands.quantiles.iter().zip(&bands.paths).map(scenario).collect::<Result<Vec<Scenario>>>()?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use super::*;
    use crate::catalog::OnDemandPrice;
    use crate::scenario::forecast::{Method, Scale};
    use crate::time::Hour;
    use crate::units::UnitPrice;
    use crate::usage::{Provider, Sku, UsageLine};
    use rust_decimal::Decimal;

    fn sku(name: &str) -> Sku {
        Sku {
            provider: Provider::Aws,
            service: "AmazonEC2".into(),
            region: "us-east-1".into(),
            sku: name.into(),
            platform: "Linux".into(),
            tenancy: "shared".into(),
            unit: "hour".into(),
        }
    }

    fn case(weeks: usize, of: impl Fn(usize, usize) -> f64) -> (UsageCurves, Catalog) {
        let lines = vec![UsageLine::new(sku("a"), "one"), UsageLine::new(sku("b"), "one")];
        let grid = HourGrid { first: Hour::from_epoch(480_000), count: weeks * WEEK + 5 };
        let usage = UsageCurves::new(grid, lines, Array2::from_shape_fn((grid.count, 2), |(hour, line)| of(hour, line))).unwrap();
        let price = |name: &str, price: i64| OnDemandPrice {
            id: name.into(),
            sku: sku(name),
            price: UnitPrice::new(Decimal::from(price)),
            family: "a".into(),
            pools: Vec::new(),
            provider_id: String::new(),
            list_price: None,
            origin: Default::default(),
        };
        (usage, Catalog::new("USD", None, "test", vec![price("a", 1), price("b", 3)], Vec::new()).unwrap())
    }

    #[test]
    fn a_steady_past_goes_on_hour_by_hour_in_every_scenario() {
        let (usage, catalog) = case(12, |hour, line| ((hour + 163) % WEEK + 10 * line) as f64);
        let futures = Futures::default().of(&usage, &catalog, 400).unwrap();
        assert_eq!(futures.as_slice().len(), 10);
        for scenario in futures.as_slice() {
            for hour in 0..400 {
                for line in 0..2 {
                    let (future, past) = (scenario.usage.quantity()[(hour, line)], usage.quantity()[(5 + hour % WEEK, line)]);
                    assert!((future - past).abs() < 1e-6 * (1.0 + past), "{} {hour} {line}: {future} {past}", scenario.name);
                }
            }
        }
    }

    #[test]
    fn the_weekly_cost_of_a_scenario_is_its_path() {
        let (usage, catalog) =
            case(30, |hour, line| (1.0 + (hour % 24) as f64) * (1.0 + (hour.div_euclid(WEEK) % 5) as f64) + line as f64);
        let setting = Futures {
            forecaster: Forecaster { method: Method::TrailingMean { window: 6 }, scale: Scale::Linear },
            ..Futures::default()
        };
        let futures = setting.of(&usage, &catalog, 3 * WEEK).unwrap();
        let cost =
            |usage: &UsageCurves| -> Vec<f64> { usage.quantity().rows().into_iter().map(|row| row[0] + 3.0 * row[1]).collect() };
        let bands = setting.forecaster.bands(&weekly_means(&cost(&usage)), 3, &setting.quantiles).unwrap();
        for (scenario, path) in futures.as_slice().iter().zip(&bands.paths) {
            for (found, expected) in weekly_means(&cost(&scenario.usage)).iter().zip(path) {
                assert!((found - expected).abs() <= 1e-9 * expected, "{}: {found} {expected}", scenario.name);
            }
        }
    }

    #[test]
    fn a_line_without_a_price_is_named() {
        let (usage, catalog) = case(2, |_, _| 1.0);
        let one = catalog.prices()[..1].to_vec();
        let catalog = Catalog::new("USD", None, "test", one, Vec::new()).unwrap();
        let error = Futures::default().of(&usage, &catalog, 10).unwrap_err();
        assert!(format!("{error}").contains("us-east-1"), "{error}");
    }
}
