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

use super::waterfall::{Draw, Waterfall};
use super::{Held, PricedLine, lines_of};
use crate::catalog::aws::{COMPUTE_PLAN, EC2_INSTANCE_PLAN};
use crate::catalog::{Benefit, ScopeKind};
use crate::portfolio::Scope;
use crate::units::UnitPrice;
use crate::usage::Provider;
use chrono::{DateTime, Duration, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// The switches of AWS's rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AwsRules {
    /// Accounts with discount sharing turned off: their commitments stay with them, and they get none of others.
    pub sharing_off: BTreeSet<String>,
    /// Whether the type of Savings Plan or the account tier comes first. Not documented; by analogy with Reserved Instances, where the
    /// narrower scope outranks ownership, the type.
    pub tier_order: TierOrder,
    /// The sharing group of each account (a Cost Category value); accounts that are not in it have none.
    pub groups: BTreeMap<String, String>,
    /// How the groups share.
    pub group_sharing: GroupSharing,
    /// What several plans of one type do with a line they all have a rate for.
    pub plan_order: PlanOrder,
    /// Which of several reservations is drawn first. It moves no money, only utilisation.
    pub lease_order: LeaseOrder,
    /// How a reservation is split over usage of one size that runs at the same time. It moves no money within an account.
    pub concurrent_split: ConcurrentSplit,
    /// Against which price a savings percentage is measured, where the customer's price is a negotiated one.
    pub savings_basis: SavingsBasis,
    /// Whether commitments draw on usage that is metered as within a free tier.
    pub free_tier: FreeTierOrder,
    /// What a plan does with usage whose rate is above its on-demand price, as after a price cut.
    pub negative_savings: NegativeSavings,
    /// Which clock hours a commitment serves that starts or ends within an hour.
    pub partial_hours: PartialHours,
}

/// Sharing by groups of accounts (AWS Billing User Guide, "Managing Reserved Instances and Savings Plans discount sharing").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupSharing {
    /// Groups mean nothing.
    #[default]
    Off,
    /// The owner, then its group, then the rest of the organisation.
    Prioritised,
    /// The owner, then its group only; an owner without a group keeps its commitments.
    Restricted,
}

/// Several Savings Plans of one type with different rates. Not documented; AWS says that all plans apply together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanOrder {
    /// The pair of plan and line with the highest savings percentage first.
    #[default]
    BySavings,
    /// One plan after the other, by identifier.
    PlanByPlan,
}

/// The order of reservations that match the same line. Not documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaseOrder {
    /// The one that ends first, then by identifier.
    #[default]
    EarliestEnd,
    /// By identifier.
    Identifier,
}

/// The split of a reservation over lines of one size. The guide says that all concurrent instances get the benefit at the same time; the
/// split by resource is not documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConcurrentSplit {
    /// One line after the other, by SKU and account.
    #[default]
    LineByLine,
    /// In proportion to what runs.
    Proportional,
}

/// Where the free tier stands in the waterfall. "Understanding consolidated bills" puts it after Reserved Instance hours and before on
/// demand; its place beside Savings Plans is not documented. Bills mark the hours that were free, which no commitment covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreeTierOrder {
    /// Usage marked as free is what commitments left: they do not draw on it.
    #[default]
    AsMetered,
    /// Reservations draw on usage marked as free, plans do not.
    AfterReservations,
    /// Reservations and plans draw on it.
    AfterSavingsPlans,
}

/// The price that the savings percentage of a plan is measured against. AWS says "current On-Demand rates" without naming a basis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SavingsBasis {
    /// The public price.
    #[default]
    ListPrice,
    /// What the customer would pay on demand.
    CustomerPrice,
}

/// Savings Plan rates above the on-demand price. Not documented; that AWS skips them is an inference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NegativeSavings {
    /// The plan does not cover such usage.
    #[default]
    Skip,
    /// The plan covers it, last.
    Apply,
}

/// The first and last clock hour of a commitment that starts and ends within an hour. Not documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartialHours {
    /// The hour of its start in full, the hour of its end not at all.
    #[default]
    FirstOnly,
    /// Only hours that lie within the term as a whole.
    Whole,
    /// Both hours in full.
    Both,
}

impl PartialHours {
    /// Start and end moved so that the hour of the start is served and the hour of the end is not.
    pub(super) fn served(self, start: DateTime<Utc>, end: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        let almost = Duration::nanoseconds(3_599_999_999_999);
        match self {
            Self::FirstOnly => (start, end),
            Self::Whole => (start + almost, end),
            Self::Both => (start, end + almost),
        }
    }
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
    Group,
    Others,
}

const TIERS: [Tier; 3] = [Tier::Own, Tier::Group, Tier::Others];

/// The tag by which a line says that it is capacity reserved on demand (ODCR): its value `Unused` marks slots in which no instance
/// runs, as `capacity_reservation_status` does in the Cost and Usage Report.
pub const CAPACITY_RESERVATION_STATUS: &str = "capacity_reservation_status";

impl AwsRules {
    /// Whether a pass of a commitment may draw on an account's usage.
    fn admits(&self, tier: Tier, owner: &str, account: &str) -> bool {
        let own = owner.is_empty() || owner == account;
        let shares = !own && !self.sharing_off.contains(owner) && !self.sharing_off.contains(account);
        let same_group = self.groups.get(owner).is_some_and(|group| self.groups.get(account) == Some(group));
        match (tier, self.group_sharing) {
            (Tier::Own, _) => own,
            (Tier::Group, GroupSharing::Off) => false,
            (Tier::Group, GroupSharing::Prioritised | GroupSharing::Restricted) => shares && same_group,
            (Tier::Others, GroupSharing::Off) => shares,
            (Tier::Others, GroupSharing::Prioritised) => shares && !same_group,
            (Tier::Others, GroupSharing::Restricted) => false,
        }
    }
}

/// Adds the waterfall of AWS while the commitments with the indices in `active` run.
pub(super) fn draws(rules: &AwsRules, lines: &[PricedLine<'_>], held: &[Held<'_>], active: &[usize], waterfall: &mut Waterfall) {
    let active: Vec<usize> = active.iter().copied().filter(|index| held[*index].offer.provider == Provider::Aws).collect();
    reserved(rules, lines, held, &active, waterfall);
    savings_plans(rules, lines, held, &active, waterfall);
}

fn reserved(rules: &AwsRules, lines: &[PricedLine<'_>], held: &[Held<'_>], active: &[usize], waterfall: &mut Waterfall) {
    let mut leases: Vec<usize> = active.iter().copied().filter(|index| !held[*index].offer.is_spend_plan()).collect();
    leases.sort_by_key(|index| {
        let lease = &held[*index];
        let zonal = lease.commitment.scope.kind() == ScopeKind::AvailabilityZone;
        let end = match rules.lease_order {
            LeaseOrder::EarliestEnd => Some(lease.commitment.end),
            LeaseOrder::Identifier => None,
        };
        (!zonal, lease.is_flexible(), end, &lease.commitment.id)
    });
    for zonal in [true, false] {
        for tier in TIERS {
            for commitment in &leases {
                let lease = &held[*commitment];
                if zonal != (lease.commitment.scope.kind() == ScopeKind::AvailabilityZone) {
                    continue;
                }
                let mut matching: Vec<(bool, Decimal, usize)> = lines_of(lines, Provider::Aws)
                    .filter(|(_, line)| rules.admits(tier, &lease.commitment.account, &line.line.account))
                    .filter_map(|(index, line)| Some((is_unused_slot(line), units(lease, line)?, index)))
                    .collect();
                // Running instances before unused slots, the smallest size first; lines are sorted by SKU and account, so the index breaks ties.
                matching.sort();
                let draw = |(_, weight, line)| Draw { commitment: *commitment, line, weight };
                match rules.concurrent_split {
                    ConcurrentSplit::LineByLine => waterfall.in_order(matching.into_iter().map(draw)),
                    ConcurrentSplit::Proportional => {
                        for alike in matching.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
                            let portion = alike.iter().map(|member| (draw(*member), member.1)).collect();
                            waterfall.proportional([(portion, Decimal::ONE)]);
                        }
                    }
                }
            }
        }
    }
}

/// The units of a reservation's capacity that one unit of the line needs; `None` if the reservation does not cover it.
fn units(lease: &Held<'_>, line: &PricedLine<'_>) -> Option<Decimal> {
    let Benefit::Reservation { sku, pool } = &lease.offer.benefit else { return None };
    if let Scope::AvailabilityZone { availability_zone } = &lease.commitment.scope {
        return (line.price.id == *sku && line.line.availability_zone == *availability_zone)
            .then_some(Decimal::ONE)
            .filter(|_| !is_unused_slot(line));
    }
    match pool {
        Some(pool) => line.price.pools.iter().find(|member| member.pool == pool.pool).map(|member| member.units.value()),
        None => (line.price.id == *sku).then_some(Decimal::ONE),
    }
}

/// Whether a line is unused slots of a capacity reservation (EC2 User Guide, "Capacity Reservation pricing and billing": regional Reserved
/// Instances and Savings Plans apply to running instances first, then to unused slots; zonal ones never).
fn is_unused_slot(line: &PricedLine<'_>) -> bool {
    line.line.tags.get(CAPACITY_RESERVATION_STATUS).is_some_and(|status| status == "Unused")
}

fn savings_plans(rules: &AwsRules, lines: &[PricedLine<'_>], held: &[Held<'_>], active: &[usize], waterfall: &mut Waterfall) {
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
                if line.is_free() && rules.free_tier != FreeTierOrder::AfterSavingsPlans {
                    continue;
                }
                let Some(rate) = rates.get(&line.price.id).filter(|_| rules.admits(tier, owner, &line.line.account)) else {
                    continue;
                };
                if rules.negative_savings == NegativeSavings::Skip && *rate > line.price.price {
                    continue;
                }
                let id = &held[commitment].commitment.id;
                pairs.push(Pair {
                    commitment,
                    id,
                    slot: is_unused_slot(line),
                    line: index,
                    account: &line.line.account,
                    rate: *rate,
                    price: match rules.savings_basis {
                        SavingsBasis::ListPrice => line.list,
                        SavingsBasis::CustomerPrice => line.price.price,
                    },
                });
            }
        }
        pairs.sort_by(|a, b| {
            let by_plan = match rules.plan_order {
                PlanOrder::BySavings => Ordering::Equal,
                PlanOrder::PlanByPlan => a.id.cmp(b.id),
            };
            by_plan.then_with(|| a.order(b))
        });
        waterfall.in_order(pairs.iter().map(|pair| Draw {
            commitment: pair.commitment,
            line: pair.line,
            weight: pair.rate.value(),
        }));
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
    slot: bool,
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
        self.slot
            .cmp(&other.slot)
            .then_with(|| mine.cmp(&theirs))
            .then_with(|| self.rate.cmp(&other.rate))
            .then_with(|| self.account.cmp(other.account))
            .then_with(|| self.line.cmp(&other.line))
            .then_with(|| self.id.cmp(other.id))
    }
}
