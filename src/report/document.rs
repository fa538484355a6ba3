//! A page before it has a form: headings, sentences, tables and charts, in which every number knows its place in the report's JSON. HTML and
//! Markdown are written from it.

use super::figure::Figure;
use super::model::Report;
use serde_json::Value as Json;

/// How a number is rounded for people. The exact one stands in JSON and CSV, and in HTML beside the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Whole units of the currency.
    Whole,
    /// A change in whole units of the currency, with its sign.
    Change,
    /// The currency's cents.
    Cents,
    /// A share in percent, with this many decimals.
    Percent(u32),
    /// A number with this many decimals at most.
    Plain(u32),
}

/// A number with its place in the JSON document.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Number {
    /// A JSON pointer (RFC 6901).
    pub(super) path: String,
    pub(super) figure: Figure,
    pub(super) format: Format,
    /// Written after the number, such as ` USD`.
    pub(super) unit: String,
}

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Span {
    Text(String),
    Strong(String),
    Number(Number),
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Text(String),
    Number(Number),
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) is_number: bool,
}

/// A table. The first column says what a row is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    /// A name that programs find it by.
    pub(super) id: String,
    pub(super) caption: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// A figure in large type with its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tile {
    pub(super) label: String,
    pub(super) value: Cell,
    pub(super) note: Vec<Span>,
}

/// A picture of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "report"), allow(dead_code, reason = "only charts read it"))]
pub(super) enum Picture {
    Week,
    Days,
    LoadDuration(usize),
    Coverage,
    Cash,
    Accounts,
    Ladder,
    Fan,
    Tornado,
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Block {
    Heading(String),
    Paragraph(Vec<Span>),
    List(Vec<Vec<Span>>),
    Tiles(Vec<Tile>),
    Table(Table),
    Picture(Picture),
    /// Lines to sign on.
    Approval,
}

/// A page.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Document {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) blocks: Vec<Block>,
}

/// Looks numbers up in the report's JSON, so that a page can only show what the report holds.
pub(super) struct Reader<'r> {
    pub(super) report: &'r Report,
    json: Json,
}

impl<'r> Reader<'r> {
    pub(super) fn new(report: &'r Report) -> Self {
        // A report is plain data with text keys: it always is JSON.
        Self { report, json: serde_json::to_value(report).unwrap_or_default() }
    }

    /// The number at a path; `None` if it is absent.
    pub(super) fn number(&self, path: &str, format: Format) -> Option<Number> {
        let figure = Figure::from_f64(self.json.pointer(path)?.as_f64()?)?;
        Some(Number { path: path.to_owned(), figure, format, unit: String::new() })
    }

    /// The number at a path as a cell; a dash if it is absent.
    pub(super) fn cell(&self, path: &str, format: Format) -> Cell {
        self.number(path, format).map_or_else(|| Cell::Text("–".into()), Cell::Number)
    }

    /// The number at a path in a sentence.
    pub(super) fn span(&self, path: &str, format: Format) -> Span {
        self.number(path, format).map_or_else(|| Span::Text("none".into()), Span::Number)
    }

    /// Money at a path in a sentence, with its currency.
    pub(super) fn money(&self, path: &str) -> Span {
        self.with_unit(path, Format::Whole, &format!(" {}", self.report.currency))
    }

    /// A change of money at a path in a sentence, with its sign and currency.
    pub(super) fn change(&self, path: &str) -> Span {
        self.with_unit(path, Format::Change, &format!(" {}", self.report.currency))
    }

    /// A number in a sentence with a unit after it.
    pub(super) fn with_unit(&self, path: &str, format: Format, unit: &str) -> Span {
        match self.number(path, format) {
            Some(number) => Span::Number(Number { unit: unit.to_owned(), ..number }),
            None => Span::Text("none".into()),
        }
    }

    /// The text at a path.
    pub(super) fn text(&self, path: &str) -> Cell {
        Cell::Text(self.json.pointer(path).and_then(Json::as_str).unwrap_or_default().to_owned())
    }
}

/// A piece of text.
pub(super) fn text(text: impl Into<String>) -> Span {
    Span::Text(text.into())
}

/// Text columns, then number columns.
pub(super) fn columns(texts: &[&str], numbers: &[&str]) -> Vec<Column> {
    let column = |name: &&str, is_number| Column { name: (*name).to_owned(), is_number };
    texts.iter().map(|name| column(name, false)).chain(numbers.iter().map(|name| column(name, true))).collect()
}

impl Number {
    /// The number as people read it, with its unit.
    pub(super) fn text(&self) -> String {
        let value = self.figure.value();
        let shown = match self.format {
            Format::Whole => grouped(value, 0, false),
            Format::Change => {
                let shown = grouped(value, 0, false);
                if value.is_sign_positive() && shown != "0" { format!("+{shown}") } else { shown }
            }
            Format::Cents => grouped(value, 2, false),
            Format::Percent(decimals) => format!("{} %", grouped(value * rust_decimal::Decimal::ONE_HUNDRED, decimals, false)),
            Format::Plain(decimals) => grouped(value, decimals, true),
        };
        format!("{shown}{}", self.unit)
    }
}

/// The decimal rounded half away from zero, thousands apart; trailing zeros dropped if asked.
fn grouped(value: rust_decimal::Decimal, decimals: u32, is_short: bool) -> String {
    let rounded = value.round_dp_with_strategy(decimals, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
    let rounded = if is_short { rounded.normalize() } else { rounded };
    let text = if is_short { rounded.to_string() } else { format!("{rounded:.*}", decimals as usize) };
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("−", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, ""), |(whole, fraction)| (whole, fraction));
    let mut shown = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    if !fraction.is_empty() {
        shown.push('.');
        shown.push_str(fraction);
    }
    let is_zero = shown.chars().all(|character| matches!(character, '0' | '.'));
    if is_zero { shown } else { format!("{sign}{shown}") }
}

/// Spans as plain text.
pub(super) fn plain(spans: &[Span]) -> String {
    let part = |span: &Span| match span {
        Span::Text(text) | Span::Strong(text) => text.clone(),
        Span::Number(number) => number.text(),
    };
    spans.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::{Decimal, dec};
    use test_case::test_case;

    #[test_case(dec!(0), Format::Whole, "0")]
    #[test_case(dec!(-0.4), Format::Whole, "0")]
    #[test_case(dec!(1234567.5), Format::Whole, "1,234,568")]
    #[test_case(dec!(0.4), Format::Change, "0")]
    #[test_case(dec!(1234.5), Format::Change, "+1,235")]
    #[test_case(dec!(-14), Format::Change, "−14")]
    #[test_case(dec!(-1234.565), Format::Cents, "−1,234.57")]
    #[test_case(dec!(0.39412), Format::Percent(1), "39.4 %")]
    #[test_case(dec!(11.960), Format::Plain(2), "11.96")]
    #[test_case(dec!(153), Format::Plain(2), "153")]
    fn numbers_are_rounded_for_people(value: Decimal, format: Format, expected: &str) {
        let number = Number { path: String::new(), figure: Figure::new(value), format, unit: String::new() };
        assert_eq!(number.text(), expected);
    }
}
