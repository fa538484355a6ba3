//! Patterns over names, the same wherever names are selected: in policies, scenarios and the conditions of providers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A name, or a pattern in which `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Pattern(pub String);

impl Pattern {
    /// Whether a name fits the pattern.
    ///
    /// ```
    /// use covermix::usage::Pattern;
    /// assert!(Pattern("m4.*".into()).matches("m4.large"));
    /// assert!(!Pattern("m4.large".into()).matches("m4.xlarge"));
    /// ```
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        fits(&self.0, name)
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Whether a name fits a pattern.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut tail) = name.strip_prefix(start) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let end = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match tail.find(piece) {
            Some(at) => tail = &tail[at + piece.len()..],
            None => return false,
        }
    }
    tail.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("m5.*", "m5.large", true)]
    #[test_case("m5.*", "m5d.large", false)]
    #[test_case("*large", "m5.xlarge", true)]
    #[test_case("m5.large", "m5.large", true)]
    #[test_case("m5", "m5.large", false)]
    #[test_case("*", "", true)]
    #[test_case("a*b*c", "aXbYc", true)]
    #[test_case("a*a", "a", false)]
    #[test_case("a*b*c", "axxbyy", false)]
    #[test_case("n2 *", "n2d vcpu", false)]
    fn stars_stand_for_any_characters(pattern: &str, name: &str, expected: bool) {
        assert_eq!(fits(pattern, name), expected);
    }
}
