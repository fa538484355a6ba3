//! Forecasts of one series (weekly means, say) by methods that need no solver, measured by rolling origin, with bands from their own
//! past errors.
//!
//! [`Method::DampedTrend`] is Holt's linear method with a damped trend (Gardner and McKenzie 1985; Hyndman and Athanasopoulos,
//! "Forecasting: Principles and Practice", section 8.2); [`Method::SeasonalNaive`] with drift and [`Method::TrailingMean`] are the simple
//! methods it has to beat (section 5.2 there). A rolling origin forecasts from every past date and looks at what came (section 5.10).
//! Formulas: `docs/formulation-scenario.md`, "Forecasts".

use crate::error::{Error, Problem, Result};
use serde::{Deserialize, Serialize};

/// How a series goes on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
pub enum Method {
    /// The mean of the last values, for ever.
    TrailingMean {
        /// How many values.
        window: usize,
    },
    /// The value one season ago, plus the mean change per step if there is drift.
    SeasonalNaive {
        /// Steps in a season; 1 repeats the last value.
        season: usize,
        /// Whether the mean change per step over the whole past goes on.
        drift: bool,
    },
    /// Holt's level and trend; the trend shrinks by the damping in every step ahead.
    DampedTrend {
        /// Weight of a new value in the level, above 0 to 1.
        level: f64,
        /// Weight of a new change in the trend, 0 to 1.
        trend: f64,
        /// What is left of the trend after a step, above 0 to 1; 1 is a straight line.
        damping: f64,
    },
}

/// On which scale a series is forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// As it is: changes are amounts.
    #[default]
    Linear,
    /// Its logarithm: changes are rates. Values below a thousandth of the series' mean count as that.
    Logarithmic,
}

/// A method on a scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Forecaster {
    /// How the series goes on.
    pub method: Method,
    /// On which scale.
    pub scale: Scale,
}

impl Default for Forecaster {
    /// Holt's method on the logarithm with level 0.5, trend 0.05 and no damping: of the methods compared on the trace of Snowflake
    /// (`docs/formulation-scenario.md`) the best where demand falls, and close to the best where it grows.
    fn default() -> Self {
        Self { method: Method::DampedTrend { level: 0.5, trend: 0.05, damping: 1.0 }, scale: Scale::Logarithmic }
    }
}

/// How far a method was off at one horizon, over all origins.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HorizonError {
    /// Steps ahead.
    pub horizon: usize,
    /// How many origins could be compared.
    pub origins: usize,
    /// Mean of actual - forecast, in the series' unit.
    pub bias: f64,
    /// Mean absolute error, in the series' unit.
    pub mean_absolute: f64,
    /// Root of the mean squared error, in the series' unit.
    pub root_mean_square: f64,
    /// Sum of absolute errors over the sum of actual values (weighted absolute percentage error), a fraction.
    pub weighted_absolute: f64,
}

/// A forecast with its uncertainty.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bands {
    /// The forecast itself, by step ahead, in the series' unit.
    pub central: Vec<f64>,
    /// The quantiles asked for, each between 0 and 1.
    pub quantiles: Vec<f64>,
    /// For each quantile, the path by step ahead.
    pub paths: Vec<Vec<f64>>,
}

/// Horizons whose past errors tell how errors grow; their errors are divided by the root of the horizon, as those of a random walk grow.
pub(super) const ERROR_HORIZONS: [usize; 4] = [1, 4, 13, 26];
/// The fewest values that a rolling origin starts from.
const FIRST_ORIGIN: usize = 8;

impl Forecaster {
    /// The next `horizon` values.
    ///
    /// # Errors
    /// [`Problem::Empty`] for an empty series, [`Problem::NotFinite`] and [`Problem::Negative`] for such values, [`Problem::OutOfRange`]
    /// for a setting outside its range.
    pub fn forecast(&self, past: &[f64], horizon: usize) -> Result<Vec<f64>> {
        self.check(past)?;
        let series = self.to_scale(past);
        Ok(self.path(&series, horizon).into_iter().map(|value| self.unscale(value)).collect())
    }

    /// Forecasts from every date but the first eight, and compares with what came.
    ///
    /// # Errors
    /// As [`Forecaster::forecast`].
    pub fn rolling_origin(&self, series: &[f64], horizons: &[usize]) -> Result<Vec<HorizonError>> {
        self.check(series)?;
        let scaled = self.to_scale(series);
        let longest = horizons.iter().copied().max().unwrap_or(0);
        let paths: Vec<(usize, Vec<f64>)> =
            (FIRST_ORIGIN..series.len()).map(|origin| (origin, self.path(&scaled[..origin], longest))).collect();
        let of = |horizon: usize| {
            let pairs: Vec<(f64, f64)> = paths
                .iter()
                .filter_map(|(origin, path)| {
                    let actual = series.get((origin + horizon).checked_sub(1)?)?;
                    Some((*actual, self.unscale(*path.get(horizon.checked_sub(1)?)?)))
                })
                .collect();
            let count = count(pairs.len());
            let sum = |of: fn(f64) -> f64| pairs.iter().map(|(actual, forecast)| of(actual - forecast)).sum::<f64>();
            HorizonError {
                horizon,
                origins: pairs.len(),
                bias: sum(|error| error) / count,
                mean_absolute: sum(f64::abs) / count,
                root_mean_square: (sum(|error| error * error) / count).sqrt(),
                weighted_absolute: sum(f64::abs) / pairs.iter().map(|pair| pair.0).sum::<f64>(),
            }
        };
        Ok(horizons.iter().map(|horizon| of(*horizon)).collect())
    }

    /// A forecast and its quantile paths: the forecast shifted by quantiles of the method's own past errors, which grow with the root of
    /// the horizon. With fewer than nine values there are no errors to learn from, and all paths are the forecast.
    ///
    /// # Errors
    /// As [`Forecaster::forecast`], and [`Problem::OutOfRange`] for a quantile outside of 0 to 1.
    pub fn bands(&self, past: &[f64], horizon: usize, quantiles: &[f64]) -> Result<Bands> {
        self.check(past)?;
        if let Some(bad) = quantiles.iter().find(|quantile| !(0.0..=1.0).contains(*quantile)) {
            return Err(
                Error::from(Problem::OutOfRange { value: bad.to_string(), range: "quantiles from 0 to 1" }).in_field("quantiles")
            );
        }
        let series = self.to_scale(past);
        let central = self.path(&series, horizon);
        let mut errors = Vec::new();
        for origin in FIRST_ORIGIN..series.len() {
            let path = self.path(&series[..origin], ERROR_HORIZONS[ERROR_HORIZONS.len() - 1]);
            for ahead in ERROR_HORIZONS {
                if let Some(actual) = series.get(origin + ahead - 1) {
                    errors.push((actual - path[ahead - 1]) / count(ahead).sqrt());
                }
            }
        }
        errors.sort_by(f64::total_cmp);
        let shift = |quantile: f64| if errors.is_empty() { 0.0 } else { sorted_quantile(&errors, quantile) };
        let paths = quantiles
            .iter()
            .map(|quantile| {
                let shift = shift(*quantile);
                let path = central.iter().enumerate();
                path.map(|(step, value)| self.unscale(value + shift * count(step + 1).sqrt())).collect()
            })
            .collect();
        let central = central.into_iter().map(|value| self.unscale(value)).collect();
        Ok(Bands { central, quantiles: quantiles.to_vec(), paths })
    }

    fn check(&self, past: &[f64]) -> Result<()> {
        let share = |value: f64, field: &'static str, above_zero: bool| {
            if (0.0..=1.0).contains(&value) && !(above_zero && value <= 0.0) {
                return Ok(());
            }
            Err(Error::from(Problem::OutOfRange { value: value.to_string(), range: "0 to 1" }).in_field(field))
        };
        match self.method {
            Method::TrailingMean { window: 0 } => {
                return Err(Error::from(Problem::OutOfRange { value: "0".into(), range: "windows of 1 value or more" })
                    .in_field("window"));
            }
            Method::SeasonalNaive { season: 0, .. } => {
                return Err(
                    Error::from(Problem::OutOfRange { value: "0".into(), range: "seasons of 1 step or more" }).in_field("season")
                );
            }
            Method::DampedTrend { level, trend, damping } => {
                share(level, "level", true)?;
                share(trend, "trend", false)?;
                share(damping, "damping", true)?;
            }
            Method::TrailingMean { .. } | Method::SeasonalNaive { .. } => {}
        }
        if past.is_empty() {
            return Err(Problem::Empty { what: "series to forecast" }.into());
        }
        for value in past {
            if !value.is_finite() {
                return Err(Problem::NotFinite { value: value.to_string() }.into());
            }
            if *value < 0.0 {
                return Err(Problem::Negative { value: value.to_string() }.into());
            }
        }
        Ok(())
    }

    fn to_scale(self, series: &[f64]) -> Vec<f64> {
        let floor = (series.iter().sum::<f64>() / count(series.len()) * 1e-3).max(1e-9);
        match self.scale {
            Scale::Linear => series.to_vec(),
            Scale::Logarithmic => series.iter().map(|value| value.max(floor).ln()).collect(),
        }
    }

    fn unscale(self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value.max(0.0),
            // A factor of e^50 is no forecast but a runaway trend; it must not become infinity.
            Scale::Logarithmic => value.clamp(-50.0, 50.0).exp(),
        }
    }

    /// The next values on the scale; the series has at least one.
    fn path(self, series: &[f64], horizon: usize) -> Vec<f64> {
        let last = series.len().saturating_sub(1);
        match self.method {
            Method::TrailingMean { window } => {
                let tail = &series[series.len().saturating_sub(window)..];
                vec![tail.iter().sum::<f64>() / count(tail.len()); horizon]
            }
            Method::SeasonalNaive { season, drift } => {
                let season = season.min(series.len());
                let step = if drift && last > 0 { (series[last] - series[0]) / count(last) } else { 0.0 };
                let from = series.len() - season;
                (0..horizon)
                    .map(|ahead| {
                        let seasons = count(ahead.div_euclid(season) + 1);
                        series[from + ahead % season] + step * seasons * count(season)
                    })
                    .collect()
            }
            Method::DampedTrend { level, trend, damping } => {
                let (mut at, mut change) = (series[0], slope(&series[..series.len().min(26)]));
                for value in &series[1..] {
                    let expected = at + damping * change;
                    let next = level * value + (1.0 - level) * expected;
                    change = trend * (next - at) + (1.0 - trend) * damping * change;
                    at = next;
                }
                let mut left = 1.0;
                (0..horizon)
                    .map(|_| {
                        left *= damping;
                        at += left * change;
                        at
                    })
                    .collect()
            }
        }
    }
}

/// The slope of the least-squares line; 0 for fewer than three values.
pub(super) fn slope(series: &[f64]) -> f64 {
    if series.len() < 3 {
        return 0.0;
    }
    let middle = (count(series.len()) - 1.0) / 2.0;
    let (mut above, mut below) = (0.0, 0.0);
    for (index, value) in series.iter().enumerate() {
        let distance = count(index) - middle;
        above += distance * value;
        below += distance * distance;
    }
    above / below
}

/// The quantile of sorted values, linear between order statistics.
pub(super) fn sorted_quantile(sorted: &[f64], quantile: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let place = quantile.clamp(0.0, 1.0) * count(last);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and the last index
    let below = place.floor() as usize;
    let part = place - place.floor();
    sorted[below] * (1.0 - part) + sorted[(below + 1).min(last)] * part
}

/// A count as f64; exact for any slice that fits in memory.
#[allow(clippy::cast_precision_loss)]
pub(super) fn count(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(method: Method) -> Forecaster {
        Forecaster { method, scale: Scale::Linear }
    }

    #[test]
    fn simple_methods_say_what_their_definitions_say() {
        let series = [1.0, 2.0, 4.0, 5.0];
        assert_eq!(linear(Method::TrailingMean { window: 2 }).forecast(&series, 2).unwrap(), [4.5, 4.5]);
        assert_eq!(linear(Method::SeasonalNaive { season: 2, drift: false }).forecast(&series, 3).unwrap(), [4.0, 5.0, 4.0]);
        let drift = 4.0 / 3.0;
        let naive = linear(Method::SeasonalNaive { season: 1, drift: true }).forecast(&series, 2).unwrap();
        assert!((naive[0] - 5.0 - drift).abs() < 1e-12 && (naive[1] - 5.0 - 2.0 * drift).abs() < 1e-12);
    }

    #[test]
    fn a_straight_line_goes_on_and_its_bands_are_narrow() {
        let series: Vec<f64> = (0..60).map(|step| 10.0 + 2.0 * f64::from(step)).collect();
        let method = Forecaster { scale: Scale::Linear, ..Forecaster::default() };
        let bands = method.bands(&series, 10, &[0.1, 0.9]).unwrap();
        for (step, value) in bands.central.iter().enumerate() {
            assert!((value - (130.0 + 2.0 * count(step))).abs() < 1e-9, "{value}");
        }
        assert!((bands.paths[1][9] - bands.paths[0][9]).abs() < 1e-9);
        let errors = method.rolling_origin(&series, &[1, 13]).unwrap();
        assert!(errors.iter().all(|error| error.root_mean_square < 1e-9 && error.origins > 0));
    }

    #[test]
    fn bands_grow_with_the_horizon_and_are_in_order() {
        let series: Vec<f64> = (0..80).map(|step| 100.0 + f64::from((step * 37) % 17)).collect();
        let bands = Forecaster::default().bands(&series, 30, &[0.05, 0.5, 0.95]).unwrap();
        let width = |step: usize| bands.paths[2][step] - bands.paths[0][step];
        assert!(width(29) > width(0));
        assert!((0..30).all(|step| bands.paths[0][step] <= bands.paths[1][step] && bands.paths[1][step] <= bands.paths[2][step]));
    }

    #[test]
    fn bad_series_and_settings_are_refused() {
        let method = Forecaster::default();
        assert!(method.forecast(&[], 3).unwrap_err().to_string().contains("series to forecast"));
        assert!(method.forecast(&[1.0, f64::NAN], 3).is_err());
        assert!(method.forecast(&[1.0, -1.0], 3).is_err());
        assert!(linear(Method::TrailingMean { window: 0 }).forecast(&[1.0], 1).unwrap_err().to_string().contains("window"));
        let wild = linear(Method::DampedTrend { level: 0.5, trend: 2.0, damping: 0.9 });
        assert!(wild.forecast(&[1.0], 1).unwrap_err().to_string().contains("trend"));
        assert!(method.forecast(&[0.0, 0.0, 0.0], 5).unwrap().iter().all(|value| value.is_finite()));
    }
}
