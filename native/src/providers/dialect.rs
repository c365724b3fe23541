//! What a dialect other than OpenAI's has to say: the request in its provider's words, answers and streams in OpenAI's.

use std::fmt::Debug;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Uri};
use serde_json::{Map, Value};

use super::openai::{EventKind, Facts, ProviderError};
use super::operation::Operation;
use super::parameters::Wishes;
use crate::endpoint::Endpoint;
use crate::failure::{Failure, FailureKind};

/// A call as OpenAI's dialect would put it.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub operation: Operation,
    pub wishes: Wishes<'a>,
    pub streaming: bool,
    /// The caller wants the stream's usage.
    pub include_usage: bool,
    /// A stream's usage is to be asked for, whether the caller did or not.
    pub injects_usage: bool,
    /// The user that litellm's `metadata` names.
    pub metadata_user: Option<String>,
    pub endpoint: &'a Endpoint,
    pub key: Option<&'a str>,
    /// Names that were given in `extra_body`: sent as they are, whether known or not.
    pub extra: &'a [String],
    /// OpenAI's body without `model`, `stream` and `stream_options`.
    pub body: Map<String, Value>,
}

/// A request as its provider takes it.
#[derive(Debug)]
pub(crate) struct Worded {
    pub uri: Option<Uri>,
    /// Beside content type and user agent.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Value,
    /// None: as OpenAI's dialect.
    pub reading: Option<Box<dyn Reading>>,
}

pub(crate) trait Dialect: Sync + Debug {
    /// The request in the provider's words.
    fn word(&self, asked: Asked<'_>) -> Result<Worded, Failure>;

    /// Whether it has words for `operation`.
    fn words(&self, operation: Operation) -> bool {
        operation.is_in_dialects()
    }

    /// Whether the schema of a pydantic class is sent as OpenAI's strict mode wants it.
    fn has_strict_schemas(&self) -> bool {
        false
    }
}

/// How what comes back for one request is read.
pub(crate) trait Reading: Send + Sync + Debug {
    /// A whole answer; `Err` holds what is wrong with a body that is none.
    fn answer(&self, body: &Bytes) -> Result<Answered, String>;

    /// A stream's events, from the first on.
    fn events(&self) -> Box<dyn Events>;

    /// Whether a stream is lines of JSON instead of server-sent events.
    fn streams_lines(&self) -> bool {
        false
    }
}

#[derive(Debug)]
pub(crate) enum Answered {
    /// What the record needs of it, and the answer as OpenAI's JSON.
    Whole(Facts, Bytes),
    /// An answer that the caller gets, though it says itself that the call failed.
    Failed(Facts, Bytes, ProviderError),
    /// An error in an answer with a good status.
    Error(ProviderError),
}

pub(crate) trait Events: Send + Debug {
    /// Reads one event into `facts`, and writes the chunks that OpenAI's dialect would send for it.
    fn read(&mut self, facts: &mut Facts, data: &Bytes, chunks: &mut Vec<Bytes>) -> EventKind;

    /// The stream is over: the chunks that only its end lets one write.
    fn end(&mut self, _facts: &mut Facts, _chunks: &mut Vec<Bytes>) {}
}

/// A request that cannot be made from what the caller gave.
pub(super) fn refused(message: impl Into<String>) -> Failure {
    Failure {
        status: Some(400),
        ..Failure::new(FailureKind::InvalidRequest, message)
    }
}

/// The value of a header that holds a secret.
pub(super) fn secret_header(text: &str) -> Result<HeaderValue, Failure> {
    let mut value =
        HeaderValue::from_str(text).map_err(|_| refused("the API key holds characters that no header can carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// An answer's JSON object; `Err` says what is wrong with a body that is none.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, String> {
    serde_json::from_slice(body).map_err(|error| {
        if body.trim_ascii_start().first() == Some(&b'{') {
            format!("the body is not the JSON expected: {error}")
        } else {
            "the body is not a JSON object".to_owned()
        }
    })
}

pub(super) fn bytes_of(value: &Value) -> Bytes {
    // A `Value` always has a JSON form.
    Bytes::from(serde_json::to_vec(value).unwrap_or_default())
}
