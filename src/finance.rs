//! Money and time: what a commitment is worth, how it is booked, and how it is reported.
//!
//! This room knows amounts, dates and rates, and nothing of offers, usage or billing: it can be used alone. Money is
//! [`rust_decimal::Decimal`] in one currency per value, chosen by the caller; mathematics (rates, present values) is f64.
//! Rates are fractions (8 % is 0.08). Money paid is negative, money received or saved is positive.
//!
//! | question | where |
//! |---|---|
//! | what is a series of flows worth | [`npv`], [`xnpv`], [`irr`], [`xirr`], [`mirr`], [`CashFlows`], [`payback()`] |
//! | what does a commitment pay and save, and when | [`commitment`] |
//! | how is it expensed and booked | [`amortisation`], [`accounting`] |
//! | all, partial or no upfront; what if | [`payment_option`], [`sensitivity`] |
//! | what do the next years cost | [`total_cost`], [`agreement`] |
//! | how well did we do | [`indicators`], [`unit_economics`], [`variance`] |

pub mod accounting;
pub mod agreement;
pub mod amortisation;
pub mod cash_flow;
pub mod commitment;
pub mod day_count;
pub mod indicators;
pub mod internal_rate;
pub mod loan;
pub mod payback;
pub mod payment_option;
pub mod present_value;
pub mod rate;
mod roots;
pub mod sensitivity;
pub mod total_cost;
pub mod unit_economics;
pub mod variance;

pub use cash_flow::{CashFlow, CashFlows};
pub use day_count::DayCount;
pub use internal_rate::{InternalRate, NoRate, irr, mirr, xirr, xirr_many};
pub use payback::{BreakEven, Payback, discounted_payback, payback};
pub use present_value::{FirstFlow, npv, xnpv};
pub use rate::{AnnualRate, PaymentTiming};

/// Why a figure cannot be given. Each names the field and the remedy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing to work on.
    #[error("{what} are empty; give at least one")]
    Empty {
        /// What is missing.
        what: &'static str,
    },
    /// A value is NaN or infinite.
    #[error("{what}: value {index} (from 0) is not a finite number; remove or correct it")]
    NotFinite {
        /// The list.
        what: &'static str,
        /// Its position, from 0.
        index: usize,
    },
    /// A value is outside what the formula is defined for.
    #[error("{field} is {value}; {remedy}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// Its value.
        value: f64,
        /// What to give instead.
        remedy: &'static str,
    },
    /// Two lists that belong together differ in length.
    #[error("{left} has {left_len} values but {right} has {right_len}; give as many of each")]
    LengthMismatch {
        /// One list.
        left: &'static str,
        /// Its length.
        left_len: usize,
        /// The other list.
        right: &'static str,
        /// Its length.
        right_len: usize,
    },
    /// There are no flows of both signs.
    #[error("{what} needs money paid and money received; rank by NPV instead")]
    NoSignChange {
        /// The figure asked for.
        what: &'static str,
    },
    /// The end does not come after the start.
    #[error("{what} ends at {end}, not after its start {start}; give an end later than the start")]
    EmptyTerm {
        /// What has the term.
        what: &'static str,
        /// Its start.
        start: String,
        /// Its end.
        end: String,
    },
    /// Commitments of one plan are compared with different alternatives.
    #[error("{left} and {right} are compared with different alternatives; state one for the whole plan")]
    MixedAlternatives {
        /// One commitment.
        left: String,
        /// Another.
        right: String,
    },
    /// Two things of one name.
    #[error("{what} {name} is there twice; give each its own name")]
    Duplicate {
        /// What is there twice.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A calendar date beyond the range of dates.
    #[error("{what} is beyond the calendar; give an earlier date or a shorter term")]
    DateOverflow {
        /// The date.
        what: &'static str,
    },
    /// A number beyond the range of its type.
    #[error("{what} is too large to represent; use a larger currency unit or check the rate")]
    Overflow {
        /// The figure.
        what: &'static str,
    },
}

/// The room's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
