//! The judge on AWS's own worked examples and on its laws.

use super::*;
use crate::portfolio::Scope;
use crate::time::{Hour, HourGrid};
use crate::units::{Money, MoneyPerHour, UnitPrice, Units};
use crate::usage::Sku;
use ndarray::Array2;
use rust_decimal::dec;
use std::collections::BTreeMap;
use test_case::test_case;

/// A price of an invented SKU; `family.size` names it, `units` puts it into the family's pool.
fn price(sku: &str, on_demand: Decimal, units: Option<Decimal>) -> OnDemandPrice {
    let family = sku.split('.').next().unwrap_or(sku).to_owned();
    let pools = units.map(|units| crate::catalog::PoolUnits { pool: family.clone(), units: Units::new(units) });
    let sku_key = Sku {
        provider: Provider::Aws,
        service: "AmazonEC2".into(),
        region: "us-east-1".into(),
        sku: sku.into(),
        platform: String::new(),
        tenancy: String::new(),
        unit: String::new(),
    };
    OnDemandPrice {
        id: sku.into(),
        sku: sku_key,
        price: UnitPrice::new(on_demand),
        family,
        pools: pools.into_iter().collect(),
        provider_id: String::new(),
        list_price: None,
        origin: crate::catalog::Origin::default(),
    }
}

fn offer(id: &str, benefit: Benefit, recurring: Decimal) -> Offer {
    use crate::catalog::ScopeKind::{AvailabilityZone, Region, Shared};
    let scopes = if matches!(benefit, Benefit::SpendPlan { .. }) { vec![Shared] } else { vec![AvailabilityZone, Region] };
    Offer {
        id: id.into(),
        provider: Provider::Aws,
        service: "AmazonEC2".into(),
        region: String::new(),
        benefit,
        term: crate::time::Term::AWS_ONE_YEAR,
        payment_option: crate::catalog::PaymentOption::NoUpfront,
        upfront: Money::ZERO,
        recurring: MoneyPerHour::new(recurring),
        scopes: scopes.into_iter().collect(),
        rights: std::collections::BTreeSet::new(),
        purchasable_from: None,
        purchasable_until: None,
        derived: String::new(),
        lot: None,
        provider_id: String::new(),
        origin: crate::catalog::Origin::default(),
    }
}

fn reservation(sku: &str, units: Option<Decimal>) -> Benefit {
    let pool = sku.split('.').next().unwrap_or(sku).to_owned();
    Benefit::Reservation {
        sku: sku.into(),
        pool: units.map(|units| crate::catalog::PoolUnits { pool, units: Units::new(units) }),
    }
}

fn plan(plan: &str, rates: &[(&str, Decimal)]) -> Benefit {
    let rates = rates.iter().map(|(sku, rate)| ((*sku).to_owned(), UnitPrice::new(*rate))).collect::<BTreeMap<_, _>>();
    Benefit::SpendPlan { plan: plan.into(), family: String::new(), rates }
}

fn commitment(id: &str, offer: &str, quantity: Decimal, account: &str, scope: Scope) -> Commitment {
    let start = Hour::from_epoch(0).start();
    let end = Hour::from_epoch(24).start();
    Commitment { id: id.into(), offer: offer.into(), quantity, start, end, account: account.into(), scope }
}

/// One hour of usage: SKU, account, zone, quantity.
fn hour_of(usage: &[(&str, &str, &str, f64)]) -> UsageCurves {
    let line = |(sku, account, zone, _): &(&str, &str, &str, f64)| UsageLine {
        availability_zone: (*zone).into(),
        ..UsageLine::new(price(sku, Decimal::ONE, None).sku, *account)
    };
    let lines = usage.iter().map(line).collect();
    let quantity = Array2::from_shape_vec((1, usage.len()), usage.iter().map(|(_, _, _, quantity)| *quantity).collect());
    UsageCurves::new(HourGrid { first: Hour::from_epoch(0), count: 1 }, lines, quantity.unwrap()).unwrap()
}

fn catalog(prices: Vec<OnDemandPrice>, offers: Vec<Offer>) -> Catalog {
    Catalog::new("USD", None, "invented", prices, offers).unwrap()
}

fn bill(usage: &UsageCurves, catalog: &Catalog, commitments: Vec<Commitment>) -> Bill {
    let portfolio = Portfolio::new(Vec::new(), commitments).unwrap();
    let judge = Judge::new(usage, catalog, &portfolio, &Rules::default()).unwrap();
    let bill = judge.bill();
    let exact = bill.total().cost().to_f64();
    assert!((judge.cost() - exact).abs() <= 1e-9 * exact.max(1.0), "fast {} and exact {exact} differ", judge.cost());
    bill
}

fn covered(bill: &Bill, usage: &UsageCurves, sku: &str, account: &str) -> Decimal {
    let of = |line: &&LineBill| usage.lines()[line.column].sku.sku == sku && usage.lines()[line.column].account == account;
    bill.lines().iter().filter(of).map(|line| line.covered).sum()
}

/// The usage and rates of the Savings Plans User Guide's scenarios.
fn guide() -> (UsageCurves, Catalog) {
    let prices = vec![
        price("r5.4xlarge", dec!(1.00), Some(dec!(32))),
        price("fargate-vcpu", dec!(0.04), None),
        price("fargate-gb", dec!(0.004), None),
        price("m5.24xlarge", dec!(10.00), None),
        price("lambda-gb-s", dec!(0.000015), None),
        price("lambda-requests", dec!(0.20), None),
    ];
    let compute = plan(
        "Compute",
        &[
            ("r5.4xlarge", dec!(0.70)),
            ("fargate-vcpu", dec!(0.03)),
            ("fargate-gb", dec!(0.003)),
            ("m5.24xlarge", dec!(8.20)),
            ("lambda-gb-s", dec!(0.00001275)),
            ("lambda-requests", dec!(0.20)),
        ],
    );
    let offers = vec![
        offer("compute", compute, dec!(1)),
        offer("ec2", plan("EC2Instance", &[("r5.4xlarge", dec!(0.60))]), dec!(1)),
        offer("ri", reservation("r5.4xlarge", Some(dec!(32))), dec!(0.5)),
    ];
    let usage = hour_of(&[
        ("r5.4xlarge", "a", "", 4.0),
        ("fargate-vcpu", "a", "", 400.0),
        ("fargate-gb", "a", "", 1600.0),
        ("m5.24xlarge", "a", "", 1.0),
        ("lambda-gb-s", "a", "", 1_500_000.0),
        ("lambda-requests", "a", "", 1.0),
    ]);
    (usage, catalog(prices, offers))
}

/// (Compute commitment, EC2 Instance commitment, reserved r5) -> (used of all plans, on demand).
#[test_case(dec!(50), dec!(0), dec!(0), dec!(47.125), dec!(0); "larger than all usage")]
#[test_case(dec!(19.6), dec!(0), dec!(0), dec!(19.6), dec!(32.70); "three products exhausted")]
#[test_case(dec!(18.2), dec!(0), dec!(2), dec!(18.2), dec!(32.70); "after reservations")]
#[test_case(dec!(16.8), dec!(3), dec!(0), dec!(19.2), dec!(32.70); "instance plan first")]
fn the_guides_scenarios_come_out(compute: Decimal, ec2: Decimal, reserved: Decimal, used: Decimal, on_demand: Decimal) {
    let (usage, catalog) = guide();
    let mut held = Vec::new();
    for (id, quantity, scope) in
        [("compute", compute, Scope::Shared), ("ec2", ec2, Scope::Shared), ("ri", reserved, Scope::Region)]
    {
        if !quantity.is_zero() {
            held.push(commitment(id, id, quantity, "a", scope));
        }
    }
    let bill = bill(&usage, &catalog, held);
    assert_eq!(bill.total().on_demand, Money::new(on_demand));
    assert_eq!(bill.commitments().iter().filter(|bill| bill.id != "ri").map(|bill| bill.used).sum::<Decimal>(), used);
    assert_eq!(bill.total().on_demand_equivalent, Money::new(dec!(59.10)));
}

#[test]
fn a_small_plan_covers_a_fraction_of_the_best_discount() {
    let (usage, catalog) = guide();
    let bill = bill(&usage, &catalog, vec![commitment("c", "compute", dec!(2), "a", Scope::Shared)]);
    assert_eq!(covered(&bill, &usage, "r5.4xlarge", "a").round_dp(6), dec!(2.857143));
    assert_eq!(bill.total().on_demand.to_cents(), Money::new(dec!(56.24)));
}

#[test]
fn flexible_reservations_start_with_the_smallest_size_of_the_owner() {
    let prices = vec![price("m4.large", dec!(0.1), Some(dec!(4))), price("m4.xlarge", dec!(0.2), Some(dec!(8)))];
    let catalog = catalog(prices, vec![offer("ri", reservation("m4.xlarge", Some(dec!(8))), dec!(0.1))]);
    let usage = hour_of(&[("m4.xlarge", "owner", "", 1.0), ("m4.large", "owner", "", 1.0), ("m4.large", "other", "", 5.0)]);
    let bill = bill(&usage, &catalog, vec![commitment("r", "ri", dec!(1), "owner", Scope::Region)]);
    assert_eq!(covered(&bill, &usage, "m4.large", "owner"), dec!(1));
    assert_eq!(covered(&bill, &usage, "m4.xlarge", "owner"), dec!(0.5));
    assert_eq!(covered(&bill, &usage, "m4.large", "other"), dec!(0));
}

#[test]
fn another_accounts_zonal_reservation_comes_before_the_own_regional_one() {
    let catalog = catalog(vec![price("m3.large", dec!(0.1), None)], vec![offer("ri", reservation("m3.large", None), dec!(0.06))]);
    let usage = hour_of(&[("m3.large", "a", "us-east-1a", 1.0)]);
    let zone = Scope::AvailabilityZone { availability_zone: "us-east-1a".into() };
    let held = vec![commitment("own-regional", "ri", dec!(1), "a", Scope::Region), commitment("zonal", "ri", dec!(1), "c", zone)];
    let bill = bill(&usage, &catalog, held);
    let used: Vec<Decimal> = bill.commitments().iter().map(|bill| bill.used).collect();
    assert_eq!(used, [dec!(0), dec!(1)]);
    assert_eq!(bill.waste().len(), 1);
}

#[test]
fn sharing_turned_off_keeps_commitments_at_home() {
    let catalog = catalog(vec![price("m3.large", dec!(0.1), None)], vec![offer("ri", reservation("m3.large", None), dec!(0.06))]);
    let usage = hour_of(&[("m3.large", "other", "", 1.0)]);
    let portfolio = Portfolio::new(Vec::new(), vec![commitment("r", "ri", dec!(1), "owner", Scope::Region)]).unwrap();
    let mut rules = Rules::default();
    assert_eq!(Judge::new(&usage, &catalog, &portfolio, &rules).unwrap().bill().total().on_demand, Money::ZERO);
    rules.aws.sharing_off.insert("other".into());
    assert_eq!(Judge::new(&usage, &catalog, &portfolio, &rules).unwrap().bill().total().on_demand, Money::new(dec!(0.1)));
}

#[test]
fn unknown_skus_are_listed_with_their_spend_and_scopes_checked() {
    let catalog = catalog(vec![price("m3.large", dec!(0.1), None)], vec![offer("ri", reservation("m3.large", None), dec!(0.06))]);
    let line =
        UsageLine { billed_price: Some(UnitPrice::new(dec!(0.5))), ..UsageLine::new(price("x9.huge", dec!(1), None).sku, "a") };
    let grid = HourGrid { first: Hour::from_epoch(0), count: 1 };
    let usage = UsageCurves::new(grid, vec![line], ndarray::array![[4.0]]).unwrap();
    let message = Judge::new(&usage, &catalog, &Portfolio::default(), &Rules::default()).unwrap_err().to_string();
    assert!(message.contains("x9.huge") && message.contains("2.00"), "{message}");
    let usage = hour_of(&[("m3.large", "a", "", 1.0)]);
    let portfolio = Portfolio::new(Vec::new(), vec![commitment("r", "ri", dec!(1), "a", Scope::Shared)]).unwrap();
    let message = Judge::new(&usage, &catalog, &portfolio, &Rules::default()).unwrap_err().to_string();
    assert!(message.contains("Shared") && message.contains("commitments.scope"), "{message}");
}

mod laws {
    use super::*;
    use proptest::prelude::*;

    /// Random usage of four lines over some hours, and random commitments on them.
    fn case() -> impl Strategy<Value = (Vec<[u32; 4]>, Vec<u32>)> {
        (prop::collection::vec(prop::array::uniform4(0u32..400), 1..6), prop::collection::vec(0u32..30, 4))
    }

    fn setting(hours: &[[u32; 4]], quantities: &[u32], shuffle: bool) -> (UsageCurves, Catalog, Portfolio) {
        let prices = vec![
            price("m5.large", dec!(0.096), Some(dec!(4))),
            price("m5.xlarge", dec!(0.2), Some(dec!(8))),
            price("r5.large", dec!(0.126), None),
            price("c5.large", dec!(0.085), None),
        ];
        let all = [("m5.large", dec!(0.07)), ("m5.xlarge", dec!(0.13)), ("r5.large", dec!(0.09)), ("c5.large", dec!(0.06))];
        let offers = vec![
            offer("ri-m5", reservation("m5.large", Some(dec!(4))), dec!(0.06)),
            offer("ri-r5", reservation("r5.large", None), dec!(0.08)),
            offer("sp-m5", plan("EC2Instance", &[("m5.large", dec!(0.06)), ("m5.xlarge", dec!(0.12))]), dec!(1)),
            offer("sp", plan("Compute", &all), dec!(1)),
        ];
        let mut lines: Vec<UsageLine> = prices.iter().map(|price| UsageLine::new(price.sku.clone(), "a")).collect();
        lines[1].account = "b".into();
        let mut columns: Vec<usize> = (0..4).collect();
        if shuffle {
            columns.reverse();
        }
        let quantity = Array2::from_shape_fn((hours.len(), 4), |(hour, column)| f64::from(hours[hour][columns[column]]) / 16.0);
        let lines = columns.iter().map(|column| lines[*column].clone()).collect();
        let usage = UsageCurves::new(HourGrid { first: Hour::from_epoch(0), count: hours.len() }, lines, quantity).unwrap();
        let mut held = Vec::new();
        for (quantity, (id, scope)) in quantities.iter().zip([
            ("ri-m5", Scope::Region),
            ("ri-r5", Scope::Region),
            ("sp-m5", Scope::Shared),
            ("sp", Scope::Shared),
        ]) {
            if *quantity > 0 {
                let divisor = if id.starts_with("sp") { dec!(10) } else { dec!(1) };
                held.push(commitment(id, id, Decimal::from(*quantity) / divisor, "a", scope));
            }
        }
        if shuffle {
            held.reverse();
        }
        (usage, catalog(prices, offers), Portfolio::new(Vec::new(), held).unwrap())
    }

    proptest! {
        #[test]
        fn usage_is_conserved_and_nothing_serves_beyond_its_capacity((hours, quantities) in case()) {
            let (usage, catalog, portfolio) = setting(&hours, &quantities, false);
            let judge = Judge::new(&usage, &catalog, &portfolio, &Rules::default()).unwrap();
            let bill = judge.bill();
            for line in bill.lines() {
                prop_assert!(line.covered <= line.quantity + dec!(1e-18) && line.covered >= Decimal::ZERO);
            }
            for commitment in bill.commitments() {
                prop_assert!(commitment.used <= commitment.provided + dec!(1e-18));
                prop_assert_eq!(commitment.charges.commitment(), commitment.charges.recurring + commitment.charges.amortised_upfront);
            }
            let total = bill.total();
            let by_line: Money = bill.lines().iter().map(|line| line.on_demand).sum();
            prop_assert!((by_line - total.on_demand).value().abs() < dec!(1e-18));
            prop_assert!((judge.cost() - total.cost().to_f64()).abs() <= 1e-9 * total.cost().to_f64().max(1.0));
        }

        #[test]
        fn the_order_of_input_changes_nothing((hours, quantities) in case()) {
            let (usage, catalog, portfolio) = setting(&hours, &quantities, false);
            let (usage2, catalog2, portfolio2) = setting(&hours, &quantities, true);
            let one = Judge::new(&usage, &catalog, &portfolio, &Rules::default()).unwrap().bill();
            let two = Judge::new(&usage2, &catalog2, &portfolio2, &Rules::default()).unwrap().bill();
            prop_assert_eq!(one, two);
        }

        #[test]
        fn partial_hours_sum_to_hours(quarters in 0u32..16) {
            // Usage of one hour given in sixteenths is what it is: the judge sees the hour's sum.
            let usage = hour_of(&[("m3.large", "a", "", f64::from(quarters) / 4.0)]);
            let catalog =
                catalog(vec![price("m3.large", dec!(0.1), None)], vec![offer("ri", reservation("m3.large", None), dec!(0.06))]);
            let bill = bill(&usage, &catalog, vec![commitment("r", "ri", dec!(1), "a", Scope::Region)]);
            let expected = (Decimal::from(quarters) / dec!(4)).min(dec!(1));
            prop_assert_eq!(bill.commitments()[0].used, expected);
        }
    }
}
