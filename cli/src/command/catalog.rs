//! `covermix catalog`: what is wrong with a price list, and what moved between two.

use crate::answer::{Answer, Failure, Result, Verdict};
use clap::{Args, Subcommand};
use covermix::catalog::{Catalog, Change, Check, Difference, Rejection, RejectionReason, Severity, Subject};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Check a price list, or compare two.
#[derive(Debug, Args)]
pub(crate) struct Prices {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(CheckList),
    Diff(Compare),
}

/// Look for prices that cannot be right: a 3-year price above the 1-year price, a term's price given by
/// the hour, prices of 0.
///
/// Exit code 1 if there is an error among the findings; warnings and notes are printed and leave it 0.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Example:
  covermix catalog check prices.json.gz"
)]
struct CheckList {
    /// A price list of any format that covermix reads.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print every finding, not the first 20 of each kind.
    #[arg(long)]
    all: bool,
}

/// Print what moved between two price lists: dearer, cheaper, appeared, ended
///
/// Exit code 1 if anything moved.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Example:
  covermix catalog diff prices-june.json.gz prices-july.json.gz --json"
)]
struct Compare {
    /// The older list.
    old: PathBuf,
    /// The newer list.
    new: PathBuf,
    /// Print every move, not the largest 20 of each kind.
    #[arg(long)]
    all: bool,
}

/// So many lines of a kind are printed without --all.
const SHOWN: usize = 20;

impl Prices {
    pub(crate) fn run(&self) -> Result<Answer> {
        match &self.command {
            Command::Check(command) => command.run(),
            Command::Diff(command) => command.run(),
        }
    }
}

impl CheckList {
    fn run(&self) -> Result<Answer> {
        let catalog = Catalog::read(&self.file)?;
        let findings = catalog.check();
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{}: {} on-demand prices, {} offers, {} spot prices, in {}, of {}",
            self.file.display(),
            catalog.prices().len(),
            catalog.offers().len(),
            catalog.spot().len(),
            catalog.currency(),
            catalog.price_date().map_or_else(|| "no date".to_owned(), |date| date.to_string()),
        );
        let mut by_check: BTreeMap<Check, Vec<String>> = BTreeMap::new();
        for finding in &findings {
            by_check.entry(finding.check).or_default().push(finding.to_string());
        }
        for of in by_check.values() {
            let shown = if self.all { of.len() } else { of.len().min(SHOWN) };
            for finding in &of[..shown] {
                let _ = writeln!(text, "{finding}");
            }
            if shown < of.len() {
                let _ = writeln!(text, "  and {} more of this kind (--all prints them)", of.len() - shown);
            }
        }
        let of = |severity: Severity| findings.iter().filter(|finding| finding.check.severity() == severity).count();
        let [errors, warnings, notes] = [Severity::Error, Severity::Warning, Severity::Note].map(of);
        let _ = writeln!(text, "{errors} error(s), {warnings} warning(s), {notes} note(s)");
        let rejected: Vec<Value> = catalog.rejected().iter().map(rejection).collect();
        let document = json!({
            "schema": "covermix-catalog-check/1", "file": self.file, "currency": catalog.currency(), "price_date": catalog.price_date(),
            "source": catalog.source(), "prices": catalog.prices().len(), "offers": catalog.offers().len(), "spot": catalog.spot().len(),
            "errors": errors, "warnings": warnings, "notes": notes, "left_out": rejected,
            "findings": findings.iter().map(|finding| json!({
                "check": finding.check.name(), "severity": severity(finding.check.severity()), "item": finding.item,
                "detail": finding.detail, "remedy": finding.check.remedy(),
            })).collect::<Vec<_>>(),
        });
        let verdict = if errors > 0 { Verdict::No } else { Verdict::Done };
        Ok(Answer { text, document, verdict })
    }
}

fn severity(of: Severity) -> &'static str {
    match of {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn rejection(of: &Rejection) -> Value {
    let reason = match of.reason {
        RejectionReason::NoPrice => "no_price",
        RejectionReason::UnreadablePrice => "unreadable_price",
        RejectionReason::AboveOnDemand => "above_on_demand",
        RejectionReason::UnknownTerms => "unknown_terms",
        RejectionReason::NoOnDemandPrice => "no_on_demand_price",
        RejectionReason::Superseded => "superseded",
        RejectionReason::NotUsage => "not_usage",
        RejectionReason::Incomplete => "incomplete",
        RejectionReason::NotSelected => "not_selected",
        RejectionReason::FeeOfUnknownPlan => "fee_of_unknown_plan",
        RejectionReason::Implausible => "implausible",
        _ => "other",
    };
    json!({ "reason": reason, "item": of.item, "count": of.count })
}

/// The kinds of prices, in the order of the report.
const KINDS: [(Subject, &str); 4] = [
    (Subject::OnDemand, "on-demand price"),
    (Subject::Offer, "commitment"),
    (Subject::Rate, "plan rate"),
    (Subject::Spot, "spot price"),
];
const DIRECTIONS: [&str; 4] = ["dearer", "cheaper", "appeared", "ended"];

type Units = BTreeMap<(Subject, String), String>;
type Counts = BTreeMap<&'static str, BTreeMap<&'static str, usize>>;

impl Compare {
    fn run(&self) -> Result<Answer> {
        let (before, after) = (Catalog::read(&self.old)?, Catalog::read(&self.new)?);
        if before.currency() != after.currency() {
            return Err(Failure::wrong(
                format!(
                    "{}: prices in {}, but {}: in {}",
                    self.old.display(),
                    before.currency(),
                    self.new.display(),
                    after.currency()
                ),
                "give two lists in one currency",
            ));
        }
        let differences = Catalog::diff(&before, &after);
        let units = units([&before, &after]);
        let mut text = String::new();
        let list = |path: &Path, catalog: &Catalog| {
            let date = catalog.price_date().map_or_else(|| "undated   ".to_owned(), |date| date.to_string());
            let left_out: u64 = catalog.rejected().iter().map(|rejection| rejection.count).sum();
            format!("{date}  {} ({left_out} entries left out)", path.display())
        };
        let _ = writeln!(text, "{}\n{}\n", list(&self.old, &before), list(&self.new, &after));
        table(&differences, &units, self.all, &mut text);
        let document = document(&differences, &units);
        let verdict = if differences.is_empty() { Verdict::Done } else { Verdict::No };
        Ok(Answer { text, document, verdict })
    }
}

/// Direction, old and new price.
fn read_change(change: Change) -> (&'static str, Option<Decimal>, Option<Decimal>) {
    match change {
        Change::Dearer { from, to } => ("dearer", Some(from), Some(to)),
        Change::Cheaper { from, to } => ("cheaper", Some(from), Some(to)),
        Change::Appeared { at } => ("appeared", None, Some(at)),
        Change::Ended { at } => ("ended", Some(at), None),
    }
}

/// What a price is per, by subject and identifier, of both lists.
fn units(catalogs: [&Catalog; 2]) -> Units {
    let mut units = BTreeMap::new();
    for catalog in catalogs {
        let per = |unit: &str| format!("{}/{unit}", catalog.currency());
        for price in catalog.prices() {
            units.insert((Subject::OnDemand, price.id.clone()), per(&price.sku.unit));
        }
        for offer in catalog.offers() {
            units.insert((Subject::Offer, offer.id.clone()), per("hour of the term"));
        }
        for spot in catalog.spot() {
            units.insert((Subject::Spot, spot.id.clone()), per(&spot.sku.unit));
        }
    }
    units
}

/// The unit of a difference; a rate is per unit of the price that it is for.
fn unit_of(units: &Units, difference: &Difference) -> String {
    let key = match difference.id.split_once(" for ") {
        Some((_, sku)) if difference.subject == Subject::Rate => (Subject::OnDemand, sku.to_owned()),
        _ => (difference.subject, difference.id.clone()),
    };
    units.get(&key).cloned().unwrap_or_default()
}

fn percent(difference: &Difference) -> Option<Decimal> {
    difference.relative().map(|share| (share * Decimal::ONE_HUNDRED).round_dp(2))
}

fn kind(subject: Subject) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == subject).map_or("other", |(_, kind)| kind)
}

/// How many moves of each kind and direction.
fn count(differences: &[Difference]) -> Counts {
    let mut counts: Counts =
        KINDS.iter().map(|(_, kind)| (*kind, DIRECTIONS.iter().map(|direction| (*direction, 0)).collect())).collect();
    for difference in differences {
        *counts.entry(kind(difference.subject)).or_default().entry(read_change(difference.change).0).or_default() += 1;
    }
    counts
}

fn table(differences: &[Difference], units: &Units, all: bool, text: &mut String) {
    let _ = writeln!(text, "{:<16} {:>9} {:>9} {:>9} {:>9}", "number of prices", "dearer", "cheaper", "appeared", "ended");
    for (kind, of) in count(differences) {
        let [dearer, cheaper, appeared, ended] = DIRECTIONS.map(|direction| of.get(direction).copied().unwrap_or_default());
        let _ = writeln!(text, "{kind:<16} {dearer:>9} {cheaper:>9} {appeared:>9} {ended:>9}");
    }
    for (subject, kind) in KINDS {
        let of_kind = differences.iter().filter(|difference| difference.subject == subject);
        let mut moved: Vec<_> = of_kind.filter_map(|difference| Some((difference, percent(difference)?))).collect();
        if moved.is_empty() {
            continue;
        }
        moved.sort_by(|a, b| b.1.abs().cmp(&a.1.abs()).then_with(|| a.0.id.cmp(&b.0.id)));
        let shown = if all { moved.len() } else { moved.len().min(SHOWN) };
        let _ = writeln!(text, "\n{kind}: {} moved, the largest {shown}", moved.len());
        let _ = writeln!(text, "{:>14} {:>14} {:>10}  {:<22} price", "old", "new", "change", "unit");
        for (difference, percent) in &moved[..shown] {
            let (_, old, new) = read_change(difference.change);
            let [old, new] =
                [old, new].map(|price| price.map(|price| price.round_dp(8).normalize().to_string()).unwrap_or_default());
            let unit = unit_of(units, difference);
            let _ = writeln!(text, "{old:>14} {new:>14} {percent:>+9} %  {unit:<22} {}", difference.id);
        }
    }
}

fn document(differences: &[Difference], units: &Units) -> Value {
    let moves: Vec<_> = differences
        .iter()
        .map(|difference| {
            let (direction, old, new) = read_change(difference.change);
            json!({
                "kind": kind(difference.subject), "id": difference.id, "unit": unit_of(units, difference), "direction": direction,
                "old": old, "new": new, "percent": percent(difference),
            })
        })
        .collect();
    json!({ "schema": "covermix-catalog-diff/1", "counts": count(differences), "moves": moves })
}
