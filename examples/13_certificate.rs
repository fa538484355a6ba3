//! Lesson 13: the proof, and how to check it without us. The gap has three parts; the whole linear program is exported for any other
//! solver.
//!
//! ```text
//! cargo run --release --example 13_certificate
//! ```
//!
//! The planner never writes down the linear program over all hours: it only meets it through cuts. For small problems it can be written
//! down, solved whole, and exported as MPS. Its optimum must lie between our bound and our bill.

#![allow(clippy::print_stdout, reason = "an example prints")]

use covermix::catalog::Catalog;
use covermix::planning::{Options, Planner, Policy};
use covermix::scenario::backtest::hours_of;
use covermix::usage::UsageCurves;
use covermix::{Error, Problem};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

fn main() -> covermix::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let catalog = Catalog::read(root.join("data/catalog.json"))?;
    let usage = UsageCurves::read(root.join("data/usage.csv.gz"))?;
    let is_short = |line: &covermix::usage::UsageLine| {
        line.account == "shop" && line.sku.region == "us-east-1" && line.sku.sku.starts_with("m5.")
    };
    let usage = usage.filter(is_short).ok_or_else(|| Error::from(Problem::Empty { what: "usage of m5" }))?;
    // Two weeks, so that the whole program stays small.
    let usage = hours_of(&usage, 0..336)?;
    let problem = Planner::new(&catalog).usage(&usage).policy(Policy::default().max_share_three_year(0.5)).build()?;
    let plan = problem.solve(&Options { relative_gap: 1e-5, ..Options::default() })?;

    let proof = plan.certificate();
    println!("billed {:.4}, no plan below {:.4}: a gap of {:.4} %", proof.billed_cost, proof.lower_bound, 100.0 * proof.gap);
    println!("  by the provider's order of applying commitments {:>10.4}", proof.billing_order);
    println!("  by whole purchases                              {:>10.4}", proof.integrality);
    println!("  by the bound's tolerance                        {:>10.4}", proof.tolerance);

    let whole = problem.extensive(false);
    let folder = root.join("target/covermix");
    let path = folder.join("certificate.mps");
    let wrong = |error: std::io::Error| Error::from(Problem::InputOutput).in_file(&path).caused_by(error);
    std::fs::create_dir_all(&folder).map_err(wrong)?;
    whole.write_mps(BufWriter::new(File::create(&path).map_err(wrong)?)).map_err(wrong)?;
    let optimum = whole.solve()?;
    println!(
        "\nThe whole program: {} columns, {} rows, written to target/covermix/certificate.mps; its optimum is {optimum:.4}.",
        whole.columns.len(),
        whole.rows.len()
    );
    println!("Our search needed {} sweeps over {} hours and no program of that size.", plan.sweeps(), usage.grid().count);

    let parts = proof.billing_order + proof.integrality + proof.tolerance;
    assert!((parts - (proof.billed_cost - proof.lower_bound)).abs() < 1e-6, "the parts of the gap do not add up");
    let slack = 1e-6 * optimum;
    assert!(proof.lower_bound <= optimum + slack, "the bound is above the optimum of the relaxation");
    assert!(optimum <= proof.billed_cost + slack, "the relaxation costs more than a plan");
    Ok(())
}
