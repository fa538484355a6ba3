//! Azure's cost and usage details: actual or amortised cost, of Enterprise and Customer Agreements and pay-as-you-go, in every variant of the
//! headers, localised ones too.
//!
//! Names and meanings: Microsoft Cost Management documentation, "Understand the terms in your cost details file" and "Get cost details for a
//! pay-as-you-go subscription". The two views hold the same money: actual cost has purchases and free covered usage, amortised cost has
//! covered usage at its share and rows for what was not used.

mod held;
pub mod price_sheet;
mod region;

pub(crate) use held::read as read_held;
pub(crate) use region::region;

use crate::classes::{COMMON, cases};
use crate::columns::{Column, Kind, optional, rare, required, required_column};
use crate::error::{Error, Result};
use crate::format::Format;
use crate::mapping::{Mapping, Words};
use crate::note::Note;
use crate::session::Session;
use covermix::catalog::azure::{LINUX, VIRTUAL_MACHINES, WINDOWS, machine_sku};
use covermix::usage::{Provider, Sku, UsageLine};

const NO_PRICE: &str = "savings rates cannot be told without a catalog";

/// Every column used.
const COLUMNS: [Column; 35] = [
    required("usage_date", &["Date", "UsageDateTime", "UsageDate"], Kind::Time),
    required_column("row_cost", &["CostInBillingCurrency", "Cost", "PreTaxCost"], Kind::Number),
    required("meter_category", &["MeterCategory"], Kind::Text),
    optional("row_quantity", &["Quantity", "UsageQuantity", "ConsumedQuantity"], Kind::Number, "there is no usage, only money"),
    optional("subscription_id", &["SubscriptionId", "SubscriptionGuid"], Kind::Text, "accounts are not known"),
    optional("resource_location", &["ResourceLocation", "ResourceLocationNormalized"], Kind::Text, "regions are those of meters"),
    optional("charge_type", &["ChargeType"], Kind::Text, "every row counts as usage"),
    optional("pricing_model", &["PricingModel"], Kind::Text, "spot usage is told by the meter's name alone"),
    optional("unit_price", &["UnitPrice"], Kind::Number, NO_PRICE),
    optional("pay_g_price", &["PayGPrice", "PayGoPrice", "MarketPrice"], Kind::Number, NO_PRICE),
    rare("effective_price", &["EffectivePrice", "ResourceRate"], Kind::Number),
    rare("billing_currency", &["BillingCurrency", "BillingCurrencyCode", "Currency"], Kind::Text),
    rare("billing_period_start", &["BillingPeriodStartDate", "BillingPeriodStart"], Kind::Time),
    rare("meter_id", &["MeterId"], Kind::Text),
    rare("meter_name", &["MeterName", "Meter"], Kind::Text),
    rare("meter_sub_category", &["MeterSubCategory"], Kind::Text),
    rare("meter_region", &["MeterRegion"], Kind::Text),
    rare("product_name", &["ProductName", "Product"], Kind::Text),
    rare("unit_of_measure", &["UnitOfMeasure"], Kind::Text),
    rare("resource_id", &["ResourceId", "InstanceId", "InstanceName"], Kind::Text),
    rare("resource_group", &["ResourceGroup", "ResourceGroupName"], Kind::Text),
    rare("consumed_service", &["ConsumedService"], Kind::Text),
    rare("publisher_type", &["PublisherType"], Kind::Text),
    rare("service_family", &["ServiceFamily"], Kind::Text),
    rare("frequency", &["Frequency"], Kind::Text),
    rare("term", &["Term"], Kind::Text),
    rare("product_order_name", &["ProductOrderName"], Kind::Text),
    rare("reservation_id", &["ReservationId"], Kind::Text),
    rare("reservation_name", &["ReservationName", "BenefitName"], Kind::Text),
    rare("benefit_id", &["BenefitId"], Kind::Text),
    rare("service_type", &["x_ServiceType"], Kind::Text).within(&[("AdditionalInfo", "ServiceType")]),
    rare("image_type", &["x_ImageType"], Kind::Text).within(&[("AdditionalInfo", "ImageType")]),
    rare("consumption_meter", &["x_ConsumptionMeter"], Kind::Text).within(&[("AdditionalInfo", "ConsumptionMeter")]),
    rare("additional_info", &["AdditionalInfo"], Kind::Text),
    rare("tag_object", &["Tags"], Kind::Text),
];

/// The commitment of a row: the benefit, or the reservation in exports that are older than benefits.
pub(crate) const COMMITMENT: &str = "CASE WHEN benefit_id <> '' THEN benefit_id ELSE reservation_id END";

/// The meter of a row's usage: that of usage a reservation covers stands in the additional information where the row's own is the reservation's.
pub(crate) const METER: &str = "CASE WHEN consumption_meter <> '' THEN consumption_meter ELSE meter_id END";

/// How an Azure export is read.
pub(crate) static MAPPING: Mapping = Mapping {
    format: Format::AzureCost,
    columns: &COLUMNS,
    classes: &COMMON,
    class: classes,
    fields: &[
        ("start", "usage_date"),
        // Rows are by the day; times of day appear in exports of single meters by the hour.
        ("finish", "CASE WHEN usage_date % 86400 = 0 THEN usage_date + 86400 ELSE usage_date + 3600 END"),
        ("billing_month", "billing_period_start"),
        ("account", "subscription_id"),
        ("service", "meter_category"),
        ("region", "resource_location"),
        ("resource", "CASE WHEN resource_id <> '' THEN resource_id ELSE meter_name END"),
        ("quantity", "COALESCE(row_quantity, 0)"),
        ("cost", "COALESCE(row_cost, 0)"),
        ("effective", "COALESCE(row_cost, 0)"),
        // PayGPrice is 0 on reservation rows of Enterprise Agreements; UnitPrice is the customer's on-demand price there.
        (
            "list",
            "CASE WHEN charge_type NOT IN ('', 'Usage') THEN 0 \
             WHEN pay_g_price > 0 THEN times(pay_g_price, row_quantity) \
             WHEN unit_price > 0 THEN times(unit_price, row_quantity) \
             WHEN pricing_model IN ('Reservation', 'SavingsPlan') THEN NULL ELSE row_cost END",
        ),
        (
            "contracted",
            "CASE WHEN charge_type NOT IN ('', 'Usage') THEN 0 \
             WHEN unit_price > 0 THEN times(unit_price, row_quantity) \
             WHEN pricing_model IN ('Reservation', 'SavingsPlan') THEN NULL ELSE row_cost END",
        ),
        ("price", "CASE WHEN pay_g_price > 0 THEN pay_g_price WHEN unit_price > 0 THEN unit_price END"),
        ("commitment", COMMITMENT),
        ("currency", "billing_currency"),
        ("tags", "tag_object"),
    ],
    identity: &[],
    likeness: &[
        "usage_date",
        "meter_id",
        "resource_id",
        "subscription_id",
        "charge_type",
        "row_quantity",
        "row_cost",
        "meter_name",
        "additional_info",
        "tag_object",
        "product_order_name",
        "benefit_id",
    ],
    words: &[
        "account",
        "resource_group",
        "meter_category",
        "meter_sub_category",
        "meter_name",
        "meter_id",
        "meter_region",
        "resource_location",
        "product_name",
        "service_type",
        "image_type",
        "unit_of_measure",
    ],
    derived: &[],
    line,
    reserved: "class = 'covered'",
};

/// The services that reservations or savings plans are sold for, by meter category.
const SERVICES: &str = "'Virtual Machines', 'Virtual Machines Licenses', 'SQL Database', 'SQL Managed Instance', 'Azure Database for MySQL', \
    'Azure Database for PostgreSQL', 'Azure Database for MariaDB', 'Azure Cosmos DB', 'Azure Synapse Analytics', 'SQL Data Warehouse', \
    'Redis Cache', 'Azure Cache for Redis', 'Azure App Service', 'Container Instances', 'Azure Container Apps', 'Functions', \
    'Azure Spring Cloud', 'Azure VMware Solution', 'Specialized Compute', 'Azure Databricks', 'Azure Data Explorer', \
    'Azure Dedicated Host', 'Virtual Machine Licenses', 'Cognitive Services', 'Azure OpenAI', 'Azure NetApp Files', 'Microsoft Fabric'";

fn classes() -> String {
    let is_spot = "pricing_model = 'Spot' OR regexp_like(meter_name, 'Spot|Low Priority')";
    let is_benefit = format!("({COMMITMENT} <> '' OR pricing_model IN ('Reservation', 'SavingsPlan'))");
    let coverable = format!(
        "meter_category IN ({SERVICES}) AND (unit_of_measure = '' OR regexp_like(LOWER(unit_of_measure), '(hour|vcore|/day|second|ru)'))"
    );
    cases(
        &[
            ("charge_type = 'Tax'", "tax"),
            ("charge_type = 'Refund'", "refund"),
            ("charge_type LIKE 'Rounding%'", "rounding"),
            ("charge_type IN ('Adjustment', 'Credit')", "credit"),
            ("charge_type IN ('UnusedReservation', 'UnusedSavingsPlan')", "unused"),
            (
                &format!("charge_type = 'Purchase' AND {is_benefit} AND REPLACE(LOWER(frequency), '-', '') = 'onetime'"),
                "upfront_fee",
            ),
            (&format!("charge_type = 'Purchase' AND {is_benefit}"), "recurring_fee"),
            ("publisher_type IN ('Marketplace', 'AWS') OR LOWER(publisher_type) LIKE '%3rd%'", "marketplace"),
            ("charge_type = 'Purchase'", "fee"),
            ("meter_category LIKE '%Support%' OR service_family LIKE '%Support%'", "support"),
            ("charge_type NOT IN ('', 'Usage')", "other"),
            ("pricing_model IN ('Reservation', 'SavingsPlan')", "covered"),
            (&format!("{COMMITMENT} <> '' AND pricing_model = ''"), "covered"),
            (&format!("NOT ({coverable})"), "other_usage"),
            (is_spot, "spot"),
            ("row_cost = 0 AND row_quantity > 0 AND LOWER(CONCAT(meter_name, ' ', product_name)) LIKE '%free%'", "free_tier"),
        ],
        "on_demand",
    )
}

/// The usage line of a row.
fn line(words: &Words<'_>) -> UsageLine {
    let location = [words.get("resource_location"), words.get("meter_region")].into_iter().find(|text| !text.is_empty());
    let region = region(location.unwrap_or_default());
    let category = words.get("meter_category");
    let is_windows = [words.get("meter_sub_category"), words.get("product_name"), words.get("image_type")]
        .iter()
        .any(|text| text.contains("Windows"));
    let size = words.get("service_type");
    let sku = if category == VIRTUAL_MACHINES && !size.is_empty() {
        machine_sku(&region, size, if is_windows { WINDOWS } else { LINUX })
    } else {
        let name = [size, words.get("meter_name"), words.get("meter_id")].into_iter().find(|text| !text.is_empty());
        Sku {
            provider: Provider::Azure,
            service: category.into(),
            region,
            sku: name.unwrap_or_default().into(),
            platform: words.get("meter_sub_category").into(),
            tenancy: String::new(),
            unit: words.get("unit_of_measure").into(),
        }
    };
    let mut line = UsageLine::new(sku, words.get("account"));
    if !words.get("resource_group").is_empty() {
        // Reservations may be scoped to a resource group.
        line.tags.insert("resource_group".into(), words.get("resource_group").to_ascii_lowercase());
    }
    line
}

/// Tells the view, and refuses both views of the same money.
pub(crate) async fn view(session: &Session) -> Result<Note> {
    let sql = format!(
        "SELECT SUM(CASE WHEN class IN ('recurring_fee', 'upfront_fee') OR (class = 'covered' AND row_cost = 0 AND \
         COALESCE(effective_price, 0) = 0 AND row_quantity > 0) THEN 1 ELSE 0 END) AS actual, \
         SUM(CASE WHEN class = 'unused' OR (class = 'covered' AND row_cost <> 0) THEN 1 ELSE 0 END) AS amortised FROM bill \
         WHERE {COMMITMENT} <> '' OR pricing_model IN ('Reservation', 'SavingsPlan') OR charge_type LIKE 'Unused%'"
    );
    let rows = session.query(&sql).await?;
    let (actual, amortised) = (rows.count_at("actual", 0), rows.count_at("amortised", 0));
    match (actual, amortised) {
        (0, 0) => Ok(Note::View { view: "no rows of commitments: actual and amortised cost are the same" }),
        (_, 0) => Ok(Note::View { view: "actual cost: covered usage is free, fees stand where they are due" }),
        (0, _) => Ok(Note::View { view: "amortised cost: covered usage has its share of the fees, unused rows the rest" }),
        _ => Err(Error::MixedViews { paths: session.paths().to_vec(), actual, amortised }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_keyed_as_the_catalog_does() {
        let names: &'static [&'static str] = MAPPING.words;
        let words = |pairs: &[(&str, &'static str)]| -> String {
            let values =
                names.iter().map(|name| pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| *value)).collect();
            line(&Words { names, values }).sku.to_string()
        };
        let machine =
            [("meter_category", "Virtual Machines"), ("service_type", "Standard_E4s_v3"), ("resource_location", "US East 2")];
        assert_eq!(words(&machine), "azure/Virtual Machines/eastus2/Standard_E4s_v3/Linux/shared/instance-hour");
        let windows = [&machine[..], &[("meter_sub_category", "Ev3/ESv3 Series Windows")]].concat();
        assert_eq!(words(&windows), "azure/Virtual Machines/eastus2/Standard_E4s_v3/Windows/shared/instance-hour");
        let database = [("meter_category", "SQL Database"), ("meter_name", "vCore"), ("unit_of_measure", "1 Hour")];
        assert_eq!(words(&database), "azure/SQL Database//vCore/1 Hour");
    }
}
