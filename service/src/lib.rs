//! covermix inside a web service: a plan is a job on a blocking thread, with limits on its size, its time and the number of jobs, with progress,
//! and cancelled when it is deleted or when the client that waits for it goes away.
//!
//! | request | answer |
//! |---|---|
//! | `POST /plan` | 202 and where to look; with `?wait=true` the finished plan |
//! | `GET /plan/{id}` | the state of the job, its progress, its plan |
//! | `GET /plan/{id}/report.html`, `/report.json` | the report of a finished plan |
//! | `DELETE /plan/{id}` | ends the search; the job keeps the best plan so far |
//! | `GET /healthz` | 200 |
//!
//! The body of `POST /plan` is a usage file (`text/csv`; the rest in the query: `policy` as JSON, `gap`, `time_limit_seconds`), or JSON with the same
//! fields beside `usage`, which is a usage file as text or a list of its rows. Wrong input is answered with 4xx and covermix's own message as
//! `{"error": ...}`. There is no authentication: put the service behind what does that.

mod job;
mod request;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use covermix::catalog::Catalog;
use covermix::report::Audience;
use job::{CancelOnDrop, Job};
use request::PlanRequest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// What one client may ask of the service.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The size of a request's body.
    pub body_bytes: usize,
    /// Hours x lines of a request's usage.
    pub cells: usize,
    /// The longest search; a request may ask for less.
    pub time: Duration,
    /// Searches at the same time; further requests are answered with 503.
    pub running: usize,
    /// Jobs remembered; the oldest finished ones are forgotten first.
    pub kept: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 64 << 20, cells: 10_000_000, time: Duration::from_secs(120), running: 1, kept: 100 }
    }
}

/// What all requests share: prices, limits, jobs.
struct Service {
    catalog: Catalog,
    limits: Limits,
    slots: Arc<Semaphore>,
    next: AtomicU64,
    jobs: Mutex<BTreeMap<u64, Arc<Job>>>,
}

/// The service over a catalog, ready for `axum::serve`.
pub fn router(catalog: Catalog, limits: Limits) -> Router {
    let slots = Arc::new(Semaphore::new(limits.running));
    let service = Service { catalog, limits, slots, next: AtomicU64::new(1), jobs: Mutex::default() };
    Router::new()
        .route("/healthz", routing::get(async || "ok\n"))
        .route("/plan", routing::post(submit))
        .route("/plan/{id}", routing::get(status).delete(cancel))
        .route("/plan/{id}/report.html", routing::get(report_html))
        .route("/plan/{id}/report.json", routing::get(report_json))
        .layer(DefaultBodyLimit::max(limits.body_bytes))
        .with_state(Arc::new(service))
}

/// An answer that is not the plan: a status and a sentence that says what to do.
#[derive(Clone, Debug)]
struct Failure {
    status: StatusCode,
    message: String,
}

impl Failure {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

impl From<covermix::Error> for Failure {
    /// The solver's failures are ours, all others are the input's.
    fn from(error: covermix::Error) -> Self {
        let status = match error.problem() {
            covermix::Problem::Solver { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        document(self.status, &json!({"error": self.message}))
    }
}

fn document(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], format!("{value:#}\n")).into_response()
}

impl Service {
    fn job(&self, id: u64) -> Result<Arc<Job>, Failure> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.get(&id).cloned().ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, format!("there is no plan {id}")))
    }

    fn forget(&self, id: u64) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    fn remember(&self, job: &Arc<Job>) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        while jobs.len() >= self.limits.kept {
            let Some(oldest) = jobs.iter().find(|(_, job)| job.is_finished()).map(|(id, _)| *id) else { break };
            jobs.remove(&oldest);
        }
        jobs.insert(id, Arc::clone(job));
        id
    }
}

type Shared = State<Arc<Service>>;

async fn submit(
    State(service): Shared,
    query: Result<Query<BTreeMap<String, String>>, QueryRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let Query(mut query) = query.map_err(|error| Failure::new(error.status(), error.body_text()))?;
    let body = body.map_err(|error| Failure::new(error.status(), error.body_text()))?;
    let is_waiting = match query.remove("wait").as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => return Err(Failure::new(StatusCode::BAD_REQUEST, format!("`wait` is true or false, not `{other}`"))),
    };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let request = PlanRequest::read(kind, &query, &body)?;
    let Ok(slot) = Arc::clone(&service.slots).try_acquire_owned() else {
        let busy = Failure::new(StatusCode::SERVICE_UNAVAILABLE, "other plans are being made; try again later");
        return Ok(([(header::RETRY_AFTER, "10")], busy).into_response());
    };

    let job = Arc::new(Job::default());
    let id = service.remember(&job);
    // From here on a client that goes away drops this future, and with it the guard, which ends the search.
    let guard = CancelOnDrop::new(&job);
    let (accept, accepted) = tokio::sync::oneshot::channel();
    let (worker, of) = (Arc::clone(&job), Arc::clone(&service));
    let work = tokio::task::spawn_blocking(move || worker.run(&request, (&of.catalog, of.limits), accept, slot));
    let supervised = Arc::clone(&job);
    let work = tokio::spawn(async move {
        if work.await.is_err() {
            supervised.fail(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "the search ended unexpectedly"));
        }
    });
    // The input is read and the problem built before we accept it, so that wrong input is told at once.
    if accepted.await.is_err() {
        let _ended = work.await;
        service.forget(id);
        return Err(job.failure().unwrap_or_else(|| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "the input was not read")));
    }
    if is_waiting {
        let _ended = work.await;
    }
    guard.disarm();
    match job.failure() {
        Some(failure) => Err(failure),
        None => {
            let place = format!("/plan/{id}");
            let status = if is_waiting { StatusCode::OK } else { StatusCode::ACCEPTED };
            Ok(([(header::LOCATION, place)], document(status, &job.state(id))).into_response())
        }
    }
}

async fn status(State(service): Shared, Path(id): Path<u64>) -> Result<Response, Failure> {
    Ok(document(StatusCode::OK, &service.job(id)?.state(id)))
}

async fn cancel(State(service): Shared, Path(id): Path<u64>) -> Result<Response, Failure> {
    let job = service.job(id)?;
    job.cancel();
    Ok(document(StatusCode::ACCEPTED, &job.state(id)))
}

async fn report_html(State(service): Shared, Path(id): Path<u64>) -> Result<Response, Failure> {
    let page = service.job(id)?.report()?.html(Audience::Analyst)?;
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response())
}

async fn report_json(State(service): Shared, Path(id): Path<u64>) -> Result<Response, Failure> {
    Ok(document(StatusCode::OK, &service.job(id)?.report()?.json()?))
}
