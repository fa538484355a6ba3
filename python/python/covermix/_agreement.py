"""Agreements (AWS EDP and PPA, Azure MACC, Google commit) as documents: what is on offer, spend beside the usage, clauses to ask for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from . import _native
from ._document import Document, Record, money_text, plain
from ._errors import InputError
from ._records import Provider, aware, member

__all__ = ["Agreements", "Clause", "OfferedAgreement", "OtherSpend", "SpendKind", "Terms"]

Amount = Decimal | str | int | float


class SpendKind(StrEnum):
    """Kinds of spend that contracts treat apart."""

    USAGE = "usage"
    SPOT = "spot"
    COMMITMENT_FEE = "commitment_fee"
    COMMITMENT_UPFRONT = "commitment_upfront"
    COMMITMENT_AMORTISED = "commitment_amortised"
    MARKETPLACE = "marketplace"
    PREPAYMENT = "prepayment"
    PAID_FROM_CREDIT = "paid_from_credit"
    SUPPORT = "support"
    TAX = "tax"


class Terms(Document):
    """Minimums and clauses of an agreement. ``minimums`` is an amount for each year from ``start``, in the catalog's currency.

    Clauses are those of :func:`covermix.finance.ledger`: ``shortfall`` and ``carry_over`` replace those of the kind of agreement; ``total`` is an
    amount for the whole term; ``early_renewal`` is ``(first period replaced, new minimums)``. ``marketplace_weight`` and ``marketplace_cap_share``
    say how Marketplace counts. Sources: ``docs/agreements.md``.

    >>> terms = Terms.aws_enterprise_discount("2027-01-01", ["1000000", "1050000", "1102500"])
    >>> [period["minimum"] for period in terms.to_dict()["periods"]]
    ['1000000', '1050000', '1102500']
    """

    __slots__ = ()

    def __init__(
        self,
        name: str,
        start: date | str,
        minimums: Iterable[Amount],
        *,
        shortfall: Any = None,
        carry_over: bool | Mapping[str, Any] | None = None,
        total: Amount | None = None,
        marketplace_weight: Amount | None = None,
        marketplace_cap_share: Amount | None = None,
        early_renewal: tuple[int, Sequence[Amount]] | None = None,
    ) -> None:
        clauses: dict[str, Any] = {
            "shortfall": shortfall,
            "carry_over": carry_over,
            "total": total,
            "marketplace_weight": marketplace_weight,
            "marketplace_cap_share": marketplace_cap_share,
            "early_renewal": early_renewal,
        }
        self._text = _terms("yearly", name, start, minimums, **clauses)

    @classmethod
    def aws_enterprise_discount(cls, start: date | str, minimums: Iterable[Amount], **clauses: Any) -> Terms:
        """An AWS Enterprise Discount Program or Private Pricing Addendum: a shortfall is paid and lost, Marketplace counts up to a quarter."""
        return cls._of(_terms("aws_enterprise_discount", "", start, minimums, **clauses))

    @classmethod
    def azure_macc(cls, start: date | str, minimums: Iterable[Amount], **clauses: Any) -> Terms:
        """A Microsoft Azure Consumption Commitment: a shortfall is invoiced and becomes prepayment credit."""
        return cls._of(_terms("azure_macc", "", start, minimums, **clauses))

    @classmethod
    def google_cloud_commit(cls, start: date | str, minimums: Iterable[Amount], **clauses: Any) -> Terms:
        """A Google Cloud commit: 15 % of a year's minimum may move to the next in all years but the last, the rest is paid."""
        return cls._of(_terms("google_cloud_commit", "", start, minimums, **clauses))

    @classmethod
    def oracle_annual_credits(cls, start: date | str, minimums: Iterable[Amount], **clauses: Any) -> Terms:
        """Oracle Universal Credits: an amount a year is prepaid, and what is left of it lapses."""
        return cls._of(_terms("oracle_annual_credits", "", start, minimums, **clauses))

    @property
    def name(self) -> str:
        """Its name."""
        return self.to_dict()["name"]

    @property
    def minimums(self) -> tuple[Decimal, ...]:
        """The minimum of each period."""
        return tuple(Decimal(period["minimum"]) for period in self.to_dict()["periods"])

    def __repr__(self) -> str:
        return f"Terms({self.name!r}, {self.to_dict()['start']}, minimums {', '.join(map(str, self.minimums))})"


class OfferedAgreement(Document):
    """An agreement on offer: its discount on everything of a provider, and its terms. ``discounts`` gives discounts by service or kind of charge
    instead: ``{"discounts": [{"provider", "service", "kinds", "fraction", "overlay"}], "excluded_services": []}``. Its document is an entry of
    ``offers`` of :class:`Agreements`; ``data/agreements.schema.json``.

    >>> OfferedAgreement("tier 1", "aws", discount="0.05", terms=Terms.aws_enterprise_discount("2027-01-01", ["1000000"]))
    OfferedAgreement('tier 1', discount 5.00%)
    """

    __slots__ = ()

    def __init__(
        self,
        name: str,
        provider: Provider | str | None,
        *,
        discount: Amount | None = None,
        terms: Terms | None = None,
        discounts: Mapping[str, Any] | None = None,
    ) -> None:
        of = None if provider is None else member(Provider, provider, "provider").value
        if (discount is None) == (discounts is None):
            remedy = "give either discount or discounts"
            raise InputError(f"field `discount`: there must be one source of discounts; {remedy}", field="discount", remedy=remedy, item=name)
        if discount is not None:
            if of is None:
                remedy = "name the provider, or give discounts"
                raise InputError(f"field `provider`: a discount is a provider's; {remedy}", field="provider", remedy=remedy, item=name)
        document = {"name": name, "provider": of, "discount": money_text(discount), "terms": terms, **(discounts or {})}
        self._text = OfferedAgreement.from_dict(document)._text

    @classmethod
    def none(cls) -> OfferedAgreement:
        """To sign nothing: list prices."""
        return cls("no agreement", None, discounts={})

    @classmethod
    def _checked(cls, text: str) -> str:
        return _native.check_agreement(text)

    @property
    def name(self) -> str:
        """Its name among the offers."""
        return self.to_dict()["name"]

    @property
    def discount(self) -> Decimal:
        """The largest discount on all services."""
        general = (row for row in self.to_dict().get("discounts", ()) if "service" not in row)
        return max((Decimal(row["fraction"]) for row in general), default=Decimal(0))

    @property
    def terms(self) -> Terms | None:
        """Minimums and clauses."""
        document = self.to_dict().get("terms")
        return None if document is None else Terms.from_dict(document)

    def __repr__(self) -> str:
        return f"OfferedAgreement({self.name!r}, discount {self.discount:.2%})"


@dataclass(frozen=True, slots=True)
class OtherSpend(Record):
    """Spend beside the usage that is planned for: Marketplace, support, services without commitments. The same whatever is bought."""

    provider: Provider
    date: date
    """The day it is invoiced, or used."""
    kind: SpendKind
    gross: Decimal
    """Before the agreement's discount."""
    net: Decimal | None = None
    """After it; for usage, spot and fees it is computed. As ``gross`` if not given."""
    item: str = ""
    """The service or product, in the provider's words."""
    scenario: str | None = None
    """The scenario it belongs to; in all if not given."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "provider", member(Provider, self.provider, "provider"))
        object.__setattr__(self, "kind", member(SpendKind, self.kind, "kind"))
        object.__setattr__(self, "date", aware(self.date, "date").date())
        object.__setattr__(self, "gross", Decimal(self.gross))
        object.__setattr__(self, "net", self.gross if self.net is None else Decimal(self.net))


class Clause(Document):
    """A change of terms that may be asked for: made by one of the functions below. Its document is an entry of ``clauses`` of :class:`Agreements`.

    >>> Clause.more_discount("0.01")
    Clause('discount +1 points')
    >>> Clause.more_discount("0.01").to_dict()
    {'kind': 'more_discount', 'points': '0.01'}
    """

    __slots__ = ()

    @classmethod
    def _checked(cls, text: str) -> str:
        return _native.check_clause(text)

    @classmethod
    def more_discount(cls, points: Amount) -> Clause:
        """So much more discount on all services (0.01: one point)."""
        return cls.from_dict({"kind": "more_discount", "points": money_text(points)})

    @classmethod
    def minimums(cls, factor: Amount) -> Clause:
        """All minimums times this factor (0.9: a tenth less)."""
        return cls.from_dict({"kind": "minimums", "factor": money_text(factor)})

    @classmethod
    def growth(cls, share: Amount) -> Clause:
        """Minimums that grow by this share a year from the first one."""
        return cls.from_dict({"kind": "growth", "share": money_text(share)})

    @classmethod
    def carry_over(cls, rule: bool | Mapping[str, Any] = True) -> Clause:
        """Excess that counts later, as in :func:`covermix.finance.ledger`."""
        return cls.from_dict({"kind": "carry_over", "rule": _carry_over(rule)})

    @classmethod
    def shortfall(cls, rule: Any) -> Clause:
        """Another rule for a shortfall, as in :func:`covermix.finance.ledger`."""
        return cls.from_dict({"kind": "shortfall", "rule": rule})

    @classmethod
    def marketplace_cap(cls, share: Amount | None) -> Clause:
        """Another cap on Marketplace, a share of the minimum; ``None`` for no cap."""
        return cls.from_dict({"kind": "marketplace_cap", "share": money_text(share)})

    @classmethod
    def marketplace_weight(cls, share: Amount) -> Clause:
        """The share of Marketplace that counts."""
        return cls.from_dict({"kind": "marketplace_weight", "share": money_text(share)})

    @classmethod
    def early_renewal(cls, from_period: int, minimums: Sequence[Amount]) -> Clause:
        """The right to replace the periods from ``from_period`` (0 is the first) by new minimums."""
        return cls.from_dict({"kind": "early_renewal", **_early_renewal(from_period, minimums)})

    @property
    def kind(self) -> str:
        """What is changed, as the functions are named."""
        return self.to_dict()["kind"]

    def __str__(self) -> str:
        return _native.clause_words(self._text)

    def __repr__(self) -> str:
        return f"Clause({str(self)!r})"


class Agreements(Document):
    """Agreements on offer, spend beside the usage, and clauses to ask the value of: the document ``covermix-agreements/1``, which the program reads
    too (``docs/agreements.md``). There is an offer, and each has a name of its own.

    >>> offer = OfferedAgreement("tier 1", "aws", discount="0.05", terms=Terms.aws_enterprise_discount("2027-01-01", ["1000000"]))
    >>> agreements = Agreements([offer], clauses=[Clause.minimums("0.9")])
    >>> agreements
    Agreements(1 offers, 0 other spend, 1 clauses)
    >>> Agreements.from_json(agreements.to_json()) == agreements and agreements.offers == (offer,)
    True
    """

    __slots__ = ()

    def __init__(
        self, offers: Iterable[OfferedAgreement], *, other_spend: Iterable[OtherSpend] = (), clauses: Iterable[Clause] = ()
    ) -> None:
        document = {"schema": "covermix-agreements/1", "offers": list(offers), "other_spend": list(other_spend), "clauses": list(clauses)}
        self._text = Agreements.from_dict(document)._text

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Agreements:
        """Reads a file of agreements: TOML, or JSON if the name ends in ``.json``. Raises :class:`InputError` with file, offer and field."""
        return cls._of(_native.read_agreements(path))

    @classmethod
    def _checked(cls, text: str) -> str:
        return _native.check_agreements(text)

    @property
    def offers(self) -> tuple[OfferedAgreement, ...]:
        """The agreements on offer. To sign nothing is not among them: give :meth:`OfferedAgreement.none` beside them."""
        return tuple(OfferedAgreement.from_dict(offer) for offer in self.to_dict()["offers"])

    @property
    def other_spend(self) -> tuple[OtherSpend, ...]:
        """Spend beside the usage."""
        return tuple(OtherSpend.from_dict(spend) for spend in self.to_dict().get("other_spend", ()))

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Clauses to ask the value of."""
        return tuple(Clause.from_dict(clause) for clause in self.to_dict().get("clauses", ()))

    def __repr__(self) -> str:
        return f"Agreements({len(self.offers)} offers, {len(self.other_spend)} other spend, {len(self.clauses)} clauses)"


def _terms(
    contract: str,
    name: str,
    start: date | str,
    minimums: Iterable[Amount],
    *,
    shortfall: Any = None,
    carry_over: bool | Mapping[str, Any] | None = None,
    total: Amount | None = None,
    marketplace_weight: Amount | None = None,
    marketplace_cap_share: Amount | None = None,
    early_renewal: tuple[int, Sequence[Amount]] | None = None,
) -> str:
    """The terms of a contract with these clauses, as JSON."""
    amounts = [Decimal(money_text(minimum)) for minimum in minimums]
    document = json.loads(_native.agreement_terms(contract, name, aware(start, "start").date(), amounts))
    if shortfall is not None:
        document["rules"]["shortfall"] = plain(shortfall)
    if carry_over is not None:
        document["rules"]["carry_over"] = _carry_over(carry_over)
    if total is not None:
        document["rules"]["total"] = money_text(total)
    marketplace = {"marketplace_weight": marketplace_weight, "marketplace_cap_share": marketplace_cap_share}
    document["counting"]["marketplace"] |= {field: money_text(value) for field, value in marketplace.items() if value is not None}
    if early_renewal is not None:
        document["early_renewal"] = _early_renewal(*early_renewal)
    return json.dumps(document)


def _carry_over(rule: bool | Mapping[str, Any]) -> Any:
    if not rule:
        return "none"
    given = {name: money_text(value) if name == "cap_share" else value for name, value in rule.items()} if isinstance(rule, Mapping) else {}
    return {"excess": {"cap_share": None, "lifetime": "until_used"} | given}


def _early_renewal(from_period: int, minimums: Sequence[Amount]) -> dict[str, Any]:
    return {"from_period": from_period, "minimums": [money_text(minimum) for minimum in minimums]}
