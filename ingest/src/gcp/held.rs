//! Committed use discounts of a Google bill, from their fee rows: `Commitment v1: N2 Cpu in Americas for 1 Year` (resource-based), `Commitment -
//! dollar based v1: Cloud SQL ... for 1 year` (spend-based). When a commitment began is not on the bill: the lists of [`super::commitments`] tell.
//!
//! Spend-based fees are in one of two data models (Cloud Billing documentation, "Spend-based CUD data model updates"). In the older one a fee's
//! quantity is in cents of on-demand money an hour, and its price one minus the discount; in the newer one a dollar is committed for a dollar.

use super::commitments::{Listed, merge};
use crate::error::Result;
use crate::held::{HeldCommitment, LEGACY, Subject};
use crate::note::Note;
use crate::session::Session;
use covermix::catalog::PaymentOption;
use covermix::catalog::gcp::description::{Overrides, subject};
use covermix::catalog::gcp::resource_sku;
use covermix::time::Term;
use covermix::usage::Provider;
use rust_decimal::Decimal;

/// The condition that a fee is of a spend-based commitment.
pub(super) const IS_SPEND: &str = "LOWER(sku_description) LIKE '%dollar based%'";

/// Whether spend-based commitments are in the data model of consumption models rather than that of credits.
const MODEL: &str = "\
    SELECT COUNT(*) AS lines FROM bill WHERE consumption_model NOT IN ('', 'Default') OR credits_of(credit_list, 'FEE_UTILIZATION_OFFSET') <> 0";

/// Fees by commitment where the bill names it; else resource-based ones by project and SKU, spend-based ones, which are the billing account's, by
/// SKU. A fee of an hour may be several rows, one for each project or SKU that it is attributed to.
fn query() -> String {
    format!(
        "SELECT subscription, project, sku_id, description, is_spend, MAX(billing_account) AS billing_account, MAX(region) AS region, \
         SUM(fee) AS fee, SUM(quantity) AS quantity, MAX(conversion) AS conversion, SUM(seconds) AS seconds FROM (\
         SELECT subscription_id AS subscription, CASE WHEN subscription_id <> '' OR {IS_SPEND} THEN '' ELSE project_id END AS project, \
         sku_id, sku_description AS description, CASE WHEN {IS_SPEND} THEN 1 ELSE 0 END AS is_spend, \
         MAX(billing_account_id) AS billing_account, MAX(location_region) AS region, SUM(row_cost) AS fee, SUM({quantity}) AS quantity, \
         MAX(conversion_rate) AS conversion, \
         MAX(CASE WHEN usage_end_time > usage_start_time THEN usage_end_time - usage_start_time ELSE 3600 END) AS seconds \
         FROM bill WHERE class = 'recurring_fee' GROUP BY 1, 2, 3, 4, 5, usage_start_time, usage_end_time) AS fees \
         GROUP BY subscription, project, sku_id, description, is_spend ORDER BY subscription, project, sku_id, description",
        quantity = super::QUANTITY
    )
}

/// Whether the bill has spend-based commitments in the data model of consumption models.
pub(super) async fn has_consumption_models(session: &Session) -> Result<bool> {
    Ok(session.query(MODEL).await?.count_at("lines", 0) > 0)
}

/// The commitments of the bill, with what the lists tell of them.
pub(crate) async fn read(session: &Session, listed: Vec<Listed>, notes: &mut Vec<Note>) -> Result<Vec<HeldCommitment>> {
    let is_legacy = !has_consumption_models(session).await?;
    let rows = session.query(&query()).await?;
    let mut held = Vec::with_capacity(rows.len());
    for row in 0..rows.len() {
        let description = rows.text_at("description", row);
        let (subscription, project) = (rows.text_at("subscription", row), rows.text_at("project", row));
        let is_spend = rows.count_at("is_spend", row) == 1;
        let hours = Decimal::from(rows.count_at("seconds", row)) / Decimal::from(3600);
        let per_hour = |amount: Decimal| (!hours.is_zero()).then(|| (amount / hours).round_dp(6).normalize());
        let fee = rows.number_at("fee", row).and_then(per_hour);
        let counted = rows.number_at("quantity", row).and_then(per_hour).filter(|quantity| !quantity.is_zero());
        let region = rows.text_at("region", row);
        let quantity = match (is_spend, is_legacy) {
            (false, _) => counted,
            // A dollar is a dollar.
            (true, false) => fee,
            (true, true) => counted.map(|cents| on_demand_money(cents, rows.number_at("conversion", row))),
        };
        let account = if is_spend || project.is_empty() { rows.text_at("billing_account", row) } else { project.clone() };
        let id = if subscription.is_empty() { format!("{account}/{}", rows.text_at("sku_id", row)) } else { subscription };
        held.push(HeldCommitment {
            id,
            provider: Provider::Gcp,
            name: description.clone(),
            account,
            subject: if is_spend {
                Subject::Spend { plan: format!("{}{}", plan(&description), if is_legacy { LEGACY } else { "" }) }
            } else {
                resource(&description, &region)
            },
            offer: rows.text_at("sku_id", row),
            quantity,
            is_normalised: false,
            start: None,
            end: None,
            term: term(&description),
            payment_option: Some(PaymentOption::NoUpfront),
            upfront: Some(Decimal::ZERO),
            recurring: fee.zip(quantity).map(|(fee, quantity)| fee / quantity),
            region,
            zone: String::new(),
        });
    }
    Ok(merge(held, listed, notes))
}

/// On-demand money of a quantity in US cents.
pub(super) fn on_demand_money(cents: Decimal, conversion: Option<Decimal>) -> Decimal {
    (cents * Decimal::new(1, 2) * conversion.unwrap_or(Decimal::ONE)).normalize()
}

/// What a resource-based commitment is of.
pub(super) fn resource(description: &str, region: &str) -> Subject {
    // Descriptions are written in lower case too.
    let words: Vec<String> = description
        .split(' ')
        .map(|word| match word.to_ascii_lowercase().as_str() {
            "cpu" => "Cpu".to_owned(),
            "ram" => "Ram".to_owned(),
            "commitment" => "Commitment".to_owned(),
            _ => word.to_owned(),
        })
        .collect();
    match subject(&words.join(" "), &Overrides::new()) {
        Some(subject) => Subject::Usage { sku: resource_sku(region, &subject.series, &subject.resource) },
        None => Subject::Unknown,
    }
}

/// What a spend-based commitment is for: the words between the colon and the region.
fn plan(description: &str) -> String {
    let body = description.split_once(':').map_or(description, |(_, body)| body).trim();
    let cut = [" in ", " for "].iter().filter_map(|word| body.find(word)).min().unwrap_or(body.len());
    body[..cut].to_owned()
}

/// The term that a description ends with: `for 1 Year`, `- 3 years`, `3 Yr`. Some name none.
fn term(description: &str) -> Option<Term> {
    let text = description.to_ascii_lowercase();
    let words: Vec<&str> = text.split([' ', '-', '(', ')']).filter(|word| !word.is_empty()).collect();
    let years = words.windows(2).rev().find(|pair| matches!(pair[1], "year" | "years" | "yr" | "yrs"))?[0];
    matches!(years, "1" | "3").then(|| Term::Months(if years == "1" { 12 } else { 36 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_tell_what_was_committed_to() {
        let Subject::Usage { sku } = resource("commitment v1: ram in americas for 3 year", "us-west1") else {
            panic!("no resource")
        };
        assert_eq!(sku.to_string(), "gcp/Compute Engine/us-west1/N1 memory/GiB-hour");
        assert_eq!(term("commitment v1: ram in americas for 3 year"), Some(Term::Months(36)));
        assert_eq!(term("Commitment v1: Cpu in Americas for 1 Year"), Some(Term::Months(12)));
        assert_eq!(term("Commitment - dollar based v1: Cloud Run - 3 Years"), Some(Term::Months(36)));
        assert_eq!(term("Commitment v1: N2 Cpu in Americas"), None);
        assert_eq!(plan("Commitment - dollar based v1: Cloud SQL database in Iowa for 1 year"), "Cloud SQL database");
    }
}
