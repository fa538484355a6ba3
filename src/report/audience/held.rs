//! What to do with what is held, for each reader, and which part of the savings that is.

use super::super::document::{Block, Cell, Format, Reader, Span, Table, columns, text};
use super::super::model::Action;
use std::collections::BTreeMap;

/// Whether anything is done with what is held: actions beside renewals, which are purchases, and what lapses by itself.
pub(super) fn is_changed(reader: &Reader<'_>) -> bool {
    reader.report.actions.iter().any(is_change)
}

fn is_change(action: &Action) -> bool {
    !action.rule.is_empty()
}

/// An action in words.
fn name(action: &Action) -> String {
    action.action.replace('_', " ")
}

/// How many of which kind: `3 exchange, 1 sell`.
fn counted(reader: &Reader<'_>) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for action in reader.report.actions.iter().filter(|action| is_change(action)) {
        *counts.entry(name(action)).or_default() += 1;
    }
    let parts: Vec<String> = counts.into_iter().map(|(name, count)| format!("{count} x {name}")).collect();
    parts.join(", ")
}

/// What is done, its part of the savings and its cash, in one paragraph; `None` if nothing is done.
pub(super) fn summary(reader: &Reader<'_>) -> Option<Vec<Span>> {
    let report = reader.report;
    let changes = || report.actions.iter().filter(|action| is_change(action));
    let (first, last) = (changes().map(|action| action.decided).min()?, changes().map(|action| action.decided).max()?);
    let when = if first == last { format!("on {first}") } else { format!("from {first} to {last}") };
    let deadline = changes().filter_map(|action| action.deadline).min();
    let by = deadline.map_or_else(String::new, |day| format!(" (the earliest deadline is {day})"));
    let mut spans = vec![text(format!("Actions on what is held, {when}{by}: {}. They save ", counted(reader)))];
    spans.push(reader.money("/split/by_actions_monthly"));
    spans.push(text(" of the "));
    spans.push(reader.money("/savings_monthly"));
    spans.push(text(" a month, the purchases the other "));
    spans.push(reader.money("/split/by_purchases_monthly"));
    spans.push(text("; counted after the purchases instead of before them they would be "));
    spans.push(reader.money("/split/by_actions_counted_last_monthly"));
    spans.push(text(" of it. They cost "));
    spans.push(reader.money("/split/paid_for_actions"));
    spans.push(text(" at once and bring in "));
    spans.push(reader.money("/split/received_for_actions"));
    spans.push(text("."));
    Some(spans)
}

/// The savings in their two parts.
fn split(reader: &Reader<'_>) -> Table {
    let row = |name: &str, path: &str, monthly: &str| {
        vec![Cell::Text(name.into()), reader.cell(path, Format::Whole), reader.cell(monthly, Format::Whole)]
    };
    Table {
        id: "split".into(),
        caption: format!(
            "What saves how much, {}: cost with nothing done, then with the actions alone, then with both",
            reader.report.currency
        ),
        columns: columns(&["Savings"], &["Over the hours planned", "A month"]),
        rows: vec![
            row("By actions on what is held", "/split/by_actions", "/split/by_actions_monthly"),
            row("By the purchases", "/split/by_purchases", "/split/by_purchases_monthly"),
            row("In all", "/savings", "/savings_monthly"),
            row("(Actions, counted last)", "/split/by_actions_counted_last", "/split/by_actions_counted_last_monthly"),
        ],
    }
}

/// Every action with quantity, cash and rule.
fn table(reader: &Reader<'_>) -> Table {
    let rows = reader.report.actions.iter().enumerate().map(|(index, action)| {
        let at = |field: &str, format| reader.cell(&format!("/actions/{index}/{field}"), format);
        let day = |day: Option<chrono::NaiveDate>| day.map_or_else(|| "–".to_owned(), |day| day.to_string());
        let held: Vec<&str> = action.gives.iter().map(|given| given.commitment.as_str()).collect();
        vec![
            Cell::Text(name(action)),
            Cell::Text(held.join(", ")),
            Cell::Text(action.before.clone()),
            Cell::Text(action.after.clone()),
            Cell::Text(day(Some(action.at))),
            Cell::Text(day(action.deadline)),
            Cell::Text(if action.rule.is_empty() { "ends by itself, or is bought anew".into() } else { action.rule.clone() }),
            at("gives/0/quantity", Format::Plain(2)),
            at("receives/0/quantity", Format::Plain(2)),
            at("paid", Format::Whole),
            at("received", Format::Whole),
            at("value", Format::Whole),
        ]
    });
    Table {
        id: "actions".into(),
        caption: format!(
            "What to do with what is held, {}; worth: what the plan would cost more without this one action, so that worths do not add up",
            reader.report.currency
        ),
        columns: columns(
            &["Action", "Commitment", "Before", "After", "From", "Until", "Rule"],
            &["Given up", "Received", "Paid at once", "Comes back at once", "Worth"],
        ),
        rows: rows.collect(),
    }
}

/// The analyst's part; nothing if nothing happens to what is held.
pub(super) fn analyst(reader: &Reader<'_>, blocks: &mut Vec<Block>) {
    if reader.report.actions.is_empty() {
        return;
    }
    blocks.push(Block::Heading("What is held".into()));
    if let Some(summary) = summary(reader) {
        blocks.push(Block::Paragraph(summary));
        blocks.push(Block::Table(split(reader)));
    }
    blocks.push(Block::Table(table(reader)));
}

/// The orders of the actions, for who places them; nothing if there are none.
pub(super) fn orders(reader: &Reader<'_>, blocks: &mut Vec<Block>) {
    let ordered: Vec<(usize, &Action)> =
        reader.report.actions.iter().enumerate().filter(|(_, action)| !action.call.is_empty()).collect();
    if ordered.is_empty() {
        return;
    }
    let rows = ordered.into_iter().enumerate().map(|(position, (index, action))| {
        let at = |field: &str, format| reader.cell(&format!("/actions/{index}/{field}"), format);
        let parameters: Vec<String> = action.parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        vec![
            Cell::Text(format!("A{}", position + 1)),
            Cell::Text(name(action)),
            Cell::Text(action.gives.iter().map(|given| given.commitment.as_str()).collect::<Vec<_>>().join(", ")),
            Cell::Text(action.account.clone()),
            Cell::Text(action.call.clone()),
            Cell::Text(parameters.join("; ")),
            Cell::Text(action.decided.to_string()),
            Cell::Text(action.deadline.map_or_else(|| "–".to_owned(), |day| day.to_string())),
            at("gives/0/quantity", Format::Plain(2)),
            at("paid", Format::Cents),
            at("received", Format::Cents),
        ]
    });
    let table = Table {
        id: "action-orders".into(),
        caption: format!("What to do with what is held, before buying; amounts in {}", reader.report.currency),
        columns: columns(
            &["No.", "Action", "Commitment", "Account", "Call or form", "Parameters", "Do on", "Until"],
            &["Given up", "Pay", "Comes back"],
        ),
        rows: rows.collect(),
    };
    blocks.push(Block::Heading("Actions on what is held".into()));
    blocks.push(Block::Table(table));
}

/// The plan where prices change, in one sentence each.
pub(super) fn prices(reader: &Reader<'_>) -> Vec<Vec<Span>> {
    let sentence = |(index, case): (usize, &super::super::model::Repriced)| {
        let at = |field: &str| format!("/repriced/{index}/{field}");
        vec![
            text(format!("Scenario “{}” (", case.name)),
            reader.span(&at("probability"), Format::Percent(0)),
            text(") changes prices of "),
            reader.money(&at("affected_monthly")),
            text(" a month of usage, "),
            reader.span(&at("affected_share"), Format::Percent(1)),
            text(" of it at on-demand prices, which the plan was not made with: at its prices the plan costs "),
            reader.money(&at("plan_monthly")),
            text(" a month instead of "),
            reader.money(&at("plan_at_catalog_monthly")),
            text(", and saves "),
            reader.money(&at("savings_monthly")),
            text(" instead of "),
            reader.money(&at("savings_at_catalog_monthly")),
            text("."),
        ]
    };
    reader.report.repriced.iter().enumerate().map(sentence).collect()
}
