//! The plan in other futures: purchases and actions stay, usage differs, and everything is billed again by the judge.

use super::super::figure::Figure;
use super::super::model::{Case, CaseMonth, TornadoBar};
use super::cash::{Change, Investment, percent};
use super::{Bills, Settings, actions, bills, first_usage, number, share};
use crate::billing::{self, Judge};
use crate::error::{Error, Problem as Wrong, Result};
use crate::planning::{Plan, Problem};
use crate::usage::UsageCurves;

/// The usage planned for, then the problem's other scenarios or, if it has none, the caller's cases, or a low and a high one.
pub(super) fn cases(
    problem: &Problem<'_>,
    plan: &Plan,
    settings: &Settings,
    given: &[(String, UsageCurves)],
    finance: &Investment,
) -> Result<Vec<Case>> {
    let base = first_usage(problem)?;
    let scenarios: Vec<(String, f64)> = problem.scenarios().map(|(name, probability)| (name.to_owned(), probability)).collect();
    let is_single = scenarios.len() == 1;
    let mut cases = Vec::new();
    for (index, ((name, probability), usage)) in scenarios.iter().zip(problem.usages()).enumerate() {
        let (name, assumption) = match (is_single, index) {
            (true, _) => ("base", "the usage planned for".to_owned()),
            (false, _) => (name.as_str(), format!("scenario of the plan, usage {}", compared(usage, base))),
        };
        let probability = (!is_single).then(|| number(*probability)).transpose()?;
        let of_plan =
            || Bills { before: plan.before().clone(), acted: plan.after_actions().clone(), after: plan.after().clone() };
        let bills = if index == 0 { of_plan() } else { bills(problem, plan, usage)? };
        cases.push(case(plan, name, assumption, probability, &bills, finance)?);
    }
    for (name, usage) in given {
        if usage.grid() != base.grid() {
            let value = format!("{} hours from {}", usage.grid().count, usage.grid().first);
            let problem = Wrong::OutOfRange { value, range: "the hours of the usage planned for" };
            return Err(Error::from(problem).in_field("case.usage").in_item(name.clone()));
        }
        let assumption = format!("given by the caller, usage {}", compared(usage, base));
        cases.push(case(plan, name, assumption, None, &bills(problem, plan, usage)?, finance)?);
    }
    if is_single && given.is_empty() {
        for (name, factor) in [("low", settings.low_usage), ("high", settings.high_usage)] {
            let usage = scaled(base, factor)?;
            let assumption = format!("usage {} in every hour: a stress, not a forecast", compared(&usage, base));
            cases.push(case(plan, name, assumption, None, &bills(problem, plan, &usage)?, finance)?);
        }
    }
    Ok(cases)
}

/// The case with the lowest bill before the purchases.
pub(super) fn lowest(cases: &[Case]) -> u32 {
    let lowest = (0_u32..).zip(cases).min_by_key(|(_, case)| case.before_monthly);
    lowest.map_or(0, |(index, _)| index)
}

fn highest(cases: &[Case]) -> usize {
    (0..cases.len()).max_by_key(|index| cases[*index].before_monthly).unwrap_or(0)
}

/// How much more or less is used, in words, by quantities at equal weight of lines: what people mean by "usage falls by a fifth".
fn compared(usage: &UsageCurves, base: &UsageCurves) -> String {
    let (all, was) = (usage.totals().sum(), base.totals().sum());
    let change = if was > 0.0 { 100.0 * (all / was - 1.0) } else { 0.0 };
    if change.abs() < 0.05 {
        return "unchanged in sum".to_owned();
    }
    format!("{:.1} % {}", change.abs(), if change < 0.0 { "lower" } else { "higher" })
}

fn scaled(usage: &UsageCurves, factor: f64) -> Result<UsageCurves> {
    if !(factor.is_finite() && factor >= 0.0) {
        let problem = Wrong::OutOfRange { value: factor.to_string(), range: "shares of today's usage of 0 or more" };
        return Err(Error::from(problem).in_field("settings.low_usage"));
    }
    UsageCurves::new(usage.grid(), usage.lines().to_vec(), usage.quantity() * factor)?.with_weights(usage.weights().clone())
}

fn case(
    plan: &Plan,
    name: &str,
    assumption: String,
    probability: Option<Figure>,
    Bills { before, acted, after }: &Bills,
    finance: &Investment,
) -> Result<Case> {
    let (was, is) = (before.total(), after.total());
    let after_cost = is.cost() + plan.one_off();
    let months = after.months().iter().map(|(month, charges)| CaseMonth {
        month: month.to_string(),
        before: before.months().get(month).map(billing::Charges::cost).unwrap_or_default().into(),
        after: charges.cost().into(),
    });
    Ok(Case {
        name: name.to_owned(),
        assumption,
        probability,
        before_monthly: plan.monthly(was.cost()).into(),
        after_monthly: plan.monthly(after_cost).into(),
        savings_monthly: plan.monthly(was.cost() - after_cost).into(),
        unused_monthly: plan.monthly(is.unused_commitment).into(),
        coverage: share(is.coverage())?,
        utilisation: share(is.utilisation())?,
        npv: number(finance.under(acted, after).npv(Change::NONE)?)?,
        months: months.collect(),
    })
}

/// The share of today's usage below which the purchases cost more than buying nothing, the actions being taken either way; found by bisection on
/// the judge's cost.
pub(super) fn break_even_usage(problem: &Problem<'_>, plan: &Plan) -> Result<Option<Figure>> {
    if plan.purchases().is_empty() {
        return Ok(None);
    }
    let base = first_usage(problem)?;
    let without = actions::portfolio_after_actions(problem, plan)?;
    let loses = |factor: f64| -> Result<bool> {
        let usage = scaled(base, factor)?;
        let cost = |portfolio: &_| Ok::<_, Error>(Judge::new(&usage, problem.catalog(), portfolio, problem.rules())?.cost());
        Ok(cost(plan.portfolio())? > cost(&without)?)
    };
    if loses(1.0)? {
        return Ok(Some(number(1.0)?));
    }
    if !loses(0.0)? {
        return Ok(None);
    }
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    while high - low > 1e-4 {
        let middle = f64::midpoint(low, high);
        if loses(middle)? { low = middle } else { high = middle }
    }
    Ok(Some(number((high * 1e4).round() / 1e4)?))
}

/// What the net present value hangs on: one assumption moved at a time.
pub(super) fn tornado(cases: &[Case], finance: &Investment) -> Result<Vec<TornadoBar>> {
    if finance.is_empty() {
        return Ok(Vec::new());
    }
    let at = |change| finance.npv(change).and_then(number);
    let rate = finance.discount_rate();
    let (low_rate, high_rate) = ((rate - 0.03).max(0.0), rate + 0.03);
    let (low, high) = (&cases[lowest(cases) as usize], &cases[highest(cases)]);
    let mut bars = vec![
        TornadoBar {
            assumption: "Usage".into(),
            low: low.name.clone(),
            high: high.name.clone(),
            npv_at_low: low.npv,
            npv_at_high: high.npv,
        },
        TornadoBar {
            assumption: "Cost of capital".into(),
            low: percent(low_rate),
            high: percent(high_rate),
            npv_at_low: at(Change { discount_rate: Some(low_rate), ..Change::NONE })?,
            npv_at_high: at(Change { discount_rate: Some(high_rate), ..Change::NONE })?,
        },
        TornadoBar {
            assumption: "On-demand price cut a year".into(),
            low: percent(0.0),
            high: percent(0.1),
            npv_at_low: at(Change::NONE)?,
            npv_at_high: at(Change { price_cut: 0.1, ..Change::NONE })?,
        },
    ];
    bars.retain(|bar| bar.npv_at_low != bar.npv_at_high);
    let width = |bar: &TornadoBar| (bar.npv_at_high.value() - bar.npv_at_low.value()).abs();
    bars.sort_by(|a, b| width(b).cmp(&width(a)).then_with(|| a.assumption.cmp(&b.assumption)));
    Ok(bars)
}
