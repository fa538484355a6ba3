//! Company-wide agreements: AWS EDP or PPA, Azure MACC, a Google Cloud commit, OCI annual credits.
//!
//! An agreement asks for an amount of spend in every period (most often a contract year) and gives a discount for it. No
//! provider publishes a tier table and clauses differ contract by contract, so every rule is a value of [`Terms`], named
//! after what filings show (Snap: deferral, shortfall credit; VTEX: half of Marketplace; Palantir: relief payment).
//!
//! | question | where |
//! |---|---|
//! | what counts towards the amount | [`Counting`], [`eligible_spend`] |
//! | what a year's shortfall or excess does | [`SettlementRules`], [`settle`] |
//! | the dated ledger: counted, carried, forfeited, invoiced | [`Ledger::new`], [`burn_down`] |
//! | which level is worth its discount | [`Tier`], [`TierTable`], [`tier_cost`], [`indifference_discount`] |
//! | the providers' usual rules | [`contract`] |
//! | spend split over providers | [`split`] |
//!
//! Amounts are exact decimals in one currency. Rules with their sources: `docs/agreements.md`. The discounts themselves, by
//! service and kind of charge, are the last stage of the bill (`billing::agreement`); here spend arrives before and after
//! them. Which level to sign together with which commitments to buy is `planning::agreement`.

pub mod contract;
mod counting;
mod ledger;
mod settlement;
pub mod split;
mod tier;

pub use counting::{CountedBasis, Counting, Eligibility, EligibleSpend, Spend, SpendKind, eligible_spend};
pub use ledger::{Balance, EarlyRenewal, Invoicing, Ledger, LedgerMonth, LedgerPeriod, Period, Terms, burn_down};
pub use settlement::{CarryLifetime, CarryOver, CreditCounting, LedgerYear, SettlementRules, ShortfallRule, settle};
pub use tier::{Tier, TierTable, growing, indifference_discount, indifference_spend, tier_cost};

use super::{Error, Result};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

fn at_least_zero(field: &'static str, value: Decimal) -> Result<()> {
    if value >= Decimal::ZERO {
        return Ok(());
    }
    Err(Error::OutOfRange { field, value: value.to_f64().unwrap_or(f64::NAN), remedy: "give an amount of zero or more" })
}

fn share(field: &'static str, value: Decimal) -> Result<()> {
    if (Decimal::ZERO..=Decimal::ONE).contains(&value) {
        return Ok(());
    }
    let value = value.to_f64().unwrap_or(f64::NAN);
    Err(Error::OutOfRange { field, value, remedy: "give a fraction from 0 to 1" })
}

fn times(left: Decimal, right: Decimal) -> Result<Decimal> {
    left.checked_mul(right).ok_or(Error::Overflow { what: "an amount of an agreement" })
}

fn plus(left: Decimal, right: Decimal) -> Result<Decimal> {
    left.checked_add(right).ok_or(Error::Overflow { what: "an amount of an agreement" })
}
