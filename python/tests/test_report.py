"""Reports, the hour explained, cash, and utilisation risk."""

from __future__ import annotations

import csv
import io
import json
import pickle
import signal
import threading
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import covermix
import pytest
from conftest import START, curves
from covermix import Audience, Plan, Report, UsageCurves


@pytest.fixture(scope="module")
def report(plan: Plan) -> Report:
    return plan.report(coverage_levels=[0.0, 0.4], time_limit=10)


def test_all_forms_say_what_the_plan_says(report: Report, plan: Plan, tmp_path: Path) -> None:
    document = report.to_dict()
    assert document["schema"] == "covermix-report/1" and document["status"] == plan.status.value
    assert document["lower_bound"] == pytest.approx(plan.lower_bound, rel=1e-14) and document["gap"] == pytest.approx(plan.gap, rel=1e-9)
    assert Decimal(str(document["billed_cost"])) == pytest.approx(plan.billed_cost, rel=Decimal("1e-14"))
    assert [one["offer"] for one in document["purchases"]] == [one.offer.id for one in plan.purchases]
    values = {row["path"]: row["value"] for row in csv.DictReader(io.StringIO(report.to_csv()))}
    assert float(values["/savings"]) == document["savings"] and float(values["/purchases/0/quantity"]) == document["purchases"][0]["quantity"]
    orders = list(csv.DictReader(io.StringIO(report.orders_csv())))
    assert [row["offer"] for row in orders] == [one.offer.id for one in plan.purchases]
    pages = {audience: report.page(audience) for audience in Audience}
    assert len({page.to_html() for page in pages.values()}) == 3
    for page in pages.values():
        text = page.to_html()
        assert text.lstrip().lower().startswith("<!doctype html") and "<script" not in text and "http" not in text.replace("http://www.w3.org", "")
        assert page.to_markdown().startswith("#")
    assert "<svg" in pages[Audience.ANALYST].to_html(), "the wheel draws charts"
    written = report.write(tmp_path / "new folder")
    assert {path.name for path in written} == {
        *("recommendation.json", "recommendation.csv", "recommendation.html", "recommendation.md", "recommendation-memo.html"),
        *("recommendation-memo.md", "recommendation-orders.html", "recommendation-orders.md", "recommendation-orders.csv"),
    }
    again = Report.read(tmp_path / "new folder" / "recommendation.json")
    assert again == report and again.to_html() == report.to_html()


def test_a_report_is_shown_pickled_and_refused(report: Report) -> None:
    assert report.page("executive").audience is Audience.EXECUTIVE and report.page("executive") != report
    shown = report._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and "<!doctype" not in shown.lower(), "the page is escaped, so that its style stays within"
    assert pickle.loads(pickle.dumps(report)) == report and "analyst" in repr(report)
    with pytest.raises(covermix.InputError, match="audience"):
        report.page("board")
    with pytest.raises(covermix.InputError, match="covermix-report/1"):
        Report.from_json(report.to_json().replace("covermix-report/1", "covermix-report/9"))


def test_settings_reach_the_report(plan: Plan, usage: UsageCurves) -> None:
    cheap = plan.report("executive", coverage_levels=(), price_limits=False, discount_rate=0.12, cases={"a third less": scaled(usage, 2 / 3)})
    document = cheap.to_dict()
    assert document["finance"]["discount_rate"] == 0.12 and document["coverage"]["points"] == [] and document["rules"] == []
    assert "a third less" in [one["name"] for one in document["cases"]] and cheap.audience is Audience.EXECUTIVE
    assert json.loads(plan.to_json())["schema"] == "covermix-report/1" and plan.to_dict()["coverage"]["points"] == []
    with pytest.raises(covermix.InputError, match="time_limit"):
        plan.report(time_limit=-1.0)


def scaled(usage: UsageCurves, factor: float) -> UsageCurves:
    return UsageCurves.from_arrays(factor * usage.quantity, usage.first_hour, usage.lines)


def test_ctrl_c_ends_a_report_at_once(catalog: covermix.Catalog) -> None:
    plan = covermix.Planner(covermix.example_catalog(), usage=covermix.example_usage().filter(account="shop")).solve(relative_gap=5e-3)
    threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        plan.report(coverage_levels=[0.1 * level for level in range(8)])
    assert time.monotonic() - began < 3.0


def test_an_hour_is_explained_step_by_step(plan: Plan) -> None:
    bill = plan.after
    hour = START + timedelta(hours=12)
    explanation = bill.explain(hour)
    assert explanation.hour == hour and "covers" in str(explanation) and explanation.steps
    for step in explanation.steps:
        # Quotients of decimals have 28 digits.
        assert step.open_after == pytest.approx(step.open_before - step.taken, abs=Decimal("1e-24")) and step.open_after >= 0
        assert step.left_after == pytest.approx(step.left_before - step.taken * step.weight, abs=Decimal("1e-24"))
    on_demand = sum((quantity * price for _, quantity, price in explanation.on_demand), Decimal(0))
    row = bill.hours(hour, hour + timedelta(hours=1))
    assert float(on_demand) == pytest.approx(row["on_demand"][0])
    with pytest.raises(covermix.InputError, match="not in the usage"):
        bill.explain(START - timedelta(hours=1))


def test_cash_by_month_adds_up(plan: Plan) -> None:
    bill = plan.after
    months = bill.cash_by_month()
    assert sum(months["amount"]) == sum(bill.cash()["amount"]) and months["month"].tolist() == ["2025-01"]


def test_utilisation_at_risk(plan: Plan, catalog: covermix.Catalog) -> None:
    usage = curves()
    futures = [covermix.Scenario("as is", 0.7, usage), covermix.Scenario("half", 0.3, scaled(usage, 0.5))]
    risks = covermix.scenario.utilisation_risk(futures, catalog, plan.portfolio, threshold=0.9)
    assert {risk.commitment for risk in risks} == {one.id for one in plan.purchases}
    used = {row["id"]: row["utilisation"] for row in plan.after.commitments()}
    for risk in risks:
        assert risk.utilisation[0] == pytest.approx(used[risk.commitment]) and risk.lowest <= risk.expected <= 1
        assert risk.probability_below == pytest.approx(sum(p for p, u in zip((0.7, 0.3), risk.utilisation, strict=True) if u < 0.9))
    with pytest.raises(covermix.InputError, match="threshold"):
        covermix.scenario.utilisation_risk(futures, catalog, plan.portfolio, threshold=2.0)
