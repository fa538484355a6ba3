//! The numbers of usage curves: an array of this library, or memory that somebody else owns and this library only reads.

use ndarray::{Array2, ArrayView2};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Quantities, hours x lines, row by row. A clone shares them.
#[derive(Clone)]
pub(super) struct Quantity(Arc<Memory>);

enum Memory {
    Own(Array2<f64>),
    Foreign { values: Box<dyn AsRef<[f64]> + Send + Sync>, columns: usize, copy: OnceLock<Array2<f64>> },
}

impl Quantity {
    /// Numbers in row-major order.
    pub(super) fn own(array: Array2<f64>) -> Self {
        let array = if array.is_standard_layout() { array } else { array.as_standard_layout().into_owned() };
        Self(Arc::new(Memory::Own(array)))
    }

    /// Numbers that stay where they are: whole rows of so many columns, at least one.
    pub(super) fn foreign(values: impl AsRef<[f64]> + Send + Sync + 'static, columns: usize) -> Self {
        Self(Arc::new(Memory::Foreign { values: Box::new(values), columns, copy: OnceLock::new() }))
    }

    /// All numbers, row by row.
    pub(super) fn values(&self) -> &[f64] {
        match &*self.0 {
            Memory::Own(array) => array.as_slice().unwrap_or(&[]),
            Memory::Foreign { values, .. } => (**values).as_ref(),
        }
    }

    /// All numbers, hours x lines.
    pub(super) fn view(&self) -> ArrayView2<'_, f64> {
        match &*self.0 {
            Memory::Own(array) => array.view(),
            Memory::Foreign { values, columns, .. } => rows((**values).as_ref(), *columns),
        }
    }

    /// The same as an array of our own; foreign numbers are copied once.
    pub(super) fn array(&self) -> &Array2<f64> {
        match &*self.0 {
            Memory::Own(array) => array,
            Memory::Foreign { values, columns, copy } => copy.get_or_init(|| rows((**values).as_ref(), *columns).to_owned()),
        }
    }
}

/// Rows of so many columns; what does not fill a row is left out.
fn rows(values: &[f64], columns: usize) -> ArrayView2<'_, f64> {
    let count = values.len().div_euclid(columns.max(1));
    ArrayView2::from_shape((count, columns), &values[..count * columns]).unwrap_or_else(|_| ndarray::aview2::<f64, 0>(&[]))
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.view() == other.view()
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}
