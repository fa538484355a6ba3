//! Columns by name, whatever the style of the header: `lineItem/UsageType`, `line_item_usage_type` and
//! `reservation_reservation_a_r_n` (for `reservation/ReservationARN`) are recognised by their letters and digits alone. A column becomes an SQL expression of
//! one type, whatever the file's: text, a decimal number, or seconds since 1970.

use datafusion::arrow::datatypes::{DataType, TimeUnit};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text; empty where absent.
    Text,
    /// `DECIMAL(38, 15)`; NULL where absent.
    Number,
    /// Whole seconds since 1970-01-01T00:00Z; NULL where absent.
    Time,
}

impl Kind {
    /// What a value must be, for people.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "a finite number",
            Self::Time => "a time such as 2018-10-01T00:00:00Z",
        }
    }
}

/// Whether a bill can be read without a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// It cannot.
    Required,
    /// It can; without it, this is the consequence.
    Optional(&'static str),
}

/// A column that a reader looks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// Its name in tables (Athena, Parquet), and in the queries.
    pub(crate) name: &'static str,
    /// Its name in CSV files.
    pub(crate) csv_name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) need: Need,
}

impl Column {
    /// Whether a header names this column.
    pub(crate) fn is_named(&self, header: &str) -> bool {
        letters(header).eq(letters(self.name)) || letters(header).eq(letters(self.csv_name))
    }

    /// Both spellings, for people.
    pub(crate) fn spellings(&self) -> String {
        format!("`{}` (or `{}`)", self.csv_name, self.name)
    }

    /// The SQL expression of the column, from the identifier and type it has in a file.
    pub(crate) fn expression(&self, found: Option<(&str, &DataType)>) -> String {
        match (self.kind, found) {
            (Kind::Text, None) => "''".into(),
            (Kind::Number, None) => "CAST(NULL AS DECIMAL(38, 15))".into(),
            (Kind::Time, None) => "CAST(NULL AS BIGINT)".into(),
            (Kind::Text, Some((identifier, _))) => format!("COALESCE(NULLIF(CAST({identifier} AS VARCHAR), '{NULL}'), '')"),
            (Kind::Number, Some((identifier, data_type))) => match data_type {
                // By way of its text, an f64 becomes the decimal it reads as. By way of DOUBLE, any text of a number is one.
                read if is_text(read) || read.is_floating() => {
                    let text = filled(identifier);
                    format!(
                        "COALESCE(TRY_CAST({text} AS DECIMAL(38, 15)), TRY_CAST(TRY_CAST({text} AS DOUBLE) AS DECIMAL(38, 15)))"
                    )
                }
                _ => format!("TRY_CAST({identifier} AS DECIMAL(38, 15))"),
            },
            (Kind::Time, Some((identifier, data_type))) => match data_type {
                DataType::Timestamp(unit, _) => format!("CAST({identifier} AS BIGINT) / {}", per_second(*unit)),
                text if is_text(text) => {
                    format!("CAST(TRY_CAST({} AS TIMESTAMP) AS BIGINT) / 1000000000", filled(identifier))
                }
                _ => format!("CAST(TRY_CAST({identifier} AS TIMESTAMP) AS BIGINT) / 1000000000"),
            },
        }
    }

    /// The SQL condition that a row has a value here that the expression cannot understand; NULL and empty text are no values.
    pub(crate) fn bad(&self, identifier: &str, data_type: &DataType) -> Option<String> {
        if self.kind == Kind::Text {
            return None;
        }
        let value = if is_text(data_type) { filled(identifier) } else { identifier.to_owned() };
        let is_absent = if self.need == Need::Required { "" } else { &format!("{value} IS NOT NULL AND ") };
        Some(format!("{is_absent}({}) IS NULL", self.expression(Some((identifier, data_type)))))
    }
}

/// Lower-case letters and digits of a header.
fn letters(header: &str) -> impl Iterator<Item = char> + '_ {
    header.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase())
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        other => matches!(other, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8),
    }
}

/// How Athena's text tables write NULL.
const NULL: &str = r"\N";

/// The text of a column, NULL if empty.
fn filled(identifier: &str) -> String {
    format!("NULLIF(NULLIF(TRIM(CAST({identifier} AS VARCHAR)), ''), '{NULL}')")
}

fn per_second(unit: TimeUnit) -> u64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: Column = Column {
        name: "reservation_reservation_a_r_n",
        csv_name: "reservation/ReservationARN",
        kind: Kind::Text,
        need: Need::Optional("none"),
    };

    #[test]
    fn headers_are_recognised_in_every_style() {
        for header in [
            "reservation/ReservationARN",
            "reservation_reservation_a_r_n",
            "reservation_reservation_arn",
            "\u{feff}reservation/ReservationARN",
        ] {
            assert!(ARN.is_named(header), "{header}");
        }
        assert!(!ARN.is_named("savings_plan_savings_plan_a_r_n"));
    }
}
