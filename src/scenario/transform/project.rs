//! Measured usage carried to other hours by the calendar.

use crate::error::{Error, Problem, Result};
use crate::time::{Hour, HourGrid};
use crate::usage::UsageCurves;
use chrono::{Datelike, Duration, NaiveDate};
use ndarray::{Array1, Array2};

/// Hours in a week.
const WEEK: i64 = 168;

/// Repeats usage over a horizon. An hour that was measured is itself. Any other takes the same hour of the same weekday nearest to the same
/// day of the latest earlier year that was measured (29 February takes 28 February); where no year reaches back far enough, of the latest
/// week. Months and weekdays thus stay aligned over leap years.
///
/// # Errors
/// [`Problem::Empty`] for a horizon without hours, [`Problem::OutOfRange`] for less than a week of usage, or hours before it.
pub fn repeat(usage: &UsageCurves, horizon: HourGrid) -> Result<UsageCurves> {
    if horizon.count == 0 {
        return Err(Error::from(Problem::Empty { what: "horizon" }).in_field("horizon"));
    }
    let grid = usage.grid();
    let beyond = |hour: Hour| grid.index(hour).is_none();
    if grid.count < 168 && (beyond(horizon.first) || beyond(horizon.hour(horizon.count - 1))) {
        let problem = Problem::OutOfRange { value: format!("{} hours of usage", grid.count), range: "a week of usage or more" };
        return Err(Error::from(problem).in_field("horizon"));
    }
    if horizon.first < grid.first {
        let problem = Problem::OutOfRange { value: horizon.first.to_string(), range: "hours from the first one measured on" };
        return Err(Error::from(problem).in_field("horizon.start"));
    }
    let sources: Vec<usize> = horizon.hours().map(|hour| source(grid, hour)).collect();
    let width = usage.lines().len();
    let mut quantity = Array2::zeros((horizon.count, width));
    for (row, from) in sources.iter().enumerate() {
        quantity.row_mut(row).assign(&usage.quantity().row(*from));
    }
    let weights: Array1<f64> = sources.iter().map(|from| usage.weights()[*from]).collect();
    UsageCurves::new(horizon, usage.lines().to_vec(), quantity)?.with_weights(weights)
}

/// The index of the measured hour that an hour repeats; the grid has a week at least and does not start later.
fn source(grid: HourGrid, hour: Hour) -> usize {
    if let Some(index) = grid.index(hour) {
        return index;
    }
    let date = hour.start().date_naive();
    let oldest = grid.first.start().year();
    for year in (oldest..date.year()).rev() {
        let day =
            NaiveDate::from_ymd_opt(year, date.month(), date.day()).or_else(|| NaiveDate::from_ymd_opt(year, date.month(), 28));
        let Some(day) = day else { continue };
        let apart = i64::from(date.weekday().num_days_from_monday()) - i64::from(day.weekday().num_days_from_monday());
        let nearest = (apart + 3).rem_euclid(7) - 3;
        let Some(day) = day.checked_add_signed(Duration::days(nearest)) else { continue };
        let back = (date - day).num_days() * 24;
        if let Some(index) = grid.index(hour.plus(-back)) {
            return index;
        }
    }
    let last = grid.hour(grid.count - 1);
    let weeks = (hour.since_epoch() - last.since_epoch() + WEEK - 1).div_euclid(WEEK);
    grid.index(hour.plus(-weeks * WEEK)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Timelike;

    #[test]
    fn weekday_hour_and_season_stay_aligned_over_leap_years() {
        let first: Hour = "2023-01-01T00:00:00Z".parse().unwrap();
        let grid = HourGrid { first, count: 8760 };
        for offset in 0..(3 * 8784) {
            let hour = first.plus(8760 + offset);
            let from = grid.hour(source(grid, hour)).start();
            assert_eq!((from.weekday(), from.hour()), (hour.start().weekday(), hour.start().hour()), "{hour}");
            let aside = (i64::from(from.ordinal()) - i64::from(hour.start().ordinal())).abs();
            assert!(aside.min(365 - aside) <= 11, "{hour} takes {from}");
        }
    }

    #[test]
    fn less_than_a_year_repeats_the_latest_week() {
        let first: Hour = "2024-01-01T00:00:00Z".parse().unwrap();
        let grid = HourGrid { first, count: 400 };
        assert_eq!(source(grid, first.plus(400)), 232);
        assert_eq!(source(grid, first.plus(400 + 168)), 232);
        assert_eq!(source(grid, first.plus(399)), 399);
    }
}
