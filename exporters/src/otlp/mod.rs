//! Spans, metrics and events over OTLP, for a program that has no OpenTelemetry of its own: callers hand over calls that are over and
//! go on; one thread encodes, adds up, sends, and tries again.

mod aggregation;
mod attributes;
mod event;
mod line;
mod measurements;
mod parameters;
mod problem;
mod protobuf;
mod provider;
mod queue;
mod request;
mod resource;
mod sampler;
mod sender;
mod settings;
mod signal;
mod span;
mod value;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub use attributes::{Part, attributes, span_name};
pub use event::{DETAILS, is_told};
pub use measurements::{INSTRUMENTS, Instrument, Kind, Measurement, common_attributes, error_attribute, measurements};
pub use problem::Problem;
pub use provider::provider_name;
pub use request::{Answer, Transport, Unanswered};
pub use sampler::Sampler;
pub use settings::{Destination, OtlpSettings, Protocol, Semconv, Temporality, Wish};
pub use signal::Signal;
pub use span::{EVENT, attempt_attributes, events};
pub use value::Value;

use crate::record::{CallRecord, Ended};
use queue::{Queue, Shared, Waiting};

/// The name of our spans and instruments' scope.
pub const SCOPE: &str = "edgequake_obs";
/// Of the newest conventions, which the names of spans and attributes follow.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/gen-ai/1.42.0";

/// What of a call is to be exported; the rest is somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub span: bool,
    pub metrics: bool,
    /// Its content, where that is kept for events.
    pub event: bool,
}

/// Counts of spans since the exporter was made.
#[derive(Clone, Debug, Default)]
pub struct OtlpStats {
    /// Spans that the collector took.
    pub exported: u64,
    pub dropped_queue_full: u64,
    /// The collector refused them for good.
    pub dropped_refused: u64,
    pub dropped_internal: u64,
    /// Not exported because the sampler said so.
    pub sampled_out: u64,
    pub queued_spans: u64,
    pub queued_bytes: usize,
    pub events_exported: u64,
    pub events_dropped: u64,
    /// Why the last request failed; None again after one that did not.
    pub last_error: Option<String>,
}

/// One per process, as the recorder.
#[derive(Debug)]
pub struct Otlp {
    shared: Arc<Shared>,
}

impl Otlp {
    /// No I/O, and no thread before the first call.
    #[must_use]
    pub fn new(settings: OtlpSettings, transport: Arc<dyn Transport>) -> Self {
        Self {
            shared: Arc::new(Shared::new(settings, transport)),
        }
    }

    #[must_use]
    pub fn exports(&self, signal: Signal) -> bool {
        match signal {
            Signal::Traces => self.shared.settings.traces.is_some(),
            Signal::Metrics => self.shared.settings.metrics.is_some(),
            Signal::Logs => self.shared.settings.logs.is_some(),
        }
    }

    /// Whether a span of that trace will be exported, for who is to be told in W3C's form; None where no spans are, or the
    /// program's propagators are others.
    #[must_use]
    pub fn samples(&self, trace_id: &[u8; 16], parent: Option<bool>) -> Option<bool> {
        let settings = &self.shared.settings;
        let is_told = settings.traces.is_some() && settings.propagates_trace_context;
        is_told.then(|| settings.sampler.samples(trace_id, parent))
    }

    /// Hands a call over. Never waits on anything but another caller doing the same.
    pub fn push(&self, call: Box<dyn Ended>, wanted: Wanted) {
        let wanted = Wanted {
            span: wanted.span && self.exports(Signal::Traces),
            metrics: wanted.metrics && self.exports(Signal::Metrics),
            event: wanted.event && self.exports(Signal::Logs),
        };
        if !wanted.span && !wanted.metrics && !wanted.event {
            return;
        }
        let shared = &self.shared;
        let bytes = call.weight();
        let mut queue = shared.lock();
        let refused = queue.push(Waiting { call, bytes, wanted }, &shared.settings);
        let wake = queue.wants_sender();
        if queue.needs_thread() {
            sender::start(shared, &mut queue);
        }
        drop(queue);
        if wake {
            shared.wake.notify_one();
        }
        drop(refused);
    }

    /// As [`Self::push`], of a call whose record is made.
    pub fn push_record(&self, record: Arc<CallRecord>, wanted: Wanted) {
        self.push(Box::new(Made(record)), wanted);
    }

    /// Waits until everything handed over before has reached the collector, metrics too.
    ///
    /// Returns `false` if it has not after `timeout`, or as soon as nobody turns out to listen there.
    #[must_use]
    pub fn flush(&self, timeout: Duration) -> bool {
        let shared = &self.shared;
        let deadline = Instant::now() + timeout;
        let mut queue = shared.lock();
        if !queue.has_thread() {
            return queue.is_settled();
        }
        let mine = queue.ask_for_flush();
        shared.wake.notify_one();
        loop {
            if let Some(done) = queue.flushed(mine) {
                return done;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            queue = Queue::wait(&shared.progress, queue, left);
        }
    }

    #[must_use]
    pub fn stats(&self) -> OtlpStats {
        self.shared.lock().stats()
    }

    /// Whether [`Self::take_warning`] has something to say; costs next to nothing.
    #[must_use]
    pub fn has_warning(&self) -> bool {
        self.shared.has_warning.load(Ordering::Relaxed)
    }

    /// What the user should know, at most once a minute.
    #[must_use]
    pub fn take_warning(&self) -> Option<String> {
        self.shared.has_warning.store(false, Ordering::Relaxed);
        self.shared.lock().take_warning()
    }

    /// For an exporter that another takes the place of: its thread sends what it can once more and ends. Nobody waits.
    pub fn close(&self) {
        self.shared.lock().close();
        self.shared.wake.notify_one();
    }
}

#[derive(Debug)]
struct Made(Arc<CallRecord>);

impl Ended for Made {
    fn weight(&self) -> usize {
        size_of::<CallRecord>()
    }

    fn record(&self) -> Option<Arc<CallRecord>> {
        Some(Arc::clone(&self.0))
    }
}
