//! A bill of any format, read: usage curves, commitments held, money, owners, and where every row went.

use crate::UnknownSkus;
use crate::aws::CostAndUsage;
use crate::azure::price_sheet::PriceSheet;
use crate::curves::{self, BilledUsage, Outcome};
use crate::error::{Error, Result};
use crate::focus::contracts::Contract;
use crate::format::Format;
use crate::held::{self, HeldCommitment};
use crate::money::BillMoney;
use crate::note::Note;
use crate::options::Options;
use crate::owners::{Allocation, OwnerRules};
use crate::reconciliation::Reconciliation;
use crate::session::{Session, Source, block_on};
use crate::sql::{self, Dialect, Located};
use crate::{azure, focus, gcp, repeated_hour};
use covermix::Problem;
use covermix::catalog::Catalog;
use covermix::portfolio::Portfolio;
use covermix::time::{Hour, Month};
use covermix::usage::UsageCurves;
use rust_decimal::Decimal;
use std::path::{Path, PathBuf};

/// What the files of a billing export say, aggregated.
#[derive(Clone, Debug)]
pub struct Bill {
    session: Session,
    format: Format,
    months: Vec<Month>,
    currency: String,
    usage: Usage,
    commitments: Commitments,
    reconciliation: Reconciliation,
    money: BillMoney,
    notes: Vec<Note>,
    /// The columns as the first file has them.
    located: Vec<Located>,
}

/// The hourly usage, or why there is none.
#[derive(Clone, Debug)]
enum Usage {
    None,
    Curves(Box<BilledUsage>),
    TooLong { rows: u64, example: String },
    Gap { before: Month, after: Month },
    Negative { line: String, hour: Hour, quantity: Decimal },
}

/// How the commitments were read.
#[derive(Clone, Debug)]
enum Commitments {
    Aws(Box<CostAndUsage>),
    Held(Vec<HeldCommitment>),
}

impl Bill {
    /// Reads the files of a bill: of one format, of one or more consecutive months, in any order. Addresses of object stores are read where the
    /// crate has the feature.
    ///
    /// # Errors
    /// Not a file, empty, damaged, of no known format or of several, without a required column, with a value that is no number or time, rows
    /// given twice, several currencies, both views of an Azure bill.
    pub fn read<P: AsRef<Path>>(paths: &[P], options: &Options) -> Result<Self> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| path.as_ref().to_owned()).collect();
        Self::read_paths(&paths, &[], options)
    }

    /// Reads a bill together with files that tell when its commitments begin and end: of a FOCUS bill the ContractCommitment dataset (1.3 and
    /// later); of a Google bill the answer of `gcloud compute commitments list --format=json` and the export `cud_subscriptions_export`.
    ///
    /// # Errors
    /// As [`Bill::read`], for both kinds of files.
    pub fn read_with_contracts<P: AsRef<Path>>(paths: &[P], contracts: &[P], options: &Options) -> Result<Self> {
        let owned = |paths: &[P]| -> Vec<PathBuf> { paths.iter().map(|path| path.as_ref().to_owned()).collect() };
        Self::read_paths(&owned(paths), &owned(contracts), options)
    }

    /// Not generic, so that the engine is compiled here and not in every crate that reads a bill.
    fn read_paths(paths: &[PathBuf], contracts: &[PathBuf], options: &Options) -> Result<Self> {
        block_on(paths, Self::load(paths, contracts, options))
    }

    /// As [`Bill::read`], for callers that run on tokio already.
    ///
    /// # Errors
    /// As [`Bill::read`].
    pub async fn read_async<P: AsRef<Path>>(paths: &[P], options: &Options) -> Result<Self> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| path.as_ref().to_owned()).collect();
        Self::load(&paths, &[], options).await
    }

    async fn load(paths: &[PathBuf], contracts: &[PathBuf], options: &Options) -> Result<Self> {
        let (session, mut sources) = Session::open(paths, options).await?;
        let Some(format) = Format::of_all(&sources)? else {
            return Err(covermix::Error::from(Problem::Empty { what: "bill" }).into());
        };
        if let (Format::AwsCostAndUsage | Format::AzureCost, Some(file)) = (format, contracts.first()) {
            let remedy = "give it with a bill of FOCUS or Google Cloud; this bill tells of its commitments itself";
            return Err(Error::Format { file: file.clone(), format: "a file of contracts beside a bill that has none", remedy });
        }
        if format == Format::AwsCostAndUsage {
            return Self::load_aws(session, &mut sources).await;
        }
        let mapping = format.mapping();
        let mut notes = Vec::new();
        let united = mapping.unite(&session, &mut sources, &mut notes).await?;
        let field = if format == Format::Focus { "BillingCurrency" } else { "currency" };
        let currency = united.currency(&session, field)?;
        let reconciliation = united.summary.reconciliation(&united.billed);
        let mut money = BillMoney::new(&united.summary, &united.billed);
        let held = match format {
            Format::Focus => {
                let contracts = focus::contracts::read(contracts, options).await?;
                notes.extend(focus_notes(&sources));
                focus::contracts::held(&session, &contracts).await?
            }
            Format::AzureCost => {
                notes.push(azure::view(&session).await?);
                azure::read_held(&session).await?
            }
            _ => {
                money.amortise(gcp::read_amortised(&session, &mut notes).await?);
                let listed = gcp::read_commitments(contracts, options).await?;
                gcp::read_held(&session, listed, &mut notes).await?
            }
        };
        let usage = Usage::from(curves::read(&session, mapping, &united, &mut notes).await?);
        usage.note_repeated_hours(&session, &mut notes);
        note_late(&reconciliation, &mut notes);
        Ok(Self {
            session,
            format,
            months: united.months,
            currency,
            usage,
            commitments: Commitments::Held(held),
            reconciliation,
            money,
            notes,
            located: located(&sources, format),
        })
    }

    async fn load_aws(session: Session, sources: &mut [Source]) -> Result<Self> {
        let (bill, money, outcome) = CostAndUsage::load_from(&session, sources).await?;
        let usage = match bill.billed_usage() {
            Some(usage) => Usage::Curves(Box::new(usage.clone())),
            None => Usage::from(outcome),
        };
        let mut notes = bill.notes().to_vec();
        usage.note_repeated_hours(&session, &mut notes);
        note_late(bill.reconciliation(), &mut notes);
        Ok(Self {
            session,
            format: Format::AwsCostAndUsage,
            months: bill.months().to_vec(),
            currency: bill.currency().to_owned(),
            usage,
            reconciliation: bill.reconciliation().clone(),
            money,
            notes,
            located: located(sources, Format::AwsCostAndUsage),
            commitments: Commitments::Aws(Box::new(bill)),
        })
    }

    /// What it is.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The months of the bill.
    #[must_use]
    pub fn months(&self) -> &[Month] {
        &self.months
    }

    /// The currency, an ISO 4217 code; empty if the bill does not say.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// What ran in every hour of every month of the bill, whatever paid for it, of all that commitments are sold for.
    ///
    /// # Errors
    /// [`Problem::Empty`] if there is none; [`Error::Granularity`] if rows span more than an hour and [`Options::long_rows`] does not allow it;
    /// [`Error::Gap`] if a month is missing between two others; [`Error::NegativeUsage`] if corrections leave less than nothing of an hour.
    pub fn usage(&self) -> Result<&UsageCurves> {
        match &self.usage {
            Usage::Curves(usage) => Ok(&usage.curves),
            Usage::Gap { before, after } => Err(Error::Gap { before: *before, after: *after }),
            Usage::Negative { line, hour, quantity } => {
                Err(Error::NegativeUsage { line: line.clone(), hour: *hour, quantity: *quantity })
            }
            Usage::None => Err(covermix::Error::from(Problem::Empty { what: "usage that commitments are sold for" }).into()),
            Usage::TooLong { rows, example } => {
                Err(Error::Granularity { paths: self.session.paths().to_vec(), rows: *rows, example: example.clone() })
            }
        }
    }

    /// The usage of Google machines as vCPU, memory, GPU and local SSD, which commitments are bought in; other usage as it is.
    ///
    /// # Errors
    /// As [`Bill::usage`] and [`covermix::catalog::gcp::split_machines`].
    pub fn usage_in_resources(&self, catalog: &Catalog, types: &covermix::catalog::gcp::MachineTypes) -> Result<UsageCurves> {
        Ok(covermix::catalog::gcp::split_machines(catalog, types, self.usage()?)?)
    }

    /// The commitments on the bill as it describes them; of AWS reports, see [`Bill::cost_and_usage`].
    #[must_use]
    pub fn commitments(&self) -> &[HeldCommitment] {
        match &self.commitments {
            Commitments::Held(held) => held,
            Commitments::Aws(_) => &[],
        }
    }

    /// The bill as AWS's own, with Reserved Instances and Savings Plans; `None` for other formats.
    #[must_use]
    pub fn cost_and_usage(&self) -> Option<&CostAndUsage> {
        match &self.commitments {
            Commitments::Aws(bill) => Some(bill),
            Commitments::Held(_) => None,
        }
    }

    /// The commitments held, with offers that refer to the prices of a catalog, and what was left out of them.
    ///
    /// # Errors
    /// [`Problem::MixedCurrency`] if the catalog's currency is another; [`Problem::Dangling`] for a commitment that the catalog has no offer or
    /// price of, or whose times the bill does not tell, unless those are excluded.
    pub fn portfolio(&self, catalog: &Catalog, unknown: UnknownSkus) -> Result<(Portfolio, Vec<Note>)> {
        let held = match &self.commitments {
            Commitments::Aws(bill) => return Ok((bill.portfolio(catalog, unknown)?, Vec::new())),
            Commitments::Held(held) => held,
        };
        if !self.currency.is_empty() && self.currency != catalog.currency() {
            let problem = Problem::MixedCurrency { found: self.currency.clone(), expected: catalog.currency().to_owned() };
            return Err(covermix::Error::from(problem).into());
        }
        let mut notes = Vec::new();
        let portfolio = held::portfolio(held, catalog, unknown, &mut notes)?;
        Ok((portfolio, notes))
    }

    /// Where every row and all money of the bill went.
    #[must_use]
    pub fn reconciliation(&self) -> &Reconciliation {
        &self.reconciliation
    }

    /// The money of the bill by what it is.
    #[must_use]
    pub fn money(&self) -> &BillMoney {
        &self.money
    }

    /// The money, with a catalog's prices for covered usage whose on-demand price the bill does not show (Azure's FOCUS export).
    #[must_use]
    pub fn money_with(&self, catalog: &Catalog) -> BillMoney {
        match &self.usage {
            Usage::Curves(usage) => self.money.priced(usage.curves.lines(), &usage.unpriced, catalog),
            Usage::None | Usage::TooLong { .. } | Usage::Gap { .. } | Usage::Negative { .. } => self.money.clone(),
        }
    }

    /// The money of a bill of Azure, in its own format or as FOCUS, with a price sheet's prices for covered usage whose on-demand price the bill does
    /// not show. Meters that the sheet does not price stay so: the savings rate is then still refused.
    ///
    /// # Errors
    /// [`Problem::MixedCurrency`] if the sheet is in another currency than the bill; those of the query engine.
    pub fn money_with_price_sheet(&self, sheet: &PriceSheet) -> Result<BillMoney> {
        let meter = match self.format {
            Format::AzureCost => azure::METER,
            Format::Focus => "x_sku_meter_id",
            _ => return Ok(self.money.clone()),
        };
        if !self.currency.is_empty() && !sheet.currency().is_empty() && self.currency != sheet.currency() {
            let problem = Problem::MixedCurrency { found: sheet.currency().to_owned(), expected: self.currency.clone() };
            return Err(covermix::Error::from(problem).into());
        }
        let mapping = self.format.mapping();
        let meters = block_on(self.session.paths(), azure::price_sheet::unpriced(&self.session, mapping, meter))?;
        Ok(self.money.priced_by_meter(&meters, |meter| sheet.price(meter)))
    }

    /// Who owes what, by rules; tags that they speak of must be among [`Options::tag_keys`].
    ///
    /// # Errors
    /// [`Error::Owners`] if the rules speak of a tag that was not read.
    pub fn allocate(&self, rules: &OwnerRules) -> Result<Allocation> {
        block_on(self.session.paths(), rules.allocate(&self.session))
    }

    /// The query behind the curves for a warehouse that has the bill as `table`, with the columns that the first file has.
    ///
    /// # Errors
    /// [`Error::Dialect`] for an export of Google's anywhere but in BigQuery.
    pub fn warehouse_sql(&self, dialect: Dialect, table: &str) -> Result<String> {
        sql::print(self.format.mapping(), &self.located, &self.months, (table, self.format.zone(&self.session.options)), dialect)
    }

    /// What to know about the bill.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

impl From<Outcome> for Usage {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::None => Self::None,
            Outcome::Curves(usage) => Self::Curves(usage),
            Outcome::TooLong(rows, example) => Self::TooLong { rows, example },
            Outcome::Gap(before, after) => Self::Gap { before, after },
            Outcome::Negative(line, hour, quantity) => Self::Negative { line, hour, quantity },
        }
    }
}

impl Usage {
    fn note_repeated_hours(&self, session: &Session, notes: &mut Vec<Note>) {
        if let Self::Curves(usage) = self {
            repeated_hour::note(&usage.curves, session.options.time_zone, notes);
        }
    }
}

fn located(sources: &[Source], format: Format) -> Vec<Located> {
    let columns = format.mapping().columns.iter();
    columns.map(|column| (*column, sources.first().and_then(|source| source.located(column)))).collect()
}

fn focus_notes(sources: &[Source]) -> Vec<Note> {
    let mut notes: Vec<Note> = sources.iter().map(|source| Note::Version { version: focus::version(source) }).collect();
    notes.dedup();
    let has_provider =
        |source: &Source| ["ProviderName", "ServiceProviderName", "InvoiceIssuerName"].iter().any(|header| source.has(header));
    if !sources.iter().all(has_provider) {
        notes.push(Note::View { view: "no column names the provider: rows count as those of AWS" });
    }
    notes
}

fn note_late(reconciliation: &Reconciliation, notes: &mut Vec<Note>) {
    let late = reconciliation.entries().iter().find(|entry| entry.reason == "usage of other months than those billed");
    if let Some(late) = late {
        notes.push(Note::LateRows { rows: late.rows, cost: late.cost });
    }
}

/// The contracts of a bill, for those who want them alone.
///
/// # Errors
/// As [`Bill::read`].
pub fn read_contracts<P: AsRef<Path>>(paths: &[P]) -> Result<Vec<Contract>> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.as_ref().to_owned()).collect();
    block_on(&paths, focus::contracts::read(&paths, &Options::default()))
}
