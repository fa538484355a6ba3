//! The columns of the Cost and Usage Report that are used, legacy and 2.0.
//!
//! Names: AWS Data Exports User Guide, "Data dictionary". Columns come and go with what an account uses, so few are required. In version 2.0
//! most attributes of the product are keys of one column.

use crate::columns::{Column, Kind, optional, rare, required};

const NO_RESERVATION: &str = "Reserved Instances, if the bill has any, cannot be described by it";
const NO_PLAN: &str = "Savings Plans, if the bill has any, cannot be described by it";

/// Every column used.
pub(super) const COLUMNS: [Column; 54] = [
    required("line_item_line_item_type", &["lineItem/LineItemType"], Kind::Text),
    required("line_item_usage_start_date", &["lineItem/UsageStartDate"], Kind::Time),
    required("line_item_usage_account_id", &["lineItem/UsageAccountId"], Kind::Text),
    required("line_item_product_code", &["lineItem/ProductCode"], Kind::Text),
    required("line_item_usage_type", &["lineItem/UsageType"], Kind::Text),
    required("line_item_operation", &["lineItem/Operation"], Kind::Text),
    required("line_item_usage_amount", &["lineItem/UsageAmount"], Kind::Number),
    required("line_item_unblended_cost", &["lineItem/UnblendedCost"], Kind::Number),
    optional(
        "identity_line_item_id",
        &["identity/LineItemId"],
        Kind::Text,
        "line items given twice within a file cannot be found",
    ),
    optional(
        "identity_time_interval",
        &["identity/TimeInterval"],
        Kind::Text,
        "line items given twice are found by their start alone",
    ),
    optional("bill_billing_period_start_date", &["bill/BillingPeriodStartDate"], Kind::Time, "months are those of the usage"),
    optional("line_item_usage_end_date", &["lineItem/UsageEndDate"], Kind::Time, "rows of more than an hour cannot be found"),
    optional("line_item_availability_zone", &["lineItem/AvailabilityZone"], Kind::Text, "zonal reservations cannot be matched"),
    optional(
        "line_item_resource_id",
        &["lineItem/ResourceId"],
        Kind::Text,
        "line items given twice are told apart by fewer columns",
    ),
    optional("line_item_currency_code", &["lineItem/CurrencyCode"], Kind::Text, "the catalog's currency is assumed"),
    optional("line_item_unblended_rate", &["lineItem/UnblendedRate"], Kind::Number, "rates are cost divided by amount"),
    optional(
        "line_item_line_item_description",
        &["lineItem/LineItemDescription"],
        Kind::Text,
        "free-tier usage counts as on-demand",
    ),
    optional(
        "product_region",
        &["product/region", "product_region_code"],
        Kind::Text,
        "regions are read from usage types and availability zones alone",
    )
    .within(&[("product", "region")]),
    optional("product_tenancy", &["product/tenancy"], Kind::Text, "tenancy is read from usage types")
        .within(&[("product", "tenancy")]),
    optional("product_database_engine", &["product/databaseEngine"], Kind::Text, "database engines are read from operations")
        .within(&[("product", "database_engine")]),
    optional("product_cache_engine", &["product/cacheEngine"], Kind::Text, "cache engines are read from operations")
        .within(&[("product", "cache_engine")]),
    optional("product_offering_class", &["product/OfferingClass"], Kind::Text, "offering classes are read from usage rows alone")
        .within(&[("product", "offering_class")]),
    optional(
        "pricing_public_on_demand_rate",
        &["pricing/publicOnDemandRate"],
        Kind::Number,
        "public on-demand rates and free-tier usage are not known",
    ),
    optional("pricing_unit", &["pricing/unit"], Kind::Text, "units of services other than EC2 are empty"),
    optional("pricing_offering_class", &["pricing/OfferingClass"], Kind::Text, "offering classes are inferred from prices"),
    optional("pricing_purchase_option", &["pricing/PurchaseOption"], Kind::Text, "payment options are inferred from fees"),
    optional(
        "pricing_lease_contract_length",
        &["pricing/LeaseContractLength"],
        Kind::Text,
        "terms are inferred from start and end",
    ),
    optional("reservation_reservation_a_r_n", &["reservation/ReservationARN"], Kind::Text, NO_RESERVATION),
    optional("reservation_number_of_reservations", &["reservation/NumberOfReservations"], Kind::Number, NO_RESERVATION),
    optional("reservation_start_time", &["reservation/StartTime"], Kind::Time, NO_RESERVATION),
    optional("reservation_end_time", &["reservation/EndTime"], Kind::Time, NO_RESERVATION),
    optional(
        "reservation_availability_zone",
        &["reservation/AvailabilityZone"],
        Kind::Text,
        "every reservation counts as regional",
    ),
    optional(
        "reservation_upfront_value",
        &["reservation/UpfrontValue"],
        Kind::Number,
        "reservations count as bought without upfront fee",
    ),
    optional("savings_plan_savings_plan_a_r_n", &["savingsPlan/SavingsPlanARN"], Kind::Text, NO_PLAN),
    optional(
        "savings_plan_savings_plan_rate",
        &["savingsPlan/SavingsPlanRate"],
        Kind::Number,
        "rates of Savings Plans are the catalog's",
    ),
    optional("savings_plan_offering_type", &["savingsPlan/OfferingType"], Kind::Text, NO_PLAN),
    optional("savings_plan_payment_option", &["savingsPlan/PaymentOption"], Kind::Text, NO_PLAN),
    optional("savings_plan_purchase_term", &["savingsPlan/PurchaseTerm"], Kind::Text, NO_PLAN),
    optional("savings_plan_region", &["savingsPlan/Region"], Kind::Text, "regions of Savings Plans are those of their usage"),
    optional(
        "savings_plan_instance_type_family",
        &["savingsPlan/InstanceTypeFamily"],
        Kind::Text,
        "families of Savings Plans are those of their usage",
    ),
    optional("savings_plan_start_time", &["savingsPlan/StartTime"], Kind::Time, NO_PLAN),
    optional("savings_plan_end_time", &["savingsPlan/EndTime"], Kind::Time, NO_PLAN),
    optional("savings_plan_total_commitment_to_date", &["savingsPlan/TotalCommitmentToDate"], Kind::Number, NO_PLAN),
    optional(
        "savings_plan_amortized_upfront_commitment_for_billing_period",
        &["savingsPlan/AmortizedUpfrontCommitmentForBillingPeriod"],
        Kind::Number,
        "the upfront share of Savings Plans is that of their payment option",
    ),
    optional(
        "savings_plan_recurring_commitment_for_billing_period",
        &["savingsPlan/RecurringCommitmentForBillingPeriod"],
        Kind::Number,
        "the recurring part of Savings Plans is what their upfront part leaves",
    ),
    rare("line_item_usage_account_name", &["lineItem/UsageAccountName"], Kind::Text),
    rare("bill_billing_entity", &["bill/BillingEntity"], Kind::Text),
    rare("pricing_public_on_demand_cost", &["pricing/publicOnDemandCost"], Kind::Number),
    rare("reservation_effective_cost", &["reservation/EffectiveCost"], Kind::Number),
    rare("reservation_unused_recurring_fee", &["reservation/UnusedRecurringFee"], Kind::Number),
    rare(
        "reservation_unused_amortized_upfront_fee_for_billing_period",
        &["reservation/UnusedAmortizedUpfrontFeeForBillingPeriod"],
        Kind::Number,
    ),
    rare("savings_plan_savings_plan_effective_cost", &["savingsPlan/SavingsPlanEffectiveCost"], Kind::Number),
    optional(
        "savings_plan_used_commitment",
        &["savingsPlan/UsedCommitment"],
        Kind::Number,
        "all of a Savings Plan's commitment counts as unused in amortised cost",
    ),
    rare("tag_object", &["resource_tags", "tags"], Kind::Text),
];
