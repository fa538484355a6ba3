//! A number of a report: a decimal of at most 15 significant digits, so that JSON, CSV and HTML write the same one and read it back unchanged.

use crate::units::{Money, MoneyPerHour, to_decimal, to_f64};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number of a report, rounded to 15 significant digits: what an f64 holds exactly as text. In JSON it is a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Figure(Decimal);

impl Figure {
    /// The figure of a decimal.
    #[must_use]
    pub fn new(value: Decimal) -> Self {
        Self(value.round_sf(15).unwrap_or(value).normalize())
    }

    /// The figure of an f64; `None` for NaN, infinities and numbers beyond 7.9e28.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        to_decimal(value).map(Self::new)
    }

    /// The decimal inside.
    #[must_use]
    pub const fn value(self) -> Decimal {
        self.0
    }

    /// The nearest f64, for charts.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        to_f64(self.0)
    }
}

impl From<Money> for Figure {
    fn from(amount: Money) -> Self {
        Self::new(amount.value())
    }
}

impl From<MoneyPerHour> for Figure {
    fn from(amount: MoneyPerHour) -> Self {
        Self::new(amount.value())
    }
}

impl From<Decimal> for Figure {
    fn from(value: Decimal) -> Self {
        Self::new(value)
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.to_f64())
    }
}

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        Self::from_f64(value).ok_or_else(|| de::Error::custom(format!("{value} is not a number of a report")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rust_decimal::dec;

    proptest! {
        #[test]
        fn a_figure_survives_json(digits in -9_999_999_999_999_999_i64..9_999_999_999_999_999, scale in 0_u32..20) {
            let figure = Figure::new(Decimal::new(digits, scale));
            let json = serde_json::to_string(&figure).unwrap();
            prop_assert_eq!(serde_json::from_str::<Figure>(&json).unwrap(), figure);
        }
    }

    #[test]
    fn a_figure_has_fifteen_digits() {
        assert_eq!(Figure::new(dec!(882115.111234567890123)).value(), dec!(882115.111234568));
        assert_eq!(Figure::from_f64(f64::NAN), None);
    }
}
