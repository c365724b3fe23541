//! One signal's way out: what is encoded and waits, and one request at a time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::protobuf;
use super::queue::Shared;
use super::request::{self, Answer, Unanswered};
use super::settings::Destination;

/// What a request carries: what gRPC servers take unless told otherwise is 4 MiB.
const MOST_BYTES: usize = 3 << 20;
/// After a request that failed; doubled each time.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// Sent, or to be sent again.
struct Held {
    body: Vec<u8>,
    /// How many spans or events, and what they count for.
    count: u64,
    bytes: usize,
}

pub(super) struct Line {
    pub(super) destination: Destination,
    /// Encoded, not yet in a request; metrics have none.
    waiting: VecDeque<Vec<u8>>,
    /// When the first of these came.
    oldest: Instant,
    held: Option<Held>,
    under_way: bool,
    again_at: Option<Instant>,
    retry: Duration,
}

impl Line {
    pub(super) fn new(destination: Destination) -> Self {
        Self {
            destination,
            waiting: VecDeque::new(),
            oldest: Instant::now(),
            held: None,
            under_way: false,
            again_at: None,
            retry: FIRST_RETRY,
        }
    }

    /// A span or an event, encoded.
    pub(super) fn add(&mut self, encoded: Vec<u8>) {
        if self.waiting.is_empty() {
            self.oldest = Instant::now();
        }
        self.waiting.push_back(encoded);
    }

    /// When it has something to do by itself.
    pub(super) fn due(&self, delay: Duration) -> Option<Instant> {
        let again = self.again_at.filter(|_| !self.under_way);
        let fresh = (!self.waiting.is_empty() && self.held.is_none()).then(|| self.oldest + delay);
        [again, fresh].into_iter().flatten().min()
    }

    /// Nothing of it is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.held.is_none()
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.under_way
    }

    /// What there was has failed.
    pub(super) fn is_put_off(&self) -> bool {
        self.again_at.is_some()
    }

    /// Somebody waits: what was put off is tried at once.
    pub(super) fn hurry(&mut self, now: Instant) {
        if self.again_at.is_some() {
            self.again_at = Some(now);
        }
    }

    /// Whether a new request may be made; sends what is to be sent again.
    pub(super) fn is_free(&mut self, shared: &Arc<Shared>, now: Instant) -> bool {
        if !self.under_way && self.again_at.is_some_and(|at| at <= now) {
            self.send(shared);
        }
        self.held.is_none()
    }

    /// Sends what waits, where that is due.
    pub(super) fn send_due(&mut self, shared: &Arc<Shared>, resource: &[u8], at_once: bool) {
        let now = Instant::now();
        if !self.is_free(shared, now) {
            return;
        }
        let settings = &shared.settings;
        let is_due = at_once || self.waiting.len() >= settings.batch || self.oldest + settings.delay <= now;
        if self.waiting.is_empty() || !is_due {
            return;
        }
        let (mut items, mut count, mut bytes) = (Vec::new(), 0, 0);
        while count < settings.batch as u64
            && let Some(encoded) = self.waiting.pop_front()
        {
            if count > 0 && bytes + encoded.len() > MOST_BYTES {
                self.waiting.push_front(encoded);
                break;
            }
            count += 1;
            bytes += encoded.len();
            protobuf::bytes(&mut items, 2, &encoded);
        }
        self.send_new(shared, request::body(resource, &items), count, bytes);
    }

    pub(super) fn send_new(&mut self, shared: &Arc<Shared>, body: Vec<u8>, count: u64, bytes: usize) {
        self.held = Some(Held { body, count, bytes });
        self.send(shared);
    }

    fn send(&mut self, shared: &Arc<Shared>) {
        let Some(held) = &self.held else { return };
        let framed = request::framed(held.body.clone(), self.destination.gzip, self.destination.protocol);
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

    /// An answer has come: to how many, and what they count for.
    pub(super) fn answered(&mut self) -> Option<(u64, usize)> {
        self.under_way = false;
        self.held.as_ref().map(|held| (held.count, held.bytes))
    }

    /// The same is sent once more, after that pause or after one that grows.
    pub(super) fn put_off(&mut self, pause: Option<Duration>) {
        self.again_at = Some(Instant::now() + pause.unwrap_or(self.retry));
        self.retry = (2 * self.retry).min(LAST_RETRY);
    }

    pub(super) fn done(&mut self) {
        self.held = None;
        self.retry = FIRST_RETRY;
    }
}
