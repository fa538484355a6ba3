"""This library beside finoptim on finoptim's own kind of problem: cost, bound, time, and whether the order of columns changes the answer.

    pip install covermix finoptim==0.1.72
    python beside_finoptim.py

finoptim gets its columns sorted by the spend plan's discount, as it needs them, and every optimiser it has. What it buys is billed by the same
judge as what this library buys.
"""

from __future__ import annotations

import time
import warnings
from decimal import Decimal
from typing import Any

import covermix
import finoptim
import numpy as np
import pandas
from problems import PLAN, Made, make, reservation

SIZES = ((4, 2016), (8, 2016), (12, 2016), (20, 2016), (12, 4380), (30, 4380))
OPTIMISERS = ("default", "inertial")
#: The gap between cost and proven bound that ends the search.
GAP = 5e-5


def theirs(made: Made, optimiser: str, order: np.ndarray[Any, Any]) -> tuple[dict[str, Decimal], float, float]:
    """What finoptim buys with its columns in an order, what it says it costs, and its time."""
    names = [f"{pool:04}" for pool in order]
    index = pandas.date_range("2025-01-06", periods=len(made.demand), freq="h")
    data = pandas.DataFrame(made.demand[:, order], index=index, columns=names)
    rows = np.array([made.on_demand, made.reserved, made.rates])[:, order]
    prices = pandas.DataFrame(rows, index=["OD", "RI3Y", "SP3Y"], columns=names)
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = finoptim.optimise(data, prices, period="H", optimiser=optimiser)
    took = time.perf_counter() - began
    bought = answer.optimal_arangment["three_years_commitments"]
    quantities = {PLAN: Decimal(repr(round(float(bought["savings plans"]), 2)))}
    quantities |= {reservation(int(name)): Decimal(round(float(bought[name]))) for name in names}
    return {offer: quantity for offer, quantity in quantities.items() if quantity > 0}, answer.minimum, took


def main() -> None:
    print("| pools x hours | finoptim, best of its optimisers | its seconds | covermix | lower bound | seconds | dearer | columns shuffled: finoptim | covermix |")
    print("|---|---|---|---|---|---|---|---|---|")
    for pools, hours in SIZES:
        made = make(pools, hours)
        planner = covermix.Planner(made.catalog, usage=made.usage())
        began = time.perf_counter()
        problem = planner.build()
        # As finoptim does: numbers, without exact bills and baselines.
        plan = problem.search(relative_gap=GAP)
        seconds = time.perf_counter() - began
        runs = []
        given = np.arange(pools)
        for optimiser in OPTIMISERS:
            quantities, _, took = theirs(made, optimiser, given)
            runs.append((problem.evaluate(quantities).objective, took))
        best = min(cost for cost, _ in runs)
        fastest = min(took for _, took in runs)
        shuffled = np.random.default_rng(3).permutation(pools)
        quantities, _, _ = theirs(made, "default", shuffled)
        moved = problem.evaluate(quantities).objective
        lines = made.lines()
        turned = covermix.UsageCurves.from_arrays(made.demand[:, shuffled], problem.usage.first_hour, [lines[pool] for pool in shuffled])
        again = covermix.Planner(made.catalog, usage=turned).build().search(relative_gap=GAP)
        cost, bound = plan["objective"], plan["lower_bound"]
        assert cost <= best * (1 + 1e-12), "finoptim is cheaper"
        assert bound <= cost and cost - bound <= 1e-3 * cost, f"the bound is {bound}, the cost {cost}"
        assert again["steps"] == plan["steps"] and again["objective"] == cost, "the order of columns changes the answer"
        print(
            f"| {pools} x {hours:,} | {best:,.2f} | {fastest:.2f} | {cost:,.2f} | {bound:,.2f} | {seconds:.2f} "
            f"| {best / cost - 1:+.4%} | {moved / best - 1:+.2%} | the same |",
            flush=True,
        )


if __name__ == "__main__":
    main()
