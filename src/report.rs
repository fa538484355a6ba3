//! What people and programs read: a recommendation as a table for a mail, and as JSON.

#[cfg(feature = "highs")]
mod json;
#[cfg(feature = "highs")]
mod table;

#[cfg(feature = "highs")]
pub use json::recommendation_json;
#[cfg(feature = "highs")]
pub use table::recommendation_table;

use crate::error::Result;
use crate::files;
use std::path::Path;

/// Writes a JSON document to a file, whole or not at all; folders are made as needed.
///
/// # Errors
/// [`crate::Problem::InputOutput`].
pub fn write_json(path: impl AsRef<Path>, document: &serde_json::Value) -> Result<()> {
    let path = path.as_ref();
    files::write(path, |file| writeln!(file, "{document:#}").map_err(|error| files::input_output(path, error)))
}
