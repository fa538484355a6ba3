//! What a replay needs, without borrowing from the judge: so that a bill can be looked at by day and hour, and explained, long after.
//!
//! It holds no hour of results: hours are replayed when somebody asks. The usage curves are shared, not copied.

use super::gcp::sustained::Group;
use super::waterfall::{Epoch, Sums, replay_hours};
use super::{Held, PricedLine, calendar};
use crate::time::{Hour, Term};
use crate::units::UnitPrice;
use crate::usage::{Provider, UsageCurves};
use chrono::{DateTime, Utc};
use rayon::prelude::*;
use rust_decimal::Decimal;
use std::ops::Range;

/// Usage, waterfalls and prices.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) usage: UsageCurves,
    pub(crate) lines: Vec<RecordLine>,
    pub(crate) held: Vec<RecordHeld>,
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) sustained: Vec<Group>,
}

/// In short: bills and judges are printed while debugging, and the curves are long.
impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut record = f.debug_struct("Record");
        record.field("hours", &self.usage.grid().count).field("lines", &self.lines.len()).field("held", &self.held.len());
        record.finish_non_exhaustive()
    }
}

/// A usage line that takes part.
#[derive(Clone, Debug)]
pub(crate) struct RecordLine {
    pub(crate) column: usize,
    pub(crate) provider: Provider,
    pub(crate) price: UnitPrice,
    /// The public price.
    pub(crate) list: UnitPrice,
}

/// A commitment in figures.
#[derive(Clone, Debug)]
pub(crate) struct RecordHeld {
    pub(crate) id: String,
    pub(crate) provider: Provider,
    /// The hours of the grid it serves.
    pub(crate) hours: Range<usize>,
    /// What it provides in an hour.
    pub(crate) capacity: Decimal,
    /// Its upfront fee for an hour of the term.
    pub(crate) upfront_hour: Decimal,
    /// Its recurring fee for an hour of the term.
    pub(crate) recurring_hour: Decimal,
    /// The upfront fee.
    pub(crate) upfront: Decimal,
    /// The recurring fee in an hour of the price list.
    pub(crate) recurring_list_hour: Decimal,
    pub(crate) is_spend_plan: bool,
    pub(crate) term: Term,
    pub(crate) start: DateTime<Utc>,
    pub(crate) end: DateTime<Utc>,
}

impl RecordHeld {
    fn new(held: &Held<'_>) -> Self {
        let (commitment, offer) = (held.commitment, held.offer);
        let (quantity, factor) = (commitment.quantity, held.calendar_factor());
        Self {
            id: commitment.id.clone(),
            provider: offer.provider,
            hours: held.hours.clone(),
            capacity: held.capacity(),
            upfront_hour: offer.upfront.value() * quantity * factor / offer.term.list_hours(),
            recurring_hour: offer.recurring.value() * quantity * factor,
            upfront: offer.upfront.value() * quantity,
            recurring_list_hour: offer.recurring.value() * quantity,
            is_spend_plan: offer.is_spend_plan(),
            term: offer.term,
            start: commitment.start,
            end: commitment.end,
        }
    }

    /// Upfront and recurring fee for an hour of the term.
    pub(crate) fn cost_hour(&self) -> Decimal {
        self.upfront_hour + self.recurring_hour
    }
}

impl Record {
    pub(crate) fn new(
        usage: &UsageCurves,
        lines: &[PricedLine<'_>],
        held: &[Held<'_>],
        epochs: Vec<Epoch>,
        sustained: Vec<Group>,
    ) -> Self {
        let line = |line: &PricedLine<'_>| RecordLine {
            column: line.column,
            provider: line.line.sku.provider,
            price: line.on_demand(),
            list: if line.is_free() { UnitPrice::ZERO } else { line.list },
        };
        let (lines, held) = (lines.iter().map(line).collect(), held.iter().map(RecordHeld::new).collect());
        Self { usage: usage.clone(), lines, held, epochs, sustained }
    }

    /// Whether anything of it is billed in US Pacific days.
    pub(crate) fn is_pacific(&self) -> bool {
        let lines = self.lines.iter().map(|line| line.provider);
        lines.chain(self.held.iter().map(|held| held.provider)).any(|provider| provider == Provider::Gcp)
    }

    /// A line in words.
    pub(crate) fn name(&self, line: &RecordLine) -> String {
        self.usage.lines()[line.column].to_string()
    }

    /// The hour at an index of the grid.
    pub(crate) fn hour(&self, index: usize) -> Hour {
        self.usage.grid().hour(index)
    }

    /// The epoch of an hour.
    pub(crate) fn epoch(&self, index: usize) -> Option<&Epoch> {
        self.epochs.iter().find(|epoch| epoch.hours.contains(&index))
    }

    /// Replays hour by hour, or day by day: every stretch between cuts (sorted indices of the grid) apart, in order of time.
    pub(crate) fn stretches<T: Send>(
        &self,
        hours: Range<usize>,
        cuts: &[usize],
        read: impl Fn(&Epoch, Range<usize>, Sums<Decimal>) -> T + Sync,
    ) -> Vec<T> {
        let pieces: Vec<(&Epoch, Range<usize>)> = self
            .epochs
            .iter()
            .flat_map(|epoch| {
                let (start, end) = (epoch.hours.start.max(hours.start), epoch.hours.end.min(hours.end));
                let within = cuts.iter().copied().filter(move |cut| *cut > start && *cut < end);
                let mut edges: Vec<usize> = std::iter::once(start).chain(within).collect();
                edges.push(end);
                let pieces: Vec<_> =
                    edges.windows(2).filter(|pair| pair[0] < pair[1]).map(|pair| (epoch, pair[0]..pair[1])).collect();
                pieces
            })
            .collect();
        pieces.into_par_iter().map(|(epoch, hours)| read(epoch, hours.clone(), replay_hours(self, epoch, hours))).collect()
    }

    /// The same, cut at every billing day.
    pub(crate) fn by_day<T: Send>(&self, read: impl Fn(&Epoch, Range<usize>, Sums<Decimal>) -> T + Sync) -> Vec<T> {
        let grid = self.usage.grid();
        self.stretches(0..grid.count, &calendar::day_cuts(grid, self.is_pacific()), read)
    }
}
