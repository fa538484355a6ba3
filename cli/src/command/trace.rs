//! Traces of demand without prices as usage curves, and a catalog in which every line has the on-demand price 1. The tests
//! of the core that read such a trace take this file.

use covermix::catalog::{Benefit, Catalog, Offer, OnDemandPrice, PaymentOption, ScopeKind};
use covermix::error::{Error, Problem, Result};
use covermix::time::{Hour, HourGrid, Term};
use covermix::units::{Money, MoneyPerHour, UnitPrice, to_decimal};
use covermix::usage::{Provider, Sku, UsageCurves, UsageLine};
use flate2::read::MultiGzDecoder;
use ndarray::Array2;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;

/// The identifier of the plan that covers every line.
pub(crate) const FLEXIBLE: &str = "flexible";

const COLUMNS: [&str; 4] = ["USAGE_HOUR", "REGION_NUM", "INSTANCE_TYPE", "NORM_USAGE"];

/// A line of the trace, by the number of its region and its kind.
pub(crate) fn line(region: &str, kind: &str) -> UsageLine {
    let sku = Sku {
        provider: Provider::Aws,
        service: "AmazonEC2".into(),
        region: format!("region-{region}"),
        sku: format!("{kind}.norm"),
        platform: "Linux".into(),
        tenancy: "shared".into(),
        unit: "instance-hour".into(),
    };
    UsageLine::new(sku, "all")
}

/// Reads the trace; an hour without a row of a line is an hour without its usage.
pub(crate) fn read(path: &Path) -> Result<UsageCurves> {
    let failed = |error: std::io::Error| Error::from(Problem::InputOutput).in_file(path).caused_by(error);
    let mut file = BufReader::new(std::fs::File::open(path).map_err(failed)?);
    let packed = file.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
    let reader: Box<dyn std::io::Read> = if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut reader = csv::Reader::from_reader(reader);
    let malformed = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        Error::from(Problem::Malformed { expected: "a CSV table of hourly demand" }).in_file(path).at_line(line).caused_by(error)
    };
    let header = reader.headers().map_err(malformed)?.clone();
    let column = |name: &str| {
        header.iter().position(|column| column == name).ok_or_else(|| {
            let found = header.iter().collect::<Vec<_>>().join(", ");
            Error::from(Problem::MissingColumn { column: name.to_owned(), found }).in_file(path)
        })
    };
    let place = [column(COLUMNS[0])?, column(COLUMNS[1])?, column(COLUMNS[2])?, column(COLUMNS[3])?];
    let mut cells: BTreeMap<(String, String), Vec<(Hour, f64)>> = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(malformed)?;
        let number = record.position().map_or(0, csv::Position::line);
        let cell = |index: usize| record.get(place[index]).unwrap_or_default();
        let wrong = |index: usize, expected: &'static str| {
            let problem = Problem::Value { value: cell(index).to_owned(), expected };
            Error::from(problem).in_file(path).at_line(number).in_field(COLUMNS[index])
        };
        let hour = chrono::NaiveDateTime::parse_from_str(cell(0), "%Y-%m-%d %H:%M:%S%.f")
            .map_err(|error| wrong(0, "a time such as 2021-02-01 00:00:00.000").caused_by(error))?;
        let quantity: f64 = cell(3).parse().map_err(|error: std::num::ParseFloatError| wrong(3, "a number").caused_by(error))?;
        let key = (cell(1).to_owned(), cell(2).to_owned());
        cells.entry(key).or_default().push((Hour::containing(hour.and_utc()), quantity));
    }
    let hours = || cells.values().flatten().map(|cell| cell.0);
    let (Some(first), Some(last)) = (hours().min(), hours().max()) else {
        return Err(Error::from(Problem::Empty { what: "demand" }).in_file(path));
    };
    let count = usize::try_from(last.since_epoch() - first.since_epoch()).unwrap_or(0) + 1;
    let grid = HourGrid { first, count };
    if count < 2 * 8760 {
        let problem = Problem::OutOfRange { value: format!("{count} hours"), range: "traces of two years or more" };
        return Err(Error::from(problem).in_file(path));
    }
    let mut quantity = Array2::zeros((count, cells.len()));
    for (column, cells) in cells.values().enumerate() {
        for (hour, value) in cells {
            if let Some(row) = grid.index(*hour) {
                quantity[(row, column)] += value;
            }
        }
    }
    let lines = cells.keys().map(|(region, kind)| line(region, kind)).collect();
    UsageCurves::new(grid, lines, quantity).map_err(|error| error.in_file(path))
}

/// The same hours with the usage in reverse order.
pub(crate) fn reversed(usage: &UsageCurves) -> Result<UsageCurves> {
    let quantity = usage.quantity().slice(ndarray::s![..;-1, ..]).as_standard_layout().into_owned();
    UsageCurves::new(usage.grid(), usage.lines().to_vec(), quantity)
}

/// Every line at 1 an hour; a plan for all of them, and reservations of each where a locked discount is given. All run 365 days.
pub(crate) fn catalog(usage: &UsageCurves, flexible: f64, locked: Option<f64>) -> Result<Catalog> {
    let share = |discount: f64| {
        let rate = to_decimal(1.0 - discount).filter(|rate| (0.0..1.0).contains(&discount) && *rate > Decimal::ZERO);
        rate.ok_or_else(|| {
            Error::from(Problem::OutOfRange { value: discount.to_string(), range: "discounts from 0 to below 1" })
                .in_field("discount")
        })
    };
    let prices: Vec<OnDemandPrice> = usage
        .lines()
        .iter()
        .map(|line| OnDemandPrice {
            id: line.sku.to_string(),
            sku: line.sku.clone(),
            price: UnitPrice::new(Decimal::ONE),
            family: line.sku.sku.split('.').next().unwrap_or_default().to_owned(),
            pools: Vec::new(),
            provider_id: String::new(),
            list_price: None,
            origin: Default::default(),
        })
        .collect();
    let offer = |id: String, region: &str, benefit: Benefit, hourly: Decimal, scope: ScopeKind| Offer {
        id,
        provider: Provider::Aws,
        service: "AmazonEC2".into(),
        region: region.to_owned(),
        benefit,
        term: Term::AWS_ONE_YEAR,
        payment_option: PaymentOption::NoUpfront,
        upfront: Money::ZERO,
        recurring: MoneyPerHour::new(hourly),
        scopes: BTreeSet::from([scope]),
        rights: BTreeSet::new(),
        purchasable_from: None,
        purchasable_until: None,
        derived: "a stated discount of the on-demand price".into(),
        lot: None,
        provider_id: String::new(),
        origin: Default::default(),
    };
    let rate = UnitPrice::new(share(flexible)?);
    let rates = prices.iter().map(|price| (price.id.clone(), rate)).collect();
    let plan = Benefit::SpendPlan { plan: "Compute".into(), family: String::new(), rates };
    let mut offers = vec![offer(FLEXIBLE.into(), "", plan, Decimal::ONE, ScopeKind::Shared)];
    if let Some(discount) = locked {
        let hourly = share(discount)?;
        offers.extend(prices.iter().map(|price| {
            let benefit = Benefit::Reservation { sku: price.id.clone(), pool: None };
            offer(format!("locked {}", price.id), &price.sku.region, benefit, hourly, ScopeKind::Region)
        }));
    }
    Catalog::new("USD", None, "the trace's own", prices, offers)
}
