//! Help, completions, manual pages, wrong arguments, and pipes that close.

use super::{errors, folder, json, program, repository, run, text};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

const COMMANDS: [&[&str]; 12] = [
    &["catalog", "check"],
    &["catalog", "diff"],
    &["recommend"],
    &["report"],
    &["replay"],
    &["scenario"],
    &["backtest"],
    &["rebalance"],
    &["orders", "verify"],
    &["negotiate"],
    &["completions"],
    &["manual"],
];

#[test]
fn every_subcommand_explains_itself_with_an_example() {
    let folder = tempfile::tempdir().unwrap();
    let all = text(folder.path(), &["--help"]);
    for command in COMMANDS {
        assert!(all.contains(command[0]), "{} is not in the help", command[0]);
        let help = text(folder.path(), &[command, &["--help"]].concat());
        assert!(help.contains("Example") && help.contains(&format!("covermix {}", command.join(" "))), "{command:?}: {help}");
        assert!(help.lines().all(|line| line.chars().count() <= 170), "{command:?} has lines too long");
    }
    assert_eq!(text(folder.path(), &["--version"]).trim(), concat!("covermix ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_and_manual_pages_name_the_subcommands() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = text(folder.path(), &["completions", shell]);
        assert!(script.contains("negotiate") && script.contains("exclude-unknown"), "{shell}");
    }
    assert!(text(folder.path(), &["manual"]).contains(".TH covermix 1"));
    let document = json(folder.path(), &["manual", "--out", "man"], 0);
    assert_eq!(document["folder"], "man");
    for page in ["covermix.1", "covermix-recommend.1", "covermix-catalog-diff.1"] {
        assert!(folder.path().join("man").join(page).is_file(), "{page} is missing");
    }
}

#[test]
fn wrong_arguments_end_with_2_and_say_what_is_known() {
    let folder = folder(3);
    for arguments in [
        &["recomend"][..],
        &["recommend"],
        &["recommend", "--usage", "usage.csv"],
        &["recommend", "--usage", "usage.csv", "--catalog", "catalog.json", "--gap", "small"],
        &["replay", "--usage", "usage.csv", "--catalog", "catalog.json", "--by", "year"],
        &["backtest"],
        &["rebalance", "--usage", "usage.csv", "--catalog", "catalog.json", "--portfolio", "portfolio.json", "--action", "burn"],
    ] {
        let output = run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && errors(&output).contains("--help"), "{arguments:?}: {}", errors(&output));
        let document = json(folder.path(), arguments, 2);
        assert_eq!(document["schema"], "covermix-error/1");
        assert!(!document["error"].as_str().unwrap().is_empty());
    }
}

#[test]
fn wrong_files_end_with_2_and_name_file_and_remedy() {
    let folder = folder(3);
    std::fs::write(folder.path().join("bad.json"), "{\"schema\": ").unwrap();
    for (arguments, words) in [
        (&["replay", "--usage", "none.csv", "--catalog", "catalog.json"][..], &["none.csv", "check that the path exists"][..]),
        (&["replay", "--usage", "usage.csv", "--catalog", "bad.json"], &["bad.json", "correct"]),
        (&["recommend", "--usage", "catalog.json", "--catalog", "catalog.json"], &["catalog.json", "column"]),
        (&["report", "bad.json", "--out", "pages"], &["bad.json", "line 1"]),
        (&["catalog", "check", "bad.json"], &["bad.json"]),
        (&["scenario", "--usage", "usage.csv", "--scenarios", "bad.json"], &["bad.json", "scenario file"]),
        (
            &["negotiate", "--usage", "usage.csv", "--catalog", "catalog.json", "--agreements", "bad.json"],
            &["bad.json", "covermix-agreements/1"],
        ),
        (
            &[
                "orders",
                "verify",
                "bad.json",
                "--usage",
                "usage.csv",
                "--catalog",
                "catalog.json",
                "--portfolio",
                "portfolio.json",
                "--came-usage",
                "usage.csv",
                "--came-portfolio",
                "portfolio.json",
            ],
            &["bad.json"],
        ),
    ] {
        let output = run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", errors(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
        let message = errors(&output);
        assert!(message.starts_with("error: ") && message.contains(';'), "{arguments:?} has no remedy: {message}");
        for word in words {
            assert!(message.contains(word), "{arguments:?}: `{word}` is not in: {message}");
        }
        assert_eq!(json(folder.path(), arguments, 2)["error"], message.trim_start_matches("error: ").trim_end());
    }
}

#[test]
fn a_pipe_that_closes_is_no_error() {
    let folder = folder(60);
    let catalog = repository("data/catalog.json");
    for arguments in [
        &["catalog", "check", catalog.to_str().unwrap(), "--json"][..],
        &["replay", "--usage", "usage.csv", "--catalog", "catalog.json", "--by", "hour", "--json"],
        &["completions", "zsh"],
        &["--help"],
    ] {
        let mut child = program(folder.path(), arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(!line.is_empty() && output.stderr.is_empty(), "{arguments:?}: {}", errors(&output));
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}
