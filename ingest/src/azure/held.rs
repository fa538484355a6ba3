//! Reservations and savings plans of an Azure export: from the purchases of actual cost, or from the covered and unused rows of amortised cost.
//!
//! `ProductOrderName` tells what was bought: "Reserved VM Instance, Standard_DS1_v2, US East, 1 Year"; "Compute savings plan, 3 Years" (Cost
//! Management documentation, "Reservation purchases and amortisation in cost details").

use super::region;
use crate::error::Result;
use crate::held::{HeldCommitment, Subject};
use crate::session::Session;
use chrono::{DateTime, NaiveDateTime, Utc};
use covermix::catalog::PaymentOption;
use covermix::catalog::azure::{LINUX, machine_sku};
use covermix::time::Term;
use covermix::usage::Provider;
use rust_decimal::Decimal;

const QUERY: &str = "\
    SELECT commitment, MAX(product_order_name) AS product, MAX(term) AS term, MAX(reservation_name) AS name, \
    MAX(LOWER(frequency)) AS frequency, MIN(CASE WHEN class = 'upfront_fee' THEN usage_date END) AS bought, \
    SUM(CASE WHEN class IN ('upfront_fee', 'recurring_fee') THEN row_cost END) AS fee, \
    MAX(CASE WHEN class IN ('upfront_fee', 'recurring_fee') THEN row_quantity END) AS quantity, \
    MAX(CASE WHEN class = 'upfront_fee' THEN 1 ELSE 0 END) AS is_upfront, \
    COUNT(DISTINCT CASE WHEN class = 'recurring_fee' THEN usage_date END) AS payments, \
    MAX(CASE WHEN class IN ('upfront_fee', 'recurring_fee') THEN subscription_id ELSE '' END) AS account, \
    MAX(CASE WHEN pricing_model = 'SavingsPlan' OR LOWER(commitment) LIKE '%microsoft.billingbenefits%' THEN 1 ELSE 0 END) AS is_plan, \
    SUM(CASE WHEN class = 'covered' THEN row_cost END) AS used, SUM(CASE WHEN class = 'unused' THEN row_cost END) AS unused, \
    COUNT(DISTINCT CASE WHEN class IN ('covered', 'unused') AND row_cost <> 0 THEN usage_date END) AS days \
    FROM (SELECT *, CASE WHEN benefit_id <> '' THEN benefit_id ELSE reservation_id END AS commitment FROM bill) AS t \
    WHERE class IN ('upfront_fee', 'recurring_fee', 'covered', 'unused') AND commitment <> '' GROUP BY commitment ORDER BY commitment";

/// The commitments of the bill.
pub(crate) async fn read(session: &Session) -> Result<Vec<HeldCommitment>> {
    let rows = session.query(QUERY).await?;
    let mut held = Vec::with_capacity(rows.len());
    for row in 0..rows.len() {
        let (product, name) = (rows.text_at("product", row), rows.text_at("name", row));
        let is_plan = rows.count_at("is_plan", row) == 1;
        let fee = rows.number_at("fee", row);
        let is_upfront = rows.count_at("is_upfront", row) == 1;
        let term = term(&rows.text_at("term", row), &product);
        let number = rows.number_at("quantity", row).filter(|quantity| *quantity > Decimal::ZERO);
        let payments = Decimal::from(rows.count_at("payments", row).max(1));
        // A month's payment of one.
        let one = fee.zip(number).map(|(fee, number)| fee / number / if is_upfront { Decimal::ONE } else { payments });
        let days = Decimal::from(rows.count_at("days", row));
        let amortised = rows.number_at("used", row).unwrap_or_default() + rows.number_at("unused", row).unwrap_or_default();
        let hourly = (!days.is_zero() && !amortised.is_zero()).then(|| amortised / (days * Decimal::from(24)));
        let start = rows.instant_at("bought", row).or_else(|| start_in_name(&name));
        held.push(HeldCommitment {
            id: rows.text_at("commitment", row),
            provider: Provider::Azure,
            name: if product.is_empty() { name } else { product.clone() },
            account: rows.text_at("account", row),
            subject: if is_plan { Subject::Spend { plan: "Compute".into() } } else { subject(&product) },
            offer: String::new(),
            // Of a plan, the money an hour; of reservations, how many.
            quantity: if is_plan { hourly.map(|hourly| hourly.round_dp(6).normalize()) } else { number },
            is_normalised: false,
            start,
            end: start.zip(term).map(|(start, term)| term.end(start)),
            term,
            payment_option: fee.map(|_| if is_upfront { PaymentOption::AllUpfront } else { PaymentOption::NoUpfront }),
            upfront: one.filter(|_| is_upfront),
            recurring: one.filter(|_| !is_upfront).map(|month| month / Decimal::from(730)),
            region: String::new(),
            zone: String::new(),
        });
    }
    Ok(held)
}

/// What a reservation is of.
fn subject(product: &str) -> Subject {
    let parts: Vec<&str> = product.split(',').map(str::trim).collect();
    match parts.as_slice() {
        ["Reserved VM Instance", size, place, ..] => Subject::Usage { sku: machine_sku(&region(place), size, LINUX) },
        _ => Subject::Unknown,
    }
}

/// Months in the column (`12`, `36`, `P1Y`), else years at the end of the product.
fn term(column: &str, product: &str) -> Option<Term> {
    let months = match column.trim() {
        "12" | "P1Y" | "1 Year" => Some(12),
        "36" | "P3Y" | "3 Years" => Some(36),
        "60" | "P5Y" => Some(60),
        "1" | "P1M" => Some(1),
        _ => None,
    };
    let years = || product.rsplit(',').next()?.trim().split(' ').next()?.parse::<u32>().ok().filter(|years| *years <= 5);
    months.or_else(|| years().map(|years| years * 12)).map(Term::Months)
}

/// Names that Azure proposes hold the time of purchase: `VM_RI_06-21-2023_18-56`.
fn start_in_name(name: &str) -> Option<DateTime<Utc>> {
    let time = name.split_once("_RI_").or_else(|| name.split_once("_SP_")).map(|(_, time)| time)?;
    NaiveDateTime::parse_from_str(time, "%m-%d-%Y_%H-%M").ok().map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_tell_what_was_bought() {
        let text = "Reserved VM Instance, Standard_B1s, UK South, 3 Years";
        let Subject::Usage { sku } = subject(text) else { panic!("not a machine") };
        assert_eq!(sku.to_string(), "azure/Virtual Machines/uksouth/Standard_B1s/Linux/shared/instance-hour");
        assert_eq!(
            (term("36", text), term("", text), term("", "Compute savings plan, 1 Year")),
            (Some(Term::Months(36)), Some(Term::Months(36)), Some(Term::Months(12)))
        );
        assert_eq!(subject("Compute savings plan, 3 Years"), Subject::Unknown);
    }

    #[test]
    fn default_names_tell_the_time_of_purchase() {
        assert_eq!(start_in_name("VM_RI_06-21-2023_18-56").unwrap().to_rfc3339(), "2023-06-21T18:56:00+00:00");
        assert_eq!(start_in_name("my reservation"), None);
    }
}
