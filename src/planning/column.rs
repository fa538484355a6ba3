//! Columns of the master problem: purchases first, then changes of what is held. Both add capacity to slots in stretches of hours (changes
//! take some away too) and have a cost a step; all that the search knows of them is here.

use chrono::{DateTime, Utc};
use std::ops::Range;

/// One decision: how many steps.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    /// What one step adds to the objective; negative where it saves.
    pub(super) cost: f64,
    /// What one step costs upfront.
    pub(super) upfront: f64,
    /// How many steps may make sense, or are allowed, at most.
    pub(super) max_steps: u32,
    /// Steps that the policy fixes.
    pub(super) fixed: Option<u32>,
    /// Whether the bound lets it be taken in any amount; else in whole steps.
    pub(super) is_divisible: bool,
    /// Whether the term is three years or longer, for rounding.
    pub(super) is_long: bool,
    /// The capacity of one step.
    pub(super) effects: Vec<Effect>,
}

/// Capacity that a step adds to a slot in a stretch of hours; negative where it takes some away.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Effect {
    pub(super) hours: Range<usize>,
    pub(super) slot: usize,
    pub(super) capacity: f64,
}

/// What the rules need to know of a change.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChangeTerms {
    /// When it would be done.
    pub(super) at: DateTime<Utc>,
    /// Commitments held, by their order in the portfolio, and how much of each a step offers to give up.
    pub(super) gives: Vec<(usize, f64)>,
    /// Limits, by their order, and how much of each a step takes.
    pub(super) uses: Vec<(usize, f64)>,
    /// What one step costs upfront, 0 if it brings money.
    pub(super) upfront: f64,
    /// Effective cost an hour that a step adds or, negative, takes away, from when and until when.
    pub(super) obligations: Vec<(DateTime<Utc>, DateTime<Utc>, f64)>,
    /// What a step costs at once that bills do not show: the loss (or gain) of giving up and receiving, undiscounted.
    pub(super) one_off: f64,
}

impl Column {
    /// The capacity that a step adds to a slot in the stretch of hours that begins with one.
    pub(super) fn capacity(&self, slot: usize, hour: usize) -> f64 {
        self.effects
            .iter()
            .filter(|effect| effect.slot == slot && effect.hours.contains(&hour))
            .map(|effect| effect.capacity)
            .sum()
    }
}
