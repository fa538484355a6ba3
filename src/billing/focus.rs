//! The bill as FOCUS rows, hour by hour, so that it can be laid beside a real bill.
//!
//! FOCUS specification 1.2, "Commitment discounts" appendix and `attributes/discount_handling`: a purchase has a billed and no
//! effective cost; covered usage has an effective and no billed cost; what is not used of an hour is a row of its own with status
//! `Unused`, the commitment as resource and no consumed quantity; a charge covered in part is split into two rows. On an unused row list
//! and contracted cost are 0 here: it is no use, and its on-demand equivalent is nothing.

use super::waterfall;
use super::{Held, Judge};
use crate::catalog::Benefit;
use crate::error::{Error, Problem, Result};
use crate::time::Hour;
use crate::units::to_decimal;
use crate::usage::PricingCategory;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::ops::Range;

/// One row in FOCUS columns. Values a row does not have are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FocusRow {
    /// First instant of the billing month.
    pub billing_period_start: DateTime<Utc>,
    /// Its end, exclusive.
    pub billing_period_end: DateTime<Utc>,
    /// First instant of the charge.
    pub charge_period_start: DateTime<Utc>,
    /// Its end, exclusive.
    pub charge_period_end: DateTime<Utc>,
    /// `Usage` or `Purchase`.
    pub charge_category: String,
    /// `Usage-Based`, `One-Time` or `Recurring`.
    pub charge_frequency: String,
    /// `Standard`, `Committed` or `Dynamic` (spot).
    pub pricing_category: String,
    /// The usage line in words, or the commitment.
    pub resource_id: String,
    /// The account that used it or owns the commitment.
    pub sub_account_id: String,
    /// The service in the provider's words.
    pub service_name: String,
    /// The region; empty for all.
    pub region_id: String,
    /// The identifier of the on-demand price.
    pub sku_price_id: Option<String>,
    /// Quantity priced.
    pub pricing_quantity: Option<Decimal>,
    /// The price of one unit on demand.
    pub list_unit_price: Option<Decimal>,
    /// The charge at on-demand prices; 0 on unused rows.
    pub list_cost: Decimal,
    /// The charge at contracted prices before commitments: here the catalog's, as the list cost.
    pub contracted_cost: Decimal,
    /// What is invoiced for this row.
    pub billed_cost: Decimal,
    /// The amortised cost.
    pub effective_cost: Decimal,
    /// Quantity metered.
    pub consumed_quantity: Option<Decimal>,
    /// Its unit.
    pub consumed_unit: Option<String>,
    /// The commitment.
    pub commitment_discount_id: Option<String>,
    /// `Spend` or `Usage`.
    pub commitment_discount_category: Option<String>,
    /// What it provides or what the row takes of it.
    pub commitment_discount_quantity: Option<Decimal>,
    /// `Used` or `Unused` on usage rows.
    pub commitment_discount_status: Option<String>,
    /// Its unit: the currency, `Normalized Hour` or `Hour`.
    pub commitment_discount_unit: Option<String>,
}

impl FocusRow {
    fn new(hour: Hour, category: &str, frequency: &str, pricing: &str) -> Self {
        let month = hour.month();
        Self {
            billing_period_start: month.start(),
            billing_period_end: month.next().start(),
            charge_period_start: hour.start(),
            charge_period_end: hour.plus(1).start(),
            charge_category: category.into(),
            charge_frequency: frequency.into(),
            pricing_category: pricing.into(),
            resource_id: String::new(),
            sub_account_id: String::new(),
            service_name: String::new(),
            region_id: String::new(),
            sku_price_id: None,
            pricing_quantity: None,
            list_unit_price: None,
            list_cost: Decimal::ZERO,
            contracted_cost: Decimal::ZERO,
            billed_cost: Decimal::ZERO,
            effective_cost: Decimal::ZERO,
            consumed_quantity: None,
            consumed_unit: None,
            commitment_discount_id: None,
            commitment_discount_category: None,
            commitment_discount_quantity: None,
            commitment_discount_status: None,
            commitment_discount_unit: None,
        }
    }

    /// A row of this commitment.
    fn of_commitment(mut self, held: &Held<'_>, currency: &str, quantity: Decimal) -> Self {
        let is_plan = held.offer.is_spend_plan();
        let unit = match (is_plan, held.is_flexible()) {
            (true, _) => currency,
            (false, true) => "Normalized Hour",
            (false, false) => "Hour",
        };
        self.commitment_discount_id = Some(held.commitment.id.clone());
        self.commitment_discount_category = Some(if is_plan { "Spend" } else { "Usage" }.into());
        self.commitment_discount_quantity = Some(quantity.normalize());
        self.commitment_discount_unit = Some(unit.into());
        self
    }

    /// With the commitment itself as the resource.
    fn on_commitment(mut self, held: &Held<'_>) -> Self {
        self.resource_id.clone_from(&held.commitment.id);
        self.sub_account_id.clone_from(&held.commitment.account);
        self.service_name.clone_from(&held.offer.service);
        self.region_id.clone_from(&held.offer.region);
        self
    }
}

impl Judge<'_> {
    /// The rows of some hours (indices of the grid): purchases first, then covered and uncovered usage, then unused commitments, hour
    /// by hour. An hour's weight multiplies its usage rows.
    #[must_use]
    pub fn focus_rows(&self, hours: Range<usize>, currency: &str) -> Vec<FocusRow> {
        let grid = self.usage.grid();
        let mut rows = Vec::new();
        for index in hours.start..hours.end.min(grid.count) {
            let hour = grid.hour(index);
            let single = self.between(index..index + 1);
            let sums = waterfall::replay::<Decimal>(&single);
            let (Some(epoch), Some(sums)) = (single.epochs.first(), sums.first()) else { continue };
            let weight = to_decimal(self.usage.weights()[index]).unwrap_or(Decimal::ONE);
            let active: Vec<usize> = (0..self.held.len()).filter(|held| self.held[*held].hours.contains(&index)).collect();
            for held in active.iter().map(|held| &self.held[*held]) {
                purchase_rows(held, hour, weight, currency, &mut rows);
            }
            let mut left: Vec<Decimal> = self.held.iter().map(|held| held.capacity() * weight).collect();
            let mut open = sums.used.clone();
            for (draw, taken) in epoch.draws.iter().zip(&sums.taken).filter(|(_, taken)| **taken > Decimal::ZERO) {
                let held = &self.held[draw.commitment];
                let used = *taken * draw.weight;
                left[draw.commitment] -= used;
                open[draw.line] -= *taken;
                let mut row = self.usage_row(draw.line, *taken, hour, "Committed").of_commitment(held, currency, used);
                row.effective_cost = (used * cost_of_capacity(held)).normalize();
                row.commitment_discount_status = Some("Used".into());
                rows.push(row);
            }
            for (line, open) in open.iter().enumerate().filter(|(_, open)| **open > Decimal::ZERO) {
                let mut row = self.usage_row(line, *open, hour, "Standard");
                row.billed_cost = row.list_cost;
                row.effective_cost = row.list_cost;
                rows.push(row);
            }
            for held in active.into_iter().filter(|held| left[*held] > Decimal::ZERO) {
                let (held, left) = (&self.held[held], left[held]);
                let row = FocusRow::new(hour, "Usage", "Usage-Based", "Committed").on_commitment(held);
                let mut row = row.of_commitment(held, currency, left);
                row.effective_cost = (left * cost_of_capacity(held)).normalize();
                row.commitment_discount_status = Some("Unused".into());
                rows.push(row);
            }
        }
        rows
    }

    fn usage_row(&self, line: usize, quantity: Decimal, hour: Hour, pricing: &str) -> FocusRow {
        let PricedLine { line, price } = (&self.lines[line]).into();
        let mut row = FocusRow::new(hour, "Usage", "Usage-Based", pricing);
        row.resource_id = line.to_string();
        row.sub_account_id.clone_from(&line.account);
        row.service_name.clone_from(&line.sku.service);
        row.region_id.clone_from(&line.sku.region);
        row.sku_price_id = Some(price.id.clone());
        row.pricing_quantity = Some(quantity.normalize());
        row.list_unit_price = Some(price.price.value());
        row.list_cost = price.price.of(quantity).value().normalize();
        row.contracted_cost = row.list_cost;
        row.consumed_quantity = row.pricing_quantity;
        row.consumed_unit = Some(if line.sku.unit.is_empty() { "Hour".into() } else { line.sku.unit.clone() });
        if line.pricing == PricingCategory::Spot {
            row.pricing_category = "Dynamic".into();
        }
        row
    }
}

/// What a usage row needs of a priced line.
struct PricedLine<'a> {
    line: &'a crate::usage::UsageLine,
    price: &'a crate::catalog::OnDemandPrice,
}

impl<'a> From<&super::PricedLine<'a>> for PricedLine<'a> {
    fn from(priced: &super::PricedLine<'a>) -> Self {
        Self { line: priced.line, price: priced.price }
    }
}

/// The effective cost of one unit of a commitment's capacity for one hour.
fn cost_of_capacity(held: &Held<'_>) -> Decimal {
    let cost = held.offer.effective_hourly().value() * held.commitment.quantity;
    if held.capacity().is_zero() { Decimal::ZERO } else { cost / held.capacity() }
}

/// The upfront fee in the first hour, for the whole term; the recurring fee in every hour.
fn purchase_rows(held: &Held<'_>, hour: Hour, weight: Decimal, currency: &str, rows: &mut Vec<FocusRow>) {
    let quantity = held.commitment.quantity;
    let (upfront, recurring) = (held.offer.upfront.value() * quantity, held.offer.recurring.value() * quantity * weight);
    let total = held.offer.effective_hourly().value() * quantity * weight;
    // A spend plan's commitment is money: each purchase row carries the part of it that it pays for.
    let is_plan = matches!(held.offer.benefit, Benefit::SpendPlan { .. });
    let part = |paid: Decimal, whole: Decimal, capacity: Decimal| {
        if is_plan && !whole.is_zero() { capacity * paid / whole } else { capacity }
    };
    if !upfront.is_zero() && Hour::containing(held.commitment.start) == hour {
        let term = held.offer.term.list_hours();
        let whole = held.offer.effective_hourly().value() * quantity * term;
        let row = FocusRow::new(hour, "Purchase", "One-Time", "Standard").on_commitment(held);
        let mut row = row.of_commitment(held, currency, part(upfront, whole, held.capacity() * term));
        row.billed_cost = upfront.normalize();
        row.charge_period_start = held.commitment.start;
        row.charge_period_end = held.commitment.end;
        rows.push(row);
    }
    if !recurring.is_zero() {
        let row = FocusRow::new(hour, "Purchase", "Recurring", "Standard").on_commitment(held);
        let mut row = row.of_commitment(held, currency, part(recurring, total, held.capacity() * weight));
        row.billed_cost = recurring.normalize();
        rows.push(row);
    }
}

/// Writes rows as CSV with FOCUS column names.
///
/// # Errors
/// [`Problem::InputOutput`] if the writer fails.
pub fn write_csv(rows: &[FocusRow], output: impl Write) -> Result<()> {
    let failed = |error: csv::Error| Error::from(Problem::InputOutput).caused_by(error);
    let mut writer = csv::Writer::from_writer(output);
    for row in rows {
        writer.serialize(row).map_err(failed)?;
    }
    writer.flush().map_err(|error| Error::from(Problem::InputOutput).caused_by(error))
}
