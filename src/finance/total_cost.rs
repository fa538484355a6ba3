//! Total cost over years: on-demand, committed, agreement and spot lines of one or more providers, with assumptions on
//! growth and prices, taxed, discounted and put side by side in one reporting currency.

use super::agreement::{CountedBasis, Tier, tier_cost};
use super::cash_flow::{float, sum};
use super::rate::AnnualRate;
use super::{Error, Result};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What kind of price a line pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LineKind {
    /// List price: follows price cuts.
    OnDemand,
    /// Fixed for the term: follows neither price cuts nor growth.
    Committed,
    /// Market price: follows price cuts.
    Spot,
}

/// A line of cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearlyLine {
    /// A name for reports.
    pub name: String,
    /// Its price.
    pub kind: LineKind,
    /// Cost in the first year at today's prices, before the agreement discount; in the provider's currency.
    pub first_year: Decimal,
    /// Yearly growth of use, a fraction (0.2 is +20 %). Committed lines keep their cost.
    pub growth: Decimal,
}

/// A change of prices from a year on: a list price cut, or a move to a cheaper generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceChange {
    /// The year it holds from, 0 is the first.
    pub from_year: u32,
    /// Change as a fraction (-0.18 is 18 % cheaper).
    pub change: Decimal,
    /// The kind of lines it applies to. Committed prices cannot change.
    pub applies_to: LineKind,
}

/// A provider's offer for the years.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderCost {
    /// Its name.
    pub name: String,
    /// ISO code of its currency, for the reader.
    pub currency: String,
    /// Units of the reporting currency for one of the provider's.
    pub exchange_rate: Decimal,
    /// Its lines.
    pub lines: Vec<YearlyLine>,
    /// Price changes expected.
    pub price_changes: Vec<PriceChange>,
    /// A yearly agreement on everything, in its currency: discount, and shortfall below the commitment.
    pub agreement: Option<Tier>,
}

/// What is the same for all providers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CostAssumptions {
    /// Number of years.
    pub years: u32,
    /// ISO code of the reporting currency.
    pub currency: String,
    /// Tax rate: each cost saves this share of tax, in the same year. 0 for figures before tax.
    pub tax_rate: Decimal,
    /// Cost of capital after tax; costs fall at mid-year.
    pub wacc: AnnualRate,
}

/// One year of one provider, in the reporting currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct YearCost {
    /// Year, 0 is the first.
    pub year: u32,
    /// Cost by kind of price, before the agreement.
    pub by_kind: BTreeMap<LineKind, Decimal>,
    /// Agreement discount, negative.
    pub agreement_discount: Decimal,
    /// Paid for missing the agreement's commitment.
    pub shortfall: Decimal,
    /// Sum of the above.
    pub before_tax: Decimal,
    /// Less the tax saved.
    pub after_tax: Decimal,
    /// After tax, discounted from mid-year.
    pub present_value: f64,
}

/// A provider's years and totals, in the reporting currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TotalCost {
    /// The provider.
    pub provider: String,
    /// Its years.
    pub years: Vec<YearCost>,
    /// Total before tax.
    pub before_tax: Decimal,
    /// Total after tax.
    pub after_tax: Decimal,
    /// Total present value after tax: what to compare.
    pub present_value: f64,
}

/// The years of each provider, the cheapest present value first.
///
/// # Errors
/// [`Error::Empty`] without providers or years, [`Error::Duplicate`] for two providers of one name, [`Error::OutOfRange`]
/// for a tax rate outside 0 to 1, an exchange rate not above 0, or a price change of a committed line; [`Error::Overflow`].
pub fn compare(providers: &[ProviderCost], assumptions: &CostAssumptions) -> Result<Vec<TotalCost>> {
    if providers.is_empty() || assumptions.years == 0 {
        return Err(Error::Empty { what: "providers or years" });
    }
    super::payback::fraction("tax_rate", float(assumptions.tax_rate)?)?;
    let mut names = BTreeSet::new();
    if let Some(twice) = providers.iter().find(|provider| !names.insert(&provider.name)) {
        return Err(Error::Duplicate { what: "provider", name: twice.name.clone() });
    }
    let mut totals = providers.iter().map(|provider| total(provider, assumptions)).collect::<Result<Vec<_>>>()?;
    totals.sort_by(|left, right| {
        left.present_value.total_cmp(&right.present_value).then_with(|| left.provider.cmp(&right.provider))
    });
    Ok(totals)
}

fn total(provider: &ProviderCost, assumptions: &CostAssumptions) -> Result<TotalCost> {
    if provider.exchange_rate <= Decimal::ZERO {
        return Err(Error::OutOfRange {
            field: "exchange_rate",
            value: float(provider.exchange_rate)?,
            remedy: "give a rate above zero",
        });
    }
    if let Some(change) =
        provider.price_changes.iter().find(|change| change.applies_to == LineKind::Committed || change.change < -Decimal::ONE)
    {
        return Err(Error::OutOfRange {
            field: "price change",
            value: float(change.change)?,
            remedy: "committed prices are fixed, and no price falls by more than 1",
        });
    }
    let years = (0..assumptions.years).map(|year| year_cost(provider, assumptions, year)).collect::<Result<Vec<_>>>()?;
    Ok(TotalCost {
        provider: provider.name.clone(),
        before_tax: sum(years.iter().map(|year| year.before_tax))?,
        after_tax: sum(years.iter().map(|year| year.after_tax))?,
        present_value: years.iter().map(|year| year.present_value).sum(),
        years,
    })
}

fn year_cost(provider: &ProviderCost, assumptions: &CostAssumptions, year: u32) -> Result<YearCost> {
    let mut by_kind: BTreeMap<LineKind, Decimal> = BTreeMap::new();
    for line in &provider.lines {
        let mut cost = line.first_year;
        if line.kind != LineKind::Committed {
            for _ in 0..year {
                cost = times(cost, Decimal::ONE + line.growth)?;
            }
            for change in
                provider.price_changes.iter().filter(|change| change.applies_to == line.kind && change.from_year <= year)
            {
                cost = times(cost, Decimal::ONE + change.change)?;
            }
        }
        let kind = by_kind.entry(line.kind).or_default();
        *kind = sum([*kind, times(cost, provider.exchange_rate)?])?;
    }
    let gross = sum(by_kind.values().copied())?;
    let (mut agreement_discount, mut shortfall) = (Decimal::ZERO, Decimal::ZERO);
    if let Some(tier) = provider.agreement {
        agreement_discount = -times(gross, tier.discount)?;
        // The rule itself lives in `agreement`; here its cost above the discounted spend is shown as a line of its own.
        let own = gross.checked_div(provider.exchange_rate).ok_or(Error::Overflow { what: "a yearly cost" })?;
        let above = tier_cost(own, tier, CountedBasis::Net)? - times(Decimal::ONE - tier.discount, own)?;
        shortfall = times(above, provider.exchange_rate)?;
    }
    let before_tax = sum([gross, agreement_discount, shortfall])?;
    let after_tax = times(before_tax, Decimal::ONE - assumptions.tax_rate)?;
    let factor = (-(f64::from(year) + 0.5) * assumptions.wacc.per_year().ln_1p()).exp();
    Ok(YearCost {
        year,
        by_kind,
        agreement_discount,
        shortfall,
        before_tax,
        after_tax,
        present_value: float(after_tax)? * factor,
    })
}

fn times(left: Decimal, right: Decimal) -> Result<Decimal> {
    left.checked_mul(right).ok_or(Error::Overflow { what: "a yearly cost" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    fn provider(name: &str, exchange_rate: Decimal) -> ProviderCost {
        let line = |name: &str, kind, first_year, growth| YearlyLine { name: name.into(), kind, first_year, growth };
        ProviderCost {
            name: name.into(),
            currency: "USD".into(),
            exchange_rate,
            lines: vec![
                line("web", LineKind::OnDemand, dec!(100), dec!(0.1)),
                line("plan", LineKind::Committed, dec!(50), dec!(0.1)),
                line("batch", LineKind::Spot, dec!(10), dec!(0)),
            ],
            price_changes: vec![PriceChange { from_year: 1, change: dec!(-0.2), applies_to: LineKind::OnDemand }],
            agreement: Some(Tier { commit: dec!(150), discount: dec!(0.1) }),
        }
    }

    fn assumptions() -> CostAssumptions {
        CostAssumptions { years: 3, currency: "EUR".into(), tax_rate: dec!(0.25), wacc: AnnualRate::Effective(0.08) }
    }

    #[test]
    fn years_follow_growth_price_cuts_and_the_agreement() -> Result<()> {
        let both = compare(&[provider("dear", dec!(1)), provider("cheap", dec!(0.9))], &assumptions())?;
        assert_eq!(both[0].provider, "cheap");
        let years = &both[1].years;
        assert_eq!(years[1].by_kind[&LineKind::OnDemand], dec!(88));
        assert_eq!(years[1].by_kind[&LineKind::Committed], dec!(50));
        // 148 gross is 133.2 net of 10 %: 16.8 below the commitment.
        assert_eq!((years[1].agreement_discount, years[1].shortfall.round_dp(9)), (dec!(-14.8), dec!(16.8)));
        assert_eq!(years[1].before_tax.round_dp(9), dec!(150));
        assert_eq!(years[1].after_tax.round_dp(9), dec!(112.5));
        Ok(())
    }

    #[test]
    fn wrong_assumptions_are_errors() {
        assert!(compare(&[], &assumptions()).is_err());
        assert!(compare(&[provider("a", dec!(0))], &assumptions()).is_err());
        assert!(matches!(
            compare(&[provider("a", dec!(1)), provider("a", dec!(1))], &assumptions()),
            Err(Error::Duplicate { .. })
        ));
        let mut huge = provider("a", dec!(1));
        huge.lines[0].first_year = Decimal::MAX;
        assert!(matches!(compare(&[huge], &assumptions()), Err(Error::Overflow { .. })));
    }
}
