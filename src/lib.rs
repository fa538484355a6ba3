#![cfg_attr(docsrs, feature(doc_cfg))]
//! covermix decides which cloud commitments to buy, keep, exchange, sell or let lapse: AWS Reserved Instances and Savings Plans, Azure
//! reservations and savings plans, Google Cloud committed use discounts.
//!
//! # The problem
//!
//! In hour t, line i uses D_it at on-demand price p_i. A reservation covers up to a number of units an hour, a spend plan up to an amount of money
//! an hour at its rates; both cost the same whether used or not. Buy x so that
//!
//! ```text
//! Σ_j c_j x_j  +  Σ_t (what the provider charges on demand in hour t, given x)
//! ```
//!
//! is smallest under the buyer's policy. Every hour is in the sum. The answer is billed by the provider's own rules ([`billing`]) and comes with a
//! lower bound on the bill of any other plan ([`planning`]). All formulas: `docs/formulation.md`;
//! spot, GPU capacity and unit costs: `docs/spot-and-capacity.md`.
//!
//! # The nouns
//!
//! - [`usage::UsageCurves`]: the quantity of every usage line in every hour;
//! - [`catalog::Catalog`]: on-demand prices, and offers of commitments;
//! - [`portfolio::Portfolio`]: commitments held;
//! - [`billing::Judge`] and [`billing::Bill`]: what the provider charges for them;
//! - [`planning::Planner`], [`planning::Problem`], [`planning::Plan`]: what to buy, with bound and gap;
//! - [`scenario`]: possible futures, their risk, and the backtest of a rule of purchase;
//! - [`finance`]: net present value, internal rates, amortisation and accounts of a commitment, usable on its own;
//! - [`report`]: a plan as pages for who signs, who must be sure and who orders, as HTML, Markdown, CSV and JSON.
//!
//! # An example
//!
//! ```
//! use covermix::billing::{Judge, Rules};
//! use covermix::{catalog::Catalog, portfolio::Portfolio, usage::UsageCurves};
//!
//! # fn main() -> covermix::Result<()> {
//! let catalog = Catalog::read("tests/data/catalog.json")?;
//! let usage = "hour,provider,service,region,sku,platform,tenancy,unit,account,quantity\n\
//!     2024-01-01T00:00:00Z,aws,AmazonEC2,us-east-1,m5.large,Linux,shared,instance-hour,a,3\n\
//!     2024-01-01T01:00:00Z,aws,AmazonEC2,us-east-1,m5.large,Linux,shared,instance-hour,a,1\n";
//! let usage = UsageCurves::from_reader(usage.as_bytes())?;
//! let held = r#"{"schema": "covermix-portfolio/1", "currency": "USD", "commitments": [{
//!     "id": "two reservations", "offer": "ri/us-east-1/m5.large/Linux/1y-standard-no-upfront", "quantity": "2",
//!     "start": "2024-01-01T00:00:00Z", "end": "2024-12-31T00:00:00Z", "account": "a", "scope": {"kind": "region"}}]}"#;
//! let portfolio = Portfolio::from_json(held, &catalog)?;
//! let bill = Judge::new(&usage, &catalog, &portfolio, &Rules::default())?.bill();
//! assert_eq!(bill.total().on_demand.to_string(), "0.096"); // one of three instances in the first hour
//! assert_eq!(bill.total().unused_commitment.to_string(), "0.060"); // one of two reservations in the second
//! # Ok(())
//! # }
//! ```

pub mod billing;
pub mod catalog;
pub mod error;
mod files;
pub mod finance;
pub mod planning;
pub mod portfolio;
pub mod report;
pub mod scenario;
pub mod time;
pub mod units;
pub mod usage;

pub use error::{Error, Problem, Result};

/// The README's example, compiled and run.
#[cfg(all(doctest, feature = "highs"))]
#[doc = include_str!("../README.md")]
mod readme {}
