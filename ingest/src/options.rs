//! How a bill is to be read: the choices that the reader leaves to its user, because the files do not tell, and limits.

use chrono_tz::Tz;
use datafusion::prelude::SessionContext;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What to do with usage rows of more than an hour, such as those of bills by the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongRows {
    /// There are no usage curves; all else of the bill is read.
    #[default]
    Refuse,
    /// Their quantity is spread evenly over the hours they span, by the second. Peaks within them are lost, and with them the truth about what
    /// commitments cover.
    Spread,
}

/// How a bill is to be read.
#[derive(Clone)]
pub struct Options {
    /// What to do with usage rows of more than an hour.
    pub long_rows: LongRows,
    /// The zone of times that name none.
    pub time_zone: Tz,
    /// Tags whose values usage lines and owners are told by; other tags are not kept.
    pub tag_keys: Vec<String>,
    /// The memory that the query engine may use, in bytes; what needs more goes to disk.
    pub memory_limit: usize,
    /// Up to how many rows every row is compared with every other to find those given twice; in longer bills, one row in 64 is.
    pub duplicate_check_rows: u64,
    /// Called after every batch of rows, from the engine's threads.
    pub progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
    /// A session of the engine's to run in (one of a cluster, say), instead of one made for the purpose. `memory_limit` is then its own.
    pub context: Option<SessionContext>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            long_rows: LongRows::Refuse,
            time_zone: Tz::UTC,
            tag_keys: Vec::new(),
            memory_limit: 2 << 30,
            duplicate_check_rows: 4_000_000,
            progress: None,
            context: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("long_rows", &self.long_rows)
            .field("time_zone", &self.time_zone)
            .field("tag_keys", &self.tag_keys)
            .field("memory_limit", &self.memory_limit)
            .field("duplicate_check_rows", &self.duplicate_check_rows)
            .finish_non_exhaustive()
    }
}

/// What a pass over the files does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Text is fetched from an object store; rows are not counted.
    Fetching,
    /// Text is read, in one of the passes over it.
    Reading,
    /// A file is checked and counted; rows are those of complete files.
    Checked,
}

/// How far reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Rows so far, over all passes of the phase.
    pub rows: u64,
    /// Bytes of text files so far, as they are on disk or in a store, over all passes; fetching is one.
    pub bytes: u64,
}

/// Counts rows and bytes, and tells the caller.
#[derive(Clone, Default)]
pub(crate) struct Meter {
    progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
    counts: Arc<[AtomicU64; 3]>,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("counts", &self.counts).finish_non_exhaustive()
    }
}

impl Meter {
    pub(crate) fn new(options: &Options) -> Self {
        Self { progress: options.progress.clone(), counts: Arc::default() }
    }

    pub(crate) fn add_bytes(&self, count: u64) {
        self.counts[0].fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn add_fetched(&self, count: u64) {
        let bytes = self.counts[0].fetch_add(count, Ordering::Relaxed) + count;
        if let Some(progress) = &self.progress {
            progress(Progress { phase: Phase::Fetching, rows: 0, bytes });
        }
    }

    pub(crate) fn add_rows(&self, phase: Phase, count: u64) {
        let counter = match phase {
            Phase::Fetching | Phase::Reading => &self.counts[1],
            Phase::Checked => &self.counts[2],
        };
        let rows = counter.fetch_add(count, Ordering::Relaxed) + count;
        if let Some(progress) = &self.progress {
            progress(Progress { phase, rows, bytes: self.counts[0].load(Ordering::Relaxed) });
        }
    }
}
