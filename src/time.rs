//! Hours, months and terms. All hours are UTC clock hours counted from 1970-01-01T00:00Z; a term is what the provider says
//! it is: AWS sells a number of days (365 or 1,095, whatever the calendar), Azure and Google sell calendar months.

pub mod pacific;

use crate::error::{Problem, Result};
use chrono::{DateTime, Datelike, Duration, Months, NaiveDate, SecondsFormat, Timelike, Utc};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// One clock hour, UTC: `Hour(0)` starts at 1970-01-01T00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(i64);

impl Hour {
    /// The hour with this many hours since 1970-01-01T00:00Z.
    #[must_use]
    pub const fn from_epoch(hours: i64) -> Self {
        Self(hours)
    }

    /// The clock hour that an instant lies in.
    #[must_use]
    pub fn containing(instant: DateTime<Utc>) -> Self {
        Self(instant.timestamp().div_euclid(3600))
    }

    /// Hours since 1970-01-01T00:00Z.
    #[must_use]
    pub const fn since_epoch(self) -> i64 {
        self.0
    }

    /// The instant at which the hour starts.
    #[must_use]
    pub fn start(self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0.saturating_mul(3600), 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// The hour that many hours later (earlier, if negative).
    #[must_use]
    pub const fn plus(self, hours: i64) -> Self {
        Self(self.0.saturating_add(hours))
    }

    /// The UTC calendar month that the hour lies in.
    #[must_use]
    pub fn month(self) -> Month {
        let start = self.start();
        Month { year: start.year(), month: start.month() }
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.start().to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl FromStr for Hour {
    type Err = crate::Error;

    /// Reads an RFC 3339 instant with its zone, such as `2024-01-01T00:00:00Z`, that is the start of a UTC clock hour.
    ///
    /// # Errors
    /// [`Problem::Value`] if it is not, or lacks a zone.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Problem::Value {
            value: text.to_owned(),
            expected: "the start of an hour with its zone, such as 2024-01-01T00:00:00Z",
        };
        let instant = DateTime::parse_from_rfc3339(text.trim()).map_err(|error| crate::Error::from(wrong()).caused_by(error))?;
        let instant = instant.with_timezone(&Utc);
        if instant.minute() != 0 || instant.second() != 0 || instant.nanosecond() != 0 {
            return Err(wrong().into());
        }
        Ok(Self::containing(instant))
    }
}

/// A row of consecutive clock hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourGrid {
    /// The first hour.
    pub first: Hour,
    /// How many hours.
    pub count: usize,
}

impl HourGrid {
    /// The hour at an index; 0 is the first.
    #[must_use]
    pub fn hour(&self, index: usize) -> Hour {
        self.first.plus(i64::try_from(index).unwrap_or(i64::MAX))
    }

    /// The index of an hour, if it is in the grid.
    #[must_use]
    pub fn index(&self, hour: Hour) -> Option<usize> {
        usize::try_from(hour.0 - self.first.0).ok().filter(|index| *index < self.count)
    }

    /// The hours in order.
    pub fn hours(&self) -> impl ExactSizeIterator<Item = Hour> + '_ {
        (0..self.count).map(|index| self.hour(index))
    }

    /// The indices of the hours whose start lies in `[from, until)`, cut to the grid: a commitment serves the hour that
    /// contains its start in full and the hour that contains its end not at all (AWS leaves this open; see
    /// `docs/formulation.md`).
    #[must_use]
    pub fn span(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> std::ops::Range<usize> {
        let clamp = |hour: i64| usize::try_from((hour - self.first.0).max(0)).unwrap_or(usize::MAX).min(self.count);
        let (first, end) = (clamp(Hour::containing(from).0), clamp(Hour::containing(until).0));
        first..end.max(first)
    }
}

/// A calendar month, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// The month that an instant lies in.
    #[must_use]
    pub fn containing(instant: DateTime<Utc>) -> Self {
        Self { year: instant.year(), month: instant.month() }
    }

    /// Its first instant.
    #[must_use]
    pub fn start(self) -> DateTime<Utc> {
        NaiveDate::from_ymd_opt(self.year, self.month, 1)
            .and_then(|day| day.and_hms_opt(0, 0, 0))
            .map_or(DateTime::<Utc>::MAX_UTC, |start| start.and_utc())
    }

    /// The month after it.
    #[must_use]
    pub fn next(self) -> Self {
        if self.month == 12 { Self { year: self.year + 1, month: 1 } } else { Self { year: self.year, month: self.month + 1 } }
    }

    /// How many hours it has.
    #[must_use]
    pub fn hours(self) -> u32 {
        u32::try_from((self.next().start() - self.start()).num_hours()).unwrap_or(0)
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// How long a commitment runs, in the provider's own definition; an ISO 8601 duration in files (`P365D`, `P1Y`, `P1M`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Term {
    /// A number of days of 24 hours. AWS: 365 (31,536,000 seconds) or 1,095, so that a term over a leap day ends a day
    /// before the anniversary.
    Days(u32),
    /// Calendar months, to the same day of a later month (or that month's last). Azure, Google Cloud.
    Months(u32),
}

impl Term {
    /// One AWS year: 365 days.
    pub const AWS_ONE_YEAR: Self = Self::Days(365);
    /// Three AWS years: 1,095 days.
    pub const AWS_THREE_YEARS: Self = Self::Days(1095);

    /// When a commitment that starts at an instant ends.
    #[must_use]
    pub fn end(self, start: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Days(days) => start.checked_add_signed(Duration::days(i64::from(days))),
            Self::Months(months) => start.checked_add_months(Months::new(months)),
        }
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// The hours that price lists count a term as: 8,760 a year (Azure and Google prices too, leap year or not), 730 a month.
    #[must_use]
    pub fn list_hours(self) -> Decimal {
        match self {
            Self::Days(days) => Decimal::from(24 * u64::from(days)),
            Self::Months(months) => Decimal::from(730 * u64::from(months)),
        }
    }

    /// The term in months, for people and for policy rules: 365 days are 12.
    #[must_use]
    pub fn nominal_months(self) -> u32 {
        match self {
            Self::Days(days) => (days * 12 + 182).div_euclid(365),
            Self::Months(months) => months,
        }
    }
}

impl fmt::Display for Term {
    /// As people say it: `1 year`, `3 years`, `1 month`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let months = self.nominal_months();
        let (count, word) = if months.is_multiple_of(12) { (months.div_euclid(12), "year") } else { (months, "month") };
        write!(f, "{count} {word}{}", if count == 1 { "" } else { "s" })
    }
}

impl FromStr for Term {
    type Err = crate::Error;

    /// # Errors
    /// [`Problem::Value`] for anything but `PnD`, `PnM` or `PnY` with n above 0.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Problem::Value { value: text.to_owned(), expected: "a term such as P365D, P1M or P3Y" };
        let body = text.strip_prefix('P').ok_or_else(wrong)?;
        let unit = body.chars().last().ok_or_else(wrong)?;
        let count: u32 =
            body.strip_suffix(unit).and_then(|count| count.parse().ok()).filter(|count| *count > 0).ok_or_else(wrong)?;
        match unit {
            'D' if count <= 36_500 => Ok(Self::Days(count)),
            'M' if count <= 1_200 => Ok(Self::Months(count)),
            'Y' if count <= 100 => Ok(Self::Months(12 * count)),
            _ => Err(wrong().into()),
        }
    }
}

impl Serialize for Term {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Days(days) => serializer.collect_str(&format_args!("P{days}D")),
            Self::Months(months) if months.is_multiple_of(12) => {
                serializer.collect_str(&format_args!("P{}Y", months.div_euclid(12)))
            }
            Self::Months(months) => serializer.collect_str(&format_args!("P{months}M")),
        }
    }
}

impl<'de> Deserialize<'de> for Term {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Term {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Term".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^P[1-9][0-9]*[DMY]$",
            "description": "how long the commitment runs, an ISO 8601 duration: P365D and P1095D (AWS), P1Y, P3Y, P1M (Azure, Google)"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test_case("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z")]
    #[test_case("2024-01-01T01:00:00+01:00", "2024-01-01T00:00:00Z")]
    #[test_case(" 1969-12-31T23:00:00Z ", "1969-12-31T23:00:00Z")]
    fn hours_are_read_with_their_zone(text: &str, expected: &str) {
        assert_eq!(text.parse::<Hour>().unwrap().to_string(), expected);
    }

    #[test_case("2024-01-01 00:00:00")]
    #[test_case("2024-01-01T00:30:00Z")]
    #[test_case("2024-01-01T00:00:00+05:30")]
    #[test_case("yesterday")]
    #[test_case("")]
    fn a_text_that_is_no_hour_start_is_refused(text: &str) {
        assert!(text.parse::<Hour>().is_err());
    }

    #[test]
    fn an_aws_term_over_a_leap_day_ends_a_day_early() {
        let start = at("2024-01-15T08:00:00Z");
        assert_eq!(Term::AWS_ONE_YEAR.end(start), at("2025-01-14T08:00:00Z"));
        assert_eq!(Term::Months(12).end(start), at("2025-01-15T08:00:00Z"));
        assert_eq!(Term::Months(1).end(at("2024-01-31T00:00:00Z")), at("2024-02-29T00:00:00Z"));
    }

    #[test_case("P365D", Term::Days(365), "1 year")]
    #[test_case("P1095D", Term::Days(1095), "3 years")]
    #[test_case("P3Y", Term::Months(36), "3 years")]
    #[test_case("P1M", Term::Months(1), "1 month")]
    fn terms_are_iso_durations(text: &str, term: Term, words: &str) {
        assert_eq!(text.parse::<Term>().unwrap(), term);
        assert_eq!(term.to_string(), words);
        assert_eq!(serde_json::to_value(term).unwrap(), text);
    }

    #[test_case("P0Y")]
    #[test_case("1Y")]
    #[test_case("P1W")]
    #[test_case("P-1Y")]
    #[test_case("PÄ"; "no ASCII")]
    #[test_case("P99999999999D")]
    fn other_terms_are_refused(text: &str) {
        assert!(text.parse::<Term>().is_err());
    }

    #[test]
    fn a_span_is_cut_to_the_grid() {
        let grid = HourGrid { first: Hour::containing(at("2018-10-01T00:00:00Z")), count: 744 };
        assert_eq!(grid.span(at("2018-10-09T21:40:47Z"), at("2019-10-09T21:40:46Z")), 213..744);
        assert_eq!(grid.span(at("2017-01-01T00:00:00Z"), at("2018-10-01T05:59:59Z")), 0..5);
        assert_eq!(grid.span(at("2019-01-01T00:00:00Z"), at("2020-01-01T00:00:00Z")), 744..744);
    }

    #[test]
    fn months_know_their_hours() {
        let february = Month::containing(at("2024-02-10T00:00:00Z"));
        assert_eq!((february.hours(), february.to_string()), (696, "2024-02".to_owned()));
        assert_eq!(Month::containing(at("2024-12-31T23:00:00Z")).next().to_string(), "2025-01");
    }
}
