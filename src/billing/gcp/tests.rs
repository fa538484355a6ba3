//! Google's waterfall: pools and projects, spend-based commitments in both models, sustained use discounts, and its laws.

use crate::billing::gcp::*;
use crate::billing::{Bill, Judge, Rules};
use crate::catalog::{Catalog, Offer, OnDemandPrice, PaymentOption, PoolUnits, ScopeKind};
use crate::portfolio::{Commitment, Portfolio};
use crate::time::{Hour, HourGrid, Term};
use crate::units::{Money, MoneyPerHour, UnitPrice, Units};
use crate::usage::{Sku, UsageCurves, UsageLine};
use ndarray::Array2;
use rust_decimal::dec;

fn sku(id: &str) -> Sku {
    Sku {
        provider: Provider::Gcp,
        service: sustained::COMPUTE_ENGINE.into(),
        region: "us-central1".into(),
        sku: id.into(),
        platform: String::new(),
        tenancy: String::new(),
        unit: "vCPU-hour".into(),
    }
}

/// A price of a resource of a family, in the pool of that family.
fn price(id: &str, family: &str, on_demand: Decimal) -> OnDemandPrice {
    let pool = PoolUnits { pool: format!("gcp/{family}"), units: Units::new(dec!(1)) };
    OnDemandPrice {
        id: id.into(),
        sku: sku(id),
        price: UnitPrice::new(on_demand),
        family: family.into(),
        pools: vec![pool],
        provider_id: String::new(),
        list_price: None,
        origin: crate::catalog::Origin::default(),
    }
}

fn offer(id: &str, benefit: Benefit, years: u32, recurring: Decimal) -> Offer {
    Offer {
        id: id.into(),
        provider: Provider::Gcp,
        service: String::new(),
        region: String::new(),
        benefit,
        term: Term::Months(12 * years),
        payment_option: PaymentOption::NoUpfront,
        upfront: Money::ZERO,
        recurring: MoneyPerHour::new(recurring),
        scopes: BTreeSet::from([ScopeKind::Project, ScopeKind::Shared]),
        rights: BTreeSet::new(),
        purchasable_from: None,
        purchasable_until: None,
        derived: String::new(),
        lot: None,
        provider_id: String::new(),
        origin: crate::catalog::Origin::default(),
    }
}

fn resource(sku: &str, family: &str) -> Benefit {
    Benefit::Reservation { sku: sku.into(), pool: Some(PoolUnits { pool: format!("gcp/{family}"), units: Units::new(dec!(1)) }) }
}

fn spend(plan: &str, rates: &[(&str, Decimal)]) -> Benefit {
    let rates = rates.iter().map(|(id, rate)| ((*id).to_owned(), UnitPrice::new(*rate))).collect();
    Benefit::SpendPlan { plan: plan.into(), family: String::new(), rates }
}

fn held(id: &str, offer: &str, quantity: Decimal, scope: Scope) -> Commitment {
    let (start, end) = (Hour::from_epoch(-24).start(), Hour::from_epoch(9000).start());
    Commitment { id: id.into(), offer: offer.into(), quantity, start, end, account: String::new(), scope }
}

/// Usage from an hour on: SKU, project, quantity of every hour.
fn usage(first: Hour, lines: &[(&str, &str, f64)], hours: usize) -> UsageCurves {
    let quantity = Array2::from_shape_fn((hours, lines.len()), |(_, column)| lines[column].2);
    let lines = lines.iter().map(|(id, project, _)| UsageLine::new(sku(id), *project)).collect();
    UsageCurves::new(HourGrid { first, count: hours }, lines, quantity).unwrap()
}

fn bill(usage: &UsageCurves, catalog: &Catalog, commitments: Vec<Commitment>, rules: GcpRules) -> Bill {
    let portfolio = Portfolio::new(Vec::new(), commitments).unwrap();
    let rules = Rules { gcp: rules, ..Rules::default() };
    let judge = Judge::new(usage, catalog, &portfolio, &rules).unwrap();
    let bill = judge.bill();
    assert!((judge.cost() - bill.total().cost().to_f64()).abs() < 1e-9 * judge.cost().max(1.0));
    bill
}

fn catalog(prices: Vec<OnDemandPrice>, offers: Vec<Offer>) -> Catalog {
    Catalog::new("USD", None, "test", prices, offers).unwrap()
}

fn used(bill: &Bill) -> Vec<Decimal> {
    bill.commitments().iter().map(|bill| bill.used.round_dp(18)).collect()
}

#[test]
fn resource_commitments_stay_in_their_project_and_series() {
    let prices = vec![price("E2 vCPU", "E2", dec!(0.02)), price("N4 vCPU", "N4", dec!(0.03))];
    let offers = vec![offer("cud", resource("E2 vCPU", "E2"), 1, dec!(0.0126))];
    let catalog = catalog(prices, offers);
    let usage = usage(Hour::from_epoch(0), &[("E2 vCPU", "a", 16.0), ("E2 vCPU", "b", 8.0), ("N4 vCPU", "a", 8.0)], 1);
    let own = Scope::Project { project: "b".into() };
    let found = bill(
        &usage,
        &catalog,
        vec![held("own", "cud", dec!(10), own), held("shared", "cud", dec!(4), Scope::Shared)],
        GcpRules::default(),
    );
    assert_eq!(used(&found), [dec!(8), dec!(4)]);
    // 8 committed, 24 running: split over projects by usage.
    let found = bill(&usage, &catalog, vec![held("c", "cud", dec!(6), Scope::Shared)], GcpRules::default());
    let by_line: Vec<Decimal> = found.commitments()[0].by_line.values().map(|taken| taken.round_dp(18)).collect();
    assert_eq!(by_line, [dec!(4), dec!(2)]);
}

#[test]
fn a_short_flexible_commitment_is_split_by_on_demand_cost() {
    // Legacy model: rates are the on-demand prices, the fee is 0.72 of them.
    let prices = vec![price("a", "", dec!(0.021812)), price("b", "", dec!(0.002924))];
    let offers = vec![offer("flex", spend(FLEXIBLE_PLAN, &[("a", dec!(0.021812)), ("b", dec!(0.002924))]), 1, dec!(0.72))];
    let catalog = catalog(prices, offers);
    let usage = usage(Hour::from_epoch(0), &[("a", "p", 8.0), ("b", "p", 32.0)], 1);
    let found = bill(&usage, &catalog, vec![held("c", "flex", dec!(0.1), Scope::Shared)], GcpRules::default());
    let credits: Vec<Decimal> = found.lines().iter().map(|line| (line.on_demand_equivalent - line.on_demand).value()).collect();
    assert_eq!((credits[0].round_dp(6), credits[1].round_dp(6)), (dec!(0.065095), dec!(0.034905)));
    assert_eq!(found.total().commitment(), Money::new(dec!(0.072)));
}

#[test]
fn the_split_of_unequal_discounts_is_a_switch() {
    let prices = vec![price("a", "", dec!(1)), price("b", "", dec!(1))];
    let offers = vec![offer("flex", spend(FLEXIBLE_PLAN, &[("a", dec!(0.5)), ("b", dec!(0.8))]), 1, dec!(1))];
    let catalog = catalog(prices, offers);
    let usage = usage(Hour::from_epoch(0), &[("a", "p", 10.0), ("b", "p", 10.0)], 1);
    let covered = |split, amount| {
        let rules = GcpRules { split, ..GcpRules::default() };
        let found = bill(&usage, &catalog, vec![held("c", "flex", amount, Scope::Shared)], rules);
        [found.lines()[0].covered.round_dp(12), found.lines()[1].covered.round_dp(12)]
    };
    assert_eq!(covered(SpendSplit::OnDemandCost, dec!(8)), [dec!(8), dec!(5)]);
    assert_eq!(covered(SpendSplit::CommitmentCost, dec!(6.5)), [dec!(5), dec!(5)]);
    // 12 would give each 6, but the first needs 5: the other gets 7.
    assert_eq!(covered(SpendSplit::OnDemandCost, dec!(12)), [dec!(10), dec!(8.75)]);
}

#[test]
fn service_commitments_come_before_flexible_ones_and_longer_terms_first() {
    let prices = vec![price("run", "", dec!(1))];
    let offers = vec![
        offer("flex1", spend(FLEXIBLE_PLAN, &[("run", dec!(0.72))]), 1, dec!(1)),
        offer("flex3", spend(FLEXIBLE_PLAN, &[("run", dec!(0.54))]), 3, dec!(1)),
        offer("run", spend("Cloud Run", &[("run", dec!(0.83))]), 1, dec!(1)),
    ];
    let catalog = catalog(prices, offers);
    let usage = usage(Hour::from_epoch(0), &[("run", "p", 10.0)], 1);
    let commitments = || {
        vec![
            held("a", "flex1", dec!(3.6), Scope::Shared),
            held("b", "flex3", dec!(2.7), Scope::Shared),
            held("c", "run", dec!(1.66), Scope::Shared),
        ]
    };
    assert_eq!(used(&bill(&usage, &catalog, commitments(), GcpRules::default())), [dec!(2.16), dec!(2.7), dec!(1.66)]);
    // At once: of the 8 left the parts 3.6 : 2.7, then what remains.
    let rules = GcpRules { commitment_order: CommitmentOrder::Proportional, ..GcpRules::default() };
    let found = bill(&usage, &catalog, commitments(), rules);
    let part = dec!(8) * dec!(3.6) / dec!(6.3);
    assert_eq!(found.commitments()[0].used.round_dp(12), (part * dec!(0.72)).round_dp(12));
    assert_eq!(found.total().on_demand.value().round_dp(12), dec!(0));
}

#[test]
fn sustained_use_discounts_follow_pacific_months_on_what_is_left() {
    // N1 all November 2026 (721 hours, Pacific): 30 % of what the commitment leaves.
    let catalog = catalog(vec![price("N1 vCPU", "N1", dec!(0.03))], vec![offer("cud", resource("N1 vCPU", "N1"), 1, dec!(0.02))]);
    let first = Hour::containing(calendar::midnight("2026-11-01".parse().unwrap()));
    let usage = usage(first, &[("N1 vCPU", "p", 10.0)], 721);
    let none = bill(&usage, &catalog, Vec::new(), GcpRules::default());
    assert_eq!(none.total().sustained_use_discount.value().round_dp(12), dec!(721) * dec!(0.3) * dec!(0.3));
    let mut commitment = held("c", "cud", dec!(4), Scope::Shared);
    (commitment.start, commitment.end) = (first.start(), first.plus(721).start());
    let some = bill(&usage, &catalog, vec![commitment], GcpRules::default());
    assert_eq!(some.total().sustained_use_discount.value().round_dp(12), dec!(721) * dec!(0.18) * dec!(0.3));
    assert_eq!(some.total().cost().value().round_dp(12), dec!(721) * (dec!(0.18) * dec!(0.7) + dec!(0.08)));
    let months: Vec<String> = none
        .months()
        .iter()
        .filter(|(_, c)| c.sustained_use_discount > Money::ZERO)
        .map(|(month, _)| month.to_string())
        .collect();
    assert_eq!(months, ["2026-11"]);
}

#[test]
fn a_bill_is_attributed_by_allotments() {
    // All of June: 10 vCPUs of project a and 30 of b, 20 committed, 15 of them allotted to a, which needs 10.
    let catalog = catalog(vec![price("N1 vCPU", "N1", dec!(0.03))], vec![offer("cud", resource("N1 vCPU", "N1"), 1, dec!(0.02))]);
    let first = Hour::containing(calendar::midnight("2026-06-01".parse().unwrap()));
    let usage = usage(first, &[("N1 vCPU", "a", 10.0), ("N1 vCPU", "b", 30.0)], 720);
    let mut commitment = held("c", "cud", dec!(20), Scope::Shared);
    (commitment.start, commitment.end) = (first.start(), first.plus(720).start());
    let portfolio = Portfolio::new(Vec::new(), vec![commitment]).unwrap();
    let judge = Judge::new(&usage, &catalog, &portfolio, &Rules::default()).unwrap();
    let bill = judge.bill();
    let (account, projects) = judge.account_charges(&bill, &["c"]).unwrap();
    assert_eq!((account.committed, account.covered, account.fee), (dec!(14400), dec!(14400), Money::new(dec!(288))));
    assert_eq!(account.sustained_use_discount, bill.total().sustained_use_discount);
    let own = attribution::Allotment { units: dec!(10800), projects: BTreeSet::from(["a".into()]), folders: BTreeSet::new() };
    let found = attribution::attribute(&account, &projects, &[own], attribution::FeeRule::ByAllotment).unwrap();
    assert_eq!((found.shares[0].covered, found.shares[1].covered), (dec!(7200), dec!(7200)));
    // The owner pays for its allotment; what it left is free for b, and 3,600 units nobody was allotted are paid for by b.
    assert_eq!((found.shares[0].fee, found.shares[1].fee), (Money::new(dec!(216)), Money::new(dec!(72))));
    let total = found.total();
    assert_eq!((total.fee, total.credit), (account.fee, account.credit));
    assert!(judge.account_charges(&bill, &["nobody"]).unwrap_err().to_string().contains("nobody"));
}

#[test]
fn the_models_and_fees_convert() {
    assert_eq!(converted_commitment(dec!(100), dec!(0.3)), dec!(70));
    assert_eq!((discount_of_fee(dec!(0.0072)), discount_of_fee(dec!(0.0054))), (dec!(0.28), dec!(0.46)));
}

mod laws {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn usage_is_conserved_and_shuffling_changes_nothing(
            quantities in prop::array::uniform4(0u32..40),
            bought in prop::array::uniform4(1u32..12),
            proportional: bool,
            by_cost: bool,
        ) {
            let prices = vec![price("N1 vCPU", "N1", dec!(0.03)), price("N1 custom", "N1", dec!(0.033)), price("E2 vCPU", "E2", dec!(0.02))];
            let flexible = |d: Decimal| spend(FLEXIBLE_PLAN, &[("N1 vCPU", dec!(0.03) * d), ("N1 custom", dec!(0.02)), ("E2 vCPU", dec!(0.02) * d)]);
            let offers = vec![
                offer("cud", resource("N1 vCPU", "N1"), 1, dec!(0.02)),
                offer("flex1", flexible(dec!(0.72)), 1, dec!(1)),
                offer("flex3", flexible(dec!(0.54)), 3, dec!(1)),
            ];
            let catalog = catalog(prices, offers);
            let names = [("N1 vCPU", "a"), ("N1 custom", "a"), ("N1 vCPU", "b"), ("E2 vCPU", "b")];
            let mut lines: Vec<_> = names.iter().zip(quantities).map(|((id, p), q)| (*id, *p, f64::from(q) / 4.0)).collect();
            let mut commitments = vec![
                held("own", "cud", Decimal::from(bought[0]), Scope::Project { project: "a".into() }),
                held("shared", "cud", Decimal::from(bought[1]), Scope::Shared),
                held("flex1", "flex1", Decimal::from(bought[2]) / dec!(100), Scope::Shared),
                held("flex3", "flex3", Decimal::from(bought[3]) / dec!(100), Scope::Shared),
            ];
            let rules = GcpRules {
                split: if by_cost { SpendSplit::CommitmentCost } else { SpendSplit::OnDemandCost },
                commitment_order: if proportional { CommitmentOrder::Proportional } else { CommitmentOrder::LongerTermFirst },
                ..GcpRules::default()
            };
            let curves = usage(Hour::from_epoch(0), &lines, 30);
            let straight = bill(&curves, &catalog, commitments.clone(), rules.clone());
            for line in straight.lines() {
                prop_assert!(line.covered >= Decimal::ZERO && line.covered <= line.quantity + dec!(1e-20));
            }
            for commitment in straight.commitments() {
                prop_assert!(commitment.used <= commitment.provided + dec!(1e-18));
                if commitment.id == "own" {
                    prop_assert!(commitment.by_line.keys().all(|column| curves.lines()[*column].account == "a"));
                }
            }
            let total = straight.total();
            prop_assert!(total.sustained_use_discount <= total.on_demand + Money::new(dec!(1e-15)));
            lines.reverse();
            commitments.reverse();
            prop_assert_eq!(straight, bill(&usage(Hour::from_epoch(0), &lines, 30), &catalog, commitments, rules));
        }
    }
}
