//! Agreement discounts (AWS EDP and PPA, Azure MACC discounts, Google commits): the last stage, a percentage on the charges that the
//! waterfall leaves.
//!
//! Commitments are applied at list rates first and the agreement's percentage falls on what results, so that the two multiply:
//! `net = on-demand x (1 - plan discount) x (1 - agreement discount)` (ProsperOps help centre, "How are RI and SP savings calculations
//! impacted by an EDP?"). Which charges a contract discounts differs, so each discount names its service and kind of charge.
//!
//! As formulas: `docs/formulation-billing.md`, "Agreement discounts".

use super::{Bill, Judge};
use crate::error::{Error, Problem, Result};
use crate::time::Month;
use crate::units::Money;
use crate::usage::Provider;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Kinds of charge that a contract treats alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChargeKind {
    /// Usage that no commitment covers.
    OnDemand,
    /// Spot usage. The judge bills none; planning counts it towards an agreement.
    Spot,
    /// Recurring fees of commitments.
    Recurring,
    /// Upfront fees of commitments, amortised.
    Upfront,
}

/// How a discount that names a service goes with one that does not (a cross-service discount with overlays).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlay {
    /// It replaces it.
    #[default]
    Instead,
    /// It is taken off what the other leaves: `1 - (1 - a)(1 - b)`.
    OnTop,
    /// The two add up, to 1 at most.
    Added,
}

/// One percentage of an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementDiscount {
    /// The provider that grants it.
    pub provider: Provider,
    /// The service in the provider's words; all services if absent. A discount that names the service goes before one that does not.
    #[serde(default)]
    pub service: Option<String>,
    /// The kinds of charge it applies to; all if empty.
    #[serde(default)]
    pub kinds: BTreeSet<ChargeKind>,
    /// The part taken off, 0 to 1.
    pub fraction: Decimal,
    /// If it names a service: how it goes with the discount on all services.
    #[serde(default)]
    pub overlay: Overlay,
}

/// An agreement: its discounts and the services it excludes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Agreement {
    /// The discounts. Of several that fit a charge, the first that names the service and the first that does not count; how they go
    /// together is the [`Overlay`] of the former.
    pub discounts: Vec<AgreementDiscount>,
    /// Services that get no discount whatever else is agreed.
    pub excluded_services: BTreeSet<String>,
}

/// The discount on one charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscountRow {
    /// The usage line in words or the commitment's identifier.
    pub item: String,
    /// The kind of charge.
    pub kind: ChargeKind,
    /// The charge before the discount.
    pub gross: Money,
    /// What is taken off, as a positive amount.
    pub discount: Money,
}

impl Agreement {
    /// The part taken off a charge.
    #[must_use]
    pub fn fraction(&self, provider: Provider, service: &str, kind: ChargeKind) -> Decimal {
        if self.excluded_services.contains(service) {
            return Decimal::ZERO;
        }
        let fits = |discount: &&AgreementDiscount| {
            discount.provider == provider
                && discount.service.as_deref().is_none_or(|named| named == service)
                && (discount.kinds.is_empty() || discount.kinds.contains(&kind))
        };
        let first = |is_named: bool| self.discounts.iter().filter(fits).find(|discount| discount.service.is_some() == is_named);
        let general = first(false).map_or(Decimal::ZERO, |discount| discount.fraction);
        let Some(named) = first(true) else { return general };
        match named.overlay {
            Overlay::Instead => named.fraction,
            Overlay::OnTop => Decimal::ONE - (Decimal::ONE - general) * (Decimal::ONE - named.fraction),
            Overlay::Added => (general + named.fraction).min(Decimal::ONE),
        }
    }

    /// # Errors
    /// [`Problem::OutOfRange`] for a fraction that is not within 0 and 1.
    pub fn check(&self) -> Result<()> {
        match self.discounts.iter().find(|discount| discount.fraction < Decimal::ZERO || discount.fraction > Decimal::ONE) {
            None => Ok(()),
            Some(discount) => {
                let problem = Problem::OutOfRange { value: discount.fraction.to_string(), range: "fractions from 0 to 1" };
                let item = discount.service.clone().unwrap_or_else(|| discount.provider.to_string());
                Err(Error::from(problem).in_field("agreement.discounts.fraction").in_item(item))
            }
        }
    }
}

impl Judge<'_> {
    /// What an agreement takes off a bill, charge by charge; charges without discount are left out.
    ///
    /// # Errors
    /// [`Problem::OutOfRange`] for a fraction that is not within 0 and 1.
    pub fn discounts(&self, bill: &Bill, agreement: &Agreement) -> Result<Vec<DiscountRow>> {
        agreement.check()?;
        let mut rows = Vec::new();
        let mut add = |item: String, provider: Provider, service: &str, kind: ChargeKind, gross: Money| {
            let fraction = agreement.fraction(provider, service, kind);
            if !fraction.is_zero() && gross != Money::ZERO {
                rows.push(DiscountRow { item, kind, gross, discount: gross * fraction });
            }
        };
        for (line, bill) in self.lines.iter().zip(bill.lines()) {
            let sku = &line.line.sku;
            add(
                line.line.to_string(),
                sku.provider,
                &sku.service,
                ChargeKind::OnDemand,
                bill.on_demand - bill.sustained_use_discount,
            );
        }
        for (held, bill) in self.held.iter().zip(bill.commitments()) {
            let (provider, service) = (held.offer.provider, &held.offer.service);
            add(bill.id.clone(), provider, service, ChargeKind::Recurring, bill.charges.recurring);
            add(bill.id.clone(), provider, service, ChargeKind::Upfront, bill.charges.amortised_upfront);
        }
        Ok(rows)
    }
}

/// A charge of a month, before any discount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthlyCharge {
    /// The calendar month (UTC) of the usage.
    pub month: Month,
    /// The usage line in words or the commitment's identifier.
    pub item: String,
    /// The provider.
    pub provider: Provider,
    /// The service.
    pub service: String,
    /// The kind of charge.
    pub kind: ChargeKind,
    /// The amount, amortised for upfront fees.
    pub gross: Money,
}

impl Judge<'_> {
    /// The charges by month, which an agreement's discounts apply to and its minimums count: usage after sustained use discounts, and
    /// the fees of every commitment. They sum to [`super::Charges::cost`].
    #[must_use]
    pub fn monthly_charges(&self) -> Vec<MonthlyCharge> {
        let record = &*self.record;
        let sums = super::waterfall::replay::<Decimal>(record);
        let mut charges = Vec::new();
        for (month, amounts) in super::outcome::open_by_month(record, &sums) {
            for (line, amount) in self.lines.iter().zip(amounts).filter(|(_, amount)| !amount.is_zero()) {
                let (item, sku) = (line.line.to_string(), &line.line.sku);
                let (provider, service, gross) = (sku.provider, sku.service.clone(), Money::new(amount));
                charges.push(MonthlyCharge { month, item, provider, service, kind: ChargeKind::OnDemand, gross });
            }
        }
        let mut hours: BTreeMap<(usize, Month), Decimal> = BTreeMap::new();
        for (epoch, sums) in record.epochs.iter().zip(&sums) {
            let serving = record.held.iter().enumerate().filter(|(_, held)| held.hours.contains(&epoch.hours.start));
            for (index, _) in serving {
                *hours.entry((index, record.hour(epoch.hours.start).month())).or_default() += sums.hours;
            }
        }
        for ((index, month), hours) in hours {
            let (held, offer) = (&record.held[index], self.held[index].offer);
            for (kind, fee) in [(ChargeKind::Recurring, held.recurring_hour), (ChargeKind::Upfront, held.upfront_hour)] {
                let (provider, service, gross) = (offer.provider, offer.service.clone(), Money::new(fee * hours));
                if gross != Money::ZERO {
                    charges.push(MonthlyCharge { month, item: held.id.clone(), provider, service, kind, gross });
                }
            }
        }
        charges
    }
}

/// A credit of the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// What is left of it.
    pub amount: Money,
    /// When it expires; text that sorts by time (`2019-01`, `2019-01-31`).
    pub expires: String,
    /// When it was granted; text that sorts by time.
    pub granted: String,
    /// The services it can pay.
    pub services: BTreeSet<String>,
}

/// Applies credits to charges by service, after all discounts: soonest expiry first, then fewest eligible services, then oldest (AWS
/// Billing User Guide, "Applying AWS credits"). A credit pays its services in the order of their names. Returns what was paid.
pub fn apply_credits(charges: &mut BTreeMap<String, Money>, credits: &[Credit]) -> Money {
    let mut order: Vec<&Credit> = credits.iter().collect();
    order.sort_by_key(|credit| (&credit.expires, credit.services.len(), &credit.granted));
    let mut paid = Money::ZERO;
    for credit in order {
        let mut left = credit.amount;
        for service in &credit.services {
            if let Some(charge) = charges.get_mut(service) {
                let part = left.min(*charge).max(Money::ZERO);
                *charge -= part;
                left -= part;
                paid += part;
            }
        }
    }
    paid
}
