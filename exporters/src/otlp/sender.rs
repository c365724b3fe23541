//! The thread that turns calls into spans and sums, and sends both.

use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::aggregation::Metrics;
use super::problem::Problem;
use super::queue::{Answers, Queue, Shared, Waiting};
use super::request::{self, Answer, Unanswered, Verdict};
use super::settings::Destination;
use super::signal::Signal;
use super::{protobuf, span};
use crate::line::host_name;
use crate::recorder::signals;

const STACK: usize = 512 << 10;
/// A request's spans: what gRPC servers take unless told otherwise is 4 MiB.
const MOST_BYTES: usize = 3 << 20;
/// After a request that failed; doubled each time.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(5);
/// What a server asks for in `Retry-After` is believed up to here.
const LONGEST_ASKED: Duration = Duration::from_secs(60);
/// Between two attempts to reach a collector that refuses for the moment, while somebody waits for it.
const WHILE_FLUSHING: Duration = Duration::from_millis(100);

/// Starts the thread.
pub(super) fn start(shared: &Arc<Shared>, queue: &mut MutexGuard<'_, Queue>) {
    let now = Instant::now();
    let settings = &shared.settings;
    let sender = Sender {
        resource: request::resource(&settings.resource, std::process::id(), host_name().as_deref()),
        spans: VecDeque::new(),
        oldest: now,
        metrics: Metrics::new(settings.metrics_semconv, settings.temporality, wall_clock_ns()),
        next_metrics: now + settings.interval,
        traces_line: settings.traces.clone().map(Line::new),
        metrics_line: settings.metrics.clone().map(Line::new),
        flushing: None,
        metrics_cover: 0,
        shared: Arc::clone(shared),
    };
    let thread = thread::Builder::new()
        .name("edgequake-otlp".to_owned())
        .stack_size(STACK);
    match signals::blocked(|| thread.spawn(move || sender.run())) {
        Ok(_) => queue.thread_started(),
        Err(error) => queue.thread_not_started(&error),
    }
}

fn wall_clock_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as i64)
}

/// One signal's way out: one request at a time.
struct Line {
    destination: Destination,
    /// Sent, or to be sent again: the body, how many spans, and what they count for.
    held: Option<(Vec<u8>, u64, usize)>,
    under_way: bool,
    again_at: Option<Instant>,
    retry: Duration,
}

impl Line {
    fn new(destination: Destination) -> Self {
        Self {
            destination,
            held: None,
            under_way: false,
            again_at: None,
            retry: FIRST_RETRY,
        }
    }

    fn send(&mut self, shared: &Arc<Shared>) {
        let Some((body, ..)) = &self.held else { return };
        let framed = request::framed(body.clone(), self.destination.gzip, self.destination.protocol);
        let signal = self.destination.signal;
        let theirs = Arc::clone(shared);
        self.under_way = true;
        self.again_at = None;
        let done = Box::new(move |answer: Result<Answer, Unanswered>| {
            theirs.lock().answers.push((signal, answer));
            theirs.wake.notify_one();
        });
        shared.transport.post(signal, framed, done);
    }

    /// When it has something to do by itself.
    fn due(&self) -> Option<Instant> {
        self.again_at.filter(|_| !self.under_way)
    }
}

struct Sender {
    shared: Arc<Shared>,
    resource: Vec<u8>,
    /// Encoded, not yet in a request.
    spans: VecDeque<Vec<u8>>,
    /// When the first of these came.
    oldest: Instant,
    metrics: Metrics,
    next_metrics: Instant,
    traces_line: Option<Line>,
    metrics_line: Option<Line>,
    /// The flush that is being answered.
    flushing: Option<u64>,
    /// The latest flush whose calls are all in metrics that arrived.
    metrics_cover: u64,
}

impl Sender {
    fn run(mut self) {
        let _ending = Ending(Arc::clone(&self.shared));
        loop {
            let (waiting, answers, is_closed) = self.gather();
            for (signal, answer) in answers {
                self.answered(signal, &answer);
            }
            self.take_in(waiting);
            self.send_spans();
            self.send_metrics();
            if self.tell_flushers() && is_closed {
                return;
            }
        }
    }

    /// Waits until there is something to do.
    fn gather(&mut self) -> (Vec<Waiting>, Answers, bool) {
        let shared = Arc::clone(&self.shared);
        let mut queue = shared.lock();
        loop {
            let flush = queue.flush_wanted();
            let now = Instant::now();
            let due = self.due(queue.oldest());
            if !queue.answers.is_empty()
                || queue.is_enough()
                || (flush.is_some() && flush != self.flushing)
                || (flush.is_some() && !queue.is_empty())
                || due.is_some_and(|due| due <= now)
            {
                if flush != self.flushing && flush.is_some() {
                    self.hurry(now);
                }
                self.flushing = flush;
                queue.parked = false;
                let answers = std::mem::take(&mut queue.answers);
                return (queue.take(), answers, queue.is_closed());
            }
            // Whoever comes first while it sleeps longer than a span may wait wakes it.
            queue.parked = due.is_none_or(|due| due > now + shared.settings.delay);
            queue = Queue::wait(
                &shared.wake,
                queue,
                due.map_or(self.shared.settings.interval, |due| due - now),
            );
        }
    }

    /// Somebody waits: what was put off is tried at once.
    fn hurry(&mut self, now: Instant) {
        for line in [&mut self.traces_line, &mut self.metrics_line].into_iter().flatten() {
            if line.again_at.is_some() {
                line.again_at = Some(now);
            }
        }
    }

    fn due(&self, oldest_waiting: Option<Instant>) -> Option<Instant> {
        let is_idle = |line: &Option<Line>| line.as_ref().is_some_and(|line| line.held.is_none());
        let delay = self.shared.settings.delay;
        [
            oldest_waiting.map(|came| came + delay),
            (!self.spans.is_empty() && is_idle(&self.traces_line)).then(|| self.oldest + delay),
            self.traces_line.as_ref().and_then(Line::due),
            self.metrics_line.as_ref().and_then(Line::due),
            (self.metrics.has_points() && is_idle(&self.metrics_line)).then_some(self.next_metrics),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn take_in(&mut self, waiting: Vec<Waiting>) {
        let settings = &self.shared.settings;
        if !waiting.is_empty() && self.spans.is_empty() {
            self.oldest = Instant::now();
        }
        let (mut sampled_out, mut internal, mut full, mut bytes) = (0, 0, 0, 0);
        let held = self.shared.lock().encoded_bytes;
        let room = (settings.queue_bytes / 2).saturating_sub(held);
        for Waiting { call, wanted, .. } in waiting {
            let Some(record) = call.record() else {
                internal += u64::from(wanted.span);
                continue;
            };
            let sampled = wanted.span && settings.sampler.samples(&record.trace_id, record.parent_sampled);
            if wanted.metrics {
                self.metrics.add(&record, sampled);
            }
            if !wanted.span {
                continue;
            }
            if !sampled {
                sampled_out += 1;
                continue;
            }
            let span = span::encode(&record, settings.spans_semconv);
            // One that is larger than all the room is sent alone, where nothing else waits.
            if bytes + span.len() > room && held + bytes > 0 {
                full += 1;
                continue;
            }
            bytes += span.len();
            self.spans.push_back(span);
        }
        let mut queue = self.shared.lock();
        queue.encoded_bytes += bytes;
        queue.sampled_out += sampled_out;
        queue.dropped_internal += internal;
        queue.dropped_after += full;
    }

    fn send_spans(&mut self) {
        let settings = &self.shared.settings;
        let Some(line) = &mut self.traces_line else { return };
        if line.under_way {
            return;
        }
        if line.held.is_some() {
            if line.again_at.is_some_and(|at| at <= Instant::now()) {
                line.send(&self.shared);
            }
            return;
        }
        let is_due =
            self.flushing.is_some() || self.spans.len() >= settings.batch || self.oldest.elapsed() >= settings.delay;
        if self.spans.is_empty() || !is_due {
            return;
        }
        let (mut items, mut count, mut bytes) = (Vec::new(), 0, 0);
        while count < settings.batch as u64
            && let Some(span) = self.spans.pop_front()
        {
            if count > 0 && bytes + span.len() > MOST_BYTES {
                self.spans.push_front(span);
                break;
            }
            count += 1;
            bytes += span.len();
            protobuf::bytes(&mut items, 2, &span);
        }
        line.held = Some((request::body(&self.resource, &items), count, bytes));
        line.send(&self.shared);
    }

    fn send_metrics(&mut self) {
        let Some(line) = &mut self.metrics_line else { return };
        if line.under_way {
            return;
        }
        let now = Instant::now();
        if line.held.is_some() {
            if line.again_at.is_some_and(|at| at <= now) {
                line.send(&self.shared);
            }
            return;
        }
        let flushing = self.flushing.is_some() && self.metrics.changed();
        if !self.metrics.has_points() || (now < self.next_metrics && !flushing) {
            return;
        }
        self.next_metrics = now + self.shared.settings.interval;
        let items = self.metrics.collect(wall_clock_ns());
        line.held = Some((request::body(&self.resource, &items), 0, 0));
        line.send(&self.shared);
    }

    fn answered(&mut self, signal: Signal, answer: &Result<Answer, Unanswered>) {
        let line = match signal {
            Signal::Traces => &mut self.traces_line,
            Signal::Metrics => &mut self.metrics_line,
        };
        let Some(line) = line else { return };
        line.under_way = false;
        let Some((_, spans, bytes)) = line.held else { return };
        let url = &line.destination.url;
        let mut queue = self.shared.lock();
        match Verdict::of(answer, line.destination.protocol) {
            Verdict::Taken { refused, why } => {
                let refused = refused.min(spans);
                queue.exported += spans - refused;
                queue.dropped_refused += refused;
                queue.last_error = None;
                if why.is_some() || refused > 0 {
                    let why = why.unwrap_or_else(|| "no reason given".to_owned());
                    self.shared.failed(
                        &mut queue,
                        signal,
                        url,
                        &Problem::new(format!("{refused} were rejected: {why}")),
                    );
                }
            }
            Verdict::Never { why } => {
                queue.dropped_refused += spans;
                self.shared.failed(&mut queue, signal, url, &why);
            }
            Verdict::Later {
                after,
                why,
                unreachable,
            } => {
                self.shared.failed(&mut queue, signal, url, &why);
                let pause = match after {
                    Some(asked) => asked.min(LONGEST_ASKED),
                    None if self.flushing.is_some() => WHILE_FLUSHING,
                    None => line.retry,
                };
                line.again_at = Some(Instant::now() + pause);
                line.retry = (2 * line.retry).min(LAST_RETRY);
                // Nobody listens there: whoever waits for that need not wait any longer.
                if unreachable && let Some(flush) = self.flushing {
                    queue.flush_ends(flush, false);
                    self.shared.progress.notify_all();
                }
                return;
            }
        }
        queue.encoded_bytes = queue.encoded_bytes.saturating_sub(bytes);
        line.held = None;
        line.retry = FIRST_RETRY;
    }

    /// Whether nothing is left that a flush waits for.
    fn tell_flushers(&mut self) -> bool {
        let Some(flush) = self.flushing else { return false };
        let metrics_idle = self.metrics_line.as_ref().is_none_or(|line| line.held.is_none());
        if metrics_idle && (self.metrics_line.is_none() || !self.metrics.changed()) {
            self.metrics_cover = flush;
        }
        let mut queue = self.shared.lock();
        let whole = queue.is_at_target() && self.metrics_cover >= flush;
        if whole {
            queue.flush_ends(flush, true);
            self.flushing = None;
            self.shared.progress.notify_all();
        } else if queue.flush_wanted().is_none() {
            self.flushing = None;
        }
        whole || (queue.is_closed() && self.is_stuck())
    }

    /// Nothing is under way, and what there was has failed.
    fn is_stuck(&self) -> bool {
        let mut lines = [&self.traces_line, &self.metrics_line].into_iter().flatten();
        lines.clone().all(|line| !line.under_way) && lines.any(|line| line.again_at.is_some())
    }
}

/// However the thread ends: nobody waits for it any longer, and the next call starts another.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.lock().thread_ended();
        self.0.progress.notify_all();
    }
}
