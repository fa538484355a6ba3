//! What to take into a negotiation: at which discount a larger commitment is worth as much as a reference, and what each clause is
//! worth, both with the purchases decided anew.

use super::choose::{Branch, renewed};
use super::{Clause, OfferedAgreement, OtherSpend};
use crate::error::{Error, Problem as Wrong, Result};
use crate::planning::problem::Problem;
use crate::planning::solve::Options;
use crate::units::{to_decimal, to_f64};
use serde::Serialize;

/// The discount at which an offer is worth as much as a reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
