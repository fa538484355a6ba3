//! What to take into a negotiation: at which discount a larger commitment is worth as much as a reference, and what each clause is
//! worth, both with the purchases decided anew.

use super::choose::{Branch, renewed};
use super::{OfferedAgreement, OtherSpend};
use crate::error::{Error, Problem as Wrong, Result};
use crate::finance::agreement::{CarryOver, EarlyRenewal, ShortfallRule, growing};
use crate::planning::problem::Problem;
use crate::planning::solve::Options;
use crate::units::{to_decimal, to_f64};
use rust_decimal::Decimal;

/// The discount at which an offer is worth as much as a reference.
#[derive(Clone, Debug, PartialEq)]
pub struct IndifferenceDiscount {
    /// The offer.
    pub offer: String,
    /// The discount it has, on all services.
    pub offered: f64,
    /// What it is compared with.
    pub reference_cost: f64,
    /// Above this discount the offer is cheaper than the reference; `None` if no discount up to the largest tried makes it so.
    pub at: Option<f64>,
    /// `at` is known to this accuracy, and to what the gaps of the plans leave open.
    pub tolerance: f64,
}

/// A change of terms that may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clause {
    /// This much more discount on all services (0.01: one point).
    MoreDiscount(Decimal),
    /// All minimums times this factor (0.9: a tenth less).
    Minimums(Decimal),
    /// Minimums that grow by this share a year from the first one.
    Growth(Decimal),
    /// Excess that counts later.
    CarryOver(CarryOver),
    /// Another rule for a shortfall: deferral, credit, relief.
    Shortfall(ShortfallRule),
    /// Another cap on Marketplace, a share of the minimum; none for no cap.
    MarketplaceCap(Option<Decimal>),
    /// The share of Marketplace that counts.
    MarketplaceWeight(Decimal),
    /// The right to renew early.
    EarlyRenewal(EarlyRenewal),
}

impl std::fmt::Display for Clause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = |share: &Decimal| (share * Decimal::ONE_HUNDRED).normalize();
        match self {
            Self::MoreDiscount(points) => write!(f, "discount {:+} points", percent(points)),
            Self::Minimums(factor) => write!(f, "minimums at {} %", percent(factor)),
            Self::Growth(growth) => write!(f, "minimums that grow by {} % a year", percent(growth)),
            Self::CarryOver(CarryOver::None) => f.write_str("no carry-over"),
            Self::CarryOver(CarryOver::Excess { cap_share: None, .. }) => f.write_str("carry-over of all excess"),
            Self::CarryOver(CarryOver::Excess { cap_share: Some(cap), .. }) => {
                write!(f, "carry-over of excess up to {} %", percent(cap))
            }
            Self::Shortfall(ShortfallRule::Pay) => f.write_str("shortfall paid and lost"),
            Self::Shortfall(ShortfallRule::Credit { .. }) => f.write_str("shortfall as a credit"),
            Self::Shortfall(ShortfallRule::Deferral { share, .. }) => write!(f, "deferral of {} %", percent(share)),
            Self::Shortfall(ShortfallRule::Relief { amount }) => write!(f, "relief payment of {amount}"),
            Self::MarketplaceCap(None) => f.write_str("Marketplace without a cap"),
            Self::MarketplaceCap(Some(cap)) => write!(f, "Marketplace up to {} %", percent(cap)),
            Self::MarketplaceWeight(weight) => write!(f, "Marketplace counts {} %", percent(weight)),
            Self::EarlyRenewal(renewal) => write!(f, "early renewal from year {}", renewal.from_period + 1),
        }
    }
}

impl Clause {
    /// The offer with this clause.
    ///
    /// # Errors
    /// [`Wrong::OutOfRange`] for minimums that cannot grow so.
    pub fn of(&self, offer: &OfferedAgreement) -> Result<OfferedAgreement> {
        let mut changed = offer.clone();
        changed.name = format!("{} with {self}", offer.name);
        if let Self::MoreDiscount(points) = self {
            return Ok(OfferedAgreement { name: changed.name, ..offer.with_discount(offer.general_discount() + points) });
        }
        let Some(terms) = &mut changed.terms else { return Ok(changed) };
        match self {
            Self::MoreDiscount(_) => {}
            Self::Minimums(factor) => terms.periods.iter_mut().for_each(|period| period.minimum *= factor),
            Self::Growth(growth) => {
                let first = terms.periods.first().map_or(Decimal::ZERO, |period| period.minimum);
                let minimums =
                    growing(first, *growth, terms.periods.len()).map_err(|error| super::wrong_terms(error, &offer.name))?;
                terms.periods.iter_mut().zip(minimums).for_each(|(period, minimum)| period.minimum = minimum);
            }
            Self::CarryOver(carry_over) => terms.rules.carry_over = *carry_over,
            Self::Shortfall(rule) => terms.rules.shortfall = *rule,
            Self::MarketplaceCap(cap) => terms.counting.marketplace.marketplace_cap_share = *cap,
            Self::MarketplaceWeight(weight) => terms.counting.marketplace.marketplace_weight = *weight,
            Self::EarlyRenewal(renewal) => terms.early_renewal = Some(renewal.clone()),
        }
        Ok(changed)
    }
}

/// What a clause is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct ClauseValue {
    /// The clause.
    pub clause: Clause,
    /// The best cost with it.
    pub cost: f64,
    /// By how much that is below the best cost without it; negative if it makes things dearer.
    pub value: f64,
    /// What the bounds prove: the value of the optimum is not below and not above these.
    pub proven: (f64, f64),
    /// The probability that a shortfall is paid with it.
    pub shortfall_probability: f64,
    /// Whether it changes what to buy.
    pub changes_purchases: bool,
}

impl Problem<'_> {
    /// At which discount on all services an offer costs as much as a reference (the best of the other offers, say), with purchases
    /// decided anew at every discount. Searched between 0 and `largest`.
    ///
    /// # Errors
    /// [`Wrong::OutOfRange`] for a largest discount outside of 0 to below 1, or a tolerance not above 0; as [`Problem::branch`].
    pub fn indifference_discount(
        &self,
        offer: &OfferedAgreement,
        reference_cost: f64,
        other: &[OtherSpend],
        options: &Options<'_>,
        (largest, tolerance): (f64, f64),
    ) -> Result<IndifferenceDiscount> {
        if !(0.0..1.0).contains(&largest) || tolerance.is_nan() || tolerance <= 0.0 {
            let problem =
                Wrong::OutOfRange { value: format!("{largest}, {tolerance}"), range: "discounts below 1 and tolerances above 0" };
            return Err(Error::from(problem).in_field("indifference"));
        }
        let mut known: Vec<u32> = Vec::new();
        let mut above = |discount: f64| -> Result<f64> {
            let fraction = to_decimal(discount).unwrap_or_default().round_dp(8);
            let branch = self.branch_from(&offer.with_discount(fraction), other, options, &known)?;
            known.clone_from(&branch.solution.steps);
            Ok(branch.cost() - reference_cost)
        };
        let offered = to_f64(offer.general_discount());
        let mut found = IndifferenceDiscount { offer: offer.name.clone(), offered, reference_cost, at: None, tolerance };
        let (mut low, mut high) = (0.0, largest);
        let (mut at_low, mut at_high) = (above(low)?, above(high)?);
        if at_high > 0.0 {
            return Ok(found);
        }
        if at_low <= 0.0 {
            found.at = Some(0.0);
            return Ok(found);
        }
        // The cost falls with the discount in nearly straight pieces: by the chord, halved where that does not help (Illinois).
        let mut side = 0;
        while high - low > tolerance {
            let chord = low + (high - low) * at_low / (at_low - at_high);
            let middle = chord.clamp(low + 0.25 * tolerance, high - 0.25 * tolerance);
            let value = above(middle)?;
            if value > 0.0 {
                (low, at_low) = (middle, value);
                at_high *= if side == 1 { 0.5 } else { 1.0 };
                side = 1;
            } else {
                (high, at_high) = (middle, value);
                at_low *= if side == -1 { 0.5 } else { 1.0 };
                side = -1;
            }
        }
        found.at = Some(high);
        Ok(found)
    }

    /// What each clause would be worth to the buyer if it were added to an offer, the most valuable first. `base` is the offer's branch.
    ///
    /// # Errors
    /// As [`Problem::branch`].
    pub fn clause_values(
        &self,
        base: &Branch,
        clauses: &[Clause],
        other: &[OtherSpend],
        options: &Options<'_>,
    ) -> Result<Vec<ClauseValue>> {
        let value = |clause: &Clause| -> Result<ClauseValue> {
            let offer = clause.of(&base.offer)?;
            let mut branch = self.branch_from(&offer, other, options, &base.solution.steps)?;
            if let Some(renewed) = renewed(&offer)? {
                let second = self.branch_from(&renewed, other, options, &base.solution.steps)?;
                let bound = branch.solution.lower_bound.min(second.solution.lower_bound);
                if second.cost() < branch.cost() {
                    branch = second;
                }
                branch.solution.lower_bound = bound;
            }
            let proven = (base.solution.lower_bound - branch.cost(), base.cost() - branch.solution.lower_bound);
            Ok(ClauseValue {
                clause: clause.clone(),
                cost: branch.cost(),
                value: base.cost() - branch.cost(),
                proven,
                shortfall_probability: branch.shortfall_probability(),
                changes_purchases: branch.solution.steps != base.solution.steps,
            })
        };
        let mut values = clauses.iter().map(value).collect::<Result<Vec<ClauseValue>>>()?;
        values.sort_by(|a, b| b.value.total_cmp(&a.value).then_with(|| a.clause.to_string().cmp(&b.clause.to_string())));
        Ok(values)
    }
}
