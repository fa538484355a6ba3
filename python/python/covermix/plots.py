"""Charts on matplotlib: each takes an ``Axes`` or makes one, and returns it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from ._billing import Bill
from ._catalog import Catalog, Portfolio
from ._plan import Plan
from ._table import Table
from .scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "plot_cash_flow",
    "plot_curve",
    "plot_frontier",
    "plot_ladder",
    "plot_load_duration",
    "plot_scenarios",
    "plot_waterline",
]

COVERED, OPEN, LINE, OTHER = "#2b6cb0", "#d9a441", "#1a202c", "#718096"


def _axes(ax: Axes | None, width: float = 9.0, height: float = 3.5) -> Axes:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install covermix[plots]") from error
    return pyplot.subplots(figsize=(width, height), layout="constrained")[1]


def _finish(ax: Axes, title: str, x: str, y: str, legend: bool = True) -> Axes:
    ax.set_title(title, loc="left")
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.spines[["top", "right"]].set_visible(False)
    if legend:
        ax.legend(frameon=False)
    return ax


def plot_waterline(bill: Bill, *, start: datetime | None = None, end: datetime | None = None, ax: Axes | None = None) -> Axes:
    """Usage at on-demand prices by hour, with the part that commitments cover: the waterline."""
    hours = bill.hours(start, end)
    ax = _axes(ax)
    every, open_ = hours["on_demand_equivalent"], hours["on_demand"]
    ax.fill_between(hours["hour"], every - open_, color=COVERED, alpha=0.85, linewidth=0, step="post", label="covered by commitments")
    ax.fill_between(hours["hour"], every - open_, every, color=OPEN, alpha=0.7, linewidth=0, step="post", label="on demand")
    cost = hours["used_commitment"] + hours["unused_commitment"]
    ax.plot(hours["hour"], cost, color=LINE, linewidth=1, drawstyle="steps-post", label="cost of commitments")
    ax.set_ylim(bottom=0)
    return _finish(ax, "Usage and what covers it", "hour (UTC)", f"{bill.currency} an hour, at on-demand prices")


def plot_load_duration(bill: Bill, *, ax: Axes | None = None) -> Axes:
    """The hours by their usage at on-demand prices, the largest first, with what commitments cover in each."""
    hours = bill.hours()
    ax = _axes(ax)
    every, covered = hours["on_demand_equivalent"], hours["on_demand_equivalent"] - hours["on_demand"]
    order = np.argsort(-every, kind="stable")
    share = 100 * (np.arange(len(order)) + 0.5) / max(len(order), 1)
    ax.fill_between(share, every[order], color=OPEN, alpha=0.7, linewidth=0, label="on demand")
    ax.fill_between(share, covered[order], color=COVERED, alpha=0.85, linewidth=0, label="covered by commitments")
    ax.plot(share, every[order], color=LINE, linewidth=1, label="usage")
    ax.set_ylim(bottom=0)
    ax.set_xlim(0, 100)
    return _finish(ax, "Load-duration curve", "hours, % of all, the busiest first", f"{bill.currency} an hour, at on-demand prices")


def plot_curve(curve: Table, *, ax: Axes | None = None) -> Axes:
    """Cost against coverage or a limit, with its proven bound; from :meth:`Problem.cost_by_coverage` and its siblings."""
    name = curve.columns[0]
    ax = _axes(ax, 6.5)
    ax.plot(curve[name], curve["cost"], color=COVERED, marker="o", label="cost")
    ax.plot(curve[name], curve["lower_bound"], color=OTHER, linestyle=":", label="lower bound")
    clash = np.isnan(curve["cost"])
    for at in curve[name][clash]:
        ax.axvline(at, color=OPEN, linestyle="--", linewidth=1)
    return _finish(ax, curve.title, name.replace("_", " "), curve.unit("cost"))


def plot_frontier(curve: Table, *, ax: Axes | None = None) -> Axes:
    """What flexibility costs: cost above the cheapest against each value of a rule; from :meth:`Problem.frontier`."""
    name = curve.columns[0]
    ax = _axes(ax, 6.5)
    cost = curve["cost"]
    least = np.nanmin(cost) if np.isfinite(cost).any() else 0.0
    ax.plot(curve[name], cost - least, color=COVERED, marker="o", label="cost above the cheapest")
    return _finish(ax, "Cost of flexibility", name.replace("_", " "), curve.unit("cost"))


def plot_cash_flow(bill: Bill | Plan, *, ax: Axes | None = None) -> Axes:
    """Payments by month as bars; of a plan, with the bill before it as a line."""
    after = bill.after if isinstance(bill, Plan) else bill
    ax = _axes(ax)
    months, kinds = _by_month(after.cash())
    bottom = np.zeros(len(months))
    for kind, color in (("on_demand", OPEN), ("recurring", COVERED), ("upfront", LINE)):
        amounts = np.array([kinds.get((month, kind), 0.0) for month in months])
        if amounts.any():
            ax.bar(months, amounts, bottom=bottom, color=color, label=kind.replace("_", " "))
            bottom += amounts
    if isinstance(bill, Plan):
        before, sums = _by_month(bill.before.cash())
        total = [sum(value for (month, _), value in sums.items() if month == wanted) for wanted in before]
        ax.plot(before, total, color=OTHER, marker="o", label="before the plan")
    ax.tick_params(axis="x", rotation=45)
    return _finish(ax, "Payments by month", "month", after.currency)


def _by_month(cash: Table) -> tuple[list[str], dict[tuple[str, str], float]]:
    sums: dict[tuple[str, str], float] = {}
    months = cash["date"].astype("datetime64[M]").astype(str)
    for month, kind, amount in zip(months, cash["kind"], cash["amount"], strict=True):
        sums[str(month), kind] = sums.get((str(month), kind), 0.0) + float(amount)
    return sorted({month for month, _ in sums}), sums


def plot_ladder(portfolio: Portfolio, catalog: Catalog, *, ax: Axes | None = None) -> Axes:
    """What all commitments cost an hour, over time, by kind: the expiry ladder."""
    ladder = portfolio.ladder(catalog)
    ax = _axes(ax)
    if not len(ladder):
        return _finish(ax, "Nothing is held", "", "", legend=False)
    starts, ends, costs = ladder["start"], ladder["end"], ladder["hourly_cost"].astype(float)
    edges = np.unique(np.concatenate([starts, ends]))
    bottom = np.zeros(len(edges))
    for kind, color in (("reservation", COVERED), ("spend plan", OPEN)):
        of_kind = ladder["kind"] == kind
        running = np.array([costs[of_kind & (starts <= edge) & (edge < ends)].sum() for edge in edges])
        if running.any():
            ax.fill_between(edges, bottom, bottom + running, step="post", color=color, alpha=0.8, linewidth=0, label=kind)
            bottom = bottom + running
    ax.set_ylim(bottom=0)
    return _finish(ax, "Commitments and their ends", "date", f"{catalog.currency} an hour")


def plot_scenarios(scenarios: Iterable[Scenario], catalog: Catalog | None = None, *, ax: Axes | None = None) -> Axes:
    """The fan of scenarios: weekly means of all usage, at on-demand prices if a catalog is given, with their probabilities."""
    given = list(scenarios)
    ax = _axes(ax)
    curves: list[Any] = []
    for scenario in given:
        usage = scenario.usage
        weights = np.ones(usage.shape[1])
        if catalog is not None:
            weights = np.array([price or 0.0 for price in catalog._native.prices_of(usage._native)])
        hourly = usage.quantity @ weights
        weeks = len(hourly) // 168
        curves.append(hourly[: weeks * 168].reshape(weeks, 168).mean(axis=1))
    hours = given[0].usage.hours[::168][: len(curves[0])] if given else np.array([], dtype="datetime64[h]")
    if len(given) > 6:
        matrix = np.array(curves)
        for low, high, alpha in ((5, 95, 0.2), (25, 75, 0.35)):
            band = np.percentile(matrix, [low, high], axis=0)
            ax.fill_between(hours, band[0], band[1], color=COVERED, alpha=alpha, linewidth=0, label=f"{low} to {high} %")
        ax.plot(hours, np.median(matrix, axis=0), color=LINE, label="median")
    else:
        for scenario, curve in zip(given, curves, strict=True):
            ax.plot(hours, curve, label=f"{scenario.name} ({scenario.probability:.0%})")
    ax.set_ylim(bottom=0)
    unit = "units an hour" if catalog is None else f"{catalog.currency} an hour, on demand"
    return _finish(ax, "Scenarios, weekly means", "week", unit)
