//! What a unit of a driver costs: a bill joined to drivers (tokens, users, transactions, orders) by the tags of its usage lines.
//!
//! Every line's effective cost goes to the driver that selects it: what was left on demand, what ran on spot, and the part of the commitments
//! that covered it. Cost of lines that no driver selects is shared, the cost of unused commitments is shared out by a rule of its own; both
//! stay beside the drivers where so asked. All parts add up to the bill. Formulas: `docs/spot-and-capacity.md`, "Unit economics".

use super::transform::{Driver, Select};
use crate::billing::Bill;
use crate::error::{Error, Problem, Result};
use crate::finance::unit_economics::{CostOfUnits, OwnerUse, UnitMargin, UnusedAllocation, allocate_unused, gross_margin};
use crate::time::Month;
use crate::units::to_f64;
use crate::usage::UsageCurves;
use std::collections::BTreeMap;

/// A driver with the lines that serve it.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitDriver {
    /// Its name, which results carry.
    pub name: String,
    /// The lines whose cost it drives, by tags above all.
    pub select: Select,
    /// Its units of every month, as the scenarios' drivers have them.
    pub driver: Driver,
}

/// How cost that belongs to no driver alone is shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// Cost of lines that no driver selects.
    pub shared: SharedAllocation,
    /// Cost of unused commitments.
    pub unused: UnusedAllocation,
}

impl Default for Sharing {
    /// Shared cost by direct cost; unused commitment by covered cost.
    fn default() -> Self {
        Self { shared: SharedAllocation::DirectCost, unused: UnusedAllocation::CoveredCost }
    }
}

/// How the cost of lines that no driver selects is shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedAllocation {
    /// By each driver's direct cost.
    DirectCost,
    /// None to drivers.
    Central,
}

/// What one driver's units cost.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitCost {
    /// The driver's name.
    pub driver: String,
    /// Its units over the hours of the usage.
    pub units: f64,
    /// Effective cost of its lines: on demand, spot and covered.
    pub direct: f64,
    /// Of that, what commitments covered, at what they cost.
    pub covered: f64,
    /// Its part of the lines that no driver selects.
    pub shared: f64,
    /// Its part of unused commitments.
    pub unused: f64,
}

impl UnitCost {
    /// All its parts.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.direct + self.shared + self.unused
    }

    /// Units and cost, for averages and margins.
    #[must_use]
    pub fn cost_of_units(&self) -> CostOfUnits {
        CostOfUnits { units: self.units, cost: self.total() }
    }

    /// Cost per unit; `None` without units.
    #[must_use]
    pub fn per_unit(&self) -> Option<f64> {
        self.cost_of_units().average().ok()
    }
}

/// Unit costs of all drivers, and what none of them bears. Everything adds up to [`UnitCosts::total`].
#[derive(Clone, Debug, PartialEq)]
pub struct UnitCosts {
    /// By driver, in the order given.
    pub drivers: Vec<UnitCost>,
    /// Shared cost that no driver bears.
    pub central_shared: f64,
    /// Cost of unused commitments that no driver bears.
    pub central_unused: f64,
}

impl UnitCosts {
    /// The bill: on demand, commitments and spot.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.drivers.iter().map(UnitCost::total).sum::<f64>() + self.central_shared + self.central_unused
    }

    /// The driver of that name.
    #[must_use]
    pub fn driver(&self, name: &str) -> Option<&UnitCost> {
        self.drivers.iter().find(|one| one.driver == name)
    }

    /// Joins a bill to drivers. `spot` is the cost of columns of spot usage, which no bill prices.
    ///
    /// # Errors
    /// [`Problem::Repeated`] for two drivers of one name, or a line that two drivers select (give each line one driver, or ask for one driver at
    /// a time); [`Problem::SelectsNothing`] for a driver without lines; [`Problem::DriverWithoutData`] for a month without units;
    /// [`Problem::OutOfRange`] for units below 0, or a bill or spot cost of other usage.
    pub fn new(
        usage: &UsageCurves,
        bill: &Bill,
        spot: &BTreeMap<usize, f64>,
        drivers: &[UnitDriver],
        sharing: Sharing,
    ) -> Result<Self> {
        let owners = owners(usage, drivers)?;
        let width = usage.lines().len();
        let other = |column: usize| {
            let problem =
                Problem::OutOfRange { value: format!("column {column}"), range: "the lines of the usage that was billed" };
            Error::from(problem).in_field("bill")
        };
        let mut direct = vec![0.0; width];
        let mut covered = vec![0.0; width];
        let mut eligible = vec![0.0; width];
        for line in bill.lines() {
            let place = direct.get_mut(line.column).ok_or_else(|| other(line.column))?;
            *place += to_f64(line.on_demand.value() - line.sustained_use_discount.value());
            eligible[line.column] += line.on_demand_equivalent.to_f64();
        }
        let price_of: BTreeMap<usize, f64> = bill
            .lines()
            .iter()
            .filter(|line| !line.quantity.is_zero())
            .map(|line| (line.column, to_f64(line.on_demand_equivalent.value() / line.quantity)))
            .collect();
        for commitment in bill.commitments() {
            // What it covered, at on-demand prices, is how its used cost spreads over lines; by quantity if all of them are free.
            let value = |(column, quantity): (&usize, &rust_decimal::Decimal)| {
                (*column, to_f64(*quantity) * price_of.get(column).copied().unwrap_or(0.0))
            };
            let mut parts: Vec<(usize, f64)> = commitment.by_line.iter().map(value).collect();
            if parts.iter().all(|(_, value)| *value <= 0.0) {
                parts = commitment.by_line.iter().map(|(column, quantity)| (*column, to_f64(*quantity))).collect();
            }
            let whole: f64 = parts.iter().map(|(_, value)| value).sum();
            for (column, value) in parts.into_iter().filter(|_| whole > 0.0) {
                *covered.get_mut(column).ok_or_else(|| other(column))? +=
                    commitment.charges.used_commitment.to_f64() * value / whole;
            }
        }
        for (column, cost) in spot {
            *direct.get_mut(*column).ok_or_else(|| other(*column))? += cost;
        }
        // What covers no line, though used, is borne like unused commitment, so that nothing is lost.
        let all = bill.total().cost().to_f64() + spot.values().sum::<f64>();
        let unused = all - direct.iter().sum::<f64>() - covered.iter().sum::<f64>();
        let sum = |values: &[f64], owner: Option<usize>| -> f64 {
            values.iter().zip(&owners).filter(|(_, of)| **of == owner).map(|(value, _)| value).sum()
        };
        let of_owner = |owner: usize| sum(&direct, Some(owner)) + sum(&covered, Some(owner));
        let shared = sum(&direct, None) + sum(&covered, None);
        let all_direct: f64 = (0..drivers.len()).map(of_owner).sum();
        let shares_out = sharing.shared == SharedAllocation::DirectCost && all_direct > 0.0;
        let uses: Vec<OwnerUse> = (0..drivers.len())
            .map(|owner| OwnerUse { covered_cost: sum(&covered, Some(owner)), eligible_on_demand: sum(&eligible, Some(owner)) })
            .collect();
        let (unused_parts, central_unused) = allocate_unused(unused, &uses, sharing.unused);
        let drivers = drivers
            .iter()
            .enumerate()
            .map(|(index, driver)| {
                Ok(UnitCost {
                    driver: driver.name.clone(),
                    units: units(&driver.name, &driver.driver, usage)?,
                    direct: of_owner(index),
                    covered: uses[index].covered_cost,
                    shared: if shares_out { shared * of_owner(index) / all_direct } else { 0.0 },
                    unused: unused_parts[index],
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self { drivers, central_shared: if shares_out { 0.0 } else { shared }, central_unused })
    }
}

/// Which driver each line belongs to.
fn owners(usage: &UsageCurves, drivers: &[UnitDriver]) -> Result<Vec<Option<usize>>> {
    let mut owners: Vec<Option<usize>> = vec![None; usage.lines().len()];
    for (index, driver) in drivers.iter().enumerate() {
        if drivers[..index].iter().any(|other| other.name == driver.name) {
            return Err(Error::from(Problem::Repeated).in_field("driver.name").in_item(driver.name.clone()));
        }
        for column in driver.select.columns(usage).map_err(|error| error.in_item(driver.name.clone()))? {
            if let Some(other) = owners[column].replace(index) {
                let item = format!("{}, of {} and {}", usage.lines()[column], drivers[other].name, driver.name);
                return Err(Error::from(Problem::Repeated).in_field("driver.select").in_item(item));
            }
        }
    }
    Ok(owners)
}

/// A driver's units over the hours of the usage: of each month the part that its hours are.
fn units(name: &str, driver: &Driver, usage: &UsageCurves) -> Result<f64> {
    let mut hours: BTreeMap<Month, f64> = BTreeMap::new();
    for (hour, weight) in usage.grid().hours().zip(usage.weights()) {
        *hours.entry(hour.month()).or_insert(0.0) += weight;
    }
    let mut units = 0.0;
    for (month, hours) in hours {
        let missing = || Problem::DriverWithoutData { driver: name.to_owned(), missing: month.to_string() };
        let value = *driver.monthly.get(&month.to_string()).ok_or_else(missing)?;
        if !(value.is_finite() && value >= 0.0) {
            let problem = Problem::OutOfRange { value: value.to_string(), range: "finite numbers of 0 or more" };
            return Err(Error::from(problem).in_field("drivers.monthly").in_item(name));
        }
        units += value * hours / f64::from(month.hours());
    }
    Ok(units)
}

/// One driver's unit cost in several situations side by side: now, under a plan, in each scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The driver's name.
    pub driver: String,
    /// Name of the situation, units, cost, cost per unit, and the marginal cost from the first situation to it: `None` without units, or with the
    /// same number of them.
    pub rows: Vec<ComparisonRow>,
}

/// One situation of a [`Comparison`].
#[derive(Clone, Debug, PartialEq)]
pub struct ComparisonRow {
    /// The situation's name.
    pub situation: String,
    /// Units and their cost.
    pub cost_of_units: CostOfUnits,
    /// Average cost of a unit.
    pub average: Option<f64>,
    /// Cost of a further unit, between the first situation and this one. Only situations with the same commitments tell what a unit causes.
    pub marginal: Option<f64>,
}

/// What a unit earns in one situation.
#[derive(Clone, Debug, PartialEq)]
pub struct Margin {
    /// The situation's name.
    pub situation: String,
    /// Contribution margin of a unit: revenue less marginal cost, or less average cost where no marginal cost is known.
    pub contribution: f64,
    /// Gross margin, all of the driver's cost taken as cost of revenue.
    pub gross_margin: f64,
    /// By how much the gross margin is above that of the first situation: 0.01 is one percentage point.
    pub gross_margin_effect: f64,
}

impl Comparison {
    /// Margins at a revenue of a unit, the same in all situations. Situations without units are left out.
    ///
    /// # Errors
    /// [`Problem::OutOfRange`] unless the revenue is finite and above 0.
    pub fn margins(&self, revenue_per_unit: f64) -> Result<Vec<Margin>> {
        if !(revenue_per_unit.is_finite() && revenue_per_unit > 0.0) {
            let problem = Problem::OutOfRange { value: revenue_per_unit.to_string(), range: "finite numbers above 0" };
            return Err(Error::from(problem).in_field("revenue_per_unit").in_item(self.driver.clone()));
        }
        let mut first = None;
        let margin = |row: &ComparisonRow| {
            let average = row.average?;
            let unit = UnitMargin { revenue: revenue_per_unit, variable_cost: row.marginal.unwrap_or(average) };
            let margin = gross_margin(revenue_per_unit, average).ok()?;
            let base = *first.get_or_insert(margin);
            Some(Margin {
                situation: row.situation.clone(),
                contribution: unit.contribution(),
                gross_margin: margin,
                gross_margin_effect: margin - base,
            })
        };
        Ok(self.rows.iter().filter_map(margin).collect())
    }
}

/// Every driver's unit cost over situations, in the order given; drivers that a situation lacks are left out of it.
#[must_use]
pub fn compare(situations: &[(&str, &UnitCosts)]) -> Vec<Comparison> {
    let mut names: Vec<&str> = Vec::with_capacity(situations.len());
    for driver in situations.iter().flat_map(|(_, costs)| &costs.drivers) {
        if !names.contains(&driver.driver.as_str()) {
            names.push(&driver.driver);
        }
    }
    let of = |name: &str| {
        let found = situations.iter().filter_map(|(situation, costs)| Some((*situation, costs.driver(name)?.cost_of_units())));
        let found: Vec<(&str, CostOfUnits)> = found.collect();
        let row = |(situation, cost): &(&str, CostOfUnits)| ComparisonRow {
            situation: (*situation).to_owned(),
            cost_of_units: *cost,
            average: cost.average().ok(),
            marginal: found.first().and_then(|(_, first)| first.marginal(cost).ok()),
        };
        Comparison { driver: name.to_owned(), rows: found.iter().map(row).collect() }
    };
    names.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::{Judge, Rules};
    use crate::catalog::Catalog;
    use crate::portfolio::Portfolio;

    fn case(second: f64) -> Result<(UsageCurves, Catalog, Portfolio)> {
        let catalog = Catalog::read("tests/data/catalog.json")?;
        let mut rows = "hour,provider,service,region,sku,platform,tenancy,unit,account,tag:product,quantity\n".to_owned();
        for (hour, quantity) in [(0, 3.0), (1, second)] {
            for (product, share) in [("chat", 1.0), ("search", 2.0), ("", 0.5)] {
                rows += &format!(
                    "2024-01-01T0{hour}:00:00Z,aws,AmazonEC2,us-east-1,m5.large,Linux,shared,instance-hour,a,{product},{}\n",
                    quantity * share
                );
            }
        }
        let held = r#"{"schema": "covermix-portfolio/1", "currency": "USD", "commitments": [{
            "id": "two", "offer": "ri/us-east-1/m5.large/Linux/1y-standard-no-upfront", "quantity": "6",
            "start": "2024-01-01T00:00:00Z", "end": "2024-12-31T00:00:00Z", "account": "a", "scope": {"kind": "region"}}]}"#;
        Ok((UsageCurves::from_reader(rows.as_bytes())?, catalog.clone(), Portfolio::from_json(held, &catalog)?))
    }

    fn driver(name: &str, product: &str, units: f64) -> UnitDriver {
        let select = Select { tags: BTreeMap::from([("product".to_owned(), product.to_owned())]), ..Select::default() };
        let monthly = BTreeMap::from([("2024-01".to_owned(), units)]);
        UnitDriver { name: name.into(), select, driver: Driver { unit: "1,000 tokens".into(), base: units.max(1.0), monthly } }
    }

    #[test]
    fn unit_costs_sum_back_to_the_bill() -> Result<()> {
        let (usage, catalog, portfolio) = case(1.0)?;
        let bill = Judge::new(&usage, &catalog, &portfolio, &Rules::default())?.bill();
        let drivers = [driver("tokens", "chat", 744_000.0), driver("queries", "search", 74_400.0)];
        let spot = BTreeMap::from([(0, 0.25)]);
        let all = bill.total().cost().to_f64() + 0.25;
        for shared in [SharedAllocation::DirectCost, SharedAllocation::Central] {
            for unused in [UnusedAllocation::CoveredCost, UnusedAllocation::EligibleOnDemand, UnusedAllocation::Central] {
                let costs = UnitCosts::new(&usage, &bill, &spot, &drivers, Sharing { shared, unused })?;
                assert!((costs.total() - all).abs() < 1e-12, "{} is not {all}", costs.total());
                let of_drivers: f64 = costs.drivers.iter().map(|one| one.per_unit().unwrap_or(0.0) * one.units).sum();
                assert!((of_drivers + costs.central_shared + costs.central_unused - all).abs() < 1e-12);
                // Two hours of 744.
                assert!((costs.drivers[0].units - 2000.0).abs() < 1e-9 && costs.drivers[1].direct > costs.drivers[0].direct);
                assert_eq!(costs.central_unused > 0.0, unused == UnusedAllocation::Central);
                assert_eq!(costs.central_shared > 0.0, shared == SharedAllocation::Central);
            }
        }
        Ok(())
    }

    #[test]
    fn a_further_unit_costs_less_than_the_average_under_commitments() -> Result<()> {
        let costs_of = |second: f64, units: f64| -> Result<UnitCosts> {
            let (usage, catalog, portfolio) = case(second)?;
            let bill = Judge::new(&usage, &catalog, &portfolio, &Rules::default())?.bill();
            let drivers = [driver("tokens", "*", units)];
            UnitCosts::new(&usage, &bill, &BTreeMap::new(), &drivers, Sharing::default())
        };
        // Six are reserved: the second hour has room for what more tokens need.
        let (now, more) = (costs_of(1.0, 744_000.0)?, costs_of(1.5, 930_000.0)?);
        let table = compare(&[("now", &now), ("more", &more)]);
        let [now, more] = table[0].rows.as_slice() else { return Err(Problem::Empty { what: "row" }.into()) };
        assert_eq!((now.marginal, now.situation.as_str()), (None, "now"));
        assert!(more.marginal < now.average && more.average < now.average, "{table:?}");
        let margins = table[0].margins(0.01)?;
        // The average falls by as much of the revenue as the margin rises; a further unit contributes more than the average one.
        let fall = (now.average.unwrap_or(0.0) - more.average.unwrap_or(0.0)) / 0.01;
        assert!((margins[1].gross_margin_effect - fall).abs() < 1e-12 && margins[1].contribution > margins[0].contribution);
        assert!(table[0].margins(0.0).is_err());
        Ok(())
    }

    #[test]
    fn a_line_has_one_driver_and_a_driver_has_units() -> Result<()> {
        let (usage, catalog, portfolio) = case(1.0)?;
        let bill = Judge::new(&usage, &catalog, &portfolio, &Rules::default())?.bill();
        let refused = |drivers: &[UnitDriver]| {
            let found = UnitCosts::new(&usage, &bill, &BTreeMap::new(), drivers, Sharing::default());
            found.map_or_else(|error| error.to_string(), |_| String::new())
        };
        let mut without = driver("tokens", "chat", 1.0);
        without.driver.monthly.clear();
        for (drivers, said) in [
            (vec![driver("a", "chat", 1.0), driver("b", "c*", 1.0)], "of a and b"),
            (vec![driver("a", "chat", 1.0), driver("a", "search", 1.0)], "twice"),
            (vec![driver("a", "nothing", 1.0)], "takes no usage line"),
            (vec![without], "no data"),
            (vec![driver("a", "chat", f64::NAN)], "0 or more"),
        ] {
            let message = refused(&drivers);
            assert!(message.contains(said), "{said}: {message}");
        }
        Ok(())
    }
}
