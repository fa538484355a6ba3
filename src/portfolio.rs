//! Commitments held: what was bought, when it runs, who owns it and where it applies.
//!
//! A [`Commitment`] is an [`Offer`] bought. Most held commitments were bought from price lists of the past, so a [`Portfolio`] brings the
//! offers along that its commitments refer to; those it does not bring are looked up in the catalog. What else the providers' rules about
//! changing a commitment ask for are its [`Particulars`].
//!
//! A [`Holding`] is a commitment with its offer and particulars. What can be done with it is an [`action`]: each provider's rules are in
//! its own file, each [`rule`] names its page, and limits over several actions are kept in a [`ledger`].

pub mod action;
pub mod assumptions;
pub mod aws;
pub mod azure;
pub mod deadline;
mod file;
pub mod gcp;
mod holding;
pub mod insured;
pub mod ledger;
pub mod particulars;
pub mod reconciliation;
pub mod replacement;
pub mod rights;
pub mod rule;
pub mod state;
pub mod view;

pub use assumptions::Assumptions;
pub use holding::{Holding, State};
pub use ledger::Ledger;
pub use particulars::Particulars;

use crate::catalog::{Catalog, Offer, ScopeKind};
use crate::error::{Error, Problem, Result};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Where a commitment applies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// One availability zone, exact SKU (AWS zonal Reserved Instances).
    AvailabilityZone {
        /// The zone, as usage lines name it.
        availability_zone: String,
    },
    /// The offer's region (AWS regional Reserved Instances).
    Region,
    /// Everything that the offer covers.
    Shared,
    /// The subscriptions of an Azure management group.
    ManagementGroup {
        /// Their ids, as usage lines name the account.
        subscriptions: BTreeSet<String>,
    },
    /// One Azure subscription.
    Subscription {
        /// Its id, as usage lines name the account.
        subscription: String,
    },
    /// One Azure resource group; usage lines name it in the tag `resource_group`.
    ResourceGroup {
        /// The subscription that the group is in.
        subscription: String,
        /// The group's name.
        resource_group: String,
    },
    /// One Google project.
    Project {
        /// Its id, as usage lines name the account.
        project: String,
    },
}

impl Scope {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ScopeKind {
        match self {
            Self::AvailabilityZone { .. } => ScopeKind::AvailabilityZone,
            Self::Region => ScopeKind::Region,
            Self::Shared => ScopeKind::Shared,
            Self::ManagementGroup { .. } => ScopeKind::ManagementGroup,
            Self::Subscription { .. } => ScopeKind::Subscription,
            Self::ResourceGroup { .. } => ScopeKind::ResourceGroup,
            Self::Project { .. } => ScopeKind::Project,
        }
    }
}

/// An offer bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// The provider's identifier (an ARN, an order id), or one of the buyer's.
    pub id: String,
    /// The [`Offer::id`] of what was bought.
    pub offer: String,
    /// How many reservations, or how much money an hour of a spend plan.
    #[serde(with = "rust_decimal::serde::str")]
    #[schemars(schema_with = "crate::units::decimal_schema")]
    pub quantity: Decimal,
    /// When it starts. The clock hour that contains this instant is served in full.
    pub start: DateTime<Utc>,
    /// When it ends. The clock hour that contains this instant is not served any more.
    pub end: DateTime<Utc>,
    /// The account, subscription or project that owns it; empty for one that all accounts own alike.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// Where it applies.
    pub scope: Scope,
}

/// All commitments held, with the offers they were bought by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Portfolio {
    offers: Vec<Offer>,
    commitments: Vec<Commitment>,
    /// By the commitment's identifier.
    particulars: BTreeMap<String, Particulars>,
}

impl Portfolio {
    /// A portfolio of these commitments; `offers` are those that the catalog does not have. Both are sorted by identifier.
    ///
    /// # Errors
    /// [`Problem::Repeated`] for an identifier used twice, [`Problem::EndBeforeStart`], [`Problem::OutOfRange`] for a
    /// quantity that is not above 0.
    pub fn new(mut offers: Vec<Offer>, mut commitments: Vec<Commitment>) -> Result<Self> {
        offers.sort_by(|a, b| a.id.cmp(&b.id));
        commitments.sort_by(|a, b| a.id.cmp(&b.id));
        let mut ids = HashSet::new();
        if let Some(twice) = offers.iter().find(|offer| !ids.insert(offer.id.as_str())) {
            return Err(Error::from(Problem::Repeated).in_field("offers.id").in_item(twice.id.clone()));
        }
        let mut ids = HashSet::new();
        for commitment in &commitments {
            check(commitment).map_err(|error| error.in_item(commitment.id.clone()))?;
            if !ids.insert(commitment.id.as_str()) {
                return Err(Error::from(Problem::Repeated).in_field("commitments.id").in_item(commitment.id.clone()));
            }
        }
        Ok(Self { offers, commitments, particulars: BTreeMap::new() })
    }

    /// The same with particulars of its commitments.
    ///
    /// # Errors
    /// [`Problem::Dangling`] for those of a commitment that is not held, [`Problem::Repeated`] for two of one commitment.
    pub fn with_particulars(mut self, particulars: impl IntoIterator<Item = Particulars>) -> Result<Self> {
        for one in particulars {
            let id = one.commitment.clone();
            if !self.commitments.iter().any(|commitment| commitment.id == id) {
                let problem = Problem::Dangling { kind: "commitment", id: id.clone() };
                return Err(Error::from(problem).in_field("particulars.commitment").in_item(id));
            }
            if self.particulars.insert(id.clone(), one).is_some() {
                return Err(Error::from(Problem::Repeated).in_field("particulars.commitment").in_item(id));
            }
        }
        Ok(self)
    }

    /// The commitments, by identifier.
    #[must_use]
    pub fn commitments(&self) -> &[Commitment] {
        &self.commitments
    }

    /// The offers that the portfolio brings along, by identifier.
    #[must_use]
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// The particulars that are known, by the commitment's identifier.
    #[must_use]
    pub fn particulars(&self) -> &BTreeMap<String, Particulars> {
        &self.particulars
    }

    /// Every commitment with its offer and particulars, by identifier.
    ///
    /// # Errors
    /// As [`Portfolio::offer`].
    pub fn holdings<'a>(&'a self, catalog: &'a Catalog) -> Result<Vec<Holding<'a>>> {
        let holding = |commitment: &'a Commitment| {
            let known = self.particulars.get(&commitment.id);
            let particulars = known.map_or_else(|| Cow::Owned(Particulars::of(commitment.id.clone())), Cow::Borrowed);
            Ok(Holding { commitment, offer: self.offer(catalog, commitment)?, particulars })
        };
        self.commitments.iter().map(holding).collect()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commitments.is_empty()
    }

    /// The offer that a commitment was bought by: the portfolio's own, else the catalog's.
    ///
    /// # Errors
    /// [`Problem::Dangling`] if neither has it.
    pub fn offer<'a>(&'a self, catalog: &'a Catalog, commitment: &Commitment) -> Result<&'a Offer> {
        let own = self.offers.binary_search_by(|offer| offer.id.as_str().cmp(&commitment.offer));
        own.ok().map(|index| &self.offers[index]).or_else(|| catalog.offer(&commitment.offer)).ok_or_else(|| {
            let problem = Problem::Dangling { kind: "offer", id: commitment.offer.clone() };
            Error::from(problem).in_field("commitments.offer").in_item(commitment.id.clone())
        })
    }

    /// The portfolio with further commitments of the catalog's offers.
    ///
    /// # Errors
    /// As [`Portfolio::new`].
    pub fn with(&self, bought: impl IntoIterator<Item = Commitment>) -> Result<Self> {
        Self::new(self.offers.clone(), self.commitments.iter().cloned().chain(bought).collect())?
            .with_particulars(self.particulars.values().cloned())
    }
}

fn check(commitment: &Commitment) -> Result<()> {
    if commitment.id.is_empty() {
        return Err(Error::from(Problem::EmptyValue).in_field("commitments.id"));
    }
    if commitment.quantity <= Decimal::ZERO {
        let problem = Problem::OutOfRange { value: commitment.quantity.to_string(), range: "quantities above 0" };
        return Err(Error::from(problem).in_field("commitments.quantity"));
    }
    if commitment.end <= commitment.start {
        let problem = Problem::EndBeforeStart { start: commitment.start.to_rfc3339(), end: commitment.end.to_rfc3339() };
        return Err(Error::from(problem).in_field("commitments.end"));
    }
    Ok(())
}
