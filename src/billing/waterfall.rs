//! The replay of the hours, for any provider: a waterfall is a list of draws, carried out in order in every hour.
//!
//! While the set of active commitments does not change, neither does the order in which they draw on the usage lines. Such a stretch
//! of hours, cut at month boundaries too, is an [`Epoch`]. In each hour a commitment starts with its capacity (units or money) and a
//! line with its quantity; a [`Draw`] takes as much of the line as capacity and quantity allow, at its weight (normalised units
//! or money that one unit of the line needs). What no draw takes stays on demand. Formula: `docs/formulation.md`, "Waterfall".

use super::{Held, Judge};
use crate::time::{HourGrid, Month};
use crate::units::{to_decimal, to_f64};
use rayon::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::ops::{Add, AddAssign, Div, Mul, Range, Sub, SubAssign};

/// One commitment draws on one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Draw {
    /// The commitment, an index into [`Judge`]'s.
    pub(crate) commitment: usize,
    /// The line, an index into [`Judge`]'s priced lines.
    pub(crate) line: usize,
    /// What one unit of the line needs of the commitment's capacity.
    pub(crate) weight: Decimal,
}

/// Hours of one month with the same active commitments.
#[derive(Clone, Debug)]
pub(crate) struct Epoch {
    /// Their indices in the grid.
    pub(crate) hours: Range<usize>,
    /// The waterfall, in order.
    pub(crate) draws: Vec<Draw>,
}

/// The sums over an epoch's hours, each hour times its weight.
pub(crate) struct Sums<N> {
    /// For each draw: quantity taken, in the line's unit.
    pub(crate) taken: Vec<N>,
    /// For each line: quantity used.
    pub(crate) used: Vec<N>,
    /// The hours.
    pub(crate) hours: N,
}

/// A number to replay in: exact or fast.
pub(crate) trait Number:
    Copy
    + Send
    + Sync
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + SubAssign
{
    const ZERO: Self;
    fn from_f64(value: f64) -> Self;
    fn from_decimal(value: Decimal) -> Self;
}

impl Number for f64 {
    const ZERO: Self = 0.0;
    fn from_f64(value: f64) -> Self {
        value
    }
    fn from_decimal(value: Decimal) -> Self {
        to_f64(value)
    }
}

impl Number for Decimal {
    const ZERO: Self = Self::ZERO;
    /// Quantities are finite and checked; one beyond 7.9e28 units an hour would saturate.
    fn from_f64(value: f64) -> Self {
        to_decimal(value).unwrap_or(Self::MAX)
    }
    fn from_decimal(value: Decimal) -> Self {
        value
    }
}

/// Cuts the grid where a commitment starts or ends and where a month ends; gives each stretch with its active commitments.
pub(crate) fn epochs(grid: HourGrid, held: &[Held<'_>]) -> Vec<(Range<usize>, Vec<usize>)> {
    let mut cuts = BTreeSet::from([0, grid.count]);
    for held in held {
        cuts.extend([held.hours.start, held.hours.end]);
    }
    let mut month = grid.first.month();
    loop {
        month = month.next();
        match grid.index(crate::time::Hour::containing(Month::start(month))) {
            Some(index) => cuts.insert(index),
            None => break,
        };
    }
    let cuts: Vec<usize> = cuts.into_iter().collect();
    let stretch = |pair: &[usize]| {
        let hours = pair[0]..pair[1];
        let active = (0..held.len()).filter(|index| held[*index].hours.contains(&hours.start)).collect();
        (hours, active)
    };
    cuts.windows(2).map(stretch).collect()
}

/// Replays every epoch. Results do not depend on the number of threads.
pub(crate) fn replay<N: Number>(judge: &Judge<'_>) -> Vec<Sums<N>> {
    judge.epochs.par_iter().map(|epoch| replay_epoch(judge, epoch)).collect()
}

fn replay_epoch<N: Number>(judge: &Judge<'_>, epoch: &Epoch) -> Sums<N> {
    let capacity: Vec<N> = judge.held.iter().map(|held| N::from_decimal(held.capacity())).collect();
    let draws: Vec<(usize, usize, N)> =
        epoch.draws.iter().map(|draw| (draw.commitment, draw.line, N::from_decimal(draw.weight))).collect();
    let mut sums = Sums { taken: vec![N::ZERO; draws.len()], used: vec![N::ZERO; judge.lines.len()], hours: N::ZERO };
    let mut hour = HourState { left: capacity.clone(), open: vec![N::ZERO; judge.lines.len()] };
    for index in epoch.hours.clone() {
        hour.left.copy_from_slice(&capacity);
        let weight = N::from_f64(judge.usage.weights()[index]);
        let quantities = judge.usage.at(index);
        for ((line, open), used) in judge.lines.iter().zip(&mut hour.open).zip(&mut sums.used) {
            *open = N::from_f64(quantities[line.column]);
            *used += *open * weight;
        }
        for ((commitment, line, need), sum) in draws.iter().zip(&mut sums.taken) {
            let taken = hour.draw(*commitment, *line, *need);
            *sum += taken * weight;
        }
        sums.hours += weight;
    }
    sums
}

/// What is left of each commitment and each line while the waterfall runs through one hour.
struct HourState<N> {
    left: Vec<N>,
    open: Vec<N>,
}

impl<N: Number> HourState<N> {
    /// Carries out one draw; returns the quantity taken.
    fn draw(&mut self, commitment: usize, line: usize, weight: N) -> N {
        let (left, open) = (&mut self.left[commitment], &mut self.open[line]);
        if *open <= N::ZERO || *left <= N::ZERO {
            return N::ZERO;
        }
        let need = *open * weight;
        if need <= *left {
            let taken = *open;
            *left -= need;
            *open = N::ZERO;
            return taken;
        }
        let taken = *left / weight;
        *left = N::ZERO;
        *open -= taken;
        taken
    }
}
