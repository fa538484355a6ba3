"""Tables for pandas, Polars, PyArrow and DuckDB; charts; many organisations; the package as installed."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from decimal import Decimal
from typing import Any

import covermix
import numpy as np
import pytest
from conftest import curves
from covermix import Plan, Planner, Table

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")
matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


def sample() -> Table:
    return Table.of(
        "A <title>",
        name=("text", ["a", None, "c<d>"]),
        cost=("money", ["1.10", None, "12345.678901234567890123"], "USD"),
        share=("float", [0.5, None, 2.0]),
        count=("integer", [1, 2, None]),
        good=("boolean", [True, False, True]),
        at=("hour", np.array(["2024-01-01T00", "2024-01-01T01", "2024-01-01T02"], dtype="datetime64[h]")),
        day=("date", ["2024-01-01", "2024-02-29", "2024-12-31"]),
    )


def test_money_keeps_every_digit_through_arrow() -> None:
    table = sample()
    for found in (pyarrow.table(table)["cost"].to_pylist(), polars.DataFrame(table)["cost"].to_list(), table.to_dict()["cost"]):
        assert found == [Decimal("1.10"), None, Decimal("12345.678901234567890123")]
    assert table.to_pandas()["cost"].dtype == float
    assert table.to_pandas(money=Decimal)["cost"][2] == Decimal("12345.678901234567890123")
    assert str(table.to_pandas()["at"].dt.tz) == "UTC"
    assert str(table.to_pyarrow().schema.field("at").type) == "timestamp[us, tz=UTC]"
    assert table.to_polars()["day"].to_list()[1].isoformat() == "2024-02-29"


def test_duckdb_reads_a_table() -> None:
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    connection.register("sample", sample().to_pyarrow())
    assert connection.sql("select sum(share), max(cost) from sample").fetchall() == [(2.5, Decimal("12345.678901234567890123"))]


def test_a_table_can_be_read_by_people_and_pickled() -> None:
    table = sample()
    page = table._repr_html_()
    assert "12,345.68" in page and "c&lt;d&gt;" in page and "cost (USD)" in page and "A &lt;title&gt;" in page
    assert "12,345.68" in repr(table) and len(table) == 3 and table.unit("cost") == "USD"
    assert pickle.loads(pickle.dumps(table)) == table == copy.deepcopy(table)
    assert [row["name"] for row in table] == ["a", None, "c<d>"] and table.row(1)["count"] == 2
    with pytest.raises(ValueError, match="different lengths"):
        Table.of(a=("text", ["x"]), b=("text", []))


def test_every_chart_is_drawn(plan: Plan, catalog: covermix.Catalog) -> None:
    from covermix import plots
    from matplotlib import pyplot

    usage = curves()
    futures = [covermix.Scenario("low", 0.5, usage), covermix.Scenario("high", 0.5, usage)]
    draws = covermix.scenario.bootstrap(curves(24 * 28), count=8, block_weeks=1, smooth_weeks=1)
    charts = [
        plan.plot_waterline(),
        plan.plot_load_duration(),
        plan.plot_cash_flow(),
        plan.plot_ladder(),
        plan.before.plot_cash_flow(),
        plan.problem.plot_cost_by_coverage([0.2, 0.5]),
        plots.plot_frontier(plan.problem.frontier("max_share_three_year", [0.0, 0.5])),
        plots.plot_scenarios(futures, catalog),
        plots.plot_scenarios(draws),
        plots.plot_ladder(covermix.Portfolio(), catalog),
    ]
    for ax in charts:
        ax.figure.canvas.draw()
        assert ax.get_title(loc="left")
    given = pyplot.figure().subplots()
    assert plan.plot_waterline(ax=given) is given
    top = charts[0].get_ylim()[1]
    assert top >= plan.after.hours()["on_demand_equivalent"].max()
    pyplot.close("all")


def organisations(catalog: covermix.Catalog) -> dict[str, Planner]:
    named = {f"organisation {index}": Planner(catalog, usage=curves(seed=index)) for index in range(3)}
    impossible = covermix.Policy(min_coverage=0.95, upfront_budget=0, payment_options=["all_upfront"])
    return named | {"impossible": Planner(catalog, usage=curves(), policy=impossible)}


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_many_organisations_are_planned_as_one_by_one(backend: str, catalog: covermix.Catalog) -> None:
    pytest.importorskip("joblib")
    planners = organisations(catalog)
    plans = covermix.plan_many(planners, jobs=2, backend=backend)
    assert list(plans) == list(planners)
    assert isinstance(plans.pop("impossible"), covermix.InfeasibleError)
    for name, plan in plans.items():
        assert plan == planners[name].solve(threads=1), name


def test_the_import_is_light() -> None:
    code = "import sys, covermix; print([name for name in ('pandas', 'polars', 'matplotlib', 'pyarrow', 'joblib', 'tqdm') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    assert covermix.plots.plot_waterline is not None and covermix.__version__
    with pytest.raises(AttributeError, match="no attribute"):
        _ = covermix.nothing  # type: ignore[attr-defined]


def test_every_public_name_is_documented() -> None:
    missing: list[str] = []
    for name in covermix.__all__:
        thing: Any = getattr(covermix, name)
        if not isinstance(thing, str) and not (thing.__doc__ or "").strip():
            missing.append(name)
        for method, value in vars(thing).items() if isinstance(thing, type) else ():
            if callable(value) and not method.startswith("_") and not (value.__doc__ or "").strip():
                missing.append(f"{name}.{method}")
    assert not missing
