//! The price sheet beside Azure's bills, and the hour that daylight saving repeats.

use super::synthetic::file;
use covermix_ingest::azure::price_sheet::PriceSheet;
use covermix_ingest::{Bill, ChargeKind, Error, Note, Options};
use tempfile::TempDir;

/// A FOCUS export of Azure's: list cost is 0 where a reservation covers.
const FOCUS: &str = "\
ChargePeriodStart,ChargePeriodEnd,ChargeCategory,BilledCost,EffectiveCost,ListCost,ContractedCost,ConsumedQuantity,ConsumedUnit,CommitmentDiscountId,CommitmentDiscountStatus,ProviderName,ServiceName,ServiceCategory,RegionId,SkuId,BillingCurrency,x_SkuMeterId
2024-03-01T00:00:00Z,2024-03-01T01:00:00Z,Usage,0,0.6,0,0,10,Hours,r-1,Used,Microsoft,Virtual Machines,Compute,westeurope,A,EUR,M-1
2024-03-01T00:00:00Z,2024-03-01T01:00:00Z,Usage,0,0.05,0,0,1,Hours,r-1,Used,Microsoft,Virtual Machines,Compute,westeurope,B,EUR,m-2
2024-03-01T00:00:00Z,2024-03-01T01:00:00Z,Usage,0.2,0.2,0.2,0.2,2,Hours,,,Microsoft,Virtual Machines,Compute,westeurope,C,EUR,m-1
";

/// A price sheet of an Enterprise Agreement: blocks of hours, development prices, reservations, tiers, and a price that changed.
const SHEET: &str = "\u{feff}\
Meter ID,Meter name,Unit of measure,Unit Price,Market Price,Base Price,Currency code,Price type,Term,Offer ID,Effective Start Date,Tier Minimum Units
m-1,D2s v5,100 Hours,9,10,9.5,EUR,Consumption,,MS-AZR-0017P,2024-01-01,0
m-1,D2s v5,100 Hours,12,12,12,EUR,Consumption,,MS-AZR-0017P,2023-01-01,0
m-1,D2s v5,100 Hours,5,5,5,EUR,Consumption,,MS-AZR-0148P,2024-01-01,0
m-1,D2s v5,1 Hour,600,700,700,EUR,ReservedInstance,P1Y,,2024-01-01,0
m-2,D4s v5,1 Hour,0.18,0,0,EUR,Consumption,,,2024-01-01,0
m-2,D4s v5,1 Hour,0.15,0,0,EUR,Consumption,,,2024-01-01,1000
";

/// A bill with its folder: a price sheet's join reads it again.
fn bill(text: &str) -> (TempDir, Bill) {
    let (folder, path) = file("bill.csv", text);
    (folder, Bill::read(&[path], &Options::default()).unwrap_or_else(|error| panic!("{error}")))
}

fn sheet(text: &str) -> Result<PriceSheet, Error> {
    let (_folder, path) = file("sheet.csv", text);
    PriceSheet::read(&[path])
}

#[test]
fn a_price_sheet_prices_what_reservations_cover() {
    let (_folder, bill) = bill(FOCUS);
    assert!(matches!(bill.money().effective_savings_rate(), Err(Error::NoOnDemandPrice { rows: 2, .. })));
    let prices = sheet(SHEET).unwrap();
    assert_eq!((prices.len(), prices.currency(), prices.ambiguous().count()), (2, "EUR", 0));
    let money = bill.money_with_price_sheet(&prices).unwrap();
    let covered = money.of(ChargeKind::Covered);
    // 10 hours of 0.10 (0.09 to the customer) and one of 0.18.
    assert_eq!(
        (covered.list.value().normalize().to_string(), covered.contracted.value().normalize().to_string()),
        ("1.18".into(), "1.08".into())
    );
    assert_eq!(covered.unpriced_rows, 0);
    // 0.85 amortised of 1.38 on demand.
    assert!((money.effective_savings_rate().unwrap().unwrap() - (1.0 - 0.85 / 1.38)).abs() < 1e-12);
    assert!((money.coverage().unwrap().unwrap() - 1.18 / 1.38).abs() < 1e-12);
}

#[test]
fn meters_that_the_sheet_does_not_price_are_still_refused() {
    let (_folder, bill) = bill(FOCUS);
    let rate = |text: &str| bill.money_with_price_sheet(&sheet(text).unwrap()).unwrap().effective_savings_rate();
    let partial = SHEET.replace("m-2,", "m-3,");
    assert!(matches!(rate(&partial), Err(Error::NoOnDemandPrice { rows: 1, .. })));
    // Two prices, and nothing to choose by.
    let twice = format!("{SHEET}m-2,D4s v5,1 Hour,0.19,0,0,EUR,Consumption,,,2024-01-01,0\n");
    assert_eq!(sheet(&twice).unwrap().ambiguous().collect::<Vec<_>>(), ["m-2"]);
    assert!(matches!(rate(&twice), Err(Error::NoOnDemandPrice { rows: 1, .. })));
    let error = bill.money_with_price_sheet(&sheet(&SHEET.replace("EUR", "USD")).unwrap()).unwrap_err();
    assert!(error.to_string().contains("USD") && error.to_string().contains("EUR"), "{error}");
    let error = sheet(&SHEET.replace("Unit Price", "Preis")).unwrap_err();
    assert!(matches!(&error, Error::MissingColumns { .. }) && error.to_string().contains("UnitPrice"), "{error}");
    let error = sheet(&SHEET.replace(",9,10,", ",nine,10,")).unwrap_err();
    assert!(error.to_string().contains("`nine`"), "{error}");
}

#[test]
fn cost_details_without_unit_price_are_priced_by_the_consumption_meter() {
    let text = "\
SubscriptionId,Date,MeterCategory,MeterName,MeterId,Quantity,CostInBillingCurrency,BillingCurrency,AdditionalInfo,ChargeType,PricingModel,ReservationId
s,2024-03-01,Virtual Machines,D2s v5,ri-meter,24,1.44,EUR,\"{\"\"ServiceType\"\":\"\"Standard_D2s_v5\"\",\"\"ConsumptionMeter\"\":\"\"M-1\"\"}\",Usage,Reservation,r-1
";
    let (_folder, bill) = bill(text);
    assert!(matches!(bill.money().effective_savings_rate(), Err(Error::NoOnDemandPrice { rows: 1, .. })));
    let money = bill.money_with_price_sheet(&sheet(SHEET).unwrap()).unwrap();
    assert_eq!(money.of(ChargeKind::Covered).list.value().normalize().to_string(), "2.4");
    assert!((money.effective_savings_rate().unwrap().unwrap() - 0.4).abs() < 1e-12);
}

#[test]
fn the_hour_that_the_clock_repeats_is_noted() {
    let row = |start: &str, end: &str| {
        format!(
            "{start},{end},Usage,0.1,0.1,0.1,0.1,1,Hours,,,Microsoft,Virtual Machines,Compute,westeurope,A,EUR,m-1,{start}{end}\n"
        )
    };
    let header = FOCUS.lines().next().unwrap();
    let berlin = Options { time_zone: chrono_tz::Europe::Berlin, ..Options::default() };
    let read = |hours: &[(&str, &str)], options: &Options| {
        let rows: String = hours.iter().map(|(start, end)| row(&format!("2024-10-{start}"), &format!("2024-10-{end}"))).collect();
        let (_folder, path) = file("bill.csv", &format!("{header},ResourceId\n{rows}"));
        Bill::read(&[path], options).unwrap_or_else(|error| panic!("{error}"))
    };
    let is_noted = |bill: &Bill| bill.notes().iter().any(|note| matches!(note, Note::RepeatedHour { zone: "Europe/Berlin", .. }));
    let local = [("27T01:00:00", "27T02:00:00"), ("27T02:00:00", "27T02:59:59"), ("27T03:00:00", "27T04:00:00")];
    let bill = read(&local, &berlin);
    assert!(is_noted(&bill), "{:?}", bill.notes());
    let note = bill.notes().iter().map(ToString::to_string).find(|note| note.contains("repeated")).unwrap();
    assert!(note.contains("2024-10-27T00:00:00Z") && note.contains("with their zone"), "{note}");
    // With zones both instances are there; and in UTC no hour is repeated.
    let zoned = [("27T02:00:00+02:00", "27T02:59:59+02:00"), ("27T02:00:00+01:00", "27T02:59:59+01:00")];
    assert!(!is_noted(&read(&zoned, &berlin)));
    assert!(!is_noted(&read(&local, &Options::default())));
}
