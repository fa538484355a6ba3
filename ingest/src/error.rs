//! What can be wrong with a bill, where, and what to do about it. Problems that the core knows too (an empty file, an unknown SKU) are
//! the core's [`covermix::Error`]; the others are those of reading tables with SQL.

use covermix::time::{Hour, Month};
use datafusion::error::DataFusionError;
use rust_decimal::Decimal;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

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
    #[error(
        "{}{}: cannot be read as {format} ({source}); fetch the file again: it is cut off or damaged",
        file.display(), line.map_or_else(String::new, |line| format!(", line {line}"))
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The line of the record that cannot be read, if known; 1 is the first.
        line: Option<u64>,
        /// The format that its first bytes announce.
        format: &'static str,
        /// What the reader says.
        source: Box<dyn std::error::Error + Send + Sync>,
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
        "{}: not a whole {format}: {} column(s) missing; looked for {}; the file has {found}; \
         export the report again with these columns", file.display(), missing.len(), missing.join(", ")
    )]
    MissingColumns {
        /// The file.
        file: PathBuf,
        /// What the file was taken for.
        format: &'static str,
        /// Each missing column in both spellings.
        missing: Vec<String>,
        /// The first columns that are there, and how many there are.
        found: String,
    },
    /// Values that cannot be understood.
    #[error(
        "{}, field `{field}`: {rows} value(s) are not {expected}, such as `{value}`{}; correct them, or export the report again",
        file.display(),
        first.map_or_else(String::new, |row| format!(", the first in row {row} below the header"))
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
        /// The first of those rows, counted from 1 without the header, where the file tells the order of rows.
        first: Option<u64>,
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
         create the report with hourly granularity, or choose to spread such rows evenly (`LongRows::Spread`)",
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
    /// Rows that end before they begin.
    #[error("{}: {rows} usage row(s) end before they begin, such as one of {example}; export the report again", files(paths))]
    Backward {
        /// The files that were read.
        paths: Vec<PathBuf>,
        /// How many rows.
        rows: u64,
        /// What one of them is of.
        example: String,
    },
    /// A usage line has less than nothing in an hour.
    #[error(
        "usage of {line} at {hour} is negative ({quantity}): a correction without what it corrects, or in another hour; export the months again \
         together, once they are closed"
    )]
    NegativeUsage {
        /// The line.
        line: String,
        /// The first such hour of it.
        hour: Hour,
        /// What the rows of that hour add up to.
        quantity: Decimal,
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
    /// The columns are those of no format that is read.
    #[error(
        "{}: none of the billing exports that are read; looked for {looked_for}; the file has {found}; \
         give an export of FOCUS, AWS, Azure or Google Cloud", file.display()
    )]
    UnknownFormat {
        /// The file.
        file: PathBuf,
        /// What tells the formats apart.
        looked_for: String,
        /// The first columns that are there, and how many there are.
        found: String,
    },
    /// Files of several formats.
    #[error("{} is a {first_format} and {} a {second_format}; give the files of one bill at a time", first.display(), second.display())]
    MixedFormats {
        /// A file.
        first: PathBuf,
        /// What it is.
        first_format: &'static str,
        /// Another file.
        second: PathBuf,
        /// What that is.
        second_format: &'static str,
    },
    /// Both views of the same money.
    #[error(
        "{}: rows of an export of actual cost ({actual}) stand beside rows of one of amortised cost ({amortised}); \
         give one of the two, as both hold the same money",
        files(paths)
    )]
    MixedViews {
        /// The files that were read.
        paths: Vec<PathBuf>,
        /// Rows that only actual cost has.
        actual: u64,
        /// Rows that only amortised cost has.
        amortised: u64,
    },
    /// A savings rate cannot be told.
    #[error(
        "{rows} row(s) that commitments cover ({effective} at amortised cost) have no on-demand price on the bill; \
         give a catalog that prices them, or leave the savings rate out"
    )]
    NoOnDemandPrice {
        /// How many rows.
        rows: u64,
        /// Their amortised cost.
        effective: covermix::units::Money,
    },
    /// A rule file of owners is not valid.
    #[error("owner rules{}: {problem}; correct the rule file", rule.as_ref().map_or_else(String::new, |rule| format!(", rule {rule}")))]
    Owners {
        /// The rule, by number and owner.
        rule: Option<String>,
        /// What is wrong.
        problem: String,
    },
    /// SQL for a warehouse that it cannot be printed for.
    #[error(
        "no SQL is printed for {found}; ask for athena, bigquery, snowflake or duckdb (Google's export is queried in bigquery)"
    )]
    Dialect {
        /// What was asked for.
        found: String,
    },
    /// Something of an object store.
    #[error("{location}: {problem}; {remedy}")]
    Store {
        /// The file or folder.
        location: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A file of text in a session that cannot read it.
    #[error(
        "{}: is text, which the session given (`Options::context`) cannot read ({source}); convert it to Parquet at a path that the whole cluster \
         reads, or read it without a session given",
        file.display()
    )]
    NotShared {
        /// The file.
        file: PathBuf,
        /// What the session says.
        source: Box<DataFusionError>,
    },
    /// The query engine failed for a reason of its own.
    #[error("{}: the query failed ({source}); check that the files are whole, and report the problem if they are", files(paths))]
    Query {
        /// The files that were read.
        paths: Vec<PathBuf>,
        /// What the engine says.
        source: Box<DataFusionError>,
    },
    /// The query engine stopped without an error.
    #[error("{}: the query engine stopped; fetch the files again: one of them is damaged", files(paths))]
    Stopped {
        /// The files that were read.
        paths: Vec<PathBuf>,
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

/// An error of a reader on its way through the query engine.
#[derive(Debug)]
pub(crate) struct Carried(Mutex<Option<Error>>);

impl Carried {
    pub(crate) fn new(error: Error) -> Self {
        Self(Mutex::new(Some(error)))
    }

    /// The reader's own error, if it is at the root of the engine's.
    pub(crate) fn find(error: &DataFusionError) -> Option<Error> {
        let DataFusionError::External(carried) = error.find_root() else { return None };
        carried.downcast_ref::<Self>()?.0.lock().ok()?.take()
    }
}

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.lock().as_deref() {
            Ok(Some(error)) => error.fmt(f),
            _ => f.write_str("a file cannot be read"),
        }
    }
}

impl std::error::Error for Carried {}
