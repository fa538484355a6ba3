//! covermix decides which cloud commitments to buy.

pub mod billing;
pub mod catalog;
pub mod error;
mod files;
pub mod planning;
pub mod portfolio;
pub mod report;
pub mod time;
pub mod units;
pub mod usage;

pub use error::{Error, Problem, Result};
