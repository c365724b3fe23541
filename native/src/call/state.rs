//! What is learnt while a call is under way, and how it becomes a record.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use exporters::{Attempt, CallRecord, Outcome};

use super::given::Given;
use super::library::{Target, Told, Unsent};
use super::{Ending, OpenCall, Start};
use crate::core::core;
use crate::events::Heard;
use crate::failure::{Failure, FailureKind};
use crate::headers::ResponseFacts;
use crate::providers::openai::Facts;
use crate::surface::{AnswerProblem, Surface};
use crate::{ids, redact};

const LONGEST_ERROR_MESSAGE: usize = 2048;

/// What is learnt while the call is under way.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(super) start: Start,
    pub(super) start_ns: i64,
    started: Instant,
    attempts: Vec<Attempt>,
    attempt_started: Instant,
    /// An attempt is under way: its end is not noted yet.
    pub(super) attempt_open: bool,
    /// Whom the attempt under way asks, where that is not whom the call began with.
    pub(super) target: Option<Target>,
    /// What the transport beneath the library that was called asked for.
    pub(super) transported: Option<Surface>,
    /// What was wrong with the model asked last, where another one may be asked.
    pub(super) last_try: Option<Failure>,
    /// The provider's word for why the last attempt failed.
    last_error: Option<String>,
    /// What the library said of its answer.
    pub told: Told,
    /// What was told of a call that is over.
    pub(super) given: Option<Box<Given>>,
    /// Nobody was asked, and nobody charges anything.
    pub unsent: Option<Unsent>,
    pub facts: Facts,
    pub(super) response: ResponseFacts,
    /// An answer that nobody has read yet.
    body: Option<Bytes>,
    /// Another id than the call began with: the one that whoever else tells of it gives it too.
    pub known_as: Option<[u8; 16]>,
    /// Nothing was sent, so there was no attempt.
    pub(super) refused: bool,
    chunks: u32,
    first_chunk: Option<Instant>,
    last_byte: Option<Instant>,
    /// None where nobody listens.
    pub(super) heard: Option<Box<Heard>>,
}

impl State {
    pub(super) fn new(start: Start) -> Self {
        let now = Instant::now();
        Self {
            heard: start.listener.map(|_| Box::default()),
            start_ns: start.live.map_or_else(ids::wall_clock_ns, |live| live.start_ns),
            start,
            started: now,
            attempts: Vec::new(),
            attempt_started: now,
            attempt_open: true,
            target: None,
            transported: None,
            last_try: None,
            last_error: None,
            told: Told::default(),
            given: None,
            unsent: None,
            facts: Facts::default(),
            response: ResponseFacts::default(),
            body: None,
            known_as: None,
            refused: false,
            chunks: 0,
            first_chunk: None,
            last_byte: None,
        }
    }

    pub(super) fn of_told(start: Start, given: Given) -> Self {
        let mut state = Self::new(start);
        state.start_ns = given.start_ns();
        state.attempt_open = false;
        state.given = Some(Box::new(given));
        state
    }

    /// The answer, to be read when the record is made.
    pub(crate) fn answered_with(&mut self, response: ResponseFacts, body: Option<Bytes>) {
        if let (Some(content), Some(body)) = (self.start.asked.content.as_deref_mut(), &body) {
            content.answer(body);
        }
        self.response = response;
        self.body = body;
    }

    /// What a call that was answered before has come to.
    pub(crate) fn came_to(&mut self, body: Bytes) {
        self.answered_with(self.response.clone(), Some(body));
    }

    /// About how many bytes the call holds: its answer, where it is not read yet, and what all calls hold.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>()
            + size_of::<CallRecord>()
            + self.body.as_ref().map_or(0, Bytes::len)
            + self.start.asked.content.as_ref().map_or(0, |content| content.weight())
    }

    /// Reads the answer. One that cannot be read ends the call as an error: its caller has got an exception.
    fn read_body(&mut self, ending: Ending) -> Ending {
        let Some(body) = self.body.take() else { return ending };
        let surface = self.transported.unwrap_or(self.start.surface);
        match surface.read_answer(&body) {
            // The library above the transport decides what becomes of the answer.
            Err(AnswerProblem::Unreadable(_)) if self.transported.is_some() => ending,
            Ok(facts) => {
                self.facts = facts;
                self.facts.usage = self.facts.usage.take().or_else(|| self.response.usage());
                ending
            }
            Err(AnswerProblem::Failed(facts, error)) => {
                self.facts = *facts;
                Ending::Failed {
                    error_type: error.code.unwrap_or_else(|| "failed".to_owned()),
                    message: error.message,
                    status: self.response.status,
                }
            }
            Err(AnswerProblem::Unreadable(message)) => {
                let failure = Failure::new(FailureKind::InvalidResponse, message);
                let error_type = failure.error_type();
                Ending::Failed {
                    error_type,
                    message: failure.message,
                    status: self.response.status,
                }
            }
        }
    }

    /// A further attempt begins: the one before has been noted by [`Self::attempt_failed`].
    pub(crate) fn attempt_begins(&mut self) {
        self.attempt_started = Instant::now();
        // What the one before was answered says nothing about this one, which may never be answered.
        self.response = ResponseFacts::default();
        self.attempt_open = true;
    }

    /// A transport beneath the library that was called asks `target` on `surface`.
    pub(crate) fn transport_begins(&mut self, surface: Surface, target: Target) {
        self.transported = Some(surface);
        self.target = Some(target);
        self.facts = Facts::default();
        self.body = None;
        self.last_error = None;
        self.attempt_begins();
    }

    /// The provider is asked on another surface than the one that was called, and counts as that one does.
    pub(crate) fn asks_on(&mut self, surface: Surface) {
        self.transported = Some(surface);
    }

    /// What the library does from now on is this; a router learns it late.
    pub(crate) fn serves(&mut self, surface: Surface, target: Target) {
        self.start.surface = surface;
        self.target = Some(target);
    }

    /// A key that only the transport knows.
    pub(crate) fn uses_key(&mut self, api_key: &str) {
        if self.start.api_key_id.is_none() {
            self.start.api_key_id = crate::fingerprint::of(api_key);
        }
        if !self.start.secrets.iter().any(|secret| secret == api_key) {
            self.start.secrets.push(api_key.to_owned());
        }
    }

    /// The provider's word for why the last attempt failed, if that was the end of it.
    pub(crate) fn last_error(&self) -> Option<String> {
        self.last_error.clone().filter(|_| !self.attempt_open)
    }

    /// The library raised: where no transport was heard, nothing was sent.
    pub(crate) fn refused_unless_sent(&mut self) {
        self.refused = self.transported.is_none();
    }

    /// The attempt under way failed and another will follow.
    pub(crate) fn attempt_failed(
        &mut self,
        status: Option<u16>,
        error_type: Option<String>,
        request_id: Option<String>,
    ) {
        let error_type = error_type.map(|error_type| self.redacted(&error_type));
        self.last_error.clone_from(&error_type);
        self.note_attempt_until(Instant::now(), status, error_type, request_id);
        self.attempt_open = false;
    }

    pub(crate) fn answered(&mut self, response: ResponseFacts) {
        self.response = response;
    }

    /// Events with something in them came, the last one at `at`.
    pub(crate) fn events_arrived(&mut self, count: u32, at: Instant) {
        if count > 0 {
            self.first_chunk.get_or_insert(at);
            self.last_byte = Some(at);
            self.chunks = self.chunks.saturating_add(count);
        }
    }

    #[must_use]
    pub(crate) fn attempts_so_far(&self) -> usize {
        self.attempts.len()
    }

    /// Text without this call's secrets.
    #[must_use]
    pub(crate) fn redacted(&self, text: &str) -> String {
        redact::redact(text, &self.start.secrets).into_owned()
    }

    fn note_attempt_until(
        &mut self,
        end: Instant,
        status: Option<u16>,
        error_type: Option<String>,
        request_id: Option<String>,
    ) {
        let offset = self.attempt_started.duration_since(self.started).as_nanos() as i64;
        self.attempts.push(Attempt {
            start_ns: self.start_ns + offset,
            duration_ns: end.duration_since(self.attempt_started).as_nanos() as i64,
            provider: self.provider(),
            model: self.model_asked(),
            server_address: self.server_address(),
            http_status: status,
            error_type,
            request_id,
            usage: None,
            cost_usd: None,
        });
    }

    pub(super) fn into_record(mut self: Box<Self>, call: &OpenCall, ending: Ending, ended: Instant) -> CallRecord {
        let ending = self.read_body(ending);
        self.told.complete(&mut self.facts);
        // A stream is over when its last byte came, however long its consumer took to read it.
        let ended = match ending {
            Ending::Completed if self.start.streaming => self.last_byte.unwrap_or(ended),
            _ => ended,
        };
        let (outcome, error_type, error_message, error_status) = match ending {
            Ending::Completed => (Outcome::Completed, None, None, None),
            Ending::ClosedEarly => (Outcome::ClosedEarly, None, None, None),
            Ending::Abandoned => (Outcome::Abandoned, None, None, None),
            Ending::Failed {
                error_type,
                message,
                status,
            } => {
                let (error_type, message) = (self.redacted(&error_type), self.redacted(&message));
                (
                    Outcome::Error,
                    Some(error_type),
                    Some(redact::shorten(&message, LONGEST_ERROR_MESSAGE).to_owned()),
                    status,
                )
            }
        };
        let http_status = error_status.or(self.response.status);
        let request_id = self.response.request_id.take();
        if !self.refused && self.unsent.is_none() && self.attempt_open {
            self.note_attempt_until(ended, http_status, error_type.clone(), request_id.clone());
        }
        let (duration_ns, started) = (ended.duration_since(self.started).as_nanos() as i64, self.started);
        if outcome != Outcome::Error {
            self.infer_usage();
        }
        let money = self.money();
        let (provider, server_address) = (self.provider(), self.server_address());
        let told = self.given.take();
        let is_ours = self.attempt_open;
        if let Some(last) = self.attempts.last_mut().filter(|_| is_ours) {
            last.duration_ns = last.duration_ns.min(duration_ns - (last.start_ns - self.start_ns));
            last.cost_usd = money.cost.as_ref().and_then(|cost| cost.usd);
            last.usage.clone_from(&self.facts.usage);
        }
        let surface = self.transported.unwrap_or(self.start.surface);
        let Self {
            start,
            facts,
            attempts,
            response,
            ..
        } = *self;
        let Start { asked, scope, .. } = start;
        let labels = scope.map(|scope| Arc::clone(&scope.labels));
        // What a context says wins over what the call says of itself.
        let clean = |text: String| redact::redact(&text, &start.secrets).into_owned();
        let user = asked
            .user
            .map(clean)
            .filter(|_| labels.as_ref().is_none_or(|labels| labels.user.is_none()));
        let tags = asked
            .tags
            .into_iter()
            .filter(|(key, _)| !labels.as_ref().is_some_and(|l| l.tags.iter().any(|(k, _)| k == key)));
        CallRecord {
            call_uid: self.known_as.unwrap_or(call.uid),
            start_ns: self.start_ns,
            duration_ns: told.as_ref().map_or(duration_ns, |told| told.duration_ns),
            time_to_first_chunk_ns: self.first_chunk.map(|at| at.duration_since(started).as_nanos() as i64),
            origin: start.origin,
            origin_version: start.origin_version,
            operation: told
                .and_then(|told| told.operation)
                .unwrap_or_else(|| start.surface.operation()),
            api_type: surface.api_type(),
            provider,
            request_model: start.request_model,
            response_model: facts.model,
            response_id: facts.response_id,
            server_port: start.server_port.filter(|_| server_address == start.server_address),
            server_address,
            streaming: start.streaming,
            cached: self.unsent == Some(Unsent::Cached),
            chunks: start.streaming.then_some(self.chunks),
            tokens: money.tokens,
            estimated_input_tokens: money.estimated.input,
            estimated_output_tokens: money.estimated.output,
            usage: facts.usage,
            cost: money.cost,
            service_tier: facts.service_tier,
            requested_service_tier: asked.service_tier,
            outcome,
            error_type,
            error_message,
            http_status,
            attempts,
            finish_reasons: facts.finish_reasons,
            trace_id: call.trace_id,
            span_id: call.span_id,
            parent_span_id: start.parent.map(|parent| parent.span_id),
            parent_sampled: start.parent.map(|parent| parent.sampled),
            user,
            tags: tags.map(|(key, value)| (key, clean(value))).collect(),
            labels,
            api_key_id: start.api_key_id,
            metadata: asked.metadata.map(clean),
            request_params: asked.request_params.map(clean),
            provider_details: response.details_json(facts.system_fingerprint.as_deref(), request_id.as_deref()),
            content: asked
                .content
                .and_then(|content| content.into_json(surface, outcome == Outcome::Error))
                .map(clean),
            content_on_spans: core().capture().on_spans(),
            content_on_events: core().capture().on_events(),
        }
    }

    /// Whether the span around the call is sampled; None where there is none.
    pub(crate) fn parent_sampled(&self) -> Option<bool> {
        self.start.parent.map(|parent| parent.sampled)
    }

    pub(crate) fn provider(&self) -> Arc<str> {
        let target = self.target.as_ref().map(|target| &target.provider);
        Arc::clone(target.unwrap_or(&self.start.provider))
    }

    pub(super) fn model_asked(&self) -> Option<Arc<str>> {
        let target = self.target.as_ref().and_then(|target| target.model.clone());
        target.or_else(|| self.start.request_model.clone())
    }

    pub(super) fn server_address(&self) -> Option<Arc<str>> {
        let target = self.target.as_ref().and_then(|target| target.server_address.clone());
        target.or_else(|| self.start.server_address.clone())
    }
}
