//! The bill: charges by month, line and commitment, and the indicators people read off them.
//!
//! Formulas: `docs/formulation.md`, "The bill". All amounts are amortised unless they say cash: upfront fees are spread evenly over the
//! hours of the term.

use super::calendar;
use super::gcp::sustained;
use super::record::{Record, RecordHeld, RecordLine};
use super::waterfall::{self, Epoch, Sums};
use crate::time::{Hour, Month};
use crate::units::{Money, to_decimal, to_f64};
use crate::usage::Provider;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::ops::{AddAssign, Range};
use std::sync::Arc;

/// What usage and commitments cost over some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charges {
    /// All usage at the customer's on-demand prices, covered or not: what it would have cost without commitments.
    pub on_demand_equivalent: Money,
    /// All usage at public on-demand prices; the same unless the catalog has negotiated prices.
    pub list_equivalent: Money,
    /// Usage that no commitment covered, at on-demand prices.
    pub on_demand: Money,
    /// The part of the commitments that covered usage.
    pub used_commitment: Money,
    /// The part of the commitments that covered nothing.
    pub unused_commitment: Money,
    /// The part of all commitment cost that was paid upfront, spread over the term.
    pub amortised_upfront: Money,
    /// The part of all commitment cost that is charged as time goes.
    pub recurring: Money,
    /// Google's sustained use discounts on usage that no commitment covered, as a positive amount; `on_demand` is before them. A
    /// discount stands in the month of Google's billing time (US Pacific).
    pub sustained_use_discount: Money,
}

impl Charges {
    /// On-demand charges after sustained use discounts, plus every hour of every commitment.
    #[must_use]
    pub fn cost(&self) -> Money {
        self.on_demand - self.sustained_use_discount + self.commitment()
    }

    /// Every hour of every commitment, used or not.
    #[must_use]
    pub fn commitment(&self) -> Money {
        self.used_commitment + self.unused_commitment
    }

    /// Covered usage at on-demand prices.
    #[must_use]
    pub fn covered(&self) -> Money {
        self.on_demand_equivalent - self.on_demand
    }

    /// `on-demand equivalent - cost`.
    #[must_use]
    pub fn savings(&self) -> Money {
        self.on_demand_equivalent - self.cost()
    }

    /// Effective savings rate, list basis: `1 - cost / usage at public on-demand prices` (FinOps Foundation, KPI library, "Effective
    /// savings rate percentage"). `None` without usage.
    #[must_use]
    pub fn effective_savings_rate_list(&self) -> Option<f64> {
        ratio(self.list_equivalent - self.cost(), self.list_equivalent)
    }

    /// Effective savings rate, contracted basis: `1 - cost / usage at the customer's on-demand prices` (FinOps Foundation, use case
    /// library). `None` without usage.
    #[must_use]
    pub fn effective_savings_rate_contracted(&self) -> Option<f64> {
        ratio(self.savings(), self.on_demand_equivalent)
    }

    /// Coverage, contracted basis: covered usage / all usage that is not spot or free, at the customer's on-demand prices (AWS Cost
    /// Management API, `SavingsPlansCoverageData`, counts eligible usage only; Azure and Google by usage). `None` without usage.
    #[must_use]
    pub fn coverage_contracted(&self) -> Option<f64> {
        ratio(self.covered(), self.on_demand_equivalent)
    }

    /// The same as [`Charges::coverage_contracted`].
    #[must_use]
    pub fn coverage(&self) -> Option<f64> {
        self.coverage_contracted()
    }

    /// Utilisation, effective basis: used / all commitment in amortised cost (FinOps Foundation, KPI library, "Commitment utilisation
    /// score"; AWS `SavingsPlansUtilization`). `None` without commitments.
    #[must_use]
    pub fn utilisation_effective(&self) -> Option<f64> {
        ratio(self.used_commitment, self.commitment())
    }

    /// The same as [`Charges::utilisation_effective`].
    #[must_use]
    pub fn utilisation(&self) -> Option<f64> {
        self.utilisation_effective()
    }

    /// Waste, effective basis: unused / all commitment in amortised cost (FinOps Foundation, KPI library, "Commitment discount waste
    /// percentage"). `None` without commitments.
    #[must_use]
    pub fn waste_effective(&self) -> Option<f64> {
        ratio(self.unused_commitment, self.commitment())
    }
}

impl AddAssign for Charges {
    fn add_assign(&mut self, other: Self) {
        self.on_demand_equivalent += other.on_demand_equivalent;
        self.list_equivalent += other.list_equivalent;
        self.on_demand += other.on_demand;
        self.used_commitment += other.used_commitment;
        self.unused_commitment += other.unused_commitment;
        self.amortised_upfront += other.amortised_upfront;
        self.recurring += other.recurring;
        self.sustained_use_discount += other.sustained_use_discount;
    }
}

fn ratio(part: Money, whole: Money) -> Option<f64> {
    (whole.value() > Decimal::ZERO).then(|| to_f64(part.value() / whole.value()))
}

/// What a usage line cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineBill {
    /// Its column in the usage curves.
    pub column: usize,
    /// Quantity used, in the line's unit.
    pub quantity: Decimal,
    /// Quantity that commitments covered.
    pub covered: Decimal,
    /// All of it at on-demand prices.
    pub on_demand_equivalent: Money,
    /// What was not covered, at on-demand prices.
    pub on_demand: Money,
    /// Its part of Google's sustained use discounts, as a positive amount; `on_demand` is before them.
    pub sustained_use_discount: Money,
}

/// What a commitment did and cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitmentBill {
    /// The commitment's identifier.
    pub id: String,
    /// The hours it ran within the bill.
    pub hours: Decimal,
    /// What it provided: units of its pool or SKU times hours, or money.
    pub provided: Decimal,
    /// What was used of it, in the same unit.
    pub used: Decimal,
    /// The usage it covered, at on-demand prices.
    pub covered: Money,
    /// Its cost by used and unused part, and by upfront and recurring.
    pub charges: Charges,
    /// By usage line (its column): the quantity covered.
    pub by_line: BTreeMap<usize, Decimal>,
}

/// What usage costs under commitments.
///
/// It holds figures by month. Days and hours are replayed when asked for ([`Bill::days`], [`Bill::hours`], [`Bill::explain`]).
#[derive(Clone, Debug)]
pub struct Bill {
    months: BTreeMap<Month, Charges>,
    lines: Vec<LineBill>,
    commitments: Vec<CommitmentBill>,
    commitments_by_month: BTreeMap<Month, Vec<CommitmentBill>>,
    /// By group of lines with sustained use discounts.
    discount_rates: Vec<BTreeMap<Month, Decimal>>,
    pub(super) record: Arc<Record>,
}

impl PartialEq for Bill {
    /// Whether all figures are the same.
    fn eq(&self, other: &Self) -> bool {
        self.months == other.months
            && self.lines == other.lines
            && self.commitments == other.commitments
            && self.commitments_by_month == other.commitments_by_month
    }
}

impl Eq for Bill {}

/// The usage of one line in one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineHour {
    /// Its column in the usage curves.
    pub column: usize,
    /// Quantity used, in the line's unit.
    pub quantity: Decimal,
    /// Quantity that commitments covered.
    pub covered: Decimal,
}

impl Bill {
    /// By billing month of the provider: UTC, and US Pacific for Google Cloud.
    #[must_use]
    pub fn months(&self) -> &BTreeMap<Month, Charges> {
        &self.months
    }

    /// By billing day of the provider: UTC, and US Pacific for Google Cloud. Replays the usage; a sustained use discount, which is of a
    /// month, falls on days by what they have on demand.
    #[must_use]
    pub fn days(&self) -> BTreeMap<NaiveDate, Charges> {
        let record = &self.record;
        let pieces = record.by_day(|epoch, hours, sums| {
            let hour = record.hour(hours.start);
            let charges = charges(record, epoch, &sums);
            let discount = self.sustained_use_discount(hours, &sums);
            charges
                .into_iter()
                .map(|(provider, mut charges)| {
                    if provider == Provider::Gcp {
                        charges.sustained_use_discount = discount;
                    }
                    (calendar::day(provider, hour), charges)
                })
                .collect::<Vec<_>>()
        });
        let mut days: BTreeMap<NaiveDate, Charges> = BTreeMap::new();
        for (day, charges) in pieces.into_iter().flatten() {
            *days.entry(day).or_default() += charges;
        }
        days
    }

    /// By hour, over some hours of the usage (indices of its grid), replayed. An hour's weight multiplies its figures.
    #[must_use]
    pub fn hours(&self, hours: Range<usize>) -> Vec<(Hour, Charges)> {
        let record = &self.record;
        let hours = hours.start..hours.end.min(record.usage.grid().count);
        let cuts: Vec<usize> = hours.clone().collect();
        record.stretches(hours, &cuts, |epoch, hours, sums| {
            let mut total = charges(record, epoch, &sums).into_values().fold(Charges::default(), |mut total, charges| {
                total += charges;
                total
            });
            total.sustained_use_discount = self.sustained_use_discount(hours.clone(), &sums);
            (record.hour(hours.start), total)
        })
    }

    /// The usage of every line in one hour, replayed: what ran, and what of it commitments covered. `None` if the hour is not in the
    /// usage. An hour's weight multiplies its figures.
    #[must_use]
    pub fn lines_in(&self, hour: Hour) -> Option<Vec<LineHour>> {
        let index = self.record.usage.grid().index(hour)?;
        let epoch = self.record.epoch(index)?;
        let sums = super::waterfall::replay_hours::<Decimal>(&self.record, epoch, index..index + 1);
        let mut lines: Vec<LineHour> = self
            .record
            .lines
            .iter()
            .zip(&sums.used)
            .map(|(line, quantity)| LineHour { column: line.column, quantity: *quantity, covered: Decimal::ZERO })
            .collect();
        for (draw, taken) in epoch.draws.iter().zip(&sums.taken) {
            lines[draw.line].covered += *taken;
        }
        Some(lines)
    }

    /// Over all hours.
    #[must_use]
    pub fn total(&self) -> Charges {
        self.months.values().fold(Charges::default(), |mut total, month| {
            total += *month;
            total
        })
    }

    /// By usage line, in the order of the curves; spot and free-tier lines are not in it.
    #[must_use]
    pub fn lines(&self) -> &[LineBill] {
        &self.lines
    }

    /// By commitment, in the order of the portfolio, over all hours.
    #[must_use]
    pub fn commitments(&self) -> &[CommitmentBill] {
        &self.commitments
    }

    /// By commitment, in the order of the portfolio, over one month.
    #[must_use]
    pub fn commitments_in(&self, month: Month) -> &[CommitmentBill] {
        self.commitments_by_month.get(&month).map_or(&[], Vec::as_slice)
    }

    pub(super) fn new(record: Arc<Record>) -> Self {
        let sums = waterfall::replay::<Decimal>(&record);
        let mut months: BTreeMap<Month, Charges> = BTreeMap::new();
        let mut lines: Vec<LineBill> = record.lines.iter().map(LineBill::empty).collect();
        let mut by_month: BTreeMap<Month, Vec<CommitmentBill>> = BTreeMap::new();
        let none = || -> Vec<CommitmentBill> { record.held.iter().map(|held| CommitmentBill::empty(&held.id)).collect() };
        for (epoch, sums) in record.epochs.iter().zip(&sums) {
            let hour = record.hour(epoch.hours.start);
            for (provider, charges) in charges(&record, epoch, sums) {
                *months.entry(calendar::month(provider, hour)).or_default() += charges;
            }
            for (index, held) in record.held.iter().enumerate().filter(|(_, held)| held.hours.contains(&epoch.hours.start)) {
                let bill = &mut by_month.entry(calendar::month(held.provider, hour)).or_insert_with(none)[index];
                bill.hours += sums.hours;
                bill.provided += held.capacity * sums.hours;
                bill.used += sums.spent[index];
            }
            for (draw, taken) in epoch.draws.iter().zip(&sums.taken).filter(|(_, taken)| !taken.is_zero()) {
                let line = &record.lines[draw.line];
                lines[draw.line].covered += *taken;
                let month = calendar::month(record.held[draw.commitment].provider, hour);
                let bill = &mut by_month.entry(month).or_insert_with(none)[draw.commitment];
                bill.covered += line.price.of(*taken);
                *bill.by_line.entry(line.column).or_default() += *taken;
            }
            for (bill, used) in lines.iter_mut().zip(&sums.used) {
                bill.quantity += *used;
            }
        }
        let mut total = none();
        for commitments in by_month.values_mut() {
            for ((held, bill), total) in record.held.iter().zip(commitments).zip(&mut total) {
                bill.charge(held);
                total.add(bill);
            }
        }
        let mut discount_rates = Vec::with_capacity(record.sustained.len());
        for months_of_group in sustained::discounts(&record, &sums) {
            let mut rates = BTreeMap::new();
            for (month, (discount, cost)) in months_of_group {
                months.entry(month).or_default().sustained_use_discount += Money::new(discount);
                rates.insert(month, if cost.is_zero() { Decimal::ZERO } else { discount / cost });
            }
            discount_rates.push(rates);
        }
        for (line, bill) in record.lines.iter().zip(&mut lines) {
            bill.on_demand_equivalent = line.price.of(bill.quantity);
            bill.on_demand = line.price.of(bill.quantity - bill.covered);
        }
        let mut bill = Self { months, lines, commitments: total, commitments_by_month: by_month, discount_rates, record };
        bill.discount_lines(&sums);
        bill
    }

    /// Gives each line its part of the sustained use discounts: its group's rate of the month on what it has on demand.
    fn discount_lines(&mut self, sums: &[Sums<Decimal>]) {
        for (epoch, sums) in self.record.epochs.iter().zip(sums).filter(|_| !self.record.sustained.is_empty()) {
            let month = calendar::month(Provider::Gcp, self.record.hour(epoch.hours.start));
            let mut open = sums.used.clone();
            for (draw, taken) in epoch.draws.iter().zip(&sums.taken) {
                open[draw.line] -= *taken;
            }
            for (group, rates) in self.record.sustained.iter().zip(&self.discount_rates) {
                let rate = rates.get(&month).copied().unwrap_or_default();
                for (line, price) in group.lines() {
                    self.lines[*line].sustained_use_discount += Money::new(open[*line] * *price * rate);
                }
            }
        }
    }

    /// The rate of the sustained use discount of each group of lines, by month.
    pub(super) fn discount_rates(&self) -> &[BTreeMap<Month, Decimal>] {
        &self.discount_rates
    }

    /// The sustained use discount on some hours of one month.
    fn sustained_use_discount(&self, hours: Range<usize>, sums: &Sums<Decimal>) -> Money {
        let month = calendar::month(Provider::Gcp, self.record.hour(hours.start));
        let mut discount = Decimal::ZERO;
        for (open, rates) in sums.open.iter().zip(&self.discount_rates) {
            let rate = rates.get(&month).copied().unwrap_or_default();
            for (hour, open) in hours.clone().zip(open) {
                discount += open.cost * rate * to_decimal(self.record.usage.weights()[hour]).unwrap_or(Decimal::ONE);
            }
        }
        Money::new(discount)
    }
}

/// The charges of some hours of an epoch, by provider, before sustained use discounts.
fn charges(record: &Record, epoch: &Epoch, sums: &Sums<Decimal>) -> BTreeMap<Provider, Charges> {
    let mut charges: BTreeMap<Provider, Charges> = BTreeMap::new();
    for (line, used) in record.lines.iter().zip(&sums.used) {
        let cost = line.price.of(*used);
        let charges = charges.entry(line.provider).or_default();
        charges.on_demand_equivalent += cost;
        charges.list_equivalent += if line.list == line.price { cost } else { line.list.of(*used) };
        charges.on_demand += cost;
    }
    for (draw, taken) in epoch.draws.iter().zip(&sums.taken).filter(|(_, taken)| !taken.is_zero()) {
        let line = &record.lines[draw.line];
        charges.entry(line.provider).or_default().on_demand -= line.price.of(*taken);
    }
    for (held, spent) in record.held.iter().zip(&sums.spent).filter(|(held, _)| held.hours.contains(&epoch.hours.start)) {
        *charges.entry(held.provider).or_default() += commitment_charges(held, sums.hours, held.capacity * sums.hours, *spent);
    }
    charges
}

/// The charges of a commitment over some hours.
fn commitment_charges(held: &RecordHeld, hours: Decimal, provided: Decimal, used: Decimal) -> Charges {
    let recurring = Money::new(held.recurring_hour * hours);
    let amortised_upfront = Money::new(held.upfront_hour * hours);
    let cost = recurring + amortised_upfront;
    let used_commitment = if provided.is_zero() {
        Money::ZERO
    } else if used == provided {
        cost
    } else {
        Money::new(cost.value() * used / provided)
    };
    Charges { used_commitment, unused_commitment: cost - used_commitment, amortised_upfront, recurring, ..Charges::default() }
}

impl LineBill {
    fn empty(line: &RecordLine) -> Self {
        let (quantity, covered) = (Decimal::ZERO, Decimal::ZERO);
        let (on_demand_equivalent, on_demand, sustained_use_discount) = (Money::ZERO, Money::ZERO, Money::ZERO);
        Self { column: line.column, quantity, covered, on_demand_equivalent, on_demand, sustained_use_discount }
    }
}

impl CommitmentBill {
    fn empty(id: &str) -> Self {
        let (hours, provided, used) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
        Self { id: id.into(), hours, provided, used, covered: Money::ZERO, charges: Charges::default(), by_line: BTreeMap::new() }
    }

    /// Share of what it provided that was used; `None` if it did not run within the bill.
    #[must_use]
    pub fn utilisation(&self) -> Option<f64> {
        (self.provided > Decimal::ZERO).then(|| to_f64(self.used / self.provided))
    }

    /// Fills in the charges from hours and use.
    fn charge(&mut self, held: &RecordHeld) {
        self.charges = commitment_charges(held, self.hours, self.provided, self.used);
    }

    fn add(&mut self, other: &Self) {
        self.hours += other.hours;
        self.provided += other.provided;
        self.used += other.used;
        self.covered += other.covered;
        self.charges += other.charges;
        for (column, quantity) in &other.by_line {
            *self.by_line.entry(*column).or_default() += *quantity;
        }
    }

    /// The value of what it covered above what it cost: covered usage at on-demand prices less its whole cost.
    #[must_use]
    pub fn net_savings(&self) -> Money {
        self.covered - self.charges.commitment()
    }
}

/// The amortised cost in f64; the same formulas as [`Bill`], without the detail.
pub(super) fn cost(record: &Record) -> f64 {
    let sums = waterfall::replay::<f64>(record);
    let mut cost = 0.0;
    let prices: Vec<f64> = record.lines.iter().map(|line| line.price.to_f64()).collect();
    let hourly: Vec<f64> = record.held.iter().map(|held| to_f64(held.cost_hour())).collect();
    for (epoch, sums) in record.epochs.iter().zip(&sums) {
        cost += sums.used.iter().zip(&prices).map(|(used, price)| used * price).sum::<f64>();
        cost -= epoch.draws.iter().zip(&sums.taken).map(|(draw, taken)| taken * prices[draw.line]).sum::<f64>();
        let active = record.held.iter().zip(&hourly).filter(|(held, _)| held.hours.contains(&epoch.hours.start));
        cost += active.map(|(_, hourly)| hourly * sums.hours).sum::<f64>();
    }
    let discounts = sustained::discounts(record, &sums);
    cost - discounts.iter().flat_map(|months| months.values().map(|(discount, _)| discount)).sum::<f64>()
}

impl Bill {
    /// A spend plan's commitment that was bought for usage it has a rate for but that reservations took first is waste like any other;
    /// this lists commitments by unused cost, the largest first.
    #[must_use]
    pub fn waste(&self) -> Vec<&CommitmentBill> {
        let mut waste: Vec<&CommitmentBill> =
            self.commitments.iter().filter(|bill| bill.charges.unused_commitment > Money::ZERO).collect();
        waste.sort_by(|a, b| b.charges.unused_commitment.cmp(&a.charges.unused_commitment).then_with(|| a.id.cmp(&b.id)));
        waste
    }
}
