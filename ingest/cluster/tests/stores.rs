//! Bills in object stores: a web server of this test's own, and where the environment names them, as `scripts/test-cluster` does, S3 by moto, Google's
//! store by the same server, and Azure's by Azurite.

use covermix_ingest::{Bill, Error, Options};
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::object_store::ObjectStoreExt;
use datafusion::object_store::azure::MicrosoftAzureBuilder;
use datafusion::prelude::{CsvReadOptions, SessionContext};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The invented bill of the ingest tests.
const BILL: &[u8] = include_bytes!("../../tests/data/bill-2024-02.csv");

/// The same as Parquet.
fn bill(folder: &Path) -> PathBuf {
    let csv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/bill-2024-02.csv");
    let path = folder.join("bill.parquet");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let frame = SessionContext::new()
            .read_csv(csv.to_str().unwrap(), CsvReadOptions::new().schema_infer_max_records(0))
            .await
            .unwrap();
        let options = DataFrameWriteOptions::new().with_single_file_output(true);
        frame.write_parquet(path.to_str().unwrap(), options, None).await.unwrap();
    });
    path
}

/// A web server that knows parts of one file, and refuses all else in the ways that servers do.
fn serve(content: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let content = Arc::new(content);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, content) = (stream.unwrap(), Arc::clone(&content));
            std::thread::spawn(move || answer(stream, &content));
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream, content: &[u8]) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let request = lines.next()?.ok()?;
    let mut range = None;
    for line in lines {
        let line = line.ok()?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        range = range.or_else(|| line.strip_prefix("range: bytes=").map(str::to_owned));
    }
    let mut words = request.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let content = if path.ends_with(".csv") { BILL } else { content };
    let range = range.filter(|_| !path.starts_with("/whole")).and_then(|range| {
        let (from, to) = range.split_once('-')?;
        let end = to.parse::<usize>().map_or(content.len(), |to| (to + 1).min(content.len()));
        Some(from.parse::<usize>().map_or(content.len() - end.min(content.len())..content.len(), |from| from..end))
    });
    let (status, body, more) = match (path, range) {
        ("/bill.parquet" | "/bill.csv" | "/whole.parquet" | "/whole.csv", None) => ("200 OK", content, String::new()),
        ("/bill.parquet" | "/bill.csv", Some(range)) => {
            let more = format!("Content-Range: bytes {}-{}/{}\r\n", range.start, range.end - 1, content.len());
            ("206 Partial Content", &content[range], more)
        }
        ("/secret.parquet", _) => ("403 Forbidden", &b"no"[..], String::new()),
        ("/login.parquet", _) => ("401 Unauthorized", &b"who"[..], String::new()),
        _ => ("404 Not Found", &b"none"[..], String::new()),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{more}Connection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    if method != "HEAD" {
        stream.write_all(body).ok()?;
    }
    stream.flush().ok()
}

fn read(address: &str) -> Result<Bill, Error> {
    Bill::read(&[address], &Options::default())
}

#[track_caller]
fn assert_refused(address: &str, words: &[&str]) {
    let message = read(address).unwrap_err().to_string();
    println!("{message}");
    assert!(message.starts_with(address) && words.iter().all(|word| message.contains(word)), "{message}");
}

#[test]
fn a_file_on_a_web_server_is_read_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let path = bill(folder.path());
    let server = serve(std::fs::read(&path).unwrap());
    let (found, expected) =
        (read(&format!("{server}/bill.parquet")).unwrap(), Bill::read(&[&path], &Options::default()).unwrap());
    assert_eq!(found.usage().unwrap(), expected.usage().unwrap());
    assert_eq!((found.reconciliation(), found.money()), (expected.reconciliation(), expected.money()));
    assert_refused(&format!("{server}/missing.parquet"), &["check bucket, path"]);
    assert_refused(&format!("{server}/secret.parquet"), &["right to list and to read"]);
    assert_refused(&format!("{server}/login.parquet"), &["credentials"]);
    assert_refused(&format!("{server}/whole.parquet"), &["fetch the file"]);
    // Text is fetched whole.
    for name in ["bill.csv", "whole.csv"] {
        let found = read(&format!("{server}/{name}")).unwrap();
        assert_eq!(found.usage().unwrap(), expected.usage().unwrap());
    }
}

/// Asks a store for something, unsigned; what it is given, all may read.
fn ask(endpoint: &str, method: &str, path: &str, body: &[u8]) -> String {
    let host = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nx-amz-acl: public-read\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Puts bills in a bucket (or container) called `covermix` and reads them there, by object and by folder.
fn assert_bucket_is_read(schemes: &[&str], put: impl Fn(&str, Vec<u8>)) {
    let folder = tempfile::tempdir().unwrap();
    let path = bill(folder.path());
    put("month/bill.snappy.parquet", std::fs::read(&path).unwrap());
    put("month/manifest.json", b"{}".to_vec());
    put("empty/manifest.json", b"{}".to_vec());
    put("text/bill.csv", BILL.to_vec());
    put("text/bill-Manifest.json", b"{}".to_vec());
    let expected = Bill::read(&[&path], &Options::default()).unwrap();
    for scheme in schemes {
        for place in ["month/bill.snappy.parquet", "month/", "text/bill.csv", "text/"] {
            let found = read(&format!("{scheme}://covermix/{place}")).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(found.usage().unwrap(), expected.usage().unwrap());
            assert_eq!(found.money(), expected.money());
        }
        let refused = |place: &str, words| assert_refused(&format!("{scheme}://covermix/{place}"), words);
        refused("month/other.parquet", &["check bucket, path"]);
        refused("empty/", &["no object below it", ".parquet", ".csv.gz"]);
        refused("month/manifest.json", &["none of the billing exports"]);
        refused("", &["Parquet and text"]);
        assert_refused(&format!("{scheme}://no-such-bucket/month/"), &["check bucket"]);
    }
}

/// A setting of the environment; without it, the reason is printed.
fn setting(name: &str) -> Option<String> {
    let found = std::env::var(name).ok();
    if found.is_none() {
        eprintln!("skipped: no such store ({name} is not set; make test-cluster sets it)");
    }
    found
}

#[test]
fn a_bucket_of_aws_or_google_is_read_whole_and_by_file() {
    // `GOOGLE_SERVICE_ACCOUNT` names an account's file that leads to the same server: Google's XML interface is S3's but for signatures.
    let (Some(endpoint), Some(_)) = (setting("AWS_ENDPOINT"), setting("GOOGLE_SERVICE_ACCOUNT")) else { return };
    let put = |path: &str, body: &[u8]| {
        let answer = ask(&endpoint, "PUT", path, body);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    };
    put("/covermix", &[]);
    assert_bucket_is_read(&["s3", "gs"], |place, body| put(&format!("/covermix/{place}"), &body));
}

#[test]
fn a_container_of_azure_is_read_whole_and_by_file() {
    let Some(_) = setting("AZURITE_BLOB_STORAGE_URL") else { return };
    let store = MicrosoftAzureBuilder::from_env().with_container_name("covermix").build().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let put = |place: &str, body: Vec<u8>| {
        runtime.block_on(store.put(&place.into(), body.into())).unwrap();
    };
    assert_bucket_is_read(&["az"], put);
}
