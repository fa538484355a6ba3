//! What the buyer allows.

use crate::catalog::{Offer, PaymentOption, Right};
use crate::error::{Error, Problem, Result};
use crate::units::{Money, decimal_schema};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// The rules a plan keeps. The default allows everything the catalog offers. Formulas: `docs/formulation.md`, "Policy".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Terms that may be bought, in months (12, 36); all if empty.
    pub terms: BTreeSet<u32>,
    /// Payment options that may be bought; all if empty.
    pub payment_options: BTreeSet<PaymentOption>,
    /// Rights that every commitment bought must carry (`exchange` allows only convertible Reserved Instances, say).
    pub required_rights: BTreeSet<Right>,
    /// Offers that may be bought: identifiers, or beginnings of them ending in `*`; all if empty.
    pub allowed_offers: Vec<String>,
    /// Offers that may not be bought: identifiers, or beginnings of them ending in `*`.
    pub forbidden_offers: Vec<String>,
    /// The most that may be paid upfront for all purchases together.
    pub upfront_budget: Option<Money>,
    /// The largest share of the new commitments' hourly cost that may run for three years or longer, from 0 to 1.
    pub max_share_three_year: Option<f64>,
    /// The step in which money an hour of a spend plan is bought.
    #[serde(with = "rust_decimal::serde::str")]
    #[schemars(schema_with = "decimal_schema")]
    pub spend_plan_increment: Decimal,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            terms: BTreeSet::new(),
            payment_options: BTreeSet::new(),
            required_rights: BTreeSet::new(),
            allowed_offers: Vec::new(),
            forbidden_offers: Vec::new(),
            upfront_budget: None,
            max_share_three_year: None,
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
        let mut text = String::new();
        let mut file = crate::files::open(path, "policy")?;
        std::io::Read::read_to_string(&mut file, &mut text).map_err(|error| crate::files::input_output(path, error))?;
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        let policy = if is_json { crate::files::parse_json(&text, "a covermix policy (JSON)") } else { Self::from_toml(&text) };
        let policy = policy.map_err(|error| error.in_file(path))?;
        policy.check().map_err(|error| error.in_file(path))?;
        Ok(policy)
    }

    /// Reads a policy from the text of a TOML file.
    ///
    /// # Errors
    /// [`Problem::Malformed`] with the line.
    pub fn from_toml(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() as u64 + 1);
            let problem = Error::from(Problem::Malformed { expected: "a covermix policy (TOML)" }).caused_by(error);
            match line {
                Some(line) => problem.at_line(line),
                None => problem,
            }
        })
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
        let matches = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => offer.id.starts_with(start),
            None => offer.id == *pattern,
        };
        (self.terms.is_empty() || self.terms.contains(&offer.term.nominal_months()))
            && (self.payment_options.is_empty() || self.payment_options.contains(&offer.payment_option))
            && self.required_rights.is_subset(&offer.rights)
            && (self.allowed_offers.is_empty() || self.allowed_offers.iter().any(matches))
            && !self.forbidden_offers.iter().any(matches)
    }

    /// # Errors
    /// [`Problem::OutOfRange`] for a share outside of 0 to 1, a negative budget, an increment that is not above 0.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong = |field: &str, value: String, range| Err(Error::from(Problem::OutOfRange { value, range }).in_field(field));
        if let Some(share) = self.max_share_three_year.filter(|share| !(0.0..=1.0).contains(share)) {
            return wrong("max_share_three_year", share.to_string(), "0 to 1");
        }
        if let Some(budget) = self.upfront_budget.filter(|budget| *budget < Money::ZERO) {
            return wrong("upfront_budget", budget.to_string(), "0 or more");
        }
        if self.spend_plan_increment <= Decimal::ZERO {
            return wrong("spend_plan_increment", self.spend_plan_increment.to_string(), "amounts above 0");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_policy_file_names_only_what_it_changes() {
        let policy = Policy::from_toml("terms = [12]\nupfront_budget = \"250000\"\nmax_share_three_year = 0.4\n").unwrap();
        assert_eq!(policy.terms, BTreeSet::from([12]));
        assert_eq!(policy.spend_plan_increment, Decimal::new(1, 2));
    }

    #[rstest]
    #[case("\ncolour = 1\n", "line 2")]
    #[case("terms = 12\n", "line 1")]
    #[case("terms = [12]\nupfront_budget = [1]\n", "line 2")]
    fn wrong_policies_are_refused_with_their_line(#[case] text: &str, #[case] place: &str) {
        let message = Policy::from_toml(text).unwrap_err().to_string();
        assert!(message.contains(place), "{message}");
    }

    #[test]
    fn values_out_of_range_are_refused() {
        assert!(Policy::default().max_share_three_year(1.5).check().is_err());
        assert!(Policy::default().upfront_budget(Money::new(Decimal::NEGATIVE_ONE)).check().is_err());
        assert!(Policy { spend_plan_increment: Decimal::ZERO, ..Policy::default() }.check().is_err());
    }
}
