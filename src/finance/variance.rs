//! Why actual cost differs from budget (or plan): effects that sum exactly to the difference.
//!
//! [`price_volume`] splits one product, [`split`] a list of lines into volume, mix, rate and commitment effects, and
//! [`bridge`] replaces one driver after the other. The parts of a bridge depend on the order of replacement, so it is
//! fixed and stated: volume, list price, agreement, coverage, utilisation, plan discount.

use super::cash_flow::sum;
use super::{Error, Result};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Quantity and rate of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuantityRate {
    /// Units (hours).
    pub quantity: Decimal,
    /// Price per unit.
    pub rate: Decimal,
}

/// The two effects of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceVolume {
    /// (Qa - Qb) Pb: more units at the budgeted rate.
    pub volume: Decimal,
    /// (Pa - Pb) Qa: another rate on the actual units.
    pub rate: Decimal,
    /// Their sum: actual less budget.
    pub total: Decimal,
}

/// Volume at the budget's rate, rate at the actual volume.
///
/// # Errors
/// [`Error::Overflow`].
pub fn price_volume(budget: QuantityRate, actual: QuantityRate) -> Result<PriceVolume> {
    let volume = product(actual.quantity - budget.quantity, budget.rate)?;
    let rate = product(actual.rate - budget.rate, actual.quantity)?;
    Ok(PriceVolume { volume, rate, total: sum([volume, rate])? })
}

/// One line of a budget, plan or actual: cost is quantity × rate + commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostLine {
    /// What joins the line of the budget to that of the actual (product, team).
    pub name: String,
    /// Units.
    pub quantity: Decimal,
    /// Price per unit before commitments (on-demand or contracted).
    pub rate: Decimal,
    /// Effect of commitments on the line's cost: negative for savings, positive for unused commitment.
    pub commitment: Decimal,
}

/// Four effects that sum to the total, to the last digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VarianceEffects {
    /// More or fewer units, at the budget's average rate.
    pub volume: Decimal,
    /// Other shares of dear and cheap lines, at budgeted rates.
    pub mix: Decimal,
    /// Other rates, on the actual units.
    pub rate: Decimal,
    /// Other savings or waste by commitments.
    pub commitment: Decimal,
    /// Actual cost less budgeted cost.
    pub total: Decimal,
}

/// Splits actual less budget. A line on one side only counts as zero units at the other side's rate, so a new line is
/// volume and mix, not rate. Lines of the same name are added up (their rate is the weighted one).
///
/// # Errors
/// [`Error::Overflow`].
pub fn split(budget: &[CostLine], actual: &[CostLine]) -> Result<VarianceEffects> {
    let (budget, actual) = (joined(budget)?, joined(actual)?);
    let names: std::collections::BTreeSet<&str> = budget.keys().chain(actual.keys()).copied().collect();
    let (mut budget_units, mut actual_units) = (Decimal::ZERO, Decimal::ZERO);
    let (mut budgeted, mut flexed, mut spent, mut commitment) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
    for name in names {
        let (was, is) = (budget.get(name), actual.get(name));
        let (zero, none) = ((Decimal::ZERO, Decimal::ZERO, Decimal::ZERO), Decimal::ZERO);
        let (was_units, was_cost, was_commitment) = was.copied().unwrap_or(zero);
        let (is_units, is_cost, is_commitment) = is.copied().unwrap_or(zero);
        budget_units += was_units;
        actual_units += is_units;
        budgeted += was_cost;
        spent += is_cost;
        // Actual units at budgeted rates; without a budgeted rate the actual one, so that there is no rate effect.
        flexed += if was_units == none { is_cost } else { rounded(product(was_cost, is_units)?.checked_div(was_units))? };
        commitment += is_commitment - was_commitment;
    }
    let volume = match budgeted.checked_mul(actual_units - budget_units) {
        Some(value) if !budget_units.is_zero() => rounded(value.checked_div(budget_units))?,
        Some(_) => Decimal::ZERO,
        None => {
            return Err(Error::Overflow { what: "a volume effect" });
        }
    };
    let (mix, rate) = (flexed - budgeted - volume, spent - flexed);
    Ok(VarianceEffects { volume, mix, rate, commitment, total: sum([spent - budgeted, commitment])? })
}

/// Budget against plan and plan against actual: what the plan meant to change, and what came otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreeWayVariance {
    /// Plan less budget.
    pub planned: VarianceEffects,
    /// Actual less plan.
    pub unplanned: VarianceEffects,
    /// Actual less budget: the totals of both add up to it.
    pub total: Decimal,
}

/// Splits actual less budget at the plan (the forecast with the purchases decided).
///
/// # Errors
/// As [`split`].
pub fn three_way(budget: &[CostLine], plan: &[CostLine], actual: &[CostLine]) -> Result<ThreeWayVariance> {
    let (planned, unplanned) = (split(budget, plan)?, split(plan, actual)?);
    Ok(ThreeWayVariance { planned, unplanned, total: sum([planned.total, unplanned.total])? })
}

/// The drivers of a bill: cost = volume · price · (1 - agreement) · (1 - coverage · (1 - (1 - discount) / utilisation)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drivers {
    /// Units used.
    pub volume: Decimal,
    /// List price per unit.
    pub list_price: Decimal,
    /// Agreement discount, a fraction.
    pub agreement_discount: Decimal,
    /// Share of the on-demand equivalent covered by commitments.
    pub coverage: Decimal,
    /// Share of the commitments used; above 0.
    pub utilisation: Decimal,
    /// Discount of the commitments against on-demand.
    pub plan_discount: Decimal,
}

impl Drivers {
    /// The cost they give.
    ///
    /// # Errors
    /// [`Error::Overflow`], also for a utilisation of 0.
    pub fn cost(&self) -> Result<Decimal> {
        let one = Decimal::ONE;
        let paid =
            (one - self.plan_discount).checked_div(self.utilisation).ok_or(Error::Overflow { what: "fee / utilisation" })?;
        let factor = one - product(self.coverage, one - paid)?;
        let price = product(self.list_price, one - self.agreement_discount)?;
        product(product(self.volume, price)?, factor)
    }
}

/// One step of a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Driver {
    /// Units used.
    Volume,
    /// List price.
    ListPrice,
    /// Agreement discount.
    Agreement,
    /// Coverage.
    Coverage,
    /// Utilisation.
    Utilisation,
    /// Plan discount.
    PlanDiscount,
}

/// From a budgeted to an actual cost, one driver at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bridge {
    /// Budgeted cost.
    pub budget: Decimal,
    /// Each driver's effect in the order of replacement; they sum to actual less budget.
    pub effects: Vec<(Driver, Decimal)>,
    /// Actual cost.
    pub actual: Decimal,
}

/// Replaces the budget's drivers by the actual ones in the stated order.
///
/// # Errors
/// As [`Drivers::cost`].
pub fn bridge(budget: &Drivers, actual: &Drivers) -> Result<Bridge> {
    let mut now = *budget;
    let start = rounded(Some(budget.cost()?))?;
    let mut cost = start;
    let mut effects = Vec::new();
    let order =
        [Driver::Volume, Driver::ListPrice, Driver::Agreement, Driver::Coverage, Driver::Utilisation, Driver::PlanDiscount];
    for driver in order {
        match driver {
            Driver::Volume => now.volume = actual.volume,
            Driver::ListPrice => now.list_price = actual.list_price,
            Driver::Agreement => now.agreement_discount = actual.agreement_discount,
            Driver::Coverage => now.coverage = actual.coverage,
            Driver::Utilisation => now.utilisation = actual.utilisation,
            Driver::PlanDiscount => now.plan_discount = actual.plan_discount,
        }
        let next = rounded(Some(now.cost()?))?;
        effects.push((driver, next - cost));
        cost = next;
    }
    Ok(Bridge { budget: start, effects, actual: cost })
}

/// Units, cost and commitment effect by name.
fn joined(lines: &[CostLine]) -> Result<BTreeMap<&str, (Decimal, Decimal, Decimal)>> {
    let mut rows: BTreeMap<&str, (Decimal, Decimal, Decimal)> = BTreeMap::new();
    for line in lines {
        let row = rows.entry(line.name.as_str()).or_default();
        row.0 = sum([row.0, line.quantity])?;
        row.1 = rounded(Some(sum([row.1, product(line.quantity, line.rate)?])?))?;
        row.2 = rounded(Some(sum([row.2, line.commitment])?))?;
    }
    Ok(rows)
}

/// Twelve decimals: sums of such amounts are exact within 28 digits.
fn rounded(value: Option<Decimal>) -> Result<Decimal> {
    value.map(|value| value.round_dp(12)).ok_or(Error::Overflow { what: "a variance effect" })
}

fn product(left: Decimal, right: Decimal) -> Result<Decimal> {
    left.checked_mul(right).ok_or(Error::Overflow { what: "a variance effect" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    fn line(name: &str, quantity: Decimal, rate: Decimal, commitment: Decimal) -> CostLine {
        CostLine { name: name.into(), quantity, rate, commitment }
    }

    #[test]
    fn effects_sum_to_the_total() -> Result<()> {
        let budget = [line("web", dec!(1000), dec!(0.1), dec!(-20)), line("gpu", dec!(10), dec!(4), dec!(0))];
        let actual = [
            line("web", dec!(1200), dec!(0.08), dec!(-15)),
            line("gpu", dec!(30), dec!(4), dec!(0)),
            line("new", dec!(7), dec!(3), dec!(1)),
        ];
        let effects = split(&budget, &actual)?;
        assert_eq!(effects.volume + effects.mix + effects.rate + effects.commitment, effects.total);
        assert_eq!(effects.total, dec!(96) + dec!(120) + dec!(21) - dec!(14) - (dec!(140) - dec!(20)));
        assert_eq!((effects.rate, effects.commitment), (dec!(-24), dec!(6)));
        let plan = [line("web", dec!(1100), dec!(0.09), dec!(-30))];
        let three = three_way(&budget, &plan, &actual)?;
        assert_eq!(three.total, effects.total);
        Ok(())
    }

    #[test]
    fn the_bridge_replaces_in_the_stated_order() -> Result<()> {
        let budget = Drivers {
            volume: dec!(1000),
            list_price: dec!(1),
            agreement_discount: dec!(0),
            coverage: dec!(0.8),
            utilisation: dec!(1),
            plan_discount: dec!(0.3),
        };
        let actual = Drivers { volume: dec!(1100), list_price: dec!(0.98), utilisation: dec!(0.9), ..budget };
        let bridge = bridge(&budget, &actual)?;
        assert_eq!(bridge.budget, dec!(760));
        assert_eq!((bridge.effects[0].1, bridge.effects[1].1), (dec!(76), dec!(-16.72)));
        assert_eq!(bridge.budget + bridge.effects.iter().map(|effect| effect.1).sum::<Decimal>(), bridge.actual);
        assert!(Drivers { utilisation: dec!(0), ..budget }.cost().is_err());
        Ok(())
    }
}
