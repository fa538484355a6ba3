//! What if spend were split over two providers or concentrated on one: a workload of which any share can run at either, at a
//! cost of moving, under the tiers that each offers. Years, growth, price changes, tax and cost of capital are those of
//! [`total_cost`](super::super::total_cost), whose figures stand side by side in the answer.
//!
//! For given tiers the present value is convex and piecewise linear in the share: its corners are where a year's discounted
//! spend meets a tier's commitment, today's share, nothing and all. The least over all corners and all pairs of tiers is the
//! optimum. Formula: `docs/formulation.md`, "Agreements".

use super::super::cash_flow::float;
use super::super::total_cost::{CostAssumptions, ProviderCost, TotalCost, YearlyLine, compare};
use super::super::{Error, Result};
use super::{Tier, TierTable, at_least_zero, plus, share as fraction, times};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One of the two providers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// What stays there whatever is moved; its agreement is replaced by the tiers tried.
    pub provider: ProviderCost,
    /// What the whole workload costs here in the first year, in the provider's currency.
    pub workload_first_year: Decimal,
    /// The tiers on offer; without any, list prices.
    pub tiers: Option<TierTable>,
}

/// A workload that can run at either of two providers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Movable {
    /// Kind of price and yearly growth; its amount is each side's.
    pub line: YearlyLine,
    /// The share at the first provider today, 0 to 1.
    pub share_today: Decimal,
    /// What it costs, once, to move the whole workload from the first to the second, and back; in the reporting currency.
    pub moving_cost: [Decimal; 2],
}

/// A share with the tiers signed for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// The share of the workload at the first provider.
    pub share: Decimal,
    /// The tier at each, if any.
    pub tiers: [Option<Tier>; 2],
    /// The years of each, the first provider first.
    pub costs: [TotalCost; 2],
    /// What moving costs, after tax.
    pub moving: Decimal,
    /// Present value of everything.
    pub present_value: f64,
}

/// The best tiers for a given share at the first provider.
///
/// # Errors
/// As [`best`].
pub fn at_share(sides: &[Side; 2], movable: &Movable, assumptions: &CostAssumptions, share: Decimal) -> Result<Split> {
    check(sides, movable)?;
    fraction("share", share)?;
    let mut found: Option<Split> = None;
    for tiers in pairs(sides) {
        keep(&mut found, cost(sides, movable, assumptions, share, tiers)?);
    }
    found.ok_or(Error::Empty { what: "tiers" })
}

/// The share and the tiers with the lowest present value.
///
/// # Errors
/// Those of [`compare`]; [`Error::OutOfRange`] for a share outside 0 to 1 or negative amounts; [`Error::Duplicate`] for two
/// providers of one name.
pub fn best(sides: &[Side; 2], movable: &Movable, assumptions: &CostAssumptions) -> Result<Split> {
    check(sides, movable)?;
    let mut found: Option<Split> = None;
    for tiers in pairs(sides) {
        let none = cost(sides, movable, assumptions, Decimal::ZERO, tiers)?;
        let all = cost(sides, movable, assumptions, Decimal::ONE, tiers)?;
        let mut corners = BTreeSet::from([Decimal::ZERO, Decimal::ONE, movable.share_today]);
        for (index, tier) in tiers.iter().enumerate() {
            let Some(tier) = tier else { continue };
            let floor = times(tier.commit, sides[index].provider.exchange_rate)?;
            for (none, all) in none.costs[index].years.iter().zip(&all.costs[index].years) {
                let net = |year: &super::super::total_cost::YearCost| year.before_tax - year.shortfall;
                let (at_none, slope) = (net(none), net(all) - net(none));
                let corner = (floor - at_none).checked_div(slope).unwrap_or_default();
                if (Decimal::ZERO..=Decimal::ONE).contains(&corner) {
                    corners.insert(corner);
                }
            }
        }
        for corner in corners {
            keep(&mut found, cost(sides, movable, assumptions, corner, tiers)?);
        }
    }
    found.ok_or(Error::Empty { what: "tiers" })
}

fn keep(found: &mut Option<Split>, split: Split) {
    if found.as_ref().is_none_or(|best| split.present_value < best.present_value) {
        *found = Some(split);
    }
}

fn check(sides: &[Side; 2], movable: &Movable) -> Result<()> {
    fraction("today's share", movable.share_today)?;
    for cost in movable.moving_cost {
        at_least_zero("a moving cost", cost)?;
    }
    for side in sides {
        at_least_zero("the workload's cost", side.workload_first_year)?;
    }
    Ok(())
}

/// Every pair of tiers, no agreement among them.
fn pairs(sides: &[Side; 2]) -> Vec<[Option<Tier>; 2]> {
    let options = |side: &Side| -> Vec<Option<Tier>> {
        let tiers = side.tiers.iter().flat_map(TierTable::tiers).copied().map(Some);
        std::iter::once(None).chain(tiers).collect()
    };
    let second = options(&sides[1]);
    options(&sides[0]).into_iter().flat_map(|first| second.iter().map(move |second| [first, *second])).collect()
}

fn cost(
    sides: &[Side; 2],
    movable: &Movable,
    assumptions: &CostAssumptions,
    share: Decimal,
    tiers: [Option<Tier>; 2],
) -> Result<Split> {
    let shares = [share, Decimal::ONE - share];
    let mut providers = Vec::with_capacity(2);
    for ((side, share), tier) in sides.iter().zip(shares).zip(tiers) {
        let mut provider = side.provider.clone();
        provider.lines.push(YearlyLine { first_year: times(side.workload_first_year, share)?, ..movable.line.clone() });
        provider.agreement = tier;
        providers.push(provider);
    }
    let mut totals = compare(&providers, assumptions)?;
    totals.sort_by_key(|total| total.provider != providers[0].name);
    let moved = share - movable.share_today;
    let rate = if moved > Decimal::ZERO { movable.moving_cost[1] } else { movable.moving_cost[0] };
    let moving = times(times(moved.abs(), rate)?, Decimal::ONE - assumptions.tax_rate)?;
    let present_value = totals.iter().map(|total| total.present_value).sum::<f64>() + float(moving)?;
    let costs: [TotalCost; 2] = totals.try_into().map_err(|_| Error::Empty { what: "providers" })?;
    plus(costs[0].after_tax, costs[1].after_tax)?;
    Ok(Split { share, tiers, costs, moving, present_value })
}

#[cfg(test)]
mod tests {
    use super::super::super::AnnualRate;
    use super::super::super::total_cost::LineKind;
    use super::*;
    use proptest::prelude::*;
    use rust_decimal::dec;

    fn side(name: &str, stays: Decimal, workload: Decimal, tiers: &[(Decimal, Decimal)]) -> Side {
        let line = YearlyLine { name: "rest".into(), kind: LineKind::OnDemand, first_year: stays, growth: dec!(0.1) };
        let tiers: Vec<Tier> = tiers.iter().map(|(commit, discount)| Tier { commit: *commit, discount: *discount }).collect();
        Side {
            provider: ProviderCost {
                name: name.into(),
                currency: "USD".into(),
                exchange_rate: dec!(1),
                lines: vec![line],
                price_changes: Vec::new(),
                agreement: None,
            },
            workload_first_year: workload,
            tiers: (!tiers.is_empty()).then(|| TierTable::new(tiers).unwrap()),
        }
    }

    fn movable(share_today: Decimal, cost: Decimal) -> Movable {
        let line = YearlyLine { name: "batch".into(), kind: LineKind::OnDemand, first_year: dec!(0), growth: dec!(0.2) };
        Movable { line, share_today, moving_cost: [cost, cost] }
    }

    fn assumptions() -> CostAssumptions {
        CostAssumptions { years: 3, currency: "USD".into(), tax_rate: dec!(0), wacc: AnnualRate::Effective(0.08) }
    }

    #[test]
    fn concentrating_pays_where_a_tier_is_in_reach() -> Result<()> {
        let sides = [side("a", dec!(60), dec!(40), &[(dec!(95), dec!(0.12))]), side("b", dec!(10), dec!(40), &[])];
        let found = best(&sides, &movable(dec!(0.5), dec!(2)), &assumptions())?;
        assert_eq!((found.share, found.tiers[0].map(|tier| tier.commit)), (dec!(1), Some(dec!(95))));
        // Too dear to move: today's share, and no tier that it does not reach.
        let found = best(&sides, &movable(dec!(0.5), dec!(1000)), &assumptions())?;
        assert_eq!(found.share, dec!(0.5));
        assert!(at_share(&sides, &movable(dec!(0.5), dec!(2)), &assumptions(), dec!(1.5)).is_err());
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn no_share_on_a_grid_is_cheaper_than_the_best(
            stays in (10i64..100, 10i64..100), workload in (10i64..80, 10i64..80), commits in (20i64..200, 20i64..200),
            today in 0i64..10, moving in 0i64..20,
        ) {
            let dec = |value: i64| Decimal::from(value);
            let sides = [
                side("a", dec(stays.0), dec(workload.0), &[(dec(commits.0), dec!(0.1))]),
                side("b", dec(stays.1), dec(workload.1), &[(dec(commits.1), dec!(0.08)), (dec(commits.1 + 40), dec!(0.15))]),
            ];
            let movable = movable(Decimal::new(today, 1), dec(moving));
            let optimum = best(&sides, &movable, &assumptions()).unwrap().present_value;
            for step in 0..=20 {
                let other = at_share(&sides, &movable, &assumptions(), Decimal::new(step * 5, 2)).unwrap().present_value;
                prop_assert!(optimum <= other + 1e-9, "{other} at {step} below {optimum}");
            }
        }
    }
}
