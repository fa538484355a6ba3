"""This library beside finoptim on finoptim's own kind of problem: cost, bound, time, and whether the order of columns changes the answer.

    pip install covermix finoptim==0.1.72
    python beside_finoptim.py

finoptim gets its columns sorted by the spend plan's discount, as it needs them, and every optimiser it has. What it buys is billed by the same
judge as what this library buys. Times are the best of three; on a busy machine the work (seconds of all cores) says more than the clock.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import covermix
import finoptim
import numpy as np
import pandas
from problems import PLAN, Made, make, reservation

SIZES = ((12, 2016), (4, 2016), (8, 2016), (20, 2016), (12, 4380))
OPTIMISERS = ("default", "inertial")
#: The gap between cost and proven bound that ends the search.
GAP = 5e-5

Answer = TypeVar("Answer")


def timed(work: Callable[[], Answer]) -> tuple[Answer, float, float]:
    """An answer, the seconds by the clock and those of all cores, each the least of three."""
    clocks, works = [], []
    for _ in range(3):
        clock, spent = time.perf_counter(), time.process_time()
        answer = work()
        clocks.append(time.perf_counter() - clock)
        works.append(time.process_time() - spent)
    return answer, min(clocks), min(works)


def theirs(made: Made, optimiser: str, order: np.ndarray[Any, Any]) -> dict[str, Decimal]:
    """What finoptim buys with its columns in an order."""
    names = [f"{pool:04}" for pool in order]
    index = pandas.date_range("2025-01-06", periods=len(made.demand), freq="h")
    data = pandas.DataFrame(made.demand[:, order], index=index, columns=names)
    rows = np.array([made.on_demand, made.reserved, made.rates])[:, order]
    prices = pandas.DataFrame(rows, index=["OD", "RI3Y", "SP3Y"], columns=names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = finoptim.optimise(data, prices, period="H", optimiser=optimiser)
    bought = answer.optimal_arangment["three_years_commitments"]
    quantities = {PLAN: Decimal(repr(round(float(bought["savings plans"]), 2)))}
    quantities |= {reservation(int(name)): Decimal(round(float(bought[name]))) for name in names}
    return {offer: quantity for offer, quantity in quantities.items() if quantity > 0}


def main() -> None:
    print(
        "| pools x hours | finoptim, best of its optimisers | its seconds | its work | covermix | lower bound | seconds | work | dearer "
        "| columns shuffled: finoptim | covermix |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for pools, hours in SIZES:
        made = make(pools, hours)
        usage = made.usage()
        problem = covermix.Planner(made.catalog, usage=usage).build()

        def search(usage: covermix.UsageCurves = usage, made: Made = made) -> dict[str, Any]:
            # As finoptim does: numbers, without exact bills and baselines.
            return covermix.Planner(made.catalog, usage=usage).build().search(relative_gap=GAP)

        plan, clock, work = timed(search)
        given = np.arange(pools)
        runs = []
        for optimiser in OPTIMISERS:
            quantities, took, spent = timed(lambda made=made, optimiser=optimiser, given=given: theirs(made, optimiser, given))
            runs.append((problem.evaluate(quantities).objective, took, spent))
        best = min(cost for cost, *_ in runs)
        shuffled = np.random.default_rng(3).permutation(pools)
        moved = problem.evaluate(theirs(made, "default", shuffled)).objective
        lines = made.lines()
        turned = covermix.UsageCurves.from_arrays(made.demand[:, shuffled], problem.usage.first_hour, [lines[pool] for pool in shuffled])
        again = search(turned)
        cost, bound = plan["objective"], plan["lower_bound"]
        assert cost <= best * (1 + 1e-12), "finoptim is cheaper"
        assert bound <= cost and cost - bound <= 1e-3 * cost, f"the bound is {bound}, the cost {cost}"
        assert again["steps"] == plan["steps"] and again["objective"] == cost, "the order of columns changes the answer"
        print(
            f"| {pools} x {hours:,} | {best:,.2f} | {min(took for _, took, _ in runs):.3f} | {min(spent for *_, spent in runs):.3f} "
            f"| {cost:,.2f} | {bound:,.2f} | {clock:.3f} | {work:.3f} | {best / cost - 1:+.4%} | {moved / best - 1:+.2%} | the same |",
            flush=True,
        )


if __name__ == "__main__":
    main()
