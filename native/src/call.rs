//! A call under way, whoever makes it: begun before the request is sent, finished exactly once, and then a record.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use exporters::{Attempt, CallRecord, Outcome};
use pricing::{Cost, CostQuery, CostStatus, Tokens, UsageFormat};

use crate::core::core;
use crate::estimate::TextSize;
use crate::failure::{Failure, FailureKind};
use crate::headers::ResponseFacts;
use crate::providers::openai::Facts;
use crate::scope::Scope;
use crate::{fork, ids, redact};

const LONGEST_ERROR_MESSAGE: usize = 2048;

/// What is known before the request is sent.
#[derive(Debug)]
pub(crate) struct Start {
    pub origin: &'static str,
    pub origin_version: Option<Arc<str>>,
    pub operation: &'static str,
    pub provider: Arc<str>,
    pub request_model: Option<Arc<str>>,
    pub server_address: Option<Arc<str>>,
    pub streaming: bool,
    pub scope: Option<Arc<Scope>>,
    /// Trace and span that the caller is in.
    pub parent: Option<([u8; 16], [u8; 8])>,
    pub api_key_id: Option<Arc<str>>,
    /// What must not be in any text that leaves: the call's key, and the values of its own secret headers.
    pub secrets: Vec<String>,
    pub asked: Asked,
}

/// What the request itself says that belongs in the record.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub user: Option<String>,
    pub tags: Vec<(String, String)>,
    /// A JSON object.
    pub metadata: Option<String>,
    pub request_params: Option<String>,
    pub service_tier: Option<String>,
    /// The text of the request, for an estimate.
    pub input: TextSize,
}

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

/// What remains to be seen of a finished call: its cost and times, for the answer's own attributes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Finished {
    pub cost_usd: Option<pricing::Usd>,
    pub duration_ns: i64,
}

#[derive(Debug)]
pub(crate) struct OpenCall {
    pub uid: [u8; 16],
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    state: Mutex<Option<Box<State>>>,
    finished: OnceLock<Finished>,
    slot: OnceLock<usize>,
    generation: u64,
}

/// What is learnt while the call is under way.
#[derive(Debug)]
pub(crate) struct State {
    start: Start,
    start_ns: i64,
    started: Instant,
    attempts: Vec<Attempt>,
    attempt_started: Instant,
    pub facts: Facts,
    response: ResponseFacts,
    chunks: u32,
    first_chunk: Option<Instant>,
    last_byte: Option<Instant>,
}

impl OpenCall {
    /// The start hook: ids and parent are fixed here, before the request is sent.
    #[must_use]
    pub(crate) fn begin(start: Start) -> Arc<Self> {
        let start_ns = ids::wall_clock_ns();
        let now = Instant::now();
        let trace_id = start.parent.map_or_else(ids::trace_id, |(trace, _)| trace);
        let state = State {
            start,
            start_ns,
            started: now,
            attempts: Vec::new(),
            attempt_started: now,
            facts: Facts::default(),
            response: ResponseFacts::default(),
            chunks: 0,
            first_chunk: None,
            last_byte: None,
        };
        let call = Arc::new(Self {
            uid: ids::call_uid(start_ns),
            trace_id,
            span_id: ids::span_id(),
            state: Mutex::new(Some(Box::new(state))),
            finished: OnceLock::new(),
            slot: OnceLock::new(),
            generation: fork::generation(),
        });
        let _ = call.slot.set(core().open_calls.add(&Arc::downgrade(&call)));
        call
    }

    /// Runs `change` on the call's state; None once the call is finished.
    pub(crate) fn with_state<R>(&self, change: impl FnOnce(&mut State) -> R) -> Option<R> {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_deref_mut()
            .map(change)
    }

    /// The end hook: makes the record, prices it and hands it on. The first ending wins; later ones do nothing.
    pub(crate) fn finish(&self, ending: Ending) {
        let Some(state) = self.state.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        if self.generation != fork::generation() {
            // Begun before a fork: the parent finishes it. This copy belongs to nobody.
            return;
        }
        if let Some(slot) = self.slot.get() {
            core().open_calls.remove(*slot);
        }
        let scope = state.start.scope.clone();
        let record = state.into_record(self, ending);
        let cost = record.cost.as_ref();
        let cost_usd = cost.and_then(|cost| cost.usd);
        if let Some(scope) = scope {
            // A failed call that reported nothing has cost nothing that anybody knows of.
            let unpriced = cost_usd.is_none()
                && !(record.outcome == Outcome::Error && cost.is_none_or(|cost| cost.status == CostStatus::NoUsage));
            let tokens = |reported: Option<u64>, estimated: Option<u64>| reported.or(estimated).unwrap_or(0);
            scope.add(
                cost_usd,
                unpriced,
                tokens(record.tokens.input, record.estimated_input_tokens),
                tokens(record.tokens.output, record.estimated_output_tokens),
            );
        }
        let _ = self.finished.set(Finished {
            cost_usd,
            duration_ns: record.duration_ns,
        });
        if !core().disabled {
            core().recorder().push(Box::new(record));
        }
    }

    /// Ends the call with `failure`, and gives it back without the call's secrets: what the caller may see of it.
    pub(crate) fn fail(&self, failure: Failure) -> Failure {
        let secrets = self.with_state(|state| state.start.secrets.clone()).unwrap_or_default();
        let failure = failure.redacted(|text| redact::redact(text, &secrets).into_owned());
        self.finish(Ending::Failed {
            error_type: failure.error_type(),
            message: failure.message.clone(),
            // A call that was refused before it was sent has no answer, whatever status its exception has.
            status: failure.status.filter(|_| failure.kind != FailureKind::InvalidRequest),
        });
        failure
    }

    /// What came of the call; nothing yet while it is under way.
    #[must_use]
    pub(crate) fn finished(&self) -> Finished {
        self.finished.get().cloned().unwrap_or_default()
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.finish(Ending::Abandoned);
    }
}

impl State {
    /// A further attempt begins: the one before has been noted by [`Self::attempt_failed`].
    pub(crate) fn attempt_begins(&mut self) {
        self.attempt_started = Instant::now();
    }

    /// The attempt under way failed and another will follow.
    pub(crate) fn attempt_failed(
        &mut self,
        status: Option<u16>,
        error_type: Option<String>,
        request_id: Option<String>,
    ) {
        let error_type = error_type.map(|error_type| self.redacted(&error_type));
        self.note_attempt(status, error_type, request_id);
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

    fn note_attempt(&mut self, status: Option<u16>, error_type: Option<String>, request_id: Option<String>) {
        let offset = self.attempt_started.duration_since(self.started).as_nanos() as i64;
        self.attempts.push(Attempt {
            start_ns: self.start_ns + offset,
            duration_ns: self.attempt_started.elapsed().as_nanos() as i64,
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

    fn into_record(mut self: Box<Self>, call: &OpenCall, ending: Ending) -> CallRecord {
        // A stream is over when its last byte came, however long its consumer took to read it.
        let ended = match ending {
            Ending::Completed if self.start.streaming => self.last_byte.unwrap_or_else(Instant::now),
            _ => Instant::now(),
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
        self.note_attempt(http_status, error_type.clone(), request_id.clone());
        let (duration_ns, started) = (ended.duration_since(self.started).as_nanos() as i64, self.started);
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
            operation: start.operation,
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
        if let Some(json) = &self.facts.usage {
            let format =
                UsageFormat::for_call(&self.start.provider, self.start.operation).unwrap_or(UsageFormat::OpenAiChat);
            return match pricing::read_usage(format, json) {
                Ok(usage) => Money {
                    tokens: *usage.tokens(),
                    estimated: None,
                    cost: Some(self.price(&usage)),
                },
                Err(why) => Money {
                    tokens: pricing::reported_tokens(json),
                    estimated: None,
                    cost: Some(Cost::of_invalid_usage(why)),
                },
            };
        }
        // Only a stream that brought text has been billed without saying so; what an error cost is not known.
        if !self.start.streaming || self.facts.written.is_empty() {
            return Money::default();
        }
        let estimated = (self.start.asked.input.tokens(), self.facts.written.tokens());
        let usage = pricing::estimated_usage(estimated.0, estimated.1);
        Money {
            tokens: Tokens::default(),
            estimated: Some(estimated),
            cost: Some(self.price(&usage)),
        }
    }

    /// Priced by the model that answered, where its price is known; an alias or a deployment may only be known by the name asked for.
    fn price(&self, usage: &pricing::Usage) -> Cost {
        let provider = &*self.start.provider;
        let served = self.facts.model.as_deref();
        let asked = self.start.request_model.as_deref();
        let model = served
            .filter(|model| pricing::resolve(provider, model).is_some())
            .or(asked)
            .or(served)
            .unwrap_or_default();
        let query = CostQuery {
            provider,
            model,
            at_ns: self.start_ns,
            service_tier: self.facts.service_tier.as_deref(),
            ..CostQuery::default()
        };
        pricing::cost(usage, &query)
    }
}

#[derive(Default)]
struct Money {
    tokens: Tokens,
    estimated: Option<(u64, u64)>,
    cost: Option<Cost>,
}
