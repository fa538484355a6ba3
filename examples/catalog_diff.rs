//! What moved between two price lists: on-demand prices, commitments, plan rates and spot prices that became dearer or cheaper, appeared
//! or ended.
//!
//! `cargo run --release --no-default-features --example catalog_diff -- OLD NEW [--json] [--all]`
//!
//! OLD and NEW are price lists of one format: the pricing calculator's list of Google Cloud (YAML), answers of the Azure Retail Prices
//! API, or anything that `Catalog::read` reads. Without arguments it compares two small lists of its own. Exit code 2 means that a
//! list could not be read.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use clap::Parser;
use covermix::catalog::azure::RetailPrices;
use covermix::catalog::gcp::{BillingCatalog, Pricing};
use covermix::catalog::{Benefit, Catalog};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Print what moved between two price lists.
#[derive(Parser)]
struct Arguments {
    /// The older list.
    #[arg(requires = "new")]
    old: Option<PathBuf>,
    /// The newer list.
    new: Option<PathBuf>,
    /// Print JSON: an array of moves, and counts.
    #[arg(long)]
    json: bool,
    /// Print every move, not the largest 20 of each kind.
    #[arg(long)]
    all: bool,
}

/// The kinds of prices, in the order of the report.
const KINDS: [&str; 4] = ["on-demand price", "commitment", "plan rate", "spot price"];

/// One price on both sides; absent where it is not listed.
struct Move {
    kind: &'static str,
    id: String,
    unit: String,
    old: Option<Decimal>,
    new: Option<Decimal>,
}

impl Move {
    fn direction(&self) -> &'static str {
        match (self.old, self.new) {
            (None, _) => "appeared",
            (_, None) => "ended",
            (Some(old), Some(new)) if new > old => "dearer",
            (Some(old), Some(new)) if new < old => "cheaper",
            _ => "same",
        }
    }

    /// The change in percent of the old price, where both are listed.
    fn percent(&self) -> Option<Decimal> {
        let (old, new) = (self.old?, self.new?);
        Some(((new - old) / old * Decimal::ONE_HUNDRED).round_dp(2))
    }
}

/// Reads a list by its content: YAML is Google's, `skus` and `Items` are names of the two APIs; the rest is for the front door.
fn read(path: &Path) -> covermix::Result<Catalog> {
    let name = path.to_string_lossy();
    if name.trim_end_matches(".gz").ends_with(".yml") || name.trim_end_matches(".gz").ends_with(".yaml") {
        return Pricing::new().read(path);
    }
    let first = Catalog::read(path);
    first.or_else(|error| RetailPrices::new().read(&[path]).or_else(|_| BillingCatalog::new().read(&[path])).map_err(|_| error))
}

/// Every price of a catalog by kind and identifier, with its unit.
fn prices(catalog: &Catalog) -> BTreeMap<(usize, String), (Decimal, String)> {
    let mut prices = BTreeMap::new();
    let currency = catalog.currency();
    for price in catalog.prices() {
        prices.insert((0, price.id.clone()), (price.price.value(), format!("{currency}/{}", price.sku.unit)));
    }
    for offer in catalog.offers() {
        match &offer.benefit {
            Benefit::Reservation { .. } => {
                let value = offer.effective_hourly().value().round_dp(12);
                prices.insert((1, offer.id.clone()), (value, format!("{currency}/hour of the term")));
            }
            Benefit::SpendPlan { rates, .. } => {
                for (sku, rate) in rates {
                    let unit = catalog.price_with_id(sku).map_or("", |price| price.sku.unit.as_str());
                    prices.insert((2, format!("{} for {sku}", offer.id)), (rate.value(), format!("{currency}/{unit}")));
                }
            }
        }
    }
    for spot in catalog.spot() {
        prices.insert((3, spot.id.clone()), (spot.price.value(), format!("{currency}/{}", spot.sku.unit)));
    }
    prices
}

/// All prices of both catalogs, moved or not.
fn compare(old: &Catalog, new: &Catalog) -> Vec<Move> {
    let (old, mut new) = (prices(old), prices(new));
    let mut moves: Vec<((usize, String), Move)> = old
        .into_iter()
        .map(|((kind, id), (price, unit))| {
            let now = new.remove(&(kind, id.clone())).map(|(price, _)| price);
            ((kind, id.clone()), Move { kind: KINDS[kind], id, unit, old: Some(price), new: now })
        })
        .collect();
    moves.extend(new.into_iter().map(|((kind, id), (price, unit))| {
        ((kind, id.clone()), Move { kind: KINDS[kind], id, unit, old: None, new: Some(price) })
    }));
    moves.sort_by(|a, b| a.0.cmp(&b.0));
    moves.into_iter().map(|(_, change)| change).collect()
}

type Counts = BTreeMap<&'static str, BTreeMap<&'static str, usize>>;

fn count(moves: &[Move]) -> Counts {
    let mut counts = Counts::new();
    for change in moves {
        *counts.entry(change.kind).or_default().entry(change.direction()).or_default() += 1;
    }
    counts
}

fn print_table(moves: &[Move], counts: &Counts, all: bool) {
    println!("{:<16} {:>9} {:>9} {:>9} {:>9} {:>9}", "prices", "dearer", "cheaper", "appeared", "ended", "same");
    for kind in KINDS {
        let of = |direction: &str| counts.get(kind).and_then(|counts| counts.get(direction)).copied().unwrap_or(0);
        let columns = ["dearer", "cheaper", "appeared", "ended", "same"].map(of);
        println!("{kind:<16} {:>9} {:>9} {:>9} {:>9} {:>9}", columns[0], columns[1], columns[2], columns[3], columns[4]);
    }
    for kind in KINDS {
        let mut moved: Vec<(&Move, Decimal)> =
            moves.iter().filter(|change| change.kind == kind).filter_map(|change| Some((change, change.percent()?))).collect();
        moved.retain(|(change, _)| change.old != change.new);
        if moved.is_empty() {
            continue;
        }
        moved.sort_by(|a, b| (b.1.abs(), &a.0.id).cmp(&(a.1.abs(), &b.0.id)));
        let shown = if all { moved.len() } else { moved.len().min(20) };
        println!("\n{kind}: {} moved, the largest {shown}", moved.len());
        println!("{:>14} {:>14} {:>9}  {:<24} price", "old", "new", "change", "unit");
        for (change, percent) in &moved[..shown] {
            let text = |price: Option<Decimal>| price.map(|price| price.round_dp(8).normalize().to_string()).unwrap_or_default();
            println!("{:>14} {:>14} {percent:>8}%  {:<24} {}", text(change.old), text(change.new), change.unit, change.id);
        }
    }
}

fn print_json(moves: &[Move], counts: &Counts) {
    let moves: Vec<_> = moves
        .iter()
        .filter(|change| change.direction() != "same")
        .map(|change| {
            serde_json::json!({
                "kind": change.kind, "id": change.id, "unit": change.unit, "direction": change.direction(),
                "old": change.old, "new": change.new, "percent": change.percent(),
            })
        })
        .collect();
    println!("{:#}", serde_json::json!({ "counts": counts, "moves": moves }));
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let own = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/gcp").join(name);
    let (old, new, is_own) = match (&arguments.old, &arguments.new) {
        (Some(old), Some(new)) => (old.clone(), new.clone(), false),
        _ => (own("pricing.yml"), own("pricing-later.yml"), true),
    };
    let (before, after) = match read(&old).and_then(|before| Ok((before, read(&new)?))) {
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
    let moves = compare(&before, &after);
    let counts = count(&moves);
    if arguments.json {
        print_json(&moves, &counts);
    } else {
        let side = |path: &Path, catalog: &Catalog| {
            let date = catalog.price_date().map_or_else(|| "undated".to_owned(), |date| date.to_string());
            println!("{date}  {} ({} entries left out)", path.display(), catalog.rejected().iter().map(|r| r.count).sum::<u64>());
        };
        side(&old, &before);
        side(&new, &after);
        print_table(&moves, &counts, arguments.all);
    }
    if is_own {
        let of = |kind: &str, direction: &str| counts[kind].get(direction).copied().unwrap_or(0);
        // C2 is 5 % dearer on demand (2 machines and their vCPU), f1 has ended; commitments of N1 are 2 % cheaper (vCPU and memory, two terms).
        assert_eq!((of("on-demand price", "dearer"), of("on-demand price", "ended")), (3, 2));
        assert_eq!((of("commitment", "cheaper"), of("commitment", "dearer")), (4, 2));
        assert_eq!(of("spot price", "dearer"), 4);
    }
    ExitCode::SUCCESS
}
