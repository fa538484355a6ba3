//! The invented bill: fractions, partial hours, a reservation that starts within the month and is zonal, a Savings Plan, two accounts, and
//! everything that is set aside.

use super::{BILL, agree, own, position, prices, remove, set, table, write};
use covermix::catalog::{Benefit, PaymentOption, Right};
use covermix::portfolio::Scope;
use covermix::units::{Money, to_decimal};
use covermix::usage::{PricingCategory, UsageCurves};
use covermix_ingest::aws::{CostAndUsage, Note};
use covermix_ingest::{Treatment, UnknownSkus};
use rust_decimal::Decimal;

fn bill() -> CostAndUsage {
    CostAndUsage::read(&[own("bill-2024-02.csv")]).unwrap()
}

/// Line as people read it, and its quantities in the first hours and at the start of the zonal reservation.
fn curves(usage: &UsageCurves) -> Vec<(String, Vec<f64>)> {
    let hours = [0, 1, 2, 3, 14 * 24 + 10];
    let column = |column: usize| hours.iter().map(|hour| usage.quantity()[(*hour, column)]).collect();
    usage.lines().iter().enumerate().map(|(index, line)| (line.to_string(), column(index))).collect()
}

#[test]
fn the_curves_are_what_ran_whatever_paid_for_it() {
    let bill = bill();
    let usage = bill.usage().unwrap();
    assert_eq!((usage.grid().count, bill.months()[0].to_string().as_str()), (29 * 24, "2024-02"));
    let expected: Vec<(String, Vec<f64>)> = [
        ("eu-west-1/m5.large/Linux/shared/instance-hour in eu-west-1a of account 222222222222", [0.0, 0.0, 1.0, 0.0, 0.0]),
        (
            "us-east-1/m5.large/Linux/dedicated/instance-hour in us-east-1a of account 222222222222",
            [0.0, 0.0, 0.016_667, 0.0, 0.0],
        ),
        ("us-east-1/m5.large/Linux/shared/instance-hour in us-east-1a of account 111111111111 (spot)", [0.0, 0.0, 1.0, 0.0, 0.0]),
        ("us-east-1/m5.large/Linux/shared/instance-hour in us-east-1b of account 222222222222", [1.0, 0.25, 0.0, 0.0, 0.0]),
        ("us-east-1/m5.large/Windows/shared/instance-hour in us-east-1a of account 111111111111", [0.0, 0.0, 0.0, 0.0, 1.0]),
        ("us-east-1/m5.large/Windows/shared/instance-hour in us-east-1b of account 111111111111", [0.0, 0.0, 0.0, 0.0, 1.0]),
        ("us-east-1/m5.xlarge/Linux/shared/instance-hour in us-east-1a of account 111111111111", [1.0, 0.0, 0.0, 0.0, 0.0]),
        (
            "us-east-1/t2.micro/Linux/shared/instance-hour in us-east-1a of account 111111111111 (free_tier)",
            [0.0, 0.0, 1.0, 0.0, 0.0],
        ),
    ]
    .into_iter()
    .map(|(line, quantities)| (format!("aws/AmazonEC2/{line}"), quantities.to_vec()))
    .chain([(
        "aws/AmazonRDS/us-east-1/InstanceUsage:db.r5.large/CreateDBInstance:0014/Hrs of account 111111111111".to_owned(),
        vec![0.0, 0.0, 0.0, 1.0, 0.0],
    )])
    .collect();
    assert_eq!(curves(usage), expected);
    let total: f64 = usage.totals().sum();
    assert!((total - 8.266_667).abs() < 1e-12, "{total}");
    assert_eq!(bill.instance_usage().unwrap().lines().len(), 8);
}

#[test]
fn lines_carry_the_public_price_but_on_spot() {
    let bill = bill();
    for line in bill.usage().unwrap().lines() {
        let price = line.billed_price.map(|price| price.value().to_string());
        match line.pricing {
            PricingCategory::Spot => assert_eq!(price, None),
            _ if line.sku.sku == "m5.xlarge" => assert_eq!(price.as_deref(), Some("0.192")),
            _ => assert!(price.is_some(), "{line}"),
        }
    }
}

#[test]
fn the_portfolio_is_what_the_fees_are_for() {
    let catalog = prices();
    let bill = bill();
    let portfolio = bill.portfolio(&catalog, UnknownSkus::Refuse).unwrap();
    assert_eq!(portfolio.commitments().len(), 3);
    let [regional, zonal, plan] = portfolio.commitments() else { panic!("not three") };
    assert_eq!((regional.quantity, regional.account.as_str(), &regional.scope), (Decimal::ONE, "111111111111", &Scope::Region));
    assert_eq!(regional.end.to_rfc3339(), "2024-07-31T00:00:00+00:00");
    assert_eq!(zonal.scope, Scope::AvailabilityZone { availability_zone: "us-east-1a".into() });
    assert_eq!(zonal.start.to_rfc3339(), "2024-02-15T10:30:00+00:00");
    let offer = portfolio.offer(&catalog, zonal).unwrap();
    assert_eq!((offer.upfront.value().to_string(), offer.recurring.value().to_string()), ("400".into(), "0.05".into()));
    assert_eq!((offer.payment_option, offer.rights.contains(&Right::Resale)), (PaymentOption::PartialUpfront, true));
    assert!(matches!(&offer.benefit, Benefit::Reservation { sku, pool: None } if sku == "us-east-1/m5.large/Windows"));
    let offer = portfolio.offer(&catalog, regional).unwrap();
    assert!(matches!(&offer.benefit, Benefit::Reservation { pool: Some(pool), .. } if pool.units.value() == Decimal::from(4)));
    assert_eq!((plan.quantity.to_string(), &plan.scope), ("0.1".to_owned(), &Scope::Shared));
    let offer = portfolio.offer(&catalog, plan).unwrap();
    let Benefit::SpendPlan { plan, rates, .. } = &offer.benefit else { panic!("no plan") };
    let rates: Vec<(&str, String)> = rates.iter().map(|(id, rate)| (id.as_str(), rate.to_string())).collect();
    assert_eq!(plan, "Compute");
    assert_eq!(rates, [("us-east-1/m5.large/Linux", "0.07".to_owned()), ("us-east-1/m5.xlarge/Linux", "0.14".to_owned())]);
    assert_eq!((offer.upfront, offer.recurring.value()), (Money::ZERO, Decimal::ONE));
}

#[test]
fn every_row_and_all_money_is_somewhere() {
    let bill = bill();
    let reconciliation = bill.reconciliation();
    let rows: u64 = reconciliation.entries().iter().map(|entry| entry.rows).sum();
    let cost: Money = reconciliation.entries().iter().map(|entry| entry.cost).sum();
    assert_eq!((rows, cost), (28, reconciliation.cost()));
    assert_eq!(rows, u64::try_from(BILL.lines().count() - 1).unwrap());
    assert_eq!(cost.value().normalize().to_string(), "568.823823886");
    let by_hand = [
        ("other services", "0.0005"),
        ("EC2 other than instances (storage, transfer ...)", "0.0567"),
        ("tax", "3.21"),
        ("support", "100"),
        ("credits", "-1.5"),
        ("refunds", "-0.75"),
        ("discounts", "-2.25"),
        ("other fees", "9.99"),
        ("EC2 instances on spot", "0.03"),
        ("EC2 instances within the free tier", "0"),
        ("reservation upfront fees (Fee)", "400"),
        ("Reserved Instance fees (RIFee)", "59.235"),
        ("other services with commitments, on demand", "0.25"),
    ];
    for (reason, expected) in by_hand {
        let entry = reconciliation.entries().iter().find(|entry| entry.reason == reason).unwrap_or_else(|| panic!("no {reason}"));
        assert_eq!(entry.cost.value().normalize().to_string(), expected, "{reason}");
    }
    assert_eq!(reconciliation.cost_of(Treatment::UncoverableUsage).value().normalize().to_string(), "0.03");
    let table = reconciliation.to_string();
    assert!(table.contains("568.823824") && table.contains("28"), "{table}");
}

#[test]
fn the_replay_agrees_with_the_bill() {
    let figures = bill().reconcile(&prices(), UnknownSkus::Refuse).unwrap();
    let [month] = figures.as_slice() else { panic!("{figures:?}") };
    // By hand. Hour 0: the reservation takes half of the m5.xlarge, the plan the other half (0.07 of its 0.10) and 0.03 / 0.07 of the m5.large.
    let on_demand = (1.0 - 0.03 / 0.07) * 0.096 + 0.107 + 0.016_667 * 0.106 + 0.188;
    let public = 0.192 + 1.25 * 0.096 + 0.0116 + 0.107 + 0.016_667 * 0.106 + 2.0 * 0.188;
    let exact =
        |name: &str, found: f64, expected: f64| assert!((found - expected).abs() < 1e-8, "{name}: {found}, not {expected}");
    exact("on demand", month.on_demand_cost, on_demand);
    exact("public", month.public_on_demand_cost, public);
    exact("covered", month.public_covered_cost, public - 0.0116 - on_demand);
    // The zonal one runs for 349.5 hours and is used in one; the regional one covers 5 units of 4 x 696.
    exact("recurring", month.ri_recurring_fee, 696.0 * 0.06 + 349.5 * 0.05);
    exact("upfront", month.ri_amortized_upfront, 400.0 * 349.5 / 8760.0);
    exact("unused recurring", month.unused_recurring, (696.0 - 1.25) * 0.06 + 348.5 * 0.05);
    exact("unused upfront", month.unused_upfront, 400.0 * 348.5 / 8760.0);
    exact("used", month.ri_effective_used, 1.25 * 0.06 + 0.05 + 400.0 / 8760.0);
    assert_eq!((month.pool_hours, month.pool_hours_matching), (696 + 350, 696 + 350));
}

#[test]
fn a_bill_that_covers_otherwise_is_noticed() {
    let mut table = table();
    set(&mut table, "lineItem/LineItemType", "Usage", |row| row.iter().any(|cell| cell == "1.25E-1"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    write(&path, &table);
    let figures = CostAndUsage::read(&[&path]).unwrap().reconcile(&prices(), UnknownSkus::Refuse).unwrap();
    assert_eq!((figures[0].pool_hours, figures[0].pool_hours_matching), (1046, 1045));
}

#[test]
fn header_styles_order_and_packing_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let expected = bill();
    let figures = expected.reconcile(&prices(), UnknownSkus::Refuse).unwrap();
    let mut cells = table();
    for header in &mut cells[0] {
        *header = snake(header);
    }
    assert!(cells[0].contains(&"reservation_reservation_a_r_n".to_owned()), "{:?}", cells[0]);
    cells[1..].reverse();
    // The same columns in another order, with a byte-order mark, tabs, and in two files.
    for row in &mut cells {
        row.reverse();
    }
    let half = cells.len() >> 1;
    let head = cells[0].clone();
    let (first, second) = (cells[..half].to_vec(), [vec![head], cells[half..].to_vec()].concat());
    let tabs = folder.path().join("first part [1] of 2.tsv");
    let text = first.iter().map(|row| row.iter().map(|cell| quote(cell)).collect::<Vec<_>>().join("\t")).collect::<Vec<_>>();
    std::fs::write(&tabs, format!("\u{feff}{}\r\n", text.join("\r\n"))).unwrap();
    let plain = folder.path().join("second.csv");
    write(&plain, &second);
    let packed = folder.path().join("second?.data");
    let file = std::fs::File::create(&packed).unwrap();
    let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    std::io::copy(&mut std::fs::File::open(&plain).unwrap(), &mut packer).unwrap();
    packer.finish().unwrap();
    for files in [[&packed, &tabs], [&tabs, &packed], [&plain, &tabs]] {
        let found = CostAndUsage::read(&files).unwrap();
        assert_eq!(found.usage().unwrap(), expected.usage().unwrap());
        assert_eq!(found.reserved_instances(), expected.reserved_instances());
        assert_eq!(found.savings_plans(), expected.savings_plans());
        assert_eq!(found.reconciliation(), expected.reconciliation());
        assert_eq!(found.reconcile(&prices(), UnknownSkus::Refuse).unwrap(), figures);
    }
}

fn quote(cell: &str) -> String {
    if cell.contains(['"', '\t', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

/// A header as Athena spells it.
fn snake(header: &str) -> String {
    let mut text = String::new();
    for letter in header.chars() {
        match letter {
            '/' => text.push('_'),
            upper if upper.is_ascii_uppercase() => {
                if !text.is_empty() && !text.ends_with('_') {
                    text.push('_');
                }
                text.push(upper.to_ascii_lowercase());
            }
            other => text.push(other),
        }
    }
    text
}

#[test]
fn missing_optional_columns_are_notes() {
    let mut table = table();
    for column in ["lineItem/ResourceId", "product/tenancy", "product/region", "pricing/OfferingClass", "pricing/PurchaseOption"]
    {
        remove(&mut table, column);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    write(&path, &table);
    let found = CostAndUsage::read(&[&path]).unwrap();
    let missing =
        |name: &str| found.notes().iter().any(|note| matches!(note, Note::MissingColumn { column, .. } if *column == name));
    assert!(missing("product/tenancy") && missing("lineItem/ResourceId") && !missing("lineItem/AvailabilityZone"));
    assert!(found.notes().iter().any(|note| matches!(note, Note::EndsEarly { .. })), "{:?}", found.notes());
    assert_eq!(found.usage().unwrap(), bill().usage().unwrap());
    // The class of the regional one is inferred from the catalog's price, the payment option from the fees.
    let portfolio = found.portfolio(&prices(), UnknownSkus::Refuse).unwrap();
    let offer = portfolio.offer(&prices(), &portfolio.commitments()[1]).unwrap().clone();
    assert_eq!(offer.payment_option, PaymentOption::PartialUpfront);
    assert!(offer.derived.contains("nearest price") && offer.rights.contains(&Right::Resale), "{offer:?}");
    let figures = found.reconcile(&prices(), UnknownSkus::Refuse).unwrap();
    agree("on demand", figures[0].on_demand_cost, 0.351_623_845);
}

#[test]
fn a_plan_paid_upfront_costs_the_same_an_hour() {
    let mut table = table();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    let is_fee = |row: &[String]| row.iter().any(|cell| cell == "SavingsPlanRecurringFee");
    set(&mut table, "savingsPlan/PaymentOption", "All Upfront", is_fee);
    write(&path, &table);
    let found = CostAndUsage::read(&[&path]).unwrap();
    assert_eq!(found.savings_plans()[0].commitment.value().to_string(), "0.1");
    let portfolio = found.portfolio(&prices(), UnknownSkus::Refuse).unwrap();
    let offer = portfolio.offer(&prices(), &portfolio.commitments()[2]).unwrap().clone();
    assert_eq!((offer.upfront.value(), offer.recurring.value()), (Decimal::from(8760), Decimal::ZERO));
    // Without recurring rows the upfront fee tells.
    let start = position(&table, "lineItem/UsageStartDate");
    table.retain(|row| !is_fee(row) || row[start] == "2024-02-01T00:00:00Z");
    set(&mut table, "lineItem/LineItemType", "SavingsPlanUpfrontFee", is_fee);
    set(&mut table, "lineItem/UnblendedCost", "876", |row| row.iter().any(|cell| cell == "SavingsPlanUpfrontFee"));
    write(&path, &table);
    let found = CostAndUsage::read(&[&path]).unwrap();
    assert_eq!(found.savings_plans()[0].commitment.value(), to_decimal(0.1).unwrap());
}

#[test]
fn it_can_be_read_from_within_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let expected = bill();
    let found = runtime.block_on(async {
        let nested = bill();
        assert_eq!(nested.usage().unwrap(), expected.usage().unwrap());
        CostAndUsage::read_async(&[own("bill-2024-02.csv")]).await.unwrap()
    });
    assert_eq!(found.usage().unwrap(), expected.usage().unwrap());
}
