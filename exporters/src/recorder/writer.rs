//! The thread that turns records into lines and appends them to the spool.

use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::batch::Batch;
use super::queue::{Queue, Shared, Waiting};
use super::signals;
use crate::error::Error;
use crate::line::Process;
use crate::spool::Spool;

/// Between waking and draining: waking costs the caller 2 µs, and so it is done at most 200 times a second.
const GATHER: Duration = Duration::from_millis(5);
/// After the last record the writer looks for others by itself for a while, so that a program that makes calls at some
/// rate never pays for a wake-up: on a virtual machine whose other core sleeps, one was measured at 20 µs.
const ATTENTIVE: Duration = Duration::from_secs(1);
/// Between two looks at most; with the write it has to stay well below the 50 ms after which a record is safe.
const LONGEST_LOOK: Duration = Duration::from_millis(20);
/// After a failed write; doubled each time.
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(5);
/// Room for records that a burst left behind is given back above this.
const KEPT_PLACES: usize = 4_096;
const STACK: usize = 512 << 10;

/// Starts the thread, which then owns the queue's other end.
pub(super) fn start(shared: &Arc<Shared>, queue: &mut MutexGuard<'_, Queue>) -> bool {
    let writer = Writer {
        spool: Spool::with_descriptor(&shared.ledger, Arc::clone(&shared.descriptor)),
        process: Process::current(shared.service_name.clone()),
        backlog: VecDeque::new(),
        batch: Batch::default(),
        retry: FIRST_RETRY,
        shared: Arc::clone(shared),
    };
    let thread = thread::Builder::new()
        .name("edgequake-writer".to_owned())
        .stack_size(STACK);
    match signals::blocked(|| thread.spawn(move || writer.run())) {
        Ok(_) => {
            queue.writer_started();
            true
        }
        Err(error) => {
            queue.writer_not_started(&Error::Thread(error), &shared.ledger);
            false
        }
    }
}

struct Writer {
    shared: Arc<Shared>,
    spool: Spool,
    process: Process,
    /// Taken from the queue, not yet lines.
    backlog: VecDeque<Waiting>,
    /// Lines, not yet written.
    batch: Batch,
    retry: Duration,
}

impl Writer {
    fn run(mut self) {
        let _ending = Ending(Arc::clone(&self.shared));
        let mut place = Vec::new();
        while self.gather(&mut place) {
            self.backlog.extend(place.drain(..));
            place.shrink_to(KEPT_PLACES);
            self.write();
            self.backlog.shrink_to(KEPT_PLACES);
        }
    }

    /// Waits for records and takes them all; `false` when there are none and there will be no more.
    fn gather(&mut self, place: &mut Vec<Waiting>) -> bool {
        let shared = Arc::clone(&self.shared);
        let mut queue = shared.lock();
        if self.batch.is_empty() && self.backlog.is_empty() {
            let (idle_since, mut pause) = (Instant::now(), GATHER);
            // Once, also where records wait already: they came while the last ones were written.
            queue = until_urgent(&shared, queue, pause);
            while queue.is_empty() {
                // Nothing is on its way: whoever waits for that, waits no more.
                queue.flush_begins();
                shared.progress.notify_all();
                if queue.is_closed() {
                    // Under this lock: a record that comes now starts another thread.
                    queue.writer_ended();
                    return false;
                }
                if idle_since.elapsed() < ATTENTIVE {
                    pause = (2 * pause).min(LONGEST_LOOK);
                    queue = until_urgent(&shared, queue, pause);
                } else {
                    queue.park();
                    queue = shared.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
                    queue.unpark();
                    queue = until_urgent(&shared, queue, GATHER);
                }
            }
        }
        queue.flush_begins();
        queue.take(place);
        true
    }

    /// Writes what was taken, or as much as the spool takes; after a failure, waits before the next try.
    fn write(&mut self) {
        while !(self.batch.is_empty() && self.backlog.is_empty()) {
            while self.batch.has_room()
                && let Some(waiting) = self.backlog.pop_front()
            {
                match waiting.call.record() {
                    Some(record) => self.batch.add(&record, waiting.bytes, &self.process),
                    None => self.shared.lock().lost(waiting.bytes),
                }
            }
            if self.batch.is_empty() {
                continue;
            }
            match self.spool.append(self.batch.text()) {
                Ok(written) => {
                    let (records, bytes) = self.batch.settle(written);
                    self.retry = FIRST_RETRY;
                    let mut queue = self.shared.lock();
                    queue.wrote(records, bytes);
                    self.shared.progress.notify_all();
                }
                Err(error) => {
                    self.wait_after(&error);
                    return;
                }
            }
        }
    }

    fn wait_after(&mut self, error: &Error) {
        let mut queue = self.shared.lock();
        if queue.is_closed() {
            // Tried once more, as promised; nobody is there to try for any longer.
            self.backlog.clear();
            self.batch = Batch::default();
            queue.gave_up();
            queue.failed(error, &self.shared.ledger);
            return;
        }
        if error.is_busy() {
            // The append has waited already.
            queue.delayed(error);
            drop(until_urgent(&self.shared, queue, GATHER));
            return;
        }
        queue.failed(error, &self.shared.ledger);
        self.shared.progress.notify_all();
        drop(until_urgent(&self.shared, queue, self.retry));
        self.retry = (2 * self.retry).min(LAST_RETRY);
    }
}

fn until_urgent<'a>(shared: &'a Shared, mut queue: MutexGuard<'a, Queue>, longest: Duration) -> MutexGuard<'a, Queue> {
    let deadline = Instant::now() + longest;
    while !queue.is_urgent() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        queue = Queue::wait(&shared.wake, queue, left);
    }
    queue
}

/// Says so if the thread panics: what it held is lost, and the next record starts another.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().writer_panicked();
            self.0.progress.notify_all();
        }
    }
}
