//! Reads Azure retail prices into a catalog.
//!
//! Rules, from the Retail Prices API's reference (api-version 2023-01-01-preview) and from the data itself:
//! - A reservation's price is for its whole term, though `unitOfMeasure` says `1 Hour`. It is sold all upfront or monthly at the same
//!   total, so that each row gives two offers.
//! - Reservation rows have SKU and meter ids of their own: they join on-demand rows on region and `armSkuName`, and cover compute alone.
//! - The `savingsPlan` array stands on the on-demand row. A plan covers what has a rate, never what a rule says.
//! - Several rows may price one thing (secondary meters, further tiers, expired promotions): one is kept, the others are rejected as
//!   superseded.

use super::document::{self, Document, Row};
use super::meter::{self, Meter, Purchase};
use super::{LINUX, SizeFlexibility, VIRTUAL_MACHINES, WINDOWS, WINDOWS_LICENCE, products, scopes};
use crate::catalog::{
    Benefit, Catalog, Offer, OnDemandPrice, Origin, PaymentOption, PoolUnits, Rejection, RejectionReason, SpotPrice,
};
use crate::error::{Error, Problem, Result};
use crate::files;
use crate::time::Term;
use crate::units::{Money, MoneyPerHour, UnitPrice, Units};
use crate::usage::{Provider, Sku};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

/// A reader of Azure retail prices. The prices themselves do not say which sizes are interchangeable, nor of which day they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct RetailPrices<'a> {
    size_flexibility: Option<&'a SizeFlexibility>,
    price_date: Option<NaiveDate>,
    accepts_missing_pages: bool,
}

impl<'a> RetailPrices<'a> {
    /// A reader without size flexibility: a reservation covers its exact size alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With this table of sizes and ratios, and no other: tables are never mixed.
    #[must_use]
    pub fn size_flexibility(self, table: &'a SizeFlexibility) -> Self {
        Self { size_flexibility: Some(table), ..self }
    }

    /// The day the prices were collected; without it, the latest day on which a price of the list began. It also decides which rights a reservation is sold with.
    #[must_use]
    pub fn price_date(self, day: NaiveDate) -> Self {
        Self { price_date: Some(day), ..self }
    }

    /// Reads what is there, although every page names a next one: a part of the price list on purpose.
    #[must_use]
    pub fn accept_missing_pages(self) -> Self {
        Self { accepts_missing_pages: true, ..self }
    }

    /// Reads files (plain or gzip), each with one or more pages, into one catalog. The order of files, pages and rows does not matter.
    ///
    /// # Errors
    /// [`Problem::Malformed`] with file and line for another shape; [`Problem::Value`] if the last page is missing; and all of
    /// [`RetailPrices::from_json`].
    pub fn read<P: AsRef<Path>>(self, paths: &[P]) -> Result<Catalog> {
        let mut documents = Vec::new();
        for path in paths {
            let path = path.as_ref();
            let mut text = String::new();
            files::open(path, "price")?.read_to_string(&mut text).map_err(|error| files::input_output(path, error))?;
            documents.extend(document::read(&text).map_err(|error| error.in_file(path))?);
        }
        self.build(documents)
    }

    /// Reads a text with one or more pages after each other.
    ///
    /// # Errors
    /// [`Problem::Malformed`] with the line for another shape; [`Problem::Value`] if every page names a next one;
    /// [`Problem::MixedCurrency`]; [`Problem::Empty`] without a usable price.
    pub fn from_json(self, text: &str) -> Result<Catalog> {
        self.build(document::read(text)?)
    }

    fn build(self, documents: Vec<Document>) -> Result<Catalog> {
        if documents.iter().any(|document| document.is_changes) {
            let expected = "a list of prices; read a list of changes with `azure::changes::read`";
            return Err(Problem::Malformed { expected }.into());
        }
        let next_page = documents.iter().map(|page| page.next_page.as_ref()).min().flatten();
        if let Some(link) = next_page.filter(|_| !self.accepts_missing_pages) {
            let expected = "the last page: append the page that it names, until `NextPageLink` is null";
            return Err(Error::from(Problem::Value { value: link.clone(), expected }).in_field("NextPageLink"));
        }
        self.catalog(documents.into_iter().flat_map(|page| page.rows).collect(), "Azure Retail Prices API")
    }

    /// A catalog of these rows.
    pub(super) fn catalog(mut self, rows: Vec<Row>, source: &str) -> Result<Catalog> {
        self.price_date = self.price_date.or_else(|| latest_start(&rows));
        let mut builder = Builder::default();
        let currency = currency(&rows)?;
        for row in rows {
            builder.add(&row);
        }
        let mut source = source.to_owned();
        if let Some(table) = self.size_flexibility {
            let date = table.date().map_or_else(|| "undated".to_owned(), |date| format!("of {date}"));
            source.push_str(&format!(", instance size flexibility table {date}"));
        }
        builder.finish(self, currency, source)
    }
}

/// Pages that are read one by one, and joined when all are there.
#[derive(Debug, Default)]
pub(in crate::catalog) struct Pages {
    documents: Vec<Document>,
    price_date: Option<NaiveDate>,
    pub(in crate::catalog) size_flexibility: Option<SizeFlexibility>,
}

impl Pages {
    /// Adds the pages of a text, collected on a day, where that is known. Of several days the latest is the catalog's.
    pub(in crate::catalog) fn add(&mut self, text: &str, day: Option<NaiveDate>) -> Result<()> {
        self.documents.extend(document::read(text)?);
        self.price_date = self.price_date.max(day);
        Ok(())
    }

    /// The catalog of all pages; `None` without any.
    pub(in crate::catalog) fn finish(self) -> Result<Option<Catalog>> {
        if self.documents.is_empty() {
            return Ok(None);
        }
        let (size_flexibility, price_date) = (self.size_flexibility.as_ref(), self.price_date);
        RetailPrices { size_flexibility, price_date, accepts_missing_pages: false }.build(self.documents).map(Some)
    }
}

/// The latest day on which a price of these rows began: the prices are of that day or later.
fn latest_start(rows: &[Row]) -> Option<NaiveDate> {
    rows.iter().filter_map(|row| row.effective_start_date.as_deref()?.get(..10)?.parse().ok()).max()
}

/// The one currency of all rows; the reduced shape names none and is in US dollars.
fn currency(rows: &[Row]) -> Result<String> {
    let mut names = rows.iter().map(|row| row.currency_code.as_deref().unwrap_or("USD"));
    let first = names.next().unwrap_or("USD").to_owned();
    match names.find(|name| *name != first) {
        Some(other) => {
            let problem = Problem::MixedCurrency { found: other.to_owned(), expected: first };
            Err(Error::from(problem).in_field("currencyCode"))
        }
        None => Ok(first),
    }
}

/// Meters by what they price, the one to keep first; the others in order of rank.
type Groups = BTreeMap<(Sku, Purchase), Vec<(Meter, String)>>;

#[derive(Default)]
struct Builder {
    groups: Groups,
    prices: Vec<OnDemandPrice>,
    offers: Vec<Offer>,
    spot: Vec<SpotPrice>,
    rejected: Vec<Rejection>,
}

impl Builder {
    fn reject(&mut self, item: String, reason: RejectionReason) {
        self.rejected.push(Rejection { item, reason, count: 1 });
    }

    fn add(&mut self, row: &Row) {
        match meter::read(row) {
            Ok(meter) => {
                self.groups.entry((meter.sku.clone(), meter.purchase)).or_default().push((meter, meter::describe(row)));
            }
            Err(reason) => self.reject(meter::describe(row), reason),
        }
    }

    /// Keeps the first by rank of each group, and rejects the others.
    fn select(&mut self) -> BTreeMap<(Sku, Purchase), (Meter, String)> {
        let mut kept = BTreeMap::new();
        for (key, mut meters) in std::mem::take(&mut self.groups) {
            meters.sort_by(|a, b| a.0.rank.cmp(&b.0.rank));
            let mut meters = meters.into_iter();
            if let Some(first) = meters.next() {
                kept.insert(key, first);
            }
            for (_, item) in meters {
                self.reject(item, RejectionReason::Superseded);
            }
        }
        kept
    }

    fn finish(mut self, reader: RetailPrices<'_>, currency: String, source: String) -> Result<Catalog> {
        let meters = self.select();
        let on_demand: BTreeMap<&Sku, &Meter> = meters
            .iter()
            .filter(|((_, purchase), _)| *purchase == Purchase::OnDemand)
            .map(|((sku, _), (meter, _))| (sku, meter))
            .collect();
        let mut plans: BTreeMap<(&'static str, u32), BTreeMap<String, UnitPrice>> = BTreeMap::new();
        for (sku, meter) in &on_demand {
            let id = sku.to_string();
            for (term, rate) in &meter.plan_rates {
                let reason = if *rate <= Decimal::ZERO {
                    RejectionReason::NoPrice
                } else if *rate > meter.price {
                    RejectionReason::AboveOnDemand
                } else {
                    let key = (products::plan(&sku.service), term.nominal_months());
                    plans.entry(key).or_default().insert(id.clone(), UnitPrice::new(*rate));
                    continue;
                };
                self.reject(format!("savings plan rate of {id}, {term}"), reason);
            }
            for term in &meter.unknown_plan_terms {
                self.reject(format!("savings plan rate of {id}, {term}"), RejectionReason::UnknownTerms);
            }
            self.prices.push(OnDemandPrice {
                price: UnitPrice::new(meter.price),
                family: meter.family.clone(),
                pools: pool(sku, &meter.location, reader.size_flexibility).into_iter().collect(),
                provider_id: meter.meter_id.clone(),
                list_price: None,
                origin: Origin::default(),
                sku: (*sku).clone(),
                id,
            });
            self.prices.extend(licence(&on_demand, meter));
        }
        let mut joined = Join::new(&on_demand);
        for ((sku, purchase), (meter, item)) in &meters {
            match purchase {
                Purchase::OnDemand => {}
                Purchase::Spot => self.spot.push(spot(sku, meter, "spot")),
                Purchase::LowPriority => self.spot.push(spot(sku, meter, "low-priority")),
                Purchase::Reservation(term) => match joined.target(meter) {
                    None => self.reject(item.clone(), RejectionReason::NoOnDemandPrice),
                    Some(target) => match reservation(reader, meter, *term, target) {
                        Ok(offers) => self.offers.extend(offers),
                        Err(reason) => self.reject(item.clone(), reason),
                    },
                },
            }
        }
        for ((plan, months), rates) in plans {
            self.offers.extend(savings_plan(plan, Term::Months(months), &rates));
        }
        self.rejected.sort_by(|a, b| (&a.item, a.reason).cmp(&(&b.item, b.reason)));
        if self.prices.is_empty() && self.spot.is_empty() {
            return Err(Problem::Empty { what: "on-demand price" }.into());
        }
        let mut catalog =
            Catalog::assemble(currency, reader.price_date, source, self.prices, self.offers)?.with_spot(self.spot)?;
        catalog.rejected = self.rejected;
        Ok(catalog)
    }
}

/// The pool that a reservation of this SKU provides to: its size flexibility group, Cosmos DB's throughput in all
/// regions, or the vCores of an Azure SQL family.
fn pool(sku: &Sku, location: &str, table: Option<&SizeFlexibility>) -> Option<PoolUnits> {
    let is_throughput = sku.service == products::COSMOS_DB && sku.sku.contains("100 RU/s");
    if is_throughput {
        let units = Units::new(products::cosmos_ratio(location));
        return Some(PoolUnits { pool: format!("azure/{}//100 RU/s", sku.service), units });
    }
    if let Some((family, count)) = products::vcores(&sku.service, &sku.sku) {
        let add_on = if sku.platform.is_empty() { String::new() } else { format!("/{}", sku.platform) };
        let pool = format!("azure/{}/{}/{family}{add_on}", sku.service, sku.region);
        return Some(PoolUnits { pool, units: Units::new(Decimal::from(count)) });
    }
    let is_compute = sku.platform == LINUX || sku.platform.is_empty();
    table.filter(|_| is_compute).and_then(|table| table.pool(sku))
}

/// The price of the Windows licence: what a Windows machine costs more than the same machine without. `None` where there is no such
/// pair, or where the Windows meter has a plan rate of its own, which would then be a rate for both.
fn licence(on_demand: &BTreeMap<&Sku, &Meter>, windows: &Meter) -> Option<OnDemandPrice> {
    if windows.sku.platform != WINDOWS || windows.sku.service != VIRTUAL_MACHINES || !windows.plan_rates.is_empty() {
        return None;
    }
    let compute = on_demand.get(&Sku { platform: LINUX.into(), ..windows.sku.clone() })?;
    let price = windows.price - compute.price;
    let sku = Sku { platform: WINDOWS_LICENCE.into(), ..windows.sku.clone() };
    (price > Decimal::ZERO).then(|| OnDemandPrice {
        id: sku.to_string(),
        sku,
        price: UnitPrice::new(price),
        family: windows.family.clone(),
        pools: Vec::new(),
        provider_id: String::new(),
        list_price: None,
        origin: Origin::default(),
    })
}

fn spot(sku: &Sku, meter: &Meter, kind: &str) -> SpotPrice {
    SpotPrice {
        id: format!("{sku}/{kind}"),
        sku: sku.clone(),
        availability_zone: String::new(),
        price: UnitPrice::new(meter.price),
        interruption: None,
        origin: Origin::default(),
        derived: String::new(),
    }
}

/// Finds the on-demand meter that a reservation row is about.
struct Join<'a> {
    by_sku: &'a BTreeMap<&'a Sku, &'a Meter>,
    by_size: BTreeMap<(&'a str, &'a str, String), Vec<&'a Meter>>,
}

impl<'a> Join<'a> {
    fn new(by_sku: &'a BTreeMap<&'a Sku, &'a Meter>) -> Self {
        let mut by_size: BTreeMap<_, Vec<&Meter>> = BTreeMap::new();
        for (sku, meter) in by_sku {
            let key = (sku.service.as_str(), sku.region.as_str(), sku.sku.to_lowercase());
            by_size.entry(key).or_default().push(meter);
        }
        Self { by_sku, by_size }
    }

    /// The meter with the same SKU; else the only one (or the Linux one) of the same service, region and size.
    fn target(&mut self, reservation: &Meter) -> Option<&'a Meter> {
        if let Some(meter) = self.by_sku.get(&reservation.sku) {
            return Some(meter);
        }
        let sku = &reservation.sku;
        let same = self.by_size.get(&(sku.service.as_str(), sku.region.as_str(), sku.sku.to_lowercase()))?;
        let compute: Vec<_> = same.iter().filter(|meter| meter.sku.platform == LINUX || meter.sku.platform.is_empty()).collect();
        match compute.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

/// The lowest share of the on-demand price that a reservation's price can be: below it, the price is not a whole term's.
const LOWEST_SHARE: Decimal = Decimal::from_parts(5, 0, 0, false, 2);

fn reservation(reader: RetailPrices<'_>, meter: &Meter, term: Term, target: &Meter) -> Result<[Offer; 2], RejectionReason> {
    let hourly = meter.price / term.list_hours();
    if hourly > target.price {
        return Err(RejectionReason::AboveOnDemand);
    }
    if hourly < target.price * LOWEST_SHARE {
        return Err(RejectionReason::Implausible);
    }
    let sku = &target.sku;
    let offer = |payment_option, upfront, recurring, slug: &str| Offer {
        id: format!("{sku}/reservation/{}m/{slug}", term.nominal_months()),
        provider: Provider::Azure,
        service: sku.service.clone(),
        region: sku.region.clone(),
        benefit: Benefit::Reservation { sku: sku.to_string(), pool: pool(sku, &target.location, reader.size_flexibility) },
        term,
        payment_option,
        upfront,
        recurring,
        scopes: scopes(),
        rights: products::reservation_rights(&sku.service, reader.price_date),
        purchasable_from: None,
        purchasable_until: products::last_day_of_sale(&sku.sku, term.nominal_months()),
        derived: String::new(),
        lot: None,
        provider_id: meter.meter_id.clone(),
        origin: Origin::default(),
    };
    let monthly = offer(PaymentOption::NoUpfront, Money::ZERO, MoneyPerHour::new(hourly), "monthly");
    Ok([offer(PaymentOption::AllUpfront, Money::new(meter.price), MoneyPerHour::ZERO, "upfront"), monthly])
}

/// The two offers of a plan, paid upfront or monthly at the same total, with their rates over all regions.
fn savings_plan(plan: &str, term: Term, rates: &BTreeMap<String, UnitPrice>) -> [Offer; 2] {
    let offer = |payment_option, upfront, recurring, slug: &str| Offer {
        id: format!("azure/savings-plan/{plan}/{}m/{slug}", term.nominal_months()),
        provider: Provider::Azure,
        service: "Savings plan".into(),
        region: String::new(),
        benefit: Benefit::SpendPlan { plan: plan.into(), family: String::new(), rates: rates.clone() },
        term,
        payment_option,
        upfront,
        recurring,
        scopes: scopes(),
        rights: BTreeSet::new(),
        purchasable_from: None,
        purchasable_until: None,
        derived: String::new(),
        lot: None,
        provider_id: String::new(),
        origin: Origin::default(),
    };
    let one = MoneyPerHour::new(Decimal::ONE);
    [
        offer(PaymentOption::AllUpfront, one.over_hours(term.list_hours()), MoneyPerHour::ZERO, "upfront"),
        offer(PaymentOption::NoUpfront, Money::ZERO, one, "monthly"),
    ]
}
