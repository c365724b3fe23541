//! What is learnt while a call is under way, and how it becomes a record.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use exporters::{Attempt, CallRecord, Outcome};
use pricing::{Cost, Tokens, UsageFormat};

use super::{Ending, OpenCall, Start};
use crate::failure::{Failure, FailureKind};
use crate::headers::ResponseFacts;
use crate::prices::Seen;
use crate::providers::openai::Facts;
use crate::surface::{AnswerProblem, Surface};
use crate::{ids, redact};

const LONGEST_ERROR_MESSAGE: usize = 2048;
/// What OpenAI paints with where the request names no model.
const DEFAULT_IMAGE_MODEL: &str = "dall-e-2";

/// What is learnt while the call is under way.
#[derive(Debug)]
pub(crate) struct State {
    pub(super) start: Start,
    pub(super) start_ns: i64,
    started: Instant,
    attempts: Vec<Attempt>,
    attempt_started: Instant,
    pub facts: Facts,
    response: ResponseFacts,
    /// An answer that nobody has read yet.
    body: Option<Bytes>,
    /// Nothing was sent, so there was no attempt.
    pub(super) refused: bool,
    chunks: u32,
    first_chunk: Option<Instant>,
    last_byte: Option<Instant>,
}

impl State {
    pub(super) fn new(start: Start) -> Self {
        let now = Instant::now();
        Self {
            start,
            start_ns: ids::wall_clock_ns(),
            started: now,
            attempts: Vec::new(),
            attempt_started: now,
            facts: Facts::default(),
            response: ResponseFacts::default(),
            body: None,
            refused: false,
            chunks: 0,
            first_chunk: None,
            last_byte: None,
        }
    }

    /// The answer, to be read when the record is made.
    pub(crate) fn answered_with(&mut self, response: ResponseFacts, body: Option<Bytes>) {
        self.response = response;
        self.body = body;
    }

    /// About how many bytes the call holds: its answer, where it is not read yet, and what all calls hold.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + size_of::<CallRecord>() + self.body.as_ref().map_or(0, Bytes::len)
    }

    /// Reads the answer. One that cannot be read ends the call as an error: its caller has got an exception.
    fn read_body(&mut self, ending: Ending) -> Ending {
        let Some(body) = self.body.take() else { return ending };
        match self.start.surface.read_answer(&body) {
            Ok(facts) => {
                self.facts = facts;
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
    }

    /// The attempt under way failed and another will follow.
    pub(crate) fn attempt_failed(
        &mut self,
        status: Option<u16>,
        error_type: Option<String>,
        request_id: Option<String>,
    ) {
        let error_type = error_type.map(|error_type| self.redacted(&error_type));
        self.note_attempt_until(Instant::now(), status, error_type, request_id);
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
            provider: Arc::clone(&self.start.provider),
            model: self.start.request_model.clone(),
            server_address: self.start.server_address.clone(),
            http_status: status,
            error_type,
            request_id,
            usage: None,
            cost_usd: None,
        });
    }

    pub(super) fn into_record(mut self: Box<Self>, call: &OpenCall, ending: Ending, ended: Instant) -> CallRecord {
        let ending = self.read_body(ending);
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
        if !self.refused {
            self.note_attempt_until(ended, http_status, error_type.clone(), request_id.clone());
        }
        let (duration_ns, started) = (ended.duration_since(self.started).as_nanos() as i64, self.started);
        if outcome != Outcome::Error {
            self.infer_usage();
        }
        let money = self.money();
        if let Some(last) = self.attempts.last_mut() {
            last.duration_ns = last.duration_ns.min(duration_ns - (last.start_ns - self.start_ns));
            last.cost_usd = money.cost.as_ref().and_then(|cost| cost.usd);
            last.usage.clone_from(&self.facts.usage);
        }
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
        let user = asked
            .user
            .filter(|_| labels.as_ref().is_none_or(|labels| labels.user.is_none()));
        let tags = asked
            .tags
            .into_iter()
            .filter(|(key, _)| !labels.as_ref().is_some_and(|l| l.tags.iter().any(|(k, _)| k == key)));
        CallRecord {
            call_uid: call.uid,
            start_ns: self.start_ns,
            duration_ns,
            time_to_first_chunk_ns: self.first_chunk.map(|at| at.duration_since(started).as_nanos() as i64),
            origin: start.origin,
            origin_version: start.origin_version,
            operation: start.surface.operation(),
            provider: start.provider,
            request_model: start.request_model,
            response_model: facts.model,
            response_id: facts.response_id,
            server_address: start.server_address,
            streaming: start.streaming,
            cached: false,
            chunks: start.streaming.then_some(self.chunks),
            tokens: money.tokens,
            estimated_input_tokens: money.estimated.map(|(input, _)| input),
            estimated_output_tokens: money.estimated.map(|(_, output)| output),
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
            parent_span_id: start.parent.map(|(_, span)| span),
            user,
            tags: tags.collect(),
            labels,
            api_key_id: start.api_key_id,
            metadata: asked.metadata,
            request_params: asked.request_params,
            provider_details: response.details_json(facts.system_fingerprint.as_deref(), request_id.as_deref()),
            content: None,
        }
    }

    fn money(&self) -> Money {
        let start = &self.start;
        let asked = start.request_model.as_deref();
        let images = self.image_prices(asked);
        let seen = Seen {
            provider: &start.provider,
            served: images.as_deref().or(self.facts.model.as_deref()),
            asked,
            at_ns: self.start_ns,
            service_tier: self.facts.service_tier.as_deref(),
            host: start.server_address.as_deref(),
            key_alias: start.api_key_id.as_deref(),
            facts: start.asked.price.as_deref(),
            ..Seen::default()
        };
        if let Some(json) = &self.facts.usage {
            let format = self.usage_format();
            return match pricing::read_usage(format, json) {
                Ok(usage) => Money {
                    tokens: *usage.tokens(),
                    estimated: None,
                    cost: Some(seen.price(&usage)),
                },
                Err(why) => Money {
                    tokens: pricing::reported_tokens(json),
                    estimated: None,
                    cost: Some(Cost::of_invalid_usage(why)),
                },
            };
        }
        // Only a stream that brought text has been billed without saying so; what an error cost is not known. Verdicts
        // on text count no tokens at all.
        let surface = start.surface;
        let is_stream_of_text = start.streaming && surface.writes_text() && !self.facts.written.is_empty();
        let is_verdict = surface == Surface::Moderation && self.facts.response_id.is_some();
        if !(is_stream_of_text || is_verdict) {
            return Money::default();
        }
        let estimated = (start.asked.input.tokens(), self.facts.written.tokens());
        let usage = pricing::estimated_usage(estimated.0, estimated.1);
        Money {
            tokens: Tokens::default(),
            estimated: Some(estimated),
            cost: Some(seen.price(&usage)),
        }
    }

    fn usage_format(&self) -> UsageFormat {
        if self.paid_by_image() {
            return UsageFormat::ImageCount;
        }
        self.start.surface.usage_format(&self.start.provider)
    }

    fn paid_by_image(&self) -> bool {
        self.facts.images.is_some() && self.facts.images_are_the_usage
    }

    /// The name of the prices of images that are paid by the piece.
    fn image_prices(&self, asked: Option<&str>) -> Option<String> {
        let images = self.facts.images.as_ref().filter(|_| self.paid_by_image())?;
        let names = images.price_names(asked.unwrap_or(DEFAULT_IMAGE_MODEL));
        let provider = &*self.start.provider;
        names
            .into_iter()
            .find(|name| pricing::resolve(provider, name).is_some())
    }

    /// What an answer used that says nothing of it, because what was asked for, or what came, is what is paid for.
    fn infer_usage(&mut self) {
        if self.facts.usage.is_some() {
            return;
        }
        if self.start.surface == Surface::Speech {
            self.facts.usage = self
                .start
                .asked
                .characters
                .map(|count| format!(r#"{{"characters":{count}}}"#));
        }
        if let Some(images) = &mut self.facts.images {
            let asked = &self.start.asked.images;
            images.size = images.size.take().or_else(|| asked.size.clone());
            images.quality = images.quality.take().or_else(|| asked.quality.clone());
            self.facts.usage = images.usage();
            self.facts.images_are_the_usage = true;
        }
    }
}

#[derive(Default)]
struct Money {
    tokens: Tokens,
    estimated: Option<(u64, u64)>,
    cost: Option<Cost>,
}
