//! Google Cloud's price lists, read in full: the real files where they are present, and small files of our own in the same shapes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "common/rejected.rs"]
mod rejected;
#[path = "common/shared.rs"]
mod shared;

use chrono::NaiveDate;
use covermix::catalog::gcp::{
    self, BillingCatalog, MachineTypes, Pricing, Resource, SpendDiscounts, SpendModel, machine_sku, resource_sku,
};
use covermix::catalog::{Benefit, Catalog, Check, RejectionReason, Severity};
use rejected::rejections;
use rust_decimal::{Decimal, dec};
use shared::shared;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn own(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/gcp").join(name)
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

/// Prices by unit, in the catalog's own words.
fn prices_by_unit(catalog: &Catalog) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for price in catalog.prices() {
        let unit = if price.sku.platform.is_empty() { price.sku.unit.as_str() } else { "licence" };
        *counts.entry(unit).or_default() += 1;
    }
    counts
}

/// Commitments for a resource, for a machine as a whole, for a licence; spend plans.
fn offers_by_kind(catalog: &Catalog) -> [usize; 4] {
    let mut counts = [0; 4];
    for offer in catalog.offers() {
        let kind = match &offer.benefit {
            Benefit::SpendPlan { .. } => 3,
            Benefit::Reservation { pool: Some(_), .. } => 0,
            Benefit::Reservation { sku, .. } if sku.contains("licence") => 2,
            Benefit::Reservation { .. } => 1,
        };
        counts[kind] += 1;
    }
    counts
}

fn price(catalog: &Catalog, region: &str, series: &str, resource: &Resource) -> Option<Decimal> {
    catalog.price(&resource_sku(region, series, resource)).map(|price| price.price.value())
}

fn committed(catalog: &Catalog, region: &str, series: &str, resource: &Resource, months: u32) -> Option<Decimal> {
    let sku = resource_sku(region, series, resource).to_string();
    let offer = catalog.offer(&format!("{sku}/commitment/{months}m"))?;
    assert_eq!(offer.upfront.value(), dec!(0));
    Some(offer.recurring.value())
}

/// N2 in us-central1: the same unit prices in every list since 2022.
fn check_n2(catalog: &Catalog) {
    let of = |resource| {
        let committed = |months| committed(catalog, "us-central1", "N2", resource, months).unwrap();
        (price(catalog, "us-central1", "N2", resource).unwrap(), committed(12), committed(36))
    };
    assert_eq!(of(&Resource::Cpu), (dec!(0.031611), dec!(0.019915), dec!(0.014225)));
    assert_eq!(of(&Resource::Memory), (dec!(0.004237), dec!(0.002669), dec!(0.001907)));
}

/// Reads a real list, prints what it holds, and checks what every list has.
fn real(name: &str, reader: Pricing<'_>) -> Option<Catalog> {
    let catalog = reader.read(shared(&format!("gcp-prices/{name}"))?).unwrap();
    println!("{name}: {:?}", prices_by_unit(&catalog));
    println!("  offers {:?}, spot {}, rejected {:?}", offers_by_kind(&catalog), catalog.spot().len(), rejections(&catalog));
    check_n2(&catalog);
    Some(catalog)
}

/// Counted without this library, in each list over `compute.instance.{type}.cost.{region}`:
///
/// ```python
/// for type in yaml.load(gzip.open(file))["compute"]["instance"].values():
///     for cost in type.get("cost", {}).values():
///         priced += bool(cost.get("hour")); spot += bool(cost.get("hour_spot")); zero += cost.get("month_3y") == 0
///         equal += bool(cost.get("month_1y")) and cost["month_1y"] == cost.get("month_3y")
/// ```
/// The machines' prices on demand, and pairs of equal 1-year and 3-year prices.
const COUNTED: [(&str, usize, u64); 4] = [("2022", 3_607, 0), ("2023", 5_635, 395), ("2025", 10_958, 82), ("2026", 17_669, 84)];

/// The machines that the list prices are priced here, but for those whose price leaves out a part; each pair of equal terms, and the
/// three prices of a machine without a part, are implausible.
fn check_counted(year: &str, catalog: &Catalog, without_part: usize) {
    let (_, priced, equal) = COUNTED.into_iter().find(|(of, ..)| *of == year).unwrap();
    assert_eq!(prices_by_unit(catalog)["instance-hour"], priced - without_part);
    if year != "2022" {
        let parts = u64::try_from(without_part).unwrap();
        assert_eq!(rejections(catalog)[&RejectionReason::Implausible], 2 * equal + 3 * parts, "{year}");
    }
}

#[test]
fn the_list_of_2022_is_read_in_full_and_its_e2_error_rejected() {
    let Some(catalog) = real("pricing-2022-02-09.yml.gz", Pricing::new().price_date(day(2022, 2, 9))) else { return };
    let units = BTreeMap::from([
        ("GPU-hour", 27),
        ("GiB-hour", 252),
        ("GiB-month", 224),
        ("instance-hour", 3_602),
        ("licence", 645),
        ("vCPU-hour", 335),
    ]);
    assert_eq!(prices_by_unit(&catalog), units);
    assert_eq!((offers_by_kind(&catalog), catalog.spot().len()), ([775, 0, 254, 0], 0));
    let expected = BTreeMap::from([
        (RejectionReason::NoPrice, 603),
        (RejectionReason::AboveOnDemand, 10),
        (RejectionReason::NotSelected, 886),
        (RejectionReason::Implausible, 481),
    ]);
    assert_eq!(rejections(&catalog), expected);
    check_counted("2022", &catalog, 5);
    // 28 regions: 129 machine types less 5 of C2 without a price and 5 of A2 whose price leaves out the GPU.
    assert_eq!(129 * 28 - 5 - 5, 3_602);
    let wrong = |reason| catalog.rejected().iter().filter(|entry| entry.reason == reason && entry.item.contains("/e2-")).count();
    assert_eq!((wrong(RejectionReason::NoPrice), wrong(RejectionReason::Implausible)), (476, 476));
    assert!(catalog.offers().iter().all(|offer| offer.region.is_empty() || !offer.id.to_lowercase().contains("/e2")));
    assert!(price(&catalog, "us-central1", "E2", &Resource::Cpu).is_some(), "on-demand prices of E2 are right");
    let named = |check| {
        let findings = catalog.check().into_iter();
        findings.filter(|finding| finding.check == check && finding.item.contains("/e2-")).count()
    };
    // The 3-year prices of 0, and the 1-year prices that are a quarter too low.
    assert_eq!((named(Check::PriceMissing), named(Check::PriceImplausible)), (476, 476));
}

#[test]
fn the_list_of_2023_is_read_in_full() {
    let Some(catalog) = real("pricing-2023-01-05.yml.gz", Pricing::new()) else { return };
    assert_eq!(catalog.price_date(), Some(day(2023, 1, 5)));
    let units =
        BTreeMap::from([("GiB-hour", 350), ("GiB-month", 283), ("instance-hour", 5_635), ("licence", 835), ("vCPU-hour", 460)]);
    assert_eq!(prices_by_unit(&catalog), units);
    assert_eq!((offers_by_kind(&catalog), catalog.spot().len()), ([1_160, 340, 330, 0], 0));
    check_counted("2023", &catalog, 0);
    let expected = BTreeMap::from([
        (RejectionReason::NoPrice, 630),
        (RejectionReason::AboveOnDemand, 10),
        (RejectionReason::NotSelected, 1_115),
        (RejectionReason::Implausible, 790),
    ]);
    assert_eq!(rejections(&catalog), expected);
}

#[test]
fn the_list_of_2025_is_read_in_full() {
    let Some(catalog) = real("pricing-2025-01-02.yml.gz", Pricing::new()) else { return };
    let units = BTreeMap::from([
        ("GPU-hour", 40),
        ("GiB-hour", 537),
        ("GiB-month", 372),
        ("instance-hour", 10_958),
        ("licence", 1_615),
        ("vCPU-hour", 783),
    ]);
    assert_eq!(prices_by_unit(&catalog), units);
    assert_eq!((offers_by_kind(&catalog), catalog.spot().len()), ([2_158, 728, 642, 0], 10_838));
    check_counted("2025", &catalog, 0);
    let expected = BTreeMap::from([(RejectionReason::NotSelected, 1_237), (RejectionReason::Implausible, 164)]);
    assert_eq!(rejections(&catalog), expected);
}

#[test]
fn the_list_of_2026_is_read_in_full() {
    let Some(catalog) = real("pricing-2026-07-30.yml.gz", Pricing::new()) else { return };
    let units = BTreeMap::from([
        ("GPU-hour", 40),
        ("GiB-hour", 826),
        ("GiB-month", 390),
        ("instance-hour", 17_647),
        ("licence", 2_655),
        ("vCPU-hour", 1_033),
    ]);
    assert_eq!(prices_by_unit(&catalog), units);
    assert_eq!((offers_by_kind(&catalog), catalog.spot().len()), ([3_212, 728, 1_058, 0], 17_678));
    check_counted("2026", &catalog, 22); // C4 machines with local SSD that the list gives away
    let expected = BTreeMap::from([
        (RejectionReason::NoPrice, 4),
        (RejectionReason::Incomplete, 52),
        (RejectionReason::NotSelected, 1_293),
        (RejectionReason::Implausible, 234),
    ]);
    assert_eq!(rejections(&catalog), expected);
    // Discounts of the specification's table: C3 37 % and 55 %.
    let c3 = |months| committed(&catalog, "us-central1", "C3", &Resource::Cpu, months).unwrap();
    let on_demand = price(&catalog, "us-central1", "C3", &Resource::Cpu).unwrap();
    assert_eq!(((c3(12) / on_demand).round_dp(2), (c3(36) / on_demand).round_dp(2)), (dec!(0.63), dec!(0.45)));
    let types = MachineTypes::read(shared("gcp-prices/gcp-machine-specs.yml").unwrap()).unwrap();
    let table = MachineTypes::read(shared("gcp-prices/machinetypes.csv").unwrap()).unwrap();
    println!("machine types: {} in the specification, {} in the table", types.iter().count(), table.iter().count());
    let priced = catalog.prices().iter().filter(|price| price.sku.unit == gcp::INSTANCE_HOUR && price.sku.platform.is_empty());
    let (mut whole, mut split) = (0, 0);
    for price in priced {
        let Some(parts) = gcp::machine_parts(&catalog, &types, &price.sku) else {
            whole += 1;
            continue;
        };
        split += 1;
        let sum: Decimal = parts.iter().map(|part| catalog.price(&part.sku).unwrap().price.value() * part.quantity).sum();
        assert!((sum - price.price.value()).abs() <= price.price.value() * dec!(0.000002), "{}: {sum}", price.id);
    }
    println!("machines that split into resources: {split}, whole: {whole}");
    assert_eq!((types.iter().count(), table.iter().count(), split, whole), (531, 440, 17_123, 524));
}

#[test]
fn the_billing_catalog_of_a2_is_read_in_full() {
    let Some(path) = shared("gcp-prices/catalog-skus-a2-2023-03.json") else { return };
    // One page of many, of 7 SKUs, 4 of them in rupiah among dollars: refused, unless the caller says what is wanted.
    let reader = BillingCatalog::new();
    assert!(reader.read(&[&path]).unwrap_err().to_string().contains("nextPageToken"));
    let reader = reader.accept_missing_pages();
    assert!(reader.read(&[&path]).unwrap_err().to_string().contains("IDR"));
    let catalog = reader.currency("USD").read(&[&path]).unwrap();
    assert_eq!((catalog.prices().len(), catalog.offers().len()), (9, 0));
    assert_eq!(rejections(&catalog), BTreeMap::from([(RejectionReason::NotSelected, 4)]));
    assert_eq!(price(&catalog, "us-east1", "A2", &Resource::Gpu("A100".into())), Some(dec!(2.933908)));
    assert_eq!(price(&catalog, "us-central1", "A2", &Resource::Cpu), Some(dec!(0.031611)));
    assert_eq!(price(&catalog, "us-west1", "A2", &Resource::Memory), Some(dec!(0.004237)));
    assert_eq!(catalog.price_date(), Some(day(2023, 3, 24)));
}

fn own_list() -> Catalog {
    Pricing::new().read(own("pricing.yml")).unwrap()
}

#[test]
fn unit_prices_are_solved_from_machines() {
    let catalog = own_list();
    check_n2(&catalog);
    let bundle = Resource::CpuBundle([Resource::Memory].into());
    assert_eq!(price(&catalog, "us-central1", "C2", &bundle), Some(dec!(0.05218)));
    assert_eq!(price(&catalog, "us-central1", "C4", &Resource::LocalSsd).unwrap().round_dp(9), dec!(0.000219178));
    // Custom N1 machines cost more on demand, and are in the pool of N1 commitments.
    let custom = catalog.price(&resource_sku("us-central1", "N1 custom", &Resource::Cpu)).unwrap();
    assert_eq!(
        (custom.price.value(), custom.pools[0].pool.as_str()),
        (dec!(0.0331915), "gcp/Compute Engine/us-central1/N1 vCPU")
    );
    assert!(catalog.offers().iter().all(|offer| !offer.id.contains("custom")));
    // A2: vCPU, memory and GPU stand in one proportion to each other.
    assert!(catalog.offer("gcp/Compute Engine/us-central1/a2-highgpu-1g/instance-hour/commitment/12m").is_none());
    let a2 = Resource::CpuBundle([Resource::Memory, Resource::Gpu("A100".into())].into());
    assert_eq!(committed(&catalog, "us-central1", "A2", &a2, 12).unwrap().round_dp(6), dec!(0.192914));
    check_own_rejections(&catalog);
}

fn check_own_rejections(catalog: &Catalog) {
    let expected = [
        (RejectionReason::NoPrice, 5),     // 3-year prices of E2; a region where A2 costs nothing
        (RejectionReason::Incomplete, 2),  // a machine type and a local SSD without prices
        (RejectionReason::NotSelected, 3), // VPN by the hour and month, a bucket
        (RejectionReason::Implausible, 7), // 1-year prices of E2; one price for both terms of f1; C4 whose local SSD is missing
    ];
    assert_eq!(rejections(catalog), BTreeMap::from(expected));
    assert_eq!((offers_by_kind(catalog), catalog.spot().len()), ([26, 0, 2, 0], 24));
}

#[test]
fn m2_machines_are_m1_resources_with_a_premium() {
    let catalog = own_list();
    assert_eq!(price(&catalog, "us-central1", "M2 upgrade premium", &Resource::Cpu), Some(dec!(0.004524)));
    assert_eq!(price(&catalog, "us-central1", "M2", &Resource::Cpu), None);
    assert!(catalog.offers().iter().all(|offer| !offer.id.contains("M2") && !offer.id.contains("m2-")));
    let types = MachineTypes::read(own("pricing.yml")).unwrap();
    let parts = gcp::machine_parts(&catalog, &types, &machine_sku("us-central1", "m2-ultramem-208")).unwrap();
    let names: Vec<_> = parts.iter().map(|part| part.sku.sku.as_str()).collect();
    assert_eq!(names, ["M1 vCPU", "M2 upgrade premium vCPU", "M1 memory", "M2 upgrade premium memory"]);
}

#[test]
fn machines_turn_into_resources() {
    use covermix::time::{Hour, HourGrid};
    use covermix::usage::{UsageCurves, UsageLine};
    let catalog = own_list();
    let names = ["n2-standard-4", "n2-highmem-2", "z9-unknown-1"];
    let lines = names.map(|name| UsageLine::new(machine_sku("us-central1", name), "project")).to_vec();
    let grid = HourGrid { first: Hour::from_epoch(496_000), count: 1 };
    let usage = UsageCurves::new(grid, lines, ndarray::array![[2.0, 1.0, 5.0]]).unwrap();
    for types in [MachineTypes::read(own("pricing.yml")).unwrap(), MachineTypes::read(own("machine-types.csv")).unwrap()] {
        let split = gcp::split_machines(&catalog, &types, &usage).unwrap();
        let bundles = covermix::catalog::parts::split_bundles(&catalog, Some(&types), &usage).unwrap();
        assert_eq!((bundles.lines(), bundles.quantity()), (split.lines(), split.quantity()));
        let found: BTreeMap<_, _> = split
            .lines()
            .iter()
            .zip(split.quantity().row(0))
            .map(|(line, quantity)| (line.sku.sku.as_str(), *quantity))
            .collect();
        assert_eq!(found, BTreeMap::from([("N2 vCPU", 10.0), ("N2 memory", 48.0), ("z9-unknown-1", 5.0)]));
    }
}

#[test]
fn flexible_commitments_come_in_two_models() {
    let table = SpendDiscounts::documented().unwrap();
    let read = |model| Pricing::new().spend_discounts(&table, model).read(own("pricing.yml")).unwrap();
    let id = resource_sku("us-central1", "N2", &Resource::Cpu).to_string();
    let rate = |catalog: &Catalog, offer: &str| match &catalog.offer(offer).unwrap().benefit {
        Benefit::SpendPlan { rates, .. } => rates[&id].value(),
        Benefit::Reservation { .. } => dec!(0),
    };
    let (new, legacy) = (read(SpendModel::New), read(SpendModel::Legacy));
    let cost = |catalog: &Catalog, offer: &str| catalog.offer(offer).unwrap().recurring.value();
    let (new_id, legacy_id) = ("gcp/Compute flexible/12m", "gcp/Compute flexible (legacy)/12m");
    assert_eq!((rate(&new, new_id), cost(&new, new_id)), (dec!(0.031611) * dec!(0.72), dec!(1)));
    assert_eq!((rate(&legacy, legacy_id), cost(&legacy, legacy_id)), (dec!(0.031611), dec!(0.72)));
    // What an hour of an N2 vCPU costs is the same under both.
    assert_eq!(rate(&new, new_id) * cost(&new, new_id), rate(&legacy, legacy_id) * cost(&legacy, legacy_id));
    assert_eq!(cost(&legacy, "gcp/Compute flexible (legacy)/36m"), dec!(0.54));
}

#[test]
fn skus_meet_on_region_and_description() {
    let catalog = BillingCatalog::new().read(&[own("skus-1.json"), own("skus-2.json")]).unwrap();
    assert_eq!(catalog, BillingCatalog::new().read(&[own("skus-2.json"), own("skus-1.json")]).unwrap(), "order must not matter");
    assert_eq!(committed(&catalog, "us-central1", "N2", &Resource::Cpu, 12), Some(dec!(0.019915)));
    assert_eq!(price(&catalog, "us-central1", "", &Resource::Gpu("A100".into())), Some(dec!(2.933908)));
    assert_eq!(catalog.spot()[0].price.value(), dec!(0.009483));
    // N2 vCPU in two regions, N2 memory, A100, and data transfer at its first price that is not free.
    assert_eq!((catalog.prices().len(), catalog.offers().len(), catalog.spot().len()), (5, 3, 1));
    let expected = [
        (RejectionReason::NoPrice, 1),          // a free SKU
        (RejectionReason::NoOnDemandPrice, 1),  // a GPU that is not listed
        (RejectionReason::FeeOfUnknownPlan, 1), // a commitment in dollars to what has no price here
        (RejectionReason::Superseded, 2),       // the same resource twice, a free tier
        (RejectionReason::Implausible, 1),      // a 1-year price below the 3-year price
    ];
    assert_eq!(rejections(&catalog), BTreeMap::from(expected));
}

#[test]
fn the_front_door_reads_both_formats() {
    let catalog = Catalog::read(own("pricing.yml")).unwrap();
    assert_eq!((catalog.price_date(), catalog.currency()), (Some(day(2026, 7, 30)), "USD"));
    assert_eq!(rejections(&catalog), rejections(&own_list()));
    assert!(catalog.offer("gcp/Compute flexible/36m").is_some());
    let message = Catalog::read(own("skus-1.json")).unwrap_err().to_string();
    assert!(message.contains("nextPageToken") && message.contains("skus-1.json"), "{message}");
}

#[test]
fn the_checked_in_catalog_is_plausible() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/gcp-catalog.json");
    let catalog = Catalog::read(path).unwrap();
    check_n2(&catalog);
    let errors: Vec<_> = catalog.check().into_iter().filter(|finding| finding.check.severity() == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert!(catalog.source().contains("Google Cloud") && catalog.price_date() == Some(day(2026, 7, 30)));
}

#[test]
fn wrong_files_are_refused_with_a_remedy() {
    let yaml = std::fs::read_to_string(own("pricing.yml")).unwrap();
    let message = |text: &str| Pricing::new().from_yaml(text).unwrap_err().to_string();
    assert!(message(&yaml.replacen("cpu: 2", "cpu: two", 1)).contains("n2-standard-2"));
    assert!(message("compute:\n  instance: 5\n").contains("line 2"));
    assert!(message("").contains("empty"));
    assert!(message("other: 1\n").contains("compute"));
    let json = std::fs::read_to_string(own("skus-1.json")).unwrap();
    let message = |text: &str| BillingCatalog::new().from_json(text).unwrap_err().to_string();
    assert!(message(&json).contains("nextPageToken"));
    assert!(message(&json[..300]).contains("line "));
    assert!(message(&json.replace("page-2", "").replacen("\"USD\"", "\"EUR\"", 1)).contains("EUR"));
}

#[test]
fn pages_added_one_by_one_are_joined() {
    let read = |names: [&str; 2]| {
        let builder = names.iter().fold(covermix::catalog::CatalogBuilder::new(), |b, name| b.add(own(name)).unwrap());
        builder.build().unwrap()
    };
    let catalog = read(["skus-1.json", "skus-2.json"]);
    assert_eq!(catalog, read(["skus-2.json", "skus-1.json"]));
    let together = BillingCatalog::new().read(&[own("skus-1.json"), own("skus-2.json")]).unwrap();
    assert_eq!((catalog.prices(), catalog.offers()), (together.prices(), together.offers()));
}

#[test]
fn no_real_file_is_without_a_test() {
    let read = [
        "catalog-skus-a2-2023-03.json",
        "gcp-machine-specs.yml",
        "machinetypes.csv",
        "pricing-2022-02-09.yml.gz",
        "pricing-2023-01-05.yml.gz",
        "pricing-2025-01-02.yml.gz",
        "pricing-2026-07-30.yml.gz",
        "sku-mapping.csv",
    ];
    let Some(folder) = shared("gcp-prices") else { return };
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(read.contains(&name.as_str()) || name.ends_with(".md"), "{name} has no reader in these tests");
    }
}

#[test]
fn services_gpus_and_disks_have_their_commitments() {
    let catalog = Catalog::read(own("skus-services.json")).unwrap();
    let ids: Vec<_> = catalog.offers().iter().map(|offer| (offer.id.as_str(), offer.recurring.value())).collect();
    let expected = [
        ("gcp/Cloud SQL (legacy)/us-central1/12m", dec!(0.75)),
        ("gcp/Compute Engine/us-central1/L4 GPU/GPU-hour/commitment/36m", dec!(0.252018)),
        ("gcp/Compute Engine/us-central1/local SSD/GiB-hour/commitment/12m", dec!(0.000069041)),
        ("gcp/Spanner (legacy)/36m", dec!(0.60)),
    ];
    assert_eq!(ids, expected);
    // In the legacy model a dollar of on-demand spend is committed to, and costs less.
    let Benefit::SpendPlan { rates, .. } = &catalog.offers()[0].benefit else { panic!("a plan") };
    assert_eq!(rates.values().map(|rate| rate.value()).collect::<Vec<_>>(), [dec!(0.0413)]);
    assert_eq!(catalog.offers()[0].provider_id, "CCCC-0002");
    // GPUs and local SSD need attached reservations, so that their commitments are neither merged nor split.
    assert!(catalog.offers()[1].rights.is_empty() && catalog.offers()[2].rights.is_empty());
    assert_eq!((catalog.spot().len(), catalog.spot()[0].price.value()), (1, dec!(0.224016)));
    let expected = [(RejectionReason::UnknownTerms, 1), (RejectionReason::FeeOfUnknownPlan, 1)];
    assert_eq!(rejections(&catalog), BTreeMap::from(expected));
}

/// The table of SKU names: a pattern of each CPU, memory and commitment entry, filled in as Google writes it, is understood as the
/// resource that the entry is of. Entries counted with `grep -cE '^gce\.compute\.(cpu|ram)\.' sku-mapping.csv`.
#[test]
fn the_table_of_sku_names_is_read_in_full() {
    let Some(path) = shared("gcp-prices/sku-mapping.csv") else { return };
    let mut reader = csv::Reader::from_path(path).unwrap();
    let (mut rows, mut resources, mut understood) = (0, 0, 0);
    for row in reader.records() {
        let row = row.unwrap();
        rows += 1;
        let (key, pattern) = (&row[0], &row[4]);
        let (kind, wanted) = if key.starts_with("gce.compute.cpu.") {
            ("Cpu", Resource::Cpu)
        } else if key.starts_with("gce.compute.ram.") {
            ("Ram", Resource::Memory)
        } else {
            continue;
        };
        resources += 1;
        let named = ["Cpu", "Core", "Ram"].iter().any(|word| pattern.contains(word));
        let kind = if named { String::new() } else { format!(" {kind}") };
        let pattern = pattern.trim_end_matches('%');
        let filled = match pattern.split_once('%') {
            Some((start, end)) => format!("{start}{kind} in Iowa for {end}"),
            None => format!("{pattern}{kind} running in Iowa"),
        };
        let subject = gcp::description::subject(&filled, &gcp::description::Overrides::new());
        if subject.as_ref().is_none_or(|subject| subject.resource != wanted) {
            let apart = ["reserved", "cpu.f1", "cpu.g1", "premium.upgrade"];
            assert!(apart.iter().any(|word| key.contains(word)), "{key}: {filled}");
        }
        understood += usize::from(subject.is_some_and(|subject| subject.resource == wanted));
    }
    assert_eq!((rows, resources, understood), SKU_NAMES);
}

/// Rows, rows of vCPU and memory, and those of them that are understood: all but usage in reservations (4), shared-core machines (4), which
/// have no commitments, and the upgrade premium (2), which is a thing of its own.
const SKU_NAMES: (usize, usize, usize) = (412, 250, 240);
