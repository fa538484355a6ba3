//! Reads a list of price changes between two polls of the Retail Prices API, in the shape of azure-pricing-radar: `added`, `removed`, and
//! `changed` with the row before and after.

use super::{RetailPrices, document};
use crate::catalog::Catalog;
use crate::error::{Problem, Result};
use crate::files;
use std::io::Read;
use std::path::Path;

/// What was listed before and after, of the rows that changed. A side without rows is `None`.
#[derive(Clone, Debug)]
pub struct Changes {
    /// The removed rows, and the changed rows as they were.
    pub before: Option<Catalog>,
    /// The added rows, and the changed rows as they are.
    pub after: Option<Catalog>,
    /// When the second poll was made, as the file says.
    pub at: Option<String>,
}

/// Reads a list of changes, plain or gzip.
///
/// # Errors
/// [`Problem::Malformed`] for another shape, [`Problem::Empty`] for a list without changes, and all of [`RetailPrices::from_json`].
pub fn read(path: impl AsRef<Path>, reader: RetailPrices<'_>) -> Result<Changes> {
    let path = path.as_ref();
    let mut text = String::new();
    files::open(path, "price change")?.read_to_string(&mut text).map_err(|error| files::input_output(path, error))?;
    from_json(&text, reader).map_err(|error| error.in_file(path))
}

/// Reads a list of changes from its text.
///
/// # Errors
/// As [`read`], without the file's name.
pub fn from_json(text: &str, reader: RetailPrices<'_>) -> Result<Changes> {
    let expected = "a list of Azure price changes (JSON with `added`, `removed` and `changed`)";
    let (mut before, mut after, mut at) = (Vec::new(), Vec::new(), None);
    for document in document::read(text)? {
        if !document.is_changes || !document.rows.is_empty() {
            return Err(Problem::Malformed { expected }.into());
        }
        before.extend(document.removed);
        after.extend(document.added);
        for (old, new) in document.changed {
            before.push(old);
            after.push(new);
        }
        at = at.max(document.at);
    }
    if before.is_empty() && after.is_empty() {
        return Err(Problem::Empty { what: "price change" }.into());
    }
    let side = |rows: Vec<_>| {
        if rows.is_empty() { Ok(None) } else { reader.catalog(rows, "Azure Retail Prices API, price changes").map(Some) }
    };
    Ok(Changes { before: side(before)?, after: side(after)?, at })
}
