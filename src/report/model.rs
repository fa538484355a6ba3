//! The model of a report: every number and word that any of its forms shows. HTML, Markdown, CSV and JSON are written from it, never from
//! the plan, so they cannot disagree.
//!
//! Amounts are in the catalog's currency, over all hours of the usage unless a field says monthly (730 hours), hourly or a date. Shares are
//! fractions. Documents of the schema `covermix-report/1` are this type as JSON.

mod actions;

pub use actions::{Action, GivenUp, Received, Repriced, SavingsSplit};

use super::figure::Figure;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// The schema of the JSON document.
pub const SCHEMA: &str = "covermix-report/1";

/// A plan with its evidence, for people. Made by [`Report::builder`](crate::report::Report::builder), or read back from JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of covermix.
    pub version: String,
    /// Where the prices come from.
    pub catalog: Prices,
    /// The currency of every amount, an ISO 4217 code.
    pub currency: String,
    /// The first instant of the usage planned for.
    pub usage_from: DateTime<Utc>,
    /// The instant after its last hour.
    pub usage_until: DateTime<Utc>,
    /// Its hours.
    pub hours: Figure,
    /// `optimal`, `gap_remains` or `stopped_at_limit`.
    pub status: String,
    /// No plan under the policy costs less.
    pub lower_bound: Figure,
    /// What the usage costs with the purchases, billed by the provider's rules.
    pub billed_cost: Figure,
    /// The billed cost in the terms of the objective: expected over scenarios, discounted, with its risk term.
    pub objective: Figure,
    /// `(objective - lower bound) / objective`.
    pub gap: Figure,
    /// The gap in parts.
    pub certificate: Certificate,
    /// The billed cost of each scenario planned for.
    pub scenario_costs: Vec<Figure>,
    /// What the usage costs with what is held and nothing bought.
    pub cost_before: Figure,
    /// The cost before less the billed cost.
    pub savings: Figure,
    /// Which part of the savings is due to the purchases, and which to actions on what is held.
    pub split: SavingsSplit,
    /// Savings as a share of the cost before.
    pub savings_rate: Option<Figure>,
    /// Savings a month.
    pub savings_monthly: Figure,
    /// The cost before, a month.
    pub before_monthly: Figure,
    /// The billed cost, a month.
    pub billed_monthly: Figure,
    /// Paid at purchase for everything.
    pub upfront: Figure,
    /// What the purchases cost over their terms, used or not.
    pub obligation: Figure,
    /// The month from which less was paid in all than without the purchases, the actions being taken either way.
    pub cash_break_even_month: Option<u32>,
    /// By how much usage may fall, in every hour, before the purchases cost more than buying nothing: a share of today's usage, `None` if it
    /// never does.
    pub break_even_usage: Option<Figure>,
    /// The bill with what is held, nothing bought and nothing done.
    pub before: Charges,
    /// The bill with the actions on what is held, and nothing bought.
    pub acted: Charges,
    /// The bill with the actions and the purchases.
    pub after: Charges,
    /// What to buy, by the usage it covers, the largest first.
    pub purchases: Vec<Purchase>,
    /// What to do with what is held, in the order of the plan; renewals and what lapses stand here too, though they need no order.
    pub actions: Vec<Action>,
    /// What is held already, by its end.
    pub held: Vec<Held>,
    /// The policy's limits that hold the plan back, the dearest first.
    pub rules: Vec<RulePrice>,
    /// Simple rules of purchase, billed by the same judge.
    pub baselines: Vec<Baseline>,
    /// The plan in other futures; the first is the usage planned for.
    pub cases: Vec<Case>,
    /// The plan at the prices of each scenario that changes prices, which the plan itself was not made with.
    pub repriced: Vec<Repriced>,
    /// Which of the cases has the lowest usage.
    pub low_case: u32,
    /// The plan as an investment and in the accounts.
    pub finance: Finance,
    /// The usage of each day, as money an hour on the average.
    pub days: Vec<Day>,
    /// An ordinary week, hour by hour.
    pub week: Week,
    /// Load-duration curves, with the level chosen.
    pub load_duration: Vec<LoadDuration>,
    /// Cost against coverage.
    pub coverage: CoverageCurve,
    /// The committed cost an hour, by month, as commitments end.
    pub ladder: Vec<LadderMonth>,
    /// Sweeps over all hours that the search made.
    pub sweeps: u64,
    /// The seconds it took.
    pub seconds: Figure,
}

/// Where prices come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prices {
    /// The source in words.
    pub source: String,
    /// The day they were valid.
    pub price_date: Option<NaiveDate>,
}

/// The bound and the parts of the gap, which add up to it; see `planning::Certificate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// No plan under the policy costs less.
    pub lower_bound: Figure,
    /// What the plan costs by the judge, in the terms of the objective.
    pub billed_cost: Figure,
    /// `(billed cost - lower bound) / billed cost`.
    pub gap: Figure,
    /// Part of the gap: the provider's order of applying commitments.
    pub billing_order: Figure,
    /// Part of the gap: whole purchases.
    pub integrality: Figure,
    /// Part of the gap: the bound was not pushed further.
    pub tolerance: Figure,
}

/// A bill in sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charges {
    /// All usage at on-demand prices.
    pub on_demand_equivalent: Figure,
    /// Usage left on demand, after sustained use discounts.
    pub on_demand: Figure,
    /// Commitment cost that covered usage.
    pub used_commitment: Figure,
    /// Commitment cost that covered nothing.
    pub unused_commitment: Figure,
    /// What actions cost at once that no bill shows: what was paid for, is given up and does not come back; below 0 where they bring in more.
    pub given_up: Figure,
    /// The bill, amortised, with what was given up.
    pub cost: Figure,
    /// The same, a month.
    pub cost_monthly: Figure,
    /// `1 - cost / usage at public on-demand prices` (FinOps Foundation).
    pub effective_savings_rate_list: Option<Figure>,
    /// Covered usage / all usage at on-demand prices.
    pub coverage: Option<Figure>,
    /// Used / all commitment cost.
    pub utilisation: Option<Figure>,
}

/// One thing to buy, with what to enter in the order and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Purchase {
    /// The identifier of the purchase in bills and checks.
    pub id: String,
    /// The offer's identifier in the catalog.
    pub offer: String,
    /// The provider's own identifier of the offer, if the catalog has it.
    pub provider_id: String,
    /// The provider: `aws`, `azure`, `gcp`.
    pub provider: String,
    /// The service.
    pub service: String,
    /// The region; empty for a plan that covers all.
    pub region: String,
    /// `reservation` or `spend_plan`.
    pub kind: String,
    /// What it is for: the SKU, or the plan's type and family.
    pub subject: String,
    /// Operating system, engine or licence of the SKU; empty for a plan.
    pub platform: String,
    /// Tenancy of the SKU; empty for a plan.
    pub tenancy: String,
    /// The scope to buy it with.
    pub scope: String,
    /// The term, in words.
    pub term: String,
    /// The payment option: `no_upfront`, `partial_upfront`, `all_upfront`.
    pub payment_option: String,
    /// What its owner may do with it before its end; empty for nothing.
    pub rights: Vec<String>,
    /// The day to buy.
    pub start: NaiveDate,
    /// The day its term ends.
    pub end: NaiveDate,
    /// Reservations, or money an hour.
    pub quantity: Figure,
    /// What one unit of the quantity is: `reservations` or the currency an hour.
    pub quantity_unit: String,
    /// Due at purchase.
    pub upfront: Figure,
    /// Due for each hour of the term.
    pub recurring_hourly: Figure,
    /// Cost of each hour of the term with the upfront payment spread over it.
    pub effective_hourly: Figure,
    /// Due every month.
    pub monthly: Figure,
    /// The usage it covers in a month, at on-demand prices.
    pub covered_on_demand_monthly: Figure,
    /// What it saves in a month: what it covers less its amortised cost.
    pub savings_monthly: Figure,
    /// The share of it that is used.
    pub utilisation: Option<Figure>,
    /// The month of its term in which it has avoided what it will ever cost.
    pub break_even_month: Option<u32>,
    /// The share of it that must be used for it to cost no more than on demand.
    pub break_even_utilisation: Option<Figure>,
    /// The step in which the quantity can be changed.
    pub step: Figure,
    /// What one step more changes the cost of the hours planned by; `None` if a rule forbids it. A plan that is optimal within a gap, not to the
    /// last cent, may have a step that would lower the cost a little.
    pub change_with_one_more: Option<Figure>,
    /// What one step less changes it by; `None` if a rule forbids it.
    pub change_with_one_less: Option<Figure>,
    /// The rules that one step more would break.
    pub stopped_by: Vec<String>,
    /// Why, in two sentences.
    pub explanation: Vec<String>,
    /// Where the price is not the provider's own figure: how it was derived.
    pub price_derived: String,
}

/// Something held already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Its identifier.
    pub id: String,
    /// The offer it was bought by.
    pub offer: String,
    /// Reservations, or money an hour.
    pub quantity: Figure,
    /// The day it ends.
    pub end: NaiveDate,
    /// Cost of each hour, upfront payment spread over the term.
    pub effective_hourly: Figure,
    /// The share of it that is used with the plan.
    pub utilisation: Option<Figure>,
}

/// A limit of the policy and what it costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RulePrice {
    /// The policy's field.
    pub rule: String,
    /// Its limit.
    pub limit: Figure,
    /// The limit a tenth looser.
    pub loosened: Figure,
    /// By how much the lowest cost falls with the looser limit, over the hours of the usage, purchases in any fraction.
    pub price: Figure,
}

/// A simple rule of purchase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The rule in words.
    pub rule: String,
    /// What it is billed.
    pub billed_cost: Figure,
    /// How much more than the plan.
    pub more_than_plan: Figure,
    /// Whether the policy allows it.
    pub allowed_by_policy: bool,
}

/// The plan in one future: purchases and actions stay, usage differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// What differs, in words.
    pub assumption: String,
    /// How likely it is, where the caller says so.
    pub probability: Option<Figure>,
    /// The bill with nothing bought and nothing done, a month.
    pub before_monthly: Figure,
    /// The bill with the plan, a month.
    pub after_monthly: Figure,
    /// The difference, a month.
    pub savings_monthly: Figure,
    /// Commitment cost that covers nothing, a month.
    pub unused_monthly: Figure,
    /// Covered usage / all usage.
    pub coverage: Option<Figure>,
    /// Used / all commitment cost.
    pub utilisation: Option<Figure>,
    /// Net present value of the purchases over their terms, if this goes on.
    pub npv: Figure,
    /// The bill by month.
    pub months: Vec<CaseMonth>,
}

/// A month of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseMonth {
    /// The month, `2025-01`.
    pub month: String,
    /// The bill without the purchases.
    pub before: Figure,
    /// The bill with them.
    pub after: Figure,
}

/// The purchases as an investment against the same usage without them, over their terms, none renewed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finance {
    /// When they are bought (the first of them, if there are several dates).
    pub purchase_date: NaiveDate,
    /// The cost of capital, effective a year.
    pub discount_rate: Figure,
    /// `service_contract` or `capitalised`.
    pub treatment: String,
    /// Net present value.
    pub npv: Figure,
    /// Internal rate, effective a year; `None` if there is none.
    pub irr: Option<Figure>,
    /// Why there is no internal rate; empty if there is one.
    pub irr_note: String,
    /// From when on the running total of cash is never negative again: a date, or `immediate`, or `never`.
    pub payback: String,
    /// Months from purchase to payback; 0 if immediate.
    pub payback_months: Option<Figure>,
    /// Net savings / cost.
    pub return_on_investment: Option<Figure>,
    /// The largest sum ever out of pocket.
    pub largest_exposure: Figure,
    /// What the use would have cost without the purchases.
    pub avoided: Figure,
    /// What they cost, over all terms.
    pub cost: Figure,
    /// By year from the purchase.
    pub years: Vec<FinanceYear>,
    /// By calendar month.
    pub months: Vec<FinanceMonth>,
    /// What the net present value hangs on, the most important first.
    pub tornado: Vec<TornadoBar>,
}

/// Twelve months of the accounts, the first from the month of purchase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinanceYear {
    /// 1 for the first.
    pub year: u32,
    /// Paid to the provider for the purchases.
    pub cash_paid: Figure,
    /// Not paid any more on demand.
    pub avoided: Figure,
    /// Their cost in profit and loss.
    pub expense: Figure,
    /// Effect on EBITDA; positive helps.
    pub ebitda_effect: Figure,
    /// Effect on operating cash flow; positive helps.
    pub operating_cash_flow_effect: Figure,
}

/// A calendar month of cash and of profit and loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinanceMonth {
    /// The month, `2025-01`.
    pub month: String,
    /// Paid to the provider for the purchases.
    pub cash_paid: Figure,
    /// Savings less payments, on the days they fall.
    pub net_cash: Figure,
    /// The sum of it so far.
    pub cumulative_cash: Figure,
    /// Not paid any more on demand, by the month of use.
    pub avoided: Figure,
    /// Cost of the purchases in profit and loss.
    pub expense: Figure,
    /// Of the expense, what covered nothing.
    pub unused_expense: Figure,
    /// Effect on EBITDA; positive helps.
    pub ebitda_effect: Figure,
    /// Prepaid expense at the month's end.
    pub prepaid: Figure,
}

/// One bar of the tornado.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TornadoBar {
    /// What is moved.
    pub assumption: String,
    /// Its low value, in words.
    pub low: String,
    /// Its high value, in words.
    pub high: String,
    /// Net present value at the low value.
    pub npv_at_low: Figure,
    /// Net present value at the high value.
    pub npv_at_high: Figure,
}

/// A day of usage, as money an hour on the average.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// The day, UTC.
    pub day: NaiveDate,
    /// All usage at on-demand prices.
    pub usage: Figure,
    /// Of it, what commitments cover with the plan.
    pub covered: Figure,
}

/// Some hours, each covered instrument by instrument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Week {
    /// The first hour.
    pub from: DateTime<Utc>,
    /// The instruments, in the order in which they are stacked.
    pub instruments: Vec<String>,
    /// The hours.
    pub hours: Vec<WeekHour>,
}

/// One hour, in money at on-demand prices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeekHour {
    /// All usage.
    pub usage: Figure,
    /// What each instrument covers.
    pub covered: Vec<Figure>,
}

/// A load-duration curve: usage sorted from the highest hour to the lowest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadDuration {
    /// What is used.
    pub name: String,
    /// The unit of usage and levels.
    pub unit: String,
    /// The curve, by falling usage.
    pub points: Vec<LoadPoint>,
    /// What commitments provide at full use, from below.
    pub levels: Vec<Level>,
}

/// A point of a load-duration curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadPoint {
    /// The share of hours in which usage is at least this.
    pub share: Figure,
    /// The usage in an hour.
    pub usage: Figure,
}

/// A level of commitments, with all below it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// What adds up to it.
    pub name: String,
    /// The level.
    pub level: Figure,
}

/// Cost against coverage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoverageCurve {
    /// The lowest cost at each coverage, purchases in any fraction; levels that the policy or the offers cannot reach are absent.
    pub points: Vec<CoveragePoint>,
    /// What there is today.
    pub today: Option<CoveragePoint>,
    /// The plan.
    pub plan: Option<CoveragePoint>,
}

/// A point of that curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoveragePoint {
    /// Covered usage / all usage.
    pub coverage: Figure,
    /// Cost over the hours of the usage.
    pub cost: Figure,
}

/// A month of the expiry ladder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LadderMonth {
    /// The month, `2025-01`.
    pub month: String,
    /// Committed cost an hour, on the month's first day, of what was held before and of what actions put in its place.
    pub held: Figure,
    /// Of purchases of up to one year.
    pub one_year: Figure,
    /// Of longer purchases.
    pub longer: Figure,
    /// What ends in this month, as cost an hour.
    pub expiring: Figure,
}
