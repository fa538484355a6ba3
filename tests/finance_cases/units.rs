//! Cases about units of work: the KPIs of rate optimisation and of AI, margins, capacity and throughput. Names are read generously: a function
//! by the words in it, an input by any of its usual names.

use crate::dispatch::known;
use crate::inputs::{Inputs, Read};
use crate::{Outcome, inputs};
use covermix::finance::unit_economics::{
    self as unit, AnomalyLevel, Capacity, CostOfUnits, PaidHours, PrepaidWindow, ThroughputUnit, TokenPrices, Tokens, UnitMargin,
};
use serde_json::{Value, json};

const COST: &[&str] = &[
    "cost",
    "total_cost",
    "actual_cost",
    "effective_cost",
    "amortised_cost",
    "amortized_cost",
    "cloud_cost",
    "spend",
    "cloud_spend",
];
const SHARED: &[&str] = &["shared_cost", "allocated_shared", "allocated_shared_cost", "shared"];
const UNUSED: &[&str] = &["unused_commitment", "allocated_unused", "allocated_unused_commitment", "unused_cost", "unused"];
const DIRECT: &[&str] = &["direct_cost", "direct_effective_cost", "direct"];
const UNITS: &[&str] = &[
    "units",
    "calls",
    "quantity",
    "requests",
    "count",
    "api_calls",
    "inferences",
    "inference_requests",
    "users",
    "transactions",
    "orders",
    "cycles",
    "agent_cycles",
    "thoughts",
    "core_hours",
    "tokens",
    "total_tokens",
    "volume",
    "customers",
];

/// A ratio of the KPI library: names of the function, of the part and of the whole.
type Ratio = (&'static [&'static str], &'static [&'static str], &'static [&'static str]);

const RATIOS: &[Ratio] = &[
    (
        &[
            "commitment_utilisation",
            "commitment_utilization",
            "commitment_utilisation_score",
            "commitment_utilization_score",
            "utilisation_score",
            "utilization_score",
            "commitment_discount_utilisation",
        ],
        &["used", "used_commitment", "utilised", "utilized", "used_cost", "used_hours", "used_units"],
        &["total", "total_commitment", "commitment", "committed", "total_cost", "committed_hours", "committed_units"],
    ),
    (
        &[
            "commitment_waste",
            "commitment_discount_waste",
            "commitment_discount_waste_percentage",
            "commitment_waste_percentage",
            "waste_rate",
        ],
        &["unused", "unused_commitment", "unused_cost", "unused_commitment_cost", "wasted", "waste"],
        &["total", "total_commitment", "total_commitment_cost", "commitment", "commitment_cost", "total_cost"],
    ),
    (
        &[
            "spend_covered",
            "percent_compute_covered",
            "percent_of_compute_spend_covered",
            "compute_spend_covered",
            "commitment_coverage",
            "percent_spend_covered",
            "compute_coverage",
        ],
        &["committed_cost", "committed_effective_cost", "committed", "covered", "covered_cost", "commitment_cost"],
        &["compute_cost", "compute_effective_cost", "total", "total_compute", "total_compute_cost", "compute_spend"],
    ),
    (
        &[
            "consumption_vs_commitment",
            "consumption_against_commitment",
            "consumption_to_commitment",
            "commitment_consumption",
            "burn_down",
            "burndown",
        ],
        &["actual", "actual_units", "consumed", "consumption", "actual_consumption", "used"],
        &["committed", "committed_units", "commitment", "commit", "total"],
    ),
    (
        &[
            "cost_per_core",
            "cost_per_core_hour",
            "effective_average_cost_per_core",
            "average_cost_per_core",
            "effective_cost_per_core",
        ],
        COST,
        &["core_hours", "cores", "total_core_hours", "vcpu_hours"],
    ),
    (
        &[
            "cloud_share_of_revenue",
            "cloud_spend_share_of_revenue",
            "cloud_spend_share_of_recurring_revenue",
            "share_of_revenue",
            "spend_to_revenue",
            "cloud_cost_to_arr",
        ],
        COST,
        &["arr", "revenue", "recurring_revenue", "annual_recurring_revenue"],
    ),
    (
        &["recharge_rate", "general_ledger_recharge_rate", "ledger_recharge_rate", "gl_recharge_rate"],
        &["ledger", "recharged", "charged_back", "allocated"],
        COST,
    ),
    (
        &["cache_hit_rate", "cache_hit_ratio"],
        &["hits", "cache_hits", "cached", "cached_tokens", "cached_requests"],
        &["requests", "total", "total_requests", "lookups", "tokens", "total_tokens"],
    ),
    (
        &["reasoning_token_ratio", "reasoning_ratio", "reasoning_tokens_ratio"],
        &["reasoning", "reasoning_tokens"],
        &["total", "output", "output_tokens", "total_tokens", "tokens"],
    ),
    (
        &["model_error_rate", "error_rate"],
        &["errors", "failed", "failures", "failed_requests"],
        &["requests", "total", "total_requests", "calls"],
    ),
    (
        &["gpu_utilisation_efficiency", "gpu_utilization_efficiency", "gpu_utilisation", "gpu_utilization", "gpu_efficiency"],
        &["used", "used_hours", "active", "active_hours", "gpu_hours_used", "used_gpu_hours", "busy_hours", "actual"],
        &[
            "total",
            "paid_hours",
            "available_hours",
            "gpu_hours_paid",
            "available",
            "provisioned",
            "total_hours",
            "provisioned_gpu_hours",
            "capacity",
        ],
    ),
    (
        &["anomaly_cost_share", "anomaly_share", "anomaly_rate", "anomaly_detection_rate"],
        &["anomaly_cost", "anomalies", "anomalous_cost", "cost_of_anomalies"],
        &["total_cost", "cost", "total", "spend"],
    ),
    (&["time_to_value", "time_to_value_days"], COST, &["value_per_day", "daily_value", "value"]),
];

/// The answer of a function about units, if it is one.
pub(crate) fn answer(function: &str, inputs: Inputs<'_>, expected: &Value) -> Outcome {
    let found = match function {
        "effective_savings_rate" | "esr" | "effective_savings_rate_variant" | "esr_with_fees" => savings_rate(inputs),
        "contribution_margin" | "contribution_margin_ratio" | "contribution" => contribution(function, inputs, expected),
        "gross_margin" | "gross_margin_effect" | "gross_margin_impact" => gross(function, inputs, expected),
        "marginal_cost" | "marginal_unit_cost" | "marginal_cost_per_unit" => marginal(inputs, expected),
        "allocate_unused" | "allocate_unused_commitment" | "unused_allocation" => shares(inputs),
        "forecast_maturity" => inputs
            .number(&["variance"])
            .map(|variance| json!(format!("{:?}", unit::ForecastMaturity::of(variance)).to_lowercase())),
        "anomaly_level" | "anomaly_status" => anomaly(inputs),
        "capacity_block_cost" | "capacity_block" | "capacity_block_fee" => block(inputs, expected),
        "gpu_break_even_utilisation" | "gpu_break_even_utilization" | "capacity_break_even_utilisation" => even(inputs),
        "ptu_break_even_utilisation" | "ptu_break_even_utilization" | "ptu_break_even" => throughput(inputs, "even"),
        "ptu_units" | "ptu_units_needed" | "ptus_for" => throughput(inputs, "units"),
        "ptu_cost_per_1k_tokens" => throughput(inputs, "cost"),
        "token_cost" | "token_consumption_cost" => token_cost(inputs),
        name => match RATIOS.iter().find(|(names, _, _)| names.contains(&name)) {
            Some((_, part, whole)) => ratio(name, inputs, part, whole, expected),
            None if name.starts_with("cost_per_") || name.starts_with("unit_cost") || name.starts_with("average_cost_per_") => {
                unit_cost(name, inputs)
            }
            None if name.ends_with("_per_1k_tokens")
                || name.ends_with("_per_million_tokens")
                || name.ends_with("_per_1m_tokens") =>
            {
                unit_cost(name, inputs)
            }
            None => return Outcome::NoFunction,
        },
    };
    match found {
        Ok(value) => Outcome::Answer(value),
        Err(problem) => Outcome::Unreadable(problem),
    }
}

fn ratio(name: &str, inputs: Inputs<'_>, part: &[&str], whole: &[&str], expected: &Value) -> Read<Value> {
    let whole_of = |value: f64| {
        if inputs.has(&["spot", "spot_cost"]) {
            Ok::<_, String>(value - inputs.number(&["spot", "spot_cost"])?)
        } else {
            Ok(value)
        }
    };
    let whole_value = whole_of(inputs.number(whole)?)?;
    let names: Vec<&str> =
        part.iter().copied().filter(|name| !whole.contains(name) || inputs.get(whole) != inputs.get(&[name])).collect();
    // A part may be given by what it leaves.
    let part_value = if inputs.has(&names) {
        inputs.number(&names)?
    } else if name.contains("waste") {
        whole_value - inputs.number(&["used", "used_cost", "used_commitment"])?
    } else {
        whole_value - inputs.number(&["unused", "unused_cost", "idle", "idle_hours", "misses"])?
    };
    let found = match name {
        _ if name.contains("waste") => unit::commitment_waste(part_value, whole_value),
        _ if name.contains("utili") && !name.contains("gpu") => unit::commitment_utilisation(part_value, whole_value),
        _ if name.contains("cover") => unit::spend_covered(part_value, whole_value),
        _ if name.contains("consum") || name.contains("burn") => unit::consumption_against_commitment(part_value, whole_value),
        _ if name.contains("core") => unit::cost_per_core_hour(part_value, whole_value),
        _ if name.contains("revenue") || name.contains("arr") => unit::share_of_revenue(part_value, whole_value),
        _ if name.contains("recharge") => unit::recharge_rate(part_value, whole_value),
        _ if name.contains("time_to") => unit::time_to_value(part_value, whole_value),
        _ => unit::share(part_value, whole_value),
    };
    if expected.is_object() {
        let value = found.map_err(|error| error.to_string())?;
        let level = format!("{:?}", AnomalyLevel::of(value)).to_lowercase();
        return Ok(
            json!({"share": value, "rate": value, "ratio": value, "level": level, "status": level, "color": level, "colour": level}),
        );
    }
    known(found)
}

/// Direct, shared and unused cost over units; or money an hour over work an hour.
fn unit_cost(name: &str, inputs: Inputs<'_>) -> Read<Value> {
    let scale = match name {
        _ if name.contains("1k") || name.contains("thousand") => 1e3,
        _ if name.contains("million") || name.contains("1m") => 1e6,
        _ => 1.0,
    };
    const RATE: &[&str] = &[
        "rate_per_gpu_hour",
        "gpu_hour_rate",
        "gpu_rate",
        "rate",
        "cost_per_gpu_hour",
        "price_per_gpu_hour",
        "gpu_hour_price",
        "hourly_rate",
    ];
    const SPEED: &[&str] = &["tokens_per_second", "tokens_per_s", "throughput", "tok_per_s", "tps"];
    if inputs.has(RATE) && inputs.has(SPEED) {
        let utilisation = inputs.number_or(&["utilisation", "utilization", "gpu_utilisation", "gpu_utilization"], 1.0)?;
        let found = unit::cost_per_1k_tokens(inputs.number(RATE)?, inputs.number(SPEED)?, utilisation);
        return known(found.map(|per_1k| per_1k * scale / 1000.0));
    }
    let cost = if inputs.has(DIRECT) { inputs.number(DIRECT)? } else { cost_of(inputs)? };
    let cost = cost + inputs.number_or(SHARED, 0.0)? + inputs.number_or(UNUSED, 0.0)?;
    known(unit::unit_cost(cost, inputs.number(UNITS)?).map(|one| one * scale))
}

/// One cost, or the sum of what a stack is made of.
fn cost_of(inputs: Inputs<'_>) -> Read<f64> {
    if inputs.has(COST) {
        return inputs.number(COST);
    }
    let parts = [
        "model_cost",
        "inference_cost",
        "serving_cost",
        "infrastructure_cost",
        "retrieval_cost",
        "tool_cost",
        "storage_cost",
        "network_cost",
    ];
    let found: Vec<f64> = parts.iter().filter_map(|name| inputs.get(&[name]).and_then(inputs::number)).collect();
    if found.is_empty() { inputs.number(COST) } else { Ok(found.iter().sum()) }
}

fn savings_rate(inputs: Inputs<'_>) -> Read<Value> {
    let fees = inputs.number_or(&["fees", "fee", "cost_to_achieve", "tool_cost", "savings_cost"], 0.0)?;
    let equivalent = inputs.number(&["on_demand_equivalent", "ode", "on_demand", "on_demand_cost", "list_cost"])?;
    let cost = match inputs.get(&["savings", "total_savings"]).and_then(inputs::number) {
        Some(savings) => equivalent - savings,
        None => inputs.number(COST)?,
    };
    known(unit::effective_savings_rate(equivalent, cost, fees))
}

fn contribution(function: &str, inputs: Inputs<'_>, expected: &Value) -> Read<Value> {
    let margin = UnitMargin {
        revenue: inputs.number(&["revenue", "price", "revenue_per_unit", "unit_price", "unit_revenue"])?,
        variable_cost: inputs.number(&[
            "variable_cost",
            "variable_cost_per_unit",
            "unit_cost",
            "cost_per_unit",
            "cost",
            "variable",
        ])?,
    };
    let fixed = inputs.get(&["fixed_cost", "fixed", "commitment_cost"]).and_then(inputs::number);
    let ratio = margin.ratio().ok();
    if expected.is_object() {
        let even = fixed.and_then(|fixed| margin.break_even_units(fixed).ok());
        return Ok(json!({
            "contribution": margin.contribution(), "margin": margin.contribution(), "contribution_margin": margin.contribution(), "ratio": ratio,
            "contribution_margin_ratio": ratio, "break_even_units": even, "break_even_volume": even,
        }));
    }
    Ok(if function.ends_with("ratio") { json!(ratio) } else { json!(margin.contribution()) })
}

fn gross(function: &str, inputs: Inputs<'_>, expected: &Value) -> Read<Value> {
    let revenue = inputs.number(&["revenue", "sales"])?;
    let costs = ["cost_of_revenue", "cogs", "cost", "cost_before", "before", "cogs_before"];
    let before = inputs.number(&costs)?;
    let after = inputs.get(&["cost_after", "after", "cogs_after"]).and_then(inputs::number);
    let after = after.or_else(|| inputs.get(&["savings", "saving"]).and_then(inputs::number).map(|saved| before - saved));
    let margin = |cost: f64| unit::gross_margin(revenue, cost).ok();
    let effect = after.and_then(|after| unit::gross_margin_effect(revenue, before, after).ok());
    if expected.is_object() {
        return Ok(
            json!({"before": margin(before), "after": after.and_then(margin), "effect": effect, "gross_margin": margin(before)}),
        );
    }
    Ok(if function == "gross_margin" { json!(margin(before)) } else { json!(effect) })
}

fn marginal(inputs: Inputs<'_>, expected: &Value) -> Read<Value> {
    let at =
        |cost: &[&str], units: &[&str]| Ok::<_, String>(CostOfUnits { cost: inputs.number(cost)?, units: inputs.number(units)? });
    let first = at(&["cost_1", "cost_before", "base_cost", "cost_a"], &["units_1", "units_before", "base_units", "units_a"])?;
    let then = at(&["cost_2", "cost_after", "new_cost", "cost_b"], &["units_2", "units_after", "new_units", "units_b"])?;
    let found = first.marginal(&then).map_err(|error| error.to_string())?;
    if expected.is_object() {
        return Ok(
            json!({"marginal": found, "average": then.average().ok(), "average_before": first.average().ok(), "average_after": then.average().ok()}),
        );
    }
    Ok(json!(found))
}

fn shares(inputs: Inputs<'_>) -> Read<Value> {
    let owners = inputs.need(&["owners", "teams"])?.as_array().ok_or("owners is not a list")?;
    let owners = owners.iter().map(|owner| {
        let owner = Inputs(owner);
        Ok(unit::OwnerUse {
            covered_cost: owner.number_or(&["covered_cost", "covered"], 0.0)?,
            eligible_on_demand: owner.number_or(&["eligible_on_demand", "eligible", "eligible_ode"], 0.0)?,
        })
    });
    let owners = owners.collect::<Read<Vec<_>>>()?;
    let rule = match inputs.get(&["rule", "by"]).and_then(Value::as_str).unwrap_or("covered") {
        name if name.contains("eligible") => unit::UnusedAllocation::EligibleOnDemand,
        name if name.contains("central") => unit::UnusedAllocation::Central,
        _ => unit::UnusedAllocation::CoveredCost,
    };
    let (parts, central) = unit::allocate_unused(inputs.number(UNUSED)?, &owners, rule);
    Ok(json!({"parts": parts, "owners": parts, "central": central}))
}

fn anomaly(inputs: Inputs<'_>) -> Read<Value> {
    let share = match inputs.get(&["share", "rate"]).and_then(inputs::number) {
        Some(share) => share,
        None => unit::share(inputs.number(&["anomaly_cost", "anomalies"])?, inputs.number(COST)?)
            .map_err(|error| error.to_string())?,
    };
    Ok(json!(format!("{:?}", AnomalyLevel::of(share)).to_lowercase()))
}

fn block(inputs: Inputs<'_>, expected: &Value) -> Read<Value> {
    let hours = match inputs.get(&["hours", "window_hours"]).and_then(inputs::number) {
        Some(hours) => hours,
        None => 24.0 * inputs.number(&["days", "duration_days"])?,
    };
    let window = PrepaidWindow {
        instances: inputs.number_or(&["instances", "instance_count", "count", "quantity"], 1.0)?,
        hours,
        price_per_hour: inputs.number(&["price_per_hour", "hourly_price", "rate", "price", "effective_hourly_rate"])?,
        system_fee_per_hour: inputs
            .number_or(&["system_fee_per_hour", "os_fee", "os_fee_per_hour", "operating_system_fee"], 0.0)?,
    };
    let running = inputs.number_or(&["running_hours", "used_hours", "instance_hours"], window.instances * window.hours)?;
    let cost = window.cost(running).map_err(|error| error.to_string())?;
    let even = inputs.get(&["on_demand", "on_demand_price", "on_demand_rate"]).and_then(inputs::number);
    let even = even.and_then(|price| window.break_even_utilisation(price).ok());
    if expected.is_object() {
        return Ok(
            json!({"fee": window.fee(), "upfront": window.fee(), "cost": cost, "total": cost, "break_even_utilisation": even, "break_even_utilization": even}),
        );
    }
    Ok(json!(cost))
}

fn even(inputs: Inputs<'_>) -> Read<Value> {
    let capacity = |names: &[&str], paid| {
        let price_per_hour = inputs.number(names)?;
        Ok::<_, String>(Capacity { price_per_hour, paid, work_per_hour: 1.0, hours_per_hour_of_work: 1.0 })
    };
    let reserved = capacity(&["reserved", "reserved_rate", "committed", "committed_rate", "reservation_price"], PaidHours::All)?;
    let on_demand = capacity(&["on_demand", "on_demand_rate", "on_demand_price"], PaidHours::Running)?;
    Ok(json!(reserved.break_even_utilisation(&on_demand)))
}

fn throughput(inputs: Inputs<'_>, wanted: &str) -> Read<Value> {
    let one = ThroughputUnit {
        price_per_hour: inputs.number_or(&["price_per_hour", "ptu_price", "hourly_price", "rate"], 1.0)?,
        tokens_per_minute: inputs.number(&[
            "tokens_per_minute",
            "tpm_per_ptu",
            "input_tpm_per_ptu",
            "tokens_per_minute_per_unit",
        ])?,
        input_per_output: inputs.number_or(&["input_per_output", "output_weight", "output_ratio"], 1.0)?,
        minimum: inputs.number_or(&["minimum", "min_units"], 0.0).map(|value| format!("{value:.0}").parse().unwrap_or(0))?,
        increment: inputs.number_or(&["increment", "step"], 1.0).map(|value| format!("{value:.0}").parse().unwrap_or(1))?,
    };
    let input = inputs.number(&["input", "input_tokens", "input_tokens_per_minute", "input_tpm"])?;
    let tokens =
        Tokens { input, output: inputs.number_or(&["output", "output_tokens", "output_tokens_per_minute", "output_tpm"], 0.0)? };
    known(match wanted {
        "units" => one.units_for(tokens),
        "cost" => one.cost_per_1k_tokens(tokens, inputs.number_or(&["utilisation", "utilization"], 1.0)?),
        _ => one.break_even_utilisation(tokens, prices(inputs)?),
    })
}

fn prices(inputs: Inputs<'_>) -> Read<TokenPrices> {
    let input = inputs.number(&["input_price", "input_price_per_million", "price_input"])?;
    Ok(TokenPrices { input, output: inputs.number_or(&["output_price", "output_price_per_million", "price_output"], 0.0)? })
}

fn token_cost(inputs: Inputs<'_>) -> Read<Value> {
    let count = |names: &[&str]| inputs.number_or(names, 0.0);
    let (input, output) = (count(&["input_tokens", "input", "tokens"])?, count(&["output_tokens", "output"])?);
    if inputs.has(&["input_price_per_million", "output_price_per_million"]) {
        return Ok(json!(prices(inputs)?.cost(Tokens { input, output })));
    }
    let of_input = count(&["price_per_1k_input", "input_price_per_1k", "input_price", "price_per_1k"])?;
    Ok(json!(unit::token_cost(input, of_input, output, count(&["price_per_1k_output", "output_price_per_1k", "output_price"])?)))
}
