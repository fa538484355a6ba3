"""What is held: what may be done with it and until when, and what a plan does with it. Rules and their sources: ``docs/portfolio.md``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from . import _native
from ._document import Document, Record, plain, text_of
from ._records import Offer, Scope, aware, member

__all__ = [
    "Action",
    "Assumptions",
    "Change",
    "Deadline",
    "DeadlineKind",
    "Finding",
    "Flexibility",
    "Limit",
    "LockIn",
    "Permission",
    "PlannedAction",
    "Received",
    "Rights",
    "ScenarioWorth",
    "Tranche",
]


class Action(StrEnum):
    """Something that the owner of a commitment can do with it."""

    MODIFY = "modify"
    CHANGE_SCOPE = "change_scope"
    SPLIT = "split"
    MERGE = "merge"
    EXCHANGE = "exchange"
    SWAP_STORAGE = "swap_storage"
    TRADE_IN = "trade_in"
    SELL = "sell"
    RETURN = "return"
    REFUND = "refund"
    UPGRADE = "upgrade"
    EXTEND = "extend"
    CONVERT_MODEL = "convert_model"
    CANCEL_QUEUED = "cancel_queued"
    RENEW = "renew"
    STOP_RENEWAL = "stop_renewal"
    LAPSE = "lapse"
    PUT_BACK = "put_back"


class DeadlineKind(StrEnum):
    """What a deadline is of."""

    LAST_CHANCE = "last_chance"
    """The last instant at which an action can be taken."""
    RENEWAL = "renewal"
    """It renews unless that is stopped before."""
    EXPIRY = "expiry"
    """It ends."""
    EXCHANGE_POLICY = "exchange_policy"
    """The last instant before the provider's exchange policy changes."""


class Assumptions(Document):
    """What a buyer assumes or has agreed and no page tells: sale prices and sell-through, fees, dates of policy. ``data/assumptions.schema.json``.

    >>> Assumptions(aws={"sell_through": 0.8, "sale_price": {"kind": "share_of_replacement", "share": "0.5"}}).to_dict()["aws"]["sell_through"]
    0.8
    """

    __slots__ = ()

    def __init__(
        self, *, aws: Mapping[str, Any] | None = None, azure: Mapping[str, Any] | None = None, puts: Mapping[str, Any] | None = None
    ) -> None:
        self._text = Assumptions.from_dict({"aws": aws or {}, "azure": azure or {}, "puts": puts or {}})._text

    @classmethod
    def _checked(cls, text: str) -> str:
        return _native.check_assumptions(text)

    @classmethod
    def read(cls, path: Any) -> Assumptions:
        """Reads a file of assumptions (JSON)."""
        return cls.from_json(text_of(path))

    def __repr__(self) -> str:
        return f"Assumptions({self._text})"


class Rights(Document):
    """What the planner may do with what is held, by the providers' rules.

    ``at`` is when something may be decided: the purchase dates, or the first hour in a steady state, if not given. ``actions`` limits it to some;
    ``ledger`` is what was used of limits over several actions (returns in a year, say): ``{"uses": [{"limit", "owner", "at", "amount"}]}``.

    >>> Rights(actions=["exchange", "sell"]).actions
    (<Action.EXCHANGE: 'exchange'>, <Action.SELL: 'sell'>)
    """

    __slots__ = ()

    def __init__(
        self,
        *,
        at: Iterable[datetime | str] = (),
        actions: Iterable[Action | str] = (),
        assumptions: Assumptions | None = None,
        ledger: Mapping[str, Any] | None = None,
    ) -> None:
        document = {
            "at": [aware(instant, "at") for instant in at],
            "actions": [member(Action, action, "actions") for action in actions],
            "assumptions": assumptions if assumptions is not None else Assumptions(),
            "ledger": ledger or {},
        }
        self._text = Rights.from_dict(document)._text

    @classmethod
    def _checked(cls, text: str) -> str:
        return _native.check_rights(text)

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions that may be taken; all if empty."""
        return tuple(Action(action) for action in self.to_dict()["actions"])

    @property
    def assumptions(self) -> Assumptions:
        """What is assumed."""
        return Assumptions.from_dict(self.to_dict()["assumptions"])

    def __repr__(self) -> str:
        return f"Rights({self._text})"


@dataclass(frozen=True, slots=True)
class Deadline(Record):
    """A last instant for a commitment, and what is at stake."""

    last: datetime
    commitment: str
    kind: DeadlineKind
    action: Action | None
    """What can be done until then, for a last chance."""
    opens: datetime | None
    """From when on it is possible, where that is to come."""
    rule: str
    """The provider's rule that sets it."""
    per_hour: Decimal
    """What the commitment costs an hour."""
    prepaid: Decimal
    """What of it is prepaid at the instant asked for."""
    obligation: Decimal
    """What of it will still be charged then."""

    def __str__(self) -> str:
        words = {
            DeadlineKind.LAST_CHANCE: f"last chance to {(self.action or '').replace('_', ' ')}",
            DeadlineKind.RENEWAL: "renews unless that is stopped",
            DeadlineKind.EXPIRY: "ends",
            DeadlineKind.EXCHANGE_POLICY: "can be exchanged any number of times",
        }
        return f"{self.commitment}: {words[self.kind]}, {self.last:%Y-%m-%d %H:%M}Z"


@dataclass(frozen=True, slots=True)
class Permission(Record):
    """Whether an action on a commitment is allowed at an instant."""

    commitment: str
    action: Action
    is_allowed: bool
    until: datetime | None
    """The last instant at which it is allowed."""
    rule: str
    """The provider's rule that allows or forbids it."""
    why: str
    """By what the rule is broken; empty if it is allowed."""


@dataclass(frozen=True, slots=True)
class LockIn(Record):
    """How locked in one is at an instant: :meth:`Portfolio.lock_in`."""

    obligation: Decimal
    """What will still be charged."""
    prepaid: Decimal
    """What is prepaid for the time to come."""
    per_hour: Decimal
    """What is held costs an hour, upfront spread over the term."""
    months: Decimal
    """Obligation and prepaid value over the cost of a month of 730 hours: for how many months one has committed."""
    weighted_term: Decimal
    """The remaining term in months of 730 hours, weighted by hourly cost."""


@dataclass(frozen=True, slots=True)
class Received(Record):
    """What is received for what is given up."""

    offer: str
    quantity: Decimal
    start: datetime
    end: datetime
    account: str
    """The owner; empty for one that all accounts own alike."""
    scope: Scope


@dataclass(frozen=True, slots=True)
class Change(Record):
    """Something that may be done with what is held, a whole number of times (steps): by the providers' rules (:meth:`Problem.changes`), or known to
    you alone and given to ``Planner(changes=...)``.

    >>> from datetime import UTC
    >>> at = datetime(2027, 1, 1, tzinfo=UTC)
    >>> sale = Change("broker", Action.SELL, decided=at, at=at, gives=(("ri-1", Decimal(1)),), paid=Decimal("-900"), most=4)
    >>> Change.from_dict(sale.to_dict()) == sale
    True
    """

    id: str
    """An identifier of its own, which what is received has in bills too."""
    kind: Action
    decided: datetime
    """When it is decided and paid."""
    at: datetime
    """From when what is given up serves no more."""
    gives: tuple[tuple[str, Decimal], ...]
    """Commitments and quantities that one step gives up."""
    receives: tuple[Received, ...] = ()
    paid: Decimal = Decimal(0)
    """What one step costs at once, less what is paid back."""
    most: int | None = None
    """The most steps; what is held limits them in any case."""
    probability: float = 1.0
    """The share of what is offered that finds a taker."""
    deadline: datetime | None = None
    rule: str = ""
    """What allows it, in words."""
    uses: tuple[tuple[str, Decimal], ...] = ()
    """What one step takes of limits, by :attr:`Limit.name`."""
    offers: tuple[Offer, ...] = ()
    """Offers of what is received that neither catalog nor portfolio has."""


@dataclass(frozen=True, slots=True)
class Limit(Record):
    """An amount that several changes share: money, units or a number of times."""

    name: str
    """What :attr:`Change.uses` refers to."""
    most: Decimal
    """How much is left of it."""


@dataclass(frozen=True, slots=True)
class PlannedAction(Record):
    """What a plan does with something that is held. Quantities are what is expected: offered, times the share that finds a taker."""

    kind: Action
    times: int
    decided: datetime
    at: datetime
    """From when what is given up serves no more, and what is received does."""
    gives: tuple[tuple[str, Decimal], ...]
    """Commitments and quantities that are given up, or end."""
    receives: tuple[Received, ...]
    """What is received, or bought to renew."""
    paid: Decimal
    """Paid at once, less what is paid back; below 0 for money that comes in."""
    value: float | None
    """By how much the plan's objective would be higher without this action; ``None`` where the alternative cannot be bought."""
    deadline: datetime | None
    before: str
    """What is held before, in words."""
    after: str
    reason: str
    change: str | None
    """The :attr:`Change.id` that is taken; ``None`` for what happens by itself or by a purchase: lapse and renewal."""
    sentence: str

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class Finding(Record):
    """One commitment held: how it is used, what the plan does with it, and its deadlines."""

    commitment: str
    offer: str
    quantity: Decimal
    end: datetime
    utilisation: float | None
    """The share of it that is used before the plan; ``None`` if it serves none of the hours."""
    monthly_waste: Decimal
    """What its unused part costs a month of 730 hours."""
    uncovered: Decimal
    """What is left on demand a month of the lines that it covers."""
    uncovered_beside: Decimal
    """What is left on demand a month of other lines of its service and region."""
    actions: tuple[PlannedAction, ...]
    """What the plan does with it, by value; empty if it is kept."""
    deadlines: tuple[Deadline, ...]
    deadline: datetime | None
    """The last instant for what the plan does with it, else for the first chance that it has, else its end."""

    @property
    def best(self) -> PlannedAction | None:
        """The action of the plan with the highest value."""
        return self.actions[0] if self.actions else None


@dataclass(frozen=True, slots=True)
class Tranche(Record):
    """What is bought on one date."""

    date: datetime
    purchases: tuple[tuple[str, Decimal], ...]
    """Offers and quantities."""
    hourly: Decimal
    """The effective cost an hour of all of it."""
    upfront: Decimal
    running: Decimal
    """The effective cost an hour of all that runs just after, held and bought."""


@dataclass(frozen=True, slots=True)
class ScenarioWorth(Record):
    """What rights are worth in one scenario."""

    scenario: str
    probability: float
    with_rights: float
    """The billed objective over the hours planned."""
    without_rights: float


@dataclass(frozen=True, slots=True)
class Flexibility(Record):
    """What the rights of what is held cost and are worth."""

    cost_a_year: Decimal
    """More than the cheapest offers that are alike but for the right of exchange."""
    worth_a_year: float
    """On the average of the scenarios."""
    net_a_year: Decimal
    scenarios: tuple[ScenarioWorth, ...]

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Flexibility:
        """As the Rust half hands it over."""
        worth = tuple(ScenarioWorth(*scenario) for scenario in document["scenarios"])
        exact = {name: Decimal(document[name]) for name in ("cost_a_year", "net_a_year")}
        return cls(worth_a_year=document["worth_a_year"], scenarios=worth, **exact)


def assumed(assumptions: Assumptions | None) -> str:
    """Assumptions as the Rust half reads them."""
    return (assumptions if assumptions is not None else Assumptions()).to_json()


def used(ledger: Mapping[str, Any] | None) -> str:
    """A ledger as the Rust half reads it."""
    return json.dumps(plain(ledger or {}))
