//! What a line item is: one SQL expression puts each into exactly one class. Line item types: Cost and Usage Report User Guide, "Line item
//! details". The usage types of other services are those that AWS sells reservations or Savings Plans for.

use super::columns::Totals;
use crate::error::Result;
use crate::reconciliation::{Entry, Reconciliation, Treatment};
use crate::session::{Session, count};
use covermix::units::Money;
use std::fmt::Write as _;

/// A class of line items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class {
    /// Its name in SQL.
    pub(super) name: &'static str,
    /// What it is, in words.
    reason: &'static str,
    treatment: Treatment,
}

const fn class(name: &'static str, reason: &'static str, treatment: Treatment) -> Class {
    Class { name, reason, treatment }
}

/// Every class.
const CLASSES: [Class; 24] = [
    class("instance_on_demand", "EC2 instances on demand", Treatment::Usage),
    class("instance_reserved", "EC2 instances covered by Reserved Instances", Treatment::Usage),
    class("instance_plan", "EC2 instances covered by Savings Plans", Treatment::Usage),
    class("instance_spot", "EC2 instances on spot", Treatment::UncoverableUsage),
    class("instance_free_tier", "EC2 instances within the free tier", Treatment::UncoverableUsage),
    class("service_on_demand", "other services with commitments, on demand", Treatment::Usage),
    class("service_reserved", "other services covered by reservations", Treatment::Usage),
    class("service_plan", "other services covered by Savings Plans", Treatment::Usage),
    class("service_free_tier", "other services with commitments, within the free tier", Treatment::UncoverableUsage),
    class("reservation_fee", "Reserved Instance fees (RIFee)", Treatment::Commitments),
    class("reservation_upfront", "reservation upfront fees (Fee)", Treatment::Commitments),
    class("plan_recurring", "Savings Plan recurring fees", Treatment::Commitments),
    class("plan_upfront", "Savings Plan upfront fees", Treatment::Commitments),
    class("plan_negation", "Savings Plan negations", Treatment::Commitments),
    class("service_reservation_fee", "reservation fees of other services (RIFee)", Treatment::SetAside),
    class("tax", "tax", Treatment::SetAside),
    class("support", "support", Treatment::SetAside),
    class("credit", "credits", Treatment::SetAside),
    class("refund", "refunds", Treatment::SetAside),
    class("discount", "discounts", Treatment::SetAside),
    class("fee", "other fees", Treatment::SetAside),
    class("other_ec2", "EC2 other than instances (storage, transfer ...)", Treatment::SetAside),
    class("other_service", "other services", Treatment::SetAside),
    class("other_type", "line items of other types", Treatment::SetAside),
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

/// A condition on `usage_type`, after any region prefixes.
fn is_usage_type(alternatives: &str) -> String {
    format!("regexp_like(line_item_usage_type, '^(([A-Z]{{2,4}}[0-9]+|EU|CPT)-)*({alternatives})([:.-]|$)')")
}

/// The SQL expression that names the class of a row of `united`.
pub(super) fn expression() -> String {
    let usage = "line_item_line_item_type IN ('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage')";
    let free = "line_item_unblended_cost = 0 AND pricing_public_on_demand_rate > 0 \
                AND LOWER(line_item_line_item_description) LIKE '%free tier%'";
    let instance = format!("line_item_product_code = 'AmazonEC2' AND {}", is_usage_type(INSTANCE));
    let spot = is_usage_type("SpotUsage");
    let services: Vec<String> = SERVICES
        .iter()
        .map(|(product, types)| format!("(line_item_product_code = '{product}' AND {})", is_usage_type(types)))
        .collect();
    let service = services.join(" OR ");
    let mut sql = String::from("CASE");
    let cases = [
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
    for (condition, name) in cases {
        let _ = write!(sql, " WHEN {condition} THEN '{name}'");
    }
    sql + " ELSE 'service_on_demand' END"
}

/// The SQL condition that a row's class is usage in the curves.
pub(super) fn is_usage() -> String {
    let names = CLASSES
        .iter()
        .filter(|class| matches!(class.treatment, Treatment::Usage | Treatment::UncoverableUsage))
        .map(|class| format!("'{}'", class.name))
        .collect::<Vec<_>>();
    format!("class IN ({})", names.join(", "))
}

/// Rows and money by class.
pub(super) async fn reconcile(session: &Session, totals: Totals) -> Result<Reconciliation> {
    let rows = session
        .query("SELECT class, COUNT(*) AS lines, SUM(line_item_unblended_cost) AS cost FROM bill GROUP BY class ORDER BY class")
        .await?;
    let (names, lines, costs) = (rows.text("class"), rows.integers("lines"), rows.numbers("cost"));
    let mut entries = Vec::new();
    for row in 0..rows.len() {
        let Some(class) = CLASSES.iter().find(|class| class.name == names.value(row)) else { continue };
        let cost = Money::new(super::lines::decimal(&costs, row).unwrap_or_default());
        entries.push(Entry { reason: class.reason, treatment: class.treatment, rows: count(&lines, row), cost });
    }
    Ok(Reconciliation::new(entries, totals.rows, totals.cost))
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
            assert!(sql.contains(&format!("'{}'", class.name)), "{} is never given", class.name);
        }
    }
}
