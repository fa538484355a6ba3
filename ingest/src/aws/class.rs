//! What a line item is: one SQL expression puts each into exactly one class. Line item types: Cost and Usage Report User Guide, "Line item
//! details". The usage types of other services are those that AWS sells reservations or Savings Plans for.

use crate::classes::{ChargeKind, Class, cases, class};
use crate::reconciliation::Treatment;

/// Every class.
pub(super) const CLASSES: [Class; 26] = [
    class("instance_on_demand", "EC2 instances on demand", Treatment::Usage, ChargeKind::OnDemand),
    class("instance_reserved", "EC2 instances covered by Reserved Instances", Treatment::Usage, ChargeKind::Covered),
    class("instance_plan", "EC2 instances covered by Savings Plans", Treatment::Usage, ChargeKind::Covered),
    class("instance_spot", "EC2 instances on spot", Treatment::UncoverableUsage, ChargeKind::Spot),
    class("instance_free_tier", "EC2 instances within the free tier", Treatment::UncoverableUsage, ChargeKind::FreeTier),
    class("service_on_demand", "other services with commitments, on demand", Treatment::Usage, ChargeKind::OnDemand),
    class("service_reserved", "other services covered by reservations", Treatment::Usage, ChargeKind::Covered),
    class("service_plan", "other services covered by Savings Plans", Treatment::Usage, ChargeKind::Covered),
    class(
        "service_free_tier",
        "other services with commitments, within the free tier",
        Treatment::UncoverableUsage,
        ChargeKind::FreeTier,
    ),
    class("reservation_fee", "Reserved Instance fees (RIFee)", Treatment::Commitments, ChargeKind::Purchase),
    class("reservation_upfront", "reservation upfront fees (Fee)", Treatment::Commitments, ChargeKind::Purchase),
    class("plan_recurring", "Savings Plan recurring fees", Treatment::Commitments, ChargeKind::Purchase),
    class("plan_upfront", "Savings Plan upfront fees", Treatment::Commitments, ChargeKind::Purchase),
    class("plan_negation", "Savings Plan negations", Treatment::Commitments, ChargeKind::Purchase),
    class("service_reservation_fee", "reservation fees of other services (RIFee)", Treatment::SetAside, ChargeKind::Purchase),
    class("late", "usage of other months than those billed", Treatment::SetAside, ChargeKind::Other),
    class("marketplace", "marketplace", Treatment::SetAside, ChargeKind::Other),
    class("tax", "tax", Treatment::SetAside, ChargeKind::Other),
    class("support", "support", Treatment::SetAside, ChargeKind::Other),
    class("credit", "credits", Treatment::SetAside, ChargeKind::Other),
    class("refund", "refunds", Treatment::SetAside, ChargeKind::Other),
    class("discount", "discounts", Treatment::SetAside, ChargeKind::Other),
    class("fee", "other fees", Treatment::SetAside, ChargeKind::Other),
    class("other_ec2", "EC2 other than instances (storage, transfer ...)", Treatment::SetAside, ChargeKind::Other),
    class("other_service", "other services", Treatment::SetAside, ChargeKind::Other),
    class("other_type", "line items of other types", Treatment::SetAside, ChargeKind::Other),
];

/// The usage types of running EC2 instances, without region: on demand and reserved, dedicated, spot, and unused slots of capacity reservations.
const INSTANCE: &str = "BoxUsage|DedicatedUsage|SpotUsage|UnusedBox|UnusedDed";

/// Product codes and the usage types, without region, of what commitments cover in services other than EC2.
const SERVICES: [(&str, &str); 16] = [
    (
        "AmazonRDS",
        "InstanceUsage|Multi-AZUsage|Multi-AZClusterUsage|InstanceUsageIOOptimized|Aurora:ServerlessUsage|Aurora:ServerlessV2Usage",
    ),
    ("AmazonDocDB", "InstanceUsage|InstanceUsageIOOptimized"),
    ("AmazonNeptune", "InstanceUsage|InstanceUsageIOOptimized|ServerlessUsage"),
    ("AmazonElastiCache", "NodeUsage|ElastiCache:ServerlessUsage"),
    ("AmazonMemoryDB", "NodeUsage"),
    ("AmazonES", "ESInstance"),
    ("AmazonRedshift", "Node|Redshift:ServerlessUsage"),
    (
        "AmazonDynamoDB",
        "ReadCapacityUnit-Hrs|WriteCapacityUnit-Hrs|ReplWriteCapacityUnit-Hrs|ReadRequestUnits|WriteRequestUnits|ReplWriteRequestUnits",
    ),
    ("AmazonMCS", "ReadCapacityUnit-Hrs|WriteCapacityUnit-Hrs|ReadRequestUnits|WriteRequestUnits"),
    ("AmazonTimestream", "TCU-Hour|InstanceUsage"),
    ("AmazonAuroraDSQL", "DPU"),
    ("AWSDatabaseMigrationSvc", "InstanceUsg|Multi-AZUsg|DCU"),
    ("AWSLambda", "Lambda-GB-Second|Lambda-Provisioned|Request"),
    ("AmazonECS", "Fargate"),
    ("AmazonEKS", "Fargate"),
    ("AmazonSageMaker", "Notebk|Train|Host|Processing|Studio|Tsform|DataWrangler|Serverless|Canvas"),
];

/// A condition on a usage type, after any region prefixes.
fn is_usage_type(column: &str, alternatives: &str) -> String {
    format!("regexp_like({column}, '^(([A-Z]{{2,4}}[0-9]+|EU|CPT)-)*({alternatives})([:.-]|$)')")
}

/// The condition that a row is of running instances.
fn is_instance(product: &str, usage_type: &str) -> String {
    format!("{product} = 'AmazonEC2' AND {}", is_usage_type(usage_type, INSTANCE))
}

/// The condition that a row is of another service's usage that commitments are sold for.
fn is_service(product: &str, usage_type: &str) -> String {
    let services: Vec<String> =
        SERVICES.iter().map(|(code, types)| format!("({product} = '{code}' AND {})", is_usage_type(usage_type, types))).collect();
    services.join(" OR ")
}

/// The condition that commitments are sold for what a row is of, in a file with these columns.
pub(crate) fn is_coverable(product: &str, usage_type: &str) -> String {
    format!("(({}) OR {})", is_instance(product, usage_type), is_service(product, usage_type))
}

/// The condition that a row is of spot capacity.
pub(crate) fn is_spot(usage_type: &str) -> String {
    is_usage_type(usage_type, "SpotUsage")
}

/// The SQL expression that names the class of a row of `united`.
pub(super) fn expression() -> String {
    let usage = "line_item_line_item_type IN ('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage')";
    let free = "line_item_unblended_cost = 0 AND pricing_public_on_demand_rate > 0 \
                AND LOWER(line_item_line_item_description) LIKE '%free tier%'";
    let (product, usage_type) = ("line_item_product_code", "line_item_usage_type");
    let (instance, service, spot) = (is_instance(product, usage_type), is_service(product, usage_type), is_spot(usage_type));
    // Who sells: AWS itself and its legal entities (`Amazon Web Services EMEA SARL`), or another through the marketplace.
    let marketplace = "bill_billing_entity = 'AWS Marketplace'";
    let conditions = [
        ("line_item_line_item_type = 'Tax'", "tax"),
        ("line_item_line_item_type = 'Credit'", "credit"),
        ("line_item_line_item_type = 'Refund'", "refund"),
        ("line_item_line_item_type = 'SavingsPlanRecurringFee'", "plan_recurring"),
        ("line_item_line_item_type = 'SavingsPlanUpfrontFee'", "plan_upfront"),
        ("line_item_line_item_type = 'SavingsPlanNegation'", "plan_negation"),
        ("line_item_line_item_type LIKE '%Discount'", "discount"),
        ("line_item_line_item_type = 'RIFee' AND line_item_product_code = 'AmazonEC2'", "reservation_fee"),
        ("line_item_line_item_type = 'RIFee'", "service_reservation_fee"),
        ("line_item_line_item_type = 'Fee' AND reservation_reservation_a_r_n <> ''", "reservation_upfront"),
        (marketplace, "marketplace"),
        ("line_item_product_code LIKE '%Support%'", "support"),
        ("line_item_line_item_type = 'Fee'", "fee"),
        (&format!("NOT {usage}"), "other_type"),
        (&format!("{instance} AND {spot}"), "instance_spot"),
        (&format!("{instance} AND line_item_line_item_type = 'DiscountedUsage'"), "instance_reserved"),
        (&format!("{instance} AND line_item_line_item_type = 'SavingsPlanCoveredUsage'"), "instance_plan"),
        (&format!("{instance} AND {free}"), "instance_free_tier"),
        (&instance, "instance_on_demand"),
        ("line_item_product_code = 'AmazonEC2'", "other_ec2"),
        (&format!("NOT ({service})"), "other_service"),
        ("line_item_line_item_type = 'DiscountedUsage'", "service_reserved"),
        ("line_item_line_item_type = 'SavingsPlanCoveredUsage'", "service_plan"),
        (free, "service_free_tier"),
    ];
    cases(&conditions, "service_on_demand")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_named_in_sql_is_a_class() {
        let sql = expression();
        for part in sql.split("THEN '").skip(1).chain(sql.split("ELSE '").skip(1)) {
            let name = part.split('\'').next().unwrap();
            assert!(CLASSES.iter().any(|class| class.name == name), "{name}");
        }
        for class in CLASSES {
            assert!(class.name == "late" || sql.contains(&format!("'{}'", class.name)), "{} is never given", class.name);
        }
    }
}
