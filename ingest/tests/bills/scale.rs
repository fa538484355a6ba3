//! Reading at size: a made report, by the generator of the example `make_bill`.
//!
//! The test command reads a small one. `COVERMIX_SCALE_ROWS=10000000` reads as many rows and prints the time; `COVERMIX_SCALE_FOLDER` keeps the file and
//! the query for DuckDB there, to be run beside it.

#[allow(dead_code)]
#[path = "../../examples/make_bill.rs"]
pub(super) mod make_bill;

use covermix_ingest::{Bill, Dialect, Options};
use std::time::Instant;

#[test]
#[allow(clippy::print_stderr)]
fn a_made_report_is_read_in_bounded_memory() {
    let rows: u64 = std::env::var("COVERMIX_SCALE_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(72_000);
    let own = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("COVERMIX_SCALE_FOLDER").map_or_else(|| own.path().to_owned(), std::path::PathBuf::from);
    let path = folder.join("report.parquet");
    make_bill::report(rows, &path).unwrap();
    let begin = Instant::now();
    let bill = Bill::read(&[&path], &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let seconds = begin.elapsed().as_secs_f64();
    assert_eq!(bill.reconciliation().rows(), rows);
    let usage = bill.usage().unwrap();
    // A quarter of an hour in every fiftieth row.
    let fiftieth = rows.div_ceil(50);
    #[allow(clippy::cast_precision_loss)]
    let expected = (rows - fiftieth) as f64 + fiftieth as f64 * 0.25;
    assert!((usage.totals().sum() - expected).abs() < 1e-6 * expected, "{} is not {expected}", usage.totals().sum());
    let sql = bill.warehouse_sql(Dialect::DuckDb, &format!("read_parquet('{}')", path.display())).unwrap();
    std::fs::write(folder.join("query.sql"), sql).unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default().to_owned();
    eprintln!("{rows} rows, {} lines, {seconds:.2} s, {peak}", usage.lines().len());
}
