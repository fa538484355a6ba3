"""What the buyer allows and wants: policy, objective, and the switches of the judge."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from . import _native
from ._document import Document, money_text, plain, text_of
from ._records import PaymentOption, Right

__all__ = ["Objective", "Policy", "Rules"]

Amount = Decimal | str | int | float


class Policy(Document):
    """The rules a plan keeps. Every rule is optional; the default allows everything that the catalog offers.

    Money may be ``Decimal``, text, int or float. Shares are from 0 to 1, of the new commitments' effective hourly cost. Formulas:
    ``docs/formulation.md``, "Policy".

    >>> policy = Policy(payment_options=["no_upfront"], max_share_three_year=0.4)
    >>> policy.to_dict()["max_share_three_year"]
    0.4
    >>> Policy(max_share_three_year=2)
    Traceback (most recent call last):
    ...
    covermix._errors.InputError: field `max_share_three_year`: `2` is outside of 0 to 1; give a value in 0 to 1
    """

    __slots__ = ()

    def __init__(
        self,
        *,
        terms: Iterable[int] | None = None,
        payment_options: Iterable[PaymentOption | str] | None = None,
        required_rights: Iterable[Right | str] | None = None,
        allowed_offers: Iterable[str] | None = None,
        forbidden_offers: Iterable[str] | None = None,
        fixed: Mapping[str, Amount] | None = None,
        upfront_budget: Amount | None = None,
        upfront_budget_by_quarter: Mapping[str, Amount] | None = None,
        max_remaining_obligation: Amount | None = None,
        max_share_three_year: float | None = None,
        shares: Iterable[Mapping[str, Any]] | None = None,
        min_utilisation: float | None = None,
        max_coverage: float | None = None,
        min_coverage: float | None = None,
        migrations: Iterable[Mapping[str, Any]] | None = None,
        max_purchase_per_month: Amount | None = None,
        min_days_between_purchases: int | None = None,
        max_expiring_per_month: Amount | None = None,
        lots: Iterable[tuple[str, Amount]] | None = None,
        min_ticket: Amount | None = None,
        max_purchases: int | None = None,
        payment_options_per_product: str | None = None,
        spend_plan_increment: Amount | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "terms": None if terms is None else list(terms),
            "payment_options": None if payment_options is None else list(payment_options),
            "required_rights": None if required_rights is None else list(required_rights),
            "allowed_offers": None if allowed_offers is None else list(allowed_offers),
            "forbidden_offers": None if forbidden_offers is None else list(forbidden_offers),
            "fixed": None if fixed is None else {offer: money_text(amount) for offer, amount in fixed.items()},
            "upfront_budget": money_text(upfront_budget),
            "upfront_budget_by_quarter": None
            if upfront_budget_by_quarter is None
            else {quarter: money_text(amount) for quarter, amount in upfront_budget_by_quarter.items()},
            "max_remaining_obligation": money_text(max_remaining_obligation),
            "max_share_three_year": max_share_three_year,
            "shares": None if shares is None else list(shares),
            "min_utilisation": min_utilisation,
            "max_coverage": max_coverage,
            "min_coverage": min_coverage,
            "migrations": None if migrations is None else list(migrations),
            "max_purchase_per_month": money_text(max_purchase_per_month),
            "min_days_between_purchases": min_days_between_purchases,
            "max_expiring_per_month": money_text(max_expiring_per_month),
            "lots": None if lots is None else [[pattern, money_text(lot)] for pattern, lot in lots],
            "min_ticket": money_text(min_ticket),
            "max_purchases": max_purchases,
            "payment_options_per_product": payment_options_per_product,
            "spend_plan_increment": money_text(spend_plan_increment),
        }
        self._text = _native.check_policy(json.dumps({name: plain(value) for name, value in given.items() if value is not None}))

    @classmethod
    def _checked(cls, text: str) -> str:
        return _native.check_policy(text)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Policy:
        """Reads a policy file: TOML, or JSON if the name ends in ``.json``."""
        text = text_of(path)
        return cls.from_json(text) if os.fspath(path).endswith(".json") else cls._of(_native.policy_from_toml(text))

    def replace(self, **rules: Any) -> Policy:
        """The same policy with some rules changed, named as in the constructor; ``None`` takes a rule away."""
        changed = Policy(**rules).to_dict()
        return Policy.from_dict({**self.to_dict(), **{name: changed[name] for name in rules}})

    @property
    def rules(self) -> dict[str, Any]:
        """The rules that limit anything, by name."""
        default = Policy().to_dict()
        return {name: value for name, value in self.to_dict().items() if value != default[name]}

    def __repr__(self) -> str:
        return f"Policy({', '.join(f'{name}={value!r}' for name, value in self.rules.items())})"


class Objective(Document):
    """What is minimised over scenarios: expected cost, expected cost and a tail, or the largest regret.

    >>> Objective.expected_cost_and_tail(weight=0.5, level=0.9)
    Objective({'expected_cost_and_tail': {'weight': 0.5, 'level': 0.9}})
    """

    __slots__ = ()

    def __init__(self, document: str | Mapping[str, Any] = "expected_cost") -> None:
        self._text = json.dumps(document)

    @classmethod
    def expected_cost(cls) -> Objective:
        """The mean of the scenarios' costs by their probabilities."""
        return cls("expected_cost")

    @classmethod
    def expected_cost_and_tail(cls, weight: float, level: float) -> Objective:
        """Expected cost + weight x CVaR, the mean of the costs in the worst ``1 - level`` of all cases."""
        return cls({"expected_cost_and_tail": {"weight": weight, "level": level}})

    @classmethod
    def minimum_regret(cls, foresight: Iterable[float] = ()) -> Objective:
        """The largest difference to the cost with perfect foresight, by scenario; bounds of that cost are computed if it is not given."""
        return cls({"minimum_regret": {"foresight": list(foresight)}})

    def __repr__(self) -> str:
        return f"Objective({self.to_dict()!r})"


class Rules(Document):
    """The switches of the providers' billing rules, where documentation leaves a choice or the customer has one.

    >>> Rules() == Rules(rates_above_on_demand="refused")
    True
    """

    __slots__ = ()

    def __init__(
        self,
        *,
        aws: Mapping[str, Any] | None = None,
        azure: Mapping[str, Any] | None = None,
        gcp: Mapping[str, Any] | None = None,
        rates_above_on_demand: str = "refused",
    ) -> None:
        given = {"aws": aws or {}, "azure": azure or {}, "gcp": gcp or {}, "rates_above_on_demand": rates_above_on_demand}
        self._text = _native.check_rules(json.dumps(plain(given)))

    @classmethod
    def _checked(cls, text: str) -> str:
        return _native.check_rules(text)

    def __repr__(self) -> str:
        return f"Rules({self._text})"
