//! A small invented estate for the judge's tests and benchmark.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::needless_pass_by_value, missing_docs)]

use covermix::catalog::{Catalog, Offer, OnDemandPrice};
use covermix::portfolio::{Commitment, Portfolio};
use covermix::time::{Hour, HourGrid};
use covermix::usage::{UsageCurves, UsageLine};
use ndarray::Array2;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub fn price(id: &str, price: &str, pool: Option<(&str, &str)>) -> OnDemandPrice {
    let pools: Vec<Value> = pool.iter().map(|(pool, units)| json!({"pool": pool, "units": units})).collect();
    let sku = json!({"provider": "aws", "service": "AmazonEC2", "region": "us-east-1", "sku": id, "unit": "Hour"});
    serde_json::from_value(json!({"id": id, "sku": sku, "price": price, "pools": pools})).unwrap()
}

pub fn reservation(id: &str, sku: &str, pool: Option<(&str, &str)>, upfront: &str, recurring: &str) -> Offer {
    let mut benefit = json!({"kind": "reservation", "sku": sku});
    if let Some((pool, units)) = pool {
        benefit["pool"] = json!({"pool": pool, "units": units});
    }
    offer(id, benefit, upfront, recurring)
}

pub fn plan(id: &str, plan: &str, rates: &[(&str, &str)], upfront: &str, recurring: &str) -> Offer {
    let rates: BTreeMap<_, _> = rates.iter().copied().collect();
    offer(id, json!({"kind": "spend_plan", "plan": plan, "rates": rates}), upfront, recurring)
}

fn offer(id: &str, benefit: Value, upfront: &str, recurring: &str) -> Offer {
    let offer = json!({"id": id, "provider": "aws", "service": "AmazonEC2", "benefit": benefit, "term": "P365D",
        "payment_option": "partial_upfront", "upfront": upfront, "recurring": recurring, "scopes": ["region", "shared", "availability_zone"]});
    serde_json::from_value(offer).unwrap()
}

pub fn commitment(offer: &str, quantity: Decimal, account: &str, scope: &str) -> Commitment {
    let held = json!({"id": offer, "offer": offer, "quantity": quantity.to_string(), "start": "2023-01-01T00:00:00Z",
        "end": "2024-01-01T00:00:00Z", "account": account, "scope": {"kind": scope}});
    serde_json::from_value(held).unwrap()
}

pub fn usage(prices: &[OnDemandPrice], lines: &[(&str, &str)], quantity: Array2<f64>) -> UsageCurves {
    let line = |(id, account): &(&str, &str)| {
        let sku = prices.iter().find(|price| price.id == *id).unwrap().sku.clone();
        UsageLine { tags: BTreeMap::from([("team".to_owned(), format!("team of {account}"))]), ..UsageLine::new(sku, *account) }
    };
    let first: Hour = "2023-01-01T00:00:00Z".parse().unwrap();
    let grid = HourGrid { first, count: quantity.nrows() };
    UsageCurves::new(grid, lines.iter().map(line).collect(), quantity).unwrap()
}

pub fn catalog(prices: Vec<OnDemandPrice>, offers: Vec<Offer>) -> Catalog {
    Catalog::new("USD", None, "test", prices, offers).unwrap()
}

/// Four SKUs in two accounts, and offers on them: two reservations, an EC2 Instance and a Compute plan.
pub fn estate(quantity: Array2<f64>, bought: &[Decimal; 4]) -> (UsageCurves, Catalog, Portfolio) {
    let prices = vec![
        price("m5.large", "0.096", Some(("m5", "4"))),
        price("m5.xlarge", "0.2", Some(("m5", "8"))),
        price("r5.large", "0.126", None),
        price("c5.large", "0.085", None),
    ];
    let lines = [("m5.large", "a"), ("m5.xlarge", "b"), ("r5.large", "a"), ("c5.large", "b")];
    let usage = usage(&prices, &lines, quantity);
    let all = [("m5.large", "0.07"), ("m5.xlarge", "0.13"), ("r5.large", "0.09"), ("c5.large", "0.06")];
    let offers = vec![
        reservation("ri-m5", "m5.large", Some(("m5", "4")), "260", "0.03"),
        reservation("ri-r5", "r5.large", None, "0", "0.08"),
        plan("sp-m5", "EC2Instance", &[("m5.large", "0.06"), ("m5.xlarge", "0.12")], "0", "1"),
        plan("sp", "Compute", &all, "4380", "0.5"),
    ];
    let ids = [("ri-m5", "region"), ("ri-r5", "region"), ("sp-m5", "shared"), ("sp", "shared")];
    let held = ids.iter().zip(bought).filter(|(_, quantity)| **quantity > Decimal::ZERO);
    let held = held.map(|((id, scope), quantity)| commitment(id, *quantity, "a", scope)).collect();
    (usage, catalog(prices, offers), Portfolio::new(Vec::new(), held).unwrap())
}
