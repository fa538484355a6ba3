//! Numbers as exact decimals with [`SCALE`] digits behind the point.

/// The digits behind the point of every decimal number of a query.
pub(crate) const SCALE: u32 = 15;

const UNIT: i128 = 10i128.pow(SCALE);

/// The greatest absolute value, in units of 10^-[`SCALE`]: what `DECIMAL(38, 15)` holds.
const LIMIT: i128 = 10i128.pow(38);

/// The number that a text reads as, in units of 10^-[`SCALE`], digits beyond rounded half away from zero: `0.1`, `-3`, `6.71E-8`.
/// `None` for anything else, and beyond 10^23.
pub(super) fn parse(text: &str) -> Option<i128> {
    let text = text.trim();
    let (digits, exponent) = match text.find(['e', 'E']) {
        Some(position) => (&text[..position], text[position + 1..].parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (is_negative, digits) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits.strip_prefix('+').unwrap_or(digits)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() || exponent.abs() > 60 {
        return None;
    }
    let fraction_digits = i32::try_from(fraction.len()).ok()?;
    // The place of the last digit, counted in digits behind the point.
    let mut place = fraction_digits.checked_sub(exponent)?;
    let mut value: i128 = 0;
    let mut dropped = 0u32;
    for byte in whole.bytes().chain(fraction.bytes()) {
        let digit = i128::from(byte.checked_sub(b'0').filter(|digit| *digit <= 9)?);
        if value < LIMIT {
            value = value * 10 + digit;
        } else {
            dropped += 1;
        }
    }
    place -= i32::try_from(dropped).ok()?;
    let scale = i32::try_from(SCALE).ok()?;
    while place < scale {
        value = value.checked_mul(10).filter(|value| *value < LIMIT)?;
        place += 1;
        if value == 0 {
            break;
        }
    }
    if place > scale {
        let excess = u32::try_from(place - scale).ok()?;
        value = match 10i128.checked_pow(excess) {
            Some(divisor) => (value + divisor.div_euclid(2)).div_euclid(divisor),
            None => 0,
        };
    }
    (value < LIMIT).then_some(if is_negative { -value } else { value })
}

/// The shortest decimal that is this f64, in units of 10^-[`SCALE`]; `None` if it is not finite or beyond 10^23.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::float_cmp)]
pub(super) fn exact(value: f64) -> Option<i128> {
    if value == 0.0 {
        return Some(0);
    }
    // Most figures have few digits: then digits and power are exact in f64, and their quotient is the figure again.
    for (power, rest) in [(1e6, 1_000_000_000), (1e10, 100_000), (1e12, 1_000)] {
        let digits = (value * power).round();
        if digits.abs() < 9e15 && digits / power == value {
            return Some(digits as i128 * rest);
        }
    }
    if !value.is_finite() || value.abs() >= 1e23 {
        return None;
    }
    parse(&value.to_string())
}

/// The product of two numbers in units of 10^-[`SCALE`], rounded half up; `None` beyond 10^23.
pub(super) fn times(left: i128, right: i128) -> Option<i128> {
    // Whole part and fraction apart, so that no step needs twice the digits.
    let (whole, fraction) = (left.div_euclid(UNIT), left.rem_euclid(UNIT));
    let (right_whole, right_fraction) = (right.div_euclid(UNIT), right.rem_euclid(UNIT));
    let small = (fraction * right_fraction + UNIT.div_euclid(2)).div_euclid(UNIT);
    let sum = whole.checked_mul(right)?.checked_add(fraction.checked_mul(right_whole)?)?.checked_add(small)?;
    (sum.abs() < LIMIT).then_some(sum)
}

/// The quotient of a number in units of 10^-[`SCALE`] and a whole number, rounded half up.
pub(super) fn over(left: i128, right: i128) -> Option<i128> {
    (right > 0).then(|| (left + right.div_euclid(2)).div_euclid(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_numbers_are_exact() {
        for (text, expected) in [
            ("0", 0),
            ("1", UNIT),
            ("-0.125", -125_000_000_000_000),
            ("+.5", 500_000_000_000_000),
            ("6.71E-8", 67_100_000),
            ("1e3", 1_000 * UNIT),
            ("0.0000000072922557592391990000", 7_292_256),
            ("0.161000000000000136", 161_000_000_000_000),
            (" 12.5 ", 12_500_000_000_000_000),
            ("1E-40", 0),
            ("0e22", 0),
            ("00000000000000000000000000000000000000000000001", UNIT),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        for text in ["", "-", ".", "1,5", "NaN", "inf", "1e300", "=1+1", "0x10", "1e", "e5", "--1", "1 2", "1e24"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn floats_are_the_decimals_they_read_as() {
        for text in ["0.1", "744.016667", "0.0000000671", "0.061644", "123456789.123456", "1e-15", "0.3333333333333333", "-5.25"]
        {
            let value: f64 = text.parse().unwrap();
            assert_eq!(exact(value), parse(text), "{text}");
        }
        assert_eq!((exact(f64::NAN), exact(f64::INFINITY), exact(1e300)), (None, None, None));
        assert_eq!(exact(1e-300), Some(0));
    }

    #[test]
    fn products_and_quotients_are_rounded_once() {
        let number = |text: &str| parse(text).unwrap();
        for (left, right, product) in
            [("0.1", "0.2", "0.02"), ("-1.5", "0.5", "-0.75"), ("3", "-7", "-21"), ("1e11", "1e11", "1e22"), ("0", "5", "0")]
        {
            assert_eq!(times(number(left), number(right)), Some(number(product)), "{left} * {right}");
        }
        assert_eq!(times(number("1e20"), number("1e20")), None);
        assert_eq!((over(number("7200"), 3600), over(number("1"), 0)), (Some(number("2")), None));
    }
}
