//! Savings Plans held, from their hourly fee rows (SavingsPlanRecurringFee, also there for plans paid all upfront) and the rates that covered
//! usage was charged at.
//!
//! Columns: Cost and Usage Report User Guide, "Savings Plans details". `TotalCommitmentToDate` of a fee row is, in spite of its name, the
//! commitment of the row's own period: amortised upfront part plus recurring part.

use super::Note;
use super::reservations::{exclusive_end, term};
use super::sku::{Words, sku};
use crate::error::{Error, Result};
use crate::session::{Rows, Session, decimal, instant};
use chrono::{DateTime, Utc};
use covermix::catalog::aws::{COMPUTE_PLAN, EC2_INSTANCE_PLAN};
use covermix::catalog::{Benefit, Catalog, Offer, PaymentOption, ScopeKind};
use covermix::portfolio::{Commitment, Scope};
use covermix::time::Term;
use covermix::units::{Money, MoneyPerHour, UnitPrice};
use covermix::usage::{Provider, Sku};
use datafusion::arrow::array::Array;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// A Savings Plan, as the bill describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldSavingsPlan {
    /// Its ARN.
    pub arn: String,
    /// The account that owns it.
    pub account: String,
    /// Its type as the catalog names plans: `Compute`, `EC2Instance`, or the bill's own name of another type.
    pub plan: String,
    /// The region it is limited to; empty if it is not.
    pub region: String,
    /// The family it is limited to; empty if it is not.
    pub family: String,
    /// The commitment for every hour.
    pub commitment: MoneyPerHour,
    /// The share of it that was paid upfront, 0 to 1.
    pub upfront_share: Decimal,
    /// When it is paid.
    pub payment_option: PaymentOption,
    /// When it starts.
    pub start: DateTime<Utc>,
    /// When it ends: the first instant without it.
    pub end: DateTime<Utc>,
    /// The term it was bought for.
    pub term: Term,
    /// The rates on the bill of the SKUs it covered.
    pub rates: BTreeMap<Sku, UnitPrice>,
}

const PLANS: &str = "\
    SELECT savings_plan_savings_plan_a_r_n AS arn, MIN(line_item_usage_account_id) AS account, MAX(savings_plan_offering_type) AS plan, \
    MAX(line_item_usage_type) AS usage_type, MAX(savings_plan_region) AS region, MAX(savings_plan_instance_type_family) AS family, \
    MAX(LOWER(savings_plan_payment_option)) AS option, MAX(LOWER(savings_plan_purchase_term)) AS length, \
    MIN(savings_plan_start_time) AS start, MAX(savings_plan_end_time) AS finish, \
    SUM(CASE WHEN class = 'plan_recurring' THEN savings_plan_total_commitment_to_date END) AS commitment, \
    SUM(CASE WHEN class = 'plan_recurring' THEN savings_plan_amortized_upfront_commitment_for_billing_period END) AS upfront, \
    SUM(CASE WHEN class = 'plan_recurring' THEN savings_plan_recurring_commitment_for_billing_period END) AS recurring, \
    SUM(CASE WHEN class = 'plan_recurring' THEN line_item_unblended_cost END) AS cost, \
    SUM(CASE WHEN class = 'plan_recurring' THEN COALESCE(line_item_usage_end_date - line_item_usage_start_date, 3600) END) AS seconds, \
    SUM(CASE WHEN class = 'plan_upfront' THEN line_item_unblended_cost END) AS upfront_fee \
    FROM bill WHERE class IN ('plan_recurring', 'plan_upfront') GROUP BY savings_plan_savings_plan_a_r_n ORDER BY arn";

const RATES: &str = "\
    SELECT savings_plan_savings_plan_a_r_n AS arn, line_item_product_code AS product, line_item_usage_type AS usage_type, \
    line_item_operation AS operation, product_tenancy AS tenancy, product_region AS region, line_item_availability_zone AS zone, \
    CASE WHEN product_database_engine <> '' THEN product_database_engine ELSE product_cache_engine END AS engine, \
    pricing_unit AS unit, MAX(savings_plan_savings_plan_rate) AS rate \
    FROM bill WHERE class IN ('instance_plan', 'service_plan') AND savings_plan_savings_plan_rate > 0 \
    GROUP BY savings_plan_savings_plan_a_r_n, product, usage_type, operation, tenancy, region, zone, engine, unit \
    ORDER BY arn, product, usage_type, operation, tenancy, region, zone, engine, unit";

/// The Savings Plans of the bill, by ARN.
pub(super) async fn read(session: &Session, notes: &mut Vec<Note>) -> Result<Vec<HeldSavingsPlan>> {
    let rows = session.query(PLANS).await?;
    if rows.len() == 0 {
        return Ok(Vec::new());
    }
    let mut rates = read_rates(session).await?;
    let mut plans = Vec::with_capacity(rows.len());
    for row in 0..rows.len() {
        plans.extend(plan(&rows, row, &mut rates, notes)?);
    }
    Ok(plans)
}

async fn read_rates(session: &Session) -> Result<BTreeMap<String, BTreeMap<Sku, UnitPrice>>> {
    let rows = session.query(RATES).await?;
    let [arn, product, usage_type, operation] = ["arn", "product", "usage_type", "operation"].map(|name| rows.text(name));
    let [tenancy, region, zone, engine, unit] = ["tenancy", "region", "zone", "engine", "unit"].map(|name| rows.text(name));
    let rate = rows.numbers("rate");
    let mut rates: BTreeMap<String, BTreeMap<Sku, UnitPrice>> = BTreeMap::new();
    for row in 0..rows.len() {
        let words = Words {
            product: product.value(row),
            usage_type: usage_type.value(row),
            operation: operation.value(row),
            tenancy: tenancy.value(row),
            region: region.value(row),
            availability_zone: zone.value(row),
            engine: engine.value(row),
            unit: unit.value(row),
            account: "",
        };
        if let Some(rate) = decimal(&rate, row) {
            rates.entry(arn.value(row).to_owned()).or_default().insert(sku(words), UnitPrice::new(rate));
        }
    }
    Ok(rates)
}

fn plan(
    rows: &Rows,
    row: usize,
    rates: &mut BTreeMap<String, BTreeMap<Sku, UnitPrice>>,
    notes: &mut Vec<Note>,
) -> Result<Option<HeldSavingsPlan>> {
    let text = |name: &str| -> String {
        let column = rows.text(name);
        if column.is_null(row) { String::new() } else { column.value(row).to_owned() }
    };
    let number = |name: &str| decimal(&rows.numbers(name), row);
    let arn = text("arn");
    let bad = |field: &'static str, problem: &str| Error::Commitment {
        commitment: if arn.is_empty() { format!("`{}`", text("usage_type")) } else { arn.clone() },
        field,
        problem: problem.to_owned(),
    };
    if arn.is_empty() {
        return Err(bad("savingsPlan/SavingsPlanARN", "the fee names no Savings Plan"));
    }
    let start = instant(&rows.integers("start"), row).ok_or_else(|| bad("savingsPlan/StartTime", "the start is not given"))?;
    let last = instant(&rows.integers("finish"), row).ok_or_else(|| bad("savingsPlan/EndTime", "the end is not given"))?;
    let end = exclusive_end(start, last);
    let term = term(&text("length"), start, end);
    let stated = match text("option").replace(' ', "").as_str() {
        "noupfront" => Some(PaymentOption::NoUpfront),
        "partialupfront" => Some(PaymentOption::PartialUpfront),
        "allupfront" => Some(PaymentOption::AllUpfront),
        _ => None,
    };
    let hours = rows.integers("seconds");
    let hours = if hours.is_null(row) { Decimal::ZERO } else { Decimal::from(hours.value(row)) / Decimal::from(3600) };
    let parts = || Some(number("upfront")? + number("recurring").or_else(|| number("cost"))?);
    let total = number("commitment").filter(|total| !total.is_zero()).or_else(parts).or_else(|| number("cost"));
    let total = total.filter(|total| *total > Decimal::ZERO && hours > Decimal::ZERO);
    let (commitment, upfront_share) = match (total, number("upfront_fee"), stated) {
        (Some(total), _, _) => {
            let usual = match stated {
                Some(PaymentOption::AllUpfront) => Decimal::ONE,
                Some(PaymentOption::PartialUpfront) => Decimal::new(5, 1),
                _ => Decimal::ZERO,
            };
            (total / hours, number("upfront").map_or(usual, |upfront| upfront / total))
        }
        (None, Some(fee), Some(PaymentOption::AllUpfront)) if fee > Decimal::ZERO => (fee / term.list_hours(), Decimal::ONE),
        _ => {
            notes.push(Note::LeftOut { commitment: arn, why: "the bill does not tell its commitment an hour".into() });
            return Ok(None);
        }
    };
    let payment_option = stated.unwrap_or_else(|| {
        notes.push(Note::Inferred { commitment: arn.clone(), what: "the payment option is inferred from the fees".into() });
        by_share(upfront_share)
    });
    let rates = rates.remove(&arn).unwrap_or_default();
    let plan = plan_name(&format!("{} {}", text("plan"), text("usage_type")), &text("plan"));
    let is_limited = plan == EC2_INSTANCE_PLAN;
    let used = rates.keys().next();
    let or_used =
        |stated: String, used: Option<String>| if stated.is_empty() && is_limited { used.unwrap_or_default() } else { stated };
    let region = or_used(text("region"), used.map(|sku| sku.region.clone()));
    Ok(Some(HeldSavingsPlan {
        region: if is_limited { region } else { String::new() },
        family: or_used(text("family"), used.map(|sku| covermix::catalog::aws::family(&sku.sku).to_owned())),
        account: text("account"),
        commitment: MoneyPerHour::new(commitment.round_dp(10).normalize()),
        upfront_share: upfront_share.round_dp(10).normalize(),
        arn,
        plan,
        payment_option,
        start,
        end,
        term,
        rates,
    }))
}

fn by_share(share: Decimal) -> PaymentOption {
    if share.is_zero() {
        PaymentOption::NoUpfront
    } else if share >= Decimal::ONE {
        PaymentOption::AllUpfront
    } else {
        PaymentOption::PartialUpfront
    }
}

/// The catalog's name of a plan type (`ComputeSavingsPlans`, usage type `ComputeSP:1yrNoUpfront`).
fn plan_name(words: &str, offering_type: &str) -> String {
    let letters: String = words.chars().filter(char::is_ascii_alphanumeric).collect();
    if letters.contains("EC2Instance") {
        EC2_INSTANCE_PLAN.into()
    } else if letters.contains("Compute") {
        COMPUTE_PLAN.into()
    } else {
        offering_type.strip_suffix("SavingsPlans").unwrap_or(offering_type).into()
    }
}

/// Offers and commitments of the plans. Rates are those of the bill, for other SKUs those of the catalog's plan of the same kind.
pub(super) fn hold(plans: &[HeldSavingsPlan], catalog: &Catalog, offers: &mut Vec<Offer>, commitments: &mut Vec<Commitment>) {
    for plan in plans {
        let listed = catalog.offers().iter().find_map(|offer| {
            let Benefit::SpendPlan { plan: name, family, rates } = &offer.benefit else { return None };
            let is_same = *name == plan.plan
                && *family == plan.family
                && offer.region == plan.region
                && offer.term == plan.term
                && offer.payment_option == plan.payment_option;
            is_same.then_some(rates)
        });
        let derived = if listed.is_some() { "rates of SKUs that the bill does not show are the catalog's" } else { "" };
        let mut rates = listed.cloned().unwrap_or_default();
        for (sku, rate) in &plan.rates {
            match catalog.price(sku) {
                Some(price) => drop(rates.insert(price.id.clone(), *rate)),
                None => tracing::warn!(arn = plan.arn, %sku, "rate left out: the catalog has no price"),
            }
        }
        let id = format!("held/{}", plan.arn);
        offers.push(Offer {
            id: id.clone(),
            provider: Provider::Aws,
            service: format!("{}SavingsPlans", plan.plan),
            region: plan.region.clone(),
            benefit: Benefit::SpendPlan { plan: plan.plan.clone(), family: plan.family.clone(), rates },
            term: plan.term,
            payment_option: plan.payment_option,
            upfront: Money::new(plan.upfront_share * plan.term.list_hours()),
            recurring: MoneyPerHour::new(Decimal::ONE - plan.upfront_share),
            scopes: BTreeSet::from([ScopeKind::Shared]),
            // The days in which a plan can be returned are over when its fees stand on a bill.
            rights: BTreeSet::new(),
            purchasable_from: None,
            purchasable_until: None,
            lot: None,
            provider_id: String::new(),
            origin: covermix::catalog::Origin::default(),
            derived: derived.into(),
        });
        commitments.push(Commitment {
            id: plan.arn.clone(),
            offer: id,
            quantity: plan.commitment.value(),
            start: plan.start,
            end: plan.end,
            account: plan.account.clone(),
            scope: Scope::Shared,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plan_types_have_the_catalogs_names() {
        assert_eq!(plan_name("ComputeSavingsPlans ComputeSP:1yrNoUpfront", "ComputeSavingsPlans"), "Compute");
        assert_eq!(plan_name("EC2InstanceSavingsPlans ", "EC2InstanceSavingsPlans"), "EC2Instance");
        assert_eq!(plan_name(" USE2-EC2InstanceSP:m5.1yrNoUpfront", ""), "EC2Instance");
        assert_eq!(plan_name("SageMakerSavingsPlans ", "SageMakerSavingsPlans"), "SageMaker");
    }
}
