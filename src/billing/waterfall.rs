//! The replay of the hours, for any provider: a waterfall is a list of draws, carried out in rounds in every hour.
//!
//! While the set of active commitments does not change, neither does the order in which they draw on the usage lines. Such a stretch
//! of hours, cut at month boundaries too, is an [`Epoch`]. In each hour a commitment starts with its capacity (units or money) and a
//! line with its quantity; a [`Draw`] takes as much of the line as capacity and quantity allow, at its weight (normalised units
//! or money that one unit of the line needs). In a round in order each draw takes all it can before the next one; in a proportional
//! round a commitment that cannot cover all its lines is split over them by shares. What no draw takes stays on demand. Formulas:
//! `docs/formulation.md`, "Waterfall", and `docs/formulation-billing-azure-gcp.md`, "Proportional rounds".

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

/// How some consecutive draws of a waterfall are carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Round {
    /// One after the other.
    InOrder(Range<usize>),
    /// Every portion on what is open when the round starts.
    Proportional(Vec<Portion>),
}

/// One commitment split over several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Portion {
    /// Its draws, by `weight / key` from the lowest.
    pub(crate) draws: Range<usize>,
    /// For each draw: the share of the commitment that one unit of the line asks for.
    pub(crate) keys: Vec<Decimal>,
    /// The part of each line's open quantity that the portion may take; 1 unless several commitments share a round.
    pub(crate) part: Decimal,
}

/// The draws of an epoch and their rounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waterfall {
    /// All draws; a round names its own by their indices.
    pub(crate) draws: Vec<Draw>,
    /// The rounds, in order.
    pub(crate) rounds: Vec<Round>,
}

impl Waterfall {
    /// Adds draws to be carried out one after the other.
    pub(crate) fn in_order(&mut self, draws: impl IntoIterator<Item = Draw>) {
        let first = self.draws.len();
        self.draws.extend(draws);
        if let Some(Round::InOrder(last)) = self.rounds.last_mut() {
            last.end = self.draws.len();
        } else if first < self.draws.len() {
            self.rounds.push(Round::InOrder(first..self.draws.len()));
        }
    }

    /// Adds commitments that share the lines in one round; for each its draws with their keys, and its part of the lines.
    pub(crate) fn proportional(&mut self, portions: impl IntoIterator<Item = (Vec<(Draw, Decimal)>, Decimal)>) {
        let mut round = Vec::new();
        for (mut draws, part) in portions {
            // Lines that reach their own need first come first: what they leave of their share then goes to the others in one pass.
            draws.sort_by(|(a, a_key), (b, b_key)| (a.weight * *b_key).cmp(&(b.weight * *a_key)).then(a.line.cmp(&b.line)));
            let first = self.draws.len();
            self.draws.extend(draws.iter().map(|(draw, _)| *draw));
            let keys = draws.iter().map(|(_, key)| *key).collect();
            round.push(Portion { draws: first..self.draws.len(), keys, part });
        }
        round.retain(|portion| !portion.draws.is_empty());
        // One line alone takes what it needs in either kind of round; in order is the faster one.
        if let [portion] = round.as_slice()
            && portion.draws.len() == 1
            && portion.part == Decimal::ONE
        {
            let draw = self.draws.split_off(portion.draws.start);
            self.in_order(draw);
            return;
        }
        if !round.is_empty() {
            self.rounds.push(Round::Proportional(round));
        }
    }
}

/// Hours of one month with the same active commitments.
#[derive(Clone, Debug)]
pub(crate) struct Epoch {
    /// Their indices in the grid.
    pub(crate) hours: Range<usize>,
    /// The draws, in order.
    pub(crate) draws: Vec<Draw>,
    /// How the draws are carried out.
    pub(crate) rounds: Vec<Round>,
}

/// The sums over an epoch's hours, each hour times its weight.
pub(crate) struct Sums<N> {
    /// For each draw: quantity taken, in the line's unit.
    pub(crate) taken: Vec<N>,
    /// For each line: quantity used.
    pub(crate) used: Vec<N>,
    /// The hours.
    pub(crate) hours: N,
    /// For each group of lines with sustained use discounts, hour by hour: what no draw took, as quantity and at on-demand prices.
    pub(crate) open: Vec<Vec<(N, N)>>,
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
    let rounds: Vec<NumberRound<N>> = epoch.rounds.iter().map(NumberRound::new).collect();
    let groups: Vec<Vec<(usize, N)>> = judge.sustained.iter().map(super::gcp::sustained::Group::prices).collect();
    let mut sums = Sums {
        taken: vec![N::ZERO; draws.len()],
        used: vec![N::ZERO; judge.lines.len()],
        hours: N::ZERO,
        open: groups.iter().map(|_| Vec::with_capacity(epoch.hours.len())).collect(),
    };
    let mut hour = HourState { left: capacity.clone(), open: vec![N::ZERO; judge.lines.len()] };
    let mut before = hour.open.clone();
    for index in epoch.hours.clone() {
        hour.left.copy_from_slice(&capacity);
        let weight = N::from_f64(judge.usage.weights()[index]);
        let quantities = judge.usage.at(index);
        for ((line, open), used) in judge.lines.iter().zip(&mut hour.open).zip(&mut sums.used) {
            *open = N::from_f64(quantities[line.column]);
            *used += *open * weight;
        }
        for round in &rounds {
            match round {
                NumberRound::InOrder(range) => {
                    let (draws, sums) = (&draws[range.clone()], &mut sums.taken[range.clone()]);
                    for ((commitment, line, need), sum) in draws.iter().zip(sums) {
                        let taken = hour.draw(*commitment, *line, *need);
                        *sum += taken * weight;
                    }
                }
                NumberRound::Proportional(portions) => {
                    if portions.len() > 1 {
                        before.copy_from_slice(&hour.open);
                    }
                    let is_alone = portions.len() == 1;
                    for portion in portions {
                        let (draws, sums) = (&draws[portion.draws.clone()], &mut sums.taken[portion.draws.clone()]);
                        let before = if is_alone { None } else { Some(before.as_slice()) };
                        hour.split(portion, draws, before, |draw, taken| sums[draw] += taken * weight);
                    }
                }
            }
        }
        for (group, open) in groups.iter().zip(&mut sums.open) {
            let mut total = (N::ZERO, N::ZERO);
            for (line, price) in group {
                total.0 += hour.open[*line];
                total.1 += hour.open[*line] * *price;
            }
            open.push(total);
        }
        sums.hours += weight;
    }
    sums
}

/// A [`Round`] in the numbers of the replay.
enum NumberRound<N> {
    InOrder(Range<usize>),
    Proportional(Vec<NumberPortion<N>>),
}

struct NumberPortion<N> {
    draws: Range<usize>,
    keys: Vec<N>,
    part: N,
}

impl<N: Number> NumberRound<N> {
    fn new(round: &Round) -> Self {
        match round {
            Round::InOrder(draws) => Self::InOrder(draws.clone()),
            Round::Proportional(portions) => {
                let number = |portion: &Portion| NumberPortion {
                    draws: portion.draws.clone(),
                    keys: portion.keys.iter().map(|key| N::from_decimal(*key)).collect(),
                    part: N::from_decimal(portion.part),
                };
                Self::Proportional(portions.iter().map(number).collect())
            }
        }
    }
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

    /// Splits a commitment over its lines by their shares `key x quantity`; a line takes no more than it needs, and what it leaves of
    /// its share goes to the others. `before` holds the open quantities at the start of the round.
    fn split(
        &mut self,
        portion: &NumberPortion<N>,
        draws: &[(usize, usize, N)],
        before: Option<&[N]>,
        mut take: impl FnMut(usize, N),
    ) {
        let available = |state: &Self, line: usize| {
            let open = state.open[line];
            let Some(before) = before else { return open };
            let part = before[line] * portion.part;
            if part < open { part } else { open }
        };
        let Some((commitment, ..)) = draws.first() else { return };
        let (mut need, mut shares) = (N::ZERO, N::ZERO);
        for ((_, line, weight), key) in draws.iter().zip(&portion.keys) {
            let available = available(self, *line);
            need += available * *weight;
            shares += available * *key;
        }
        let is_enough = need <= self.left[*commitment];
        for (index, ((commitment, line, weight), key)) in draws.iter().zip(&portion.keys).enumerate() {
            let quantity = available(self, *line);
            let left = self.left[*commitment];
            if quantity <= N::ZERO || left <= N::ZERO {
                continue;
            }
            let asked = quantity * *key;
            // The last line gets the rest as it is, not a rounded share of it.
            let share = if is_enough || shares <= asked { left } else { left * asked / shares };
            shares -= asked;
            let need = quantity * *weight;
            let (taken, spent) = if need <= share { (quantity, need) } else { (share / *weight, share) };
            self.left[*commitment] -= spent;
            self.open[*line] -= taken;
            take(index, taken);
        }
    }
}
