//! The rows of an answer, by column.

use crate::functions::SCALE;
use chrono::{DateTime, Utc};
use datafusion::arrow::array::{Array, AsArray, Decimal128Array, Int64Array, RecordBatch, StringArray, new_null_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use rust_decimal::Decimal;
use std::sync::Arc;

/// The rows of an answer.
pub(crate) struct Rows(RecordBatch);

impl Rows {
    pub(crate) fn new(batch: RecordBatch) -> Self {
        Self(batch)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.num_rows()
    }

    fn column(&self, name: &str, data_type: &DataType) -> Arc<dyn Array> {
        let column = self.0.column_by_name(name).and_then(|column| cast(column, data_type).ok());
        column.unwrap_or_else(|| new_null_array(data_type, self.len()))
    }

    /// A column of text.
    pub(crate) fn text(&self, name: &str) -> StringArray {
        self.column(name, &DataType::Utf8).as_string().clone()
    }

    /// One text; empty if it is NULL.
    pub(crate) fn text_at(&self, name: &str, row: usize) -> String {
        let column = self.text(name);
        if row >= column.len() || column.is_null(row) { String::new() } else { column.value(row).to_owned() }
    }

    /// A column of whole numbers.
    pub(crate) fn integers(&self, name: &str) -> Int64Array {
        self.column(name, &DataType::Int64).as_primitive::<Int64Type>().clone()
    }

    /// One count; 0 if it is NULL.
    pub(crate) fn count_at(&self, name: &str, row: usize) -> u64 {
        if row >= self.len() { 0 } else { count(&self.integers(name), row) }
    }

    /// A column of decimal numbers, in units of 10^-[`SCALE`].
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    pub(crate) fn numbers(&self, name: &str) -> Decimal128Array {
        self.column(name, &DataType::Decimal128(38, SCALE as i8)).as_primitive::<Decimal128Type>().clone()
    }

    /// One number.
    pub(crate) fn number_at(&self, name: &str, row: usize) -> Option<Decimal> {
        if row >= self.len() { None } else { decimal(&self.numbers(name), row) }
    }

    /// One instant, of a column of seconds.
    pub(crate) fn instant_at(&self, name: &str, row: usize) -> Option<DateTime<Utc>> {
        if row >= self.len() { None } else { instant(&self.integers(name), row) }
    }
}

/// A whole number that must be there; 0 if the engine left it out.
pub(crate) fn count(column: &Int64Array, row: usize) -> u64 {
    if column.is_null(row) { 0 } else { u64::try_from(column.value(row)).unwrap_or(0) }
}

/// The number in a row of a decimal column; `None` if it is NULL.
pub(crate) fn decimal(column: &Decimal128Array, row: usize) -> Option<Decimal> {
    (!column.is_null(row)).then(|| exact(column.value(row)))
}

/// A number in units of 10^-[`SCALE`]; beyond 28 digits, which no bill has, its last digits are rounded.
pub(crate) fn exact(value: i128) -> Decimal {
    let (mut value, mut scale) = strip(value, SCALE);
    loop {
        match Decimal::try_from_i128_with_scale(value, scale) {
            Ok(number) => return number,
            Err(_) if scale > 0 => {
                value = value.saturating_abs().saturating_add(5).div_euclid(10) * value.signum();
                scale -= 1;
            }
            Err(_) => return if value < 0 { Decimal::MIN } else { Decimal::MAX },
        }
    }
}

/// A number in units of 10^-[`SCALE`] as the nearest f64.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn float(value: i128) -> f64 {
    let (digits, scale) = strip(value, SCALE);
    // Both are exact below 2^53 and 1e22, so that the quotient is the nearest f64.
    digits as f64 / 10f64.powi(i32::try_from(scale).unwrap_or(0))
}

/// Value and scale without trailing zeros.
fn strip(mut value: i128, mut scale: u32) -> (i128, u32) {
    while scale > 0 && value % 10 == 0 {
        value /= 10;
        scale -= 1;
    }
    (value, scale)
}

/// The instant of a row of a column of seconds.
pub(crate) fn instant(column: &Int64Array, row: usize) -> Option<DateTime<Utc>> {
    if column.is_null(row) { None } else { DateTime::from_timestamp(column.value(row), 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_length_become_decimals() {
        assert_eq!(exact(16_667_000_000_000).to_string(), "0.016667");
        assert_eq!(exact(-(10i128.pow(38))).to_string(), format!("-1{}", "0".repeat(23)));
        assert_eq!(exact(-1_499_999_999_999_999).to_string(), "-1.499999999999999");
        // 38 digits: the last are rounded.
        assert_eq!(exact(10i128.pow(37) + 6).normalize().to_string(), "10000000000000000000000");
        assert_eq!(exact(i128::MAX).round_dp(0).to_string(), "170141183460469231731687");
    }

    #[test]
    fn quantities_are_the_nearest_f64() {
        assert_eq!(float(16_667_000_000_000).to_bits(), 0.016_667f64.to_bits());
        assert_eq!(float(744_016_667_000_000_000).to_bits(), 744.016_667f64.to_bits());
        assert_eq!(float(0).to_bits(), 0f64.to_bits());
        assert_eq!(float(-125_000_000_000_000).to_bits(), (-0.125f64).to_bits());
    }
}
