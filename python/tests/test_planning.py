"""Catalog, judge, planner and plan: same figures as Rust, errors, progress, Ctrl-C, pickles."""

from __future__ import annotations

import copy
import json
import os
import pickle
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import covermix
import numpy as np
import pytest
from conftest import REPOSITORY, START, curves, line
from covermix import Bill, Catalog, Commitment, Judge, Plan, Planner, Policy, Portfolio, Scope, Status, UsageCurves

SMALL = REPOSITORY / "tests" / "data" / "catalog.json"


def test_the_example_of_the_rust_documentation_bills_the_same() -> None:
    if not SMALL.exists():
        pytest.skip(f"{SMALL} is not there: tests run outside of the repository")
    catalog = Catalog.read(SMALL)
    usage = UsageCurves.from_arrays(np.array([[3.0], [1.0]]), datetime(2024, 1, 1, tzinfo=UTC), [line()])
    held = Commitment(
        "two reservations",
        "ri/us-east-1/m5.large/Linux/1y-standard-no-upfront",
        Decimal(2),
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 12, 31, tzinfo=UTC),
        "a",
        Scope("region"),
    )
    portfolio = Portfolio([held])
    total = Judge(usage, catalog, portfolio).bill().total
    assert (str(total.on_demand), str(total.unused_commitment)) == ("0.096", "0.060")
    assert Portfolio.from_json(portfolio.to_json("USD"), catalog) == portfolio


def rust_example() -> Path:
    for profile in ("release", "debug"):
        path = REPOSITORY / "target" / profile / "covermix"
        if path.exists():
            return path
    pytest.skip("the program is not built: cargo build --release -p covermix-cli")


def differences_of(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Where two documents differ, to the last digit."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted(ours.keys() | theirs.keys()):
            yield from differences_of(ours.get(name), theirs.get(name), f"{path}/{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (left, right) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences_of(left, right, f"{path}/{index}")
    elif ours != theirs:
        yield f"{path}: {ours} in Python, {theirs} in Rust"


def test_rust_and_python_recommend_the_same_to_the_last_digit(tmp_path: Path) -> None:
    usage = covermix.example_usage().filter(account="shop", sku="m5.*")
    catalog, policy = covermix.example_catalog(), covermix.example_policy()
    plan = Planner(catalog, usage=usage, policy=policy).solve()
    # Everything that Rust reads was written by Python: the round trip through files.
    usage.write(tmp_path / "usage.csv.gz")
    catalog.write(tmp_path / "catalog.json")
    (tmp_path / "policy.json").write_text(policy.to_json())
    names = ("usage.csv.gz", "catalog.json", "policy.json")
    arguments = [part for option, name in zip(("--usage", "--catalog", "--policy"), names, strict=True) for part in (option, str(tmp_path / name))]
    command = [str(rust_example()), "recommend", *arguments, "--json", "--out", str(tmp_path / "out.json")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rust, python = json.loads(printed), plan.to_dict()
    # The document of Rust has curves that take further searches.
    for document in (rust, python):
        for name in ("seconds", "coverage", "rules"):
            document.pop(name)
    differences = list(differences_of(python, rust))
    assert not differences, differences
    assert Catalog.read(tmp_path / "catalog.json") == catalog


def test_documents_come_back(catalog: Catalog, policy: Policy) -> None:
    assert Catalog.from_json(catalog.to_json()) == catalog
    assert Catalog.from_dict(catalog.to_dict()) == catalog
    assert Policy.from_dict(policy.to_dict()) == policy
    assert policy.replace(max_share_three_year=None).rules == {"payment_options": ["no_upfront"]}
    for one in (catalog, policy, covermix.Rules(), covermix.Objective.minimum_regret(), covermix.example_scenarios(), Portfolio()):
        assert pickle.loads(pickle.dumps(one)) == one and copy.copy(one) == one


def test_a_plan_is_proven_and_beats_the_simple_rules(plan: Plan) -> None:
    assert plan.status is Status.OPTIMAL and 0 <= plan.gap <= 5e-4
    assert plan.lower_bound <= plan.objective <= plan.baselines()["billed_cost"].min() + 1e-9
    assert isinstance(plan.savings, Decimal) and plan.savings > 0
    with localcontext() as context:
        context.prec = 60
        assert plan.before.total.cost - plan.after.total.cost == plan.savings
    certificate = plan.certificate
    parts = certificate.billing_order + certificate.integrality + certificate.tolerance
    assert parts == pytest.approx(certificate.billed_cost - certificate.lower_bound)
    three_year = sum(one.monthly for one in plan.purchases if one.offer.term == "P1095D")
    assert three_year <= Decimal("0.4") * sum(one.monthly for one in plan.purchases)


def test_what_a_plan_says_agrees_with_the_judge(plan: Plan, catalog: Catalog, usage: UsageCurves) -> None:
    bill = Judge(usage, catalog, plan.portfolio).bill()
    assert bill == plan.after and bill.total.cost == plan.billed_cost
    assert Judge(usage, catalog, plan.portfolio).cost() == pytest.approx(float(plan.billed_cost), rel=1e-12)
    evaluation = plan.problem.evaluate(plan.quantities)
    assert evaluation.is_allowed and evaluation.objective == plan.objective
    months = bill.months()
    assert sum(months["cost"]) == pytest.approx(bill.total.cost, rel=Decimal("1e-26"))
    hours = bill.hours()
    assert hours["cost"].sum() == pytest.approx(float(bill.total.cost), rel=1e-9)
    cash = bill.cash()
    assert sum(cash["amount"][cash["kind"] == "on_demand"]) == pytest.approx(bill.total.on_demand, rel=Decimal("1e-20"))
    assert "covers" in str(bill.explain(START + timedelta(hours=12)))
    assert len(bill.lines()) == 3 and len(bill.commitments()) == len(plan.purchases)


def test_reasons_and_tables(plan: Plan) -> None:
    reasons = plan.reasons()
    assert len(reasons) == len(plan.purchases) and all(str(reason) for reason in reasons)
    # A step less may cost less, but by no more than the plan's own gap.
    most = plan.objective - plan.lower_bound + 1e-6
    assert all(reason.value_of_one_less is None or reason.value_of_one_less > -most for reason in reasons)
    orders = plan.order_list()
    assert orders["quantity"].tolist() == [one.quantity for one in plan.purchases]
    assert "What to buy" in str(plan) and "lower bound" in str(plan)
    assert plan.purchases[0].offer.id in plan._repr_html_()
    assert "no plan under this policy" in plan._repr_html_().replace("\n", " ")


def test_plans_are_pickled_whole(plan: Plan) -> None:
    again = pickle.loads(pickle.dumps(plan))
    assert again == plan and again.to_json() == plan.to_json() and str(again) == str(plan)
    assert again.before == plan.before and again.baselines() == plan.baselines()
    assert copy.deepcopy(plan) == plan
    restore, (problem, numbers) = plan.__reduce__()
    shorter = json.loads(numbers)
    shorter["steps"].pop()
    with pytest.raises(covermix.InputError, match="steps"):
        restore(problem, json.dumps(shorter))
    assert isinstance(pickle.loads(pickle.dumps(plan.after)), Bill) and pickle.loads(pickle.dumps(plan.after)) == plan.after


def test_order_of_input_and_threads_do_not_matter(plan: Plan, catalog: Catalog, usage: UsageCurves, policy: Policy) -> None:
    frame = usage.to_pandas()
    turned = UsageCurves.from_table(frame.iloc[::-1, ::-1])
    for threads in (1, 2):
        other = Planner(catalog, usage=turned, policy=policy).solve(threads=threads)
        assert other == plan


def test_sensitivity(plan: Plan, policy: Policy) -> None:
    problem = plan.problem
    curve = problem.cost_by_coverage([0.2, 0.6])
    assert curve["cost"][0] > curve["cost"][1] > 0 and (curve["lower_bound"] <= curve["cost"] + 1e-6).all()
    limits = problem.cost_by_limit([0.5, 1.0])
    assert list(limits) == ["max_share_three_year"] and limits["max_share_three_year"]["cost"][0] >= limits["max_share_three_year"]["lower_bound"][1]
    frontier = problem.frontier("max_share_three_year", [0.0, 1.0])
    assert frontier["cost"][0] > frontier["cost"][1]
    numbers = problem.search(relative_gap=1e-3)
    assert numbers["objective"] == pytest.approx(plan.objective, rel=2e-3) and numbers["status"] is Status.OPTIMAL
    document = problem.to_dict()
    assert document["schema"] == "covermix-problem/1" and len(document["lines"]) == 3
    assert len(problem.candidates()) == len(document["candidates"])


def test_the_extensive_form_is_written(tmp_path: Path, catalog: Catalog) -> None:
    problem = Planner(catalog, usage=curves(24, ("m5.large",))).build()
    problem.write_mps(tmp_path / "problem.mps")
    text = (tmp_path / "problem.mps").read_text()
    assert text.startswith(("NAME", "*")) and "ENDATA" in text
    with pytest.raises(covermix.FileError):
        problem.write_mps(tmp_path / "no such folder" / "problem.mps")


def test_what_is_held_counts(plan: Plan, catalog: Catalog, usage: UsageCurves, policy: Policy) -> None:
    held = Portfolio([Commitment(f"held {index}", one.offer, one.quantity, START, START + timedelta(days=365), scope=one.scope)
                      for index, one in enumerate(plan.portfolio.commitments)])
    again = Planner(catalog, usage=usage, policy=policy, owning=held).solve()
    assert again.before.total.cost == plan.after.total.cost and again.objective <= plan.objective + 1e-6
    ladder = held.ladder(catalog)
    assert len(ladder) == len(held) and sum(ladder["hourly_cost"]) == held.hourly_cost(catalog)


def test_scenarios_dates_and_objectives(catalog: Catalog) -> None:
    low, high = curves(24 * 40, ("m5.large",)), curves(24 * 40, ("m5.large",))
    high = UsageCurves.from_arrays(2 * high.quantity, high.first_hour, high.lines)
    scenarios = [covermix.Scenario("low", 0.5, low), covermix.Scenario("high", 0.5, high)]
    planner = Planner(catalog, scenarios=scenarios, purchase_dates=[START, START + timedelta(days=20)], discount_rate=0.08)
    expected, regret = planner.solve(), planner.replace(objective=covermix.Objective.minimum_regret()).solve()
    assert len(expected.evaluation.scenario_costs) == 2 and regret.gap >= 0
    bill = expected.evaluation
    assert expected.objective == pytest.approx(sum(bill.scenario_costs) / 2)
    assert pickle.loads(pickle.dumps(planner)) == planner
    assert pickle.loads(pickle.dumps(expected)) == expected


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda catalog, usage: Planner(catalog), covermix.InputError, "usage or scenarios"),
        (lambda catalog, usage: Planner(catalog, usage=usage, purchase_dates=[datetime(2025, 1, 7)]), covermix.InputError, "no time zone"),
        (lambda catalog, usage: Planner(catalog, usage=usage, purchase_dates=["2030-01-01"]).build(), covermix.InputError, "within the hours"),
        (lambda catalog, usage: Planner(catalog, usage=usage, remainder="half"), covermix.InputError, "worth_its_cost"),
        (lambda catalog, usage: Planner(catalog, usage=usage).solve(relative_gap=-1), covermix.InputError, "relative_gap"),
        (lambda catalog, usage: Planner(catalog, usage=usage).solve(threads=0), covermix.InputError, "threads"),
        (lambda catalog, usage: Planner(catalog, usage=usage, policy=Policy(fixed={"no such": "1"})).build(), covermix.InputError, "no such"),
        (lambda catalog, usage: Policy(upfront_budget="-1"), covermix.InputError, "upfront_budget"),
        (lambda catalog, usage: Policy.from_dict({"colour": 1}), covermix.InputError, "colour"),
        (lambda catalog, usage: Planner(catalog, usage=usage, policy=Policy(min_coverage=0.9, upfront_budget=0, payment_options=["all_upfront"])).solve(),
         covermix.InfeasibleError, "min_coverage"),
        (lambda catalog, usage: Catalog.from_json("{}"), covermix.InputError, "."),
        (lambda catalog, usage: catalog.offer("no such"), covermix.InputError, "no such"),
    ],
)
def test_errors_are_of_one_tree(make: Any, kind: type[Exception], words: str, catalog: Catalog, usage: UsageCurves) -> None:
    with pytest.raises(kind, match=words) as caught:
        make(catalog, usage)
    assert isinstance(caught.value, covermix.CovermixError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is type(caught.value) and str(again) == str(caught.value) and again.field == caught.value.field


def test_unknown_usage_is_listed_and_may_be_left_out(catalog: Catalog, usage: UsageCurves) -> None:
    lines = [*usage.lines, line("z9.huge")]
    quantity = np.column_stack([usage.quantity, np.ones(len(usage))])
    more = UsageCurves.from_arrays(quantity, START, lines)
    with pytest.raises(covermix.UnknownSkuError, match="z9.huge") as caught:
        Judge(more, catalog).bill()
    assert [(sku.quantity, sku.on_demand_cost) for sku in caught.value.skus] == [(len(usage), None)]
    assert more.unknown_to(catalog)["quantity"].tolist() == [len(usage)]
    assert more.priced_by(catalog) == usage


def test_progress_is_told_and_may_end_the_search(catalog: Catalog) -> None:
    seen: list[covermix.Progress] = []
    plan = Planner(catalog, usage=covermix.example_usage().filter(account="shop")).solve(progress=seen.append)
    assert seen and all(one.sweeps > 0 for one in seen) and plan.gap < 1e-2

    def stop(_: covermix.Progress) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        Planner(catalog, usage=covermix.example_usage()).solve(progress=stop)


def test_a_time_limit_gives_the_best_plan_so_far(catalog: Catalog) -> None:
    plan = Planner(catalog, usage=covermix.example_usage()).solve(time_limit=0.0, relative_gap=0.0)
    assert plan.status is Status.STOPPED_AT_LIMIT and plan.lower_bound <= plan.objective


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on POSIX")
def test_ctrl_c_gives_the_best_plan_so_far(catalog: Catalog) -> None:
    sent: list[float] = []

    def interrupt(progress: covermix.Progress) -> None:
        if not sent and progress.sweeps > 3:
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.warns(covermix.InterruptedWarning):
        plan = Planner(catalog, usage=covermix.example_usage()).solve(relative_gap=0.0, progress=interrupt)
    assert sent, "the search ended before it could be interrupted"
    print(f"from Ctrl-C to the plan: {time.monotonic() - sent[0]:.2f} s")
    assert plan.status is Status.STOPPED_AT_LIMIT and plan.lower_bound <= plan.objective


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on POSIX")
def test_a_second_ctrl_c_raises_at_once(catalog: Catalog) -> None:
    sent: list[float] = []

    def twice() -> None:
        time.sleep(0.15)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    usage = covermix.example_usage()
    problem = Planner(catalog, usage=UsageCurves.from_arrays(np.tile(usage.quantity, (4, 1)), usage.first_hour, usage.lines)).build()
    threading.Thread(target=twice).start()
    with pytest.raises(KeyboardInterrupt):
        problem.solve(relative_gap=0.0)
    assert time.monotonic() - sent[0] < 0.5


def test_pythons_lock_is_released(catalog: Catalog) -> None:
    ticks = 0
    done = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.005)

    thread = threading.Thread(target=tick)
    problem = Planner(catalog, usage=covermix.example_usage()).build()
    thread.start()
    began = time.monotonic()
    problem.solve()
    took = time.monotonic() - began
    done.set()
    thread.join()
    assert ticks > 5 + 10 * took, f"{ticks} ticks in {took:.2f} s"


def test_a_clash_names_its_rules_and_how_far_each_would_have_to_give(catalog: Catalog, usage: UsageCurves) -> None:
    policy = Policy(min_coverage=0.9, upfront_budget=0, payment_options=["all_upfront"], max_share_three_year=0.5)
    problem = Planner(catalog, usage=usage, policy=policy).build()
    clash = problem.clash()
    assert clash is not None and {rule.rule.split(",")[0] for rule in clash.rules} == {"min_coverage", "upfront_budget"}
    budget = next(rule for rule in clash.rules if rule.rule.startswith("upfront_budget"))
    assert budget.by is not None and budget.by > 0 and str(clash) == clash.sentence and "would have to give by" in clash.sentence
    # What it would have to give by is for purchases in any fraction; whole ones take a little more.
    enough = problem.with_policy(policy.replace(upfront_budget=Decimal(str(round(1.02 * budget.by)))))
    assert enough.clash() is None and enough.solve(relative_gap=1e-2).evaluation.coverage[0] >= 0.9 - 1e-9
    with pytest.raises(covermix.InfeasibleError, match="min_coverage"):
        problem.solve()


def test_the_extensive_form_confirms_bound_and_cost(catalog: Catalog) -> None:
    problem = Planner(catalog, usage=curves(72, ("m5.large", "r5.large")), policy=Policy(payment_options=["no_upfront"])).build()
    plan = problem.solve(relative_gap=1e-4)
    relaxed, whole = problem.extensive_optimum(), problem.extensive_optimum(is_whole=True)
    assert relaxed <= whole * (1 + 1e-6) and whole <= plan.objective * (1 + 1e-6)
    assert plan.lower_bound <= whole * (1 + 1e-6)
    assert plan.objective <= whole * 1.01
