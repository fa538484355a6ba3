//! The subcommands.

mod actions;
mod backtest;
mod catalog;
#[cfg(feature = "ingest")]
mod ingest;
mod negotiate;
mod orders;
mod rebalance;
mod recommend;
mod replay;
mod scenario;
mod shell;
mod trace;

use crate::answer::{Answer, Result};
use crate::console::Console;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[cfg(feature = "ingest")]
    Ingest(ingest::Ingest),
    Catalog(catalog::Prices),
    Recommend(Box<recommend::Recommend>),
    Report(recommend::Pages),
    Replay(replay::Replay),
    Scenario(scenario::Futures),
    Backtest(backtest::Backtest),
    Rebalance(Box<rebalance::Rebalance>),
    Orders(orders::Orders),
    Negotiate(negotiate::Negotiate),
    Completions(shell::Completions),
    Manual(shell::Manual),
}

impl Command {
    pub(crate) fn run(&self, console: &Console) -> Result<Answer> {
        match self {
            #[cfg(feature = "ingest")]
            Self::Ingest(command) => command.run(console),
            Self::Catalog(command) => command.run(),
            Self::Recommend(command) => command.run(console),
            Self::Report(command) => command.run(),
            Self::Replay(command) => command.run(console),
            Self::Scenario(command) => command.run(console),
            Self::Backtest(command) => command.run(console),
            Self::Rebalance(command) => command.run(console),
            Self::Orders(command) => command.run(console),
            Self::Negotiate(command) => command.run(console),
            Self::Completions(command) => Ok(command.run()),
            Self::Manual(command) => command.run(),
        }
    }
}
