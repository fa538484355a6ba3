//! The planner as a rule of the backtest, and the utilisation of what is held over scenarios, on a case that can be worked out by hand.
#![cfg(feature = "highs")]
#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use covermix::billing::Rules;
use covermix::catalog::{Benefit, Catalog, Offer, OnDemandPrice, PaymentOption, ScopeKind};
use covermix::planning::Planned;
use covermix::portfolio::{Commitment, Portfolio, Scope};
use covermix::scenario::backtest::{BuyNothing, Dates, run};
use covermix::scenario::{Scenario, Scenarios, utilisation_risk};
use covermix::time::{Hour, HourGrid, Term};
use covermix::units::{Money, MoneyPerHour, UnitPrice};
use covermix::usage::{Provider, Sku, UsageCurves, UsageLine};
use ndarray::Array2;
use rust_decimal::{Decimal, dec};
use std::collections::{BTreeMap, BTreeSet};

fn sku() -> Sku {
    Sku {
        provider: Provider::Aws,
        service: "AmazonEC2".into(),
        region: "us-east-1".into(),
        sku: "m5.large".into(),
        platform: "Linux".into(),
        tenancy: "shared".into(),
        unit: "instance-hour".into(),
    }
}

/// One line at 1 an hour on demand; a plan 28 % off for a year.
fn catalog() -> Catalog {
    let price = OnDemandPrice {
        id: "m5.large".into(),
        sku: sku(),
        price: UnitPrice::new(Decimal::ONE),
        family: "m5".into(),
        pools: Vec::new(),
        provider_id: String::new(),
        list_price: None,
        origin: Default::default(),
    };
    let rates = BTreeMap::from([("m5.large".to_owned(), UnitPrice::new(dec!(0.72)))]);
    let plan = Offer {
        id: "plan".into(),
        provider: Provider::Aws,
        service: "AmazonEC2".into(),
        region: String::new(),
        benefit: Benefit::SpendPlan { plan: "Compute".into(), family: String::new(), rates },
        term: Term::AWS_ONE_YEAR,
        payment_option: PaymentOption::NoUpfront,
        upfront: Money::ZERO,
        recurring: MoneyPerHour::new(Decimal::ONE),
        scopes: BTreeSet::from([ScopeKind::Shared]),
        rights: BTreeSet::new(),
        purchasable_from: None,
        purchasable_until: None,
        derived: String::new(),
        lot: None,
        provider_id: String::new(),
        origin: Default::default(),
    };
    Catalog::new("USD", None, "by hand", vec![price], vec![plan]).unwrap()
}

fn usage(hours: usize, of: impl Fn(usize) -> f64) -> UsageCurves {
    let grid = HourGrid { first: Hour::from_epoch(480_000), count: hours };
    UsageCurves::new(grid, vec![UsageLine::new(sku(), "one")], Array2::from_shape_fn((hours, 1), |(hour, _)| of(hour))).unwrap()
}

/// 40 units by day, 10 by night, for ever: the plan is worth its price for what runs in more than 72 % of the hours.
#[test]
fn a_steady_past_is_covered_up_to_the_critical_ratio_and_once() {
    let usage = usage(24 * 7 * 80, |hour| if hour % 24 < 12 { 40.0 } else { 10.0 });
    let dates = Dates { first: 24 * 7 * 20, step_hours: 24 * 7 * 10, end: usage.grid().count };
    let outcome = run(&Planned::default(), &usage, &catalog(), dates).unwrap();
    let quantities: Vec<Decimal> = outcome.bought.commitments().iter().map(|one| one.quantity).collect();
    // 10 units at 0.72 an hour, to the increment of a search that ends within its gap; bought at the first date alone while it runs.
    assert!((quantities[0] - dec!(7.2)).abs() < dec!(0.05), "{quantities:?}");
    // What follows is its renewal, at the last date at which waiting for the next one would leave a gap.
    let first = &outcome.bought.commitments()[0];
    let step = TimeDelta::weeks(10);
    let early = |one: &&Commitment| one.id != first.id && one.quantity > dec!(0.05) && one.start <= first.end - step;
    assert_eq!(outcome.bought.commitments().iter().filter(early).count(), 0, "{:?}", outcome.bought);
    let nothing = run(&BuyNothing, &usage, &catalog(), dates).unwrap();
    // 0.28 x 10 of a mean of 25 an hour, less what runs twice where the renewal begins.
    let saved = 1.0 - outcome.cost / nothing.cost;
    assert!((0.28 * 0.4 * 0.86..0.28 * 0.4 + 1e-9).contains(&saved), "{saved}");
}

#[test]
fn utilisation_over_scenarios_is_the_judges() {
    let scenario = |name: &str, probability: f64, units: f64| Scenario {
        name: name.into(),
        probability,
        usage: usage(48, |_| units),
        prices: Vec::new(),
    };
    let scenarios =
        Scenarios::new(vec![scenario("base", 0.5, 20.0), scenario("high", 0.2, 30.0), scenario("low", 0.3, 5.0)]).unwrap();
    let start = scenarios.as_slice()[0].usage.grid().first.start();
    let commitment = Commitment {
        id: "held".into(),
        offer: "plan".into(),
        quantity: dec!(14.4),
        start,
        end: Term::AWS_ONE_YEAR.end(start),
        account: String::new(),
        scope: Scope::Shared,
    };
    let portfolio = Portfolio::new(Vec::new(), vec![commitment]).unwrap();
    let risks = utilisation_risk(&scenarios, &catalog(), &portfolio, &Rules::default(), 0.8).unwrap();
    assert_eq!(risks.len(), 1);
    assert_eq!(risks[0].utilisation, [1.0, 1.0, 0.25]);
    assert!((risks[0].expected - (0.7 + 0.3 * 0.25)).abs() < 1e-12);
    assert!((risks[0].probability_below - 0.3).abs() < 1e-12 && (risks[0].lowest - 0.25).abs() < 1e-12);
    let error = utilisation_risk(&scenarios, &catalog(), &portfolio, &Rules::default(), 80.0).unwrap_err();
    assert!(error.to_string().contains("80"), "{error}");
}
