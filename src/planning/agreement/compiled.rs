//! An agreement in the mathematics' terms: net prices, and for every period what counts of on-demand cost, of each candidate's
//! fees, and of what is fixed.

use super::rows::{Program, program};
use super::{Signed, charge_kind, wrong_terms};
use crate::billing::agreement::ChargeKind;
use crate::billing::{self, Judge, Outcome};
use crate::catalog::{Catalog, Offer};
use crate::error::{Error, Problem as Wrong, Result};
use crate::finance::agreement::{CountedBasis, LedgerYear, Spend, SpendKind, Terms, settle};
use crate::planning::extensive::Extensive;
use crate::planning::problem::{Candidate, Problem, Scenario};
use crate::planning::recourse::{Block, Group};
use crate::planning::timing::Timing;
use crate::portfolio::Portfolio;
use crate::time::{Hour, HourGrid, Month};
use crate::units::{Money, to_decimal, to_f64};
use crate::usage::{PricingCategory, Provider, UsageLine};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Hours of a contract year, for the rate of other spend in a steady state.
const HOURS_PER_YEAR: f64 = 8760.0;

/// The discounts with the hours in which they hold.
#[derive(Clone, Debug)]
pub(in crate::planning) struct Discounting {
    signed: Option<Arc<Signed>>,
    pub(in crate::planning) hours: Range<usize>,
    start: Option<NaiveDate>,
}

impl Discounting {
    /// # Errors
    /// [`Wrong::OutOfRange`] for periods outside of the hours, or not by calendar month, where things are dated.
    pub(in crate::planning) fn new(signed: Option<&Arc<Signed>>, grid: HourGrid, timing: &Timing) -> Result<Self> {
        let all = Self { signed: signed.cloned(), hours: 0..grid.count, start: None };
        let Some(terms) = signed.as_ref().and_then(|signed| signed.offer.terms.as_ref()).filter(|_| timing.is_dated()) else {
            return Ok(all);
        };
        let (first, start, end) = (terms.start, instant(terms.start), instant(terms.end()));
        let by_month =
            std::iter::once(terms.start).chain(terms.periods.iter().map(|period| period.end)).all(|date| date.day() == 1);
        let grid_end = grid.hour(grid.count).start();
        if !by_month || start < grid.first.start() || end > grid_end {
            let value = format!("{} to {}", terms.start, terms.end());
            let range = "periods of calendar months within the hours of the usage";
            return Err(Error::from(Wrong::OutOfRange { value, range }).in_field("terms").in_item(terms.name.clone()));
        }
        Ok(Self { hours: grid.span(start, end), start: Some(first), ..all })
    }

    /// The part of a charge that is paid while the discounts hold.
    pub(in crate::planning) fn net(&self, provider: Provider, service: &str, kind: ChargeKind) -> f64 {
        let discounts = self.signed.as_ref().map(|signed| &signed.offer.discounts);
        discounts.map_or(1.0, |discounts| 1.0 - to_f64(discounts.fraction(provider, service, kind)))
    }

    /// The weights of hours for recurring fees: discounted by the agreement where it holds.
    pub(in crate::planning) fn fee_weights(&self, offer: &Offer, hour_weights: &[f64]) -> Vec<f64> {
        let net = self.net(offer.provider, &offer.service, ChargeKind::Recurring);
        let weight = |(hour, weight): (usize, &f64)| if self.hours.contains(&hour) { net * weight } else { *weight };
        hour_weights.iter().enumerate().map(weight).collect()
    }

    /// The part of an upfront fee that is paid on a date: what was paid before the agreement had no discount of it.
    pub(in crate::planning) fn upfront(&self, offer: &Offer, date: DateTime<Utc>, is_new: bool) -> f64 {
        let end = self.signed.as_ref().and_then(|signed| Some(signed.offer.terms.as_ref()?.end()));
        let is_within = match self.start {
            Some(start) => date >= instant(start) && end.is_none_or(|end| date < instant(end)),
            None => is_new,
        };
        if is_within { self.net(offer.provider, &offer.service, ChargeKind::Upfront) } else { 1.0 }
    }

    /// Whether anything is discounted.
    pub(in crate::planning) fn is_active(&self) -> bool {
        self.signed.as_ref().is_some_and(|signed| !signed.offer.discounts.discounts.is_empty())
    }
}

/// A period in hours.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::planning) struct PeriodHours {
    pub(in crate::planning) hours: Range<usize>,
    /// By how much what happens in the hours is multiplied: 1, or in a steady state the period's part of them.
    pub(in crate::planning) scale: f64,
    pub(in crate::planning) minimum: f64,
    /// The value at the first hour of money paid at the period's end; in a steady state the grid's part of the agreement.
    pub(in crate::planning) factor: f64,
    months: Option<(Month, Month)>,
}

#[cfg(test)]
impl PeriodHours {
    /// A period of some minimum, for tests of the settlement alone.
    pub(super) fn of(minimum: f64) -> Self {
        Self { hours: 0..0, scale: 1.0, minimum, factor: 1.0, months: None }
    }
}

/// The agreement of a problem.
#[derive(Clone, Debug)]
pub(in crate::planning) struct Compiled {
    pub(in crate::planning) signed: Arc<Signed>,
    pub(in crate::planning) periods: Vec<PeriodHours>,
    pub(in crate::planning) program: Program,
    /// What of a line's gross on-demand cost is paid, and what counts.
    lines: Vec<(f64, f64)>,
    /// The months in which the discounts hold; all if absent.
    months: Option<(Month, Month)>,
    /// What counts of a step of each candidate, by period.
    pub(in crate::planning) candidates: Vec<Vec<f64>>,
    /// What counts whatever is bought, by scenario and period: held fees, spot and other spend.
    pub(in crate::planning) fixed: Vec<Vec<f64>>,
    /// What spot and other spend costs, by scenario.
    pub(in crate::planning) other_cost: Vec<f64>,
    probabilities: Vec<f64>,
    timing: Timing,
    grid: HourGrid,
}

/// What a problem knows when its agreement is compiled.
pub(in crate::planning) struct Inputs<'i, 'a> {
    pub(in crate::planning) signed: &'i Arc<Signed>,
    pub(in crate::planning) discounting: &'i Discounting,
    pub(in crate::planning) scenarios: &'i [Scenario<'a>],
    pub(in crate::planning) timing: &'i Timing,
    pub(in crate::planning) catalog: &'i Catalog,
    pub(in crate::planning) portfolio: &'i Portfolio,
    pub(in crate::planning) rules: &'i billing::Rules,
    pub(in crate::planning) candidates: &'i [Candidate],
    /// The columns of the lines that take part.
    pub(in crate::planning) lines: &'i [usize],
}

impl Compiled {
    /// # Errors
    /// [`Wrong::EmptyValue`] for a spot line without billed price; those of [`Portfolio::offer`].
    pub(in crate::planning) fn new(inputs: &Inputs<'_, '_>) -> Result<Self> {
        let usage = inputs.scenarios[0].usage;
        let (grid, timing) = (usage.grid(), inputs.timing);
        let periods = periods(inputs.signed.offer.terms.as_ref(), grid, usage.total_hours(), timing);
        let program = match &inputs.signed.offer.terms {
            Some(terms) => program(&terms.rules, &periods),
            None => Program::default(),
        };
        let months = match (&inputs.signed.offer.terms, timing.is_dated()) {
            (Some(terms), true) => Some((Month::containing(instant(terms.start)), Month::containing(instant(terms.end())))),
            _ => None,
        };
        let mut compiled = Self {
            signed: Arc::clone(inputs.signed),
            periods,
            program,
            lines: Vec::new(),
            months,
            candidates: Vec::new(),
            fixed: Vec::new(),
            other_cost: Vec::new(),
            probabilities: inputs.scenarios.iter().map(|scenario| scenario.probability).collect(),
            timing: timing.clone(),
            grid,
        };
        compiled.lines = inputs
            .lines
            .iter()
            .map(|column| {
                let sku = &usage.lines()[*column].sku;
                let net = inputs.discounting.net(sku.provider, &sku.service, ChargeKind::OnDemand);
                (net, compiled.counts(inputs.discounting, sku.provider, &sku.service, SpendKind::Usage))
            })
            .collect();
        compiled.candidates = inputs
            .candidates
            .iter()
            .map(|candidate| {
                let offer = inputs.catalog.offer(&candidate.offer);
                let fees = |offer: &Offer| compiled.fees(inputs, offer, candidate.step, candidate.start, &candidate.hours, true);
                offer.map_or_else(|| vec![0.0; compiled.periods.len()], fees)
            })
            .collect();
        let mut held = vec![0.0; compiled.periods.len()];
        for commitment in inputs.portfolio.commitments() {
            let offer = inputs.portfolio.offer(inputs.catalog, commitment)?;
            let hours = billing::served(grid, offer, commitment.start, commitment.end, inputs.rules);
            let fees = compiled.fees(inputs, offer, commitment.quantity, commitment.start, &hours, false);
            held.iter_mut().zip(fees).for_each(|(sum, fees)| *sum += fees);
        }
        for scenario in inputs.scenarios {
            let (mut fixed, cost) = compiled.other(inputs, scenario)?;
            fixed.iter_mut().zip(&held).for_each(|(sum, held)| *sum += held);
            compiled.fixed.push(fixed);
            compiled.other_cost.push(cost);
        }
        Ok(compiled)
    }

    fn terms(&self) -> Option<&Terms> {
        self.signed.offer.terms.as_ref()
    }

    /// Whether there is anything to fall short of.
    pub(in crate::planning) fn has_minimum(&self) -> bool {
        !self.program.columns.is_empty()
    }

    /// What counts of a unit of gross spend.
    fn counts(&self, discounting: &Discounting, provider: Provider, service: &str, kind: SpendKind) -> f64 {
        let Some(terms) = self.terms() else { return 0.0 };
        if self.signed.offer.provider.is_some_and(|own| own != provider) {
            return 0.0;
        }
        let paid = match (terms.counting.basis, charge_kind(kind)) {
            (CountedBasis::Net, Some(charge)) => discounting.net(provider, service, charge),
            _ => 1.0,
        };
        paid * to_f64(terms.counting.weight(kind, service))
    }

    /// What counts of a commitment's fees, by period.
    fn fees(
        &self,
        inputs: &Inputs<'_, '_>,
        offer: &Offer,
        quantity: Decimal,
        start: DateTime<Utc>,
        served: &Range<usize>,
        is_new: bool,
    ) -> Vec<f64> {
        let counts = |kind| self.counts(inputs.discounting, offer.provider, &offer.service, kind);
        let usage = inputs.scenarios[0].usage;
        let calendar = to_f64(billing::calendar_factor(offer, start));
        let (upfront, recurring) =
            (offer.upfront.to_f64() * to_f64(quantity), offer.recurring.to_f64() * to_f64(quantity) * calendar);
        let amortised = upfront / to_f64(offer.term.list_hours()) * calendar;
        let of_period = |period: &PeriodHours| {
            let hours = served.start.max(period.hours.start)..served.end.min(period.hours.end);
            let weight: f64 = if hours.is_empty() { 0.0 } else { hours.map(|hour| usage.weights()[hour]).sum() };
            let mut counted = recurring * weight * counts(SpendKind::CommitmentFee);
            counted += amortised * weight * counts(SpendKind::CommitmentAmortised);
            if !self.timing.is_dated() {
                // In a steady state purchases are renewed evenly.
                counted += amortised * weight * if is_new { counts(SpendKind::CommitmentUpfront) } else { 0.0 };
            } else if period.hours.contains(&index(self.grid, start)) {
                counted += upfront * counts(SpendKind::CommitmentUpfront);
            }
            period.scale * counted
        };
        self.periods.iter().map(of_period).collect()
    }

    /// What counts of spot and other spend in a scenario, by period, and what it costs.
    fn other(&self, inputs: &Inputs<'_, '_>, scenario: &Scenario<'_>) -> Result<(Vec<f64>, f64)> {
        let usage = scenario.usage;
        let (mut counted, mut cost) = (vec![0.0; self.periods.len()], 0.0);
        for (column, line) in usage.lines().iter().enumerate().filter(|(_, line)| line.pricing == PricingCategory::Spot) {
            let Some(price) = line.billed_price else {
                if usage.totals()[column] > 0.0 {
                    return Err(without_price(line));
                }
                continue;
            };
            let counts = self.counts(inputs.discounting, line.sku.provider, &line.sku.service, SpendKind::Spot);
            let net = inputs.discounting.net(line.sku.provider, &line.sku.service, ChargeKind::Spot);
            let gross: Vec<f64> =
                (0..self.grid.count).map(|hour| usage.at(hour)[column] * usage.weights()[hour] * price.to_f64()).collect();
            for (counted, period) in counted.iter_mut().zip(&self.periods) {
                *counted += counts * period.scale * gross[period.hours.clone()].iter().sum::<f64>();
            }
            for (hour, gross) in gross.iter().enumerate() {
                let time = self.timing.month_factor(self.grid.first, self.grid.hour(hour).month());
                cost += time * gross * if inputs.discounting.hours.contains(&hour) { net } else { 1.0 };
            }
        }
        let mut marketplace = vec![0.0; self.periods.len()];
        for other in self.signed.other.iter().filter(|other| other.scenario.as_ref().is_none_or(|name| *name == scenario.name)) {
            let Spend { date, kind, item, gross, net } = &other.spend;
            let (hour, gross) = (index(self.grid, instant(*date)), to_f64(*gross));
            let holds = !self.timing.is_dated() || inputs.discounting.hours.contains(&hour);
            let net = match charge_kind(*kind) {
                Some(charge) => gross * if holds { inputs.discounting.net(other.provider, item, charge) } else { 1.0 },
                None => to_f64(*net),
            };
            let time = self.timing.month_factor(self.grid.first, Month::containing(instant(*date)));
            let hours: f64 = usage.total_hours();
            cost += if self.timing.is_dated() { time * net } else { net * hours / HOURS_PER_YEAR };
            let Some(terms) = self.terms().filter(|_| self.signed.offer.provider.is_none_or(|own| own == other.provider)) else {
                continue;
            };
            let amount = if terms.counting.basis == CountedBasis::Net { net } else { gross };
            let counts = amount * to_f64(terms.counting.weight(*kind, item));
            for (position, period) in self.periods.iter().enumerate() {
                let part = match (self.timing.is_dated(), period.hours.contains(&hour)) {
                    (true, true) => counts,
                    (true, false) => 0.0,
                    (false, _) => counts * period.scale * hours / HOURS_PER_YEAR,
                };
                let sums = if *kind == SpendKind::Marketplace { &mut marketplace } else { &mut counted };
                sums[position] += part;
            }
        }
        let cap = self.terms().and_then(|terms| terms.counting.marketplace.marketplace_cap_share).map(to_f64);
        for ((counted, marketplace), period) in counted.iter_mut().zip(marketplace).zip(&self.periods) {
            *counted += cap.map_or(marketplace, |cap| marketplace.min(cap * period.minimum));
        }
        Ok((counted, cost))
    }

    /// On-demand cost of a replay as paid, discounted to the first hour.
    pub(in crate::planning) fn on_demand(&self, outcome: &Outcome) -> f64 {
        let of_month = |(month, open): (&Month, &Vec<f64>)| {
            let holds = self.months.is_none_or(|(from, until)| from <= *month && *month < until);
            let net = open.iter().zip(&self.lines).map(|(open, (net, _))| open * if holds { *net } else { 1.0 }).sum::<f64>();
            net * self.timing.month_factor(self.grid.first, *month)
        };
        outcome.by_line.iter().map(of_month).sum()
    }

    /// What counts in every period, for a replay of a scenario and steps bought.
    pub(in crate::planning) fn counted(&self, scenario: usize, outcome: &Outcome, steps: &[f64]) -> Vec<f64> {
        let open = |period: &PeriodHours| -> f64 {
            let within = |month: &Month| period.months.is_none_or(|(from, until)| from <= *month && *month < until);
            let months = outcome.by_line.iter().filter(|(month, _)| within(month));
            let counted =
                months.map(|(_, open)| open.iter().zip(&self.lines).map(|(open, (_, counts))| open * counts).sum::<f64>());
            period.scale * counted.sum::<f64>()
        };
        let open = self.periods.iter().map(open).collect::<Vec<f64>>();
        self.with_fees(scenario, &open, steps)
    }

    fn with_fees(&self, scenario: usize, open: &[f64], steps: &[f64]) -> Vec<f64> {
        let of = |(period, open): (usize, &f64)| {
            let fees = self.candidates.iter().zip(steps).map(|(counts, steps)| counts[period] * steps).sum::<f64>();
            open + self.fixed[scenario][period] + fees
        };
        open.iter().enumerate().map(of).collect()
    }

    /// The settled periods for what counts in them; none without terms.
    pub(in crate::planning) fn settle(&self, counted: &[f64]) -> Result<Vec<LedgerYear>> {
        let Some(terms) = self.terms() else { return Ok(Vec::new()) };
        let money = |amount: &f64| Money::from_f64(amount.max(0.0)).map_or(Decimal::MAX, Money::value);
        let counted: Vec<Decimal> = counted.iter().map(money).collect();
        settle(&terms.minimums(), &counted, &terms.rules).map_err(|error| wrong_terms(error, &terms.name))
    }

    /// What an agreement adds to a scenario's cost: other spend, and what the ledger settles, discounted.
    pub(in crate::planning) fn cost(&self, scenario: usize, counted: &[f64]) -> Result<f64> {
        let years = self.settle(counted)?;
        let settled = years.iter().zip(&self.periods).map(|(year, period)| to_f64(year.cost()) * period.factor);
        Ok(self.other_cost[scenario] + settled.sum::<f64>())
    }

    /// By how much a block's on-demand cost, as the recourse has it, counts in the periods it lies in: least and most over its
    /// lines. Equal unless services count differently.
    pub(in crate::planning) fn ratio(&self, block: &Block) -> (f64, f64) {
        let time = self.timing.month_factor(self.grid.first, self.grid.hour(block.hours.start).month());
        let ratios = || self.lines.iter().map(|(net, counts)| counts / net / time);
        if self.lines.is_empty() {
            return (0.0, 0.0);
        }
        (ratios().fold(f64::INFINITY, f64::min), ratios().fold(0.0, f64::max))
    }

    /// The periods that a block counts in.
    pub(in crate::planning) fn periods_of<'c>(&'c self, block: &'c Block) -> impl Iterator<Item = (usize, f64)> + 'c {
        let within = |(_, period): &(usize, &PeriodHours)| period.hours.contains(&block.hours.start);
        self.periods.iter().enumerate().filter(within).map(|(index, period)| (index, period.scale))
    }

    /// What the agreement adds to the cost of each group at relaxed on-demand costs of the blocks.
    pub(in crate::planning) fn relaxed(
        &self,
        groups: &[Group],
        blocks: &[Block],
        costs: &[f64],
        steps: &[f64],
    ) -> Result<Vec<f64>> {
        if !self.has_minimum() {
            return Ok(groups.iter().map(|group| self.other_cost_of(group)).collect());
        }
        let mut open = vec![vec![0.0; self.periods.len()]; groups.len()];
        for (block, cost) in blocks.iter().zip(costs) {
            let (_, most) = self.ratio(block);
            for (period, scale) in self.periods_of(block) {
                open[block.group][period] += scale * most * cost;
            }
        }
        let of_group = |(group, open): (usize, &Vec<f64>)| self.cost(group, &self.with_fees(group, open, steps));
        open.iter().enumerate().map(of_group).collect()
    }

    /// What other spend costs in the mean of a group's scenarios.
    pub(in crate::planning) fn other_cost_of(&self, group: &Group) -> f64 {
        let of = |scenario: usize| self.other_cost[scenario] * self.probabilities[scenario];
        let sum: f64 = group.scenarios.clone().map(of).sum();
        if group.scenarios.len() == 1 { self.other_cost[group.scenarios.start] } else { sum / group.probability.max(1e-300) }
    }

    /// Adds an hour's open quantities (line and column of the extensive form) to what counts in each period.
    pub(in crate::planning) fn count_hour(
        &self,
        problem: &Problem<'_>,
        hour: usize,
        open: impl Iterator<Item = (usize, usize)>,
        counted: &mut Vec<Vec<(usize, f64)>>,
    ) {
        counted.resize(self.periods.len(), Vec::new());
        let recourse = &problem.recourse;
        let time = self.timing.month_factor(self.grid.first, self.grid.hour(hour).month());
        let prices = recourse.prices_in(recourse.epoch_at(hour));
        for (line, column) in open {
            let (net, counts) = self.lines[line];
            for (period, of) in self.periods.iter().enumerate().filter(|(_, period)| period.hours.contains(&hour)) {
                let coefficient = of.scale * recourse.hour_weight(hour) / time * prices[line] / net * counts;
                counted[period].push((column, coefficient));
            }
        }
    }

    /// All spend of a scenario in decimals, as the ledger enters it: the charges of every month after the discounts, upfront fees on
    /// the day they are paid or, if the terms count them so, spread; spot, and other spend. Only of the agreement's provider.
    pub(super) fn spend(
        &self,
        judge: &Judge<'_>,
        scenario: &Scenario<'_>,
        portfolio: &Portfolio,
        catalog: &Catalog,
    ) -> Result<Vec<Spend>> {
        let offer = &self.signed.offer;
        let Some(terms) = &offer.terms else { return Ok(Vec::new()) };
        let first_day = self.grid.first.start().date_naive();
        let mut all = Vec::new();
        let mut enter = |date: NaiveDate, provider: Provider, kind: SpendKind, item: &str, gross: Decimal| {
            let date = date.max(first_day);
            let is_within = terms.start <= date && date < terms.end();
            let discount = charge_kind(kind)
                .filter(|_| is_within)
                .map_or(Decimal::ZERO, |kind| offer.discounts.fraction(provider, item, kind));
            if offer.provider.is_none_or(|own| own == provider) {
                all.push(Spend { date, kind, item: item.to_owned(), gross, net: gross * (Decimal::ONE - discount) });
            }
        };
        let weight = |kind| terms.counting.weights.get(&kind).copied().unwrap_or_default();
        let is_spread = weight(SpendKind::CommitmentAmortised) > weight(SpendKind::CommitmentUpfront);
        for charge in judge.monthly_charges() {
            let kind = match charge.kind {
                ChargeKind::OnDemand => SpendKind::Usage,
                ChargeKind::Spot => SpendKind::Spot,
                ChargeKind::Recurring => SpendKind::CommitmentFee,
                ChargeKind::Upfront if is_spread => SpendKind::CommitmentAmortised,
                ChargeKind::Upfront => continue,
            };
            enter(charge.month.start().date_naive(), charge.provider, kind, &charge.service, charge.gross.value());
        }
        for commitment in portfolio.commitments().iter().filter(|_| !is_spread) {
            let bought = portfolio.offer(catalog, commitment)?;
            if index(self.grid, commitment.start) != usize::MAX {
                let upfront = bought.upfront.value() * commitment.quantity;
                enter(commitment.start.date_naive(), bought.provider, SpendKind::CommitmentUpfront, &bought.service, upfront);
            }
        }
        let usage = scenario.usage;
        for (column, line) in usage.lines().iter().enumerate().filter(|(_, line)| line.pricing == PricingCategory::Spot) {
            let Some(price) = line.billed_price else { continue };
            let mut months: BTreeMap<Month, Decimal> = BTreeMap::new();
            for (hour, at) in self.grid.hours().enumerate() {
                let quantity = to_decimal(usage.at(hour)[column] * usage.weights()[hour]).unwrap_or_default();
                *months.entry(at.month()).or_default() += quantity * price.value();
            }
            for (month, gross) in months {
                enter(month.start().date_naive(), line.sku.provider, SpendKind::Spot, &line.sku.service, gross);
            }
        }
        for other in self.signed.other.iter().filter(|other| other.scenario.as_ref().is_none_or(|name| *name == scenario.name)) {
            if charge_kind(other.spend.kind).is_some() {
                enter(other.spend.date, other.provider, other.spend.kind, &other.spend.item, other.spend.gross);
            }
        }
        let kept = self.signed.other.iter().filter(|other| {
            other.scenario.as_ref().is_none_or(|name| *name == scenario.name)
                && charge_kind(other.spend.kind).is_none()
                && offer.provider.is_none_or(|own| own == other.provider)
        });
        all.extend(kept.map(|other| other.spend.clone()));
        Ok(all)
    }

    /// Rows of the extensive form for a scenario: `added - Σ cost · column ≥ other cost`, and the settlement's.
    pub(in crate::planning) fn settle_rows(
        &self,
        form: &mut Extensive,
        scenario: usize,
        added: usize,
        steps: &[usize],
        counted: &[Vec<(usize, f64)>],
    ) {
        let column =
            |(index, _): (usize, &f64)| form.column(format!("settled_{scenario}_{index}"), 0.0, 0.0, f64::INFINITY, false);
        let columns: Vec<usize> = self.program.columns.iter().enumerate().map(column).collect();
        let costs = columns.iter().zip(&self.program.columns).map(|(column, cost)| (*column, -cost));
        let terms = std::iter::once((added, 1.0)).chain(costs).collect();
        form.row(format!("agreement_{scenario}"), terms, self.other_cost[scenario], f64::INFINITY);
        for (index, row) in self.program.rows.iter().enumerate() {
            let mut sums: BTreeMap<usize, f64> = BTreeMap::new();
            for (column, coefficient) in &row.columns {
                *sums.entry(columns[*column]).or_default() += coefficient;
            }
            let mut least = row.least;
            for (period, coefficient) in &row.spend {
                for (column, counts) in counted.get(*period).into_iter().flatten() {
                    *sums.entry(*column).or_default() += coefficient * counts;
                }
                for (steps, counts) in steps.iter().zip(&self.candidates) {
                    *sums.entry(*steps).or_default() += coefficient * counts[*period];
                }
                least -= coefficient * self.fixed[scenario][*period];
            }
            form.row(format!("settlement_{scenario}_{index}"), sums.into_iter().collect(), least, f64::INFINITY);
        }
    }

    /// The hours at which blocks are cut: periods, and months where money of different months compares differently.
    pub(in crate::planning) fn cuts(
        discounting: &Discounting,
        signed: &Signed,
        grid: HourGrid,
        timing: &Timing,
    ) -> Vec<Range<usize>> {
        let mut cuts = vec![discounting.hours.clone()];
        let Some(terms) = signed.offer.terms.as_ref().filter(|_| timing.is_dated()) else { return cuts };
        cuts.extend(terms.spans().map(|(start, period)| grid.span(instant(start), instant(period.end))));
        if timing.discount_rate != 0.0 {
            let mut month = Month::containing(grid.first.start());
            while month.start() < grid.hour(grid.count).start() {
                cuts.push(grid.span(month.start(), month.next().start()));
                month = month.next();
            }
        }
        cuts
    }
}

fn periods(terms: Option<&Terms>, grid: HourGrid, total_hours: f64, timing: &Timing) -> Vec<PeriodHours> {
    let Some(terms) = terms else { return Vec::new() };
    let whole = (terms.end() - terms.start).num_hours() as f64;
    terms
        .spans()
        .map(|(start, period)| {
            let minimum = to_f64(period.minimum);
            let (from, until) = (instant(start), instant(period.end));
            if timing.is_dated() {
                let last = grid.hour(grid.span(from, until).end.saturating_sub(1)).month();
                let (hours, factor) = (grid.span(from, until), timing.month_factor(grid.first, last));
                let months = Some((Month::containing(from), Month::containing(until)));
                return PeriodHours { hours, scale: 1.0, minimum, factor, months };
            }
            let scale = (until - from).num_hours() as f64 / total_hours;
            PeriodHours { hours: 0..grid.count, scale, minimum, factor: total_hours / whole, months: None }
        })
        .collect()
}

fn without_price(line: &UsageLine) -> Error {
    Error::from(Wrong::EmptyValue).in_field("billed_price").in_item(format!("spot line {line}"))
}

/// The hour of the grid that an instant lies in; beyond its end if it is not within.
fn index(grid: HourGrid, instant: DateTime<Utc>) -> usize {
    grid.index(Hour::containing(instant)).unwrap_or(usize::MAX)
}

fn instant(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(chrono::NaiveTime::MIN).and_utc()
}
