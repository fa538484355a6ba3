"""What is held: rights, actions, deadlines, orders and whether they were kept."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import pickle
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import covermix
import holding_case as case
import pytest
from covermix import Action, Cause, Change, DeadlineKind, Judge, Limit, Orders, Plan


@pytest.fixture(scope="module")
def plan() -> Plan:
    return case.planner().solve(relative_gap=1e-3)


def test_rights_are_worth_something_and_every_action_pays(plan: Plan) -> None:
    without = case.planner(rights=None).solve(relative_gap=1e-3)
    assert plan.objective < without.objective and plan.lower_bound <= plan.objective
    assert not [action for action in without.actions if action.kind in (Action.EXCHANGE, Action.SELL)]
    kinds = {action.kind for action in plan.actions}
    assert {Action.EXCHANGE, Action.SELL, Action.LAPSE} <= kinds
    assert all(action.value is None or action.value > -1e-6 for action in plan.actions)
    exchange = next(action for action in plan.actions if action.kind is Action.EXCHANGE)
    assert exchange.gives[0][0].startswith("m4-") and exchange.receives and exchange.deadline is not None
    assert exchange.change in {change.id for change in plan.problem.changes()}
    assert str(exchange).startswith("exchange m4-") and exchange.before in plan._repr_html_()
    # No unit is given up twice.
    given: dict[str, Decimal] = {}
    for action in plan.actions:
        for name, quantity in action.gives:
            given[name] = given.get(name, Decimal(0)) + quantity
    held = {commitment.id: commitment.quantity for commitment in case.portfolio().commitments}
    assert all(quantity <= held[name] for name, quantity in given.items())


def broker(name: str, commitment: str, price: str) -> Change:
    """Someone who takes a commitment for so much each, and both no more than a budget."""
    return Change(
        name,
        Action.SELL,
        decided=case.NOW,
        at=case.NOW,
        gives=((commitment, Decimal(1)),),
        paid=-Decimal(price),
        uses=(("budget", Decimal(price)),),
        rule="a broker's offer",
    )


def test_changes_of_ones_own_are_taken_beside_rights_and_within_limits(plan: Plan) -> None:
    changes = [broker("broker c4", "c4-std", "40"), broker("broker m4", "m4-conv", "30")]
    planner = case.planner(rights=None).replace(changes=changes, limits=[Limit("budget", Decimal(1000))])
    assert planner.changes == tuple(changes) and pickle.loads(pickle.dumps(planner)) == planner
    alone = planner.build()
    assert {change.id for change in alone.changes()} == {"broker c4", "broker m4"}
    assert next(change for change in alone.changes() if change.id == "broker c4") == changes[0]
    sold = alone.solve(relative_gap=1e-3)
    taken = [action for action in sold.actions if action.change is not None]
    assert taken and {action.change for action in taken} <= {"broker c4", "broker m4"}
    assert 0 < -sum(action.paid for action in taken) <= 1000
    assert sold.objective < case.planner(rights=None).solve(relative_gap=1e-3).objective
    assert pickle.loads(pickle.dumps(sold)).actions == sold.actions
    # Beside rights both may be done.
    assert plan.problem.planner.rights is not None
    both = plan.problem.planner.replace(changes=changes, limits=[Limit("budget", Decimal(1000))]).build()
    assert {change.id for change in plan.problem.changes()} < {change.id for change in both.changes()} >= {"broker c4"}
    for wrong, words in (
        ({"changes": [broker("broker", "x-none", "1")]}, "x-none"),
        ({"changes": changes, "limits": []}, "budget"),
        ({"changes": [changes[0], changes[0]]}, "broker c4"),
    ):
        with pytest.raises(covermix.InputError, match=words):
            planner.replace(**wrong).build()


def test_what_is_held_costs_and_locks_in() -> None:
    held, catalog = case.portfolio(), case.catalog()
    positions = held.positions(catalog, case.NOW)
    assert sorted(positions["family"]) == ["c4.large", "m4.large"] and set(positions["state"]) == {"active"}
    assert sum(positions["reservations"]) == 60 + 12 + 31 and sum(positions["per_hour"]) == held.hourly_cost(catalog)
    obligations, lock = held.obligations(catalog, case.NOW), held.lock_in(catalog, case.NOW)
    assert sum(obligations["charges"]) == sum(positions["obligation"]) == lock.obligation > 0 == lock.prepaid
    assert obligations["month"][0] == "2026-03" and len(obligations) == 23 and obligations["charges"][-1] > 0
    # What is left of each, by hand: days, quantity, price an hour.
    left = 24 * (695 * 60 * Decimal("0.0500") + 20 * 12 * Decimal("0.0680") + 245 * 31 * Decimal("0.0630"))
    assert lock.obligation == left and lock.per_hour == 60 * Decimal("0.05") + 12 * Decimal("0.068") + 31 * Decimal("0.063")
    assert abs(lock.months * 730 * lock.per_hour - left) < Decimal("1e-6")
    quotes = held.quotes(catalog, case.NOW, assumptions=case.rights().assumptions)
    sale = next(row for row in quotes if row["action"] == "sell" and row["commitment"] == "c4-std")
    # Bought without upfront payment it brings none; what falls away is what is left to be charged.
    assert sale["cash"] == 0 < sale["obligation"] <= 24 * 245 * Decimal("0.063") and sale["probability"] == 0.8 and sale["held"] == 31 and sale["receives"] == ""
    exchanges = [row for row in quotes if row["action"] == "exchange"]
    assert {row["commitment"] for row in exchanges} >= {"m4-conv"} and all(row["receives"] for row in exchanges)
    assert held.permissions(catalog, case.NOW) and not {row["action"] for row in quotes} - {str(action) for action in Action}


def test_two_portfolios_of_one_owner_are_compared() -> None:
    ours, catalog = case.portfolio(), case.catalog()
    assert ours.reconcile(ours, catalog).is_clean
    first, second, third = ours.commitments
    bill = covermix.Portfolio([dataclasses.replace(first, quantity=first.quantity + 1), second, dataclasses.replace(third, id="new", quantity=Decimal(2))])
    found = ours.reconcile(bill, catalog)
    assert not found.is_clean and {second.id, first.id} <= {name for name, _ in found.matched}
    quantity = next(row for row in found.differences if row[:2] == (first.id, "quantity"))
    assert [Decimal(value) for value in quantity[2:]] == [first.quantity, first.quantity + 1]
    merged = {one.id: one.quantity for one in found.merged.commitments}
    assert merged[first.id] == first.quantity + 1
    preferred = {one.id: one.quantity for one in ours.reconcile(bill, catalog, prefer="ours").merged.commitments}
    assert preferred[first.id] == first.quantity
    with pytest.raises(covermix.InputError, match="prefer"):
        ours.reconcile(bill, catalog, prefer="theirs")


def test_a_plan_with_actions_is_pickled_whole(plan: Plan) -> None:
    again = pickle.loads(pickle.dumps(plan))
    assert again == plan and again.actions == plan.actions and again.orders("a") == plan.orders("a")
    assert pickle.loads(pickle.dumps(case.portfolio())).particulars == case.portfolio().particulars != ()


def test_only_the_actions_allowed_are_taken() -> None:
    only = covermix.Rights(at=[case.NOW], actions=[Action.SELL], assumptions=case.rights().assumptions)
    plan = case.planner(rights=only).solve(relative_gap=1e-3)
    assert {change.kind for change in plan.problem.changes()} == {Action.SELL}
    assert Action.EXCHANGE not in {action.kind for action in plan.actions}
    with pytest.raises(covermix.InputError, match="give_away"):
        covermix.Rights(actions=["give_away"])
    with pytest.raises(covermix.InputError, match="sell_through"):
        covermix.Assumptions(aws={"sell_through": 1.5})


def test_triage_calendar_and_ladder(plan: Plan) -> None:
    findings = plan.triage()
    assert {finding.commitment for finding in findings} == {"m4-conv", "m4-ending", "c4-std"}
    wastes = [finding.monthly_waste for finding in findings]
    assert wastes == sorted(wastes, reverse=True) and wastes[0] > 0
    worst = findings[0]
    assert worst.best is not None and worst.deadline is not None and worst.utilisation is not None and worst.utilisation < 0.2
    tranches = plan.calendar()
    assert sum(len(tranche.purchases) for tranche in tranches) == len(plan.purchases)
    assert sum((tranche.upfront for tranche in tranches), Decimal(0)) == plan.upfront
    ladder = plan.ladder()
    assert set(ladder.columns) == {"month", "held", "bought"} and sum(ladder["bought"]) > 0


def test_deadlines_and_permissions() -> None:
    held, catalog = case.portfolio(), case.catalog()
    deadlines = held.deadlines(catalog, case.NOW)
    assert [deadline.last for deadline in deadlines] == sorted(deadline.last for deadline in deadlines)
    ends = {deadline.commitment: deadline.last for deadline in deadlines if deadline.kind is DeadlineKind.EXPIRY}
    assert ends == {commitment.id: commitment.end for commitment in held.commitments}
    soon = held.deadlines(catalog, case.NOW, within_days=30)
    assert {deadline.commitment for deadline in soon} == {"m4-ending"} and "last chance to exchange" in "\n".join(map(str, soon))
    permissions = {(one.commitment, one.action): one for one in held.permissions(catalog, case.NOW)}
    assert permissions["m4-conv", Action.EXCHANGE].is_allowed and permissions["m4-conv", Action.EXCHANGE].until is not None
    refused = permissions["c4-std", Action.EXCHANGE]
    assert not refused.is_allowed and refused.until is None and refused.rule and refused.why


def test_flexibility(plan: Plan) -> None:
    flexibility = plan.problem.flexibility(relative_gap=1e-3)
    assert flexibility.cost_a_year > 0 and flexibility.worth_a_year > 0
    (only,) = flexibility.scenarios
    assert only.probability == 1.0 and only.with_rights < only.without_rights
    years = len(plan.problem.usage) / 8760
    assert flexibility.worth_a_year == pytest.approx((only.without_rights - only.with_rights) / years)


def test_orders_in_json_and_csv_say_the_same(plan: Plan, tmp_path: Path) -> None:
    orders = plan.orders(case.ACCOUNT)
    acts = [action for action in plan.actions if action.kind not in (Action.LAPSE, Action.RENEW)]
    assert len(orders) == len(plan.purchases) + len(acts)
    rows = list(csv.DictReader(io.StringIO(orders.to_csv())))
    assert [row["order"] for row in rows] == [order.id for order in orders]
    assert [Decimal(row["quantity"]) for row in rows] == [order.quantity for order in orders]
    assert orders[0].call and orders[0].parameters and orders.currency == "USD"
    orders.write(tmp_path / "orders.json")
    orders.write(tmp_path / "orders.csv")
    assert Orders.read(tmp_path / "orders.json") == orders == Orders.from_dict(orders.to_dict())
    assert (tmp_path / "orders.csv").read_bytes() == orders.to_csv().encode()
    assert len(orders.to_table()) == len(orders) and "order-001" in orders._repr_html_()
    assert running(orders.apply(case.portfolio())) == running(plan.portfolio)
    with pytest.raises(covermix.InputError, match="covermix-orders/1"):
        Orders.from_json(orders.to_json().replace("covermix-orders/1", "covermix-orders/9"))
    with pytest.raises(covermix.FileError):
        orders.write(tmp_path / "no such folder" / "orders.csv")


def running(portfolio: covermix.Portfolio) -> dict[tuple[object, ...], Decimal]:
    """How much of each offer is held from when until when, by whatever names."""
    sums: dict[tuple[object, ...], Decimal] = {}
    for one in portfolio.commitments:
        key = (one.offer, one.start, one.end)
        sums[key] = sums.get(key, Decimal(0)) + one.quantity
    return sums


def test_verification_splits_the_difference_by_cause(plan: Plan) -> None:
    orders, held = plan.orders(case.ACCOUNT), case.portfolio()
    promised = Judge(case.usage(), case.catalog(), held)
    kept = orders.verify(promised=promised, came=Judge(case.usage(), case.catalog(), orders.apply(held)))
    assert kept.difference == 0 and not kept.not_as_ordered
    sale = next(order for order in orders if order.operation == "sell")
    document = json.loads(orders.to_json())
    document["orders"] = [order for order in document["orders"] if order["id"] != sale.id]
    unsold = Orders.from_dict(document).apply(held)
    came = orders.verify(promised=promised, came=Judge(case.usage(factor=1.1), case.catalog(), unsold), billed="123456.78")
    assert [(effect.order, effect.cause) for effect in came.not_as_ordered] == [(sale.id, Cause.NOT_EXECUTED)]
    assert came.usage > 0 and came.came == Decimal("123456.78")
    parts = came.usage + came.price + sum((effect.amount for effect in came.orders), Decimal(0)) + came.unordered + came.rest
    assert parts == came.difference == came.came - came.promised
    assert str(came).startswith("promised ")


def test_a_renewal_is_bought_on_its_day() -> None:
    catalog, usage = case.catalog(), case.usage()
    start = case.NOW - timedelta(days=345)
    ending = covermix.Commitment("m5", "m5.large standard P365D", 80, start, start + timedelta(days=365), case.ACCOUNT, covermix.Scope("region"))
    policy = covermix.Policy(terms=[12])
    given = {"usage": usage, "owning": covermix.Portfolio([ending]), "policy": policy, "purchase_dates": [case.NOW]}
    renewing = covermix.Planner(catalog, **given, renewing=True).solve(relative_gap=1e-3)
    assert Action.RENEW in {action.kind for action in renewing.actions}
    assert ending.end in {purchase.start for purchase in renewing.purchases}
