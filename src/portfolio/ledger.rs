//! Limits that span several actions: so many returns a calendar year, so much money refunded in any 365 days, so much sold in the life of an
//! account. A [`Ledger`] holds what was used of them, and answers how much is left at an instant, whatever was planned before or after it.

use super::action::{Because, Refusal};
use super::rule::Rule;
use chrono::{DateTime, Datelike, Duration, Utc};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A limit over several actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// AWS: Savings Plans returned in a calendar year (UTC), by management account. A number of plans.
    SavingsPlanReturns,
    /// AWS: upfront prices of Reserved Instances sold in the life of an account. US dollars.
    MarketplaceSales,
    /// AWS: Reserved Instances sold in the life of an account. A number of instances.
    MarketplaceInstances,
    /// AWS: regional Reserved Instances bought in a calendar month, by region. A number of instances; AWS raises it on request.
    RegionalPurchases,
    /// AWS: zonal Reserved Instances bought in a calendar month, by availability zone. A number of instances; AWS raises it on request.
    ZonalPurchases,
    /// Azure: remaining commitment cancelled in any 365 days, by enrolment or billing profile. US dollars.
    Refunds,
}

/// Over which time a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    CalendarMonth,
    CalendarYear,
    Rolling(Duration),
    Lifetime,
}

impl Limit {
    /// The provider's published amount.
    #[must_use]
    pub fn published(self) -> Decimal {
        match self {
            Self::SavingsPlanReturns => Decimal::TEN,
            Self::MarketplaceSales | Self::Refunds => Decimal::from(50_000),
            Self::MarketplaceInstances => Decimal::from(5_000),
            Self::RegionalPurchases | Self::ZonalPurchases => Decimal::from(20),
        }
    }

    /// The rule that sets it.
    #[must_use]
    pub fn rule(self) -> Rule {
        match self {
            Self::SavingsPlanReturns => Rule::AwsReturnsPerYear,
            Self::MarketplaceSales => Rule::AwsMarketplaceAmount,
            Self::MarketplaceInstances => Rule::AwsMarketplaceInstances,
            Self::RegionalPurchases | Self::ZonalPurchases => Rule::AwsPurchaseLimit,
            Self::Refunds => Rule::AzureRefundLimit,
        }
    }

    fn span(self) -> Span {
        match self {
            Self::SavingsPlanReturns => Span::CalendarYear,
            Self::MarketplaceSales | Self::MarketplaceInstances => Span::Lifetime,
            Self::RegionalPurchases | Self::ZonalPurchases => Span::CalendarMonth,
            Self::Refunds => Span::Rolling(Duration::days(365)),
        }
    }
}

/// An amount of a limit, used at an instant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// The limit.
    pub limit: Limit,
    /// Whose: the account, billing profile, region or zone that the limit counts by; empty where there is but one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// When.
    pub at: DateTime<Utc>,
    /// How much, in the limit's unit.
    #[serde(with = "rust_decimal::serde::str")]
    #[schemars(schema_with = "crate::units::decimal_schema")]
    pub amount: Decimal,
}

/// What was used of every limit, and the limits where they are other than published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ledger {
    /// Limits that the provider has agreed to change.
    limits: BTreeMap<Limit, Amount>,
    /// What was used, by limit, owner and time.
    uses: Vec<Use>,
}

/// A decimal number in a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Amount(
    #[serde(with = "rust_decimal::serde::str")]
    #[schemars(schema_with = "crate::units::decimal_schema")]
    Decimal,
);

impl Ledger {
    /// The same with another amount of a limit, for every owner.
    #[must_use]
    pub fn with_limit(mut self, limit: Limit, amount: Decimal) -> Self {
        self.limits.insert(limit, Amount(amount));
        self
    }

    /// The amount of a limit.
    #[must_use]
    pub fn limit(&self, limit: Limit) -> Decimal {
        self.limits.get(&limit).map_or_else(|| limit.published(), |amount| amount.0)
    }

    /// What was used, by limit, owner and time.
    #[must_use]
    pub fn uses(&self) -> &[Use] {
        &self.uses
    }

    /// How much of a limit can still be used at an instant so that no period that contains it exceeds the limit: uses that are recorded for
    /// later count too. Never below 0.
    #[must_use]
    pub fn left(&self, limit: Limit, owner: &str, at: DateTime<Utc>) -> Decimal {
        let own = || self.uses.iter().filter(|used| used.limit == limit && used.owner == owner);
        let month = |instant: DateTime<Utc>| (instant.year(), instant.month());
        let used: Decimal = match limit.span() {
            Span::Lifetime => own().map(|used| used.amount).sum(),
            Span::CalendarYear => own().filter(|used| used.at.year() == at.year()).map(|used| used.amount).sum(),
            Span::CalendarMonth => own().filter(|used| month(used.at) == month(at)).map(|used| used.amount).sum(),
            Span::Rolling(length) => {
                // The fullest period that contains the instant ends at it or at a later use.
                let ends = std::iter::once(at).chain(own().map(|used| used.at).filter(|end| at < *end && *end - at < length));
                let within = |end: DateTime<Utc>| -> Decimal {
                    own().filter(|used| used.at <= end && end - used.at < length).map(|used| used.amount).sum()
                };
                ends.map(within).max().unwrap_or_default()
            }
        };
        (self.limit(limit) - used).max(Decimal::ZERO)
    }

    /// Records a use.
    ///
    /// # Errors
    /// A [`Refusal`] that names the limit, if less than the amount is left; the ledger is then as it was.
    pub fn record(&mut self, used: Use) -> Result<(), Refusal> {
        self.check(&used)?;
        let place = self.uses.partition_point(|other| *other <= used);
        self.uses.insert(place, used);
        Ok(())
    }

    /// Whether a use is within its limit.
    ///
    /// # Errors
    /// As [`Ledger::record`].
    pub fn check(&self, used: &Use) -> Result<(), Refusal> {
        let left = self.left(used.limit, &used.owner, used.at);
        if used.amount > left {
            let because = Because::Limit { limit: used.limit, asked: used.amount, left };
            return Err(Refusal { rule: used.limit.rule(), because });
        }
        Ok(())
    }
}
