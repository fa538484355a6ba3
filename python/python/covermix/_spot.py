"""Spot beside commitments: a share of usage may run on capacity that the provider can take back. Formulas: ``docs/spot-and-capacity.md``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _native
from ._billing import Bill, Judge
from ._document import Record, exact_text
from ._records import Commitment, UsageLine
from ._solution import Solution
from ._table import Table
from ._usage import UsageCurves

if TYPE_CHECKING:
    from ._planning import Problem

__all__ = ["EffectivePrice", "SpotLine", "SpotOption", "SpotPlan", "effective_spot_price"]


@dataclass(frozen=True, slots=True)
class EffectivePrice(Record):
    """What an hour of work takes and costs on spot."""

    price: float
    """What the work costs where it is cheaper: the lower of :attr:`on_spot` and the on-demand price."""
    on_spot: float
    """What it costs on spot, interruptions and all; it can be above the on-demand price."""
    is_worthwhile: bool
    spot_hours: float
    """Spot hours paid for an hour of work."""
    on_demand_hours: float
    elapsed_hours: float
    """Hours that pass for an hour of work, waiting and all."""
    interval_hours: float | None
    """Hours of work between checkpoints."""


def effective_spot_price(
    spot_price: float,
    on_demand_price: float,
    *,
    interruptions_per_hour: float,
    restart_hours: float = 0.0,
    checkpoint_hours: float = 0.0,
    interval_hours: float | None = None,
    outage_hours: float = 0.0,
    waits: bool = False,
) -> EffectivePrice:
    """What an hour of work costs on spot, for :class:`SpotOption`.

    Work that takes checkpoints of ``checkpoint_hours`` does so every ``interval_hours`` (the cheapest interval if not given); with neither it loses
    nothing but ``restart_hours``. After an interruption it runs on demand for ``outage_hours``, or waits so long. Raises :class:`InputError` for a
    figure out of range, or interruptions so frequent that no work gets done.

    >>> effective_spot_price(0.03, 0.10, interruptions_per_hour=0.0).price
    0.03
    >>> round(effective_spot_price(0.03, 0.10, interruptions_per_hour=0.05, checkpoint_hours=0.05, restart_hours=0.1).price, 4)
    0.0324
    """
    work = {
        "spot_price": spot_price,
        "on_demand_price": on_demand_price,
        "interruptions_per_hour": interruptions_per_hour,
        "interval_hours": interval_hours,
        "checkpoint_hours": checkpoint_hours,
        "restart_hours": restart_hours,
        "outage_hours": outage_hours,
        "waits": waits,
    }
    return EffectivePrice.from_dict(json.loads(_native.effective_spot_price(json.dumps(work))))


@dataclass(frozen=True, slots=True)
class SpotOption:
    """What of a usage line may run on spot."""

    line: UsageLine
    """The line, as in the usage."""
    max_share: float
    """The largest share of its usage in any hour that may be interrupted, 0 to 1."""
    price: float
    """What a unit of work costs there, interruptions and all, above 0: :func:`effective_spot_price` gives it."""

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> SpotOption:
        """The option as JSON holds it."""
        return cls(UsageLine(**document["line"]), float(document["max_share"]), float(document["price"]))

    def to_dict(self) -> dict[str, Any]:
        """The option as JSON holds it."""
        return {"line": self.line.to_dict(), "max_share": self.max_share, "price": self.price}


@dataclass(frozen=True, slots=True)
class SpotLine(Record):
    """What a line does on spot, in the first scenario."""

    line: str
    max_share: float
    price: float
    quantity: float
    """All usage of the line, in its unit."""
    on_spot: float
    """What of it runs on spot."""
    share: float
    cost: float


class SpotPlan(Solution):
    """Purchases and spot, decided together; made by :meth:`Problem.solve_with_spot`. Usage, bill and lines are of the first scenario; cost, bound
    and gap of all."""

    __slots__ = ("_native",)

    def __init__(self, native: _native.SpotPlan, problem: Problem) -> None:
        self._native = native
        self.problem = problem
        self._figures = json.loads(native.to_json())

    @classmethod
    def from_json(cls, text: str, problem: Problem) -> SpotPlan:
        """The plan of a problem from what :meth:`to_json` gave: usage, lines and bill are made anew, without a search. Raises :class:`InputError`."""
        return cls(_native.restore_spot_plan(problem._native, exact_text(text)), problem)

    def to_json(self) -> str:
        """All figures as JSON, with the options and the numbers of the search; the problem is not in it."""
        return json.dumps(self._figures)

    def to_dict(self) -> dict[str, Any]:
        """The same as a document."""
        return json.loads(self.to_json())

    @property
    def options(self) -> tuple[SpotOption, ...]:
        """What might run on spot, as it was given."""
        return tuple(SpotOption.from_dict(option) for option in self._figures["options"])

    @property
    def spot_cost(self) -> float:
        """What runs on spot costs, interruptions and all."""
        return self._figures["spot_cost"]

    @property
    def sequential(self) -> float:
        """What it costs to buy as if there were no spot, and then to use spot for what the purchases leave."""
        return self._figures["sequential"]

    @property
    def without_spot(self) -> float:
        """What the best purchases without spot cost."""
        return self._figures["without_spot"]

    @property
    def commitments(self) -> tuple[Commitment, ...]:
        """What to buy."""
        return tuple(Commitment.from_dict(commitment) for commitment in self._figures["commitments"])

    @property
    def lines(self) -> tuple[SpotLine, ...]:
        """What each line with an option does on spot, in the order of the options."""
        return tuple(SpotLine.from_dict(line) for line in self._figures["lines"])

    @property
    def usage(self) -> UsageCurves:
        """The usage, what runs on spot as lines of spot usage."""
        return UsageCurves(self._native.usage())

    @property
    def bill(self) -> Bill:
        """The bill of all that does not run on spot."""
        planner = self.problem.planner
        held = planner.owning.plus(self.commitments)
        return Bill(self._native.bill(), Judge(self.usage, planner.catalog, held, planner.rules))

    def to_table(self) -> Table:
        """The lines side by side."""
        lines = self.lines
        return Table.of(
            "On spot",
            line=("text", [line.line for line in lines]),
            share=("float", [line.share for line in lines]),
            max_share=("float", [line.max_share for line in lines]),
            price=("float", [line.price for line in lines], f"{self.currency}/unit"),
            cost=("float", [line.cost for line in lines], self.currency),
        )

    def _decided(self) -> Any:
        return self.options, self.commitments, self.lines

    def __reduce__(self) -> tuple[Any, ...]:
        return SpotPlan.from_json, (self.to_json(), self.problem)

    def __repr__(self) -> str:
        return f"SpotPlan({len(self.commitments)} purchases, {self.objective:,.2f}, {self.without_spot:,.2f} without spot, gap {self.gap:.3%})"

    def _repr_html_(self) -> str:
        return self.to_table()._repr_html_()
