//! What stands between the program and its terminal: Ctrl-C, and progress on standard error where that is a terminal.

use covermix::planning::{Options, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The terminal, or the absence of one.
pub(crate) struct Console {
    bar: ProgressBar,
    /// Whether the next Ctrl-C ends the program.
    ends: Arc<AtomicBool>,
    /// Whether Ctrl-C was pressed during a search.
    asked: Arc<AtomicBool>,
}

impl Console {
    pub(crate) fn new() -> std::io::Result<Self> {
        let (ends, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        // In this order: the second Ctrl-C within a search finds what the first has set.
        flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&ends))?;
        flag::register(SIGINT, Arc::clone(&ends))?;
        flag::register(SIGINT, Arc::clone(&asked))?;
        Ok(Self { bar: spinner(), ends, asked })
    }

    /// Runs a search that Ctrl-C stops with the best found so far; a second Ctrl-C ends the program at once.
    pub(crate) fn search<T>(&self, relative_gap: f64, time_limit: Duration, run: impl FnOnce(&Options<'_>) -> T) -> T {
        let show = |progress: &Progress| {
            let gap = (progress.relaxed_cost - progress.lower_bound) / progress.relaxed_cost;
            self.say(format!("{} sweeps over all hours, relaxed gap {:.4} %", progress.sweeps, 100.0 * gap));
            if self.was_interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        self.ends.store(false, Ordering::SeqCst);
        tracing::info!(
            relative_gap,
            seconds = time_limit.as_secs(),
            "the search begins; Ctrl-C ends it with the best plan so far"
        );
        let outcome = run(&Options { relative_gap, time_limit, progress: Some(&show) });
        self.ends.store(true, Ordering::SeqCst);
        outcome
    }

    /// Whether Ctrl-C stopped a search.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// Shows what is being done.
    pub(crate) fn say(&self, message: impl Into<String>) {
        self.bar.set_message(message.into());
    }

    /// A line on standard error that stays.
    pub(crate) fn note(&self, line: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(std::io::stderr(), "{line}");
        });
    }

    #[cfg(feature = "ingest")]
    pub(crate) fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A spinner on a terminal, nothing in a pipe.
fn spinner() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
