//! Laws of the judge that hold for every provider, on random estates: usage is conserved and never covered twice, nothing serves outside
//! of its scope or its hours, input order means nothing, a commitment more never covers less, attributions sum to the bill, parts of an
//! hour sum to the hour.

#![allow(clippy::unwrap_used, missing_docs)]

use covermix::billing::attribution::{AttributionKey, SharingRule};
use covermix::billing::{Bill, Charges, Judge, Rules};
use covermix::catalog::{Catalog, Offer, OnDemandPrice};
use covermix::portfolio::{Commitment, Portfolio};
use covermix::time::HourGrid;
use covermix::units::Money;
use covermix::usage::{UsageCurves, UsageLine};
use ndarray::Array2;
use proptest::prelude::*;
use rust_decimal::{Decimal, dec};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const HOURS: usize = 36;
const PROVIDERS: [&str; 3] = ["aws", "azure", "gcp"];
/// Id, price, pool units, family; the lines of each run in accounts a and b.
const SKUS: [(&str, &str, Option<&str>, &str); 4] =
    [("s1", "0.1", Some("1"), "N1"), ("s2", "0.21", Some("2"), "N1"), ("r1", "0.126", None, "N2"), ("c1", "0.085", None, "")];

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn service(provider: &str) -> &'static str {
    if provider == "gcp" { "Compute Engine" } else { "vm" }
}

/// What random input describes: the quantity of each line by hour in quarters, what is bought of each offer, and hours of the term.
#[derive(Clone, Debug)]
struct Estate {
    provider: &'static str,
    quarters: Vec<[u32; 8]>,
    bought: [u32; 5],
    /// Start and end of the third commitment within the grid.
    term: (usize, usize),
}

fn estate() -> impl Strategy<Value = Estate> {
    let hours = prop::collection::vec(prop::array::uniform8(0u32..60), HOURS);
    let term = (0usize..HOURS, 1usize..HOURS).prop_map(|(start, length)| (start, (start + length).min(HOURS + 10)));
    (0usize..3, hours, prop::array::uniform5(0u32..12), term).prop_map(|(provider, quarters, bought, term)| Estate {
        provider: PROVIDERS[provider],
        quarters,
        bought,
        term,
    })
}

impl Estate {
    fn prices(&self) -> Vec<OnDemandPrice> {
        let price = |(id, price, units, family): &(&str, &str, Option<&str>, &str)| {
            let sku =
                json!({"provider": self.provider, "service": service(self.provider), "region": "r", "sku": id, "unit": "h"});
            let pools: Vec<Value> = units.iter().map(|units| json!({"pool": "s", "units": units})).collect();
            read(json!({"id": id, "sku": sku, "price": price, "family": family, "pools": pools}))
        };
        SKUS.iter().map(price).collect()
    }

    fn offers(&self) -> Vec<Offer> {
        let (term, wide, own) = match self.provider {
            "aws" => ("P365D", "shared", "region"),
            "azure" => ("P1Y", "shared", "subscription"),
            _ => ("P1Y", "shared", "project"),
        };
        let offer = |id: &str, benefit: Value, upfront: &str, recurring: &str| {
            read(json!({"id": id, "provider": self.provider, "service": service(self.provider), "benefit": benefit, "term": term,
                "payment_option": "partial_upfront", "upfront": upfront, "recurring": recurring, "scopes": [wide, own, "region"]}))
        };
        let (narrow, broad) = match self.provider {
            "aws" => ("EC2Instance", "Compute"),
            "azure" => ("Compute", "Compute"),
            _ => ("Cloud Run", "Compute flexible"),
        };
        let rates = json!({"s1": "0.07", "s2": "0.13", "r1": "0.09", "c1": "0.06"});
        vec![
            offer("pool", json!({"kind": "reservation", "sku": "s1", "pool": {"pool": "s", "units": "1"}}), "260", "0.03"),
            offer("own", json!({"kind": "reservation", "sku": "s1", "pool": {"pool": "s", "units": "1"}}), "0", "0.06"),
            offer("exact", json!({"kind": "reservation", "sku": "r1"}), "0", "0.08"),
            offer("narrow", json!({"kind": "spend_plan", "plan": narrow, "rates": {"s1": "0.06", "s2": "0.12"}}), "0", "1"),
            offer("broad", json!({"kind": "spend_plan", "plan": broad, "rates": rates}), "4380", "0.5"),
        ]
    }

    fn commitments(&self) -> Vec<Commitment> {
        let at = |hour: usize| self.grid().hour(hour).start();
        let scope = |id: &str| match (self.provider, id) {
            ("azure", "own") => json!({"kind": "subscription", "subscription": "a"}),
            ("gcp", "own") => json!({"kind": "project", "project": "a"}),
            ("aws", "pool" | "own" | "exact") => json!({"kind": "region"}),
            _ => json!({"kind": "shared"}),
        };
        let ids = ["pool", "own", "exact", "narrow", "broad"];
        let held = ids.iter().zip(self.bought).filter(|(_, bought)| *bought > 0);
        held.map(|(id, bought)| {
            let quantity = if *id == "narrow" || *id == "broad" { Decimal::from(bought) / dec!(10) } else { Decimal::from(bought) };
            let (start, end) = if *id == "exact" { self.term } else { (0, HOURS + 5) };
            read(json!({"id": id, "offer": id, "quantity": quantity.to_string(), "start": at(start), "end": at(end), "account": "a",
                "scope": scope(id)}))
        })
        .collect()
    }

    fn grid(&self) -> HourGrid {
        HourGrid { first: "2026-05-31T00:00:00Z".parse().unwrap(), count: HOURS }
    }

    /// Lines in order, or shuffled.
    fn usage(&self, reverse: bool) -> UsageCurves {
        let prices = self.prices();
        let mut columns: Vec<usize> = (0..8).collect();
        if reverse {
            columns.reverse();
        }
        let line = |column: &usize| {
            let account = if column.is_multiple_of(2) { "a" } else { "b" };
            let tags = BTreeMap::from([("team".to_owned(), format!("team {}", column % 3))]);
            UsageLine { tags, ..UsageLine::new(prices[column.div_euclid(2)].sku.clone(), account) }
        };
        let lines = columns.iter().map(line).collect();
        let quantity = Array2::from_shape_fn((HOURS, 8), |(hour, line)| f64::from(self.quarters[hour][columns[line]]) / 4.0);
        UsageCurves::new(self.grid(), lines, quantity).unwrap()
    }

    fn catalog(&self) -> Catalog {
        let mut offers = self.offers();
        offers.reverse();
        Catalog::new("USD", None, "invented", self.prices(), offers).unwrap()
    }
}

fn bill(usage: &UsageCurves, catalog: &Catalog, commitments: Vec<Commitment>) -> Bill {
    let portfolio = Portfolio::new(Vec::new(), commitments).unwrap();
    Judge::new(usage, catalog, &portfolio, &Rules::default()).unwrap().bill()
}

/// Google splits commitments to 12 decimals.
const DUST: Decimal = dec!(0.000000001);

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn usage_is_conserved_and_covered_once_in_every_hour(case in estate()) {
        let (usage, catalog) = (case.usage(false), case.catalog());
        let found = bill(&usage, &catalog, case.commitments());
        for line in found.lines() {
            prop_assert!(line.covered >= Decimal::ZERO && line.covered <= line.quantity + DUST);
            let by: Decimal = found.commitments().iter().filter_map(|held| held.by_line.get(&line.column)).sum();
            prop_assert!((by - line.covered).abs() < DUST);
        }
        for index in [0, 7, HOURS - 1] {
            let explanation = found.explain(usage.grid().hour(index)).unwrap();
            for step in &explanation.steps {
                prop_assert!(step.taken >= Decimal::ZERO && step.taken <= step.open_before);
                prop_assert!(step.taken * step.weight <= step.left_before + DUST);
            }
            let taken: Decimal = explanation.steps.iter().map(|step| step.taken).sum();
            let open: Decimal = explanation.on_demand.iter().map(|(_, quantity, _)| *quantity).sum();
            let used: f64 = usage.at(index).iter().sum();
            prop_assert!((taken + open - Decimal::try_from(used).unwrap()).abs() < DUST);
        }
        let judge_cost = {
            let portfolio = Portfolio::new(Vec::new(), case.commitments()).unwrap();
            Judge::new(&usage, &catalog, &portfolio, &Rules::default()).unwrap().cost()
        };
        let exact = found.total().cost().to_f64();
        prop_assert!((judge_cost - exact).abs() <= 1e-9 * exact.max(1.0));
    }

    #[test]
    fn nothing_serves_outside_of_its_scope_or_hours(case in estate()) {
        let (usage, catalog) = (case.usage(false), case.catalog());
        let found = bill(&usage, &catalog, case.commitments());
        for held in found.commitments() {
            let columns = || held.by_line.iter().filter(|(_, quantity)| !quantity.is_zero()).map(|(column, _)| &usage.lines()[*column]);
            match held.id.as_str() {
                "own" if case.provider != "aws" => prop_assert!(columns().all(|line| line.account == "a")),
                "exact" => prop_assert!(columns().all(|line| line.sku.sku == "r1")),
                "pool" | "own" | "narrow" => prop_assert!(columns().all(|line| line.sku.sku.starts_with('s'))),
                _ => {}
            }
            prop_assert!(held.used <= held.provided);
            let (start, end) = if held.id == "exact" { case.term } else { (0, HOURS) };
            prop_assert_eq!(held.hours, Decimal::from(end.min(HOURS) - start));
        }
        // Alone in the portfolio, the commitment of a part of the hours costs and covers nothing in the others.
        let only: Vec<Commitment> = case.commitments().into_iter().filter(|held| held.id == "exact").collect();
        if !only.is_empty() {
            for (index, (_, hour)) in bill(&usage, &catalog, only).hours(0..HOURS).iter().enumerate() {
                let is_running = (case.term.0..case.term.1).contains(&index);
                prop_assert!(is_running || hour.commitment() == Money::ZERO && hour.covered() == Money::ZERO);
                prop_assert!(!is_running || hour.commitment() > Money::ZERO);
            }
        }
    }

    #[test]
    fn input_order_means_nothing(case in estate()) {
        let mut shuffled = case.commitments();
        shuffled.reverse();
        prop_assert_eq!(
            bill(&case.usage(false), &case.catalog(), case.commitments()),
            bill(&case.usage(true), &case.catalog(), shuffled)
        );
    }

    /// In order (AWS, Azure) line by line; in Google's proportional rounds too, while the order of the other commitments stays.
    #[test]
    fn a_commitment_more_never_covers_less(case in estate()) {
        let (usage, catalog) = (case.usage(false), case.catalog());
        let all = bill(&usage, &catalog, case.commitments());
        for left_out in case.commitments() {
            let fewer = case.commitments().into_iter().filter(|held| held.id != left_out.id).collect();
            let without = bill(&usage, &catalog, fewer);
            prop_assert!(all.total().covered().value() >= without.total().covered().value() - DUST, "without {}", left_out.id);
        }
    }

    #[test]
    fn attributions_sum_to_the_bill(case in estate()) {
        let (usage, catalog) = (case.usage(false), case.catalog());
        let portfolio = Portfolio::new(Vec::new(), case.commitments()).unwrap();
        let judge = Judge::new(&usage, &catalog, &portfolio, &Rules::default()).unwrap();
        let found = judge.bill();
        let of_lines: Money = found.lines().iter().map(|line| line.sustained_use_discount).sum();
        prop_assert!((of_lines - found.total().sustained_use_discount).value().abs() < DUST, "discounts of lines");
        let prioritised = SharingRule::Prioritised(vec!["b".into(), "team 1".into()]);
        for key in [AttributionKey::Account, AttributionKey::Tag("team".into()), AttributionKey::Tag("absent".into())] {
            for rule in [SharingRule::OwnerFirst, SharingRule::Proportional, prioritised.clone()] {
                let rows = judge.attribute(&found, &key, &rule);
                let sum = |of: fn(&covermix::billing::attribution::AttributedCost) -> Money| rows.iter().map(of).sum::<Money>();
                prop_assert_eq!(sum(|row| row.savings), found.commitments().iter().map(|held| held.covered - held.charges.used_commitment).sum::<Money>().to_cents());
                prop_assert_eq!(sum(|row| row.sustained_use_discount), found.total().sustained_use_discount.to_cents());
                prop_assert_eq!(sum(|row| row.waste), found.total().unused_commitment.to_cents());
                prop_assert_eq!(sum(|row| row.cost), found.total().cost().to_cents());
                for row in &rows {
                    prop_assert_eq!(row.cost, row.on_demand_equivalent - row.savings - row.sustained_use_discount + row.waste);
                }
            }
        }
    }

    #[test]
    fn days_and_hours_sum_to_the_bill(case in estate()) {
        let found = bill(&case.usage(false), &case.catalog(), case.commitments());
        let total = found.total();
        let add = |sum: Charges, part: &Charges| {
            let mut sum = sum;
            sum += *part;
            sum
        };
        for sum in [
            found.days().values().fold(Charges::default(), add),
            found.hours(0..HOURS).iter().map(|(_, charges)| charges).fold(Charges::default(), add),
        ] {
            prop_assert!((sum.cost() - total.cost()).value().abs() < DUST);
            prop_assert!((sum.unused_commitment - total.unused_commitment).value().abs() < DUST);
            prop_assert!((sum.sustained_use_discount - total.sustained_use_discount).value().abs() < DUST);
        }
    }

    /// The same usage in two streams that each run a part of the hour is covered alike.
    #[test]
    fn parts_of_an_hour_sum_to_the_hour(case in estate(), quarter in 0u32..4) {
        let whole = case.usage(false);
        let part = f64::from(quarter) / 4.0;
        let lines: Vec<UsageLine> = whole
            .lines()
            .iter()
            .flat_map(|line| {
                let other = UsageLine { tags: BTreeMap::from([("part".to_owned(), "2".to_owned())]), ..line.clone() };
                [line.clone(), other]
            })
            .collect();
        let quantity = Array2::from_shape_fn((HOURS, 16), |(hour, line)| {
            let share = if line % 2 == 0 { part } else { 1.0 - part };
            whole.at(hour)[line.div_euclid(2)] * share
        });
        let parts = UsageCurves::new(whole.grid(), lines, quantity).unwrap();
        let (one, two) = (bill(&whole, &case.catalog(), case.commitments()), bill(&parts, &case.catalog(), case.commitments()));
        prop_assert!((one.total().cost() - two.total().cost()).value().abs() < DUST);
        prop_assert!((one.total().unused_commitment - two.total().unused_commitment).value().abs() < DUST);
    }
}
