//! The extensive form: the whole problem as one linear program, hour by hour. It is the oracle of the tests and a way to hand the problem to
//! another solver (`planning/mps.rs`); its size, scenarios x hours x slots x lines, makes it useful for small problems only.
//!
//! Formula: `docs/formulation.md`, "Extensive form". Columns are the steps of each candidate, then of each change of what is held, the policy's choices, the scenarios' costs that
//! the objective needs, then hour by hour what each slot covers of each line and what is left on demand.

use super::objective::Objective;
use super::problem::Problem;
use super::rows::Term;

/// A linear program: minimise `constant + Σ cost · column` under rows `lower <= Σ coefficient · column <= upper`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extensive {
    /// What the objective has beside the columns.
    pub constant: f64,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name, without blanks.
    pub name: String,
    /// Its coefficient in the objective.
    pub cost: f64,
    /// The least it may be.
    pub lower: f64,
    /// The most it may be.
    pub upper: f64,
    /// Whether it must be whole.
    pub is_integer: bool,
}

/// A constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name, without blanks.
    pub name: String,
    /// Column and coefficient.
    pub terms: Vec<(usize, f64)>,
    /// The least the sum may be.
    pub lower: f64,
    /// The most the sum may be.
    pub upper: f64,
}

impl Extensive {
    pub(super) fn column(&mut self, name: String, cost: f64, lower: f64, upper: f64, is_integer: bool) -> usize {
        self.columns.push(Column { name, cost, lower, upper, is_integer });
        self.columns.len() - 1
    }

    pub(super) fn row(&mut self, name: String, terms: Vec<(usize, f64)>, lower: f64, upper: f64) {
        self.rows.push(Row { name, terms, lower, upper });
    }
}

impl Problem<'_> {
    /// The extensive form of this problem; `is_whole` asks for whole reservations.
    #[must_use]
    pub fn extensive(&self, is_whole: bool) -> Extensive {
        const FREE: f64 = f64::INFINITY;
        let recourse = &self.recourse;
        let mut form = Extensive::default();
        let steps: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, candidate)| {
                let least = candidate.fixed.map_or(0.0, f64::from);
                let is_integer = is_whole && !candidate.is_divisible;
                form.column(format!("steps_{index}"), 0.0, least, f64::from(candidate.max_steps), is_integer)
            })
            .collect();
        let choices: Vec<usize> =
            (0..self.rows.choices.len()).map(|index| form.column(format!("choice_{index}"), 0.0, 0.0, 1.0, is_whole)).collect();
        // The on-demand cost of each scenario, what an agreement adds to it, then its whole cost.
        let on_demand: Vec<usize> =
            (0..self.scenarios.len()).map(|index| form.column(format!("on_demand_{index}"), 0.0, 0.0, FREE, false)).collect();
        let added = match &self.agreement {
            Some(_) => {
                let column = |index| form.column(format!("agreement_{index}"), 0.0, f64::NEG_INFINITY, FREE, false);
                (0..self.scenarios.len()).map(column).collect()
            }
            None => Vec::new(),
        };
        self.objective_rows(&mut form, &steps, &on_demand, &added);
        for (index, row) in self.rows.rows.iter().enumerate() {
            let term = |(term, coefficient): &(Term, f64)| match term {
                Term::Steps(candidate) => (steps[*candidate], *coefficient),
                Term::Choice(choice) => (choices[*choice], *coefficient),
                Term::OnDemand(scenario) => (on_demand[*scenario], *coefficient),
            };
            form.row(format!("policy_{index}"), row.terms.iter().map(term).collect(), row.lower, row.upper);
        }
        for (scenario, total) in on_demand.iter().enumerate() {
            // `on_demand - Σ weight price open >= 0`: more may be left on demand than must be, as a cap on coverage asks.
            let mut left = vec![(*total, 1.0)];
            let mut counted: Vec<Vec<(usize, f64)>> = Vec::new();
            for hour in 0..recourse.hours() {
                let before = left.len();
                let lines = self.hour_rows(&mut form, scenario, hour, &steps, &mut left);
                if let Some(agreement) = &self.agreement {
                    let open = lines.iter().zip(&left[before..]).map(|(line, (column, _))| (*line, *column));
                    agreement.count_hour(self, hour, open, &mut counted);
                }
            }
            if let Some(agreement) = &self.agreement {
                agreement.settle_rows(&mut form, scenario, added[scenario], &steps, &counted);
            }
            form.row(format!("left_{scenario}"), left, 0.0, FREE);
        }
        form
    }

    fn objective_rows(&self, form: &mut Extensive, steps: &[usize], on_demand: &[usize], added: &[usize]) {
        const FREE: f64 = f64::INFINITY;
        let of_agreement = |index: usize| added.get(index).map(|column| (*column, -1.0));
        let probability = |index: usize| self.scenarios[index].probability;
        form.constant = self.held_cost;
        match &self.objective {
            Objective::ExpectedCost => {}
            Objective::ExpectedCostAndTail { weight, level } => {
                form.constant += weight * self.held_cost;
                // Money that changes bring can make costs negative.
                let least = if self.changes.is_empty() { 0.0 } else { f64::NEG_INFINITY };
                let threshold = form.column("threshold".to_owned(), *weight, least, FREE, false);
                for (index, open) in on_demand.iter().enumerate() {
                    let cost = weight * probability(index) / (1.0 - level);
                    let above = form.column(format!("above_{index}"), cost, 0.0, FREE, false);
                    let first = self.columns.iter().zip(steps).map(|(column, steps)| (*steps, -column.cost));
                    let terms = first.chain([(*open, -1.0), (threshold, 1.0), (above, 1.0)]).chain(of_agreement(index)).collect();
                    form.row(format!("tail_{index}"), terms, 0.0, FREE);
                }
            }
            Objective::MinimumRegret { foresight } => {
                form.constant = 0.0;
                let regret = form.column("regret".to_owned(), 1.0, f64::NEG_INFINITY, FREE, false);
                for ((index, open), best) in on_demand.iter().enumerate().zip(foresight) {
                    let first = self.columns.iter().zip(steps).map(|(column, steps)| (*steps, -column.cost));
                    let terms = first.chain([(*open, -1.0), (regret, 1.0)]).chain(of_agreement(index)).collect();
                    form.row(format!("regret_{index}"), terms, self.held_cost - best, FREE);
                }
                return;
            }
        }
        for (column, steps) in self.columns.iter().zip(steps) {
            form.columns[*steps].cost = column.cost;
        }
        for (index, open) in on_demand.iter().enumerate() {
            form.columns[*open].cost = probability(index);
        }
        for (index, column) in added.iter().enumerate() {
            form.columns[*column].cost = probability(index);
        }
    }

    /// Returns the lines whose columns were added to `left`.
    fn hour_rows(
        &self,
        form: &mut Extensive,
        scenario: usize,
        hour: usize,
        steps: &[usize],
        left: &mut Vec<(usize, f64)>,
    ) -> Vec<usize> {
        const FREE: f64 = f64::INFINITY;
        let recourse = &self.recourse;
        let demand = recourse.demand(scenario, hour);
        let held = &recourse.epochs()[recourse.epoch_at(hour)].held;
        let mut served: Vec<Vec<(usize, f64)>> = vec![Vec::new(); demand.len()];
        for (slot, lines) in recourse.slot_lines().iter().enumerate() {
            let mut used = Vec::new();
            for (line, weight) in lines.iter().filter(|(line, _)| demand[*line] > 0.0) {
                let cover = form.column(format!("cover_{scenario}_{hour}_{slot}_{line}"), 0.0, 0.0, FREE, false);
                served[*line].push((cover, 1.0));
                used.push((cover, *weight));
            }
            if used.is_empty() {
                continue;
            }
            for (column, steps) in self.columns.iter().zip(steps) {
                let capacity = column.capacity(slot, hour);
                if capacity != 0.0 {
                    used.push((*steps, -capacity));
                }
            }
            form.row(format!("capacity_{scenario}_{hour}_{slot}"), used, f64::NEG_INFINITY, held[slot]);
        }
        let prices = recourse.prices_in(recourse.epoch_at(hour));
        let mut lines = Vec::new();
        for (line, mut terms) in served.into_iter().enumerate().filter(|(line, _)| demand[*line] > 0.0) {
            let open = form.column(format!("open_{scenario}_{hour}_{line}"), 0.0, 0.0, FREE, false);
            left.push((open, -recourse.hour_weight(hour) * prices[line]));
            lines.push(line);
            terms.push((open, 1.0));
            form.row(format!("demand_{scenario}_{hour}_{line}"), terms, demand[line], FREE);
        }
        lines
    }
}
