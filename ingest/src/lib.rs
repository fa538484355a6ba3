//! Reads cloud bills into what [`covermix`] decides with: usage curves, and the commitments already held.
//!
//! A bill can be larger than memory, so its rows are aggregated by SQL on DataFusion, hour by hour and usage line by usage line; only
//! the aggregate is held. Files are recognised by their content, columns by their name. Nothing is dropped in silence: every row and every
//! unit of money of the bill stands in a [`Reconciliation`], used or set aside for a stated reason.
//!
//! ```no_run
//! use covermix::catalog::Catalog;
//! use covermix_ingest::{Bill, Options, UnknownSkus};
//!
//! let catalog = Catalog::read("ec2instances.json.gz")?;
//! let bill = Bill::read(&["october.parquet", "november.csv.gz"], &Options::default())?;
//! println!("{}", bill.reconciliation());
//! bill.usage()?.write("usage.csv")?;
//! let (portfolio, left_out) = bill.portfolio(&catalog, UnknownSkus::Refuse)?;
//! portfolio.write("portfolio.json", catalog.currency())?;
//! # Ok::<(), covermix_ingest::Error>(())
//! ```
//!
//! What is read and how each column is used is described in `docs/ingest.md`.

pub mod aws;
pub mod azure;
mod beside;
mod bill;
mod classes;
pub mod cluster;
mod columns;
mod curves;
mod error;
pub mod focus;
mod format;
mod functions;
mod gcp;
mod held;
mod keys;
mod mapping;
mod money;
mod note;
mod options;
pub mod owners;
mod reconciliation;
mod repeated_hour;
mod session;
mod sql;
mod store;
mod summary;
mod text;

pub use bill::{Bill, read_contracts};
pub use classes::ChargeKind;
pub use error::{Error, Result};
pub use format::Format;
pub use held::{HeldCommitment, Subject};
pub use money::{BillMoney, ChargeMoney};
pub use note::Note;
pub use options::{LongRows, Options, Phase, Progress};
pub use reconciliation::{Entry, Reconciliation, Treatment};
pub use sql::Dialect;

/// What to do with usage and commitments of a SKU that the catalog has no price for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownSkus {
    /// An error that lists them with their spend.
    #[default]
    Refuse,
    /// Leave them out.
    Exclude,
}
