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
# # First steps
#
# From hourly usage to a list of what to buy, with its proof, in ten cells. Everything here ships in the package.

# %%
import covermix

covermix.__version__

# %% [markdown]
# **What runs.** One row an hour, one column a usage line. `UsageCurves.from_table` takes frames of pandas, Polars, PyArrow and DuckDB too.

# %%
usage = covermix.example_usage()
usage

# %% [markdown]
# **What is for sale.** On-demand prices, reservations and Savings Plans.

# %%
catalog = covermix.example_catalog()
catalog

# %% [markdown]
# **What it costs today**, with nothing bought: the judge bills every hour by the provider's rules, in decimals.

# %%
bill = covermix.Judge(usage, catalog).bill()
bill.total.cost

# %% [markdown]
# **What is allowed.** Nothing paid upfront, at most 40 % of the new commitments for three years.

# %%
policy = covermix.Policy(payment_options=["no_upfront"], max_share_three_year=0.4)
policy

# %% [markdown]
# **What to buy.** The gap says by how much any other plan under the same policy could be cheaper at most.

# %%
plan = covermix.Planner(catalog, usage=usage, policy=policy).solve()
plan

# %%
ax = plan.plot_load_duration()

# %% [markdown]
# **How do we know?** The simple rules, billed by the same judge; none is cheaper, and the bound says that nothing could be by more than the gap.

# %%
plan.baselines().to_pandas().head(5)

# %% [markdown]
# **Why this much** of the largest purchase?

# %%
print(plan.reasons()[0])

# %%
assert plan.lower_bound <= plan.objective <= plan.baselines()["billed_cost"].min()
print(f"Saves {plan.savings_monthly:,.2f} {plan.currency} a month; no plan could be more than {plan.gap:.3%} cheaper.")
