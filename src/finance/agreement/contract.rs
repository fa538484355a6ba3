//! The providers' agreements as parameter sets: what counts, how a shortfall and an excess are treated, when money is due.
//!
//! Contracts are negotiated and mostly secret. What stands here is what public sources show; where they disagree or are silent
//! the choice is a documented default and every field can be changed. No amounts and no discounts: no provider publishes a
//! tier table. `docs/agreements.md` says which source carries which rule.

use super::super::Result;
use super::{Counting, CreditCounting, Eligibility, Invoicing, SettlementRules, ShortfallRule, SpendKind, Terms};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A kind of contract, by the name that documents call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Contract {
    /// [`aws_enterprise_discount`].
    AwsEnterpriseDiscount,
    /// [`azure_macc`].
    AzureMacc,
    /// [`google_cloud_commit`].
    GoogleCloudCommit,
    /// [`oracle_annual_credits`].
    OracleAnnualCredits,
    /// Contract years with minimums and everything else at its default ([`Terms::yearly`]).
    Yearly,
}

impl Contract {
    /// Its terms for a minimum in each year. `name` is what yearly terms are called; the others have names of their own.
    ///
    /// # Errors
    /// As [`Terms::yearly`].
    pub fn terms(self, name: &str, start: NaiveDate, minimums: &[Decimal]) -> Result<Terms> {
        match self {
            Self::AwsEnterpriseDiscount => aws_enterprise_discount(start, minimums),
            Self::AzureMacc => azure_macc(start, minimums),
            Self::GoogleCloudCommit => google_cloud_commit(start, minimums),
            Self::OracleAnnualCredits => oracle_annual_credits(start, minimums),
            Self::Yearly => Terms::yearly(name, start, minimums),
        }
    }
}

fn weights(kinds: &[SpendKind]) -> BTreeMap<SpendKind, Decimal> {
    kinds.iter().map(|kind| (*kind, Decimal::ONE)).collect()
}

/// What counts towards an AWS Enterprise Discount Program or Private Pricing Addendum: fees net of discounts and refunds,
/// without tax and support (VTEX, Private Pricing Addendum of 2020, exhibit to its registration statement); Marketplace up to a
/// quarter of the year's commitment (advisers' common figure; VTEX counts half without a cap). Upfront fees count when paid:
/// sources disagree (Duckbill counts fee and usage, awsnegotiations.com neither), so check the contract.
#[must_use]
pub fn aws_enterprise_discount_counting() -> Counting {
    use SpendKind::{CommitmentFee, CommitmentUpfront, Spot, Usage};
    let marketplace = Eligibility { marketplace_weight: Decimal::ONE, marketplace_cap_share: Some(Decimal::new(25, 2)) };
    Counting { weights: weights(&[Usage, Spot, CommitmentFee, CommitmentUpfront]), marketplace, ..Counting::default() }
}

/// An AWS Enterprise Discount Program or Private Pricing Addendum: contract years, the shortfall of each paid and lost, no
/// carry-over (advisers: "no rollover by default").
///
/// # Errors
/// As [`Terms::yearly`].
pub fn aws_enterprise_discount(start: NaiveDate, minimums: &[Decimal]) -> Result<Terms> {
    Ok(Terms::yearly("AWS EDP/PPA", start, minimums)?.counting(aws_enterprise_discount_counting()))
}

/// What counts towards an Azure consumption commitment (Microsoft, "Track your Microsoft Azure Consumption Commitment"):
/// invoiced eligible charges. Reservations and savings plans count on purchase, in full or with each monthly payment, and not
/// on use; so does buying prepayment, while usage paid from prepayment or credits does not count; eligible Marketplace
/// purchases count in full.
#[must_use]
pub fn azure_macc_counting() -> Counting {
    use SpendKind::{CommitmentFee, CommitmentUpfront, Prepayment, Spot, Usage};
    Counting { weights: weights(&[Usage, Spot, CommitmentFee, CommitmentUpfront, Prepayment]), ..Counting::default() }
}

/// A Microsoft Azure Consumption Commitment: at a milestone or at the end the shortfall is invoiced and given as prepayment
/// credit, whose use does not decrement the commitment again ("Track your Microsoft Azure Consumption Commitment"). How long
/// the credit lasts is the contract's; here until it is used. Milestones that are not years: change [`Terms::periods`].
///
/// # Errors
/// As [`Terms::yearly`].
pub fn azure_macc(start: NaiveDate, minimums: &[Decimal]) -> Result<Terms> {
    let shortfall = ShortfallRule::Credit { counting: CreditCounting::DoesNotCount, lifetime: None };
    let rules = SettlementRules { shortfall, ..SettlementRules::default() };
    Ok(Terms::yearly("Azure MACC", start, minimums)?.counting(azure_macc_counting()).rules(rules))
}

/// The variant of the Azure commitment that leaves prepayment and Marketplace out (Cloud Solution Provider's "CACO").
#[must_use]
pub fn azure_caco_counting() -> Counting {
    let mut counting = azure_macc_counting();
    counting.weights.remove(&SpendKind::Prepayment);
    counting.marketplace.marketplace_weight = Decimal::ZERO;
    counting
}

/// A Google Cloud commit: the agreement's discount comes on top of committed use discounts; a part of a year's minimum may
/// move to the next in all years but the last, the rest is paid (Snap, 10-K of 2019: 15 % in the first four of five years).
/// Which share of Marketplace counts is not sourced: in full here.
///
/// # Errors
/// As [`Terms::yearly`].
pub fn google_cloud_commit(start: NaiveDate, minimums: &[Decimal]) -> Result<Terms> {
    let shortfall = ShortfallRule::Deferral { share: Decimal::new(15, 2), not_in_last: 1 };
    let rules = SettlementRules { shortfall, ..SettlementRules::default() };
    Ok(Terms::yearly("Google Cloud commit", start, minimums)?.rules(rules))
}

/// Oracle Cloud Infrastructure annual credits (Universal Credits): an amount a year that usage draws down at the contract's
/// rates; what is left lapses at the end of the year, what exceeds it is billed (Oracle, OneSubscription and OSub APIs:
/// commitments with used and available amounts). There are no hourly commitments under it.
///
/// # Errors
/// As [`Terms::yearly`].
pub fn oracle_annual_credits(start: NaiveDate, minimums: &[Decimal]) -> Result<Terms> {
    let counting = Counting { weights: weights(&[SpendKind::Usage, SpendKind::Spot]), ..Counting::default() };
    let mut terms = Terms::yearly("OCI annual credits", start, minimums)?.counting(counting);
    terms.invoicing = Invoicing::Prepaid;
    Ok(terms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    #[test]
    fn parameter_sets_differ_where_the_sources_do() -> Result<()> {
        let start: NaiveDate = "2027-01-01".parse().unwrap();
        let minimums = [dec!(100), dec!(110)];
        let sets = [
            aws_enterprise_discount(start, &minimums)?,
            azure_macc(start, &minimums)?,
            google_cloud_commit(start, &minimums)?,
            oracle_annual_credits(start, &minimums)?,
        ];
        for terms in &sets {
            terms.check()?;
            let json = serde_json::to_string(terms).unwrap();
            assert_eq!(serde_json::from_str::<Terms>(&json).unwrap(), *terms);
        }
        let weight = |terms: &Terms, kind| terms.counting.weight(kind, "");
        assert_eq!(
            sets.each_ref().map(|terms| weight(terms, SpendKind::CommitmentUpfront)),
            [dec!(1), dec!(1), dec!(1), dec!(0)]
        );
        assert_eq!(sets.each_ref().map(|terms| weight(terms, SpendKind::Prepayment)), [dec!(0), dec!(1), dec!(0), dec!(0)]);
        assert_eq!(azure_caco_counting().weight(SpendKind::Marketplace, ""), dec!(0));
        Ok(())
    }
}
