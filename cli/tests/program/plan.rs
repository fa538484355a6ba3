//! `recommend`, `report`, `replay`, `scenario` and `backtest`.

use super::{errors, folder, json, number, program, repository, run, text, usage};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

const DEMAND: [&str; 4] = ["--usage", "usage.csv", "--catalog", "catalog.json"];

fn with<'a>(command: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [command, &DEMAND, more].concat()
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_recommendation_is_printed_written_and_the_same_in_json() {
    let folder = folder(14);
    let printed = text(folder.path(), &with(&["recommend"], &["--out", "plan"]));
    for word in ["What to buy", "lower bound", "Gap", "The report:\n  plan/recommendation.json"] {
        assert!(printed.contains(word), "`{word}` is not in:\n{printed}");
    }
    let forms = ["json", "csv", "html", "md"].map(|form| format!("recommendation.{form}"));
    for file in forms.iter().map(String::as_str).chain(["recommendation-memo.html", "recommendation-orders.csv"]) {
        assert!(folder.path().join("plan").join(file).is_file(), "{file} is missing");
    }
    let document = json(folder.path(), &with(&["recommend"], &["--out", "plan"]), 0);
    assert_eq!(document, read(&folder.path().join("plan/recommendation.json")));
    assert_eq!(document["schema"], "covermix-report/1");
    assert!(number(&document["certificate"]["gap"]) < 1e-3, "{}", document["certificate"]);
    // Without --out nothing is written.
    let again = text(folder.path(), &with(&["recommend"], &[]));
    assert!(!again.contains("The report:") && printed.starts_with(again.trim_end()));
}

#[test]
fn the_pages_are_rebuilt_from_the_document_byte_by_byte() {
    let folder = folder(14);
    text(folder.path(), &with(&["recommend"], &["--out", "plan"]));
    let document = json(folder.path(), &["report", "plan/recommendation.json", "--out", "pages"], 0);
    let written = document["written"].as_array().unwrap();
    assert_eq!(written.len(), fs::read_dir(folder.path().join("plan")).unwrap().count());
    for path in written {
        let path = Path::new(path.as_str().unwrap());
        let first = fs::read(folder.path().join("plan").join(path.file_name().unwrap())).unwrap();
        assert!(fs::read(folder.path().join(path)).unwrap() == first, "{} differs", path.display());
    }
}

#[test]
fn held_commitments_policy_scenarios_and_rights_take_part() {
    let folder = folder(14);
    let cost = |document: &Value| number(&document["certificate"]["billed_cost"]);
    let free = json(folder.path(), &with(&["recommend"], &[]), 0);
    let held = json(folder.path(), &with(&["recommend"], &["--portfolio", "portfolio.json"]), 0);
    assert!(cost(&held) >= cost(&free) - 1e-6, "what is held cannot make the best plan cheaper here");
    fs::write(folder.path().join("policy.toml"), "payment_options = [\"no_upfront\"]\n").unwrap();
    let no_upfront = json(folder.path(), &with(&["recommend"], &["--policy", "policy.toml"]), 0);
    assert!(cost(&no_upfront) > cost(&free));
    let rights = json(folder.path(), &with(&["recommend"], &["--portfolio", "portfolio.json", "--rights", "--out", "plan"]), 0);
    assert!(rights["actions"].is_array() && folder.path().join("plan/orders.csv").is_file());
    let scenarios = "schema = \"covermix-scenarios/1\"\n[[scenarios]]\nname = \"base\"\nprobability = 0.5\n\
        [[scenarios]]\nname = \"growth\"\nprobability = 0.5\n[[scenarios.transforms]]\nkind = \"growth\"\nannual = 2.0\n";
    fs::write(folder.path().join("scenarios.toml"), scenarios).unwrap();
    let futures = json(folder.path(), &with(&["recommend"], &["--scenarios", "scenarios.toml"]), 0);
    assert!(cost(&futures) > cost(&free), "growth costs");
    assert_eq!(futures["cases"].as_array().unwrap().iter().filter(|case| case["name"] == "growth").count(), 1);
}

const PRICE_CUT: &str = r#"
schema = "covermix-scenarios/1"

[[scenarios]]
name = "base"
probability = 0.75

[[scenarios]]
name = "cut"
probability = 0.25

[[scenarios.prices]]
factor = 0.7
from = "2024-02-01T00:00:00Z"
"#;

/// 60 days from 1 January, of which the 29 of February have another price.
#[test]
fn a_plan_is_told_at_the_prices_of_the_scenarios_too() {
    let folder = folder(60);
    fs::write(folder.path().join("scenarios.toml"), PRICE_CUT).unwrap();
    let arguments = with(&["recommend"], &["--scenarios", "scenarios.toml"]);
    let document = json(folder.path(), &arguments, 0);
    let [cut] = document["repriced"].as_array().unwrap().as_slice() else { panic!("{}", document["repriced"]) };
    assert!(cut["name"] == "cut" && (number(&cut["affected_share"]) - 29.0 / 60.0).abs() < 1e-9, "{cut}");
    // What is left on demand becomes cheaper; what is bought does not, so it saves less.
    assert!(number(&cut["plan_monthly"]) < number(&cut["plan_at_catalog_monthly"]), "{cut}");
    assert!(number(&cut["savings_monthly"]) < number(&cut["savings_at_catalog_monthly"]), "{cut}");
    let printed = text(folder.path(), &arguments);
    assert!(printed.contains("scenario cut: prices of 48.3 % of the on-demand spend change"), "{printed}");
    fs::write(folder.path().join("offers.toml"), super::held::OFFERS).unwrap();
    let arguments = with(&["negotiate"], &["--scenarios", "scenarios.toml", "--agreements", "offers.toml", "--quick"]);
    let negotiated = json(folder.path(), &arguments, 0);
    let cut = &negotiated["repriced"][0];
    assert!((number(&cut["affected"]) / number(&cut["on_demand"]) - 29.0 / 60.0).abs() < 1e-9, "{cut}");
    assert!(number(&cut["plan"]) < number(&cut["plan_at_catalog"]) && number(&cut["before"]) < number(&cut["before_at_catalog"]));
    let printed = text(folder.path(), &arguments);
    assert!(printed.contains("Price changes are in no cost above") && printed.contains("scenario cut"), "{printed}");
}

#[test]
fn rules_that_clash_are_answered_with_1_and_named() {
    let folder = folder(14);
    fs::write(folder.path().join("policy.toml"), "min_coverage = 0.9\nmax_remaining_obligation = \"1\"\n").unwrap();
    let output = run(folder.path(), &with(&["recommend"], &["--policy", "policy.toml", "--out", "plan"]));
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    assert!(errors(&output).contains("the policy cannot be kept"), "{}", errors(&output));
    assert!(!folder.path().join("plan").exists());
    json(folder.path(), &with(&["recommend"], &["--policy", "policy.toml"]), 1);
}

#[test]
fn usage_without_a_price_is_refused_or_left_out_by_name() {
    let folder = folder(14);
    let more = usage(14, |_| 1.0).replace("m5.large", "x9.huge");
    let more = more.split_once('\n').unwrap().1;
    let all = fs::read_to_string(folder.path().join("usage.csv")).unwrap() + more;
    fs::write(folder.path().join("usage.csv"), all).unwrap();
    for command in ["recommend", "replay"] {
        let output = run(folder.path(), &with(&[command], &[]));
        assert_eq!(output.status.code(), Some(2));
        assert!(errors(&output).contains("x9.huge") && errors(&output).contains("--exclude-unknown"), "{}", errors(&output));
        let output = run(folder.path(), &with(&[command], &["--exclude-unknown"]));
        assert_eq!(output.status.code(), Some(0));
        assert!(errors(&output).contains("excluded, no price in the catalog") && errors(&output).contains("336.00 units"));
    }
}

/// Ctrl-C while the plan is searched: the best so far, whole files, exit code 130.
#[test]
#[cfg(unix)]
fn ctrl_c_ends_the_search_with_the_best_plan_so_far() {
    let folder = tempfile::tempdir().unwrap();
    let [usage, catalog] = ["data/usage.csv.gz", "data/catalog.json"].map(|name| repository(name).to_str().unwrap().to_owned());
    let arguments = ["recommend", "--usage", &usage, "--catalog", &catalog, "--gap", "1e-12", "--out", "plan", "--json", "-v"];
    let mut child = program(folder.path(), &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("the search begins")));
    let rest = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>().join("\n"));
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    let code = child.wait().unwrap().code();
    let said = rest.join().unwrap();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("interrupted: this is the best plan so far"), "{said}");
    let document: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(document["status"], "stopped_at_limit");
    assert_eq!(document, read(&folder.path().join("plan/recommendation.json")));
    let certificate = &document["certificate"];
    assert!(number(&certificate["lower_bound"]) <= number(&certificate["billed_cost"]));
}

#[test]
fn a_replay_adds_up_however_it_is_cut() {
    let folder = folder(40);
    let of = |by: &str| json(folder.path(), &with(&["replay"], &["--portfolio", "portfolio.json", "--by", by, "--cash"]), 0);
    let months = of("month");
    // 40 days, 8 and 5 instances by halves of a day, of which 2 are reserved at 0.06: nothing of them is unused.
    let (all, open) = (40.0 * 12.0 * 13.0 * 0.096, 40.0 * 12.0 * 9.0 * 0.096);
    let reserved = 40.0 * 24.0 * 2.0 * 0.06;
    for (figure, value) in [
        ("on_demand_equivalent", all),
        ("on_demand", open),
        ("used_commitment", reserved),
        ("unused_commitment", 0.0),
        ("cost", open + reserved),
    ] {
        assert!((number(&months["total"][figure]) - value).abs() < 1e-9, "{figure}: {} is not {value}", months["total"][figure]);
    }
    for by in ["month", "day", "hour"] {
        let document = of(by);
        let rows = document["rows"].as_array().unwrap();
        assert_eq!(
            rows.len(),
            match by {
                "month" => 2,
                "day" => 40,
                _ => 960,
            }
        );
        let sum: f64 = rows.iter().map(|row| number(&row["cost"])).sum();
        assert!((sum - open - reserved).abs() < 1e-6, "{by}: {sum}");
    }
    let paid: f64 = months["cash"]["payments"].as_array().unwrap().iter().map(|payment| number(&payment["amount"])).sum();
    let by_month: f64 = months["cash"]["months"].as_object().unwrap().values().map(number).sum();
    assert!((paid - by_month).abs() < 1e-9);
    let printed =
        text(folder.path(), &with(&["replay"], &["--portfolio", "portfolio.json", "--explain", "2024-01-03T20:00:00Z"]));
    assert!(printed.contains("covers 2 of 5") && printed.contains("on demand: 3 of"), "{printed}");
    assert!(printed.contains("2024-02") && printed.contains("total"));
    let output = run(folder.path(), &with(&["replay"], &["--explain", "2030-01-01T00:00:00Z"]));
    assert!(output.status.code() == Some(2) && errors(&output).contains("not in the usage"));
}

#[test]
fn futures_are_listed_and_written() {
    let folder = folder(40);
    let scenarios = "schema = \"covermix-scenarios/1\"\n[horizon]\nstart = \"2024-02-01T00:00:00Z\"\nmonths = 1\n\
        [[scenarios]]\nname = \"as it is\"\nprobability = 0.75\n\
        [[scenarios]]\nname = \"half\"\nprobability = 0.25\n[[scenarios.transforms]]\nkind = \"step\"\nfactor = 0.5\nfrom = \"2024-02-01T00:00:00Z\"\n";
    fs::write(folder.path().join("scenarios.toml"), scenarios).unwrap();
    let arguments = with(&["scenario"], &["--scenarios", "scenarios.toml", "--out", "futures"]);
    let document = json(folder.path(), &arguments, 0);
    let futures = document["scenarios"].as_array().unwrap();
    assert_eq!(futures.len(), 2);
    let (base, half) = (&futures[0], &futures[1]);
    assert_eq!((base["probability"].as_f64(), half["probability"].as_f64()), (Some(0.75), Some(0.25)));
    assert_eq!(base["hours"], 29 * 24);
    assert!((number(&half["mean_units"]) * 2.0 - number(&base["mean_units"])).abs() < 1e-9);
    assert!((number(&base["on_demand_monthly"]) - 6.5 * 0.096 * 730.0).abs() < 1e-6);
    assert!(text(folder.path(), &arguments).contains("as it is"));
    // What is written can be planned for.
    let bill = json(folder.path(), &["replay", "--usage", "futures/half.csv.gz", "--catalog", "catalog.json"], 0);
    assert!((number(&bill["total"]["cost"]) - 29.0 * 24.0 * 3.25 * 0.096).abs() < 1e-6);
    assert!(folder.path().join("futures/as-it-is.csv.gz").is_file());
}

#[test]
fn rules_are_compared_on_usage_and_on_a_trace() {
    let folder = folder(120);
    let document = json(folder.path(), &with(&["backtest"], &[]), 0);
    let rows = document["rows"].as_array().unwrap();
    let of = |name: &str| rows.iter().find(|row| row["rule"] == name).unwrap_or_else(|| panic!("no {name}: {document}"));
    assert_eq!(number(&of("buy nothing")["savings"]), 0.0);
    let best = rows.iter().map(|row| number(&row["cost"])).fold(f64::INFINITY, f64::min);
    assert!((number(&of("perfect foresight")["cost"]) - best).abs() <= 1e-6 * best, "foresight is the yardstick");
    assert_eq!(document["offer"], "sp/compute/1y-no-upfront");
    let output = run(folder.path(), &with(&["backtest"], &["--offer", "sp/none"]));
    assert!(output.status.code() == Some(2) && errors(&output).contains("sp/compute/1y-no-upfront"), "{}", errors(&output));
    let output = run(folder.path(), &with(&["backtest"], &["--first", "100000"]));
    assert_eq!(output.status.code(), Some(2), "{}", errors(&output));

    let mut trace = "USAGE_HOUR,REGION_NUM,INSTANCE_TYPE,NORM_USAGE\n".to_owned();
    let first = chrono::NaiveDate::from_ymd_opt(2021, 2, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
    for hour in 0..(2 * 8760 + 1000) {
        let start = (first + chrono::Duration::hours(hour)).format("%Y-%m-%d %H:%M:%S.000");
        trace += &format!("{start},1,A,{}\n", 100 + hour.div_euclid(100));
    }
    fs::write(folder.path().join("trace.csv"), &trace).unwrap();
    let document = json(folder.path(), &["backtest", "--trace", "trace.csv", "--discount", "0.3", "--step", "2000"], 0);
    assert_eq!((document["hours_charged"].as_u64(), document["discount"].as_f64()), (Some(9760), Some(0.3)));
    let forecasts = json(folder.path(), &["backtest", "--trace", "trace.csv", "--forecasts"], 0);
    assert_eq!(forecasts["rows"].as_array().unwrap().len(), 7);
    let short: String = trace.lines().take(2000).map(|line| format!("{line}\n")).collect();
    fs::write(folder.path().join("trace.csv"), short).unwrap();
    let output = run(folder.path(), &["backtest", "--trace", "trace.csv"]);
    assert!(output.status.code() == Some(2) && errors(&output).contains("two years"), "{}", errors(&output));
}
