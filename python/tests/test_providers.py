"""Azure and Google from Python: the shipped catalogs of the repository, judged and planned."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import covermix
import numpy as np
import pytest
from conftest import REPOSITORY, START
from covermix import Catalog, Commitment, Judge, Planner, Portfolio, Provider, Scope, UsageCurves, UsageLine

HOURS = 336


def catalog(provider: str) -> Catalog:
    path = REPOSITORY / "data" / f"{provider}-catalog.json"
    if not path.exists():
        pytest.skip(f"{path} is not there: these tests run in the repository")
    return Catalog.read(path)


def curves(lines: list[UsageLine], *levels: float) -> UsageCurves:
    hour = np.arange(HOURS)
    wave = np.where((hour % 24 >= 8) & (hour % 24 < 20), 1.0, 0.6)
    return UsageCurves.from_arrays(np.column_stack([np.round(level * wave) for level in levels]), START, lines)


def azure_line(sku: str, account: str = "sub-a") -> UsageLine:
    given = {"region": "francecentral", "platform": "Linux", "tenancy": "shared", "unit": "instance-hour"}
    return UsageLine("azure", "Virtual Machines", sku, account=account, **given)


def google_line(sku: str, unit: str, account: str = "project-a") -> UsageLine:
    return UsageLine("gcp", "Compute Engine", sku, region="us-central1", unit=unit, account=account)


def held(catalog: Catalog, offer: str, quantity: str, account: str, scope: Scope) -> Portfolio:
    return Portfolio([Commitment("held", catalog.offer(offer).id, Decimal(quantity), START, START + timedelta(days=365), account, scope)])


def test_an_azure_reservation_is_flexible_in_size_and_keeps_its_scope() -> None:
    prices = catalog("azure")
    lines = [azure_line("Standard_D2s_v5"), azure_line("Standard_D16s_v5"), azure_line("Standard_D2s_v5", "sub-b")]
    usage = UsageCurves.from_arrays(np.tile([4.0, 1.0, 5.0], (24, 1)), START, lines)
    offer = next(one.id for one in prices.offers if "Standard_D2s_v5/Linux" in one.id and one.id.endswith("12m/monthly"))
    # 12 units cover the 4 of the D2s and the 8 of the D16s of the subscription; nothing of the other subscription.
    bill = Judge(usage, prices, held(prices, offer, "12", "sub-a", Scope("subscription", subscription="sub-a"))).bill()
    covered = {row["line"]: row["covered"] for row in bill.lines()}
    assert {name: covered[name] for name in covered if "sub-b" in name}[lines[2].name] == 0
    assert covered[lines[0].name] == 4 * 24 and covered[lines[1].name] == 24
    assert bill.commitments()["utilisation"].tolist() == [1.0]
    shared = Judge(usage, prices, held(prices, offer, "17", "sub-a", Scope("shared"))).bill()
    assert sum(row["covered"] for row in shared.lines()) == 24 * 10 and shared.total.on_demand == 0


@pytest.mark.parametrize("provider", ["azure", "gcp"])
def test_plans_of_other_providers_are_proven_and_keep_their_rules(provider: str) -> None:
    prices = catalog(provider)
    if provider == "azure":
        usage = curves([azure_line("Standard_D2s_v5"), azure_line("Standard_B4ms"), azure_line("Standard_D16s_v5", "sub-b")], 40, 10, 3)
    else:
        usage = curves([google_line("C3 vCPU", "vCPU-hour"), google_line("C3 memory", "GiB-hour"), google_line("E2 vCPU", "vCPU-hour")], 64, 256, 32)
    plan = Planner(prices, usage=usage, policy=covermix.Policy(terms=[12], payment_options=["no_upfront"])).solve()
    assert plan.purchases and {one.offer.provider for one in plan.purchases} == {Provider(provider)}
    assert plan.lower_bound <= plan.objective <= plan.baselines()["billed_cost"].min() + 1e-6 and plan.gap < 5e-3
    assert plan.savings > 0 and {one.offer.term for one in plan.purchases} == {"P1Y"}
    assert plan.after.total.cost == pytest.approx(plan.billed_cost)
    rows = Judge(usage, prices, plan.portfolio).focus_rows(START, START + timedelta(hours=1))
    assert {row["ProviderName"] for row in rows} == {"Microsoft" if provider == "azure" else "Google Cloud"}
    orders = plan.orders("my-account")
    assert len(orders) == len(plan.purchases) and all(order.provider == provider and order.call for order in orders)


def test_google_commitments_are_of_a_project_or_shared_and_a_flexible_one_takes_the_rest() -> None:
    prices = catalog("gcp")
    lines = [google_line("N2 vCPU", "vCPU-hour"), google_line("N2 vCPU", "vCPU-hour", "project-b")]
    usage = UsageCurves.from_arrays(np.tile([10.0, 10.0], (24, 1)), START, lines)
    offer = next(one.id for one in prices.offers if "/N2 vCPU/" in one.id and one.id.endswith("12m"))
    own = Judge(usage, prices, held(prices, offer, "15", "project-a", Scope("project", project="project-a"))).bill()
    assert {row["line"]: row["covered"] for row in own.lines()} == {lines[0].name: 240, lines[1].name: 0}
    assert own.commitments()["utilisation"].tolist() == [pytest.approx(10 / 15)]
    shared = Judge(usage, prices, held(prices, offer, "15", "project-a", Scope("shared"))).bill()
    assert sum(row["covered"] for row in shared.lines()) == 15 * 24
    flexible = Judge(usage, prices, held(prices, "gcp/Compute flexible/12m", "100", "project-a", Scope("shared"))).bill()
    assert flexible.total.on_demand == 0


def test_exchanges_and_refunds_of_azure_are_the_providers_own() -> None:
    prices = catalog("azure")
    offer = next(one.id for one in prices.offers if "Standard_D2s_v5/Linux" in one.id and one.id.endswith("12m/monthly"))
    portfolio = held(prices, offer, "12", "sub-a", Scope("shared"))
    allowed = {one.action for one in portfolio.permissions(prices, START + timedelta(days=30)) if one.is_allowed}
    assert {covermix.Action.EXCHANGE, covermix.Action.REFUND} <= allowed and covermix.Action.SELL not in allowed
    kinds = {deadline.kind for deadline in portfolio.deadlines(prices, START + timedelta(days=30))}
    assert covermix.DeadlineKind.RENEWAL in kinds, "Azure reservations renew unless that is stopped"
