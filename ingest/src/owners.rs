//! Owners of cost by a small rule file: regular expressions over tags, accounts, services, regions and resources, a hierarchy of owners, and costs
//! that owners share. For showback, chargeback and unit economics.
//!
//! ```toml
//! # The first rule that a row fits gives its owner; `/` separates the levels of the hierarchy. `$1` is a group of the last expression.
//! [[rule]]
//! owner = "shop/checkout"
//! tags.team = "^checkout$"
//!
//! [[rule]]
//! owner = "data/$1"
//! account = "^data-(.*)$"
//!
//! # What a shared owner has is divided among others: "proportional" to what they have, "even", or by fixed weights.
//! [[shared]]
//! owner = "platform"
//! split = "proportional"
//! among = ["shop", "data"]
//! ```

mod allocation;
mod rules;

pub use allocation::{Allocation, OwnerCost};
pub use rules::{OwnerRules, Split};
