//! How the planner grows with the size of the problem: plans a made-up fleet of any size, from a seed, and prints what it took.
//!
//! ```text
//! cargo run --release --example scale -- --pools 300 --hours 8760 --scenarios 1 --seed 1
//! cargo run --release --example scale -- --pools 20 --hours 8760 --extensive          # the same problem whole, by HiGHS
//! cargo run --release --example scale -- --pools 5 --hours 336 --mps problem.mps      # for another solver
//! ```
//!
//! The fleet. Each pool is an instance family of its own with one line of usage: whole instances, a base of 4 to 60 (log-normal), a daily
//! and a weekly swing, noise that lasts (an autoregressive process), and growth or decline over the year. Scenarios differ in growth (of the
//! whole company and of each pool) and in noise; they are equally likely. On-demand prices are 0.05 to 2.00 an hour. Offers: for each pool one
//! convertible reservation (1 year, half of it paid upfront) and one instance-family plan (1 year, nothing upfront); over all pools one shared plan
//! of 1 year and one of 3 years, nothing upfront, with rates of their own for each pool.
//!
//! The policy: five rules (limits as shares of the on-demand cost C of an hour, on the average of all scenarios): upfront payments up to 300 C,
//! remaining obligations up to 4,000 C, at most 40 % for three years, at least 10 % exchangeable, at most 30 % in instance-family plans.

#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "an example prints")]

use clap::Parser;
use covermix::catalog::{Benefit, Catalog, Offer, OnDemandPrice, PaymentOption, Right, ScopeKind};
use covermix::planning::{Options, Planner, Policy, Selection, ShareRule};
use covermix::time::{Hour, HourGrid, Term};
use covermix::units::{Money, MoneyPerHour, UnitPrice, to_decimal};
use covermix::usage::{Pattern, Provider, Sku, UsageCurves, UsageLine};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal, Normal};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Plans a fleet of any size.
#[derive(Parser)]
struct Arguments {
    /// How many pools.
    #[arg(long, default_value_t = 20)]
    pools: usize,
    /// How many hours.
    #[arg(long, default_value_t = 8760)]
    hours: usize,
    /// How many scenarios.
    #[arg(long, default_value_t = 1)]
    scenarios: usize,
    /// The seed of the fleet.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The gap that is good enough: 1e-4 up to a million pool-hours if not said, 1e-3 beyond.
    #[arg(long)]
    gap: Option<f64>,
    /// Leave out the five policy rules.
    #[arg(long)]
    no_policy: bool,
    /// Solve the extensive form by HiGHS too. Only for small fleets.
    #[arg(long)]
    extensive: bool,
    /// Write the extensive form (fractional purchases) to this file.
    #[arg(long)]
    mps: Option<PathBuf>,
    /// The seconds after which the best plan so far is taken.
    #[arg(long, default_value_t = 600)]
    time_limit: u64,
    /// Print JSON (the default, since there is nothing else to print).
    #[arg(long)]
    json: bool,
    /// Print every round of the search to standard error.
    #[arg(long)]
    verbose: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if arguments.verbose {
        tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(std::io::stderr).init();
    }
    let mut random = ChaCha8Rng::seed_from_u64(arguments.seed);
    let fleet = Fleet::new(arguments.pools, &mut random)?;
    let catalog = fleet.catalog()?;
    let usages: Vec<UsageCurves> = (0..arguments.scenarios.max(1))
        .map(|scenario| fleet.usage(arguments.hours, arguments.seed.wrapping_mul(1000).wrapping_add(scenario as u64)))
        .collect::<Result<_, _>>()?;
    let mean: f64 = usages.iter().map(|usage| fleet.on_demand(usage)).sum::<f64>() / (usages.len() * arguments.hours) as f64;
    let policy = if arguments.no_policy { Policy::default() } else { policy(mean)? };
    let mut planner = Planner::new(&catalog).policy(policy);
    for (index, usage) in usages.iter().enumerate() {
        planner = planner.scenario(format!("scenario {}", index + 1), 1.0 / usages.len() as f64, usage);
    }
    let started = Instant::now();
    let problem = planner.build()?;
    let seconds_build = started.elapsed().as_secs_f64();
    let size = arguments.pools * arguments.hours * usages.len();
    let relative_gap = arguments.gap.unwrap_or(if size > 1_000_000 { 1e-3 } else { 1e-4 });
    let options = Options { relative_gap, time_limit: Duration::from_secs(arguments.time_limit), ..Options::default() };
    let solution = problem.search(&options)?;
    let certificate = solution.certificate();
    let mut answer = serde_json::json!({
        "pools": arguments.pools, "hours": arguments.hours, "scenarios": usages.len(), "seed": arguments.seed,
        "policy_rules": if arguments.no_policy { 0 } else { 5 },
        "seconds_total": started.elapsed().as_secs_f64(), "seconds_build": seconds_build,
        "seconds_sweep": solution.seconds_sweep, "sweeps": solution.sweeps,
        "lower_bound": solution.lower_bound, "relaxed_cost": solution.relaxed_cost, "billed_cost": certificate.billed_cost,
        "gap": certificate.gap, "gap_by_billing_order": certificate.billing_order / certificate.billed_cost,
        "gap_by_integrality": certificate.integrality / certificate.billed_cost,
        "gap_by_tolerance": certificate.tolerance / certificate.billed_cost,
        "integer": true, "status": solution.status.to_string(),
        "on_demand": mean * arguments.hours as f64, "peak_rss_mb": peak_rss_mb(),
    });
    if let Some(path) = &arguments.mps {
        problem.extensive(false).write_mps(BufWriter::new(File::create(path)?))?;
    }
    if arguments.extensive {
        let form = problem.extensive(false);
        let started = Instant::now();
        let cost = form.solve()?;
        let seconds = started.elapsed().as_secs_f64();
        answer["extensive_seconds"] = seconds.into();
        answer["extensive_cost"] = cost.into();
        answer["times_faster"] = (seconds / solution.time.as_secs_f64()).into();
    }
    println!("{}", serde_json::to_string_pretty(&answer)?);
    Ok(())
}

/// Prices and shapes of the pools.
struct Fleet {
    pools: Vec<Pool>,
}

struct Pool {
    price: f64,
    /// Effective rates as shares of the on-demand price: reservation, family plan, shared plan of one and of three years.
    rates: [f64; 4],
    base: f64,
    daily: f64,
    weekly: f64,
    noise: f64,
    growth: f64,
}

impl Fleet {
    fn new(count: usize, random: &mut ChaCha8Rng) -> Result<Self, Box<dyn Error>> {
        let base: LogNormal<f64> = LogNormal::new(2.8, 0.7)?;
        let mut pool = || Pool {
            price: (random.random_range(0.05_f64.ln()..2.0_f64.ln())).exp(),
            rates: [
                random.random_range(0.60..0.66),
                random.random_range(0.61..0.68),
                random.random_range(0.69..0.76),
                random.random_range(0.48..0.56),
            ],
            base: base.sample(random).clamp(4.0, 60.0),
            daily: random.random_range(0.0..0.5),
            weekly: random.random_range(0.0..0.3),
            noise: random.random_range(0.02..0.12),
            growth: random.random_range(-0.3..0.5),
        };
        Ok(Self { pools: (0..count).map(|_| pool()).collect() })
    }

    fn usage(&self, hours: usize, seed: u64) -> Result<UsageCurves, Box<dyn Error>> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let shock = Normal::new(0.0, 1.0)?;
        let company: f64 = 0.1 * shock.sample(&mut random);
        let mut quantity = Array2::zeros((hours, self.pools.len()));
        for (column, pool) in self.pools.iter().enumerate() {
            let growth = pool.growth + company + 0.1 * shock.sample(&mut random);
            let phase = random.random_range(0.0..6.0);
            let mut lasting: f64 = 0.0;
            for hour in 0..hours {
                let time = hour as f64;
                lasting = 0.97 * lasting + 0.243 * shock.sample(&mut random);
                let day = ((time - phase) / 24.0 * std::f64::consts::TAU).sin();
                let is_weekend = (hour.div_euclid(24)) % 7 >= 5;
                let level = 1.0 + growth * time / 8760.0 + pool.daily * day - if is_weekend { pool.weekly } else { 0.0 };
                quantity[(hour, column)] = (pool.base * (level + pool.noise * lasting)).round().max(0.0);
            }
        }
        let lines = (0..self.pools.len()).map(|pool| UsageLine::new(sku(pool), "000000000000")).collect();
        // 2026-01-05, a Monday.
        Ok(UsageCurves::new(HourGrid { first: Hour::from_epoch(490_968), count: hours }, lines, quantity)?)
    }

    fn on_demand(&self, usage: &UsageCurves) -> f64 {
        usage.totals().iter().zip(&self.pools).map(|(total, pool)| total * pool.price).sum()
    }

    fn catalog(&self) -> Result<Catalog, Box<dyn Error>> {
        let decimal = |value: f64| to_decimal((value * 1e4).round() / 1e4).unwrap_or(Decimal::ONE);
        let prices: Vec<OnDemandPrice> = self
            .pools
            .iter()
            .enumerate()
            .map(|(pool, of)| {
                let json = serde_json::json!({"id": id(pool), "sku": sku(pool), "price": decimal(of.price).to_string()});
                serde_json::from_value(json)
            })
            .collect::<Result<_, _>>()?;
        let mut offers = Vec::new();
        let shared = |plan: usize| -> BTreeMap<String, UnitPrice> {
            let rate = |(pool, of): (usize, &Pool)| (id(pool), UnitPrice::new(decimal(of.price * of.rates[plan])));
            self.pools.iter().enumerate().map(rate).collect()
        };
        for (pool, of) in self.pools.iter().enumerate() {
            let half = decimal(of.price * of.rates[0] / 2.0);
            let reservation = Benefit::Reservation { sku: id(pool), pool: None };
            let term = Term::AWS_ONE_YEAR;
            let upfront = Money::new(half * term.list_hours());
            offers.push(offer(&format!("reserved-{pool:05}"), &reservation, term, upfront, MoneyPerHour::new(half))?);
            let rates = BTreeMap::from([(id(pool), UnitPrice::new(decimal(of.price * of.rates[1])))]);
            let plan = Benefit::SpendPlan { plan: "EC2Instance".into(), family: format!("f{pool:05}"), rates };
            let one = MoneyPerHour::new(Decimal::ONE);
            offers.push(offer(&format!("family-{pool:05}"), &plan, term, Money::ZERO, one)?);
        }
        for (name, plan, term) in [("shared-1y", 2, Term::AWS_ONE_YEAR), ("shared-3y", 3, Term::AWS_THREE_YEARS)] {
            let benefit = Benefit::SpendPlan { plan: "Compute".into(), family: String::new(), rates: shared(plan) };
            offers.push(offer(name, &benefit, term, Money::ZERO, MoneyPerHour::new(Decimal::ONE))?);
        }
        Ok(Catalog::new("USD", None, "invented by examples/scale.rs", prices, offers)?)
    }
}

fn id(pool: usize) -> String {
    format!("f{pool:05}.large")
}

fn sku(pool: usize) -> Sku {
    Sku {
        provider: Provider::Aws,
        service: "AmazonEC2".into(),
        region: "us-east-1".into(),
        sku: id(pool),
        platform: "Linux".into(),
        tenancy: "shared".into(),
        unit: "instance-hour".into(),
    }
}

fn offer(id: &str, benefit: &Benefit, term: Term, upfront: Money, recurring: MoneyPerHour) -> Result<Offer, Box<dyn Error>> {
    let is_plan = matches!(benefit, Benefit::SpendPlan { .. });
    let scope = if is_plan { ScopeKind::Shared } else { ScopeKind::Region };
    let rights = if is_plan { BTreeSet::new() } else { BTreeSet::from([Right::Exchange]) };
    let payment = if upfront > Money::ZERO { PaymentOption::PartialUpfront } else { PaymentOption::NoUpfront };
    let json = serde_json::json!({
        "id": id, "provider": "aws", "service": "AmazonEC2", "benefit": benefit, "term": term, "payment_option": payment,
        "upfront": upfront, "recurring": recurring, "scopes": BTreeSet::from([scope]), "rights": rights,
    });
    Ok(serde_json::from_value(json)?)
}

/// The five rules, for a mean on-demand cost of an hour.
fn policy(on_demand: f64) -> Result<Policy, Box<dyn Error>> {
    let money = |hours: f64| Money::from_f64((hours * on_demand).round()).ok_or("too much money");
    let exchangeable = Selection { rights: BTreeSet::from([Right::Exchange]), ..Selection::default() };
    let family_plans = Selection { offers: vec![Pattern::from("family-*")], ..Selection::default() };
    Ok(Policy {
        upfront_budget: Some(money(300.0)?),
        max_remaining_obligation: Some(money(4000.0)?),
        max_share_three_year: Some(0.4),
        shares: vec![
            ShareRule { of: exchangeable, minimum: Some(0.1), maximum: None },
            ShareRule { of: family_plans, minimum: None, maximum: Some(0.3) },
        ],
        ..Policy::default()
    })
}

/// The most memory this process has held, where the system tells.
fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kilobytes| kilobytes / 1024.0)
}
