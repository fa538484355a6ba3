//! Decide on data before t, be charged on data after t by the judge, buy again at the next date, to the end of the trace.
//!
//! A [`Rule`] sees the past only (the one exception is [`Foresight`], the yardstick) and answers with purchases of the catalog's offers; a
//! rule that plans with [`crate::planning`] fits the same trait. [`run`] adds the purchases up, and [`crate::billing::Judge`] charges them
//! over the hours from the first date to the end; what runs on after the end is not charged. Rules of the market are in [`Lookback`], with
//! their sources; the hedged rule is [`super::hedge::Hedged`].
//!
//! The rules on a real trace, with the commands that print them: `docs/formulation-scenario.md`, "The backtest".

use super::forecast::count;
use super::ladder;
use crate::billing::{Judge, Rules};
use crate::catalog::{Benefit, Catalog, Offer};
use crate::error::{Error, Problem, Result};
use crate::portfolio::{Commitment, Portfolio, Scope};
use crate::time::{Hour, HourGrid};
use crate::units::{to_decimal, to_f64};
use crate::usage::UsageCurves;
use ndarray::s;
use rust_decimal::Decimal;
use std::ops::Range;

/// When decisions are made: at an hour of the trace, and every so many hours after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dates {
    /// Index of the first decision's hour; what is before it is the past that the first decision sees.
    pub first: usize,
    /// Hours between decisions.
    pub step_hours: usize,
    /// The hours charged end before this index.
    pub end: usize,
}

impl Dates {
    /// The indices of the decisions' hours.
    #[must_use]
    pub fn hours(&self) -> Vec<usize> {
        (self.first..self.end).step_by(self.step_hours.max(1)).collect()
    }

    /// Refuses dates outside of a trace or without any past.
    fn check(self, grid: HourGrid) -> Result<()> {
        if self.first == 0 || self.first >= self.end || self.end > grid.count {
            let value = format!("{} to {}", self.first, self.end);
            return Err(
                Error::from(Problem::OutOfRange { value, range: "dates within the trace, with a past" }).in_field("dates")
            );
        }
        Ok(())
    }
}

/// What a rule knows when it decides.
#[derive(Debug)]
pub struct Situation<'a> {
    /// Usage of all hours before now.
    pub past: &'a UsageCurves,
    /// The hour in which a purchase starts.
    pub now: Hour,
    /// What is for sale.
    pub catalog: &'a Catalog,
    /// What the rule bought before, expired or not.
    pub held: &'a Portfolio,
    /// Hours to the next decision.
    pub step_hours: usize,
}

/// A purchase: an offer of the catalog and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// [`Offer::id`].
    pub offer: String,
    /// Reservations, or money an hour of a spend plan.
    pub quantity: Decimal,
}

/// How somebody decides what to buy.
pub trait Rule: Sync {
    /// A short name for tables.
    fn name(&self) -> String;

    /// What to buy now.
    ///
    /// # Errors
    /// What the rule cannot do without: an offer it needs, a past long enough.
    fn decide(&self, situation: &Situation<'_>) -> Result<Vec<Purchase>>;
}

/// How a rule did.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The rule's name.
    pub rule: String,
    /// What was charged, amortised, in the catalog's currency.
    pub cost: f64,
    /// What it would have cost on demand.
    pub on_demand: f64,
    /// Effective savings rate on the list basis: 1 - cost / on demand.
    pub savings: f64,
    /// Used commitment / all commitment, in cost; `None` if nothing was bought.
    pub utilisation: Option<f64>,
    /// Covered usage / all usage at on-demand prices.
    pub coverage: f64,
    /// The lowest savings rate of a calendar month; negative if the month cost more than on demand.
    pub worst_month: f64,
    /// Commitment lock-in: remaining committed cost / current monthly committed cost, mean over the decision dates, in months of 730 hours.
    pub lock_in_months: f64,
    /// What was bought.
    pub bought: Portfolio,
}

/// Runs a rule over the trace.
///
/// # Errors
/// [`Problem::OutOfRange`] for dates outside of the trace or without any past; what the rule and the judge refuse.
pub fn run(rule: &dyn Rule, usage: &UsageCurves, catalog: &Catalog, dates: Dates) -> Result<Outcome> {
    dates.check(usage.grid())?;
    let mut held = Portfolio::default();
    for at in dates.hours() {
        let past = hours_of(usage, 0..at)?;
        let now = usage.grid().hour(at);
        let situation = Situation { past: &past, now, catalog, held: &held, step_hours: dates.step_hours };
        let mut bought = Vec::new();
        for (index, purchase) in rule.decide(&situation)?.into_iter().enumerate() {
            if purchase.quantity > Decimal::ZERO {
                bought.push(commitment(catalog, &purchase, now, index)?);
            }
        }
        held = held.with(bought)?;
    }
    charge(&rule.name(), usage, catalog, &held, dates)
}

/// What a portfolio costs over the hours charged, by the judge.
///
/// # Errors
/// As [`Judge::new`].
pub fn charge(rule: &str, usage: &UsageCurves, catalog: &Catalog, bought: &Portfolio, dates: Dates) -> Result<Outcome> {
    let charged = hours_of(usage, dates.first..dates.end)?;
    let bill = Judge::new(&charged, catalog, bought, &Rules::default())?.bill();
    let total = bill.total();
    let worst = bill.months().values().filter_map(crate::billing::Charges::effective_savings_rate_list);
    Ok(Outcome {
        rule: rule.to_owned(),
        cost: total.cost().to_f64(),
        on_demand: total.on_demand_equivalent.to_f64(),
        savings: total.effective_savings_rate_list().unwrap_or(0.0),
        utilisation: total.utilisation(),
        coverage: total.coverage().unwrap_or(0.0),
        worst_month: worst.fold(f64::INFINITY, f64::min),
        lock_in_months: lock_in(bought, catalog, usage.grid(), dates)?,
        bought: bought.clone(),
    })
}

fn lock_in(bought: &Portfolio, catalog: &Catalog, grid: HourGrid, dates: Dates) -> Result<f64> {
    let hours = dates.hours();
    let mut months = 0.0;
    for at in &hours {
        let now = grid.hour(*at);
        let (mut remaining, mut monthly) = (0.0, 0.0);
        for commitment in bought.commitments() {
            let (start, end) = (Hour::containing(commitment.start), Hour::containing(commitment.end));
            if start <= now && end > now {
                let hourly = bought.offer(catalog, commitment)?.effective_hourly().to_f64() * to_f64(commitment.quantity);
                let left = usize::try_from(end.since_epoch() - now.since_epoch()).unwrap_or(0);
                remaining += hourly * count(left);
                monthly += hourly * 730.0;
            }
        }
        if monthly > 0.0 {
            months += remaining / monthly;
        }
    }
    Ok(months / count(hours.len()))
}

/// Some of the hours of curves.
///
/// # Errors
/// [`Problem::Empty`] for no hours.
pub fn hours_of(usage: &UsageCurves, hours: Range<usize>) -> Result<UsageCurves> {
    let grid = HourGrid { first: usage.grid().hour(hours.start), count: hours.len() };
    let weights = usage.weights().slice(s![hours.clone()]).to_owned();
    UsageCurves::new(grid, usage.lines().to_vec(), usage.quantity().slice(s![hours, ..]).to_owned())?.with_weights(weights)
}

fn commitment(catalog: &Catalog, purchase: &Purchase, now: Hour, index: usize) -> Result<Commitment> {
    let offer = catalog
        .offer(&purchase.offer)
        .ok_or_else(|| Error::from(Problem::Dangling { kind: "offer", id: purchase.offer.clone() }).in_field("purchase.offer"))?;
    let scope = if offer.scopes.contains(&crate::catalog::ScopeKind::Shared) { Scope::Shared } else { Scope::Region };
    Ok(Commitment {
        id: format!("{now} {index:03} {}", offer.id),
        offer: offer.id.clone(),
        quantity: purchase.quantity,
        start: now.start(),
        end: offer.term.end(now.start()),
        account: String::new(),
        scope,
    })
}

/// What one spend plan could cover: demand at on-demand prices, and what a unit of it costs.
pub(crate) struct Coverable<'a> {
    /// The plan.
    pub(crate) offer: &'a Offer,
    /// On-demand cost of the lines it covers, by hour.
    pub(crate) demand: Vec<f64>,
    /// Cost of the plan for one unit of on-demand cost covered: 1 - discount.
    pub(crate) rate: f64,
}

impl<'a> Coverable<'a> {
    pub(crate) fn new(offer: &'a Offer, usage: &UsageCurves, catalog: &Catalog) -> Result<Self> {
        let Benefit::SpendPlan { rates, .. } = &offer.benefit else {
            let problem = Problem::Value { value: offer.id.clone(), expected: "a spend plan" };
            return Err(Error::from(problem).in_field("offer"));
        };
        let mut demand = vec![0.0; usage.grid().count];
        let (mut at_rates, mut at_prices) = (0.0, 0.0);
        for (column, line) in usage.lines().iter().enumerate() {
            let Some(price) = catalog.price(&line.sku) else { continue };
            let Some(rate) = rates.get(&price.id) else { continue };
            let price = price.price.to_f64();
            for (sum, quantity) in demand.iter_mut().zip(usage.quantity().column(column)) {
                *sum += quantity * price;
                at_rates += quantity * rate.to_f64();
                at_prices += quantity * price;
            }
        }
        // One unit of money an hour of the plan costs `effective_hourly`, normally exactly one.
        let rate = offer.effective_hourly().to_f64() * if at_prices > 0.0 { at_rates / at_prices } else { 1.0 };
        Ok(Self { offer, demand, rate })
    }

    /// The quantity of the plan that covers this much on-demand cost an hour, in steps of 1e-5 (what AWS sells).
    pub(crate) fn quantity(&self, level: f64) -> Decimal {
        let money = level * self.rate / self.offer.effective_hourly().to_f64();
        to_decimal(money).unwrap_or_default().round_dp(5)
    }

    /// How much on-demand cost an hour the plan covers that is held in an hour.
    pub(crate) fn held(&self, held: &Portfolio, at: Hour) -> f64 {
        let running =
            |one: &&Commitment| one.offer == self.offer.id && Hour::containing(one.start) <= at && Hour::containing(one.end) > at;
        let quantity: f64 = held.commitments().iter().filter(running).map(|one| to_f64(one.quantity)).sum();
        quantity * self.offer.effective_hourly().to_f64() / self.rate
    }
}

/// Rules of the market: tops up one spend plan to a level read off the trailing hours. Re-implemented from the vendors' descriptions; the
/// products have more parts than this.
#[derive(Clone, Debug, PartialEq)]
pub struct Lookback {
    /// The plan that is bought.
    pub offer: String,
    /// How the level is found.
    pub level: Level,
    /// Trailing days looked at.
    pub days: usize,
    /// The share of the level that is bought.
    pub share: f64,
}

/// How a trailing rule finds its level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    /// The level with the greatest savings (AWS Cost Explorer and Azure Advisor: 7, 30 or 60 days; Google "optimal": 30 days): the level
    /// that demand exceeds in a share of 1 - discount of the hours.
    MaximumSavings,
    /// The lowest hour (Google "stable usage": 30 days; SP Autopilot "prudent": 85 % of it).
    MinimumHour,
    /// A nearest-rank percentile of daily means (CUDly: 5, 30 days).
    DailyMeanPercentile(u8),
}

impl Lookback {
    /// The rules that `peers` of this library are compared with, for one spend plan.
    #[must_use]
    pub fn peers(offer: &str) -> Vec<Self> {
        let rule = |level, days, share| Self { offer: offer.to_owned(), level, days, share };
        vec![
            rule(Level::MaximumSavings, 60, 1.0),
            rule(Level::MaximumSavings, 30, 1.0),
            rule(Level::MaximumSavings, 7, 1.0),
            rule(Level::MinimumHour, 30, 1.0),
            rule(Level::DailyMeanPercentile(5), 30, 1.0),
            rule(Level::MinimumHour, 14, 0.85),
            rule(Level::MaximumSavings, 30, 0.7),
        ]
    }
}

impl Rule for Lookback {
    fn name(&self) -> String {
        let share = if self.share < 1.0 { format!("{:.0} % of ", self.share * 100.0) } else { String::new() };
        match self.level {
            Level::MaximumSavings => format!("{share}max savings, {} d", self.days),
            Level::MinimumHour => format!("{share}minimum hour, {} d", self.days),
            Level::DailyMeanPercentile(percent) => format!("{share}P{percent} of daily means, {} d", self.days),
        }
    }

    fn decide(&self, situation: &Situation<'_>) -> Result<Vec<Purchase>> {
        let plan = Coverable::new(offer(situation.catalog, &self.offer)?, situation.past, situation.catalog)?;
        let tail = &plan.demand[plan.demand.len().saturating_sub(24 * self.days)..];
        let level = match self.level {
            Level::MaximumSavings => quantile(&mut tail.to_vec(), 1.0 - plan.rate),
            Level::MinimumHour => tail.iter().copied().fold(f64::INFINITY, f64::min),
            Level::DailyMeanPercentile(percent) => {
                let mut days: Vec<f64> = tail.chunks_exact(24).map(|day| day.iter().sum::<f64>() / 24.0).collect();
                quantile(&mut days, f64::from(percent) / 100.0)
            }
        };
        let missing = self.share * level - plan.held(situation.held, situation.now);
        Ok(vec![Purchase { offer: self.offer.clone(), quantity: plan.quantity(missing.max(0.0)) }])
    }
}

/// The yardstick: the cheapest calendar of one spend plan for somebody who knows the future.
#[derive(Clone, Debug)]
pub struct Foresight {
    offer: String,
    first: Hour,
    step_hours: usize,
    quantity: Vec<Decimal>,
}

impl Foresight {
    /// Solves for the cheapest calendar; see [`ladder`].
    ///
    /// # Errors
    /// An unknown offer, [`Problem::OutOfRange`] for dates outside of the trace, or as [`ladder::Calendar::solve`].
    pub fn new(id: &str, usage: &UsageCurves, catalog: &Catalog, dates: Dates, lot: f64) -> Result<Self> {
        dates.check(usage.grid())?;
        let plan = Coverable::new(offer(catalog, id)?, usage, catalog)?;
        let start = usage.grid().hour(dates.first).start();
        let term = (plan.offer.term.end(start) - start).num_hours();
        let calendar = ladder::Calendar {
            demand: &[(1.0, plan.demand[dates.first..dates.end].to_vec())],
            dates: &dates.hours().iter().map(|hour| hour - dates.first).collect::<Vec<_>>(),
            term_hours: usize::try_from(term).unwrap_or(usize::MAX),
            rate: plan.rate,
            held: &[],
            lot,
        };
        let quantity = calendar.solve()?.quantity.iter().map(|level| plan.quantity(*level)).collect();
        Ok(Self { offer: id.to_owned(), first: usage.grid().hour(dates.first), step_hours: dates.step_hours, quantity })
    }
}

impl Rule for Foresight {
    fn name(&self) -> String {
        "perfect foresight".into()
    }

    fn decide(&self, situation: &Situation<'_>) -> Result<Vec<Purchase>> {
        let passed = usize::try_from(situation.now.since_epoch() - self.first.since_epoch()).unwrap_or(0);
        let quantity = self.quantity.get(passed.div_euclid(self.step_hours)).copied().unwrap_or_default();
        Ok(vec![Purchase { offer: self.offer.clone(), quantity }])
    }
}

/// Buys nothing.
#[derive(Clone, Copy, Debug)]
pub struct BuyNothing;

impl Rule for BuyNothing {
    fn name(&self) -> String {
        "buy nothing".into()
    }

    fn decide(&self, _: &Situation<'_>) -> Result<Vec<Purchase>> {
        Ok(Vec::new())
    }
}

pub(crate) fn offer<'a>(catalog: &'a Catalog, id: &str) -> Result<&'a Offer> {
    catalog.offer(id).ok_or_else(|| Error::from(Problem::Dangling { kind: "offer", id: id.to_owned() }).in_field("rule.offer"))
}

/// The smallest value that at least this share of the values does not exceed; values are put in another order.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    // A share that is a whole number of values but for rounding is that number.
    let rank = (share * count(values.len()) - 1e-9).ceil().max(1.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 1 to the number of values
    let index = (rank as usize).min(values.len()) - 1;
    *values.select_nth_unstable_by(index, f64::total_cmp).1
}
