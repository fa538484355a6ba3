//! Bills at addresses of object stores, here of the local disk's (`file://`), which needs no feature: Parquet read in place, text fetched, folders.
//! `ingest/cluster/tests/stores.rs` does the same over a network.

use super::{BILL, own, set, table, write};
use covermix_ingest::{Bill, Options, Phase, Progress};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

fn address(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn packed(path: &Path, text: &str) {
    let mut packer = flate2::write::GzEncoder::new(std::fs::File::create(path).unwrap(), flate2::Compression::default());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap();
}

#[track_caller]
fn assert_same(address: &str, expected: &[PathBuf]) {
    let found = Bill::read(&[address], &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let expected = Bill::read(expected, &Options::default()).unwrap();
    assert_eq!(found.usage().ok(), expected.usage().ok());
    assert_eq!((found.reconciliation(), found.money()), (expected.reconciliation(), expected.money()));
    assert_eq!(found.commitments(), expected.commitments());
}

#[track_caller]
fn refused(address: &str) -> String {
    let message = Bill::read(&[address], &Options::default()).unwrap_err().to_string();
    assert!(message.starts_with(address) && message.contains("; "), "{message}");
    message
}

#[test]
fn text_in_a_store_is_read_as_local_text_is() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, gzip, json) = (own("bill-2024-02.csv"), folder.path().join("a bill.csv.gz"), folder.path().join("google.json"));
    packed(&gzip, BILL);
    std::fs::write(&json, super::synthetic::GOOGLE).unwrap();
    for path in [plain, gzip, json] {
        assert_same(&address(&path.canonicalize().unwrap()), &[path]);
    }
}

#[test]
fn a_folder_in_a_store_is_all_that_is_text_or_parquet_below_it() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("one/report-1.csv.gz"), folder.path().join("one/50 %/report-2.csv"));
    std::fs::create_dir_all(second.parent().unwrap()).unwrap();
    let rows = table();
    packed(&first, &BILL.lines().take(5).map(|line| format!("{line}\n")).collect::<String>());
    write(&second, &[&rows[..1], &rows[5..]].concat());
    std::fs::write(folder.path().join("one/report-Manifest.json"), "{}").unwrap();
    assert_same(&address(&folder.path().join("one/")), &[first, second]);

    let report = folder.path().join("two/report.snappy.parquet");
    std::fs::create_dir_all(folder.path().join("two")).unwrap();
    super::scale::make_bill::report(1000, &report).unwrap();
    std::fs::write(folder.path().join("two/report-Manifest.json"), "{}").unwrap();
    assert_same(&address(&folder.path().join("two/")), &[report]);

    let message = refused(&format!("{}/", address(folder.path())));
    assert!(message.contains("Parquet and text"), "{message}");
    std::fs::create_dir(folder.path().join("three")).unwrap();
    std::fs::write(folder.path().join("three/manifest.json"), "{}").unwrap();
    let message = refused(&address(&folder.path().join("three/")));
    assert!(message.contains("no object below it") && message.contains(".csv.gz"), "{message}");
}

#[test]
fn errors_name_the_address_and_never_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    let (damaged, value) = (folder.path().join("damaged.csv"), folder.path().join("value.csv"));
    std::fs::write(&damaged, BILL.replacen("Usage,", "Usage,\u{0},", 1) + "\"open").unwrap();
    let message = refused(&address(&damaged));
    assert!(message.contains("line "), "{message}");
    let mut rows = table();
    set(&mut rows, "lineItem/UnblendedCost", "much", |row| row[0] == "invented0016");
    write(&value, &rows);
    let message = refused(&address(&value));
    assert!(message.contains("`much`") && message.contains("below the header"), "{message}");
    std::fs::write(folder.path().join("empty.csv"), "").unwrap();
    assert!(refused(&address(&folder.path().join("empty.csv"))).contains("empty"));
    std::fs::write(folder.path().join("packed.zip"), b"PK\x03\x04").unwrap();
    assert!(refused(&address(&folder.path().join("packed.zip"))).contains("unpack it"));
    assert!(refused(&address(&folder.path().join("missing.csv"))).contains("check bucket"));
}

#[test]
fn fetching_reports_progress() {
    let seen: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let log = Arc::clone(&seen);
    let options = Options { progress: Some(Arc::new(move |progress| log.lock().unwrap().push(progress))), ..Options::default() };
    let path = own("bill-2024-02.csv").canonicalize().unwrap();
    Bill::read(&[address(&path)], &options).unwrap();
    let fetched = seen.lock().unwrap().iter().filter(|progress| progress.phase == Phase::Fetching).map(|at| at.bytes).max();
    assert_eq!(fetched, Some(BILL.len() as u64));
}
