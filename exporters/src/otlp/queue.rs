//! What callers and the sending thread share: the calls waiting, within a bound of bytes, answers, and counts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::problem::Problem;
use super::request::{Answer, Transport, Unanswered};
use super::settings::OtlpSettings;
use super::signal::Signal;
use super::{OtlpStats, Wanted};
use crate::record::Ended;
use crate::thread::ThreadState;

const BETWEEN_WARNINGS: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Shared {
    queue: Mutex<Queue>,
    /// The sender waits here.
    pub(super) wake: Condvar,
    /// Flushers wait here.
    pub(super) progress: Condvar,
    pub(super) settings: OtlpSettings,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) has_warning: AtomicBool,
}

impl Shared {
    pub(super) fn new(settings: OtlpSettings, transport: Arc<dyn Transport>) -> Self {
        let mut queue = Queue::default();
        if !settings.problems.is_empty() {
            queue.warning = Some(format!("edgequake_obs: {}", settings.problems.join("; ")));
        }
        Self {
            has_warning: AtomicBool::new(queue.warning.is_some()),
            queue: Mutex::new(queue),
            wake: Condvar::new(),
            progress: Condvar::new(),
            settings,
            transport,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        // The counts stay sound whatever panicked.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request failed: said once a minute at most.
    pub(super) fn failed(&self, queue: &mut Queue, signal: Signal, url: &str, why: &Problem) {
        queue.last_error = Some(format!("{} to {url}: {}", signal.noun(), why.what));
        if queue.warned.is_some_and(|at| at.elapsed() < BETWEEN_WARNINGS) {
            return;
        }
        queue.warned = Some(Instant::now());
        let dropped = queue.dropped_queue_full + queue.dropped_refused;
        queue.warning = Some(format!(
            "edgequake_obs: cannot send {} to {url}: {}. Calls go on; what cannot be sent is kept while there is room and \
             then dropped ({dropped} spans so far). {}, or set EDGEQUAKE_OBS_OTEL=off.",
            signal.noun(),
            why.what,
            why.remedy
        ));
        self.has_warning.store(true, Ordering::Relaxed);
    }
}

pub(super) type Answers = Vec<(Signal, Result<Answer, Unanswered>)>;

/// A call on its way, and the bytes it counts for.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) call: Box<dyn Ended>,
    pub(super) bytes: usize,
    pub(super) wanted: Wanted,
}

/// Counts of events.
#[derive(Debug, Default)]
struct Events {
    /// Of calls that may turn out to have no content.
    accepted: u64,
    absent: u64,
    exported: u64,
    dropped_before: u64,
    dropped_after: u64,
}

impl Events {
    fn settled(&self) -> u64 {
        self.absent + self.exported + self.dropped_after
    }

    fn on_their_way(&self) -> u64 {
        self.accepted.saturating_sub(self.settled())
    }
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Vec<Waiting>,
    waiting_bytes: usize,
    /// When the first of those waiting came.
    oldest: Option<Instant>,
    /// Of the spans that the sender has encoded and not got rid of.
    pub(super) encoded_bytes: usize,
    /// What came back from the transport.
    pub(super) answers: Answers,
    /// Calls whose span found room; and of these, in their order, those that are no longer on their way.
    accepted: u64,
    pub(super) exported: u64,
    pub(super) dropped_after: u64,
    dropped_queue_full: u64,
    pub(super) dropped_refused: u64,
    pub(super) dropped_internal: u64,
    pub(super) sampled_out: u64,
    events: Events,
    pub(super) last_error: Option<String>,
    warning: Option<String>,
    warned: Option<Instant>,
    flush_asked: u64,
    flush_target: u64,
    flush_target_of_events: u64,
    flush_done: u64,
    flush_failed: u64,
    /// The sender has been told that there is enough for a request.
    told: bool,
    pub(super) parked: bool,
    closed: bool,
    thread: ThreadState,
}

impl Queue {
    /// Hands the call back if there is no room for it. Half of the bound is for calls, half for encoded spans.
    pub(super) fn push(&mut self, waiting: Waiting, settings: &OtlpSettings) -> Option<Waiting> {
        let too_many = settings
            .most_waiting
            .is_some_and(|most| self.on_their_way() >= most as u64);
        let full =
            self.waiting_bytes > 0 && self.waiting_bytes.saturating_add(waiting.bytes) > settings.queue_bytes / 2;
        if too_many || full {
            self.dropped_queue_full += u64::from(waiting.wanted.span);
            self.events.dropped_before += u64::from(waiting.wanted.event);
            return Some(waiting);
        }
        self.waiting_bytes += waiting.bytes;
        self.accepted += u64::from(waiting.wanted.span);
        self.events.accepted += u64::from(waiting.wanted.event);
        self.oldest.get_or_insert_with(Instant::now);
        self.waiting.push(waiting);
        if self.waiting.len() >= settings.batch || self.waiting_bytes > settings.queue_bytes / 8 {
            self.parked |= !self.told;
            self.told = true;
        }
        None
    }

    /// Whether the sender sleeps and must not; asked once for each time.
    pub(super) fn wants_sender(&mut self) -> bool {
        std::mem::take(&mut self.parked) && !self.waiting.is_empty()
    }

    /// Whether there is enough for a request.
    pub(super) fn is_enough(&self) -> bool {
        self.told
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// When the first of the calls that wait came.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.oldest
    }

    pub(super) fn take(&mut self) -> Vec<Waiting> {
        self.oldest = None;
        self.waiting_bytes = 0;
        self.told = false;
        std::mem::take(&mut self.waiting)
    }

    fn settled(&self) -> u64 {
        self.exported + self.dropped_after + self.dropped_refused + self.dropped_internal + self.sampled_out
    }

    fn on_their_way(&self) -> u64 {
        self.accepted.saturating_sub(self.settled())
    }

    pub(super) fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.on_their_way() == 0 && self.events.on_their_way() == 0
    }

    pub(super) fn ask_for_flush(&mut self) -> u64 {
        self.flush_asked += 1;
        self.aim();
        self.parked = false;
        self.flush_asked
    }

    /// The latest flush that is not answered yet.
    pub(super) fn flush_wanted(&self) -> Option<u64> {
        let answered = self.flush_done.max(self.flush_failed);
        (self.flush_asked > answered || self.closed).then_some(self.flush_asked)
    }

    /// Whether the spans that a flush waits for are gone.
    pub(super) fn is_at_target(&self) -> bool {
        self.settled() >= self.flush_target && self.events.settled() >= self.flush_target_of_events
    }

    fn aim(&mut self) {
        self.flush_target = self.accepted;
        self.flush_target_of_events = self.events.accepted;
    }

    /// A request is answered: so many of what it carried were taken, and so many refused for good.
    pub(super) fn went(&mut self, signal: Signal, taken: u64, refused: u64) {
        match signal {
            Signal::Traces => {
                self.exported += taken;
                self.dropped_refused += refused;
            }
            Signal::Logs => {
                self.events.exported += taken;
                self.events.dropped_after += refused;
            }
            Signal::Metrics => {}
        }
    }

    /// Events that never went out: of calls without content, and those without room.
    pub(super) fn events_ended(&mut self, absent: u64, dropped: u64) {
        self.events.absent += absent;
        self.events.dropped_after += dropped;
    }

    pub(super) fn flush_ends(&mut self, flush: u64, well: bool) {
        if well {
            self.flush_done = self.flush_done.max(flush);
        } else {
            self.flush_failed = self.flush_failed.max(flush);
        }
    }

    pub(super) fn flushed(&self, flush: u64) -> Option<bool> {
        if self.flush_done >= flush {
            Some(true)
        } else {
            (self.flush_failed >= flush || !self.thread.runs()).then_some(false)
        }
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
        self.aim();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn has_thread(&self) -> bool {
        self.thread.runs()
    }

    pub(super) fn needs_thread(&self) -> bool {
        !self.waiting.is_empty() && self.thread.may_start()
    }

    pub(super) fn thread_started(&mut self) {
        self.thread.started();
    }

    pub(super) fn thread_not_started(&mut self, error: &std::io::Error) {
        self.thread.refused();
        self.last_error = Some(format!("cannot start the exporter's thread: {error}"));
    }

    /// What the thread still had is lost.
    pub(super) fn thread_ended(&mut self) {
        self.thread.ended();
        let waiting = self.waiting.iter().filter(|waiting| waiting.wanted.span).count() as u64;
        self.dropped_internal += self.on_their_way().saturating_sub(waiting);
        let waiting = self.waiting.iter().filter(|waiting| waiting.wanted.event).count() as u64;
        self.events.dropped_after += self.events.on_their_way().saturating_sub(waiting);
        self.encoded_bytes = 0;
    }

    pub(super) fn take_warning(&mut self) -> Option<String> {
        self.warning.take()
    }

    pub(super) fn stats(&self) -> OtlpStats {
        OtlpStats {
            exported: self.exported,
            dropped_queue_full: self.dropped_queue_full + self.dropped_after,
            dropped_refused: self.dropped_refused,
            dropped_internal: self.dropped_internal,
            sampled_out: self.sampled_out,
            queued_spans: self.on_their_way(),
            events_exported: self.events.exported,
            events_dropped: self.events.dropped_before + self.events.dropped_after,
            queued_bytes: self.waiting_bytes + self.encoded_bytes,
            last_error: self.last_error.clone(),
        }
    }

    pub(super) fn wait<'a>(condvar: &Condvar, guard: MutexGuard<'a, Self>, longest: Duration) -> MutexGuard<'a, Self> {
        condvar
            .wait_timeout(guard, longest)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}
