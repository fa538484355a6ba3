//! What sweeps over the hours have found: the on-demand cost of every point visited, and the hourly prices there.
//!
//! The prices that bear the master's bound are a mixture: each cut stands for the prices of one sweep, and the master's optimum weighs the cuts
//! (the primal recovery of Dantzig and Wolfe, 1960). Mixed by these weights, hourly prices give a cut by line that is at least as high at
//! the optimum as the cuts mixed, and higher where lines can respond on their own. Formula: `docs/formulation.md`, "Cuts by line".

use super::recourse::{Block, Prices, Recourse};
use std::collections::{BTreeMap, BTreeSet};

/// How many hourly prices are kept at most: 128 MB.
const PRICES_KEPT: usize = 16_000_000;

/// A sweep or a path, by its order among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source(usize);

/// With what weight cuts bear the master's bound; those of no weight are left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Weights {
    /// Block, where the cut's prices come from, and weight.
    pub(super) of_blocks: Vec<(usize, Source, f64)>,
    /// Group, where the path's prices come from, and weight.
    pub(super) of_paths: Vec<(usize, Source, f64)>,
}

/// Points and prices.
#[derive(Debug, Default)]
pub(super) struct Swept {
    /// Steps with the on-demand cost of each block of hours.
    points: Vec<(Vec<f64>, Vec<f64>)>,
    prices: BTreeMap<Source, Prices>,
    last: usize,
    /// The average of all prices, the newer with more weight, and how many they are.
    averaged: Option<(Prices, u32)>,
    /// The weights of the master's last optimum, if it told them.
    weights: Option<Weights>,
}

impl Swept {
    /// The points visited.
    pub(super) fn points(&self) -> &[(Vec<f64>, Vec<f64>)] {
        &self.points
    }

    /// Keeps a point.
    pub(super) fn visit(&mut self, steps: Vec<f64>, of_blocks: Vec<f64>) {
        self.points.push((steps, of_blocks));
    }

    /// Keeps the prices of a sweep, which also count in the average, with weight 2 / (n + 1).
    pub(super) fn sweep(&mut self, prices: Prices) -> Source {
        match &mut self.averaged {
            None => self.averaged = Some((prices.clone(), 1)),
            Some((averaged, count)) => {
                *count += 1;
                let share = (2.0 / (f64::from(*count) + 1.0)).max(0.1);
                for (average, price) in averaged.0.iter_mut().zip(&prices.0) {
                    *average += share * (price - *average);
                }
            }
        }
        self.keep(prices)
    }

    /// Keeps prices, and forgets the oldest that bear nothing where there are too many.
    pub(super) fn keep(&mut self, prices: Prices) -> Source {
        let most = PRICES_KEPT.div_euclid(prices.0.len().max(1)).max(4);
        let source = Source(self.last);
        self.last += 1;
        self.prices.insert(source, prices);
        if self.prices.len() > most {
            let weights = self.weights.iter().flat_map(|weights| weights.of_blocks.iter().chain(&weights.of_paths));
            let bearing: BTreeSet<Source> = weights.map(|(_, source, _)| *source).collect();
            let idle = self.prices.keys().find(|source| !bearing.contains(source)).copied();
            if let Some(oldest) = idle.or_else(|| self.prices.keys().next().copied()) {
                self.prices.remove(&oldest);
            }
        }
        source
    }

    /// Takes the weights of the master's optimum; `None` if it does not tell them.
    pub(super) fn weigh(&mut self, weights: Option<Weights>) {
        self.weights = weights;
    }

    /// The prices that bear the master's bound, and the averaged ones in blocks of hours of which nothing is known; `None` before the first sweep.
    pub(super) fn bearing(&self, recourse: &Recourse<'_>, blocks: &[Block]) -> Option<Prices> {
        let (averaged, _) = self.averaged.as_ref()?;
        let mut mixed = averaged.clone();
        let Some(weights) = &self.weights else { return Some(mixed) };
        let (hours, wide) = (recourse.hours(), recourse.wide().len());
        for (index, block) in blocks.iter().enumerate() {
            let of_cuts = weights.of_blocks.iter().filter(|(of, ..)| *of == index);
            let of_paths = weights.of_paths.iter().filter(|(group, ..)| *group == block.group);
            let known = |(_, source, weight): &(usize, Source, f64)| Some((self.prices.get(source)?, *weight));
            let parts: Vec<(&Prices, f64)> = of_cuts.chain(of_paths).filter_map(known).collect();
            let sum: f64 = parts.iter().map(|(_, weight)| weight).sum();
            if sum <= 1e-9 {
                continue;
            }
            for scenario in recourse.groups()[block.group].scenarios.clone() {
                let first = scenario * hours;
                let of_block = (first + block.hours.start) * wide..(first + block.hours.end) * wide;
                mixed.0[of_block.clone()].fill(0.0);
                for (prices, weight) in &parts {
                    for (mixed, price) in mixed.0[of_block.clone()].iter_mut().zip(&prices.0[of_block.clone()]) {
                        *mixed += weight / sum * price;
                    }
                }
            }
        }
        Some(mixed)
    }
}
