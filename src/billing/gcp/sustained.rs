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
use crate::billing::record::Record;
use crate::billing::waterfall::{GroupHour, Number, Sums};
use crate::billing::{PricedLine, lines_of};
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

/// Which usage counts towards the quarters of the month. Not documented where commitments cover a part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SustainedUseThresholds {
    /// What no commitment covers.
    #[default]
    Uncovered,
    /// All of it, what commitments cover first.
    AllUsage,
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
    thresholds: SustainedUseThresholds,
}

impl Group {
    /// The share of the price charged in each quarter of the month.
    pub(crate) fn tiers(&self) -> &Tiers {
        &self.tiers
    }

    /// Its lines with their on-demand prices.
    pub(crate) fn lines(&self) -> &[(usize, Decimal)] {
        &self.lines
    }

    /// The same in the numbers of a replay.
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
        let group = groups.entry((sku.region.clone(), family, sku.unit.clone(), apart)).or_insert_with(|| Group {
            lines: Vec::new(),
            tiers: *tiers,
            thresholds: rules.sustained_use_thresholds,
        });
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

/// For each group the discount of each billing month, as a positive amount, and the on-demand cost it is a discount on.
pub(crate) fn discounts<N: Number>(record: &Record, sums: &[Sums<N>]) -> Vec<BTreeMap<Month, (N, N)>> {
    let of_group = |(index, group): (usize, &Group)| {
        let mut by_month: BTreeMap<Month, Vec<HourOfGroup<N>>> = BTreeMap::new();
        for (epoch, sums) in record.epochs.iter().zip(sums) {
            // Epochs do not cross billing months.
            let month = calendar::month(record.hour(epoch.hours.start));
            let hours = by_month.entry(month).or_default();
            for (hour, group_hour) in epoch.hours.clone().zip(&sums.open[index]) {
                hours.push(HourOfGroup { group_hour: *group_hour, hours: N::from_f64(record.usage.weights()[hour]) });
            }
        }
        let month = |(month, hours): (Month, Vec<HourOfGroup<N>>)| {
            let month_hours = N::from_decimal(Decimal::from(calendar::hours_in(month)));
            (month, discount(&hours, month_hours, group))
        };
        by_month.into_iter().map(month).collect()
    };
    record.sustained.iter().enumerate().map(of_group).collect()
}

/// What a group did in an hour (or several equal ones).
#[derive(Clone, Copy)]
struct HourOfGroup<N> {
    group_hour: GroupHour<N>,
    hours: N,
}

/// The discount on one group's usage in one month, and the on-demand cost of what is open.
fn discount<N: Number>(hours: &[HourOfGroup<N>], month_hours: N, group: &Group) -> (N, N) {
    let tiers = group.tiers.map(N::from_decimal);
    let (mut open, mut cost, mut all_hours) = (N::ZERO, N::ZERO, N::ZERO);
    for hour in hours {
        open += hour.group_hour.open * hour.hours;
        cost += hour.group_hour.cost * hour.hours;
        all_hours += hour.hours;
    }
    if open <= N::ZERO {
        return (N::ZERO, N::ZERO);
    }
    // Hours that stand for several may add up to more than the month has; the layers then count shares of those.
    let month_hours = if all_hours > month_hours { all_hours } else { month_hours };
    let layers = |level: fn(&GroupHour<N>) -> N| {
        charged(hours.iter().map(|hour| (level(&hour.group_hour), hour.hours)).collect(), month_hours, tiers)
    };
    let charged = match group.thresholds {
        SustainedUseThresholds::Uncovered => layers(|hour| hour.open),
        SustainedUseThresholds::AllUsage => layers(|hour| hour.used) - layers(|hour| hour.used - hour.open),
    };
    (cost - cost * charged / open, cost)
}

/// What the layers under a curve (level and hours) are charged, in unit-hours at the full price.
fn charged<N: Number>(mut curve: Vec<(N, N)>, month_hours: N, tiers: [N; 4]) -> N {
    let quarter = month_hours / N::from_f64(4.0);
    curve.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap_or(std::cmp::Ordering::Equal));
    let (mut charged, mut hours) = (N::ZERO, N::ZERO);
    for (index, (level, weight)) in curve.iter().enumerate() {
        hours += *weight;
        let below = curve.get(index + 1).map_or(N::ZERO, |next| next.0);
        if *level > below {
            charged += (*level - below) * charged_hours(hours, quarter, tiers);
        }
    }
    charged
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

    fn open(hours: &[(Decimal, i64)]) -> Vec<HourOfGroup<Decimal>> {
        let hour = |(open, hours): &(Decimal, i64)| HourOfGroup {
            group_hour: GroupHour { used: *open, open: *open, cost: *open },
            hours: Decimal::from(*hours),
        };
        hours.iter().map(hour).collect()
    }

    fn discount(hours: &[HourOfGroup<Decimal>], month_hours: Decimal, tiers: Tiers) -> Decimal {
        discount_by(hours, month_hours, tiers, SustainedUseThresholds::Uncovered)
    }

    fn discount_by(
        hours: &[HourOfGroup<Decimal>],
        month_hours: Decimal,
        tiers: Tiers,
        thresholds: SustainedUseThresholds,
    ) -> Decimal {
        super::discount(hours, month_hours, &Group { lines: Vec::new(), tiers, thresholds }).0
    }

    #[test]
    fn covered_usage_helps_to_reach_thresholds_only_if_asked_to() {
        // One unit all month, covered for the first half: the other half starts at the first tier, or goes on at the third.
        let covered = GroupHour { used: dec!(1), open: dec!(0), cost: dec!(0) };
        let open = GroupHour { used: dec!(1), open: dec!(1), cost: dec!(1) };
        let half = |group_hour| HourOfGroup { group_hour, hours: dec!(360) };
        let hours = [half(covered), half(open)];
        let by = |thresholds| discount_by(&hours, dec!(720), THIRTY_PERCENT, thresholds);
        assert_eq!(by(SustainedUseThresholds::Uncovered), dec!(36));
        assert_eq!(by(SustainedUseThresholds::AllUsage), dec!(180));
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
            let found = discount(&open(&[(dec!(1), hours)]), dec!(720), tiers) / Decimal::from(hours);
            assert_eq!(found, expected, "{hours} hours");
        }
    }

    #[test]
    fn layers_count_by_concurrency() {
        // 4, 8, 16, 32 vCPUs by quarter of the month: the first four 30 %, the next four 20 %, the next eight 10 %, the rest nothing.
        let usage = open(&[(dec!(4), 180), (dec!(8), 180), (dec!(16), 180), (dec!(32), 180)]);
        let expected = dec!(4) * dec!(720) * dec!(0.3) + dec!(4) * dec!(540) * dec!(0.2) + dec!(8) * dec!(360) * dec!(0.1);
        assert_eq!(discount(&usage, dec!(720), THIRTY_PERCENT).round_dp(15), expected);
        // Thirty instances for one day are thirty layers of a thirtieth.
        assert_eq!(discount(&open(&[(dec!(30), 24)]), dec!(720), THIRTY_PERCENT), dec!(0));
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
            prop_assert!((discount(&hours, month, THIRTY_PERCENT) - by_layers).abs() < dec!(1e-20));
        }
    }
}
