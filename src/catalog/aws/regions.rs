//! Regions of AWS: their long names in price lists, and the prefixes of usage types.
//!
//! Names as in the Price List and its public region table (2025-12); old lists write `EU (...)` where new ones write `Europe (...)`.

use super::{EC2, instance_sku};
use crate::usage::Sku;

/// Region code and long name.
const NAMES: [(&str, &str); 38] = [
    ("us-east-1", "US East (N. Virginia)"),
    ("us-east-2", "US East (Ohio)"),
    ("us-west-1", "US West (N. California)"),
    ("us-west-2", "US West (Oregon)"),
    ("us-gov-west-1", "AWS GovCloud (US-West)"),
    ("us-gov-west-1", "AWS GovCloud (US)"),
    ("us-gov-east-1", "AWS GovCloud (US-East)"),
    ("af-south-1", "Africa (Cape Town)"),
    ("ap-east-1", "Asia Pacific (Hong Kong)"),
    ("ap-east-2", "Asia Pacific (Taipei)"),
    ("ap-south-1", "Asia Pacific (Mumbai)"),
    ("ap-south-2", "Asia Pacific (Hyderabad)"),
    ("ap-northeast-1", "Asia Pacific (Tokyo)"),
    ("ap-northeast-2", "Asia Pacific (Seoul)"),
    ("ap-northeast-3", "Asia Pacific (Osaka)"),
    ("ap-northeast-3", "Asia Pacific (Osaka-Local)"),
    ("ap-southeast-1", "Asia Pacific (Singapore)"),
    ("ap-southeast-2", "Asia Pacific (Sydney)"),
    ("ap-southeast-3", "Asia Pacific (Jakarta)"),
    ("ap-southeast-4", "Asia Pacific (Melbourne)"),
    ("ap-southeast-5", "Asia Pacific (Malaysia)"),
    ("ap-southeast-6", "Asia Pacific (New Zealand)"),
    ("ap-southeast-7", "Asia Pacific (Thailand)"),
    ("ca-central-1", "Canada (Central)"),
    ("ca-west-1", "Canada West (Calgary)"),
    ("cn-north-1", "China (Beijing)"),
    ("cn-northwest-1", "China (Ningxia)"),
    ("eu-central-1", "EU (Frankfurt)"),
    ("eu-central-2", "EU (Zurich)"),
    ("eu-north-1", "EU (Stockholm)"),
    ("eu-south-1", "EU (Milan)"),
    ("eu-south-2", "EU (Spain)"),
    ("eu-west-1", "EU (Ireland)"),
    ("eu-west-2", "EU (London)"),
    ("eu-west-3", "EU (Paris)"),
    ("il-central-1", "Israel (Tel Aviv)"),
    ("me-central-1", "Middle East (UAE)"),
    ("me-south-1", "Middle East (Bahrain)"),
];

/// Names that do not fit the table above.
const MORE_NAMES: [(&str, &str); 2] = [("sa-east-1", "South America (Sao Paulo)"), ("mx-central-1", "Mexico (Central)")];

/// The first letters of usage-type prefixes: `USE2-`, `EUW2-`, `EU-`, `APS3-`, `UGW1-`.
const PREFIX_AREAS: [&str; 11] = ["AF", "AP", "CA", "CN", "EU", "IL", "ME", "MX", "SA", "UG", "US"];

/// The code of a region by its long name.
#[must_use]
pub fn code(name: &str) -> Option<&'static str> {
    let old = name.strip_prefix("Europe ").map(|place| format!("EU {place}"));
    let name = old.as_deref().unwrap_or(name);
    NAMES.iter().chain(&MORE_NAMES).find(|(_, long)| *long == name).map(|(code, _)| *code)
}

/// A usage type without the prefix of its region.
#[must_use]
pub fn without_prefix(usage_type: &str) -> &str {
    match usage_type.split_once('-') {
        Some((prefix, rest)) if is_prefix(prefix) => rest,
        _ => usage_type,
    }
}

fn is_prefix(text: &str) -> bool {
    let Some((area, rest)) = text.split_at_checked(2) else { return false };
    let letters = rest.trim_end_matches(|c: char| c.is_ascii_digit());
    PREFIX_AREAS.contains(&area) && rest.len() <= 3 && letters.len() <= 2 && letters.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Platforms by the code in an EC2 operation (EC2 User Guide, "AMI billing information fields").
const OPERATIONS: [(&str, &str); 19] = [
    ("", "Linux"),
    ("0002", "Windows"),
    ("0010", "RHEL"),
    ("000g", "SUSE"),
    ("0006", "Windows with SQL Standard"),
    ("0102", "Windows with SQL Enterprise"),
    ("0202", "Windows with SQL Web"),
    ("0004", "Linux with SQL Standard"),
    ("0100", "Linux with SQL Enterprise"),
    ("0200", "Linux with SQL Web"),
    ("0014", "RHEL with SQL Standard"),
    ("0110", "RHEL with SQL Enterprise"),
    ("0210", "RHEL with SQL Web"),
    ("0800", "Windows BYOL"),
    ("1010", "RHEL with HA"),
    ("1014", "RHEL with HA and SQL Standard"),
    ("1110", "RHEL with HA and SQL Enterprise"),
    ("0g00", "Ubuntu Pro"),
    ("00g0", "RHEL BYOL"),
];

/// The instance that an EC2 usage type and operation stand for: `EUW2-BoxUsage:m5.large` and `RunInstances:0002`. `None` for usage
/// that is no running instance.
#[must_use]
pub fn instance(service: &str, region: &str, usage_type: &str, operation: &str) -> Option<Sku> {
    if service != EC2 {
        return None;
    }
    let (kind, instance_type) = without_prefix(usage_type).split_once(':')?;
    let tenancy = match kind {
        "BoxUsage" => "shared",
        "DedicatedUsage" => "dedicated",
        "HostBoxUsage" => "host",
        _ => return None,
    };
    let code = operation.strip_prefix("RunInstances")?.trim_start_matches(':');
    let (_, platform) = OPERATIONS.iter().find(|(operation, _)| *operation == code)?;
    Some(instance_sku(region, instance_type, platform, tenancy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_known_by_old_and_new_names() {
        assert_eq!(code("EU (Ireland)"), Some("eu-west-1"));
        assert_eq!(code("Europe (Ireland)"), Some("eu-west-1"));
        assert_eq!(code("South America (Sao Paulo)"), Some("sa-east-1"));
        assert_eq!(code("Atlantis"), None);
    }

    #[test]
    fn usage_types_lose_only_region_prefixes() {
        for (usage_type, bare) in [
            ("EUW2-BoxUsage:m5.large", "BoxUsage:m5.large"),
            ("EU-HeavyUsage:t2.micro", "HeavyUsage:t2.micro"),
            ("UGE1-ReadCapacityUnit-Hrs", "ReadCapacityUnit-Hrs"),
            ("ReadCapacityUnit-Hrs", "ReadCapacityUnit-Hrs"),
            ("EBS-Optimized", "EBS-Optimized"),
        ] {
            assert_eq!(without_prefix(usage_type), bare);
        }
    }

    #[test]
    fn operations_tell_the_platform() {
        let sku = instance(EC2, "eu-west-2", "EUW2-BoxUsage:m5.large", "RunInstances:0006").unwrap();
        assert_eq!((sku.sku.as_str(), sku.platform.as_str()), ("m5.large", "Windows with SQL Standard"));
        assert!(instance(EC2, "eu-west-2", "EUW2-UnusedBox:m5.large", "RunInstances").is_none());
        assert!(instance(EC2, "eu-west-2", "BoxUsage:m5.large", "RunInstances:ffff").is_none());
    }
}
