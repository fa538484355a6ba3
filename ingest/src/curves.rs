//! Hourly curves of usage lines from rows that the query engine has added up: lines that say the same in other words become one, rows that span
//! hours are divided by seconds.

use crate::classes::ChargeKind;
use crate::error::{Error, Result};
use crate::format::month_start;
use crate::mapping::{Mapping, Words};
use crate::note::Note;
use crate::options::LongRows;
use crate::session::{Rows, Session, decimal, float};
use chrono_tz::Tz;
use covermix::time::{Hour, HourGrid, Month};
use covermix::units::UnitPrice;
use covermix::usage::{PricingCategory, UsageCurves, UsageLine};
use datafusion::arrow::array::{Array, Decimal128Array, StringArray};
use ndarray::Array2;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The seconds of an hour.
const HOUR: i64 = 3600;

/// Usage, with what the bill itself says commitments covered of it.
#[derive(Clone, Debug)]
pub(crate) struct BilledUsage {
    pub(crate) curves: UsageCurves,
    /// Quantity covered on the bill, hours x lines as in the curves.
    pub(crate) covered: Array2<f64>,
    /// Quantity of each line that is covered and whose on-demand price the bill does not show.
    pub(crate) unpriced: Vec<Decimal>,
}

/// Quantities by line and hour, in units of 10^-15.
#[derive(Default)]
pub(crate) struct Cells {
    lines: BTreeMap<UsageLine, Vec<Cell>>,
    prices: BTreeMap<UsageLine, (Option<Decimal>, bool)>,
    unpriced: BTreeMap<UsageLine, Decimal>,
}

/// What a line has in an hour.
pub(crate) struct Cell {
    pub(crate) hour: usize,
    pub(crate) quantity: i128,
    pub(crate) covered: i128,
}

impl Cells {
    /// Adds to a line; `rates` are the lowest and the highest price seen.
    pub(crate) fn add(&mut self, line: &UsageLine, cell: Option<Cell>, rates: [Option<Decimal>; 2]) {
        let [low, rate] = rates;
        let price = self.prices.entry(line.clone()).or_default();
        price.1 |= low != rate || (price.0.is_some() && rate.is_some() && price.0 != rate);
        price.0 = price.0.max(rate);
        let cells = self.lines.entry(line.clone()).or_default();
        cells.extend(cell);
    }

    /// Adds covered quantity without on-demand price.
    fn add_unpriced(&mut self, line: &UsageLine, quantity: Decimal) {
        if !quantity.is_zero() {
            *self.unpriced.entry(line.clone()).or_default() += quantity;
        }
    }

    /// The curves.
    pub(crate) fn into_usage(self, grid: HourGrid, notes: &mut Vec<Note>) -> Result<BilledUsage> {
        let shape = (grid.count, self.lines.len());
        let (mut quantity, mut covered) = (Array2::zeros(shape), Array2::zeros(shape));
        let (mut lines, mut unpriced) = (Vec::with_capacity(shape.1), Vec::with_capacity(shape.1));
        for (column, (mut line, mut cells)) in self.lines.into_iter().enumerate() {
            cells.sort_by_key(|cell| cell.hour);
            let mut cells = cells.into_iter().peekable();
            while let Some(mut cell) = cells.next() {
                while let Some(same) = cells.next_if(|next| next.hour == cell.hour) {
                    cell.quantity += same.quantity;
                    cell.covered += same.covered;
                }
                quantity[(cell.hour, column)] = float(cell.quantity);
                covered[(cell.hour, column)] = float(cell.covered);
            }
            let (price, changed) = self.prices.get(&line).copied().unwrap_or_default();
            if changed {
                notes.push(Note::PriceChanged { line: line.to_string() });
            }
            unpriced.push(self.unpriced.get(&line).copied().unwrap_or_default());
            line.billed_price = price.map(UnitPrice::new);
            lines.push(line);
        }
        // Lines come in the order that the curves keep, so that the columns of both matrices agree.
        Ok(BilledUsage { curves: UsageCurves::new(grid, lines, quantity)?, covered, unpriced })
    }
}

/// The hours of some months.
fn grid(first: Month, last: Month, zone: Tz) -> HourGrid {
    let start = Hour::containing(month_start(first, zone));
    let end = Hour::containing(month_start(last.next(), zone));
    HourGrid { first: start, count: usize::try_from(end.since_epoch() - start.since_epoch()).unwrap_or(0) }
}

/// The usage of the months.
pub(crate) enum Outcome {
    /// There is none.
    None,
    /// Hour by hour.
    Curves(Box<BilledUsage>),
    /// Rows span more than an hour, and spreading was not asked for: how many, and one of them.
    TooLong(u64, String),
    /// These months have none between them.
    Gap(Month, Month),
}

/// The usage of the months of a bill.
pub(crate) async fn read(session: &Session, mapping: &Mapping, months: &[Month], notes: &mut Vec<Note>) -> Result<Outcome> {
    let (Some(first), Some(last)) = (months.first(), months.last()) else { return Ok(Outcome::None) };
    if let Some(pair) = months.windows(2).find(|pair| pair[0].next() != pair[1]) {
        return Ok(Outcome::Gap(pair[0], pair[1]));
    }
    let grid = grid(*first, *last, mapping.format.zone(&session.options));
    let is_usage = mapping.is_usage();
    let spans = session
        .query(&format!(
            "SELECT SUM(CASE WHEN finish - start > {HOUR} THEN 1 ELSE 0 END) AS long, \
             SUM(CASE WHEN finish - start <= {HOUR} AND finish > (start / {HOUR} + 1) * {HOUR} THEN 1 ELSE 0 END) AS across, \
             SUM(CASE WHEN finish < start THEN 1 ELSE 0 END) AS backward, \
             MIN(CASE WHEN finish - start > {HOUR} OR finish < start THEN CONCAT(service, ' ', resource) END) AS example \
             FROM charges WHERE {is_usage}"
        ))
        .await?;
    let example = spans.text_at("example", 0);
    if spans.count_at("backward", 0) > 0 {
        let rows = spans.count_at("backward", 0);
        return Err(Error::Backward { paths: session.paths().to_vec(), rows, example });
    }
    let long = spans.count_at("long", 0);
    if long > 0 {
        if session.options.long_rows == LongRows::Refuse {
            return Ok(Outcome::TooLong(long, example));
        }
        notes.push(Note::Spread { rows: long });
    }
    let across = spans.count_at("across", 0);
    if across > 0 {
        notes.push(Note::AcrossHours { rows: across });
    }
    let rows = session.query(&query(mapping, "charges", session.options.tag_keys.len())).await?;
    if rows.len() == 0 {
        return Ok(Outcome::None);
    }
    note_early_end(&rows, grid, *last, notes);
    let mut cells = Cells::default();
    add(&mut cells, &rows, mapping, grid, &session.options.tag_keys);
    Ok(Outcome::Curves(Box::new(cells.into_usage(grid, notes)?)))
}

/// Hour by hour and word by word.
pub(crate) fn query(mapping: &Mapping, from: &str, tags: usize) -> String {
    let words: Vec<String> =
        mapping.words.iter().map(|word| (*word).to_owned()).chain((0..tags).map(|index| format!("tag_{index}"))).collect();
    let words = words.join(", ");
    let kind = |kind| mapping.is_kind(kind);
    let (spot, free, covered) = (kind(ChargeKind::Spot), kind(ChargeKind::FreeTier), kind(ChargeKind::Covered));
    let (is_usage, reserved) = (mapping.is_usage(), mapping.reserved);
    format!(
        "SELECT since, until, {words}, pricing, SUM(quantity) AS quantity, \
         SUM(CASE WHEN {reserved} THEN quantity ELSE 0 END) AS covered, \
         SUM(CASE WHEN {covered} AND COALESCE(list, 0) = 0 THEN quantity ELSE 0 END) AS unpriced, \
         MAX(price) AS price, MIN(price) AS lowest_price FROM (\
         SELECT *, CASE WHEN finish > start - start % {HOUR} + {HOUR} THEN start ELSE start - start % {HOUR} END AS since, \
         CASE WHEN finish > start - start % {HOUR} + {HOUR} THEN finish ELSE start - start % {HOUR} + {HOUR} END AS until, \
         CASE WHEN {spot} THEN 'spot' WHEN {free} THEN 'free_tier' ELSE 'standard' END AS pricing \
         FROM {from} WHERE {is_usage}) AS t GROUP BY since, until, {words}, pricing ORDER BY since, until, {words}, pricing"
    )
}

fn add(cells: &mut Cells, rows: &Rows, mapping: &Mapping, grid: HourGrid, tag_keys: &[String]) {
    let tags: Vec<StringArray> = (0..tag_keys.len()).map(|index| rows.text(&format!("tag_{index}"))).collect();
    let texts: Vec<StringArray> = mapping.words.iter().map(|word| rows.text(word)).collect();
    let pricing = rows.text("pricing");
    let (since, until) = (rows.integers("since"), rows.integers("until"));
    let (quantities, covered, unpriced) = (rows.numbers("quantity"), rows.numbers("covered"), rows.numbers("unpriced"));
    let (lowest, prices) = (rows.numbers("lowest_price"), rows.numbers("price"));
    for row in 0..rows.len() {
        let values = texts.iter().map(|text| if text.is_null(row) { "" } else { text.value(row) }).collect();
        let mut line = (mapping.line)(&Words { names: mapping.words, values });
        for (key, values) in tag_keys.iter().zip(&tags) {
            if !values.is_null(row) && !values.value(row).is_empty() {
                line.tags.insert(key.clone(), values.value(row).to_owned());
            }
        }
        line.pricing = match pricing.value(row) {
            "spot" => PricingCategory::Spot,
            "free_tier" => PricingCategory::FreeTier,
            _ => PricingCategory::Standard,
        };
        let is_spot = line.pricing == PricingCategory::Spot;
        let rates = [&lowest, &prices].map(|column| if is_spot { None } else { decimal(column, row) });
        cells.add_unpriced(&line, decimal(&unpriced, row).unwrap_or_default());
        let amount = |column: &Decimal128Array| if column.is_null(row) { 0 } else { column.value(row) };
        let spread = spread(since.value(row), until.value(row), [amount(&quantities), amount(&covered)]);
        for (hour, [quantity, covered]) in spread {
            let cell = grid.index(Hour::from_epoch(hour)).map(|hour| Cell { hour, quantity, covered });
            cells.add(&line, cell, rates);
        }
    }
}

/// Divides amounts over the hours from one second to another, by seconds; the parts add up to the whole. What has no length is in the hour of
/// its start.
fn spread(since: i64, until: i64, amounts: [i128; 2]) -> Vec<(i64, [i128; 2])> {
    let seconds = i128::from(until - since);
    if seconds <= 0 || since.div_euclid(HOUR) == (until - 1).div_euclid(HOUR) {
        return vec![(since.div_euclid(HOUR), amounts)];
    }
    let mut parts = Vec::new();
    let mut given = [0i128; 2];
    let mut from = since;
    while from < until {
        let hour = from.div_euclid(HOUR);
        let to = ((hour + 1) * HOUR).min(until);
        let passed = i128::from(to - since);
        let part = [0, 1].map(|index| (amounts[index] * passed).div_euclid(seconds) - given[index]);
        given = [given[0] + part[0], given[1] + part[1]];
        parts.push((hour, part));
        from = to;
    }
    parts
}

/// A month whose usage stops a day or more before its end may not be over.
fn note_early_end(rows: &Rows, grid: HourGrid, month: Month, notes: &mut Vec<Note>) {
    let until = rows.integers("until");
    let Some(last) = until.iter().flatten().max() else { return };
    let last = Hour::from_epoch((last - 1).div_euclid(HOUR));
    if grid.first.since_epoch() + i64::try_from(grid.count).unwrap_or(i64::MAX) - last.since_epoch() > 24 {
        notes.push(Note::EndsEarly { last, month });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_whole() {
        assert_eq!(spread(0, 3600, [7, 3]), [(0, [7, 3])]);
        assert_eq!(spread(3600, 7200, [7, 0]), [(1, [7, 0])]);
        assert_eq!(spread(3600, 3600, [7, 0]), [(1, [7, 0])]);
        // A day that daylight saving makes 25 hours long.
        let parts = spread(0, 25 * 3600, [100, 1]);
        assert_eq!(parts.len(), 25);
        assert_eq!(parts.iter().map(|(_, [all, _])| all).sum::<i128>(), 100);
        assert_eq!(parts.iter().map(|(_, [_, covered])| covered).sum::<i128>(), 1);
        // 08:25:11 to 12:25:14.
        let parts = spread(8 * 3600 + 1511, 12 * 3600 + 1514, [14_403, 0]);
        let amounts: Vec<i128> = parts.iter().map(|(_, [all, _])| *all).collect();
        assert_eq!(amounts, [2089, 3600, 3600, 3600, 1514]);
    }
}
