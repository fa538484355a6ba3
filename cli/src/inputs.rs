//! Files that several subcommands read and write in the same way.

use crate::answer::{Failure, Result};
use std::path::Path;

/// Makes a folder for what is written.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|source| Failure::File { path: path.to_owned(), source })
}
