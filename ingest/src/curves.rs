//! Hourly curves of usage lines from rows that the query engine has added up: lines that say the same in other words become one, rows that span
//! hours are divided by seconds.

use crate::classes::ChargeKind;
use crate::error::{Error, Result};
use crate::format::month_start;
use crate::keys::Time;
use crate::mapping::{Mapping, United};
use crate::note::Note;
use crate::options::LongRows;
use crate::session::{Session, exact, float};
use crate::summary::is_late;
use chrono_tz::Tz;
use covermix::time::{Hour, HourGrid, Month};
use covermix::units::UnitPrice;
use covermix::usage::{PricingCategory, UsageCurves, UsageLine};
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

/// Usage of one line as the engine added it up.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    pieces: Vec<Piece>,
    /// The lowest and the highest price of each month.
    rates: BTreeMap<Option<Month>, [Option<i128>; 2]>,
}

/// A quantity, in units of 10^-15, and when it was used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) time: Time,
    pub(crate) quantity: i128,
    /// Whether it is covered and its on-demand price is not known.
    pub(crate) is_unlisted: bool,
}

impl Pieces {
    /// Adds a quantity; `rates` are its lowest and its highest price.
    pub(crate) fn add(&mut self, month: Option<Month>, piece: Piece, rates: [Option<i128>; 2]) {
        self.pieces.push(piece);
        let known = self.rates.entry(month).or_default();
        *known = widest(*known, rates);
    }

    /// The months of it.
    pub(crate) fn months(&self) -> impl Iterator<Item = Option<Month>> + '_ {
        self.rates.keys().copied()
    }
}

/// The lowest and the highest price of two pairs of them.
fn widest(one: [Option<i128>; 2], other: [Option<i128>; 2]) -> [Option<i128>; 2] {
    // None is below every price.
    let low = [one[0], other[0]].into_iter().flatten().min();
    [low, one[1].max(other[1])]
}

/// A usage line on the way to a curve: what there is of it (all, and what reservations cover) by hour, and of rows that are not within an hour by
/// their first and last second.
#[derive(Default)]
struct Cells {
    hours: BTreeMap<i64, [i128; 2]>,
    spans: BTreeMap<(i64, i64), [i128; 2]>,
    rates: [Option<i128>; 2],
    unpriced: i128,
}

impl Cells {
    fn add(&mut self, piece: &Piece, is_reserved: bool) {
        let amounts = match piece.time {
            Time::Hour(second) => self.hours.entry(second.div_euclid(HOUR)).or_default(),
            Time::Span(since, until) => self.spans.entry((since, until)).or_default(),
        };
        *amounts = sum(*amounts, [piece.quantity, if is_reserved { piece.quantity } else { 0 }]);
        if piece.is_unlisted {
            self.unpriced = self.unpriced.saturating_add(piece.quantity);
        }
    }

    /// All of it by hour.
    fn into_hours(mut self) -> BTreeMap<i64, [i128; 2]> {
        for ((since, until), amounts) in self.spans {
            for (hour, part) in spread(since, until, amounts) {
                let known = self.hours.entry(hour).or_default();
                *known = sum(*known, part);
            }
        }
        self.hours
    }
}

fn sum(one: [i128; 2], other: [i128; 2]) -> [i128; 2] {
    [one[0].saturating_add(other[0]), one[1].saturating_add(other[1])]
}

/// The curves of lines.
fn curves(lines: BTreeMap<UsageLine, Cells>, grid: HourGrid, notes: &mut Vec<Note>) -> Result<Outcome> {
    let shape = (grid.count, lines.len());
    let (mut quantity, mut covered) = (Array2::zeros(shape), Array2::zeros(shape));
    let (mut named, mut unpriced) = (Vec::with_capacity(shape.1), Vec::with_capacity(shape.1));
    for (column, (mut line, cells)) in lines.into_iter().enumerate() {
        let [low, high] = cells.rates;
        if low != high {
            notes.push(Note::PriceChanged { line: line.to_string() });
        }
        line.billed_price = high.map(|price| UnitPrice::new(exact(price)));
        unpriced.push(exact(cells.unpriced));
        for (hour, [all, reserved]) in cells.into_hours() {
            if all < 0 {
                return Ok(Outcome::Negative(line.to_string(), Hour::from_epoch(hour), exact(all)));
            }
            if let Some(hour) = grid.index(Hour::from_epoch(hour)) {
                quantity[(hour, column)] = float(all);
                covered[(hour, column)] = float(reserved);
            }
        }
        named.push(line);
    }
    // Lines come in the order that the curves keep, so that the columns of both matrices agree.
    let curves = UsageCurves::new(grid, named, quantity)?;
    Ok(Outcome::Curves(Box::new(BilledUsage { curves, covered, unpriced })))
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
    /// A line has less than nothing in an hour: its name, the hour, and how much.
    Negative(String, Hour, Decimal),
}

/// The usage of the months of a bill.
pub(crate) async fn read(session: &Session, mapping: &Mapping, united: &United, notes: &mut Vec<Note>) -> Result<Outcome> {
    let United { summary, billed, months } = united;
    let (Some(first), Some(last)) = (months.first(), months.last()) else { return Ok(Outcome::None) };
    if let Some(pair) = months.windows(2).find(|pair| pair[0].next() != pair[1]) {
        return Ok(Outcome::Gap(pair[0], pair[1]));
    }
    let grid = grid(*first, *last, mapping.format.zone(&session.options));
    let [long, across, backward] = summary.spans(billed);
    if backward > 0 {
        let example = example(session, mapping).await?;
        return Err(Error::Backward { paths: session.paths().to_vec(), rows: backward, example });
    }
    if long > 0 {
        if session.options.long_rows == LongRows::Refuse {
            return Ok(Outcome::TooLong(long, example(session, mapping).await?));
        }
        notes.push(Note::Spread { rows: long });
    }
    if across > 0 {
        notes.push(Note::AcrossHours { rows: across });
    }
    let mut lines: BTreeMap<UsageLine, Cells> = BTreeMap::new();
    let mut until = i64::MIN;
    for (line, is_reserved, pieces) in summary.usage(billed) {
        let is_spot = line.pricing == PricingCategory::Spot;
        let cells = lines.entry(line).or_default();
        for (_, rates) in pieces.rates.iter().filter(|(month, _)| !is_spot && !is_late(**month, billed)) {
            cells.rates = widest(cells.rates, *rates);
        }
        for piece in pieces.pieces.iter().filter(|piece| !summary.is_late(piece.time, billed)) {
            cells.add(piece, is_reserved);
            until = until.max(match piece.time {
                Time::Hour(second) => (second.div_euclid(HOUR) + 1) * HOUR,
                Time::Span(_, until) => until,
            });
        }
    }
    if lines.is_empty() {
        return Ok(Outcome::None);
    }
    note_early_end(until, grid, *last, notes);
    curves(lines, grid, notes)
}

/// What a row that is longer than an hour, or ends before it begins, is of.
async fn example(session: &Session, mapping: &Mapping) -> Result<String> {
    let sql = format!(
        "SELECT MIN(CONCAT(service, ' ', resource)) AS example FROM charges \
         WHERE {} AND (finish - start > {HOUR} OR finish < start)",
        mapping.is_usage()
    );
    Ok(session.query(&sql).await?.text_at("example", 0))
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
fn note_early_end(until: i64, grid: HourGrid, month: Month, notes: &mut Vec<Note>) {
    let last = Hour::from_epoch((until - 1).div_euclid(HOUR));
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
