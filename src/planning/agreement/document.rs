//! Agreements as people write them, in TOML or JSON (`covermix-agreements/1`): what each offer grants and asks for, spend beside the usage, and
//! clauses to ask the value of. `data/agreements.schema.json` is the JSON Schema, `data/agreements.toml` an example; what the fields mean is in
//! `docs/agreements.md`, "The file of agreements".

use super::{Clause, OfferedAgreement, OtherSpend, wrong_terms};
use crate::billing::agreement::{Agreement, AgreementDiscount, ChargeKind, Overlay};
use crate::error::{Error, Problem as Wrong, Result};
use crate::files;
use crate::finance::agreement::contract::Contract;
use crate::finance::agreement::{Spend, SpendKind, Terms};
use crate::units::AnyDecimal;
use crate::usage::Provider;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

const SCHEMA: &str = "covermix-agreements/1";
const FORMAT: &str = "a file of agreements (covermix-agreements/1)";

/// Agreements on offer, spend beside the usage, and clauses to ask the value of. There is an offer, and each has a name of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreements {
    offers: Vec<OfferedAgreement>,
    other_spend: Vec<OtherSpend>,
    clauses: Vec<Clause>,
}

impl Agreements {
    /// Gathers them.
    ///
    /// # Errors
    /// [`Wrong::EmptyValue`] without an offer, [`Wrong::Repeated`] for a second offer of a name; those of [`OfferedAgreement::check`].
    pub fn new(offers: Vec<OfferedAgreement>, other_spend: Vec<OtherSpend>, clauses: Vec<Clause>) -> Result<Self> {
        if offers.is_empty() {
            return Err(Error::from(Wrong::EmptyValue).in_field("offers"));
        }
        let mut names = BTreeSet::new();
        for offer in &offers {
            offer.check()?;
            if !names.insert(&offer.name) {
                return Err(Error::from(Wrong::Repeated).in_field("offers.name").in_item(offer.name.clone()));
            }
        }
        Ok(Self { offers, other_spend, clauses })
    }

    /// Reads a file: JSON if its name ends in `.json`, else TOML.
    ///
    /// # Errors
    /// Not a file, empty, another shape or schema, a field this version does not know; and those of [`Agreements::new`]. With file, and line or
    /// offer and field.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = files::read_text(path, "agreements")?;
        let read = if files::is_json(path) { Self::from_json(&text) } else { Self::from_toml(&text) };
        read.map_err(|error| error.in_file(path))
    }

    /// Reads the text of a TOML file.
    ///
    /// # Errors
    /// As [`Agreements::read`].
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::of(files::parse_toml(text, FORMAT)?)
    }

    /// Reads the text of a JSON file.
    ///
    /// # Errors
    /// As [`Agreements::read`].
    pub fn from_json(text: &str) -> Result<Self> {
        Self::of(files::parse_json(text, FORMAT)?)
    }

    fn of(document: Document) -> Result<Self> {
        let Document { schema, offers, other_spend, clauses } = document;
        if schema != SCHEMA {
            return Err(Error::from(Wrong::Version { found: schema, expected: SCHEMA }).in_field("schema"));
        }
        let offers = offers.into_iter().map(OfferedAgreement::try_from).collect::<Result<_>>()?;
        Self::new(offers, other_spend.into_iter().map(OtherSpend::from).collect(), clauses)
    }

    /// The text of a JSON file.
    #[must_use]
    pub fn to_json(&self) -> String {
        let document = Document {
            schema: SCHEMA.to_owned(),
            offers: self.offers.iter().cloned().map(OfferEntry::from).collect(),
            other_spend: self.other_spend.iter().cloned().map(SpendEntry::from).collect(),
            clauses: self.clauses.clone(),
        };
        serde_json::json!(document).to_string()
    }

    /// The JSON Schema of the file.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Document).to_value()
    }

    /// The agreements on offer, as they stand in the file.
    #[must_use]
    pub fn offers(&self) -> &[OfferedAgreement] {
        &self.offers
    }

    /// Spend beside the usage.
    #[must_use]
    pub fn other_spend(&self) -> &[OtherSpend] {
        &self.other_spend
    }

    /// Clauses to ask the value of.
    #[must_use]
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }
}

/// Agreements on offer, spend beside the usage, and clauses to ask the value of.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Agreements")]
struct Document {
    /// `covermix-agreements/1`.
    schema: String,
    /// What may be signed; each with a name of its own.
    #[schemars(length(min = 1))]
    offers: Vec<OfferEntry>,
    /// Spend beside the usage: Marketplace, support, services without commitments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    other_spend: Vec<SpendEntry>,
    /// Clauses to ask the value of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    clauses: Vec<Clause>,
}

/// An agreement on offer: its discounts, and what it asks for, either in short (`contract`, `start`, `minimums`) or in full (`terms`).
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfferedAgreement")]
pub(super) struct OfferEntry {
    /// A name of its own among the offers.
    name: String,
    /// The provider that grants it, whose spend counts; of all providers if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider: Option<Provider>,
    /// The discount on all services, a share from 0 to below 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<AnyDecimal>")]
    discount: Option<Decimal>,
    /// Discounts on single services or kinds of charge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    discounts: Vec<DiscountEntry>,
    /// Services without a discount.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    excluded_services: BTreeSet<String>,
    /// Whose contract it is: what counts and how a shortfall is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contract: Option<Contract>,
    /// Its first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<NaiveDate>,
    /// The minimum of each contract year.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<AnyDecimal>")]
    minimums: Vec<Decimal>,
    /// All terms, clause by clause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    terms: Option<Terms>,
}

/// A discount on one service or on some kinds of charge.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AgreementDiscount")]
struct DiscountEntry {
    /// The provider that grants it; the offer's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider: Option<Provider>,
    /// The service in the provider's words; all services if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// The kinds of charge it applies to; all if empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    kinds: BTreeSet<ChargeKind>,
    /// The share taken off, from 0 to below 1.
    #[schemars(with = "AnyDecimal")]
    fraction: Decimal,
    /// If it names a service: how it goes with the discount on all services.
    #[serde(default, skip_serializing_if = "is_instead")]
    overlay: Overlay,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
fn is_instead(overlay: &Overlay) -> bool {
    *overlay == Overlay::Instead
}

/// Spend beside the usage. The same whatever is bought.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OtherSpend")]
pub(super) struct SpendEntry {
    /// The scenario it belongs to; in all scenarios if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
    /// The provider.
    provider: Provider,
    /// The day it is invoiced, or used, as its kind says.
    date: NaiveDate,
    /// What it is for.
    kind: SpendKind,
    /// The service or product, in the provider's words.
    #[serde(default)]
    item: String,
    /// Before the agreement's discount. Refunds are negative.
    #[schemars(with = "AnyDecimal")]
    gross: Decimal,
    /// After it; as `gross` if absent. Of usage, spot and fees it is computed.
    #[serde(default)]
    #[schemars(with = "Option<AnyDecimal>")]
    net: Option<Decimal>,
}

impl From<SpendEntry> for OtherSpend {
    fn from(entry: SpendEntry) -> Self {
        let SpendEntry { scenario, provider, date, kind, item, gross, net } = entry;
        Self { scenario, provider, spend: Spend { date, kind, item, gross, net: net.unwrap_or(gross) } }
    }
}

impl From<OtherSpend> for SpendEntry {
    fn from(other: OtherSpend) -> Self {
        let OtherSpend { scenario, provider, spend: Spend { date, kind, item, gross, net } } = other;
        Self { scenario, provider, date, kind, item, gross, net: Some(net) }
    }
}

impl From<OfferedAgreement> for OfferEntry {
    fn from(offer: OfferedAgreement) -> Self {
        let OfferedAgreement { name, provider, discounts, terms } = offer;
        let entry = |of: AgreementDiscount| {
            let AgreementDiscount { provider: grants, service, kinds, fraction, overlay } = of;
            DiscountEntry { provider: Some(grants).filter(|_| provider != Some(grants)), service, kinds, fraction, overlay }
        };
        Self {
            name,
            provider,
            discount: None,
            discounts: discounts.discounts.into_iter().map(entry).collect(),
            excluded_services: discounts.excluded_services,
            contract: None,
            start: None,
            minimums: Vec::new(),
            terms,
        }
    }
}

impl OfferedAgreement {
    /// Reads an offer from JSON: an entry of `offers` of [`Agreements`].
    ///
    /// # Errors
    /// [`Wrong::Malformed`] for another shape; those of [`OfferedAgreement::check`] and of fields that do not go together.
    pub fn from_json(text: &str) -> Result<Self> {
        files::parse_json::<OfferEntry>(text, "an agreement on offer")?.try_into()
    }
}

impl TryFrom<OfferEntry> for OfferedAgreement {
    type Error = Error;

    fn try_from(entry: OfferEntry) -> Result<Self> {
        let name = entry.name.clone();
        if name.is_empty() {
            return Err(Error::from(Wrong::EmptyValue).in_field("offers.name"));
        }
        entry.offer().map_err(|error| error.in_item(name))
    }
}

impl OfferEntry {
    fn offer(self) -> Result<OfferedAgreement> {
        let terms = self.terms()?;
        let named = |field: &'static str| {
            let is = "aws, azure, gcp or another provider, who grants it";
            Error::from(Wrong::Without { field, missing: "provider", is }).in_field(field)
        };
        let mut discounts = Vec::with_capacity(self.discounts.len() + 1);
        for of in self.discounts {
            let DiscountEntry { provider, service, kinds, fraction, overlay } = of;
            if service.is_none() && kinds.is_empty() && self.discount.is_some() {
                let twice = Wrong::SaidTwice { field: "discount", others: "`discounts` without a service or kinds of charge" };
                return Err(Error::from(twice).in_field("discounts.service"));
            }
            let provider = provider.or(self.provider).ok_or_else(|| named("discounts"))?;
            discounts.push(AgreementDiscount { provider, service, kinds, fraction, overlay });
        }
        if let Some(fraction) = self.discount {
            let provider = self.provider.ok_or_else(|| named("discount"))?;
            let (service, kinds, overlay) = (None, BTreeSet::new(), Overlay::default());
            discounts.push(AgreementDiscount { provider, service, kinds, fraction, overlay });
        }
        let discounts = Agreement { discounts, excluded_services: self.excluded_services };
        let offer = OfferedAgreement { name: self.name, provider: self.provider, discounts, terms };
        offer.check()?;
        Ok(offer)
    }

    /// What is asked for, in full.
    fn terms(&self) -> Result<Option<Terms>> {
        let given =
            [("contract", self.contract.is_some()), ("start", self.start.is_some()), ("minimums", !self.minimums.is_empty())];
        let Some((field, _)) = given.into_iter().find(|(_, is_given)| *is_given) else { return Ok(self.terms.clone()) };
        if self.terms.is_some() {
            let twice = Wrong::SaidTwice { field: "terms", others: "`contract`, `start` or `minimums`" };
            return Err(Error::from(twice).in_field("terms"));
        }
        let without = |missing: &'static str, is| {
            let field = if field == missing { "minimums" } else { field };
            Error::from(Wrong::Without { field, missing, is }).in_field(missing)
        };
        let contract = self.contract.ok_or_else(|| {
            without("contract", "aws_enterprise_discount, azure_macc, google_cloud_commit, oracle_annual_credits or yearly")
        })?;
        let start = self.start.ok_or_else(|| without("start", "the agreement's first day"))?;
        if self.minimums.is_empty() {
            return Err(without("minimums", "the amount of each contract year"));
        }
        if self.provider.is_none() {
            return Err(without("provider", "whose contract it is; an agreement over several providers says `terms` in full"));
        }
        contract.terms(&self.name, start, &self.minimums).map(Some).map_err(|error| wrong_terms(error, &self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;
    use test_case::test_case;

    const EXAMPLE: &str = include_str!("../../../data/agreements.toml");

    #[test]
    fn the_example_is_read_and_written_as_it_is() -> Result<()> {
        let read = Agreements::from_toml(EXAMPLE)?;
        assert_eq!(Agreements::from_json(&read.to_json())?, read);
        let [short, full] = read.offers() else { panic!("{read:?}") };
        assert_eq!(short.general_discount(), dec!(0.075));
        assert_eq!(short.discounts.fraction(Provider::Aws, "AmazonRDS", ChargeKind::OnDemand), dec!(0.1));
        let minimums = |offer: &OfferedAgreement| offer.terms.as_ref().unwrap().minimums();
        assert_eq!(minimums(short), [dec!(1500000), dec!(1575000), dec!(1650000)]);
        assert_eq!(short.terms.as_ref().unwrap().name, "AWS EDP/PPA");
        assert_eq!(minimums(full), [dec!(2000000), dec!(2000000)]);
        let [marketplace, support] = read.other_spend() else { panic!("{read:?}") };
        assert_eq!((marketplace.spend.gross, marketplace.spend.net), (dec!(320000), dec!(320000)));
        assert_eq!((support.spend.item.as_str(), support.spend.net), ("", dec!(90000)));
        let words: Vec<String> = read.clauses().iter().map(ToString::to_string).collect();
        assert!(words.len() == 8 && words[0] == "discount +1 points" && words[7] == "early renewal from year 2", "{words:?}");
        Ok(())
    }

    #[test]
    fn an_offer_alone_is_a_document_too() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let none = OfferedAgreement::none();
        assert_eq!(serde_json::to_string(&none)?, r#"{"name":"no agreement"}"#);
        assert_eq!(serde_json::from_str::<OfferedAgreement>(&serde_json::to_string(&none)?)?, none);
        // Over several providers every discount names its own.
        let text =
            r#"{"name": "all", "discounts": [{"provider": "aws", "fraction": 0.05}, {"provider": "gcp", "fraction": "0.04"}]}"#;
        let both: OfferedAgreement = serde_json::from_str(text)?;
        assert_eq!(both.discounts.fraction(Provider::Gcp, "Compute Engine", ChargeKind::OnDemand), dec!(0.04));
        assert_eq!(serde_json::from_str::<OfferedAgreement>(&serde_json::to_string(&both)?)?, both);
        let error = serde_json::from_str::<OfferedAgreement>(&text.replace("0.05", "1")).unwrap_err().to_string();
        assert!(error.contains("all") && error.contains("discounts.fraction"), "{error}");
        let other = OtherSpend {
            scenario: Some("high".into()),
            provider: Provider::Aws,
            spend: Spend {
                date: "2027-03-01".parse()?,
                kind: SpendKind::Support,
                item: String::new(),
                gross: dec!(9),
                net: dec!(8),
            },
        };
        assert_eq!(serde_json::from_str::<OtherSpend>(&serde_json::to_string(&other)?)?, other);
        Ok(())
    }

    #[test_case("covermix-agreements/1", "covermix-agreements/9", &["covermix-agreements/9", "`schema`"]; "another version")]
    #[test_case("minimums = [1500000, 1575000, 1650000]", "", &["1.5 M a year", "field `minimums`", "`contract` is given without"]; "no minimums")]
    #[test_case("contract = \"aws_enterprise_discount\"", "", &["1.5 M a year", "field `contract`", "azure_macc"]; "no contract")]
    #[test_case("start = \"2027-01-01\"\nminimums", "minimums", &["1.5 M a year", "field `start`", "first day"]; "no start")]
    #[test_case("provider = \"aws\"\ndiscount = 0.075", "", &["1.5 M a year", "field `provider`"]; "a contract of nobody")]
    #[test_case("provider = \"aws\"\ndiscounts", "discounts", &["Two of 2 M", "field `discounts`", "`provider`"]; "a discount of nobody")]
    #[test_case("discount = 0.075", "discount = 1.5", &["1.5 M a year", "1.5"]; "a discount above all")]
    #[test_case("fraction = 0.1 ", "fraction = 1 ", &["1.5 M a year", "`1`", "below 1"]; "a discount of all")]
    #[test_case("service = \"AmazonRDS\"", "", &["1.5 M a year", "`discount`", "discounts.service", "leave out"]; "two discounts on everything")]
    #[test_case("\"Two of 2 M\"", "\"1.5 M a year\"", &["1.5 M a year", "offers.name", "a name of its own|identifier of its own"]; "a name twice")]
    #[test_case("\"Two of 2 M\"", "\"\"", &["offers.name", "empty"]; "no name")]
    #[test_case("start = \"2027-01-01\"\nminimums", "begin = \"2027-01-01\"\nminimums", &["line ", "begin"]; "a field unknown")]
    #[test_case("minimum = 2000000", "least = 2000000", &["line ", "least"]; "a field unknown in terms")]
    #[test_case("minimum = 2000000", "minimum = -1", &["Two of 2 M", "terms", "zero or more"]; "a minimum below 0")]
    #[test_case("terms = {", "minimums = [1]\nterms = {", &["Two of 2 M", "`terms` stands beside"]; "short and full")]
    #[test_case("points = 0.01", "point = 0.01", &["line ", "point"]; "a field unknown in a clause")]
    #[test_case("kind = \"marketplace\"", "kind = \"market\"", &["line ", "market"]; "a kind unknown")]
    fn wrong_files_are_refused_by_name(from: &str, to: &str, words: &[&str]) {
        assert!(EXAMPLE.contains(from), "the example lacks {from}");
        let message = Agreements::from_toml(&EXAMPLE.replacen(from, to, 1)).unwrap_err().to_string();
        for word in words {
            assert!(word.split('|').any(|word| message.contains(word)), "`{word}` is not in: {message}");
        }
    }

    #[test]
    fn a_file_without_offers_is_refused() {
        let message = Agreements::from_json(r#"{"schema": "covermix-agreements/1", "offers": []}"#).unwrap_err().to_string();
        assert!(message.contains("field `offers`"), "{message}");
    }

    #[test]
    fn the_checked_in_schema_is_the_one_the_types_make() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/agreements.schema.json");
        let schema = serde_json::to_string_pretty(&Agreements::json_schema()).unwrap() + "\n";
        if std::env::var_os("COVERMIX_WRITE_SCHEMAS").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), schema, "run the test with COVERMIX_WRITE_SCHEMAS=1 to renew it");
    }
}
