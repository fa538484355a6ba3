//! The problem: usage lines with prices in every scenario, slots of coverage, the candidates that add capacity to them, and the rules.
//!
//! A *slot* is one way of being covered: a pool of reservations, or one table of plan rates. Commitments held and candidates with the same
//! coverage share a slot; what they provide adds up. Sets and symbols are those of `docs/formulation.md`, "Sets and data".

use super::action::{Change, Limit, after};
use super::agreement::{Compiled, Discounting, Inputs as AgreementInputs, Signed};
use super::build::Builder;
use super::column::{ChangeTerms, Column};
use super::objective::Objective;
use super::policy::Policy;
use super::recourse::Recourse;
use super::rights::Rights;
use super::rows::Rows;
use super::spot::Interruptible;
use super::timing::Timing;
use crate::billing::{Judge, Rules};
use crate::catalog::{Catalog, Offer};
use crate::error::{Error, Problem as Wrong, Result};
use crate::portfolio::{Commitment, Portfolio, Scope};
use crate::scenario::transform::PriceChange;
use crate::units::Units;
use crate::usage::UsageCurves;
use chrono::{DateTime, Utc};
use rayon::prelude::*;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

/// A planning problem: all that decides the answer. Solve it with `Problem::solve` (feature `highs`); change its policy or objective with
/// [`Problem::with_policy`] and [`Problem::with_objective`] and solve it again.
#[derive(Clone, Debug)]
pub struct Problem<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) scenarios: Vec<Scenario<'a>>,
    pub(super) portfolio: Portfolio,
    pub(super) policy: Policy,
    pub(super) rules: Rules,
    pub(super) objective: Objective,
    pub(super) timing: Timing,
    /// Columns of the usage that may run on spot.
    pub(super) interruptible: Interruptible,
    /// What the buyer would buy without this library, by offer.
    pub(super) own_plan: Option<BTreeMap<String, Units>>,
    /// What may be done with what is held, and the limits that it shares.
    pub(super) changes: Vec<Change>,
    pub(super) limits: Vec<Limit>,
    /// The first so many of both are the buyer's own; the rest follows from the rights.
    own_changes: (usize, usize),
    pub(super) rights: Option<Rights>,
    pub(super) candidates: Vec<Candidate>,
    /// The decisions: purchases in the order of the candidates, then changes.
    pub(super) columns: Vec<Column>,
    #[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "plans alone use it"))]
    pub(super) change_terms: Vec<ChangeTerms>,
    /// For each commitment held, in the portfolio's order, the slot that it has capacity in.
    #[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "plans alone use it"))]
    pub(super) held_slots: Vec<Option<usize>>,
    pub(super) rows: Rows,
    pub(super) recourse: Recourse<'a>,
    /// The columns of the usage that take part, which are the recourse's lines.
    pub(super) lines: Vec<usize>,
    /// Offers that the judge would refuse, and why.
    pub(super) set_aside: Vec<(String, String)>,
    /// What the commitments held cost over the hours of the usage, whatever is bought.
    pub(super) held_cost: f64,
    /// What all usage would cost on demand, by scenario.
    pub(super) on_demand_equivalent: Vec<f64>,
    /// The agreement that all of it is under.
    pub(super) agreement: Option<Compiled>,
}

/// One possible future of usage.
#[derive(Clone, Debug)]
pub(super) struct Scenario<'a> {
    pub(super) name: String,
    pub(super) probability: f64,
    pub(super) usage: &'a UsageCurves,
    /// Price changes, which the plan is not made with; see `planning/repriced.rs`.
    #[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "plans alone are billed at them"))]
    pub(super) prices: &'a [PriceChange],
}

/// An offer that may be bought on a date, in the mathematics' terms.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The [`crate::catalog::Offer::id`].
    pub offer: String,
    /// The scope it would be bought with.
    pub scope: Scope,
    /// When it would be bought.
    pub start: DateTime<Utc>,
    /// When its term would end.
    pub term_end: DateTime<Utc>,
    /// The step in which it is bought: reservations or money an hour.
    pub step: Decimal,
    /// The fewest steps it is sold in, if it is bought at all.
    pub min_steps: u32,
    /// How many steps may make sense at most: beyond, it could cover nothing more in any hour.
    pub max_steps: u32,
    /// What one step adds to the objective: all that falls into the hours planned, discounted (`docs/formulation.md`, "Time").
    pub cost: f64,
    /// What one step costs an hour, upfront spread over the term.
    pub hourly_cost: f64,
    /// What one step costs upfront.
    pub upfront: f64,
    /// The term in months.
    pub months: u32,
    /// Whether its steps are so small that the bound lets it be bought in any amount (spend plans); else it is bought in whole steps.
    pub is_divisible: bool,
    /// Steps that the policy fixes.
    pub(super) fixed: Option<u32>,
    /// The hours it serves.
    pub(super) hours: Range<usize>,
    /// The slot it adds capacity to, and how much one step adds.
    pub(super) slot: usize,
    pub(super) capacity: f64,
    /// Candidates with the same coverage are one product.
    pub(super) product: usize,
}

impl Candidate {
    /// The identifier its purchase has in bills.
    #[must_use]
    pub fn purchase_id(&self, is_dated: bool) -> String {
        if is_dated { format!("buy {} on {}", self.offer, self.start.date_naive()) } else { format!("buy {}", self.offer) }
    }
}

/// What is held, for the rules that count it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Held {
    pub(super) id: String,
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
    pub(super) quantity: f64,
    pub(super) hourly_cost: f64,
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

/// What a plan costs by the judge, and how it stands to the rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The objective: expected cost, with its risk term if there is one.
    pub objective: f64,
    /// Billed cost of each scenario: what is left on demand plus all commitments, discounted.
    pub scenario_costs: Vec<f64>,
    /// Covered usage / all usage at on-demand prices, by scenario.
    pub coverage: Vec<f64>,
    /// The lowest utilisation of anything bought, with the identifier of its purchase, over all scenarios.
    pub least_utilisation: Option<(String, f64)>,
    /// The rules that are broken: rule and by how much.
    pub broken: Vec<(String, f64)>,
}

impl Evaluation {
    /// Whether every rule is kept.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.broken.is_empty()
    }
}

/// What [`super::Planner`] gathers.
#[derive(Clone, Debug)]
pub(super) struct Parts<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) scenarios: Vec<Scenario<'a>>,
    pub(super) portfolio: Portfolio,
    pub(super) policy: Policy,
    pub(super) rules: Rules,
    pub(super) objective: Objective,
    pub(super) timing: Timing,
    pub(super) interruptible: Interruptible,
    pub(super) own_plan: Option<BTreeMap<String, Units>>,
    pub(super) changes: Vec<Change>,
    pub(super) limits: Vec<Limit>,
    pub(super) rights: Option<Rights>,
    pub(super) agreement: Option<Arc<Signed>>,
}

impl<'a> Problem<'a> {
    /// See [`super::Planner::build`].
    pub(super) fn new(parts: Parts<'a>) -> Result<Self> {
        let Parts {
            catalog,
            scenarios,
            portfolio,
            policy,
            rules,
            objective,
            timing,
            interruptible,
            own_plan,
            mut changes,
            mut limits,
            rights,
            agreement,
        } = parts;
        policy.check()?;
        objective.check()?;
        check_scenarios(&scenarios)?;
        timing.check(scenarios[0].usage.grid())?;
        // The judge checks all that can be wrong with usage, catalog and portfolio together.
        let least_prices = interruptible.cap(Judge::new(scenarios[0].usage, catalog, &portfolio, &rules)?.least_prices());
        if let Some(fixed) = policy.fixed.keys().find(|offer| catalog.offer(offer).is_none()) {
            return Err(Error::from(Wrong::Dangling { kind: "offer", id: fixed.clone() }).in_field("fixed"));
        }
        let own_changes = (changes.len(), limits.len());
        let discounting = Discounting::new(agreement.as_ref(), scenarios[0].usage.grid(), &timing)?;
        let builder = Builder::new(catalog, &scenarios, &policy, &timing, &objective, &least_prices);
        if let Some(rights) = &rights {
            let dates = timing.purchase_dates(scenarios[0].usage.grid());
            let covers = |offer: &Offer, scope: &Scope| builder.covers(offer, scope);
            let (by_rules, of_rules) = rights.changes((&portfolio, catalog, &policy), &dates, &covers)?;
            changes.extend(by_rules);
            limits.extend(of_rules);
        }
        if agreement.is_some() && !(changes.is_empty() && interruptible.is_empty()) {
            // What actions add to and take from the spend that counts, and discounts on spot, are not in the agreement's rows.
            let value = format!(
                "an agreement with {} possible actions on what is held and {} spot options",
                changes.len(),
                interruptible.len()
            );
            let range = "an agreement without actions and spot options: give the spot usage as lines, and decide actions under the agreement chosen";
            return Err(Error::from(Wrong::OutOfRange { value, range }).in_field("agreement"));
        }
        let built = builder.under(&discounting, agreement.as_deref()).build(&portfolio, (&changes, &limits), &rules)?;
        let compile = |signed: &Arc<Signed>| {
            Compiled::new(&AgreementInputs {
                signed,
                discounting: &discounting,
                scenarios: &scenarios,
                timing: &timing,
                catalog,
                portfolio: &portfolio,
                rules: &rules,
                candidates: &built.candidates,
                lines: &built.lines,
            })
        };
        let agreement = agreement.as_ref().map(compile).transpose()?;
        Ok(Self {
            catalog,
            portfolio,
            rules,
            changes,
            limits,
            own_changes,
            rights,
            candidates: built.candidates,
            columns: built.columns,
            change_terms: built.change_terms,
            held_slots: built.held_slots,
            rows: built.rows,
            recourse: built.recourse,
            lines: built.lines,
            set_aside: built.set_aside,
            held_cost: built.held_cost,
            on_demand_equivalent: built.on_demand_equivalent,
            scenarios,
            policy,
            objective,
            timing,
            interruptible,
            own_plan,
            agreement,
        })
    }

    /// The same problem under another policy.
    ///
    /// # Errors
    /// As [`super::Planner::build`].
    pub fn with_policy(&self, policy: Policy) -> Result<Self> {
        Self::new(Parts { policy, ..self.parts() })
    }

    /// The same problem with another objective.
    ///
    /// # Errors
    /// As [`super::Planner::build`].
    pub fn with_objective(&self, objective: Objective) -> Result<Self> {
        Self::new(Parts { objective, ..self.parts() })
    }

    /// One scenario alone, as if it were certain.
    ///
    /// # Errors
    /// As [`super::Planner::build`]; [`Wrong::OutOfRange`] if there is no scenario of that index.
    pub fn with_scenario(&self, index: usize) -> Result<Self> {
        let range = "the index of a scenario";
        let scenario = self.scenarios.get(index).ok_or_else(|| Wrong::OutOfRange { value: index.to_string(), range })?;
        let scenarios = vec![Scenario { probability: 1.0, ..scenario.clone() }];
        Self::new(Parts { scenarios, objective: Objective::ExpectedCost, ..self.parts() })
    }

    pub(super) fn parts(&self) -> Parts<'a> {
        Parts {
            catalog: self.catalog,
            scenarios: self.scenarios.clone(),
            portfolio: self.portfolio.clone(),
            policy: self.policy.clone(),
            rules: self.rules.clone(),
            objective: self.objective.clone(),
            timing: self.timing.clone(),
            interruptible: self.interruptible.clone(),
            own_plan: self.own_plan.clone(),
            changes: self.changes[..self.own_changes.0].to_vec(),
            limits: self.limits[..self.own_changes.1].to_vec(),
            rights: self.rights.clone(),
            agreement: self.agreement.as_ref().map(|agreement| Arc::clone(&agreement.signed)),
        }
    }

    /// The same problem with nothing that may be done with what is held: purchases alone.
    ///
    /// # Errors
    /// As [`super::Planner::build`].
    pub fn without_actions(&self) -> Result<Self> {
        Self::new(Parts { changes: Vec::new(), limits: Vec::new(), rights: None, ..self.parts() })
    }

    /// What may be done with what is held. The steps of a plan are those of the candidates followed by those of these.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// What may be bought.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Offers of the catalog that are not candidates because the judge would refuse them (a rate above the on-demand price), and why.
    #[must_use]
    pub fn set_aside(&self) -> &[(String, String)] {
        &self.set_aside
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The objective.
    #[must_use]
    pub fn objective(&self) -> &Objective {
        &self.objective
    }

    /// Names and probabilities of the scenarios.
    pub fn scenarios(&self) -> impl ExactSizeIterator<Item = (&str, f64)> {
        self.scenarios.iter().map(|scenario| (scenario.name.as_str(), scenario.probability))
    }

    /// The usage of the first scenario, which stands for the others where only one is shown.
    pub(super) fn usage(&self) -> &'a UsageCurves {
        self.scenarios[0].usage
    }

    /// Nothing bought but what the policy fixes.
    pub(super) fn nothing(&self) -> Vec<u32> {
        self.columns.iter().map(|column| column.fixed.unwrap_or(0)).collect()
    }

    /// The commitments that a number of steps of each candidate are: what is bought. In a steady state they run through the usage, or for their term if that
    /// is longer.
    ///
    /// # Panics
    /// If there are fewer numbers than candidates.
    #[must_use]
    pub fn commitments(&self, steps: &[u32]) -> Vec<Commitment> {
        let bought = |(index, candidate): (usize, &Candidate)| {
            let quantity = candidate.step * Decimal::from(steps[index]);
            let offer = self.catalog.offer(&candidate.offer)?;
            (!quantity.is_zero()).then(|| Commitment {
                id: candidate.purchase_id(self.timing.is_dated()),
                offer: offer.id.clone(),
                quantity,
                start: candidate.start,
                end: self.timing.end(candidate, self.usage().grid()),
                account: String::new(),
                scope: candidate.scope.clone(),
            })
        };
        self.candidates.iter().enumerate().filter_map(bought).collect()
    }

    /// Whether steps can be of this problem, for those that were kept elsewhere.
    ///
    /// # Errors
    /// [`crate::Problem::OutOfRange`] unless there is a number for each candidate, or for each candidate and change.
    pub fn check_steps(&self, steps: &[u32]) -> Result<()> {
        let count = self.candidates.len();
        if [count, count + self.changes.len()].contains(&steps.len()) {
            return Ok(());
        }
        let problem = Wrong::OutOfRange { value: steps.len().to_string(), range: "as many steps as there are candidates" };
        Err(Error::from(problem).in_field("steps"))
    }

    /// The portfolio after a number of steps of each candidate and change: what is held, less what is given up, with what is received and
    /// bought. What is given up ends at the change's date, under an identifier that names the change.
    ///
    /// # Errors
    /// [`crate::Problem::Repeated`] if something held has the identifier of a purchase; [`crate::Problem::OutOfRange`] if more of a commitment
    /// is given up than is held.
    ///
    /// # Panics
    /// If there are fewer numbers than candidates.
    pub fn portfolio_with(&self, steps: &[u32]) -> Result<Portfolio> {
        let bought = self.commitments(steps);
        let taken: Vec<(&Change, Decimal)> = self
            .changes
            .iter()
            .zip(steps.iter().skip(self.candidates.len()))
            .filter(|(_, steps)| **steps > 0)
            .map(|(change, steps)| (change, Decimal::from(*steps) * change.share()))
            .collect();
        if taken.is_empty() {
            return self.portfolio.with(bought);
        }
        after(&self.portfolio, &taken, bought)
    }

    /// What a number of steps of each candidate costs by the judge in every scenario, and which rules it breaks.
    ///
    /// # Errors
    /// As [`Problem::portfolio_with`] and [`Judge::new`].
    pub fn evaluate(&self, steps: &[u32]) -> Result<Evaluation> {
        let portfolio = self.portfolio_with(steps)?;
        let fractional = fractional(steps);
        let commitments = self.commitment_cost(&fractional);
        let outcomes: Vec<_> = self
            .scenarios
            .par_iter()
            .enumerate()
            .map(|(index, scenario)| self.outcome((index, scenario.usage), &portfolio, &fractional))
            .collect::<Result<_>>()?;
        let first = self.usage().grid().first;
        let on_demand: Vec<f64> = outcomes
            .iter()
            .map(|outcome| match &self.agreement {
                None => outcome.on_demand.iter().map(|(month, cost)| cost * self.timing.month_factor(first, *month)).sum(),
                Some(agreement) => agreement.on_demand(outcome),
            })
            .collect();
        let mut scenario_costs: Vec<f64> = on_demand.iter().map(|open| open + commitments).collect();
        if let Some(agreement) = &self.agreement {
            for (scenario, (cost, outcome)) in scenario_costs.iter_mut().zip(&outcomes).enumerate() {
                *cost += agreement.cost(scenario, &agreement.counted(scenario, outcome, &fractional))?;
            }
        }
        let coverage = on_demand.iter().zip(&self.on_demand_equivalent);
        let coverage = coverage.map(|(open, all)| if *all > 0.0 { 1.0 - open / all } else { 0.0 }).collect();
        let of_purchases = outcomes.iter().flat_map(|outcome| {
            portfolio
                .commitments()
                .iter()
                .zip(&outcome.utilisation)
                .filter_map(|(commitment, share)| Some((commitment, (*share)?)))
        });
        let bought: HashSet<String> = self.commitments(steps).into_iter().map(|commitment| commitment.id).collect();
        let least_utilisation = of_purchases
            .filter(|(commitment, _)| bought.contains(&commitment.id))
            .min_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.id.cmp(&b.0.id)))
            .map(|(commitment, share)| (commitment.id.clone(), share));
        let broken = self.rows.broken(&fractional, Some(&on_demand));
        let mut broken: Vec<(String, f64)> =
            broken.into_iter().map(|(index, by)| (self.rows.rows[index].rule.clone(), by)).collect();
        for (candidate, steps) in self.candidates.iter().zip(steps) {
            if let Some(fixed) = candidate.fixed.filter(|fixed| fixed != steps) {
                broken.push((format!("fixed {}", candidate.offer), f64::from(fixed) - f64::from(*steps)));
            }
        }
        if let (Some(least), Some((id, share))) = (self.policy.min_utilisation, &least_utilisation)
            && *share < least - 1e-9
        {
            broken.push((format!("min_utilisation of {id}"), least - share));
        }
        let probabilities: Vec<f64> = self.scenarios.iter().map(|scenario| scenario.probability).collect();
        let objective = self.objective.of(&scenario_costs, &probabilities);
        Ok(Evaluation { objective, scenario_costs, coverage, least_utilisation, broken })
    }

    /// Whether a number of steps of each candidate keeps the rules that can be told without a bill: all but coverage and utilisation.
    #[must_use]
    pub fn is_allowed(&self, steps: &[u32]) -> bool {
        let is_fixed = self.columns.iter().zip(steps).all(|(column, steps)| column.fixed.is_none_or(|fixed| fixed == *steps));
        is_fixed && self.is_within_policy(&fractional(steps))
    }

    /// The same for steps that need not be whole.
    pub(super) fn is_within_policy(&self, steps: &[f64]) -> bool {
        self.rows.broken(steps, None).is_empty()
    }

    /// What steps of each candidate cost, with what is held.
    pub(super) fn commitment_cost(&self, steps: &[f64]) -> f64 {
        self.held_cost + self.columns.iter().zip(steps).map(|(column, steps)| column.cost * steps).sum::<f64>()
    }

    /// The capacity that steps of each candidate and change add to each slot, by epoch; negative where more is given up.
    pub(super) fn capacity(&self, steps: &[f64]) -> Vec<Vec<f64>> {
        let mut capacity = vec![vec![0.0; self.recourse.slots()]; self.recourse.epochs().len()];
        for (column, steps) in self.columns.iter().zip(steps).filter(|(_, steps)| **steps != 0.0) {
            for effect in &column.effects {
                for (epoch, capacity) in self.recourse.epochs().iter().zip(&mut capacity) {
                    if effect.hours.contains(&epoch.hours.start) {
                        capacity[effect.slot] += effect.capacity * steps;
                    }
                }
            }
        }
        capacity
    }
}

/// Whole steps as numbers of the relaxation.
pub(super) fn fractional(steps: &[u32]) -> Vec<f64> {
    steps.iter().map(|steps| f64::from(*steps)).collect()
}

fn check_scenarios(scenarios: &[Scenario<'_>]) -> Result<()> {
    let Some(first) = scenarios.first() else { return Err(Wrong::Empty { what: "usage given to the planner" }.into()) };
    let total: f64 = scenarios.iter().map(|scenario| scenario.probability).sum();
    for scenario in scenarios {
        let wrong = |field: &str, value: String, range| {
            Err(Error::from(Wrong::OutOfRange { value, range }).in_field(field).in_item(format!("scenario {}", scenario.name)))
        };
        if !(0.0..=1.0).contains(&scenario.probability) {
            return wrong("probability", scenario.probability.to_string(), "0 to 1");
        }
        if scenario.usage.grid() != first.usage.grid() || scenario.usage.weights() != first.usage.weights() {
            let grid = scenario.usage.grid();
            return wrong("usage", format!("{} hours from {}", grid.count, grid.first), "the hours of the first scenario");
        }
        if scenario.usage.lines() != first.usage.lines() {
            return wrong("usage", format!("{} lines", scenario.usage.lines().len()), "the lines of the first scenario");
        }
    }
    if (total - 1.0).abs() > 1e-9 {
        let range = "probabilities that add up to 1";
        return Err(Error::from(Wrong::OutOfRange { value: total.to_string(), range }).in_field("probability"));
    }
    Ok(())
}
