//! Reads the feed behind an AWS public pricing page: `regions.{long name}.{entry}.{rateCode, price}`, with the service and the date in
//! `manifest`. Every price stands there twice, under a hash and under a name; the one with the name is read.

use super::regions;
use super::terms::{decimal, on_demand};
use crate::catalog::draft::{Draft, Metered};
use crate::catalog::stream::{Fields, JsonStream, Text};
use crate::catalog::{Origin, RejectionReason};
use crate::error::Result;
use crate::units::UnitPrice;
use crate::usage::{Provider, Sku};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::io::BufRead;

const EXPECTED: &str = "the price feed of an AWS pricing page (JSON)";

/// Service codes by the feed's own.
const SERVICES: [(&str, &str); 1] = [("mcs", "AmazonMCS")];

/// Usage type and operation of the named entries: what bills and Savings Plan rates call them.
const USAGE: [(&str, &str, &str, &str); 4] = [
    ("AmazonMCS", "Provisioned Read Units", "ReadCapacityUnit-Hrs", "CommittedThroughput"),
    ("AmazonMCS", "Provisioned Write Units", "WriteCapacityUnit-Hrs", "CommittedThroughput"),
    ("AmazonMCS", "MCS-ReadUnits", "ReadRequestUnits", "PayPerRequestThroughput"),
    ("AmazonMCS", "MCS-WriteUnits", "WriteRequestUnits", "PayPerRequestThroughput"),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow, default)]
    rate_code: Text<'a>,
    #[serde(borrow, default)]
    price: Text<'a>,
    #[serde(borrow, default, rename = "RegionlessRateCode")]
    hash: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    #[serde(borrow, default)]
    service_id: Text<'a>,
    #[serde(borrow, default)]
    currency_code: Text<'a>,
    #[serde(borrow, default, rename = "hawkFilePublicationDate")]
    published: Text<'a>,
}

/// Reads the feed.
pub(in crate::catalog) fn read(input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    let mut stream = JsonStream::new(input, EXPECTED);
    let mut service = String::new();
    stream.object(|stream, key| match key {
        "manifest" => {
            let manifest: Manifest<'_> = stream.value()?;
            let id = &*manifest.service_id;
            service = SERVICES.iter().find(|(short, _)| *short == id).map_or(id, |(_, code)| code).to_owned();
            if !manifest.currency_code.is_empty() {
                draft.currency(&manifest.currency_code)?;
            }
            draft.origin = Origin {
                source: format!("AWS pricing page of {service}"),
                price_date: super::terms::day(&manifest.published).or(draft.origin.price_date),
            };
            Ok(())
        }
        "regions" => stream.object(|stream, name| {
            let entries: Fields<'_, Entry<'_>> = stream.value()?;
            let Some(region) = regions::code(name) else {
                let count = u64::try_from(entries.0.len()).unwrap_or(u64::MAX);
                draft.reject_many(&format!("prices of the unknown region {name}"), RejectionReason::Incomplete, count);
                return Ok(());
            };
            add_region(draft, &service, region, &entries);
            Ok(())
        }),
        _ => stream.skip(),
    })?;
    stream.finish()
}

fn add_region(draft: &mut Draft, service: &str, region: &str, entries: &Fields<'_, Entry<'_>>) {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    // The shortest name of a rate is that of its first tier.
    let mut named: Vec<(&str, &Entry<'_>)> =
        entries.0.iter().filter(|(name, entry)| **name != *entry.hash).map(|(name, entry)| (&**name, entry)).collect();
    named.sort_by_key(|(name, _)| (name.len(), *name));
    let hashes = entries.0.len() - named.len();
    draft.reject_many("entries under their hash", RejectionReason::Superseded, u64::try_from(hashes).unwrap_or(u64::MAX));
    for (name, entry) in named {
        if !seen.insert(&entry.rate_code) {
            draft.reject_many("further tiers of volume prices", RejectionReason::Superseded, 1);
            continue;
        }
        let usage = USAGE.iter().find(|(code, known, ..)| *code == service && *known == name);
        let (usage_type, operation) = usage.map_or((name, ""), |(_, _, usage_type, operation)| (*usage_type, *operation));
        let sku = Sku {
            provider: Provider::Aws,
            service: service.into(),
            region: region.into(),
            sku: usage_type.into(),
            platform: operation.into(),
            tenancy: String::new(),
            unit: usage.map_or_else(String::new, |_| usage_type.into()),
        };
        if !draft.takes(&sku) {
            continue;
        }
        let price = match decimal(&entry.price) {
            Some(price) if price > Decimal::ZERO => UnitPrice::new(price),
            Some(_) => {
                draft.reject(format!("{region} {name}"), RejectionReason::NoPrice);
                continue;
            }
            None => {
                draft.reject(format!("{region} {name}"), RejectionReason::UnreadablePrice);
                continue;
            }
        };
        let provider_id = entry.rate_code.split('.').next().unwrap_or_default();
        let metered = Metered {
            service: service.into(),
            region: region.into(),
            usage_type: usage_type.into(),
            operation: operation.into(),
        };
        let price = on_demand(&sku, price, provider_id, Origin::default(), draft.origin.price_date);
        draft.metered_price(metered, price);
    }
}
