//! Makes bills: usage and commitments billed by covermix as FOCUS and as a Cost and Usage Report; or a report of any number of rows, as Parquet,
//! to measure reading with.
//!
//! `cargo run --release -p covermix-ingest --example make_bill -- --usage USAGE --catalog CATALOG [--portfolio PORTFOLIO] --out FOLDER`
//! `cargo run --release -p covermix-ingest --example make_bill -- --rows 10000000 --out FOLDER`

use clap::Parser;
use covermix::billing::{Judge, Rules};
use covermix::catalog::Catalog;
use covermix::portfolio::Portfolio;
use covermix::usage::UsageCurves;
use covermix_ingest::{aws, focus};
use datafusion::prelude::SessionContext;
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Make bills.
#[derive(Parser)]
struct Arguments {
    /// Usage curves.
    #[arg(long, requires = "catalog")]
    usage: Option<PathBuf>,
    /// The catalog that prices them.
    #[arg(long)]
    catalog: Option<PathBuf>,
    /// The commitments held.
    #[arg(long)]
    portfolio: Option<PathBuf>,
    /// Instead, a report of so many rows of usage, in one Parquet file.
    #[arg(long, conflicts_with = "usage")]
    rows: Option<u64>,
    /// The folder to write to; it must be there.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mut output = std::io::stdout().lock();
    if let Some(rows) = arguments.rows {
        let path = arguments.out.join("report.parquet");
        report(rows, &path)?;
        writeln!(output, "{}: {rows} rows, {} bytes", path.display(), path.metadata()?.len())?;
        return Ok(());
    }
    let (Some(usage), Some(catalog)) = (&arguments.usage, &arguments.catalog) else {
        return Err("give --usage and --catalog, or --rows".into());
    };
    let (usage, catalog) = (UsageCurves::read(usage)?, Catalog::read(catalog)?);
    let portfolio = match &arguments.portfolio {
        Some(path) => Portfolio::read(path, &catalog)?,
        None => Portfolio::default(),
    };
    let judge = Judge::new(&usage, &catalog, &portfolio, &Rules::default())?;
    let create = |name: &str| File::create(arguments.out.join(name)).map(BufWriter::new);
    let rows = judge.focus_rows(0..usage.grid().count, catalog.currency())?;
    focus::export::write_csv(&rows, &usage, create("focus.csv")?)?;
    focus::export::write_contracts(&portfolio, &catalog, "Active", create("contracts.csv")?)?;
    aws::export::write_csv(&judge, &usage, &catalog, &portfolio, create("report.csv")?)?;
    let billed: rust_decimal::Decimal = rows.iter().map(|row| row.billed_cost).sum();
    writeln!(output, "{} FOCUS rows, {billed} {} billed", rows.len(), catalog.currency())?;
    Ok(())
}

/// A month of usage of 40 instance types in 25 accounts and 4 regions, as many instances as the rows need.
pub(crate) fn report(rows: u64, path: &Path) -> Result<(), Box<dyn Error>> {
    let sql = format!(
        "COPY (SELECT CONCAT('line', CAST(value AS VARCHAR)) AS identity_line_item_id, \
         CAST(hour AS TIMESTAMP) AS line_item_usage_start_date, CAST(hour + 3600 AS TIMESTAMP) AS line_item_usage_end_date, \
         CAST(1711929600 AS TIMESTAMP) AS bill_billing_period_start_date, \
         CONCAT('1111111111', CAST(10 + instance % 25 AS VARCHAR)) AS line_item_usage_account_id, \
         'Usage' AS line_item_line_item_type, 'AmazonEC2' AS line_item_product_code, \
         CONCAT(CASE instance % 4 WHEN 0 THEN '' WHEN 1 THEN 'EU-' WHEN 2 THEN 'USW2-' ELSE 'APN1-' END, 'BoxUsage:', \
         CASE instance % 5 WHEN 0 THEN 'm5' WHEN 1 THEN 'c5' WHEN 2 THEN 'r5' WHEN 3 THEN 'm6i' ELSE 't3' END, '.', \
         CASE instance % 8 WHEN 0 THEN 'large' WHEN 1 THEN 'xlarge' WHEN 2 THEN '2xlarge' WHEN 3 THEN '4xlarge' \
         WHEN 4 THEN 'medium' WHEN 5 THEN '8xlarge' WHEN 6 THEN '12xlarge' ELSE 'small' END) AS line_item_usage_type, \
         CASE WHEN instance % 7 = 0 THEN 'RunInstances:0002' ELSE 'RunInstances' END AS line_item_operation, \
         CONCAT('i-', CAST(instance AS VARCHAR)) AS line_item_resource_id, \
         CASE WHEN value % 50 = 0 THEN 0.25 ELSE 1.0 END AS line_item_usage_amount, 'USD' AS line_item_currency_code, \
         CAST(0.01 * (1 + instance % 90) AS DOUBLE) * CASE WHEN value % 50 = 0 THEN 0.25 ELSE 1.0 END AS line_item_unblended_cost, \
         CAST(0.01 * (1 + instance % 90) AS DOUBLE) AS pricing_public_on_demand_rate, \
         'Shared' AS product_tenancy, 'Hrs' AS pricing_unit FROM (\
         SELECT value, value / 720 AS instance, 1711929600 + value % 720 * 3600 AS hour FROM generate_series(0, {})) AS rows) \
         TO '{}' STORED AS PARQUET",
        rows.saturating_sub(1),
        path.display()
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async { SessionContext::new().sql(&sql).await?.collect().await })?;
    Ok(())
}
