//! How much the worth of a commitment depends on its assumptions: tornado data (one assumption moved at a time).

use super::payback::fraction;
use super::present_value::{FirstFlow, npv};
use super::rate::{AnnualRate, PaymentTiming};
use super::{Error, Result};
use serde::{Deserialize, Serialize};

/// A commitment with its assumptions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Assumptions {
    /// On-demand equivalent of the committed quantity per month, at today's price.
    pub on_demand_monthly: f64,
    /// Term in months.
    pub months: u32,
    /// Discount of the commitment against today's on-demand price.
    pub discount: f64,
    /// Share of the price paid at the start.
    pub upfront_share: f64,
    /// When monthly fees are paid.
    pub timing: PaymentTiming,
    /// Used share of the commitment.
    pub utilisation: f64,
    /// Cost of capital, effective per year.
    pub wacc: f64,
    /// Yearly fall of on-demand prices (list price cuts, new generations), a fraction: from month 13 the avoided cost falls
    /// by it, from month 25 again. The commitment's price is fixed.
    pub price_cut: f64,
}

/// An assumption that can be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Assumption {
    /// Cost of capital.
    Wacc,
    /// Used share.
    Utilisation,
    /// Yearly price fall.
    PriceCut,
    /// Discount of the commitment.
    Discount,
}

/// One bar of a tornado.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TornadoBar {
    /// What is moved.
    pub assumption: Assumption,
    /// Its low value.
    pub low: f64,
    /// Its high value.
    pub high: f64,
    /// NPV at the low value.
    pub npv_at_low: f64,
    /// NPV at the high value.
    pub npv_at_high: f64,
}

impl TornadoBar {
    /// The length of the bar.
    #[must_use]
    pub fn width(&self) -> f64 {
        (self.npv_at_high - self.npv_at_low).abs()
    }
}

impl Assumptions {
    /// Monthly net flows against on-demand, month 0 first.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for shares outside 0 to 1 or no months.
    pub fn flows(&self) -> Result<Vec<f64>> {
        fraction("price_cut", self.price_cut)?;
        fraction("utilisation", self.utilisation)?;
        let option = super::payment_option::PaymentOption {
            name: String::new(),
            discount: self.discount,
            upfront_share: self.upfront_share,
        };
        let case = super::payment_option::PaymentCase {
            on_demand_monthly: self.on_demand_monthly,
            months: self.months,
            utilisation: self.utilisation,
            timing: self.timing,
        };
        let mut price = 1.0;
        let paid = option.payments(&case)?;
        Ok((0_u32..)
            .zip(paid)
            .map(|(month, paid)| {
                if month > 1 && month % 12 == 1 {
                    price *= 1.0 - self.price_cut;
                }
                if month == 0 { -paid } else { self.utilisation * self.on_demand_monthly * price - paid }
            })
            .collect())
    }

    /// Worth now against on-demand.
    ///
    /// # Errors
    /// As [`Assumptions::flows`] and [`npv`].
    pub fn npv(&self) -> Result<f64> {
        npv(AnnualRate::effective(self.wacc)?.per_month(), &self.flows()?, FirstFlow::Now)
    }

    /// The same with one assumption moved.
    #[must_use]
    pub fn with(mut self, assumption: Assumption, value: f64) -> Self {
        match assumption {
            Assumption::Wacc => self.wacc = value,
            Assumption::Utilisation => self.utilisation = value,
            Assumption::PriceCut => self.price_cut = value,
            Assumption::Discount => self.discount = value,
        }
        self
    }

    /// One bar for each assumption with its low and high value, the widest first.
    ///
    /// # Errors
    /// [`Error::Empty`] without swings, and as [`Assumptions::npv`].
    pub fn tornado(&self, swings: &[(Assumption, f64, f64)]) -> Result<Vec<TornadoBar>> {
        if swings.is_empty() {
            return Err(Error::Empty { what: "the assumptions to move" });
        }
        let bar = |(assumption, low, high): &(Assumption, f64, f64)| {
            let at = |value| self.with(*assumption, value).npv();
            Ok(TornadoBar { assumption: *assumption, low: *low, high: *high, npv_at_low: at(*low)?, npv_at_high: at(*high)? })
        };
        let mut bars = swings.iter().map(bar).collect::<Result<Vec<_>>>()?;
        bars.sort_by(|left, right| right.width().total_cmp(&left.width()).then(left.assumption.cmp(&right.assumption)));
        Ok(bars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_UPFRONT: Assumptions = Assumptions {
        on_demand_monthly: 1000.0,
        months: 36,
        discount: 0.53,
        upfront_share: 1.0,
        timing: PaymentTiming::End,
        utilisation: 1.0,
        wacc: 0.08,
        price_cut: 0.0,
    };

    #[test]
    fn npv_falls_with_use_and_price() -> Result<()> {
        for (utilisation, npv) in [(1.0, 15_123.0), (0.8, 8_715.0), (0.6, 2_306.0), (0.5, -898.0)] {
            assert!((ALL_UPFRONT.with(Assumption::Utilisation, utilisation).npv()? - npv).abs() < 1.0);
        }
        let flows = ALL_UPFRONT.with(Assumption::PriceCut, 0.2).flows()?;
        assert!((flows[12] - 1000.0).abs() < 1e-9 && (flows[13] - 800.0).abs() < 1e-9 && (flows[36] - 640.0).abs() < 1e-9);
        Ok(())
    }

    #[test]
    fn the_widest_bar_comes_first() -> Result<()> {
        let bars = ALL_UPFRONT.tornado(&[
            (Assumption::Wacc, 0.06, 0.1),
            (Assumption::Utilisation, 0.5, 1.0),
            (Assumption::PriceCut, 0.0, 0.2),
        ])?;
        assert_eq!(bars[0].assumption, Assumption::Utilisation);
        assert!(bars.windows(2).all(|pair| pair[0].width() >= pair[1].width()));
        assert!(ALL_UPFRONT.tornado(&[]).is_err());
        Ok(())
    }
}
