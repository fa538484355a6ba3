//! Usage and commitments billed by `covermix::billing`, written as FOCUS and as a Cost and Usage Report, and read back: the same curves,
//! portfolio and money.

use super::prices;
use covermix::billing::{Judge, Rules};
use covermix::catalog::{Benefit, Catalog, Offer, PaymentOption};
use covermix::portfolio::{Commitment, Portfolio, Scope};
use covermix::time::{Hour, HourGrid, Month};
use covermix::units::{Money, MoneyPerHour, UnitPrice};
use covermix::usage::{PricingCategory, UsageCurves, UsageLine};
use covermix_ingest::{Bill, Dialect, Options, UnknownSkus};
use ndarray::Array2;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A month of three lines: two sizes of one pool with a daily wave, and a database of another region on spot.
fn usage(catalog: &Catalog) -> UsageCurves {
    let month: Month = Month::containing("2024-04-01T00:00:00Z".parse().unwrap());
    let grid = HourGrid { first: Hour::containing(month.start()), count: 720 };
    let line = |sku: &str, platform: &str, account: &str| {
        let price = catalog.prices().iter().find(|price| price.sku.sku == sku && price.sku.platform == platform).unwrap();
        let mut line = UsageLine::new(price.sku.clone(), account);
        line.billed_price = Some(price.price);
        line
    };
    let mut spot = line("m5.large", "Linux", "333333333333");
    (spot.pricing, spot.billed_price) = (PricingCategory::Spot, Some(UnitPrice::new("0.03".parse().unwrap())));
    let lines = vec![
        line("m5.large", "Linux", "111111111111"),
        line("m5.xlarge", "Linux", "222222222222"),
        line("m5.large", "Windows", "222222222222"),
        spot,
    ];
    let wave = |hour: usize, line: usize| match line {
        0 => 2.0 + f64::from(u32::try_from(hour % 24).unwrap()) / 8.0,
        1 => {
            if hour % 24 < 12 {
                1.5
            } else {
                0.25
            }
        }
        2 => 1.0,
        _ => {
            if hour.is_multiple_of(3) {
                4.0
            } else {
                0.0
            }
        }
    };
    let quantity = Array2::from_shape_fn((720, 4), |(hour, line)| wave(hour, line));
    UsageCurves::new(grid, lines, quantity).unwrap()
}

/// A regional reservation of a pool, all upfront, and a spend plan.
fn portfolio(catalog: &Catalog) -> Portfolio {
    let reservation = catalog
        .offers()
        .iter()
        .find(|offer| matches!(&offer.benefit, Benefit::Reservation { sku, pool: Some(_) } if sku.contains("m5.large/Linux")))
        .unwrap();
    let rates: BTreeMap<String, UnitPrice> = catalog
        .prices()
        .iter()
        .filter(|price| price.sku.platform == "Linux" && price.sku.sku.starts_with("m5"))
        .map(|price| (price.id.clone(), UnitPrice::new((price.price.value() * Decimal::new(7, 1)).normalize())))
        .collect();
    let plan = Offer {
        id: "plan".into(),
        service: "ComputeSavingsPlans".into(),
        region: String::new(),
        benefit: Benefit::SpendPlan { plan: "Compute".into(), family: String::new(), rates },
        payment_option: PaymentOption::NoUpfront,
        upfront: Money::ZERO,
        recurring: MoneyPerHour::new(Decimal::ONE),
        scopes: BTreeSet::from([covermix::catalog::ScopeKind::Shared]),
        rights: BTreeSet::new(),
        ..reservation.clone()
    };
    let commitment = |id: &str, offer: &str, quantity: &str, scope| Commitment {
        id: id.into(),
        offer: offer.into(),
        quantity: quantity.parse().unwrap(),
        start: "2024-04-01T00:00:00Z".parse().unwrap(),
        end: "2025-04-01T00:00:00Z".parse().unwrap(),
        account: "111111111111".into(),
        scope,
    };
    let commitments = vec![
        commitment("arn:aws:ec2:us-east-1:111111111111:reserved-instances/r", &reservation.id, "2", Scope::Region),
        commitment("arn:aws:savingsplans::111111111111:savingsplan/s", "plan", "0.15", Scope::Shared),
    ];
    Portfolio::new(vec![plan], commitments).unwrap()
}

fn totals(judge: &Judge<'_>) -> (Decimal, Decimal) {
    let rows = judge.focus_rows(0..720, "USD").unwrap();
    (rows.iter().map(|row| row.billed_cost).sum(), rows.iter().map(|row| row.effective_cost).sum())
}

fn read(path: &Path, contracts: &[&Path]) -> Bill {
    Bill::read_with_contracts(&[path], contracts, &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// The curves without prices, which are the bill's and not the catalog's on spot.
fn assert_same_usage(found: &UsageCurves, expected: &UsageCurves) {
    assert_eq!(found.grid(), expected.grid());
    let names = |usage: &UsageCurves| usage.lines().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(found), names(expected));
    assert_eq!(found.quantity(), expected.quantity());
}

#[test]
fn focus_comes_back_as_it_was() {
    let catalog = prices();
    let (usage, portfolio) = (usage(&catalog), portfolio(&catalog));
    let judge = Judge::new(&usage, &catalog, &portfolio, &Rules::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (path, contracts) = (folder.path().join("focus.csv"), folder.path().join("contracts.csv"));
    let rows = judge.focus_rows(0..720, "USD").unwrap();
    covermix_ingest::focus::export::write_csv(&rows, &usage, std::fs::File::create(&path).unwrap()).unwrap();
    let file = std::fs::File::create(&contracts).unwrap();
    covermix_ingest::focus::export::write_contracts(&portfolio, &catalog, "Active", file).unwrap();
    let bill = read(&path, &[&contracts]);
    assert_same_usage(bill.usage().unwrap(), &usage);
    let (billed, effective) = totals(&judge);
    assert!((bill.reconciliation().cost().value() - billed).abs() < Decimal::new(1, 10));
    assert_eq!(bill.reconciliation().cost().to_cents().value(), billed.round_dp(2));
    // Each row is kept to 15 digits behind the point.
    assert!((bill.money().effective().value() - effective).abs() < Decimal::new(1, 10), "{}", bill.money().effective().value());
    assert_eq!(bill.reconciliation().rows(), u64::try_from(rows.len()).unwrap());
    // The plan's offer is not the catalog's: it must be known by its name.
    let mut offers = catalog.offers().to_vec();
    offers.extend(portfolio.offers().iter().cloned());
    let known =
        Catalog::new(catalog.currency(), catalog.price_date(), catalog.source(), catalog.prices().to_vec(), offers).unwrap();
    let (found, notes) = bill.portfolio(&known, UnknownSkus::Refuse).unwrap();
    assert_eq!((found.commitments(), notes.len()), (portfolio.commitments(), 0));
}

#[test]
fn a_cost_and_usage_report_comes_back_as_it_was() {
    let catalog = prices();
    let (usage, portfolio) = (usage(&catalog), portfolio(&catalog));
    let judge = Judge::new(&usage, &catalog, &portfolio, &Rules::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.csv");
    covermix_ingest::aws::export::write_csv(&judge, &usage, &catalog, &portfolio, std::fs::File::create(&path).unwrap()).unwrap();
    let bill = read(&path, &[]);
    assert_same_usage(bill.usage().unwrap(), &usage);
    let (billed, effective) = totals(&judge);
    assert_eq!(bill.reconciliation().cost().value().round_dp(10).normalize(), billed.round_dp(10).normalize());
    let difference = (bill.money().effective().value() - effective).abs();
    assert!(difference < Decimal::new(1, 6), "amortised {} is not {effective}", bill.money().effective().value());
    let (found, _) = bill.portfolio(&catalog, UnknownSkus::Refuse).unwrap();
    for (found_one, expected) in found.commitments().iter().zip(portfolio.commitments()) {
        assert_eq!(
            (&found_one.id, found_one.quantity, found_one.start, found_one.end, &found_one.account, &found_one.scope),
            (&expected.id, expected.quantity, expected.start, expected.end, &expected.account, &expected.scope)
        );
        let (found, expected) = (found.offer(&catalog, found_one).unwrap(), portfolio.offer(&catalog, expected).unwrap());
        assert_eq!((found.upfront, found.recurring, found.term), (expected.upfront, expected.recurring, expected.term));
        assert_eq!(found.payment_option, expected.payment_option);
    }
    assert_eq!(found.commitments().len(), 2);
    // The replay of what was read is the bill that was written.
    let without_spot = |usage: &UsageCurves| usage.filter(|line| line.pricing != PricingCategory::Spot).unwrap();
    let (read, written) = (without_spot(bill.usage().unwrap()), without_spot(&usage));
    let again = Judge::new(&read, &catalog, &found, &Rules::default()).unwrap();
    let before = Judge::new(&written, &catalog, &portfolio, &Rules::default()).unwrap();
    assert_eq!(totals(&again), totals(&before));
}

#[test]
fn the_query_for_warehouses_is_of_their_dialects() {
    use datafusion::sql::sqlparser::dialect::{BigQueryDialect, DuckDbDialect, GenericDialect, SnowflakeDialect};
    use datafusion::sql::sqlparser::parser::Parser;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let all = ["athena", "bigquery", "snowflake", "duckdb"];
    for (path, dialects) in [
        (super::own("bill-2024-02.csv"), &all[..]),
        (super::own("azure.csv"), &all),
        (write("focus.csv", super::synthetic::FOCUS), &all),
        // Nested credits are added up in BigQuery alone.
        (write("google.json", super::synthetic::GOOGLE), &all[1..2]),
    ] {
        let bill = Bill::read(&[&path], &Options::default()).unwrap_or_else(|error| panic!("{error}"));
        for name in &all {
            let dialect: Dialect = name.parse().unwrap();
            let printed = bill.warehouse_sql(dialect, "billing.cur");
            if !dialects.contains(name) {
                assert!(printed.unwrap_err().to_string().contains("bigquery"), "{path:?}, {name}");
                continue;
            }
            let sql = printed.unwrap();
            for own in ["text_of(", " number_of(", "exact_decimal(", "seconds_of(", "json_get(", "times(", "over(", "credits_of("]
            {
                assert!(!sql.contains(own), "{path:?}, {name}: {own}");
            }
            let parsed = match dialect {
                Dialect::BigQuery => Parser::parse_sql(&BigQueryDialect {}, &sql),
                Dialect::Snowflake => Parser::parse_sql(&SnowflakeDialect {}, &sql),
                Dialect::DuckDb => Parser::parse_sql(&DuckDbDialect {}, &sql),
                Dialect::Athena => Parser::parse_sql(&GenericDialect {}, &sql),
            };
            assert!(parsed.is_ok(), "{path:?}, {name}: {parsed:?}\n{sql}");
        }
    }
    assert!("oracle".parse::<Dialect>().is_err());
}
