//! The scenario file: what a planner writes by hand, in TOML. `data/scenarios.schema.json` is its JSON Schema, `data/scenarios.toml` an
//! example.

use super::transform::{Context, Driver, PriceChange, Transform, apply_all, repeat};
use super::{Scenario, Scenarios, check_probabilities};
use crate::catalog::Catalog;
use crate::error::{Error, Problem, Result};
use crate::files;
use crate::time::{Hour, HourGrid};
use crate::usage::UsageCurves;
use chrono::{DateTime, Months, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

const SCHEMA: &str = "covermix-scenarios/1";

/// Base, high and low, as a planner writes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// `covermix-scenarios/1`.
    pub schema: String,
    /// The hours of the futures; those of the usage itself if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizon: Option<Horizon>,
    /// What usage follows, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub drivers: BTreeMap<String, Driver>,
    /// Changes in every scenario, before its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<Transform>,
    /// The futures; their probabilities sum to one.
    pub scenarios: Vec<FutureFile>,
}

/// One future of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FutureFile {
    /// Its name.
    pub name: String,
    /// How likely it is.
    pub probability: f64,
    /// Drivers that differ in it, whole.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub drivers: BTreeMap<String, Driver>,
    /// Changes in this scenario alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<Transform>,
    /// Changes of list prices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<PriceChange>,
}

/// The hours of the futures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Horizon {
    /// The first hour.
    pub start: DateTime<Utc>,
    /// How many calendar months.
    pub months: u32,
}

impl ScenarioFile {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// Not a file, empty, another shape or schema, a field this version does not know, probabilities that do not sum to one; with file and
    /// line where known.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = files::read_text(path, "scenario")?;
        Self::from_toml(&text).map_err(|error| error.in_file(path))
    }

    /// Reads the text of a scenario file.
    ///
    /// # Errors
    /// As [`ScenarioFile::read`].
    pub fn from_toml(text: &str) -> Result<Self> {
        let file: Self = files::parse_toml(text, "a covermix scenario file (TOML)")?;
        if file.schema != SCHEMA {
            return Err(Error::from(Problem::Version { found: file.schema, expected: SCHEMA }).in_field("schema"));
        }
        let named: Vec<(&str, f64)> = file.scenarios.iter().map(|one| (one.name.as_str(), one.probability)).collect();
        check_probabilities(&named)?;
        Ok(file)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// [`Problem::Malformed`] for a figure TOML cannot hold.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self)
            .map_err(|error| Error::from(Problem::Malformed { expected: "a covermix scenario file (TOML)" }).caused_by(error))
    }

    /// The JSON Schema of the file.
    #[must_use]
    pub fn json_schema() -> schemars::Schema {
        schemars::schema_for!(Self)
    }

    /// The futures of measured usage. With a catalog, every line that a migration or launch leads to must have a price.
    ///
    /// # Errors
    /// What [`repeat`] and [`Transform::apply`] refuse, naming scenario and transform; prices that [`PriceChange::catalog_at`] refuses.
    pub fn scenarios(&self, usage: &UsageCurves, catalog: Option<&Catalog>) -> Result<Scenarios> {
        let usage = match self.horizon {
            Some(horizon) => repeat(usage, horizon.grid()?)?,
            None => usage.clone(),
        };
        let futures = self.scenarios.iter().map(|future| {
            let mut drivers = self.drivers.clone();
            drivers.extend(future.drivers.clone());
            let context = Context { drivers: &drivers, catalog };
            let common = apply_all(&self.transforms, &usage, context).map_err(|error| error.in_field("transforms"))?;
            let usage = apply_all(&future.transforms, &common, context)
                .map_err(|error| error.in_field(format!("scenarios.{}.transforms", future.name)))?;
            if let Some(catalog) = catalog {
                let last = usage.grid().hour(usage.grid().count - 1).start();
                PriceChange::catalog_at(&future.prices, catalog, last)
                    .map_err(|error| error.in_field(format!("scenarios.{}.prices", future.name)))?;
            }
            Ok(Scenario { name: future.name.clone(), probability: future.probability, usage, prices: future.prices.clone() })
        });
        Scenarios::new(futures.collect::<Result<_>>()?)
    }
}

impl Horizon {
    fn grid(self) -> Result<HourGrid> {
        let wrong = || {
            Error::from(Problem::OutOfRange { value: self.months.to_string(), range: "1 to 120 months" })
                .in_field("horizon.months")
        };
        if !(1..=120).contains(&self.months) {
            return Err(wrong());
        }
        let end = self.start.checked_add_months(Months::new(self.months)).ok_or_else(wrong)?;
        let (first, end) = (Hour::containing(self.start), Hour::containing(end));
        Ok(HourGrid { first, count: usize::try_from(end.since_epoch() - first.since_epoch()).unwrap_or(0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    const EXAMPLE: &str = include_str!("../../data/scenarios.toml");

    fn usage() -> UsageCurves {
        let header = "hour,provider,service,region,sku,platform,tenancy,unit,account,quantity\n";
        let rows: String = (0..24 * 60)
            .map(|index| {
                let hour = Hour::containing("2024-11-01T00:00:00Z".parse().unwrap()).plus(index);
                format!("{hour},aws,AmazonEC2,us-east-1,m5.large,Linux,shared,instance-hour,a,{}\n", 3 + index % 24)
            })
            .collect();
        UsageCurves::from_reader((header.to_owned() + &rows).as_bytes()).unwrap()
    }

    fn catalog() -> Catalog {
        Catalog::from_json(include_str!("../../tests/data/catalog.json")).unwrap()
    }

    #[test]
    fn the_example_reads_writes_and_applies() {
        let file = ScenarioFile::from_toml(EXAMPLE).unwrap();
        assert_eq!(ScenarioFile::from_toml(&file.to_toml().unwrap()).unwrap(), file);
        let scenarios = file.scenarios(&usage(), Some(&catalog())).unwrap();
        let total = |name: &str| {
            let one = scenarios.as_slice().iter().find(|one| one.name == name).unwrap();
            one.usage.totals().sum()
        };
        assert!(total("low") < total("base") && total("base") < total("high"));
        assert!((scenarios.probabilities().iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test_case("probability = 0.6", "probability = 0.7", &["base 0.7", "1.1", "scenario.probability"])]
    #[test_case("\"2025-07\"", "\"2026-07\"", &["driver `users`", "2025-07"])]
    #[test_case("driver = \"users\"", "driver = \"tokens\"", &["driver `tokens`", "no such driver"])]
    #[test_case("to = { sku = \"m5.xlarge\" }", "to = { sku = \"m9.huge\" }", &["m5.large", "m9.huge", "no on-demand price"])]
    #[test_case("covermix-scenarios/1", "covermix-scenarios/9", &["covermix-scenarios/9"])]
    #[test_case("annual = 0.2", "annual = -1.0", &["annual", "above -1"])]
    #[test_case("sku = \"m5.*\"", "sku = \"c9.*\"", &["c9.*", "takes no usage line"])]
    #[test_case("annual = 0.2", "anual = 0.2", &["line"])]
    fn wrong_files_are_refused_by_name(from: &str, to: &str, words: &[&str]) {
        assert!(EXAMPLE.contains(from), "the example lacks {from}");
        let result =
            ScenarioFile::from_toml(&EXAMPLE.replacen(from, to, 1)).and_then(|file| file.scenarios(&usage(), Some(&catalog())));
        let message = result.unwrap_err().to_string();
        for word in words {
            assert!(message.contains(word), "`{word}` is not in: {message}");
        }
    }

    #[test]
    fn the_checked_in_schema_is_the_one_the_types_make() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/scenarios.schema.json");
        let schema = serde_json::to_string_pretty(&ScenarioFile::json_schema()).unwrap() + "\n";
        if std::env::var_os("COVERMIX_WRITE_SCHEMAS").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), schema, "run the test with COVERMIX_WRITE_SCHEMAS=1 to renew it");
    }
}
