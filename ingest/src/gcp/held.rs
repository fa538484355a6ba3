//! Committed use discounts of a Google bill, from their fee rows: `Commitment v1: N2 Cpu in Americas for 1 Year` (resource-based), `Commitment -
//! dollar based v1: Cloud SQL ... for 1 year` (spend-based). When a commitment began is not on the bill.

use crate::error::Result;
use crate::held::{HeldCommitment, Subject};
use crate::session::Session;
use covermix::catalog::PaymentOption;
use covermix::catalog::gcp::description::{Overrides, subject};
use covermix::catalog::gcp::resource_sku;
use covermix::time::Term;
use covermix::usage::Provider;
use rust_decimal::Decimal;

/// Fees by commitment where the bill names it, else by project and SKU.
const QUERY: &str = "\
    SELECT subscription_id AS subscription, project_id AS project, sku_id, MAX(sku_description) AS description, \
    MAX(location_region) AS region, SUM(row_cost) AS fee, SUM(quantity) AS quantity, MAX(usage_unit) AS unit, \
    COUNT(DISTINCT start / 3600) AS hours, SUM(CASE WHEN finish > start THEN finish - start ELSE 3600 END) AS seconds \
    FROM (SELECT bill.*, usage_start_time AS start, usage_end_time AS finish, \
    CASE WHEN usage_unit = 'seconds' THEN over(usage_amount, 3600) WHEN usage_unit = 'byte-seconds' \
    THEN over(usage_amount, 3865470566400) ELSE COALESCE(pricing_amount, usage_amount) END AS quantity FROM bill) AS t \
    WHERE class = 'recurring_fee' GROUP BY subscription_id, project_id, sku_id ORDER BY subscription_id, project_id, sku_id";

/// The commitments of the bill.
pub(crate) async fn read(session: &Session) -> Result<Vec<HeldCommitment>> {
    let rows = session.query(QUERY).await?;
    let mut held = Vec::with_capacity(rows.len());
    for row in 0..rows.len() {
        let description = rows.text_at("description", row);
        let (subscription, project) = (rows.text_at("subscription", row), rows.text_at("project", row));
        let is_spend = description.to_ascii_lowercase().contains("dollar based");
        let hours = Decimal::from(rows.count_at("seconds", row)) / Decimal::from(3600);
        let per_hour = |amount: Decimal| (!hours.is_zero()).then(|| (amount / hours).round_dp(6).normalize());
        let quantity = rows.number_at("quantity", row).and_then(per_hour);
        let fee = rows.number_at("fee", row).and_then(per_hour);
        let id = if subscription.is_empty() { format!("{project}/{}", rows.text_at("sku_id", row)) } else { subscription };
        held.push(HeldCommitment {
            id,
            provider: Provider::Gcp,
            name: description.clone(),
            account: project,
            subject: if is_spend {
                Subject::Spend { plan: plan(&description) }
            } else {
                resource(&description, &rows.text_at("region", row))
            },
            offer: String::new(),
            quantity: if is_spend { quantity.or(fee) } else { quantity },
            is_normalised: false,
            start: None,
            end: None,
            term: term(&description),
            payment_option: Some(PaymentOption::NoUpfront),
            upfront: Some(Decimal::ZERO),
            recurring: fee.zip(quantity).filter(|(_, quantity)| !quantity.is_zero()).map(|(fee, quantity)| fee / quantity),
            zone: String::new(),
        });
    }
    Ok(held)
}

fn resource(description: &str, region: &str) -> Subject {
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

fn term(description: &str) -> Option<Term> {
    let text = description.to_ascii_lowercase();
    let years = text.rsplit_once(" for ")?.1.split(' ').next()?.parse::<u32>().ok()?;
    matches!(years, 1 | 3).then_some(Term::Months(years * 12))
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
        assert_eq!(plan("Commitment - dollar based v1: Cloud SQL database in Iowa for 1 year"), "Cloud SQL database");
    }
}
