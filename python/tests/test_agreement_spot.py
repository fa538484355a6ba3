"""Agreements and spot decided together with the purchases."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import covermix
import numpy as np
import pytest
from conftest import curves, line
from covermix import Agreements, Clause, OfferedAgreement, OtherSpend, Planner, SpotOption, Terms, UsageCurves

START = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def problem() -> covermix.Problem:
    """Two years of one instance type, 30 of it by day and 20 by night."""
    hours = np.arange(24 * 731)
    quantity = np.where((hours % 24 >= 8) & (hours % 24 < 20), 30.0, 20.0)[:, None]
    usage = UsageCurves.from_arrays(quantity, START, [line()])
    policy = covermix.Policy(terms=[12], payment_options=["no_upfront"])
    return Planner(covermix.example_catalog(), usage=usage, policy=policy, purchase_dates=[START]).build()


def offers(spend: float) -> list[OfferedAgreement]:
    def tier(share: float, discount: str) -> OfferedAgreement:
        minimum = str(round(share * spend))
        return OfferedAgreement(f"{share:.0%}", "aws", discount=discount, terms=Terms.aws_enterprise_discount("2027-01-01", [minimum, minimum]))

    return [OfferedAgreement.none(), tier(0.6, "0.05"), tier(0.88, "0.09")]


def test_agreement_and_purchases_together_are_never_dearer_than_in_turn(problem: covermix.Problem) -> None:
    spend = problem.evaluate({}).objective / 2
    choice = problem.choose_agreement(offers(spend), relative_gap=1e-3)
    first = problem.agreement_first(offers(spend), relative_gap=1e-3)
    assert [branch.offer for branch in choice.branches] == ["no agreement", "60%", "88%"]
    assert choice.cost == min(branch.cost for branch in choice.branches) == choice.best.cost
    assert choice.lower_bound <= choice.cost <= first.informed_cost + 1e-6 <= first.blind_cost + 2e-6
    assert first.offer == "88%" and choice.best.offer != "no agreement"
    assert first.cost_without_purchases == pytest.approx(2 * spend * 0.91)
    assert choice.offer("60%").discount == Decimal("0.05")
    assert choice.branches[2].shortfall_probability == 1.0 or not choice.branches[2].purchases
    assert pickle.loads(pickle.dumps(choice)) == choice
    assert len(choice.to_table()) == 3 and "chosen" in choice._repr_html_()
    ledger = choice.ledger(offer="60%")
    assert ledger is not None and len(ledger["periods"]) == 2 and len(ledger["months"]) == 24
    assert choice.ledger(offer="no agreement") is None
    settled = choice.branches[1].outcomes[0].periods[0]
    assert settled.required == Decimal(round(0.6 * spend)) and settled.counted > 0
    with pytest.raises(covermix.InputError, match="no such offer"):
        choice.offer("a tier of tomorrow")
    with pytest.raises(covermix.InputError, match="used twice") as twice:
        problem.choose_agreement([offers(spend)[1], offers(spend)[1]])
    assert (twice.value.field, twice.value.item) == ("offers.name", "60%")
    with pytest.raises(covermix.InputError, match="offers"):
        problem.choose_agreement([])


def test_a_plan_under_an_agreement_that_is_signed(problem: covermix.Problem) -> None:
    spend = problem.evaluate({}).objective / 2
    none, _, high = offers(spend)
    beside = [OtherSpend("aws", f"{year}-03-01", "marketplace", str(round(0.1 * spend))) for year in (2027, 2028)]
    planner = problem.planner.replace(agreement=high, other_spend=beside)
    assert pickle.loads(pickle.dumps(planner)) == planner != problem.planner
    plan = planner.solve(relative_gap=1e-3)
    choice = problem.choose_agreement([none, high], other=beside, relative_gap=1e-3)
    branch = choice.branches[1]
    assert plan.objective == pytest.approx(branch.cost, rel=2e-3) and plan.lower_bound <= branch.cost * (1 + 1e-9)
    assert planner.build().evaluate(plan.quantities).objective == pytest.approx(plan.objective, rel=1e-9)
    (settled,) = plan.settled
    assert [period.required for period in settled.periods] == [Decimal(round(0.88 * spend))] * 2
    ledger = plan.ledger()
    assert ledger is not None and [Decimal(row["settled"]["paid"]) for row in ledger["periods"]] == [period.paid for period in settled.periods]
    again = pickle.loads(pickle.dumps(plan))
    assert again == plan and again.settled == plan.settled
    without = problem.solve(relative_gap=1e-3)
    assert without.ledger() is None and without.settled[0].periods == () and without != plan
    # What asks from list prices is refused rather than answered wrongly.
    for ask in (lambda: planner.build().choose_agreement([none]), lambda: planner.build().solve_with_spot([])):
        with pytest.raises(covermix.InputError, match="list prices") as wrong:
            ask()
        assert wrong.value.field == "agreement" and wrong.value.item == high.name
    with pytest.raises(covermix.InputError, match="other_spend"):
        problem.planner.replace(other_spend=beside)


def test_what_clauses_and_discounts_are_worth(problem: covermix.Problem) -> None:
    spend = problem.evaluate({}).objective / 2
    choice = problem.choose_agreement(offers(spend), relative_gap=1e-3)
    only = OtherSpend("aws", "2027-03-01", "support", "1")
    choice_of_one = problem.choose_agreement([offers(spend)[2]], other=[only], relative_gap=1e-3)
    assert choice_of_one.agreements.other_spend == (only,) and pickle.loads(pickle.dumps(choice_of_one)) == choice_of_one != choice
    asked = [Clause.more_discount("0.01"), Clause.minimums("0.8"), Clause.shortfall({"deferral": {"share": "0.15", "not_in_last": 1}})]
    values = choice.clause_values(asked, offer="88%", relative_gap=1e-3)
    assert [value.value for value in values] == sorted((value.value for value in values), reverse=True)
    point = next(value for value in values if value.clause.startswith("discount"))
    assert point.proven[0] - 1e-6 <= point.value <= point.proven[1] + 1e-6 and point.value > 0
    found = problem.indifference_discount(offers(spend)[2], choice.cost, tolerance=2e-3, relative_gap=1e-3)
    assert found.offered == 0.09 and (found.at is None or found.at >= 0.09 - 2e-3)


def test_terms_and_offers_are_documents() -> None:
    terms = Terms.azure_macc("2027-01-01", [100, 200], shortfall="pay", carry_over=True, marketplace_cap_share="0.25", early_renewal=(1, [150]))
    document = terms.to_dict()
    assert document["rules"]["shortfall"] == "pay" and document["rules"]["carry_over"]["excess"]["lifetime"] == "until_used"
    assert document["counting"]["marketplace"]["marketplace_cap_share"] == "0.25" and document["early_renewal"]["from_period"] == 1
    assert Terms.from_dict(document) == terms and terms.minimums == (Decimal(100), Decimal(200))
    offer = OfferedAgreement("macc", "azure", discount=0.05, terms=terms)
    assert OfferedAgreement.from_json(offer.to_json()) == offer and offer.terms == terms and pickle.loads(pickle.dumps(offer)) == offer
    for kind in (Terms.google_cloud_commit, Terms.oracle_annual_credits):
        assert kind("2027-01-01", [1]).minimums == (Decimal(1),)
    with pytest.raises(covermix.CovermixError):
        Terms.aws_enterprise_discount("2027-01-01", [])
    with pytest.raises(covermix.InputError, match="discount"):
        OfferedAgreement("nothing", "aws")
    spend = OtherSpend("aws", "2027-03-01", "marketplace", "320000")
    assert spend.net == spend.gross == Decimal(320000) and OtherSpend.from_dict(spend.to_dict()) == spend


def test_clauses_and_agreements_are_documents_of_the_library(tmp_path: Path) -> None:
    clauses = [
        Clause.more_discount("0.01"),
        Clause.minimums("0.9"),
        Clause.growth(0),
        Clause.carry_over({"cap_share": "0.1", "lifetime": "next_period"}),
        Clause.shortfall({"credit": {"counting": "does_not_count", "lifetime": 2}}),
        Clause.marketplace_cap(None),
        Clause.marketplace_weight("0.5"),
        Clause.early_renewal(1, [1_700_000, 1_700_000]),
    ]
    kinds = ["more_discount", "minimums", "growth", "carry_over", "shortfall", "marketplace_cap", "marketplace_weight", "early_renewal"]
    assert [clause.kind for clause in clauses] == kinds
    assert [str(clause) for clause in clauses][4:6] == ["shortfall as a credit", "Marketplace without a cap"]
    assert all(Clause.from_json(clause.to_json()) == clause == pickle.loads(pickle.dumps(clause)) for clause in clauses)
    with pytest.raises(covermix.InputError, match="factor"):
        Clause.from_dict({"kind": "minimums", "share": "0.9"})
    terms = Terms.google_cloud_commit("2027-01-01", [100, 200])
    by_kind = {"discounts": [{"provider": "gcp", "kinds": ["on_demand"], "fraction": "0.04"}], "excluded_services": ["Support"]}
    offer = OfferedAgreement("commit", "gcp", discounts=by_kind, terms=terms)
    assert offer.discount == Decimal("0.04") and OfferedAgreement.none().terms is None and OfferedAgreement.none().discount == 0
    spend = OtherSpend("gcp", "2027-03-01", "marketplace", "3.5", net="3", item="Vendor", scenario="high")
    agreements = Agreements([offer, OfferedAgreement.none()], other_spend=[spend], clauses=clauses)
    assert agreements.offers == (offer, OfferedAgreement.none()) and agreements.other_spend == (spend,) and agreements.clauses == tuple(clauses)
    assert pickle.loads(pickle.dumps(agreements)) == agreements
    path = tmp_path / "offers.json"
    path.write_text(agreements.to_json())
    assert Agreements.read(path) == agreements
    # The same in short, as people write it.
    text = 'schema = "covermix-agreements/1"\n[[offers]]\nname = "edp"\nprovider = "aws"\ndiscount = 0.05\n'
    text += 'contract = "aws_enterprise_discount"\nstart = "2027-01-01"\nminimums = [100]\n'
    path = tmp_path / "offers.toml"
    path.write_text(text)
    (short,) = Agreements.read(path).offers
    assert short == OfferedAgreement("edp", "aws", discount="0.05", terms=Terms.aws_enterprise_discount("2027-01-01", [100]))
    path.write_text(text.replace('contract = "aws_enterprise_discount"\n', ""))
    with pytest.raises(covermix.InputError, match="azure_macc") as wrong:
        Agreements.read(path)
    assert (wrong.value.file, wrong.value.field, wrong.value.item) == (path, "contract", "edp")


def test_other_spend_helps_to_reach_a_minimum(problem: covermix.Problem) -> None:
    spend = problem.evaluate({}).objective / 2
    high = OfferedAgreement("high", "aws", discount="0.09", terms=Terms("in full", "2027-01-01", [str(round(0.95 * spend))] * 2))
    beside = [OtherSpend("aws", f"{year}-03-01", "marketplace", str(round(0.4 * spend))) for year in (2027, 2028)]
    without = problem.choose_agreement([high], relative_gap=1e-3).best
    with_other = problem.choose_agreement([high], other=beside, relative_gap=1e-3).best
    assert sum(with_other.expected_shortfall) < sum(without.expected_shortfall)


def test_spot_and_purchases_together_are_never_dearer_than_in_turn() -> None:
    usage, catalog = curves(), covermix.example_catalog()
    problem = Planner(catalog, usage=usage, policy=covermix.Policy(payment_options=["no_upfront"])).build()
    price = covermix.effective_spot_price(0.035, 0.096, interruptions_per_hour=0.01, restart_hours=0.1)
    assert 0.035 < price.price < 0.096 and price.is_worthwhile and price.elapsed_hours > 1
    plan = problem.solve_with_spot([SpotOption(line(), 0.5, price.price)])
    assert plan.lower_bound <= plan.objective <= plan.sequential + 1e-9 and plan.sequential <= plan.without_spot + 1e-9
    assert plan.objective < plan.without_spot
    (on_spot,) = plan.lines
    assert 0 < on_spot.share <= 0.5 and plan.spot_cost == pytest.approx(on_spot.on_spot * price.price)
    assert plan.objective == pytest.approx(float(plan.bill.total.cost) + plan.spot_cost, rel=1e-9)
    assert {one.pricing for one in plan.usage.lines} == {covermix.PricingCategory.STANDARD, covermix.PricingCategory.SPOT}
    assert len(plan.to_table()) == 1 and "SpotPlan" in repr(plan)
    assert isinstance(plan, covermix.Solution) and plan.problem == problem and plan.currency == catalog.currency and plan.gap < 1e-2
    assert copy.copy(plan) is plan and copy.deepcopy(plan) is plan
    for again in (pickle.loads(pickle.dumps(plan)), covermix.SpotPlan.from_json(plan.to_json(), problem)):
        assert again == plan and hash(again) == hash(plan) and again.to_json() == plan.to_json()
        assert again.options == (SpotOption(line(), 0.5, price.price),) and again.lines == plan.lines and again.commitments == plan.commitments
        assert again.usage == plan.usage and again.bill.total == plan.bill.total and again.status is plan.status
    less = problem.solve_with_spot([SpotOption(line(), 0.25, price.price)])
    assert less != plan and plan != problem.solve() and less.options[0].max_share == 0.25
    wrong_steps = plan.to_dict()
    wrong_steps["numbers"]["steps"].pop()
    with pytest.raises(covermix.InputError, match="steps"):
        covermix.SpotPlan.from_json(json.dumps(wrong_steps), problem)
    with pytest.raises(covermix.InputError, match="options"):
        covermix.SpotPlan.from_json("{}", problem)
    assert problem.solve_with_spot([]).objective == pytest.approx(problem.search()["objective"], rel=1e-9)
    for wrong, words in ((SpotOption(line(), 1.5, 0.03), "max_share"), (SpotOption(line("x9.huge"), 0.5, 0.03), "x9.huge")):
        with pytest.raises(covermix.InputError, match=words):
            problem.solve_with_spot([wrong])
    with pytest.raises(covermix.InputError, match="interruptions_per_hour"):
        covermix.effective_spot_price(0.03, 0.1, interruptions_per_hour=-1.0)
