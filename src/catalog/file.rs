//! The catalog's own JSON format, and the front door that recognises every format this library reads.
//!
//! The format's JSON Schema is `data/catalog.schema.json`, made from the types by [`Catalog::json_schema`].

use super::draft::Draft;
use super::format::EXPECTED;
use super::{Catalog, CatalogBuilder, Offer, OnDemandPrice, Origin, SpotPrice};
use crate::error::{Error, Problem, Result};
use crate::files;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::BufRead;
use std::path::Path;

const SCHEMA: &str = "covermix-catalog/1";

/// The document; what is optional in a file has a default here.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "covermix catalog", description = "On-demand prices and commitment offers; money as decimal strings.")]
struct Document {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA))]
    schema: String,
    /// The currency of every amount, an ISO 4217 code.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    currency: String,
    /// The day the prices were valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price_date: Option<NaiveDate>,
    /// Where the prices come from.
    source: String,
    /// On-demand prices.
    prices: Vec<OnDemandPrice>,
    /// Commitments for sale.
    offers: Vec<Offer>,
    /// Prices of capacity that the provider may take back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    spot: Vec<SpotPrice>,
}

impl Catalog {
    /// Reads a price file of any format that [`recognise`](super::recognise) knows, plain or gzip. Files that need each other
    /// (Savings Plan rates and on-demand prices), and files of which a part is wanted, are read with a
    /// [`CatalogBuilder`].
    ///
    /// # Errors
    /// Not a file, empty, of no known shape; and all of [`Catalog::new`], with file, line, field and item.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        CatalogBuilder::new().add(path)?.build().map_err(|error| error.in_file(path))
    }

    /// Reads a catalog from its text; see [`Catalog::read`].
    ///
    /// # Errors
    /// As [`Catalog::read`], without the file's name.
    pub fn from_json(text: &str) -> Result<Self> {
        CatalogBuilder::new().add_text(text)?.build()
    }

    /// The catalog as a document in its own JSON format.
    #[must_use]
    pub fn to_json(&self) -> String {
        let document = Document {
            schema: SCHEMA.into(),
            currency: self.currency.clone(),
            price_date: self.price_date,
            source: self.source.clone(),
            prices: self.prices.clone(),
            offers: self.offers.clone(),
            spot: self.spot.clone(),
        };
        // Strings, numbers as strings and maps with string keys: nothing that JSON cannot hold.
        serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
    }

    /// Writes the catalog in its own JSON format, whole or not at all; packed if the name ends in `.gz`.
    ///
    /// # Errors
    /// [`Problem::InputOutput`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        files::write(path, |file| file.write_all(self.to_json().as_bytes()).map_err(|error| files::input_output(path, error)))
    }

    /// The JSON Schema of the catalog's own format.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Document).to_value()
    }
}

/// Reads a document of the own format into a catalog being built; its entries keep the source and date of the document.
pub(super) fn read_into(input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    let mut text = String::new();
    input.read_to_string(&mut text).map_err(|error| Error::from(Problem::InputOutput).caused_by(error))?;
    let document: Document = match files::parse_json(&text, EXPECTED) {
        Ok(document) => document,
        Err(error) => return Err(other_currency(&text).unwrap_or(error)),
    };
    let catalog =
        document.into_catalog().map_err(|error| match error.place().item.as_deref().and_then(|id| line_of_id(&text, id)) {
            Some(line) => error.at_line(line),
            None => error,
        })?;
    merge(catalog, draft)
}

/// Adds a whole catalog to one being built; its entries keep its source and date, and what it left out stays left out.
pub(super) fn merge(catalog: Catalog, draft: &mut Draft) -> Result<()> {
    draft.currency(&catalog.currency)?;
    draft.origin = Origin { source: catalog.source, price_date: catalog.price_date.or(draft.origin.price_date) };
    for price in catalog.prices {
        if !draft.takes(&price.sku) {
            continue;
        }
        draft.price(price);
    }
    for offer in catalog.offers {
        draft.offer(offer);
    }
    for spot in catalog.spot {
        if !draft.takes(&spot.sku) {
            continue;
        }
        draft.spot(spot);
    }
    for rejection in catalog.rejected {
        draft.reject_many(&rejection.item, rejection.reason, rejection.count);
    }
    Ok(())
}

impl Document {
    fn into_catalog(self) -> Result<Catalog> {
        if self.schema != SCHEMA {
            return Err(Error::from(Problem::Version { found: self.schema, expected: SCHEMA }).in_field("schema"));
        }
        if self.currency.len() != 3 || !self.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            let problem = Problem::Value { value: self.currency, expected: "an ISO 4217 code such as USD" };
            return Err(Error::from(problem).in_field("currency"));
        }
        if self.prices.is_empty() && self.spot.is_empty() {
            return Err(Problem::Empty { what: "on-demand price" }.into());
        }
        Catalog::assemble(self.currency, self.price_date, self.source, self.prices, self.offers)?.with_spot(self.spot)
    }
}

/// The error for a price or offer that states a currency of its own, which the format does not have: a catalog is in one.
fn other_currency(text: &str) -> Option<Error> {
    let document: serde_json::Value = serde_json::from_str(text).ok()?;
    let expected = document.get("currency")?.as_str()?.to_owned();
    let entries = ["prices", "offers"].iter().filter_map(|list| document.get(list)?.as_array()).flatten();
    let (entry, found) =
        entries.filter_map(|entry| Some((entry, entry.get("currency")?.as_str()?))).find(|(_, c)| *c != expected)?;
    let item = entry.get("id")?.as_str()?;
    let error = Error::from(Problem::MixedCurrency { found: found.to_owned(), expected }).in_field("currency").in_item(item);
    Some(match line_of_id(text, item) {
        Some(line) => error.at_line(line),
        None => error,
    })
}

/// The line on which a JSON text gives an item its identifier; 1 is the first.
pub(crate) fn line_of_id(text: &str, id: &str) -> Option<u64> {
    let quoted = serde_json::to_string(id).ok()?;
    text.match_indices("\"id\"").find_map(|(at, key)| {
        let value = text[at + key.len()..].trim_start().strip_prefix(':')?.trim_start();
        value.starts_with(&quoted).then(|| text[..at].bytes().filter(|byte| *byte == b'\n').count() as u64 + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    const SMALL: &str = include_str!("../../tests/data/catalog.json");

    #[test]
    fn a_catalog_reads_back_as_written() {
        let catalog = Catalog::from_json(SMALL).unwrap();
        assert_eq!(Catalog::from_json(&catalog.to_json()).unwrap(), catalog);
    }

    #[test_case("\"price\": \"0.096\"", "\"price\": \"0\"", &["prices.price", "above 0", "line "])]
    #[test_case("\"price\": \"0.096\"", "\"price\": 0.096", &["line "])]
    #[test_case("\"price\": \"0.096\"", "\"price\": \"cheap\"", &["line "])]
    #[test_case("\"price\": \"0.096\"", "\"price\": \"0.096\", \"currency\": \"EUR\"", &["EUR", "USD", "line "])]
    #[test_case("covermix-catalog/1", "covermix-catalog/0", &["covermix-catalog/0", "schema"])]
    #[test_case("\"term\": \"P365D\"", "\"term\": \"one year\"", &["one year", "P365D"])]
    #[test_case("\"sku\": \"m5.large\"", "\"sku\": \"m5.huge\"", &[])]
    fn wrong_documents_are_refused(from: &str, to: &str, words: &[&str]) {
        assert!(SMALL.contains(from), "the test's own data lacks {from}");
        let result = Catalog::from_json(&SMALL.replacen(from, to, 1));
        if words.is_empty() {
            return; // another SKU is another price, not an error
        }
        let message = result.unwrap_err().to_string();
        for word in words {
            assert!(message.contains(word), "`{word}` is not in: {message}");
        }
    }

    #[test]
    fn the_checked_in_schema_is_the_one_the_types_make() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/catalog.schema.json");
        let schema = serde_json::to_string_pretty(&Catalog::json_schema()).unwrap() + "\n";
        if std::env::var_os("COVERMIX_WRITE_SCHEMAS").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), schema, "run the test with COVERMIX_WRITE_SCHEMAS=1 to renew it");
    }
}
