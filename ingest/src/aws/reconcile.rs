//! The bill replayed: usage under the commitments held, by the judge alone, set beside what the bill says.
//!
//! Nothing of the bill's own attribution is used but to compare: coverage, on-demand cost and the use of each lease come from
//! [`covermix::billing`], fees from the portfolio. The definitions are in `docs/ingest.md`, "Reconciliation figures".

use crate::UnknownSkus;
use crate::curves::BilledUsage;
use crate::error::Result;
use chrono::{DateTime, Utc};
use covermix::billing::{Judge, Rules};
use covermix::catalog::{Benefit, Catalog, Offer, OnDemandPrice};
use covermix::portfolio::{Commitment, Portfolio};
use covermix::time::{HourGrid, Month};
use covermix::units::{Money, to_decimal};
use covermix::usage::{PricingCategory, UsageCurves, UsageLine};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;

/// How far apart two quantities of a pool may be in an hour and still be equal: bills round each row's amount to 6 to 10 digits.
const TOLERANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 5);

/// One month of EC2 instances, in the bill's currency.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MonthFigures {
    /// The month, `2018-10`.
    pub month: String,
    /// Instances that no commitment covers, at catalog prices; without spot and free-tier usage.
    pub on_demand_cost: f64,
    /// All instances at public on-demand prices, free-tier usage too; without spot.
    pub public_on_demand_cost: f64,
    /// What commitments cover, at public on-demand prices.
    pub public_covered_cost: f64,
    /// Upfront and recurring cost of the used part of Reserved Instances.
    pub ri_effective_used: f64,
    /// Recurring fees of Reserved Instances, used or not.
    pub ri_recurring_fee: f64,
    /// Upfront fees of Reserved Instances, spread over the seconds of their term.
    pub ri_amortized_upfront: f64,
    /// The part of the amortised upfront fees that covered nothing.
    pub unused_upfront: f64,
    /// The part of the recurring fees that covered nothing.
    pub unused_recurring: f64,
    /// Pairs of a reserved pool (or SKU, where there is no pool) and an hour in which a reservation of it runs.
    pub pool_hours: u64,
    /// Those in which the replay covers as many units as the bill says that reservations covered.
    pub pool_hours_matching: u64,
}

/// The sums behind [`MonthFigures`].
#[derive(Clone, Debug, Default)]
struct Sums {
    on_demand: Money,
    public: Money,
    covered: Money,
    pool_hours: u64,
    pool_hours_matching: u64,
    /// Units used of each lease.
    used: BTreeMap<String, Decimal>,
}

/// The figures of every month.
pub(super) fn months(
    usage: &BilledUsage,
    months: &[Month],
    catalog: &Catalog,
    portfolio: &Portfolio,
    unknown: UnknownSkus,
) -> Result<Vec<MonthFigures>> {
    let curves = &usage.curves;
    let columns: Vec<usize> =
        (0..curves.lines().len()).filter(|column| is_compared(&curves.lines()[*column], catalog, unknown)).collect();
    let lines: Vec<&UsageLine> = columns.iter().map(|column| &curves.lines()[*column]).collect();
    let prices: Vec<Option<&OnDemandPrice>> = lines.iter().map(|line| catalog.price(&line.sku)).collect();
    let mut sums: BTreeMap<Month, Sums> = months.iter().map(|month| (*month, Sums::default())).collect();
    for hour in 0..curves.grid().count {
        let start = curves.grid().hour(hour);
        let sums = sums.entry(start.month()).or_default();
        let decimal = |value: f64| to_decimal(value).unwrap_or_default();
        let mut billed: BTreeMap<&str, Decimal> = BTreeMap::new();
        for (column, (line, price)) in columns.iter().zip(lines.iter().zip(&prices)) {
            let unit_price = price.map(|price| price.price).or(line.billed_price).unwrap_or_default();
            sums.public += unit_price.of(decimal(curves.quantity()[(hour, *column)]));
            if let Some(price) = price {
                let (pool, units) = pool_of(price);
                *billed.entry(pool).or_default() += decimal(usage.covered[(hour, *column)]) * units;
            }
        }
        let one_hour = one_hour(curves, hour, &columns)?;
        replay(&one_hour, catalog, portfolio, &billed, sums)?;
    }
    Ok(sums.into_iter().map(|(month, sums)| figures(month, &sums, catalog, portfolio)).collect())
}

/// EC2 instances but spot; those without price only if they are to be refused.
fn is_compared(line: &UsageLine, catalog: &Catalog, unknown: UnknownSkus) -> bool {
    let is_priced = line.pricing == PricingCategory::FreeTier || catalog.price(&line.sku).is_some();
    line.sku.service == covermix::catalog::aws::EC2
        && line.pricing != PricingCategory::Spot
        && (is_priced || unknown == UnknownSkus::Refuse)
}

/// The curves of one hour and some columns, in the order of the columns.
fn one_hour(curves: &UsageCurves, hour: usize, columns: &[usize]) -> Result<UsageCurves> {
    let grid = HourGrid { first: curves.grid().hour(hour), count: 1 };
    let lines = columns.iter().map(|column| curves.lines()[*column].clone()).collect();
    let quantity = curves.quantity().select(ndarray::Axis(0), &[hour]).select(ndarray::Axis(1), columns);
    Ok(UsageCurves::new(grid, lines, quantity)?)
}

/// Replays one hour and compares each reserved pool with the bill.
fn replay(
    usage: &UsageCurves,
    catalog: &Catalog,
    portfolio: &Portfolio,
    billed: &BTreeMap<&str, Decimal>,
    sums: &mut Sums,
) -> Result<()> {
    let bill = Judge::new(usage, catalog, portfolio, &Rules::default())?.bill();
    let charges = bill.total();
    sums.on_demand += charges.on_demand;
    sums.covered += charges.covered();
    let mut replayed: BTreeMap<&str, Decimal> = BTreeMap::new();
    for (commitment, result) in portfolio.commitments().iter().zip(bill.commitments()) {
        let offer = portfolio.offer(catalog, commitment)?;
        let Some(pool) = reserved_pool(offer, catalog).filter(|_| result.hours > Decimal::ZERO) else { continue };
        *sums.used.entry(commitment.id.clone()).or_default() += result.used;
        let covered = result.by_line.iter().filter_map(|(column, quantity)| {
            let price = catalog.price(&usage.lines()[*column].sku)?;
            Some(*quantity * pool_of(price).1)
        });
        *replayed.entry(pool).or_default() += covered.sum::<Decimal>();
    }
    for (pool, units) in replayed {
        let on_bill = billed.get(pool).copied().unwrap_or_default();
        sums.pool_hours += 1;
        sums.pool_hours_matching += u64::from((units - on_bill).abs() <= TOLERANCE);
    }
    Ok(())
}

/// The pool of a SKU and the units that one of it needs there; the SKU itself where it is in no pool.
fn pool_of(price: &OnDemandPrice) -> (&str, Decimal) {
    price.pools.first().map_or((price.id.as_str(), Decimal::ONE), |pool| (pool.pool.as_str(), pool.units.value()))
}

/// The pool that a reservation is of; `None` for a spend plan.
fn reserved_pool<'a>(offer: &'a Offer, catalog: &'a Catalog) -> Option<&'a str> {
    let Benefit::Reservation { sku, .. } = &offer.benefit else { return None };
    Some(catalog.price_with_id(sku).map_or(sku.as_str(), |price| pool_of(price).0))
}

fn figures(month: Month, sums: &Sums, catalog: &Catalog, portfolio: &Portfolio) -> MonthFigures {
    let (mut recurring, mut upfront, mut unused_recurring, mut unused_upfront) = Default::default();
    let reserved = portfolio.commitments().iter().filter_map(|commitment| {
        let offer = portfolio.offer(catalog, commitment).ok()?;
        (!offer.is_spend_plan()).then_some((commitment, offer))
    });
    for (commitment, offer) in reserved {
        let hours = hours_within(month, commitment);
        let fee: Money = offer.recurring.over_hours(hours * commitment.quantity);
        let amortised = Money::new(offer.upfront.value() * commitment.quantity * hours / offer.term.list_hours());
        let provided = hours * capacity(commitment, offer);
        let used = sums.used.get(&commitment.id).copied().unwrap_or_default();
        // The clock hour of a start within it is served in full, so that more may be used than is paid for.
        let unused = if provided.is_zero() { Decimal::ZERO } else { (Decimal::ONE - used / provided).max(Decimal::ZERO) };
        recurring += fee;
        upfront += amortised;
        unused_recurring += fee * unused;
        unused_upfront += amortised * unused;
    }
    let number = |money: Money| Money::new(money.value().round_dp(8)).to_f64();
    MonthFigures {
        month: month.to_string(),
        on_demand_cost: number(sums.on_demand),
        public_on_demand_cost: number(sums.public),
        public_covered_cost: number(sums.covered),
        ri_effective_used: number(recurring + upfront - unused_recurring - unused_upfront),
        ri_recurring_fee: number(recurring),
        ri_amortized_upfront: number(upfront),
        unused_upfront: number(unused_upfront),
        unused_recurring: number(unused_recurring),
        pool_hours: sums.pool_hours,
        pool_hours_matching: sums.pool_hours_matching,
    }
}

/// The hours of a month that a commitment runs, to the second: fees of the first and last month are for these.
fn hours_within(month: Month, commitment: &Commitment) -> Decimal {
    let from: DateTime<Utc> = commitment.start.max(month.start());
    let until = commitment.end.min(month.next().start());
    Decimal::from((until - from).num_seconds().max(0)) / Decimal::from(3600)
}

/// The units that a reservation provides in an hour.
fn capacity(commitment: &Commitment, offer: &Offer) -> Decimal {
    let is_zonal = commitment.scope.kind() == covermix::catalog::ScopeKind::AvailabilityZone;
    match &offer.benefit {
        Benefit::Reservation { pool: Some(pool), .. } if !is_zonal => commitment.quantity * pool.units.value(),
        _ => commitment.quantity,
    }
}
