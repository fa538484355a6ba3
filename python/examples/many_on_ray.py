"""Many organisations on a Ray cluster, one task each, with the same results as one after the other here.

    pip install covermix ray
    python many_on_ray.py

The catalog is put into the cluster's store once; each organisation's usage travels with its task. Errors come back as values, so one organisation
whose rules clash does not end the others.
"""

from __future__ import annotations

from collections.abc import Mapping

import covermix
import ray
from covermix import CovermixError, Plan, Planner


def plan_on_ray(planners: Mapping[str, Planner], *, relative_gap: float = 5e-4, time_limit: float = 600.0) -> dict[str, Plan | CovermixError]:
    """As :func:`covermix.plan_many`, on the cluster that Ray is connected to."""
    task = ray.remote(num_cpus=1)(covermix.plan_one)
    tasks = {name: task.remote(planner, relative_gap=relative_gap, time_limit=time_limit) for name, planner in planners.items()}
    return {name: ray.get(task) for name, task in tasks.items()}


def main() -> None:
    usage, catalog = covermix.example_usage(), covermix.example_catalog()
    accounts = sorted({line.account for line in usage.lines})
    planners = {account: Planner(catalog, usage=usage.filter(account=account)) for account in accounts}
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    plans = plan_on_ray(planners, relative_gap=5e-3)
    ray.shutdown()
    local = covermix.plan_many(planners, relative_gap=5e-3, backend="sequential")
    for account, plan in plans.items():
        assert isinstance(plan, Plan) and plan == local[account], account
        saved = f"saves {plan.savings_monthly:,.2f} {plan.currency} a month, gap {plan.gap:.3%}"
        print(f"{account}: {len(plan.purchases)} purchases, {saved}, identical to local")


if __name__ == "__main__":
    main()
