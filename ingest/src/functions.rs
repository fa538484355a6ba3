//! The functions that the queries use beside the engine's own: text of a file to text, exact decimals and instants, values of JSON objects in
//! cells, and a hash of rows. Each gives NULL for what it cannot understand, so that such values can be counted and named.

mod json;
mod number;
mod time;

pub(crate) use number::SCALE;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Builder, Float64Array, Int64Builder, StringArray, StringBuilder, StringViewArray,
    UInt64Array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float64Type};
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::prelude::SessionContext;
use std::sync::Arc;

/// The functions.
pub(crate) fn all() -> impl Iterator<Item = Arc<ScalarUDF>> {
    let call = |function| Call { function, signature: Signature::variadic_any(Volatility::Immutable) };
    Function::ALL.into_iter().map(move |function| Arc::new(ScalarUDF::new_from_impl(call(function))))
}

/// Adds the functions to a session.
pub(crate) fn register(context: &SessionContext) {
    for function in all() {
        context.register_udf(Arc::unwrap_or_clone(function));
    }
}

/// The digits behind the point, as the engine has them.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
const DIGITS: i8 = SCALE as i8;

/// What a function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Function {
    /// `text_of(text)`: trimmed of nothing; the ways to write "no value" become the empty text.
    TextOf,
    /// `number_of(text)`: the decimal it reads as.
    NumberOf,
    /// `exact_decimal(double)`: the shortest decimal that is this f64.
    ExactDecimal,
    /// `seconds_of(text, order of day and month, zone)`: seconds since 1970.
    SecondsOf,
    /// `json_get(text, key)`: the value of a key of an object, of an object without its braces, or of a list of keys and values.
    JsonGet,
    /// `json_text(nested)`: a nested value as JSON.
    JsonText,
    /// `credits_of(list, type pattern)`: the sum of the amounts of a list of credits, of those whose type contains the pattern.
    CreditsOf,
    /// `times(decimal, decimal)`: the product, rounded to the digits kept; the engine's own would need twice the digits.
    Times,
    /// `over(decimal, whole number)`: the quotient, likewise.
    Over,
    /// `row_hash(...)`: a hash of some columns.
    RowHash,
}

impl Function {
    const ALL: [Self; 10] = [
        Self::TextOf,
        Self::NumberOf,
        Self::ExactDecimal,
        Self::SecondsOf,
        Self::JsonGet,
        Self::JsonText,
        Self::CreditsOf,
        Self::Times,
        Self::Over,
        Self::RowHash,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::TextOf => "text_of",
            Self::NumberOf => "number_of",
            Self::ExactDecimal => "exact_decimal",
            Self::SecondsOf => "seconds_of",
            Self::JsonGet => "json_get",
            Self::JsonText => "json_text",
            Self::CreditsOf => "credits_of",
            Self::Times => "times",
            Self::Over => "over",
            Self::RowHash => "row_hash",
        }
    }

    fn returns(self, first: Option<&DataType>) -> DataType {
        match self {
            // Texts of Parquet files stay as they are read.
            Self::TextOf if first.is_some_and(|first| *first != DataType::Utf8) => DataType::Utf8View,
            Self::TextOf | Self::JsonGet | Self::JsonText => DataType::Utf8,
            Self::NumberOf | Self::ExactDecimal | Self::CreditsOf | Self::Times | Self::Over => DataType::Decimal128(38, DIGITS),
            Self::SecondsOf => DataType::Int64,
            Self::RowHash => DataType::UInt64,
        }
    }

    fn call(self, args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let first = args.first();
        Ok(match self {
            Self::TextOf => match first {
                Some(column) => text_of(column)?,
                None => empty(&self.returns(None), rows),
            },
            Self::NumberOf => decimals(args, rows, |texts, row| number::parse(texts[0].value(row)))?,
            Self::ExactDecimal => match first {
                Some(column) => exact_decimals(cast(column, &DataType::Float64)?.as_primitive::<Float64Type>())?,
                None => empty(&self.returns(None), rows),
            },
            Self::SecondsOf => seconds(args, rows)?,
            Self::JsonGet => {
                let texts = texts(args)?;
                let mut built = StringBuilder::new();
                for row in 0..rows {
                    match texts.as_slice() {
                        [object, key, ..] if !object.is_null(row) && !key.is_null(row) => {
                            built.append_value(json::get(object.value(row), key.value(row)).unwrap_or_default());
                        }
                        _ => built.append_value(""),
                    }
                }
                Arc::new(built.finish())
            }
            Self::JsonText => match first {
                Some(column) => json::texts(column)?,
                None => empty(&self.returns(None), rows),
            },
            Self::CreditsOf => decimals(args, rows, |texts, row| {
                let pattern = texts.get(1).map_or("", |pattern| pattern.value(row));
                json::credits(texts[0].value(row), pattern)
            })?,
            Self::Times => pairs(args, rows, &DataType::Decimal128(38, DIGITS), number::times)?,
            Self::Over => pairs(args, rows, &DataType::Decimal128(38, 0), number::over)?,
            Self::RowHash => {
                let mut hashes = vec![0u64; rows];
                create_hashes(args, &RandomState::with_seed(0), &mut hashes)?;
                Arc::new(UInt64Array::from(hashes))
            }
        })
    }
}

fn empty(data_type: &DataType, rows: usize) -> ArrayRef {
    datafusion::arrow::array::new_null_array(data_type, rows)
}

/// The columns as text, whatever their layout.
fn texts(args: &[ArrayRef]) -> Result<Vec<StringArray>> {
    args.iter().map(|column| Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())).collect()
}

/// The ways in which files write that there is no value: Athena's text, SQL dumps and FOCUS samples.
const ABSENT: [&str; 4] = [r"\N", "NULL", "null", "Null"];

/// Whether a text says that there is none.
fn is_absent(text: &str) -> bool {
    matches!(text.len(), 2 | 4) && ABSENT.contains(&text)
}

fn text_of(column: &ArrayRef) -> Result<ArrayRef> {
    if *column.data_type() == DataType::Utf8 {
        let text = column.as_string::<i32>();
        if text.null_count() == 0 && !text.iter().flatten().any(is_absent) {
            return Ok(Arc::clone(column));
        }
        let present = |value: Option<&str>| value.filter(|value| !is_absent(value)).unwrap_or_default().to_owned();
        let texts: StringArray = text.iter().map(|value| Some(present(value))).collect();
        return Ok(Arc::new(texts));
    }
    let views = cast(column, &DataType::Utf8View)?;
    let text = views.as_string_view();
    // The first four bytes of a view are the text's length.
    let may_be_absent = |view: &u128| matches!(*view & 0xffff_ffff, 2 | 4);
    let is_absent = |row: usize, view: &u128| text.is_null(row) || may_be_absent(view) && is_absent(text.value(row));
    if text.null_count() == 0 && !text.views().iter().enumerate().any(|(row, view)| is_absent(row, view)) {
        return Ok(views);
    }
    // The view of the empty text is 0.
    let present = text.views().iter().enumerate().map(|(row, view)| if is_absent(row, view) { 0 } else { *view });
    Ok(Arc::new(StringViewArray::try_new(present.collect(), text.data_buffers().to_vec(), None)?))
}

/// Decimals, each of a row of texts; NULL in the first text gives NULL.
fn decimals(args: &[ArrayRef], rows: usize, value: impl Fn(&[StringArray], usize) -> Option<i128>) -> Result<ArrayRef> {
    let texts = texts(args)?;
    let mut built = Decimal128Builder::with_capacity(rows).with_data_type(DataType::Decimal128(38, DIGITS));
    for row in 0..rows {
        let is_null = texts.first().is_none_or(|first| first.is_null(row));
        built.append_option(if is_null { None } else { value(&texts, row) });
    }
    Ok(Arc::new(built.finish()))
}

/// Decimals of two numbers each, the second of a type of its own; NULL if either is.
fn pairs(args: &[ArrayRef], rows: usize, second: &DataType, value: impl Fn(i128, i128) -> Option<i128>) -> Result<ArrayRef> {
    let mut built = Decimal128Builder::with_capacity(rows).with_data_type(DataType::Decimal128(38, DIGITS));
    if let [left, right] = args {
        let (left, right) = (cast(left, &DataType::Decimal128(38, DIGITS))?, cast(right, second)?);
        let (left, right) = (left.as_primitive::<Decimal128Type>(), right.as_primitive::<Decimal128Type>());
        for row in 0..rows {
            let are_present = !left.is_null(row) && !right.is_null(row);
            built.append_option(are_present.then(|| value(left.value(row), right.value(row))).flatten());
        }
    }
    Ok(Arc::new(built.finish()))
}

fn exact_decimals(column: &Float64Array) -> Result<ArrayRef> {
    let mut built = Decimal128Builder::with_capacity(column.len()).with_data_type(DataType::Decimal128(38, DIGITS));
    for value in column {
        built.append_option(value.and_then(number::exact));
    }
    Ok(Arc::new(built.finish()))
}

fn seconds(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let texts = texts(args)?;
    let mut built = Int64Builder::with_capacity(rows);
    // The next row often has the time of the row before.
    let mut last: Option<(String, Option<i64>)> = None;
    for row in 0..rows {
        let [text, order, zone] = texts.as_slice() else {
            built.append_null();
            continue;
        };
        if text.is_null(row) {
            built.append_null();
            continue;
        }
        let text = text.value(row);
        let known = last.as_ref().filter(|(known, _)| known == text).map(|(_, seconds)| *seconds);
        let seconds = known.unwrap_or_else(|| time::seconds(text, order.value(row), zone.value(row)));
        if known.is_none() {
            last = Some((text.to_owned(), seconds));
        }
        built.append_option(seconds);
    }
    Ok(Arc::new(built.finish()))
}

/// A function as the engine calls it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Call {
    function: Function,
    signature: Signature,
}

impl ScalarUDFImpl for Call {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(self.function.returns(types.first()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let rows = arrays.first().map_or(args.number_rows, Array::len);
        Ok(ColumnarValue::Array(self.function.call(&arrays, rows)?))
    }
}
