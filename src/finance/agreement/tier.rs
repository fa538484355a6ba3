//! Levels of commitment with their discounts, and where one is worth as much as another. These are the formulas for spend
//! that nothing changes; `planning::agreement` answers the same questions with the commitments bought under each level.

use super::super::{Error, Result};
use super::{CountedBasis, at_least_zero, plus, share, times};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// A tier on offer: a yearly commitment and the discount it gives on everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// Committed amount a year.
    pub commit: Decimal,
    /// Discount, a fraction.
    pub discount: Decimal,
}

/// Stepped tiers: who commits at least a tier's amount has its discount. The tier follows the committed amount, not the
/// amount spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Tier>", into = "Vec<Tier>")]
pub struct TierTable(Vec<Tier>);

impl TryFrom<Vec<Tier>> for TierTable {
    type Error = Error;

    fn try_from(tiers: Vec<Tier>) -> Result<Self> {
        Self::new(tiers)
    }
}

impl From<TierTable> for Vec<Tier> {
    fn from(table: TierTable) -> Self {
        table.0
    }
}

impl TierTable {
    /// Tiers in any order; sorted by commitment.
    ///
    /// # Errors
    /// [`Error::Empty`]; [`Error::OutOfRange`] for a negative commitment, a discount outside 0 to 1, or a larger commitment
    /// with no larger discount; [`Error::Duplicate`] for two tiers of one commitment.
    pub fn new(mut tiers: Vec<Tier>) -> Result<Self> {
        if tiers.is_empty() {
            return Err(Error::Empty { what: "tiers" });
        }
        tiers.sort_by_key(|tier| tier.commit);
        for tier in &tiers {
            at_least_zero("a tier's commitment", tier.commit)?;
            share("a tier's discount", tier.discount)?;
        }
        for pair in tiers.windows(2) {
            if pair[0].commit == pair[1].commit {
                return Err(Error::Duplicate { what: "the tier of", name: pair[0].commit.to_string() });
            }
            if pair[1].discount <= pair[0].discount {
                let value = pair[1].discount.to_f64().unwrap_or(f64::NAN);
                return Err(Error::OutOfRange {
                    field: "a tier's discount",
                    value,
                    remedy: "leave out tiers that commit more for no more discount",
                });
            }
        }
        Ok(Self(tiers))
    }

    /// The tiers, by commitment.
    #[must_use]
    pub fn tiers(&self) -> &[Tier] {
        &self.0
    }

    /// The discount that a commitment has: that of the highest tier it reaches, none below the first.
    #[must_use]
    pub fn discount_at(&self, commit: Decimal) -> Decimal {
        let reached = self.0.iter().rev().find(|tier| tier.commit <= commit);
        reached.map_or(Decimal::ZERO, |tier| tier.discount)
    }

    /// The tier that costs least for a yearly gross spend, with its cost; `None` if no agreement is cheaper than every tier.
    ///
    /// # Errors
    /// As [`tier_cost`].
    pub fn cheapest(&self, gross: Decimal, basis: CountedBasis) -> Result<Option<(Tier, Decimal)>> {
        let mut best: Option<(Tier, Decimal)> = None;
        for tier in &self.0 {
            let cost = tier_cost(gross, *tier, basis)?;
            if cost < best.map_or(gross, |(_, best)| best) {
                best = Some((*tier, cost));
            }
        }
        Ok(best)
    }
}

/// What a gross spend costs in a tier: the discounted spend plus the shortfall. On the net basis this is
/// max(commit, (1 - discount) · gross).
///
/// # Errors
/// [`Error::OutOfRange`] for a negative spend or a discount outside 0 to 1.
pub fn tier_cost(gross: Decimal, tier: Tier, basis: CountedBasis) -> Result<Decimal> {
    at_least_zero("gross spend", gross)?;
    share("discount", tier.discount)?;
    let net = times(Decimal::ONE - tier.discount, gross)?;
    let counted = match basis {
        CountedBasis::Net => net,
        CountedBasis::Gross => gross,
    };
    plus(net, (tier.commit - counted).max(Decimal::ZERO))
}

/// The gross spend above which the deeper tier costs less. On the net basis: its commitment / (1 - discount of the other),
/// unless the other's own commitment binds there too.
///
/// # Errors
/// [`Error::OutOfRange`] unless the deeper tier commits more for more discount.
pub fn indifference_spend(shallow: Tier, deep: Tier) -> Result<Decimal> {
    share("discount", shallow.discount)?;
    share("discount", deep.discount)?;
    if deep.commit < shallow.commit || deep.discount <= shallow.discount || shallow.discount >= Decimal::ONE {
        return Err(Error::OutOfRange {
            field: "the deeper tier's discount",
            value: deep.discount.to_f64().unwrap_or(f64::NAN),
            remedy: "order the tiers from shallow to deep",
        });
    }
    deep.commit.checked_div(Decimal::ONE - shallow.discount).ok_or(Error::Overflow { what: "the indifference spend" })
}

/// The discount at which a yearly commitment costs as much as a reference does for the same gross spend, net basis:
/// 1 - reference / gross. `None` if no discount is enough, since the commitment alone is above the reference.
///
/// # Errors
/// [`Error::OutOfRange`] for negative amounts or no spend.
pub fn indifference_discount(gross: Decimal, commit: Decimal, reference: Decimal) -> Result<Option<Decimal>> {
    at_least_zero("the commitment", commit)?;
    at_least_zero("the reference cost", reference)?;
    if gross <= Decimal::ZERO {
        let value = gross.to_f64().unwrap_or(f64::NAN);
        return Err(Error::OutOfRange { field: "gross spend", value, remedy: "give an amount above zero" });
    }
    let ratio = reference.checked_div(gross).ok_or(Error::Overflow { what: "the indifference discount" })?;
    Ok((commit <= reference).then(|| (Decimal::ONE - ratio).max(Decimal::ZERO)))
}

/// Yearly amounts that grow by a share of the year before, each rounded to cents.
///
/// # Errors
/// [`Error::OutOfRange`] for a negative first amount or a growth of -1 or less; [`Error::Overflow`].
pub fn growing(first: Decimal, growth: Decimal, years: usize) -> Result<Vec<Decimal>> {
    at_least_zero("the first year's amount", first)?;
    if growth <= -Decimal::ONE {
        let value = growth.to_f64().unwrap_or(f64::NAN);
        return Err(Error::OutOfRange { field: "growth", value, remedy: "give a fraction above -1 (0.1 is 10 % a year)" });
    }
    let mut amounts = Vec::with_capacity(years);
    let mut amount = first;
    for _ in 0..years {
        amounts.push(amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero));
        amount = times(amount, Decimal::ONE + growth)?;
    }
    Ok(amounts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rust_decimal::dec;

    #[test]
    fn a_deeper_tier_wins_only_above_its_floor() -> Result<()> {
        let (shallow, deep) = (Tier { commit: dec!(10), discount: dec!(0.09) }, Tier { commit: dec!(15), discount: dec!(0.12) });
        assert_eq!(tier_cost(dec!(13), shallow, CountedBasis::Net)?, dec!(11.83));
        assert_eq!(tier_cost(dec!(13), deep, CountedBasis::Net)?, dec!(15));
        let at = indifference_spend(shallow, deep)?;
        let costs = [tier_cost(at, shallow, CountedBasis::Net)?, tier_cost(at, deep, CountedBasis::Net)?];
        assert!((costs[0] - costs[1]).abs() < dec!(1e-20), "{costs:?}");
        assert!(indifference_spend(deep, shallow).is_err());
        assert_eq!(indifference_discount(dec!(20), dec!(15), dec!(17))?, Some(dec!(0.15)));
        assert_eq!(indifference_discount(dec!(13), dec!(15), dec!(11.83))?, None);
        Ok(())
    }

    #[test]
    fn the_committed_amount_decides_the_discount() -> Result<()> {
        let tier = |commit, discount| Tier { commit, discount };
        let table = TierTable::new(vec![tier(dec!(5), dec!(0.09)), tier(dec!(1), dec!(0.05))])?;
        assert_eq!(
            [dec!(0.5), dec!(1), dec!(4.99), dec!(5)].map(|at| table.discount_at(at)),
            [dec!(0), dec!(0.05), dec!(0.05), dec!(0.09)]
        );
        assert!(TierTable::new(vec![tier(dec!(1), dec!(0.05)), tier(dec!(5), dec!(0.05))]).is_err());
        assert!(TierTable::new(vec![tier(dec!(1), dec!(0.05)), tier(dec!(1), dec!(0.06))]).is_err());
        assert_eq!(table.cheapest(dec!(0.5), CountedBasis::Net)?, None);
        assert_eq!(table.cheapest(dec!(6), CountedBasis::Net)?, Some((tier(dec!(5), dec!(0.09)), dec!(5.46))));
        assert_eq!(growing(dec!(100), dec!(0.1), 3)?, [dec!(100), dec!(110), dec!(121)]);
        assert!(growing(dec!(100), dec!(-1), 3).is_err());
        Ok(())
    }

    proptest! {
        #[test]
        fn a_larger_discount_never_costs_more(gross in 0i64..100_000, commit in 0i64..100_000, discount in 0i64..99, gross_basis: bool) {
            let basis = if gross_basis { CountedBasis::Gross } else { CountedBasis::Net };
            let cost = |percent: i64| {
                tier_cost(Decimal::new(gross, 2), Tier { commit: Decimal::new(commit, 2), discount: Decimal::new(percent, 2) }, basis).unwrap()
            };
            prop_assert!(cost(discount + 1) <= cost(discount));
        }
    }
}
