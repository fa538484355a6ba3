//! Triage of what is held: how well each commitment is used, what it wastes, what is left on demand beside it, what the plan does with it,
//! and until when something can be done. Alerts for the next days are [`crate::portfolio::deadline::alerts`].

use super::action::taken::PlannedAction;
use super::plan::Plan;
use super::problem::Problem;
use crate::billing::CommitmentBill;
use crate::error::Result;
use crate::portfolio::Assumptions;
use crate::portfolio::deadline::{Deadline, DeadlineKind, deadlines};
use crate::units::Money;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

/// One commitment held.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The [`crate::portfolio::Commitment::id`].
    pub commitment: String,
    /// The [`crate::catalog::Offer::id`].
    pub offer: String,
    /// Quantity held.
    pub quantity: Decimal,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// The share of it that is used, before the plan; `None` if it serves none of the hours.
    pub utilisation: Option<f64>,
    /// What its unused part costs a month of 730 hours, before the plan.
    pub monthly_waste: Money,
    /// What is left on demand a month, before the plan, of the lines that it covers.
    pub uncovered: Money,
    /// What is left on demand a month, before the plan, of other lines of its service and region: where it could be of use instead.
    pub uncovered_beside: Money,
    /// What the plan does with it, by value, the highest first; empty if it is kept.
    pub actions: Vec<PlannedAction>,
    /// Every deadline that is not over, the earliest first.
    pub deadlines: Vec<Deadline>,
}

impl Finding {
    /// The action of the plan with the highest value.
    #[must_use]
    pub fn best(&self) -> Option<&PlannedAction> {
        self.actions.first()
    }

    /// The last instant for what the plan does with it; without such an action the first last chance that it has, or its end.
    #[must_use]
    pub fn deadline(&self) -> Option<DateTime<Utc>> {
        let planned = self.actions.iter().filter_map(|action| action.deadline).min();
        let chances = self.deadlines.iter().filter(|of| !matches!(of.kind, DeadlineKind::Expiry));
        planned.or_else(|| chances.chain(&self.deadlines).map(|of| of.last).next())
    }
}

impl Problem<'_> {
    /// Every commitment held, by waste, the largest first.
    ///
    /// # Errors
    /// As [`deadlines`].
    pub fn triage(&self, plan: &Plan, now: DateTime<Utc>) -> Result<Vec<Finding>> {
        let bill = plan.before();
        let lines = self.usage().lines();
        let assumptions = self.rights.as_ref().map_or_else(Assumptions::default, |rights| rights.assumptions.clone());
        let last_days = deadlines(&self.portfolio, self.catalog, now, &assumptions)?;
        let mut findings = Vec::new();
        for (index, holding) in self.portfolio.holdings(self.catalog)?.iter().enumerate() {
            let (held, offer) = (holding.commitment, holding.offer);
            let billed = bill.commitments().iter().find(|of| of.id == held.id);
            let of_slot = self.held_slots[index].map(|slot| &self.recourse.slot_lines()[slot]);
            let covered: Vec<usize> = of_slot.into_iter().flatten().map(|(line, _)| self.lines[*line]).collect();
            let left = |is_wanted: &dyn Fn(usize) -> bool| -> Money {
                bill.lines().iter().filter(|line| is_wanted(line.column)).map(|line| line.on_demand).sum()
            };
            let is_beside = |column: usize| {
                let sku = &lines[column].sku;
                let is_near = offer.region.is_empty() || sku.region == offer.region;
                sku.provider == offer.provider && sku.service == offer.service && is_near && !covered.contains(&column)
            };
            let mut actions: Vec<PlannedAction> =
                plan.actions().iter().filter(|action| action.gives.iter().any(|(id, _)| *id == held.id)).cloned().collect();
            actions.sort_by(|a, b| b.value.unwrap_or(0.0).total_cmp(&a.value.unwrap_or(0.0)));
            findings.push(Finding {
                commitment: held.id.clone(),
                offer: held.offer.clone(),
                quantity: held.quantity,
                end: held.end,
                utilisation: billed.and_then(CommitmentBill::utilisation),
                monthly_waste: plan.monthly(billed.map_or(Money::ZERO, |of| of.charges.unused_commitment)),
                uncovered: plan.monthly(left(&|column| covered.contains(&column))),
                uncovered_beside: plan.monthly(left(&is_beside)),
                actions,
                deadlines: last_days.iter().filter(|of| of.commitment == held.id).cloned().collect(),
            });
        }
        findings.sort_by(|a, b| b.monthly_waste.cmp(&a.monthly_waste).then_with(|| a.commitment.cmp(&b.commitment)));
        Ok(findings)
    }
}
