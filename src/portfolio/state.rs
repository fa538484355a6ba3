//! What is held at an instant: positions by provider, family, scope and state; what expires when; what is still to be charged and what is
//! prepaid, by month; how locked in that is.

use super::holding::{Holding, State};
use crate::catalog::{Benefit, Catalog, ScopeKind};
use crate::time::{Hour, Month, pacific};
use crate::units::{Money, MoneyPerHour};
use crate::usage::Provider;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;

/// What is held of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// The provider.
    pub provider: Provider,
    /// The service in the provider's words.
    pub service: String,
    /// The region; empty for what covers all.
    pub region: String,
    /// The family of what is reserved, or the type of a spend plan (with its family, if it is limited to one).
    pub family: String,
    /// Where it applies.
    pub scope: ScopeKind,
    /// Where it stands.
    pub state: State,
    /// The figures.
    pub figures: Figures,
}

/// Figures of a number of commitments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// How many commitments.
    pub commitments: usize,
    /// How many reservations they are.
    #[serde(with = "rust_decimal::serde::str")]
    pub reservations: Decimal,
    /// How much money an hour the spend plans among them commit.
    pub spend: MoneyPerHour,
    /// What they cost an hour, upfront spread over the term.
    pub per_hour: MoneyPerHour,
    /// What is prepaid for the time to come.
    pub prepaid: Money,
    /// What will still be charged.
    pub obligation: Money,
}

impl Figures {
    fn add(&mut self, holding: &Holding<'_>, at: DateTime<Utc>) {
        let quantity = holding.commitment.quantity;
        self.commitments += 1;
        if holding.offer.is_spend_plan() {
            self.spend += MoneyPerHour::new(quantity);
        } else {
            self.reservations += quantity;
        }
        self.per_hour += holding.offer.effective_hourly() * quantity;
        if is_held(holding, at) {
            // Of what has not started nothing is paid yet: its upfront payment is to come.
            let is_queued = at < holding.commitment.start;
            self.prepaid += if is_queued { Money::ZERO } else { holding.prepaid_left(at) * quantity };
            self.obligation += to_be_charged(holding, at, DateTime::<Utc>::MAX_UTC);
        }
    }
}

/// Whether it is active or queued.
pub(super) fn is_held(holding: &Holding<'_>, at: DateTime<Utc>) -> bool {
    matches!(holding.state(at), State::Active | State::Queued)
}

/// The family of what is held, as people speak of it.
pub(super) fn family(holding: &Holding<'_>, catalog: &Catalog) -> String {
    match &holding.offer.benefit {
        Benefit::Reservation { sku, .. } => catalog
            .price_with_id(sku)
            .map(|price| if price.family.is_empty() { price.sku.sku.clone() } else { price.family.clone() })
            .unwrap_or_else(|| sku.clone()),
        Benefit::SpendPlan { plan, family, .. } if family.is_empty() => plan.clone(),
        Benefit::SpendPlan { plan, family, .. } => format!("{plan} {family}"),
    }
}

/// Everything held at an instant, by provider, service, region, family, scope and state.
#[must_use]
pub fn positions(holdings: &[Holding<'_>], catalog: &Catalog, at: DateTime<Utc>) -> Vec<Position> {
    let mut positions = BTreeMap::new();
    for holding in holdings {
        let offer = holding.offer;
        let family = family(holding, catalog);
        let scope = holding.commitment.scope.kind();
        let key = (offer.provider, offer.service.clone(), offer.region.clone(), family, scope, holding.state(at));
        positions.entry(key).or_insert_with(Figures::default).add(holding, at);
    }
    let position = |((provider, service, region, family, scope, state), figures)| Position {
        provider,
        service,
        region,
        family,
        scope,
        state,
        figures,
    };
    positions.into_iter().map(position).collect()
}

/// What expires in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rung {
    /// The month, in the provider's calendar.
    pub month: Month,
    /// What expires in it.
    pub figures: Figures,
    /// Its share of the hourly cost of all that is held, 0 to 1.
    #[serde(with = "rust_decimal::serde::str")]
    pub share: Decimal,
}

/// What expires in which month, of all that is active or queued at an instant. What ends at the start of a month expires in the one before.
#[must_use]
pub fn ladder(holdings: &[Holding<'_>], at: DateTime<Utc>) -> Vec<Rung> {
    let mut rungs: BTreeMap<Month, Figures> = BTreeMap::new();
    let mut whole = Decimal::ZERO;
    for holding in holdings.iter().filter(|holding| is_held(holding, at)) {
        let last = Hour::containing(holding.commitment.end).plus(-1);
        rungs.entry(month_of(holding.offer.provider, last)).or_default().add(holding, at);
        whole += (holding.offer.effective_hourly() * holding.commitment.quantity).value();
    }
    let share = |figures: &Figures| if whole.is_zero() { Decimal::ZERO } else { figures.per_hour.value() / whole };
    rungs.into_iter().map(|(month, figures)| Rung { month, share: share(&figures), figures }).collect()
}

/// Charges and prepaid value of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MonthObligation {
    /// The month, in the provider's calendar.
    pub month: Month,
    /// What commitments held will be charged in it (from the instant asked for on, in its month).
    pub charges: Money,
    /// What is prepaid at its end.
    pub prepaid: Money,
}

/// What will still be charged and what is prepaid, from the month of an instant to the last in which anything is held.
#[must_use]
pub fn obligations(holdings: &[Holding<'_>], at: DateTime<Utc>) -> Vec<MonthObligation> {
    let held: Vec<&Holding<'_>> = holdings.iter().filter(|holding| is_held(holding, at)).collect();
    let Some(last) = held.iter().map(|h| month_of(h.offer.provider, Hour::containing(h.commitment.end).plus(-1))).max() else {
        return Vec::new();
    };
    let first = held.iter().map(|holding| month_of(holding.offer.provider, Hour::containing(at))).min();
    let mut month = first.unwrap_or(last);
    let mut rows = Vec::new();
    while month <= last {
        let (mut charges, mut prepaid) = (Money::ZERO, Money::ZERO);
        for holding in &held {
            let provider = holding.offer.provider;
            let (from, until) = (month_start(provider, month), month_start(provider, month.next()));
            if until > at {
                let before = if from > at { to_be_charged(holding, at, from) } else { Money::ZERO };
                charges += to_be_charged(holding, at, until) - before;
            }
            if until.max(at) > holding.commitment.start && until < holding.commitment.end {
                prepaid += holding.prepaid_left(until) * holding.commitment.quantity;
            }
        }
        rows.push(MonthObligation { month, charges, prepaid });
        month = month.next();
    }
    rows
}

/// What is charged for all that is held from an instant (what is due at it counts as charged) until before another: an upfront payment at the
/// start, hours of the term (AWS, Google), instalments (Azure).
fn to_be_charged(holding: &Holding<'_>, at: DateTime<Utc>, until: DateTime<Utc>) -> Money {
    let (commitment, offer) = (holding.commitment, holding.offer);
    let upfront = if at < commitment.start && commitment.start < until { offer.upfront } else { Money::ZERO };
    let recurring = match offer.provider {
        Provider::Azure => {
            let months = offer.term.nominal_months().max(1);
            let due = (0..months).map(|month| holding.due(month)).filter(|due| at < *due && *due < until);
            holding.instalment() * Decimal::from(due.filter(|due| *due < commitment.end).count())
        }
        Provider::Aws | Provider::Gcp => {
            let hour = |instant: DateTime<Utc>| Hour::containing(instant).since_epoch();
            let (from, end) = (hour(at.max(commitment.start)), hour(until.min(commitment.end)));
            offer.recurring.over_hours(Decimal::from((end - from).max(0)))
        }
    };
    (upfront + recurring) * commitment.quantity
}

fn month_of(provider: Provider, hour: Hour) -> Month {
    match provider {
        Provider::Aws | Provider::Azure => hour.month(),
        Provider::Gcp => pacific::month(hour),
    }
}

fn month_start(provider: Provider, month: Month) -> DateTime<Utc> {
    match provider {
        Provider::Aws | Provider::Azure => month.start(),
        Provider::Gcp => pacific::midnight(month.start().date_naive()),
    }
}

/// How locked in one is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LockIn {
    /// What will still be charged.
    pub obligation: Money,
    /// What is prepaid.
    pub prepaid: Money,
    /// What is held costs an hour, upfront spread over the term.
    pub per_hour: MoneyPerHour,
    /// Obligation and prepaid value over the cost of a month of 730 hours: for how many months one has committed. 0 if nothing is held.
    #[serde(with = "rust_decimal::serde::str")]
    pub months: Decimal,
    /// The remaining term in months of 730 hours, weighted by hourly cost; what is queued counts from its start. 0 if nothing is held.
    #[serde(with = "rust_decimal::serde::str")]
    pub weighted_term: Decimal,
}

/// How locked in one is at an instant.
#[must_use]
pub fn lock_in(holdings: &[Holding<'_>], at: DateTime<Utc>) -> LockIn {
    let mut figures = Figures::default();
    let mut weighted = Decimal::ZERO;
    for holding in holdings.iter().filter(|holding| is_held(holding, at)) {
        figures.add(holding, at);
        weighted += (holding.offer.effective_hourly() * holding.commitment.quantity).value() * holding.hours_left(at);
    }
    let Figures { obligation, prepaid, per_hour, .. } = figures;
    let month = Decimal::from(730) * per_hour.value();
    let over = |amount: Decimal| if month.is_zero() { Decimal::ZERO } else { amount / month };
    LockIn { obligation, prepaid, per_hour, months: over((obligation + prepaid).value()), weighted_term: over(weighted) }
}
