//! The capacity that purchases and changes add to a slot in an epoch, as the rows of the master problem speak of it.
//!
//! With few epochs it is the sum of the columns that serve. With many (weekly purchase dates over years) each sum would have half of all
//! columns in it; there a variable stands for it, tied to that of the epoch before by what starts and ends in between. That keeps rows short,
//! and the matrix is that of a network, so that optima are whole by themselves where demand is.

use super::column::Effect;
use super::master::Model;
use super::problem::Problem;
use good_lp::{Expression, Variable, constraint, variable};

/// From how many epochs on variables stand for sums.
const MANY_EPOCHS: usize = 16;

/// The sums, by slot and epoch.
pub(super) struct Capacities<'p> {
    /// For each slot: columns with what they do to it.
    by_slot: Vec<Vec<(usize, &'p Effect)>>,
    /// The first hour of each epoch.
    starts: Vec<usize>,
    /// For each slot that anything can be done to, a variable for each epoch; empty where there are few.
    sums: Vec<Vec<Variable>>,
}

/// Whether there are so many epochs that variables stand for sums.
pub(super) fn is_long(problem: &Problem<'_>) -> bool {
    problem.recourse.epochs().len() >= MANY_EPOCHS
}

impl<'p> Capacities<'p> {
    /// The sums, with the variables and rows that they need.
    pub(super) fn new(problem: &'p Problem<'_>, steps: &[Variable], model: &mut Model) -> Self {
        let mut by_slot: Vec<Vec<(usize, &Effect)>> = vec![Vec::new(); problem.recourse.slots()];
        for (index, column) in problem.columns.iter().enumerate() {
            for effect in &column.effects {
                by_slot[effect.slot].push((index, effect));
            }
        }
        let starts: Vec<usize> = problem.recourse.epochs().iter().map(|epoch| epoch.hours.start).collect();
        if !is_long(problem) {
            return Self { by_slot, starts, sums: Vec::new() };
        }
        let mut sums = Vec::with_capacity(by_slot.len());
        for effects in &by_slot {
            let mut of_slot: Vec<Variable> = Vec::new();
            for start in starts.iter().filter(|_| !effects.is_empty()) {
                let sum = model.add(variable());
                let mut row: Expression = sum.into();
                if let Some(before) = of_slot.last() {
                    row.add_mul(-1.0, *before);
                }
                for (index, effect) in effects.iter().filter(|(_, effect)| !effect.hours.is_empty()) {
                    if effect.hours.start == *start {
                        row.add_mul(-effect.capacity, steps[*index]);
                    } else if effect.hours.end == *start {
                        row.add_mul(effect.capacity, steps[*index]);
                    }
                }
                model.rows.push(constraint!(row == 0.0));
                of_slot.push(sum);
            }
            sums.push(of_slot);
        }
        Self { by_slot, starts, sums }
    }

    /// Adds a multiple of the capacity of a slot in an epoch to a row.
    pub(super) fn add(&self, row: &mut Expression, factor: f64, (slot, epoch): (usize, usize), steps: &[Variable]) {
        if factor == 0.0 {
            return;
        }
        if let Some(of_slot) = self.sums.get(slot) {
            if let Some(sum) = of_slot.get(epoch) {
                row.add_mul(factor, *sum);
            }
            return;
        }
        for (index, effect) in self.by_slot[slot].iter().filter(|(_, effect)| effect.hours.contains(&self.starts[epoch])) {
            let coefficient = factor * effect.capacity;
            if coefficient.abs() > 1e-13 {
                row.add_mul(coefficient, steps[*index]);
            }
        }
    }
}
