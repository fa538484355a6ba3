//! A bill is the same whatever session of the engine reads it: the crate's own, which numbers what rows say, or one of another make, which groups by
//! the columns themselves.

use super::synthetic::{FOCUS, GOOGLE};
use covermix_ingest::{Bill, LongRows, Options};
use datafusion::prelude::SessionContext;
use std::path::PathBuf;

fn read(paths: &[PathBuf], options: &Options) -> Bill {
    Bill::read(paths, options).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn sessions_of_any_make_read_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let report = folder.path().join("report.parquet");
    super::scale::make_bill::report(20_000, &report).unwrap();
    let bills = [
        vec![super::own("bill-2024-02.csv")],
        vec![super::own("azure.csv")],
        vec![write("focus.csv", FOCUS)],
        vec![write("google.json", GOOGLE)],
        vec![report],
    ];
    for paths in bills {
        let options =
            |context| Options { long_rows: LongRows::Spread, tag_keys: vec!["team".into()], context, ..Options::default() };
        let own = read(&paths, &options(None));
        let other = read(&paths, &options(Some(SessionContext::new())));
        assert_eq!(own.reconciliation(), other.reconciliation(), "{paths:?}");
        assert_eq!(own.money(), other.money(), "{paths:?}");
        assert_eq!((own.months(), own.currency()), (other.months(), other.currency()));
        assert_eq!(own.notes(), other.notes(), "{paths:?}");
        assert_eq!(own.usage().ok(), other.usage().ok(), "{paths:?}");
        assert!(own.usage().is_ok(), "{paths:?}");
        assert_eq!(own.commitments(), other.commitments());
    }
}

#[test]
fn months_begin_within_an_hour_in_some_zones() {
    // Midnight of 1 February 2024 in Kolkata is 18:30 UTC of the day before: a quarter of an hour earlier is late.
    let (header, rows) = FOCUS.split_once('\n').unwrap();
    let row = rows.lines().nth(6).unwrap();
    let at = |start: &str, end: &str| {
        row.replace("2024-02-01T01:00:00Z", start)
            .replace("2024-02-01T02:00:00Z", end)
            .replace("2024-02-01,2024-03-01", "2024-02-10,2024-03-10")
    };
    let rows = [at("2024-01-31T18:15:00Z", "2024-01-31T18:30:00Z"), at("2024-01-31T18:30:00Z", "2024-01-31T18:45:00Z")];
    let (_folder, path) = super::synthetic::file("focus.csv", &format!("{header}\n{}\n{}\n", rows[0], rows[1]));
    for context in [None, Some(SessionContext::new())] {
        let options = Options { time_zone: chrono_tz::Asia::Kolkata, context, ..Options::default() };
        let bill = read(std::slice::from_ref(&path), &options);
        let late = bill.reconciliation().entries().iter().find(|entry| entry.reason == "usage of other months than those billed");
        assert_eq!(late.map(|late| late.rows), Some(1), "{}", bill.reconciliation());
        assert_eq!(bill.usage().unwrap().totals().sum().to_bits(), 1f64.to_bits());
    }
}
