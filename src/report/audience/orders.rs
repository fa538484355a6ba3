//! The page for who places the orders: the fields to enter, the call or form of the provider, and what to check afterwards.

use super::super::document::{Block, Cell, Document, Format, Reader, Table, columns, text};
use super::super::explain::{payment, region, subject};
use super::super::model::Purchase;
use super::{held, paragraph, subtitle};

pub(super) fn document(reader: &Reader<'_>) -> Document {
    let title = "Order list: cloud commitments".to_owned();
    let report = reader.report;
    let mut actions = Vec::new();
    held::orders(reader, &mut actions);
    if report.purchases.is_empty() {
        let nothing = if actions.is_empty() { "Nothing to order." } else { "Nothing to buy; the actions below alone." };
        actions.insert(0, paragraph(nothing));
        return Document { title, subtitle: subtitle(reader), blocks: actions };
    }
    let mut blocks = vec![Block::Paragraph(vec![
        text(format!(
            "{}{} orders, in this order. Nothing here has been bought: each is placed by hand, upfront ",
            if actions.is_empty() { "" } else { "The actions on what is held, then " },
            report.purchases.len()
        )),
        reader.money("/upfront"),
        text(" in all."),
    ])];
    blocks.extend(actions);
    let purchases = [
        Block::Heading("Fields to enter".into()),
        Block::Table(fields(reader)),
        Block::Heading("Where to order".into()),
        Block::Table(calls(reader)),
        Block::Heading("Check after".into()),
        Block::Table(expected(reader)),
    ];
    blocks.extend(purchases);
    let providers: Vec<&str> = report.purchases.iter().map(|purchase| purchase.provider.as_str()).collect();
    blocks.push(Block::List(checks(&providers)));
    Document { title, subtitle: subtitle(reader), blocks }
}

fn number(index: usize) -> Cell {
    Cell::Text((index + 1).to_string())
}

fn fields(reader: &Reader<'_>) -> Table {
    let rows = reader.report.purchases.iter().enumerate().map(|(index, purchase)| {
        let at = |field: &str, format| reader.cell(&format!("/purchases/{index}/{field}"), format);
        vec![
            number(index),
            Cell::Text(subject(purchase)),
            Cell::Text(region(purchase).to_owned()),
            Cell::Text(purchase.scope.clone()),
            Cell::Text(purchase.term.clone()),
            Cell::Text(payment(purchase)),
            Cell::Text(purchase.start.to_string()),
            at("quantity", Format::Plain(2)),
            Cell::Text(purchase.quantity_unit.clone()),
            at("upfront", Format::Cents),
            at("recurring_hourly", Format::Plain(4)),
        ]
    });
    let mut heads = columns(&["No.", "What", "Region", "Scope", "Term", "Payment", "Buy on"], &["Quantity"]);
    heads.extend(columns(&["Unit"], &["Upfront", "Recurring an hour"]));
    Table {
        id: "fields".into(),
        caption: format!("One row an order; amounts in {} for the whole quantity", reader.report.currency),
        columns: heads,
        rows: rows.collect(),
    }
}

fn calls(reader: &Reader<'_>) -> Table {
    let rows = reader.report.purchases.iter().enumerate().map(|(index, purchase)| {
        let id = if purchase.provider_id.is_empty() { "look up by the fields above" } else { &purchase.provider_id };
        vec![number(index), Cell::Text(call(purchase).to_owned()), Cell::Text(purchase.offer.clone()), Cell::Text(id.to_owned())]
    });
    Table {
        id: "calls".into(),
        caption: "The provider's call or form, and the offer".into(),
        columns: columns(&["No.", "Call or form", "Offer in the catalog", "Provider's identifier"], &[]),
        rows: rows.collect(),
    }
}

fn expected(reader: &Reader<'_>) -> Table {
    let rows = reader.report.purchases.iter().enumerate().map(|(index, purchase)| {
        let at = |field: &str, format| reader.cell(&format!("/purchases/{index}/{field}"), format);
        vec![
            number(index),
            Cell::Text(subject(purchase)),
            Cell::Text(purchase.end.to_string()),
            at("effective_hourly", Format::Plain(4)),
            at("utilisation", Format::Percent(1)),
            at("break_even_utilisation", Format::Percent(1)),
            at("covered_on_demand_monthly", Format::Whole),
        ]
    });
    Table {
        id: "expected".into(),
        caption: format!("What the bill should show, {}; ask why below the break-even utilisation", reader.report.currency),
        columns: columns(
            &["No.", "What", "Ends on"],
            &["Amortised an hour", "Used", "Break-even utilisation", "Covers on-demand a month"],
        ),
        rows: rows.collect(),
    }
}

/// The provider's public call to place an order (API reference of each service), or the form where there is none.
fn call(purchase: &Purchase) -> &'static str {
    match (purchase.provider.as_str(), purchase.kind.as_str(), purchase.service.as_str()) {
        ("aws", "spend_plan", _) => "Savings Plans API: CreateSavingsPlan",
        ("aws", _, "AmazonEC2") => "EC2 API: PurchaseReservedInstancesOffering",
        ("aws", _, "AmazonRDS") => "RDS API: PurchaseReservedDBInstancesOffering",
        ("aws", _, "AmazonElastiCache") => "ElastiCache API: PurchaseReservedCacheNodesOffering",
        ("aws", _, "AmazonES") => "OpenSearch Service API: PurchaseReservedInstanceOffering",
        ("aws", _, "AmazonRedshift") => "Redshift API: PurchaseReservedNodeOffering",
        ("aws", _, "AmazonMemoryDB") => "MemoryDB API: PurchaseReservedNodesOffering",
        ("aws", _, _) => "the service's console: reserved capacity",
        ("azure", "spend_plan", _) => "Billing benefits API: Savings Plan Order Alias - Create",
        ("azure", _, _) => "Reservations API: Reservation Order - Purchase",
        ("gcp", "spend_plan", _) => "Cloud console: Billing, Committed use discounts (spend-based)",
        ("gcp", _, _) => "Compute Engine API: regionCommitments.insert",
        _ => "the provider's console",
    }
}

fn checks(providers: &[&str]) -> Vec<Vec<super::Span>> {
    let mut checks = vec![
        "Before: the order form shows the quantity, term, payment option and price of the table; if a price differs, do not buy, plan again.",
        "Same day: the provider lists each order as active, with the end date above and without automatic renewal.",
        "After two full days: the utilisation of each order is near the one above; one far below was bought in the wrong region, scope or platform.",
        "After the first full month: lay the invoice beside covermix's replay with these commitments added to the portfolio.",
    ];
    if providers.contains(&"aws") {
        checks.push("AWS: discount sharing is switched on for the accounts that use it; a Savings Plan of small commitment can be returned within seven days of purchase in the same month.");
    }
    if providers.contains(&"azure") {
        checks.push("Azure: the scope is the one above, and the subscription pays in the catalog's currency.");
    }
    if providers.contains(&"gcp") {
        checks.push("Google Cloud: commitments cannot be cancelled; the project shares discounts over the billing account if the scope is shared.");
    }
    checks.into_iter().map(|check| vec![text(check)]).collect()
}
