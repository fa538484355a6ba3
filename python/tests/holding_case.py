"""A small portfolio whose usage has left it, as in the Rust example `rebalance`: exchanges, sales and lapses pay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import covermix
import numpy as np

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ACCOUNT = "111122223333"
#: Instance type, price an hour on demand, usage at night and by day.
TYPES = (("m4.large", "0.100", 1, 2), ("c4.large", "0.100", 0, 1), ("m5.large", "0.096", 90, 150), ("c5.large", "0.085", 60, 90))
#: Class, term, share of the on-demand price.
CLASSES = (("standard", "P365D", "0.63"), ("convertible", "P365D", "0.68"), ("standard", "P1095D", "0.43"), ("convertible", "P1095D", "0.50"))


def sku(name: str) -> dict[str, str]:
    return {"provider": "aws", "service": "AmazonEC2", "region": "us-east-1", "sku": name, "platform": "Linux", "tenancy": "shared"}


def catalog() -> covermix.Catalog:
    prices = [{"id": name, "sku": sku(name), "price": price} for name, price, *_ in TYPES]
    offers = [
        {
            **{"id": f"{name} {kind} {term}", "provider": "aws", "service": "AmazonEC2", "region": "us-east-1"},
            **{"benefit": {"kind": "reservation", "sku": name}, "term": term, "payment_option": "no_upfront", "upfront": "0"},
            **{"recurring": str(Decimal(price) * Decimal(share)), "scopes": ["region"]},
            "rights": ["resale" if kind == "standard" else "exchange", "modification"],
        }
        for name, price, *_ in TYPES
        for kind, term, share in CLASSES
    ]
    document = {"schema": "covermix-catalog/1", "currency": "USD", "source": "invented", "prices": prices, "offers": offers}
    return covermix.Catalog.from_dict(document)


def usage(days: int = 42, factor: float = 1.0) -> covermix.UsageCurves:
    hour = np.arange(24 * days)
    is_day = (hour % 24 >= 8) & (hour % 24 < 20) & (hour // 24 % 7 < 5)
    unrest = hour * 7919 % 11 / 10
    columns = [factor * (np.where(is_day, day, night) + unrest) for _, _, night, day in TYPES]
    return covermix.UsageCurves.from_arrays(np.column_stack(columns), NOW, [covermix.UsageLine(**sku(name), account=ACCOUNT) for name, *_ in TYPES])


def portfolio() -> covermix.Portfolio:
    def held(name: str, offer: str, quantity: int, bought: int, days: int) -> covermix.Commitment:
        start = NOW - timedelta(days=bought)
        return covermix.Commitment(name, offer, Decimal(quantity), start, start + timedelta(days=days), ACCOUNT, covermix.Scope("region"))

    return covermix.Portfolio(
        [
            held("m4-conv", "m4.large convertible P1095D", 60, 400, 1095),
            held("m4-ending", "m4.large convertible P365D", 12, 345, 365),
            held("c4-std", "c4.large standard P365D", 31, 120, 365),
        ],
        particulars=[{"commitment": "c4-std", "bought": (NOW - timedelta(days=120)).isoformat()}],
    )


def rights() -> covermix.Rights:
    sale = {"sale_price": {"kind": "share_of_replacement", "share": "0.5"}, "sell_through": 0.8}
    return covermix.Rights(at=[NOW], assumptions=covermix.Assumptions(aws=sale))


def planner(**more: object) -> covermix.Planner:
    dates = [NOW, NOW + timedelta(days=21)]
    return covermix.Planner(catalog(), usage=usage(), owning=portfolio(), purchase_dates=dates, renewing=True, rights=rights()).replace(**more)
