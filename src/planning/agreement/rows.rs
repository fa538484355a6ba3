//! The settlement of an agreement as linear rows over what counts in each period: what the master problem and the extensive form
//! know of [`crate::finance::agreement::settle`]. Formula: `docs/formulation.md`, "Agreements".
//!
//! With S_p counted in period p, the least cost under the rows is what the ledger settles, for every clause but the relief
//! payment, which is not convex and is bounded from below.

use super::compiled::PeriodHours;
use crate::finance::agreement::{CarryLifetime, CarryOver, CreditCounting, SettlementRules, ShortfallRule};
use crate::units::to_f64;

/// Columns of at least 0 with their costs, and rows `Σ coefficient · column + Σ coefficient · S_p ≥ least`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::planning) struct Program {
    /// The cost of each column, discounted.
    pub(in crate::planning) columns: Vec<f64>,
    pub(in crate::planning) rows: Vec<ProgramRow>,
}

/// A row of the settlement.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::planning) struct ProgramRow {
    pub(in crate::planning) columns: Vec<(usize, f64)>,
    /// Period and coefficient of what counts in it.
    pub(in crate::planning) spend: Vec<(usize, f64)>,
    pub(in crate::planning) least: f64,
}

impl Program {
    fn column(&mut self, cost: f64) -> usize {
        self.columns.push(cost);
        self.columns.len() - 1
    }

    fn row(&mut self, columns: Vec<(usize, f64)>, spend: Vec<(usize, f64)>, least: f64) {
        self.rows.push(ProgramRow { columns, spend, least });
    }
}

/// The program of some clauses; without columns if no period asks for anything.
pub(in crate::planning) fn program(rules: &SettlementRules, periods: &[PeriodHours]) -> Program {
    let mut program = Program::default();
    let total = rules.total.map_or(0.0, to_f64);
    if total <= 0.0 && periods.iter().all(|period| period.minimum <= 0.0) {
        return program;
    }
    let last = periods.len() - 1;
    let paid: Vec<usize> = periods.iter().map(|period| program.column(period.factor)).collect();
    let mut not_counted: Vec<(usize, f64)> = Vec::new();
    let mut needs: Vec<Vec<(usize, f64)>> = paid.iter().map(|paid| vec![(*paid, 1.0)]).collect();
    match rules.shortfall {
        ShortfallRule::Pay => {}
        ShortfallRule::Deferral { share, not_in_last } => {
            for period in (0..periods.len()).filter(|period| period + not_in_last < periods.len()) {
                let deferred = program.column(0.0);
                program.row(vec![(deferred, -1.0)], Vec::new(), -to_f64(share) * periods[period].minimum);
                needs[period].push((deferred, 1.0));
                if period < last {
                    needs[period + 1].push((deferred, -1.0));
                }
            }
        }
        ShortfallRule::Relief { amount } => {
            // min(gap, amount) lies above the line from 0 to the largest gap there can be.
            let mut largest = 0.0;
            for (period, of) in periods.iter().enumerate().take(last) {
                largest += of.minimum;
                let part = if largest > 0.0 { (to_f64(amount) / largest).min(1.0) } else { 1.0 };
                let moved = program.column(0.0);
                needs[period].push((moved, 1.0));
                needs[period + 1].push((moved, -1.0));
                program.row(vec![(paid[period], 1.0 - part), (moved, -part)], Vec::new(), 0.0);
            }
        }
        ShortfallRule::Credit { counting, lifetime } => {
            // What was paid in one period pays for spend of a later one.
            let mut drawn: Vec<Vec<(usize, f64)>> = vec![Vec::new(); periods.len()];
            for (from, paid) in paid.iter().enumerate() {
                let mut of_payment = vec![(*paid, 1.0)];
                let lifetime = lifetime.map_or(usize::MAX, |periods| usize::try_from(periods).unwrap_or(usize::MAX));
                for to in from + 1..periods.len().min(from.saturating_add(lifetime).saturating_add(1)) {
                    let used = program.column(-periods[to].factor);
                    of_payment.push((used, -1.0));
                    drawn[to].push((used, -1.0));
                }
                program.row(of_payment, Vec::new(), 0.0);
            }
            for (period, drawn) in drawn.into_iter().enumerate().filter(|(_, drawn)| !drawn.is_empty()) {
                if counting == CreditCounting::DoesNotCount {
                    needs[period].extend(&drawn);
                    not_counted.extend(&drawn);
                }
                program.row(drawn, vec![(period, 1.0)], 0.0);
            }
        }
    }
    if let CarryOver::Excess { cap_share, lifetime } = rules.carry_over {
        for period in 0..last {
            let carried = program.column(0.0);
            needs[period].push((carried, -1.0));
            needs[period + 1].push((carried, 1.0));
            if let Some(cap) = cap_share {
                program.row(vec![(carried, -1.0)], Vec::new(), -to_f64(cap) * periods[period].minimum);
            }
            if lifetime == CarryLifetime::NextPeriod {
                program.row(vec![(carried, -1.0)], vec![(period, 1.0)], 0.0);
            }
        }
    }
    for (period, columns) in needs.into_iter().enumerate() {
        program.row(columns, vec![(period, 1.0)], periods[period].minimum);
    }
    if total > 0.0 {
        let of_total = program.column(periods[last].factor);
        let columns = paid.iter().map(|paid| (*paid, 1.0)).chain([(of_total, 1.0)]).chain(not_counted).collect();
        program.row(columns, (0..periods.len()).map(|period| (period, 1.0)).collect(), total);
    }
    program
}
