//! The hour that the end of daylight saving repeats. Times without a zone cannot tell its two instances apart: all their usage is in the
//! first, and none in the second. That is noted where it shows.

use crate::note::Note;
use chrono::{LocalResult, TimeZone};
use chrono_tz::Tz;
use covermix::usage::UsageCurves;

/// The seconds of an hour.
const HOUR: i64 = 3600;

/// Notes each repeated hour whose first instance has usage and whose second has none.
pub(crate) fn note(usage: &UsageCurves, zone: Tz, notes: &mut Vec<Note>) {
    if zone == Tz::UTC {
        return;
    }
    let grid = usage.grid();
    let has_usage = |index: usize| usage.quantity().row(index).iter().any(|quantity| *quantity != 0.0);
    for index in 0..grid.count.saturating_sub(1) {
        let hour = grid.hour(index);
        let Some(first) = chrono::DateTime::from_timestamp(hour.since_epoch() * HOUR, 0) else { continue };
        let local = first.with_timezone(&zone).naive_local();
        let LocalResult::Ambiguous(earlier, later) = zone.from_local_datetime(&local) else { continue };
        let is_by_an_hour = earlier.timestamp() == first.timestamp() && later.timestamp() == first.timestamp() + HOUR;
        if is_by_an_hour && has_usage(index) && !has_usage(index + 1) {
            notes.push(Note::RepeatedHour { hour, zone: zone.name() });
        }
    }
}
