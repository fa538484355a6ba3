//! Orders, their verification, triage and the value of flexibility on the families of `tests/actions.rs`.

use super::actions::{families, start};
use super::*;
use crate::billing::Rules;
use crate::planning::orders::{Came, Cause, Operation, Order, Orders, verify};
use crate::portfolio::action::Action;
use crate::portfolio::deadline::DeadlineKind;
use chrono::Duration;

struct Solved {
    catalog: Catalog,
    usage: UsageCurves,
    portfolio: Portfolio,
    orders: Orders,
    plan: Plan,
}

fn solved() -> Solved {
    let (catalog, usage, portfolio) = families();
    let problem = Planner::new(&catalog)
        .usage(&usage)
        .owning(&portfolio)
        .purchase_dates([start(0), start(240)])
        .rights(Rights { at: vec![start(0)], ..Rights::default() })
        .build()
        .unwrap();
    let plan = problem.solve(&Options { relative_gap: 1e-4, ..Options::default() }).unwrap();
    let orders = plan.orders(&problem, "111").unwrap();
    Solved { orders, plan, portfolio: portfolio.clone(), usage: usage.clone(), catalog: catalog.clone() }
}

fn cost(usage: &UsageCurves, catalog: &Catalog, portfolio: &Portfolio) -> Money {
    crate::billing::Judge::new(usage, catalog, portfolio, &Rules::default()).unwrap().bill().total().cost()
}

#[test]
fn orders_have_every_field_and_read_back_as_written() {
    let Solved { orders, plan, .. } = solved();
    assert_eq!(Orders::from_json(&orders.to_json()).unwrap(), orders);
    assert!(Orders::from_json(&orders.to_json().replace("covermix-orders/1", "covermix-orders/9")).is_err());
    let csv = orders.to_csv();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), orders.orders.len());
    assert_eq!(rows.len(), plan.purchases().len() + plan.actions().len());
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    for (row, order) in rows.iter().zip(&orders.orders) {
        assert_eq!(&row[column("order")], order.id);
        assert!(!row[column("call")].is_empty() && !row[column("parameters")].is_empty() && !row[column("reason")].is_empty());
        match order.operation {
            Operation::Buy => {
                assert_eq!(order.parameters["InstanceType"], order.subject);
                assert!(!order.parameters["OfferingClass"].is_empty() && order.parameters["Duration"] == "31536000");
                assert_eq!((order.account.as_str(), order.unit.as_str()), ("111", "reservations"));
            }
            Operation::Act(Action::Exchange) => {
                assert_eq!(order.call, "ec2:AcceptReservedInstancesExchangeQuote");
                assert_eq!(order.parameters["ReservedInstanceIds"], "old-conv");
                assert!(order.deadline.is_some() && order.effect.value.unwrap() > 0.0);
            }
            Operation::Act(_) => assert_eq!(order.call, "ec2:CreateReservedInstancesListing"),
        }
    }
}

#[test]
fn orders_that_are_executed_leave_no_difference() {
    let Solved { catalog, usage, portfolio, orders, plan } = solved();
    let after = orders.apply(&portfolio).unwrap();
    assert_eq!(cost(&usage, &catalog, &after), plan.after().total().cost());
    let came = Came { usage: &usage, catalog: &catalog, portfolio: plan.portfolio(), billed: None };
    let verification = verify(&orders, (&usage, &catalog, &portfolio), &came, &Rules::default()).unwrap();
    assert_eq!(verification.difference(), Money::ZERO, "{verification}");
    assert!(
        verification.orders.iter().all(|order| order.cause == Cause::AsOrdered && order.amount == Money::ZERO),
        "{verification}"
    );
}

#[test]
fn what_differs_is_split_by_cause_and_adds_up() {
    let Solved { catalog, usage, portfolio, orders, .. } = solved();
    let position = |operation: Operation| orders.orders.iter().position(|order| order.operation == operation).unwrap();
    let (bought, sold) = (position(Operation::Buy), position(Operation::Act(Action::Sell)));
    // An exchange for what no other order brings: of two for the same, nothing tells which was left out.
    let is_alone = |order: &&Order| orders.orders.iter().filter(|other| other.offer == order.offer).count() == 1;
    let of_exchange = |order: &&Order| order.operation == Operation::Act(Action::Exchange);
    let exchanged = orders.orders.iter().find(|order| of_exchange(order) && is_alone(order)).unwrap();
    let exchanged = orders.orders.iter().position(|order| order.id == exchanged.id).unwrap();
    let check = |came: &Orders, billed: Option<Money>, usage_came: &UsageCurves, catalog_came: &Catalog| {
        let held = came.apply(&portfolio).unwrap();
        let came = Came { usage: usage_came, catalog: catalog_came, portfolio: &held, billed };
        let of = verify(&orders, (&usage, &catalog, &portfolio), &came, &Rules::default()).unwrap();
        let parts: Money = of.orders.iter().map(|order| order.amount).sum();
        assert_eq!(of.usage + of.price + parts + of.unordered + of.rest, of.difference(), "{of}");
        of
    };
    // Not executed: the sale.
    let mut came = orders.clone();
    came.orders.remove(sold);
    let of = check(&came, None, &usage, &catalog);
    assert_eq!(of.orders[sold].cause, Cause::NotExecuted, "{of}");
    assert!(of.orders[sold].amount > Money::ZERO && of.difference() == of.orders[sold].amount, "{of}");
    // Not executed: the exchange.
    let mut came = orders.clone();
    came.orders.remove(exchanged);
    let of = check(&came, None, &usage, &catalog);
    assert_eq!(of.orders[exchanged].cause, Cause::NotExecuted, "{of}");
    assert!(of.difference() == of.orders[exchanged].amount, "{of}");
    // Another quantity, and a later start, of the purchase.
    let mut came = orders.clone();
    came.orders[bought].results[0].quantity -= Decimal::ONE;
    let of = check(&came, None, &usage, &catalog);
    assert_eq!(
        of.orders[bought].cause,
        if orders.orders[bought].quantity == Decimal::ONE { Cause::NotExecuted } else { Cause::OtherQuantity }
    );
    let mut came = orders.clone();
    came.orders[bought].results[0].start += Duration::days(3);
    let of = check(&came, None, &usage, &catalog);
    assert_eq!(of.orders[bought].cause, Cause::OtherTime, "{of}");
    assert!(of.orders[bought].amount != Money::ZERO, "{of}");
    // Usage doubles, prices rise, the invoice has a cent more.
    let more = UsageCurves::new(usage.grid(), usage.lines().to_vec(), usage.quantity() * 2.0).unwrap();
    let of = check(&orders, None, &more, &catalog);
    assert!(of.usage > Money::ZERO && of.price == Money::ZERO && of.difference() == of.usage, "{of}");
    let mut prices = catalog.prices().to_vec();
    for price in &mut prices {
        price.price = crate::units::UnitPrice::new(price.price.value() * Decimal::TWO);
    }
    let dearer = Catalog::new("USD", None, "invented", prices, catalog.offers().to_vec()).unwrap();
    let of = check(&orders, None, &usage, &dearer);
    assert!(of.price > Money::ZERO && of.difference() == of.price, "{of}");
    let billed = cost(&usage, &catalog, &orders.apply(&portfolio).unwrap()) + Money::new(Decimal::new(1, 2));
    let of = check(&orders, Some(billed), &usage, &catalog);
    assert_eq!((of.rest, of.difference()), (Money::new(Decimal::new(1, 2)), Money::new(Decimal::new(1, 2))));
    // A price other than ordered.
    let offers: Vec<Offer> = catalog
        .offers()
        .iter()
        .map(|offer| match offer.id == orders.orders[bought].offer {
            true => Offer { recurring: offer.recurring + MoneyPerHour::new(Decimal::new(1, 2)), ..offer.clone() },
            false => offer.clone(),
        })
        .collect();
    let other = Catalog::new("USD", None, "invented", catalog.prices().to_vec(), offers).unwrap();
    let of = check(&orders, None, &usage, &other);
    assert_eq!(of.orders[bought].cause, Cause::OtherPrice, "{of}");
    assert!(of.orders[bought].amount > Money::ZERO, "{of}");
}

#[test]
fn a_later_month_is_verified_against_the_same_weeks() {
    let Solved { catalog, usage, portfolio, orders, plan } = solved();
    let next = HourGrid { first: usage.grid().first.plus(24 * 35), count: 168 };
    let quantity = Array2::from_shape_fn((next.count, 3), |(hour, line)| usage.quantity()[[hour, line]]);
    let later = UsageCurves::new(next, usage.lines().to_vec(), quantity).unwrap();
    let came = Came { usage: &later, catalog: &catalog, portfolio: plan.portfolio(), billed: None };
    let verification = verify(&orders, (&usage, &catalog, &portfolio), &came, &Rules::default()).unwrap();
    // Usage repeats from hour to hour of the week (its pattern of three hours fits a week), so nothing differs.
    assert_eq!(verification.difference(), Money::ZERO, "{verification}");
}

#[test]
fn triage_lists_waste_first_with_deadlines() {
    let (catalog, usage, portfolio) = families();
    let planner = Planner::new(&catalog).usage(&usage).owning(&portfolio).rights(Rights::default());
    let problem = planner.build().unwrap();
    let plan = problem.solve(&Options::default()).unwrap();
    let findings = problem.triage(&plan, start(0)).unwrap();
    assert_eq!(findings.iter().map(|of| of.commitment.as_str()).collect::<Vec<_>>(), ["old-conv", "old-std"]);
    let [conv, std] = findings.as_slice() else { panic!() };
    assert_eq!((conv.utilisation, std.utilisation), (Some(0.0), Some(0.0)));
    // All of 10 x 0.13 and 5 x 0.12 an hour is wasted, over 730 hours.
    assert_eq!(conv.monthly_waste.value().round_dp(6), Decimal::from(949));
    assert_eq!(std.monthly_waste.value().round_dp(6), Decimal::from(438));
    assert!(conv.uncovered_beside > conv.uncovered);
    assert_eq!(conv.best().unwrap().kind, Action::Exchange);
    assert!(std.deadline().is_some());
    // The last day of an exchange is the day before the end, that of a sale a month before.
    let last = |of: &crate::planning::triage::Finding, action: Action| {
        of.deadlines.iter().find(|of| of.kind == DeadlineKind::LastChance { action }).map(|of| of.last)
    };
    assert_eq!(last(conv, Action::Exchange), Some(start(272 * 24)));
    assert_eq!(last(std, Action::Sell), Some(start(243 * 24)));
    assert_eq!((last(std, Action::Exchange), std.deadline()), (None, Some(start(243 * 24))));
}

#[test]
fn the_right_of_exchange_is_worth_what_it_saves_in_the_scenarios_that_need_it() {
    let (catalog, usage, _) = families();
    let held = serde_json::json!({
        "id": "conv", "offer": "conv-sku2", "quantity": "4", "start": "1969-10-01T00:00:00Z", "end": "1970-10-01T00:00:00Z", "account": "a",
        "scope": {"kind": "region"},
    });
    let portfolio = Portfolio::default().with([serde_json::from_value(held).unwrap()]).unwrap();
    let mut gone = usage.quantity().clone();
    gone.column_mut(2).fill(0.0);
    let gone = UsageCurves::new(usage.grid(), usage.lines().to_vec(), gone).unwrap();
    let of = |probability: f64| {
        let planner = Planner::new(&catalog).scenario("stays", 1.0 - probability, &usage).scenario("goes", probability, &gone);
        let problem = planner.owning(&portfolio).rights(Rights::default()).build().unwrap();
        problem.flexibility(&Options { relative_gap: 0.0, ..Options::default() }).unwrap()
    };
    let (never, half, always) = (of(0.0), of(0.5), of(1.0));
    assert!(never.worth_a_year.abs() < 1e-6, "{never}");
    assert!(always.worth_a_year > 100.0, "{always}");
    assert!((half.worth_a_year - always.worth_a_year / 2.0).abs() < 1e-3 * always.worth_a_year, "{half}, {always}");
    // No standard offer of sku2 to compare with: the right costs nothing that is known.
    assert_eq!(half.cost_a_year, Money::ZERO);
}
