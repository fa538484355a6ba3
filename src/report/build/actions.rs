//! What the plan does with what is held, which part of the savings that is, and what the plan costs at other prices.

use super::super::model::{Action, GivenUp, Received, Repriced, SavingsSplit};
use super::{number, share};
use crate::error::Result;
use crate::planning::{Change, Plan, PlannedAction, Problem};
use crate::portfolio::{Commitment, Portfolio};
use crate::units::Money;
use std::collections::BTreeSet;

/// The savings in two parts.
pub(super) fn split(plan: &Plan) -> SavingsSplit {
    let (by_actions, by_purchases) = (plan.savings_by_actions(), plan.savings_by_purchases());
    let last = plan.savings_by_actions_counted_last();
    let at_once = || plan.actions().iter().map(|action| action.paid);
    let paid: Money = at_once().map(|paid| paid.max(Money::ZERO)).sum();
    let received: Money = at_once().map(|paid| (-paid).max(Money::ZERO)).sum();
    SavingsSplit {
        cost_with_actions: (plan.before().total().cost() - by_actions).into(),
        by_actions: by_actions.into(),
        by_actions_monthly: plan.monthly(by_actions).into(),
        by_purchases: by_purchases.into(),
        by_purchases_monthly: plan.monthly(by_purchases).into(),
        by_actions_counted_last: last.into(),
        by_actions_counted_last_monthly: plan.monthly(last).into(),
        paid_for_actions: paid.into(),
        received_for_actions: received.into(),
    }
}

/// The actions, each with its order where it needs one.
pub(super) fn actions(problem: &Problem<'_>, plan: &Plan) -> Result<Vec<Action>> {
    plan.actions().iter().map(|action| one(problem, plan, action)).collect()
}

fn one(problem: &Problem<'_>, plan: &Plan, action: &PlannedAction) -> Result<Action> {
    let order = plan.order_of(problem, action)?;
    let gives = action.gives.iter().map(|(id, quantity)| GivenUp { commitment: id.clone(), quantity: (*quantity).into() });
    let receives = action.receives.iter().map(|of| Received {
        offer: of.offer.clone(),
        quantity: of.quantity.into(),
        scope: super::super::table::scope(&of.scope).into(),
        start: of.start.date_naive(),
        end: of.end.date_naive(),
    });
    let held = || action.gives.first().map_or_else(String::new, |(id, _)| id.clone());
    let (account, call, parameters) = order.map_or_else(Default::default, |order| (order.account, order.call, order.parameters));
    Ok(Action {
        id: action.change.as_ref().map_or_else(held, |change| change.id.clone()),
        action: action.kind.as_str().into(),
        decided: action.decided.date_naive(),
        at: action.at.date_naive(),
        deadline: action.deadline.map(|deadline| deadline.date_naive()),
        times: action.times,
        gives: gives.collect(),
        receives: receives.collect(),
        before: action.before.clone(),
        after: action.after.clone(),
        paid: action.paid.max(Money::ZERO).into(),
        received: (-action.paid).max(Money::ZERO).into(),
        value: share(action.value)?,
        rule: action.change.as_ref().map_or_else(String::new, rule),
        reason: action.reason.clone(),
        account,
        call,
        parameters,
    })
}

/// The rule in words; a change that the caller allows needs none of a provider's.
fn rule(change: &Change) -> String {
    if change.rule.is_empty() { "as the buyer has it".into() } else { change.rule.clone() }
}

/// What is held after the plan, without the purchases: what is kept, and what actions put in its place.
pub(super) fn kept<'p>(problem: &Problem<'_>, plan: &'p Plan) -> Vec<&'p Commitment> {
    let bought: BTreeSet<String> = problem.commitments(&plan.solution().steps).into_iter().map(|one| one.id).collect();
    plan.portfolio().commitments().iter().filter(|held| !bought.contains(&held.id)).collect()
}

/// What is held after the actions alone.
pub(super) fn portfolio_after_actions(problem: &Problem<'_>, plan: &Plan) -> Result<Portfolio> {
    problem.portfolio_with(&problem.actions_alone(&plan.solution().steps))
}

/// Whether an action put it there.
pub(super) fn is_received(plan: &Plan, held: &Commitment) -> bool {
    let mut changes = plan.actions().iter().filter_map(|action| action.change.as_ref());
    changes.any(|change| held.id == change.id || held.id.starts_with(&format!("{} (", change.id)))
}

/// The plan at the prices of the scenarios that change them.
pub(super) fn repriced(problem: &Problem<'_>, plan: &Plan) -> Result<Vec<Repriced>> {
    let one = |of: crate::planning::Repriced| -> Result<Repriced> {
        Ok(Repriced {
            name: of.scenario.clone(),
            probability: number(of.probability)?,
            affected_monthly: plan.monthly(of.affected).into(),
            affected_share: number(of.affected_share())?,
            plan_at_catalog_monthly: plan.monthly(of.plan_at_catalog).into(),
            plan_monthly: plan.monthly(of.plan).into(),
            savings_at_catalog_monthly: plan.monthly(of.before_at_catalog - of.plan_at_catalog).into(),
            savings_monthly: plan.monthly(of.before - of.plan).into(),
        })
    };
    problem.repriced(&plan.solution().steps)?.into_iter().map(one).collect()
}
