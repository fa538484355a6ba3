//! Who reads, and the page made for each of them.

mod analyst;
mod held;
mod memo;
mod orders;

use super::document::{Block, Cell, Document, Format, Reader, Span, Table, Tile, columns, text};

/// A reader with a page of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Who signs: one page with the ask, what it is worth, the risk, and lines for approval.
    Executive,
    /// Who must be sure: everything, decision first, with the rules that bind and their price.
    Analyst,
    /// Who places the orders: the fields to enter, and the checks afterwards.
    Engineer,
}

impl Audience {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Executive, Self::Analyst, Self::Engineer];

    /// What the page adds to a file name: nothing for the analyst's, which is the whole report.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Executive => "-memo",
            Self::Analyst => "",
            Self::Engineer => "-orders",
        }
    }
}

/// The page for a reader.
pub(super) fn document(reader: &Reader<'_>, audience: Audience) -> Document {
    match audience {
        Audience::Executive => memo::document(reader),
        Audience::Analyst => analyst::document(reader),
        Audience::Engineer => orders::document(reader),
    }
}

/// What the plan is for, under the title.
fn subtitle(reader: &Reader<'_>) -> String {
    let report = reader.report;
    let last = report.usage_until - chrono::TimeDelta::hours(1);
    format!("Usage from {} to {}, prices of {}", report.usage_from.date_naive(), last.date_naive(), price_date(reader))
}

fn price_date(reader: &Reader<'_>) -> String {
    reader.report.catalog.price_date.map_or_else(|| "unknown date".to_owned(), |date| date.to_string())
}

/// The proof in one sentence.
fn proof(reader: &Reader<'_>) -> Vec<Span> {
    vec![
        text("Every hour was billed by the provider's own rules. No plan under the same policy can cost less than "),
        reader.money("/lower_bound"),
        text(" over these "),
        reader.span("/hours", Format::Plain(0)),
        text(" hours; this one costs "),
        reader.money("/objective"),
        text(", so no other plan could be better by more than "),
        reader.span("/gap", Format::Percent(3)),
        text("."),
    ]
}

/// What could go wrong, in sentences.
fn risks(reader: &Reader<'_>) -> Vec<Vec<Span>> {
    let report = reader.report;
    let mut risks = held::prices(reader);
    if report.purchases.is_empty() {
        return risks;
    }
    if let Some(case) = report.cases.get(report.low_case as usize).filter(|_| report.low_case > 0) {
        let at = format!("/cases/{}", report.low_case);
        risks.push(vec![
            text(format!("Case “{}” ({}): the plan saves ", case.name, case.assumption)),
            reader.money(&format!("{at}/savings_monthly")),
            text(" a month instead of "),
            reader.money("/savings_monthly"),
            text(", "),
            reader.money(&format!("{at}/unused_monthly")),
            text(" a month of commitments goes unused, and the net present value is "),
            reader.money(&format!("{at}/npv")),
            text("."),
        ]);
    }
    let what = if held::is_changed(reader) { "the purchases cost" } else { "the plan costs" };
    match report.break_even_usage {
        Some(_) => risks.push(vec![
            text("Usage may fall to "),
            reader.span("/break_even_usage", Format::Percent(1)),
            text(format!(" of what it was, in every hour, before {what} more than buying nothing.")),
        ]),
        None => risks.push(vec![text("However far usage falls, the plan does not cost more than buying nothing.")]),
    }
    let with = |right: &str| report.purchases.iter().filter(|purchase| purchase.rights.iter().any(|one| one == right)).count();
    let ways = [
        ("resale", "sold"),
        ("exchange", "exchanged"),
        ("refund", "returned within the provider's limits"),
        ("trade_in", "traded in"),
    ];
    let is_fixed = |purchase: &&super::model::Purchase| !purchase.rights.iter().any(|one| ways.iter().any(|(way, _)| way == one));
    let fixed = report.purchases.iter().filter(is_fixed).count();
    let out = ways.iter().map(|(way, word)| (with(way), word)).filter(|(count, _)| *count > 0);
    let mut out: Vec<String> = out.map(|(count, word)| format!("{count} can be {word}")).collect();
    if fixed > 0 {
        out.push(format!("for {fixed} there is no way out"));
    }
    risks.push(vec![
        text("The purchases commit "),
        reader.money("/obligation"),
        text(format!(" over their terms, used or not. Before their ends: {}.", out.join(", "))),
    ]);
    let derived = report.purchases.iter().filter(|purchase| !purchase.price_derived.is_empty()).count();
    if derived > 0 {
        risks.push(vec![text(format!(
            "The prices of {derived} purchases are derived, not the provider's own figures: compare them with the order form before buying."
        ))]);
    }
    if report.status == "stopped_at_limit" {
        risks.push(vec![text("The search was stopped at a limit; a better plan may exist within the gap above.")]);
    }
    risks
}

/// Cash and accounts by year.
fn years(reader: &Reader<'_>) -> Table {
    let rows = (0..reader.report.finance.years.len()).map(|index| {
        let at = |field: &str| reader.cell(&format!("/finance/years/{index}/{field}"), Format::Whole);
        vec![
            Cell::Text(if is_settled(&reader.report.finance.years[index]) {
                "Settled later".to_owned()
            } else {
                format!("Year {}", index + 1)
            }),
            at("cash_paid"),
            at("avoided"),
            at("expense"),
            at("ebitda_effect"),
            at("operating_cash_flow_effect"),
        ]
    });
    Table {
        id: "years".into(),
        caption: format!(
            "Effect{} on cash and EBITDA, {}; positive effects help",
            if held::is_changed(reader) { " of the purchases alone" } else { "" },
            reader.report.currency
        ),
        columns: columns(
            &["From purchase"],
            &["Paid to provider", "On-demand avoided", "Expense", "EBITDA effect", "Operating cash effect"],
        ),
        rows: rows.collect(),
    }
}

/// Whether only payments for the years before fall into a year.
fn is_settled(year: &super::model::FinanceYear) -> bool {
    year.expense.value().is_zero() && year.avoided.value().is_zero()
}

/// Net present value, internal rate and payback.
fn investment(reader: &Reader<'_>) -> Vec<Tile> {
    let finance = &reader.report.finance;
    let currency = &reader.report.currency;
    // A rate on next to nothing out of pocket is a number without a meaning for people; the exact one is in CSV and JSON.
    let is_beyond = finance.irr.is_some_and(|rate| rate.to_f64() > 10.0);
    let (irr, irr_note) = match finance.irr {
        Some(_) if is_beyond => (Cell::Text("over 1,000 %".into()), "little is out of pocket, and briefly"),
        Some(_) => (reader.cell("/finance/irr", Format::Percent(1)), "effective a year"),
        None => (Cell::Text("none".into()), finance.irr_note.as_str()),
    };
    let payback = match (finance.payback.as_str(), finance.payback_months) {
        ("immediate", _) | (_, None) => Cell::Text(finance.payback.clone()),
        _ => reader.cell("/finance/payback_months", Format::Plain(1)),
    };
    let is_dated = matches!(payback, Cell::Number(_));
    let months = if is_dated { format!("on {}", finance.payback) } else { String::new() };
    vec![
        Tile {
            label: "Net present value".into(),
            value: reader.cell("/finance/npv", Format::Whole),
            note: vec![
                text(format!("{currency}{} at ", if held::is_changed(reader) { ", of the purchases alone," } else { "" })),
                reader.span("/finance/discount_rate", Format::Percent(1)),
            ],
        },
        Tile { label: "Internal rate of return".into(), value: irr, note: vec![text(irr_note)] },
        Tile { label: if is_dated { "Payback, months" } else { "Payback" }.into(), value: payback, note: vec![text(months)] },
    ]
}

/// The monthly saving, large.
fn saving(reader: &Reader<'_>) -> Tile {
    let mut note = vec![
        text(format!("{}, ", reader.report.currency)),
        reader.span("/savings_rate", Format::Percent(1)),
        text(" of the bill"),
    ];
    if held::is_changed(reader) {
        note.extend([text("; by the purchases "), reader.span("/split/by_purchases_monthly", Format::Whole)]);
    }
    Tile { label: "Saves a month".into(), value: reader.cell("/savings_monthly", Format::Whole), note }
}

/// Purchases in one table; the columns are those that a decision needs.
fn purchases(reader: &Reader<'_>, most: usize) -> Table {
    let report = reader.report;
    let rows = report.purchases.iter().enumerate().take(most).map(|(index, purchase)| {
        let at = |field: &str, format| reader.cell(&format!("/purchases/{index}/{field}"), format);
        vec![
            Cell::Text(super::explain::subject(purchase)),
            Cell::Text(super::explain::region(purchase).to_owned()),
            Cell::Text(purchase.term.clone()),
            Cell::Text(super::explain::payment(purchase)),
            at("quantity", Format::Plain(2)),
            Cell::Text(purchase.quantity_unit.clone()),
            at("upfront", Format::Whole),
            at("monthly", Format::Whole),
            at("savings_monthly", Format::Whole),
            at("utilisation", Format::Percent(1)),
            at("break_even_month", Format::Plain(0)),
        ]
    });
    let mut columns = columns(&["What", "Region", "Term", "Payment"], &["Quantity"]);
    columns.extend(self::columns(&["Unit"], &["Upfront", "A month", "Saves a month", "Used", "Even in month"]));
    Table {
        id: "purchases".into(),
        caption: format!("What to buy; amounts in {}", report.currency),
        columns,
        rows: rows.collect(),
    }
}

/// A paragraph of plain text.
fn paragraph(words: impl Into<String>) -> Block {
    Block::Paragraph(vec![text(words)])
}
