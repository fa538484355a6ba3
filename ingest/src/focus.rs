//! FOCUS, the FinOps Open Cost and Usage Specification, 1.0 to 1.4: cost and usage of any provider in one set of columns.
//!
//! Names and meanings: FOCUS specification, "Columns" and `attributes/discount_handling`. Both names of the provider's columns are read (1.3
//! renamed them), columns of later versions are optional, and columns of the provider's own (`x_UsageType`) make SKUs exact where they are
//! there. The ContractCommitment dataset is read by [`contracts`].

pub mod contracts;
pub mod export;
mod line;

use crate::aws::class::{is_coverable, is_spot};
use crate::classes::{COMMON, cases};
use crate::columns::{Column, Kind, optional, rare, required};
use crate::format::Format;
use crate::mapping::Mapping;
use crate::session::Source;

const NO_LIST: &str = "savings rates cannot be told against list prices";

/// Every column used.
const COLUMNS: [Column; 52] = [
    required("charge_period_start", &["ChargePeriodStart"], Kind::Time),
    required("charge_period_end", &["ChargePeriodEnd"], Kind::Time),
    required("charge_category", &["ChargeCategory"], Kind::Text),
    required("billed_cost", &["BilledCost"], Kind::Number),
    required("effective_cost", &["EffectiveCost"], Kind::Number),
    optional("billing_period_start", &["BillingPeriodStart"], Kind::Time, "months are those of the usage"),
    optional("billing_currency", &["BillingCurrency"], Kind::Text, "the catalog's currency is assumed"),
    optional("charge_class", &["ChargeClass"], Kind::Text, "corrections of earlier months are not told apart"),
    optional("charge_frequency", &["ChargeFrequency"], Kind::Text, "upfront and recurring fees are not told apart"),
    optional("charge_description", &["ChargeDescription"], Kind::Text, "free-tier usage counts as on-demand"),
    optional("pricing_category", &["PricingCategory"], Kind::Text, "spot usage counts as on-demand"),
    optional("list_cost", &["ListCost"], Kind::Number, NO_LIST),
    optional("contracted_cost", &["ContractedCost"], Kind::Number, "savings rates cannot be told against negotiated prices"),
    optional("list_unit_price", &["ListUnitPrice"], Kind::Number, "lines have no price of the bill's"),
    optional("pricing_quantity", &["PricingQuantity"], Kind::Number, "quantities are those consumed"),
    optional("consumed_quantity", &["ConsumedQuantity", "UsageQuantity"], Kind::Number, "quantities are those priced"),
    optional("consumed_unit", &["ConsumedUnit", "UsageUnit"], Kind::Text, "units are those of prices"),
    optional("pricing_unit", &["PricingUnit"], Kind::Text, "units are those consumed"),
    optional("commitment_discount_id", &["CommitmentDiscountId"], Kind::Text, "no commitment is known"),
    optional(
        "commitment_discount_status",
        &["CommitmentDiscountStatus"],
        Kind::Text,
        "unused parts of commitments are not known",
    ),
    rare("commitment_discount_category", &["CommitmentDiscountCategory"], Kind::Text),
    rare("commitment_discount_type", &["CommitmentDiscountType"], Kind::Text),
    rare("commitment_discount_name", &["CommitmentDiscountName"], Kind::Text),
    rare("commitment_discount_quantity", &["CommitmentDiscountQuantity"], Kind::Number),
    rare("commitment_discount_unit", &["CommitmentDiscountUnit"], Kind::Text),
    rare("program_eligibility", &["CommitmentProgramEligibilityDetails"], Kind::Text),
    rare("provider_name", &["ProviderName"], Kind::Text),
    rare("service_provider_name", &["ServiceProviderName"], Kind::Text),
    rare("publisher_name", &["PublisherName"], Kind::Text),
    rare("invoice_issuer_name", &["InvoiceIssuerName", "InvoiceIssuer"], Kind::Text),
    optional("service_name", &["ServiceName"], Kind::Text, "services are not known"),
    rare("service_category", &["ServiceCategory"], Kind::Text),
    optional("region_id", &["RegionId", "Region"], Kind::Text, "regions are not known"),
    rare("availability_zone", &["AvailabilityZone"], Kind::Text),
    optional("sku_id", &["SkuId"], Kind::Text, "SKUs are not known"),
    rare("sku_price_id", &["SkuPriceId"], Kind::Text),
    rare("sku_meter", &["SkuMeter", "x_SkuMeterName", "x_SkuDescription"], Kind::Text),
    rare("x_sku_meter_id", &["x_SkuMeterId"], Kind::Text),
    rare("instance_type", &["x_InstanceType"], Kind::Text).within(&[
        ("SkuPriceDetails", "InstanceType"),
        ("SkuPriceDetails", "x_ServiceType"),
        ("x_SkuDetails", "ServiceType"),
        ("x_SkuDetails", "InstanceType"),
    ]),
    rare("operating_system", &["x_OperatingSystem"], Kind::Text)
        .within(&[("SkuPriceDetails", "OperatingSystem"), ("x_SkuDetails", "ImageType")]),
    rare("x_tenancy", &["x_Tenancy"], Kind::Text).within(&[("SkuPriceDetails", "Tenancy")]),
    rare("sub_account_id", &["SubAccountId"], Kind::Text),
    rare("billing_account_id", &["BillingAccountId"], Kind::Text),
    rare("resource_id", &["ResourceId"], Kind::Text),
    rare("x_row_id", &["x_RowId", "x_LineItemId"], Kind::Text),
    rare("tag_object", &["Tags"], Kind::Text),
    rare("x_service_code", &["x_ServiceCode"], Kind::Text),
    rare("x_usage_type", &["x_UsageType"], Kind::Text),
    rare("x_operation", &["x_Operation"], Kind::Text),
    rare("invoice_id", &["InvoiceId"], Kind::Text),
    rare("contract_applied", &["ContractApplied"], Kind::Text),
    rare("capacity_status", &["CapacityReservationStatus"], Kind::Text),
];

/// How a FOCUS file is read.
pub(crate) static MAPPING: Mapping = Mapping {
    format: Format::Focus,
    columns: &COLUMNS,
    classes: &COMMON,
    class: classes,
    fields: &[
        ("start", "charge_period_start"),
        ("finish", "charge_period_end"),
        ("billing_month", "billing_period_start"),
        ("account", "CASE WHEN sub_account_id <> '' THEN sub_account_id ELSE billing_account_id END"),
        ("service", "service_name"),
        ("region", "region_id"),
        ("resource", "CASE WHEN resource_id <> '' THEN resource_id ELSE sku_id END"),
        ("quantity", "COALESCE(consumed_quantity, pricing_quantity, 0)"),
        ("cost", "billed_cost"),
        ("effective", "effective_cost"),
        // Zero on unused rows, whatever some providers write there; nothing that is not usage has an on-demand equivalent.
        (
            "list",
            "CASE WHEN charge_category <> 'Usage' OR commitment_discount_status = 'Unused' THEN 0 WHEN list_cost IS NOT NULL \
             THEN list_cost ELSE times(list_unit_price, pricing_quantity) END",
        ),
        (
            "contracted",
            "CASE WHEN charge_category <> 'Usage' OR commitment_discount_status = 'Unused' THEN 0 ELSE contracted_cost END",
        ),
        ("price", "CASE WHEN list_unit_price > 0 THEN list_unit_price END"),
        ("commitment", "commitment_discount_id"),
        ("currency", "billing_currency"),
        ("tags", "tag_object"),
    ],
    identity: &["x_row_id", "charge_period_start", "charge_category", "billed_cost", "effective_cost"],
    likeness: &[
        "resource_id",
        "sku_price_id",
        "sku_id",
        "sub_account_id",
        "region_id",
        "consumed_quantity",
        "pricing_quantity",
        "list_cost",
        "commitment_discount_id",
        "commitment_discount_status",
        "charge_description",
        "tag_object",
        "invoice_id",
    ],
    words: &[
        "provider",
        "account",
        "availability_zone",
        "region_id",
        "service_name",
        "sku_id",
        "sku_meter",
        "instance_type",
        "operating_system",
        "x_tenancy",
        "unit",
        "x_service_code",
        "x_usage_type",
        "x_operation",
        "capacity_status",
    ],
    derived: &[("provider", PROVIDER), ("unit", UNIT)],
    line: line::line,
    reserved: "class = 'covered'",
};

/// Who provides: the service provider, by either name.
pub(crate) const PROVIDER: &str = "CASE WHEN service_provider_name <> '' THEN service_provider_name \
     WHEN provider_name <> '' THEN provider_name ELSE invoice_issuer_name END";

/// The unit of a usage line.
pub(crate) const UNIT: &str = "CASE WHEN consumed_unit <> '' THEN consumed_unit ELSE pricing_unit END";

/// The class of a row. Usage is in the curves if a commitment covers it, if the provider says that one could, or if it is metered in hours
/// by a service of a category that commitments are sold for.
fn classes() -> String {
    let hourly = format!("regexp_like(LOWER({UNIT}), '(^|[^a-z])(hours?|hrs?)$')");
    let category = "(service_category IN ('', 'Compute', 'Databases', 'AI and Machine Learning', 'Analytics') \
         AND NOT (service_name <> '' AND regexp_like(service_name, 'Virtual Private Cloud|Load Balanc|CloudWatch|Bandwidth|Storage|Kubernetes Service')))";
    let coverable = is_coverable("x_service_code", "x_usage_type");
    let eligible = format!(
        "CASE WHEN x_usage_type <> '' THEN {coverable} WHEN program_eligibility NOT IN ('', '{{}}', '[]') THEN true \
         ELSE {hourly} AND {category} END"
    );
    let spot = format!("(pricing_category = 'Dynamic' OR {})", is_spot("x_usage_type"));
    let other_provider =
        format!("{PROVIDER} <> '' AND NOT regexp_like(LOWER({PROVIDER}), 'amazon|aws|microsoft|azure|google|gcp')");
    let third_party = "publisher_name <> '' AND NOT regexp_like(LOWER(publisher_name), \
         'amazon|aws|microsoft|azure|google|oracle|alibaba|tencent|huawei|ibm')";
    cases(
        &[
            ("charge_category = 'Tax'", "tax"),
            ("charge_category = 'Credit'", "credit"),
            ("charge_category = 'Adjustment'", "adjustment"),
            ("charge_category = 'Purchase' AND billed_cost < 0", "refund"),
            ("charge_category = 'Purchase' AND commitment_discount_id <> '' AND charge_frequency = 'One-Time'", "upfront_fee"),
            ("charge_category = 'Purchase' AND commitment_discount_id <> ''", "recurring_fee"),
            (&format!("charge_category = 'Purchase' AND {third_party}"), "marketplace"),
            ("charge_category = 'Purchase'", "fee"),
            ("charge_category <> 'Usage'", "other"),
            (&other_provider, "other_provider"),
            ("commitment_discount_status = 'Unused'", "unused"),
            (third_party, "marketplace"),
            ("LOWER(service_name) LIKE '%support%'", "support"),
            ("commitment_discount_id <> '' AND charge_class <> 'Correction'", "covered"),
            (&format!("NOT ({eligible})"), "other_usage"),
            ("charge_class = 'Correction'", "correction"),
            (&spot, "spot"),
            ("billed_cost = 0 AND effective_cost = 0 AND LOWER(charge_description) LIKE '%free tier%'", "free_tier"),
        ],
        "on_demand",
    )
}

/// The version, by its columns.
pub(crate) fn version(source: &Source) -> &'static str {
    let versions: [(&str, &[&str]); 4] = [
        ("1.4", &["CommitmentProgramEligibilityDetails", "InvoiceDetailId"]),
        ("1.3", &["ContractApplied", "ServiceProviderName", "HostProviderName", "AllocatedMethodId"]),
        ("1.2", &["InvoiceId", "BillingAccountType", "PricingCurrency", "SubAccountType"]),
        ("1.1", &["CommitmentDiscountQuantity", "SkuMeter", "SkuPriceDetails", "CapacityReservationId"]),
    ];
    versions.iter().find(|(_, columns)| columns.iter().any(|column| source.has(column))).map_or("1.0", |(version, _)| version)
}
