//! Usage curves: their numbers are shared with NumPy both ways, without a copy.

use crate::error::Result;
use crate::run::detached;
use arrow_buffer::{Buffer, ScalarBuffer};
use covermix::scenario::backtest::hours_of;
use covermix::time::{Hour, HourGrid};
use covermix::units::UnitPrice;
use covermix::usage::{PricingCategory, Provider, Sku, UsageCurves as Curves, UsageLine};
use covermix::{Error, Problem};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3_arrow::buffer::PyArrowBuffer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A usage line in JSON, all fields side by side.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    provider: Provider,
    service: String,
    #[serde(default)]
    region: String,
    sku: String,
    #[serde(default)]
    platform: String,
    #[serde(default)]
    tenancy: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    account: String,
    #[serde(default)]
    availability_zone: String,
    #[serde(default)]
    pricing: PricingCategory,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    billed_price: Option<UnitPrice>,
}

impl From<Line> for UsageLine {
    fn from(line: Line) -> Self {
        let Line { provider, service, region, sku, platform, tenancy, unit, .. } = line;
        Self {
            sku: Sku { provider, service, region, sku, platform, tenancy, unit },
            account: line.account,
            availability_zone: line.availability_zone,
            pricing: line.pricing,
            tags: line.tags,
            billed_price: line.billed_price,
        }
    }
}

impl From<UsageLine> for Line {
    fn from(line: UsageLine) -> Self {
        let Sku { provider, service, region, sku, platform, tenancy, unit } = line.sku;
        let UsageLine { account, availability_zone, pricing, tags, billed_price, .. } = line;
        Self { provider, service, region, sku, platform, tenancy, unit, account, availability_zone, pricing, tags, billed_price }
    }
}

/// The curves' numbers as bytes, for a buffer that keeps the curves alive.
struct Bytes(Curves);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(self.0.values())
    }
}

/// The quantity of every usage line in every hour.
#[pyclass(frozen, eq, module = "covermix._native")]
#[derive(PartialEq)]
pub(crate) struct UsageCurves(pub(crate) Curves);

#[pymethods]
impl UsageCurves {
    /// Reads a usage file.
    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf) -> Result<Self> {
        detached(py, None, || Curves::read(path)).map(Self)
    }

    /// Reads the text of a usage file.
    #[staticmethod]
    fn from_csv(py: Python<'_>, text: &[u8]) -> Result<Self> {
        detached(py, None, || Curves::from_reader(text)).map(Self)
    }

    /// Curves over the bytes of a C-contiguous float64 array, hours x lines, which are not copied if the lines are in order.
    #[staticmethod]
    fn from_buffer(py: Python<'_>, first_hour: i64, hours: usize, lines: &str, buffer: PyArrowBuffer) -> Result<Self> {
        let lines: Vec<Line> = serde_json::from_str(lines)?;
        let lines: Vec<UsageLine> = lines.into_iter().map(UsageLine::from).collect();
        let buffer = buffer.into_inner();
        let count = hours.saturating_mul(lines.len());
        if buffer.len() != count.saturating_mul(8) || buffer.as_ptr().align_offset(align_of::<f64>()) != 0 {
            let value = format!("{} bytes", buffer.len());
            let problem = Problem::OutOfRange { value, range: "the aligned float64 values of hours x lines" };
            return Err(Error::from(problem).in_field("quantity").into());
        }
        let values: ScalarBuffer<f64> = ScalarBuffer::new(buffer, 0, count);
        let grid = HourGrid { first: Hour::from_epoch(first_hour), count: hours };
        detached(py, None, || Curves::from_shared(grid, lines, values)).map(Self)
    }

    /// The lines as a JSON list.
    fn lines(&self) -> Result<String> {
        let lines: Vec<Line> = self.0.lines().iter().cloned().map(Line::from).collect();
        Ok(serde_json::to_string(&lines)?)
    }

    /// The lines in words.
    fn names(&self) -> Vec<String> {
        self.0.lines().iter().map(ToString::to_string).collect()
    }

    /// The first hour, counted from 1970-01-01T00:00Z.
    fn first_hour(&self) -> i64 {
        self.0.grid().first.since_epoch()
    }

    /// The number of hours.
    fn hours(&self) -> usize {
        self.0.grid().count
    }

    /// The quantities, hours x lines in float64, as a read-only buffer over the same memory.
    fn quantity(&self) -> PyArrowBuffer {
        PyArrowBuffer::new(Buffer::from(bytes::Bytes::from_owner(Bytes(self.0.clone()))))
    }

    /// The weight of each hour.
    fn weights<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.weights().to_vec().into_pyarray(py)
    }

    /// The weighted total of each line.
    fn totals<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.totals().to_vec().into_pyarray(py)
    }

    /// The same curves with other weights.
    fn with_weights(&self, weights: PyReadonlyArray1<'_, f64>) -> Result<Self> {
        Ok(Self(self.0.clone().with_weights(weights.as_array().to_owned())?))
    }

    /// The lines for which `keep` is true; `None` if there are none.
    fn filter(&self, keep: Vec<bool>) -> Option<Self> {
        let mut keep = keep.into_iter();
        self.0.filter(|_| keep.next().unwrap_or(false)).map(Self)
    }

    /// Some of the hours.
    fn part(&self, first: usize, end: usize) -> Result<Self> {
        let end = end.min(self.0.grid().count);
        Ok(Self(hours_of(&self.0, first.min(end)..end)?))
    }

    /// Writes a usage file.
    fn write(&self, py: Python<'_>, path: PathBuf) -> Result<()> {
        detached(py, None, || self.0.write(path))
    }
}
