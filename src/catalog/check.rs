//! Named checks of a catalog's prices: what providers and price sources get wrong, found before a purchase is planned on it.

use super::{Benefit, Catalog, Offer, PaymentOption, RejectionReason};
use crate::units::UnitPrice;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth a look; a plan on it is valid.
    Note,
    /// Unusual; look at the source before buying.
    Warning,
    /// The price cannot be right.
    Error,
}

/// The checks. More may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Check {
    /// The source gave a price of 0 or none.
    PriceMissing,
    /// The reader left a price out because it cannot be right beside the others of the same thing: a 1-year price where the 3-year price
    /// is 0 or not lower, an hourly price where a whole term's belongs.
    PriceImplausible,
    /// The longer term costs more an hour than the shorter one.
    LongerTermDearer,
    /// A commitment costs more an hour than what it covers costs on demand.
    DearerThanOnDemand,
    /// The hourly price looks like that of a whole term.
    TermPriceAsHourly,
    /// The saving is larger than any provider's list gives.
    SavingTooLarge,
    /// More upfront and yet dearer.
    UpfrontDearer,
    /// One of the two terms is missing beside the other.
    TermMissing,
    /// The offer ends before it starts to be sold.
    NeverPurchasable,
    /// The catalog mixes price dates more than a year apart.
    DatesMixed,
}

impl Check {
    /// Its name: `longer-term-dearer`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PriceMissing => "price-missing",
            Self::PriceImplausible => "price-implausible",
            Self::LongerTermDearer => "longer-term-dearer",
            Self::DearerThanOnDemand => "dearer-than-on-demand",
            Self::TermPriceAsHourly => "term-price-as-hourly",
            Self::SavingTooLarge => "saving-too-large",
            Self::UpfrontDearer => "upfront-dearer",
            Self::TermMissing => "term-missing",
            Self::NeverPurchasable => "never-purchasable",
            Self::DatesMixed => "dates-mixed",
        }
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::LongerTermDearer | Self::DearerThanOnDemand | Self::TermPriceAsHourly | Self::NeverPurchasable => {
                Severity::Error
            }
            Self::PriceMissing | Self::PriceImplausible | Self::SavingTooLarge | Self::UpfrontDearer | Self::DatesMixed => {
                Severity::Warning
            }
            Self::TermMissing => Severity::Note,
        }
    }

    /// What to do about it, in one sentence.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::PriceMissing => "treat it as not for sale, or take the price from another source",
            Self::PriceImplausible => {
                "nothing was read of it: take the price from the provider's own page, or another date of the source"
            }
            Self::LongerTermDearer => "leave both offers out until the provider's own price page confirms one of them",
            Self::DearerThanOnDemand => {
                "check the unit of the price and the SKU it is compared with; leave the offer out otherwise"
            }
            Self::TermPriceAsHourly => "divide it by the hours of the term (8,760 a year) or enter it as upfront",
            Self::SavingTooLarge => "check whether the price is per unit or per block, and per hour or per month",
            Self::UpfrontDearer => "check the split of upfront and hourly amounts",
            Self::TermMissing => "nothing, if the provider does not sell it; else read the file that has it",
            Self::NeverPurchasable => "correct the dates of sale",
            Self::DatesMixed => "read price files of one date, or plan knowing that prices of several dates are compared",
        }
    }
}

/// Something that a check found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The check.
    pub check: Check,
    /// The offer, price or entry it is about.
    pub item: String,
    /// What was found, with figures.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.check.severity() {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{severity} {}: {}: {}; {}", self.check.name(), self.item, self.detail, self.check.remedy())
    }
}

/// An hourly price more than this many times the on-demand price is a term's price: a month is 730 hours.
const TERM_PRICE_FACTOR: i64 = 100;
/// The largest list discount of any provider is 77 % (DynamoDB, three years); beyond this share the unit is wrong.
const LARGEST_SAVING: Decimal = Decimal::from_parts(90, 0, 0, false, 2);

impl Catalog {
    /// Checks the prices; findings in the order of checks and items. An empty list means that no check found anything, not that the prices
    /// are the provider's.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut add = |check, item: &str, detail: String| findings.push(Finding { check, item: item.to_owned(), detail });
        for rejection in &self.rejected {
            let (check, what) = match rejection.reason {
                RejectionReason::NoPrice => (Check::PriceMissing, "the source gives 0 or no price"),
                RejectionReason::Implausible => {
                    (Check::PriceImplausible, "the price was left out beside the others of the same thing")
                }
                _ => continue,
            };
            add(check, &rejection.item, format!("{what} ({} time(s))", rejection.count));
        }
        for offer in &self.offers {
            self.check_alone(offer, &mut add);
        }
        self.check_pairs(&mut add);
        let dates: BTreeSet<_> = self.sources().into_keys().filter_map(|origin| origin.price_date).collect();
        if let (Some(first), Some(last)) = (dates.first(), dates.last())
            && (*last - *first).num_days() > 366
        {
            add(Check::DatesMixed, self.source(), format!("prices are from {first} to {last}"));
        }
        findings.sort();
        findings
    }

    fn check_alone(&self, offer: &Offer, add: &mut impl FnMut(Check, &str, String)) {
        if let (Some(from), Some(until)) = (offer.purchasable_from, offer.purchasable_until)
            && until < from
        {
            add(Check::NeverPurchasable, &offer.id, format!("sold from {from} until {until}"));
        }
        match &offer.benefit {
            Benefit::Reservation { sku, pool } => {
                let Some(price) = self.price_with_id(sku) else { return };
                // What one reservation replaces: its units in the pool, over those one unit of usage needs.
                let own =
                    pool.as_ref().and_then(|pool| price.pools.iter().find(|own| own.pool == pool.pool).map(|own| (pool, own)));
                let units = own.map_or(Decimal::ONE, |(pool, own)| pool.units.value() / own.units.value());
                let list = price.list_price.map_or(price.price, |list| list.max(price.price)).value() * units;
                compare(offer.effective_hourly().value(), list, &offer.id, add);
            }
            Benefit::SpendPlan { rates, .. } => {
                for (id, rate) in rates {
                    if let Some(price) = self.price_with_id(id) {
                        compare(
                            rate.value(),
                            price.price.max(price.list_price.unwrap_or(UnitPrice::ZERO)).value(),
                            &format!("{} for {id}", offer.id),
                            add,
                        );
                    }
                }
            }
        }
    }

    /// Offers of one thing that differ in term or payment option only.
    fn check_pairs(&self, add: &mut impl FnMut(Check, &str, String)) {
        let mut groups: BTreeMap<String, Vec<(&Offer, String, Decimal)>> = BTreeMap::new();
        for offer in &self.offers {
            let rights: Vec<String> = offer.rights.iter().map(|right| format!("{right:?}")).collect();
            match &offer.benefit {
                Benefit::Reservation { sku, .. } => {
                    let key = format!("{sku} {}", rights.join(","));
                    groups.entry(key).or_default().push((offer, offer.id.clone(), offer.effective_hourly().value()));
                }
                // Rates that were derived from reservations would only repeat what is found of those.
                Benefit::SpendPlan { .. } if !offer.derived.is_empty() => {}
                Benefit::SpendPlan { plan, family, rates } => {
                    for (id, rate) in rates {
                        let key = format!("{plan} {} {family} {id}", offer.region);
                        groups.entry(key).or_default().push((offer, format!("{} for {id}", offer.id), rate.value()));
                    }
                }
            }
        }
        for group in groups.values() {
            let mut months: BTreeSet<u32> = BTreeSet::new();
            for (offer, item, price) in group {
                months.insert(offer.term.nominal_months());
                for (other, other_item, other_price) in group {
                    let (term, other_term) = (offer.term.nominal_months(), other.term.nominal_months());
                    let detail = || {
                        let [price, other] = [price, other_price].map(|price| price.round_dp(6).normalize());
                        format!("{price} an hour, and {other} for {other_item}")
                    };
                    if offer.payment_option == other.payment_option && term > other_term && price > other_price {
                        add(Check::LongerTermDearer, item, detail());
                    }
                    let more_upfront = rank(offer.payment_option) > rank(other.payment_option);
                    if term == other_term && more_upfront && *price > *other_price * Decimal::new(1001, 3) {
                        add(Check::UpfrontDearer, item, detail());
                    }
                }
            }
            if let (Some((_, item, _)), false) = (group.first(), months.contains(&12) == months.contains(&36)) {
                let (there, missing) = if months.contains(&12) { (12, 36) } else { (36, 12) };
                add(Check::TermMissing, item, format!("sold for {there} months, not for {missing}"));
            }
        }
    }
}

fn rank(payment: PaymentOption) -> u8 {
    match payment {
        PaymentOption::NoUpfront => 0,
        PaymentOption::PartialUpfront => 1,
        PaymentOption::AllUpfront => 2,
    }
}

fn compare(price: Decimal, on_demand: Decimal, item: &str, add: &mut impl FnMut(Check, &str, String)) {
    let detail = || format!("{} an hour, and {} on demand", price.round_dp(6).normalize(), on_demand.normalize());
    if price > on_demand * Decimal::from(TERM_PRICE_FACTOR) {
        add(Check::TermPriceAsHourly, item, detail());
    } else if price > on_demand {
        add(Check::DearerThanOnDemand, item, detail());
    } else if price < on_demand * (Decimal::ONE - LARGEST_SAVING) {
        add(Check::SavingTooLarge, item, detail());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(on_demand: &str, reserved: &str) -> Vec<&'static str> {
        let text = format!(
            r#"[{{"instance_type": "m4.large", "pricing": {{"us-east-1": {{"linux": {{"ondemand": "{on_demand}", "reserved": {{{reserved}}}}}}}}}}}]"#
        );
        Catalog::from_json(&text).unwrap().check().iter().map(|finding| finding.check.name()).collect()
    }

    #[test]
    fn good_prices_have_no_findings() {
        assert_eq!(check("0.1", r#""yrTerm1Standard.noUpfront": "0.06", "yrTerm3Standard.noUpfront": "0.04""#), [""; 0]);
    }

    #[test]
    fn each_error_has_its_name() {
        assert!(
            check("0.1", r#""yrTerm1Standard.noUpfront": "0.04", "yrTerm3Standard.noUpfront": "0.06""#)
                .contains(&"longer-term-dearer")
        );
        assert!(check("0.1", r#""yrTerm1Standard.noUpfront": "0.2""#).contains(&"dearer-than-on-demand"));
        assert!(check("0.1", r#""yrTerm1Standard.noUpfront": "500""#).contains(&"term-price-as-hourly"));
        assert!(check("0.1", r#""yrTerm1Standard.noUpfront": "0.001""#).contains(&"saving-too-large"));
        assert!(check("0.1", r#""yrTerm1Standard.noUpfront": "0""#).contains(&"price-missing"));
        assert!(check("0.1", r#""yrTerm1Standard.noUpfront": "0.06""#).contains(&"term-missing"));
        let upfront = r#""yrTerm1Standard.noUpfront": "0.06", "yrTerm1Standard.allUpfront": "0.07""#;
        assert!(check("0.1", upfront).contains(&"upfront-dearer"));
    }

    #[test]
    fn findings_name_item_and_remedy() {
        let text = r#"[{"instance_type": "m4.large", "pricing": {"us-east-1": {"linux": {"ondemand": "0.1",
            "reserved": {"yrTerm1Standard.noUpfront": "500"}}}}}]"#;
        let message = Catalog::from_json(text).unwrap().check()[1].to_string();
        let all: Vec<String> = Catalog::from_json(text).unwrap().check().iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|text| text.contains("m4.large") && text.contains("8,760")), "{message}");
    }
}
