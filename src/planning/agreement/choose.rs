//! Which agreement to sign, with what is bought under each: one branch an offer, the least of the bounds as the bound of all.

use super::{OfferedAgreement, OtherSpend};
use crate::error::{Error, Problem as Wrong, Result};
use crate::finance::agreement::{LedgerYear, Period};
use crate::planning::problem::Problem;
use crate::planning::solve::{Options, Solution};
use crate::portfolio::Commitment;
use rust_decimal::Decimal;
use serde::Serialize;

/// An offered agreement with the best purchases under it.
#[derive(Clone, Debug)]
pub struct Branch {
    /// The offer; with its right to renew early used if its name says so.
    pub offer: OfferedAgreement,
    /// Steps of each candidate, their cost by judge and ledger, and the bound on any plan under this offer.
    pub solution: Solution,
    /// What the steps are as commitments.
    pub purchases: Vec<Commitment>,
    /// What becomes of the agreement in every scenario.
    pub outcomes: Vec<YearOutcome>,
}

/// The settled periods of an agreement in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct YearOutcome {
    /// The scenario.
    pub scenario: String,
    /// Its probability.
    pub probability: f64,
    /// Every period; none without terms.
    pub periods: Vec<LedgerYear>,
}

impl Branch {
    /// The branch of an offer with a solution of the problem under it.
    ///
    /// # Errors
    /// As [`Problem::settled`].
    pub fn new(offer: &OfferedAgreement, problem: &Problem<'_>, solution: Solution) -> Result<Self> {
        let settled = problem.settled(&solution.steps)?;
        let outcome = |((name, probability), periods): ((&str, f64), Vec<LedgerYear>)| YearOutcome {
            scenario: name.to_owned(),
            probability,
            periods,
        };
        let outcomes = problem.scenarios().zip(settled).map(outcome).collect();
        let purchases = problem.commitments(&solution.steps);
        Ok(Self { offer: offer.clone(), solution, purchases, outcomes })
    }

    /// What it costs: the objective of the judge's bill and the ledger.
    #[must_use]
    pub fn cost(&self) -> f64 {
        self.solution.evaluation.objective
    }

    /// The probability that a shortfall is paid in any period.
    #[must_use]
    pub fn shortfall_probability(&self) -> f64 {
        let is_short = |outcome: &&YearOutcome| outcome.periods.iter().any(is_short);
        self.outcomes.iter().filter(is_short).fold(0.0, |sum, outcome| sum + outcome.probability)
    }

    /// The mean of the shortfall payments, undiscounted, by period.
    #[must_use]
    pub fn expected_shortfall(&self) -> Vec<f64> {
        let periods = self.outcomes.first().map_or(0, |outcome| outcome.periods.len());
        let of = |period: usize| {
            let paid = |outcome: &YearOutcome| {
                let year = &outcome.periods[period];
                outcome.probability * crate::units::to_f64(year.paid + year.paid_for_total)
            };
            self.outcomes.iter().map(paid).sum()
        };
        (0..periods).map(of).collect()
    }
}

fn is_short(year: &LedgerYear) -> bool {
    // Below a cent it is rounding.
    year.paid + year.paid_for_total >= Decimal::new(1, 2)
}

/// The answer: every offer with its best purchases, and the best offer.
#[derive(Clone, Debug)]
pub struct Choice {
    /// A branch for every offer, and for every right to renew early, in the order given.
    pub branches: Vec<Branch>,
    /// The index of the cheapest branch.
    pub chosen: usize,
    /// No plan under any of the offers costs less: the least of the branches' bounds.
    pub lower_bound: f64,
}

impl Choice {
    /// The cheapest branch.
    #[must_use]
    pub fn best(&self) -> &Branch {
        &self.branches[self.chosen]
    }

    /// `(cost - lower bound) / cost` of the joint decision.
    #[must_use]
    pub fn gap(&self) -> f64 {
        let cost = self.best().cost();
        if cost.abs() > 0.0 { (cost - self.lower_bound).max(0.0) / cost.abs() } else { 0.0 }
    }
}

/// The agreement chosen first, by the spend before any purchase, and commitments bought second.
#[derive(Clone, Debug)]
pub struct AgreementFirst {
    /// The index of the offer that is cheapest while nothing is bought.
    pub offer: usize,
    /// What it costs then.
    pub cost_without_purchases: f64,
    /// Steps bought at its net prices with no regard to its minimums, and what they cost once the ledger is settled.
    pub blind: (Vec<u32>, f64),
    /// The steps bought with regard to its minimums, and what they cost: the best that can be done after the wrong signature.
    pub informed: (Vec<u32>, f64),
}

impl Problem<'_> {
    /// Decides agreement and commitments together: solves the problem under every offer (give [`OfferedAgreement::none`] among them
    /// if nothing need be signed) and takes the cheapest. `other`: spend beside the usage, see [`Problem::under`].
    ///
    /// # Errors
    /// [`Wrong::Empty`] without offers; as [`Problem::under`] and [`Problem::search`].
    pub fn choose_agreement(&self, offers: &[OfferedAgreement], other: &[OtherSpend], options: &Options<'_>) -> Result<Choice> {
        let mut branches = Vec::new();
        for offer in offers {
            branches.push(self.branch(offer, other, options)?);
            if let Some(renewed) = renewed(offer)? {
                branches.push(self.branch(&renewed, other, options)?);
            }
        }
        let costs = || branches.iter().map(Branch::cost).enumerate();
        let chosen = costs().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index);
        let Some(chosen) = chosen else { return Err(Wrong::Empty { what: "agreements on offer" }.into()) };
        let lower_bound = branches.iter().map(|branch| branch.solution.lower_bound).fold(f64::INFINITY, f64::min);
        Ok(Choice { branches, chosen, lower_bound })
    }

    /// The best purchases under one offer.
    ///
    /// # Errors
    /// As [`Problem::under`] and [`Problem::search`].
    pub fn branch(&self, offer: &OfferedAgreement, other: &[OtherSpend], options: &Options<'_>) -> Result<Branch> {
        let problem = self.under(offer, other)?;
        let solution = problem.search(options)?;
        Branch::new(offer, &problem, solution)
    }

    /// The best purchases under one offer, where some are known to start from.
    pub(super) fn branch_from(
        &self,
        offer: &OfferedAgreement,
        other: &[OtherSpend],
        options: &Options<'_>,
        known: &[u32],
    ) -> Result<Branch> {
        let problem = self.under(offer, other)?;
        let mut solution = problem.search(options)?;
        if known.len() == problem.candidates().len() && problem.is_allowed(known) {
            let evaluation = problem.evaluate(known)?;
            if evaluation.is_allowed() && evaluation.objective < solution.evaluation.objective {
                solution.lower_bound = solution.lower_bound.min(evaluation.objective);
                (solution.steps, solution.evaluation) = (known.to_vec(), evaluation);
            }
        }
        Branch::new(offer, &problem, solution)
    }

    /// What deciding in turn comes to, to compare with [`Problem::choose_agreement`].
    ///
    /// # Errors
    /// As [`Problem::choose_agreement`].
    pub fn agreement_first(
        &self,
        offers: &[OfferedAgreement],
        other: &[OtherSpend],
        options: &Options<'_>,
    ) -> Result<AgreementFirst> {
        let mut first: Option<(usize, f64)> = None;
        for (index, offer) in offers.iter().enumerate() {
            let problem = self.under(offer, other)?;
            let cost = problem.evaluate(&problem.nothing())?.objective;
            if first.is_none_or(|(_, least)| cost < least) {
                first = Some((index, cost));
            }
        }
        let Some((offer, cost_without_purchases)) = first else {
            return Err(Wrong::Empty { what: "agreements on offer" }.into());
        };
        let signed = self.under(&offers[offer], other)?;
        let blind = self.under(&without_minimums(&offers[offer]), other)?.search(options)?.steps;
        let cost = signed.evaluate(&blind)?.objective;
        let informed = self.branch_from(&offers[offer], other, options, &blind)?.solution;
        let informed = (informed.steps, informed.evaluation.objective);
        Ok(AgreementFirst { offer, cost_without_purchases, blind: (blind, cost), informed })
    }
}

/// The offer with its right to renew early used.
pub(super) fn renewed(offer: &OfferedAgreement) -> Result<Option<OfferedAgreement>> {
    let Some(terms) = &offer.terms else { return Ok(None) };
    let renewed = terms.renewed_early().map_err(|error| -> Error { super::wrong_terms(error, &offer.name) })?;
    Ok(renewed.map(|terms| offer.with_terms(format!("{}, renewed early", offer.name), terms)))
}

/// The same discounts with nothing to fall short of.
fn without_minimums(offer: &OfferedAgreement) -> OfferedAgreement {
    let mut offer = offer.clone();
    if let Some(terms) = &mut offer.terms {
        terms.periods.iter_mut().for_each(|period: &mut Period| period.minimum = Decimal::ZERO);
        (terms.rules.total, terms.early_renewal) = (None, None);
    }
    offer
}
