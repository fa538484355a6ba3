//! What a provider's rules about changing a commitment ask for and its price does not tell: when it was bought, in which state it is, how
//! it renews, whether it may be sold. All is optional; what is absent has the value that the provider gives a plain purchase.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The particulars of one commitment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Particulars {
    /// The [`Commitment::id`](super::Commitment::id) that they are of.
    pub commitment: String,
    /// What the provider is doing with it.
    #[serde(default)]
    pub status: Status,
    /// When it was bought (of a modified one: the purchase of the original; of an exchanged one: the exchange). Its start if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bought: Option<DateTime<Utc>>,
    /// Whether it is bought anew at its end. If absent, as the provider sells it: Azure reservations renew, all others lapse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<Renewal>,
    /// Where it was bought.
    #[serde(default)]
    pub bought_from: Source,
    /// At which price it was bought.
    #[serde(default)]
    pub price: PriceKind,
    /// Whether the provider has its upfront payment.
    #[serde(default)]
    pub upfront_payment: UpfrontPayment,
    /// What else hangs on it (Google: reservations of GPU and local SSD).
    #[serde(default)]
    pub attachment: Attachment,
}

impl Particulars {
    /// A plain purchase of which nothing else is known.
    #[must_use]
    pub fn of(commitment: impl Into<String>) -> Self {
        Self {
            commitment: commitment.into(),
            status: Status::default(),
            bought: None,
            renewal: None,
            bought_from: Source::default(),
            price: PriceKind::default(),
            upfront_payment: UpfrontPayment::default(),
            attachment: Attachment::default(),
        }
    }
}

/// What the provider is doing with a commitment: the states of the Savings Plans and EC2 interfaces, which the others have in other words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing: it is queued before its start, active in its term and expired after it.
    #[default]
    Settled,
    /// Its payment is under way.
    PaymentPending,
    /// Its payment failed: it serves nothing.
    PaymentFailed,
    /// A modification of it is under way.
    ModificationPending,
    /// An exchange of it is under way.
    ExchangePending,
    /// It is listed for sale on the Reserved Instance Marketplace.
    Listed,
    /// Its return is under way.
    ReturnPending,
    /// It was returned, refunded, exchanged, sold or cancelled: it serves nothing.
    Retired,
}

/// Whether a commitment is bought anew at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Renewal {
    /// The provider renews it at its end, at the price of that day.
    Automatic,
    /// It lapses.
    Off,
}

/// Where a commitment was bought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// From the provider.
    #[default]
    Provider,
    /// From another customer (AWS Reserved Instance Marketplace).
    Marketplace,
}

/// At which price a commitment was bought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriceKind {
    /// The public one.
    #[default]
    List,
    /// A volume or private discount was taken off: AWS does not let it be sold.
    Discounted,
}

/// Whether the provider has the upfront payment of a commitment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpfrontPayment {
    /// It has, or there is none.
    #[default]
    Received,
    /// Not yet.
    Pending,
}

/// What hangs on a commitment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attachment {
    /// Nothing.
    #[default]
    None,
    /// Reservations of capacity, which forbid a split.
    Reservations,
}
