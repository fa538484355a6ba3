//! The problem: usage lines with prices, slots of coverage, and the candidates that add capacity to them.
//!
//! A *slot* is one way of being covered: a pool of reservations, or one table of plan rates. Commitments held and candidates with the same
//! coverage share a slot; what they provide adds up. Sets and symbols are those of `docs/formulation.md`, "Sets and data".

use super::policy::Policy;
use super::recourse::Recourse;
use crate::billing::{Judge, Rules};
use crate::catalog::{Benefit, Catalog, Offer, ScopeKind};
use crate::error::Result;
use crate::portfolio::{Commitment, Portfolio, Scope};
use crate::time::Hour;
use crate::units::to_f64;
use crate::usage::{PricingCategory, UsageCurves};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// Tables of rates that differ from proportional ones by no more than this share a slot.
const PROPORTIONAL: f64 = 1e-4;

/// A planning problem: all that decides the answer. Solve it with `Problem::solve` (feature `highs`).
#[derive(Clone, Debug)]
pub struct Problem<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) usage: &'a UsageCurves,
    pub(super) portfolio: Portfolio,
    pub(super) policy: Policy,
    pub(super) rules: Rules,
    pub(super) candidates: Vec<Candidate>,
    pub(super) recourse: Recourse,
    /// What the commitments held cost over the hours of the usage, whatever is bought.
    pub(super) held_cost: f64,
}

/// An offer that may be bought, in the mathematics' terms.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The [`Offer::id`].
    pub offer: String,
    /// The scope it would be bought with.
    pub scope: Scope,
    /// The step in which it is bought: 1 reservation, or the policy's amount of money an hour.
    pub step: Decimal,
    /// How many steps may make sense at most: beyond, it could cover nothing more in any hour.
    pub max_steps: u32,
    /// What one step costs over all hours of the usage, upfront spread over the term.
    pub cost: f64,
    /// What one step costs an hour, upfront spread over the term.
    pub hourly_cost: f64,
    /// What one step costs upfront.
    pub upfront: f64,
    /// The term in months.
    pub months: u32,
    /// Whether its steps are so small that the bound lets it be bought in any amount (spend plans); else it is bought in whole steps.
    pub is_divisible: bool,
    /// The slot it adds capacity to, and how much one step adds.
    pub(super) slot: usize,
    pub(super) capacity: f64,
}

/// One way of being covered: which lines, and what one unit of each needs of the slot's capacity.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slot {
    /// Line -> weight.
    pub(super) weights: BTreeMap<usize, Decimal>,
    /// What is held: capacity in a stretch of hours.
    pub(super) held: Vec<(Range<usize>, f64)>,
    /// The most that the lines need in an hour.
    pub(super) peak: f64,
}

impl<'a> Problem<'a> {
    /// See [`super::Planner::build`].
    pub(super) fn new(
        catalog: &'a Catalog,
        usage: &'a UsageCurves,
        portfolio: Portfolio,
        policy: Policy,
        rules: Rules,
    ) -> Result<Self> {
        policy.check()?;
        // The judge checks all that can be wrong with usage, catalog and portfolio together.
        drop(Judge::new(usage, catalog, &portfolio, &rules)?);
        let mut builder = Builder::new(catalog, usage);
        builder.hold(&portfolio)?;
        builder.offer(&policy);
        let Builder { lines, prices, slots, candidates, .. } = builder;
        let held_cost = held_cost(catalog, usage, &portfolio)?;
        let recourse = Recourse::new(usage, &lines, prices, &slots);
        Ok(Self { catalog, usage, portfolio, policy, rules, candidates, recourse, held_cost })
    }

    /// What may be bought.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The commitments that a number of steps of each candidate are. They start with the usage and run through it, or for their term if that
    /// is longer.
    ///
    /// # Panics
    /// If there are fewer numbers than candidates.
    #[must_use]
    pub fn commitments(&self, steps: &[u32]) -> Vec<Commitment> {
        let grid = self.usage.grid();
        let start = grid.first.start();
        let window_end = Hour::start(grid.hour(grid.count));
        let bought = |(index, candidate): (usize, &Candidate)| {
            let quantity = candidate.step * Decimal::from(steps[index]);
            let offer = self.catalog.offer(&candidate.offer)?;
            let end = offer.term.end(start).max(window_end);
            let (id, scope) = (format!("buy {}", candidate.offer), candidate.scope.clone());
            (!quantity.is_zero()).then(|| Commitment {
                id,
                offer: offer.id.clone(),
                quantity,
                start,
                end,
                account: String::new(),
                scope,
            })
        };
        self.candidates.iter().enumerate().filter_map(bought).collect()
    }

    /// The portfolio held with a number of steps of each candidate bought.
    ///
    /// # Errors
    /// [`crate::Problem::Repeated`] if something held has the identifier of a purchase.
    pub fn portfolio_with(&self, steps: &[u32]) -> Result<Portfolio> {
        self.portfolio.with(self.commitments(steps))
    }

    /// What the usage costs by the judge, in f64, with a number of steps of each candidate bought.
    ///
    /// # Errors
    /// As [`Problem::portfolio_with`] and [`Judge::new`].
    pub fn billed_cost(&self, steps: &[u32]) -> Result<f64> {
        let portfolio = self.portfolio_with(steps)?;
        Ok(Judge::new(self.usage, self.catalog, &portfolio, &self.rules)?.cost())
    }

    /// Whether a number of steps of each candidate keeps the policy.
    #[must_use]
    pub fn is_allowed(&self, steps: &[u32]) -> bool {
        self.is_within_policy(&steps.iter().map(|steps| f64::from(*steps)).collect::<Vec<f64>>())
    }

    /// The same for steps that need not be whole.
    pub(super) fn is_within_policy(&self, steps: &[f64]) -> bool {
        let bought = || self.candidates.iter().zip(steps).map(|(candidate, steps)| (candidate, *steps));
        let total = |value: fn(&Candidate) -> f64| bought().map(|(candidate, steps)| value(candidate) * steps).sum::<f64>();
        let within = |value: f64, limit: f64| value <= limit + 1e-9 * limit.abs().max(1.0);
        let upfront = total(|candidate| candidate.upfront);
        let three_year = total(|candidate| if candidate.months >= 36 { candidate.hourly_cost } else { 0.0 });
        self.policy.upfront_budget.is_none_or(|budget| within(upfront, budget.to_f64()))
            && self
                .policy
                .max_share_three_year
                .is_none_or(|share| within(three_year, share * total(|candidate| candidate.hourly_cost)))
    }
}

fn held_cost(catalog: &Catalog, usage: &UsageCurves, portfolio: &Portfolio) -> Result<f64> {
    let mut cost = 0.0;
    for commitment in portfolio.commitments() {
        let offer = portfolio.offer(catalog, commitment)?;
        let hours = usage.grid().span(commitment.start, commitment.end);
        let weighted: f64 = usage.weights().slice(ndarray::s![hours]).sum();
        cost += to_f64(offer.effective_hourly().value() * commitment.quantity) * weighted;
    }
    Ok(cost)
}

/// Gathers lines, slots and candidates.
struct Builder<'a> {
    catalog: &'a Catalog,
    usage: &'a UsageCurves,
    /// The columns of the usage that take part.
    lines: Vec<usize>,
    prices: Vec<f64>,
    /// Price id -> lines.
    by_price: HashMap<&'a str, Vec<usize>>,
    slots: Vec<Slot>,
    /// Lines covered -> slots that cover just them.
    by_lines: HashMap<Vec<usize>, Vec<usize>>,
    candidates: Vec<Candidate>,
}

impl<'a> Builder<'a> {
    fn new(catalog: &'a Catalog, usage: &'a UsageCurves) -> Self {
        let (mut lines, mut prices) = (Vec::new(), Vec::new());
        let mut by_price: HashMap<&'a str, Vec<usize>> = HashMap::new();
        for (column, line) in usage.lines().iter().enumerate() {
            let Some(price) = catalog.price(&line.sku).filter(|_| line.pricing == PricingCategory::Standard) else { continue };
            by_price.entry(price.id.as_str()).or_default().push(lines.len());
            lines.push(column);
            prices.push(price.price.to_f64());
        }
        Self { catalog, usage, lines, prices, by_price, slots: Vec::new(), by_lines: HashMap::new(), candidates: Vec::new() }
    }

    /// The commitments held become capacity of their slots.
    fn hold(&mut self, portfolio: &Portfolio) -> Result<()> {
        for commitment in portfolio.commitments() {
            let offer = portfolio.offer(self.catalog, commitment)?;
            let weights = self.coverage(offer, &commitment.scope);
            let hours = self.usage.grid().span(commitment.start, commitment.end);
            if weights.is_empty() || hours.is_empty() {
                continue;
            }
            let capacity = to_f64(commitment.quantity) * units(offer, &commitment.scope);
            let (slot, worth) = self.slot(weights);
            self.slots[slot].held.push((hours, capacity * worth));
        }
        Ok(())
    }

    /// The offers that the policy allows become candidates, unless another is at least as good in every respect.
    fn offer(&mut self, policy: &Policy) {
        let mut candidates: Vec<Candidate> = Vec::new();
        let total_hours = self.usage.total_hours();
        for offer in self.catalog.offers().iter().filter(|offer| policy.allows(offer)) {
            let scope = if offer.scopes.contains(&ScopeKind::Region) { Scope::Region } else { Scope::Shared };
            let weights = self.coverage(offer, &scope);
            if weights.is_empty() || !offer.scopes.contains(&scope.kind()) {
                continue;
            }
            let step = if offer.is_spend_plan() { policy.spend_plan_increment } else { Decimal::ONE };
            let (slot, worth) = self.slot(weights);
            let capacity = to_f64(step) * units(offer, &scope) * worth;
            let max_steps = (self.slots[slot].peak / capacity).ceil().to_u32().unwrap_or(u32::MAX);
            let hourly_cost = to_f64(offer.effective_hourly().value() * step);
            if max_steps == 0 {
                continue;
            }
            candidates.push(Candidate {
                offer: offer.id.clone(),
                scope,
                step,
                max_steps,
                cost: hourly_cost * total_hours,
                hourly_cost,
                upfront: to_f64(offer.upfront.value() * step),
                months: offer.term.nominal_months(),
                is_divisible: offer.is_spend_plan(),
                slot,
                capacity,
            });
        }
        self.candidates = undominated(candidates, &self.slots, policy);
    }

    /// The lines that an offer bought with a scope covers, by the providers' matching rules, with the weight of each.
    fn coverage(&self, offer: &Offer, scope: &Scope) -> BTreeMap<usize, Decimal> {
        let lines = self.usage.lines();
        let in_scope = |line: &&usize| match scope {
            Scope::AvailabilityZone { availability_zone } => lines[self.lines[**line]].availability_zone == *availability_zone,
            Scope::Subscription { subscription } => lines[self.lines[**line]].account == *subscription,
            Scope::ManagementGroup { subscriptions } => subscriptions.contains(&lines[self.lines[**line]].account),
            Scope::ResourceGroup { subscription, resource_group } => {
                let line = &lines[self.lines[**line]];
                line.account == *subscription && line.tags.get("resource_group") == Some(resource_group)
            }
            Scope::Project { project } => lines[self.lines[**line]].account == *project,
            Scope::Region | Scope::Shared => true,
        };
        let of_price = |id: &str| self.by_price.get(id).into_iter().flatten().filter(in_scope).copied();
        match &offer.benefit {
            Benefit::Reservation { pool: Some(pool), .. } if scope.kind() != ScopeKind::AvailabilityZone => {
                let members = self.by_price.keys().filter_map(|id| self.catalog.price_with_id(id));
                members
                    .filter_map(|price| Some((price, price.pools.iter().find(|member| member.pool == pool.pool)?.units.value())))
                    .flat_map(|(price, units)| of_price(&price.id).map(move |line| (line, units)))
                    .collect()
            }
            Benefit::Reservation { sku, .. } => of_price(sku).map(|line| (line, Decimal::ONE)).collect(),
            Benefit::SpendPlan { rates, .. } => {
                rates.iter().flat_map(|(id, rate)| of_price(id).map(move |line| (line, rate.value()))).collect()
            }
        }
    }

    /// The slot with this coverage, and what one unit of capacity counts there. Tables of rates that are proportional to each other (the
    /// payment options of one plan, but for rounding) share a slot: one unit of the one is worth a fixed number of units of the other. The
    /// number is taken from the line where it is highest, so that rounding makes the bound lower, never higher.
    fn slot(&mut self, weights: BTreeMap<usize, Decimal>) -> (usize, f64) {
        let known = self.by_lines.entry(weights.keys().copied().collect()).or_default();
        for slot in known.iter() {
            let ratios =
                || self.slots[*slot].weights.values().zip(weights.values()).map(|(there, here)| to_f64(*there) / to_f64(*here));
            let (least, most) = (ratios().fold(f64::INFINITY, f64::min), ratios().fold(0.0, f64::max));
            if most <= least * (1.0 + PROPORTIONAL) {
                return (*slot, most);
            }
        }
        known.push(self.slots.len());
        let peak = self.peak(&weights);
        self.slots.push(Slot { weights, held: Vec::new(), peak });
        (self.slots.len() - 1, 1.0)
    }

    /// The most capacity that the covered lines could need in an hour.
    fn peak(&self, weights: &BTreeMap<usize, Decimal>) -> f64 {
        let weights: Vec<(usize, f64)> = weights.iter().map(|(line, weight)| (self.lines[*line], to_f64(*weight))).collect();
        let need = |hour| {
            let quantities = self.usage.at(hour);
            weights.iter().map(|(column, weight)| quantities[*column] * weight).sum::<f64>()
        };
        (0..self.usage.grid().count).map(need).fold(0.0, f64::max)
    }
}

/// What one unit of an offer, bought with a scope, provides an hour.
fn units(offer: &Offer, scope: &Scope) -> f64 {
    match &offer.benefit {
        Benefit::Reservation { pool: Some(pool), .. } if scope.kind() != ScopeKind::AvailabilityZone => pool.units.to_f64(),
        Benefit::Reservation { .. } | Benefit::SpendPlan { .. } => 1.0,
    }
}

/// How many steps of one candidate cover at least what one step of another covers, whatever the usage; `None` if no number does, or if both
/// are bought in whole steps of different slots.
fn times_to_replace(other: &Candidate, candidate: &Candidate, slots: &[Slot]) -> Option<f64> {
    let times = candidate.capacity / other.capacity;
    if other.slot == candidate.slot {
        return Some(times);
    }
    let (theirs, ours) = (&slots[other.slot].weights, &slots[candidate.slot].weights);
    if !candidate.is_divisible || !other.is_divisible || !theirs.keys().eq(ours.keys()) {
        return None;
    }
    let ratios = theirs.values().zip(ours.values()).map(|(theirs, ours)| to_f64(*theirs) / to_f64(*ours));
    Some(times * ratios.fold(0.0, f64::max))
}

/// Leaves out candidates that another can replace at no higher cost, with no coarser steps, and alike in all that the policy limits.
fn undominated(mut candidates: Vec<Candidate>, slots: &[Slot], policy: &Policy) -> Vec<Candidate> {
    // Small steps first, then cheap ones, so that whatever replaces a candidate has been kept before it.
    candidates.sort_by(|a, b| {
        let per_unit = |candidate: &Candidate| candidate.hourly_cost / candidate.capacity;
        let steps = if a.is_divisible && b.is_divisible { std::cmp::Ordering::Equal } else { a.capacity.total_cmp(&b.capacity) };
        steps.then(per_unit(a).total_cmp(&per_unit(b))).then_with(|| a.offer.cmp(&b.offer))
    });
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let replaces = |other: &Candidate| {
            let Some(times) = times_to_replace(other, &candidate, slots) else { return false };
            (candidate.is_divisible || (times - times.round()).abs() < 1e-9)
                && other.hourly_cost * times <= candidate.hourly_cost * (1.0 + 1e-12)
                && (policy.upfront_budget.is_none() || other.upfront * times <= candidate.upfront * (1.0 + 1e-12))
                && (policy.max_share_three_year.is_none() || (other.months >= 36) == (candidate.months >= 36))
        };
        if !kept.iter().any(replaces) {
            kept.push(candidate);
        }
    }
    kept.sort_by(|a, b| a.offer.cmp(&b.offer));
    kept
}
