//! Streams bootstrap scenarios and says how long they took and how much memory the process needed at most.
//!
//! `cargo run --release --no-default-features --example bootstrap -- [--scenarios 1000] [--lines 100] [--hours 8760] [--json]`
//!
//! The past is made of a seed: a year of so many lines that share a swing. One scenario is in memory at a time; of each only the cost at
//! price 1 is kept. The peak of resident memory is read from the operating system (Linux).
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::cast_precision_loss)]

use clap::Parser;
use covermix::scenario::bootstrap::{Bootstrap, Setting};
use covermix::scenario::transform::repeat;
use covermix::time::{Hour, HourGrid};
use covermix::usage::{Provider, Sku, UsageCurves, UsageLine};
use ndarray::Array2;
use std::process::ExitCode;
use std::time::Instant;

/// Stream bootstrap scenarios.
#[derive(Parser)]
struct Arguments {
    /// How many scenarios.
    #[arg(long, default_value_t = 1000)]
    scenarios: u64,
    /// How many usage lines.
    #[arg(long, default_value_t = 100)]
    lines: usize,
    /// How many hours each scenario has; the past has as many.
    #[arg(long, default_value_t = 8760)]
    hours: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match stream(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn past(lines: usize, hours: usize) -> covermix::Result<UsageCurves> {
    let line = |index: usize| {
        let sku = Sku {
            provider: Provider::Aws,
            service: "AmazonEC2".into(),
            region: "us-east-1".into(),
            sku: format!("type{index:03}.large"),
            platform: "Linux".into(),
            tenancy: "shared".into(),
            unit: "instance-hour".into(),
        };
        UsageLine::new(sku, "all")
    };
    let quantity = Array2::from_shape_fn((hours, lines), |(hour, line)| {
        let (hour, line) = (hour as f64, line as f64);
        let day = 1.0 + 0.3 * (hour * std::f64::consts::TAU / 24.0).sin();
        let swing = 1.0 + 0.1 * (hour / 211.0).sin() + 0.05 * (hour * (0.7 + line)).sin();
        (10.0 + line) * day * swing
    });
    UsageCurves::new(HourGrid { first: Hour::from_epoch(473_352), count: hours }, (0..lines).map(line).collect(), quantity)
}

fn stream(arguments: &Arguments) -> covermix::Result<()> {
    let past = past(arguments.lines, arguments.hours)?;
    let next = HourGrid { first: past.grid().hour(arguments.hours), count: arguments.hours };
    let bootstrap = Bootstrap::new(&past, &repeat(&past, next)?, Setting::default())?;
    let start = Instant::now();
    let (mut least, mut most, mut sum) = (f64::INFINITY, 0.0_f64, 0.0);
    for scenario in bootstrap.scenarios(arguments.scenarios) {
        let total = scenario?.totals().sum();
        (least, most, sum) = (least.min(total), most.max(total), sum + total);
    }
    let seconds = start.elapsed().as_secs_f64();
    let mean = sum / arguments.scenarios as f64;
    let peak = peak_megabytes();
    if arguments.json {
        let document = serde_json::json!({
            "scenarios": arguments.scenarios, "lines": arguments.lines, "hours": arguments.hours, "seconds": seconds,
            "peak_megabytes": peak, "least_units": least, "mean_units": mean, "most_units": most,
        });
        println!("{document:#}");
    } else {
        let memory = peak.map_or_else(|| "unknown".to_owned(), |peak| format!("{peak:.0} MB"));
        println!(
            "{} scenarios of {} lines x {} hours: {seconds:.1} s, peak memory {memory}; unit-hours {least:.0} to {most:.0}, mean {mean:.0}",
            arguments.scenarios, arguments.lines, arguments.hours
        );
    }
    Ok(())
}

/// The most memory the process had resident, from `/proc`; `None` where there is none.
fn peak_megabytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
}
