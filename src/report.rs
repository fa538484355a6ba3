//! What people and programs read: a plan as a table for a terminal, and as a report in four forms.
//!
//! A [`Report`] is one model with every number of a plan and its evidence. Its HTML, Markdown, CSV and JSON are written from it alone, so
//! they agree: HTML and Markdown round for people, CSV and JSON are exact, and every number in the HTML names its place in the JSON. There is a
//! page for each [`Audience`]: who signs, who must be sure, who places the orders. See `docs/report.md`.
//!
//! ```no_run
//! # #[cfg(feature = "highs")]
//! # fn main() -> covermix::Result<()> {
//! use covermix::planning::{Options, Planner};
//! use covermix::report::{Audience, Report};
//! use covermix::{catalog::Catalog, usage::UsageCurves};
//!
//! let (catalog, usage) = (Catalog::read("catalog.json")?, UsageCurves::read("usage.csv.gz")?);
//! let problem = Planner::new(&catalog).usage(&usage).build()?;
//! let plan = problem.solve(&Options::default())?;
//! let report = Report::builder(&problem, &plan).build()?;
//! report.write("out/recommendation.json")?; // and .html, .md, .csv beside it
//! println!("{}", report.markdown(Audience::Executive));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "highs"))]
//! # fn main() {}
//! ```

mod audience;
#[cfg(feature = "highs")]
mod build;
mod csv;
mod document;
mod explain;
mod figure;
mod html;
mod markdown;
pub mod model;
mod pictures;
#[cfg(feature = "highs")]
mod table;

pub use audience::Audience;
#[cfg(feature = "highs")]
pub use build::{Builder, Settings};
pub use figure::Figure;
pub use model::Report;
#[cfg(feature = "highs")]
pub use table::recommendation_table;

use crate::error::{Error, Problem, Result};
use crate::files;
use std::path::{Path, PathBuf};

impl Report {
    /// A page for a reader, as one HTML file that needs neither network nor script.
    ///
    /// # Errors
    /// If a chart cannot be drawn.
    pub fn html(&self, audience: Audience) -> Result<String> {
        let reader = document::Reader::new(self);
        html::html(&audience::document(&reader, audience), &reader)
    }

    /// A page for a reader, as Markdown without charts.
    #[must_use]
    pub fn markdown(&self, audience: Audience) -> String {
        let reader = document::Reader::new(self);
        markdown::markdown(&audience::document(&reader, audience))
    }

    /// Every number and text of the report as CSV, one row each: `path, section, item, figure, value, unit`. The path is a JSON pointer
    /// (RFC 6901) into [`Report::json`].
    ///
    /// # Errors
    /// Those of the CSV writer.
    pub fn csv(&self) -> Result<String> {
        csv::values(self)
    }

    /// The order list as CSV, one row a purchase.
    ///
    /// # Errors
    /// Those of the CSV writer.
    pub fn orders_csv(&self) -> Result<String> {
        csv::orders(self)
    }

    /// The report as a JSON document of the schema `covermix-report/1`; [`Report::from_json`] reads it back.
    ///
    /// # Errors
    /// None that a report can cause.
    pub fn json(&self) -> Result<serde_json::Value> {
        let expected = "a report as JSON";
        serde_json::to_value(self).map_err(|error| Error::from(Problem::Malformed { expected }).caused_by(error))
    }

    /// Reads a JSON document written by [`Report::json`], to write its other forms.
    ///
    /// # Errors
    /// [`Problem::Empty`], [`Problem::Malformed`] with the line, [`Problem::Version`] for another schema.
    pub fn from_json(text: &str) -> Result<Self> {
        let report: Self = files::parse_json(text, "a covermix report (covermix-report/1)")?;
        if report.schema != model::SCHEMA {
            return Err(Error::from(Problem::Version { found: report.schema, expected: model::SCHEMA }).in_field("schema"));
        }
        Ok(report)
    }

    /// Writes the JSON document to a file and all other forms beside it: for `plan.json` the analyst's `plan.html`, `plan.md` and `plan.csv`, the
    /// executive's `plan-memo.html` and `plan-memo.md`, the engineer's `plan-orders.html`, `plan-orders.md` and `plan-orders.csv`. Returns their
    /// paths.
    ///
    /// # Errors
    /// [`Problem::InputOutput`], and those of the forms.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        let path = path.as_ref();
        write_json(path, &self.json()?)?;
        let mut written = vec![path.to_owned()];
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut write = |suffix: &str, extension: &str, text: String| -> Result<()> {
            let path = path.with_file_name(format!("{name}{suffix}.{extension}"));
            files::write(&path, |file| file.write_all(text.as_bytes()).map_err(|error| files::input_output(&path, error)))?;
            written.push(path);
            Ok(())
        };
        write("", "csv", self.csv()?)?;
        write(Audience::Engineer.suffix(), "csv", self.orders_csv()?)?;
        for audience in Audience::ALL {
            write(audience.suffix(), "html", self.html(audience)?)?;
            write(audience.suffix(), "md", self.markdown(audience))?;
        }
        Ok(written)
    }
}

/// Writes a JSON document to a file, whole or not at all; folders are made as needed.
///
/// # Errors
/// [`crate::Problem::InputOutput`].
pub fn write_json(path: impl AsRef<Path>, document: &serde_json::Value) -> Result<()> {
    let path = path.as_ref();
    files::write(path, |file| writeln!(file, "{document:#}").map_err(|error| files::input_output(path, error)))
}
