//! Why each purchase is what it is, in two plain sentences: what it does, and what its size and its risk hang on.

use super::document::{Format, Reader, Span, text};
use super::model::Purchase;

/// The two sentences about a purchase.
pub(super) fn sentences(reader: &Reader<'_>, index: usize) -> [Vec<Span>; 2] {
    let Some(purchase) = reader.report.purchases.get(index) else { return [Vec::new(), Vec::new()] };
    [what_it_does(reader, purchase, index), what_it_hangs_on(reader, purchase, index)]
}

/// What a purchase is for, in words: `r5.large Linux`, `Compute plan`.
pub(super) fn subject(purchase: &Purchase) -> String {
    let mut words = purchase.subject.clone();
    if !purchase.platform.is_empty() {
        words.push(' ');
        words.push_str(&purchase.platform);
    }
    if !matches!(purchase.tenancy.as_str(), "" | "shared") {
        words.push_str(", ");
        words.push_str(&purchase.tenancy);
    }
    words
}

/// The payment option, in words.
pub(super) fn payment(purchase: &Purchase) -> String {
    purchase.payment_option.replace('_', " ")
}

/// The region, in words.
pub(super) fn region(purchase: &Purchase) -> &str {
    if purchase.region.is_empty() { "all regions" } else { &purchase.region }
}

fn what_it_does(reader: &Reader<'_>, purchase: &Purchase, index: usize) -> Vec<Span> {
    let (at, currency) = (format!("/purchases/{index}"), &reader.report.currency);
    let mut spans = vec![text("Buy "), reader.span(&format!("{at}/quantity"), Format::Plain(2))];
    let of = if purchase.kind == "spend_plan" { format!("{currency} an hour of the ") } else { "of ".to_owned() };
    spans.push(text(format!(
        " {of}{} in {} for {}, {}: ",
        subject(purchase),
        region(purchase),
        purchase.term,
        payment(purchase)
    )));
    if purchase.upfront.value().is_zero() {
        spans.push(text("it costs "));
    } else {
        spans.extend([text("it costs "), reader.money(&format!("{at}/upfront")), text(" at purchase and ")]);
    }
    spans.push(reader.money(&format!("{at}/monthly")));
    spans.push(text(" a month and takes the place of "));
    spans.push(reader.money(&format!("{at}/covered_on_demand_monthly")));
    spans.push(text(" of on-demand usage a month, which saves "));
    spans.push(reader.money(&format!("{at}/savings_monthly")));
    spans.push(text(" a month."));
    spans
}

fn what_it_hangs_on(reader: &Reader<'_>, purchase: &Purchase, index: usize) -> Vec<Span> {
    let at = format!("/purchases/{index}");
    let percent = |field: &str| reader.span(&format!("{at}/{field}"), Format::Percent(1));
    let mut spans = vec![text("It pays from a utilisation of "), percent("break_even_utilisation"), text(" on (")];
    spans.extend([percent("utilisation"), text(" is expected)")]);
    match purchase.break_even_month {
        Some(_) => spans.extend([
            text(" and has earned all it will ever cost in month "),
            reader.span(&format!("{at}/break_even_month"), Format::Plain(0)),
            text(" of its term"),
        ]),
        None => spans.push(text(" and does not earn all it costs within its term")),
    }
    let step = || {
        let what = if purchase.kind == "spend_plan" { format!(" {} an hour", reader.report.currency) } else { String::new() };
        [reader.span(&format!("{at}/step"), Format::Plain(2)), text(what)]
    };
    spans.push(text("; "));
    spans.extend(step());
    match purchase.change_with_one_more {
        Some(_) => spans.extend([
            text(" more would change the cost of the hours planned by "),
            reader.change(&format!("{at}/change_with_one_more")),
        ]),
        None if purchase.stopped_by.is_empty() => spans.push(text(" more is not sold")),
        None => spans.push(text(format!(" more would break {}", purchase.stopped_by.join(" and ")))),
    }
    match purchase.change_with_one_less {
        Some(_) => spans.extend([
            text(if purchase.change_with_one_more.is_some() {
                ", as much less by "
            } else {
                ", and as much less would change the cost of the hours planned by "
            }),
            reader.change(&format!("{at}/change_with_one_less")),
            text("."),
        ]),
        None => spans.push(text(", and as much less would break a rule.")),
    }
    spans
}
