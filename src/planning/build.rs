//! Builds a problem: matches usage lines with prices, offers with the lines they cover, and leaves out what cannot be better.

mod change;

use super::action::{Change, Limit, renews};
use super::agreement::{Compiled, Discounting, Signed};
use super::column::{ChangeTerms, Column, Effect};
use super::objective::Objective;
use super::policy::Policy;
use super::problem::{Candidate, Held, Scenario, Slot};
use super::recourse::{Demand, Recourse};
use super::rows::{Inputs, Rows};
use super::timing::{Renewal, Timing};
use crate::billing::agreement::ChargeKind;
use crate::billing::{self, Rules};
use crate::catalog::{Benefit, Catalog, Offer, ScopeKind};
use crate::error::{Error, Problem as Wrong, Result};
use crate::portfolio::{Portfolio, Scope};
use crate::time::Hour;
use crate::units::to_f64;
use crate::usage::UsageCurves;
use change::HeldUnits;
use chrono::{DateTime, Utc};
use rayon::prelude::*;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

/// Tables of rates that differ from proportional ones by no more than this share a slot.
const PROPORTIONAL: f64 = 1e-4;

/// What the builder makes.
pub(super) struct Built<'a> {
    pub(super) candidates: Vec<Candidate>,
    /// Purchases, in the order of the candidates, then changes.
    pub(super) columns: Vec<Column>,
    pub(super) change_terms: Vec<ChangeTerms>,
    /// For each commitment held, in the portfolio's order, the slot that it has capacity in.
    pub(super) held_slots: Vec<Option<usize>>,
    pub(super) rows: Rows,
    pub(super) recourse: Recourse<'a>,
    pub(super) lines: Vec<usize>,
    pub(super) set_aside: Vec<(String, String)>,
    pub(super) held_cost: f64,
    pub(super) on_demand_equivalent: Vec<f64>,
}

/// Gathers lines, slots and candidates.
pub(super) struct Builder<'a, 'b> {
    catalog: &'a Catalog,
    scenarios: &'b [Scenario<'a>],
    usage: &'a UsageCurves,
    policy: &'b Policy,
    timing: &'b Timing,
    is_by_scenario: bool,
    /// The columns of the usage that take part, with the least that a unit can cost on demand, and its price.
    lines: Vec<usize>,
    least_prices: Vec<f64>,
    prices: Vec<f64>,
    hour_weights: Vec<f64>,
    /// Price id -> lines.
    by_price: HashMap<&'a str, Vec<usize>>,
    slots: Vec<Slot>,
    /// Lines covered -> slots that cover just them.
    by_lines: HashMap<Vec<usize>, Vec<usize>>,
    /// Offers that the judge would refuse, and why.
    set_aside: Vec<(String, String)>,
    /// Offer -> the days on which something held that it renews ends.
    renewals: HashMap<&'a str, BTreeSet<DateTime<Utc>>>,
    /// Coverage -> product.
    products: HashMap<Vec<(usize, ScopeKind)>, usize>,
    /// The agreement's discounts, the hours at which it cuts blocks, and whether it asks for spend.
    discounting: Option<&'b Discounting>,
    agreement_cuts: Vec<Range<usize>>,
    has_minimum: bool,
}

impl<'a, 'b> Builder<'a, 'b> {
    pub(super) fn new(
        catalog: &'a Catalog,
        scenarios: &'b [Scenario<'a>],
        policy: &'b Policy,
        timing: &'b Timing,
        objective: &Objective,
        least: &BTreeMap<usize, f64>,
    ) -> Self {
        let usage = scenarios[0].usage;
        let (mut lines, mut least_prices, mut prices) = (Vec::new(), Vec::new(), Vec::new());
        let mut by_price: HashMap<&'a str, Vec<usize>> = HashMap::new();
        for (column, line) in usage.lines().iter().enumerate() {
            let (Some(least), Some(price)) = (least.get(&column), catalog.price(&line.sku)) else { continue };
            by_price.entry(price.id.as_str()).or_default().push(lines.len());
            lines.push(column);
            least_prices.push(*least);
            prices.push(price.price.to_f64());
        }
        let has_scenario_rules = policy.max_coverage.is_some() || policy.min_coverage.is_some();
        Self {
            catalog,
            scenarios,
            usage,
            policy,
            timing,
            is_by_scenario: objective.is_by_scenario() || has_scenario_rules,
            lines,
            least_prices,
            prices,
            hour_weights: timing.hour_weights(usage.grid(), usage.weights()),
            by_price,
            slots: Vec::new(),
            by_lines: HashMap::new(),
            set_aside: Vec::new(),
            renewals: HashMap::new(),
            products: HashMap::new(),
            discounting: None,
            agreement_cuts: Vec::new(),
            has_minimum: false,
        }
    }

    /// Under an agreement's discounts and minimums.
    pub(super) fn under(mut self, discounting: &'b Discounting, signed: Option<&Signed>) -> Self {
        let Some(signed) = signed else { return self };
        self.agreement_cuts = Compiled::cuts(discounting, signed, self.usage.grid(), self.timing);
        self.has_minimum = signed.offer.terms.is_some();
        self.is_by_scenario |= self.has_minimum;
        self.discounting = Some(discounting).filter(|discounting| discounting.is_active());
        self
    }

    /// The part of each line's on-demand price that is paid under the agreement.
    fn net_shares(&self) -> Vec<f64> {
        let share = |column: &usize| {
            let sku = &self.usage.lines()[*column].sku;
            self.discounting.map_or(1.0, |discounting| discounting.net(sku.provider, &sku.service, ChargeKind::OnDemand))
        };
        self.lines.iter().map(share).collect()
    }

    pub(super) fn build(mut self, portfolio: &Portfolio, changes: (&[Change], &[Limit]), rules: &Rules) -> Result<Built<'a>> {
        let (held, units_held, held_cost) = self.hold(portfolio, rules)?;
        self.renew(portfolio)?;
        let of_changes = self.change(portfolio, &units_held, changes, rules)?;
        let held_slots = units_held.iter().map(|units| units.slot.map(|(slot, _)| slot)).collect();
        let candidates = self.offer(rules)?;
        let (of_changes, change_terms): (Vec<Column>, Vec<ChangeTerms>) = of_changes.into_iter().unzip();
        let columns: Vec<Column> = candidates.iter().map(Column::from).chain(of_changes).collect();
        let on_demand_equivalent = self.on_demand_equivalent();
        let most_utilised: Vec<f64> = match self.policy.min_utilisation {
            Some(least) => candidates.par_iter().map(|candidate| self.most_utilised(candidate, least)).collect(),
            None => Vec::new(),
        };
        let leaves = |slot: usize, migration: &super::policy::Migration| {
            let lines = self.usage.lines();
            self.slots[slot].weights.keys().all(|line| migration.leaves(&lines[self.lines[*line]].sku))
        };
        let stranded: Vec<Vec<bool>> = candidates
            .iter()
            .map(|candidate| self.policy.migrations.iter().map(|migration| leaves(candidate.slot, migration)).collect())
            .collect();
        let rows = Rows::new(&Inputs {
            policy: self.policy,
            catalog: self.catalog,
            candidates: &candidates,
            changes: &change_terms,
            limits: changes.1,
            held: &held,
            on_demand_equivalent: &on_demand_equivalent,
            stranded: &stranded,
            most_utilised: &most_utilised,
        });
        let is_whole = self.lines.iter().copied().eq(0..self.usage.lines().len());
        let demands = self
            .scenarios
            .iter()
            .map(|scenario| {
                let curve = if is_whole { Cow::Borrowed(scenario.usage.values()) } else { Cow::Owned(self.part(scenario.usage)) };
                Demand { curve, probability: scenario.probability }
            })
            .collect();
        let windows = columns.iter().flat_map(|column| column.effects.iter().map(|effect| effect.hours.clone()));
        let windows = windows.chain(self.agreement_cuts.clone());
        let net = self.discounting.map(|discounting| {
            let net = self.net_shares().iter().zip(&self.least_prices).map(|(share, price)| share * price).collect();
            (discounting.hours.clone(), net)
        });
        let recourse = Recourse::new(demands, self.is_by_scenario, self.least_prices, self.hour_weights, &self.slots, windows);
        let recourse = recourse.discounted(net);
        let (lines, set_aside) = (self.lines, self.set_aside);
        Ok(Built {
            candidates,
            columns,
            change_terms,
            held_slots,
            rows,
            recourse,
            lines,
            set_aside,
            held_cost,
            on_demand_equivalent,
        })
    }

    /// The lines that take part, hours x lines.
    fn part(&self, usage: &UsageCurves) -> Vec<f64> {
        let mut demand = Vec::with_capacity(usage.grid().count * self.lines.len());
        for hour in 0..usage.grid().count {
            let quantities = usage.at(hour);
            demand.extend(self.lines.iter().map(|column| quantities[*column]));
        }
        demand
    }

    fn on_demand_equivalent(&self) -> Vec<f64> {
        let net: Vec<f64> = self.net_shares().iter().zip(&self.prices).map(|(share, price)| share * price).collect();
        let of = |scenario: &Scenario<'_>| -> f64 {
            let hour = |(hour, weight): (usize, &f64)| {
                let quantities = scenario.usage.at(hour);
                let holds = self.discounting.is_some_and(|discounting| discounting.hours.contains(&hour));
                let prices = if holds { &net } else { &self.prices };
                let cost: f64 = self.lines.iter().zip(prices).map(|(column, price)| quantities[*column] * price).sum();
                cost * weight
            };
            self.hour_weights.iter().enumerate().map(hour).sum()
        };
        self.scenarios.par_iter().map(of).collect()
    }

    /// The days on which what is held ends become purchase dates of the same offers, if that is asked for.
    fn renew(&mut self, portfolio: &Portfolio) -> Result<()> {
        if self.timing.renewal == Renewal::OnPurchaseDates || !self.timing.is_dated() {
            return Ok(());
        }
        let grid = self.usage.grid();
        for commitment in portfolio.commitments() {
            let held = portfolio.offer(self.catalog, commitment)?;
            let is_planned = grid.index(Hour::containing(commitment.end)).is_some();
            for again in self.catalog.offers().iter().filter(|again| is_planned && renews(held, again)) {
                self.renewals.entry(again.id.as_str()).or_default().insert(commitment.end);
            }
        }
        Ok(())
    }

    /// The commitments held become capacity of their slots.
    fn hold(&mut self, portfolio: &Portfolio, rules: &Rules) -> Result<(Vec<Held>, Vec<HeldUnits>, f64)> {
        let (mut all, mut units_held, mut cost) = (Vec::new(), Vec::new(), 0.0);
        for commitment in portfolio.commitments() {
            let offer = portfolio.offer(self.catalog, commitment)?;
            let hours = billing::served(self.usage.grid(), offer, commitment.start, commitment.end, rules);
            let quantity = to_f64(commitment.quantity);
            let hourly_cost =
                offer.effective_hourly().to_f64() * quantity * to_f64(billing::calendar_factor(offer, commitment.start));
            let (id, start, end) = (commitment.id.clone(), commitment.start, commitment.end);
            all.push(Held { id, start, end, quantity, hourly_cost });
            let (upfront, recurring) = change::hourly(offer, commitment.start);
            units_held.push(HeldUnits { hours: hours.clone(), slot: None, upfront, recurring });
            cost += match self.discounting {
                None => hourly_cost * self.hour_weights[hours.clone()].iter().sum::<f64>(),
                Some(discounting) => {
                    let recurring =
                        offer.recurring.to_f64() * quantity * to_f64(billing::calendar_factor(offer, commitment.start));
                    let upfront = (hourly_cost - recurring) * discounting.upfront(offer, commitment.start, false);
                    let weight = |weights: &[f64]| weights[hours.clone()].iter().sum::<f64>();
                    recurring * weight(&discounting.fee_weights(offer, &self.hour_weights)) + upfront * weight(&self.hour_weights)
                }
            };
            let weights = self.coverage(offer, &commitment.scope);
            if weights.is_empty() || hours.is_empty() {
                continue;
            }
            let (slot, worth) = self.slot(weights);
            let capacity = units(offer, &commitment.scope) * worth;
            self.slots[slot].held.push((hours, quantity * capacity));
            if let Some(units) = units_held.last_mut() {
                units.slot = Some((slot, capacity));
            }
        }
        Ok((all, units_held, cost))
    }

    /// The offers that the policy allows become candidates, unless another is at least as good in every respect.
    fn offer(&mut self, rules: &Rules) -> Result<Vec<Candidate>> {
        let dates = self.timing.purchase_dates(self.usage.grid());
        let mut candidates: Vec<Candidate> = Vec::new();
        for offer in self.catalog.offers() {
            let fixed = self.policy.fixed.get(&offer.id);
            let is_allowed = self.policy.allows(offer);
            if fixed.is_none() && !is_allowed {
                continue;
            }
            if let Err(error) = billing::check_rates(offer, self.catalog, rules) {
                if fixed.is_some() {
                    return Err(error.in_item(offer.id.clone()));
                }
                tracing::warn!(offer = offer.id, %error, "not a candidate");
                self.set_aside.push((offer.id.clone(), error.to_string()));
                continue;
            }
            let scope = if offer.scopes.contains(&ScopeKind::Region) { Scope::Region } else { Scope::Shared };
            let weights = self.coverage(offer, &scope);
            if weights.is_empty() || !offer.scopes.contains(&scope.kind()) {
                if fixed.is_some() {
                    let problem = Wrong::Empty { what: "usage that this fixed purchase would cover" };
                    return Err(Error::from(problem).in_field("fixed").in_item(offer.id.clone()));
                }
                continue;
            }
            let product = self.product(&weights, &scope);
            let (slot, worth) = self.slot(weights);
            let at_expiry = self.renewals.get(offer.id.as_str()).into_iter().flatten().filter(|date| !dates.contains(date));
            let all: Vec<DateTime<Utc>> = dates.iter().chain(at_expiry).copied().collect();
            for (position, date) in all.iter().enumerate() {
                let fixed = fixed.filter(|_| position == 0);
                let is_sold = offer.is_purchasable_on(date.date_naive()) || !self.timing.is_dated();
                if fixed.is_none() && !(is_allowed && is_sold) {
                    continue;
                }
                let place = (scope.clone(), slot, worth, product);
                let Some(mut candidate) = self.candidate(offer, place, *date, rules) else { continue };
                if let Some(quantity) = fixed {
                    let steps = quantity.value() / candidate.step;
                    let whole = steps.to_u32().filter(|_| steps.fract().is_zero());
                    let Some(whole) = whole else {
                        let (value, range) = (quantity.to_string(), "a multiple of the step in which the offer is bought");
                        let problem = Error::from(Wrong::OutOfRange { value, range });
                        return Err(problem.in_field("fixed").in_item(offer.id.clone()));
                    };
                    candidate.fixed = Some(whole);
                    candidate.max_steps = whole;
                }
                if candidate.max_steps > 0 || candidate.fixed.is_some() {
                    candidates.push(candidate);
                }
            }
        }
        Ok(self.undominated(candidates))
    }

    fn candidate(
        &self,
        offer: &Offer,
        (scope, slot, worth, product): (Scope, usize, f64, usize),
        date: DateTime<Utc>,
        rules: &Rules,
    ) -> Option<Candidate> {
        let grid = self.usage.grid();
        let term_end = offer.term.end(date);
        let hours = if self.timing.is_dated() { billing::served(grid, offer, date, term_end, rules) } else { 0..grid.count };
        if hours.is_empty() {
            return None;
        }
        let lot = self.policy.lots.iter().find(|(pattern, _)| pattern.matches(&offer.id)).map(|(_, lot)| lot.value());
        let usual = if offer.is_spend_plan() { self.policy.spend_plan_increment } else { Decimal::ONE };
        let step = lot.unwrap_or_else(|| offer.lot.map_or(usual, |lot| lot.increment.max(usual)));
        let capacity = to_f64(step) * units(offer, &scope) * worth;
        let calendar = to_f64(billing::calendar_factor(offer, date));
        let first: Hour = grid.first;
        Some(Candidate {
            offer: offer.id.clone(),
            scope,
            start: date,
            term_end,
            step,
            min_steps: offer.lot.and_then(|lot| (lot.minimum / step).ceil().to_u32()).unwrap_or(1),
            max_steps: (self.slots[slot].peak / capacity * (1.0 - 1e-12)).ceil().to_u32().unwrap_or(u32::MAX),
            cost: self.cost(offer, calendar, date, &hours, first) * to_f64(step),
            hourly_cost: to_f64(offer.effective_hourly().value() * step) * calendar,
            upfront: to_f64(offer.upfront.value() * step),
            months: offer.term.nominal_months(),
            is_divisible: offer.is_spend_plan() && lot.is_none(),
            fixed: None,
            hours,
            slot,
            capacity,
            product,
        })
    }

    /// Whether an offer bought with a scope covers any usage that takes part.
    pub(super) fn covers(&self, offer: &Offer, scope: &Scope) -> bool {
        !self.coverage(offer, scope).is_empty()
    }

    /// What one unit of an offer bought at a date adds to the objective, as paid under the agreement.
    fn cost(&self, offer: &Offer, calendar: f64, date: DateTime<Utc>, hours: &Range<usize>, first: Hour) -> f64 {
        let of = |offer: &Offer, weights: &[f64]| self.timing.cost(offer, calendar, date, hours, first, weights);
        let Some(discounting) = self.discounting else { return of(offer, &self.hour_weights) };
        let upfront = Offer { recurring: Default::default(), ..offer.clone() };
        let recurring = Offer { upfront: Default::default(), ..offer.clone() };
        of(&upfront, &self.hour_weights) * discounting.upfront(offer, date, true)
            + of(&recurring, &discounting.fee_weights(offer, &self.hour_weights))
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

    /// The product of an offer: what covers the same lines with the same kind of scope.
    fn product(&mut self, weights: &BTreeMap<usize, Decimal>, scope: &Scope) -> usize {
        let next = self.products.len();
        *self.products.entry(weights.keys().map(|line| (*line, scope.kind())).collect()).or_insert(next)
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

    /// What the lines of a slot need in every hour of a scenario.
    fn need(&self, usage: &UsageCurves, weights: &BTreeMap<usize, Decimal>, hours: Range<usize>) -> Vec<f64> {
        let weights: Vec<(usize, f64)> = weights.iter().map(|(line, weight)| (self.lines[*line], to_f64(*weight))).collect();
        let need = |hour| {
            let quantities = usage.at(hour);
            weights.iter().map(|(column, weight)| quantities[*column] * weight).sum::<f64>()
        };
        hours.map(need).collect()
    }

    /// The most capacity that the covered lines could need in an hour of any scenario.
    fn peak(&self, weights: &BTreeMap<usize, Decimal>) -> f64 {
        let of = |scenario: &Scenario<'_>| {
            self.need(scenario.usage, weights, 0..self.usage.grid().count).into_iter().fold(0.0, f64::max)
        };
        self.scenarios.iter().map(of).fold(0.0, f64::max)
    }

    /// The most steps of a candidate that could be used to a share, if nothing else covered its lines: utilisation falls with capacity.
    fn most_utilised(&self, candidate: &Candidate, least: f64) -> f64 {
        let weights = &self.usage.weights();
        let total: f64 = candidate.hours.clone().map(|hour| weights[hour]).sum();
        let of = |scenario: &Scenario<'_>| {
            let need = self.need(scenario.usage, &self.slots[candidate.slot].weights, candidate.hours.clone());
            let is_used = |capacity: f64| {
                let used: f64 =
                    need.iter().zip(candidate.hours.clone()).map(|(need, hour)| need.min(capacity) * weights[hour]).sum();
                used >= least * capacity * total * (1.0 - 1e-12)
            };
            let (mut low, mut high) = (0.0, f64::from(candidate.max_steps) * candidate.capacity);
            if is_used(high) {
                return high;
            }
            for _ in 0..60 {
                let middle = f64::midpoint(low, high);
                if is_used(middle) { low = middle } else { high = middle }
            }
            high
        };
        self.scenarios.iter().map(of).fold(f64::INFINITY, f64::min) / candidate.capacity
    }

    /// Leaves out candidates that another can replace at no higher cost, with no coarser steps, and alike in all that the policy limits.
    fn undominated(&self, mut candidates: Vec<Candidate>) -> Vec<Candidate> {
        let policy = self.policy;
        let has_shares = policy.max_share_three_year.is_some() || !policy.shares.is_empty();
        if has_shares || policy.min_ticket.is_some() || self.has_minimum {
            // A dearer purchase can be the way to keep a share or a ticket, or to retire an agreement's minimum.
            candidates.sort_by(order);
            return candidates;
        }
        let has_upfront_rule = policy.upfront_budget.is_some() || !policy.upfront_budget_by_quarter.is_empty();
        let has_end_rule =
            policy.max_remaining_obligation.is_some() || policy.max_expiring_per_month.is_some() || !policy.migrations.is_empty();
        // Small steps first, then cheap ones, so that whatever replaces a candidate has been kept before it.
        candidates.sort_by(|a, b| {
            let per_unit = |candidate: &Candidate| candidate.cost / candidate.capacity;
            let steps =
                if a.is_divisible && b.is_divisible { std::cmp::Ordering::Equal } else { a.capacity.total_cmp(&b.capacity) };
            steps.then(per_unit(a).total_cmp(&per_unit(b))).then_with(|| order(a, b))
        });
        let mut by_lines: HashMap<(usize, DateTime<Utc>), Vec<Candidate>> = HashMap::new();
        let group = |candidate: &Candidate| {
            let keys: Vec<usize> = self.slots[candidate.slot].weights.keys().copied().collect();
            (self.by_lines.get(&keys).and_then(|slots| slots.first()).copied().unwrap_or(candidate.slot), candidate.start)
        };
        for candidate in candidates {
            let kept = by_lines.entry(group(&candidate)).or_default();
            let replaces = |other: &Candidate| {
                let Some(times) = self.times_to_replace(other, &candidate) else { return false };
                other.fixed.is_none()
                    && candidate.fixed.is_none()
                    && other.hours == candidate.hours
                    && (candidate.is_divisible || (times - times.round()).abs() < 1e-9)
                    && other.cost * times <= candidate.cost * (1.0 + 1e-12)
                    && other.hourly_cost * times <= candidate.hourly_cost * (1.0 + 1e-12)
                    && (!has_upfront_rule || other.upfront * times <= candidate.upfront * (1.0 + 1e-12))
                    && (!has_end_rule || other.months == candidate.months)
                    && (policy.max_coverage.is_none() || other.slot == candidate.slot)
            };
            if !kept.iter().any(replaces) {
                kept.push(candidate);
            }
        }
        let mut kept: Vec<Candidate> = by_lines.into_values().flatten().collect();
        kept.sort_by(order);
        kept
    }

    /// How many steps of one candidate cover at least what one step of another covers, whatever the usage; `None` if no number does, or if both
    /// are bought in whole steps of different slots.
    fn times_to_replace(&self, other: &Candidate, candidate: &Candidate) -> Option<f64> {
        let times = candidate.capacity / other.capacity;
        if other.slot == candidate.slot {
            return Some(times);
        }
        let (theirs, ours) = (&self.slots[other.slot].weights, &self.slots[candidate.slot].weights);
        if !candidate.is_divisible || !other.is_divisible || !theirs.keys().eq(ours.keys()) {
            return None;
        }
        let ratios = theirs.values().zip(ours.values()).map(|(theirs, ours)| to_f64(*theirs) / to_f64(*ours));
        Some(times * ratios.fold(0.0, f64::max))
    }
}

impl From<&Candidate> for Column {
    fn from(candidate: &Candidate) -> Self {
        let effect = Effect { hours: candidate.hours.clone(), slot: candidate.slot, capacity: candidate.capacity };
        Self {
            cost: candidate.cost,
            upfront: candidate.upfront,
            max_steps: candidate.max_steps,
            fixed: candidate.fixed,
            is_divisible: candidate.is_divisible,
            is_long: candidate.months >= 36,
            effects: vec![effect],
        }
    }
}

/// What one unit of an offer, bought with a scope, provides an hour.
fn units(offer: &Offer, scope: &Scope) -> f64 {
    match &offer.benefit {
        Benefit::Reservation { pool: Some(pool), .. } if scope.kind() != ScopeKind::AvailabilityZone => pool.units.to_f64(),
        Benefit::Reservation { .. } | Benefit::SpendPlan { .. } => 1.0,
    }
}

/// The order of candidates, whatever the order of the catalog.
fn order(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    a.offer.cmp(&b.offer).then(a.start.cmp(&b.start))
}
