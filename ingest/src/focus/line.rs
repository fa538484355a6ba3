//! Usage lines of FOCUS rows: by the provider's own columns where they are there, else by instance type and operating system, else by the SKU.

use crate::aws::sku::{Words as AwsWords, usage_line};
use crate::mapping::Words;
use covermix::catalog::aws::{EC2, instance_sku};
use covermix::catalog::gcp::description::{Overrides, subject};
use covermix::catalog::{azure, gcp};
use covermix::usage::{Provider, Sku, UsageLine};

/// The provider that a name is of.
pub(crate) fn provider(name: &str) -> Provider {
    let name = name.to_ascii_lowercase();
    if name.contains("microsoft") || name.contains("azure") {
        Provider::Azure
    } else if name.contains("google") || name.contains("gcp") {
        Provider::Gcp
    } else {
        Provider::Aws
    }
}

/// The usage line of a row.
pub(super) fn line(words: &Words<'_>) -> UsageLine {
    let provider = provider(words.get("provider"));
    let instance_type = words.get("instance_type");
    let mut line = match provider {
        Provider::Aws if !words.get("x_usage_type").is_empty() => usage_line(AwsWords {
            product: words.get("x_service_code"),
            usage_type: words.get("x_usage_type"),
            operation: words.get("x_operation"),
            tenancy: words.get("x_tenancy"),
            region: words.get("region_id"),
            availability_zone: words.get("availability_zone"),
            engine: "",
            unit: words.get("unit"),
            account: words.get("account"),
        }),
        Provider::Aws if !instance_type.is_empty() && is_ec2(words.get("service_name")) => {
            let tenancy = if words.get("x_tenancy").is_empty() { "shared".into() } else { words.get("x_tenancy").to_lowercase() };
            let platform = platform(words.get("operating_system"), "Linux");
            UsageLine::new(instance_sku(words.get("region_id"), instance_type, &platform, &tenancy), words.get("account"))
        }
        Provider::Azure if !instance_type.is_empty() && words.get("service_name").contains("Virtual Machines") => {
            let platform = platform(words.get("operating_system"), azure::LINUX);
            let region = crate::azure::region(words.get("region_id"));
            UsageLine::new(azure::machine_sku(&region, instance_type, &platform), words.get("account"))
        }
        Provider::Gcp => UsageLine::new(google(words), words.get("account")),
        _ => UsageLine::new(other(words, provider), words.get("account")),
    };
    line.availability_zone = words.get("availability_zone").into();
    if words.get("capacity_status") == "Unused" {
        line.tags.insert("capacity_reservation".into(), "unused".into());
    }
    line
}

fn is_ec2(service: &str) -> bool {
    service == EC2 || service.contains("Elastic Compute Cloud")
}

/// An operating system as catalogs name platforms.
fn platform(system: &str, otherwise: &str) -> String {
    match system.to_ascii_lowercase().as_str() {
        "" | "na" | "linux" | "canonical" | "linux/unix" | "generic" => otherwise.to_owned(),
        text if text == "windows" || text.starts_with("windows server") => "Windows".to_owned(),
        "rhel" | "red hat enterprise linux" => "RHEL".to_owned(),
        "suse" | "suse linux" => "SUSE".to_owned(),
        _ => system.to_owned(),
    }
}

/// A resource of Compute Engine by the meter's description; anything else as it is named.
fn google(words: &Words<'_>) -> Sku {
    let meter = if words.get("sku_meter").is_empty() { words.get("sku_id") } else { words.get("sku_meter") };
    match subject(meter, &Overrides::new()) {
        Some(subject) if words.get("service_name") == gcp::COMPUTE_ENGINE => {
            gcp::resource_sku(words.get("region_id"), &subject.series, &subject.resource)
        }
        _ => other(words, Provider::Gcp),
    }
}

fn other(words: &Words<'_>, provider: Provider) -> Sku {
    let instance_type = words.get("instance_type");
    Sku {
        provider,
        service: words.get("service_name").into(),
        region: words.get("region_id").into(),
        sku: if instance_type.is_empty() { words.get("sku_id") } else { instance_type }.into(),
        platform: words.get("operating_system").into(),
        tenancy: words.get("x_tenancy").into(),
        unit: words.get("unit").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sku(pairs: &[(&'static str, &'static str)]) -> String {
        let names: &'static [&'static str] = crate::focus::MAPPING.words;
        let values =
            names.iter().map(|name| pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| *value)).collect();
        line(&Words { names, values }).sku.to_string()
    }

    #[test]
    fn skus_are_as_exact_as_the_columns_allow() {
        assert_eq!(
            sku(&[
                ("provider", "AWS"),
                ("x_service_code", "AmazonEC2"),
                ("x_usage_type", "EUW1-BoxUsage:m5.large"),
                ("x_operation", "RunInstances:0002")
            ]),
            "aws/AmazonEC2/eu-west-1/m5.large/Windows/shared/instance-hour"
        );
        assert_eq!(
            sku(&[
                ("provider", "AWS"),
                ("service_name", "Amazon Elastic Compute Cloud"),
                ("instance_type", "m5.large"),
                ("region_id", "eu-west-1")
            ]),
            "aws/AmazonEC2/eu-west-1/m5.large/Linux/shared/instance-hour"
        );
        assert_eq!(
            sku(&[
                ("provider", "Microsoft"),
                ("service_name", "Virtual Machines"),
                ("instance_type", "Standard_D4s_v5"),
                ("region_id", "westeurope"),
                ("operating_system", "Windows Server BYOL")
            ]),
            "azure/Virtual Machines/westeurope/Standard_D4s_v5/Windows/shared/instance-hour"
        );
        assert_eq!(
            sku(&[
                ("provider", "Google Cloud"),
                ("service_name", "Compute Engine"),
                ("sku_meter", "N2 Instance Core running in Americas"),
                ("region_id", "us-central1")
            ]),
            "gcp/Compute Engine/us-central1/N2 vCPU/vCPU-hour"
        );
    }
}
