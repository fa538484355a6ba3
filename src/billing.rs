//! The judge: what a provider charges for given usage under given commitments, hour by hour, by the provider's own rules.
//!
//! A [`Judge`] is made of usage, catalog and portfolio. Each provider's file (`billing/aws.rs` ...) says in which order commitments draw
//! on usage lines while a set of them is active: its [`waterfall`](self). The hours are then replayed in one pass, in
//! [`Decimal`] for the [`Bill`] and in f64 where planning needs only the cost.
//!
//! The rules, with sources, and the formulas of the bill are in `docs/formulation.md`, "Waterfall" and "The bill", and in
//! `docs/formulation-billing.md`, "Waterfall".

pub mod agreement;
pub mod attribution;
mod aws;
pub mod azure;
mod bill;
mod calendar;
mod cash;
mod explain;
pub mod focus;
pub mod gcp;
pub mod indicators;
mod outcome;
mod record;
mod waterfall;

pub use aws::{
    AwsRules, CAPACITY_RESERVATION_STATUS, ConcurrentSplit, FreeTierOrder, GroupSharing, LeaseOrder, NegativeSavings,
    PartialHours, PlanOrder, SavingsBasis, TierOrder,
};
pub use azure::AzureRules;
pub use bill::{Bill, Charges, CommitmentBill, LineBill, LineHour};
pub use cash::{CashKind, CashPayment};
pub use explain::{Explanation, Step};
pub use gcp::GcpRules;
pub(crate) use outcome::Outcome;

use crate::catalog::{Benefit, Catalog, Offer, OnDemandPrice, ScopeKind};
use crate::error::{Error, Problem, Result, UnknownSku};
use crate::portfolio::{Commitment, Portfolio};
use crate::time::HourGrid;
use crate::units::UnitPrice;
use crate::usage::{PricingCategory, Provider, UsageCurves, UsageLine};
use chrono::{DateTime, Utc};
use record::Record;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;
use waterfall::{Epoch, Waterfall};

/// The switches of the providers' rules, where documentation leaves a choice or the customer has one. The default is the
/// documented or most likely rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Of AWS.
    pub aws: AwsRules,
    /// Of Azure.
    pub azure: AzureRules,
    /// Of Google Cloud.
    pub gcp: GcpRules,
    /// Whether a plan held may have a rate above the public on-demand price.
    pub rates_above_on_demand: RatesAboveOnDemand,
}

/// Whether a plan held may have a rate above the public on-demand price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RatesAboveOnDemand {
    /// Such a rate is an error: most often prices of two dates meet.
    #[default]
    Refused,
    /// Such rates are right, as after a price cut; see [`NegativeSavings`] for what AWS does with them.
    Allowed,
}

/// Usage, catalog and portfolio, matched and ready to be billed.
#[derive(Clone, Debug)]
pub struct Judge<'a> {
    usage: &'a UsageCurves,
    lines: Vec<PricedLine<'a>>,
    held: Vec<Held<'a>>,
    catalog: &'a Catalog,
    record: Arc<Record>,
}

/// A usage line with its price. Lines of spot and free-tier usage take no part in the waterfall.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PricedLine<'a> {
    /// Its column in the curves.
    pub(crate) column: usize,
    pub(crate) line: &'a UsageLine,
    pub(crate) price: &'a OnDemandPrice,
    /// The public price, where the customer's is a negotiated one; else the same.
    pub(crate) list: UnitPrice,
}

impl PricedLine<'_> {
    /// Whether it is within a free tier: what no commitment draws costs nothing.
    pub(crate) fn is_free(&self) -> bool {
        self.line.pricing == PricingCategory::FreeTier
    }

    /// What a unit costs that no commitment covers.
    pub(crate) fn on_demand(&self) -> UnitPrice {
        if self.is_free() { UnitPrice::ZERO } else { self.price.price }
    }
}

/// A commitment with its offer and the hours of the grid it serves.
#[derive(Clone, Debug)]
pub(crate) struct Held<'a> {
    pub(crate) commitment: &'a Commitment,
    pub(crate) offer: &'a Offer,
    pub(crate) hours: Range<usize>,
}

impl Held<'_> {
    /// What it provides in an hour: normalised units of a pool, units of its SKU, or money of a spend plan.
    fn capacity(&self) -> Decimal {
        match &self.offer.benefit {
            Benefit::Reservation { pool: Some(pool), .. } if self.is_flexible() => self.commitment.quantity * pool.units.value(),
            Benefit::Reservation { .. } | Benefit::SpendPlan { .. } => self.commitment.quantity,
        }
    }

    /// See [`calendar_factor`].
    pub(crate) fn calendar_factor(&self) -> Decimal {
        calendar_factor(self.offer, self.commitment.start)
    }

    /// Whether it covers a whole pool rather than one SKU.
    pub(crate) fn is_flexible(&self) -> bool {
        use crate::catalog::ScopeKind::AvailabilityZone;
        let is_pool = matches!(&self.offer.benefit, Benefit::Reservation { pool: Some(_), .. });
        is_pool && self.commitment.scope.kind() != AvailabilityZone
    }
}

/// By how much the hours of a term that starts then differ from those that its price is given for. Azure spreads a reservation over the days
/// of its term, 366 if 29 February is in it ("View amortized reservation costs"); the others charge the hours of the price list.
pub(crate) fn calendar_factor(offer: &Offer, start: DateTime<Utc>) -> Decimal {
    let hours = (offer.term.end(start) - start).num_hours();
    if offer.provider != Provider::Azure || offer.is_spend_plan() || hours <= 0 {
        return Decimal::ONE;
    }
    match offer.term {
        // A month's price is for the month, however long; price lists count years as 8,760 hours.
        crate::time::Term::Months(months) => Decimal::from(730 * u64::from(months)) / Decimal::from(hours),
        crate::time::Term::Days(_) => Decimal::ONE,
    }
}

/// The hours of a grid that a commitment bought by an offer serves.
pub(crate) fn served(grid: HourGrid, offer: &Offer, start: DateTime<Utc>, end: DateTime<Utc>, rules: &Rules) -> Range<usize> {
    let partial_hours = match offer.provider {
        Provider::Aws => rules.aws.partial_hours,
        Provider::Azure => rules.azure.partial_hours,
        Provider::Gcp => rules.gcp.partial_hours,
    };
    let (start, end) = partial_hours.served(start, end);
    grid.span(start, end)
}

impl<'a> Judge<'a> {
    /// Matches usage with prices and commitments with offers.
    ///
    /// # Errors
    /// [`Problem::UnknownSkus`] with every on-demand line that has no price; [`Problem::Dangling`] for a commitment whose offer is
    /// nowhere or covers a SKU without price; [`Problem::Scope`] for a commitment with a scope its offer does not have;
    /// [`Problem::RateAboveOnDemand`] for a plan with such a rate, unless [`Rules::rates_above_on_demand`] allows it;
    /// [`Problem::Value`], [`Problem::Repeated`] or [`Problem::PriceNotPositive`] for price sheets of Azure that are not valid.
    pub fn new(usage: &'a UsageCurves, catalog: &'a Catalog, portfolio: &'a Portfolio, rules: &Rules) -> Result<Self> {
        rules.azure.check()?;
        let lines = price_lines(usage, catalog, rules)?;
        let held = hold(usage, catalog, portfolio, rules)?;
        let is_pacific = lines.iter().any(|line| line.line.sku.provider == Provider::Gcp)
            || held.iter().any(|held| held.offer.provider == Provider::Gcp);
        let epochs = waterfall::epochs(usage.grid(), &held, is_pacific)
            .into_iter()
            .map(|(hours, active)| {
                let month = usage.grid().hour(hours.start).month();
                let mut waterfall = Waterfall::default();
                aws::draws(&rules.aws, &lines, &held, &active, &mut waterfall);
                azure::draws(&rules.azure, month, &lines, &held, &active, &mut waterfall);
                gcp::draws(&rules.gcp, &lines, &held, &active, &mut waterfall);
                Epoch { hours, draws: waterfall.draws, rounds: waterfall.rounds }
            })
            .collect();
        let sustained = gcp::sustained::groups(&rules.gcp, &lines);
        let record = Arc::new(Record::new(usage, &lines, &held, epochs, sustained));
        Ok(Self { usage, lines, held, catalog, record })
    }

    /// The exact bill of the whole usage, in `Decimal`.
    #[must_use]
    pub fn bill(&self) -> Bill {
        Bill::new(Arc::clone(&self.record))
    }

    /// The amortised cost of the whole usage in f64: what is left on demand plus every hour of every commitment. Agrees with
    /// [`Judge::bill`] to about 1e-12 relative, in a fraction of its time.
    #[must_use]
    pub fn cost(&self) -> f64 {
        bill::cost(&self.record)
    }
}

/// The lines that take part, each with its price: on-demand usage, and usage within a free tier if the rules let commitments draw on it.
fn price_lines<'a>(usage: &'a UsageCurves, catalog: &'a Catalog, rules: &Rules) -> Result<Vec<PricedLine<'a>>> {
    let mut lines = Vec::with_capacity(usage.lines().len());
    let mut unknown = Vec::new();
    for (column, line) in usage.lines().iter().enumerate() {
        let is_free = line.pricing == PricingCategory::FreeTier
            && line.sku.provider == Provider::Aws
            && rules.aws.free_tier != FreeTierOrder::AsMetered;
        if line.pricing != PricingCategory::Standard && !is_free {
            continue;
        }
        match catalog.price(&line.sku) {
            None if is_free => {}
            Some(price) => {
                let list = rules.azure.list_prices.get(&price.id).copied().or(price.list_price).unwrap_or(price.price);
                lines.push(PricedLine { column, line, price, list });
            }
            None => unknown.push(column),
        }
    }
    if unknown.is_empty() {
        return Ok(lines);
    }
    let totals = usage.totals();
    let describe = |column: usize| {
        let line = &usage.lines()[column];
        let quantity = totals[column];
        UnknownSku { line: line.to_string(), quantity, on_demand_cost: line.billed_price.map(|price| price.to_f64() * quantity) }
    };
    Err(Error::from(Problem::UnknownSkus(unknown.into_iter().map(describe).collect())).in_field("sku"))
}

/// The commitments, each with its offer and the hours it serves.
fn hold<'a>(usage: &UsageCurves, catalog: &'a Catalog, portfolio: &'a Portfolio, rules: &Rules) -> Result<Vec<Held<'a>>> {
    let mut held = Vec::with_capacity(portfolio.commitments().len());
    for commitment in portfolio.commitments() {
        let offer = portfolio.offer(catalog, commitment)?;
        if !offer.scopes.contains(&commitment.scope.kind()) || !has_scope(offer.provider, commitment.scope.kind()) {
            let problem = Problem::Scope { scope: format!("{:?}", commitment.scope.kind()) };
            return Err(Error::from(problem).in_field("commitments.scope").in_item(commitment.id.clone()));
        }
        check_rates(offer, catalog, rules).map_err(|error| error.in_item(commitment.id.clone()))?;
        let hours = served(usage.grid(), offer, commitment.start, commitment.end, rules);
        held.push(Held { commitment, offer, hours });
    }
    Ok(held)
}

/// Refuses plan rates above the on-demand price unless the rules say that they are right, as after a price cut.
pub(crate) fn check_rates(offer: &Offer, catalog: &Catalog, rules: &Rules) -> Result<()> {
    let Benefit::SpendPlan { rates, .. } = &offer.benefit else { return Ok(()) };
    if rules.rates_above_on_demand == RatesAboveOnDemand::Allowed {
        return Ok(());
    }
    for (id, rate) in rates {
        // A negotiated price may be below a plan's rate; the public one may not.
        let Some(price) = catalog.price_with_id(id) else { continue };
        let list = rules.azure.list_prices.get(id).copied().or(price.list_price).unwrap_or(price.price);
        if *rate > list {
            let problem = Problem::RateAboveOnDemand { rate: rate.to_string(), on_demand: list.to_string() };
            return Err(Error::from(problem).in_field(format!("offers.benefit.rates.{id}")));
        }
    }
    Ok(())
}

/// Whether a provider has commitments of such a scope.
fn has_scope(provider: Provider, scope: ScopeKind) -> bool {
    use ScopeKind::{AvailabilityZone, ManagementGroup, Project, Region, ResourceGroup, Shared, Subscription};
    match scope {
        Shared => true,
        AvailabilityZone => provider == Provider::Aws,
        Region => provider != Provider::Azure,
        ManagementGroup | Subscription | ResourceGroup => provider == Provider::Azure,
        Project => provider == Provider::Gcp,
    }
}

/// The lines of one provider.
fn lines_of<'l, 'a>(lines: &'l [PricedLine<'a>], provider: Provider) -> impl Iterator<Item = (usize, &'l PricedLine<'a>)> {
    lines.iter().enumerate().filter(move |(_, line)| line.line.sku.provider == provider)
}

#[cfg(test)]
mod tests;
