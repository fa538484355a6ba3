//! The joint decision against brute force over offers and purchases, against the extensive form, and against the ledger.

#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

use super::rows::program;
use super::*;
use crate::catalog::{Catalog, OnDemandPrice};
use crate::finance::agreement::{CarryLifetime, CarryOver, CreditCounting, SettlementRules, ShortfallRule, settle};
use crate::planning::agreement::compiled::PeriodHours;
use crate::planning::tests::every_plan;
use crate::planning::{Options, Planner, Policy, Problem, Remainder};
use crate::time::{Hour, HourGrid};
use crate::units::{UnitPrice, to_f64};
use crate::usage::{PricingCategory, UsageCurves, UsageLine};
use chrono::{DateTime, Utc};
use good_lp::{Expression, ProblemVariables, Solution as _, SolverModel, constraint, variable};
use ndarray::Array2;
use proptest::prelude::*;
use rust_decimal::dec;
use std::collections::BTreeSet;

/// January and February of 2027.
const HOURS: usize = 59 * 24;

fn first() -> DateTime<Utc> {
    "2027-01-01T00:00:00Z".parse().unwrap()
}

fn sku(name: &str, service: &str) -> serde_json::Value {
    serde_json::json!({"provider": "aws", "service": service, "region": "us-east-1", "sku": name})
}

/// Two lines of two services, a reservation of the first and a plan over both, whole units an hour.
fn catalog() -> Catalog {
    let price = |id: &str, service: &str, price: &str| -> OnDemandPrice {
        serde_json::from_value(serde_json::json!({"id": id, "sku": sku(id, service), "price": price})).unwrap()
    };
    let offer = |id: &str, benefit: serde_json::Value, upfront: &str, recurring: &str, scope: &str| {
        serde_json::from_value(serde_json::json!({
            "id": id, "provider": "aws", "service": "AmazonEC2", "benefit": benefit, "term": "P365D", "payment_option": "no_upfront",
            "upfront": upfront, "recurring": recurring, "scopes": [scope],
        }))
        .unwrap()
    };
    let plan = serde_json::json!({"kind": "spend_plan", "plan": "Compute", "rates": {"vm": "0.7", "fn": "0.4"}});
    let offers = vec![
        offer("ri", serde_json::json!({"kind": "reservation", "sku": "vm"}), "876", "0.55", "region"),
        offer("sp", plan, "0", "1", "shared"),
    ];
    Catalog::new("USD", None, "invented", vec![price("vm", "AmazonEC2", "1"), price("fn", "AWSLambda", "0.5")], offers).unwrap()
}

/// Day and night levels of each line, and the growth from January to February.
fn usage(levels: [u32; 4], growth: f64, spot: Option<f64>) -> UsageCurves {
    let mut lines: Vec<UsageLine> = [("vm", "AmazonEC2"), ("fn", "AWSLambda")]
        .map(|(name, service)| UsageLine::new(serde_json::from_value(sku(name, service)).unwrap(), "a"))
        .to_vec();
    if spot.is_some() {
        let mut line = UsageLine::new(serde_json::from_value(sku("vm", "AmazonEC2")).unwrap(), "spot");
        (line.pricing, line.billed_price) = (PricingCategory::Spot, Some(UnitPrice::new(dec!(0.3))));
        lines.push(line);
    }
    let quantity = Array2::from_shape_fn((HOURS, lines.len()), |(hour, line)| {
        let level = f64::from(levels[2 * (line % 2) + usize::from(hour % 24 < 8)]);
        let factor = if hour < 31 * 24 { 1.0 } else { growth };
        if line == 2 { spot.unwrap_or_default() } else { level * factor }
    });
    UsageCurves::new(HourGrid { first: Hour::containing(first()), count: HOURS }, lines, quantity).unwrap()
}

fn policy() -> Policy {
    Policy { spend_plan_increment: dec!(0.5), ..Policy::default() }
}

/// Two periods of a month.
fn terms(minimums: [Decimal; 2], rules: SettlementRules) -> Terms {
    let start = first().date_naive();
    let period = |end: &str, minimum| crate::finance::agreement::Period { end: end.parse().unwrap(), minimum };
    let mut terms = Terms::yearly("months", start, &[dec!(0)]).unwrap().rules(rules);
    terms.periods = vec![period("2027-02-01", minimums[0]), period("2027-03-01", minimums[1])];
    terms
}

fn offers(minimums: [u32; 2], discounts: [u32; 2], rules: SettlementRules) -> Vec<OfferedAgreement> {
    let offer = |name: &str, minimum: u32, percent: u32| {
        let minimum = Decimal::from(minimum);
        OfferedAgreement::cross_service(
            name,
            Provider::Aws,
            Decimal::new(percent.into(), 2),
            terms([minimum, minimum * dec!(1.1)], rules),
        )
    };
    vec![
        OfferedAgreement::none(),
        offer("shallow", minimums[0], discounts[0]),
        offer("deep", minimums[0] + minimums[1], discounts[0] + discounts[1]),
    ]
}

fn rules() -> impl Strategy<Value = SettlementRules> {
    let shortfall = prop_oneof![
        Just(ShortfallRule::Pay),
        Just(ShortfallRule::Credit { counting: CreditCounting::DoesNotCount, lifetime: None }),
        Just(ShortfallRule::Credit { counting: CreditCounting::Counts, lifetime: Some(1) }),
        (0i64..40).prop_map(|share| ShortfallRule::Deferral { share: Decimal::new(share, 2), not_in_last: 1 }),
        (0i64..800).prop_map(|amount| ShortfallRule::Relief { amount: Decimal::from(amount) }),
    ];
    let carry = prop_oneof![
        Just(CarryOver::None),
        (prop::option::of(0i64..50), any::<bool>()).prop_map(|(cap, next)| CarryOver::Excess {
            cap_share: cap.map(|cap| Decimal::new(cap, 2)),
            lifetime: if next { CarryLifetime::NextPeriod } else { CarryLifetime::UntilUsed },
        }),
    ];
    let total = prop::option::of(0i64..6000);
    (shortfall, carry, total).prop_map(|(shortfall, carry_over, total)| SettlementRules {
        shortfall,
        carry_over,
        total: total.map(Decimal::from),
    })
}

/// The least cost of the settlement's rows.
fn least(rules: &SettlementRules, minimums: &[f64], spend: &[f64]) -> f64 {
    let periods: Vec<PeriodHours> = minimums.iter().map(|minimum| PeriodHours::of(*minimum)).collect();
    let program = program(rules, &periods);
    let mut variables = ProblemVariables::new();
    let columns: Vec<_> = program.columns.iter().map(|_| variables.add(variable().min(0))).collect();
    let objective: Expression = columns.iter().zip(&program.columns).map(|(column, cost)| *column * *cost).sum();
    let mut model = variables.minimise(objective.clone()).using(good_lp::highs);
    for row in &program.rows {
        let fixed: f64 = row.spend.iter().map(|(period, coefficient)| coefficient * spend[*period]).sum();
        let sum: Expression = row.columns.iter().map(|(column, coefficient)| columns[*column] * *coefficient).sum();
        if !row.columns.is_empty() {
            model.add_constraint(constraint!(sum >= row.least - fixed));
        }
    }
    if columns.is_empty() { 0.0 } else { model.solve().unwrap().eval(&objective) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_rows_cost_what_the_ledger_settles(years in prop::collection::vec((0i64..3000, 0i64..3000), 1..5), rules in rules()) {
        let minimums: Vec<Decimal> = years.iter().map(|(minimum, _)| Decimal::from(*minimum)).collect();
        let spend: Vec<Decimal> = years.iter().map(|(_, spend)| Decimal::from(*spend)).collect();
        let float = |amounts: &[Decimal]| amounts.iter().map(|amount| to_f64(*amount)).collect::<Vec<f64>>();
        let settled: f64 = settle(&minimums, &spend, &rules).unwrap().iter().map(|year| to_f64(year.cost())).sum();
        let least = least(&rules, &float(&minimums), &float(&spend));
        prop_assert!(least <= settled + 1e-6, "rows {least} above the ledger {settled}");
        // A total of the term ties periods together: paying early what a later excess would have covered is then not the same.
        let is_exact = !matches!(rules.shortfall, ShortfallRule::Relief { .. } | ShortfallRule::Credit { counting: CreditCounting::Counts, .. })
            && rules.total.is_none()
            && (rules.carry_over == CarryOver::None || rules.shortfall == ShortfallRule::Pay);
        prop_assert!(!is_exact || least >= settled - 1e-6, "rows {least} below the ledger {settled}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn the_joint_optimum_is_that_of_brute_force(
        levels in [1u32..4, 0u32..2, 0u32..3, 0u32..2], minimum in 200u32..2500, more in 50u32..800,
        discounts in [2u32..10, 1u32..10], rules in rules(), growth in 0u32..3, excluded: bool,
    ) {
        let catalog = catalog();
        let usages = [usage(levels, 1.0, None), usage(levels, 0.5 * f64::from(growth), None)];
        let base = Planner::new(&catalog)
            .scenario("flat", 0.5, &usages[0])
            .scenario("moving", 0.5, &usages[1])
            .purchase_dates([first()])
            .policy(policy())
            .build()
            .unwrap();
        let mut offers = offers([minimum, more], discounts, rules);
        if excluded {
            offers.iter_mut().filter_map(|offer| offer.terms.as_mut()).for_each(|terms| {
                terms.counting.excluded.insert("AWSLambda".into());
            });
        }
        let mut best = f64::INFINITY;
        for offer in &offers {
            let problem = base.under(offer, &[]).unwrap();
            for steps in every_plan(&problem) {
                best = best.min(problem.evaluate(&steps).unwrap().objective);
            }
        }
        let choice = base.choose_agreement(&offers, &[], &Options { relative_gap: 0.0, ..Options::default() }).unwrap();
        prop_assert!(choice.lower_bound <= best + 1e-6, "bound {} above the optimum {best}", choice.lower_bound);
        prop_assert!((choice.best().cost() - best).abs() <= 1e-6 * best.max(1.0), "{} for {best}", choice.best().cost());
        let first = base.agreement_first(&offers, &[], &Options::default()).unwrap();
        prop_assert!(first.blind.1 >= choice.lower_bound - 1e-6 && first.informed.1 >= choice.lower_bound - 1e-6);
        prop_assert!(first.informed.1 <= first.blind.1 + 1e-9);
    }

    #[test]
    fn the_extensive_form_bounds_every_plan_and_the_search_does_not_exceed_it(
        levels in [1u32..4, 0u32..2, 0u32..3, 0u32..2], minimum in 200u32..2500, rules in rules(), rate in 0u32..2,
    ) {
        let catalog = catalog();
        let usage = usage(levels, 1.5, Some(1.0));
        let base = Planner::new(&catalog).usage(&usage).purchase_dates([first()]).discount_rate(0.5 * f64::from(rate)).build().unwrap();
        let offer = &offers([minimum, 1], [5, 1], rules)[1];
        let problem = base.under(offer, &[]).unwrap();
        let optimum = problem.extensive(true).solve().unwrap();
        let bound = problem.relaxed_bound(&Options { relative_gap: 1e-6, ..Options::default() }).unwrap();
        prop_assert!(bound <= optimum + 1e-5 * optimum.abs(), "bound {bound} above the optimum {optimum}");
        prop_assert!(bound >= optimum - 2e-4 * optimum.abs() - 1e-6, "bound {bound} far below {optimum}");
        // Too many plans to try each: the search itself ends with cuts, rounding and bills.
        let solution = problem.search(&Options::default()).unwrap();
        prop_assert!(solution.evaluation.objective >= optimum - 1e-6 * optimum.abs());
        prop_assert!(solution.evaluation.objective <= problem.evaluate(&problem.nothing()).unwrap().objective + 1e-6);
        prop_assert!(solution.lower_bound <= optimum + 1e-5 * optimum.abs());
    }

    #[test]
    fn a_larger_discount_never_raises_cost(
        levels in [1u32..4, 0u32..2, 0u32..3, 0u32..2], minimum in 200u32..2500, percent in 0u32..30, rules in rules(),
    ) {
        // A credit that counts again pays for spend and closes the next gap, so that less spend can cost more.
        // So can an upfront fee that counts in full but costs only the part of its term that is planned: the planned hours bear all of it.
        prop_assume!(!matches!(rules.shortfall, ShortfallRule::Credit { counting: CreditCounting::Counts, .. }));
        let catalog = catalog();
        let usage = usage(levels, 1.0, Some(0.5));
        let planner = Planner::new(&catalog).usage(&usage).purchase_dates([first()]).remainder(Remainder::Worthless);
        let base = planner.policy(policy()).build().unwrap();
        let offer = &offers([minimum, 1], [5, 1], rules)[1];
        let cost = |percent: u32| {
            let offer = offer.with_discount(Decimal::new(percent.into(), 2));
            base.branch(&offer, &[], &Options { relative_gap: 0.0, ..Options::default() }).unwrap().cost()
        };
        let (less, more) = (cost(percent), cost(percent + 1));
        prop_assert!(more <= less + 1e-6 * less.abs(), "{more} at {} %, {less} at {percent} %", percent + 1);
    }
}

#[test]
fn without_minimum_and_discount_the_plan_is_that_without_an_agreement() {
    let catalog = catalog();
    let usage = usage([3, 1, 2, 1], 1.2, None);
    for planner in [Planner::new(&catalog).usage(&usage), Planner::new(&catalog).usage(&usage).purchase_dates([first()])] {
        let base = planner.policy(policy()).build().unwrap();
        let plain = base.search(&Options::default()).unwrap();
        let zero = OfferedAgreement::cross_service(
            "zero",
            Provider::Aws,
            dec!(0),
            terms([dec!(0), dec!(0)], SettlementRules::default()),
        );
        for offer in [OfferedAgreement::none(), zero] {
            let branch = base.branch(&offer, &[], &Options::default()).unwrap();
            assert_eq!(branch.solution.steps, plain.steps, "{}", offer.name);
            assert!((branch.cost() - plain.evaluation.objective).abs() < 1e-9 * branch.cost());
            assert!(branch.shortfall_probability().abs() < 1e-12);
        }
    }
}

#[test]
fn the_exact_ledger_settles_what_the_plan_was_accepted_on() {
    let catalog = catalog();
    let usage = usage([3, 1, 2, 1], 1.2, Some(1.0));
    let base = Planner::new(&catalog).usage(&usage).purchase_dates([first()]).policy(policy()).build().unwrap();
    let mut offer = offers([2500, 1], [7, 1], SettlementRules::default()).remove(1);
    offer.discounts.discounts.push(AgreementDiscount {
        provider: Provider::Aws,
        service: Some("AWSLambda".into()),
        kinds: BTreeSet::new(),
        fraction: dec!(0.1),
        overlay: Overlay::OnTop,
    });
    let marketplace = OtherSpend {
        scenario: None,
        provider: Provider::Aws,
        spend: Spend {
            date: "2027-02-10".parse().unwrap(),
            kind: SpendKind::Marketplace,
            item: "tool".into(),
            gross: dec!(40),
            net: dec!(40),
        },
    };
    let problem = base.under(&offer, &[marketplace]).unwrap();
    for steps in every_plan(&problem) {
        let ledger = problem.ledger(&steps, 0).unwrap().unwrap();
        let settled = &problem.settled(&steps).unwrap()[0];
        for (exact, fast) in ledger.periods.iter().zip(settled) {
            assert!((exact.settled.counted - fast.counted).abs() < dec!(0.000001), "{:?} {fast:?}", exact.settled);
            assert!((exact.settled.paid - fast.paid).abs() < dec!(0.000001));
        }
        // What is paid in cash is the accepted cost, but for the upfront fee, which the plan spreads over its term.
        let upfront: Decimal = ledger_upfront(&problem, &steps);
        let cash = to_f64(ledger.cash() - upfront);
        let cost = problem.evaluate(&steps).unwrap().objective - to_f64(upfront) * 59.0 / 365.0;
        assert!((cash - cost).abs() < 1e-6 * cost, "cash {cash}, cost {cost}");
    }
}

fn ledger_upfront(problem: &Problem<'_>, steps: &[u32]) -> Decimal {
    let of = |commitment: &crate::portfolio::Commitment| {
        let offer = problem.catalog.offer(&commitment.offer).unwrap();
        offer.upfront.value() * commitment.quantity * dec!(0.93)
    };
    problem.commitments(steps).iter().map(of).sum()
}

#[test]
fn discounts_fall_on_what_the_judge_charges_at_list_prices() {
    let catalog = catalog();
    let usage = usage([3, 1, 2, 1], 1.0, None);
    let base = Planner::new(&catalog).usage(&usage).policy(policy()).build().unwrap();
    let offer = OfferedAgreement { terms: None, ..offers([1, 1], [7, 1], SettlementRules::default()).remove(1) };
    let problem = base.under(&offer, &[]).unwrap();
    for steps in every_plan(&problem) {
        let portfolio = problem.portfolio_with(&steps).unwrap();
        let judge = Judge::new(&usage, &catalog, &portfolio, &problem.rules).unwrap();
        let bill = judge.bill();
        let discount: Decimal = judge.discounts(&bill, &offer.discounts).unwrap().iter().map(|row| row.discount.value()).sum();
        let monthly: Decimal = judge.monthly_charges().iter().map(|charge| charge.gross.value()).sum();
        assert!((monthly - bill.total().cost().value()).abs() < dec!(0.000000001));
        let net = to_f64(bill.total().cost().value() - discount);
        let cost = problem.evaluate(&steps).unwrap().objective;
        assert!((net - cost).abs() < 1e-9 * net, "{net} {cost}");
    }
}

#[test]
fn a_shortfall_of_a_cent_is_paid() {
    let catalog = catalog();
    let usage = usage([1, 1, 0, 0], 1.0, None);
    let base = Planner::new(&catalog).usage(&usage).purchase_dates([first()]).policy(policy()).build().unwrap();
    // On demand January costs 744 and February 672.
    for (minimum, paid) in [(dec!(744), dec!(0)), (dec!(744.01), dec!(0.01)), (dec!(743.99), dec!(0))] {
        let offer =
            OfferedAgreement::cross_service("o", Provider::Aws, dec!(0), terms([minimum, dec!(672)], SettlementRules::default()));
        let problem = base.under(&offer, &[]).unwrap();
        let years = &problem.settled(&problem.nothing()).unwrap()[0];
        assert_eq!((years[0].paid, years[1].paid), (paid, dec!(0)));
        assert!((problem.evaluate(&problem.nothing()).unwrap().objective - 1416.0 - to_f64(paid)).abs() < 1e-9);
    }
}

#[test]
fn wrong_terms_and_spend_are_refused() {
    let catalog = catalog();
    let usage = usage([1, 1, 0, 0], 1.0, None);
    let base = Planner::new(&catalog).usage(&usage).purchase_dates([first()]).build().unwrap();
    let offer = |terms| OfferedAgreement::cross_service("o", Provider::Aws, dec!(0.05), terms);
    let good = terms([dec!(1), dec!(1)], SettlementRules::default());
    assert!(base.under(&offer(good.clone()), &[]).is_ok());
    assert!(base.under(&offer(good.clone()).with_discount(dec!(1)), &[]).is_err());
    let long = Terms::yearly("long", first().date_naive(), &[dec!(1)]).unwrap();
    assert!(base.under(&offer(long), &[]).unwrap_err().to_string().contains("within the hours"));
    let spend = Spend { date: first().date_naive(), kind: SpendKind::Support, item: String::new(), gross: dec!(1), net: dec!(1) };
    let other = OtherSpend { scenario: Some("nobody".into()), provider: Provider::Aws, spend };
    assert!(base.under(&offer(good), &[other]).unwrap_err().to_string().contains("nobody"));
    assert!(base.choose_agreement(&[], &[], &Options::default()).is_err());
}

#[test]
fn clauses_and_indifference_are_consistent() {
    let catalog = catalog();
    let usages = [usage([3, 1, 2, 1], 0.6, None), usage([3, 1, 2, 1], 1.4, None)];
    let base = Planner::new(&catalog)
        .scenario("low", 0.4, &usages[0])
        .scenario("high", 0.6, &usages[1])
        .purchase_dates([first()])
        .policy(policy())
        .build()
        .unwrap();
    let offer = &offers([1500, 1], [6, 1], SettlementRules::default())[1];
    let options = Options { relative_gap: 0.0, ..Options::default() };
    let branch = base.branch(offer, &[], &options).unwrap();
    let carry = Clause::CarryOver { rule: CarryOver::Excess { cap_share: None, lifetime: CarryLifetime::UntilUsed } };
    let clauses = [
        Clause::MoreDiscount { points: dec!(0.01) },
        Clause::Minimums { factor: dec!(0.9) },
        carry,
        Clause::Shortfall { rule: ShortfallRule::Deferral { share: dec!(0.15), not_in_last: 1 } },
    ];
    for value in base.clause_values(&branch, &clauses, &[], &options).unwrap() {
        assert!(value.value >= -1e-9, "{}: {}", value.clause, value.value);
        assert!(value.proven.0 <= value.value + 1e-9 && value.value <= value.proven.1 + 1e-9);
    }
    // At the offered discount the offer costs what it costs: that is where it is indifferent to its own cost.
    let found = base.indifference_discount(offer, branch.cost(), &[], &options, (0.3, 1e-4)).unwrap();
    assert!((found.at.unwrap() - found.offered).abs() <= 2e-4, "{found:?}");
    assert_eq!(base.indifference_discount(offer, 1.0, &[], &options, (0.3, 1e-3)).unwrap().at, None);
}
