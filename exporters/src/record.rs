//! The record of one call: everything that leaves the process is derived from it.
//!
//! Names follow the OpenTelemetry GenAI semantic conventions, except `provider`, which holds litellm's ids.

use std::sync::Arc;

use pricing::{Cost, Tokens};

/// UUIDv7: the time of the call's start in its upper bits, so ids made later sort later.
pub type CallUid = [u8; 16];

/// How a call ended, as the caller saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer, or the last chunk of a stream, reached the caller.
    Completed,
    /// The caller left a stream before its end, on purpose.
    ClosedEarly,
    /// Nobody closed or exhausted the stream: garbage collected, or open when the interpreter ended.
    Abandoned,
    /// The call failed, or its stream did.
    Error,
}

impl Outcome {
    /// The value of the column `outcome`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ClosedEarly => "closed_early",
            Self::Abandoned => "abandoned",
            Self::Error => "error",
        }
    }
}

/// What the caller said about a call beside its arguments: `edgequake_obs.context(...)`, merged with the outer contexts.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    pub user: Option<String>,
    pub session: Option<String>,
    /// Sorted by key; a key stands once.
    pub tags: Vec<(String, String)>,
    /// A JSON object.
    pub metadata: Option<String>,
}

/// One HTTP attempt of a call.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    pub start_ns: i64,
    pub duration_ns: i64,
    pub provider: Arc<str>,
    pub model: Option<Arc<str>>,
    pub server_address: Option<Arc<str>>,
    pub http_status: Option<u16>,
    pub error_type: Option<String>,
    pub request_id: Option<String>,
    /// The provider's own usage object, as JSON text, where this attempt has one of its own.
    pub usage: Option<String>,
    pub cost_usd: Option<pricing::Usd>,
}

/// One call, whole. `None` means not known or not reported, never zero.
#[derive(Clone, Debug)]
pub struct CallRecord {
    pub call_uid: CallUid,
    /// Wall clock at the start, nanoseconds since the epoch; durations come from the monotonic clock.
    pub start_ns: i64,
    pub duration_ns: i64,
    pub time_to_first_chunk_ns: Option<i64>,
    pub origin: &'static str,
    pub origin_version: Option<Arc<str>>,
    pub operation: &'static str,
    /// Which of OpenAI's interfaces for the same operation, as `openai.api.type` names it.
    pub api_type: Option<&'static str>,
    pub provider: Arc<str>,
    pub request_model: Option<Arc<str>>,
    pub response_model: Option<String>,
    pub response_id: Option<String>,
    pub server_address: Option<Arc<str>>,
    pub server_port: Option<u16>,
    pub streaming: bool,
    pub cached: bool,
    pub chunks: Option<u32>,
    pub tokens: Tokens,
    pub estimated_input_tokens: Option<u64>,
    pub estimated_output_tokens: Option<u64>,
    /// The provider's own usage object, as JSON text.
    pub usage: Option<String>,
    pub cost: Option<Cost>,
    pub service_tier: Option<String>,
    pub requested_service_tier: Option<String>,
    pub outcome: Outcome,
    pub error_type: Option<String>,
    /// Redacted already, at most 2 kB.
    pub error_message: Option<String>,
    pub http_status: Option<u16>,
    pub attempts: Vec<Attempt>,
    pub finish_reasons: Vec<String>,
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    pub parent_span_id: Option<[u8; 8]>,
    /// Whether the span around the call is sampled; None where there is none.
    pub parent_sampled: Option<bool>,
    pub labels: Option<Arc<Labels>>,
    /// The call's own `user=`; it wins over the context's.
    pub user: Option<String>,
    /// The call's own tags; their keys win over the context's.
    pub tags: Vec<(String, String)>,
    pub api_key_id: Option<Arc<str>>,
    /// JSON objects, as text.
    pub metadata: Option<String>,
    pub request_params: Option<String>,
    pub provider_details: Option<String>,
    pub content: Option<String>,
    /// The content is for spans too.
    pub content_on_spans: bool,
    /// It is an event of its own.
    pub content_on_events: bool,
}

/// A call that is over. Its record is made when it is asked for: by the thread that writes it, or by somebody who wants to
/// know its cost before; never by the caller, who has waited long enough.
pub trait Ended: Send + std::fmt::Debug {
    /// About how many bytes it holds.
    fn weight(&self) -> usize;

    /// The record, the same each time. None only where it belongs to another process.
    fn record(&self) -> Option<Arc<CallRecord>>;
}
