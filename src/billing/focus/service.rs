//! What FOCUS asks of a provider and of a service beyond their names: who publishes and invoices, and the category of the service.

use crate::usage::Provider;

/// `ProviderName` of the three, as they write it themselves.
pub(super) fn provider(provider: Provider) -> &'static str {
    match provider {
        Provider::Aws => "AWS",
        Provider::Azure => "Microsoft",
        Provider::Gcp => "Google Cloud",
    }
}

/// `PublisherName` and `InvoiceIssuerName`: the provider itself, since what others sell in its marketplace has no commitments. AWS names the
/// company that sells; its companies in other countries cannot be told from usage.
pub(super) fn publisher(provider: Provider) -> &'static str {
    match provider {
        Provider::Aws => "Amazon Web Services, Inc.",
        Provider::Azure => "Microsoft",
        Provider::Gcp => "Google Cloud",
    }
}

/// The words by which the services that commitments are sold for are told, with their category (FOCUS 1.2, "Service Category"). The first that
/// a service's name contains counts, in small letters.
const CATEGORIES: [(&str, &[&str]); 5] = [
    (
        "AI and Machine Learning",
        &["sagemaker", "bedrock", "machine learning", "openai", "cognitive", "ai services", "vertex", "foundry"],
    ),
    ("Analytics", &["amazones", "opensearch", "databricks", "data explorer", "synapse", "fabric", "bigquery", "dataflow"]),
    (
        "Databases",
        &[
            "rds",
            "elasticache",
            "memorydb",
            "redshift",
            "dynamodb",
            "dax",
            "neptune",
            "docdb",
            "mcs",
            "timestream",
            "aurora",
            "sql",
            "database",
            "cosmos",
            "redis",
            "spanner",
            "bigtable",
            "firestore",
            "memorystore",
            "mariadb",
            "postgres",
        ],
    ),
    (
        "Compute",
        &[
            "ec2",
            "compute",
            "lambda",
            "ecs",
            "eks",
            "virtual machine",
            "app service",
            "container",
            "functions",
            "dedicated host",
            "vmware",
            "kubernetes",
            "cloud run",
            "savings plan",
        ],
    ),
    ("Storage", &["storage", "netapp", "disk", "backup"]),
];

/// `ServiceCategory`: `Other` for a service that no commitment is known for.
pub(super) fn category(service: &str) -> &'static str {
    let name = service.to_lowercase();
    let of = CATEGORIES.iter().find(|(_, words)| words.iter().any(|word| name.contains(word)));
    of.map_or("Other", |(category, _)| category)
}

#[cfg(test)]
mod tests {
    use super::category;
    use test_case::test_case;

    #[test_case("AmazonEC2", "Compute")]
    #[test_case("ComputeSavingsPlans", "Compute"; "plan of AWS")]
    #[test_case("Savings plan", "Compute"; "plan of Azure")]
    #[test_case("Virtual Machines", "Compute"; "machines of Azure")]
    #[test_case("Compute Engine", "Compute"; "machines of Google")]
    #[test_case("AWSLambda", "Compute")]
    #[test_case("AmazonRDS", "Databases")]
    #[test_case("Azure Cosmos DB", "Databases"; "cosmos")]
    #[test_case("Cloud SQL", "Databases"; "cloud sql")]
    #[test_case("AmazonES", "Analytics")]
    #[test_case("AmazonSageMaker", "AI and Machine Learning")]
    #[test_case("Storage", "Storage")]
    #[test_case("AWSSupport", "Other")]
    fn services_have_their_category(service: &str, expected: &str) {
        assert_eq!(category(service), expected);
    }
}
