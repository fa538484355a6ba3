//! Bills in object stores: a web server of this test's own, and a store that speaks S3 where the environment names one (`AWS_ENDPOINT`, as
//! `scripts/test-cluster` does with moto).

use covermix_ingest::{Bill, Error, Options};
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::{CsvReadOptions, SessionContext};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The invented bill of the ingest tests, as Parquet.
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
    let content = if path == "/bill.csv" { &b"MeterCategory,Cost\nVirtual Machines,1\n"[..] } else { content };
    let range = range.filter(|_| path != "/whole.parquet").and_then(|range| {
        let (from, to) = range.split_once('-')?;
        let end = to.parse::<usize>().map_or(content.len(), |to| (to + 1).min(content.len()));
        Some(from.parse::<usize>().map_or(content.len() - end.min(content.len())..content.len(), |from| from..end))
    });
    let (status, body, more) = match (path, range) {
        ("/bill.parquet" | "/bill.csv" | "/whole.parquet", None) => ("200 OK", content, String::new()),
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
    assert_refused(&format!("{server}/bill.csv"), &["only Parquet is read"]);
}

/// Asks a store for something, unsigned.
fn ask(endpoint: &str, method: &str, path: &str, body: &[u8]) -> String {
    let host = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_bucket_is_read_whole_and_by_file() {
    let Ok(endpoint) = std::env::var("AWS_ENDPOINT") else {
        eprintln!("skipped: no store that speaks S3 (set AWS_ENDPOINT, or run make test-cluster)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = bill(folder.path());
    for (path, body) in [
        ("/covermix", Vec::new()),
        ("/covermix/month/bill.snappy.parquet", std::fs::read(&path).unwrap()),
        ("/covermix/month/manifest.json", b"{}".to_vec()),
        ("/covermix/empty/manifest.json", b"{}".to_vec()),
    ] {
        let answer = ask(&endpoint, "PUT", path, &body);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let expected = Bill::read(&[&path], &Options::default()).unwrap();
    for address in ["s3://covermix/month/bill.snappy.parquet", "s3://covermix/month/"] {
        let found = read(address).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(found.usage().unwrap(), expected.usage().unwrap());
        assert_eq!(found.money(), expected.money());
    }
    assert_refused("s3://covermix/month/other.parquet", &["check bucket, path"]);
    assert_refused("s3://covermix/empty/", &["no object below it", ".parquet"]);
    assert_refused("s3://covermix/month/manifest.json", &["only Parquet is read"]);
    assert_refused("s3://no-such-bucket/month/", &["check bucket"]);
}
