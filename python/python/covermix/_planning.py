"""What to buy: planner and problem."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import _native
from ._agreement import Agreements, OfferedAgreement, OtherSpend
from ._catalog import Catalog, Portfolio
from ._choice import AgreementFirst, Choice, IndifferenceDiscount
from ._document import Immutable, exact_text, plain
from ._errors import InfeasibleError, InputError
from ._held import Change, Flexibility, Limit, Rights
from ._plan import Plan
from ._policy import Objective, Policy, Rules
from ._records import Clash, Evaluation, Remainder, Status, aware, member
from ._search import ProgressFunction, effort, searched
from ._spot import SpotOption, SpotPlan
from ._table import Table
from ._usage import UsageCurves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .scenario import Scenario

__all__ = ["Planner", "Problem"]


class Planner(Immutable):
    """Gathers the inputs; builds the problem, or solves it at once. Immutable: :meth:`replace` gives another.

    Give ``usage`` alone, or ``scenarios`` with probabilities that add up to 1. Without ``purchase_dates`` the usage is a steady state: what is
    bought runs through all of it. With dates each purchase serves from its date to the end of its term. ``discount_rate`` is effective a year
    (0.08 is 8 %). ``own_plan`` is what you would buy yourself, by offer, to be compared with. ``rights`` lets the plan act on what is held by the
    providers' rules: exchange, sell, return. ``changes`` are what you know of beside them (an offer from a broker, say), within ``limits`` that they
    share. ``renewing=True`` lets it buy again, with purchase dates, what ends within the hours planned. ``agreement`` is one that is signed already, or
    is to be planned under: cost and bound have its discounts and shortfalls (``other_spend`` counts towards its minimums), bills stay at list prices.

    >>> import covermix
    >>> usage = covermix.example_usage().filter(account="shop", sku="r5.*")
    >>> plan = covermix.Planner(covermix.example_catalog(), usage=usage, policy=Policy(max_share_three_year=0.4)).solve()
    >>> plan.savings > 0 and plan.gap < 2e-3
    True
    """

    __slots__ = (
        "agreement",
        "catalog",
        "changes",
        "discount_rate",
        "limits",
        "objective",
        "other_spend",
        "own_plan",
        "owning",
        "policy",
        "purchase_dates",
        "remainder",
        "renewing",
        "rights",
        "rules",
        "scenarios",
        "usage",
    )

    def __init__(
        self,
        catalog: Catalog,
        *,
        usage: UsageCurves | None = None,
        scenarios: Iterable[Scenario] | None = None,
        owning: Portfolio | None = None,
        policy: Policy | None = None,
        rules: Rules | None = None,
        objective: Objective | None = None,
        discount_rate: float = 0.0,
        purchase_dates: Iterable[datetime | date | str] = (),
        remainder: Remainder | str = Remainder.WORTH_ITS_COST,
        own_plan: Mapping[str, Decimal | str | int] | None = None,
        rights: Rights | None = None,
        changes: Iterable[Change] = (),
        limits: Iterable[Limit] = (),
        renewing: bool = False,
        agreement: OfferedAgreement | None = None,
        other_spend: Iterable[OtherSpend] = (),
    ) -> None:
        if (usage is None) == (scenarios is None):
            remedy = "give either usage or scenarios"
            raise InputError(f"field `usage`: there must be one source of usage; {remedy}", field="usage", remedy=remedy)
        self.catalog = catalog
        self.usage = usage
        self.scenarios: tuple[Scenario, ...] = tuple(scenarios or ())
        self.owning = owning if owning is not None else Portfolio()
        self.policy = policy if policy is not None else Policy()
        self.rules = rules if rules is not None else Rules()
        self.objective = objective if objective is not None else Objective()
        self.discount_rate = float(discount_rate)
        self.purchase_dates = tuple(aware(at, "purchase_dates") for at in purchase_dates)
        self.remainder: Remainder = member(Remainder, remainder, "remainder")
        self.own_plan = None if own_plan is None else {offer: Decimal(quantity) for offer, quantity in own_plan.items()}
        self.rights = rights
        self.changes: tuple[Change, ...] = tuple(changes)
        self.limits: tuple[Limit, ...] = tuple(limits)
        self.renewing = bool(renewing)
        self.agreement = agreement
        self.other_spend: tuple[OtherSpend, ...] = tuple(other_spend)
        if self.other_spend and agreement is None:
            remedy = "give agreement too, or leave other_spend out"
            raise InputError(f"field `other_spend`: it counts towards an agreement, and there is none; {remedy}", field="other_spend", remedy=remedy)

    def replace(self, **changes: Any) -> Planner:
        """The same planner with some inputs changed, named as in the constructor."""
        given: dict[str, Any] = {name: getattr(self, name) for name in Planner.__slots__}
        given["scenarios"] = self.scenarios or None
        if changes.get("scenarios") is not None:
            given["usage"] = None
        if changes.get("usage") is not None:
            given["scenarios"] = None
        return Planner(**{**given, **changes})

    def build(self) -> Problem:
        """The problem, to look at or to solve. Raises :class:`UnknownSkuError`, and :class:`InputError` for inputs that do not fit together."""
        return Problem(self)

    def solve(
        self,
        *,
        relative_gap: float = 5e-4,
        time_limit: float = 600.0,
        threads: int | None = None,
        progress: bool | ProgressFunction = False,
    ) -> Plan:
        """Builds the problem and solves it; see :meth:`Problem.solve`."""
        return self.build().solve(relative_gap=relative_gap, time_limit=time_limit, threads=threads, progress=progress)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Planner):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in Planner.__slots__)

    def __hash__(self) -> int:
        return hash((self.catalog, self.policy, self.discount_rate))

    def __repr__(self) -> str:
        usage = repr(self.usage) if self.usage is not None else f"{len(self.scenarios)} scenarios"
        return f"Planner({self.catalog!r}, {usage}, {self.owning!r}, {self.policy!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        given: dict[str, Any] = {name: getattr(self, name) for name in Planner.__slots__}
        given["scenarios"] = self.scenarios or None
        return _planner, (given,)


def _planner(given: dict[str, Any]) -> Planner:
    return Planner(**given)


class Problem(Immutable):
    """A planning problem: all that decides the answer. Made by :meth:`Planner.build`."""

    __slots__ = ("_native", "planner")

    def __init__(self, planner: Planner) -> None:
        self.planner = planner
        scenarios = [(one.name, one.probability, one.usage._native) for one in planner.scenarios]
        if planner.usage is not None:
            scenarios = [("usage", 1.0, planner.usage._native)]
        settings = {
            "policy": planner.policy,
            "rules": planner.rules,
            "objective": planner.objective,
            "discount_rate": planner.discount_rate,
            "purchase_dates": planner.purchase_dates,
            "remainder": planner.remainder,
            "own_plan": planner.own_plan,
            "rights": planner.rights,
            "changes": planner.changes,
            "limits": planner.limits,
            "renewing": planner.renewing,
            "agreement": planner.agreement,
            "other_spend": planner.other_spend,
        }
        self._native = _native.Problem(planner.catalog._native, scenarios, planner.owning._native, json.dumps(plain(settings)))

    @property
    def usage(self) -> UsageCurves:
        """The usage; of several scenarios the first."""
        return self.planner.usage if self.planner.usage is not None else self.planner.scenarios[0].usage

    def with_policy(self, policy: Policy) -> Problem:
        """The same problem under another policy."""
        return Problem(self.planner.replace(policy=policy))

    def with_objective(self, objective: Objective) -> Problem:
        """The same problem with another objective."""
        return Problem(self.planner.replace(objective=objective))

    def candidates(self) -> Table:
        """What may be bought."""
        rows: list[dict[str, Any]] = json.loads(self._native.candidates())
        currency = self.planner.catalog.currency
        return Table.of(
            "What may be bought",
            offer=("text", [row["offer"] for row in rows]),
            start=("date", [row["start"][:10] for row in rows]),
            months=("integer", [row["months"] for row in rows]),
            step=("money", [row["step"] for row in rows]),
            max_steps=("integer", [row["max_steps"] for row in rows]),
            hourly_cost=("float", [row["hourly_cost"] for row in rows], f"{currency}/hour a step"),
            upfront=("float", [row["upfront"] for row in rows], f"{currency} a step"),
        )

    @property
    def set_aside(self) -> list[tuple[str, str]]:
        """Offers that are not candidates because the judge would refuse them, and why."""
        return self._native.set_aside()

    def evaluate(self, quantities: Mapping[str, Decimal | str | int]) -> Evaluation:
        """What quantities by offer would cost by the judge, and which rules they break.

        Raises :class:`InputError` for an offer that is not a candidate, or a quantity that is not a whole number of its steps.
        """
        exact = {offer: Decimal(quantity) for offer, quantity in quantities.items()}
        return Evaluation.from_dict(json.loads(self._native.evaluate(exact)))

    def solve(
        self,
        *,
        relative_gap: float = 5e-4,
        time_limit: float = 600.0,
        threads: int | None = None,
        progress: bool | ProgressFunction = False,
    ) -> Plan:
        """Solves the problem and gathers the evidence.

        The search ends when the billed cost is within ``relative_gap`` of the proven bound, after ``time_limit`` seconds, or by Ctrl-C; the last
        two give the best plan so far, with :attr:`Status.STOPPED_AT_LIMIT` (Ctrl-C also warns with :class:`InterruptedWarning`; it takes effect at
        the next round of the search, and a second one raises ``KeyboardInterrupt`` at once). Python's lock is released. ``threads`` is the number
        of threads, all cores if not given. ``progress=True`` shows a tqdm bar if tqdm is there; a function is called with :class:`Progress`.

        Raises :class:`InfeasibleError` if no plan keeps all rules, naming those that clash; :class:`SolverError`.
        """
        what = "this is the best plan so far"
        native = searched(self._native.solve, what, relative_gap, time_limit, threads, progress)
        return Plan(native, self)

    def clash(self) -> Clash | None:
        """The smallest set of rules of the policy that cannot be kept together, and how far each would have to give; ``None`` if there is a plan.

        :meth:`solve` says the same in the words of :class:`InfeasibleError`.
        """
        text = self._native.clash()
        return None if text is None else Clash.from_dict(json.loads(text))

    def search(
        self,
        *,
        relative_gap: float = 5e-4,
        time_limit: float = 600.0,
        threads: int | None = None,
        progress: bool | ProgressFunction = False,
    ) -> dict[str, Any]:
        """Solves for the numbers alone (objective, lower bound, gap, steps): no exact bills and no baselines, for problems of any size."""
        what = "these are the best numbers so far"
        text = searched(self._native.search, what, relative_gap, time_limit, threads, progress)
        numbers: dict[str, Any] = json.loads(text)
        numbers.pop("baselines")
        return numbers | {"status": Status(numbers["status"])}

    def changes(self) -> tuple[Change, ...]:
        """What may be done with what is held: the planner's own changes, and those of its rights."""
        return tuple(Change.from_dict(change) for change in json.loads(_native.changes(self._native)))

    def flexibility(
        self,
        *,
        relative_gap: float = 5e-4,
        time_limit: float = 600.0,
        threads: int | None = None,
        progress: bool | ProgressFunction = False,
    ) -> Flexibility:
        """What the rights of what is held cost and what they are worth, scenario by scenario."""

        def search(effort: str, threads: int | None, report: Any) -> tuple[str, bool]:
            return _native.flexibility(self._native, effort, threads, report)

        text = searched(search, "the worth may be less exact than asked for", relative_gap, time_limit, threads, progress)
        return Flexibility.from_dict(json.loads(text))

    def choose_agreement(
        self,
        offers: Iterable[OfferedAgreement],
        *,
        other: Iterable[OtherSpend] = (),
        relative_gap: float = 5e-4,
        time_limit: float = 600.0,
        threads: int | None = None,
        progress: bool | ProgressFunction = False,
    ) -> Choice:
        """Decides agreement and commitments together: the best purchases under every offer, and the cheapest offer.

        Give :meth:`OfferedAgreement.none` among the offers if nothing need be signed. ``other`` is spend beside the usage, which counts and costs
        too. ``time_limit`` is that of one search. With purchase dates every period lies within the hours of the usage and starts and ends with a
        calendar month; in a steady state every period has the usage's rate of spend. Raises :class:`InputError`, :class:`InfeasibleError`.
        """
        given = self._offered(offers, other)

        def search(effort: str, threads: int | None, report: Any) -> tuple[_native.Choice, bool]:
            return _native.choose_agreement(self._native, given.to_json(), effort, threads, report)

        what = "these are the best purchases so far"
        return Choice(searched(search, what, relative_gap, time_limit, threads, progress), self, given)

    def agreement_first(
        self,
        offers: Iterable[OfferedAgreement],
        *,
        other: Iterable[OtherSpend] = (),
        relative_gap: float = 5e-4,
        time_limit: float = 600.0,
        threads: int | None = None,
        progress: bool | ProgressFunction = False,
    ) -> AgreementFirst:
        """What deciding in turn comes to, agreement first and commitments second, to compare with :meth:`choose_agreement`."""
        given = self._offered(offers, other).to_json()

        def search(effort: str, threads: int | None, report: Any) -> tuple[str, bool]:
            return _native.agreement_first(self._native, given, effort, threads, report)

        text = searched(search, "these are the best costs so far", relative_gap, time_limit, threads, progress)
        return AgreementFirst.from_dict(json.loads(text))

    def indifference_discount(
        self,
        offer: OfferedAgreement,
        reference_cost: float,
        *,
        other: Iterable[OtherSpend] = (),
        largest: float = 0.4,
        tolerance: float = 5e-4,
        relative_gap: float = 5e-4,
        time_limit: float = 600.0,
        threads: int | None = None,
        progress: bool | ProgressFunction = False,
    ) -> IndifferenceDiscount:
        """At which discount on all services, from 0 to ``largest``, an offer costs as much as a reference (the best of the other offers, say), with
        purchases decided anew at every discount."""
        given = self._offered([offer], other).to_json()

        def search(effort: str, threads: int | None, report: Any) -> tuple[str, bool]:
            return _native.indifference_discounts(self._native, given, reference_cost, (largest, tolerance), effort, threads, report)

        text = searched(search, "the discount may be less exact than asked for", relative_gap, time_limit, threads, progress)
        (found,) = json.loads(text)
        return IndifferenceDiscount.from_dict(found)

    def _offered(self, offers: Iterable[OfferedAgreement], other: Iterable[OtherSpend]) -> Agreements:
        self._has_list_prices("agreements are compared")
        return Agreements(offers, other_spend=other)

    def _has_list_prices(self, what: str) -> None:
        signed = self.planner.agreement
        if signed is not None:
            remedy = "leave agreement out of the planner"
            words = f"field `agreement`, {signed.name}: {what} from list prices; {remedy}"
            raise InputError(words, field="agreement", item=signed.name, remedy=remedy)

    def solve_with_spot(
        self,
        options: Iterable[SpotOption],
        *,
        relative_gap: float = 5e-4,
        time_limit: float = 600.0,
        threads: int | None = None,
        progress: bool | ProgressFunction = False,
    ) -> SpotPlan:
        """Decides purchases and spot together: never worse than buying first and using spot for what is left.

        Raises :class:`InputError` for an option of a line that is not in the usage or not on demand, a second one of a line, a share or price out of
        range.
        """
        self._has_list_prices("spot is decided on")
        given = exact_text(json.dumps([plain(option.to_dict()) for option in options]))

        def search(effort: str, threads: int | None, report: Any) -> tuple[_native.SpotPlan, bool]:
            return _native.solve_with_spot(self._native, given, effort, threads, report)

        return SpotPlan(searched(search, "this is the best plan so far", relative_gap, time_limit, threads, progress), self)

    def cost_by_coverage(self, levels: Iterable[float], *, relative_gap: float = 1e-3, threads: int | None = None) -> Table:
        """The relaxed optimum at which just this share of usage is covered: the curve that people draw by hand."""
        points = self._native.cost_by_coverage(list(levels), effort(relative_gap, 600.0), threads)
        return self._curve("Cost by coverage", "coverage", points)

    def cost_by_limit(self, factors: Iterable[float], *, relative_gap: float = 1e-3, threads: int | None = None) -> dict[str, Table]:
        """The relaxed optimum under each limit of the policy, with the limit multiplied by each factor; by the limit's name."""
        curves = self._native.cost_by_limit(list(factors), effort(relative_gap, 600.0), threads)
        return {field: self._curve(f"Cost by {field}", field, points) for field, points in curves}

    def frontier(self, rule: str, values: Iterable[Any], *, relative_gap: float = 1e-3, threads: int | None = None) -> Table:
        """Billed cost and bound under each value of one rule of the policy, such as ``max_remaining_obligation`` or ``max_share_three_year``: what
        flexibility costs. A value under which the rules clash has no cost."""
        points: list[tuple[float, float | None, float | None]] = []
        for value in values:
            try:
                numbers = self.with_policy(self.planner.policy.replace(**{rule: value})).search(relative_gap=relative_gap, threads=threads)
                points.append((float(value), numbers["objective"], numbers["lower_bound"]))
            except InfeasibleError:
                points.append((float(value), None, None))
        return self._curve(f"Cost by {rule}", rule, points)

    def _curve(self, title: str, name: str, points: Sequence[tuple[float, float | None, float | None]]) -> Table:
        currency = self.planner.catalog.currency
        return Table.of(
            title,
            **{
                name: ("float", [point[0] for point in points]),
                "cost": ("float", [point[1] for point in points], currency),
                "lower_bound": ("float", [point[2] for point in points], currency),
            },
        )

    def to_json(self) -> str:
        """The whole problem as JSON: lines, slots, candidates, rules, and the demand of every hour. Its size is that of the usage."""
        return self._native.to_json()

    def to_dict(self) -> dict[str, Any]:
        """The whole problem as a document."""
        return json.loads(self.to_json())

    def extensive_optimum(self, *, is_whole: bool = False, threads: int | None = None) -> float:
        """The optimum of the extensive form, every hour and line in one program, solved by HiGHS: a check of bound and cost that shares nothing with
        the search but the data. No plan costs less, and with ``is_whole`` (whole reservations) no bound may be above it. Small problems only."""
        return self._native.extensive_optimum(is_whole, threads)

    def write_mps(self, path: str | os.PathLike[str], *, is_whole: bool = True) -> None:
        """Writes the extensive form in MPS format for another solver. Small problems only: it has a row for every hour and line."""
        self._native.write_mps(os.fspath(path), is_whole)

    def plot_cost_by_coverage(self, levels: Iterable[float] = tuple(index / 10 for index in range(10)), ax: Axes | None = None) -> Axes:
        """Cost against coverage. See :func:`covermix.plots.plot_curve`."""
        from . import plots

        return plots.plot_curve(self.cost_by_coverage(levels), ax=ax)

    def __eq__(self, other: object) -> bool:
        return self.planner == other.planner if isinstance(other, Problem) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.planner)

    def __repr__(self) -> str:
        return f"Problem({len(self.candidates())} candidates, {self.usage!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Problem, (self.planner,)
