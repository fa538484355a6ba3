//! What a problem was made of, to be read by whoever reports on it.

use super::problem::Problem;
use crate::billing::Rules;
use crate::catalog::Catalog;
use crate::portfolio::Portfolio;
use crate::usage::UsageCurves;

impl<'a> Problem<'a> {
    /// The catalog.
    #[must_use]
    pub fn catalog(&self) -> &'a Catalog {
        self.catalog
    }

    /// What is held already.
    #[must_use]
    pub fn portfolio(&self) -> &Portfolio {
        &self.portfolio
    }

    /// The switches of the providers' rules.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether purchases have dates; otherwise the usage is a steady state.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        self.timing.is_dated()
    }

    /// The usage of each scenario, in the order of [`Problem::scenarios`]; the first stands for the others where only one is shown.
    pub fn usages(&self) -> impl ExactSizeIterator<Item = &'a UsageCurves> {
        self.scenarios.iter().map(|scenario| scenario.usage)
    }
}
