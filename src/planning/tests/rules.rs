//! Every rule, several scenarios and dates, every objective: the search against brute force and against the extensive form.

use super::*;
use chrono::{DateTime, Utc};

/// Scenarios of the same lines.
fn scenarios() -> impl Strategy<Value = Vec<Vec<Vec<f64>>>> {
    (2usize..5).prop_flat_map(|count| prop::collection::vec(hours(3, count..count + 1, 4), 1..4))
}

/// A planner over scenarios that are equally likely.
fn planner<'a>(catalog: &'a Catalog, usages: &'a [UsageCurves]) -> Planner<'a> {
    let probability = 1.0 / usages.len() as f64;
    let add = |planner: Planner<'a>, (index, usage)| planner.scenario(format!("s{index}"), probability, usage);
    usages.iter().enumerate().fold(Planner::new(catalog), add)
}

fn money(amount: u32) -> Option<Money> {
    Some(Money::new(Decimal::from(amount)))
}

/// A policy with one rule, or several, and amounts drawn to bind now and then.
fn policies() -> impl Strategy<Value = Policy> {
    let base =
        || Policy { spend_plan_increment: Decimal::new(25, 2), forbidden_offers: vec!["sp-wide-3y".into()], ..Policy::default() };
    (0u8..15, 0u32..100).prop_map(move |(rule, amount)| {
        let share = f64::from(amount) / 100.0;
        let hourly = Some(MoneyPerHour::new(Decimal::new(amount.into(), 2)));
        let three_year = Selection { terms: BTreeSet::from([36]), ..Selection::default() };
        match rule {
            0 => Policy { upfront_budget: money(amount * 100), ..base() },
            1 => Policy {
                upfront_budget_by_quarter: BTreeMap::from([("1970-Q1".into(), Money::new(Decimal::from(amount * 100)))]),
                ..base()
            },
            2 => Policy { max_remaining_obligation: money(amount * 100), ..base() },
            3 => Policy { max_share_three_year: Some(share), ..base() },
            4 => Policy { shares: vec![ShareRule { of: three_year, minimum: Some(share), maximum: None }], ..base() },
            5 => Policy { min_utilisation: Some(share), ..base() },
            6 => Policy { max_coverage: Some(share), ..base() },
            7 => Policy { min_coverage: Some(share * 0.8), ..base() },
            8 => Policy {
                migrations: vec![Migration {
                    skus: vec!["sku0".into(), "sku1".into()],
                    regions: Vec::new(),
                    leave: chrono::NaiveDate::from_ymd_opt(1970, 6, 30).unwrap(),
                    max_stranded: Money::new(Decimal::from(amount * 20)),
                }],
                ..base()
            },
            9 => Policy { max_purchase_per_month: hourly, ..base() },
            10 => Policy { max_expiring_per_month: hourly, ..base() },
            11 => Policy { lots: vec![("ri-*".into(), Units::new(Decimal::from(1 + amount % 3)))], ..base() },
            12 => Policy { min_ticket: money(amount * 50), ..base() },
            13 => Policy { max_purchases: Some(amount % 3), ..base() },
            _ => Policy { fixed: BTreeMap::from([("ri-pool-1y".into(), Units::new(Decimal::from(amount % 3)))]), ..base() },
        }
    })
}

fn objectives(foresight: bool) -> impl Strategy<Value = Objective> {
    let tail = (0u8..4, 0u8..4)
        .prop_map(|(weight, level)| Objective::ExpectedCostAndTail { weight: f64::from(weight), level: f64::from(level) / 4.0 });
    let regret = Just(if foresight { Objective::MinimumRegret { foresight: Vec::new() } } else { Objective::ExpectedCost });
    prop_oneof![Just(Objective::ExpectedCost), tail, regret]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn every_rule_is_kept_and_the_bound_is_below_brute_force(
        scenarios in scenarios(), rates in rates(), policy in policies(), objective in objectives(false),
    ) {
        let catalog = catalog(rates);
        let usages: Vec<UsageCurves> = scenarios.iter().map(|hours| usage(hours)).collect();
        let Ok(problem) = planner(&catalog, &usages).policy(policy.clone()).objective(objective).build() else {
            // Only a fixed purchase that covers nothing is refused.
            prop_assert!(!policy.fixed.is_empty());
            return Ok(());
        };
        let plans: usize = problem.candidates().iter().map(|candidate| candidate.max_steps as usize + 1).product();
        prop_assume!(plans <= 1500);
        let evaluations = every_plan(&problem).into_iter().map(|steps| problem.evaluate(&steps).unwrap());
        let best = evaluations.filter(Evaluation::is_allowed).map(|evaluation| evaluation.objective).fold(f64::INFINITY, f64::min);
        match problem.search(&Options { relative_gap: 0.0, ..Options::default() }) {
            Ok(solution) => {
                prop_assert!(solution.evaluation.is_allowed(), "breaks {:?}", solution.evaluation.broken);
                prop_assert!(solution.lower_bound <= best + 1e-6 * best.abs().max(1.0), "bound {} above {best}", solution.lower_bound);
                prop_assert!(solution.evaluation.objective <= best + 1e-6 * best.abs().max(1.0), "{} and {best}", solution.evaluation.objective);
                let certificate = solution.certificate();
                let parts = certificate.billing_order + certificate.integrality + certificate.tolerance;
                prop_assert!((parts - (certificate.billed_cost - certificate.lower_bound)).abs() < 1e-6);
            }
            Err(error) => prop_assert!(best.is_infinite(), "{error}, but a plan costs {best}"),
        }
    }

    #[test]
    fn the_relaxed_search_and_the_extensive_form_agree(
        scenarios in scenarios(), rates in rates(), policy in policies(), objective in objectives(true), dated: bool, rate in 0u8..2,
        worthless: bool,
    ) {
        let catalog = catalog(rates);
        let usages: Vec<UsageCurves> = scenarios.iter().map(|hours| usage(hours)).collect();
        let start = |hour: i64| Hour::from_epoch(hour).start();
        let dates: Vec<DateTime<Utc>> = if dated { vec![start(0), start(1)] } else { Vec::new() };
        // Shares and choices need whole steps to mean something; what is linear is compared.
        prop_assume!(policy.min_ticket.is_none() && policy.max_purchases.is_none());
        let policy = Policy { min_utilisation: None, ..policy };
        let remainder = if worthless { Remainder::Worthless } else { Remainder::WorthItsCost };
        let planner = planner(&catalog, &usages).policy(policy).objective(objective).purchase_dates(dates).remainder(remainder);
        let Ok(problem) = planner.discount_rate(0.08 * f64::from(rate)).build() else { return Ok(()) };
        let options = Options { relative_gap: 1e-7, ..Options::default() };
        let Ok(problem) = problem.with_foresight(&options) else { return Ok(()) };
        let optimum = problem.extensive(false).solve();
        let mut search = solve::Search::new(&problem, &options, Vec::new());
        match (search.relaxed_optimum(), optimum) {
            (Ok((cost, bound)), Ok(optimum)) => {
                let scale = optimum.abs().max(1.0);
                prop_assert!(bound <= optimum + 1e-5 * scale, "bound {bound}, extensive {optimum}");
                prop_assert!(cost >= optimum - 1e-5 * scale, "cost {cost}, extensive {optimum}");
                prop_assert!(cost - bound <= 1e-4 * scale || cost.is_infinite(), "cost {cost}, bound {bound}, extensive {optimum}");
            }
            (Err(_), Err(_)) => {}
            (search, optimum) => prop_assert!(false, "search {search:?}, extensive {optimum:?}"),
        }
    }

    #[test]
    fn the_order_of_lines_offers_and_scenarios_does_not_matter(scenarios in scenarios(), rates in rates()) {
        let forward = catalog(rates);
        let offers: Vec<Offer> = forward.offers().iter().rev().cloned().collect();
        let backward = Catalog::new("USD", None, "invented", forward.prices().iter().rev().cloned().collect(), offers).unwrap();
        let usages: Vec<UsageCurves> = scenarios.iter().map(|hours| usage(hours)).collect();
        let reversed: Vec<UsageCurves> = usages.iter().rev().cloned().collect();
        let options = Options { relative_gap: 0.0, ..Options::default() };
        let a = planner(&forward, &usages).build().unwrap().search(&options).unwrap();
        let b = planner(&backward, &reversed).build().unwrap().search(&options).unwrap();
        let scale = a.evaluation.objective.abs().max(1.0);
        prop_assert!((a.evaluation.objective - b.evaluation.objective).abs() <= 1e-9 * scale);
    }

    #[test]
    fn more_weight_on_the_tail_never_raises_the_tail(scenarios in scenarios(), rates in rates()) {
        let catalog = catalog(rates);
        let usages: Vec<UsageCurves> = scenarios.iter().map(|hours| usage(hours)).collect();
        let policy = Policy { forbidden_offers: vec!["sp-wide-3y".into()], spend_plan_increment: Decimal::new(25, 2), ..Policy::default() };
        let tail_at = |weight: f64| {
            let objective = Objective::ExpectedCostAndTail { weight, level: 0.5 };
            let problem = planner(&catalog, &usages).policy(policy.clone()).objective(objective).build().unwrap();
            let plans: usize = problem.candidates().iter().map(|candidate| candidate.max_steps as usize + 1).product();
            let evaluation = problem.search(&Options { relative_gap: 0.0, ..Options::default() }).unwrap().evaluation;
            let probabilities = vec![1.0 / usages.len() as f64; usages.len()];
            (tail(&evaluation.scenario_costs, &probabilities, 0.5), plans)
        };
        let ((low, plans), (high, _)) = (tail_at(0.5), tail_at(4.0));
        // Where every plan is billed the optimum is exact.
        prop_assume!(plans <= 2000);
        prop_assert!(high <= low + 1e-6, "{high} above {low}");
    }
}

#[test]
fn a_clash_names_the_rules_and_how_far_they_must_give() {
    let catalog = catalog([15, 9, 20, 14, 12, 13]);
    let usage = usage(&(0..48).map(|hour| vec![f64::from(hour % 3), 2.0, 4.0]).collect::<Vec<_>>());
    let policy = Policy {
        min_coverage: Some(0.8),
        max_purchase_per_month: Some(MoneyPerHour::new(Decimal::new(50, 2))),
        max_share_three_year: Some(0.9),
        ..Policy::default()
    };
    let problem = Planner::new(&catalog).usage(&usage).policy(policy).build().unwrap();
    let clash = problem.clash().unwrap().unwrap();
    let rules: Vec<&str> = clash.rules.iter().map(|rule| rule.rule.split([' ', ',']).next().unwrap()).collect();
    assert_eq!(rules, ["max_purchase_per_month", "min_coverage"]);
    // Each alone could give by so much: with the limit raised by it, and a little, the policy can be kept.
    let give = clash.rules[0].by.unwrap();
    assert!(give > 0.1, "{give}");
    let raised = |by: f64| Policy {
        max_purchase_per_month: Some(MoneyPerHour::new(Decimal::new(50, 2) + crate::units::to_decimal(by).unwrap())),
        ..problem.policy().clone()
    };
    let after = problem.with_policy(raised(give * 1.001)).unwrap().clash().unwrap();
    assert!(after.is_none(), "{clash}, then {}", after.unwrap());
    assert!(problem.with_policy(raised(give * 0.99)).unwrap().clash().unwrap().is_some());
    let message = problem.solve(&Options::default()).unwrap_err().to_string();
    assert!(message.contains("min_coverage") && message.contains("max_purchase_per_month"), "{message}");
    assert!(problem.with_policy(Policy::default()).unwrap().clash().unwrap().is_none());
}

#[test]
fn with_a_discount_rate_paying_upfront_is_worth_less() {
    // The same reservation, 5 % cheaper if paid at once: worth it at no discount rate, not at 20 % a year.
    let term = Term::AWS_ONE_YEAR;
    let benefit = reservation("sku0", None);
    let offers = vec![
        offer("monthly", &benefit, term, PaymentOption::NoUpfront, Decimal::ZERO, cents(10)),
        offer("at-once", &benefit, term, PaymentOption::AllUpfront, Decimal::new(95, 3) * term.list_hours(), Decimal::ZERO),
    ];
    let catalog = Catalog::new("USD", None, "invented", vec![price("sku0", cents(20), None)], offers).unwrap();
    let usage = usage(&vec![vec![3.0]; 24]);
    let bought = |rate: f64| {
        let plan = Planner::new(&catalog).usage(&usage).discount_rate(rate).solve().unwrap();
        plan.purchases().iter().map(|purchase| purchase.offer.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(bought(0.0), ["at-once"]);
    assert_eq!(bought(0.2), ["monthly"]);
}

#[test]
fn purchases_on_two_dates_follow_growth() {
    // Three units from the start, two more from the second month: the best plan buys three at once and two later.
    let offers =
        vec![offer("ri", &reservation("sku0", None), Term::AWS_ONE_YEAR, PaymentOption::NoUpfront, Decimal::ZERO, cents(12))];
    let catalog = Catalog::new("USD", None, "invented", vec![price("sku0", cents(20), None)], offers).unwrap();
    let usage = usage(&(0..24 * 90).map(|hour| vec![if hour < 24 * 31 { 3.0 } else { 5.0 }]).collect::<Vec<_>>());
    let dates = [0i64, 24 * 31].map(|hour| Hour::from_epoch(hour).start());
    let problem = Planner::new(&catalog).usage(&usage).purchase_dates(dates).build().unwrap();
    let solution = problem.search(&Options { relative_gap: 1e-9, ..Options::default() }).unwrap();
    assert_eq!(solution.steps, [3, 2]);
    let expected = 0.12 * (3.0 * 2160.0 + 2.0 * (2160.0 - 744.0));
    assert!((solution.evaluation.objective - expected).abs() < 1e-6, "{}", solution.evaluation.objective);
    // What must pay for itself within the hours planned is bought less.
    let worthless = Planner::new(&catalog).usage(&usage).purchase_dates(dates).remainder(Remainder::Worthless).build().unwrap();
    assert_eq!(worthless.search(&Options::default()).unwrap().steps, [0, 0]);
    // A gap between purchases that is longer than the dates are apart leaves one of them.
    let policy = Policy { min_days_between_purchases: Some(40), ..Policy::default() };
    let apart = problem.with_policy(policy).unwrap().search(&Options { relative_gap: 0.0, ..Options::default() }).unwrap();
    assert!(apart.steps.contains(&0), "{:?}", apart.steps);
    let reasons = problem.explain(&solution).unwrap();
    assert_eq!(reasons.len(), 2);
    assert!(reasons.iter().all(|reason| reason.value_of_one_less.unwrap() > 0.0 && reason.value_of_one_more.unwrap() < 0.0));
    assert!((reasons[0].break_even_utilisation - 0.6).abs() < 1e-9);
}

#[test]
fn curves_of_cost_fall_with_freedom() {
    let catalog = catalog([15, 9, 20, 14, 12, 13]);
    let usage = usage(&(0..100).map(|hour| vec![f64::from(hour % 7), f64::from(hour % 5), 4.0]).collect::<Vec<_>>());
    let policy = Policy::default().max_share_three_year(0.2).upfront_budget(Money::new(Decimal::from(1000)));
    let problem = Planner::new(&catalog).usage(&usage).policy(policy).build().unwrap();
    let options = Options { relative_gap: 1e-6, ..Options::default() };
    for (field, curve) in problem.cost_by_limit(&[0.0, 0.5, 1.0, 2.0], &options).unwrap() {
        let costs: Vec<f64> = curve.iter().map(|point| point.cost.unwrap()).collect();
        assert!(costs.windows(2).all(|pair| pair[1] <= pair[0] + 1e-5 * pair[0]), "{field}: {costs:?}");
    }
    // Each point of the curve is the linear program's optimum at that coverage, on both sides of the cheapest.
    let free = Planner::new(&catalog).usage(&usage).build().unwrap();
    let levels = [0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.99];
    let curve = free.cost_by_coverage(&levels, &options).unwrap();
    let on_demand: f64 = free.on_demand_equivalent[0];
    assert!((curve[0].lower_bound.unwrap() - on_demand).abs() < 1e-6 * on_demand);
    for (level, point) in levels.into_iter().zip(&curve) {
        let policy = Policy { min_coverage: Some(level), max_coverage: Some(level), ..Policy::default() };
        let optimum = free.with_policy(policy).unwrap().extensive(false).solve().unwrap();
        let (cost, bound) = (point.cost.unwrap(), point.lower_bound.unwrap());
        assert!(bound <= optimum + 1e-5 * optimum && cost >= optimum - 1e-5 * optimum, "{level}: {bound} {optimum} {cost}");
        assert!(cost - bound <= 1e-5 * cost, "{level}: {bound} {optimum} {cost}");
    }
    assert!(curve.last().unwrap().cost.unwrap() > curve[3].cost.unwrap(), "the last few per cent cost more than they save");
    // What the three-year share and the budget leave room for ends below that.
    let limited = problem.cost_by_coverage(&[0.3, 0.99], &options).unwrap();
    assert!(limited[0].cost.unwrap() >= curve[1].cost.unwrap() - 1e-5 * on_demand);
}

#[test]
fn ones_own_plan_is_priced_and_compared() {
    let catalog = catalog([15, 9, 20, 14, 12, 13]);
    let usage = usage(&(0..100).map(|hour| vec![f64::from(hour % 7), f64::from(hour % 5), 4.0]).collect::<Vec<_>>());
    let own = BTreeMap::from([("ri-sku2-1y".to_owned(), Units::new(Decimal::from(2)))]);
    let plan = Planner::new(&catalog).usage(&usage).own_plan(own).solve().unwrap();
    let row = plan.baselines().iter().find(|baseline| baseline.rule == baseline::Rule::OwnPlan).unwrap();
    assert!(row.billed_cost >= plan.objective() - 1e-9 && row.billed_cost < plan.before().total().cost().to_f64());
    let unknown = BTreeMap::from([("no-such-offer".to_owned(), Units::new(Decimal::ONE))]);
    let problem = Planner::new(&catalog).usage(&usage).own_plan(unknown).build().unwrap();
    assert!(problem.solve(&Options::default()).unwrap_err().to_string().contains("no-such-offer"));
}

#[test]
fn wrong_inputs_are_refused_by_name() {
    let catalog = catalog([15, 9, 20, 14, 12, 13]);
    let (three, two) = (usage(&[vec![1.0, 1.0, 1.0]]), usage(&[vec![1.0, 1.0]]));
    let message = |planner: Planner<'_>| planner.build().unwrap_err().to_string();
    assert!(message(Planner::new(&catalog)).contains("usage"));
    assert!(message(Planner::new(&catalog).scenario("low", 0.4, &three)).contains("probability"));
    let unlike = Planner::new(&catalog).scenario("low", 0.5, &three).scenario("high", 0.5, &two);
    assert!(message(unlike).contains("high"));
    assert!(message(Planner::new(&catalog).usage(&three).discount_rate(-2.0)).contains("discount_rate"));
    let outside = Planner::new(&catalog).usage(&three).purchase_dates([Hour::from_epoch(99).start()]);
    assert!(message(outside).contains("purchase_dates"));
    let tail = Objective::ExpectedCostAndTail { weight: -1.0, level: 0.5 };
    assert!(message(Planner::new(&catalog).usage(&three).objective(tail)).contains("weight"));
}

#[test]
fn a_problem_is_one_json_document() {
    let catalog = catalog([15, 9, 20, 14, 12, 13]);
    let usage = usage(&[vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]]);
    let policy = Policy { max_purchases: Some(2), ..Policy::default().max_share_three_year(0.5) };
    let problem = Planner::new(&catalog).usage(&usage).policy(policy).discount_rate(0.08).build().unwrap();
    let json = problem.to_json().unwrap();
    assert_eq!(json["schema"], "covermix-problem/1");
    assert_eq!(json["scenarios"][0]["demand"][1][2], 6.0);
    assert_eq!(json["candidates"].as_array().unwrap().len(), problem.candidates().len());
    let rules: Vec<&str> = json["rules"].as_array().unwrap().iter().filter_map(|rule| rule["rule"].as_str()).collect();
    assert!(rules.contains(&"max_share_three_year") && rules.contains(&"max_purchases"), "{rules:?}");
}

#[test]
fn the_number_of_threads_does_not_change_the_answer() {
    let catalog = catalog([15, 9, 20, 14, 12, 13]);
    let usage =
        usage(&(0..300).map(|hour| vec![f64::from(hour % 7), f64::from(hour % 5), f64::from(hour % 11)]).collect::<Vec<_>>());
    let problem = Planner::new(&catalog).usage(&usage).build().unwrap();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| problem.search(&Options { relative_gap: 1e-6, ..Options::default() }).unwrap())
    };
    let (one, four) = (with(1), with(4));
    assert_eq!(one.steps, four.steps);
    assert_eq!(one.lower_bound.to_bits(), four.lower_bound.to_bits());
    assert_eq!(one.evaluation.objective.to_bits(), four.evaluation.objective.to_bits());
}
