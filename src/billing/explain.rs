//! One hour explained: every step of the waterfall, with what it took and what it left, for an engineer in doubt.

use super::record::{Record, RecordHeld};
use super::{Bill, Judge, waterfall};
use crate::time::Hour;
use crate::units::to_decimal;
use rust_decimal::Decimal;
use std::fmt;

/// One commitment drawing on one line in one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The commitment's identifier.
    pub commitment: String,
    /// The line, in words.
    pub line: String,
    /// Its column in the usage curves.
    pub column: usize,
    /// What one unit of the line needs of the commitment: normalised units, units of the SKU, or money.
    pub weight: Decimal,
    /// The quantity taken, in the line's unit.
    pub taken: Decimal,
    /// What the line had left before the step.
    pub open_before: Decimal,
    /// What the commitment had left before the step, in its own unit.
    pub left_before: Decimal,
}

impl Step {
    /// What the commitment has left after the step.
    #[must_use]
    pub fn left_after(&self) -> Decimal {
        self.left_before - self.taken * self.weight
    }

    /// What the line has left after the step.
    #[must_use]
    pub fn open_after(&self) -> Decimal {
        self.open_before - self.taken
    }
}

/// The waterfall of one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The hour.
    pub hour: Hour,
    /// Every step in order, those that found nothing to take too.
    pub steps: Vec<Step>,
    /// What stays on demand: line in words, quantity, price of one unit.
    pub on_demand: Vec<(String, Decimal, Decimal)>,
    /// What commitments have left at the end of the hour, lost: identifier, amount, what they provided.
    pub unused: Vec<(String, Decimal, Decimal)>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "hour {}", self.hour)?;
        for (number, step) in self.steps.iter().enumerate() {
            let Step { commitment, line, weight, taken, open_before, left_before, .. } = step;
            write!(f, "{:>4}. {commitment} on {line}: ", number + 1)?;
            if taken.is_zero() {
                let reason = if open_before.is_zero() { "nothing of the line is left" } else { "the commitment is used up" };
                writeln!(f, "nothing, {reason}")?;
            } else {
                let (taken, open, left) = (taken.round_dp(6), open_before.round_dp(6), left_before.round_dp(6));
                let after = step.left_after().round_dp(6);
                writeln!(f, "covers {taken} of {open} at {weight} each; {left} becomes {after}")?;
            }
        }
        for (line, quantity, price) in &self.on_demand {
            writeln!(f, "      on demand: {} of {line} at {price}", quantity.round_dp(6))?;
        }
        for (commitment, left, provided) in &self.unused {
            writeln!(f, "      unused: {} of {provided} of {commitment}", left.round_dp(6))?;
        }
        Ok(())
    }
}

impl Judge<'_> {
    /// The steps of the waterfall in one hour; `None` if the hour is not in the usage.
    #[must_use]
    pub fn explain(&self, hour: Hour) -> Option<Explanation> {
        explain(&self.record, hour)
    }
}

impl Bill {
    /// The steps of the waterfall in one hour of the bill, to be printed; `None` if the hour is not in the usage.
    #[must_use]
    pub fn explain(&self, hour: Hour) -> Option<Explanation> {
        explain(&self.record, hour)
    }
}

fn explain(record: &Record, hour: Hour) -> Option<Explanation> {
    let index = record.usage.grid().index(hour)?;
    let epoch = record.epoch(index)?;
    let sums = waterfall::replay_hours::<Decimal>(record, epoch, index..index + 1);
    let weight = to_decimal(record.usage.weights()[index]).filter(|weight| !weight.is_zero()).unwrap_or(Decimal::ONE);
    let mut left: Vec<Decimal> = record.held.iter().map(|held| held.capacity).collect();
    let mut open: Vec<Decimal> = sums.used.iter().map(|used| *used / weight).collect();
    let mut steps = Vec::with_capacity(epoch.draws.len());
    for (draw, taken) in epoch.draws.iter().zip(&sums.taken) {
        let (taken, line) = (*taken / weight, &record.lines[draw.line]);
        steps.push(Step {
            commitment: record.held[draw.commitment].id.clone(),
            line: record.name(line),
            column: line.column,
            weight: draw.weight,
            taken,
            open_before: open[draw.line],
            left_before: left[draw.commitment],
        });
        open[draw.line] -= taken;
        left[draw.commitment] -= taken * draw.weight;
    }
    let on_demand = record.lines.iter().zip(open).filter(|(_, open)| *open > Decimal::ZERO);
    let on_demand = on_demand.map(|(line, open)| (record.name(line), open, line.price.value())).collect();
    let rest = |(held, spent): (&RecordHeld, &Decimal)| (held.id.clone(), held.capacity - *spent / weight, held.capacity);
    let running = record.held.iter().zip(&sums.spent).filter(|(held, _)| held.hours.contains(&index));
    let unused = running.map(rest).filter(|(_, left, _)| *left > Decimal::ZERO).collect();
    Some(Explanation { hour, steps, on_demand, unused })
}
