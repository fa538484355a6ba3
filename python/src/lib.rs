//! The private module `covermix._native` of the Python package: a shell that states the version until the bindings' own issue.

use pyo3::prelude::*;

/// The native half of the Python package `covermix`.
#[pymodule]
mod _native {
    use super::*;

    /// Adds the version of the Rust library, `__version__`.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
