//! The replay of the hours, for any provider: a waterfall is a list of draws, carried out in rounds in every hour.
//!
//! While the set of active commitments does not change, neither does the order in which they draw on the usage lines. Such a stretch
//! of hours, cut at month boundaries too, is an [`Epoch`]. In each hour a commitment starts with its capacity (units or money) and a
//! line with its quantity; a [`Draw`] takes as much of the line as capacity and quantity allow, at its weight (normalised units
//! or money that one unit of the line needs). In a round in order each draw takes all it can before the next one; in a proportional
//! round a commitment that cannot cover all its lines is split over them by shares. What no draw takes stays on demand. Formulas:
//! `docs/formulation.md`, "Waterfall", and `docs/formulation-billing-azure-gcp.md`, "Rounds" and "Proportional rounds".

use super::record::Record;
use super::{Held, calendar};
use crate::time::HourGrid;
use crate::units::{to_decimal, to_f64};
use rayon::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::ops::{Add, AddAssign, Div, Mul, Range, Sub, SubAssign};

/// One commitment draws on one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Draw {
    /// The commitment, an index into [`Record`]'s.
    pub(crate) commitment: usize,
    /// The line, an index into [`Record`]'s.
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
    /// Adds draws to be carried out one after the other. A round ends early when all its commitments are used up, so draws of
    /// commitments that go together are best added together.
    pub(crate) fn in_order(&mut self, draws: impl IntoIterator<Item = Draw>) {
        let first = self.draws.len();
        self.draws.extend(draws);
        if first < self.draws.len() {
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
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Epoch {
    /// Their indices in the grid.
    pub(crate) hours: Range<usize>,
    /// The draws, in order.
    pub(crate) draws: Vec<Draw>,
    /// How the draws are carried out.
    pub(crate) rounds: Vec<Round>,
}

/// The sums over some hours of an epoch, each hour times its weight.
pub(crate) struct Sums<N> {
    /// For each draw: quantity taken, in the line's unit.
    pub(crate) taken: Vec<N>,
    /// For each line: quantity used.
    pub(crate) used: Vec<N>,
    /// For each commitment: what was used of it, in its unit.
    pub(crate) spent: Vec<N>,
    /// The hours.
    pub(crate) hours: N,
    /// For each group of lines with sustained use discounts, hour by hour.
    pub(crate) open: Vec<Vec<GroupHour<N>>>,
}

/// What a group of lines with sustained use discounts did in an hour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupHour<N> {
    /// All its usage.
    pub(crate) used: N,
    /// What no draw took.
    pub(crate) open: N,
    /// The same at on-demand prices.
    pub(crate) cost: N,
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
    const ONE: Self;
    fn from_f64(value: f64) -> Self;
    fn from_decimal(value: Decimal) -> Self;
    fn is_nothing(&self) -> bool;
    /// The part that one amount is of another. Exact numbers give it to 15 decimals, rounded down.
    fn ratio(self, whole: Self) -> Self;
    /// A part of a quantity. Exact numbers give it to 12 decimals, rounded down: a quantity that is split stays a short number.
    fn part(self, ratio: Self) -> Self;
}

impl Number for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    fn from_f64(value: f64) -> Self {
        value
    }
    fn from_decimal(value: Decimal) -> Self {
        to_f64(value)
    }
    #[allow(clippy::float_cmp)]
    fn is_nothing(&self) -> bool {
        *self == 0.0
    }
    fn ratio(self, whole: Self) -> Self {
        self / whole
    }
    fn part(self, ratio: Self) -> Self {
        self * ratio
    }
}

impl Number for Decimal {
    const ZERO: Self = Self::ZERO;
    const ONE: Self = Self::ONE;
    /// Quantities are finite and checked; one beyond 7.9e28 units an hour would saturate.
    fn from_f64(value: f64) -> Self {
        to_decimal(value).unwrap_or(Self::MAX)
    }
    fn from_decimal(value: Decimal) -> Self {
        value
    }
    fn is_nothing(&self) -> bool {
        self.is_zero()
    }
    fn ratio(self, whole: Self) -> Self {
        (self / whole).trunc_with_scale(15)
    }
    fn part(self, ratio: Self) -> Self {
        let product = self * ratio;
        let Some(surplus) = product.scale().checked_sub(12) else { return product };
        // Dividing the digits as one number is several times faster than `trunc_with_scale`.
        #[allow(clippy::integer_division)]
        Self::from_i128_with_scale(product.mantissa() / 10_i128.pow(surplus), 12)
    }
}

/// Cuts the grid where a commitment starts or ends and where a billing month ends; gives each stretch with its active commitments.
pub(crate) fn epochs(grid: HourGrid, held: &[Held<'_>], is_pacific: bool) -> Vec<(Range<usize>, Vec<usize>)> {
    let mut cuts = BTreeSet::from([0, grid.count]);
    for held in held {
        cuts.extend([held.hours.start, held.hours.end]);
    }
    cuts.extend(calendar::month_cuts(grid, is_pacific));
    let cuts: Vec<usize> = cuts.into_iter().collect();
    let stretch = |pair: &[usize]| {
        let hours = pair[0]..pair[1];
        let active = (0..held.len()).filter(|index| held[*index].hours.contains(&hours.start)).collect();
        (hours, active)
    };
    cuts.windows(2).map(stretch).collect()
}

/// Replays every epoch. Results do not depend on the number of threads.
pub(crate) fn replay<N: Number>(record: &Record) -> Vec<Sums<N>> {
    record.epochs.par_iter().map(|epoch| replay_hours(record, epoch, epoch.hours.clone())).collect()
}

/// Replays some hours of an epoch.
pub(crate) fn replay_hours<N: Number>(record: &Record, epoch: &Epoch, hours: Range<usize>) -> Sums<N> {
    let capacity: Vec<N> = record.held.iter().map(|held| N::from_decimal(held.capacity)).collect();
    let draws: Vec<NumberDraw<N>> = epoch.draws.iter().map(NumberDraw::new).collect();
    let rounds: Vec<NumberRound<N>> = epoch.rounds.iter().map(|round| NumberRound::new(round, &epoch.draws)).collect();
    let groups: Vec<Vec<(usize, N)>> = record.sustained.iter().map(super::gcp::sustained::Group::prices).collect();
    let mut sums = Sums {
        taken: vec![N::ZERO; draws.len()],
        used: vec![N::ZERO; record.lines.len()],
        spent: vec![N::ZERO; record.held.len()],
        hours: N::ZERO,
        open: groups.iter().map(|_| Vec::with_capacity(hours.len())).collect(),
    };
    let active: Vec<usize> = (0..record.held.len()).filter(|held| record.held[*held].hours.contains(&hours.start)).collect();
    let mut hour = HourState { left: capacity.clone(), open: vec![N::ZERO; record.lines.len()], weight: None };
    let mut before = hour.open.clone();
    for index in hours {
        hour.left.copy_from_slice(&capacity);
        let weight = N::from_f64(record.usage.weights()[index]);
        hour.weight = (weight != N::ONE).then_some(weight);
        let quantities = record.usage.at(index);
        for ((line, open), used) in record.lines.iter().zip(&mut hour.open).zip(&mut sums.used) {
            *open = N::from_f64(quantities[line.column]);
            *used += hour.weight.map_or(*open, |weight| *open * weight);
        }
        let total: Vec<N> =
            groups.iter().map(|group| group.iter().fold(N::ZERO, |sum, (line, _)| sum + hour.open[*line])).collect();
        for round in &rounds {
            match round {
                NumberRound::InOrder { draws: range, commitments } => {
                    hour.in_order(&draws[range.clone()], commitments, &mut sums.taken[range.clone()]);
                }
                NumberRound::Proportional(portions) => {
                    if portions.len() > 1 {
                        before.copy_from_slice(&hour.open);
                    }
                    for portion in portions {
                        let (draws, taken) = (&draws[portion.draws.clone()], &mut sums.taken[portion.draws.clone()]);
                        if portions.len() == 1 && portion.is_even {
                            hour.split_evenly(draws, taken);
                        } else {
                            let before = if portions.len() == 1 { None } else { Some(before.as_slice()) };
                            hour.split(portion, draws, before, taken);
                        }
                    }
                }
            }
        }
        for held in &active {
            sums.spent[*held] += hour.weighted(capacity[*held] - hour.left[*held]);
        }
        for ((group, open), used) in groups.iter().zip(&mut sums.open).zip(total) {
            let mut total = GroupHour { used, open: N::ZERO, cost: N::ZERO };
            for (line, price) in group {
                total.open += hour.open[*line];
                total.cost += hour.open[*line] * *price;
            }
            open.push(total);
        }
        sums.hours += weight;
    }
    sums
}

/// A [`Draw`] in the numbers of the replay.
struct NumberDraw<N> {
    commitment: usize,
    line: usize,
    weight: N,
}

impl<N: Number> NumberDraw<N> {
    fn new(draw: &Draw) -> Self {
        Self { commitment: draw.commitment, line: draw.line, weight: N::from_decimal(draw.weight) }
    }
}

/// A [`Round`] in the numbers of the replay.
enum NumberRound<N> {
    InOrder { draws: Range<usize>, commitments: Vec<usize> },
    Proportional(Vec<NumberPortion<N>>),
}

struct NumberPortion<N> {
    draws: Range<usize>,
    keys: Vec<N>,
    part: N,
    /// Whether every line asks for the same share of what it needs, so that all are covered to the same part.
    is_even: bool,
}

impl<N: Number> NumberRound<N> {
    fn new(round: &Round, draws: &[Draw]) -> Self {
        match round {
            Round::InOrder(range) => {
                let commitments: BTreeSet<usize> = draws[range.clone()].iter().map(|draw| draw.commitment).collect();
                Self::InOrder { draws: range.clone(), commitments: commitments.into_iter().collect() }
            }
            Round::Proportional(portions) => {
                let number = |portion: &Portion| {
                    let weights = || draws[portion.draws.clone()].iter().map(|draw| draw.weight);
                    let first = weights().next().zip(portion.keys.first().copied());
                    let is_even = first.is_some_and(|(weight, key)| {
                        weights().zip(&portion.keys).all(|(other, other_key)| other * key == weight * *other_key)
                    });
                    let keys = portion.keys.iter().map(|key| N::from_decimal(*key)).collect();
                    NumberPortion { draws: portion.draws.clone(), keys, part: N::from_decimal(portion.part), is_even }
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
    /// The hour's weight, unless it is 1.
    weight: Option<N>,
}

impl<N: Number> HourState<N> {
    fn weighted(&self, amount: N) -> N {
        self.weight.map_or(amount, |weight| amount * weight)
    }

    /// Carries out draws one after the other, until all their commitments are used up.
    fn in_order(&mut self, draws: &[NumberDraw<N>], commitments: &[usize], sums: &mut [N]) {
        let mut with_rest = commitments.iter().filter(|commitment| !self.left[**commitment].is_nothing()).count();
        for (draw, sum) in draws.iter().zip(sums) {
            if with_rest == 0 {
                return;
            }
            let (left, open) = (&mut self.left[draw.commitment], &mut self.open[draw.line]);
            if left.is_nothing() || open.is_nothing() {
                continue;
            }
            let need = *open * draw.weight;
            let taken = if need <= *left {
                let taken = *open;
                *left -= need;
                *open = N::ZERO;
                taken
            } else {
                let taken = *left / draw.weight;
                *left = N::ZERO;
                *open -= taken;
                taken
            };
            if left.is_nothing() {
                with_rest -= 1;
            }
            *sum += self.weight.map_or(taken, |weight| taken * weight);
        }
    }

    /// Splits one commitment over its lines so that the same part of each is covered.
    fn split_evenly(&mut self, draws: &[NumberDraw<N>], sums: &mut [N]) {
        let Some(commitment) = draws.first().map(|draw| draw.commitment) else { return };
        let left = self.left[commitment];
        if left.is_nothing() {
            return;
        }
        let need = draws.iter().fold(N::ZERO, |need, draw| {
            let open = self.open[draw.line];
            if open.is_nothing() { need } else { need + open * draw.weight }
        });
        let ratio = if need <= left { None } else { Some(left.ratio(need)) };
        self.left[commitment] = if need <= left { left - need } else { N::ZERO };
        for (draw, sum) in draws.iter().zip(sums) {
            let open = &mut self.open[draw.line];
            if open.is_nothing() {
                continue;
            }
            let taken = ratio.map_or(*open, |ratio| open.part(ratio));
            *open -= taken;
            *sum += self.weight.map_or(taken, |weight| taken * weight);
        }
    }

    /// Splits a commitment over its lines by their shares `key x quantity`; a line takes no more than it needs, and what it leaves of
    /// its share goes to the others. `before` holds the open quantities at the start of the round.
    fn split(&mut self, portion: &NumberPortion<N>, draws: &[NumberDraw<N>], before: Option<&[N]>, sums: &mut [N]) {
        let available = |state: &Self, line: usize| {
            let open = state.open[line];
            let Some(before) = before else { return open };
            let part = before[line] * portion.part;
            if part < open { part } else { open }
        };
        let Some(commitment) = draws.first().map(|draw| draw.commitment) else { return };
        let (mut need, mut shares) = (N::ZERO, N::ZERO);
        for (draw, key) in draws.iter().zip(&portion.keys) {
            let available = available(self, draw.line);
            need += available * draw.weight;
            shares += available * *key;
        }
        let is_enough = need <= self.left[commitment];
        let mut ratio = None;
        for ((draw, key), sum) in draws.iter().zip(&portion.keys).zip(sums) {
            let quantity = available(self, draw.line);
            let left = self.left[commitment];
            if quantity.is_nothing() || left.is_nothing() {
                continue;
            }
            let asked = quantity * *key;
            // The last line gets the rest as it is, not a rounded share of it. The ratio changes when a line needs less than its share.
            let share = if is_enough || shares <= asked { left } else { asked * *ratio.get_or_insert_with(|| left / shares) };
            let share = if share < left { share } else { left };
            shares -= asked;
            let need = quantity * draw.weight;
            let (taken, spent) = if need <= share {
                ratio = None;
                (quantity, need)
            } else {
                (share / draw.weight, share)
            };
            self.left[commitment] -= spent;
            self.open[draw.line] -= taken;
            *sum += self.weighted(taken);
        }
    }
}
