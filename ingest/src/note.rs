//! What a reader of a bill should know, and that is no error.

use covermix::time::{Hour, Month};
use covermix::units::Money;
use std::fmt;
use std::path::PathBuf;

/// Something about a bill that its reader should know, and that is no error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// An optional column is absent.
    MissingColumn {
        /// The file.
        file: PathBuf,
        /// The column, as it is spelled most often.
        column: &'static str,
        /// What follows from its absence.
        consequence: &'static str,
    },
    /// Usage ends before the last month does: the hours after it hold 0, which may mean that the month is not over.
    EndsEarly {
        /// The last hour with usage.
        last: Hour,
        /// The month.
        month: Month,
    },
    /// The on-demand price on the bill changed within the time read; the line keeps the highest.
    PriceChanged {
        /// The usage line.
        line: String,
    },
    /// A commitment's attribute that the bill does not state was inferred.
    Inferred {
        /// The commitment's identifier.
        commitment: String,
        /// What was inferred, and from what.
        what: String,
    },
    /// A commitment's fee is on the bill, but the commitment cannot be part of the portfolio.
    LeftOut {
        /// The commitment's identifier.
        commitment: String,
        /// Why.
        why: String,
    },
    /// Dates whose day and month could be either; the month is taken to come first.
    AmbiguousDates {
        /// The file.
        file: PathBuf,
        /// The column.
        column: &'static str,
    },
    /// Rows for usage of months that the bill is not of; they are set aside.
    LateRows {
        /// How many.
        rows: u64,
        /// Their cost.
        cost: Money,
    },
    /// Rows that look alike in all that tells rows apart, without an identifier that would prove them one: none is left out.
    AlikeRows {
        /// How many more there are than different ones.
        rows: u64,
    },
    /// Rows given twice were looked for in a part of the rows.
    SampledDuplicates {
        /// One row in so many.
        one_in: u64,
    },
    /// Usage rows of more than an hour were spread evenly.
    Spread {
        /// How many.
        rows: u64,
    },
    /// Usage rows of an hour or less that begin in one clock hour and end in the next were divided by seconds.
    AcrossHours {
        /// How many.
        rows: u64,
    },
    /// All usage of an hour that the clock repeated is in its first instance: times without zone do not tell which was meant.
    RepeatedHour {
        /// The first instance; the second holds nothing.
        hour: Hour,
        /// The zone of the times.
        zone: &'static str,
    },
    /// The money of a bill in a FOCUS version's way of putting it.
    Version {
        /// The version, by its columns.
        version: &'static str,
    },
    /// A view that the rows tell of.
    View {
        /// In words.
        view: &'static str,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingColumn { file, column, consequence } => {
                write!(f, "{}: no column `{column}`: {consequence}", file.display())
            }
            Self::EndsEarly { last, month } => {
                write!(f, "usage ends in the hour {last}; the rest of {month} counts as without usage")
            }
            Self::PriceChanged { line } => write!(f, "{line}: the on-demand price on the bill changed; the highest is kept"),
            Self::Inferred { commitment, what } => write!(f, "{commitment}: {what}"),
            Self::LeftOut { commitment, why } => write!(f, "{commitment}: not in the portfolio: {why}"),
            Self::AmbiguousDates { file, column } => {
                write!(
                    f,
                    "{}, field `{column}`: every date could have day or month first; the month is taken to come first",
                    file.display()
                )
            }
            Self::LateRows { rows, cost } => {
                write!(
                    f,
                    "{rows} row(s) of {:.2} are for usage of months that the bill is not of; they are set aside",
                    cost.value()
                )
            }
            Self::AlikeRows { rows } => {
                write!(f, "{rows} row(s) look like another in all that tells rows apart; none is left out")
            }
            Self::SampledDuplicates { one_in } => write!(f, "rows given twice were looked for in one row of {one_in}"),
            Self::Spread { rows } => {
                write!(f, "{rows} usage row(s) of more than an hour are spread evenly over their hours, as was asked for")
            }
            Self::AcrossHours { rows } => {
                write!(f, "{rows} usage row(s) of an hour or less lie in two clock hours and are divided by seconds")
            }
            Self::RepeatedHour { hour, zone } => write!(
                f,
                "the clock of {zone} repeated the hour of {hour}: all usage of both is in that hour, and none in the next; export times with their zone"
            ),
            Self::Version { version } => write!(f, "the columns are those of FOCUS {version}"),
            Self::View { view } => f.write_str(view),
        }
    }
}
