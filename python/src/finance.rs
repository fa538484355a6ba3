//! Money and time. The functions that take series are typed; the others take and return JSON, by name, in the field names of the library's types.

use crate::error::Result;
use chrono::{DateTime, NaiveDate, Utc};
use covermix::finance::accounting::{Holding, Policy, plan_accounts};
use covermix::finance::agreement::{self, CountedBasis, Eligibility, SettlementRules, Tier};
use covermix::finance::amortisation::{Spread, Term, amortise};
use covermix::finance::commitment::{Commitment, plan_cash};
use covermix::finance::loan;
use covermix::finance::payment_option::{PaymentCase, PaymentOption, implied_prepayment_rate, rank};
use covermix::finance::sensitivity::{Assumption, Assumptions};
use covermix::finance::total_cost::{CostAssumptions, ProviderCost, compare};
use covermix::finance::variance::{self, CostLine, Drivers};
use covermix::finance::{self as money, AnnualRate, DayCount, FirstFlow, InternalRate, PaymentTiming};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Present value of equally spaced flows.
#[pyfunction]
pub(crate) fn npv(rate: f64, amounts: PyReadonlyArray1<'_, f64>, is_first_now: bool) -> Result<f64> {
    let first = if is_first_now { FirstFlow::Now } else { FirstFlow::AfterOnePeriod };
    Ok(money::npv(rate, &amounts.as_array().to_vec(), first)?)
}

/// Years from the first date to each, by a day count.
fn years(dates: &[NaiveDate], day_count: &str) -> Result<Vec<f64>> {
    let day_count: DayCount = serde_json::from_value(Value::from(day_count))?;
    let first = dates.iter().min().copied().ok_or(money::Error::Empty { what: "dates" })?;
    Ok(dates.iter().map(|date| day_count.years(first, *date)).collect())
}

/// Present value of dated flows on the earliest date.
#[pyfunction]
pub(crate) fn xnpv(rate: f64, dates: Vec<NaiveDate>, amounts: PyReadonlyArray1<'_, f64>, day_count: &str) -> Result<f64> {
    Ok(money::xnpv(rate, &years(&dates, day_count)?, &amounts.as_array().to_vec())?)
}

/// All rates, and the reason if there is none.
fn rates(rate: &InternalRate) -> (Vec<f64>, Option<String>) {
    let reason = match rate {
        InternalRate::None(reason) => Some(format!("{reason:?}")),
        InternalRate::Unique(_) | InternalRate::Multiple(_) => None,
    };
    (rate.all().to_vec(), reason)
}

/// Internal rates of equally spaced flows.
#[pyfunction]
pub(crate) fn irr(amounts: PyReadonlyArray1<'_, f64>) -> Result<(Vec<f64>, Option<String>)> {
    Ok(rates(&money::irr(&amounts.as_array().to_vec())?))
}

/// Internal rates of dated flows.
#[pyfunction]
pub(crate) fn xirr(
    dates: Vec<NaiveDate>,
    amounts: PyReadonlyArray1<'_, f64>,
    day_count: &str,
) -> Result<(Vec<f64>, Option<String>)> {
    Ok(rates(&money::xirr(&years(&dates, day_count)?, &amounts.as_array().to_vec())?))
}

/// A field of the arguments.
fn get<T: DeserializeOwned>(arguments: &mut Value, field: &str) -> Result<T> {
    let value = arguments.get_mut(field).map(Value::take).unwrap_or_default();
    Ok(serde_json::from_value(value)?)
}

/// A function of the library by its name; arguments and answer are JSON.
#[pyfunction]
pub(crate) fn finance(name: &str, arguments: &str) -> Result<String> {
    let mut given: Value = serde_json::from_str(arguments)?;
    let a = &mut given;
    let answer = match name {
        "mirr" => json!(money::mirr(&get::<Vec<f64>>(a, "amounts")?, get(a, "finance_rate")?, get(a, "reinvest_rate")?)?),
        "payback" => json!(money::discounted_payback(get(a, "rate")?, &get::<Vec<f64>>(a, "amounts")?)?),
        "break_even_utilisation" => json!(money::payback::break_even_utilisation(
            get(a, "discount")?,
            get(a, "upfront_share")?,
            get::<AnnualRate>(a, "wacc")?.per_month(),
            get(a, "months")?,
            get(a, "timing")?,
        )?),
        "break_even_months" => {
            json!(money::payback::break_even_months(get(a, "discount")?, get(a, "upfront_share")?, get(a, "months")?)?)
        }
        "payment" => json!(loan::payment(
            get(a, "rate")?,
            get(a, "periods")?,
            get(a, "present_value")?,
            get(a, "future_value")?,
            get(a, "timing")?
        )?),
        "future_value" => json!(loan::future_value(
            get(a, "rate")?,
            get(a, "periods")?,
            get(a, "payment")?,
            get(a, "present_value")?,
            get(a, "timing")?
        )?),
        "present_value" => json!(loan::present_value(
            get(a, "rate")?,
            get(a, "periods")?,
            get(a, "payment")?,
            get(a, "future_value")?,
            get(a, "timing")?
        )?),
        "rank_payment_options" => {
            json!(rank(&get::<Vec<PaymentOption>>(a, "options")?, &get::<PaymentCase>(a, "case")?, get(a, "wacc")?)?)
        }
        "implied_prepayment_rate" => json!(implied_prepayment_rate(
            &get::<PaymentOption>(a, "more_upfront")?,
            &get::<PaymentOption>(a, "less_upfront")?,
            get(a, "months")?,
            get::<PaymentTiming>(a, "timing")?,
        )?),
        "tornado" => {
            json!(get::<Assumptions>(a, "assumptions")?.tornado(&get::<Vec<(Assumption, f64, f64)>>(a, "swings")?)?)
        }
        "assumptions_npv" => json!(get::<Assumptions>(a, "assumptions")?.npv()?),
        "amortise" => of_schedule(a)?,
        "plan_cash" => json!(plan_cash(&get::<Vec<Commitment>>(a, "commitments")?)?),
        "accounts" => {
            let accounts = plan_accounts(&get::<Vec<Holding>>(a, "holdings")?, get::<Policy>(a, "policy")?)?;
            json!({"accounts": accounts.total, "journal": accounts.total.journal()})
        }
        "ledger" => json!(agreement::settle(
            &get::<Vec<Decimal>>(a, "minimums")?,
            &get::<Vec<Decimal>>(a, "spend")?,
            &get::<SettlementRules>(a, "rules")?,
        )?),
        "eligible_spend" => json!(agreement::eligible_spend(
            get(a, "service_fees")?,
            get(a, "marketplace")?,
            get(a, "minimum")?,
            get::<Eligibility>(a, "rule")?,
        )?),
        "tier_cost" => json!(agreement::tier_cost(get(a, "gross")?, get::<Tier>(a, "tier")?, get::<CountedBasis>(a, "basis")?)?),
        "indifference_spend" => json!(agreement::indifference_spend(get(a, "shallow")?, get(a, "deep")?)?),
        "total_cost" => json!(compare(&get::<Vec<ProviderCost>>(a, "providers")?, &get::<CostAssumptions>(a, "assumptions")?)?),
        "bridge" => json!(variance::bridge(&get::<Drivers>(a, "budget")?, &get::<Drivers>(a, "actual")?)?),
        "variance" => json!(variance::split(&get::<Vec<CostLine>>(a, "budget")?, &get::<Vec<CostLine>>(a, "actual")?)?),
        other => return Err(covermix::Problem::Value { value: other.into(), expected: "a function of finance" }.into()),
    };
    Ok(answer.to_string())
}

/// The expense of a fee by month, with what is prepaid at the end of each.
fn of_schedule(a: &mut Value) -> Result<Value> {
    let start: DateTime<Utc> = get(a, "start")?;
    let term = match (get::<Option<DateTime<Utc>>>(a, "end")?, get::<Option<u32>>(a, "days")?, get::<Option<u32>>(a, "months")?) {
        (Some(end), None, None) => Term::new(start, end)?,
        (None, Some(days), None) => Term::of_days(start, days)?,
        (None, None, Some(months)) => Term::of_months(start, months)?,
        _ => return Err(covermix::Problem::Value { value: "the term".into(), expected: "one of end, days or months" }.into()),
    };
    let schedule = amortise(get::<Decimal>(a, "fee")?, &term, get::<Spread>(a, "spread")?, get(a, "decimals")?)?;
    Ok(json!(schedule.roll_forward()))
}
