//! Azure: the order in which reservations and savings plans draw on usage.
//!
//! From "How benefits are applied" (benefit-application-order), "Understand how VM reservation discounts are applied", "Instance size
//! flexibility" and "How a savings plan discount is applied" of the Cost Management documentation, editions of 2023-07 to 2026-07:
//! 1. reservations by scope: resource group, subscription, management group, shared; by the hour's sum of usage; in their size
//!    flexibility group (a pool of the catalog) or, with flexibility off, on the exact size. They apply even where on demand is cheaper;
//! 2. savings plans on what is left: the highest discount first, at the rates of the month's price sheet; usage whose negotiated price
//!    is below the plan's rate is charged, and draws on the commitment, at the negotiated price.
//!
//! [Pre-purchase plans](pre_purchase), which stand between the two and are drawn down over a term, are a pass of their own.
//!
//! Windows and SQL licences are usage lines of their own, which no pool or plan of compute has. What is reserved per vCore, 100 RU/s,
//! TiB, disk, cDWU, CU or PTU differs in pools and units only. What the documentation leaves open is a switch in [`AzureRules`].
//!
//! As formulas: `docs/formulation-billing-azure-gcp.md`, "Azure".

mod order;
pub mod pre_purchase;

use super::waterfall::{Draw, Waterfall};
use super::{Held, PartialHours, PricedLine, lines_of};
use crate::catalog::Benefit;
use crate::error::{Error, Problem, Result};
use crate::portfolio::Scope;
use crate::time::Month;
use crate::units::UnitPrice;
use crate::usage::Provider;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The tag in which a usage line names its resource group.
pub const RESOURCE_GROUP_TAG: &str = "resource_group";

/// The switches of Azure's rules, and the price sheets that they need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AzureRules {
    /// Which of several reservations of one scope level is drawn first: "first come, first served" in the documentation.
    pub reservation_order: ReservationOrder,
    /// Which size of a flexibility group a reservation covers first. Not documented.
    pub size_order: SizeOrder,
    /// Against which price a savings plan's discount is measured.
    pub discount_basis: DiscountBasis,
    /// How scope and term of several savings plans combine.
    pub plan_order: PlanOrder,
    /// Which of several records with the same discount a savings plan covers first. Not documented.
    pub tie_order: TieOrder,
    /// Which clock hours a commitment serves that starts or ends within an hour. Not documented.
    pub partial_hours: PartialHours,
    /// List prices, by [`crate::catalog::OnDemandPrice::id`], where they differ from the customer's price in the catalog.
    pub list_prices: BTreeMap<String, UnitPrice>,
    /// Rates of savings plans from later price sheets than the offers'.
    pub plan_rates: Vec<PlanRates>,
}

/// The rates of a savings plan from the first of a month on: rates are not locked, and the current price sheet applies. A rate here may
/// be above the customer's price in the catalog, where that is a negotiated one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanRates {
    /// The first day they apply, the first of a month.
    pub from: NaiveDate,
    /// The [`crate::catalog::Offer::id`].
    pub offer: String,
    /// The rate of each SKU, by [`crate::catalog::OnDemandPrice::id`]; SKUs left out are no longer covered.
    pub rates: BTreeMap<String, UnitPrice>,
}

/// The order of several reservations of one scope level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationOrder {
    /// Exact ones before flexible ones, so that a flexible one is left for what only it can cover; then the earliest end; then the id.
    #[default]
    ExactFirst,
    /// The earliest end, then the id.
    EarliestEnd,
    /// The id alone.
    Id,
}

/// The order of the sizes that one reservation can cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeOrder {
    /// By what a unit of the reservation saves on demand, from the most: the order that serves the customer, as savings plans do.
    #[default]
    LargestSaving,
    /// From the smallest size, as AWS does.
    SmallestFirst,
    /// In the order of the usage lines: by SKU, then subscription.
    Record,
}

/// The price that a savings plan's discount percentage is measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscountBasis {
    /// What the customer would pay on demand.
    #[default]
    CustomerPrice,
    /// The list price.
    ListPrice,
}

/// The order of records with the same discount under a savings plan. It moves only the last record, covered in part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TieOrder {
    /// In the order of the usage lines: by SKU, then subscription.
    #[default]
    Record,
    /// The lowest rate first.
    LowestRate,
    /// The highest rate first.
    HighestRate,
}

/// The order of several savings plans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanOrder {
    /// The narrower scope, then the longer term, then the earliest end.
    #[default]
    ScopeThenTerm,
    /// The longer term, then the narrower scope, then the earliest end.
    TermThenScope,
}

impl AzureRules {
    /// # Errors
    /// [`Problem::Value`] for rates that do not start on the first of a month, [`Problem::Repeated`] for two of one offer and day,
    /// [`Problem::PriceNotPositive`] for a rate that is not above 0.
    pub(super) fn check(&self) -> Result<()> {
        use chrono::Datelike;
        let mut seen = BTreeSet::new();
        for (index, sheet) in self.plan_rates.iter().enumerate() {
            let at = |problem: Problem, field: &str| {
                Error::from(problem).in_field(format!("rules.azure.plan_rates[{index}].{field}")).in_item(sheet.offer.clone())
            };
            if sheet.from.day() != 1 {
                return Err(at(Problem::Value { value: sheet.from.to_string(), expected: "the first day of a month" }, "from"));
            }
            if !seen.insert((&sheet.offer, sheet.from)) {
                return Err(at(Problem::Repeated, "from"));
            }
            if let Some((id, rate)) = sheet.rates.iter().find(|(_, rate)| **rate <= UnitPrice::ZERO) {
                return Err(at(Problem::PriceNotPositive { value: rate.to_string() }, &format!("rates.{id}")));
            }
        }
        Ok(())
    }

    /// The rates of a plan in a month: the latest price sheet up to it, else the offer's own.
    fn rates<'r>(&'r self, held: &'r Held<'_>, month: Month) -> Option<&'r BTreeMap<String, UnitPrice>> {
        let Benefit::SpendPlan { rates, .. } = &held.offer.benefit else { return None };
        let first = month.start().date_naive();
        let sheets = self.plan_rates.iter().filter(|sheet| sheet.offer == held.offer.id && sheet.from <= first);
        Some(sheets.max_by_key(|sheet| sheet.from).map_or(rates, |sheet| &sheet.rates))
    }
}

/// Adds the waterfall of Azure in a month while the commitments with the indices in `active` run.
pub(super) fn draws(
    rules: &AzureRules,
    month: Month,
    lines: &[PricedLine<'_>],
    held: &[Held<'_>],
    active: &[usize],
    waterfall: &mut Waterfall,
) {
    let active: Vec<usize> = active.iter().copied().filter(|index| held[*index].offer.provider == Provider::Azure).collect();
    let (mut plans, mut reservations): (Vec<usize>, Vec<usize>) =
        active.into_iter().partition(|index| held[*index].offer.is_spend_plan());
    reservations.sort_by(|a, b| order::reservations(rules.reservation_order, &held[*a], &held[*b]));
    for index in reservations {
        waterfall.in_order(reservation_draws(rules, lines, &held[index], index));
    }
    plans.sort_by(|a, b| order::plans(rules.plan_order, &held[*a], &held[*b]));
    for index in plans {
        waterfall.in_order(plan_draws(rules, month, lines, &held[index], index));
    }
}

/// Whether a scope admits a line. A management group that all subscriptions have left is shared.
fn admits(scope: &Scope, line: &PricedLine<'_>) -> bool {
    let line = line.line;
    match scope {
        Scope::ResourceGroup { subscription, resource_group } => {
            let group = line.tags.get(RESOURCE_GROUP_TAG);
            line.account == *subscription && group.is_some_and(|group| group.eq_ignore_ascii_case(resource_group))
        }
        Scope::Subscription { subscription } => line.account == *subscription,
        Scope::ManagementGroup { subscriptions } => subscriptions.is_empty() || subscriptions.contains(&line.account),
        Scope::Shared => true,
        Scope::AvailabilityZone { .. } | Scope::Region | Scope::Project { .. } => false,
    }
}

fn reservation_draws(rules: &AzureRules, lines: &[PricedLine<'_>], held: &Held<'_>, commitment: usize) -> Vec<Draw> {
    let Benefit::Reservation { sku, pool } = &held.offer.benefit else { return Vec::new() };
    let need = |line: &PricedLine<'_>| match pool {
        Some(pool) => line.price.pools.iter().find(|member| member.pool == pool.pool).map(|member| member.units.value()),
        None => (line.price.id == *sku).then_some(Decimal::ONE),
    };
    let mut matching: Vec<(Draw, UnitPrice)> = lines_of(lines, Provider::Azure)
        .filter(|(_, line)| admits(&held.commitment.scope, line))
        .filter_map(|(index, line)| Some((Draw { commitment, line: index, weight: need(line)? }, line.price.price)))
        .collect();
    matching.sort_by(|(a, a_price), (b, b_price)| order::sizes(rules.size_order, (a, *a_price), (b, *b_price)));
    matching.into_iter().map(|(draw, _)| draw).collect()
}

fn plan_draws(rules: &AzureRules, month: Month, lines: &[PricedLine<'_>], held: &Held<'_>, commitment: usize) -> Vec<Draw> {
    let Some(rates) = rules.rates(held, month) else { return Vec::new() };
    let mut records: Vec<(Draw, order::Discount)> = lines_of(lines, Provider::Azure)
        .filter(|(_, line)| admits(&held.commitment.scope, line))
        .filter_map(|(index, line)| {
            let (plan_rate, price) = (*rates.get(&line.price.id)?, line.price.price);
            let rate = plan_rate.min(price);
            let discount = match rules.discount_basis {
                DiscountBasis::CustomerPrice => order::Discount { rate, price },
                DiscountBasis::ListPrice => order::Discount { rate: plan_rate.min(line.list), price: line.list },
            };
            Some((Draw { commitment, line: index, weight: rate.value() }, discount))
        })
        .collect();
    let tie = |a: &Draw, b: &Draw| match rules.tie_order {
        TieOrder::Record => std::cmp::Ordering::Equal,
        TieOrder::LowestRate => a.weight.cmp(&b.weight),
        TieOrder::HighestRate => b.weight.cmp(&a.weight),
    };
    records.sort_by(|(a, a_discount), (b, b_discount)| {
        a_discount.cmp_highest_first(b_discount).then_with(|| tie(a, b)).then(a.line.cmp(&b.line))
    });
    records.into_iter().map(|(draw, _)| draw).collect()
}

#[cfg(test)]
mod tests;
