//! What can be wrong with the input, where, and what to do about it. One [`Error`] names its [`Place`] (file, line, field,
//! offer, hour), its [`Problem`] and a remedy; its source is the error beneath it, if there is one.

use crate::time::Hour;
use std::fmt;
use std::path::{Path, PathBuf};

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Something is wrong with the input. Prints as `place: problem; remedy`.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    place: Place,
    problem: Problem,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// Where it is wrong.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// The same error, known to be in this file.
    #[must_use]
    pub fn in_file(mut self, file: &Path) -> Self {
        self.0.place.file.get_or_insert_with(|| file.to_owned());
        self
    }

    /// The same error, known to be at this line of its file (1 is the first).
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.0.place.line.get_or_insert(line);
        self
    }

    /// The same error, known to be about this field, column or JSON path.
    #[must_use]
    pub fn in_field(mut self, field: impl Into<String>) -> Self {
        self.0.place.field.get_or_insert_with(|| field.into());
        self
    }

    /// The same error, known to be about this offer, commitment, price or usage line.
    #[must_use]
    pub fn in_item(mut self, item: impl Into<String>) -> Self {
        self.0.place.item.get_or_insert_with(|| item.into());
        self
    }

    /// The same error, known to be about this hour.
    #[must_use]
    pub fn at_hour(mut self, hour: Hour) -> Self {
        self.0.place.hour.get_or_insert(hour);
        self
    }

    /// The same error, caused by the one given.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source.get_or_insert_with(|| source.into());
        self
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self(Box::new(Inner { place: Place::default(), problem, source: None }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.0.place.to_string();
        if !place.is_empty() {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}", self.0.problem)?;
        if let Some(source) = &self.0.source {
            write!(f, " ({source})")?;
        }
        write!(f, "; {}", self.0.problem.remedy())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Where in the input something is wrong; whatever is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Option<PathBuf>,
    /// The line of the file; 1 is the first.
    pub line: Option<u64>,
    /// The column of a table or the path in a JSON document.
    pub field: Option<String>,
    /// The offer, commitment, price or usage line.
    pub item: Option<String>,
    /// The hour.
    pub hour: Option<Hour>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.file.as_ref().map(|file| file.display().to_string()),
            self.line.map(|line| format!("line {line}")),
            self.field.as_ref().map(|field| format!("field `{field}`")),
            self.item.clone(),
            self.hour.map(|hour| format!("hour {hour}")),
        ];
        let mut first = true;
        for part in parts.into_iter().flatten() {
            if !first {
                f.write_str(", ")?;
            }
            first = false;
            f.write_str(&part)?;
        }
        Ok(())
    }
}

/// What is wrong. More kinds may be added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file cannot be opened, read or written.
    #[error("cannot be read or written")]
    InputOutput,
    /// The path is not a regular file.
    #[error("is not a file")]
    NotAFile,
    /// The file holds no data.
    #[error("the file is empty: no {what}")]
    Empty {
        /// What was expected in it.
        what: &'static str,
    },
    /// The text is not well-formed JSON, CSV or TOML, or does not have the format's shape.
    #[error("does not have the shape of {expected}")]
    Malformed {
        /// The format expected.
        expected: &'static str,
    },
    /// The document is of a version this library does not read.
    #[error("the schema is `{found}`, and this version reads `{expected}`")]
    Version {
        /// The schema it names.
        found: String,
        /// The schema this version reads.
        expected: &'static str,
    },
    /// A required column is absent.
    #[error("the column `{column}` is missing; there are: {found}")]
    MissingColumn {
        /// The column's name.
        column: String,
        /// The columns that are there.
        found: String,
    },
    /// A column or JSON field that the format does not know.
    #[error("the column `{column}` is not known to this format; it has: {known}")]
    UnknownColumn {
        /// The column's name.
        column: String,
        /// The columns the format has.
        known: String,
    },
    /// A value that must be there is empty.
    #[error("the value is empty")]
    EmptyValue,
    /// A value that cannot be understood.
    #[error("`{value}` is not {expected}")]
    Value {
        /// The text found.
        value: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A quantity or amount that must not be negative is.
    #[error("`{value}` is negative")]
    Negative {
        /// The value found.
        value: String,
    },
    /// NaN or infinity.
    #[error("`{value}` is not a finite number")]
    NotFinite {
        /// The value found.
        value: String,
    },
    /// A price that must be above zero is not.
    #[error("the price is {value}, and a price must be above 0")]
    PriceNotPositive {
        /// The price found.
        value: String,
    },
    /// The same hour of the same usage line stands twice.
    #[error("the hour is given twice for this usage line (first at line {first_line})")]
    RepeatedHour {
        /// The line of the first occurrence.
        first_line: u64,
    },
    /// Hours are missing in the curve of a usage line.
    #[error("{missing} hour(s) of this usage line are missing, from this one on; the file covers {first} to {last}")]
    MissingHours {
        /// How many are missing in all.
        missing: usize,
        /// The first hour of the file.
        first: Hour,
        /// The last hour of the file.
        last: Hour,
    },
    /// Two identifiers are the same.
    #[error("the identifier is used twice")]
    Repeated,
    /// A reference names something that is not there.
    #[error("refers to the {kind} `{id}`, which does not exist")]
    Dangling {
        /// What is referred to.
        kind: &'static str,
        /// Its identifier.
        id: String,
    },
    /// No purchases keep all rules of the policy.
    #[error("the policy cannot be kept: {sentence}")]
    PolicyClash {
        /// Which rules clash, and how far each would have to give.
        sentence: String,
    },
    /// Amounts of two currencies meet.
    #[error("the currency is {found}, beside {expected}")]
    MixedCurrency {
        /// The other currency.
        found: String,
        /// The currency in use.
        expected: String,
    },
    /// Usage has no on-demand price in the catalog.
    #[error("{}", list_unknown(.0))]
    UnknownSkus(Vec<UnknownSku>),
    /// A time span ends before it starts.
    #[error("ends at {end}, which is not after its start at {start}")]
    EndBeforeStart {
        /// The start.
        start: String,
        /// The end.
        end: String,
    },
    /// A plan rate or a reservation price that is above the on-demand price.
    #[error("the rate {rate} is above the on-demand price {on_demand}")]
    RateAboveOnDemand {
        /// The rate.
        rate: String,
        /// The on-demand price.
        on_demand: String,
    },
    /// A scope that this provider's commitments cannot have.
    #[error("the scope `{scope}` does not exist for this kind of commitment")]
    Scope {
        /// The scope found.
        scope: String,
    },
    /// Probabilities that are not above 0 or do not sum to one.
    #[error("the probabilities sum to {sum}, not to 1 ({list}); each must be above 0")]
    Probabilities {
        /// Their sum.
        sum: f64,
        /// Each scenario's name and probability.
        list: String,
    },
    /// A driver of usage that has no value for an hour.
    #[error("the driver `{driver}` has no data for {missing}")]
    DriverWithoutData {
        /// The driver's name.
        driver: String,
        /// What it lacks: a month, or everything.
        missing: String,
    },
    /// A migration to a usage line that the catalog has no price for.
    #[error("the migration of {from} leads to {to}, which has no on-demand price in the catalog")]
    MigrationWithoutPrice {
        /// The line migrated.
        from: String,
        /// Where to.
        to: String,
    },
    /// A selection that takes no usage line.
    #[error("the selection {selection} takes no usage line")]
    SelectsNothing {
        /// What it asks for.
        selection: String,
    },
    /// A setting outside of its range.
    #[error("`{value}` is outside of {range}")]
    OutOfRange {
        /// The value found.
        value: String,
        /// The range allowed.
        range: &'static str,
    },
    /// A field that another one has to stand beside.
    #[error("`{field}` is given without `{missing}`")]
    Without {
        /// The field that is there.
        field: &'static str,
        /// The one that it needs.
        missing: &'static str,
        /// What that one is.
        is: &'static str,
    },
    /// Two fields that say the same.
    #[error("`{field}` stands beside {others}, which say the same")]
    SaidTwice {
        /// The one field.
        field: &'static str,
        /// The other fields.
        others: &'static str,
    },
    /// The solver failed for a reason that is not the input's.
    #[error("the solver stopped without an answer: {status}")]
    Solver {
        /// The solver's status.
        status: String,
    },
}

impl Problem {
    /// What to do about it, in one sentence.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::InputOutput => "check that the path exists and may be read or written".into(),
            Self::NotAFile => "give the path of a file, not of a folder or device".into(),
            Self::Empty { .. } => "give a file with at least one row of data".into(),
            Self::Malformed { expected } => format!("correct the file so that it is {expected}"),
            Self::Version { .. } => "write the file again with this version, or use the version that wrote it".into(),
            Self::MissingColumn { column, .. } => format!("add the column `{column}` to the header"),
            Self::UnknownColumn { .. } => "remove or rename the column, or prefix it with `tag:` to keep it as a tag".into(),
            Self::EmptyValue => "fill in the value".into(),
            Self::Value { expected, .. } => format!("write {expected}"),
            Self::Negative { .. } => "give a value of 0 or more; net corrections and refunds before writing the file".into(),
            Self::NotFinite { .. } => "give a finite number; write 0 for an hour without usage".into(),
            Self::PriceNotPositive { .. } => {
                "give the real price, or remove the entry: a price of 0 usually means that the source had none".into()
            }
            Self::RepeatedHour { .. } => "give each hour of a usage line once; add up the quantities of the rows".into(),
            Self::MissingHours { .. } => "give every hour of every usage line; write 0 for an hour without usage".into(),
            Self::Repeated => "give each item an identifier of its own".into(),
            Self::Dangling { kind, .. } => format!("add the {kind}, or correct the reference"),
            Self::PolicyClash { .. } => "loosen or leave out one of these rules".into(),
            Self::MixedCurrency { .. } => "convert everything to one currency first".into(),
            Self::UnknownSkus(_) => {
                "add their prices to the catalog, or exclude their spend explicitly (--exclude-unknown on the command line)"
                    .into()
            }
            Self::EndBeforeStart { .. } => "correct the start or the end".into(),
            Self::RateAboveOnDemand { .. } => {
                "check the unit of the rate (a whole term's price is not an hourly one), or allow it explicitly".into()
            }
            Self::Scope { .. } => "use one of the scopes that the offer lists".into(),
            Self::Probabilities { .. } => "give each scenario a probability above 0 so that they sum to 1".into(),
            Self::DriverWithoutData { driver, .. } => {
                format!("give the driver `{driver}` a value for every month of the horizon")
            }
            Self::MigrationWithoutPrice { .. } => "add the price of the new line to the catalog, or correct the migration".into(),
            Self::SelectsNothing { .. } => "correct the selection, or remove the transform".into(),
            Self::OutOfRange { range, .. } => format!("give a value in {range}"),
            Self::Without { missing, is, .. } => format!("add `{missing}`: {is}"),
            Self::SaidTwice { field, others } => format!("leave out either `{field}` or {others}"),
            Self::Solver { .. } => "raise the time limit or report the problem with the exported model".into(),
        }
    }
}

/// Usage without an on-demand price in the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct UnknownSku {
    /// The usage line, as people read it.
    pub line: String,
    /// How much of it was used, in its unit.
    pub quantity: f64,
    /// What it cost on demand, where the usage data says so; `None` where only a catalog could tell.
    pub on_demand_cost: Option<f64>,
}

fn list_unknown(skus: &[UnknownSku]) -> String {
    let mut text = format!("{} usage line(s) have no on-demand price in the catalog:", skus.len());
    for sku in skus {
        let cost = sku.on_demand_cost.map_or_else(
            || "on-demand spend unknown: neither the catalog nor the usage gives a price".to_owned(),
            |cost| format!("on-demand spend {cost:.2}"),
        );
        text.push_str(&format!("\n  {} ({:.2} units, {cost})", sku.line, sku.quantity));
    }
    text
}
