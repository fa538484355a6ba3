//! The answer: what to buy, what it does to the bill, and how good it provably is.
//!
//! Formulas: `docs/formulation.md`, "Indicators of a purchase".

use super::action::taken::PlannedAction;
use super::baseline::{Baseline, Rule};
use super::problem::Problem;
use super::solve::{Solution, Status};
use crate::billing::{Bill, Judge};
use crate::catalog::Offer;
use crate::error::Result;
use crate::portfolio::{Portfolio, Scope};
use crate::units::{Money, to_decimal, to_f64};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::time::Duration;

/// Hours of a month, on average: what price lists use.
pub(crate) const HOURS_PER_MONTH: u32 = 730;

/// One thing to buy.
#[derive(Clone, Debug, PartialEq)]
pub struct Purchase {
    /// Its identifier in bills.
    pub id: String,
    /// The offer.
    pub offer: Offer,
    /// When it starts.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// The scope to buy it with.
    pub scope: Scope,
    /// How many reservations, or how much money an hour.
    pub quantity: Decimal,
    /// Due at purchase.
    pub upfront: Money,
    /// Due every month of 730 hours.
    pub monthly: Money,
    /// The usage it covers in a month of 730 hours, at on-demand prices.
    pub covered_monthly: Money,
    /// The share of it that is used, in money or units; `None` if it does nothing.
    pub utilisation: Option<f64>,
    /// The month of its term in which the on-demand cost it avoids has paid for all it will ever cost: usage may end after it without a
    /// loss. `None` if that is not within the term.
    pub break_even_month: Option<u32>,
}

/// A plan: purchases with the evidence for them. The bills are of the first scenario; costs, bound and gap of all.
#[derive(Clone, Debug)]
pub struct Plan {
    solution: Solution,
    purchases: Vec<Purchase>,
    actions: Vec<PlannedAction>,
    before: Bill,
    acted: Bill,
    after: Bill,
    cost_without_actions: Option<Money>,
    portfolio: Portfolio,
    one_off: Money,
    baselines: Vec<Baseline>,
    hours: f64,
}

impl Plan {
    /// Prices the steps of each candidate by the judge and gathers the evidence.
    pub(super) fn new(problem: &Problem<'_>, solution: &Solution, baselines: Vec<Baseline>) -> Result<Self> {
        let bill = |portfolio: &Portfolio| -> Result<Bill> {
            Ok(Judge::new(problem.usage(), problem.catalog, portfolio, &problem.rules)?.bill())
        };
        let before = bill(&problem.portfolio)?;
        let portfolio = problem.portfolio_with(&solution.steps)?;
        let after = bill(&portfolio)?;
        let hours = problem.usage().total_hours();
        let months = to_decimal(hours).unwrap_or(Decimal::ONE) / Decimal::from(HOURS_PER_MONTH);
        let mut purchases = Vec::new();
        for commitment in problem.commitments(&solution.steps) {
            let Some(offer) = problem.catalog.offer(&commitment.offer) else { continue };
            let Some(billed) = after.commitments().iter().find(|billed| billed.id == commitment.id) else { continue };
            let covered_monthly = Money::new(billed.covered.value() / months);
            let term_months = offer.term.list_hours() / Decimal::from(HOURS_PER_MONTH);
            let monthly = offer.recurring.over_hours(Decimal::from(HOURS_PER_MONTH)) * commitment.quantity;
            let upfront = offer.upfront * commitment.quantity;
            let total = upfront.value() + monthly.value() * term_months;
            let paid_back = (covered_monthly > Money::ZERO).then(|| (total / covered_monthly.value()).ceil());
            purchases.push(Purchase {
                id: commitment.id.clone(),
                start: commitment.start,
                end: commitment.end,
                offer: offer.clone(),
                scope: commitment.scope.clone(),
                quantity: commitment.quantity,
                upfront,
                monthly,
                covered_monthly,
                utilisation: billed.utilisation(),
                break_even_month: paid_back.filter(|month| *month <= term_months.ceil()).and_then(|month| month.to_u32()),
            });
        }
        purchases.sort_by(|a, b| b.covered_monthly.cmp(&a.covered_monthly).then_with(|| a.offer.id.cmp(&b.offer.id)));
        let actions = problem.taken(solution, &before, &after)?;
        let one_off = problem.one_off(&solution.steps);
        let is_changed = actions.iter().any(|action| action.change.is_some());
        let (acted, cost_without_actions) = if is_changed {
            let bought = problem.commitments(&solution.steps);
            let without_actions = bill(&problem.portfolio.with(bought)?)?.total().cost();
            (bill(&problem.portfolio_with(&problem.actions_alone(&solution.steps))?)?, Some(without_actions))
        } else {
            (before.clone(), None)
        };
        let solution = solution.clone();
        Ok(Self {
            solution,
            purchases,
            actions,
            before,
            acted,
            after,
            cost_without_actions,
            portfolio,
            one_off,
            baselines,
            hours,
        })
    }

    /// Why the search ended.
    #[must_use]
    pub fn status(&self) -> Status {
        self.solution.status
    }

    /// What to buy, by the usage it covers, the largest first.
    #[must_use]
    pub fn purchases(&self) -> &[Purchase] {
        &self.purchases
    }

    /// What to do with what is held: changes, then what ends within the hours planned and is renewed or not (with purchase dates).
    #[must_use]
    pub fn actions(&self) -> &[PlannedAction] {
        &self.actions
    }

    /// What is held after the plan.
    #[must_use]
    pub fn portfolio(&self) -> &Portfolio {
        &self.portfolio
    }

    /// What the actions cost at once that bills do not show: what was paid for and is given up without being paid back.
    #[must_use]
    pub fn one_off(&self) -> Money {
        self.one_off
    }

    /// The bill with what is held and nothing bought.
    #[must_use]
    pub fn before(&self) -> &Bill {
        &self.before
    }

    /// The bill after the actions, with nothing bought; [`Plan::before`] where nothing is done with what is held.
    #[must_use]
    pub fn after_actions(&self) -> &Bill {
        &self.acted
    }

    /// The bill with the purchases and after the actions.
    #[must_use]
    pub fn after(&self) -> &Bill {
        &self.after
    }

    /// What the usage costs with the purchases, by the judge, over all its hours; with what actions cost at once.
    #[must_use]
    pub fn billed_cost(&self) -> Money {
        self.after.total().cost() + self.one_off
    }

    /// The numbers of the search: steps, cost by scenario, bound.
    #[must_use]
    pub fn solution(&self) -> &Solution {
        &self.solution
    }

    /// What the plan costs by the judge in the terms of the objective: with one scenario and neither dates nor discount rate
    /// [`Plan::billed_cost`], to the digits of an f64.
    #[must_use]
    pub fn objective(&self) -> f64 {
        self.solution.evaluation.objective
    }

    /// A proven lower bound on [`Plan::objective`] of any plan under the same policy.
    #[must_use]
    pub fn lower_bound(&self) -> f64 {
        let bound = self.solution.lower_bound;
        // One scenario in a steady state is billed in decimals too; the f64 of the search may be above that by a rounding.
        let billed = self.billed_cost().to_f64();
        if (self.objective() - billed).abs() <= 1e-9 * billed.abs() { bound.min(billed) } else { bound }
    }

    /// `(objective - lower bound) / objective`: no plan under the policy could cost less by a larger share.
    #[must_use]
    pub fn gap(&self) -> f64 {
        self.solution.gap()
    }

    /// What the plan saves over all hours of the usage: the bill before less the bill after.
    #[must_use]
    pub fn savings(&self) -> Money {
        self.before.total().cost() - self.billed_cost()
    }

    /// The part of [`Plan::savings`] that is due to actions on what is held, counted first: the cost with nothing done, less the cost with the
    /// actions alone. Renewals are purchases.
    #[must_use]
    pub fn savings_by_actions(&self) -> Money {
        self.before.total().cost() - self.acted.total().cost() - self.one_off
    }

    /// The rest of [`Plan::savings`], which is due to the purchases: the cost with the actions alone, less the cost with both.
    #[must_use]
    pub fn savings_by_purchases(&self) -> Money {
        self.acted.total().cost() - self.after.total().cost()
    }

    /// What the actions save beside the purchases, if they are counted last: the cost with the purchases alone, less the cost with both. It is
    /// less than [`Plan::savings_by_actions`] where a purchase would take the place of what is given up, more where it needs the room.
    #[must_use]
    pub fn savings_by_actions_counted_last(&self) -> Money {
        self.cost_without_actions.map_or(Money::ZERO, |without| without - self.billed_cost())
    }

    /// Savings as a share of the bill before; `None` if that is 0.
    #[must_use]
    pub fn savings_rate(&self) -> Option<f64> {
        let before = self.before.total().cost().value();
        (before > Decimal::ZERO).then(|| to_f64(self.savings().value() / before))
    }

    /// Paid at purchase for everything.
    #[must_use]
    pub fn upfront(&self) -> Money {
        self.purchases.iter().map(|purchase| purchase.upfront).sum()
    }

    /// The month in which all that was paid is less than it would have been without the purchases: upfront / (running bill without them -
    /// running bill with them), rounded up. `None` if the running bill does not fall; 1 without upfront payments.
    #[must_use]
    pub fn cash_break_even_month(&self) -> Option<u32> {
        let saved_a_month = self.monthly(self.savings_by_purchases() + self.amortised_upfront_bought());
        if saved_a_month <= Money::ZERO {
            return None;
        }
        (self.upfront().value() / saved_a_month.value()).ceil().to_u32().map(|month| month.max(1))
    }

    fn amortised_upfront_bought(&self) -> Money {
        self.after.total().amortised_upfront - self.acted.total().amortised_upfront
    }

    /// An amount over all hours of the usage, as an amount for a month of 730 hours.
    #[must_use]
    pub fn monthly(&self, amount: Money) -> Money {
        let hours = to_decimal(self.hours).filter(|hours| !hours.is_zero()).unwrap_or(Decimal::ONE);
        Money::new(amount.value() * Decimal::from(HOURS_PER_MONTH) / hours)
    }

    /// The hours of the usage.
    #[must_use]
    pub fn hours(&self) -> f64 {
        self.hours
    }

    /// Sweeps over all hours that the search made.
    #[must_use]
    pub fn sweeps(&self) -> usize {
        self.solution.sweeps
    }

    /// The time the search took.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.solution.time
    }

    /// The simple rules the plan is compared with, billed by the same judge.
    #[must_use]
    pub fn baselines(&self) -> &[Baseline] {
        &self.baselines
    }

    /// The cheapest of the percentile rules.
    #[must_use]
    pub fn best_percentile_rule(&self) -> Option<&Baseline> {
        let percentile = |rule: &&Baseline| rule.rule != Rule::BuyNothing && rule.is_allowed;
        self.baselines.iter().filter(percentile).min_by(|a, b| a.billed_cost.total_cmp(&b.billed_cost))
    }
}
