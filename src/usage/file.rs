//! The usage file: reading it strictly, writing it so that it reads back the same.

use super::{PricingCategory, Provider, Sku, UsageCurves, UsageLine, check_quantity};
use crate::error::{Error, Problem, Result};
use crate::files;
use crate::time::{Hour, HourGrid};
use crate::units::UnitPrice;
use csv::{ReaderBuilder, StringRecord, WriterBuilder};
use ndarray::Array2;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;

const EXPECTED: &str = "a usage file (CSV with a header: hour, provider, service, region, sku, ..., quantity)";
const REQUIRED: [&str; 6] = ["hour", "provider", "service", "region", "sku", "quantity"];
const OPTIONAL: [&str; 8] = ["platform", "tenancy", "unit", "account", "availability_zone", "pricing", "billed_price", "weight"];
const TAG: &str = "tag:";

impl UsageCurves {
    /// Reads a usage file: CSV (or gzip of it) with a header, one row an hour and line, in any order.
    ///
    /// | column | content |
    /// |---|---|
    /// | `hour` | start of the hour with its zone, `2024-01-01T00:00:00Z` |
    /// | `provider` | `aws`, `azure` or `gcp` |
    /// | `service`, `region`, `sku` | in the provider's words: `AmazonEC2`, `us-east-1`, `m5.large` |
    /// | `platform`, `tenancy`, `unit` | optional: `Linux`, `shared`, `instance-hour`; empty where they do not apply |
    /// | `account`, `availability_zone` | optional |
    /// | `pricing` | optional: `standard` (default), `spot`, `free_tier` |
    /// | `tag:NAME` | optional, any number: the tag `NAME` |
    /// | `billed_price` | optional: the on-demand price on the bill, to value usage that the catalog does not know |
    /// | `weight` | optional: how many equal hours the hour stands for, 1 by default, the same in all rows of an hour |
    /// | `quantity` | units used in the hour, 0 or more; by custom the last column |
    ///
    /// Every line has every hour from the file's first to its last: an hour without usage is a row with quantity 0.
    ///
    /// # Errors
    /// A missing or unknown column, an hour without zone, repeated or missing, a quantity that is negative, NaN or
    /// infinite, an empty file, not a file: each with file, line and field.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::from_reader(files::open(path, "usage")?).map_err(|error| error.in_file(path))
    }

    /// Reads the content of a usage file; see [`UsageCurves::read`].
    ///
    /// # Errors
    /// As [`UsageCurves::read`], without the file's name.
    pub fn from_reader(reader: impl Read) -> Result<Self> {
        let mut reader = ReaderBuilder::new().trim(csv::Trim::All).from_reader(reader);
        let columns = Columns::find(reader.headers().map_err(malformed)?)?;
        let mut rows = Rows::default();
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(malformed)? {
            let line = record.position().map_or(0, csv::Position::line);
            rows.add(&columns, &record, line).map_err(|error| error.at_line(line))?;
        }
        rows.into_curves()
    }

    /// Writes the usage file that [`UsageCurves::read`] reads back as the same curves; packed if the name ends in `.gz`.
    /// The file appears whole or not at all.
    ///
    /// # Errors
    /// [`Problem::InputOutput`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        files::write(path, |file| {
            self.write_csv(file).map_err(|error| Error::from(Problem::InputOutput).in_file(path).caused_by(error))
        })
    }

    fn write_csv(&self, file: &mut dyn std::io::Write) -> csv::Result<()> {
        let tags: std::collections::BTreeSet<&String> = self.lines.iter().flat_map(|line| line.tags.keys()).collect();
        let weighted = self.weights.iter().any(|weight| weight.to_bits() != 1f64.to_bits());
        let priced = self.lines.iter().any(|line| line.billed_price.is_some());
        let mut writer = WriterBuilder::new().from_writer(file);
        let mut header: Vec<String> =
            ["hour", "provider", "service", "region", "sku", "platform", "tenancy", "unit", "account"].map(str::to_owned).into();
        header.extend(["availability_zone", "pricing"].map(str::to_owned));
        header.extend(tags.iter().map(|tag| format!("{TAG}{tag}")));
        header.extend(priced.then(|| "billed_price".to_owned()));
        header.extend(weighted.then(|| "weight".to_owned()));
        header.push("quantity".to_owned());
        writer.write_record(&header)?;
        let quantity = self.quantity.view();
        let hours: Vec<String> = self.grid.hours().map(|hour| hour.to_string()).collect();
        for (column, line) in self.lines.iter().enumerate() {
            let provider = line.sku.provider.to_string();
            let price = line.billed_price.map(|price| price.to_string()).unwrap_or_default();
            for (row, hour) in hours.iter().enumerate() {
                let sku = &line.sku;
                for field in [hour, &provider, &sku.service, &sku.region, &sku.sku, &sku.platform, &sku.tenancy, &sku.unit] {
                    writer.write_field(field)?;
                }
                for field in [&line.account, &line.availability_zone, line.pricing.as_str()] {
                    writer.write_field(field)?;
                }
                for tag in &tags {
                    writer.write_field(line.tags.get(*tag).map_or("", String::as_str))?;
                }
                if priced {
                    writer.write_field(&price)?;
                }
                if weighted {
                    writer.write_field(self.weights[row].to_string())?;
                }
                writer.write_field(quantity[(row, column)].to_string())?;
                writer.write_record(None::<&[u8]>)?;
            }
        }
        writer.flush()?;
        Ok(())
    }
}

fn malformed(error: csv::Error) -> Error {
    let line = error.position().map(csv::Position::line);
    let error = Error::from(Problem::Malformed { expected: EXPECTED }).caused_by(error);
    match line {
        Some(line) => error.at_line(line),
        None => error,
    }
}

/// Where each column stands.
struct Columns {
    index: HashMap<String, usize>,
    tags: Vec<(String, usize)>,
}

impl Columns {
    fn find(header: &StringRecord) -> Result<Self> {
        let names: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
        if names.iter().all(|name| name.is_empty()) {
            return Err(Problem::Empty { what: "header" }.into());
        }
        let mut index = HashMap::new();
        let mut tags = Vec::new();
        for (position, name) in names.iter().enumerate() {
            if let Some(tag) = name.strip_prefix(TAG) {
                tags.push((tag.to_owned(), position));
            } else if !REQUIRED.contains(name) && !OPTIONAL.contains(name) {
                let known = [&REQUIRED[..], &OPTIONAL[..]].concat().join(", ");
                return Err(Error::from(Problem::UnknownColumn { column: (*name).to_owned(), known }).at_line(1).in_field(*name));
            }
            if index.insert((*name).to_owned(), position).is_some() {
                return Err(Error::from(Problem::Repeated).at_line(1).in_field(*name));
            }
        }
        if let Some(missing) = REQUIRED.iter().find(|name| !index.contains_key(**name)) {
            let column = (*missing).to_owned();
            return Err(Error::from(Problem::MissingColumn { column, found: names.join(", ") }).at_line(1).in_field(*missing));
        }
        Ok(Self { index, tags })
    }

    fn get<'r>(&self, record: &'r StringRecord, column: &str) -> &'r str {
        self.index.get(column).and_then(|position| record.get(*position)).unwrap_or("")
    }

    fn filled<'r>(&self, record: &'r StringRecord, column: &'static str) -> Result<&'r str> {
        let value = self.get(record, column);
        if value.is_empty() { Err(Error::from(Problem::EmptyValue).in_field(column)) } else { Ok(value) }
    }

    /// The number in a column: finite and not negative.
    fn number(&self, record: &StringRecord, column: &'static str) -> Result<f64> {
        let text = self.filled(record, column)?;
        let wrong = || Problem::Value { value: text.to_owned(), expected: "a number" };
        let number: f64 = text.parse().map_err(|_| Error::from(wrong()).in_field(column))?;
        check_quantity(number).map_err(|error| error.in_field(column))?;
        Ok(number + 0.0) // turns -0 into 0
    }

    fn line(&self, record: &StringRecord) -> Result<UsageLine> {
        let provider = match self.filled(record, "provider")? {
            "aws" => Provider::Aws,
            "azure" => Provider::Azure,
            "gcp" => Provider::Gcp,
            other => {
                let problem = Problem::Value { value: other.to_owned(), expected: "aws, azure or gcp" };
                return Err(Error::from(problem).in_field("provider"));
            }
        };
        let pricing = match self.get(record, "pricing") {
            "" | "standard" => PricingCategory::Standard,
            "spot" => PricingCategory::Spot,
            "free_tier" => PricingCategory::FreeTier,
            other => {
                let problem = Problem::Value { value: other.to_owned(), expected: "standard, spot or free_tier" };
                return Err(Error::from(problem).in_field("pricing"));
            }
        };
        let text = |column| self.get(record, column).to_owned();
        let tags = self.tags.iter().filter_map(|(tag, position)| {
            record.get(*position).filter(|value| !value.is_empty()).map(|value| (tag.clone(), value.to_owned()))
        });
        Ok(UsageLine {
            sku: Sku {
                provider,
                service: self.filled(record, "service")?.to_owned(),
                region: text("region"),
                sku: self.filled(record, "sku")?.to_owned(),
                platform: text("platform"),
                tenancy: text("tenancy"),
                unit: text("unit"),
            },
            account: text("account"),
            availability_zone: text("availability_zone"),
            pricing,
            tags: tags.collect(),
            billed_price: self.billed_price(record)?,
        })
    }

    fn billed_price(&self, record: &StringRecord) -> Result<Option<UnitPrice>> {
        let text = self.get(record, "billed_price");
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = || Problem::Value { value: text.to_owned(), expected: "a decimal number" };
        let price = text.parse().map_err(|_| Error::from(wrong()).in_field("billed_price"))?;
        Ok(Some(UnitPrice::new(price)))
    }
}

/// The rows read so far, by line.
#[derive(Default)]
struct Rows {
    /// Each line with its place in `curves`; its billed price is left out of the key.
    index: HashMap<UsageLine, usize>,
    lines: Vec<UsageLine>,
    /// For each line: hour -> (quantity, line of the file).
    curves: Vec<BTreeMap<Hour, (f64, u64)>>,
    weights: BTreeMap<Hour, f64>,
}

impl Rows {
    fn add(&mut self, columns: &Columns, record: &StringRecord, row: u64) -> Result<()> {
        let hour: Hour = columns.filled(record, "hour")?.parse().map_err(|error: Error| error.in_field("hour"))?;
        let quantity = columns.number(record, "quantity").map_err(|error| error.at_hour(hour))?;
        let line = columns.line(record)?;
        let weight = if columns.get(record, "weight").is_empty() { 1.0 } else { columns.number(record, "weight")? };
        if self.weights.insert(hour, weight).is_some_and(|before| before.to_bits() != weight.to_bits()) {
            let problem = Problem::Value { value: weight.to_string(), expected: "the weight that other rows of this hour have" };
            return Err(Error::from(problem).in_field("weight").at_hour(hour));
        }
        let billed_price = line.billed_price;
        let key = UsageLine { billed_price: None, ..line };
        let place = match self.index.get(&key) {
            Some(place) => *place,
            None => {
                self.index.insert(key.clone(), self.lines.len());
                self.lines.push(key);
                self.curves.push(BTreeMap::new());
                self.lines.len() - 1
            }
        };
        let known = self.lines[place].billed_price;
        // A price that changes within the file: the highest values unknown usage from above.
        self.lines[place].billed_price = known.max(billed_price);
        if let Some((_, first_line)) = self.curves[place].get(&hour) {
            let problem = Problem::RepeatedHour { first_line: *first_line };
            return Err(Error::from(problem).in_field("hour").in_item(self.lines[place].to_string()).at_hour(hour));
        }
        self.curves[place].insert(hour, (quantity, row));
        Ok(())
    }

    fn into_curves(self) -> Result<UsageCurves> {
        let (Some((&first, _)), Some((&last, _))) = (self.weights.first_key_value(), self.weights.last_key_value()) else {
            return Err(Problem::Empty { what: "row of usage" }.into());
        };
        let count = usize::try_from(last.since_epoch() - first.since_epoch()).unwrap_or(usize::MAX).saturating_add(1);
        for (line, curve) in self.lines.iter().zip(&self.curves) {
            check_complete(line, curve, first, last, count)?;
        }
        let mut quantity = Array2::zeros((count, self.lines.len()));
        for (column, curve) in self.curves.iter().enumerate() {
            for (row, (value, _)) in curve.values().enumerate() {
                quantity[(row, column)] = *value;
            }
        }
        let weights = self.weights.into_values().collect();
        UsageCurves::new(HourGrid { first, count }, self.lines, quantity)?.with_weights(weights)
    }
}

/// Every hour from the file's first to its last must be there: a hole may be missing data, and is never filled by guess.
fn check_complete(line: &UsageLine, curve: &BTreeMap<Hour, (f64, u64)>, first: Hour, last: Hour, count: usize) -> Result<()> {
    if curve.len() == count {
        return Ok(());
    }
    let mut expected = first;
    let mut row_before = 1;
    for (hour, (_, row)) in curve {
        if *hour != expected {
            break;
        }
        expected = expected.plus(1);
        row_before = *row;
    }
    let problem = Problem::MissingHours { missing: count.saturating_sub(curve.len()), first, last };
    Err(Error::from(problem).at_line(row_before).in_field("hour").in_item(line.to_string()).at_hour(expected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    const HEADER: &str = "hour,provider,service,region,sku,platform,tenancy,account,quantity\n";

    fn read(text: &str) -> Result<UsageCurves> {
        UsageCurves::from_reader(text.as_bytes())
    }

    fn row(hour: u32, quantity: &str) -> String {
        format!("2024-01-01T{hour:02}:00:00Z,aws,AmazonEC2,us-east-1,m5.large,Linux,shared,111,{quantity}\n")
    }

    #[test]
    fn rows_in_any_order_give_the_same_curves() {
        let ordered = read(&format!("{HEADER}{}{}{}", row(0, "1"), row(1, "2"), row(2, "0.25"))).unwrap();
        let shuffled = read(&format!("{HEADER}{}{}{}", row(2, "0.25"), row(0, "1"), row(1, "2"))).unwrap();
        assert_eq!(ordered, shuffled);
        assert_eq!(ordered.quantity().column(0).to_vec(), [1.0, 2.0, 0.25]);
    }

    #[test_case("", "line 1", "header")]
    #[test_case("hour,provider,service,region,sku\n", "field `quantity`", "`quantity` is missing")]
    #[test_case("hour,provider,service,region,sku,colour,quantity\n", "colour", "not known")]
    #[test_case(HEADER, "", "no row of usage")]
    #[test_case(&format!("{HEADER}{}{}", row(0, "1"), row(0, "1")), "line 3", "given twice")]
    #[test_case(&format!("{HEADER}{}{}", row(0, "1"), row(2, "1")), "2024-01-01T01:00:00Z", "1 hour(s)")]
    #[test_case(&format!("{HEADER}{}", row(0, "-1")), "field `quantity`", "negative")]
    #[test_case(&format!("{HEADER}{}", row(0, "NaN")), "field `quantity`", "not a finite number")]
    #[test_case(&format!("{HEADER}{}", row(0, "inf")), "line 2", "not a finite number")]
    #[test_case(&format!("{HEADER}{}", row(0, "many")), "line 2", "`many` is not a number")]
    #[test_case(&format!("{HEADER}{}", row(0, "")), "field `quantity`", "empty")]
    #[test_case(&format!("{HEADER}2024-01-01 00:00:00,aws,EC2,,a,b,c,d,1\n"), "field `hour`", "with its zone")]
    #[test_case(&format!("{HEADER}2024-01-01T00:00:00Z,ibm,EC2,,a,b,c,d,1\n"), "field `provider`", "aws, azure or gcp")]
    #[test_case(&format!("{HEADER}1,2\n"), "line 2", "shape of a usage file")]
    fn bad_files_name_place_and_problem(text: &str, place: &str, problem: &str) {
        let message = read(text).unwrap_err().to_string();
        assert!(message.contains(place) || text.is_empty(), "{message}");
        assert!(message.contains(problem), "{message}");
        assert!(message.contains("; "), "no remedy in {message}");
    }

    #[test]
    fn a_written_file_reads_back_the_same() {
        let text = "hour,provider,service,region,sku,account,pricing,tag:team,billed_price,weight,quantity\n\
            2024-01-01T00:00:00Z,gcp,Compute Engine,us-central1,N2 vCPU,p1,spot,\"a,b\",0.031611,2,0.016667\n\
            2024-01-01T01:00:00Z,gcp,Compute Engine,us-central1,N2 vCPU,p1,spot,\"a,b\",0.031611,1,1e-9\n\
            2024-01-01T00:00:00Z,gcp,Compute Engine,us-central1,N2 vCPU,p1,,,,2,3\n\
            2024-01-01T01:00:00Z,gcp,Compute Engine,us-central1,N2 vCPU,p1,,,,1,0\n";
        let curves = read(text).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for name in ["usage.csv", "usage.csv.gz"] {
            let path = folder.path().join(name);
            curves.write(&path).unwrap();
            assert_eq!(UsageCurves::read(&path).unwrap(), curves);
        }
        assert!((curves.total_hours() - 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_folder_and_an_absent_file_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let message = UsageCurves::read(folder.path()).unwrap_err().to_string();
        assert!(message.contains("is not a file"), "{message}");
        let message = UsageCurves::read(folder.path().join("absent.csv")).unwrap_err().to_string();
        assert!(message.contains("absent.csv"), "{message}");
        let empty = folder.path().join("empty.csv");
        std::fs::write(&empty, "").unwrap();
        let message = UsageCurves::read(&empty).unwrap_err().to_string();
        assert!(message.contains("empty.csv") && message.contains("empty"), "{message}");
    }
}
