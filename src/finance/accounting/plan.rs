//! The books of a whole plan: several commitments, one policy, one roll-forward by month and one journal.

use super::{AccountingMonth, Accounts, Policy, accounts};
use crate::finance::commitment::Commitment;
use crate::finance::{Error, Result};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One commitment of a plan and the used share of it by month (a month that is missing counts as fully used).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// The commitment.
    pub commitment: Commitment,
    /// The used share of each month, 0 to 1, keyed by the first of the month.
    pub utilisation: BTreeMap<NaiveDate, Decimal>,
}

/// The books of a plan: those of each commitment, and their sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanAccounts {
    /// By the commitment's name.
    pub commitments: BTreeMap<String, Accounts>,
    /// The plan as one: cash, profit and loss, EBITDA, operating cash flow by month; its journal balances as each one's does.
    pub total: Accounts,
}

/// Keeps the books of several commitments under one policy. The order of the holdings does not matter.
///
/// # Errors
/// [`Error::Empty`] without holdings, [`Error::Duplicate`] for two of one name, [`Error::MixedAlternatives`] if they are not
/// compared with the same alternative, and as [`accounts`].
pub fn plan_accounts(holdings: &[Holding], policy: Policy) -> Result<PlanAccounts> {
    let first = &holdings.first().ok_or(Error::Empty { what: "holdings" })?.commitment;
    let mut commitments = BTreeMap::new();
    for Holding { commitment, utilisation } in holdings {
        if commitment.alternative != first.alternative {
            return Err(Error::MixedAlternatives { left: first.name.clone(), right: commitment.name.clone() });
        }
        if commitments.insert(commitment.name.clone(), accounts(commitment, utilisation, policy)?).is_some() {
            return Err(Error::Duplicate { what: "commitment", name: commitment.name.clone() });
        }
    }
    let total = Accounts { policy, months: consolidate(commitments.values())? };
    Ok(PlanAccounts { commitments, total })
}

/// Adds books up month by month; in a month in which one of them has no entry, its balances stand as they were.
fn consolidate<'a>(books: impl Iterator<Item = &'a Accounts>) -> Result<BTreeMap<NaiveDate, AccountingMonth>> {
    let books: Vec<&Accounts> = books.collect();
    let keys: BTreeSet<NaiveDate> = books.iter().flat_map(|book| book.months.keys().copied()).collect();
    let mut total: BTreeMap<NaiveDate, AccountingMonth> = keys.into_iter().map(|key| (key, AccountingMonth::default())).collect();
    for book in books {
        let (mut prepaid, mut owed) = (Decimal::ZERO, Decimal::ZERO);
        for (key, sum) in &mut total {
            let month = book.months.get(key).copied();
            if let Some(month) = &month {
                (prepaid, owed) = (month.prepaid, month.accrued_liability);
            }
            let month = month.unwrap_or_default();
            let add = |left: &mut Decimal, right: Decimal| {
                *left = left.checked_add(right).ok_or(Error::Overflow { what: "the sum of the plan's accounts" })?;
                Ok::<_, Error>(())
            };
            add(&mut sum.cash_paid, month.cash_paid)?;
            add(&mut sum.upfront_paid, month.upfront_paid)?;
            add(&mut sum.cash_received, month.cash_received)?;
            add(&mut sum.amortised, month.amortised)?;
            add(&mut sum.accrued, month.accrued)?;
            add(&mut sum.unused_expense, month.unused_expense)?;
            add(&mut sum.disposal_loss, month.disposal_loss)?;
            add(&mut sum.avoided, month.avoided)?;
            add(&mut sum.ebitda_effect, month.ebitda_effect)?;
            add(&mut sum.operating_cash_flow_effect, month.operating_cash_flow_effect)?;
            add(&mut sum.prepaid, prepaid)?;
            add(&mut sum.accrued_liability, owed)?;
        }
    }
    Ok(total)
}
