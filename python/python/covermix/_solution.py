"""What every answer of the planner has: why the search ended, what it costs, and what no other can cost less than."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._document import Immutable
from ._records import Status

if TYPE_CHECKING:
    from ._planning import Problem

__all__ = ["Solution"]


class Solution(Immutable):
    """The best that a search found for a problem, with a proven bound: :class:`Plan`, :class:`SpotPlan`.

    Two of a kind are equal if they decide the same for the same problem at the same cost and bound; the time they took does not matter.
    """

    __slots__ = ("_figures", "problem")
    _figures: dict[str, Any]
    problem: Problem
    """What was solved."""

    @property
    def currency(self) -> str:
        """The currency of every amount."""
        return self.problem.planner.catalog.currency

    @property
    def status(self) -> Status:
        """Why the search ended."""
        return Status(self._figures["status"])

    @property
    def objective(self) -> float:
        """What it costs by the judge, in the terms of the objective; spot at its effective price."""
        return self._figures["objective"]

    @property
    def lower_bound(self) -> float:
        """A proven lower bound on the objective of any decision under the same policy, and of any use of spot within the shares allowed."""
        return self._figures["lower_bound"]

    @property
    def gap(self) -> float:
        """``(objective - lower bound) / objective``: no decision under the policy could cost less by a larger share."""
        return self._figures["gap"]

    def _decided(self) -> Any:
        """What is bought and done, comparable."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Solution) or type(other) is not type(self):
            return NotImplemented
        same = self.objective == other.objective and self.lower_bound == other.lower_bound
        return same and self._decided() == other._decided() and self.problem == other.problem

    def __hash__(self) -> int:
        return hash((self.objective, self.lower_bound))
