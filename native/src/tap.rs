//! The bytes of somebody else's stream: read in passing, handed on unchanged but for a usage event that we asked for.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::call::{Ending, OpenCall};
use crate::failure::{Failure, FailureKind};
use crate::providers::openai::{self, EventKind};
use crate::sse::{Event, Splitter};

#[derive(Debug)]
pub(crate) struct Tap {
    call: Arc<OpenCall>,
    splitter: Splitter,
    hide_usage: bool,
    fed: bool,
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
            failure: None,
        }
    }

    /// None: hand the bytes on as they are.
    pub(crate) fn feed(&mut self, data: &[u8]) -> Option<Bytes> {
        self.fed = true;
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
        let kind = self.call.with_state(|state| {
            let kind = openai::read_event(&mut state.facts, &event.data);
            if matches!(kind, EventKind::Chunk | EventKind::UsageOnly) {
                state.event_arrived();
            }
            kind
        });
        match kind {
            Some(EventKind::UsageOnly) => return true,
            Some(EventKind::Error(error)) => {
                self.failure = Some(Failure {
                    status: error.status,
                    code: error.code,
                    ..Failure::new(FailureKind::Status, error.message)
                });
            }
            Some(EventKind::Invalid(message)) => {
                self.failure = Some(Failure::new(FailureKind::InvalidResponse, message))
            }
            Some(EventKind::Done | EventKind::Empty | EventKind::Chunk) | None => {}
        }
        false
    }

    /// The client asked for more than there is.
    pub(crate) fn eof(&mut self) -> Bytes {
        let rest = self.splitter.finish();
        let hidden = rest.as_ref().is_some_and(|event| self.see(event)) && self.hide_usage;
        self.end(Ending::Completed);
        match rest {
            // Without hiding, every byte was handed on as it came.
            Some(event) if self.hide_usage && !hidden => event.raw,
            _ => Bytes::new(),
        }
    }

    pub(crate) fn closed(&mut self) {
        self.end(Ending::ClosedEarly);
    }

    pub(crate) fn failed(&mut self, failure: Failure) {
        self.call.fail(failure);
    }

    fn end(&mut self, ending: Ending) {
        match self.failure.take() {
            Some(failure) => self.failed(failure),
            None => self.call.finish(ending),
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        let ending = if self.fed {
            Ending::ClosedEarly
        } else {
            Ending::Abandoned
        };
        self.end(ending);
    }
}
