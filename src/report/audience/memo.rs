//! The page for who signs: the ask, what it is worth, what it does to cash and EBITDA, the risk, and lines for approval. One sheet of paper.

use super::super::document::{Block, Document, Format, Reader, Tile, text};
use super::{held, investment, paragraph, proof, risks, saving, subtitle, years};

pub(super) fn document(reader: &Reader<'_>) -> Document {
    let report = reader.report;
    let mut blocks = Vec::new();
    let actions = held::summary(reader);
    let title = "Decision memo: cloud commitments";
    if report.purchases.is_empty() {
        let is_acting = actions.is_some();
        if let Some(actions) = actions {
            blocks.push(Block::Heading("The ask".into()));
            blocks.push(Block::Paragraph(vec![
                text("Approve the actions below and buy nothing: they take the monthly bill from "),
                reader.money("/before_monthly"),
                text(" to "),
                reader.money("/billed_monthly"),
                text("."),
            ]));
            blocks.push(Block::Paragraph(actions));
        } else {
            blocks.push(paragraph("Nothing is asked for: no commitment that the policy allows lowers this bill."));
        }
        blocks.push(Block::Paragraph(proof(reader)));
        blocks.extend(is_acting.then_some(Block::Approval));
        return Document { title: title.into(), subtitle: subtitle(reader), blocks };
    }
    let (reservations, plans): (Vec<_>, Vec<_>) = report.purchases.iter().partition(|purchase| purchase.kind == "reservation");
    blocks.push(Block::Heading("The ask".into()));
    blocks.push(Block::Paragraph(vec![
        text(format!(
            "Approve {} purchases ({} of reservations, {} of spend plans) on {}. They commit ",
            report.purchases.len(),
            reservations.len(),
            plans.len(),
            report.finance.purchase_date
        )),
        reader.money("/obligation"),
        text(" over their terms, "),
        reader.money("/upfront"),
        text(if actions.is_some() {
            " of it at purchase, and together with the actions below take the monthly bill from "
        } else {
            " of it at purchase, and take the monthly bill from "
        }),
        reader.money("/before_monthly"),
        text(" to "),
        reader.money("/billed_monthly"),
        text("."),
    ]));
    blocks.extend(actions.map(Block::Paragraph));
    let mut due = vec![text(report.currency.clone())];
    if held::is_changed(reader) {
        due.extend([text(", beside "), reader.span("/split/paid_for_actions", Format::Whole), text(" for the actions")]);
    }
    let mut tiles =
        vec![saving(reader), Tile { label: "Due at purchase".into(), value: reader.cell("/upfront", Format::Whole), note: due }];
    tiles.extend(investment(reader));
    tiles.push(Tile {
        label: "Most ever out of pocket".into(),
        value: reader.cell("/finance/largest_exposure", Format::Whole),
        note: vec![text(report.currency.clone())],
    });
    blocks.push(Block::Tiles(tiles));
    blocks.push(Block::Heading("Cash and EBITDA".into()));
    blocks.push(Block::Table(years(reader)));
    blocks.push(Block::Heading("What could go wrong".into()));
    blocks.push(Block::List(risks(reader)));
    blocks.push(Block::Heading("How we know".into()));
    blocks.push(Block::Paragraph(proof(reader)));
    blocks.push(Block::Heading("Approval".into()));
    blocks.push(Block::Approval);
    Document { title: title.into(), subtitle: subtitle(reader), blocks }
}
