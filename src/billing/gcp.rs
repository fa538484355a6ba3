//! Google Cloud: how resource-based and spend-based commitments draw on usage, and what comes after them.
//!
//! From "Purchase resource-based commitments" (Compute Engine), "Spend-based committed use discounts", "Spend-based CUDs data model
//! updates" and "Attribution of committed use discount fees and credits" (Cloud Billing), editions read in 2026:
//! 1. resource-based commitments by region, series and resource (a pool of the catalog), in their project, or in the whole billing
//!    account with discount sharing;
//! 2. spend-based commitments of single services;
//! 3. Compute flexible commitments on what is left;
//! 4. [sustained use discounts](sustained) on what no commitment touched.
//!
//! A commitment that is too small is split over its lines in proportion. Under the legacy model an offer's rates are the on-demand prices
//! (a commitment of 1 covers on-demand usage worth 1 and costs `1 - d`); under the new model they are the discounted prices (a
//! commitment of 1 costs 1). The replay is the same. What the documentation leaves open is a switch in [`GcpRules`].
//!
//! As formulas: `docs/formulation-billing-azure-gcp.md`, "Google Cloud".

pub mod attribution;
pub mod sustained;

pub use crate::time::pacific as calendar;

use super::waterfall::{Draw, Waterfall};
use super::{Held, PartialHours, PricedLine, lines_of};
use crate::catalog::Benefit;
use crate::portfolio::Scope;
use crate::usage::Provider;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use sustained::{SustainedUseGrouping, SustainedUseThresholds, Tiers};

/// Plan type of Compute flexible commitments. All other types of spend plan are of single services and apply before it.
pub const FLEXIBLE_PLAN: &str = "Compute flexible";

/// The switches of Google's rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GcpRules {
    /// By what a spend-based commitment that is too small is split over SKUs. Published rows have equal discounts, where both agree.
    pub split: SpendSplit,
    /// Which of several spend-based commitments of one type is drawn first. Not documented.
    pub commitment_order: CommitmentOrder,
    /// Which clock hours a commitment serves that starts or ends within an hour. Google starts commitments at full hours.
    pub partial_hours: PartialHours,
    /// How usage is grouped before sustained use discounts.
    pub sustained_use_grouping: SustainedUseGrouping,
    /// Whether usage that commitments cover helps the rest to reach the discounts' thresholds.
    pub sustained_use_thresholds: SustainedUseThresholds,
    /// The sustained use tiers of each family, in capitals; families that are not in it get none.
    pub sustained_use_tiers: BTreeMap<String, Tiers>,
}

impl Default for GcpRules {
    fn default() -> Self {
        Self {
            split: SpendSplit::default(),
            commitment_order: CommitmentOrder::default(),
            partial_hours: PartialHours::default(),
            sustained_use_grouping: SustainedUseGrouping::default(),
            sustained_use_thresholds: SustainedUseThresholds::default(),
            sustained_use_tiers: sustained::documented_tiers(),
        }
    }
}

/// By what a spend-based commitment is split over SKUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpendSplit {
    /// By their cost at on-demand prices.
    #[default]
    OnDemandCost,
    /// By their cost at the commitment's rates, so that the same share of each SKU is covered.
    CommitmentCost,
}

/// The order of several spend-based commitments of one type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitmentOrder {
    /// The longest term first, then the earliest end.
    #[default]
    LongerTermFirst,
    /// All at once, each on a part of every line in proportion to its amount; what one leaves goes to the others.
    Proportional,
}

/// What an amount committed under the legacy model (on-demand money an hour) is under the new one (discounted money an hour).
#[must_use]
pub fn converted_commitment(on_demand_per_hour: Decimal, discount: Decimal) -> Decimal {
    on_demand_per_hour * (Decimal::ONE - discount)
}

/// The discount that the fee of a legacy spend-based commitment stands for: `1 - fee / 0.01`, the fee being that of 0.01 of on-demand
/// spend.
#[must_use]
pub fn discount_of_fee(fee_per_cent_committed: Decimal) -> Decimal {
    Decimal::ONE - fee_per_cent_committed * Decimal::ONE_HUNDRED
}

/// Adds the waterfall of Google Cloud while the commitments with the indices in `active` run.
pub(super) fn draws(rules: &GcpRules, lines: &[PricedLine<'_>], held: &[Held<'_>], active: &[usize], waterfall: &mut Waterfall) {
    let active: Vec<usize> = active.iter().copied().filter(|index| held[*index].offer.provider == Provider::Gcp).collect();
    let (mut plans, mut resources): (Vec<usize>, Vec<usize>) =
        active.into_iter().partition(|index| held[*index].offer.is_spend_plan());
    // A project's own commitment before a shared one; the order within does not change totals.
    resources.sort_by_key(|index| {
        let commitment = held[*index].commitment;
        (commitment.scope == Scope::Shared, commitment.end, &commitment.id)
    });
    for index in resources {
        waterfall.proportional([(resource_draws(lines, &held[index], index), Decimal::ONE)]);
    }
    plans.sort_by_key(|index| {
        let held = &held[*index];
        (std::cmp::Reverse(held.offer.term.nominal_months()), held.commitment.end, &held.commitment.id)
    });
    let types: BTreeSet<(bool, &str)> = plans.iter().map(|index| plan_type(&held[*index])).collect();
    for plan in types {
        let plans: Vec<usize> = plans.iter().copied().filter(|index| plan_type(&held[*index]) == plan).collect();
        if rules.commitment_order == CommitmentOrder::Proportional && plans.len() > 1 {
            let total: Decimal = plans.iter().map(|index| held[*index].commitment.quantity).sum();
            let part = |index: &usize| {
                let draws = plan_draws(rules, lines, &held[*index], *index);
                (draws, held[*index].commitment.quantity / total)
            };
            waterfall.proportional(plans.iter().map(part));
        }
        for index in plans {
            waterfall.proportional([(plan_draws(rules, lines, &held[index], index), Decimal::ONE)]);
        }
    }
}

/// Whether it is the flexible type, and its name: service commitments sort first.
fn plan_type<'h>(held: &'h Held<'_>) -> (bool, &'h str) {
    match &held.offer.benefit {
        Benefit::SpendPlan { plan, .. } => (plan == FLEXIBLE_PLAN, plan),
        Benefit::Reservation { .. } => (false, ""),
    }
}

/// Whether a commitment's scope admits a line.
fn admits(scope: &Scope, line: &PricedLine<'_>) -> bool {
    match scope {
        Scope::Project { project } => *project == line.line.account,
        Scope::Region | Scope::Shared => true,
        Scope::AvailabilityZone { .. }
        | Scope::ManagementGroup { .. }
        | Scope::Subscription { .. }
        | Scope::ResourceGroup { .. } => false,
    }
}

fn resource_draws(lines: &[PricedLine<'_>], held: &Held<'_>, commitment: usize) -> Vec<(Draw, Decimal)> {
    let Benefit::Reservation { sku, pool } = &held.offer.benefit else { return Vec::new() };
    let need = |line: &PricedLine<'_>| match pool {
        Some(pool) => line.price.pools.iter().find(|member| member.pool == pool.pool).map(|member| member.units.value()),
        None => (line.price.id == *sku).then_some(Decimal::ONE),
    };
    lines_of(lines, Provider::Gcp)
        .filter(|(_, line)| admits(&held.commitment.scope, line))
        .filter_map(|(index, line)| need(line).map(|weight| (Draw { commitment, line: index, weight }, weight)))
        .collect()
}

fn plan_draws(rules: &GcpRules, lines: &[PricedLine<'_>], held: &Held<'_>, commitment: usize) -> Vec<(Draw, Decimal)> {
    let Benefit::SpendPlan { rates, .. } = &held.offer.benefit else { return Vec::new() };
    lines_of(lines, Provider::Gcp)
        .filter(|(_, line)| admits(&held.commitment.scope, line))
        .filter_map(|(index, line)| {
            let weight = rates.get(&line.price.id)?.value();
            let key = match rules.split {
                SpendSplit::OnDemandCost => line.price.price.value(),
                SpendSplit::CommitmentCost => weight,
            };
            Some((Draw { commitment, line: index, weight }, key))
        })
        .collect()
}

#[cfg(test)]
mod tests;
