//! Tables in and out through the Arrow C data interface (the PyCapsule protocol), with NumPy on the Python side.

use crate::error::Result;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use numpy::{IntoPyArray, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use pyo3_arrow::PyTable;
use pyo3_arrow::input::AnyRecordBatch;
use rust_decimal::Decimal;
use std::collections::HashMap;
use std::sync::Arc;

fn wrong(error: ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// What a column holds, for Python.
enum Values {
    /// Numbers of any type as float64.
    Numbers(Vec<f64>),
    /// Instants in microseconds, with their zone.
    Instants(Vec<i64>, Option<String>),
    /// Texts as positions in a list of labels.
    Texts { codes: Vec<i64>, labels: Vec<String>, index: HashMap<String, i64> },
    /// A type that usage does not have.
    Other,
}

struct Column {
    values: Values,
    nulls: Vec<bool>,
}

impl Column {
    fn new(kind: &DataType) -> Self {
        let values = match kind {
            DataType::Timestamp(_, zone) => Values::Instants(Vec::new(), zone.as_ref().map(ToString::to_string)),
            DataType::Dictionary(_, of) if is_text(of) => texts(),
            kind if is_text(kind) => texts(),
            kind if kind.is_numeric() => Values::Numbers(Vec::new()),
            _ => Values::Other,
        };
        Self { values, nulls: Vec::new() }
    }

    fn add(&mut self, array: &ArrayRef) -> std::result::Result<(), ArrowError> {
        self.nulls.extend((0..array.len()).map(|index| array.is_null(index)));
        match &mut self.values {
            Values::Numbers(numbers) => {
                let array = cast(array, &DataType::Float64)?;
                numbers.extend(array.as_primitive::<Float64Type>().values());
            }
            Values::Instants(instants, zone) => {
                let kind = DataType::Timestamp(TimeUnit::Microsecond, zone.as_deref().map(Into::into));
                instants.extend(cast(array, &kind)?.as_primitive::<TimestampMicrosecondType>().values());
            }
            Values::Texts { codes, labels, index } => {
                let array = cast(array, &DataType::LargeUtf8)?;
                for text in array.as_string::<i64>() {
                    let text = text.unwrap_or("");
                    let code = match index.get(text) {
                        Some(code) => *code,
                        None => {
                            let code = i64::try_from(labels.len()).unwrap_or(i64::MAX);
                            labels.push(text.to_owned());
                            index.insert(text.to_owned(), code);
                            code
                        }
                    };
                    codes.push(code);
                }
            }
            Values::Other => {}
        }
        Ok(())
    }

    fn into_python<'py>(self, py: Python<'py>, kind: &DataType) -> PyResult<Bound<'py, PyDict>> {
        let column = PyDict::new(py);
        column.set_item("type", kind.to_string())?;
        match self.values {
            Values::Numbers(numbers) => column.set_item("numbers", numbers.into_pyarray(py))?,
            Values::Instants(instants, zone) => {
                column.set_item("instants", instants.into_pyarray(py))?;
                column.set_item("zone", zone)?;
            }
            Values::Texts { codes, labels, .. } => {
                column.set_item("codes", codes.into_pyarray(py))?;
                column.set_item("labels", labels)?;
            }
            Values::Other => {}
        }
        if self.nulls.contains(&true) {
            column.set_item("nulls", self.nulls.into_pyarray(py))?;
        }
        Ok(column)
    }
}

fn texts() -> Values {
    Values::Texts { codes: Vec::new(), labels: Vec::new(), index: HashMap::new() }
}

fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// The columns of anything that exports an Arrow stream or batch: a list of (name, column), where a column is a dict with `type`, and `numbers`,
/// `instants` (microseconds) and `zone`, or `codes` and `labels`; and `nulls` if there are any.
#[pyfunction]
pub(crate) fn arrow_columns<'py>(py: Python<'py>, table: AnyRecordBatch) -> Result<Bound<'py, PyList>> {
    let reader = table.into_reader()?;
    let schema = reader.schema();
    let mut columns: Vec<Column> = schema.fields().iter().map(|field| Column::new(field.data_type())).collect();
    for batch in reader {
        let batch = batch.map_err(wrong)?;
        for (column, array) in columns.iter_mut().zip(batch.columns()) {
            column.add(array).map_err(wrong)?;
        }
    }
    let list = PyList::empty(py);
    for (field, column) in schema.fields().iter().zip(columns) {
        list.append((field.name(), column.into_python(py, field.data_type())?))?;
    }
    Ok(list)
}

/// An Arrow table of columns given as (name, kind, values): kinds are `text`, `float`, `integer`, `money`, `boolean`, `hour` (microseconds, UTC) and
/// `date` (days from 1970-01-01). Money keeps every digit, as decimals of the column's largest scale.
#[pyfunction]
pub(crate) fn arrow_table(columns: Vec<(String, String, Bound<'_, PyAny>)>) -> Result<PyTable> {
    let mut fields = Vec::with_capacity(columns.len());
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(columns.len());
    for (name, kind, values) in columns {
        let array = array(&kind, &values)?;
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(wrong)?;
    Ok(PyTable::try_new(vec![batch], schema)?)
}

fn array(kind: &str, values: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    Ok(match kind {
        "text" => Arc::new(StringArray::from(values.extract::<Vec<Option<String>>>()?)),
        "float" => match values.extract::<PyReadonlyArray1<'_, f64>>() {
            Ok(numbers) => Arc::new(Float64Array::from(numbers.to_vec()?)),
            Err(_) => Arc::new(Float64Array::from(values.extract::<Vec<Option<f64>>>()?)),
        },
        "integer" => Arc::new(Int64Array::from(values.extract::<Vec<Option<i64>>>()?)),
        "boolean" => Arc::new(BooleanArray::from(values.extract::<Vec<Option<bool>>>()?)),
        "hour" => Arc::new(TimestampMicrosecondArray::from(values.extract::<Vec<Option<i64>>>()?).with_timezone("UTC")),
        "date" => Arc::new(Date32Array::from(values.extract::<Vec<Option<i32>>>()?)),
        "money" => Arc::new(decimals(&values.extract::<Vec<Option<Decimal>>>()?).map_err(wrong)?),
        other => return Err(PyValueError::new_err(format!("a column cannot be of kind {other}"))),
    })
}

/// Digits of a 128-bit decimal.
const DIGITS: u32 = 38;

fn decimals(values: &[Option<Decimal>]) -> std::result::Result<Decimal128Array, ArrowError> {
    let given = || values.iter().flatten();
    let whole = given().map(|value| value.trunc().mantissa().unsigned_abs().checked_ilog10().unwrap_or(0) + 1).max().unwrap_or(1);
    let scale = given().map(Decimal::scale).max().unwrap_or(0).min(DIGITS - whole);
    let scaled = |value: &Decimal| {
        let value = value.round_dp(scale);
        value.mantissa() * 10_i128.pow(scale - value.scale())
    };
    let array: Decimal128Array = values.iter().map(|value| value.as_ref().map(scaled)).collect();
    array.with_precision_and_scale(38, i8::try_from(scale).unwrap_or(0))
}
