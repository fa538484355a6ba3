//! The case: a company that spends about two million USD a year, half of it on steady services.

use chrono::{DateTime, NaiveDate, Utc};
use covermix::Result;
use covermix::catalog::Catalog;
use covermix::finance::agreement::{Spend, SpendKind, Tier, TierTable, contract, growing};
use covermix::planning::Policy;
use covermix::planning::agreement::{OfferedAgreement, OtherSpend};
use covermix::portfolio::Portfolio;
use covermix::time::{Hour, HourGrid};
use covermix::units::UnitPrice;
use covermix::usage::{PricingCategory, Provider, UsageCurves, UsageLine};
use ndarray::Array2;
use rust_decimal::{Decimal, dec};
use serde_json::json;

/// Hours of 2027 to 2029.
const HOURS: usize = 1096 * 24;

/// All that is decided on.
pub(crate) struct Case {
    pub(crate) catalog: Catalog,
    pub(crate) portfolio: Portfolio,
    pub(crate) scenarios: Vec<(&'static str, f64, UsageCurves)>,
    pub(crate) offers: Vec<OfferedAgreement>,
    pub(crate) other: Vec<OtherSpend>,
    pub(crate) dates: Vec<DateTime<Utc>>,
}

impl Case {
    pub(crate) fn new() -> Result<Self> {
        let catalog = catalog()?;
        let portfolio = Portfolio::from_json(
            r#"{"schema": "covermix-portfolio/1", "currency": "USD", "commitments": [{
                "id": "plan of 2026", "offer": "sp-1y", "quantity": "30", "start": "2026-07-01T00:00:00Z", "end": "2027-07-01T00:00:00Z",
                "account": "", "scope": {"kind": "shared"}}]}"#,
            &catalog,
        )?;
        let scenarios =
            vec![("decline", 0.25, usage(-0.08)?), ("growth", 0.5, usage(0.06)?), ("fast growth", 0.25, usage(0.18)?)];
        let dates = ["2027-01-01", "2028-01-01"].iter().filter_map(|date| format!("{date}T00:00:00Z").parse().ok()).collect();
        Ok(Self { catalog, portfolio, scenarios, offers: offers()?, other: marketplace(), dates })
    }

    /// Plans in steps of 5 USD an hour.
    pub(crate) fn policy(&self) -> Policy {
        Policy { spend_plan_increment: dec!(5), ..Policy::default() }
    }
}

fn catalog() -> Result<Catalog> {
    let sku = |sku: &str, service: &str| json!({"provider": "aws", "service": service, "region": "us-east-1", "sku": sku});
    let price = |id: &str, service: &str, price: &str| json!({"id": id, "sku": sku(id, service), "price": price});
    let offer = |id: &str, benefit: serde_json::Value, term: &str, recurring: &str, scope: &str| {
        json!({"id": id, "provider": "aws", "service": "AmazonEC2", "benefit": benefit, "term": term, "payment_option": "no_upfront",
            "upfront": "0", "recurring": recurring, "scopes": [scope]})
    };
    let plan = |large: &str, function: &str| json!({"kind": "spend_plan", "plan": "Compute", "rates": {"m5.4xlarge": large, "function": function}});
    let reservation = json!({"kind": "reservation", "sku": "m5.4xlarge"});
    let read = |prices: Vec<serde_json::Value>, offers: Vec<serde_json::Value>| -> std::result::Result<_, serde_json::Error> {
        let prices = prices.into_iter().map(serde_json::from_value).collect::<std::result::Result<Vec<_>, _>>()?;
        Ok((prices, offers.into_iter().map(serde_json::from_value).collect::<std::result::Result<Vec<_>, _>>()?))
    };
    let parsed = read(
        vec![
            price("m5.4xlarge", "AmazonEC2", "0.768"),
            price("function", "AWSLambda", "0.06"),
            price("database", "AmazonRDS", "1.2"),
        ],
        vec![
            offer("sp-1y", plan("0.560", "0.052"), "P365D", "1", "shared"),
            offer("sp-3y", plan("0.400", "0.049"), "P1095D", "1", "shared"),
            offer("ri-1y", reservation, "P365D", "0.484", "region"),
        ],
    );
    let shape = || covermix::Error::from(covermix::Problem::Malformed { expected: "a catalog" });
    let (prices, offers) = parsed.map_err(|error| shape().caused_by(error))?;
    Catalog::new("USD", None, "invented for examples/negotiate", prices, offers)
}

/// Hourly usage of three years that grows by a share a year: machines by day and by night, functions, a database without commitments,
/// and batch work on spot.
fn usage(growth: f64) -> Result<UsageCurves> {
    let line = |sku: &str, service: &str, account: &str| {
        let sku = covermix::usage::Sku {
            provider: Provider::Aws,
            service: service.into(),
            region: "us-east-1".into(),
            sku: sku.into(),
            platform: String::new(),
            tenancy: String::new(),
            unit: String::new(),
        };
        UsageLine::new(sku, account)
    };
    let mut spot = line("m5.4xlarge", "AmazonEC2", "batch");
    (spot.pricing, spot.billed_price) = (PricingCategory::Spot, Some(UnitPrice::new(dec!(0.29))));
    let lines = vec![
        line("m5.4xlarge", "AmazonEC2", "web"),
        line("function", "AWSLambda", "web"),
        line("database", "AmazonRDS", "web"),
        spot,
    ];
    let first =
        Hour::containing(NaiveDate::from_ymd_opt(2027, 1, 1).unwrap_or_default().and_time(chrono::NaiveTime::MIN).and_utc());
    let quantity = Array2::from_shape_fn((HOURS, lines.len()), |(hour, line)| {
        let years = (hour as f64 / 8766.0).floor();
        let level = (1.0 + growth).powf(years);
        let day = (hour % 24) as f64;
        let swing = 1.0 + 0.25 * ((day - 14.0) / 24.0 * std::f64::consts::TAU).cos();
        let weekend = if hour.div_euclid(24) % 7 >= 5 { 0.85 } else { 1.0 };
        let value = match line {
            0 => 210.0 * swing * weekend,
            1 => 300.0 * swing,
            2 => 26.0,
            _ => 60.0,
        };
        (value * level).round()
    });
    UsageCurves::new(HourGrid { first, count: HOURS }, lines, quantity)
}

/// Three tiers of a three-year AWS agreement with minimums that grow by 5 % a year, and none.
fn offers() -> Result<Vec<OfferedAgreement>> {
    let wrong = |error: covermix::finance::Error| {
        covermix::Error::from(covermix::Problem::Malformed { expected: "the terms of an agreement" }).caused_by(error)
    };
    let tier = |commit, discount| Tier { commit, discount };
    let table =
        TierTable::new(vec![tier(dec!(1000000), dec!(0.05)), tier(dec!(1450000), dec!(0.075)), tier(dec!(1700000), dec!(0.10))])
            .map_err(wrong)?;
    let start = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap_or_default();
    let mut offers = vec![OfferedAgreement::none()];
    for tier in table.tiers() {
        let minimums = growing(tier.commit, dec!(0.05), 3).map_err(wrong)?;
        let terms = contract::aws_enterprise_discount(start, &minimums).map_err(wrong)?;
        let name = format!("{} thousand a year, growing 5 %", (tier.commit / Decimal::ONE_THOUSAND).normalize());
        offers.push(OfferedAgreement::cross_service(name, Provider::Aws, tier.discount, terms));
    }
    Ok(offers)
}

/// Marketplace purchases of 320 thousand a year.
fn marketplace() -> Vec<OtherSpend> {
    let year = |year: i32| OtherSpend {
        scenario: None,
        provider: Provider::Aws,
        spend: Spend {
            date: NaiveDate::from_ymd_opt(year, 3, 1).unwrap_or_default(),
            kind: SpendKind::Marketplace,
            item: "Marketplace".into(),
            gross: dec!(320000),
            net: dec!(320000),
        },
    };
    (2027..2030).map(year).collect()
}

/// An amount in thousands.
pub(crate) fn thousands(amount: f64) -> String {
    format!("{:.1}", amount / 1000.0)
}
