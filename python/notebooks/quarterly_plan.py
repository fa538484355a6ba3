# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The quarterly plan
#
# From the bill to the board's memo: what was spent, what is held, where usage goes, what to buy, what that is worth and what could go wrong.
# The data is a synthetic company of 2025 with real AWS list prices of 2019; it ships in the package.
#
# Your own bill comes in as a table with one row an hour and line. From an AWS Cost and Usage Report, `reconcile` of the Rust workspace writes the
# usage file and the portfolio; a query in Athena, BigQuery or DuckDB with the columns of `UsageCurves.from_table` does as well.

# %%
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import covermix
import numpy as np
import pandas as pd
from covermix import finance, plots, scenario

pd.options.display.float_format = "{:,.2f}".format
catalog = covermix.example_catalog()

# %% [markdown]
# ## 1. The bill and its curves
#
# The usage export in long form, as a warehouse returns it, becomes curves. Hours that are missing, repeated or without a time zone are refused.

# %%
from importlib.resources import files

export = pd.read_csv(str(files("covermix") / "data" / "usage.csv.gz"), parse_dates=["hour"])
usage = covermix.UsageCurves.from_table(export)
export.head(3)

# %%
usage

# %% [markdown]
# Everything must have a price, or it is listed with its quantity.

# %%
assert len(usage.unknown_to(catalog)) == 0
catalog.check()[:3]

# %% [markdown]
# ## 2. What is held
#
# Bought last spring: reservations in the shop and a Compute Savings Plan, which end next spring.

# %%
spring = datetime(2025, 4, 1, tzinfo=UTC)


def bought(name, offer, quantity):
    scope = covermix.Scope("shared" if offer.startswith("sp/") else "region")
    return covermix.Commitment(name, offer, Decimal(quantity), spring, spring + timedelta(days=365), scope=scope)


held = covermix.Portfolio(
    [
        bought("shop, m5", "ri/us-east-1/m5.large/Linux/1y-standard-no-upfront", "60"),
        bought("shop, r5", "ri/us-east-1/r5.large/Linux/1y-standard-no-upfront", "50"),
        bought("everything", "sp/compute/1y-no-upfront", "6.00"),
    ]
)
held.ladder(catalog)

# %%
today = covermix.Judge(usage, catalog, held).bill()
today.months().to_pandas()[["month", "on_demand_equivalent", "cost", "coverage", "utilisation", "effective_savings_rate_list"]].tail(4)

# %%
today.commitments()

# %%
ax = today.plot_waterline(datetime(2025, 10, 6, tzinfo=UTC), datetime(2025, 10, 20, tzinfo=UTC))

# %% [markdown]
# ## 3. Where usage goes
#
# A forecast of weekly spend at on-demand prices, with bands from the method's own past errors.

# %%
hours = today.hours()["on_demand_equivalent"]
weeks = hours[: len(hours) // 168 * 168].reshape(-1, 168).sum(axis=1)
ahead = scenario.forecast(weeks, 13, quantiles=(0.1, 0.5, 0.9))
ahead.errors

# %%
pd.DataFrame(ahead.paths.T, columns=[f"{quantile:.0%}" for quantile in ahead.quantiles], index=pd.RangeIndex(1, 14, name="week ahead")).tail(3)

# %% [markdown]
# Three futures of the coming year, from drivers and plans: the number of users, a migration, a price cut. The example's file is of 2025; moved on
# by a year, it starts where the usage ends.

# %%
file = covermix.ScenarioFile(covermix.example_scenarios().to_json().replace("2025-", "2026-"))
futures = file.project(usage, catalog)
ax = plots.plot_scenarios(futures, catalog)

# %% [markdown]
# ## 4. The plan
#
# Under all three futures at once, with what is held kept; under the company's policy and a limit on what runs on.

# %%
policy = covermix.example_policy().replace(max_remaining_obligation="1500000")
planner = covermix.Planner(catalog, scenarios=futures, owning=held, policy=policy)
problem = planner.build()
plan = problem.solve(relative_gap=1e-3, time_limit=120)
plan

# %%
for reason in plan.reasons()[:4]:
    print("-", reason)

# %%
ax = plan.plot_ladder()

# %%
pd.DataFrame(
    {
        "scenario": [future.name for future in futures],
        "probability": [future.probability for future in futures],
        "cost": plan.evaluation.scenario_costs,
        "coverage": plan.evaluation.coverage,
    }
)

# %% [markdown]
# ## 5. What could go wrong
#
# Buy nothing, buy the plan, buy a plan for the best case: cost in each future, tail and regret.

# %%
best_case = covermix.Planner(catalog, usage=futures[1].usage, owning=held, policy=policy).solve(relative_gap=2e-3)
choices = {"nothing": {}, "the plan": plan.quantities, "a plan for the high case": best_case.quantities}
costs = [problem.evaluate(quantities).scenario_costs for quantities in choices.values()]
risks, chosen, information = scenario.risk([future.probability for future in futures], costs, level=0.75)
risk_table = pd.DataFrame(risks, index=list(choices))
assert list(choices)[chosen] == "the plan"
print(f"To know the future beforehand would be worth {information:,.0f} {plan.currency} a year.")
risk_table

# %%
curve = problem.frontier("max_remaining_obligation", ["400000", "800000", "1500000"], relative_gap=2e-3)
ax = plots.plot_frontier(curve)

# %% [markdown]
# ## 6. What it is worth
#
# The payments with and without the plan, month by month; net present value at the company's cost of capital of 9 %.

# %%
wacc = 0.09
before, after = plan.before.cash(), plan.after.cash()


def monthly(cash):
    months = cash["date"].astype("datetime64[M]")
    return pd.Series(cash["amount"].astype(float)).groupby(pd.Series(months)).sum()


flows = monthly(before).sub(monthly(after), fill_value=0.0)
dates = flows.index.values.astype("datetime64[D]")
value = finance.xnpv(wacc, dates, flows.to_numpy())
rate = finance.xirr(dates, flows.to_numpy())
print(f"Net present value of a year: {value:,.0f} {plan.currency}. Internal rate: {rate.unique if rate.unique is not None else rate.reason}.")
ax = plan.plot_cash_flow()

# %% [markdown]
# Without upfront payment there is no internal rate: nothing is invested. Is paying upfront worth it? The rate that prepaying earns, from the
# catalog's own prices, beside the cost of capital:

# %%
on_demand = 0.096
names = {"no upfront": "no-upfront", "partial upfront": "partial-upfront", "all upfront": "all-upfront"}
options = {}
for name, slug in names.items():
    offer = catalog.offer(f"ri/us-east-1/m5.large/Linux/1y-standard-{slug}")
    total = float(offer.upfront) + 8760 * float(offer.recurring)
    options[name] = (1 - total / (8760 * on_demand), float(offer.upfront) / total)
earned = finance.implied_prepayment_rate(options["all upfront"], options["no upfront"], months=12)
print(f"Paying all upfront earns {float(earned):.1%} a year; capital costs {wacc:.0%}.")
finance.rank_payment_options(options, on_demand_monthly=730 * on_demand, months=12, wacc=wacc)

# %%
finance.tornado(
    {"utilisation": (0.8, 1.0), "wacc": (0.06, 0.12), "price_cut": (0.0, 0.1)},
    on_demand_monthly=730 * on_demand,
    months=12,
    discount=options["no upfront"][0],
    wacc=wacc,
)

# %% [markdown]
# ## 7. Memo and order list

# %%
from IPython.display import Markdown

spread = risk_table.loc["the plan"]
memo = f"""
**Decision asked.** Buy the {len(plan.purchases)} commitments below: {plan.after.total.commitment / 12:,.0f} {plan.currency} a month with what is held,
{plan.upfront:,.2f} upfront.

**Effect.** In the base case the year's bill falls from {plan.before.total.cost:,.0f} to {plan.billed_cost:,.0f} {plan.currency}
({plan.savings_rate:.1%}); expected over the three futures {plan.objective:,.0f}.

**Proof.** Billed hour by hour by the provider's rules. No plan under this policy costs less than {plan.lower_bound:,.0f}: at most {plan.gap:.2%}
could be missed. The best simple rule costs {plan.baselines()["billed_cost"].min() - plan.objective:,.0f} more.

**Risk.** Mean of the worst quarter of outcomes {spread.conditional_value_at_risk:,.0f}; largest regret {spread.largest_regret:,.0f}.
Stop buying if usage follows the low case by the next quarter.

**Assumptions.** Prices of {catalog.price_date} ({catalog.source[:60]}); usage of 2025 projected by the scenario file; covermix {covermix.__version__}.
"""
Markdown(memo)

# %%
orders = plan.order_list()
orders

# %%
assert plan.lower_bound <= plan.objective
assert orders["upfront"].sum() == plan.upfront == 0
assert Decimal(0) < plan.savings
orders.to_pandas().to_csv(index=False).splitlines()[:2]
