//! The recourse: given the capacity of every slot, the least on-demand cost of every hour of every scenario, with prices that prove it.
//!
//! In hour t, with demand D_i and on-demand price p_i of line i, weight w_is and capacity c_s of slot s, the value is
//!
//! ```text
//! Q_t(c) = max over λ ≥ 0 of  Σ_i D_i · min(p_i, min_s λ_s·w_is)  −  Σ_s λ_s·c_s
//! ```
//!
//! (`docs/formulation.md`, "Hourly recourse"). λ_s is the price of a unit of slot s in that hour. Any λ ≥ 0 gives a lower bound on Q_t at every
//! capacity, so its sums over blocks of hours are cuts for the master problem, and a lower bound whatever the precision of the search.
//!
//! How one hour is priced is in `planning/hour.rs`; this file runs over the hours.

use super::hour::{Scratch, Tree};
use super::problem::Slot;
use crate::units::to_f64;
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// Demand, prices and slots in the form the hour loop needs.
#[derive(Clone, Debug)]
pub(super) struct Recourse<'a> {
    demands: Vec<Demand<'a>>,
    groups: Vec<Group>,
    prices: Vec<f64>,
    /// Prices under an agreement, and the hours in which it holds.
    discounted: Option<(Range<usize>, Vec<f64>)>,
    hour_weights: Vec<f64>,
    epochs: Vec<Epoch>,
    /// Line and weight of each slot's lines.
    slots: Vec<Vec<(usize, f64)>>,
    tree: Tree,
}

/// A scenario's demand, hours x lines, row-major.
#[derive(Clone, Debug)]
pub(super) struct Demand<'a> {
    pub(super) curve: Cow<'a, [f64]>,
    pub(super) probability: f64,
}

/// Scenarios that cuts count together: all, or each for itself where the objective or a rule looks at each.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    pub(super) scenarios: Range<usize>,
    pub(super) probability: f64,
}

/// A stretch of hours in which the same commitments and candidates serve.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Epoch {
    pub(super) hours: Range<usize>,
    /// Capacity held in each slot.
    pub(super) held: Vec<f64>,
}

/// Hours of one epoch in one group of scenarios.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) group: usize,
    pub(super) epoch: usize,
    pub(super) hours: Range<usize>,
}

/// A lower bound on the on-demand cost of a block, linear in the slots' bought capacity: `constant - Σ slope_s · capacity_s`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cut {
    pub(super) constant: f64,
    pub(super) slope: Vec<f64>,
}

impl Cut {
    /// Its value at bought capacities.
    pub(super) fn at(&self, capacity: &[f64]) -> f64 {
        self.constant - self.slope.iter().zip(capacity).map(|(slope, capacity)| slope * capacity).sum::<f64>()
    }
}

/// The hourly prices of all slots over several lines: one number a scenario, hour and such slot.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Prices(pub(super) Vec<f64>);

impl<'a> Recourse<'a> {
    /// `windows`: the hours that candidates serve.
    pub(super) fn new(
        demands: Vec<Demand<'a>>,
        is_by_scenario: bool,
        prices: Vec<f64>,
        hour_weights: Vec<f64>,
        slots: &[Slot],
        windows: impl Iterator<Item = Range<usize>>,
    ) -> Self {
        let group = |scenarios: Range<usize>| Group {
            probability: demands[scenarios.clone()].iter().map(|demand| demand.probability).sum(),
            scenarios,
        };
        let groups = if is_by_scenario {
            (0..demands.len()).map(|scenario| group(scenario..scenario + 1)).collect()
        } else {
            vec![group(0..demands.len())]
        };
        let epochs = epochs(hour_weights.len(), slots, windows);
        let slots: Vec<Vec<(usize, f64)>> =
            slots.iter().map(|slot| slot.weights.iter().map(|(line, weight)| (*line, to_f64(*weight))).collect()).collect();
        let tree = Tree::new(&slots);
        Self { demands, groups, prices, discounted: None, hour_weights, epochs, slots, tree }
    }

    /// With other prices in some hours, at whose ends epochs are cut.
    pub(super) fn discounted(self, discounted: Option<(Range<usize>, Vec<f64>)>) -> Self {
        Self { discounted, ..self }
    }

    /// The on-demand prices of the lines in an epoch, as paid.
    pub(super) fn prices_in(&self, epoch: usize) -> &[f64] {
        match &self.discounted {
            Some((hours, prices)) if hours.contains(&self.epochs[epoch].hours.start) => prices,
            _ => &self.prices,
        }
    }

    /// How many hours.
    pub(super) fn hours(&self) -> usize {
        self.hour_weights.len()
    }

    /// How many slots.
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// The groups of scenarios.
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The stretches of hours.
    pub(super) fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// Scenarios, hours and lines.
    pub(super) fn size(&self) -> [usize; 3] {
        [self.demands.len(), self.hours(), self.prices.len()]
    }

    /// Demand of an hour of a scenario, one number a line.
    pub(super) fn demand(&self, scenario: usize, hour: usize) -> &[f64] {
        let width = self.prices.len();
        &self.demands[scenario].curve[hour * width..(hour + 1) * width]
    }

    /// The weight of an hour, discounted.
    pub(super) fn hour_weight(&self, hour: usize) -> f64 {
        self.hour_weights[hour]
    }

    /// The weight of a scenario's hour in the cost of its group.
    pub(super) fn weight(&self, group: &Group, scenario: usize, hour: usize) -> f64 {
        let share = if group.probability > 0.0 { self.demands[scenario].probability / group.probability } else { 0.0 };
        let share = if group.scenarios.len() == 1 { 1.0 } else { share };
        share * self.hour_weights[hour]
    }

    /// The epoch that an hour lies in.
    pub(super) fn epoch_at(&self, hour: usize) -> usize {
        self.epochs.partition_point(|epoch| epoch.hours.end <= hour)
    }

    /// The lines of each slot, with weights.
    pub(super) fn slot_lines(&self) -> &[Vec<(usize, f64)>] {
        &self.slots
    }

    /// The slots over several lines, whose hourly prices [`Prices`] holds; the others cover one line each.
    pub(super) fn wide(&self) -> &[usize] {
        self.tree.wide()
    }

    /// Groups of slots that cover the same lines, if there is more than one.
    pub(super) fn rivals(&self) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
        for slot in self.wide() {
            groups.entry(self.slots[*slot].iter().map(|(line, _)| *line).collect()).or_default().push(*slot);
        }
        groups.into_values().filter(|slots| slots.len() > 1).collect()
    }

    /// What one unit of a slot's capacity covers at on-demand prices, on the average of its lines.
    pub(super) fn worth(&self, slot: usize) -> f64 {
        let lines = &self.slots[slot];
        lines.iter().map(|(line, weight)| self.prices[*line] / weight).sum::<f64>() / lines.len().max(1) as f64
    }

    /// What one unit more of a slot alone, at a capacity bought beside what is held of all, saves over hours of the first scenario.
    pub(super) fn worth_of_more(&self, slot: usize, bought: f64, hours: Range<usize>) -> f64 {
        let mut worth = 0.0;
        let within = |(_, epoch): &(usize, &Epoch)| epoch.hours.start < hours.end && hours.start < epoch.hours.end;
        for (index, epoch) in self.epochs.iter().enumerate().filter(within) {
            let mut capacity = epoch.held.clone();
            capacity[slot] += bought;
            let mut scratch = Scratch::new(&self.tree, &capacity, self.prices.len());
            for hour in epoch.hours.start.max(hours.start)..epoch.hours.end.min(hours.end) {
                self.tree.price(self.demand(0, hour), self.prices_in(index), &capacity, &mut scratch);
                worth += self.hour_weights[hour] * scratch.lambda[slot];
            }
        }
        worth
    }

    /// What no slot covers of each line in a scenario at bought capacities (by epoch), where usage is covered in the cheapest order: hours x
    /// lines, row-major.
    pub(super) fn open(&self, scenario: usize, bought: &[Vec<f64>]) -> Vec<f64> {
        let mut open = Vec::with_capacity(self.hours() * self.prices.len());
        for (epoch, bought) in self.epochs.iter().zip(bought) {
            let capacity: Vec<f64> = bought.iter().zip(&epoch.held).map(|(bought, held)| bought + held).collect();
            let mut scratch = Scratch::new(&self.tree, &capacity, self.prices.len());
            for hour in epoch.hours.clone() {
                self.tree.price(self.demand(scenario, hour), &self.prices, &capacity, &mut scratch);
                open.extend_from_slice(&scratch.open);
            }
        }
        open
    }

    /// The hours of every group cut into about this many blocks, at least one an epoch.
    pub(super) fn blocks(&self, count: usize) -> Vec<Block> {
        let mut blocks = Vec::new();
        for group in 0..self.groups.len() {
            for (epoch, of) in self.epochs.iter().enumerate() {
                let length = of.hours.len();
                let parts = (count * length).div_ceil(self.hours().max(1)).clamp(1, length.max(1));
                for part in 0..parts {
                    let cut = |part: usize| of.hours.start + (part * length).div_euclid(parts);
                    blocks.push(Block { group, epoch, hours: cut(part)..cut(part + 1) });
                }
            }
        }
        blocks
    }

    /// One sweep over all hours of all scenarios at bought capacities (by epoch): a cut for each block, tight there, and the prices. Hours are
    /// priced in parallel; the result does not depend on the number of threads.
    pub(super) fn sweep(&self, bought: &[Vec<f64>], blocks: &[Block]) -> (Vec<Cut>, Prices) {
        let wide = self.wide().len();
        let mut prices = vec![0.0; self.demands.len() * self.hours() * wide];
        // The pieces of the prices that the blocks' scenarios write to, in the order of scenario and hour.
        let mut pieces: Vec<(usize, usize, Range<usize>)> = Vec::new();
        for (block, of) in blocks.iter().enumerate() {
            pieces.extend(self.groups[of.group].scenarios.clone().map(|scenario| (scenario, block, of.hours.clone())));
        }
        pieces.sort_by_key(|(scenario, _, hours)| (*scenario, hours.start));
        let mut rest = prices.as_mut_slice();
        let mut work = Vec::with_capacity(pieces.len());
        for (scenario, block, hours) in pieces {
            let (piece, others) = rest.split_at_mut(hours.len() * wide);
            rest = others;
            work.push((scenario, block, piece));
        }
        let parts: Vec<(usize, Cut)> = work
            .into_par_iter()
            .map(|(scenario, block, piece)| (block, self.sweep_block(bought, scenario, &blocks[block], piece)))
            .collect();
        let mut cuts = vec![Cut { constant: 0.0, slope: vec![0.0; self.slots()] }; blocks.len()];
        for (block, part) in parts {
            cuts[block].constant += part.constant;
            for (sum, slope) in cuts[block].slope.iter_mut().zip(&part.slope) {
                *sum += slope;
            }
        }
        (cuts, Prices(prices))
    }

    fn sweep_block(&self, bought: &[Vec<f64>], scenario: usize, block: &Block, prices: &mut [f64]) -> Cut {
        let held = &self.epochs[block.epoch].held;
        // What is given up leaves nothing below 0 but by rounding.
        let capacity: Vec<f64> = bought[block.epoch].iter().zip(held).map(|(bought, held)| (bought + held).max(0.0)).collect();
        let mut cut = Cut { constant: 0.0, slope: vec![0.0; self.slots()] };
        let mut scratch = Scratch::new(&self.tree, &capacity, self.prices.len());
        let (group, wide) = (&self.groups[block.group], self.wide());
        let of_held: Vec<(usize, f64)> = held.iter().copied().enumerate().filter(|(_, held)| *held > 0.0).collect();
        let prices_of_lines = self.prices_in(block.epoch);
        for (position, hour) in block.hours.clone().enumerate() {
            let demand = self.demand(scenario, hour);
            self.tree.price(demand, prices_of_lines, &capacity, &mut scratch);
            let weight = self.weight(group, scenario, hour);
            let mut constant: f64 = demand.iter().zip(&scratch.cap).map(|(demand, marginal)| demand * marginal).sum();
            for (slot, held) in &of_held {
                constant -= scratch.lambda[*slot] * held;
            }
            cut.constant += weight * constant;
            for (sum, lambda) in cut.slope.iter_mut().zip(&scratch.lambda) {
                *sum += weight * lambda;
            }
            for (price, slot) in prices[position * wide.len()..].iter_mut().zip(wide) {
                *price = scratch.lambda[*slot];
            }
        }
        cut
    }
}

/// Cuts the hours where held capacity changes or candidates start and end.
fn epochs(hours: usize, slots: &[Slot], windows: impl Iterator<Item = Range<usize>>) -> Vec<Epoch> {
    let held =
        || slots.iter().enumerate().flat_map(|(slot, of)| of.held.iter().map(move |(hours, capacity)| (slot, hours, *capacity)));
    let mut cuts: Vec<usize> = held().flat_map(|(_, hours, _)| [hours.start, hours.end]).chain([0, hours]).collect();
    cuts.extend(windows.flat_map(|hours| [hours.start, hours.end]));
    cuts.sort_unstable();
    cuts.dedup();
    let epoch = |pair: &[usize]| {
        let mut sums = vec![0.0; slots.len()];
        for (slot, hours, capacity) in held() {
            if hours.contains(&pair[0]) {
                sums[slot] += capacity;
            }
        }
        Epoch { hours: pair[0]..pair[1], held: sums }
    };
    cuts.windows(2).map(epoch).collect()
}
