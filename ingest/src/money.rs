//! The money of a bill by what it is: billed, amortised, and at on-demand prices. From it come the savings rate, coverage and utilisation as the
//! FinOps Foundation defines them, or a refusal where the bill cannot tell them.

use crate::classes::ChargeKind;
use crate::error::{Error, Result};
use crate::gcp::Amortised;
use crate::summary::{Summary, money};
use covermix::catalog::Catalog;
use covermix::time::Month;
use covermix::units::Money;
use covermix::usage::UsageLine;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The money of one kind of charges, in the bill's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChargeMoney {
    /// How many rows.
    pub rows: u64,
    /// What the bill's total is the sum of.
    pub billed: Money,
    /// With fees of commitments amortised.
    pub effective: Money,
    /// At public on-demand prices; 0 on rows that are no use.
    pub list: Money,
    /// At the customer's on-demand prices; 0 on rows that are no use.
    pub contracted: Money,
    /// Rows of use whose on-demand price the bill does not show, though they are not free.
    pub unpriced_rows: u64,
    /// The amortised cost of those rows.
    pub unpriced_effective: Money,
}

/// The money of a bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillMoney {
    kinds: BTreeMap<ChargeKind, ChargeMoney>,
}

/// The on-demand price of one unit of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MeterPrice {
    /// To the customer.
    pub(crate) contracted: Decimal,
    /// To the public.
    pub(crate) list: Decimal,
}

/// Covered usage of a meter whose on-demand price the bill does not show.
#[derive(Clone, Debug)]
pub(crate) struct UnpricedMeter {
    pub(crate) meter: String,
    pub(crate) rows: u64,
    pub(crate) quantity: Decimal,
    pub(crate) effective: Money,
}

impl BillMoney {
    pub(crate) fn new(summary: &Summary, billed: &[Month]) -> Self {
        let mut kinds: BTreeMap<ChargeKind, ChargeMoney> = BTreeMap::new();
        for (class, sums) in summary.classes(billed) {
            let sum = kinds.entry(class.kind).or_default();
            sum.rows += sums.rows;
            sum.billed += money(sums.cost);
            sum.effective += money(sums.effective);
            sum.list += money(sums.list);
            sum.contracted += money(sums.contracted);
            sum.unpriced_rows += sums.unpriced_rows;
            sum.unpriced_effective += money(sums.unpriced_effective);
        }
        Self { kinds }
    }

    /// The money of a kind of charges.
    #[must_use]
    pub fn of(&self, kind: ChargeKind) -> ChargeMoney {
        self.kinds.get(&kind).copied().unwrap_or_default()
    }

    /// The bill's total.
    #[must_use]
    pub fn billed(&self) -> Money {
        self.kinds.values().map(|money| money.billed).sum()
    }

    /// The total with fees amortised.
    #[must_use]
    pub fn effective(&self) -> Money {
        self.kinds.values().map(|money| money.effective).sum()
    }

    /// Moves the used part of fees from the fees to what they cover, and what is on demand of rows covered in part to on-demand usage.
    pub(crate) fn amortise(&mut self, Amortised { used, on_demand }: Amortised) {
        let none = ChargeMoney::default();
        let minus = ChargeMoney {
            billed: -on_demand.billed,
            effective: used - on_demand.effective,
            list: -on_demand.list,
            contracted: -on_demand.contracted,
            ..none
        };
        let paid = ChargeMoney { effective: -used, ..none };
        for (kind, change) in [(ChargeKind::Covered, minus), (ChargeKind::Purchase, paid), (ChargeKind::OnDemand, on_demand)] {
            if change == none {
                continue;
            }
            let money = self.kinds.entry(kind).or_default();
            money.billed += change.billed;
            money.effective += change.effective;
            money.list += change.list;
            money.contracted += change.contracted;
        }
    }

    /// The same money where the on-demand prices that the bill lacks are a catalog's.
    pub(crate) fn priced(&self, lines: &[UsageLine], unpriced: &[Decimal], catalog: &Catalog) -> Self {
        let mut money = self.clone();
        let Some(covered) = money.kinds.get_mut(&ChargeKind::Covered) else { return money };
        let mut is_whole = true;
        for (line, quantity) in lines.iter().zip(unpriced).filter(|(_, quantity)| !quantity.is_zero()) {
            let Some(price) = catalog.price(&line.sku) else {
                is_whole = false;
                continue;
            };
            covered.list += price.list_price.unwrap_or(price.price).of(*quantity);
            covered.contracted += price.price.of(*quantity);
        }
        if is_whole && covered.unpriced_rows > 0 {
            (covered.unpriced_rows, covered.unpriced_effective) = (0, Money::ZERO);
        }
        money
    }

    /// The same money where the on-demand prices that the bill lacks are those of meters.
    pub(crate) fn priced_by_meter(&self, meters: &[UnpricedMeter], price: impl Fn(&UnpricedMeter) -> Option<MeterPrice>) -> Self {
        let mut money = self.clone();
        let Some(covered) = money.kinds.get_mut(&ChargeKind::Covered) else { return money };
        for meter in meters {
            let Some(price) = price(meter) else { continue };
            covered.list += Money::new(price.list * meter.quantity);
            covered.contracted += Money::new(price.contracted * meter.quantity);
            covered.unpriced_rows = covered.unpriced_rows.saturating_sub(meter.rows);
            covered.unpriced_effective -= meter.effective;
        }
        money
    }

    /// What is saved against on-demand prices of the same usage, as a share of them: `1 - effective / on demand` over usage that commitments can
    /// cover; unused commitments count as cost. `None` without usage. Spot and free tier are left out.
    ///
    /// # Errors
    /// [`Error::NoOnDemandPrice`] if covered rows have no on-demand price: a rate that leaves them out would be wrong.
    pub fn effective_savings_rate(&self) -> Result<Option<f64>> {
        self.savings_rate(|money| money.list)
    }

    /// The same against the customer's own on-demand prices.
    ///
    /// # Errors
    /// As [`BillMoney::effective_savings_rate`].
    pub fn effective_savings_rate_contracted(&self) -> Result<Option<f64>> {
        self.savings_rate(|money| money.contracted)
    }

    fn savings_rate(&self, on_demand: fn(&ChargeMoney) -> Money) -> Result<Option<f64>> {
        self.refuse_unpriced()?;
        let sum = |value: &dyn Fn(&ChargeMoney) -> Money| -> Money {
            let counted = [ChargeKind::OnDemand, ChargeKind::Covered, ChargeKind::Unused, ChargeKind::Purchase];
            counted.iter().filter_map(|kind| self.kinds.get(kind)).map(value).sum()
        };
        let whole = sum(&on_demand);
        let effective = sum(&|money| money.effective);
        Ok((whole > Money::ZERO).then(|| 1.0 - effective.to_f64() / whole.to_f64()))
    }

    /// The covered share of usage that commitments can cover, at public on-demand prices; `None` without such usage.
    ///
    /// # Errors
    /// As [`BillMoney::effective_savings_rate`].
    pub fn coverage(&self) -> Result<Option<f64>> {
        self.refuse_unpriced()?;
        let (covered, open) = (self.of(ChargeKind::Covered).list, self.of(ChargeKind::OnDemand).list);
        let whole = covered + open;
        Ok((whole > Money::ZERO).then(|| covered.to_f64() / whole.to_f64()))
    }

    /// The used share of the commitments' amortised cost; `None` without commitments.
    #[must_use]
    pub fn utilisation(&self) -> Option<f64> {
        let used = self.of(ChargeKind::Covered).effective;
        let unused = self.of(ChargeKind::Unused).effective + self.of(ChargeKind::Purchase).effective;
        let whole = used + unused;
        (whole > Money::ZERO).then(|| used.to_f64() / whole.to_f64())
    }

    fn refuse_unpriced(&self) -> Result<()> {
        let covered = self.of(ChargeKind::Covered);
        if covered.unpriced_rows == 0 {
            return Ok(());
        }
        Err(Error::NoOnDemandPrice { rows: covered.unpriced_rows, effective: covered.unpriced_effective })
    }
}
