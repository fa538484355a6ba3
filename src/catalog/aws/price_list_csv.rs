//! Reads tables of AWS SKUs: service files of the Price List in CSV (five rows of metadata, the header on row 6), and plain tables of
//! on-demand SKUs with the Price List's attributes in snake case. Columns are found by name, whatever their order, case and separators.

use super::services;
use super::terms::{self, Dimension, Lease, Product, day, decimal};
use crate::catalog::RejectionReason;
use crate::catalog::draft::Draft;
use crate::error::{Error, Problem, Result};
use csv::StringRecord;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;

const EXPECTED: &str = "an AWS Price List service file (CSV)";

/// A CSV table with its columns by name.
pub(super) struct Table {
    columns: HashMap<String, usize>,
}

impl Table {
    /// The columns of a header; names lose case and separators, and a byte order mark.
    pub(super) fn of(header: &StringRecord) -> Self {
        let columns = header.iter().enumerate().map(|(index, name)| (bare(name), index)).collect();
        Self { columns }
    }

    /// A cell; empty without the column.
    pub(super) fn get<'r>(&self, row: &'r StringRecord, column: &str) -> &'r str {
        self.columns.get(column).and_then(|index| row.get(*index)).unwrap_or("")
    }

    /// # Errors
    /// [`Problem::MissingColumn`].
    pub(super) fn require(&self, columns: &[&str], header: &StringRecord) -> Result<()> {
        match columns.iter().find(|column| !self.columns.contains_key(**column)) {
            None => Ok(()),
            Some(column) => {
                let found = header.iter().collect::<Vec<_>>().join(", ");
                Err(Problem::MissingColumn { column: (*column).to_owned(), found }.into())
            }
        }
    }
}

fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// An error of the CSV reader, with its line.
pub(super) fn malformed(expected: &'static str) -> impl Fn(csv::Error) -> Error {
    move |error| {
        let line = error.position().map_or(0, csv::Position::line);
        Error::from(Problem::Malformed { expected }).at_line(line).caused_by(error)
    }
}

/// Reads a service file.
pub(in crate::catalog) fn read(input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input);
    let mut row = StringRecord::new();
    draft.origin.source = "AWS Price List".into();
    let mut table: Option<(Table, StringRecord)> = None;
    let mut prices = Prices::default();
    while reader.read_record(&mut row).map_err(malformed(EXPECTED))? {
        let line = row.position().map_or(0, csv::Position::line);
        let Some((table, _)) = &table else {
            match row.get(0).map(bare).as_deref() {
                Some("sku") => {
                    let header = Table::of(&row);
                    header.require(&["termtype", "priceperunit", "unit", "currency", "servicecode"], &row)?;
                    table = Some((header, row.clone()));
                }
                Some("publicationdate") => {
                    draft.origin.price_date = row.get(1).and_then(day).or(draft.origin.price_date);
                }
                Some("offercode") => draft.origin.source = format!("AWS Price List of {}", row.get(1).unwrap_or("")),
                _ => {}
            }
            continue;
        };
        prices.add(draft, table, &row).map_err(|error| error.at_line(line))?;
    }
    if table.is_none() {
        return Err(Error::from(Problem::Malformed { expected: EXPECTED }).caused_by("no header that starts with SKU"));
    }
    prices.finish(draft);
    Ok(())
}

/// Reads a table of on-demand SKUs.
pub(in crate::catalog) fn read_sku_table(input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    const EXPECTED: &str = "a table of AWS on-demand SKUs (CSV)";
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(input);
    let mut row = StringRecord::new();
    draft.origin.source = "AWS on-demand SKUs".into();
    reader.read_record(&mut row).map_err(malformed(EXPECTED))?;
    let table = Table::of(&row);
    table.require(&["sku", "location", "service", "family", "usagetype", "currency", "unit", "price"], &row)?;
    while reader.read_record(&mut row).map_err(malformed(EXPECTED))? {
        let line = row.position().map_or(0, csv::Position::line);
        draft.currency(table.get(&row, "currency")).map_err(|error| error.at_line(line))?;
        let get = |name: &str| match name {
            "productfamily" => table.get(&row, "family"),
            name => table.get(&row, name),
        };
        let Some(product) = product(draft, table.get(&row, "service"), table.get(&row, "unit"), table.get(&row, "sku"), &get)
        else {
            continue;
        };
        let dimension = Dimension { unit: get("unit").into(), begin: Decimal::ZERO, price: decimal(table.get(&row, "price")) };
        terms::add_on_demand(draft, &product, None, vec![dimension]);
    }
    Ok(())
}

fn product<'g>(
    draft: &mut Draft,
    service: &str,
    unit: &str,
    provider_id: &str,
    get: &dyn Fn(&str) -> &'g str,
) -> Option<Product> {
    match services::sku(service, unit, get) {
        Ok(sku) if !draft.takes(&sku) => None,
        Ok(sku) => Some(Product {
            provider_id: provider_id.into(),
            sku,
            usage_type: get("usagetype").into(),
            operation: get("operation").into(),
        }),
        Err(RejectionReason::Incomplete) => {
            draft.reject(format!("product {provider_id}"), RejectionReason::Incomplete);
            None
        }
        Err(reason) => {
            draft.reject_many("products of another capacity status", reason, 1);
            None
        }
    }
}

/// The dimensions of each term, which the rows of the file give one by one. A term is passed on as soon as it is whole, so that memory
/// follows the terms that are open and not the file: rows of one term stand together in AWS's files, but need not.
#[derive(Default)]
struct Prices {
    open: BTreeMap<(String, String), PricedTerm>,
}

struct PricedTerm {
    product: Product,
    /// `None` for on demand.
    lease: Option<Lease>,
    effective: Option<chrono::NaiveDate>,
    dimensions: Vec<Dimension>,
    /// Whether a range of quantities without end was among them.
    has_last_tier: bool,
}

impl PricedTerm {
    /// Whether no further row can belong to it: a reservation has a fee and an hourly price, or just an hourly price if nothing is
    /// paid upfront; on demand has ranges from 0 without end.
    fn is_whole(&self) -> bool {
        match &self.lease {
            Some(lease) if lease.purchase == "No Upfront" => true,
            Some(_) => {
                let has = |is_fee| self.dimensions.iter().any(|dimension| (dimension.unit == "Quantity") == is_fee);
                has(true) && has(false)
            }
            None => self.has_last_tier && self.dimensions.len() == 1 && self.dimensions[0].begin.is_zero(),
        }
    }

    fn pass_on(self, code: &str, draft: &mut Draft) {
        match self.lease {
            None => terms::add_on_demand(draft, &self.product, self.effective, self.dimensions),
            Some(lease) => terms::add_reserved(draft, &self.product, code, self.effective, &lease, &self.dimensions),
        }
    }
}

impl Prices {
    fn add(&mut self, draft: &mut Draft, table: &Table, row: &StringRecord) -> Result<()> {
        let get = |name: &str| table.get(row, name);
        let is_reserved = match get("termtype") {
            "OnDemand" => false,
            "Reserved" => true,
            other => {
                draft.reject_many(&format!("terms of kind {other}"), RejectionReason::UnknownTerms, 1);
                return Ok(());
            }
        };
        draft.currency(get("currency"))?;
        let dimension = Dimension {
            unit: get("unit").into(),
            begin: decimal(get("startingrange")).unwrap_or(Decimal::ZERO),
            price: decimal(get("priceperunit")),
        };
        let is_last_tier = get("endingrange").eq_ignore_ascii_case("inf");
        let key = (get("sku").to_owned(), get("offertermcode").to_owned());
        let mut term = match self.open.remove(&key) {
            Some(term) => term,
            None => {
                // A reserved row's unit is of its price, not of the usage.
                let unit = if is_reserved { "" } else { get("unit") };
                let Some(product) = product(draft, get("servicecode"), unit, get("sku"), &get) else { return Ok(()) };
                let lease = is_reserved.then(|| Lease {
                    length: get("leasecontractlength").into(),
                    class: get("offeringclass").into(),
                    purchase: get("purchaseoption").into(),
                });
                let effective = day(get("effectivedate"));
                PricedTerm { product, lease, effective, dimensions: Vec::new(), has_last_tier: false }
            }
        };
        term.dimensions.push(dimension);
        term.has_last_tier |= is_last_tier;
        if term.is_whole() {
            term.pass_on(&key.1, draft);
        } else {
            self.open.insert(key, term);
        }
        Ok(())
    }

    fn finish(self, draft: &mut Draft) {
        for ((_, code), term) in self.open {
            term.pass_on(&code, draft);
        }
    }
}
