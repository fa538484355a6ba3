//! Commitments of a FOCUS bill: from the rows that name them, and from the ContractCommitment dataset of versions 1.3 and 1.4, which tells when they
//! begin and end, how they are paid, and which are only proposed.

use crate::beside;
use crate::columns::{Column, Kind, optional, rare, required};
use crate::error::Result;
use crate::focus::line::provider;
use crate::held::{HeldCommitment, Subject};
use crate::options::Options;
use crate::session::{Session, Source, decimal, instant};
use chrono::{DateTime, Utc};
use covermix::catalog::PaymentOption;
use covermix::time::Term;
use covermix::usage::Provider;
use datafusion::arrow::array::Array;
use rust_decimal::Decimal;
use std::path::PathBuf;

/// A row of the ContractCommitment dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The contract that it is part of.
    pub contract: String,
    /// The commitment; cost rows name it as their commitment discount.
    pub id: String,
    /// `Spend` or `Usage`.
    pub category: String,
    /// The provider's word for its kind.
    pub kind: String,
    /// What it is, in words.
    pub description: String,
    /// What it is for over its period, in the billing currency; of spend commitments.
    pub cost: Option<Decimal>,
    /// What it is for over its period or interval; of usage commitments.
    pub quantity: Option<Decimal>,
    /// The unit of the quantity.
    pub unit: String,
    /// When it begins.
    pub start: Option<DateTime<Utc>>,
    /// When it ends, exclusive.
    pub end: Option<DateTime<Utc>>,
    /// How it is paid: `All Upfront`, `Partial Upfront`, `No Upfront` (1.4).
    pub payment_model: String,
    /// `Continuous`: used or lost, as reservations are; `Discontinuous`: drawn down, as agreements are (1.4).
    pub model: String,
    /// `Proposed`, `Pending`, `Active`, `Exhausted`, `Expired`, `Canceled` or `Superseded` (1.4).
    pub lifecycle_status: String,
}

const COLUMNS: [Column; 13] = [
    required("contract_commitment_id", &["ContractCommitmentId"], Kind::Text),
    required("contract_commitment_category", &["ContractCommitmentCategory"], Kind::Text),
    required("period_start", &["ContractCommitmentPeriodStart"], Kind::Time),
    required("period_end", &["ContractCommitmentPeriodEnd"], Kind::Time),
    optional("contract_id", &["ContractId"], Kind::Text, "contracts are not known"),
    rare("contract_commitment_type", &["ContractCommitmentType"], Kind::Text),
    rare("contract_commitment_description", &["ContractCommitmentDescription"], Kind::Text),
    rare("contract_commitment_cost", &["ContractCommitmentCost"], Kind::Number),
    rare("contract_commitment_quantity", &["ContractCommitmentQuantity"], Kind::Number),
    rare("contract_commitment_unit", &["ContractCommitmentUnit"], Kind::Text),
    rare("payment_model", &["ContractCommitmentPaymentModel", "PaymentModel"], Kind::Text),
    rare("commitment_model", &["ContractCommitmentModel", "Model"], Kind::Text),
    rare("lifecycle_status", &["ContractCommitmentLifecycleStatus", "LifecycleStatus"], Kind::Text),
];

/// The rows of the files.
pub(crate) async fn read(paths: &[PathBuf], options: &Options) -> Result<Vec<Contract>> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let (session, mut sources) = Session::open(paths, options).await?;
    let mut contracts = Vec::new();
    for source in &mut sources {
        contracts.extend(of_file(&session, source).await?);
    }
    contracts.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(contracts)
}

async fn of_file(session: &Session, source: &mut Source) -> Result<Vec<Contract>> {
    let rows = beside::read(session, source, &COLUMNS, "FOCUS ContractCommitment file").await?;
    let text = |name: &str| rows.text(name);
    let columns = [
        "contract_id",
        "contract_commitment_id",
        "contract_commitment_category",
        "contract_commitment_type",
        "contract_commitment_description",
        "contract_commitment_unit",
        "payment_model",
        "commitment_model",
        "lifecycle_status",
    ]
    .map(text);
    let (cost, quantity) = (rows.numbers("contract_commitment_cost"), rows.numbers("contract_commitment_quantity"));
    let (start, end) = (rows.integers("period_start"), rows.integers("period_end"));
    let contract = |row: usize| {
        let [contract, id, category, kind, description, unit, payment_model, model, lifecycle_status] = std::array::from_fn(
            |index| if columns[index].is_null(row) { String::new() } else { columns[index].value(row).to_owned() },
        );
        let (cost, quantity) = (decimal(&cost, row), decimal(&quantity, row));
        let (start, end) = (instant(&start, row), instant(&end, row));
        Contract {
            contract,
            id,
            category,
            kind,
            description,
            cost,
            quantity,
            unit,
            start,
            end,
            payment_model,
            model,
            lifecycle_status,
        }
    };
    Ok((0..rows.len()).map(contract).collect())
}

const QUERY: &str = "\
    SELECT rows.*, hours.quantity AS quantity FROM (\
    SELECT commitment_discount_id AS id, MAX(CASE WHEN service_provider_name <> '' THEN service_provider_name ELSE provider_name END) \
    AS provider, MAX(commitment_discount_name) AS name, MAX(commitment_discount_type) AS kind, \
    MAX(commitment_discount_category) AS category, MAX(commitment_discount_unit) AS unit, \
    MAX(CASE WHEN class IN ('upfront_fee', 'recurring_fee', 'unused') THEN sub_account_id ELSE '' END) AS account, \
    MAX(CASE WHEN class IN ('upfront_fee', 'recurring_fee', 'unused') THEN availability_zone ELSE '' END) AS zone, \
    MAX(CASE WHEN class IN ('upfront_fee', 'recurring_fee', 'unused') THEN sku_price_id ELSE '' END) AS offer, \
    MIN(CASE WHEN class = 'upfront_fee' THEN charge_period_start END) AS start, \
    MAX(CASE WHEN class = 'upfront_fee' THEN charge_period_end END) AS finish, \
    SUM(CASE WHEN class = 'upfront_fee' THEN billed_cost END) AS upfront, \
    SUM(CASE WHEN class = 'recurring_fee' THEN billed_cost END) AS recurring \
    FROM bill WHERE commitment_discount_id <> '' GROUP BY commitment_discount_id) AS rows LEFT JOIN (\
    SELECT id, MAX(quantity) AS quantity FROM (SELECT commitment_discount_id AS id, charge_period_start / 3600 AS hour, \
    SUM(CASE WHEN commitment_discount_quantity IS NOT NULL THEN commitment_discount_quantity \
    WHEN commitment_discount_category = 'Spend' THEN effective_cost END) AS quantity \
    FROM bill WHERE class IN ('covered', 'unused') GROUP BY commitment_discount_id, charge_period_start / 3600) AS by_hour GROUP BY id) \
    AS hours ON rows.id = hours.id ORDER BY id";

/// The commitments of the bill, with what the contracts tell of them.
pub(crate) async fn held(session: &Session, contracts: &[Contract]) -> Result<Vec<HeldCommitment>> {
    let rows = session.query(QUERY).await?;
    let mut held = Vec::with_capacity(rows.len());
    for row in 0..rows.len() {
        let id = rows.text_at("id", row);
        let contract = contracts.iter().find(|contract| contract.id == id && contract.lifecycle_status != "Proposed");
        let provider = provider(&rows.text_at("provider", row));
        let start = contract.and_then(|contract| contract.start).or_else(|| rows.instant_at("start", row));
        let end = contract.and_then(|contract| contract.end).or_else(|| rows.instant_at("finish", row));
        let (upfront, recurring) = (rows.number_at("upfront", row), rows.number_at("recurring", row));
        let stated = contract.and_then(|contract| payment(&contract.payment_model));
        let name = rows.text_at("name", row);
        held.push(HeldCommitment {
            id,
            provider,
            account: rows.text_at("account", row),
            subject: if rows.text_at("category", row) == "Spend" {
                Subject::Spend { plan: rows.text_at("kind", row) }
            } else {
                Subject::Unknown
            },
            name,
            offer: rows.text_at("offer", row),
            quantity: rows.number_at("quantity", row),
            is_normalised: rows.text_at("unit", row).to_ascii_lowercase().contains("normali"),
            start,
            end,
            term: start.zip(end).map(|(start, end)| term(provider, start, end)),
            payment_option: stated.or(match (upfront, recurring) {
                (Some(_), None) => Some(PaymentOption::AllUpfront),
                (Some(_), Some(_)) => Some(PaymentOption::PartialUpfront),
                (None, Some(_)) => Some(PaymentOption::NoUpfront),
                (None, None) => None,
            }),
            upfront: None,
            recurring: None,
            region: String::new(),
            zone: rows.text_at("zone", row),
        });
    }
    Ok(held)
}

fn payment(model: &str) -> Option<PaymentOption> {
    match model.to_ascii_lowercase().as_str() {
        "all upfront" => Some(PaymentOption::AllUpfront),
        "partial upfront" => Some(PaymentOption::PartialUpfront),
        "no upfront" => Some(PaymentOption::NoUpfront),
        _ => None,
    }
}

/// The term by its length, as the provider counts terms.
fn term(provider: Provider, start: DateTime<Utc>, end: DateTime<Utc>) -> Term {
    let days = (end - start).num_days();
    let years = if days > 366 { 3 } else { 1 };
    match provider {
        Provider::Aws => {
            if years == 3 {
                Term::AWS_THREE_YEARS
            } else {
                Term::AWS_ONE_YEAR
            }
        }
        _ => Term::Months(years * 12),
    }
}
