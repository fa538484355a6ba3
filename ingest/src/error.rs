//! What can be wrong with a bill, where, and what to do about it. Problems that the core knows too (an empty file, an unknown SKU) are
//! the core's [`covermix::Error`]; the others are those of reading tables with SQL.

use covermix::time::Month;
use datafusion::error::DataFusionError;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The result of reading a bill.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Something is wrong with a bill. Prints as `place: problem; remedy`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A problem that the core describes.
    #[error(transparent)]
    Core(#[from] covermix::Error),
    /// The file starts like a format that is read, and is damaged.
    #[error("{}: cannot be read as {format} ({source}); fetch the file again: it is cut off or damaged", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The format that its first bytes announce.
        format: &'static str,
        /// What the reader says.
        source: Box<DataFusionError>,
    },
    /// The file is of a format that is not read.
    #[error("{}: is {format}, which is not read; {remedy}", file.display())]
    Format {
        /// The file.
        file: PathBuf,
        /// What it is.
        format: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// Required columns are absent.
    #[error(
        "{}: not a Cost and Usage Report: {} column(s) missing; looked for {}; the file has {found}; \
         export the report again with these columns", file.display(), missing.len(), missing.join(", ")
    )]
    MissingColumns {
        /// The file.
        file: PathBuf,
        /// Each missing column in both spellings.
        missing: Vec<String>,
        /// The first columns that are there, and how many there are.
        found: String,
    },
    /// Values that cannot be understood.
    #[error(
        "{}, field `{field}`: {rows} value(s) are not {expected}, such as `{value}`; correct them, or export the report again",
        file.display()
    )]
    Value {
        /// The file.
        file: PathBuf,
        /// The column.
        field: &'static str,
        /// One of the values; empty if the value is absent.
        value: String,
        /// What was expected.
        expected: &'static str,
        /// How many rows have such a value.
        rows: u64,
    },
    /// The same line item stands twice.
    #[error(
        "{} and {} overlap: {rows} line item(s) stand in them more than once, such as {example}; give each month of a bill once",
        first.display(), second.display()
    )]
    Overlap {
        /// A file that has such a line item.
        first: PathBuf,
        /// Another file that has it, or the same.
        second: PathBuf,
        /// How many line items are repeated.
        rows: u64,
        /// One of them: its identifier and time interval.
        example: String,
    },
    /// Usage rows that span more than a clock hour.
    #[error(
        "{}: {rows} usage row(s) span more than one clock hour, such as one of {example}; \
         create the report with hourly granularity",
        files(paths)
    )]
    Granularity {
        /// The files that were read.
        paths: Vec<PathBuf>,
        /// How many rows.
        rows: u64,
        /// The usage type of one of them.
        example: String,
    },
    /// Months between the first and the last month are absent.
    #[error("the bill has {before} and {after} and no month between; give the months between too, or read the parts one by one")]
    Gap {
        /// The month before the gap.
        before: Month,
        /// The month after it.
        after: Month,
    },
    /// A row of a commitment's fee that does not say what was bought.
    #[error(
        "field `{field}` of commitment {commitment}: {problem}; export the report with this column, from a month that has it"
    )]
    Commitment {
        /// The commitment's ARN.
        commitment: String,
        /// The column.
        field: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The query engine failed for a reason of its own.
    #[error("{}: the query failed ({source}); check that the files are whole, and report the problem if they are", files(paths))]
    Query {
        /// The files that were read.
        paths: Vec<PathBuf>,
        /// What the engine says.
        source: Box<DataFusionError>,
    },
    /// No threads for the query engine.
    #[error("the query engine cannot start ({0}); free memory or threads")]
    Runtime(#[from] std::io::Error),
}

impl Error {
    /// An error of the operating system about a file.
    pub(crate) fn input_output(file: &Path, error: std::io::Error) -> Self {
        covermix::Error::from(covermix::Problem::InputOutput).in_file(file).caused_by(error).into()
    }
}

fn files(paths: &[PathBuf]) -> String {
    let mut text = String::new();
    for (index, path) in paths.iter().enumerate() {
        let _ = write!(text, "{}{}", if index == 0 { "" } else { ", " }, path.display());
    }
    text
}
