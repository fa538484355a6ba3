//! Long work on a thread of its own, without Python's lock, while the calling thread watches for Ctrl-C and reports progress.

use crate::error::{Failure, Result};
use covermix::Problem;
use covermix::planning::Progress;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

/// How often the calling thread looks up.
const LOOK: Duration = Duration::from_millis(20);

/// What the search tells and is told while it runs.
#[derive(Default)]
struct Line {
    stop: AtomicBool,
    last: Mutex<Option<Progress>>,
}

impl Line {
    fn take(&self) -> Option<Progress> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What work calls between rounds.
pub(crate) type Callback<'c> = dyn Fn(&Progress) -> ControlFlow<()> + Sync + 'c;

/// An answer, and whether Ctrl-C asked for it early.
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) is_interrupted: bool,
}

/// Runs work that calls back between its rounds. The first Ctrl-C asks it to end with the best answer so far; the second, or an error of the progress
/// function, leaves it behind (it ends at its next round) and raises.
pub(crate) fn with_progress<T: Send + 'static>(
    py: Python<'_>,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Callback<'_>) -> covermix::Result<T> + Send + 'static,
) -> Result<Answer<T>> {
    watched(py, threads, progress, work, Patience::OneRound)
}

/// How long the first Ctrl-C waits for work to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// Until its next round, for the best answer so far.
    OneRound,
    /// Not at all.
    None,
}

fn watched<T: Send + 'static>(
    py: Python<'_>,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Callback<'_>) -> covermix::Result<T> + Send + 'static,
    patience: Patience,
) -> Result<Answer<T>> {
    let line = Arc::new(Line::default());
    let (sender, mut receiver) = mpsc::channel();
    let theirs = Arc::clone(&line);
    let body = move || {
        let callback = |progress: &Progress| {
            *theirs.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(*progress);
            if theirs.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        // Nobody listens any more if the caller has left.
        let _ = sender.send(on_threads(threads, || work(&callback)));
    };
    thread::Builder::new().name("covermix".into()).spawn(body).map_err(PyErr::from)?;
    let mut is_interrupted = false;
    loop {
        let (answer, back) = py.detach(move || (receiver.recv_timeout(LOOK), receiver));
        receiver = back;
        match answer {
            Ok(value) => return Ok(Answer { value: value?, is_interrupted }),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(Problem::Solver { status: "the search ended without an answer".into() }.into());
            }
        }
        let looked = py.check_signals().and_then(|()| match (progress, line.take()) {
            (Some(progress), Some(state)) => progress.call1((state.sweeps, state.lower_bound, state.relaxed_cost)).map(|_| ()),
            _ => Ok(()),
        });
        if let Err(error) = looked {
            line.stop.store(true, Ordering::Relaxed);
            // Ctrl-C may be noticed here or within the progress function.
            if is_interrupted || patience == Patience::None || !error.is_instance_of::<PyKeyboardInterrupt>(py) {
                return Err(error.into());
            }
            is_interrupted = true;
        }
    }
}

/// Runs work that does not call back; the first Ctrl-C leaves it behind (it ends by itself) and raises.
pub(crate) fn abandonable<T: Send + 'static>(
    py: Python<'_>,
    threads: Option<usize>,
    work: impl FnOnce() -> covermix::Result<T> + Send + 'static,
) -> Result<T> {
    watched(py, threads, None, |_| work(), Patience::None).map(|answer| answer.value)
}

/// Runs work that does not call back, without Python's lock.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    threads: Option<usize>,
    work: impl FnOnce() -> covermix::Result<T> + Send,
) -> Result<T> {
    py.detach(|| on_threads(threads, work)).map_err(Failure::from)
}

/// Runs work on so many threads of its own, or on rayon's own pool (as many as cores, or `RAYON_NUM_THREADS`).
fn on_threads<T: Send>(threads: Option<usize>, work: impl FnOnce() -> covermix::Result<T> + Send) -> covermix::Result<T> {
    let Some(threads) = threads else { return work() };
    if threads == 0 {
        let problem = Problem::OutOfRange { value: "0".into(), range: "1 or more" };
        return Err(covermix::Error::from(problem).in_field("threads"));
    }
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(work),
        Err(error) => Err(covermix::Error::from(Problem::Solver { status: error.to_string() })),
    }
}
