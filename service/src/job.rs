//! One plan being made: its state, its progress, and the flag that ends it.

use crate::request::PlanRequest;
use crate::{Failure, Limits};
use axum::http::StatusCode;
use covermix::catalog::Catalog;
use covermix::planning::{Options, Planner, Progress};
use covermix::report::{Report, Settings};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// A plan being made, or made, or failed.
pub(crate) struct Job {
    is_cancelled: AtomicBool,
    started: Instant,
    state: Mutex<State>,
}

enum State {
    Running(Option<Progress>),
    Done(Arc<Report>),
    Failed(Failure),
}

impl Default for Job {
    fn default() -> Self {
        Self { is_cancelled: AtomicBool::new(false), started: Instant::now(), state: Mutex::new(State::Running(None)) }
    }
}

impl Job {
    /// Makes the plan, on the calling thread. `accept` hears when the input is found good; it is dropped if it is not. The slot is free before the
    /// job says that it is finished.
    pub(crate) fn run(
        &self,
        request: &PlanRequest,
        of: (&Catalog, Limits),
        accept: oneshot::Sender<()>,
        slot: OwnedSemaphorePermit,
    ) {
        let outcome = self.plan(request, of, accept);
        drop(slot);
        match outcome {
            Ok(report) => *self.lock() = State::Done(Arc::new(report)),
            Err(failure) => self.fail(failure),
        }
    }

    fn plan(&self, request: &PlanRequest, of: (&Catalog, Limits), accept: oneshot::Sender<()>) -> Result<Report, Failure> {
        let (catalog, limits) = of;
        let usage = request.usage(limits)?;
        let catalog = catalog.relevant_to(&usage);
        let portfolio = request.portfolio(&catalog)?;
        let (gap, time) = (request.gap()?, request.time(limits)?);
        let problem = Planner::new(&catalog).usage(&usage).owning(&portfolio).policy(request.policy.clone()).build()?;
        // A client that is gone has cancelled already.
        let _is_there = accept.send(());
        let watch = |progress: &Progress| {
            *self.lock() = State::Running(Some(*progress));
            if self.is_cancelled.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let plan = problem.solve(&Options { relative_gap: gap, time_limit: time, progress: Some(&watch) })?;
        // Without the searches behind the curves, whose time is not the request's.
        let settings = Settings { coverage_levels: Vec::new(), price_limits: false, ..Settings::default() };
        Ok(Report::builder(&problem, &plan).settings(settings).build()?)
    }

    /// Ends the search after its current round; the best plan so far is kept.
    pub(crate) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    pub(crate) fn fail(&self, failure: Failure) {
        *self.lock() = State::Failed(failure);
    }

    pub(crate) fn is_finished(&self) -> bool {
        !matches!(*self.lock(), State::Running(_))
    }

    pub(crate) fn failure(&self) -> Option<Failure> {
        if let State::Failed(failure) = &*self.lock() { Some(failure.clone()) } else { None }
    }

    pub(crate) fn report(&self) -> Result<Arc<Report>, Failure> {
        match &*self.lock() {
            State::Done(report) => Ok(Arc::clone(report)),
            State::Failed(failure) => Err(failure.clone()),
            State::Running(_) => Err(Failure::new(StatusCode::CONFLICT, "the plan is still being made")),
        }
    }

    /// The job as a document.
    pub(crate) fn state(&self, id: u64) -> Value {
        match &*self.lock() {
            State::Running(progress) => {
                let progress = progress.map(|now| {
                    let gap = (now.relaxed_cost - now.lower_bound) / now.relaxed_cost;
                    json!({"sweeps": now.sweeps, "lower_bound": now.lower_bound, "relaxed_cost": now.relaxed_cost, "relaxed_gap": gap})
                });
                let (is_cancelled, seconds) = (self.is_cancelled.load(Ordering::Relaxed), self.started.elapsed().as_secs_f64());
                json!({"id": id, "state": "running", "cancelled": is_cancelled, "seconds": seconds, "progress": progress})
            }
            State::Done(report) => json!({"id": id, "state": "done", "plan": **report}),
            State::Failed(failure) => json!({"id": id, "state": "failed", "error": failure.message}),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cancels a job when it is dropped, unless it was disarmed.
pub(crate) struct CancelOnDrop(Option<Arc<Job>>);

impl CancelOnDrop {
    pub(crate) fn new(job: &Arc<Job>) -> Self {
        Self(Some(Arc::clone(job)))
    }

    pub(crate) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(job) = &self.0 {
            job.cancel();
        }
    }
}
