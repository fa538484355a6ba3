//! Google's bills beyond the basics: both data models of spend-based commitments, lists that tell when commitments run, and the nested
//! columns of a Parquet export from BigQuery. Amounts of the older model are those that Google's documentation prints.

use super::synthetic::{GOOGLE, file};
use covermix::catalog::gcp::{Resource, SpendDiscounts, SpendModel, resource_sku};
use covermix::catalog::{Catalog, OnDemandPrice, Origin, PoolUnits};
use covermix::units::{UnitPrice, Units};
use covermix_ingest::{Bill, ChargeKind, Error, Note, Options, Subject, UnknownSkus};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::{JsonReadOptions, SessionContext};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// A row of an hour: SKU, cost, quantity with its unit, credits.
fn row(sku: &str, cost: f64, (quantity, unit): (f64, &str), credits: &Value) -> Value {
    json!({
        "billing_account_id": "B", "service": {"id": "6F81-5844-456A", "description": "Compute Engine"},
        "sku": {"id": sku.split(' ').map(|word| word.chars().take(3).collect::<String>()).collect::<String>(), "description": sku},
        "usage_start_time": "2024-02-02T08:00:00Z", "usage_end_time": "2024-02-02T09:00:00Z",
        "project": {"id": "p"}, "location": {"region": "us-central1"}, "cost": cost, "currency": "USD",
        "usage": {"amount": quantity, "unit": unit, "amount_in_pricing_units": quantity, "pricing_unit": unit},
        "credits": credits, "invoice": {"month": "202402"}, "cost_type": "regular",
    })
}

fn credit(kind: &str, amount: f64) -> Value {
    json!([{"type": kind, "name": kind, "amount": amount}])
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

fn read(rows: &[Value]) -> Bill {
    let (_folder, path) = file("google.json", &lines(rows));
    Bill::read(&[path], &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

const CORE: &str = "E2 Instance Core running in Americas";
const RAM: &str = "E2 Instance Ram running in Americas";
const FLEXIBLE: &str = "Commitment - dollar based v1: Compute Flexible CUD";
const SPEND: &str = "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE";

/// The hour of Google's example, with more usage than was committed: 0.1 of on-demand money, at 0.0072 for each cent.
fn overused() -> Vec<Value> {
    vec![
        row(CORE, 0.174_496, (8.0, "hour"), &credit(SPEND, -0.065_095)),
        row(RAM, 0.093_568, (32.0, "gibibyte hour"), &credit(SPEND, -0.034_905)),
        row(FLEXIBLE, 0.046_868, (6.509_49, "count"), &json!([])),
        row(FLEXIBLE, 0.025_132, (3.490_51, "count"), &json!([])),
    ]
}

#[test]
fn legacy_fees_of_spend_are_amortised() {
    let bill = read(&overused());
    let [held] = bill.commitments() else { panic!("{:?}", bill.commitments()) };
    assert_eq!(held.subject, Subject::Spend { plan: "Compute Flexible CUD (legacy)".into() });
    // Ten cents an hour, at 28 % off; the description names no term.
    assert_eq!(
        (held.quantity.unwrap().to_string().as_str(), held.recurring.unwrap().normalize().to_string().as_str()),
        ("0.1", "0.72")
    );
    assert_eq!((held.term, held.account.as_str()), (None, "B"));
    let money = bill.money();
    // All of the fee of 0.072 was used; of usage of 0.268064, credits of 0.1 leave the rest on demand.
    let figures = |kind| {
        let money = money.of(kind);
        [money.effective, money.list].map(|amount| amount.value().round_dp(6).normalize().to_string())
    };
    assert_eq!(figures(ChargeKind::Covered), ["0.072", "0.1"]);
    assert_eq!(figures(ChargeKind::OnDemand), ["0.168064", "0.168064"]);
    assert_eq!(figures(ChargeKind::Purchase), ["0", "0"]);
    assert_eq!(money.billed().value().normalize().to_string(), "0.240064");
    assert_eq!(money.effective().value().round_dp(9).normalize().to_string(), "0.240064");
    assert!((money.coverage().unwrap().unwrap() - 0.1 / 0.268_064).abs() < 1e-12);
    assert!((money.effective_savings_rate().unwrap().unwrap() - 0.028 / 0.268_064).abs() < 1e-12);
    assert_eq!(money.utilisation(), Some(1.0));
}

#[test]
fn unused_parts_of_legacy_fees_stay_apart() {
    // The other example: 0.3 committed, 0.268064 used. The fee's rows name the SKU that used them; the unused part names none.
    let labelled = |cost: f64, quantity: f64, sku: &str| {
        let mut row = row(FLEXIBLE, cost, (quantity, "count"), &json!([]));
        row["system_labels"] = json!([{"key": "goog-originating-sku-id", "value": sku}]);
        row
    };
    let mut rows = vec![
        row(CORE, 0.174_496, (8.0, "hour"), &credit(SPEND, -0.174_496)),
        row(RAM, 0.093_568, (32.0, "gibibyte hour"), &credit(SPEND, -0.093_568)),
        row(FLEXIBLE, 0.022_994, (3.194, "count"), &json!([])),
        labelled(0.125_637, 17.45, "E2C"),
        labelled(0.067_369, 9.357, "E2R"),
    ];
    rows[2]["project"] = json!({});
    let bill = read(&rows);
    let used = bill.money().of(ChargeKind::Covered).effective.value().normalize().to_string();
    let unused = bill.money().of(ChargeKind::Purchase).effective.value().normalize().to_string();
    assert_eq!((used.as_str(), unused.as_str()), ("0.193006", "0.022994"));
    let [held] = bill.commitments() else { panic!("{:?}", bill.commitments()) };
    assert_eq!(held.quantity.unwrap().to_string(), "0.30001");
    // Without the labels, as far as what was committed was credited: 0.268064 of 0.30001.
    rows[3]["system_labels"] = json!([]);
    rows[4]["system_labels"] = json!([]);
    let bill = read(&rows);
    let used = bill.money().of(ChargeKind::Covered).effective.value();
    assert_eq!(used.round_dp(6).to_string(), "0.193000");
    assert_eq!(bill.money().effective().value().normalize().to_string(), "0.216");
}

#[test]
fn legacy_fees_of_resources_are_amortised_as_far_as_they_are_covered() {
    let fee = "Commitment v1: N2 Cpu in Americas for 1 Year";
    let mut rows = vec![
        // 6 of 10 vCPU are covered by 8 committed ones; sustained use is no commitment.
        row("N2 Instance Core running in Americas", 1.0, (10.0, "hour"), &credit("COMMITTED_USAGE_DISCOUNT", -0.6)),
        row("N2 Instance Ram running in Americas", 0.4, (100.0, "gibibyte hour"), &credit("SUSTAINED_USAGE_DISCOUNT", -0.08)),
        row(fee, 0.48, (8.0, "hour"), &json!([])),
    ];
    let bill = read(&rows);
    let money = bill.money();
    let figures = |kind| {
        let money = money.of(kind);
        [money.billed, money.effective, money.list].map(|amount| amount.value().round_dp(9).normalize().to_string())
    };
    assert_eq!(figures(ChargeKind::Covered), ["0", "0.36", "0.6"]);
    assert_eq!(figures(ChargeKind::Purchase), ["0.48", "0.12", "0"]);
    assert_eq!(figures(ChargeKind::OnDemand), ["0.72", "0.72", "0.8"]);
    assert!((money.utilisation().unwrap() - 0.75).abs() < 1e-12);
    // Sustained use of a row covered in part is of the other part.
    let mut both = rows.clone();
    both[0]["credits"].as_array_mut().unwrap().push(json!({"type": "SUSTAINED_USAGE_DISCOUNT", "name": "s", "amount": -0.04}));
    let bill = read(&both);
    assert_eq!(bill.money().of(ChargeKind::Covered).effective.value().round_dp(9).normalize().to_string(), "0.36");
    assert_eq!(bill.money().of(ChargeKind::OnDemand).effective.value().round_dp(9).normalize().to_string(), "0.68");
    // Fees attributed to two projects are still one hour's.
    rows[2]["usage"]["amount"] = json!(5);
    rows[2]["usage"]["amount_in_pricing_units"] = json!(5);
    rows[2]["cost"] = json!(0.3);
    let mut other = rows[2].clone();
    (other["usage"]["amount"], other["usage"]["amount_in_pricing_units"], other["cost"]) = (json!(3), json!(3), json!(0.18));
    other["subscription"] = json!({"instance_id": "c"});
    rows[2]["subscription"] = json!({"instance_id": "c"});
    other["project"]["id"] = json!("q");
    rows.push(other);
    let bill = read(&rows);
    let [held] = bill.commitments() else { panic!("{:?}", bill.commitments()) };
    assert_eq!((held.quantity.unwrap().to_string().as_str(), held.recurring.unwrap().to_string().as_str()), ("8", "0.06"));
    // Without a quantity nobody can tell.
    for row in &mut rows[2..] {
        row["usage"] = json!({});
    }
    let bill = read(&rows);
    assert_eq!(bill.money().of(ChargeKind::Purchase).effective.value().normalize().to_string(), "0.48");
    assert!(bill.notes().iter().any(|note| note.to_string().contains("not amortised")), "{:?}", bill.notes());
}

#[test]
fn usage_at_a_consumption_models_price_has_no_on_demand_price_of_its_own() {
    let text = GOOGLE.replace("\"cost_at_list\":0.3,", "");
    let (_folder, path) = file("google.json", &text);
    let bill = Bill::read(&[path], &Options::default()).unwrap();
    assert!(matches!(bill.money().effective_savings_rate(), Err(Error::NoOnDemandPrice { rows: 1, .. })));
    let price = text
        .replace("\"consumption_model\":{\"id\":\"2\"", "\"price\":{\"list_price\":0.0375},\"consumption_model\":{\"id\":\"2\"");
    let (_folder, path) = file("google.json", &price);
    let bill = Bill::read(&[path], &Options::default()).unwrap();
    assert_eq!(bill.money().of(ChargeKind::Covered).list.value().normalize().to_string(), "0.55");
}

/// `gcloud compute commitments list --format=json`: vCPU and memory of N2, one that a merge cancelled, and a licence.
const COMMITMENTS: &str = r#"[
  {"name": "n2-a", "plan": "TWELVE_MONTH", "status": "ACTIVE", "type": "GENERAL_PURPOSE_N2", "category": "MACHINE",
   "region": "https://www.googleapis.com/compute/v1/projects/p/regions/us-central1",
   "selfLink": "https://www.googleapis.com/compute/v1/projects/p/regions/us-central1/commitments/n2-a",
   "startTimestamp": "2023-06-01T00:00:00.000-07:00", "endTimestamp": "2024-06-01T00:00:00.000-07:00",
   "resources": [{"type": "VCPU", "amount": "5"}, {"type": "MEMORY", "amount": "16384"}]},
  {"name": "n2-b", "plan": "TWELVE_MONTH", "status": "ACTIVE", "type": "GENERAL_PURPOSE_N2", "category": "MACHINE",
   "region": "https://www.googleapis.com/compute/v1/projects/q/regions/us-central1",
   "selfLink": "https://www.googleapis.com/compute/v1/projects/q/regions/us-central1/commitments/n2-b",
   "startTimestamp": "2024-01-10T00:00:00.000-08:00", "endTimestamp": "2025-01-10T00:00:00.000-08:00",
   "resources": [{"type": "VCPU", "amount": "3"}]},
  {"name": "old", "plan": "TWELVE_MONTH", "status": "CANCELLED", "type": "GENERAL_PURPOSE_N2", "category": "MACHINE",
   "region": "https://www.googleapis.com/compute/v1/projects/p/regions/us-central1",
   "startTimestamp": "2023-06-01T00:00:00.000-07:00", "endTimestamp": "2024-06-01T00:00:00.000-07:00",
   "resources": [{"type": "VCPU", "amount": "9"}]}
]"#;

/// Two days' snapshots of `cud_subscriptions_export`, as BigQuery writes CSV.
const SUBSCRIPTIONS: &str = "\
billing_account_id,cud_product_display_name,consumption_model_description,subscription_instance_id,region,commitent_amount_unit,commitent_amount_value,term,start_time,end_time,state
B,Flexible CUD,,sub-1,global,$/hr,0.1,P1Y,2024-01-05 18:00:00 UTC,2025-01-05 18:00:00 UTC,Active
B,Flexible CUD,,sub-1,global,$/hr,0.1,P1Y,2024-01-05 18:00:00 UTC,2025-01-05 18:00:00 UTC,Active
";

/// vCPU and memory of N2 with the documented spend-based offers.
fn catalog(model: SpendModel) -> Catalog {
    let price = |resource: Resource, price: &str| {
        let sku = resource_sku("us-central1", "N2", &resource);
        OnDemandPrice {
            id: sku.to_string(),
            price: UnitPrice::new(price.parse().unwrap()),
            family: "N2".into(),
            pools: vec![PoolUnits { pool: format!("pool/{}", sku.sku), units: Units::new(Decimal::ONE) }],
            provider_id: String::new(),
            list_price: None,
            origin: Origin::default(),
            sku,
        }
    };
    let prices = vec![price(Resource::Cpu, "0.1"), price(Resource::Memory, "0.004")];
    let offers = SpendDiscounts::documented().unwrap().offers(&prices, None, model);
    Catalog::new("USD", None, "test", prices, offers).unwrap()
}

#[test]
fn lists_tell_when_commitments_run() {
    let fee = "Commitment v1: N2 Cpu in Americas for 1 Year";
    let memory = "Commitment v1: N2 Ram in Americas for 1 Year";
    let mut rows = overused();
    rows.push(row(fee, 0.48, (8.0, "hour"), &json!([])));
    rows.push(row(memory, 0.05, (20.0, "gibibyte hour"), &json!([])));
    for row in &mut rows[2..4] {
        row["subscription"] = json!({"instance_id": "sub-1"});
    }
    let (folder, path) = file("google.json", &lines(&rows));
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (list, subscriptions) = (write("commitments.json", COMMITMENTS), write("subscriptions.csv", SUBSCRIPTIONS));
    let alone = Bill::read(&[&path], &Options::default()).unwrap();
    let message = alone.portfolio(&catalog(SpendModel::Legacy), UnknownSkus::Refuse).unwrap_err().to_string();
    assert!(message.contains("when it starts and ends"), "{message}");
    let bill = Bill::read_with_contracts(&[&path], &[&list, &subscriptions], &Options::default()).unwrap();
    let notes: Vec<String> = bill.notes().iter().map(ToString::to_string).collect();
    assert!(notes.iter().any(|note| note.contains("the bill charges 20 an hour on average, its list has 16")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("cancelled")), "{notes:?}");
    let (portfolio, left_out) = bill.portfolio(&catalog(SpendModel::Legacy), UnknownSkus::Refuse).unwrap();
    assert_eq!(left_out, []);
    let held: Vec<(&str, String, String)> = portfolio
        .commitments()
        .iter()
        .map(|one| (one.id.as_str(), one.quantity.normalize().to_string(), one.start.to_rfc3339()))
        .collect();
    let expected = [
        ("p/us-central1/n2-a/N2 memory", "16", "2023-06-01T07:00:00+00:00"),
        ("p/us-central1/n2-a/N2 vCPU", "5", "2023-06-01T07:00:00+00:00"),
        ("q/us-central1/n2-b/N2 vCPU", "3", "2024-01-10T08:00:00+00:00"),
        ("sub-1", "0.1", "2024-01-05T18:00:00+00:00"),
    ];
    assert_eq!(held, expected.map(|(id, quantity, start)| (id, quantity.to_owned(), start.to_owned())));
    // The fee is the bill's; the plan is the catalog's.
    let catalog = catalog(SpendModel::Legacy);
    let offers: Vec<_> = portfolio.commitments().iter().map(|one| portfolio.offer(&catalog, one).unwrap()).collect();
    assert_eq!(offers[1].recurring.value().normalize().to_string(), "0.06");
    assert_eq!(
        (offers[3].id.as_str(), offers[3].recurring.value().normalize().to_string().as_str()),
        ("gcp/Compute flexible (legacy)/12m", "0.72")
    );

    let other = write("other.json", "{\"a\": 1}");
    let error = Bill::read_with_contracts(&[&path], &[&other], &Options::default()).unwrap_err();
    assert!(error.to_string().contains("startTimestamp"), "{error}");
    let wrong = write("wrong.csv", &SUBSCRIPTIONS.replace(",0.1,", ",=0.1,"));
    let error = Bill::read_with_contracts(&[&path], &[&wrong], &Options::default()).unwrap_err();
    assert!(matches!(&error, Error::Value { rows: 2, .. }) && error.to_string().contains("`=0.1`"), "{error}");
    let aws = super::own("bill-2024-02.csv");
    let error = Bill::read_with_contracts(&[&aws], &[&list], &Options::default()).unwrap_err();
    assert!(error.to_string().contains("a bill of FOCUS or Google Cloud"), "{error}");
}

/// The columns of Google's detailed export as BigQuery writes them to Parquet: structures, lists of structures, NUMERIC prices.
fn big_query_schema() -> Schema {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    let numeric = |name: &str| Field::new(name, DataType::Decimal128(38, 9), true);
    let time = |name: &str| Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true);
    let group = |name: &str, fields: Vec<Field>| Field::new(name, DataType::Struct(Fields::from(fields)), true);
    let list = |name: &str, fields: Vec<Field>| {
        let element = Field::new("element", DataType::Struct(Fields::from(fields)), true);
        Field::new(name, DataType::List(Arc::new(element)), true)
    };
    let labels = || vec![text("key"), text("value")];
    Schema::new(vec![
        text("billing_account_id"),
        group("service", vec![text("id"), text("description")]),
        group("sku", vec![text("id"), text("description")]),
        time("usage_start_time"),
        time("usage_end_time"),
        group("project", vec![text("id"), text("number"), list("labels", labels())]),
        list("labels", labels()),
        list("system_labels", labels()),
        group("location", vec![text("location"), text("country"), text("region"), text("zone")]),
        number("cost"),
        text("currency"),
        number("currency_conversion_rate"),
        group("usage", vec![number("amount"), text("unit"), number("amount_in_pricing_units"), text("pricing_unit")]),
        list("credits", vec![text("name"), number("amount"), text("full_name"), text("id"), text("type")]),
        group("invoice", vec![text("month"), text("publisher_type")]),
        text("cost_type"),
        group("price", vec![numeric("effective_price"), numeric("tier_start_amount"), text("unit"), numeric("list_price")]),
        number("cost_at_list"),
        group("consumption_model", vec![text("id"), text("description")]),
        group("subscription", vec![text("instance_id")]),
    ])
}

fn write_parquet(json: &Path, parquet: &Path) -> Vec<RecordBatch> {
    let schema = big_query_schema();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let options = JsonReadOptions::default().schema(&schema);
        let frame = SessionContext::new().read_json(json.to_str().unwrap(), options).await.unwrap();
        frame.clone().write_parquet(parquet.to_str().unwrap(), DataFrameWriteOptions::new(), None).await.unwrap();
        frame.collect().await.unwrap()
    })
}

#[test]
fn nested_columns_of_big_query_are_read() {
    let mut rows: Vec<Value> = GOOGLE.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    rows[0]["price"] = json!({"list_price": 0.0375, "effective_price": 0.031_25, "tier_start_amount": 0, "unit": "hour"});
    rows[1]["price"] = rows[0]["price"].clone();
    rows[0]["system_labels"] =
        json!([{"key": "compute.googleapis.com/cores", "value": "4"}, {"key": "a \"quoted\" key", "value": null}]);
    rows[0]["project"]["labels"] = json!([{"key": "team", "value": "of the project"}]);
    let (folder, path) = file("google.json", &lines(&rows));
    let parquet = folder.path().join("google.parquet");
    let batches = write_parquet(&path, &parquet);
    assert!(matches!(batches[0].schema().field_with_name("credits").unwrap().data_type(), DataType::List(_)));
    let options = Options { tag_keys: vec!["team".into()], ..Options::default() };
    let (json, nested) = (Bill::read(&[&path], &options).unwrap(), Bill::read(&[&parquet], &options).unwrap());
    assert_eq!((nested.reconciliation(), nested.money()), (json.reconciliation(), json.money()));
    assert_eq!(nested.commitments(), json.commitments());
    assert_eq!(nested.usage().unwrap(), json.usage().unwrap());
    let core = nested.usage().unwrap().lines().iter().find(|line| line.sku.sku == "N2 vCPU").unwrap();
    assert_eq!(core.billed_price.unwrap().value().normalize().to_string(), "0.0375");
    assert_eq!(core.tags.get("team").map(String::as_str), Some("web"));
    assert!(!nested.notes().iter().any(|note| matches!(note, Note::MissingColumn { column, .. } if *column == "credits")));
}
