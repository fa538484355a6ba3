//! What the buyer allows: named rules, each with its formula in `docs/formulation.md`, "Policy".

mod rules;

pub use rules::{Migration, Selection, ShareRule};

use crate::catalog::{Offer, PaymentOption, Right};
use crate::error::{Error, Problem, Result};
use crate::files;
use crate::time::Month;
use crate::units::{Money, MoneyPerHour, Units, decimal_schema};
use crate::usage::Pattern;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The rules a plan keeps. The default allows everything the catalog offers.
///
/// Shares are of the new commitments' effective hourly cost (upfront spread over the term, plus recurring).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Terms that may be bought, in months (12, 36); all if empty.
    pub terms: BTreeSet<u32>,
    /// Payment options that may be bought; all if empty.
    pub payment_options: BTreeSet<PaymentOption>,
    /// Rights that every commitment bought must carry (`exchange` allows only convertible Reserved Instances, say).
    pub required_rights: BTreeSet<Right>,
    /// Offers that may be bought; all if empty.
    pub allowed_offers: Vec<Pattern>,
    /// Offers that may not be bought.
    pub forbidden_offers: Vec<Pattern>,
    /// Purchases that are made whatever the optimum is, by offer: exactly this quantity, on the first purchase date.
    pub fixed: BTreeMap<String, Units>,
    /// The most that may be paid upfront for all purchases together.
    pub upfront_budget: Option<Money>,
    /// The most that may be paid upfront in a quarter, by quarter (`2027-Q1`).
    pub upfront_budget_by_quarter: BTreeMap<String, Money>,
    /// The most that all commitments, held and new, may still cost until their ends, at any time (lock-in): effective hourly cost x hours
    /// left.
    pub max_remaining_obligation: Option<Money>,
    /// The largest share of three-year (or longer) commitments, from 0 to 1.
    pub max_share_three_year: Option<f64>,
    /// Shares of other selections of offers.
    pub shares: Vec<ShareRule>,
    /// The least utilisation of every commitment bought, in every scenario, from 0 to 1.
    pub min_utilisation: Option<f64>,
    /// The most of the usage, at on-demand prices, that commitments may cover in a scenario, from 0 to 1.
    pub max_coverage: Option<f64>,
    /// The least of the usage, at on-demand prices, that commitments must cover in a scenario, from 0 to 1.
    pub min_coverage: Option<f64>,
    /// Families or regions that will be left: what only they use must end before.
    pub migrations: Vec<Migration>,
    /// The most that may be bought in a calendar month, in effective cost an hour (a tranche).
    pub max_purchase_per_month: Option<MoneyPerHour>,
    /// The least number of days between two dates on which something is bought.
    pub min_days_between_purchases: Option<u32>,
    /// The most, held and new, that may expire in a calendar month, in effective cost an hour (a ladder). Where what is held exceeds it
    /// alone, nothing new may expire in that month.
    pub max_expiring_per_month: Option<MoneyPerHour>,
    /// Quantities come in multiples of this, by offer pattern (the first that matches).
    pub lots: Vec<(Pattern, Units)>,
    /// The least that a purchase may cost over its term.
    pub min_ticket: Option<Money>,
    /// The most different purchases (offer and date).
    pub max_purchases: Option<u32>,
    /// Whether one product (same coverage and term) may be bought with several payment options.
    pub payment_options_per_product: PaymentOptions,
    /// The step in which money an hour of a spend plan is bought.
    #[serde(with = "rust_decimal::serde::str")]
    #[schemars(schema_with = "decimal_schema")]
    pub spend_plan_increment: Decimal,
}

/// With how many payment options one product may be bought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentOptions {
    /// Any mix.
    #[default]
    Mixed,
    /// One for each product.
    One,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            terms: BTreeSet::new(),
            payment_options: BTreeSet::new(),
            required_rights: BTreeSet::new(),
            allowed_offers: Vec::new(),
            forbidden_offers: Vec::new(),
            fixed: BTreeMap::new(),
            upfront_budget: None,
            upfront_budget_by_quarter: BTreeMap::new(),
            max_remaining_obligation: None,
            max_share_three_year: None,
            shares: Vec::new(),
            min_utilisation: None,
            max_coverage: None,
            min_coverage: None,
            migrations: Vec::new(),
            max_purchase_per_month: None,
            min_days_between_purchases: None,
            max_expiring_per_month: None,
            lots: Vec::new(),
            min_ticket: None,
            max_purchases: None,
            payment_options_per_product: PaymentOptions::Mixed,
            spend_plan_increment: Decimal::new(1, 2),
        }
    }
}

impl Policy {
    /// Reads a policy file: TOML, or JSON if the name ends in `.json`. What it does not mention keeps its default.
    ///
    /// # Errors
    /// Not a file, empty, another shape, a field this version does not know, a value out of range; with file and line.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = files::read_text(path, "policy")?;
        let policy =
            if files::is_json(path) { files::parse_json(&text, "a covermix policy (JSON)") } else { Self::from_toml(&text) };
        let policy = policy.map_err(|error| error.in_file(path))?;
        policy.check().map_err(|error| error.in_file(path))?;
        Ok(policy)
    }

    /// Reads a policy from the text of a TOML file.
    ///
    /// # Errors
    /// [`Problem::Malformed`] with the line.
    pub fn from_toml(text: &str) -> Result<Self> {
        files::parse_toml(text, "a covermix policy (TOML)")
    }

    /// The JSON Schema of policy files, as in `data/policy.schema.json`.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }

    /// Allows at most this share of the new commitments' hourly cost to run for three years or longer.
    #[must_use]
    pub fn max_share_three_year(mut self, share: f64) -> Self {
        self.max_share_three_year = Some(share);
        self
    }

    /// Allows at most this much to be paid upfront.
    #[must_use]
    pub fn upfront_budget(mut self, budget: Money) -> Self {
        self.upfront_budget = Some(budget);
        self
    }

    /// Whether an offer may be bought.
    #[must_use]
    pub fn allows(&self, offer: &Offer) -> bool {
        let matches = |pattern: &Pattern| pattern.matches(&offer.id);
        (self.terms.is_empty() || self.terms.contains(&offer.term.nominal_months()))
            && (self.payment_options.is_empty() || self.payment_options.contains(&offer.payment_option))
            && self.required_rights.is_subset(&offer.rights)
            && (self.allowed_offers.is_empty() || self.allowed_offers.iter().any(matches))
            && !self.forbidden_offers.iter().any(matches)
            || self.fixed.contains_key(&offer.id)
    }

    /// # Errors
    /// [`Problem::OutOfRange`] for a share outside of 0 to 1, a negative budget, an increment or a lot that is not above 0, a minimum above its
    /// maximum; [`Problem::Value`] for a quarter that is not written `2027-Q1`.
    pub fn check(&self) -> Result<()> {
        let wrong = |field: &str, value: String, range| Err(Error::from(Problem::OutOfRange { value, range }).in_field(field));
        let fractions = [
            ("max_share_three_year", self.max_share_three_year),
            ("min_utilisation", self.min_utilisation),
            ("max_coverage", self.max_coverage),
            ("min_coverage", self.min_coverage),
        ];
        let of_shares = self.shares.iter().flat_map(|rule| [("shares.minimum", rule.minimum), ("shares.maximum", rule.maximum)]);
        for (field, value) in fractions.into_iter().chain(of_shares) {
            if let Some(value) = value.filter(|value| !(0.0..=1.0).contains(value)) {
                return wrong(field, value.to_string(), "0 to 1");
            }
        }
        for rule in &self.shares {
            if let (Some(minimum), Some(maximum)) = (rule.minimum, rule.maximum)
                && minimum > maximum
            {
                return wrong("shares.minimum", minimum.to_string(), "no more than the maximum");
            }
        }
        let money = [
            ("upfront_budget", self.upfront_budget),
            ("max_remaining_obligation", self.max_remaining_obligation),
            ("min_ticket", self.min_ticket),
        ];
        let of_quarters = self.upfront_budget_by_quarter.values().map(|budget| ("upfront_budget_by_quarter", Some(*budget)));
        let of_migrations = self.migrations.iter().map(|rule| ("migrations.max_stranded", Some(rule.max_stranded)));
        for (field, value) in money.into_iter().chain(of_quarters).chain(of_migrations) {
            if let Some(value) = value.filter(|value| *value < Money::ZERO) {
                return wrong(field, value.to_string(), "0 or more");
            }
        }
        let hourly =
            [("max_purchase_per_month", self.max_purchase_per_month), ("max_expiring_per_month", self.max_expiring_per_month)];
        for (field, value) in hourly {
            if let Some(value) = value.filter(|value| *value < MoneyPerHour::ZERO) {
                return wrong(field, value.to_string(), "0 or more");
            }
        }
        for quarter in self.upfront_budget_by_quarter.keys() {
            if !is_quarter(quarter) {
                let problem = Problem::Value { value: quarter.clone(), expected: "a quarter such as `2027-Q1`" };
                return Err(Error::from(problem).in_field("upfront_budget_by_quarter"));
            }
        }
        for (offer, quantity) in &self.fixed {
            if *quantity < Units::ZERO {
                return wrong("fixed", quantity.to_string(), "0 or more").map_err(|error| error.in_item(offer.clone()));
            }
        }
        let steps = self.lots.iter().map(|(_, lot)| ("lots", lot.value()));
        for (field, step) in steps.chain([("spend_plan_increment", self.spend_plan_increment)]) {
            if step <= Decimal::ZERO {
                return wrong(field, step.to_string(), "amounts above 0");
            }
        }
        Ok(())
    }
}

/// The quarter of a month, as `2027-Q1`.
pub(crate) fn quarter(month: Month) -> String {
    use chrono::Datelike;
    let start = month.start();
    format!("{}-Q{}", start.year(), start.month0().div_euclid(3) + 1)
}

fn is_quarter(text: &str) -> bool {
    let parts = text.split_once("-Q");
    parts.is_some_and(|(year, quarter)| year.len() == 4 && year.parse::<u16>().is_ok() && ["1", "2", "3", "4"].contains(&quarter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test]
    fn a_policy_file_names_only_what_it_changes() {
        let policy = Policy::from_toml("terms = [12]\nupfront_budget = \"250000\"\nmax_share_three_year = 0.4\n").unwrap();
        assert_eq!(policy.terms, BTreeSet::from([12]));
        assert_eq!(policy.spend_plan_increment, Decimal::new(1, 2));
    }

    #[test]
    fn the_checked_in_schema_is_the_one_the_types_make() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/policy.schema.json");
        let schema = serde_json::to_string_pretty(&Policy::json_schema()).unwrap() + "\n";
        if std::env::var_os("COVERMIX_WRITE_SCHEMAS").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), schema, "run the test with COVERMIX_WRITE_SCHEMAS=1 to renew it");
    }

    #[test]
    fn every_rule_can_be_written_by_hand() {
        let text = r#"
            terms = [12, 36]
            payment_options = ["no_upfront", "partial_upfront"]
            allowed_offers = ["sp-*"]
            fixed = { "ri-1" = "4" }
            upfront_budget_by_quarter = { "2027-Q1" = "100000" }
            max_remaining_obligation = "2500000"
            shares = [{ of = { rights = ["exchange"] }, minimum = 0.25 }, { of = { providers = ["aws"] }, maximum = 0.7 }]
            min_utilisation = 0.95
            max_coverage = 0.8
            migrations = [{ skus = ["m4.*"], leave = "2027-06-30" }]
            max_purchase_per_month = "40"
            min_days_between_purchases = 14
            max_expiring_per_month = "60"
            lots = [["slots-*", "100"]]
            min_ticket = "1000"
            max_purchases = 12
            payment_options_per_product = "one"
        "#;
        let policy = Policy::from_toml(text).unwrap();
        policy.check().unwrap();
        assert_eq!(policy.migrations[0].max_stranded, Money::ZERO);
        let json = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
    }

    #[test_case("\ncolour = 1\n", "line 2")]
    #[test_case("terms = 12\n", "line 1")]
    #[test_case("terms = [12]\nupfront_budget = [1]\n", "line 2")]
    fn wrong_policies_are_refused_with_their_line(text: &str, place: &str) {
        let message = Policy::from_toml(text).unwrap_err().to_string();
        assert!(message.contains(place), "{message}");
    }

    #[test_case("max_share_three_year = 1.5")]
    #[test_case("upfront_budget = \"-1\"")]
    #[test_case("spend_plan_increment = \"0\"")]
    #[test_case("min_utilisation = -0.1")]
    #[test_case("shares = [{ of = {}, minimum = 0.5, maximum = 0.4 }]")]
    #[test_case("upfront_budget_by_quarter = { \"2027-Q5\" = \"1\" }")]
    #[test_case("lots = [[\"*\", \"0\"]]")]
    #[test_case("fixed = { \"ri\" = \"-1\" }")]
    fn values_out_of_range_are_refused(text: &str) {
        assert!(Policy::from_toml(text).unwrap().check().is_err());
    }
}
