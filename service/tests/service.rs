//! The service over loopback, as a client sees it: plans, progress, limits, refusals, and what happens when a client goes away.

use covermix::catalog::Catalog;
use covermix_service::{Limits, router};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(name)
}

/// 60 days of one line: 40 by night, 60 by day.
fn usage() -> String {
    let mut text = "hour,provider,service,region,sku,platform,tenancy,unit,account,quantity\n".to_owned();
    for (day, hour) in (0..60).flat_map(|day| (0..24).map(move |hour| (day, hour))) {
        let date = date_of(day);
        let quantity = if (8..20).contains(&hour) { 60 } else { 40 };
        text += &format!("{date}T{hour:02}:00:00Z,aws,AmazonEC2,us-east-1,m5.large,Linux,shared,instance-hour,shop,{quantity}\n");
    }
    text
}

fn date_of(day: u32) -> String {
    if day < 31 {
        format!("2025-01-{:02}", day + 1)
    } else if day < 59 {
        format!("2025-02-{:02}", day - 30)
    } else {
        "2025-03-01".to_owned()
    }
}

/// The example data, which takes seconds to plan to a gap that cannot be reached.
fn long_request() -> Outcome<Vec<u8>> {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2_reader()?, &mut text)?;
    Ok(json!({"usage": text, "gap": 0, "time_limit_seconds": 100}).to_string().into_bytes())
}

fn flate2_reader() -> Outcome<impl std::io::Read> {
    Ok(flate2::read::MultiGzDecoder::new(std::fs::File::open(data("usage.csv.gz"))?))
}

async fn start(limits: Limits) -> Outcome<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let app = router(Catalog::read(data("catalog.json"))?, limits);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

fn open(address: &str, method: &str, path: &str, kind: &str, body: &[u8]) -> Outcome<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    // A server that refuses early stops reading.
    let _may_be_refused = stream.write_all(body);
    Ok(stream)
}

/// Status, head in lower case, body. The client is blocking: the server has threads of its own.
async fn ask(address: &str, method: &str, path: &str, kind: &str, body: &[u8]) -> Outcome<(u16, String, String)> {
    let [address, method, path, kind] = [address, method, path, kind].map(ToOwned::to_owned);
    let body = body.to_vec();
    let client = move || -> Result<Vec<u8>, String> {
        let mut stream = open(&address, &method, &path, &kind, &body).map_err(|error| error.to_string())?;
        let mut answer = Vec::new();
        let _may_be_reset = stream.read_to_end(&mut answer);
        Ok(answer)
    };
    let answer = String::from_utf8(tokio::task::spawn_blocking(client).await??)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no end of the head")?;
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    Ok((status, head.to_ascii_lowercase(), body.to_owned()))
}

async fn get(address: &str, path: &str) -> Outcome<(u16, Value)> {
    let (status, _, body) = ask(address, "GET", path, "", b"").await?;
    Ok((status, serde_json::from_str(&body)?))
}

/// Asks until the job is no longer running.
async fn finished(address: &str, path: &str) -> Outcome<Value> {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(120) {
        let (status, job) = get(address, path).await?;
        assert_eq!(status, 200);
        if job["state"] != "running" {
            return Ok(job);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("the job does not end".into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_usage_file_becomes_a_plan_with_a_report() -> Outcome<()> {
    let address = start(Limits::default()).await?;
    let (status, _, body) = ask(&address, "GET", "/healthz", "", b"").await?;
    assert_eq!((status, body.as_str()), (200, "ok\n"));
    let policy = "%7B%22terms%22%3A%5B12%5D%2C%22payment_options%22%3A%5B%22no_upfront%22%5D%7D";
    let path = format!("/plan?gap=1e-6&policy={policy}");
    let (status, head, body) = ask(&address, "POST", &path, "text/csv", usage().as_bytes()).await?;
    assert_eq!((status, head.contains("location: /plan/1")), (202, true), "{head} {body}");
    let job = finished(&address, "/plan/1").await?;
    assert_eq!(job["state"], "done", "{job}");
    let plan = &job["plan"];
    assert!(
        plan["purchases"]
            .as_array()
            .is_some_and(|list| list.iter().all(|one| one["offer"].as_str().unwrap_or("").contains("1y")))
    );
    let (cost, bound) = (plan["billed_cost"].as_f64().ok_or("no cost")?, plan["lower_bound"].as_f64().ok_or("no bound")?);
    assert!(bound <= cost && cost < plan["cost_before"].as_f64().ok_or("no cost before")?);
    let (status, head, page) = ask(&address, "GET", "/plan/1/report.html", "", b"").await?;
    assert!(status == 200 && head.contains("text/html") && page.contains("</html>"));
    let (status, report) = get(&address, "/plan/1/report.json").await?;
    assert_eq!((status, &report["billed_cost"]), (200, &plan["billed_cost"]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_as_json_are_the_same_as_the_file() -> Outcome<()> {
    let address = start(Limits::default()).await?;
    let text = usage();
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().ok_or("no header")?.split(',').collect();
    let row = |line: &str| -> Value {
        columns.iter().zip(line.split(',')).map(|(name, cell)| ((*name).to_owned(), json!(cell))).collect()
    };
    let rows: Vec<Value> = lines.map(row).collect();
    let mut costs = Vec::new();
    for usage in [json!(text), json!(rows)] {
        let body = json!({"usage": usage, "policy": {"max_share_three_year": 0.4}}).to_string();
        let (status, _, answer) = ask(&address, "POST", "/plan?wait=true", "application/json", body.as_bytes()).await?;
        assert_eq!(status, 200, "{answer}");
        costs.push(serde_json::from_str::<Value>(&answer)?["plan"]["billed_cost"].clone());
    }
    assert!(costs[0].is_number() && costs[0] == costs[1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_input_is_answered_with_what_is_wrong() -> Outcome<()> {
    let limits = Limits { body_bytes: 500_000, cells: 2000, ..Limits::default() };
    let address = start(limits).await?;
    let good = usage();
    let with = |policy: Value| json!({"usage": good, "policy": policy}).to_string();
    let two = good.clone() + &good.lines().skip(1).map(|line| line.replace("m5.large", "m5.xlarge") + "\n").collect::<String>();
    let clash = json!({"min_coverage": 0.9, "max_purchases": 0});
    let held =
        json!({"usage": good, "portfolio": {"schema": "covermix-portfolio/1", "currency": "USD", "commitments": 3}}).to_string();
    let cases: [(&str, &str, String, u16, &str); 12] = [
        ("/plan", "text/csv", "hour,quantity\n".into(), 422, "missing"),
        ("/plan", "text/csv", good.replace("m5.large", "x9.large"), 422, "x9.large"),
        ("/plan", "text/csv", good.replace(",40\n", ",-40\n"), 422, "negative"),
        ("/plan", "text/csv", two, 413, "hours x lines"),
        ("/plan", "text/csv", "x".repeat(600_000), 413, "limit"),
        ("/plan?gap=much", "text/csv", good.clone(), 400, "gap"),
        ("/plan?colour=red", "text/csv", good.clone(), 400, "colour"),
        ("/plan", "application/pdf", good.clone(), 415, "text/csv"),
        ("/plan", "application/json", "{".into(), 400, "body"),
        ("/plan", "application/json", with(json!({"max_share": 1})), 400, "max_share"),
        ("/plan", "application/json", held, 422, "covermix portfolio"),
        ("/plan?wait=true", "application/json", with(clash), 422, "max_purchases"),
    ];
    for (path, kind, body, expected, word) in cases {
        let (status, _, answer) = ask(&address, "POST", path, kind, body.as_bytes()).await?;
        let message = serde_json::from_str::<Value>(&answer)?["error"].as_str().unwrap_or_default().to_owned();
        assert!(status == expected && message.contains(word), "{path} {kind}: {status} {message}");
    }
    for path in ["/plan/99", "/plan/99/report.html"] {
        let (status, answer) = get(&address, path).await?;
        assert!(status == 404 && answer["error"].as_str().is_some_and(|text| text.contains("99")));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_job_keeps_its_best_plan_and_others_wait() -> Outcome<()> {
    let address = start(Limits::default()).await?;
    let (status, _, body) = ask(&address, "POST", "/plan", "application/json", &long_request()?).await?;
    assert_eq!(status, 202, "{body}");
    let (status, _, _) = ask(&address, "GET", "/plan/1/report.html", "", b"").await?;
    assert_eq!(status, 409, "not ready yet");
    let (status, head, _) = ask(&address, "POST", "/plan", "text/csv", usage().as_bytes()).await?;
    assert!(status == 503 && head.contains("retry-after"), "one at a time: {status}");
    let mut progress = Value::Null;
    for _ in 0..600 {
        let (_, job) = get(&address, "/plan/1").await?;
        assert_eq!(job["state"], "running", "{job}");
        progress = job["progress"].clone();
        if progress["sweeps"].as_u64().is_some_and(|sweeps| sweeps > 2) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(progress["lower_bound"].as_f64() <= progress["relaxed_cost"].as_f64(), "{progress}");
    let (status, _, _) = ask(&address, "DELETE", "/plan/1", "", b"").await?;
    assert_eq!(status, 202);
    let job = finished(&address, "/plan/1").await?;
    assert_eq!((&job["state"], &job["plan"]["status"]), (&json!("done"), &json!("stopped_at_limit")), "{job}");
    assert!(job["plan"]["billed_cost"].as_f64() < job["plan"]["cost_before"].as_f64());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_ends_its_search() -> Outcome<()> {
    let address = start(Limits::default()).await?;
    let stream = open(&address, "POST", "/plan?wait=true", "application/json", &long_request()?)?;
    for _ in 0..600 {
        if get(&address, "/plan/1").await?.1["progress"]["sweeps"].is_u64() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(stream);
    let started = Instant::now();
    let job = finished(&address, "/plan/1").await?;
    assert_eq!(job["plan"]["status"], "stopped_at_limit");
    assert!(started.elapsed() < Duration::from_secs(60), "it ended by itself after {:?}", started.elapsed());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_limit_gives_the_best_plan_so_far() -> Outcome<()> {
    let address = start(Limits { time: Duration::from_secs(1), kept: 2, ..Limits::default() }).await?;
    for id in 1..=3 {
        let (status, _, body) = ask(&address, "POST", "/plan", "application/json", &long_request()?).await?;
        assert_eq!(status, 202, "{body}");
        let job = finished(&address, &format!("/plan/{id}")).await?;
        assert_eq!(job["plan"]["status"], "stopped_at_limit");
        let cost = job["plan"]["billed_cost"].as_f64().ok_or("no cost")?;
        assert!(job["plan"]["lower_bound"].as_f64().is_some_and(|bound| bound <= cost));
    }
    assert_eq!(get(&address, "/plan/1").await?.0, 404, "the oldest job is forgotten");
    Ok(())
}
