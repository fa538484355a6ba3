//! A catalog while price files are read into it: what the readers found, before prices, offers and rates are matched.

use super::builder::Selection;
use super::entries::{Counts, Entries, Named};
use super::validity::Finder;
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
    /// Pages of Azure's and Google's answers, which need each other.
    pub(super) azure: super::azure::retail::Pages,
    pub(super) gcp: super::gcp::billing_catalog::Pages,
    /// Source and date of the file being read; readers fill in what it says.
    pub(super) origin: Origin,
    currency: Option<String>,
    /// The files' sources and dates; an entry holds of its own origin what differs from its file's.
    files: Vec<Origin>,
    prices: Entries<OnDemandPrice>,
    offers: Entries<Offer>,
    spot: Entries<SpotPrice>,
    /// Interruption and saving by SKU, of spot capacity.
    spot_advice: Vec<SpotAdvice>,
    /// Spend plans, and each one's index by what makes it one.
    plans: Vec<Plan>,
    plan_by_key: BTreeMap<PlanKey, usize>,
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

#[derive(Debug)]
struct Plan {
    key: PlanKey,
    rates: Vec<(RatedIndex, UnitPrice)>,
    provider_ids: BTreeSet<String>,
    derived: String,
    origin: Origin,
}

/// A spend plan of the draft.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlanIndex(usize);

/// Usage that rates are for, of the draft.
#[derive(Clone, Copy, Debug)]
pub(super) struct RatedIndex(usize);

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

    /// The index of the file being read, as it says of itself so far.
    fn file(&mut self) -> usize {
        if self.files.last() != Some(&self.origin) {
            self.files.push(self.origin.clone());
        }
        self.files.len() - 1
    }

    /// Adds an on-demand price. Of its origin it says what the file does not say.
    pub(super) fn price(&mut self, price: OnDemandPrice) {
        let file = self.file();
        self.prices.push(price, file);
    }

    /// Adds an on-demand price with the usage it is metered as.
    pub(super) fn metered_price(&mut self, metered: Metered, price: OnDemandPrice) {
        self.metered.entry(metered).or_insert_with(|| price.id.clone());
        self.price(price);
    }

    /// Adds an offer; its SKU's price may come later. Of its origin it says what the file does not say.
    pub(super) fn offer(&mut self, offer: Offer) {
        let file = self.file();
        self.offers.push(offer, file);
    }

    /// Adds a spot price. Of its origin it says what the file does not say.
    pub(super) fn spot(&mut self, spot: SpotPrice) {
        let file = self.file();
        self.spot.push(spot, file);
    }

    /// Adds what is known of spot capacity besides its price.
    pub(super) fn advise_spot(&mut self, advice: SpotAdvice) {
        self.spot_advice.push(advice);
    }

    /// The index of a spend plan; `derived` says how its rates are, where they are not the provider's own.
    pub(super) fn plan(&mut self, key: &PlanKey, derived: &str) -> PlanIndex {
        if let Some(index) = self.plan_by_key.get(key) {
            return PlanIndex(*index);
        }
        let plan = Plan {
            key: key.clone(),
            rates: Vec::new(),
            provider_ids: BTreeSet::new(),
            derived: derived.into(),
            origin: self.origin.clone(),
        };
        self.plans.push(plan);
        let index = self.plans.len() - 1;
        self.plan_by_key.insert(key.clone(), index);
        PlanIndex(index)
    }

    /// The index of what rates are for.
    pub(super) fn rated(&mut self, rated: Rated) -> RatedIndex {
        let next = self.rated.len();
        RatedIndex(*self.rated.entry(rated).or_insert(next))
    }

    /// Adds the rate of a spend plan, with the provider's identifier of the plan, if it has one.
    pub(super) fn rate(&mut self, plan: PlanIndex, provider_id: &str, rated: RatedIndex, rate: UnitPrice) {
        let plan = &mut self.plans[plan.0];
        if !provider_id.is_empty() && !plan.provider_ids.contains(provider_id) {
            plan.provider_ids.insert(provider_id.into());
        }
        plan.rates.push((rated, rate));
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
        let paged = [std::mem::take(&mut self.azure).finish()?, std::mem::take(&mut self.gcp).finish()?];
        for catalog in paged.into_iter().flatten() {
            super::file::merge(catalog, &mut self)?;
        }
        let mut prices = std::mem::take(&mut self.prices);
        prices.keep_latest(&self.files, |a, b| a.sku.cmp(&b.sku), |price, _| self.rejected.push(superseded(price)));
        prices.keep_latest(&self.files, |a, b| a.id.cmp(&b.id), |price, _| self.rejected.push(superseded(price)));
        let mut offers = std::mem::take(&mut self.offers);
        offers.keep_latest(&self.files, |a, b| a.id.cmp(&b.id), |offer, _| self.rejected.push(superseded(offer)));
        self.keep_priced(&mut offers, prices.values());
        self.finish_plans(prices.values(), &mut offers);
        let spot = self.finish_spot(prices.values());
        if prices.values().is_empty() && spot.values().is_empty() {
            return Err(Problem::Empty { what: "price that is wanted" }.into());
        }
        let main = {
            let mut counts = Counts::default();
            prices.count_origins(&self.files, &mut counts);
            offers.count_origins(&self.files, &mut counts);
            spot.count_origins(&self.files, &mut counts);
            main_origin(&counts)
        };
        let prices = prices.into_values_beside(&self.files, &main);
        let offers = offers.into_values_beside(&self.files, &main);
        let spot = spot.into_values_beside(&self.files, &main);
        let currency = self.currency.take().unwrap_or_else(|| "USD".into());
        let mut catalog = Catalog::assemble(currency, main.price_date, main.source, prices, offers)?.with_spot(spot)?;
        let together = std::mem::take(&mut self.rejected_together);
        let together = together.into_iter().map(|((item, reason), count)| Rejection { item, reason, count });
        catalog.rejected = self.rejected.into_iter().chain(together).collect();
        catalog.rejected.sort_by(|a, b| (a.reason, &a.item).cmp(&(b.reason, &b.item)));
        Ok(catalog)
    }

    /// Leaves out offers, and rates in offers, of what has no price; reservations above on demand stay, [`Catalog::check`] names them.
    fn keep_priced(&mut self, offers: &mut Entries<Offer>, prices: &[OnDemandPrice]) {
        let mut finder = Finder::new(prices);
        offers.retain(|offer| match &mut offer.benefit {
            Benefit::Reservation { sku, .. } => {
                let is_priced = finder.find(sku).is_some();
                if !is_priced {
                    self.reject(offer.id.clone(), RejectionReason::NoOnDemandPrice);
                }
                is_priced
            }
            Benefit::SpendPlan { rates, .. } => {
                let before = rates.len();
                rates.retain(|price, _| finder.find(price).is_some());
                let gone = u64::try_from(before - rates.len()).unwrap_or(u64::MAX);
                self.reject_many(&format!("rates of {}", offer.id), RejectionReason::NoOnDemandPrice, gone);
                !rates.is_empty()
            }
        });
    }

    fn finish_plans(&mut self, prices: &[OnDemandPrice], offers: &mut Entries<Offer>) {
        let resolved = self.resolve(prices);
        for plan in std::mem::take(&mut self.plans) {
            let id = plan.key.id();
            let (mut missing, mut repeated) = (0, 0);
            let mut rates: Vec<(usize, UnitPrice)> = Vec::with_capacity(plan.rates.len());
            for (index, rate) in plan.rates {
                let Some(at) = resolved[index.0] else {
                    missing += 1;
                    continue;
                };
                if rate > prices[at].price {
                    self.reject(format!("rate {rate} of {id} for {}", prices[at].id), RejectionReason::AboveOnDemand);
                    continue;
                }
                rates.push((at, rate));
            }
            // The same usage may be rated twice (used and unused capacity); the higher rate is the safe one.
            rates.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
            rates.dedup_by(|next, kept| {
                let is_repeated = next.0 == kept.0;
                repeated += u64::from(is_repeated);
                is_repeated
            });
            self.reject_many(&format!("rates of {id}"), RejectionReason::NoOnDemandPrice, missing);
            self.reject_many(&format!("further rates of {id} for the same usage"), RejectionReason::Superseded, repeated);
            if rates.is_empty() {
                continue;
            }
            let rates = rates.into_iter().map(|(at, rate)| (prices[at].id.clone(), rate)).collect();
            let offer = plan.key.offer(id, rates, plan.provider_ids, plan.derived, plan.origin);
            let file = self.file();
            offers.push(offer, file);
        }
    }

    /// For each thing that rates are for, which price it is.
    fn resolve(&self, prices: &[OnDemandPrice]) -> Vec<Option<usize>> {
        let mut resolved = vec![None; self.rated.len()];
        let find = |id: &str| prices.binary_search_by(|price| price.id.as_str().cmp(id)).ok();
        let needs_maps = self.rated.keys().any(|rated| matches!(rated, Rated::Usage { .. }));
        let (mut by_provider_id, mut by_sku) = (HashMap::new(), HashMap::new());
        if needs_maps {
            let named = prices.iter().enumerate().filter(|(_, price)| !price.provider_id.is_empty());
            by_provider_id.extend(named.map(|(at, price)| (price.provider_id.as_str(), at)));
            by_sku.extend(prices.iter().enumerate().map(|(at, price)| (&price.sku, at)));
        }
        for (rated, index) in &self.rated {
            resolved[*index] = match rated {
                Rated::Price(id) => find(id),
                Rated::Usage { provider_id, metered, sku } => by_provider_id
                    .get(provider_id.as_str())
                    .copied()
                    .or_else(|| self.metered.get(metered).and_then(|id| find(id)))
                    .or_else(|| sku.as_ref().and_then(|sku| by_sku.get(&**sku).copied())),
            };
        }
        resolved
    }

    /// Interruption figures join the prices that are there; without one, the advisor's saving makes a price from the on-demand price.
    fn finish_spot(&mut self, prices: &[OnDemandPrice]) -> Entries<SpotPrice> {
        let mut spot = std::mem::take(&mut self.spot);
        spot.keep_latest(&self.files, |a, b| a.id.cmp(&b.id), |spot, _| self.rejected.push(superseded(spot)));
        if self.spot_advice.is_empty() {
            return spot;
        }
        let mut by_sku: HashMap<Sku, Vec<usize>> = HashMap::new();
        for (index, price) in spot.values().iter().enumerate() {
            by_sku.entry(price.sku.clone()).or_default().push(index);
        }
        let on_demand: HashMap<&Sku, UnitPrice> = prices.iter().map(|price| (&price.sku, price.price)).collect();
        let file = self.file();
        let mut unknown = 0;
        for advice in std::mem::take(&mut self.spot_advice) {
            if let Some(indices) = by_sku.get(&advice.sku) {
                indices.iter().for_each(|index| spot.values_mut()[*index].interruption = Some(advice.interruption));
                continue;
            }
            let price = on_demand.get(&advice.sku).map(|price| *price * (Decimal::ONE - advice.saving));
            match price.filter(|price| *price > UnitPrice::ZERO) {
                Some(price) => {
                    let derived = "on-demand price less the saving that the Spot Instance Advisor states in whole percent";
                    let price = SpotPrice {
                        id: format!("spot/{}", advice.sku),
                        sku: advice.sku,
                        availability_zone: String::new(),
                        price,
                        interruption: Some(advice.interruption),
                        origin: advice.origin,
                        derived: derived.into(),
                    };
                    spot.push(price, file);
                }
                None => unknown += 1,
            }
        }
        self.reject_many("spot advice", RejectionReason::NoOnDemandPrice, unknown);
        spot
    }
}

/// The rejection of an entry beside which a later one stands.
fn superseded<T: Named>(entry: &T) -> Rejection {
    let (id, provider_id) = (entry.id(), entry.provider_id());
    let item = if provider_id.is_empty() { id.to_owned() } else { format!("{id} ({provider_id})") };
    Rejection { item, reason: RejectionReason::Superseded, count: 1 }
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

/// The source that most entries have, the least of equals, and the newest date; without date if any entry has none. Entries of another
/// source or an older date say so themselves.
fn main_origin(counts: &Counts<'_>) -> Origin {
    let mut by_name: BTreeMap<(&str, Option<chrono::NaiveDate>), usize> = BTreeMap::new();
    for (origin, count) in counts {
        *by_name.entry(*origin).or_default() += count;
    }
    let most = by_name.values().max().copied();
    let is_dated = by_name.keys().all(|(_, date)| date.is_some());
    let main = by_name.iter().find(|(_, count)| Some(**count) == most).map_or("", |((source, _), _)| source);
    let newest = by_name.keys().filter_map(|(_, date)| *date).max();
    Origin { source: main.to_owned(), price_date: newest.filter(|_| is_dated) }
}
