//! The terms of an agreement and its dated ledger: what counted, was carried, forfeited and invoiced, by period and by month,
//! in exact decimals. The order in which spend is given never matters.

use super::super::{Error, Result};
use super::settlement::{CarryOver, CreditCounting, LedgerYear, SettlementRules, ShortfallRule, settle};
use super::{Counting, Spend, SpendKind, at_least_zero, plus};
use crate::units::AnyDecimal;
use chrono::{Datelike, Months, NaiveDate};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A contract year, or a stretch up to a milestone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// The first day after it.
    pub end: NaiveDate,
    /// The spend that must count in it.
    #[schemars(with = "AnyDecimal")]
    pub minimum: Decimal,
}

/// When a period's money is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Invoicing {
    /// Spend is invoiced as it falls due, a shortfall in the last month of its period.
    #[default]
    Shortfall,
    /// The minimum is paid in the first month of its period as a pool that spend draws down; what exceeds the pool is invoiced
    /// in its month, and what is left of it at the end lapses (OCI annual credits).
    Prepaid,
}

/// The right to replace what remains of an agreement by a new schedule before it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlyRenewal {
    /// The first period that the new schedule replaces, from 0.
    pub from_period: usize,
    /// The new minimums: of the periods replaced and, if there are more, of further years.
    #[schemars(with = "Vec<AnyDecimal>")]
    pub minimums: Vec<Decimal>,
}

/// The terms of an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Its name.
    pub name: String,
    /// Its first day.
    pub start: NaiveDate,
    /// Its periods, one after the other.
    pub periods: Vec<Period>,
    /// What counts.
    #[serde(default)]
    pub counting: Counting,
    /// Shortfall, carry-over and a total beside the periods.
    #[serde(default)]
    pub rules: SettlementRules,
    /// When money is due.
    #[serde(default)]
    pub invoicing: Invoicing,
    /// A right to renew early.
    #[serde(default)]
    pub early_renewal: Option<EarlyRenewal>,
}

impl Terms {
    /// Contract years from a day on, with a minimum each, everything else at its default.
    ///
    /// # Errors
    /// [`Error::Empty`] without years, [`Error::OutOfRange`] for a negative minimum, [`Error::DateOverflow`].
    pub fn yearly(name: impl Into<String>, start: NaiveDate, minimums: &[Decimal]) -> Result<Self> {
        let mut periods = Vec::with_capacity(minimums.len());
        for minimum in minimums {
            let months = u32::try_from(12 * (periods.len() + 1)).map_err(|_| DATE)?;
            periods.push(Period { end: start.checked_add_months(Months::new(months)).ok_or(DATE)?, minimum: *minimum });
        }
        let terms = Self {
            name: name.into(),
            start,
            periods,
            counting: Counting::default(),
            rules: SettlementRules::default(),
            invoicing: Invoicing::default(),
            early_renewal: None,
        };
        terms.check()?;
        Ok(terms)
    }

    /// With other rules of what counts.
    #[must_use]
    pub fn counting(mut self, counting: Counting) -> Self {
        self.counting = counting;
        self
    }

    /// With other clauses for shortfall and excess.
    #[must_use]
    pub fn rules(mut self, rules: SettlementRules) -> Self {
        self.rules = rules;
        self
    }

    /// # Errors
    /// [`Error::Empty`] without periods, [`Error::EmptyTerm`] for one that does not end after its start, [`Error::OutOfRange`]
    /// for amounts and shares; those of [`Counting::check`] and [`SettlementRules::check`].
    pub fn check(&self) -> Result<()> {
        if self.periods.is_empty() {
            return Err(Error::Empty { what: "the periods of an agreement" });
        }
        for (start, period) in self.spans() {
            if period.end <= start {
                let (start, end) = (start.to_string(), period.end.to_string());
                return Err(Error::EmptyTerm { what: "a period of an agreement", start, end });
            }
            at_least_zero("a minimum", period.minimum)?;
        }
        if let Some(renewal) = &self.early_renewal {
            for minimum in &renewal.minimums {
                at_least_zero("a minimum after early renewal", *minimum)?;
            }
            if renewal.from_period >= self.periods.len() || renewal.from_period + renewal.minimums.len() < self.periods.len() {
                return Err(Error::OutOfRange {
                    field: "early renewal",
                    value: f64::from(u32::try_from(renewal.from_period).unwrap_or(u32::MAX)),
                    remedy: "replace a period of the agreement and give a minimum for it and each one after it",
                });
            }
        }
        let is_plain = self.rules.shortfall == ShortfallRule::Pay && self.rules.carry_over == CarryOver::None;
        if self.invoicing == Invoicing::Prepaid && !is_plain {
            return Err(Error::OutOfRange {
                field: "prepaid invoicing",
                value: 1.0,
                remedy: "a prepaid pool lapses: it goes with neither credit, deferral, relief nor carry-over",
            });
        }
        self.counting.check()?;
        self.rules.check()
    }

    /// Each period with its first day.
    pub fn spans(&self) -> impl Iterator<Item = (NaiveDate, Period)> + '_ {
        let starts = std::iter::once(self.start).chain(self.periods.iter().map(|period| period.end));
        starts.zip(self.periods.iter().copied())
    }

    /// The first day after the agreement.
    #[must_use]
    pub fn end(&self) -> NaiveDate {
        self.periods.last().map_or(self.start, |period| period.end)
    }

    /// The minimums in order.
    #[must_use]
    pub fn minimums(&self) -> Vec<Decimal> {
        self.periods.iter().map(|period| period.minimum).collect()
    }

    /// The terms with the right to renew early used; `None` without it. Further periods are years.
    ///
    /// # Errors
    /// [`Error::DateOverflow`], and those of [`Terms::check`].
    pub fn renewed_early(&self) -> Result<Option<Self>> {
        let Some(renewal) = &self.early_renewal else { return Ok(None) };
        self.check()?;
        let mut terms = Self { early_renewal: None, name: format!("{}, renewed early", self.name), ..self.clone() };
        for (offset, minimum) in renewal.minimums.iter().enumerate() {
            match terms.periods.get_mut(renewal.from_period + offset) {
                Some(period) => period.minimum = *minimum,
                None => {
                    let end = terms.end().checked_add_months(Months::new(12)).ok_or(DATE)?;
                    terms.periods.push(Period { end, minimum: *minimum });
                }
            }
        }
        Ok(Some(terms))
    }
}

const DATE: Error = Error::DateOverflow { what: "the end of an agreement" };

/// One period of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerPeriod {
    /// Its first day.
    pub start: NaiveDate,
    /// The first day after it.
    pub end: NaiveDate,
    /// All spend in it, as paid.
    pub spend: Decimal,
    /// Marketplace spend that did not count because of its cap.
    pub above_marketplace_cap: Decimal,
    /// How it was settled.
    pub settled: LedgerYear,
}

/// One month of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerMonth {
    /// The index of its period, from 0.
    pub period: usize,
    /// Its first day, or the period's if that starts within it.
    pub start: NaiveDate,
    /// All spend in it, as paid before any credit.
    pub spend: Decimal,
    /// What of it could count.
    pub countable: Decimal,
    /// What of it credit paid for: the earliest months first.
    pub credit_used: Decimal,
    /// What counted.
    pub counted: Decimal,
    /// What the period still requires after this month.
    pub open: Decimal,
    /// Invoiced under the agreement beside the spend: a shortfall in a period's last month; the pool in its first month, where
    /// it is prepaid.
    pub invoiced: Decimal,
    /// What of the month's spend a prepaid pool paid for.
    pub drawn: Decimal,
    /// Credit or prepaid pool that lapsed with the month.
    pub forfeited: Decimal,
    /// Excess that goes on to the next period, in a period's last month.
    pub carried_over: Decimal,
    /// Shortfall that moves to the next period, in a period's last month.
    pub deferred: Decimal,
}

impl LedgerMonth {
    /// All that is paid in the month.
    #[must_use]
    pub fn cash(&self) -> Decimal {
        self.spend - self.credit_used - self.drawn + self.invoiced
    }
}

/// The ledger of an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// By period.
    pub periods: Vec<LedgerPeriod>,
    /// By month, every month of every period.
    pub months: Vec<LedgerMonth>,
    /// Spend before the agreement's first day and after its last, which has no part in it.
    pub outside: Decimal,
}

impl Ledger {
    /// Enters dated spend, in any order, and settles every period.
    ///
    /// # Errors
    /// Those of [`Terms::check`]; [`Error::OutOfRange`] if refunds make what counts in a period negative; [`Error::Overflow`].
    pub fn new(terms: &Terms, spend: &[Spend]) -> Result<Self> {
        terms.check()?;
        let mut sums: BTreeMap<(usize, NaiveDate), Sums> = BTreeMap::new();
        for (index, (start, period)) in terms.spans().enumerate() {
            for month in months(start, period.end)? {
                sums.insert((index, month), Sums::default());
            }
        }
        let mut outside = Decimal::ZERO;
        for spend in spend {
            let period = terms.spans().position(|(start, period)| start <= spend.date && spend.date < period.end);
            let of_month = period.and_then(|index| {
                sums.range_mut((index, NaiveDate::MIN)..=(index, spend.date)).next_back().map(|(_, sums)| sums)
            });
            let Some(sums) = of_month else {
                outside = plus(outside, spend.net)?;
                continue;
            };
            sums.net = plus(sums.net, spend.net)?;
            let counts = terms.counting.counts(spend)?;
            let part = if spend.kind == SpendKind::Marketplace { &mut sums.marketplace } else { &mut sums.services };
            *part = plus(*part, counts)?;
        }
        let caps = terms.periods.iter().map(|period| period.minimum);
        let mut countable: Vec<Decimal> = Vec::with_capacity(terms.periods.len());
        let mut above: Vec<Decimal> = Vec::with_capacity(terms.periods.len());
        for (index, minimum) in caps.enumerate() {
            let (mut marketplace, mut entered, mut all) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
            // Marketplace counts month after month until its cap.
            for sums in sums.iter_mut().filter(|((period, _), _)| *period == index).map(|(_, sums)| sums) {
                entered = plus(entered, sums.marketplace)?;
                let capped = terms.counting.marketplace.capped(entered, Some(minimum))?;
                sums.countable = plus(sums.services, capped - marketplace)?;
                marketplace = capped;
                all = plus(all, sums.countable)?;
            }
            countable.push(all);
            above.push(entered - marketplace);
        }
        let settled = settle(&terms.minimums(), &countable, &terms.rules)?;
        let mut ledger = Self { periods: Vec::with_capacity(settled.len()), months: Vec::with_capacity(sums.len()), outside };
        for (index, ((start, period), settled)) in terms.spans().zip(settled).enumerate() {
            let of_period: Vec<(NaiveDate, Sums)> =
                sums.range((index, NaiveDate::MIN)..=(index, NaiveDate::MAX)).map(|((_, month), sums)| (*month, *sums)).collect();
            let spend = of_period.iter().try_fold(Decimal::ZERO, |sum, (_, sums)| plus(sum, sums.net))?;
            ledger.periods.push(LedgerPeriod { start, end: period.end, spend, above_marketplace_cap: above[index], settled });
            ledger.enter_months(index, terms, &settled, &of_period);
        }
        Ok(ledger)
    }

    fn enter_months(&mut self, index: usize, terms: &Terms, settled: &LedgerYear, sums: &[(NaiveDate, Sums)]) {
        let zero = Decimal::ZERO;
        let is_prepaid = terms.invoicing == Invoicing::Prepaid;
        let minimum = terms.periods[index].minimum;
        let counts_again = !matches!(terms.rules.shortfall, ShortfallRule::Credit { counting: CreditCounting::DoesNotCount, .. });
        let (mut credit, mut reached) = (settled.credit_used, settled.carried_in);
        let mut pool = if is_prepaid { minimum } else { zero };
        let last = sums.len().saturating_sub(1);
        for (position, (start, sums)) in sums.iter().enumerate() {
            let credit_used = credit.min(sums.countable).max(zero);
            credit -= credit_used;
            let drawn = pool.min(sums.countable).max(zero);
            pool -= drawn;
            let counted = if counts_again { sums.countable } else { sums.countable - credit_used };
            reached += counted;
            let at_end = |amount: Decimal| if position == last { amount } else { zero };
            let invoiced = match (is_prepaid, position) {
                (true, 0) => minimum + at_end(settled.paid_for_total),
                (true, _) => at_end(settled.paid_for_total),
                (false, _) => at_end(settled.paid + settled.paid_for_total),
            };
            self.months.push(LedgerMonth {
                period: index,
                start: *start,
                spend: sums.net,
                countable: sums.countable,
                credit_used,
                counted,
                open: (settled.required - reached).max(zero),
                invoiced,
                drawn,
                forfeited: at_end(settled.forfeited + pool),
                carried_over: at_end(settled.carried_over),
                deferred: at_end(settled.deferred),
            });
        }
    }

    /// All that is paid: spend, less what credit and pools paid for, and what the agreement invoices.
    #[must_use]
    pub fn cash(&self) -> Decimal {
        self.months.iter().map(LedgerMonth::cash).sum()
    }

    /// What the agreement adds to the cost of its spend.
    #[must_use]
    pub fn cost(&self) -> Decimal {
        self.periods.iter().map(|period| period.settled.cost()).sum()
    }
}

/// The months of a period: its first day, then the first day of each month in it.
fn months(start: NaiveDate, end: NaiveDate) -> Result<Vec<NaiveDate>> {
    let mut months = vec![start];
    let mut month = start.with_day(1).ok_or(DATE)?;
    loop {
        month = month.checked_add_months(Months::new(1)).ok_or(DATE)?;
        if month >= end {
            return Ok(months);
        }
        months.push(month);
    }
}

/// The sums of a month.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    net: Decimal,
    services: Decimal,
    marketplace: Decimal,
    countable: Decimal,
}

/// A commitment's balance after an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The day of the amount.
    pub date: NaiveDate,
    /// What of it counted.
    pub counted: Decimal,
    /// What is left of the commitment; 0 once it is met.
    pub closed: Decimal,
}

/// A commitment as a balance that dated spend burns down, by date (Azure: the events of a MACC with their closed balance).
///
/// # Errors
/// [`Error::OutOfRange`] for a negative commitment; [`Error::Overflow`].
pub fn burn_down(commitment: Decimal, spend: &[Spend], counting: &Counting) -> Result<Vec<Balance>> {
    at_least_zero("the commitment", commitment)?;
    counting.check()?;
    let mut order: Vec<&Spend> = spend.iter().collect();
    order.sort_by(|a, b| (a.date, a.kind, &a.item, a.net, a.gross).cmp(&(b.date, b.kind, &b.item, b.net, b.gross)));
    let (mut burned, mut marketplace) = (Decimal::ZERO, Decimal::ZERO);
    let mut balances = Vec::with_capacity(order.len());
    for spend in order {
        let mut counted = counting.counts(spend)?;
        if spend.kind == SpendKind::Marketplace {
            let before = counting.marketplace.capped(marketplace, Some(commitment))?;
            marketplace = plus(marketplace, counted)?;
            counted = counting.marketplace.capped(marketplace, Some(commitment))? - before;
        }
        burned = plus(burned, counted)?;
        balances.push(Balance { date: spend.date, counted, closed: (commitment - burned).max(Decimal::ZERO) });
    }
    Ok(balances)
}

#[cfg(test)]
mod tests {
    use super::super::{CarryLifetime, Eligibility};
    use super::*;
    use proptest::prelude::*;
    use rust_decimal::dec;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn spend(day: &str, kind: SpendKind, amount: Decimal) -> Spend {
        Spend { date: date(day), kind, item: "service".into(), gross: amount, net: amount }
    }

    fn credit() -> SettlementRules {
        let shortfall = ShortfallRule::Credit { counting: CreditCounting::DoesNotCount, lifetime: None };
        SettlementRules { shortfall, ..SettlementRules::default() }
    }

    #[test]
    fn months_show_what_counted_and_what_was_invoiced() -> Result<()> {
        let terms = Terms::yearly("two years", date("2027-03-15"), &[dec!(90), dec!(150)])?.rules(credit());
        let usage = [
            spend("2027-03-15", SpendKind::Usage, dec!(30)),
            spend("2028-03-14", SpendKind::Usage, dec!(50)),
            spend("2028-03-15", SpendKind::Usage, dec!(4)),
            spend("2028-06-01", SpendKind::Usage, dec!(151)),
            spend("2029-03-15", SpendKind::Usage, dec!(7)),
            spend("2028-07-01", SpendKind::Tax, dec!(11)),
        ];
        let ledger = Ledger::new(&terms, &usage)?;
        assert_eq!((ledger.months.len(), ledger.outside), (26, dec!(7)));
        let last = ledger.months[12];
        assert_eq!((last.start, last.counted, last.open, last.invoiced), (date("2028-03-01"), dec!(50), dec!(10), dec!(10)));
        // The credit of 10 pays March's 4 and 6 of June's 151, which do not count; 5 are missing again.
        let (march, june) = (ledger.months[13], ledger.months[16]);
        assert_eq!((march.start, march.credit_used, march.counted), (date("2028-03-15"), dec!(4), dec!(0)));
        assert_eq!((june.credit_used, june.counted, june.cash()), (dec!(6), dec!(145), dec!(145)));
        assert_eq!((ledger.periods[1].settled.paid, ledger.periods[1].spend), (dec!(5), dec!(166)));
        assert_eq!(ledger.cash(), dec!(80) + dec!(10) + dec!(166) - dec!(10) + dec!(5));
        Ok(())
    }

    #[test]
    fn a_prepaid_pool_lapses_and_overage_is_invoiced() -> Result<()> {
        let mut terms = Terms::yearly("annual credits", date("2027-01-01"), &[dec!(100), dec!(100)])?;
        terms.invoicing = Invoicing::Prepaid;
        let usage = [spend("2027-02-01", SpendKind::Usage, dec!(70)), spend("2028-02-01", SpendKind::Usage, dec!(130))];
        let ledger = Ledger::new(&terms, &usage)?;
        assert_eq!(
            (ledger.months[0].invoiced, ledger.months[1].drawn, ledger.months[11].forfeited),
            (dec!(100), dec!(70), dec!(30))
        );
        assert_eq!((ledger.months[13].drawn, ledger.months[13].cash(), ledger.cash()), (dec!(100), dec!(30), dec!(230)));
        terms.rules = credit();
        assert!(terms.check().is_err());
        Ok(())
    }

    #[test]
    fn marketplace_counts_up_to_its_cap_month_after_month() -> Result<()> {
        let marketplace = Eligibility { marketplace_weight: dec!(0.5), marketplace_cap_share: Some(dec!(0.25)) };
        let counting = Counting { marketplace, ..Counting::default() };
        let terms = Terms::yearly("capped", date("2027-01-01"), &[dec!(100)])?.counting(counting);
        let usage = [
            spend("2027-05-01", SpendKind::Marketplace, dec!(30)),
            spend("2027-01-01", SpendKind::Marketplace, dec!(40)),
            spend("2027-05-02", SpendKind::Usage, dec!(60)),
        ];
        let ledger = Ledger::new(&terms, &usage)?;
        assert_eq!((ledger.months[0].counted, ledger.months[4].counted), (dec!(20), dec!(65)));
        assert_eq!((ledger.periods[0].above_marketplace_cap, ledger.periods[0].settled.paid), (dec!(10), dec!(15)));
        Ok(())
    }

    #[test]
    fn a_macc_burns_down_on_purchases_and_not_on_prepaid_usage() -> Result<()> {
        // Microsoft, "Track your Microsoft Azure Consumption Commitment": prepayment counts when it is bought, usage paid from it does not.
        let counting = super::super::contract::azure_macc_counting();
        let events =
            [spend("2027-02-01", SpendKind::PaidFromCredit, dec!(3000)), spend("2027-01-01", SpendKind::Prepayment, dec!(10000))];
        let balances = burn_down(dec!(50000), &events, &counting)?;
        assert_eq!(balances.iter().map(|balance| balance.closed).collect::<Vec<_>>(), [dec!(40000), dec!(40000)]);
        let charges =
            [spend("2027-01-01", SpendKind::Usage, dec!(0.29)), spend("2027-01-02", SpendKind::CommitmentUpfront, dec!(100))];
        assert_eq!(burn_down(dec!(10000), &charges, &counting)?[1].closed, dec!(9899.71));
        Ok(())
    }

    #[test]
    fn an_early_renewal_replaces_what_remains() -> Result<()> {
        let mut terms = Terms::yearly("base", date("2027-01-01"), &[dec!(100), dec!(120), dec!(140)])?;
        terms.early_renewal = Some(EarlyRenewal { from_period: 1, minimums: vec![dec!(90), dec!(95), dec!(99)] });
        let renewed = terms.renewed_early()?.unwrap();
        assert_eq!((renewed.minimums(), renewed.end()), (vec![dec!(100), dec!(90), dec!(95), dec!(99)], date("2031-01-01")));
        terms.early_renewal = Some(EarlyRenewal { from_period: 1, minimums: vec![dec!(90)] });
        assert!(terms.renewed_early().is_err());
        Ok(())
    }

    #[test]
    fn wrong_terms_are_refused() {
        assert!(Terms::yearly("none", date("2027-01-01"), &[]).is_err());
        assert!(Terms::yearly("negative", date("2027-01-01"), &[dec!(-1)]).is_err());
        let mut terms = Terms::yearly("backwards", date("2027-01-01"), &[dec!(1)]).unwrap();
        terms.periods[0].end = terms.start;
        assert!(matches!(terms.check(), Err(Error::EmptyTerm { .. })));
    }

    proptest! {
        #[test]
        fn order_never_matters_and_months_add_up(
            days in prop::collection::vec((0u64..1200, 0usize..4, 0i64..5_000), 0..40),
            minimums in prop::collection::vec(0i64..20_000, 1..4),
            carried: bool,
        ) {
            let kinds = [SpendKind::Usage, SpendKind::CommitmentUpfront, SpendKind::Marketplace, SpendKind::Support];
            let spend: Vec<Spend> = days.iter().map(|(day, kind, amount)| Spend {
                date: date("2027-01-01").checked_add_days(chrono::Days::new(*day)).unwrap(),
                kind: kinds[*kind],
                item: String::new(),
                gross: Decimal::new(*amount, 2),
                net: Decimal::new(*amount, 2),
            }).collect();
            let minimums: Vec<Decimal> = minimums.iter().map(|minimum| Decimal::new(*minimum, 2)).collect();
            let marketplace = Eligibility { marketplace_weight: dec!(0.5), marketplace_cap_share: Some(dec!(0.25)) };
            let mut terms = Terms::yearly("t", date("2027-01-01"), &minimums).unwrap().counting(Counting { marketplace, ..Counting::default() });
            terms.rules = if carried {
                let carry_over = CarryOver::Excess { cap_share: None, lifetime: CarryLifetime::UntilUsed };
                SettlementRules { carry_over, ..SettlementRules::default() }
            } else {
                credit()
            };
            let ledger = Ledger::new(&terms, &spend).unwrap();
            let mut backwards = spend.clone();
            backwards.reverse();
            prop_assert_eq!(&Ledger::new(&terms, &backwards).unwrap(), &ledger);
            // Every cent of spend is in a month or outside, and months add up to their period.
            let entered: Decimal = ledger.months.iter().map(|month| month.spend).sum();
            prop_assert_eq!(entered + ledger.outside, spend.iter().map(|spend| spend.net).sum::<Decimal>());
            for (index, period) in ledger.periods.iter().enumerate() {
                let of = |value: fn(&LedgerMonth) -> Decimal| -> Decimal {
                    ledger.months.iter().filter(|month| month.period == index).map(value).sum()
                };
                prop_assert_eq!(of(|month| month.counted), period.settled.counted);
                prop_assert_eq!(of(|month| month.credit_used), period.settled.credit_used);
                prop_assert_eq!(of(|month| month.invoiced), period.settled.paid + period.settled.paid_for_total);
                prop_assert_eq!(of(|month| month.carried_over), period.settled.carried_over);
            }
            prop_assert_eq!(ledger.cash(), entered + ledger.cost());
        }
    }
}
