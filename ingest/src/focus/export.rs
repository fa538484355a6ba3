//! Bills made by [`covermix::billing`] as FOCUS files, and portfolios as ContractCommitment files of version 1.4: what a plan would be billed, in
//! the columns of the actual bill. Reading them back gives the same curves, portfolio and money.

use crate::aws::sku::{operation, usage_type};
use crate::error::{Error, Result};
use covermix::billing::focus::FocusRow;
use covermix::catalog::{Benefit, Catalog, PaymentOption};
use covermix::portfolio::Portfolio;
use covermix::usage::{Provider, UsageCurves};
use covermix::{Problem, error};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;

/// Writes rows as CSV, with the provider's own columns that make SKUs exact (`x_ServiceCode`, `x_UsageType`, `x_Operation` of AWS, instance type
/// and operating system elsewhere).
///
/// # Errors
/// [`Problem::InputOutput`] if the writer fails.
pub fn write_csv(rows: &[FocusRow], usage: &UsageCurves, output: impl Write) -> Result<()> {
    let lines: BTreeMap<String, usize> =
        usage.lines().iter().enumerate().map(|(index, line)| (line.to_string(), index)).collect();
    let mut writer = csv::Writer::from_writer(output);
    let own = ["x_ServiceCode", "x_UsageType", "x_Operation", "x_Tenancy", "SkuPriceDetails"];
    let mut headers: Vec<String> = Vec::new();
    for row in rows {
        let value = serde_json::to_value(row).map_err(|error| failed(error.into()))?;
        let Value::Object(cells) = value else { continue };
        if headers.is_empty() {
            headers = cells.keys().cloned().collect();
            let header = headers.iter().map(String::as_str).chain(own);
            writer.write_record(header).map_err(|error| failed(error.into()))?;
        }
        let cell = |name: &String| match cells.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let line = lines.get(&row.resource_id).map(|index| &usage.lines()[*index]);
        let details = match line {
            Some(line) if line.sku.provider == Provider::Aws => [
                line.sku.service.clone(),
                usage_type(line),
                operation(&line.sku.platform),
                line.sku.tenancy.clone(),
                String::new(),
            ],
            Some(line) if line.sku.service == covermix::catalog::azure::VIRTUAL_MACHINES => {
                let details = serde_json::json!({"InstanceType": line.sku.sku, "OperatingSystem": line.sku.platform});
                [String::new(), String::new(), String::new(), line.sku.tenancy.clone(), details.to_string()]
            }
            _ => Default::default(),
        };
        writer.write_record(headers.iter().map(cell).chain(details)).map_err(|error| failed(error.into()))?;
    }
    writer.flush().map_err(|error| failed(error.into()))
}

/// Writes the commitments of a portfolio as rows of the ContractCommitment dataset. `status` is their `LifecycleStatus`: `Active` for what is
/// held, `Proposed` for what a plan would buy.
///
/// # Errors
/// [`Problem::InputOutput`] if the writer fails, and as [`Portfolio::offer`].
pub fn write_contracts(portfolio: &Portfolio, catalog: &Catalog, status: &str, output: impl Write) -> Result<()> {
    let mut writer = csv::Writer::from_writer(output);
    let header = [
        "ContractId",
        "ContractCommitmentId",
        "ContractCommitmentCategory",
        "ContractCommitmentType",
        "ContractCommitmentDescription",
        "ContractCommitmentCost",
        "ContractCommitmentQuantity",
        "ContractCommitmentUnit",
        "ContractCommitmentPeriodStart",
        "ContractCommitmentPeriodEnd",
        "ContractCommitmentPaymentModel",
        "ContractCommitmentModel",
        "ContractCommitmentLifecycleStatus",
        "BillingCurrency",
    ];
    writer.write_record(header).map_err(|error| failed(error.into()))?;
    for commitment in portfolio.commitments() {
        let offer = portfolio.offer(catalog, commitment)?;
        let is_plan = matches!(offer.benefit, Benefit::SpendPlan { .. });
        let hours = offer.term.list_hours();
        let payment = match offer.payment_option {
            PaymentOption::AllUpfront => "All Upfront",
            PaymentOption::PartialUpfront => "Partial Upfront",
            _ => "No Upfront",
        };
        let quantity = (commitment.quantity * hours).normalize().to_string();
        let row = [
            commitment.account.clone(),
            commitment.id.clone(),
            if is_plan { "Spend" } else { "Usage" }.to_owned(),
            offer.service.clone(),
            format!("{}, {}, {}", offer.subject(), offer.term, offer.payment_option),
            if is_plan { quantity.clone() } else { String::new() },
            if is_plan { String::new() } else { quantity },
            if is_plan { catalog.currency() } else { "Hour" }.to_owned(),
            commitment.start.to_rfc3339(),
            commitment.end.to_rfc3339(),
            payment.to_owned(),
            "Continuous".to_owned(),
            status.to_owned(),
            catalog.currency().to_owned(),
        ];
        writer.write_record(&row).map_err(|error| failed(error.into()))?;
    }
    writer.flush().map_err(|error| failed(error.into()))
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    error::Error::from(Problem::InputOutput).caused_by(error).into()
}
