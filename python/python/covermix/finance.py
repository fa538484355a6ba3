"""Money and time: present values, internal rates, payback, payment options, amortisation, accounts, agreements, total cost, variance.

Paid is negative, received or saved is positive. Rates are fractions (0.08 is 8 %). Conventions and formulas: ``docs/finance.md``. The functions that
everybody knows have the names everybody knows: :func:`npv`, :func:`xnpv`, :func:`irr`, :func:`xirr`, :func:`mirr`, :func:`pmt`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import numpy as np

from . import _native
from ._document import money_text, plain
from ._errors import FinanceError
from ._ingest import Array
from ._records import aware
from ._table import Table

__all__ = [
    "InternalRate",
    "accounts",
    "amortise",
    "break_even_months",
    "break_even_utilisation",
    "bridge",
    "eligible_spend",
    "fv",
    "implied_prepayment_rate",
    "indifference_spend",
    "irr",
    "ledger",
    "mirr",
    "npv",
    "payback",
    "plan_cash",
    "pmt",
    "pv",
    "rank_payment_options",
    "tier_cost",
    "tornado",
    "total_cost",
    "variance",
    "xirr",
    "xnpv",
]

Amounts = Sequence[float] | Sequence[Decimal] | Array
Dates = Sequence[date] | Sequence[str] | Array
Timing = Literal["end", "begin"]
DayCount = Literal["act/365f", "act/360", "30/360", "30e/360", "act/act-isda"]


@dataclass(frozen=True)
class InternalRate:
    """Every rate above -100 % at which the present value is zero.

    ``float(rate)`` is the only one; where there is none or several it raises :class:`FinanceError`: rank by net present value then.
    """

    rates: tuple[float, ...]
    """All rates, ascending."""
    reason: str | None
    """Why there is none."""

    @property
    def unique(self) -> float | None:
        """The rate if it is the only one."""
        return self.rates[0] if len(self.rates) == 1 else None

    def __float__(self) -> float:
        if self.unique is None:
            found = f"there are {len(self.rates)}: {self.rates}" if self.rates else f"there is none ({self.reason})"
            raise FinanceError(f"internal rate: {found}; rank by net present value instead", field="rate", remedy="rank by net present value instead")
        return self.unique


def _array(amounts: Amounts) -> Array:
    return np.ascontiguousarray(np.asarray(amounts), dtype=np.float64)


def _dates(dates: Dates) -> list[date]:
    """Dates of texts, dates, datetimes, or arrays of ``datetime64``."""
    if isinstance(dates, np.ndarray) and dates.dtype.kind == "M":
        return dates.astype("datetime64[D]").astype(object).tolist()
    if hasattr(dates, "to_numpy"):
        return _dates(dates.to_numpy())  # type: ignore[union-attr]
    found: list[date] = []
    for value in dates:
        day = date.fromisoformat(value) if isinstance(value, str) else value
        found.append(day.date() if isinstance(day, datetime) else day)
    return found


def _call(name: str, **arguments: Any) -> Any:
    return json.loads(_native.finance(name, json.dumps(plain(arguments))))


def npv(rate: float, amounts: Amounts, *, first: Literal["now", "after_one_period"] = "now") -> float:
    """Present value of equally spaced flows; ``rate`` is per period.

    The first flow is not discounted, as in numpy-financial and pyxirr; ``first="after_one_period"`` is the NPV of spreadsheets.

    >>> round(npv(0.08, [-40_000, 5_000, 8_000, 12_000, 30_000]), 6)
    3065.222668
    """
    if first not in ("now", "after_one_period"):
        raise FinanceError(f"first: `{first}` is not now or after_one_period; write one of them", field="first")
    return _native.npv(rate, _array(amounts), first == "now")


def xnpv(rate: float, dates: Dates, amounts: Amounts, *, day_count: DayCount = "act/365f") -> float:
    """Present value of dated flows on the earliest date; ``rate`` is effective a year."""
    return _native.xnpv(rate, _dates(dates), _array(amounts), day_count)


def irr(amounts: Amounts) -> InternalRate:
    """Internal rates of equally spaced flows, per period: all of them, never a guess.

    >>> round(float(irr([-100, 39, 59, 55, 20])), 6)
    0.280948
    >>> irr([100, 20]).reason
    'NoSignChange'
    """
    rates, reason = _native.irr(_array(amounts))
    return InternalRate(tuple(rates), reason)


def xirr(dates: Dates, amounts: Amounts, *, day_count: DayCount = "act/365f") -> InternalRate:
    """Internal rates of dated flows, effective a year.

    >>> flows = [-10_000, 2_750, 4_250, 3_250, 2_750]
    >>> round(float(xirr(["2008-01-01", "2008-03-01", "2008-10-30", "2009-02-15", "2009-04-01"], flows)), 6)
    0.373363
    """
    rates, reason = _native.xirr(_dates(dates), _array(amounts), day_count)
    return InternalRate(tuple(rates), reason)


def mirr(amounts: Amounts, finance_rate: float, reinvest_rate: float) -> float:
    """Modified internal rate: payments financed at one rate, receipts reinvested at another."""
    return _call("mirr", amounts=_array(amounts).tolist(), finance_rate=finance_rate, reinvest_rate=reinvest_rate)


def payback(amounts: Amounts, *, rate: float = 0.0) -> float | None:
    """Periods until the running total is no longer negative, for good; 0 if nothing is ever owed, ``None`` if never. Discounted at ``rate``.

    >>> payback([-100, 40, 40, 40])
    2.5
    """
    answer = _call("payback", amounts=_array(amounts).tolist(), rate=rate)
    if isinstance(answer, str):
        return 0.0 if answer == "Immediate" else None
    return answer["After"]["periods"]


def pmt(rate: float, nper: float, pv: float, fv: float = 0.0, *, when: Timing = "end") -> float:
    """The payment of each period of a loan."""
    return _call("payment", rate=rate, periods=nper, present_value=pv, future_value=fv, timing=when)


def fv(rate: float, nper: float, pmt: float, pv: float, *, when: Timing = "end") -> float:
    """The future value of payments."""
    return _call("future_value", rate=rate, periods=nper, payment=pmt, present_value=pv, timing=when)


def pv(rate: float, nper: float, pmt: float, fv: float = 0.0, *, when: Timing = "end") -> float:
    """The present value of payments."""
    return _call("present_value", rate=rate, periods=nper, payment=pmt, future_value=fv, timing=when)


def break_even_utilisation(discount: float, *, upfront_share: float = 0.0, wacc: float = 0.0, months: int = 12, timing: Timing = "end") -> float:
    """The share of a commitment that must be used for its net present value to be zero; ``wacc`` is effective a year.

    >>> round(break_even_utilisation(0.53, upfront_share=1, wacc=0.08, months=36), 3)
    0.528
    """
    rate = {"Effective": wacc}
    return _call("break_even_utilisation", discount=discount, upfront_share=upfront_share, wacc=rate, months=months, timing=timing)


def break_even_months(discount: float, *, upfront_share: float = 1.0, months: float = 12) -> float:
    """Months of full use until an upfront commitment has saved what was paid at the start.

    >>> round(break_even_months(0.53, months=36), 2)
    16.92
    """
    return _call("break_even_months", discount=discount, upfront_share=upfront_share, months=months)


def rank_payment_options(
    options: Mapping[str, tuple[float, float]],
    *,
    on_demand_monthly: float,
    months: int,
    wacc: float,
    utilisation: float = 1.0,
    timing: Timing = "end",
) -> Table:
    """Payment options, given as name -> (discount, share paid upfront), from most to least net present value at a cost of capital.

    >>> options = {"all upfront": (0.53, 1.0), "no upfront": (0.48, 0.0)}
    >>> rank_payment_options(options, on_demand_monthly=1000, months=36, wacc=0.05)["option"].tolist()
    ['all upfront', 'no upfront']
    """
    case = {"on_demand_monthly": on_demand_monthly, "months": months, "utilisation": utilisation, "timing": timing}
    given = [{"name": name, "discount": discount, "upfront_share": share} for name, (discount, share) in options.items()]
    rows = _call("rank_payment_options", options=given, case=case, wacc={"Effective": wacc})
    periods = [_periods(row["payback"]) for row in rows]
    return Table.of(
        "Payment options",
        option=("text", [row["option"]["name"] for row in rows]),
        npv=("float", [row["npv"] for row in rows]),
        present_cost=("float", [row["present_cost"] for row in rows]),
        internal_rate=("float", [row["internal_rate"].get("Unique") for row in rows], "a year"),
        payback=("float", periods, "months"),
        discounted_payback=("float", [_periods(row["discounted_payback"]) for row in rows], "months"),
    )


def _periods(payback: Any) -> float | None:
    return (0.0 if payback == "Immediate" else None) if isinstance(payback, str) else payback["After"]["periods"]


def implied_prepayment_rate(
    more_upfront: tuple[float, float], less_upfront: tuple[float, float], *, months: int, timing: Timing = "end"
) -> InternalRate:
    """The effective yearly rate at which two payment options, each (discount, share paid upfront), cost the same: prepay if capital costs less.

    >>> round(float(implied_prepayment_rate((0.53, 1.0), (0.48, 0.0), months=36)), 4)
    0.0689
    """
    options = [{"name": str(index), "discount": one[0], "upfront_share": one[1]} for index, one in enumerate((more_upfront, less_upfront))]
    answer = _call("implied_prepayment_rate", more_upfront=options[0], less_upfront=options[1], months=months, timing=timing)
    if "None" in answer:
        return InternalRate((), answer["None"])
    rates = answer.get("Multiple", [answer.get("Unique")])
    return InternalRate(tuple(rates), None)


def tornado(
    swings: Mapping[str, tuple[float, float]],
    *,
    on_demand_monthly: float,
    months: int,
    discount: float,
    upfront_share: float = 0.0,
    timing: Timing = "end",
    utilisation: float = 1.0,
    wacc: float = 0.08,
    price_cut: float = 0.0,
) -> Table:
    """How net present value moves with one assumption at a time (``wacc``, ``utilisation``, ``price_cut``, ``discount``), the widest first."""
    names = {"wacc": "Wacc", "utilisation": "Utilisation", "price_cut": "PriceCut", "discount": "Discount"}
    unknown = [name for name in swings if name not in names]
    if unknown:
        raise FinanceError(f"swings: `{unknown[0]}` cannot be moved; there are {', '.join(names)}", field="swings")
    assumptions = {
        "on_demand_monthly": on_demand_monthly,
        "months": months,
        "discount": discount,
        "upfront_share": upfront_share,
        "timing": timing,
        "utilisation": utilisation,
        "wacc": wacc,
        "price_cut": price_cut,
    }
    moved = [[names[name], float(low), float(high)] for name, (low, high) in swings.items()]
    rows = _call("tornado", assumptions=assumptions, swings=moved)
    words = {value: name for name, value in names.items()}
    return Table.of(
        "Net present value, one assumption moved at a time",
        assumption=("text", [words[row["assumption"]] for row in rows]),
        **{name: ("float", [row[name] for row in rows]) for name in ("low", "high", "npv_at_low", "npv_at_high")},
    )


def amortise(
    fee: Decimal | str | int,
    start: datetime,
    *,
    end: datetime | None = None,
    days: int | None = None,
    months: int | None = None,
    spread: Literal["by_second", "by_hour", "by_month"] = "by_second",
    decimals: int | None = 2,
) -> Table:
    """A fee spread over its term, by calendar month: opening, paid, amortised and closing prepaid. The rows sum to the fee.

    >>> from datetime import UTC
    >>> table = amortise("8760", datetime(2025, 1, 1, tzinfo=UTC), days=365)
    >>> table["amortised"][:2].tolist(), sum(table["amortised"])
    ([Decimal('744'), Decimal('672')], Decimal('8760'))
    """
    names = {"by_second": "BySecond", "by_hour": "ByHour", "by_month": "ByMonth"}
    given = {"start": aware(start, "start"), "end": None if end is None else aware(end, "end"), "days": days, "months": months}
    rows = _call("amortise", fee=money_text(fee), spread=names[spread], decimals=decimals, **given)
    return Table.of(
        "Roll-forward of a prepaid fee",
        month=("date", [row["month"] for row in rows]),
        **{name: ("money", [row[name] for row in rows]) for name in ("opening", "paid", "amortised", "closing")},
    )


def plan_cash(commitments: Iterable[Mapping[str, Any]]) -> Table:
    """The incremental cash of commitments against their alternative, by date and reason. Commitments are documents of the finance room."""
    answer = _call("plan_cash", commitments=list(commitments))
    rows = answer["lines"]
    return Table.of(
        f"Incremental cash against {answer['alternative']}",
        date=("date", [row["date"] for row in rows]),
        kind=("text", [row["kind"] for row in rows]),
        amount=("money", [row["amount"] for row in rows]),
    )


def accounts(
    holdings: Iterable[Mapping[str, Any]],
    *,
    treatment: Literal["service_contract", "capitalised"] = "service_contract",
    spread: Literal["by_second", "by_hour", "by_month"] = "by_second",
    decimals: int = 2,
) -> Table:
    """The books of a plan by month: cash, amortisation, prepaid, EBITDA and operating cash flow. A holding is ``{"commitment": ..., "utilisation":
    {first of month: share}}``; a month that is missing counts as fully used."""
    words = {"by_second": "BySecond", "by_hour": "ByHour", "by_month": "ByMonth", "service_contract": "ServiceContract", "capitalised": "Capitalised"}
    policy = {"treatment": words[treatment], "spread": words[spread], "decimals": decimals}
    months = _call("accounts", holdings=list(holdings), policy=policy)["accounts"]["months"]
    names = ("cash_paid", "upfront_paid", "amortised", "unused_expense", "prepaid", "avoided", "ebitda_effect", "operating_cash_flow_effect")
    return Table.of(
        "Accounts by month",
        month=("date", list(months)),
        **{name: ("money", [row[name] for row in months.values()]) for name in names},
    )


def ledger(
    minimums: Sequence[float | Decimal],
    spend: Sequence[float | Decimal],
    *,
    shortfall: Any = "pay",
    carry_over: bool | Mapping[str, Any] = False,
    total: float | Decimal | None = None,
) -> Table:
    """An agreement year by year: what is required, counted, paid for a shortfall, deferred, kept as credit, carried over.

    ``shortfall`` is ``"pay"``, ``{"credit": {"counting": "counts" | "does_not_count", "lifetime": years or None}}``,
    ``{"deferral": {"share": "0.1", "not_in_last": 1}}`` or ``{"relief": {"amount": "5"}}``; ``carry_over`` is ``True`` for all of an excess until it is
    used, or ``{"cap_share": "0.25", "lifetime": "next_period" | "until_used"}``; ``total`` is an amount for the whole term.

    >>> ledger([10, 12], [9, 13])["paid"].tolist()
    [Decimal('1'), Decimal('0')]
    """
    excess = {"cap_share": None, "lifetime": "until_used"} | (dict(carry_over) if isinstance(carry_over, Mapping) else {})
    rules = {"shortfall": shortfall, "carry_over": {"excess": excess} if carry_over else "none", "total": money_text(total)}
    rows = _call("ledger", minimums=[money_text(amount) for amount in minimums], spend=[money_text(amount) for amount in spend], rules=rules)
    names = (
        ("required", "counted", "carried_in", "paid", "paid_for_total", "deferred")
        + ("credit_used", "credit", "forfeited", "carried_over", "surplus")
    )  # fmt: skip
    return Table.of(
        "Agreement by year",
        year=("integer", list(range(1, len(rows) + 1))),
        **{name: ("money", [row[name] for row in rows]) for name in names},
    )


def eligible_spend(
    service_fees: float | Decimal,
    marketplace: float | Decimal,
    *,
    minimum: float | Decimal | None = None,
    marketplace_weight: float | Decimal = 1,
    marketplace_cap_share: float | Decimal | None = None,
) -> dict[str, Decimal]:
    """What of a year's spend counts towards an agreement: counted marketplace, eligible, shortfall below the minimum.

    >>> eligible_spend(8, 1, marketplace_weight=0.5)["eligible"]
    Decimal('8.5')
    """
    rule = {"marketplace_weight": money_text(marketplace_weight), "marketplace_cap_share": money_text(marketplace_cap_share)}
    amounts = {"service_fees": money_text(service_fees), "marketplace": money_text(marketplace), "minimum": money_text(minimum)}
    return {name: Decimal(amount) for name, amount in _call("eligible_spend", **amounts, rule=rule).items()}


def tier_cost(
    gross: float | Decimal, *, commit: float | Decimal, discount: float | Decimal, basis: Literal["net", "gross"] = "net"
) -> float:
    """A year's cost under a tier of an agreement: the discounted spend, or the commitment if that is more.

    >>> tier_cost(13, commit=10, discount=0.09), tier_cost(13, commit=15, discount=0.12)
    (11.83, 15.0)
    """
    return float(_call("tier_cost", gross=money_text(gross), tier=_tier(commit, discount), basis=basis))


def indifference_spend(
    shallow: tuple[float | Decimal, float | Decimal], deep: tuple[float | Decimal, float | Decimal]
) -> float:
    """The gross spend above which the deeper of two tiers, each (commitment, discount), costs less.

    >>> round(indifference_spend((10, 0.09), (15, 0.12)), 2)
    16.48
    """
    return float(_call("indifference_spend", shallow=_tier(*shallow), deep=_tier(*deep)))


def _tier(commit: float | Decimal, discount: float | Decimal) -> dict[str, Any]:
    return {"commit": money_text(commit), "discount": money_text(discount)}


def total_cost(providers: Iterable[Mapping[str, Any]], *, years: int, wacc: float, currency: str = "USD", tax_rate: float = 0.0) -> list[dict[str, Any]]:
    """The years of each provider's offer, the cheapest present value first; providers are documents of the finance room."""
    assumptions = {"years": years, "currency": currency, "tax_rate": repr(float(tax_rate)), "wacc": {"Effective": wacc}}
    return _call("total_cost", providers=list(providers), assumptions=assumptions)


def _exact(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: money_text(value) if isinstance(value, (int, float, Decimal)) else value for name, value in document.items()}


def bridge(budget: Mapping[str, Any], actual: Mapping[str, Any]) -> Table:
    """From a budgeted to an actual cost, one driver after the other: ``volume``, ``list_price``, ``agreement_discount``, ``coverage``,
    ``utilisation``, ``plan_discount``. The effects sum to the difference."""
    answer = _call("bridge", budget=_exact(budget), actual=_exact(actual))
    effects = answer["effects"]
    return Table.of(
        "Bridge from budget to actual",
        step=("text", ["budget", *(name for name, _ in effects), "actual"]),
        amount=("money", [answer["budget"], *(value for _, value in effects), answer["actual"]]),
    )


def variance(budget: Iterable[Mapping[str, Any]], actual: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Actual less budget, split into volume, mix, rate and commitment effects. Lines have ``name``, ``quantity``, ``rate``, ``commitment``."""
    answer = _call("variance", budget=[_exact(line) for line in budget], actual=[_exact(line) for line in actual])
    return {name: Decimal(value) for name, value in answer.items()}
