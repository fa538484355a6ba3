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
# The company is synthetic, its list prices are real ones of AWS in 2019; all of it ships in the package.

# %%
from datetime import UTC, datetime
from decimal import Decimal

import covermix
import numpy as np
import pandas as pd
from covermix import finance, plots, scenario

pd.options.display.float_format = "{:,.2f}".format
catalog = covermix.example_catalog()

# %% [markdown]
# ## 1. The bill
#
# December's bill, a FOCUS export, is read by the program `covermix` (your own: `covermix.read_bill("bill.parquet", catalog=catalog)`). Every row and
# every dollar is accounted for. Where the program is not installed, the portfolio and the curves that it would write are read from the package.

# %%
try:
    bill = covermix.example_bill()
    held = bill.portfolio
except covermix.FileError as error:
    print(error.remedy)
    bill, held = None, covermix.example_portfolio()

# %% tags=["needs-program"]
bill

# %% tags=["needs-program"]
money = bill.money
print(f"Billed {money.billed:,.2f} {bill.currency}: effective savings rate {money.effective_savings_rate:.2%}, coverage {money.coverage:.2%}.")

# %% [markdown]
# Twelve such bills give the year's curves. Everything must have a price, or it is listed with its quantity.

# %%
usage = covermix.example_usage()
december = usage.between(datetime(2025, 12, 1, tzinfo=UTC), usage.end)
assert bill is None or np.allclose(bill.usage.quantity, december.quantity, rtol=1e-12)
assert len(usage.unknown_to(catalog)) == 0
usage

# %% [markdown]
# The same curves come from a table that a warehouse returns; hours that are missing, repeated or without a time zone are refused.

# %%
from importlib.resources import files

export = pd.read_csv(str(files("covermix") / "data" / "usage.csv.gz"), parse_dates=["hour"])
assert covermix.UsageCurves.from_table(export) == usage
export.head(3)

# %% [markdown]
# ## 2. What is held
#
# Bought last spring: reservations of the shop and a Compute Savings Plan, which end next spring.

# %%
held.ladder(catalog)

# %%
for deadline in held.deadlines(catalog, "2025-12-31"):
    print(deadline)

# %%
today = covermix.Judge(usage, catalog, held).bill()
today.months().to_pandas()[["month", "on_demand_equivalent", "cost", "coverage", "utilisation", "effective_savings_rate_list"]].tail(4)

# %%
today.commitments()

# %%
ax = today.plot_waterline(datetime(2025, 10, 6, tzinfo=UTC), datetime(2025, 10, 20, tzinfo=UTC))

# %% [markdown]
# One hour of it, step by step:

# %%
print(str(today.explain("2025-12-24T12:00:00+00:00"))[:600])

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
# Three futures of the coming year, from drivers and plans: the number of users, growth, a migration to larger sizes (the same price for the same
# work). The example's file is of 2025; moved on by a year, it starts where the usage ends.

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
plan = problem.solve(relative_gap=1e-3)
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

# %% [markdown]
# Which commitments might stand idle?

# %%
pd.DataFrame(scenario.utilisation_risk(futures, catalog, plan.portfolio, threshold=0.9)).drop(columns="utilisation").head(5)

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
# ## 7. The board's memo and the orders
#
# One report for three readers: `report.page("analyst")` shows everything, `report.write(folder)` writes all pages as HTML, Markdown, CSV and JSON.

# %%
from IPython.display import Markdown

cases = {future.name: future.usage for future in futures}
base = futures[0].usage
cases["a third less"] = covermix.UsageCurves.from_arrays(base.quantity * 2 / 3, base.first_hour, base.lines)
settings = {"discount_rate": wacc, "purchase_date": base.first_hour.date(), "coverage_levels": (), "price_limits": False}
report = plan.report("executive", cases=cases, **settings)
Markdown(report.to_markdown())

# %%
orders = plan.orders(account="111122223333")
orders

# %% [markdown]
# Next quarter: has the promise been kept? Here all but the first order were executed, and usage is that of the plan.

# %%
document = orders.to_dict()
executed = covermix.Orders.from_dict({**document, "orders": document["orders"][1:]})
promised = covermix.Judge(futures[0].usage, catalog, held)
came = covermix.Judge(futures[0].usage, catalog, executed.apply(held))
verification = orders.verify(promised=promised, came=came)
print(f"Promised {verification.promised:,.2f}, came {verification.came:,.2f}, because of:")
for effect in verification.not_as_ordered:
    print(f"- {effect.order}, {effect.cause.replace('_', ' ')}: {effect.amount:,.2f}")

# %%
assert plan.lower_bound <= plan.objective
assert sum(order.paid for order in orders) == plan.upfront == 0
assert Decimal(0) < plan.savings
assert len(verification.not_as_ordered) == 1 and verification.difference == verification.not_as_ordered[0].amount
