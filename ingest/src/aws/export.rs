//! Bills made by [`covermix::billing`] as rows of a Cost and Usage Report, so that they can be read back and laid beside real ones.
//!
//! Rows after the Cost and Usage Report User Guide: covered usage on the account that used it, fees on the owner's; a Savings Plan's usage at its
//! on-demand cost and a negation of it; recurring fees of a reservation once a month, of a plan in every hour.

use super::sku::{operation, usage_type};
use crate::error::{Error, Result};
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use covermix::billing::Judge;
use covermix::billing::focus::FocusRow;
use covermix::catalog::aws::OfferingClass;
use covermix::catalog::{Benefit, Catalog, Offer, PaymentOption, Right};
use covermix::portfolio::{Commitment, Portfolio, Scope};
use covermix::time::{Hour, Month};
use covermix::usage::{PricingCategory, UsageCurves, UsageLine};
use covermix::{Problem, error};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::io::Write;

/// The columns written, in the CSV spelling.
const COLUMNS: [&str; 44] = [
    "identity/LineItemId",
    "identity/TimeInterval",
    "bill/BillingPeriodStartDate",
    "lineItem/UsageAccountId",
    "lineItem/LineItemType",
    "lineItem/UsageStartDate",
    "lineItem/UsageEndDate",
    "lineItem/ProductCode",
    "lineItem/UsageType",
    "lineItem/Operation",
    "lineItem/AvailabilityZone",
    "lineItem/ResourceId",
    "lineItem/UsageAmount",
    "lineItem/CurrencyCode",
    "lineItem/UnblendedRate",
    "lineItem/UnblendedCost",
    "lineItem/LineItemDescription",
    "product/tenancy",
    "pricing/publicOnDemandRate",
    "pricing/publicOnDemandCost",
    "pricing/unit",
    "pricing/OfferingClass",
    "pricing/PurchaseOption",
    "pricing/LeaseContractLength",
    "reservation/ReservationARN",
    "reservation/EffectiveCost",
    "reservation/NumberOfReservations",
    "reservation/StartTime",
    "reservation/EndTime",
    "reservation/AvailabilityZone",
    "reservation/UpfrontValue",
    "reservation/UnusedRecurringFee",
    "savingsPlan/SavingsPlanARN",
    "savingsPlan/SavingsPlanRate",
    "savingsPlan/SavingsPlanEffectiveCost",
    "savingsPlan/OfferingType",
    "savingsPlan/PaymentOption",
    "savingsPlan/PurchaseTerm",
    "savingsPlan/Region",
    "savingsPlan/InstanceTypeFamily",
    "savingsPlan/StartTime",
    "savingsPlan/EndTime",
    "savingsPlan/TotalCommitmentToDate",
    "savingsPlan/UsedCommitment",
];

/// One row: values of some columns.
type Row = Vec<(&'static str, String)>;

/// Writes the bill of a judge's usage under its portfolio as a Cost and Usage Report, CSV.
///
/// # Errors
/// [`Problem::InputOutput`] if the writer fails, and as [`Judge::focus_rows`] and [`Portfolio::offer`].
pub fn write_csv(
    judge: &Judge<'_>,
    usage: &UsageCurves,
    catalog: &Catalog,
    portfolio: &Portfolio,
    output: impl Write,
) -> Result<()> {
    let mut report = Report { writer: csv::Writer::from_writer(output), number: 0, currency: catalog.currency() };
    report.writer.write_record(COLUMNS).map_err(|error| failed(error.into()))?;
    let lines: BTreeMap<String, &UsageLine> = usage.lines().iter().map(|line| (line.to_string(), line)).collect();
    let mut unused: BTreeMap<(String, Month), Decimal> = BTreeMap::new();
    for index in 0..usage.grid().count {
        let mut left: BTreeMap<String, Decimal> = BTreeMap::new();
        for row in judge.focus_rows(index..index + 1, catalog.currency())? {
            let Some(line) = lines.get(&row.resource_id) else {
                if row.commitment_discount_status.as_deref() == Some("Unused") {
                    let key = (row.resource_id.clone(), Month::containing(row.charge_period_start));
                    *unused.entry(key).or_default() += row.effective_cost;
                    left.insert(row.resource_id.clone(), row.commitment_discount_quantity.unwrap_or_default());
                }
                continue;
            };
            report.usage(&row, line, portfolio, catalog)?;
        }
        for commitment in portfolio.commitments() {
            let offer = portfolio.offer(catalog, commitment)?;
            let hour = usage.grid().hour(index);
            let is_active = usage.grid().span(commitment.start, commitment.end).contains(&index);
            if is_active && offer.is_spend_plan() {
                let left = left.get(&commitment.id).copied().unwrap_or_default();
                report.plan_fee(commitment, offer, hour, left)?;
            }
        }
    }
    for commitment in portfolio.commitments() {
        let offer = portfolio.offer(catalog, commitment)?;
        report.fees(commitment, offer, usage, catalog, &unused)?;
    }
    report.writer.flush().map_err(|error| failed(error.into()))
}

struct Report<'a, W: Write> {
    writer: csv::Writer<W>,
    number: u64,
    currency: &'a str,
}

impl<W: Write> Report<'_, W> {
    fn write(&mut self, row: &Row, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<()> {
        self.number += 1;
        let frame = [
            ("identity/LineItemId", format!("row{:012}", self.number)),
            ("identity/TimeInterval", format!("{}/{}", instant(from), instant(until))),
            ("bill/BillingPeriodStartDate", instant(Month::containing(from).start())),
            ("lineItem/UsageStartDate", instant(from)),
            ("lineItem/UsageEndDate", instant(until)),
            ("lineItem/CurrencyCode", self.currency.to_owned()),
        ];
        let cell = |column: &&str| -> &str {
            frame.iter().chain(row).find(|(name, _)| name == column).map_or("", |(_, value)| value.as_str())
        };
        self.writer.write_record(COLUMNS.iter().map(cell)).map_err(|error| failed(error.into()))
    }

    /// A row of usage; with a plan, its negation too.
    fn usage(&mut self, row: &FocusRow, line: &UsageLine, portfolio: &Portfolio, catalog: &Catalog) -> Result<()> {
        let quantity = row.pricing_quantity.unwrap_or_default();
        let list = row.list_unit_price.unwrap_or_default();
        let is_free = line.pricing == PricingCategory::FreeTier;
        let public = if is_free { catalog.price(&line.sku).map_or(list, |price| price.price.value()) } else { list };
        let mut cells: Row = vec![
            ("lineItem/UsageAccountId", line.account.clone()),
            ("lineItem/LineItemType", "Usage".into()),
            ("lineItem/ProductCode", line.sku.service.clone()),
            ("lineItem/UsageType", usage_type(line)),
            ("lineItem/Operation", operation(&line.sku.platform)),
            ("lineItem/AvailabilityZone", line.availability_zone.clone()),
            ("lineItem/ResourceId", row.resource_id.clone()),
            ("lineItem/UsageAmount", quantity.to_string()),
            ("lineItem/UnblendedCost", row.billed_cost.to_string()),
            ("product/tenancy", line.sku.tenancy.clone()),
            ("pricing/unit", "Hrs".into()),
        ];
        let mut set = |column: &'static str, value: String| {
            cells.retain(|(name, _)| *name != column);
            cells.push((column, value));
        };
        if line.pricing != PricingCategory::Spot {
            set("pricing/publicOnDemandRate", public.to_string());
            set("pricing/publicOnDemandCost", row.list_cost.to_string());
        }
        if is_free {
            set("lineItem/LineItemDescription", "within the free tier".into());
        }
        let until = row.charge_period_end;
        let held = row.commitment_discount_id.as_ref();
        let held = held.and_then(|id| portfolio.commitments().iter().find(|commitment| commitment.id == *id));
        let Some(commitment) = held else {
            return self.write(&cells, row.charge_period_start, until);
        };
        if !portfolio.offer(catalog, commitment)?.is_spend_plan() {
            set("lineItem/LineItemType", "DiscountedUsage".into());
            set("reservation/ReservationARN", commitment.id.clone());
            set("reservation/EffectiveCost", row.effective_cost.to_string());
            return self.write(&cells, row.charge_period_start, until);
        }
        set("lineItem/LineItemType", "SavingsPlanCoveredUsage".into());
        set("lineItem/UnblendedCost", row.contracted_cost.to_string());
        set("savingsPlan/SavingsPlanARN", commitment.id.clone());
        set("savingsPlan/SavingsPlanEffectiveCost", row.effective_cost.to_string());
        if let Benefit::SpendPlan { rates, .. } = &portfolio.offer(catalog, commitment)?.benefit {
            let rate = catalog.price(&line.sku).and_then(|price| rates.get(&price.id));
            set("savingsPlan/SavingsPlanRate", rate.map_or_else(String::new, ToString::to_string));
        }
        self.write(&cells, row.charge_period_start, until)?;
        let negation: Row = vec![
            ("lineItem/UsageAccountId", line.account.clone()),
            ("lineItem/LineItemType", "SavingsPlanNegation".into()),
            ("lineItem/ProductCode", line.sku.service.clone()),
            ("lineItem/UsageType", usage_type(line)),
            ("lineItem/Operation", operation(&line.sku.platform)),
            ("lineItem/ResourceId", row.resource_id.clone()),
            ("lineItem/UsageAmount", quantity.to_string()),
            ("lineItem/UnblendedCost", (-row.contracted_cost).to_string()),
            ("savingsPlan/SavingsPlanARN", commitment.id.clone()),
        ];
        self.write(&negation, row.charge_period_start, until)
    }

    /// The fee of a Savings Plan in an hour, 0 for one paid upfront, and what of its commitment is left unused.
    fn plan_fee(&mut self, commitment: &Commitment, offer: &Offer, hour: Hour, left: Decimal) -> Result<()> {
        let Benefit::SpendPlan { plan, family, .. } = &offer.benefit else { return Ok(()) };
        let recurring = offer.recurring.value() * commitment.quantity;
        let mut row = self.plan_row(commitment, offer, plan, family);
        row.extend([
            ("lineItem/LineItemType", "SavingsPlanRecurringFee".to_owned()),
            ("lineItem/UsageAmount", "1".to_owned()),
            ("lineItem/UnblendedCost", recurring.to_string()),
            ("savingsPlan/TotalCommitmentToDate", commitment.quantity.to_string()),
            ("savingsPlan/UsedCommitment", (commitment.quantity - left).to_string()),
        ]);
        self.write(&row, hour.start(), hour.plus(1).start())
    }

    fn plan_row(&self, commitment: &Commitment, offer: &Offer, plan: &str, family: &str) -> Row {
        let years = offer.term.nominal_months().div_euclid(12);
        vec![
            ("lineItem/UsageAccountId", commitment.account.clone()),
            ("lineItem/ProductCode", "ComputeSavingsPlans".into()),
            ("lineItem/UsageType", format!("{plan}SP:{years}yr")),
            ("savingsPlan/SavingsPlanARN", commitment.id.clone()),
            ("savingsPlan/OfferingType", format!("{plan}SavingsPlans")),
            ("savingsPlan/PaymentOption", payment(offer.payment_option).into()),
            ("savingsPlan/PurchaseTerm", format!("{years}yr")),
            ("savingsPlan/Region", offer.region.clone()),
            ("savingsPlan/InstanceTypeFamily", family.to_owned()),
            ("savingsPlan/StartTime", instant(commitment.start)),
            ("savingsPlan/EndTime", instant(commitment.end - Duration::seconds(1))),
        ]
    }

    /// The upfront fee, and a reservation's fees of each month.
    fn fees(
        &mut self,
        commitment: &Commitment,
        offer: &Offer,
        usage: &UsageCurves,
        catalog: &Catalog,
        unused: &BTreeMap<(String, Month), Decimal>,
    ) -> Result<()> {
        let upfront = offer.upfront.value() * commitment.quantity;
        let served = usage.grid().span(commitment.start, commitment.end);
        let begins = usage.grid().index(Hour::containing(commitment.start)).is_some();
        let row = match &offer.benefit {
            Benefit::SpendPlan { plan, family, .. } => self.plan_row(commitment, offer, plan, family),
            Benefit::Reservation { sku, .. } => reservation_row(commitment, offer, sku, catalog),
        };
        if begins && !upfront.is_zero() {
            let kind = if offer.is_spend_plan() { "SavingsPlanUpfrontFee" } else { "Fee" };
            let fee = [
                ("lineItem/LineItemType", kind.to_owned()),
                ("lineItem/UsageAmount", commitment.quantity.to_string()),
                ("lineItem/UnblendedCost", upfront.to_string()),
            ];
            let row = row.iter().cloned().chain(fee).collect();
            self.write(&row, commitment.start, commitment.start + Duration::hours(1))?;
        }
        if offer.is_spend_plan() {
            return Ok(());
        }
        let mut months: BTreeMap<Month, u64> = BTreeMap::new();
        for index in served {
            *months.entry(usage.grid().hour(index).month()).or_default() += 1;
        }
        for (month, hours) in months {
            let amount = commitment.quantity * Decimal::from(hours);
            let from = month.start().max(commitment.start);
            let fee = [
                ("lineItem/LineItemType", "RIFee".to_owned()),
                ("lineItem/UsageAmount", amount.to_string()),
                ("lineItem/UnblendedRate", offer.recurring.to_string()),
                ("lineItem/UnblendedCost", (offer.recurring.value() * amount).to_string()),
                (
                    "reservation/UnusedRecurringFee",
                    unused.get(&(commitment.id.clone(), month)).copied().unwrap_or_default().to_string(),
                ),
            ];
            let row = row.iter().cloned().chain(fee).collect();
            self.write(&row, from, month.next().start().min(commitment.end))?;
        }
        Ok(())
    }
}

fn reservation_row(commitment: &Commitment, offer: &Offer, sku: &str, catalog: &Catalog) -> Row {
    let line = catalog.price_with_id(sku).map(|price| UsageLine::new(price.sku.clone(), ""));
    let years = offer.term.nominal_months().div_euclid(12);
    let class = if offer.rights.contains(&Right::Exchange) { OfferingClass::Convertible } else { OfferingClass::Standard };
    let zone = match &commitment.scope {
        Scope::AvailabilityZone { availability_zone } => availability_zone.clone(),
        _ => String::new(),
    };
    let text = |value: &dyn Fn(&UsageLine) -> String| line.as_ref().map_or_else(String::new, value);
    vec![
        ("lineItem/UsageAccountId", commitment.account.clone()),
        ("lineItem/ProductCode", offer.service.clone()),
        (
            "lineItem/UsageType",
            text(&|line| usage_type(line).replace("BoxUsage", "HeavyUsage").replace("DedicatedUsage", "HeavyUsage")),
        ),
        ("lineItem/Operation", text(&|line| operation(&line.sku.platform))),
        ("product/tenancy", text(&|line| line.sku.tenancy.clone())),
        ("pricing/OfferingClass", class.as_str().to_owned()),
        ("pricing/PurchaseOption", payment(offer.payment_option).to_owned()),
        ("pricing/LeaseContractLength", format!("{years}yr")),
        ("reservation/ReservationARN", commitment.id.clone()),
        ("reservation/NumberOfReservations", commitment.quantity.to_string()),
        ("reservation/StartTime", instant(commitment.start)),
        ("reservation/EndTime", instant(commitment.end - Duration::seconds(1))),
        ("reservation/AvailabilityZone", zone),
        ("reservation/UpfrontValue", (offer.upfront.value() * commitment.quantity).to_string()),
    ]
}

fn payment(option: PaymentOption) -> &'static str {
    match option {
        PaymentOption::AllUpfront => "All Upfront",
        PaymentOption::PartialUpfront => "Partial Upfront",
        _ => "No Upfront",
    }
}

fn instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    error::Error::from(Problem::InputOutput).caused_by(error).into()
}
