//! The query behind the curves, for a warehouse: the same mapping and classes in the words of Athena, BigQuery, Snowflake or DuckDB, so that a
//! bill can be added up where it is.

use crate::columns::{Column, Kind};
use crate::curves;
use crate::error::{Error, Result};
use crate::format::Format;
use crate::mapping::Mapping;
use chrono_tz::Tz;
use covermix::time::Month;
use datafusion::arrow::datatypes::DataType;
use regex::Regex;
use std::str::FromStr;

/// A warehouse whose SQL can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Amazon Athena (Trino).
    Athena,
    /// Google BigQuery.
    BigQuery,
    /// Snowflake.
    Snowflake,
    /// DuckDB.
    DuckDb,
}

impl FromStr for Dialect {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.to_ascii_lowercase().as_str() {
            "athena" => Ok(Self::Athena),
            "bigquery" => Ok(Self::BigQuery),
            "snowflake" => Ok(Self::Snowflake),
            "duckdb" => Ok(Self::DuckDb),
            _ => Err(Error::Dialect { found: text.to_owned() }),
        }
    }
}

/// A column as a bill's first file has it: `None` if it lacks it.
pub(crate) type Located = (Column, Option<(String, DataType)>);

/// The query.
pub(crate) fn print(
    mapping: &Mapping,
    located: &[Located],
    months: &[Month],
    (table, zone): (&str, Tz),
    dialect: Dialect,
) -> Result<String> {
    if mapping.format == Format::GoogleBilling && dialect != Dialect::BigQuery {
        return Err(Error::Dialect { found: format!("{dialect:?} for a {}", mapping.format) });
    }
    let columns: Vec<String> = located
        .iter()
        .map(|(column, found)| format!("    {} AS {}", dialect.column(column, found.as_ref()), column.name))
        .collect();
    let united = format!("SELECT\n{},\n    0 AS file\n  FROM {table}", columns.join(",\n"));
    let sql = format!(
        "WITH united AS (\n  {united}\n), bill AS (\n  {}\n), charges AS (\n  {}\n)\n{}",
        mapping.bill("united", months, zone),
        mapping.charges("bill", 0),
        curves::query(mapping, "charges", 0)
    );
    dialect.translate(&sql)
}

impl Dialect {
    /// A column in the words of the warehouse.
    fn column(self, column: &Column, found: Option<&(String, DataType)>) -> String {
        let Some((header, data_type)) = found else {
            return match (column.kind, self) {
                (Kind::Text, _) => "''".into(),
                (Kind::Number, Self::BigQuery) => "CAST(NULL AS BIGNUMERIC)".into(),
                (Kind::Number, _) => "CAST(NULL AS DECIMAL(38, 15))".into(),
                (Kind::Time, Self::BigQuery) => "CAST(NULL AS INT64)".into(),
                (Kind::Time, _) => "CAST(NULL AS BIGINT)".into(),
            };
        };
        let name = self.identifier(header);
        if column.name == "credit_list" {
            return name;
        }
        let is_time = matches!(data_type, DataType::Timestamp(..));
        match (column.kind, self) {
            (Kind::Text, Self::BigQuery) => format!("COALESCE(CAST({name} AS STRING), '')"),
            (Kind::Text, _) => format!("COALESCE(CAST({name} AS VARCHAR), '')"),
            (Kind::Number, Self::Athena | Self::DuckDb) => format!("TRY_CAST({name} AS DECIMAL(38, 15))"),
            (Kind::Number, Self::BigQuery) => format!("SAFE_CAST({name} AS BIGNUMERIC)"),
            (Kind::Number, Self::Snowflake) => format!("TRY_TO_DECIMAL(TO_VARCHAR({name}), 38, 15)"),
            (Kind::Time, Self::Athena) if is_time => format!("CAST(to_unixtime({name}) AS BIGINT)"),
            (Kind::Time, Self::Athena) => format!("CAST(to_unixtime(from_iso8601_timestamp({name})) AS BIGINT)"),
            (Kind::Time, Self::BigQuery) => format!("UNIX_SECONDS(SAFE_CAST({name} AS TIMESTAMP))"),
            (Kind::Time, Self::Snowflake) => format!("DATE_PART(EPOCH_SECOND, TRY_TO_TIMESTAMP(TO_VARCHAR({name})))"),
            (Kind::Time, Self::DuckDb) => format!("CAST(epoch(TRY_CAST({name} AS TIMESTAMP)) AS BIGINT)"),
        }
    }

    /// A header as an identifier; `outer.key` of nested columns.
    fn identifier(self, header: &str) -> String {
        let quote = |part: &str| match self {
            Self::BigQuery => format!("`{}`", part.replace('`', "")),
            Self::Athena | Self::Snowflake | Self::DuckDb => format!("\"{}\"", part.replace('"', "\"\"")),
        };
        header.split('.').map(quote).collect::<Vec<_>>().join(".")
    }

    /// The functions and operators of the mappings in the words of the warehouse.
    fn translate(self, sql: &str) -> Result<String> {
        let matches = match self {
            Self::Athena => "regexp_like($1, $2)",
            Self::BigQuery => "REGEXP_CONTAINS($1, r$2)",
            Self::Snowflake => "(REGEXP_COUNT($1, $2) > 0)",
            Self::DuckDb => "regexp_matches($1, $2)",
        };
        let remainder = if self == Self::BigQuery { "MOD($1, $2)" } else { "$1 % $2" };
        let credits = "(SELECT COALESCE(SUM(CAST(c.amount AS BIGNUMERIC)), 0) FROM UNNEST($1) AS c \
             WHERE '$2' = '' OR c.type IN UNNEST(SPLIT('$2', '|')))";
        let month = "UNIX_SECONDS(TIMESTAMP(PARSE_DATE('%Y%m%d', $1), 'America/Los_Angeles'))";
        let decimal = if self == Self::BigQuery { "BIGNUMERIC" } else { "DECIMAL(38, 15)" };
        let product = format!("CAST(($1) * ($2) AS {decimal})");
        let quotient = format!("CAST(($1) / ($2) AS {decimal})");
        let rules: [(&str, &str); 7] = [
            (r"regexp_like\(((?:[^(),]|\([^()]*\))+), ('(?:[^']|'')*')\)", matches),
            (r"(\w+) % (\d+)", remainder),
            (r"credits_of\((\w+), '([^']*)'\)", credits),
            (r"seconds_of\((CONCAT\([^)]*\)), '[^']*', '[^']*'\)", month),
            (r"times\((\w+), (\w+)\)", &product),
            (r"over\((\w+), (\w+)\)", &quotient),
            (r"CAST\(NULL AS DECIMAL\(38, 15\)\)", if self == Self::BigQuery { "CAST(NULL AS BIGNUMERIC)" } else { "$0" }),
        ];
        let mut text = sql.to_owned();
        for (pattern, replacement) in rules {
            let pattern = Regex::new(pattern).map_err(|error| Error::Dialect { found: error.to_string() })?;
            text = pattern.replace_all(&text, replacement).into_owned();
        }
        Ok(text)
    }
}
