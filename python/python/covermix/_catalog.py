"""What is for sale, and what is held."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from . import _native
from ._document import Immutable, plain
from ._errors import InputError
from ._held import Assumptions, Deadline, LockIn, Permission, assumed, used
from ._records import Commitment, Offer, aware
from ._table import Table
from ._usage import UsageCurves

__all__ = ["Catalog", "Portfolio", "PortfolioReconciliation"]


class Catalog(Immutable):
    """On-demand prices and offers of commitments, in one currency. Immutable.

    >>> import covermix
    >>> catalog = covermix.example_catalog()
    >>> catalog.currency, catalog.price_date.isoformat()
    ('USD', '2019-04-05')
    """

    __slots__ = ("_native", "_offers")

    def __init__(self, native: _native.Catalog) -> None:
        self._native = native
        self._offers: tuple[Offer, ...] | None = None

    @classmethod
    def read(
        cls,
        *paths: str | os.PathLike[str],
        regions: Iterable[str] | None = None,
        usage: UsageCurves | None = None,
        dated: date | None = None,
        azure_size_flexibility: str | os.PathLike[str] | None = None,
    ) -> Catalog:
        """Reads price files into one catalog: this library's JSON, and each provider's own price lists, plain or gzip.

        ``regions`` takes these regions alone; ``usage`` takes only what can matter to it, so that a price list of any size is read in little
        memory; ``dated`` is the day of the prices where a file does not say it; ``azure_size_flexibility`` is Azure's table of sizes and ratios.

        Raises :class:`FileError` and :class:`InputError`, with file, line and entry.
        """
        if not paths:
            raise InputError("field `paths`: there are no files; give the path of at least one price file", field="paths")
        table = None if azure_size_flexibility is None else os.fspath(azure_size_flexibility)
        chosen = None if regions is None else list(regions)
        used = None if usage is None else usage._native
        return cls(_native.Catalog.read([os.fspath(path) for path in paths], chosen, used, dated, table))

    @classmethod
    def from_json(cls, text: str) -> Catalog:
        """A catalog from its JSON text."""
        return cls(_native.Catalog.from_json(text))

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Catalog:
        """A catalog from its JSON document; money may be text or ``Decimal``."""
        return cls.from_json(json.dumps(document, default=str))

    def to_json(self) -> str:
        """The catalog as JSON, which Rust and Python read alike."""
        return self._native.to_json()

    def to_dict(self) -> dict[str, Any]:
        """The catalog as its JSON document."""
        return json.loads(self.to_json())

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the catalog's JSON; packed if the name ends in ``.gz``."""
        self._native.write(os.fspath(path))

    @property
    def currency(self) -> str:
        """The currency of every amount, an ISO 4217 code."""
        return self._native.currency()

    @property
    def price_date(self) -> date | None:
        """The day the prices were valid, where the source says so."""
        return self._native.price_date()

    @property
    def source(self) -> str:
        """Where the prices come from."""
        return self._native.source()

    @property
    def offers(self) -> tuple[Offer, ...]:
        """The offers, by identifier."""
        if self._offers is None:
            self._offers = tuple(Offer.from_dict(offer) for offer in json.loads(self._native.offers()))
        return self._offers

    def offer(self, id: str) -> Offer:
        """The offer with this identifier. Raises :class:`InputError` if there is none."""
        document = self._native.offer(id)
        if document is None:
            raise InputError(f"{id}: the catalog has no such offer; look at catalog.offers", item=id, remedy="look at catalog.offers")
        return Offer.from_dict(json.loads(document))

    def prices(self) -> Table:
        """The on-demand prices."""
        prices: list[dict[str, Any]] = json.loads(self._native.prices())
        columns = {
            name: ("text", [price["sku"].get(name, "") for price in prices])
            for name in ("provider", "service", "region", "sku", "platform", "tenancy", "unit")
        }
        money = ("money", [price["price"] for price in prices], f"{self.currency}/unit")
        return Table.of("On-demand prices", id=("text", [price["id"] for price in prices]), **columns, price=money)

    def offers_table(self) -> Table:
        """The offers as a table."""
        offers = self.offers
        return Table.of(
            "Offers",
            id=("text", [offer.id for offer in offers]),
            region=("text", [offer.region for offer in offers]),
            kind=("text", ["spend plan" if offer.is_spend_plan else "reservation" for offer in offers]),
            term=("text", [offer.term for offer in offers]),
            payment_option=("text", [offer.payment_option.value for offer in offers]),
            upfront=("money", [offer.upfront for offer in offers], self.currency),
            recurring=("money", [offer.recurring for offer in offers], f"{self.currency}/hour"),
        )

    def relevant_to(self, usage: UsageCurves) -> Catalog:
        """The part that can matter to this usage; it bills and plans the same."""
        return Catalog(self._native.relevant_to(usage._native))

    def negotiated(self, terms: Sequence[Mapping[str, Any]]) -> Catalog:
        """The catalog at negotiated prices: percentages off (``kind="percentage"``) and prices of single SKUs (``kind="price"``)."""
        return Catalog(self._native.negotiated(json.dumps(list(terms), default=str)))

    def check(self) -> list[str]:
        """What checks of the prices find, in words; an empty list if nothing."""
        return self._native.check()

    def difference(self, new: Catalog) -> list[str]:
        """What changed from this catalog to another, in words."""
        return self._native.difference(new._native)

    @property
    def rejected(self) -> list[tuple[str, str, int]]:
        """Entries of the source that were left out: which, why, how many."""
        return self._native.rejected()

    def __eq__(self, other: object) -> bool:
        return self._native == other._native if isinstance(other, Catalog) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.currency, self.source, self._native.size()))

    def __repr__(self) -> str:
        prices, offers = self._native.size()
        dated = f" of {self.price_date}" if self.price_date else ""
        return f"Catalog({prices} prices and {offers} offers in {self.currency}{dated})"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}: {self.source}</p>" + self.offers_table()._repr_html_()

    def __reduce__(self) -> tuple[Any, ...]:
        return Catalog.from_json, (self.to_json(),)


class Portfolio(Immutable):
    """Commitments held. Immutable. ``offers`` are those that the catalog does not have, such as those of past price lists; ``particulars`` say of
    commitments what the rules about changing them ask for: ``{"commitment", "bought", "status", "renewal", "bought_from", "price", ...}``
    (``data/portfolio.schema.json``).

    >>> Portfolio()
    Portfolio(0 commitments)
    """

    __slots__ = ("_native",)

    def __init__(
        self,
        commitments: Iterable[Commitment] = (),
        offers: Iterable[Offer | Mapping[str, Any]] = (),
        particulars: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        brought = [offer.to_dict() if isinstance(offer, Offer) else dict(offer) for offer in offers]
        held = [commitment.to_dict() for commitment in commitments]
        self._native = _native.Portfolio.from_parts(json.dumps(brought, default=str), json.dumps(held), json.dumps(plain(list(particulars))))

    @classmethod
    def _of(cls, native: _native.Portfolio) -> Portfolio:
        portfolio = cls.__new__(cls)
        portfolio._native = native
        return portfolio

    @classmethod
    def read(cls, path: str | os.PathLike[str], catalog: Catalog) -> Portfolio:
        """Reads a portfolio file that goes with a catalog. Raises :class:`InputError` for an offer that neither has, or another currency."""
        return cls._of(_native.Portfolio.read(os.fspath(path), catalog._native))

    @classmethod
    def from_json(cls, text: str, catalog: Catalog) -> Portfolio:
        """A portfolio from its JSON text."""
        return cls._of(_native.Portfolio.from_json(text, catalog._native))

    def to_json(self, currency: str) -> str:
        """The portfolio as JSON, in the currency of its catalog."""
        return self._native.to_json(currency)

    def to_dict(self, currency: str) -> dict[str, Any]:
        """The portfolio as its JSON document."""
        return json.loads(self.to_json(currency))

    def write(self, path: str | os.PathLike[str], currency: str) -> None:
        """Writes the portfolio's JSON; packed if the name ends in ``.gz``."""
        self._native.write(os.fspath(path), currency)

    @property
    def commitments(self) -> tuple[Commitment, ...]:
        """The commitments, by identifier."""
        return tuple(Commitment.from_dict(commitment) for commitment in json.loads(self._native.commitments()))

    @property
    def offers(self) -> tuple[Offer, ...]:
        """The offers that the portfolio brings along."""
        return tuple(Offer.from_dict(offer) for offer in json.loads(self._native.offers()))

    @property
    def particulars(self) -> tuple[dict[str, Any], ...]:
        """What is known of commitments beside their price."""
        return tuple(json.loads(self._native.particulars()))

    def deadlines(
        self,
        catalog: Catalog,
        at: datetime | date | str,
        *,
        assumptions: Assumptions | None = None,
        within_days: int | None = None,
    ) -> tuple[Deadline, ...]:
        """Until when each commitment can be returned, exchanged, refunded, sold, traded in or kept from renewing, and when it ends: what is not
        over at an instant, the earliest first; with ``within_days`` only what falls in so many days."""
        spans = None if within_days is None else [within_days]
        text = _native.deadlines(self._native, catalog._native, aware(at, "at"), assumed(assumptions), spans)
        return tuple(Deadline.from_dict(deadline) for deadline in json.loads(text))

    def permissions(
        self,
        catalog: Catalog,
        at: datetime | date | str,
        *,
        assumptions: Assumptions | None = None,
        ledger: Mapping[str, Any] | None = None,
    ) -> tuple[Permission, ...]:
        """Every action on every commitment at an instant: allowed until when, or which rule of the provider forbids it."""
        text = _native.permissions(self._native, catalog._native, aware(at, "at"), assumed(assumptions), used(ledger))
        return tuple(Permission.from_dict(permission) for permission in json.loads(text))

    def quotes(
        self,
        catalog: Catalog,
        at: datetime | date | str,
        *,
        assumptions: Assumptions | None = None,
        ledger: Mapping[str, Any] | None = None,
    ) -> Table:
        """What every action that is allowed at an instant gives and costs for each unit given up: money to the owner (below 0 if the owner pays),
        what falls away of fees and charges to come, what is received in return. Of a sale the price that is assumed."""
        text = _native.quotes(self._native, catalog._native, aware(at, "at"), assumed(assumptions), used(ledger))
        quotes: list[dict[str, Any]] = json.loads(text)
        rows = [(quote, given, quote["received"] or {}) for quote in quotes for given in quote["given"]]
        currency = catalog.currency
        return Table.of(
            "What actions give and cost, for each unit",
            commitment=("text", [given["commitment"] for _, given, _ in rows]),
            action=("text", [quote["action"] for quote, _, _ in rows]),
            until=("text", [quote["deadline"] for quote, _, _ in rows]),
            held=("money", [given["held"] for _, given, _ in rows]),
            cash=("money", [given["cash"] for _, given, _ in rows], currency),
            recurring=("money", [given["recurring"] for _, given, _ in rows], f"{currency}/hour"),
            obligation=("money", [given["obligation"] for _, given, _ in rows], currency),
            prepaid=("money", [given["prepaid"] for _, given, _ in rows], currency),
            probability=("float", [quote["probability"] for quote, _, _ in rows]),
            receives=("text", [received.get("offer", "") for _, _, received in rows]),
            receives_upfront=("money", [received.get("upfront") for _, _, received in rows], f"{currency} a unit received"),
            receives_recurring=("money", [received.get("recurring") for _, _, received in rows], f"{currency}/hour a unit received"),
        )

    def _state(self, catalog: Catalog, at: datetime | date | str) -> dict[str, Any]:
        return json.loads(_native.portfolio_state(self._native, catalog._native, aware(at, "at")))

    def positions(self, catalog: Catalog, at: datetime | date | str) -> Table:
        """What is held at an instant, by provider, service, region, family, scope and state (active, queued, ended)."""
        rows = self._state(catalog, at)["positions"]
        figures = [row["figures"] for row in rows]
        currency = catalog.currency
        return Table.of(
            "What is held",
            provider=("text", [row["provider"] for row in rows]),
            service=("text", [row["service"] for row in rows]),
            region=("text", [row["region"] for row in rows]),
            family=("text", [row["family"] for row in rows]),
            scope=("text", [row["scope"] for row in rows]),
            state=("text", [row["state"] for row in rows]),
            commitments=("integer", [of["commitments"] for of in figures]),
            reservations=("money", [of["reservations"] for of in figures]),
            spend=("money", [of["spend"] for of in figures], f"{currency}/hour"),
            per_hour=("money", [of["per_hour"] for of in figures], f"{currency}/hour"),
            prepaid=("money", [of["prepaid"] for of in figures], currency),
            obligation=("money", [of["obligation"] for of in figures], currency),
        )

    def obligations(self, catalog: Catalog, at: datetime | date | str) -> Table:
        """What is still to be charged for what is held at an instant, and what is prepaid at the end, month by month until all has ended."""
        rows = self._state(catalog, at)["obligations"]
        return Table.of(
            "What is still to be charged",
            month=("text", [row["month"] for row in rows]),
            charges=("money", [row["charges"] for row in rows], catalog.currency),
            prepaid=("money", [row["prepaid"] for row in rows], catalog.currency),
        )

    def lock_in(self, catalog: Catalog, at: datetime | date | str) -> LockIn:
        """How locked in one is at an instant."""
        return LockIn.from_dict(self._state(catalog, at)["lock_in"])

    def reconcile(self, bill: Portfolio, catalog: Catalog, *, prefer: str = "bill") -> PortfolioReconciliation:
        """Compares this portfolio with the one that the bill shows (:func:`read_bill` gives it). ``prefer`` says which is believed where they differ:
        ``bill`` or ``ours``."""
        text, merged = _native.reconcile_portfolios(self._native, bill._native, catalog._native, prefer)
        rows = json.loads(text)
        return PortfolioReconciliation(
            matched=tuple((row["ours"], row["bill"]) for row in rows["matched"]),
            only_ours=tuple(rows["only_ours"]),
            only_bill=tuple(rows["only_bill"]),
            differences=tuple((row["commitment"], row["field"], row["ours"], row["bill"]) for row in rows["differences"]),
            merged=Portfolio._of(merged),
        )

    def ladder(self, catalog: Catalog) -> Table:
        """Each commitment with what it costs an hour and when it ends, the next to end first."""
        held = list(zip(self.commitments, json.loads(self._native.held(catalog._native)), strict=True))
        held.sort(key=lambda pair: (pair[0].end, pair[0].id))
        return Table.of(
            "Commitments held",
            id=("text", [commitment.id for commitment, _ in held]),
            offer=("text", [commitment.offer for commitment, _ in held]),
            kind=("text", ["spend plan" if more["spend_plan"] else "reservation" for _, more in held]),
            quantity=("money", [commitment.quantity for commitment, _ in held]),
            hourly_cost=("money", [more["hourly"] for _, more in held], f"{catalog.currency}/hour"),
            start=("date", [commitment.start.date() for commitment, _ in held]),
            end=("date", [commitment.end.date() for commitment, _ in held]),
        )

    def plus(self, commitments: Iterable[Commitment]) -> Portfolio:
        """The portfolio with further commitments."""
        return Portfolio([*self.commitments, *commitments], self.offers, self.particulars)

    def hourly_cost(self, catalog: Catalog) -> Decimal:
        """What all of it costs an hour while all of it runs, upfront payments spread over their terms."""
        return sum((Decimal(more["hourly"]) for more in json.loads(self._native.held(catalog._native))), Decimal(0))

    def __len__(self) -> int:
        return len(json.loads(self._native.commitments()))

    def __eq__(self, other: object) -> bool:
        return self._native == other._native if isinstance(other, Portfolio) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._native.commitments())

    def __repr__(self) -> str:
        count = len(self)
        return f"Portfolio({count} commitment{'s' * (count != 1)})"

    def _repr_html_(self) -> str:
        commitments = self.commitments
        return Table.of(
            "Commitments held",
            id=("text", [commitment.id for commitment in commitments]),
            offer=("text", [commitment.offer for commitment in commitments]),
            quantity=("money", [commitment.quantity for commitment in commitments]),
            start=("date", [commitment.start.date() for commitment in commitments]),
            end=("date", [commitment.end.date() for commitment in commitments]),
        )._repr_html_()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._native.offers(), self._native.commitments(), self._native.particulars())


@dataclass(frozen=True, slots=True)
class PortfolioReconciliation:
    """Two portfolios of one owner compared: ours, and the one that the bill shows."""

    matched: tuple[tuple[str, str], ...]
    """What is in both: our identifier and the bill's."""
    only_ours: tuple[str, ...]
    only_bill: tuple[str, ...]
    differences: tuple[tuple[str, str, str, str], ...]
    """Where what is in both differs: our identifier, the field, our value, the bill's."""
    merged: Portfolio
    """Both in one: what is in both as preferred, what is in one alone as it is; the bill's identifiers, our particulars."""

    @property
    def is_clean(self) -> bool:
        """Whether the two say the same."""
        return not (self.only_ours or self.only_bill or self.differences)


def _restore(offers: str, commitments: str, particulars: str) -> Portfolio:
    return Portfolio._of(_native.Portfolio.from_parts(offers, commitments, particulars))
