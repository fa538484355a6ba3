//! Pre-purchase plans: units bought in advance (Databricks commit units and others) and drawn down over a term.
//!
//! From "How benefits are applied" (benefit-application-order) and "How a Databricks prepurchase plan discount is applied" of the Cost
//! Management documentation: they apply to what reservations leave, before savings plans; by scope as reservations do, within a scope
//! the earliest end first, then the plan for the fewest things; what one plan cannot cover goes to the next. A unit of usage draws as
//! many units of a plan as its ratio says. What is left at the end of the term is lost.
//!
//! A balance runs through time, so this is a pass of its own over what the waterfall leaves, hour after hour. Formula:
//! `docs/formulation-billing-azure-gcp.md`, "Pre-purchase plans".

use super::{admits, order};
use crate::billing::{Judge, lines_of};
use crate::catalog::Benefit;
use crate::error::{Error, Problem, Result};
use crate::portfolio::Scope;
use crate::units::{Money, UnitPrice};
use crate::usage::Provider;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Units bought in advance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrePurchasePlan {
    /// The order's identifier.
    pub id: String,
    /// The units bought.
    pub units: Decimal,
    /// What they cost, all at purchase.
    pub price: Money,
    /// When it starts; the hour that contains this instant is served.
    pub start: DateTime<Utc>,
    /// When it ends; the hour that contains this instant is not served any more.
    pub end: DateTime<Utc>,
    /// Where it applies.
    pub scope: Scope,
    /// How many units one unit of usage draws, by [`crate::catalog::OnDemandPrice::id`]: what it has no ratio for it does not cover.
    pub ratios: BTreeMap<String, Decimal>,
}

/// What a plan did over the hours of the usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrePurchaseUse {
    /// The plan's identifier.
    pub id: String,
    /// Units drawn.
    pub used: Decimal,
    /// Units left at the end of the usage, or lost at the plan's end if that is before.
    pub left: Decimal,
    /// Whether the plan ends within the usage, so that what is left is lost.
    pub is_over: bool,
    /// The usage covered, at on-demand prices.
    pub covered: Money,
    /// By usage line (its column): the quantity covered.
    pub by_line: BTreeMap<usize, Decimal>,
}

impl PrePurchasePlan {
    fn check(&self, judge: &Judge<'_>) -> Result<()> {
        let at = |problem: Problem, field: &str| Err(Error::from(problem).in_field(field.to_owned()).in_item(self.id.clone()));
        if self.end <= self.start {
            let (start, end) = (self.start.to_rfc3339(), self.end.to_rfc3339());
            return at(Problem::EndBeforeStart { start, end }, "pre_purchase.end");
        }
        if self.units <= Decimal::ZERO {
            return at(Problem::OutOfRange { value: self.units.to_string(), range: "units above 0" }, "pre_purchase.units");
        }
        for (id, ratio) in &self.ratios {
            let field = format!("pre_purchase.ratios.{id}");
            if *ratio <= Decimal::ZERO {
                return at(Problem::OutOfRange { value: ratio.to_string(), range: "ratios above 0" }, &field);
            }
            if judge.catalog.price_with_id(id).is_none() {
                return at(Problem::Dangling { kind: "on-demand price", id: id.clone() }, &field);
            }
            let has_rate = |benefit: &Benefit| matches!(benefit, Benefit::SpendPlan { rates, .. } if rates.contains_key(id));
            if let Some(held) = judge.held.iter().find(|held| has_rate(&held.offer.benefit)) {
                let value = format!("{id}, which the plan {} covers too", held.commitment.id);
                return at(Problem::Value { value, expected: "a SKU without rate in the savings plans held" }, &field);
            }
        }
        Ok(())
    }
}

impl Judge<'_> {
    /// Draws plans down over the hours of the usage, on what the waterfall leaves; in the order of the plans given.
    ///
    /// # Errors
    /// [`Problem::EndBeforeStart`], [`Problem::OutOfRange`] for units or ratios that are not above 0, [`Problem::Dangling`] for a ratio
    /// of something without price, [`Problem::Value`] for one of something that a savings plan held covers, [`Problem::Repeated`] for
    /// two plans of one identifier.
    pub fn draw_pre_purchase(&self, plans: &[PrePurchasePlan]) -> Result<Vec<PrePurchaseUse>> {
        let mut ids = BTreeSet::new();
        for plan in plans {
            plan.check(self)?;
            if !ids.insert(&plan.id) {
                return Err(Error::from(Problem::Repeated).in_field("pre_purchase.id").in_item(plan.id.clone()));
            }
        }
        let mut order: Vec<&PrePurchasePlan> = plans.iter().collect();
        order.sort_by_key(|plan| (order::level_of(&plan.scope), plan.end, plan.ratios.len(), &plan.id));
        let mut draws: Vec<Draws<'_>> = order.into_iter().map(|plan| Draws::new(self, plan)).collect();
        let cuts: Vec<usize> = (0..self.usage.grid().count).collect();
        let open_by_hour = self.record.stretches(0..self.usage.grid().count, &cuts, |epoch, hours, sums| {
            let mut open = sums.used;
            for (draw, taken) in epoch.draws.iter().zip(&sums.taken) {
                open[draw.line] -= *taken;
            }
            (hours.start, open)
        });
        for (hour, mut open) in open_by_hour {
            for plan in draws.iter_mut().filter(|plan| plan.hours.contains(&hour)) {
                plan.draw(&mut open);
            }
        }
        let last = self.usage.grid().hour(self.usage.grid().count).start();
        let of = |plan: &PrePurchasePlan| draws.iter().find(|draws| draws.plan.id == plan.id).map(|draws| draws.result(last));
        Ok(plans.iter().filter_map(of).collect())
    }
}

/// A plan while it is drawn down.
struct Draws<'p> {
    plan: &'p PrePurchasePlan,
    hours: std::ops::Range<usize>,
    /// Line, its column, ratio and price.
    lines: Vec<(usize, usize, Decimal, UnitPrice)>,
    left: Decimal,
    covered: Money,
    by_line: BTreeMap<usize, Decimal>,
}

impl<'p> Draws<'p> {
    fn new(judge: &Judge<'_>, plan: &'p PrePurchasePlan) -> Self {
        let lines = lines_of(&judge.lines, Provider::Azure)
            .filter(|(_, line)| admits(&plan.scope, line))
            .filter_map(|(index, line)| Some((index, line.column, *plan.ratios.get(&line.price.id)?, line.price.price)))
            .collect();
        let hours = judge.usage.grid().span(plan.start, plan.end);
        Self { plan, hours, lines, left: plan.units, covered: Money::ZERO, by_line: BTreeMap::new() }
    }

    fn draw(&mut self, open: &mut [Decimal]) {
        for (line, column, ratio, price) in &self.lines {
            let quantity = open[*line];
            if quantity <= Decimal::ZERO || self.left <= Decimal::ZERO {
                continue;
            }
            let need = quantity * *ratio;
            let taken = if need <= self.left { quantity } else { self.left / *ratio };
            self.left = if need <= self.left { self.left - need } else { Decimal::ZERO };
            open[*line] -= taken;
            self.covered += price.of(taken);
            *self.by_line.entry(*column).or_default() += taken;
        }
    }

    fn result(&self, last: DateTime<Utc>) -> PrePurchaseUse {
        PrePurchaseUse {
            id: self.plan.id.clone(),
            used: self.plan.units - self.left,
            left: self.left,
            is_over: self.plan.end <= last,
            covered: self.covered,
            by_line: self.by_line.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::Rules;
    use crate::billing::azure::tests::{catalog, held, offer, plan, price, reservation, usage};
    use crate::portfolio::{Commitment, Portfolio};
    use crate::time::Hour;
    use rust_decimal::dec;

    fn bought(id: &str, units: Decimal, hours: i64, ratios: &[(&str, Decimal)], scope: Scope) -> PrePurchasePlan {
        let ratios = ratios.iter().map(|(id, ratio)| ((*id).to_owned(), *ratio)).collect();
        let (start, end) = (Hour::from_epoch(0).start(), Hour::from_epoch(hours).start());
        PrePurchasePlan { id: id.into(), units, price: Money::new(units), start, end, scope, ratios }
    }

    /// Three hours of two jobs' units and one machine.
    fn drawn(commitments: Vec<Commitment>, plans: &[PrePurchasePlan]) -> Result<Vec<PrePurchaseUse>> {
        let prices = vec![price("jobs", dec!(0.3), None), price("sql", dec!(0.22), None), price("vm", dec!(1), None)];
        let offers = vec![offer("ri", reservation("vm", None), 1), offer("sp", plan(&[("sql", dec!(0.2))]), 1)];
        let catalog = catalog(prices, offers);
        let usage = usage(&[("jobs", "s1", "g", 10.0), ("sql", "s2", "g", 10.0), ("vm", "s1", "g", 1.0)], 3);
        let portfolio = Portfolio::new(Vec::new(), commitments).unwrap();
        Judge::new(&usage, &catalog, &portfolio, &Rules::default()).unwrap().draw_pre_purchase(plans)
    }

    #[test]
    fn a_plan_is_drawn_down_by_ratio_over_its_term() {
        let found =
            drawn(vec![], &[bought("p", dec!(20), 2, &[("jobs", dec!(0.4)), ("sql", dec!(0.3))], Scope::Shared)]).unwrap();
        // Two hours of 10 x 0.4 + 10 x 0.3; the third hour is after the end.
        assert_eq!((found[0].used, found[0].left, found[0].is_over), (dec!(14), dec!(6), true));
        assert_eq!(found[0].covered, Money::new(dec!(10.4)));
        let found = drawn(vec![], &[bought("p", dec!(9), 99, &[("jobs", dec!(0.4))], Scope::Shared)]).unwrap();
        assert_eq!((found[0].used, found[0].by_line.values().copied().collect::<Vec<_>>()), (dec!(9), vec![dec!(22.5)]));
    }

    #[test]
    fn the_narrower_scope_goes_first_then_the_earlier_end_then_the_more_targeted() {
        let own = Scope::Subscription { subscription: "s1".into() };
        let jobs = [("jobs", dec!(1))];
        let both = [("jobs", dec!(1)), ("sql", dec!(1))];
        let plans = [
            bought("all", dec!(100), 50, &both, Scope::Shared),
            bought("jobs", dec!(100), 50, &jobs, Scope::Shared),
            bought("soon", dec!(12), 40, &jobs, Scope::Shared),
            bought("own", dec!(5), 60, &jobs, own),
        ];
        let used: Vec<Decimal> = drawn(vec![], &plans).unwrap().iter().map(|plan| plan.used).collect();
        assert_eq!(used, [dec!(30), dec!(13), dec!(12), dec!(5)]);
    }

    #[test]
    fn reservations_come_before_and_leave_the_balance_alone() {
        let plans = [bought("p", dec!(100), 50, &[("vm", dec!(1))], Scope::Shared)];
        assert_eq!(drawn(vec![held("r", "ri", dec!(1), Scope::Shared)], &plans).unwrap()[0].left, dec!(100));
    }

    #[test]
    fn contradictions_name_the_plan() {
        let message = |plans: &[PrePurchasePlan], held| drawn(held, plans).unwrap_err().to_string();
        let sql = || bought("p", dec!(1), 50, &[("sql", dec!(1))], Scope::Shared);
        let found = message(&[sql()], vec![held("sp1", "sp", dec!(1), Scope::Shared)]);
        assert!(found.contains("sp1") && found.contains("sql"), "{found}");
        assert!(message(&[sql(), sql()], vec![]).contains('p'));
        assert!(message(&[bought("q", dec!(1), 0, &[], Scope::Shared)], vec![]).contains('q'));
        assert!(message(&[bought("q", dec!(1), 5, &[("none", dec!(1))], Scope::Shared)], vec![]).contains("none"));
        assert!(message(&[bought("q", dec!(0), 5, &[], Scope::Shared)], vec![]).contains('q'));
        assert!(message(&[bought("q", dec!(1), 5, &[("sql", dec!(0))], Scope::Shared)], vec![]).contains("ratios.sql"));
    }
}
