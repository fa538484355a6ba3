//! Catalog, portfolio, policy and switches of the judge: read by the library, handed over as JSON in the library's formats.

use crate::error::Result;
use crate::run::detached;
use crate::usage::UsageCurves;
use chrono::NaiveDate;
use covermix::billing::Rules;
use covermix::catalog::azure::SizeFlexibility;
use covermix::catalog::{Catalog as Prices, CatalogBuilder, NegotiatedTerm, Offer};
use covermix::planning::Policy;
use covermix::portfolio::particulars::Particulars;
use covermix::portfolio::{Commitment, Portfolio as Commitments};
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

/// On-demand prices and offers.
#[pyclass(frozen, eq, module = "covermix._native")]
#[derive(PartialEq)]
pub(crate) struct Catalog(pub(crate) Arc<Prices>);

impl Catalog {
    fn new(prices: Prices) -> Self {
        Self(Arc::new(prices))
    }
}

#[pymethods]
impl Catalog {
    /// Reads price files of any known format into one catalog.
    #[staticmethod]
    #[pyo3(signature = (paths, regions=None, usage=None, dated=None, azure_size_flexibility=None))]
    fn read(
        py: Python<'_>,
        paths: Vec<PathBuf>,
        regions: Option<Vec<String>>,
        usage: Option<&UsageCurves>,
        dated: Option<NaiveDate>,
        azure_size_flexibility: Option<PathBuf>,
    ) -> Result<Self> {
        let read = || {
            let mut builder = CatalogBuilder::new();
            if let Some(table) = azure_size_flexibility {
                builder = builder.azure_size_flexibility(SizeFlexibility::read(table, dated)?);
            }
            if let Some(regions) = regions {
                builder = builder.regions(regions);
            }
            if let Some(usage) = usage {
                builder = builder.for_usage(&usage.0);
            }
            if let Some(day) = dated {
                builder = builder.dated(day);
            }
            let only = match paths.as_slice() {
                [only] => Some(only.clone()),
                _ => None,
            };
            for path in &paths {
                builder = builder.add(path)?;
            }
            builder.build().map_err(|error| match only {
                Some(path) => error.in_file(&path),
                None => error,
            })
        };
        detached(py, None, read).map(Self::new)
    }

    /// Reads a catalog from its JSON text, or from the text of any known format.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> Result<Self> {
        detached(py, None, || Prices::from_json(text)).map(Self::new)
    }

    /// The catalog as JSON.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// Writes the catalog's file.
    fn write(&self, py: Python<'_>, path: PathBuf) -> Result<()> {
        detached(py, None, || self.0.write(path))
    }

    /// The currency.
    fn currency(&self) -> String {
        self.0.currency().to_owned()
    }

    /// The day of the prices.
    fn price_date(&self) -> Option<NaiveDate> {
        self.0.price_date()
    }

    /// Where the prices come from.
    fn source(&self) -> String {
        self.0.source().to_owned()
    }

    /// The offers as a JSON list.
    fn offers(&self) -> Result<String> {
        Ok(serde_json::to_string(self.0.offers())?)
    }

    /// One offer as JSON.
    fn offer(&self, id: &str) -> Result<Option<String>> {
        Ok(self.0.offer(id).map(serde_json::to_string).transpose()?)
    }

    /// The on-demand prices as a JSON list.
    fn prices(&self) -> Result<String> {
        Ok(serde_json::to_string(self.0.prices())?)
    }

    /// How many prices and offers there are.
    fn size(&self) -> (usize, usize) {
        (self.0.prices().len(), self.0.offers().len())
    }

    /// For each usage line whether there is a price (spot and free usage needs none).
    fn knows(&self, usage: &UsageCurves) -> Vec<bool> {
        use covermix::usage::PricingCategory::Standard;
        usage.0.lines().iter().map(|line| line.pricing != Standard || self.0.price(&line.sku).is_some()).collect()
    }

    /// For each usage line its on-demand price; `None` where there is none.
    fn prices_of(&self, usage: &UsageCurves) -> Vec<Option<f64>> {
        usage.0.lines().iter().map(|line| self.0.price(&line.sku).map(|price| price.price.to_f64())).collect()
    }

    /// The part that can matter to this usage.
    fn relevant_to(&self, py: Python<'_>, usage: &UsageCurves) -> Self {
        py.detach(|| Self::new(self.0.relevant_to(&usage.0)))
    }

    /// The catalog at negotiated prices.
    fn negotiated(&self, terms: &str) -> Result<Self> {
        let terms: Vec<NegotiatedTerm> = serde_json::from_str(terms)?;
        Ok(Self::new(self.0.negotiated(&terms)?))
    }

    /// What checks of the prices found, in words.
    fn check(&self, py: Python<'_>) -> Vec<String> {
        py.detach(|| self.0.check().iter().map(ToString::to_string).collect())
    }

    /// What changed from this catalog to another, in words.
    fn difference(&self, py: Python<'_>, new: &Self) -> Vec<String> {
        py.detach(|| Prices::diff(&self.0, &new.0).iter().map(ToString::to_string).collect())
    }

    /// Entries of the source that were left out: item, reason, how many.
    fn rejected(&self) -> Vec<(String, String, u64)> {
        self.0.rejected().iter().map(|one| (one.item.clone(), format!("{:?}", one.reason), one.count)).collect()
    }
}

/// Commitments held.
#[pyclass(frozen, eq, module = "covermix._native")]
#[derive(PartialEq)]
pub(crate) struct Portfolio(pub(crate) Commitments);

#[pymethods]
impl Portfolio {
    /// Reads a portfolio file.
    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf, catalog: &Catalog) -> Result<Self> {
        detached(py, None, || Commitments::read(path, &catalog.0)).map(Self)
    }

    /// Reads a portfolio from its JSON text.
    #[staticmethod]
    fn from_json(text: &str, catalog: &Catalog) -> Result<Self> {
        Ok(Self(Commitments::from_json(text, &catalog.0)?))
    }

    /// A portfolio of offers, commitments and their particulars, each a JSON list.
    #[staticmethod]
    fn from_parts(offers: &str, commitments: &str, particulars: &str) -> Result<Self> {
        let offers: Vec<Offer> = serde_json::from_str(offers)?;
        let commitments: Vec<Commitment> = serde_json::from_str(commitments)?;
        let particulars: Vec<Particulars> = serde_json::from_str(particulars)?;
        Ok(Self(Commitments::new(offers, commitments)?.with_particulars(particulars)?))
    }

    /// The portfolio as JSON.
    fn to_json(&self, currency: &str) -> String {
        self.0.to_json(currency)
    }

    /// Writes the portfolio's file.
    fn write(&self, path: PathBuf, currency: &str) -> Result<()> {
        Ok(self.0.write(path, currency)?)
    }

    /// The commitments as a JSON list.
    fn commitments(&self) -> Result<String> {
        Ok(serde_json::to_string(self.0.commitments())?)
    }

    /// The offers that the portfolio brings along, as a JSON list.
    fn offers(&self) -> Result<String> {
        Ok(serde_json::to_string(self.0.offers())?)
    }

    /// The particulars of commitments that have any, as a JSON list.
    fn particulars(&self) -> Result<String> {
        Ok(serde_json::to_string(&self.0.particulars().values().collect::<Vec<_>>())?)
    }

    /// For each commitment the offer it was bought by and what all of it costs an hour, a JSON list.
    fn held(&self, catalog: &Catalog) -> Result<String> {
        let row = |commitment: &Commitment| -> covermix::Result<serde_json::Value> {
            let offer = self.0.offer(&catalog.0, commitment)?;
            let hourly = offer.effective_hourly() * commitment.quantity;
            Ok(serde_json::json!({"offer": offer, "hourly": hourly, "spend_plan": offer.is_spend_plan()}))
        };
        let rows: Vec<_> = self.0.commitments().iter().map(row).collect::<covermix::Result<_>>()?;
        Ok(serde_json::to_string(&rows)?)
    }
}

/// A policy given as JSON, checked, in full.
#[pyfunction]
pub(crate) fn check_policy(json: &str) -> Result<String> {
    let policy: Policy = serde_json::from_str(json)?;
    policy.check()?;
    Ok(serde_json::to_string(&policy)?)
}

/// A policy given as the text of a TOML file, as JSON.
#[pyfunction]
pub(crate) fn policy_from_toml(text: &str) -> Result<String> {
    let policy = Policy::from_toml(text)?;
    policy.check()?;
    Ok(serde_json::to_string(&policy)?)
}

/// Switches of the judge given as JSON, in full.
#[pyfunction]
pub(crate) fn check_rules(json: &str) -> Result<String> {
    let rules: Rules = serde_json::from_str(json)?;
    Ok(serde_json::to_string(&rules)?)
}
