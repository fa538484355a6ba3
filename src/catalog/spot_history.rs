//! Spot prices over time: a history of changes, as AWS `DescribeSpotPriceHistory` answers it, or one price a dated price list, as Google's
//! catalogs give it month by month.

use super::aws::spot::{Change, changes};
use super::{Catalog, Rejection, RejectionReason};
use crate::error::{Error, Problem, Result};
use crate::files;
use crate::units::UnitPrice;
use crate::usage::Sku;
use chrono::{DateTime, NaiveTime, Utc};
use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

/// The spot prices of one SKU in one place, each valid from its instant to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpotHistory {
    /// What is priced.
    pub sku: Sku,
    /// The availability zone; empty for the whole region.
    pub availability_zone: String,
    changes: Vec<(DateTime<Utc>, UnitPrice)>,
}

impl SpotHistory {
    /// The prices in the order of their instants, at least one.
    #[must_use]
    pub fn changes(&self) -> &[(DateTime<Utc>, UnitPrice)] {
        &self.changes
    }
}

/// Histories by SKU and zone, with what could not be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpotHistories {
    histories: Vec<SpotHistory>,
    rejected: Vec<Rejection>,
}

impl SpotHistories {
    /// Reads an answer of AWS `DescribeSpotPriceHistory`, packed by gzip or not.
    ///
    /// # Errors
    /// As for every file: [`Problem::InputOutput`], [`Problem::NotAFile`], [`Problem::Empty`], [`Problem::Malformed`]; [`Problem::Empty`] also if no
    /// price in it can be used.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let mut input = files::open(path, "spot price history")?;
        Self::from_reader(&mut *input).map_err(|error| error.in_file(path))
    }

    /// The same from a reader of plain JSON.
    ///
    /// # Errors
    /// As [`SpotHistories::read`].
    pub fn from_reader(input: &mut dyn BufRead) -> Result<Self> {
        let (mut found, mut rejected) = (Vec::new(), Vec::new());
        changes(input, |change| match change {
            Ok(change) => found.push(change),
            Err((item, reason)) => rejected.push(Rejection { item, reason, count: 1 }),
        })?;
        let found = found.into_iter().map(|Change { sku, availability_zone, price, time }| (sku, availability_zone, time, price));
        Self::new(found.collect(), rejected)
    }

    /// The spot prices of price lists of several dates: each holds from its own day, or else its list's.
    ///
    /// # Errors
    /// [`Problem::EmptyValue`] for a price without a date, [`Problem::Empty`] without spot prices, [`Problem::MixedCurrency`].
    pub fn of_catalogs<'c>(catalogs: impl IntoIterator<Item = &'c Catalog>) -> Result<Self> {
        let mut found = Vec::new();
        let mut currency: Option<&str> = None;
        for catalog in catalogs {
            let first = *currency.get_or_insert(catalog.currency());
            if first != catalog.currency() {
                let problem = Problem::MixedCurrency { found: catalog.currency().to_owned(), expected: first.to_owned() };
                return Err(Error::from(problem).in_field("currency"));
            }
            for spot in catalog.spot() {
                let undated = || Error::from(Problem::EmptyValue).in_field("price_date").in_item(spot.id.clone());
                let day = spot.origin.price_date.or(catalog.price_date()).ok_or_else(undated)?;
                found.push((
                    spot.sku.clone(),
                    spot.availability_zone.clone(),
                    day.and_time(NaiveTime::MIN).and_utc(),
                    spot.price,
                ));
            }
        }
        Self::new(found, Vec::new())
    }

    fn new(found: Vec<(Sku, String, DateTime<Utc>, UnitPrice)>, mut rejected: Vec<Rejection>) -> Result<Self> {
        let mut by_place: BTreeMap<(Sku, String), BTreeMap<DateTime<Utc>, UnitPrice>> = BTreeMap::new();
        for (sku, zone, time, price) in found {
            let item = format!("{sku} {zone} at {time}");
            let changes = by_place.entry((sku, zone)).or_default();
            // Two prices of one instant: the higher one, whatever their order.
            let kept = changes.get(&time).map_or(price, |other| price.max(*other));
            if changes.insert(time, kept).is_some_and(|other| other != price) {
                rejected.push(Rejection { item, reason: RejectionReason::Superseded, count: 1 });
            }
        }
        if by_place.is_empty() {
            return Err(Problem::Empty { what: "spot price" }.into());
        }
        let history = |((sku, availability_zone), changes): ((Sku, String), BTreeMap<DateTime<Utc>, UnitPrice>)| SpotHistory {
            sku,
            availability_zone,
            changes: changes.into_iter().collect(),
        };
        Ok(Self { histories: by_place.into_iter().map(history).collect(), rejected })
    }

    /// By SKU and zone.
    #[must_use]
    pub fn as_slice(&self) -> &[SpotHistory] {
        &self.histories
    }

    /// What could not be used, with the reason.
    #[must_use]
    pub fn rejected(&self) -> &[Rejection] {
        &self.rejected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    const HISTORY: &str = r#"{"SpotPriceHistory": [
        {"AvailabilityZone": "eu-west-2a", "InstanceType": "m5.large", "ProductDescription": "Linux/UNIX", "SpotPrice": "0.05", "Timestamp": "2026-01-02T05:00:00+00:00"},
        {"AvailabilityZone": "eu-west-2a", "InstanceType": "m5.large", "ProductDescription": "Linux/UNIX", "SpotPrice": "0.04", "Timestamp": "2026-01-02T01:00:00+00:00"},
        {"AvailabilityZone": "eu-west-2b", "InstanceType": "m5.large", "ProductDescription": "Linux/UNIX", "SpotPrice": "0", "Timestamp": "2026-01-02T01:00:00+00:00"}
    ], "NextToken": ""}"#;

    #[test]
    fn a_history_is_sorted_and_what_is_left_out_is_told() -> Result<()> {
        let histories = SpotHistories::from_reader(&mut HISTORY.as_bytes())?;
        let [history] = histories.as_slice() else { return Err(Problem::Empty { what: "history" }.into()) };
        let prices: Vec<_> = history.changes().iter().map(|(_, price)| price.value()).collect();
        assert_eq!((prices, history.availability_zone.as_str()), (vec![dec!(0.04), dec!(0.05)], "eu-west-2a"));
        assert_eq!(histories.rejected()[0].reason, RejectionReason::NoPrice);
        assert!(SpotHistories::from_reader(&mut r#"{"SpotPriceHistory": []}"#.as_bytes()).is_err());
        assert!(SpotHistories::from_reader(&mut r#"{"SpotPriceHistory": [{"#.as_bytes()).is_err());
        Ok(())
    }
}
