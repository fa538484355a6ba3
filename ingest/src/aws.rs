//! The AWS Cost and Usage Report, legacy and 2.0, hourly: Parquet, or CSV in either header style. One or more files of one or more months are
//! read together into usage curves, Reserved Instances and Savings Plans held, and a reconciliation of rows and money.
//!
//! Columns after the Cost and Usage Report User Guide, "Data dictionary"; how each is used is described in `docs/ingest.md`.

pub(crate) mod class;
mod columns;
pub mod export;
mod reconcile;
mod reservations;
mod savings_plans;
pub(crate) mod sku;

pub use reconcile::MonthFigures;
pub use reservations::ReservedInstances;
pub use savings_plans::HeldSavingsPlan;

pub use crate::note::Note;

use crate::UnknownSkus;
use crate::curves::{self, BilledUsage, Outcome};
use crate::error::{Error, Result};
use crate::format::Format;
use crate::mapping::Mapping;
use crate::money::BillMoney;
use crate::options::Options;
use crate::reconciliation::Reconciliation;
use crate::session::{Session, Source, block_on};
use covermix::catalog::Catalog;
use covermix::portfolio::Portfolio;
use covermix::time::Month;
use covermix::usage::UsageCurves;
use covermix::{Problem, error};
use std::path::{Path, PathBuf};

/// How a Cost and Usage Report is read.
pub(crate) static MAPPING: Mapping = Mapping {
    format: Format::AwsCostAndUsage,
    columns: &columns::COLUMNS,
    classes: &class::CLASSES,
    class: class::expression,
    fields: &[
        ("start", "line_item_usage_start_date"),
        ("finish", "line_item_usage_end_date"),
        ("billing_month", "bill_billing_period_start_date"),
        ("account", "line_item_usage_account_id"),
        ("service", "line_item_product_code"),
        ("region", "product_region"),
        ("resource", "CASE WHEN line_item_resource_id <> '' THEN line_item_resource_id ELSE line_item_usage_type END"),
        ("quantity", "line_item_usage_amount"),
        ("cost", "line_item_unblended_cost"),
        // AWS's own queries (Well-Architected Labs, "CUR Query Library", amortised cost).
        (
            "effective",
            "CASE WHEN line_item_line_item_type = 'SavingsPlanCoveredUsage' THEN savings_plan_savings_plan_effective_cost \
             WHEN line_item_line_item_type = 'SavingsPlanRecurringFee' \
             THEN savings_plan_total_commitment_to_date - COALESCE(savings_plan_used_commitment, 0) \
             WHEN line_item_line_item_type IN ('SavingsPlanNegation', 'SavingsPlanUpfrontFee') THEN 0 \
             WHEN line_item_line_item_type = 'DiscountedUsage' THEN reservation_effective_cost \
             WHEN line_item_line_item_type = 'RIFee' THEN COALESCE(reservation_unused_recurring_fee, 0) \
             + COALESCE(reservation_unused_amortized_upfront_fee_for_billing_period, 0) \
             WHEN line_item_line_item_type = 'Fee' AND reservation_reservation_a_r_n <> '' THEN 0 \
             ELSE line_item_unblended_cost END",
        ),
        (
            "list",
            "CASE WHEN line_item_line_item_type NOT IN ('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage') THEN 0 \
             WHEN pricing_public_on_demand_cost > 0 THEN pricing_public_on_demand_cost \
             WHEN pricing_public_on_demand_rate > 0 \
             THEN times(pricing_public_on_demand_rate, line_item_usage_amount) \
             WHEN line_item_line_item_type = 'DiscountedUsage' THEN NULL ELSE line_item_unblended_cost END",
        ),
        (
            "contracted",
            "CASE WHEN line_item_line_item_type NOT IN ('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage') THEN 0 \
             WHEN line_item_line_item_type <> 'DiscountedUsage' THEN line_item_unblended_cost \
             WHEN pricing_public_on_demand_cost > 0 THEN pricing_public_on_demand_cost \
             WHEN pricing_public_on_demand_rate > 0 \
             THEN times(pricing_public_on_demand_rate, line_item_usage_amount) END",
        ),
        (
            "price",
            "CASE WHEN pricing_public_on_demand_rate > 0 THEN pricing_public_on_demand_rate \
             WHEN line_item_unblended_rate > 0 THEN line_item_unblended_rate END",
        ),
        (
            "commitment",
            "CASE WHEN savings_plan_savings_plan_a_r_n <> '' THEN savings_plan_savings_plan_a_r_n \
             ELSE reservation_reservation_a_r_n END",
        ),
        ("currency", "line_item_currency_code"),
        ("tags", "tag_object"),
    ],
    identity: &[
        "identity_line_item_id",
        "identity_time_interval",
        "line_item_usage_start_date",
        "line_item_line_item_type",
        "line_item_usage_account_id",
        "line_item_usage_type",
        "line_item_operation",
        "line_item_resource_id",
    ],
    likeness: &[
        "line_item_product_code",
        "line_item_availability_zone",
        "line_item_usage_amount",
        "line_item_unblended_cost",
        "reservation_reservation_a_r_n",
        "savings_plan_savings_plan_a_r_n",
        "line_item_line_item_description",
    ],
    words: &[
        "line_item_usage_account_id",
        "line_item_availability_zone",
        "line_item_product_code",
        "line_item_usage_type",
        "line_item_operation",
        "product_tenancy",
        "product_region",
        "product_database_engine",
        "product_cache_engine",
        "pricing_unit",
    ],
    derived: &[],
    line: sku::line,
    reserved: "class IN ('instance_reserved', 'service_reserved')",
};

/// What the files of a Cost and Usage Report say, aggregated.
#[derive(Clone, Debug)]
pub struct CostAndUsage {
    months: Vec<Month>,
    currency: String,
    usage: Option<BilledUsage>,
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
        block_on(&paths.clone(), Self::load(paths))
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
        let (session, mut sources) = Session::open(&paths, &Options::default()).await?;
        let (bill, _, outcome) = Self::load_from(&session, &mut sources).await?;
        match outcome {
            Outcome::TooLong(rows, example) => Err(Error::Granularity { paths, rows, example }),
            Outcome::Gap(before, after) => Err(Error::Gap { before, after }),
            Outcome::Negative(line, hour, quantity) => Err(Error::NegativeUsage { line, hour, quantity }),
            Outcome::None | Outcome::Curves(_) => Ok(bill),
        }
    }

    /// Reads from files that are open; the outcome says why the bill has no curves, if it has none.
    pub(crate) async fn load_from(session: &Session, sources: &mut [Source]) -> Result<(Self, BillMoney, Outcome)> {
        let mut notes = Vec::new();
        let united = MAPPING.unite(session, sources, &mut notes).await?;
        let summary = &united.summary;
        let currency = united.currency(session, "lineItem/CurrencyCode")?;
        let reconciliation = summary.reconciliation(&united.billed);
        let money = BillMoney::new(summary, &united.billed);
        let mut outcome = curves::read(session, &MAPPING, &united, &mut notes).await?;
        let usage = match std::mem::replace(&mut outcome, Outcome::None) {
            Outcome::Curves(usage) => Some(*usage),
            other => {
                outcome = other;
                None
            }
        };
        // Each reads the files again.
        let has_any = |names: &[&str]| names.iter().any(|name| summary.has(name));
        let reserved_instances =
            if has_any(&["reservation_fee"]) { reservations::read(session, &mut notes).await? } else { Vec::new() };
        let savings_plans = if has_any(&["plan_recurring", "plan_upfront"]) {
            savings_plans::read(session, &mut notes).await?
        } else {
            Vec::new()
        };
        let bill = Self { months: united.months, currency, usage, reserved_instances, savings_plans, reconciliation, notes };
        Ok((bill, money, outcome))
    }

    /// The usage with what the bill says of its coverage.
    pub(crate) fn billed_usage(&self) -> Option<&BilledUsage> {
        self.usage.as_ref()
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
