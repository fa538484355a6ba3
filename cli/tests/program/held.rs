//! `rebalance`, `orders verify` and `negotiate`: what is held and what is signed.

use super::{errors, folder, json, number, run, text, usage};
use serde_json::{Value, json as value};
use std::fs;
use std::path::Path;

const DEMAND: [&str; 6] = ["--usage", "usage.csv", "--catalog", "catalog.json", "--portfolio", "portfolio.json"];

/// Twelve reservations of m5.large, of which usage needs five, and prices on a resale market.
fn too_much() -> tempfile::TempDir {
    let folder = folder(60);
    fs::write(folder.path().join("usage.csv"), usage(60, |_| 5.0)).unwrap();
    let held = super::PORTFOLIO.replace("\"quantity\": \"2\"", "\"quantity\": \"12\"").replace("\"a\"", "\"111122223333\"");
    fs::write(folder.path().join("portfolio.json"), held).unwrap();
    let resale = value!({"aws": {"sale_price": {"kind": "each", "price": "30"}, "sell_through": 1.0}});
    fs::write(folder.path().join("resale.json"), resale.to_string()).unwrap();
    folder
}

fn rebalance(folder: &Path, more: &[&str], code: i32) -> Value {
    json(folder, &[&["rebalance"], &DEMAND[..], more].concat(), code)
}

#[test]
fn what_usage_has_left_is_sold_and_the_orders_say_how() {
    let folder = too_much();
    let more = ["--assumptions", "resale.json", "--out", "orders"];
    let document = rebalance(folder.path(), &more, 0);
    let actions = document["actions"].as_array().unwrap();
    let sold: f64 = actions
        .iter()
        .filter(|of| of["action"] == "sell")
        .flat_map(|of| of["gives"].as_array().unwrap())
        .map(|of| number(&of["quantity"]))
        .sum();
    assert!((7.0..=12.0).contains(&sold), "{sold} sold: {document:#}");
    assert!(number(&document["after"]["utilisation"]) > 0.99 && number(&document["before"]["utilisation"]) < 0.42);
    assert!(number(&document["objective"]) < number(&document["objective_without_actions"]));
    assert!(number(&document["lower_bound"]) <= number(&document["objective"]) + 1e-9);
    let parts = ["savings_by_actions", "savings_by_purchases"].map(|part| number(&document[part]));
    assert!(parts[0] > 0.0 && (parts[0] + parts[1] - number(&document["savings"])).abs() < 1e-6, "{parts:?}");
    let orders: Value = serde_json::from_str(&fs::read_to_string(folder.path().join("orders/orders.json")).unwrap()).unwrap();
    assert_eq!(orders, document["orders"]);
    let rows = fs::read_to_string(folder.path().join("orders/orders.csv")).unwrap();
    assert_eq!(rows.lines().count(), 1 + orders["orders"].as_array().unwrap().len());
    let printed = text(folder.path(), &[&["rebalance"], &DEMAND[..], &more].concat());
    for word in [
        "Deadlines of the next 90 days",
        "What to do with what is held",
        "sell",
        "worth",
        "order(s) written to orders/orders.json",
    ] {
        assert!(printed.contains(word), "`{word}` is not in:\n{printed}");
    }
    // The recommendation tells them apart too, with the orders for each.
    let recommended =
        json(folder.path(), &[&["recommend"], &DEMAND[..], &["--rights", "resale.json", "--out", "plan"]].concat(), 0);
    let split = |part: &str| number(&recommended["split"][part]);
    assert!(
        split("by_actions") > 0.0 && (split("by_actions") + split("by_purchases") - number(&recommended["savings"])).abs() < 1e-6
    );
    let sale = recommended["actions"].as_array().unwrap().iter().find(|of| of["action"] == "sell").unwrap();
    assert!(sale["call"] == "ec2:CreateReservedInstancesListing" && number(&sale["received"]) > 0.0, "{sale:#}");
    assert_eq!(number(&recommended["split"]["received_for_actions"]), number(&sale["received"]));
    let written = fs::read_to_string(folder.path().join("plan/recommendation.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), recommended);
    // Where selling is not among what may be done, nothing is sold.
    let kept = rebalance(folder.path(), &["--assumptions", "resale.json", "--action", "exchange", "--quick"], 0);
    assert!(
        kept["actions"].as_array().unwrap().iter().all(|of| of["action"] != "sell")
            && kept["objective_without_actions"].is_null()
    );
}

#[test]
fn a_later_day_is_planned_for_with_the_usage_repeated() {
    let folder = too_much();
    let document = rebalance(folder.path(), &["--as-of", "2024-04-20", "--months", "2", "--quick"], 0);
    assert_eq!((number(&document["hours"]), &document["as_of"]), (61.0 * 24.0, &"2024-04-20T00:00:00Z".into()));
    // It ends on 31 May, within 60 days of 20 April.
    let alerts = document["alerts"].as_array().unwrap();
    assert!(alerts.iter().any(|of| of["deadline"]["kind"]["kind"] == "expiry" && of["within_days"] == 60), "{alerts:#?}");
    let output = run(folder.path(), &[&["rebalance"], &DEMAND[..], &["--as-of", "2023-04-20"]].concat());
    assert_eq!(output.status.code(), Some(2), "usage cannot be repeated backwards: {}", errors(&output));
}

#[test]
fn orders_that_were_not_executed_are_answered_with_1() {
    let folder = too_much();
    rebalance(folder.path(), &["--assumptions", "resale.json", "--out", "orders", "--quick"], 0);
    let came = |portfolio: &str, code: i32| {
        let more = ["--came-usage", "usage.csv", "--came-portfolio", portfolio];
        json(folder.path(), &[&["orders", "verify", "orders/orders.json"], &DEMAND[..], &more].concat(), code)
    };
    let nothing_done = came("portfolio.json", 1);
    let orders = nothing_done["orders"].as_array().unwrap();
    assert!(orders.iter().all(|order| order["cause"] == "not_executed") && !orders.is_empty());
    let parts: f64 = orders.iter().map(|order| number(&order["amount"])).sum();
    let rest: f64 = ["usage", "price", "unordered", "rest"].iter().map(|part| number(&nothing_done[part])).sum();
    assert!((parts + rest - number(&nothing_done["difference"])).abs() < 1e-6 && number(&nothing_done["difference"]) > 0.0);
}

pub(crate) const OFFERS: &str = r#"
schema = "covermix-agreements/1"

[[offers]]
name = "in reach"
provider = "aws"
discount = 0.05
contract = "aws_enterprise_discount"
start = "2024-01-01"
minimums = [2000]

[[offers]]
name = "out of reach"
provider = "aws"
discount = "0.06"
contract = "aws_enterprise_discount"
start = "2024-01-01"
minimums = [100000]

[[clauses]]
kind = "minimums"
factor = 0.5
"#;

#[test]
fn the_agreement_that_costs_least_is_chosen_with_what_to_buy() {
    let folder = folder(60);
    fs::write(folder.path().join("offers.toml"), OFFERS).unwrap();
    let arguments = ["negotiate", "--usage", "usage.csv", "--catalog", "catalog.json", "--agreements", "offers.toml"];
    let document = json(folder.path(), &arguments, 0);
    assert_eq!(document["chosen"], "in reach", "{document:#}");
    let branches = document["branches"].as_array().unwrap();
    assert_eq!(
        branches.iter().map(|of| of["offer"].as_str().unwrap()).collect::<Vec<_>>(),
        ["no agreement", "in reach", "out of reach"]
    );
    let costs: Vec<f64> = branches.iter().map(|of| number(&of["cost"])).collect();
    assert!(costs[1] < costs[0] && costs[0] < costs[2], "{costs:?}");
    assert!(number(&document["lower_bound"]) <= costs[1]);
    let clauses = document["clauses"].as_array().unwrap();
    assert!(clauses.len() == 1 && clauses[0]["clause"] == "minimums at 50 %");
    let printed = text(folder.path(), &arguments);
    for word in ["<- chosen", "Agreement first, commitments second", "in reach", "minimums at 50 %"] {
        assert!(printed.contains(word), "`{word}` is not in:\n{printed}");
    }
    // With dates the ledger of the chosen agreement is told by year.
    fs::write(folder.path().join("usage.csv"), usage(366, |hour| if hour % 24 < 12 { 8.0 } else { 5.0 })).unwrap();
    let dated = [&arguments[..], &["--date", "2024-01-01", "--quick"]].concat();
    let ledger = &json(folder.path(), &dated, 0)["ledgers"][0]["ledger"]["periods"][0];
    assert!(number(&ledger["settled"]["required"]) > 1999.0, "{ledger}");
    let printed = text(folder.path(), &dated);
    assert!(printed.contains("on 2024-01-01") && printed.contains("year 1: required         2,000"), "{printed}");
    let output =
        run(folder.path(), &["recommend", "--usage", "usage.csv", "--catalog", "catalog.json", "--agreement", "offers.toml"]);
    assert!(output.status.code() == Some(2) && errors(&output).contains("covermix negotiate"), "{}", errors(&output));
}

#[test]
fn offers_that_cannot_be_are_refused_by_name() {
    let folder = folder(14);
    let arguments = ["negotiate", "--usage", "usage.csv", "--catalog", "catalog.json", "--agreements", "offers.toml"];
    for (from, to, words) in [
        ("covermix-agreements/1", "covermix-agreements/9", &["covermix-agreements/9"][..]),
        ("minimums = [2000]", "", &["in reach", "minimums"]),
        ("contract = \"aws_enterprise_discount\"\n", "", &["in reach", "`contract`"]),
        ("discount = 0.05", "discount = 1.5", &["in reach", "1.5"]),
        ("\"out of reach\"", "\"in reach\"", &["in reach", "used twice"]),
        ("start = \"2024-01-01\"", "begin = \"2024-01-01\"", &["begin"]),
        ("[[offers]]", "[[offer]]", &["offer"]),
    ] {
        assert!(OFFERS.contains(from));
        fs::write(folder.path().join("offers.toml"), OFFERS.replacen(from, to, 1)).unwrap();
        let output = run(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{to}: {}", errors(&output));
        for word in words {
            assert!(errors(&output).contains(word), "`{word}` is not in: {}", errors(&output));
        }
    }
}
