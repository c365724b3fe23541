//! What callbacks are told of calls: a queue between the threads where things happen, none of which may touch the
//! interpreter or wait, and the one Python thread that runs the callbacks.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use exporters::CallRecord;
use exporters::otlp::Wanted;
use http::HeaderMap;

use crate::call::{Live, OpenCall};
use crate::failure::Failure;
use crate::wake::Wake;

/// What an event without content counts for.
const BARE: usize = 512;

/// Who listens to a call: the number under which Python keeps what belongs to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listener {
    pub ticket: u64,
    /// Whether the call's beginning is an event of its own.
    pub wants_beginning: bool,
    /// Whether each chunk of a stream is.
    pub wants_chunks: bool,
    /// About what Python keeps of the request for as long as an event of the call waits.
    pub request_bytes: usize,
}

/// What a listener will be told at the end, kept while the call runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    pub answer: Option<Bytes>,
    pub chunks: Vec<Bytes>,
    pub headers: HeaderMap,
    pub failure: Option<Failure>,
}

impl Heard {
    fn weight(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(Bytes::len).sum();
        chunks + self.answer.as_ref().map_or(0, Bytes::len)
    }
}

/// A call that is over: itself, or, where it was dropped, what is left of it.
#[derive(Debug)]
pub(crate) enum Over {
    Call(Arc<OpenCall>),
    Record(Arc<CallRecord>),
}

impl Over {
    /// What of it is exported from here. What was dropped has been exported already.
    pub(crate) fn exported(&self) -> Wanted {
        match self {
            Self::Call(call) => call.exported(),
            Self::Record(_) => Wanted {
                span: false,
                metrics: false,
                event: false,
            },
        }
    }

    pub(crate) fn live(&self) -> Option<Live> {
        match self {
            Self::Call(call) => call.live,
            Self::Record(_) => None,
        }
    }

    pub(crate) fn record(&self) -> Option<Arc<CallRecord>> {
        match self {
            Self::Call(call) => call.settled(),
            Self::Record(record) => Some(Arc::clone(record)),
        }
    }
}

#[derive(Debug)]
pub(crate) enum Event {
    /// The request is about to be sent.
    Begun(Listener),
    Chunk(u64, Bytes),
    Ended(Listener, Over, Box<Heard>),
    /// There was no room for an event of the call: nothing more comes of it.
    Dropped(u64),
    /// A call whose texts the program's own redactor has yet to see: its record has not left.
    Unredacted(Over),
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<(Event, usize)>,
    bytes: usize,
}

/// The queue of a process.
#[derive(Debug)]
pub(crate) struct Events {
    queue: Mutex<Queue>,
    most_bytes: usize,
    wake: OnceLock<Option<Wake>>,
    pushed: AtomicU64,
    dropped: AtomicU64,
}

impl Events {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self {
            queue: Mutex::default(),
            most_bytes,
            wake: OnceLock::new(),
            pushed: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The descriptor that is readable while something waits; None where the system has none left.
    pub(crate) fn descriptor(&self) -> Option<i32> {
        self.wake
            .get_or_init(|| Wake::new().ok())
            .as_ref()
            .map(Wake::descriptor)
    }

    /// Whether a call must go unheard from its beginning, as there is no room for what is kept of it.
    pub(crate) fn refuses(&self, request_bytes: usize) -> bool {
        let full = self.lock().bytes + BARE + request_bytes > self.most_bytes;
        self.dropped.fetch_add(u64::from(full), Ordering::Relaxed);
        full
    }

    /// False: there is no room, and the event is gone.
    #[must_use]
    pub(crate) fn push(&self, event: Event) -> bool {
        let bytes = match &event {
            Event::Chunk(_, data) => BARE + data.len(),
            Event::Begun(listener) => BARE + listener.request_bytes,
            Event::Ended(listener, _, heard) => BARE + listener.request_bytes + heard.weight(),
            Event::Dropped(_) | Event::Unredacted(_) => 0,
        };
        let must_fit = matches!(event, Event::Dropped(_) | Event::Unredacted(_));
        let was_empty = {
            let mut queue = self.lock();
            if !must_fit && queue.bytes + bytes > self.most_bytes {
                drop(queue);
                self.dropped.fetch_add(1, Ordering::Relaxed);
                return false;
            }
            queue.bytes += bytes;
            queue.waiting.push_back((event, bytes));
            self.pushed.fetch_add(1, Ordering::Relaxed);
            queue.waiting.len() == 1
        };
        if was_empty && let Some(Some(wake)) = self.wake.get() {
            wake.signal();
        }
        true
    }

    /// The next event, in the order in which they happened.
    pub(crate) fn next(&self) -> Option<Event> {
        let mut queue = self.lock();
        match queue.waiting.pop_front() {
            Some((event, bytes)) => {
                queue.bytes -= bytes;
                Some(event)
            }
            None => {
                // Under the lock: whoever pushes next finds the queue empty, and signals again.
                if let Some(Some(wake)) = self.wake.get() {
                    wake.clear();
                }
                None
            }
        }
    }

    pub(crate) fn pushed(&self) -> u64 {
        self.pushed.load(Ordering::Relaxed)
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn queued_bytes(&self) -> usize {
        self.lock().bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTENER: Listener = Listener {
        ticket: 1,
        wants_beginning: true,
        wants_chunks: true,
        request_bytes: 0,
    };

    #[test]
    fn events_come_in_order_and_within_the_bound() {
        let events = Events::new(3 * BARE);
        assert!(events.push(Event::Begun(LISTENER)));
        assert!(events.push(Event::Chunk(1, Bytes::from_static(b"x"))));
        assert!(!events.push(Event::Chunk(1, Bytes::from(vec![0; 2 * BARE]))));
        assert!(events.push(Event::Dropped(1)));
        assert_eq!((events.pushed(), events.dropped()), (3, 1));
        assert!(matches!(events.next(), Some(Event::Begun(_))));
        assert!(matches!(events.next(), Some(Event::Chunk(1, _))));
        assert!(matches!(events.next(), Some(Event::Dropped(1))));
        assert!(events.next().is_none());
        assert_eq!(events.queued_bytes(), 0);
    }
}
