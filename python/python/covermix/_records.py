"""Small immutable records: what the library's JSON documents hold, with enums, decimals and aware datetimes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from ._document import Record
from ._errors import InputError

__all__ = [
    "Certificate",
    "Charges",
    "Clash",
    "ClashingRule",
    "Commitment",
    "Evaluation",
    "Offer",
    "PaymentOption",
    "PricingCategory",
    "Progress",
    "Provider",
    "Purchase",
    "Reason",
    "Remainder",
    "Right",
    "Scope",
    "Status",
    "UsageLine",
]


class Provider(StrEnum):
    """A cloud provider."""

    AWS = "aws"
    AZURE = "azure"
    GCP = "gcp"


class PricingCategory(StrEnum):
    """How usage is bought, where that decides whether a commitment can cover it."""

    STANDARD = "standard"
    SPOT = "spot"
    FREE_TIER = "free_tier"


class PaymentOption(StrEnum):
    """When a commitment is paid."""

    NO_UPFRONT = "no_upfront"
    PARTIAL_UPFRONT = "partial_upfront"
    ALL_UPFRONT = "all_upfront"


class Right(StrEnum):
    """What the owner of a commitment may do with it before its end."""

    EXCHANGE = "exchange"
    RESALE = "resale"
    REFUND = "refund"
    MODIFICATION = "modification"
    TRADE_IN = "trade_in"


class Status(StrEnum):
    """Why a search ended."""

    OPTIMAL = "optimal"
    """The billed cost is within the gap asked for of the lower bound."""
    GAP_REMAINS = "gap_remains"
    """The search is complete, and a larger gap remains."""
    STOPPED_AT_LIMIT = "stopped_at_limit"
    """The search stopped at its time limit or by Ctrl-C; the plan is the best so far."""


class Remainder(StrEnum):
    """What a commitment that ends after the usage is worth at the usage's end; matters with purchase dates."""

    WORTH_ITS_COST = "worth_its_cost"
    WORTHLESS = "worthless"


@dataclass(frozen=True, slots=True)
class UsageLine:
    """One stream of metered usage. Texts are the provider's own words; empty where they do not apply.

    >>> UsageLine("aws", "AmazonEC2", "m5.large", region="us-east-1", platform="Linux", tenancy="shared", unit="instance-hour").name
    'aws/AmazonEC2/us-east-1/m5.large/Linux/shared/instance-hour'
    """

    provider: Provider | str
    service: str
    sku: str
    region: str = ""
    platform: str = ""
    tenancy: str = ""
    unit: str = ""
    account: str = ""
    availability_zone: str = ""
    pricing: PricingCategory | str = PricingCategory.STANDARD
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    billed_price: Decimal | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "provider", member(Provider, self.provider, "provider"))
        object.__setattr__(self, "pricing", member(PricingCategory, self.pricing or "standard", "pricing"))
        object.__setattr__(self, "tags", dict(self.tags))
        if self.billed_price is not None:
            object.__setattr__(self, "billed_price", Decimal(self.billed_price))

    @property
    def name(self) -> str:
        """The line in words, as errors and bills name it."""
        parts = [self.provider, self.service, self.region, self.sku, *(text for text in (self.platform, self.tenancy, self.unit) if text)]
        text = "/".join(parts)
        text += f" in {self.availability_zone}" if self.availability_zone else ""
        text += f" of account {self.account}" if self.account else ""
        text += f" ({self.pricing})" if self.pricing != PricingCategory.STANDARD else ""
        return text + "".join(f" {key}={value}" for key, value in sorted(self.tags.items()))

    def _key(self) -> tuple[Any, ...]:
        """The order of lines in curves."""
        sku = (str(self.provider), self.service, self.region, self.sku, self.platform, self.tenancy, self.unit)
        pricing = list(PricingCategory).index(PricingCategory(self.pricing))
        return (*sku, self.account, self.availability_zone, pricing, sorted(self.tags.items()))

    def to_dict(self) -> dict[str, Any]:
        """The line as JSON holds it."""
        document: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        document["billed_price"] = None if self.billed_price is None else str(self.billed_price)
        return document


@dataclass(frozen=True, slots=True)
class Scope(Record):
    """Where a commitment applies: a kind, with what that kind needs.

    >>> Scope("subscription", subscription="0a1b").to_dict()
    {'kind': 'subscription', 'subscription': '0a1b'}
    """

    kind: str
    availability_zone: str | None = None
    subscriptions: tuple[str, ...] | None = None
    subscription: str | None = None
    resource_group: str | None = None
    project: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The scope as JSON holds it: what its kind does not need is not there."""
        return {name: value for name, value in Record.to_dict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Commitment(Record):
    """An offer bought."""

    id: str
    offer: str
    """The identifier of the offer."""
    quantity: Decimal
    """Reservations, or money an hour of a spend plan."""
    start: datetime
    end: datetime
    account: str = ""
    scope: Scope = field(default_factory=lambda: Scope("shared"))

    def __post_init__(self) -> None:
        object.__setattr__(self, "quantity", Decimal(self.quantity))
        for name in ("start", "end"):
            object.__setattr__(self, name, aware(getattr(self, name), name))


@dataclass(frozen=True, slots=True)
class Offer(Record):
    """A commitment for sale. Prices are for one unit: one reservation, or one unit of money an hour of a spend plan."""

    id: str
    provider: Provider
    service: str
    region: str
    term: str
    """An ISO 8601 duration: ``P365D``, ``P3Y``."""
    payment_option: PaymentOption
    upfront: Decimal
    """Due at purchase."""
    recurring: Decimal
    """Due for every hour of the term."""
    scopes: frozenset[str]
    rights: frozenset[Right]
    is_spend_plan: bool
    document: Mapping[str, Any] = field(repr=False, compare=True, hash=False)
    """All of it, as JSON holds it."""

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Offer:
        """An offer as JSON holds it."""
        return cls(
            id=document["id"],
            provider=Provider(document["provider"]),
            service=document["service"],
            region=document.get("region", ""),
            term=document["term"],
            payment_option=PaymentOption(document["payment_option"]),
            upfront=Decimal(document["upfront"]),
            recurring=Decimal(document["recurring"]),
            scopes=frozenset(document["scopes"]),
            rights=frozenset(Right(right) for right in document.get("rights", ())),
            is_spend_plan=document["benefit"]["kind"] == "spend_plan",
            document=document,
        )

    def to_dict(self) -> dict[str, Any]:
        """The offer as JSON holds it."""
        return dict(self.document)


@dataclass(frozen=True, slots=True)
class Charges(Record):
    """What usage and commitments cost over some time, in the catalog's currency; amortised. Rates are ``None`` where nothing is to be divided."""

    on_demand_equivalent: Decimal
    """All usage at the customer's on-demand prices."""
    list_equivalent: Decimal
    """All usage at public on-demand prices."""
    on_demand: Decimal
    """Usage that no commitment covered."""
    used_commitment: Decimal
    unused_commitment: Decimal
    amortised_upfront: Decimal
    recurring: Decimal
    sustained_use_discount: Decimal
    commitment: Decimal
    """Every hour of every commitment."""
    covered: Decimal
    """Covered usage at on-demand prices."""
    cost: Decimal
    """On-demand charges plus every hour of every commitment."""
    savings: Decimal
    effective_savings_rate_list: float | None
    effective_savings_rate_contracted: float | None
    coverage: float | None
    utilisation: float | None


@dataclass(frozen=True, slots=True)
class Purchase(Record):
    """One thing to buy."""

    id: str
    """Its identifier in bills."""
    offer: Offer
    start: datetime
    end: datetime
    scope: Scope
    quantity: Decimal
    """Reservations, or money an hour."""
    upfront: Decimal
    monthly: Decimal
    """Due every month of 730 hours."""
    covered_monthly: Decimal
    """The usage it covers in a month, at on-demand prices."""
    utilisation: float | None
    break_even_month: int | None
    """The month of its term in which what it avoids has paid for all it will ever cost; ``None`` if that is not within the term."""


@dataclass(frozen=True, slots=True)
class Certificate(Record):
    """The bound, the cost, and the parts of the gap between them, which add up to it. In the terms of the objective."""

    lower_bound: float
    billed_cost: float
    gap: float
    billing_order: float
    """The provider applies commitments in its own order, not in the cheapest one."""
    integrality: float
    """Purchases are whole."""
    tolerance: float
    """The bound was not pushed further."""


@dataclass(frozen=True, slots=True)
class ClashingRule(Record):
    """One rule of a clash."""

    rule: str
    """The policy's field, with what it is about."""
    by: float | None
    """By how much it would have to give if the others are kept; ``None`` if that does not help alone."""
    unit: str
    """What :attr:`by` counts: money, money an hour, purchases, ..."""


@dataclass(frozen=True, slots=True)
class Clash(Record):
    """Rules that cannot all be kept: each of them could be if one of the others were left out."""

    sentence: str
    rules: tuple[ClashingRule, ...]

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class Evaluation(Record):
    """What purchases cost by the judge, and how they stand to the rules."""

    objective: float
    scenario_costs: tuple[float, ...]
    coverage: tuple[float, ...]
    least_utilisation: tuple[str, float] | None
    broken: tuple[tuple[str, float], ...]
    """Rules that are broken, and by how much."""

    @property
    def is_allowed(self) -> bool:
        """Whether every rule is kept."""
        return not self.broken


@dataclass(frozen=True, slots=True)
class Reason(Record):
    """Why a purchase is as large as it is."""

    purchase: str
    steps: int
    hours_of_use: float
    break_even_utilisation: float
    value_of_one_more: float | None
    """By how much the objective falls with one step more; ``None`` if a rule forbids it."""
    value_of_one_less: float | None
    stopped_by: tuple[str, ...]
    sentence: str

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a search stands."""

    sweeps: int
    """Passes over all hours so far."""
    lower_bound: float
    relaxed_cost: float
    """The relaxed cost of the best point so far."""

    @property
    def gap(self) -> float:
        """The relaxed gap, relative; NaN before there is a bound."""
        if not (abs(self.lower_bound) < float("inf") and 0 < abs(self.relaxed_cost) < float("inf")):
            return float("nan")
        return (self.relaxed_cost - self.lower_bound) / abs(self.relaxed_cost)


def member(kind: type[StrEnum], value: str, name: str) -> Any:
    """A member of an enum, or an error with the values there are."""
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(kind)
        raise InputError(f"field `{name}`: `{value}` is not one of {known}; write one of them", field=name, remedy=f"write one of {known}") from None


def aware(value: datetime | date | str, name: str) -> datetime:
    """An instant with its zone, in UTC. A date is its first instant in UTC; a text is ISO 8601."""
    if isinstance(value, str):
        value = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if value.tzinfo is None:
        remedy = "give an aware datetime, such as datetime(2026, 1, 1, tzinfo=UTC)"
        raise InputError(f"field `{name}`: {value.isoformat()} has no time zone; {remedy}", field=name, remedy=remedy)
    return value.astimezone(UTC)
