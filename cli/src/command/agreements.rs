//! The file of agreements on offer: what each grants and asks for, spend beside the usage, and clauses to ask the value of.

use crate::answer::{Failure, Result};
use crate::inputs;
use chrono::NaiveDate;
use covermix::billing::agreement::{Agreement, AgreementDiscount, ChargeKind, Overlay};
use covermix::finance::agreement::{CarryOver, EarlyRenewal, ShortfallRule, Spend, SpendKind, Terms, contract};
use covermix::planning::agreement::{Clause, OfferedAgreement, OtherSpend};
use covermix::usage::Provider;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const SCHEMA: &str = "covermix-agreements/1";

/// The file as it is written (TOML or JSON).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgreementsFile {
    schema: String,
    offers: Vec<OfferEntry>,
    #[serde(default)]
    other_spend: Vec<SpendEntry>,
    #[serde(default)]
    clauses: Vec<ClauseEntry>,
}

/// An agreement on offer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfferEntry {
    name: String,
    provider: Provider,
    /// The discount on all services, a fraction.
    #[serde(default)]
    discount: Option<Decimal>,
    /// Discounts on single services.
    #[serde(default)]
    discounts: Vec<DiscountEntry>,
    /// Services without a discount.
    #[serde(default)]
    excluded_services: BTreeSet<String>,
    /// Whose contract it is: what counts and how a shortfall is settled.
    #[serde(default)]
    contract: Option<Contract>,
    /// Its first day.
    #[serde(default)]
    start: Option<NaiveDate>,
    /// The minimum of each contract year.
    #[serde(default)]
    minimums: Vec<Decimal>,
    /// All terms, clause by clause, instead of contract, start and minimums.
    #[serde(default)]
    terms: Option<Terms>,
}

/// A discount on one service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DiscountEntry {
    service: String,
    fraction: Decimal,
    #[serde(default)]
    kinds: BTreeSet<ChargeKind>,
    #[serde(default)]
    overlay: Overlay,
}

/// The contracts whose rules are known.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Contract {
    AwsEnterpriseDiscount,
    AzureMacc,
    GoogleCloudCommit,
    OracleAnnualCredits,
    /// Years with minimums and everything else at its default.
    Yearly,
}

/// Spend beside the usage.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpendEntry {
    provider: Provider,
    date: NaiveDate,
    kind: SpendKind,
    #[serde(default)]
    item: String,
    gross: Decimal,
    #[serde(default)]
    net: Option<Decimal>,
    #[serde(default)]
    scenario: Option<String>,
}

/// A clause to ask the value of.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum ClauseEntry {
    MoreDiscount {
        points: Decimal,
    },
    Minimums {
        factor: Decimal,
    },
    Growth {
        share: Decimal,
    },
    CarryOver {
        rule: CarryOver,
    },
    Shortfall {
        rule: ShortfallRule,
    },
    MarketplaceCap {
        #[serde(default)]
        share: Option<Decimal>,
    },
    MarketplaceWeight {
        share: Decimal,
    },
    EarlyRenewal {
        from_period: usize,
        minimums: Vec<Decimal>,
    },
}

impl From<ClauseEntry> for Clause {
    fn from(entry: ClauseEntry) -> Self {
        match entry {
            ClauseEntry::MoreDiscount { points } => Self::MoreDiscount(points),
            ClauseEntry::Minimums { factor } => Self::Minimums(factor),
            ClauseEntry::Growth { share } => Self::Growth(share),
            ClauseEntry::CarryOver { rule } => Self::CarryOver(rule),
            ClauseEntry::Shortfall { rule } => Self::Shortfall(rule),
            ClauseEntry::MarketplaceCap { share } => Self::MarketplaceCap(share),
            ClauseEntry::MarketplaceWeight { share } => Self::MarketplaceWeight(share),
            ClauseEntry::EarlyRenewal { from_period, minimums } => Self::EarlyRenewal(EarlyRenewal { from_period, minimums }),
        }
    }
}

/// What a file of agreements says.
#[derive(Debug)]
pub(crate) struct Agreements {
    path: PathBuf,
    offers: Vec<OfferedAgreement>,
    other: Vec<OtherSpend>,
    clauses: Vec<Clause>,
}

impl Agreements {
    /// Reads a file, TOML or JSON.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file: AgreementsFile = inputs::read_value(path, "a file of agreements (covermix-agreements/1)")?;
        let wrong = |problem: String, remedy: &str| Failure::wrong(format!("{}: {problem}", path.display()), remedy);
        if file.schema != SCHEMA {
            let problem = format!("the schema is `{}`, and this version reads `{SCHEMA}`", file.schema);
            return Err(wrong(problem, "correct the field `schema`"));
        }
        let mut names = BTreeSet::new();
        let mut offers = Vec::new();
        for entry in file.offers {
            let name = entry.name.clone();
            if !names.insert(name.clone()) {
                return Err(wrong(format!("two offers are called {name}"), "give each offer a name of its own"));
            }
            let offer = entry.offer().map_err(|problem| wrong(format!("offer {name}: {problem}"), "correct the offer"))?;
            offers.push(offer);
        }
        if offers.is_empty() {
            return Err(wrong("there is no offer".into(), "give at least one entry of `offers`"));
        }
        let spend = |entry: SpendEntry| {
            let SpendEntry { provider, date, kind, item, gross, net, scenario } = entry;
            let spend = Spend { date, kind, item, gross, net: net.unwrap_or(gross) };
            OtherSpend { scenario, provider, spend }
        };
        Ok(Self {
            path: path.to_owned(),
            offers,
            other: file.other_spend.into_iter().map(spend).collect(),
            clauses: file.clauses.into_iter().map(Clause::from).collect(),
        })
    }

    /// The offers, as they stand in the file.
    pub(crate) fn offers(&self) -> &[OfferedAgreement] {
        &self.offers
    }

    /// The one offer of the file.
    pub(crate) fn only(&self) -> Result<&OfferedAgreement> {
        match self.offers.as_slice() {
            [offer] => Ok(offer),
            offers => Err(Failure::wrong(
                format!("{}: has {} offers, and a plan is made under one", self.path.display(), offers.len()),
                "leave one in the file, or choose among them with covermix negotiate",
            )),
        }
    }

    /// Spend beside the usage.
    pub(crate) fn other(&self) -> &[OtherSpend] {
        &self.other
    }

    /// Clauses to ask the value of.
    pub(crate) fn clauses(&self) -> &[Clause] {
        &self.clauses
    }
}

impl OfferEntry {
    fn offer(self) -> Result<OfferedAgreement, String> {
        let terms = self.terms()?;
        let general = self.discount.map(|fraction| (None, fraction, BTreeSet::new(), Overlay::default()));
        let named = self.discounts.into_iter().map(|of| (Some(of.service), of.fraction, of.kinds, of.overlay));
        let discounts = named.chain(general).map(|(service, fraction, kinds, overlay)| AgreementDiscount {
            provider: self.provider,
            service,
            kinds,
            fraction,
            overlay,
        });
        let discounts = Agreement { discounts: discounts.collect(), excluded_services: self.excluded_services };
        discounts.check().map_err(|error| error.to_string())?;
        Ok(OfferedAgreement { name: self.name, provider: Some(self.provider), discounts, terms })
    }

    fn terms(&self) -> Result<Option<Terms>, String> {
        let is_short = self.contract.is_some() || self.start.is_some() || !self.minimums.is_empty();
        if self.terms.is_some() && is_short {
            return Err("`terms` stands beside `contract`, `start` or `minimums`, which say the same".into());
        }
        if !is_short {
            return Ok(self.terms.clone());
        }
        let start = self.start.ok_or("minimums need `start`, the agreement's first day")?;
        if self.minimums.is_empty() {
            return Err("a contract needs `minimums`, the amount of each year".into());
        }
        let contract = self.contract.ok_or(
            "minimums need `contract`: aws_enterprise_discount, azure_macc, google_cloud_commit, oracle_annual_credits or yearly",
        )?;
        let terms = match contract {
            Contract::AwsEnterpriseDiscount => contract::aws_enterprise_discount(start, &self.minimums),
            Contract::AzureMacc => contract::azure_macc(start, &self.minimums),
            Contract::GoogleCloudCommit => contract::google_cloud_commit(start, &self.minimums),
            Contract::OracleAnnualCredits => contract::oracle_annual_credits(start, &self.minimums),
            Contract::Yearly => Terms::yearly(self.name.clone(), start, &self.minimums),
        };
        Ok(Some(terms.map_err(|error| error.to_string())?))
    }
}
