//! Google Cloud's billing export to BigQuery, standard or detailed, as Parquet, JSON lines or JSON objects: nested labels and credits, resource-
//! and spend-based commitments in both data models, sustained use discounts.
//!
//! Names and meanings: Cloud Billing documentation, "Structure of the standard data export" and "... of the detailed data export", "Spend-based
//! committed use discounts: updated program". Months are those of US Pacific time; the bill's total is cost plus credits.

mod amortised;
mod commitments;
mod held;

pub(crate) use amortised::{Amortised, read as read_amortised};
pub(crate) use commitments::read as read_commitments;
pub(crate) use held::read as read_held;

use crate::classes::{COMMON, cases};
use crate::columns::{Column, Kind, optional, rare, required};
use crate::format::Format;
use crate::mapping::{Mapping, Words};
use covermix::catalog::gcp::description::{Overrides, Subject, subject};
use covermix::catalog::gcp::{COMPUTE_ENGINE, Resource, resource_sku};
use covermix::usage::{Provider, Sku, UsageLine};

/// Every column used.
const COLUMNS: [Column; 33] = [
    required("usage_start_time", &["usage_start_time"], Kind::Time),
    required("usage_end_time", &["usage_end_time"], Kind::Time),
    required("row_cost", &["cost"], Kind::Number),
    required("sku_description", &["sku.description"], Kind::Text),
    required("service_description", &["service.description"], Kind::Text),
    optional("sku_id", &["sku.id"], Kind::Text, "SKUs are told by their description alone"),
    optional("billing_account_id", &["billing_account_id"], Kind::Text, "rows without project have no account"),
    optional("project_id", &["project.id", "project.number"], Kind::Text, "accounts are not known"),
    optional("credit_list", &["credits"], Kind::Text, "no credits are known"),
    optional("invoice_month", &["invoice.month"], Kind::Text, "months are those of the usage"),
    optional("cost_type", &["cost_type"], Kind::Text, "tax and adjustments are not told apart"),
    optional("row_currency", &["currency"], Kind::Text, "the catalog's currency is assumed"),
    optional("usage_amount", &["usage.amount"], Kind::Number, "quantities are those priced"),
    optional("usage_unit", &["usage.unit"], Kind::Text, "quantities are those priced"),
    optional("pricing_amount", &["usage.amount_in_pricing_units"], Kind::Number, "quantities are those of usage.amount"),
    optional("pricing_unit", &["usage.pricing_unit"], Kind::Text, "quantities are those of usage.amount"),
    optional("location_region", &["location.region"], Kind::Text, "regions are not known"),
    rare("location_zone", &["location.zone"], Kind::Text),
    rare("location_name", &["location.location"], Kind::Text),
    rare("resource_name", &["resource.global_name", "resource.name"], Kind::Text),
    rare("conversion_rate", &["currency_conversion_rate"], Kind::Number),
    rare("cost_at_list", &["cost_at_list"], Kind::Number),
    rare("cost_at_default", &["cost_at_effective_price_default"], Kind::Number),
    rare("list_price", &["price.list_price"], Kind::Number),
    rare("effective_price", &["price.effective_price_default", "price.effective_price"], Kind::Number),
    rare("consumption_model", &["consumption_model.description"], Kind::Text),
    rare("subscription_id", &["subscription.instance_id"], Kind::Text),
    rare("transaction_type", &["transaction_type"], Kind::Text),
    rare("seller_name", &["seller_name"], Kind::Text),
    rare("machine_labels", &["system_labels"], Kind::Text),
    rare("export_time", &["export_time"], Kind::Time),
    rare("adjustment_id", &["adjustment_info.id"], Kind::Text),
    rare("tag_object", &["labels"], Kind::Text),
];

/// How a Google export is read.
pub(crate) static MAPPING: Mapping = Mapping {
    format: Format::GoogleBilling,
    columns: &COLUMNS,
    classes: &COMMON,
    class: classes,
    fields: &[
        ("start", "usage_start_time"),
        ("finish", "usage_end_time"),
        (
            "billing_month",
            "CASE WHEN invoice_month <> '' THEN seconds_of(CONCAT(invoice_month, '01'), 'mdy', 'America/Los_Angeles') END",
        ),
        ("account", "CASE WHEN project_id <> '' THEN project_id ELSE billing_account_id END"),
        ("service", "service_description"),
        ("region", "location_region"),
        ("resource", "CASE WHEN resource_name <> '' THEN resource_name ELSE sku_description END"),
        ("quantity", QUANTITY),
        ("cost", "row_cost + credits_of(credit_list, '')"),
        ("effective", "row_cost + credits_of(credit_list, '')"),
        // Cost before credits is at the customer's on-demand price, except of usage at the prices of a commitment's consumption model.
        (
            "list",
            "CASE WHEN class IN ('recurring_fee', 'upfront_fee', 'tax', 'adjustment', 'rounding', 'fee') THEN 0 \
             WHEN class = 'covered' AND consumption_model NOT IN ('', 'Default') THEN COALESCE(cost_at_list, times(list_price, pricing_amount)) \
             ELSE COALESCE(cost_at_list, times(list_price, pricing_amount), row_cost) END",
        ),
        (
            "contracted",
            "CASE WHEN class IN ('recurring_fee', 'upfront_fee', 'tax', 'adjustment', 'rounding', 'fee') THEN 0 \
             WHEN class = 'covered' AND consumption_model NOT IN ('', 'Default') THEN COALESCE(cost_at_default, cost_at_list, times(list_price, pricing_amount)) \
             ELSE COALESCE(cost_at_default, row_cost) END",
        ),
        ("price", "CASE WHEN list_price > 0 THEN list_price END"),
        ("commitment", "subscription_id"),
        ("currency", "row_currency"),
        ("tags", "tag_object"),
    ],
    identity: &[],
    likeness: &[
        "usage_start_time",
        "sku_id",
        "usage_end_time",
        "sku_description",
        "project_id",
        "resource_name",
        "row_cost",
        "credit_list",
        "usage_amount",
        "pricing_amount",
        "location_name",
        "location_zone",
        "consumption_model",
        "cost_type",
        "tag_object",
        "machine_labels",
        "export_time",
        "adjustment_id",
    ],
    words: &["account", "service_description", "sku_description", "location_region", "location_zone", "quantity_unit"],
    derived: &[("quantity_unit", UNIT)],
    line,
    reserved: "class = 'covered'",
};

/// Hours and GiB-hours: from seconds and byte-seconds where usage is in them, else as priced; a month is 730 hours.
const QUANTITY: &str = "CASE \
    WHEN usage_unit = 'seconds' THEN over(usage_amount, 3600) \
    WHEN usage_unit = 'byte-seconds' THEN over(usage_amount, 3865470566400) \
    WHEN pricing_unit LIKE '%month' THEN times(pricing_amount, 730) \
    ELSE COALESCE(pricing_amount, usage_amount, 0) END";

/// The unit of [`QUANTITY`].
const UNIT: &str = "CASE WHEN usage_unit = 'seconds' THEN 'hour' WHEN usage_unit = 'byte-seconds' THEN 'gibibyte hour' \
    WHEN pricing_unit LIKE '%month' THEN REPLACE(pricing_unit, 'month', 'hour') \
    WHEN pricing_unit <> '' THEN pricing_unit ELSE usage_unit END";

/// Services beside Compute Engine that spend-based commitments are sold for.
const SERVICES: &str = "'Cloud SQL', 'Cloud Run', 'Cloud Spanner', 'Kubernetes Engine', 'AlloyDB', 'Cloud Bigtable', 'Memorystore for Redis', \
    'Cloud Memorystore for Redis', 'Dataflow', 'Cloud Dataflow', 'Backup and DR Service', 'Firestore', 'Cloud Firestore', 'VMware Engine', \
    'BigQuery Reservation API', 'Cloud Run Functions'";

/// The class of a row. Credits for committed use on a row make it covered, in part or whole: such rows count as covered.
fn classes() -> String {
    let committed = "COMMITTED_USAGE_DISCOUNT|COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE|FEE_UTILIZATION_OFFSET";
    let covered =
        format!("(credits_of(credit_list, '{committed}') <> 0 OR (consumption_model <> '' AND consumption_model <> 'Default'))");
    let description = "LOWER(sku_description)";
    let resource = format!(
        "(regexp_like({description}, '( core| cpu| ram| gpu|local ssd|ssd backed local storage|instance)') \
         AND NOT regexp_like({description}, '(licens|network|snapshot|sole tenancy|reserved .* capacity|image|ip charge|premium)'))"
    );
    let coverable = format!(
        "((service_description = 'Compute Engine' AND {resource}) OR (service_description IN ({SERVICES}) \
         AND regexp_like(LOWER({UNIT}), 'hour|second')))"
    );
    cases(
        &[
            ("cost_type = 'tax'", "tax"),
            ("cost_type = 'rounding_error'", "rounding"),
            ("cost_type = 'adjustment'", "adjustment"),
            (
                &format!("regexp_like({description}, '^(commitment|.*commitment) *(v[0-9]+)?( - dollar based v[0-9]+)?:')"),
                "recurring_fee",
            ),
            (&format!("{description} LIKE 'commitment%'"), "recurring_fee"),
            ("transaction_type = 'THIRD_PARTY_RESALE' OR (seller_name <> '' AND seller_name NOT LIKE 'Google%')", "marketplace"),
            ("service_description LIKE '%Support%'", "support"),
            ("row_cost < 0 AND usage_amount IS NULL", "credit"),
            (&format!("NOT {coverable}"), "other_usage"),
            (&format!("{description} LIKE '%preemptible%' OR {description} LIKE 'spot %'"), "spot"),
            (&covered, "covered"),
            ("row_cost > 0 AND row_cost + credits_of(credit_list, 'FREE_TIER') = 0", "free_tier"),
        ],
        "on_demand",
    )
}

/// Descriptions of before 2020, which name the machine series otherwise.
fn overrides() -> Overrides {
    let n1 = |resource| Some(Subject { series: "N1".into(), resource });
    Overrides::new().with("N1 Standard Instance Core", n1(Resource::Cpu)).with("N1 Standard Instance Ram", n1(Resource::Memory))
}

/// The usage line of a row: vCPU, memory, GPU or local SSD of a series, else the SKU as it is described.
fn line(words: &Words<'_>) -> UsageLine {
    let (service, description, region) =
        (words.get("service_description"), words.get("sku_description"), words.get("location_region"));
    let sku = match subject(description, &overrides()) {
        Some(subject) if service == COMPUTE_ENGINE => resource_sku(region, &subject.series, &subject.resource),
        _ => Sku {
            provider: Provider::Gcp,
            service: service.into(),
            region: region.into(),
            sku: description.into(),
            platform: String::new(),
            tenancy: String::new(),
            unit: words.get("quantity_unit").into(),
        },
    };
    let mut line = UsageLine::new(sku, words.get("account"));
    line.availability_zone = words.get("location_zone").into();
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skus_are_the_resources_they_describe() {
        let names: &'static [&'static str] = MAPPING.words;
        let values = vec![
            "project-1",
            "Compute Engine",
            "N1 Predefined Instance Ram running in Americas",
            "us-west1",
            "",
            "gibibyte hour",
        ];
        assert_eq!(
            line(&Words { names, values }).to_string(),
            "gcp/Compute Engine/us-west1/N1 memory/GiB-hour of account project-1"
        );
    }
}
