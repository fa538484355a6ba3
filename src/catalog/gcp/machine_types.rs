//! Google's machine types: how many vCPU, how much memory, which GPUs and how much local SSD each has. Read from a table of machine
//! types (`NAME;CPUS;SHARED_CPU;MEMORY_GB;DEPRECATED;ZONE`, as `gcloud compute machine-types list` gives it) or from the
//! specification of a price calculator (YAML, `compute.instance.{type}.{cpu, ram, a100, local-ssd}`).

use super::{Resource, resource_sku};
use crate::catalog::parts::Part;
use crate::error::{Error, Problem, Result};
use crate::files;
use crate::units::to_decimal;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

/// What a machine type has.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineType {
    /// The series: `N2`, `N1 custom`.
    pub series: String,
    /// The quantity of each resource: vCPU (a fraction for shared-core types), GiB, GPUs, GiB of local SSD.
    pub resources: BTreeMap<Resource, Decimal>,
}

/// A table of machine types.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MachineTypes {
    types: BTreeMap<String, MachineType>,
    /// Of each series, what all its types have in the same proportion to vCPU.
    bundles: BTreeMap<String, BTreeSet<Resource>>,
}

impl MachineTypes {
    /// Reads a table in either format, plain or gzip.
    ///
    /// # Errors
    /// Not a file; another shape; a quantity that is not a number, with file and machine type.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let mut text = String::new();
        files::open(path, "machine type")?.read_to_string(&mut text).map_err(|error| files::input_output(path, error))?;
        let is_table = text.trim_start_matches('\u{feff}').starts_with("NAME;");
        let read = if is_table { Self::from_csv(&text) } else { Self::from_yaml(&text) };
        read.map_err(|error| error.in_file(path))
    }

    /// Reads the table with columns `NAME`, `CPUS` and `MEMORY_GB`, separated by semicolons. It knows no GPU and no local SSD, so types
    /// that may have them (A, G, and names with `lssd`) are left out: their vCPU and memory are not the whole machine.
    ///
    /// # Errors
    /// [`Problem::Malformed`] with the line; [`Problem::Empty`] without a type.
    pub fn from_csv(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Record {
            #[serde(rename = "NAME")]
            name: String,
            #[serde(rename = "CPUS")]
            cpus: Decimal,
            #[serde(rename = "SHARED_CPU")]
            shared: String,
            #[serde(rename = "MEMORY_GB")]
            memory: Decimal,
        }
        let expected = "a table of machine types (NAME;CPUS;SHARED_CPU;MEMORY_GB)";
        let mut types = BTreeMap::new();
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        for record in reader.deserialize::<Record>() {
            let record = record.map_err(|error| {
                let line = error.position().map_or(1, csv::Position::line);
                Error::from(Problem::Malformed { expected }).at_line(line).caused_by(error)
            })?;
            let has_more = record.name.starts_with(['a', 'g']) || record.name.contains("lssd") || record.name.starts_with("z3");
            // Shared-core types are metered as a fraction of a vCPU that this table does not have.
            if has_more || record.shared.eq_ignore_ascii_case("true") || record.cpus.is_zero() {
                continue;
            }
            let resources = [(Resource::Cpu, record.cpus), (Resource::Memory, record.memory.normalize())].into();
            types.insert(record.name.clone(), MachineType { series: series(&record.name), resources });
        }
        Self::new(types)
    }

    /// Reads the specification in YAML.
    ///
    /// # Errors
    /// [`Problem::Malformed`] with the line; [`Problem::Value`] for a quantity that is not above 0; [`Problem::Empty`] without a type.
    pub fn from_yaml(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Document {
            compute: Compute,
        }
        #[derive(Deserialize)]
        struct Compute {
            instance: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
        }
        let document: Document = yaml(text, "machine types (YAML with `compute.instance`)")?;
        let mut types = BTreeMap::new();
        for (name, fields) in document.compute.instance {
            let resources = resources(fields.iter()).map_err(|error| error.in_item(name.clone()))?;
            types.insert(name.clone(), MachineType { series: series(&name), resources });
        }
        Self::new(types)
    }

    pub(super) fn new(types: BTreeMap<String, MachineType>) -> Result<Self> {
        if types.is_empty() {
            return Err(Problem::Empty { what: "machine type" }.into());
        }
        let mut by_series: BTreeMap<&str, Vec<&MachineType>> = BTreeMap::new();
        for machine in types.values() {
            by_series.entry(&machine.series).or_default().push(machine);
        }
        let bundles = by_series.into_iter().map(|(series, machines)| (series.to_owned(), proportional(&machines))).collect();
        Ok(Self { types, bundles })
    }

    /// A machine type by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&MachineType> {
        self.types.get(name)
    }

    /// All machine types, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &MachineType)> {
        self.types.iter().map(|(name, machine)| (name.as_str(), machine))
    }

    /// The resources of a machine type as they can be priced, with their quantities: what all types of the series have in proportion is
    /// one resource.
    #[must_use]
    pub fn resources(&self, name: &str) -> Option<(&str, Vec<(Resource, Decimal)>)> {
        let machine = self.types.get(name)?;
        let bundle = self.bundles.get(&machine.series).filter(|bundle| !bundle.is_empty());
        let is_bundled = |resource: &Resource| bundle.is_some_and(|bundle| bundle.contains(resource));
        let resources = machine.resources.iter().filter(|(resource, _)| !is_bundled(resource)).map(|(resource, quantity)| {
            let resource = match (resource, bundle) {
                (Resource::Cpu, Some(bundle)) => Resource::CpuBundle(bundle.clone()),
                _ => resource.clone(),
            };
            (resource, *quantity)
        });
        Some((&machine.series, resources.collect()))
    }

    /// The SKUs that a machine is made of, in a region. M2 machines are M1 resources with an upgrade premium on each.
    pub(super) fn parts(&self, region: &str, name: &str) -> Option<Vec<Part>> {
        let (series, resources) = self.resources(name)?;
        let part = |series: &str, (resource, quantity): &(Resource, Decimal)| Part {
            sku: resource_sku(region, series, resource),
            quantity: *quantity,
        };
        if series == "M2" {
            let both = resources.iter().flat_map(|resource| [part("M1", resource), part(M2_PREMIUM, resource)]);
            return Some(both.collect());
        }
        Some(resources.iter().map(|resource| part(series, resource)).collect())
    }
}

/// The series name of the premium that M2 machines cost over M1 resources; no commitment covers it.
pub(super) const M2_PREMIUM: &str = "M2 upgrade premium";

/// The series of a machine type: all before the first dash, in capitals. Types that are priced apart are series of their own.
#[must_use]
pub fn series(machine_type: &str) -> String {
    match machine_type {
        name if name.starts_with("custom-") => "N1 custom".into(),
        "m4-ultramem-224" => "M4Ultramem224".into(),
        name => name.split('-').next().unwrap_or(name).to_uppercase(),
    }
}

/// The quantities in a machine type's fields; fields that are no resource (`cost`, `type`, `bandwidth`) are passed over.
pub(super) fn resources<'a>(
    fields: impl Iterator<Item = (&'a String, &'a serde_json::Value)>,
) -> Result<BTreeMap<Resource, Decimal>> {
    let mut resources = BTreeMap::new();
    for (field, value) in fields {
        let resource = match field.as_str() {
            "cost" | "type" | "bandwidth" | "tier1" => continue,
            "cpu" => Resource::Cpu,
            "ram" => Resource::Memory,
            "local-ssd" | "local" => Resource::LocalSsd,
            model => Resource::Gpu(model.to_uppercase()),
        };
        let quantity = value.as_f64().and_then(to_decimal).filter(|quantity| *quantity > Decimal::ZERO).ok_or_else(|| {
            let problem = Problem::Value { value: value.to_string(), expected: "a quantity above 0" };
            Error::from(problem).in_field(field.clone())
        })?;
        resources.insert(resource, quantity.normalize());
    }
    Ok(resources)
}

/// The resources that all machines have in the same proportion to vCPU.
fn proportional(machines: &[&MachineType]) -> BTreeSet<Resource> {
    let ratio = |machine: &MachineType, resource: &Resource| {
        Some(machine.resources.get(resource)? / machine.resources.get(&Resource::Cpu)?)
    };
    let Some((first, rest)) = machines.split_first() else { return BTreeSet::new() };
    let others = first.resources.keys().filter(|resource| **resource != Resource::Cpu);
    let is_same = |resource: &&Resource| {
        let expected = ratio(first, resource);
        expected.is_some() && rest.iter().all(|machine| ratio(machine, resource) == expected)
    };
    others.filter(is_same).cloned().collect()
}

/// Reads a YAML document of a type; price lists are larger than the limits meant for configuration files.
pub(super) fn yaml<T: serde::de::DeserializeOwned>(text: &str, expected: &'static str) -> Result<T> {
    if text.trim().is_empty() {
        return Err(Problem::Empty { what: expected }.into());
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 50_000_000,
            max_nodes: 20_000_000,
        },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let line = error.location().map(|location| location.line());
        let error = Error::from(Problem::Malformed { expected }).caused_by(error.to_string());
        match line {
            Some(line) => error.at_line(line),
            None => error,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    const YAML: &str = "compute:\n  instance:\n    n2-standard-2:\n      cpu: 2\n      ram: 8\n    n2-highcpu-2:\n      cpu: 2\n      ram: 2.00\n    c2-standard-4:\n      cpu: 4\n      ram: 16\n    c2-standard-8:\n      cpu: 8\n      ram: 32\n    a2-highgpu-1g:\n      cpu: 12\n      ram: 85\n      a100: 1\n      local-ssd: 375\n";

    #[test]
    fn types_are_read_from_both_formats() {
        let types = MachineTypes::from_yaml(YAML).unwrap();
        let (series, resources) = types.resources("n2-standard-2").unwrap();
        assert_eq!((series, resources), ("N2", vec![(Resource::Cpu, dec!(2)), (Resource::Memory, dec!(8))]));
        let bundle = Resource::CpuBundle([Resource::Memory].into());
        assert_eq!(types.resources("c2-standard-8").unwrap(), ("C2", vec![(bundle, dec!(8))]));
        assert_eq!(types.get("a2-highgpu-1g").unwrap().resources[&Resource::Gpu("A100".into())], dec!(1));

        let table = "NAME;CPUS;SHARED_CPU;MEMORY_GB;DEPRECATED;ZONE\nn2-standard-2;2;False;8.00;;\nf1-micro;1;True;0.60;;\n";
        let types = MachineTypes::from_csv(table).unwrap();
        assert_eq!((types.iter().count(), types.get("n2-standard-2").unwrap().resources[&Resource::Memory]), (1, dec!(8)));
    }

    #[test]
    fn wrong_tables_are_refused() {
        let message = |text: &str| MachineTypes::from_yaml(text).unwrap_err().to_string();
        assert!(message(&YAML.replace("cpu: 12", "cpu: many")).contains("a2-highgpu-1g"));
        assert!(message("compute: [1\n").contains("YAML"));
        assert!(
            MachineTypes::from_csv("NAME;CPUS;SHARED_CPU;MEMORY_GB\nn2-x;two;False;8\n")
                .unwrap_err()
                .to_string()
                .contains("line 2")
        );
    }
}
