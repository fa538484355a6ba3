"""Which agreement to sign, decided together with what to buy under it, and what its clauses and discounts are worth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import _native
from ._agreement import Agreements, Clause, OfferedAgreement
from ._document import Immutable, Record, exact_text, plain, record
from ._errors import InputError
from ._records import Commitment
from ._search import ProgressFunction, searched
from ._table import Table

if TYPE_CHECKING:
    from ._planning import Problem

__all__ = ["AgreementFirst", "Branch", "Choice", "ClauseValue", "IndifferenceDiscount", "SettledPeriod", "YearOutcome"]


@dataclass(frozen=True, slots=True)
class ClauseValue(Record):
    """What a clause is worth."""

    clause: str
    """In words."""
    cost: float
    """The best cost with it."""
    value: float
    """By how much that is below the best cost without it."""
    proven: tuple[float, float]
    """What the bounds prove: the value of the optimum is not below and not above these."""
    shortfall_probability: float
    changes_purchases: bool


@dataclass(frozen=True, slots=True)
class IndifferenceDiscount(Record):
    """The discount at which an offer is worth as much as a reference."""

    offer: str
    offered: float
    """The discount it has."""
    reference_cost: float
    at: float | None
    """Above this discount the offer is cheaper than the reference; ``None`` if no discount up to the largest tried makes it so."""
    tolerance: float


@dataclass(frozen=True, slots=True)
class AgreementFirst(Record):
    """The agreement chosen first, by the spend before any purchase, and commitments bought second: what deciding in turn comes to."""

    offer: str
    """The offer that is cheapest while nothing is bought."""
    cost_without_purchases: float
    blind_purchases: tuple[Commitment, ...]
    """Bought at its net prices with no regard to its minimums."""
    blind_cost: float
    informed_purchases: tuple[Commitment, ...]
    """Bought with regard to its minimums: the best that can be done after the signature."""
    informed_cost: float


@dataclass(frozen=True, slots=True)
class SettledPeriod(Record):
    """A period as the ledger settles it."""

    required: Decimal
    """Base minimum and what earlier periods moved into this one."""
    counted: Decimal
    carried_in: Decimal
    paid: Decimal
    """Paid to make up for the gap."""
    paid_for_total: Decimal
    deferred: Decimal
    credit_used: Decimal
    credit: Decimal
    forfeited: Decimal
    carried_over: Decimal
    surplus: Decimal


@dataclass(frozen=True, slots=True)
class YearOutcome(Record):
    """The settled periods of an agreement in a scenario."""

    scenario: str
    probability: float
    periods: tuple[SettledPeriod, ...]


@dataclass(frozen=True, slots=True)
class Branch(Record):
    """An offered agreement with the best purchases under it."""

    offer: str
    discount: Decimal
    cost: float
    """By judge and ledger, in the terms of the objective."""
    lower_bound: float
    """No plan under this offer costs less."""
    purchases: tuple[Commitment, ...]
    shortfall_probability: float
    expected_shortfall: tuple[float, ...]
    """The mean of the shortfall payments by period."""
    outcomes: tuple[YearOutcome, ...]

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Branch:
        """As the Rust half hands it over."""
        return record(cls, {**document, "offer": document["offer"]["name"]})


class Choice(Immutable):
    """Every offer with its best purchases, and the best offer; made by :meth:`Problem.choose_agreement`."""

    __slots__ = ("_document", "_native", "agreements", "problem")
    agreements: Agreements
    """What was on offer, with spend beside the usage."""

    def __init__(self, native: _native.Choice, problem: Problem, agreements: Agreements) -> None:
        self._native = native
        self.agreements = agreements
        self.problem = problem
        self._document: dict[str, Any] = json.loads(native.to_json())

    @property
    def branches(self) -> tuple[Branch, ...]:
        """A branch for every offer, and for every right to renew early, in the order given."""
        return tuple(Branch.from_dict(branch) for branch in self._document["branches"])

    @property
    def best(self) -> Branch:
        """The cheapest branch."""
        return Branch.from_dict(self._document["branches"][self._document["chosen"]])

    @property
    def cost(self) -> float:
        """The cost of the best branch."""
        return self._document["cost"]

    @property
    def lower_bound(self) -> float:
        """No plan under any of the offers costs less."""
        return self._document["lower_bound"]

    @property
    def gap(self) -> float:
        """``(cost - lower bound) / cost`` of the joint decision."""
        return self._document["gap"]

    def offer(self, name: str) -> OfferedAgreement:
        """The offer of a branch. Raises :class:`InputError` if there is none."""
        return OfferedAgreement.from_dict(self._document["branches"][self._index(name)]["offer"])

    def _index(self, name: str | None) -> int:
        if name is None:
            return self._document["chosen"]
        names = [branch["offer"]["name"] for branch in self._document["branches"]]
        if name in names:
            return names.index(name)
        remedy = f"name one of {', '.join(names)}"
        raise InputError(f"{name}: no such offer; {remedy}", item=name, remedy=remedy)

    def to_table(self) -> Table:
        """The branches side by side."""
        currency = self.problem.planner.catalog.currency
        branches = self.branches
        return Table.of(
            "Agreements on offer",
            offer=("text", [branch.offer for branch in branches]),
            discount=("float", [float(branch.discount) for branch in branches]),
            cost=("float", [branch.cost for branch in branches], currency),
            lower_bound=("float", [branch.lower_bound for branch in branches], currency),
            shortfall_probability=("float", [branch.shortfall_probability for branch in branches]),
            expected_shortfall=("float", [sum(branch.expected_shortfall) for branch in branches], currency),
            purchases=("integer", [len(branch.purchases) for branch in branches]),
            chosen=("boolean", [index == self._document["chosen"] for index in range(len(branches))]),
        )

    def ledger(self, scenario: int = 0, *, offer: str | None = None) -> dict[str, Any] | None:
        """The dated ledger of an offer (the chosen one if not named) in a scenario, by period and month; ``None`` without terms. With purchase
        dates only: a steady state has no months (:class:`InputError`)."""
        text = self._native.ledger(self._index(offer), scenario)
        return None if text is None else json.loads(text)

    def clause_values(
        self,
        clauses: Iterable[Clause],
        *,
        offer: str | None = None,
        relative_gap: float = 5e-4,
        time_limit: float = 600.0,
        threads: int | None = None,
        progress: bool | ProgressFunction = False,
    ) -> tuple[ClauseValue, ...]:
        """What each clause would be worth if it were added to an offer (the chosen one if not named), purchases decided anew; the most valuable
        first."""
        asked = json.dumps(plain(list(clauses)))
        index = self._index(offer)

        def search(effort: str, threads: int | None, report: Any) -> tuple[str, bool]:
            return self._native.clause_values(index, asked, effort, threads, report)

        text = searched(search, "values may be less exact than asked for", relative_gap, time_limit, threads, progress)
        return tuple(ClauseValue.from_dict(row) for row in json.loads(text))

    def __eq__(self, other: object) -> bool:
        """Whether two choices buy the same for the same problem under the same offers."""
        if not isinstance(other, Choice):
            return NotImplemented
        return self.branches == other.branches and self.problem == other.problem and self.agreements == other.agreements

    def __hash__(self) -> int:
        return hash((self.cost, self.lower_bound))

    def __repr__(self) -> str:
        return f"Choice({self.best.offer!r} of {len(self.branches)}, {self.cost:,.2f}, gap {self.gap:.3%})"

    def _repr_html_(self) -> str:
        return self.to_table()._repr_html_()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.problem, self.agreements, json.dumps(self._document))


def _restore(problem: Problem, agreements: Agreements, text: str) -> Choice:
    native = _native.restore_choice(problem._native, agreements.to_json(), exact_text(text))
    return Choice(native, problem, agreements)
