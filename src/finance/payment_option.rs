//! All, partial or no upfront: which payment option is worth most at a cost of capital.
//!
//! A payment option is a loan to the provider: paying early buys a deeper discount. Options are ranked by NPV, because an
//! option without upfront payment has no internal rate (its flows never change sign while it saves), and because the
//! internal rate prefers options with a lower NPV. The rate implied by prepaying is the internal rate of the difference
//! of two options' payments: prepay only if capital costs less.

use super::internal_rate::irr;
use super::payback::fraction;
use super::present_value::{FirstFlow, npv};
use super::rate::{AnnualRate, PaymentTiming, annual_from_monthly};
use super::{Error, InternalRate, NoRate, Payback, Result, discounted_payback, payback};
use serde::{Deserialize, Serialize};

/// One way to pay for the same commitment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaymentOption {
    /// A name for reports ("all upfront").
    pub name: String,
    /// Discount against on-demand, a fraction: the option costs (1 - discount) of the on-demand price.
    pub discount: f64,
    /// Share of the option's price paid at the start: 1 all, 0 none.
    pub upfront_share: f64,
}

/// The commitment to be paid for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PaymentCase {
    /// On-demand equivalent of the committed quantity per month.
    pub on_demand_monthly: f64,
    /// Term in months.
    pub months: u32,
    /// Share of the commitment that is used, 0 to 1.
    pub utilisation: f64,
    /// When monthly fees are paid. Savings come at the end of each month.
    pub timing: PaymentTiming,
}

/// An option with its worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankedOption {
    /// The option.
    pub option: PaymentOption,
    /// Worth now against on-demand: the ranking.
    pub npv: f64,
    /// Present value of what is paid; the least cost is the same ranking.
    pub present_cost: f64,
    /// Internal rate, effective per year; `None(NoSignChange)` without upfront payment.
    pub internal_rate: InternalRate,
    /// Months until paid back.
    pub payback: Payback,
    /// The same, discounted.
    pub discounted_payback: Payback,
}

impl PaymentOption {
    /// What is paid in each month from the start (month 0), positive.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a discount or share outside 0 to 1, or no months.
    pub fn payments(&self, case: &PaymentCase) -> Result<Vec<f64>> {
        fraction("discount", self.discount)?;
        fraction("upfront_share", self.upfront_share)?;
        fraction("utilisation", case.utilisation)?;
        if case.months == 0 {
            return Err(Error::OutOfRange { field: "months", value: 0.0, remedy: "give a term of at least one month" });
        }
        let month = (1.0 - self.discount) * case.on_demand_monthly;
        let fee = (1.0 - self.upfront_share) * month;
        let mut paid: Vec<f64> = (0..=case.months).map(|_| fee).collect();
        match case.timing {
            PaymentTiming::End => paid[0] = 0.0,
            PaymentTiming::Begin => {
                if let Some(last) = paid.last_mut() {
                    *last = 0.0;
                }
            }
        }
        paid[0] += self.upfront_share * month * f64::from(case.months);
        Ok(paid)
    }

    /// Monthly net flows against on-demand, month 0 first.
    ///
    /// # Errors
    /// As [`PaymentOption::payments`].
    pub fn flows(&self, case: &PaymentCase) -> Result<Vec<f64>> {
        let saved = case.utilisation * case.on_demand_monthly;
        let paid = self.payments(case)?;
        Ok(paid.iter().enumerate().map(|(month, paid)| if month == 0 { -paid } else { saved - paid }).collect())
    }

    /// NPV, internal rate and payback at this cost of capital.
    ///
    /// # Errors
    /// As [`PaymentOption::payments`] and [`npv`].
    pub fn appraise(&self, case: &PaymentCase, wacc: AnnualRate) -> Result<RankedOption> {
        let (flows, payments, monthly) = (self.flows(case)?, self.payments(case)?, wacc.per_month());
        Ok(RankedOption {
            option: self.clone(),
            npv: npv(monthly, &flows, FirstFlow::Now)?,
            present_cost: npv(monthly, &payments, FirstFlow::Now)?,
            internal_rate: irr(&flows)?.map(annual_from_monthly),
            payback: payback(&flows)?,
            discounted_payback: discounted_payback(monthly, &flows)?,
        })
    }
}

/// The options from most to least NPV; equal ones keep the order of their names.
///
/// # Errors
/// [`Error::Empty`] without options, and as [`PaymentOption::appraise`].
pub fn rank(options: &[PaymentOption], case: &PaymentCase, wacc: AnnualRate) -> Result<Vec<RankedOption>> {
    if options.is_empty() {
        return Err(Error::Empty { what: "payment options" });
    }
    let mut ranked = options.iter().map(|option| option.appraise(case, wacc)).collect::<Result<Vec<_>>>()?;
    ranked.sort_by(|left, right| right.npv.total_cmp(&left.npv).then_with(|| left.option.name.cmp(&right.option.name)));
    Ok(ranked)
}

/// The effective annual rate at which paying by `more_upfront` costs the same as by `less_upfront`: the return on
/// prepaying and the indifference rate of the two. `None(NoSignChange)` if one is never dearer in any month.
///
/// # Errors
/// As [`PaymentOption::payments`].
pub fn implied_prepayment_rate(
    more_upfront: &PaymentOption,
    less_upfront: &PaymentOption,
    months: u32,
    timing: PaymentTiming,
) -> Result<InternalRate> {
    let case = PaymentCase { on_demand_monthly: 1.0, months, utilisation: 1.0, timing };
    let (more, less) = (more_upfront.payments(&case)?, less_upfront.payments(&case)?);
    let difference: Vec<f64> = less.iter().zip(&more).map(|(less, more)| less - more).collect();
    if difference.iter().all(|value| *value == 0.0) {
        return Ok(InternalRate::None(NoRate::NoSignChange));
    }
    Ok(irr(&difference)?.map(annual_from_monthly))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(name: &str, discount: f64, upfront_share: f64) -> PaymentOption {
        PaymentOption { name: name.into(), discount, upfront_share }
    }

    #[test]
    fn the_best_option_depends_on_the_cost_of_capital() -> Result<()> {
        let options = [option("all", 0.53, 1.0), option("partial", 0.52, 0.5), option("none", 0.48, 0.0)];
        let case = PaymentCase { on_demand_monthly: 1000.0, months: 36, utilisation: 1.0, timing: PaymentTiming::End };
        for (wacc, best, npvs) in [
            (0.04, "partial", [16_987.0, 17_130.0, 16_276.0]),
            (0.08, "partial", [15_123.0, 15_713.0, 15_381.0]),
            (0.15, "none", [12_315.0, 13_578.0, 14_033.0]),
        ] {
            let wacc = AnnualRate::Effective(wacc);
            assert_eq!(rank(&options, &case, wacc)?[0].option.name, best);
            for (option, npv) in options.iter().zip(npvs) {
                assert!((option.appraise(&case, wacc)?.npv - npv).abs() < 0.51);
            }
        }
        let rate = |option: &PaymentOption| Ok::<_, Error>(option.appraise(&case, AnnualRate::Effective(0.1))?.internal_rate);
        assert!((rate(&options[0])?.unique().unwrap_or(f64::NAN) - 0.761).abs() < 5e-4);
        assert!((rate(&options[1])?.unique().unwrap_or(f64::NAN) - 1.603).abs() < 5e-4);
        assert_eq!(rate(&options[2])?, InternalRate::None(NoRate::NoSignChange));
        Ok(())
    }

    #[test]
    fn prepaying_returns_what_it_should() -> Result<()> {
        let (all, none) = (option("all", 0.563, 1.0), option("none", 0.516, 0.0));
        let end = implied_prepayment_rate(&all, &none, 36, PaymentTiming::End)?.unique().unwrap_or(f64::NAN);
        let begin = implied_prepayment_rate(&all, &none, 36, PaymentTiming::Begin)?.unique().unwrap_or(f64::NAN);
        assert!((end - 0.069_683_841_6).abs() < 1e-9 && (begin - 0.074).abs() < 5e-4);
        assert_eq!(implied_prepayment_rate(&all, &all, 36, PaymentTiming::End)?, InternalRate::None(NoRate::NoSignChange));
        assert!(
            option("wrong", 1.2, 0.0)
                .payments(&PaymentCase { on_demand_monthly: 1.0, months: 1, utilisation: 1.0, timing: PaymentTiming::End })
                .is_err()
        );
        Ok(())
    }
}
