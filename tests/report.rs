//! The forms of a report agree: every number of HTML, Markdown and CSV is read back and compared with the JSON. And they hold what their readers
//! need, whatever names the data has.

#![cfg(feature = "highs")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test may fail by panic")]

use covermix::catalog::Catalog;
use covermix::planning::{Options, Plan, Planner, Policy, Rights};
use covermix::portfolio::Portfolio;
use covermix::portfolio::action::Action;
use covermix::portfolio::assumptions::SalePrice;
use covermix::report::{Audience, Report, Settings};
use covermix::scenario::transform::{OfferPrices, PriceChange, Select};
use covermix::scenario::{Scenario, Scenarios};
use covermix::units::Money;
use covermix::usage::UsageCurves;
use rust_decimal::Decimal;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::OnceLock;

const HOURS: usize = 24 * 70;

/// Ten weeks of two instance types by day and night, less at the weekend.
fn usage() -> UsageCurves {
    let mut text = "hour,provider,service,region,sku,platform,tenancy,unit,account,quantity\n".to_owned();
    for hour in 0..HOURS {
        let at = chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(473_352 + i64::try_from(hour).unwrap());
        let (day, clock) = (hour.div_euclid(24), hour % 24);
        let busy = if day % 7 < 5 { 6 } else { 2 };
        let quantity = 10 + if (8..20).contains(&clock) { busy } else { 0 } + day.div_euclid(20);
        for (sku, quantity) in [("m5.large", quantity), ("m5.xlarge", 3 + clock % 4)] {
            writeln!(
                text,
                "{},aws,AmazonEC2,us-east-1,{sku},Linux,shared,instance-hour,a&b <shop>,{quantity}",
                at.format("%Y-%m-%dT%H:%M:%SZ")
            )
            .unwrap();
        }
    }
    UsageCurves::from_reader(text.as_bytes()).unwrap()
}

fn catalog() -> Catalog {
    Catalog::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/catalog.json")).unwrap()
}

/// One report for all tests, with its plan.
fn made() -> &'static (Report, Plan) {
    static MADE: OnceLock<(Report, Plan)> = OnceLock::new();
    MADE.get_or_init(|| {
        let (catalog, usage) = (catalog(), usage());
        let usage = usage.filter(|line| catalog.price(&line.sku).is_some()).unwrap();
        let policy = Policy { max_coverage: Some(0.85), ..Policy::default() };
        let problem = Planner::new(&catalog).usage(&usage).policy(policy).build().unwrap();
        let plan = problem.solve(&Options::default()).unwrap();
        assert!(!plan.purchases().is_empty(), "nothing is bought");
        let settings = Settings { coverage_levels: vec![0.0, 0.3, 0.6, 0.8], ..Settings::default() };
        let report = Report::builder(&problem, &plan).settings(settings).build().unwrap();
        (report, plan)
    })
}

fn report() -> &'static Report {
    &made().0
}

/// What is held is of a zone that nothing runs in, and can be sold; something is bought beside; a scenario changes prices.
fn acting() -> &'static (Report, Plan) {
    static MADE: OnceLock<(Report, Plan)> = OnceLock::new();
    MADE.get_or_init(|| {
        let (catalog, usage) = (catalog(), usage());
        let usage = usage.filter(|line| catalog.price(&line.sku).is_some()).unwrap();
        let held = r#"{"schema": "covermix-portfolio/1", "currency": "USD", "commitments": [{
            "id": "too <many>", "offer": "ri/us-east-1/m5.large/Linux/1y-standard-all-upfront", "quantity": "60",
            "start": "2023-08-01T00:00:00Z", "end": "2024-07-31T00:00:00Z", "account": "a",
            "scope": {"kind": "availability_zone", "availability_zone": "us-east-1f"}}]}"#;
        let portfolio = Portfolio::from_json(held, &catalog).unwrap();
        let cut = PriceChange {
            select: Select { sku: Some("m5.large".into()), ..Select::default() },
            factor: 0.9,
            from: "2024-02-01T00:00:00Z".parse().unwrap(),
            offers: OfferPrices::Follow,
        };
        let future = |name: &str, probability, prices| Scenario { name: name.into(), probability, usage: usage.clone(), prices };
        let futures = Scenarios::new(vec![future("base", 0.75, Vec::new()), future("cut", 0.25, vec![cut])]).unwrap();
        let mut rights = Rights { actions: [Action::Sell].into(), ..Rights::default() };
        rights.assumptions.aws.sale_price = SalePrice::Each { price: Money::new(Decimal::from(150)) };
        let policy = Policy { forbidden_offers: vec!["ri/*".into()], ..Policy::default() };
        let planner = Planner::new(&catalog).scenarios(&futures).owning(&portfolio).policy(policy).rights(rights);
        let problem = planner.build().unwrap();
        let plan = problem.solve(&Options::default()).unwrap();
        let settings = Settings { coverage_levels: Vec::new(), price_limits: false, ..Settings::default() };
        let report = Report::builder(&problem, &plan).settings(settings).build().unwrap();
        (report, plan)
    })
}

/// Both reports, with what is asked of every one.
fn both() -> [&'static Report; 2] {
    [report(), &acting().0]
}

/// A rounded number of a page, with half a unit of its last digit.
fn read(text: &str) -> Option<(f64, f64)> {
    let is_percent = text.contains(" %");
    let digits: String = text.replace('−', "-").chars().filter(|one| one.is_ascii_digit() || matches!(one, '-' | '.')).collect();
    let value: f64 = digits.parse().ok()?;
    let decimals = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let unit = 0.1_f64.powi(i32::try_from(decimals).ok()?) * if is_percent { 0.01 } else { 1.0 };
    Some((if is_percent { value / 100.0 } else { value }, 0.5 * unit))
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

/// Path, exact value and text of every number in a page.
fn numbers_of(html: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for piece in html.split("<data ").skip(1) {
        let (attributes, rest) = piece.split_once('>').unwrap();
        let text = rest.split_once("</data>").unwrap().0;
        let attribute =
            |name: &str| attributes.split_once(&format!("{name}=\"")).unwrap().1.split_once('"').unwrap().0.to_owned();
        found.push((unescaped(&attribute("data-path")), attribute("value"), unescaped(text)));
    }
    found
}

#[test]
fn all_numbers_of_the_html_are_those_of_the_json() {
    for (report, audience) in both().into_iter().flat_map(|report| Audience::ALL.map(|audience| (report, audience))) {
        let json = report.json().unwrap();
        let html = report.html(audience).unwrap();
        let numbers = numbers_of(&html);
        assert!(numbers.len() > 8, "{audience:?} has only {} numbers", numbers.len());
        for (path, value, text) in numbers {
            let exact = json.pointer(&path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} is not in the JSON"));
            assert_eq!(
                value.parse::<Decimal>().unwrap(),
                Decimal::try_from(exact).unwrap().normalize().round_sf(15).unwrap(),
                "{path}"
            );
            let (shown, half) = read(&text).unwrap_or_else(|| panic!("{path}: `{text}` is not a number"));
            assert!((shown - exact).abs() <= half * 1.000_001 + 1e-12, "{path}: {text} is not {exact} rounded");
        }
    }
}

#[test]
fn all_values_of_the_csv_are_those_of_the_json_and_none_is_missing() {
    both().into_iter().for_each(compare_csv);
}

fn compare_csv(report: &Report) {
    let json = report.json().unwrap();
    let csv = report.csv().unwrap();
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let mut count = 0;
    for row in rows.records() {
        let row = row.unwrap();
        let (path, value, unit) = (&row[0], &row[4], &row[5]);
        match json.pointer(path).unwrap_or_else(|| panic!("{path} is not in the JSON")) {
            Value::Number(number) => {
                assert_eq!(value.parse::<f64>().unwrap().to_bits(), number.as_f64().unwrap().to_bits(), "{path}");
                assert!(!unit.is_empty(), "{path} has no unit");
            }
            Value::String(text) => assert_eq!(value, text, "{path}"),
            Value::Bool(is) => assert_eq!(value, is.to_string(), "{path}"),
            other => panic!("{path} is {other}"),
        }
        count += 1;
    }
    fn leaves(value: &Value) -> usize {
        match value {
            Value::Array(values) => values.iter().map(leaves).sum(),
            Value::Object(fields) => fields.values().map(leaves).sum(),
            Value::Null => 0,
            _ => 1,
        }
    }
    assert_eq!(count, leaves(&json));
}

/// The rows of the Markdown table after a caption, as cells.
fn table(markdown: &str, caption: &str) -> Vec<Vec<String>> {
    let after = markdown.split_once(caption).unwrap_or_else(|| panic!("no table `{caption}` in\n{markdown}")).1;
    let lines = after.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    lines.skip(2).map(cells).collect()
}

fn assert_near(text: &str, exact: f64) {
    let (shown, half) = read(text).unwrap_or_else(|| panic!("`{text}` is not a number"));
    assert!((shown - exact).abs() <= half * 1.000_001 + 1e-12, "{text} is not {exact} rounded");
}

#[test]
fn the_tables_of_the_markdown_are_those_of_the_json_and_of_the_html() {
    let json = report().json().unwrap();
    let markdown = report().markdown(Audience::Analyst);
    let purchases = table(&markdown, "What to buy; amounts in USD");
    assert_eq!(purchases.len(), report().purchases.len());
    for (row, purchase) in purchases.iter().zip(json["purchases"].as_array().unwrap()) {
        assert!(row[0].starts_with(purchase["subject"].as_str().unwrap()), "{row:?}");
        for (column, field) in [(4, "quantity"), (6, "upfront"), (7, "monthly"), (8, "savings_monthly"), (9, "utilisation")] {
            assert_near(&row[column], purchase[field].as_f64().unwrap());
        }
    }
    for (row, field) in table(&markdown, "USD over the hours planned").iter().zip([
        "on_demand_equivalent",
        "on_demand",
        "used_commitment",
        "unused_commitment",
        "cost",
        "cost_monthly",
    ]) {
        assert_near(&row[1], json["before"][field].as_f64().unwrap());
        assert_near(&row[2], json["after"][field].as_f64().unwrap());
    }
    for (row, case) in table(&markdown, "The same purchases in other futures").iter().zip(json["cases"].as_array().unwrap()) {
        for (column, field) in
            [(3, "before_monthly"), (4, "after_monthly"), (5, "savings_monthly"), (6, "unused_monthly"), (8, "npv")]
        {
            assert_near(&row[column], case[field].as_f64().unwrap());
        }
    }
    // Both pages are written from one document: the same numbers, in the same order.
    for (report, audience) in both().into_iter().flat_map(|report| Audience::ALL.map(|audience| (report, audience))) {
        let (html, markdown) = (report.html(audience).unwrap(), report.markdown(audience));
        let mut rest = markdown.replace('\\', "");
        for (path, _, text) in numbers_of(&html) {
            let at = rest.find(&text).unwrap_or_else(|| panic!("{path}: {text} is not in the Markdown of {audience:?}"));
            rest = rest[at + text.len()..].to_owned();
        }
    }
}

#[test]
fn actions_are_shown_to_every_reader_and_their_savings_are_not_the_purchases() {
    let (report, plan) = acting();
    assert!(!plan.purchases().is_empty() && plan.actions().iter().any(|action| action.change.is_some()), "{:?}", plan.actions());
    let json = report.json().unwrap();
    let at = |path: &str| json.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} is no number"));
    let near = |a: f64, b: f64, what: &str| assert!((a - b).abs() < 1e-6 * b.abs().max(1.0), "{what}: {a} and {b}");
    // Cost with nothing done, with the actions, with both.
    near(at("/split/by_actions"), at("/cost_before") - at("/split/cost_with_actions"), "actions");
    near(at("/split/by_purchases"), at("/split/cost_with_actions") - at("/billed_cost"), "purchases");
    near(at("/split/by_actions") + at("/split/by_purchases"), at("/savings"), "savings");
    near(at("/split/by_actions_monthly") + at("/split/by_purchases_monthly"), at("/savings_monthly"), "a month");
    near(at("/split/by_actions_counted_last"), plan.savings_by_actions_counted_last().to_f64(), "counted last");
    for (bill, path) in [("before", "/cost_before"), ("acted", "/split/cost_with_actions"), ("after", "/billed_cost")] {
        near(at(&format!("/{bill}/cost")), at(path), bill);
    }
    assert!(at("/split/by_actions") > 0.0 && at("/split/by_purchases") > 0.0);
    // What the purchases save is theirs alone, in the table of purchases and in the cash flows.
    let saved: f64 = report.purchases.iter().map(|purchase| purchase.savings_monthly.to_f64()).sum();
    near(saved, at("/split/by_purchases_monthly"), "saved by purchase");
    let hours = at("/hours");
    let avoided = (plan.after_actions().total().on_demand - plan.after().total().on_demand).to_f64();
    let of_purchases = report.finance.months.iter().map(|month| month.avoided.to_f64()).sum::<f64>();
    // Every purchase of this plan runs for a year of 365 days.
    near(of_purchases, avoided * 8760.0 / hours, "avoided over the terms");
    near(report.cases[0].savings_monthly.to_f64(), at("/savings_monthly"), "the first case");

    let actions = json["actions"].as_array().unwrap();
    assert_eq!(actions.len(), plan.actions().len());
    let (paid, received): (f64, f64) = plan
        .actions()
        .iter()
        .map(|action| action.paid.to_f64())
        .fold((0.0, 0.0), |sums, paid| (sums.0 + paid.max(0.0), sums.1 + (-paid).max(0.0)));
    near(at("/split/paid_for_actions"), paid, "paid");
    near(at("/split/received_for_actions"), received, "received");
    assert!(received > 0.0);
    // The memo says it in a line, the analyst has a table with quantity, cash and rule, the engineer the orders.
    let memo = report.markdown(Audience::Executive);
    assert!(
        memo.contains("Actions on what is held") && memo.contains("x sell") && memo.contains("together with the actions"),
        "{memo}"
    );
    let analyst = report.markdown(Audience::Analyst);
    let rows = table(&analyst, "What to do with what is held, USD");
    assert_eq!(rows.len(), actions.len());
    for (row, action) in rows.iter().zip(actions) {
        assert_eq!(row[0], action["action"].as_str().unwrap().replace('_', " "));
        assert_near(&row[7], action["gives"][0]["quantity"].as_f64().unwrap());
        assert_near(&row[9], action["paid"].as_f64().unwrap());
        assert_near(&row[10], action["received"].as_f64().unwrap());
        let rule = format!("Rule {}: {}", row[6], action["rule"].as_str().unwrap());
        assert!(analyst.replace('\\', "").contains(&rule), "{rule} is not in {analyst}");
    }
    let parts = table(&analyst, "What saves how much, USD");
    for (row, path) in
        parts.iter().zip(["/split/by_actions", "/split/by_purchases", "/savings", "/split/by_actions_counted_last"])
    {
        assert_near(&row[1], at(path));
    }
    let engineer = report.markdown(Audience::Engineer);
    let orders = table(&engineer, "What to do with what is held, before buying");
    assert_near(&orders[0][8], actions[0]["received"].as_f64().unwrap());
    assert_eq!(orders.len(), actions.iter().filter(|action| !action["call"].as_str().unwrap().is_empty()).count());
    let calls = table(&engineer, "The provider's call or form, and what to enter");
    assert!(calls.len() == orders.len() && calls[0][1].contains("CreateReservedInstancesListing"), "{calls:?}");
    // The price scenario.
    let [repriced] = report.repriced.as_slice() else { panic!("{:?}", report.repriced) };
    assert!(repriced.affected_share.to_f64() > 0.1 && repriced.savings_monthly < repriced.savings_at_catalog_monthly);
    for page in [&memo, &analyst] {
        assert!(page.contains("Scenario “cut”"), "{page}");
    }
}

#[test]
fn the_order_list_is_that_of_the_json() {
    let csv = report().orders_csv().unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let heads = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), report().purchases.len());
    let json = report().json().unwrap();
    for (row, purchase) in rows.iter().zip(json["purchases"].as_array().unwrap()) {
        for (head, cell) in heads.iter().zip(row).filter(|(head, _)| *head != "currency") {
            match &purchase[head] {
                Value::Number(number) => assert_eq!(cell.parse::<f64>().ok(), number.as_f64(), "{head}"),
                Value::String(text) => assert_eq!(cell, text, "{head}"),
                other => panic!("{head} is {other}"),
            }
        }
    }
}

#[test]
fn the_report_holds_what_the_plan_says() {
    let (report, plan) = made();
    let json = report.json().unwrap();
    let close = |path: &str, number: f64| {
        let all = json.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} is no number"));
        assert!((number - all).abs() <= 1e-6_f64.max(1e-9 * number.abs()), "{path}: {number} and {all}");
    };
    let certificate = plan.certificate();
    close("/lower_bound", plan.lower_bound());
    close("/objective", plan.objective());
    close("/gap", plan.gap());
    close("/billed_cost", plan.billed_cost().to_f64());
    close("/savings", plan.savings().to_f64());
    close("/savings_rate", plan.savings_rate().unwrap());
    close("/upfront", plan.upfront().to_f64());
    close("/certificate/billing_order", certificate.billing_order);
    close("/certificate/integrality", certificate.integrality);
    assert_eq!(json["purchases"].as_array().unwrap().len(), plan.purchases().len());
    for (index, purchase) in plan.purchases().iter().enumerate() {
        let at = |field: &str| format!("/purchases/{index}/{field}");
        assert_eq!(json.pointer(&at("offer")).unwrap(), &Value::from(purchase.offer.id.clone()));
        assert_eq!(json.pointer(&at("region")).unwrap(), &Value::from(purchase.offer.region.clone()));
        close(&at("quantity"), covermix::units::to_f64(purchase.quantity));
        close(&at("upfront"), purchase.upfront.to_f64());
        close(&at("monthly"), purchase.monthly.to_f64());
        close(&at("utilisation"), purchase.utilisation.unwrap());
        let month = json.pointer(&at("break_even_month")).unwrap();
        assert_eq!(month.as_u64(), purchase.break_even_month.map(u64::from));
    }
}

#[test]
fn a_report_is_read_back_and_another_schema_refused() {
    let text = report().json().unwrap().to_string();
    let back = Report::from_json(&text).unwrap();
    assert_eq!(&back, report());
    assert_eq!(back.html(Audience::Analyst).unwrap(), report().html(Audience::Analyst).unwrap());
    let other = Report::from_json(&text.replace("covermix-report/1", "covermix-report/9")).unwrap_err().to_string();
    assert!(other.contains("covermix-report/9") && other.contains("; "), "{other}");
    assert!(Report::from_json("{\"schema\":").unwrap_err().to_string().contains("line 1"));
    assert!(Report::from_json("").is_err());
}

#[test]
fn figures_hang_together() {
    let report = report();
    let value = |figure: covermix::report::Figure| figure.to_f64();
    // The years are the sums of the months, and the plan's cost is paid and expensed once.
    let sum = |of: fn(&covermix::report::model::FinanceMonth) -> covermix::report::Figure| -> f64 {
        report.finance.months.iter().map(|month| of(month).to_f64()).sum()
    };
    let cost = value(report.finance.cost);
    assert!((sum(|month| month.cash_paid) - cost).abs() < 0.05, "cash {} and cost {cost}", sum(|month| month.cash_paid));
    assert!((sum(|month| month.expense) - cost).abs() < 0.05);
    assert!((cost - value(report.obligation)).abs() < 1e-6 * cost, "{cost} and {}", report.obligation.to_f64());
    let net = report.finance.months.last().unwrap().cumulative_cash;
    assert!((value(net) - (value(report.finance.avoided) - cost)).abs() < 0.05);
    // Less usage, less saving; the break-even usage is between nothing and today.
    let low = &report.cases[report.low_case as usize];
    assert!(low.name == "low" && low.savings_monthly < report.savings_monthly && low.npv < report.finance.npv);
    let break_even = value(report.break_even_usage.unwrap());
    assert!(break_even > 0.0 && break_even < 1.0, "{break_even}");
    // What purchases save is what the plan saves.
    let saved: f64 = report.purchases.iter().map(|purchase| value(purchase.savings_monthly)).sum();
    assert!((saved - value(report.savings_monthly)).abs() < 0.01, "{saved} and {}", value(report.savings_monthly));
    // Coverage never exceeds usage, and load-duration curves fall.
    assert_eq!(report.week.hours.len(), 168);
    for hour in &report.week.hours {
        let covered: f64 = hour.covered.iter().map(|part| value(*part)).sum();
        assert!(covered <= value(hour.usage) * (1.0 + 1e-9), "{covered} of {}", value(hour.usage));
    }
    assert!(report.days.iter().all(|day| day.covered <= day.usage) && report.days.len() == 70);
    for curve in &report.load_duration {
        assert!(curve.points.windows(2).all(|pair| pair[0].usage >= pair[1].usage), "{} rises", curve.name);
    }
    assert!(report.load_duration.len() > 1 && !report.load_duration[1].levels.is_empty());
    assert!(report.coverage.points.len() >= 3);
    // The ladder ends at nothing.
    let last = report.ladder.last().unwrap();
    assert_eq!((value(last.one_year), value(last.longer)), (0.0, 0.0));
    let expiring: f64 = report.ladder.iter().map(|month| value(month.expiring)).sum();
    let bought: f64 = report.purchases.iter().map(|purchase| value(purchase.effective_hourly)).sum();
    assert!((expiring - bought).abs() < 1e-9 * bought.max(1.0), "{expiring} and {bought}");
}

#[test]
fn every_purchase_is_explained_in_two_sentences() {
    for purchase in &report().purchases {
        assert_eq!(purchase.explanation.len(), 2);
        assert!(purchase.explanation[0].starts_with("Buy ") && purchase.explanation[1].starts_with("It pays "));
        for sentence in &purchase.explanation {
            assert!(sentence.ends_with('.') && !sentence.contains(". ") && !sentence.contains("none"), "{sentence}");
        }
    }
}

#[test]
fn a_page_stands_alone() {
    for audience in Audience::ALL {
        let html = report().html(audience).unwrap();
        for outside in ["<script", "src=", "@import", "url(", "href="] {
            assert!(!html.contains(outside), "{audience:?} contains {outside}");
        }
        assert!(html.matches("<svg").count() == html.matches("</svg>").count());
        assert!(!html.contains("#0102"), "a stand-in colour is left");
    }
    #[cfg(feature = "report")]
    {
        let html = report().html(Audience::Analyst).unwrap();
        // Each in two sizes: week, days, all usage and a pool, coverage, cash, accounts, ladder, fan, tornado.
        assert!(html.matches("<svg").count() >= 20, "{} charts", html.matches("<svg").count());
        assert!(html.contains("currentColor") && html.contains("var(--s0)") && html.contains("prefers-color-scheme: dark"));
    }
}

#[test]
fn nothing_to_buy_is_a_report_too() {
    let (catalog, usage) = (catalog(), usage());
    let usage = usage.filter(|line| catalog.price(&line.sku).is_some()).unwrap();
    let policy = Policy { max_coverage: Some(0.0), ..Policy::default() };
    let problem = Planner::new(&catalog).usage(&usage).owning(&Portfolio::default()).policy(policy).build().unwrap();
    let plan = problem.solve(&Options::default()).unwrap();
    let settings = Settings { coverage_levels: Vec::new(), price_limits: false, ..Settings::default() };
    let report = Report::builder(&problem, &plan).settings(settings).build().unwrap();
    assert!(report.purchases.is_empty() && report.finance.months.is_empty());
    for audience in Audience::ALL {
        assert!(report.markdown(audience).to_lowercase().contains("noth"), "{audience:?}");
        report.html(audience).unwrap();
    }
    Report::from_json(&report.json().unwrap().to_string()).unwrap();
}

#[test]
fn settings_out_of_range_are_refused() {
    let (catalog, usage) = (catalog(), usage());
    let usage = usage.filter(|line| catalog.price(&line.sku).is_some()).unwrap();
    let problem = Planner::new(&catalog).usage(&usage).build().unwrap();
    let plan = problem.solve(&Options::default()).unwrap();
    let build = |settings: Settings| Report::builder(&problem, &plan).settings(settings).build().unwrap_err().to_string();
    let plain = Settings { coverage_levels: Vec::new(), price_limits: false, ..Settings::default() };
    let error = build(Settings { discount_rate: -1.5, ..plain.clone() });
    assert!(error.contains("report.finance") && error.contains("-1.5"), "{error}");
    let error = build(Settings { low_usage: f64::NAN, ..plain });
    assert!(error.contains("usage"), "{error}");
}
