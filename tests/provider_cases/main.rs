//! Runs billing cases from JSON files: `cargo test --test provider_cases`.
//!
//! Cases lie under `tests/cases/{aws,azure,gcp}`; the environment variable `COVERMIX_CASES` names a further folder, searched
//! recursively. The format is described in `tests/cases/README.md`. Files in the shape of published examples (`{"examples": [...]}`) are
//! translated by the provider's adapter; what cannot be translated is listed as unsupported with the reason, never passed over.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    missing_docs
)]

mod actions;
mod aws;
mod aws_rights;
mod aws_rows;
mod azure;
mod azure_charges;
mod azure_commitment;
mod azure_rights;
mod case;
mod check;
mod gcp;
mod gcp_models;
mod gcp_rights;
mod meaning;
mod words;

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What came of one case.
pub(crate) enum Outcome {
    Passed,
    Failed(Vec<String>),
    Unsupported(String),
}

#[derive(Default)]
struct Tally {
    ran: usize,
    failed: Vec<String>,
    unsupported: Vec<String>,
}

fn main() -> ExitCode {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<PathBuf> = ["aws", "azure", "gcp"].iter().map(|provider| own.join(provider)).collect();
    if let Some(further) = std::env::var_os("COVERMIX_CASES") {
        folders.push(PathBuf::from(further));
    }
    let mut files = Vec::new();
    for folder in &folders {
        if let Err(error) = collect(folder, &mut files) {
            println!("cannot read {}: {error}", folder.display());
            return ExitCode::FAILURE;
        }
    }
    files.sort();
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for file in &files {
        run_file(file, &mut tallies);
    }
    let mut failed = 0;
    for (provider, tally) in &tallies {
        println!("{provider}: {} ran, {} failed, {} unsupported", tally.ran, tally.failed.len(), tally.unsupported.len());
        tally.unsupported.iter().for_each(|line| println!("  unsupported {line}"));
        tally.failed.iter().for_each(|line| println!("  FAILED {line}"));
        failed += tally.failed.len();
    }
    let ran: usize = tallies.values().map(|tally| tally.ran).sum();
    println!("{ran} cases in {} files, {failed} failed", files.len());
    if failed > 0 || ran == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}

/// A file that is not readable as cases counts as a failure of provider `unknown`.
fn run_file(file: &Path, tallies: &mut BTreeMap<String, Tally>) {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let parsed = std::fs::read_to_string(file).map_err(|error| error.to_string());
    let parsed = parsed.and_then(|text| serde_json::from_str::<Value>(&text).map_err(|error| error.to_string()));
    let json = match parsed {
        Ok(json) => json,
        Err(error) => {
            tallies.entry("unknown".into()).or_default().failed.push(format!("{name}: {error}"));
            return;
        }
    };
    let (list, is_example) = match (&json["examples"], &json["cases"]) {
        (Value::Array(examples), _) => (examples.clone(), true),
        (_, Value::Array(cases)) => (cases.clone(), false),
        _ if json.is_array() => (json.as_array().cloned().unwrap_or_default(), false),
        _ => (vec![json.clone()], json.get("kind").is_some()),
    };
    if list.iter().any(|item| item.get("function").is_some()) {
        println!("{name}: {} cases of finance, for `cargo test --test finance_cases`", list.len());
        return;
    }
    for item in list {
        let id = item["id"].as_str().unwrap_or("(no id)").to_owned();
        let provider = provider_of(&item, file);
        let outcome = match (is_example, provider) {
            (false, _) => case::run(&item, provider),
            (true, "aws") => aws::run(&item),
            (true, "azure") => azure::run(&item),
            (true, "gcp") => gcp::run(&item),
            (true, _) => Outcome::Unsupported("no provider has cases of this shape".into()),
        };
        let tally = tallies.entry(provider.to_owned()).or_default();
        match outcome {
            Outcome::Passed => tally.ran += 1,
            Outcome::Failed(reasons) => {
                tally.ran += 1;
                tally.failed.extend(reasons.into_iter().map(|reason| format!("{name} {id}: {reason}")));
            }
            Outcome::Unsupported(reason) => tally.unsupported.push(format!("{name} {id}: {reason}")),
        }
    }
}

/// The provider that a case names, or that its id, file or folder tells.
fn provider_of(item: &Value, file: &Path) -> &'static str {
    let known = |text: &str| match text {
        "aws" => Some("aws"),
        "azure" | "az" => Some("azure"),
        "gcp" => Some("gcp"),
        _ => None,
    };
    let id = item["id"].as_str().unwrap_or("");
    item["provider"]
        .as_str()
        .and_then(known)
        .or_else(|| id.split('-').next().and_then(known))
        .or_else(|| file.file_stem().and_then(|stem| known(&stem.to_string_lossy())))
        .or_else(|| file.parent().and_then(Path::file_name).and_then(|folder| known(&folder.to_string_lossy())))
        .unwrap_or("unknown")
}
