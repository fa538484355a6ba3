//! The program `covermix`: bills to usage curves, recommendations, replays, scenarios, backtests, reports, rebalancing and negotiation, on files.
//!
//! Every subcommand is a function from its arguments to an [`Answer`]: text for people, one JSON document for programs, and a verdict. Printing,
//! exit codes, Ctrl-C and progress are the same for all of them and are here and in `console`. `docs/command-line.md` describes the program.

mod answer;
mod command;
mod console;
mod inputs;

pub use answer::{Answer, Failure, Verdict};

use clap::{CommandFactory, Parser};
use command::Command;
use console::Console;
use serde_json::json;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Decide which cloud commitments to buy, keep, exchange, sell or let lapse, with a proven bound.
#[derive(Debug, Parser)]
#[command(
    name = "covermix",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 110,
    after_help = "From a bill to a plan:
  covermix ingest october.parquet november.parquet --catalog prices.json.gz --out bill/
  covermix recommend --usage bill/usage.csv.gz --catalog prices.json.gz --portfolio bill/portfolio.json --out plan/

Exit codes: 0 done; 1 the answer is no (prices differ, no plan keeps the rules, a promise was not kept);
2 wrong input or arguments; 130 interrupted by Ctrl-C (a search then writes its best plan so far)."
)]
pub struct Program {
    /// Print one JSON document on standard output instead of text.
    #[arg(long, global = true)]
    json: bool,
    /// Say on standard error what is being done; twice for every step.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

impl Program {
    /// The program's arguments as clap knows them, for completions and the manual page.
    fn definition() -> clap::Command {
        <Self as CommandFactory>::command()
    }
}

/// Runs the program with these arguments, the first being its name; prints, and returns the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let program = match Program::try_parse_from(&arguments) {
        Ok(program) => program,
        Err(error) => {
            if error.use_stderr() && arguments.iter().any(|argument| argument == "--json") {
                print(&error_document(error.render().to_string().trim()));
            }
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    log(program.verbose);
    let result = Console::new().map_err(Failure::from).and_then(|console| program.command.run(&console));
    match result {
        Ok(answer) => {
            print(&if program.json { format!("{:#}", answer.document) } else { answer.text });
            ExitCode::from(answer.verdict.code())
        }
        Err(failure) => {
            if program.json {
                print(&error_document(&failure.to_string()));
            }
            let _ = writeln!(std::io::stderr(), "error: {failure}");
            ExitCode::from(failure.verdict().code())
        }
    }
}

/// The one JSON document of a run that failed.
fn error_document(message: &str) -> String {
    format!("{:#}", json!({ "schema": "covermix-error/1", "error": message }))
}

/// Prints to standard output; quietly nothing more where nobody reads on (`| head`).
fn print(text: &str) {
    let mut output = std::io::stdout().lock();
    let _ = output.write_all(text.trim_end().as_bytes()).and_then(|()| output.write_all(b"\n")).and_then(|()| output.flush());
}

fn log(verbose: u8) {
    let level = match verbose {
        0 => tracing::Level::ERROR,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    // Fails where a logger is set already, which is then the one to use.
    let _ = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false).try_init();
}
