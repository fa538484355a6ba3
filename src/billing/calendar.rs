//! Billing days and months by provider: UTC for AWS and Azure, US Pacific time for Google Cloud.

use super::gcp::calendar as pacific;
use crate::time::{Hour, HourGrid, Month};
use crate::usage::Provider;
use chrono::NaiveDate;

/// The billing month that an hour lies in.
pub(crate) fn month(provider: Provider, hour: Hour) -> Month {
    match provider {
        Provider::Aws | Provider::Azure => hour.month(),
        Provider::Gcp => pacific::month(hour),
    }
}

/// The billing day that an hour lies in.
pub(crate) fn day(provider: Provider, hour: Hour) -> NaiveDate {
    match provider {
        Provider::Aws | Provider::Azure => hour.start().date_naive(),
        Provider::Gcp => pacific::day(hour),
    }
}

/// The indices of the hours at which a billing month starts, of Pacific months too where they matter.
pub(crate) fn month_cuts(grid: HourGrid, is_pacific: bool) -> Vec<usize> {
    let mut cuts = Vec::new();
    let mut month = Month::containing(grid.first.start());
    while month.start() < grid.hour(grid.count).start() {
        cuts.extend(grid.index(Hour::containing(month.start())));
        if is_pacific {
            cuts.extend(grid.index(Hour::containing(pacific::midnight(month.start().date_naive()))));
        }
        month = month.next();
    }
    cuts
}

/// The indices of the hours at which a billing day starts.
pub(crate) fn day_cuts(grid: HourGrid, is_pacific: bool) -> Vec<usize> {
    let starts = |provider: Provider| {
        (1..grid.count).filter(move |index| day(provider, grid.hour(*index)) != day(provider, grid.hour(*index - 1)))
    };
    let mut cuts: Vec<usize> = starts(Provider::Aws).collect();
    if is_pacific {
        cuts.extend(starts(Provider::Gcp));
        cuts.sort_unstable();
        cuts.dedup();
    }
    cuts
}
