//! Builds one catalog from several price files, in any order: on-demand prices from one, Savings Plan rates from another, spot prices
//! from a third. [`super::Catalog::read`] is this for one file.

use super::azure::SizeFlexibility;
use super::draft::Draft;
use super::format::{self, Format};
use super::{Catalog, Origin};
use crate::error::Result;
use crate::files;
use crate::usage::{Sku, UsageCurves};
use chrono::NaiveDate;
use std::collections::BTreeSet;
use std::io::{BufRead, Read};
use std::path::Path;

/// Reads price files into one catalog.
///
/// ```no_run
/// # fn main() -> covermix::Result<()> {
/// use covermix::catalog::CatalogBuilder;
/// let catalog = CatalogBuilder::new()
///     .regions(["eu-west-1"])
///     .add("AmazonEC2-eu-west-1.json")?
///     .add("AWSComputeSavingsPlan-eu-west-1.json")?
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct CatalogBuilder {
    draft: Draft,
    dated: Option<NaiveDate>,
}

impl CatalogBuilder {
    /// A builder without files, that takes everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Only these regions (and services without regions), in the words of [`Sku::region`]. For files added later.
    #[must_use]
    pub fn regions<T: Into<String>>(mut self, regions: impl IntoIterator<Item = T>) -> Self {
        self.draft.selection.regions = Some(regions.into_iter().map(Into::into).collect());
        self
    }

    /// Only what can matter to this usage: its SKUs and those that could share a pool with them (same provider, service, region and family).
    /// With it, a price list of any size is read in little memory. For files added later.
    #[must_use]
    pub fn for_usage(mut self, usage: &UsageCurves) -> Self {
        self.draft.selection.used = Some(usage.lines().iter().map(|line| used_key(&line.sku)).collect());
        self
    }

    /// The day on which the prices of files added later were valid, for those that do not say it themselves.
    #[must_use]
    pub fn dated(mut self, day: NaiveDate) -> Self {
        self.dated = Some(day);
        self
    }

    /// With this table of Azure sizes and ratios, for all Azure prices of the catalog: tables are never mixed. Without one, an Azure
    /// reservation covers its exact size alone.
    #[must_use]
    pub fn azure_size_flexibility(mut self, table: SizeFlexibility) -> Self {
        self.draft.azure.size_flexibility = Some(table);
        self
    }

    /// Reads a file of any known format, plain or gzip. Pages of one answer (Azure Retail Prices, Cloud Billing Catalog) are joined when
    /// the catalog is built, so that a reservation may stand on another page than what it reserves; the last page must be there.
    ///
    /// # Errors
    /// Not a file, empty, of no known format; what the format's reader finds wrong, with file, line and item.
    #[allow(clippy::should_implement_trait)] // adds a file, as `Command::arg` adds an argument
    pub fn add(mut self, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let mut file = files::open(path, "price")?;
        self.read(&mut *file).map_err(|error| error.in_file(path))?;
        Ok(self)
    }

    /// Reads a document of any known format from its text.
    ///
    /// # Errors
    /// As [`CatalogBuilder::add`], without the file's name.
    pub fn add_text(mut self, text: &str) -> Result<Self> {
        self.read(&mut text.as_bytes())?;
        Ok(self)
    }

    /// The catalog of all that was read.
    ///
    /// # Errors
    /// [`crate::Problem::Empty`] if no price was read, and all of [`Catalog::new`].
    pub fn build(self) -> Result<Catalog> {
        self.draft.finish()
    }

    fn read(&mut self, input: &mut dyn BufRead) -> Result<Format> {
        let mut head = Vec::with_capacity(format::HEAD);
        input
            .take(format::HEAD as u64)
            .read_to_end(&mut head)
            .map_err(|error| crate::Error::from(crate::Problem::InputOutput).caused_by(error))?;
        let format = format::recognise(&head)?;
        let mut whole = head.chain(input);
        self.draft.origin = Origin { source: String::new(), price_date: self.dated };
        format::read(format, &mut whole, &mut self.draft)?;
        Ok(format)
    }
}

/// What of the files is wanted.
#[derive(Debug, Default)]
pub(super) struct Selection {
    regions: Option<BTreeSet<String>>,
    /// Provider, service, region and family of used SKUs.
    used: Option<BTreeSet<[String; 4]>>,
}

impl Selection {
    /// Whether a SKU is wanted.
    pub(super) fn takes(&self, sku: &Sku) -> bool {
        self.takes_region(&sku.region) && self.used.as_ref().is_none_or(|used| used.contains(&used_key(sku)))
    }

    /// Whether anything of a region may be wanted.
    pub(super) fn takes_region(&self, region: &str) -> bool {
        region.is_empty()
            || (self.regions.as_ref().is_none_or(|regions| regions.contains(region))
                && self.used.as_ref().is_none_or(|used| used.iter().any(|[_, _, used, _]| used == region || used.is_empty())))
    }
}

/// SKUs of one pool have one key: of names with sizes, the part before the size.
fn used_key(sku: &Sku) -> [String; 4] {
    let family = super::family_of(&sku.sku);
    [sku.provider.to_string(), sku.service.clone(), sku.region.clone(), family]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::aws::instance_sku;

    #[test]
    fn a_selection_keeps_what_can_share_a_pool() {
        let used = BTreeSet::from([used_key(&instance_sku("us-east-1", "m5.large", "Linux", "shared"))]);
        let selection = Selection { regions: None, used: Some(used) };
        assert!(selection.takes(&instance_sku("us-east-1", "m5.xlarge", "Windows", "shared")));
        assert!(!selection.takes(&instance_sku("us-east-1", "m5d.xlarge", "Linux", "shared")));
        assert!(!selection.takes(&instance_sku("us-east-2", "m5.large", "Linux", "shared")));
    }
}
