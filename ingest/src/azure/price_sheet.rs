//! Azure's price sheet: what each meter costs a customer on demand. Bills leave the on-demand price out on usage that commitments cover: FOCUS
//! exports have a list cost of 0 there, cost details of Customer Agreements no unit price.
//!
//! Names and meanings: Microsoft Cost Management documentation, "Price sheet file schema" of Enterprise and of Customer Agreements. `UnitPrice` is the
//! customer's price, `MarketPrice` (or `BasePrice`) the public one, both of the whole `UnitOfMeasure` (`100 Hours`).

use crate::beside;
use crate::classes::ChargeKind;
use crate::columns::{Column, Kind, rare, required};
use crate::error::Result;
use crate::mapping::Mapping;
use crate::money::{MeterPrice, UnpricedMeter};
use crate::options::Options;
use crate::session::{Rows, Session, block_on};
use covermix::Problem;
use covermix::units::Money;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const COLUMNS: [Column; 11] = [
    required("meter_id", &["MeterId"], Kind::Text),
    required("unit_price", &["UnitPrice"], Kind::Number),
    rare("market_price", &["MarketPrice"], Kind::Number),
    rare("base_price", &["BasePrice"], Kind::Number),
    rare("unit_of_measure", &["UnitOfMeasure"], Kind::Text),
    rare("price_type", &["PriceType"], Kind::Text),
    rare("tier_minimum", &["TierMinimumUnits"], Kind::Number),
    rare("currency", &["CurrencyCode", "Currency", "BillingCurrency"], Kind::Text),
    rare("effective_from", &["EffectiveStartDate"], Kind::Time),
    rare("product_order_name", &["ProductOrderName"], Kind::Text),
    rare("offer_id", &["OfferId"], Kind::Text),
];

/// The offers of Enterprise Dev/Test subscriptions.
const DEVELOPMENT_OFFER: &str = "0148P";

/// On-demand prices by meter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceSheet {
    currency: String,
    prices: BTreeMap<String, MeterPrice>,
    ambiguous: BTreeSet<String>,
}

/// A row's price, and what decides between rows of one meter.
struct Row {
    meter: String,
    is_development: bool,
    effective_from: Option<i64>,
    price: MeterPrice,
}

impl PriceSheet {
    /// Reads the files of a price sheet, CSV or Parquet. Prices of reservations, savings plans and higher tiers are left out; of several prices of
    /// a meter the latest counts, and one that is not for development and test.
    ///
    /// # Errors
    /// No file, or a damaged one; `MeterId` or `UnitPrice` is absent; a price is no number; several currencies.
    pub fn read<P: AsRef<Path>>(paths: &[P]) -> Result<Self> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| path.as_ref().to_owned()).collect();
        block_on(&paths, Self::load(&paths))
    }

    async fn load(paths: &[PathBuf]) -> Result<Self> {
        let (session, mut sources) = Session::open(paths, &Options::default()).await?;
        let mut sheet = Self::default();
        let mut best: BTreeMap<String, Row> = BTreeMap::new();
        for source in &mut sources {
            let rows = beside::read(&session, source, &COLUMNS, "Azure price sheet").await?;
            for row in 0..rows.len() {
                let currency = rows.text_at("currency", row);
                if sheet.currency.is_empty() {
                    sheet.currency.clone_from(&currency);
                }
                if !currency.is_empty() && currency != sheet.currency {
                    let problem = Problem::MixedCurrency { found: currency, expected: sheet.currency };
                    return Err(covermix::Error::from(problem).in_file(&source.path).in_field("Currency").into());
                }
                let Some(found) = on_demand(&rows, row) else { continue };
                match best.get(&found.meter) {
                    Some(known) if known.rank() > found.rank() => {}
                    Some(known) if known.rank() == found.rank() => {
                        if known.price != found.price {
                            sheet.ambiguous.insert(found.meter);
                        }
                    }
                    _ => {
                        sheet.ambiguous.remove(&found.meter);
                        best.insert(found.meter.clone(), found);
                    }
                }
            }
        }
        let prices = best.into_iter().filter(|(meter, _)| !sheet.ambiguous.contains(meter));
        sheet.prices = prices.map(|(meter, row)| (meter, row.price)).collect();
        Ok(sheet)
    }

    /// The currency, an ISO 4217 code; empty if the sheet does not say.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// The meters that the sheet has several prices of, with nothing to choose by; they count as without price.
    pub fn ambiguous(&self) -> impl Iterator<Item = &str> {
        self.ambiguous.iter().map(String::as_str)
    }

    /// How many meters have a price.
    #[must_use]
    pub fn len(&self) -> usize {
        self.prices.len()
    }

    /// Whether no meter has a price.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prices.is_empty()
    }

    /// The price of a meter's usage.
    pub(crate) fn price(&self, meter: &UnpricedMeter) -> Option<MeterPrice> {
        self.prices.get(&meter.meter.to_ascii_lowercase()).copied()
    }
}

impl Row {
    /// Which of two prices counts.
    fn rank(&self) -> (bool, Option<i64>) {
        (!self.is_development, self.effective_from)
    }
}

/// The covered usage that has no on-demand price, by meter.
pub(crate) async fn unpriced(session: &Session, mapping: &Mapping, meter: &str) -> Result<Vec<UnpricedMeter>> {
    let fields = ["quantity", "effective", "list"].map(|name| format!("{} AS {name}", mapping.field(name))).join(", ");
    // As `BillMoney` counts them.
    let rows = session
        .query(&format!(
            "SELECT meter, COUNT(*) AS lines, SUM(quantity) AS quantity, SUM(effective) AS effective FROM (\
             SELECT class, LOWER({meter}) AS meter, {fields} FROM bill) AS t WHERE {} AND quantity > 0 AND COALESCE(list, 0) = 0 \
             GROUP BY meter ORDER BY meter",
            mapping.is_kind(ChargeKind::Covered)
        ))
        .await?;
    let one = |row: usize| UnpricedMeter {
        meter: rows.text_at("meter", row),
        rows: rows.count_at("lines", row),
        quantity: rows.number_at("quantity", row).unwrap_or_default(),
        effective: Money::new(rows.number_at("effective", row).unwrap_or_default()),
    };
    Ok((0..rows.len()).map(one).collect())
}

/// A row of the sheet, if it is an on-demand price of the first tier.
fn on_demand(rows: &Rows, row: usize) -> Option<Row> {
    let kind = rows.text_at("price_type", row);
    let is_first_tier = rows.number_at("tier_minimum", row).is_none_or(|tier| tier.is_zero());
    let unit = rows.number_at("unit_price", row)?;
    let meter = rows.text_at("meter_id", row).to_ascii_lowercase();
    if !(kind.is_empty() || kind.eq_ignore_ascii_case("Consumption")) || !is_first_tier || meter.is_empty() {
        return None;
    }
    let block = block(&rows.text_at("unit_of_measure", row));
    let public =
        ["market_price", "base_price"].iter().find_map(|name| rows.number_at(name, row).filter(|price| !price.is_zero()));
    let order = rows.text_at("product_order_name", row).to_ascii_lowercase();
    Some(Row {
        meter,
        is_development: order.contains("devtest")
            || order.contains("dev/test")
            || rows.text_at("offer_id", row).contains(DEVELOPMENT_OFFER),
        effective_from: rows.instant_at("effective_from", row).map(|instant| instant.timestamp()),
        price: MeterPrice { contracted: unit / block, list: public.unwrap_or(unit) / block },
    })
}

/// How many units a unit of measure is of: 100 of `100 Hours`, 1 of `1 GB/Month`, 10,000 of `10K`.
fn block(unit: &str) -> Decimal {
    let unit = unit.trim();
    let digits = unit.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(unit.len());
    let Ok(number) = unit[..digits].parse::<Decimal>() else { return Decimal::ONE };
    let scale = match &unit[digits..] {
        rest if rest.starts_with('K') => 1_000,
        rest if rest == "M" || rest.starts_with("M ") => 1_000_000,
        _ => 1,
    };
    if number.is_zero() { Decimal::ONE } else { number * Decimal::from(scale) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_measure_are_blocks() {
        for (unit, expected) in
            [("1 Hour", 1), ("100 Hours", 100), ("1/Month", 1), ("10K", 10_000), ("1M", 1_000_000), ("1 MB", 1), ("", 1)]
        {
            assert_eq!(block(unit), Decimal::from(expected), "{unit}");
        }
    }
}
