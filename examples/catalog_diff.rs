//! What moved between two price lists: on-demand prices, commitments, plan rates and spot prices that became dearer or cheaper, appeared
//! or ended.
//!
//! `cargo run --release --no-default-features --example catalog_diff -- OLD NEW [--json] [--all]`
//!
//! OLD and NEW are price lists of any format that `Catalog::read` reads, such as two dates of Google Cloud's list. Without arguments it
//! compares two small lists of its own. Exit code 2 means that a list could not be read.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use clap::Parser;
use covermix::catalog::{Catalog, Change, Difference, Subject};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Print what moved between two price lists.
/// Prints a line; ends quietly where nobody reads on (`| head`).
macro_rules! say {
    ($($text:tt)*) => {
        if writeln!(std::io::stdout(), $($text)*).is_err() {
            std::process::exit(0);
        }
    };
}

#[derive(Parser)]
struct Arguments {
    /// The older list.
    #[arg(requires = "new")]
    old: Option<PathBuf>,
    /// The newer list.
    new: Option<PathBuf>,
    /// Print JSON: counts, and an array of moves.
    #[arg(long)]
    json: bool,
    /// Print every move, not the largest 20 of each kind.
    #[arg(long)]
    all: bool,
}

/// The kinds of prices, in the order of the report.
const KINDS: [(Subject, &str); 4] = [
    (Subject::OnDemand, "on-demand price"),
    (Subject::Offer, "commitment"),
    (Subject::Rate, "plan rate"),
    (Subject::Spot, "spot price"),
];
const DIRECTIONS: [&str; 4] = ["dearer", "cheaper", "appeared", "ended"];

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
fn units(catalogs: [&Catalog; 2]) -> BTreeMap<(Subject, String), String> {
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
fn unit_of(units: &BTreeMap<(Subject, String), String>, difference: &Difference) -> String {
    let key = match difference.id.split_once(" for ") {
        Some((_, sku)) if difference.subject == Subject::Rate => (Subject::OnDemand, sku.to_owned()),
        _ => (difference.subject, difference.id.clone()),
    };
    units.get(&key).cloned().unwrap_or_default()
}

fn percent(difference: &Difference) -> Option<Decimal> {
    difference.relative().map(|share| (share * Decimal::ONE_HUNDRED).round_dp(2))
}

type Counts = BTreeMap<&'static str, BTreeMap<&'static str, usize>>;

/// How many moves of each kind and direction.
fn count(differences: &[Difference]) -> Counts {
    let mut counts: Counts =
        KINDS.iter().map(|(_, kind)| (*kind, DIRECTIONS.iter().map(|direction| (*direction, 0)).collect())).collect();
    for difference in differences {
        let kind = KINDS.iter().find(|(subject, _)| *subject == difference.subject).map_or("other", |(_, kind)| kind);
        *counts.entry(kind).or_default().entry(read_change(difference.change).0).or_default() += 1;
    }
    counts
}

fn print_table(differences: &[Difference], units: &BTreeMap<(Subject, String), String>, all: bool) {
    say!("{:<16} {:>9} {:>9} {:>9} {:>9}", "number of prices", "dearer", "cheaper", "appeared", "ended");
    for (kind, of) in count(differences) {
        let [dearer, cheaper, appeared, ended] = DIRECTIONS.map(|direction| of[direction]);
        say!("{kind:<16} {dearer:>9} {cheaper:>9} {appeared:>9} {ended:>9}");
    }
    for (subject, kind) in KINDS {
        let of_kind = differences.iter().filter(|difference| difference.subject == subject);
        let mut moved: Vec<_> = of_kind.filter_map(|difference| Some((difference, percent(difference)?))).collect();
        if moved.is_empty() {
            continue;
        }
        moved.sort_by(|a, b| b.1.abs().cmp(&a.1.abs()).then_with(|| a.0.id.cmp(&b.0.id)));
        let shown = if all { moved.len() } else { moved.len().min(20) };
        say!("\n{kind}: {} moved, the largest {shown}", moved.len());
        say!("{:>14} {:>14} {:>10}  {:<22} price", "old", "new", "change", "unit");
        for (difference, percent) in &moved[..shown] {
            let (_, old, new) = read_change(difference.change);
            let [old, new] =
                [old, new].map(|price| price.map(|price| price.round_dp(8).normalize().to_string()).unwrap_or_default());
            say!("{old:>14} {new:>14} {percent:>+9} %  {:<22} {}", unit_of(units, difference), difference.id);
        }
    }
}

fn print_json(differences: &[Difference], units: &BTreeMap<(Subject, String), String>) {
    let moves: Vec<_> = differences
        .iter()
        .map(|difference| {
            let (direction, old, new) = read_change(difference.change);
            let kind = KINDS.iter().find(|(subject, _)| *subject == difference.subject).map(|(_, kind)| kind);
            serde_json::json!({
                "kind": kind, "id": difference.id, "unit": unit_of(units, difference), "direction": direction, "old": old, "new": new,
                "percent": percent(difference),
            })
        })
        .collect();
    say!("{:#}", serde_json::json!({ "counts": count(differences), "moves": moves }));
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let own = |name: &str| Path::new("tests/data/gcp").join(name);
    let given = arguments.old.zip(arguments.new);
    let is_own = given.is_none();
    let (old, new) = given.unwrap_or_else(|| (own("pricing.yml"), own("pricing-later.yml")));
    let (before, after) = match Catalog::read(&old).and_then(|before| Ok((before, Catalog::read(&new)?))) {
        Ok(both) => both,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    if before.currency() != after.currency() {
        eprintln!("{}: prices in {}, but {}: in {}", old.display(), before.currency(), new.display(), after.currency());
        return ExitCode::from(2);
    }
    let differences = Catalog::diff(&before, &after);
    let units = units([&before, &after]);
    if arguments.json {
        print_json(&differences, &units);
    } else {
        for (path, catalog) in [(&old, &before), (&new, &after)] {
            let date = catalog.price_date().map_or_else(|| "undated   ".to_owned(), |date| date.to_string());
            let left_out: u64 = catalog.rejected().iter().map(|rejection| rejection.count).sum();
            say!("{date}  {} ({left_out} entries left out)", path.display());
        }
        say!();
        print_table(&differences, &units, arguments.all);
    }
    if is_own {
        let counts = count(&differences);
        let of = |kind: &str| DIRECTIONS.map(|direction| counts[kind][direction]);
        // C2 is 5 % dearer (two machines, their vCPU, two commitments), N1 commitments are 2 % cheaper (vCPU and memory, two terms), f1 has
        // ended (the machine, its vCPU, its spot price), spot prices of N2 are 10 % higher.
        assert_eq!((of("on-demand price"), of("commitment"), of("spot price")), ([3, 0, 0, 2], [2, 4, 0, 0], [4, 0, 0, 1]));
    }
    ExitCode::SUCCESS
}
