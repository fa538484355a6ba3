//! What things cost: on-demand prices with the pools they can be reserved in, and spot prices.

#[cfg(doc)]
use super::Catalog;
use crate::units::{UnitPrice, Units};
use crate::usage::Sku;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
