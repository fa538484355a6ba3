"""Finance beside pyxirr and numpy-financial and on the library's shared cases; scenarios, forecasts, risk, backtest."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import covermix
import numpy as np
import pytest
from conftest import REPOSITORY, START, curves
from covermix import finance, scenario

numpy_financial = pytest.importorskip("numpy_financial")
pyxirr = pytest.importorskip("pyxirr")


def projects(count: int = 200) -> list[np.ndarray[Any, Any]]:
    """Investments: paid first, received later."""
    random = np.random.default_rng(5)
    return [np.concatenate([[-random.uniform(100, 1000)], random.uniform(1, 400, random.integers(2, 36))]) for _ in range(count)]


def test_present_values_and_internal_rates_agree_with_pyxirr_and_numpy_financial() -> None:
    for flows in projects():
        for rate in (-0.1, 0.0, 0.01, 0.08, 0.5):
            assert finance.npv(rate, flows) == pytest.approx(numpy_financial.npv(rate, flows), rel=1e-11, abs=1e-9)
            assert finance.npv(rate, flows) == pytest.approx(pyxirr.npv(rate, flows.tolist()), rel=1e-11, abs=1e-9)
        found = finance.irr(flows)
        assert found.unique is not None
        assert found.unique == pytest.approx(pyxirr.irr(flows.tolist()), rel=1e-7, abs=1e-9)
        assert found.unique == pytest.approx(numpy_financial.irr(flows), rel=1e-6, abs=1e-8)
        assert finance.mirr(flows, 0.08, 0.1) == pytest.approx(numpy_financial.mirr(flows, 0.08, 0.1), rel=1e-9)


@pytest.mark.parametrize(("ours", "theirs"), [("act/365f", "ACT_365F"), ("act/360", "ACT_360"), ("30e/360", "THIRTY_E_360"), ("act/act-isda", "ACT_ACT_ISDA")])
def test_dated_flows_agree_with_pyxirr(ours: Any, theirs: str) -> None:
    random = np.random.default_rng(6)
    convention = getattr(pyxirr.DayCount, theirs)
    for flows in projects(60):
        dates = [datetime(2023, 1, 31).date() + timedelta(days=int(days)) for days in np.cumsum(np.r_[0, random.integers(1, 60, len(flows) - 1)])]
        assert finance.xnpv(0.08, dates, flows, day_count=ours) == pytest.approx(pyxirr.xnpv(0.08, dates, flows, day_count=convention), rel=1e-10, abs=1e-8)
        expected = pyxirr.xirr(dates, flows, day_count=convention)
        found = finance.xirr(np.array(dates, dtype="datetime64[D]"), flows, day_count=ours)
        assert found.unique == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_loans_agree_with_numpy_financial() -> None:
    assert finance.pmt(0.01, 36, 1000) == pytest.approx(numpy_financial.pmt(0.01, 36, 1000))
    assert finance.pmt(0.01, 36, 1000, when="begin") == pytest.approx(numpy_financial.pmt(0.01, 36, 1000, when="begin"))
    assert finance.fv(0.01, 36, -10, -100) == pytest.approx(numpy_financial.fv(0.01, 36, -10, -100))
    assert finance.pv(0.01, 36, -10, 50) == pytest.approx(numpy_financial.pv(0.01, 36, -10, 50))


FUNCTIONS = {
    "irr": lambda given: list(finance.irr(given["amounts"]).rates),
    "xirr": lambda given: list(finance.xirr(given["dates"], given["amounts"], day_count=given.get("day_count", "act/365f")).rates),
    "xnpv": lambda given: finance.xnpv(given["rate"], given["dates"], given["amounts"], day_count=given.get("day_count", "act/365f")),
    "mirr": lambda given: finance.mirr(given["amounts"], given["finance_rate"], given["reinvest_rate"]),
    "npv_end_of_period": lambda given: finance.npv(given["rate"], given["amounts"], first="after_one_period"),
    "tier_cost": lambda given: finance.tier_cost(given["gross"], commit=given["commit"], discount=given["discount"]),
}


def shared_cases() -> list[Any]:
    folder = REPOSITORY / "tests" / "cases" / "finance"
    cases = [case for path in sorted(folder.glob("*.json")) for case in json.loads(path.read_text())["examples"]]
    plain = [case for case in cases if case["function"] in FUNCTIONS and not isinstance(case["inputs"].get("rate"), str)]
    return [pytest.param(case, id=case["id"]) for case in plain if not isinstance(case["expected"], (dict, str))]


@pytest.mark.parametrize("case", shared_cases())
def test_the_shared_cases_have_the_same_answers_as_in_rust(case: dict[str, Any]) -> None:
    try:
        found = FUNCTIONS[case["function"]](case["inputs"])
    except covermix.FinanceError as error:
        # A figure that cannot be given is null in the cases.
        assert case["expected"] is None, error
        return
    tolerance = case.get("tolerance_abs", 1e-9)
    expected = case["expected"]
    assert np.allclose(found, expected, rtol=0, atol=tolerance), (found, expected)


def test_an_internal_rate_is_never_a_silent_guess() -> None:
    several = finance.irr([-100, 230, -132])
    assert several.rates == pytest.approx((0.1, 0.2)) and several.unique is None
    for rate in (several, finance.irr([100, 10])):
        with pytest.raises(covermix.FinanceError, match="rank by net present value"):
            float(rate)
    with pytest.raises(covermix.FinanceError, match="empty"):
        finance.npv(0.1, [])
    with pytest.raises(covermix.FinanceError, match="not a finite number"):
        finance.npv(0.1, [1.0, float("nan")])
    with pytest.raises(covermix.InputError, match="variant"):
        finance.xnpv(0.1, ["2024-01-01"], [1.0], day_count="act/400")  # type: ignore[arg-type]


def test_payment_options_of_the_published_table() -> None:
    # IBM Community, AWS c5d.xlarge: 51.6, 55.2 and 56.3 % for none, partial and all upfront.
    options = {"none": (0.516, 0.0), "partial": (0.552, 0.5), "all": (0.563, 1.0)}
    assert float(finance.implied_prepayment_rate(options["all"], options["none"], months=36)) == pytest.approx(0.0697, abs=5e-5)
    assert float(finance.implied_prepayment_rate(options["partial"], options["none"], months=36)) == pytest.approx(0.1041, abs=5e-5)
    dear = finance.rank_payment_options(options, on_demand_monthly=100, months=36, wacc=0.2)
    cheap = finance.rank_payment_options(options, on_demand_monthly=100, months=36, wacc=0.01)
    assert (dear["option"][0], cheap["option"][0]) == ("none", "all")
    assert np.isnan(dear["internal_rate"][list(dear["option"]).index("none")])
    bars = finance.tornado({"wacc": (0.05, 0.15), "utilisation": (0.6, 1.0)}, on_demand_monthly=100, months=36, discount=0.5, upfront_share=1)
    assert bars["assumption"].tolist() == ["utilisation", "wacc"]


def test_amortisation_agreements_and_variance() -> None:
    table = finance.amortise("1000", datetime(2024, 1, 15, tzinfo=UTC), months=12)
    assert sum(table["amortised"]) == Decimal("1000.00") and table["closing"][-1] == 0
    years = finance.ledger([400] * 5, [320, 470, 400, 400, 400])
    assert years["paid"].tolist() == [80, 0, 0, 0, 0]
    spend = finance.eligible_spend(8.0, 1.0, marketplace_weight=0.5)
    assert spend["eligible"] == 8.5
    same = {"volume": 100, "list_price": 1, "agreement_discount": 0, "coverage": 0, "utilisation": 1, "plan_discount": 0}
    bridge = finance.bridge(same, {**same, "volume": 120, "list_price": "0.9"})
    assert bridge["amount"].tolist()[1:3] == [Decimal(20), Decimal(-12)] and sum(bridge["amount"][:-1]) == bridge["amount"][-1]
    lines = [{"name": "a", "quantity": 10, "rate": 2, "commitment": 0}]
    effects = finance.variance(lines, [{**lines[0], "quantity": 12, "rate": 3}])
    assert effects["total"] == 16 and effects["volume"] == 4 and effects["rate"] == 12


def test_futures_of_the_example(catalog: covermix.Catalog) -> None:
    usage = covermix.example_usage()
    futures = covermix.example_scenarios().project(usage, catalog)
    assert [one.name for one in futures] == ["base", "high", "low"] and sum(one.probability for one in futures) == pytest.approx(1)
    assert futures[1].usage.totals().sum() > futures[0].usage.totals().sum()
    assert futures[2].prices and scenario.catalog_at(futures[2].prices, catalog, datetime(2025, 8, 1, tzinfo=UTC)) != catalog
    draws = scenario.bootstrap(usage, count=3, seed=9)
    again = scenario.bootstrap(usage, count=3, seed=9)
    assert draws == again and draws[0].usage != draws[1].usage


def test_forecasts() -> None:
    series = np.linspace(100, 200, 60)
    ahead = scenario.forecast(series, 4, method="seasonal_naive", season=1, drift=True)
    np.testing.assert_allclose(ahead.central, 200 + 100 / 59 * np.arange(1, 5))
    assert ahead.paths.shape == (3, 4) and len(ahead.errors) == 3
    with pytest.raises(covermix.InputError):
        scenario.forecast([], 3)


def test_backtest_of_named_and_own_rules(catalog: covermix.Catalog) -> None:
    usage = curves(24 * 120, ("m5.large", "r5.large"))
    offer = "sp/compute/1y-no-upfront"
    called: list[datetime] = []

    def own(past: covermix.UsageCurves, now: datetime, held: covermix.Portfolio, step_hours: int) -> dict[str, Decimal]:
        called.append(now)
        assert past.end == now and step_hours == 720
        return {offer: Decimal("0.50")} if not len(held) else {}

    rules: list[Any] = [{"rule": "buy_nothing"}, {"rule": "minimum_hour", "offer": offer, "days": 30}, {"rule": "foresight", "offer": offer, "lot": 0.01}, own]
    outcomes = scenario.backtest(rules, usage, catalog, first=START + timedelta(days=60))
    nothing, minimum, foresight, mine = outcomes
    assert nothing.savings == 0 and foresight.cost <= min(one.cost for one in outcomes) + 1e-6
    assert mine.rule == "own" and len(called) == 2 and [one.quantity for one in mine.bought.commitments] == [Decimal("0.50")]
    assert len(scenario.outcomes_table(outcomes)) == 4 and 0 < minimum.savings < 1

    def wrong(*_: Any) -> dict[str, Decimal]:
        raise LookupError("no idea")

    with pytest.raises(LookupError, match="no idea"):
        scenario.backtest([wrong], usage, catalog, first=START + timedelta(days=60))


def test_risk() -> None:
    risks, chosen, information = scenario.risk([0.9, 0.1], [[10, 10], [8, 30]], level=0.9, weight=1.0)
    assert chosen == 0 and risks[1].conditional_value_at_risk == pytest.approx(30) and information == pytest.approx(10 - (0.9 * 8 + 0.1 * 10))
