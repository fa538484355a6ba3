"""What to buy: planner, problem and plan."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import _native
from ._agreement import AgreementFirst, Choice, IndifferenceDiscount, OfferedAgreement, OtherSpend, offers_text, other_text
from ._billing import Bill, Judge
from ._catalog import Catalog, Portfolio
from ._document import Immutable, exact_text, plain
from ._errors import InfeasibleError, InputError
from ._held import Change, Finding, Flexibility, PlannedAction, Rights, Tranche
from ._orders import Orders
from ._policy import Objective, Policy, Rules
from ._records import Certificate, Evaluation, Purchase, Reason, Remainder, Status, aware, member
from ._report import Audience, Report
from ._search import ProgressFunction, effort, searched
from ._spot import SpotOption, SpotPlan
from ._table import Table
from ._usage import UsageCurves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .scenario import Scenario

__all__ = ["Plan", "Planner", "Problem"]


class Planner(Immutable):
    """Gathers the inputs; builds the problem, or solves it at once. Immutable: :meth:`replace` gives another.

    Give ``usage`` alone, or ``scenarios`` with probabilities that add up to 1. Without ``purchase_dates`` the usage is a steady state: what is
    bought runs through all of it. With dates each purchase serves from its date to the end of its term. ``discount_rate`` is effective a year
    (0.08 is 8 %). ``own_plan`` is what you would buy yourself, by offer, to be compared with. ``rights`` lets the plan act on what is held by the
    providers' rules: exchange, sell, return. ``renewing=True`` lets it buy again, with purchase dates, what ends within the hours planned.

    >>> import covermix
    >>> usage = covermix.example_usage().filter(account="shop", sku="r5.*")
    >>> plan = covermix.Planner(covermix.example_catalog(), usage=usage, policy=Policy(max_share_three_year=0.4)).solve()
    >>> plan.savings > 0 and plan.gap < 2e-3
    True
    """

    __slots__ = (
        "catalog",
        "discount_rate",
        "objective",
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
        renewing: bool = False,
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
        self.renewing = bool(renewing)

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
            "renewing": planner.renewing,
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
        """What may be done with what is held, by the planner's rights."""
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
        beside, given = other_text(other), offers_text(offers)

        def search(effort: str, threads: int | None, report: Any) -> tuple[_native.Choice, bool]:
            return _native.choose_agreement(self._native, given, beside, effort, threads, report)

        what = "these are the best purchases so far"
        return Choice(searched(search, what, relative_gap, time_limit, threads, progress), self, beside)

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
        beside, given = other_text(other), offers_text(offers)

        def search(effort: str, threads: int | None, report: Any) -> tuple[str, bool]:
            return _native.agreement_first(self._native, given, beside, effort, threads, report)

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
        beside, given = other_text(other), offer.to_json()

        def search(effort: str, threads: int | None, report: Any) -> tuple[str, bool]:
            return _native.indifference_discount(
                self._native, given, reference_cost, beside, (largest, tolerance), effort, threads, report
            )

        text = searched(search, "the discount may be less exact than asked for", relative_gap, time_limit, threads, progress)
        return IndifferenceDiscount.from_dict(json.loads(text))

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
        given = json.dumps([plain(option.to_dict()) for option in options])

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


class Plan(Immutable):
    """What to buy, what it does to the bill, and how good it provably is. Bills are of the first scenario; costs, bound and gap of all.

    ``str(plan)`` is the recommendation as text.
    """

    __slots__ = ("_figures", "_native", "problem")

    def __init__(self, native: _native.Plan, problem: Problem) -> None:
        self._native = native
        self.problem = problem
        self._figures: dict[str, Any] = json.loads(native.figures())

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
        """What the plan costs by the judge in the terms of the objective."""
        return self._figures["objective"]

    @property
    def lower_bound(self) -> float:
        """A proven lower bound on the objective of any plan under the same policy."""
        return self._figures["lower_bound"]

    @property
    def gap(self) -> float:
        """``(objective - lower bound) / objective``: no plan under the policy could cost less by a larger share."""
        return self._figures["gap"]

    @property
    def certificate(self) -> Certificate:
        """The bound, the cost, and the parts of the gap."""
        return Certificate(**self._figures["certificate"])

    @property
    def evaluation(self) -> Evaluation:
        """Costs and coverage by scenario."""
        return Evaluation.from_dict(self._figures["evaluation"])

    @property
    def billed_cost(self) -> Decimal:
        """What the usage costs with the purchases, by the judge, over all its hours."""
        return Decimal(self._figures["billed_cost"])

    @property
    def savings(self) -> Decimal:
        """The bill before less the bill after."""
        return Decimal(self._figures["savings"])

    @property
    def savings_monthly(self) -> Decimal:
        """Savings of a month of 730 hours."""
        return Decimal(self._figures["savings_monthly"])

    @property
    def savings_rate(self) -> float | None:
        """Savings as a share of the bill before; ``None`` if that is 0."""
        return self._figures["savings_rate"]

    @property
    def upfront(self) -> Decimal:
        """Paid at purchase for everything."""
        return Decimal(self._figures["upfront"])

    @property
    def one_off(self) -> Decimal:
        """What the actions cost at once that bills do not show: what was paid for and is given up without being paid back."""
        return Decimal(self._figures["one_off"])

    @property
    def cash_break_even_month(self) -> int | None:
        """The month in which all that was paid is less than it would have been without the purchases; ``None`` if never."""
        return self._figures["cash_break_even_month"]

    @property
    def sweeps(self) -> int:
        """Passes over all hours that the search made."""
        return self._figures["sweeps"]

    @property
    def seconds(self) -> float:
        """The time the search took."""
        return self._figures["seconds"]

    @property
    def purchases(self) -> tuple[Purchase, ...]:
        """What to buy, by the usage it covers, the largest first."""
        return tuple(Purchase.from_dict(purchase) for purchase in json.loads(self._native.purchases()))

    def order_list(self) -> Table:
        """What to buy, as a table: one row a purchase."""
        purchases = self.purchases
        currency = self.currency
        return Table.of(
            "What to buy",
            offer=("text", [purchase.offer.id for purchase in purchases]),
            region=("text", [purchase.offer.region or "all" for purchase in purchases]),
            scope=("text", [purchase.scope.kind for purchase in purchases]),
            term=("text", [purchase.offer.term for purchase in purchases]),
            payment_option=("text", [purchase.offer.payment_option.value for purchase in purchases]),
            quantity=("money", [purchase.quantity for purchase in purchases], "units or money/hour"),
            upfront=("money", [purchase.upfront for purchase in purchases], currency),
            monthly=("money", [purchase.monthly for purchase in purchases], currency),
            covers_monthly=("money", [purchase.covered_monthly for purchase in purchases], currency),
            utilisation=("float", [purchase.utilisation for purchase in purchases]),
            break_even_month=("integer", [purchase.break_even_month for purchase in purchases]),
        )

    @property
    def quantities(self) -> dict[str, Decimal]:
        """Quantities by offer, as :meth:`Problem.evaluate` and ``Planner(own_plan=...)`` take them."""
        total: dict[str, Decimal] = {}
        for purchase in self.purchases:
            total[purchase.offer.id] = total.get(purchase.offer.id, Decimal(0)) + purchase.quantity
        return total

    @property
    def before(self) -> Bill:
        """The bill with what is held and nothing bought."""
        planner = self.problem.planner
        return Bill(self._native.before(), Judge(self.problem.usage, planner.catalog, planner.owning, planner.rules))

    @property
    def after(self) -> Bill:
        """The bill with the purchases."""
        planner = self.problem.planner
        return Bill(self._native.after(), Judge(self.problem.usage, planner.catalog, self.portfolio, planner.rules))

    @property
    def portfolio(self) -> Portfolio:
        """What is held with the purchases."""
        return Portfolio._of(self._native.portfolio())

    @property
    def actions(self) -> tuple[PlannedAction, ...]:
        """What to do with what is held: changes, then what ends within the hours planned and is renewed or not (with purchase dates)."""
        return tuple(PlannedAction.from_dict(action) for action in json.loads(_native.actions(self._native)))

    def triage(self, now: datetime | date | str | None = None) -> tuple[Finding, ...]:
        """Every commitment held, by waste, the largest first, with what the plan does with it and its deadlines from ``now`` (the first hour)."""
        at = self.problem.usage.first_hour if now is None else aware(now, "now")
        return tuple(Finding.from_dict(finding) for finding in json.loads(_native.triage(self._native, at)))

    def calendar(self) -> tuple[Tranche, ...]:
        """What to buy on which date."""
        return tuple(Tranche.from_dict(tranche) for tranche in json.loads(_native.calendar(self._native))["tranches"])

    def ladder(self) -> Table:
        """What expires in which month after the plan, in effective cost an hour: held today, and bought or received by the plan."""
        rows = json.loads(_native.calendar(self._native))["ladder"]
        return Table.of(
            "What expires by month",
            month=("text", [row["month"] for row in rows]),
            held=("money", [row["held"] for row in rows], f"{self.currency}/hour"),
            bought=("money", [row["bought"] for row in rows], f"{self.currency}/hour"),
        )

    def orders(self, account: str = "") -> Orders:
        """The plan as orders, with every field of the provider's purchase calls; ``account`` is the one that buys."""
        return Orders.from_json(_native.plan_orders(self._native, account))

    def report(
        self,
        audience: Audience | str = Audience.ANALYST,
        *,
        cases: Mapping[str, UsageCurves] | None = None,
        discount_rate: float = 0.08,
        purchase_date: date | None = None,
        is_capitalised: bool = False,
        low_usage: float = 0.8,
        high_usage: float = 1.2,
        coverage_levels: Iterable[float] = (0.0, 0.15, 0.3, 0.45, 0.6, 0.7, 0.8),
        price_limits: bool = True,
        time_limit: float = 30.0,
        threads: int | None = None,
    ) -> Report:
        """The plan with its evidence for a reader: HTML, Markdown, CSV and JSON.

        ``cases`` are usages by name to show the plan with, of the hours planned for; without them, and with one scenario, usage times ``low_usage``
        and ``high_usage``. ``discount_rate`` is the cost of capital a year. ``purchase_date`` is when the purchases of a steady state are made, the
        day the usage ends if not given. ``is_capitalised`` makes upfront payments an asset instead of a prepaid expense. ``coverage_levels`` (a
        search each) and ``price_limits`` (two searches a limit) draw the curves of cost; each search may take ``time_limit`` seconds. Ctrl-C raises
        at once.
        """
        settings = {
            "discount_rate": discount_rate,
            "purchase_date": purchase_date,
            "is_capitalised": is_capitalised,
            "low_usage": low_usage,
            "high_usage": high_usage,
            "coverage_levels": list(coverage_levels),
            "price_limits": price_limits,
            "time_limit": time_limit,
        }
        shown = [(name, usage._native) for name, usage in (cases or {}).items()]
        return Report(_native.plan_report(self._native, json.dumps(plain(settings)), shown, threads), audience)

    def baselines(self) -> Table:
        """The simple rules that the plan is compared with, billed by the same judge; the cheapest first."""
        rows: list[dict[str, Any]] = sorted(json.loads(self._native.baselines()), key=lambda row: row["billed_cost"])
        return Table.of(
            "Simple rules, billed by the same judge",
            rule=("text", [row["rule"] for row in rows]),
            billed_cost=("float", [row["billed_cost"] for row in rows], self.currency),
            allowed_by_policy=("boolean", [row["allowed_by_policy"] for row in rows]),
        )

    def reasons(self) -> tuple[Reason, ...]:
        """Why each purchase is as large as it is: break-even, what one step more or less is worth, what stops it."""
        text, sentences = self._native.reasons()
        rows = json.loads(text)
        return tuple(
            Reason(**{**row, "stopped_by": tuple(row["stopped_by"])}, sentence=sentence) for row, sentence in zip(rows, sentences, strict=True)
        )

    def to_json(self) -> str:
        """The report's document (``covermix-report/1``, which Rust writes too) without the curves that take further searches."""
        return self.report(coverage_levels=(), price_limits=False).to_json()

    def to_dict(self) -> dict[str, Any]:
        """The same as a document."""
        return json.loads(self.to_json())

    def plot_waterline(self, start: datetime | None = None, end: datetime | None = None, ax: Axes | None = None) -> Axes:
        """What commitments cover with the plan, over the usage curve."""
        return self.after.plot_waterline(start, end, ax)

    def plot_load_duration(self, ax: Axes | None = None) -> Axes:
        """The hours by their usage, with what the plan covers."""
        return self.after.plot_load_duration(ax)

    def plot_cash_flow(self, ax: Axes | None = None) -> Axes:
        """Payments by month, with the plan and without."""
        from . import plots

        return plots.plot_cash_flow(self, ax=ax)

    def plot_ladder(self, ax: Axes | None = None) -> Axes:
        """What runs when, held and bought."""
        from . import plots

        return plots.plot_ladder(self.portfolio, self.problem.planner.catalog, ax=ax)

    def __str__(self) -> str:
        return self._native.table()

    def __repr__(self) -> str:
        rate = "" if self.savings_rate is None else f" ({self.savings_rate:.1%})"
        saved = f"{self.savings_monthly:,.2f} {self.currency} a month{rate}"
        return f"Plan({len(json.loads(self._native.purchases()))} purchases, saves {saved}, gap {self.gap:.3%}, {self.status.value})"

    def _repr_html_(self) -> str:
        certificate = self.certificate
        proof = (
            f"<p>Saves {self.savings_monthly:,.2f} {self.currency} a month for {self.upfront:,.2f} upfront. Billed {self.objective:,.2f}; no plan "
            f"under this policy costs less than {certificate.lower_bound:,.2f}: gap {self.gap:.4%} ({self.status.value.replace('_', ' ')}).</p>"
        )
        return self.order_list()._repr_html_() + self._action_list()._repr_html_() * bool(self.actions) + proof

    def _action_list(self) -> Table:
        actions = self.actions
        return Table.of(
            "What to do with what is held",
            action=("text", [action.kind.replace("_", " ") for action in actions]),
            at=("date", [action.at.date() for action in actions]),
            before=("text", [action.before for action in actions]),
            after=("text", [action.after for action in actions]),
            paid=("money", [action.paid for action in actions], self.currency),
            value=("float", [action.value for action in actions], f"{self.currency} over the hours planned"),
        )

    def __eq__(self, other: object) -> bool:
        """Whether two plans buy the same for the same problem at the same proven bound; the time they took does not matter."""
        if not isinstance(other, Plan):
            return NotImplemented
        same = self.objective == other.objective and self.lower_bound == other.lower_bound
        return same and self._native.purchases() == other._native.purchases() and self.problem == other.problem

    def __hash__(self) -> int:
        return hash((self.objective, self.lower_bound))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.problem, exact_text(self._native.numbers()))


def _restore(problem: Problem, numbers: str) -> Plan:
    return Plan(_native.restore_plan(problem._native, numbers), problem)
