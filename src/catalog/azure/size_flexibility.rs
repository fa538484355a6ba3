//! Azure's instance size flexibility tables: which sizes share a reservation, and how many units each needs.
//!
//! A reservation of `quantity` x ratio units covers any size of its group in its region ("Virtual machine size flexibility with Reserved
//! VM Instances", Microsoft cost management documentation, edition of 2026-03-05). Only quotients within one group of one table mean
//! anything: the base of a group is arbitrary, and ratios change (2025-09-04: B-series, dedicated hosts and others). A catalog is
//! therefore read with one table, which knows its date, and tables are never merged.

use crate::catalog::PoolUnits;
use crate::error::{Error, Problem, Result};
use crate::files;
use crate::units::Units;
use crate::usage::Sku;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

const COLUMNS: [&str; 3] = ["InstanceSizeFlexibilityGroup", "ArmSkuName", "Ratio"];

/// One dated table of groups and ratios.
#[derive(Clone, Debug, PartialEq)]
pub struct SizeFlexibility {
    date: Option<NaiveDate>,
    by_name: HashMap<String, Vec<Entry>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    group: String,
    ratio: Decimal,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "InstanceSizeFlexibilityGroup")]
    group: String,
    #[serde(rename = "ArmSkuName")]
    name: String,
    #[serde(rename = "Ratio")]
    ratio: String,
}

impl SizeFlexibility {
    /// Reads a table in Microsoft's CSV form (`InstanceSizeFlexibilityGroup,ArmSkuName,Ratio`), plain or gzip. `date` is the day it was
    /// valid, where known.
    ///
    /// # Errors
    /// Not a file, a missing column, an empty value, a ratio that is not a number above 0; with file and line.
    pub fn read(path: impl AsRef<Path>, date: Option<NaiveDate>) -> Result<Self> {
        let path = path.as_ref();
        let mut text = String::new();
        files::open(path, "size flexibility ratio")?
            .read_to_string(&mut text)
            .map_err(|error| files::input_output(path, error))?;
        Self::from_csv(&text, date).map_err(|error| error.in_file(path))
    }

    /// Reads a table from its text; see [`SizeFlexibility::read`].
    ///
    /// # Errors
    /// As [`SizeFlexibility::read`], without the file's name.
    pub fn from_csv(text: &str, date: Option<NaiveDate>) -> Result<Self> {
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let expected = "a size flexibility table (CSV)";
        let header = reader.headers().map_err(|error| Error::from(Problem::Malformed { expected }).caused_by(error))?.clone();
        if let Some(column) = COLUMNS.iter().find(|column| !header.iter().any(|name| name == **column)) {
            let found = header.iter().collect::<Vec<_>>().join(", ");
            return Err(Error::from(Problem::MissingColumn { column: (*column).to_owned(), found }).at_line(1));
        }
        let mut by_name: HashMap<String, Vec<Entry>> = HashMap::new();
        for record in reader.deserialize::<Record>() {
            let record = record.map_err(|error| {
                let line = error.position().map_or(1, csv::Position::line);
                Error::from(Problem::Malformed { expected }).at_line(line).caused_by(error)
            })?;
            if record.group.is_empty() || record.name.is_empty() {
                return Err(Error::from(Problem::EmptyValue).in_field("InstanceSizeFlexibilityGroup, ArmSkuName"));
            }
            let ratio = record.ratio.parse::<Decimal>().ok().filter(|ratio| *ratio > Decimal::ZERO).ok_or_else(|| {
                let problem = Problem::Value { value: record.ratio.clone(), expected: "a ratio above 0" };
                Error::from(problem).in_field("Ratio").in_item(record.name.clone())
            })?;
            let entries = by_name.entry(key(&record.name)).or_default();
            if let Some(other) = entries.iter().find(|entry| entry.group == record.group) {
                if other.ratio != ratio {
                    return Err(Error::from(Problem::Repeated).in_field("ArmSkuName").in_item(record.name));
                }
                continue;
            }
            entries.push(Entry { group: record.group, ratio });
        }
        if by_name.is_empty() {
            return Err(Problem::Empty { what: "size flexibility ratio" }.into());
        }
        Ok(Self { date, by_name })
    }

    /// The day the table was valid, where known.
    #[must_use]
    pub fn date(&self) -> Option<NaiveDate> {
        self.date
    }

    /// How many sizes have a ratio.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether it has no sizes (it never is: reading an empty table fails).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The group and ratio of a size; upper or lower case, blanks and underscores do not matter. A size that stands in two groups
    /// (an isolated size that is also a dedicated host) belongs to the first of them that is no host's group.
    #[must_use]
    pub fn group(&self, arm_sku_name: &str) -> Option<(&str, Decimal)> {
        let entries = self.by_name.get(&key(arm_sku_name))?;
        let is_host = |entry: &&Entry| entry.group.to_ascii_lowercase().replace(' ', "").contains("dedicatedhost");
        let entry = entries.iter().find(|entry| !is_host(entry)).or_else(|| entries.first())?;
        Some((&entry.group, entry.ratio))
    }

    /// The pool of a SKU: its group, in its region, with its ratio as units.
    #[must_use]
    pub fn pool(&self, sku: &Sku) -> Option<PoolUnits> {
        let (group, ratio) = self.group(&sku.sku)?;
        let pool = format!("azure/{}/{}/{group}", sku.service, sku.region);
        Some(PoolUnits { pool, units: Units::new(ratio) })
    }
}

/// Sizes are written `Standard_E96-48as v5`, `dcsv2 type 1`, `Dsv3_Type2`: compared without case, blanks and underscores.
fn key(name: &str) -> String {
    name.chars().filter(|character| !matches!(character, ' ' | '_')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    const TABLE: &str = "InstanceSizeFlexibilityGroup,ArmSkuName,Ratio\n\
        DSv2 Series,Standard_DS1_v2,1\nDSv2 Series,Standard_DS4_v2,8\n\
        Esv4 Series Dedicated Host,Standard_E64is_v4_SPECIAL,1\nEsv4 Series Isolated,Standard_E64is_v4_special,1.1\n\
        DCsv2 Series Dedicated Host,DCsv2 Type 1,1\n";

    #[test]
    fn sizes_are_found_however_they_are_written() {
        let table = SizeFlexibility::from_csv(TABLE, None).unwrap();
        assert_eq!(table.group("standard_ds4 v2"), Some(("DSv2 Series", dec!(8))));
        assert_eq!(table.group("DCsv2_Type1"), Some(("DCsv2 Series Dedicated Host", dec!(1))));
        assert_eq!(table.group("Standard_E64is_v4_special"), Some(("Esv4 Series Isolated", dec!(1.1))));
        assert_eq!(table.group("Standard_DS99_v2"), None);
    }

    #[test]
    fn wrong_tables_are_refused() {
        let message = |text: &str| SizeFlexibility::from_csv(text, None).unwrap_err().to_string();
        assert!(message(&TABLE.replace(",8\n", ",0\n")).contains("Standard_DS4_v2"));
        assert!(message(&TABLE.replace("Ratio", "Factor")).contains("Ratio"));
        assert!(message("InstanceSizeFlexibilityGroup,ArmSkuName,Ratio\n").contains("empty"));
        assert!(message(&TABLE.replace("DS4_v2,8", "DS1_v2,8")).contains("twice"));
    }
}
