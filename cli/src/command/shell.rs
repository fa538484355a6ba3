//! `covermix completions` and `covermix manual`: what a shell and `man` need to know of the program.

use crate::Program;
use crate::answer::{Answer, Failure, Result};
use clap::Args;
use clap_complete::{Shell, generate};
use clap_mangen::Man;
use serde_json::json;
use std::path::PathBuf;

/// Print what a shell needs to complete covermix's arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  covermix completions bash > ~/.local/share/bash-completion/completions/covermix
  covermix completions zsh > ~/.zfunc/_covermix
  covermix completions fish > ~/.config/fish/completions/covermix.fish")]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Answer {
        let mut script = Vec::new();
        generate(self.shell, &mut Program::definition(), "covermix", &mut script);
        let text = String::from_utf8_lossy(&script).into_owned();
        let document = json!({ "schema": "covermix-completions/1", "shell": self.shell.to_string(), "script": text });
        Answer::done(text, document)
    }
}

/// Write the manual pages, or print that of the program.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  covermix manual --out ~/.local/share/man/man1")]
pub(crate) struct Manual {
    /// The folder for one page a subcommand; without it the program's page is printed.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Manual {
    pub(crate) fn run(&self) -> Result<Answer> {
        let Some(folder) = &self.out else {
            let mut page = Vec::new();
            let failed = |source| Failure::File { path: PathBuf::from("covermix.1"), source };
            Man::new(Program::definition()).render(&mut page).map_err(failed)?;
            let text = String::from_utf8_lossy(&page).into_owned();
            return Ok(Answer::done(text.clone(), json!({ "schema": "covermix-manual/1", "page": text })));
        };
        let failed = |source| Failure::File { path: folder.clone(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        clap_mangen::generate_to(Program::definition(), folder).map_err(failed)?;
        let text = format!("Manual pages written to {}", folder.display());
        Ok(Answer::done(text, json!({ "schema": "covermix-manual/1", "folder": folder })))
    }
}
