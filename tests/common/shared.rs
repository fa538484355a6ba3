//! Where the shared data is, which is no part of the repository.

#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

use std::path::PathBuf;

/// A file or folder of the shared data, or `None` with a printed reason where it is absent: beside the repository, or where `COVERMIX_SHARED` says.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("COVERMIX_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join("data").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there; set COVERMIX_SHARED to the shared folder", path.display());
    None
}
