//! Every billing file of the shared data through the one door, with totals beside sums that were made by other means: with pandas 2
//! (`pd.to_numeric(column).sum()`), and here with the CSV and JSON readers alone.

use super::shared;
use covermix_ingest::{Bill, ChargeKind, Error, Format, LongRows, Options};
use std::io::Read;
use std::path::Path;

/// Sums of unblended cost in decimals, by pandas 2 and Python's `Decimal`.
const LEGACY_2023: f64 = 1.682_308_697_4;
const ATHENA_2019: f64 = 89.170_632_878;
const OCTOBER_2018: f64 = 4_064.483_131_537_9;
const NOVEMBER_2018: f64 = 3_505.326_968_126_8;

fn read(path: &Path) -> Bill {
    Bill::read(&[path], &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(path: &Path) -> String {
    Bill::read(&[path], &Options::default()).expect_err("it was read").to_string()
}

/// Asserts that rows and money are all there, and what they are.
#[track_caller]
fn check(bill: &Bill, format: Format, rows: u64, total: f64) {
    let reconciliation = bill.reconciliation();
    assert_eq!((bill.format(), reconciliation.rows()), (format, rows));
    assert_eq!(reconciliation.entries().iter().map(|entry| entry.rows).sum::<u64>(), rows);
    assert_eq!(reconciliation.entries().iter().map(|entry| entry.cost).sum::<covermix::units::Money>(), reconciliation.cost());
    assert_eq!(bill.money().billed(), reconciliation.cost());
    assert!((reconciliation.cost().to_f64() - total).abs() < 1e-9, "{} is not {total}", reconciliation.cost().to_f64());
}

/// The sum of a column, by the CSV reader alone.
fn column_sum(path: &Path, separator: u8, column: &str) -> f64 {
    let file = std::fs::File::open(path).unwrap();
    let mut text = Vec::new();
    let is_packed = path.extension().is_some_and(|extension| extension == "gz");
    let mut reader: Box<dyn Read> = if is_packed { Box::new(flate2::read::GzDecoder::new(file)) } else { Box::new(file) };
    reader.read_to_end(&mut text).unwrap();
    let mut builder = csv::ReaderBuilder::new();
    let mut reader = builder.delimiter(separator).quoting(separator != 1).from_reader(text.as_slice());
    let position = reader.headers().unwrap().iter().position(|header| header == column).unwrap();
    reader.records().map(|record| record.unwrap()[position].parse::<f64>().unwrap_or(0.0)).sum()
}

#[test]
fn azure_exports_in_every_variant_of_the_headers() {
    for (name, rows, total) in [
        ("ea-actual-small", 11, 8.545_007_786_741_936),
        ("ea-amortized-small", 28, 16.296_932_136_636_645),
        ("ea-anonymous-cad-2023-09", 27, 1.261_369_265_057_259_9),
        ("headers-BOM", 1, 0.0),
        ("headers-Enterprise", 1, 0.0),
        ("headers-EnterpriseCamel", 1, 0.012),
        ("headers-German", 1, 0.075),
        ("headers-PayAsYouGo", 1, 0.075),
        ("headers-YA", 1, 0.075),
        ("values-MissingBrackets", 1, 4.0),
        ("values-Template", 87, 16.393_506_212_224_39),
        ("values-VirtualMachine", 1, 4.0),
    ] {
        let Some(path) = shared(&format!("azure-costs/{name}.csv")) else { return };
        check(&read(&path), Format::AzureCost, rows, total);
    }
    let Some(path) = shared("azure-costs/ea-reservation-recommendations.csv") else { return };
    let message = refused(&path);
    assert!(message.contains("none of the billing exports") && message.contains("SKU, Location"), "{message}");
}

#[test]
fn azure_commitments_and_dates_are_understood() {
    let Some(path) = shared("azure-costs/ea-actual-small.csv") else { return };
    let bill = read(&path);
    assert_eq!(bill.months().iter().map(ToString::to_string).collect::<Vec<_>>(), ["2023-09"]);
    assert_eq!(bill.currency(), "USD");
    let [held] = bill.commitments() else { panic!("{:?}", bill.commitments()) };
    assert_eq!(held.name, "Reserved VM Instance, Standard_B1s, UK South, 3 Years");
    assert_eq!(held.start.unwrap().to_rfc3339(), "2023-06-21T18:56:00+00:00");
    assert_eq!(held.end.unwrap().to_rfc3339(), "2026-06-21T18:56:00+00:00");
    assert!((bill.money().of(ChargeKind::Purchase).billed.to_f64() - 3.25).abs() < 1e-12);
    // Bills by the day have no hours, unless they are asked to.
    assert!(matches!(bill.usage().unwrap_err(), Error::Granularity { .. }));
    let options = Options { long_rows: LongRows::Spread, ..Options::default() };
    let Some(path) = shared("azure-costs/ea-amortized-small.csv") else { return };
    let bill = Bill::read(&[path], &options).unwrap();
    let usage = bill.usage().unwrap();
    let line = usage.lines().iter().position(|line| line.sku.sku == "Standard_DS2_v2").unwrap();
    assert_eq!(usage.lines()[line].sku.to_string(), "azure/Virtual Machines/eastus/Standard_DS2_v2/Linux/shared/instance-hour");
    assert!((usage.totals()[line] - 8.0).abs() < 1e-12);
    // On 2023-09-22, a third of an hour's machine in every hour.
    let day = 21 * 24;
    assert!((usage.quantity()[(day, line)] - 8.0 / 24.0).abs() < 1e-12 && usage.quantity()[(day - 1, line)].abs() < 1e-12);
    assert_eq!(usage.lines()[line].billed_price.unwrap().value().to_string(), "0.146");
    let covered = bill.money().of(ChargeKind::Covered);
    assert!((covered.effective.to_f64() - 0.493_152 - 0.006_000_000_468).abs() < 1e-12);
    assert!((covered.list.to_f64() - 8.0 * 0.146 - 0.320_855_64 * 0.0416).abs() < 1e-12);
    assert!(bill.money().effective_savings_rate().unwrap().unwrap() > 0.0);
}

#[test]
fn the_focus_sample_is_read() {
    let Some(path) = shared("focus/focus-1.0-sample-1000.csv.gz") else { return };
    let bill = read(&path);
    check(&bill, Format::Focus, 1000, 20.520_226_728_989_996);
    check(&bill, Format::Focus, 1000, column_sum(&path, b',', "BilledCost"));
    assert!((bill.money().effective().to_f64() - column_sum(&path, b',', "EffectiveCost")).abs() < 1e-9);
    assert_eq!(bill.money().of(ChargeKind::Covered).rows, 4);
    // The 4 covered rows have a list cost, and an effective cost that anonymising made 0.
    assert!(bill.money().of(ChargeKind::Covered).list > covermix::units::Money::ZERO);
    assert!(bill.notes().iter().any(|note| note.to_string().contains("FOCUS 1.0")), "{:?}", bill.notes());
}

#[test]
fn the_examples_of_the_specification_are_read_or_refused() {
    let path = |name: &str| shared(&format!("focus/spec-examples/{name}.csv"));
    for (name, rows, total) in [
        ("commitment_discount_purchase_scenario_1", 1, 8760.0),
        ("commitment_discount_usage_scenario_1", 1, 0.0),
        ("commitment_discount_usage_scenario_2", 1, 0.0),
        ("commitment_discount_usage_scenario_3", 2, 0.0),
        ("one_hundred_percent_utilization_with_commitment_discount_flexibility_with_1_resource", 3, 2.75),
        ("one_hundred_percent_utilization_with_commitment_discount_flexibility_with_2_resources", 3, 2.0),
        ("one_hundred_percent_utilization_without_commitment_discount_flexibility", 2, 1.5),
        ("zero_percent_utilization_without_commitment_discount_flexibility", 3, 3.5),
    ] {
        let Some(path) = path(name) else { return };
        check(&read(&path), Format::Focus, rows, total);
    }
    for name in ["commitment_discount_purchase_scenario_2", "commitment_discount_purchase_scenario_3"] {
        let Some(path) = path(name) else { return };
        let message = refused(&path);
        assert!(message.contains("ChargePeriodEnd") && message.contains("T30:00:00Z"), "{message}");
    }
    let Some(unused) = path("zero_percent_utilization_without_commitment_discount_flexibility") else { return };
    // Its unused row has a list cost of 3.00, which is no on-demand equivalent of any use.
    assert_eq!(read(&unused).money().of(ChargeKind::Unused).list, covermix::units::Money::ZERO);
    let Some(half) = path("commitment_discount_usage_scenario_3") else { return };
    assert_eq!(read(&half).money().utilisation(), Some(0.75));
    let Some(short) = path("commitment_discount_usage_scenario_4") else { return };
    let rows = std::fs::read_to_string(&short).unwrap();
    let cells: Vec<usize> = rows.lines().filter(|row| !row.is_empty()).map(|row| row.split(',').count()).collect();
    if cells.windows(2).any(|pair| pair[0] != pair[1]) {
        let message = refused(&short);
        assert!(message.contains("line 3"), "{message}");
    } else {
        check(&read(&short), Format::Focus, 2, 0.5);
    }
}

/// Cost and credits of a Google export, by the JSON reader alone.
fn google_sum(path: &Path) -> (u64, f64) {
    let text = std::fs::read_to_string(path).unwrap();
    let number = |value: &serde_json::Value| -> f64 {
        value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok())).unwrap_or(0.0)
    };
    let mut sum = (0, 0.0);
    let values = serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>();
    let objects = values.flat_map(|value| match value.unwrap() {
        serde_json::Value::Array(objects) => objects,
        object => vec![object],
    });
    for object in objects {
        let credits = object["credits"].as_array().into_iter().flatten().map(|credit| number(&credit["amount"]));
        sum = (sum.0 + 1, sum.1 + number(&object["cost"]) + credits.sum::<f64>());
    }
    sum
}

#[test]
fn google_exports_are_read() {
    let Some(folder) = shared("gcp-cud-attribution") else { return };
    let mut cases: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    cases.sort();
    assert_eq!(cases.len(), 18);
    for case in cases {
        for name in ["export.json", "expected_billingexport_output.json"] {
            let path = case.join(name);
            let (rows, total) = google_sum(&path);
            check(&read(&path), Format::GoogleBilling, rows, total);
        }
    }
}

#[test]
fn google_usage_fees_and_credits_are_told_apart() {
    let Some(path) = shared("gcp-cud-attribution/test_2_1/export.json") else { return };
    let bill = read(&path);
    // 50 + 100 + 70 of usage with 10 + 10 + 20 of credits, and a fee of 100 (pandas: 320 of cost, -40 of credits).
    check(&bill, Format::GoogleBilling, 4, 280.0);
    assert!((bill.money().of(ChargeKind::Purchase).billed.to_f64() - 100.0).abs() < 1e-12);
    // Two rows are covered in part, with credits of 30.
    assert!((bill.money().of(ChargeKind::Covered).list.to_f64() - 30.0).abs() < 1e-12);
    assert!((bill.money().of(ChargeKind::OnDemand).list.to_f64() - 190.0).abs() < 1e-12);
    let [held] = bill.commitments() else { panic!("{:?}", bill.commitments()) };
    assert_eq!(held.term, Some(covermix::time::Term::Months(36)));
    assert!(matches!(bill.usage().unwrap_err(), Error::Granularity { rows: 3, .. }));
    let options = Options { long_rows: LongRows::Spread, ..Options::default() };
    let bill = Bill::read(&[&path], &options).unwrap();
    let usage = bill.usage().unwrap();
    // A month of Google's: from midnight to midnight in US Pacific time.
    assert_eq!((usage.grid().first.to_string().as_str(), usage.grid().count), ("2019-01-01T08:00:00Z", 744));
    assert!((usage.totals().sum() - 220.0).abs() < 1e-9);
    assert!(usage.lines().iter().all(|line| line.sku.to_string() == "gcp/Compute Engine/us-west1/N1 memory/GiB-hour"));
}

#[test]
fn reports_of_aws_are_read_through_the_same_door() {
    for (name, separator, column, rows, total) in [
        ("aws-cur-formats/aws-cur-legacy-2023-11.csv.gz", b',', "lineItem/UnblendedCost", 1281, LEGACY_2023),
        ("aws-cur-formats/aws-cur-athena-2019-11-26.soh.gz", 1, "line_item_unblended_cost", 7850, ATHENA_2019),
    ] {
        let Some(path) = shared(name) else { return };
        let bill = read(&path);
        check(&bill, Format::AwsCostAndUsage, rows, total);
        check(&bill, Format::AwsCostAndUsage, rows, column_sum(&path, separator, column));
    }
    let months = ["Oct", "Nov"].map(|month| shared(&format!("aws-cur-2018q4/{month}2018-WorkshopCUR-00001.snappy.parquet")));
    let [Some(october), Some(november)] = months else { return };
    let bill = Bill::read(&[october, november], &Options::default()).unwrap();
    check(&bill, Format::AwsCostAndUsage, 243_647, OCTOBER_2018 + NOVEMBER_2018);
    // Effective cost of covered usage of both months, from the bill's own columns.
    let covered = bill.money().of(ChargeKind::Covered);
    assert!((covered.effective.to_f64() - 232.253_796 - 231.400_440).abs() < 1e-5, "{covered:?}");
    assert!((covered.list.to_f64() - 338.020_606 - 336.24).abs() < 1e-5, "{covered:?}");
}
