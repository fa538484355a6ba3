//! Sustained use discounts, as data: what a unit of a resource costs in each quarter of a calendar month (US Pacific) in which it runs,
//! as a share of its on-demand price. Usage that a commitment covers, and spot usage, gets none.
//!
//! Source: "Sustained use discounts for Compute Engine" (Google Cloud documentation). The catalog's prices are before this discount.

use rust_decimal::Decimal;

/// The price of the first, second, third and last quarter of a month, as a share of the on-demand price.
pub type Quarters = [Decimal; 4];

/// General-purpose N1, memory-optimised M1 and M2, shared-core, and GPUs: up to 30 %.
pub const N1: Quarters = [
    Decimal::ONE,
    Decimal::from_parts(8, 0, 0, false, 1),
    Decimal::from_parts(6, 0, 0, false, 1),
    Decimal::from_parts(4, 0, 0, false, 1),
];
/// N2, N2D and C2: up to 19.98 %.
pub const N2: Quarters = [
    Decimal::ONE,
    Decimal::from_parts(8678, 0, 0, false, 4),
    Decimal::from_parts(733, 0, 0, false, 3),
    Decimal::from_parts(6, 0, 0, false, 1),
];
/// What a full month costs under [`N1`], as a share of on demand.
pub const FULL_MONTH_N1: Decimal = Decimal::from_parts(7, 0, 0, false, 1);

/// The tiers of a machine series (`N1`, `N2D`, as in [`crate::catalog::OnDemandPrice::family`]); `None` for series without.
#[must_use]
pub fn of_series(series: &str) -> Option<Quarters> {
    match series {
        "N1" | "M1" | "M2" | "F1" | "G1" => Some(N1),
        "N2" | "N2D" | "C2" => Some(N2),
        _ => None,
    }
}

/// The tiers of a GPU model; `None` for models without.
#[must_use]
pub fn of_gpu(model: &str) -> Option<Quarters> {
    let is_without = ["L4", "A100", "H100", "H200", "B200", "RTX6000"].iter().any(|name| model.starts_with(name));
    (!is_without).then_some(N1)
}

/// What a unit that runs for a share of the month (0 to 1) costs, as a share of a full month on demand.
#[must_use]
pub fn cost(quarters: &Quarters, share: Decimal) -> Decimal {
    let quarter = Decimal::new(25, 2);
    let within = |index: usize| (share - quarter * Decimal::from(index)).clamp(Decimal::ZERO, quarter);
    quarters.iter().enumerate().map(|(index, price)| price * within(index)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;
    use test_case::test_case;

    #[test_case(&N1, dec!(1), dec!(0.7))]
    #[test_case(&N1, dec!(0.5), dec!(0.45))] // 10 % off
    #[test_case(&N1, dec!(0.75), dec!(0.6))] // 20 % off
    #[test_case(&N1, dec!(0.1), dec!(0.1))]
    #[test_case(&N2, dec!(1), dec!(0.8002))] // rounded to 0.8002: 19.98 % off
    fn costs_follow_the_quarters(quarters: &Quarters, share: Decimal, expected: Decimal) {
        assert_eq!(cost(quarters, share).round_dp(4), expected.round_dp(4));
    }

    #[test]
    fn newer_series_have_none() {
        assert!(of_series("E2").is_none() && of_series("C3").is_none() && of_gpu("A100").is_none());
        assert!(of_series("N2D").is_some() && of_gpu("T4").is_some());
        assert_eq!(cost(&N1, Decimal::ONE), FULL_MONTH_N1);
    }
}
