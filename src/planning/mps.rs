//! The extensive form as an MPS file, which any solver reads, and solved by HiGHS as it is.
//!
//! Free MPS format ("MPS file format", IBM ILOG CPLEX; HiGHS, SCIP and Gurobi read the same): the objective's constant stands as the negated
//! right-hand side of the objective row.

use super::extensive::Extensive;
#[cfg(feature = "highs")]
use crate::error::{Problem as Wrong, Result};
use std::io::{self, Write};

/// Larger programs are solved by the interior point method, which is the faster one there.
#[cfg(feature = "highs")]
const INTERIOR_POINT_ROWS: usize = 10_000;

impl Extensive {
    /// Writes the program as free MPS. Numbers have all their digits.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_mps(&self, mut writer: impl Write) -> io::Result<()> {
        writeln!(writer, "NAME covermix\nROWS\n N cost")?;
        for row in &self.rows {
            let kind = match (row.lower.is_finite(), row.upper.is_finite()) {
                (true, _) => 'G',
                (false, true) => 'L',
                (false, false) => 'N',
            };
            writeln!(writer, " {kind} {}", row.name)?;
        }
        let mut by_column: Vec<Vec<(usize, f64)>> = vec![Vec::new(); self.columns.len()];
        for (index, row) in self.rows.iter().enumerate() {
            for (column, coefficient) in &row.terms {
                by_column[*column].push((index, *coefficient));
            }
        }
        writeln!(writer, "COLUMNS")?;
        let mut is_integer = false;
        for (column, terms) in self.columns.iter().zip(&by_column) {
            if column.is_integer != is_integer {
                is_integer = column.is_integer;
                let marker = if is_integer { "INTORG" } else { "INTEND" };
                writeln!(writer, " MARKER 'MARKER' '{marker}'")?;
            }
            if column.cost != 0.0 || terms.is_empty() {
                writeln!(writer, " {} cost {}", column.name, column.cost)?;
            }
            for (row, coefficient) in terms {
                writeln!(writer, " {} {} {coefficient}", column.name, self.rows[*row].name)?;
            }
        }
        if is_integer {
            writeln!(writer, " MARKER 'MARKER' 'INTEND'")?;
        }
        writeln!(writer, "RHS\n rhs cost {}", -self.constant)?;
        for row in &self.rows {
            let side = if row.lower.is_finite() { row.lower } else { row.upper };
            if side != 0.0 && side.is_finite() {
                writeln!(writer, " rhs {} {side}", row.name)?;
            }
        }
        writeln!(writer, "RANGES")?;
        for row in self.rows.iter().filter(|row| row.lower.is_finite() && row.upper.is_finite()) {
            writeln!(writer, " range {} {}", row.name, row.upper - row.lower)?;
        }
        writeln!(writer, "BOUNDS")?;
        for column in &self.columns {
            let name = &column.name;
            if column.lower == f64::NEG_INFINITY {
                writeln!(writer, " MI bound {name}")?;
            } else if column.lower != 0.0 {
                writeln!(writer, " LO bound {name} {}", column.lower)?;
            }
            if column.upper.is_finite() {
                writeln!(writer, " UP bound {name} {}", column.upper)?;
            }
        }
        writeln!(writer, "ENDATA")
    }

    /// Solves the program whole by HiGHS, by its interior point method if it is large and nothing must be whole; the optimum.
    ///
    /// # Errors
    /// [`Wrong::Solver`] if HiGHS ends without an optimum.
    #[cfg(feature = "highs")]
    pub fn solve(&self) -> Result<f64> {
        let failed = |status: String| crate::error::Error::from(Wrong::Solver { status });
        let mut program = highs::RowProblem::default();
        let columns: Vec<highs::Col> = self
            .columns
            .iter()
            .map(|column| {
                let bounds = column.lower..=column.upper;
                if column.is_integer {
                    program.add_integer_column(column.cost, bounds)
                } else {
                    program.add_column(column.cost, bounds)
                }
            })
            .collect();
        for row in &self.rows {
            program
                .add_row(row.lower..=row.upper, row.terms.iter().map(|(column, coefficient)| (columns[*column], *coefficient)));
        }
        let mut model = program.optimise(highs::Sense::Minimise);
        model.make_quiet();
        model.set_option("threads", 2);
        model.set_option("mip_rel_gap", 0.0);
        if self.rows.len() > INTERIOR_POINT_ROWS && self.columns.iter().all(|column| !column.is_integer) {
            model.set_option("solver", "ipm");
            model.set_option("run_crossover", "off");
        }
        let solved = model.try_solve().map_err(|status| failed(format!("{status:?}")))?;
        match solved.status() {
            highs::HighsModelStatus::Optimal => Ok(solved.objective_value() + self.constant),
            other => Err(failed(format!("{other:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::extensive::{Column, Row};
    use super::*;

    #[test]
    fn a_small_program_is_written_as_mps() {
        let column = |name: &str, cost, upper| Column { name: name.into(), cost, lower: 0.0, upper, is_integer: false };
        let form = Extensive {
            constant: 3.0,
            columns: vec![column("x", 1.0, 4.0), Column { is_integer: true, ..column("y", 2.0, f64::INFINITY) }],
            rows: vec![Row { name: "both".into(), terms: vec![(0, 1.0), (1, 1.0)], lower: 2.5, upper: 9.0 }],
        };
        let mut text = Vec::new();
        form.write_mps(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        for line in [
            " G both",
            " x both 1",
            " MARKER 'MARKER' 'INTORG'",
            " rhs cost -3",
            " rhs both 2.5",
            " range both 6.5",
            " UP bound x 4",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        // An optimum by hand: x = 2.5.
        #[cfg(feature = "highs")]
        assert!((form.solve().unwrap() - 5.5).abs() < 1e-6);
    }
}
