//! Spend-based committed use discounts as dated data: which SKUs a plan covers, at what discount.
//!
//! Google moved spend-based commitments from credits to consumption models in 2025 and 2026 ("Multiprice CUDs" of the Cloud Billing
//! documentation); what one commits to differs:
//! - legacy: on-demand dollars an hour. Usage draws its on-demand price, and a dollar costs 1 - discount.
//! - new: discounted dollars an hour. Usage draws its discounted price, and a dollar costs a dollar.
//!
//! With one discount the two are the same; with several, the new model covers more on-demand spend of what is discounted more.
//! Membership in Google's SKU group "Compute Flexible CUD Eligible" is not published in the price lists; the table's patterns stand in
//! for it, and every offer made from it says so.

use super::{INSTANCE_HOUR, scopes};
use crate::catalog::{Benefit, Offer, OnDemandPrice, Origin, PaymentOption};
use crate::error::{Error, Problem, Result};
use crate::files;
use crate::time::Term;
use crate::units::{Money, MoneyPerHour, UnitPrice};
use crate::usage::Provider;
use crate::usage::pattern::fits;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

const DOCUMENTED: &str = include_str!("../../../data/gcp-spend-discounts.csv");

/// What an hourly amount of a spend-based commitment is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpendModel {
    /// On-demand dollars; accounts that have not been moved.
    Legacy,
    /// Discounted dollars; accounts made since 2025-07-15, and those that have been moved.
    New,
}

/// A table of spend-based discounts.
#[derive(Clone, Debug, PartialEq)]
pub struct SpendDiscounts {
    source: String,
    rows: Vec<Discount>,
}

/// One row: the discount of some SKUs under a plan.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Discount {
    plan: String,
    service: String,
    /// Patterns over SKU names, separated by semicolons; `*` stands for any text, case does not matter.
    r#match: String,
    area: Area,
    one_year: Decimal,
    three_years: Decimal,
    valid_from: NaiveDate,
    model: Models,
    evidence: String,
    source: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Area {
    All,
    Region,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Models {
    Both,
    New,
}

impl SpendDiscounts {
    /// The discounts of Google's documentation and, where a row says `reported`, of third parties; with date and source in
    /// `data/gcp-spend-discounts.csv`.
    ///
    /// # Errors
    /// None: the table is part of the library, and tested.
    pub fn documented() -> Result<Self> {
        Self::from_csv(DOCUMENTED, "Google Cloud documentation of 2026-04-08 (data/gcp-spend-discounts.csv)")
    }

    /// Reads a table of your own with the same columns, such as the discounts of a contract.
    ///
    /// # Errors
    /// Not a file, another shape, a discount outside of 0 to 1; with file and line.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let mut text = String::new();
        files::open(path, "discount")?.read_to_string(&mut text).map_err(|error| files::input_output(path, error))?;
        Self::from_csv(&text, &path.display().to_string()).map_err(|error| error.in_file(path))
    }

    /// Reads a table from its text; `source` names it in catalogs made with it.
    ///
    /// # Errors
    /// As [`SpendDiscounts::read`], without the file's name.
    pub fn from_csv(text: &str, source: &str) -> Result<Self> {
        let mut rows = Vec::new();
        for record in csv::Reader::from_reader(text.as_bytes()).deserialize::<Discount>() {
            let row = record.map_err(|error| {
                let line = error.position().map_or(1, csv::Position::line);
                let expected = "a table of spend-based discounts (CSV)";
                Error::from(Problem::Malformed { expected }).at_line(line).caused_by(error)
            })?;
            for discount in [row.one_year, row.three_years] {
                if discount <= Decimal::ZERO || discount >= Decimal::ONE {
                    let problem = Problem::OutOfRange { value: discount.to_string(), range: "0 to 1, both excluded" };
                    return Err(Error::from(problem).in_field("one_year, three_years").in_item(row.plan));
                }
            }
            rows.push(row);
        }
        if rows.is_empty() {
            return Err(Problem::Empty { what: "discount" }.into());
        }
        Ok(Self { source: source.to_owned(), rows })
    }

    /// Where the discounts come from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The offers of these discounts for the SKUs of a catalog, of the rows that were valid on a day (all rows, if it is unknown). In the
    /// legacy model a plan has one discount, that of its first row, and SKUs with another discount are not covered.
    #[must_use]
    pub fn offers(&self, prices: &[OnDemandPrice], day: Option<NaiveDate>, model: SpendModel) -> Vec<Offer> {
        let valid = |row: &&Discount| {
            day.is_none_or(|day| row.valid_from <= day) && (model == SpendModel::New || row.model == Models::Both)
        };
        let mut plans: BTreeMap<(&str, &str, u32), Plan<'_>> = BTreeMap::new();
        for row in self.rows.iter().filter(valid) {
            let patterns: Vec<String> = row.r#match.split(';').map(|pattern| pattern.trim().to_lowercase()).collect();
            for price in prices.iter().filter(|price| row.covers(price, &patterns)) {
                let area = if row.area == Area::Region { price.sku.region.as_str() } else { "" };
                for (months, discount) in [(12, row.one_year), (36, row.three_years)] {
                    let plan = plans.entry((&row.plan, area, months)).or_insert_with(|| Plan::new(row, discount));
                    let rate = match model {
                        SpendModel::New => price.price.value() * (Decimal::ONE - discount),
                        SpendModel::Legacy if discount == plan.discount => price.price.value(),
                        SpendModel::Legacy => continue,
                    };
                    plan.rates.entry(price.id.clone()).or_insert(UnitPrice::new(rate));
                }
            }
        }
        plans.into_iter().map(|((name, area, months), plan)| plan.offer(name, area, Term::Months(months), model)).collect()
    }
}

/// The fee SKU of a spend-based commitment in the legacy model.
pub(super) struct Fee<'a> {
    pub(super) sku_id: &'a str,
    /// `Commitment - dollar based v1: Cloud SQL ... for 1 year`.
    pub(super) description: &'a str,
    /// Empty for all regions.
    pub(super) region: &'a str,
    pub(super) term: Term,
    /// Of a cent an hour of on-demand spend.
    pub(super) price: Decimal,
}

impl SpendDiscounts {
    /// The legacy plan behind a fee SKU, for the SKUs of a catalog: the discount is the fee's, 1 - price / 0.01; what it covers is this
    /// table's. `None` if no plan's or service's name is in the description, nothing is covered, or the price is no discount.
    pub(super) fn offer_of_fee(&self, fee: &Fee<'_>, prices: &[&OnDemandPrice]) -> Option<Offer> {
        let discount = Decimal::ONE - fee.price * Decimal::ONE_HUNDRED;
        if discount <= Decimal::ZERO || discount >= Decimal::ONE {
            return None;
        }
        let description = fee.description.to_lowercase();
        let name = |row: &Discount| {
            [&row.plan, &row.service]
                .into_iter()
                .map(|name| name.to_lowercase())
                .filter(|name| description.contains(name))
                .count()
        };
        let named = self.rows.iter().filter(|row| row.model == Models::Both && name(row) > 0).max_by_key(|row| name(row))?;
        let mut plan = Plan::new(named, discount);
        for row in self.rows.iter().filter(|row| row.plan == named.plan && row.model == Models::Both) {
            let patterns: Vec<String> = row.r#match.split(';').map(|pattern| pattern.trim().to_lowercase()).collect();
            for price in prices {
                if (fee.region.is_empty() || price.sku.region == fee.region) && row.covers(price, &patterns) {
                    plan.rates.insert(price.id.clone(), price.price);
                }
            }
        }
        if plan.rates.is_empty() {
            return None;
        }
        let offer = plan.offer(&named.plan, fee.region, fee.term, SpendModel::Legacy);
        Some(Offer {
            derived: "committed in on-demand dollars; discount of the fee SKU; coverage by SKU name, not by Google's SKU group"
                .into(),
            provider_id: fee.sku_id.to_owned(),
            origin: Origin::default(),
            ..offer
        })
    }
}

impl Discount {
    /// Whether a SKU is covered. Machines with local SSD bundled are not: their price has a part that the discount may not be for.
    fn covers(&self, price: &OnDemandPrice, patterns: &[String]) -> bool {
        let sku = &price.sku;
        let has_more = sku.unit == INSTANCE_HOUR && sku.sku.contains("lssd") || sku.sku.contains("local SSD");
        if sku.provider != Provider::Gcp || sku.service != self.service || !sku.platform.is_empty() || has_more {
            return false;
        }
        let name = sku.sku.to_lowercase();
        patterns.iter().any(|pattern| fits(pattern, &name))
    }
}

/// An offer in the making.
struct Plan<'a> {
    discount: Decimal,
    service: &'a str,
    evidence: &'a str,
    source: &'a str,
    valid_from: NaiveDate,
    rates: BTreeMap<String, UnitPrice>,
}

impl<'a> Plan<'a> {
    fn new(row: &'a Discount, discount: Decimal) -> Self {
        Self {
            discount,
            service: &row.service,
            evidence: &row.evidence,
            source: &row.source,
            valid_from: row.valid_from,
            rates: BTreeMap::new(),
        }
    }

    fn offer(self, name: &str, region: &str, term: Term, model: SpendModel) -> Offer {
        let (plan, cost, kind) = match model {
            SpendModel::New => (name.to_owned(), Decimal::ONE, "discounted"),
            SpendModel::Legacy => (format!("{name} (legacy)"), Decimal::ONE - self.discount, "on-demand"),
        };
        let area = if region.is_empty() { String::new() } else { format!("{region}/") };
        Offer {
            id: format!("gcp/{plan}/{area}{}m", term.nominal_months()),
            provider: Provider::Gcp,
            service: self.service.to_owned(),
            region: region.to_owned(),
            benefit: Benefit::SpendPlan { plan, family: String::new(), rates: self.rates },
            term,
            payment_option: PaymentOption::NoUpfront,
            upfront: Money::ZERO,
            recurring: MoneyPerHour::new(cost),
            scopes: scopes(),
            rights: BTreeSet::new(),
            purchasable_from: None,
            purchasable_until: None,
            derived: format!(
                "committed in {kind} dollars; discount {}; coverage by SKU name, not by Google's SKU group",
                self.evidence
            ),
            lot: None,
            provider_id: String::new(),
            origin: Origin { source: self.source.to_owned(), price_date: Some(self.valid_from) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Resource, machine_sku, resource_price};
    use super::*;
    use rust_decimal::dec;

    fn prices() -> Vec<OnDemandPrice> {
        let mut run = resource_price("us-central1", "", &Resource::Cpu, dec!(0.1), "");
        run.sku.service = "Cloud Run".into();
        run.sku.sku = "Cloud Run CPU Request-based".into();
        run.id = "run".into();
        let mut machine = resource_price("us-central1", "N2", &Resource::Cpu, dec!(0.2), "");
        machine.sku = machine_sku("us-central1", "n2-standard-4");
        machine.id = "machine".into();
        let cpu = resource_price("us-central1", "N2", &Resource::Cpu, dec!(0.0316), "");
        let gpu = resource_price("us-central1", "A2", &Resource::Gpu("A100".into()), dec!(3), "");
        vec![run, machine, cpu, gpu]
    }

    fn rates(offer: &Offer) -> BTreeMap<&str, Decimal> {
        match &offer.benefit {
            Benefit::SpendPlan { rates, .. } => rates.iter().map(|(id, rate)| (id.as_str(), rate.value())).collect(),
            Benefit::Reservation { .. } => BTreeMap::new(),
        }
    }

    #[test]
    fn the_new_model_counts_discounted_dollars() {
        let offers = SpendDiscounts::documented().unwrap().offers(&prices(), None, SpendModel::New);
        let one_year = offers.iter().find(|offer| offer.id == "gcp/Compute flexible/12m").unwrap();
        let rates = rates(one_year);
        assert_eq!((rates["machine"], rates["run"]), (dec!(0.144), dec!(0.083)));
        assert_eq!((rates.len(), one_year.recurring.value()), (3, dec!(1)));
    }

    #[test]
    fn the_legacy_model_counts_on_demand_dollars() {
        let offers = SpendDiscounts::documented().unwrap().offers(&prices(), None, SpendModel::Legacy);
        let three_years = offers.iter().find(|offer| offer.id == "gcp/Compute flexible (legacy)/36m").unwrap();
        assert_eq!(rates(three_years), BTreeMap::from([("machine", dec!(0.2)), (prices()[2].id.as_str(), dec!(0.0316))]));
        assert_eq!(three_years.recurring.value(), dec!(0.54));
    }

    #[test]
    fn rows_hold_from_their_date_on() {
        let day = NaiveDate::from_ymd_opt(2022, 2, 9);
        assert!(SpendDiscounts::documented().unwrap().offers(&prices(), day, SpendModel::New).is_empty());
    }

    #[test]
    fn wrong_tables_are_refused() {
        let wrong = DOCUMENTED.replacen("0.28", "28", 1);
        assert!(SpendDiscounts::from_csv(&wrong, "test").unwrap_err().to_string().contains("Compute flexible"));
        let elsewhere = DOCUMENTED.replacen(",all,", ",world,", 1);
        assert!(SpendDiscounts::from_csv(&elsewhere, "test").unwrap_err().to_string().contains("line 2"));
    }
}
