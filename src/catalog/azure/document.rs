//! The JSON shapes of Azure retail prices: answers of the Retail Prices API (`Items`, or `items` where they were merged by hand), one or
//! several after each other; a bare array of items; and the reduced shape of azure-pricing-radar (an object keyed by
//! `skuId|meterId|type|reservationTerm`, and its lists of changes).

use crate::error::{Error, Problem, Result};
use crate::units::to_decimal;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

const EXPECTED: &str =
    "answers of the Azure Retail Prices API (JSON with `Items`), or a reduction of them keyed by SKU and meter";

/// One price row, as the API names its fields.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Row {
    pub currency_code: Option<String>,
    pub tier_minimum_units: Option<f64>,
    pub reservation_term: Option<String>,
    pub retail_price: Option<Number>,
    pub arm_region_name: Option<String>,
    pub location: Option<String>,
    pub effective_start_date: Option<String>,
    pub meter_id: Option<String>,
    pub meter_name: Option<String>,
    pub sku_id: Option<String>,
    pub product_name: Option<String>,
    pub sku_name: Option<String>,
    pub service_name: Option<String>,
    pub unit_of_measure: Option<String>,
    pub r#type: Option<String>,
    pub is_primary_meter_region: Option<bool>,
    pub arm_sku_name: Option<String>,
    pub savings_plan: Option<Vec<PlanRate>>,
    /// Of the reduced shape: the 1-year rate alone.
    pub savings_plan_price: Option<Number>,
}

/// One entry of the `savingsPlan` array.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PlanRate {
    pub retail_price: Option<Number>,
    pub unit_price: Option<Number>,
    pub term: Option<String>,
}

/// A price as JSON number or string; `None` inside where it is neither.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(pub Option<Decimal>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(Self(match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Number(number) => number.as_f64().and_then(to_decimal),
            serde_json::Value::String(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())
            }
            _ => None,
        }))
    }
}

/// A row that changed between two polls.
#[derive(Debug, Deserialize)]
pub(super) struct Change {
    pub key: String,
    pub before: Row,
    pub after: Row,
}

/// A row of a list of changes.
#[derive(Debug, Deserialize)]
pub(super) struct KeyedRow {
    pub key: String,
    #[serde(flatten)]
    pub row: Row,
}

/// What one JSON document holds.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub rows: Vec<Row>,
    pub next_page: Option<String>,
    pub added: Vec<Row>,
    pub removed: Vec<Row>,
    pub changed: Vec<(Row, Row)>,
    pub at: Option<String>,
    /// Whether it is a list of changes.
    pub is_changes: bool,
}

/// Reads every document of a text.
pub(super) fn read(text: &str) -> Result<Vec<Document>> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(Problem::Empty { what: "price" }.into());
    }
    let documents = serde_json::Deserializer::from_str(text).into_iter::<Document>();
    documents
        .map(|document| {
            document.map_err(|error| {
                let line = u64::try_from(error.line()).unwrap_or(u64::MAX);
                Error::from(Problem::Malformed { expected: EXPECTED }).at_line(line).caused_by(error)
            })
        })
        .collect()
}

/// The parts of a key `skuId|meterId|type|reservationTerm` written into the row.
fn with_key(mut row: Row, key: &str) -> Option<Row> {
    let mut parts = key.split('|');
    row.sku_id = Some(parts.next()?.to_owned());
    row.meter_id = Some(parts.next()?.to_owned());
    row.r#type = Some(parts.next()?.to_owned());
    row.reservation_term = Some(parts.next()?.to_owned()).filter(|term| !term.is_empty());
    parts.next().is_none().then_some(row)
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> std::result::Result<Document, A::Error> {
        let mut document = Document::default();
        while let Some(row) = sequence.next_element()? {
            document.rows.push(row);
        }
        Ok(document)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Document, A::Error> {
        let keyed = |row: Row, key: &str| {
            with_key(row, key).ok_or_else(|| de::Error::custom(format!("`{key}` is not skuId|meterId|type|reservationTerm")))
        };
        let mut document = Document::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "Items" | "items" => document.rows.extend(map.next_value::<Vec<Row>>()?),
                "NextPageLink" | "nextPageLink" => {
                    document.next_page = map.next_value::<Option<String>>()?.filter(|link| !link.is_empty());
                }
                "BillingCurrency" | "CustomerEntityId" | "CustomerEntityType" | "Count" | "count" | "scope" => {
                    map.next_value::<IgnoredAny>()?;
                }
                "at" => document.at = map.next_value()?,
                "added" | "removed" => {
                    document.is_changes = true;
                    for entry in map.next_value::<Vec<KeyedRow>>()? {
                        let row = keyed(entry.row, &entry.key)?;
                        if key == "added" { document.added.push(row) } else { document.removed.push(row) }
                    }
                }
                "changed" => {
                    document.is_changes = true;
                    for entry in map.next_value::<Vec<Change>>()? {
                        document.changed.push((keyed(entry.before, &entry.key)?, keyed(entry.after, &entry.key)?));
                    }
                }
                other if other.contains('|') => document.rows.push(keyed(map.next_value()?, other)?),
                other => return Err(de::Error::unknown_field(other, &["Items", "NextPageLink", "Count"])),
            }
        }
        Ok(document)
    }
}
