//! The documents and the code point at each other: links lead somewhere, sections named in code exist, code named in formulas exists, every rule has
//! its formula, and what is shown as a file is read by the reader of that file. (Rust blocks are doctests, see `src/lib.rs`; shell and Python blocks are
//! run by `scripts/test-readme`.)

use covermix::catalog::Catalog;
use covermix::planning::Policy;
use covermix::planning::agreement::Agreements;
use covermix::portfolio::Portfolio;
use covermix::scenario::ScenarioFile;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Markdown documents for people, by their path from the root.
fn documents() -> BTreeMap<String, String> {
    let mut found: Vec<PathBuf> =
        ["README.md", "DESIGN.md", "CHANGELOG.md", "python/README.md"].map(|name| root().join(name)).to_vec();
    found.extend(files(&root().join("docs"), "md"));
    let name = |path: &PathBuf| path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/");
    found.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap_or_default())).collect()
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|of| of == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The source of the core, a file each.
fn sources() -> Vec<(PathBuf, String)> {
    let read = |path: PathBuf| (path.clone(), std::fs::read_to_string(path).unwrap_or_default());
    files(&root().join("src"), "rs").into_iter().map(read).collect()
}

/// Lines outside of fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

fn headings(text: &str) -> Vec<&str> {
    prose(text).filter_map(|line| line.strip_prefix('#').map(|rest| rest.trim_start_matches('#').trim())).collect()
}

/// The names that a section may be called by: headings, and run-in headings such as `*Rolling origin.*` and `**Lock-in.**`.
fn sections(text: &str) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = headings(text).into_iter().map(ToOwned::to_owned).collect();
    names.extend(prose(text).filter_map(|line| {
        let line = line.trim_start_matches("* ").trim_start_matches("- ");
        let rest = line.strip_prefix("**").or_else(|| line.strip_prefix('*'))?;
        rest.split('*').next().map(|name| name.trim_end_matches(['.', ':']).to_owned())
    }));
    names
}

/// GitHub's anchor of a heading.
fn anchor(heading: &str) -> String {
    let kept =
        heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_').collect::<String>();
    kept.replace(' ', "-")
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let documents = documents();
    let mut broken = Vec::new();
    let mut links = 0;
    for (name, text) in &documents {
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") {
                continue;
            }
            links += 1;
            let (file, fragment) = target.split_once('#').map_or((target, None), |(file, fragment)| (file, Some(fragment)));
            let folder = root().join(name).parent().map(Path::to_path_buf).unwrap_or_default();
            let path = if file.is_empty() { root().join(name) } else { folder.join(file) };
            let is_there = path.exists();
            let has_anchor = fragment.is_none_or(|fragment| {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                headings(&text).into_iter().any(|heading| anchor(heading) == fragment)
            });
            if !is_there || !has_anchor {
                broken.push(format!("{name}: {target}"));
            }
        }
    }
    assert!(links > 30, "only {links} links were found");
    assert!(broken.is_empty(), "links that lead nowhere: {broken:#?}");
}

#[test]
fn every_section_named_in_code_is_in_the_document() {
    let documents = documents();
    let mut broken = Vec::new();
    let mut named = 0;
    for (path, text) in sources() {
        // Comments may wrap between the file's name and the section's.
        let comments: Vec<&str> = text.lines().map(str::trim_start).filter(|line| line.starts_with("//")).collect();
        let comments = comments.iter().map(|line| line.trim_start_matches(['/', '!']).trim()).collect::<Vec<_>>().join(" ");
        for rest in comments.split("`docs/").skip(1) {
            let Some((file, after)) = rest.split_once('`') else { continue };
            let Some(document) = documents.get(&format!("docs/{file}")) else {
                broken.push(format!("{}: docs/{file} does not exist", path.display()));
                continue;
            };
            let after = after.trim_start_matches([',', ' ']);
            let after = after.strip_prefix("section ").unwrap_or(after);
            if let Some(section) = after.strip_prefix('"').and_then(|quoted| quoted.split('"').next()) {
                named += 1;
                if !sections(document).contains(section) {
                    broken.push(format!("{}: docs/{file} has no section \"{section}\"", path.display()));
                }
            }
        }
    }
    assert!(named > 25, "only {named} sections are named in code");
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_section_of_the_formulation_is_named_by_the_code_it_is_about() {
    let code: String = sources().into_iter().map(|(_, text)| text).collect();
    let one_line: String =
        code.lines().map(|line| line.trim_start().trim_start_matches(['/', '!']).trim()).collect::<Vec<_>>().join(" ");
    let mut unnamed = Vec::new();
    for (name, text) in documents().iter().filter(|(name, _)| name.starts_with("docs/formulation")) {
        for section in text.lines().filter_map(|line| line.strip_prefix("## ")) {
            if !one_line.contains(&format!("\"{section}\"")) {
                unnamed.push(format!("{name}: {section}"));
            }
        }
    }
    assert!(unnamed.is_empty(), "sections that no code names: {unnamed:#?}");
}

#[test]
fn code_named_in_formulas_exists() {
    let rooms = ["src", "ingest/src", "cli/src", "service/src"].map(|room| files(&root().join(room), "rs"));
    let code: String = rooms.iter().flatten().map(|path| std::fs::read_to_string(path).unwrap_or_default()).collect();
    let words: BTreeSet<&str> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let paths: BTreeSet<String> = files(&root().join("src"), "rs")
        .iter()
        .map(|path| path.strip_prefix(root()).unwrap_or(path).display().to_string())
        .collect();
    let mut missing = Vec::new();
    let mut named = 0;
    for (name, text) in documents().iter().filter(|(name, _)| name.starts_with("docs/") && *name != "docs/command-line.md") {
        let text: Vec<&str> = prose(text).collect();
        for span in text.join("\n").split('`').skip(1).step_by(2) {
            if span.ends_with(".rs") && !span.contains(' ') {
                named += 1;
                let found = paths.iter().any(|path| path.ends_with(span))
                    || root().join(span).exists()
                    || root().join("ingest").join(span).exists();
                if !found && !span.contains("NAME") {
                    missing.push(format!("{name}: {span}"));
                }
            } else if span.contains("::") && span.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                named += 1;
                let known = |part: &str| words.contains(part) || part == "covermix";
                if !span.split("::").all(known) {
                    missing.push(format!("{name}: {span}"));
                }
            }
        }
    }
    assert!(named > 100, "only {named} pieces of code are named");
    assert!(missing.is_empty(), "named in documents, not in the code: {missing:#?}");
}

/// The first column of a table under a heading, its code spans.
fn rules_of(document: &str, heading: &str) -> BTreeSet<String> {
    let start = document.lines().skip_while(|line| *line != heading).skip(1);
    let rows = start.take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with('|'));
    let first = rows.filter_map(|row| row.split('|').nth(1));
    first.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn every_rule_of_the_policy_has_its_formula_and_every_formula_its_rule() {
    let schema = Policy::json_schema();
    let fields: BTreeSet<String> =
        schema["properties"].as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default();
    let documents = documents();
    let formulation = &documents["docs/formulation.md"];
    let formulas = rules_of(formulation, "## Policy");
    assert!(fields.len() > 20, "{fields:?}");
    assert_eq!(fields, formulas, "policy fields (left) and the rules of docs/formulation.md, \"Policy\" (right)");
    let objectives = rules_of(formulation, "## Objective");
    let source = std::fs::read_to_string(root().join("src/planning/objective.rs")).unwrap_or_default();
    let variants = source.split("pub enum Objective {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap_or_default();
    let variants: BTreeSet<String> = variants
        .lines()
        .filter(|line| line.starts_with("    ") && line.trim_start().starts_with(char::is_uppercase))
        .map(|line| line.trim().trim_end_matches([',', '{', ' ']).to_owned())
        .collect();
    assert_eq!(variants, objectives, "objectives (left) and those of docs/formulation.md, \"Objective\" (right)");
}

#[test]
fn what_is_shown_as_a_file_is_read_by_its_reader() -> Result<(), Box<dyn std::error::Error>> {
    let catalog = Catalog::read(root().join("data/catalog.json"))?;
    let mut read = 0;
    for (name, text) in documents() {
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(kind) = line.strip_prefix("```").filter(|kind| ["toml", "json"].contains(kind)) else { continue };
            let block: String = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            let answer = match kind {
                "toml" if block.contains("covermix-scenarios/1") => ScenarioFile::from_toml(&block).map(drop),
                "toml" if block.contains("covermix-agreements/1") => Agreements::from_toml(&block).map(drop),
                "toml"
                    if block.contains("covermix =")
                        || block.contains("[dependencies]")
                        || block.contains("[[rule]]")
                        || block.contains("schema =") =>
                {
                    toml::from_str::<toml::Table>(&block).map(drop).map_err(|error| {
                        covermix::Error::from(covermix::Problem::Malformed { expected: "TOML" }).caused_by(error)
                    })
                }
                "toml" => Policy::from_toml(&block).map(drop),
                _ if block.contains("covermix-portfolio/1") => Portfolio::from_json(&block, &catalog).map(drop),
                _ => serde_json::from_str::<serde_json::Value>(&block)
                    .map(drop)
                    .map_err(|error| covermix::Error::from(covermix::Problem::Malformed { expected: "JSON" }).caused_by(error)),
            };
            answer.map_err(|error| format!("{name}: {error}\n{block}"))?;
            read += 1;
        }
    }
    assert!(read > 1, "only {read} files are shown");
    Ok(())
}

#[test]
fn every_document_with_rust_is_a_doctest() {
    let library = std::fs::read_to_string(root().join("src/lib.rs")).unwrap_or_default();
    for (name, text) in documents() {
        if text.lines().any(|line| line.starts_with("```rust")) && !name.starts_with("python/") {
            let is_included = library.contains(&format!("include_str!(\"../{name}\")"));
            assert!(
                is_included || name == "docs/ingest.md",
                "{name} shows Rust, and no `include_str!` of src/lib.rs compiles it"
            );
        }
    }
}

#[test]
fn a_lesson_is_short_and_ends_in_an_assertion() {
    let lessons: Vec<PathBuf> = files(&root().join("examples"), "rs")
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(|c: char| c.is_ascii_digit())))
        .collect();
    assert!(lessons.len() >= 12);
    for (number, path) in (1..).zip(&lessons) {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        assert!(name.starts_with(&format!("{number:02}_")), "lesson {number} is called {name}");
        assert!(text.starts_with(&format!("//! Lesson {number}: ")), "{name} says which lesson it is");
        assert!(text.contains(&format!("--example {name}\n")), "{name} says how it is run");
        assert!(text.lines().count() < 120, "{name} has {} lines", text.lines().count());
        let body = text.split("fn main()").nth(1).unwrap_or_default();
        let body = body.split("\n}").next().unwrap_or_default();
        let last = body.rsplit("    Ok(())").nth(1).unwrap_or_default();
        assert!(
            last.rsplit(";\n").nth(1).is_some_and(|statement| statement.contains("assert"))
                || last.trim_end().ends_with('}') && last.contains("assert"),
            "{name} does not end in an assertion"
        );
    }
}
