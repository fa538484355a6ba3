//! Commitments as a bill describes them, and the portfolio that they make with a catalog's offers. Bills leave things out: what was inferred is
//! noted, and a commitment that cannot be placed is left out by name.

use crate::UnknownSkus;
use crate::error::Result;
use crate::note::Note;
use chrono::{DateTime, Utc};
use covermix::catalog::{Benefit, Catalog, Offer, Origin, PaymentOption, ScopeKind};
use covermix::portfolio::{Commitment, Portfolio, Scope};
use covermix::time::Term;
use covermix::units::{Money, MoneyPerHour};
use covermix::usage::{Provider, Sku};
use covermix::{Problem, error};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// How names of plans end that are committed to in on-demand money (Google's data model before 2026).
pub(crate) const LEGACY: &str = " (legacy)";

/// What a commitment is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Usage of a SKU, or of its pool.
    Usage {
        /// What is reserved.
        sku: Sku,
    },
    /// Money an hour.
    Spend {
        /// The kind of plan, in the provider's words.
        plan: String,
    },
    /// The bill does not say.
    Unknown,
}

/// A commitment, as the bill describes it. What the bill does not say is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldCommitment {
    /// The provider's identifier, or one made of what the bill says.
    pub id: String,
    /// The provider.
    pub provider: Provider,
    /// What was bought, in words.
    pub name: String,
    /// Who owns it.
    pub account: String,
    /// What it is for.
    pub subject: Subject,
    /// The identifier of the offer or its price; empty if the bill does not say.
    pub offer: String,
    /// How many, or how much money an hour.
    pub quantity: Option<Decimal>,
    /// Whether `quantity` is in normalised units of the pool.
    pub is_normalised: bool,
    /// When it starts.
    pub start: Option<DateTime<Utc>>,
    /// When it ends: the first instant without it.
    pub end: Option<DateTime<Utc>>,
    /// The term it was bought for.
    pub term: Option<Term>,
    /// When it is paid.
    pub payment_option: Option<PaymentOption>,
    /// Upfront fee of one.
    pub upfront: Option<Decimal>,
    /// Fee of one for every hour.
    pub recurring: Option<Decimal>,
    /// The region it is limited to, where `subject` does not say; empty if it is not limited, or if the bill does not say.
    pub region: String,
    /// The zone it is limited to; empty if it is not, or if the bill does not say.
    pub zone: String,
}

/// The portfolio of commitments with the offers of a catalog.
///
/// # Errors
/// [`Problem::Dangling`] for a commitment that has no offer and no price in the catalog or lacks its time, unless those are excluded.
pub(crate) fn portfolio(
    held: &[HeldCommitment],
    catalog: &Catalog,
    unknown: UnknownSkus,
    notes: &mut Vec<Note>,
) -> Result<Portfolio> {
    let mut made: BTreeMap<String, Offer> = BTreeMap::new();
    let mut commitments = Vec::new();
    for one in held {
        match place(one, catalog) {
            Ok((commitment, own)) => {
                commitments.push(commitment);
                made.extend(own.map(|offer| (offer.id.clone(), offer)));
            }
            Err(why) if unknown == UnknownSkus::Exclude => notes.push(Note::LeftOut { commitment: one.id.clone(), why }),
            Err(why) => {
                let problem = Problem::Dangling { kind: "offer of a commitment on the bill", id: format!("{}: {why}", one.name) };
                return Err(error::Error::from(problem).in_item(one.id.clone()).into());
            }
        }
    }
    Ok(Portfolio::new(made.into_values().collect(), commitments)?)
}

/// The commitment, and its offer if the catalog has none that fits.
fn place(held: &HeldCommitment, catalog: &Catalog) -> Result<(Commitment, Option<Offer>), String> {
    let quantity = held.quantity.filter(|quantity| *quantity > Decimal::ZERO).ok_or("the bill does not tell how much it is")?;
    let (start, end) = held.start.zip(held.end).ok_or("the bill does not tell when it starts and ends")?;
    let own;
    let (offer, made) = match listed(held, catalog) {
        Some(offer) => (offer, None),
        None => {
            own = offer_of(held, catalog)?;
            (&own, Some(own.clone()))
        }
    };
    let units = match &offer.benefit {
        Benefit::Reservation { pool: Some(pool), .. } if held.is_normalised => pool.units.value(),
        _ => Decimal::ONE,
    };
    let scope = match held.zone.as_str() {
        zone if !zone.is_empty() && offer.scopes.contains(&ScopeKind::AvailabilityZone) => {
            Scope::AvailabilityZone { availability_zone: zone.to_owned() }
        }
        _ if offer.scopes.contains(&ScopeKind::Shared) => Scope::Shared,
        _ if offer.scopes.contains(&ScopeKind::Region) => Scope::Region,
        _ if offer.scopes.contains(&ScopeKind::Project) => Scope::Project { project: held.account.clone() },
        _ => Scope::Subscription { subscription: held.account.clone() },
    };
    let commitment = Commitment {
        id: held.id.clone(),
        offer: offer.id.clone(),
        quantity: (quantity / units).normalize(),
        start,
        end,
        account: held.account.clone(),
        scope,
    };
    Ok((commitment, made))
}

/// The catalog's offer: the one that the bill names, else one for the same SKU, term and payment.
fn listed<'a>(held: &HeldCommitment, catalog: &'a Catalog) -> Option<&'a Offer> {
    let named = || {
        let is_named = |offer: &&Offer| !offer.provider_id.is_empty() && offer.provider_id == held.offer;
        catalog.offer(&held.offer).or_else(|| catalog.offers().iter().find(is_named))
    };
    if let Some(offer) = Some(()).filter(|()| !held.offer.is_empty()).and_then(|()| named()) {
        return Some(offer);
    }
    let sku = match &held.subject {
        Subject::Usage { sku } => sku,
        Subject::Spend { plan } => return plan_of(plan, held, catalog),
        Subject::Unknown => return None,
    };
    let price = catalog.price(sku)?;
    let months = held.term?.nominal_months();
    let is_same = |offer: &&Offer| {
        matches!(&offer.benefit, Benefit::Reservation { sku, .. } if *sku == price.id)
            && offer.term.nominal_months() == months
            && held.payment_option.is_none_or(|payment| payment == offer.payment_option)
    };
    // With the fee on the bill, only the offer with that fee.
    let paid = held.upfront.unwrap_or_default() + held.recurring.unwrap_or_default() * held.term?.list_hours();
    let distance = |offer: &&Offer| (offer.effective_hourly().value() * offer.term.list_hours() - paid).abs();
    let nearest = catalog.offers().iter().filter(is_same).min_by_key(distance)?;
    let is_exact = held.upfront.is_none() && held.recurring.is_none() || distance(&nearest) <= paid / Decimal::ONE_THOUSAND;
    is_exact.then_some(nearest)
}

/// The offer of a plan that the words of the bill name: `Compute Flexible CUD (legacy)` is the catalog's `Compute flexible (legacy)`.
fn plan_of<'a>(words: &str, held: &HeldCommitment, catalog: &'a Catalog) -> Option<&'a Offer> {
    let words = words.to_lowercase();
    let is_named = |plan: &str| {
        let plan = plan.to_lowercase();
        let name = plan.trim_end_matches(LEGACY);
        plan.ends_with(LEGACY) == words.ends_with(LEGACY)
            && (words.contains(name) || name.contains("flexible") && words.contains("flexible"))
    };
    // The rates of AWS's plans are those of the day they were bought: an offer of today is another one.
    let months = held.term.filter(|_| held.provider != Provider::Aws)?.nominal_months();
    let is_same = |offer: &&Offer| {
        matches!(&offer.benefit, Benefit::SpendPlan { plan, .. } if is_named(plan))
            && offer.provider == held.provider
            && offer.term.nominal_months() == months
            && (offer.region.is_empty() || offer.region == held.region)
            && held.payment_option.is_none_or(|payment| payment == offer.payment_option)
    };
    let mut offers = catalog.offers().iter().filter(is_same);
    let first = offers.next();
    first.filter(|_| offers.next().is_none())
}

/// An offer of the fees that the bill shows.
fn offer_of(held: &HeldCommitment, catalog: &Catalog) -> Result<Offer, String> {
    let Subject::Usage { sku } = &held.subject else { return Err("the catalog has no such offer".into()) };
    let price = catalog.price(sku).ok_or_else(|| format!("the catalog has no price of {sku}"))?;
    let term = held.term.ok_or("the bill does not tell its term")?;
    if held.upfront.is_none() && held.recurring.is_none() {
        return Err("the bill has no fee of it, and the catalog no such offer".into());
    }
    let (upfront, recurring) = (held.upfront.unwrap_or_default(), held.recurring.unwrap_or_default());
    let scopes = match held.provider {
        Provider::Aws => covermix::catalog::aws::reserved_instance_scopes(),
        Provider::Azure => covermix::catalog::azure::scopes(),
        _ => covermix::catalog::gcp::scopes(),
    };
    Ok(Offer {
        id: format!("held/{}/{}m/{}+{}", price.id, term.nominal_months(), upfront.normalize(), recurring.normalize()),
        provider: held.provider,
        service: sku.service.clone(),
        region: sku.region.clone(),
        benefit: Benefit::Reservation { sku: price.id.clone(), pool: price.pools.first().cloned() },
        term,
        payment_option: held.payment_option.unwrap_or(PaymentOption::NoUpfront),
        upfront: Money::new(upfront),
        recurring: MoneyPerHour::new(recurring),
        scopes,
        rights: std::collections::BTreeSet::new(),
        purchasable_from: None,
        purchasable_until: None,
        derived: "fees are those on the bill".into(),
        lot: None,
        provider_id: String::new(),
        origin: Origin::default(),
    })
}
