//! Company-wide agreements (EDP, MACC, a Google commit): eligible spend, the yearly ledger of minimum, deferral, credit and
//! shortfall, and the choice of a tier. No provider publishes a tier table; clauses differ contract by contract, so every
//! rule is a switch, named after what filings show (Snap: deferral, shortfall credit; VTEX: half of Marketplace; Palantir:
//! relief payment).

use super::{Error, Result};
use serde::{Deserialize, Serialize};

/// What counts towards a minimum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Eligibility {
    /// Share of Marketplace fees that counts (VTEX: 0.5).
    pub marketplace_weight: f64,
    /// Marketplace counts up to this share of the minimum.
    pub marketplace_cap_share: Option<f64>,
}

/// Spend as it counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EligibleSpend {
    /// Marketplace fees that count.
    pub counted_marketplace: f64,
    /// Service fees and counted Marketplace fees.
    pub eligible: f64,
    /// What is missing to the minimum, if one is given.
    pub shortfall: f64,
}

/// Applies Marketplace weight and cap.
///
/// # Errors
/// [`Error::OutOfRange`] for negative amounts, or a cap without a minimum.
pub fn eligible_spend(service_fees: f64, marketplace: f64, minimum: Option<f64>, rule: Eligibility) -> Result<EligibleSpend> {
    for (field, value) in
        [("service fees", service_fees), ("marketplace", marketplace), ("marketplace weight", rule.marketplace_weight)]
    {
        at_least_zero(field, value)?;
    }
    let mut counted = marketplace * rule.marketplace_weight;
    if let Some(share) = rule.marketplace_cap_share {
        let minimum = minimum.ok_or(Error::Empty { what: "the minimum that a Marketplace cap refers to" })?;
        counted = counted.min(share * minimum);
    }
    let eligible = service_fees + counted;
    Ok(EligibleSpend {
        counted_marketplace: counted,
        eligible,
        shortfall: minimum.map_or(0.0, |minimum| (minimum - eligible).max(0.0)),
    })
}

/// What happens when a year's counted spend stays below its requirement.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub enum ShortfallRule {
    /// The difference is paid and lost.
    #[default]
    Pay,
    /// The difference is paid and becomes a credit for later years; spend paid from the credit does not count again.
    CreditThatDoesNotCount,
    /// Up to `share` of the base minimum moves to the next year, in all years but the last `not_in_last`; the rest is paid.
    Deferral {
        /// Share of the base minimum.
        share: f64,
        /// Years at the end without the right.
        not_in_last: usize,
    },
    /// If the gap is above `amount`, `amount` is paid and the rest added to the next year's minimum; else the gap is paid.
    /// In the last year the whole gap is paid.
    Relief {
        /// The fixed payment.
        amount: f64,
    },
    /// The difference is paid as a prepayment, usable in the next year only and counting there; what is left is forfeited.
    PrepaymentThenForfeit,
}

/// One contract year.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LedgerYear {
    /// Base minimum and what earlier years moved into this one.
    pub required: f64,
    /// Spend that counts.
    pub counted: f64,
    /// Paid to make up for the gap.
    pub paid: f64,
    /// Moved to the next year.
    pub deferred: f64,
    /// Credit or prepayment used for this year's spend.
    pub credit_used: f64,
    /// Credit or prepayment left at the end of the year.
    pub credit: f64,
    /// Prepayment lost.
    pub forfeited: f64,
    /// Spend above the requirement carried to the next year.
    pub carried_over: f64,
}

/// The ledger of an agreement: yearly minimums against yearly eligible spend.
///
/// `carry_over_excess` lets spend above the requirement count in the next year.
///
/// # Errors
/// [`Error::LengthMismatch`] unless each year has minimum and spend; [`Error::OutOfRange`] for negative amounts.
pub fn ledger(minimums: &[f64], spend: &[f64], rule: ShortfallRule, carry_over_excess: bool) -> Result<Vec<LedgerYear>> {
    if minimums.len() != spend.len() {
        return Err(Error::LengthMismatch { left: "minimums", left_len: minimums.len(), right: "spend", right_len: spend.len() });
    }
    let (mut moved, mut credit, mut carried) = (0.0_f64, 0.0_f64, 0.0_f64);
    let mut years = Vec::with_capacity(spend.len());
    for (index, (minimum, spend)) in minimums.iter().zip(spend).enumerate() {
        at_least_zero("a minimum", *minimum)?;
        at_least_zero("spend", *spend)?;
        let last = index + 1 == minimums.len();
        let credit_used = credit.min(*spend);
        let counted = match rule {
            ShortfallRule::CreditThatDoesNotCount => spend - credit_used,
            ShortfallRule::Pay
            | ShortfallRule::Deferral { .. }
            | ShortfallRule::Relief { .. }
            | ShortfallRule::PrepaymentThenForfeit => *spend,
        };
        let required = minimum + moved;
        let gap = (required - counted - carried).max(0.0);
        let excess = (counted + carried - required).max(0.0);
        let deferred = match rule {
            ShortfallRule::Deferral { share, not_in_last } if index + not_in_last < minimums.len() => gap.min(share * minimum),
            ShortfallRule::Relief { amount } if gap > amount && !last => gap - amount,
            _ => 0.0,
        };
        let paid = gap - deferred;
        let left = credit - credit_used;
        let forfeited = if rule == ShortfallRule::PrepaymentThenForfeit { left } else { 0.0 };
        credit = match rule {
            ShortfallRule::CreditThatDoesNotCount => left + paid,
            ShortfallRule::PrepaymentThenForfeit => paid,
            ShortfallRule::Pay | ShortfallRule::Deferral { .. } | ShortfallRule::Relief { .. } => 0.0,
        };
        carried = if carry_over_excess && !last { excess } else { 0.0 };
        moved = deferred;
        years.push(LedgerYear { required, counted, paid, deferred, credit_used, credit, forfeited, carried_over: carried });
    }
    Ok(years)
}

/// A tier on offer: a yearly commitment and the discount it gives on everything.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tier {
    /// Committed amount.
    pub commit: f64,
    /// Discount, a fraction.
    pub discount: f64,
}

/// Whether spend counts after or before the agreement's discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CountedBasis {
    /// Net of the discount.
    #[default]
    Net,
    /// Before the discount.
    Gross,
}

/// What a gross spend costs in a tier: the discounted spend plus the shortfall. On the net basis this is
/// max(commit, (1 - discount) · gross).
///
/// # Errors
/// [`Error::OutOfRange`] for a negative spend or a discount outside 0 to 1.
pub fn tier_cost(gross: f64, tier: Tier, basis: CountedBasis) -> Result<f64> {
    at_least_zero("gross spend", gross)?;
    super::payback::fraction("discount", tier.discount)?;
    let net = (1.0 - tier.discount) * gross;
    Ok(match basis {
        CountedBasis::Net => net.max(tier.commit),
        CountedBasis::Gross => net + (tier.commit - gross).max(0.0),
    })
}

/// The gross spend above which the deeper tier costs less: its commitment / (1 - discount of the other), on the net basis.
///
/// # Errors
/// [`Error::OutOfRange`] unless the deeper tier commits more for more discount.
pub fn indifference_spend(shallow: Tier, deep: Tier) -> Result<f64> {
    super::payback::fraction("discount", shallow.discount)?;
    if deep.commit < shallow.commit || deep.discount <= shallow.discount || shallow.discount >= 1.0 {
        return Err(Error::OutOfRange {
            field: "the deeper tier's discount",
            value: deep.discount,
            remedy: "order the tiers from shallow to deep",
        });
    }
    Ok(deep.commit / (1.0 - shallow.discount))
}

fn at_least_zero(field: &'static str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(Error::OutOfRange { field, value, remedy: "give a finite amount of zero or more" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_of_real_contracts() -> Result<()> {
        let deferral = ledger(
            &[400.0; 5],
            &[320.0, 470.0, 400.0, 400.0, 400.0],
            ShortfallRule::Deferral { share: 0.15, not_in_last: 1 },
            false,
        )?;
        assert!((deferral[0].paid - 20.0).abs() < 1e-9 && (deferral[1].required - 460.0).abs() < 1e-9);
        let credit = ledger(&[90.0, 150.0], &[80.0, 155.0], ShortfallRule::CreditThatDoesNotCount, false)?;
        assert!(
            (credit[0].paid - 10.0).abs() < 1e-9
                && (credit[1].paid - 5.0).abs() < 1e-9
                && (credit[1].counted - 145.0).abs() < 1e-9
        );
        let relief = ledger(&[126.0, 120.0], &[80.0, 500.0], ShortfallRule::Relief { amount: 30.0 }, false)?;
        assert!((relief[0].paid - 30.0).abs() < 1e-9 && (relief[1].required - 136.0).abs() < 1e-9);
        let carry = ledger(&[100.0, 100.0], &[120.0, 80.0], ShortfallRule::Pay, true)?;
        assert!(carry[1].paid.abs() < 1e-9);
        let forfeit = ledger(&[100.0, 10.0], &[40.0, 20.0], ShortfallRule::PrepaymentThenForfeit, false)?;
        assert!((forfeit[1].forfeited - 40.0).abs() < 1e-9);
        assert!(ledger(&[1.0], &[], ShortfallRule::Pay, false).is_err());
        Ok(())
    }

    #[test]
    fn a_deeper_tier_wins_only_above_its_floor() -> Result<()> {
        let (shallow, deep) = (Tier { commit: 10.0, discount: 0.09 }, Tier { commit: 15.0, discount: 0.12 });
        assert!((tier_cost(13.0, shallow, CountedBasis::Net)? - 11.83).abs() < 1e-12);
        assert!((tier_cost(13.0, deep, CountedBasis::Net)? - 15.0).abs() < 1e-12);
        let at = indifference_spend(shallow, deep)?;
        assert!((tier_cost(at, shallow, CountedBasis::Net)? - tier_cost(at, deep, CountedBasis::Net)?).abs() < 1e-12);
        assert!(indifference_spend(deep, shallow).is_err());
        Ok(())
    }
}
