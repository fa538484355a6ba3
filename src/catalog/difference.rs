//! What changed between two catalogs: prices and offers that became dearer or cheaper, appeared or ended.

use super::{Benefit, Catalog, Offer};
use crate::units::UnitPrice;
use rust_decimal::Decimal;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Subject {
    /// An on-demand price, by its identifier; per unit of usage.
    OnDemand,
    /// An offer, by its identifier; effective price an hour of one unit bought.
    Offer,
    /// A rate of a spend plan, by offer and price identifier; per unit of usage.
    Rate,
    /// A spot price, by its identifier; per unit of usage.
    Spot,
}

/// How something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// The price rose.
    Dearer {
        /// The old price.
        from: Decimal,
        /// The new price.
        to: Decimal,
    },
    /// The price fell.
    Cheaper {
        /// The old price.
        from: Decimal,
        /// The new price.
        to: Decimal,
    },
    /// It is only in the new catalog.
    Appeared {
        /// Its price.
        at: Decimal,
    },
    /// It is only in the old catalog.
    Ended {
        /// Its last price.
        at: Decimal,
    },
}

/// One change between two catalogs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// What it is about.
    pub subject: Subject,
    /// Its identifier.
    pub id: String,
    /// How it changed.
    pub change: Change,
}

impl Difference {
    /// The relative change, `to / from - 1`; `None` for what appeared or ended.
    #[must_use]
    pub fn relative(&self) -> Option<Decimal> {
        match self.change {
            Change::Dearer { from, to } | Change::Cheaper { from, to } => to.checked_div(from).map(|ratio| ratio - Decimal::ONE),
            Change::Appeared { .. } | Change::Ended { .. } => None,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = match self.subject {
            Subject::OnDemand => "on demand",
            Subject::Offer => "offer",
            Subject::Rate => "rate",
            Subject::Spot => "spot",
        };
        write!(f, "{subject} {}: ", self.id)?;
        let percent = self.relative().unwrap_or_default() * Decimal::ONE_HUNDRED;
        match self.change {
            Change::Dearer { from, to } => write!(f, "dearer, {from} to {to} (+{percent:.1} %)"),
            Change::Cheaper { from, to } => write!(f, "cheaper, {from} to {to} ({percent:.1} %)"),
            Change::Appeared { at } => write!(f, "appeared at {at}"),
            Change::Ended { at } => write!(f, "ended, last at {at}"),
        }
    }
}

impl Catalog {
    /// What changed from one catalog to another, ordered by subject and identifier; equal prices are left out. An offer's price is what
    /// one unit costs for each hour of the term, upfront spread evenly; the rates of spend plans are compared one by one.
    #[must_use]
    pub fn diff(old: &Self, new: &Self) -> Vec<Difference> {
        let mut differences = compare(Subject::OnDemand, &old.on_demand_by_id(), &new.on_demand_by_id());
        differences.extend(compare(Subject::Offer, &old.offers_by_id(), &new.offers_by_id()));
        differences.extend(compare(Subject::Rate, &old.rates_by_id(), &new.rates_by_id()));
        differences.extend(compare(Subject::Spot, &old.spot_by_id(), &new.spot_by_id()));
        differences.sort();
        differences
    }

    fn on_demand_by_id(&self) -> BTreeMap<String, Decimal> {
        self.prices.iter().map(|price| (price.id.clone(), price.price.value())).collect()
    }

    fn offers_by_id(&self) -> BTreeMap<String, Decimal> {
        self.offers.iter().map(|offer| (offer.id.clone(), offer.effective_hourly().value())).collect()
    }

    fn rates_by_id(&self) -> BTreeMap<String, Decimal> {
        let rates = |offer: &Offer| match &offer.benefit {
            Benefit::SpendPlan { rates, .. } => {
                let pair = |(id, rate): (&String, &UnitPrice)| (format!("{} for {id}", offer.id), rate.value());
                rates.iter().map(pair).collect::<Vec<_>>()
            }
            Benefit::Reservation { .. } => Vec::new(),
        };
        self.offers.iter().flat_map(rates).collect()
    }

    fn spot_by_id(&self) -> BTreeMap<String, Decimal> {
        self.spot.iter().map(|spot| (spot.id.clone(), spot.price.value())).collect()
    }
}

fn compare(subject: Subject, old: &BTreeMap<String, Decimal>, new: &BTreeMap<String, Decimal>) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (id, from) in old {
        let change = match new.get(id) {
            None => Some(Change::Ended { at: *from }),
            Some(to) => match to.cmp(from) {
                Ordering::Greater => Some(Change::Dearer { from: *from, to: *to }),
                Ordering::Less => Some(Change::Cheaper { from: *from, to: *to }),
                Ordering::Equal => None,
            },
        };
        differences.extend(change.map(|change| Difference { subject, id: id.clone(), change }));
    }
    let appeared = new.iter().filter(|(id, _)| !old.contains_key(*id));
    differences.extend(appeared.map(|(id, at)| Difference { subject, id: id.clone(), change: Change::Appeared { at: *at } }));
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(prices: &str) -> Catalog {
        Catalog::from_json(&format!("[{prices}]")).unwrap()
    }

    fn of_type(name: &str, on_demand: &str, reserved: &str) -> String {
        format!(
            r#"{{"instance_type": "{name}", "pricing": {{"us-east-1": {{"linux": {{"ondemand": "{on_demand}",
                "reserved": {{"yrTerm1Standard.noUpfront": "{reserved}"}}}}}}}}}}"#
        )
    }

    #[test]
    fn moves_are_named_and_equal_prices_are_not() {
        let old = catalog(&[of_type("m4.large", "0.108", "0.07"), of_type("m1.small", "0.05", "0.03")].join(","));
        let new = catalog(&[of_type("m4.large", "0.1", "0.08"), of_type("m5.large", "0.096", "0.06")].join(","));
        let text: Vec<String> = Catalog::diff(&old, &new).iter().map(ToString::to_string).collect();
        assert!(text.contains(&"on demand us-east-1/m4.large/Linux: cheaper, 0.108 to 0.1 (-7.4 %)".to_owned()), "{text:?}");
        assert!(text.contains(&"on demand us-east-1/m5.large/Linux: appeared at 0.096".to_owned()), "{text:?}");
        assert!(text.contains(&"on demand us-east-1/m1.small/Linux: ended, last at 0.05".to_owned()), "{text:?}");
        assert!(
            text.iter().any(|line| line.starts_with("offer ri/us-east-1/m4.large/Linux/1y-standard-no-upfront: dearer")),
            "{text:?}"
        );
        assert_eq!(Catalog::diff(&old, &old), []);
    }
}
