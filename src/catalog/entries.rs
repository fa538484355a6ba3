//! Prices and offers while price files are read: which file each is from, the latest of entries with one key, and a common origin.

use super::{Offer, OnDemandPrice, Origin, SpotPrice};
use chrono::NaiveDate;
use std::cmp::Ordering;
use std::collections::HashMap;

/// What every entry of a catalog has.
pub(super) trait Named {
    /// The catalog's identifier.
    fn id(&self) -> &str;
    /// The provider's identifier, empty if it has none.
    fn provider_id(&self) -> &str;
    /// Where it is from.
    fn origin(&self) -> &Origin;
    /// Where it is from, to change.
    fn origin_mut(&mut self) -> &mut Origin;
}

macro_rules! named {
    ($type:ty, $provider_id:expr) => {
        impl Named for $type {
            fn id(&self) -> &str {
                &self.id
            }

            fn provider_id(&self) -> &str {
                let provider_id: fn(&$type) -> &str = $provider_id;
                provider_id(self)
            }

            fn origin(&self) -> &Origin {
                &self.origin
            }

            fn origin_mut(&mut self) -> &mut Origin {
                &mut self.origin
            }
        }
    };
}

named!(OnDemandPrice, |price| &price.provider_id);
named!(Offer, |offer| &offer.provider_id);
named!(SpotPrice, |_| "");

/// How many entries there are of each source and date.
pub(super) type Counts<'a> = HashMap<(&'a str, Option<NaiveDate>), usize>;

/// Entries, each with the index of its file. Entries are large and many, so that they are moved once and never copied.
#[derive(Debug)]
pub(super) struct Entries<T> {
    values: Vec<T>,
    files: Vec<usize>,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self { values: Vec::new(), files: Vec::new() }
    }
}

/// Source and date of an entry: its own, or else its file's.
fn origin<'a, T: Named>(value: &'a T, file: &'a Origin) -> (&'a str, Option<NaiveDate>) {
    let own = value.origin();
    let source = if own.source.is_empty() { &file.source } else { &own.source };
    (source, own.price_date.or(file.price_date))
}

impl<T: Named> Entries<T> {
    /// Adds an entry of a file.
    pub(super) fn push(&mut self, value: T, file: usize) {
        self.values.push(value);
        self.files.push(file);
    }

    /// The entries.
    pub(super) fn values(&self) -> &[T] {
        &self.values
    }

    /// The entries, to change.
    pub(super) fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// Sorts by a key; of entries with one key, the one of the latest date stays, then the least identifiers; `superseded` is called with
    /// every other, and with the one that stays.
    pub(super) fn keep_latest(&mut self, files: &[Origin], key: impl Fn(&T, &T) -> Ordering, mut superseded: impl FnMut(&T, &T)) {
        let order = |a: usize, b: usize| {
            let (left, right) = (&self.values[a], &self.values[b]);
            key(left, right).then_with(|| {
                let (left_origin, right_origin) = (origin(left, &files[self.files[a]]), origin(right, &files[self.files[b]]));
                let by_date = right_origin.1.cmp(&left_origin.1);
                let names = |value: &T| (value.id().to_owned(), value.provider_id().to_owned());
                by_date.then_with(|| names(left).cmp(&names(right))).then_with(|| left_origin.0.cmp(right_origin.0))
            })
        };
        if !(1..self.values.len()).all(|at| order(at - 1, at) != Ordering::Greater) {
            let mut indices: Vec<usize> = (0..self.values.len()).collect();
            indices.sort_by(|a, b| order(*a, *b));
            // Moves each entry to its place, in place: a copy would need the memory of all entries again.
            for at in 0..indices.len() {
                let mut from = indices[at];
                while from < at {
                    from = indices[from];
                }
                self.values.swap(at, from);
                self.files.swap(at, from);
            }
        }
        let mut last = 0;
        for at in 1..self.values.len() {
            if key(&self.values[last], &self.values[at]) == Ordering::Equal {
                superseded(&self.values[at], &self.values[last]);
                continue;
            }
            last += 1;
            self.values.swap(last, at);
            self.files.swap(last, at);
        }
        self.values.truncate(last + 1);
        self.files.truncate(last + 1);
    }

    /// Keeps the entries for which `keep` says so.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        let mut kept = 0;
        for at in 0..self.values.len() {
            if keep(&mut self.values[at]) {
                self.values.swap(kept, at);
                self.files.swap(kept, at);
                kept += 1;
            }
        }
        self.values.truncate(kept);
        self.files.truncate(kept);
    }

    /// Counts entries by source and date.
    pub(super) fn count_origins<'a>(&'a self, files: &'a [Origin], counts: &mut Counts<'a>) {
        let mut last = (("", None), 0);
        for (value, file) in self.values.iter().zip(&self.files) {
            let origin = origin(value, &files[*file]);
            if origin != last.0 {
                if last.1 > 0 {
                    *counts.entry(last.0).or_default() += last.1;
                }
                last = (origin, 0);
            }
            last.1 += 1;
        }
        if last.1 > 0 {
            *counts.entry(last.0).or_default() += last.1;
        }
    }

    /// The entries; each says of its origin what differs from the common one.
    pub(super) fn into_values_beside(mut self, files: &[Origin], common: &Origin) -> Vec<T> {
        for (value, file) in self.values.iter_mut().zip(&self.files) {
            let file = &files[*file];
            let own = value.origin_mut();
            if own.source.is_empty() && file.source != common.source {
                own.source.clone_from(&file.source);
            } else if own.source == common.source {
                own.source = String::new();
            }
            own.price_date = own.price_date.or(file.price_date).filter(|date| Some(*date) != common.price_date);
        }
        self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::aws::instance_sku;
    use crate::units::UnitPrice;
    use rust_decimal::dec;

    fn price(id: &str, provider_id: &str) -> OnDemandPrice {
        OnDemandPrice {
            id: id.into(),
            sku: instance_sku("eu-west-1", id, "Linux", "shared"),
            price: UnitPrice::new(dec!(1)),
            family: String::new(),
            pools: Vec::new(),
            provider_id: provider_id.into(),
            list_price: None,
            origin: Origin::default(),
        }
    }

    #[test]
    fn the_latest_of_one_key_stays_whatever_the_order() {
        let date = |day| NaiveDate::from_ymd_opt(2026, 1, day);
        let files = [1, 2].map(|day| Origin { source: format!("file {day}"), price_date: date(day) });
        let all = [("b", "x", 0), ("a", "old", 0), ("c", "2", 1), ("a", "new", 1), ("c", "1", 1)];
        for shift in 0..all.len() {
            let mut entries = Entries::default();
            for (id, provider_id, file) in all.iter().cycle().skip(shift).take(all.len()) {
                entries.push(price(id, provider_id), *file);
            }
            let mut gone = Vec::new();
            entries.keep_latest(&files, |a, b| a.id.cmp(&b.id), |entry, _| gone.push(entry.provider_id.clone()));
            let common = files[1].clone();
            let kept = entries.into_values_beside(&files, &common);
            let names: Vec<_> = kept.iter().map(|entry| entry.provider_id.as_str()).collect();
            assert_eq!((names, gone), (vec!["new", "x", "1"], vec!["old".to_owned(), "2".to_owned()]));
            assert_eq!((kept[0].origin.is_empty(), &kept[1].origin), (true, &files[0]));
        }
    }
}
