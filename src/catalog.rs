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
mod file;
mod format;
pub mod gcp;
mod negotiated;
pub mod parts;
mod stream;

pub use builder::CatalogBuilder;
pub use check::{Check, Finding, Severity};
pub use difference::{Change, Difference, Subject};
pub(crate) use file::line_of_id;
pub use format::{Format, recognise};
pub use negotiated::{Applicability, CommitmentDiscount, NegotiatedTerm};

use crate::error::{Error, Problem, Result};
use crate::time::Term;
use crate::units::{Money, MoneyPerHour, UnitPrice, Units};
use crate::usage::{Provider, Sku, UsageCurves};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

/// The on-demand price of a SKU, and how it can be reserved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnDemandPrice {
    /// The catalog's own identifier of this price.
    pub id: String,
    /// What is priced.
    pub sku: Sku,
    /// The price of one unit.
    pub price: UnitPrice,
    /// The family that plans and policies speak of: `m5`, `Dsv5`, `N2`; empty if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub family: String,
    /// The pools of interchangeable SKUs it belongs to, with the normalised units that one unit of usage needs there. A SKU that
    /// only a reservation of just itself covers belongs to none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<PoolUnits>,
    /// The provider's identifier of this price, for joins and contracts: AWS SKU, Azure meter, Google SKU; empty if unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider_id: String,
    /// The public price, where `price` is a negotiated one; see [`Catalog::negotiated`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_price: Option<UnitPrice>,
    /// Where this price comes from, if not from the catalog's own source.
    #[serde(default, skip_serializing_if = "Origin::is_empty")]
    pub origin: Origin,
}

/// Where one price or offer comes from, in a catalog that mixes sources or dates.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The source in words; empty for the catalog's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The first day the price was valid, as the source says; the catalog's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_date: Option<NaiveDate>,
}

impl Origin {
    /// Whether it says nothing, so that the catalog's own source and date hold.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.source.is_empty() && self.price_date.is_none()
    }
}

/// In which quantities an offer is sold: units bought, or money an hour for a spend plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lot {
    /// The least that can be bought.
    #[serde(with = "rust_decimal::serde::str")]
    #[schemars(schema_with = "crate::units::decimal_schema")]
    pub minimum: Decimal,
    /// The step in which more can be bought.
    #[serde(with = "rust_decimal::serde::str")]
    #[schemars(schema_with = "crate::units::decimal_schema")]
    pub increment: Decimal,
}

/// The price of capacity that the provider may take back: nothing is committed, and no commitment covers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpotPrice {
    /// The catalog's own identifier of this price.
    pub id: String,
    /// What is priced, with the same [`Sku`] as on demand.
    pub sku: Sku,
    /// The availability zone that the price holds for; empty for the whole region.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub availability_zone: String,
    /// The price of one unit.
    pub price: UnitPrice,
    /// How often such capacity is taken back, where the provider says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interruption: Option<Interruption>,
    /// Where this price comes from, if not from the catalog's own source.
    #[serde(default, skip_serializing_if = "Origin::is_empty")]
    pub origin: Origin,
    /// Where the price is not the provider's own figure: how it was derived.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub derived: String,
}

/// The share of spot capacity that was taken back in the trailing month, as a range: AWS Spot Instance Advisor and Azure eviction
/// rates publish classes, not figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interruption {
    /// The lower end, 0 to 1.
    #[serde(with = "rust_decimal::serde::str")]
    #[schemars(schema_with = "crate::units::decimal_schema")]
    pub from: Decimal,
    /// The upper end, 0 to 1.
    #[serde(with = "rust_decimal::serde::str")]
    #[schemars(schema_with = "crate::units::decimal_schema")]
    pub to: Decimal,
}

/// A number of normalised units of a pool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolUnits {
    /// The pool, by a name that is unique over providers, services and regions.
    pub pool: String,
    /// Units: needed by one unit of usage, or provided by one reservation.
    pub units: Units,
}

/// When a commitment is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PaymentOption {
    /// Nothing at purchase; every hour or month of the term.
    NoUpfront,
    /// A part at purchase, the rest every hour or month.
    PartialUpfront,
    /// All at purchase.
    AllUpfront,
}

impl PaymentOption {
    /// As in identifiers: `no-upfront`, `partial-upfront`, `all-upfront`.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::NoUpfront => "no-upfront",
            Self::PartialUpfront => "partial-upfront",
            Self::AllUpfront => "all-upfront",
        }
    }
}

impl fmt::Display for PaymentOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoUpfront => "no upfront",
            Self::PartialUpfront => "partial upfront",
            Self::AllUpfront => "all upfront",
        })
    }
}

/// What the owner of a commitment may do with it before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Right {
    /// Exchange it for another configuration (AWS convertible RIs, Azure reservations).
    Exchange,
    /// Sell it to another customer (AWS RI Marketplace: standard RIs).
    Resale,
    /// Return it for money (Azure reservations, within limits; AWS Savings Plans within days).
    Refund,
    /// Change its footprint within a family (AWS RIs), split or merge it.
    Modification,
    /// Turn it into a spend plan (Azure reservations of compute).
    TradeIn,
}

/// The kinds of scope that a commitment can be bought with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ScopeKind {
    /// One availability zone, exact SKU (AWS zonal RIs).
    AvailabilityZone,
    /// A whole region (AWS regional RIs).
    Region,
    /// All that the plan has rates for (AWS Savings Plans; Azure shared scope; Google with discount sharing).
    Shared,
    /// One Azure management group.
    ManagementGroup,
    /// One Azure subscription.
    Subscription,
    /// One Azure resource group.
    ResourceGroup,
    /// One Google project.
    Project,
}

/// What a commitment covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Benefit {
    /// Up to a number of units of a SKU or its pool in every hour.
    Reservation {
        /// The [`OnDemandPrice::id`] of the SKU reserved; a reservation without `pool`, or bought for one availability zone,
        /// covers just this SKU.
        sku: String,
        /// The pool it covers and the units one reservation provides there, where it is flexible.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pool: Option<PoolUnits>,
    },
    /// An amount of money in every hour, at the plan's rates.
    SpendPlan {
        /// The type of plan in the provider's words: `Compute`, `EC2Instance`, `Database`. Types of one provider apply in that
        /// provider's order.
        plan: String,
        /// The family it is limited to; empty if it is not.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        family: String,
        /// The rate of each SKU that it covers, by [`OnDemandPrice::id`]: what one unit of usage draws from the commitment.
        rates: BTreeMap<String, UnitPrice>,
    },
}

/// A commitment for sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// The provider's identifier of the offer, or the catalog's own where the source has none.
    pub id: String,
    /// The provider.
    pub provider: Provider,
    /// The service in the provider's words.
    pub service: String,
    /// The region it is sold in; empty for offers over all regions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// What it covers.
    pub benefit: Benefit,
    /// How long it runs.
    pub term: Term,
    /// When it is paid.
    pub payment_option: PaymentOption,
    /// Due at purchase for each unit bought: one reservation, or one unit of money an hour of a spend plan.
    pub upfront: Money,
    /// Due for every hour of the term, used or not, for each unit bought.
    pub recurring: MoneyPerHour,
    /// The scopes it can be bought with.
    pub scopes: BTreeSet<ScopeKind>,
    /// What its owner may do with it before its end.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rights: BTreeSet<Right>,
    /// The first day it is sold; open if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchasable_from: Option<NaiveDate>,
    /// The last day it is sold; open if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchasable_until: Option<NaiveDate>,
    /// Where the price is not the provider's own figure: how it was derived.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub derived: String,
    /// In which quantities it is sold; any quantity that the provider bills if absent (whole reservations, cents an hour).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Lot>,
    /// The provider's identifier of the offer, where `id` is the catalog's own: AWS SKU and offer term, Savings Plan offering.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider_id: String,
    /// Where this offer comes from, if not from the catalog's own source.
    #[serde(default, skip_serializing_if = "Origin::is_empty")]
    pub origin: Origin,
}

impl Offer {
    /// What one unit costs for each hour of the term, upfront spread evenly: `upfront / term hours + recurring`.
    #[must_use]
    pub fn effective_hourly(&self) -> MoneyPerHour {
        MoneyPerHour::new(self.upfront.value() / self.term.list_hours()) + self.recurring
    }

    /// Whether it can be bought on a day.
    #[must_use]
    pub fn is_purchasable_on(&self, day: NaiveDate) -> bool {
        self.purchasable_from.is_none_or(|from| from <= day) && self.purchasable_until.is_none_or(|until| day <= until)
    }

    /// Whether it is a spend plan (else a reservation).
    #[must_use]
    pub fn is_spend_plan(&self) -> bool {
        matches!(self.benefit, Benefit::SpendPlan { .. })
    }

    /// What it is for, as people say it: `m5.large Linux` is left to the caller, here the plan's type and family or the SKU's id.
    #[must_use]
    pub fn subject(&self) -> String {
        match &self.benefit {
            Benefit::Reservation { sku, .. } => sku.clone(),
            Benefit::SpendPlan { plan, family, .. } if family.is_empty() => format!("{plan} plan"),
            Benefit::SpendPlan { plan, family, .. } => format!("{plan} plan for {family}"),
        }
    }
}

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
    price_by_sku: HashMap<Sku, usize>,
    price_by_id: HashMap<String, usize>,
    offer_by_id: HashMap<String, usize>,
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
        let mut price_by_sku = HashMap::with_capacity(prices.len());
        let mut price_by_id = HashMap::with_capacity(prices.len());
        for (index, price) in prices.iter().enumerate() {
            check_price(price).map_err(|error| error.in_item(price.id.clone()))?;
            if price_by_id.insert(price.id.clone(), index).is_some() || price_by_sku.insert(price.sku.clone(), index).is_some() {
                return Err(Error::from(Problem::Repeated).in_field("prices").in_item(price.id.clone()));
            }
        }
        let mut offer_by_id = HashMap::with_capacity(offers.len());
        for (index, offer) in offers.iter().enumerate() {
            check_offer(offer, &prices, &price_by_id).map_err(|error| error.in_item(offer.id.clone()))?;
            if offer_by_id.insert(offer.id.clone(), index).is_some() {
                return Err(Error::from(Problem::Repeated).in_field("offers").in_item(offer.id.clone()));
            }
        }
        Ok(Self {
            currency,
            price_date,
            source,
            prices,
            offers,
            spot: Vec::new(),
            rejected: Vec::new(),
            price_by_sku,
            price_by_id,
            offer_by_id,
        })
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
        self.price_by_sku.get(sku).map(|index| &self.prices[*index])
    }

    /// The on-demand price with this identifier.
    #[must_use]
    pub fn price_with_id(&self, id: &str) -> Option<&OnDemandPrice> {
        self.price_by_id.get(id).map(|index| &self.prices[*index])
    }

    /// The offer with this identifier.
    #[must_use]
    pub fn offer(&self, id: &str) -> Option<&Offer> {
        self.offer_by_id.get(id).map(|index| &self.offers[*index])
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
        let price_by_sku = prices.iter().enumerate().map(|(index, price)| (price.sku.clone(), index)).collect();
        let price_by_id = prices.iter().enumerate().map(|(index, price)| (price.id.clone(), index)).collect();
        let offer_by_id = offers.iter().enumerate().map(|(index, offer)| (offer.id.clone(), index)).collect();
        let skus: BTreeSet<&Sku> = usage.lines().iter().map(|line| &line.sku).collect();
        let spot = self.spot.iter().filter(|spot| skus.contains(&spot.sku)).cloned().collect();
        Self { prices, offers, spot, price_by_sku, price_by_id, offer_by_id, ..self.clone_without_entries() }
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
            price_by_sku: HashMap::new(),
            price_by_id: HashMap::new(),
            offer_by_id: HashMap::new(),
        }
    }
}

/// The family of a thing by its name, over all providers: what stands before the size, or the whole name.
pub(crate) fn family_of(name: &str) -> String {
    aws::family(name).to_owned()
}

fn check_price(price: &OnDemandPrice) -> Result<()> {
    if price.id.is_empty() {
        return Err(Error::from(Problem::EmptyValue).in_field("prices.id"));
    }
    if price.price <= UnitPrice::ZERO {
        return Err(Error::from(Problem::PriceNotPositive { value: price.price.to_string() }).in_field("prices.price"));
    }
    if let Some(pool) = price.pools.iter().find(|pool| pool.units <= Units::ZERO || pool.pool.is_empty()) {
        let problem = Problem::OutOfRange { value: pool.units.to_string(), range: "units above 0 of a pool with a name" };
        return Err(Error::from(problem).in_field("prices.pools"));
    }
    Ok(())
}

fn check_spot(spot: &SpotPrice) -> Result<()> {
    if spot.price <= UnitPrice::ZERO {
        return Err(Error::from(Problem::PriceNotPositive { value: spot.price.to_string() }).in_field("spot.price"));
    }
    if let Some(range) =
        spot.interruption.filter(|range| range.from < Decimal::ZERO || range.to < range.from || range.to > Decimal::ONE)
    {
        let problem = Problem::OutOfRange { value: format!("{} to {}", range.from, range.to), range: "0 to 1, ascending" };
        return Err(Error::from(problem).in_field("spot.interruption"));
    }
    Ok(())
}

/// The checks on an offer alone and against the prices it refers to.
pub(crate) fn check_offer(offer: &Offer, prices: &[OnDemandPrice], by_id: &HashMap<String, usize>) -> Result<()> {
    if offer.id.is_empty() {
        return Err(Error::from(Problem::EmptyValue).in_field("offers.id"));
    }
    for (field, value) in [("offers.upfront", offer.upfront.value()), ("offers.recurring", offer.recurring.value())] {
        if value.is_sign_negative() && !value.is_zero() {
            return Err(Error::from(Problem::Negative { value: value.to_string() }).in_field(field));
        }
    }
    if offer.upfront.value().is_zero() && offer.recurring.value().is_zero() {
        return Err(Error::from(Problem::PriceNotPositive { value: "0".into() }).in_field("offers.upfront, offers.recurring"));
    }
    if let Some(lot) = offer.lot.filter(|lot| lot.minimum <= Decimal::ZERO || lot.increment <= Decimal::ZERO) {
        let value = format!("{} in steps of {}", lot.minimum, lot.increment);
        return Err(
            Error::from(Problem::OutOfRange { value, range: "a minimum and an increment above 0" }).in_field("offers.lot")
        );
    }
    if offer.scopes.is_empty() {
        return Err(Error::from(Problem::Scope { scope: String::new() }).in_field("offers.scopes"));
    }
    match &offer.benefit {
        Benefit::Reservation { sku, pool } => {
            if !by_id.contains_key(sku) {
                return Err(
                    Error::from(Problem::Dangling { kind: "on-demand price", id: sku.clone() }).in_field("offers.benefit.sku")
                );
            }
            if let Some(pool) = pool.as_ref().filter(|pool| pool.units <= Units::ZERO) {
                let problem = Problem::OutOfRange { value: pool.units.to_string(), range: "units above 0" };
                return Err(Error::from(problem).in_field("offers.benefit.pool.units"));
            }
        }
        Benefit::SpendPlan { rates, .. } => {
            for (id, rate) in rates {
                let Some(price) = by_id.get(id).map(|index| &prices[*index]) else {
                    let problem = Problem::Dangling { kind: "on-demand price", id: id.clone() };
                    return Err(Error::from(problem).in_field("offers.benefit.rates"));
                };
                if rate.value() <= Decimal::ZERO {
                    let problem = Problem::PriceNotPositive { value: rate.to_string() };
                    return Err(Error::from(problem).in_field(format!("offers.benefit.rates.{id}")));
                }
                if *rate > price.price {
                    let problem = Problem::RateAboveOnDemand { rate: rate.to_string(), on_demand: price.price.to_string() };
                    return Err(Error::from(problem).in_field(format!("offers.benefit.rates.{id}")));
                }
            }
        }
    }
    Ok(())
}
