//! AWS: the order in which Reserved Instances and Savings Plans draw on usage.
//!
//! From "How Reserved Instances are applied" (EC2 User Guide) and "Understanding how Savings Plans apply to your usage" (Savings Plans
//! User Guide), editions read in 2026-06:
//! 1. zonal before regional Reserved Instances, anywhere in the organisation; within each, all owners' own usage before any other
//!    account's; size-flexible ones from the smallest size up; exact ones before flexible ones (an order that moves no money);
//! 2. EC2 Instance before Compute Savings Plans; within each, the owner's usage first; then by savings percentage against the
//!    on-demand price from the highest, ties by the lowest rate.
//!
//! What the documentation leaves open is a switch in [`AwsRules`].

use super::{Draw, Held, PricedLine, lines_of};
use crate::catalog::aws::{COMPUTE_PLAN, EC2_INSTANCE_PLAN};
use crate::catalog::{Benefit, ScopeKind};
use crate::portfolio::Scope;
use crate::units::UnitPrice;
use crate::usage::Provider;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The switches of AWS's rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AwsRules {
    /// Accounts with discount sharing turned off: their commitments stay with them, and they get none of others.
    pub sharing_off: BTreeSet<String>,
    /// Whether the type of Savings Plan or the account tier comes first. Not documented; by analogy with Reserved Instances, where the
    /// narrower scope outranks ownership, the type.
    pub tier_order: TierOrder,
}

/// Which of the two orders of Savings Plans is the outer one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TierOrder {
    /// All EC2 Instance plans, owner first, then all Compute plans, owner first.
    #[default]
    TypeFirst,
    /// Each owner's usage under all types of plan, then the other accounts'.
    AccountFirst,
}

/// Whose usage a pass may draw on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tier {
    Own,
    Others,
}

const TIERS: [Tier; 2] = [Tier::Own, Tier::Others];

impl AwsRules {
    /// Whether a pass of a commitment may draw on an account's usage.
    fn admits(&self, tier: Tier, owner: &str, account: &str) -> bool {
        let own = owner.is_empty() || owner == account;
        match tier {
            Tier::Own => own,
            Tier::Others => !own && !self.sharing_off.contains(owner) && !self.sharing_off.contains(account),
        }
    }
}

/// The waterfall of AWS while the commitments with the indices in `active` run.
pub(super) fn draws(rules: &AwsRules, lines: &[PricedLine<'_>], held: &[Held<'_>], active: &[usize]) -> Vec<Draw> {
    let active: Vec<usize> = active.iter().copied().filter(|index| held[*index].offer.provider == Provider::Aws).collect();
    let mut draws = Vec::new();
    reserved(rules, lines, held, &active, &mut draws);
    savings_plans(rules, lines, held, &active, &mut draws);
    draws
}

fn reserved(rules: &AwsRules, lines: &[PricedLine<'_>], held: &[Held<'_>], active: &[usize], draws: &mut Vec<Draw>) {
    let mut leases: Vec<usize> = active.iter().copied().filter(|index| !held[*index].offer.is_spend_plan()).collect();
    leases.sort_by_key(|index| {
        let lease = &held[*index];
        let zonal = lease.commitment.scope.kind() == ScopeKind::AvailabilityZone;
        (!zonal, lease.is_flexible(), lease.commitment.end, &lease.commitment.id)
    });
    for zonal in [true, false] {
        for tier in TIERS {
            for commitment in &leases {
                let lease = &held[*commitment];
                if zonal != (lease.commitment.scope.kind() == ScopeKind::AvailabilityZone) {
                    continue;
                }
                let mut matching: Vec<(Decimal, usize)> = lines_of(lines, Provider::Aws)
                    .filter(|(_, line)| rules.admits(tier, &lease.commitment.account, &line.line.account))
                    .filter_map(|(index, line)| Some((units(lease, line)?, index)))
                    .collect();
                // Smallest size first; lines are sorted by SKU and account, so the index breaks ties.
                matching.sort();
                draws.extend(matching.into_iter().map(|(weight, line)| Draw { commitment: *commitment, line, weight }));
            }
        }
    }
}

/// The units of a reservation's capacity that one unit of the line needs; `None` if the reservation does not cover it.
fn units(lease: &Held<'_>, line: &PricedLine<'_>) -> Option<Decimal> {
    let Benefit::Reservation { sku, pool } = &lease.offer.benefit else { return None };
    if let Scope::AvailabilityZone { availability_zone } = &lease.commitment.scope {
        return (line.price.id == *sku && line.line.availability_zone == *availability_zone).then_some(Decimal::ONE);
    }
    match pool {
        Some(pool) => line.price.pools.iter().find(|member| member.pool == pool.pool).map(|member| member.units.value()),
        None => (line.price.id == *sku).then_some(Decimal::ONE),
    }
}

fn savings_plans(rules: &AwsRules, lines: &[PricedLine<'_>], held: &[Held<'_>], active: &[usize], draws: &mut Vec<Draw>) {
    let plans: Vec<usize> = active.iter().copied().filter(|index| held[*index].offer.is_spend_plan()).collect();
    let types: BTreeSet<(usize, &str)> = plans.iter().map(|index| plan_type(held[*index].offer)).collect();
    let rounds: Vec<((usize, &str), Tier)> = match rules.tier_order {
        TierOrder::TypeFirst => types.iter().flat_map(|plan| TIERS.map(|tier| (*plan, tier))).collect(),
        TierOrder::AccountFirst => TIERS.iter().flat_map(|tier| types.iter().map(|plan| (*plan, *tier))).collect(),
    };
    for (plan, tier) in rounds {
        let mut pairs: Vec<Pair<'_>> = Vec::new();
        for commitment in plans.iter().copied().filter(|index| plan_type(held[*index].offer) == plan) {
            let Benefit::SpendPlan { rates, .. } = &held[commitment].offer.benefit else { continue };
            let owner = &held[commitment].commitment.account;
            for (index, line) in lines_of(lines, Provider::Aws) {
                let Some(rate) = rates.get(&line.price.id).filter(|_| rules.admits(tier, owner, &line.line.account)) else {
                    continue;
                };
                let id = &held[commitment].commitment.id;
                pairs.push(Pair {
                    commitment,
                    id,
                    line: index,
                    account: &line.line.account,
                    rate: *rate,
                    price: line.price.price,
                });
            }
        }
        pairs.sort_by(Pair::order);
        draws.extend(pairs.iter().map(|pair| Draw { commitment: pair.commitment, line: pair.line, weight: pair.rate.value() }));
    }
}

/// The rank of a plan's type, then its name: EC2 Instance, Compute, then types with usage of their own.
fn plan_type(offer: &crate::catalog::Offer) -> (usize, &str) {
    let Benefit::SpendPlan { plan, .. } = &offer.benefit else { return (usize::MAX, "") };
    let rank = match plan.as_str() {
        EC2_INSTANCE_PLAN => 0,
        COMPUTE_PLAN => 1,
        _ => 2,
    };
    (rank, plan)
}

/// A plan and a line it has a rate for.
struct Pair<'a> {
    commitment: usize,
    id: &'a str,
    line: usize,
    account: &'a str,
    rate: UnitPrice,
    price: UnitPrice,
}

impl Pair<'_> {
    /// Highest savings percentage first, by cross-multiplication so that equal percentages are equal; ties by the lowest rate, then by
    /// account, SKU and plan, which AWS leaves open.
    fn order(&self, other: &Self) -> Ordering {
        let mine = self.rate.value() * other.price.value();
        let theirs = other.rate.value() * self.price.value();
        mine.cmp(&theirs)
            .then_with(|| self.rate.cmp(&other.rate))
            .then_with(|| self.account.cmp(other.account))
            .then_with(|| self.line.cmp(&other.line))
            .then_with(|| self.id.cmp(other.id))
    }
}
