//! Indicators over FOCUS rows, each with its definition and its basis in its name: one bill gives a savings rate of 25.0, 18.2 or
//! 7.4 % by the basis chosen.
//!
//! Definitions: FinOps Foundation, KPI library (effective savings rate, commitment utilisation score, commitment discount waste, percent
//! of compute spend covered); FOCUS 1.2, discount handling; AWS Cost Management API reference (`SavingsPlansUtilization`,
//! `ReservationAggregates`) and Cost Management User Guide (coverage reports). No row is clamped, purchases are left out, and an unused
//! row has no on-demand equivalent whatever list cost it carries. A ratio over nothing is `None`.
//!
//! As formulas: `docs/formulation-billing.md`, "Indicators" and "List and contracted".

use super::focus::FocusRow;
use crate::units::to_f64;
use rust_decimal::Decimal;

/// Effective savings rate, list basis: `1 - effective / list cost` over usage rows (FinOps KPI library).
#[must_use]
pub fn effective_savings_rate_list(rows: &[FocusRow]) -> Option<f64> {
    savings_rate(rows, list, |_| true)
}

/// Effective savings rate, contracted basis: `1 - effective / contracted cost` over usage rows (FinOps use case library).
#[must_use]
pub fn effective_savings_rate_contracted(rows: &[FocusRow]) -> Option<f64> {
    savings_rate(rows, contracted, |_| true)
}

/// Effective savings rate, contracted basis, rows of spot (pricing category `Dynamic`) left out: what commitments alone save.
#[must_use]
pub fn effective_savings_rate_contracted_without_spot(rows: &[FocusRow]) -> Option<f64> {
    savings_rate(rows, contracted, |row| row.pricing_category != "Dynamic")
}

/// Utilisation on the effective basis: effective cost of used rows / that of all commitment rows (FinOps KPI library, commitment
/// utilisation score; AWS `SavingsPlansUtilization` for spend plans).
#[must_use]
pub fn utilisation_effective(rows: &[FocusRow]) -> Option<f64> {
    let committed = || usage(rows).filter(|row| row.commitment_discount_id.is_some());
    let used = committed().filter(|row| is_used(row)).map(|row| row.effective_cost).sum();
    ratio(used, committed().map(|row| row.effective_cost).sum())
}

/// Waste on the effective basis: unused commitment cost / all commitment cost, `1 - utilisation` (FinOps KPI library).
#[must_use]
pub fn waste_effective(rows: &[FocusRow]) -> Option<f64> {
    utilisation_effective(rows).map(|utilisation| 1.0 - utilisation)
}

/// Waste as money: the effective cost of unused rows.
#[must_use]
pub fn unused_cost(rows: &[FocusRow]) -> Decimal {
    usage(rows).filter(|row| row.commitment_discount_status.as_deref() == Some("Unused")).map(|row| row.effective_cost).sum()
}

/// Coverage, list basis: covered / coverable usage at list cost; spot is not coverable (AWS coverage reports: on-demand equivalent).
#[must_use]
pub fn coverage_list(rows: &[FocusRow]) -> Option<f64> {
    coverage(rows, list)
}

/// Coverage, effective basis: effective cost of covered usage / that of all usage, spot excluded (FinOps KPI library, percent of
/// compute spend covered by commitment discounts).
#[must_use]
pub fn coverage_effective(rows: &[FocusRow]) -> Option<f64> {
    coverage(rows, |row| if is_unused(row) { Decimal::ZERO } else { row.effective_cost })
}

fn usage(rows: &[FocusRow]) -> impl Iterator<Item = &FocusRow> {
    rows.iter().filter(|row| row.charge_category == "Usage")
}

fn is_used(row: &FocusRow) -> bool {
    row.commitment_discount_status.as_deref() == Some("Used")
}

fn is_unused(row: &FocusRow) -> bool {
    row.commitment_discount_status.as_deref() == Some("Unused")
}

fn list(row: &FocusRow) -> Decimal {
    if is_unused(row) { Decimal::ZERO } else { row.list_cost }
}

fn contracted(row: &FocusRow) -> Decimal {
    if is_unused(row) { Decimal::ZERO } else { row.contracted_cost }
}

fn savings_rate(rows: &[FocusRow], basis: fn(&FocusRow) -> Decimal, keep: fn(&FocusRow) -> bool) -> Option<f64> {
    let kept = || usage(rows).filter(|row| keep(row));
    let equivalent: Decimal = kept().map(basis).sum();
    ratio(equivalent - kept().map(|row| row.effective_cost).sum::<Decimal>(), equivalent)
}

fn coverage(rows: &[FocusRow], basis: fn(&FocusRow) -> Decimal) -> Option<f64> {
    let coverable = || usage(rows).filter(|row| row.pricing_category == "Committed" || row.pricing_category == "Standard");
    ratio(coverable().filter(|row| is_used(row)).map(basis).sum(), coverable().map(basis).sum())
}

fn ratio(part: Decimal, whole: Decimal) -> Option<f64> {
    (!whole.is_zero()).then(|| to_f64(part / whole))
}
