//! Normalisation factors of instance sizes, and the families without size flexibility.
//!
//! Source: EC2 User Guide, "How Reserved Instances are applied", table of normalisation factors and list of exclusions, edition
//! read in 2026-06. The edition of 2023-05 excluded only G4ad, G4dn, G5, G5g and Inf1.

use rust_decimal::Decimal;

/// Families that regional Reserved Instances cover by exact type only.
const EXCLUDED_FAMILIES: [&str; 13] =
    ["g4ad", "g4dn", "g5", "g5g", "g6", "g6e", "g6f", "gr6", "gr6f", "hpc7a", "p5", "inf1", "inf2"];

/// Single types without size flexibility.
const EXCLUDED_TYPES: [&str; 2] = ["u7i-6tb", "u7i-8tb"];

/// Bare-metal types have the factor of the equivalent virtualised size.
const METAL: [(&str, u32); 36] = [
    ("a1", 32),
    ("m5zn", 96),
    ("x2iezn", 96),
    ("z1d", 96),
    ("c6g", 128),
    ("c6gd", 128),
    ("i3", 128),
    ("m6g", 128),
    ("m6gd", 128),
    ("r6g", 128),
    ("r6gd", 128),
    ("x2gd", 128),
    ("c5n", 144),
    ("c5", 192),
    ("c5d", 192),
    ("i3en", 192),
    ("m5", 192),
    ("m5d", 192),
    ("m5dn", 192),
    ("m5n", 192),
    ("r5", 192),
    ("r5b", 192),
    ("r5d", 192),
    ("r5dn", 192),
    ("r5n", 192),
    ("c6i", 256),
    ("c6id", 256),
    ("m6i", 256),
    ("m6id", 256),
    ("r6d", 256),
    ("r6id", 256),
    ("u-18tb1", 448),
    ("u-24tb1", 448),
    ("u-6tb1", 896),
    ("u-9tb1", 896),
    ("u-12tb1", 896),
];

/// The normalisation factor of an instance type: units that one running instance needs an hour. `None` for a size that the
/// published table does not have and whose name does not tell (a `metal` of an unlisted family).
#[must_use]
pub fn factor(instance_type: &str) -> Option<Decimal> {
    let (family, size) = instance_type.rsplit_once('.')?;
    let factor = match size {
        "nano" => return Some(Decimal::new(25, 2)),
        "micro" => return Some(Decimal::new(5, 1)),
        "small" => 1,
        "medium" => 2,
        "large" => 4,
        "xlarge" => 8,
        "metal" => METAL.iter().find(|(metal, _)| *metal == family)?.1,
        _ => 8 * multiple(size)?,
    };
    Some(Decimal::from(factor))
}

/// The N of `Nxlarge` and `metal-Nxl`.
fn multiple(size: &str) -> Option<u32> {
    let number = size.strip_suffix("xlarge").or_else(|| size.strip_prefix("metal-")?.strip_suffix("xl"))?;
    number.parse().ok().filter(|number| (1..=1024).contains(number))
}

/// Whether regional Reserved Instances of this type cover only the exact type, although it is Linux with shared tenancy.
#[must_use]
pub fn is_excluded(instance_type: &str) -> bool {
    let family = super::family(instance_type);
    EXCLUDED_FAMILIES.contains(&family) || EXCLUDED_TYPES.contains(&family)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use rust_decimal::dec;

    #[rstest]
    #[case("t2.nano", dec!(0.25))]
    #[case("t2.micro", dec!(0.5))]
    #[case("m5.large", dec!(4))]
    #[case("m5.xlarge", dec!(8))]
    #[case("c5.9xlarge", dec!(72))]
    #[case("c5.18xlarge", dec!(144))]
    #[case("i3.metal", dec!(128))]
    #[case("m7i.metal-24xl", dec!(192))]
    #[case("u-6tb1.112xlarge", dec!(896))]
    fn factors_are_the_published_ones(#[case] instance_type: &str, #[case] expected: Decimal) {
        assert_eq!(factor(instance_type), Some(expected));
    }

    #[rstest]
    #[case("m5")]
    #[case("m5.")]
    #[case("m5.huge")]
    #[case("z9.metal")]
    #[case("m5.99999999999xlarge")]
    fn unknown_sizes_have_no_factor(#[case] instance_type: &str) {
        assert_eq!(factor(instance_type), None);
    }

    #[test]
    fn exclusions_are_by_whole_family() {
        assert!(is_excluded("g5.xlarge") && is_excluded("u7i-6tb.112xlarge") && is_excluded("p5.48xlarge"));
        assert!(!is_excluded("p4d.24xlarge") && !is_excluded("g5x.large"));
    }
}
