//! The portfolio's JSON format.

use super::{Commitment, Particulars, Portfolio};
use crate::catalog::{Catalog, Offer, line_of_id};
use crate::error::{Error, Problem, Result};
use crate::files;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::Path;

const SCHEMA: &str = "covermix-portfolio/1";
const EXPECTED: &str = "a covermix portfolio (JSON)";

/// The document.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "covermix portfolio", description = "Commitments held, with the offers that the catalog does not have.")]
struct Document {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA))]
    schema: String,
    /// The currency of every amount, an ISO 4217 code; it must be the catalog's.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    currency: String,
    /// Offers that commitments refer to and the catalog does not have, such as those of past price lists.
    #[serde(default)]
    offers: Vec<Offer>,
    /// The commitments held.
    commitments: Vec<Commitment>,
    /// What is known of them beyond that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    particulars: Vec<Particulars>,
}

impl Portfolio {
    /// Reads a portfolio file (JSON, plain or gzip) that goes with a catalog.
    ///
    /// # Errors
    /// Not a file, empty, another shape or version, [`Problem::MixedCurrency`] if the catalog's currency is another,
    /// [`Problem::Dangling`] for a commitment whose offer neither has, and all of [`Portfolio::new`].
    pub fn read(path: impl AsRef<Path>, catalog: &Catalog) -> Result<Self> {
        let path = path.as_ref();
        let mut text = String::new();
        files::open(path, "commitment")?.read_to_string(&mut text).map_err(|error| files::input_output(path, error))?;
        Self::from_json(&text, catalog).map_err(|error| error.in_file(path))
    }

    /// Reads a portfolio from its text; see [`Portfolio::read`].
    ///
    /// # Errors
    /// As [`Portfolio::read`], without the file's name.
    pub fn from_json(text: &str, catalog: &Catalog) -> Result<Self> {
        let document: Document = files::parse_json(text, EXPECTED)?;
        let with_line = |error: Error| match error.place().item.as_deref().and_then(|id| line_of_id(text, id)) {
            Some(line) => error.at_line(line),
            None => error,
        };
        if document.schema != SCHEMA {
            return Err(Error::from(Problem::Version { found: document.schema, expected: SCHEMA }).in_field("schema"));
        }
        if document.currency != catalog.currency() {
            let problem = Problem::MixedCurrency { found: document.currency, expected: catalog.currency().to_owned() };
            return Err(Error::from(problem).in_field("currency"));
        }
        let portfolio = Self::new(document.offers, document.commitments)
            .and_then(|portfolio| portfolio.with_particulars(document.particulars))
            .map_err(with_line)?;
        for commitment in portfolio.commitments() {
            portfolio.offer(catalog, commitment).map_err(with_line)?;
        }
        Ok(portfolio)
    }

    /// The portfolio as a document in its JSON format, in the currency of its catalog.
    #[must_use]
    pub fn to_json(&self, currency: &str) -> String {
        let document = Document {
            schema: SCHEMA.into(),
            currency: currency.into(),
            offers: self.offers.clone(),
            commitments: self.commitments.clone(),
            particulars: self.particulars.values().cloned().collect(),
        };
        serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
    }

    /// Writes the portfolio file, whole or not at all; packed if the name ends in `.gz`.
    ///
    /// # Errors
    /// [`Problem::InputOutput`].
    pub fn write(&self, path: impl AsRef<Path>, currency: &str) -> Result<()> {
        let path = path.as_ref();
        let text = self.to_json(currency);
        files::write(path, |file| file.write_all(text.as_bytes()).map_err(|error| files::input_output(path, error)))
    }

    /// The JSON Schema of the portfolio's format.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Document).to_value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    const PORTFOLIO: &str = r#"{
  "schema": "covermix-portfolio/1",
  "currency": "USD",
  "commitments": [
    {
      "id": "first",
      "offer": "ri/us-east-1/m5.large/Linux/1y-standard-no-upfront",
      "quantity": "3", "start": "2024-01-01T00:00:00Z", "end": "2024-12-31T00:00:00Z",
      "account": "111", "scope": {"kind": "region"}
    }
  ]
}"#;

    fn catalog() -> Catalog {
        Catalog::from_json(include_str!("../../tests/data/catalog.json")).unwrap()
    }

    #[test]
    fn a_portfolio_reads_back_as_written() {
        let portfolio = Portfolio::from_json(PORTFOLIO, &catalog()).unwrap();
        assert_eq!(Portfolio::from_json(&portfolio.to_json("USD"), &catalog()).unwrap(), portfolio);
        assert_eq!(portfolio.commitments().len(), 1);
    }

    #[test_case("no-upfront", "no-such-offer", "does not exist")]
    #[test_case("\"quantity\": \"3\"", "\"quantity\": \"0\"", "above 0")]
    #[test_case("2024-12-31", "2023-12-31", "not after its start")]
    #[test_case("\"USD\"", "\"EUR\"", "EUR, beside USD")]
    #[test_case("region", "galaxy", "galaxy")]
    fn wrong_portfolios_are_refused(from: &str, to: &str, words: &str) {
        let message = Portfolio::from_json(&PORTFOLIO.replacen(from, to, 1), &catalog()).unwrap_err().to_string();
        assert!(message.contains(words) && message.contains("; "), "{message}");
    }

    #[test]
    fn the_checked_in_schema_is_the_one_the_types_make() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/portfolio.schema.json");
        let schema = serde_json::to_string_pretty(&Portfolio::json_schema()).unwrap() + "\n";
        if std::env::var_os("COVERMIX_WRITE_SCHEMAS").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), schema, "run the test with COVERMIX_WRITE_SCHEMAS=1 to renew it");
    }
}
