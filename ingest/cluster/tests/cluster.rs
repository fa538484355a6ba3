//! A bill of the library's own making, read on a cluster of a scheduler and two executors and in this process: the same to the last digit.

use covermix::billing::{Judge, Rules};
use covermix::catalog::{Benefit, Catalog};
use covermix::portfolio::{Commitment, Portfolio, Scope};
use covermix::time::{Hour, HourGrid, Month};
use covermix::usage::{UsageCurves, UsageLine};
use covermix_ingest::{Bill, Error, Options, UnknownSkus};
use covermix_ingest_cluster::start;
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::{CsvReadOptions, SessionContext};
use std::path::{Path, PathBuf};

fn catalog() -> Catalog {
    Catalog::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/prices.json")).unwrap()
}

/// A month of two sizes of one pool and of Windows, with a daily wave, two reservations among them.
fn write_report(catalog: &Catalog, path: &Path) {
    let month = Month::containing("2024-04-01T00:00:00Z".parse().unwrap());
    let grid = HourGrid { first: Hour::containing(month.start()), count: 720 };
    let line = |(size, platform, account): (&str, &str, &str)| {
        let price = catalog.prices().iter().find(|price| price.sku.sku == size && price.sku.platform == platform).unwrap();
        let mut line = UsageLine::new(price.sku.clone(), account);
        line.billed_price = Some(price.price);
        line
    };
    let lines =
        [("m5.large", "Linux", "111111111111"), ("m5.xlarge", "Linux", "222222222222"), ("m5.large", "Windows", "222222222222")];
    let wave = |hour: usize, line: usize| match line {
        0 => 2.0 + (hour % 24) as f64 / 8.0,
        1 => [1.5, 0.25][hour % 24 / 12],
        _ => 1.0,
    };
    let quantity = (0..720).flat_map(|hour| (0..3).map(move |line| wave(hour, line))).collect();
    let quantity = ndarray::Array2::from_shape_vec((720, 3), quantity).unwrap();
    let usage = UsageCurves::new(grid, lines.map(line).to_vec(), quantity).unwrap();
    let is_pooled =
        |benefit: &Benefit| matches!(benefit, Benefit::Reservation { sku, pool: Some(_) } if sku.contains("m5.large/Linux"));
    let offer = catalog.offers().iter().find(|offer| is_pooled(&offer.benefit)).unwrap();
    let reservation = Commitment {
        id: "arn:aws:ec2:us-east-1:111111111111:reserved-instances/r".into(),
        offer: offer.id.clone(),
        quantity: "2".parse().unwrap(),
        start: "2024-04-01T00:00:00Z".parse().unwrap(),
        end: "2025-04-01T00:00:00Z".parse().unwrap(),
        account: "111111111111".into(),
        scope: Scope::Region,
    };
    let portfolio = Portfolio::new(Vec::new(), vec![reservation]).unwrap();
    let judge = Judge::new(&usage, catalog, &portfolio, &Rules::default()).unwrap();
    let file = std::fs::File::create(path).unwrap();
    covermix_ingest::aws::export::write_csv(&judge, &usage, catalog, &portfolio, file).unwrap();
}

/// The report as Parquet, in two files.
async fn as_parquet(csv: &Path, folder: &Path) -> Vec<PathBuf> {
    let context = SessionContext::new();
    context.register_csv("report", csv.to_str().unwrap(), CsvReadOptions::new().schema_infer_max_records(0)).await.unwrap();
    let mut files = Vec::new();
    for (name, condition) in [("first", "<"), ("second", ">=")] {
        let path = folder.join(format!("{name}.parquet"));
        let sql = format!("SELECT * FROM report WHERE \"lineItem/UsageStartDate\" {condition} '2024-04-11T00:00:00Z'");
        let frame = context.sql(&sql).await.unwrap();
        frame
            .write_parquet(path.to_str().unwrap(), DataFrameWriteOptions::new().with_single_file_output(true), None)
            .await
            .unwrap();
        files.push(path);
    }
    files
}

fn assert_same(found: &Bill, expected: &Bill, catalog: &Catalog) {
    assert_eq!(found.usage().unwrap(), expected.usage().unwrap());
    assert_eq!(found.money(), expected.money());
    assert_eq!(found.reconciliation(), expected.reconciliation());
    assert_eq!(found.notes(), expected.notes());
    let portfolio = |bill: &Bill| bill.portfolio(catalog, UnknownSkus::Refuse).unwrap();
    assert_eq!(portfolio(found), portfolio(expected));
}

#[test]
fn a_bill_says_the_same_on_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = catalog();
    let csv = folder.path().join("report.csv");
    write_report(&catalog, &csv);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let (files, context) = runtime.block_on(async { (as_parquet(&csv, folder.path()).await, start(2).await.unwrap()) });
    let local = Bill::read(&files, &Options::default()).unwrap();
    let options = Options { context: Some(context), ..Options::default() };
    let started = std::time::Instant::now();
    let bill = Bill::read(&files, &options).unwrap();
    println!("{} rows on a cluster of two executors in {:.1} s", bill.reconciliation().rows(), started.elapsed().as_secs_f64());
    assert_same(&bill, &local, &catalog);
    assert!(bill.reconciliation().rows() > 2_000);
    let (portfolio, _) = bill.portfolio(&catalog, UnknownSkus::Refuse).unwrap();
    assert_eq!(portfolio.commitments().len(), 1);

    // A second bill in the same session does not touch the first.
    let half = Bill::read(&files[..1], &options).unwrap();
    assert_same(&half, &Bill::read(&files[..1], &Options::default()).unwrap(), &catalog);
    let rules = covermix_ingest::owners::OwnerRules::from_toml("[[rule]]\nowner = \"all\"\naccount = \".*\"\n").unwrap();
    let owners = |bill: &Bill| bill.allocate(&rules).unwrap().to_string();
    assert_eq!(owners(&bill), owners(&local));

    // Text is read by a table that cannot be sent.
    let error = Bill::read(&[&csv], &options).unwrap_err();
    assert!(matches!(error, Error::NotShared { .. }) && error.to_string().contains("convert it to Parquet"), "{error}");
}
