//! Showback and chargeback: how the savings and the waste of commitments fall on accounts, teams or tags.
//!
//! For every commitment the value it covered (at on-demand prices) is spread over the lines it could draw on, up to what they used, by a
//! [`SharingRule`]; savings go with it, waste by the same rule. Then, for every key,
//! `cost = on-demand equivalent - savings - sustained use discounts + waste`, and the costs sum to the bill; sustained use discounts
//! follow what the rule leaves uncovered of a group of lines. Amounts are rounded to cents by the largest remainder,
//! so that the sums are the bill's to the cent. Formulas: `docs/formulation-billing.md`, "Attribution".

use super::{Bill, Judge};
use crate::units::Money;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// What costs are grouped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributionKey {
    /// Account, subscription or project.
    Account,
    /// The value of a tag; lines without it fall on the empty key.
    Tag(String),
}

/// Who gets the benefit of a commitment first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SharingRule {
    /// The account that owns it, then all others in proportion to what they used.
    OwnerFirst,
    /// All in proportion to what they used.
    Proportional,
    /// These keys in this order, then all others in proportion.
    Prioritised(Vec<String>),
}

/// What falls on one key, to the cent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributedCost {
    /// The account or tag value.
    pub key: String,
    /// Usage at on-demand prices.
    pub on_demand_equivalent: Money,
    /// What commitments save it: covered value less the cost of the used part.
    pub savings: Money,
    /// Its part of unused commitments.
    pub waste: Money,
    /// Its part of Google's sustained use discounts, as a positive amount.
    pub sustained_use_discount: Money,
    /// `on-demand equivalent - savings - sustained use discount + waste`.
    pub cost: Money,
}

/// Less money than this is what divisions left in the last digits.
const DUST: Decimal = Decimal::from_parts(1, 0, 0, false, 12);

#[derive(Clone, Copy, Default)]
struct Exact {
    equivalent: Decimal,
    savings: Decimal,
    waste: Decimal,
    sustained: Decimal,
}

impl Judge<'_> {
    /// Spreads a bill of this judge over keys; sorted by key. The costs sum to [`super::Charges::cost`], rounded to cents.
    #[must_use]
    pub fn attribute(&self, bill: &Bill, key: &AttributionKey, rule: &SharingRule) -> Vec<AttributedCost> {
        let key_of = |line: usize| match key {
            AttributionKey::Account => self.lines[line].line.account.clone(),
            AttributionKey::Tag(tag) => self.lines[line].line.tags.get(tag).cloned().unwrap_or_default(),
        };
        let keys: Vec<String> = (0..self.lines.len()).map(key_of).collect();
        let value: Vec<Decimal> = bill.lines().iter().map(|line| line.on_demand_equivalent.value()).collect();
        let mut exact: BTreeMap<String, Exact> = BTreeMap::new();
        for (key, value) in keys.iter().zip(&value) {
            exact.entry(key.clone()).or_default().equivalent += *value;
        }
        let mut left = value.clone();
        for (index, (held, bill)) in self.held.iter().zip(bill.commitments()).enumerate() {
            let eligible: BTreeSet<usize> = self
                .record
                .epochs
                .iter()
                .flat_map(|epoch| &epoch.draws)
                .filter(|draw| draw.commitment == index)
                .map(|draw| draw.line)
                .collect();
            let owner = &held.commitment.account;
            let is_own = |line: usize| self.lines[line].line.account == *owner;
            let rank = |line: usize| match rule {
                SharingRule::OwnerFirst => usize::from(!is_own(line)),
                SharingRule::Proportional => 0,
                SharingRule::Prioritised(order) => order.iter().position(|key| *key == keys[line]).unwrap_or(order.len()),
            };
            let covered = bill.covered.value();
            let savings = covered - bill.charges.used_commitment.value();
            for (line, part) in spread(covered, &eligible, rank, &mut left) {
                exact.entry(keys[line].clone()).or_default().savings += savings * part;
            }
            let unused = bill.charges.unused_commitment.value();
            let bearers: Vec<usize> = match rule {
                SharingRule::OwnerFirst => (0..self.lines.len()).filter(|line| is_own(*line)).collect(),
                SharingRule::Proportional | SharingRule::Prioritised(_) => eligible.iter().copied().collect(),
            };
            let total: Decimal = bearers.iter().map(|line| value[*line]).sum();
            let by_account = *key == AttributionKey::Account;
            if total.is_zero() || (by_account && *rule == SharingRule::OwnerFirst) {
                let bearer = if by_account { owner.clone() } else { String::new() };
                exact.entry(bearer).or_default().waste += unused;
            } else {
                for line in bearers {
                    exact.entry(keys[line].clone()).or_default().waste += unused * value[line] / total;
                }
            }
        }
        for group in &self.record.sustained {
            let lines = || group.lines().iter().map(|(line, _)| *line);
            let discount: Decimal = lines().map(|line| bill.lines()[line].sustained_use_discount.value()).sum();
            let open: Decimal = lines().map(|line| left[line]).sum();
            for line in lines() {
                let own = bill.lines()[line].sustained_use_discount.value();
                let part = if open > DUST { discount * left[line] / open } else { own };
                exact.entry(keys[line].clone()).or_default().sustained += part;
            }
        }
        round(&exact)
    }
}

/// Spreads a covered value over lines by rank, in proportion within a rank, no line above what it has left. Gives parts that sum to 1.
fn spread(
    covered: Decimal,
    lines: &BTreeSet<usize>,
    rank: impl Fn(usize) -> usize,
    left: &mut [Decimal],
) -> Vec<(usize, Decimal)> {
    if covered <= Decimal::ZERO {
        return Vec::new();
    }
    let mut ranks: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for line in lines {
        ranks.entry(rank(*line)).or_default().push(*line);
    }
    let mut parts: BTreeMap<usize, Decimal> = BTreeMap::new();
    let mut rest = covered;
    for members in ranks.values() {
        let room: Decimal = members.iter().map(|line| left[*line]).sum();
        let taken = rest.min(room);
        if taken <= DUST {
            continue;
        }
        for line in members {
            let part = taken * left[*line] / room;
            left[*line] -= part;
            *parts.entry(*line).or_default() += part;
        }
        rest -= taken;
    }
    // What earlier commitments left no room for goes with the rest in proportion.
    let placed = covered - rest;
    if placed <= DUST {
        return lines.first().map(|line| (*line, Decimal::ONE)).into_iter().collect();
    }
    parts.into_iter().map(|(line, part)| (line, part / placed)).collect()
}

/// Rounds costs, savings and waste to cents by the largest remainder.
fn round(exact: &BTreeMap<String, Exact>) -> Vec<AttributedCost> {
    let column = |of: fn(&Exact) -> Decimal| to_cents(&exact.values().map(of).collect::<Vec<_>>());
    let cost = column(|row| row.equivalent - row.savings - row.sustained + row.waste);
    let (savings, waste, sustained) = (column(|row| row.savings), column(|row| row.waste), column(|row| row.sustained));
    let rows = exact.keys().zip(cost).zip(savings).zip(waste).zip(sustained);
    rows.map(|((((key, cost), savings), waste), sustained_use_discount)| AttributedCost {
        key: key.clone(),
        on_demand_equivalent: cost + savings + sustained_use_discount - waste,
        savings,
        waste,
        sustained_use_discount,
        cost,
    })
    .collect()
}

/// Amounts rounded to cents so that they sum to the rounded sum: the largest remainders are rounded up, the first of equal ones.
#[must_use]
pub fn to_cents(amounts: &[Decimal]) -> Vec<Money> {
    let cent = Decimal::new(1, 2);
    let total = Money::new(amounts.iter().sum()).to_cents().value();
    let floor = |amount: &Decimal| (*amount / cent).floor() * cent;
    let mut rounded: Vec<Decimal> = amounts.iter().map(floor).collect();
    let mut missing = total - rounded.iter().sum::<Decimal>();
    let mut order: Vec<usize> = (0..amounts.len()).collect();
    order.sort_by(|a, b| (amounts[*b] - rounded[*b]).cmp(&(amounts[*a] - rounded[*a])).then(a.cmp(b)));
    for index in order {
        if missing < cent {
            break;
        }
        rounded[index] += cent;
        missing -= cent;
    }
    rounded.into_iter().map(Money::new).collect()
}
