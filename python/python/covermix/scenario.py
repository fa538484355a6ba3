"""Possible futures of usage, their risk, forecasts, and the backtest of rules of purchase. Formulas: ``docs/formulation-scenario.md``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np

from . import _native
from ._catalog import Catalog, Portfolio
from ._document import Document, Record, plain, text_of
from ._errors import InputError
from ._ingest import Array
from ._policy import Rules
from ._records import aware
from ._table import Table
from ._usage import UsageCurves

__all__ = [
    "Forecast",
    "Outcome",
    "Risk",
    "Scenario",
    "ScenarioFile",
    "UtilisationRisk",
    "backtest",
    "bootstrap",
    "catalog_at",
    "forecast",
    "outcomes_table",
    "risk",
    "utilisation_risk",
]


@dataclass(frozen=True)
class Scenario:
    """One possible future: a name, how likely it is (above 0 to 1), what runs in it, and how prices change in it."""

    name: str
    probability: float
    usage: UsageCurves
    prices: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)


class ScenarioFile(Document):
    """Transforms of measured usage into futures: growth, drivers, steps, launches, migrations, seasons, holidays; prices that change.

    >>> file = ScenarioFile.from_dict({"schema": "covermix-scenarios/1", "scenarios": [
    ...     {"name": "base", "probability": 0.75},
    ...     {"name": "high", "probability": 0.25, "transforms": [{"kind": "growth", "annual": 0.2}]}]})
    >>> [scenario["name"] for scenario in file.to_dict()["scenarios"]]
    ['base', 'high']
    """

    __slots__ = ()

    def __init__(self, text: str) -> None:
        self._text = _native.scenario_file(text)

    @classmethod
    def _checked(cls, text: str) -> str:
        return _native.scenario_file(text)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> ScenarioFile:
        """Reads a scenario file (TOML)."""
        return cls(_native.scenario_file_from_toml(text_of(path)))

    def project(self, usage: UsageCurves, catalog: Catalog | None = None) -> tuple[Scenario, ...]:
        """The futures of measured usage, by name. With a catalog, every line that a migration or launch leads to must have a price."""
        futures = _native.project(self._text, usage._native, None if catalog is None else catalog._native)
        return tuple(Scenario(name, chance, UsageCurves(native), tuple(json.loads(prices))) for name, chance, native, prices in futures)

    def __repr__(self) -> str:
        scenarios = ", ".join(f"{one['name']} {one['probability']}" for one in self.to_dict()["scenarios"])
        return f"ScenarioFile({scenarios})"


def catalog_at(changes: Iterable[Mapping[str, Any]], catalog: Catalog, at: datetime) -> Catalog:
    """The catalog of an instant under price changes, such as :attr:`Scenario.prices`."""
    return Catalog(_native.catalog_at(json.dumps(plain(list(changes))), catalog._native, aware(at, "at")))


def bootstrap(
    past: UsageCurves,
    future: UsageCurves | None = None,
    *,
    count: int,
    seed: int = 1,
    block_weeks: int = 4,
    smooth_weeks: int = 9,
    growth: tuple[float, float] | None = None,
) -> tuple[Scenario, ...]:
    """Equally likely futures that keep the shape and correlation of the past, around ``future`` (the past itself if not given).

    Weeks are drawn in blocks. ``growth`` is the median and the standard deviation of the logarithm of a year's growth on top. Same seed, same
    scenarios.
    """
    growing = None if growth is None else {"median": growth[0], "deviation": growth[1]}
    setting = json.dumps({"seed": seed, "block_weeks": block_weeks, "smooth_weeks": smooth_weeks, "growth": growing})
    drawn = _native.bootstrap(past._native, (future or past)._native, count, setting)
    return tuple(Scenario(f"draw {index:0{len(str(count))}}", 1 / count, UsageCurves(native)) for index, native in enumerate(drawn))


@dataclass(frozen=True)
class Forecast:
    """A forecast of one series: the forecast itself, its quantile paths, and the errors it made from past dates."""

    central: Array
    """By step ahead, in the series' unit."""
    quantiles: tuple[float, ...]
    paths: Array
    """Quantiles x steps ahead."""
    errors: Table


def forecast(
    series: Sequence[float] | Array,
    horizon: int,
    *,
    method: str | None = None,
    scale: str = "linear",
    quantiles: Sequence[float] = (0.1, 0.5, 0.9),
    error_horizons: Sequence[int] = (1, 4, 13),
    **settings: Any,
) -> Forecast:
    """How a series (weekly means, say) goes on, with bands from the method's own past errors.

    Methods: ``trailing_mean`` (``window``), ``seasonal_naive`` (``season``, ``drift``), ``damped_trend`` (``level``, ``trend``, ``damping``), on the
    ``linear`` or ``logarithmic`` scale; Holt's method on the logarithm if none is named.

    >>> forecast([4.0] * 20, 2).central
    array([4., 4.])
    """
    forecaster = None if method is None else json.dumps({"method": {"method": method, **settings}, "scale": scale})
    values = np.ascontiguousarray(series, dtype=np.float64)
    answer = json.loads(_native.forecast(values, horizon, forecaster, list(quantiles), list(error_horizons)))
    bands, errors = answer["bands"], answer["errors"]
    names = ("bias", "mean_absolute", "root_mean_square", "weighted_absolute")
    table = Table.of(
        "Errors from past dates",
        horizon=("integer", [row["horizon"] for row in errors], "steps"),
        origins=("integer", [row["origins"] for row in errors]),
        **{name: ("float", [row[name] for row in errors]) for name in names},
    )
    return Forecast(np.array(bands["central"]), tuple(bands["quantiles"]), np.array(bands["paths"]), table)


@dataclass(frozen=True)
class Risk:
    """The risk of one decision, in the unit of its costs."""

    expected: float
    conditional_value_at_risk: float
    """Mean of the costliest share of outcomes."""
    worst: float
    largest_regret: float
    """The highest cost above the cheapest decision of the same scenario."""
    expected_regret: float
    budget_at_risk: float
    """How far the cost may lie above its mean at the level."""


def risk(
    probability: Sequence[float], cost: Sequence[Sequence[float]] | Array, *, level: float = 0.95, weight: float = 0.0
) -> tuple[tuple[Risk, ...], int, float]:
    """The risk of each decision (a row of costs by scenario); the decision with the least ``(1 - weight) expected + weight CVaR``; and what perfect
    information is worth.

    >>> risks, chosen, information = risk([0.5, 0.5], [[10.0, 10.0], [4.0, 20.0]])
    >>> chosen, information, risks[1].worst
    (0, 3.0, 20.0)
    """
    matrix = np.ascontiguousarray(cost, dtype=np.float64)
    answer = json.loads(_native.risk(list(probability), matrix, level, weight))
    return tuple(Risk(**row) for row in answer["risks"]), answer["chosen"], answer["value_of_perfect_information"]


@dataclass(frozen=True, slots=True)
class UtilisationRisk(Record):
    """The utilisation of one commitment over scenarios."""

    commitment: str
    utilisation: tuple[float, ...]
    """Used / provided in each scenario, 0 to 1, in the order of the scenarios' names."""
    expected: float
    lowest: float
    probability_below: float
    """The probability that it stays below the threshold."""


def utilisation_risk(
    scenarios: Iterable[Scenario], catalog: Catalog, portfolio: Portfolio, *, threshold: float = 0.95, rules: Rules | None = None
) -> tuple[UtilisationRisk, ...]:
    """How likely it is that each commitment stands idle: the judge bills the portfolio in every scenario. The most endangered first.

    A commitment that serves no hour of the scenarios is left out. Raises :class:`InputError` for a threshold outside of 0 to 1.
    """
    futures = [(one.name, one.probability, one.usage._native) for one in scenarios]
    switches = (rules if rules is not None else Rules()).to_json()
    text = _native.utilisation_risk(futures, catalog._native, portfolio._native, switches, threshold)
    return tuple(UtilisationRisk.from_dict(risk) for risk in json.loads(text))


@dataclass(frozen=True)
class Outcome:
    """How a rule of purchase did over a trace."""

    rule: str
    cost: float
    """What was charged, amortised."""
    on_demand: float
    savings: float
    """Effective savings rate on the list basis."""
    utilisation: float | None
    coverage: float
    worst_month: float
    """The lowest savings rate of a month; negative if it cost more than on demand."""
    lock_in_months: float
    bought: Portfolio


#: A rule of purchase: past usage, now, what is held and the hours to the next decision -> quantities by offer.
RuleFunction = Callable[[UsageCurves, datetime, Portfolio, int], Mapping[str, Decimal | str | int]]


def backtest(
    rules: Iterable[Mapping[str, Any] | RuleFunction],
    usage: UsageCurves,
    catalog: Catalog,
    *,
    first: datetime,
    step_hours: int = 720,
    end: datetime | None = None,
) -> tuple[Outcome, ...]:
    """Decides on data before each date, is charged on data after it by the judge, and buys again at the next, to the end of the trace.

    A rule is a function of (past usage, now, held, hours to the next decision) that returns quantities by offer, or a dict:
    ``{"rule": "buy_nothing"}``; ``maximum_savings`` or ``minimum_hour`` with ``offer``, ``days`` and ``share``; ``daily_mean_percentile`` with
    ``percent`` too; ``hedged`` with ``offer``; ``hedged_families`` with ``offer`` and ``locked_share``; ``foresight`` with ``offer`` and ``lot``.
    """
    origin = usage.first_hour
    position = int((aware(first, "first") - origin).total_seconds() // 3600)
    until = len(usage) if end is None else int((aware(end, "end") - origin).total_seconds() // 3600)
    given: list[tuple[str, Any]] = []
    for rule in rules:
        if callable(rule):
            given.append((getattr(rule, "__name__", "own rule"), _wrapped(rule)))
        elif isinstance(rule, Mapping):
            defaults = {"share": 1.0} if rule.get("rule") in ("maximum_savings", "minimum_hour", "daily_mean_percentile") else {}
            given.append((json.dumps({**defaults, **rule}), None))
        else:
            raise InputError("field `rules`: a rule is a function or a dict; see the help of backtest", field="rules")
    if position < 0 or until < position:
        remedy = f"give dates within {origin} to {usage.end}, with a past"
        raise InputError(f"field `first`: {first} is not within the trace; {remedy}", field="first", remedy=remedy)
    outcomes = _native.backtest(given, usage._native, catalog._native, position, step_hours, until)
    return tuple(Outcome(**json.loads(text), bought=Portfolio._of(bought)) for text, bought in outcomes)


def _wrapped(rule: RuleFunction) -> Callable[..., list[tuple[str, Decimal]]]:
    def decide(past: _native.UsageCurves, now: datetime, held: _native.Portfolio, step_hours: int) -> list[tuple[str, Decimal]]:
        bought = rule(UsageCurves(past), now, Portfolio._of(held), step_hours)
        return [(offer, Decimal(quantity)) for offer, quantity in bought.items()]

    return decide


def outcomes_table(outcomes: Iterable[Outcome], currency: str = "") -> Table:
    """Outcomes side by side, the cheapest first."""
    rows = sorted(outcomes, key=lambda outcome: outcome.cost)
    names = ("savings", "utilisation", "coverage", "worst_month", "lock_in_months")
    return Table.of(
        "Rules of purchase",
        rule=("text", [row.rule for row in rows]),
        cost=("float", [row.cost for row in rows], currency),
        **{name: ("float", [getattr(row, name) for row in rows]) for name in names},
    )
