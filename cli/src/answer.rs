//! What a subcommand answers: text, a JSON document, a verdict; or why it failed.

use covermix::Problem;
use serde_json::Value;
use std::path::PathBuf;

/// What a subcommand answers.
#[derive(Clone, Debug)]
pub struct Answer {
    /// For people.
    pub text: String,
    /// The same for programs.
    pub document: Value,
    /// How it ended.
    pub verdict: Verdict,
}

impl Answer {
    /// An answer of a subcommand that has done what was asked.
    #[must_use]
    pub fn done(text: String, document: Value) -> Self {
        Self { text, document, verdict: Verdict::Done }
    }
}

/// How a subcommand ended; each has an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Done, or yes: exit code 0.
    Done,
    /// No: prices differ, no plan keeps the rules, a promise was not kept. Exit code 1.
    No,
    /// Wrong input or arguments: exit code 2.
    Wrong,
    /// Interrupted: exit code 130.
    Interrupted,
}

impl Verdict {
    /// The exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Wrong => 2,
            Self::Interrupted => 130,
        }
    }
}

/// Why a subcommand failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// What the library says of its input.
    #[error(transparent)]
    Core(#[from] covermix::Error),
    /// What the readers of bills say of theirs.
    #[cfg(feature = "ingest")]
    #[error(transparent)]
    Bill(#[from] covermix_ingest::Error),
    /// A file or folder that cannot be used.
    #[error("{}: {source}; check that the path exists and may be read or written", path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The signal handler cannot be set.
    #[error("Ctrl-C cannot be waited for ({0}); run the program where signals are allowed")]
    Signal(#[from] std::io::Error),
    /// Arguments that do not go together, or input that only this program asks for.
    #[error("{problem}; {remedy}")]
    Wrong {
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
}

impl Failure {
    /// How the program ends.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Core(error) if matches!(error.problem(), Problem::PolicyClash { .. }) => Verdict::No,
            _ => Verdict::Wrong,
        }
    }

    pub(crate) fn wrong(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Wrong { problem: problem.into(), remedy: remedy.into() }
    }
}

/// The result of a subcommand.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;
