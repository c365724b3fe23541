//! What is known of a call before its request is sent.

use std::sync::Arc;

use crate::content::Content;
use crate::estimate::TextSize;
use crate::events::Listener;
use crate::images::Images;
use crate::prices::PriceFacts;
use crate::scope::Scope;
use crate::surface::Surface;

/// What is known before the request is sent.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub origin: &'static str,
    pub origin_version: Option<Arc<str>>,
    pub surface: Surface,
    pub provider: Arc<str>,
    pub request_model: Option<Arc<str>>,
    pub server_address: Option<Arc<str>>,
    pub server_port: Option<u16>,
    pub streaming: bool,
    pub scope: Option<Arc<Scope>>,
    /// The span that the caller is in.
    pub parent: Option<Parent>,
    pub api_key_id: Option<Arc<str>>,
    /// What must not be in any text that leaves: the call's key, and the values of its own secret headers.
    pub secrets: Vec<String>,
    pub asked: Asked,
    /// Nothing is sent, and nothing recorded: the caller says what the answer is.
    pub mocked: bool,
    /// Its span in the program's own OpenTelemetry.
    pub live: Option<Live>,
    /// Callbacks are registered.
    pub listener: Option<Listener>,
}

impl Start {
    /// Of another call by the same client in the same place, that nobody listens to.
    #[must_use]
    pub(crate) fn alike(&self, surface: Surface, asked: Asked) -> Self {
        Self {
            origin: self.origin,
            origin_version: self.origin_version.clone(),
            surface,
            provider: Arc::clone(&self.provider),
            request_model: None,
            server_address: self.server_address.clone(),
            server_port: self.server_port,
            streaming: false,
            scope: self.scope.clone(),
            parent: self.parent,
            api_key_id: self.api_key_id.clone(),
            secrets: self.secrets.clone(),
            asked,
            mocked: false,
            live: None,
            listener: None,
        }
    }
}

/// The span around a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    pub sampled: bool,
}

/// What the program's own OpenTelemetry has of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Live {
    /// Under which Python keeps the span; 0 where it is not recorded.
    pub ticket: u64,
    /// Trace and span.
    pub ids: Option<([u8; 16], [u8; 8])>,
    pub start_ns: i64,
    /// Spans, metrics, and events, are the program's affair.
    pub has_span: bool,
    pub has_metrics: bool,
    pub has_events: bool,
    /// The program's meter is to be told what the call came to.
    pub measured: bool,
    /// The program's logger is to be told what was said.
    pub logged: bool,
    /// What samplers were told, as one number: whether it still holds when the call is over.
    pub told: u64,
}

impl Live {
    pub(super) fn is_to_be_ended(&self) -> bool {
        self.ticket != 0 || self.measured || self.logged
    }
}

/// What the request itself says that belongs in the record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub user: Option<String>,
    pub tags: Vec<(String, String)>,
    /// A JSON object.
    pub metadata: Option<String>,
    pub request_params: Option<String>,
    pub service_tier: Option<String>,
    /// What it says about its price.
    pub price: Option<Box<PriceFacts>>,
    /// What was asked, where content is kept.
    pub content: Option<Box<Content>>,
    /// The text of the request, for an estimate.
    pub input: TextSize,
    /// Characters that are to be spoken: what speech is paid by.
    pub characters: Option<u64>,
    /// Size and quality of the images asked for.
    pub images: Images,
}
