//! Invented bills of every format, small enough to be checked by hand: versions, data models, corrections, late rows, time zones.

use covermix::usage::PricingCategory;
use covermix_ingest::{Bill, ChargeKind, Error, Format, LongRows, Note, Options, Treatment};
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::SessionContext;
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder with one file.
pub(crate) fn file(name: &str, text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn read(name: &str, text: &str) -> Bill {
    let (_folder, path) = file(name, text);
    Bill::read(&[path], &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(name: &str, text: &str) -> Error {
    let (_folder, path) = file(name, text);
    Bill::read(&[path], &Options::default()).expect_err("it was read")
}

/// Rows and cost of the class with this reason.
fn class(bill: &Bill, reason: &str) -> (u64, String) {
    let entry = bill.reconciliation().entries().iter().find(|entry| entry.reason == reason);
    let entry = entry.unwrap_or_else(|| panic!("no {reason} in {}", bill.reconciliation()));
    (entry.rows, entry.cost.value().normalize().to_string())
}

/// Two hours of FOCUS: on demand in two rows an hour, covered, unused, spot, tax, credit, marketplace, a correction, a late row.
pub(crate) const FOCUS: &str = "\
BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ChargeClass,ChargeFrequency,ChargeDescription,PricingCategory,BilledCost,EffectiveCost,ListCost,ContractedCost,ListUnitPrice,PricingQuantity,ConsumedQuantity,ConsumedUnit,CommitmentDiscountId,CommitmentDiscountStatus,CommitmentDiscountCategory,CommitmentDiscountQuantity,CommitmentDiscountUnit,ProviderName,PublisherName,ServiceName,ServiceCategory,RegionId,SkuId,SkuPriceDetails,SubAccountId,ResourceId,BillingCurrency,Tags,x_Unknown
2024-02-01,2024-03-01,2024-02-01T00:00:00Z,2024-02-01T00:30:00Z,Usage,,Usage-Based,half an hour,Standard,0.05,0.05,0.05,0.05,0.1,0.5,0.5,Hours,,,,,,AWS,AWS,Amazon Elastic Compute Cloud,Compute,us-east-1,A,\"{\"\"InstanceType\"\":\"\"m5.large\"\"}\",1,i-1,USD,\"{\"\"team\"\":\"\"checkout\"\"}\",=1+1
2024-02-01,2024-03-01,2024-02-01T00:30:00Z,2024-02-01T01:00:00Z,Usage,,Usage-Based,half an hour,Standard,0.05,0.05,0.05,0.05,0.1,0.5,0.5,Hours,,,,,,AWS,AWS,Amazon Elastic Compute Cloud,Compute,us-east-1,A,\"{\"\"InstanceType\"\":\"\"m5.large\"\"}\",1,i-1,USD,\"{\"\"team\"\":\"\"checkout\"\"}\",
2024-02-01,2024-03-01,2024-02-01T01:00:00Z,2024-02-01T02:00:00Z,Usage,,Usage-Based,covered,Committed,0,0.06,0.1,0.1,0.1,1,1,Hours,plan-1,Used,Spend,0.06,USD,AWS,AWS,Amazon Elastic Compute Cloud,Compute,us-east-1,A,\"{\"\"InstanceType\"\":\"\"m5.large\"\"}\",1,i-1,USD,,
2024-02-01,2024-03-01,2024-02-01T01:00:00Z,2024-02-01T02:00:00Z,Usage,,Usage-Based,unused,Committed,0,0.04,3,3,,,,,plan-1,Unused,Spend,0.04,USD,AWS,AWS,Amazon Elastic Compute Cloud,Compute,us-east-1,,,1,plan-1,USD,NULL,
2024-02-01,2024-03-01,2024-02-01T01:00:00Z,2024-02-01T02:00:00Z,Usage,,Usage-Based,spot,Dynamic,0.03,0.03,0.1,0.03,0.1,1,1,Hours,,,,,,AWS,AWS,Amazon Elastic Compute Cloud,Compute,us-east-1,A,\"{\"\"InstanceType\"\":\"\"m5.large\"\"}\",2,i-2,USD,null,
2024-02-01,2024-03-01,2024-02-01T01:00:00Z,2024-02-01T02:00:00Z,Usage,Correction,Usage-Based,too much,Standard,-0.025,-0.025,-0.025,-0.025,0.1,-0.25,-0.25,Hours,,,,,,AWS,AWS,Amazon Elastic Compute Cloud,Compute,us-east-1,B,\"{\"\"InstanceType\"\":\"\"m5.large\"\"}\",3,i-3,USD,,
2024-02-01,2024-03-01,2024-02-01T01:00:00Z,2024-02-01T02:00:00Z,Usage,,Usage-Based,whole,Standard,0.1,0.1,0.1,0.1,0.1,1,1,Hours,,,,,,AWS,AWS,Amazon Elastic Compute Cloud,Compute,us-east-1,B,\"{\"\"InstanceType\"\":\"\"m5.large\"\"}\",3,i-3,USD,,
2024-02-01,2024-03-01,2024-01-31T23:00:00Z,2024-02-01T00:00:00Z,Usage,,Usage-Based,late,Standard,0.1,0.1,0.1,0.1,0.1,1,1,Hours,,,,,,AWS,AWS,Amazon Elastic Compute Cloud,Compute,us-east-1,A,,1,i-1,USD,,
2024-02-01,2024-03-01,2024-02-01T00:00:00Z,2024-03-01T00:00:00Z,Purchase,,Recurring,fee,Standard,0.1,0,0,0,,1,,,plan-1,,Spend,0.1,USD,AWS,AWS,Amazon Elastic Compute Cloud,Compute,us-east-1,,,1,plan-1,USD,,
2024-02-01,2024-03-01,2024-02-01T00:00:00Z,2024-03-01T00:00:00Z,Purchase,,One-Time,image,Standard,9,9,9,9,9,1,1,Units,,,,,,AWS,Vendor Inc,Image,Other,,,,1,,USD,,
2024-02-01,2024-03-01,2024-02-01T00:00:00Z,2024-02-01T01:00:00Z,Usage,,Usage-Based,disk,Standard,0.2,0.2,0.2,0.2,0.2,1,1,GB-Months,,,,,,AWS,AWS,Amazon Elastic Compute Cloud,Compute,us-east-1,C,,1,vol-1,USD,,
2024-02-01,2024-03-01,2024-02-01T00:00:00Z,2024-03-01T00:00:00Z,Tax,,Recurring,tax,,1.5,1.5,1.5,1.5,,,,,,,,,,AWS,AWS,,,,,,,,USD,,
2024-02-01,2024-03-01,2024-02-01T00:00:00Z,2024-03-01T00:00:00Z,Credit,,One-Time,credit,,-2,-2,-2,-2,,,,,,,,,,AWS,AWS,,,,,,,,USD,,
";

#[test]
fn focus_rows_are_told_apart() {
    let bill = read("focus.csv", FOCUS);
    assert_eq!(bill.reconciliation().cost().value().normalize().to_string(), "9.105");
    for (reason, rows, cost) in [
        ("usage on demand that commitments are sold for", 3, "0.2"),
        ("usage covered by commitments", 1, "0"),
        ("corrections of usage that commitments are sold for", 1, "-0.025"),
        ("usage on spot", 1, "0.03"),
        ("unused parts of commitments", 1, "0"),
        ("recurring fees of commitments", 1, "0.1"),
        ("usage of other months than those billed", 1, "0.1"),
        ("marketplace and other publishers", 1, "9"),
        ("usage that no commitment is sold for", 1, "0.2"),
        ("tax", 1, "1.5"),
        ("credits", 1, "-2"),
    ] {
        assert_eq!(class(&bill, reason), (rows, cost.to_owned()), "{reason}");
    }
    let money = bill.money();
    // On demand 0.05 + 0.05 + 0.1 - 0.025, covered 0.1; paid 0.175, 0.06 and 0.04 unused.
    let expected = 1.0 - (0.175 + 0.1) / 0.275;
    assert!((money.effective_savings_rate().unwrap().unwrap() - expected).abs() < 1e-12);
    assert!((money.coverage().unwrap().unwrap() - 0.1 / 0.275).abs() < 1e-12);
    assert!((money.utilisation().unwrap() - 0.6).abs() < 1e-12);
    assert_eq!(money.of(ChargeKind::Unused).list, covermix::units::Money::ZERO);
    assert!(bill.notes().iter().any(|note| matches!(note, Note::LateRows { rows: 1, .. })), "{:?}", bill.notes());
    assert!(bill.notes().iter().any(|note| matches!(note, Note::Version { version: "1.1" })), "{:?}", bill.notes());
    let [plan] = bill.commitments() else { panic!("{:?}", bill.commitments()) };
    assert_eq!((plan.id.as_str(), plan.quantity.unwrap().to_string()), ("plan-1", "0.1".to_owned()));
}

#[test]
fn focus_usage_is_by_the_hour() {
    let bill = read("focus.csv", FOCUS);
    let usage = bill.usage().unwrap();
    assert_eq!(usage.grid().count, 29 * 24);
    let quantity = |account: &str, pricing: PricingCategory| -> Vec<f64> {
        let is_it = |line: &covermix::usage::UsageLine| line.account == account && line.pricing == pricing;
        let column = usage.lines().iter().position(is_it).unwrap();
        usage.quantity().column(column).iter().take(3).copied().collect()
    };
    assert_eq!(quantity("1", PricingCategory::Standard), [1.0, 1.0, 0.0]);
    assert_eq!(quantity("2", PricingCategory::Spot), [0.0, 1.0, 0.0]);
    assert_eq!(quantity("3", PricingCategory::Standard), [0.0, 0.75, 0.0]);
    assert_eq!(usage.lines()[0].sku.to_string(), "aws/AmazonEC2/us-east-1/m5.large/Linux/shared/instance-hour");
}

#[test]
fn a_covered_row_without_list_cost_refuses_the_rate() {
    let text = FOCUS.replace("covered,Committed,0,0.06,0.1,0.1", "covered,Committed,0,0.06,0,0");
    let bill = read("focus.csv", &text);
    let error = bill.money().effective_savings_rate().unwrap_err();
    assert!(matches!(error, Error::NoOnDemandPrice { rows: 1, .. }), "{error}");
    assert!(bill.money().utilisation().is_some());
    // A catalog that prices the line mends it.
    let rate = bill.money_with(&super::prices()).effective_savings_rate().unwrap().unwrap();
    assert!((rate - (1.0 - 0.275 / (0.175 + 0.096))).abs() < 1e-12, "{rate}");
}

#[test]
fn later_versions_of_focus_name_the_provider_otherwise() {
    let text = FOCUS.replacen("ProviderName", "ServiceProviderName", 1).replacen("PublisherName", "HostProviderName", 1);
    let bill = read("focus.csv", &text);
    assert!(bill.notes().iter().any(|note| matches!(note, Note::Version { version: "1.3" })), "{:?}", bill.notes());
    assert_eq!(bill.usage().unwrap(), read("focus.csv", FOCUS).usage().unwrap());
    let text = FOCUS.replacen("x_Unknown", "CommitmentProgramEligibilityDetails", 1);
    assert!(read("focus.csv", &text).notes().iter().any(|note| matches!(note, Note::Version { version: "1.4" })));
    // Providers whose commitments are not known are named, not guessed.
    let oracle = FOCUS.replace(",AWS,AWS,", ",Oracle,Oracle,");
    assert_eq!(class(&read("focus.csv", &oracle), "usage of providers whose commitments are not known here").0, 9);
}

#[test]
fn files_given_twice_and_missing_columns_are_refused() {
    let (_folder, path) = file("focus.csv", FOCUS);
    let (_other, copy) = file("copy.csv", FOCUS);
    let error = Bill::read(&[&path, &copy], &Options::default()).unwrap_err();
    assert!(matches!(&error, Error::Overlap { rows: 13, .. }), "{error}");
    let error = refused("focus.csv", &FOCUS.replacen("EffectiveCost", "EffectiveCosts", 1));
    assert!(matches!(&error, Error::MissingColumns { .. }) && error.to_string().contains("`EffectiveCost`"), "{error}");
    let error = refused("focus.csv", &FOCUS.replacen(",0.05,0.05,", ",=0.05,0.05,", 1));
    assert!(error.to_string().contains("field `BilledCost`") && error.to_string().contains("`=0.05`"), "{error}");
    let error = refused("focus.csv", &FOCUS.replace("2024-02-01T00:30:00Z,Usage", "2024-01-01T00:30:00Z,Usage"));
    assert!(matches!(error, Error::Backward { rows: 1, .. }), "{error}");
}

#[test]
fn times_without_zone_are_of_the_zone_given() {
    let local = FOCUS.replace("Z,", ",").replace("2024-01-31T23:00:00", "2024-02-01T00:00:00");
    let (_folder, path) = file("focus.csv", &local);
    let options = Options { time_zone: chrono_tz::Europe::Berlin, ..Options::default() };
    let mut text = std::fs::read_to_string(&path).unwrap();
    text = text.replace("2024-02-01T00:00:00,2024-02-01T00:00:00,Usage", "2024-02-01T00:00:00,2024-02-01T01:00:00,Usage");
    std::fs::write(&path, text).unwrap();
    let bill = Bill::read(&[path], &options).unwrap();
    // A Berlin hour earlier, in UTC.
    let grid = bill.usage().unwrap().grid();
    assert_eq!((grid.first.to_string().as_str(), grid.count), ("2024-01-31T23:00:00Z", 29 * 24));
}

const AZURE: &str = include_str!("../data/azure.csv");

#[test]
fn actual_cost_of_azure_with_the_day_first() {
    let (_folder, path) = file("azure.csv", AZURE);
    let options = Options { long_rows: LongRows::Spread, tag_keys: vec!["team".into()], ..Options::default() };
    let bill = Bill::read(&[&path], &options).unwrap();
    assert_eq!(bill.currency(), "EUR");
    assert_eq!(class(&bill, "upfront fees of commitments"), (1, "300".to_owned()));
    assert_eq!(class(&bill, "marketplace and other publishers"), (1, "7".to_owned()));
    assert_eq!(class(&bill, "refunds"), (1, "-150".to_owned()));
    assert_eq!(bill.reconciliation().cost().value().normalize().to_string(), "162.6");
    let usage = bill.usage().unwrap();
    let lines: Vec<String> = usage.lines().iter().map(ToString::to_string).collect();
    let prefix = "azure/Virtual Machines/eastus/Standard_D4s_v5";
    assert_eq!(lines.len(), 3);
    assert!(lines.contains(&format!("{prefix}/Linux/shared/instance-hour of account s-1 team=web")), "{lines:?}");
    assert!(lines.contains(&format!("{prefix}/Windows/shared/instance-hour of account s-1")), "{lines:?}");
    assert!((usage.totals().sum() - 41.0).abs() < 1e-9);
    let covered = bill.money().of(ChargeKind::Covered);
    assert_eq!(
        (covered.list.value().normalize().to_string(), covered.contracted.value().normalize().to_string()),
        ("6".into(), "4.8".into())
    );
    let [held] = bill.commitments() else { panic!("{:?}", bill.commitments()) };
    assert_eq!((held.quantity.unwrap().to_string(), held.upfront.unwrap().to_string()), ("2".into(), "150".into()));
    assert_eq!(held.end.unwrap().to_rfc3339(), "2024-09-01T00:00:00+00:00");
}

#[test]
fn both_views_of_azure_at_once_are_refused() {
    let amortised =
        AZURE.replace("24,0,0,0.2", "24,0.1,2.4,0.2").replace("Purchase,OneTime,Azure", "UnusedReservation,OneTime,Azure");
    let (_one, actual) = file("actual.csv", AZURE);
    let (_two, other) = file("amortised.csv", &amortised.replace("s-1", "s-2"));
    assert!(Bill::read(&[&other], &Options::default()).is_ok());
    let error = Bill::read(&[&actual, &other], &Options::default()).unwrap_err();
    assert!(matches!(error, Error::MixedViews { .. }), "{error}");
    let (_three, focus) = file("focus.csv", FOCUS);
    let error = Bill::read(&[&actual, &focus], &Options::default()).unwrap_err();
    assert!(matches!(error, Error::MixedFormats { .. }), "{error}");
}

#[test]
fn ambiguous_dates_are_noted() {
    let text = AZURE.replace("22/09/2023", "02/09/2023").replace("23/09/2023", "03/09/2023");
    let bill = read("azure.csv", &text);
    assert!(bill.notes().iter().any(|note| matches!(note, Note::AmbiguousDates { .. })), "{:?}", bill.notes());
}

/// Google's new model: usage in two rows an hour, fee, utilisation offset; and the older credits.
pub(crate) const GOOGLE: &str = r#"{"billing_account_id":"B","service":{"id":"6F81","description":"Compute Engine"},"sku":{"id":"S1","description":"N2 Instance Core running in Americas"},"usage_start_time":"2026-02-02T08:00:00Z","usage_end_time":"2026-02-02T09:00:00Z","project":{"id":"p"},"location":{"region":"us-central1"},"cost":0.5,"currency":"USD","usage":{"amount":57600,"unit":"seconds","amount_in_pricing_units":16,"pricing_unit":"hour"},"credits":[{"type":"SUSTAINED_USAGE_DISCOUNT","name":"Sustained Usage Discount","amount":-0.1}],"invoice":{"month":"202602"},"cost_type":"regular","cost_at_list":0.6,"labels":[{"key":"team","value":"web"}],"consumption_model":{"id":"1","description":"Default"}}
{"billing_account_id":"B","service":{"id":"6F81","description":"Compute Engine"},"sku":{"id":"S1","description":"N2 Instance Core running in Americas"},"usage_start_time":"2026-02-02T08:00:00Z","usage_end_time":"2026-02-02T09:00:00Z","project":{"id":"p"},"location":{"region":"us-central1"},"cost":0.2,"currency":"USD","usage":{"amount":28800,"unit":"seconds","amount_in_pricing_units":8,"pricing_unit":"hour"},"credits":[],"invoice":{"month":"202602"},"cost_type":"regular","cost_at_list":0.3,"labels":[{"key":"team","value":"web"}],"consumption_model":{"id":"2","description":"Compute Flexible CUDs - 1 Year"}}
{"billing_account_id":"B","service":{"id":"6F81","description":"Compute Engine"},"sku":{"id":"S2","description":"N2 Instance Ram running in Americas"},"usage_start_time":"2026-02-02T08:00:00Z","usage_end_time":"2026-02-02T09:00:00Z","project":{"id":"p"},"location":{"region":"us-central1"},"cost":0.25,"currency":"USD","usage":{"amount":247390116249600,"unit":"byte-seconds","amount_in_pricing_units":64,"pricing_unit":"gibibyte hour"},"credits":[{"type":"COMMITTED_USAGE_DISCOUNT","name":"c","amount":-0.25}],"invoice":{"month":"202602"},"cost_type":"regular"}
{"billing_account_id":"B","service":{"id":"6F81","description":"Compute Engine"},"sku":{"id":"S3","description":"Commitment v1: N2 Ram in Americas for 1 Year"},"usage_start_time":"2026-02-02T08:00:00Z","usage_end_time":"2026-02-02T09:00:00Z","project":{"id":"p"},"location":{"region":"us-central1"},"cost":0.15,"currency":"USD","usage":{"amount":64,"unit":"gibibyte hour","amount_in_pricing_units":64,"pricing_unit":"gibibyte hour"},"credits":[],"invoice":{"month":"202602"},"cost_type":"regular","subscription":{"instance_id":"c-1"}}
{"billing_account_id":"B","service":{"id":"6F81","description":"Compute Engine"},"sku":{"id":"S4","description":"Commitment - dollar based v1: Compute Flexible CUD in Americas for 1 year"},"usage_start_time":"2026-02-02T08:00:00Z","usage_end_time":"2026-02-02T09:00:00Z","project":{"id":"p"},"location":{"region":"us-central1"},"cost":0.2,"currency":"USD","usage":{"amount":0.2,"unit":"count","amount_in_pricing_units":0.2,"pricing_unit":"count"},"credits":[{"type":"FEE_UTILIZATION_OFFSET","name":"offset","amount":-0.2}],"invoice":{"month":"202602"},"cost_type":"regular","subscription":{"instance_id":"c-2"}}
{"billing_account_id":"B","service":{"id":"X","description":"Invoice"},"sku":{"id":"T","description":"Tax"},"usage_start_time":"2026-02-01T08:00:00Z","usage_end_time":"2026-03-01T08:00:00Z","cost":0.07,"currency":"USD","credits":[],"invoice":{"month":"202602"},"cost_type":"tax"}
"#;

#[test]
fn google_data_models_are_both_read() {
    let bill = read("google.json", GOOGLE);
    assert_eq!(bill.format(), Format::GoogleBilling);
    assert_eq!(bill.reconciliation().cost().value().normalize().to_string(), "0.82");
    assert_eq!(class(&bill, "recurring fees of commitments"), (2, "0.15".to_owned()));
    assert_eq!(class(&bill, "usage covered by commitments"), (2, "0.2".to_owned()));
    assert_eq!(class(&bill, "usage on demand that commitments are sold for"), (1, "0.4".to_owned()));
    let usage = bill.usage().unwrap();
    let totals: Vec<(String, f64)> =
        usage.lines().iter().zip(usage.totals()).map(|(line, sum)| (line.sku.sku.clone(), sum)).collect();
    assert_eq!(totals, [("N2 memory".to_owned(), 64.0), ("N2 vCPU".to_owned(), 24.0)]);
    let held: Vec<(&str, String)> =
        bill.commitments().iter().map(|held| (held.id.as_str(), held.quantity.unwrap().to_string())).collect();
    assert_eq!(held, [("c-1", "64".to_owned()), ("c-2", "0.2".to_owned())]);
    let covered = bill.money().of(ChargeKind::Covered);
    assert_eq!(covered.list.value().normalize().to_string(), "0.55");
}

#[test]
fn nested_parquet_says_the_same_as_json() {
    let (folder, json) = file("google.json", GOOGLE);
    let parquet = folder.path().join("google.parquet");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let frame = SessionContext::new().read_json(json.to_str().unwrap(), Default::default()).await.unwrap();
        frame.write_parquet(parquet.to_str().unwrap(), DataFrameWriteOptions::new(), None).await.unwrap();
    });
    let options = Options { tag_keys: vec!["team".into()], ..Options::default() };
    let (from_json, from_parquet) = (Bill::read(&[&json], &options).unwrap(), Bill::read(&[&parquet], &options).unwrap());
    assert_eq!(from_parquet.reconciliation(), from_json.reconciliation());
    assert_eq!(from_parquet.usage().unwrap().lines(), from_json.usage().unwrap().lines());
    assert_eq!(from_parquet.usage().unwrap().totals().sum().to_bits(), from_json.usage().unwrap().totals().sum().to_bits());
    assert_eq!(from_parquet.commitments(), from_json.commitments());
    assert_eq!(from_parquet.money(), from_json.money());
}

#[test]
fn attributes_of_version_2_are_keys_of_one_column() {
    // The legacy bill with product/tenancy and product/region as one JSON column, snake case headers.
    let mut table = super::table();
    let (tenancy, region) = (super::position(&table, "product/tenancy"), super::position(&table, "product/region"));
    for (index, row) in table.iter_mut().enumerate() {
        let product = if index == 0 {
            "product".to_owned()
        } else {
            serde_json::json!({"tenancy": row[tenancy], "region": row[region]}).to_string()
        };
        row.push(product);
    }
    super::remove(&mut table, "product/tenancy");
    super::remove(&mut table, "product/region");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cur2.csv");
    super::write(&path, &table);
    let bill = Bill::read(&[&path], &Options::default()).unwrap();
    let legacy = Bill::read(&[super::own("bill-2024-02.csv")], &Options::default()).unwrap();
    assert_eq!(bill.usage().unwrap(), legacy.usage().unwrap());
    assert_eq!(bill.reconciliation(), legacy.reconciliation());
    let (portfolio, notes) = bill.portfolio(&super::prices(), covermix_ingest::UnknownSkus::Refuse).unwrap();
    assert_eq!((portfolio.commitments().len(), notes.len()), (3, 0));
    let treatments: Vec<Treatment> = bill.reconciliation().entries().iter().map(|entry| entry.treatment).collect();
    assert!(treatments.is_sorted());
}
