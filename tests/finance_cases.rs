//! Runs every known answer of finance in `tests/cases/finance`, and in the folder named by `COVERMIX_CASES` if it is set:
//! files of `{"examples": [..]}`, `{"cases": [..]}`, a list, or one object; each case has `function`, `inputs`, `expected`
//! and a tolerance. Prints how many ran, and each case that names a function this room has not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "finance_cases/commitments.rs"]
mod commitments;
#[path = "finance_cases/dispatch.rs"]
mod dispatch;
#[path = "finance_cases/inputs.rs"]
mod inputs;
#[path = "finance_cases/units.rs"]
mod units;

use serde_json::Value;
use std::path::{Path, PathBuf};

/// What became of one case.
pub(crate) enum Outcome {
    /// An answer, to be compared with the expected one.
    Answer(Value),
    /// The function is not one of finance.
    NoFunction,
    /// The case cannot be read: what is missing.
    Unreadable(String),
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn cases(file: &Path) -> Result<Vec<Value>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(match value {
        Value::Array(list) => list,
        Value::Object(mut object) => match object.remove("examples").or_else(|| object.remove("cases")) {
            Some(Value::Array(list)) => list,
            Some(other) => vec![other],
            None => vec![Value::Object(object)],
        },
        other => {
            return Err(format!("{}: neither a list nor an object but {other}", file.display()));
        }
    })
}

/// How far a number may be from the expected one.
struct Tolerance {
    absolute: f64,
    relative: f64,
}

impl Tolerance {
    fn of(case: &Value) -> Self {
        let number = |names: &[&str]| names.iter().find_map(|name| case.get(name).and_then(Value::as_f64));
        let absolute = number(&["tolerance_abs", "tolerance_absolute", "tolerance", "abs_tol"]);
        let relative = number(&["tolerance_rel", "tolerance_relative", "rel_tol"]);
        let absolute = absolute.unwrap_or(if relative.is_some() { 0.0 } else { 1e-9 });
        Self { absolute, relative: relative.unwrap_or(0.0) }
    }

    fn accepts(&self, found: f64, expected: f64) -> bool {
        // Figures are decimals printed from f64: allow for one unit in the last place beside the stated tolerance.
        let printed = 1e-15 * expected.abs().max(1e-300);
        (found - expected).abs() <= self.absolute + self.relative * expected.abs() + printed
    }
}

/// Every difference between an answer and what is expected of it. Keys starting with WRONG state a common mistake.
fn differences(at: &str, found: &Value, expected: &Value, tolerance: &Tolerance, out: &mut Vec<String>) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            for (key, expected) in expected {
                let wrong_on_purpose = key.to_uppercase().starts_with("WRONG");
                match found.get(key) {
                    Some(_) | None if wrong_on_purpose => {}
                    Some(found) => differences(&format!("{at}.{key}"), found, expected, tolerance, out),
                    None => out.push(format!("{at}.{key}: expected {expected}, not answered")),
                }
            }
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                differences(&format!("{at}[{index}]"), found, expected, tolerance, out);
            }
        }
        (Value::Array(found), expected) if found.len() == 1 && !expected.is_array() => {
            differences(at, &found[0], expected, tolerance, out);
        }
        (Value::Array(found), Value::Null) if found.is_empty() => {}
        (found, Value::Array(expected)) if expected.len() == 1 && !found.is_array() => {
            differences(at, found, &expected[0], tolerance, out);
        }
        (Value::Null, Value::Array(expected)) if expected.is_empty() => {}
        (Value::Number(_), Value::Number(_)) => {
            let (number, wanted) = (found.as_f64().unwrap_or(f64::NAN), expected.as_f64().unwrap_or(f64::NAN));
            if !tolerance.accepts(number, wanted) {
                out.push(format!("{at}: found {number}, expected {wanted} within {}", tolerance.absolute));
            }
        }
        (found, expected) if found == expected => {}
        (found, expected) => out.push(format!("{at}: found {found}, expected {expected}")),
    }
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failures: Vec<String>,
    without_function: Vec<String>,
    not_finance: usize,
}

fn run(folder: &Path) -> Tally {
    let mut tally = Tally::default();
    for file in files(folder) {
        let list = match cases(&file) {
            Ok(list) => list,
            Err(problem) => {
                tally.failures.push(problem);
                continue;
            }
        };
        for case in list {
            let id = case.get("id").and_then(Value::as_str).unwrap_or("(no id)").to_owned();
            let Some(function) = case.get("function").and_then(Value::as_str) else {
                tally.not_finance += 1;
                continue;
            };
            let (Some(given), Some(expected)) = (case.get("inputs"), case.get("expected")) else {
                tally.failures.push(format!("{id}: no `inputs` or no `expected`"));
                continue;
            };
            match dispatch::answer(function, given, expected) {
                Outcome::NoFunction => tally.without_function.push(format!("{id} ({function})")),
                Outcome::Unreadable(problem) => tally.failures.push(format!("{id} ({function}): {problem}")),
                Outcome::Answer(found) => {
                    let mut out = Vec::new();
                    differences("answer", &found, expected, &Tolerance::of(&case), &mut out);
                    if out.is_empty() {
                        tally.passed += 1;
                    } else {
                        tally.failures.push(format!("{id} ({function}): {}", out.join("; ")));
                    }
                }
            }
        }
    }
    tally
}

fn report(name: &str, tally: &Tally) {
    println!(
        "{name}: {} cases passed, {} failed, {} without a function here, {} skipped as they name no `function` (not finance)",
        tally.passed,
        tally.failures.len(),
        tally.without_function.len(),
        tally.not_finance
    );
    for case in &tally.without_function {
        println!("  no function: {case}");
    }
    for failure in &tally.failures {
        println!("  failed: {failure}");
    }
}

#[test]
fn known_answers() {
    let own = run(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/finance"));
    report("tests/cases/finance", &own);
    assert!(own.passed >= 85, "only {} of the own cases passed", own.passed);
    assert!(own.failures.is_empty(), "{} own cases failed: {:#?}", own.failures.len(), own.failures);
    assert!(own.without_function.is_empty(), "own cases without a function: {:?}", own.without_function);
    let Some(folder) = std::env::var_os("COVERMIX_CASES") else {
        println!("COVERMIX_CASES is not set: only the own cases ran");
        return;
    };
    let folder = PathBuf::from(folder);
    assert!(folder.is_dir(), "COVERMIX_CASES names no folder: {}", folder.display());
    let given = run(&folder);
    report(&folder.display().to_string(), &given);
    assert!(given.failures.is_empty(), "{} given cases failed: {:#?}", given.failures.len(), given.failures);
}

#[test]
fn a_wrong_answer_is_a_failure() {
    let tolerance = Tolerance { absolute: 1e-9, relative: 0.0 };
    for (found, expected) in [("1.0", "1.1"), ("null", "1"), ("[0.1]", "[0.1,0.2]"), ("{\"a\":1}", "{\"b\":1}"), ("[]", "0.1")] {
        let mut out = Vec::new();
        differences(
            "answer",
            &serde_json::from_str(found).unwrap(),
            &serde_json::from_str(expected).unwrap(),
            &tolerance,
            &mut out,
        );
        assert!(!out.is_empty(), "{found} was taken for {expected}");
    }
}
