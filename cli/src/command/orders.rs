//! `covermix orders verify`: whether what came is what the orders promised.

use crate::answer::{Answer, Failure, Result, Verdict};
use crate::console::Console;
use crate::inputs::{self, exact};
use clap::{Args, Subcommand};
use covermix::billing::Rules;
use covermix::catalog::Catalog;
use covermix::planning::orders::{Came, Cause, Orders as OrderList, verify};
use covermix::portfolio::Portfolio;
use covermix::units::Money;
use covermix::usage::UsageCurves;
use rust_decimal::Decimal;
use serde_json::json;
use std::path::PathBuf;

/// Work with the orders of a plan.
#[derive(Debug, Args)]
pub(crate) struct Orders {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Verify(Verify),
}

/// Compare what the orders promised with what came: the difference by usage, prices, each order, and
/// what happened without an order.
///
/// Exit code 1 if an order was not executed as ordered, or something happened without one.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Example:
  covermix orders verify orders/orders.json --usage usage.csv.gz --catalog prices.json.gz --portfolio portfolio.json \\
      --came-usage april/usage.csv.gz --came-portfolio april/portfolio.json --billed 73512.97"
)]
struct Verify {
    /// The orders (orders.json of `covermix rebalance`).
    #[arg(value_name = "FILE")]
    orders: PathBuf,
    /// The usage that the plan was made for.
    #[arg(long, value_name = "FILE")]
    usage: PathBuf,
    /// The prices that the plan was made with.
    #[arg(long, value_name = "FILE")]
    catalog: PathBuf,
    /// What was held when the plan was made.
    #[arg(long, value_name = "FILE")]
    portfolio: PathBuf,
    /// The usage that came.
    #[arg(long, value_name = "FILE")]
    came_usage: PathBuf,
    /// The prices in force then; those of the plan if not said.
    #[arg(long, value_name = "FILE")]
    came_catalog: Option<PathBuf>,
    /// What is held now.
    #[arg(long, value_name = "FILE")]
    came_portfolio: PathBuf,
    /// The amortised cost of that usage as invoiced; as the provider's rules make it if not said.
    #[arg(long, value_name = "AMOUNT")]
    billed: Option<Decimal>,
}

impl Orders {
    pub(crate) fn run(&self, console: &Console) -> Result<Answer> {
        match &self.command {
            Command::Verify(command) => command.run(console),
        }
    }
}

impl Verify {
    fn run(&self, console: &Console) -> Result<Answer> {
        console.say("reading");
        let orders = OrderList::from_json(&inputs::read_text(&self.orders)?).map_err(|error| error.in_file(&self.orders))?;
        let (usage, catalog) = (UsageCurves::read(&self.usage)?, Catalog::read(&self.catalog)?);
        let held = Portfolio::read(&self.portfolio, &catalog)?;
        let came_usage = UsageCurves::read(&self.came_usage)?;
        let own = self.came_catalog.as_ref().map(Catalog::read).transpose()?;
        let came_catalog = own.as_ref().unwrap_or(&catalog);
        if orders.currency != catalog.currency() || orders.currency != came_catalog.currency() {
            return Err(Failure::wrong(
                format!(
                    "the orders are in {}, the prices in {} and {}",
                    orders.currency,
                    catalog.currency(),
                    came_catalog.currency()
                ),
                "give the prices that the plan was made with",
            ));
        }
        let came_portfolio = Portfolio::read(&self.came_portfolio, came_catalog)?;
        let came =
            Came { usage: &came_usage, catalog: came_catalog, portfolio: &came_portfolio, billed: self.billed.map(Money::new) };
        let found = verify(&orders, (&usage, &catalog, &held), &came, &Rules::default())?;
        let is_kept = found.orders.iter().all(|order| order.cause == Cause::AsOrdered) && found.unordered == Money::ZERO;
        let document = json!({
            "schema": "covermix-verification/1", "currency": orders.currency, "kept": is_kept, "promised": exact(found.promised),
            "came": exact(found.came), "difference": exact(found.difference()), "usage": exact(found.usage), "price": exact(found.price),
            "orders": found.orders.iter().map(|order| json!({
                "order": order.order, "cause": cause(order.cause), "amount": exact(order.amount),
            })).collect::<Vec<_>>(),
            "unordered": exact(found.unordered), "rest": exact(found.rest),
        });
        let verdict = if is_kept { Verdict::Done } else { Verdict::No };
        Ok(Answer { text: found.to_string(), document, verdict })
    }
}

fn cause(of: Cause) -> &'static str {
    match of {
        Cause::AsOrdered => "as_ordered",
        Cause::NotExecuted => "not_executed",
        Cause::OtherTime => "other_time",
        Cause::OtherQuantity => "other_quantity",
        Cause::OtherPrice => "other_price",
    }
}
