//! The functions of the engine over [`Keys`].

use super::Keys;
use crate::options::{Meter, Phase};
use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A function over [`Keys`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What {
    Key,
    Slot,
    Class,
}

/// A function over [`Keys`] as the engine calls it.
struct Call {
    what: What,
    keys: Arc<Keys>,
    /// Where rows are counted; those of text files are counted as they are read.
    meter: Option<Meter>,
    signature: Signature,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("what", &self.what).finish_non_exhaustive()
    }
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        self.what == other.what && Arc::ptr_eq(&self.keys, &other.keys)
    }
}

impl Eq for Call {}

impl Hash for Call {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.what.hash(state);
        Arc::as_ptr(&self.keys).hash(state);
    }
}

impl ScalarUDFImpl for Call {
    fn name(&self) -> &str {
        match self.what {
            What::Key => "key_of",
            What::Slot => "slot_of",
            What::Class => "class_of",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(if self.what == What::Class { DataType::Utf8View } else { DataType::Int64 })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let column: ArrayRef = match self.what {
            What::Key => {
                if let Some(meter) = &self.meter {
                    meter.add_rows(Phase::Reading, rows as u64);
                }
                Arc::new(self.keys.intern(&args.args, rows)?)
            }
            What::Slot => {
                let columns = args.args.iter().map(|value| value.to_array(rows)).collect::<Result<Vec<_>>>()?;
                Arc::new(self.keys.slots(&columns, rows)?)
            }
            What::Class => {
                let columns = ColumnarValue::values_to_arrays(&args.args)?;
                Arc::new(self.keys.names(columns[0].as_primitive::<Int64Type>()))
            }
        };
        Ok(ColumnarValue::Array(column))
    }
}

fn call(what: What, keys: &Arc<Keys>, meter: Option<Meter>, args: Vec<Expr>) -> Expr {
    // Volatile, so that the engine works a number out once a row and not wherever it is used.
    let signature = Signature::variadic_any(Volatility::Volatile);
    ScalarUDF::new_from_impl(Call { what, keys: Arc::clone(keys), meter, signature }).call(args)
}

/// The number of what a row says, of the columns of [`Layout`].
pub(crate) fn key_of(keys: &Arc<Keys>, meter: Option<Meter>, columns: Vec<Expr>) -> Expr {
    call(What::Key, keys, meter, columns)
}

/// The name of the class of a number.
pub(crate) fn class_of(keys: &Arc<Keys>, key: Expr) -> Expr {
    call(What::Class, keys, None, vec![key])
}

/// The slot of a row: of its number, first second, end, list cost and quantity.
pub(crate) fn slot_of(keys: &Arc<Keys>, columns: Vec<Expr>) -> Expr {
    call(What::Slot, keys, None, columns)
}
