//! The purchases as cash flows and in the accounts, by the room `finance`. Formulas: `docs/finance.md`.
//!
//! Each purchase is paid as its provider charges it and runs for its whole term; none is renewed. What it avoids in an hour is what it
//! avoids on the average of the usage planned for: the usage goes on as it was. What actions on what is held avoid is not the purchases': it is
//! taken off first.

use super::super::figure::Figure;
use super::super::model::{Finance, FinanceMonth, FinanceYear, TornadoBar};
use super::{Bought, Settings, finance_error, number};
use crate::billing::Bill;
use crate::error::Result;

use crate::finance::accounting::{AccountingMonth, Holding, Policy, Treatment, plan_accounts};
use crate::finance::amortisation::Term;
use crate::finance::commitment::{Alternative, Avoided, CashKind, Commitment, RecurringBilling, Terminal, plan_cash};
use crate::finance::{AnnualRate, BreakEven, CashFlows, DayCount, InternalRate, NoRate};
use crate::planning::{Plan, Problem};
use crate::units::to_decimal;
use crate::usage::Provider;
use chrono::{Datelike, Months, NaiveDate};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The purchases as money and time.
pub(super) struct Investment {
    purchases: Vec<Investing>,
    hours: Decimal,
    rate: AnnualRate,
    treatment: Treatment,
    start: Option<NaiveDate>,
}

/// One purchase.
struct Investing {
    id: String,
    term: Term,
    upfront: Decimal,
    recurring_per_hour: Decimal,
    billing: RecurringBilling,
    utilisation: Decimal,
    avoided_per_hour: Decimal,
}

/// What differs from the usage planned for.
#[derive(Clone, Copy)]
pub(super) struct Change {
    /// Effective a year; that of the settings if `None`.
    pub(super) discount_rate: Option<f64>,
    /// The yearly fall of on-demand prices from the second year on.
    pub(super) price_cut: f64,
}

impl Change {
    pub(super) const NONE: Self = Self { discount_rate: None, price_cut: 0.0 };
}

impl Investment {
    pub(super) fn new(problem: &Problem<'_>, plan: &Plan, bought: &[Bought<'_>], settings: &Settings) -> Result<Self> {
        let rate = AnnualRate::effective(settings.discount_rate).map_err(finance_error)?;
        let hours = to_decimal(plan.hours()).filter(|hours| !hours.is_zero()).unwrap_or(Decimal::ONE);
        let avoided = avoided(plan.after_actions(), plan.after(), bought);
        let mut purchases = Vec::with_capacity(bought.len());
        for (bought, avoided) in bought.iter().zip(avoided) {
            let offer = bought.offer();
            let term = Term::new(bought.start, bought.end).map_err(finance_error)?;
            let recurring = bought.obligation() - bought.purchase.upfront.value();
            let served = served(problem, bought, hours);
            purchases.push(Investing {
                id: bought.commitment.id.clone(),
                upfront: bought.purchase.upfront.value(),
                recurring_per_hour: recurring / term.hours(),
                billing: match (offer.provider, offer.is_spend_plan()) {
                    (Provider::Aws, false) => RecurringBilling::MonthStart,
                    (Provider::Azure, _) => RecurringBilling::Anniversary,
                    (Provider::Aws, true) | (Provider::Gcp, _) => RecurringBilling::MonthEnd,
                },
                utilisation: bought.purchase.utilisation.and_then(to_decimal).unwrap_or_default().round_dp(12),
                avoided_per_hour: avoided / served,
                term,
            });
        }
        let start = bought.iter().map(|bought| bought.start.date_naive()).min();
        Ok(Self { purchases, hours, rate, treatment: settings.treatment, start })
    }

    /// The same purchases where other bills say what they avoid.
    pub(super) fn under(&self, before: &Bill, after: &Bill) -> Self {
        let ids: Vec<&str> = self.purchases.iter().map(|purchase| purchase.id.as_str()).collect();
        let covered = covered(after, &ids);
        let all = avoided_in_all(before, after);
        let sum: Decimal = covered.iter().sum();
        let purchases = self.purchases.iter().zip(covered).map(|(purchase, covered)| Investing {
            id: purchase.id.clone(),
            avoided_per_hour: if sum.is_zero() { Decimal::ZERO } else { all * covered / sum / self.hours },
            ..*purchase
        });
        Self { purchases: purchases.collect(), ..*self }
    }

    fn commitments(&self, change: Change) -> Result<Vec<Commitment>> {
        let keep = Decimal::ONE - to_decimal(change.price_cut).unwrap_or_default();
        let commitment = |purchase: &Investing| -> Result<Commitment> {
            let first = purchase.term.start().date_naive();
            let mut months = BTreeMap::new();
            for (month, seconds) in purchase.term.seconds_by_month().map_err(finance_error)? {
                let years = (month.year() - first.year()) * 12 + month.month().cast_signed() - first.month().cast_signed();
                let mut value = purchase.avoided_per_hour * seconds / Decimal::from(3600);
                for _ in 0..years.div_euclid(12) {
                    value *= keep;
                }
                months.insert(month, value);
            }
            Ok(Commitment {
                name: purchase.id.clone(),
                term: purchase.term,
                upfront: purchase.upfront,
                recurring_per_hour: purchase.recurring_per_hour,
                billing: purchase.billing,
                alternative: Alternative::HeldToday,
                avoided: Avoided::PerMonth(months),
                terminal: Terminal::RunsOut,
            })
        };
        self.purchases.iter().map(commitment).collect()
    }

    fn flows(&self, change: Change) -> Result<CashFlows> {
        Ok(plan_cash(&self.commitments(change)?).map_err(finance_error)?.flows())
    }

    /// Net present value at the day of purchase.
    pub(super) fn npv(&self, change: Change) -> Result<f64> {
        let Some(start) = self.start else { return Ok(0.0) };
        let rate = match change.discount_rate {
            Some(rate) => AnnualRate::effective(rate).map_err(finance_error)?,
            None => self.rate,
        };
        self.flows(change)?.xnpv_at(start, rate, DayCount::Actual365Fixed).map_err(finance_error)
    }

    /// The view of the report.
    pub(super) fn view(&self, tornado: Vec<TornadoBar>) -> Result<Finance> {
        let Some(start) = self.start else { return Ok(self.nothing(tornado)) };
        let commitments = self.commitments(Change::NONE)?;
        let cash = plan_cash(&commitments).map_err(finance_error)?;
        let flows = cash.flows();
        let (irr, irr_note) = match flows.xirr(DayCount::Actual365Fixed) {
            Ok(InternalRate::Unique(rate)) => (Some(number(rate)?), String::new()),
            Ok(InternalRate::Multiple(_)) => {
                (None, "there are several internal rates; judge by the net present value".to_owned())
            }
            Ok(InternalRate::None(reason)) => (None, no_rate(reason).to_owned()),
            Err(error) => return Err(finance_error(error)),
        };
        let (payback, payback_months) = match flows.break_even().map_err(finance_error)? {
            BreakEven::Immediate => ("immediate".to_owned(), Some(Figure::default())),
            BreakEven::On(date) => (date.to_string(), Some(number((date - start).num_days() as f64 / 365.0 * 12.0)?)),
            BreakEven::Never => ("never".to_owned(), None),
        };
        let total = |kind| cash.total(kind).map_err(finance_error);
        let cost = -(total(CashKind::Upfront)? + total(CashKind::Recurring)?);
        let avoided = total(CashKind::Saved)?;
        let months = self.months(&commitments)?;
        Ok(Finance {
            purchase_date: start,
            discount_rate: number(self.rate.per_year())?,
            treatment: treatment(self.treatment).into(),
            npv: number(self.npv(Change::NONE)?)?,
            irr,
            irr_note,
            payback,
            payback_months,
            return_on_investment: super::ratio(avoided - cost, cost).map(number).transpose()?,
            largest_exposure: cash.largest_exposure().into(),
            avoided: avoided.into(),
            cost: cost.into(),
            years: years(start, &months),
            months: calendar(&months, &flows),
            tornado,
        })
    }

    /// The accounts by calendar month.
    fn months(&self, commitments: &[Commitment]) -> Result<BTreeMap<NaiveDate, AccountingMonth>> {
        let mut holdings = Vec::with_capacity(commitments.len());
        for (commitment, purchase) in commitments.iter().zip(&self.purchases) {
            let months = commitment.term.seconds_by_month().map_err(finance_error)?;
            let utilisation = months.into_keys().map(|month| (month, purchase.utilisation)).collect();
            holdings.push(Holding { commitment: commitment.clone(), utilisation });
        }
        let policy = Policy { treatment: self.treatment, ..Policy::default() };
        Ok(plan_accounts(&holdings, policy).map_err(finance_error)?.total.months)
    }

    fn nothing(&self, tornado: Vec<TornadoBar>) -> Finance {
        Finance {
            purchase_date: NaiveDate::default(),
            discount_rate: Figure::from_f64(self.rate.per_year()).unwrap_or_default(),
            treatment: treatment(self.treatment).into(),
            npv: Figure::default(),
            irr: None,
            irr_note: "nothing is bought".into(),
            payback: "immediate".into(),
            payback_months: None,
            return_on_investment: None,
            largest_exposure: Figure::default(),
            avoided: Figure::default(),
            cost: Figure::default(),
            years: Vec::new(),
            months: Vec::new(),
            tornado,
        }
    }
}

fn treatment(treatment: Treatment) -> &'static str {
    match treatment {
        Treatment::ServiceContract => "service_contract",
        Treatment::Capitalised => "capitalised",
    }
}

fn no_rate(reason: NoRate) -> &'static str {
    match reason {
        NoRate::NoSignChange => "no money is ever out of pocket, so there is no rate to earn on it",
        _ => "the rate is beyond any that means something; judge by the net present value",
    }
}

/// The hours of the usage that a purchase serves: all in a steady state.
fn served(problem: &Problem<'_>, bought: &Bought<'_>, hours: Decimal) -> Decimal {
    if !problem.is_dated() {
        return hours;
    }
    let Some(usage) = problem.usages().next() else { return hours };
    let span = usage.grid().span(bought.start, bought.end);
    let weight: f64 = span.map(|hour| usage.weights()[hour]).sum();
    to_decimal(weight).filter(|hours| !hours.is_zero()).unwrap_or(hours)
}

/// What the plan avoids on demand, after sustained use discounts.
fn avoided_in_all(before: &Bill, after: &Bill) -> Decimal {
    let open = |bill: &Bill| {
        let total = bill.total();
        (total.on_demand - total.sustained_use_discount).value()
    };
    open(before) - open(after)
}

fn covered(after: &Bill, ids: &[&str]) -> Vec<Decimal> {
    let of = |id: &&str| {
        after.commitments().iter().find(|billed| billed.id == **id).map_or(Decimal::ZERO, |billed| billed.covered.value())
    };
    ids.iter().map(of).collect()
}

/// What each purchase avoids: its share, by what it covers, of what the plan avoids beside its actions. Purchases that displace what was held, or usage with
/// sustained use discounts, avoid less than they cover.
fn avoided(before: &Bill, after: &Bill, bought: &[Bought<'_>]) -> Vec<Decimal> {
    let ids: Vec<&str> = bought.iter().map(|bought| bought.commitment.id.as_str()).collect();
    let covered = covered(after, &ids);
    let (all, sum) = (avoided_in_all(before, after), covered.iter().sum::<Decimal>());
    covered.into_iter().map(|covered| if sum.is_zero() { Decimal::ZERO } else { all * covered / sum }).collect()
}

fn years(start: NaiveDate, months: &BTreeMap<NaiveDate, AccountingMonth>) -> Vec<FinanceYear> {
    let first = start.with_day(1).unwrap_or(start);
    let mut years = Vec::new();
    for year in 1_u32..=20 {
        let from = first + Months::new(12 * (year - 1));
        let until = first + Months::new(12 * year);
        let rows: Vec<&AccountingMonth> = months.range(from..until).map(|(_, month)| month).collect();
        if rows.is_empty() {
            break;
        }
        let sum = |of: fn(&AccountingMonth) -> Decimal| -> Figure { rows.iter().map(|month| of(month)).sum::<Decimal>().into() };
        years.push(FinanceYear {
            year,
            cash_paid: sum(|month| month.cash_paid),
            avoided: sum(|month| month.avoided),
            expense: sum(AccountingMonth::expense),
            ebitda_effect: sum(|month| month.ebitda_effect),
            operating_cash_flow_effect: sum(|month| month.operating_cash_flow_effect),
        });
    }
    years
}

fn calendar(months: &BTreeMap<NaiveDate, AccountingMonth>, flows: &CashFlows) -> Vec<FinanceMonth> {
    let cash = flows.by_month();
    let mut keys: Vec<NaiveDate> = months.keys().chain(cash.keys()).copied().collect();
    keys.sort();
    keys.dedup();
    let mut cumulative = Decimal::ZERO;
    let row = |key: NaiveDate| {
        let net = cash.get(&key).copied().unwrap_or_default();
        cumulative += net;
        let month = months.get(&key).copied().unwrap_or_default();
        FinanceMonth {
            month: key.format("%Y-%m").to_string(),
            cash_paid: month.cash_paid.into(),
            net_cash: net.into(),
            cumulative_cash: cumulative.into(),
            avoided: month.avoided.into(),
            expense: month.expense().into(),
            unused_expense: month.unused_expense.into(),
            ebitda_effect: month.ebitda_effect.into(),
            prepaid: month.prepaid.into(),
        }
    };
    keys.into_iter().map(row).collect()
}

/// The yearly rate as a percentage, in words.
pub(super) fn percent(rate: f64) -> String {
    format!("{:.1} %", 100.0 * rate)
}

impl Investment {
    /// The cost of capital, effective a year.
    pub(super) fn discount_rate(&self) -> f64 {
        self.rate.per_year()
    }

    /// Whether anything is bought.
    pub(super) fn is_empty(&self) -> bool {
        self.purchases.is_empty()
    }
}
