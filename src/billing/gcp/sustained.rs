//! Sustained use discounts: by layers of concurrent usage over a billing month, on what no commitment covered.
//!
//! From "Sustained use discounts for Compute Engine" (tiers, series, scope) and the blog "Announcing resource-based pricing for Google
//! Compute Engine" of 2018-07-25 (layers). Usage of one region, class and resource is put on one curve; a layer of it that runs for a
//! share `f` of the month's hours is charged its tiers up to `f`. The curve is cut at its own levels, so fractional units are exact:
//! `sum over layers of height x tier hours(hours at or above the layer)`. Formula: `docs/formulation-billing-azure-gcp.md`, "Sustained
//! use".
//!
//! Where SKUs of one group differ in price (custom types cost more) the group's rate of discount applies to the cost of each.

use super::{GcpRules, calendar};
use crate::billing::waterfall::{Number, Sums};
use crate::billing::{Judge, PricedLine, lines_of};
use crate::time::Month;
use crate::usage::Provider;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The service that gets sustained use discounts, as lines name it.
pub const COMPUTE_ENGINE: &str = "Compute Engine";

/// The share of the price charged in each quarter of the month.
pub type Tiers = [Decimal; 4];

/// N1, M1, M2, shared-core types, GPUs with sustained use discounts: 30 % over a full month.
pub const THIRTY_PERCENT: Tiers = [Decimal::ONE, part(8, 1), part(6, 1), part(4, 1)];
/// N2, N2D, C2: 19.98 % over a full month.
pub const TWENTY_PERCENT: Tiers = [Decimal::ONE, part(8678, 4), part(733, 3), part(6, 1)];

/// `digits / 10^scale`, as a constant.
const fn part(digits: u32, scale: u32) -> Decimal {
    Decimal::from_parts(digits, 0, 0, false, scale)
}

/// How usage is put together before layers are counted, which is documented by series only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SustainedUseGrouping {
    /// All SKUs of a region, series and resource (its unit): predefined, custom and sole-tenant together.
    #[default]
    Series,
    /// Each SKU of a region apart.
    Sku,
}

/// The tiers of each family (series, or model of GPU) that gets sustained use discounts, as documented in 2026.
#[must_use]
pub fn documented_tiers() -> BTreeMap<String, Tiers> {
    let thirty = ["N1", "M1", "M2", "F1", "G1", "K80", "P4", "P100", "T4", "V100"].map(|family| (family, THIRTY_PERCENT));
    let twenty = ["N2", "N2D", "C2"].map(|family| (family, TWENTY_PERCENT));
    thirty.into_iter().chain(twenty).map(|(family, tiers)| (family.to_owned(), tiers)).collect()
}

/// Lines whose usage is counted together.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    lines: Vec<(usize, Decimal)>,
    tiers: Tiers,
}

impl Group {
    /// The share of the price charged in each quarter of the month.
    pub(crate) fn tiers(&self) -> &Tiers {
        &self.tiers
    }

    /// Its lines with their on-demand prices.
    pub(crate) fn prices<N: Number>(&self) -> Vec<(usize, N)> {
        self.lines.iter().map(|(line, price)| (*line, N::from_decimal(*price))).collect()
    }
}

/// The groups of the lines that get sustained use discounts.
pub(crate) fn groups(rules: &GcpRules, lines: &[PricedLine<'_>]) -> Vec<Group> {
    let mut groups: BTreeMap<(String, String, String, String), Group> = BTreeMap::new();
    for (index, line) in lines_of(lines, Provider::Gcp) {
        let (sku, family) = (&line.line.sku, family(line));
        let Some(tiers) = rules.sustained_use_tiers.get(&family).filter(|_| sku.service == COMPUTE_ENGINE) else { continue };
        let apart = match rules.sustained_use_grouping {
            SustainedUseGrouping::Series => String::new(),
            SustainedUseGrouping::Sku => line.price.id.clone(),
        };
        let group = groups
            .entry((sku.region.clone(), family, sku.unit.clone(), apart))
            .or_insert_with(|| Group { lines: Vec::new(), tiers: *tiers });
        group.lines.push((index, line.price.price.value()));
    }
    groups.into_values().collect()
}

/// The family in capitals; a GPU, which is of no series, is named by its model (`T4 GPU`).
fn family(line: &PricedLine<'_>) -> String {
    let (family, sku) = (&line.price.family, &line.line.sku.sku);
    let name = if family.is_empty() { sku.strip_suffix(" GPU").unwrap_or(sku) } else { family };
    name.to_ascii_uppercase()
}

/// The discount of each billing month, as a positive amount.
pub(crate) fn discounts<N: Number>(judge: &Judge<'_>, sums: &[Sums<N>]) -> BTreeMap<Month, N> {
    let mut discounts = BTreeMap::new();
    if judge.sustained.is_empty() {
        return discounts;
    }
    let months: Vec<Month> = judge.usage.grid().hours().map(calendar::month).collect();
    for (index, group) in judge.sustained.iter().enumerate() {
        let mut by_month: BTreeMap<Month, Vec<Open<N>>> = BTreeMap::new();
        for (epoch, sums) in judge.epochs.iter().zip(sums) {
            for (hour, (quantity, cost)) in epoch.hours.clone().zip(&sums.open[index]) {
                let hours = N::from_f64(judge.usage.weights()[hour]);
                by_month.entry(months[hour]).or_default().push(Open { quantity: *quantity, cost: *cost, hours });
            }
        }
        for (month, open) in by_month {
            let month_hours = N::from_decimal(Decimal::from(calendar::hours_in(month)));
            let discount = discount(open, month_hours, group.tiers.map(N::from_decimal));
            let sum = discounts.entry(month).or_insert(N::ZERO);
            *sum += discount;
        }
    }
    discounts
}

/// What is open of a group in an hour (or several equal ones).
#[derive(Clone, Copy)]
struct Open<N> {
    quantity: N,
    cost: N,
    hours: N,
}

/// The discount on one group's usage in one month.
fn discount<N: Number>(mut open: Vec<Open<N>>, month_hours: N, tiers: [N; 4]) -> N {
    let (mut used, mut cost, mut all_hours) = (N::ZERO, N::ZERO, N::ZERO);
    for hour in &open {
        used += hour.quantity * hour.hours;
        cost += hour.cost * hour.hours;
        all_hours += hour.hours;
    }
    if used <= N::ZERO {
        return N::ZERO;
    }
    // Hours that stand for several may add up to more than the month has; the layers then count shares of those.
    let month_hours = if all_hours > month_hours { all_hours } else { month_hours };
    let quarter = month_hours / N::from_f64(4.0);
    open.sort_by(|a, b| b.quantity.partial_cmp(&a.quantity).unwrap_or(std::cmp::Ordering::Equal));
    let (mut charged, mut hours) = (N::ZERO, N::ZERO);
    for (index, hour) in open.iter().enumerate() {
        hours += hour.hours;
        let below = open.get(index + 1).map_or(N::ZERO, |next| next.quantity);
        if hour.quantity > below {
            charged += (hour.quantity - below) * charged_hours(hours, quarter, tiers);
        }
    }
    cost - cost * charged / used
}

/// What a layer that runs for some hours is charged, in hours at the full price.
fn charged_hours<N: Number>(hours: N, quarter: N, tiers: [N; 4]) -> N {
    let (mut charged, mut left) = (N::ZERO, hours);
    for rate in tiers {
        let part = if left < quarter { left } else { quarter };
        charged += rate * part;
        left -= part;
    }
    charged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rust_decimal::dec;

    fn open(hours: &[(Decimal, i64)]) -> Vec<Open<Decimal>> {
        hours
            .iter()
            .map(|(quantity, hours)| Open { quantity: *quantity, cost: *quantity, hours: Decimal::from(*hours) })
            .collect()
    }

    #[test]
    fn a_constant_unit_gets_the_documented_discount() {
        for (hours, tiers, expected) in [
            (360, THIRTY_PERCENT, dec!(0.10)),
            (540, THIRTY_PERCENT, dec!(0.20)),
            (720, THIRTY_PERCENT, dec!(0.30)),
            (180, THIRTY_PERCENT, dec!(0)),
            (720, TWENTY_PERCENT, dec!(0.1998)),
            (360, TWENTY_PERCENT, dec!(0.0661)),
        ] {
            let found = discount(open(&[(dec!(1), hours)]), dec!(720), tiers) / Decimal::from(hours);
            assert_eq!(found, expected, "{hours} hours");
        }
    }

    #[test]
    fn layers_count_by_concurrency() {
        // 4, 8, 16, 32 vCPUs by quarter of the month: the first four 30 %, the next four 20 %, the next eight 10 %, the rest nothing.
        let usage = open(&[(dec!(4), 180), (dec!(8), 180), (dec!(16), 180), (dec!(32), 180)]);
        let expected = dec!(4) * dec!(720) * dec!(0.3) + dec!(4) * dec!(540) * dec!(0.2) + dec!(8) * dec!(360) * dec!(0.1);
        assert_eq!(discount(usage, dec!(720), THIRTY_PERCENT).round_dp(15), expected);
        // Thirty instances for one day are thirty layers of a thirtieth.
        assert_eq!(discount(open(&[(dec!(30), 24)]), dec!(720), THIRTY_PERCENT), dec!(0));
    }

    proptest! {
        #[test]
        fn sorting_equals_counting_unit_layers(levels in prop::collection::vec(0i64..12, 1..60)) {
            let hours = open(&levels.iter().map(|level| (Decimal::from(*level), 1)).collect::<Vec<_>>());
            let month = Decimal::from(levels.len());
            let by_layers: Decimal = (1..12)
                .map(|layer| Decimal::from(levels.iter().filter(|level| **level >= layer).count()))
                .map(|hours| hours - charged_hours(hours, month / dec!(4), THIRTY_PERCENT))
                .sum();
            prop_assert!((discount(hours, month, THIRTY_PERCENT) - by_layers).abs() < dec!(1e-20));
        }
    }
}
