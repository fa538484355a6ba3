//! Cases about one commitment: its worth, break-even, amortisation, purchase rows, buy-out and breakage.

use crate::dispatch::{amounts, float, known, rates};
use crate::inputs::{Inputs, Read, number};
use chrono::Datelike;
use covermix::finance::amortisation::{Spread, Term, amortise};
use covermix::finance::payment_option::{PaymentCase, PaymentOption, implied_prepayment_rate};
use covermix::finance::{
    AnnualRate, Error, FirstFlow, Payback, PaymentTiming, discounted_payback, irr, loan, npv, payback, unit_economics,
};
use serde_json::{Map, Value, json};

pub(crate) fn option(inputs: Inputs<'_>, discount: &[&str], upfront: &[&str]) -> Read<PaymentOption> {
    Ok(PaymentOption {
        name: discount[0].into(),
        discount: inputs.number(discount)?,
        upfront_share: inputs.number_or(upfront, 1.0)?,
    })
}

pub(crate) fn prepayment(inputs: Inputs<'_>) -> Read<Value> {
    let (a, b) = (option(inputs, &["discount_a"], &["upfront_share_a"])?, option(inputs, &["discount_b"], &["upfront_share_b"])?);
    let text = inputs.get(&["timing"]).and_then(Value::as_str).unwrap_or_default();
    let timing = if text.contains("advance") { PaymentTiming::Begin } else { PaymentTiming::End };
    Ok(rates(implied_prepayment_rate(&a, &b, inputs.count(&["months", "term_months"])?, timing), |rate| rate))
}

/// Monthly net flows (month 0 first) and total cost of a commitment, from any of the ways a case states it.
pub(crate) fn commitment_flows(inputs: Inputs<'_>) -> Read<(Vec<f64>, f64)> {
    if inputs.has(&["hours_per_month"]) {
        let hours = inputs.numbers(&["hours_per_month"])?;
        let used = inputs.number(&["on_demand_per_hour_used", "on_demand_per_hour"])?;
        let (upfront, fee) =
            (inputs.number_or(&["upfront"], 0.0)?, inputs.number_or(&["hourly_fee", "recurring_per_hour"], 0.0)?);
        let flows = std::iter::once(-upfront).chain(hours.iter().map(|hours| hours * (used - fee))).collect();
        return Ok((flows, upfront + fee * hours.iter().sum::<f64>()));
    }
    let months = inputs.count(&["months", "term_months"])?;
    let monthly = inputs.number_or(&["on_demand_monthly", "committed_on_demand_monthly"], 1.0)?;
    let utilisation = inputs.number_or(&["utilisation", "utilization", "use"], 1.0)?;
    if inputs.has(&["cash_flow"]) {
        let pair = inputs.numbers(&["cash_flow"])?;
        let [first, then] = pair[..] else {
            return Err("cash_flow is not a pair".into());
        };
        let flows = std::iter::once(first).chain((0..months).map(|_| then)).collect();
        return Ok((flows, f64::from(months) * (monthly - then) - first));
    }
    let option = option(inputs, &["discount"], &["upfront_share"])?;
    let case = PaymentCase { on_demand_monthly: monthly, months, utilisation, timing: PaymentTiming::End };
    let flows = option.flows(&case).map_err(|error| error.to_string())?;
    Ok((flows, option.payments(&case).map_err(|error| error.to_string())?.iter().sum()))
}

pub(crate) fn against_on_demand(inputs: Inputs<'_>) -> Read<Value> {
    let uses = inputs.get(&["utilisation", "utilization", "use"]).filter(|value| value.is_array());
    if let Some(list) = uses.and_then(Value::as_array) {
        let mut answers = Vec::new();
        for share in list {
            let mut one = inputs.0.clone();
            one["utilisation"] = share.clone();
            answers.push(against_on_demand(Inputs(&one))?["npv"].clone());
        }
        return Ok(json!({"npv": answers}));
    }
    let (flows, cost) = commitment_flows(inputs)?;
    let value =
        |wacc: f64| npv(AnnualRate::Effective(wacc).per_month(), &flows, FirstFlow::Now).map_err(|error| error.to_string());
    let given = inputs.need(&["wacc_effective", "wacc", "rate"])?;
    let npvs = match given.as_array() {
        Some(list) => json!(list.iter().map(|wacc| value(number(wacc).unwrap_or(f64::NAN))).collect::<Read<Vec<f64>>>()?),
        None => json!(value(number(given).ok_or("the rate is not a number")?)?),
    };
    Ok(json!({"npv": npvs, "total_cost": cost, "irr_annual": rates(irr(&flows), covermix::finance::rate::annual_from_monthly)}))
}

pub(crate) fn break_even_months(inputs: Inputs<'_>, expected: &Value) -> Read<Value> {
    let rate = inputs.wacc()?.per_month();
    let flows = if inputs.has(&["amounts", "upfront"]) && !inputs.has(&["discount"]) && !inputs.has(&["hours_per_month"]) {
        if inputs.has(&["amounts"]) {
            amounts(inputs)?
        } else {
            let net = inputs.number(&["monthly_saving", "net_monthly", "monthly_savings", "saving_per_month"])?;
            std::iter::once(-inputs.number(&["upfront"])?).chain((0..600).map(|_| net)).collect()
        }
    } else {
        commitment_flows(inputs)?.0
    };
    let simple = payback(&flows).map_err(|error| error.to_string())?;
    let discounted = discounted_payback(rate, &flows).map_err(|error| error.to_string())?;
    let months = |found, whole_only| match found {
        Payback::Immediate => json!(0),
        Payback::After { whole, .. } if whole_only => json!(whole),
        Payback::After { periods, .. } => json!(periods),
        Payback::Never => Value::Null,
    };
    if expected.is_object() {
        let (undiscounted, discounted) = (months(simple, false), months(discounted, true));
        return Ok(
            json!({"undiscounted": undiscounted, "simple": undiscounted, "months": undiscounted, "break_even_months": undiscounted,
            "discounted": discounted, "discounted_months": discounted, "months_discounted": discounted}),
        );
    }
    if rate == 0.0 {
        return Ok(months(simple, false));
    }
    Ok(months(discounted, true))
}

pub(crate) fn break_even_utilisation(inputs: Inputs<'_>, expected: &Value) -> Read<Value> {
    let (discount, share) = (inputs.number(&["discount"])?, inputs.number_or(&["upfront_share"], 1.0)?);
    let rate = inputs.wacc()?.per_month();
    let months = if inputs.has(&["months", "term_months"]) { inputs.count(&["months", "term_months"])? } else { 12 };
    let of = |rate| covermix::finance::payback::break_even_utilisation(discount, share, rate, months, PaymentTiming::End);
    if expected.is_object() {
        return Ok(json!({"undiscounted": known(of(0.0))?, "simple": known(of(0.0))?, "discounted": known(of(rate))?}));
    }
    known(of(rate))
}

pub(crate) fn schedule(inputs: Inputs<'_>) -> Read<Value> {
    let start = inputs.instant(&["start", "start_date"])?;
    let text = |error: Error| error.to_string();
    let term = if inputs.has(&["term_days", "days"]) {
        Term::of_days(start, inputs.count(&["term_days", "days"])?).map_err(text)?
    } else if inputs.has(&["end"]) {
        Term::new(start, inputs.instant(&["end"])?).map_err(text)?
    } else {
        Term::of_months(start, inputs.count(&["term_months", "months"])?).map_err(text)?
    };
    let method = inputs.get(&["method", "spread"]).and_then(Value::as_str).unwrap_or_default();
    let spread = if method.contains("month") { Spread::ByMonth } else { Spread::BySecond };
    let schedule = amortise(inputs.decimal(&["fee", "price", "upfront"])?, &term, spread, None).map_err(text)?;
    let mut answer = Map::new();
    answer.insert("rows".into(), json!(schedule.expense().len()));
    for (month, expense) in schedule.expense() {
        answer.insert(month.format("%Y-%m").to_string(), json!(float(*expense)));
    }
    for (year, expense) in schedule.by_fiscal_year(1).map_err(text)? {
        answer.insert(format!("fy{year}"), json!(float(expense)));
        if let Some(end) = chrono::NaiveDate::from_ymd_opt(year + 1, 1, 1) {
            answer.insert(format!("prepaid_{year}_end"), json!(float(schedule.prepaid_before(end))));
            if year == start.year() {
                let split = schedule.prepaid_split(end).map_err(text)?;
                answer.insert("current".into(), json!(float(split.current)));
                answer.insert("non_current".into(), json!(float(split.non_current)));
            }
        }
    }
    Ok(Value::Object(answer))
}

pub(crate) fn purchase_rows(inputs: Inputs<'_>) -> Read<Value> {
    let (hourly, hours) = (inputs.number(&["hourly_commit", "hourly_commitment"])?, inputs.number(&["hours"])?);
    let share = inputs.number_or(&["upfront_share"], 0.0)?;
    let per_hour = hourly * (1.0 - share);
    Ok(
        json!({"one_time": hourly * hours * share, "recurring_per_hour": per_hour, "recurring_per_month_mean": per_hour * hours / 12.0}),
    )
}

pub(crate) fn buy_out(inputs: Inputs<'_>, expected: &Value) -> Read<Value> {
    let payment = inputs.number(&["monthly_payment", "monthly", "payment", "pmt", "remaining_monthly", "monthly_cost"])?;
    let months = inputs.number(&["months", "remaining_months", "months_left", "nper"])?;
    let effective = inputs.has(&["wacc_effective", "rate_effective", "annual_effective"]);
    let rate = if effective {
        inputs.wacc()?
    } else {
        AnnualRate::NominalMonthly(inputs.number(&[
            "rate",
            "annual_rate",
            "discount_rate",
            "annual",
            "annual_nominal",
            "rate_nominal",
            "nominal_annual",
            "wacc",
        ])?)
    };
    let value = loan::buy_out(payment, rate, months, inputs.timing()).map_err(|error| error.to_string())?;
    let fee = inputs.number_or(&["penalty", "fee", "termination_fee", "premium"], 0.0)?;
    if !expected.is_object() {
        return Ok(json!(value + fee));
    }
    let total = payment * months;
    Ok(json!({
        "pv": value, "present_value": value, "buyout": value + fee, "buy_out": value + fee, "total": total, "total_remaining": total,
        "remaining": total, "undiscounted": total, "saving": total - value - fee, "savings": total - value - fee, "discount": total - value,
    }))
}

pub(crate) fn breakage(inputs: Inputs<'_>) -> Read<Value> {
    let price = inputs.number(&[
        "price_per_hour",
        "rate_per_hour",
        "rate",
        "price",
        "hourly_rate",
        "committed_rate",
        "rate_per_gpu_hour",
    ])?;
    let unused = if inputs.has(&["unused_hours", "hours_unused"]) {
        inputs.number(&["unused_hours", "hours_unused"])?
    } else {
        let hours = inputs.number(&["hours", "committed_hours", "reserved_hours", "gpu_hours"])?;
        if inputs.has(&["used_hours", "hours_used"]) {
            hours - inputs.number(&["used_hours", "hours_used"])?
        } else {
            hours * (1.0 - inputs.number(&["utilisation", "utilization"])?)
        }
    };
    let resale = if inputs.has(&["resale_share", "resale_fraction", "recovery"]) {
        price * inputs.number(&["resale_share", "resale_fraction", "recovery"])?
    } else {
        inputs.number_or(&["resale_per_hour", "resale", "resale_rate", "resale_price"], 0.0)?
    };
    known(unit_economics::breakage(unused, price, resale))
}
