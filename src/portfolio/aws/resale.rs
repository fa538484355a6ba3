//! Sale on the Reserved Instance Marketplace: the seller sets the upfront price, AWS keeps 12 percent of it, the buyer takes over the hourly
//! price.

use super::*;
use crate::portfolio::assumptions::SalePrice;

/// The share of the upfront price that AWS keeps.
pub const FEE: Decimal = Decimal::from_parts(12, 0, 0, false, 2);

/// What the seller receives of an upfront price.
#[must_use]
pub fn proceeds(price: Money) -> Money {
    price * (Decimal::ONE - FEE)
}

/// What a sale gives at the price that is assumed; its [`Quote::probability`] is the assumed sell-through.
///
/// # Errors
/// The rule that forbids it.
pub fn quote(holding: &Holding<'_>, catalog: &Catalog, at: DateTime<Utc>, assumptions: &Assumptions) -> Result<Quote, Refusal> {
    let price = match &assumptions.aws.sale_price {
        SalePrice::Each { price } => *price,
        SalePrice::ShareOfPrepaid { share } => holding.prepaid_left(at) * *share,
        SalePrice::ShareOfReplacement { share } => {
            let new = replacement(holding, catalog).unwrap_or(holding.offer);
            let saved = new.effective_hourly() - holding.offer.recurring;
            saved.max(MoneyPerHour::ZERO).over_hours(holding.hours_left(at)) * *share
        }
    };
    quote_at(holding, price, at, assumptions)
}

/// What a sale gives at an upfront price for each Reserved Instance.
///
/// # Errors
/// The rule that forbids it; [`Because::Value`] for a price below 0.
pub fn quote_at(holding: &Holding<'_>, price: Money, at: DateTime<Utc>, assumptions: &Assumptions) -> Result<Quote, Refusal> {
    let window = rights::allowed(holding, Action::Sell, at, assumptions)?;
    if price < Money::ZERO {
        let because = Because::Value { relation: Relation::AtLeast, required: Decimal::ZERO, received: price.value() };
        return Err(Refusal { rule: Rule::AwsMarketplaceFee, because });
    }
    let limit = |limit: Limit, for_each_unit: Decimal| LimitUse {
        limit,
        owner: assumptions.aws.account.clone(),
        for_each_unit,
        for_each_action: Decimal::ZERO,
    };
    let given = Given {
        cash: proceeds(price),
        limits: vec![limit(Limit::MarketplaceSales, price.value()), limit(Limit::MarketplaceInstances, Decimal::ONE)],
        ..rights::given(holding, at)
    };
    let quote = rights::without_receipt(Action::Sell, at, window, given);
    Ok(Quote { probability: assumptions.aws.sell_through.clamp(0.0, 1.0), ..quote })
}

/// The catalog's cheapest offer for the same reservation with the same term.
fn replacement<'a>(holding: &Holding<'_>, catalog: &'a Catalog) -> Option<&'a Offer> {
    let same = |offer: &&Offer| {
        offer.benefit == holding.offer.benefit
            && offer.term == holding.offer.term
            && class(offer) == class(holding.offer)
            && offer.region == holding.offer.region
    };
    catalog.offers().iter().filter(same).min_by_key(|offer| offer.effective_hourly())
}

/// AWS's default prices of a listing by months remaining: in equal steps from the price now down to nothing at the end.
#[must_use]
pub fn schedule(price: Money, months: u32) -> Vec<Money> {
    (1..=months).rev().map(|left| price * (Decimal::from(left) / Decimal::from(months))).collect()
}
