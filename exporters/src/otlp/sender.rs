//! The thread that turns calls into spans, events and sums, and sends them.

use std::sync::{Arc, MutexGuard};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::aggregation::Metrics;
use super::line::Line;
use super::problem::Problem;
use super::queue::{Answers, Queue, Shared, Waiting};
use super::request::{self, Answer, Unanswered, Verdict};
use super::signal::Signal;
use super::{event, span};
use crate::line::host_name;
use crate::recorder::signals;

const STACK: usize = 512 << 10;
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
        metrics: Metrics::new(settings.metrics_semconv, settings.temporality, wall_clock_ns()),
        next_metrics: now + settings.interval,
        traces_line: settings.traces.clone().map(Line::new),
        metrics_line: settings.metrics.clone().map(Line::new),
        logs_line: settings.logs.clone().map(Line::new),
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

struct Sender {
    shared: Arc<Shared>,
    resource: Vec<u8>,
    metrics: Metrics,
    next_metrics: Instant,
    traces_line: Option<Line>,
    metrics_line: Option<Line>,
    logs_line: Option<Line>,
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
            for line in [&mut self.traces_line, &mut self.logs_line].into_iter().flatten() {
                line.send_due(&self.shared, &self.resource, self.flushing.is_some());
            }
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
        let lines = [&mut self.traces_line, &mut self.metrics_line, &mut self.logs_line];
        lines.into_iter().flatten().for_each(|line| line.hurry(now));
    }

    fn due(&self, oldest_waiting: Option<Instant>) -> Option<Instant> {
        let delay = self.shared.settings.delay;
        let is_idle = |line: &Option<Line>| line.as_ref().is_some_and(Line::is_idle);
        let of_line = |line: &Option<Line>| line.as_ref().and_then(|line| line.due(delay));
        [
            oldest_waiting.map(|came| came + delay),
            of_line(&self.traces_line),
            of_line(&self.metrics_line),
            of_line(&self.logs_line),
            (self.metrics.has_points() && is_idle(&self.metrics_line)).then_some(self.next_metrics),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn take_in(&mut self, waiting: Vec<Waiting>) {
        let settings = &self.shared.settings;
        let (mut sampled_out, mut internal, mut full, mut bytes) = (0, 0, 0, 0);
        let (mut no_event, mut events_full) = (0, 0);
        let held = self.shared.lock().encoded_bytes;
        let room = (settings.queue_bytes / 2).saturating_sub(held);
        // One that is larger than all the room is sent alone, where nothing else waits.
        let mut fits = |encoded: &[u8]| {
            let fits = bytes + encoded.len() <= room || held + bytes == 0;
            bytes += if fits { encoded.len() } else { 0 };
            fits
        };
        for Waiting { call, wanted, .. } in waiting {
            let Some(record) = call.record() else {
                internal += u64::from(wanted.span);
                no_event += u64::from(wanted.event);
                continue;
            };
            let sampled = settings.sampler.samples(&record.trace_id, record.parent_sampled);
            if wanted.metrics {
                self.metrics.add(&record, sampled && wanted.span);
            }
            if let Some(line) = self.logs_line.as_mut().filter(|_| wanted.event) {
                match event::encode(&record, settings.spans_semconv, sampled && wanted.span) {
                    Some(event) if fits(&event) => line.add(event),
                    Some(_) => events_full += 1,
                    None => no_event += 1,
                }
            }
            let Some(line) = self.traces_line.as_mut().filter(|_| wanted.span) else {
                continue;
            };
            if !sampled {
                sampled_out += 1;
                continue;
            }
            let span = span::encode(&record, settings.spans_semconv, settings.longest_text);
            if fits(&span) {
                line.add(span);
            } else {
                full += 1;
            }
        }
        let mut queue = self.shared.lock();
        queue.encoded_bytes += bytes;
        queue.sampled_out += sampled_out;
        queue.dropped_internal += internal;
        queue.dropped_after += full;
        queue.events_ended(no_event, events_full);
    }

    fn send_metrics(&mut self) {
        let Some(line) = &mut self.metrics_line else { return };
        let now = Instant::now();
        if !line.is_free(&self.shared, now) {
            return;
        }
        let flushing = self.flushing.is_some() && self.metrics.changed();
        if !self.metrics.has_points() || (now < self.next_metrics && !flushing) {
            return;
        }
        self.next_metrics = now + self.shared.settings.interval;
        let items = self.metrics.collect(wall_clock_ns());
        line.send_new(&self.shared, request::body(&self.resource, &items), 0, 0);
    }

    fn answered(&mut self, signal: Signal, answer: &Result<Answer, Unanswered>) {
        let line = match signal {
            Signal::Traces => &mut self.traces_line,
            Signal::Metrics => &mut self.metrics_line,
            Signal::Logs => &mut self.logs_line,
        };
        let Some(line) = line else { return };
        let Some((count, bytes)) = line.answered() else { return };
        let url = &line.destination.url;
        let mut queue = self.shared.lock();
        match Verdict::of(answer, line.destination.protocol) {
            Verdict::Taken { refused, why } => {
                let refused = refused.min(count);
                queue.went(signal, count - refused, refused);
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
                queue.went(signal, 0, count);
                self.shared.failed(&mut queue, signal, url, &why);
            }
            Verdict::Later {
                after,
                why,
                unreachable,
            } => {
                self.shared.failed(&mut queue, signal, url, &why);
                line.put_off(match after {
                    Some(asked) => Some(asked.min(LONGEST_ASKED)),
                    None => self.flushing.map(|_| WHILE_FLUSHING),
                });
                // Nobody listens there: whoever waits for that need not wait any longer.
                if unreachable && let Some(flush) = self.flushing {
                    queue.flush_ends(flush, false);
                    self.shared.progress.notify_all();
                }
                return;
            }
        }
        queue.encoded_bytes = queue.encoded_bytes.saturating_sub(bytes);
        line.done();
    }

    /// Whether nothing is left that a flush waits for.
    fn tell_flushers(&mut self) -> bool {
        let Some(flush) = self.flushing else { return false };
        let metrics_idle = self.metrics_line.as_ref().is_none_or(Line::is_idle);
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
        let mut lines = [&self.traces_line, &self.metrics_line, &self.logs_line]
            .into_iter()
            .flatten();
        lines.clone().all(|line| !line.is_under_way()) && lines.any(Line::is_put_off)
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
