//! Charts of usage and coverage.

use super::super::model::{CoveragePoint, LoadDuration, Report};
use super::Drawing;
use super::axes::{Axes, INK, Side, both, from_zero, series, swatch, ticks};
use crate::error::Result;
use chrono::Datelike;

/// An ordinary week: usage on top, and below it what each instrument covers.
pub(super) fn week(report: &Report) -> Result<Option<Drawing>> {
    let week = &report.week;
    if week.hours.len() < 2 {
        return Ok(None);
    }
    let usage: Vec<(f64, f64)> = week.hours.iter().enumerate().map(|(hour, row)| (hour as f64, row.usage.to_f64())).collect();
    let mut layers: Vec<Vec<(f64, f64)>> = vec![usage.iter().map(|(x, _)| (*x, 0.0)).collect()];
    for index in 0..week.instruments.len() {
        let below = &layers[index];
        let layer = below.iter().zip(&week.hours).map(|((x, y), row)| (*x, y + row.covered[index].to_f64())).collect();
        layers.push(layer);
    }
    let day_ticks = (0..week.hours.len()).filter_map(|hour| {
        let at = week.from + chrono::TimeDelta::hours(i64::try_from(hour).ok()?);
        (at.time() == chrono::NaiveTime::MIN).then(|| (hour as f64, at.format("%a %-d %b").to_string()))
    });
    let axes = Axes {
        label: format!("Usage and coverage by instrument, hour by hour from {}", week.from.date_naive()),
        x: (0.0, (week.hours.len() - 1) as f64),
        y: from_zero(usage.iter().map(|point| point.1)),
        x_ticks: day_ticks.collect(),
        x_unit: "hours, UTC".into(),
        y_unit: format!("{} an hour, at on-demand prices", report.currency),
        has_y_ticks: true,
        heights: (300, 240),
    };
    let (wide, narrow) = both(&axes, |plot| {
        for (index, pair) in (0_u8..).zip(layers.windows(2)) {
            plot.band(&pair[0], &pair[1], series(index), 1.0)?;
        }
        if let Some(covered) = layers.last() {
            plot.band(covered, &usage, series(6), 0.35)?;
        }
        plot.line(usage.clone(), INK, 2)
    })?;
    let mut legend: Vec<(&'static str, String)> =
        (0_u8..).zip(&week.instruments).map(|(index, name)| (swatch(index), name.clone())).collect();
    legend.push(("b6", "left on demand".into()));
    legend.push(("b7 line", "usage".into()));
    let caption = format!("An ordinary week, hour by hour: what covers the usage (from {})", week.from.date_naive());
    Ok(Some(Drawing { caption, legend, wide, narrow }))
}

/// All days: usage and the waterline of coverage.
pub(super) fn days(report: &Report) -> Result<Option<Drawing>> {
    let days = &report.days;
    if days.len() < 3 {
        return Ok(None);
    }
    let line = |of: fn(&super::super::model::Day) -> f64| -> Vec<(f64, f64)> {
        days.iter().enumerate().map(|(index, day)| (index as f64, of(day))).collect()
    };
    let (usage, covered) = (line(|day| day.usage.to_f64()), line(|day| day.covered.to_f64()));
    let is_long = days.len() > 62;
    let tick = |(index, day): (usize, &super::super::model::Day)| {
        let is_tick = if is_long { day.day.day() == 1 } else { day.day.day() % 7 == 1 };
        is_tick.then(|| (index as f64, day.day.format(if is_long { "%b %Y" } else { "%-d %b" }).to_string()))
    };
    let axes = Axes {
        label: "Usage of every day and what commitments cover of it".into(),
        x: (0.0, (days.len() - 1) as f64),
        y: from_zero(usage.iter().map(|point| point.1)),
        x_ticks: days.iter().enumerate().filter_map(tick).collect(),
        x_unit: "days, UTC".into(),
        y_unit: format!("{} an hour, mean of the day, at on-demand prices", report.currency),
        has_y_ticks: true,
        heights: (260, 220),
    };
    let floor: Vec<(f64, f64)> = usage.iter().map(|(x, _)| (*x, 0.0)).collect();
    let (wide, narrow) = both(&axes, |plot| {
        plot.band(&floor, &covered, series(0), 1.0)?;
        plot.band(&covered, &usage, series(6), 0.35)?;
        plot.line(usage.clone(), INK, 2)
    })?;
    let legend = vec![("b0", "covered with the plan".into()), ("b6", "left on demand".into()), ("b7 line", "usage".into())];
    Ok(Some(Drawing { caption: "All days: usage and the waterline of coverage".into(), legend, wide, narrow }))
}

/// A load-duration curve with the levels chosen.
pub(super) fn load_duration(report: &Report, index: usize) -> Result<Option<Drawing>> {
    let Some(LoadDuration { name, unit, points, levels }) = report.load_duration.get(index) else { return Ok(None) };
    let curve: Vec<(f64, f64)> = points.iter().map(|point| (100.0 * point.share.to_f64(), point.usage.to_f64())).collect();
    if curve.iter().all(|point| point.1 <= 0.0) {
        return Ok(None);
    }
    let axes = Axes {
        label: format!("Load-duration curve: {name}"),
        x: (0.0, 100.0),
        y: from_zero(curve.iter().map(|point| point.1).chain(levels.iter().map(|level| level.level.to_f64()))),
        x_ticks: ticks((0.0, 100.0), 5).into_iter().map(|tick| (tick, format!("{tick:.0} %"))).collect(),
        x_unit: "share of hours with at least this usage".into(),
        y_unit: unit.clone(),
        has_y_ticks: true,
        heights: (240, 220),
    };
    let floor: Vec<(f64, f64)> = curve.iter().map(|(x, _)| (*x, 0.0)).collect();
    let (wide, narrow) = both(&axes, |plot| {
        plot.band(&floor, &curve, series(6), 0.35)?;
        plot.line(curve.clone(), INK, 2)?;
        for (index, level) in (0_u8..).zip(levels) {
            let level = level.level.to_f64();
            plot.line(vec![(0.0, level), (100.0, level)], series(index), 3)?;
        }
        Ok(())
    })?;
    let mut legend = vec![("b7 line", "usage".into())];
    for (index, level) in levels.iter().enumerate() {
        let class = ["b0 line", "b1 line", "b2 line", "b3 line", "b4 line", "b5 line", "b6 line"][index % 7];
        let words = if index == 0 { level.name.clone() } else { format!("with {}", level.name) };
        legend.push((class, format!("{words}: {}", super::axes::short(level.level.to_f64()))));
    }
    Ok(Some(Drawing { caption: format!("Load-duration curve and level chosen: {name}"), legend, wide, narrow }))
}

/// Cost against coverage, with today and the plan.
pub(super) fn coverage(report: &Report) -> Result<Option<Drawing>> {
    let curve = &report.coverage;
    if curve.points.len() < 2 {
        return Ok(None);
    }
    let at = |point: &CoveragePoint| (100.0 * point.coverage.to_f64(), point.cost.to_f64());
    let mut line: Vec<(f64, f64)> = curve.points.iter().map(at).collect();
    let (today, plan) = (curve.today.as_ref().map(at), curve.plan.as_ref().map(at));
    // Within its gap the plan is the lowest cost at its own coverage too.
    line.extend(plan);
    line.sort_by(|a, b| a.0.total_cmp(&b.0));
    let axes = Axes {
        label: "Lowest cost at each coverage, today and the plan".into(),
        x: (0.0, 100.0),
        y: from_zero(line.iter().chain(&today).chain(&plan).map(|point| point.1)),
        x_ticks: ticks((0.0, 100.0), 5).into_iter().map(|tick| (tick, format!("{tick:.0} %"))).collect(),
        x_unit: "coverage: share of usage at on-demand prices".into(),
        y_unit: format!("{} over the hours planned", report.currency),
        has_y_ticks: true,
        heights: (260, 240),
    };
    let (wide, narrow) = both(&axes, |plot| {
        plot.line(line.clone(), series(0), 3)?;
        for (point, name, color) in [(today, "today", series(1)), (plan, "plan", series(5))] {
            if let Some(point) = point {
                plot.dot(point, color)?;
                // Below the curve there is room, on the side away from the nearer edge.
                let side = if point.0 > 50.0 { Side::Right } else { Side::Left };
                plot.text(name, point, (if point.0 > 50.0 { -4 } else { 12 }, 20), side)?;
            }
        }
        Ok(())
    })?;
    let legend = vec![
        ("b0 line", "lowest cost at that coverage, purchases in any fraction, up to the plan".into()),
        ("b1", "today".into()),
        ("b5", "plan, billed".into()),
    ];
    Ok(Some(Drawing { caption: "Cost against coverage".into(), legend, wide, narrow }))
}
