//! What H100-class capacity costs for training and for inference, bought in four ways: on demand, reserved, as a capacity block, on spot.
//!
//! ```text
//! cargo run --release --example gpu_capacity [-- --json]
//! ```
//!
//! 1. Cost per 1,000 tokens of each way, and the utilisation from which on capacity paid for all hours beats on demand.
//! 2. Reservations and spot decided together for an inference service and a training job, with bound and gap.
//! 3. Whether a capacity block is worth booking for a training window, and how short the job may be.
//! 4. Provisioned throughput against tokens on demand.
//!
//! Prices and their sources: `data/gpu-catalog.json`; assumptions: `data/gpu-work.toml`. Rules and formulas: `docs/spot-and-capacity.md`.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::cast_precision_loss, reason = "an example prints")]

use chrono::{DateTime, NaiveDate, Utc};
use clap::Parser;
use covermix::catalog::aws::capacity_block::CapacityBlock;
use covermix::catalog::{Catalog, Offer};
use covermix::finance::unit_economics::{Capacity, PaidHours, PrepaidWindow, ThroughputUnit, TokenPrices, Tokens};
use covermix::planning::{Options, Planner, Policy, Remainder, SpotOption};
use covermix::scenario::spot::{EffectivePrice, InterruptionRate, Outage, Recovery, SpotTerms};
use covermix::time::{Hour, HourGrid};
use covermix::units::UnitPrice;
use covermix::usage::{UsageCurves, UsageLine};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::error::Error;

const GOOGLE: &str = "gcp/us-east4/a3-highgpu-8g";
const AWS: &str = "aws/us-east-2/p5.48xlarge/Linux";
/// GPUs of an instance.
const GPUS: f64 = 8.0;

/// H100-class capacity: on demand, reserved, capacity block, spot.
#[derive(Parser)]
struct Arguments {
    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Assumptions {
    work: Work,
    spot: Spot,
    block: Block,
    throughput: Throughput,
}

#[derive(Deserialize)]
struct Work {
    inference_tokens_per_second: f64,
    inference_load: f64,
    training_tokens_per_second: f64,
    training_load: f64,
    training_utilisation: f64,
}

#[derive(Deserialize)]
struct Spot {
    monthly_share_interrupted: f64,
    checkpoint_hours: f64,
    restart_hours: f64,
    outage_hours: f64,
    serving_restart_hours: f64,
}

#[derive(Deserialize)]
struct Block {
    source: String,
    price_per_hour: UnitPrice,
    start: NaiveDate,
    booked: NaiveDate,
    days: u32,
    instances: u32,
}

#[derive(Deserialize)]
struct Throughput {
    source: String,
    tokens_per_minute: f64,
    input_per_output: f64,
    minimum: u32,
    increment: u32,
    hourly_price: f64,
    reserved_month: f64,
    input_per_million: f64,
    output_per_million: f64,
    peak_input: f64,
    peak_output: f64,
}

/// One way to buy, for one kind of work.
#[derive(Serialize)]
struct Row {
    work: &'static str,
    way: String,
    /// USD for a GPU and hour of work.
    per_gpu_hour: f64,
    /// USD for 1,000 tokens at the utilisation of the work.
    per_1k_tokens: f64,
    /// The share of hours from which on it beats on demand; none for capacity paid while it runs.
    break_even_utilisation: Option<f64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let root = env!("CARGO_MANIFEST_DIR");
    let catalog = Catalog::read(format!("{root}/data/gpu-catalog.json"))?;
    let assumptions: Assumptions = toml::from_str(&std::fs::read_to_string(format!("{root}/data/gpu-work.toml"))?)?;
    let prices = effective_prices(&catalog, &assumptions)?;
    let rows = table(&catalog, &assumptions, &prices)?;
    let joint = joint(&catalog, &prices)?;
    let window = window(&catalog, &assumptions)?;
    let throughput = throughput(&assumptions.throughput)?;
    if arguments.json {
        let all = json!({"capacity": rows, "joint": joint, "block": window, "throughput": throughput, "sources": sources(&catalog, &assumptions)});
        println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    println!("H100-class capacity, USD; {GPUS} GPUs an instance\n");
    println!("{:10} {:34} {:>10} {:>14} {:>12}", "work", "way", "GPU-hour", "1,000 tokens", "break-even");
    for row in &rows {
        let even = row.break_even_utilisation.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", 100.0 * share));
        println!("{:10} {:34} {:>10.3} {:>14.6} {even:>12}", row.work, row.way, row.per_gpu_hour, row.per_1k_tokens);
    }
    println!("\nReservations and spot together (one year of Google a3-highgpu-8g):");
    println!("{}", serde_json::to_string_pretty(&joint)?);
    println!("\nA capacity block for a training window (AWS p5.48xlarge):");
    println!("{}", serde_json::to_string_pretty(&window)?);
    println!("\nProvisioned throughput against tokens on demand (Azure, gpt-4.1):");
    println!("{}", serde_json::to_string_pretty(&throughput)?);
    println!("\nSources:");
    sources(&catalog, &assumptions).iter().for_each(|source| println!("- {source}"));
    Ok(())
}

fn sources(catalog: &Catalog, assumptions: &Assumptions) -> Vec<String> {
    let dated = |(origin, _): (covermix::catalog::Origin, usize)| {
        format!("{} ({})", origin.source, origin.price_date.map_or_else(|| "no date".to_owned(), |day| day.to_string()))
    };
    let others = [assumptions.block.source.clone(), assumptions.throughput.source.clone()];
    catalog.sources().into_iter().map(dated).chain(others).collect()
}

/// Effective spot prices of Google's instance for training, with checkpoints as often as pays, and for inference.
struct Effective {
    training: EffectivePrice,
    inference: EffectivePrice,
}

fn effective_prices(catalog: &Catalog, assumptions: &Assumptions) -> Result<Effective, Box<dyn Error>> {
    let spot = &assumptions.spot;
    let sku = &catalog.price_with_id(GOOGLE).ok_or("no price of Google")?.sku;
    let rate = InterruptionRate::from_monthly_share(spot.monthly_share_interrupted)?;
    let outage = Outage::OnDemand { hours: spot.outage_hours };
    let price = |recovery: Recovery| -> covermix::Result<EffectivePrice> {
        SpotTerms::of_catalog(catalog, sku, rate, Default::default(), (recovery, outage))?.effective_price()
    };
    let training = price(Recovery::best_checkpoint(rate, spot.checkpoint_hours, spot.restart_hours)?)?;
    let inference = price(Recovery::Stateless { restart_hours: spot.serving_restart_hours })?;
    Ok(Effective { training, inference })
}

/// Every way for both kinds of work.
fn table(catalog: &Catalog, assumptions: &Assumptions, prices: &Effective) -> Result<Vec<Row>, Box<dyn Error>> {
    let offer = |term: &str| -> Result<&Offer, Box<dyn Error>> {
        Ok(catalog.offer(&format!("{GOOGLE}/commitment/{term}")).ok_or("no commitment of Google")?)
    };
    let work = &assumptions.work;
    let mut rows = Vec::new();
    let kinds = [
        ("training", work.training_tokens_per_second, work.training_load, work.training_utilisation, prices.training),
        ("inference", work.inference_tokens_per_second, work.inference_load, 1.0, prices.inference),
    ];
    for (kind, speed, load, utilisation, spot) in kinds {
        let capacity = |price_per_hour: f64, paid: PaidHours| Capacity {
            price_per_hour,
            paid,
            work_per_hour: speed * 3600.0,
            hours_per_hour_of_work: 1.0,
        };
        let google = capacity(catalog.price_with_id(GOOGLE).ok_or("no price")?.price.to_f64(), PaidHours::Running);
        let amazon = capacity(catalog.price_with_id(AWS).ok_or("no price")?.price.to_f64(), PaidHours::Running);
        let reserved = |term: &str| Ok::<_, Box<dyn Error>>(capacity(offer(term)?.effective_hourly().to_f64(), PaidHours::All));
        let block = capacity(assumptions.block.price_per_hour.to_f64(), PaidHours::All);
        let ways = [
            ("Google a3, on demand", google, None),
            ("Google a3, 1-year commitment", reserved("12m")?, Some(google)),
            ("Google a3, 3-year commitment", reserved("36m")?, Some(google)),
            ("Google a3, spot with interruptions", capacity(spot.price, PaidHours::Running), None),
            ("AWS p5, on demand (2024)", amazon, None),
            ("AWS p5, capacity block (2024)", block, Some(amazon)),
        ];
        for (way, capacity, against) in ways {
            // A block is booked for the window it is needed in: there it is used throughout.
            let share = if way.contains("block") { 1.0 } else { utilisation };
            let even = against.and_then(|running| capacity.break_even_utilisation(&running));
            if let Some((even, running)) = even.zip(against) {
                let difference = capacity.cost_per_unit(even, load)? - running.cost_per_unit(even, load)?;
                assert!(difference.abs() < 1e-15, "costs are not equal at the break-even utilisation of {way}");
            }
            rows.push(Row {
                work: kind,
                way: way.to_owned(),
                per_gpu_hour: capacity.hour_of_work() / GPUS,
                per_1k_tokens: 1000.0 * capacity.cost_per_unit(share, load)?,
                break_even_utilisation: even,
            });
        }
    }
    // The finance formula by the GPU gives the same figure as the capacity by the instance.
    let by_gpu = covermix::finance::unit_economics::cost_per_1k_tokens(
        rows[6].per_gpu_hour,
        work.inference_tokens_per_second / GPUS,
        work.inference_load,
    )?;
    assert!((by_gpu / rows[6].per_1k_tokens - 1.0).abs() < 1e-12);
    assert!(rows[9].per_1k_tokens < rows[6].per_1k_tokens, "spot is dearer than on demand");
    Ok(rows)
}

/// A year of inference, day and night, and a training job that runs every quarter for two weeks.
fn joint(catalog: &Catalog, prices: &Effective) -> Result<serde_json::Value, Box<dyn Error>> {
    let sku = &catalog.price_with_id(GOOGLE).ok_or("no price")?.sku;
    let mut lines = Vec::new();
    for work in ["inference", "training"] {
        let mut line = UsageLine::new(sku.clone(), "ai");
        line.tags.insert("work".into(), work.into());
        lines.push(line);
    }
    let grid = HourGrid { first: Hour::containing("2026-01-01T00:00:00Z".parse::<DateTime<Utc>>()?), count: 8760 };
    let quantity = Array2::from_shape_fn((grid.count, 2), |(hour, line)| match line {
        0 if (8..20).contains(&(hour % 24)) => 12.0,
        0 => 7.0,
        _ if hour % 2190 < 336 => 16.0,
        _ => 0.0,
    });
    let usage = UsageCurves::new(grid, lines.clone(), quantity)?;
    // A third of the service may be interrupted; the job may as a whole.
    let spot = [
        SpotOption { line: lines[0].clone(), max_share: 1.0 / 3.0, price: prices.inference.price },
        SpotOption { line: lines[1].clone(), max_share: 1.0, price: prices.training.price },
    ];
    let planner = Planner::new(catalog).usage(&usage).policy(Policy::default().max_share_three_year(0.5));
    let plan = planner.solve_with_spot(&spot, &Options::default())?;
    let on_demand = catalog.price_with_id(GOOGLE).ok_or("no price")?.price.to_f64() * usage.totals().sum();
    assert!(plan.lower_bound() <= plan.objective() && plan.gap() < 0.01, "gap {}", plan.gap());
    assert!(plan.objective() <= plan.sequential() && plan.sequential() <= plan.without_spot() && plan.without_spot() < on_demand);
    let billed = plan.bill().total().cost().to_f64() + plan.spot_cost();
    assert!((billed / plan.objective() - 1.0).abs() < 1e-9, "the bill is not the objective");
    assert!(plan.lines().iter().all(|line| line.share() <= line.option.max_share + 1e-9));
    let bought: Vec<_> = plan.commitments().iter().map(|held| json!({"offer": held.offer, "instances": held.quantity})).collect();
    let shares = plan.lines().iter().map(|line| (line.option.line.tags["work"].clone(), json!(rounded(line.share(), 4))));
    Ok(json!({
        "buy": bought,
        "share_on_spot": shares.collect::<serde_json::Map<_, _>>(),
        "cost_of_the_year": rounded(plan.objective(), 2),
        "lower_bound": rounded(plan.lower_bound(), 2),
        "gap": rounded(plan.gap(), 6),
        "commitments_first_then_spot": rounded(plan.sequential(), 2),
        "without_spot": rounded(plan.without_spot(), 2),
        "on_demand": rounded(on_demand, 2),
        "effective_spot_price_training": rounded(prices.training.price, 4),
        "effective_spot_price_inference": rounded(prices.inference.price, 4),
    }))
}

/// Books a block for a training window if that costs less than on demand, for jobs of different length.
fn window(catalog: &Catalog, assumptions: &Assumptions) -> Result<serde_json::Value, Box<dyn Error>> {
    let price = catalog.price_with_id(AWS).ok_or("no price of AWS")?;
    let of = &assumptions.block;
    let block = CapacityBlock { start: of.start, days: of.days, price: of.price_per_hour, system_fee: UnitPrice::ZERO };
    let offer = block.offer(price, of.booked)?;
    let mut offers = catalog.offers().to_vec();
    offers.push(offer.clone());
    let catalog = Catalog::new("USD", catalog.price_date(), catalog.source(), catalog.prices().to_vec(), offers)?;
    let prepaid = PrepaidWindow {
        instances: f64::from(of.instances),
        hours: 24.0 * f64::from(of.days),
        price_per_hour: of.price_per_hour.to_f64(),
        system_fee_per_hour: 0.0,
    };
    let even = prepaid.break_even_utilisation(price.price.to_f64())?;
    let first = Hour::containing(block.opens());
    let booked_for = |days: f64| -> Result<u32, Box<dyn Error>> {
        let grid = HourGrid { first, count: 24 * 30 };
        let runs = |hour: usize| if (hour as f64) < 24.0 * days { f64::from(of.instances) } else { 0.0 };
        let quantity = Array2::from_shape_fn((grid.count, 1), |(hour, _)| runs(hour));
        let usage = UsageCurves::new(grid, vec![UsageLine::new(price.sku.clone(), "ai")], quantity)?;
        let planner = Planner::new(&catalog).usage(&usage).purchase_dates([block.opens()]).remainder(Remainder::Worthless);
        let plan = planner.solve()?;
        assert!(plan.gap() < 1e-6);
        Ok(plan.purchases().iter().filter(|bought| bought.offer.id == offer.id).count().try_into()?)
    };
    let days = f64::from(of.days);
    // A day more or less than the break-even utilisation decides.
    let (just_enough, too_short) = ((even * days).ceil(), (even * days).floor());
    assert_eq!((booked_for(days)?, booked_for(just_enough)?, booked_for(too_short)?), (1, 1, 0));
    let fee = prepaid.fee();
    let at_even = prepaid.cost(even * prepaid.instances * prepaid.hours)?;
    assert!((at_even - even * prepaid.instances * prepaid.hours * price.price.to_f64()).abs() < 1e-6 * fee);
    Ok(json!({
        "offer": offer.id, "instances": of.instances, "days": of.days, "fee": rounded(fee, 2),
        "on_demand_for_the_window": rounded(prepaid.instances * prepaid.hours * price.price.to_f64(), 2),
        "break_even_utilisation": rounded(even, 4),
        "booked_for_a_job_of_days": just_enough, "not_booked_for_a_job_of_days": too_short,
    }))
}

fn throughput(of: &Throughput) -> Result<serde_json::Value, Box<dyn Error>> {
    let unit = |price_per_hour: f64| ThroughputUnit {
        price_per_hour,
        tokens_per_minute: of.tokens_per_minute,
        input_per_output: of.input_per_output,
        minimum: of.minimum,
        increment: of.increment,
    };
    let (hourly, reserved) = (unit(of.hourly_price), unit(of.reserved_month / 730.0));
    let tokens = Tokens { input: of.peak_input, output: of.peak_output };
    let prices = TokenPrices { input: of.input_per_million, output: of.output_per_million };
    let units = reserved.units_for(tokens)?;
    let even = reserved.break_even_utilisation(tokens, prices)?;
    let on_demand = 1000.0 * prices.cost(tokens) / (tokens.input + tokens.output);
    if even <= 1.0 {
        assert!((reserved.cost_per_1k_tokens(tokens, even)? / on_demand - 1.0).abs() < 1e-12, "not equal at the break-even");
    }
    assert!(hourly.break_even_utilisation(tokens, prices)? > even);
    Ok(json!({
        "units_for_the_peak": units,
        "utilisation_at_the_peak": rounded(reserved.utilisation(units, tokens)?, 4),
        "on_demand_per_1k_tokens": rounded(on_demand, 6),
        "reserved_per_1k_tokens_at_full_use": rounded(reserved.cost_per_1k_tokens(tokens, 1.0)?, 6),
        "reserved_per_1k_tokens_at_half_use": rounded(reserved.cost_per_1k_tokens(tokens, 0.5)?, 6),
        "break_even_utilisation_reserved": rounded(even, 4),
        "break_even_utilisation_hourly": rounded(hourly.break_even_utilisation(tokens, prices)?, 4),
    }))
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    (value * scale).round() / scale
}
