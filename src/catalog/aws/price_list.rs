//! Reads the AWS Price List: service files in JSON and answers of `GetProducts` (Price List Bulk and Query API, "Reading the offer file").
//!
//! A service file has `products{sku}` before `terms{OnDemand, Reserved}{sku}{sku.offerTermCode}`. It is walked once; only products that
//! are wanted are kept, and the terms of the others are skipped unparsed, so memory follows what is kept and not the file. In an answer of
//! `GetProducts` each product carries its terms, without the level of the SKU, and may be a JSON text within a string.

use super::services;
use super::terms::{self, Dimension, Lease, Product, day, decimal};
use crate::catalog::RejectionReason;
use crate::catalog::draft::Draft;
use crate::catalog::stream::{Fields, JsonStream, Text};
use crate::error::{Error, Problem, Result};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::BufRead;

const EXPECTED: &str = "an AWS Price List service file (JSON)";
const EXPECTED_PRODUCTS: &str = "an answer of AWS GetProducts (JSON)";

#[derive(Deserialize)]
struct ListProduct<'a> {
    #[serde(borrow)]
    sku: Text<'a>,
    #[serde(borrow, default, rename = "productFamily")]
    family: Text<'a>,
    #[serde(borrow, default)]
    attributes: Fields<'a, Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListTerm<'a> {
    #[serde(borrow, default)]
    offer_term_code: Text<'a>,
    #[serde(borrow, default)]
    effective_date: Text<'a>,
    #[serde(borrow, default)]
    term_attributes: Fields<'a, Text<'a>>,
    #[serde(borrow, default)]
    price_dimensions: Fields<'a, ListDimension<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListDimension<'a> {
    #[serde(borrow, default)]
    unit: Text<'a>,
    #[serde(borrow, default)]
    begin_range: Text<'a>,
    #[serde(borrow, default)]
    price_per_unit: Fields<'a, Text<'a>>,
}

/// A product as `GetProducts` answers it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(borrow)]
    product: ListProduct<'a>,
    #[serde(borrow, default)]
    service_code: Text<'a>,
    #[serde(borrow, default)]
    terms: Fields<'a, Fields<'a, ListTerm<'a>>>,
}

/// Reads a service file.
pub(in crate::catalog) fn read(input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    let mut stream = JsonStream::new(input, EXPECTED);
    let mut service = String::new();
    let mut products: Option<HashMap<String, Product>> = None;
    let mut is_terms_read = false;
    draft.origin.source = "AWS Price List".into();
    stream.object(|stream, key| match key {
        "offerCode" => {
            service = stream.value::<Text<'_>>()?.to_string();
            draft.origin.source = format!("AWS Price List of {service}");
            Ok(())
        }
        "publicationDate" => {
            let published = day(&stream.value::<Text<'_>>()?);
            draft.origin.price_date = published.or(draft.origin.price_date);
            Ok(())
        }
        "products" => {
            let mut kept = HashMap::new();
            stream.object(|stream, _| {
                let product: ListProduct<'_> = stream.value()?;
                if let Some(product) = wanted(draft, &service, &product) {
                    kept.insert(product.provider_id.clone(), product);
                }
                Ok(())
            })?;
            products = Some(kept);
            Ok(())
        }
        "terms" => {
            let Some(products) = &products else { return Err(stream.malformed("`products` before `terms`")) };
            is_terms_read = true;
            stream.object(|stream, kind| {
                let Some(kind) = Kind::of(kind) else {
                    draft.reject_many(&format!("terms of kind {kind}"), RejectionReason::UnknownTerms, 1);
                    return stream.skip();
                };
                let mut stray = 0;
                stream.object(|stream, sku| {
                    let Some(product) = products.get(sku) else {
                        stray += 1;
                        return stream.skip();
                    };
                    let terms: Fields<'_, ListTerm<'_>> = stream.value()?;
                    terms.0.iter().try_for_each(|(key, term)| add(draft, kind, product, key, term))
                })?;
                draft.reject_many(kind.stray(), RejectionReason::NotSelected, stray);
                Ok(())
            })
        }
        _ => stream.skip(),
    })?;
    stream.finish()?;
    if products.is_none() || !is_terms_read {
        let missing = if products.is_none() { "products" } else { "terms" };
        return Err(Error::from(Problem::Malformed { expected: EXPECTED })
            .in_field(missing)
            .caused_by(format!("`{missing}` is missing")));
    }
    Ok(())
}

/// Reads answers of `GetProducts`: one record, an array of records, or the answer with its `PriceList`; records may be JSON in strings.
pub(in crate::catalog) fn read_products(input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    let mut stream = JsonStream::new(input, EXPECTED_PRODUCTS);
    draft.origin.source = "AWS Price List (GetProducts)".into();
    if stream.peek()? == Some(b'[') {
        stream.array(|stream| read_record(stream, draft))?;
    } else {
        // Either one record, whose parts are small, or an answer with a list of them.
        let mut parts: Vec<String> = Vec::new();
        stream.object(|stream, key| match key {
            "PriceList" => stream.array(|stream| read_record(stream, draft)),
            "product" | "serviceCode" | "terms" => {
                let value = String::from_utf8_lossy(stream.raw()?).into_owned();
                parts.push(format!("\"{key}\":{value}"));
                Ok(())
            }
            _ => stream.skip(),
        })?;
        if !parts.is_empty() {
            record(draft, format!("{{{}}}", parts.join(",")).as_bytes())?;
        }
    }
    stream.finish()
}

fn read_record(stream: &mut JsonStream<'_>, draft: &mut Draft) -> Result<()> {
    let line = stream.line();
    if stream.peek()? == Some(b'"') {
        let text = stream.value::<Text<'_>>()?.to_string();
        return record(draft, text.as_bytes()).map_err(|error| error.at_line(line));
    }
    record(draft, stream.raw()?).map_err(|error| error.at_line(line))
}

fn record(draft: &mut Draft, json: &[u8]) -> Result<()> {
    let record: Record<'_> = serde_json::from_slice(json)
        .map_err(|error| Error::from(Problem::Malformed { expected: EXPECTED_PRODUCTS }).caused_by(error))?;
    let Some(product) = wanted(draft, &record.service_code, &record.product) else { return Ok(()) };
    for (kind, terms) in &record.terms.0 {
        let Some(kind) = Kind::of(kind) else {
            draft.reject_many(&format!("terms of kind {}", &**kind), RejectionReason::UnknownTerms, 1);
            continue;
        };
        terms.0.iter().try_for_each(|(key, term)| add(draft, kind, &product, key, term))?;
    }
    Ok(())
}

/// The kinds of terms that are read.
#[derive(Clone, Copy)]
enum Kind {
    OnDemand,
    Reserved,
}

impl Kind {
    fn of(text: &str) -> Option<Self> {
        match text {
            "OnDemand" => Some(Self::OnDemand),
            "Reserved" => Some(Self::Reserved),
            _ => None,
        }
    }

    fn stray(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand terms of products that are left out",
            Self::Reserved => "reserved terms of products that are left out",
        }
    }
}

/// The product, if it can be used and is wanted.
fn wanted(draft: &mut Draft, service: &str, product: &ListProduct<'_>) -> Option<Product> {
    let attribute =
        |name: &str| product.attributes.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value);
    let get = |name: &str| if name == "productfamily" { &*product.family } else { attribute(name) };
    let service = if service.is_empty() { attribute("servicecode") } else { service };
    match services::sku(service, "", &get) {
        Ok(sku) if !draft.takes(&sku) => None,
        Ok(sku) => Some(Product {
            provider_id: product.sku.to_string(),
            sku,
            usage_type: attribute("usagetype").into(),
            operation: attribute("operation").into(),
        }),
        Err(RejectionReason::Incomplete) => {
            draft.reject(format!("product {}", &*product.sku), RejectionReason::Incomplete);
            None
        }
        Err(reason) => {
            draft.reject_many("products of another capacity status", reason, 1);
            None
        }
    }
}

fn add(draft: &mut Draft, kind: Kind, product: &Product, key: &str, term: &ListTerm<'_>) -> Result<()> {
    let mut dimensions = Vec::with_capacity(term.price_dimensions.0.len());
    for (_, dimension) in &term.price_dimensions.0 {
        let Some((currency, price)) = dimension.price_per_unit.0.first() else { continue };
        draft.currency(currency).map_err(|error| error.in_item(product.provider_id.clone()))?;
        dimensions.push(Dimension {
            unit: dimension.unit.to_string(),
            begin: decimal(&dimension.begin_range).unwrap_or(Decimal::ZERO),
            price: decimal(price),
        });
    }
    let effective = day(&term.effective_date);
    match kind {
        Kind::OnDemand => {
            let mut product = product.clone();
            if product.sku.unit.is_empty() {
                product.sku.unit = dimensions.first().map(|dimension| dimension.unit.clone()).unwrap_or_default();
            }
            terms::add_on_demand(draft, &product, effective, dimensions);
        }
        Kind::Reserved => {
            let word = |name: &str| term.term_attributes.get(name).map(|text| text.to_string()).unwrap_or_default();
            let lease =
                Lease { length: word("LeaseContractLength"), class: word("OfferingClass"), purchase: word("PurchaseOption") };
            let code =
                if term.offer_term_code.is_empty() { key.rsplit('.').next().unwrap_or(key) } else { &*term.offer_term_code };
            terms::add_reserved(draft, product, code, effective, &lease, &dimensions);
        }
    }
    Ok(())
}
