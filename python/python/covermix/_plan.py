"""The plan: what to buy and what to do with what is held, with the evidence for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import _native
from ._billing import Bill, Judge
from ._catalog import Portfolio
from ._choice import YearOutcome
from ._document import exact_text, plain
from ._held import Finding, PlannedAction, Tranche
from ._orders import Orders
from ._records import Certificate, Evaluation, Purchase, Reason, aware
from ._report import Audience, Report
from ._solution import Solution
from ._table import Table
from ._usage import UsageCurves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ._planning import Problem

__all__ = ["Plan"]


class Plan(Solution):
    """What to buy, what it does to the bill, and how good it provably is. Bills are of the first scenario; costs, bound and gap of all.

    ``str(plan)`` is the recommendation as text.
    """

    __slots__ = ("_native",)

    def __init__(self, native: _native.Plan, problem: Problem) -> None:
        self._native = native
        self.problem = problem
        self._figures = json.loads(native.figures())

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

    @property
    def settled(self) -> tuple[YearOutcome, ...]:
        """The periods of the agreement that it is planned under, as the ledger settles them in every scenario."""
        return tuple(YearOutcome.from_dict(outcome) for outcome in json.loads(self._native.settled()))

    def ledger(self, scenario: int = 0) -> dict[str, Any] | None:
        """The dated ledger of the agreement that it is planned under, by period and month; ``None`` without terms. With purchase dates only: a
        steady state has no months (:class:`InputError`)."""
        text = self._native.ledger(scenario)
        return None if text is None else json.loads(text)

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

    def _decided(self) -> Any:
        return self._native.purchases()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.problem, exact_text(self._native.numbers()))


def _restore(problem: Problem, numbers: str) -> Plan:
    return Plan(_native.restore_plan(problem._native, numbers), problem)
