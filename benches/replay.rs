//! Speed of the judge: 300 lines x 8,760 hours under 60 commitments, in f64 (planning) and in Decimal (the bill).

#![allow(clippy::unwrap_used, clippy::cast_precision_loss, clippy::integer_division, missing_docs)]

#[path = "../tests/common/mod.rs"]
mod common;

use covermix::billing::{Judge, Rules};
use covermix::portfolio::Portfolio;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use rust_decimal::Decimal;

const LINES: usize = 300;
const HOURS: usize = 8760;

fn replay(criterion: &mut Criterion) {
    let ids: Vec<String> = (0..LINES).map(|line| format!("t{line}.large")).collect();
    let prices: Vec<_> = ids.iter().enumerate().map(|(line, id)| common::price(id, &format!("0.{}", 100 + line), None)).collect();
    let lines: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), "a")).collect();
    let shape = |(hour, line): (usize, usize)| 20.0 + ((hour * 7 + line * 13) % 24) as f64 + ((hour + line) % 16) as f64 / 16.0;
    let usage = common::usage(&prices, &lines, Array2::from_shape_fn((HOURS, LINES), shape));
    let reserved = (0..56).map(|index| common::reservation(&format!("ri{index:02}"), &ids[index], None, "0", "0.06"));
    let plans = (0..4).map(|index| {
        let rates: Vec<(String, String)> =
            ids.iter().enumerate().map(|(line, id)| (id.clone(), format!("0.0{}", 60 + (line + index) % 30))).collect();
        let rates: Vec<(&str, &str)> = rates.iter().map(|(id, rate)| (id.as_str(), rate.as_str())).collect();
        common::plan(&format!("sp{index}"), "Compute", &rates, "0", "1")
    });
    let catalog = common::catalog(prices, reserved.chain(plans).collect());
    let held = catalog.offers().iter().map(|offer| {
        let (quantity, scope) = if offer.is_spend_plan() { (50, "shared") } else { (18, "region") };
        common::commitment(&offer.id, Decimal::from(quantity), "a", scope)
    });
    let portfolio = Portfolio::new(Vec::new(), held.collect()).unwrap();
    let judge = Judge::new(&usage, &catalog, &portfolio, &Rules::default()).unwrap();
    let (fast, exact) = (judge.cost(), judge.bill().total().cost().to_f64());
    assert!((fast - exact).abs() <= 1e-9 * exact, "{fast} against {exact}");
    let mut group = criterion.benchmark_group("replay");
    group.throughput(Throughput::Elements((LINES * HOURS) as u64)).sample_size(10);
    group.bench_function("f64", |bencher| bencher.iter(|| judge.cost()));
    group.bench_function("decimal", |bencher| bencher.iter(|| judge.bill()));
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
