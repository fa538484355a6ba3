//! Recognises the format of a price file by its content: the name of a file is the user's, its first bytes are the provider's.

use super::gcp::{Pricing, SpendDiscounts, SpendModel};
use super::{aws, draft::Draft};
use crate::error::{Error, Problem, Result};
use std::io::BufRead;

/// What the front door says that it reads.
pub(super) const EXPECTED: &str = "a covermix catalog (JSON), or a provider's price file that this library reads";

/// How many bytes at the start of a file decide its format.
pub(super) const HEAD: usize = 1 << 16;

/// The formats of price files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// This library's own.
    Covermix,
    /// ec2instances.info: one type or an array of types; also its RDS, ElastiCache, OpenSearch files.
    Ec2Instances,
    /// AWS Price List, service file, JSON.
    AwsPriceList,
    /// AWS Price List, service file, CSV.
    AwsPriceListCsv,
    /// AWS Price List, answers of `GetProducts`.
    AwsGetProducts,
    /// AWS Savings Plan offer file, JSON.
    AwsSavingsPlans,
    /// AWS Savings Plan offer file, CSV.
    AwsSavingsPlansCsv,
    /// AWS answers of `DescribeSavingsPlansOfferingRates`.
    AwsSavingsPlanRates,
    /// AWS feed of a service's public pricing page.
    AwsPricingPage,
    /// A table of AWS on-demand SKUs, CSV with the attributes of the Price List in snake case.
    AwsSkuTable,
    /// AWS answers of `DescribeSpotPriceHistory`.
    AwsSpotHistory,
    /// AWS Spot Instance Advisor.
    AwsSpotAdvisor,
    /// AWS public spot price feed (`spot.js`).
    AwsSpotFeed,
    /// Answers of the Azure Retail Prices API, or a reduction of them keyed by SKU and meter.
    AzureRetail,
    /// Answers of Google's Cloud Billing Catalog API.
    GcpBillingCatalog,
    /// The price list of the Google Cloud pricing cost calculator (YAML).
    GcpPricing,
}

/// Recognises a format by the first bytes of a file (unpacked; up to 64 KiB are looked at).
///
/// # Errors
/// [`Problem::Malformed`] for a format that is not known.
pub fn recognise(head: &[u8]) -> Result<Format> {
    let text = String::from_utf8_lossy(&head[..head.len().min(HEAD)]);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let format = match text.bytes().next() {
        Some(b'{' | b'[') => {
            // Each provider looks at the outline; a further one is a further `or_else`.
            let outline = Outline::of(text);
            aws::recognise_json(&outline).or_else(|| others(&outline)).or_else(|| own(&outline))
        }
        _ => aws::recognise_text(text).or_else(|| others_text(text)),
    };
    format.ok_or_else(|| Error::from(Problem::Malformed { expected: EXPECTED }))
}

fn own(outline: &Outline) -> Option<Format> {
    (!outline.is_array && (outline.has("schema") || outline.has("currency"))).then_some(Format::Covermix)
}

/// JSON of Azure and Google Cloud.
fn others(outline: &Outline) -> Option<Format> {
    let is_meter_key = |key: &str| key.matches('|').count() == 3;
    if outline.has("skus") {
        Some(Format::GcpBillingCatalog)
    } else if ["Items", "items", "NextPageLink", "armRegionName"].iter().any(|key| outline.has(key))
        || outline.keys.iter().any(|(key, _)| is_meter_key(key))
    {
        Some(Format::AzureRetail)
    } else {
        None
    }
}

/// YAML of Google Cloud.
fn others_text(text: &str) -> Option<Format> {
    text.lines().any(|line| line.trim_end() == "compute:").then_some(Format::GcpPricing)
}

/// Reads a whole text. Pages of one answer are kept until all are there; a price list makes a catalog of its own, which is added. The day
/// that the caller gave stands for what the text does not say.
fn read_text(format: Format, input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    let mut text = String::new();
    input.read_to_string(&mut text).map_err(|error| Error::from(Problem::InputOutput).caused_by(error))?;
    match format {
        Format::AzureRetail => draft.azure.add(&text, draft.origin.price_date),
        Format::GcpBillingCatalog => draft.gcp.add(&text),
        _ => {
            let discounts = SpendDiscounts::documented()?;
            let reader = Pricing::new().spend_discounts(&discounts, SpendModel::New);
            let reader = draft.origin.price_date.map_or(reader, |day| reader.price_date(day));
            super::file::merge(reader.from_yaml(&text)?, draft)
        }
    }
}

/// Reads a file of a provider's format.
pub(super) fn read(format: Format, input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    match format {
        Format::Covermix => super::file::read_into(input, draft),
        Format::Ec2Instances => aws::ec2instances::read(input, draft),
        Format::AwsPriceList => aws::price_list::read(input, draft),
        Format::AwsPriceListCsv => aws::price_list_csv::read(input, draft),
        Format::AwsGetProducts => aws::price_list::read_products(input, draft),
        Format::AwsSavingsPlans => aws::savings_plans::read(input, draft),
        Format::AwsSavingsPlansCsv => aws::savings_plans::read_csv(input, draft),
        Format::AwsSavingsPlanRates => aws::savings_plans::read_rates(input, draft),
        Format::AwsPricingPage => aws::pricing_page::read(input, draft),
        Format::AwsSkuTable => aws::price_list_csv::read_sku_table(input, draft),
        Format::AwsSpotHistory => aws::spot::read_history(input, draft),
        Format::AwsSpotAdvisor => aws::spot::read_advisor(input, draft),
        Format::AwsSpotFeed => aws::spot::read_feed(input, draft),
        Format::AzureRetail | Format::GcpBillingCatalog | Format::GcpPricing => read_text(format, input, draft),
    }
}

/// The keys of a document's first object, as far as the first bytes show them.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// Whether the document is an array; then the keys are those of its first element.
    pub(super) is_array: bool,
    /// Whether the document is an array of texts.
    pub(super) first_is_text: bool,
    /// Each key with the first byte of its value.
    keys: Vec<(String, u8)>,
}

impl Outline {
    /// The outline of a document that may be cut off anywhere.
    pub(super) fn of(text: &str) -> Self {
        let mut outline = Self::default();
        let (mut depth, mut base) = (0_usize, 1_usize);
        let mut bytes = text.bytes().enumerate().skip_while(|(_, byte)| byte.is_ascii_whitespace()).peekable();
        if let Some((at, b'[')) = bytes.peek() {
            outline.is_array = true;
            outline.first_is_text = text[at + 1..].trim_start().starts_with('"');
            base = 2;
        }
        let mut string_start = None;
        let mut key: Option<String> = None;
        let mut escaped = false;
        for (at, byte) in bytes {
            if let Some(start) = string_start {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    b'"' => {
                        string_start = None;
                        if depth == base && key.is_none() {
                            key = text.get(start..at).map(str::to_owned);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            if byte.is_ascii_whitespace() || byte == b':' {
                continue;
            }
            if depth == base
                && !matches!(byte, b',' | b'}')
                && let Some(key) = key.as_ref().filter(|key| outline.keys.last().is_none_or(|(last, _)| last != *key))
            {
                outline.keys.push((key.clone(), byte));
            }
            match byte {
                b'"' => string_start = Some(at + 1),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if outline.is_array && depth == 1 {
                        break;
                    }
                }
                b',' if depth == base => key = None,
                _ => {}
            }
        }
        outline
    }

    /// Whether the object has this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.kind(key).is_some()
    }

    /// The first byte of this key's value: `{`, `[`, `"` or of a number or word.
    pub(super) fn kind(&self, key: &str) -> Option<u8> {
        self.keys.iter().find(|(name, _)| name == key).map(|(_, kind)| *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case(r#"{"schema": "covermix-catalog/1", "currency": "USD"}"#, Format::Covermix)]
    #[test_case(r#"[{"ECU": 1.0, "arch": ["i386"], "instance_type": "m1.small", "pricing": {"#, Format::Ec2Instances)]
    #[test_case(r#"{"formatVersion": "v1.0", "offerCode": "AmazonEC2", "products": {"A": {"sku": "#, Format::AwsPriceList)]
    #[test_case(r#"{"version": "1", "products": [ {"sku": "#, Format::AwsSavingsPlans)]
    #[test_case(r#"{"FormatVersion": "aws_v1", "PriceList": ["{\"product\": "#, Format::AwsGetProducts)]
    #[test_case(r#"["{\"product\": {\"productFamily\""#, Format::AwsGetProducts)]
    #[test_case(r#"{"product": {"sku": "#, Format::AwsGetProducts)]
    #[test_case(r#"{"searchResults": [{"savingsPlanOffering": "#, Format::AwsSavingsPlanRates)]
    #[test_case(r#"{"manifest": {"serviceId": "mcs"}, "sets": {}, "regions": {"#, Format::AwsPricingPage)]
    #[test_case(r#"{"SpotPriceHistory": ["#, Format::AwsSpotHistory)]
    #[test_case(r#"{"instance_types": {}, "ranges": [], "spot_advisor": {"#, Format::AwsSpotAdvisor)]
    #[test_case(r#"callback({"vers": 0.01, "config": {"#, Format::AwsSpotFeed)]
    #[test_case(r#"{"vers": 0.01, "config": {"#, Format::AwsSpotFeed)]
    #[test_case("\"FormatVersion\",\"v1.0\"\n\"Disclaimer\",\"x\"\n", Format::AwsPriceListCsv)]
    #[test_case("sku,location,service,family,usage_type,instance_type,price\n", Format::AwsSkuTable)]
    #[test_case(r#"{"BillingCurrency": "USD", "Items": [{"currencyCode": "#, Format::AzureRetail)]
    #[test_case(r#"{"items": [{"currencyCode": "#, Format::AzureRetail)]
    #[test_case(r#"[{"currencyCode": "USD", "armRegionName": "westeurope", "#, Format::AzureRetail)]
    #[test_case("{\n\"DZH318Z08LV0/002J|ac85e0a3|Consumption|\": {\n\"armRegionName\": \"x\"", Format::AzureRetail)]
    #[test_case(r#"{"skus": [{"name": "#, Format::GcpBillingCatalog)]
    #[test_case("---\nabout:\n  timestamp: 1\ncompute:\n  instance:\n", Format::GcpPricing)]
    #[test_case("\u{feff}SKU,RateCode,Unit,EffectiveDate,DiscountedRate,Currency,DiscountedSKU\n", Format::AwsSavingsPlansCsv)]
    fn formats_are_recognised_by_content(head: &str, expected: Format) {
        assert_eq!(recognise(head.as_bytes()).unwrap(), expected);
    }

    #[test_case("")]
    #[test_case("{}")]
    #[test_case("hello")]
    #[test_case("[1, 2]")]
    fn other_files_are_refused(head: &str) {
        assert!(recognise(head.as_bytes()).is_err());
    }
}
