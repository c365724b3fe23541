//! The bytes of somebody else's stream: read in passing, handed on unchanged but for a usage event that we asked for.
//!
//! The program waits while its bytes are here, so most events are only laid aside. At the end those that say something
//! about the call are read; the rest only where the provider reported no usage, and their text has to be measured.

use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use crate::background;
use crate::call::{Ending, OpenCall};
use crate::failure::{Failure, FailureKind};
use crate::framing::{Cutter, Framing};
use crate::providers::openai::{self, EventKind};
use crate::sse::{Event, Splitter};
use crate::surface::Surface;

/// Bytes of a stream that are kept unread.
const MOST_LAID_ASIDE: usize = 256 << 10;

/// What became of bytes that were fed.
#[derive(Debug, Default)]
pub(crate) struct Fed {
    /// What the client may see of them; None: the bytes as they are.
    pub seen: Option<Bytes>,
    /// Where, in what the client may see, the stream's last event begins: who asks for that has had the rest.
    pub last: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct Tap {
    call: Arc<OpenCall>,
    surface: Surface,
    cutter: Cutter,
    hide_usage: bool,
    /// A library above decides how the call ends.
    is_part: bool,
    /// The provider has said that it is over.
    is_over: bool,
    /// The call has been told how it ends.
    is_left: bool,
    fed: bool,
    /// Whole events, not looked at yet, and when the last of them came.
    pending: BytesMut,
    last_came: Instant,
    /// The data of events that were looked at and say nothing but text.
    unread: Vec<Bytes>,
    unread_bytes: usize,
    /// An error event or an unreadable one: the client will raise it, and the record says so at the end.
    failure: Option<Failure>,
}

impl Tap {
    pub(crate) fn new(call: Arc<OpenCall>, surface: Surface, framing: Framing, hide_usage: bool) -> Self {
        Self {
            call,
            surface,
            cutter: Cutter::new(framing),
            hide_usage,
            is_part: false,
            is_over: false,
            is_left: false,
            fed: false,
            pending: BytesMut::new(),
            last_came: Instant::now(),
            unread: Vec::new(),
            unread_bytes: 0,
            failure: None,
        }
    }

    /// The tap of a transport beneath a library, which decides how the call ends.
    pub(crate) fn of_part(call: Arc<OpenCall>, surface: Surface, framing: Framing, hide_usage: bool) -> Self {
        let mut tap = Self::new(call, surface, framing, hide_usage);
        tap.is_part = true;
        tap
    }

    pub(crate) fn feed(&mut self, data: &[u8]) -> Fed {
        self.last_came = Instant::now();
        // The first event is read at once: a call that is left early shall know who answered.
        if self.fed && self.may_wait(data) {
            self.pending.extend_from_slice(data);
            if self.pending.len() + self.unread_bytes > MOST_LAID_ASIDE {
                self.read_all();
            }
            return Fed::default();
        }
        self.fed = true;
        self.sift();
        self.pass(data)
    }

    /// Whether these bytes are whole events of which none is to be hidden, and none is the last.
    fn may_wait(&self, data: &[u8]) -> bool {
        let is_wanted = self.surface.may_end(data) || (self.hide_usage && openai::may_be_only_usage(data));
        !is_wanted && !self.call.is_heard() && self.cutter.ends_with(data)
    }

    fn pass(&mut self, data: &[u8]) -> Fed {
        let held = self.cutter.held();
        let given_up = self.cutter.push(data);
        let mut out: Option<BytesMut> = (self.hide_usage && held > 0).then(BytesMut::new);
        if let (Some(out), Some(too_long)) = (&mut out, given_up) {
            // What is too long to look at is the client's all the same.
            out.extend_from_slice(&too_long);
        }
        let mut passed = 0;
        let mut last = None;
        while let Some(event) = self.cutter.next() {
            let kind = self.see(&event);
            let hidden = self.hide_usage && kind == Some(EventKind::UsageOnly);
            if matches!(kind, Some(EventKind::Done | EventKind::Last)) {
                last.get_or_insert(out.as_ref().map_or(usize::saturating_sub(passed, held), BytesMut::len));
            }
            match (&mut out, hidden) {
                (None, false) => {}
                // The first thing hidden: what came before it in these bytes goes on.
                (slot @ None, true) => *slot = Some(BytesMut::from(&data[..passed])),
                (Some(out), false) => out.extend_from_slice(&event.raw),
                (Some(_), true) => {}
            }
            passed += event.raw.len();
        }
        if self.hide_usage && out.is_none() && self.cutter.held() > 0 {
            // An event that has not ended may turn out to be the hidden one: it waits.
            out = Some(BytesMut::from(&data[..passed]));
        }
        Fed {
            seen: out.map(BytesMut::freeze),
            last,
        }
    }

    /// Reads an event into the call.
    fn see(&mut self, event: &Event) -> Option<EventKind> {
        let came = self.last_came;
        let kind = self.read(&event.data);
        if matches!(kind, Some(EventKind::Chunk | EventKind::UsageOnly | EventKind::Last)) {
            self.call.with_state(|state| state.events_arrived(1, came));
            self.call.hear_chunk(&event.data);
        }
        kind
    }

    fn read(&mut self, data: &[u8]) -> Option<EventKind> {
        let surface = self.surface;
        let kind = self.call.with_state(|state| surface.read_event(&mut state.facts, data));
        self.is_over |= matches!(kind, Some(EventKind::Last | EventKind::Error(_)));
        match kind {
            Some(EventKind::Error(error)) => {
                self.failure = Some(Failure {
                    status: error.status,
                    code: error.code,
                    ..Failure::new(FailureKind::Status, error.message)
                });
                None
            }
            Some(EventKind::Invalid(message)) => {
                self.failure = Some(Failure::new(FailureKind::InvalidResponse, message));
                None
            }
            kind => kind,
        }
    }

    /// Looks at the events laid aside: reads those that say something, keeps the others unread.
    fn sift(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let mut splitter = Splitter::default();
        splitter.push(self.pending.split().freeze());
        let mut only_text = 0;
        while let Some(event) = splitter.next() {
            if self.surface.is_telling(&event.data) {
                self.see(&event);
            } else {
                only_text += 1;
                self.unread_bytes += event.data.len();
                self.unread.push(event.data);
            }
        }
        let came = self.last_came;
        self.call.with_state(|state| state.events_arrived(only_text, came));
    }

    /// Reads everything that is still unread, for its text and for what is wrong with it.
    fn read_all(&mut self) {
        self.sift();
        for data in std::mem::take(&mut self.unread) {
            self.read(&data);
        }
        self.unread_bytes = 0;
    }

    /// The client asked for more than there is: it has read the stream to its end.
    pub(crate) fn eof(&mut self) -> Bytes {
        self.sift();
        let rest = self.cutter.finish();
        let kind = rest.as_ref().and_then(|event| self.see(event));
        let hidden = self.hide_usage && kind == Some(EventKind::UsageOnly);
        if self.call.with_state(|state| state.facts.is_counted()) == Some(false) {
            self.read_all();
        }
        self.end(Ending::Completed);
        match rest {
            // Without hiding, every byte was handed on as it came.
            Some(event) if self.hide_usage && !hidden => event.raw,
            _ => Bytes::new(),
        }
    }

    /// The client left, perhaps because of what it read.
    pub(crate) fn closed(&mut self) {
        self.read_all();
        self.end(Ending::ClosedEarly);
    }

    pub(crate) fn failed(&mut self, failure: Failure) {
        self.read_all();
        self.failure = Some(failure);
        self.end(Ending::ClosedEarly);
    }

    pub(crate) fn settle(&mut self) {
        self.read_all();
    }

    fn end(&mut self, ending: Ending) {
        if self.is_part || std::mem::replace(&mut self.is_left, true) {
            return;
        }
        let failure = self.failure.take();
        let ending = failure.map_or(ending, |failure| self.call.failing(failure).1);
        background::stream_left(&self.call, ending, self.is_over);
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.read_all();
        self.end(if self.fed {
            Ending::ClosedEarly
        } else {
            Ending::Abandoned
        });
    }
}
