//! The AWS Cost and Usage Report (legacy), hourly: Parquet, or CSV in either header style. One or more files of one or more months are
//! read together into usage curves, Reserved Instances and Savings Plans held, and a reconciliation of rows and money.
//!
//! Columns after the Cost and Usage Report User Guide, "Data dictionary"; how each is used is described in `docs/ingest.md`.

mod class;
mod columns;
mod lines;
mod reconcile;
mod reservations;
mod savings_plans;
mod sku;

pub use reconcile::MonthFigures;
pub use reservations::ReservedInstances;
pub use savings_plans::HeldSavingsPlan;

use crate::UnknownSkus;
use crate::error::Result;
use crate::reconciliation::Reconciliation;
use crate::session::{Session, block_on};
use covermix::catalog::Catalog;
use covermix::portfolio::Portfolio;
use covermix::time::Month;
use covermix::usage::UsageCurves;
use covermix::{Problem, error};
use std::fmt;
use std::path::{Path, PathBuf};

/// Something about a bill that its reader should know, and that is no error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// An optional column is absent.
    MissingColumn {
        /// The file.
        file: PathBuf,
        /// The column, in the CSV spelling.
        column: &'static str,
        /// What follows from its absence.
        consequence: &'static str,
    },
    /// Usage ends before the last month does: the hours after it hold 0, which may mean that the month is not over.
    EndsEarly {
        /// The last hour with usage.
        last: covermix::time::Hour,
        /// The month.
        month: Month,
    },
    /// The on-demand price on the bill changed within the time read; the line keeps the highest.
    PriceChanged {
        /// The usage line.
        line: String,
    },
    /// A commitment's attribute that the bill does not state was inferred.
    Inferred {
        /// The commitment's ARN.
        commitment: String,
        /// What was inferred, and from what.
        what: String,
    },
    /// A commitment's fee is on the bill, but the commitment cannot be part of the portfolio.
    LeftOut {
        /// The commitment's ARN.
        commitment: String,
        /// Why.
        why: String,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingColumn { file, column, consequence } => {
                write!(f, "{}: no column `{column}`: {consequence}", file.display())
            }
            Self::EndsEarly { last, month } => {
                write!(f, "usage ends in the hour {last}; the rest of {month} counts as without usage")
            }
            Self::PriceChanged { line } => write!(f, "{line}: the on-demand price on the bill changed; the highest is kept"),
            Self::Inferred { commitment, what } => write!(f, "{commitment}: {what}"),
            Self::LeftOut { commitment, why } => write!(f, "{commitment}: not in the portfolio: {why}"),
        }
    }
}

/// What the files of a Cost and Usage Report say, aggregated.
#[derive(Clone, Debug)]
pub struct CostAndUsage {
    months: Vec<Month>,
    currency: String,
    usage: Option<lines::BilledUsage>,
    reserved_instances: Vec<ReservedInstances>,
    savings_plans: Vec<HeldSavingsPlan>,
    reconciliation: Reconciliation,
    notes: Vec<Note>,
}

impl CostAndUsage {
    /// Reads the files of one or more consecutive months, in any order; a month may be split over files.
    ///
    /// # Errors
    /// Not a file, empty, damaged, of another format, without a required column, with a value that is no number or time, two files that
    /// overlap, usage not by the hour, a month missing between two others, several currencies.
    pub fn read<P: AsRef<Path>>(paths: &[P]) -> Result<Self> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| path.as_ref().to_owned()).collect();
        block_on(Self::load(paths))
    }

    /// As [`CostAndUsage::read`], for callers that run on tokio already.
    ///
    /// # Errors
    /// As [`CostAndUsage::read`].
    pub async fn read_async<P: AsRef<Path>>(paths: &[P]) -> Result<Self> {
        Self::load(paths.iter().map(|path| path.as_ref().to_owned()).collect()).await
    }

    async fn load(paths: Vec<PathBuf>) -> Result<Self> {
        if paths.is_empty() {
            return Err(covermix::Error::from(Problem::Empty { what: "bill" }).into());
        }
        let (session, sources) = Session::open(&paths).await?;
        let mut notes = Vec::new();
        let totals = columns::unite(&session, &sources, &mut notes).await?;
        let currency = columns::currency(&session).await?;
        let reconciliation = class::reconcile(&session, totals).await?;
        let months = lines::months(&session).await?;
        let usage = lines::read(&session, &months, &mut notes).await?;
        let reserved_instances = reservations::read(&session, &mut notes).await?;
        let savings_plans = savings_plans::read(&session, &mut notes).await?;
        Ok(Self { months, currency, usage, reserved_instances, savings_plans, reconciliation, notes })
    }

    /// The months of the bill.
    #[must_use]
    pub fn months(&self) -> &[Month] {
        &self.months
    }

    /// The currency of the bill, an ISO 4217 code; empty if it does not say.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// What ran, in every hour of every month of the bill, whatever paid for it: EC2 instances, and usage of other services that
    /// AWS sells commitments for.
    ///
    /// # Errors
    /// [`Problem::Empty`] if there is none.
    pub fn usage(&self) -> Result<&UsageCurves> {
        self.usage.as_ref().map(|usage| &usage.curves).ok_or_else(|| no_usage().into())
    }

    /// The EC2 instances of [`CostAndUsage::usage`].
    ///
    /// # Errors
    /// [`Problem::Empty`] if there are none.
    pub fn instance_usage(&self) -> Result<UsageCurves> {
        self.usage()?.filter(|line| line.sku.service == covermix::catalog::aws::EC2).ok_or_else(|| no_usage().into())
    }

    /// The Reserved Instances that the bill has fees of, as it describes them.
    #[must_use]
    pub fn reserved_instances(&self) -> &[ReservedInstances] {
        &self.reserved_instances
    }

    /// The Savings Plans that the bill has fees of, as it describes them.
    #[must_use]
    pub fn savings_plans(&self) -> &[HeldSavingsPlan] {
        &self.savings_plans
    }

    /// The commitments held, with offers that refer to the prices of a catalog.
    ///
    /// # Errors
    /// [`Problem::MixedCurrency`] if the catalog's currency is another; [`Problem::Dangling`] for a Reserved Instance without price in the
    /// catalog, unless those are excluded; all of [`Portfolio::new`].
    pub fn portfolio(&self, catalog: &Catalog, unknown: UnknownSkus) -> Result<Portfolio> {
        if !self.currency.is_empty() && self.currency != catalog.currency() {
            let problem = Problem::MixedCurrency { found: self.currency.clone(), expected: catalog.currency().to_owned() };
            return Err(error::Error::from(problem).in_field("lineItem/CurrencyCode").into());
        }
        let (mut offers, mut commitments) = (Vec::new(), Vec::new());
        reservations::hold(&self.reserved_instances, catalog, unknown, &mut offers, &mut commitments)?;
        savings_plans::hold(&self.savings_plans, catalog, &mut offers, &mut commitments);
        Ok(Portfolio::new(offers, commitments)?)
    }

    /// Where every row and all money of the bill went.
    #[must_use]
    pub fn reconciliation(&self) -> &Reconciliation {
        &self.reconciliation
    }

    /// What to know about the bill.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Replays the bill's usage under its own commitments with [`covermix::billing`], and sets the result beside the bill month by month.
    ///
    /// # Errors
    /// As [`CostAndUsage::portfolio`], and [`Problem::UnknownSkus`] for on-demand instances without price in the catalog, unless those are
    /// excluded.
    pub fn reconcile(&self, catalog: &Catalog, unknown: UnknownSkus) -> Result<Vec<MonthFigures>> {
        let usage = self.usage.as_ref().ok_or_else(no_usage)?;
        reconcile::months(usage, &self.months, catalog, &self.portfolio(catalog, unknown)?, unknown)
    }
}

fn no_usage() -> error::Error {
    Problem::Empty { what: "usage of EC2 instances or of other services with commitments" }.into()
}
