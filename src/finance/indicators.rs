//! Key figures of a commitment portfolio by month: effective savings rate, coverage, utilisation, waste and lock-in.
//!
//! There are several honest effective savings rates for one bill, so each carries its basis. On-demand equivalent (ODE) is
//! what the same *use* would have cost: it is 0 on rows of unused commitment, whatever list cost the export puts there,
//! and purchases and credits are never counted beside covered use. Rows are never clamped at zero, which would hide waste.

use super::cash_flow::sum;
use super::{Error, Result};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a row charges (FOCUS ChargeCategory).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChargeCategory {
    /// Use, covered or not, and unused commitment.
    Usage,
    /// A purchase of a commitment.
    Purchase,
    /// Tax.
    Tax,
    /// A credit given later: not a discount, so not in any savings rate.
    Credit,
    /// Any other correction.
    Adjustment,
}

/// How a row is priced (FOCUS PricingCategory and CommitmentDiscountStatus).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pricing {
    /// On-demand.
    Standard,
    /// Spot (FOCUS "Dynamic").
    Spot,
    /// Covered by a commitment (FOCUS "Used").
    CommitmentUsed,
    /// Commitment nobody used (FOCUS "Unused").
    CommitmentUnused,
    /// Anything else.
    Other,
}

/// One row of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeRow {
    /// The first of its month.
    pub month: NaiveDate,
    /// What it charges.
    pub category: ChargeCategory,
    /// How it is priced.
    pub pricing: Pricing,
    /// Whether a commitment could cover it (only then it counts in coverage).
    pub eligible: bool,
    /// At public prices.
    pub list_cost: Decimal,
    /// At negotiated prices, before commitments.
    pub contracted_cost: Decimal,
    /// As invoiced.
    pub billed_cost: Decimal,
    /// With commitments amortised.
    pub effective_cost: Decimal,
}

/// Which price an on-demand equivalent takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Basis {
    /// Public prices.
    List,
    /// Negotiated prices.
    Contracted,
}

/// Whether spot use counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SpotUse {
    /// Spot counts as on-demand use bought cheaper.
    Included,
    /// Spot is left out.
    Excluded,
}

/// Figures of one month, or of all rows. A ratio without a denominator is None.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indicators {
    /// By basis and spot: 1 - effective cost / ODE.
    pub effective_savings_rates: BTreeMap<(Basis, SpotUse), Option<Decimal>>,
    /// ODE covered by commitments / eligible ODE without spot, on list prices.
    pub coverage: Option<Decimal>,
    /// Effective cost of used commitment / effective cost of use without spot; unused commitment is in neither.
    pub spend_covered: Option<Decimal>,
    /// Effective cost of used commitment / effective cost of all commitment.
    pub utilisation: Option<Decimal>,
    /// Effective cost of unused commitment, an amount.
    pub waste: Decimal,
    /// Waste / effective cost of all commitment: 1 - utilisation.
    pub waste_rate: Option<Decimal>,
    /// On-demand equivalent of use at list prices, an amount.
    pub on_demand_equivalent: Decimal,
    /// Effective cost of use, an amount.
    pub effective_cost: Decimal,
}

/// A figure's name, formula and origin, to print beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// Its name.
    pub name: &'static str,
    /// Its formula.
    pub formula: &'static str,
    /// Who defines it.
    pub source: &'static str,
}

/// The definition of every figure here.
pub const DEFINITIONS: [Definition; 8] = [
    Definition {
        name: "effective savings rate",
        formula: "1 - Σ EffectiveCost / Σ ODE over Usage rows; ODE is ListCost or ContractedCost, 0 on Unused rows",
        source: "FinOps Foundation KPI library, effective savings rate; basis and spot stated with each figure",
    },
    Definition {
        name: "coverage",
        formula: "Σ ODE of Committed / Σ ODE of Committed and Standard, eligible rows",
        source: "FOCUS columns; AWS Savings Plans coverage",
    },
    Definition {
        name: "spend covered",
        formula: "Σ EffectiveCost Used / Σ EffectiveCost of use, spot and unused commitment excluded",
        source: "FinOps Foundation KPI library, percent of compute spend covered by commitment discounts",
    },
    Definition {
        name: "utilisation",
        formula: "Σ EffectiveCost Used / Σ EffectiveCost Used and Unused",
        source: "FinOps Foundation KPI library, commitment utilisation score, in cost",
    },
    Definition {
        name: "waste",
        formula: "Σ EffectiveCost Unused",
        source: "FinOps Foundation KPI library, commitment discount waste",
    },
    Definition {
        name: "break-even utilisation",
        formula: "1 - discount; with a cost of capital PV(cost) / PV(ODE)",
        source: "own derivation; see payback::break_even_utilisation",
    },
    Definition {
        name: "lock-in months",
        formula: "Σ remaining committed cost / committed cost of the present month",
        source: "own definition: the formula of the commitment lock-in risk is not published",
    },
    Definition {
        name: "lock-in share",
        formula: "Σ remaining months · monthly commitment / (12 · monthly ODE)",
        source: "own definition: the formula of the commitment lock-in risk is not published",
    },
];

/// The figures over all rows.
///
/// # Errors
/// [`Error::Overflow`].
pub fn indicators(rows: &[ChargeRow]) -> Result<Indicators> {
    let of: Vec<&ChargeRow> = rows.iter().collect();
    over(&of)
}

/// The figures by month.
///
/// # Errors
/// [`Error::Overflow`].
pub fn by_month(rows: &[ChargeRow]) -> Result<BTreeMap<NaiveDate, Indicators>> {
    let mut months: BTreeMap<NaiveDate, Vec<&ChargeRow>> = BTreeMap::new();
    for row in rows {
        months.entry(super::cash_flow::month_start(row.month)).or_default().push(row);
    }
    months.into_iter().map(|(month, rows)| Ok((month, over(&rows)?))).collect()
}

fn over(rows: &[&ChargeRow]) -> Result<Indicators> {
    let usage: Vec<&ChargeRow> = rows.iter().copied().filter(|row| row.category == ChargeCategory::Usage).collect();
    let total = |value: &dyn Fn(&ChargeRow) -> Decimal, keep: &dyn Fn(&ChargeRow) -> bool| {
        sum(usage.iter().filter(|row| keep(row)).map(|row| value(row)))
    };
    let list = |row: &ChargeRow| on_demand_equivalent(row, Basis::List);
    let effective = |row: &ChargeRow| row.effective_cost;
    let used = |row: &ChargeRow| row.pricing == Pricing::CommitmentUsed;
    let unused = |row: &ChargeRow| row.pricing == Pricing::CommitmentUnused;
    let no_spot = |row: &ChargeRow| row.pricing != Pricing::Spot;
    let mut rates = BTreeMap::new();
    for basis in [Basis::List, Basis::Contracted] {
        for spot in [SpotUse::Included, SpotUse::Excluded] {
            let keep = |row: &ChargeRow| spot == SpotUse::Included || no_spot(row);
            let equivalent = total(&|row| on_demand_equivalent(row, basis), &keep)?;
            let rate = total(&effective, &keep)?.checked_div(equivalent).map(|share| Decimal::ONE - share);
            rates.insert((basis, spot), rate);
        }
    }
    let committed_used = total(&effective, &used)?;
    let waste = total(&effective, &unused)?;
    let committed = sum([committed_used, waste])?;
    let coverable = |row: &ChargeRow| used(row) || (row.pricing == Pricing::Standard && row.eligible);
    Ok(Indicators {
        effective_savings_rates: rates,
        coverage: total(&list, &used)?.checked_div(total(&list, &coverable)?),
        spend_covered: committed_used.checked_div(total(&effective, &|row| no_spot(row) && !unused(row))?),
        utilisation: committed_used.checked_div(committed),
        waste,
        waste_rate: waste.checked_div(committed),
        on_demand_equivalent: total(&list, &|_| true)?,
        effective_cost: total(&effective, &|_| true)?,
    })
}

/// What a row's use would have cost on demand: nothing for unused commitment.
#[must_use]
pub fn on_demand_equivalent(row: &ChargeRow, basis: Basis) -> Decimal {
    match (row.pricing, basis) {
        (Pricing::CommitmentUnused, _) => Decimal::ZERO,
        (_, Basis::List) => row.list_cost,
        (_, Basis::Contracted) => row.contracted_cost,
    }
}

/// Effective savings rate from its parts: v (1 - (1 - d) / u) for coverage v, utilisation u, discount d.
///
/// # Errors
/// [`Error::OutOfRange`] for a utilisation of zero or values outside 0 to 1.
pub fn effective_savings_rate(coverage: f64, utilisation: f64, discount: f64) -> Result<f64> {
    super::payback::fraction("coverage", coverage)?;
    super::payback::fraction("utilisation", utilisation)?;
    super::payback::fraction("discount", discount)?;
    if utilisation == 0.0 {
        return Err(Error::OutOfRange {
            field: "utilisation",
            value: 0.0,
            remedy: "without use there is waste but no savings rate",
        });
    }
    Ok(coverage * (1.0 - (1.0 - discount) / utilisation))
}

/// Savings less what it costs to achieve them (tool and broker fees), as a rate of the on-demand equivalent.
///
/// # Errors
/// [`Error::OutOfRange`] without on-demand equivalent.
pub fn net_savings_rate(on_demand_equivalent: f64, actual_cost: f64, fees: f64) -> Result<f64> {
    let rate = (on_demand_equivalent - actual_cost - fees) / on_demand_equivalent;
    if rate.is_finite() {
        Ok(rate)
    } else {
        Err(Error::OutOfRange {
            field: "on_demand_equivalent",
            value: on_demand_equivalent,
            remedy: "give an amount other than zero",
        })
    }
}

/// A commitment still running, for lock-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemainingCommitment {
    /// Amortised cost per month.
    pub monthly_cost: Decimal,
    /// Months left.
    pub months_left: Decimal,
}

/// How long and how much is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockIn {
    /// Remaining committed cost, an amount.
    pub remaining_cost: Decimal,
    /// In months of the present committed cost.
    pub months: Option<Decimal>,
    /// As a share of a year's on-demand equivalent.
    pub share: Option<Decimal>,
}

/// Commitment lock-in (see [`DEFINITIONS`]). Read it next to the savings rate: the two are the efficient frontier.
///
/// # Errors
/// [`Error::Overflow`].
pub fn lock_in(commitments: &[RemainingCommitment], monthly_on_demand_equivalent: Decimal) -> Result<LockIn> {
    let remaining = commitments.iter().try_fold(Decimal::ZERO, |total, commitment| {
        commitment.monthly_cost.checked_mul(commitment.months_left).and_then(|cost| total.checked_add(cost))
    });
    let remaining_cost = remaining.ok_or(Error::Overflow { what: "remaining committed cost" })?;
    let monthly = sum(commitments
        .iter()
        .filter(|commitment| commitment.months_left > Decimal::ZERO)
        .map(|commitment| commitment.monthly_cost))?;
    Ok(LockIn {
        remaining_cost,
        months: remaining_cost.checked_div(monthly),
        share: monthly_on_demand_equivalent.checked_mul(Decimal::from(12)).and_then(|year| remaining_cost.checked_div(year)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    fn row(category: ChargeCategory, pricing: Pricing, list: Decimal, effective: Decimal) -> ChargeRow {
        let month = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap_or_default();
        ChargeRow {
            month,
            category,
            pricing,
            eligible: true,
            list_cost: list,
            contracted_cost: list,
            billed_cost: effective,
            effective_cost: effective,
        }
    }

    #[test]
    fn an_unused_commitment_saves_nothing() -> Result<()> {
        let rows = [
            row(ChargeCategory::Purchase, Pricing::Standard, dec!(3), dec!(0)),
            row(ChargeCategory::Usage, Pricing::CommitmentUnused, dec!(3), dec!(1.5)),
            row(ChargeCategory::Usage, Pricing::Standard, dec!(2), dec!(2)),
        ];
        let figures = indicators(&rows)?;
        assert_eq!(figures.effective_savings_rates[&(Basis::List, SpotUse::Included)], Some(dec!(-0.75)));
        assert_eq!((figures.waste, figures.utilisation, figures.coverage), (dec!(1.5), Some(dec!(0)), Some(dec!(0))));
        assert_eq!(by_month(&rows)?.len(), 1);
        assert_eq!(indicators(&[])?.coverage, None);
        Ok(())
    }

    #[test]
    fn one_bill_has_several_honest_savings_rates() -> Result<()> {
        let usage = |pricing, list, contracted, effective| ChargeRow {
            contracted_cost: contracted,
            ..row(ChargeCategory::Usage, pricing, list, effective)
        };
        let rows = [
            row(ChargeCategory::Purchase, Pricing::Standard, dec!(16), dec!(0)),
            usage(Pricing::CommitmentUsed, dec!(20), dec!(18), dec!(12)),
            usage(Pricing::CommitmentUnused, dec!(5), dec!(4), dec!(4)),
            usage(Pricing::Standard, dec!(10), dec!(9), dec!(9)),
            usage(Pricing::Spot, dec!(6), dec!(6), dec!(2)),
            row(ChargeCategory::Tax, Pricing::Other, dec!(3), dec!(3)),
        ];
        let figures = indicators(&rows)?;
        let rate = |basis, spot| figures.effective_savings_rates[&(basis, spot)].map(|rate| rate.round_dp(4));
        assert_eq!(rate(Basis::List, SpotUse::Included), Some(dec!(0.25)));
        assert_eq!(rate(Basis::Contracted, SpotUse::Included), Some(dec!(0.1818)));
        assert_eq!(rate(Basis::Contracted, SpotUse::Excluded), Some(dec!(0.0741)));
        let rounded = |value: Option<Decimal>| value.map(|value| value.round_dp(3));
        assert_eq!((rounded(figures.utilisation), rounded(figures.coverage)), (Some(dec!(0.75)), Some(dec!(0.667))));
        assert_eq!(rounded(figures.spend_covered), Some(dec!(0.571)));
        Ok(())
    }

    #[test]
    fn parts_of_a_savings_rate() -> Result<()> {
        assert!((effective_savings_rate(0.947, 1.0, 0.3)? - 0.2841).abs() < 1e-12);
        assert!(effective_savings_rate(0.5, 0.0, 0.3).is_err());
        let held = [
            RemainingCommitment { monthly_cost: dec!(100), months_left: dec!(6) },
            RemainingCommitment { monthly_cost: dec!(50), months_left: dec!(24) },
        ];
        let lock = lock_in(&held, dec!(500))?;
        assert_eq!((lock.remaining_cost, lock.months, lock.share), (dec!(1800), Some(dec!(12)), Some(dec!(0.3))));
        assert_eq!(DEFINITIONS.iter().filter(|definition| definition.source.is_empty()).count(), 0);
        Ok(())
    }
}
