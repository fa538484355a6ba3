//! Charts of money and time.

use super::super::figure::Figure;
use super::super::model::Report;
use super::Drawing;
use super::axes::{Axes, INK, Side, both, from_zero, series, swatch};
use crate::error::Result;

/// Ticks at months, as many as there is room for: January and July where there are years of them.
fn month_ticks(months: &[&str]) -> Vec<(f64, String)> {
    let is_long = months.len() > 18;
    let tick = |(index, month): (usize, &&str)| {
        let is_tick = !is_long || month.ends_with("-01") || month.ends_with("-07");
        is_tick.then(|| (index as f64 + 0.5, (*month).to_owned()))
    };
    months.iter().enumerate().filter_map(tick).collect()
}

fn axes(report: &Report, label: &str, months: &[&str], y: (f64, f64), unit: &str) -> Axes {
    Axes {
        label: label.to_owned(),
        x: (0.0, months.len().max(1) as f64),
        y,
        x_ticks: month_ticks(months),
        x_unit: "calendar months".into(),
        y_unit: format!("{} {unit}", report.currency),
        has_y_ticks: true,
        heights: (260, 220),
    }
}

/// A bar of a month, from a level to another.
fn month_bar(index: usize, from: f64, to: f64) -> ((f64, f64), (f64, f64)) {
    let x = index as f64;
    ((x + 0.12, from), (x + 0.88, to))
}

/// Net cash of every month, and what is paid to the provider.
pub(super) fn cash(report: &Report) -> Result<Option<Drawing>> {
    let months = &report.finance.months;
    if months.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = months.iter().map(|month| month.month.as_str()).collect();
    let values = months.iter().flat_map(|month| [month.net_cash.to_f64(), month.cash_paid.to_f64()]);
    let axes = axes(report, "Cash by month", &names, from_zero(values), "a month");
    let paid: Vec<(f64, f64)> =
        months.iter().enumerate().map(|(index, month)| (index as f64 + 0.5, month.cash_paid.to_f64())).collect();
    let (wide, narrow) = both(&axes, |plot| {
        for (index, month) in months.iter().enumerate() {
            let (from, to) = month_bar(index, 0.0, month.net_cash.to_f64());
            plot.bar(from, to, series(2))?;
        }
        plot.line(paid.clone(), series(5), 3)
    })?;
    let legend = vec![("b2", "net cash: avoided less paid".into()), ("b5 line", "paid to the provider".into())];
    Ok(Some(Drawing { caption: "Cash by month".into(), legend, wide, narrow }))
}

/// Profit and loss of every month: the expense, what it replaces, and the effect on EBITDA.
pub(super) fn accounts(report: &Report) -> Result<Option<Drawing>> {
    let months = &report.finance.months;
    if months.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = months.iter().map(|month| month.month.as_str()).collect();
    let values = months.iter().flat_map(|month| [month.ebitda_effect.to_f64(), month.expense.to_f64(), month.avoided.to_f64()]);
    let axes = axes(report, "Profit and loss by month", &names, from_zero(values), "a month");
    let line = |of: fn(&super::super::model::FinanceMonth) -> f64| -> Vec<(f64, f64)> {
        months.iter().enumerate().map(|(index, month)| (index as f64 + 0.5, of(month))).collect()
    };
    let (avoided, expense) = (line(|month| month.avoided.to_f64()), line(|month| month.expense.to_f64()));
    let (wide, narrow) = both(&axes, |plot| {
        for (index, month) in months.iter().enumerate() {
            let (from, to) = month_bar(index, 0.0, month.ebitda_effect.to_f64());
            plot.bar(from, to, series(2))?;
        }
        plot.line(avoided.clone(), series(0), 3)?;
        plot.line(expense.clone(), series(5), 3)
    })?;
    let legend = vec![
        ("b2", "effect on EBITDA".into()),
        ("b0 line", "on-demand cost avoided".into()),
        ("b5 line", "expense of the purchases".into()),
    ];
    Ok(Some(Drawing { caption: "Profit and loss by month".into(), legend, wide, narrow }))
}

/// The committed cost an hour, falling as commitments end.
pub(super) fn ladder(report: &Report) -> Result<Option<Drawing>> {
    let months = &report.ladder;
    if months.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = months.iter().map(|month| month.month.as_str()).collect();
    let stack = |month: &super::super::model::LadderMonth| [month.held, month.longer, month.one_year].map(Figure::to_f64);
    let tops = months.iter().map(|month| stack(month).iter().sum::<f64>());
    let axes =
        axes(report, "Committed cost by month until all commitments have ended", &names, from_zero(tops), "an hour, amortised");
    let (wide, narrow) = both(&axes, |plot| {
        for (index, month) in months.iter().enumerate() {
            let mut base = 0.0;
            for (part, color) in stack(month).into_iter().zip([6, 0, 1]) {
                if part > 0.0 {
                    let (from, to) = month_bar(index, base, base + part);
                    plot.bar(from, to, series(color))?;
                }
                base += part;
            }
        }
        Ok(())
    })?;
    let mut legend = Vec::new();
    for (color, name, is_there) in [
        (6, "held before", months.iter().any(|month| month.held.to_f64() > 0.0)),
        (0, "purchases of more than a year", months.iter().any(|month| month.longer.to_f64() > 0.0)),
        (1, "purchases of up to a year", months.iter().any(|month| month.one_year.to_f64() > 0.0)),
    ] {
        if is_there {
            legend.push((swatch(color), name.to_owned()));
        }
    }
    Ok(Some(Drawing { caption: "Expiry ladder: committed cost on the first of each month".into(), legend, wide, narrow }))
}

/// The bill of every month in each case, with and without the purchases.
pub(super) fn fan(report: &Report) -> Result<Option<Drawing>> {
    let Some(base) = report.cases.first().filter(|base| base.months.len() > 1) else { return Ok(None) };
    let names: Vec<&str> = base.months.iter().map(|month| month.month.as_str()).collect();
    let values =
        report.cases.iter().flat_map(|case| &case.months).flat_map(|month| [month.before.to_f64(), month.after.to_f64()]);
    let axes =
        axes(report, "The bill by month in each case, with and without the purchases", &names, from_zero(values), "a month");
    let bounds = |of: fn(&super::super::model::CaseMonth) -> f64| -> [Vec<(f64, f64)>; 2] {
        let column = |index: usize| report.cases.iter().filter_map(move |case| case.months.get(index).map(of));
        let x = |index: usize| index as f64 + 0.5;
        let low = (0..names.len()).map(|index| (x(index), column(index).fold(f64::INFINITY, f64::min)));
        let high = (0..names.len()).map(|index| (x(index), column(index).fold(f64::NEG_INFINITY, f64::max)));
        [low.collect(), high.collect()]
    };
    let line = |of: fn(&super::super::model::CaseMonth) -> f64| -> Vec<(f64, f64)> {
        base.months.iter().enumerate().map(|(index, month)| (index as f64 + 0.5, of(month))).collect()
    };
    let (without, with) = (bounds(|month| month.before.to_f64()), bounds(|month| month.after.to_f64()));
    let (base_without, base_with) = (line(|month| month.before.to_f64()), line(|month| month.after.to_f64()));
    let (wide, narrow) = both(&axes, |plot| {
        plot.band(&without[0], &without[1], series(1), 0.3)?;
        plot.band(&with[0], &with[1], series(0), 0.3)?;
        plot.line(base_without.clone(), series(1), 3)?;
        plot.line(base_with.clone(), series(0), 3)
    })?;
    let cases = report.cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>().join(", ");
    let legend = vec![
        ("b1", format!("bill without the purchases: {cases}")),
        ("b0", format!("bill with them: {cases}")),
        ("b7 line", format!("lines: {}", base.name)),
    ];
    Ok(Some(Drawing { caption: "The bill by month, over all cases".into(), legend, wide, narrow }))
}

/// The net present value with one assumption moved at a time.
pub(super) fn tornado(report: &Report) -> Result<Option<Drawing>> {
    let bars = &report.finance.tornado;
    if bars.is_empty() {
        return Ok(None);
    }
    let middle = report.finance.npv.to_f64();
    let ends: Vec<f64> =
        bars.iter().flat_map(|bar| [bar.npv_at_low.to_f64(), bar.npv_at_high.to_f64()]).chain([middle]).collect();
    let low = ends.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ends.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let margin = 0.06 * (high - low).max(1.0);
    let x = (low - margin, high + margin);
    let rows = bars.len() as f64;
    let height = 70 + 52 * u32::try_from(bars.len()).unwrap_or(1);
    let axes = Axes {
        label: "Net present value with one assumption moved at a time".into(),
        x,
        y: (-rows, 0.0),
        x_ticks: super::axes::ticks(x, 4).into_iter().map(|tick| (tick, super::axes::short(tick))).collect(),
        x_unit: format!("net present value, {}", report.currency),
        y_unit: String::new(),
        has_y_ticks: false,
        heights: (height, height),
    };
    let (wide, narrow) = both(&axes, |plot| {
        for (row, bar) in bars.iter().enumerate() {
            let top = -(row as f64);
            let words = format!("{}: {} to {}", bar.assumption, bar.low, bar.high);
            plot.text(&words, (x.0, top - 0.2), (4, 0), Side::Left)?;
            for (end, color) in [(bar.npv_at_low.to_f64(), 1), (bar.npv_at_high.to_f64(), 0)] {
                plot.bar((middle, top - 0.45), (end, top - 0.85), series(color))?;
            }
            plot.line(vec![(middle, top - 0.4), (middle, top - 0.9)], INK, 2)?;
        }
        Ok(())
    })?;
    let legend = vec![("b1", "at the first value".into()), ("b0", "at the second".into()), ("b7 line", "as planned".into())];
    Ok(Some(Drawing { caption: "What the net present value hangs on".into(), legend, wide, narrow }))
}
