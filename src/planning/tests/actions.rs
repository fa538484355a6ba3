//! Actions on what is held: the search against brute force over actions and purchases, the extensive form, the providers' rules.

use super::*;
use crate::catalog::Right;
use crate::portfolio::action::Action;
use crate::portfolio::{Assumptions, Commitment, rights as rules};
use chrono::{DateTime, Utc};

pub(super) fn start(hour: i64) -> DateTime<Utc> {
    Hour::from_epoch(hour).start()
}

fn held(id: &str, offer: &str, quantity: u32, end: i64) -> Commitment {
    serde_json::from_value(serde_json::json!({
        "id": id, "offer": offer, "quantity": quantity.to_string(), "start": "1969-12-01T00:00:00Z", "end": start(end).to_rfc3339(),
        "account": "a", "scope": {"kind": if offer.starts_with("sp") { "shared" } else { "region" }},
    }))
    .unwrap()
}

fn change(id: &str, kind: Action, gives: &[(&str, u32)], at: i64, paid: i64) -> Change {
    Change {
        id: id.into(),
        kind,
        decided: start(at),
        at: start(at),
        gives: gives
            .iter()
            .map(|(commitment, quantity)| Given { commitment: (*commitment).into(), quantity: Decimal::from(*quantity) })
            .collect(),
        receives: Vec::new(),
        offers: Vec::new(),
        paid: Money::new(Decimal::new(paid, 2)),
        most: None,
        probability: 1.0,
        uses: Vec::new(),
        deadline: None,
        rule: "a rule of the test".into(),
    }
}

fn receiving(mut change: Change, offer: &str, quantity: u32, end: i64) -> Change {
    change.receives.push(Received {
        offer: offer.into(),
        quantity: Decimal::from(quantity),
        start: change.at,
        end: start(end),
        account: "a".into(),
        scope: crate::portfolio::Scope::Region,
    });
    change
}

/// Two commitments held; sales (one with a limit and a sell-through), an exchange of each for the other's product, a return as a whole.
fn changes(numbers: [u32; 6], end: i64) -> (Vec<Change>, Vec<Limit>) {
    let [price, true_up, received, limit, at, through] = numbers;
    let at = i64::from(at % 3);
    let mut sale = change("sell pool", Action::Sell, &[("pool", 1)], at, -i64::from(price));
    sale.probability = [1.0, 0.5, 0.75][usize::try_from(through % 3).unwrap()];
    let mut other = change("sell single", Action::Sell, &[("single", 1)], 0, -i64::from(price.div_euclid(2)));
    for sale in [&mut sale, &mut other] {
        sale.uses.push(("sales".into(), Decimal::ONE));
    }
    let exchange = change("exchange single", Action::Exchange, &[("single", 1)], at, i64::from(true_up));
    let exchange = receiving(exchange, "ri-pool-1y", 1 + received % 2, end);
    let back = receiving(change("exchange pool", Action::Exchange, &[("pool", 2)], 0, 0), "ri-sku2-1y", 1 + received % 3, end);
    let limits = vec![Limit { name: "sales".into(), most: Decimal::from(limit % 4) }];
    (vec![sale, other, exchange, back], limits)
}

fn portfolio(pool: u32, single: u32, end: i64) -> Portfolio {
    let commitments = [held("pool", "ri-pool-1y", pool, end), held("single", "ri-sku2-1y", single, end)];
    Portfolio::default().with(commitments).unwrap()
}

fn numbers() -> impl Strategy<Value = [u32; 6]> {
    [0u32..60, 0u32..40, 0u32..6, 0u32..4, 0u32..3, 0u32..3]
}

/// All combinations of steps of purchases and changes.
fn every_action(problem: &Problem<'_>) -> Vec<Vec<u32>> {
    let mut plans = vec![Vec::new()];
    for column in &problem.columns {
        plans = plans
            .into_iter()
            .flat_map(|plan| (0..=column.max_steps).map(move |steps| [plan.clone(), vec![steps]].concat()))
            .collect();
    }
    plans
}

fn tiny_policy() -> Policy {
    Policy {
        spend_plan_increment: Decimal::new(25, 2),
        forbidden_offers: vec!["sp-*".into(), "ri-pool-3y".into()],
        ..Policy::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn actions_and_purchases_equal_brute_force(
        hours in hours(3, 3..5, 4), rates in rates(), numbers in numbers(), pool in 1u32..4, single in 1u32..3, end in 3i64..9, dated: bool,
    ) {
        let catalog = catalog(rates);
        let usage = usage(&hours);
        let (changes, limits) = changes(numbers, end);
        let dates = if dated { vec![start(0)] } else { Vec::new() };
        let planner = Planner::new(&catalog).usage(&usage).owning(&portfolio(pool, single, end)).policy(tiny_policy());
        let problem = planner.purchase_dates(dates).changes(changes, limits).build().unwrap();
        let plans = every_action(&problem);
        prop_assume!(plans.len() <= 20_000);
        let allowed: Vec<Vec<u32>> = plans.into_iter().filter(|steps| problem.is_allowed(steps)).collect();
        let best = allowed.iter().map(|steps| problem.evaluate(steps).unwrap().objective).fold(f64::INFINITY, f64::min);
        let options = Options { relative_gap: 0.0, ..Options::default() };
        let plan = problem.solve(&options).unwrap();
        let scale = best.abs().max(1.0);
        prop_assert!((plan.objective() - best).abs() <= 1e-6 * scale, "plan {}, optimum {best}", plan.objective());
        // The search's own bound, without trying all plans.
        let bound = problem.relaxed_bound(&options).unwrap();
        prop_assert!(bound <= best + 1e-6 * scale, "bound {bound} above the optimum {best}");
        // The cutting planes find the relaxation's value with whole steps.
        let whole = problem.extensive(true).solve().unwrap();
        prop_assert!(whole <= best + 1e-6 * scale, "extensive form {whole} above the optimum {best}");
        // No action raises the cost, and without rights it is never lower.
        for action in plan.actions() {
            prop_assert!(action.change.is_none() || action.value.unwrap() >= -1e-9 * scale, "{action}");
        }
        let without = problem.without_actions().unwrap().solve(&options).unwrap();
        prop_assert!(plan.objective() <= without.objective() + 1e-9 * scale);
        if !dated {
            let billed = plan.billed_cost().to_f64();
            prop_assert!((billed - plan.objective()).abs() <= 1e-6 * scale, "billed {billed}, objective {}", plan.objective());
        }
    }

    #[test]
    fn the_relaxed_search_and_the_extensive_form_agree_on_actions(
        hours in prop::collection::vec(hours(3, 6..7, 6), 1..3), rates in rates(), numbers in numbers(), pool in 1u32..6, single in 1u32..4,
        end in 3i64..9, dated: bool, worthless: bool, tail: bool, rate in 0u8..2,
    ) {
        let catalog = catalog(rates);
        let usages: Vec<UsageCurves> = hours.iter().map(|hours| usage(hours)).collect();
        let (changes, limits) = changes(numbers, end);
        let dates = if dated { vec![start(0), start(2)] } else { Vec::new() };
        let remainder = if worthless { Remainder::Worthless } else { Remainder::WorthItsCost };
        let objective = if tail { Objective::ExpectedCostAndTail { weight: 1.0, level: 0.5 } } else { Objective::ExpectedCost };
        let probability = 1.0 / usages.len() as f64;
        let mut planner = Planner::new(&catalog).owning(&portfolio(pool, single, end)).objective(objective);
        for (index, usage) in usages.iter().enumerate() {
            planner = planner.scenario(format!("s{index}"), probability, usage);
        }
        let planner = planner.purchase_dates(dates).remainder(remainder).discount_rate(0.1 * f64::from(rate));
        let problem = planner.changes(changes, limits).build().unwrap();
        let optimum = problem.extensive(false).solve().unwrap();
        let options = Options { relative_gap: 1e-7, ..Options::default() };
        let (cost, bound) = solve::Search::new(&problem, &options, Vec::new()).relaxed_optimum().unwrap();
        let scale = optimum.abs().max(1.0);
        prop_assert!(bound <= optimum + 1e-5 * scale, "bound {bound}, extensive {optimum}");
        prop_assert!(cost >= optimum - 1e-5 * scale, "cost {cost}, extensive {optimum}");
        prop_assert!(cost - bound <= 1e-4 * scale, "cost {cost}, bound {bound}, extensive {optimum}");
    }

    #[test]
    fn without_rights_the_plan_is_as_before(hours in hours(3, 2..8, 6), rates in rates(), pool in 1u32..4) {
        let catalog = catalog(rates);
        let usage = usage(&hours);
        let planner = || Planner::new(&catalog).usage(&usage).owning(&portfolio(pool, 1, 4));
        let plain = planner().solve().unwrap();
        // Nothing held here carries a right: the rules allow nothing.
        let problem = planner().rights(Rights::default()).build().unwrap();
        prop_assert!(problem.changes().is_empty(), "{:?}", problem.changes());
        let with = problem.solve(&Options::default()).unwrap();
        prop_assert_eq!(plain.solution().steps.clone(), with.solution().steps.clone());
        prop_assert_eq!(plain.billed_cost(), with.billed_cost());
    }
}

/// Convertible and standard reservations of three families; what is held is of a family whose usage is gone.
pub(super) fn families() -> (Catalog, UsageCurves, Portfolio) {
    let prices = vec![price("sku0", cents(20), None), price("sku1", cents(30), None), price("sku2", cents(25), None)];
    let with =
        |offer: Offer, rights: &[Right]| Offer { rights: rights.iter().copied().collect(), region: "us-east-1".into(), ..offer };
    let convertible = |name: &str, rate: u32| {
        let offer = offer(
            &format!("conv-{name}"),
            &reservation(name, None),
            Term::AWS_ONE_YEAR,
            PaymentOption::NoUpfront,
            Decimal::ZERO,
            cents(rate),
        );
        with(offer, &[Right::Exchange, Right::Modification])
    };
    let standard = |name: &str, rate: u32| {
        let offer = offer(
            &format!("std-{name}"),
            &reservation(name, None),
            Term::AWS_ONE_YEAR,
            PaymentOption::NoUpfront,
            Decimal::ZERO,
            cents(rate),
        );
        with(offer, &[Right::Resale, Right::Modification])
    };
    let offers = vec![
        convertible("sku0", 13),
        convertible("sku1", 20),
        convertible("sku2", 17),
        standard("sku0", 12),
        standard("sku1", 18),
    ];
    let catalog = Catalog::new("USD", None, "invented", prices, offers).unwrap();
    let usage = usage(&(0..24 * 30).map(|hour| vec![0.0, 6.0 + f64::from(hour % 3), 4.0]).collect::<Vec<_>>());
    let held = |id: &str, offer: &str, quantity: &str| {
        serde_json::from_value::<Commitment>(serde_json::json!({
            "id": id, "offer": offer, "quantity": quantity, "start": "1969-10-01T00:00:00Z", "end": "1970-10-01T00:00:00Z", "account": "a",
            "scope": {"kind": "region"},
        }))
        .unwrap()
    };
    let portfolio = Portfolio::default().with([held("old-conv", "conv-sku0", "10"), held("old-std", "std-sku0", "5")]).unwrap();
    (catalog, usage, portfolio)
}

#[test]
fn what_usage_has_left_is_exchanged_and_sold_by_the_rules() {
    let (catalog, usage, portfolio) = families();
    let planner = Planner::new(&catalog).usage(&usage).owning(&portfolio).purchase_dates([start(0)]);
    let problem = planner.rights(Rights::default()).build().unwrap();
    let options = Options { relative_gap: 1e-6, ..Options::default() };
    let plan = problem.solve(&options).unwrap();
    let without = problem.without_actions().unwrap().solve(&options).unwrap();
    assert!(plan.objective() < 0.9 * without.objective(), "{} and {}", plan.objective(), without.objective());
    let kinds: BTreeSet<Action> = plan.actions().iter().map(|action| action.kind).collect();
    assert_eq!(kinds, BTreeSet::from([Action::Exchange, Action::Sell]));
    // All of it is worth more elsewhere: nothing of the family that usage has left is kept.
    let kept = |id: &str| plan.portfolio().commitments().iter().any(|held| held.id == id);
    assert!(!kept("old-std"));
    // Every action stands up to the rule when it is quoted again.
    let holdings = portfolio.holdings(&catalog).unwrap();
    for action in plan.actions() {
        let change = action.change.as_ref().unwrap();
        let holding = holdings.iter().find(|holding| holding.commitment.id == change.gives[0].commitment).unwrap();
        assert!(rules::allowed(holding, change.kind, change.at, &Assumptions::default()).is_ok(), "{action}");
        assert!(action.value.unwrap() > 0.0, "{action}");
    }
    let given: Decimal =
        plan.actions().iter().filter(|action| action.kind == Action::Exchange).map(|action| action.gives[0].1).sum();
    let received: Decimal = plan
        .actions()
        .iter()
        .flat_map(|action| &action.receives)
        .map(|of| of.quantity * catalog.offer(&of.offer).unwrap().recurring.value())
        .sum();
    assert!(received >= given * Decimal::new(13, 2), "the value test: {received} for {given}");
}

/// Cost with nothing done, with the actions alone, with the purchases alone, with both: each billed here from the lists of the plan.
#[test]
fn the_savings_are_split_between_actions_and_purchases() {
    let (catalog, usage, portfolio) = families();
    for at_end in [false, true] {
        let planner = Planner::new(&catalog).usage(&usage).owning(&portfolio);
        // With a date what was paid is spent; without it is spread.
        let planner = if at_end { planner.purchase_dates([start(0)]) } else { planner };
        let plan = planner.rights(Rights::default()).build().unwrap().solve(&Options::default()).unwrap();
        assert!(!plan.purchases().is_empty() && plan.actions().iter().any(|action| action.change.is_some()));
        let cost = |portfolio: &Portfolio| {
            crate::billing::Judge::new(&usage, &catalog, portfolio, &Rules::default()).unwrap().bill().total().cost()
        };
        let bought: BTreeSet<&str> = plan.purchases().iter().map(|purchase| purchase.id.as_str()).collect();
        let (new, kept): (Vec<Commitment>, Vec<Commitment>) =
            plan.portfolio().commitments().iter().cloned().partition(|commitment| bought.contains(commitment.id.as_str()));
        let acted = cost(&Portfolio::new(plan.portfolio().offers().to_vec(), kept).unwrap()) + plan.one_off();
        let purchases_alone = cost(&portfolio.with(new).unwrap());
        assert_eq!(plan.savings_by_actions(), cost(&portfolio) - acted);
        assert_eq!(plan.savings_by_purchases(), acted - plan.billed_cost());
        assert_eq!(plan.savings_by_actions_counted_last(), purchases_alone - plan.billed_cost());
        assert_eq!(plan.savings_by_actions() + plan.savings_by_purchases(), plan.savings());
        assert!(plan.savings_by_actions() > Money::ZERO && plan.savings_by_purchases() > Money::ZERO);
    }
    let plain = Planner::new(&catalog).usage(&usage).owning(&portfolio).solve().unwrap();
    assert_eq!((plain.savings_by_actions(), plain.savings_by_actions_counted_last()), (Money::ZERO, Money::ZERO));
    assert_eq!(plain.savings_by_purchases(), plain.savings());
}

#[test]
fn a_limit_shared_by_sales_is_kept_and_a_share_that_finds_no_taker_stays() {
    let (catalog, usage, portfolio) = families();
    let mut rights = Rights { actions: BTreeSet::from([Action::Sell]), ..Rights::default() };
    rights.assumptions.aws.sell_through = 0.5;
    rights.ledger = rights.ledger.with_limit(crate::portfolio::ledger::Limit::MarketplaceInstances, Decimal::from(4));
    let problem = Planner::new(&catalog).usage(&usage).owning(&portfolio).rights(rights).build().unwrap();
    let plan = problem.solve(&Options { relative_gap: 0.0, ..Options::default() }).unwrap();
    let [sale] = plan.actions() else { panic!("{:?}", plan.actions()) };
    assert_eq!((sale.times, sale.gives[0].1), (4, Decimal::from(2)));
    let kept = plan.portfolio().commitments().iter().find(|held| held.id == "old-std").unwrap();
    assert_eq!(kept.quantity, Decimal::from(3));
}

#[test]
fn a_commitment_that_ends_is_renewed_where_usage_stays() {
    let (catalog, usage, _) = families();
    let ending = |id: &str, offer: &str, quantity: &str| {
        serde_json::from_value::<Commitment>(serde_json::json!({
            "id": id, "offer": offer, "quantity": quantity, "start": "1969-01-10T00:00:00Z", "end": "1970-01-10T00:00:00Z", "account": "a",
            "scope": {"kind": "region"},
        }))
        .unwrap()
    };
    let portfolio = Portfolio::default().with([ending("stays", "conv-sku2", "4"), ending("goes", "conv-sku0", "3")]).unwrap();
    let planner = Planner::new(&catalog).usage(&usage).owning(&portfolio).purchase_dates([start(0)]).renewing();
    let plan = planner.build().unwrap().solve(&Options { relative_gap: 0.0, ..Options::default() }).unwrap();
    let of = |id: &str| plan.actions().iter().find(|action| action.gives[0].0 == id).unwrap();
    assert_eq!((of("stays").kind, of("goes").kind), (Action::Renew, Action::Lapse));
    assert!(of("stays").value.unwrap() > 0.0 && of("goes").value.is_none_or(|value| value > 0.0));
}

#[test]
fn the_problem_as_json_and_mps_has_the_actions() {
    let (catalog, usage, portfolio) = families();
    let problem = Planner::new(&catalog).usage(&usage).owning(&portfolio).rights(Rights::default()).build().unwrap();
    let json = problem.to_json().unwrap();
    let changes = json["changes"].as_array().unwrap();
    assert_eq!(changes.len(), problem.changes().len());
    let sale = changes.iter().find(|change| change["kind"] == "sell").unwrap();
    // One reservation less in every hour.
    assert_eq!((sale["effects"][0]["capacity"].as_f64(), sale["effects"][0]["end_hour"].as_u64()), (Some(-1.0), Some(720)));
    assert!(
        json["rules"].as_array().unwrap().iter().any(|rule| rule["rule"] == "what is held of old-conv" && rule["upper"] == 10.0)
    );
    // The extensive form has a column for each, after those of the candidates.
    let form = problem.extensive(true);
    let named = |index: usize| form.columns.iter().any(|column| column.name == format!("steps_{index}") && column.is_integer);
    assert!((problem.candidates().len()..problem.columns.len()).all(named));
    let mut mps = Vec::new();
    form.write_mps(&mut mps).unwrap();
    assert!(String::from_utf8(mps).unwrap().contains(&format!("steps_{}", problem.columns.len() - 1)));
}

#[test]
fn changes_that_make_no_sense_are_refused() {
    let (catalog, usage, portfolio) = families();
    let refused = |change: Change| {
        Planner::new(&catalog).usage(&usage).owning(&portfolio).changes([change], []).build().map(|_| ()).unwrap_err().to_string()
    };
    let sale = || change("sale", Action::Sell, &[("old-std", 1)], 0, 0);
    assert!(refused(change("", Action::Sell, &[("old-std", 1)], 0, 0)).contains("changes.id"));
    assert!(refused(change("old-std", Action::Sell, &[("old-std", 1)], 0, 0)).contains("old-std"));
    assert!(refused(change("sale", Action::Sell, &[], 0, 0)).contains("gives up"));
    assert!(refused(change("sale", Action::Sell, &[("nothing", 1)], 0, 0)).contains("nothing"));
    assert!(refused(Change { probability: 0.0, ..sale() }).contains("probability"));
    assert!(refused(Change { uses: vec![("none".into(), Decimal::ONE)], ..sale() }).contains("limit"));
    assert!(refused(receiving(sale(), "no-such-offer", 1, 500)).contains("no-such-offer"));
    assert!(refused(receiving(sale(), "std-sku1", 1, -500)).contains("not after its start"));
}
