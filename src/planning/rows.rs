//! The policy as linear rows over steps bought, on-demand cost of scenarios, and yes-or-no choices. The formulas are those of
//! `docs/formulation.md`, "Policy"; a row keeps the name of its rule, so that a clash or a price can be told in the policy's words.

use super::action::Limit;
use super::column::ChangeTerms;
use super::policy::{PaymentOptions, Policy, quarter};
use super::problem::{Candidate, Held};
use crate::catalog::Catalog;
use crate::time::{Hour, Month};
use crate::units::to_f64;
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// A linear rule: `lower <= Σ coefficient · variable <= upper`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// The field of [`Policy`] it comes from, with what it is about.
    pub(super) rule: String,
    /// What a unit of it means, for people: money, money an hour, purchases.
    pub(super) unit: &'static str,
    pub(super) terms: Vec<(Term, f64)>,
    pub(super) lower: f64,
    pub(super) upper: f64,
    /// Whether the rule may give when rules clash; rows that only define choices may not.
    pub(super) kind: RowKind,
}

/// Whether a row says what the buyer wants or what a choice means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowKind {
    Rule,
    Definition,
}

/// A variable of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Term {
    /// Steps of a candidate, or, counted on from the last of them, of a change.
    Steps(usize),
    /// On-demand cost of a scenario.
    OnDemand(usize),
    /// A choice: 1 if any of its candidates is bought.
    Choice(usize),
}

/// All rows with the choices they speak of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    /// For each choice: the candidates that make it.
    pub(super) choices: Vec<Vec<usize>>,
}

/// What rows are made from.
pub(super) struct Inputs<'i> {
    pub(super) policy: &'i Policy,
    pub(super) catalog: &'i Catalog,
    pub(super) candidates: &'i [Candidate],
    /// Changes of what is held; their steps follow those of the candidates.
    pub(super) changes: &'i [ChangeTerms],
    pub(super) limits: &'i [Limit],
    pub(super) held: &'i [Held],
    /// On-demand equivalent of all usage, by scenario.
    pub(super) on_demand_equivalent: &'i [f64],
    /// For each candidate whether it covers nothing that stays after a migration, by migration.
    pub(super) stranded: &'i [Vec<bool>],
    /// For each candidate: the most steps that could be used as well as the policy asks, if it asks.
    pub(super) most_utilised: &'i [f64],
}

impl Rows {
    pub(super) fn new(inputs: &Inputs<'_>) -> Self {
        let mut rows = Self::default();
        rows.money(inputs);
        rows.shares(inputs);
        rows.usage(inputs);
        rows.calendar(inputs);
        rows.choices(inputs);
        rows.changes(inputs);
        rows
    }

    /// By how much steps and on-demand costs break each rule: index of the row and amount, none if all is kept. `None` for the on-demand costs
    /// leaves out the rules that need them.
    pub(super) fn broken(&self, steps: &[f64], on_demand: Option<&[f64]>) -> Vec<(usize, f64)> {
        let chosen = |choice: usize| self.choices[choice].iter().any(|index| steps[*index] > 1e-9);
        let broken = |(index, row): (usize, &Row)| {
            let (mut value, mut size) = (0.0, 1e-9);
            for (term, coefficient) in &row.terms {
                let of = match term {
                    Term::Steps(candidate) => steps[*candidate],
                    Term::OnDemand(scenario) => on_demand?[*scenario],
                    Term::Choice(choice) => f64::from(u8::from(chosen(*choice))),
                };
                value += coefficient * of;
                size += (coefficient * of).abs();
            }
            let tolerance = 1e-9 * size.max(row.lower.abs().min(row.upper.abs()));
            let by = (row.lower - value).max(value - row.upper);
            (by > tolerance).then_some((index, by))
        };
        self.rows.iter().enumerate().filter_map(broken).collect()
    }

    fn rule(&mut self, rule: impl Into<String>, unit: &'static str, terms: Vec<(Term, f64)>, lower: f64, upper: f64) {
        let terms: Vec<(Term, f64)> = terms.into_iter().filter(|(_, coefficient)| *coefficient != 0.0).collect();
        if !(terms.is_empty() && lower <= 0.0 && upper >= 0.0) {
            self.rows.push(Row { rule: rule.into(), unit, terms, lower, upper, kind: RowKind::Rule });
        }
    }

    /// Budgets, obligation, tranches and ladders.
    fn money(&mut self, inputs: &Inputs<'_>) {
        let Inputs { policy, candidates, changes, held, .. } = inputs;
        let sum = |of: &dyn Fn(&Candidate) -> f64| -> Vec<(Term, f64)> {
            candidates.iter().enumerate().map(|(index, candidate)| (Term::Steps(index), of(candidate))).collect()
        };
        let with_changes = |mut terms: Vec<(Term, f64)>, of: &dyn Fn(&ChangeTerms) -> f64| -> Vec<(Term, f64)> {
            let first = candidates.len();
            terms.extend(changes.iter().enumerate().map(|(index, change)| (Term::Steps(first + index), of(change))));
            terms
        };
        if let Some(budget) = policy.upfront_budget {
            let terms = with_changes(sum(&|candidate| candidate.upfront), &|change| change.upfront);
            self.rule("upfront_budget", "money", terms, f64::NEG_INFINITY, budget.to_f64());
        }
        for (name, budget) in &policy.upfront_budget_by_quarter {
            let of = |candidate: &Candidate| if quarter(month(candidate.start)) == *name { candidate.upfront } else { 0.0 };
            let of_change = |change: &ChangeTerms| if quarter(month(change.at)) == *name { change.upfront } else { 0.0 };
            let rule = format!("upfront_budget_by_quarter {name}");
            self.rule(rule, "money", with_changes(sum(&of), &of_change), f64::NEG_INFINITY, budget.to_f64());
        }
        let dates: BTreeSet<DateTime<Utc>> = candidates.iter().map(|candidate| candidate.start).collect();
        if let Some(most) = policy.max_remaining_obligation {
            // It only grows when something is bought, so the purchase dates are enough.
            for date in dates.iter().chain(changes.iter().map(|change| &change.at)).collect::<BTreeSet<_>>() {
                let left = |start: DateTime<Utc>, end: DateTime<Utc>, hourly: f64| {
                    if start <= *date { hourly * (end - *date).num_hours().max(0) as f64 } else { 0.0 }
                };
                let of_held: f64 = held.iter().map(|held| left(held.start, held.end, held.hourly_cost)).sum();
                let terms = sum(&|candidate| left(candidate.start, candidate.term_end, candidate.hourly_cost));
                let of_change = |change: &ChangeTerms| -> f64 {
                    change.obligations.iter().map(|(start, end, hourly)| left(*start, *end, *hourly)).sum()
                };
                let terms = with_changes(terms, &of_change);
                let rule = format!("max_remaining_obligation on {}", date.date_naive());
                self.rule(rule, "money", terms, f64::NEG_INFINITY, most.to_f64() - of_held);
            }
        }
        if let Some(most) = policy.max_purchase_per_month {
            for month_of in dates.iter().map(|date| month(*date)).collect::<BTreeSet<Month>>() {
                let of = |candidate: &Candidate| if month(candidate.start) == month_of { candidate.hourly_cost } else { 0.0 };
                let rule = format!("max_purchase_per_month {month_of}");
                self.rule(rule, "money an hour", sum(&of), f64::NEG_INFINITY, most.to_f64());
            }
        }
        if let Some(most) = policy.max_expiring_per_month {
            let ends = changes.iter().flat_map(|change| change.obligations.iter().map(|(_, end, _)| month(*end)));
            for month_of in candidates.iter().map(|candidate| month(candidate.term_end)).chain(ends).collect::<BTreeSet<Month>>()
            {
                let of_change = |change: &ChangeTerms| -> f64 {
                    let ending = change.obligations.iter().filter(|(_, end, _)| month(*end) == month_of);
                    ending.map(|(_, _, hourly)| hourly).sum()
                };
                let of = |candidate: &Candidate| if month(candidate.term_end) == month_of { candidate.hourly_cost } else { 0.0 };
                let of_held: f64 = held.iter().filter(|held| month(held.end) == month_of).map(|held| held.hourly_cost).sum();
                let rule = format!("max_expiring_per_month {month_of}");
                let terms = with_changes(sum(&of), &of_change);
                self.rule(rule, "money an hour", terms, f64::NEG_INFINITY, (most.to_f64() - of_held).max(0.0));
            }
        }
        for (index, migration) in policy.migrations.iter().enumerate() {
            let leave = day(migration.leave);
            let of = |(position, candidate): (usize, &Candidate)| {
                let is_stranded = inputs.stranded[position][index];
                let from = candidate.start.max(leave);
                let hours = (candidate.term_end - from).num_hours().max(0) as f64;
                (Term::Steps(position), if is_stranded { candidate.hourly_cost * hours } else { 0.0 })
            };
            let terms = candidates.iter().enumerate().map(of).collect();
            let rule = format!("migrations, leaving by {}", migration.leave);
            self.rule(rule, "money", terms, f64::NEG_INFINITY, migration.max_stranded.to_f64());
        }
    }

    /// Shares of the new commitments' hourly cost: `Σ (is in the selection - share) hourly x` above or below 0.
    fn shares(&mut self, inputs: &Inputs<'_>) {
        let above = |share: f64, is_in: &dyn Fn(&Candidate) -> bool| -> Vec<(Term, f64)> {
            let term = |(index, candidate): (usize, &Candidate)| {
                let part = if is_in(candidate) { 1.0 - share } else { -share };
                (Term::Steps(index), part * candidate.hourly_cost)
            };
            inputs.candidates.iter().enumerate().map(term).collect()
        };
        if let Some(share) = inputs.policy.max_share_three_year {
            let terms = above(share, &|candidate| candidate.months >= 36);
            self.rule("max_share_three_year", "money an hour", terms, f64::NEG_INFINITY, 0.0);
        }
        for rule in &inputs.policy.shares {
            let is_in =
                |candidate: &Candidate| inputs.catalog.offer(&candidate.offer).is_some_and(|offer| rule.of.contains(offer));
            if let Some(share) = rule.maximum {
                let name = format!("shares, most of {}", rule.of);
                self.rule(name, "money an hour", above(share, &is_in), f64::NEG_INFINITY, 0.0);
            }
            if let Some(share) = rule.minimum {
                let name = format!("shares, least of {}", rule.of);
                self.rule(name, "money an hour", above(share, &is_in), 0.0, f64::INFINITY);
            }
        }
    }

    /// Coverage by scenario; utilisation by what could be used at best.
    fn usage(&mut self, inputs: &Inputs<'_>) {
        for (scenario, equivalent) in inputs.on_demand_equivalent.iter().enumerate() {
            let on_demand = || vec![(Term::OnDemand(scenario), 1.0)];
            if let Some(most) = inputs.policy.max_coverage {
                let rule = format!("max_coverage, scenario {}", scenario + 1);
                self.rule(rule, "money", on_demand(), (1.0 - most) * equivalent, f64::INFINITY);
            }
            if let Some(least) = inputs.policy.min_coverage {
                let rule = format!("min_coverage, scenario {}", scenario + 1);
                self.rule(rule, "money", on_demand(), f64::NEG_INFINITY, (1.0 - least) * equivalent);
            }
        }
        if inputs.policy.min_utilisation.is_some() {
            // What is bought of one slot for the same hours is used together.
            let mut groups: BTreeMap<(usize, usize, usize), Vec<usize>> = BTreeMap::new();
            for (index, candidate) in inputs.candidates.iter().enumerate() {
                groups.entry((candidate.slot, candidate.hours.start, candidate.hours.end)).or_default().push(index);
            }
            for members in groups.into_values() {
                let first = members[0];
                let most = inputs.most_utilised[first] * inputs.candidates[first].capacity;
                let terms = members.iter().map(|index| (Term::Steps(*index), inputs.candidates[*index].capacity)).collect();
                let rule = format!("min_utilisation of {}", inputs.candidates[first].offer);
                self.rule(rule, "units of capacity", terms, f64::NEG_INFINITY, most);
            }
        }
    }

    /// The gap between purchase dates.
    fn calendar(&mut self, inputs: &Inputs<'_>) {
        let Some(gap) = inputs.policy.min_days_between_purchases else { return };
        let mut by_date: BTreeMap<DateTime<Utc>, Vec<usize>> = BTreeMap::new();
        for (index, candidate) in inputs.candidates.iter().enumerate() {
            by_date.entry(candidate.start).or_default().push(index);
        }
        let dates: Vec<(DateTime<Utc>, usize)> =
            by_date.into_iter().map(|(date, members)| (date, self.choice(inputs.candidates, members))).collect();
        for (position, (date, choice)) in dates.iter().enumerate() {
            for (later, other) in &dates[position + 1..] {
                if (*later - *date).num_days() < i64::from(gap) {
                    let rule = format!("min_days_between_purchases, {} and {}", date.date_naive(), later.date_naive());
                    let terms = vec![(Term::Choice(*choice), 1.0), (Term::Choice(*other), 1.0)];
                    self.rule(rule, "purchases", terms, f64::NEG_INFINITY, 1.0);
                }
            }
        }
    }

    /// Tickets, number of purchases, payment options.
    fn choices(&mut self, inputs: &Inputs<'_>) {
        let Inputs { policy, candidates, catalog, .. } = inputs;
        if policy.min_ticket.is_some() || policy.max_purchases.is_some() {
            let bought: Vec<usize> = (0..candidates.len()).map(|index| self.choice(candidates, vec![index])).collect();
            if let Some(ticket) = policy.min_ticket {
                for (index, candidate) in candidates.iter().enumerate() {
                    let cost = candidate.hourly_cost * (candidate.term_end - candidate.start).num_hours() as f64;
                    let terms = vec![(Term::Steps(index), cost), (Term::Choice(bought[index]), -ticket.to_f64())];
                    self.rule(format!("min_ticket of {}", candidate.offer), "money", terms, 0.0, f64::INFINITY);
                }
            }
            if let Some(most) = policy.max_purchases {
                let terms = bought.iter().map(|choice| (Term::Choice(*choice), 1.0)).collect();
                self.rule("max_purchases", "purchases", terms, f64::NEG_INFINITY, f64::from(most));
            }
        }
        for (index, candidate) in candidates.iter().enumerate().filter(|(_, candidate)| candidate.min_steps > 1) {
            let choice = self.choice(candidates, vec![index]);
            let terms = vec![(Term::Steps(index), 1.0), (Term::Choice(choice), -f64::from(candidate.min_steps))];
            self.rule(format!("least lot of {}", candidate.offer), "steps", terms, 0.0, f64::INFINITY);
        }
        if policy.payment_options_per_product == PaymentOptions::One {
            let mut products: BTreeMap<(usize, u32), BTreeMap<_, Vec<usize>>> = BTreeMap::new();
            for (index, candidate) in candidates.iter().enumerate() {
                let Some(offer) = catalog.offer(&candidate.offer) else { continue };
                let product = products.entry((candidate.product, candidate.months)).or_default();
                product.entry(offer.payment_option).or_default().push(index);
            }
            for options in products.into_values().filter(|options| options.len() > 1) {
                let first = options.values().flatten().next().map_or("", |index| candidates[*index].offer.as_str());
                let rule = format!("payment_options_per_product of {first}");
                let terms = options.into_values().map(|members| (Term::Choice(self.choice(candidates, members)), 1.0)).collect();
                self.rule(rule, "payment options", terms, f64::NEG_INFINITY, 1.0);
            }
        }
    }

    /// No unit held is given up twice, and limits shared by changes are kept. These are the providers' rules, which cannot give.
    fn changes(&mut self, inputs: &Inputs<'_>) {
        let first = inputs.candidates.len();
        let mut of_held: BTreeMap<usize, Vec<(Term, f64)>> = BTreeMap::new();
        let mut of_limits: BTreeMap<usize, Vec<(Term, f64)>> = BTreeMap::new();
        for (index, change) in inputs.changes.iter().enumerate() {
            for (held, quantity) in &change.gives {
                of_held.entry(*held).or_default().push((Term::Steps(first + index), *quantity));
            }
            for (limit, amount) in change.uses.iter().filter(|(_, amount)| *amount != 0.0) {
                of_limits.entry(*limit).or_default().push((Term::Steps(first + index), *amount));
            }
        }
        let held = of_held.into_iter().map(|(index, terms)| {
            let held = &inputs.held[index];
            (format!("what is held of {}", held.id), "units", terms, held.quantity)
        });
        let limits = of_limits.into_iter().map(|(index, terms)| {
            let limit = &inputs.limits[index];
            (limit.name.clone(), "units of the limit", terms, to_f64(limit.most))
        });
        for (rule, unit, terms, upper) in held.chain(limits) {
            self.rows.push(Row { rule, unit, terms, lower: f64::NEG_INFINITY, upper, kind: RowKind::Definition });
        }
    }

    /// A choice with the rows that define it: no steps of its candidates without it.
    fn choice(&mut self, candidates: &[Candidate], members: Vec<usize>) -> usize {
        let choice = self.choices.len();
        for index in &members {
            let terms = vec![(Term::Steps(*index), 1.0), (Term::Choice(choice), -f64::from(candidates[*index].max_steps))];
            let (rule, unit) = (format!("choice of {}", candidates[*index].offer), "steps");
            self.rows.push(Row { rule, unit, terms, lower: f64::NEG_INFINITY, upper: 0.0, kind: RowKind::Definition });
        }
        self.choices.push(members);
        choice
    }
}

fn month(instant: DateTime<Utc>) -> Month {
    Hour::containing(instant).month()
}

/// The first instant after a day.
fn day(date: NaiveDate) -> DateTime<Utc> {
    let next = date.checked_add_days(Days::new(1)).unwrap_or(date);
    next.and_time(chrono::NaiveTime::MIN).and_utc()
}
