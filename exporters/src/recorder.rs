//! The recorder: callers hand it records and go on; one thread writes them to the spool.

mod batch;
mod queue;
pub(crate) mod signals;
mod weight;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::record::{CallRecord, Ended};
use queue::{Queue, Shared};

/// The bound of the queue unless the program sets another.
pub const DEFAULT_QUEUE_BYTES: usize = 16 << 20;

#[derive(Clone, Debug)]
pub struct RecorderSettings {
    /// Path of the `.duckdb` file that the spool lies beside; `None`: nothing is recorded, only counted.
    pub ledger: Option<PathBuf>,
    /// Records above so many bytes are dropped and counted.
    pub queue_bytes: usize,
    pub service_name: Option<String>,
}

impl Default for RecorderSettings {
    fn default() -> Self {
        Self {
            ledger: None,
            queue_bytes: DEFAULT_QUEUE_BYTES,
            service_name: None,
        }
    }
}

/// Counts since the recorder was made. `recorded` is always the sum of `written`, the four that were not, and
/// `queued_records`.
#[derive(Clone, Debug, Default)]
pub struct RecorderStats {
    /// Records handed over.
    pub recorded: u64,
    /// Records whose line is whole in the spool.
    pub written: u64,
    /// Dropped because the queue was full although the spool took what it was given.
    pub dropped_queue_full: u64,
    /// Dropped while the spool could not be written: because the queue was full, or the recorder was closed.
    pub dropped_unwritable: u64,
    /// Dropped by a fault of ours in the writer.
    pub dropped_internal: u64,
    /// Not recorded because there is no ledger.
    pub discarded: u64,
    pub queued_records: u64,
    pub queued_bytes: usize,
    /// Why the last write failed; `None` again after one that did not.
    pub last_error: Option<String>,
    /// Absolute.
    pub ledger_path: Option<PathBuf>,
}

/// One per process; a forked child makes its own and leaks the one it inherited, whose locks may be held for ever.
#[derive(Debug)]
pub struct Recorder {
    /// `None` where there is no ledger.
    shared: Option<Arc<Shared>>,
    discarded: AtomicU64,
}

impl Recorder {
    /// No I/O, and no thread before the first record.
    #[must_use]
    pub fn start(settings: RecorderSettings) -> Self {
        let RecorderSettings {
            ledger,
            queue_bytes,
            service_name,
        } = settings;
        let shared = ledger.map(|ledger| {
            // Now, since the program may change its directory later.
            let ledger = std::path::absolute(&ledger).unwrap_or(ledger);
            Arc::new(Shared::new(ledger, queue_bytes, service_name))
        });
        Self {
            shared,
            discarded: AtomicU64::new(0),
        }
    }

    /// Hands a record over. Never waits on anything but another caller doing the same.
    pub fn push(&self, record: Box<CallRecord>) {
        self.push_ended(Box::new(Whole(Arc::from(record))));
    }

    /// Hands a call over whose record the writer makes. `false` if it is not taken: there is no ledger, or no room.
    pub fn push_ended(&self, call: Box<dyn Ended>) -> bool {
        let Some(shared) = &self.shared else {
            self.discarded.fetch_add(1, Ordering::Relaxed);
            return false;
        };
        let bytes = call.weight();
        let mut queue = shared.lock();
        let refused = queue.push(call, bytes, shared.queue_bytes);
        let wake = queue.is_parked() && refused.is_none();
        if wake {
            queue.unpark();
        }
        if queue.needs_writer() {
            writer::start(shared, &mut queue);
        }
        // A refused call is freed, and the writer woken, without keeping the other callers waiting.
        drop(queue);
        if wake {
            shared.wake.notify_one();
        }
        refused.is_none()
    }

    /// Whether the writer falls behind: then a caller makes the record itself, which is work that the writer is spared and
    /// slows the caller down a little, rather than that records are dropped.
    #[must_use]
    pub fn is_filling(&self) -> bool {
        let filled = |shared: &Arc<Shared>| shared.lock().bytes() > shared.queue_bytes / 4;
        self.shared.as_ref().is_some_and(filled)
    }

    /// Waits until everything handed over before is in the spool. Tries at once, whatever failed a moment ago.
    ///
    /// Returns `false` if it is not there after `timeout`, or as soon as the spool turns out not to be writable.
    #[must_use]
    pub fn flush(&self, timeout: Duration) -> bool {
        let Some(shared) = &self.shared else {
            return true;
        };
        let deadline = Instant::now() + timeout;
        let mut queue = shared.lock();
        let target = queue.accepted();
        let failures = queue.failures();
        while queue.settled() < target {
            if queue.failures() != failures {
                return false;
            }
            if queue.needs_writer() && !writer::start(shared, &mut queue) {
                return false;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            queue.ask_for_flush();
            shared.wake.notify_one();
            queue = Queue::wait(&shared.progress, queue, left);
        }
        true
    }

    #[must_use]
    pub fn stats(&self) -> RecorderStats {
        match &self.shared {
            Some(shared) => shared.lock().stats(&shared.ledger),
            None => {
                let discarded = self.discarded.load(Ordering::Relaxed);
                RecorderStats {
                    recorded: discarded,
                    discarded,
                    ..RecorderStats::default()
                }
            }
        }
    }

    /// The one warning of this process, once it is due: that the spool cannot be written, and what to do. Each recorder
    /// gives it once.
    #[must_use]
    pub fn take_warning(&self) -> Option<String> {
        self.shared.as_ref()?.lock().take_warning()
    }

    /// For a recorder that another takes the place of: its thread writes what it can once more, closes the file and ends.
    /// Nobody waits for it. Records that come later all the same are written too.
    pub fn close(&self) {
        if let Some(shared) = &self.shared {
            shared.lock().close();
            shared.wake.notify_one();
        }
    }

    /// For the child handler of a fork, on a recorder that the child never uses again: closes the child's copy of the spool
    /// descriptor, without unlocking what the parent may have locked. Takes no lock and no memory.
    pub fn after_fork_in_child(&self) {
        if let Some(shared) = &self.shared {
            shared.descriptor.close_in_child();
        }
    }
}

/// A record that is made already.
#[derive(Debug)]
struct Whole(Arc<CallRecord>);

impl Ended for Whole {
    fn weight(&self) -> usize {
        weight::of(&self.0)
    }

    fn record(&self) -> Option<Arc<CallRecord>> {
        Some(Arc::clone(&self.0))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close();
    }
}
