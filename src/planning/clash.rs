//! Rules that cannot all be kept: the smallest set that clashes, and how far each would have to give.
//!
//! The elastic form of the master problem lets every rule give and pays for it (Chinneck, "Feasibility and infeasibility in optimization", 2008);
//! cuts are added until what it says about coverage is true. Then rules are left out one by one: one without which the rest can be kept
//! belongs to the clash, one without which it still cannot does not.
//!
//! `docs/formulation.md`, "Rules that clash".

use super::master::{Master, Question};
use super::problem::Problem;
use super::recourse::Block;
use super::rows::RowKind;
use crate::error::Result;
use std::collections::{BTreeMap, BTreeSet};

/// Rules that clash: every one of them could be kept if one of the others were left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Clash {
    /// The rules with how far each would have to give, if it alone gave, in its own unit; `None` if no amount would do.
    pub rules: Vec<Clashing>,
}

/// One rule of a clash.
#[derive(Clone, Debug, PartialEq)]
pub struct Clashing {
    /// The policy's field, with what it is about.
    pub rule: String,
    /// By how much it would have to give, if the others of the clash are kept; `None` if that does not help alone.
    pub by: Option<f64>,
    /// What `by` counts: money, money an hour, purchases, ...
    pub unit: &'static str,
}

impl std::fmt::Display for Clash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.rules.iter().map(|rule| rule.rule.as_str()).collect();
        if let [only] = names.as_slice() {
            write!(f, "the rule {only} cannot be kept by any purchases")?;
        } else {
            write!(f, "these rules cannot all be kept: {}", names.join("; "))?;
        }
        for rule in &self.rules {
            if let Some(by) = rule.by {
                write!(f, "; {} would have to give by {by:.2} {}", rule.rule, rule.unit)?;
            }
        }
        Ok(())
    }
}

impl Problem<'_> {
    /// The smallest set of rules that clash; `None` if the policy can be kept.
    ///
    /// # Errors
    /// [`crate::Problem::Solver`] if HiGHS fails.
    pub fn clash(&self) -> Result<Option<Clash>> {
        let blocks = self.recourse.blocks(1);
        let scale = self.on_demand_equivalent.iter().copied().fold(0.0, f64::max) / 1000.0;
        let mut elastic = Elastic { problem: self, master: Master::new(self, blocks.clone(), Vec::new(), scale), blocks };
        let all: BTreeSet<usize> =
            self.rows.rows.iter().enumerate().filter(|(_, row)| row.kind == RowKind::Rule).map(|(index, _)| index).collect();
        if elastic.least_give(&all, &all)?.is_empty() {
            return Ok(None);
        }
        let mut kept = all.clone();
        for rule in &all {
            let without: BTreeSet<usize> = kept.iter().copied().filter(|other| other != rule).collect();
            if !elastic.least_give(&without, &without)?.is_empty() {
                kept = without;
            }
        }
        let mut rules = Vec::new();
        for rule in &kept {
            let row = &self.rows.rows[*rule];
            // If only this rule gives, the others are kept: all of the policy, or at least those of the clash. Nothing given means that they cannot be.
            let mut gives = elastic.least_give(&all, &BTreeSet::from([*rule]))?;
            if gives.is_empty() {
                gives = elastic.least_give(&kept, &BTreeSet::from([*rule]))?;
            }
            let by = gives.into_iter().find(|(index, _)| index == rule).map(|(_, by)| by);
            rules.push(Clashing { rule: row.rule.clone(), by, unit: row.unit });
        }
        Ok(Some(Clash { rules }))
    }
}

struct Elastic<'p, 'a> {
    problem: &'p Problem<'a>,
    master: Master<'p, 'a>,
    /// The master's blocks.
    blocks: Vec<Block>,
}

impl Elastic<'_, '_> {
    /// The least that some rules must give so that all of `active` are kept: rules with amounts, empty if they can be kept as they are. Those
    /// that may not give are kept; if that is impossible nothing is given.
    fn least_give(&mut self, active: &BTreeSet<usize>, giving: &BTreeSet<usize>) -> Result<Vec<(usize, f64)>> {
        let (recourse, closed) = (&self.problem.recourse, BTreeSet::new());
        for _ in 0..100 {
            let question = Question {
                is_integer: true,
                closed: &closed,
                given: &BTreeMap::new(),
                relative_gap: 1e-6,
                seconds: 30.0,
                elastic: Some(super::master::Elastic { active, giving }),
            };
            let Some(answer) = self.master.solve(&question)? else { return Ok(Vec::new()) };
            let Some(steps) = answer.steps else { return Ok(Vec::new()) };
            let gives: Vec<(usize, f64)> = answer.gives.into_iter().filter(|(_, by)| *by > 1e-7).collect();
            // What the purchases leave on demand, as the cuts know it, must be what it is.
            let capacity = self.problem.capacity(&steps);
            let (cuts, _) = recourse.sweep(&capacity, &self.blocks);
            let is_known = self.blocks.iter().enumerate().zip(&cuts).all(|((index, block), cut)| {
                let value = cut.at(&capacity[block.epoch]);
                self.master.known(index, &capacity[block.epoch]) >= value - 1e-7 * value.abs().max(1.0)
            });
            if is_known {
                return Ok(gives);
            }
            self.master.add(cuts, None);
        }
        Ok(Vec::new())
    }
}
