//! The parts that policy rules are made of: selections of offers, shares, migrations.

use crate::catalog::{Offer, PaymentOption, Right};
use crate::units::Money;
use crate::usage::{Pattern, Provider};
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Offers that have everything that is named here; a set left empty does not limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Offers.
    pub offers: Vec<Pattern>,
    /// Terms in months.
    pub terms: BTreeSet<u32>,
    /// Payment options.
    pub payment_options: BTreeSet<PaymentOption>,
    /// Providers.
    pub providers: BTreeSet<Provider>,
    /// Rights: offers that carry all of them.
    pub rights: BTreeSet<Right>,
}

impl Selection {
    /// Whether an offer is in the selection.
    #[must_use]
    pub fn contains(&self, offer: &Offer) -> bool {
        (self.offers.is_empty() || self.offers.iter().any(|pattern| pattern.matches(&offer.id)))
            && (self.terms.is_empty() || self.terms.contains(&offer.term.nominal_months()))
            && (self.payment_options.is_empty() || self.payment_options.contains(&offer.payment_option))
            && (self.providers.is_empty() || self.providers.contains(&offer.provider))
            && self.rights.is_subset(&offer.rights)
    }
}

impl std::fmt::Display for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let offers = self.offers.iter().map(|pattern| pattern.0.clone());
        let terms = self.terms.iter().map(|months| format!("{months} months"));
        let payments = self.payment_options.iter().map(ToString::to_string);
        let providers = self.providers.iter().map(ToString::to_string);
        let rights = self.rights.iter().map(|right| format!("right of {right:?}").to_lowercase());
        let parts: Vec<String> = offers.chain(terms).chain(payments).chain(providers).chain(rights).collect();
        f.write_str(&if parts.is_empty() { "all offers".to_owned() } else { parts.join(", ") })
    }
}

/// The share that a selection of offers may or must have of the new commitments' effective hourly cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ShareRule {
    /// Of what.
    pub of: Selection,
    /// The least, from 0 to 1.
    pub minimum: Option<f64>,
    /// The most, from 0 to 1.
    pub maximum: Option<f64>,
}

/// Usage that will be gone: commitments that cover nothing else must end before, but for an amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// The SKUs that will be left, in the provider's words (`m4.*`); all if empty.
    #[serde(default)]
    pub skus: Vec<Pattern>,
    /// The regions that will be left; all if empty.
    #[serde(default)]
    pub regions: Vec<Pattern>,
    /// The last day of use.
    pub leave: NaiveDate,
    /// What commitments that cover nothing else may cost after that day; nothing if left out.
    #[serde(default)]
    pub max_stranded: Money,
}

impl Migration {
    /// Whether a usage line will be left.
    #[must_use]
    pub fn leaves(&self, sku: &crate::usage::Sku) -> bool {
        (self.skus.is_empty() || self.skus.iter().any(|pattern| pattern.matches(&sku.sku)))
            && (self.regions.is_empty() || self.regions.iter().any(|pattern| pattern.matches(&sku.region)))
    }
}
