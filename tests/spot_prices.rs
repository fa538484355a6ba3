//! Spot on real prices: AWS price history and Spot Instance Advisor, Google's price lists of four dates; the same on small files of our own.
//! Figures of the history were computed apart, by a script that shares no code with this library.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::float_cmp,
    reason = "a test may fail by panic; prices are read, not computed"
)]

#[path = "common/shared.rs"]
mod shared;

use covermix::catalog::aws::instance_sku;
use covermix::catalog::{Catalog, CatalogBuilder, SpotHistories, SpotHistory};
use covermix::scenario::spot::{
    BandPoint, InterruptionRate, Outage, PriceDistribution, Recovery, Simulation, SpotTerms, simulate,
};
use shared::shared;
use std::path::{Path, PathBuf};

fn own(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file)
}

/// Work that checkpoints as often as pays, and two hours on demand after an interruption.
fn checked(rate: InterruptionRate) -> (Recovery, Outage) {
    let none = Recovery::Checkpoint { interval_hours: 1.0, checkpoint_hours: 0.02, restart_hours: 0.1 };
    (Recovery::best_checkpoint(rate, 0.02, 0.1).unwrap_or(none), Outage::OnDemand { hours: 2.0 })
}

/// What holds of any history: order of the figures, and an effective price between spot and on demand that the simulation confirms.
fn check(history: &SpotHistory, on_demand: f64) -> PriceDistribution {
    let prices = PriceDistribution::of_history(history).unwrap();
    let quantiles: Vec<f64> = [0.0, 0.1, 0.5, 0.9, 1.0].iter().map(|share| prices.quantile(*share).unwrap()).collect();
    assert!(quantiles.is_sorted() && (quantiles[0]..=quantiles[4]).contains(&prices.mean()));
    assert!((prices.share_within(quantiles[2]) - 0.5) >= 0.0);
    let median = quantiles[2];
    let by_bid = prices.interruptions_at(median).unwrap();
    assert!(prices.interruptions_at(quantiles[4]).unwrap() == InterruptionRate::NEVER && by_bid >= InterruptionRate::NEVER);
    let rate = by_bid.and(InterruptionRate::from_monthly_share(0.1).unwrap());
    let (recovery, outage) = checked(rate);
    let terms = SpotTerms { spot_price: prices.mean(), on_demand_price: on_demand, rate, recovery, outage };
    let effective = terms.effective_price().unwrap();
    assert!(effective.price > prices.mean() && effective.price < on_demand, "{effective:?}");
    let block_hours = prices.hourly().len().min(24);
    let runs = simulate(&terms, &prices, &Simulation { work_hours: 1000.0, runs: 60, seed: 3, block_hours }).unwrap();
    let far = (runs.mean() - effective.on_spot).abs();
    assert!(far < 5.0 * runs.standard_error() + 0.01 * effective.on_spot, "{} is not {}", runs.mean(), effective.on_spot);
    prices
}

#[test]
fn small_histories() {
    let histories = SpotHistories::read(own("aws/spot-history.json")).unwrap();
    assert_eq!((histories.as_slice().len(), histories.rejected().len()), (1, 1));
    let prices = check(&histories.as_slice()[0], 0.1);
    assert_eq!(prices.hourly(), [0.04, 0.04, 0.04, 0.04, 0.045]);
    let lists = ["gcp/pricing.yml", "gcp/pricing-later.yml"].map(|file| Catalog::read(own(file)).unwrap());
    let histories = SpotHistories::of_catalogs(&lists).unwrap();
    assert!(histories.as_slice().iter().all(|history| history.changes().iter().is_sorted()));
    assert!(histories.as_slice().iter().any(|history| history.changes().len() == 2));
    assert!(SpotHistories::read(own("aws/spot-feed.js")).is_err() && SpotHistories::read(own("none.json")).is_err());
}

#[test]
fn a_month_of_real_aws_prices() {
    let Some(path) = shared("aws-spot/spot-price-history-m5.large-us-east-1-2021.json") else { return };
    let histories = SpotHistories::read(path).unwrap();
    assert!(histories.rejected().is_empty());
    // Zone, changes, hours, mean, median, lowest, highest, persistence, hours held at the median, times lost.
    let expected = [
        ("us-east-1a", 48, 747, 0.041_486_212, 0.0415, 0.0407, 0.0422, 0.992_269, 455.0, 2.0),
        ("us-east-1b", 50, 747, 0.037_987_282, 0.0382, 0.0367, 0.0388, 0.992_158, 563.0, 5.0),
        ("us-east-1c", 49, 746, 0.038_192_493, 0.0381, 0.0378, 0.0390, 0.994_715, 408.0, 2.0),
        ("us-east-1d", 43, 763, 0.042_784_404, 0.0428, 0.0425, 0.0431, 0.993_034, 551.0, 4.0),
        ("us-east-1f", 60, 753, 0.041_337_317, 0.0411, 0.0402, 0.0435, 0.995_835, 408.0, 2.0),
    ];
    assert_eq!(histories.as_slice().len(), expected.len());
    for (history, (zone, changes, hours, mean, median, lowest, highest, persistence, held, lost)) in
        histories.as_slice().iter().zip(expected)
    {
        let prices = check(history, 0.096);
        assert_eq!((history.availability_zone.as_str(), history.changes().len(), prices.hourly().len()), (zone, changes, hours));
        assert!((prices.mean() - mean).abs() < 1e-9 && (prices.persistence().unwrap() - persistence).abs() < 1e-6);
        let found = [0.0, 0.5, 1.0].map(|share| prices.quantile(share).unwrap());
        assert_eq!(found, [lowest, median, highest]);
        let rate = prices.interruptions_at(median).unwrap().per_hour();
        assert!((rate - lost / held).abs() < 1e-12, "{zone}: {rate}");
        // Prices of 2021 move slowly: half of a deviation lasts for days.
        assert!(prices.half_life().unwrap() > 72.0);
        println!("{zone}: mean {mean:.4}, half-life {:.0} h, lost at the median {lost} times", prices.half_life().unwrap());
    }
}

#[test]
fn real_classes_of_interruption() {
    let (Some(advisor), Some(prices)) =
        (shared("aws-spot/spot-advisor-2025-06-28.json.gz"), shared("aws-prices/ec2instances-2019-04-05.json.gz"))
    else {
        return;
    };
    let catalog = CatalogBuilder::new().add(&advisor).unwrap().add(&prices).unwrap().build().unwrap();
    let sku = instance_sku("us-east-1", "m5.large", "Linux", "shared");
    let effective = |point: BandPoint| {
        let terms =
            SpotTerms::of_catalog(&catalog, &sku, InterruptionRate::NEVER, point, checked(InterruptionRate::NEVER)).unwrap();
        (terms, terms.effective_price().unwrap().price)
    };
    let (terms, lower) = effective(BandPoint::Lower);
    let (_, upper) = effective(BandPoint::Upper);
    // The advisor's class of m5.large is 15-20 %, at 66 % below 0.096.
    assert!((terms.rate.per_hour() + 0.85f64.ln() / 730.0).abs() < 1e-12 && (terms.spot_price - 0.032_64).abs() < 1e-12);
    assert!(terms.spot_price < lower && lower < upper && upper < 0.06, "{lower} {upper}");
    println!(
        "m5.large us-east-1: spot {}, effective {lower:.5} to {upper:.5}, on demand {}",
        terms.spot_price, terms.on_demand_price
    );
    // Every class has a rate at its lower end and its middle, for all that the catalog prices.
    for spot in catalog.spot() {
        let band = spot.interruption.unwrap();
        let [low, middle] = [BandPoint::Lower, BandPoint::Middle].map(|point| InterruptionRate::from_band(&band, point).unwrap());
        assert!(low < middle);
    }
}

#[test]
fn real_google_prices_of_two_dates() {
    // The lists before 2025 have no spot prices by machine type.
    let files = ["2025-01-02", "2026-07-30"];
    let Some(paths) = files.iter().map(|day| shared(&format!("gcp-prices/pricing-{day}.yml.gz"))).collect::<Option<Vec<_>>>()
    else {
        return;
    };
    let catalogs: Vec<Catalog> = paths.iter().map(|path| Catalog::read(path).unwrap()).collect();
    let histories = SpotHistories::of_catalogs(&catalogs).unwrap();
    let both: Vec<&SpotHistory> = histories.as_slice().iter().filter(|history| history.changes().len() == 2).collect();
    let moved = both.iter().filter(|history| history.changes()[0].1 != history.changes()[1].1).count();
    println!("{} spot prices of Google on both dates, {moved} of them changed", both.len());
    assert!(both.len() > 1000 && moved * 10 > both.len() * 9, "{moved} of {}", both.len());
    // Today's list: work with a fifth of the capacity lost in a month costs more than spot, and less than on demand for most.
    let today = &catalogs[1];
    let rate = InterruptionRate::from_monthly_share(0.2).unwrap();
    let (mut priced, mut worthwhile) = (0, 0);
    for spot in today.spot() {
        let Ok(terms) = SpotTerms::of_catalog(today, &spot.sku, rate, BandPoint::Middle, checked(rate)) else { continue };
        let effective = terms.effective_price().unwrap();
        assert!(effective.on_spot > terms.spot_price.min(terms.on_demand_price) && effective.price <= terms.on_demand_price);
        priced += 1;
        worthwhile += usize::from(effective.is_worthwhile());
    }
    println!("{worthwhile} of {priced} SKUs of 2026-07-30 are cheaper on spot, interruptions and all");
    assert!(priced > 1000 && worthwhile * 10 > priced * 9, "{worthwhile} of {priced}");
}

/// Real prices in one decision: reservations of a price list, spot of the advisor.
#[cfg(feature = "highs")]
#[test]
fn real_reservations_beside_real_spot() {
    use covermix::planning::{Options, Planner, SpotOption};
    use covermix::time::{Hour, HourGrid};
    use covermix::usage::{UsageCurves, UsageLine};
    let (Some(advisor), Some(prices)) =
        (shared("aws-spot/spot-advisor-2025-06-28.json.gz"), shared("aws-prices/ec2instances-2019-04-05.json.gz"))
    else {
        return;
    };
    let catalog = CatalogBuilder::new().add(&advisor).unwrap().add(&prices).unwrap().build().unwrap();
    let lines: Vec<UsageLine> = ["m5.large", "c5.xlarge"]
        .iter()
        .map(|name| UsageLine::new(instance_sku("us-east-1", name, "Linux", "shared"), "a"))
        .collect();
    let grid = HourGrid { first: "2019-04-01T00:00:00Z".parse::<Hour>().unwrap(), count: 24 * 28 };
    let quantity = ndarray::Array2::from_shape_fn((grid.count, 2), |(hour, line)| {
        let busy = if (8..20).contains(&(hour % 24)) { 1.0 } else { 0.5 };
        busy * if line == 0 { 40.0 } else { 12.0 }
    });
    let usage = UsageCurves::new(grid, lines.clone(), quantity).unwrap();
    let catalog = catalog.relevant_to(&usage);
    let options: Vec<SpotOption> = lines
        .iter()
        .map(|line| {
            let rate = InterruptionRate::NEVER;
            let terms = SpotTerms::of_catalog(&catalog, &line.sku, rate, BandPoint::Middle, checked(rate)).unwrap();
            SpotOption { line: line.clone(), max_share: 0.4, price: terms.effective_price().unwrap().price }
        })
        .collect();
    let plan = Planner::new(&catalog).usage(&usage).solve_with_spot(&options, &Options::default()).unwrap();
    println!(
        "without spot {:.2}, one after the other {:.2}, together {:.2}, bound {:.2}, gap {:.5}",
        plan.without_spot(),
        plan.sequential(),
        plan.objective(),
        plan.lower_bound(),
        plan.gap()
    );
    assert!(plan.gap() < 0.01 && plan.lower_bound() <= plan.objective());
    assert!(plan.objective() < plan.without_spot() && plan.objective() <= plan.sequential());
    let billed = plan.bill().total().cost().to_f64() + plan.spot_cost();
    assert!((billed / plan.objective() - 1.0).abs() < 1e-9);
}
