//! The bytes of somebody else's stream: read in passing, handed on unchanged but for a usage event that we asked for.
//!
//! The program waits while its bytes are here, so most events are only laid aside. At the end those that say something
//! about the call are read; the rest only where the provider reported no usage, and their text has to be measured.

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use memchr::memmem::Finder;

use crate::call::{Ending, OpenCall};
use crate::failure::{Failure, FailureKind};
use crate::providers::openai::{self, EventKind};
use crate::sse::{Event, Splitter};

/// Bytes of a stream that are kept unread.
const MOST_LAID_ASIDE: usize = 256 << 10;

static FINISH_REASON: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"finish_reason\""));
static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"usage\""));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"error\""));
static CHOICES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"choices\""));

/// Whether a name that `finder` finds has a value that begins with `start`. Text that looks like it costs a parse.
fn has(finder: &Finder<'_>, start: u8, data: &[u8]) -> bool {
    finder
        .find_iter(data)
        .any(|at| value_at(data, at + finder.needle().len()).first() == Some(&start))
}

fn value_at(data: &[u8], at: usize) -> &[u8] {
    let colon = data.get(at..).unwrap_or_default().trim_ascii_start();
    colon.strip_prefix(b":").unwrap_or_default().trim_ascii_start()
}

/// Whether an event may say more than text.
fn is_telling(data: &[u8]) -> bool {
    !data.starts_with(b"{") || has(&FINISH_REASON, b'"', data) || has(&USAGE, b'{', data) || ERROR.find(data).is_some()
}

/// Whether there may be an event in `data` that carries nothing but usage: its list of choices is empty.
fn may_be_only_usage(data: &[u8]) -> bool {
    CHOICES.find_iter(data).any(|at| {
        let list = value_at(data, at + CHOICES.needle().len()).strip_prefix(b"[");
        list.is_some_and(|list| list.trim_ascii_start().starts_with(b"]"))
    })
}

#[derive(Debug)]
pub(crate) struct Tap {
    call: Arc<OpenCall>,
    splitter: Splitter,
    hide_usage: bool,
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
    pub(crate) fn new(call: Arc<OpenCall>, hide_usage: bool) -> Self {
        Self {
            call,
            splitter: Splitter::default(),
            hide_usage,
            fed: false,
            pending: BytesMut::new(),
            last_came: Instant::now(),
            unread: Vec::new(),
            unread_bytes: 0,
            failure: None,
        }
    }

    /// None: hand the bytes on as they are.
    pub(crate) fn feed(&mut self, data: &[u8]) -> Option<Bytes> {
        self.last_came = Instant::now();
        // The first event is read at once: a call that is left early shall know who answered.
        if self.fed && self.may_wait(data) {
            self.pending.extend_from_slice(data);
            if self.pending.len() + self.unread_bytes > MOST_LAID_ASIDE {
                self.read_all();
            }
            return None;
        }
        self.fed = true;
        self.sift();
        self.pass(data)
    }

    /// Whether these bytes are whole events of which none is to be hidden.
    fn may_wait(&self, data: &[u8]) -> bool {
        !self.splitter.holds_back() && data.ends_with(b"\n\n") && !(self.hide_usage && may_be_only_usage(data))
    }

    fn pass(&mut self, data: &[u8]) -> Option<Bytes> {
        let had_held = self.splitter.holds_back();
        self.splitter.push(Bytes::copy_from_slice(data));
        let mut out: Option<BytesMut> = (self.hide_usage && had_held).then(BytesMut::new);
        let mut passed = 0;
        while let Some(event) = self.splitter.next() {
            let hidden = self.see(&event) && self.hide_usage;
            match (&mut out, hidden) {
                (None, false) => {}
                // The first thing hidden: what came before it in these bytes goes on.
                (slot @ None, true) => *slot = Some(BytesMut::from(&data[..passed])),
                (Some(out), false) => out.extend_from_slice(&event.raw),
                (Some(_), true) => {}
            }
            passed += event.raw.len();
        }
        if !self.hide_usage {
            return None;
        }
        if out.is_none() && self.splitter.holds_back() {
            // An event that has not ended may turn out to be the hidden one: it waits.
            out = Some(BytesMut::from(&data[..passed]));
        }
        out.map(BytesMut::freeze)
    }

    /// Reads an event into the call; whether it is one that carries usage and nothing else.
    fn see(&mut self, event: &Event) -> bool {
        let came = self.last_came;
        let kind = self.read(&event.data);
        if matches!(kind, Some(EventKind::Chunk | EventKind::UsageOnly)) {
            self.call.with_state(|state| state.events_arrived(1, came));
        }
        kind == Some(EventKind::UsageOnly)
    }

    fn read(&mut self, data: &[u8]) -> Option<EventKind> {
        let kind = self.call.with_state(|state| openai::read_event(&mut state.facts, data));
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
            if is_telling(&event.data) {
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
        let rest = self.splitter.finish();
        let hidden = rest.as_ref().is_some_and(|event| self.see(event)) && self.hide_usage;
        if self.call.with_state(|state| state.facts.usage.is_none()) == Some(true) {
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
        self.call.fail(failure);
    }

    fn end(&mut self, ending: Ending) {
        match self.failure.take() {
            Some(failure) => drop(self.call.fail(failure)),
            None => self.call.finish(ending),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_event_says_is_found_however_it_is_spaced() {
        for telling in [
            r#"{"choices":[{"finish_reason":null},{"finish_reason" : "stop"}]}"#,
            r#"{"choices":[],"usage": {"prompt_tokens":1}}"#,
            r#"{"error":{"message":"x"}}"#,
            "[DONE]",
        ] {
            assert!(is_telling(telling.as_bytes()), "{telling}");
        }
        assert!(!is_telling(
            br#"{"choices":[{"delta":{"content":"a"},"finish_reason":null}],"usage":null}"#
        ));
        assert!(may_be_only_usage(br#"data: {"choices": [ ],"usage":{}}"#));
        assert!(!may_be_only_usage(br#"data: {"choices": [{}],"usage":{}}"#));
    }
}
