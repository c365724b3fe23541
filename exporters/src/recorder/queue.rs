//! What callers and the writer share: the records waiting, within a bound of bytes, and the counts.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::RecorderStats;
use crate::error::Error;
use crate::record::Ended;
use crate::spool::Descriptor;
use crate::thread::ThreadState;

#[derive(Debug)]
pub(super) struct Shared {
    queue: Mutex<Queue>,
    /// The writer waits here; callers and flushers notify.
    pub(super) wake: Condvar,
    /// Flushers wait here; the writer notifies.
    pub(super) progress: Condvar,
    pub(super) descriptor: Arc<Descriptor>,
    pub(super) ledger: PathBuf,
    pub(super) queue_bytes: usize,
    pub(super) service_name: Option<String>,
}

impl Shared {
    pub(super) fn new(ledger: PathBuf, queue_bytes: usize, service_name: Option<String>) -> Self {
        Self {
            queue: Mutex::default(),
            wake: Condvar::new(),
            progress: Condvar::new(),
            descriptor: Arc::default(),
            ledger,
            queue_bytes,
            service_name,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        // The counts stay sound whatever panicked; nothing of ours may stop recording, or raise.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call on its way, and the bytes it counts for.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) call: Box<dyn Ended>,
    pub(super) bytes: usize,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Vec<Waiting>,
    /// Of the records in `waiting` and of those that the writer has taken and not yet written.
    bytes: usize,
    /// Records that found room. Their order is the order of writing, so this number is also a position.
    accepted: u64,
    written: u64,
    dropped_queue_full: u64,
    dropped_unwritable: u64,
    /// Accepted, and then given up because the recorder was closed.
    given_up: u64,
    /// Accepted, and then lost by a fault of ours.
    dropped_internal: u64,
    /// Attempts to write that failed for more than a lock.
    failures: u64,
    last_error: Option<String>,
    warning: Option<String>,
    warned: bool,
    /// The writer has nothing to do and sleeps until it is woken.
    parked: bool,
    flush_wanted: bool,
    closed: bool,
    writer: ThreadState,
}

impl Queue {
    /// Hands the record back if there is no room for it. One that is larger than the whole bound still passes an empty
    /// queue: its line is cut, and its caller holds the memory already.
    pub(super) fn push(&mut self, call: Box<dyn Ended>, bytes: usize, bound: usize) -> Option<Box<dyn Ended>> {
        if self.bytes > 0 && self.bytes.saturating_add(bytes) > bound {
            if self.last_error.is_some() {
                self.dropped_unwritable += 1;
            } else {
                self.dropped_queue_full += 1;
            }
            return Some(call);
        }
        self.bytes += bytes;
        self.accepted += 1;
        self.waiting.push(Waiting { call, bytes });
        None
    }

    /// Swaps the waiting records for an empty `place`, so that neither side gives its memory up.
    pub(super) fn take(&mut self, place: &mut Vec<Waiting>) {
        std::mem::swap(&mut self.waiting, place);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_parked(&self) -> bool {
        self.parked
    }

    pub(super) fn park(&mut self) {
        self.parked = true;
    }

    pub(super) fn unpark(&mut self) {
        self.parked = false;
    }

    pub(super) fn ask_for_flush(&mut self) {
        self.flush_wanted = true;
        self.parked = false;
    }

    pub(super) fn flush_begins(&mut self) {
        self.flush_wanted = false;
    }

    /// Whether somebody waits, so that the writer may not.
    pub(super) fn is_urgent(&self) -> bool {
        self.flush_wanted || self.closed
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
        self.parked = false;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn needs_writer(&self) -> bool {
        !self.waiting.is_empty() && self.writer.may_start()
    }

    pub(super) fn writer_started(&mut self) {
        self.writer.started();
    }

    pub(super) fn writer_not_started(&mut self, error: &Error, ledger: &Path) {
        self.writer.refused();
        self.failed(error, ledger);
    }

    pub(super) fn writer_ended(&mut self) {
        self.writer.ended();
        self.parked = false;
    }

    pub(super) fn writer_panicked(&mut self) {
        self.writer_ended();
        self.dropped_internal += self.forget_taken();
        self.failures += 1;
        self.last_error = Some("a fault in edgequake_obs ended the writer thread".to_owned());
    }

    /// How many records the writer had taken, which no longer count.
    fn forget_taken(&mut self) -> u64 {
        self.bytes = self.waiting.iter().map(|waiting| waiting.bytes).sum();
        self.accepted - self.settled() - self.waiting.len() as u64
    }

    pub(super) fn gave_up(&mut self) {
        self.given_up += self.forget_taken();
    }

    pub(super) fn wrote(&mut self, records: u64, bytes: usize) {
        self.written += records;
        self.bytes = self.bytes.saturating_sub(bytes);
        self.last_error = None;
    }

    /// A call that has no record to write.
    pub(super) fn lost(&mut self, bytes: usize) {
        self.dropped_internal += 1;
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    pub(super) fn failed(&mut self, error: &Error, ledger: &Path) {
        self.failures += 1;
        self.last_error = Some(error.to_string());
        if !self.warned {
            self.warned = true;
            let remedy = match error {
                Error::Folder { .. } | Error::Write { .. } => format!(
                    " Set EDGEQUAKE_OBS_LEDGER to a path that can be written (now {}), or to 'off'.",
                    ledger.display()
                ),
                Error::Busy { .. } | Error::Thread(_) => String::new(),
            };
            self.warning = Some(format!(
                "edgequake_obs: {error}. Calls go on; their records are kept while there is room and then dropped.{remedy}"
            ));
        }
    }

    /// Kept apart from `failed`: the lock of a stopped process ends by itself, and nobody has to do anything.
    pub(super) fn delayed(&mut self, error: &Error) {
        self.last_error = Some(error.to_string());
    }

    pub(super) fn take_warning(&mut self) -> Option<String> {
        self.warning.take()
    }

    pub(super) fn accepted(&self) -> u64 {
        self.accepted
    }

    /// How many of the accepted are no longer on their way.
    pub(super) fn settled(&self) -> u64 {
        self.written + self.given_up + self.dropped_internal
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures
    }

    pub(super) fn stats(&self, ledger: &Path) -> RecorderStats {
        RecorderStats {
            recorded: self.accepted + self.dropped_queue_full + self.dropped_unwritable,
            written: self.written,
            dropped_queue_full: self.dropped_queue_full,
            dropped_unwritable: self.dropped_unwritable + self.given_up,
            dropped_internal: self.dropped_internal,
            discarded: 0,
            queued_records: self.accepted - self.settled(),
            queued_bytes: self.bytes,
            last_error: self.last_error.clone(),
            ledger_path: Some(ledger.to_owned()),
        }
    }

    pub(super) fn wait<'a>(condvar: &Condvar, guard: MutexGuard<'a, Self>, longest: Duration) -> MutexGuard<'a, Self> {
        condvar
            .wait_timeout(guard, longest)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}
