//! What a Price List entry is and what a reservation of it covers, for every service, as tables: a service is a row, not code.
//!
//! Sources: user guides of RDS ("Reserved DB instances"), Aurora, ElastiCache and MemoryDB ("Reserved nodes", size flexibility), OpenSearch,
//! Redshift and DynamoDB ("Reserved capacity"), editions read in 2026-06; attribute names as in the Price List.

use super::{EC2, INSTANCE_HOUR, family, regions, size_flexibility};
use crate::catalog::{PoolUnits, RejectionReason};
use crate::units::Units;
use crate::usage::{Provider, Sku};
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// How a service names its nodes.
struct Service {
    code: &'static str,
    /// The attribute that names the thing metered.
    thing: &'static str,
    /// The attributes that make up [`Sku::platform`], in order.
    platform: &'static [Attribute],
}

/// An attribute and the words for its values; a value that is not listed stays as it is, unless `only_listed`.
struct Attribute {
    name: &'static str,
    words: &'static [(&'static str, &'static str)],
    only_listed: bool,
}

const fn plain(name: &'static str) -> Attribute {
    Attribute { name, words: &[("NA", "")], only_listed: false }
}

const SERVICES: [Service; 9] = [
    Service {
        code: "AmazonRDS",
        thing: "instancetype",
        platform: &[
            plain("databaseengine"),
            plain("databaseedition"),
            Attribute {
                name: "licensemodel",
                words: &[("Bring your own license", "BYOL"), ("License included", "licence included")],
                only_listed: true,
            },
            Attribute {
                name: "deploymentoption",
                words: &[("Single-AZ", ""), ("Multi-AZ (readable standbys)", "Multi-AZ cluster"), ("NA", "")],
                only_listed: false,
            },
            Attribute { name: "storage", words: &[("Aurora IO Optimization Mode", "I/O-Optimized")], only_listed: true },
        ],
    },
    Service { code: "AmazonElastiCache", thing: "instancetype", platform: &[plain("cacheengine")] },
    Service { code: "AmazonMemoryDB", thing: "instancetype", platform: &[plain("engine"), plain("cacheengine")] },
    Service { code: "AmazonES", thing: "instancetype", platform: &[] },
    Service { code: "AmazonRedshift", thing: "instancetype", platform: &[] },
    Service { code: "AmazonDocDB", thing: "instancetype", platform: &[plain("volumetype")] },
    Service { code: "AmazonNeptune", thing: "instancetype", platform: &[plain("volumetype")] },
    Service { code: "AmazonDAX", thing: "instancetype", platform: &[] },
    Service { code: "AmazonSageMaker", thing: "instancename", platform: &[plain("component"), plain("platoclassinstancename")] },
];

/// What makes nodes of one family interchangeable.
struct Flexible {
    service: &'static str,
    /// The first part of the platform.
    engine: &'static str,
    /// A part that the platform must have; empty for none.
    requires: &'static str,
    /// The engines whose reservations cover it: its own first, if such are sold.
    covered_by: &'static [&'static str],
    /// What multiplies the size's factor, in tenths.
    tenths: i64,
}

const fn flexible(service: &'static str, engine: &'static str, covered_by: &'static [&'static str], tenths: i64) -> Flexible {
    Flexible { service, engine, requires: "", covered_by, tenths }
}

/// Size-flexible nodes; what is not listed is reserved by exact type.
const FLEXIBLE: [Flexible; 14] = [
    flexible("AmazonRDS", "MySQL", &["MySQL"], 10),
    flexible("AmazonRDS", "MariaDB", &["MariaDB"], 10),
    flexible("AmazonRDS", "PostgreSQL", &["PostgreSQL"], 10),
    flexible("AmazonRDS", "Db2", &["Db2"], 10),
    Flexible { service: "AmazonRDS", engine: "Oracle", requires: "BYOL", covered_by: &["Oracle"], tenths: 10 },
    flexible("AmazonRDS", "Aurora MySQL", &["Aurora MySQL"], 10),
    flexible("AmazonRDS", "Aurora PostgreSQL", &["Aurora PostgreSQL"], 10),
    flexible("AmazonElastiCache", "Redis", &["Redis"], 10),
    flexible("AmazonElastiCache", "Redis OSS", &["Redis"], 10),
    flexible("AmazonElastiCache", "Memcached", &["Memcached"], 10),
    flexible("AmazonElastiCache", "Valkey", &["Valkey", "Redis"], 8),
    flexible("AmazonMemoryDB", "Redis", &["Redis"], 10),
    flexible("AmazonMemoryDB", "Redis OSS", &["Redis"], 10),
    flexible("AmazonMemoryDB", "Valkey", &["Redis"], 7),
];

/// Parts of a platform that need more units instead of making another pool, in tenths.
const MULTIPLIERS: [(&str, i64); 3] = [("Multi-AZ", 20), ("Multi-AZ cluster", 30), ("I/O-Optimized", 13)];

/// Capacity that is sold in blocks: service, what its usage type contains, units in a block.
const BLOCKS: [(&str, &str, i64); 2] =
    [("AmazonDynamoDB", "ReadCapacityUnit-Hrs", 100), ("AmazonDynamoDB", "WriteCapacityUnit-Hrs", 100)];

/// The pools of a SKU of any service, with the normalised units one unit of usage needs there; its own engine's first. By the
/// edition of the normalisation factors that was valid on a day.
#[must_use]
pub fn pools(sku: &Sku, day: Option<NaiveDate>) -> Vec<PoolUnits> {
    if sku.service == EC2 {
        return super::pool(sku, day).into_iter().collect();
    }
    if block(sku).is_some() {
        let pool = format!("aws/{}/{}/{}", sku.service, sku.region, sku.sku);
        return vec![PoolUnits { pool, units: Units::new(Decimal::ONE) }];
    }
    let parts: Vec<&str> = sku.platform.split(", ").collect();
    let rule = FLEXIBLE.iter().find(|rule| {
        rule.service == sku.service && rule.engine == parts[0] && (rule.requires.is_empty() || parts.contains(&rule.requires))
    });
    let (Some(rule), Some(factor)) = (rule, size_flexibility::edition(day).factor(&sku.sku)) else { return Vec::new() };
    let mut units = factor * Decimal::new(rule.tenths, 1);
    let mut kind = String::new();
    for part in &parts[1..] {
        match MULTIPLIERS.iter().find(|(name, _)| name == part) {
            Some((_, tenths)) => units *= Decimal::new(*tenths, 1),
            None => kind.push_str(&format!(", {part}")),
        }
    }
    let place = format!("aws/{}/{}/{}", sku.service, sku.region, family(&sku.sku));
    let units = Units::new(units.normalize());
    rule.covered_by.iter().map(|engine| PoolUnits { pool: format!("{place}/{engine}{kind}"), units }).collect()
}

/// How many units of usage one reservation of this SKU stands for, where it is sold in blocks.
pub(in crate::catalog) fn block(sku: &Sku) -> Option<Decimal> {
    BLOCKS
        .iter()
        .find(|(service, usage, _)| *service == sku.service && regions::without_prefix(&sku.sku) == *usage)
        .map(|(_, _, units)| Decimal::from(*units))
}

/// The SKU of a Price List entry by its attributes; `get` takes their names in lower case without separators.
pub(super) fn sku<'g>(service: &str, unit: &str, get: &dyn Fn(&str) -> &'g str) -> Result<Sku, RejectionReason> {
    let region = match get("regioncode") {
        "" => regions::code(get("location")).unwrap_or(get("location")),
        code => code,
    };
    let build = |thing: &str, platform: String, tenancy: String, unit: &str| Sku {
        provider: Provider::Aws,
        service: service.into(),
        region: region.into(),
        sku: thing.into(),
        platform,
        tenancy,
        unit: unit.into(),
    };
    if service == EC2 && get("productfamily").starts_with("Compute Instance") {
        // Unused slots of a capacity reservation cost what the instance costs; allocated capacity costs nothing.
        if !matches!(get("capacitystatus"), "" | "Used") {
            return Err(RejectionReason::Superseded);
        }
        let tenancy = get("tenancy").to_lowercase();
        if get("instancetype").is_empty() || !matches!(tenancy.as_str(), "shared" | "dedicated" | "host") {
            return Err(RejectionReason::Incomplete);
        }
        let platform = platform(get("operatingsystem"), get("preinstalledsw"), get("licensemodel"));
        return Ok(build(get("instancetype"), platform, tenancy, INSTANCE_HOUR));
    }
    if let Some(row) = SERVICES.iter().find(|row| row.code == service && !get(row.thing).is_empty()) {
        let parts = row.platform.iter().map(|attribute| attribute.word(get(attribute.name)));
        let platform = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        return Ok(build(get(row.thing), platform, String::new(), INSTANCE_HOUR));
    }
    if get("usagetype").is_empty() {
        return Err(RejectionReason::Incomplete);
    }
    Ok(build(get("usagetype"), get("operation").into(), String::new(), unit))
}

impl Attribute {
    fn word<'v>(&self, value: &'v str) -> &'v str {
        match self.words.iter().find(|(from, _)| *from == value) {
            Some((_, to)) => to,
            None if self.only_listed => "",
            None => value,
        }
    }
}

/// The platform of an EC2 entry: operating system and preinstalled database.
fn platform(system: &str, software: &str, licence: &str) -> String {
    let system = match system {
        "Red Hat Enterprise Linux with HA" => "RHEL with HA",
        "Red Hat Enterprise Linux" => "RHEL",
        other => other,
    };
    let database = match software {
        "SQL Std" => Some("SQL Standard"),
        "SQL Web" => Some("SQL Web"),
        "SQL Ent" => Some("SQL Enterprise"),
        _ => None,
    };
    let own_licence = if licence == "Bring your own license" { " BYOL" } else { "" };
    match database {
        Some(database) if system.contains(" with ") => format!("{system} and {database}{own_licence}"),
        Some(database) => format!("{system} with {database}{own_licence}"),
        None => format!("{system}{own_licence}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;
    use test_case::test_case;

    fn node(service: &str, sku: &str, platform: &str) -> Sku {
        Sku { service: service.into(), platform: platform.into(), ..super::super::instance_sku("eu-west-1", sku, "", "") }
    }

    #[test_case("AmazonRDS", "db.t2.small", "MySQL", "db.t2/MySQL", dec!(1))]
    #[test_case("AmazonRDS", "db.t2.small", "MySQL, Multi-AZ", "db.t2/MySQL", dec!(2))]
    #[test_case("AmazonRDS", "db.m6gd.large", "PostgreSQL, Multi-AZ cluster", "db.m6gd/PostgreSQL", dec!(12))]
    #[test_case("AmazonRDS", "db.r6g.large", "Aurora MySQL, I/O-Optimized", "db.r6g/Aurora MySQL", dec!(5.2))]
    #[test_case("AmazonRDS", "db.r5.large", "Oracle, Enterprise, BYOL, Multi-AZ", "db.r5/Oracle, Enterprise, BYOL", dec!(8))]
    #[test_case("AmazonElastiCache", "cache.r7g.4xlarge", "Redis", "cache.r7g/Redis", dec!(32))]
    #[test_case("AmazonElastiCache", "cache.r7g.4xlarge", "Valkey", "cache.r7g/Valkey", dec!(25.6))]
    #[test_case("AmazonMemoryDB", "db.r7g.large", "Valkey", "db.r7g/Redis", dec!(2.8))]
    fn nodes_have_the_units_of_the_guides(service: &str, sku: &str, platform: &str, pool: &str, units: Decimal) {
        let pools = pools(&node(service, sku, platform), None);
        assert_eq!(pools[0].pool, format!("aws/{service}/eu-west-1/{pool}"));
        assert_eq!(pools[0].units.value(), units);
    }

    #[test]
    fn a_redis_reservation_covers_valkey_and_not_the_reverse() {
        let valkey = pools(&node("AmazonElastiCache", "cache.m6g.large", "Valkey"), None);
        let redis = pools(&node("AmazonElastiCache", "cache.m6g.large", "Redis"), None);
        assert!(valkey.iter().any(|pool| pool.pool == redis[0].pool));
        assert_eq!(redis.len(), 1);
    }

    #[test_case("AmazonRDS", "db.r5.large", "SQL Server, Standard, licence included")]
    #[test_case("AmazonRDS", "db.r5.large", "Oracle, Standard Two, licence included")]
    #[test_case("AmazonES", "r6g.large.search", "")]
    #[test_case("AmazonRedshift", "ra3.4xlarge", "")]
    #[test_case("AmazonRDS", "db.serverless", "MySQL")]
    fn the_rest_is_reserved_by_exact_type(service: &str, sku: &str, platform: &str) {
        assert_eq!(pools(&node(service, sku, platform), None), []);
    }

    #[test]
    fn capacity_units_are_sold_by_the_hundred() {
        assert_eq!(block(&node("AmazonDynamoDB", "EUW2-ReadCapacityUnit-Hrs", "")), Some(dec!(100)));
        assert_eq!(block(&node("AmazonDynamoDB", "ReplicatedWriteCapacityUnit-Hrs", "")), None);
    }
}
