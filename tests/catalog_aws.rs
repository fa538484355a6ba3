//! Reads AWS price files: every real one of the shared data in full, with counts of prices, offers and left-out entries, and small files
//! of our own in the same shapes.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, clippy::integer_division)]

use covermix::catalog::{Benefit, Catalog, CatalogBuilder, PaymentOption, RejectionReason};
use covermix::time::Term;
use rust_decimal::{Decimal, dec};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A file of the shared data, or `None` with a printed reason where it is not there.
fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("COVERMIX_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let file = root.join("data").join(path);
    if file.exists() {
        return Some(file);
    }
    println!("skipped: {} is not there (set COVERMIX_SHARED)", file.display());
    None
}

fn own(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/aws").join(name)
}

/// What was left out, by reason.
fn left_out(catalog: &Catalog) -> BTreeMap<RejectionReason, u64> {
    let mut counts = BTreeMap::new();
    for rejection in catalog.rejected() {
        *counts.entry(rejection.reason).or_default() += rejection.count;
    }
    counts
}

/// Prices, offers, spot prices and left-out entries of a catalog.
fn counts(catalog: &Catalog) -> (usize, usize, usize, Vec<(RejectionReason, u64)>) {
    (catalog.prices().len(), catalog.offers().len(), catalog.spot().len(), left_out(catalog).into_iter().collect())
}

/// The real files that a catalog is made of alone: prices, offers, spot prices, left out.
#[test]
fn every_real_file_is_read_in_full() {
    use RejectionReason::{AboveOnDemand, NoPrice, NotUsage, Superseded};
    type Expected = (&'static str, usize, usize, usize, &'static [(RejectionReason, u64)]);
    let files: [Expected; 11] = [
        ("aws-prices/ec2instances-2017-03-09.json.gz", 3203, 25372, 0, &[(NotUsage, 388)]),
        ("aws-prices/ec2instances-2018-11-29.json.gz", 15875, 181_940, 0, &[(AboveOnDemand, 239), (NotUsage, 1351)]),
        ("aws-prices/ec2instances-2019-04-05.json.gz", 17683, 204_049, 0, &[(AboveOnDemand, 237), (NotUsage, 1549)]),
        ("aws-prices/ec2instances-x2iedn.32xlarge-2026-07.json.gz", 368, 3264, 46, &[(NotUsage, 17)]),
        ("aws-prices/elasticache-2025-04-24.json.gz", 5033, 16281, 0, &[]),
        ("aws-prices/opensearch-2025-04-24.json.gz", 3662, 20349, 0, &[]),
        // 5,810 SKUs on dedicated hosts cost nothing by themselves: the host is paid.
        ("aws-prices/ondemand-ec2-eu-west-1-2023-02-23.csv.gz", 15577, 0, 0, &[(NoPrice, 5810)]),
        ("aws-prices/pricelist-getproducts-m5.large-2021-02.json", 1, 12, 0, &[]),
        ("aws-prices/ondemand-keyspaces-2025-12.json", 176, 0, 0, &[(Superseded, 242)]),
        ("aws-spot/spot-price-history-m5.large-us-east-1-2021.json", 0, 0, 5, &[(Superseded, 245)]),
        // `N/A*`: not sold there.
        ("aws-spot/spot-price-feed.json.gz", 0, 0, 2982, &[(NoPrice, 908)]),
    ];
    for (file, prices, offers, spot, rejected) in files {
        let Some(path) = shared(file) else { continue };
        let catalog = Catalog::read(&path).unwrap();
        assert_eq!(counts(&catalog), (prices, offers, spot, rejected.to_vec()), "{file}");
    }
}

#[test]
fn m5_large_of_2021_has_its_price_and_twelve_terms() {
    let Some(path) = shared("aws-prices/pricelist-getproducts-m5.large-2021-02.json") else { return };
    let catalog = Catalog::read(path).unwrap();
    let price = catalog.price_with_id("us-east-1/m5.large/Linux").unwrap();
    assert_eq!((price.price.value(), price.provider_id.as_str()), (dec!(0.096), "6C86BEPQVG73ZGGR"));
    assert_eq!(price.pools[0].units.value(), dec!(4));
    assert_eq!(catalog.offers().len(), 12);
    for offer in catalog.offers() {
        assert!(offer.effective_hourly().value() < dec!(0.096), "{}", offer.id);
        assert_eq!(offer.upfront.value().is_zero(), offer.payment_option == PaymentOption::NoUpfront, "{}", offer.id);
        assert_eq!(offer.recurring.value().is_zero(), offer.payment_option == PaymentOption::AllUpfront, "{}", offer.id);
    }
    let offer = catalog.offer("ri/us-east-1/m5.large/Linux/1y-standard-no-upfront").unwrap();
    assert_eq!((offer.recurring.value(), offer.provider_id.as_str()), (dec!(0.06), "6C86BEPQVG73ZGGR.4NA7Y494T4"));
    assert!(catalog.sources().len() > 1, "the terms are of several dates");
    assert!(catalog.check().iter().any(|finding| finding.check.name() == "dates-mixed"));
}

#[test]
fn database_savings_plan_rates_join_the_pricing_page() {
    let (Some(rates), Some(prices)) = (
        shared("aws-prices/savingsplans-offering-rates-keyspaces-2025-12.json"),
        shared("aws-prices/ondemand-keyspaces-2025-12.json"),
    ) else {
        return;
    };
    let catalog = CatalogBuilder::new().add(&rates).unwrap().add(&prices).unwrap().build().unwrap();
    let plan = catalog.offer("sp/database/1y-no-upfront").unwrap();
    let Benefit::SpendPlan { rates, .. } = &plan.benefit else { panic!("not a plan") };
    assert_eq!(rates.len(), 84);
    let rate = |usage: &str| rates[&format!("AmazonMCS/us-east-1/{usage}")].value();
    assert_eq!(rate("ReadCapacityUnit-Hrs/CommittedThroughput"), dec!(0.0001144));
    assert_eq!(rate("ReadRequestUnits/PayPerRequestThroughput"), dec!(0.0000001025));
    assert_eq!(left_out(&catalog), BTreeMap::from([(RejectionReason::Superseded, 242)]));
}

#[test]
fn the_spot_advisor_makes_prices_from_on_demand_prices() {
    let (Some(advisor), Some(prices)) =
        (shared("aws-spot/spot-advisor-2025-06-28.json.gz"), shared("aws-prices/ec2instances-2019-04-05.json.gz"))
    else {
        return;
    };
    let catalog = CatalogBuilder::new().add(&advisor).unwrap().add(&prices).unwrap().build().unwrap();
    let unmatched: u64 = catalog.rejected().iter().filter(|r| r.item == "spot advice").map(|r| r.count).sum();
    assert_eq!(catalog.spot().len() + usize::try_from(unmatched).unwrap(), 25_323);
    assert!(catalog.spot().iter().all(|spot| spot.interruption.is_some() && !spot.derived.is_empty()));
}

#[test]
fn a_service_file_is_read_with_its_left_out_entries() {
    use RejectionReason::{Incomplete, NoPrice, NotSelected, Superseded, UnknownTerms};
    let catalog = Catalog::read(own("price-list.json")).unwrap();
    let expected = BTreeMap::from([(NoPrice, 1), (UnknownTerms, 2), (Superseded, 2), (Incomplete, 1), (NotSelected, 2)]);
    assert_eq!((catalog.prices().len(), catalog.offers().len(), left_out(&catalog)), (3, 1, expected));
    let offer = &catalog.offers()[0];
    assert_eq!(offer.id, "ri/eu-west-2/m5.large/Linux/1y-convertible-partial-upfront");
    assert_eq!((offer.upfront.value(), offer.recurring.value(), offer.term), (dec!(340), dec!(0.039), Term::AWS_ONE_YEAR));
    assert_eq!(offer.origin.price_date.unwrap().to_string(), "2024-05-01");
    assert!(catalog.price_with_id("us-east-2/r5.xlarge/Windows with SQL Enterprise/dedicated").is_some());
    let transfer = catalog.prices().iter().find(|price| price.provider_id == "TRANSFER").unwrap();
    assert_eq!((transfer.price.value(), transfer.sku.unit.as_str()), (dec!(0.09), "GB"));
    let london = CatalogBuilder::new().regions(["eu-west-2"]).add(own("price-list.json")).unwrap().build().unwrap();
    assert!(london.prices().iter().all(|price| price.sku.region == "eu-west-2"));
    assert_eq!(left_out(&london)[&NotSelected], 4);
}

#[test]
fn a_broken_service_file_is_refused() {
    let text = std::fs::read_to_string(own("price-list.json")).unwrap();
    for end in [text.len() / 4, text.len() / 2, text.len() - 10] {
        assert!(Catalog::from_json(&text[..end]).is_err());
    }
    let mixed = text.replacen("{\"USD\": \"2.5\"}", "{\"CNY\": \"2.5\"}", 1);
    let error = Catalog::from_json(&mixed).unwrap_err().to_string();
    assert!(error.contains("CNY") && error.contains("USD"), "{error}");
}

#[test]
fn a_csv_service_file_gives_the_same_model() {
    let catalog = Catalog::read(own("price-list.csv")).unwrap();
    let price = &catalog.prices()[0];
    assert_eq!(price.id, "AmazonRDS/eu-west-1/db.r6g.large/PostgreSQL, Multi-AZ");
    assert_eq!((price.pools[0].units.value(), price.family.as_str()), (dec!(8), "db.r6g"));
    let offer = &catalog.offers()[0];
    assert_eq!((offer.upfront.value(), offer.recurring.value()), (dec!(1300), dec!(0.15)));
    assert_eq!((catalog.offers().len(), left_out(&catalog).len()), (1, 0));
}

#[test]
fn savings_plan_files_join_prices_in_any_order() {
    let read = |names: [&str; 2]| {
        names.iter().fold(CatalogBuilder::new(), |builder, name| builder.add(own(name)).unwrap()).build().unwrap()
    };
    let catalog = read(["price-list.json", "savings-plans.json"]);
    assert_eq!(catalog.offers(), read(["savings-plans.json", "price-list.json"]).offers());
    let rates = |catalog: &Catalog, id: &str| match &catalog.offer(id).unwrap().benefit {
        Benefit::SpendPlan { rates, .. } => rates.values().map(|rate| rate.value()).collect::<Vec<Decimal>>(),
        Benefit::Reservation { .. } => Vec::new(),
    };
    for file in ["savings-plans.json", "savings-plans.csv"] {
        let catalog = read(["price-list.json", file]);
        assert_eq!(rates(&catalog, "sp/compute/1y-no-upfront"), [dec!(0.081)], "{file}");
        assert_eq!(rates(&catalog, "sp/ec2-instance/eu-west-2/m5/3y-all-upfront"), [dec!(0.044)], "{file}");
    }
    let counted = |reason| {
        catalog.rejected().iter().filter(|r| r.reason == reason && r.item.starts_with("rates")).map(|r| r.count).sum::<u64>()
    };
    assert_eq!((counted(RejectionReason::NoOnDemandPrice), counted(RejectionReason::UnknownTerms)), (1, 1));
}

#[test]
fn spot_files_give_prices_with_interruption() {
    let catalog = ["price-list.json", "spot-history.json", "spot-advisor.json", "spot-feed.js"]
        .iter()
        .fold(CatalogBuilder::new(), |builder, name| builder.add(own(name)).unwrap())
        .build()
        .unwrap();
    let found: Vec<_> = catalog.spot().iter().map(|spot| (spot.id.as_str(), spot.price.value(), spot.interruption)).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!((found[0].0, found[0].1), ("spot/eu-west-1/m5.large/Linux", dec!(0.04)));
    assert_eq!((found[1].0, found[1].1), ("spot/eu-west-2/m5.large/Linux/eu-west-2a", dec!(0.045)));
    assert_eq!(found[1].2.map(|range| (range.from, range.to)), Some((dec!(0.05), dec!(0.1))));
    assert_eq!(Catalog::from_json(&catalog.to_json()).unwrap().spot(), catalog.spot());
}
