//! What is for sale: on-demand prices, and offers of commitments.
//!
//! An [`OnDemandPrice`] is the price of one [`Sku`], with the pools it can be reserved in. An [`Offer`] is a commitment for
//! sale, of one of two kinds: a reservation (a number of units of a SKU or pool, every hour) or a spend plan (an amount of
//! money an hour, drawn down by usage at the plan's rates). What an offer costs is the same for both: an amount upfront and an
//! amount an hour, for each unit bought (one reservation; one unit of money an hour).
//!
//! [`Catalog::read`] reads this library's own JSON format and each provider's files; the providers' rules about what is
//! interchangeable live in `catalog/aws.rs` and its siblings.

pub mod aws;
pub mod azure;
mod builder;
mod check;
mod difference;
mod draft;
mod entries;
mod file;
mod format;
pub mod gcp;
mod negotiated;
mod offer;
pub mod parts;
mod price;
mod spot_history;
mod stream;
mod validity;

pub use builder::CatalogBuilder;
pub use check::{Check, Finding, Severity};
pub use difference::{Change, Difference, Subject};
pub(crate) use file::line_of_id;
pub use format::{Format, recognise};
pub use negotiated::{Applicability, CommitmentDiscount, NegotiatedTerm};
pub use offer::{Benefit, Lot, Offer, PaymentOption, Right, ScopeKind};
pub use price::{Interruption, OnDemandPrice, Origin, PoolUnits, SpotPrice};
pub use spot_history::{SpotHistories, SpotHistory};

use crate::error::{Error, Problem, Result};
use crate::usage::{Sku, UsageCurves};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use validity::{Finder, check_offer, check_price, check_spot};

/// An entry of a price source that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Which entry.
    pub item: String,
    /// Why.
    pub reason: RejectionReason,
    /// How many entries this stands for: 1, or more where entries of one kind were left out together.
    pub count: u64,
}

/// Why an entry of a price source was left out. More reasons may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RejectionReason {
    /// The price is 0 or absent.
    NoPrice,
    /// The price cannot be read as a decimal number.
    UnreadablePrice,
    /// The rate is above the on-demand price.
    AboveOnDemand,
    /// The terms are not known to this reader.
    UnknownTerms,
    /// A rate or offer of something that has no on-demand price in the catalog.
    NoOnDemandPrice,
    /// A further price of the same thing: another tier, capacity status or meter, or an older date.
    Superseded,
    /// Not priced by the unit of usage (a fee, a message, a row without a thing to price).
    NotUsage,
    /// An entry that lacks what identifies it.
    Incomplete,
    /// The caller did not ask for it (region, SKU or service filter).
    NotSelected,
    /// The fee of a spend-based commitment of which it is not known what it covers.
    FeeOfUnknownPlan,
    /// The price cannot be right beside the others of the same thing (a 3-year price above the 1-year price).
    Implausible,
}

/// On-demand prices and offers, checked: identifiers are unique, references exist, prices are above 0, one currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    currency: String,
    price_date: Option<NaiveDate>,
    source: String,
    prices: Vec<OnDemandPrice>,
    offers: Vec<Offer>,
    spot: Vec<SpotPrice>,
    rejected: Vec<Rejection>,
    /// The indices of `prices` in the order of their SKUs.
    by_sku: Vec<usize>,
}

impl Catalog {
    /// A catalog of these prices and offers; they are sorted by identifier.
    ///
    /// # Errors
    /// [`Problem::Empty`] without prices; [`Problem::Repeated`] for an identifier or SKU that stands twice;
    /// [`Problem::PriceNotPositive`]; [`Problem::Negative`] for an upfront or recurring amount; [`Problem::Dangling`] for an offer of a
    /// SKU without price; [`Problem::RateAboveOnDemand`]; [`Problem::Scope`] for an offer without scope.
    pub fn new(
        currency: impl Into<String>,
        price_date: Option<NaiveDate>,
        source: impl Into<String>,
        prices: Vec<OnDemandPrice>,
        offers: Vec<Offer>,
    ) -> Result<Self> {
        if prices.is_empty() {
            return Err(Problem::Empty { what: "on-demand price" }.into());
        }
        Self::assemble(currency.into(), price_date, source.into(), prices, offers)
    }

    /// As [`Catalog::new`], but prices may be absent: a file may hold spot prices alone.
    pub(crate) fn assemble(
        currency: String,
        price_date: Option<NaiveDate>,
        source: String,
        mut prices: Vec<OnDemandPrice>,
        mut offers: Vec<Offer>,
    ) -> Result<Self> {
        prices.sort_by(|a, b| a.id.cmp(&b.id));
        offers.sort_by(|a, b| a.id.cmp(&b.id));
        for price in &prices {
            check_price(price).map_err(|error| error.in_item(price.id.clone()))?;
        }
        let repeated = |field: &str, id: &str| Err(Error::from(Problem::Repeated).in_field(field).in_item(id));
        if let Some(pair) = prices.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return repeated("prices", &pair[0].id);
        }
        let by_sku = in_order_of_skus(&prices);
        if let Some(pair) = by_sku.windows(2).find(|pair| prices[pair[0]].sku == prices[pair[1]].sku) {
            return repeated("prices", &prices[pair[1]].id);
        }
        let mut finder = Finder::new(&prices);
        for offer in &offers {
            check_offer(offer, &mut finder).map_err(|error| error.in_item(offer.id.clone()))?;
        }
        if let Some(pair) = offers.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return repeated("offers", &pair[0].id);
        }
        Ok(Self { currency, price_date, source, prices, offers, spot: Vec::new(), rejected: Vec::new(), by_sku })
    }

    /// The same catalog with these spot prices; they are sorted by identifier.
    ///
    /// # Errors
    /// [`Problem::Repeated`] for an identifier that stands twice; [`Problem::PriceNotPositive`]; [`Problem::OutOfRange`] for an interruption
    /// range outside of 0 to 1.
    pub fn with_spot(mut self, mut spot: Vec<SpotPrice>) -> Result<Self> {
        spot.sort_by(|a, b| a.id.cmp(&b.id));
        for price in &spot {
            check_spot(price).map_err(|error| error.in_item(price.id.clone()))?;
        }
        if let Some(pair) = spot.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return Err(Error::from(Problem::Repeated).in_field("spot").in_item(pair[0].id.clone()));
        }
        self.spot = spot;
        Ok(self)
    }

    /// The currency of every amount, an ISO 4217 code.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// The day the prices were valid, where the source says so.
    #[must_use]
    pub fn price_date(&self) -> Option<NaiveDate> {
        self.price_date
    }

    /// Where the prices come from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The on-demand prices, by identifier.
    #[must_use]
    pub fn prices(&self) -> &[OnDemandPrice] {
        &self.prices
    }

    /// The offers, by identifier.
    #[must_use]
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// The spot prices, by identifier.
    #[must_use]
    pub fn spot(&self) -> &[SpotPrice] {
        &self.spot
    }

    /// The source of an entry in words, its own or else the catalog's.
    #[must_use]
    pub fn source_of<'a>(&'a self, origin: &'a Origin) -> &'a str {
        if origin.source.is_empty() { &self.source } else { &origin.source }
    }

    /// Every source and price date in the catalog, with the number of prices, offers and spot prices from it. A catalog that mixes dates
    /// prices nothing as of one day: reports name them all.
    #[must_use]
    pub fn sources(&self) -> BTreeMap<Origin, usize> {
        let prices = self.prices.iter().map(|price| &price.origin);
        let origins =
            prices.chain(self.offers.iter().map(|offer| &offer.origin)).chain(self.spot.iter().map(|spot| &spot.origin));
        let mut sources = BTreeMap::new();
        for origin in origins {
            let full = Origin { source: self.source_of(origin).to_owned(), price_date: origin.price_date.or(self.price_date) };
            *sources.entry(full).or_default() += 1;
        }
        sources
    }

    /// Entries of the source that were left out, with the reason.
    #[must_use]
    pub fn rejected(&self) -> &[Rejection] {
        &self.rejected
    }

    /// The on-demand price of a SKU.
    #[must_use]
    pub fn price(&self, sku: &Sku) -> Option<&OnDemandPrice> {
        let at = self.by_sku.binary_search_by(|index| self.prices[*index].sku.cmp(sku)).ok()?;
        Some(&self.prices[self.by_sku[at]])
    }

    /// The on-demand price with this identifier.
    #[must_use]
    pub fn price_with_id(&self, id: &str) -> Option<&OnDemandPrice> {
        self.prices.binary_search_by(|price| price.id.as_str().cmp(id)).ok().map(|at| &self.prices[at])
    }

    /// The offer with this identifier.
    #[must_use]
    pub fn offer(&self, id: &str) -> Option<&Offer> {
        self.offers.binary_search_by(|offer| offer.id.as_str().cmp(id)).ok().map(|at| &self.offers[at])
    }

    /// The part of the catalog that can matter to this usage: prices of its SKUs and of SKUs in the same pools, and offers that cover one
    /// of them. Prices and offers left out cannot change a bill or a plan for it.
    #[must_use]
    pub fn relevant_to(&self, usage: &UsageCurves) -> Self {
        let used: BTreeSet<&str> =
            usage.lines().iter().filter_map(|line| self.price(&line.sku)).map(|price| price.id.as_str()).collect();
        let pools: BTreeSet<&str> = used
            .iter()
            .filter_map(|id| self.price_with_id(id))
            .flat_map(|price| price.pools.iter().map(|pool| pool.pool.as_str()))
            .collect();
        let keep_offer = |offer: &&Offer| match &offer.benefit {
            Benefit::Reservation { sku, pool } => {
                used.contains(sku.as_str()) || pool.as_ref().is_some_and(|pool| pools.contains(pool.pool.as_str()))
            }
            Benefit::SpendPlan { rates, .. } => rates.keys().any(|id| used.contains(id.as_str())),
        };
        let mut offers: Vec<Offer> = self.offers.iter().filter(keep_offer).cloned().collect();
        let mut kept = used.clone();
        kept.extend(
            self.prices
                .iter()
                .filter(|price| price.pools.iter().any(|pool| pools.contains(pool.pool.as_str())))
                .map(|p| p.id.as_str()),
        );
        for offer in &mut offers {
            if let Benefit::SpendPlan { rates, .. } = &mut offer.benefit {
                rates.retain(|id, _| kept.contains(id.as_str()));
            }
        }
        let prices: Vec<OnDemandPrice> = self.prices.iter().filter(|price| kept.contains(price.id.as_str())).cloned().collect();
        let by_sku = in_order_of_skus(&prices);
        let skus: BTreeSet<&Sku> = usage.lines().iter().map(|line| &line.sku).collect();
        let spot = self.spot.iter().filter(|spot| skus.contains(&spot.sku)).cloned().collect();
        Self { prices, offers, spot, by_sku, ..self.clone_without_entries() }
    }

    fn clone_without_entries(&self) -> Self {
        Self {
            currency: self.currency.clone(),
            price_date: self.price_date,
            source: self.source.clone(),
            prices: Vec::new(),
            offers: Vec::new(),
            spot: Vec::new(),
            rejected: self.rejected.clone(),
            by_sku: Vec::new(),
        }
    }
}

/// The indices of prices in the order of their SKUs.
fn in_order_of_skus(prices: &[OnDemandPrice]) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..prices.len()).collect();
    indices.sort_by(|a, b| prices[*a].sku.cmp(&prices[*b].sku));
    indices
}

/// The family of a thing by its name, over all providers: what stands before the size, or the whole name.
pub(crate) fn family_of(name: &str) -> String {
    aws::family(name).to_owned()
}
