"""covermix decides which cloud commitments to buy: AWS Reserved Instances and Savings Plans, Azure reservations and savings plans, Google committed
use discounts. A plan is priced by replaying the provider's own billing rules in every hour, and comes with a proven lower bound.

The nouns are those of the Rust library: :class:`UsageCurves` (what runs), :class:`Catalog` (what is for sale), :class:`Portfolio` (what is held),
:class:`Judge` and :class:`Bill` (what it costs), :class:`Planner`, :class:`Problem` and :class:`Plan` (what to buy), :class:`Rights` (what may be done
with what is held), :class:`Orders` and :class:`Report` (what to do, and for whom), :func:`read_bill` (a provider's bill), :mod:`covermix.scenario`
(what may happen), :mod:`covermix.finance` (money and time), :mod:`covermix.plots` (charts on matplotlib).

>>> import covermix
>>> usage = covermix.example_usage().filter(account="shop", sku="r5.*")
>>> plan = covermix.Planner(covermix.example_catalog(), usage=usage).solve()
>>> plan.gap < 2e-3
True
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import finance, scenario
from ._agreement import Agreements, Clause, OfferedAgreement, OtherSpend, SpendKind, Terms
from ._billing import Bill, Explanation, Judge, Step
from ._catalog import Catalog, Portfolio, PortfolioReconciliation
from ._choice import AgreementFirst, Branch, Choice, ClauseValue, IndifferenceDiscount, SettledPeriod, YearOutcome
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
from ._held import (
    Action,
    Assumptions,
    Change,
    Deadline,
    DeadlineKind,
    Finding,
    Flexibility,
    Limit,
    LockIn,
    Permission,
    PlannedAction,
    Received,
    Rights,
    ScenarioWorth,
    Tranche,
)
from ._many import plan_many, plan_one
from ._native import __version__
from ._orders import Cause, Order, OrderEffect, Orders, Verification
from ._plan import Plan
from ._planning import Planner, Problem
from ._policy import Objective, Policy, Rules
from ._provider_bill import (
    BillMoney,
    BillProgress,
    ChargeMoney,
    OwnerCost,
    Owners,
    ProviderBill,
    Reconciliation,
    ReconciliationEntry,
    Treatment,
    find_program,
    read_bill,
)
from ._records import (
    Certificate,
    Charges,
    Clash,
    ClashingRule,
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
from ._report import Audience, Report
from ._solution import Solution
from ._spot import EffectivePrice, SpotLine, SpotOption, SpotPlan, effective_spot_price
from ._table import Table
from ._usage import UsageCurves
from .scenario import Scenario, ScenarioFile

if TYPE_CHECKING:
    from . import plots as plots

__all__ = [
    "Action",
    "AgreementFirst",
    "Agreements",
    "Assumptions",
    "Audience",
    "Bill",
    "BillMoney",
    "BillProgress",
    "Branch",
    "Catalog",
    "Cause",
    "Certificate",
    "Change",
    "ChargeMoney",
    "Charges",
    "Choice",
    "Clash",
    "ClashingRule",
    "Clause",
    "ClauseValue",
    "Commitment",
    "CovermixError",
    "CovermixWarning",
    "Deadline",
    "DeadlineKind",
    "EffectivePrice",
    "Evaluation",
    "Explanation",
    "FileError",
    "FinanceError",
    "Finding",
    "Flexibility",
    "IndifferenceDiscount",
    "InfeasibleError",
    "InputError",
    "InterruptedWarning",
    "Judge",
    "Limit",
    "LockIn",
    "Objective",
    "Offer",
    "OfferedAgreement",
    "Order",
    "OrderEffect",
    "Orders",
    "OtherSpend",
    "OwnerCost",
    "Owners",
    "PaymentOption",
    "Permission",
    "Plan",
    "PlannedAction",
    "Planner",
    "Policy",
    "Portfolio",
    "PortfolioReconciliation",
    "PricingCategory",
    "Problem",
    "Progress",
    "Provider",
    "ProviderBill",
    "Purchase",
    "Reason",
    "Received",
    "Reconciliation",
    "ReconciliationEntry",
    "Remainder",
    "Report",
    "Right",
    "Rights",
    "Rules",
    "Scenario",
    "ScenarioFile",
    "ScenarioWorth",
    "Scope",
    "SettledPeriod",
    "Solution",
    "SolverError",
    "SpendKind",
    "SpotLine",
    "SpotOption",
    "SpotPlan",
    "Status",
    "Step",
    "Table",
    "Terms",
    "Tranche",
    "Treatment",
    "UnknownSku",
    "UnknownSkuError",
    "UsageCurves",
    "UsageError",
    "UsageLine",
    "Verification",
    "YearOutcome",
    "__version__",
    "effective_spot_price",
    "example_bill",
    "example_catalog",
    "example_policy",
    "example_portfolio",
    "example_scenarios",
    "example_usage",
    "finance",
    "find_program",
    "plan_many",
    "plan_one",
    "read_bill",
    "scenario",
]


#: The example company's files.
_DATA = Path(__file__).parent / "data"


def example_usage() -> UsageCurves:
    """A synthetic year of a mid-sized company: 8,760 hours of EC2 in several accounts and regions."""
    return UsageCurves.read(_DATA / "usage.csv.gz")


def example_catalog() -> Catalog:
    """Real AWS list prices of 2019-04-05 for the example usage."""
    return Catalog.read(_DATA / "catalog.json")


def example_policy() -> Policy:
    """What the example company allows: nothing upfront, at most 40 % for three years."""
    return Policy.read(_DATA / "policy.toml")


def example_portfolio() -> Portfolio:
    """What the example company holds: 110 reservations of the shop and a Compute Savings Plan, from April 2025 to April 2026."""
    return Portfolio.read(_DATA / "portfolio.json", example_catalog())


def example_bill(**options: Any) -> ProviderBill:
    """The example company's bill of December 2025, a FOCUS export with its contract commitments, read by :func:`read_bill` with these options."""
    bill, contracts = _DATA / "bill-2025-12.csv.gz", _DATA / "bill-2025-12-contracts.csv"
    return read_bill(bill, contracts=[contracts], **{"catalog": example_catalog(), **options})


def example_scenarios() -> ScenarioFile:
    """Three futures of the year 2025 for the example usage."""
    return ScenarioFile.read(_DATA / "scenarios.toml")


def __getattr__(name: str) -> Any:
    """Charts are loaded when they are asked for."""
    if name == "plots":
        from importlib import import_module

        return import_module(".plots", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
