//! XIRR of 60 flows: an investment with returns, one with several sign changes, and a thousand at once.
#![allow(missing_docs)]

use covermix::finance::{xirr, xirr_many};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

fn series(seed: u32, mixed: bool) -> (Vec<f64>, Vec<f64>) {
    let years = (0..60_u32).map(|month| f64::from(30 * month + (month * seed) % 7) / 365.0).collect();
    let amount =
        |month: u32| f64::from((month * 7919 + seed * 104_729) % 400) - if mixed && month % 5 == 3 { 300.0 } else { 0.0 };
    let amounts = (0..60_u32).map(|month| if month == 0 { -9_000.0 } else { amount(month) }).collect();
    (years, amounts)
}

fn benchmarks(criterion: &mut Criterion) {
    let (years, amounts) = series(1, false);
    criterion.bench_function("xirr of 60 flows", |bencher| bencher.iter(|| xirr(black_box(&years), black_box(&amounts))));
    let (years, amounts) = series(1, true);
    criterion.bench_function("xirr of 60 flows, many sign changes", |bencher| {
        bencher.iter(|| xirr(black_box(&years), black_box(&amounts)));
    });
    let (years, amounts): (Vec<_>, Vec<_>) = (1..=1000).map(|seed| series(seed, false)).unzip();
    let mut group = criterion.benchmark_group("many");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("1,000 xirr of 60 flows", |bencher| bencher.iter(|| xirr_many(black_box(&years), black_box(&amounts))));
    group.finish();
}

criterion_group!(xirr_benches, benchmarks);
criterion_main!(xirr_benches);
