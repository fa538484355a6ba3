//! Negotiated prices as an overlay over list prices: a percentage by service and region (AWS private pricing, Azure and Google contract
//! discounts) or a price for one SKU. The list price stays known, for it decides the order in which AWS applies Savings Plans.

use super::{Benefit, Catalog};
use crate::error::{Error, Problem, Result};
use crate::units::{Money, MoneyPerHour, UnitPrice};
use crate::usage::Provider;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a negotiated term applies to; an empty text means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Applicability {
    /// The provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// The service in the provider's words.
    pub service: String,
    /// The region.
    pub region: String,
}

/// A negotiated term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum NegotiatedTerm {
    /// A share off the list price.
    Percentage {
        /// What it applies to.
        #[serde(default)]
        applies_to: Applicability,
        /// Percent off, 0 to 100.
        #[serde(with = "rust_decimal::serde::str")]
        #[schemars(schema_with = "crate::units::decimal_schema")]
        percent: Decimal,
        /// Whether commitments cost that much less too, or only on-demand usage.
        commitments: CommitmentDiscount,
    },
    /// A price of one SKU in place of the list price.
    Price {
        /// The price's identifier in the catalog, or the provider's.
        sku: String,
        /// The price of one unit.
        price: UnitPrice,
    },
}

/// Whether a percentage applies to commitments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommitmentDiscount {
    /// On-demand usage only.
    Excluded,
    /// Fees of reservations and rates of spend plans cost less by the same share.
    Included,
}

impl Catalog {
    /// The catalog with negotiated prices. Of several percentages for one price the last that applies holds, they do not add up; a price
    /// for a SKU outranks every percentage. Negotiated prices keep the public one in [`super::OnDemandPrice::list_price`].
    ///
    /// # Errors
    /// [`Problem::OutOfRange`] for a percentage outside of 0 to 100 (100 excluded); [`Problem::Dangling`] for a SKU that the catalog does not
    /// have; [`Problem::PriceNotPositive`]; [`Problem::RateAboveOnDemand`] where a plan's rate would exceed a negotiated on-demand price: such
    /// a rate must be left out or negotiated too.
    pub fn negotiated(&self, terms: &[NegotiatedTerm]) -> Result<Self> {
        for term in terms {
            self.check_term(term)?;
        }
        let mut prices = self.prices.clone();
        for price in &mut prices {
            let sku = &price.sku;
            let share = terms.iter().rev().find_map(|term| match term {
                NegotiatedTerm::Percentage { applies_to, percent, .. }
                    if applies_to.covers(sku.provider, &sku.service, &sku.region) =>
                {
                    Some(Decimal::ONE - *percent / Decimal::ONE_HUNDRED)
                }
                _ => None,
            });
            let fixed = terms.iter().rev().find_map(|term| match term {
                NegotiatedTerm::Price { sku, price: fixed } if *sku == price.id || *sku == price.provider_id => Some(*fixed),
                _ => None,
            });
            let list = price.list_price.unwrap_or(price.price);
            if let Some(negotiated) = fixed.or_else(|| share.map(|share| list * share)).filter(|negotiated| *negotiated != list) {
                price.list_price = Some(list);
                price.price = negotiated;
            }
        }
        let mut offers = self.offers.clone();
        for offer in &mut offers {
            let share_of = |service: &str, region: &str| {
                terms.iter().rev().find_map(|term| match term {
                    NegotiatedTerm::Percentage { applies_to, percent, commitments }
                        if applies_to.covers(offer.provider, service, region) =>
                    {
                        let is_included = *commitments == CommitmentDiscount::Included;
                        Some(if is_included { Decimal::ONE - *percent / Decimal::ONE_HUNDRED } else { Decimal::ONE })
                    }
                    _ => None,
                })
            };
            match &mut offer.benefit {
                Benefit::Reservation { .. } => {
                    if let Some(share) = share_of(&offer.service, &offer.region).filter(|share| *share != Decimal::ONE) {
                        offer.upfront = Money::new(offer.upfront.value() * share);
                        offer.recurring = MoneyPerHour::new(offer.recurring.value() * share);
                        offer.derived = format!("{}list price x {share}, as negotiated", separated(&offer.derived));
                    }
                }
                Benefit::SpendPlan { rates, .. } => {
                    let mut is_changed = false;
                    for (id, rate) in rates {
                        let Some(price) = self.price_with_id(id) else { continue };
                        if let Some(share) =
                            share_of(&price.sku.service, &price.sku.region).filter(|share| *share != Decimal::ONE)
                        {
                            *rate = *rate * share;
                            is_changed = true;
                        }
                    }
                    if is_changed {
                        offer.derived = format!("{}rates as negotiated", separated(&offer.derived));
                    }
                }
            }
        }
        let mut catalog = Self::assemble(self.currency.clone(), self.price_date, self.source.clone(), prices, offers)?
            .with_spot(self.spot.clone())?;
        catalog.rejected.clone_from(&self.rejected);
        Ok(catalog)
    }

    fn check_term(&self, term: &NegotiatedTerm) -> Result<()> {
        match term {
            NegotiatedTerm::Percentage { percent, .. } if *percent < Decimal::ZERO || *percent >= Decimal::ONE_HUNDRED => {
                let problem = Problem::OutOfRange { value: percent.to_string(), range: "0 to 100 percent, 100 excluded" };
                Err(Error::from(problem).in_field("percent"))
            }
            NegotiatedTerm::Price { sku, .. }
                if !self.prices.iter().any(|price| price.id == *sku || (!sku.is_empty() && price.provider_id == *sku)) =>
            {
                Err(Error::from(Problem::Dangling { kind: "on-demand price", id: sku.clone() }).in_field("sku"))
            }
            NegotiatedTerm::Price { sku, price } if *price <= UnitPrice::ZERO => {
                let problem = Problem::PriceNotPositive { value: price.to_string() };
                Err(Error::from(problem).in_field("price").in_item(sku.clone()))
            }
            _ => Ok(()),
        }
    }
}

fn separated(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{text}; ") }
}

impl Applicability {
    fn covers(&self, provider: Provider, service: &str, region: &str) -> bool {
        self.provider.is_none_or(|own| own == provider)
            && (self.service.is_empty() || self.service == service)
            && (self.region.is_empty() || self.region == region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    fn catalog() -> Catalog {
        Catalog::from_json(
            r#"[{"instance_type": "m4.large", "pricing": {"us-east-1": {"linux": {"ondemand": "0.1",
                "reserved": {"yrTerm1Standard.noUpfront": "0.06"}}}}}]"#,
        )
        .unwrap()
    }

    fn percentage(percent: Decimal, service: &str, commitments: CommitmentDiscount) -> NegotiatedTerm {
        let applies_to = Applicability { service: service.into(), ..Applicability::default() };
        NegotiatedTerm::Percentage { applies_to, percent, commitments }
    }

    #[test]
    fn a_percentage_keeps_the_list_price() {
        let negotiated = catalog().negotiated(&[percentage(dec!(10), "AmazonEC2", CommitmentDiscount::Excluded)]).unwrap();
        let price = &negotiated.prices()[0];
        assert_eq!((price.price.value(), price.list_price.map(UnitPrice::value)), (dec!(0.09), Some(dec!(0.1))));
        assert_eq!(negotiated.offer("ri/us-east-1/m4.large/Linux/1y-standard-no-upfront").unwrap().recurring.value(), dec!(0.06));
        let both = catalog().negotiated(&[percentage(dec!(10), "", CommitmentDiscount::Included)]).unwrap();
        assert_eq!(both.offer("ri/us-east-1/m4.large/Linux/1y-standard-no-upfront").unwrap().recurring.value(), dec!(0.054));
        assert_eq!(catalog().negotiated(&[percentage(dec!(10), "AmazonRDS", CommitmentDiscount::Included)]).unwrap(), catalog());
    }

    #[test]
    fn a_sku_price_outranks_a_percentage() {
        let price = NegotiatedTerm::Price { sku: "us-east-1/m4.large/Linux".into(), price: UnitPrice::new(dec!(0.07)) };
        let terms = [price, percentage(dec!(10), "", CommitmentDiscount::Excluded)];
        let negotiated = catalog().negotiated(&terms).unwrap();
        assert_eq!(negotiated.prices()[0].price.value(), dec!(0.07));
        assert_eq!(negotiated.negotiated(&terms).unwrap(), negotiated);
    }

    #[test]
    fn wrong_terms_are_refused() {
        let unknown = NegotiatedTerm::Price { sku: "m9".into(), price: UnitPrice::new(dec!(1)) };
        assert!(catalog().negotiated(&[unknown]).is_err());
        assert!(catalog().negotiated(&[percentage(dec!(100), "", CommitmentDiscount::Excluded)]).is_err());
        // 0.05 on demand would be below the plan's rate of 0.06.
        let error = catalog().negotiated(&[percentage(dec!(50), "", CommitmentDiscount::Excluded)]).unwrap_err();
        assert!(error.to_string().contains("above the on-demand price"), "{error}");
    }
}
