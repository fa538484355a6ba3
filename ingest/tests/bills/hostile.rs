//! Files that are not what they should be: every one is an error that names the file and what to do, and none is a panic.

use super::{BILL, own, position, prices, remove, set, shared, table, write};
use covermix_ingest::aws::CostAndUsage;
use covermix_ingest::{Bill, Error, Options, UnknownSkus};
use std::path::{Path, PathBuf};

/// The error of reading bytes as a bill; it names the file, and a remedy after a semicolon.
#[track_caller]
fn refused(name: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    message(&[&path], name)
}

#[track_caller]
fn message(paths: &[&PathBuf], name: &str) -> String {
    let message = CostAndUsage::read(paths).expect_err("it was read").to_string();
    assert!(message.contains(name), "no file name in: {message}");
    assert!(message.contains("; "), "no remedy in: {message}");
    message
}

/// The error of reading the invented bill after a change.
#[track_caller]
fn changed(change: impl FnOnce(&mut Vec<Vec<String>>)) -> String {
    let mut table = table();
    change(&mut table);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    write(&path, &table);
    CostAndUsage::read(&[&path]).expect_err("it was read").to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn what_is_no_bill_is_refused() {
    assert!(refused("empty.csv", b"").contains("empty"));
    assert!(refused("blank.csv", b"\n\n").contains("no header"));
    assert!(refused("header-only.csv", BILL.lines().next().unwrap().as_bytes()).contains("no line item"));
    assert!(refused("text.csv", b"hello world\nthis is no bill\n").contains("looked for `lineItem/LineItemType`"));
    assert!(refused("binary.csv", &[0x89, b'P', b'N', b'G', 0xff, 0xfe, 0, 1, 2, 3]).contains("binary.csv"));
    assert!(refused("bill.zip", b"PK\x03\x04rest").contains("ZIP archive"));
    assert!(refused("bill.zst", &[0x28, 0xb5, 0x2f, 0xfd, 1]).contains("zstd"));
    assert!(refused("cut.parquet", b"PAR1 and then nothing of a Parquet file").contains("cannot be read as Parquet"));
    assert!(refused("four.parquet", b"PAR1").contains("cannot be read as Parquet"));
    assert!(refused("empty.csv.gz", &gzip(b"")).contains("no header"));
    let packed = gzip(BILL.as_bytes());
    assert!(refused("cut.csv.gz", &packed[..packed.len() >> 1]).contains("cut off or damaged"));
    let folder = tempfile::tempdir().unwrap();
    assert!(message(&[&folder.path().to_owned()], "").contains("is not a file"));
    assert!(message(&[&folder.path().join("absent.csv")], "absent.csv").contains("cannot be read"));
    assert!(CostAndUsage::read::<&Path>(&[]).is_err());
}

#[test]
fn a_cut_row_is_refused() {
    let bytes = BILL.as_bytes();
    let message = refused("cut.csv", &bytes[..bytes.len() - 60]);
    assert!(message.contains("cannot be read as CSV"), "{message}");
}

#[test]
fn a_missing_required_column_is_named_in_both_spellings() {
    for column in ["lineItem/UsageType", "lineItem/UnblendedCost", "lineItem/UsageStartDate"] {
        let message = changed(|table| remove(table, column));
        assert!(message.contains(column) && message.contains("line_item_") && message.contains("bill.csv"), "{message}");
    }
}

#[test]
fn a_column_that_stands_twice_is_refused() {
    let message = changed(|table| {
        let cost = position(table, "lineItem/UnblendedCost");
        for (row, cells) in table.iter_mut().enumerate() {
            let copy = if row == 0 { "line_item_unblended_cost".to_owned() } else { cells[cost].clone() };
            cells.push(copy);
        }
    });
    assert!(message.contains("used twice"), "{message}");
}

#[test]
fn values_that_are_no_numbers_or_times_are_named() {
    for (column, value) in [
        ("lineItem/UsageAmount", "many"),
        ("lineItem/UsageAmount", "NaN"),
        ("lineItem/UsageAmount", ""),
        ("lineItem/UnblendedCost", "inf"),
        ("lineItem/UnblendedCost", "1e300"),
        ("lineItem/UsageStartDate", "yesterday"),
        ("lineItem/UsageStartDate", ""),
        ("reservation/StartTime", "2024-13-45T00:00:00Z"),
        ("pricing/publicOnDemandRate", "0,096"),
    ] {
        let message = changed(|table| set(table, column, value, |row| row[0] == "invented0016" || row[0] == "invented0003"));
        assert!(message.contains(&format!("field `{column}`")) && message.contains(&format!("`{value}`")), "{message}");
        assert!(message.contains("2 value(s)"), "{message}");
        // Where to look: rows are counted below the header.
        let row = table().iter().position(|row| row[0] == "invented0003" || row[0] == "invented0016").unwrap();
        assert!(message.contains(&format!("the first in row {row} below the header")), "{message}");
    }
}

#[test]
fn negative_usage_is_refused_with_line_and_hour() {
    let message = changed(|table| set(table, "lineItem/UsageAmount", "-3", |row| row.iter().any(|cell| cell == "1.25E-1")));
    assert!(
        message.contains("negative") && message.contains("m5.large") && message.contains("2024-02-01T01:00:00Z"),
        "{message}"
    );
}

#[test]
fn negative_usage_leaves_the_rest_of_the_bill() {
    let (folder, mut table) = (tempfile::tempdir().unwrap(), table());
    set(&mut table, "lineItem/UsageAmount", "-3", |row| row.iter().any(|cell| cell == "1.25E-1"));
    let path = folder.path().join("bill.csv");
    write(&path, &table);
    let read = |path: &PathBuf| Bill::read(&[path], &Options::default()).unwrap();
    let (bill, whole) = (read(&path), read(&own("bill-2024-02.csv")));
    assert!(matches!(bill.usage(), Err(Error::NegativeUsage { .. })));
    assert_eq!(bill.reconciliation(), whole.reconciliation());
    let held = |bill: &Bill| bill.cost_and_usage().unwrap().reserved_instances().to_vec();
    assert_eq!(held(&bill), held(&whole));
}

#[test]
fn months_given_twice_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut cells = table();
    let (whole, part) = (folder.path().join("whole.csv"), folder.path().join("part.csv"));
    write(&whole, &cells);
    cells.truncate(4);
    write(&part, &cells);
    let message = message(&[&whole, &part], "whole.csv");
    assert!(message.contains("part.csv") && message.contains("overlap") && message.contains("3 line item(s)"), "{message}");
    let error = CostAndUsage::read(&[&whole, &whole]).unwrap_err();
    assert!(matches!(error, Error::Overlap { rows: 28, .. }), "{error}");
    // Without identifiers, by all else.
    let mut bare = table();
    remove(&mut bare, "identity/LineItemId");
    let (first, second) = (folder.path().join("first.csv"), folder.path().join("second.csv"));
    write(&first, &bare);
    assert!(CostAndUsage::read(&[&first]).is_ok());
    bare.truncate(6);
    write(&second, &bare);
    let error = CostAndUsage::read(&[&first, &second]).unwrap_err();
    // Two fractions of one hour are alike, so that a third copy of them counts twice.
    assert!(matches!(&error, Error::Overlap { rows: 6, .. }) && error.to_string().contains("second.csv"), "{error}");
    let repeated = changed(|table| {
        let row = table[3].clone();
        table.push(row);
    });
    assert!(repeated.contains("bill.csv and") && repeated.contains("1 line item(s)"), "{repeated}");
}

#[test]
fn a_daily_report_is_refused() {
    let message = changed(|table| {
        set(table, "lineItem/UsageEndDate", "2024-02-02T00:00:00Z", |row| {
            row.iter().any(|cell| cell == "DedicatedUsage:m5.large")
        });
    });
    assert!(message.contains("hourly") && message.contains("AmazonEC2 i-6"), "{message}");
}

/// The invented bill, moved to another month.
fn moved(folder: &Path, month: &str) -> PathBuf {
    let path = folder.join(format!("{month}.csv"));
    let text = BILL.replace("2024-02-29T", &format!("{month}-28T")).replace("2024-02-", &format!("{month}-"));
    std::fs::write(&path, text.replace("invented0", &format!("{month}-0"))).unwrap();
    path
}

#[test]
fn months_are_read_together_but_not_across_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let (february, march, april) = (own("bill-2024-02.csv"), moved(folder.path(), "2024-03"), moved(folder.path(), "2024-04"));
    let error = CostAndUsage::read(&[&april, &february]).unwrap_err();
    assert!(
        matches!(&error, Error::Gap { before, after } if before.to_string() == "2024-02" && after.to_string() == "2024-04"),
        "{error}"
    );
    let bill = CostAndUsage::read(&[&april, &february, &march]).unwrap();
    assert_eq!(bill.usage().unwrap().grid().count, (29 + 31 + 30) * 24);
    assert_eq!(bill.reconciliation().rows(), 3 * 28);
    assert_eq!(bill.reconcile(&prices(), UnknownSkus::Refuse).unwrap().len(), 3);
}

#[test]
fn two_currencies_are_refused() {
    let message = changed(|table| set(table, "lineItem/CurrencyCode", "EUR", |row| row[0] == "invented0003"));
    assert!(message.contains("USD") && message.contains("EUR"), "{message}");
    let mut euros = table();
    set(&mut euros, "lineItem/CurrencyCode", "EUR", |_| true);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    write(&path, &euros);
    let message = CostAndUsage::read(&[&path]).unwrap().portfolio(&prices(), UnknownSkus::Refuse).unwrap_err().to_string();
    assert!(message.contains("EUR, beside USD"), "{message}");
}

#[test]
fn a_fee_that_does_not_say_what_was_bought_is_refused() {
    let is_fee = |row: &[String]| row.iter().any(|cell| cell == "RIFee");
    for column in
        ["reservation/StartTime", "reservation/EndTime", "reservation/NumberOfReservations", "reservation/ReservationARN"]
    {
        let message = changed(|table| set(table, column, "", is_fee));
        assert!(message.contains(&format!("field `{column}`")), "{message}");
    }
    let message = changed(|table| remove(table, "savingsPlan/StartTime"));
    assert!(message.contains("field `savingsPlan/StartTime`") && message.contains("savingsplan/invented"), "{message}");
}

#[test]
fn what_the_catalog_does_not_know_is_listed_or_left_out() {
    let mut table = table();
    let place = position(&table, "lineItem/UsageType");
    for row in &mut table {
        row[place] = row[place].replace("m5.xlarge", "m9.xlarge");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    write(&path, &table);
    let bill = CostAndUsage::read(&[&path]).unwrap();
    let message = bill.reconcile(&prices(), UnknownSkus::Refuse).unwrap_err().to_string();
    assert!(message.contains("m9.xlarge") && message.contains("0.19"), "{message}");
    let figures = bill.reconcile(&prices(), UnknownSkus::Exclude).unwrap();
    assert!(figures[0].public_on_demand_cost < 0.7, "{figures:?}");
    // A reservation of it.
    for row in &mut table {
        row[place] = row[place].replace("HeavyUsage:m5.large", "HeavyUsage:m9.large");
    }
    write(&path, &table);
    let bill = CostAndUsage::read(&[&path]).unwrap();
    let message = bill.portfolio(&prices(), UnknownSkus::Refuse).unwrap_err().to_string();
    assert!(message.contains("m9.large") && message.contains("reserved-instances/invented"), "{message}");
    assert_eq!(bill.portfolio(&prices(), UnknownSkus::Exclude).unwrap().commitments().len(), 1);
}

#[test]
fn a_parquet_file_cut_or_overwritten_is_refused_or_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.parquet");
    super::scale::make_bill::report(20_000, &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for length in [5, 13, 1000, bytes.len() >> 1, bytes.len() - 1] {
        assert!(refused("cut.parquet", &bytes[..length]).contains("cannot be read as Parquet"));
    }
    // Data overwritten under a whole footer: an error that names the file, or figures that are those of the bytes; never a panic.
    for place in (4..bytes.len() - 2000).step_by(bytes.len() >> 5) {
        let mut damaged = bytes.clone();
        for byte in damaged.iter_mut().skip(place).take(64) {
            *byte ^= 0xa5;
        }
        let file = folder.path().join("damaged.parquet");
        std::fs::write(&file, damaged).unwrap();
        if let Err(error) = CostAndUsage::read(&[&file]) {
            let message = error.to_string();
            assert!(message.contains("damaged.parquet") && message.contains("; "), "{message}");
        }
    }
}

#[test]
fn a_value_in_parquet_that_is_too_long_is_refused() {
    use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("field.parquet");
    let long = "a".repeat(40 << 20);
    let column: ArrayRef = std::sync::Arc::new(StringArray::from(vec![long.as_str()]));
    let batch = RecordBatch::try_from_iter([("line_item_line_item_type", column)]).unwrap();
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = datafusion::parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let message = message(&[&path], "field.parquet");
    assert!(message.contains("line_item_line_item_type") && message.contains("16 MiB"), "{message}");
}

#[test]
fn a_real_parquet_file_cut_anywhere_is_refused() {
    let Some(path) = shared("aws-cur-2018q4/Oct2018-WorkshopCUR-00001.snappy.parquet") else { return };
    let bytes = std::fs::read(path).unwrap();
    for length in [5, 1000, bytes.len() >> 1, bytes.len() - 1] {
        assert!(refused("cut.parquet", &bytes[..length]).contains("cannot be read as Parquet"));
    }
    // Data pages overwritten, footer whole.
    let mut damaged = bytes.clone();
    for byte in damaged.iter_mut().skip(4).take(200_000) {
        *byte = 0xa5;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("damaged.parquet");
    std::fs::write(&file, damaged).unwrap();
    message(&[&file], "damaged.parquet");
}
