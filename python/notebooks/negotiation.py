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
# # Negotiating an agreement
#
# An agreement (AWS EDP or PPA, Azure MACC, Google commit) gives a discount for a yearly amount that is owed whether it is spent or not. How much to
# commit? Savings by commitments lower the spend that counts, so both are looked at together: for each tier, the plan is made again at the tier's
# prices, and the year is charged in each future.

# %%
import covermix
import pandas as pd
from covermix import finance

pd.options.display.float_format = "{:,.2f}".format
catalog, usage = covermix.example_catalog(), covermix.example_usage().filter(account="shop")
futures = covermix.example_scenarios().project(usage, catalog)
policy = covermix.example_policy()

# %% [markdown]
# ## What is spent without an agreement

# %%
alone = covermix.Planner(catalog, scenarios=futures, policy=policy).solve(relative_gap=2e-3)
spend = dict(zip((future.name for future in futures), alone.evaluation.scenario_costs, strict=True))
alone

# %% [markdown]
# ## The tiers on the table
#
# Commit and discount a year. Where spend is above the indifference point of two tiers, the deeper one costs less.

# %%
base = spend["base"]
tiers = {
    "none": (0.0, 0.0),
    "low": (round(0.70 * base, -3), 0.05),
    "middle": (round(0.90 * base, -3), 0.07),
    "high": (round(1.05 * base, -3), 0.09),
}
pairs = [("low", "middle"), ("middle", "high")]
pd.DataFrame(
    [(f"{shallow} to {deep}", finance.indifference_spend(tiers[shallow], tiers[deep])) for shallow, deep in pairs],
    columns=["tiers", "gross spend above which the deeper costs less"],
)

# %% [markdown]
# ## Plan and agreement together
#
# Here the discount falls on all usage and fees of commitments. What counts is the discounted spend; what is missing is owed.

# %%
rows = []
for name, (commit, discount) in tiers.items():
    term = {"kind": "percentage", "percent": str(round(100 * discount, 6)), "commitments": "included"}
    plan = covermix.Planner(catalog.negotiated([term]) if discount else catalog, scenarios=futures, policy=policy).solve(relative_gap=2e-3)
    for future, net in zip(futures, plan.evaluation.scenario_costs, strict=True):
        gross = net / (1 - discount)
        year = finance.tier_cost(gross, commit=commit, discount=discount)
        rows.append({"tier": name, "scenario": future.name, "probability": future.probability, "net spend": net, "shortfall": year - net, "year": year})
table = pd.DataFrame(rows)
table.pivot(index="tier", columns="scenario", values="year").loc[list(tiers)]

# %%
expected = table.assign(weighted=table["year"] * table["probability"]).groupby("tier")["weighted"].sum().loc[list(tiers)]
order = [future.name for future in futures]
costs = table.pivot(index="tier", columns="scenario", values="year").loc[list(tiers), order]
risks, chosen, information = covermix.scenario.risk([future.probability for future in futures], costs.to_numpy(), level=0.75)
result = pd.DataFrame(risks, index=list(tiers))
print(f"Least expected cost: {list(tiers)[chosen]}. To know the future first would be worth {information:,.0f} a year.")
result

# %% [markdown]
# ## The shortfall rule matters as much as the discount
#
# Three years of the chosen tier if the low case comes: paid at once, or deferred to a later year.

# %%
commit, discount = tiers[list(tiers)[chosen]]
low = [float(value) for value in table[(table["tier"] == list(tiers)[chosen]) & (table["scenario"] == "low")]["net spend"]] * 3
finance.ledger([commit] * 3, [low[0], 1.1 * low[0], 1.2 * low[0]], carry_over=True)

# %%
finance.ledger([commit] * 3, [low[0], 1.1 * low[0], 1.2 * low[0]], shortfall={"credit": {"counting": "does_not_count", "lifetime": None}})

# %% [markdown]
# ## What counts
#
# Marketplace purchases count in part and up to a cap: room to meet the floor without running more.

# %%
finance.eligible_spend(0.85 * commit, 0.3 * commit, minimum=commit, marketplace_weight=1.0, marketplace_cap_share=0.25)

# %%
assert (table["shortfall"] > -1e-6 * table["year"]).all()
assert expected.iloc[chosen] == expected.min()
expected.rename("expected cost of a year").to_frame()
