"""The judge: what a provider charges for given usage under given commitments, by the provider's own rules."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import _native
from ._catalog import Catalog, Portfolio
from ._document import Immutable, Record
from ._errors import InputError
from ._policy import Rules
from ._records import Charges, aware
from ._table import Column, Table
from ._usage import UsageCurves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Bill", "Explanation", "Judge", "Step"]

MONEY = (
    "on_demand_equivalent",
    "on_demand",
    "used_commitment",
    "unused_commitment",
    "amortised_upfront",
    "recurring",
    "cost",
    "savings",
)


@dataclass(frozen=True, slots=True)
class Step(Record):
    """One commitment drawing on one line in one hour."""

    commitment: str
    line: str
    weight: Decimal
    """What one unit of the line needs of the commitment: normalised units, units of the SKU, or money."""
    taken: Decimal
    """In the line's unit."""
    open_before: Decimal
    """What the line had left before the step."""
    open_after: Decimal
    left_before: Decimal
    """What the commitment had left before the step, in its own unit."""
    left_after: Decimal


@dataclass(frozen=True, slots=True)
class Explanation(Record):
    """The waterfall of one hour."""

    hour: datetime
    steps: tuple[Step, ...]
    """In order, those that found nothing to take too."""
    on_demand: tuple[tuple[str, Decimal, Decimal], ...]
    """What stays on demand: line, quantity, price of one unit."""
    unused: tuple[tuple[str, Decimal, Decimal], ...]
    """What commitments have left at the end of the hour, lost: identifier, amount, what they provided."""
    text: str

    def __str__(self) -> str:
        return self.text


class Judge(Immutable):
    """Usage, catalog and portfolio, ready to be billed.

    >>> import covermix
    >>> usage = covermix.example_usage().filter(account="shop", sku="r5.*")
    >>> bill = covermix.Judge(usage, covermix.example_catalog()).bill()
    >>> bill.total.cost == bill.total.on_demand_equivalent
    True
    """

    __slots__ = ("catalog", "portfolio", "rules", "usage")

    def __init__(self, usage: UsageCurves, catalog: Catalog, portfolio: Portfolio | None = None, rules: Rules | None = None) -> None:
        self.usage = usage
        self.catalog = catalog
        self.portfolio = portfolio if portfolio is not None else Portfolio()
        self.rules = rules if rules is not None else Rules()

    def _inputs(self) -> tuple[_native.UsageCurves, _native.Catalog, _native.Portfolio, str]:
        return self.usage._native, self.catalog._native, self.portfolio._native, self.rules.to_json()

    def bill(self) -> Bill:
        """The exact bill of all hours, in decimals.

        Raises :class:`UnknownSkuError` with every line that has no price, :class:`InputError` for commitments that do not fit.
        """
        return Bill(_native.bill(*self._inputs()), self)

    def cost(self) -> float:
        """The amortised cost in float64, in a fraction of the time; it agrees with the bill to about 1e-12."""
        return _native.billed_cost(*self._inputs())

    def focus_rows(self, start: datetime | None = None, end: datetime | None = None) -> list[dict[str, Any]]:
        """Hours as FOCUS rows (dicts by FOCUS column; decimals as text), to lay beside a real bill. Many: one for each line and hour."""
        first, until = self._span(start, end)
        return json.loads(_native.focus_rows(*self._inputs(), first, until))

    def _span(self, start: datetime | None, end: datetime | None) -> tuple[int, int]:
        origin = int(self.usage.first_hour.timestamp()) // 3600
        first = 0 if start is None else max(0, int(aware(start, "start").timestamp() // 3600) - origin)
        until = len(self.usage) if end is None else max(first, int(aware(end, "end").timestamp() // 3600) - origin)
        return first, until

    def __repr__(self) -> str:
        return f"Judge({self.usage!r}, {self.catalog!r}, {self.portfolio!r})"


class Bill(Immutable):
    """What usage costs under commitments: exact figures by month, day, line and commitment. Made by :meth:`Judge.bill` or a plan."""

    __slots__ = ("_native", "judge")

    def __init__(self, native: _native.Bill, judge: Judge) -> None:
        self._native = native
        self.judge = judge

    @property
    def currency(self) -> str:
        """The currency of every amount."""
        return self.judge.catalog.currency

    @property
    def total(self) -> Charges:
        """All hours."""
        return Charges.from_dict(json.loads(self._native.total()))

    def _charges(self, title: str, key: str, kind: str, text: str) -> Table:
        rows: list[dict[str, Any]] = json.loads(text)
        columns: dict[str, tuple[Any, ...]] = {key: (kind, [row[key] for row in rows])}
        columns |= {name: ("money", [row[name] for row in rows], self.currency) for name in MONEY}
        columns |= {name: ("float", [row[name] for row in rows]) for name in ("effective_savings_rate_list", "coverage", "utilisation")}
        return Table.of(title, **columns)

    def months(self) -> Table:
        """By billing month of the provider (US Pacific for Google Cloud)."""
        return self._charges("The bill by month", "month", "text", self._native.months())

    def days(self) -> Table:
        """By billing day of the provider."""
        return self._charges("The bill by day", "day", "date", self._native.days())

    def hours(self, start: datetime | None = None, end: datetime | None = None) -> Table:
        """By hour, in float64: on-demand equivalent, on demand, used and unused commitment, cost."""
        columns = self._native.hours(*self.judge._span(start, end))
        hours = columns.pop("hour").astype("datetime64[h]")
        money = {name: Column("float", values, self.currency) for name, values in columns.items()}
        return Table({"hour": Column("hour", hours, "UTC"), **money}, "The bill by hour")

    def lines(self) -> Table:
        """By usage line."""
        rows: list[dict[str, Any]] = json.loads(self._native.lines())
        known = self.judge.usage.lines
        names = ("on_demand_equivalent", "on_demand", "sustained_use_discount")
        return Table.of(
            "The bill by usage line",
            line=("text", [known[row["column"]].name for row in rows]),
            quantity=("money", [row["quantity"] for row in rows], "units"),
            covered=("money", [row["covered"] for row in rows], "units"),
            **{name: ("money", [row[name] for row in rows], self.currency) for name in names},
        )

    def commitments(self) -> Table:
        """By commitment, with its utilisation and what it saved net of its cost."""
        rows: list[dict[str, Any]] = json.loads(self._native.commitments())
        names = ("covered", "cost", "used_cost", "unused_cost", "net_savings")
        return Table.of(
            "The bill by commitment",
            id=("text", [row["id"] for row in rows]),
            utilisation=("float", [row["utilisation"] for row in rows]),
            **{name: ("money", [row[name] for row in rows], self.currency) for name in names},
        )

    def cash(self) -> Table:
        """Every payment by its day, as the provider charges it: usage, upfront fees, recurring fees."""
        rows: list[dict[str, Any]] = json.loads(self._native.cash())
        return Table.of(
            "Payments",
            date=("date", [row["date"] for row in rows]),
            kind=("text", [row["kind"] for row in rows]),
            commitment=("text", [row["commitment"] for row in rows]),
            amount=("money", [row["amount"] for row in rows], self.currency),
        )

    def cash_by_month(self) -> Table:
        """All payments of each calendar month."""
        cash = self.cash()
        months: dict[str, Decimal] = {}
        for day, amount in zip(cash["date"], cash["amount"], strict=True):
            month = str(day.astype("datetime64[M]"))
            months[month] = months.get(month, Decimal(0)) + amount
        return Table.of("Payments by month", month=("text", list(months)), amount=("money", list(months.values()), self.currency))

    def explain(self, hour: datetime | str) -> Explanation:
        """Every step of the waterfall in one hour; ``str`` of it is the same in words. Raises :class:`InputError` if the hour is not in the usage."""
        text = self._native.explain(aware(hour, "hour"))
        if text is None:
            remedy = f"give an hour from {self.judge.usage.first_hour} to before {self.judge.usage.end}"
            raise InputError(f"field `hour`: {hour} is not in the usage; {remedy}", field="hour", remedy=remedy)
        return Explanation.from_dict(json.loads(text))

    def to_dict(self) -> dict[str, Any]:
        """Total, months, lines and commitments, as plain values with decimals."""
        total = json.loads(self._native.total())
        tables: Iterable[tuple[str, Table]] = (("months", self.months()), ("lines", self.lines()), ("commitments", self.commitments()))
        return {"currency": self.currency, "total": total, **{name: list(table) for name, table in tables}}

    def to_json(self) -> str:
        """The same as JSON; decimals are texts."""
        return json.dumps(self.to_dict(), default=str)

    def plot_waterline(self, start: datetime | None = None, end: datetime | None = None, ax: Axes | None = None) -> Axes:
        """What commitments cover, over the usage curve. See :func:`covermix.plots.plot_waterline`."""
        from . import plots

        return plots.plot_waterline(self, start=start, end=end, ax=ax)

    def plot_load_duration(self, ax: Axes | None = None) -> Axes:
        """The hours by their usage, the largest first. See :func:`covermix.plots.plot_load_duration`."""
        from . import plots

        return plots.plot_load_duration(self, ax=ax)

    def plot_cash_flow(self, ax: Axes | None = None) -> Axes:
        """Payments by month. See :func:`covermix.plots.plot_cash_flow`."""
        from . import plots

        return plots.plot_cash_flow(self, ax=ax)

    def _summary(self) -> Table:
        total = self.total
        names = [name for name in MONEY if name not in ("amortised_upfront", "recurring")]
        return Table.of(
            f"The bill of {self.judge.usage!r}",
            figure=("text", [name.replace("_", " ") for name in names]),
            amount=("money", [getattr(total, name) for name in names], self.currency),
        )

    def __eq__(self, other: object) -> bool:
        return self._native == other._native if isinstance(other, Bill) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._native.total())

    def __repr__(self) -> str:
        total = self.total
        return f"Bill({round(total.cost, 2)} {self.currency}, {round(total.savings, 2)} saved by commitments)"

    def _repr_html_(self) -> str:
        return self._summary()._repr_html_()

    def __reduce__(self) -> tuple[Any, ...]:
        judge = self.judge
        return _restore, (judge.usage, judge.catalog, judge.portfolio, judge.rules)


def _restore(usage: UsageCurves, catalog: Catalog, portfolio: Portfolio, rules: Rules) -> Bill:
    return Judge(usage, catalog, portfolio, rules).bill()
