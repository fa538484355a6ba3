//! Many futures from one past: a block bootstrap of whole weeks (Künsch 1989; Politis and Romano 1994) that keeps the hour-of-week shape
//! and, since a block holds all lines of its weeks, the correlation between lines.
//!
//! The residual of a measured hour is its quantity over the smoothed weekly level, divided by the mean of that ratio at the same hour of
//! the week; its mean over all weeks is 1 at every hour of the week of every line. A scenario multiplies a future by residuals of blocks
//! of weeks drawn with replacement, so its expectation is that future. Scenarios are made one at a time, each from its own stream of the
//! seed: any of them can be made again alone, and memory holds one. Formulas: `docs/formulation-scenario.md`, "Bootstrap".

use super::forecast::count;
use super::hedge::WEEK;
use crate::error::{Error, Problem, Result};
use crate::usage::UsageCurves;
use ndarray::{Array2, s};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use serde::{Deserialize, Serialize};

/// How fast demand may grow: the logarithm of a year's growth factor is normal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrowthDistribution {
    /// The median growth in a year of 365 days: 0.1 is 10 % more.
    pub median: f64,
    /// The standard deviation of the logarithm of the year's factor.
    pub deviation: f64,
}

/// How scenarios are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Same seed, same scenarios.
    pub seed: u64,
    /// Weeks that stay together.
    pub block_weeks: usize,
    /// Weeks over which the level is smoothed; odd.
    pub smooth_weeks: usize,
    /// Growth on top of the future given, the same for all lines; none if absent.
    pub growth: Option<GrowthDistribution>,
}

impl Default for Setting {
    fn default() -> Self {
        Self { seed: 1, block_weeks: 4, smooth_weeks: 9, growth: None }
    }
}

/// Draws scenarios.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    future: UsageCurves,
    /// Hours of whole weeks x lines of the future.
    residuals: Array2<f64>,
    /// Hour of the week of the first residual, counted from the epoch.
    phase: i64,
    setting: Setting,
}

impl Bootstrap {
    /// Learns residuals from the past; `future` is what scenarios vary. A line of the future that the past does not have is not varied.
    ///
    /// # Errors
    /// [`Problem::OutOfRange`] for less than two weeks of past, blocks longer than it, an even number of weeks to smooth over, or a growth
    /// that is not defined.
    pub fn new(past: &UsageCurves, future: &UsageCurves, setting: Setting) -> Result<Self> {
        let wrong = |value: String, range: &'static str, field: &'static str| {
            Err(Error::from(Problem::OutOfRange { value, range }).in_field(field))
        };
        let weeks = past.grid().count.div_euclid(WEEK);
        if weeks < 2 {
            return wrong(format!("{} hours", past.grid().count), "two weeks of usage or more", "usage");
        }
        if !(1..=weeks).contains(&setting.block_weeks) {
            return wrong(setting.block_weeks.to_string(), "1 week to the weeks of the usage", "block_weeks");
        }
        if setting.smooth_weeks.is_multiple_of(2) {
            return wrong(setting.smooth_weeks.to_string(), "odd numbers of weeks", "smooth_weeks");
        }
        let is_defined = |growth: &GrowthDistribution| {
            growth.median > -1.0 && growth.median.is_finite() && growth.deviation >= 0.0 && growth.deviation.is_finite()
        };
        if let Some(growth) = setting.growth.filter(|growth| !is_defined(growth)) {
            return wrong(format!("{growth:?}"), "a median above -1 and a deviation of 0 or more", "growth");
        }
        let skip = past.grid().count - weeks * WEEK;
        let mut residuals = Array2::ones((weeks * WEEK, future.lines().len()));
        for (column, line) in future.lines().iter().enumerate() {
            if let Some(source) = past.lines().iter().position(|old| old.sku == line.sku && old.account == line.account) {
                let series: Vec<f64> = past.quantity().slice(s![skip.., source]).to_vec();
                residuals.column_mut(column).assign(&ndarray::ArrayView1::from(&residuals_of(&series, setting.smooth_weeks)));
            }
        }
        let phase = past.grid().hour(skip).since_epoch();
        Ok(Self { future: future.clone(), residuals, phase, setting })
    }

    /// The first so many scenarios, one at a time.
    pub fn scenarios(&self, how_many: u64) -> impl Iterator<Item = Result<UsageCurves>> + '_ {
        (0..how_many).map(|index| self.scenario(index))
    }

    /// The scenario of that number.
    ///
    /// # Errors
    /// [`Problem::NotFinite`] if growth leaves the range of numbers.
    pub fn scenario(&self, index: u64) -> Result<UsageCurves> {
        let mut random = ChaCha8Rng::seed_from_u64(self.setting.seed);
        random.set_stream(index);
        let rate = match self.setting.growth {
            Some(growth) => {
                let normal = Normal::new(growth.median.ln_1p(), growth.deviation);
                normal.map_or(0.0, |normal| normal.sample(&mut random))
            }
            None => 0.0,
        };
        let grid = self.future.grid();
        let weeks = self.residuals.nrows().div_euclid(WEEK);
        let mut quantity = self.future.quantity().clone();
        let (mut week, mut source, mut left) = (None, 0, 0);
        for (index, mut row) in quantity.rows_mut().into_iter().enumerate() {
            let since = grid.hour(index).since_epoch() - self.phase;
            let (this, within) = (since.div_euclid(168), usize::try_from(since.rem_euclid(168)).unwrap_or(0));
            if week != Some(this) {
                week = Some(this);
                if left == 0 {
                    source = random.random_range(0..weeks);
                    left = self.setting.block_weeks;
                } else {
                    source = (source + 1) % weeks;
                }
                left -= 1;
            }
            let growth = if self.setting.growth.is_some() { (rate * count(index) / 8760.0).exp() } else { 1.0 };
            let residual = self.residuals.row(source * WEEK + within);
            ndarray::Zip::from(&mut row).and(&residual).for_each(|value, residual| *value *= residual * growth);
        }
        UsageCurves::new(grid, self.future.lines().to_vec(), quantity)?.with_weights(self.future.weights().clone())
    }
}

/// Quantity over smoothed level, divided by its mean at the hour of the week; 1 where there is nothing to compare.
fn residuals_of(series: &[f64], smooth: usize) -> Vec<f64> {
    let means: Vec<f64> = series.chunks_exact(WEEK).map(|week| week.iter().sum::<f64>() / count(WEEK)).collect();
    let reach = smooth.div_euclid(2);
    let level = |week: usize| {
        let around = &means[week.saturating_sub(reach)..(week + reach + 1).min(means.len())];
        around.iter().sum::<f64>() / count(around.len())
    };
    let levels: Vec<f64> = (0..means.len()).map(level).collect();
    let mut ratio: Vec<f64> = series
        .iter()
        .enumerate()
        .map(|(hour, value)| {
            let level = levels[hour.div_euclid(WEEK)];
            if level > 0.0 { value / level } else { f64::NAN }
        })
        .collect();
    for hour in 0..WEEK {
        let known = |ratio: &[f64]| -> Vec<f64> {
            ratio.iter().skip(hour).step_by(WEEK).copied().filter(|value| !value.is_nan()).collect()
        };
        let values = known(&ratio);
        let mean = values.iter().sum::<f64>() / count(values.len().max(1));
        for value in ratio.iter_mut().skip(hour).step_by(WEEK) {
            *value = if value.is_nan() || mean <= 0.0 { 1.0 } else { *value / mean };
        }
    }
    ratio
}
