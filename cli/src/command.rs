//! The subcommands.

#[cfg(feature = "ingest")]
mod ingest;
mod shell;

use crate::answer::{Answer, Result};
use crate::console::Console;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[cfg(feature = "ingest")]
    Ingest(ingest::Ingest),
    Completions(shell::Completions),
    Manual(shell::Manual),
}

impl Command {
    pub(crate) fn run(&self, console: &Console) -> Result<Answer> {
        match self {
            #[cfg(feature = "ingest")]
            Self::Ingest(command) => command.run(console),
            Self::Completions(command) => Ok(command.run()),
            Self::Manual(command) => command.run(),
        }
    }
}
