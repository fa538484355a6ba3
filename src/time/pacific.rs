//! Google's billing calendar: days and months in US Pacific time, with daylight saving, and when commitments start.
//!
//! From "Cloud Billing reports" (billing days and months are US and Canadian Pacific time), "Spend-based committed use discounts" (start
//! of a purchase) and "Merge and split commitments" (active at 12 AM Pacific of the next day).

use crate::time::{Hour, Month};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone, Timelike, Utc};
use chrono_tz::America::Los_Angeles;

/// The billing day that an hour lies in.
#[must_use]
pub fn day(hour: Hour) -> NaiveDate {
    hour.start().with_timezone(&Los_Angeles).date_naive()
}

/// The billing month that an hour lies in.
#[must_use]
pub fn month(hour: Hour) -> Month {
    let day = day(hour);
    Month::containing(day.and_time(NaiveTime::MIN).and_utc())
}

/// How many hours a billing month has: 743 and 721 where clocks change in March and November.
#[must_use]
pub fn hours_in(month: Month) -> i64 {
    let first = |month: Month| midnight(month.start().date_naive());
    (first(month.next()) - first(month)).num_hours()
}

/// The start of a billing day: 12 AM Pacific.
#[must_use]
pub fn midnight(day: NaiveDate) -> DateTime<Utc> {
    let local = day.and_time(NaiveTime::MIN);
    // Pacific clocks change at 2 AM, so midnight is always one instant.
    Los_Angeles.from_local_datetime(&local).earliest().map_or_else(|| local.and_utc(), |start| start.with_timezone(&Utc))
}

/// When a spend-based commitment bought at this instant starts: at the next full hour if bought up to minute 49, an hour later from
/// minute 50 on.
#[must_use]
pub fn spend_commitment_start(bought: DateTime<Utc>) -> DateTime<Utc> {
    let later = if bought.minute() <= 49 { 1 } else { 2 };
    Hour::containing(bought).plus(later).start()
}

/// When a resource-based commitment bought (or merged, or split) at this instant starts: at 12 AM Pacific of the next day.
#[must_use]
pub fn resource_commitment_start(bought: DateTime<Utc>) -> DateTime<Utc> {
    let today = bought.with_timezone(&Los_Angeles).date_naive();
    let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
    midnight(tomorrow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test_case("2026-03-01T16:49:59Z", "2026-03-01T17:00:00Z")]
    #[test_case("2026-03-01T16:50:00Z", "2026-03-01T18:00:00Z")]
    #[test_case("2026-03-01T16:00:00Z", "2026-03-01T17:00:00Z")]
    #[test_case("2026-12-31T23:51:00Z", "2027-01-01T01:00:00Z")]
    fn spend_commitments_start_at_a_full_hour(bought: &str, start: &str) {
        assert_eq!(spend_commitment_start(at(bought)), at(start));
    }

    #[test_case("2026-01-10T07:59:00Z", "2026-01-10T08:00:00Z")]
    #[test_case("2026-01-10T08:00:00Z", "2026-01-11T08:00:00Z")]
    #[test_case("2026-03-07T20:00:00Z", "2026-03-08T08:00:00Z")]
    #[test_case("2026-03-08T20:00:00Z", "2026-03-09T07:00:00Z")]
    fn resource_commitments_start_at_pacific_midnight(bought: &str, start: &str) {
        assert_eq!(resource_commitment_start(at(bought)), at(start));
    }

    #[test_case("2026-03-01T08:00:00Z", "2026-03", 743)]
    #[test_case("2026-03-01T07:00:00Z", "2026-02", 672)]
    #[test_case("2026-11-01T07:00:00Z", "2026-11", 721)]
    #[test_case("2026-11-01T06:00:00Z", "2026-10", 744)]
    fn months_are_pacific_with_daylight_saving(hour: &str, name: &str, hours: i64) {
        let found = month(Hour::containing(at(hour)));
        assert_eq!((found.to_string().as_str(), hours_in(found)), (name, hours));
    }
}
