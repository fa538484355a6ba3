//! The recommendation as JSON, for programs. Money is in the catalog's currency, over all hours of the usage unless a name says monthly.

use super::table::scope;
use crate::billing::Charges;
use crate::catalog::{Catalog, Offer};
use crate::planning::{Plan, Purchase};
use crate::units::{Money, to_f64};
use serde_json::{Value, json};

/// The recommendation as a JSON document: `status`, `currency`, `lower_bound`, `billed_cost`, `gap`, `savings`, `purchases` ...
#[must_use]
pub fn recommendation_json(plan: &Plan, catalog: &Catalog) -> Value {
    let baselines = plan.baselines().iter().map(|baseline| {
        json!({"rule": baseline.rule.to_string(), "billed_cost": baseline.billed_cost, "allowed_by_policy": baseline.is_allowed})
    });
    json!({
        "schema": "covermix-recommendation/1",
        "version": env!("CARGO_PKG_VERSION"),
        "catalog": {"source": catalog.source(), "price_date": catalog.price_date()},
        "status": match plan.status() {
            crate::planning::Status::Optimal => "optimal",
            crate::planning::Status::GapRemains => "gap_remains",
            crate::planning::Status::StoppedAtLimit => "stopped_at_limit",
        },
        "currency": catalog.currency(),
        "hours": plan.hours(),
        "lower_bound": plan.lower_bound(),
        "billed_cost": number(plan.billed_cost()),
        "objective": plan.objective(),
        "gap": plan.gap(),
        "certificate": plan.certificate(),
        "scenario_costs": plan.solution().evaluation.scenario_costs,
        "cost_before": number(plan.before().total().cost()),
        "savings": number(plan.savings()),
        "savings_rate": plan.savings_rate(),
        "savings_monthly": number(plan.monthly(plan.savings())),
        "upfront": number(plan.upfront()),
        "cash_break_even_month": plan.cash_break_even_month(),
        "before": charges(plan.before().total()),
        "after": charges(plan.after().total()),
        "purchases": plan.purchases().iter().map(purchase).collect::<Vec<Value>>(),
        "baselines": baselines.collect::<Vec<Value>>(),
        "sweeps": plan.sweeps(),
        "seconds": plan.time().as_secs_f64(),
    })
}

fn purchase(purchase: &Purchase) -> Value {
    let Offer { id, provider, service, region, term, payment_option, rights, derived, .. } = &purchase.offer;
    json!({
        "offer": id,
        "provider": provider,
        "service": service,
        "region": region,
        "scope": scope(&purchase.scope),
        "term": term,
        "payment_option": payment_option,
        "rights": rights,
        "kind": if purchase.offer.is_spend_plan() { "spend_plan" } else { "reservation" },
        "quantity": to_f64(purchase.quantity),
        "upfront": number(purchase.upfront),
        "monthly": number(purchase.monthly),
        "covered_on_demand_monthly": number(purchase.covered_monthly),
        "utilisation": purchase.utilisation,
        "break_even_month": purchase.break_even_month,
        "price_derived": derived,
    })
}

fn charges(charges: Charges) -> Value {
    json!({
        "on_demand_equivalent": number(charges.on_demand_equivalent),
        "on_demand": number(charges.on_demand),
        "used_commitment": number(charges.used_commitment),
        "unused_commitment": number(charges.unused_commitment),
        "cost": number(charges.cost()),
        "effective_savings_rate_list": charges.effective_savings_rate_list(),
        "coverage": charges.coverage(),
        "utilisation": charges.utilisation(),
    })
}

/// Money as a JSON number, to six decimals.
fn number(amount: Money) -> f64 {
    to_f64(amount.value().round_dp(6))
}
