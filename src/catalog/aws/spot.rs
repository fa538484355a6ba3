//! Reads AWS spot prices: answers of `DescribeSpotPriceHistory`, the Spot Instance Advisor (interruption classes and savings) and the public
//! price feed `spot.js`, a JSON document in a call of `callback`.

use super::instance_sku;
use super::terms::decimal;
use crate::catalog::draft::{Draft, SpotAdvice};
use crate::catalog::stream::{JsonStream, Text};
use crate::catalog::{Interruption, Origin, RejectionReason, SpotPrice};
use crate::error::{Error, Problem, Result};
use crate::files;
use crate::units::UnitPrice;
use crate::usage::Sku;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::BufRead;

const EXPECTED_HISTORY: &str = "an answer of AWS DescribeSpotPriceHistory (JSON)";
const EXPECTED_ADVISOR: &str = "the AWS Spot Instance Advisor's data (JSON)";
const EXPECTED_FEED: &str = "the AWS spot price feed (spot.js)";

/// Regions by the names of the feed, where they differ from the codes.
const FEED_REGIONS: [(&str, &str); 7] = [
    ("us-east", "us-east-1"),
    ("us-west", "us-west-1"),
    ("eu-ireland", "eu-west-1"),
    ("apac-sin", "ap-southeast-1"),
    ("apac-syd", "ap-southeast-2"),
    ("apac-tokyo", "ap-northeast-1"),
    ("sa-east", "sa-east-1"),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record<'a> {
    #[serde(borrow)]
    availability_zone: Text<'a>,
    #[serde(borrow)]
    instance_type: Text<'a>,
    #[serde(borrow)]
    product_description: Text<'a>,
    #[serde(borrow)]
    spot_price: Text<'a>,
    #[serde(borrow)]
    timestamp: Text<'a>,
}

/// The identifier of a spot price.
fn spot_id(sku: &Sku, zone: &str) -> String {
    let zone = if zone.is_empty() { String::new() } else { format!("/{zone}") };
    format!("spot/{}{zone}", super::terms::price_id(sku))
}

fn spot_platform(description: &str) -> Option<&'static str> {
    match description.trim_end_matches(" (Amazon VPC)") {
        "Linux/UNIX" | "Linux" | "linux" => Some("Linux"),
        "Red Hat Enterprise Linux" => Some("RHEL"),
        "SUSE Linux" => Some("SUSE"),
        "Windows" | "mswin" => Some("Windows"),
        _ => None,
    }
}

/// The region of an availability zone or local zone: `us-east-1f`, `us-west-2-lax-1a`.
fn region_of(zone: &str) -> String {
    let region: Vec<&str> = zone.split('-').take(if zone.starts_with("us-gov-") { 4 } else { 3 }).collect();
    region.join("-").trim_end_matches(|c: char| c.is_ascii_lowercase()).to_owned()
}

/// One price of a history.
pub(in crate::catalog) struct Change {
    pub(in crate::catalog) sku: Sku,
    pub(in crate::catalog) availability_zone: String,
    pub(in crate::catalog) price: UnitPrice,
    pub(in crate::catalog) time: DateTime<Utc>,
}

/// Walks through a price history: calls `take` with every price, or with what could not be used and why.
pub(in crate::catalog) fn changes(
    input: &mut dyn BufRead,
    mut take: impl FnMut(std::result::Result<Change, (String, RejectionReason)>),
) -> Result<()> {
    let mut stream = JsonStream::new(input, EXPECTED_HISTORY);
    stream.object(|stream, key| {
        if key != "SpotPriceHistory" {
            return stream.skip();
        }
        stream.array(|stream| {
            let record: Record<'_> = stream.value()?;
            let item = || format!("{} {} at {}", &*record.availability_zone, &*record.instance_type, &*record.timestamp);
            let price = decimal(&record.spot_price).filter(|price| *price > Decimal::ZERO);
            let (Some(platform), Ok(time)) =
                (spot_platform(&record.product_description), record.timestamp.parse::<DateTime<Utc>>())
            else {
                take(Err((item(), RejectionReason::Incomplete)));
                return Ok(());
            };
            let Some(price) = price else {
                take(Err((item(), RejectionReason::NoPrice)));
                return Ok(());
            };
            let sku = instance_sku(&region_of(&record.availability_zone), &record.instance_type, platform, "shared");
            let availability_zone = record.availability_zone.to_string();
            take(Ok(Change { sku, availability_zone, price: UnitPrice::new(price), time }));
            Ok(())
        })
    })?;
    stream.finish()
}

/// Reads a price history: the newest price of each zone, type and platform counts, the older ones are left out.
pub(in crate::catalog) fn read_history(input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    draft.currency("USD")?;
    draft.origin.source = "AWS DescribeSpotPriceHistory".into();
    let mut newest: BTreeMap<String, (DateTime<Utc>, SpotPrice)> = BTreeMap::new();
    changes(input, |change| {
        let Change { sku, availability_zone, price, time } = match change {
            Ok(change) if draft.takes(&change.sku) => change,
            Ok(_) => return,
            Err((item, reason)) => return draft.reject(item, reason),
        };
        let id = spot_id(&sku, &availability_zone);
        let origin = Origin { source: draft.origin.source.clone(), price_date: Some(time.date_naive()) };
        let spot =
            SpotPrice { id: id.clone(), sku, availability_zone, price, interruption: None, origin, derived: String::new() };
        if newest.contains_key(&id) {
            draft.reject_many("older spot prices", RejectionReason::Superseded, 1);
        }
        match newest.get(&id) {
            Some((other, _)) if *other >= time => {}
            _ => drop(newest.insert(id, (time, spot))),
        }
    })?;
    newest.into_values().for_each(|(_, spot)| draft.spot(spot));
    Ok(())
}

#[derive(Deserialize)]
struct Advisor {
    ranges: Vec<Range>,
    spot_advisor: BTreeMap<String, BTreeMap<String, BTreeMap<String, Advice>>>,
}

#[derive(Deserialize)]
struct Range {
    index: u32,
    label: String,
}

#[derive(Deserialize)]
struct Advice {
    /// The saving over on demand, percent; negative where spot costs more.
    s: i64,
    /// The index of the interruption class.
    r: u32,
}

/// Reads the Spot Instance Advisor.
pub(in crate::catalog) fn read_advisor(input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    let advisor: Advisor = files::parse_json(&text(input)?, EXPECTED_ADVISOR)?;
    draft.origin.source = "AWS Spot Instance Advisor".into();
    let mut ranges = BTreeMap::new();
    for range in &advisor.ranges {
        let interruption = interruption(&range.label).ok_or_else(|| {
            Error::from(Problem::Value { value: range.label.clone(), expected: "an interruption class such as 5-10%" })
                .in_field("ranges.label")
        })?;
        ranges.insert(range.index, interruption);
    }
    for (region, systems) in advisor.spot_advisor {
        for (system, types) in systems {
            for (instance_type, advice) in types {
                let item = || format!("advice for {region} {system} {instance_type}");
                let (Some(platform), Some(interruption)) = (spot_platform(&system), ranges.get(&advice.r)) else {
                    draft.reject(item(), RejectionReason::Incomplete);
                    continue;
                };
                let sku = instance_sku(&region, &instance_type, platform, "shared");
                if !draft.takes(&sku) {
                    continue;
                }
                let saving = Decimal::new(advice.s, 2);
                draft.advise_spot(SpotAdvice { sku, interruption: *interruption, saving, origin: draft.origin.clone() });
            }
        }
    }
    Ok(())
}

/// An interruption class in the advisor's words: `<5%`, `5-10%`, `>20%`.
pub(super) fn interruption(label: &str) -> Option<Interruption> {
    let label = label.trim().strip_suffix('%')?;
    let share = |text: &str| text.trim().parse::<Decimal>().ok().map(|percent| percent / Decimal::ONE_HUNDRED);
    let (from, to) = if let Some(to) = label.strip_prefix('<') {
        (Decimal::ZERO, share(to)?)
    } else if let Some(from) = label.strip_prefix('>') {
        (share(from)?, Decimal::ONE)
    } else {
        let (from, to) = label.split_once('-')?;
        (share(from)?, share(to)?)
    };
    Some(Interruption { from, to })
}

#[derive(Deserialize)]
struct Feed {
    config: FeedConfig,
}

#[derive(Deserialize)]
struct FeedConfig {
    #[serde(default)]
    rate: String,
    regions: Vec<FeedRegion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FeedRegion {
    region: String,
    instance_types: Vec<FeedTypes>,
}

#[derive(Deserialize)]
struct FeedTypes {
    sizes: Vec<FeedSize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FeedSize {
    size: String,
    value_columns: Vec<FeedColumn>,
}

#[derive(Deserialize)]
struct FeedColumn {
    name: String,
    prices: BTreeMap<String, String>,
}

/// Reads the public spot price feed.
pub(in crate::catalog) fn read_feed(input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    let text = text(input)?;
    let json = text.trim().trim_start_matches("callback(").trim_end_matches(';').trim_end_matches(')');
    let feed: Feed = files::parse_json(json, EXPECTED_FEED)?;
    if feed.config.rate != "perhr" {
        let problem = Problem::Value { value: feed.config.rate, expected: "the rate `perhr`" };
        return Err(Error::from(problem).in_field("config.rate"));
    }
    draft.currency("USD")?;
    draft.origin.source = "AWS spot price feed".into();
    for region in feed.config.regions {
        let code = FEED_REGIONS.iter().find(|(name, _)| *name == region.region).map_or(region.region.as_str(), |(_, code)| code);
        for size in region.instance_types.into_iter().flat_map(|types| types.sizes) {
            for column in size.value_columns {
                let item = format!("{code} {} {}", size.size, column.name);
                let Some(platform) = spot_platform(&column.name) else {
                    draft.reject(item, RejectionReason::Incomplete);
                    continue;
                };
                let price = column.prices.get("USD").and_then(|price| decimal(price)).filter(|price| *price > Decimal::ZERO);
                let Some(price) = price else {
                    // `N/A*`: not sold in this region.
                    draft.reject(item, RejectionReason::NoPrice);
                    continue;
                };
                let sku = instance_sku(code, &size.size, platform, "shared");
                if draft.takes(&sku) {
                    draft.spot(SpotPrice {
                        id: spot_id(&sku, ""),
                        sku,
                        availability_zone: String::new(),
                        price: UnitPrice::new(price),
                        interruption: None,
                        origin: draft.origin.clone(),
                        derived: String::new(),
                    });
                }
            }
        }
    }
    Ok(())
}

fn text(input: &mut dyn BufRead) -> Result<String> {
    let mut text = String::new();
    input.read_to_string(&mut text).map_err(|error| Error::from(Problem::InputOutput).caused_by(error))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    #[test]
    fn zones_tell_their_region() {
        assert_eq!(region_of("us-east-1f"), "us-east-1");
        assert_eq!(region_of("us-west-2-lax-1a"), "us-west-2");
        assert_eq!(region_of("us-gov-west-1a"), "us-gov-west-1");
    }

    #[test]
    fn interruption_classes_are_ranges() {
        assert_eq!(interruption("<5%"), Some(Interruption { from: dec!(0), to: dec!(0.05) }));
        assert_eq!(interruption("5-10%"), Some(Interruption { from: dec!(0.05), to: dec!(0.10) }));
        assert_eq!(interruption(">20%"), Some(Interruption { from: dec!(0.20), to: dec!(1) }));
        assert_eq!(interruption("often"), None);
    }
}
