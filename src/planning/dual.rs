//! The relaxed master problem, solved from its other side: the linear program dual to it.
//!
//! A master problem has many more rows (cuts) than columns, and the simplex method's work grows with the rows. Its dual has a row for each column
//! and a column for each row:
//!
//! ```text
//! min c·x,  G x <= h,  0 <= x <= u      =   − min h·w + u·q,  G'w + q >= −c,  w, q >= 0   (w free where a row is an equation)
//! ```
//!
//! The purchases x are the prices of its rows, and w says with what weight each cut bears the bound. Formula: `docs/formulation.md`, "Master problem".

use crate::error::{Error, Problem as Wrong, Result};
use good_lp::{Constraint, Expression, IntoAffineExpression as _, ProblemVariables, Variable};
use highs::{ColProblem, HighsModelStatus, Row, Sense};
use std::collections::HashMap;

/// An optimum.
pub(super) struct Optimum {
    /// The value of every variable, in their order.
    pub(super) columns: Vec<f64>,
    /// The weight of every row: by how much the optimum rises with what the row asks.
    pub(super) weights: Vec<f64>,
    /// The objective.
    pub(super) value: f64,
}

/// Minimises a linear program by its dual; `None` where that has no answer: no solution, no bound, or no time.
pub(super) fn minimise(
    variables: &ProblemVariables,
    rows: &[Constraint],
    objective: &Expression,
    seconds: f64,
) -> Result<Option<Optimum>> {
    let mut positions: HashMap<Variable, usize> = HashMap::with_capacity(variables.len());
    let (mut lower, mut width) = (Vec::with_capacity(variables.len()), Vec::with_capacity(variables.len()));
    for (position, (variable, definition)) in variables.iter_variables_with_def().enumerate() {
        positions.insert(variable, position);
        let (least, most) = (definition.get_min(), definition.get_max());
        if least == f64::NEG_INFINITY && most < f64::INFINITY {
            return Ok(None);
        }
        lower.push(least);
        width.push(if least == f64::NEG_INFINITY { f64::INFINITY } else { most - least });
    }
    let shift = |position: usize| if lower[position].is_finite() { lower[position] } else { 0.0 };
    let mut costs = vec![0.0; lower.len()];
    let mut constant = objective.constant();
    for (variable, cost) in objective.linear_coefficients() {
        costs[positions[&variable]] = cost;
    }
    for (position, cost) in costs.iter().enumerate() {
        constant += cost * shift(position);
    }
    let mut problem = ColProblem::new();
    let mut count = 0;
    let dual_rows: Vec<Option<(Row, usize)>> = (0..lower.len())
        .map(|position| {
            let row = if lower[position] == f64::NEG_INFINITY {
                problem.add_row(-costs[position]..=-costs[position])
            } else if width[position] > 0.0 {
                problem.add_row(-costs[position]..)
            } else {
                return None;
            };
            count += 1;
            Some((row, count - 1))
        })
        .collect();
    for row in rows {
        let expression = row.expression();
        let mut most = -expression.constant();
        let mut of_row: Vec<(usize, f64)> =
            expression.linear_coefficients().map(|(variable, coefficient)| (positions[&variable], coefficient)).collect();
        of_row.sort_unstable_by_key(|(position, _)| *position);
        let mut terms = Vec::with_capacity(of_row.len());
        for (position, coefficient) in of_row {
            most -= coefficient * shift(position);
            if let Some((row, _)) = dual_rows[position] {
                terms.push((row, coefficient));
            }
        }
        let least = if row.is_equality() { f64::NEG_INFINITY } else { 0.0 };
        problem.add_column(most, least.., terms);
    }
    for (row, width) in dual_rows.iter().zip(&width) {
        if let Some((row, _)) = row.filter(|_| width.is_finite()) {
            problem.add_column(*width, 0.0.., [(row, 1.0)]);
        }
    }
    let mut model = problem.try_optimise(Sense::Minimise).map_err(|status| solver(format!("{status:?}")))?;
    model.make_quiet();
    model.set_option("time_limit", seconds.max(0.1));
    model.set_option("random_seed", 0);
    model.set_option("threads", 1);
    // There is little to presolve, and weights must be those of the rows given.
    model.set_option("presolve", "off");
    let solved = model.try_solve().map_err(|status| solver(format!("{status:?}")))?;
    if solved.status() != HighsModelStatus::Optimal {
        return Ok(None);
    }
    let solution = solved.get_solution();
    let mut columns = Vec::with_capacity(lower.len());
    for (position, row) in dual_rows.iter().enumerate() {
        let above = row.map_or(0.0, |(_, index)| solution.dual_rows()[index]);
        columns.push(shift(position) + above);
    }
    let weights = solution.columns()[..rows.len()].to_vec();
    Ok(Some(Optimum { columns, weights, value: constant - solved.objective_value() }))
}

fn solver(status: String) -> Error {
    Wrong::Solver { status }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use good_lp::{SolverModel, constraint, variable};
    use rand::{RngExt, SeedableRng};

    #[test]
    fn the_dual_answers_as_the_problem_itself() {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let mut draw = |from: f64, to: f64| random.random_range(from..to);
        for _ in 0..50 {
            // One variable with lower and upper bound, one fixed, one free, three from 0 on.
            let mut variables = ProblemVariables::new();
            let of = [
                variables.add(variable().min(2).max(5)),
                variables.add(variable().min(1.5).max(1.5)),
                variables.add(variable()),
                variables.add(variable().min(0)),
                variables.add(variable().min(0).max(4)),
                variables.add(variable().min(0)),
            ];
            let costs: Vec<f64> = of.iter().map(|_| draw(0.5, 3.0)).collect();
            let mut objective = Expression::from(7.0);
            for (variable, cost) in of.iter().zip(&costs) {
                objective.add_mul(*cost, *variable);
            }
            let mut rows = vec![constraint!(of[2] - of[3] == draw(-2.0, 2.0)), constraint!(of[5] + of[3] <= 200.0)];
            for _ in 0..12 {
                let mut sum = Expression::default();
                for variable in of {
                    sum.add_mul(draw(0.1, 2.0), variable);
                }
                rows.push(constraint!(sum >= draw(1.0, 12.0)));
            }
            let optimum = minimise(&variables, &rows, &objective, 10.0).unwrap().unwrap();
            let mut model = variables.minimise(objective.clone()).using(good_lp::highs);
            for row in rows.clone() {
                model.add_constraint(row);
            }
            let direct = objective.clone().eval_with(&model.solve().unwrap());
            assert!((optimum.value - direct).abs() < 1e-6, "{} by the dual, {direct} directly", optimum.value);
            let values: HashMap<Variable, f64> = of.iter().copied().zip(optimum.columns).collect();
            assert!((objective.clone().eval_with(&values) - direct).abs() < 1e-6);
            for row in &rows {
                let by = row.expression().eval_with(&values);
                assert!(by < 1e-6 && (!row.is_equality() || by > -1e-6), "a row is broken by {by}");
            }
            // Rows that are slack at the optimum have no weight.
            let bears = |(row, weight): (&Constraint, &f64)| {
                row.is_equality() || *weight < 1e-9 || row.expression().eval_with(&values) > -1e-6
            };
            assert!(rows.iter().zip(&optimum.weights).all(bears));
        }
    }

    #[test]
    fn without_a_solution_there_is_no_answer() {
        let mut variables = ProblemVariables::new();
        let x = variables.add(variable().min(0).max(1));
        let rows = [constraint!(x >= 2.0)];
        assert!(minimise(&variables, &rows, &x.into(), 10.0).unwrap().is_none());
    }
}
