//! Columns by name, whatever the style of the header: `lineItem/UsageType`, `line_item_usage_type` and
//! `reservation_reservation_a_r_n` (for `reservation/ReservationARN`) are recognised by their letters and digits alone, localised headers by the
//! English name in their brackets. A column becomes an SQL expression of one type, whatever the file's: text, a decimal number, or
//! seconds since 1970.

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
    /// The engine's type of it.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8View,
            Self::Number => DataType::Decimal128(38, 15),
            Self::Time => DataType::Int64,
        }
    }

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
    /// It cannot, but values may be absent.
    RequiredColumn,
    /// It can; without it, this is the consequence.
    Optional(&'static str),
    /// It can, and few files have it: its absence is not worth a note.
    Rare,
}

/// A column that a reader looks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// Its name in the queries.
    pub(crate) name: &'static str,
    /// Its names in files, the most usual first. The name in queries is one too.
    pub(crate) headers: &'static [&'static str],
    /// Where else it may be: a key of the JSON object or map in another column.
    pub(crate) inside: &'static [(&'static str, &'static str)],
    pub(crate) kind: Kind,
    pub(crate) need: Need,
}

/// A column that must be there.
pub(crate) const fn required(name: &'static str, headers: &'static [&'static str], kind: Kind) -> Column {
    Column { name, headers, inside: &[], kind, need: Need::Required }
}

/// A column that must be there, whose values may be absent.
pub(crate) const fn required_column(name: &'static str, headers: &'static [&'static str], kind: Kind) -> Column {
    Column { name, headers, inside: &[], kind, need: Need::RequiredColumn }
}

/// A column that may be absent, with this consequence.
pub(crate) const fn optional(
    name: &'static str,
    headers: &'static [&'static str],
    kind: Kind,
    consequence: &'static str,
) -> Column {
    Column { name, headers, inside: &[], kind, need: Need::Optional(consequence) }
}

/// A column that is absent more often than not.
pub(crate) const fn rare(name: &'static str, headers: &'static [&'static str], kind: Kind) -> Column {
    Column { name, headers, inside: &[], kind, need: Need::Rare }
}

/// How the texts of a file are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// The zone of times that name none, as the time zone database calls it.
    pub(crate) zone: &'static str,
    /// The order of day and month in dates with slashes.
    pub(crate) dates: DateStyle,
}

/// The order of day and month in dates with slashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DateStyle {
    /// `09/22/2023`.
    #[default]
    MonthFirst,
    /// `22/09/2023`.
    DayFirst,
}

impl DateStyle {
    /// Its name in SQL.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::MonthFirst => "mdy",
            Self::DayFirst => "dmy",
        }
    }
}

impl Default for Style {
    fn default() -> Self {
        Self { zone: "UTC", dates: DateStyle::MonthFirst }
    }
}

impl Column {
    /// The same column, which may also be a key of a JSON object or map in another column.
    pub(crate) const fn within(self, inside: &'static [(&'static str, &'static str)]) -> Self {
        Self { inside, ..self }
    }

    /// Its most usual name in files.
    pub(crate) fn header(&self) -> &'static str {
        self.headers.first().copied().unwrap_or(self.name)
    }

    /// All its names, the most usual in files first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.headers.iter().copied().chain([self.name])
    }

    /// Whether a header names this column.
    pub(crate) fn is_named(&self, header: &str) -> bool {
        self.names().any(|name| is_same(header, name))
    }

    /// All spellings, for people.
    pub(crate) fn spellings(&self) -> String {
        let mut others: Vec<String> = self.headers.iter().skip(1).map(|name| format!("`{name}`")).collect();
        if !self.headers.iter().any(|name| is_same(name, self.name) && name.contains(['_', '.'])) {
            others.push(format!("`{}`", self.name));
        }
        others.extend(self.inside.iter().map(|(column, key)| format!("`{key}` in `{column}`")));
        format!("`{}` (or {})", self.header(), others.join(", "))
    }

    /// The SQL expression of the column, from the identifier and type it has in a file.
    pub(crate) fn expression(&self, found: Option<(&str, &DataType)>, style: Style) -> String {
        match (self.kind, found) {
            (Kind::Text, None) => "''".into(),
            (Kind::Number, None) => "CAST(NULL AS DECIMAL(38, 15))".into(),
            (Kind::Time, None) => "CAST(NULL AS BIGINT)".into(),
            (Kind::Text, Some((identifier, data_type))) if is_text(data_type) => format!("text_of({identifier})"),
            (Kind::Text, Some((identifier, _))) => format!("text_of(CAST({identifier} AS VARCHAR))"),
            (Kind::Number, Some((identifier, data_type))) => match data_type {
                read if is_text(read) => format!("number_of({identifier})"),
                // An f64 becomes the decimal it reads as.
                DataType::Float64 => format!("exact_decimal({identifier})"),
                DataType::Float16 | DataType::Float32 => format!("number_of(CAST({identifier} AS VARCHAR))"),
                _ => format!("TRY_CAST({identifier} AS DECIMAL(38, 15))"),
            },
            (Kind::Time, Some((identifier, data_type))) => match data_type {
                DataType::Timestamp(unit, _) => format!("CAST({identifier} AS BIGINT) / {}", per_second(*unit)),
                text if is_text(text) => format!("seconds_of({identifier}, '{}', '{}')", style.dates.as_str(), style.zone),
                _ => format!("seconds_of(CAST({identifier} AS VARCHAR), '{}', '{}')", style.dates.as_str(), style.zone),
            },
        }
    }

    /// The SQL condition that a row has a value here that the expression cannot understand; NULL and empty text are no values.
    pub(crate) fn bad(&self, identifier: &str, data_type: &DataType, style: Style) -> Option<String> {
        if self.kind == Kind::Text {
            return None;
        }
        let expression = self.expression(Some((identifier, data_type)), style);
        if self.need == Need::Required {
            return Some(format!("({expression}) IS NULL"));
        }
        let present = match data_type {
            text if is_text(text) => format!("text_of({identifier}) <> ''"),
            // Only text can hold what is no number or time.
            DataType::Float64 | DataType::Float32 | DataType::Float16 => format!("{identifier} IS NOT NULL"),
            _ => return None,
        };
        Some(format!("({expression}) IS NULL AND {present}"))
    }
}

/// Whether two headers are one: by letters and digits, or one has the other in brackets at its end (`Kosten (PreTaxCost)`).
pub(crate) fn is_same(header: &str, name: &str) -> bool {
    let english = header.trim_end().strip_suffix(')').and_then(|text| text.rsplit_once('(')).map(|(_, english)| english);
    letters(header).eq(letters(name)) || english.is_some_and(|english| letters(english).eq(letters(name)))
}

/// Lower-case letters and digits of a header.
fn letters(header: &str) -> impl Iterator<Item = char> + '_ {
    header.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase())
}

/// Whether a type is text of any layout.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        other => matches!(other, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8),
    }
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

    const ARN: Column = optional("reservation_reservation_a_r_n", &["reservation/ReservationARN"], Kind::Text, "none")
        .within(&[("details", "arn")]);

    #[test]
    fn headers_are_recognised_in_every_style() {
        for header in [
            "reservation/ReservationARN",
            "reservation_reservation_a_r_n",
            "reservation_reservation_arn",
            "\u{feff}reservation/ReservationARN",
            "Kennung der Reservierung (reservation/ReservationARN)",
        ] {
            assert!(ARN.is_named(header), "{header}");
        }
        assert!(!ARN.is_named("savings_plan_savings_plan_a_r_n"));
        assert!(!ARN.is_named("(empty)") && !ARN.is_named(")"));
    }

    #[test]
    fn people_are_told_every_spelling() {
        assert_eq!(ARN.spellings(), "`reservation/ReservationARN` (or `reservation_reservation_a_r_n`, `arn` in `details`)");
    }
}
