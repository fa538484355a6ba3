"""A plan as orders that a person or a service can execute, and whether the bill that came kept the promise."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from . import _native
from ._billing import Judge
from ._catalog import Portfolio
from ._document import Document, Record, text_of
from ._errors import FileError
from ._held import Action
from ._table import Table

__all__ = ["Cause", "Order", "OrderEffect", "Orders", "Verification"]


class Cause(StrEnum):
    """Why an order had another effect than promised."""

    AS_ORDERED = "as_ordered"
    NOT_EXECUTED = "not_executed"
    OTHER_TIME = "other_time"
    OTHER_QUANTITY = "other_quantity"
    OTHER_PRICE = "other_price"


@dataclass(frozen=True, slots=True)
class Order:
    """One order. ``document`` has every field, as JSON holds it."""

    id: str
    """Its number in the list: ``order-001``."""
    operation: str
    """``buy``, or an :class:`Action`."""
    at: datetime
    """When to do it."""
    deadline: datetime | None
    provider: str
    account: str
    offer: str
    """The catalog's identifier of what is bought or received; empty where nothing is."""
    quantity: Decimal
    unit: str
    """What the quantity counts: ``reservations``, or the currency an hour."""
    paid: Decimal
    """Paid at once; below 0 for money that comes back."""
    gives: tuple[tuple[str, Decimal], ...]
    """Commitments and quantities that are given up."""
    call: str
    """The provider's call, in its own words."""
    parameters: dict[str, str]
    """The parameters of the call, in the provider's words."""
    reason: str
    document: dict[str, Any]

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Order:
        """An order as JSON holds it."""
        operation = document["operation"]
        deadline = document.get("deadline")
        return cls(
            id=document["id"],
            operation="buy" if operation == "buy" else Action(operation["act"]).value,
            at=datetime.fromisoformat(document["at"]),
            deadline=None if deadline is None else datetime.fromisoformat(deadline),
            provider=document["provider"],
            account=document["account"],
            offer=document["offer"],
            quantity=Decimal(document["quantity"]),
            unit=document["unit"],
            paid=Decimal(document["paid"]),
            gives=tuple((part["commitment"], Decimal(part["quantity"])) for part in document["gives"]),
            call=document["call"],
            parameters=document["parameters"],
            reason=document["reason"],
            document=document,
        )


@dataclass(frozen=True, slots=True)
class OrderEffect(Record):
    """By how much an order makes the bill differ from the promise."""

    order: str
    cause: Cause
    amount: Decimal
    """By how much the bill is higher because of it."""


@dataclass(frozen=True, slots=True)
class Verification(Record):
    """What was promised, what came, and the causes of the difference: ``usage + price + orders + unordered + rest``, to the last digit."""

    promised: Decimal
    came: Decimal
    usage: Decimal
    """By how much the bill is higher because usage differs."""
    price: Decimal
    """Because on-demand prices and plan rates differ."""
    orders: tuple[OrderEffect, ...]
    unordered: Decimal
    """Because of what happened to the portfolio without an order."""
    rest: Decimal
    """By how much the invoice is higher than the judge's bill."""
    difference: Decimal
    text: str

    @property
    def not_as_ordered(self) -> tuple[OrderEffect, ...]:
        """The orders that were not executed as they were given."""
        return tuple(effect for effect in self.orders if effect.cause is not Cause.AS_ORDERED)

    def __str__(self) -> str:
        return self.text


class Orders(Document):
    """All orders of a plan, by date; made by :meth:`Plan.orders`. A document of the schema ``covermix-orders/1``, which Rust reads alike.

    ``len``, indexing and iteration give :class:`Order`.
    """

    __slots__ = ()

    @classmethod
    def _checked(cls, text: str) -> str:
        # Written by Python, which reads every number to its last digit.
        _native.check_orders(text)
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Orders:
        """Reads orders from their JSON file. Raises :class:`FileError`, :class:`InputError`."""
        return cls.from_json(text_of(path))

    @property
    def currency(self) -> str:
        """The currency of every amount."""
        return self.to_dict()["currency"]

    def to_csv(self) -> str:
        """One row an order, for a spreadsheet. Parts and parameters are written ``name=value``, with ``; `` between them."""
        return _native.orders_csv(self._text)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes CSV if the name ends in ``.csv``, else JSON. Raises :class:`FileError`."""
        text = self.to_csv() if os.fspath(path).lower().endswith(".csv") else self._text
        try:
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
        except OSError as error:
            remedy = "check that the folder exists and may be written to"
            raise FileError(f"{path}: cannot be written ({error.strerror}); {remedy}", file=path, remedy=remedy) from error

    def to_table(self) -> Table:
        """The orders in short: what, when, how much, and the provider's call."""
        orders = tuple(self)
        return Table.of(
            "Orders",
            order=("text", [order.id for order in orders]),
            operation=("text", [order.operation for order in orders]),
            at=("date", [order.at.date() for order in orders]),
            offer=("text", [order.offer for order in orders]),
            quantity=("money", [order.quantity for order in orders], "units or money/hour"),
            gives=("text", ["; ".join(f"{quantity.normalize():f} of {held}" for held, quantity in order.gives) for order in orders]),
            paid=("money", [order.paid for order in orders], self.currency),
            call=("text", [order.call for order in orders]),
        )

    def apply(self, held: Portfolio) -> Portfolio:
        """The portfolio that there should be after the orders. Raises :class:`InputError` for an order that gives up what is not held."""
        return Portfolio._of(_native.apply_orders(self._text, held._native))

    def verify(self, *, promised: Judge, came: Judge, billed: Decimal | str | None = None) -> Verification:
        """What was promised against what came, split by cause.

        ``promised`` judges the usage, prices and portfolio that the plan was made with (before the orders); ``came`` the usage metered, the prices
        in force and what is held now, with what has ended within those hours. ``billed`` is the amortised cost as invoiced, as the judge makes it
        if not given. Raises :class:`UnknownSkuError`, and :class:`InputError` for orders of another portfolio.
        """
        exact = None if billed is None else Decimal(billed)
        text = _native.verify_orders(self._text, promised._inputs()[:3], came._inputs()[:3], came._inputs()[3], exact)
        return Verification.from_dict(json.loads(text))

    def __len__(self) -> int:
        return len(self.to_dict()["orders"])

    def __iter__(self) -> Iterator[Order]:
        return (Order.from_dict(order) for order in self.to_dict()["orders"])

    def __getitem__(self, index: int) -> Order:
        return Order.from_dict(self.to_dict()["orders"][index])

    def __repr__(self) -> str:
        count = len(self)
        return f"Orders({count} order{'s' * (count != 1)})"

    def _repr_html_(self) -> str:
        return self.to_table()._repr_html_()
