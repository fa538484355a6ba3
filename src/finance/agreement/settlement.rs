//! The end of a period: what a shortfall costs and what an excess is worth, by the contract's clauses. One recursion over the
//! periods, which the dated ledger and the planner's accepted cost both use. Formulas: `docs/formulation.md`, "Agreements".

use super::super::{Error, Result};
use super::{at_least_zero, plus, share, times};
use crate::units::AnyDecimal;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What happens when a period's counted spend stays below its requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShortfallRule {
    /// The difference is paid and lost.
    #[default]
    Pay,
    /// The difference is paid and becomes a credit for later periods.
    Credit {
        /// Whether spend paid from the credit counts towards later minimums (Snap and Azure: it does not; Palantir: it does).
        counting: CreditCounting,
        /// The periods after its own in which the credit can be used; what is left then is forfeited. Without it, all.
        lifetime: Option<u32>,
    },
    /// Up to `share` of the base minimum moves to the next period, in all periods but the last `not_in_last`; the rest is paid.
    Deferral {
        /// Share of the base minimum.
        #[schemars(with = "AnyDecimal")]
        share: Decimal,
        /// Periods at the end without the right.
        not_in_last: usize,
    },
    /// If the gap is above `amount`, `amount` is paid and the rest added to the next period's minimum; else the gap is paid.
    /// In the last period the whole gap is paid.
    Relief {
        /// The fixed payment.
        #[schemars(with = "AnyDecimal")]
        amount: Decimal,
    },
}

/// Whether spend that a credit pays for counts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditCounting {
    /// It counts like any other spend.
    Counts,
    /// It does not.
    DoesNotCount,
}

/// Whether counted spend above the requirement counts in the next period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CarryOver {
    /// It does not: each period starts anew.
    #[default]
    None,
    /// It does.
    Excess {
        /// At most this share of the period's base minimum is carried; without it all.
        #[schemars(with = "Option<AnyDecimal>")]
        cap_share: Option<Decimal>,
        /// How long.
        lifetime: CarryLifetime,
    },
}

/// How long carried spend counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CarryLifetime {
    /// In the next period only.
    NextPeriod,
    /// Until it is used up.
    #[default]
    UntilUsed,
}

/// The clauses that settle a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SettlementRules {
    /// Below the requirement.
    pub shortfall: ShortfallRule,
    /// Above it.
    pub carry_over: CarryOver,
    /// An amount for the whole term beside the periods' minimums: what counted and shortfall payments do not reach is paid
    /// at the end.
    #[schemars(with = "Option<AnyDecimal>")]
    pub total: Option<Decimal>,
}

impl SettlementRules {
    /// # Errors
    /// [`Error::OutOfRange`] for a share outside 0 to 1 or a negative amount.
    pub fn check(&self) -> Result<()> {
        at_least_zero("the total of the term", self.total.unwrap_or_default())?;
        match self.shortfall {
            ShortfallRule::Deferral { share: part, .. } => share("deferral share", part)?,
            ShortfallRule::Relief { amount } => at_least_zero("relief amount", amount)?,
            ShortfallRule::Pay | ShortfallRule::Credit { .. } => {}
        }
        match self.carry_over {
            CarryOver::Excess { cap_share: Some(cap), .. } => share("carry-over cap share", cap),
            CarryOver::Excess { cap_share: None, .. } | CarryOver::None => Ok(()),
        }
    }
}

/// A settled period. By the year: `counted + carried_in + paid + deferred = required + carried_over + surplus`, and
/// `credit before + paid = credit_used + credit + forfeited` where payments become credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LedgerYear {
    /// Base minimum and what earlier periods moved into this one.
    pub required: Decimal,
    /// Spend that counts.
    pub counted: Decimal,
    /// Excess of earlier periods that counts here.
    pub carried_in: Decimal,
    /// Paid to make up for the gap.
    pub paid: Decimal,
    /// Paid in the last period because the whole term stayed below its total.
    pub paid_for_total: Decimal,
    /// Moved to the next period.
    pub deferred: Decimal,
    /// Credit used for this period's spend.
    pub credit_used: Decimal,
    /// Credit left at the end of the period.
    pub credit: Decimal,
    /// Credit that lapsed at its end.
    pub forfeited: Decimal,
    /// Spend above the requirement that counts later.
    pub carried_over: Decimal,
    /// Spend above the requirement that does not.
    pub surplus: Decimal,
}

impl LedgerYear {
    /// What the agreement adds to the cost of the spend: payments, less what credit paid for.
    #[must_use]
    pub fn cost(&self) -> Decimal {
        self.paid + self.paid_for_total - self.credit_used
    }
}

/// Settles the periods in order: minimums against spend that could count (before credit is used for it).
///
/// # Errors
/// [`Error::LengthMismatch`] unless each period has minimum and spend; [`Error::OutOfRange`] for negative amounts or
/// clauses out of range; [`Error::Overflow`].
pub fn settle(minimums: &[Decimal], spend: &[Decimal], rules: &SettlementRules) -> Result<Vec<LedgerYear>> {
    if minimums.len() != spend.len() {
        return Err(Error::LengthMismatch { left: "minimums", left_len: minimums.len(), right: "spend", right_len: spend.len() });
    }
    rules.check()?;
    let zero = Decimal::ZERO;
    let (mut moved, mut carried) = (zero, zero);
    // Credits with the period after whose end they lapse, the oldest first.
    let mut credits: VecDeque<(Option<usize>, Decimal)> = VecDeque::new();
    let mut years: Vec<LedgerYear> = Vec::with_capacity(spend.len());
    for (index, (minimum, spend)) in minimums.iter().zip(spend).enumerate() {
        at_least_zero("a minimum", *minimum)?;
        at_least_zero("spend", *spend)?;
        let is_last = index + 1 == minimums.len();
        let credit_used = draw(&mut credits, *spend);
        let counted = match rules.shortfall {
            ShortfallRule::Credit { counting: CreditCounting::DoesNotCount, .. } => spend - credit_used,
            _ => *spend,
        };
        let required = plus(*minimum, moved)?;
        let available = plus(counted, carried)?;
        let gap = (required - available).max(zero);
        let excess = (available - required).max(zero);
        let deferred = match rules.shortfall {
            ShortfallRule::Deferral { share, not_in_last } if index + not_in_last < minimums.len() => {
                gap.min(times(share, *minimum)?)
            }
            ShortfallRule::Relief { amount } if gap > amount && !is_last => gap - amount,
            _ => zero,
        };
        let paid = gap - deferred;
        let forfeited = lapse(&mut credits, index);
        if let ShortfallRule::Credit { lifetime, .. } = rules.shortfall
            && paid > zero
        {
            let until = lifetime.map(|periods| index.saturating_add(usize::try_from(periods).unwrap_or(usize::MAX)));
            credits.push_back((until, paid));
        }
        let carried_over = match rules.carry_over {
            CarryOver::Excess { cap_share, lifetime } if !is_last => {
                let fresh = if lifetime == CarryLifetime::NextPeriod { excess.min(counted) } else { excess };
                cap_share.map_or(Ok(fresh), |cap| times(cap, *minimum).map(|cap| fresh.min(cap)))?
            }
            _ => zero,
        };
        years.push(LedgerYear {
            required,
            counted,
            carried_in: carried,
            paid,
            paid_for_total: zero,
            deferred,
            credit_used,
            credit: credits.iter().map(|(_, amount)| *amount).sum(),
            forfeited,
            carried_over,
            surplus: excess - carried_over,
        });
        (carried, moved) = (carried_over, deferred);
    }
    if let (Some(total), false) = (rules.total, years.is_empty()) {
        let reached = years.iter().try_fold(zero, |sum, year| plus(sum, plus(year.counted, year.paid)?))?;
        if let Some(last) = years.last_mut() {
            last.paid_for_total = (total - reached).max(zero);
        }
    }
    Ok(years)
}

/// Pays spend from credits, the oldest first; returns how much.
fn draw(credits: &mut VecDeque<(Option<usize>, Decimal)>, spend: Decimal) -> Decimal {
    let mut left = spend;
    for (_, amount) in credits.iter_mut() {
        let part = left.min(*amount);
        *amount -= part;
        left -= part;
    }
    credits.retain(|(_, amount)| !amount.is_zero());
    spend - left
}

/// Drops credits that lapse at the end of a period; returns how much.
fn lapse(credits: &mut VecDeque<(Option<usize>, Decimal)>, period: usize) -> Decimal {
    let lapsed = |until: &Option<usize>| until.is_some_and(|until| until <= period);
    let sum = credits.iter().filter(|(until, _)| lapsed(until)).map(|(_, amount)| *amount).sum();
    credits.retain(|(until, _)| !lapsed(until));
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rust_decimal::dec;

    fn rules(shortfall: ShortfallRule) -> SettlementRules {
        SettlementRules { shortfall, ..SettlementRules::default() }
    }

    #[test]
    fn clauses_of_real_contracts() -> Result<()> {
        let deferral = ShortfallRule::Deferral { share: dec!(0.15), not_in_last: 1 };
        let found = settle(&[dec!(400); 5], &[dec!(320), dec!(470), dec!(400), dec!(400), dec!(400)], &rules(deferral))?;
        assert_eq!(
            (found[0].paid, found[0].deferred, found[1].required, found[1].paid),
            (dec!(20), dec!(60), dec!(460), dec!(0))
        );
        let credit = ShortfallRule::Credit { counting: CreditCounting::DoesNotCount, lifetime: None };
        let found = settle(&[dec!(90), dec!(150)], &[dec!(80), dec!(155)], &rules(credit))?;
        assert_eq!((found[0].paid, found[1].paid, found[1].counted, found[1].credit), (dec!(10), dec!(5), dec!(145), dec!(5)));
        let relief = settle(&[dec!(126), dec!(120)], &[dec!(80), dec!(500)], &rules(ShortfallRule::Relief { amount: dec!(30) }))?;
        assert_eq!((relief[0].paid, relief[1].required), (dec!(30), dec!(136)));
        let forfeit = ShortfallRule::Credit { counting: CreditCounting::Counts, lifetime: Some(1) };
        let found = settle(&[dec!(100), dec!(10)], &[dec!(40), dec!(20)], &rules(forfeit))?;
        assert_eq!((found[1].credit_used, found[1].forfeited, found[1].credit), (dec!(20), dec!(40), dec!(0)));
        assert!(settle(&[dec!(1)], &[], &rules(ShortfallRule::Pay)).is_err());
        Ok(())
    }

    #[test]
    fn excess_is_carried_as_long_and_as_far_as_agreed() -> Result<()> {
        let carry = |cap_share, lifetime| SettlementRules {
            carry_over: CarryOver::Excess { cap_share, lifetime },
            ..SettlementRules::default()
        };
        let (minimums, spend) = ([dec!(100); 3], [dec!(150), dec!(100), dec!(60)]);
        assert_eq!(settle(&minimums, &spend, &carry(None, CarryLifetime::UntilUsed))?[2].paid, dec!(0));
        assert_eq!(settle(&minimums, &spend, &carry(Some(dec!(0.3)), CarryLifetime::UntilUsed))?[2].paid, dec!(10));
        // What was carried into year 2 is used first, so year 2's own spend is what goes on to year 3.
        assert_eq!(settle(&minimums, &spend, &carry(None, CarryLifetime::NextPeriod))?[2].paid, dec!(0));
        let spend = [dec!(250), dec!(20), dec!(60)];
        assert_eq!(settle(&minimums, &spend, &carry(None, CarryLifetime::NextPeriod))?[2].paid, dec!(20));
        assert_eq!(settle(&minimums, &spend, &carry(None, CarryLifetime::UntilUsed))?[2].paid, dec!(0));
        Ok(())
    }

    #[test]
    fn a_total_of_the_term_is_made_up_for_at_its_end() -> Result<()> {
        let total = SettlementRules { total: Some(dec!(350)), ..SettlementRules::default() };
        let found = settle(&[dec!(100); 3], &[dec!(90), dec!(100), dec!(120)], &total)?;
        assert_eq!((found[0].paid, found[2].paid_for_total), (dec!(10), dec!(30)));
        Ok(())
    }

    fn shortfall_rules() -> impl Strategy<Value = ShortfallRule> {
        prop_oneof![
            Just(ShortfallRule::Pay),
            (any::<bool>(), prop::option::of(1u32..3)).prop_map(|(counts, lifetime)| ShortfallRule::Credit {
                counting: if counts { CreditCounting::Counts } else { CreditCounting::DoesNotCount },
                lifetime,
            }),
            (0i64..50, 1usize..3)
                .prop_map(|(share, not_in_last)| ShortfallRule::Deferral { share: Decimal::new(share, 2), not_in_last }),
            (0i64..60).prop_map(|amount| ShortfallRule::Relief { amount: Decimal::from(amount) }),
        ]
    }

    fn carry_overs() -> impl Strategy<Value = CarryOver> {
        prop_oneof![
            Just(CarryOver::None),
            (prop::option::of(0i64..100), any::<bool>()).prop_map(|(cap, next)| CarryOver::Excess {
                cap_share: cap.map(|cap| Decimal::new(cap, 2)),
                lifetime: if next { CarryLifetime::NextPeriod } else { CarryLifetime::UntilUsed },
            }),
        ]
    }

    proptest! {
        #[test]
        fn every_year_balances(
            years in prop::collection::vec((0i64..20_000, 0i64..20_000), 1..6), shortfall in shortfall_rules(), carry_over in carry_overs(),
        ) {
            let cents = |value: i64| Decimal::new(value, 2);
            let minimums: Vec<Decimal> = years.iter().map(|(minimum, _)| cents(*minimum)).collect();
            let spend: Vec<Decimal> = years.iter().map(|(_, spend)| cents(*spend)).collect();
            let found = settle(&minimums, &spend, &SettlementRules { shortfall, carry_over, total: None }).unwrap();
            let mut credit = Decimal::ZERO;
            for (year, spend) in found.iter().zip(&spend) {
                prop_assert_eq!(year.counted + year.carried_in + year.paid + year.deferred, year.required + year.carried_over + year.surplus);
                if let ShortfallRule::Credit { counting, .. } = shortfall {
                    prop_assert_eq!(credit + year.paid, year.credit_used + year.credit + year.forfeited);
                    credit = year.credit;
                    if counting == CreditCounting::DoesNotCount {
                        prop_assert_eq!(year.counted + year.credit_used, *spend);
                    }
                }
                // Nothing is paid beyond the gap, and nothing is carried out of a gap.
                prop_assert!(year.paid.is_zero() || year.carried_over.is_zero() && year.surplus.is_zero());
            }
            // More spend in any year never costs more shortfall than it brings spend.
            for index in 0..spend.len() {
                let mut more = spend.clone();
                more[index] += cents(100);
                let cost = |spend: &[Decimal]| -> Decimal {
                    let rules = SettlementRules { shortfall, carry_over, total: None };
                    settle(&minimums, spend, &rules).unwrap().iter().map(LedgerYear::cost).sum()
                };
                // A credit that counts again is worth more than it cost: it pays for spend that also closes the next gap.
                let counts_twice = matches!(shortfall, ShortfallRule::Credit { counting: CreditCounting::Counts, .. });
                prop_assert!(counts_twice || cost(&more) >= cost(&spend) - cents(100), "{} after {}", cost(&more), cost(&spend));
            }
        }
    }
}
