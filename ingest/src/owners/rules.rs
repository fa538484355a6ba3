//! The rule file: reading it, and which owner a row has.

use crate::error::{Error, Result};
use regex::Regex;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Rules that give every row an owner.
#[derive(Clone, Debug)]
pub struct OwnerRules {
    pub(super) rules: Vec<Rule>,
    pub(super) shared: Vec<Shared>,
}

/// One rule: all its expressions must fit.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    owner: String,
    /// Over a field, or over a tag.
    tests: Vec<(Subject, Regex)>,
}

/// What an expression looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    Field(Field),
    Tag(String),
}

/// The fields of a row that rules may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Account,
    Service,
    Region,
    Resource,
}

/// An owner whose cost is divided among others.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) owner: String,
    pub(super) split: Split,
    pub(super) among: Vec<String>,
}

/// How shared cost is divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Split {
    /// By what each owner has of its own.
    Proportional,
    /// In equal parts.
    Even,
    /// By these weights.
    Fixed(BTreeMap<String, Decimal>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    #[serde(default)]
    rule: Vec<RuleEntry>,
    #[serde(default)]
    shared: Vec<SharedEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    owner: String,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    service: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    resource: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SharedEntry {
    owner: String,
    split: SplitEntry,
    #[serde(default)]
    among: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SplitEntry {
    Named(String),
    Fixed(BTreeMap<String, f64>),
}

/// What a row says about itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) account: &'a str,
    pub(super) service: &'a str,
    pub(super) region: &'a str,
    pub(super) resource: &'a str,
    /// Values of the tags that the session reads, in its order.
    pub(super) tags: &'a [(&'a str, &'a str)],
}

impl OwnerRules {
    /// Reads a rule file.
    ///
    /// # Errors
    /// The file cannot be read, or as [`OwnerRules::from_toml`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| Error::input_output(path, error))?;
        Self::from_toml(&text)
    }

    /// Rules from TOML; see the module's documentation.
    ///
    /// # Errors
    /// [`Error::Owners`] for text that is no TOML, an unknown key, an expression that is none, a rule that looks at nothing, a split that is
    /// unknown or among nobody.
    pub fn from_toml(text: &str) -> Result<Self> {
        let file: RuleFile =
            toml::from_str(text).map_err(|error| Error::Owners { rule: None, problem: error.to_string().trim().to_owned() })?;
        let rules = file.rule.into_iter().enumerate().map(|(index, entry)| rule(index, entry)).collect::<Result<Vec<_>>>()?;
        let shared = file.shared.into_iter().map(share).collect::<Result<Vec<_>>>()?;
        let mut owners = BTreeSet::new();
        if let Some(twice) = shared.iter().find(|shared| !owners.insert(shared.owner.as_str())) {
            return Err(Error::Owners { rule: Some(twice.owner.clone()), problem: "its cost is shared twice".into() });
        }
        Ok(Self { rules, shared })
    }

    /// The tags that the rules look at; give them as [`Options::tag_keys`](crate::Options::tag_keys).
    #[must_use]
    pub fn tag_keys(&self) -> Vec<String> {
        let tests = self.rules.iter().flat_map(|rule| &rule.tests);
        let keys: BTreeSet<String> = tests
            .filter_map(|(subject, _)| match subject {
                Subject::Tag(key) => Some(key.clone()),
                Subject::Field(_) => None,
            })
            .collect();
        keys.into_iter().collect()
    }

    /// The owner of a row; `None` if no rule fits.
    pub(super) fn owner(&self, facts: Facts<'_>) -> Option<String> {
        self.rules.iter().find_map(|rule| rule.owner(facts))
    }
}

impl Rule {
    fn owner(&self, facts: Facts<'_>) -> Option<String> {
        let mut owner = self.owner.clone();
        for (subject, expression) in &self.tests {
            let value = match subject {
                Subject::Field(Field::Account) => facts.account,
                Subject::Field(Field::Service) => facts.service,
                Subject::Field(Field::Region) => facts.region,
                Subject::Field(Field::Resource) => facts.resource,
                Subject::Tag(key) => facts.tags.iter().find(|(known, _)| known == key).map_or("", |(_, value)| *value),
            };
            let groups = expression.captures(value)?;
            if groups.len() > 1 && self.owner.contains('$') {
                owner.clear();
                groups.expand(&self.owner, &mut owner);
            }
        }
        Some(owner)
    }
}

fn rule(index: usize, entry: RuleEntry) -> Result<Rule> {
    let name = format!("{} ({})", index + 1, entry.owner);
    let wrong = |problem: String| Error::Owners { rule: Some(name.clone()), problem };
    if entry.owner.trim().is_empty() {
        return Err(wrong("it names no owner".into()));
    }
    let fields = [
        (Field::Account, entry.account),
        (Field::Service, entry.service),
        (Field::Region, entry.region),
        (Field::Resource, entry.resource),
    ];
    let mut tests = Vec::new();
    let given = fields.into_iter().filter_map(|(field, text)| Some((Subject::Field(field), text?)));
    for (subject, text) in given.chain(entry.tags.into_iter().map(|(key, text)| (Subject::Tag(key), text))) {
        let expression = Regex::new(&text).map_err(|error| wrong(format!("`{text}` is no regular expression: {error}")))?;
        tests.push((subject, expression));
    }
    if tests.is_empty() {
        return Err(wrong("it looks at nothing; give `account`, `service`, `region`, `resource` or `tags`".into()));
    }
    Ok(Rule { owner: entry.owner, tests })
}

fn share(entry: SharedEntry) -> Result<Shared> {
    let wrong = |problem: &str| Error::Owners { rule: Some(format!("shared {}", entry.owner)), problem: problem.into() };
    let split = match &entry.split {
        SplitEntry::Named(name) if name == "proportional" => Split::Proportional,
        SplitEntry::Named(name) if name == "even" => Split::Even,
        SplitEntry::Named(_) => return Err(wrong("`split` is `proportional`, `even` or a table of weights")),
        SplitEntry::Fixed(weights) => {
            let weights: Option<BTreeMap<String, Decimal>> = weights
                .iter()
                .map(|(owner, weight)| {
                    let weight = covermix::units::to_decimal(*weight).filter(|weight| *weight >= Decimal::ZERO)?;
                    Some((owner.clone(), weight))
                })
                .collect();
            let weights = weights.filter(|weights| weights.values().any(|weight| *weight > Decimal::ZERO));
            Split::Fixed(weights.ok_or_else(|| wrong("weights are numbers of 0 or more, and not all 0"))?)
        }
    };
    let among = match &split {
        Split::Fixed(weights) => weights.keys().cloned().collect(),
        Split::Proportional | Split::Even => entry.among.clone(),
    };
    if among.is_empty() || among.iter().any(|owner| is_within(owner, &entry.owner)) {
        return Err(wrong("it is shared among nobody, or with itself"));
    }
    Ok(Shared { owner: entry.owner, split, among })
}

/// Whether an owner is another, or below it in the hierarchy.
pub(super) fn is_within(owner: &str, other: &str) -> bool {
    owner.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        [[rule]]
        owner = "shop/checkout"
        tags.team = "^checkout$"
        [[rule]]
        owner = "data/$1"
        account = "^data-(.*)$"
        [[rule]]
        owner = "platform"
        service = "EC2"
        region = "^us-"
        [[shared]]
        owner = "platform"
        split = { shop = 3, data = 1 }
    "#;

    #[test]
    fn the_first_rule_that_fits_gives_the_owner() {
        let rules = OwnerRules::from_toml(RULES).unwrap();
        let owner = |account, service, region, team| {
            rules.owner(Facts { account, service, region, resource: "", tags: &[("team", team)] })
        };
        assert_eq!(owner("data-lake", "", "", "checkout").as_deref(), Some("shop/checkout"));
        assert_eq!(owner("data-lake", "", "", "").as_deref(), Some("data/lake"));
        assert_eq!(owner("1", "AmazonEC2", "us-east-1", "").as_deref(), Some("platform"));
        assert_eq!(owner("1", "AmazonEC2", "eu-west-1", ""), None);
        assert_eq!(rules.tag_keys(), ["team"]);
    }

    #[test]
    fn rules_that_are_wrong_say_so() {
        for (text, part) in [
            ("rule = 3", "expected"),
            ("[[rule]]\nowner = 'a'", "looks at nothing"),
            ("[[rule]]\nowner = 'a'\naccount = '('", "no regular expression"),
            ("[[rule]]\nowner = ''\naccount = 'a'", "no owner"),
            ("[[rule]]\nowner = 'a'\nacount = 'a'", "unknown field"),
            ("[[shared]]\nowner = 'a'\nsplit = 'even'", "among nobody"),
            ("[[shared]]\nowner = 'a'\nsplit = 'odd'\namong = ['b']", "proportional"),
            ("[[shared]]\nowner = 'a'\nsplit = { b = -1.0 }", "weights"),
            ("[[shared]]\nowner = 'a'\nsplit = 'even'\namong = ['a/b']", "with itself"),
        ] {
            let message = OwnerRules::from_toml(text).unwrap_err().to_string();
            assert!(message.contains(part) && message.contains("; "), "{text}: {message}");
        }
    }
}
