//! Newtypes for money, rates and units, so that a price per hour cannot be added to a sum of money. All hold a
//! [`Decimal`]: they are the currency of the edges and of the judge. The mathematics works in f64 and converts at one
//! place, [`Money::from_f64`] and [`to_f64`].
//!
//! Amounts are in the currency of the catalog they come from; [`crate::catalog::Catalog`] refuses a mix of currencies, so
//! a computation never meets two.

use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(
            #[serde(with = "rust_decimal::serde::str")]
            #[schemars(schema_with = "decimal_schema")]
            Decimal,
        );

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(Decimal::ZERO);

            /// The quantity of this decimal number.
            #[must_use]
            pub const fn new(value: Decimal) -> Self {
                Self(value)
            }

            /// The decimal number inside.
            #[must_use]
            pub const fn value(self) -> Decimal {
                self.0
            }

            /// The nearest f64, for the mathematics.
            #[must_use]
            pub fn to_f64(self) -> f64 {
                to_f64(self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }

        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl Mul<Decimal> for $name {
            type Output = Self;
            fn mul(self, factor: Decimal) -> Self {
                Self(self.0 * factor)
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
                amounts.fold(Self::ZERO, Add::add)
            }
        }
    };
}

quantity! {
    /// A sum of money, in the catalog's currency.
    Money
}
quantity! {
    /// Money an hour: a spend plan's commitment, a recurring fee.
    MoneyPerHour
}
quantity! {
    /// Money for one unit of usage: an on-demand price or a spend plan's rate. One unit is whatever the usage line's
    /// `unit` says; for an instance it is one hour of it.
    UnitPrice
}
quantity! {
    /// Normalised units of a pool an hour (AWS normalisation factor, Azure flexibility ratio, vCPU, GiB ...).
    Units
}

impl Money {
    /// The amount an f64 stands for, rounded to 10 decimals: the one place where a figure of the mathematics becomes money.
    /// `None` for NaN, infinities and amounts beyond 7.9e28.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        Decimal::from_f64(value).map(|amount| Self(amount.round_dp(10)))
    }

    /// Rounded half away from zero to cents, for people to read. What a division left in the last of 28 digits is dropped first, so
    /// that half a cent is half a cent in whatever order it was added up.
    #[must_use]
    pub fn to_cents(self) -> Self {
        Self(self.0.round_dp(16).round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero))
    }
}

impl MoneyPerHour {
    /// What this costs over a number of hours.
    #[must_use]
    pub fn over_hours(self, hours: Decimal) -> Money {
        Money(self.0 * hours)
    }
}

impl UnitPrice {
    /// The price of a quantity of usage.
    #[must_use]
    pub fn of(self, quantity: Decimal) -> Money {
        Money(self.0 * quantity)
    }
}

/// The nearest f64 of a decimal, for the mathematics.
#[must_use]
pub fn to_f64(value: Decimal) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}

/// The decimal an f64 reads as (its shortest form that reads back the same), not its binary expansion. `None` for NaN,
/// infinities and values beyond 7.9e28.
#[must_use]
pub fn to_decimal(value: f64) -> Option<Decimal> {
    // Counts are the common case, and exact.
    #[allow(clippy::cast_possible_truncation, clippy::float_cmp)]
    if value.abs() < 9e15 && value.trunc() == value {
        return Some(Decimal::from(value as i64));
    }
    // So are numbers of up to six decimals and fifteen digits: no other number of fifteen digits reads as the same f64.
    #[allow(clippy::cast_possible_truncation, clippy::float_cmp)]
    {
        let millionths = (value * 1e6).round();
        if millionths.abs() < 1e15 && millionths / 1e6 == value {
            let (mut digits, mut scale) = (millionths as i64, 6);
            while digits % 10 == 0 && scale > 0 {
                digits = digits.div_euclid(10);
                scale -= 1;
            }
            return Some(Decimal::new(digits, scale));
        }
    }
    if !value.is_finite() {
        return None;
    }
    let text = format!("{value:e}");
    Decimal::from_scientific(&text).ok().or_else(|| Decimal::from_f64(value))
}

/// The JSON Schema of a decimal number written as a string.
pub(crate) fn decimal_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "string",
        "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
        "description": "a decimal number as a string, so that no digit is lost"
    })
}

/// A decimal number in the JSON Schema of a document that people write by hand: as a number or, so that no digit is lost, as a string.
pub(crate) struct AnyDecimal;

impl JsonSchema for AnyDecimal {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AnyDecimal".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "number"], "pattern": r"^-?[0-9]+(\.[0-9]+)?$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    #[test]
    fn an_f64_reads_as_its_shortest_form() {
        assert_eq!(to_decimal(0.1), Some(dec!(0.1)));
        assert_eq!(to_decimal(0.016667), Some(dec!(0.016667)));
        assert_eq!(to_decimal(744.0), Some(dec!(744)));
        assert_eq!(to_decimal(6.71e-8), Some(dec!(0.0000000671)));
        assert_eq!(to_decimal(f64::NAN), None);
        assert_eq!(to_decimal(f64::INFINITY), None);
        assert_eq!(to_decimal(1e40), None);
    }

    #[test]
    fn cents_round_half_away_from_zero() {
        assert_eq!(Money::new(dec!(47.125)).to_cents(), Money::new(dec!(47.13)));
        assert_eq!(Money::new(dec!(-0.005)).to_cents(), Money::new(dec!(-0.01)));
    }

    #[test]
    fn money_is_a_string_in_json() {
        let json = serde_json::to_string(&Money::new(dec!(0.10))).unwrap();
        assert_eq!(json, "\"0.10\"");
        assert_eq!(serde_json::from_str::<Money>("\"0.1\"").unwrap(), Money::new(dec!(0.1)));
        assert!(serde_json::from_str::<Money>("0.1").is_err());
    }
}
