//! An order in the provider's words: the name of the call and its parameters.
//!
//! Sources: the API references of Amazon EC2 (`PurchaseReservedInstancesOffering`, `DescribeReservedInstancesOfferings`,
//! `AcceptReservedInstancesExchangeQuote`, `CreateReservedInstancesListing`, `ModifyReservedInstances`), Amazon RDS, ElastiCache and others
//! (`Purchase…Offering`), AWS Savings Plans (`CreateSavingsPlan`, `ReturnSavingsPlan`); Azure Reservations (`Microsoft.Capacity`), Azure
//! Billing Benefits (`Microsoft.BillingBenefits`); Google Compute Engine (`regionCommitments`). Where the provider's identifier of an offer
//! is not in price lists, the parameters are those by which its console or describe call finds it.

use super::{Operation, Order, Part};
use crate::catalog::aws::EC2;
use crate::catalog::{Benefit, Catalog, Offer, PaymentOption, Right};
use crate::portfolio::Scope;
use crate::portfolio::action::Action;
use crate::usage::{Provider, Sku};
use std::collections::BTreeMap;

/// The call and its parameters.
pub(super) fn of(order: &Order, offer: &Offer, catalog: &Catalog) -> (String, BTreeMap<String, String>) {
    let (call, parameters) = match offer.provider {
        Provider::Aws => aws(order, offer, catalog),
        Provider::Azure => azure(order, offer, catalog),
        Provider::Gcp => gcp(order, offer, catalog),
    };
    (call.to_owned(), parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A scope as one word, with what it names.
pub(super) fn scope(scope: &Scope) -> String {
    match scope {
        Scope::AvailabilityZone { availability_zone } => format!("zone {availability_zone}"),
        Scope::Region => "region".into(),
        Scope::Shared => "shared".into(),
        Scope::ManagementGroup { subscriptions } => {
            format!("management group of {}", subscriptions.iter().cloned().collect::<Vec<_>>().join(" "))
        }
        Scope::Subscription { subscription } => format!("subscription {subscription}"),
        Scope::ResourceGroup { subscription, resource_group } => format!("resource group {resource_group} of {subscription}"),
        Scope::Project { project } => format!("project {project}"),
    }
}

type Call = (&'static str, Vec<(&'static str, String)>);

/// The SKU that a reservation is bought by.
fn reserved<'a>(offer: &Offer, catalog: &'a Catalog) -> Option<&'a Sku> {
    match &offer.benefit {
        Benefit::Reservation { sku, .. } => catalog.price_with_id(sku).map(|price| &price.sku),
        Benefit::SpendPlan { .. } => None,
    }
}

fn commitments(parts: &[Part]) -> String {
    parts.iter().map(|part| part.commitment.as_str()).collect::<Vec<_>>().join(" ")
}

fn quantities(parts: &[Part]) -> String {
    parts.iter().map(|part| part.quantity.normalize().to_string()).collect::<Vec<_>>().join(" ")
}

fn seconds(offer: &Offer) -> String {
    (offer.term.list_hours() * rust_decimal::Decimal::from(3600)).normalize().to_string()
}

fn aws(order: &Order, offer: &Offer, catalog: &Catalog) -> Call {
    let quantity = order.quantity.normalize().to_string();
    let payment = match offer.payment_option {
        PaymentOption::NoUpfront => "No Upfront",
        PaymentOption::PartialUpfront => "Partial Upfront",
        PaymentOption::AllUpfront => "All Upfront",
    };
    let asked = if order.offered.is_empty() { &order.gives } else { &order.offered };
    let described = || {
        let class = if offer.rights.contains(&Right::Exchange) { "convertible" } else { "standard" };
        let sku = reserved(offer, catalog);
        let of = |part: fn(&Sku) -> &str| sku.map_or_else(String::new, |sku| part(sku).to_owned());
        let tenancy = of(|sku| &sku.tenancy);
        vec![
            ("InstanceType", of(|sku| &sku.sku)),
            ("ProductDescription", of(|sku| &sku.platform)),
            ("InstanceTenancy", if tenancy == "dedicated" { tenancy } else { "default".into() }),
            ("OfferingClass", class.into()),
            ("OfferingType", payment.into()),
            ("Duration", seconds(offer)),
            ("Scope", order.scope.as_ref().map_or_else(String::new, scope)),
            ("InstanceCount", quantity.clone()),
        ]
    };
    match order.operation {
        Operation::Buy if offer.is_spend_plan() => (
            "savingsplans:CreateSavingsPlan",
            vec![
                ("savingsPlanOfferingId", offer.provider_id.clone()),
                ("planType", offer.subject()),
                ("paymentOption", payment.into()),
                ("durationSeconds", seconds(offer)),
                ("commitment", quantity),
                ("upfrontPaymentAmount", order.paid.value().normalize().to_string()),
                ("purchaseTime", order.at.to_rfc3339()),
            ],
        ),
        Operation::Buy => {
            let mut parameters = described();
            let call = if offer.service == EC2 {
                parameters.push(("PurchaseTime", order.at.to_rfc3339()));
                "ec2:PurchaseReservedInstancesOffering"
            } else if offer.service.contains("RDS") {
                "rds:PurchaseReservedDBInstancesOffering"
            } else if offer.service.contains("ElastiCache") {
                "elasticache:PurchaseReservedCacheNodesOffering"
            } else {
                "the service's purchase of a reserved offering"
            };
            (call, parameters)
        }
        Operation::Act(Action::Exchange) => {
            let mut parameters = vec![("ReservedInstanceIds", commitments(asked)), ("given", quantities(asked))];
            parameters.extend(described());
            ("ec2:AcceptReservedInstancesExchangeQuote", parameters)
        }
        Operation::Act(Action::Sell) => (
            "ec2:CreateReservedInstancesListing",
            vec![
                ("ReservedInstancesId", commitments(asked)),
                ("InstanceCount", quantities(asked)),
                ("proceeds", (-order.paid).value().normalize().to_string()),
            ],
        ),
        Operation::Act(Action::Return) => ("savingsplans:ReturnSavingsPlan", vec![("savingsPlanId", commitments(asked))]),
        Operation::Act(Action::CancelQueued) => {
            ("ec2:DeleteQueuedReservedInstances", vec![("ReservedInstancesId", commitments(asked))])
        }
        Operation::Act(Action::Modify | Action::Split | Action::Merge) => {
            let mut parameters = vec![("ReservedInstancesIds", commitments(asked)), ("given", quantities(asked))];
            parameters.extend(described());
            ("ec2:ModifyReservedInstances", parameters)
        }
        Operation::Act(_) => ("by the owner", vec![("commitment", commitments(asked)), ("quantity", quantities(asked))]),
    }
}

fn azure(order: &Order, offer: &Offer, catalog: &Catalog) -> Call {
    let term = match offer.term.nominal_months() {
        months if months % 12 == 0 => format!("P{}Y", months.div_euclid(12)),
        months => format!("P{months}M"),
    };
    let plan = if offer.payment_option == PaymentOption::AllUpfront { "Upfront" } else { "Monthly" };
    let applied = match &order.scope {
        Some(Scope::Subscription { .. } | Scope::ResourceGroup { .. }) => "Single",
        Some(Scope::ManagementGroup { .. }) => "ManagementGroup",
        _ => "Shared",
    };
    let sku = reserved(offer, catalog).map_or_else(|| offer.subject(), |sku| sku.sku.clone());
    let bought = || {
        let mut parameters = vec![
            ("sku.name", sku.clone()),
            ("term", term.clone()),
            ("billingPlan", plan.into()),
            ("appliedScopeType", applied.into()),
            ("appliedScope", order.scope.as_ref().map_or_else(String::new, scope)),
            ("displayName", order.results.first().map_or_else(String::new, |result| result.id.clone())),
        ];
        let quantity = order.quantity.normalize().to_string();
        if offer.is_spend_plan() {
            parameters.extend([("commitment.amount", quantity), ("commitment.grain", "Hourly".into())]);
        } else {
            parameters.extend([
                ("location", offer.region.clone()),
                ("quantity", quantity),
                ("reservedResourceType", offer.service.clone()),
            ]);
        }
        parameters
    };
    match order.operation {
        Operation::Buy if offer.is_spend_plan() => ("Microsoft.BillingBenefits/savingsPlanOrderAliases", bought()),
        Operation::Buy => ("Microsoft.Capacity/reservationOrders", bought()),
        Operation::Act(action) => {
            let mut parameters = vec![("reservationId", commitments(&order.gives)), ("returned", quantities(&order.gives))];
            let call = match action {
                Action::Refund => "Microsoft.Capacity/reservationOrders/return",
                Action::Exchange | Action::TradeIn => {
                    parameters.extend(bought());
                    "Microsoft.Capacity/exchange"
                }
                Action::StopRenewal => {
                    parameters.push(("renew", "false".into()));
                    "Microsoft.Capacity/reservationOrders/reservations (update)"
                }
                Action::Split => "Microsoft.Capacity/reservationOrders/split",
                Action::Merge => "Microsoft.Capacity/reservationOrders/merge",
                _ => {
                    parameters.extend(bought());
                    "Microsoft.Capacity/reservationOrders/reservations (update)"
                }
            };
            (call, parameters)
        }
    }
}

fn gcp(order: &Order, offer: &Offer, catalog: &Catalog) -> Call {
    let plan = if offer.term.nominal_months() >= 36 { "THIRTY_SIX_MONTH" } else { "TWELVE_MONTH" };
    let quantity = order.quantity.normalize().to_string();
    let project = match &order.scope {
        Some(Scope::Project { project }) => project.clone(),
        _ => order.account.clone(),
    };
    let resource = reserved(offer, catalog).map_or_else(|| offer.subject(), |sku| sku.sku.clone());
    let bought = || {
        vec![
            ("project", project.clone()),
            ("region", offer.region.clone()),
            ("plan", plan.into()),
            ("resources.type", resource.clone()),
            ("resources.amount", quantity.clone()),
            ("name", order.results.first().map_or_else(String::new, |result| result.id.clone())),
            ("autoRenew", "false".into()),
        ]
    };
    match order.operation {
        Operation::Buy if offer.is_spend_plan() => (
            "Cloud Billing: purchase of a spend-based commitment",
            vec![
                ("type", offer.subject()),
                ("region", offer.region.clone()),
                ("term", plan.into()),
                ("hourlyCommitment", quantity),
                ("billingAccount", order.account.clone()),
            ],
        ),
        Operation::Buy => ("compute.regionCommitments.insert", bought()),
        Operation::Act(action) => {
            let mut parameters = vec![("commitment", commitments(&order.gives)), ("quantity", quantities(&order.gives))];
            let call = match action {
                Action::StopRenewal => {
                    parameters.push(("autoRenew", "false".into()));
                    "compute.regionCommitments.update"
                }
                Action::Upgrade => {
                    parameters.push(("plan", plan.into()));
                    "compute.regionCommitments.update"
                }
                Action::Extend => {
                    parameters.push(("customEndTimestamp", order.end.map_or_else(String::new, |end| end.to_rfc3339())));
                    "compute.regionCommitments.update"
                }
                Action::Merge | Action::Split => {
                    parameters.extend(bought());
                    "compute.regionCommitments.insert"
                }
                _ => "Cloud Billing console",
            };
            (call, parameters)
        }
    }
}
