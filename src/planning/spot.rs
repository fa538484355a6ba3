//! Spot beside commitments: a share of a usage line may run on capacity that the provider can take back, at its effective price, and which
//! hours of it do is decided together with the purchases.
//!
//! A line with a spot option becomes two columns: what must run (`1 - max_share`) and what may be interrupted (`max_share`). The recourse
//! prices the second at the lower of its on-demand and effective spot price and lets commitments cover both, so its bound holds for any
//! choice of hours and purchases. The plan itself is billed: in every hour, what the cheapest covering leaves of the second column runs on
//! spot, and the judge bills the rest, since no commitment covers spot usage. Formulas: `docs/spot-and-capacity.md`, "Spot beside
//! commitments".

#[cfg(feature = "highs")]
mod plan;

#[cfg(feature = "highs")]
pub use plan::{SpotLine, SpotPlan};

use super::Planner;
use super::problem::{Problem, Scenario};
use crate::billing::{Judge, Outcome};
use crate::catalog::Catalog;
use crate::error::{Error, Problem as Wrong, Result};
use crate::portfolio::Portfolio;
use crate::usage::{PricingCategory, UsageCurves, UsageLine};
use ndarray::{Array2, Axis, concatenate};
use std::collections::BTreeMap;

/// The tag that tells the interruptible column of a line from the other.
const INTERRUPTIBLE: &str = "covermix:interruptible";

/// What of a usage line may run on spot.
#[derive(Clone, Debug, PartialEq)]
pub struct SpotOption {
    /// The line, as in the usage.
    pub line: UsageLine,
    /// The largest share of its usage in any hour that may be interrupted, 0 to 1.
    pub max_share: f64,
    /// What a unit of work costs there, interruptions and all, in the catalog's currency: [`crate::scenario::spot::EffectivePrice`] gives it.
    /// Above 0. Work whose effective price is not below its on-demand price stays where it is.
    pub price: f64,
}

/// The columns of a problem's usage that may run on spot, with the effective price of a unit of work there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Interruptible(BTreeMap<usize, f64>);

impl Interruptible {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The least that a unit of each column can cost without commitments.
    pub(super) fn cap(&self, mut least: BTreeMap<usize, f64>) -> BTreeMap<usize, f64> {
        for (column, price) in &self.0 {
            if let Some(least) = least.get_mut(column) {
                *least = least.min(*price);
            }
        }
        least
    }
}

/// Usage with an interruptible column for every line that has a spot option.
struct Split {
    usage: UsageCurves,
    interruptible: Interruptible,
}

impl Split {
    /// Splits the lines whose option can pay.
    fn new(usage: &UsageCurves, catalog: &Catalog, spot: &[SpotOption]) -> Result<Self> {
        let mut options: BTreeMap<usize, &SpotOption> = BTreeMap::new();
        for option in spot {
            let at = |error: Error| error.in_item(option.line.to_string());
            let unknown = || at(Wrong::Dangling { kind: "usage line", id: option.line.to_string() }.into());
            let column = usage.lines().iter().position(|line| *line == option.line).ok_or_else(unknown)?;
            let wrong = |field: &str, value: f64, range| {
                Err(at(Error::from(Wrong::OutOfRange { value: value.to_string(), range }).in_field(field)))
            };
            if !(0.0..=1.0).contains(&option.max_share) {
                return wrong("spot.max_share", option.max_share, "0 to 1");
            }
            if !(option.price.is_finite() && option.price > 0.0) {
                return wrong("spot.price", option.price, "finite prices above 0");
            }
            if option.line.pricing != PricingCategory::Standard {
                let problem = Wrong::Value { value: option.line.pricing.as_str().into(), expected: "a line of on-demand usage" };
                return Err(at(Error::from(problem).in_field("spot.line")));
            }
            if options.insert(column, option).is_some() {
                return Err(at(Error::from(Wrong::Repeated).in_field("spot.line")));
            }
        }
        let pays = |column: &usize, option: &SpotOption| {
            let price = catalog.price(&usage.lines()[*column].sku).map(|price| price.price.to_f64());
            option.max_share > 0.0 && price.is_none_or(|price| option.price < price)
        };
        options.retain(|column, option| pays(column, option));
        if options.is_empty() {
            return Ok(Self { usage: usage.clone(), interruptible: Interruptible::default() });
        }
        let mut quantity = usage.quantity().clone();
        let mut lines = usage.lines().to_vec();
        let mut added = Array2::zeros((quantity.nrows(), options.len()));
        for (position, (column, option)) in options.iter().enumerate() {
            let mut line = option.line.clone();
            line.tags.insert(INTERRUPTIBLE.to_owned(), "yes".to_owned());
            lines.push(line);
            let whole = usage.quantity().column(*column);
            added.column_mut(position).assign(&(&whole * option.max_share));
            quantity.column_mut(*column).assign(&whole);
            quantity.column_mut(*column).zip_mut_with(&added.column(position), |left, moved| *left = (*left - moved).max(0.0));
        }
        let quantity = concatenate(Axis(1), &[quantity.view(), added.view()])
            .map_err(|error| Error::from(Wrong::OutOfRange { value: error.to_string(), range: "the shape hours x lines" }))?;
        let split = UsageCurves::new(usage.grid(), lines, quantity)?.with_weights(usage.weights().clone())?;
        let price_of = |line: &UsageLine| {
            let option = options.values().find(|option| original(line).is_some_and(|original| original == option.line))?;
            Some(option.price)
        };
        let columns = split.lines().iter().enumerate();
        let interruptible = columns.filter_map(|(column, line)| Some((column, price_of(line)?))).collect();
        Ok(Self { usage: split, interruptible: Interruptible(interruptible) })
    }
}

/// The line that an interruptible column was split from; `None` for other lines.
fn original(line: &UsageLine) -> Option<UsageLine> {
    let mut original = line.clone();
    original.tags.remove(INTERRUPTIBLE)?;
    Some(original)
}

/// What runs on spot in a scenario: hours x interruptible columns.
struct OnSpot(Array2<f64>);

impl OnSpot {
    /// The usage that remains to be billed.
    fn rest(&self, usage: &UsageCurves, interruptible: &Interruptible) -> Result<UsageCurves> {
        let mut quantity = usage.quantity().clone();
        for (position, column) in interruptible.0.keys().enumerate() {
            quantity.column_mut(*column).zip_mut_with(&self.0.column(position), |left, moved| *left = (*left - moved).max(0.0));
        }
        UsageCurves::new(usage.grid(), usage.lines().to_vec(), quantity)?.with_weights(usage.weights().clone())
    }
}

impl Problem<'_> {
    /// What a scenario costs under a portfolio, by the judge; with what runs on spot at its effective price.
    pub(super) fn outcome(
        &self,
        (scenario, usage): (usize, &UsageCurves),
        portfolio: &Portfolio,
        steps: &[f64],
    ) -> Result<Outcome> {
        if self.interruptible.is_empty() {
            return Ok(Judge::new(usage, self.catalog, portfolio, &self.rules)?.outcome());
        }
        Ok(self.on_spot(scenario, usage, portfolio, steps)?.1)
    }

    /// The cheapest of three ways to use spot, by the judge: for what the cheapest covering leaves, for all that may be interrupted, or not at
    /// all. The provider covers usage in its own order, so that the first need not be the best.
    fn on_spot(&self, scenario: usize, usage: &UsageCurves, portfolio: &Portfolio, steps: &[f64]) -> Result<(OnSpot, Outcome)> {
        let shape = (usage.grid().count, self.interruptible.0.len());
        let open = self.recourse.open(scenario, &self.capacity(steps));
        let width = self.lines.len();
        let columns: Vec<usize> = self.interruptible.0.keys().copied().collect();
        let position = |column: usize| self.lines.iter().position(|line| *line == column);
        let places: Vec<Option<usize>> = columns.iter().map(|column| position(*column)).collect();
        let whole = |hour: usize, index: usize| usage.quantity()[(hour, columns[index])];
        let left = |hour: usize, index: usize| places[index].map_or(0.0, |place| open[hour * width + place]);
        let ways = [
            OnSpot(Array2::from_shape_fn(shape, |(hour, index)| left(hour, index).clamp(0.0, whole(hour, index)))),
            OnSpot(Array2::from_shape_fn(shape, |(hour, index)| whole(hour, index))),
            OnSpot(Array2::zeros(shape)),
        ];
        let mut best: Option<(f64, OnSpot, Outcome)> = None;
        for way in ways {
            let rest = way.rest(usage, &self.interruptible)?;
            let mut outcome = Judge::new(&rest, self.catalog, portfolio, &self.rules)?.outcome();
            for (hour, quantities) in way.0.rows().into_iter().enumerate() {
                let cost: f64 =
                    quantities.iter().zip(self.interruptible.0.values()).map(|(quantity, price)| quantity * price).sum();
                if cost > 0.0 {
                    let month = usage.grid().hour(hour).month();
                    *outcome.on_demand.entry(month).or_insert(0.0) += usage.weights()[hour] * cost;
                }
            }
            let cost: f64 = outcome.on_demand.values().sum();
            if best.as_ref().is_none_or(|(least, _, _)| cost < *least) {
                best = Some((cost, way, outcome));
            }
        }
        let none = || Error::from(Wrong::Empty { what: "way to use spot" });
        best.map(|(_, way, outcome)| (way, outcome)).ok_or_else(none)
    }
}

impl<'a> Planner<'a> {
    /// Every scenario's usage, split.
    fn split(&self, spot: &[SpotOption]) -> Result<Vec<Split>> {
        self.parts.scenarios.iter().map(|scenario| Split::new(scenario.usage, self.parts.catalog, spot)).collect()
    }

    /// The problem over split usage.
    fn over<'s>(&self, splits: &'s [Split]) -> Result<Problem<'s>>
    where
        'a: 's,
    {
        let mut parts = self.parts.clone();
        let scenarios = parts.scenarios.iter().zip(splits);
        parts.scenarios = scenarios.map(|(scenario, split)| Scenario { usage: &split.usage, ..scenario.clone() }).collect();
        parts.interruptible = splits.first().map(|split| split.interruptible.clone()).unwrap_or_default();
        Problem::new(parts)
    }
}
