//! Axes with units around a plot: round ticks, labels that keep their distance, and colours by name. plotters draws; what it writes as colour
//! values is replaced by the names of the style sheet, which change with light and dark.

use super::super::html::escaped;
use crate::error::{Error, Problem, Result};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// What plotters can fail with; writing to a text it does not.
pub(super) type Failure = DrawingAreaErrorKind<std::io::Error>;

/// Stand-ins for the colours of the style sheet.
pub(super) const INK: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(1, 1, 2);
pub(super) const GROUND: RGBColor = RGBColor(1, 1, 3);

/// The colour of a series, 0 to 6.
pub(super) fn series(index: u8) -> RGBColor {
    RGBColor(1, 2, index % 7)
}

/// The class of a series' swatch.
pub(super) fn swatch(index: u8) -> &'static str {
    ["b0", "b1", "b2", "b3", "b4", "b5", "b6"][usize::from(index % 7)]
}

/// What a chart looks like around its data.
#[derive(Clone, Debug)]
pub(super) struct Axes {
    /// For readers who do not see it.
    pub(super) label: String,
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
    /// Positions and labels; those too near to the one before are left out.
    pub(super) x_ticks: Vec<(f64, String)>,
    pub(super) x_unit: String,
    pub(super) y_unit: String,
    /// Whether the y axis has ticks (categories write their own labels).
    pub(super) has_y_ticks: bool,
    /// The height in pixels on a wide and on a narrow screen.
    pub(super) heights: (u32, u32),
}

/// The plot to draw on, in the data's coordinates.
pub(super) struct Plot<'p> {
    area: DrawingArea<SVGBackend<'p>, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    root: DrawingArea<SVGBackend<'p>, Shift>,
    font: i32,
}

/// Where a text stands from its point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Left,
    Middle,
    Right,
}

/// Both sizes of a chart.
pub(super) fn both(axes: &Axes, draw: impl Fn(&Plot<'_>) -> Result<(), Failure>) -> Result<(String, String)> {
    Ok((one(axes, (1080, axes.heights.0), &draw)?, one(axes, (362, axes.heights.1), &draw)?))
}

fn one(axes: &Axes, size: (u32, u32), draw: &impl Fn(&Plot<'_>) -> Result<(), Failure>) -> Result<String> {
    let mut svg = String::new();
    render(&mut svg, axes, size, draw).map_err(|error| {
        let problem = Problem::OutOfRange { value: axes.label.clone(), range: "the charts that can be drawn" };
        Error::from(problem).in_field("report.chart").caused_by(error)
    })?;
    Ok(named(&svg, axes, size))
}

fn render(
    svg: &mut String,
    axes: &Axes,
    size: (u32, u32),
    draw: &impl Fn(&Plot<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    // plotters writes a size of 15 as 12 pixels.
    let font: i32 = 15;
    let root = SVGBackend::with_string(svg, size).into_drawing_area();
    let left = if axes.has_y_ticks { 52 } else { 4 };
    let chart = ChartBuilder::on(&root)
        .margin_top(24)
        .margin_right(12)
        .x_label_area_size(44)
        .y_label_area_size(left)
        .build_cartesian_2d(axes.x.0..axes.x.1, axes.y.0..axes.y.1)?;
    let plot = Plot { area: chart.plotting_area().clone(), root: root.clone(), font };
    plot.grid(axes, size)?;
    draw(&plot)?;
    plot.frame(axes)?;
    root.present()
}

impl Plot<'_> {
    /// A line through points.
    pub(super) fn line(&self, points: Vec<(f64, f64)>, color: RGBColor, width: u32) -> Result<(), Failure> {
        self.area.draw(&PathElement::new(points, color.stroke_width(width)))
    }

    /// A filled area between two lines over the same x.
    pub(super) fn band(&self, lower: &[(f64, f64)], upper: &[(f64, f64)], color: RGBColor, opacity: f64) -> Result<(), Failure> {
        let outline: Vec<(f64, f64)> = upper.iter().chain(lower.iter().rev()).copied().collect();
        self.area.draw(&Polygon::new(outline, color.mix(opacity).filled()))
    }

    /// A filled box.
    pub(super) fn bar(&self, from: (f64, f64), to: (f64, f64), color: RGBColor) -> Result<(), Failure> {
        self.area.draw(&Rectangle::new([from, to], color.filled()))
    }

    /// A dot with a rim of the page's colour.
    pub(super) fn dot(&self, at: (f64, f64), color: RGBColor) -> Result<(), Failure> {
        self.area.draw(&Circle::new(at, 7, GROUND.filled()))?;
        self.area.draw(&Circle::new(at, 5, color.filled()))
    }

    /// A text beside a point, moved by some pixels.
    pub(super) fn text(&self, words: &str, at: (f64, f64), by: (i32, i32), side: Side) -> Result<(), Failure> {
        let (x, y) = self.area.map_coordinate(&at);
        self.write(words, (x + by.0, y + by.1), side)
    }

    fn write(&self, words: &str, at: (i32, i32), side: Side) -> Result<(), Failure> {
        let anchor = match side {
            Side::Left => HPos::Left,
            Side::Middle => HPos::Center,
            Side::Right => HPos::Right,
        };
        let style = TextStyle::from(("sans-serif", self.font).into_font()).color(&INK).pos(Pos::new(anchor, VPos::Center));
        self.root.draw(&Text::new(words.to_owned(), at, style))
    }

    fn grid(&self, axes: &Axes, size: (u32, u32)) -> Result<(), Failure> {
        let bottom = self.area.map_coordinate(&(axes.x.0, axes.y.0));
        if axes.has_y_ticks {
            for tick in ticks(axes.y, if size.1 > 220 { 5 } else { 3 }) {
                self.area.draw(&PathElement::new(vec![(axes.x.0, tick), (axes.x.1, tick)], GRID.stroke_width(1)))?;
                let (x, y) = self.area.map_coordinate(&(axes.x.0, tick));
                self.write(&short(tick), (x - 8, y), Side::Right)?;
            }
        }
        self.write(&axes.y_unit, (2, 10), Side::Left)?;
        let right = size.0.cast_signed() - 4;
        self.write(&axes.x_unit, (right, bottom.1 + 35), Side::Right)?;
        let mut free = 0;
        for (at, label) in &axes.x_ticks {
            let (x, y) = self.area.map_coordinate(&(*at, axes.y.0));
            let half = width(label, self.font).div_euclid(2);
            let middle = x.clamp(half + 2, right - half);
            if middle - half >= free {
                self.area.draw(&PathElement::new(vec![(*at, axes.y.0), (*at, axes.y.1)], GRID.stroke_width(1)))?;
                self.write(label, (middle, y + 15), Side::Middle)?;
                free = middle + half + 14;
            }
        }
        Ok(())
    }

    /// The axes themselves, above the data.
    fn frame(&self, axes: &Axes) -> Result<(), Failure> {
        let zero = 0.0_f64.clamp(axes.y.0, axes.y.1);
        if axes.has_y_ticks {
            self.line(vec![(axes.x.0, zero), (axes.x.1, zero)], INK, 1)?;
        }
        Ok(())
    }
}

/// The width of a text in pixels, a little generous.
fn width(text: &str, font: i32) -> i32 {
    i32::try_from(text.chars().count()).unwrap_or(1000) * (font * 48).div_euclid(100)
}

/// Round positions within a range, about so many.
pub(super) fn ticks(range: (f64, f64), count: u32) -> Vec<f64> {
    let span = range.1 - range.0;
    if !(span.is_finite() && span > 0.0) {
        return vec![range.0];
    }
    let rough = span / f64::from(count);
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|one| one * power).find(|step| *step >= rough * 0.999).unwrap_or(rough);
    let first = (range.0 / step - 1e-9).ceil();
    let mut ticks = Vec::new();
    while ticks.len() < 50 {
        let tick = (first + ticks.len() as f64) * step;
        if tick > range.1 + 1e-9 * step {
            break;
        }
        ticks.push(if tick.abs() < step * 1e-9 { 0.0 } else { tick });
    }
    ticks
}

/// A tick in few characters: 1.2M, 450k, 80, 0.5.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    let (scaled, letter) = match size {
        _ if size >= 1e9 => (value / 1e9, "bn"),
        _ if size >= 1e6 => (value / 1e6, "M"),
        _ if size >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = if size >= 100.0 && letter.is_empty() { format!("{scaled:.1}") } else { format!("{scaled:.3}") };
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{}{letter}", text.replace('-', "−"))
}

/// From 0, or below, to a round number above all values.
pub(super) fn from_zero(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (mut low, mut high) = (0.0_f64, 0.0_f64);
    for value in values {
        (low, high) = (low.min(value), high.max(value));
    }
    if high <= low {
        high = low + 1.0;
    }
    let margin = 0.04 * (high - low);
    (if low < 0.0 { low - margin } else { 0.0 }, if high > 0.0 { high + margin } else { 0.0 })
}

/// The drawing with names for colours, without its pixel size, and with a text for readers who do not see it.
fn named(svg: &str, axes: &Axes, size: (u32, u32)) -> String {
    let mut text = svg.replace("\"#010101\"", "\"currentColor\"").replace("\"#010102\"", "\"var(--grid)\"");
    text = text.replace("\"#010103\"", "\"var(--ground)\"");
    for index in 0..7 {
        text = text.replace(&format!("\"#0102{index:02X}\""), &format!("\"var(--s{index})\""));
    }
    let sized = format!("<svg width=\"{}\" height=\"{}\"", size.0, size.1);
    text.replacen(&sized, &format!("<svg role=\"img\" aria-label=\"{}\"", escaped(&axes.label)), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_short() {
        assert_eq!(ticks((0.0, 104.0), 5), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(ticks((-1.0, 1.0), 4), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(ticks((3.0, 3.0), 4), [3.0]);
        assert_eq!(ticks((0.0, 1.04e6), 5).into_iter().map(short).collect::<Vec<_>>(), ["0", "250k", "500k", "750k", "1M"]);
        assert_eq!((short(-12500.0), short(0.25), short(169.665)), ("−12.5k".into(), "0.25".into(), "169.7".into()));
    }
}
