//! The report's charts as SVG, drawn by plotters (feature `report`). Each is drawn twice, for a wide and for a narrow screen, so that its text is
//! as large as the text around it on both. Colours are names of the page's style sheet, which knows light and dark.

#[cfg(feature = "report")]
mod axes;
#[cfg(feature = "report")]
mod money;
#[cfg(feature = "report")]
mod usage;

use super::document::Picture;
use super::model::Report;
use crate::error::Result;

/// A chart with what stands around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drawing {
    pub(super) caption: String,
    /// CSS classes of the swatches, and what they stand for.
    pub(super) legend: Vec<(&'static str, String)>,
    pub(super) wide: String,
    pub(super) narrow: String,
}

/// Draws a picture; `None` if the report has no data for it, or without the feature `report`.
///
/// # Errors
/// If plotters fails.
#[cfg(feature = "report")]
pub(super) fn draw(report: &Report, picture: Picture) -> Result<Option<Drawing>> {
    match picture {
        Picture::Week => usage::week(report),
        Picture::Days => usage::days(report),
        Picture::LoadDuration(index) => usage::load_duration(report, index),
        Picture::Coverage => usage::coverage(report),
        Picture::Cash => money::cash(report),
        Picture::Accounts => money::accounts(report),
        Picture::Ladder => money::ladder(report),
        Picture::Fan => money::fan(report),
        Picture::Tornado => money::tornado(report),
    }
}

/// Without charts there is nothing to draw.
///
/// # Errors
/// None.
#[cfg(not(feature = "report"))]
#[allow(clippy::unnecessary_wraps, reason = "the same signature as with charts")]
pub(super) fn draw(_: &Report, _: Picture) -> Result<Option<Drawing>> {
    Ok(None)
}
