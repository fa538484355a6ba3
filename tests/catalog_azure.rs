//! Azure's price lists, read in full: the real files where they are present, and small files of our own in the same shapes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "common/rejected.rs"]
mod rejected;
#[path = "common/shared.rs"]
mod shared;

use chrono::NaiveDate;
use covermix::catalog::azure::{self, RetailPrices, SizeFlexibility, changes};
use covermix::catalog::{Benefit, Catalog, CatalogBuilder, Change, PaymentOption, RejectionReason, Right, ScopeKind, Severity};
use covermix::usage::Sku;
use rejected::rejections;
use rust_decimal::{Decimal, dec};
use shared::shared;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn own(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/azure").join(name)
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

/// Prices, offers, spot prices.
fn counts(catalog: &Catalog) -> (usize, usize, usize) {
    (catalog.prices().len(), catalog.offers().len(), catalog.spot().len())
}

fn d4s_v5(platform: &str) -> Sku {
    azure::machine_sku("francecentral", "Standard_D4s_v5", platform)
}

fn reservation(catalog: &Catalog, sku: &Sku, months: u32, payment: PaymentOption) -> Option<covermix::catalog::Offer> {
    let id = catalog.price(sku)?.id.clone();
    let found = catalog.offers().iter().find(|offer| {
        let is_of = matches!(&offer.benefit, Benefit::Reservation { sku, .. } if *sku == id);
        is_of && offer.term.nominal_months() == months && offer.payment_option == payment
    });
    found.cloned()
}

fn plan_rate(catalog: &Catalog, sku: &Sku, months: u32) -> Option<Decimal> {
    let id = &catalog.price(sku)?.id;
    catalog.offers().iter().filter(|offer| offer.term.nominal_months() == months).find_map(|offer| match &offer.benefit {
        Benefit::SpendPlan { rates, .. } => rates.get(id).map(|rate| rate.value()),
        Benefit::Reservation { .. } => None,
    })
}

#[test]
fn the_list_of_2021_is_read_in_full() {
    let (Some(path), Some(ratios)) =
        (shared("azure-prices/retail-vm-francecentral-2021-12.json.gz"), shared("azure/isf-ratios-2024-04.csv"))
    else {
        return;
    };
    let table = SizeFlexibility::read(ratios, Some(day(2024, 4, 10))).unwrap();
    assert_eq!(table.len(), 1_005);
    let catalog = RetailPrices::new().size_flexibility(&table).price_date(day(2021, 12, 14)).read(&[path]).unwrap();
    // Counted without this library, over the rows of `Items`: `retailPrice` 0: 4; else `type` Reservation: 810; else "Spot" or "Low Priority" in
    // `skuName` or `meterName`: 2,377; else 1,245. (2026: 0, 0, 3,723, 2,516, and 1,216 rows with `savingsPlan`.)
    // 4,436 rows: 1,245 on-demand prices (and 405 Windows licences made of them), 2,377 spot and low priority, 810 reservations in two
    // payment options each, 4 at price 0.
    assert_eq!(counts(&catalog), (1_650, 1_620, 2_377));
    assert_eq!(rejections(&catalog), BTreeMap::from([(RejectionReason::NoPrice, 4)]));
    let licences = catalog.prices().iter().filter(|price| price.sku.platform == azure::WINDOWS_LICENCE).count();
    assert_eq!(1_650 - licences + 810 + 2_377 + 4, 4_436);

    let linux = d4s_v5(azure::LINUX);
    assert_eq!(catalog.price(&linux).unwrap().price.value(), dec!(0.224));
    let one_year = reservation(&catalog, &linux, 12, PaymentOption::AllUpfront).unwrap();
    assert_eq!(one_year.upfront.value(), dec!(1158));
    assert_eq!(one_year.effective_hourly().value().round_dp(4), dec!(0.1322));
    let three_years = reservation(&catalog, &linux, 36, PaymentOption::NoUpfront).unwrap();
    assert_eq!(three_years.effective_hourly().value().round_dp(4), dec!(0.0851));
    // All but one of the 405 reserved sizes (a dedicated host) are in the table.
    let alone = catalog.offers().iter().filter(|offer| matches!(offer.benefit, Benefit::Reservation { pool: None, .. }));
    let alone: Vec<_> = alone.map(|offer| offer.id.as_str()).collect();
    assert!(alone.len() == 4 && alone.iter().all(|id| id.contains("Mdsmv2MedMem_Type1")), "{alone:?}");
    assert!(catalog.offers().iter().all(|offer| !offer.is_spend_plan()));
}

#[test]
fn the_reduced_list_of_2026_is_read_in_full() {
    let (Some(path), Some(ratios)) =
        (shared("azure-prices/retail-vm-francecentral-2026-08-20.json.gz"), shared("azure/isf-ratios-2026-vm-transcribed.csv"))
    else {
        return;
    };
    let table = SizeFlexibility::read(ratios, None).unwrap();
    assert_eq!(table.len(), 1_453);
    let catalog = RetailPrices::new().size_flexibility(&table).price_date(day(2026, 8, 20)).read(&[path]).unwrap();
    // 6,239 rows: 2,516 on-demand prices (and 1,145 Windows licences made of them) and 3,723 spot and low priority.
    assert_eq!(counts(&catalog), (3_661, 2, 3_723));
    assert_eq!(rejections(&catalog), BTreeMap::new());
    let rates = catalog.offers().iter().map(|offer| match &offer.benefit {
        Benefit::SpendPlan { rates, .. } => rates.len(),
        Benefit::Reservation { .. } => 0,
    });
    assert_eq!(rates.collect::<Vec<_>>(), [1_216, 1_216]);
    assert_eq!(plan_rate(&catalog, &d4s_v5(azure::LINUX), 12).unwrap().round_dp(4), dec!(0.1688));
    assert_eq!(plan_rate(&catalog, &d4s_v5(azure::WINDOWS), 12), None);
    assert_eq!(catalog.price(&d4s_v5(azure::WINDOWS_LICENCE)).unwrap().price.value(), dec!(0.184));
}

#[test]
fn the_list_of_changes_is_read_in_full() {
    let Some(path) = shared("azure-prices/diff-vm-westeurope-2026-08-01.json.gz") else { return };
    let changes = changes::read(path, RetailPrices::new().price_date(day(2026, 8, 1))).unwrap();
    let (before, after) = (changes.before.unwrap(), changes.after.unwrap());
    // 168 changed rows, 166 of them spot or low priority; 188 added rows.
    assert_eq!(counts(&before), (2 + licences(&before), 0, 166));
    assert_eq!(after.prices().len() - licences(&after) + after.spot().len(), 168 + 188);
    assert_eq!((rejections(&before), rejections(&after)), (BTreeMap::new(), BTreeMap::new()));
    assert_eq!(changes.at.unwrap(), "2026-08-01T05:42:27.108761+00:00");
    let moved = Catalog::diff(&before, &after);
    let appeared = moved.iter().filter(|moved| matches!(moved.change, Change::Appeared { .. })).count();
    assert_eq!(appeared, 188 + licences(&after) - licences(&before));
    assert!(moved.iter().all(|moved| !matches!(moved.change, Change::Ended { .. })));
}

fn licences(catalog: &Catalog) -> usize {
    catalog.prices().iter().filter(|price| price.sku.platform == azure::WINDOWS_LICENCE).count()
}

fn own_pages() -> Catalog {
    let table = SizeFlexibility::read(own("size-flexibility.csv"), Some(day(2024, 4, 10))).unwrap();
    let reader = RetailPrices::new().size_flexibility(&table).price_date(day(2026, 5, 1));
    let catalog = reader.read(&[own("retail-page-1.json"), own("retail-page-2.json")]).unwrap();
    assert_eq!(catalog, reader.read(&[own("retail-page-2.json"), own("retail-page-1.json")]).unwrap(), "order must not matter");
    catalog
}

#[test]
fn pages_are_joined_and_every_row_is_accounted_for() {
    let catalog = own_pages();
    assert_eq!(counts(&catalog), (6, 12, 1));
    let expected = [
        (RejectionReason::NoPrice, 1),         // B1s - Free
        (RejectionReason::NoOnDemandPrice, 1), // a reservation of a size that is not listed
        (RejectionReason::Superseded, 2),      // a secondary meter and a further tier
        (RejectionReason::Implausible, 1),     // an hourly price where a whole term's belongs
    ];
    assert_eq!(rejections(&catalog), BTreeMap::from(expected));
    assert_eq!(catalog.currency(), "USD");
    assert!(catalog.source().contains("2024-04-10"));
}

#[test]
fn a_reservation_costs_the_same_total_upfront_and_monthly() {
    let catalog = own_pages();
    let linux = d4s_v5(azure::LINUX);
    let upfront = reservation(&catalog, &linux, 12, PaymentOption::AllUpfront).unwrap();
    let monthly = reservation(&catalog, &linux, 12, PaymentOption::NoUpfront).unwrap();
    assert_eq!(upfront.upfront.value(), dec!(1158));
    assert_eq!(monthly.recurring.over_hours(dec!(8760)).value().round_dp(10), dec!(1158));
    assert_eq!(monthly.effective_hourly().value().round_dp(4), dec!(0.1322));
    let scopes = [ScopeKind::Shared, ScopeKind::ManagementGroup, ScopeKind::Subscription, ScopeKind::ResourceGroup];
    assert_eq!(upfront.scopes, scopes.into());
    assert!(upfront.rights.contains(&Right::TradeIn) && upfront.rights.contains(&Right::Exchange));
    let Benefit::Reservation { pool: Some(pool), .. } = &upfront.benefit else { panic!("D4s v5 is in the table") };
    assert_eq!((pool.pool.as_str(), pool.units.value()), ("azure/Virtual Machines/francecentral/Dsv5 Series", dec!(2)));
}

#[test]
fn sale_of_old_series_has_an_end() {
    let catalog = own_pages();
    let old = azure::machine_sku("francecentral", "Standard_D4s_v3", azure::LINUX);
    let offer = reservation(&catalog, &old, 36, PaymentOption::AllUpfront).unwrap();
    assert_eq!(offer.purchasable_until, Some(day(2026, 6, 30)));
    assert!(offer.is_purchasable_on(day(2026, 6, 30)) && !offer.is_purchasable_on(day(2026, 7, 1)));
    let newer = reservation(&catalog, &d4s_v5(azure::LINUX), 36, PaymentOption::AllUpfront).unwrap();
    assert_eq!(newer.purchasable_until, None);
}

#[test]
fn plans_have_rates_where_the_rows_have_them() {
    let catalog = own_pages();
    assert_eq!(plan_rate(&catalog, &d4s_v5(azure::LINUX), 36), Some(dec!(0.1143072)));
    assert_eq!(plan_rate(&catalog, &d4s_v5(azure::LINUX), 12), Some(dec!(0.1688064)));
    assert_eq!(plan_rate(&catalog, &d4s_v5(azure::WINDOWS), 12), None);
    let plans: Vec<_> = catalog.offers().iter().filter(|offer| offer.is_spend_plan()).map(|offer| offer.id.as_str()).collect();
    assert!(plans.contains(&"azure/savings-plan/Database/12m/monthly") && plans.len() == 6, "{plans:?}");
    let upfront = catalog.offer("azure/savings-plan/Compute/36m/upfront").unwrap();
    assert_eq!(upfront.effective_hourly().value(), dec!(1));
}

#[test]
fn throughput_of_cosmos_db_is_one_pool_over_all_regions() {
    let catalog = own_pages();
    let cosmos = catalog.prices().iter().find(|price| price.sku.service == "Azure Cosmos DB").unwrap();
    assert_eq!(cosmos.price.value(), dec!(0.01));
    assert_eq!(cosmos.pools[0].pool, "azure/Azure Cosmos DB//100 RU/s");
    assert_eq!(cosmos.pools[0].units.value(), dec!(1.25));
}

#[test]
fn a_windows_machine_is_compute_and_licence() {
    use covermix::time::{Hour, HourGrid};
    use covermix::usage::{UsageCurves, UsageLine};
    let catalog = own_pages();
    let lines = vec![UsageLine::new(d4s_v5(azure::WINDOWS), "s1"), UsageLine::new(d4s_v5(azure::LINUX), "s1")];
    let grid = HourGrid { first: Hour::from_epoch(490_000), count: 1 };
    let usage = UsageCurves::new(grid, lines, ndarray::array![[3.0, 2.0]]).unwrap();
    let split = azure::split_windows(&catalog, &usage).unwrap();
    let bundles = covermix::catalog::parts::split_bundles(&catalog, None, &usage).unwrap();
    let again = covermix::catalog::parts::split_bundles(&catalog, None, &bundles).unwrap();
    assert_eq!((bundles.lines(), bundles.quantity()), (split.lines(), split.quantity()));
    assert_eq!((again.lines(), again.quantity()), (split.lines(), split.quantity()));
    let quantity = |platform: &str| {
        let column = split.lines().iter().position(|line| line.sku.platform == platform).unwrap();
        split.quantity()[[0, column]]
    };
    assert_eq!((split.lines().len(), quantity(azure::LINUX), quantity(azure::WINDOWS_LICENCE)), (2, 5.0, 3.0));
    let price = |platform: &str| catalog.price(&d4s_v5(platform)).unwrap().price.value();
    assert_eq!(price(azure::LINUX) + price(azure::WINDOWS_LICENCE), price(azure::WINDOWS));
    // Only the compute part is in a pool: a reservation never pays for a licence.
    assert!(catalog.price(&d4s_v5(azure::WINDOWS)).unwrap().pools.is_empty());
    assert!(catalog.price(&d4s_v5(azure::WINDOWS_LICENCE)).unwrap().pools.is_empty());
}

#[test]
fn the_reduced_shape_has_its_names_made() {
    let catalog = RetailPrices::new().read(&[own("reduced.json")]).unwrap();
    assert_eq!(counts(&catalog), (5, 2, 0));
    let names: Vec<_> = catalog.prices().iter().map(|price| price.sku.sku.as_str()).collect();
    assert!(names.contains(&"Dasv6_Type1") && names.contains(&"Standard_DS3_v2_Promo"), "{names:?}");
    assert_eq!(plan_rate(&catalog, &d4s_v5(azure::LINUX), 12), Some(dec!(0.1688064)));
}

#[test]
fn changes_have_a_before_and_an_after() {
    let changes = changes::read(own("changes.json"), RetailPrices::new()).unwrap();
    let (before, after) = (changes.before.unwrap(), changes.after.unwrap());
    assert_eq!((counts(&before), counts(&after)), ((0, 0, 1), (1, 0, 1)));
    assert_eq!((before.spot()[0].price.value(), after.spot()[0].price.value()), (dec!(0.0441), dec!(0.0503)));
}

#[test]
fn the_front_door_reads_azure() {
    let catalog = Catalog::read(own("retail-page-2.json")).unwrap();
    assert_eq!(catalog.prices().len(), 2);
    assert_eq!(Catalog::read(own("reduced.json")).unwrap().prices().len(), 5);
    let message = Catalog::read(own("retail-page-1.json")).unwrap_err().to_string();
    assert!(message.contains("NextPageLink") && message.contains("retail-page-1.json"), "{message}");
}

#[test]
fn the_checked_in_catalog_is_plausible() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/azure-catalog.json");
    let catalog = Catalog::read(path).unwrap();
    assert_eq!(catalog.price(&d4s_v5(azure::LINUX)).unwrap().price.value(), dec!(0.224));
    assert_eq!(plan_rate(&catalog, &d4s_v5(azure::LINUX), 12), Some(dec!(0.1688064)));
    let reserved = reservation(&catalog, &d4s_v5(azure::LINUX), 12, PaymentOption::AllUpfront).unwrap();
    let date = reserved.origin.price_date.or(catalog.price_date());
    assert_eq!((reserved.upfront.value(), date), (dec!(1158), Some(day(2021, 12, 14))));
    let errors: Vec<_> = catalog.check().into_iter().filter(|finding| finding.check.severity() == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn wrong_files_are_refused_with_a_remedy() {
    let page = std::fs::read_to_string(own("retail-page-1.json")).unwrap();
    let message = |text: &str| RetailPrices::new().from_json(text).unwrap_err().to_string();
    assert!(message(&page).contains("NextPageLink"), "{}", message(&page));
    let euros = page.replacen("\"currencyCode\": \"USD\"", "\"currencyCode\": \"EUR\"", 1);
    let last = |text: &str| text.replace("\"https://prices.example/api/retail/prices?$skip=1000\"", "null");
    assert!(message(&last(&euros)).contains("EUR"));
    assert!(message("{\"Itemz\": []}").contains("Itemz"));
    assert!(message("{\"Items\": []}").contains("empty"));
    assert!(message("").contains("empty"));
    assert!(message(&last(&page)[..400]).contains("line "));
    assert!(message(&std::fs::read_to_string(own("changes.json")).unwrap()).contains("changes::read"));
}

#[test]
fn pages_added_one_by_one_are_joined() {
    let table = || SizeFlexibility::read(own("size-flexibility.csv"), Some(day(2024, 4, 10))).unwrap();
    let read = |names: [&str; 2]| {
        let builder = CatalogBuilder::new().dated(day(2026, 5, 1)).azure_size_flexibility(table());
        names.iter().fold(builder, |builder, name| builder.add(own(name)).unwrap()).build().unwrap()
    };
    let catalog = read(["retail-page-1.json", "retail-page-2.json"]);
    assert_eq!(catalog, read(["retail-page-2.json", "retail-page-1.json"]));
    let together = own_pages();
    assert_eq!((catalog.prices(), catalog.offers(), catalog.spot()), (together.prices(), together.offers(), together.spot()));
    assert_eq!((rejections(&catalog), catalog.price_date()), (rejections(&together), together.price_date()));
    let alone = CatalogBuilder::new().add(own("retail-page-1.json")).unwrap().build().unwrap_err().to_string();
    assert!(alone.contains("NextPageLink"), "{alone}");
}

#[test]
fn without_a_date_the_catalog_has_the_newest_of_its_rows() {
    let text = r#"{"Items": [
        {"currencyCode": "USD", "retailPrice": 0.2, "armRegionName": "westeurope", "effectiveStartDate": "2021-03-01T00:00:00Z",
         "productName": "Virtual Machines Dsv5 Series", "skuName": "D4s v5", "meterName": "D4s v5", "serviceName": "Virtual Machines",
         "unitOfMeasure": "1 Hour", "type": "Consumption", "armSkuName": "Standard_D4s_v5"},
        {"currencyCode": "USD", "retailPrice": 0.4, "armRegionName": "westeurope", "effectiveStartDate": "2026-08-01T00:00:00Z",
         "productName": "Virtual Machines Dsv5 Series", "skuName": "D8s v5", "meterName": "D8s v5", "serviceName": "Virtual Machines",
         "unitOfMeasure": "1 Hour", "type": "Consumption", "armSkuName": "Standard_D8s_v5"}], "NextPageLink": null}"#;
    assert_eq!(Catalog::from_json(text).unwrap().price_date(), Some(day(2026, 8, 1)));
}

#[test]
fn no_real_file_is_without_a_test() {
    let read = [
        "azure-prices/diff-vm-westeurope-2026-08-01.json.gz",
        "azure-prices/retail-vm-francecentral-2021-12.json.gz",
        "azure-prices/retail-vm-francecentral-2026-08-20.json.gz",
        "azure/isf-ratios-2024-04.csv",
        "azure/isf-ratios-2026-vm-transcribed.csv",
    ];
    for folder in ["azure-prices", "azure"] {
        let Some(path) = shared(folder) else { continue };
        for entry in std::fs::read_dir(path).unwrap() {
            let name = format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy());
            assert!(read.contains(&name.as_str()) || name.ends_with(".md"), "{name} has no reader in these tests");
        }
    }
}

#[test]
fn databases_throughput_and_model_units_have_their_offers() {
    let catalog = Catalog::read(own("retail-services.json")).unwrap();
    assert_eq!(catalog.price_date(), Some(day(2026, 3, 1)));
    let of = |service: &str, months: u32| {
        let is_it = |offer: &&covermix::catalog::Offer| {
            offer.service == service && offer.term.nominal_months() == months && offer.payment_option == PaymentOption::NoUpfront
        };
        catalog.offers().iter().find(is_it).unwrap_or_else(|| panic!("no {service} for {months} months"))
    };
    // One reserved vCore covers an eighth of a database of eight vCores, and nothing of its zone redundancy.
    let Benefit::Reservation { pool: Some(pool), .. } = &of("SQL Database", 12).benefit else { panic!("vCores are a pool") };
    let needs = |platform: &str| {
        let price =
            catalog.prices().iter().find(|price| price.sku.sku.ends_with("_8") && price.sku.platform == platform).unwrap();
        (price.price.value(), price.pools[0].pool == pool.pool, price.pools[0].units.value())
    };
    assert_eq!(pool.units.value(), dec!(1));
    assert_eq!((needs(""), needs("Zone Redundancy")), ((dec!(1.216), true, dec!(8)), (dec!(0.7296), false, dec!(8))));
    let month = of("Foundry Models", 1);
    assert_eq!(month.effective_hourly().value().round_dp(6), dec!(0.356164));
    let Benefit::Reservation { sku, pool: None } = &month.benefit else { panic!("global units are of one kind alone") };
    assert!(sku.contains("Global"), "{sku}");
    let Benefit::SpendPlan { rates, .. } = &catalog.offer("azure/savings-plan/Database/12m/monthly").unwrap().benefit else {
        panic!("a plan")
    };
    assert_eq!(rates.values().map(|rate| rate.value()).collect::<Vec<_>>(), [dec!(0.0072), dec!(0.1064), dec!(0.8512)]);
    // Reserved storage capacity names its block in its meter and no meter of usage: it is set aside by name.
    assert_eq!(rejections(&catalog), BTreeMap::from([(RejectionReason::NoOnDemandPrice, 1)]));
    let errors = catalog.check().into_iter().filter(|finding| finding.check.severity() == Severity::Error).count();
    assert_eq!(errors, 0);
}
