//! Cuts by line: for given hourly prices of the slots over several lines, the cost of each line alone as a function of its own capacity.
//!
//! Any prices λ of the wide slots bound the recourse from below, and for fixed λ the lines are independent:
//!
//! ```text
//! Σ_t Q_t(c) ≥ − Σ_w (Σ_t λ_wt) c_w + Σ_i V_i(u_i),    V_i(u) = Σ_t min(p_i, min_w λ_wt·w_iw) · (D_it − u)⁺
//! ```
//!
//! u_i is what slots over line i alone serve of it. V_i is convex and piecewise linear; the master problem knows it by tangents. One such path of
//! prices tells the master about every line at once, which cuts over all lines do only after many rounds. With the price of one's own capacity
//! the best u_i is a quantile of the line's load-duration curve weighted by prices (the newsvendor's rule), which is where tangents are taken
//! first. Formula: `docs/formulation.md`, "Cuts by line".

use super::problem::Problem;
use super::recourse::{Prices, Recourse};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Lines are read in groups of this many, which is what a line of cache holds.
const LINES_AT_ONCE: usize = 8;

/// The bound on one group's on-demand cost that a path of prices gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PathCut {
    pub(super) group: usize,
    pub(super) constant: f64,
    /// Epoch, wide slot, and by how much a unit of its capacity lowers the bound.
    pub(super) wide: Vec<(usize, usize, f64)>,
    /// The lines that can have capacity of their own.
    pub(super) cells: Vec<Cell>,
}

/// A line in an epoch: its cost is at least `constant - slope · own capacity in units of the line`, for each tangent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) epoch: usize,
    pub(super) line: usize,
    pub(super) tangents: Vec<(f64, f64)>,
}

/// What slots over one line alone serve: held, or to be bought. Every line that has such a slot has one of these.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OwnCapacity {
    pub(super) line: usize,
    /// All slots over this line alone, with the weight of the line.
    pub(super) slots: Vec<(usize, f64)>,
    /// The least that a unit of the line's capacity costs over all hours; infinite if nothing can be bought.
    pub(super) cost: f64,
    /// The step in which it is bought, in units of the line; the least there may be beside what is held (0, or less where some may be given
    /// up), and the most that makes sense.
    pub(super) step: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

impl OwnCapacity {
    /// For every line that has slots of its own: what they are, and what a unit of its capacity costs at least.
    pub(super) fn of(problem: &Problem<'_>) -> Vec<Self> {
        let mut by_line: BTreeMap<usize, Self> = BTreeMap::new();
        for (slot, lines) in problem.recourse.slot_lines().iter().enumerate() {
            let [(line, weight)] = lines.as_slice() else { continue };
            let nothing = Self { line: *line, slots: Vec::new(), cost: f64::INFINITY, step: 1.0, least: 0.0, most: 0.0 };
            by_line.entry(*line).or_insert(nothing).slots.push((slot, *weight));
        }
        for candidate in &problem.candidates {
            let [(line, weight)] = problem.recourse.slot_lines()[candidate.slot].as_slice() else { continue };
            let Some(own) = by_line.get_mut(line) else { continue };
            let units = candidate.capacity / weight;
            own.most = own.most.max(units * f64::from(candidate.max_steps));
            if candidate.cost / units < own.cost {
                own.cost = candidate.cost / units;
            }
            // Whole steps are what tangents are best taken at; spend plans have none worth the name.
            own.step = if candidate.is_divisible { own.step } else { units };
        }
        for column in &problem.columns {
            for effect in column.effects.iter().filter(|effect| effect.capacity < 0.0) {
                let [(line, weight)] = problem.recourse.slot_lines()[effect.slot].as_slice() else { continue };
                if let Some(own) = by_line.get_mut(line) {
                    own.least += effect.capacity / weight * f64::from(column.max_steps);
                }
            }
        }
        for own in by_line.values_mut() {
            if own.step * 4096.0 < own.most {
                own.step = own.most / 4096.0;
            }
        }
        by_line.into_values().collect()
    }
}

impl Recourse<'_> {
    /// The cuts of a path of prices: one for each group of scenarios, with tangents at the capacities given (by epoch and slot) and, where there
    /// is one epoch and one group, at each line's best response.
    pub(super) fn path(&self, prices: &Prices, own: &[OwnCapacity], points: &[Vec<Vec<f64>>]) -> Vec<PathCut> {
        (0..self.groups().len()).map(|group| self.path_of(group, prices, own, points)).collect()
    }

    fn path_of(&self, group: usize, prices: &Prices, own: &[OwnCapacity], points: &[Vec<Vec<f64>>]) -> PathCut {
        let wide = self.wide();
        let of = &self.groups()[group];
        let mut constant = 0.0;
        let mut slopes = Vec::new();
        for (index, epoch) in self.epochs().iter().enumerate() {
            let mut sums = vec![0.0; wide.len()];
            for scenario in of.scenarios.clone() {
                for hour in epoch.hours.clone() {
                    let weight = self.weight(of, scenario, hour);
                    for (sum, price) in sums.iter_mut().zip(self.prices_at(prices, scenario, hour)) {
                        *sum += weight * price;
                    }
                }
            }
            for (sum, slot) in sums.into_iter().zip(wide) {
                constant -= sum * epoch.held[*slot];
                slopes.push((index, *slot, sum));
            }
        }
        let lines: Vec<usize> = (0..self.size()[2]).collect();
        let is_one = self.epochs().len() == 1 && self.groups().len() == 1;
        let parts: Vec<(f64, Vec<Cell>)> =
            lines.par_chunks(LINES_AT_ONCE).map(|lines| self.lines(group, lines, prices, own, points, is_one)).collect();
        let mut cells = Vec::new();
        for (part, of_lines) in parts {
            constant += part;
            cells.extend(of_lines);
        }
        PathCut { group, constant, wide: slopes, cells }
    }

    /// The prices of the wide slots in an hour of a scenario.
    pub(super) fn prices_at<'p>(&self, prices: &'p Prices, scenario: usize, hour: usize) -> &'p [f64] {
        let width = self.wide().len();
        let from = (scenario * self.hours() + hour) * width;
        &prices.0[from..from + width]
    }

    /// A few lines: the cost of those without own capacity, and the cells of the others.
    fn lines(
        &self,
        group: usize,
        lines: &[usize],
        prices: &Prices,
        own: &[OwnCapacity],
        points: &[Vec<Vec<f64>>],
        is_one: bool,
    ) -> (f64, Vec<Cell>) {
        let of = &self.groups()[group];
        let covers = self.wide_weights(lines);
        let (mut constant, mut cells) = (0.0, Vec::new());
        for (index, epoch) in self.epochs().iter().enumerate() {
            let length = epoch.hours.len() * of.scenarios.len();
            let mut curves: Vec<Curve> = lines.iter().map(|_| Curve::with_capacity(length)).collect();
            let served: Vec<f64> = lines
                .iter()
                .map(|line| {
                    own_of(own, *line).map_or(0.0, |own| own.slots.iter().map(|(slot, weight)| epoch.held[*slot] / weight).sum())
                })
                .collect();
            for scenario in of.scenarios.clone() {
                for hour in epoch.hours.clone() {
                    let demand = self.demand(scenario, hour);
                    let weight = self.weight(of, scenario, hour);
                    let lambda = self.prices_at(prices, scenario, hour);
                    for (position, line) in lines.iter().enumerate() {
                        let of_wide = covers[position].iter().map(|(wide, need)| lambda[*wide] * need);
                        let marginal = of_wide.fold(self.prices_in(index)[*line], f64::min);
                        curves[position].push(demand[*line] - served[position], weight * marginal);
                    }
                }
            }
            for ((line, curve), served) in lines.iter().zip(&curves).zip(&served) {
                match own_of(own, *line) {
                    None => constant += curve.at(0.0).0,
                    Some(own) => {
                        let at = points
                            .iter()
                            .map(|point| own.slots.iter().map(|(slot, weight)| point[index][*slot] / weight).sum::<f64>());
                        debug_assert!(*served >= 0.0);
                        // What is given up can make own capacity negative, so the curve reaches below what is held.
                        let tangents = curve.tangents(own, at, is_one);
                        cells.push(Cell { epoch: index, line: *line, tangents });
                    }
                }
            }
        }
        (constant, cells)
    }

    /// For some lines: the wide slots that cover each, by their position among the wide ones, and their weights.
    fn wide_weights(&self, lines: &[usize]) -> Vec<Vec<(usize, f64)>> {
        let of_line = |line: &usize| {
            let weight = |slot: &usize| {
                let lines = &self.slot_lines()[*slot];
                lines.binary_search_by_key(line, |(line, _)| *line).ok().map(|found| lines[found].1)
            };
            self.wide().iter().enumerate().filter_map(|(position, slot)| Some((position, weight(slot)?))).collect()
        };
        lines.iter().map(of_line).collect()
    }
}

fn own_of(own: &[OwnCapacity], line: usize) -> Option<&OwnCapacity> {
    own.binary_search_by_key(&line, |own| own.line).ok().map(|found| &own[found])
}

/// A line's hours: what is left of demand beside what is held (negative where more is held), and what a unit of it costs (weighted).
struct Curve {
    demand: Vec<f64>,
    cost: Vec<f64>,
}

impl Curve {
    fn with_capacity(hours: usize) -> Self {
        Self { demand: Vec::with_capacity(hours), cost: Vec::with_capacity(hours) }
    }

    fn push(&mut self, demand: f64, cost: f64) {
        self.demand.push(demand);
        self.cost.push(cost);
    }

    /// Value at a capacity, and by how much it falls with the next unit.
    fn at(&self, capacity: f64) -> (f64, f64) {
        const LANES: usize = 8;
        let (mut values, mut slopes) = ([0.0; LANES], [0.0; LANES]);
        let (demands, costs) = (self.demand.chunks_exact(LANES), self.cost.chunks_exact(LANES));
        let rest = demands.remainder().iter().zip(costs.remainder());
        for (demand, cost) in demands.zip(costs) {
            for lane in 0..LANES {
                let open = demand[lane] - capacity;
                let counted = if open > 0.0 { cost[lane] } else { 0.0 };
                values[lane] += counted * open;
                slopes[lane] += counted;
            }
        }
        let (mut value, mut slope): (f64, f64) = (values.iter().sum(), slopes.iter().sum());
        for (demand, cost) in rest {
            if *demand > capacity {
                value += cost * (demand - capacity);
                slope += cost;
            }
        }
        (value, slope)
    }

    /// Tangents as `(constant, slope)` at the capacities given, the whole steps around each, and the best response if it is asked for.
    fn tangents(&self, own: &OwnCapacity, points: impl Iterator<Item = f64>, is_best_wanted: bool) -> Vec<(f64, f64)> {
        let mut steps: Vec<f64> = Vec::new();
        let last = (own.most / own.step).ceil();
        for point in points {
            let below = (point / own.step).floor();
            steps.extend([below, below + 1.0]);
        }
        if is_best_wanted {
            // The fewest steps after which one more costs more than it saves.
            let is_enough = |step: f64| self.at(step * own.step).1 <= own.cost;
            let start = steps.first().copied().unwrap_or(0.0).clamp(0.0, last.max(0.0));
            let (mut low, mut high, mut stride) = (start, start, 1.0);
            while low > 0.0 && is_enough(low) {
                high = low;
                low = (low - stride).max(0.0);
                stride *= 2.0;
            }
            stride = 1.0;
            while high < last && !is_enough(high) {
                low = high;
                high = (high + stride).min(last);
                stride *= 2.0;
            }
            while high - low > 1.0 {
                let middle = f64::midpoint(low, high).floor();
                if is_enough(middle) { high = middle } else { low = middle }
            }
            steps.extend([low - 1.0, low, high, high + 1.0]);
        }
        steps.push(0.0);
        let least = (own.least / own.step).floor();
        steps.retain(|step| *step >= least && *step <= last + 1.0);
        steps.sort_by(f64::total_cmp);
        steps.dedup();
        let tangent = |step: &f64| {
            // Half a step beyond, so that the tangent holds between this whole step and the next.
            let at = (step + 1e-9) * own.step;
            let (value, slope) = self.at(at);
            (value + slope * at, slope)
        };
        steps.iter().map(tangent).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tangent_is_never_above_the_curve() {
        let mut curve = Curve::with_capacity(20);
        for hour in 0..20 {
            curve.push(f64::from(hour % 7), 1.0 + f64::from(hour % 3));
        }
        let own = OwnCapacity { line: 0, slots: vec![(0, 1.0)], cost: 11.0, step: 1.0, least: -3.0, most: 6.0 };
        let tangents = curve.tangents(&own, [-2.5, 2.0, 4.5].into_iter(), true);
        for capacity in (-6..14).map(|half| f64::from(half) / 2.0) {
            let value = curve.at(capacity).0;
            assert!(tangents.iter().all(|(constant, slope)| constant - slope * capacity <= value + 1e-9));
        }
        // At the best response the bound is the curve: the cost of own capacity and what is left cannot be lower anywhere.
        let total = |capacity: f64| 11.0 * capacity + curve.at(capacity).0;
        let bound = |capacity: f64| 11.0 * capacity + tangents.iter().map(|(c, s)| c - s * capacity).fold(0.0, f64::max);
        let least = |of: &dyn Fn(f64) -> f64| (0..=600).map(|step| of(f64::from(step) / 100.0)).fold(f64::INFINITY, f64::min);
        assert!((least(&total) - least(&bound)).abs() < 1e-6);
    }
}
