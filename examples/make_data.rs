//! Makes the example data in `data/` again: a year of hourly usage of a mid-sized company, from a seed, and (given a price file of
//! ec2instances.info) the small catalog that goes with it.
//!
//! ```text
//! cargo run --release --no-default-features --example make_data                       # data/usage.csv.gz, same seed, same bytes
//! cargo run --release --no-default-features --example make_data -- --prices FILE --price-date 2019-04-05   # data/catalog.json too
//! ```
//!
//! The company: a web shop in us-east-1 and eu-west-1 with four accounts. Each workload has a base, a daily and a weekly shape, growth over the
//! year, and noise; counts are whole instances, since autoscaling starts and stops whole ones. Every figure below is invented.

#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "an example prints")]

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use clap::Parser;
use covermix::catalog::aws::instance_sku;
use covermix::catalog::{Benefit, Catalog, Offer};
use covermix::time::{Hour, HourGrid};
use covermix::usage::{UsageCurves, UsageLine};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::error::Error;
use std::path::PathBuf;

/// Makes the example data again.
#[derive(Parser)]
struct Arguments {
    /// The seed of the usage.
    #[arg(long, default_value_t = 20_250_101)]
    seed: u64,
    /// The folder to write to.
    #[arg(long, default_value = "data")]
    out: PathBuf,
    /// A price file of ec2instances.info to take the catalog's prices from.
    #[arg(long)]
    prices: Option<PathBuf>,
    /// The day of those prices.
    #[arg(long, requires = "prices")]
    price_date: Option<NaiveDate>,
}

/// When a workload runs.
#[derive(Clone, Copy)]
enum Shape {
    /// Day and night alike.
    Flat,
    /// More in the daytime, least at night; less at weekends.
    Daily,
    /// Weekdays from 7 to 19 only.
    Office,
    /// A few hours each night.
    Night,
    /// Campaigns of days or weeks, nothing between.
    Campaigns,
}

/// Account, region, type, platform, base count, swing of the shape, growth over the year, shape.
type Workload = (&'static str, &'static str, &'static str, &'static str, f64, f64, f64, Shape);

#[rustfmt::skip]
const WORKLOADS: &[Workload] = &[
    ("shop",     "us-east-1", "m5.large",    "Linux",   40.0,  30.0,  0.25, Shape::Daily),
    ("shop",     "us-east-1", "m5.xlarge",   "Linux",   24.0,  10.0,  0.10, Shape::Daily),
    ("shop",     "us-east-1", "m5.2xlarge",  "Linux",   12.0,   0.0,  0.05, Shape::Flat),
    ("shop",     "us-east-1", "c5.xlarge",   "Linux",   30.0,  35.0,  0.30, Shape::Daily),
    ("shop",     "us-east-1", "c5.2xlarge",  "Linux",   10.0,  14.0,  0.15, Shape::Daily),
    ("shop",     "us-east-1", "r5.xlarge",   "Linux",   16.0,   0.0,  0.20, Shape::Flat),
    ("shop",     "us-east-1", "r5.2xlarge",  "Linux",   14.0,   2.0,  0.10, Shape::Daily),
    ("shop",     "us-east-1", "r5.4xlarge",  "Linux",    6.0,   0.0,  0.00, Shape::Flat),
    ("shop",     "us-east-1", "t3.medium",   "Linux",   22.0,   4.0,  0.00, Shape::Daily),
    ("shop",     "us-east-1", "t3.large",    "Linux",   18.0,   6.0, -0.20, Shape::Daily),
    ("shop",     "eu-west-1", "m5.large",    "Linux",   20.0,  18.0,  0.40, Shape::Daily),
    ("shop",     "eu-west-1", "m5.xlarge",   "Linux",   14.0,   6.0,  0.20, Shape::Daily),
    ("shop",     "eu-west-1", "c5.xlarge",   "Linux",   12.0,  16.0,  0.35, Shape::Daily),
    ("shop",     "eu-west-1", "c5.2xlarge",  "Linux",    4.0,   6.0,  0.10, Shape::Daily),
    ("shop",     "eu-west-1", "r5.xlarge",   "Linux",    8.0,   0.0,  0.30, Shape::Flat),
    ("shop",     "eu-west-1", "r5.2xlarge",  "Linux",    6.0,   1.0,  0.15, Shape::Daily),
    ("shop",     "eu-west-1", "t3.medium",   "Linux",   10.0,   2.0,  0.00, Shape::Daily),
    ("platform", "us-east-1", "m5.4xlarge",  "Linux",    5.0,   0.0,  0.00, Shape::Flat),
    ("platform", "us-east-1", "c5.4xlarge",  "Linux",    0.0,  20.0,  0.10, Shape::Night),
    ("platform", "us-east-1", "r5.large",    "Linux",   12.0,   0.0,  0.00, Shape::Flat),
    ("platform", "eu-west-1", "c5.4xlarge",  "Linux",    0.0,   8.0,  0.10, Shape::Night),
    ("platform", "eu-west-1", "m5.2xlarge",  "Linux",    5.0,   0.0,  0.00, Shape::Flat),
    ("research", "us-east-1", "p3.2xlarge",  "Linux",    3.0,   6.0,  0.50, Shape::Campaigns),
    ("research", "us-east-1", "p3.8xlarge",  "Linux",    1.0,   3.0,  0.50, Shape::Campaigns),
    ("research", "eu-west-1", "p3.2xlarge",  "Linux",    1.0,   3.0,  0.20, Shape::Campaigns),
    ("office",   "us-east-1", "m5.xlarge",   "Windows",  4.0,  10.0,  0.00, Shape::Office),
    ("office",   "us-east-1", "m5.2xlarge",  "Windows",  3.0,   0.0,  0.00, Shape::Flat),
    ("office",   "us-east-1", "t3.micro",    "Linux",    6.0,  12.0,  0.00, Shape::Office),
    ("office",   "eu-west-1", "m5.large",    "Windows",  2.0,   6.0,  0.00, Shape::Office),
    ("office",   "eu-west-1", "t3.small",    "Linux",    4.0,  10.0,  0.00, Shape::Office),
];

const YEAR: i32 = 2025;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let usage = usage(arguments.seed)?;
    usage.write(arguments.out.join("usage.csv.gz"))?;
    println!("{}: {} lines x {} hours", arguments.out.join("usage.csv.gz").display(), usage.lines().len(), usage.grid().count);
    if let Some(prices) = arguments.prices {
        let catalog = catalog(&Catalog::read(&prices)?, &usage, arguments.price_date)?;
        catalog.write(arguments.out.join("catalog.json"))?;
        println!(
            "{}: {} prices, {} offers",
            arguments.out.join("catalog.json").display(),
            catalog.prices().len(),
            catalog.offers().len()
        );
    }
    let again = UsageCurves::read(arguments.out.join("usage.csv.gz"))?;
    assert_eq!(again, usage, "the file reads back as other curves");
    Ok(())
}

fn usage(seed: u64) -> Result<UsageCurves, Box<dyn Error>> {
    let start: DateTime<Utc> = format!("{YEAR}-01-01T00:00:00Z").parse()?;
    let grid = HourGrid { first: Hour::containing(start), count: 8760 };
    let mut quantity = Array2::zeros((grid.count, WORKLOADS.len()));
    let mut lines = Vec::new();
    for (column, (account, region, instance_type, platform, base, swing, growth, shape)) in WORKLOADS.iter().enumerate() {
        lines.push(UsageLine::new(instance_sku(region, instance_type, platform, "shared"), *account));
        let mut random = ChaCha8Rng::seed_from_u64(seed.wrapping_add(column as u64));
        let campaigns = campaigns(&mut random);
        let mut drift = 0.0;
        for (index, hour) in grid.hours().enumerate() {
            // Noise that lasts for about a day, so that neighbouring hours are alike.
            drift = 0.96 * drift + 0.04 * (random.random::<f64>() - 0.5);
            let trend = 1.0 + growth * index as f64 / grid.count as f64;
            let level = (base + swing * activity(*shape, hour, region, &campaigns)) * trend * (1.0 + drift);
            quantity[(index, column)] = level.max(0.0).round();
        }
    }
    Ok(UsageCurves::new(grid, lines, quantity)?)
}

/// How active a workload is in an hour, from 0 to 1.
fn activity(shape: Shape, hour: Hour, region: &str, campaigns: &[(usize, usize)]) -> f64 {
    let utc = hour.start();
    let offset = if region == "eu-west-1" { 0 } else { 19 }; // hours ahead of UTC, without daylight saving
    let local = (utc.hour() + offset) % 24;
    let weekend = utc.weekday().num_days_from_monday() >= 5;
    match shape {
        Shape::Flat => 0.0,
        Shape::Daily => {
            let day = 0.5 - 0.5 * (std::f64::consts::TAU * f64::from(local + 21) / 24.0).cos();
            let season = if utc.month() >= 11 { 1.2 } else { 1.0 };
            day * season * if weekend { 0.7 } else { 1.0 }
        }
        Shape::Office => f64::from(u8::from(!weekend && (7..19).contains(&local))),
        Shape::Night => f64::from(u8::from((1..5).contains(&local))),
        Shape::Campaigns => {
            let day = usize::try_from(utc.ordinal0()).unwrap_or(0);
            f64::from(u8::from(campaigns.iter().any(|(first, last)| (*first..*last).contains(&day))))
        }
    }
}

/// Training campaigns: first day and the day after the last.
fn campaigns(random: &mut ChaCha8Rng) -> Vec<(usize, usize)> {
    let mut campaigns = Vec::new();
    let mut day = random.random_range(0..20);
    while day < 365 {
        let length = random.random_range(4..25);
        campaigns.push((day, day + length));
        day += length + random.random_range(3..20);
    }
    campaigns
}

/// The part of a price list that this usage needs, in the library's own format.
fn catalog(prices: &Catalog, usage: &UsageCurves, date: Option<NaiveDate>) -> Result<Catalog, Box<dyn Error>> {
    let relevant = prices.relevant_to(usage);
    let used = |id: &str| relevant.price_with_id(id).is_some_and(|price| usage.lines().iter().any(|line| line.sku == price.sku));
    let keep = |offer: &&Offer| match &offer.benefit {
        Benefit::Reservation { sku, .. } => used(sku),
        Benefit::SpendPlan { .. } => true,
    };
    let offers = relevant.offers().iter().filter(keep).cloned().map(|mut offer| {
        if let Benefit::SpendPlan { rates, .. } = &mut offer.benefit {
            rates.retain(|id, _| used(id));
        }
        offer
    });
    let kept = relevant.prices().iter().filter(|price| used(&price.id)).cloned().collect();
    let source = "AWS list prices as published by ec2instances.info; Reserved Instance fees and Savings Plan rates derived where an offer says so";
    Ok(Catalog::new(prices.currency(), date, source, kept, offers.collect())?)
}
