//! Files that several subcommands read and write in the same way.

use crate::answer::{Failure, Result};
use crate::console::Console;
use clap::Args;
use covermix::billing::Charges;
use covermix::catalog::Catalog;
use covermix::planning::{Planner, Policy};
use covermix::portfolio::Portfolio;
use covermix::scenario::{ScenarioFile, Scenarios};
use covermix::units::Money;
use covermix::usage::{PricingCategory, UsageCurves, UsageLine};
use covermix::{Error, Problem};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Hourly usage and the prices for it.
#[derive(Debug, Args)]
pub(crate) struct Demand {
    /// Hourly usage: CSV, plain or gzip, such as `covermix ingest` writes.
    #[arg(long, value_name = "FILE")]
    pub(crate) usage: PathBuf,
    /// Prices and offers: covermix JSON, or a provider's or ec2instances.info's price file.
    #[arg(long, value_name = "FILE")]
    pub(crate) catalog: PathBuf,
    /// Leave out usage that the catalog has no price for, and list it with its spend, instead of refusing it.
    #[arg(long)]
    exclude_unknown: bool,
}

impl Demand {
    /// Reads both.
    pub(crate) fn read(&self, console: &Console) -> Result<(UsageCurves, Catalog)> {
        let catalog = Catalog::read(&self.catalog)?;
        let usage = UsageCurves::read(&self.usage)?;
        let usage = if self.exclude_unknown { without_unknown(&usage, &catalog, console)? } else { usage };
        Ok((usage, catalog))
    }
}

/// What a plan is made under: what is held, what may be bought, what may come.
#[derive(Debug, Args)]
pub(crate) struct Terms {
    /// Commitments already held (covermix JSON, such as `covermix ingest` writes).
    #[arg(long, value_name = "FILE")]
    portfolio: Option<PathBuf>,
    /// What may be bought (TOML or JSON); everything without it.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Plan for the futures of a scenario file (TOML) instead of the usage as it was.
    #[arg(long, value_name = "FILE")]
    scenarios: Option<PathBuf>,
}

/// The files of [`Terms`], read.
pub(crate) struct Given {
    pub(crate) portfolio: Portfolio,
    policy: Policy,
    scenarios: Option<Scenarios>,
}

impl Terms {
    /// Reads them.
    pub(crate) fn read(&self, usage: &UsageCurves, catalog: &Catalog) -> Result<Given> {
        let futures = |path: &PathBuf| ScenarioFile::read(path)?.scenarios(usage, Some(catalog));
        Ok(Given {
            portfolio: portfolio(self.portfolio.as_ref(), catalog)?,
            policy: self.policy.as_ref().map_or_else(|| Ok(Policy::default()), Policy::read)?,
            scenarios: self.scenarios.as_ref().map(futures).transpose()?,
        })
    }
}

impl Given {
    /// A planner for the scenarios, or for the usage as it was.
    pub(crate) fn planner<'a>(&'a self, usage: &'a UsageCurves, catalog: &'a Catalog) -> Planner<'a> {
        let planner = Planner::new(catalog).owning(&self.portfolio).policy(self.policy.clone());
        match &self.scenarios {
            Some(futures) => planner.scenarios(futures),
            None => planner.usage(usage),
        }
    }

    /// Whether a scenario changes prices.
    pub(crate) fn changes_prices(&self) -> bool {
        self.scenarios.iter().flat_map(Scenarios::as_slice).any(|scenario| !scenario.prices.is_empty())
    }
}

/// The portfolio of a file; an empty one without a file.
pub(crate) fn portfolio(path: Option<&PathBuf>, catalog: &Catalog) -> Result<Portfolio> {
    Ok(path.map_or_else(|| Ok(Portfolio::default()), |path| Portfolio::read(path, catalog))?)
}

/// The usage that the catalog has prices for; lists the rest with its spend on standard error.
fn without_unknown(usage: &UsageCurves, catalog: &Catalog, console: &Console) -> Result<UsageCurves> {
    let is_known = |line: &UsageLine| line.pricing != PricingCategory::Standard || catalog.price(&line.sku).is_some();
    let totals = usage.totals();
    let mut excluded = 0.0;
    for (line, quantity) in usage.lines().iter().zip(&totals).filter(|(line, _)| !is_known(line)) {
        let spend = line.billed_price.map(|price| price.to_f64() * quantity);
        excluded += spend.unwrap_or(0.0);
        let spend = spend.map_or("on-demand spend unknown".to_owned(), |spend| format!("on-demand spend {spend:.2}"));
        console.note(&format!("excluded, no price in the catalog: {line}: {quantity:.2} units, {spend}"));
    }
    if excluded > 0.0 {
        console.note(&format!("excluded in all: on-demand spend {excluded:.2} {}", catalog.currency()));
    }
    Ok(usage.filter(is_known).ok_or_else(|| Error::from(Problem::Empty { what: "usage with a price in the catalog" }))?)
}

/// Reads a file as text.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|source| Failure::File { path: path.to_owned(), source })
}

/// Makes a folder for what is written.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|source| Failure::File { path: path.to_owned(), source })
}

/// Money as exact text.
pub(crate) fn exact(money: Money) -> String {
    money.value().normalize().to_string()
}

/// A share in percent, for people.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

/// What usage costs, for programs.
pub(crate) fn charges(of: &Charges) -> Value {
    json!({
        "cost": exact(of.cost()), "on_demand_equivalent": exact(of.on_demand_equivalent), "list_equivalent": exact(of.list_equivalent),
        "on_demand": exact(of.on_demand), "used_commitment": exact(of.used_commitment),
        "unused_commitment": exact(of.unused_commitment), "amortised_upfront": exact(of.amortised_upfront),
        "recurring": exact(of.recurring), "sustained_use_discount": exact(of.sustained_use_discount),
        "effective_savings_rate": of.effective_savings_rate_list(), "coverage": of.coverage(), "utilisation": of.utilisation(),
    })
}
