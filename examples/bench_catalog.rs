//! Measures how fast price files are read, and how much memory it takes: the given files, and an AWS Price List service file of about
//! 1 GB that is generated into a temporary folder and deleted afterwards. Each is read for one region, for one instance type's family, and
//! whole; of the generated file the whole is read only if asked for, since a catalog holds every offer it takes. Time is that of one core
//! (the processor time of the reading thread) beside the time on the clock; memory is the peak of the reading (VmHWM, reset before; Linux).
//!
//! `cargo run --release --no-default-features --example bench_catalog -- [--megabytes 1000] [--whole] [FILE...]`

#![allow(clippy::print_stdout, clippy::integer_division)]

use clap::Parser;
use covermix::catalog::{Catalog, CatalogBuilder};
use covermix::time::{Hour, HourGrid};
use covermix::usage::{Provider, Sku, UsageCurves, UsageLine};
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Parser)]
struct Arguments {
    /// The size of the generated file.
    #[arg(long, default_value_t = 1000)]
    megabytes: u64,
    /// Read all of the generated file too.
    #[arg(long)]
    whole: bool,
    /// Real price files to read after it.
    files: Vec<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("AmazonEC2.json");
    generate(&path, arguments.megabytes * 1_000_000)?;
    let size = std::fs::metadata(&path)?.len();
    measure("family used", &path, size, CatalogBuilder::new().for_usage(&used()?))?;
    measure("one region", &path, size, CatalogBuilder::new().regions(["us-east-1"]))?;
    if arguments.whole {
        measure("whole", &path, size, CatalogBuilder::new())?;
    }
    for file in &arguments.files {
        let size = unpacked_size(file)?;
        measure("family used", file, size, CatalogBuilder::new().for_usage(&used()?))?;
        measure("one region", file, size, CatalogBuilder::new().regions(["us-east-1", "us-central1", "francecentral"]))?;
        measure("whole", file, size, CatalogBuilder::new())?;
    }
    Ok(())
}

fn measure(what: &str, path: &Path, size: u64, builder: CatalogBuilder) -> Result<(), Box<dyn Error>> {
    reset_peak_memory();
    let (start, processor) = (Instant::now(), processor_seconds());
    let catalog = match builder.add(path).and_then(CatalogBuilder::build) {
        Ok(catalog) => catalog,
        Err(error) => {
            println!("{}, {what}: nothing to read ({error})", name(path));
            return Ok(());
        }
    };
    let seconds = start.elapsed().as_secs_f64();
    let busy = processor_seconds().zip(processor).map(|(now, before)| now - before);
    #[allow(clippy::cast_precision_loss)]
    let megabytes = size as f64 / 1e6;
    let one_core = busy.map_or(String::new(), |busy| format!("{busy:.3} s of one core = {:.0} MB/s, ", megabytes / busy));
    println!(
        "{}, {what}: {megabytes:.1} MB in {one_core}{seconds:.3} s on the clock = {:.0} MB/s; peak memory {}; {}",
        name(path),
        megabytes / seconds,
        peak_memory().unwrap_or_else(|| "not known on this system".to_owned()),
        counts(&catalog)
    );
    Ok(())
}

/// What the main thread spent on a processor so far (Linux).
fn processor_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let microseconds: u32 =
        text.split_whitespace().next()?.parse::<u64>().ok().map(|time| time / 1000).and_then(|t| u32::try_from(t).ok())?;
    Some(f64::from(microseconds) / 1e6)
}

/// Sets the peak back to what is in use now (Linux; nothing happens elsewhere).
fn reset_peak_memory() {
    if std::fs::write("/proc/self/clear_refs", "5").is_err() {
        println!("(the peak of memory cannot be reset here: it is that of the process so far)");
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn counts(catalog: &Catalog) -> String {
    let left_out: u64 = catalog.rejected().iter().map(|rejection| rejection.count).sum();
    format!("{} prices, {} offers, {left_out} entries left out", catalog.prices().len(), catalog.offers().len())
}

fn unpacked_size(path: &Path) -> Result<u64, Box<dyn Error>> {
    let mut file = File::open(path)?;
    if path.extension().is_some_and(|extension| extension == "gz") {
        return Ok(std::io::copy(&mut flate2::read::MultiGzDecoder::new(file), &mut std::io::sink())?);
    }
    let mut sink = Vec::new();
    Ok(u64::try_from(file.read_to_end(&mut sink)?)?)
}

fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(format!("{} MB", kilobytes / 1000))
}

/// One line of m5 usage.
fn used() -> Result<UsageCurves, Box<dyn Error>> {
    let sku = Sku {
        provider: Provider::Aws,
        service: "AmazonEC2".into(),
        region: "us-east-1".into(),
        sku: "m5.large".into(),
        platform: "Linux".into(),
        tenancy: "shared".into(),
        unit: "instance-hour".into(),
    };
    let grid = HourGrid { first: Hour::from_epoch(0), count: 1 };
    Ok(UsageCurves::new(grid, vec![UsageLine::new(sku, "1")], ndarray::Array2::ones((1, 1)))?)
}

const FAMILIES: [&str; 12] = ["m5", "m5d", "c5", "r5", "m6i", "c6i", "r6i", "m7g", "c7g", "r7g", "t3", "x2idn"];
const SIZES: [&str; 8] = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"];
const SYSTEMS: [&str; 4] = ["Linux", "Windows", "RHEL", "SUSE"];

/// Writes a service file with the layout of the real one: products first, then one on-demand and twelve reserved terms for each.
fn generate(path: &Path, size: u64) -> Result<(), Box<dyn Error>> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    // A product with its thirteen terms takes about this many bytes.
    let count = size / 11_700;
    write!(
        file,
        "{{\n  \"formatVersion\" : \"v1.0\",\n  \"offerCode\" : \"AmazonEC2\",\n  \"publicationDate\" : \"2026-01-01T00:00:00Z\",\n"
    )?;
    write!(file, "  \"products\" : {{")?;
    for index in 0..count {
        let comma = if index == 0 { "" } else { "," };
        write!(file, "{comma}{}", product(index))?;
    }
    write!(file, "\n  }},\n  \"terms\" : {{\n    \"OnDemand\" : {{")?;
    for index in 0..count {
        let comma = if index == 0 { "" } else { "," };
        let sku = sku(index);
        write!(file, "{comma}\n      \"{sku}\" : {{{}\n      }}", term(&sku, "JRTCKXETXF", "", "0.0960000000", None))?;
    }
    write!(file, "\n    }},\n    \"Reserved\" : {{")?;
    for index in 0..count {
        let comma = if index == 0 { "" } else { "," };
        let sku = sku(index);
        write!(file, "{comma}\n      \"{sku}\" : {{")?;
        let mut first = "";
        for (years, hourly) in [("1yr", "0.0310000000"), ("3yr", "0.0210000000")] {
            for class in ["standard", "convertible"] {
                for (purchase, upfront) in [("No Upfront", None), ("Partial Upfront", Some("260")), ("All Upfront", Some("520"))]
                {
                    let code = format!("{}{}{}XX", &years[..1], &class[..4].to_uppercase(), &purchase[..2].to_uppercase());
                    let words = format!(
                        "\"LeaseContractLength\" : \"{years}\",\n            \"OfferingClass\" : \"{class}\",\n            \"PurchaseOption\" : \"{purchase}\""
                    );
                    write!(file, "{first}{}", term(&sku, &code, &words, hourly, upfront))?;
                    first = ",";
                }
            }
        }
        write!(file, "\n      }}")?;
    }
    write!(file, "\n    }}\n  }}\n}}\n")?;
    file.flush()?;
    Ok(())
}

fn sku(index: u64) -> String {
    format!("SKU{index:013}")
}

fn product(index: u64) -> String {
    let pick = |list: &[&'static str], at: u64| list[usize::try_from(at).unwrap_or(0) % list.len()];
    let instance_type = format!("{}.{}", pick(&FAMILIES, index), pick(&SIZES, index / 12));
    let system = pick(&SYSTEMS, index / 96);
    let region = format!("us-east-{}", index / 384 + 1);
    let sku = sku(index);
    format!(
        "\n    \"{sku}\" : {{\n      \"sku\" : \"{sku}\",\n      \"productFamily\" : \"Compute Instance\",\n      \"attributes\" : {{\n        \
         \"servicecode\" : \"AmazonEC2\",\n        \"location\" : \"US East (N. Virginia)\",\n        \"locationType\" : \"AWS Region\",\n        \
         \"instanceType\" : \"{instance_type}\",\n        \"currentGeneration\" : \"Yes\",\n        \"instanceFamily\" : \"General purpose\",\n        \
         \"vcpu\" : \"2\",\n        \"physicalProcessor\" : \"Intel Xeon Platinum 8175\",\n        \"clockSpeed\" : \"3.1 GHz\",\n        \
         \"memory\" : \"8 GiB\",\n        \"storage\" : \"EBS only\",\n        \"networkPerformance\" : \"Up to 10 Gigabit\",\n        \
         \"processorArchitecture\" : \"64-bit\",\n        \"tenancy\" : \"Shared\",\n        \"operatingSystem\" : \"{system}\",\n        \
         \"licenseModel\" : \"No License required\",\n        \"usagetype\" : \"BoxUsage:{instance_type}\",\n        \"operation\" : \"RunInstances\",\n        \
         \"capacitystatus\" : \"Used\",\n        \"normalizationSizeFactor\" : \"4\",\n        \"preInstalledSw\" : \"NA\",\n        \
         \"regionCode\" : \"{region}\",\n        \"servicename\" : \"Amazon Elastic Compute Cloud\"\n      }}\n    }}"
    )
}

fn term(sku: &str, code: &str, words: &str, hourly: &str, upfront: Option<&str>) -> String {
    let upfront = upfront.map_or(String::new(), |price| {
        format!(
            "\n            \"{sku}.{code}.2TG2D8R56U\" : {{\n              \"rateCode\" : \"{sku}.{code}.2TG2D8R56U\",\n              \
             \"description\" : \"Upfront Fee\",\n              \"unit\" : \"Quantity\",\n              \
             \"pricePerUnit\" : {{\n                \"USD\" : \"{price}\"\n              }},\n              \"appliesTo\" : [ ]\n            }},"
        )
    });
    format!(
        "\n        \"{sku}.{code}\" : {{\n          \"offerTermCode\" : \"{code}\",\n          \"sku\" : \"{sku}\",\n          \
         \"effectiveDate\" : \"2026-01-01T00:00:00Z\",\n          \"priceDimensions\" : {{{upfront}\n            \"{sku}.{code}.6YS6EN2CT7\" : {{\n              \
         \"rateCode\" : \"{sku}.{code}.6YS6EN2CT7\",\n              \"description\" : \"Linux/UNIX (Amazon VPC), instance applied\",\n              \
         \"beginRange\" : \"0\",\n              \"endRange\" : \"Inf\",\n              \"unit\" : \"Hrs\",\n              \
         \"appliesTo\" : [ ],\n              \"pricePerUnit\" : {{\n                \"USD\" : \"{hourly}\"\n              }}\n            }}\n          }},\n          \
         \"termAttributes\" : {{\n            {words}\n          }}\n        }}"
    )
}
