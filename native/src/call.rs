//! A call under way, whoever makes it: begun before the request is sent, finished exactly once, and then a record.

pub(crate) mod given;
pub(crate) mod library;
mod money;
mod start;
mod state;
mod tries;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use exporters::otlp::Wanted;
use exporters::{CallRecord, Ended};

pub(crate) use self::start::{Asked, Live, Parent, Start};
pub(crate) use self::state::State;

use self::given::Given;

use crate::content::Content;
use crate::core::core;
use crate::events::{Event, Heard, Listener, Over};
use crate::failure::{Failure, FailureKind};
use crate::scope::Scope;
use crate::{fork, ids, redact};

/// How a call ends.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    Completed,
    ClosedEarly,
    Abandoned,
    Failed {
        error_type: String,
        message: String,
        status: Option<u16>,
    },
}

impl Ending {
    /// The caller gave the call up before there was an answer: a cancelled task, Ctrl-C.
    #[must_use]
    pub(crate) fn cancelled() -> Self {
        Self::Failed {
            error_type: "cancelled".to_owned(),
            message: "the caller cancelled the call".to_owned(),
            status: None,
        }
    }
}

/// A call from its start hook to its record.
#[derive(Debug)]
pub(crate) struct OpenCall {
    pub uid: [u8; 16],
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    pub live: Option<Live>,
    phase: Mutex<Phase>,
    slot: OnceLock<usize>,
    generation: u64,
    mocked: bool,
    /// Its content is kept.
    captures: bool,
    listener: Option<Listener>,
    /// An event of this call found no room: its callbacks are told no more of it.
    unheard: AtomicBool,
}

#[derive(Debug)]
enum Phase {
    Open(Box<State>),
    /// Over; what is known has not been put together yet.
    Ended(Box<State>, Ending, Instant),
    Settled(Arc<CallRecord>),
    /// Between two of the others, under the lock.
    Changing,
}

impl OpenCall {
    /// Its answer is one that no provider gave.
    pub(crate) fn is_mocked(&self) -> bool {
        self.mocked
    }

    /// The start hook: ids and parent are fixed here, before the request is sent.
    #[must_use]
    pub(crate) fn begin(start: Start) -> Arc<Self> {
        let state = State::new(start);
        Self::open(ids::call_uid(state.start_ns), state)
    }

    /// A call that somebody tells of: no attempt of it is ours to note.
    #[must_use]
    pub(crate) fn told(start: Start, given: Given) -> Arc<Self> {
        let uid = given.uid();
        Self::open(uid, State::of_told(start, given))
    }

    fn open(uid: [u8; 16], state: State) -> Arc<Self> {
        let (listener, mocked) = (state.start.listener, state.start.mocked);
        let captures = state.start.asked.content.is_some();
        let live_ids = state.start.live.and_then(|live| live.ids);
        let call = Arc::new(Self {
            uid,
            trace_id: live_ids.map_or_else(
                || state.start.parent.map_or_else(ids::trace_id, |parent| parent.trace_id),
                |(trace_id, _)| trace_id,
            ),
            span_id: live_ids.map_or_else(ids::span_id, |(_, span_id)| span_id),
            live: state.start.live,
            phase: Mutex::new(Phase::Open(Box::new(state))),
            slot: OnceLock::new(),
            generation: fork::generation(),
            mocked,
            captures,
            listener,
            unheard: AtomicBool::new(false),
        });
        if let Some(listener) = listener.filter(|listener| listener.wants_beginning) {
            call.tell(Event::Begun(listener));
        }
        let _ = call.slot.set(core().open_calls.add(&Arc::downgrade(&call)));
        call
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `change` on the call's state; None once the call is over.
    pub(crate) fn with_state<R>(&self, change: impl FnOnce(&mut State) -> R) -> Option<R> {
        match &mut *self.phase() {
            Phase::Open(state) => Some(change(state)),
            Phase::Ended(..) | Phase::Settled(_) | Phase::Changing => None,
        }
    }

    fn tell(&self, event: Event) {
        if !self.unheard.load(Ordering::Relaxed) && !core().events.push(event) {
            self.unheard.store(true, Ordering::Relaxed);
        }
    }

    /// Whether somebody wants to know what comes: callbacks, or the record's content.
    #[must_use]
    pub(crate) fn is_heard(&self) -> bool {
        self.listener.is_some() || self.captures
    }

    fn with_heard(&self, keep: impl FnOnce(&mut Heard)) {
        self.with_state(|state| state.heard.as_deref_mut().map(keep));
    }

    fn with_content(&self, keep: impl FnOnce(&mut Content)) {
        if self.captures {
            self.with_state(|state| state.start.asked.content.as_deref_mut().map(keep));
        }
    }

    /// Keeps a plain answer for the callbacks and the content.
    pub(crate) fn hear_answer(&self, body: &Bytes, headers: &http::HeaderMap) {
        self.with_content(|content| content.answer(body));
        if self.listener.is_some() {
            self.with_heard(|heard| {
                heard.answer = Some(body.clone());
                heard.headers = headers.clone();
            });
        }
    }

    /// Keeps a chunk of a stream for the callbacks and the content.
    pub(crate) fn hear_chunk(&self, chunk: &Bytes) {
        self.with_content(|content| content.chunk(chunk));
        if let Some(listener) = self.listener {
            self.with_heard(|heard| heard.chunks.push(chunk.clone()));
            if listener.wants_chunks {
                self.tell(Event::Chunk(listener.ticket, chunk.clone()));
            }
        }
    }

    /// The end hook: hands the call on to become a record. The first ending wins; later ones do nothing.
    pub(crate) fn finish(self: &Arc<Self>, ending: Ending) {
        let Some(over) = self.end(ending) else { return };
        let recorder = core().recorder();
        if recorder.is_filling() {
            drop(self.settled());
        }
        let is_on_its_way = !core().disabled
            && !self.mocked
            && if redact::is_programs_own() {
                core().events.push(Event::Unredacted(Over::Call(Arc::clone(self))))
            } else {
                if let Some(otlp) = core().otlp() {
                    otlp.push(Box::new(OnItsWay { call: Arc::clone(self) }), self.exported());
                }
                recorder.push_ended(Box::new(OnItsWay { call: Arc::clone(self) }))
            };
        if let Some(live) = self.live.filter(Live::is_to_be_ended)
            && !redact::is_programs_own()
        {
            core().over.add(live, Over::Call(Arc::clone(self)));
        }
        match over.scope {
            Some(scope) if is_on_its_way => scope.expect(self),
            // Nobody else will: what the call came to counts for its context all the same.
            Some(_) => drop(self.settled()),
            None => {}
        }
        self.tell_end(Over::Call(Arc::clone(self)), over.heard);
    }

    fn tell_end(&self, over: Over, heard: Option<Box<Heard>>) {
        if let Some(listener) = self.listener {
            self.tell(Event::Ended(listener, over, heard.unwrap_or_default()));
            if self.unheard.load(Ordering::Relaxed) {
                let _ = core().events.push(Event::Dropped(listener.ticket));
            }
        }
    }

    /// What of the call is exported from here: all that the program's own OpenTelemetry does not see.
    pub(crate) fn exported(&self) -> Wanted {
        Wanted {
            span: self.live.is_none_or(|live| !live.has_span),
            metrics: self.live.is_none_or(|live| !live.has_metrics),
            event: self.captures && core().capture().on_events() && self.live.is_none_or(|live| !live.has_events),
        }
    }

    /// Ends the call: what is left to tell of it, if it was open and is this process's.
    fn end(&self, ending: Ending) -> Option<End> {
        let ended = Instant::now();
        let end = {
            let mut phase = self.phase();
            match std::mem::replace(&mut *phase, Phase::Changing) {
                Phase::Open(mut state) => {
                    let end = End {
                        scope: state.start.scope.clone(),
                        heard: state.heard.take(),
                    };
                    *phase = Phase::Ended(state, ending, ended);
                    end
                }
                over => {
                    *phase = over;
                    return None;
                }
            }
        };
        if self.generation != fork::generation() {
            // Begun before a fork: the parent finishes it. This copy belongs to nobody.
            return None;
        }
        if let Some(slot) = self.slot.get() {
            core().open_calls.remove(*slot);
        }
        Some(end)
    }

    /// Ends the call with `failure`, and gives it back without the call's secrets: what the caller may see of it.
    pub(crate) fn fail(self: &Arc<Self>, failure: Failure) -> Failure {
        let (failure, ending) = self.failing(failure);
        self.finish(ending);
        failure
    }

    /// The failure without the call's secrets, and how it ends the call if nothing better comes.
    pub(crate) fn failing(&self, failure: Failure) -> (Failure, Ending) {
        let refused = failure.kind == FailureKind::InvalidRequest;
        self.with_state(|state| state.refused = refused);
        let failure = self.without_secrets(failure);
        if self.listener.is_some() {
            self.with_heard(|heard| heard.failure = Some(failure.clone()));
        }
        let ending = Ending::Failed {
            error_type: failure.error_type(),
            message: failure.message.clone(),
            // A call that was refused before it was sent has no answer, whatever status its exception has.
            status: failure.status.filter(|_| !refused),
        };
        (failure, ending)
    }

    /// Writes what is known of a call that goes on: the row of a process that will not see its end. Only into the ledger;
    /// not where the program's own redactor must see it first.
    pub(crate) fn write_so_far(&self, ending: Ending) {
        let state = self.with_state(|state| Box::new(state.clone()));
        if let Some(state) = state.filter(|_| !core().disabled && !redact::is_programs_own()) {
            let record = state.into_record(self, ending, Instant::now());
            core().recorder().push(Box::new(record));
        }
    }

    fn without_secrets(&self, failure: Failure) -> Failure {
        let secrets = self.with_state(|state| state.start.secrets.clone()).unwrap_or_default();
        failure.redacted(|text| redact::redact(text, &secrets).into_owned())
    }

    /// The record, made now if nobody has asked for it before; None while the call is under way.
    pub(crate) fn settled(&self) -> Option<Arc<CallRecord>> {
        if self.generation != fork::generation() {
            // The parent's thread may have held the lock when the process was forked.
            return None;
        }
        let mut phase = self.phase();
        match std::mem::replace(&mut *phase, Phase::Changing) {
            Phase::Ended(state, ending, ended) => {
                let scope = state.start.scope.clone();
                let record = Arc::new(state.into_record(self, ending, ended));
                *phase = Phase::Settled(Arc::clone(&record));
                if let Some(scope) = scope {
                    scope.add(&record);
                }
                Some(record)
            }
            Phase::Settled(record) => {
                *phase = Phase::Settled(Arc::clone(&record));
                Some(record)
            }
            open => {
                *phase = open;
                None
            }
        }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        if let Some(end) = self.end(Ending::Abandoned)
            && let Some(record) = self.settled()
        {
            if !core().disabled && !self.mocked {
                if let Some(otlp) = core().otlp() {
                    otlp.push_record(Arc::clone(&record), self.exported());
                }
                core().recorder().push(Box::new(CallRecord::clone(&record)));
                if let Some(live) = self.live.filter(Live::is_to_be_ended) {
                    core().over.add(live, Over::Record(Arc::clone(&record)));
                }
            }
            self.tell_end(Over::Record(record), end.heard);
        }
    }
}

/// What an ending leaves to others.
struct End {
    scope: Option<Arc<Scope>>,
    heard: Option<Box<Heard>>,
}

/// A call in the recorder's queue.
#[derive(Debug)]
struct OnItsWay {
    call: Arc<OpenCall>,
}

impl Ended for OnItsWay {
    fn weight(&self) -> usize {
        match &*self.call.phase() {
            Phase::Open(state) | Phase::Ended(state, ..) => state.weight(),
            Phase::Settled(_) | Phase::Changing => size_of::<CallRecord>(),
        }
    }

    fn record(&self) -> Option<Arc<CallRecord>> {
        self.call.settled()
    }
}
