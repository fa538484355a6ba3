//! The commitment examples of the FOCUS specification (version 1.2, `specification/data/commitment_discount_*` and
//! `..._percent_utilization_*`), put to the judge and compared row for row and column for column.
//!
//! The files are read from `../shared` (or `COVERMIX_SHARED`) and the comparison is skipped with a printed reason without it; the facts
//! of the first six are also tested on the rows written here. Where an example contradicts itself or the specification's text, the
//! columns concerned are named in [`EXAMPLES`] with the reason, and all others are compared.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, missing_docs)]

mod common;
#[path = "common/shared.rs"]
mod shared;

use common::{catalog, commitment, plan, price, reservation, usage};
use covermix::billing::focus::{FocusRow, write_csv, write_json_lines};
use covermix::billing::{Judge, RatesAboveOnDemand, Rules};
use covermix::portfolio::Portfolio;
use ndarray::Array2;
use rust_decimal::{Decimal, dec};
use shared::shared;
use std::collections::BTreeMap;

type Row = BTreeMap<String, String>;

/// The setting of an example and what of it cannot be compared: row (from 0; all rows if absent) and column, with the reason.
struct Example {
    file: &'static str,
    rows: fn() -> Vec<FocusRow>,
    /// Our names of things and the example's.
    names: &'static [(&'static str, &'static str)],
    contradicted: &'static [(Option<usize>, &'static str, &'static str)],
}

const RESOURCE: (&str, &str) = ("aws/AmazonEC2/us-east-1/vm/Hour of account a team=team of a", "<my-resource-id>");
const COMMITMENT: (&str, &str) = ("sp", "<my-commitment-discount-id>");
const PERIODS: &str = "periods of ten hours in the wrong month, one to an hour 30, for a fee of one hour";

const EXAMPLES: [Example; 11] = [
    Example {
        file: "commitment_discount_purchase_scenario_1",
        rows: || purchases("8760", "0"),
        names: &[COMMITMENT],
        contradicted: &[],
    },
    Example {
        file: "commitment_discount_purchase_scenario_2",
        rows: || purchases("0", "1"),
        names: &[COMMITMENT],
        contradicted: &[(None, "ChargePeriodStart", PERIODS), (None, "ChargePeriodEnd", PERIODS)],
    },
    Example {
        file: "commitment_discount_purchase_scenario_3",
        rows: || purchases("4380", "0.5"),
        names: &[COMMITMENT],
        contradicted: &[
            (Some(1), "ChargePeriodEnd", PERIODS),
            (Some(2), "ChargePeriodStart", PERIODS),
            (Some(2), "ChargePeriodEnd", PERIODS),
            (Some(3), "ChargePeriodStart", PERIODS),
            (Some(3), "ChargePeriodEnd", PERIODS),
        ],
    },
    Example {
        file: "commitment_discount_usage_scenario_1",
        rows: || plan_usage("1.5", "1", 1.0),
        names: &[RESOURCE, COMMITMENT],
        contradicted: &[],
    },
    Example {
        file: "commitment_discount_usage_scenario_2",
        rows: || plan_usage("1.5", "1", 0.0),
        names: &[RESOURCE, COMMITMENT],
        contradicted: &[],
    },
    Example {
        file: "commitment_discount_usage_scenario_3",
        rows: || plan_usage("1.5", "0.75", 1.0),
        names: &[RESOURCE, COMMITMENT],
        contradicted: &[],
    },
    Example {
        file: "commitment_discount_usage_scenario_4",
        rows: || plan_usage("2", "1.3333333333333333333333333333", 1.0),
        names: &[RESOURCE, COMMITMENT],
        contradicted: &[(
            None,
            "ConsumedQuantity",
            "one resource consumes its hour twice: the split rows do not sum to what ran",
        )],
    },
    Example {
        file: "one_hundred_percent_utilization_without_commitment_discount_flexibility",
        rows: || vm_hours(("VM_LARGE", "1"), None, &[("VM_LARGE", "a", 1.0)]),
        names: &LARGE,
        contradicted: &[],
    },
    Example {
        file: "one_hundred_percent_utilization_with_commitment_discount_flexibility_with_2_resources",
        rows: || vm_hours(("VM_XLARGE", "4"), Some(()), &[("VM_MEDIUM", "a", 1.0), ("VM_MEDIUM", "b", 1.0)]),
        names: &MEDIUM,
        contradicted: &[],
    },
    Example {
        file: "one_hundred_percent_utilization_with_commitment_discount_flexibility_with_1_resource",
        rows: || vm_hours(("VM_SMALL", "1"), Some(()), &[("VM_LARGE", "a", 1.0)]),
        names: &LARGE_UNDER_SMALL,
        contradicted: &[
            (Some(1), "PricingQuantity", "0.333 and 0.75 of one hour sum to more than it"),
            (Some(1), "ListCost", "0.333 of 3.00 is not 3.00"),
            (None, "ConsumedQuantity", "one resource consumes its hour twice: the split rows do not sum to what ran"),
            (Some(2), "x_CommitmentDiscountUnitPrice", "the price of a commitment on a row that none covers"),
            (Some(1), "x_CommitmentDiscountUnitPrice", "1.50 an hour, and 0.50 for the covered third of it"),
        ],
    },
    Example {
        file: "zero_percent_utilization_without_commitment_discount_flexibility",
        rows: || vm_hours(("VM_LARGE", "1"), None, &[("VM_MEDIUM", "a", 1.0)]),
        names: &UNUSED,
        contradicted: &[
            (Some(1), "ResourceId", UNUSED_ROW),
            (Some(1), "PricingQuantity", UNUSED_ROW),
            (Some(1), "ListUnitPrice", UNUSED_ROW),
            (Some(1), "ListCost", UNUSED_ROW),
            (Some(1), "x_CommitmentDiscountUnitPrice", UNUSED_ROW),
            (Some(1), "ConsumedQuantity", UNUSED_ROW),
            (Some(1), "ConsumedUnit", UNUSED_ROW),
            (Some(1), "SkuId", UNUSED_ROW),
            (Some(1), "SkuPriceid", UNUSED_ROW),
            (Some(2), "x_CommitmentDiscountUnitPrice", "the price of a commitment on a row that none covers"),
        ],
    },
];

const UNUSED_ROW: &str = "the text has the commitment as resource and nothing consumed on an unused row, as usage scenario 2 has";
const HELD: (&str, &str) = ("ri", "<my-commitment-discount-id>");
const LARGE: [(&str, &str); 4] = [
    HELD,
    ("aws/AmazonEC2/us-east-1/VM_LARGE/Hour of account a team=team of a", "<my-large-vm-id>"),
    ("VM_LARGE_NO_UPFRONT/VM_LARGE", "VM_LARGE_COMMITTED_HOUR"),
    ("VM_LARGE_NO_UPFRONT", "VM_LARGE_COMMITTED_PURCHASE_NO_UPFRONT"),
];
const MEDIUM: [(&str, &str); 5] = [
    HELD,
    ("aws/AmazonEC2/us-east-1/VM_MEDIUM/Hour of account a team=team of a", "<my-medium-vm-id>"),
    ("aws/AmazonEC2/us-east-1/VM_MEDIUM/Hour of account b team=team of b", "<my-medium-vm-id>"),
    ("VM_XLARGE_NO_UPFRONT/VM_MEDIUM", "VM_MEDIUM_COMMITTED_HOUR"),
    ("VM_XLARGE_NO_UPFRONT", "VM_XLARGE_COMMITTED_PURCHASE_NO_UPFRONT"),
];
const LARGE_UNDER_SMALL: [(&str, &str); 4] = [
    HELD,
    ("aws/AmazonEC2/us-east-1/VM_LARGE/Hour of account a team=team of a", "<my-large-vm-id>"),
    ("VM_SMALL_NO_UPFRONT/VM_LARGE", "VM_LARGE_COMMITTED_HOUR"),
    ("VM_SMALL_NO_UPFRONT", "VM_SMALL_COMMITTED_PURCHASE_NO_UPFRONT"),
];
const UNUSED: [(&str, &str); 3] = [
    HELD,
    ("aws/AmazonEC2/us-east-1/VM_MEDIUM/Hour of account a team=team of a", "<my-medium-vm-id>"),
    ("VM_LARGE_NO_UPFRONT", "VM_LARGE_COMMITTED_PURCHASE_NO_UPFRONT"),
];

/// Three hours of a plan of 1.00 an hour that all usage draws on; its purchase rows.
fn purchases(upfront: &str, recurring: &str) -> Vec<FocusRow> {
    let rows = plan_rows("1.5", "1", 1.0, upfront, recurring, 3);
    rows.into_iter().filter(|row| row.charge_category == "Purchase").collect()
}

/// An hour of usage under a plan of 1.00 an hour.
fn plan_usage(on_demand: &str, rate: &str, quantity: f64) -> Vec<FocusRow> {
    let rows = plan_rows(on_demand, rate, quantity, "0", "1", 1);
    rows.into_iter().filter(|row| row.charge_category == "Usage").collect()
}

fn plan_rows(on_demand: &str, rate: &str, quantity: f64, upfront: &str, recurring: &str, hours: usize) -> Vec<FocusRow> {
    let prices = vec![price("vm", on_demand, None)];
    let usage = usage(&prices, &[("vm", "a")], Array2::from_elem((hours, 1), quantity));
    let catalog = catalog(prices, vec![plan("sp", "Compute", &[("vm", rate)], upfront, recurring)]);
    let portfolio = Portfolio::new(Vec::new(), vec![commitment("sp", dec!(1), "a", "shared")]).unwrap();
    Judge::new(&usage, &catalog, &portfolio, &Rules::default()).unwrap().focus_rows(0..hours, "USD").unwrap()
}

/// An hour of virtual machines at 1.00, 2.00, 3.00 and 4.00 an hour, under one reservation of a size at half its price; in a pool where the
/// reservation is flexible.
fn vm_hours((size, units): (&str, &str), flexible: Option<()>, running: &[(&str, &str, f64)]) -> Vec<FocusRow> {
    let sizes = [("VM_SMALL", "1.00", "1"), ("VM_MEDIUM", "2.00", "2"), ("VM_LARGE", "3.00", "4"), ("VM_XLARGE", "4.00", "4")];
    let pool = |units| flexible.map(|()| ("vm", units));
    let prices: Vec<_> = sizes.iter().map(|(size, on_demand, units)| price(size, on_demand, pool(*units))).collect();
    let half =
        sizes.iter().find(|(name, ..)| *name == size).map(|(_, on_demand, _)| on_demand.parse::<Decimal>().unwrap() / dec!(2));
    let mut offer = reservation("ri", size, pool(units), "0", &half.unwrap().to_string());
    offer.id = format!("{size}_NO_UPFRONT");
    offer.payment_option = covermix::catalog::PaymentOption::NoUpfront;
    let mut held = commitment(&offer.id, dec!(1), "a", "region");
    held.id = "ri".into();
    let lines: Vec<(&str, &str)> = running.iter().map(|(size, account, _)| (*size, *account)).collect();
    let quantity = Array2::from_shape_fn((1, running.len()), |(_, line)| running[line].2);
    let usage = usage(&prices, &lines, quantity);
    let catalog = catalog(prices, vec![offer]);
    let portfolio = Portfolio::new(Vec::new(), vec![held]).unwrap();
    Judge::new(&usage, &catalog, &portfolio, &Rules::default()).unwrap().focus_rows(0..1, "USD").unwrap()
}

/// Rows as the writer gives them, in the example's words.
fn written(rows: &[FocusRow], names: &[(&str, &str)]) -> Vec<Row> {
    let mut csv = Vec::new();
    write_csv(rows, &mut csv).unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    let headers = reader.headers().unwrap().clone();
    let named = |value: &str| names.iter().find(|(ours, _)| *ours == value).map_or(value, |(_, theirs)| theirs).to_owned();
    reader.records().map(|record| headers.iter().map(str::to_owned).zip(record.unwrap().iter().map(named)).collect()).collect()
}

/// Whether two cells say the same: numbers by value, what is absent in any spelling.
fn same(ours: &str, theirs: &str) -> bool {
    let absent = |cell: &str| cell.is_empty() || cell == "null";
    match (ours.parse::<Decimal>(), theirs.parse::<Decimal>()) {
        (Ok(ours), Ok(theirs)) => (ours - theirs).abs() < dec!(1e-12),
        _ => ours == theirs || absent(ours) && absent(theirs),
    }
}

fn compare(example: &Example, theirs: &[Row]) {
    let ours = written(&(example.rows)(), example.names);
    assert_eq!(ours.len(), theirs.len(), "{}: rows", example.file);
    let mut compared = 0;
    for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        for (column, value) in theirs {
            let excepted = |entry: &&(Option<usize>, &str, &str)| entry.0.is_none_or(|row| row == index) && entry.1 == column;
            if example.contradicted.iter().any(|entry| excepted(&entry)) {
                continue;
            }
            // The examples spell SkuPriceId in their own way.
            let name = if column == "SkuPriceid" { "SkuPriceId" } else { column };
            let cell = ours.get(name).unwrap_or_else(|| panic!("{}: we have no column {column}", example.file));
            let is_on_demand_price = name == "SkuPriceId" && value.ends_with("_ON_DEMAND_HOUR");
            let value = if is_on_demand_price { value.trim_end_matches("_ON_DEMAND_HOUR") } else { value };
            assert!(same(cell, value), "{} row {index} {column}: {cell}, and the example has {value}", example.file);
            compared += 1;
        }
    }
    assert!(compared > 0, "{}: nothing compared", example.file);
}

#[test]
fn the_specifications_examples_come_out_row_for_row() {
    let Some(folder) = shared("focus/spec-examples") else { return };
    for example in &EXAMPLES {
        let text = std::fs::read_to_string(folder.join(format!("{}.csv", example.file))).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = reader.headers().unwrap().clone();
        let cells =
            |record: csv::StringRecord| headers.iter().zip(record.iter()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        let theirs: Vec<Row> = reader.records().map(|record| cells(record.unwrap())).collect();
        compare(example, &theirs);
        for (row, column, reason) in example.contradicted {
            let row = row.map_or_else(|| "all rows".to_owned(), |row| format!("row {row}"));
            println!("{}: {row} {column} not compared: {reason}", example.file);
        }
    }
    let files = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, EXAMPLES.len(), "an example is not compared");
}

/// What the specification says of a plan of 1.00 an hour, in our own rows.
#[test]
fn a_plans_rows_are_those_of_the_specification() {
    let row = |cells: &[(&str, &str)]| -> Row { cells.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect() };
    let used = |effective: &str, status: &str| {
        row(&[
            ("BilledCost", "0"),
            ("EffectiveCost", effective),
            ("CommitmentDiscountQuantity", effective),
            ("CommitmentDiscountStatus", status),
        ])
    };
    let named = |file: &str| EXAMPLES.iter().find(|example| example.file.ends_with(file)).unwrap();
    compare(named("usage_scenario_1"), &[used("1", "Used")]);
    compare(named("usage_scenario_2"), &[used("1", "Unused")]);
    compare(named("usage_scenario_3"), &[used("0.75", "Used"), used("0.25", "Unused")]);
    let paid = |cost: &str, frequency: &str| {
        row(&[("BilledCost", cost), ("EffectiveCost", "0"), ("ChargeFrequency", frequency), ("CommitmentDiscountQuantity", cost)])
    };
    compare(named("purchase_scenario_1"), &[paid("8760", "One-Time")]);
    let hourly = paid("0.5", "Recurring");
    compare(named("purchase_scenario_3"), &[paid("4380", "One-Time"), hourly.clone(), hourly.clone(), hourly]);
}

/// FOCUS 1.2, "Columns": those whose feature level is Mandatory, with whether a row of usage or purchase may have no value there.
const MANDATORY: [(&str, bool); 21] = [
    ("BilledCost", false),
    ("BillingAccountId", false),
    ("BillingAccountName", true),
    ("BillingCurrency", false),
    ("BillingPeriodEnd", false),
    ("BillingPeriodStart", false),
    ("ChargeCategory", false),
    ("ChargeClass", true),
    ("ChargeDescription", true),
    ("ChargePeriodEnd", false),
    ("ChargePeriodStart", false),
    ("ContractedCost", false),
    ("EffectiveCost", false),
    ("InvoiceIssuerName", false),
    ("ListCost", false),
    ("PricingQuantity", true),
    ("PricingUnit", false),
    ("ProviderName", false),
    ("PublisherName", false),
    ("ServiceCategory", false),
    ("ServiceName", false),
];

#[test]
fn every_mandatory_column_is_there_and_filled() {
    let kinds =
        [plan_usage("2", "1.25", 0.5), purchases("4380", "0.5"), vm_hours(("VM_SMALL", "1"), None, &[("VM_SMALL", "a", 0.0)])];
    let rows: Vec<Row> = kinds.iter().flat_map(|rows| written(rows, &[])).collect();
    for (column, may_be_absent) in MANDATORY {
        for row in &rows {
            let cell = row.get(column).unwrap_or_else(|| panic!("there is no column {column}"));
            // The account invoiced is the one thing that usage does not tell.
            let is_told = may_be_absent || column == "BillingAccountId" || !cell.is_empty();
            assert!(is_told, "{column} is empty: {row:?}");
        }
    }
    let units = |category: &str, status: &str| -> Vec<&str> {
        let is = |row: &&Row| row["ChargeCategory"] == category && row["CommitmentDiscountStatus"] == status;
        rows.iter().filter(is).map(|row| row["PricingUnit"].as_str()).collect()
    };
    assert!(units("Usage", "Used").iter().all(|unit| *unit == "Hour"), "{:?}", units("Usage", "Used"));
    assert_eq!(units("Usage", "Unused"), ["USD", "Hour"]);
    assert!(units("Purchase", "").contains(&"USD") && units("Purchase", "").contains(&"Hour"));
    assert!(rows.iter().all(|row| row["ServiceCategory"] == "Compute" && row["PublisherName"] == "Amazon Web Services, Inc."));
}

#[test]
fn json_lines_hold_the_same_rows() {
    let rows = plan_usage("2", "1.25", 1.0);
    let mut text = Vec::new();
    write_json_lines(&rows, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let read: Vec<FocusRow> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, rows);
    assert!(text.lines().next().unwrap().contains("\"x_CommitmentDiscountUnitPrice\":\"1.25\""), "{text}");
}

#[test]
fn contracted_cost_is_at_the_customers_price() {
    let mut prices = vec![price("vm", "1.6", None)];
    prices[0].list_price = Some(covermix::units::UnitPrice::new(dec!(2)));
    let usage = usage(&prices, &[("vm", "a")], Array2::from_elem((1, 1), 2.0));
    let catalog = catalog(prices, vec![plan("sp", "Compute", &[("vm", "1.25")], "0", "1")]);
    let portfolio = Portfolio::new(Vec::new(), vec![commitment("sp", dec!(1.25), "a", "shared")]).unwrap();
    let rules = Rules { rates_above_on_demand: RatesAboveOnDemand::Refused, ..Rules::default() };
    let judge = Judge::new(&usage, &catalog, &portfolio, &rules).unwrap();
    let rows = judge.focus_rows(0..1, "USD").unwrap();
    let of = |pricing: &str| rows.iter().find(|row| row.charge_category == "Usage" && row.pricing_category == pricing).unwrap();
    assert_eq!(
        (of("Committed").list_cost, of("Committed").contracted_cost, of("Committed").effective_cost),
        (dec!(2), dec!(1.6), dec!(1.25))
    );
    assert_eq!(
        (of("Standard").list_cost, of("Standard").contracted_cost, of("Standard").billed_cost),
        (dec!(2), dec!(1.6), dec!(1.6))
    );
    let total = judge.bill().total();
    assert_eq!((total.list_equivalent.value(), total.on_demand_equivalent.value()), (dec!(4), dec!(3.2)));
}
