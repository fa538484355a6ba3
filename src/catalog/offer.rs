//! Commitments for sale: what one covers, costs, and lets its owner do.

#[cfg(doc)]
use super::OnDemandPrice;
use super::price::{Origin, PoolUnits};
use crate::time::Term;
use crate::units::{Money, MoneyPerHour, UnitPrice};
use crate::usage::Provider;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

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
