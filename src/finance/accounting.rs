//! Cash against profit and loss of a commitment by month, and the journal that books it.
//!
//! Default treatment: a service contract. Fees are operating expense over the term, an upfront payment is a prepaid
//! expense, unpaid fees are accrued. Why: a customer of hosting without the right to take the software has a service
//! contract (ASU 2018-15, ASC 350-40; PwC Viewpoint SW 4.1, infrastructure included); access to a supplier's software is a
//! service (IFRIC, March 2019); a lease needs an identified asset and its control (ASC 842, IFRS 16), which dedicated
//! hardware *may* give; an upfront payment is a prepaid, expensed rateably (TXCPA 2022). One adviser page claims the
//! opposite (upfront reservations as capital expenditure, which lifts EBITDA): [`Treatment::Capitalised`] shows it for
//! firms whose auditors agree. This is not advice: accountants decide.
//!
//! Payment timing alone moves cash, not EBITDA; by default EBITDA improves by the savings only.

mod plan;

pub use plan::{Holding, PlanAccounts, plan_accounts};

use super::amortisation::{Spread, Term, amortise, share};
use super::cash_flow::{month_start, sum};
use super::commitment::{CashKind, Commitment};
use super::{Error, Result};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Who capitalises: how the upfront payment is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Treatment {
    /// Prepaid expense, operating cost over the term: reduces EBITDA as it is used up.
    #[default]
    ServiceContract,
    /// An asset, amortised below EBITDA; its payment is an investing cash flow.
    Capitalised,
}

/// The books' rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Who capitalises.
    pub treatment: Treatment,
    /// How the upfront payment is spread.
    pub spread: Spread,
    /// Decimals of the currency (2 for cents).
    pub decimals: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { treatment: Treatment::ServiceContract, spread: Spread::BySecond, decimals: 2 }
    }
}

/// One month of cash and of profit and loss. Costs are positive; effects are positive when they help.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountingMonth {
    /// Paid to the provider: upfront and recurring.
    pub cash_paid: Decimal,
    /// Of it, upfront.
    pub upfront_paid: Decimal,
    /// Received on refund or resale.
    pub cash_received: Decimal,
    /// Upfront payment expensed.
    pub amortised: Decimal,
    /// Recurring fee earned by the provider.
    pub accrued: Decimal,
    /// Of the month's expense (amortised and accrued), what was not used.
    pub unused_expense: Decimal,
    /// Prepaid expense written off less what came in, at a resale or refund: a loss if positive.
    pub disposal_loss: Decimal,
    /// Prepaid expense (or capitalised asset) at the month's end.
    pub prepaid: Decimal,
    /// Fees owed but not paid at the month's end; negative when paid ahead.
    pub accrued_liability: Decimal,
    /// What the use would have cost under the alternative.
    pub avoided: Decimal,
    /// Avoided cost less what counts above EBITDA.
    pub ebitda_effect: Decimal,
    /// Avoided payments less operating payments.
    pub operating_cash_flow_effect: Decimal,
}

impl AccountingMonth {
    /// The month's cost in profit and loss.
    #[must_use]
    pub fn expense(&self) -> Decimal {
        self.amortised + self.accrued + self.disposal_loss
    }
}

/// An account of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Account {
    /// Bank.
    Cash,
    /// Prepaid cloud service (asset).
    PrepaidExpense,
    /// Capitalised commitment (asset), with [`Treatment::Capitalised`].
    CapitalisedCommitment,
    /// Cloud fees owed (liability).
    AccruedLiability,
    /// Cloud cost of what was used.
    CloudExpense,
    /// Cloud cost of commitment nobody used.
    UnusedCommitmentExpense,
    /// Amortisation below EBITDA, with [`Treatment::Capitalised`].
    AmortisationExpense,
    /// Loss (debit) or gain (credit) on resale or refund.
    DisposalResult,
}

/// One line: exactly one of debit and credit is above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalLine {
    /// The account.
    pub account: Account,
    /// Amount on the left.
    pub debit: Decimal,
    /// Amount on the right.
    pub credit: Decimal,
}

/// The entry of one month for one reason; its debits equal its credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// The first of the month it belongs to.
    pub month: NaiveDate,
    /// Why.
    pub reason: String,
    /// Its lines.
    pub lines: Vec<JournalLine>,
}

impl JournalEntry {
    /// Debits less credits: zero.
    #[must_use]
    pub fn imbalance(&self) -> Decimal {
        self.lines.iter().map(|line| line.debit - line.credit).sum()
    }
}

/// The books of one commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// The rules they follow.
    pub policy: Policy,
    /// By month, keyed by its first day, from purchase to the last payment.
    pub months: BTreeMap<NaiveDate, AccountingMonth>,
}

/// Keeps the books of a commitment. `utilisation` is the used share by month (missing months count as fully used).
///
/// # Errors
/// [`Error::OutOfRange`] for a utilisation outside 0 to 1 or more than 12 decimals, and as [`Commitment::incremental_cash`].
pub fn accounts(commitment: &Commitment, utilisation: &BTreeMap<NaiveDate, Decimal>, policy: Policy) -> Result<Accounts> {
    if policy.decimals > 12 {
        return Err(Error::OutOfRange { field: "decimals", value: f64::from(policy.decimals), remedy: "give at most 12" });
    }
    let held = commitment.held()?;
    let rounded = |amount: Decimal| amount.round_dp(policy.decimals);
    let upfront = rounded(commitment.upfront);
    let expensed = rounded(share(commitment.upfront, held.seconds(), commitment.term.seconds())?);
    let hours = share(commitment.recurring_per_hour, held.seconds(), Decimal::from(3600))?;
    let amortised = by_rule(expensed, &held, policy)?;
    let accrued = by_rule(rounded(hours), &held, Policy { spread: Spread::BySecond, ..policy })?;
    let avoided = commitment.avoided.by_month(&commitment.term, &held)?;
    let mut months: BTreeMap<NaiveDate, AccountingMonth> = BTreeMap::new();
    let cash = commitment.incremental_cash()?;
    let mut paid = Decimal::ZERO;
    let mut paid_rounded = Decimal::ZERO;
    let mut disposed = None;
    for line in &cash.lines {
        let month = months.entry(month_start(line.date)).or_default();
        match line.kind {
            CashKind::Upfront => month.upfront_paid += upfront,
            CashKind::Recurring => {
                paid -= line.amount;
                let due = rounded(paid);
                month.cash_paid += due - paid_rounded;
                paid_rounded = due;
            }
            CashKind::Saved => month.operating_cash_flow_effect += line.amount,
            CashKind::Refund | CashKind::Resale => {
                month.cash_received += rounded(line.amount);
                disposed = Some(month_start(line.date));
            }
        }
    }
    let given_up = held.end() < commitment.term.end();
    if given_up {
        disposed = disposed.or_else(|| Some(month_start(held.end().date_naive())));
    }
    // Instalments and hours can differ when a commitment is given up between two payments: settle with the disposal.
    let settled = paid_rounded - rounded(hours);
    let keys: BTreeSet<NaiveDate> = months.keys().chain(amortised.keys()).chain(disposed.iter()).copied().collect();
    let (mut prepaid, mut owed) = (Decimal::ZERO, Decimal::ZERO);
    for key in keys {
        let month = months.entry(key).or_default();
        month.cash_paid += month.upfront_paid;
        month.amortised = amortised.get(&key).copied().unwrap_or_default();
        month.accrued = accrued.get(&key).copied().unwrap_or_default();
        month.avoided = avoided.get(&key).copied().unwrap_or_default();
        let used = utilisation.get(&key).copied().unwrap_or(Decimal::ONE);
        if used < Decimal::ZERO || used > Decimal::ONE {
            return Err(Error::OutOfRange {
                field: "utilisation",
                value: super::cash_flow::float(used)?,
                remedy: "give a share between 0 and 1",
            });
        }
        month.unused_expense = rounded((Decimal::ONE - used) * (month.amortised + month.accrued));
        if disposed == Some(key) {
            month.disposal_loss = upfront - expensed + settled - month.cash_received;
        }
        let written_off = if disposed == Some(key) { upfront - expensed } else { Decimal::ZERO };
        let dropped = if disposed == Some(key) { settled } else { Decimal::ZERO };
        prepaid += month.upfront_paid - month.amortised - written_off;
        owed += month.accrued - (month.cash_paid - month.upfront_paid) + dropped;
        month.prepaid = prepaid;
        month.accrued_liability = owed;
        let (below, investing) = match policy.treatment {
            Treatment::ServiceContract => (Decimal::ZERO, Decimal::ZERO),
            Treatment::Capitalised => (month.amortised + month.disposal_loss, month.upfront_paid - month.cash_received),
        };
        month.ebitda_effect = month.avoided - (month.expense() - below);
        month.operating_cash_flow_effect += month.cash_received - month.cash_paid + investing;
    }
    Ok(Accounts { policy, months })
}

impl Accounts {
    /// Paid less received over life.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn net_cash_paid(&self) -> Result<Decimal> {
        sum(self.months.values().map(|month| month.cash_paid - month.cash_received))
    }

    /// Cost in profit and loss over life: equal to [`Accounts::net_cash_paid`].
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn total_expense(&self) -> Result<Decimal> {
        sum(self.months.values().map(AccountingMonth::expense))
    }

    /// The journal by month; every entry balances.
    #[must_use]
    pub fn journal(&self) -> Vec<JournalEntry> {
        let asset = match self.policy.treatment {
            Treatment::ServiceContract => Account::PrepaidExpense,
            Treatment::Capitalised => Account::CapitalisedCommitment,
        };
        let mut entries = Vec::new();
        let (mut prepaid, mut owed) = (Decimal::ZERO, Decimal::ZERO);
        for (key, month) in &self.months {
            let mut post = |reason: &str, lines: &[(Account, Decimal)]| {
                let lines: Vec<JournalLine> =
                    lines.iter().filter(|line| !line.1.is_zero()).map(|line| journal_line(line.0, line.1)).collect();
                if !lines.is_empty() {
                    entries.push(JournalEntry { month: *key, reason: reason.into(), lines });
                }
            };
            let recurring_paid = month.cash_paid - month.upfront_paid;
            post("upfront payment", &[(asset, month.upfront_paid), (Account::Cash, -month.upfront_paid)]);
            post("recurring payment", &[(Account::AccruedLiability, recurring_paid), (Account::Cash, -recurring_paid)]);
            // Unused commitment is shown from the accrued fee first, then from the amortised payment.
            let unused_fee = month.unused_expense.min(month.accrued);
            let unused_prepaid = month.unused_expense - unused_fee;
            post(
                "fee of the month",
                &[
                    (Account::CloudExpense, month.accrued - unused_fee),
                    (Account::UnusedCommitmentExpense, unused_fee),
                    (Account::AccruedLiability, -month.accrued),
                ],
            );
            match self.policy.treatment {
                Treatment::ServiceContract => post(
                    "amortisation",
                    &[
                        (Account::CloudExpense, month.amortised - unused_prepaid),
                        (Account::UnusedCommitmentExpense, unused_prepaid),
                        (asset, -month.amortised),
                    ],
                ),
                Treatment::Capitalised => {
                    post("amortisation", &[(Account::AmortisationExpense, month.amortised), (asset, -month.amortised)]);
                }
            }
            let written_off = prepaid + month.upfront_paid - month.amortised - month.prepaid;
            let settled = month.accrued_liability - (owed + month.accrued - recurring_paid);
            post(
                "resale or refund",
                &[
                    (Account::Cash, month.cash_received),
                    (Account::DisposalResult, month.disposal_loss),
                    (asset, -written_off),
                    (Account::AccruedLiability, -settled),
                ],
            );
            (prepaid, owed) = (month.prepaid, month.accrued_liability);
        }
        entries
    }
}

/// Payments still due by fiscal year: the table of off-balance purchase obligations of an annual report.
///
/// # Errors
/// As [`Commitment::incremental_cash`] and [`super::amortisation::by_fiscal_year`].
pub fn purchase_obligations(commitments: &[Commitment], from: NaiveDate, first_month: u32) -> Result<BTreeMap<i32, Decimal>> {
    let mut months: BTreeMap<NaiveDate, Decimal> = BTreeMap::new();
    for commitment in commitments {
        for line in commitment.incremental_cash()?.lines {
            if line.date >= from && matches!(line.kind, CashKind::Upfront | CashKind::Recurring) {
                *months.entry(month_start(line.date)).or_default() -= line.amount;
            }
        }
    }
    super::amortisation::by_fiscal_year(&months, first_month)
}

fn journal_line(account: Account, amount: Decimal) -> JournalLine {
    JournalLine { account, debit: amount.max(Decimal::ZERO), credit: (-amount).max(Decimal::ZERO) }
}

fn by_rule(fee: Decimal, term: &Term, policy: Policy) -> Result<BTreeMap<NaiveDate, Decimal>> {
    Ok(amortise(fee, term, policy.spread, Some(policy.decimals))?.expense().clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finance::commitment::{Alternative, Avoided, RecurringBilling, Terminal};
    use rust_decimal::dec;

    fn commitment(billing: RecurringBilling, terminal: Terminal) -> Result<Commitment> {
        Ok(Commitment {
            name: "three years".into(),
            term: Term::of_days("2025-03-15T00:00:00Z".parse().unwrap_or_default(), 1095)?,
            upfront: dec!(36000),
            recurring_per_hour: dec!(1.337),
            billing,
            alternative: Alternative::OnDemand,
            avoided: Avoided::EveryHour(dec!(5)),
            terminal,
        })
    }

    #[test]
    fn cash_and_expense_agree_and_the_journal_balances() -> Result<()> {
        let date = "2026-07-10".parse().unwrap_or_default();
        let ends = [
            Terminal::RunsOut,
            Terminal::Resale { date, proceeds: dec!(9000), fee_share: dec!(0.12) },
            Terminal::Refund { date, amount: dec!(20500) },
        ];
        for billing in [RecurringBilling::MonthEnd, RecurringBilling::MonthStart, RecurringBilling::Anniversary] {
            for terminal in &ends {
                for treatment in [Treatment::ServiceContract, Treatment::Capitalised] {
                    let policy = Policy { treatment, ..Policy::default() };
                    let used = BTreeMap::from([("2025-05-01".parse().unwrap_or_default(), dec!(0.4))]);
                    let books = accounts(&commitment(billing, terminal.clone())?, &used, policy)?;
                    assert_eq!(books.net_cash_paid()?, books.total_expense()?);
                    let last = books.months.values().last().copied().unwrap_or_default();
                    assert_eq!(
                        (last.prepaid, last.accrued_liability),
                        (Decimal::ZERO, Decimal::ZERO),
                        "{billing:?} {terminal:?}"
                    );
                    let journal = books.journal();
                    assert!(journal.iter().all(|entry| entry.imbalance().is_zero()));
                    let cash: Decimal = journal
                        .iter()
                        .flat_map(|entry| &entry.lines)
                        .filter(|line| line.account == Account::Cash)
                        .map(|line| line.credit - line.debit)
                        .sum();
                    assert_eq!(cash, books.net_cash_paid()?);
                }
            }
        }
        Ok(())
    }

    #[test]
    fn capitalising_moves_amortisation_below_ebitda() -> Result<()> {
        let of = |treatment| {
            let policy = Policy { treatment, ..Policy::default() };
            accounts(&commitment(RecurringBilling::MonthEnd, Terminal::RunsOut)?, &BTreeMap::new(), policy)
        };
        let (service, capital) = (of(Treatment::ServiceContract)?, of(Treatment::Capitalised)?);
        let year: Decimal = service
            .months
            .iter()
            .zip(&capital.months)
            .filter(|row| row.0.0.to_string().starts_with("2026"))
            .map(|row| row.1.1.ebitda_effect - row.0.1.ebitda_effect)
            .sum();
        assert_eq!(year, dec!(12000));
        Ok(())
    }

    #[test]
    fn obligations_by_fiscal_year_leave_out_what_is_paid() -> Result<()> {
        let table = purchase_obligations(
            &[commitment(RecurringBilling::MonthEnd, Terminal::RunsOut)?],
            "2026-01-01".parse().unwrap_or_default(),
            1,
        )?;
        assert_eq!(table.keys().copied().collect::<Vec<_>>(), vec![2026, 2027, 2028]);
        Ok(())
    }
}
