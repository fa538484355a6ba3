//! From the words of the bill to a SKU as the catalog keys it: region from the usage type's prefix, platform from the operation's billing
//! code, tenancy.

use crate::mapping;
use covermix::catalog::aws::{EC2, instance_sku};
use covermix::usage::{PricingCategory, Provider, Sku, UsageLine};

/// Region prefixes of usage types. No prefix is us-east-1.
///
/// Source: "AWS Region billing codes" (AWS Regions and Availability Zones guide, read 2026-11); older spellings from the S3 and EC2 guides.
const REGIONS: [(&str, &str); 40] = [
    ("USE1", "us-east-1"),
    ("USE2", "us-east-2"),
    ("USW1", "us-west-1"),
    ("USW2", "us-west-2"),
    ("CAN1", "ca-central-1"),
    ("CAN2", "ca-west-1"),
    ("MXC1", "mx-central-1"),
    ("AFS1", "af-south-1"),
    ("CPT", "af-south-1"),
    ("APE1", "ap-east-1"),
    ("APE2", "ap-east-2"),
    ("APN1", "ap-northeast-1"),
    ("APN2", "ap-northeast-2"),
    ("APN3", "ap-northeast-3"),
    ("APS1", "ap-southeast-1"),
    ("APS2", "ap-southeast-2"),
    ("APS3", "ap-south-1"),
    ("APS4", "ap-southeast-3"),
    ("APS5", "ap-south-2"),
    ("APS6", "ap-southeast-4"),
    ("APS7", "ap-southeast-5"),
    ("APS8", "ap-southeast-6"),
    ("APS9", "ap-southeast-7"),
    ("EU", "eu-west-1"),
    ("EUW1", "eu-west-1"),
    ("EUW2", "eu-west-2"),
    ("EUW3", "eu-west-3"),
    ("EUC1", "eu-central-1"),
    ("EUC2", "eu-central-2"),
    ("EUN1", "eu-north-1"),
    ("EUS1", "eu-south-1"),
    ("EUS2", "eu-south-2"),
    ("ILC1", "il-central-1"),
    ("MEC1", "me-central-1"),
    ("MES1", "me-south-1"),
    ("SAE1", "sa-east-1"),
    ("UGE1", "us-gov-east-1"),
    ("UGW1", "us-gov-west-1"),
    ("CNN1", "cn-north-1"),
    ("CNW1", "cn-northwest-1"),
];

/// Billing codes of operations (`RunInstances:0002`) and platforms as the catalog names them.
///
/// Source: EC2 User Guide, "AMI billing information fields". Licences that the customer brings are billed as Linux where the guide puts
/// them under Linux/UNIX (RHEL), and keep a name of their own otherwise.
const PLATFORMS: [(&str, &str); 19] = [
    ("", "Linux"),
    ("00g0", "Linux"),
    ("0002", "Windows"),
    ("0800", "Windows BYOL"),
    ("0006", "Windows with SQL Standard"),
    ("0202", "Windows with SQL Web"),
    ("0102", "Windows with SQL Enterprise"),
    ("0004", "Linux with SQL Standard"),
    ("0200", "Linux with SQL Web"),
    ("0100", "Linux with SQL Enterprise"),
    ("0010", "RHEL"),
    ("0014", "RHEL with SQL Standard"),
    ("0210", "RHEL with SQL Web"),
    ("0110", "RHEL with SQL Enterprise"),
    ("1010", "RHEL with HA"),
    ("1014", "RHEL with HA and SQL Standard"),
    ("1110", "RHEL with HA and SQL Enterprise"),
    ("000g", "SUSE"),
    ("0g00", "Ubuntu Pro"),
];

/// What a line item says about what was used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Words<'a> {
    pub(crate) product: &'a str,
    pub(crate) usage_type: &'a str,
    pub(crate) operation: &'a str,
    /// `product/tenancy`; may be empty.
    pub(crate) tenancy: &'a str,
    /// `product/region`; may be empty.
    pub(crate) region: &'a str,
    pub(crate) availability_zone: &'a str,
    /// Database or cache engine; may be empty.
    pub(crate) engine: &'a str,
    /// `pricing/unit`; may be empty.
    pub(crate) unit: &'a str,
    /// The account that used it.
    pub(crate) account: &'a str,
}

/// The tag, and its value, of unused slots of capacity reservations.
const CAPACITY_TAG: (&str, &str) = ("capacity_reservation", "unused");

/// The usage line of a line item.
pub(super) fn line(words: &mapping::Words<'_>) -> UsageLine {
    let engine = words.get("product_database_engine");
    let words = Words {
        product: words.get("line_item_product_code"),
        usage_type: words.get("line_item_usage_type"),
        operation: words.get("line_item_operation"),
        tenancy: words.get("product_tenancy"),
        region: words.get("product_region"),
        availability_zone: words.get("line_item_availability_zone"),
        engine: if engine.is_empty() { words.get("product_cache_engine") } else { engine },
        unit: words.get("pricing_unit"),
        account: words.get("line_item_usage_account_id"),
    };
    usage_line(words)
}

/// The usage line of what a row says about it.
pub(crate) fn usage_line(words: Words<'_>) -> UsageLine {
    let mut line = UsageLine::new(sku(words), words.account);
    line.availability_zone = words.availability_zone.into();
    if is_unused_capacity(words.usage_type) {
        line.tags.insert(CAPACITY_TAG.0.into(), CAPACITY_TAG.1.into());
    }
    line
}

/// The SKU that a line item is of.
pub(crate) fn sku(words: Words<'_>) -> Sku {
    let (region, usage_type) = region(&words);
    if words.product == EC2 {
        let (kind, instance_type) = usage_type.split_once(':').unwrap_or((usage_type, FIRST_INSTANCE_TYPE));
        return instance_sku(&region, instance_type, platform(words.operation), tenancy(kind, words.tenancy));
    }
    let platform = if words.engine.is_empty() { words.operation } else { words.engine };
    Sku {
        provider: Provider::Aws,
        service: words.product.into(),
        region,
        sku: usage_type.into(),
        platform: platform.into(),
        tenancy: String::new(),
        unit: words.unit.into(),
    }
}

/// A usage type without instance type is of the first type there was.
const FIRST_INSTANCE_TYPE: &str = "m1.small";

/// The region, and the usage type without its prefix. A prefix that the table does not know (a Local Zone's) leaves the region to
/// `product/region`, then to the availability zone.
fn region<'a>(words: &Words<'a>) -> (String, &'a str) {
    let (prefixes, usage_type) = split_prefixes(words.usage_type);
    let known = |prefix: &str| REGIONS.iter().find(|(code, _)| *code == prefix).map(|(_, region)| *region);
    let region = match prefixes.as_slice() {
        [] => Some("us-east-1"),
        [prefix] => known(prefix),
        // `USW2-LAX1-BoxUsage:t3.medium`: a zone of its own prices.
        _ => None,
    };
    let region = region.map(str::to_owned).unwrap_or_else(|| {
        let zone = words.availability_zone.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        let of_prefix = prefixes.first().copied().and_then(known).unwrap_or_default();
        [words.region, zone, of_prefix].into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned()
    });
    (region, usage_type)
}

/// Prefixes such as `EUW2` or `USW2`, `LAX1`, and what follows them.
fn split_prefixes(usage_type: &str) -> (Vec<&str>, &str) {
    let mut prefixes = Vec::new();
    let mut rest = usage_type;
    while let Some((prefix, after)) = rest.split_once('-') {
        let letters = prefix.trim_end_matches(|digit: char| digit.is_ascii_digit());
        let is_code = (2..=4).contains(&letters.len()) && letters.bytes().all(|letter| letter.is_ascii_uppercase());
        let is_prefix = is_code && (letters.len() < prefix.len() || REGIONS.iter().any(|(code, _)| *code == prefix));
        if !is_prefix || after.is_empty() {
            break;
        }
        prefixes.push(prefix);
        rest = after;
    }
    (prefixes, rest)
}

/// The platform that an operation's billing code stands for; spot operations carry a market's code (`SV001`) after it. A code that the
/// table does not have keeps the operation as its name.
pub(super) fn platform(operation: &str) -> &str {
    let mut parts = operation.split(':').skip(1).filter(|part| !part.starts_with("SV"));
    let code = parts.next().unwrap_or("");
    PLATFORMS.iter().find(|(known, _)| *known == code).map_or(operation, |(_, platform)| *platform)
}

/// The tenancy: as the product says, else as the usage type does.
fn tenancy(kind: &str, product_tenancy: &str) -> &'static str {
    match product_tenancy.to_ascii_lowercase().as_str() {
        "shared" => "shared",
        "dedicated" => "dedicated",
        "host" => "host",
        _ if kind.starts_with("Dedicated") || kind == "UnusedDed" => "dedicated",
        _ => "shared",
    }
}

/// The usage type of a line's rows: the way back from [`sku`].
pub(crate) fn usage_type(line: &UsageLine) -> String {
    let code = REGIONS.iter().find(|(_, region)| *region == line.sku.region).map(|(code, _)| *code);
    let prefix = match code {
        _ if line.sku.region == "us-east-1" || line.sku.region.is_empty() => String::new(),
        Some(code) => format!("{code}-"),
        None => format!("{}-", line.sku.region),
    };
    if line.sku.service != EC2 {
        return format!("{prefix}{}", line.sku.sku);
    }
    let is_unused = line.tags.get(CAPACITY_TAG.0).is_some_and(|value| value == CAPACITY_TAG.1);
    let kind = match (line.pricing, line.sku.tenancy.as_str(), is_unused) {
        (PricingCategory::Spot, ..) => "SpotUsage",
        (_, "dedicated", true) => "UnusedDed",
        (_, _, true) => "UnusedBox",
        (_, "dedicated", false) => "DedicatedUsage",
        _ => "BoxUsage",
    };
    format!("{prefix}{kind}:{}", line.sku.sku)
}

/// The operation of a platform: the way back from [`platform`].
pub(crate) fn operation(platform: &str) -> String {
    match PLATFORMS.iter().find(|(_, known)| *known == platform) {
        Some(("", _)) => "RunInstances".into(),
        Some((code, _)) => format!("RunInstances:{code}"),
        None => platform.to_owned(),
    }
}

/// Whether a usage type is of unused slots of a capacity reservation.
fn is_unused_capacity(usage_type: &str) -> bool {
    let (_, usage_type) = split_prefixes(usage_type);
    usage_type.starts_with("UnusedBox") || usage_type.starts_with("UnusedDed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(usage_type: &str, operation: &str, tenancy: &str) -> String {
        sku(Words { product: EC2, usage_type, operation, tenancy, ..Words::default() }).to_string()
    }

    #[test]
    fn instances_are_keyed_as_the_catalog_does() {
        for (usage_type, operation, tenancy, expected) in [
            ("BoxUsage:t2.micro", "RunInstances", "Shared", "us-east-1/t2.micro/Linux/shared"),
            ("BoxUsage", "RunInstances", "", "us-east-1/m1.small/Linux/shared"),
            ("EU-BoxUsage:m5.large", "RunInstances:0002", "", "eu-west-1/m5.large/Windows/shared"),
            ("APS9-BoxUsage:m5.large", "RunInstances:000g", "", "ap-southeast-7/m5.large/SUSE/shared"),
            ("EUC1-DedicatedUsage:c5.xlarge", "RunInstances:0010", "", "eu-central-1/c5.xlarge/RHEL/dedicated"),
            (
                "USW2-BoxUsage:c5.xlarge",
                "RunInstances:0006",
                "Dedicated",
                "us-west-2/c5.xlarge/Windows with SQL Standard/dedicated",
            ),
            ("APS2-SpotUsage:t2.micro", "RunInstances:SV062", "", "ap-southeast-2/t2.micro/Linux/shared"),
            ("SpotUsage:t2.micro", "RunInstances:0002:SV062", "", "us-east-1/t2.micro/Windows/shared"),
            (
                "UnusedBox:u-6tb1.112xlarge",
                "RunInstances:1014",
                "",
                "us-east-1/u-6tb1.112xlarge/RHEL with HA and SQL Standard/shared",
            ),
        ] {
            assert_eq!(key(usage_type, operation, tenancy), format!("aws/AmazonEC2/{expected}/instance-hour"));
        }
    }

    #[test]
    fn an_unknown_prefix_leaves_the_region_to_other_columns() {
        let words =
            Words { product: EC2, usage_type: "USW2-LAX1-BoxUsage:t3.medium", operation: "RunInstances", ..Words::default() };
        assert_eq!(sku(words).region, "us-west-2");
        assert_eq!(sku(Words { region: "us-west-2-lax-1", ..words }).region, "us-west-2-lax-1");
        let words = Words { usage_type: "XYZ7-BoxUsage:t3.medium", availability_zone: "xy-west-7b", ..words };
        assert_eq!((sku(words).region.as_str(), sku(words).sku.as_str()), ("xy-west-7", "t3.medium"));
    }

    #[test]
    fn other_services_keep_their_usage_type() {
        let words = Words {
            product: "AmazonRDS",
            usage_type: "EUW2-Multi-AZUsage:db.m4.large",
            operation: "CreateDBInstance:0018",
            engine: "MariaDB",
            unit: "Hrs",
            ..Words::default()
        };
        assert_eq!(sku(words).to_string(), "aws/AmazonRDS/eu-west-2/Multi-AZUsage:db.m4.large/MariaDB/Hrs");
    }
}
