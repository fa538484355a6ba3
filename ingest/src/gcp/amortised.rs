//! The used part of commitments' fees in Google's older data model, where covered usage costs nothing and the fee stands apart, used or not. In
//! the newer model of spend-based commitments usage carries its own cost and the fee is offset, so that nothing is left to do.
//!
//! Usage that commitments cover in part stands in one row: what they leave of it is on-demand usage.
//!
//! A fee row that names the SKU which used it (`goog-originating-sku-id`) is used; the other rows of that fee are not. Without those labels, a
//! resource-based fee is used as far as the committed quantity is covered, by region, series and resource; spend-based fees as far as all that was
//! committed in on-demand money is credited. Sources: Cloud Billing documentation, "Spend-based CUD data model updates", "Analyze the
//! effectiveness of your CUDs".

use super::QUANTITY;
use super::held::{IS_SPEND, has_consumption_models, on_demand_money, resource};
use crate::error::Result;
use crate::held::Subject;
use crate::money::ChargeMoney;
use crate::note::Note;
use crate::session::Session;
use covermix::catalog::gcp::description::subject;
use covermix::catalog::gcp::resource_sku;
use covermix::units::Money;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// A fee, summed over the bill.
struct Fee {
    fee: Decimal,
    committed: Option<Decimal>,
}

/// What the money of a bill's rows does not say by itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Amortised {
    /// How much of the fees was used.
    pub(crate) used: Money,
    /// What is on demand in rows that are covered in part.
    pub(crate) on_demand: ChargeMoney,
}

/// What was covered, and how much of the fees that used.
pub(crate) async fn read(session: &Session, notes: &mut Vec<Note>) -> Result<Amortised> {
    let (covered, on_demand) = covered(session).await?;
    Ok(Amortised { used: used(session, &covered, notes).await?, on_demand })
}

async fn used(session: &Session, covered: &BTreeMap<String, Decimal>, notes: &mut Vec<Note>) -> Result<Money> {
    let label = "CONCAT(json_get(tag_object, 'goog-originating-sku-id'), json_get(machine_labels, 'goog-originating-sku-id'))";
    let fees = session
        .query(&format!(
            "SELECT sku_description AS description, location_region AS region, CASE WHEN {IS_SPEND} THEN 1 ELSE 0 END AS is_spend, \
             SUM(row_cost) AS fee, SUM({QUANTITY}) AS quantity, MAX(conversion_rate) AS conversion, \
             SUM(CASE WHEN {label} <> '' THEN row_cost END) AS labelled FROM bill WHERE class = 'recurring_fee' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        ))
        .await?;
    if fees.len() == 0 {
        return Ok(Money::ZERO);
    }
    let is_legacy = !has_consumption_models(session).await?;
    let mut used = Decimal::ZERO;
    // Spend-based fees are under the empty key.
    let mut open: BTreeMap<String, Fee> = BTreeMap::new();
    for row in 0..fees.len() {
        let is_spend = fees.count_at("is_spend", row) == 1;
        let fee = fees.number_at("fee", row).unwrap_or_default();
        if is_spend && !is_legacy {
            continue;
        }
        if let Some(labelled) = fees.number_at("labelled", row) {
            used += labelled;
            continue;
        }
        let (description, region) = (fees.text_at("description", row), fees.text_at("region", row));
        let quantity = fees.number_at("quantity", row).filter(|quantity| !quantity.is_zero());
        let (key, committed) = match resource(&description, &region) {
            _ if is_spend => (String::new(), quantity.map(|cents| on_demand_money(cents, fees.number_at("conversion", row)))),
            Subject::Usage { sku } => (sku.to_string(), quantity),
            Subject::Spend { .. } | Subject::Unknown => (description.clone(), None),
        };
        if committed.is_none() {
            let what = "its fee is not amortised: the bill does not tell how much of it was used".to_owned();
            notes.push(Note::Inferred { commitment: description, what });
            continue;
        }
        let sum = open.entry(key).or_insert(Fee { fee: Decimal::ZERO, committed: Some(Decimal::ZERO) });
        sum.fee += fee;
        sum.committed = sum.committed.zip(committed).map(|(sum, committed)| sum + committed);
    }
    for (key, Fee { fee, committed }) in &open {
        let covered = covered.get(key).copied().unwrap_or_default();
        let share = committed.filter(|committed| !committed.is_zero()).map(|committed| (covered / committed).min(Decimal::ONE));
        used += fee * share.unwrap_or_default();
    }
    Ok(Money::new(used))
}

/// What commitments covered, quantities by resource and on-demand money of spend-based ones under the empty key; and what they left of those rows.
async fn covered(session: &Session) -> Result<(BTreeMap<String, Decimal>, ChargeMoney)> {
    let fields = |name: &str| super::MAPPING.field(name);
    let rows = session
        .query(&format!(
            "SELECT sku_description AS description, location_region AS region, SUM(row_cost) AS cost, SUM({QUANTITY}) AS quantity, \
             SUM(0 - credits_of(credit_list, 'COMMITTED_USAGE_DISCOUNT')) AS resource, \
             SUM(0 - credits_of(credit_list, 'COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE')) AS spend, \
             SUM(credits_of(credit_list, 'SUSTAINED_USAGE_DISCOUNT')) AS sustained, SUM(credits_of(credit_list, '')) AS credits, SUM({}) AS list, SUM({}) AS contracted \
             FROM bill WHERE class = 'covered' AND consumption_model IN ('', 'Default') GROUP BY 1, 2 ORDER BY 1, 2",
            fields("list"),
            fields("contracted")
        ))
        .await?;
    let mut covered: BTreeMap<String, Decimal> = BTreeMap::new();
    let mut on_demand = ChargeMoney::default();
    for row in 0..rows.len() {
        let number = |name: &str| rows.number_at(name, row).unwrap_or_default();
        let (cost, resource, spend) = (number("cost"), number("resource"), number("spend"));
        *covered.entry(String::new()).or_default() += spend;
        if cost.is_zero() {
            continue;
        }
        if let Some(subject) = subject(&rows.text_at("description", row), &super::overrides()) {
            // Commitments of a series cover its custom machines too.
            let series = subject.series.trim_end_matches(" custom");
            let sku = resource_sku(&rows.text_at("region", row), series, &subject.resource);
            *covered.entry(sku.to_string()).or_default() += number("quantity") * resource / cost;
        }
        let left = cost - resource - spend;
        let part = |of: Decimal| Money::new(of * left / cost);
        // Sustained use is of what no commitment covers; other credits are for both parts alike.
        let others = number("credits") + resource + spend - number("sustained");
        let effective = Money::new(left + number("sustained")) + part(others);
        on_demand.billed += effective;
        on_demand.effective += effective;
        on_demand.list += part(number("list"));
        on_demand.contracted += part(number("contracted"));
    }
    Ok((covered, on_demand))
}
