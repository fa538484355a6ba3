"""Many organisations at once: one task an organisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._errors import CovermixError
from ._plan import Plan
from ._planning import Planner

__all__ = ["plan_many", "plan_one"]


def plan_one(planner: Planner, *, relative_gap: float = 5e-4, time_limit: float = 600.0, threads: int | None = 1) -> Plan | CovermixError:
    """One organisation's plan, or the error that its inputs or rules met: the task that :func:`plan_many`, Ray and Dask run."""
    try:
        return planner.solve(relative_gap=relative_gap, time_limit=time_limit, threads=threads)
    except CovermixError as error:
        return error


def plan_many(
    planners: Mapping[str, Planner],
    *,
    jobs: int = -1,
    relative_gap: float = 5e-4,
    time_limit: float = 600.0,
    threads: int | None = 1,
    **parallel: Any,
) -> dict[str, Plan | CovermixError]:
    """Plans for many organisations by joblib, one task each with one thread each; results in the order of the organisations.

    An organisation whose inputs or rules cannot be used has its error in place of a plan, so that the others are not lost. ``jobs`` is the number of
    processes, all cores if -1; further arguments go to ``joblib.Parallel`` (``backend="threading"`` shares the curves instead of pickling them).

    >>> import covermix
    >>> catalog, usage = covermix.example_catalog(), covermix.example_usage().filter(sku="r5.*")
    >>> planners = {name: Planner(catalog, usage=usage.filter(account=name)) for name in ("shop",)}
    >>> plans = plan_many(planners, backend="threading")
    >>> plans["shop"] == planners["shop"].solve()
    True
    """
    try:
        from joblib import Parallel, delayed
    except ImportError as error:
        raise ImportError("plan_many needs joblib: pip install joblib") from error
    effort = {"relative_gap": relative_gap, "time_limit": time_limit, "threads": threads}
    tasks = (delayed(plan_one)(planner, **effort) for planner in planners.values())
    plans: Any = Parallel(n_jobs=jobs, **parallel)(tasks)
    return dict(zip(planners, plans, strict=True))
