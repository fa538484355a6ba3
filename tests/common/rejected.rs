//! What readers of price lists leave out.

use covermix::catalog::{Catalog, RejectionReason};
use std::collections::BTreeMap;

/// How much was left out, by reason.
pub(crate) fn rejections(catalog: &Catalog) -> BTreeMap<RejectionReason, u64> {
    let mut counts = BTreeMap::new();
    for rejection in catalog.rejected() {
        *counts.entry(rejection.reason).or_default() += rejection.count;
    }
    counts
}
