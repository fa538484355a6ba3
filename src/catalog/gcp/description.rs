//! What a SKU of the Cloud Billing Catalog is, read off its description: there is no other key between `N2 Instance Core running in
//! Americas` and `Commitment v1: N2 Cpu in Americas for 1 Year`. A table of overrides comes first, for descriptions that do not follow
//! the rules.

use super::Resource;
use std::collections::BTreeMap;

/// A resource of a series, on which on-demand, spot and commitment SKUs meet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The series; empty for GPUs and the common local SSD.
    pub series: String,
    /// The resource.
    pub resource: Resource,
}

/// Subjects by description, for SKUs whose description does not tell or tells wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    by_start: BTreeMap<String, Option<Subject>>,
}

impl Overrides {
    /// A table without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Descriptions that start with this text are of this subject; of none, to leave them as they are named.
    #[must_use]
    pub fn with(mut self, start: impl Into<String>, subject: Option<Subject>) -> Self {
        self.by_start.insert(start.into(), subject);
        self
    }

    /// The entry with the longest start that a description has.
    fn get(&self, description: &str) -> Option<&Option<Subject>> {
        let found = self.by_start.iter().filter(|(start, _)| description.starts_with(start.as_str()));
        found.max_by_key(|(start, _)| start.len()).map(|(_, subject)| subject)
    }
}

/// What a description is about; `None` for what is neither vCPU, memory, GPU nor local SSD, or is a thing of its own (sole tenancy,
/// premiums, licences, reservations).
#[must_use]
pub fn subject(description: &str, overrides: &Overrides) -> Option<Subject> {
    if let Some(subject) = overrides.get(description) {
        return subject.clone();
    }
    let is_apart = ["Sole Tenancy", "Premium", "Licensing", "Reserved", "Calendar Mode", "DWS", "Custom Extended"];
    if is_apart.iter().any(|word| description.contains(word)) {
        return None;
    }
    let body = description.strip_prefix("Commitment v1: ").or_else(|| description.strip_prefix("Commitment: "));
    let body = body.unwrap_or(description);
    let body = body.strip_prefix("Spot Preemptible ").or_else(|| body.strip_prefix("Preemptible ")).unwrap_or(body);
    let cut = [" running in ", " running", " attached to ", " in "].iter().filter_map(|word| body.find(word)).min();
    let name = &body[..cut.unwrap_or(body.len())];
    if name == "SSD backed Local Storage" || name == "Local SSD" {
        return Some(Subject { series: String::new(), resource: Resource::LocalSsd });
    }
    if let Some(series) = name.strip_suffix(" Instance Local SSD").or_else(|| name.strip_suffix(" Local SSD")) {
        return Some(Subject { series: series.to_owned(), resource: Resource::LocalSsd });
    }
    if let Some(model) = gpu(name) {
        return Some(Subject { series: String::new(), resource: Resource::Gpu(model) });
    }
    let (series, resource) = match name.rsplit_once(' ').unwrap_or(("", name)) {
        (series, "Core" | "Cpu" | "CPU") => (series, Resource::Cpu),
        (series, "Ram" | "RAM") => (series, Resource::Memory),
        _ => return None,
    };
    let words: Vec<&str> =
        series.split(' ').filter(|word| !matches!(*word, "" | "Instance" | "Predefined" | "AMD" | "Arm" | "Custom")).collect();
    let series = match words.as_slice() {
        [] => "N1",
        ["Compute", "optimized"] => "C2",
        ["Memory-optimized"] => "M1",
        [series, "Memory-optimized"] | [series] => series,
        _ => return None,
    };
    let is_custom = description.contains("Custom ");
    Some(Subject { series: if is_custom { format!("{series} custom") } else { series.to_owned() }, resource })
}

/// The GPU model in a name, as price lists of machine types call it: `Nvidia Tesla A100 80GB GPU` is `A100-80GB`.
fn gpu(name: &str) -> Option<String> {
    if name == "RTX 6000 96GB" {
        return Some("RTX6000".into());
    }
    let model = name.strip_prefix("Nvidia ")?;
    let model = model.strip_prefix("Tesla ").unwrap_or(model);
    let model = model.strip_suffix(" GPU").unwrap_or(model);
    Some(model.to_uppercase().replace(' ', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("N2 Instance Core running in Americas", "N2 vCPU")]
    #[test_case("Commitment v1: N2 Cpu in Americas for 1 Year", "N2 vCPU")]
    #[test_case("Spot Preemptible N2 Instance Ram running in Frankfurt", "N2 memory")]
    #[test_case("Commitment v1: Cpu in Americas for 3 Year", "N1 vCPU")]
    #[test_case("N1 Predefined Instance Ram running in Americas", "N1 memory")]
    #[test_case("Custom Instance Core running in Americas", "N1 custom vCPU")]
    #[test_case("N2D AMD Custom Instance Core running in Americas", "N2D custom vCPU")]
    #[test_case("Compute optimized Core running in Americas", "C2 vCPU")]
    #[test_case("Commitment: Compute optimized Ram in Americas for 1 Year", "C2 memory")]
    #[test_case("Memory-optimized Instance Core running in Americas", "M1 vCPU")]
    #[test_case("Commitment v1: M3 Memory-optimized Ram in Iowa for 3 Year", "M3 memory")]
    #[test_case("Commitment v1: C4A Arm Cpu in Iowa for 1 Year", "C4A vCPU")]
    #[test_case("Nvidia Tesla A100 GPU running in Americas", " A100 GPU")]
    #[test_case("Nvidia Tesla A100 80GB GPU attached to Spot Preemptible VMs running in Iowa", " A100-80GB GPU")]
    #[test_case("Commitment v1: Nvidia L4 GPU in Americas for 1 Year", " L4 GPU")]
    #[test_case("RTX 6000 96GB running in Iowa", " RTX6000 GPU")]
    #[test_case("SSD backed Local Storage in Iowa", " local SSD")]
    #[test_case("Commitment v1: C4 Local SSD in Iowa for 3 Years", "C4 local SSD")]
    #[test_case("Commitment v1: M4Ultramem224 Cpu in Iowa for 1 Year", "M4Ultramem224 vCPU")]
    fn descriptions_are_understood(description: &str, expected: &str) {
        let subject = subject(description, &Overrides::new()).unwrap();
        assert_eq!(format!("{} {}", subject.series, subject.resource), expected);
    }

    #[test_case("Storage PD Snapshot in Iowa")]
    #[test_case("Memory Optimized Upgrade Premium for Memory-optimized Instance Core running in Americas")]
    #[test_case("Network Internet Data Transfer Out from Americas to China")]
    #[test_case("Licensing Fee for SUSE Linux Enterprise Server 15 (CPU cost)")]
    #[test_case("N2 Sole Tenancy Instance Core running in Iowa")]
    fn other_things_are_left(description: &str) {
        assert_eq!(subject(description, &Overrides::new()), None);
    }

    #[test]
    fn overrides_come_first() {
        let odd = Subject { series: "M3".into(), resource: Resource::Cpu };
        let overrides = Overrides::new().with("Odd", None).with("Odd one", Some(odd.clone()));
        assert_eq!(subject("Odd one in Iowa", &overrides), Some(odd));
        assert_eq!(subject("Odd Core in Iowa", &overrides), None);
    }
}
