//! What a row of a bill is: every row is in exactly one class of its format, and every class says what becomes of its rows.

use crate::reconciliation::Treatment;

/// What the money of a class is, for savings rate, coverage and utilisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChargeKind {
    /// Usage that commitments can cover, and none does.
    OnDemand,
    /// Usage that a commitment covers.
    Covered,
    /// Usage at spot prices.
    Spot,
    /// Usage within a free tier.
    FreeTier,
    /// What was not used of a commitment.
    Unused,
    /// A fee of a commitment.
    Purchase,
    /// Everything else.
    Other,
}

/// A class of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    /// Its name in SQL.
    pub(crate) name: &'static str,
    /// What it is, in words.
    pub(crate) reason: &'static str,
    pub(crate) treatment: Treatment,
    pub(crate) kind: ChargeKind,
}

/// A class.
pub(crate) const fn class(name: &'static str, reason: &'static str, treatment: Treatment, kind: ChargeKind) -> Class {
    Class { name, reason, treatment, kind }
}

/// The classes of the formats that are not AWS's own.
pub(crate) const COMMON: [Class; 20] = [
    class("on_demand", "usage on demand that commitments are sold for", Treatment::Usage, ChargeKind::OnDemand),
    class("covered", "usage covered by commitments", Treatment::Usage, ChargeKind::Covered),
    class("correction", "corrections of usage that commitments are sold for", Treatment::Usage, ChargeKind::OnDemand),
    class("spot", "usage on spot", Treatment::UncoverableUsage, ChargeKind::Spot),
    class("free_tier", "usage within the free tier", Treatment::UncoverableUsage, ChargeKind::FreeTier),
    class("unused", "unused parts of commitments", Treatment::Commitments, ChargeKind::Unused),
    class("recurring_fee", "recurring fees of commitments", Treatment::Commitments, ChargeKind::Purchase),
    class("upfront_fee", "upfront fees of commitments", Treatment::Commitments, ChargeKind::Purchase),
    class("other_usage", "usage that no commitment is sold for", Treatment::SetAside, ChargeKind::Other),
    class("other_provider", "usage of providers whose commitments are not known here", Treatment::SetAside, ChargeKind::Other),
    class("late", "usage of other months than those billed", Treatment::SetAside, ChargeKind::Other),
    class("marketplace", "marketplace and other publishers", Treatment::SetAside, ChargeKind::Other),
    class("support", "support", Treatment::SetAside, ChargeKind::Other),
    class("tax", "tax", Treatment::SetAside, ChargeKind::Other),
    class("credit", "credits", Treatment::SetAside, ChargeKind::Other),
    class("refund", "refunds", Treatment::SetAside, ChargeKind::Other),
    class("adjustment", "adjustments", Treatment::SetAside, ChargeKind::Other),
    class("rounding", "rounding", Treatment::SetAside, ChargeKind::Other),
    class("fee", "other fees", Treatment::SetAside, ChargeKind::Other),
    class("other", "rows of other types", Treatment::SetAside, ChargeKind::Other),
];

/// The SQL expression that gives the class of the first condition that holds.
pub(crate) fn cases(conditions: &[(&str, &str)], otherwise: &str) -> String {
    let cases: Vec<String> = conditions.iter().map(|(condition, name)| format!("WHEN {condition} THEN '{name}'")).collect();
    format!("CASE {} ELSE '{otherwise}' END", cases.join(" "))
}

/// The SQL condition that a row's class is usage in the curves.
pub(crate) fn is_usage(classes: &[Class]) -> String {
    let is_in = |class: &&Class| matches!(class.treatment, Treatment::Usage | Treatment::UncoverableUsage);
    let names: Vec<String> = classes.iter().filter(is_in).map(|class| format!("'{}'", class.name)).collect();
    format!("class IN ({})", names.join(", "))
}
