"""covermix decides which cloud commitments to buy: AWS Reserved Instances and Savings Plans, Azure reservations and savings plans, Google committed
use discounts. A plan is priced by replaying the provider's own billing rules in every hour, and comes with a proven lower bound.

The nouns are those of the Rust library: :class:`UsageCurves` (what runs), :class:`Catalog` (what is for sale), :class:`Portfolio` (what is held),
:class:`Judge` and :class:`Bill` (what it costs), :class:`Planner`, :class:`Problem` and :class:`Plan` (what to buy), :mod:`covermix.scenario` (what may
happen), :mod:`covermix.finance` (money and time), :mod:`covermix.plots` (charts on matplotlib).

>>> import covermix
>>> usage = covermix.example_usage().filter(account="shop", sku="r5.*")
>>> plan = covermix.Planner(covermix.example_catalog(), usage=usage).solve()
>>> plan.gap < 2e-3
True
"""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

from . import finance, scenario
from ._billing import Bill, Judge
from ._catalog import Catalog, Portfolio
from ._errors import (
    CovermixError,
    CovermixWarning,
    FileError,
    FinanceError,
    InfeasibleError,
    InputError,
    InterruptedWarning,
    SolverError,
    UnknownSku,
    UnknownSkuError,
    UsageError,
)
from ._many import plan_many, plan_one
from ._native import __version__
from ._planning import Plan, Planner, Problem
from ._policy import Objective, Policy, Rules
from ._records import (
    Certificate,
    Charges,
    Commitment,
    Evaluation,
    Offer,
    PaymentOption,
    PricingCategory,
    Progress,
    Provider,
    Purchase,
    Reason,
    Remainder,
    Right,
    Scope,
    Status,
    UsageLine,
)
from ._table import Table
from ._usage import UsageCurves
from .scenario import Scenario, ScenarioFile

if TYPE_CHECKING:
    from . import plots as plots

__all__ = [
    "Bill",
    "Catalog",
    "Certificate",
    "Charges",
    "Commitment",
    "CovermixError",
    "CovermixWarning",
    "Evaluation",
    "FileError",
    "FinanceError",
    "InfeasibleError",
    "InputError",
    "InterruptedWarning",
    "Judge",
    "Objective",
    "Offer",
    "PaymentOption",
    "Plan",
    "Planner",
    "Policy",
    "Portfolio",
    "PricingCategory",
    "Problem",
    "Progress",
    "Provider",
    "Purchase",
    "Reason",
    "Remainder",
    "Right",
    "Rules",
    "Scenario",
    "ScenarioFile",
    "Scope",
    "SolverError",
    "Status",
    "Table",
    "UnknownSku",
    "UnknownSkuError",
    "UsageCurves",
    "UsageError",
    "UsageLine",
    "__version__",
    "example_catalog",
    "example_policy",
    "example_scenarios",
    "example_usage",
    "finance",
    "plan_many",
    "plan_one",
    "scenario",
]


def example_usage() -> UsageCurves:
    """A synthetic year of a mid-sized company: 8,760 hours of EC2 in several accounts and regions."""
    with as_file(files(__name__) / "data" / "usage.csv.gz") as path:
        return UsageCurves.read(path)


def example_catalog() -> Catalog:
    """Real AWS list prices of 2019-04-05 for the example usage."""
    with as_file(files(__name__) / "data" / "catalog.json") as path:
        return Catalog.read(path)


def example_policy() -> Policy:
    """What the example company allows: nothing upfront, at most 40 % for three years."""
    with as_file(files(__name__) / "data" / "policy.toml") as path:
        return Policy.read(path)


def example_scenarios() -> ScenarioFile:
    """Three futures of the year 2025 for the example usage."""
    with as_file(files(__name__) / "data" / "scenarios.toml") as path:
        return ScenarioFile.read(path)


def __getattr__(name: str) -> Any:
    """Charts are loaded when they are asked for."""
    if name == "plots":
        from importlib import import_module

        return import_module(".plots", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
