//! The real bill of October and November 2018 (AWS Well-Architected Labs, MIT-0) with the price list of 2018-11-29, as Parquet and as CSV.
//! Golden figures: the bill's own, added up with other tools.

use super::{agree, shared};
use covermix::catalog::Catalog;
use covermix::usage::PricingCategory;
use covermix_ingest::aws::{CostAndUsage, MonthFigures};
use covermix_ingest::{Treatment, UnknownSkus};
use std::path::PathBuf;

const OCTOBER: &str = "aws-cur-2018q4/Oct2018-WorkshopCUR-00001.snappy.parquet";
const NOVEMBER: &str = "aws-cur-2018q4/Nov2018-WorkshopCUR-00001.snappy.parquet";
const CSV: &str = "aws-cur-2018q4/ec2-compute-2018-10-11.csv.gz";

fn catalog() -> Option<Catalog> {
    shared("aws-prices/ec2instances-2018-11-29.json.gz").map(|path| Catalog::read(path).unwrap())
}

fn read(names: &[&str]) -> Option<CostAndUsage> {
    let paths: Option<Vec<PathBuf>> = names.iter().map(|name| shared(name)).collect();
    Some(CostAndUsage::read(&paths?).unwrap())
}

/// Month, then the figures in the order of [`MonthFigures`].
const GOLDEN: [(&str, [f64; 8]); 2] = [
    ("2018-10", [513.523849, 861.434855, 338.020606, 232.253796, 149.775379, 131.473973, 22.336986, 26.658574]),
    ("2018-11", [501.171975, 847.264615, 336.240000, 231.400440, 147.384000, 127.232877, 21.616438, 21.600000]),
];

fn check(figures: &[MonthFigures]) {
    assert_eq!(figures.len(), GOLDEN.len());
    for (month, (name, golden)) in figures.iter().zip(GOLDEN) {
        assert_eq!(month.month, name);
        let found = [
            month.on_demand_cost,
            month.public_on_demand_cost,
            month.public_covered_cost,
            month.ri_effective_used,
            month.ri_recurring_fee,
            month.ri_amortized_upfront,
            month.unused_upfront,
            month.unused_recurring,
        ];
        for (index, (found, golden)) in found.into_iter().zip(golden).enumerate() {
            agree(&format!("figure {index} of {name}"), found, golden);
        }
    }
    // Four pools over the whole of October and one from the hour of 2018-10-09T21:40:47Z; all five over November.
    let pool_hours: Vec<(u64, u64)> = figures.iter().map(|month| (month.pool_hours, month.pool_hours_matching)).collect();
    assert_eq!(pool_hours, [(4 * 744 + 531, 4 * 744 + 531), (5 * 720, 5 * 720)]);
}

#[test]
fn both_months_come_out_from_parquet() {
    let (Some(catalog), Some(bill)) = (catalog(), read(&[NOVEMBER, OCTOBER])) else { return };
    check(&bill.reconcile(&catalog, UnknownSkus::Refuse).unwrap());
}

#[test]
fn both_months_come_out_from_csv() {
    let (Some(catalog), Some(bill)) = (catalog(), read(&[CSV])) else { return };
    check(&bill.reconcile(&catalog, UnknownSkus::Refuse).unwrap());
}

#[test]
fn parquet_and_csv_say_the_same() {
    let (Some(catalog), Some(parquet), Some(csv)) = (catalog(), read(&[OCTOBER, NOVEMBER]), read(&[CSV])) else { return };
    assert_eq!(parquet.instance_usage().unwrap(), csv.instance_usage().unwrap());
    assert_eq!(parquet.reserved_instances(), csv.reserved_instances());
    assert_eq!(parquet.portfolio(&catalog, UnknownSkus::Refuse).unwrap(), csv.portfolio(&catalog, UnknownSkus::Refuse).unwrap());
}

#[test]
fn single_months_agree_with_both() {
    let Some(catalog) = catalog() else { return };
    let mut figures = Vec::new();
    for month in [OCTOBER, NOVEMBER] {
        let Some(bill) = read(&[month]) else { return };
        figures.extend(bill.reconcile(&catalog, UnknownSkus::Refuse).unwrap());
    }
    check(&figures);
}

#[test]
fn every_row_and_all_money_is_somewhere() {
    let Some(bill) = read(&[OCTOBER, NOVEMBER]) else { return };
    let reconciliation = bill.reconciliation();
    assert_eq!(reconciliation.rows(), 119_307 + 124_340);
    assert_eq!(reconciliation.entries().iter().map(|entry| entry.rows).sum::<u64>(), reconciliation.rows());
    assert_eq!(reconciliation.entries().iter().map(|entry| entry.cost).sum::<covermix::units::Money>(), reconciliation.cost());
    agree("commitments", reconciliation.cost_of(Treatment::Commitments).to_f64(), 149.775379 + 147.384);
    let entry = |reason: &str| reconciliation.entries().iter().find(|entry| entry.reason == reason).unwrap();
    agree("spot", entry("EC2 instances on spot").cost.to_f64(), 34.015980 + 6.831732 + 0.148165 + 29.592408);
    assert_eq!(entry("EC2 instances within the free tier").rows, 1502);
    assert_eq!(entry("EC2 instances covered by Reserved Instances").rows, 8345 + 7202);
    agree("on demand", entry("EC2 instances on demand").cost.to_f64(), 513.523849 + 501.171975);
}

#[test]
fn usage_has_every_hour_and_the_catalogs_keys() {
    let (Some(catalog), Some(bill)) = (catalog(), read(&[OCTOBER, NOVEMBER])) else { return };
    let usage = bill.usage().unwrap();
    assert_eq!((usage.grid().count, usage.grid().first.to_string().as_str()), (1464, "2018-10-01T00:00:00Z"));
    let instances = bill.instance_usage().unwrap();
    for line in instances.lines().iter().filter(|line| line.pricing != PricingCategory::Spot) {
        let price = catalog.price(&line.sku).unwrap_or_else(|| panic!("no price of {line}"));
        assert_eq!(Some(price.price.value().normalize()), line.billed_price.map(covermix::units::UnitPrice::value), "{line}");
    }
    assert!(usage.lines().iter().any(|line| line.sku.service == "AmazonRDS" && line.sku.sku == "Multi-AZUsage:db.m4.large"));
    let hours: f64 = instances
        .totals()
        .iter()
        .zip(instances.lines())
        .filter(|(_, line)| line.pricing == PricingCategory::Standard)
        .map(|(hours, _)| hours)
        .sum();
    // On demand and covered hours, counted without DataFusion.
    agree("instance hours", hours, 8073.500556 + 2379.0 + 15543.53389 + 1317.0);
}

#[test]
fn the_reserved_instances_are_the_nine_bought() {
    let (Some(catalog), Some(bill)) = (catalog(), read(&[OCTOBER])) else { return };
    let portfolio = bill.portfolio(&catalog, UnknownSkus::Refuse).unwrap();
    assert_eq!(portfolio.commitments().len(), 9);
    // t2.micro at 0.0034 an hour and 30 upfront, three of them.
    let three = portfolio.commitments().iter().find(|commitment| commitment.id.ends_with("8bc4a397")).unwrap();
    let offer = portfolio.offer(&catalog, three).unwrap();
    assert_eq!((three.quantity.to_string(), three.start.to_rfc3339().as_str()), ("3".into(), "2018-04-03T01:21:13+00:00"));
    assert_eq!((offer.upfront.value().to_string(), offer.recurring.value().to_string()), ("30".into(), "0.0034".into()));
    let convertible: Vec<&str> = bill
        .reserved_instances()
        .iter()
        .filter(|lease| lease.class == Some(covermix::catalog::aws::OfferingClass::Convertible))
        .map(|lease| lease.arn.as_str())
        .collect();
    assert_eq!(convertible.len(), 1);
    assert!(convertible[0].ends_with("041bc7b7-802b-43c3-a6b1-3fb5e69135aa"));
    // The never used c4.large has no usage row that names its class: the price list tells.
    let unused = portfolio
        .commitments()
        .iter()
        .find(|commitment| commitment.id.ends_with("3a2944f2-fbdc-4f9a-86f7-4b83dc6e058a"))
        .unwrap();
    assert!(unused.offer.contains("1y-standard-partial-upfront"), "{}", unused.offer);
}

#[test]
fn other_shapes_of_report_are_read() {
    let Some(bill) = read(&["aws-cur-formats/aws-cur-legacy-2023-11.csv.gz"]) else { return };
    assert_eq!(bill.reconciliation().rows(), 1281);
    let Some(bill) = read(&["aws-cur-formats/aws-cur-athena-2019-11-26.soh.gz"]) else { return };
    assert_eq!(bill.reconciliation().rows(), 7850);
}

#[test]
fn the_same_month_as_parquet_and_csv_is_refused() {
    let (Some(parquet), Some(csv)) = (shared(NOVEMBER), shared(CSV)) else { return };
    let message = CostAndUsage::read(&[parquet, csv]).unwrap_err().to_string();
    assert!(message.contains("Nov2018") && message.contains("ec2-compute-2018-10-11.csv.gz"), "{message}");
}
