//! Speed and memory of the judge: 300 lines x 8,760 hours under 60 commitments of each provider, in f64 (planning) and in Decimal (the
//! bill). Before the timings it checks that both agree and prints the peak memory of a replay (Linux) against the size of the curves.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss, clippy::integer_division, clippy::print_stderr, missing_docs)]

use covermix::billing::{Judge, Rules};
use covermix::catalog::{Catalog, Offer, OnDemandPrice};
use covermix::portfolio::{Commitment, Portfolio};
use covermix::time::HourGrid;
use covermix::usage::{UsageCurves, UsageLine};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use serde_json::{Value, json};

const LINES: usize = 300;
const HOURS: usize = 8760;
const RESERVATIONS: usize = 56;
const PLANS: usize = 4;

/// A provider's words: name, service, plan type, scope of reservations.
const PROVIDERS: [(&str, &str, &str, &str); 3] = [
    ("aws", "AmazonEC2", "Compute", "region"),
    ("azure", "Virtual Machines", "Compute", "shared"),
    ("gcp", "Compute Engine", "Compute flexible", "shared"),
];

fn estate((provider, service, plan, scope): (&str, &str, &str, &str)) -> (UsageCurves, Catalog, Portfolio) {
    let term = if provider == "aws" { "P365D" } else { "P1Y" };
    let id = |line: usize| format!("t{line:03}.large");
    let price = |line: usize| format!("0.{}", 100 + line);
    let prices: Vec<OnDemandPrice> = (0..LINES)
        .map(|line| {
            let sku = json!({"provider": provider, "service": service, "region": "r", "sku": id(line), "unit": "h"});
            let family = if line % 6 == 0 { "N1" } else { "" };
            serde_json::from_value(json!({"id": id(line), "sku": sku, "price": price(line), "family": family})).unwrap()
        })
        .collect();
    let offer = |id: String, benefit: Value, recurring: &str| -> Offer {
        serde_json::from_value(json!({"id": id, "provider": provider, "service": service, "benefit": benefit, "term": term,
            "payment_option": "no_upfront", "upfront": "0", "recurring": recurring, "scopes": [scope, "shared"]}))
        .unwrap()
    };
    let mut offers: Vec<Offer> = (0..RESERVATIONS)
        .map(|line| offer(format!("ri{line:02}"), json!({"kind": "reservation", "sku": id(line)}), "0.06"))
        .collect();
    offers.extend((0..PLANS).map(|plan_number| {
        // Google's rates are the on-demand prices less one discount; the others' discounts differ.
        let rate = |line: usize| match provider {
            "gcp" => format!("0.{:05}", (100 + line) * 72),
            _ => format!("0.0{}", 60 + (line + plan_number) % 30),
        };
        let rates: serde_json::Map<String, Value> = (0..LINES).map(|line| (id(line), json!(rate(line)))).collect();
        offer(format!("sp{plan_number}"), json!({"kind": "spend_plan", "plan": plan, "rates": rates}), "1")
    }));
    let held: Vec<Commitment> = offers
        .iter()
        .map(|offer| {
            let (quantity, scope) = if offer.is_spend_plan() { ("50", "shared") } else { ("18", scope) };
            serde_json::from_value(
                json!({"id": offer.id, "offer": offer.id, "quantity": quantity, "start": "2023-01-01T00:00:00Z",
                "end": "2024-01-01T00:00:00Z", "account": "a", "scope": {"kind": scope}}),
            )
            .unwrap()
        })
        .collect();
    let lines = prices.iter().map(|price| UsageLine::new(price.sku.clone(), "a")).collect();
    let shape = |(hour, line): (usize, usize)| 20.0 + ((hour * 7 + line * 13) % 24) as f64 + ((hour + line) % 16) as f64 / 16.0;
    let grid = HourGrid { first: "2023-01-01T00:00:00Z".parse().unwrap(), count: HOURS };
    let usage = UsageCurves::new(grid, lines, Array2::from_shape_fn((HOURS, LINES), shape)).unwrap();
    let catalog = Catalog::new("USD", None, "invented", prices, offers).unwrap();
    (usage, catalog, Portfolio::new(Vec::new(), held).unwrap())
}

/// The memory of this process in bytes: now, and the highest since the last reset.
fn memory() -> Option<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
    };
    Some((field("VmRSS:")?, field("VmHWM:")?))
}

/// Prints how far memory rises above what is there before, curves included, against the curves.
fn measure(provider: &str, judge: &Judge<'_>) {
    let curves = (LINES * HOURS * 8) as f64;
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = memory();
    let bill = judge.bill();
    if let (Some((before, _)), Some((_, peak))) = (before, memory()) {
        let above = peak.saturating_sub(before) as f64;
        let times = (curves + above) / curves;
        eprintln!("{provider}: the bill takes {:.1} MB above the curves' {:.1} MB: {times:.2}x", above / 1e6, curves / 1e6);
        assert!(times < 2.0, "{provider}: peak memory is {times} times the curves");
    }
    let (fast, exact) = (judge.cost(), bill.total().cost().to_f64());
    eprintln!("{provider}: f64 {fast}, Decimal {exact}, relative difference {:.1e}", (fast - exact).abs() / exact);
    assert!((fast - exact).abs() <= 1e-9 * exact, "{provider}: {fast} against {exact}");
}

fn replay(criterion: &mut Criterion) {
    for provider in PROVIDERS {
        let (usage, catalog, portfolio) = estate(provider);
        let judge = Judge::new(&usage, &catalog, &portfolio, &Rules::default()).unwrap();
        measure(provider.0, &judge);
        let mut group = criterion.benchmark_group(format!("replay {}", provider.0));
        group.throughput(Throughput::Elements((LINES * HOURS) as u64)).sample_size(10);
        group.bench_function("f64", |bencher| bencher.iter(|| judge.cost()));
        group.bench_function("decimal", |bencher| bencher.iter(|| judge.bill()));
        group.finish();
    }
}

criterion_group!(benches, replay);
criterion_main!(benches);
