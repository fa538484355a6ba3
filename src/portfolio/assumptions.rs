//! What a buyer assumes or has agreed, and no page tells: sale prices and sell-through, fees that a provider reserves, dates of policy, who
//! the seller of record is.

use crate::time::Term;
use crate::units::Money;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The assumptions behind permissions and quotes. The defaults are what the providers publish, and no money for a sale.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Assumptions {
    /// AWS.
    pub aws: AwsAssumptions,
    /// Azure.
    pub azure: AzureAssumptions,
    /// Puts bought on commitments, by the commitment's identifier.
    pub puts: BTreeMap<String, Put>,
}

/// What is assumed of AWS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AwsAssumptions {
    /// Whose limits are used: the management account for returns, the seller's account for sales.
    pub account: String,
    /// Who invoices the account.
    pub seller_of_record: SellerOfRecord,
    /// Whether the account may sell on the Reserved Instance Marketplace.
    pub seller: Seller,
    /// Regions that are disabled by default, where nothing can be sold.
    pub opt_in_regions: BTreeSet<String>,
    /// The upfront price that a sale is listed at.
    pub sale_price: SalePrice,
    /// The share of a listing that is sold, 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub sell_through: f64,
}

impl Default for AwsAssumptions {
    fn default() -> Self {
        Self {
            account: String::new(),
            seller_of_record: SellerOfRecord::default(),
            seller: Seller::default(),
            opt_in_regions: BTreeSet::new(),
            sale_price: SalePrice::ShareOfPrepaid { share: Decimal::ZERO },
            sell_through: 1.0,
        }
    }
}

/// The company that invoices an AWS account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SellerOfRecord {
    /// Amazon Web Services, Inc. and all that have no rules of their own.
    #[default]
    Aws,
    /// Amazon Web Services India Private Limited: no sales.
    India,
    /// Amazon AWS Serviços Brasil: no returns of plans with an upfront payment.
    Brazil,
    /// AWS Turkey: no returns of plans with an upfront payment.
    Turkey,
}

/// Whether an account is a registered seller, with a bank address in the United States.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Seller {
    /// It is, or will be by then.
    #[default]
    Registered,
    /// It cannot be.
    NotRegistered,
}

/// The upfront price of one Reserved Instance on the marketplace. The buyer takes over the hourly price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SalePrice {
    /// A share of the part of the upfront payment that is for the time to come.
    ShareOfPrepaid {
        /// The share, 0 or more.
        #[serde(with = "rust_decimal::serde::str")]
        #[schemars(schema_with = "crate::units::decimal_schema")]
        share: Decimal,
    },
    /// A share of what the buyer saves against the same offer bought new: its effective price over the hours to come, less the hourly
    /// price taken over. 0 where that is nothing.
    ShareOfReplacement {
        /// The share, 0 or more.
        #[serde(with = "rust_decimal::serde::str")]
        #[schemars(schema_with = "crate::units::decimal_schema")]
        share: Decimal,
    },
    /// An amount for each.
    Each {
        /// The amount, 0 or more.
        price: Money,
    },
}

/// What is assumed of Azure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AzureAssumptions {
    /// Whose limit is used: the enrolment, billing profile or customer.
    pub billing_scope: String,
    /// The early termination fee, as a share of the remaining commitment that is cancelled. Microsoft charges none today and reserves
    /// 0.12.
    #[serde(with = "rust_decimal::serde::str")]
    #[schemars(schema_with = "crate::units::decimal_schema")]
    pub early_termination_fee: Decimal,
    /// The first day of the new exchange policy.
    pub exchange_policy_change: NaiveDate,
    /// How the part of a price that is for the time to come is reckoned.
    pub proration: Proration,
    /// US dollars for one unit of the catalog's currency, for the refund limit.
    #[serde(with = "rust_decimal::serde::str")]
    #[schemars(schema_with = "crate::units::decimal_schema")]
    pub usd_rate: Decimal,
}

impl Default for AzureAssumptions {
    fn default() -> Self {
        Self {
            billing_scope: String::new(),
            early_termination_fee: Decimal::ZERO,
            exchange_policy_change: NaiveDate::from_ymd_opt(2027, 2, 1).unwrap_or(NaiveDate::MAX),
            proration: Proration::default(),
            usd_rate: Decimal::ONE,
        }
    }
}

/// How the part of a price that is for the time to come is reckoned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proration {
    /// By days in UTC, as the rule says.
    #[default]
    Days,
    /// By whole months, as the examples of the documentation are reckoned.
    Months,
}

/// The right to hand a commitment to an insurer: a short term made of a long one (the rate of a long commitment plus a premium, for a
/// binding time of 30 days or a year).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Put {
    /// How long the commitment must be kept, from its start.
    pub binding: Term,
    /// What the insurer takes for it.
    pub premium: Premium,
    /// The share of the prepaid value that the insurer pays when the commitment is handed over.
    #[serde(with = "rust_decimal::serde::str")]
    #[schemars(schema_with = "crate::units::decimal_schema")]
    pub strike: Decimal,
}

/// The price of a put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Premium {
    /// A share of what the commitment saves against on demand, in hours in which it saves.
    ShareOfSavings {
        /// The share, 0 to 1.
        #[serde(with = "rust_decimal::serde::str")]
        #[schemars(schema_with = "crate::units::decimal_schema")]
        share: Decimal,
    },
    /// A share of the commitment's effective hourly price, in every hour.
    ShareOfPrice {
        /// The share, 0 or more.
        #[serde(with = "rust_decimal::serde::str")]
        #[schemars(schema_with = "crate::units::decimal_schema")]
        share: Decimal,
    },
}
