"""Inputs that the tests share, made once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import covermix
import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
START = datetime(2025, 1, 6, tzinfo=UTC)


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Ctrl-C as in a terminal: a test command that runs in the background may have been started with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def line(sku: str = "m5.large", **more: str) -> covermix.UsageLine:
    """A line of the example catalog."""
    given = {"region": "us-east-1", "platform": "Linux", "tenancy": "shared", "unit": "instance-hour", "account": "a"}
    return covermix.UsageLine("aws", "AmazonEC2", sku, **{**given, **more})


def curves(hours: int = 336, skus: tuple[str, ...] = ("m5.large", "m5.xlarge", "r5.large"), seed: int = 7) -> covermix.UsageCurves:
    """Two weeks of daily waves with noise, whole instances."""
    random = np.random.default_rng(seed)
    hour = np.arange(hours)[:, None]
    level = 20 + 10 * np.arange(1, len(skus) + 1)[None, :]
    wave = level * (1 + 0.4 * np.sin(hour * 2 * np.pi / 24)) + random.normal(0, 2, (hours, len(skus)))
    return covermix.UsageCurves.from_arrays(np.maximum(wave, 0).round(), START, [line(sku) for sku in skus])


@pytest.fixture(scope="session")
def catalog() -> covermix.Catalog:
    return covermix.example_catalog()


@pytest.fixture(scope="session")
def usage() -> covermix.UsageCurves:
    return curves()


@pytest.fixture(scope="session")
def policy() -> covermix.Policy:
    return covermix.Policy(payment_options=["no_upfront"], max_share_three_year=0.4)


@pytest.fixture(scope="session")
def plan(catalog: covermix.Catalog, usage: covermix.UsageCurves, policy: covermix.Policy) -> covermix.Plan:
    return covermix.Planner(catalog, usage=usage, policy=policy).solve()
