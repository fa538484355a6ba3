"""What a typed program sees: checked by pyright, not run."""

from __future__ import annotations

from decimal import Decimal
from typing import assert_type

import covermix


def typed() -> None:
    usage = covermix.UsageCurves.read("usage.csv.gz")
    catalog = covermix.Catalog.read("catalog.json")
    plan = covermix.Planner(catalog, usage=usage).solve()
    assert_type(plan, covermix.Plan)
    assert_type(plan.savings, Decimal)
    assert_type(plan.gap, float)
    assert_type(plan.purchases, tuple[covermix.Purchase, ...])
    assert_type(plan.after.total.coverage, float | None)
    assert_type(covermix.finance.irr([-1.0, 2.0]).unique, float | None)
    assert_type(covermix.example_scenarios().project(usage), tuple[covermix.Scenario, ...])
    assert_type(plan.actions, tuple[covermix.PlannedAction, ...])
    assert_type(plan.actions[0].gives, tuple[tuple[str, Decimal], ...])
    assert_type(plan.report("executive").to_html(), str)
    orders = plan.orders("account")
    assert_type(orders[0].paid, Decimal)
    judge = covermix.Judge(usage, catalog)
    assert_type(orders.verify(promised=judge, came=judge), covermix.Verification)
    assert_type(plan.problem.choose_agreement([covermix.OfferedAgreement.none()]).best.cost, float)
    assert_type(covermix.Agreements.read("offers.toml").offers, tuple[covermix.OfferedAgreement, ...])
    assert_type(plan.problem.solve_with_spot([]).gap, float)
    assert_type(plan.problem.solve_with_spot([]).lines, tuple[covermix.SpotLine, ...])
    assert_type(covermix.read_bill("bill.parquet").portfolio, covermix.Portfolio | None)
    covermix.Planner(catalog, usage=usage, policy=3)  # pyright: ignore[reportArgumentType]
