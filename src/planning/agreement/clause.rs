//! Clauses of an agreement that a buyer may ask for, and an offer with one of them.

use super::{OfferedAgreement, wrong_terms};
use crate::error::Result;
use crate::finance::agreement::{CarryOver, EarlyRenewal, ShortfallRule, growing};
use crate::units::AnyDecimal;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A change of terms that may be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Clause {
    /// More discount on all services.
    MoreDiscount {
        /// So much more (0.01: one point).
        #[schemars(with = "AnyDecimal")]
        points: Decimal,
    },
    /// Other minimums.
    Minimums {
        /// All of them times this (0.9: a tenth less).
        #[schemars(with = "AnyDecimal")]
        factor: Decimal,
    },
    /// Minimums that grow from the first one.
    Growth {
        /// By this share a year.
        #[schemars(with = "AnyDecimal")]
        share: Decimal,
    },
    /// Excess that counts later.
    CarryOver {
        /// How.
        rule: CarryOver,
    },
    /// Another rule for a shortfall: deferral, credit, relief.
    Shortfall {
        /// Which.
        rule: ShortfallRule,
    },
    /// Another cap on Marketplace.
    MarketplaceCap {
        /// A share of the minimum; no cap if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<AnyDecimal>")]
        share: Option<Decimal>,
    },
    /// Another weight of Marketplace.
    MarketplaceWeight {
        /// The share of it that counts.
        #[schemars(with = "AnyDecimal")]
        share: Decimal,
    },
    /// The right to renew early.
    EarlyRenewal(EarlyRenewal),
}

impl std::fmt::Display for Clause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = |share: &Decimal| (share * Decimal::ONE_HUNDRED).normalize();
        match self {
            Self::MoreDiscount { points } => write!(f, "discount {:+} points", percent(points)),
            Self::Minimums { factor } => write!(f, "minimums at {} %", percent(factor)),
            Self::Growth { share } => write!(f, "minimums that grow by {} % a year", percent(share)),
            Self::CarryOver { rule: CarryOver::None } => f.write_str("no carry-over"),
            Self::CarryOver { rule: CarryOver::Excess { cap_share: None, .. } } => f.write_str("carry-over of all excess"),
            Self::CarryOver { rule: CarryOver::Excess { cap_share: Some(cap), .. } } => {
                write!(f, "carry-over of excess up to {} %", percent(cap))
            }
            Self::Shortfall { rule: ShortfallRule::Pay } => f.write_str("shortfall paid and lost"),
            Self::Shortfall { rule: ShortfallRule::Credit { .. } } => f.write_str("shortfall as a credit"),
            Self::Shortfall { rule: ShortfallRule::Deferral { share, .. } } => write!(f, "deferral of {} %", percent(share)),
            Self::Shortfall { rule: ShortfallRule::Relief { amount } } => write!(f, "relief payment of {amount}"),
            Self::MarketplaceCap { share: None } => f.write_str("Marketplace without a cap"),
            Self::MarketplaceCap { share: Some(cap) } => write!(f, "Marketplace up to {} %", percent(cap)),
            Self::MarketplaceWeight { share } => write!(f, "Marketplace counts {} %", percent(share)),
            Self::EarlyRenewal(renewal) => write!(f, "early renewal from year {}", renewal.from_period + 1),
        }
    }
}

impl Clause {
    /// The offer with this clause.
    ///
    /// # Errors
    /// [`crate::Problem::OutOfRange`] for minimums that cannot grow so.
    pub fn of(&self, offer: &OfferedAgreement) -> Result<OfferedAgreement> {
        let mut changed = offer.clone();
        changed.name = format!("{} with {self}", offer.name);
        if let Self::MoreDiscount { points } = self {
            return Ok(OfferedAgreement { name: changed.name, ..offer.with_discount(offer.general_discount() + points) });
        }
        let Some(terms) = &mut changed.terms else { return Ok(changed) };
        match self {
            Self::MoreDiscount { .. } => {}
            Self::Minimums { factor } => terms.periods.iter_mut().for_each(|period| period.minimum *= factor),
            Self::Growth { share } => {
                let first = terms.periods.first().map_or(Decimal::ZERO, |period| period.minimum);
                let minimums = growing(first, *share, terms.periods.len()).map_err(|error| wrong_terms(error, &offer.name))?;
                terms.periods.iter_mut().zip(minimums).for_each(|(period, minimum)| period.minimum = minimum);
            }
            Self::CarryOver { rule } => terms.rules.carry_over = *rule,
            Self::Shortfall { rule } => terms.rules.shortfall = *rule,
            Self::MarketplaceCap { share } => terms.counting.marketplace.marketplace_cap_share = *share,
            Self::MarketplaceWeight { share } => terms.counting.marketplace.marketplace_weight = *share,
            Self::EarlyRenewal(renewal) => terms.early_renewal = Some(renewal.clone()),
        }
        Ok(changed)
    }
}
