//! The private module `covermix._native` of the Python package: the Rust library's nouns as thin classes, for `python/covermix` to dress.
//!
//! What crosses the border: numbers as NumPy arrays or shared buffers, tables through the Arrow C interface, everything that is small as JSON text in
//! the formats of the library (decimals as strings, so that no digit is lost). Long work runs without Python's lock, in [`run`].

// Functions called by Python take what Python hands over, and what they return is used by Python.
#![allow(clippy::needless_pass_by_value, clippy::must_use_candidate)]

mod agreement;
mod arrow;
mod bill;
mod data;
mod error;
mod finance;
mod held;
mod planning;
mod report;
mod run;
mod scenario;
mod spot;
mod usage;

use pyo3::prelude::*;

/// The native half of the Python package `covermix`.
#[pymodule]
mod _native {
    use super::*;

    #[pymodule_export]
    use super::agreement::{
        Choice, agreement_first, agreement_terms, check_agreement, check_agreements, check_clause, choose_agreement,
        clause_words, indifference_discounts, read_agreements, restore_choice,
    };
    #[pymodule_export]
    use super::arrow::{arrow_columns, arrow_table};
    #[pymodule_export]
    use super::bill::{Bill, bill, billed_cost, focus_rows};
    #[pymodule_export]
    use super::data::{Catalog, Portfolio, check_policy, check_rules, policy_from_toml};
    #[pymodule_export]
    use super::finance::{finance, irr, npv, xirr, xnpv};
    #[pymodule_export]
    use super::held::{
        actions, apply_orders, calendar, changes, check_assumptions, check_orders, deadlines, flexibility, orders_csv,
        permissions, plan_orders, portfolio_state, quotes, reconcile_portfolios, triage, verify_orders,
    };
    #[pymodule_export]
    use super::planning::{Plan, Problem, check_rights, restore_plan};
    #[pymodule_export]
    use super::report::{Report, plan_report};
    #[pymodule_export]
    use super::scenario::{
        backtest, bootstrap, catalog_at, forecast, project, risk, scenario_file, scenario_file_from_toml, utilisation_risk,
    };
    #[pymodule_export]
    use super::spot::{SpotPlan, effective_spot_price, restore_spot_plan, solve_with_spot};
    #[pymodule_export]
    use super::usage::UsageCurves;

    /// Adds the version of the Rust library, `__version__`.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
