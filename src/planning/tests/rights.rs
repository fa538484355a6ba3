//! From the providers' rules to changes: nothing is proposed that a rule forbids, and no exchange that it allows is missed.

use super::actions::{families, start};
use super::*;
use crate::catalog::{Right, azure};
use crate::planning::orders::Cause;
use crate::portfolio::action::Action;
use crate::portfolio::ledger::Limit as Shared;
use crate::portfolio::{Assumptions, Commitment, rights as rules};
use chrono::Duration;

/// What is held of the convertible and the standard offer of the family that usage has left, with so many hours served and to come.
fn aged(before: i64, after: i64, quantity: u32) -> Portfolio {
    let held = |id: &str, offer: &str| {
        serde_json::from_value::<Commitment>(serde_json::json!({
            "id": id, "offer": offer, "quantity": quantity.to_string(), "start": start(-before), "end": start(after), "account": "a",
            "scope": {"kind": "region"},
        }))
        .unwrap()
    };
    Portfolio::default().with([held("conv", "conv-sku0"), held("std", "std-sku0")]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_proposed_that_a_rule_forbids(
        before in 1i64..2000, after in 1i64..2000, quantity in 1u32..9, decided in 0i64..48, most in 0u32..6, days in 0usize..4,
    ) {
        // Close to the edges: 24 hours before the end, 30 days after the purchase, a month before the end.
        let (before, after) = ([before, 720, 719, 721][days], [after, 24 + decided, 25 + decided, 23 + decided][days]);
        prop_assume!(after > 0);
        let (catalog, usage, _) = families();
        let portfolio = aged(before, after, quantity);
        let ledger = crate::portfolio::Ledger::default().with_limit(Shared::MarketplaceInstances, Decimal::from(most));
        let rights = Rights { at: vec![start(decided)], ledger: ledger.clone(), ..Rights::default() };
        let planner = Planner::new(&catalog).usage(&usage).owning(&portfolio).purchase_dates([start(0)]).rights(rights);
        let problem = planner.build().unwrap();
        let holdings = portfolio.holdings(&catalog).unwrap();
        let assumptions = Assumptions::default();
        for change in problem.changes() {
            let holding = holdings.iter().find(|holding| holding.commitment.id == change.gives[0].commitment).unwrap();
            prop_assert!(rules::allowed(holding, change.kind, change.decided, &assumptions).is_ok(), "{}", change.id);
            if change.kind == Action::Exchange {
                let offer = catalog.offer(&change.receives[0].offer).unwrap();
                let quote = crate::portfolio::aws::exchange::quote(&[holding], offer, change.decided, &assumptions).unwrap();
                let (given, received) = (change.gives[0].quantity, change.receives[0].quantity);
                prop_assert!(quote.check_received(&[given], received).is_ok(), "{}", change.id);
                // One fewer is refused: the least that the rule allows.
                prop_assert!(quote.check_received(&[given], received - Decimal::ONE).is_err(), "{}", change.id);
                prop_assert_eq!(change.paid, -quote.cash(&[given], received));
            }
        }
        // The rules are the other way round, too: what they allow now can be done.
        let allowed = |id: &str, action: Action| {
            let holding = holdings.iter().find(|holding| holding.commitment.id == id).unwrap();
            rules::allowed(holding, action, start(decided), &assumptions).is_ok()
        };
        let proposed = |action: Action| problem.changes().iter().any(|change| change.kind == action);
        prop_assert_eq!(proposed(Action::Exchange), allowed("conv", Action::Exchange));
        prop_assert_eq!(proposed(Action::Sell), allowed("std", Action::Sell) && most > 0);
        let plan = problem.solve(&Options::default()).unwrap();
        let sold: Decimal = plan.actions().iter().filter(|action| action.kind == Action::Sell).map(|action| action.gives[0].1).sum();
        prop_assert!(sold <= Decimal::from(most.min(quantity)));
        for id in ["conv", "std"] {
            let given: Decimal = plan.actions().iter().flat_map(|action| &action.gives).filter(|(of, _)| of == id).map(|(_, of)| of).sum();
            prop_assert!(given <= Decimal::from(quantity));
        }
    }

    #[test]
    fn the_lots_of_a_quote_make_up_every_exchange(held in 1u32..60, rate in 3u32..29) {
        let (catalog, usage, _) = families();
        let portfolio = aged(100, 1000, held);
        // Only the exchange into sku1, at another price.
        let offers: Vec<Offer> = catalog
            .offers()
            .iter()
            .filter(|offer| ["conv-sku0", "std-sku0", "conv-sku1"].contains(&offer.id.as_str()))
            .map(|offer| match offer.id == "conv-sku1" {
                true => Offer { recurring: MoneyPerHour::new(cents(rate)), ..offer.clone() },
                false => offer.clone(),
            })
            .collect();
        let catalog = Catalog::new("USD", None, "invented", catalog.prices().to_vec(), offers).unwrap();
        let rights = Rights { at: vec![start(0)], actions: BTreeSet::from([Action::Exchange]), ..Rights::default() };
        let problem = Planner::new(&catalog).usage(&usage).owning(&portfolio).rights(rights).build().unwrap();
        let lots: Vec<(u32, u32)> = problem
            .changes()
            .iter()
            .map(|change| {
                let number = |of: Decimal| rust_decimal::prelude::ToPrimitive::to_u32(&of).unwrap();
                (number(change.gives[0].quantity), number(change.receives[0].quantity))
            })
            .collect();
        // The fewest received for each number given up, from the lots, against the rule: 13 cents an hour given, the rate received.
        let mut least = vec![0u32];
        for given in 1..=held {
            let of_lots = lots.iter().filter(|(lot, _)| *lot <= given).map(|(lot, count)| least[usize::try_from(given - lot).unwrap()] + count).min();
            let rule = (13 * given).div_ceil(rate);
            let made = of_lots.unwrap();
            // With few lots they are complete; else they are so but for one.
            let spare = u32::from(lots.len() >= 6);
            prop_assert!(made >= rule && made <= rule + spare, "{given}: {made} of {lots:?}, the rule {rule}");
            least.push(made);
        }
    }
}

/// Azure: machines in two regions, one of them left.
fn azure_case() -> (Catalog, UsageCurves, Portfolio) {
    let sku = |name: &str| Sku {
        provider: Provider::Azure,
        service: azure::VIRTUAL_MACHINES.into(),
        region: String::new(),
        ..super::sku(name)
    };
    let price = |name: &str, hourly: u32| OnDemandPrice { sku: sku(name), ..bare_price(name, cents(hourly)) };
    let machine = |name: &str, hourly: u32| -> Offer {
        let offer = offer(
            &format!("res-{name}"),
            &reservation(name, None),
            Term::Months(12),
            PaymentOption::NoUpfront,
            Decimal::ZERO,
            cents(hourly),
        );
        Offer {
            provider: Provider::Azure,
            service: azure::VIRTUAL_MACHINES.into(),
            scopes: BTreeSet::from([ScopeKind::Shared]),
            rights: BTreeSet::from([Right::Exchange, Right::Refund, Right::TradeIn]),
            ..offer
        }
    };
    let rates: Vec<(&str, Decimal)> = vec![("old", cents(70)), ("new", cents(80))];
    let plan = offer(
        "plan",
        &spend_plan(azure::products::COMPUTE_PLAN, &rates),
        Term::Months(12),
        PaymentOption::NoUpfront,
        Decimal::ZERO,
        Decimal::ONE,
    );
    let plan = Offer { provider: Provider::Azure, service: String::new(), scopes: BTreeSet::from([ScopeKind::Shared]), ..plan };
    let offers = vec![machine("old", 60), machine("new", 66), plan];
    let catalog = Catalog::new("USD", None, "invented", vec![price("old", 100), price("new", 110)], offers).unwrap();
    let lines = ["old", "new"].map(|name| UsageLine::new(sku(name), "s")).to_vec();
    let quantity = Array2::from_shape_fn((24 * 14, 2), |(hour, line)| if line == 0 { 0.0 } else { 5.0 + (hour % 2) as f64 });
    let usage = UsageCurves::new(HourGrid { first: Hour::from_epoch(0), count: 24 * 14 }, lines, quantity).unwrap();
    let held = serde_json::json!({
        "id": "left", "offer": "res-old", "quantity": "20", "start": start(-4000), "end": start(4760), "account": "s", "scope": {"kind": "shared"},
    });
    (catalog, usage, Portfolio::default().with([serde_json::from_value(held).unwrap()]).unwrap())
}

#[test]
fn azure_refunds_stay_within_the_rolling_limit_and_the_rest_is_exchanged() {
    let (catalog, usage, portfolio) = azure_case();
    let options = Options { relative_gap: 1e-4, ..Options::default() };
    let solve = |ledger: crate::portfolio::Ledger, actions: &[Action]| {
        let rights =
            Rights { at: vec![start(0), start(24 * 7)], ledger, actions: actions.iter().copied().collect(), ..Rights::default() };
        let planner = Planner::new(&catalog).usage(&usage).owning(&portfolio).purchase_dates([start(0)]).rights(rights);
        let problem = planner.build().unwrap();
        problem.solve(&options).unwrap()
    };
    // 20 x about 2,856 of remaining commitment are more than 50,000: 17 can be refunded at once.
    let plan = solve(crate::portfolio::Ledger::default(), &[Action::Refund]);
    let refunded: Decimal = plan.actions().iter().map(|action| action.gives[0].1).sum();
    assert!(refunded >= Decimal::from(15) && refunded <= Decimal::from(19), "{refunded}");
    // What is refunded on either date counts in the same 365 days.
    let used: f64 = plan.actions().iter().map(|action| crate::units::to_f64(action.gives[0].1)).sum::<f64>() * 2600.0;
    assert!(used <= 50_000.0, "{used}");
    // With half of the limit used before, half as many.
    let mut ledger = crate::portfolio::Ledger::default();
    let at = start(0) - Duration::days(100);
    let half = crate::portfolio::ledger::Use { limit: Shared::Refunds, owner: String::new(), at, amount: Decimal::from(25_000) };
    ledger.record(half).unwrap();
    let fewer: Decimal = solve(ledger, &[Action::Refund]).actions().iter().map(|action| action.gives[0].1).sum();
    assert!(fewer < refunded && fewer >= Decimal::from(7), "{fewer} of {refunded}");
    // With all rights the rest goes into what is used, or into a plan.
    let all = solve(crate::portfolio::Ledger::default(), &[]);
    let given: Decimal = all.actions().iter().map(|action| action.gives[0].1).sum();
    assert!(all.objective() <= plan.objective() + 1e-6 && given == Decimal::from(20), "{given}");
    assert!(all.actions().iter().any(|action| matches!(action.kind, Action::Exchange | Action::TradeIn)));
}

#[test]
fn what_renews_by_itself_and_should_not_is_ordered_to_stop() {
    let (catalog, usage, _) = azure_case();
    let held = serde_json::json!({
        "id": "left", "offer": "res-old", "quantity": "3", "start": "1969-01-08T00:00:00Z", "end": "1970-01-08T00:00:00Z", "account": "s",
        "scope": {"kind": "shared"},
    });
    let portfolio = Portfolio::default().with([serde_json::from_value(held).unwrap()]).unwrap();
    let problem = Planner::new(&catalog).usage(&usage).owning(&portfolio).purchase_dates([start(0)]).renewing().build().unwrap();
    let plan = problem.solve(&Options::default()).unwrap();
    let [stop] = plan.actions() else { panic!("{:?}", plan.actions()) };
    assert_eq!((stop.kind, stop.gives[0].1), (Action::StopRenewal, Decimal::from(3)));
    assert!(stop.deadline.unwrap() < start(7 * 24));
    let orders = plan.orders(&problem, "s").unwrap();
    let order = orders
        .orders
        .iter()
        .find(|order| order.operation == crate::planning::orders::Operation::Act(Action::StopRenewal))
        .unwrap();
    assert_eq!((order.parameters["renew"].as_str(), order.parameters["reservationId"].as_str()), ("false", "left"));
    assert!(order.at <= order.deadline.unwrap());
    // Stopping a renewal changes nothing that is held until then.
    let after = orders.apply(&portfolio).unwrap();
    assert!(after.commitments().iter().any(|of| of.id == "left" && of.quantity == Decimal::from(3)));
    // Where it was not stopped, what the renewal costs is that order's.
    let check = |came: &Portfolio| {
        use crate::planning::orders::{Came, verify};
        let came = Came { usage: &usage, catalog: &catalog, portfolio: came, billed: None };
        verify(&orders, (&usage, &catalog, &portfolio), &came, &crate::billing::Rules::default()).unwrap()
    };
    let index = orders.orders.iter().position(|of| of.id == order.id).unwrap();
    let verification = check(plan.portfolio());
    assert_eq!((verification.orders[index].cause, verification.difference()), (Cause::AsOrdered, Money::ZERO), "{verification}");
    let renewed = crate::portfolio::rights::renewed(&portfolio.holdings(&catalog).unwrap()[0], &catalog).unwrap();
    let verification = check(&plan.portfolio().with([renewed]).unwrap());
    assert_eq!(verification.orders[index].cause, Cause::NotExecuted, "{verification}");
    assert!(
        verification.difference() > Money::ZERO && verification.difference() == verification.orders[index].amount,
        "{verification}"
    );
}
