//! What a buyer assumes or has agreed, and no page tells: sale prices and sell-through, fees that a provider reserves, dates of policy, who
//! the seller of record is.

use crate::error::{Error, Problem, Result};
use crate::files;
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

impl Assumptions {
    /// Reads assumptions from their JSON.
    ///
    /// # Errors
    /// [`Problem::Malformed`] for another shape, and all of [`Assumptions::check`].
    pub fn from_json(text: &str) -> Result<Self> {
        let assumptions: Self = files::parse_json(text, "assumptions about commitments (JSON)")?;
        assumptions.check()?;
        Ok(assumptions)
    }

    /// Whether every share and price is one.
    ///
    /// # Errors
    /// [`Problem::OutOfRange`] with the field.
    pub fn check(&self) -> Result<()> {
        let refuse = |field: &str, value: String, range: &'static str| {
            Err(Error::from(Problem::OutOfRange { value, range }).in_field(field))
        };
        let share = |field: &str, value: Decimal| match value {
            value if value < Decimal::ZERO || value > Decimal::ONE => refuse(field, value.to_string(), "0 to 1"),
            _ => Ok(()),
        };
        let positive = |field: &str, value: Decimal| match value {
            value if value < Decimal::ZERO => refuse(field, value.to_string(), "0 and more"),
            _ => Ok(()),
        };
        if !(0.0..=1.0).contains(&self.aws.sell_through) {
            return refuse("aws.sell_through", self.aws.sell_through.to_string(), "0 to 1");
        }
        match &self.aws.sale_price {
            SalePrice::ShareOfPrepaid { share } | SalePrice::ShareOfReplacement { share } => {
                positive("aws.sale_price.share", *share)?;
            }
            SalePrice::Each { price } => positive("aws.sale_price.price", price.value())?,
        }
        share("azure.early_termination_fee", self.azure.early_termination_fee)?;
        if self.azure.usd_rate <= Decimal::ZERO {
            return refuse("azure.usd_rate", self.azure.usd_rate.to_string(), "amounts above 0");
        }
        for (id, put) in &self.puts {
            let field = |name: &str| format!("puts.{id}.{name}");
            positive(&field("strike"), put.strike)?;
            match put.premium {
                Premium::ShareOfSavings { share: premium } => share(&field("premium"), premium)?,
                Premium::ShareOfPrice { share: premium } => positive(&field("premium"), premium)?,
            }
        }
        Ok(())
    }

    /// The JSON Schema of their format.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test]
    fn what_is_left_out_is_as_published() {
        assert_eq!(Assumptions::from_json("{}").unwrap(), Assumptions::default());
        let written = serde_json::to_string(&Assumptions::default()).unwrap();
        assert_eq!(Assumptions::from_json(&written).unwrap(), Assumptions::default());
    }

    #[test_case(r#"{"aws": {"sell_through": 1.5}}"#, "sell_through")]
    #[test_case(r#"{"aws": {"sale_price": {"kind": "each", "price": "-0.01"}}}"#, "aws.sale_price.price")]
    #[test_case(r#"{"azure": {"early_termination_fee": "12"}}"#, "early_termination_fee")]
    #[test_case(r#"{"azure": {"usd_rate": "0"}}"#, "usd_rate")]
    #[test_case(
        r#"{"puts": {"c": {"binding": "P30D", "premium": {"kind": "share_of_savings", "share": "1.1"}, "strike": "1"}}}"#,
        "puts.c.premium"
    )]
    #[test_case(r#"{"google": {}}"#, "google")]
    fn wrong_assumptions_are_refused(text: &str, words: &str) {
        let message = Assumptions::from_json(text).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }

    #[test]
    fn the_checked_in_schema_is_the_one_the_types_make() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/assumptions.schema.json");
        let schema = serde_json::to_string_pretty(&Assumptions::json_schema()).unwrap() + "\n";
        if std::env::var_os("COVERMIX_WRITE_SCHEMAS").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), schema, "run the test with COVERMIX_WRITE_SCHEMAS=1 to renew it");
    }
}
