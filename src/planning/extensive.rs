//! The extensive form: the whole problem as one linear program, hour by hour. It is the oracle of the tests and a way to hand the problem to
//! another solver; its size, hours x slots x lines, makes it useful for small problems only.
//!
//! Formula: `docs/formulation.md`, "Extensive form".

use super::problem::Problem;

/// The extensive form's data, ready for any modelling library.
#[derive(Clone, Debug)]
pub struct Extensive {
    /// Cost of one step of each candidate.
    pub candidate_costs: Vec<f64>,
    /// Cost of the commitments held, whatever is bought.
    pub constant: f64,
    /// The hours.
    pub hours: Vec<ExtensiveHour>,
}

/// One hour of the extensive form.
#[derive(Clone, Debug)]
pub struct ExtensiveHour {
    /// Its weight.
    pub weight: f64,
    /// Demand and on-demand price of each line.
    pub lines: Vec<(f64, f64)>,
    /// Capacity held in each slot.
    pub held: Vec<f64>,
    /// Capacity that one step of each candidate adds: slot and amount.
    pub candidates: Vec<(usize, f64)>,
    /// What may cover what: slot, line, and what one unit of the line needs of the slot.
    pub covers: Vec<(usize, usize, f64)>,
}

impl Problem<'_> {
    /// The extensive form of this problem.
    #[must_use]
    pub fn extensive(&self) -> Extensive {
        let recourse = &self.recourse;
        let covers: Vec<(usize, usize, f64)> = recourse
            .slot_lines()
            .into_iter()
            .flat_map(|(slot, lines)| lines.iter().map(move |(line, weight)| (slot, *line, *weight)))
            .collect();
        let candidates: Vec<(usize, f64)> =
            self.candidates.iter().map(|candidate| (candidate.slot, candidate.capacity)).collect();
        let hour = |hour: usize| ExtensiveHour {
            weight: recourse.hour_weight(hour),
            lines: recourse.demand(hour).iter().copied().zip(recourse.prices().iter().copied()).collect(),
            held: recourse.held_at(hour).to_vec(),
            candidates: candidates.clone(),
            covers: covers.clone(),
        };
        Extensive {
            candidate_costs: self.candidates.iter().map(|candidate| candidate.cost).collect(),
            constant: self.held_cost,
            hours: (0..recourse.hours()).map(hour).collect(),
        }
    }
}
