//! Reads AWS price files: every real one of the shared data in full, with counts of prices, offers and left-out entries, and small files
//! of our own in the same shapes.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, clippy::integer_division)]

#[path = "common/rejected.rs"]
mod rejected;
#[path = "common/shared.rs"]
mod shared;

use covermix::catalog::aws::regions;
use covermix::catalog::{Benefit, Catalog, CatalogBuilder, Check, PaymentOption, RejectionReason};
use covermix::time::Term;
use rejected::rejections;
use rust_decimal::{Decimal, dec};
use shared::shared;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn own(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/aws").join(name)
}

/// Prices, offers, spot prices and left-out entries of a catalog.
fn counts(catalog: &Catalog) -> (usize, usize, usize, Vec<(RejectionReason, u64)>) {
    (catalog.prices().len(), catalog.offers().len(), catalog.spot().len(), rejections(catalog).into_iter().collect())
}

/// The twelve reserved terms of m5.large Linux in us-east-1, fee and hourly price, copied from the answer of the AWS Price List API of
/// 2021-02 by hand (`jq '.terms.Reserved[] | .termAttributes, .priceDimensions[].pricePerUnit'`).
const M5_LARGE_2021: [(&str, (Decimal, Decimal)); 12] = [
    ("1y-convertible-all-upfront", (dec!(577), dec!(0))),
    ("1y-convertible-no-upfront", (dec!(0), dec!(0.071))),
    ("1y-convertible-partial-upfront", (dec!(294), dec!(0.034))),
    ("1y-standard-all-upfront", (dec!(494), dec!(0))),
    ("1y-standard-no-upfront", (dec!(0), dec!(0.06))),
    ("1y-standard-partial-upfront", (dec!(252), dec!(0.029))),
    ("3y-convertible-all-upfront", (dec!(1161), dec!(0))),
    ("3y-convertible-no-upfront", (dec!(0), dec!(0.049))),
    ("3y-convertible-partial-upfront", (dec!(592), dec!(0.023))),
    ("3y-standard-all-upfront", (dec!(949), dec!(0))),
    ("3y-standard-no-upfront", (dec!(0), dec!(0.041))),
    ("3y-standard-partial-upfront", (dec!(505), dec!(0.019))),
];

/// Codes and names (`jq length`).
const REGION_NAMES: usize = 72;

/// What a real file holds: on-demand prices, reservations, spend plans, spot prices, left-out entries by reason.
type Expected = (&'static str, [usize; 4], &'static [(RejectionReason, u64)]);

/// The real files that a catalog is made of alone. Prices, reservations and what has no price were counted without this library:
///
/// ```python
/// for file in files:  # ec2instances.info; `ondemand` one level higher is a service without engines
///     for type in json.load(gzip.open(file)):
///         for systems in type["pricing"].values():
///             for entry in ({"": systems} if "ondemand" in systems else systems).values():
///                 if not isinstance(entry, dict) or "ondemand" not in entry: without_price += 1; continue
///                 prices += 1; reservations += len(entry.get("reserved", {})); spot += "spot_avg" in entry
///                 above += sum(Decimal(value) > Decimal(entry["ondemand"]) for value in entry["reserved"].values())
/// ```
/// The SKU table: `zcat FILE | tail -n +2 | awk` on the last column, 15,577 above 0 and 5,810 of 0. Of the pricing page: entries whose
/// key is not their `RegionlessRateCode`, by distinct `rateCode`. Spot history: zones and products; feed: prices and `N/A*`.
const REAL: [Expected; 11] = {
    use RejectionReason::{AboveOnDemand, NoPrice, NotUsage, Superseded};
    [
        ("aws-prices/ec2instances-2017-03-09.json.gz", [3203, 24_294, 1078, 0], &[(NotUsage, 388)]),
        // 239 and 237 reservations of t3.nano and t3.micro with SUSE are dearer than on demand, and their derived plan rates are left out: the
        // file gives them the on-demand price of Linux (equal in all 239), without the licence.
        ("aws-prices/ec2instances-2018-11-29.json.gz", [15_875, 179_710, 2230, 0], &[(AboveOnDemand, 239), (NotUsage, 1351)]),
        ("aws-prices/ec2instances-2019-04-05.json.gz", [17_683, 201_676, 2373, 0], &[(AboveOnDemand, 237), (NotUsage, 1549)]),
        ("aws-prices/ec2instances-x2iedn.32xlarge-2026-07.json.gz", [368, 3108, 156, 46], &[(NotUsage, 17)]),
        ("aws-prices/elasticache-2025-04-24.json.gz", [5033, 16_281, 0, 0], &[]),
        ("aws-prices/opensearch-2025-04-24.json.gz", [3662, 20_349, 0, 0], &[]),
        // 5,810 SKUs on dedicated hosts cost nothing by themselves: the host is paid.
        ("aws-prices/ondemand-ec2-eu-west-1-2023-02-23.csv.gz", [15_577, 0, 0, 0], &[(NoPrice, 5810)]),
        ("aws-prices/pricelist-getproducts-m5.large-2021-02.json", [1, 12, 0, 0], &[]),
        ("aws-prices/ondemand-keyspaces-2025-12.json", [176, 0, 0, 0], &[(Superseded, 242)]),
        ("aws-spot/spot-price-history-m5.large-us-east-1-2021.json", [0, 0, 0, 5], &[(Superseded, 245)]),
        // `N/A*`: not sold there.
        ("aws-spot/spot-price-feed.json.gz", [0, 0, 0, 2982], &[(NoPrice, 908)]),
    ]
};

/// Real files that are read in another test, with another file or as a table.
const READ_ELSEWHERE: [&str; 3] = [
    "aws-prices/keyspaces-regions.json",
    "aws-prices/savingsplans-offering-rates-keyspaces-2025-12.json",
    "aws-spot/spot-advisor-2025-06-28.json.gz",
];

#[test]
fn every_real_file_is_read_in_full() {
    for (file, [prices, reservations, plans, spot], rejected) in REAL {
        let Some(path) = shared(file) else { continue };
        let catalog = Catalog::read(&path).unwrap();
        assert_eq!(counts(&catalog), (prices, reservations + plans, spot, rejected.to_vec()), "{file}");
        assert_eq!(catalog.offers().iter().filter(|offer| offer.is_spend_plan()).count(), plans, "{file}");
    }
}

#[test]
fn no_real_file_is_without_a_test() {
    for folder in ["aws-prices", "aws-spot"] {
        let Some(path) = shared(folder) else { continue };
        for entry in std::fs::read_dir(path).unwrap() {
            let name = format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy());
            let is_read = REAL.iter().any(|(file, ..)| *file == name) || READ_ELSEWHERE.contains(&name.as_str());
            assert!(is_read || name.ends_with(".md"), "{name} has no reader in these tests");
        }
    }
}

#[test]
fn the_table_of_region_names_is_known_in_full() {
    let Some(path) = shared("aws-prices/keyspaces-regions.json") else { return };
    let names: BTreeMap<String, String> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let is_code = |text: &str| !text.contains(' ');
    for (key, value) in &names {
        let (code, name) = if is_code(key) { (key, value) } else { (value, key) };
        assert_eq!(regions::code(name), Some(code.as_str()), "{name}");
    }
    assert_eq!(names.len(), REGION_NAMES);
}

/// What `check` says about the real files. The 230 (2017: 1) 3-year reservations dearer than the 1-year ones are in the files: with SQL
/// Server 1-year prices fell in 2018 and 3-year prices did not (counted as in [`REAL`], comparing `yrTerm3X` with `yrTerm1X`: 165 SQL
/// Standard, 43 SQL Web, 12 Windows, 10 SUSE). Those above on demand are t3.nano and t3.micro with SUSE, see [`REAL`].
#[test]
fn findings_in_real_files_are_facts_of_the_files() {
    let files = [
        ("aws-prices/ec2instances-2017-03-09.json.gz", 1, 0, 0),
        ("aws-prices/ec2instances-2018-11-29.json.gz", 230, 239, 0),
        ("aws-prices/ec2instances-2019-04-05.json.gz", 230, 237, 0),
        ("aws-prices/ec2instances-x2iedn.32xlarge-2026-07.json.gz", 0, 0, 0),
        ("aws-prices/elasticache-2025-04-24.json.gz", 0, 0, 0),
        ("aws-prices/opensearch-2025-04-24.json.gz", 0, 0, 0),
    ];
    for (file, longer, above, term) in files {
        let Some(path) = shared(file) else { continue };
        let findings = Catalog::read(path).unwrap().check();
        let count = |check| findings.iter().filter(|finding| finding.check == check).count();
        let found = (count(Check::LongerTermDearer), count(Check::DearerThanOnDemand), count(Check::TermPriceAsHourly));
        assert_eq!(found, (longer, above, term), "{file}");
        let suse = findings.iter().filter(|finding| finding.check == Check::DearerThanOnDemand);
        assert!(suse.into_iter().all(|finding| finding.item.contains("/t3.") && finding.item.contains("/SUSE/")), "{file}");
    }
}

/// Hourly price and fee of each term in the file, as AWS states them.
#[test]
fn m5_large_of_2021_has_the_twelve_terms_of_the_file() {
    let Some(path) = shared("aws-prices/pricelist-getproducts-m5.large-2021-02.json") else { return };
    let catalog = Catalog::read(path).unwrap();
    let found: BTreeMap<&str, (Decimal, Decimal)> = catalog
        .offers()
        .iter()
        .map(|offer| (offer.id.rsplit('/').next().unwrap(), (offer.upfront.value(), offer.recurring.value())))
        .collect();
    assert_eq!(found, BTreeMap::from(M5_LARGE_2021));
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
    assert_eq!(rejections(&catalog), BTreeMap::from([(RejectionReason::Superseded, 242)]));
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
    assert_eq!((catalog.prices().len(), catalog.offers().len(), rejections(&catalog)), (3, 1, expected));
    let offer = &catalog.offers()[0];
    assert_eq!(offer.id, "ri/eu-west-2/m5.large/Linux/1y-convertible-partial-upfront");
    assert_eq!((offer.upfront.value(), offer.recurring.value(), offer.term), (dec!(340), dec!(0.039), Term::AWS_ONE_YEAR));
    assert_eq!(offer.origin.price_date.unwrap().to_string(), "2024-05-01");
    assert!(catalog.price_with_id("us-east-2/r5.xlarge/Windows with SQL Enterprise/dedicated").is_some());
    let transfer = catalog.prices().iter().find(|price| price.provider_id == "TRANSFER").unwrap();
    assert_eq!((transfer.price.value(), transfer.sku.unit.as_str()), (dec!(0.09), "GB"));
    let london = CatalogBuilder::new().regions(["eu-west-2"]).add(own("price-list.json")).unwrap().build().unwrap();
    assert!(london.prices().iter().all(|price| price.sku.region == "eu-west-2"));
    assert_eq!(rejections(&london)[&NotSelected], 4);
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
    assert_eq!((catalog.offers().len(), rejections(&catalog).len()), (1, 0));
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

#[test]
fn answers_of_get_products_are_read() {
    use RejectionReason::{NoPrice, Superseded};
    let catalog = Catalog::read(own("get-products.json")).unwrap();
    assert_eq!(counts(&catalog), (1, 2, 0, vec![(NoPrice, 1), (Superseded, 1)]));
    let offer = catalog.offer("ri/eu-west-1/t3.medium/Linux/3y-convertible-all-upfront").unwrap();
    assert_eq!(
        (offer.upfront.value(), offer.recurring.value(), offer.provider_id.as_str()),
        (dec!(560), dec!(0), "T3MEDIUM.TERM000001")
    );
}

#[test]
fn services_are_reserved_by_their_own_rules() {
    use RejectionReason::UnknownTerms;
    let catalog = Catalog::read(own("services.json")).unwrap();
    // DynamoDB's old "Heavy Utilization" is no purchase option of today.
    assert_eq!(counts(&catalog), (9, 9, 0, vec![(UnknownTerms, 1)]));
    let pools = |id: &str| {
        let price = catalog.price_with_id(id).unwrap_or_else(|| panic!("no {id}"));
        price.pools.iter().map(|pool| (pool.pool.clone(), pool.units.value())).collect::<Vec<_>>()
    };
    let memory = |units| vec![("aws/AmazonMemoryDB/eu-west-1/db.r7g/Redis".to_owned(), units)];
    assert_eq!(pools("AmazonMemoryDB/eu-west-1/db.r7g.large/Redis"), memory(dec!(4)));
    assert_eq!(pools("AmazonMemoryDB/eu-west-1/db.r7g.large/Valkey"), memory(dec!(2.8)));
    let cache = pools("AmazonElastiCache/eu-west-1/cache.m7g.large/Valkey");
    assert_eq!(cache.iter().map(|pool| pool.1).collect::<Vec<_>>(), [dec!(3.2), dec!(3.2)]);
    assert!(cache[0].0.ends_with("Valkey") && cache[1].0.ends_with("Redis"), "{cache:?}");
    for exact in ["AmazonES/eu-west-1/r6g.large.search", "AmazonRedshift/eu-west-1/ra3.4xlarge"] {
        assert_eq!(pools(exact), []);
    }
    let serverless: Vec<_> = catalog.offers().iter().filter(|offer| offer.id.contains("ServerlessUsage")).collect();
    assert_eq!(serverless.len(), 3);
    assert!(serverless.iter().all(|offer| offer.effective_hourly().value() < dec!(0.387)));
    let read = catalog.offers().iter().find(|offer| offer.service == "AmazonDynamoDB").unwrap();
    let Benefit::Reservation { pool: Some(pool), .. } = &read.benefit else { panic!("capacity is a pool") };
    assert_eq!((pool.units.value(), read.payment_option), (dec!(100), PaymentOption::PartialUpfront));
    assert!(read.rights.is_empty(), "reserved capacity is neither sold nor transferred");
    let errors: Vec<_> = catalog.check().into_iter().filter(|finding| finding.check != Check::TermMissing).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn offering_rates_of_databases_and_machine_learning_join_their_services() {
    use RejectionReason::{NoOnDemandPrice, NoPrice, UnknownTerms};
    let read = |names: [&str; 2]| {
        names.iter().fold(CatalogBuilder::new(), |builder, name| builder.add(own(name)).unwrap()).build().unwrap()
    };
    let catalog = read(["savings-plan-rates.json", "services.json"]);
    assert_eq!(catalog.offers(), read(["services.json", "savings-plan-rates.json"]).offers());
    let rates = |id: &str| match &catalog.offer(id).unwrap().benefit {
        Benefit::SpendPlan { rates, .. } => rates.iter().map(|(id, rate)| (id.clone(), rate.value())).collect::<Vec<_>>(),
        Benefit::Reservation { .. } => Vec::new(),
    };
    let database = rates("sp/database/1y-no-upfront");
    assert_eq!(
        database,
        [
            ("AmazonES/eu-west-1/r6g.large.search".to_owned(), dec!(0.1488)),
            ("AmazonRDS/eu-west-1/db.r7g.large/PostgreSQL".to_owned(), dec!(0.212)),
        ]
    );
    assert_eq!(
        rates("sp/sagemaker/3y-all-upfront"),
        [("AmazonSageMaker/eu-west-1/ml.g5.xlarge/Training".to_owned(), dec!(1.02))]
    );
    // Neptune has no price here, one plan is of five years, one rate is 0; and DynamoDB's old terms.
    assert_eq!(rejections(&catalog), BTreeMap::from([(NoPrice, 1), (UnknownTerms, 2), (NoOnDemandPrice, 1)]));
}

#[test]
fn a_pricing_page_is_read_by_its_names() {
    use RejectionReason::{Incomplete, NoPrice, Superseded};
    let catalog = Catalog::read(own("pricing-page.json")).unwrap();
    assert_eq!(counts(&catalog), (2, 0, 0, vec![(NoPrice, 1), (Superseded, 1), (Incomplete, 1)]));
    let price = catalog.price_with_id("AmazonMCS/eu-west-1/ReadRequestUnits/PayPerRequestThroughput").unwrap();
    assert_eq!((price.price.value(), price.provider_id.as_str()), (dec!(0.00000014), "KREQ"));
    assert_eq!(catalog.price_date().unwrap().to_string(), "2026-01-02");
}

#[test]
fn a_sku_table_is_read_by_its_columns() {
    use RejectionReason::{Incomplete, NoPrice};
    let catalog = Catalog::read(own("sku-table.csv")).unwrap();
    assert_eq!(counts(&catalog), (2, 0, 0, vec![(NoPrice, 1), (Incomplete, 1)]));
    assert_eq!(catalog.price_with_id("eu-west-1/m6i.large/Windows").unwrap().price.value(), dec!(0.199));
}

#[test]
fn savings_plan_rates_of_ec2instances_are_the_sources_own() {
    let catalog = Catalog::read(own("ec2instances.json")).unwrap();
    let plans: Vec<_> = catalog.offers().iter().filter(|offer| offer.is_spend_plan()).collect();
    let ids: Vec<_> = plans.iter().map(|plan| plan.id.as_str()).collect();
    let expected = [
        "sp/compute/1y-no-upfront",
        "sp/compute/3y-all-upfront",
        "sp/database/1y-no-upfront",
        "sp/ec2-instance/eu-west-1/m7i/1y-no-upfront",
    ];
    assert_eq!(ids, expected);
    assert!(plans.iter().all(|plan| plan.derived.is_empty()), "nothing is derived where the source has rates");
    let Benefit::SpendPlan { rates, .. } = &plans[0].benefit else { panic!("a plan") };
    assert_eq!(rates["eu-west-1/m7i.large/Linux"].value(), dec!(0.0824));
    assert_eq!(rejections(&catalog), BTreeMap::from([(RejectionReason::UnknownTerms, 1)]), "there are no plans of two years");
    assert_eq!(catalog.spot()[0].interruption.map(|range| range.to), Some(dec!(0.05)));
}

#[test]
fn rows_of_a_csv_file_may_stand_in_any_order() {
    let text = std::fs::read_to_string(own("price-list.csv")).unwrap();
    let start = text.find("\"SKU\"").or_else(|| text.find("SKU,")).unwrap();
    let header = start + text[start..].find('\n').unwrap() + 1;
    let rows: Vec<&str> = text[header..].lines().collect();
    let reversed: Vec<&str> = rows.iter().rev().copied().collect();
    let other = Catalog::from_json(&format!("{}{}\n", &text[..header], reversed.join("\n"))).unwrap();
    assert_eq!(other, Catalog::read(own("price-list.csv")).unwrap());
}
