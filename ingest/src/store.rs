//! Object stores: `s3://`, `gs://`, `az://` and `abfss://`, `https://`. Each is behind a feature of the crate (`s3`, `gcs`, `azure`, `http`), and
//! reads its credentials where the provider's own tools do, from the environment.
//!
//! An address is that of one object, or of a folder (it ends in `/`) with all objects below it that their names tell to be Parquet or text.
//! Parquet is read in place, by the parts that queries need; text is read more than once, and fetched to a temporary file first.

use crate::error::{Error, Result};
use crate::options::Meter;
use datafusion::error::DataFusionError;
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use datafusion::object_store::{self, ObjectStore, ObjectStoreExt, ObjectStoreScheme, parse_url_opts};
use datafusion::prelude::SessionContext;
use std::collections::{BTreeSet, HashMap};
use std::future::poll_fn;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::NamedTempFile;
use url::{Position, Url};

/// What the names of Parquet in folders end in.
pub(crate) const PARQUET: &str = ".parquet";

/// What the names of text in folders end in; plain `.json` is not among them, as manifests are called so.
const TEXTS: [&str; 8] = [".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json.gz", ".csv.gzip"];

/// The first bytes of Parquet.
const PARQUET_MAGIC: &[u8] = b"PAR1";

/// The schemes that are addresses of object stores.
const SCHEMES: [&str; 12] = ["s3", "s3a", "gs", "az", "adl", "azure", "abfs", "abfss", "http", "https", "memory", "file"];

const ADDRESS: &str = "give an address such as s3://bucket/prefix/, or a file";
const CREDENTIALS: &str = "set the store's credentials in the environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (profiles of ~/.aws are not \
     read), GOOGLE_APPLICATION_CREDENTIALS, or AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY; for public data AWS_SKIP_SIGNATURE=true";
const RIGHTS: &str = "give these credentials the right to list and to read it (s3:ListBucket and s3:GetObject, storage.objects.list and \
     storage.objects.get, Storage Blob Data Reader)";
const PLACE: &str = "check bucket, path and region (AWS_REGION); the address of a folder ends in `/`";
const ONE_KIND: &str = "give the address of each file that is of the bill, or move the others";
const PARTS: &str = "the server does not serve parts of files: fetch the file and give its name";
const NETWORK: &str =
    "check the address, the network, and the settings of the store in the environment (AWS_REGION, AWS_ENDPOINT)";

/// The address, if a path is one rather than a file's name.
pub(crate) fn remote(path: &Path) -> Result<Option<Url>> {
    let Some(text) = path.to_str().filter(|text| text.contains("://")) else { return Ok(None) };
    let refuse = |problem: String, remedy| Error::Store { location: without_query(text).to_owned(), problem, remedy };
    let url = Url::parse(text).map_err(|error| refuse(error.to_string(), ADDRESS))?;
    if !SCHEMES.contains(&url.scheme()) {
        return Err(refuse(format!("`{}` is the scheme of no object store that is read", url.scheme()), ADDRESS));
    }
    if url.query().is_some() {
        let problem = "addresses with a query, such as signed ones, are not read".to_owned();
        return Err(refuse(problem, "fetch the file and give its name, or give the address in its store with credentials"));
    }
    if matches!(url.scheme(), "http" | "https") && url.path().ends_with('/') {
        return Err(refuse("web servers do not list folders".to_owned(), "give the address of each file"));
    }
    // The engine takes the whole path for the object's; some addresses of the web begin it with the bucket.
    let object = ObjectStoreScheme::parse(&url).map_err(|error| refuse(error.to_string(), ADDRESS))?.1;
    if object.parts().count() < url.path().split('/').filter(|part| !part.is_empty()).count() {
        let problem = "the bucket or container stands in the path".to_owned();
        return Err(refuse(problem, "give it as s3://bucket/path or az://container/path"));
    }
    Ok(Some(url))
}

/// An address for people: what follows `?` can be a signature.
fn without_query(text: &str) -> &str {
    text.split('?').next().unwrap_or(text)
}

/// The files at a path: an address of a folder of text is that of each of its objects, anything else is one file.
///
/// # Errors
/// [`Error::Store`] if the folder has Parquet and text, or neither, or cannot be listed.
pub(crate) async fn files(context: &SessionContext, path: &Path) -> Result<Vec<PathBuf>> {
    let Some(url) = remote(path)?.filter(|url| url.path().ends_with('/')) else { return Ok(vec![path.to_owned()]) };
    let (store, prefix) = locate(context, &url)?;
    let mut objects = store.list(Some(&prefix));
    let (mut has_parquet, mut texts) = (false, BTreeSet::new());
    while let Some(object) = poll_fn(|context| objects.as_mut().poll_next(context)).await {
        let location = object.map_err(|error| refused(path, &error))?.location;
        has_parquet |= location.as_ref().ends_with(PARQUET);
        if TEXTS.iter().any(|ending| location.as_ref().ends_with(ending)) {
            let mut address = url.clone();
            address.set_path(&location.as_ref().replace('%', "%25"));
            texts.insert(PathBuf::from(address.as_str()));
        }
    }
    let refuse = |problem: String, remedy| Err(Error::Store { location: path.display().to_string(), problem, remedy });
    match (has_parquet, texts.is_empty()) {
        (true, true) => Ok(vec![path.to_owned()]),
        (false, false) => Ok(texts.into_iter().collect()),
        (true, false) => refuse("has Parquet and text below it".to_owned(), ONE_KIND),
        (false, true) => refuse(format!("no object below it has a name that ends in {PARQUET}, {}", TEXTS.join(", ")), PLACE),
    }
}

/// What an object is.
pub(crate) enum Object {
    /// Read in place.
    Parquet,
    /// Text in a copy on disk, since it is read more than once.
    Text(NamedTempFile),
}

/// Tells Parquet from text by the first bytes of an object, and fetches text.
///
/// # Errors
/// [`Error::Store`] if the store refuses; of the disk that the copy is on.
pub(crate) async fn fetch(context: &SessionContext, url: &Url, path: &Path, meter: &Meter) -> Result<Object> {
    let (store, location) = locate(context, url)?;
    if url.path().ends_with('/') {
        return Ok(Object::Parquet);
    }
    let failed = |error| refused(path, &error);
    let mut bytes = store.get(&location).await.map_err(failed)?.into_stream();
    let mut copy = NamedTempFile::new()?;
    let mut start: Vec<u8> = Vec::new();
    while let Some(part) = poll_fn(|context| bytes.as_mut().poll_next(context)).await {
        let part = part.map_err(failed)?;
        start.extend(part.iter().take(PARQUET_MAGIC.len() - start.len()));
        if start == PARQUET_MAGIC {
            return Ok(Object::Parquet);
        }
        copy.write_all(&part).map_err(|error| Error::input_output(copy.path(), error))?;
        meter.add_fetched(part.len() as u64);
    }
    copy.flush().map_err(|error| Error::input_output(copy.path(), error))?;
    Ok(Object::Text(copy))
}

/// The store of an address and where in it the object is. The store is opened and made known to the engine, unless its user has.
fn locate(context: &SessionContext, url: &Url) -> Result<(Arc<dyn ObjectStore>, object_store::path::Path)> {
    let registry = &context.runtime_env().object_store_registry;
    let store = match registry.get_store(url) {
        Ok(store) => store,
        Err(_) => {
            let store = open(url)?;
            context.register_object_store(url, Arc::clone(&store));
            store
        }
    };
    let location = object_store::path::Path::from_url_path(url.path());
    let refuse = |problem: String| Error::Store { location: url.to_string(), problem, remedy: ADDRESS };
    Ok((store, location.map_err(|error| refuse(error.to_string()))?))
}

/// The store of an address, with the settings of the environment.
fn open(url: &Url) -> Result<Arc<dyn ObjectStore>> {
    let refuse = |problem: String, remedy| Error::Store { location: url.to_string(), problem, remedy };
    let mut settings: Vec<(String, String)> = std::env::vars().collect();
    if url.scheme() == "http" {
        // The address says so itself.
        settings.push(("allow_http".into(), "true".into()));
    }
    match parse_url_opts(url, settings) {
        Ok((store, _)) => Ok(Arc::from(store)),
        Err(error) if error.to_string().contains("not enabled") => {
            Err(refuse(error.to_string(), "build with the feature of the store (s3, gcs, azure or http)"))
        }
        Err(error) => Err(refuse(error.to_string(), CREDENTIALS)),
    }
}

/// The error of a store that stands behind one of the engine's, if there is one, or of an address where nothing is.
pub(crate) fn refusal(location: &Path, error: &DataFusionError) -> Option<Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut found = None;
    while let Some(inner) = cause {
        found = inner
            .downcast_ref::<object_store::Error>()
            .or_else(|| inner.downcast_ref::<Box<object_store::Error>>().map(|error| &**error))
            .or(found);
        cause = inner.source();
    }
    if found.is_none() && error.to_string().contains("No files found") {
        let location = location.display().to_string();
        return Some(Error::Store { location, problem: "there is no such object".to_owned(), remedy: PLACE });
    }
    found.map(|refusal| refused(location, refusal))
}

/// The error of a store about an address.
fn refused(location: &Path, refusal: &object_store::Error) -> Error {
    let location = location.display().to_string();
    let problem = in_short(&refusal.to_string());
    let says = |words: &[&str]| words.iter().any(|word| problem.contains(word));
    let remedy = match refusal {
        object_store::Error::NotFound { .. } => PLACE,
        object_store::Error::PermissionDenied { .. } => RIGHTS,
        object_store::Error::Unauthenticated { .. } => CREDENTIALS,
        object_store::Error::NotSupported { .. } => PARTS,
        // Of the lists of a bucket's objects only the text says it.
        _ if says(&["401 Unauthorized", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"]) => CREDENTIALS,
        _ if says(&["403 Forbidden"]) => RIGHTS,
        _ if says(&["404 Not Found"]) => PLACE,
        _ if says(&["credential", "169.254.169.254", "metadata", "token"]) => CREDENTIALS,
        _ => NETWORK,
    };
    Error::Store { location, problem, remedy }
}

/// What a store says, in one line: of a page of XML its code; of addresses no query, which can hold a signature.
fn in_short(text: &str) -> String {
    let (words, page) = text.split_once("<?xml").unwrap_or((text, ""));
    let code = page.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    let words = words.split_whitespace().map(|word| if word.contains("://") { without_query(word) } else { word }).chain(code);
    words.collect::<Vec<_>>().join(" ").trim_end_matches(':').to_owned()
}

/// Stores that are opened when they are first needed, with the settings of the environment: a registry for the executors of a cluster, which
/// read the files that a session elsewhere was given.
#[derive(Debug, Default)]
pub(crate) struct EnvironmentStores {
    local: DefaultObjectStoreRegistry,
    stores: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl ObjectStoreRegistry for EnvironmentStores {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner).insert(url[..Position::BeforePath].to_owned(), store)
    }

    fn get_store(&self, url: &Url) -> datafusion::error::Result<Arc<dyn ObjectStore>> {
        if url.scheme() == "file" {
            return self.local.get_store(url);
        }
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let key = &url[..Position::BeforePath];
        if let Some(store) = stores.get(key) {
            return Ok(Arc::clone(store));
        }
        let store = open(url).map_err(|error| DataFusionError::External(error.into()))?;
        stores.insert(key.to_owned(), Arc::clone(&store));
        Ok(store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        remote(Path::new(text)).unwrap_err().to_string()
    }

    #[test]
    fn addresses_are_told_from_files() {
        assert!(remote(Path::new("bill.csv")).unwrap().is_none());
        assert!(remote(Path::new("C:\\bill.csv")).unwrap().is_none());
        for address in ["s3://bucket/prefix/", "gs://bucket/a%20b.parquet", "az://container/a.parquet", "https://host/a.parquet"]
        {
            assert_eq!(remote(Path::new(address)).unwrap().unwrap().as_str(), address);
        }
        let message = refused("ftp://host/bill.csv");
        assert!(message.contains("ftp") && message.contains("; "), "{message}");
    }

    #[test]
    fn addresses_that_would_be_misread_are_refused() {
        for (address, problem) in [
            ("https://host/folder/", "do not list"),
            ("https://account.blob.core.windows.net/container/a.parquet", "az://container/path"),
            ("https://s3.eu-west-1.amazonaws.com/bucket/a.parquet", "s3://bucket/path"),
        ] {
            let message = refused(address);
            assert!(message.starts_with(address) && message.contains(problem), "{message}");
        }
        // A signature is a secret.
        let message = refused("https://host/a.parquet?X-Amz-Signature=0123");
        assert!(message.starts_with("https://host/a.parquet: ") && !message.contains("0123"), "{message}");
    }

    #[test]
    fn refusals_of_stores_are_found_behind_the_engines_errors() {
        let location = Path::new("s3://bucket/a.parquet");
        let refuse = |error: object_store::Error| {
            let wrapped = DataFusionError::Context("reading".into(), Box::new(DataFusionError::ObjectStore(Box::new(error))));
            refusal(location, &wrapped).unwrap().to_string()
        };
        let source = || Box::new(std::io::Error::other("because"));
        let path = || "a.parquet".to_owned();
        let missing = refuse(object_store::Error::NotFound { path: path(), source: source() });
        assert!(missing.starts_with("s3://bucket/a.parquet: ") && missing.contains("check bucket"), "{missing}");
        assert!(refuse(object_store::Error::PermissionDenied { path: path(), source: source() }).contains("s3:GetObject"));
        assert!(refuse(object_store::Error::Unauthenticated { path: path(), source: source() }).contains("AWS_ACCESS_KEY_ID"));
        let listed = std::io::Error::other(
            "GET http://host/bucket?sig=0123 404 Not Found: <?xml?>\n<Error><Code>NoSuchBucket</Code></Error>",
        );
        let listed = refuse(object_store::Error::Generic { store: "S3", source: Box::new(listed) });
        assert!(listed.contains("http://host/bucket 404 Not Found: NoSuchBucket; check bucket"), "{listed}");
        let source = Box::new(std::io::Error::other("no route to host"));
        assert!(refuse(object_store::Error::Generic { store: "S3", source }).contains("network"));
        assert!(refusal(location, &DataFusionError::Plan("other".into())).is_none());
    }

    #[cfg(not(feature = "s3"))]
    #[test]
    fn a_store_without_its_feature_says_which() {
        let url = Url::parse("s3://bucket/prefix/").unwrap();
        let message = locate(&SessionContext::new(), &url).unwrap_err().to_string();
        assert!(message.contains("feature") && message.contains("s3://bucket/prefix/"), "{message}");
        let registry = EnvironmentStores::default();
        assert!(registry.get_store(&url).is_err());
        assert!(registry.get_store(&Url::parse("file:///").unwrap()).is_ok());
    }
}
