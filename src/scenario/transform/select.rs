//! Which usage lines a transform changes.

use crate::error::{Error, Problem, Result};
use crate::usage::pattern::fits;
use crate::usage::{Provider, Sku, UsageCurves, UsageLine};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A selection of usage lines: all that is given must fit. A text may contain `*` for any characters; nothing given takes every line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Select {
    /// The provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// The service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The type: `m5.*` is a family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// Operating system, engine or licence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Account, subscription or project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Tags and their values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl Select {
    /// Whether it takes a line.
    #[must_use]
    pub fn takes(&self, line: &UsageLine) -> bool {
        self.takes_sku(&line.sku)
            && allows(self.account.as_ref(), &line.account)
            && self.tags.iter().all(|(key, value)| line.tags.get(key).is_some_and(|text| fits(value, text)))
    }

    /// Whether it takes a SKU, whosever it is.
    #[must_use]
    pub fn takes_sku(&self, sku: &Sku) -> bool {
        self.provider.is_none_or(|provider| provider == sku.provider)
            && allows(self.service.as_ref(), &sku.service)
            && allows(self.region.as_ref(), &sku.region)
            && allows(self.sku.as_ref(), &sku.sku)
            && allows(self.platform.as_ref(), &sku.platform)
    }

    /// The columns it takes: at least one.
    pub(in crate::scenario) fn columns(&self, usage: &UsageCurves) -> Result<Vec<usize>> {
        let columns: Vec<usize> = (0..usage.lines().len()).filter(|column| self.takes(&usage.lines()[*column])).collect();
        if columns.is_empty() {
            return Err(Error::from(Problem::SelectsNothing { selection: self.to_string() }).in_field("select"));
        }
        Ok(columns)
    }
}

impl fmt::Display for Select {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.provider.iter().map(|provider| format!("provider {provider}")).collect();
        for (name, text) in [
            ("service", &self.service),
            ("region", &self.region),
            ("sku", &self.sku),
            ("platform", &self.platform),
            ("account", &self.account),
        ] {
            parts.extend(text.iter().map(|text| format!("{name} {text}")));
        }
        parts.extend(self.tags.iter().map(|(key, value)| format!("tag {key}={value}")));
        if parts.is_empty() { f.write_str("of every line") } else { f.write_str(&parts.join(", ")) }
    }
}

/// Whether a name fits a pattern, if there is one.
fn allows(pattern: Option<&String>, name: &str) -> bool {
    pattern.is_none_or(|pattern| fits(pattern, name))
}
