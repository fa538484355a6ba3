//! What runs: usage lines, and the quantity of each in every hour.
//!
//! A [`Sku`] is something metered that has one on-demand price (an instance type with its platform and tenancy in a region,
//! a Fargate vCPU, a database node). A [`UsageLine`] is one stream of it: the same SKU in one account and one availability
//! zone. [`UsageCurves`] holds hours x lines. The file format is described at [`UsageCurves::read`].

mod file;
pub(crate) mod pattern;
mod quantity;

pub use pattern::Pattern;

use crate::error::{Error, Problem, Result};
use crate::time::HourGrid;
use crate::units::UnitPrice;
use ndarray::{Array1, Array2, ArrayView2};
use quantity::Quantity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A cloud provider whose commitments this library knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Provider {
    /// Amazon Web Services.
    Aws,
    /// Microsoft Azure.
    Azure,
    /// Google Cloud.
    Gcp,
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
        })
    }
}

/// What is metered and priced: all that an on-demand price depends on. Texts are the provider's own words; empty where an
/// attribute does not apply.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sku {
    /// The provider.
    pub provider: Provider,
    /// The service: `AmazonEC2`, `Virtual Machines`, `Compute Engine`.
    pub service: String,
    /// The region: `us-east-1`, `francecentral`, `us-central1`; empty for a global service.
    pub region: String,
    /// The thing metered, in the provider's words: `m5.large`, `Standard_D4s_v5`, `N2 vCPU`.
    pub sku: String,
    /// Operating system, engine or licence: `Linux`, `Windows`, `PostgreSQL`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub platform: String,
    /// Tenancy: `shared`, `dedicated`, `host`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tenancy: String,
    /// The unit of quantity: `instance-hour`, `vCPU-hour`, `GiB-hour`, `request`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.provider, self.service, self.region, self.sku)?;
        for part in [&self.platform, &self.tenancy, &self.unit] {
            if !part.is_empty() {
                write!(f, "/{part}")?;
            }
        }
        Ok(())
    }
}

/// How the usage is bought, where that decides whether a commitment can cover it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PricingCategory {
    /// At the on-demand price, unless a commitment covers it.
    #[default]
    Standard,
    /// Spot, preemptible or low-priority capacity: no commitment ever covers it.
    Spot,
    /// Within a free tier: costs nothing and no commitment covers it.
    FreeTier,
}

impl PricingCategory {
    /// As in files: `standard`, `spot`, `free_tier`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Spot => "spot",
            Self::FreeTier => "free_tier",
        }
    }
}

/// One stream of metered usage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageLine {
    /// What is metered.
    pub sku: Sku,
    /// The account, subscription or project that uses it.
    pub account: String,
    /// The availability zone as the account's bill names it; empty if unknown or not applicable.
    pub availability_zone: String,
    /// On demand, spot or free.
    pub pricing: PricingCategory,
    /// Tags, for showback; they make lines differ, not prices.
    pub tags: BTreeMap<String, String>,
    /// The on-demand price that the bill shows, if known. It only serves to value usage that the catalog has no price for.
    pub billed_price: Option<UnitPrice>,
}

impl UsageLine {
    /// A line of on-demand usage in one account, without zone or tags.
    #[must_use]
    pub fn new(sku: Sku, account: impl Into<String>) -> Self {
        Self {
            sku,
            account: account.into(),
            availability_zone: String::new(),
            pricing: PricingCategory::Standard,
            tags: BTreeMap::new(),
            billed_price: None,
        }
    }

    /// Whether two lines are the same stream: all but the billed price is equal.
    fn is_same_stream(&self, other: &Self) -> bool {
        Self { billed_price: None, ..self.clone() } == Self { billed_price: None, ..other.clone() }
    }
}

impl fmt::Display for UsageLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sku.fmt(f)?;
        if !self.availability_zone.is_empty() {
            write!(f, " in {}", self.availability_zone)?;
        }
        if !self.account.is_empty() {
            write!(f, " of account {}", self.account)?;
        }
        if self.pricing != PricingCategory::Standard {
            write!(f, " ({})", self.pricing.as_str())?;
        }
        for (key, value) in &self.tags {
            write!(f, " {key}={value}")?;
        }
        Ok(())
    }
}

/// The quantity of every usage line in every hour.
///
/// Quantities are in the SKU's unit an hour; an instance that ran for a quarter of an hour counts 0.25. Each hour has a
/// weight, 1 unless one hour stands for several equal ones; money is weight x quantity x price.
///
/// Lines are held in the order of their keys, so two files with the same content give the same curves whatever the order
/// of their rows. A clone shares lines and quantities.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageCurves {
    grid: HourGrid,
    lines: Arc<Vec<UsageLine>>,
    quantity: Quantity,
    weights: Array1<f64>,
}

impl UsageCurves {
    /// Curves from their parts; `quantity` is hours x lines, every hour of weight 1. Lines and their columns are sorted.
    ///
    /// # Errors
    /// [`Problem::Empty`] without hours or lines, [`Problem::OutOfRange`] if the shapes do not fit, [`Problem::Repeated`]
    /// if two lines are the same stream, [`Problem::NotFinite`] and [`Problem::Negative`] for such a quantity, with line
    /// and hour.
    pub fn new(grid: HourGrid, lines: Vec<UsageLine>, quantity: Array2<f64>) -> Result<Self> {
        let order = order_of(grid, &lines, &quantity.view())?;
        let quantity = if is_sorted(&order) { quantity } else { quantity.select(ndarray::Axis(1), &order) };
        Ok(Self::assemble(grid, lines, &order, Quantity::own(quantity)))
    }

    /// Curves over memory that somebody else owns, such as an array of another language: `values` is hours x lines, row by row. Nothing is
    /// copied if the lines come in the order of their keys; else the columns are sorted into memory of our own.
    ///
    /// # Errors
    /// As [`UsageCurves::new`].
    pub fn from_shared(grid: HourGrid, lines: Vec<UsageLine>, values: impl AsRef<[f64]> + Send + Sync + 'static) -> Result<Self> {
        let wrong = || {
            let value = format!("{} quantities", values.as_ref().len());
            Error::from(Problem::OutOfRange { value, range: "the shape hours x lines" }).in_field("quantity")
        };
        let view = ArrayView2::from_shape((grid.count, lines.len()), values.as_ref()).map_err(|_| wrong())?;
        let order = order_of(grid, &lines, &view)?;
        if !is_sorted(&order) {
            let quantity = Quantity::own(view.select(ndarray::Axis(1), &order));
            return Ok(Self::assemble(grid, lines, &order, quantity));
        }
        let columns = lines.len();
        Ok(Self::assemble(grid, lines, &order, Quantity::foreign(values, columns)))
    }

    /// Curves of quantities whose columns are in this order of the lines already.
    fn assemble(grid: HourGrid, lines: Vec<UsageLine>, order: &[usize], quantity: Quantity) -> Self {
        let mut slots: Vec<Option<UsageLine>> = lines.into_iter().map(Some).collect();
        let lines = order.iter().filter_map(|index| slots[*index].take()).collect();
        Self { weights: Array1::ones(grid.count), grid, lines: Arc::new(lines), quantity }
    }

    /// The same curves with a weight for each hour.
    ///
    /// # Errors
    /// [`Problem::OutOfRange`] if there is not one weight an hour, or one is not finite and above 0.
    pub fn with_weights(mut self, weights: Array1<f64>) -> Result<Self> {
        let bad = weights.iter().find(|weight| !(weight.is_finite() && **weight > 0.0));
        if weights.len() != self.grid.count || bad.is_some() {
            let value = bad.map_or_else(|| format!("{} weights", weights.len()), f64::to_string);
            return Err(
                Error::from(Problem::OutOfRange { value, range: "one finite weight above 0 for each hour" }).in_field("weights")
            );
        }
        self.weights = weights;
        Ok(self)
    }

    /// The hours.
    #[must_use]
    pub fn grid(&self) -> HourGrid {
        self.grid
    }

    /// The lines, in the order of the columns.
    #[must_use]
    pub fn lines(&self) -> &[UsageLine] {
        &self.lines
    }

    /// Quantities, hours x lines, in each line's unit an hour; row-major, finite, not negative.
    ///
    /// Of curves made by [`UsageCurves::from_shared`] this is a copy, made once; [`UsageCurves::values`] is none.
    #[must_use]
    pub fn quantity(&self) -> &Array2<f64> {
        self.quantity.array()
    }

    /// The same quantities as one slice, row by row (all lines of the first hour, then of the second ...). Never a copy.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        self.quantity.values()
    }

    /// The weight of each hour.
    #[must_use]
    pub fn weights(&self) -> &Array1<f64> {
        &self.weights
    }

    /// The sum of the weights: how many real hours the curves stand for.
    #[must_use]
    pub fn total_hours(&self) -> f64 {
        self.weights.sum()
    }

    /// Quantities of one hour, one for each line.
    ///
    /// # Panics
    /// If `hour` is not below the number of hours.
    #[must_use]
    pub fn at(&self, hour: usize) -> &[f64] {
        let width = self.lines.len();
        &self.quantity.values()[hour * width..(hour + 1) * width]
    }

    /// The weighted total quantity of each line.
    #[must_use]
    pub fn totals(&self) -> Array1<f64> {
        self.weights.dot(&self.quantity.view())
    }

    /// The curves of those lines for which `keep` is true; `None` if it is true for none.
    #[must_use]
    pub fn filter(&self, mut keep: impl FnMut(&UsageLine) -> bool) -> Option<Self> {
        let kept: Vec<usize> = (0..self.lines.len()).filter(|index| keep(&self.lines[*index])).collect();
        if kept.is_empty() {
            return None;
        }
        Some(Self {
            grid: self.grid,
            lines: Arc::new(kept.iter().map(|index| self.lines[*index].clone()).collect()),
            quantity: Quantity::own(self.quantity.view().select(ndarray::Axis(1), &kept)),
            weights: self.weights.clone(),
        })
    }
}

/// Checks curves and gives the order of their lines.
fn order_of(grid: HourGrid, lines: &[UsageLine], quantity: &ArrayView2<'_, f64>) -> Result<Vec<usize>> {
    if grid.count == 0 || lines.is_empty() {
        return Err(Problem::Empty { what: "usage" }.into());
    }
    if quantity.dim() != (grid.count, lines.len()) {
        let value = format!("{} x {}", quantity.nrows(), quantity.ncols());
        return Err(Error::from(Problem::OutOfRange { value, range: "the shape hours x lines" }).in_field("quantity"));
    }
    for ((hour, line), value) in quantity.indexed_iter() {
        check_quantity(*value).map_err(|error| error.in_item(lines[line].to_string()).at_hour(grid.hour(hour)))?;
    }
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by(|a, b| lines[*a].cmp(&lines[*b]));
    if let Some(pair) = order.windows(2).find(|pair| lines[pair[0]].is_same_stream(&lines[pair[1]])) {
        return Err(Error::from(Problem::Repeated).in_item(lines[pair[1]].to_string()));
    }
    Ok(order)
}

fn is_sorted(order: &[usize]) -> bool {
    order.windows(2).all(|pair| pair[0] < pair[1])
}

fn check_quantity(value: f64) -> Result<()> {
    if !value.is_finite() {
        return Err(Problem::NotFinite { value: value.to_string() }.into());
    }
    if value < 0.0 {
        return Err(Problem::Negative { value: value.to_string() }.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Hour;

    #[test]
    fn shared_memory_is_read_in_place_and_equals_our_own() {
        let line = |name: &str| {
            let (service, empty) = (String::from("AmazonEC2"), String::new);
            let (region, platform, tenancy, unit) = (empty(), empty(), empty(), empty());
            UsageLine::new(Sku { provider: Provider::Aws, service, region, sku: name.into(), platform, tenancy, unit }, "a")
        };
        let grid = HourGrid { first: Hour::from_epoch(0), count: 2 };
        let values: Vec<f64> = vec![1.0, 2.0, 3.0, 4.0];
        let address = values.as_ptr();
        let own = UsageCurves::new(grid, vec![line("a"), line("b")], ndarray::array![[1.0, 2.0], [3.0, 4.0]]).unwrap();
        let shared = UsageCurves::from_shared(grid, vec![line("a"), line("b")], values.clone()).unwrap();
        assert_eq!((&shared, shared.at(1)), (&own, [3.0, 4.0].as_slice()));
        assert_eq!((shared.totals(), shared.quantity()), (own.totals(), own.quantity()));
        let shared = UsageCurves::from_shared(grid, vec![line("a"), line("b")], values).unwrap();
        assert_eq!(shared.values().as_ptr(), address);
        let turned = UsageCurves::from_shared(grid, vec![line("b"), line("a")], vec![2.0, 1.0, 4.0, 3.0]).unwrap();
        assert_eq!(turned, own);
        assert!(UsageCurves::from_shared(grid, vec![line("a")], vec![1.0]).is_err());
        assert!(UsageCurves::from_shared(grid, vec![line("a")], vec![1.0, -1.0]).is_err());
    }

    #[test]
    fn hours_of_filtered_and_of_column_major_curves_are_whole() {
        let sku = |name: &str| Sku {
            provider: Provider::Aws,
            service: "AmazonEC2".into(),
            region: String::new(),
            sku: name.into(),
            platform: String::new(),
            tenancy: String::new(),
            unit: String::new(),
        };
        let lines = ["c", "a", "b"].map(|name| UsageLine::new(sku(name), "")).to_vec();
        let quantity =
            ndarray::array![[3.0, 1.0, 2.0], [6.0, 4.0, 5.0]].reversed_axes().as_standard_layout().reversed_axes().into_owned();
        let curves = UsageCurves::new(HourGrid { first: Hour::from_epoch(0), count: 2 }, lines, quantity).unwrap();
        assert_eq!((curves.at(0), curves.at(1)), (&[1.0, 2.0, 3.0][..], &[4.0, 5.0, 6.0][..]));
        let some = curves.filter(|line| line.sku.sku != "b").unwrap();
        assert_eq!((some.at(0), some.at(1)), (&[1.0, 3.0][..], &[4.0, 6.0][..]));
        assert!(curves.filter(|_| false).is_none());
    }
}
