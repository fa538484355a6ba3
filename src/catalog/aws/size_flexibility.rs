//! Normalisation factors of instance sizes, and the families without size flexibility, as dated data: each edition of AWS's table is
//! kept, and a price list is read with the edition of its day.
//!
//! Source: EC2 User Guide, "How Reserved Instances are applied to usage", table of normalisation factors and list of exclusions.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::sync::OnceLock;

/// One edition of the table.
#[derive(Debug)]
pub struct Edition {
    valid_from: NaiveDate,
    source: &'static str,
    excluded: &'static [&'static str],
    /// The factors of bare-metal high-memory types.
    metal_high_memory: &'static [(&'static str, u32)],
}

/// Year, month and day of an edition; source; families (and single types, which are all of their family) that regional Reserved Instances
/// cover by exact type only; factors of bare-metal high-memory types.
type Facts = ((i32, u32, u32), &'static str, &'static [&'static str], &'static [(&'static str, u32)]);

/// The oldest first; the first one also stands for the time before it.
const EDITIONS: [Facts; 2] = [
    (
        (2023, 5, 11),
        "EC2 User Guide, How Reserved Instances are applied, edition of 2023-05-11",
        &["g4ad", "g4dn", "g5", "g5g", "inf1"],
        &[("u-6tb1", 896), ("u-9tb1", 896), ("u-12tb1", 896), ("u-18tb1", 896), ("u-24tb1", 896)],
    ),
    (
        // The edition was read in 2026-06; on which day between the two each family was added is not published.
        (2026, 6, 1),
        "EC2 User Guide, How Reserved Instances are applied, edition read in 2026-06",
        &["g4ad", "g4dn", "g5", "g5g", "g6", "g6e", "g6f", "gr6", "gr6f", "hpc7a", "p5", "inf1", "inf2", "u7i-6tb", "u7i-8tb"],
        &[("u-6tb1", 896), ("u-9tb1", 896), ("u-12tb1", 896), ("u-18tb1", 448), ("u-24tb1", 448)],
    ),
];

/// Bare-metal types have the factor of the equivalent virtualised size; the same in all editions.
const METAL: [(&str, u32); 31] = [
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
];

/// The editions, the oldest first.
#[must_use]
pub fn editions() -> &'static [Edition] {
    static ALL: OnceLock<Vec<Edition>> = OnceLock::new();
    ALL.get_or_init(|| {
        let edition = |((year, month, day), source, excluded, metal_high_memory): Facts| Edition {
            valid_from: NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default(),
            source,
            excluded,
            metal_high_memory,
        };
        EDITIONS.into_iter().map(edition).collect()
    })
}

/// The edition that was valid on a day: the latest that is not later, or else the first; the latest of all without a day.
#[must_use]
pub fn edition(day: Option<NaiveDate>) -> &'static Edition {
    let all = editions();
    let later = day.map_or(all.len(), |day| all.iter().take_while(|edition| edition.valid_from <= day).count());
    &all[later.max(1) - 1]
}

impl Edition {
    /// The first day it is known to be valid.
    #[must_use]
    pub fn valid_from(&self) -> NaiveDate {
        self.valid_from
    }

    /// The page and the edition it was taken from.
    #[must_use]
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// The normalisation factor of an instance type: units that one running instance needs an hour. `None` for a size that the
    /// published table does not have and whose name does not tell (a `metal` of an unlisted family).
    #[must_use]
    pub fn factor(&self, instance_type: &str) -> Option<Decimal> {
        let (family, size) = instance_type.rsplit_once('.')?;
        let factor = match size {
            "nano" => return Some(Decimal::new(25, 2)),
            "micro" => return Some(Decimal::new(5, 1)),
            "small" => 1,
            "medium" => 2,
            "large" => 4,
            "xlarge" => 8,
            "metal" => self.metal_high_memory.iter().chain(&METAL).find(|(metal, _)| *metal == family)?.1,
            _ => 8 * multiple(size)?,
        };
        Some(Decimal::from(factor))
    }

    /// Whether regional Reserved Instances of this type cover only the exact type, although it is Linux with shared tenancy.
    #[must_use]
    pub fn is_excluded(&self, instance_type: &str) -> bool {
        self.excluded.contains(&super::family(instance_type))
    }
}

/// The normalisation factor by the latest edition; see [`Edition::factor`].
#[must_use]
pub fn factor(instance_type: &str) -> Option<Decimal> {
    edition(None).factor(instance_type)
}

/// Whether a type has no size flexibility by the latest edition; see [`Edition::is_excluded`].
#[must_use]
pub fn is_excluded(instance_type: &str) -> bool {
    edition(None).is_excluded(instance_type)
}

/// The N of `Nxlarge` and `metal-Nxl`.
fn multiple(size: &str) -> Option<u32> {
    let number = size.strip_suffix("xlarge").or_else(|| size.strip_prefix("metal-")?.strip_suffix("xl"))?;
    number.parse().ok().filter(|number| (1..=1024).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;
    use test_case::test_case;

    #[test_case("t2.nano", dec!(0.25))]
    #[test_case("t2.micro", dec!(0.5))]
    #[test_case("m5.large", dec!(4))]
    #[test_case("m5.xlarge", dec!(8))]
    #[test_case("c5.9xlarge", dec!(72))]
    #[test_case("c5.18xlarge", dec!(144))]
    #[test_case("i3.metal", dec!(128))]
    #[test_case("m7i.metal-24xl", dec!(192))]
    #[test_case("u-6tb1.112xlarge", dec!(896))]
    fn factors_are_the_published_ones(instance_type: &str, expected: Decimal) {
        assert_eq!(factor(instance_type), Some(expected));
    }

    #[test_case("m5")]
    #[test_case("m5.")]
    #[test_case("m5.huge")]
    #[test_case("z9.metal")]
    #[test_case("m5.99999999999xlarge")]
    fn unknown_sizes_have_no_factor(instance_type: &str) {
        assert_eq!(factor(instance_type), None);
    }

    #[test]
    fn exclusions_are_by_whole_family() {
        assert!(is_excluded("g5.xlarge") && is_excluded("u7i-6tb.112xlarge") && is_excluded("p5.48xlarge"));
        assert!(!is_excluded("p4d.24xlarge") && !is_excluded("g5x.large"));
    }

    #[test]
    fn the_edition_is_that_of_the_day() {
        let on = |year, month, day| edition(NaiveDate::from_ymd_opt(year, month, day));
        assert_eq!((editions().len(), edition(None).valid_from().to_string().as_str()), (2, "2026-06-01"));
        assert!(on(2021, 2, 1).is_excluded("g4dn.xlarge") && !on(2021, 2, 1).is_excluded("g6.xlarge"));
        assert!(!on(2026, 5, 31).is_excluded("p5.48xlarge") && on(2026, 6, 1).is_excluded("p5.48xlarge"));
        assert_eq!(on(2024, 1, 1).factor("u-24tb1.metal"), Some(dec!(896)));
        assert_eq!(on(2026, 7, 1).factor("u-24tb1.metal"), Some(dec!(448)));
        assert!(editions().iter().all(|edition| edition.source().starts_with("EC2 User Guide")));
    }
}
