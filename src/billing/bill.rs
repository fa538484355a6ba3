//! The bill: charges by month, line and commitment, and the indicators people read off them.
//!
//! Formulas: `docs/formulation.md`, "The bill". All amounts are amortised unless they say cash: upfront fees are spread evenly over the
//! hours of the term.

use super::Judge;
use super::waterfall::{Number, Sums};
use crate::time::Month;
use crate::units::{Money, to_f64};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::ops::AddAssign;

/// What usage and commitments cost over some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charges {
    /// All usage at on-demand prices, covered or not: what it would have cost without commitments.
    pub on_demand_equivalent: Money,
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

    /// Effective savings rate on the list basis: savings / on-demand equivalent (FinOps Foundation, KPI library; "list" because the
    /// on-demand equivalent is at catalog prices). `None` without usage.
    #[must_use]
    pub fn effective_savings_rate_list(&self) -> Option<f64> {
        ratio(self.savings(), self.on_demand_equivalent)
    }

    /// Covered usage / all usage, both at on-demand prices. `None` without usage.
    #[must_use]
    pub fn coverage(&self) -> Option<f64> {
        ratio(self.covered(), self.on_demand_equivalent)
    }

    /// Used commitment / all commitment, in cost. `None` without commitments.
    #[must_use]
    pub fn utilisation(&self) -> Option<f64> {
        ratio(self.used_commitment, self.commitment())
    }
}

impl AddAssign for Charges {
    fn add_assign(&mut self, other: Self) {
        self.on_demand_equivalent += other.on_demand_equivalent;
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    months: BTreeMap<Month, Charges>,
    lines: Vec<LineBill>,
    commitments: Vec<CommitmentBill>,
    commitments_by_month: BTreeMap<Month, Vec<CommitmentBill>>,
}

impl Bill {
    /// By UTC calendar month.
    #[must_use]
    pub fn months(&self) -> &BTreeMap<Month, Charges> {
        &self.months
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

    pub(super) fn new(judge: &Judge<'_>, sums: &[Sums<Decimal>]) -> Self {
        let mut months: BTreeMap<Month, Charges> = BTreeMap::new();
        let mut lines: Vec<LineBill> = judge.lines.iter().map(|line| LineBill::empty(line.column)).collect();
        let mut by_month: BTreeMap<Month, Vec<CommitmentBill>> = BTreeMap::new();
        let none =
            || -> Vec<CommitmentBill> { judge.held.iter().map(|held| CommitmentBill::empty(&held.commitment.id)).collect() };
        for (epoch, sums) in judge.epochs.iter().zip(sums) {
            let month = judge.usage.grid().hour(epoch.hours.start).month();
            let commitments = by_month.entry(month).or_insert_with(none);
            for (draw, taken) in epoch.draws.iter().zip(&sums.taken) {
                if taken.is_zero() {
                    continue;
                }
                let line = &judge.lines[draw.line];
                lines[draw.line].covered += *taken;
                let bill = &mut commitments[draw.commitment];
                bill.used += *taken * draw.weight;
                bill.covered += line.price.price.of(*taken);
                *bill.by_line.entry(line.column).or_default() += *taken;
            }
            for (bill, used) in lines.iter_mut().zip(&sums.used) {
                bill.quantity += *used;
            }
            let charges = months.entry(month).or_default();
            for (line, used) in judge.lines.iter().zip(&sums.used) {
                charges.on_demand_equivalent += line.price.price.of(*used);
            }
            for (held, bill) in judge.held.iter().zip(commitments) {
                if held.hours.contains(&epoch.hours.start) {
                    bill.hours += sums.hours;
                    bill.provided += held.capacity() * sums.hours;
                }
            }
        }
        for (line, bill) in judge.lines.iter().zip(&mut lines) {
            bill.on_demand_equivalent = line.price.price.of(bill.quantity);
            bill.on_demand = line.price.price.of(bill.quantity - bill.covered);
        }
        let mut total = none();
        for (month, commitments) in &mut by_month {
            let charges = months.entry(*month).or_default();
            charges.on_demand = charges.on_demand_equivalent;
            for ((held, bill), total) in judge.held.iter().zip(commitments).zip(&mut total) {
                bill.charge(held);
                charges.on_demand -= bill.covered;
                *charges += bill.charges;
                total.add(bill);
            }
        }
        for (month, discount) in super::gcp::sustained::discounts(judge, sums) {
            months.entry(month).or_default().sustained_use_discount += Money::new(discount);
        }
        Self { months, lines, commitments: total, commitments_by_month: by_month }
    }
}

impl LineBill {
    fn empty(column: usize) -> Self {
        let (quantity, covered) = (Decimal::ZERO, Decimal::ZERO);
        Self { column, quantity, covered, on_demand_equivalent: Money::ZERO, on_demand: Money::ZERO }
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
    fn charge(&mut self, held: &super::Held<'_>) {
        let unit_hours = held.commitment.quantity * self.hours * held.calendar_factor();
        let offer = held.offer;
        self.charges.recurring = offer.recurring.over_hours(unit_hours);
        self.charges.amortised_upfront = Money::new(offer.upfront.value() * unit_hours / offer.term.list_hours());
        let cost = self.charges.recurring + self.charges.amortised_upfront;
        let used = if self.provided.is_zero() { Money::ZERO } else { Money::new(cost.value() * self.used / self.provided) };
        self.charges.used_commitment = used;
        self.charges.unused_commitment = cost - used;
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

/// The amortised cost of sums in f64; the same formulas as [`Bill`], without the detail.
pub(super) fn cost(judge: &Judge<'_>, sums: &[Sums<f64>]) -> f64 {
    let mut cost = 0.0;
    let prices: Vec<f64> = judge.lines.iter().map(|line| line.price.price.to_f64()).collect();
    let hourly: Vec<f64> = judge
        .held
        .iter()
        .map(|held| f64::from_decimal(held.offer.effective_hourly().value() * held.commitment.quantity * held.calendar_factor()))
        .collect();
    for (epoch, sums) in judge.epochs.iter().zip(sums) {
        cost += sums.used.iter().zip(&prices).map(|(used, price)| used * price).sum::<f64>();
        cost -= epoch.draws.iter().zip(&sums.taken).map(|(draw, taken)| taken * prices[draw.line]).sum::<f64>();
        let active = judge.held.iter().zip(&hourly).filter(|(held, _)| held.hours.contains(&epoch.hours.start));
        cost += active.map(|(_, hourly)| hourly * sums.hours).sum::<f64>();
    }
    cost - super::gcp::sustained::discounts(judge, sums).values().sum::<f64>()
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
