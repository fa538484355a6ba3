//! The recommendation as a table of plain text.

use crate::catalog::{Benefit, Catalog, Offer};
use crate::planning::{Plan, Purchase};
use crate::portfolio::Scope;
use crate::units::Money;
use rust_decimal::Decimal;
use std::fmt::Write as _;

/// The recommendation as plain text of at most 160 columns, for a terminal or a mail.
#[must_use]
pub fn recommendation_table(plan: &Plan, catalog: &Catalog) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text, plan, catalog);
    text
}

fn write(text: &mut String, plan: &Plan, catalog: &Catalog) -> std::fmt::Result {
    let currency = catalog.currency();
    let (before, after) = (plan.before().total(), plan.after().total());
    if plan.purchases().is_empty() {
        writeln!(text, "Nothing to buy: no commitment the policy allows lowers this bill.\n")?;
    } else {
        writeln!(text, "What to buy (amounts in {currency}; a month is 730 hours)\n")?;
        text.push_str(&purchases(plan.purchases()));
        writeln!(text)?;
    }
    let month = |amount: Money| money(plan.monthly(amount));
    writeln!(text, "{:<34}{:>18}{:>18}", format!("A month, {currency}"), "before", "after")?;
    let given_up = plan.one_off();
    for (name, a, b) in [
        ("on-demand equivalent", before.on_demand_equivalent, after.on_demand_equivalent),
        ("left on demand", before.on_demand, after.on_demand),
        ("commitments, used", before.used_commitment, after.used_commitment),
        ("commitments, unused", before.unused_commitment, after.unused_commitment),
        ("actions, at once", Money::ZERO, given_up),
        ("bill (amortised)", before.cost(), after.cost() + given_up),
    ] {
        if name == "actions, at once" && given_up == Money::ZERO {
            continue;
        }
        writeln!(text, "  {name:<32}{:>18}{:>18}", month(a), month(b))?;
    }
    for (name, a, b) in [
        ("effective savings rate (list)", before.effective_savings_rate_list(), after.effective_savings_rate_list()),
        ("coverage", before.coverage(), after.coverage()),
        ("utilisation", before.utilisation(), after.utilisation()),
    ] {
        writeln!(text, "  {name:<32}{:>18}{:>18}", percent(a), percent(b))?;
    }
    writeln!(text)?;
    writeln!(
        text,
        "Savings: {} {currency} a month ({} of the bill), for {} {currency} upfront; cash is even {}.",
        month(plan.savings()),
        percent(plan.savings_rate()),
        money(plan.upfront()),
        plan.cash_break_even_month().map_or("never".to_owned(), |month| format!("in month {month}")),
    )?;
    if plan.actions().iter().any(|action| action.change.is_some()) {
        let paid = |keep: fn(Money) -> Money| money(plan.actions().iter().map(|action| keep(action.paid).max(Money::ZERO)).sum());
        writeln!(
            text,
            "Of the savings, {} {currency} a month are by actions on what is held and {} by the purchases (the actions counted first; counted last \
             they save {}). At once the actions take {} and bring in {}.",
            month(plan.savings_by_actions()),
            month(plan.savings_by_purchases()),
            month(plan.savings_by_actions_counted_last()),
            paid(|paid| paid),
            paid(|paid| -paid),
        )?;
    }
    let certificate = plan.certificate();
    let amount = |value: f64| Money::from_f64(value).map_or_else(|| format!("{value:.2}"), money);
    let percent_of_cost = |part: f64| 100.0 * part / certificate.billed_cost.abs().max(1e-9);
    writeln!(
        text,
        "Proof: over the {:.0} hours given, the plan is billed {} {currency}; no plan under this policy costs less than {} {currency} \
         (lower bound). Gap {:.4} % ({}): {:.4} % by the provider's order of applying commitments, {:.4} % by whole purchases, {:.4} % by \
         the bound's tolerance.",
        plan.hours(),
        amount(plan.objective()),
        amount(plan.lower_bound()),
        100.0 * plan.gap(),
        plan.status(),
        percent_of_cost(certificate.billing_order),
        percent_of_cost(certificate.integrality),
        percent_of_cost(certificate.tolerance),
    )?;
    if let Some(rule) = plan.best_percentile_rule() {
        let more = rule.billed_cost - plan.objective();
        writeln!(
            text,
            "The best percentile rule ({}) is billed {} {currency}, {} more.",
            rule.rule,
            amount(rule.billed_cost),
            amount(more)
        )?;
    }
    Ok(())
}

fn purchases(purchases: &[Purchase]) -> String {
    let header = [
        "offer",
        "region",
        "scope",
        "term",
        "payment",
        "quantity",
        "upfront",
        "monthly",
        "covers/month",
        "used",
        "even in month",
    ];
    let mut rows: Vec<[String; 11]> = vec![header.map(str::to_owned)];
    for purchase in purchases {
        let offer = &purchase.offer;
        rows.push([
            offer.id.clone(),
            if offer.region.is_empty() { "all".into() } else { offer.region.clone() },
            scope(&purchase.scope).into(),
            offer.term.to_string(),
            offer.payment_option.to_string(),
            quantity(offer, purchase.quantity),
            money(purchase.upfront),
            money(purchase.monthly),
            money(purchase.covered_monthly),
            percent(purchase.utilisation),
            purchase.break_even_month.map_or("never".into(), |month| month.to_string()),
        ]);
    }
    let total = |value: fn(&Purchase) -> Money| money(purchases.iter().map(value).sum());
    let mut sum: [String; 11] = Default::default();
    sum[0] = "total".into();
    sum[6] = total(|purchase| purchase.upfront);
    sum[7] = total(|purchase| purchase.monthly);
    sum[8] = total(|purchase| purchase.covered_monthly);
    rows.push(sum);
    align(&rows, 5)
}

/// Columns aligned: text on the left, from `numbers` on at the right; a rule under the header and above the last row.
fn align(rows: &[[String; 11]], numbers: usize) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..11).map(width).collect();
    let line = widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("  ");
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        if index == 1 || (index + 1 == rows.len() && index > 1) {
            text.push_str(&line);
            text.push('\n');
        }
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| if column < numbers { format!("{cell:<width$}") } else { format!("{cell:>width$}") })
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// A quantity with its unit.
pub(super) fn quantity(offer: &Offer, quantity: Decimal) -> String {
    match offer.benefit {
        Benefit::Reservation { .. } => quantity.normalize().to_string(),
        Benefit::SpendPlan { .. } => format!("{quantity:.2}/h"),
    }
}

/// A scope in one word.
pub(super) fn scope(scope: &Scope) -> &str {
    match scope {
        Scope::AvailabilityZone { availability_zone } => availability_zone,
        Scope::Region => "regional",
        Scope::Shared => "shared",
        Scope::ManagementGroup { .. } => "management group",
        Scope::Subscription { subscription } => subscription,
        Scope::ResourceGroup { resource_group, .. } => resource_group,
        Scope::Project { project } => project,
    }
}

/// Money to cents, with thousands apart.
fn money(amount: Money) -> String {
    let text = format!("{:.2}", amount.to_cents().value());
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, cents) = digits.split_once('.').unwrap_or((digits, "00"));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{cents}")
}

fn percent(share: Option<f64>) -> String {
    share.map_or("-".into(), |share| format!("{:.1} %", 100.0 * share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;
    use test_case::test_case;

    #[test_case(dec!(0), "0.00")]
    #[test_case(dec!(999.994), "999.99")]
    #[test_case(dec!(1234567.891), "1,234,567.89")]
    #[test_case(dec!(-1000), "-1,000.00")]
    fn money_is_grouped(amount: Decimal, expected: &str) {
        assert_eq!(money(Money::new(amount)), expected);
    }
}
