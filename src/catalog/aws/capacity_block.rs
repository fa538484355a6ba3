//! AWS Capacity Blocks for ML: instances in a fixed window, paid in full when booked, not cancellable (EC2 User Guide, "Capacity Blocks for ML";
//! Amazon EC2 Capacity Blocks for ML pricing).
//!
//! A block becomes an [`Offer`] of a reservation that can be bought on one day only and runs for its days, so that a planner with purchase
//! dates decides it beside other commitments. In a steady state it would be renewed for ever, which is not for sale.

use crate::catalog::{Benefit, Offer, OnDemandPrice, PaymentOption, ScopeKind};
use crate::error::{Error, Problem, Result};
use crate::time::Term;
use crate::units::{Money, MoneyPerHour, UnitPrice};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// The most instances of one block.
pub const MOST_INSTANCES: u32 = 64;

/// A block may start at most so many days after it is booked.
pub const MOST_DAYS_AHEAD: u64 = 56;

/// Instances in a fixed window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapacityBlock {
    /// The day it starts, at 11:30 UTC.
    pub start: NaiveDate,
    /// Its length: 1 to 14 days, or whole weeks up to 26.
    pub days: u32,
    /// What an instance costs for each hour of the window: the price list's effective instance hourly rate.
    pub price: UnitPrice,
    /// What the operating system costs for each hour an instance runs, on top; nothing for Linux. Billed apart: the offer does not hold it.
    pub system_fee: UnitPrice,
}

impl CapacityBlock {
    /// When the window opens: blocks start and end at 11:30 UTC.
    #[must_use]
    pub fn opens(&self) -> DateTime<Utc> {
        self.start.and_time(NaiveTime::from_hms_opt(11, 30, 0).unwrap_or_default()).and_utc()
    }

    /// The offer, of one instance for the whole window; buy it on [`CapacityBlock::opens`]. `booked` is the day it is paid, which prices do not
    /// depend on.
    ///
    /// # Errors
    /// [`Problem::OutOfRange`] for a length that is not sold or a start before `booked` or more than 8 weeks after it;
    /// [`Problem::PriceNotPositive`].
    pub fn offer(&self, of: &OnDemandPrice, booked: NaiveDate) -> Result<Offer> {
        let wrong = |field: &str, value: String, range| Err(Error::from(Problem::OutOfRange { value, range }).in_field(field));
        let is_sold = (1..=14).contains(&self.days) || (self.days <= 182 && self.days.is_multiple_of(7) && self.days > 0);
        if !is_sold {
            return wrong("capacity_block.days", self.days.to_string(), "1 to 14 days, or whole weeks up to 182 days");
        }
        let last = booked.checked_add_days(Days::new(MOST_DAYS_AHEAD)).unwrap_or(NaiveDate::MAX);
        if !(booked..=last).contains(&self.start) {
            return wrong("capacity_block.start", self.start.to_string(), "the 8 weeks after it is booked");
        }
        if self.price.value() <= Decimal::ZERO {
            return Err(Error::from(Problem::PriceNotPositive { value: self.price.to_string() }).in_field("capacity_block.price"));
        }
        let hours = Decimal::from(24 * u64::from(self.days));
        Ok(Offer {
            id: format!("capacity-block/{}/{}/{}d", of.id, self.start, self.days),
            provider: of.sku.provider,
            service: of.sku.service.clone(),
            region: of.sku.region.clone(),
            benefit: Benefit::Reservation { sku: of.id.clone(), pool: None },
            term: Term::Days(self.days),
            payment_option: PaymentOption::AllUpfront,
            upfront: Money::new(self.price.value() * hours),
            recurring: MoneyPerHour::ZERO,
            scopes: BTreeSet::from([ScopeKind::Region]),
            rights: BTreeSet::new(),
            purchasable_from: Some(self.start),
            purchasable_until: Some(self.start),
            derived: String::new(),
            lot: None,
            provider_id: String::new(),
            origin: of.origin.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use rust_decimal::dec;

    #[test]
    fn a_block_is_an_offer_of_its_window() -> Result<()> {
        let catalog = Catalog::read("data/gpu-catalog.json")?;
        let p5 = catalog.price_with_id("aws/us-east-2/p5.48xlarge/Linux").ok_or(Problem::EmptyValue)?;
        let day = |day: u32| NaiveDate::from_ymd_opt(2024, 12, day).unwrap_or_default();
        let block = CapacityBlock { start: day(9), days: 14, price: UnitPrice::new(dec!(39.33)), system_fee: UnitPrice::ZERO };
        let offer = block.offer(p5, day(1))?;
        assert_eq!((offer.upfront.value(), offer.effective_hourly().value()), (dec!(13214.88), dec!(39.33)));
        assert_eq!(offer.term.end(block.opens()).to_rfc3339(), "2024-12-23T11:30:00+00:00");
        assert!(offer.is_purchasable_on(day(9)) && !offer.is_purchasable_on(day(10)));
        for days in [0, 15, 189] {
            assert!(CapacityBlock { days, ..block.clone() }.offer(p5, day(1)).is_err());
        }
        assert!(CapacityBlock { days: 182, ..block.clone() }.offer(p5, day(1)).is_ok());
        assert!(block.offer(p5, day(10)).is_err() && block.offer(p5, day(9) - Days::new(57)).is_err());
        Ok(())
    }
}
