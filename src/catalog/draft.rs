//! A catalog while price files are read into it: what the readers found, before prices, offers and rates are matched.

use super::builder::Selection;
use super::{
    Benefit, Catalog, Interruption, Lot, Offer, OnDemandPrice, Origin, PaymentOption, Rejection, RejectionReason, Right,
};
use super::{ScopeKind, SpotPrice};
use crate::error::{Error, Problem, Result};
use crate::time::Term;
use crate::units::{Money, MoneyPerHour, UnitPrice};
use crate::usage::{Provider, Sku};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// What is wanted.
    pub(super) selection: Selection,
    /// Source and date of the file being read; readers fill in what it says.
    pub(super) origin: Origin,
    currency: Option<String>,
    prices: Vec<OnDemandPrice>,
    offers: Vec<Offer>,
    spot: Vec<SpotPrice>,
    /// Interruption and saving by SKU, of spot capacity.
    spot_advice: Vec<SpotAdvice>,
    plans: BTreeMap<PlanKey, Plan>,
    /// Usage that rates are for, and its index, so that each is held once.
    rated: HashMap<Rated, usize>,
    /// The identifier of the price of metered usage.
    metered: HashMap<Metered, String>,
    rejected: Vec<Rejection>,
    rejected_together: BTreeMap<(String, RejectionReason), u64>,
}

/// Usage as an AWS bill meters it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Metered {
    pub(super) service: String,
    pub(super) region: String,
    pub(super) usage_type: String,
    pub(super) operation: String,
}

/// What a spend plan's rate is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Rated {
    /// A price of the catalog, by its identifier.
    Price(String),
    /// A provider's SKU (may be empty), or else metered usage; the last resort is the SKU it stands for.
    Usage { provider_id: String, metered: Metered, sku: Option<Box<Sku>> },
}

/// What makes a spend plan one offer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PlanKey {
    pub(super) plan: String,
    pub(super) service: String,
    pub(super) region: String,
    pub(super) family: String,
    pub(super) years: u32,
    pub(super) payment_option: PaymentOption,
}

#[derive(Debug, Default)]
struct Plan {
    rates: Vec<(usize, UnitPrice)>,
    provider_ids: BTreeSet<String>,
    derived: String,
    origin: Origin,
}

/// What the Spot Instance Advisor says of a SKU.
#[derive(Debug)]
pub(super) struct SpotAdvice {
    pub(super) sku: Sku,
    pub(super) interruption: Interruption,
    /// The saving over on demand, at most 1; negative where spot costs more.
    pub(super) saving: Decimal,
    pub(super) origin: Origin,
}

impl Draft {
    /// Notes the currency of a file.
    ///
    /// # Errors
    /// [`Problem::MixedCurrency`] if an earlier one had another.
    pub(super) fn currency(&mut self, currency: &str) -> Result<()> {
        match &self.currency {
            None => self.currency = Some(currency.to_owned()),
            Some(expected) if expected != currency => {
                let problem = Problem::MixedCurrency { found: currency.to_owned(), expected: expected.clone() };
                return Err(Error::from(problem).in_field("currency"));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Whether a SKU is wanted; if not, it is counted as left out.
    pub(super) fn takes(&mut self, sku: &Sku) -> bool {
        let takes = self.selection.takes(sku);
        if !takes {
            self.reject_many("prices that were not asked for", RejectionReason::NotSelected, 1);
        }
        takes
    }

    /// Adds an on-demand price.
    pub(super) fn price(&mut self, price: OnDemandPrice) {
        self.prices.push(price);
    }

    /// Adds an on-demand price with the usage it is metered as.
    pub(super) fn metered_price(&mut self, metered: Metered, price: OnDemandPrice) {
        self.metered.entry(metered).or_insert_with(|| price.id.clone());
        self.prices.push(price);
    }

    /// Adds an offer; its SKU's price may come later.
    pub(super) fn offer(&mut self, offer: Offer) {
        self.offers.push(offer);
    }

    /// Adds a spot price.
    pub(super) fn spot(&mut self, spot: SpotPrice) {
        self.spot.push(spot);
    }

    /// Adds what is known of spot capacity besides its price.
    pub(super) fn advise_spot(&mut self, advice: SpotAdvice) {
        self.spot_advice.push(advice);
    }

    /// Adds the rate of a spend plan; `derived` says how, where it is not the provider's own.
    pub(super) fn rate(&mut self, plan: PlanKey, provider_id: &str, rated: Rated, rate: UnitPrice, derived: &str) {
        let next = self.rated.len();
        let index = *self.rated.entry(rated).or_insert(next);
        let origin = &self.origin;
        let plan =
            self.plans.entry(plan).or_insert_with(|| Plan { derived: derived.into(), origin: origin.clone(), ..Plan::default() });
        if !provider_id.is_empty() && !plan.provider_ids.contains(provider_id) {
            plan.provider_ids.insert(provider_id.into());
        }
        plan.rates.push((index, rate));
    }

    /// Leaves an entry out, with its reason.
    pub(super) fn reject(&mut self, item: impl Into<String>, reason: RejectionReason) {
        self.rejected.push(Rejection { item: item.into(), reason, count: 1 });
    }

    /// Leaves entries of a kind out, counted together.
    pub(super) fn reject_many(&mut self, kind: &str, reason: RejectionReason, count: u64) {
        if count == 0 {
            return;
        }
        match self.rejected_together.get_mut(&(kind.to_owned(), reason)) {
            Some(sum) => *sum += count,
            None => drop(self.rejected_together.insert((kind.to_owned(), reason), count)),
        }
    }

    /// The catalog.
    ///
    /// # Errors
    /// [`Problem::Empty`] without any price, and all of [`Catalog::new`].
    pub(super) fn finish(mut self) -> Result<Catalog> {
        let prices = std::mem::take(&mut self.prices);
        let prices = self.latest(prices, |price| price.sku.to_string(), price_names);
        let prices = self.latest(prices, |price| price.id.clone(), price_names);
        let offers = std::mem::take(&mut self.offers);
        let offers = self.latest(offers, |offer| offer.id.clone(), offer_names);
        let by_id: HashMap<String, UnitPrice> = prices.iter().map(|price| (price.id.clone(), price.price)).collect();
        let mut offers = self.with_prices(offers, &by_id);
        offers.extend(self.finish_plans(&prices, &by_id));
        let spot = self.finish_spot(&prices);
        if prices.is_empty() && spot.is_empty() {
            return Err(Problem::Empty { what: "price that is wanted" }.into());
        }
        let main = main_origin(&prices, &offers, &spot);
        let mut catalog = Self::assemble(self.currency.take(), &main, prices, offers, spot)?;
        let together = std::mem::take(&mut self.rejected_together);
        let together = together.into_iter().map(|((item, reason), count)| Rejection { item, reason, count });
        catalog.rejected = self.rejected.into_iter().chain(together).collect();
        catalog.rejected.sort_by(|a, b| (a.reason, &a.item).cmp(&(b.reason, &b.item)));
        Ok(catalog)
    }

    fn assemble(
        currency: Option<String>,
        main: &Origin,
        mut prices: Vec<OnDemandPrice>,
        mut offers: Vec<Offer>,
        mut spot: Vec<SpotPrice>,
    ) -> Result<Catalog> {
        prices.iter_mut().for_each(|price| price.origin.without(main));
        offers.iter_mut().for_each(|offer| offer.origin.without(main));
        spot.iter_mut().for_each(|spot| spot.origin.without(main));
        let currency = currency.unwrap_or_else(|| "USD".into());
        Catalog::assemble(currency, main.price_date, main.source.clone(), prices, offers)?.with_spot(spot)
    }

    /// Of entries with one key the one of the latest date, then the least identifiers; the others are rejected.
    fn latest<T>(&mut self, entries: Vec<T>, key: impl Fn(&T) -> String, names: impl Fn(&T) -> (&str, &str, &Origin)) -> Vec<T> {
        let mut entries: Vec<(String, T)> = entries.into_iter().map(|entry| (key(&entry), entry)).collect();
        entries.sort_by(|(key_a, a), (key_b, b)| {
            let ((id_a, provider_a, origin_a), (id_b, provider_b, origin_b)) = (names(a), names(b));
            key_a
                .cmp(key_b)
                .then_with(|| origin_b.price_date.cmp(&origin_a.price_date))
                .then_with(|| (id_a, provider_a, &origin_a.source).cmp(&(id_b, provider_b, &origin_b.source)))
        });
        let mut kept: Vec<T> = Vec::with_capacity(entries.len());
        let mut last = None;
        for (key, entry) in entries {
            if last.as_ref() == Some(&key) {
                let (id, provider_id, _) = names(&entry);
                let item = if provider_id.is_empty() { id.to_owned() } else { format!("{id} ({provider_id})") };
                self.reject(item, RejectionReason::Superseded);
                continue;
            }
            last = Some(key);
            kept.push(entry);
        }
        kept
    }

    /// The offers whose prices are there; reservations above on demand stay, [`Catalog::check`] names them.
    fn with_prices(&mut self, offers: Vec<Offer>, by_id: &HashMap<String, UnitPrice>) -> Vec<Offer> {
        let mut kept = Vec::with_capacity(offers.len());
        for mut offer in offers {
            match &mut offer.benefit {
                Benefit::Reservation { sku, .. } if !by_id.contains_key(sku) => {
                    self.reject(offer.id, RejectionReason::NoOnDemandPrice);
                    continue;
                }
                Benefit::Reservation { .. } => {}
                Benefit::SpendPlan { rates, .. } => {
                    let (id, before) = (&offer.id, rates.len());
                    rates.retain(|price, _| by_id.contains_key(price));
                    let gone = u64::try_from(before - rates.len()).unwrap_or(u64::MAX);
                    let kind = format!("rates of {id}");
                    self.reject_many(&kind, RejectionReason::NoOnDemandPrice, gone);
                    if rates.is_empty() {
                        continue;
                    }
                }
            }
            kept.push(offer);
        }
        kept
    }

    fn finish_plans(&mut self, prices: &[OnDemandPrice], by_id: &HashMap<String, UnitPrice>) -> Vec<Offer> {
        let by_provider_id: HashMap<&str, &str> = prices
            .iter()
            .filter(|price| !price.provider_id.is_empty())
            .map(|price| (price.provider_id.as_str(), price.id.as_str()))
            .collect();
        let by_sku: HashMap<&Sku, &str> = prices.iter().map(|price| (&price.sku, price.id.as_str())).collect();
        let mut resolved: Vec<Option<String>> = vec![None; self.rated.len()];
        for (rated, index) in &self.rated {
            let id = match rated {
                Rated::Price(id) => Some(id.as_str()),
                Rated::Usage { provider_id, metered, sku } => by_provider_id
                    .get(provider_id.as_str())
                    .copied()
                    .or_else(|| self.metered.get(metered).map(String::as_str))
                    .or_else(|| sku.as_ref().and_then(|sku| by_sku.get(&**sku).copied())),
            };
            resolved[*index] = id.filter(|id| by_id.contains_key(*id)).map(str::to_owned);
        }
        let mut offers = Vec::new();
        for (key, plan) in std::mem::take(&mut self.plans) {
            let id = key.id();
            let mut rates: BTreeMap<String, UnitPrice> = BTreeMap::new();
            let (mut missing, mut repeated) = (0, 0);
            for (index, rate) in plan.rates {
                let Some(price) = &resolved[index] else {
                    missing += 1;
                    continue;
                };
                if by_id.get(price).is_some_and(|on_demand| rate > *on_demand) {
                    self.reject(format!("rate {rate} of {id} for {price}"), RejectionReason::AboveOnDemand);
                    continue;
                }
                // The same usage may be rated twice (used and unused capacity); the higher rate is the safe one.
                if rates.contains_key(price) {
                    repeated += 1;
                }
                let entry = rates.entry(price.clone()).or_insert(rate);
                *entry = (*entry).max(rate);
            }
            self.reject_many(&format!("rates of {id}"), RejectionReason::NoOnDemandPrice, missing);
            self.reject_many(&format!("further rates of {id} for the same usage"), RejectionReason::Superseded, repeated);
            if !rates.is_empty() {
                offers.push(key.offer(id, rates, plan.provider_ids, plan.derived, plan.origin));
            }
        }
        offers
    }

    /// Interruption figures join the prices that are there; without one, the advisor's saving makes a price from the on-demand price.
    fn finish_spot(&mut self, prices: &[OnDemandPrice]) -> Vec<SpotPrice> {
        let spot = std::mem::take(&mut self.spot);
        let mut spot = self.latest(spot, |spot| spot.id.clone(), spot_names);
        let mut by_sku: HashMap<Sku, Vec<usize>> = HashMap::new();
        for (index, price) in spot.iter().enumerate() {
            by_sku.entry(price.sku.clone()).or_default().push(index);
        }
        let on_demand: HashMap<&Sku, UnitPrice> = prices.iter().map(|price| (&price.sku, price.price)).collect();
        let mut unknown = 0;
        for advice in std::mem::take(&mut self.spot_advice) {
            if let Some(indices) = by_sku.get(&advice.sku) {
                indices.iter().for_each(|index| spot[*index].interruption = Some(advice.interruption));
                continue;
            }
            let price = on_demand.get(&advice.sku).map(|price| *price * (Decimal::ONE - advice.saving));
            match price.filter(|price| *price > UnitPrice::ZERO) {
                Some(price) => spot.push(SpotPrice {
                    id: format!("spot/{}", advice.sku),
                    sku: advice.sku,
                    availability_zone: String::new(),
                    price,
                    interruption: Some(advice.interruption),
                    origin: advice.origin,
                    derived: "on-demand price less the saving that the Spot Instance Advisor states in whole percent".into(),
                }),
                None => unknown += 1,
            }
        }
        self.reject_many("spot advice", RejectionReason::NoOnDemandPrice, unknown);
        spot
    }
}

fn price_names(price: &OnDemandPrice) -> (&str, &str, &Origin) {
    (&price.id, &price.provider_id, &price.origin)
}

fn offer_names(offer: &Offer) -> (&str, &str, &Origin) {
    (&offer.id, &offer.provider_id, &offer.origin)
}

fn spot_names(spot: &SpotPrice) -> (&str, &str, &Origin) {
    (&spot.id, "", &spot.origin)
}

impl PlanKey {
    fn id(&self) -> String {
        let kind = match self.plan.as_str() {
            super::aws::EC2_INSTANCE_PLAN => "ec2-instance".to_owned(),
            plan => plan.to_lowercase().replace(' ', "-"),
        };
        let place: String =
            [&self.region, &self.family].iter().filter(|part| !part.is_empty()).map(|part| format!("/{part}")).collect();
        format!("sp/{kind}{place}/{}y-{}", self.years, self.payment_option.slug())
    }

    /// AWS Savings Plans: paid not at all, half or all upfront (a partial upfront share may be chosen from 50 to 99 %).
    fn offer(
        self,
        id: String,
        rates: BTreeMap<String, UnitPrice>,
        provider_ids: BTreeSet<String>,
        derived: String,
        origin: Origin,
    ) -> Offer {
        let term = Term::Days(365 * self.years);
        let share = match self.payment_option {
            PaymentOption::NoUpfront => Decimal::ZERO,
            PaymentOption::PartialUpfront => Decimal::new(5, 1),
            PaymentOption::AllUpfront => Decimal::ONE,
        };
        Offer {
            id,
            provider: Provider::Aws,
            service: self.service,
            region: self.region,
            benefit: Benefit::SpendPlan { plan: self.plan, family: self.family, rates },
            term,
            payment_option: self.payment_option,
            upfront: Money::new(share * term.list_hours()),
            recurring: MoneyPerHour::new(Decimal::ONE - share),
            scopes: BTreeSet::from([ScopeKind::Shared]),
            // Within seven days and the calendar month of the purchase, up to 100 an hour.
            rights: BTreeSet::from([Right::Refund]),
            purchasable_from: None,
            purchasable_until: None,
            derived,
            // Savings Plans API: 0.001 to 1,000,000 an hour, at most five decimals.
            lot: Some(Lot { minimum: Decimal::new(1, 3), increment: Decimal::new(1, 5) }),
            provider_id: provider_ids.into_iter().collect::<Vec<_>>().join(" "),
            origin,
        }
    }
}

/// The origin that most entries have, the least of equals; without date if any entry has none.
fn main_origin(prices: &[OnDemandPrice], offers: &[Offer], spot: &[SpotPrice]) -> Origin {
    let mut counts: BTreeMap<&Origin, usize> = BTreeMap::new();
    let mut is_dated = true;
    let origins = prices.iter().map(|price| &price.origin);
    let origins = origins.chain(offers.iter().map(|offer| &offer.origin)).chain(spot.iter().map(|spot| &spot.origin));
    for origin in origins {
        *counts.entry(origin).or_default() += 1;
        is_dated &= origin.price_date.is_some();
    }
    let most = counts.values().max().copied();
    let main = counts.into_iter().find(|(_, count)| Some(*count) == most).map(|(origin, _)| origin.clone()).unwrap_or_default();
    Origin { price_date: main.price_date.filter(|_| is_dated), ..main }
}

impl Origin {
    /// Drops what the catalog's own origin says already.
    fn without(&mut self, main: &Origin) {
        if self.source == main.source {
            self.source.clear();
        }
        if self.price_date == main.price_date {
            self.price_date = None;
        }
    }
}
