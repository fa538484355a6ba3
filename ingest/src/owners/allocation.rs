//! Cost by owner: what the rules give, then what shared owners pass on; to the cent, and with what no rule fits named.

use super::rules::{Facts, OwnerRules, Shared, Split, is_within};
use crate::error::{Error, Result};
use crate::session::Session;
use covermix::units::Money;
use datafusion::arrow::array::{Array, StringArray};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::fmt;

/// The cost of an owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnerCost {
    /// How many rows are its own.
    pub rows: u64,
    /// What the bill charges for them.
    pub billed: Money,
    /// Their amortised cost: what showback is made of.
    pub effective: Money,
    /// Amortised cost that it has of shared owners; negative for what a shared owner passes on.
    pub shared: Money,
}

impl OwnerCost {
    /// Amortised cost with its part of shared cost: what chargeback is made of.
    #[must_use]
    pub fn charged(&self) -> Money {
        self.effective + self.shared
    }
}

/// The cost of a bill by owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    owners: BTreeMap<String, OwnerCost>,
    unowned: OwnerCost,
}

impl Allocation {
    /// Each owner's cost, without that of the owners below it in the hierarchy.
    #[must_use]
    pub fn owners(&self) -> &BTreeMap<String, OwnerCost> {
        &self.owners
    }

    /// The cost that no rule fits.
    #[must_use]
    pub fn unowned(&self) -> OwnerCost {
        self.unowned
    }

    /// The cost of an owner and of all below it.
    #[must_use]
    pub fn total(&self, owner: &str) -> OwnerCost {
        self.owners.iter().filter(|(name, _)| is_within(name, owner)).fold(OwnerCost::default(), |sum, (_, cost)| OwnerCost {
            rows: sum.rows + cost.rows,
            billed: sum.billed + cost.billed,
            effective: sum.effective + cost.effective,
            shared: sum.shared + cost.shared,
        })
    }

    /// The share of the amortised cost, credits apart, that the rules give an owner; `None` without cost.
    #[must_use]
    pub fn coverage(&self) -> Option<f64> {
        let owned: Decimal = self.owners.values().map(|cost| cost.effective.value().abs()).sum();
        let whole = owned + self.unowned.effective.value().abs();
        (!whole.is_zero()).then(|| covermix::units::to_f64(owned / whole))
    }

    /// Amortised cost for each unit of a business figure of an owner (orders, users): chargeback divided by it; `None` if that is 0.
    #[must_use]
    pub fn unit_cost(&self, owner: &str, units: Decimal) -> Option<Decimal> {
        (!units.is_zero()).then(|| self.total(owner).charged().value() / units)
    }
}

impl OwnerRules {
    pub(crate) async fn allocate(&self, session: &Session) -> Result<Allocation> {
        let keys = &session.options.tag_keys;
        if let Some(key) = self.tag_keys().into_iter().find(|key| !keys.contains(key)) {
            let problem = format!("they look at the tag `{key}`, which was not read: give it in `Options::tag_keys`");
            return Err(Error::Owners { rule: None, problem });
        }
        let tags: Vec<String> = (0..keys.len()).map(|index| format!("tag_{index}")).collect();
        let words = [&["account", "service", "region", "resource"].map(str::to_owned)[..], &tags].concat().join(", ");
        let sql = format!(
            "SELECT {words}, COUNT(*) AS lines, SUM(cost) AS billed, SUM(effective) AS effective FROM charges \
             GROUP BY {words} ORDER BY {words}"
        );
        let rows = session.query(&sql).await?;
        let [account, service, region, resource] = ["account", "service", "region", "resource"].map(|name| rows.text(name));
        let tags: Vec<StringArray> = tags.iter().map(|tag| rows.text(tag)).collect();
        let lines = rows.integers("lines");
        let (billed, effective) = (rows.numbers("billed"), rows.numbers("effective"));
        let mut allocation = Allocation { owners: BTreeMap::new(), unowned: OwnerCost::default() };
        for row in 0..rows.len() {
            let values: Vec<(&str, &str)> =
                keys.iter().map(String::as_str).zip(tags.iter().map(|column| text(column, row))).collect();
            let facts = Facts {
                account: text(&account, row),
                service: text(&service, row),
                region: text(&region, row),
                resource: text(&resource, row),
                tags: &values,
            };
            let cost = match self.owner(facts) {
                Some(owner) => allocation.owners.entry(owner).or_default(),
                None => &mut allocation.unowned,
            };
            cost.rows += crate::session::count(&lines, row);
            cost.billed += Money::new(crate::session::decimal(&billed, row).unwrap_or_default());
            cost.effective += Money::new(crate::session::decimal(&effective, row).unwrap_or_default());
        }
        for shared in &self.shared {
            pass_on(shared, &mut allocation.owners);
        }
        Ok(allocation)
    }
}

fn text(column: &StringArray, row: usize) -> &str {
    if column.is_null(row) { "" } else { column.value(row) }
}

/// Divides the cost of a shared owner, to whole cents but for the last part, among owners; the parts add up to the whole.
fn pass_on(shared: &Shared, owners: &mut BTreeMap<String, OwnerCost>) {
    let given: Money = owners.iter().filter(|(name, _)| is_within(name, &shared.owner)).map(|(_, cost)| cost.charged()).sum();
    if given.value().is_zero() {
        return;
    }
    let of = |owner: &String, owners: &BTreeMap<String, OwnerCost>| -> Decimal {
        let own = owners.iter().filter(|(name, _)| is_within(name, owner));
        own.map(|(_, cost)| cost.effective.value().max(Decimal::ZERO)).sum()
    };
    let mut weights: Vec<(String, Decimal)> = shared
        .among
        .iter()
        .map(|owner| {
            let weight = match &shared.split {
                Split::Proportional => of(owner, owners),
                Split::Even => Decimal::ONE,
                Split::Fixed(weights) => weights.get(owner).copied().unwrap_or_default(),
            };
            (owner.clone(), weight)
        })
        .collect();
    let mut whole: Decimal = weights.iter().map(|(_, weight)| *weight).sum();
    if whole.is_zero() {
        // In proportion to nothing is in equal parts.
        for (_, weight) in &mut weights {
            *weight = Decimal::ONE;
        }
        whole = Decimal::from(weights.len());
    }
    let mut left = given.value();
    let last = weights.len().saturating_sub(1);
    for (index, (owner, weight)) in weights.into_iter().enumerate() {
        let part = if index == last { left } else { (given.value() * weight / whole).round_dp(2) };
        left -= part;
        owners.entry(owner).or_default().shared += Money::new(part);
    }
    let names: Vec<String> = owners.keys().filter(|name| is_within(name, &shared.owner)).cloned().collect();
    for name in names {
        if let Some(cost) = owners.get_mut(&name) {
            let passed = cost.charged().value();
            cost.shared += Money::new(-passed);
        }
    }
}

impl fmt::Display for Allocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<40} {:>10} {:>16} {:>16} {:>16} {:>16}", "owner", "rows", "billed", "amortised", "shared", "charged")?;
        let line = |f: &mut fmt::Formatter<'_>, name: &str, cost: &OwnerCost| {
            let money = [cost.billed, cost.effective, cost.shared, cost.charged()].map(|money| money.value().round_dp(2));
            let [billed, effective, shared, charged] = money;
            writeln!(f, "{name:<40} {:>10} {billed:>16.2} {effective:>16.2} {shared:>16.2} {charged:>16.2}", cost.rows)
        };
        for (owner, cost) in &self.owners {
            line(f, owner, cost)?;
        }
        line(f, "(no rule fits)", &self.unowned)?;
        let coverage = self.coverage().map_or_else(|| "no cost".to_owned(), |coverage| format!("{:.1} %", coverage * 100.0));
        write!(f, "the rules give {coverage} of the amortised cost an owner")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(text: &str) -> OwnerCost {
        OwnerCost { effective: Money::new(text.parse().unwrap()), ..OwnerCost::default() }
    }

    #[test]
    fn shared_cost_is_passed_on_to_the_last_cent() {
        for split in
            [Split::Proportional, Split::Even, Split::Fixed([("a".into(), Decimal::ONE), ("b".into(), Decimal::TWO)].into())]
        {
            let mut owners: BTreeMap<String, OwnerCost> =
                [("a/x".into(), cost("30")), ("b".into(), cost("60.01")), ("base".into(), cost("10.005"))].into();
            pass_on(&Shared { owner: "base".into(), split, among: vec!["a".into(), "b".into()] }, &mut owners);
            let charged: Money = owners.values().map(OwnerCost::charged).sum();
            assert_eq!(charged.value(), "100.015".parse::<Decimal>().unwrap());
            assert!(owners["base"].charged().value().is_zero());
            assert!(owners["a"].shared > Money::ZERO && owners["b"].shared > Money::ZERO);
        }
    }
}
