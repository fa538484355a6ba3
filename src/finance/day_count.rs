//! Day counts: how many years lie between two dates. Spreadsheets use [`DayCount::Actual365Fixed`], which is the default here.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

/// A rule that turns two dates into a fraction of a year (ISDA 2006 definitions, section 4.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum DayCount {
    /// Days / 365, also in leap years: what spreadsheets' XIRR and XNPV do.
    #[default]
    #[serde(rename = "act/365f", alias = "act/365", alias = "actual/365", alias = "actual/365 fixed")]
    Actual365Fixed,
    /// Days / 360 (money market).
    #[serde(rename = "act/360", alias = "actual/360")]
    Actual360,
    /// Every month 30 days, a year 360: bond basis (day 31 becomes 30; the second only after a first of 30 or 31).
    #[serde(rename = "30/360", alias = "30/360-isda", alias = "30u/360")]
    Thirty360,
    /// Every month 30 days, a year 360: Eurobond basis (day 31 always becomes 30).
    #[serde(rename = "30e/360", alias = "30/360-european", alias = "30/360e")]
    Thirty360European,
    /// Days in leap years / 366 plus days in other years / 365.
    #[serde(rename = "act/act-isda", alias = "act/act", alias = "actual/actual", alias = "act/act isda")]
    ActualActualIsda,
}

impl DayCount {
    /// Years from `from` to `to`; negative when `to` is earlier.
    #[must_use]
    pub fn years(self, from: NaiveDate, to: NaiveDate) -> f64 {
        match self {
            Self::Actual365Fixed => days(from, to) / 365.0,
            Self::Actual360 => days(from, to) / 360.0,
            Self::Thirty360 | Self::Thirty360European => {
                if to < from {
                    -self.thirty(to, from)
                } else {
                    self.thirty(from, to)
                }
            }
            Self::ActualActualIsda => f64::from(to.year() - from.year()) + part_of_year(to) - part_of_year(from),
        }
    }

    fn thirty(self, from: NaiveDate, to: NaiveDate) -> f64 {
        let (mut first, mut second) = (day(from), day(to));
        first = first.min(30);
        if self == Self::Thirty360European || first == 30 {
            second = second.min(30);
        }
        let months = 12 * (to.year() - from.year()) + month(to) - month(from);
        f64::from(30 * months + second - first) / 360.0
    }
}

fn days(from: NaiveDate, to: NaiveDate) -> f64 {
    f64::from(to.num_days_from_ce() - from.num_days_from_ce())
}

fn day(date: NaiveDate) -> i32 {
    i32::try_from(date.day()).unwrap_or(0)
}

fn month(date: NaiveDate) -> i32 {
    i32::try_from(date.month()).unwrap_or(0)
}

fn part_of_year(date: NaiveDate) -> f64 {
    let length = if date.leap_year() { 366.0 } else { 365.0 };
    f64::from(date.ordinal0()) / length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
    }

    #[test]
    fn each_rule_counts_as_defined() {
        let (from, to) = (date(2007, 1, 31), date(2008, 3, 31));
        let close = |left: f64, right: f64| assert!((left - right).abs() < 1e-12, "{left} is not {right}");
        close(DayCount::Actual365Fixed.years(from, to), 425.0 / 365.0);
        close(DayCount::Actual360.years(from, to), 425.0 / 360.0);
        close(DayCount::Thirty360.years(from, to), 420.0 / 360.0);
        close(DayCount::Thirty360European.years(date(2007, 1, 15), to), 435.0 / 360.0);
        close(DayCount::Thirty360.years(date(2007, 1, 15), to), 436.0 / 360.0);
        close(DayCount::ActualActualIsda.years(from, to), 335.0 / 365.0 + 90.0 / 366.0);
        close(DayCount::ActualActualIsda.years(to, from), -335.0 / 365.0 - 90.0 / 366.0);
    }
}
