//! What a plan does with what is held, for people: each action with its value, why, and what it leads from and to.

use super::{Change, Received, renews};
use crate::billing::{Bill, CommitmentBill};
use crate::catalog::Offer;
use crate::error::Result;
use crate::planning::problem::{Candidate, Problem};
use crate::planning::solve::Solution;
use crate::portfolio::action::Action;
use crate::portfolio::particulars::Renewal;
use crate::portfolio::{Assumptions, Commitment, rights};
use crate::units::{Money, to_decimal};
use chrono::{DateTime, Duration, Utc};
use rayon::prelude::*;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// One action of a plan. Quantities are what is expected: offered, times the share that finds a taker.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedAction {
    /// What kind it is.
    pub kind: Action,
    /// The change that is made; `None` for what happens by itself or by a purchase: lapse and renewal.
    pub change: Option<Change>,
    /// How many steps of the change.
    pub times: u32,
    /// When it is decided and paid.
    pub decided: DateTime<Utc>,
    /// From when what is given up serves no more, and what is received does.
    pub at: DateTime<Utc>,
    /// What is given up, or ends: commitment and quantity.
    pub gives: Vec<(String, Decimal)>,
    /// What is received, or bought to renew.
    pub receives: Vec<Received>,
    /// Paid at once, less what is paid back; amounts below 0 are received.
    pub paid: Money,
    /// By how much the plan's objective would be higher without this action: for a renewal without the purchase, for a lapse with the same
    /// bought again (beside the plan's purchases, or instead of them). `None` where that cannot be bought.
    pub value: Option<f64>,
    /// The last instant at which it can be done.
    pub deadline: Option<DateTime<Utc>>,
    /// What is held before.
    pub before: String,
    /// What is held instead.
    pub after: String,
    /// Why, in words.
    pub reason: String,
}

impl std::fmt::Display for PlannedAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {} on {}: {} becomes {}; {}",
            self.kind,
            names(&self.gives),
            self.at.date_naive(),
            self.before,
            self.after,
            self.reason
        )
    }
}

impl Problem<'_> {
    /// What a solution does with what is held, with the value of each action: changes made, then what ends within the hours planned (with
    /// purchase dates) and is renewed or not.
    pub(in crate::planning) fn taken(&self, solution: &Solution, before: &Bill, after: &Bill) -> Result<Vec<PlannedAction>> {
        let first = self.candidates.len();
        let changed: Vec<(usize, u32)> =
            solution.steps.iter().copied().enumerate().skip(first).filter(|(_, steps)| *steps > 0).collect();
        let mut actions: Vec<PlannedAction> = changed
            .into_par_iter()
            .map(|(index, steps)| self.changed(solution, (index, steps), before, after))
            .collect::<Result<_>>()?;
        let mut ending = self.ending(solution, before)?;
        actions.append(&mut ending);
        Ok(actions)
    }

    fn cost_with(&self, solution: &Solution, index: usize, steps: u32) -> Result<f64> {
        let mut moved = solution.steps.clone();
        moved[index] = steps;
        Ok(self.evaluate(&moved)?.objective)
    }

    fn changed(&self, solution: &Solution, (index, steps): (usize, u32), before: &Bill, after: &Bill) -> Result<PlannedAction> {
        let change = &self.changes[index - self.candidates.len()];
        let times = Decimal::from(steps) * change.share();
        let value = self.cost_with(solution, index, 0)? - solution.evaluation.objective;
        let gives: Vec<(String, Decimal)> =
            change.gives.iter().map(|given| (given.commitment.clone(), given.quantity * times)).collect();
        let receives: Vec<Received> =
            change.receives.iter().map(|of| Received { quantity: of.quantity * times, ..of.clone() }).collect();
        let held = |id: &str| self.portfolio.commitments().iter().find(|held| held.id == id);
        let from: Vec<String> =
            gives.iter().filter_map(|(id, quantity)| held(id).map(|held| describe(*quantity, &held.offer, held.end))).collect();
        let to: Vec<String> = receives.iter().map(|of| describe(of.quantity, &of.offer, of.end)).collect();
        let used = |bill: &Bill, id: &str| bill.commitments().iter().find(|of| of.id == id).and_then(CommitmentBill::utilisation);
        let given_used: Vec<String> = gives
            .iter()
            .map(|(id, _)| {
                used(before, id).map_or(format!("{id} serves none of these hours"), |share| {
                    format!("{id} was used {:.0} % before the plan", 100.0 * share)
                })
            })
            .collect();
        let received_used = used(after, &change.id).map(|share| format!(", what is received is used {:.0} %", 100.0 * share));
        let currency = self.catalog.currency();
        let reason = format!(
            "{}{}; worth {value:.2} {currency} over the hours planned; {}",
            given_used.join(", "),
            received_used.unwrap_or_default(),
            change.rule
        );
        Ok(PlannedAction {
            kind: change.kind,
            times: steps,
            decided: change.decided,
            at: change.at,
            gives,
            receives,
            paid: Money::new(change.paid.value() * times),
            value: Some(value),
            deadline: change.deadline,
            before: from.join(" and "),
            after: if to.is_empty() { "nothing".to_owned() } else { to.join(" and ") },
            reason,
            change: Some(change.clone()),
        })
    }

    /// Commitments that end within the hours planned, by end: how much of each is bought again then, and how much is not.
    fn ending(&self, solution: &Solution, before: &Bill) -> Result<Vec<PlannedAction>> {
        if !self.timing.is_dated() {
            return Ok(Vec::new());
        }
        let grid = self.usage().grid();
        let (first, last) = (grid.first.start(), grid.hour(grid.count).start());
        let after = self.portfolio_with(&solution.steps)?;
        let is_held = |held: &&Commitment| self.portfolio.commitments().iter().any(|of| of.id == held.id);
        let mut ending: Vec<&Commitment> =
            after.commitments().iter().filter(is_held).filter(|held| held.end > first && held.end < last).collect();
        ending.sort_by(|a, b| a.end.cmp(&b.end).then_with(|| a.id.cmp(&b.id)));
        let holdings = self.portfolio.holdings(self.catalog)?;
        let mut spare = solution.steps.clone();
        let mut actions = Vec::new();
        for held in ending {
            let offer = self.portfolio.offer(self.catalog, held)?;
            let again = self.renewing(held, offer);
            let wanted = again.map_or(0, |index| (held.quantity / self.candidates[index].step).floor().to_u32().unwrap_or(0));
            let renewed = again.map_or(0, |index| spare[index].min(wanted));
            let currency = self.catalog.currency();
            let used = before.commitments().iter().find(|of| of.id == held.id).and_then(CommitmentBill::utilisation);
            let used = used.map_or(String::new(), |share| format!("used {:.0} % until then; ", 100.0 * share));
            let quantity_of =
                |steps: u32| again.map_or(Decimal::ZERO, |index| self.candidates[index].step * Decimal::from(steps));
            let assumptions = self.rights.as_ref().map_or_else(Assumptions::default, |rights| rights.assumptions.clone());
            let Some(holding) = holdings.iter().find(|holding| holding.commitment.id == held.id) else { continue };
            let ends = if holding.renewal() == Renewal::Automatic { Action::StopRenewal } else { Action::Lapse };
            let deadline = |kind| rights::window(holding, kind, &assumptions).map_or(held.end, |window| window.until);
            let action = |kind, quantity: Decimal, value: Option<f64>, receives: Vec<Received>, why: String| PlannedAction {
                kind,
                change: None,
                times: 1,
                decided: held.end,
                at: held.end,
                gives: vec![(held.id.clone(), quantity)],
                before: describe(quantity, &held.offer, held.end),
                after: receives.first().map_or("nothing".to_owned(), |of| describe(of.quantity, &of.offer, of.end)),
                receives,
                paid: Money::ZERO,
                value,
                deadline: Some(deadline(kind)),
                reason: format!("{used}{why}"),
            };
            if let Some(index) = again.filter(|_| renewed > 0) {
                spare[index] -= renewed;
                let candidate = &self.candidates[index];
                let value = self.cost_with(solution, index, solution.steps[index] - renewed)? - solution.evaluation.objective;
                let received = Received {
                    offer: candidate.offer.clone(),
                    quantity: quantity_of(renewed),
                    start: candidate.start,
                    end: candidate.term_end,
                    account: held.account.clone(),
                    scope: candidate.scope.clone(),
                };
                let why = format!("bought again it saves {value:.2} {currency}");
                actions.push(action(Action::Renew, quantity_of(renewed), Some(value), vec![received], why));
            }
            let left = held.quantity - quantity_of(renewed);
            if left > Decimal::ZERO {
                let more = again.filter(|_| wanted > renewed);
                let value = more.map(|index| self.value_of_lapse(solution, index, wanted - renewed)).transpose()?;
                let why = match value {
                    Some(value) => format!("bought again, the plan would cost {value:.2} {currency} more"),
                    None => "the same is not for sale on a purchase date at its end".to_owned(),
                };
                actions.push(action(ends, left, value, Vec::new(), why));
            }
        }
        Ok(actions)
    }

    /// What the plan would cost more with so many steps of a candidate bought again: beside its purchases, or instead of what it buys for the
    /// same usage from then on, whichever costs less.
    fn value_of_lapse(&self, solution: &Solution, index: usize, steps: u32) -> Result<f64> {
        let again = &self.candidates[index];
        let mut beside = solution.steps.clone();
        beside[index] = (beside[index] + steps).min(again.max_steps.max(beside[index]));
        let mut instead = beside.clone();
        let mut room = f64::from(steps) * again.capacity;
        for (other, candidate) in self.candidates.iter().enumerate() {
            let is_rival = other != index && candidate.slot == again.slot && candidate.start + Duration::days(31) >= again.start;
            if is_rival && candidate.fixed.is_none() && instead[other] > 0 {
                let dropped = (room / candidate.capacity).floor().to_u32().unwrap_or(0).min(instead[other]);
                instead[other] -= dropped;
                room -= f64::from(dropped) * candidate.capacity;
            }
        }
        let cost = self.evaluate(&beside)?.objective.min(self.evaluate(&instead)?.objective);
        Ok(cost - solution.evaluation.objective)
    }

    /// The candidate that buys the same again, on the first date from the end of what is held.
    fn renewing(&self, held: &Commitment, offer: &Offer) -> Option<usize> {
        let is_same = |(_, candidate): &(usize, &Candidate)| {
            let again = self.catalog.offer(&candidate.offer);
            candidate.start >= held.end && candidate.scope == held.scope && again.is_some_and(|again| renews(offer, again))
        };
        let first = self.candidates.iter().enumerate().filter(is_same).min_by_key(|(_, candidate)| candidate.start)?;
        ((first.1.start - held.end).num_days() <= 31).then_some(first.0)
    }
}

fn describe(quantity: Decimal, offer: &str, end: DateTime<Utc>) -> String {
    format!("{} x {offer} until {}", quantity.normalize(), end.date_naive())
}

fn names(gives: &[(String, Decimal)]) -> String {
    gives.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(" and ")
}

impl Problem<'_> {
    /// The changes of some steps with nothing bought.
    pub(crate) fn actions_alone(&self, steps: &[u32]) -> Vec<u32> {
        let mut alone = steps.to_vec();
        alone[..self.candidates.len()].fill(0);
        alone
    }

    /// What changes cost at once that no bill shows: `docs/formulation.md`, "Actions".
    pub(in crate::planning) fn one_off(&self, steps: &[u32]) -> Money {
        let of_changes = self.change_terms.iter().zip(steps.iter().skip(self.candidates.len()));
        let sum: f64 = of_changes.map(|(terms, steps)| terms.one_off * f64::from(*steps)).sum();
        Money::new(to_decimal(sum).unwrap_or_default().round_dp(9))
    }
}
