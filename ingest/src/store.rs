//! Object stores: `s3://`, `gs://`, `az://` and `abfss://`, `https://`. Each is behind a feature of the crate (`s3`, `gcs`, `azure`, `http`), and
//! reads its credentials where the provider's own tools do, from the environment.
//!
//! Parquet is read in place, a prefix (an address that ends in `/`) with all files below it.

use crate::error::{Error, Result};
use datafusion::object_store::parse_url_opts;
use datafusion::prelude::SessionContext;
use std::path::Path;
use std::sync::Arc;
use url::Url;

/// The schemes that are addresses of object stores.
const SCHEMES: [&str; 12] = ["s3", "s3a", "gs", "az", "adl", "azure", "abfs", "abfss", "http", "https", "memory", "file"];

/// The address, if a path is one rather than a file's name.
pub(crate) fn remote(path: &Path) -> Result<Option<Url>> {
    let Some(text) = path.to_str().filter(|text| text.contains("://")) else { return Ok(None) };
    let url = Url::parse(text).map_err(|error| Error::Store {
        location: text.to_owned(),
        problem: error.to_string(),
        remedy: "give an address such as s3://bucket/prefix/",
    })?;
    if SCHEMES.contains(&url.scheme()) {
        return Ok(Some(url));
    }
    Err(Error::Store {
        location: text.to_owned(),
        problem: format!("`{}` is the scheme of no object store that is read", url.scheme()),
        remedy: "give an address such as s3://bucket/prefix/, or a file",
    })
}

/// Makes an object store known to the engine.
pub(crate) fn register(context: &SessionContext, url: &Url) -> Result<()> {
    let (store, _) = parse_url_opts(url, std::env::vars()).map_err(|error| Error::Store {
        location: url.to_string(),
        problem: error.to_string(),
        remedy: "build with the feature of the store (s3, gcs, azure or http), and set its credentials in the environment",
    })?;
    context.register_object_store(url, Arc::from(store));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_files() {
        assert!(remote(Path::new("bill.csv")).unwrap().is_none());
        assert!(remote(Path::new("C:\\bill.csv")).unwrap().is_none());
        assert_eq!(remote(Path::new("s3://bucket/prefix/")).unwrap().unwrap().scheme(), "s3");
        let message = remote(Path::new("ftp://host/bill.csv")).unwrap_err().to_string();
        assert!(message.contains("ftp") && message.contains("; "), "{message}");
    }

    #[cfg(not(feature = "s3"))]
    #[test]
    fn a_store_without_its_feature_says_which() {
        let url = Url::parse("s3://bucket/prefix/").unwrap();
        let message = register(&SessionContext::new(), &url).unwrap_err().to_string();
        assert!(message.contains("feature") && message.contains("s3://bucket/prefix/"), "{message}");
    }
}
