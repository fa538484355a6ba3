//! What must hold for any commitment, price, time and order: exchange, split and merge, refund, limits, state, reconciliation.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use chrono::{DateTime, Duration, Utc};
use covermix::catalog::{Benefit, Catalog, Offer, PaymentOption, Right, ScopeKind};
use covermix::portfolio::action::{Action, Quote};
use covermix::portfolio::assumptions::{AzureAssumptions, Premium, Proration, Put};
use covermix::portfolio::aws::modification::{Target, modify};
use covermix::portfolio::deadline::{DeadlineKind, alerts, deadlines};
use covermix::portfolio::ledger::{Limit, Use};
use covermix::portfolio::reconciliation::{Field, MatchedBy, Prefer, reconcile};
use covermix::portfolio::replacement::{merge, split};
use covermix::portfolio::rule::Rule;
use covermix::portfolio::{
    Assumptions, Commitment, Holding, Ledger, Particulars, Portfolio, Scope, State, aws, azure, gcp, state,
};
use covermix::time::Term;
use covermix::units::{Money, MoneyPerHour, Units};
use covermix::usage::Provider;
use proptest::prelude::*;
use rust_decimal::{Decimal, dec};
use std::collections::{BTreeMap, BTreeSet};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn catalog() -> Catalog {
    Catalog::from_json(include_str!("data/catalog.json")).unwrap()
}

fn offer(id: &str, provider: Provider, term: Term, upfront: Decimal, recurring: Decimal) -> Offer {
    let service = match provider {
        Provider::Aws => "AmazonEC2",
        Provider::Azure => "Virtual Machines",
        _ => "Compute Engine",
    };
    Offer {
        id: id.into(),
        provider,
        service: service.into(),
        region: "r".into(),
        benefit: Benefit::Reservation { sku: "us-east-1/m5.large/Linux".into(), pool: None },
        term,
        payment_option: if upfront.is_zero() { PaymentOption::NoUpfront } else { PaymentOption::PartialUpfront },
        upfront: Money::new(upfront),
        recurring: MoneyPerHour::new(recurring),
        scopes: BTreeSet::from([ScopeKind::Region]),
        rights: BTreeSet::from([Right::Exchange, Right::Modification, Right::Refund, Right::TradeIn]),
        purchasable_from: None,
        purchasable_until: None,
        derived: String::new(),
        lot: None,
        provider_id: String::new(),
        origin: covermix::catalog::Origin::default(),
    }
}

fn held(id: &str, offer: &Offer, quantity: Decimal, start: DateTime<Utc>) -> Commitment {
    Commitment {
        id: id.into(),
        offer: offer.id.clone(),
        quantity,
        start,
        end: offer.term.end(start),
        account: "a".into(),
        scope: if offer.provider == Provider::Aws { Scope::Region } else { Scope::Shared },
    }
}

fn money(limit: i64) -> impl Strategy<Value = Decimal> {
    (1..limit).prop_map(|cents| Decimal::new(cents, 4))
}

fn start() -> impl Strategy<Value = DateTime<Utc>> {
    (1_700_000_000_i64..1_800_000_000).prop_map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn an_exchange_is_never_below_the_tests_and_takes_the_least(
        start in start(), hours in 24_i64..8_700, quantity in 1_u32..40,
        (old_upfront, old_hourly) in (money(10_000_000), money(5_000)), (new_upfront, new_hourly) in (money(10_000_000), money(5_000)),
    ) {
        let (old, new) = (
            offer("old", Provider::Aws, Term::AWS_ONE_YEAR, old_upfront, old_hourly),
            offer("new", Provider::Aws, Term::AWS_ONE_YEAR, new_upfront, new_hourly),
        );
        let commitment = held("c", &old, Decimal::from(quantity), start);
        let holding = Holding::plain(&commitment, &old);
        let instant = commitment.end - Duration::hours(hours);
        let quote = aws::exchange::quote(&[&holding], &new, instant, &Assumptions::default()).unwrap();
        let given = [Decimal::from(quantity)];
        let count = quote.least_received(&given).unwrap();
        let received = quote.received.as_ref().unwrap();
        let value = |upfront: Money, obligation: Money| (upfront + obligation).value();
        let before = value(quote.given[0].prepaid, quote.given[0].obligation) * given[0];
        prop_assert!((value(received.upfront, received.obligation) * count).round_dp(9) >= before.round_dp(9));
        prop_assert!(quote.cash(&given, count) <= Money::ZERO, "the true-up is never paid out");
        prop_assert!(count == Decimal::ONE || quote.check_received(&given, count - Decimal::ONE).is_err(), "it is the least");
        prop_assert_eq!(received.end, commitment.end);
    }

    #[test]
    fn split_then_merge_is_identity(start in start(), quantity in 2_u32..50, part in 1_u32..49, days in 1_i64..300, provider in 0_u8..2) {
        prop_assume!(part < quantity);
        let (provider, term) = if provider == 0 { (Provider::Aws, Term::AWS_ONE_YEAR) } else { (Provider::Azure, Term::Months(12)) };
        let offer = offer("o", provider, term, dec!(100), dec!(0.1));
        let portfolio = Portfolio::new(vec![offer], vec![held("c", &self::offer("o", provider, term, dec!(0), dec!(0)), Decimal::from(quantity), start)]).unwrap();
        let (catalog, assumptions, instant) = (catalog(), Assumptions::default(), start + Duration::days(days));
        let whole = portfolio.holdings(&catalog).unwrap();
        let parts = split(&whole[0], Decimal::from(part), instant, &assumptions).unwrap();
        let divided = portfolio.replaced(&parts).unwrap();
        let active = |portfolio: &Portfolio| -> Vec<(Decimal, DateTime<Utc>, Money, Money)> {
            let later = instant + Duration::hours(2);
            let holdings = portfolio.holdings(&catalog).unwrap();
            let active = holdings.iter().filter(|holding| holding.state(later) == State::Active);
            active.map(|h| (h.commitment.quantity, h.commitment.end, h.prepaid_left(later), h.obligation(later))).collect()
        };
        let pieces: Decimal = active(&divided).iter().map(|piece| piece.0).sum();
        prop_assert_eq!(pieces, Decimal::from(quantity));
        prop_assert_eq!(active(&divided).len(), 2);
        let holdings = divided.holdings(&catalog).unwrap();
        let both: Vec<&Holding<'_>> = holdings.iter().filter(|h| h.commitment.id.starts_with("c/")).collect();
        let again = divided.replaced(&merge(&both, instant + Duration::hours(1), &assumptions).unwrap()).unwrap();
        prop_assert_eq!(active(&again), active(&portfolio));
    }

    #[test]
    fn a_refund_never_exceeds_what_was_paid(
        start in start(), (upfront, hourly) in (0_i64..1_000_000, 0_i64..5_000), days in 0_i64..1_000, now in 0_i64..2_000_000, three in any::<bool>(),
        months in any::<bool>(),
    ) {
        let term = Term::Months(if three { 36 } else { 12 });
        let own = offer("o", Provider::Azure, term, Decimal::new(upfront, 2), Decimal::new(hourly, 4));
        let current = offer("o", Provider::Azure, term, Decimal::new(now, 2), Decimal::ZERO);
        let commitment = held("c", &own, Decimal::ONE, start);
        let holding = Holding::plain(&commitment, &own);
        let instant = start + Duration::days(days);
        prop_assume!(instant < commitment.end);
        let azure = AzureAssumptions { proration: if months { Proration::Months } else { Proration::Days }, ..AzureAssumptions::default() };
        let assumptions = Assumptions { azure, ..Assumptions::default() };
        let quote = azure::refund::quote(&holding, Some(&current), instant, &assumptions).unwrap();
        let paid = azure::paid(&holding, instant);
        prop_assert!(quote.given[0].cash <= paid, "{} of {paid}", quote.given[0].cash);
        prop_assert!(quote.given[0].cash >= Money::ZERO);
        let left = azure::residual(&holding, instant, assumptions.azure.proration);
        prop_assert!(left.total() <= azure::lifetime_commitment(&own));
        let tolerance = Money::new(dec!(0.000000000001));
        prop_assert!(paid + left.unpaid - azure::lifetime_commitment(&own) <= tolerance);
    }

    #[test]
    fn limits_hold_in_any_order(uses in prop::collection::vec((0_i64..1_500, 1_i64..3_000_000), 1..40), limit in 0_usize..6) {
        let limits = [Limit::Refunds, Limit::SavingsPlanReturns, Limit::MarketplaceSales, Limit::MarketplaceInstances, Limit::RegionalPurchases, Limit::ZonalPurchases];
        let limit = limits[limit];
        let first = at("2024-01-01T00:00:00Z");
        let mut ledger = Ledger::default();
        for (day, cents) in uses {
            let amount = if limit.published() > dec!(100) { Decimal::new(cents, 2) } else { Decimal::from(cents % 7 + 1) };
            let used = Use { limit, owner: String::new(), at: first + Duration::days(day), amount };
            let left = ledger.left(limit, "", used.at);
            prop_assert_eq!(ledger.record(used).is_ok(), amount <= left);
        }
        for end in ledger.uses().iter().map(|used| used.at) {
            let same = |used: &&Use| match limit {
                Limit::Refunds => used.at <= end && end - used.at < Duration::days(365),
                Limit::SavingsPlanReturns => used.at.format("%Y").to_string() == end.format("%Y").to_string(),
                Limit::RegionalPurchases | Limit::ZonalPurchases => used.at.format("%Y%m").to_string() == end.format("%Y%m").to_string(),
                _ => true,
            };
            let sum: Decimal = ledger.uses().iter().filter(same).map(|used| used.amount).sum();
            prop_assert!(sum <= limit.published(), "{sum} of {limit:?} up to {end}");
        }
    }

    #[test]
    fn months_of_obligation_add_up(starts in prop::collection::vec((start(), 1_u32..9, 0_u8..3), 1..8), days in 0_i64..500) {
        let offers: Vec<Offer> = [(Provider::Aws, Term::AWS_ONE_YEAR), (Provider::Azure, Term::Months(12)), (Provider::Gcp, Term::Months(36))]
            .into_iter()
            .enumerate()
            .map(|(index, (provider, term))| offer(&format!("o{index}"), provider, term, dec!(87.60), dec!(0.01)))
            .collect();
        let commitments = starts.iter().enumerate().map(|(index, (start, quantity, offer))| {
            held(&format!("c{index}"), &offers[usize::from(*offer)], Decimal::from(*quantity), *start)
        });
        let portfolio = Portfolio::new(offers.clone(), commitments.collect()).unwrap();
        let catalog = catalog();
        let holdings = portfolio.holdings(&catalog).unwrap();
        let instant = starts[0].0 + Duration::days(days);
        let whole = state::lock_in(&holdings, instant);
        let months = state::obligations(&holdings, instant);
        let sum: Money = months.iter().map(|month| month.charges).sum();
        prop_assert!((sum.value() - whole.obligation.value()).abs() < dec!(0.0000001), "{sum} of {}", whole.obligation);
        let shares: Decimal = state::ladder(&holdings, instant).iter().map(|rung| rung.share).sum();
        prop_assert!(months.is_empty() || (shares - Decimal::ONE).abs() < dec!(0.0000001));
        prop_assert!(months.last().is_none_or(|month| month.prepaid == Money::ZERO));
    }

    #[test]
    fn a_portfolio_agrees_with_itself_in_any_order(quantities in prop::collection::vec(1_u32..9, 1..6), rename in any::<bool>()) {
        let offer = offer("o", Provider::Aws, Term::AWS_ONE_YEAR, dec!(10), dec!(0.1));
        let first = at("2026-01-01T05:00:00Z");
        let days = quantities.iter().zip(0_i64..);
        let list: Vec<Commitment> = days
            .map(|(quantity, day)| held(&format!("c{day}"), &offer, Decimal::from(*quantity), first + Duration::days(day)))
            .collect();
        let theirs = list.iter().rev().map(|c| Commitment { id: if rename { format!("arn:{}", c.id) } else { c.id.clone() }, ..c.clone() });
        let ours = Portfolio::new(vec![offer.clone()], list.clone()).unwrap();
        let bill = Portfolio::new(vec![offer.clone()], theirs.collect()).unwrap();
        let found = reconcile(&ours, &bill, &catalog(), Prefer::Bill).unwrap();
        prop_assert!(found.is_clean());
        prop_assert_eq!(found.matched.len(), list.len());
        let by = if rename { MatchedBy::Likeness } else { MatchedBy::Identifier };
        prop_assert!(found.matched.iter().all(|one| one.by == by));
        prop_assert_eq!(found.merged, bill);
    }
}

#[test]
fn the_documented_merge_of_terms() {
    let dated = |term: Term, end: &str| (term, at(&format!("{end}T00:00:00Z")));
    let (one, three) = (Term::AWS_ONE_YEAR, Term::AWS_THREE_YEARS);
    let merged = aws::exchange::merged_term(&[dated(one, "2018-07-31"), dated(three, "2018-06-30")]);
    assert_eq!(merged, Some(dated(three, "2018-07-31")));
    assert_eq!(aws::exchange::merged_term(&[]), None);
    assert_eq!(aws::exchange::count(Money::new(dec!(35)), Money::new(dec!(10))), Some((dec!(3.5), dec!(4))));
    assert_eq!(aws::exchange::count(Money::new(dec!(40)), Money::new(dec!(10))), Some((dec!(4), dec!(4))));
    assert_eq!(aws::exchange::count(Money::new(dec!(40)), Money::ZERO), None);
}

#[test]
fn several_convertibles_become_one() {
    let cheap = offer("cheap", Provider::Aws, Term::AWS_ONE_YEAR, dec!(0), dec!(0.1));
    let long = offer("long", Provider::Aws, Term::AWS_THREE_YEARS, dec!(0), dec!(0.05));
    let target = offer("target", Provider::Aws, Term::AWS_THREE_YEARS, dec!(0), dec!(0.2));
    let now = at("2026-06-01T00:00:00Z");
    let (first, second) =
        (held("a", &cheap, dec!(3), at("2026-01-01T00:00:00Z")), held("b", &long, dec!(5), at("2024-01-01T00:00:00Z")));
    let holdings = [Holding::plain(&first, &cheap), Holding::plain(&second, &long)];
    let quote = aws::exchange::quote(&[&holdings[0], &holdings[1]], &target, now, &Assumptions::default()).unwrap();
    assert_eq!(quote.received.as_ref().unwrap().end, at("2027-01-01T00:00:00Z").max(second.end));
    // All of one and two of the other, by the hourly rule: 3 x 0.1 + 2 x 0.05 = 0.4 an hour, which two of 0.2 match.
    assert_eq!(quote.least_received(&[dec!(3), dec!(2)]).unwrap(), dec!(2));
    assert!(quote.least_received(&[dec!(3), dec!(6)]).is_err(), "more than is held");
    assert!(quote.least_received(&[dec!(2.5), dec!(2)]).is_err(), "no whole number");
    let one_year = offer("one", Provider::Aws, Term::AWS_ONE_YEAR, dec!(0), dec!(0.2));
    let refused = aws::exchange::quote(&[&holdings[0], &holdings[1]], &one_year, now, &Assumptions::default()).unwrap_err();
    assert_eq!(refused.rule, Rule::AwsExchangeTerm);
}

#[test]
fn a_modification_keeps_the_fees_of_the_footprint() {
    let catalog = catalog();
    let own = Offer {
        region: "us-east-1".into(),
        benefit: Benefit::Reservation {
            sku: "us-east-1/m5.large/Linux".into(),
            pool: Some(covermix::catalog::PoolUnits {
                pool: "aws/AmazonEC2/us-east-1/m5/Linux/shared".into(),
                units: Units::new(dec!(4)),
            }),
        },
        ..offer("o", Provider::Aws, Term::AWS_ONE_YEAR, dec!(100), dec!(0.06))
    };
    let commitment = held("ri", &own, dec!(5), at("2026-07-01T10:30:00Z"));
    let portfolio = Portfolio::new(vec![own.clone()], vec![commitment]).unwrap();
    let holdings = portfolio.holdings(&catalog).unwrap();
    let large = catalog.price_with_id("us-east-1/m5.large/Linux").unwrap();
    let double = catalog.price_with_id("us-east-1/m5.2xlarge/Linux").unwrap();
    let now = at("2026-08-01T21:15:00Z");
    let target = |count: Decimal| Target { price: double, count, scope: Scope::Region };
    let made = modify(&[(&holdings[0], dec!(4))], &[target(dec!(1))], &catalog, now, &Assumptions::default()).unwrap();
    assert_eq!(made.effective, at("2026-08-01T21:00:00Z"));
    assert_eq!((made.offers[0].upfront.value(), made.offers[0].recurring.value()), (dec!(400), dec!(0.24)));
    let after = portfolio.replaced(&made).unwrap();
    let active: Vec<(String, Decimal)> = after
        .holdings(&catalog)
        .unwrap()
        .iter()
        .filter(|holding| holding.state(now) == State::Active)
        .map(|holding| (holding.commitment.id.clone(), holding.commitment.quantity))
        .collect();
    assert_eq!(active, [("ri".to_owned(), dec!(1)), ("ri/1".to_owned(), dec!(1))]);
    let sum = |portfolio: &Portfolio| {
        let locked = state::lock_in(&portfolio.holdings(&catalog).unwrap(), now);
        (locked.obligation, locked.prepaid)
    };
    assert_eq!(sum(&after), sum(&portfolio), "neither obligation nor prepaid value changes");
    let refused = modify(&[(&holdings[0], dec!(5))], &[target(dec!(1))], &catalog, now, &Assumptions::default()).unwrap_err();
    assert_eq!(refused.rule, Rule::AwsModifyFootprint);
    let own_size = Target { price: large, count: dec!(5), scope: Scope::AvailabilityZone { availability_zone: "a".into() } };
    assert!(modify(&[(&holdings[0], dec!(5))], &[own_size], &catalog, now, &Assumptions::default()).is_ok());
    assert!(modify(&[], &[target(dec!(1))], &catalog, now, &Assumptions::default()).is_err());
}

#[test]
fn a_large_reservation_has_to_be_paid_down_before_it_is_refunded() {
    let own = offer("o", Provider::Azure, Term::Months(36), dec!(0), Decimal::from(3000 * 36) / Decimal::from(26_280));
    let commitment = held("c", &own, Decimal::ONE, at("2025-01-10T00:00:00Z"));
    let holding = Holding::plain(&commitment, &own);
    let from = azure::refund::refundable_from(&holding, commitment.start, &Assumptions::default(), &Ledger::default()).unwrap();
    let left = |at: DateTime<Utc>| azure::residual(&holding, at, Proration::Days).total().to_cents().value();
    assert!(left(from) <= dec!(50000) && left(from - Duration::days(1)) > dec!(50000), "{from}");
    // 19 payments leave 51,000, 20 leave 48,000: it is within the twentieth month.
    assert_eq!((left(holding.due(19)), left(holding.due(20))), (dec!(51000), dec!(48000)));
    assert!(holding.due(19) < from && from < holding.due(20));
    let tight = Ledger::default().with_limit(Limit::Refunds, Decimal::ZERO);
    assert_eq!(azure::refund::refundable_from(&holding, commitment.start, &Assumptions::default(), &tight), None);
}

#[test]
fn google_extends_within_bounds_and_merges_to_the_latest_end() {
    let assumptions = Assumptions::default();
    let own = offer("o", Provider::Gcp, Term::Months(12), dec!(0), dec!(0.02));
    let commitment = held("c", &own, Decimal::TEN, at("2026-01-10T08:00:00Z"));
    let other = Commitment { id: "d".into(), end: at("2027-06-10T07:00:00Z"), ..commitment.clone() };
    let (one, two) = (Holding::plain(&commitment, &own), Holding::plain(&other, &own));
    let now = at("2026-05-05T20:00:00Z");
    let extend = |end: &str| gcp::extend(&one, at(end), now, &assumptions);
    assert!(extend("2027-01-10T08:00:00Z").is_err() && extend("2029-01-10T08:00:00Z").is_err());
    let quote = extend("2028-07-10T07:00:00Z").unwrap();
    assert_eq!(quote.effective, at("2026-05-06T07:00:00Z"));
    let longer = quote.obligation_released(&[Decimal::TEN], Decimal::TEN).value();
    let hours = (at("2028-07-10T07:00:00Z") - commitment.end).num_hours();
    assert_eq!(longer, -Decimal::from(hours) * dec!(0.02) * Decimal::TEN);
    let merged = merge(&[&one, &two], now, &assumptions).unwrap();
    assert_eq!((merged.commitments[0].quantity, merged.commitments[0].end), (dec!(20), other.end));
    let elsewhere = Commitment { account: "other".into(), ..other.clone() };
    assert_eq!(merge(&[&one, &Holding::plain(&elsewhere, &own)], now, &assumptions).unwrap_err().rule, Rule::GoogleMerge);
    assert_eq!(merge(&[&one], now, &assumptions).unwrap_err().rule, Rule::GoogleMerge);
}

#[test]
fn storage_twins_differ_in_premium_storage_alone() {
    let twin = azure::exchange::is_storage_twin;
    assert!(
        twin("Standard_F1", "Standard_F1s")
            && twin("Standard_D2_v2", "Standard_DS2_v2")
            && twin("Standard_D4s_v3", "Standard_D4_v3")
    );
    assert!(
        !twin("Standard_F1", "Standard_F2s")
            && !twin("Standard_F1s", "Standard_F1s")
            && !twin("Standard_D2_v3", "Standard_D2s_v5")
    );
    assert!(!twin("Standard_D4ads_v5", "Standard_D4s_v5") && twin("Standard_D4ads_v5", "Standard_D4ad_v5"));
}

#[test]
fn deadlines_are_sorted_and_alerts_are_those_of_the_next_days() {
    let own = offer("vm", Provider::Azure, Term::Months(12), dec!(3650), dec!(0));
    let plan = Offer {
        id: "sp".into(),
        benefit: Benefit::SpendPlan { plan: "Compute".into(), family: String::new(), rates: BTreeMap::new() },
        rights: BTreeSet::from([Right::Refund]),
        ..offer("sp", Provider::Aws, Term::AWS_ONE_YEAR, dec!(0), dec!(1))
    };
    let commitments = vec![
        held("vm", &own, dec!(2), at("2026-03-01T00:00:00Z")),
        Commitment { scope: Scope::Shared, ..held("sp", &plan, dec!(10), at("2027-01-20T10:00:00Z")) },
        held("gone", &own, dec!(2), at("2024-03-01T00:00:00Z")),
    ];
    let portfolio = Portfolio::new(vec![own, plan], commitments).unwrap();
    let (catalog, assumptions, now) = (catalog(), Assumptions::default(), at("2027-01-21T00:00:00Z"));
    let all = deadlines(&portfolio, &catalog, now, &assumptions).unwrap();
    assert!(all.windows(2).all(|pair| pair[0].last <= pair[1].last));
    assert!(all.iter().all(|deadline| deadline.last >= now && deadline.commitment != "gone"));
    let found = |kind: DeadlineKind| {
        all.iter().find(|deadline| deadline.kind == kind).map(|deadline| (deadline.commitment.as_str(), deadline.last))
    };
    assert_eq!(found(DeadlineKind::LastChance { action: Action::Return }), Some(("sp", at("2027-01-27T10:00:00Z"))));
    assert_eq!(found(DeadlineKind::ExchangePolicy), Some(("vm", at("2027-01-31T23:59:59Z"))));
    assert_eq!(found(DeadlineKind::Renewal), Some(("vm", at("2027-02-28T23:59:59Z"))));
    let spans = |days: &[u32]| alerts(&portfolio, &catalog, now, &assumptions, days).unwrap();
    let first = &spans(&[30, 60, 90])[0];
    assert_eq!((first.within_days, first.days_left), (30, 6));
    let within = |days: u32| spans(&[30, 60, 90]).iter().filter(|alert| alert.within_days == days).count();
    assert_eq!(within(30), 2, "the return, and the change of the policy");
    assert!(within(60) >= 4, "the last day, the renewal and the end of the reservation");
    assert_eq!(spans(&[]).len(), 0);
    let sp = all.iter().filter(|deadline| deadline.commitment == "sp").map(|deadline| deadline.kind).collect::<Vec<_>>();
    assert_eq!(sp, [DeadlineKind::LastChance { action: Action::Return }, DeadlineKind::Expiry]);
}

#[test]
fn a_view_says_all_of_it_in_json() {
    let catalog = catalog();
    let offer = catalog.offers().iter().find(|offer| !offer.is_spend_plan()).unwrap().clone();
    let mut queued = held("later", &offer, dec!(1), at("2024-09-01T00:00:00Z"));
    queued.account = String::new();
    let portfolio = Portfolio::new(vec![], vec![held("now", &offer, dec!(2), at("2024-01-01T00:00:00Z")), queued]).unwrap();
    let view = portfolio.view(&catalog, at("2024-07-01T00:00:00Z"), &Assumptions::default(), &Ledger::default()).unwrap();
    let json = serde_json::to_value(&view).unwrap();
    assert_eq!(json["lines"][1]["state"], "active");
    assert_eq!(json["positions"].as_array().unwrap().len(), 2, "one active, one queued");
    assert_eq!(json["ladder"][0]["month"], "2024-12");
    assert_eq!(json["deadlines"][0]["commitment"], json["alerts"][0]["deadline"]["commitment"]);
    assert_eq!(view.permissions.len(), 2 * Action::ALL.len());
    assert!(json["lock_in"]["months"].as_str().unwrap().parse::<Decimal>().unwrap() > Decimal::ZERO);
}

#[test]
fn what_differs_between_two_portfolios_is_told_field_by_field() {
    let (ours, bill) = (
        offer("o", Provider::Aws, Term::AWS_ONE_YEAR, dec!(10), dec!(0.1)),
        offer("o", Provider::Aws, Term::AWS_ONE_YEAR, dec!(10), dec!(0.11)),
    );
    let start = at("2026-01-01T05:00:00Z");
    let first = Portfolio::new(
        vec![ours.clone()],
        vec![held("a", &ours, dec!(3), start), held("b", &ours, dec!(3), start + Duration::days(9))],
    )
    .unwrap()
    .with_particulars([Particulars { bought: Some(start), ..Particulars::of("a") }])
    .unwrap();
    let second =
        Portfolio::new(vec![bill.clone()], vec![held("a", &bill, dec!(4), start), held("c", &bill, dec!(1), start)]).unwrap();
    let found = reconcile(&first, &second, &catalog(), Prefer::Bill).unwrap();
    assert_eq!((found.only_ours.as_slice(), found.only_bill.as_slice()), (&["b".to_owned()][..], &["c".to_owned()][..]));
    let fields: Vec<(Field, &str, &str)> =
        found.differences.iter().map(|one| (one.field, one.ours.as_str(), one.bill.as_str())).collect();
    assert_eq!(fields, [(Field::Quantity, "3", "4"), (Field::Recurring, "0.1", "0.11")]);
    assert_eq!(found.merged.commitments().len(), 3);
    assert_eq!(found.merged.particulars()["a"].bought, Some(start));
    let merged =
        found.merged.holdings(&catalog()).map(|holdings| holdings.iter().map(|h| h.offer.recurring.value()).collect::<Vec<_>>());
    assert_eq!(merged.unwrap(), [dec!(0.11), dec!(0.1), dec!(0.11)]);
    let kept = reconcile(&first, &second, &catalog(), Prefer::Ours).unwrap();
    assert_eq!(kept.merged.commitments()[0].quantity, dec!(3));
}

#[test]
fn every_rule_stands_in_the_guide_with_its_source() {
    let guide = include_str!("../docs/portfolio.md");
    for rule in Rule::ALL {
        assert!(guide.contains(&format!("`{}`", rule.as_str())), "{} is missing", rule.as_str());
        assert!(guide.contains(rule.address()), "the source of {} is missing", rule.as_str());
        assert_eq!(serde_json::to_value(rule).unwrap(), rule.as_str());
    }
    for action in Action::ALL {
        assert_eq!(serde_json::to_value(action).unwrap(), action.as_str());
    }
}

#[test]
fn a_quote_that_is_carried_out_is_checked() {
    let (old, new) = (
        offer("old", Provider::Aws, Term::AWS_ONE_YEAR, dec!(0), dec!(0.1)),
        offer("new", Provider::Aws, Term::AWS_ONE_YEAR, dec!(0), dec!(0.25)),
    );
    let commitment = held("c", &old, dec!(10), at("2026-01-01T00:00:00Z"));
    let holding = Holding::plain(&commitment, &old);
    let now = at("2026-03-01T07:30:00Z");
    let quote: Quote = aws::exchange::quote(&[&holding], &new, now, &Assumptions::default()).unwrap();
    assert!(quote.carry_out(&[dec!(5)], dec!(1), "a", &Scope::Region).is_err(), "0.25 for 0.5 an hour");
    let made = quote.carry_out(&[dec!(5)], dec!(2), "a", &Scope::Region).unwrap();
    let portfolio = Portfolio::new(vec![old, new], vec![commitment]).unwrap().replaced(&made).unwrap();
    let rows: Vec<(&str, Decimal, String)> = portfolio
        .commitments()
        .iter()
        .map(|held| (held.id.as_str(), held.quantity, held.end.format("%Y-%m-%d %H:%M").to_string()))
        .collect();
    let expected =
        [("c", dec!(5), "2027-01-01 00:00"), ("c-", dec!(5), "2026-03-01 07:30"), ("c>exchange", dec!(2), "2027-01-01 00:00")];
    assert_eq!(rows, expected.map(|(id, quantity, end)| (id, quantity, end.to_owned())));
}

#[test]
fn purchases_are_queued_and_limited() {
    let own = offer("o", Provider::Aws, Term::AWS_ONE_YEAR, dec!(0), dec!(0.1));
    let (now, zone) = (at("2026-05-31T23:00:00Z"), Scope::AvailabilityZone { availability_zone: "z".into() });
    assert!(aws::check_queue(&Scope::Region, now, now + Duration::days(1095)).is_ok());
    let refused = aws::check_queue(&Scope::Region, now, now + Duration::days(1095) + Duration::seconds(1)).unwrap_err();
    assert_eq!(refused.rule, Rule::AwsQueue);
    assert_eq!(aws::check_queue(&zone, now, now).unwrap_err().rule, Rule::AwsQueue);
    let mut ledger = Ledger::default();
    let mut buy = |scope: &Scope, quantity: Decimal, at: DateTime<Utc>| {
        ledger.record(aws::purchase_use(&own, scope, quantity, at).unwrap())
    };
    assert!(buy(&Scope::Region, dec!(20), now).is_ok() && buy(&zone, dec!(20), now).is_ok());
    assert_eq!(buy(&Scope::Region, dec!(1), now).unwrap_err().rule, Rule::AwsPurchaseLimit);
    assert!(buy(&Scope::Region, dec!(1), now + Duration::hours(1)).is_ok(), "the next month");
    let nodes = Offer { service: "AmazonRDS".into(), ..own.clone() };
    assert_eq!(aws::purchase_use(&nodes, &Scope::Region, dec!(1), now), None);
}

#[test]
fn what_is_retired_or_renews_is_known() {
    let own = offer("vm", Provider::Azure, Term::Months(12), dec!(3650), dec!(0));
    let held = held("c", &own, dec!(2), at("2026-03-01T00:00:00Z"));
    let retired = Particulars { status: covermix::portfolio::particulars::Status::Retired, ..Particulars::of("c") };
    let portfolio = Portfolio::new(vec![own.clone()], vec![held.clone()]).unwrap().with_particulars([retired]).unwrap();
    let (catalog, now) = (catalog(), at("2026-05-01T00:00:00Z"));
    let permissions =
        covermix::portfolio::rights::permissions(&portfolio, &catalog, now, &Assumptions::default(), &Ledger::default());
    let is_refused =
        |verdict: &covermix::portfolio::action::Verdict| matches!(verdict, covermix::portfolio::action::Verdict::Refused(_));
    assert!(permissions.unwrap().iter().all(|permission| is_refused(&permission.verdict)));
    assert_eq!(state::lock_in(&portfolio.holdings(&catalog).unwrap(), now), state::LockIn::default());
    let on_sale = Catalog::new("USD", None, "test", catalog.prices().to_vec(), vec![own.clone()]).unwrap();
    let renewed = covermix::portfolio::rights::renewed(&Holding::plain(&held, &own), &on_sale).unwrap();
    assert_eq!((renewed.start, renewed.end, renewed.quantity), (held.end, at("2028-03-01T00:00:00Z"), dec!(2)));
    assert!(covermix::portfolio::rights::renewed(&Holding::plain(&held, &own), &catalog).is_none(), "not sold any more");
    assert!(Portfolio::new(vec![], vec![]).unwrap().with_particulars([Particulars::of("c")]).is_err());
}

#[test]
fn a_listing_falls_in_equal_steps_and_a_put_has_its_premium() {
    let prices: Vec<Decimal> =
        aws::resale::schedule(Money::new(dec!(90)), 9).iter().map(|price| price.value().round_dp(9)).collect();
    assert_eq!((prices.len(), prices[0], prices[4], prices[8]), (9, dec!(90), dec!(50), dec!(10)));
    assert_eq!(aws::resale::proceeds(Money::new(dec!(1000))), Money::new(dec!(880)));
    let own = offer("o", Provider::Aws, Term::AWS_THREE_YEARS, dec!(0), dec!(0.05));
    let held = held("c", &own, dec!(2), at("2026-03-01T00:00:00Z"));
    let holding = Holding::plain(&held, &own);
    let put = |premium: Premium| Put { binding: Term::Days(30), premium, strike: Decimal::ONE };
    let by_savings = put(Premium::ShareOfSavings { share: dec!(0.3) });
    assert_eq!(by_savings.premium(&holding, MoneyPerHour::new(dec!(0.04))), MoneyPerHour::new(dec!(0.012)));
    assert_eq!(by_savings.premium(&holding, MoneyPerHour::new(dec!(-0.04))), MoneyPerHour::ZERO, "none where it does not save");
    let by_price = put(Premium::ShareOfPrice { share: dec!(0.1) });
    assert_eq!(by_price.premium(&holding, MoneyPerHour::ZERO), MoneyPerHour::new(dec!(0.005)));
}

#[test]
fn an_exact_match_is_enough_although_a_price_is_divided() {
    // 100 a month for 36 months, of which 18 are paid, for an offer of 1,800 in all.
    let hourly = |monthly: Decimal| monthly / dec!(730);
    let own = offer("o", Provider::Azure, Term::Months(36), dec!(0), hourly(dec!(100)));
    let held = held("c", &own, dec!(1), at("2025-01-10T00:00:00Z"));
    let holding = Holding::plain(&held, &own);
    let now = at("2026-07-10T00:00:00Z");
    for (price, count) in [(dec!(1800), dec!(1)), (dec!(1799.99), dec!(2))] {
        let target = offer("new", Provider::Azure, Term::Months(12), price, dec!(0));
        let quote = azure::exchange::quote(&[(&holding, None)], &target, now, &Assumptions::default()).unwrap();
        assert_eq!(quote.least_received(&[dec!(1)]).unwrap(), count, "for {price}");
    }
}
