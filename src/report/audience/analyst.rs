//! The page for who must be sure: decision first, then everything that stands behind it.

use super::super::document::{Block, Cell, Document, Format, Picture, Reader, Span, Table, Tile, columns, text};
use super::super::explain::{sentences, subject};
use super::{held, investment, paragraph, proof, purchases, risks, saving, subtitle, years};

pub(super) fn document(reader: &Reader<'_>) -> Document {
    let mut blocks = Vec::new();
    decision(reader, &mut blocks);
    what_could_go_wrong(reader, &mut blocks);
    evidence(reader, &mut blocks);
    money(reader, &mut blocks);
    sources(reader, &mut blocks);
    Document { title: "Cloud commitments: recommendation".into(), subtitle: subtitle(reader), blocks }
}

fn decision(reader: &Reader<'_>, blocks: &mut Vec<Block>) {
    let report = reader.report;
    blocks.push(Block::Heading("Decision".into()));
    if report.purchases.is_empty() {
        blocks.push(paragraph(if held::is_changed(reader) {
            "Buy nothing: beside the actions on what is held no commitment that the policy allows lowers this bill."
        } else {
            "Buy nothing: no commitment that the policy allows lowers this bill."
        }));
        blocks.push(Block::Paragraph(proof(reader)));
        held::analyst(reader, blocks);
        if held::is_changed(reader) {
            blocks.push(Block::Heading("What it does to the bill".into()));
            blocks.push(Block::Table(before_after(reader)));
        }
        return;
    }
    let and_actions = if held::is_changed(reader) { ", and take the actions on what is held below" } else { "" };
    blocks.push(Block::Paragraph(vec![
        text(format!("Make {} purchases{and_actions}. The bill falls from ", report.purchases.len())),
        reader.money("/before_monthly"),
        text(" to "),
        reader.money("/billed_monthly"),
        text(" a month; "),
        reader.money("/obligation"),
        text(" is committed over their terms, "),
        reader.money("/upfront"),
        text(" of it at purchase."),
    ]));
    let mut tiles = vec![saving(reader)];
    tiles.extend(investment(reader));
    tiles.push(Tile {
        label: "Gap to the proven bound".into(),
        value: reader.cell("/gap", Format::Percent(3)),
        note: vec![text("no plan can be better by more")],
    });
    blocks.push(Block::Tiles(tiles));
    blocks.push(Block::Table(purchases(reader, usize::MAX)));
    held::analyst(reader, blocks);
    blocks.push(Block::Heading("What it does to the bill".into()));
    blocks.push(Block::Table(before_after(reader)));
}

fn before_after(reader: &Reader<'_>) -> Table {
    let is_changed = held::is_changed(reader);
    let mut rows = vec![
        ("All usage on demand", "on_demand_equivalent", Format::Whole),
        ("Left on demand", "on_demand", Format::Whole),
        ("Commitments, used", "used_commitment", Format::Whole),
        ("Commitments, unused", "unused_commitment", Format::Whole),
        ("Actions, at once and not in the bill", "given_up", Format::Whole),
        ("Bill, amortised", "cost", Format::Whole),
        ("Bill, a month", "cost_monthly", Format::Whole),
        ("Effective savings rate (list)", "effective_savings_rate_list", Format::Percent(1)),
        ("Coverage", "coverage", Format::Percent(1)),
        ("Utilisation", "utilisation", Format::Percent(1)),
    ];
    if reader.report.after.given_up.value().is_zero() {
        rows.retain(|(_, field, _)| *field != "given_up");
    }
    let (bills, heads): (&[&str], &[&str]) = if is_changed {
        (&["before", "acted", "after"], &["As held", "After the actions alone", "With actions and purchases"])
    } else {
        (&["before", "after"], &["Without the purchases", "With them"])
    };
    let row = |(name, field, format): (&str, &str, Format)| {
        let cells = bills.iter().map(|bill| reader.cell(&format!("/{bill}/{field}"), format));
        std::iter::once(Cell::Text(name.to_owned())).chain(cells).collect()
    };
    Table {
        id: "bill".into(),
        caption: format!("{} over the hours planned", reader.report.currency),
        columns: columns(&["Figure"], heads),
        rows: rows.into_iter().map(row).collect(),
    }
}

fn what_could_go_wrong(reader: &Reader<'_>, blocks: &mut Vec<Block>) {
    let report = reader.report;
    let risks = risks(reader);
    if risks.is_empty() {
        return;
    }
    blocks.push(Block::Heading("What could go wrong".into()));
    blocks.push(Block::List(risks));
    if report.purchases.is_empty() {
        return;
    }
    let rows = report.cases.iter().enumerate().map(|(index, case)| {
        let at = |field: &str, format| reader.cell(&format!("/cases/{index}/{field}"), format);
        vec![
            Cell::Text(case.name.clone()),
            Cell::Text(case.assumption.clone()),
            at("probability", Format::Percent(0)),
            at("before_monthly", Format::Whole),
            at("after_monthly", Format::Whole),
            at("savings_monthly", Format::Whole),
            at("unused_monthly", Format::Whole),
            at("utilisation", Format::Percent(1)),
            at("npv", Format::Whole),
        ]
    });
    blocks.push(Block::Table(Table {
        id: "cases".into(),
        caption: format!(
            "The same purchases{} in other futures, {} a month",
            if held::is_changed(reader) { " and actions" } else { "" },
            report.currency
        ),
        columns: columns(
            &["Case", "Assumption"],
            &["Probability", "Bill without", "Bill with", "Saves", "Unused", "Utilisation", "Net present value"],
        ),
        rows: rows.collect(),
    }));
    blocks.push(Block::Picture(Picture::Fan));
    blocks.push(Block::Picture(Picture::Tornado));
}

fn evidence(reader: &Reader<'_>, blocks: &mut Vec<Block>) {
    let report = reader.report;
    blocks.push(Block::Heading("Usage and coverage".into()));
    blocks.push(Block::Picture(Picture::Week));
    blocks.push(Block::Picture(Picture::Days));
    for index in 0..report.load_duration.len() {
        blocks.push(Block::Picture(Picture::LoadDuration(index)));
    }
    blocks.push(Block::Picture(Picture::Coverage));
    if !report.purchases.is_empty() {
        blocks.push(Block::Heading("Why each purchase".into()));
        let reason = |index: usize| -> Vec<Span> {
            let [first, second] = sentences(reader, index);
            let name = Span::Strong(format!("{}. ", subject(&report.purchases[index])));
            [vec![name], first, vec![text(" ")], second].concat()
        };
        blocks.push(Block::List((0..report.purchases.len()).map(reason).collect()));
    }
    blocks.push(Block::Heading("How we know".into()));
    blocks.push(Block::Paragraph(proof(reader)));
    let parts = [
        ("The provider's order of applying commitments", "billing_order"),
        ("Whole purchases", "integrality"),
        ("The bound's tolerance", "tolerance"),
    ];
    let row = |(name, field): (&str, &str)| {
        vec![Cell::Text(name.to_owned()), reader.cell(&format!("/certificate/{field}"), Format::Cents)]
    };
    blocks.push(Block::Table(Table {
        id: "gap".into(),
        caption: format!("What the gap is made of, {}", report.currency),
        columns: columns(&["Part"], &["Amount"]),
        rows: parts.into_iter().map(row).collect(),
    }));
    blocks.push(Block::Heading("Rules that bind, and their price".into()));
    if report.rules.is_empty() {
        blocks.push(paragraph(
            "No limit of the policy that is an amount or a share holds the plan back by more than the search's tolerance.",
        ));
    } else {
        let row = |index: usize| {
            let at = |field: &str, format| reader.cell(&format!("/rules/{index}/{field}"), format);
            vec![
                reader.text(&format!("/rules/{index}/rule")),
                at("limit", Format::Plain(4)),
                at("loosened", Format::Plain(4)),
                at("price", Format::Whole),
            ]
        };
        blocks.push(Block::Table(Table {
            id: "rules".into(),
            caption: format!(
                "By how much the lowest cost falls with a limit a tenth looser, {} over the hours planned, purchases in any fraction",
                report.currency
            ),
            columns: columns(&["Rule"], &["Limit", "Loosened", "Price"]),
            rows: (0..report.rules.len()).map(row).collect(),
        }));
    }
    baselines(reader, blocks);
}

fn baselines(reader: &Reader<'_>, blocks: &mut Vec<Block>) {
    let rows = reader.report.baselines.iter().enumerate().map(|(index, baseline)| {
        vec![
            Cell::Text(baseline.rule.clone()),
            Cell::Text(if baseline.allowed_by_policy { "yes" } else { "no" }.into()),
            reader.cell(&format!("/baselines/{index}/billed_cost"), Format::Whole),
            reader.cell(&format!("/baselines/{index}/more_than_plan"), Format::Whole),
        ]
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    if !rows.is_empty() {
        blocks.push(Block::Heading("Simple rules, billed alike".into()));
        blocks.push(Block::Table(Table {
            id: "baselines".into(),
            caption: format!("{} over the hours planned", reader.report.currency),
            columns: columns(&["Rule", "Allowed by the policy"], &["Bill", "More than the plan"]),
            rows,
        }));
    }
}

fn money(reader: &Reader<'_>, blocks: &mut Vec<Block>) {
    let report = reader.report;
    if !report.finance.months.is_empty() {
        blocks.push(Block::Heading("Cash and accounts".into()));
        blocks.push(paragraph(format!(
            "The purchases against the same usage without them, over their terms, none renewed; usage goes on as it was. Upfront payments are {}.",
            if report.finance.treatment == "capitalised" { "capitalised" } else { "prepaid expense of a service contract" }
        )));
        blocks.push(Block::Table(years(reader)));
        blocks.push(Block::Picture(Picture::Cash));
        blocks.push(Block::Picture(Picture::Accounts));
    }
    if !report.ladder.is_empty() {
        blocks.push(Block::Heading("When commitments end".into()));
        blocks.push(Block::Picture(Picture::Ladder));
    }
    if !report.held.is_empty() {
        let row = |index: usize| {
            vec![
                reader.text(&format!("/held/{index}/id")),
                reader.text(&format!("/held/{index}/offer")),
                reader.text(&format!("/held/{index}/end")),
                reader.cell(&format!("/held/{index}/quantity"), Format::Plain(2)),
                reader.cell(&format!("/held/{index}/effective_hourly"), Format::Plain(4)),
                reader.cell(&format!("/held/{index}/utilisation"), Format::Percent(1)),
            ]
        };
        blocks.push(Block::Table(Table {
            id: "held".into(),
            caption: "Held already".into(),
            columns: columns(&["Commitment", "Offer", "Ends on"], &["Quantity", "Cost an hour", "Used with the plan"]),
            rows: (0..report.held.len()).map(row).collect(),
        }));
    }
}

fn sources(reader: &Reader<'_>, blocks: &mut Vec<Block>) {
    let report = reader.report;
    blocks.push(Block::Heading("Sources".into()));
    blocks.push(Block::List(vec![
        vec![text(format!("Prices: {}.", report.catalog.source.trim_end_matches('.')))],
        vec![
            text("Usage: "),
            reader.span("/hours", Format::Plain(0)),
            text(format!(" hours from {}.", report.usage_from.format("%Y-%m-%d %H:%M UTC"))),
        ],
        vec![
            text(format!("Search: covermix {}, ", report.version)),
            reader.span("/sweeps", Format::Plain(0)),
            text(" sweeps over all hours in "),
            reader.span("/seconds", Format::Plain(1)),
            text(" seconds."),
        ],
        vec![text("A month is 730 hours. Figures here are rounded; the exact ones are in the CSV and JSON of the same name.")],
    ]));
}
