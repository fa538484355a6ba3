//! From the name of a function and its inputs to its answer as JSON.

use crate::inputs::{Inputs, Read, date, decimal};
use crate::{Outcome, commitments, units};
use covermix::finance::agreement::{
    self, CarryLifetime, CarryOver, CountedBasis, CreditCounting, Eligibility, LedgerYear, SettlementRules, ShortfallRule, Tier,
};
use covermix::finance::cash_flow::CashFlow;
use covermix::finance::indicators::{self, Basis, ChargeCategory, ChargeRow, Pricing, SpotUse};
use covermix::finance::rate::{annuity_factor, discount_factors};
use covermix::finance::variance::{Drivers, QuantityRate, bridge, price_volume};
use covermix::finance::{
    AnnualRate, CashFlows, Error, FirstFlow, InternalRate, Payback, PaymentTiming, discounted_payback, irr, loan, mirr, npv,
    payback, unit_economics, xnpv,
};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Value, json};

/// The answer of `function`, if finance has it. `expected` only tells which of several figures are asked for.
pub(crate) fn answer(function: &str, inputs: &Value, expected: &Value) -> Outcome {
    let inputs = Inputs(inputs);
    let found = match function {
        "npv_end_of_period" | "npv_excel" => periodic(inputs, FirstFlow::AfterOnePeriod),
        "npv_start_at_zero" | "npv" | "npv_numpy" => periodic(inputs, FirstFlow::Now),
        "xnpv" => dated_npv(inputs),
        "irr" | "irr_all_roots" | "irr_outcome" => roots(inputs, |rate| rate),
        "irr_annualised_x12" => roots(inputs, |rate| 12.0 * rate),
        "irr_annualised" | "irr_annualised_effective" => roots(inputs, covermix::finance::rate::annual_from_monthly),
        "xirr" | "xirr_all_roots" => dated(inputs),
        "mirr" => modified(inputs),
        "pmt" => annuity(inputs, "pmt"),
        "fv" => annuity(inputs, "fv"),
        "pv" => annuity(inputs, "pv"),
        "annual_to_monthly_effective" | "monthly_rate" => {
            annual(inputs).map(|rate| json!(AnnualRate::Effective(rate).per_month()))
        }
        "annual_to_monthly_nominal" => annual(inputs).map(|rate| json!(AnnualRate::NominalMonthly(rate).per_month())),
        "monthly_to_annual_effective" => {
            inputs.number(&["monthly", "rate"]).map(|rate| json!(covermix::finance::rate::annual_from_monthly(rate)))
        }
        "discount_factors"
        | "discount_factor"
        | "mean_discount_factor"
        | "mean_discount_factors"
        | "discount_factor_mean"
        | "annuity_factor" => factors(function, inputs, expected),
        "payback" | "payback_months" | "discounted_payback" => paid_back(function, inputs),
        "implied_prepayment_rate" => commitments::prepayment(inputs),
        "commitment_npv_vs_on_demand" => commitments::against_on_demand(inputs),
        "break_even_months" | "breakeven_months" | "commitment_break_even_months" => {
            commitments::break_even_months(inputs, expected)
        }
        "break_even_utilisation" | "breakeven_utilisation" | "break_even_utilization" => {
            commitments::break_even_utilisation(inputs, expected)
        }
        "amortise" | "amortize" => commitments::schedule(inputs),
        "purchase_rows" => commitments::purchase_rows(inputs),
        "buyout" | "buy_out" | "buyout_pv" | "reservation_buyout" | "buyout_value" => commitments::buy_out(inputs, expected),
        "breakage" | "gpu_breakage" | "reservation_breakage" | "commitment_breakage" => commitments::breakage(inputs),
        "cost_optimisation_index" | "cost_optimization_index" | "coin" => both(
            inputs.number(&["total_cost", "cost", "spend"]),
            inputs
                .numbers(&["opportunities", "open_opportunities"])
                .or_else(|_| inputs.number(&["opportunities", "open_opportunity", "opportunity"]).map(|one| vec![one])),
        )
        .and_then(|(cost, open)| known(unit_economics::cost_optimisation_index(cost, &open))),
        "forecast_accuracy" | "forecast_variance" | "forecast_accuracy_signed" | "forecast_variance_signed" => {
            both(inputs.number(&["forecast"]), inputs.number(&["actual"]))
                .and_then(|(forecast, actual)| known(unit_economics::forecast_accuracy(forecast, actual)))
        }
        "budget_variance" | "budget_vs_forecast_variance" => {
            both(inputs.number(&["budget"]), inputs.number(&["forecast", "actual"]))
                .and_then(|(budget, forecast)| known(unit_economics::budget_variance(budget, forecast)))
        }
        "implied_forward_price" | "forward_price" | "break_even_forward_price" => forward(inputs, expected),
        "net_price" | "net_price_multiplicative" => net_price(inputs, expected),
        "price_volume_variance" => price_and_volume(inputs),
        "variance_bridge" | "rate_variance_bridge" | "cost_bridge" => steps(inputs),
        "focus_commitment_kpis" | "focus_kpis" | "commitment_kpis" => indicators_of(inputs, expected),
        "esr_decomposition" | "effective_savings_rate_from_components" | "esr_from_components" | "savings_from_components" => {
            components(inputs)
        }
        "net_savings" | "net_savings_from_components" => net_savings(inputs),
        "eligible_spend" => eligible(inputs, expected),
        "agreement_ledger" => ledger(inputs, expected),
        "agreement_cost" => tiers(inputs),
        other => return units::answer(other, inputs, expected),
    };
    match found {
        Ok(value) => Outcome::Answer(value),
        Err(problem) => Outcome::Unreadable(problem),
    }
}

fn both<A, B>(left: Read<A>, right: Read<B>) -> Read<(A, B)> {
    Ok((left?, right?))
}

/// A refusal of the library is the answer "no figure".
pub(crate) fn known(value: Result<f64, Error>) -> Read<Value> {
    Ok(value.map_or(Value::Null, |value| json!(value)))
}

pub(crate) fn float(value: Decimal) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}

pub(crate) fn amounts(inputs: Inputs<'_>) -> Read<Vec<f64>> {
    if inputs.has(&["first"]) && inputs.has(&["then"]) {
        let (first, then) = (inputs.number(&["first"])?, inputs.number(&["then"])?);
        return Ok(std::iter::once(first).chain((0..inputs.count(&["times"])?).map(|_| then)).collect());
    }
    inputs.numbers(&["amounts", "cash_flows", "values", "flows"])
}

fn annual(inputs: Inputs<'_>) -> Read<f64> {
    inputs.number(&["annual", "annual_rate", "rate", "wacc"])
}

fn periodic(inputs: Inputs<'_>, first: FirstFlow) -> Read<Value> {
    known(npv(inputs.number(&["rate"])?, &amounts(inputs)?, first))
}

pub(crate) fn rates(found: Result<InternalRate, Error>, transform: impl Fn(f64) -> f64) -> Value {
    found.map_or(Value::Null, |found| json!(found.map(transform).all()))
}

fn roots(inputs: Inputs<'_>, transform: impl Fn(f64) -> f64) -> Read<Value> {
    Ok(rates(irr(&amounts(inputs)?), transform))
}

fn flows(inputs: Inputs<'_>) -> Read<CashFlows> {
    let dates = inputs.dates()?;
    let list = inputs.need(&["amounts", "values"])?.as_array().ok_or("amounts is not a list")?;
    if list.len() != dates.len() {
        return Err(format!("{} dates but {} amounts", dates.len(), list.len()));
    }
    dates
        .into_iter()
        .zip(list)
        .map(|(date, amount)| Ok(CashFlow { date, amount: decimal(amount).ok_or_else(|| format!("{amount} is no amount"))? }))
        .collect()
}

fn dated(inputs: Inputs<'_>) -> Read<Value> {
    Ok(rates(flows(inputs)?.xirr(inputs.day_count()?), |rate| rate))
}

fn dated_npv(inputs: Inputs<'_>) -> Read<Value> {
    known(flows(inputs)?.xnpv(AnnualRate::Effective(inputs.number(&["rate"])?), inputs.day_count()?))
}

fn modified(inputs: Inputs<'_>) -> Read<Value> {
    known(mirr(&amounts(inputs)?, inputs.number(&["finance_rate"])?, inputs.number(&["reinvest_rate", "reinvestment_rate"])?))
}

fn annuity(inputs: Inputs<'_>, wanted: &str) -> Read<Value> {
    let (rate, periods, timing) = (inputs.number(&["rate"])?, inputs.number(&["nper", "periods"])?, inputs.timing());
    let (pv, fv) = (inputs.number_or(&["pv"], 0.0)?, inputs.number_or(&["fv"], 0.0)?);
    known(match wanted {
        "pmt" => loan::payment(rate, periods, pv, fv, timing),
        "fv" => loan::future_value(rate, periods, inputs.number(&["pmt", "payment"])?, pv, timing),
        _ => loan::present_value(rate, periods, inputs.number(&["pmt", "payment"])?, fv, timing),
    })
}

fn factors(function: &str, inputs: Inputs<'_>, expected: &Value) -> Read<Value> {
    let months = inputs.count(&["months", "periods", "nper", "n"])?;
    let monthly = if inputs.has(&["monthly_rate", "rate_per_period"]) {
        inputs.number(&["monthly_rate", "rate_per_period"])?
    } else {
        inputs.wacc()?.per_month()
    };
    let of = |timing| discount_factors(monthly, months, timing).map_err(|error| error.to_string());
    let mean = |timing| Ok::<_, String>(of(timing)?.iter().sum::<f64>() / f64::from(months));
    if expected.is_array() {
        return Ok(json!(of(inputs.timing())?));
    }
    if function == "annuity_factor" {
        return known(annuity_factor(monthly, months, inputs.timing()));
    }
    if expected.is_object() {
        let (end, begin) = (mean(PaymentTiming::End)?, mean(PaymentTiming::Begin)?);
        return Ok(
            json!({"arrears": end, "advance": begin, "mean_arrears": end, "mean_advance": begin, "in_arrears": end, "in_advance": begin}),
        );
    }
    Ok(json!(mean(inputs.timing())?))
}

fn paid_back(function: &str, inputs: Inputs<'_>) -> Read<Value> {
    let flows = amounts(inputs)?;
    let rate = inputs.number_or(&["rate"], 0.0)?;
    let found = if function == "discounted_payback" { discounted_payback(rate, &flows) } else { payback(&flows) };
    Ok(match found.map_err(|error| error.to_string())? {
        Payback::Immediate => json!(0),
        Payback::After { periods, .. } => json!(periods),
        Payback::Never => Value::Null,
    })
}

fn forward(inputs: Inputs<'_>, expected: &Value) -> Read<Value> {
    let short = inputs.number(&["price_1y", "p1", "one_year", "one_year_price", "short_price", "rate_1y", "price_1_year"])?;
    let long = inputs.number(&["price_3y", "p3", "three_year", "three_year_price", "long_price", "rate_3y", "price_3_year"])?;
    let (years, more) = (inputs.number_or(&["short_years"], 1.0)?, inputs.number_or(&["long_years"], 3.0)?);
    let price = unit_economics::implied_forward_price(short, years, long, more).map_err(|error| error.to_string())?;
    if let Some(keys) = expected.as_object().map(Map::keys) {
        let fall = |key: &str| ["fall", "cut", "drop", "decline"].iter().any(|word| key.contains(word));
        return Ok(Value::Object(
            keys.map(|key| (key.clone(), json!(if fall(key) { 1.0 - price / short } else { price }))).collect(),
        ));
    }
    Ok(json!(price))
}

fn net_price(inputs: Inputs<'_>, expected: &Value) -> Read<Value> {
    let price = inputs.number(&["on_demand", "list", "price", "list_price", "od"])?;
    let discounts = if inputs.has(&["discounts"]) {
        inputs.numbers(&["discounts"])?
    } else {
        vec![
            inputs.number_or(&["plan_discount", "plan", "commitment_discount"], 0.0)?,
            inputs.number_or(&["agreement_discount", "agreement", "edp_discount", "ea_discount"], 0.0)?,
        ]
    };
    let net = unit_economics::net_price(price, &discounts);
    Ok(if expected.is_object() { json!({"net": net, "net_price": net, "price": net}) } else { json!(net) })
}

fn price_and_volume(inputs: Inputs<'_>) -> Read<Value> {
    let side = |name: &str| {
        let side = inputs.object(&[name])?;
        Ok::<_, String>(QuantityRate {
            quantity: side.decimal(&["hours", "quantity", "units", "volume"])?,
            rate: side.decimal(&["rate", "price"])?,
        })
    };
    let found = price_volume(side("budget")?, side("actual")?).map_err(|error| error.to_string())?;
    Ok(json!({"volume": float(found.volume), "rate": float(found.rate), "total": float(found.total)}))
}

fn steps(inputs: Inputs<'_>) -> Read<Value> {
    let side = |name: &[&str]| {
        let side = inputs.object(name)?;
        Ok::<_, String>(Drivers {
            volume: side.decimal(&["volume", "quantity", "hours", "q", "Q", "V"])?,
            list_price: side.decimal_or(&["list_price", "price", "p", "list"], Decimal::ONE)?,
            agreement_discount: side.decimal_or(&["agreement_discount", "agreement", "n", "negotiated"], Decimal::ZERO)?,
            coverage: side.decimal_or(&["coverage", "v", "c"], Decimal::ZERO)?,
            utilisation: side.decimal_or(&["utilisation", "utilization", "u"], Decimal::ONE)?,
            plan_discount: side.decimal_or(&["plan_discount", "discount", "d"], Decimal::ZERO)?,
        })
    };
    let found = bridge(&side(&["budget", "from", "base"])?, &side(&["actual", "to"])?).map_err(|error| error.to_string())?;
    let mut answer = Map::new();
    let mut list = Vec::new();
    for (driver, effect) in &found.effects {
        let name = serde_json::to_value(driver).unwrap_or_default();
        answer.insert(name.as_str().unwrap_or_default().into(), json!(float(*effect)));
        list.push(float(*effect));
    }
    let (budget, actual) = (float(found.budget), float(found.actual));
    for (name, value) in [("budget", budget), ("from", budget), ("actual", actual), ("to", actual), ("total", actual - budget)] {
        answer.insert(name.into(), json!(value));
    }
    for (alias, name) in [("price", "list_price"), ("agreement_discount", "agreement"), ("discount", "plan_discount")] {
        answer.insert(alias.into(), answer[name].clone());
    }
    answer.insert("effects".into(), json!(list));
    answer.insert("steps".into(), json!(list));
    Ok(Value::Object(answer))
}

fn charge_rows(inputs: Inputs<'_>) -> Read<Vec<ChargeRow>> {
    let columns: Vec<&str> = inputs
        .get(&["columns"])
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let rows = inputs.need(&["rows"])?.as_array().ok_or("rows is not a list")?;
    rows.iter()
        .map(|row| {
            let cell = |name: &str| match row {
                Value::Array(cells) => columns.iter().position(|column| *column == name).and_then(|index| cells.get(index)),
                other => other.get(name),
            };
            let text = |name: &str| cell(name).and_then(Value::as_str).unwrap_or_default();
            let money = |name: &str| cell(name).and_then(decimal);
            let category = match text("ChargeCategory") {
                "Usage" | "" => ChargeCategory::Usage,
                "Purchase" => ChargeCategory::Purchase,
                "Tax" => ChargeCategory::Tax,
                "Credit" => ChargeCategory::Credit,
                _ => ChargeCategory::Adjustment,
            };
            let pricing = match (text("CommitmentDiscountStatus"), text("PricingCategory")) {
                ("Used", _) | ("", "Committed") => Pricing::CommitmentUsed,
                ("Unused", _) => Pricing::CommitmentUnused,
                (_, "Dynamic" | "Spot") => Pricing::Spot,
                (_, "Other") => Pricing::Other,
                _ => Pricing::Standard,
            };
            let list_cost = money("ListCost").ok_or("a row without ListCost")?;
            let effective_cost = money("EffectiveCost").ok_or("a row without EffectiveCost")?;
            Ok(ChargeRow {
                month: cell("BillingPeriodStart").and_then(date).unwrap_or_default(),
                category,
                pricing,
                eligible: true,
                list_cost,
                contracted_cost: money("ContractedCost").unwrap_or(list_cost),
                billed_cost: money("BilledCost").unwrap_or(effective_cost),
                effective_cost,
            })
        })
        .collect()
}

/// Every figure asked for, recognised by the words of its name ("esr_contracted_no_spot").
fn indicators_of(inputs: Inputs<'_>, expected: &Value) -> Read<Value> {
    let found = indicators::indicators(&charge_rows(inputs)?).map_err(|error| error.to_string())?;
    let figure = |key: &str| {
        let name = key.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if says(&["esr", "savings_rate"]) {
            let basis = if says(&["contract"]) { Basis::Contracted } else { Basis::List };
            let spot =
                if says(&["spot", "dynamic"]) && !says(&["with_spot", "incl"]) { SpotUse::Excluded } else { SpotUse::Included };
            Some(found.effective_savings_rates[&(basis, spot)])
        } else if says(&["util"]) {
            Some(found.utilisation)
        } else if says(&["cover"]) {
            Some(if says(&["effective", "spend", "cost", "kpi"]) { found.spend_covered } else { found.coverage })
        } else if says(&["waste", "unused"]) {
            Some(if says(&["rate", "share", "pct", "percent"]) { found.waste_rate } else { Some(found.waste) })
        } else if says(&["ode", "on_demand"]) {
            Some(Some(found.on_demand_equivalent))
        } else if says(&["cost"]) {
            Some(Some(found.effective_cost))
        } else {
            None
        }
    };
    let keys = expected.as_object().ok_or("the expected figures are not an object")?.keys();
    Ok(Value::Object(keys.filter_map(|key| Some((key.clone(), json!(figure(key)?.map(float))))).collect()))
}

fn components(inputs: Inputs<'_>) -> Read<Value> {
    if !inputs.has(&["coverage", "v"]) {
        return net_savings(inputs);
    }
    let coverage = inputs.number(&["coverage", "v"])?;
    let utilisation = inputs.number_or(&["utilisation", "utilization", "u"], 1.0)?;
    known(indicators::effective_savings_rate(coverage, utilisation, inputs.number(&["discount", "d", "plan_discount"])?))
}

/// Savings of covered use less unused commitment (and fees), an amount.
fn net_savings(inputs: Inputs<'_>) -> Read<Value> {
    let fees = inputs.number_or(&["fees", "fee", "cost_to_achieve", "tool_cost"], 0.0)?;
    let unused = inputs.number_or(&["unused", "unused_cost", "waste", "unused_commitment"], 0.0)?;
    if inputs.has(&["on_demand_equivalent", "on_demand", "ode"]) {
        let cost = inputs.number(&["actual_cost", "cost", "effective_cost", "amortised_cost", "commitment_cost"])?;
        return Ok(json!(inputs.number(&["on_demand_equivalent", "on_demand", "ode"])? - cost - unused - fees));
    }
    Ok(json!(inputs.number(&["gross_savings", "savings", "covered_savings"])? - unused - fees))
}

fn eligible(inputs: Inputs<'_>, expected: &Value) -> Read<Value> {
    let minimum = inputs.get(&["commit", "minimum", "annual_minimum", "annual_commit", "commitment"]).and_then(decimal);
    let caps = [
        "marketplace_cap_share_of_commit",
        "marketplace_cap_share",
        "marketplace_cap",
        "marketplace_cap_share_of_minimum",
        "cap_share",
    ];
    let rule = Eligibility {
        marketplace_weight: inputs.decimal_or(&["marketplace_weight", "weight"], Decimal::ONE)?,
        marketplace_cap_share: inputs.get(&caps).and_then(decimal),
    };
    let fees = inputs.decimal(&["net_service_fees", "service_fees", "net_fees", "services", "spend"])?;
    let marketplace = inputs.decimal_or(&["marketplace", "marketplace_fees", "marketplace_spend"], Decimal::ZERO)?;
    let found = agreement::eligible_spend(fees, marketplace, minimum, rule).map_err(|error| error.to_string())?;
    Ok(if expected.is_object() {
        json!({"counted_marketplace": float(found.counted_marketplace), "marketplace_counted": float(found.counted_marketplace),
            "eligible": float(found.eligible), "counted": float(found.eligible), "shortfall": float(found.shortfall)})
    } else {
        json!(float(found.eligible))
    })
}

/// A list of amounts, or one amount as often as there are others.
fn yearly(inputs: Inputs<'_>, names: &[&str], years: usize) -> Read<Vec<Decimal>> {
    match inputs.need(names)? {
        Value::Array(list) => {
            list.iter().map(|value| decimal(value).ok_or_else(|| format!("{} holds {value}", names[0]))).collect()
        }
        one => decimal(one).map(|one| vec![one; years]).ok_or_else(|| format!("{} is not a decimal", names[0])),
    }
}

/// The clauses, told by the names and words of the inputs; periods at the end without deferral follow from "first n years".
fn clauses(inputs: Inputs<'_>, years: usize) -> Read<SettlementRules> {
    let text = inputs.0.to_string().to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let is = |names: &[&str]| inputs.get(names).and_then(Value::as_bool);
    let fields: Vec<&String> = inputs.0.as_object().map(|object| object.keys().collect()).unwrap_or_default();
    let deferral = fields.iter().find(|name| name.contains("deferral") || name.contains("defer_share"));
    let shortfall = if let Some(amount) = inputs.get(&["relief_amount", "relief"]).and_then(decimal) {
        ShortfallRule::Relief { amount }
    } else if let Some(name) = deferral {
        let share = decimal(&inputs.0[name.as_str()]).ok_or_else(|| format!("{name} is not a decimal"))?;
        let words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
        let first = name
            .split('_')
            .find_map(|word| word.parse().ok().or_else(|| words.iter().position(|known| *known == word).map(|index| index + 1)));
        let first = first.or_else(|| {
            inputs.count(&["deferral_years", "first_years", "years_with_deferral"]).ok().and_then(|n| n.try_into().ok())
        });
        ShortfallRule::Deferral {
            share,
            not_in_last: first.map_or(usize::from(years > 1), |first: usize| years.saturating_sub(first)),
        }
    } else if says(&["credit", "prepay", "forfeit"]) {
        let is_prepayment = says(&["prepay", "forfeit"]);
        let counts = is(&["credit_counts", "counts"]).unwrap_or(is_prepayment);
        let lifetime = inputs.count(&["credit_lifetime", "lifetime", "expiry_years", "credit_expiry_years", "usable_years"]).ok();
        ShortfallRule::Credit {
            counting: if counts { CreditCounting::Counts } else { CreditCounting::DoesNotCount },
            lifetime: lifetime.or(is_prepayment.then_some(1)),
        }
    } else {
        ShortfallRule::Pay
    };
    let cap_share = inputs.get(&["carry_over_cap_share", "carry_over_cap", "rollover_cap_share"]).and_then(decimal);
    let is_carried = is(&["carry_over", "carry_over_excess", "rollover", "carry_forward"]).unwrap_or(cap_share.is_some());
    let lifetime = match inputs.count(&["carry_over_years", "rollover_years"]) {
        Ok(1) => CarryLifetime::NextPeriod,
        _ => CarryLifetime::UntilUsed,
    };
    let carry_over = if is_carried { CarryOver::Excess { cap_share, lifetime } } else { CarryOver::None };
    let total = inputs.get(&["term_total", "total_minimum", "total_commit", "total"]).and_then(decimal);
    Ok(SettlementRules { shortfall, carry_over, total })
}

fn ledger(inputs: Inputs<'_>, expected: &Value) -> Read<Value> {
    const MINIMUMS: [&str; 6] = ["annual_minimum", "minimum", "minimums", "annual_minimums", "commit", "annual_commit"];
    let spend = yearly(inputs, &["spend", "use", "usage", "spends", "counted_spend", "eligible"], 1)?;
    let mut minimums = yearly(inputs, &MINIMUMS, spend.len())?;
    let (stated, mut spend) = (spend.len(), spend);
    let rules = clauses(inputs, minimums.len())?;
    // What a year moves into the next shows only if there is one: a case that ends before its contract gets a year more.
    let next = inputs.get(&["next_minimum", "next_year_minimum", "next_base_minimum", "next_annual_minimum"]).and_then(decimal);
    let moves = matches!(rules.shortfall, ShortfallRule::Relief { .. });
    if minimums.len() == spend.len() && (next.is_some() || moves && spend.len() == 1) {
        minimums.push(next.unwrap_or(minimums[spend.len() - 1]));
    }
    while spend.len() < minimums.len() {
        spend.push(minimums[spend.len()] * Decimal::TEN);
    }
    let years = agreement::settle(&minimums, &spend, &rules).map_err(|error| error.to_string())?;
    let of = |value: fn(&LedgerYear) -> Decimal| years.iter().map(|year| float(value(year))).collect::<Vec<f64>>();
    let mut answer = json!({
        "required": of(|year| year.required), "requirement": of(|year| year.required), "deferred": of(|year| year.deferred),
        "pay": of(|year| year.paid + year.paid_for_total), "paid": of(|year| year.paid + year.paid_for_total),
        "payment": of(|year| year.paid + year.paid_for_total), "shortfall": of(|year| year.paid + year.deferred),
        "counted": of(|year| year.counted), "credit": of(|year| year.credit), "credit_left": of(|year| year.credit),
        "credit_used": of(|year| year.credit_used), "forfeited": of(|year| year.forfeited),
        "carried_over": of(|year| year.carried_over), "carry": of(|year| year.carried_over), "carried": of(|year| year.carried_over),
        "carried_in": of(|year| year.carried_in), "surplus": of(|year| year.surplus),
    });
    let next = years.get(stated.min(years.len().saturating_sub(1)).max(1)).map(|year| float(year.required));
    for name in ["next_minimum", "next_year_minimum", "next_required", "next_annual_minimum"] {
        answer[name] = json!(next);
    }
    // A case may state fewer years than were settled, or the sum of all.
    for (key, wanted) in expected.as_object().into_iter().flatten() {
        if let (Some(list), wanted) = (answer.get(key).and_then(Value::as_array).cloned(), wanted.as_array().map_or(1, Vec::len))
        {
            answer[key] = json!(list.get(..wanted.min(list.len())));
        } else if let Some(list) = key.strip_prefix("total_").and_then(|name| answer.get(name)).and_then(Value::as_array) {
            answer[key] = json!(list.iter().filter_map(Value::as_f64).sum::<f64>());
        }
    }
    Ok(answer)
}

fn tiers(inputs: Inputs<'_>) -> Read<Value> {
    let gross = inputs.decimal(&["gross", "gross_spend", "spend"])?;
    let list = inputs.need(&["tiers"])?.as_array().ok_or("tiers is not a list")?;
    let tiers = list
        .iter()
        .map(|tier| {
            let tier = Inputs(tier);
            Ok(Tier { commit: tier.decimal(&["commit", "minimum", "commitment"])?, discount: tier.decimal(&["discount"])? })
        })
        .collect::<Read<Vec<Tier>>>()?;
    let counted = inputs.get(&["counted", "basis"]).and_then(Value::as_str).unwrap_or_default();
    // "gross, before discount" against "net after discount".
    let is_gross = (counted.contains("gross") || counted.contains("before")) && !counted.contains("net");
    let basis = if is_gross { CountedBasis::Gross } else { CountedBasis::Net };
    let costs = tiers
        .iter()
        .map(|tier| agreement::tier_cost(gross, *tier, basis).map(float))
        .collect::<Result<Vec<f64>, Error>>()
        .map_err(|error| error.to_string())?;
    let better = match tiers.as_slice() {
        [shallow, deep, ..] => agreement::indifference_spend(*shallow, *deep).ok().map(float),
        _ => None,
    };
    let best = (0..costs.len()).min_by(|a, b| costs[*a].total_cmp(&costs[*b]));
    Ok(
        json!({"cost": costs, "costs": costs, "better_up_to_gross": better, "indifference_gross": better, "best": best, "best_tier": best}),
    )
}

/// The value at a rate is asked of dated flows only; kept here so that both present values are exercised by one path.
#[test]
fn both_present_values_agree_on_yearly_flows() {
    let (years, amounts) = ([0.0, 1.0, 2.0], [-100.0, 60.0, 60.0]);
    let (dated, periodic) = (xnpv(0.1, &years, &amounts), npv(0.1, &amounts, FirstFlow::Now));
    assert!((dated.unwrap_or(f64::NAN) - periodic.unwrap_or(f64::NAN)).abs() < 1e-12);
}
