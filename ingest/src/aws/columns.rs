//! The columns of the Cost and Usage Report that are used, and the files united into one table `bill` of those columns, checked.
//!
//! Names: Cost and Usage Report User Guide, "Data dictionary". Columns come and go with what an account uses, so few are required.

use super::Note;
use super::class;
use crate::columns::{Column, Kind, Need};
use crate::error::{Error, Result};
use crate::session::{Session, Source, count, quoted};
use covermix::Problem;
use covermix::units::Money;
use datafusion::arrow::array::Array;
use std::path::PathBuf;

const fn required(name: &'static str, csv_name: &'static str, kind: Kind) -> Column {
    Column { name, csv_name, kind, need: Need::Required }
}

const fn optional(name: &'static str, csv_name: &'static str, kind: Kind, consequence: &'static str) -> Column {
    Column { name, csv_name, kind, need: Need::Optional(consequence) }
}

const NO_RESERVATION: &str = "Reserved Instances, if the bill has any, cannot be described by it";
const NO_PLAN: &str = "Savings Plans, if the bill has any, cannot be described by it";

/// Every column used.
pub(super) const COLUMNS: [Column; 45] = [
    required("line_item_line_item_type", "lineItem/LineItemType", Kind::Text),
    required("line_item_usage_start_date", "lineItem/UsageStartDate", Kind::Time),
    required("line_item_usage_account_id", "lineItem/UsageAccountId", Kind::Text),
    required("line_item_product_code", "lineItem/ProductCode", Kind::Text),
    required("line_item_usage_type", "lineItem/UsageType", Kind::Text),
    required("line_item_operation", "lineItem/Operation", Kind::Text),
    required("line_item_usage_amount", "lineItem/UsageAmount", Kind::Number),
    required("line_item_unblended_cost", "lineItem/UnblendedCost", Kind::Number),
    optional("identity_line_item_id", "identity/LineItemId", Kind::Text, "line items given twice within a file cannot be found"),
    optional(
        "identity_time_interval",
        "identity/TimeInterval",
        Kind::Text,
        "line items given twice are found by their start alone",
    ),
    optional("bill_billing_period_start_date", "bill/BillingPeriodStartDate", Kind::Time, "months are those of the usage"),
    optional("line_item_usage_end_date", "lineItem/UsageEndDate", Kind::Time, "rows of more than an hour cannot be found"),
    optional("line_item_availability_zone", "lineItem/AvailabilityZone", Kind::Text, "zonal reservations cannot be matched"),
    optional(
        "line_item_resource_id",
        "lineItem/ResourceId",
        Kind::Text,
        "line items given twice are told apart by fewer columns",
    ),
    optional("line_item_currency_code", "lineItem/CurrencyCode", Kind::Text, "the catalog's currency is assumed"),
    optional("line_item_unblended_rate", "lineItem/UnblendedRate", Kind::Number, "rates are cost divided by amount"),
    optional(
        "line_item_line_item_description",
        "lineItem/LineItemDescription",
        Kind::Text,
        "free-tier usage counts as on-demand",
    ),
    optional("product_region", "product/region", Kind::Text, "regions are read from usage types and availability zones alone"),
    optional("product_tenancy", "product/tenancy", Kind::Text, "tenancy is read from usage types"),
    optional("product_database_engine", "product/databaseEngine", Kind::Text, "database engines are read from operations"),
    optional("product_cache_engine", "product/cacheEngine", Kind::Text, "cache engines are read from operations"),
    optional("product_offering_class", "product/OfferingClass", Kind::Text, "offering classes are read from usage rows alone"),
    optional(
        "pricing_public_on_demand_rate",
        "pricing/publicOnDemandRate",
        Kind::Number,
        "public on-demand rates and free-tier usage are not known",
    ),
    optional("pricing_unit", "pricing/unit", Kind::Text, "units of services other than EC2 are empty"),
    optional("pricing_offering_class", "pricing/OfferingClass", Kind::Text, "offering classes are inferred from prices"),
    optional("pricing_purchase_option", "pricing/PurchaseOption", Kind::Text, "payment options are inferred from fees"),
    optional("pricing_lease_contract_length", "pricing/LeaseContractLength", Kind::Text, "terms are inferred from start and end"),
    optional("reservation_reservation_a_r_n", "reservation/ReservationARN", Kind::Text, NO_RESERVATION),
    optional("reservation_number_of_reservations", "reservation/NumberOfReservations", Kind::Number, NO_RESERVATION),
    optional("reservation_start_time", "reservation/StartTime", Kind::Time, NO_RESERVATION),
    optional("reservation_end_time", "reservation/EndTime", Kind::Time, NO_RESERVATION),
    optional("reservation_availability_zone", "reservation/AvailabilityZone", Kind::Text, "every reservation counts as regional"),
    optional(
        "reservation_upfront_value",
        "reservation/UpfrontValue",
        Kind::Number,
        "reservations count as bought without upfront fee",
    ),
    optional("savings_plan_savings_plan_a_r_n", "savingsPlan/SavingsPlanARN", Kind::Text, NO_PLAN),
    optional(
        "savings_plan_savings_plan_rate",
        "savingsPlan/SavingsPlanRate",
        Kind::Number,
        "rates of Savings Plans are the catalog's",
    ),
    optional("savings_plan_offering_type", "savingsPlan/OfferingType", Kind::Text, NO_PLAN),
    optional("savings_plan_payment_option", "savingsPlan/PaymentOption", Kind::Text, NO_PLAN),
    optional("savings_plan_purchase_term", "savingsPlan/PurchaseTerm", Kind::Text, NO_PLAN),
    optional("savings_plan_region", "savingsPlan/Region", Kind::Text, "regions of Savings Plans are those of their usage"),
    optional(
        "savings_plan_instance_type_family",
        "savingsPlan/InstanceTypeFamily",
        Kind::Text,
        "families of Savings Plans are those of their usage",
    ),
    optional("savings_plan_start_time", "savingsPlan/StartTime", Kind::Time, NO_PLAN),
    optional("savings_plan_end_time", "savingsPlan/EndTime", Kind::Time, NO_PLAN),
    optional("savings_plan_total_commitment_to_date", "savingsPlan/TotalCommitmentToDate", Kind::Number, NO_PLAN),
    optional(
        "savings_plan_amortized_upfront_commitment_for_billing_period",
        "savingsPlan/AmortizedUpfrontCommitmentForBillingPeriod",
        Kind::Number,
        "the upfront share of Savings Plans is that of their payment option",
    ),
    optional(
        "savings_plan_recurring_commitment_for_billing_period",
        "savingsPlan/RecurringCommitmentForBillingPeriod",
        Kind::Number,
        "the recurring part of Savings Plans is what their upfront part leaves",
    ),
];

/// Rows and cost of all files.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) rows: u64,
    pub(super) cost: Money,
}

/// Checks every file and makes the table `bill`: the columns by name, `file` (its index) and `class` (see [`class::Class`]).
pub(super) async fn unite(session: &Session, sources: &[Source], notes: &mut Vec<Note>) -> Result<Totals> {
    let mut totals = Totals::default();
    let mut selects = Vec::with_capacity(sources.len());
    for (index, source) in sources.iter().enumerate() {
        let select = select(source, index, notes)?;
        let of_file = check(session, source, &select).await?;
        totals.rows += of_file.rows;
        totals.cost += of_file.cost;
        selects.push(select);
    }
    session.query(&format!("CREATE VIEW united AS {}", selects.join(" UNION ALL "))).await?;
    session.query(&format!("CREATE VIEW bill AS SELECT *, {} AS class FROM united", class::expression())).await?;
    refuse_overlap(session).await?;
    Ok(totals)
}

/// The query that gives a file's columns their names and types.
fn select(source: &Source, index: usize, notes: &mut Vec<Note>) -> Result<String> {
    let mut missing = Vec::new();
    let mut expressions = Vec::with_capacity(COLUMNS.len() + 1);
    for column in &COLUMNS {
        let found = source.find(column)?;
        match (found, column.need) {
            (None, Need::Required) => missing.push(column.spellings()),
            (None, Need::Optional(consequence)) => {
                notes.push(Note::MissingColumn { file: source.path.clone(), column: column.csv_name, consequence });
            }
            (Some(_), _) => {}
        }
        expressions.push(format!("{} AS {}", column.expression(found), column.name));
    }
    if missing.is_empty() {
        expressions.push(format!("{index} AS file"));
        return Ok(format!("SELECT {} FROM {}", expressions.join(", "), source.table));
    }
    Err(Error::MissingColumns { file: source.path.clone(), missing, found: source.describe_headers() })
}

/// Reads a file once: counts rows and cost, and refuses values that are no numbers or times.
async fn check(session: &Session, source: &Source, select: &str) -> Result<Totals> {
    let damaged = |error| source.damaged(error);
    let totals = session
        .run(&format!("SELECT COUNT(*) AS lines, SUM(line_item_unblended_cost) AS cost FROM ({select}) AS t"))
        .await
        .map_err(damaged)?;
    let rows = if totals.len() == 0 { 0 } else { count(&totals.integers("lines"), 0) };
    if rows == 0 {
        return Err(covermix::Error::from(Problem::Empty { what: "line item" }).in_file(&source.path).into());
    }
    let mut checks = Vec::new();
    let mut checked = Vec::new();
    for column in &COLUMNS {
        let Some((identifier, data_type)) = source.find(column)? else { continue };
        let Some(bad) = column.bad(identifier, data_type) else { continue };
        let number = checked.len();
        checks.push(format!("SUM(CASE WHEN {bad} THEN 1 ELSE 0 END) AS bad_{number}"));
        checks.push(format!("MIN(CASE WHEN {bad} THEN COALESCE(CAST({identifier} AS VARCHAR), '') END) AS value_{number}"));
        checked.push(column);
    }
    let answer = session.run(&format!("SELECT {} FROM {}", checks.join(", "), source.table)).await.map_err(damaged)?;
    for (number, column) in checked.into_iter().enumerate() {
        let bad = count(&answer.integers(&format!("bad_{number}")), 0);
        if bad > 0 {
            let values = answer.text(&format!("value_{number}"));
            let value = if values.is_null(0) { String::new() } else { values.value(0).to_owned() };
            let (file, expected) = (source.path.clone(), column.kind.expected());
            return Err(Error::Value { file, field: column.csv_name, value, expected, rows: bad });
        }
    }
    Ok(Totals { rows, cost: Money::new(super::lines::decimal(&totals.numbers("cost"), 0).unwrap_or_default()) })
}

/// Refuses line items that stand twice: by identifier and time interval, and by what distinguishes line items of one identifier in files
/// that were exported with other settings; without identifiers, by all of that and amount, cost and commitment, in different files.
async fn refuse_overlap(session: &Session) -> Result<()> {
    let key = "identity_line_item_id, identity_time_interval, line_item_usage_start_date, line_item_line_item_type, \
               line_item_usage_account_id, line_item_usage_type, line_item_operation, line_item_resource_id";
    let more = "line_item_product_code, line_item_availability_zone, line_item_usage_amount, line_item_unblended_cost, \
                reservation_reservation_a_r_n, savings_plan_savings_plan_a_r_n, line_item_line_item_description";
    let repeated = "MIN(file) AS first_file, MAX(file) AS last_file, COUNT(*) AS copies";
    let answer = session
        .query(&format!(
            "SELECT first_file, last_file, SUM(copies - 1) AS lines, MIN(example) AS example FROM (\
             SELECT {repeated}, MIN(CONCAT(identity_line_item_id, ' of ', identity_time_interval)) AS example \
             FROM united WHERE identity_line_item_id <> '' GROUP BY {key} HAVING COUNT(*) > 1 UNION ALL \
             SELECT {repeated}, MIN(CONCAT(line_item_line_item_type, ' of ', line_item_usage_type)) AS example \
             FROM united WHERE identity_line_item_id = '' GROUP BY {key}, {more} HAVING MIN(file) <> MAX(file)) AS t \
             GROUP BY first_file, last_file ORDER BY lines DESC, first_file, last_file LIMIT 1"
        ))
        .await?;
    if answer.len() == 0 {
        return Ok(());
    }
    let path = |column: &str| -> PathBuf {
        let index = usize::try_from(count(&answer.integers(column), 0)).unwrap_or(0);
        session.paths().get(index).cloned().unwrap_or_default()
    };
    Err(Error::Overlap {
        first: path("first_file"),
        second: path("last_file"),
        rows: count(&answer.integers("lines"), 0),
        example: answer.text("example").value(0).to_owned(),
    })
}

/// The one currency of the bill; empty if it names none.
pub(super) async fn currency(session: &Session) -> Result<String> {
    let rows = session
        .query(&format!(
            "SELECT DISTINCT line_item_currency_code AS code FROM bill WHERE line_item_currency_code <> {} ORDER BY code",
            quoted("")
        ))
        .await?;
    let codes = rows.text("code");
    if rows.len() > 1 {
        let problem = Problem::MixedCurrency { found: codes.value(1).into(), expected: codes.value(0).into() };
        return Err(covermix::Error::from(problem).in_field("lineItem/CurrencyCode").into());
    }
    Ok(if rows.len() == 0 { String::new() } else { codes.value(0).to_owned() })
}
