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

/// The rules that allow the actions, each once.
fn rules<'r>(reader: &Reader<'r>) -> Vec<&'r str> {
    let mut rules: Vec<&str> = Vec::new();
    for action in reader.report.actions.iter().filter(|action| is_change(action)) {
        if !rules.contains(&action.rule.as_str()) {
            rules.push(&action.rule);
        }
    }
    rules
}

/// Every action with quantity, cash and the number of its rule.
fn table(reader: &Reader<'_>) -> Table {
    let rules = rules(reader);
    let rows = reader.report.actions.iter().enumerate().map(|(index, action)| {
        let at = |field: &str, format| reader.cell(&format!("/actions/{index}/{field}"), format);
        vec![
            Cell::Text(name(action)),
            Cell::Text(commitments(action)),
            Cell::Text(action.before.clone()),
            Cell::Text(action.after.clone()),
            Cell::Text(action.at.to_string()),
            Cell::Text(day(action.deadline)),
            Cell::Text(
                rules.iter().position(|rule| *rule == action.rule).map_or_else(|| "–".into(), |at| format!("({})", at + 1)),
            ),
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
            "What to do with what is held, {}; worth: what the plan would cost more without this one action; worths do not add up",
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
    let rules: Vec<Vec<Span>> =
        rules(reader).into_iter().enumerate().map(|(index, rule)| vec![text(format!("Rule ({}): {rule}", index + 1))]).collect();
    if !rules.is_empty() {
        blocks.push(Block::List(rules));
    }
}

/// The orders of the actions, for who places them; nothing if there are none.
pub(super) fn orders(reader: &Reader<'_>, blocks: &mut Vec<Block>) {
    let ordered: Vec<(usize, &Action)> =
        reader.report.actions.iter().enumerate().filter(|(_, action)| !action.call.is_empty()).collect();
    if ordered.is_empty() {
        return;
    }
    let number = |position: usize| Cell::Text(format!("A{}", position + 1));
    let fields = ordered.iter().enumerate().map(|(position, (index, action))| {
        let at = |field: &str, format| reader.cell(&format!("/actions/{index}/{field}"), format);
        vec![
            number(position),
            Cell::Text(name(action)),
            Cell::Text(commitments(action)),
            Cell::Text(action.account.clone()),
            Cell::Text(action.decided.to_string()),
            Cell::Text(day(action.deadline)),
            at("gives/0/quantity", Format::Plain(2)),
            at("paid", Format::Cents),
            at("received", Format::Cents),
        ]
    });
    let calls = ordered.iter().enumerate().map(|(position, (_, action))| {
        let parameters: Vec<String> = action.parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        vec![number(position), Cell::Text(action.call.clone()), Cell::Text(parameters.join("; "))]
    });
    blocks.push(Block::Heading("Actions on what is held".into()));
    blocks.push(Block::Table(Table {
        id: "action-orders".into(),
        caption: format!("What to do with what is held, before buying; amounts in {}", reader.report.currency),
        columns: columns(&["No.", "Action", "Commitment", "Account", "Do on", "Until"], &["Given up", "Pay", "Comes back"]),
        rows: fields.collect(),
    }));
    blocks.push(Block::Table(Table {
        id: "action-calls".into(),
        caption: "The provider's call or form, and what to enter".into(),
        columns: columns(&["No.", "Call or form", "What to enter"], &[]),
        rows: calls.collect(),
    }));
}

/// The commitments that an action gives up.
fn commitments(action: &Action) -> String {
    action.gives.iter().map(|given| given.commitment.as_str()).collect::<Vec<_>>().join(", ")
}

/// A day, or a dash.
fn day(day: Option<chrono::NaiveDate>) -> String {
    day.map_or_else(|| "–".to_owned(), |day| day.to_string())
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
