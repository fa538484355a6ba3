//! From the columns of a format to the rows that all formats have in common. A [`Mapping`] is a table for each format: the columns looked for,
//! the conditions of each class, and what each common field is in that format, in SQL.
//!
//! Three views come of it: `united`, the columns by name, with `file`; `bill`, those with `class`; `charges`, the common fields.

mod overlap;

use crate::classes::{ChargeKind, Class, is_usage};
use crate::columns::{Column, DateStyle, Kind, Need};
use crate::error::{Carried, Error, Result};
use crate::format::{Format, month_of, month_start};
use crate::note::Note;
use crate::options::Phase;
use crate::session::{Session, Source};
use crate::summary::Summary;
use chrono_tz::Tz;
use covermix::Problem;
use covermix::time::Month;
use covermix::usage::UsageLine;
use datafusion::error::DataFusionError;
use std::collections::BTreeSet;

/// The seconds of an hour.
const HOUR: i64 = 3600;

/// The fields that rows of every format have in common, with what they are.
pub(crate) const FIELDS: [(&str, &str); 16] = [
    ("start", "first second of the charge, since 1970"),
    ("finish", "the second after its last; NULL if the row does not say"),
    ("billing_month", "first second of the billing month; NULL if the row does not say"),
    ("account", "account, subscription or project"),
    ("service", "the provider's word for the service"),
    ("region", "the provider's word for the region"),
    ("resource", "what was used"),
    ("quantity", "what was used of it, in the unit of the usage line"),
    ("cost", "what the bill's total is the sum of"),
    ("effective", "cost with fees of commitments amortised"),
    ("list", "at public prices, on demand; 0 on rows that are no use; NULL if not known"),
    ("contracted", "at the customer's prices, on demand; 0 on rows that are no use; NULL if not known"),
    ("price", "the on-demand price of one unit; NULL if not known"),
    ("commitment", "the commitment that covers or is charged; empty if none"),
    ("currency", "ISO 4217"),
    ("tags", "JSON"),
];

/// How a format is read.
pub(crate) struct Mapping {
    pub(crate) format: Format,
    /// The columns looked for.
    pub(crate) columns: &'static [Column],
    /// The classes that rows can be of.
    pub(crate) classes: &'static [Class],
    /// The SQL expression of the class.
    pub(crate) class: fn() -> String,
    /// Each of [`FIELDS`] as an SQL expression over the columns and `class`.
    pub(crate) fields: &'static [(&'static str, &'static str)],
    /// What tells rows apart that have an identifier: the identifier first. Rows alike in all of it are one row given twice.
    pub(crate) identity: &'static [&'static str],
    /// What tells rows apart that have none. Files that share many such rows overlap.
    pub(crate) likeness: &'static [&'static str],
    /// The columns, fields or derived values that a usage line is made of.
    pub(crate) words: &'static [&'static str],
    /// Values in SQL that words name beside columns and fields.
    pub(crate) derived: &'static [(&'static str, &'static str)],
    /// The usage line of those columns.
    pub(crate) line: fn(&Words<'_>) -> UsageLine,
    /// The condition that a reservation (not a spend plan) covers the usage, over the columns of [`Mapping::charges`].
    pub(crate) reserved: &'static str,
}

/// The values of the columns that a usage line is made of.
pub(crate) struct Words<'a> {
    pub(crate) names: &'static [&'static str],
    pub(crate) values: Vec<&'a str>,
}

impl<'a> Words<'a> {
    /// The value of a column; empty if the mapping does not have it.
    pub(crate) fn get(&self, name: &str) -> &'a str {
        self.names.iter().position(|known| *known == name).and_then(|index| self.values.get(index).copied()).unwrap_or_default()
    }
}

/// All files, checked and added up.
pub(crate) struct United {
    pub(crate) summary: Summary,
    /// The months that the bill says it is of; usage of others is late. Empty if it does not say.
    pub(crate) billed: Vec<Month>,
    /// The months of the bill: those, else those of its usage, else of any row.
    pub(crate) months: Vec<Month>,
}

impl United {
    /// The one currency of the bill; empty if it names none.
    pub(crate) fn currency(&self, session: &Session, field: &'static str) -> Result<String> {
        let mut names = session.engine(self.summary.currencies())?.into_iter();
        let first = names.next().unwrap_or_default();
        if let Some(second) = names.next() {
            let problem = Problem::MixedCurrency { found: second, expected: first };
            return Err(covermix::Error::from(problem).in_field(field).into());
        }
        Ok(first)
    }
}

impl Mapping {
    /// A common field, in SQL.
    pub(crate) fn field(&self, name: &str) -> &'static str {
        self.fields.iter().find(|(field, _)| *field == name).map_or("NULL", |(_, sql)| *sql)
    }

    /// The condition that a row is usage in the curves.
    pub(crate) fn is_usage(&self) -> String {
        is_usage(self.classes)
    }

    /// The condition that the money of a row is of a kind.
    pub(crate) fn is_kind(&self, kind: ChargeKind) -> String {
        let names: Vec<String> =
            self.classes.iter().filter(|class| class.kind == kind).map(|class| format!("'{}'", class.name)).collect();
        if names.is_empty() { "false".into() } else { format!("class IN ({})", names.join(", ")) }
    }

    /// The SQL of a word of usage lines.
    pub(crate) fn word(&self, word: &'static str) -> &'static str {
        let sql = |pairs: &'static [(&str, &str)]| pairs.iter().find(|(name, _)| *name == word).map(|(_, sql)| *sql);
        sql(self.derived).or_else(|| sql(self.fields)).unwrap_or(word)
    }

    /// Checks every file, adds it up, and makes the views.
    pub(crate) async fn unite(&'static self, session: &Session, sources: &mut [Source], notes: &mut Vec<Note>) -> Result<United> {
        let mut selects = Vec::with_capacity(sources.len());
        for (index, source) in sources.iter_mut().enumerate() {
            source.register(session, self.columns)?;
            source.refuse_unshared(session).await?;
            self.find_date_style(session, source, notes).await?;
            selects.push(self.select(session, source, index, notes)?);
        }
        let summary = match Summary::read(session, self, sources, &selects).await {
            Ok(summary) => summary,
            Err(error) => return Err(self.failed(session, sources, &selects, error).await),
        };
        let mut rows_of_files = Vec::with_capacity(sources.len());
        for ((source, select), (rows, _, faults)) in sources.iter().zip(&selects).zip(summary.files()) {
            if rows == 0 || faults > 0 {
                self.check(session, source, select).await?;
            }
            session.meter.add_rows(Phase::Checked, rows);
            rows_of_files.push(rows);
        }
        session.query(&format!("CREATE OR REPLACE VIEW united AS {}", selects.join(" UNION ALL "))).await?;
        overlap::refuse(self, session, &rows_of_files, notes).await?;
        let billed = session.engine(summary.billed_months())?;
        session
            .query(&format!(
                "CREATE OR REPLACE VIEW bill AS {}",
                self.bill("united", &billed, self.format.zone(&session.options))
            ))
            .await?;
        let tags = session.options.tag_keys.len();
        session.query(&format!("CREATE OR REPLACE VIEW charges AS {}", self.charges("bill", tags))).await?;
        let mut months = if billed.is_empty() { summary.usage_months() } else { billed.clone() };
        if months.is_empty() {
            months = self.any_months(session).await?;
        }
        Ok(United { summary, billed, months })
    }

    /// The error of a scan of all files, of the file that it is of.
    async fn failed(&self, session: &Session, sources: &[Source], selects: &[String], error: DataFusionError) -> Error {
        if let Some(own) = Carried::find(&error) {
            return own;
        }
        if let ([source], false) = (sources, matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))) {
            return source.damaged(error);
        }
        for (source, select) in sources.iter().zip(selects) {
            if let Err(own) = self.check(session, source, select).await {
                return own;
            }
        }
        Error::Query { paths: session.paths().to_vec(), source: Box::new(error) }
    }

    /// The query that adds the class. Usage outside the billing months is late.
    pub(crate) fn bill(&self, from: &str, months: &[Month], zone: Tz) -> String {
        let class = (self.class)();
        let (Some(first), Some(last)) = (months.first(), months.last()) else {
            return format!("SELECT *, {class} AS class FROM {from}");
        };
        let start = self.field("start");
        let (since, until) = (month_start(*first, zone).timestamp(), month_start(last.next(), zone).timestamp());
        format!(
            "SELECT *, CASE WHEN {} AND ({start} < {since} OR {start} >= {until}) THEN 'late' ELSE base_class END AS class \
             FROM (SELECT *, {class} AS base_class FROM {from}) AS classed",
            self.is_usage().replacen("class", "base_class", 1)
        )
    }

    /// The months of all rows, of a bill without usage that does not say what months it is of.
    async fn any_months(&self, session: &Session) -> Result<Vec<Month>> {
        // One instant of each hour is enough to tell its month.
        let sql = format!("SELECT DISTINCT start / {HOUR} * {HOUR} AS start FROM charges WHERE start IS NOT NULL");
        let rows = session.query(&sql).await?;
        let starts = (0..rows.len()).filter_map(|row| rows.instant_at("start", row));
        let zone = self.format.zone(&session.options);
        let months: BTreeSet<Month> = starts.map(|start| month_of(start, zone)).collect();
        Ok(months.into_iter().collect())
    }

    /// The query that gives the common fields, and the words of usage lines.
    pub(crate) fn charges(&self, from: &str, tags: usize) -> String {
        let mut expressions = vec!["file".to_owned(), "class".to_owned()];
        expressions.extend(FIELDS.iter().map(|(name, _)| format!("{} AS {name}", self.field(name))));
        let is_field = |word: &&&str| FIELDS.iter().any(|(name, _)| name == *word);
        expressions.extend(self.words.iter().filter(|word| !is_field(word)).map(|word| {
            let derived = self.derived.iter().find(|(name, _)| name == word);
            derived.map_or_else(|| (*word).to_owned(), |(name, sql)| format!("{sql} AS {name}"))
        }));
        expressions.extend((0..tags).map(|index| format!("tag_{index}")));
        format!("SELECT {} FROM {from}", expressions.join(", "))
    }

    /// The query that gives a file's columns their names and types.
    fn select(&self, session: &Session, source: &Source, index: usize, notes: &mut Vec<Note>) -> Result<String> {
        let mut missing = Vec::new();
        let mut expressions = Vec::with_capacity(self.columns.len() + 2);
        let mut bad = Vec::new();
        for column in self.columns {
            let found = source.find(column)?;
            match (&found, column.need) {
                (None, Need::Required | Need::RequiredColumn) => missing.push(column.spellings()),
                (None, Need::Optional(consequence)) => {
                    notes.push(Note::MissingColumn { file: source.path.clone(), column: column.header(), consequence });
                }
                (Some(_), _) | (None, Need::Rare) => {}
            }
            let found = found.as_ref().map(|(identifier, data_type)| (identifier.as_str(), data_type));
            expressions.push(format!("{} AS {}", column.expression(found, source.style), column.name));
            bad.extend(found.and_then(|(identifier, data_type)| column.bad(identifier, data_type, source.style)));
        }
        if missing.is_empty() {
            let holder = self.columns.iter().find(|column| column.name == "tag_object");
            for (number, key) in session.options.tag_keys.iter().enumerate() {
                expressions.push(format!("{} AS tag_{number}", source.tag(key, holder)?));
            }
            expressions.push(format!("{index} AS file"));
            let bad = if bad.is_empty() { "false".to_owned() } else { bad.join(" OR ") };
            expressions.push(format!("CASE WHEN {bad} THEN 1 ELSE 0 END AS bad"));
            return Ok(format!("SELECT {} FROM {}", expressions.join(", "), source.table));
        }
        let format = self.format.name();
        Err(Error::MissingColumns { file: source.path.clone(), format, missing, found: source.describe_headers() })
    }

    /// Finds out whether day or month comes first in dates with slashes.
    async fn find_date_style(&self, session: &Session, source: &mut Source, notes: &mut Vec<Note>) -> Result<()> {
        if !source.is_text() || !self.format.has_slashed_dates() {
            return Ok(());
        }
        let mut answers = Vec::new();
        for column in self.columns.iter().filter(|column| column.kind == Kind::Time) {
            let Some((identifier, _)) = source.find(column)? else { continue };
            let bad = |order: &str| {
                format!("SUM(CASE WHEN seconds_of({identifier}, '{order}', 'UTC') IS NULL THEN 1 ELSE 0 END) AS bad_{order}")
            };
            let differs = format!(
                "SUM(CASE WHEN seconds_of({identifier}, 'mdy', 'UTC') <> seconds_of({identifier}, 'dmy', 'UTC') THEN 1 ELSE 0 END)"
            );
            let sql = format!(
                "SELECT COUNT(*) AS slashed, {}, {}, {differs} AS differs FROM {} WHERE {identifier} LIKE '%/%/%'",
                bad("mdy"),
                bad("dmy"),
                source.table
            );
            let rows = session.run(&sql).await.map_err(|error| source.damaged(error))?;
            answers.push((column, ["slashed", "bad_mdy", "bad_dmy", "differs"].map(|name| rows.count_at(name, 0))));
        }
        let slashed = answers.iter().filter(|(_, [slashed, ..])| *slashed > 0);
        let (mut is_month_possible, mut is_day_possible, mut differing) = (true, true, None);
        for (column, [_, bad_month, bad_day, differs]) in slashed {
            is_month_possible &= *bad_month == 0;
            is_day_possible &= *bad_day == 0;
            if *differs > 0 {
                differing.get_or_insert(column);
            }
        }
        source.style.dates = if !is_month_possible && is_day_possible { DateStyle::DayFirst } else { DateStyle::MonthFirst };
        if let (true, true, Some(column)) = (is_month_possible, is_day_possible, differing) {
            notes.push(Note::AmbiguousDates { file: source.path.clone(), column: column.header() });
        }
        Ok(())
    }

    /// Refuses a file without rows, or with values that are no numbers or times, and names them.
    async fn check(&self, session: &Session, source: &Source, select: &str) -> Result<()> {
        let mut checks = vec!["COUNT(*) AS lines".to_owned()];
        let mut checked = Vec::new();
        for column in self.columns {
            let Some((identifier, data_type)) = source.find(column)? else { continue };
            let Some(bad) = column.bad(&identifier, &data_type, source.style) else { continue };
            let number = checked.len();
            checks.push(format!("SUM(CASE WHEN {bad} THEN 1 ELSE 0 END) AS bad_{number}"));
            checks.push(format!("MIN(CASE WHEN {bad} THEN COALESCE(CAST({identifier} AS VARCHAR), '') END) AS value_{number}"));
            checked.push((column, bad));
        }
        let damaged = |error| source.damaged(error);
        let answer = session.run(&format!("SELECT {} FROM {}", checks.join(", "), source.table)).await.map_err(damaged)?;
        let rows = answer.count_at("lines", 0);
        if rows == 0 {
            return Err(covermix::Error::from(Problem::Empty { what: "line item" }).in_file(&source.path).into());
        }
        for (number, (column, condition)) in checked.into_iter().enumerate() {
            let rows = answer.count_at(&format!("bad_{number}"), 0);
            if rows > 0 {
                let value: String = answer.text_at(&format!("value_{number}"), 0).chars().take(80).collect();
                let (file, field, expected) = (source.path.clone(), column.header(), column.kind.expected());
                let first = session.first_row(source, &condition).await.map_err(damaged)?;
                return Err(Error::Value { file, field, value, expected, rows, first });
            }
        }
        let sql = format!(
            "SELECT SUM(CASE WHEN cost IS NULL THEN 1 ELSE 0 END) AS absent \
             FROM (SELECT {} AS cost FROM ({select}) AS t) AS u",
            self.field("cost")
        );
        let answer = session.run(&sql).await.map_err(damaged)?;
        let absent = answer.count_at("absent", 0);
        if absent > 0 {
            return Err(Error::Value {
                file: source.path.clone(),
                field: "credits",
                value: String::new(),
                expected: "a list of credits with amounts",
                rows: absent,
                first: None,
            });
        }
        Ok(())
    }
}
