//! Agreements and commitments decided together: which level to sign, for how long, and what to buy under it.
//!
//! What is bought lowers the spend that retires an agreement's minimum, and the agreement's discounts change what usage and
//! commitments cost, so neither can be chosen first. For each offered agreement [`Problem::under`] is the planning problem with
//! the net prices, the minimums of every period as a constraint in every scenario, and the cost of a shortfall in the objective;
//! `Problem::choose_agreement` branches over the offers (the binary tiers of the joint program), with a lower bound for each, so
//! that the least of the bounds bounds every plan under every offer. A plan's cost is the judge's bill at list prices, less the
//! discounts by charge, plus what the ledger ([`crate::finance::agreement`]) settles.
//!
//! The accepted cost is exact for every clause. The bound is tight for any number of periods with carry-over, deferral, or credits
//! that do not count again; it is a bound only, with the gap shown, where services count differently, where spend counts by more
//! than it costs, with credits beside a total or a carry-over, and with the relief payment. Formulas: `docs/formulation.md`, "Agreements"; rules and
//! their sources: `docs/agreements.md`. Offers, spend beside the usage and clauses are read from a file by [`Agreements`].

#[cfg(feature = "highs")]
mod choose;
mod clause;
#[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "solving alone uses all of it"))]
mod compiled;
mod document;
#[cfg(feature = "highs")]
mod negotiate;
mod rows;
#[cfg(all(test, feature = "highs"))]
mod tests;

#[cfg(feature = "highs")]
pub use choose::{AgreementFirst, Branch, Choice, YearOutcome};
pub use clause::Clause;
pub use document::Agreements;
#[cfg(feature = "highs")]
pub use negotiate::{ClauseValue, IndifferenceDiscount};

pub(super) use compiled::{Compiled, Discounting, Inputs};

use super::problem::{Parts, Problem, Scenario, fractional};
use crate::billing::Judge;
use crate::billing::agreement::{Agreement, AgreementDiscount, ChargeKind, Overlay};
use crate::error::{Error, Problem as Wrong, Result};
use crate::finance::agreement::{Ledger, LedgerYear, Spend, SpendKind, Terms};
use crate::usage::Provider;
use document::{OfferEntry, SpendEntry};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An agreement on offer: its discounts by charge, and its minimums and clauses. Its document is an offer of [`Agreements`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "OfferEntry", into = "OfferEntry")]
pub struct OfferedAgreement {
    /// A name of its own among the offers.
    pub name: String,
    /// The provider whose spend counts towards the terms; of all providers if absent.
    pub provider: Option<Provider>,
    /// The discounts, of the judge's last stage; they hold while the terms run, or always without terms.
    pub discounts: Agreement,
    /// Minimums and clauses; none for list prices, or for a discount without a commitment.
    pub terms: Option<Terms>,
}

impl OfferedAgreement {
    /// To sign nothing: list prices.
    #[must_use]
    pub fn none() -> Self {
        Self { name: "no agreement".to_owned(), provider: None, discounts: Agreement::default(), terms: None }
    }

    /// A discount on everything of a provider, under these terms.
    #[must_use]
    pub fn cross_service(name: impl Into<String>, provider: Provider, discount: Decimal, terms: Terms) -> Self {
        let (service, kinds) = (None, BTreeSet::new());
        let discount = AgreementDiscount { provider, service, kinds, fraction: discount, overlay: Overlay::Instead };
        let discounts = Agreement { discounts: vec![discount], excluded_services: BTreeSet::new() };
        Self { name: name.into(), provider: Some(provider), discounts, terms: Some(terms) }
    }

    /// The same with another discount on all services; discounts that name a service stay.
    #[must_use]
    pub fn with_discount(&self, fraction: Decimal) -> Self {
        let mut offer = self.clone();
        for discount in offer.discounts.discounts.iter_mut().filter(|discount| discount.service.is_none()) {
            discount.fraction = fraction;
        }
        offer
    }

    /// The same under other terms and another name.
    #[must_use]
    pub fn with_terms(&self, name: impl Into<String>, terms: Terms) -> Self {
        Self { name: name.into(), terms: Some(terms), ..self.clone() }
    }

    /// The largest discount on all services.
    #[must_use]
    pub fn general_discount(&self) -> Decimal {
        let general = self.discounts.discounts.iter().filter(|discount| discount.service.is_none());
        general.map(|discount| discount.fraction).max().unwrap_or_default()
    }

    /// # Errors
    /// [`Wrong::OutOfRange`] for a discount that is not from 0 to below 1; those of [`Terms::check`].
    pub fn check(&self) -> Result<()> {
        let is_share = |fraction: Decimal| (Decimal::ZERO..Decimal::ONE).contains(&fraction);
        if let Some(wrong) = self.discounts.discounts.iter().find(|discount| !is_share(discount.fraction)) {
            let problem = Wrong::OutOfRange { value: wrong.fraction.to_string(), range: "discounts from 0 to below 1" };
            return Err(Error::from(problem).in_field("discounts.fraction").in_item(self.name.clone()));
        }
        if let Some(terms) = &self.terms {
            terms.check().map_err(|error| wrong_terms(error, &self.name))?;
        }
        Ok(())
    }
}

/// Spend beside the usage that is planned for: Marketplace, support, services without commitments. The same whatever is bought.
/// Its document is an entry of `other_spend` of [`Agreements`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SpendEntry", into = "SpendEntry")]
pub struct OtherSpend {
    /// The scenario it belongs to; in all scenarios if absent.
    pub scenario: Option<String>,
    /// The provider.
    pub provider: Provider,
    /// Day, kind, service and amounts; the net amount is computed from the gross one by the agreement's discounts where the kind
    /// is a charge that discounts apply to (usage, spot, fees), and is kept as given otherwise.
    pub spend: Spend,
}

/// An agreement with what it is applied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) offer: OfferedAgreement,
    pub(super) other: Vec<OtherSpend>,
}

impl<'a> Problem<'a> {
    /// The same problem under an agreement: net prices, and the cost of falling short of its minimums in every scenario. `other` is
    /// spend beside the usage, which counts and costs too; spot lines of the usage count by themselves, at their billed price.
    ///
    /// With purchase dates every period must lie within the hours of the usage and start and end with a calendar month; hours after
    /// the agreement have list prices. In a steady state every period has the usage's rate of spend, and upfront fees count evenly.
    ///
    /// # Errors
    /// As [`super::Planner::build`]; [`Wrong::OutOfRange`] for discounts, terms or periods out of range, [`Wrong::EmptyValue`] for a
    /// spot line without billed price, [`Wrong::Dangling`] for other spend of an unknown scenario.
    pub fn under(&self, offer: &OfferedAgreement, other: &[OtherSpend]) -> Result<Self> {
        offer.check()?;
        let is_known = |name: &String| self.scenarios.iter().any(|scenario| scenario.name == *name);
        if let Some(name) = other.iter().filter_map(|other| other.scenario.as_ref()).find(|name| !is_known(name)) {
            return Err(Error::from(Wrong::Dangling { kind: "scenario", id: name.clone() }).in_field("other.scenario"));
        }
        let signed = Signed { offer: offer.clone(), other: other.to_vec() };
        Self::new(Parts { agreement: Some(Arc::new(signed)), ..self.parts() })
    }

    /// The agreement's periods as the ledger settles them in every scenario, for a number of steps of each candidate; empty lists
    /// without terms. In a steady state every period has the usage's rate of spend.
    ///
    /// # Errors
    /// As [`Problem::evaluate`].
    pub fn settled(&self, steps: &[u32]) -> Result<Vec<Vec<LedgerYear>>> {
        let Some(agreement) = &self.agreement else { return Ok(vec![Vec::new(); self.scenarios.len()]) };
        let (portfolio, steps) = (self.portfolio_with(steps)?, fractional(steps));
        let settle = |(index, scenario): (usize, &Scenario<'_>)| {
            let outcome = Judge::new(scenario.usage, self.catalog, &portfolio, &self.rules)?.outcome();
            agreement.settle(&agreement.counted(index, &outcome, &steps))
        };
        self.scenarios.iter().enumerate().map(settle).collect()
    }

    /// The dated ledger of a scenario, in exact decimals from the judge's replay: what counted, was carried, forfeited and invoiced, by
    /// period and month. `None` without terms. Spend of a month stands on the month's first day within the usage.
    ///
    /// # Errors
    /// As [`Problem::evaluate`]; [`Wrong::OutOfRange`] if there is no scenario of that index, or without purchase dates, since a steady
    /// state has no months.
    pub fn ledger(&self, steps: &[u32], scenario: usize) -> Result<Option<Ledger>> {
        let Some(agreement) = &self.agreement else { return Ok(None) };
        let Some(terms) = &agreement.signed.offer.terms else { return Ok(None) };
        let range = "the index of a scenario of a problem with purchase dates";
        let of = self.scenarios.get(scenario).filter(|_| self.timing.is_dated());
        let of = of.ok_or_else(|| Error::from(Wrong::OutOfRange { value: scenario.to_string(), range }))?;
        let portfolio = self.portfolio_with(steps)?;
        let judge = Judge::new(of.usage, self.catalog, &portfolio, &self.rules)?;
        let spend = agreement.spend(&judge, of, &portfolio, self.catalog)?;
        Ledger::new(terms, &spend).map(Some).map_err(|error| wrong_terms(error, &terms.name))
    }

    /// The agreement it is under.
    #[must_use]
    pub fn agreement(&self) -> Option<&OfferedAgreement> {
        self.agreement.as_ref().map(|agreement| &agreement.signed.offer)
    }
}

/// The kind of spend that a charge is; `None` for kinds of spend that are no charge of usage or commitments.
fn charge_kind(kind: SpendKind) -> Option<ChargeKind> {
    match kind {
        SpendKind::Usage => Some(ChargeKind::OnDemand),
        SpendKind::Spot => Some(ChargeKind::Spot),
        SpendKind::CommitmentFee => Some(ChargeKind::Recurring),
        SpendKind::CommitmentUpfront | SpendKind::CommitmentAmortised => Some(ChargeKind::Upfront),
        SpendKind::Marketplace | SpendKind::Prepayment | SpendKind::PaidFromCredit | SpendKind::Support | SpendKind::Tax => None,
    }
}

fn wrong_terms(error: crate::finance::Error, name: &str) -> Error {
    let problem = Wrong::OutOfRange { value: error.to_string(), range: "the ranges of an agreement's terms" };
    Error::from(problem).in_field("terms").in_item(name.to_owned()).caused_by(error)
}
