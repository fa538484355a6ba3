//! Azure's waterfall: scopes, sizes, price sheets, and its laws.

use crate::billing::azure::*;
use crate::billing::{Bill, Judge, Rules};
use crate::catalog::{Catalog, Offer, OnDemandPrice, PaymentOption, PoolUnits, ScopeKind};
use crate::portfolio::{Commitment, Portfolio};
use crate::time::{Hour, HourGrid, Term};
use crate::units::{Money, MoneyPerHour, Units};
use crate::usage::{Sku, UsageCurves, UsageLine};
use ndarray::Array2;
use rust_decimal::dec;

fn sku(id: &str) -> Sku {
    Sku {
        provider: Provider::Azure,
        service: "Virtual Machines".into(),
        region: "westeurope".into(),
        sku: id.into(),
        platform: String::new(),
        tenancy: String::new(),
        unit: "instance-hour".into(),
    }
}

pub(super) fn price(id: &str, on_demand: Decimal, units: Option<Decimal>) -> OnDemandPrice {
    let pools = units.map(|units| PoolUnits { pool: "DSv3".into(), units: Units::new(units) });
    let (price, family) = (UnitPrice::new(on_demand), String::new());
    OnDemandPrice {
        id: id.into(),
        sku: sku(id),
        price,
        family,
        pools: pools.into_iter().collect(),
        provider_id: String::new(),
        list_price: None,
        origin: crate::catalog::Origin::default(),
    }
}

pub(super) fn offer(id: &str, benefit: Benefit, years: u32) -> Offer {
    use ScopeKind::{ManagementGroup, ResourceGroup, Shared, Subscription};
    Offer {
        id: id.into(),
        provider: Provider::Azure,
        service: String::new(),
        region: String::new(),
        benefit,
        term: Term::Months(12 * years),
        payment_option: PaymentOption::NoUpfront,
        upfront: Money::ZERO,
        recurring: MoneyPerHour::new(dec!(1)),
        scopes: BTreeSet::from([ResourceGroup, Subscription, ManagementGroup, Shared]),
        rights: BTreeSet::new(),
        purchasable_from: None,
        purchasable_until: None,
        derived: String::new(),
        lot: None,
        provider_id: String::new(),
        origin: crate::catalog::Origin::default(),
    }
}

pub(super) fn reservation(sku: &str, units: Option<Decimal>) -> Benefit {
    let pool = units.map(|units| PoolUnits { pool: "DSv3".into(), units: Units::new(units) });
    Benefit::Reservation { sku: sku.into(), pool }
}

pub(super) fn plan(rates: &[(&str, Decimal)]) -> Benefit {
    let rates = rates.iter().map(|(id, rate)| ((*id).to_owned(), UnitPrice::new(*rate))).collect();
    Benefit::SpendPlan { plan: "Compute".into(), family: String::new(), rates }
}

pub(super) fn held(id: &str, offer: &str, quantity: Decimal, scope: Scope) -> Commitment {
    let (start, end) = (Hour::from_epoch(0).start(), Hour::from_epoch(8760).start());
    Commitment { id: id.into(), offer: offer.into(), quantity, start, end, account: String::new(), scope }
}

/// Usage from the hour 0: SKU, subscription, resource group, quantity of every hour.
pub(super) fn usage(lines: &[(&str, &str, &str, f64)], hours: usize) -> UsageCurves {
    let line = |(id, subscription, group, _): &(&str, &str, &str, f64)| {
        let mut line = UsageLine::new(sku(id), *subscription);
        line.tags.insert(RESOURCE_GROUP_TAG.into(), (*group).into());
        line
    };
    let quantity = Array2::from_shape_fn((hours, lines.len()), |(_, column)| lines[column].3);
    UsageCurves::new(HourGrid { first: Hour::from_epoch(0), count: hours }, lines.iter().map(line).collect(), quantity).unwrap()
}

fn bill(usage: &UsageCurves, catalog: &Catalog, commitments: Vec<Commitment>, rules: AzureRules) -> Bill {
    let portfolio = Portfolio::new(Vec::new(), commitments).unwrap();
    let rules = Rules { azure: rules, ..Rules::default() };
    let judge = Judge::new(usage, catalog, &portfolio, &rules).unwrap();
    let bill = judge.bill();
    assert!((judge.cost() - bill.total().cost().to_f64()).abs() < 1e-9);
    bill
}

pub(super) fn catalog(prices: Vec<OnDemandPrice>, offers: Vec<Offer>) -> Catalog {
    Catalog::new("USD", None, "test", prices, offers).unwrap()
}

fn used(bill: &Bill) -> Vec<Decimal> {
    bill.commitments().iter().map(|bill| bill.used).collect()
}

#[test]
fn narrower_scopes_come_first_and_reach_no_further() {
    let prices = vec![price("D2s", dec!(0.1), None)];
    let catalog = catalog(prices, vec![offer("ri", reservation("D2s", None), 1)]);
    let usage =
        usage(&[("D2s", "s1", "web", 1.0), ("D2s", "s1", "db", 1.0), ("D2s", "s2", "web", 1.0), ("D2s", "s3", "web", 1.0)], 1);
    let group = Scope::ResourceGroup { subscription: "s1".into(), resource_group: "WEB".into() };
    let management = Scope::ManagementGroup { subscriptions: BTreeSet::from(["s1".into(), "s2".into()]) };
    let commitments = vec![
        held("a-shared", "ri", dec!(5), Scope::Shared),
        held("b-management", "ri", dec!(5), management),
        held("c-subscription", "ri", dec!(5), Scope::Subscription { subscription: "s1".into() }),
        held("d-group", "ri", dec!(5), group),
    ];
    assert_eq!(used(&bill(&usage, &catalog, commitments, AzureRules::default())), [dec!(1), dec!(1), dec!(1), dec!(1)]);
    let deserted = Scope::ManagementGroup { subscriptions: BTreeSet::new() };
    let commitments = vec![held("m", "ri", dec!(5), deserted)];
    assert_eq!(used(&bill(&usage, &catalog, commitments, AzureRules::default())), [dec!(4)]);
}

#[test]
fn exact_reservations_leave_flexible_ones_to_other_sizes() {
    let prices = vec![price("D2s", dec!(0.1), Some(dec!(1))), price("D4s", dec!(0.2), Some(dec!(2)))];
    let offers = vec![offer("exact", reservation("D2s", None), 1), offer("flexible", reservation("D2s", Some(dec!(1))), 1)];
    let (catalog, usage) = (catalog(prices, offers), usage(&[("D2s", "s", "", 1.0), ("D4s", "s", "", 1.0)], 1));
    let commitments = || vec![held("a", "flexible", dec!(1), Scope::Shared), held("z", "exact", dec!(1), Scope::Shared)];
    assert_eq!(used(&bill(&usage, &catalog, commitments(), AzureRules::default())), [dec!(1), dec!(1)]);
    // By id the flexible one takes the small machine, and the exact one has nothing left.
    let rules = AzureRules { reservation_order: ReservationOrder::Id, ..AzureRules::default() };
    assert_eq!(used(&bill(&usage, &catalog, commitments(), rules)), [dec!(1), dec!(0)]);
}

#[test]
fn the_order_of_sizes_is_a_switch() {
    // The large size costs more per unit.
    let prices = vec![price("D2s", dec!(0.1), Some(dec!(1))), price("D4s", dec!(0.3), Some(dec!(2)))];
    let catalog = catalog(prices, vec![offer("ri", reservation("D2s", Some(dec!(1))), 1)]);
    let usage = usage(&[("D2s", "s", "", 1.0), ("D4s", "s", "", 1.0)], 1);
    for (size_order, on_demand) in
        [(SizeOrder::LargestSaving, dec!(0.25)), (SizeOrder::SmallestFirst, dec!(0.3)), (SizeOrder::Record, dec!(0.3))]
    {
        let rules = AzureRules { size_order, ..AzureRules::default() };
        let bill = bill(&usage, &catalog, vec![held("r", "ri", dec!(1), Scope::Shared)], rules);
        assert_eq!(bill.total().on_demand, Money::new(on_demand), "{size_order:?}");
    }
}

#[test]
fn plans_take_the_highest_discount_first_and_the_longer_term_before() {
    let prices = vec![price("D2s", dec!(0.1), None), price("D4s", dec!(0.2), None)];
    let offers = vec![
        offer("one", plan(&[("D2s", dec!(0.07)), ("D4s", dec!(0.12))]), 1),
        offer("three", plan(&[("D2s", dec!(0.05)), ("D4s", dec!(0.11))]), 3),
    ];
    let (catalog, usage) = (catalog(prices, offers), usage(&[("D2s", "s", "", 1.0), ("D4s", "s", "", 1.0)], 1));
    let commitments = vec![held("a", "one", dec!(1), Scope::Shared), held("b", "three", dec!(0.05), Scope::Shared)];
    let found = bill(&usage, &catalog, commitments, AzureRules::default());
    assert_eq!(found.commitments()[1].by_line.values().copied().collect::<Vec<_>>(), [dec!(1)]);
    assert_eq!(found.commitments()[0].used, dec!(0.12));
    // A narrower scope outranks the longer term, unless the switch says otherwise.
    let commitments = || {
        let own = Scope::Subscription { subscription: "s".into() };
        vec![held("a", "one", dec!(1), own), held("b", "three", dec!(1), Scope::Shared)]
    };
    assert_eq!(used(&bill(&usage, &catalog, commitments(), AzureRules::default())), [dec!(0.19), dec!(0)]);
    let rules = AzureRules { plan_order: PlanOrder::TermThenScope, ..AzureRules::default() };
    assert_eq!(used(&bill(&usage, &catalog, commitments(), rules)), [dec!(0), dec!(0.16)]);
}

#[test]
fn the_price_sheet_of_the_month_applies() {
    let catalog = catalog(vec![price("D2s", dec!(0.1), None)], vec![offer("sp", plan(&[("D2s", dec!(0.08))]), 1)]);
    let usage = usage(&[("D2s", "s", "", 1.0)], 1416);
    let sheet = |from: &str, rate| PlanRates {
        from: from.parse().unwrap(),
        offer: "sp".into(),
        rates: BTreeMap::from([("D2s".to_owned(), UnitPrice::new(rate))]),
    };
    let rules = AzureRules { plan_rates: vec![sheet("1970-02-01", dec!(0.05))], ..AzureRules::default() };
    let found = bill(&usage, &catalog, vec![held("p", "sp", dec!(0.04), Scope::Shared)], rules);
    assert_eq!(found.lines()[0].covered, dec!(744) / dec!(2) + dec!(672) * dec!(0.8));
    let wrong = AzureRules { plan_rates: vec![sheet("1970-02-02", dec!(0.05))], ..AzureRules::default() };
    assert!(wrong.check().unwrap_err().to_string().contains("plan_rates[0].from"));
    let twice =
        AzureRules { plan_rates: vec![sheet("1970-02-01", dec!(1)), sheet("1970-02-01", dec!(2))], ..AzureRules::default() };
    assert!(twice.check().is_err());
}

#[test]
fn a_negotiated_price_below_the_plan_rate_draws_on_the_plan() {
    // Negotiated at 0.06, plan rate 0.08: covered at 0.06, after what has a real discount.
    let prices = vec![price("D2s", dec!(0.06), None), price("E2s", dec!(0.1), None)];
    let catalog = catalog(prices, vec![offer("sp", plan(&[("D2s", dec!(0.06)), ("E2s", dec!(0.07))]), 1)]);
    let usage = usage(&[("D2s", "s", "", 1.0), ("E2s", "s", "", 1.0)], 1);
    let rates = [("D2s", dec!(0.08)), ("E2s", dec!(0.07))].map(|(id, rate)| (id.to_owned(), UnitPrice::new(rate)));
    let sheet = PlanRates { from: "1970-01-01".parse().unwrap(), offer: "sp".into(), rates: BTreeMap::from(rates) };
    let rules = AzureRules { plan_rates: vec![sheet], ..AzureRules::default() };
    let found = bill(&usage, &catalog, vec![held("p", "sp", dec!(0.1), Scope::Shared)], rules.clone());
    assert_eq!((found.lines()[0].covered, found.lines()[1].covered), (dec!(0.5), dec!(1)));
    // Against list prices the discount of D2s is the higher one.
    let list_prices = BTreeMap::from([("D2s".to_owned(), UnitPrice::new(dec!(0.2)))]);
    let rules = AzureRules { discount_basis: DiscountBasis::ListPrice, list_prices, ..rules };
    let found = bill(&usage, &catalog, vec![held("p", "sp", dec!(0.06), Scope::Shared)], rules);
    assert_eq!((found.lines()[0].covered, found.lines()[1].covered), (dec!(1), dec!(0)));
}

mod laws {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn usage_is_conserved_in_scope_and_hour(
            quantities in prop::array::uniform4(0u32..40),
            bought in prop::array::uniform4(1u32..12),
            shuffle: bool,
        ) {
            let prices = vec![price("D2s", dec!(0.1), Some(dec!(1))), price("D4s", dec!(0.21), Some(dec!(2))), price("E2s", dec!(0.13), None)];
            let offers = vec![
                offer("ri", reservation("D4s", Some(dec!(2))), 1),
                offer("exact", reservation("D2s", None), 1),
                offer("sp", plan(&[("D2s", dec!(0.07)), ("D4s", dec!(0.14)), ("E2s", dec!(0.08))]), 3),
            ];
            let catalog = catalog(prices, offers);
            let names = [("D2s", "s1"), ("D4s", "s1"), ("D4s", "s2"), ("E2s", "s2")];
            let lines: Vec<_> = names.iter().zip(quantities).map(|((id, s), q)| (*id, *s, "g", f64::from(q) / 8.0)).collect();
            let own = Scope::Subscription { subscription: "s1".into() };
            let mut commitments = vec![
                held("own", "ri", Decimal::from(bought[0]), own.clone()),
                held("shared", "ri", Decimal::from(bought[1]), Scope::Shared),
                held("exact", "exact", Decimal::from(bought[2]), own),
                held("plan", "sp", Decimal::from(bought[3]) / dec!(10), Scope::Shared),
            ];
            let straight = bill(&usage(&lines, 3), &catalog, commitments.clone(), AzureRules::default());
            for line in straight.lines() {
                prop_assert!(line.covered >= Decimal::ZERO && line.covered <= line.quantity + dec!(1e-18));
            }
            for commitment in straight.commitments() {
                prop_assert!(commitment.used <= commitment.provided + dec!(1e-18));
                let usage = usage(&lines, 3);
                if ["own", "exact"].contains(&commitment.id.as_str()) {
                    prop_assert!(commitment.by_line.keys().all(|column| usage.lines()[*column].account == "s1"));
                }
            }
            let by_commitment: Decimal = straight.commitments().iter().flat_map(|bill| bill.by_line.values()).sum();
            let by_line: Decimal = straight.lines().iter().map(|line| line.covered).sum();
            prop_assert!((by_commitment - by_line).abs() < dec!(1e-18));
            if shuffle {
                let mut lines = lines.clone();
                lines.reverse();
                commitments.reverse();
                prop_assert_eq!(straight, bill(&usage(&lines, 3), &catalog, commitments, AzureRules::default()));
            }
        }
    }
}
