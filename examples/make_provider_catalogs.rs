//! Writes `data/azure-catalog.json` and `data/gcp-catalog.json`: small catalogs of real list prices for the examples.
//!
//! The tables below are the facts, each with its date and source. They are put into the shape of the providers' own answers and go
//! through the same readers as a user's files.
//!
//! `cargo run --release --no-default-features --example make_provider_catalogs`
#![allow(clippy::print_stdout, clippy::expect_used)]

use chrono::NaiveDate;
use covermix::catalog::azure::{RetailPrices, SizeFlexibility};
use covermix::catalog::gcp::{Pricing, SpendDiscounts, SpendModel};
use covermix::catalog::{Catalog, Offer, Origin};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// France Central, US dollars. Size, size flexibility group and ratio (table of 2024-04-10), on-demand price of Linux and Windows machines
/// (the same on 2021-12-14 and 2026-08-20), price of a 1-year and a 3-year reservation for the whole term (2021-12-14), rate of the 1-year
/// savings plan and spot price (2026-08-20). Source: Azure Retail Prices API.
type AzureFact = (&'static str, &'static str, &'static str, u32, [f64; 2], [f64; 2], f64, Option<f64>);
const AZURE: [AzureFact; 16] = [
    ("Standard_D2s_v5", "Dsv5", "Dsv5 Series", 1, [0.112, 0.204], [579.0, 1118.0], 0.0844032, Some(0.020698)),
    ("Standard_D4s_v5", "Dsv5", "Dsv5 Series", 2, [0.224, 0.408], [1158.0, 2237.0], 0.1688064, Some(0.041395)),
    ("Standard_D8s_v5", "Dsv5", "Dsv5 Series", 4, [0.448, 0.816], [2315.0, 4474.0], 0.3376128, Some(0.08279)),
    ("Standard_D16s_v5", "Dsv5", "Dsv5 Series", 8, [0.896, 1.632], [4631.0, 8948.0], 0.6752256, Some(0.165581)),
    ("Standard_E2s_v5", "Esv5", "Esv5 Series", 1, [0.148, 0.24], [765.0, 1478.0], 0.1000776, Some(0.02735)),
    ("Standard_E4s_v5", "Esv5", "Esv5 Series", 2, [0.296, 0.48], [1530.0, 2956.0], 0.2001552, Some(0.054701)),
    ("Standard_E8s_v5", "Esv5", "Esv5 Series", 4, [0.592, 0.96], [3060.0, 5912.0], 0.4003104, Some(0.109402)),
    ("Standard_E16s_v5", "Esv5", "Esv5 Series", 8, [1.184, 1.92], [6119.0, 11824.0], 0.8006208, Some(0.218803)),
    ("Standard_D2as_v5", "Dasv5", "Dasv5 Series", 1, [0.101, 0.193], [522.0, 1009.0], 0.0761641, Some(0.018665)),
    ("Standard_D4as_v5", "Dasv5", "Dasv5 Series", 2, [0.202, 0.386], [1044.0, 2017.0], 0.1523282, Some(0.03733)),
    ("Standard_D8as_v5", "Dasv5", "Dasv5 Series", 4, [0.404, 0.772], [2088.0, 4035.0], 0.3046564, Some(0.074659)),
    ("Standard_F2s_v2", "FSv2", "FSv2 Series", 1, [0.101, 0.193], [520.0, 958.0], 0.0743158, Some(0.018665)),
    ("Standard_F4s_v2", "FSv2", "FSv2 Series", 2, [0.202, 0.386], [1040.0, 1915.0], 0.1486316, Some(0.03733)),
    ("Standard_F8s_v2", "FSv2", "FSv2 Series", 4, [0.404, 0.772], [2081.0, 3831.0], 0.2972632, Some(0.074659)),
    ("Standard_B2ms", "BS", "BS Series High Memory", 4, [0.0944, 0.102], [486.0, 933.0], 0.071508, None),
    ("Standard_B4ms", "BS", "BS Series High Memory", 8, [0.189, 0.205], [972.0, 1866.0], 0.1431675, None),
];

/// us-central1, US dollars, 2026-07-30. Machine type, vCPU, GiB of memory, on-demand and spot price an hour, 1-year and 3-year commitment
/// price a month of 730 hours. Source: Cloud Billing Catalog, by way of the Google Cloud pricing cost calculator.
type GoogleFact = (&'static str, u32, u32, f64, f64, [f64; 2]);
const GOOGLE: [GoogleFact; 21] = [
    ("n2-standard-2", 2, 8, 0.097118, 0.04606, [44.66286, 31.90538]),
    ("n2-standard-4", 4, 16, 0.194236, 0.09212, [89.32572, 63.81076]),
    ("n2-standard-8", 8, 32, 0.388472, 0.18424, [178.65144, 127.62152]),
    ("n2-highmem-4", 4, 32, 0.262028, 0.12428, [120.49964, 86.08452]),
    ("n2d-standard-4", 4, 16, 0.168984, 0.048912, [77.71288, 55.51504]),
    ("n2d-standard-8", 8, 32, 0.337968, 0.097824, [155.42576, 111.03008]),
    ("n2d-highmem-4", 4, 32, 0.22796, 0.065984, [104.83384, 74.89216]),
    ("e2-standard-2", 2, 8, 0.06701142, 0.040212, [30.81854578, 22.01324782]),
    ("e2-standard-4", 4, 16, 0.13402284, 0.080424, [61.63709156, 44.02649564]),
    ("e2-standard-8", 8, 32, 0.26804568, 0.160848, [123.27418312, 88.05299128]),
    ("e2-highmem-4", 4, 32, 0.18079932, 0.108488, [83.1495842, 59.39256348]),
    ("n1-standard-4", 4, 15, 0.189999, 0.06701, [87.37735, 62.41865]),
    ("n1-highmem-4", 4, 26, 0.236606, 0.083444, [108.80942, 77.73186]),
    ("c3-standard-4", 4, 16, 0.201608, 0.0494, [92.72168, 66.22852]),
    ("c3-standard-8", 8, 32, 0.403216, 0.0988, [185.44336, 132.45704]),
    ("c3-highmem-4", 4, 32, 0.264616, 0.06484, [121.69976, 86.92548]),
    ("c4-standard-4", 4, 15, 0.19767, 0.118605, [90.91055, 64.93496]),
    ("c4-highmem-4", 4, 31, 0.260678, 0.156413, [119.88863, 85.63192]),
    ("c2-standard-4", 4, 16, 0.208808, 0.09968, [96.0242, 60.97252]),
    ("c2-standard-8", 8, 32, 0.417616, 0.19936, [192.0484, 121.94504]),
    ("t2d-standard-4", 4, 16, 0.168984, 0.06304, [77.71288, 55.51504]),
];

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day of the calendar")
}

fn azure() -> covermix::Result<Catalog> {
    let mut items: Vec<Value> = Vec::new();
    let mut ratios = String::from("InstanceSizeFlexibilityGroup,ArmSkuName,Ratio\n");
    for (size, series, group, ratio, [linux, windows], terms, plan, spot) in AZURE {
        let row = |kind: &str, windows: bool, suffix: &str, price: f64| {
            let product = format!("Virtual Machines {series} Series{}", if windows { " Windows" } else { "" });
            json!({
                "currencyCode": "USD", "armRegionName": "francecentral", "location": "FR Central", "serviceName": "Virtual Machines",
                "productName": product, "armSkuName": size, "skuName": format!("{size}{suffix}"), "meterName": format!("{size}{suffix}"),
                "unitOfMeasure": "1 Hour", "type": kind, "retailPrice": price,
            })
        };
        let mut compute = row("Consumption", false, "", linux);
        compute["savingsPlan"] = json!([{"term": "1 Year", "retailPrice": plan}]);
        items.extend([compute, row("Consumption", true, "", windows)]);
        items.extend(spot.map(|price| row("Consumption", false, " Spot", price)));
        for (term, price) in ["1 Year", "3 Years"].into_iter().zip(terms) {
            let mut reservation = row("Reservation", false, "", price);
            reservation["reservationTerm"] = json!(term);
            items.push(reservation);
        }
        let _ = writeln!(ratios, "{group},{size},{ratio}");
    }
    let table = SizeFlexibility::from_csv(&ratios, Some(day(2024, 4, 10)))?;
    let reader = RetailPrices::new().size_flexibility(&table).price_date(day(2026, 8, 20));
    let catalog = reader.from_json(&json!({ "Items": items }).to_string())?;
    // The reservation prices are older than the others; each says so.
    let dated = |mut offer: Offer| {
        if !offer.is_spend_plan() {
            offer.origin = Origin { source: String::new(), price_date: Some(day(2021, 12, 14)) };
        }
        offer
    };
    let offers = catalog.offers().iter().cloned().map(dated).collect();
    let source = format!("{}; list prices of France Central", catalog.source());
    Catalog::new(catalog.currency(), catalog.price_date(), source, catalog.prices().to_vec(), offers)?
        .with_spot(catalog.spot().to_vec())
}

fn google() -> covermix::Result<Catalog> {
    let mut text = String::from("about:\n  timestamp: 1785391997\ncompute:\n  instance:\n");
    for (name, cpu, memory, hour, spot, [one_year, three_years]) in GOOGLE {
        let _ = write!(
            text,
            "    {name}:\n      cpu: {cpu}\n      ram: {memory}\n      cost:\n        us-central1:\n          hour: {hour}\n          \
             hour_spot: {spot}\n          month_1y: {one_year}\n          month_3y: {three_years}\n"
        );
    }
    Pricing::new().spend_discounts(&SpendDiscounts::documented()?, SpendModel::New).from_yaml(&text)
}

fn main() -> covermix::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    for (name, catalog) in [("azure-catalog.json", azure()?), ("gcp-catalog.json", google()?)] {
        assert!(catalog.rejected().is_empty(), "every fact is used: {:?}", catalog.rejected());
        catalog.write(data.join(name))?;
        let (prices, offers, spot) = (catalog.prices().len(), catalog.offers().len(), catalog.spot().len());
        println!("data/{name}: {prices} prices, {offers} offers, {spot} spot prices; {}", catalog.source());
        assert_eq!(Catalog::read(data.join(name))?.prices().len(), prices);
    }
    Ok(())
}
