//! The bill as FOCUS rows, hour by hour, so that it can be laid beside a real bill.
//!
//! FOCUS specification 1.2, "Commitment discounts" appendix and `attributes/discount_handling`: a purchase has a billed and no
//! effective cost; covered usage has an effective and no billed cost; what is not used of an hour is a row of its own with status
//! `Unused`, the commitment as resource and no consumed quantity; a charge covered in part is split into two rows. On an unused row list
//! and contracted cost are 0 here: it is no use, and its on-demand equivalent is nothing.
//!
//! List cost is at public prices, contracted cost at the customer's (the catalog's `list_price` and `price`). Spot usage is of category
//! `Dynamic`, at the price that the bill or the catalog's spot prices give it. Usage within a free tier is at the tier's price, 0 in every
//! column. Google's sustained use discounts lower billed and effective cost of the usage they fall on. Billing periods are US Pacific
//! months for Google.
//!
//! Every column that FOCUS 1.2 makes mandatory is there. Two of them usage does not tell, and they stay empty for the caller to fill: the account
//! that is invoiced, and its name.

mod service;

use super::{Held, Judge, calendar, waterfall};
use crate::catalog::{Benefit, PaymentOption};
use crate::error::{Error, Problem, Result, UnknownSku};
use crate::time::Hour;
use crate::units::{UnitPrice, to_decimal};
use crate::usage::{PricingCategory, Provider, Sku, UsageLine};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;

/// One row in FOCUS columns. Values a row does not have are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FocusRow {
    /// `AWS`, `Microsoft` or `Google Cloud`.
    pub provider_name: String,
    /// Who made what is charged: the provider.
    pub publisher_name: String,
    /// Who invoices it: the provider. AWS invoices some countries through other companies of its own.
    pub invoice_issuer_name: String,
    /// The account that is invoiced; empty, since usage does not tell it.
    pub billing_account_id: String,
    /// Its name; absent for the same reason.
    pub billing_account_name: Option<String>,
    /// The currency of every cost, an ISO 4217 code.
    pub billing_currency: String,
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
    /// Absent: `Correction` is for charges of earlier invoices, which a replay never has.
    pub charge_class: Option<String>,
    /// `Usage-Based`, `One-Time` or `Recurring`.
    pub charge_frequency: String,
    /// What the row is, in words.
    pub charge_description: String,
    /// `Standard`, `Committed` or `Dynamic` (spot).
    pub pricing_category: String,
    /// The usage line in words, or the commitment.
    pub resource_id: String,
    /// The account that used it or owns the commitment.
    pub sub_account_id: String,
    /// The service in the provider's words.
    pub service_name: String,
    /// Its category, in the words of FOCUS.
    pub service_category: String,
    /// The region; empty for all.
    pub region_id: String,
    /// The availability zone, if the usage line has one.
    pub availability_zone: Option<String>,
    /// What is metered or reserved, in the provider's words.
    pub sku_id: Option<String>,
    /// The price's identifier: of the on-demand price; `offer/price` where a commitment covers the usage; the offer on purchases.
    pub sku_price_id: Option<String>,
    /// Quantity priced.
    pub pricing_quantity: Option<Decimal>,
    /// The unit that prices are for: that of the usage, of what is reserved, or else of the commitment.
    pub pricing_unit: Option<String>,
    /// The public price of one unit on demand.
    pub list_unit_price: Option<Decimal>,
    /// The charge at public on-demand prices; 0 on unused rows.
    pub list_cost: Decimal,
    /// The customer's price of one unit on demand.
    pub contracted_unit_price: Option<Decimal>,
    /// The charge at the customer's prices before commitments; 0 on unused rows.
    pub contracted_cost: Decimal,
    /// The amortised cost of one priced unit under the commitment (a column of FOCUS's own examples).
    #[serde(rename = "x_CommitmentDiscountUnitPrice")]
    pub x_commitment_discount_unit_price: Option<Decimal>,
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
    /// What was bought, in words.
    pub commitment_discount_name: Option<String>,
    /// The provider's kind of commitment: `Reserved Instance`, `Savings Plan`, `Reservation` ...
    pub commitment_discount_type: Option<String>,
    /// `Spend` or `Usage`.
    pub commitment_discount_category: Option<String>,
    /// What it provides or what the row takes of it.
    pub commitment_discount_quantity: Option<Decimal>,
    /// `Used` or `Unused` on usage rows.
    pub commitment_discount_status: Option<String>,
    /// Its unit: the currency, `Normalized Hour` or `Hour`.
    pub commitment_discount_unit: Option<String>,
    /// The usage line's tags, a JSON object; empty without tags.
    pub tags: String,
}

/// What all rows of an hour have in common.
#[derive(Clone, Copy)]
struct Frame<'f> {
    hour: Hour,
    weight: Decimal,
    currency: &'f str,
}

impl Frame<'_> {
    fn row(&self, provider: Provider, category: &str, frequency: &str, pricing: &str) -> FocusRow {
        let month = calendar::month(provider, self.hour);
        let start = |month: crate::time::Month| match provider {
            Provider::Aws | Provider::Azure => month.start(),
            Provider::Gcp => super::gcp::calendar::midnight(month.start().date_naive()),
        };
        FocusRow {
            provider_name: service::provider(provider).into(),
            publisher_name: service::publisher(provider).into(),
            invoice_issuer_name: service::publisher(provider).into(),
            billing_account_id: String::new(),
            billing_account_name: None,
            billing_currency: self.currency.into(),
            billing_period_start: start(month),
            billing_period_end: start(month.next()),
            charge_period_start: self.hour.start(),
            charge_period_end: self.hour.plus(1).start(),
            charge_category: category.into(),
            charge_class: None,
            charge_frequency: frequency.into(),
            charge_description: String::new(),
            pricing_category: pricing.into(),
            resource_id: String::new(),
            sub_account_id: String::new(),
            service_name: String::new(),
            service_category: String::new(),
            region_id: String::new(),
            availability_zone: None,
            sku_id: None,
            sku_price_id: None,
            pricing_quantity: None,
            pricing_unit: None,
            list_unit_price: None,
            list_cost: Decimal::ZERO,
            contracted_unit_price: None,
            contracted_cost: Decimal::ZERO,
            x_commitment_discount_unit_price: None,
            billed_cost: Decimal::ZERO,
            effective_cost: Decimal::ZERO,
            consumed_quantity: None,
            consumed_unit: None,
            commitment_discount_id: None,
            commitment_discount_name: None,
            commitment_discount_type: None,
            commitment_discount_category: None,
            commitment_discount_quantity: None,
            commitment_discount_status: None,
            commitment_discount_unit: None,
            tags: String::new(),
        }
    }

    /// A row of usage at these prices, all of it billed.
    fn usage(&self, line: &UsageLine, quantity: Decimal, list: UnitPrice, contracted: UnitPrice) -> FocusRow {
        let mut row = self.row(line.sku.provider, "Usage", "Usage-Based", "Standard");
        row.resource_id = line.to_string();
        row.charge_description = format!("{} on demand", line.sku.sku);
        row.sub_account_id.clone_from(&line.account);
        row.service_name.clone_from(&line.sku.service);
        row.service_category = service::category(&line.sku.service).into();
        row.region_id.clone_from(&line.sku.region);
        row.availability_zone = Some(line.availability_zone.clone()).filter(|zone| !zone.is_empty());
        row.sku_id = Some(line.sku.sku.clone());
        row.pricing_quantity = Some(quantity.normalize());
        row.list_unit_price = Some(list.value());
        row.list_cost = list.of(quantity).value().normalize();
        row.contracted_unit_price = Some(contracted.value());
        row.contracted_cost = contracted.of(quantity).value().normalize();
        row.billed_cost = row.contracted_cost;
        row.effective_cost = row.contracted_cost;
        row.consumed_quantity = row.pricing_quantity;
        row.consumed_unit = Some(unit(&line.sku));
        row.pricing_unit.clone_from(&row.consumed_unit);
        row.tags = if line.tags.is_empty() { String::new() } else { serde_json::json!(line.tags).to_string() };
        row
    }
}

/// The unit of a SKU; that of most is the hour.
fn unit(sku: &Sku) -> String {
    if sku.unit.is_empty() { "Hour".into() } else { sku.unit.clone() }
}

impl FocusRow {
    /// A row of this commitment, with what the row takes of it.
    fn of_commitment(mut self, held: &Held<'_>, quantity: Decimal) -> Self {
        let is_plan = held.offer.is_spend_plan();
        let unit = match (is_plan, held.is_flexible()) {
            (true, _) => self.billing_currency.as_str(),
            (false, true) => "Normalized Hour",
            (false, false) => "Hour",
        };
        self.commitment_discount_unit = Some(unit.into());
        self.pricing_unit.get_or_insert_with(|| unit.into());
        self.commitment_discount_id = Some(held.commitment.id.clone());
        self.commitment_discount_name =
            Some(format!("{}, {}, {}", held.offer.subject(), held.offer.term, held.offer.payment_option));
        let kind = match (held.offer.provider, is_plan) {
            (Provider::Aws, false) => "Reserved Instance",
            (Provider::Aws, true) => "Savings Plan",
            (Provider::Azure, false) => "Reservation",
            (Provider::Azure, true) => "Savings plan",
            (Provider::Gcp, false) => "Resource-based committed use discount",
            (Provider::Gcp, true) => "Spend-based committed use discount",
        };
        self.commitment_discount_type = Some(kind.into());
        self.commitment_discount_category = Some(if is_plan { "Spend" } else { "Usage" }.into());
        self.commitment_discount_quantity = Some(quantity.normalize());
        self
    }

    /// With the commitment itself as the resource.
    fn on_commitment(mut self, held: &Held<'_>) -> Self {
        self.resource_id.clone_from(&held.commitment.id);
        self.sub_account_id.clone_from(&held.commitment.account);
        self.service_name.clone_from(&held.offer.service);
        self.service_category = service::category(&held.offer.service).into();
        self.region_id.clone_from(&held.offer.region);
        self.sku_price_id = Some(held.offer.id.clone());
        self
    }
}

impl Judge<'_> {
    /// The rows of some hours (indices of the grid): purchases first, then covered usage, unused commitments, uncovered usage, spot and
    /// free tier, hour by hour. An hour's weight multiplies its usage rows.
    ///
    /// # Errors
    /// [`Problem::UnknownSkus`] for spot usage for which neither the line nor the catalog has a price.
    pub fn focus_rows(&self, hours: Range<usize>, currency: &str) -> Result<Vec<FocusRow>> {
        let grid = self.usage.grid();
        let outside = self.lines_outside()?;
        let discounts = self.discounts_of_lines();
        let mut rows = Vec::new();
        for index in hours.start..hours.end.min(grid.count) {
            let Some(epoch) = self.record.epoch(index) else { continue };
            let sums = waterfall::replay_hours::<Decimal>(&self.record, epoch, index..index + 1);
            let weight = to_decimal(self.usage.weights()[index]).unwrap_or(Decimal::ONE);
            let frame = Frame { hour: grid.hour(index), weight, currency };
            let active: Vec<usize> = (0..self.held.len()).filter(|held| self.held[*held].hours.contains(&index)).collect();
            for held in &active {
                self.purchase_rows(*held, frame, &mut rows);
            }
            let mut open = sums.used.clone();
            for (draw, taken) in epoch.draws.iter().zip(&sums.taken).filter(|(_, taken)| **taken > Decimal::ZERO) {
                let held = &self.held[draw.commitment];
                let used = *taken * draw.weight;
                open[draw.line] -= *taken;
                let line = &self.lines[draw.line];
                let row = frame.usage(line.line, *taken, line.list, line.price.price);
                let mut row = row.of_commitment(held, used);
                row.pricing_category = "Committed".into();
                row.charge_description = format!("{} covered by {}", line.line.sku.sku, held.commitment.id);
                row.sku_price_id = Some(format!("{}/{}", held.offer.id, line.price.id));
                row.billed_cost = Decimal::ZERO;
                let unit_cost = self.cost_of_capacity(draw.commitment);
                row.effective_cost = (used * unit_cost).normalize();
                row.x_commitment_discount_unit_price = Some((draw.weight * unit_cost).normalize());
                row.commitment_discount_status = Some("Used".into());
                rows.push(row);
            }
            for index in active {
                let held = &self.held[index];
                let left = held.capacity() * weight - sums.spent[index];
                if left <= Decimal::ZERO {
                    continue;
                }
                let row = frame.row(held.offer.provider, "Usage", "Usage-Based", "Committed").on_commitment(held);
                let mut row = row.of_commitment(held, left);
                row.charge_description = format!("{} unused", held.commitment.id);
                row.effective_cost = (left * self.cost_of_capacity(index)).normalize();
                row.commitment_discount_status = Some("Unused".into());
                rows.push(row);
            }
            for (line, open) in open.iter().enumerate().filter(|(_, open)| **open > Decimal::ZERO) {
                let priced = &self.lines[line];
                let list = if priced.is_free() { UnitPrice::ZERO } else { priced.list };
                let mut row = frame.usage(priced.line, *open, list, priced.on_demand());
                row.sku_price_id = Some(priced.price.id.clone());
                if let Some(rate) = discounts[line].get(&calendar::month(Provider::Gcp, frame.hour)) {
                    row.billed_cost = (row.contracted_cost * (Decimal::ONE - *rate)).normalize();
                    row.effective_cost = row.billed_cost;
                }
                rows.push(row);
            }
            rows.extend(outside.iter().filter_map(|line| line.row(self.usage.at(index)[line.column], frame)));
        }
        Ok(rows)
    }

    /// The effective cost of one unit of a commitment's capacity for one hour.
    fn cost_of_capacity(&self, held: usize) -> Decimal {
        let held = &self.record.held[held];
        if held.capacity.is_zero() { Decimal::ZERO } else { held.cost_hour() / held.capacity }
    }

    /// For each line the rate of its sustained use discount by month.
    fn discounts_of_lines(&self) -> Vec<BTreeMap<crate::time::Month, Decimal>> {
        let mut of_lines = vec![BTreeMap::new(); self.lines.len()];
        if !self.record.sustained.is_empty() {
            let bill = self.bill();
            for (group, rates) in self.record.sustained.iter().zip(bill.discount_rates()) {
                for (line, _) in group.lines() {
                    of_lines[*line].clone_from(rates);
                }
            }
        }
        of_lines
    }

    /// The upfront fee in the first hour, for the whole term; the recurring fee in every hour.
    fn purchase_rows(&self, index: usize, frame: Frame<'_>, rows: &mut Vec<FocusRow>) {
        let (held, figures) = (&self.held[index], &self.record.held[index]);
        let (upfront, recurring) = (figures.upfront, figures.recurring_hour * frame.weight);
        let total = figures.cost_hour() * frame.weight;
        // A spend plan's commitment is money: each purchase row carries the part of it that it pays for.
        let is_plan = held.offer.is_spend_plan();
        let part = |paid: Decimal, whole: Decimal, capacity: Decimal| {
            if is_plan && !whole.is_zero() { capacity * paid / whole } else { capacity }
        };
        let purchase = |frequency: &str, paid: Decimal, quantity: Decimal, hours: Decimal| {
            let row = frame.row(held.offer.provider, "Purchase", frequency, "Standard").on_commitment(held);
            let mut row = row.of_commitment(held, quantity);
            row.charge_description =
                format!("{} of {}", if frequency == "One-Time" { "upfront fee" } else { "fee" }, held.offer.id);
            row.billed_cost = paid.normalize();
            let reserved = match &held.offer.benefit {
                Benefit::Reservation { sku, .. } => self.catalog.price_with_id(sku),
                Benefit::SpendPlan { .. } => None,
            };
            if let Some(price) = reserved {
                let units = held.commitment.quantity * hours;
                let list = price.list_price.unwrap_or(price.price);
                row.sku_id = Some(price.sku.sku.clone());
                row.pricing_quantity = Some(units.normalize());
                row.pricing_unit = Some(unit(&price.sku));
                row.list_unit_price = Some(list.value());
                row.contracted_unit_price = Some(price.price.value());
                // What one fee pays for in part is worth the same part of the list price.
                let share = if held.offer.payment_option == PaymentOption::PartialUpfront && !total.is_zero() {
                    paid / (total / frame.weight * hours)
                } else {
                    Decimal::ONE
                };
                row.list_cost = (list.of(units).value() * share).normalize();
                row.contracted_cost = (price.price.of(units).value() * share).normalize();
                row.x_commitment_discount_unit_price =
                    (!units.is_zero()).then(|| (figures.cost_hour() / held.commitment.quantity).normalize());
            }
            row
        };
        if !upfront.is_zero() && Hour::containing(held.commitment.start) == frame.hour {
            let term = held.offer.term.list_hours();
            let whole = (figures.upfront_hour + figures.recurring_hour) / held.calendar_factor() * term;
            let mut row = purchase("One-Time", upfront, part(upfront, whole, held.capacity() * term), term);
            row.charge_period_start = held.commitment.start;
            row.charge_period_end = held.commitment.end;
            rows.push(row);
        }
        if !recurring.is_zero() {
            let quantity = part(recurring, total, held.capacity() * frame.weight);
            rows.push(purchase("Recurring", recurring, quantity, frame.weight));
        }
    }

    /// The lines that take no part in the waterfall, each with its price.
    fn lines_outside(&self) -> Result<Vec<LineOutside<'_>>> {
        let mut outside = Vec::new();
        let mut unknown = Vec::new();
        for (column, line) in self.usage.lines().iter().enumerate() {
            if self.lines.iter().any(|priced| priced.column == column) {
                continue;
            }
            let on_demand = self.catalog.price(&line.sku);
            let price = match line.pricing {
                PricingCategory::Standard => continue,
                PricingCategory::FreeTier => UnitPrice::ZERO,
                PricingCategory::Spot => {
                    let spot = |zone: &str| {
                        self.catalog.spot().iter().find(|spot| spot.sku == line.sku && spot.availability_zone == zone)
                    };
                    let catalog = || spot(&line.availability_zone).or_else(|| spot("")).map(|spot| spot.price);
                    let Some(price) = line.billed_price.or_else(catalog) else {
                        unknown.push(column);
                        continue;
                    };
                    price
                }
            };
            let contracted = on_demand.map_or(price, |on_demand| on_demand.price);
            let list = on_demand.and_then(|on_demand| on_demand.list_price).unwrap_or(contracted);
            outside.push(LineOutside { column, line, price, list, contracted, id: on_demand.map(|price| price.id.as_str()) });
        }
        if unknown.is_empty() {
            return Ok(outside);
        }
        let totals = self.usage.totals();
        let describe = |column: usize| UnknownSku {
            line: self.usage.lines()[column].to_string(),
            quantity: totals[column],
            on_demand_cost: None,
        };
        Err(Error::from(Problem::UnknownSkus(unknown.into_iter().map(describe).collect())).in_field("spot"))
    }
}

/// A line of spot or free-tier usage.
struct LineOutside<'a> {
    column: usize,
    line: &'a UsageLine,
    /// What is paid for a unit.
    price: UnitPrice,
    list: UnitPrice,
    contracted: UnitPrice,
    id: Option<&'a str>,
}

impl LineOutside<'_> {
    fn row(&self, quantity: f64, frame: Frame<'_>) -> Option<FocusRow> {
        let quantity = to_decimal(quantity).filter(|quantity| *quantity > Decimal::ZERO)? * frame.weight;
        let is_free = self.line.pricing == PricingCategory::FreeTier;
        let (list, contracted) = if is_free { (UnitPrice::ZERO, UnitPrice::ZERO) } else { (self.list, self.contracted) };
        let mut row = frame.usage(self.line, quantity, list, contracted);
        row.pricing_category = if is_free { "Standard" } else { "Dynamic" }.into();
        row.charge_description =
            format!("{} {}", self.line.sku.sku, if is_free { "within the free tier" } else { "on spot capacity" });
        row.sku_price_id = self.id.map(str::to_owned);
        row.billed_cost = self.price.of(quantity).value().normalize();
        row.effective_cost = row.billed_cost;
        Some(row)
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

/// Writes rows as JSON lines: one object with FOCUS column names a line; values a row does not have are `null`.
///
/// # Errors
/// [`Problem::InputOutput`] if the writer fails.
pub fn write_json_lines(rows: &[FocusRow], mut output: impl Write) -> Result<()> {
    for row in rows {
        serde_json::to_writer(&mut output, row).map_err(|error| Error::from(Problem::InputOutput).caused_by(error))?;
        output.write_all(b"\n").map_err(|error| Error::from(Problem::InputOutput).caused_by(error))?;
    }
    output.flush().map_err(|error| Error::from(Problem::InputOutput).caused_by(error))
}
