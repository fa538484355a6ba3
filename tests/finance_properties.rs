//! What must hold for any flows, fees and budgets.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chrono::{DateTime, Utc};
use covermix::finance::accounting::{Account, Holding, Policy, Treatment, accounts, plan_accounts};
use covermix::finance::amortisation::{Spread, Term, amortise};
use covermix::finance::commitment::{Alternative, Avoided, Commitment, RecurringBilling, Terminal};
use covermix::finance::variance::{CostLine, Drivers, bridge, split};
use covermix::finance::{CashFlow, CashFlows, DayCount, irr, xirr, xnpv};
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

fn flows() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    prop::collection::vec((0_u32..4000, -10_000_i32..10_000), 1..40)
        .prop_map(|list| list.into_iter().map(|(day, cents)| (f64::from(day) / 365.0, f64::from(cents) / 100.0)).unzip())
}

fn cents(limit: i64) -> impl Strategy<Value = Decimal> {
    (0..limit).prop_map(|cents| Decimal::new(cents, 2))
}

fn share() -> impl Strategy<Value = Decimal> {
    (0_i64..=1000).prop_map(|value| Decimal::new(value, 3))
}

fn start() -> impl Strategy<Value = DateTime<Utc>> {
    (1_500_000_000_i64..2_000_000_000).prop_map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default())
}

fn lines() -> impl Strategy<Value = Vec<CostLine>> {
    prop::collection::vec((0_u8..6, cents(1_000_000), cents(10_000), cents(100_000)), 0..8).prop_map(|list| {
        list.into_iter()
            .map(|(name, quantity, rate, commitment)| CostLine {
                name: name.to_string(),
                quantity,
                rate,
                commitment: -commitment,
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_present_value_at_every_internal_rate_is_zero((years, amounts) in flows()) {
        for rate in xirr(&years, &amounts).unwrap().all() {
            let sizes: Vec<f64> = amounts.iter().map(|amount| amount.abs()).collect();
            // Far from zero a power can leave the range of floats: then there is nothing to compare.
            if let (Ok(value), Ok(size)) = (xnpv(*rate, &years, &amounts), xnpv(*rate, &years, &sizes)) {
                let span = years.iter().fold(0.0_f64, |span, year| span.max(*year));
                let conditioning = 1.0 + span / (1.0 + rate);
                prop_assert!(value.abs() <= 1e-10 * size * conditioning, "{value} of {size} at {rate}");
            }
        }
    }

    #[test]
    fn as_many_rates_as_signs_change_less_an_even_number(amounts in prop::collection::vec(-1000_i32..1000, 2..12)) {
        let amounts: Vec<f64> = amounts.into_iter().map(f64::from).collect();
        let signs: Vec<bool> = amounts.iter().filter(|amount| amount.abs() > 0.0).map(|amount| *amount > 0.0).collect();
        let changes = signs.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let found = irr(&amounts).unwrap().all().len();
        prop_assert!(found <= changes);
        prop_assert!(changes % 2 == 0 || found >= 1);
    }

    #[test]
    fn scaling_by_any_positive_factor_leaves_the_rates_unchanged((years, amounts) in flows(), factor in 1e-6_f64..1e6) {
        let scaled: Vec<f64> = amounts.iter().map(|amount| amount * factor).collect();
        let (first, second) = (xirr(&years, &amounts).unwrap(), xirr(&years, &scaled).unwrap());
        // Scaling rounds each amount: a double root may split or vanish, a simple one moves by its condition.
        let simple = |rate: f64| {
            let at = |rate: f64| years.iter().zip(&amounts).map(|(year, amount)| amount * (1.0 + rate).powf(-year)).sum::<f64>();
            let step = 1e-4 * (1.0 + rate);
            at(rate - step) * at(rate + step) < 0.0
        };
        for rate in first.all().iter().filter(|rate| simple(**rate)) {
            let nearest = second.all().iter().map(|other| (other - rate).abs() / (1.0 + rate)).fold(f64::INFINITY, f64::min);
            prop_assert!(nearest < 1e-6, "{rate} of {first:?} is not among {second:?}");
        }
    }

    #[test]
    fn scaling_by_a_power_of_two_and_order_leave_the_rates_exactly((years, amounts) in flows(), power in -3_i32..6) {
        let scaled: Vec<f64> = amounts.iter().map(|amount| amount * 2.0_f64.powi(power)).collect();
        let first = xirr(&years, &amounts).unwrap();
        prop_assert_eq!(&first, &xirr(&years, &scaled).unwrap());
        let turned: (Vec<f64>, Vec<f64>) = years.iter().copied().zip(amounts.iter().copied()).rev().unzip();
        prop_assert_eq!(&first, &xirr(&turned.0, &turned.1).unwrap());
    }

    #[test]
    fn a_plan_rolls_forward_as_its_commitments_do(
        parts in prop::collection::vec((cents(10_000_000), (0_i64..1_000_000).prop_map(|value| Decimal::new(value, 5)), start(), 2_u32..1100, prop::option::of(0.05_f64..0.95), share()), 1..6),
        capitalised in any::<bool>(),
    ) {
        let holdings: Vec<Holding> = parts.iter().enumerate().map(|(index, (upfront, recurring, start, days, given_up, used))| {
            let term = Term::of_days(*start, *days).unwrap();
            let date = given_up.map(|part| (*start + (term.end() - *start).mul_f64(part)).date_naive());
            let terminal = match date {
                Some(date) if date > start.date_naive() => Terminal::Resale { date, proceeds: *upfront / Decimal::TEN, fee_share: Decimal::new(12, 2) },
                _ => Terminal::RunsOut,
            };
            let billing = [RecurringBilling::MonthEnd, RecurringBilling::MonthStart, RecurringBilling::Anniversary][index % 3];
            let commitment = Commitment {
                name: format!("commitment {index}"), term, upfront: *upfront, recurring_per_hour: *recurring, billing,
                alternative: Alternative::OnDemand, avoided: Avoided::EveryHour(Decimal::ONE), terminal,
            };
            let utilisation = term.seconds_by_month().unwrap().into_keys().map(|month| (month, *used)).collect();
            Holding { commitment, utilisation }
        }).collect();
        let treatment = if capitalised { Treatment::Capitalised } else { Treatment::ServiceContract };
        let policy = Policy { treatment, ..Policy::default() };
        let books = plan_accounts(&holdings, policy).unwrap();
        prop_assert_eq!(books.total.net_cash_paid().unwrap(), books.total.total_expense().unwrap());
        prop_assert_eq!(books.total.net_cash_paid().unwrap(), books.commitments.values().map(|book| book.net_cash_paid().unwrap()).sum::<Decimal>());
        let journal = books.total.journal();
        prop_assert!(journal.iter().all(|entry| entry.imbalance().is_zero()));
        let balance = |account: Account| journal.iter().flat_map(|entry| &entry.lines).filter(|line| line.account == account).map(|line| line.debit - line.credit).sum::<Decimal>();
        prop_assert_eq!(balance(Account::Cash), -books.total.net_cash_paid().unwrap());
        for account in [Account::PrepaidExpense, Account::CapitalisedCommitment, Account::AccruedLiability] {
            prop_assert_eq!(balance(account), Decimal::ZERO, "{:?}", account);
        }
        let months: BTreeMap<_, Decimal> = books.total.months.iter().map(|(key, month)| (*key, month.ebitda_effect)).collect();
        for (key, effect) in months {
            let parts: Decimal = books.commitments.values().filter_map(|book| book.months.get(&key)).map(|month| month.ebitda_effect).sum();
            prop_assert_eq!(effect, parts);
        }
        let mut turned = holdings;
        turned.reverse();
        prop_assert_eq!(books, plan_accounts(&turned, policy).unwrap());
    }

    #[test]
    fn amortisation_sums_to_the_fee(fee in cents(4_000_000_000), start in start(), days in 1_u32..1200) {
        let term = Term::of_days(start, days).unwrap();
        for spread in [Spread::BySecond, Spread::ByHour, Spread::ByMonth] {
            let schedule = amortise(fee, &term, spread, Some(2)).unwrap();
            prop_assert_eq!(schedule.expense().values().sum::<Decimal>(), fee);
            let last = schedule.roll_forward().last().map(|row| row.closing);
            prop_assert_eq!(last, Some(Decimal::ZERO));
        }
    }

    #[test]
    fn cash_and_expense_agree_over_life_and_entries_balance(
        upfront in cents(1_000_000_000),
        recurring in (0_i64..10_000_000).prop_map(|value| Decimal::new(value, 5)),
        start in start(),
        days in 2_u32..1100,
        given_up in prop::option::of(0.05_f64..0.95),
        back in cents(10_000_000),
        used in share(),
    ) {
        let term = Term::of_days(start, days).unwrap();
        let date = given_up.map(|part| (start + (term.end() - start).mul_f64(part)).date_naive());
        // A commitment cannot be given back before the day after its purchase.
        let terminal = match date {
            Some(date) if date > start.date_naive() => Terminal::Refund { date, amount: back },
            _ => Terminal::RunsOut,
        };
        for billing in [RecurringBilling::MonthEnd, RecurringBilling::MonthStart, RecurringBilling::Anniversary] {
            let commitment = Commitment {
                name: "any".into(), term, upfront, recurring_per_hour: recurring, billing, alternative: Alternative::OnDemand,
                avoided: Avoided::EveryHour(Decimal::ONE), terminal: terminal.clone(),
            };
            let months: BTreeMap<_, _> = term.seconds_by_month().unwrap().into_keys().map(|month| (month, used)).collect();
            for treatment in [Treatment::ServiceContract, Treatment::Capitalised] {
                let books = accounts(&commitment, &months, Policy { treatment, ..Policy::default() }).unwrap();
                prop_assert_eq!(books.net_cash_paid().unwrap(), books.total_expense().unwrap());
                prop_assert!(books.journal().iter().all(|entry| entry.imbalance().is_zero()));
                let last = books.months.values().last().copied().unwrap();
                prop_assert_eq!((last.prepaid, last.accrued_liability), (Decimal::ZERO, Decimal::ZERO));
            }
        }
    }

    #[test]
    fn variance_effects_sum_exactly(budget in lines(), actual in lines()) {
        let effects = split(&budget, &actual).unwrap();
        prop_assert_eq!(effects.volume + effects.mix + effects.rate + effects.commitment, effects.total);
        let cost = |lines: &[CostLine]| lines.iter().map(|line| line.quantity * line.rate + line.commitment).sum::<Decimal>();
        prop_assert_eq!(effects.total, cost(&actual) - cost(&budget));
    }

    #[test]
    fn a_bridge_ends_at_the_actual_cost(values in prop::collection::vec((cents(1_000_000), share(), share(), share()), 2)) {
        let drivers: Vec<Drivers> = values.iter().map(|(volume, agreement, coverage, discount)| Drivers {
            volume: *volume, list_price: Decimal::new(125, 3), agreement_discount: *agreement, coverage: *coverage,
            utilisation: Decimal::new(9, 1), plan_discount: *discount,
        }).collect();
        let found = bridge(&drivers[0], &drivers[1]).unwrap();
        prop_assert_eq!(found.budget + found.effects.iter().map(|effect| effect.1).sum::<Decimal>(), found.actual);
    }

    #[test]
    fn no_flows_make_it_panic(list in prop::collection::vec((any::<i32>(), any::<f64>()), 0..20)) {
        let (days, amounts): (Vec<i32>, Vec<f64>) = list.into_iter().unzip();
        let years: Vec<f64> = days.iter().map(|day| f64::from(*day) / 365.0).collect();
        let _ = irr(&amounts);
        let _ = xirr(&years, &amounts);
        let start = chrono::NaiveDate::default();
        let flows: CashFlows = days.iter().zip(&amounts).filter_map(|(day, amount)| {
            let date = start.checked_add_signed(chrono::TimeDelta::days(i64::from(*day)))?;
            Some(CashFlow { date, amount: Decimal::try_from(*amount).ok()? })
        }).collect();
        let _ = flows.xirr(DayCount::ActualActualIsda);
        let _ = flows.break_even();
    }
}

/// Part of a duration.
trait Part {
    fn mul_f64(self, part: f64) -> Self;
}

impl Part for chrono::TimeDelta {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    fn mul_f64(self, part: f64) -> Self {
        Self::seconds((self.num_seconds() as f64 * part) as i64)
    }
}
