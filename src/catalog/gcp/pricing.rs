//! Reads the price list of the Google Cloud pricing cost calculator (Cyclenerd/google-cloud-pricing-cost-calculator, Apache-2.0):
//! `compute.instance.{type}.cost.{region}.{hour, hour_spot, month, month_1y, month_3y, month_spot}`, made from the Cloud Billing Catalog.
//!
//! - A month is 730 hours. `month` already has the sustained use discount of a full month and is not used; `month_1y` and `month_3y` are
//!   commitment prices of everything the machine type bundles.
//! - Unit prices of vCPU, memory, GPU and local SSD are solved from the machine types of a series in a region, and every machine's
//!   price must then be met to 1e-6. Where the types do not tell the resources apart (A2, A3), the commitment is offered for the machine.
//! - M2 machines are M1 resources with an upgrade premium that no commitment covers; shared-core types (one price for both terms, which
//!   is the sustained use price) have no commitments.
//! - Storage buckets, network and monitoring have no commitments: their prices are counted as not selected.

use super::machine_types::{self, M2_PREMIUM, MachineType, MachineTypes};
use super::solve::{self, Row, UnitPrices, is_same};
use super::{
    COMPUTE_ENGINE, Committed, INSTANCE_HOUR, Resource, SpendDiscounts, SpendModel, TERMS, check_terms, commitment_series,
    machine_sku, resource_offer, resource_price, resource_sku, scopes,
};
use crate::catalog::{Benefit, Catalog, Lot, Offer, OnDemandPrice, Origin, PaymentOption, Rejection, RejectionReason, SpotPrice};
use crate::error::{Error, Problem, Result};
use crate::files;
use crate::time::Term;
use crate::units::{Money, MoneyPerHour, UnitPrice, to_decimal};
use crate::usage::{Provider, Sku};
use chrono::{DateTime, NaiveDate};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

const EXPECTED: &str = "a price list of the Google Cloud pricing cost calculator (YAML with `compute.instance`)";
const SOURCE: &str = "Google Cloud list prices (pricing.yml of the Google Cloud pricing cost calculator)";
const HOURS_A_MONTH: Decimal = Decimal::from_parts(730, 0, 0, false, 0);

type Fields = BTreeMap<String, Value>;

#[derive(Deserialize)]
struct Document {
    about: Option<About>,
    compute: Compute,
    #[serde(default)]
    storage: Value,
    #[serde(default)]
    monitoring: Value,
}

#[derive(Deserialize)]
struct About {
    timestamp: Option<i64>,
}

#[derive(Deserialize)]
struct Compute {
    instance: BTreeMap<String, Fields>,
    #[serde(default)]
    license: BTreeMap<String, Licence>,
    #[serde(default)]
    storage: BTreeMap<String, Disk>,
    #[serde(default)]
    network: Value,
}

#[derive(Deserialize)]
struct Licence {
    cost: BTreeMap<String, Fields>,
}

#[derive(Deserialize)]
struct Disk {
    #[serde(default)]
    cost: BTreeMap<String, Fields>,
}

/// A reader of the calculator's price list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pricing<'a> {
    price_date: Option<NaiveDate>,
    spend: Option<(&'a SpendDiscounts, SpendModel)>,
}

impl<'a> Pricing<'a> {
    /// A reader of resource-based commitments alone: the list has no rates of spend-based ones.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The day the prices were valid, where the list does not say it (before 2023).
    #[must_use]
    pub fn price_date(self, day: NaiveDate) -> Self {
        Self { price_date: Some(day), ..self }
    }

    /// With spend-based commitments at these discounts, those valid on the price date.
    #[must_use]
    pub fn spend_discounts(self, table: &'a SpendDiscounts, model: SpendModel) -> Self {
        Self { spend: Some((table, model)), ..self }
    }

    /// Reads a list, plain or gzip.
    ///
    /// # Errors
    /// As [`Pricing::from_yaml`], with the file's name.
    pub fn read(self, path: impl AsRef<Path>) -> Result<Catalog> {
        let path = path.as_ref();
        let mut text = String::new();
        files::open(path, "price")?.read_to_string(&mut text).map_err(|error| files::input_output(path, error))?;
        self.from_yaml(&text).map_err(|error| error.in_file(path))
    }

    /// Reads a list from its text.
    ///
    /// # Errors
    /// [`Problem::Malformed`] with the line; [`Problem::Value`] for a quantity of a machine type that is not above 0; all of
    /// [`Catalog::new`].
    pub fn from_yaml(self, text: &str) -> Result<Catalog> {
        let document: Document = machine_types::yaml(text, EXPECTED)?;
        let date = document.about.and_then(|about| about.timestamp).and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let date = date.map(|instant| instant.date_naive()).or(self.price_date);
        let mut builder = Builder::default();
        for (name, disk) in &document.compute.storage {
            for (region, cost) in &disk.cost {
                builder.disk(name, region, cost);
            }
        }
        builder.machines(&document.compute.instance)?;
        for (machine_type, licence) in &document.compute.license {
            for (system, cost) in &licence.cost {
                builder.licence(machine_type, system, cost);
            }
        }
        for (name, value) in
            [("compute.network", &document.compute.network), ("storage", &document.storage), ("monitoring", &document.monitoring)]
        {
            let count = count_prices(value);
            if count > 0 {
                builder.rejected.push(Rejection { item: name.into(), reason: RejectionReason::NotSelected, count });
            }
        }
        builder.finish(date, self.spend)
    }
}

/// The numbers under `month` and `hour` keys, at any depth.
fn count_prices(value: &Value) -> u64 {
    let Value::Object(fields) = value else { return 0 };
    fields
        .iter()
        .map(|(key, value)| u64::from(value.is_number() && (key == "month" || key == "hour")) + count_prices(value))
        .sum()
}

#[derive(Default)]
struct Builder {
    prices: BTreeMap<String, OnDemandPrice>,
    offers: BTreeMap<String, Offer>,
    spot: Vec<SpotPrice>,
    rejected: Vec<Rejection>,
}

impl Builder {
    fn reject(&mut self, item: String, reason: RejectionReason) {
        self.rejected.push(Rejection { item, reason, count: 1 });
    }

    fn number(&mut self, item: &str, cost: &Fields, field: &str) -> Option<Decimal> {
        let value = cost.get(field)?;
        let number = value.as_f64().and_then(to_decimal).filter(|price| !price.is_sign_negative());
        if number.is_none() {
            self.reject(format!("{item}: {field}"), RejectionReason::UnreadablePrice);
        }
        number
    }

    /// The hourly on-demand price and the two terms', each rejection noted.
    fn cost(&mut self, item: &str, cost: &Fields) -> (Option<Decimal>, [Option<Decimal>; 2]) {
        let known = ["hour", "hour_spot", "month", "month_1y", "month_3y", "month_spot"];
        for field in cost.keys().filter(|field| !known.contains(&field.as_str())) {
            self.reject(format!("{item}: {field}"), RejectionReason::UnknownTerms);
        }
        // Local SSD is priced by the month alone.
        let field = if cost.contains_key("hour") || item.contains(INSTANCE_HOUR) { "hour" } else { "month" };
        let on_demand = self.number(item, cost, field);
        if on_demand.is_some_and(|price| price.is_zero()) {
            self.reject(format!("{item}: {field}"), RejectionReason::NoPrice);
        }
        let on_demand = on_demand.map(|price| if field == "month" { price / HOURS_A_MONTH } else { price });
        let on_demand = on_demand.filter(|price| !price.is_zero());
        let terms = ["month_1y", "month_3y"].map(|field| self.number(item, cost, field).map(|price| price / HOURS_A_MONTH));
        let mut checked = [None, None];
        for ((index, result), field) in
            check_terms(on_demand.unwrap_or(Decimal::MAX), terms).into_iter().enumerate().zip(["month_1y", "month_3y"])
        {
            let result =
                if on_demand.is_none() { result.map(|price| price.and(Err(RejectionReason::NoOnDemandPrice))) } else { result };
            match result {
                Some(Ok(price)) => checked[index] = Some(price),
                Some(Err(reason)) => self.reject(format!("{item}: {field}"), reason),
                None => {}
            }
        }
        (on_demand, checked)
    }

    fn machines(&mut self, instances: &BTreeMap<String, Fields>) -> Result<()> {
        let mut types = BTreeMap::new();
        for (name, fields) in instances {
            let resources = machine_types::resources(fields.iter()).map_err(|error| error.in_item(name.clone()))?;
            types.insert(name.clone(), MachineType { series: machine_types::series(name), resources });
        }
        let types = MachineTypes::new(types)?;
        let mut groups: BTreeMap<(String, String), Vec<Row>> = BTreeMap::new();
        for (name, fields) in instances {
            let Some(Value::Object(regions)) = fields.get("cost") else {
                self.reject(name.clone(), RejectionReason::Incomplete);
                continue;
            };
            let Some((series, resources)) = types.resources(name) else { continue };
            for (region, cost) in regions {
                let cost: Fields = match cost {
                    Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
                    _ => Fields::new(),
                };
                let sku = machine_sku(region, name);
                let id = sku.to_string();
                if let Some(price) = self.number(&id, &cost, "hour_spot") {
                    self.add_spot(&sku, price);
                }
                let (on_demand, terms) = self.cost(&id, &cost);
                if let Some(price) = on_demand {
                    self.add_price(sku, price, series);
                }
                let row = Row { machine_type: name.clone(), resources: resources.clone(), on_demand, terms };
                groups.entry((region.clone(), series.to_owned())).or_default().push(row);
            }
        }
        self.solve(&groups);
        Ok(())
    }

    fn add_spot(&mut self, sku: &Sku, price: Decimal) {
        if price.is_zero() {
            return self.reject(format!("{sku}: hour_spot"), RejectionReason::NoPrice);
        }
        self.spot.push(SpotPrice {
            id: format!("{sku}/spot"),
            sku: sku.clone(),
            availability_zone: String::new(),
            price: UnitPrice::new(price),
            interruption: None,
            origin: Origin::default(),
            derived: String::new(),
        });
    }

    fn add_price(&mut self, sku: Sku, price: Decimal, family: &str) {
        let price = OnDemandPrice {
            id: sku.to_string(),
            sku,
            price: UnitPrice::new(price),
            family: family.to_owned(),
            pools: Vec::new(),
            provider_id: String::new(),
            list_price: None,
            origin: Origin::default(),
        };
        self.prices.insert(price.id.clone(), price);
    }

    /// Unit prices on demand and for each term, series by series. M1 comes before M2, and N1 before N1 custom, in the order of names.
    fn solve(&mut self, groups: &BTreeMap<(String, String), Vec<Row>>) {
        let mut solved: BTreeMap<(&str, &str), UnitPrices> = BTreeMap::new();
        for ((region, series), rows) in groups {
            let on_demand = solve::series(rows, |row| row.on_demand);
            let rows = &match &on_demand {
                Ok(units) => self.complete(region, rows, units),
                Err(_) => rows.iter().collect::<Vec<_>>(),
            };
            if let Ok(units) = &on_demand {
                let base = (series == "M2").then(|| solved.get(&(region.as_str(), "M1"))).flatten();
                for (resource, price) in units {
                    match (series.as_str(), base.and_then(|base| base.get(resource))) {
                        ("M2", Some(m1)) => self.add_premium(region, resource, price - m1),
                        ("M2", None) => {}
                        _ => self.add_unit_price(resource_price(region, series, resource, *price, "")),
                    }
                }
                solved.insert((region, series), units.clone());
            }
            for (index, term) in TERMS.into_iter().enumerate() {
                if series == "M2" {
                    self.check_m2(region, rows, index, term);
                    continue;
                }
                match solve::series(rows, |row| row.terms[index]) {
                    Ok(units) if on_demand.is_ok() => self.add_unit_offers(region, series, &units, rows, term),
                    Err(None) => {}
                    _ => self.add_machine_offers(region, rows, index, term),
                }
            }
        }
    }

    /// The rows whose resources all have a price. The others lack the price of a part (local SSD that the list gives away), so that their
    /// own is wrong: they are rejected, on demand and for both terms.
    fn complete<'a>(&mut self, region: &str, rows: &'a [Row], units: &UnitPrices) -> Vec<&'a Row> {
        let is_complete = |row: &&Row| row.resources.iter().all(|(resource, _)| units.contains_key(resource));
        let (complete, wrong): (Vec<_>, Vec<_>) = rows.iter().partition(is_complete);
        for row in wrong {
            let id = machine_sku(region, &row.machine_type).to_string();
            self.prices.remove(&id);
            for (field, price) in [("hour", row.on_demand), ("month_1y", row.terms[0]), ("month_3y", row.terms[1])] {
                if price.is_some() {
                    self.reject(format!("{id}: {field}"), RejectionReason::Implausible);
                }
            }
        }
        complete
    }

    /// A unit price; the same GPU and local SSD is solved from several series, which must agree.
    fn add_unit_price(&mut self, price: OnDemandPrice) {
        match self.prices.get(&price.id) {
            Some(other) if !is_same(other.price.value(), price.price.value()) => {
                self.reject(format!("{} of {}", price.id, price.family), RejectionReason::Implausible);
            }
            Some(_) => {}
            None => {
                self.prices.insert(price.id.clone(), price);
            }
        }
    }

    fn add_premium(&mut self, region: &str, resource: &Resource, price: Decimal) {
        if price > Decimal::ZERO {
            self.add_price(resource_sku(region, M2_PREMIUM, resource), price, "M2");
        }
    }

    fn add_unit_offers(&mut self, region: &str, series: &str, units: &UnitPrices, rows: &[&Row], term: Term) {
        let derived = format!("solved from the commitment prices of {} machine types", rows.len());
        for (resource, price) in units {
            let committed = Committed { region, series, resource, term, price: *price, provider_id: "", derived: &derived };
            let offer = resource_offer(&committed);
            let sku = resource_sku(region, commitment_series(series), resource).to_string();
            match (self.offers.get(&offer.id), self.prices.contains_key(&sku)) {
                (Some(other), _) if is_same(other.recurring.value(), *price) => {}
                (Some(_), _) => self.reject(format!("{} of {series}", offer.id), RejectionReason::Implausible),
                (None, true) => drop(self.offers.insert(offer.id.clone(), offer)),
                (None, false) => self.reject(offer.id, RejectionReason::NoOnDemandPrice),
            }
        }
    }

    /// Commitments for machines whose resources' prices cannot be told apart.
    fn add_machine_offers(&mut self, region: &str, rows: &[&Row], index: usize, term: Term) {
        for row in rows {
            let Some(price) = row.terms[index] else { continue };
            let sku = machine_sku(region, &row.machine_type);
            let derived = "the commitments of all the machine's resources together; the list does not tell their prices apart";
            self.add_offer(&sku, term, price, derived);
        }
    }

    fn add_offer(&mut self, sku: &Sku, term: Term, price: Decimal, derived: &str) {
        let offer = Offer {
            id: format!("{sku}/commitment/{}m", term.nominal_months()),
            provider: Provider::Gcp,
            service: COMPUTE_ENGINE.into(),
            region: sku.region.clone(),
            benefit: Benefit::Reservation { sku: sku.to_string(), pool: None },
            term,
            payment_option: PaymentOption::NoUpfront,
            upfront: Money::ZERO,
            recurring: MoneyPerHour::new(price),
            scopes: scopes(),
            rights: BTreeSet::new(),
            purchasable_from: None,
            purchasable_until: None,
            derived: derived.into(),
            lot: Some(Lot { minimum: Decimal::ONE, increment: Decimal::ONE }),
            provider_id: String::new(),
            origin: Origin::default(),
        };
        self.offers.insert(offer.id.clone(), offer);
    }

    /// The commitment prices of M2 machines say nothing new: M1 commitments, and the premium at its sustained use price. What is not that
    /// is rejected.
    fn check_m2(&mut self, region: &str, rows: &[&Row], index: usize, term: Term) {
        for row in rows {
            let Some(price) = row.terms[index] else { continue };
            let mut expected = Some(Decimal::ZERO);
            for (resource, quantity) in &row.resources {
                let m1 = resource_sku(region, "M1", resource).to_string();
                let offer = self.offers.get(&format!("{m1}/commitment/{}m", term.nominal_months()));
                let premium = self.prices.get(&resource_sku(region, M2_PREMIUM, resource).to_string());
                let unit = offer.zip(premium).map(|(offer, premium)| {
                    offer.recurring.value() + premium.price.value() * super::sustained_use::FULL_MONTH_N1
                });
                expected = expected.zip(unit).map(|(sum, unit)| sum + unit * quantity);
            }
            let item = format!("{}: {term}", machine_sku(region, &row.machine_type));
            match expected {
                None => self.reject(item, RejectionReason::NoOnDemandPrice),
                Some(expected) if !is_same(expected, price) => self.reject(item, RejectionReason::Implausible),
                Some(_) => {}
            }
        }
    }

    fn licence(&mut self, machine_type: &str, system: &str, cost: &Fields) {
        let sku = Sku { platform: format!("{system} licence"), ..machine_sku("", machine_type) };
        let (on_demand, terms) = self.cost(&sku.to_string(), cost);
        let Some(price) = on_demand else { return };
        self.add_price(sku.clone(), price, "");
        for (term, price) in TERMS.into_iter().zip(terms) {
            if let Some(price) = price {
                self.add_offer(&sku, term, price, "");
            }
        }
    }

    /// A disk by the month; local SSD, which is committed to as well, by the hour.
    fn disk(&mut self, name: &str, region: &str, cost: &Fields) {
        let sku = Sku { sku: format!("disk {name}"), unit: "GiB-month".into(), ..machine_sku(region, "") };
        let id = sku.to_string();
        if !cost.contains_key("month") {
            return self.reject(id, RejectionReason::Incomplete);
        }
        let Some(series) = name.strip_prefix("local").map(|rest| rest.trim_start_matches('-').to_uppercase()) else {
            match self.number(&id, cost, "month") {
                Some(price) if price > Decimal::ZERO => self.add_price(sku, price, ""),
                Some(_) => self.reject(id, RejectionReason::NoPrice),
                None => {}
            }
            return;
        };
        let (on_demand, terms) = self.cost(&id, cost);
        let Some(price) = on_demand else { return };
        let resource = &Resource::LocalSsd;
        self.add_unit_price(resource_price(region, &series, resource, price, ""));
        for (term, price) in TERMS.into_iter().zip(terms) {
            if let Some(price) = price {
                let committed = Committed { region, series: &series, resource, term, price, provider_id: "", derived: "" };
                let offer = resource_offer(&committed);
                self.offers.insert(offer.id.clone(), offer);
            }
        }
        if let Some(price) = self.number(&id, cost, "month_spot") {
            self.add_spot(&resource_sku(region, &series, resource), price / HOURS_A_MONTH);
        }
    }

    fn finish(mut self, date: Option<NaiveDate>, spend: Option<(&SpendDiscounts, SpendModel)>) -> Result<Catalog> {
        let prices: Vec<OnDemandPrice> = self.prices.into_values().collect();
        if prices.is_empty() {
            return Err(Error::from(Problem::Empty { what: "on-demand price" }));
        }
        let mut offers: Vec<Offer> = self.offers.into_values().collect();
        let mut source = SOURCE.to_owned();
        if let Some((table, model)) = spend {
            offers.extend(table.offers(&prices, date, model));
            source.push_str("; spend-based discounts of ");
            source.push_str(table.source());
        }
        self.rejected.sort_by(|a, b| (&a.item, a.reason).cmp(&(&b.item, b.reason)));
        let mut catalog = Catalog::new("USD", date, source, prices, offers)?.with_spot(self.spot)?;
        catalog.rejected = self.rejected;
        Ok(catalog)
    }
}
