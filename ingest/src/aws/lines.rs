//! Usage lines and their hourly quantities. SQL adds up the line items by hour and by what they say was used; here those words become SKUs,
//! and lines that say the same in other words become one.

use super::Note;
use super::class::is_usage;
use super::sku::{Words, is_unused_capacity, sku};
use crate::error::{Error, Result};
use crate::session::{Rows, SCALE, Session, count};
use chrono::DateTime;
use covermix::time::{Hour, HourGrid, Month};
use covermix::units::UnitPrice;
use covermix::usage::{PricingCategory, UsageCurves, UsageLine};
use datafusion::arrow::array::{Array, Decimal128Array, Int64Array};
use ndarray::Array2;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// The tag, and its value, of unused slots of capacity reservations.
const CAPACITY_TAG: (&str, &str) = ("capacity_reservation", "unused");

/// Usage, with what the bill itself says reservations covered of it.
#[derive(Clone, Debug)]
pub(super) struct BilledUsage {
    pub(super) curves: UsageCurves,
    /// Quantity covered by reservations on the bill (DiscountedUsage), hours x lines as in the curves.
    pub(super) reserved: Array2<f64>,
}

/// The number in a row of a decimal column; `None` if it is NULL or beyond 7.9e28.
pub(super) fn decimal(column: &Decimal128Array, row: usize) -> Option<Decimal> {
    let (value, scale) = shortest(column, row)?;
    Decimal::try_from_i128_with_scale(value, scale).ok()
}

/// The same as the nearest f64.
#[allow(clippy::cast_precision_loss)]
fn float(value: i128) -> f64 {
    let (digits, scale) = strip(value, SCALE);
    // Both are exact below 2^53 and 1e22, so that the quotient is the nearest f64.
    digits as f64 / 10f64.powi(i32::try_from(scale).unwrap_or(0))
}

/// Value and scale without trailing zeros.
fn shortest(column: &Decimal128Array, row: usize) -> Option<(i128, u32)> {
    (!column.is_null(row)).then(|| strip(column.value(row), SCALE))
}

fn strip(mut value: i128, mut scale: u32) -> (i128, u32) {
    while scale > 0 && value % 10 == 0 {
        value /= 10;
        scale -= 1;
    }
    (value, scale)
}

/// The instant of a row of a column of seconds.
pub(super) fn instant(column: &Int64Array, row: usize) -> Option<DateTime<chrono::Utc>> {
    if column.is_null(row) { None } else { DateTime::from_timestamp(column.value(row), 0) }
}

/// The months that the files are of, and those that usage lies in.
pub(super) async fn months(session: &Session) -> Result<Vec<Month>> {
    let rows = session
        .query(&format!(
            "SELECT DISTINCT start FROM (\
             SELECT bill_billing_period_start_date AS start FROM bill UNION ALL \
             SELECT line_item_usage_start_date AS start FROM bill WHERE {}) AS t WHERE start IS NOT NULL",
            is_usage()
        ))
        .await?;
    let starts = rows.integers("start");
    let months: BTreeSet<Month> = (0..rows.len()).filter_map(|row| instant(&starts, row)).map(Month::containing).collect();
    let months: Vec<Month> = months.into_iter().collect();
    match months.windows(2).find(|pair| pair[0].next() != pair[1]) {
        Some(pair) => Err(Error::Gap { before: pair[0], after: pair[1] }),
        None => Ok(months),
    }
}

/// The usage of the months; `None` if there is none.
pub(super) async fn read(session: &Session, months: &[Month], notes: &mut Vec<Note>) -> Result<Option<BilledUsage>> {
    refuse_long_rows(session).await?;
    let rows = session.query(&query()).await?;
    let (Some(first), Some(last)) = (months.first(), months.last()) else { return Ok(None) };
    if rows.len() == 0 {
        return Ok(None);
    }
    let start = Hour::containing(first.start());
    let hours = Hour::containing(last.next().start()).since_epoch() - start.since_epoch();
    let grid = HourGrid { first: start, count: usize::try_from(hours).unwrap_or(0) };
    let mut cells = Cells::default();
    cells.add(&rows, grid);
    note_early_end(&rows, *last, notes);
    cells.into_usage(grid, notes).map(Some)
}

/// Hour by hour and word by word.
fn query() -> String {
    let words = "line_item_usage_account_id, line_item_availability_zone, line_item_product_code, line_item_usage_type, \
                 line_item_operation, product_tenancy, product_region, engine, pricing_unit, pricing";
    format!(
        "SELECT hour, {words}, SUM(line_item_usage_amount) AS quantity, SUM(reserved) AS reserved, \
         MAX(rate) AS rate, MIN(rate) AS lowest_rate FROM (\
         SELECT *, line_item_usage_start_date / 3600 AS hour, \
         CASE WHEN product_database_engine <> '' THEN product_database_engine ELSE product_cache_engine END AS engine, \
         CASE WHEN class = 'instance_spot' THEN 'spot' WHEN class LIKE '%free_tier' THEN 'free_tier' ELSE 'standard' END AS pricing, \
         CASE WHEN line_item_line_item_type = 'DiscountedUsage' THEN line_item_usage_amount ELSE 0 END AS reserved, \
         CASE WHEN class = 'instance_spot' THEN NULL WHEN pricing_public_on_demand_rate > 0 THEN pricing_public_on_demand_rate \
         WHEN line_item_unblended_rate > 0 THEN line_item_unblended_rate END AS rate \
         FROM bill WHERE {}) AS t GROUP BY hour, {words} ORDER BY hour, {words}",
        is_usage()
    )
}

async fn refuse_long_rows(session: &Session) -> Result<()> {
    let rows = session
        .query(&format!(
            "SELECT COUNT(*) AS lines, MIN(line_item_usage_type) AS example FROM bill WHERE {} \
             AND line_item_usage_end_date > (line_item_usage_start_date / 3600 + 1) * 3600",
            is_usage()
        ))
        .await?;
    let lines = if rows.len() == 0 { 0 } else { count(&rows.integers("lines"), 0) };
    if lines == 0 {
        return Ok(());
    }
    Err(Error::Granularity { paths: session.paths().to_vec(), rows: lines, example: rows.text("example").value(0).to_owned() })
}

/// A month whose usage stops a day or more before its end may not be over.
fn note_early_end(rows: &Rows, last_month: Month, notes: &mut Vec<Note>) {
    let hours = rows.integers("hour");
    let last = Hour::from_epoch(hours.value(rows.len() - 1));
    if Hour::containing(last_month.next().start()).since_epoch() - last.since_epoch() > 24 {
        notes.push(Note::EndsEarly { last, month: last_month });
    }
}

/// Quantities by line and hour, in units of 10^-[`SCALE`].
#[derive(Default)]
struct Cells {
    lines: BTreeMap<UsageLine, Vec<Cell>>,
    prices: BTreeMap<UsageLine, (Option<Decimal>, bool)>,
}

struct Cell {
    hour: usize,
    quantity: i128,
    reserved: i128,
}

impl Cells {
    fn add(&mut self, rows: &Rows, grid: HourGrid) {
        let (hours, quantities, reserved) = (rows.integers("hour"), rows.numbers("quantity"), rows.numbers("reserved"));
        let (rates, lowest) = (rows.numbers("rate"), rows.numbers("lowest_rate"));
        let [account, zone, product, usage_type] =
            ["line_item_usage_account_id", "line_item_availability_zone", "line_item_product_code", "line_item_usage_type"]
                .map(|name| rows.text(name));
        let [operation, tenancy, region, engine, unit, pricing] =
            ["line_item_operation", "product_tenancy", "product_region", "engine", "pricing_unit", "pricing"]
                .map(|name| rows.text(name));
        for row in 0..rows.len() {
            let words = Words {
                product: product.value(row),
                usage_type: usage_type.value(row),
                operation: operation.value(row),
                tenancy: tenancy.value(row),
                region: region.value(row),
                availability_zone: zone.value(row),
                engine: engine.value(row),
                unit: unit.value(row),
            };
            let mut line = UsageLine::new(sku(words), account.value(row));
            line.availability_zone = zone.value(row).into();
            line.pricing = match pricing.value(row) {
                "spot" => PricingCategory::Spot,
                "free_tier" => PricingCategory::FreeTier,
                _ => PricingCategory::Standard,
            };
            if is_unused_capacity(words.usage_type) {
                line.tags.insert(CAPACITY_TAG.0.into(), CAPACITY_TAG.1.into());
            }
            let price = self.prices.entry(line.clone()).or_default();
            let (rate, low) = (decimal(&rates, row), decimal(&lowest, row));
            price.1 |= low != rate || (price.0.is_some() && rate.is_some() && price.0 != rate);
            price.0 = price.0.max(rate);
            // Months are those of the usage, so that every hour is in the grid.
            let Some(hour) = grid.index(Hour::from_epoch(hours.value(row))) else { continue };
            let cell = Cell { hour, quantity: quantities.value(row), reserved: reserved.value(row) };
            self.lines.entry(line).or_default().push(cell);
        }
    }

    fn into_usage(self, grid: HourGrid, notes: &mut Vec<Note>) -> Result<BilledUsage> {
        let shape = (grid.count, self.lines.len());
        let (mut quantity, mut reserved) = (Array2::zeros(shape), Array2::zeros(shape));
        let mut lines = Vec::with_capacity(self.lines.len());
        for (column, (mut line, cells)) in self.lines.into_iter().enumerate() {
            let mut cells = cells.into_iter().peekable();
            while let Some(mut cell) = cells.next() {
                while let Some(same) = cells.next_if(|next| next.hour == cell.hour) {
                    cell.quantity += same.quantity;
                    cell.reserved += same.reserved;
                }
                quantity[(cell.hour, column)] = float(cell.quantity);
                reserved[(cell.hour, column)] = float(cell.reserved);
            }
            let (price, changed) = self.prices.get(&line).copied().unwrap_or_default();
            if changed {
                notes.push(Note::PriceChanged { line: line.to_string() });
            }
            line.billed_price = price.map(UnitPrice::new);
            lines.push(line);
        }
        // Lines come in the order that the curves keep, so that the columns of both matrices agree.
        Ok(BilledUsage { curves: UsageCurves::new(grid, lines, quantity)?, reserved })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_the_nearest_f64() {
        assert_eq!(float(16_667_000_000_000).to_bits(), 0.016_667f64.to_bits());
        assert_eq!(float(744_016_667_000_000_000).to_bits(), 744.016_667f64.to_bits());
        assert_eq!(float(0).to_bits(), 0f64.to_bits());
        assert_eq!(float(-125_000_000_000_000).to_bits(), (-0.125f64).to_bits());
    }
}
