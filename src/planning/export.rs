//! The whole problem as one JSON document, to look at, to keep beside a decision, or to solve by other means.

use super::column::Column;
use super::objective::Objective;
use super::policy::Policy;
use super::problem::Problem;
use super::rows::{RowKind, Term};
use super::timing::Timing;
use serde::Serialize;

/// The schema's name and version, the first field of the document.
const SCHEMA: &str = "covermix-problem/1";

#[derive(Serialize)]
struct Document<'p> {
    schema: &'static str,
    currency: &'p str,
    first_hour: String,
    objective: &'p Objective,
    policy: &'p Policy,
    purchase_dates: Vec<String>,
    discount_rate: f64,
    remainder: super::Remainder,
    /// Cost of what is held, whatever is bought.
    held_cost: f64,
    lines: Vec<Line>,
    /// Slots of coverage: line and what one unit of it needs.
    slots: &'p [Vec<(usize, f64)>],
    /// Stretches of hours with the capacity held in each slot.
    epochs: Vec<Epoch<'p>>,
    candidates: Vec<Candidate<'p>>,
    /// What may be done with what is held; in rules their steps follow those of the candidates.
    changes: Vec<Change<'p>>,
    rules: Vec<Rule<'p>>,
    /// For each choice the candidates that make it.
    choices: &'p [Vec<usize>],
    /// The weight of each hour, discounted.
    hour_weights: Vec<f64>,
    scenarios: Vec<Scenario<'p>>,
}

#[derive(Serialize)]
struct Line {
    line: String,
    on_demand_price: f64,
}

#[derive(Serialize)]
struct Epoch<'p> {
    first: usize,
    end: usize,
    held: &'p [f64],
}

#[derive(Serialize)]
struct Candidate<'p> {
    offer: &'p str,
    start: String,
    term_end: String,
    step: String,
    min_steps: u32,
    max_steps: u32,
    fixed: Option<u32>,
    is_divisible: bool,
    cost: f64,
    hourly_cost: f64,
    upfront: f64,
    months: u32,
    first_hour: usize,
    end_hour: usize,
    slot: usize,
    capacity: f64,
}

#[derive(Serialize)]
struct Change<'p> {
    id: &'p str,
    kind: crate::portfolio::action::Action,
    at: String,
    /// Commitment and quantity a step.
    gives: Vec<(&'p str, String)>,
    receives: Vec<(&'p str, String)>,
    paid: String,
    probability: f64,
    max_steps: u32,
    cost: f64,
    effects: Vec<Effect>,
}

/// What a step adds to the capacity of a slot.
#[derive(Serialize)]
struct Effect {
    first_hour: usize,
    end_hour: usize,
    slot: usize,
    capacity: f64,
}

#[derive(Serialize)]
struct Rule<'p> {
    rule: &'p str,
    unit: &'static str,
    is_definition: bool,
    terms: Vec<(String, f64)>,
    /// Open if absent.
    lower: Option<f64>,
    upper: Option<f64>,
}

#[derive(Serialize)]
struct Scenario<'p> {
    name: &'p str,
    probability: f64,
    on_demand_equivalent: f64,
    /// Hours x lines.
    demand: Vec<&'p [f64]>,
}

impl Problem<'_> {
    /// The whole problem as JSON: lines, slots, candidates, rules and the demand of every hour of every scenario. Its size is that of the usage.
    ///
    /// # Errors
    /// Those of `serde_json`, for numbers that JSON does not have.
    pub fn to_json(&self) -> serde_json::Result<serde_json::Value> {
        let recourse = &self.recourse;
        let usage = self.usage();
        let Timing { dates, discount_rate, remainder, .. } = &self.timing;
        let term = |(term, coefficient): &(Term, f64)| {
            let name = match term {
                Term::Steps(index) => format!("steps {index}"),
                Term::Choice(index) => format!("choice {index}"),
                Term::OnDemand(index) => format!("on demand {index}"),
            };
            (name, *coefficient)
        };
        let candidates = self.candidates.iter().map(Candidate::from).collect();
        let document = Document {
            schema: SCHEMA,
            currency: self.catalog.currency(),
            first_hour: usage.grid().first.to_string(),
            objective: &self.objective,
            policy: &self.policy,
            purchase_dates: dates.iter().map(chrono::DateTime::to_rfc3339).collect(),
            discount_rate: *discount_rate,
            remainder: *remainder,
            held_cost: self.held_cost,
            lines: self
                .lines
                .iter()
                .zip(recourse.prices_in(0))
                .map(|(column, price)| Line { line: usage.lines()[*column].to_string(), on_demand_price: *price })
                .collect(),
            slots: recourse.slot_lines(),
            epochs: recourse
                .epochs()
                .iter()
                .map(|epoch| Epoch { first: epoch.hours.start, end: epoch.hours.end, held: &epoch.held })
                .collect(),
            candidates,
            changes: self.changes.iter().zip(self.columns.iter().skip(self.candidates.len())).map(Change::from).collect(),
            rules: self
                .rows
                .rows
                .iter()
                .map(|row| Rule {
                    rule: &row.rule,
                    unit: row.unit,
                    is_definition: row.kind == RowKind::Definition,
                    terms: row.terms.iter().map(term).collect(),
                    lower: row.lower.is_finite().then_some(row.lower),
                    upper: row.upper.is_finite().then_some(row.upper),
                })
                .collect(),
            choices: &self.rows.choices,
            hour_weights: (0..recourse.hours()).map(|hour| recourse.hour_weight(hour)).collect(),
            scenarios: self
                .scenarios
                .iter()
                .enumerate()
                .map(|(index, scenario)| Scenario {
                    name: &scenario.name,
                    probability: scenario.probability,
                    on_demand_equivalent: self.on_demand_equivalent[index],
                    demand: (0..recourse.hours()).map(|hour| recourse.demand(index, hour)).collect(),
                })
                .collect(),
        };
        serde_json::to_value(document)
    }
}

impl<'p> From<(&'p super::Change, &Column)> for Change<'p> {
    fn from((of, column): (&'p super::Change, &Column)) -> Self {
        let effect = |effect: &super::column::Effect| Effect {
            first_hour: effect.hours.start,
            end_hour: effect.hours.end,
            slot: effect.slot,
            capacity: effect.capacity,
        };
        Self {
            id: &of.id,
            kind: of.kind,
            at: of.at.to_rfc3339(),
            gives: of.gives.iter().map(|given| (given.commitment.as_str(), given.quantity.to_string())).collect(),
            receives: of.receives.iter().map(|received| (received.offer.as_str(), received.quantity.to_string())).collect(),
            paid: of.paid.to_string(),
            probability: of.probability,
            max_steps: column.max_steps,
            cost: column.cost,
            effects: column.effects.iter().map(effect).collect(),
        }
    }
}

impl<'p> From<&'p super::Candidate> for Candidate<'p> {
    fn from(of: &'p super::Candidate) -> Self {
        Self {
            offer: &of.offer,
            start: of.start.to_rfc3339(),
            term_end: of.term_end.to_rfc3339(),
            step: of.step.to_string(),
            min_steps: of.min_steps,
            max_steps: of.max_steps,
            fixed: of.fixed,
            is_divisible: of.is_divisible,
            cost: of.cost,
            hourly_cost: of.hourly_cost,
            upfront: of.upfront,
            months: of.months,
            first_hour: of.hours.start,
            end_hour: of.hours.end,
            slot: of.slot,
            capacity: of.capacity,
        }
    }
}
