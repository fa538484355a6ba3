//! Reads answers of the Cloud Billing Catalog API (`services/{id}/skus`): one SKU per resource, region group and way of buying.
//!
//! A price is `units` + `nanos` / 10^9. `usageType` is `OnDemand`, `Preemptible`, `Commit1Yr` or `Commit3Yr`; commitments join on-demand
//! SKUs on region and what their descriptions are about (see [`super::description`]). Commitments in dollars (`Commitment - dollar
//! based v1: ...`) have a fee for a cent of on-demand spend and no rates: with the fee's discount they become plans of the legacy model,
//! which cover what [`super::spend_discounts`] says; a fee of another plan is set aside as such.

use super::description::{self, Overrides, Subject};
use super::spend_discounts::{Fee, SpendDiscounts};
use super::{COMPUTE_ENGINE, Committed, commitment_series, resource_offer, resource_pool, resource_sku};
use crate::catalog::{Catalog, Offer, OnDemandPrice, Origin, Rejection, RejectionReason, SpotPrice};
use crate::error::{Error, Problem, Result};
use crate::files;
use crate::time::Term;
use crate::units::UnitPrice;
use crate::usage::{Provider, Sku};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

const EXPECTED: &str = "answers of the Cloud Billing Catalog API (JSON with `skus`)";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    skus: Vec<Entry>,
    #[serde(default)]
    next_page_token: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    sku_id: String,
    description: String,
    category: Category,
    #[serde(default)]
    service_regions: Vec<String>,
    #[serde(default)]
    pricing_info: Vec<PricingInfo>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Category {
    service_display_name: String,
    #[serde(default)]
    usage_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PricingInfo {
    pricing_expression: PricingExpression,
    effective_time: Option<DateTime<Utc>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PricingExpression {
    usage_unit: String,
    #[serde(default)]
    tiered_rates: Vec<TieredRate>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TieredRate {
    #[serde(default)]
    start_usage_amount: f64,
    unit_price: Price,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Price {
    #[serde(default)]
    currency_code: String,
    /// A string in the API; absent for amounts below one.
    #[serde(default)]
    units: Option<serde_json::Value>,
    #[serde(default)]
    nanos: i64,
}

impl Price {
    /// Units and nanos, which carry the same sign.
    fn value(&self) -> Option<Decimal> {
        let units: i64 = match &self.units {
            None | Some(serde_json::Value::Null) => 0,
            Some(serde_json::Value::String(text)) => text.parse().ok()?,
            Some(other) => other.as_i64()?,
        };
        Some((Decimal::from(units) + Decimal::new(self.nanos, 9)).normalize())
    }
}

/// A reader of Cloud Billing Catalog answers.
#[derive(Clone, Debug, Default)]
pub struct BillingCatalog {
    overrides: Overrides,
    accepts_missing_pages: bool,
    currency: Option<String>,
}

impl BillingCatalog {
    /// A reader that goes by descriptions alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a table for descriptions that do not follow the rules.
    #[must_use]
    pub fn overrides(self, overrides: Overrides) -> Self {
        Self { overrides, ..self }
    }

    /// Reads what is there, although it ends with a page that names a next one: a part of the price list on purpose.
    #[must_use]
    pub fn accept_missing_pages(self) -> Self {
        Self { accepts_missing_pages: true, ..self }
    }

    /// Takes the prices in this currency alone; others are rejected as not selected.
    #[must_use]
    pub fn currency(self, code: impl Into<String>) -> Self {
        Self { currency: Some(code.into()), ..self }
    }

    /// Reads files, plain or gzip, each with one or more pages; their order does not matter.
    ///
    /// # Errors
    /// As [`BillingCatalog::from_json`], with the file's name.
    pub fn read<P: AsRef<Path>>(&self, paths: &[P]) -> Result<Catalog> {
        let mut pages = Vec::new();
        for path in paths {
            let path = path.as_ref();
            let mut text = String::new();
            files::open(path, "SKU")?.read_to_string(&mut text).map_err(|error| files::input_output(path, error))?;
            pages.extend(parse(&text).map_err(|error| error.in_file(path))?);
        }
        self.build(pages)
    }

    /// Reads a text with one or more pages after each other.
    ///
    /// # Errors
    /// [`Problem::Malformed`] with the line; [`Problem::Value`] if every page names a next one; [`Problem::MixedCurrency`];
    /// [`Problem::Empty`] without a usable price.
    pub fn from_json(&self, text: &str) -> Result<Catalog> {
        self.build(parse(text)?)
    }

    fn build(&self, pages: Vec<Page>) -> Result<Catalog> {
        if !self.accepts_missing_pages && !pages.is_empty() && pages.iter().all(|page| !page.next_page_token.is_empty()) {
            let token = pages.into_iter().map(|page| page.next_page_token).min().unwrap_or_default();
            let expected = "the last page: append the page that it names, until `nextPageToken` is empty";
            return Err(Error::from(Problem::Value { value: token, expected }).in_field("nextPageToken"));
        }
        let mut entries: Vec<Entry> = pages.into_iter().flat_map(|page| page.skus).collect();
        entries.sort_by(|a, b| a.sku_id.cmp(&b.sku_id));
        let mut builder = Builder { wanted: self.currency.clone(), ..Builder::default() };
        for entry in &entries {
            builder.add(entry, description::subject(&entry.description, &self.overrides).as_ref())?;
        }
        builder.finish()
    }
}

/// Pages that are read one by one, and joined when all are there.
#[derive(Debug, Default)]
pub(in crate::catalog) struct Pages {
    pages: Vec<Page>,
}

impl Pages {
    /// Adds the pages of a text.
    pub(in crate::catalog) fn add(&mut self, text: &str) -> Result<()> {
        self.pages.extend(parse(text)?);
        Ok(())
    }

    /// The catalog of all pages; `None` without any.
    pub(in crate::catalog) fn finish(self) -> Result<Option<Catalog>> {
        if self.pages.is_empty() { Ok(None) } else { BillingCatalog::new().build(self.pages).map(Some) }
    }
}

fn parse(text: &str) -> Result<Vec<Page>> {
    if text.trim().is_empty() {
        return Err(Problem::Empty { what: "SKU" }.into());
    }
    let pages = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}')).into_iter::<Page>();
    pages
        .map(|page| {
            page.map_err(|error| {
                let line = u64::try_from(error.line()).unwrap_or(u64::MAX);
                Error::from(Problem::Malformed { expected: EXPECTED }).at_line(line).caused_by(error)
            })
        })
        .collect()
}

#[derive(Default)]
struct Builder {
    wanted: Option<String>,
    currency: Option<String>,
    date: Option<NaiveDate>,
    prices: BTreeMap<String, OnDemandPrice>,
    spot: BTreeMap<String, SpotPrice>,
    /// Commitments, to be joined when all on-demand prices are known.
    committed: Vec<(String, Term, Subject, String, Decimal, String)>,
    /// Fees of commitments in dollars: region, term, SKU, description, price, item.
    fees: Vec<(String, Term, String, String, Decimal, String)>,
    offers: BTreeMap<String, Offer>,
    rejected: Vec<Rejection>,
}

impl Builder {
    fn reject(&mut self, item: String, reason: RejectionReason) {
        self.rejected.push(Rejection { item, reason, count: 1 });
    }

    fn add(&mut self, entry: &Entry, subject: Option<&Subject>) -> Result<()> {
        let item = format!("{} {}", entry.sku_id, entry.description);
        // The API gives the prices in force, and past or future ones where asked for: the latest is taken.
        let Some(info) = entry.pricing_info.iter().max_by_key(|info| info.effective_time) else {
            self.reject(item, RejectionReason::NoPrice);
            return Ok(());
        };
        for _ in 1..entry.pricing_info.len() {
            self.reject(item.clone(), RejectionReason::Superseded);
        }
        let mut rates: Vec<&TieredRate> = info.pricing_expression.tiered_rates.iter().collect();
        rates.sort_by(|a, b| a.start_usage_amount.total_cmp(&b.start_usage_amount));
        // A free first tier is the account's free tier, not the price.
        let is_free = |rate: &&&TieredRate| rate.unit_price.value().is_some_and(|price| price.is_zero());
        let first = rates.iter().find(|rate| !is_free(rate)).copied();
        for _ in 1..rates.len() {
            self.reject(item.clone(), RejectionReason::Superseded);
        }
        let Some(rate) = first else {
            self.reject(item, RejectionReason::NoPrice);
            return Ok(());
        };
        let Some(price) = rate.unit_price.value().filter(|price| *price > Decimal::ZERO) else {
            self.reject(item, RejectionReason::UnreadablePrice);
            return Ok(());
        };
        if self.wanted.as_ref().is_some_and(|wanted| *wanted != rate.unit_price.currency_code) {
            self.reject(item, RejectionReason::NotSelected);
            return Ok(());
        }
        let currency = self.currency.get_or_insert_with(|| rate.unit_price.currency_code.clone()).clone();
        if currency != rate.unit_price.currency_code {
            let problem = Problem::MixedCurrency { found: rate.unit_price.currency_code.clone(), expected: currency };
            return Err(Error::from(problem).in_field("currencyCode").in_item(item));
        }
        self.date = self.date.max(info.effective_time.map(|instant| instant.date_naive()));
        let regions: Vec<&str> = match entry.service_regions.as_slice() {
            [] => vec![""],
            regions => regions.iter().map(|region| if region == "global" { "" } else { region.as_str() }).collect(),
        };
        for region in regions {
            self.add_in(region, entry, info, subject, price, &item);
        }
        Ok(())
    }

    fn add_in(&mut self, region: &str, entry: &Entry, info: &PricingInfo, subject: Option<&Subject>, price: Decimal, item: &str) {
        let item = format!("{item} ({region})");
        let subject = subject.filter(|_| entry.category.service_display_name == COMPUTE_ENGINE);
        let usage_type = entry.category.usage_type.as_str();
        let term = match usage_type {
            "OnDemand" | "" | "Preemptible" => None,
            "Commit1Yr" => Some(Term::Months(12)),
            "Commit3Yr" => Some(Term::Months(36)),
            _ => return self.reject(item, RejectionReason::UnknownTerms),
        };
        if entry.description.starts_with(DOLLAR_BASED) {
            return match term.or_else(|| term_of(&entry.description)) {
                Some(term) => {
                    self.fees.push((region.into(), term, entry.sku_id.clone(), entry.description.clone(), price, item));
                }
                None => self.reject(item, RejectionReason::UnknownTerms),
            };
        }
        if let Some(term) = term {
            match subject {
                Some(subject) => self.committed.push((region.into(), term, subject.clone(), entry.sku_id.clone(), price, item)),
                None => self.reject(item, RejectionReason::NoOnDemandPrice),
            }
            return;
        }
        let sku = match subject {
            Some(Subject { series, resource }) => resource_sku(region, series, resource),
            None => Sku {
                provider: Provider::Gcp,
                service: entry.category.service_display_name.clone(),
                region: region.into(),
                sku: entry.description.clone(),
                platform: String::new(),
                tenancy: String::new(),
                unit: unit(&info.pricing_expression.usage_unit),
            },
        };
        if usage_type == "Preemptible" {
            let id = format!("{sku}/spot");
            let spot = SpotPrice {
                id: id.clone(),
                sku,
                availability_zone: String::new(),
                price: UnitPrice::new(price),
                interruption: None,
                origin: Origin::default(),
                derived: String::new(),
            };
            if self.spot.contains_key(&id) {
                return self.reject(item, RejectionReason::Superseded);
            }
            self.spot.insert(id, spot);
            return;
        }
        let id = sku.to_string();
        if self.prices.contains_key(&id) {
            return self.reject(item, RejectionReason::Superseded);
        }
        let pools = subject.map(|subject| resource_pool(region, &subject.series, &subject.resource)).into_iter().collect();
        let family = subject.map(|subject| commitment_series(&subject.series).to_owned()).unwrap_or_default();
        let provider_id = entry.sku_id.clone();
        let price = OnDemandPrice {
            id: id.clone(),
            sku,
            price: UnitPrice::new(price),
            family,
            pools,
            provider_id,
            list_price: None,
            origin: Origin::default(),
        };
        self.prices.insert(id, price);
    }

    fn finish(mut self) -> Result<Catalog> {
        for (region, term, subject, provider_id, price, item) in std::mem::take(&mut self.committed) {
            let sku = resource_sku(&region, commitment_series(&subject.series), &subject.resource).to_string();
            let Some(on_demand) = self.prices.get(&sku).map(|price| price.price.value()) else {
                self.reject(item, RejectionReason::NoOnDemandPrice);
                continue;
            };
            if price > on_demand {
                self.reject(item, RejectionReason::AboveOnDemand);
                continue;
            }
            let committed = Committed {
                region: &region,
                series: &subject.series,
                resource: &subject.resource,
                term,
                price,
                provider_id: &provider_id,
                derived: "",
            };
            let offer = resource_offer(&committed);
            if self.offers.contains_key(&offer.id) {
                self.reject(item, RejectionReason::Superseded);
            } else {
                self.offers.insert(offer.id.clone(), offer);
            }
        }
        self.finish_fees()?;
        self.reject_inverted_terms();
        self.rejected.sort_by(|a, b| (&a.item, a.reason).cmp(&(&b.item, b.reason)));
        let prices: Vec<_> = self.prices.into_values().collect();
        if prices.is_empty() && self.spot.is_empty() {
            return Err(Problem::Empty { what: "on-demand price" }.into());
        }
        let currency = self.currency.unwrap_or_default();
        let source = "Cloud Billing Catalog API".to_owned();
        let offers = self.offers.into_values().collect();
        let mut catalog =
            Catalog::assemble(currency, self.date, source, prices, offers)?.with_spot(self.spot.into_values().collect())?;
        catalog.rejected = self.rejected;
        Ok(catalog)
    }

    /// Makes plans of the fees of commitments in dollars.
    fn finish_fees(&mut self) -> Result<()> {
        let fees = std::mem::take(&mut self.fees);
        if fees.is_empty() {
            return Ok(());
        }
        let table = SpendDiscounts::documented()?;
        for (region, term, sku_id, description, price, item) in fees {
            let fee = Fee { sku_id: &sku_id, description: &description, region: &region, term, price };
            let prices: Vec<&OnDemandPrice> = self.prices.values().collect();
            match table.offer_of_fee(&fee, &prices) {
                Some(offer) if self.offers.contains_key(&offer.id) => self.reject(item, RejectionReason::Superseded),
                Some(offer) => drop(self.offers.insert(offer.id.clone(), offer)),
                None => self.reject(item, RejectionReason::FeeOfUnknownPlan),
            }
        }
        Ok(())
    }

    /// Drops 1-year prices below the 3-year price of the same thing.
    fn reject_inverted_terms(&mut self) {
        let inverted: Vec<String> = self
            .offers
            .iter()
            .filter_map(|(id, offer)| {
                let three_years = self.offers.get(&format!("{}/36m", id.strip_suffix("/12m")?))?;
                (offer.recurring < three_years.recurring).then(|| id.clone())
            })
            .collect();
        for id in inverted {
            self.offers.remove(&id);
            self.reject(id, RejectionReason::Implausible);
        }
    }
}

/// The start of descriptions of spend-based commitments' fees.
const DOLLAR_BASED: &str = "Commitment - dollar based v1:";

/// The term in the description of a fee.
fn term_of(description: &str) -> Option<Term> {
    let description = description.to_lowercase();
    let has = |words: [&str; 2]| words.iter().any(|word| description.contains(word));
    match (has(["1 year", "1 yr"]), has(["3 year", "3 yr"])) {
        (true, false) => Some(Term::Months(12)),
        (false, true) => Some(Term::Months(36)),
        _ => None,
    }
}

/// The unit of a SKU that is no resource of Compute Engine, in words.
fn unit(usage_unit: &str) -> String {
    match usage_unit {
        "h" => "hour".into(),
        "GiBy.h" => "GiB-hour".into(),
        "GiBy.mo" => "GiB-month".into(),
        "GiBy" => "GiB".into(),
        other => other.into(),
    }
}
