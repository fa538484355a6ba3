//! Changes of usage and prices that a planner can name: each takes curves and gives curves, so they compose, and each is a few lines of a
//! scenario file.
//!
//! Factors act hour by hour and line by line, so growth, drivers, steps without an amount, seasons and holidays commute; a launch or a
//! migration does not commute with a factor that selects one of its lines only. Formulas: `docs/formulation-scenario.md`, "Transforms".

mod project;
mod select;

pub use project::repeat;
pub use select::Select;

use super::forecast::count;
use crate::catalog::{Benefit, Catalog, OnDemandPrice};
use crate::error::{Error, Problem, Result};
use crate::time::{Hour, HourGrid};
use crate::units::{Money, MoneyPerHour, UnitPrice, to_decimal};
use crate::usage::{PricingCategory, Sku, UsageCurves, UsageLine};
use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use ndarray::{Array1, Array2, Axis, concatenate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A quantity that usage follows: users, tokens, transactions, headcount.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Driver {
    /// What it counts, for reports.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Its value when usage was as measured, above 0.
    pub base: f64,
    /// Its value in each month of the horizon, keyed `2025-01`; 0 or more.
    pub monthly: BTreeMap<String, f64>,
}

/// One change of usage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Transform {
    /// Usage is multiplied by (1 + annual)^(days / 365) from a date on.
    Growth {
        /// The lines.
        #[serde(default)]
        select: Select,
        /// Growth in a year of 365 days: 0.2 is 20 % more, -0.2 is 20 % less; above -1.
        annual: f64,
        /// Where growth starts; the first hour if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<DateTime<Utc>>,
    },
    /// Usage follows a driver: it is multiplied by (value / base)^elasticity, month by month.
    Driver {
        /// The lines.
        #[serde(default)]
        select: Select,
        /// The driver's name.
        driver: String,
        /// Per cent of usage for one per cent of the driver: 1 is proportional.
        #[serde(default = "one")]
        elasticity: f64,
    },
    /// Usage becomes `usage * factor + amount` between two dates: more or less load, a line switched off (factor 0).
    Step {
        /// The lines.
        #[serde(default)]
        select: Select,
        /// Where the step is.
        from: DateTime<Utc>,
        /// Where usage is as before again; never if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
        /// Multiplies usage; 0 or more.
        #[serde(default = "one")]
        factor: f64,
        /// Added to each line selected, in its unit an hour; what would be below 0 is 0.
        #[serde(default)]
        amount: f64,
    },
    /// A new line runs between two dates: a launch, a GPU cluster on and off.
    Launch {
        /// What runs.
        line: NewLine,
        /// How much of it, in its unit an hour.
        quantity: f64,
        /// When it starts.
        from: DateTime<Utc>,
        /// When it stops; never if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
    },
    /// Usage moves to another line: a newer family, another region, a smaller size, spot capacity.
    Migrate {
        /// The lines that move.
        #[serde(default)]
        select: Select,
        /// What the new line differs in; all else is as in the old one.
        to: Target,
        /// When it starts.
        from: DateTime<Utc>,
        /// When it is complete, growing evenly from `from` on; at once if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
        /// The share that moves in the end, 0 to 1.
        #[serde(default = "one")]
        share: f64,
        /// Units of the new line for one unit of the old: 0.8 where the new one does the same work with a fifth less.
        #[serde(default = "one")]
        efficiency: f64,
    },
    /// Usage is multiplied by factors of the calendar month and of the hour of the week (UTC, Monday 00:00 first).
    Season {
        /// The lines.
        #[serde(default)]
        select: Select,
        /// Twelve factors from January on; none if empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        month: Vec<f64>,
        /// 168 factors from Monday 00:00 on; none if empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hour_of_week: Vec<f64>,
    },
    /// Usage is multiplied by a factor on certain days (UTC).
    Holiday {
        /// The lines.
        #[serde(default)]
        select: Select,
        /// The days.
        days: BTreeSet<NaiveDate>,
        /// Multiplies usage; 0 or more.
        factor: f64,
    },
}

/// A line that is not in the usage yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLine {
    /// What is metered.
    pub sku: Sku,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account: String,
}

/// What a line becomes in a migration; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Target {
    /// Another region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Another type or size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// Another operating system, engine or licence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Another account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Spot capacity or on demand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pricing: Option<PricingCategory>,
}

impl Target {
    fn of(&self, line: &UsageLine) -> UsageLine {
        let mut line = line.clone();
        let moved = self.region.is_some() || self.sku.is_some() || self.platform.is_some();
        for (place, new) in [
            (&mut line.sku.region, &self.region),
            (&mut line.sku.sku, &self.sku),
            (&mut line.sku.platform, &self.platform),
            (&mut line.account, &self.account),
        ] {
            if let Some(new) = new {
                place.clone_from(new);
            }
        }
        if let Some(pricing) = self.pricing {
            line.pricing = pricing;
        }
        if moved {
            // The old line's price and zone are not the new one's.
            line.billed_price = None;
            if self.region.is_some() {
                line.availability_zone.clear();
            }
        }
        line
    }
}

fn one() -> f64 {
    1.0
}

/// What transforms may refer to.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Drivers by name.
    pub drivers: &'a BTreeMap<String, Driver>,
    /// Prices that a migration or a launch must find; not checked if absent.
    pub catalog: Option<&'a Catalog>,
}

impl Transform {
    /// The curves after this change.
    ///
    /// # Errors
    /// [`Problem::SelectsNothing`], [`Problem::DriverWithoutData`], [`Problem::MigrationWithoutPrice`], [`Problem::OutOfRange`] and
    /// [`Problem::NotFinite`] for a figure the transform is not defined for, [`Problem::EndBeforeStart`].
    pub fn apply(&self, usage: &UsageCurves, context: Context<'_>) -> Result<UsageCurves> {
        let grid = usage.grid();
        match self {
            Self::Growth { select, annual, from } => {
                check(*annual, "annual", "growth above -1", |value| value > -1.0)?;
                let start = from.map_or(grid.first, Hour::containing);
                let rate = (1.0 + annual).ln();
                scale(usage, select, |hour| {
                    #[allow(clippy::cast_precision_loss)]
                    let days = (hour.since_epoch() - start.since_epoch()).max(0) as f64 / 24.0;
                    Ok((rate * days / 365.0).exp())
                })
            }
            Self::Driver { select, driver, elasticity } => {
                check(*elasticity, "elasticity", "finite numbers", f64::is_finite)?;
                let none = || Problem::DriverWithoutData {
                    driver: driver.clone(),
                    missing: "any month: there is no such driver".into(),
                };
                let data = context.drivers.get(driver).ok_or_else(none)?;
                check(data.base, "base", "numbers above 0", |value| value > 0.0)
                    .map_err(|error| error.in_item(driver.clone()))?;
                scale(usage, select, |hour| {
                    let month = hour.month().to_string();
                    let value = data.monthly.get(&month).ok_or_else(|| {
                        Error::from(Problem::DriverWithoutData { driver: driver.clone(), missing: month.clone() })
                            .in_field("drivers")
                    })?;
                    check(*value, "monthly", "numbers of 0 or more", |value| value >= 0.0)
                        .map_err(|error| error.in_item(driver.clone()))?;
                    Ok((value / data.base).powf(*elasticity))
                })
            }
            Self::Step { select, from, until, factor, amount } => {
                check(*factor, "factor", "numbers of 0 or more", |value| value >= 0.0)?;
                check(*amount, "amount", "finite numbers", f64::is_finite)?;
                let within = span(grid, *from, *until)?;
                change(usage, select, |index, value| {
                    Ok(if within.contains(&index) { (value * factor + amount).max(0.0) } else { value })
                })
            }
            Self::Launch { line, quantity, from, until } => {
                check(*quantity, "quantity", "numbers of 0 or more", |value| value >= 0.0)?;
                let within = span(grid, *from, *until)?;
                let column = Array1::from_shape_fn(grid.count, |hour| if within.contains(&hour) { *quantity } else { 0.0 });
                let line = UsageLine::new(line.sku.clone(), line.account.clone());
                priced("a launch", &line, context)?;
                add(usage, usage.quantity().clone(), vec![(line, column)])
            }
            Self::Migrate { select, to, from, until, share, efficiency } => {
                check(*share, "share", "0 to 1", |value| (0.0..=1.0).contains(&value))?;
                check(*efficiency, "efficiency", "numbers above 0", |value| value > 0.0)?;
                let (start, end) = (Hour::containing(*from), until.map_or(Hour::containing(*from), Hour::containing));
                span(grid, *from, *until)?;
                let moved = |hour: Hour| {
                    if hour < start {
                        0.0
                    } else if hour >= end {
                        *share
                    } else {
                        #[allow(clippy::cast_precision_loss)]
                        let (passed, all) =
                            ((hour.since_epoch() - start.since_epoch()) as f64, (end.since_epoch() - start.since_epoch()) as f64);
                        share * passed / all
                    }
                };
                let mut quantity = usage.quantity().clone();
                let mut new = Vec::new();
                for column in select.columns(usage)? {
                    let line = to.of(&usage.lines()[column]);
                    priced(&usage.lines()[column].to_string(), &line, context)?;
                    let mut arrives = Array1::zeros(grid.count);
                    for hour in 0..grid.count {
                        let leaves = quantity[(hour, column)] * moved(grid.hour(hour));
                        quantity[(hour, column)] -= leaves;
                        arrives[hour] = leaves * efficiency;
                    }
                    new.push((line, arrives));
                }
                add(usage, quantity, new)
            }
            Self::Season { select, month, hour_of_week } => {
                for (list, length, field) in [(month, 12, "month"), (hour_of_week, 168, "hour_of_week")] {
                    if !list.is_empty() && list.len() != length {
                        let problem =
                            Problem::OutOfRange { value: format!("{} factors", list.len()), range: "12 months or 168 hours" };
                        return Err(Error::from(problem).in_field(field));
                    }
                    list.iter().try_for_each(|factor| check(*factor, field, "numbers of 0 or more", |value| value >= 0.0))?;
                }
                let pick = |list: &[f64], index: u32| list.get(usize::try_from(index).unwrap_or(0)).copied().unwrap_or(1.0);
                scale(usage, select, |hour| {
                    let start = hour.start();
                    Ok(pick(month, start.month0())
                        * pick(hour_of_week, 24 * start.weekday().num_days_from_monday() + start.hour()))
                })
            }
            Self::Holiday { select, days, factor } => {
                check(*factor, "factor", "numbers of 0 or more", |value| value >= 0.0)?;
                scale(usage, select, |hour| Ok(if days.contains(&hour.start().date_naive()) { *factor } else { 1.0 }))
            }
        }
    }
}

/// Applies transforms one after the other.
///
/// # Errors
/// As [`Transform::apply`], naming the transform by its place, from 1.
pub fn apply_all(transforms: &[Transform], usage: &UsageCurves, context: Context<'_>) -> Result<UsageCurves> {
    let mut usage = usage.clone();
    for (index, transform) in transforms.iter().enumerate() {
        usage = transform.apply(&usage, context).map_err(|error| error.in_item(format!("transform {}", index + 1)))?;
    }
    Ok(usage)
}

/// A change of list prices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceChange {
    /// What changes its price; account and tags do not count, prices know neither.
    #[serde(default)]
    pub select: Select,
    /// Multiplies the price: 0.56 is a cut of 44 %; above 0.
    pub factor: f64,
    /// From when on.
    pub from: DateTime<Utc>,
    /// What follows the on-demand price.
    #[serde(default)]
    pub offers: OfferPrices,
}

/// Whether commitments sold after a price change follow it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfferPrices {
    /// New commitments and plan rates change by the same factor.
    #[default]
    Follow,
    /// They stay: the discount shrinks. A rate that ends above the on-demand price is an error of the scenario.
    Stay,
}

impl PriceChange {
    /// The catalog of that instant: changes before it are in, later ones are not.
    ///
    /// # Errors
    /// [`Problem::OutOfRange`] for a factor that is not above 0, and those of [`Catalog::new`].
    pub fn catalog_at(changes: &[Self], catalog: &Catalog, at: DateTime<Utc>) -> Result<Catalog> {
        let mut prices: Vec<OnDemandPrice> = catalog.prices().to_vec();
        let mut offers = catalog.offers().to_vec();
        for change in changes.iter().filter(|change| change.from <= at) {
            check(change.factor, "prices.factor", "numbers above 0", |value| value > 0.0)?;
            let factor = to_decimal(change.factor).unwrap_or_default();
            let mut changed = BTreeSet::new();
            for price in prices.iter_mut().filter(|price| change.select.takes_sku(&price.sku)) {
                price.price = UnitPrice::new(price.price.value() * factor);
                changed.insert(price.id.clone());
            }
            if changed.is_empty() {
                return Err(Problem::SelectsNothing { selection: change.select.to_string() }.into());
            }
            if change.offers == OfferPrices::Stay {
                continue;
            }
            for offer in &mut offers {
                match &mut offer.benefit {
                    Benefit::Reservation { sku, .. } if changed.contains(sku) => {
                        offer.upfront = Money::new(offer.upfront.value() * factor);
                        offer.recurring = MoneyPerHour::new(offer.recurring.value() * factor);
                    }
                    Benefit::Reservation { .. } => {}
                    Benefit::SpendPlan { rates, .. } => {
                        for (_, rate) in rates.iter_mut().filter(|rate| changed.contains(rate.0)) {
                            *rate = UnitPrice::new(rate.value() * factor);
                        }
                    }
                }
            }
        }
        Catalog::new(catalog.currency(), catalog.price_date(), catalog.source(), prices, offers)?
            .with_spot(catalog.spot().to_vec())
    }
}

fn check(value: f64, field: &'static str, range: &'static str, good: impl Fn(f64) -> bool) -> Result<()> {
    if value.is_finite() && good(value) {
        return Ok(());
    }
    Err(Error::from(Problem::OutOfRange { value: value.to_string(), range }).in_field(field))
}

/// The hours between two dates.
fn span(grid: HourGrid, from: DateTime<Utc>, until: Option<DateTime<Utc>>) -> Result<std::ops::Range<usize>> {
    let until = until.unwrap_or(DateTime::<Utc>::MAX_UTC);
    if until <= from {
        let problem = Problem::EndBeforeStart { start: from.to_rfc3339(), end: until.to_rfc3339() };
        return Err(Error::from(problem).in_field("until"));
    }
    Ok(grid.span(from, until))
}

fn priced(from: &str, line: &UsageLine, context: Context<'_>) -> Result<()> {
    let needs_price = line.pricing == PricingCategory::Standard && line.billed_price.is_none();
    if needs_price && context.catalog.is_some_and(|catalog| catalog.price(&line.sku).is_none()) {
        let problem = Problem::MigrationWithoutPrice { from: from.to_owned(), to: line.to_string() };
        return Err(Error::from(problem).in_field("to"));
    }
    Ok(())
}

/// Multiplies the selected lines by a factor of the hour.
fn scale(usage: &UsageCurves, select: &Select, factor: impl Fn(Hour) -> Result<f64>) -> Result<UsageCurves> {
    let factors = usage.grid().hours().map(factor).collect::<Result<Vec<f64>>>()?;
    change(usage, select, |hour, value| Ok(value * factors[hour]))
}

fn change(usage: &UsageCurves, select: &Select, new: impl Fn(usize, f64) -> Result<f64>) -> Result<UsageCurves> {
    let mut quantity = usage.quantity().clone();
    for column in select.columns(usage)? {
        for (hour, value) in quantity.column_mut(column).iter_mut().enumerate() {
            *value = new(hour, *value)?;
        }
    }
    UsageCurves::new(usage.grid(), usage.lines().to_vec(), quantity)?.with_weights(usage.weights().clone())
}

/// Curves with further columns; a column of a line that is there already is added to it.
fn add(usage: &UsageCurves, mut quantity: Array2<f64>, new: Vec<(UsageLine, Array1<f64>)>) -> Result<UsageCurves> {
    let mut lines = usage.lines().to_vec();
    let stream = |line: &UsageLine| UsageLine { billed_price: None, ..line.clone() };
    for (line, column) in new {
        match lines.iter().position(|old| stream(old) == stream(&line)) {
            Some(place) => {
                let mut sum = quantity.column_mut(place);
                sum += &column;
            }
            None => {
                lines.push(line);
                let column = column.insert_axis(Axis(1));
                quantity = concatenate(Axis(1), &[quantity.view(), column.view()]).map_err(|error| {
                    let problem =
                        Problem::OutOfRange { value: count(lines.len()).to_string(), range: "columns that fit in memory" };
                    Error::from(problem).caused_by(error)
                })?;
            }
        }
    }
    UsageCurves::new(usage.grid(), lines, quantity)?.with_weights(usage.weights().clone())
}
