//! The hourly recourse: given the capacity of every slot, the least on-demand cost of each hour, with prices that prove it.
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
//! The slots form trees: the slot with the most lines is the root of its component, and without it the rest falls apart. For a fixed price of
//! the root the children are independent; a slot without active slots beneath it is a fractional knapsack, solved in one pass over its sorted
//! lines; any other price is found on its concave piecewise linear value by intersecting tangents.

use super::problem::Slot;
use crate::units::to_f64;
use crate::usage::UsageCurves;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

/// Demand, prices and slots in the form the hour loop needs.
#[derive(Clone, Debug)]
pub(super) struct Recourse {
    prices: Vec<f64>,
    /// Hours x lines, row-major.
    demand: Vec<f64>,
    hour_weights: Vec<f64>,
    nodes: Vec<Node>,
    roots: Vec<usize>,
    slots: usize,
    /// Stretches of hours with the capacity held in each slot.
    held: Vec<(Range<usize>, Vec<f64>)>,
}

/// A slot in the tree.
#[derive(Clone, Debug)]
struct Node {
    slot: usize,
    /// The slot's lines with their weights.
    lines: Vec<(usize, f64)>,
    /// All lines of the subtree.
    all: Vec<usize>,
    /// The lines of the subtree that are in no child.
    own: Vec<usize>,
    children: Vec<usize>,
    /// All slots of the subtree.
    slots: Vec<usize>,
}

/// A lower bound on the cost of a block of hours, linear in the slots' bought capacity: `constant - Σ slope_s · capacity_s`.
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

impl Recourse {
    pub(super) fn new(usage: &UsageCurves, columns: &[usize], prices: Vec<f64>, slots: &[Slot]) -> Self {
        let mut demand = Vec::with_capacity(usage.grid().count * columns.len());
        for hour in 0..usage.grid().count {
            let quantities = usage.at(hour);
            demand.extend(columns.iter().map(|column| quantities[*column]));
        }
        let weights: Vec<Vec<(usize, f64)>> =
            slots.iter().map(|slot| slot.weights.iter().map(|(line, weight)| (*line, to_f64(*weight))).collect()).collect();
        let mut nodes = Vec::new();
        let roots = grow((0..slots.len()).collect(), &weights, &mut nodes);
        Self {
            prices,
            demand,
            hour_weights: usage.weights().to_vec(),
            nodes,
            roots,
            slots: slots.len(),
            held: stretches(usage.grid().count, slots),
        }
    }

    /// How many hours.
    pub(super) fn hours(&self) -> usize {
        self.hour_weights.len()
    }

    /// How many slots.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// The on-demand prices of the lines.
    pub(super) fn prices(&self) -> &[f64] {
        &self.prices
    }

    /// Demand of an hour, one number a line.
    pub(super) fn demand(&self, hour: usize) -> &[f64] {
        let width = self.prices.len();
        &self.demand[hour * width..(hour + 1) * width]
    }

    /// The weight of an hour.
    pub(super) fn hour_weight(&self, hour: usize) -> f64 {
        self.hour_weights[hour]
    }

    /// Capacity held in each slot in an hour.
    pub(super) fn held_at(&self, hour: usize) -> &[f64] {
        let stretch = self.held.partition_point(|(hours, _)| hours.end <= hour);
        self.held.get(stretch).map_or(&[], |(_, held)| held)
    }

    /// Groups of slots that cover the same lines, if there is more than one.
    pub(super) fn rivals(&self) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
        for node in &self.nodes {
            groups.entry(node.lines.iter().map(|(line, _)| *line).collect()).or_default().push(node.slot);
        }
        groups.into_values().filter(|slots| slots.len() > 1).collect()
    }

    /// How many lines a slot covers.
    pub(super) fn width(&self, slot: usize) -> usize {
        self.nodes.iter().find(|node| node.slot == slot).map_or(0, |node| node.lines.len())
    }

    /// What one unit of a slot's capacity covers at on-demand prices, on the average of its lines.
    pub(super) fn worth(&self, slot: usize) -> f64 {
        let Some(node) = self.nodes.iter().find(|node| node.slot == slot) else { return 0.0 };
        let sum: f64 = node.lines.iter().map(|(line, weight)| self.prices[*line] / weight).sum();
        sum / node.lines.len().max(1) as f64
    }

    /// The lines of each slot, with weights.
    pub(super) fn slot_lines(&self) -> Vec<(usize, &[(usize, f64)])> {
        self.nodes.iter().map(|node| (node.slot, node.lines.as_slice())).collect()
    }

    /// The hours cut into this many blocks of about equal length.
    pub(super) fn blocks(&self, count: usize) -> Vec<Range<usize>> {
        let count = count.clamp(1, self.hours());
        (0..count).map(|block| (block * self.hours()).div_euclid(count)..((block + 1) * self.hours()).div_euclid(count)).collect()
    }

    /// One sweep over all hours at bought capacities: a cut for each block, tight there. Blocks are computed in parallel; the result does not
    /// depend on the number of threads.
    pub(super) fn sweep(&self, bought: &[f64], blocks: &[Range<usize>]) -> Vec<Cut> {
        blocks.par_iter().map(|block| self.sweep_block(bought, block.clone())).collect()
    }

    fn sweep_block(&self, bought: &[f64], block: Range<usize>) -> Cut {
        let mut cut = Cut { constant: 0.0, slope: vec![0.0; self.slots] };
        let mut scratch = Scratch::new(self);
        let mut capacity = vec![0.0; self.slots];
        for hour in block {
            let held = self.held_at(hour);
            for (slot, capacity) in capacity.iter_mut().enumerate() {
                *capacity = bought[slot] + held[slot];
            }
            self.price_hour(hour, &capacity, &mut scratch);
            let weight = self.hour_weights[hour];
            let mut constant = 0.0;
            for (demand, marginal) in self.demand(hour).iter().zip(&scratch.cap) {
                constant += demand * marginal;
            }
            for (slot, lambda) in scratch.lambda.iter().enumerate() {
                constant -= lambda * held[slot];
                cut.slope[slot] += weight * lambda;
            }
            cut.constant += weight * constant;
        }
        cut
    }

    /// The prices of an hour: `scratch.lambda` for each slot and, in `scratch.cap`, the marginal cost of each line.
    fn price_hour(&self, hour: usize, capacity: &[f64], scratch: &mut Scratch) {
        let demand = self.demand(hour);
        scratch.cap.copy_from_slice(&self.prices);
        for node in &self.nodes {
            scratch.is_active[node.slot] = capacity[node.slot] > 0.0;
        }
        // Children stand before their parents in `nodes`.
        for (index, node) in self.nodes.iter().enumerate() {
            let below = node.children.iter().any(|child| scratch.has_active[*child]);
            scratch.has_active_below[index] = below;
            scratch.has_active[index] = below || scratch.is_active[node.slot];
        }
        for root in &self.roots {
            self.solve(*root, demand, capacity, scratch);
        }
        for node in &self.nodes {
            if !scratch.is_active[node.slot] {
                continue;
            }
            let lambda = scratch.lambda[node.slot];
            for (line, weight) in &node.lines {
                scratch.cap[*line] = scratch.cap[*line].min(lambda * weight);
            }
        }
        // A slot without capacity costs nothing at any price: the lowest that changes no line's marginal cost gives the strongest cut.
        for node in &self.nodes {
            if !scratch.is_active[node.slot] {
                let of_line = |(line, weight): &(usize, f64)| if demand[*line] > 0.0 { scratch.cap[*line] / weight } else { 0.0 };
                scratch.lambda[node.slot] = node.lines.iter().map(of_line).fold(0.0, f64::max);
            }
        }
    }

    /// The value of a subtree at the marginal costs in `scratch.cap`. Leaves the prices in `scratch.lambda` and what no slot of the subtree covers
    /// in `scratch.open`.
    fn solve(&self, index: usize, demand: &[f64], capacity: &[f64], scratch: &mut Scratch) -> f64 {
        let node = &self.nodes[index];
        if !scratch.has_active[index] {
            let mut value = 0.0;
            for line in &node.all {
                scratch.open[*line] = demand[*line];
                value += demand[*line] * scratch.cap[*line];
            }
            return value;
        }
        if !scratch.is_active[node.slot] {
            return self.solve_children(node, demand, capacity, scratch);
        }
        if scratch.has_active_below[index] {
            self.search(index, demand, capacity, scratch)
        } else {
            knapsack(node, demand, capacity[node.slot], scratch)
        }
    }

    fn solve_children(&self, node: &Node, demand: &[f64], capacity: &[f64], scratch: &mut Scratch) -> f64 {
        let mut value = 0.0;
        for line in &node.own {
            scratch.open[*line] = demand[*line];
            value += demand[*line] * scratch.cap[*line];
        }
        for child in &node.children {
            value += self.solve(*child, demand, capacity, scratch);
        }
        value
    }

    /// Finds the price of a slot with active slots beneath it.
    fn search(&self, index: usize, demand: &[f64], capacity: &[f64], scratch: &mut Scratch) -> f64 {
        let node = &self.nodes[index];
        let mut work = std::mem::take(&mut scratch.work[index]);
        for (position, (line, _)) in node.lines.iter().enumerate() {
            work.cap[position] = scratch.cap[*line];
        }
        let of_line = |(position, (line, weight)): (usize, &(usize, f64))| {
            if demand[*line] > 0.0 { work.cap[position] / weight } else { 0.0 }
        };
        let highest = node.lines.iter().enumerate().map(of_line).fold(0.0, f64::max);
        let mut left: Option<Tangent> = None;
        let mut right: Option<Tangent> = None;
        let mut price = if work.last > 0.0 && work.last < highest { work.last } else { 0.5 * highest };
        let mut stride = 0.01;
        for _ in 0..100 {
            let tangent = self.tangent(node, price, demand, capacity, scratch, &work);
            let side = usize::from(tangent.slope <= 0.0);
            work.keep(side, node, scratch);
            let tiny = 1e-12 * capacity[node.slot];
            if side == 0 {
                left = Some(tangent);
            } else {
                right = Some(tangent);
                if price <= 0.0 || tangent.slope.abs() <= tiny {
                    left = None;
                    break;
                }
            }
            stride *= 4.0;
            price = match (&left, &right) {
                (Some(left), Some(right)) => {
                    let meet = (right.value - left.value + left.slope * left.price - right.slope * right.price)
                        / (left.slope - right.slope);
                    let bound = left.value + left.slope * (meet - left.price);
                    let best = left.value.max(right.value);
                    if bound - best <= 1e-10 * best.abs().max(1e-9) {
                        break;
                    }
                    meet
                }
                // Step outwards from the price of the hour before, which is near, before going to the ends.
                (Some(_), None) => {
                    if stride < 1.0 {
                        (price * (1.0 + stride)).min(highest)
                    } else {
                        highest
                    }
                }
                (None, _) => {
                    if stride < 1.0 {
                        price * (1.0 - stride)
                    } else {
                        0.0
                    }
                }
            };
        }
        let value = self.settle(node, left, right, &mut work, scratch);
        scratch.work[index] = work;
        value
    }

    /// Value and slope of a slot at a price; leaves what remains open in `scratch.open`.
    fn tangent(&self, node: &Node, price: f64, demand: &[f64], capacity: &[f64], scratch: &mut Scratch, work: &Work) -> Tangent {
        for (position, (line, weight)) in node.lines.iter().enumerate() {
            scratch.cap[*line] = work.cap[position].min(price * weight);
        }
        let value = self.solve_children(node, demand, capacity, scratch) - price * capacity[node.slot];
        let mut slope = -capacity[node.slot];
        for (position, (line, weight)) in node.lines.iter().enumerate() {
            // Not at the line's own worth, which `price` reaches only up to rounding.
            let is_covered = price * weight < work.cap[position] * (1.0 - 1e-12);
            if is_covered {
                slope += weight * scratch.open[*line];
                scratch.open[*line] = 0.0;
            }
        }
        Tangent { price, value, slope }
    }

    /// Ends a search: takes the prices of the better side and mixes what both leave open so that the slot is just used up.
    fn settle(&self, node: &Node, left: Option<Tangent>, right: Option<Tangent>, work: &mut Work, scratch: &mut Scratch) -> f64 {
        for (position, (line, _)) in node.lines.iter().enumerate() {
            scratch.cap[*line] = work.cap[position];
        }
        let (best, side, share) = match (left, right) {
            (Some(left), Some(right)) => {
                let side = usize::from(right.value > left.value);
                (if side == 0 { left } else { right }, side, -right.slope / (left.slope - right.slope))
            }
            (Some(only), None) => (only, 0, 1.0),
            (None, Some(only)) => (only, 1, 0.0),
            (None, None) => return 0.0, // the loop above always keeps a side
        };
        for (position, line) in node.all.iter().enumerate() {
            scratch.open[*line] = share * work.open[0][position] + (1.0 - share) * work.open[1][position];
        }
        for (position, slot) in node.slots.iter().enumerate() {
            scratch.lambda[*slot] = work.lambda[side][position];
        }
        scratch.lambda[node.slot] = best.price;
        work.last = best.price;
        best.value
    }
}

/// A point of a slot's value as a function of its price.
#[derive(Clone, Copy, Debug)]
struct Tangent {
    price: f64,
    value: f64,
    slope: f64,
}

/// A slot with no active slot beneath it: its capacity goes to the lines worth most per unit.
fn knapsack(node: &Node, demand: &[f64], capacity: f64, scratch: &mut Scratch) -> f64 {
    for line in &node.all {
        scratch.open[*line] = demand[*line];
    }
    let order = &mut scratch.order;
    order.clear();
    let mut need = 0.0;
    for (line, weight) in &node.lines {
        if demand[*line] > 0.0 {
            need += demand[*line] * weight;
            order.push((scratch.cap[*line] / weight, *line, *weight));
        }
    }
    let mut price = 0.0;
    if need <= capacity {
        for (_, line, _) in order.iter() {
            scratch.open[*line] = 0.0;
        }
    } else {
        order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut left = capacity;
        for (worth, line, weight) in order.iter() {
            let need = demand[*line] * weight;
            if need > left {
                scratch.open[*line] -= left / weight;
                price = *worth;
                break;
            }
            left -= need;
            scratch.open[*line] = 0.0;
        }
    }
    scratch.lambda[node.slot] = price;
    node.all.iter().map(|line| scratch.open[*line] * scratch.cap[*line]).sum()
}

/// Memory of the hour loop, so that it allocates nothing.
struct Scratch {
    /// The marginal cost of each line so far.
    cap: Vec<f64>,
    /// What is not covered of each line.
    open: Vec<f64>,
    lambda: Vec<f64>,
    is_active: Vec<bool>,
    has_active: Vec<bool>,
    has_active_below: Vec<bool>,
    order: Vec<(f64, usize, f64)>,
    work: Vec<Work>,
}

/// Memory of one node's search: marginal costs from above; what is open and the prices at the best point of either side.
#[derive(Default)]
struct Work {
    cap: Vec<f64>,
    open: [Vec<f64>; 2],
    lambda: [Vec<f64>; 2],
    /// The price found in the hour before: the next search starts there.
    last: f64,
}

impl Work {
    fn keep(&mut self, side: usize, node: &Node, scratch: &Scratch) {
        for (kept, line) in self.open[side].iter_mut().zip(&node.all) {
            *kept = scratch.open[*line];
        }
        for (kept, slot) in self.lambda[side].iter_mut().zip(&node.slots) {
            *kept = scratch.lambda[*slot];
        }
    }
}

impl Scratch {
    fn new(recourse: &Recourse) -> Self {
        let work = |node: &Node| Work {
            cap: vec![0.0; node.lines.len()],
            open: [vec![0.0; node.all.len()], vec![0.0; node.all.len()]],
            lambda: [vec![0.0; node.slots.len()], vec![0.0; node.slots.len()]],
            last: 0.0,
        };
        Self {
            cap: vec![0.0; recourse.prices.len()],
            open: vec![0.0; recourse.prices.len()],
            lambda: vec![0.0; recourse.slots],
            is_active: vec![false; recourse.slots],
            has_active: vec![false; recourse.nodes.len()],
            has_active_below: vec![false; recourse.nodes.len()],
            order: Vec::with_capacity(recourse.prices.len()),
            work: recourse.nodes.iter().map(work).collect(),
        }
    }
}

/// Grows the trees of these slots; children are pushed before their parents. Returns the roots.
fn grow(slots: Vec<usize>, weights: &[Vec<(usize, f64)>], nodes: &mut Vec<Node>) -> Vec<usize> {
    let mut roots = Vec::new();
    for component in components(slots, weights) {
        let mut lines: Vec<usize> = component.iter().flat_map(|slot| weights[*slot].iter().map(|(line, _)| *line)).collect();
        lines.sort_unstable();
        lines.dedup();
        // The widest slot is the root; among equals the first, so that the tree does not depend on the order of the components.
        let Some(root) = component.iter().copied().max_by_key(|slot| (weights[*slot].len(), usize::MAX - slot)) else { continue };
        let children = grow(component.iter().copied().filter(|slot| *slot != root).collect(), weights, nodes);
        let below = |line: &usize| children.iter().any(|child| nodes[*child].all.binary_search(line).is_ok());
        let own = lines.iter().copied().filter(|line| !below(line)).collect();
        nodes.push(Node { slot: root, lines: weights[root].clone(), all: lines, own, children, slots: component });
        roots.push(nodes.len() - 1);
    }
    roots
}

/// Splits slots into groups that share no line.
fn components(slots: Vec<usize>, weights: &[Vec<(usize, f64)>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<(Vec<usize>, std::collections::BTreeSet<usize>)> = Vec::new();
    for slot in slots {
        let mut members = vec![slot];
        let mut lines: std::collections::BTreeSet<usize> = weights[slot].iter().map(|(line, _)| *line).collect();
        groups.retain_mut(|(others, their_lines)| {
            let is_apart = their_lines.is_disjoint(&lines);
            if !is_apart {
                members.append(others);
                lines.append(their_lines);
            }
            is_apart
        });
        members.sort_unstable();
        groups.push((members, lines));
    }
    groups.into_iter().map(|(members, _)| members).collect()
}

/// Cuts the hours where held capacity changes.
fn stretches(hours: usize, slots: &[Slot]) -> Vec<(Range<usize>, Vec<f64>)> {
    let held =
        || slots.iter().enumerate().flat_map(|(slot, of)| of.held.iter().map(move |(hours, capacity)| (slot, hours, *capacity)));
    let mut cuts: Vec<usize> = held().flat_map(|(_, hours, _)| [hours.start, hours.end]).chain([0, hours]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let stretch = |pair: &[usize]| {
        let mut sums = vec![0.0; slots.len()];
        for (slot, hours, capacity) in held() {
            if hours.contains(&pair[0]) {
                sums[slot] += capacity;
            }
        }
        (pair[0]..pair[1], sums)
    };
    cuts.windows(2).map(stretch).collect()
}
