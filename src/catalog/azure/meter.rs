//! What a retail price row prices: Azure says it in names, not in fields. Operating system, spot, promotion and dedicated host stand in
//! `productName`, `skuName` and `meterName`; the size is `armSkuName`, or has to be made from `skuName` where that field is missing.

use super::document::Row;
use super::products;
use super::{INSTANCE_HOUR, LINUX, VIRTUAL_MACHINES, WINDOWS};
use crate::catalog::RejectionReason;
use crate::time::Term;
use crate::usage::{Provider, Sku};
use rust_decimal::Decimal;

/// How a row's price is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purchase {
    OnDemand,
    Spot,
    LowPriority,
    Reservation(Term),
}

/// A row understood.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    pub sku: Sku,
    pub family: String,
    pub purchase: Purchase,
    /// The list price of one unit; of a whole term for a reservation.
    pub price: Decimal,
    /// The location's name in meters, `FR Central`.
    pub location: String,
    pub meter_id: String,
    pub plan_rates: Vec<(Term, Decimal)>,
    /// Terms of plan rates that could not be read.
    pub unknown_plan_terms: Vec<String>,
    /// Rows of the same thing are ranked by this; the smallest is its price.
    pub rank: Rank,
}

/// First tier before others, standard before promotional meters, primary meters before others, meters with a plan rate before those
/// without, later before earlier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    tier: Decimal,
    is_expired: bool,
    is_secondary: bool,
    has_no_plan: bool,
    start: std::cmp::Reverse<String>,
    ids: (String, String),
}

fn text(field: Option<&String>) -> &str {
    field.map_or("", |text| text.trim())
}

/// What a row is called in a list of rejections.
pub(super) fn describe(row: &Row) -> String {
    let fields = [&row.product_name, &row.sku_name, &row.meter_name, &row.arm_region_name, &row.r#type, &row.reservation_term];
    let mut words: Vec<&str> = fields.into_iter().map(|field| text(field.as_ref())).filter(|word| !word.is_empty()).collect();
    words.dedup();
    words.join(" / ")
}

/// Understands a row.
pub(super) fn read(row: &Row) -> Result<Meter, RejectionReason> {
    let product = text(row.product_name.as_ref());
    let (sku_name, meter_name) = (text(row.sku_name.as_ref()), text(row.meter_name.as_ref()));
    let kind = text(row.r#type.as_ref());
    if product.is_empty() || (sku_name.is_empty() && text(row.arm_sku_name.as_ref()).is_empty()) {
        return Err(RejectionReason::Incomplete);
    }
    let mut price = match &row.retail_price {
        None => return Err(RejectionReason::NoPrice),
        Some(number) => number.0.ok_or(RejectionReason::UnreadablePrice)?,
    };
    if price <= Decimal::ZERO {
        return Err(RejectionReason::NoPrice);
    }
    let is_named = |word: &str| sku_name.contains(word) || meter_name.contains(word);
    let purchase = match (kind, text(row.reservation_term.as_ref())) {
        ("Reservation", words) => Purchase::Reservation(term(words).ok_or(RejectionReason::UnknownTerms)?),
        ("Consumption" | "DevTestConsumption", "") if is_named("Low Priority") => Purchase::LowPriority,
        ("Consumption" | "DevTestConsumption", "") if is_named("Spot") => Purchase::Spot,
        ("Consumption" | "DevTestConsumption", "") => Purchase::OnDemand,
        _ => return Err(RejectionReason::UnknownTerms),
    };
    let mut sku = sku(row, product, sku_name, meter_name);
    if kind == "DevTestConsumption" {
        sku.platform = format!("{} (Dev/Test)", sku.platform).trim_start().to_owned();
    }
    let (count, unit) = unit(text(row.unit_of_measure.as_ref()));
    if sku.unit.is_empty() {
        sku.unit = unit;
    }
    if !matches!(purchase, Purchase::Reservation(_)) {
        price /= count;
    }
    let mut plan_rates = Vec::new();
    let mut unknown_plan_terms = Vec::new();
    for rate in row.savings_plan.iter().flatten() {
        let words = text(rate.term.as_ref());
        match (term(words), rate.retail_price.or(rate.unit_price).and_then(|number| number.0)) {
            (Some(term), Some(price)) => plan_rates.push((term, price / count)),
            _ => unknown_plan_terms.push(words.to_owned()),
        }
    }
    if let Some(rate) = row.savings_plan_price.and_then(|number| number.0) {
        plan_rates.push((Term::Months(12), rate / count));
    }
    Ok(Meter {
        family: products::series(&sku.sku).filter(|_| sku.service == VIRTUAL_MACHINES).unwrap_or_default(),
        purchase,
        price,
        location: text(row.location.as_ref()).to_owned(),
        meter_id: text(row.meter_id.as_ref()).to_owned(),
        rank: Rank {
            tier: row.tier_minimum_units.and_then(crate::units::to_decimal).unwrap_or_default(),
            is_expired: meter_name.contains("Expired"),
            is_secondary: row.is_primary_meter_region == Some(false),
            has_no_plan: plan_rates.is_empty(),
            start: std::cmp::Reverse(text(row.effective_start_date.as_ref()).to_owned()),
            ids: (text(row.sku_id.as_ref()).to_owned(), text(row.meter_id.as_ref()).to_owned()),
        },
        plan_rates,
        unknown_plan_terms,
        sku,
    })
}

/// A term in the API's words: `1 Year`, `3 Years`, `1 Month`, `5 Years`.
fn term(words: &str) -> Option<Term> {
    let (count, unit) = words.split_once(' ')?;
    let count: u32 = count.parse().ok().filter(|count| (1..=100).contains(count))?;
    match unit {
        "Year" | "Years" => Some(Term::Months(12 * count)),
        "Month" | "Months" => Some(Term::Months(count)),
        _ => None,
    }
}

/// How many units one price is for, and the unit: `1 Hour` is 1 `hour`, `10K` is 10,000 (nameless), `100 GB/Month` is 100 `GB/Month`,
/// `1/Hour` is 1 `hour`.
fn unit(measure: &str) -> (Decimal, String) {
    let digits = measure.len() - measure.trim_start_matches(|character: char| character.is_ascii_digit()).len();
    let mut count = measure[..digits].parse::<Decimal>().ok().filter(|count| *count > Decimal::ZERO).unwrap_or(Decimal::ONE);
    let mut rest = measure[digits..].trim_start();
    for (letter, factor) in [("K", 1_000), ("M", 1_000_000), ("B", 1_000_000_000)] {
        if rest == letter {
            count *= Decimal::from(factor);
            rest = "";
        }
    }
    let name = match rest.trim_start_matches('/') {
        "Hour" | "Hours" => "hour",
        other => other,
    };
    (count, name.to_owned())
}

/// The add-on of SQL databases that is metered and reserved apart; rows say so in names alone.
const ZONE_REDUNDANCY: &str = "Zone Redundancy";

fn sku(row: &Row, product: &str, sku_name: &str, meter_name: &str) -> Sku {
    let service = text(row.service_name.as_ref());
    let service = if service.is_empty() { VIRTUAL_MACHINES } else { service }; // the reduced shape is of machines alone
    let region = text(row.arm_region_name.as_ref()).to_lowercase();
    let region = if region == "global" { String::new() } else { region };
    let arm = text(row.arm_sku_name.as_ref());
    let compact = product.replace(' ', "");
    let base = |service: &str, sku: String, platform: &str, tenancy: &str, unit: &str| Sku {
        provider: Provider::Azure,
        service: service.into(),
        region: region.clone(),
        sku,
        platform: platform.into(),
        tenancy: tenancy.into(),
        unit: unit.into(),
    };
    if service != VIRTUAL_MACHINES {
        let platform = if sku_name.contains(ZONE_REDUNDANCY) || meter_name.contains(ZONE_REDUNDANCY) {
            ZONE_REDUNDANCY // a meter beside the vCores', with reservations of its own
        } else if product.contains("Windows") {
            WINDOWS
        } else if product.contains("Linux") {
            LINUX
        } else {
            ""
        };
        let name = match (arm, meter_name) {
            ("", "") => format!("{product}/{sku_name}"),
            ("", meter) => format!("{product}/{meter}"),
            (arm, _) => arm.to_owned(),
        };
        return base(service, name, platform, "", "");
    }
    if compact.contains("DedicatedHost") {
        let name = if arm.is_empty() { host_name(product, sku_name) } else { arm.replace(" _", "_").replace(' ', "") };
        return base(service, name, "", "host", INSTANCE_HOUR);
    }
    let plain = sku_name.trim_end_matches(" Spot").trim_end_matches(" Low Priority").trim();
    let mut size = if arm.is_empty() { plain } else { arm }.replace(' ', "_");
    if arm.is_empty() && !size.starts_with("Standard_") {
        let tier = if product.contains("Basic") { "Basic" } else { "Standard" };
        size = format!("{tier}_{size}");
    }
    if arm.is_empty() && product.contains("promo") {
        size.push_str("_Promo");
    }
    let platform = if product.contains("Windows") { WINDOWS } else { LINUX };
    if compact.contains("CloudServices") {
        return base("Cloud Services", size, WINDOWS, "shared", INSTANCE_HOUR);
    }
    base(service, size, platform, "shared", INSTANCE_HOUR)
}

/// The name of a dedicated host as `armSkuName` has it elsewhere: product `Dasv5 Series Dedicated Host`, SKU `Type 1` is `Dasv5_Type1`.
fn host_name(product: &str, sku_name: &str) -> String {
    let series = product.split([' ', '-']).next().unwrap_or_default().to_lowercase();
    let mut letters = series.chars();
    let series: String = letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect();
    format!("{series}_{}", sku_name.replace(' ', ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;
    use test_case::test_case;

    #[test_case("1 Hour", dec!(1), "hour")]
    #[test_case("1/Hour", dec!(1), "hour")]
    #[test_case("100 Hours", dec!(100), "hour")]
    #[test_case("10K", dec!(10_000), "")]
    #[test_case("1 GB/Month", dec!(1), "GB/Month")]
    #[test_case("", dec!(1), "")]
    fn units_have_a_count_and_a_name(measure: &str, count: Decimal, name: &str) {
        assert_eq!(unit(measure), (count, name.to_owned()));
    }

    fn row(product: &str, sku_name: &str, arm: Option<&str>) -> Row {
        Row {
            product_name: Some(product.into()),
            sku_name: Some(sku_name.into()),
            arm_sku_name: arm.map(Into::into),
            ..Row::default()
        }
    }

    #[test_case("Virtual Machines Dsv5 Series", "Standard_D4s_v5", None, "Standard_D4s_v5", "Linux", "shared")]
    #[test_case("Virtual Machines Dsv5 Series Windows", "D4s v5 Spot", None, "Standard_D4s_v5", "Windows", "shared")]
    #[test_case("Virtual Machines A Series Basic", "A2", None, "Basic_A2", "Linux", "shared")]
    #[test_case("Virtual Machines DSv2 promo Series", "DS3 v2", None, "Standard_DS3_v2_Promo", "Linux", "shared")]
    #[test_case(
        "Virtual Machines Easv5 Series",
        "E32-8as v5",
        Some("Standard_E32-8as v5"),
        "Standard_E32-8as_v5",
        "Linux",
        "shared"
    )]
    #[test_case("Dsv5 Series DedicatedHost", "Type 1", None, "Dsv5_Type1", "", "host")]
    #[test_case("Ddsv4 Series Dedicated Host", "Ddsv4 Type 1", Some("Ddsv4_Type 1"), "Ddsv4_Type1", "", "host")]
    #[test_case("Dasv5 Series Cloud Services", "Standard_D2as_v5", None, "Standard_D2as_v5", "Windows", "shared")]
    fn names_tell_what_a_row_prices(
        product: &str,
        name: &str,
        arm: Option<&str>,
        sku_expected: &str,
        platform: &str,
        tenancy: &str,
    ) {
        let sku = sku(&row(product, name, arm), product, name, name);
        assert_eq!((sku.sku.as_str(), sku.platform.as_str(), sku.tenancy.as_str()), (sku_expected, platform, tenancy));
        assert_eq!(sku.service == "Cloud Services", product.contains("Cloud"));
    }
}
