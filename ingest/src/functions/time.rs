//! Instants from the texts that exports use: with zone, without, with a fraction, with words, dates alone, and dates with slashes.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;

/// The zone that time zone database names are looked up for when they are known to be this.
const UTC: &str = "UTC";

/// Seconds since 1970 of a text; `None` if it is no time. `order` is `mdy` or `dmy`, of dates with slashes; `zone` is that of times that name none.
///
/// In the hour that daylight saving repeats the first one is meant; the hour that it leaves out is no time.
pub(super) fn seconds(text: &str, order: &str, zone: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.timestamp());
    }
    let (text, is_utc) = match text.strip_suffix(" UTC").or_else(|| text.strip_suffix('Z')) {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    if let Some(instant) = with_offset(text) {
        return Some(instant);
    }
    let local = local(text, order)?;
    if is_utc || zone == UTC {
        return Some(local.and_utc().timestamp());
    }
    let zone: Tz = zone.parse().ok()?;
    zone.from_local_datetime(&local).earliest().map(|instant| instant.timestamp())
}

/// `2024-09-04 05:00:00+00`, `2024-09-04T05:00:00-0700`, with or without seconds' fraction.
fn with_offset(text: &str) -> Option<i64> {
    ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z"]
        .iter()
        .find_map(|format| DateTime::parse_from_str(text, format).ok())
        .map(|instant| instant.timestamp())
}

fn local(text: &str, order: &str) -> Option<NaiveDateTime> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, time_of_day(time.trim())?),
        None => (text, (NaiveTime::MIN, 0)),
    };
    let (time, days) = time;
    let date = if date.contains('/') { slashed(date, order)? } else { dashed(date)? };
    date.and_time(time).checked_add_signed(Duration::days(days))
}

/// `2021-02-02` or `20210202`.
fn dashed(text: &str) -> Option<NaiveDate> {
    let format = if text.len() == 8 { "%Y%m%d" } else { "%Y-%m-%d" };
    NaiveDate::parse_from_str(text, format).ok().filter(|date| (1970..2200).contains(&chrono::Datelike::year(date)))
}

/// `09/22/2023`, `9/2/2023`, `22/09/2023`, `3/1/21`, `2023/09/22`.
fn slashed(text: &str, order: &str) -> Option<NaiveDate> {
    let parts: Vec<u32> = text.split('/').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [first, second, third] = parts.as_slice() else { return None };
    let (year, month, day) = match order {
        _ if *first >= 1970 => (*first, *second, *third),
        "dmy" => (*third, *second, *first),
        _ => (*third, *first, *second),
    };
    let year = if year < 100 { 2000 + year } else { year };
    (1970..2200).contains(&year).then(|| NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)).flatten()
}

/// The time, and 1 for the midnight that ends the day (`24:00:00`).
fn time_of_day(text: &str) -> Option<(NaiveTime, i64)> {
    if matches!(text, "24:00" | "24:00:00") {
        return Some((NaiveTime::MIN, 1));
    }
    ["%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p"]
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(text, format).ok())
        .map(|time| (time, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<i64> {
        seconds(text, "mdy", "UTC")
    }

    #[test]
    fn every_style_of_the_exports_is_read() {
        let expected = at("2018-10-01T00:00:00Z");
        assert_eq!(expected, Some(1_538_352_000));
        for text in [
            "2018-10-01T00:00:00.000Z",
            "2018-10-01 00:00:00",
            "2018-10-01 00:00:00 UTC",
            "2018-10-01 00:00:00.123 UTC",
            "2018-10-01",
            "20181001",
            "10/01/2018",
            "10/1/2018",
            "10/1/18",
            "2018/10/01",
            "10/1/2018 12:00 AM",
            "10/01/2018 00:00:00",
            "2018-10-01T02:00:00+02:00",
            "2018-09-30 17:00:00-0700",
            "2018-09-30 17:00:00-07",
            "2018-10-01T00:00Z",
            "2018-09-30T24:00:00Z",
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
        assert_eq!(seconds("01/10/2018", "dmy", "UTC"), expected);
        for text in
            ["yesterday", "", "2024-13-45T00:00:00Z", "2023-01-01T30:00:00Z", "22/09/2023", "1/2", "2018-10-01T", "0000-01-01"]
        {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn daylight_saving_is_followed() {
        let berlin = |text: &str| seconds(text, "mdy", "Europe/Berlin");
        assert_eq!(berlin("2024-07-01 02:00:00"), at("2024-07-01T00:00:00Z"));
        assert_eq!(berlin("2024-03-31 03:00:00"), at("2024-03-31T01:00:00Z"));
        // Left out in spring, repeated in autumn.
        assert_eq!(berlin("2024-03-31 02:30:00"), None);
        assert_eq!(berlin("2024-10-27 02:30:00"), at("2024-10-27T00:30:00Z"));
        assert_eq!(berlin("2024-10-27 02:30:00Z"), at("2024-10-27T02:30:00Z"));
        assert_eq!(seconds("2024-10-27 02:30:00", "mdy", "Mars/Olympus"), None);
    }
}
