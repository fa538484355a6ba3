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
# commit? Commitments lower the spend that counts, and the discount changes what commitments are worth, so both are decided together, in all futures
# at once, with a proven bound.

# %%
import covermix
import pandas as pd
from covermix import Clause, OfferedAgreement, OtherSpend, Terms, finance

pd.options.display.float_format = "{:,.2f}".format
catalog, usage = covermix.example_catalog(), covermix.example_usage().filter(account="shop")
futures = covermix.example_scenarios().project(usage, catalog)
problem = covermix.Planner(catalog, scenarios=futures, policy=covermix.example_policy()).build()

# %% [markdown]
# ## What is spent without an agreement

# %%
alone = problem.solve(relative_gap=2e-3)
spend = round(problem.evaluate({}).objective, -3)
print(f"With nothing bought and nothing signed a year costs {spend:,.0f} {alone.currency}.")
alone

# %% [markdown]
# ## The tiers on the table
#
# A minimum for each of three years, and a discount. Beside the usage there are purchases on the Marketplace, which count up to a quarter of the minimum.

# %%
start = usage.first_hour.date()
other = [OtherSpend("aws", start, "marketplace", str(round(0.1 * spend)))]


def tier(name, share, discount):
    minimum = str(round(share * spend, -3))
    return OfferedAgreement(name, "aws", discount=discount, terms=Terms.aws_enterprise_discount(start, [minimum] * 3))


offers = [OfferedAgreement.none(), tier("low", 0.55, "0.04"), tier("middle", 0.62, "0.06"), tier("high", 0.70, "0.08")]
offers

# %% [markdown]
# ## Agreement and purchases together

# %%
choice = problem.choose_agreement(offers, other=other, relative_gap=2e-3)
choice

# %%
best = choice.best
print(f"Sign {best.offer!r}: {choice.cost:,.0f} expected a year; no plan under any offer costs less than {choice.lower_bound:,.0f} (gap {choice.gap:.2%}).")
for purchase in best.purchases[:4]:
    print(f"- {purchase.quantity.normalize():f} x {purchase.offer}")

# %% [markdown]
# ## Deciding in turn
#
# Sign first, by the spend of today, and buy afterwards: what does that cost?

# %%
first = problem.agreement_first(offers, other=other, relative_gap=2e-3)
print(f"With nothing bought {first.offer!r} looks cheapest. Buying afterwards without regard to its minimum costs {first.blind_cost:,.0f},")
print(f"with regard to it {first.informed_cost:,.0f}: deciding together saves {first.informed_cost - choice.cost:,.0f} a year.")

# %% [markdown]
# ## What to ask for
#
# At which discount would the high tier be worth as much? And what would clauses be worth, purchases decided anew?

# %%
high = choice.offer("high")
found = problem.indifference_discount(high, choice.cost, other=other, largest=0.3, tolerance=2e-3, relative_gap=2e-3)
print(f"The high tier is offered at {found.offered:.1%}; " + ("no discount up to 30 % is enough" if found.at is None else f"indifferent at {found.at:.1%}"))

# %%
asked = [Clause.more_discount("0.01"), Clause.minimums("0.9"), Clause.marketplace_cap(None), Clause.carry_over()]
values = choice.clause_values(asked, offer="high", relative_gap=2e-3)
pd.DataFrame(values).drop(columns=["cost"])

# %% [markdown]
# ## The shortfall rule matters as much as the discount
#
# Three years of the high tier if spend stays below its minimum: paid at once, or kept as a credit.

# %%
minimum = float(high.terms.minimums[0])
short = [0.8 * minimum, 0.95 * minimum, 1.1 * minimum]
finance.ledger([minimum] * 3, short, carry_over=True)

# %%
finance.ledger([minimum] * 3, short, shortfall={"credit": {"counting": "does_not_count", "lifetime": None}})

# %%
assert choice.lower_bound <= choice.cost <= first.informed_cost + 1e-6
assert choice.cost == min(branch.cost for branch in choice.branches)
choice.to_table().to_pandas()[["offer", "cost", "lower_bound"]]
