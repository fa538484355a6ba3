//! What counts towards an agreement's amount: by kind of spend, before or after the discount, without excluded services, and
//! Marketplace by weight and up to a cap. Formulas: `docs/formulation.md`, "Agreements".

use super::super::{Error, Result};
use super::{at_least_zero, plus, share, times};
use crate::units::AnyDecimal;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Kinds of spend that contracts treat apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpendKind {
    /// Usage on demand.
    Usage,
    /// Spot usage.
    Spot,
    /// Recurring fees and instalments of reservations and plans.
    CommitmentFee,
    /// Upfront fees of reservations and plans, in full on the day they are paid.
    CommitmentUpfront,
    /// The same fees, spread over the term: the other way to count them.
    CommitmentAmortised,
    /// Third-party products bought through the provider's Marketplace.
    Marketplace,
    /// Buying a balance of credit (Azure prepayment).
    Prepayment,
    /// Usage that such a balance, or a credit from a shortfall, pays for.
    PaidFromCredit,
    /// Support fees.
    Support,
    /// Taxes.
    Tax,
}

/// An amount spent on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    /// The day it is invoiced, or used, as its kind says.
    pub date: NaiveDate,
    /// What it is for.
    pub kind: SpendKind,
    /// The service or product, in the provider's words: what [`Counting::excluded`] names.
    pub item: String,
    /// Before the agreement's discount. Refunds are negative.
    pub gross: Decimal,
    /// After it: what is paid.
    pub net: Decimal,
}

/// Whether spend counts after or before the agreement's discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountedBasis {
    /// Net of the discount.
    #[default]
    Net,
    /// Before the discount.
    Gross,
}

/// How Marketplace counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Eligibility {
    /// Share of Marketplace fees that counts (VTEX: 0.5).
    #[schemars(with = "AnyDecimal")]
    pub marketplace_weight: Decimal,
    /// Marketplace counts up to this share of the period's minimum.
    #[schemars(with = "Option<AnyDecimal>")]
    pub marketplace_cap_share: Option<Decimal>,
}

impl Default for Eligibility {
    /// In full, without a cap.
    fn default() -> Self {
        Self { marketplace_weight: Decimal::ONE, marketplace_cap_share: None }
    }
}

/// Spend as it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EligibleSpend {
    /// Marketplace fees that count.
    pub counted_marketplace: Decimal,
    /// Service fees and counted Marketplace fees.
    pub eligible: Decimal,
    /// What is missing to the minimum, if one is given.
    pub shortfall: Decimal,
}

/// Applies Marketplace weight and cap.
///
/// # Errors
/// [`Error::OutOfRange`] for negative amounts or a weight or cap that is no fraction; [`Error::Empty`] for a cap without a
/// minimum.
pub fn eligible_spend(
    service_fees: Decimal,
    marketplace: Decimal,
    minimum: Option<Decimal>,
    rule: Eligibility,
) -> Result<EligibleSpend> {
    at_least_zero("service fees", service_fees)?;
    at_least_zero("marketplace", marketplace)?;
    rule.check()?;
    let counted_marketplace = rule.capped(times(marketplace, rule.marketplace_weight)?, minimum)?;
    let eligible = plus(service_fees, counted_marketplace)?;
    let shortfall = minimum.map_or(Decimal::ZERO, |minimum| (minimum - eligible).max(Decimal::ZERO));
    Ok(EligibleSpend { counted_marketplace, eligible, shortfall })
}

impl Eligibility {
    pub(super) fn check(&self) -> Result<()> {
        share("marketplace weight", self.marketplace_weight)?;
        share("marketplace cap share", self.marketplace_cap_share.unwrap_or_default())
    }

    /// What of weighted Marketplace spend counts in a period.
    pub(super) fn capped(&self, weighted: Decimal, minimum: Option<Decimal>) -> Result<Decimal> {
        let Some(cap) = self.marketplace_cap_share else { return Ok(weighted) };
        let minimum = minimum.ok_or(Error::Empty { what: "the minimum that a Marketplace cap refers to" })?;
        Ok(weighted.min(times(cap, minimum)?))
    }
}

/// What counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counting {
    /// After or before the discount.
    #[serde(default)]
    pub basis: CountedBasis,
    /// The share of each kind that counts; kinds that are not named do not. Marketplace has its own rule.
    #[schemars(with = "BTreeMap<SpendKind, AnyDecimal>")]
    pub weights: BTreeMap<SpendKind, Decimal>,
    /// Marketplace.
    #[serde(default)]
    pub marketplace: Eligibility,
    /// Services and products that do not count.
    #[serde(default)]
    pub excluded: BTreeSet<String>,
}

impl Default for Counting {
    /// Net of discounts: usage, spot, fees of commitments when paid, Marketplace in full. Neither support nor tax.
    fn default() -> Self {
        use SpendKind::{CommitmentFee, CommitmentUpfront, Spot, Usage};
        let weights = [Usage, Spot, CommitmentFee, CommitmentUpfront].into_iter().map(|kind| (kind, Decimal::ONE)).collect();
        Self { basis: CountedBasis::Net, weights, marketplace: Eligibility::default(), excluded: BTreeSet::new() }
    }
}

impl Counting {
    /// The share of spend of a kind on an item that counts, before the Marketplace cap.
    #[must_use]
    pub fn weight(&self, kind: SpendKind, item: &str) -> Decimal {
        if self.excluded.contains(item) {
            return Decimal::ZERO;
        }
        match kind {
            SpendKind::Marketplace => self.marketplace.marketplace_weight,
            _ => self.weights.get(&kind).copied().unwrap_or_default(),
        }
    }

    /// What of an amount counts, before the Marketplace cap.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn counts(&self, spend: &Spend) -> Result<Decimal> {
        let amount = match self.basis {
            CountedBasis::Net => spend.net,
            CountedBasis::Gross => spend.gross,
        };
        times(amount, self.weight(spend.kind, &spend.item))
    }

    /// # Errors
    /// [`Error::OutOfRange`] for a weight that is no fraction, or if upfront fees would count twice, when paid and amortised.
    pub fn check(&self) -> Result<()> {
        for weight in self.weights.values() {
            share("a weight of spend that counts", *weight)?;
        }
        let of = |kind| self.weights.get(&kind).copied().unwrap_or_default();
        share(
            "the weight of upfront fees, paid and amortised together",
            of(SpendKind::CommitmentUpfront) + of(SpendKind::CommitmentAmortised),
        )?;
        self.marketplace.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    #[test]
    fn marketplace_counts_by_weight_and_up_to_its_cap() -> Result<()> {
        let half = Eligibility { marketplace_weight: dec!(0.5), marketplace_cap_share: None };
        assert_eq!(eligible_spend(dec!(8), dec!(1), None, half)?.eligible, dec!(8.5));
        let capped = Eligibility { marketplace_weight: dec!(1), marketplace_cap_share: Some(dec!(0.25)) };
        let found = eligible_spend(dec!(7), dec!(4), Some(dec!(10)), capped)?;
        assert_eq!((found.counted_marketplace, found.eligible, found.shortfall), (dec!(2.5), dec!(9.5), dec!(0.5)));
        assert!(eligible_spend(dec!(7), dec!(4), None, capped).is_err());
        assert!(eligible_spend(dec!(-7), dec!(4), None, half).is_err());
        Ok(())
    }

    #[test]
    fn upfront_fees_count_once() {
        let mut counting = Counting::default();
        assert!(counting.check().is_ok());
        counting.weights.insert(SpendKind::CommitmentAmortised, dec!(1));
        assert!(counting.check().is_err());
        counting.excluded.insert("AmazonS3".into());
        assert_eq!(counting.weight(SpendKind::Usage, "AmazonS3"), dec!(0));
        assert_eq!(counting.weight(SpendKind::Support, "AmazonEC2"), dec!(0));
    }
}
