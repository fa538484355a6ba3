//! Reads AWS Savings Plan rates: offer files in JSON and CSV (Price List Bulk API, "Reading Savings Plan offer files") and answers of
//! `DescribeSavingsPlansOfferingRates`. Rates name usage by SKU, or by usage type and operation; they join the on-demand prices of other
//! files when the catalog is built. A rate of usage without price is counted as left out.

use super::price_list_csv::{Table, malformed};
use super::terms::{day, decimal, payment_option};
use super::{COMPUTE_PLAN, DATABASE_PLAN, EC2_INSTANCE_PLAN, SAGEMAKER_PLAN, plan_key, regions};
use crate::catalog::RejectionReason;
use crate::catalog::draft::{Draft, Metered, PlanKey, Rated};
use crate::catalog::stream::{Fields, JsonStream, Text};
use crate::error::{Error, Problem, Result};
use crate::units::UnitPrice;
use csv::StringRecord;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::BufRead;

const EXPECTED: &str = "an AWS Savings Plan offer file (JSON)";
const EXPECTED_CSV: &str = "an AWS Savings Plan offer file (CSV)";
const EXPECTED_RATES: &str = "an answer of AWS DescribeSavingsPlansOfferingRates (JSON)";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlanProduct<'a> {
    #[serde(borrow)]
    sku: Text<'a>,
    #[serde(borrow, default)]
    product_family: Text<'a>,
    #[serde(borrow, default)]
    attributes: Fields<'a, Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileRate<'a> {
    #[serde(borrow)]
    rate_code: Text<'a>,
    #[serde(borrow, default)]
    discounted_sku: Text<'a>,
    #[serde(borrow, default)]
    discounted_usage_type: Text<'a>,
    #[serde(borrow, default)]
    discounted_operation: Text<'a>,
    #[serde(borrow, default)]
    discounted_service_code: Text<'a>,
    #[serde(borrow, default)]
    discounted_region_code: Text<'a>,
    #[serde(borrow)]
    discounted_rate: Rate<'a>,
}

#[derive(Deserialize)]
struct Rate<'a> {
    #[serde(borrow)]
    price: Text<'a>,
    #[serde(borrow, default)]
    currency: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfferingRate<'a> {
    #[serde(borrow)]
    savings_plan_offering: Offering<'a>,
    #[serde(borrow)]
    rate: Text<'a>,
    #[serde(borrow, default)]
    service_code: Text<'a>,
    #[serde(borrow, default)]
    usage_type: Text<'a>,
    #[serde(borrow, default)]
    operation: Text<'a>,
    #[serde(borrow, default)]
    properties: Vec<Property<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Offering<'a> {
    #[serde(borrow, default)]
    offering_id: Text<'a>,
    #[serde(borrow)]
    payment_option: Text<'a>,
    #[serde(borrow)]
    plan_type: Text<'a>,
    duration_seconds: u32,
    #[serde(borrow, default)]
    currency: Text<'a>,
}

#[derive(Deserialize)]
struct Property<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    value: Text<'a>,
}

/// A rate with the words that identify what it is for.
struct Words<'w> {
    price: &'w str,
    provider_id: &'w str,
    service: &'w str,
    region: &'w str,
    usage_type: &'w str,
    operation: &'w str,
}

/// Adds a rate to a plan.
fn add(draft: &mut Draft, plan: &PlanKey, plan_id: &str, words: &Words<'_>) {
    let item = || format!("rate of plan {plan_id} for {} {} {}", words.region, words.usage_type, words.operation);
    let rate = match decimal(words.price) {
        Some(rate) if rate > Decimal::ZERO => UnitPrice::new(rate),
        Some(_) => return draft.reject(item(), RejectionReason::NoPrice),
        None => return draft.reject(item(), RejectionReason::UnreadablePrice),
    };
    let sku = regions::instance(words.service, words.region, words.usage_type, words.operation);
    if !(draft.selection.takes_region(words.region) && sku.as_ref().is_none_or(|sku| draft.selection.takes(sku))) {
        return draft.reject_many("plan rates that were not asked for", RejectionReason::NotSelected, 1);
    }
    let metered = Metered {
        service: words.service.into(),
        region: words.region.into(),
        usage_type: regions::without_prefix(words.usage_type).into(),
        operation: words.operation.into(),
    };
    let rated = Rated::Usage { provider_id: words.provider_id.into(), metered, sku: sku.map(Box::new) };
    let (plan, rated) = (draft.plan(plan, ""), draft.rated(rated));
    draft.rate(plan, plan_id, rated, rate);
}

/// The plan type in AWS's words, by the product family of its offer file.
fn plan_type(family: &str) -> String {
    match family {
        "ComputeSavingsPlans" => COMPUTE_PLAN.into(),
        "EC2InstanceSavingsPlans" => EC2_INSTANCE_PLAN.into(),
        "MachineLearningSavingsPlans" | "SageMakerSavingsPlans" => SAGEMAKER_PLAN.into(),
        "DatabaseSavingsPlans" => DATABASE_PLAN.into(),
        other => other.trim_end_matches("SavingsPlans").into(),
    }
}

fn years(text: &str) -> Option<u32> {
    let years = text.strip_suffix("yr").unwrap_or(text).trim().parse().ok()?;
    matches!(years, 1 | 3).then_some(years)
}

/// Reads an offer file in JSON.
pub(in crate::catalog) fn read(input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    let mut stream = JsonStream::new(input, EXPECTED);
    let mut plans: HashMap<String, PlanKey> = HashMap::new();
    let mut unknown: HashMap<String, u64> = HashMap::new();
    draft.origin.source = "AWS Savings Plan offer file".into();
    stream.object(|stream, key| match key {
        "publicationDate" => {
            let published = day(&stream.value::<Text<'_>>()?);
            draft.origin.price_date = published.or(draft.origin.price_date);
            Ok(())
        }
        "products" => stream.array(|stream| {
            let product: PlanProduct<'_> = stream.value()?;
            let word = |name: &str| product.attributes.get(name).map_or("", |text| text);
            let region = match word("regionCode") {
                "" => regions::code(word("location")).unwrap_or(word("location")),
                code => code,
            };
            let family = if word("instanceType").is_empty() { word("instanceFamily") } else { word("instanceType") };
            match (years(word("purchaseTerm")), payment_option(word("purchaseOption"))) {
                (Some(years), Some(payment)) => {
                    let key = plan_key(plan_type(&product.product_family), region, family, years, payment);
                    plans.insert(product.sku.to_string(), key);
                }
                _ => draft.reject(format!("plan {}", &*product.sku), RejectionReason::UnknownTerms),
            }
            Ok(())
        }),
        "terms" => stream.object(|stream, kind| {
            if kind != "savingsPlan" {
                draft.reject_many(&format!("terms of kind {kind}"), RejectionReason::UnknownTerms, 1);
                return stream.skip();
            }
            stream.array(|stream| {
                stream.object(|stream, key| {
                    if key != "rates" {
                        return stream.skip();
                    }
                    stream.array(|stream| {
                        let rate: FileRate<'_> = stream.value()?;
                        let plan_id = rate.rate_code.split('.').next().unwrap_or_default();
                        let Some(plan) = plans.get(plan_id) else {
                            *unknown.entry(plan_id.to_owned()).or_default() += 1;
                            return Ok(());
                        };
                        if !rate.discounted_rate.currency.is_empty() {
                            draft.currency(&rate.discounted_rate.currency)?;
                        }
                        let region =
                            if rate.discounted_region_code.is_empty() { &plan.region } else { &*rate.discounted_region_code };
                        add(
                            draft,
                            plan,
                            plan_id,
                            &Words {
                                price: &rate.discounted_rate.price,
                                provider_id: &rate.discounted_sku,
                                service: &rate.discounted_service_code,
                                region,
                                usage_type: &rate.discounted_usage_type,
                                operation: &rate.discounted_operation,
                            },
                        );
                        Ok(())
                    })
                })
            })
        }),
        _ => stream.skip(),
    })?;
    stream.finish()?;
    for (plan, count) in unknown {
        draft.reject_many(&format!("rates of the unknown plan {plan}"), RejectionReason::UnknownTerms, count);
    }
    Ok(())
}

/// Reads an offer file in CSV.
pub(in crate::catalog) fn read_csv(input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input);
    let mut row = StringRecord::new();
    let mut table: Option<Table> = None;
    draft.origin.source = "AWS Savings Plan offer file".into();
    while reader.read_record(&mut row).map_err(malformed(EXPECTED_CSV))? {
        let line = row.position().map_or(0, csv::Position::line);
        let Some(table) = &table else {
            let header = Table::of(&row);
            if header.require(&["sku", "discountedrate"], &row).is_ok() {
                let needed = ["ratecode", "purchaseoption", "leasecontractlength", "productfamily", "discountedusagetype"];
                header.require(&needed, &row).map_err(|error| error.at_line(line))?;
                table = Some(header);
            } else if row.get(0).is_some_and(|cell| cell.trim_start_matches('\u{feff}').eq_ignore_ascii_case("PublicationDate")) {
                draft.origin.price_date = row.get(1).and_then(day).or(draft.origin.price_date);
            }
            continue;
        };
        let get = |name: &str| table.get(&row, name);
        let (Some(years), Some(payment)) = (years(get("leasecontractlength")), payment_option(get("purchaseoption"))) else {
            draft.reject(format!("line {line}: {}", get("ratecode")), RejectionReason::UnknownTerms);
            continue;
        };
        draft.currency(get("currency")).map_err(|error| error.at_line(line))?;
        let region = match get("discountedregioncode") {
            "" => regions::code(get("location")).unwrap_or(get("location")),
            code => code,
        };
        let plan = plan_key(plan_type(get("productfamily")), region, get("instancefamily"), years, payment);
        add(
            draft,
            &plan,
            get("sku"),
            &Words {
                price: get("discountedrate"),
                provider_id: get("discountedsku"),
                service: get("discountedservicecode"),
                region,
                usage_type: get("discountedusagetype"),
                operation: get("discountedoperation"),
            },
        );
    }
    if table.is_none() {
        return Err(Error::from(Problem::Malformed { expected: EXPECTED_CSV }).caused_by("no header with SKU and DiscountedRate"));
    }
    Ok(())
}

/// Reads an answer of `DescribeSavingsPlansOfferingRates`.
pub(in crate::catalog) fn read_rates(input: &mut dyn BufRead, draft: &mut Draft) -> Result<()> {
    let mut stream = JsonStream::new(input, EXPECTED_RATES);
    draft.origin.source = "AWS DescribeSavingsPlansOfferingRates".into();
    stream.object(|stream, key| {
        if key != "searchResults" {
            return stream.skip();
        }
        stream.array(|stream| {
            let rate: OfferingRate<'_> = stream.value()?;
            let offering = &rate.savings_plan_offering;
            let property = |name: &str| rate.properties.iter().find(|property| &*property.name == name).map_or("", |p| &p.value);
            let years = match offering.duration_seconds {
                31_536_000 => Some(1),
                94_608_000 => Some(3),
                _ => None,
            };
            let (Some(years), Some(payment)) = (years, payment_option(&offering.payment_option)) else {
                draft.reject(format!("{} {}", &*offering.offering_id, &*rate.usage_type), RejectionReason::UnknownTerms);
                return Ok(());
            };
            if !offering.currency.is_empty() {
                draft.currency(&offering.currency)?;
            }
            let family =
                if property("instanceFamily").is_empty() { property("instanceType") } else { property("instanceFamily") };
            let plan = plan_key(offering.plan_type.to_string(), property("region"), super::family(family), years, payment);
            add(
                draft,
                &plan,
                &offering.offering_id,
                &Words {
                    price: &rate.rate,
                    provider_id: "",
                    service: &rate.service_code,
                    region: property("region"),
                    usage_type: &rate.usage_type,
                    operation: &rate.operation,
                },
            );
            Ok(())
        })
    })?;
    stream.finish()
}
