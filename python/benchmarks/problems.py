"""Made-up problems of any size: pools with a reservation each, and one spend plan over all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import covermix
import numpy as np

START = datetime(2025, 1, 6, tzinfo=UTC)
PLAN = "sp/compute/3y"


@dataclass
class Made:
    """A problem, for this library and in plain numbers."""

    demand: np.ndarray[Any, Any]
    """Hours x pools, whole units, columns by rising ratio of plan rate to on-demand price."""
    on_demand: np.ndarray[Any, Any]
    reserved: np.ndarray[Any, Any]
    """Price of a reservation, an hour."""
    rates: np.ndarray[Any, Any]
    """Rates of the spend plan; reservations are cheaper, as finoptim needs it."""
    catalog: covermix.Catalog

    def lines(self) -> list[covermix.UsageLine]:
        """The usage lines, by pool."""
        return [covermix.UsageLine("aws", "AmazonEC2", sku(pool), region="us-east-1", platform="Linux") for pool in range(len(self.on_demand))]

    def usage(self) -> covermix.UsageCurves:
        """The demand as curves."""
        return covermix.UsageCurves.from_arrays(np.ascontiguousarray(self.demand), START, self.lines())


def sku(pool: int) -> str:
    """The SKU of a pool: names are in the order of the pools."""
    return f"x{pool:04}.large"


def reservation(pool: int) -> str:
    """The offer of a pool's reservation."""
    return f"ri/{sku(pool)}/3y"


def make(pools: int, hours: int, seed: int = 1) -> Made:
    """Daily and weekly waves, level and noise by pool; three-year prices."""
    random = np.random.default_rng(seed)
    hour = np.arange(hours)[:, None]
    level, phase = random.uniform(5, 60, pools), random.uniform(0, 24, pools)
    daily = 1 + random.uniform(0.05, 0.5, pools) * np.sin((hour + phase) * 2 * np.pi / 24)
    weekly = 1 - random.uniform(0, 0.4, pools) * ((hour // 24) % 7 >= 5)
    growth = 1 + random.uniform(-0.2, 0.3, pools) * hour / hours
    demand = np.maximum(level * daily * weekly * growth + random.normal(0, 1.5, (hours, pools)), 0).round()
    on_demand = random.uniform(0.05, 2.0, pools).round(4)
    ratio = np.sort(random.uniform(0.50, 0.75, pools))
    rates = (on_demand * ratio).round(4)
    reserved = (rates * random.uniform(0.82, 0.95, pools)).round(4)
    return Made(demand, on_demand, reserved, rates, catalog(on_demand, reserved, rates))


def catalog(on_demand: np.ndarray[Any, Any], reserved: np.ndarray[Any, Any], rates: np.ndarray[Any, Any]) -> covermix.Catalog:
    """The prices as a catalog."""

    def text(value: float) -> str:
        return str(Decimal(repr(round(float(value), 4))))

    common = {"provider": "aws", "service": "AmazonEC2"}
    prices = [
        {"id": sku(pool), "price": text(price), "family": sku(pool).split(".")[0], "sku": {**common, "region": "us-east-1", "sku": sku(pool), "platform": "Linux"}}
        for pool, price in enumerate(on_demand)
    ]
    terms = {**common, "term": "P1095D", "payment_option": "no_upfront", "upfront": "0"}
    offers: list[dict[str, Any]] = [
        {**terms, "id": reservation(pool), "region": "us-east-1", "benefit": {"kind": "reservation", "sku": sku(pool)}, "recurring": text(price), "scopes": ["region"]}
        for pool, price in enumerate(reserved)
    ]
    plan = {"kind": "spend_plan", "plan": "Compute", "rates": {sku(pool): text(rate) for pool, rate in enumerate(rates)}}
    offers.append({**terms, "id": PLAN, "benefit": plan, "recurring": "1", "scopes": ["shared"]})
    document = {"schema": "covermix-catalog/1", "currency": "USD", "source": "made up for a benchmark", "prices": prices, "offers": offers}
    return covermix.Catalog.from_dict(document)
