//! What must hold for transforms of usage and for bootstrap scenarios, whatever the usage.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use covermix::scenario::bootstrap::{Bootstrap, GrowthDistribution, Setting};
use covermix::scenario::transform::{Context, Driver, NewLine, Select, Target, Transform, apply_all, repeat};
use covermix::scenario::{Scenario, Scenarios};
use covermix::time::{Hour, HourGrid};
use covermix::usage::{Provider, Sku, UsageCurves, UsageLine};
use ndarray::Array2;
use proptest::prelude::*;
use std::collections::BTreeMap;

const WEEK: usize = 168;

fn sku(name: &str) -> Sku {
    Sku {
        provider: Provider::Aws,
        service: "AmazonEC2".into(),
        region: "us-east-1".into(),
        sku: name.into(),
        platform: "Linux".into(),
        tenancy: "shared".into(),
        unit: "instance-hour".into(),
    }
}

fn curves(hours: usize, value: impl Fn(usize, usize) -> f64) -> UsageCurves {
    let lines = ["c5.large", "m5.large", "m5.xlarge"].map(|name| UsageLine::new(sku(name), "a")).to_vec();
    let first = "2024-01-01T00:00:00Z".parse::<Hour>().unwrap();
    UsageCurves::new(HourGrid { first, count: hours }, lines, Array2::from_shape_fn((hours, 3), |(h, l)| value(h, l))).unwrap()
}

fn any_curves() -> impl Strategy<Value = UsageCurves> {
    prop::collection::vec(0.0_f64..100.0, 3 * 400).prop_map(|values| curves(400, |hour, line| values[3 * hour + line]))
}

fn drivers() -> BTreeMap<String, Driver> {
    let monthly = BTreeMap::from([("2024-01".to_owned(), 120.0)]);
    BTreeMap::from([("users".to_owned(), Driver { unit: "users".into(), base: 100.0, monthly })])
}

fn select() -> impl Strategy<Value = Select> {
    prop::sample::select(vec![None, Some("m5.*"), Some("c5.large")])
        .prop_map(|sku| Select { sku: sku.map(str::to_owned), ..Select::default() })
}

/// Transforms that multiply: they commute.
fn factor() -> impl Strategy<Value = Transform> {
    let at = |hours: i64| "2024-01-01T00:00:00Z".parse::<Hour>().unwrap().plus(hours).start();
    prop_oneof![
        (select(), -0.9_f64..3.0).prop_map(move |(select, annual)| Transform::Growth { select, annual, from: Some(at(100)) }),
        (select(), 0.0_f64..2.0).prop_map(|(select, elasticity)| Transform::Driver {
            select,
            driver: "users".into(),
            elasticity
        }),
        (select(), 0.0_f64..3.0, 0_i64..300).prop_map(move |(select, factor, hour)| Transform::Step {
            select,
            from: at(hour),
            until: Some(at(hour + 50)),
            factor,
            amount: 0.0
        }),
        (select(), prop::collection::vec(0.0_f64..2.0, WEEK)).prop_map(|(select, hour_of_week)| Transform::Season {
            select,
            month: Vec::new(),
            hour_of_week
        }),
        (select(), 0.0_f64..2.0).prop_map(|(select, factor)| Transform::Holiday {
            select,
            days: ["2024-01-06".parse().unwrap()].into(),
            factor
        }),
    ]
}

fn close(left: &UsageCurves, right: &UsageCurves) -> bool {
    left.lines() == right.lines()
        && left.quantity().iter().zip(right.quantity()).all(|(a, b)| (a - b).abs() <= 1e-9 * (1.0 + a.abs()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn factors_commute_and_compose(usage in any_curves(), one in factor(), two in factor()) {
        let drivers = drivers();
        let context = Context { drivers: &drivers, catalog: None };
        let there = apply_all(&[one.clone(), two.clone()], &usage, context).unwrap();
        let back = apply_all(&[two.clone(), one.clone()], &usage, context).unwrap();
        prop_assert!(close(&there, &back));
        let by_hand = two.apply(&one.apply(&usage, context).unwrap(), context).unwrap();
        prop_assert_eq!(there, by_hand);
        let text = serde_json::to_string(&one).unwrap();
        let read = serde_json::from_str::<Transform>(&text).unwrap();
        prop_assert!(close(&read.apply(&usage, context).unwrap(), &one.apply(&usage, context).unwrap()));
    }

    #[test]
    fn growth_rates_multiply(usage in any_curves(), one in -0.5_f64..1.0, two in -0.5_f64..1.0) {
        let drivers = drivers();
        let context = Context { drivers: &drivers, catalog: None };
        let growth = |annual| Transform::Growth { select: Select::default(), annual, from: None };
        let twice = apply_all(&[growth(one), growth(two)], &usage, context).unwrap();
        let once = growth((1.0 + one) * (1.0 + two) - 1.0).apply(&usage, context).unwrap();
        prop_assert!(close(&twice, &once));
    }

    #[test]
    fn identity_is_identity(usage in any_curves()) {
        let drivers = drivers();
        let context = Context { drivers: &drivers, catalog: None };
        let at = usage.grid().hour(50).start();
        let nothing = [
            Transform::Growth { select: Select::default(), annual: 0.0, from: None },
            Transform::Driver { select: Select::default(), driver: "users".into(), elasticity: 0.0 },
            Transform::Step { select: Select::default(), from: at, until: None, factor: 1.0, amount: 0.0 },
            Transform::Season { select: Select::default(), month: vec![1.0; 12], hour_of_week: Vec::new() },
        ];
        prop_assert_eq!(&apply_all(&nothing, &usage, context).unwrap(), &usage);
        prop_assert_eq!(&apply_all(&[], &usage, context).unwrap(), &usage);
        prop_assert_eq!(&repeat(&usage, usage.grid()).unwrap(), &usage);
    }

    #[test]
    fn a_migration_conserves_work(usage in any_curves(), share in 0.0_f64..=1.0, efficiency in 0.2_f64..3.0, region in any::<bool>()) {
        let drivers = drivers();
        let context = Context { drivers: &drivers, catalog: None };
        let to = if region { Target { region: Some("eu-west-1".into()), ..Target::default() } } else { Target { sku: Some("m5.xlarge".into()), ..Target::default() } };
        let from = usage.grid().hour(100).start();
        let until = Some(usage.grid().hour(200).start());
        let select = Select { sku: Some("m5.large".into()), ..Select::default() };
        let moved = Transform::Migrate { select, to, from, until, share, efficiency }.apply(&usage, context).unwrap();
        let work = |curves: &UsageCurves, hour: usize| -> f64 {
            curves.lines().iter().zip(curves.at(hour)).map(|(line, quantity)| {
                let is_new = line.sku.region == "eu-west-1" || (!region && line.sku.sku == "m5.xlarge");
                if is_new { quantity / efficiency } else { *quantity }
            }).sum()
        };
        for hour in [0, 99, 100, 150, 200, 399] {
            // Usage of the target line before the migration counts as much before as after.
            let base = if region { 0.0 } else { usage.at(hour)[2] * (1.0 / efficiency - 1.0) };
            let plain: f64 = usage.at(hour).iter().sum();
            prop_assert!((work(&moved, hour) - plain - base).abs() < 1e-9 * (1.0 + plain) * (1.0 + 1.0 / efficiency));
        }
        let old = moved.lines().iter().position(|line| line.sku == sku("m5.large")).unwrap();
        prop_assert!((moved.at(399)[old] - usage.at(399)[1] * (1.0 - share)).abs() < 1e-9 * (1.0 + usage.at(399)[1]));
    }
}

#[test]
fn a_launch_runs_between_its_dates_only() {
    let usage = curves(400, |_, _| 1.0);
    let drivers = BTreeMap::new();
    let (from, until) = (usage.grid().hour(10).start(), Some(usage.grid().hour(20).start()));
    let launch = Transform::Launch { line: NewLine { sku: sku("p5.48xlarge"), account: "a".into() }, quantity: 8.0, from, until };
    let after = launch.apply(&usage, Context { drivers: &drivers, catalog: None }).unwrap();
    let column = after.lines().iter().position(|line| line.sku.sku == "p5.48xlarge").unwrap();
    assert_eq!(format!("{:?}", [9, 10, 19, 20].map(|hour| after.at(hour)[column])), "[0.0, 8.0, 8.0, 0.0]");
}

/// A past with a day, a weekend, noise common to all lines, and growth.
fn past() -> UsageCurves {
    curves(WEEK * 40, |hour, line| {
        let (day, week) = (hour % 24, hour % WEEK);
        #[allow(clippy::cast_precision_loss)]
        let (hour, day, line) = (hour as f64, day as f64, line as f64);
        let common = 1.0 + 0.1 * ((hour / 31.0).sin() + (hour / 97.0).cos());
        let own = 1.0 + 0.02 * (hour * (1.3 + line)).sin();
        let weekend = if week >= 120 { 0.7 } else { 1.0 };
        (100.0 + 50.0 * line + hour / 100.0) * (1.0 + 0.3 * (day * std::f64::consts::TAU / 24.0).sin()) * weekend * common * own
    })
}

/// Mean over scenarios stays within 1 % of the future for each line and within 2 % for each hour of the week: 400 scenarios of 10 weeks.
#[test]
fn a_bootstrap_keeps_mean_profile_and_correlation() {
    let past = past();
    let future = repeat(&past, HourGrid { first: past.grid().hour(past.grid().count - 10 * WEEK), count: 10 * WEEK }).unwrap();
    let bootstrap = Bootstrap::new(&past, &future, Setting { block_weeks: 2, ..Setting::default() }).unwrap();
    let profile = |curves: &UsageCurves, line: usize| -> Vec<f64> {
        let mut sums = vec![0.0; WEEK];
        for hour in 0..curves.grid().count {
            sums[hour % WEEK] += curves.at(hour)[line];
        }
        sums
    };
    let correlation = |curves: &UsageCurves| -> f64 {
        let ratio = |line: usize| -> Vec<f64> {
            (0..future.grid().count).map(|hour| curves.at(hour)[line] / future.at(hour)[line] - 1.0).collect()
        };
        let (left, right) = (ratio(0), ratio(2));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        dot(&left, &right) / (dot(&left, &left) * dot(&right, &right)).sqrt()
    };
    let mut sums = vec![vec![0.0; WEEK]; 3];
    let mut together = 0.0;
    for scenario in bootstrap.scenarios(400) {
        let scenario = scenario.unwrap();
        for (line, sums) in sums.iter_mut().enumerate() {
            for (sum, value) in sums.iter_mut().zip(profile(&scenario, line)) {
                *sum += value / 400.0;
            }
        }
        together += correlation(&scenario) / 400.0;
    }
    for (line, sums) in sums.iter().enumerate() {
        let expected = profile(&future, line);
        let mean = sums.iter().sum::<f64>() / expected.iter().sum::<f64>();
        assert!((mean - 1.0).abs() < 0.01, "line {line}: mean {mean}");
        for (hour, (sum, expected)) in sums.iter().zip(&expected).enumerate() {
            assert!((sum / expected - 1.0).abs() < 0.02, "line {line}, hour of week {hour}: {}", sum / expected);
        }
    }
    assert!(together > 0.9, "lines that moved together have a correlation of {together}");
}

#[test]
fn a_bootstrap_is_the_same_for_the_same_seed_and_grows_as_asked() {
    let past = past();
    let future = repeat(&past, HourGrid { first: past.grid().hour(past.grid().count), count: 52 * WEEK }).unwrap();
    let growth = Some(GrowthDistribution { median: 0.2, deviation: 0.1 });
    let bootstrap = Bootstrap::new(&past, &future, Setting { growth, ..Setting::default() }).unwrap();
    assert_eq!(bootstrap.scenario(7).unwrap(), bootstrap.scenarios(8).last().unwrap().unwrap());
    assert_ne!(bootstrap.scenario(7).unwrap(), bootstrap.scenario(8).unwrap());
    let tail = |curves: &UsageCurves| (51 * WEEK..52 * WEEK).map(|hour| curves.at(hour).iter().sum::<f64>()).sum::<f64>();
    let mut factors: Vec<f64> = (0..301).map(|index| tail(&bootstrap.scenario(index).unwrap()) / tail(&future)).collect();
    factors.sort_by(f64::total_cmp);
    assert!((factors[150] - 1.2).abs() < 0.05, "median growth {}", factors[150]);
    let bad = Setting { block_weeks: 0, ..Setting::default() };
    assert!(Bootstrap::new(&past, &future, bad).unwrap_err().to_string().contains("block_weeks"));
}

#[test]
fn probabilities_must_sum_to_one() {
    let one = |name: &str, probability: f64| Scenario {
        name: name.into(),
        probability,
        usage: curves(10, |_, _| 1.0),
        prices: Vec::new(),
    };
    let message = Scenarios::new(vec![one("base", 0.6), one("low", 0.3)]).unwrap_err().to_string();
    assert!(message.contains("base 0.6") && message.contains("low 0.3") && message.contains("sum"), "{message}");
    assert!(Scenarios::new(vec![one("base", 0.5), one("base", 0.5)]).unwrap_err().to_string().contains("twice"));
    assert!(Scenarios::new(vec![one("base", 1.2), one("low", -0.2)]).is_err());
    assert!(Scenarios::new(Vec::new()).is_err());
    assert!(Scenarios::new(vec![one("base", 0.5), one("low", 0.5)]).is_ok());
}
