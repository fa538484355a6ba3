//! Every error of the Rust library as one of the Python package's exceptions (`covermix/_errors.py`), with its place in attributes.

use covermix::error::Place;
use covermix::{Problem, finance};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// What can go wrong below a Python function.
pub(crate) enum Failure {
    /// Wrong input, a clash of rules, a solver that gave up.
    Core(covermix::Error),
    /// A figure that cannot be given.
    Finance(finance::Error),
    /// A document that is not what its format says.
    Json(serde_json::Error),
    /// Python's own.
    Python(PyErr),
}

/// The result of a function called by Python.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl From<covermix::Error> for Failure {
    fn from(error: covermix::Error) -> Self {
        Self::Core(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Core(problem.into())
    }
}

impl From<finance::Error> for Failure {
    fn from(error: finance::Error) -> Self {
        Self::Finance(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        Python::attach(|py| match failure {
            Failure::Core(error) => of_core(py, &error),
            Failure::Finance(error) => raise(py, "FinanceError", &error.to_string(), None),
            Failure::Json(error) => raise(py, "InputError", &error.to_string(), None),
            Failure::Python(error) => error,
        })
    }
}

fn of_core(py: Python<'_>, error: &covermix::Error) -> PyErr {
    let class = match error.problem() {
        Problem::InputOutput | Problem::NotAFile => "FileError",
        Problem::UnknownSkus(_) => "UnknownSkuError",
        Problem::PolicyClash { .. } => "InfeasibleError",
        Problem::Solver { .. } => "SolverError",
        _ => "InputError",
    };
    let attributes = attributes(py, error);
    match attributes {
        Ok(attributes) => raise(py, class, &error.to_string(), Some(&attributes)),
        Err(error) => error,
    }
}

fn attributes<'py>(py: Python<'py>, error: &covermix::Error) -> PyResult<Bound<'py, PyDict>> {
    let Place { file, line, field, item, hour } = error.place();
    let attributes = PyDict::new(py);
    attributes.set_item("file", file)?;
    attributes.set_item("line", line)?;
    attributes.set_item("field", field)?;
    attributes.set_item("item", item)?;
    attributes.set_item("hour", hour.map(covermix::time::Hour::start))?;
    attributes.set_item("remedy", error.problem().remedy())?;
    if let Problem::UnknownSkus(skus) = error.problem() {
        let skus: Vec<_> = skus.iter().map(|sku| (&sku.line, sku.quantity, sku.on_demand_cost)).collect();
        attributes.set_item("skus", skus)?;
    }
    Ok(attributes)
}

fn raise(py: Python<'_>, class: &str, message: &str, attributes: Option<&Bound<'_, PyDict>>) -> PyErr {
    let raised = py
        .import("covermix._errors")
        .and_then(|module| module.getattr(class))
        .and_then(|class| class.call((message,), attributes));
    match raised {
        Ok(raised) => PyErr::from_value(raised),
        Err(_) => PyRuntimeError::new_err(message.to_owned()),
    }
}
