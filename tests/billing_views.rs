//! Views of a bill: by day, hour and month, as cash, in the provider's calendar, as indicators, explained.

#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, missing_docs)]

mod common;

use common::{catalog, commitment, estate, plan, price, reservation, usage};
use covermix::billing::{Bill, CashKind, Judge, Rules, indicators};
use covermix::catalog::{Catalog, Offer, OnDemandPrice, SpotPrice};
use covermix::portfolio::{Commitment, Portfolio};
use covermix::time::{Hour, HourGrid};
use covermix::units::{Money, UnitPrice};
use covermix::usage::{PricingCategory, UsageCurves, UsageLine};
use ndarray::Array2;
use rust_decimal::{Decimal, dec};
use serde_json::{Value, json};

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// A provider's estate of one SKU, some hours of one unit, one offer and one commitment to it.
struct Small {
    usage: UsageCurves,
    catalog: Catalog,
    portfolio: Portfolio,
}

fn small(provider: &str, first: &str, hours: usize, offer: Value, quantity: &str, start: &str) -> Small {
    let service = if provider == "gcp" { "Compute Engine" } else { "vm" };
    let sku = json!({"provider": provider, "service": service, "region": "r", "sku": "vm", "unit": "h"});
    let prices: Vec<OnDemandPrice> = vec![read(json!({"id": "vm", "sku": sku, "price": "1", "family": "N1"}))];
    let mut full = json!({"id": "o", "provider": provider, "service": service, "payment_option": "no_upfront", "upfront": "0",
        "recurring": "0", "scopes": ["region", "shared"]});
    full.as_object_mut().unwrap().extend(offer.as_object().unwrap().clone());
    let offer: Offer = read(full);
    let start: chrono::DateTime<chrono::Utc> = start.parse().unwrap();
    let scope = if provider == "aws" && !offer.is_spend_plan() { "region" } else { "shared" };
    let held: Commitment =
        read(json!({"id": "c", "offer": "o", "quantity": quantity, "start": start, "end": offer.term.end(start),
        "account": "a", "scope": {"kind": scope}}));
    let grid = HourGrid { first: first.parse().unwrap(), count: hours };
    let usage =
        UsageCurves::new(grid, vec![UsageLine::new(prices[0].sku.clone(), "a")], Array2::from_elem((hours, 1), 1.0)).unwrap();
    Small {
        usage,
        catalog: Catalog::new("USD", None, "test", prices, vec![offer]).unwrap(),
        portfolio: Portfolio::new(Vec::new(), vec![held]).unwrap(),
    }
}

impl Small {
    fn bill(&self) -> Bill {
        Judge::new(&self.usage, &self.catalog, &self.portfolio, &Rules::default()).unwrap().bill()
    }
}

fn reserved(extra: Value) -> Value {
    let mut offer = json!({"benefit": {"kind": "reservation", "sku": "vm"}});
    offer.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    offer
}

fn payments(bill: &Bill, kind: CashKind) -> Vec<(String, Decimal)> {
    let of_kind = bill.cash().into_iter().filter(|payment| payment.kind == kind);
    of_kind.map(|payment| (payment.date.to_string(), payment.amount.value().round_dp(9))).collect()
}

fn dated(rows: &[(&str, Decimal)]) -> Vec<(String, Decimal)> {
    rows.iter().map(|(date, amount)| ((*date).to_owned(), *amount)).collect()
}

#[test]
fn days_and_hours_sum_to_months() {
    let quantity = Array2::from_shape_fn((800, 4), |(hour, line)| f64::from(u32::try_from((hour * 3 + line) % 7).unwrap()));
    let (usage, catalog, portfolio) = estate(quantity, &[dec!(1), dec!(2), dec!(0.2), dec!(0.3)]);
    let bill = Judge::new(&usage, &catalog, &portfolio, &Rules::default()).unwrap().bill();
    let total = bill.total();
    let close = |a: Money, b: Money| (a - b).value().abs() < dec!(0.000000000001);
    let by_day = bill.days();
    assert_eq!((by_day.len(), bill.months().len()), (34, 2));
    let hours = bill.hours(0..800);
    assert_eq!(hours.len(), 800);
    for sum in [
        by_day.values().copied().fold(Default::default(), |mut sum: covermix::billing::Charges, day| {
            sum += day;
            sum
        }),
        hours.iter().fold(Default::default(), |mut sum: covermix::billing::Charges, (_, hour)| {
            sum += *hour;
            sum
        }),
    ] {
        assert!(close(sum.cost(), total.cost()) && close(sum.on_demand, total.on_demand));
        assert!(close(sum.unused_commitment, total.unused_commitment) && close(sum.amortised_upfront, total.amortised_upfront));
    }
    // One hour's lines, and the same in words.
    let hour = usage.grid().hour(5);
    let lines = bill.lines_in(hour).unwrap();
    let quantity: Decimal = lines.iter().map(|line| line.quantity).sum();
    assert_eq!(quantity, usage.at(5).iter().map(|quantity| Decimal::try_from(*quantity).unwrap()).sum::<Decimal>());
    let text = bill.explain(hour).unwrap().to_string();
    assert!(text.starts_with(&format!("hour {hour}\n   1. ri-r5 on")), "{text}");
    assert!(bill.explain(Hour::from_epoch(0)).is_none() && bill.lines_in(Hour::from_epoch(0)).is_none());
}

#[test]
fn aws_books_reservations_by_month_and_plans_by_hour() {
    let first = "2023-01-30T00:00:00Z";
    let partial = reserved(json!({"term": "P365D", "payment_option": "partial_upfront", "upfront": "100", "recurring": "0.01"}));
    let bill = small("aws", first, 24 * 32, partial, "2", "2023-01-30T10:20:00Z").bill();
    assert_eq!(payments(&bill, CashKind::Upfront), dated(&[("2023-01-30", dec!(200))]));
    // 38 hours of January from the hour of the purchase, all of February, all of March though the usage ends on the 2nd.
    let fees = dated(&[("2023-01-30", dec!(0.76)), ("2023-02-01", dec!(13.44)), ("2023-03-01", dec!(14.88))]);
    assert_eq!(payments(&bill, CashKind::Recurring), fees);
    let plan =
        json!({"benefit": {"kind": "spend_plan", "plan": "Compute", "rates": {"vm": "0.5"}}, "term": "P365D", "recurring": "1"});
    let bill = small("aws", first, 48, plan, "0.25", "2023-01-30T20:00:00Z").bill();
    assert_eq!(payments(&bill, CashKind::Recurring), dated(&[("2023-01-30", dec!(1)), ("2023-01-31", dec!(6))]));
    assert_eq!(payments(&bill, CashKind::OnDemand), dated(&[("2023-01-30", dec!(22)), ("2023-01-31", dec!(12))]));
}

#[test]
fn azure_takes_equal_instalments() {
    let monthly = reserved(json!({"term": "P1Y", "recurring": "0.1369863013698630136986301370"}));
    let bill = small("azure", "2023-01-01T00:00:00Z", 24 * 59, monthly, "1", "2023-01-15T00:00:00Z").bill();
    assert_eq!(payments(&bill, CashKind::Recurring), dated(&[("2023-01-15", dec!(100)), ("2023-02-15", dec!(100))]));
    // The amortised month is not the instalment: 17 days of January and February's 28 of 365.
    let months: Vec<Decimal> = bill.months().values().map(|month| month.commitment().value().round_dp(6)).collect();
    assert_eq!(months, [dec!(55.890411), dec!(92.054795)]);
    // A term over 29 February has 366 days.
    let upfront = reserved(json!({"term": "P1Y", "payment_option": "all_upfront", "upfront": "12016"}));
    let bill = small("azure", "2019-11-01T00:00:00Z", 720, upfront, "1", "2019-10-23T00:00:00Z").bill();
    assert_eq!(bill.total().commitment().value().round_dp(3), dec!(984.918));
    assert!(payments(&bill, CashKind::Upfront).is_empty());
}

#[test]
fn google_bills_pacific_days_and_months() {
    // From 7 AM UTC of 1 June (midnight in California) for a day and an hour, and the last hours of May before.
    let offer = reserved(json!({"term": "P1Y", "recurring": "0.5"}));
    let bill = small("gcp", "2026-06-01T05:00:00Z", 27, offer, "0.25", "2026-05-01T07:00:00Z").bill();
    let days: Vec<(String, Decimal)> =
        bill.days().into_iter().map(|(day, charges)| (day.to_string(), charges.on_demand.value())).collect();
    assert_eq!(days, dated(&[("2026-05-31", dec!(1.5)), ("2026-06-01", dec!(18)), ("2026-06-02", dec!(0.75))]));
    let months: Vec<(String, Decimal)> =
        bill.months().iter().map(|(month, charges)| (month.to_string(), charges.commitment().value())).collect();
    assert_eq!(months, dated(&[("2026-05", dec!(0.25)), ("2026-06", dec!(3.125))]));
    assert_eq!(bill.commitments_in("2026-05-15T00:00:00Z".parse::<Hour>().unwrap().month())[0].hours, dec!(2));
    assert_eq!(payments(&bill, CashKind::Recurring).len(), 3);
}

#[test]
fn sustained_use_discounts_fall_on_days_and_lines() {
    // All of June, half of the unit covered: 30 % of the other half, on days, the line and FOCUS rows alike.
    let offer = reserved(json!({"term": "P1Y", "recurring": "0.5"}));
    let small = small("gcp", "2026-06-01T07:00:00Z", 720, offer, "0.5", "2026-05-01T07:00:00Z");
    let judge = Judge::new(&small.usage, &small.catalog, &small.portfolio, &Rules::default()).unwrap();
    let bill = judge.bill();
    let total = bill.total();
    assert_eq!(total.sustained_use_discount.value(), dec!(108));
    let of_days: Money = bill.days().values().map(|day| day.sustained_use_discount).sum();
    let of_hours: Money = bill.hours(0..720).iter().map(|(_, hour)| hour.sustained_use_discount).sum();
    assert_eq!((of_days.to_cents(), of_hours.to_cents()), (Money::new(dec!(108)), Money::new(dec!(108))));
    assert_eq!(bill.lines()[0].sustained_use_discount.to_cents(), Money::new(dec!(108)));
    let rows = judge.focus_rows(0..720, "USD").unwrap();
    let effective: Decimal = rows.iter().map(|row| row.effective_cost).sum();
    assert_eq!(effective.round_dp(9), total.cost().value().round_dp(9));
    assert_eq!(rows[0].billing_period_start.to_rfc3339(), "2026-06-01T07:00:00+00:00");
}

/// One bill has a savings rate of 25.0, 18.2 or 7.4 % by its basis: usage at 120 list, 110 contracted, 90 effective; without spot 81
/// contracted and 75 effective.
#[test]
fn one_bill_has_three_savings_rates() {
    let negotiated = |id: &str, own: &str, list: Decimal| {
        let mut price = price(id, own, None);
        price.list_price = Some(UnitPrice::new(list));
        price
    };
    let prices = vec![negotiated("a", "0.9", dec!(1)), negotiated("b", "0.9", dec!(1)), negotiated("s", "29", dec!(30))];
    let spot: SpotPrice = read(json!({"id": "spot", "sku": prices[2].sku, "price": "15"}));
    let plain = usage(&prices, &[("a", "x"), ("b", "x"), ("s", "x")], ndarray::array![[60.0, 30.0, 1.0]]);
    let mut lines = plain.lines().to_vec();
    lines[2].pricing = PricingCategory::Spot;
    let usage = UsageCurves::new(plain.grid(), lines, plain.quantity().clone()).unwrap();
    let catalog = catalog(prices, vec![plan("sp", "Compute", &[("a", "0.6")], "0", "1")]).with_spot(vec![spot]).unwrap();
    let portfolio = Portfolio::new(Vec::new(), vec![commitment("sp", dec!(48), "x", "shared")]).unwrap();
    let judge = Judge::new(&usage, &catalog, &portfolio, &Rules::default()).unwrap();
    let rows = judge.focus_rows(0..1, "USD").unwrap();
    let percent = |ratio: Option<f64>| format!("{:.1}", ratio.unwrap() * 100.0);
    assert_eq!(percent(indicators::effective_savings_rate_list(&rows)), "25.0");
    assert_eq!(percent(indicators::effective_savings_rate_contracted(&rows)), "18.2");
    assert_eq!(percent(indicators::effective_savings_rate_contracted_without_spot(&rows)), "7.4");
    assert_eq!(percent(indicators::utilisation_effective(&rows)), "75.0");
    assert_eq!(percent(indicators::waste_effective(&rows)), "25.0");
    assert_eq!(percent(indicators::coverage_list(&rows)), "66.7");
    assert_eq!(indicators::unused_cost(&rows), dec!(12));
    // The bill has no spot in it: its contracted rate is the one without.
    let total = judge.bill().total();
    assert_eq!(percent(total.effective_savings_rate_contracted()), "7.4");
    assert_eq!(percent(total.effective_savings_rate_list()), percent(Some(1.0 - 75.0 / 90.0)));
    assert_eq!(
        (percent(total.utilisation_effective()), percent(total.waste_effective())),
        ("75.0".to_owned(), "25.0".to_owned())
    );
}

#[test]
fn spot_needs_a_price_and_the_free_tier_is_free() {
    let prices = vec![price("vm", "1", None)];
    let with = |pricing| {
        let plain = usage(&prices, &[("vm", "a")], Array2::from_elem((1, 1), 2.0));
        let mut lines = plain.lines().to_vec();
        lines[0].pricing = pricing;
        UsageCurves::new(plain.grid(), lines, plain.quantity().clone()).unwrap()
    };
    let catalog = catalog(prices.clone(), vec![reservation("ri", "vm", None, "0", "0.6")]);
    let rows = |usage: &UsageCurves| {
        Judge::new(usage, &catalog, &Portfolio::default(), &Rules::default()).unwrap().focus_rows(0..1, "USD")
    };
    let free = rows(&with(PricingCategory::FreeTier)).unwrap();
    assert_eq!((free[0].pricing_category.as_str(), free[0].billed_cost, free[0].list_cost), ("Standard", dec!(0), dec!(0)));
    let message = rows(&with(PricingCategory::Spot)).unwrap_err().to_string();
    assert!(message.contains("spot") && message.contains("vm"), "{message}");
}

#[test]
fn bad_input_names_the_item() {
    let prices = || vec![price("vm", "1", None)];
    let curves = usage(&prices(), &[("vm", "a")], Array2::from_elem((1, 1), 1.0));
    let plain = catalog(prices(), vec![reservation("ri", "vm", None, "0", "0.6")]);
    let judged = |offers: Vec<Offer>, held: Vec<Commitment>, rules: &Rules| -> Result<Bill, String> {
        let portfolio = Portfolio::new(offers, held).map_err(|error| error.to_string())?;
        Judge::new(&curves, &plain, &portfolio, rules).map(|judge| judge.bill()).map_err(|error| error.to_string())
    };
    let error = |offers, held| judged(offers, held, &Rules::default()).unwrap_err();
    let ri = |id: &str| Commitment { id: id.into(), ..commitment("ri", dec!(1), "a", "region") };
    let message = error(vec![], vec![Commitment { offer: "nowhere".into(), ..ri("r1") }]);
    assert!(message.contains("nowhere") && message.contains("r1"), "{message}");
    let message = error(vec![], vec![ri("twice"), ri("twice")]);
    assert!(message.contains("twice"), "{message}");
    let message = error(vec![], vec![Commitment { end: "2022-01-01T00:00:00Z".parse().unwrap(), ..ri("backwards") }]);
    assert!(message.contains("backwards") && message.contains("2022-01-01"), "{message}");
    let subscription = covermix::portfolio::Scope::Subscription { subscription: "s".into() };
    let message = error(vec![], vec![Commitment { scope: subscription, ..ri("elsewhere") }]);
    assert!(message.contains("elsewhere") && message.contains("Subscription"), "{message}");
    let unknown: Result<covermix::portfolio::Scope, _> = serde_json::from_value(json!({"kind": "galaxy"}));
    assert!(unknown.unwrap_err().to_string().contains("galaxy"));
    // A plan bought before a price cut: its rate is above on demand now.
    let dear = || vec![plan("dear", "Compute", &[("vm", "1.2")], "0", "1")];
    let held = || vec![commitment("dear", dec!(1), "a", "shared")];
    let message = error(dear(), held());
    assert!(message.contains("dear") && message.contains("1.2") && message.contains("rates.vm"), "{message}");
    let allowed: Rules = read(json!({"rates_above_on_demand": "allowed"}));
    let bill = judged(dear(), held(), &allowed).unwrap();
    assert_eq!((bill.total().on_demand, bill.total().unused_commitment), (Money::new(dec!(1)), Money::new(dec!(1))));
    // A commitment without eligible usage is legal, and waste.
    let idle = plan("idle", "Compute", &[], "0", "1");
    let bill = judged(vec![idle], vec![commitment("idle", dec!(3), "a", "shared")], &Rules::default()).unwrap();
    assert_eq!(bill.waste()[0].charges.unused_commitment, Money::new(dec!(3)));
    assert_eq!(bill.commitments()[0].utilisation(), Some(0.0));
}
