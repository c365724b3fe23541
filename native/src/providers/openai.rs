//! OpenAI's dialect (chat completions and embeddings): what a body, and each event of a stream, says about the call.
//!
//! Only the facts that the record needs are read; the bytes themselves go to the caller as they are.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

use super::native_usage;
use crate::estimate::TextSize;
use crate::images::Images;
use crate::json_text;

mod choices;
mod closing;
mod errors;
pub(crate) mod images;
pub(crate) mod messages;
pub(crate) mod parameters;
mod telling;

pub(crate) use closing::closing_chunk;
pub(crate) use errors::{ProviderError, read_error};
pub(crate) use telling::{is_telling, may_be_only_usage, may_end};

use errors::error_in;

/// What an answer, or a stream so far, says about the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub response_id: Option<String>,
    pub model: Option<String>,
    pub finish_reasons: Vec<String>,
    /// The provider's usage object, as JSON text.
    pub usage: Option<String>,
    /// Web searches that are billed beside the usage.
    pub web_searches: u32,
    pub service_tier: Option<String>,
    pub system_fingerprint: Option<String>,
    /// Text that the model wrote, as far as it arrived.
    pub written: TextSize,
    /// Of a stream: a tool call began.
    pub called_tools: bool,
    /// Of an answer that consists of images.
    pub images: Option<Images>,
    /// The provider counts images, no tokens.
    pub images_are_the_usage: bool,
    /// Of a response: the provider goes on with it whoever listens.
    pub in_background: bool,
}

impl Facts {
    /// Whether the provider has counted all there is; else the text has to be measured.
    pub(crate) fn is_counted(&self) -> bool {
        self.usage
            .as_deref()
            .is_some_and(|usage| native_usage::of_start(usage).is_none())
    }
}

/// What one event of a stream was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// `[DONE]`
    Done,
    /// Nothing to hand on: a comment, a keep-alive.
    Empty,
    Chunk,
    /// A chunk after which nothing comes.
    Last,
    /// A chunk that carries nothing but usage: what `stream_options.include_usage` adds.
    UsageOnly,
    Error(ProviderError),
    /// Data that is no JSON.
    Invalid(String),
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    choices: Option<&'a RawValue>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    service_tier: Option<&'a RawValue>,
    #[serde(borrow, default)]
    system_fingerprint: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    /// Groq's own place for a stream's usage.
    #[serde(borrow, default)]
    x_groq: Option<&'a RawValue>,
    /// FastAPI's and Azure gateways' place for an error.
    #[serde(borrow, default)]
    object: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct GroqExtra<'a> {
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

/// A JSON string's text; None for anything that is no string.
fn text(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    json_text::text_of(raw?.get())
}

fn owned(raw: Option<&RawValue>) -> Option<String> {
    text(raw).filter(|t| !t.is_empty()).map(Cow::into_owned)
}

fn object(raw: Option<&RawValue>) -> Option<&str> {
    raw.map(RawValue::get).filter(|t| t.starts_with('{') && t.len() > 2)
}

impl Facts {
    /// Takes what `body` says; fields that it lacks keep what an earlier event said.
    fn take(&mut self, body: &Body<'_>) {
        if self.response_id.is_none() {
            self.response_id = owned(body.id);
        }
        if self.model.is_none() {
            self.model = owned(body.model);
        }
        if self.system_fingerprint.is_none() {
            self.system_fingerprint = owned(body.system_fingerprint);
        }
        if let Some(tier) = text(body.service_tier)
            && self.service_tier.as_deref() != Some(&*tier)
        {
            self.service_tier = Some(tier.into_owned());
        }
        if let Some(usage) = object(body.usage) {
            self.usage = Some(usage.to_owned());
        } else if self.usage.is_none()
            && let Some(extra) = object(body.x_groq)
        {
            self.usage = serde_json::from_str::<GroqExtra<'_>>(extra)
                .ok()
                .and_then(|x| object(x.usage).map(str::to_owned));
        }
    }
}

/// The text of what must be a JSON object. `Err` says what is wrong with it; its members are not looked at.
fn object_text(body: &[u8]) -> Result<&str, String> {
    let text =
        std::str::from_utf8(body).map_err(|error| format!("the body is not UTF-8 at byte {}", error.valid_up_to()))?;
    // The parser would take a list for an object whose fields stand in order.
    if !text.trim_start().starts_with('{') {
        return Err("the body is not a JSON object".to_owned());
    }
    Ok(text)
}

/// The text of a JSON object, whole and valid. `Err` says what is wrong with it.
pub(crate) fn check_object(body: &[u8]) -> Result<&str, String> {
    let text = object_text(body)?;
    serde_json::from_str::<serde::de::IgnoredAny>(text)
        .map_err(|error| format!("the body is not the JSON expected: {error}"))?;
    Ok(text)
}

/// Reads a whole answer. `Err` holds what is wrong with a body that is no JSON object.
pub(crate) fn read_answer(body: &[u8]) -> Result<(Facts, Option<ProviderError>), String> {
    let text = object_text(body)?;
    let parsed: Body<'_> =
        serde_json::from_str(text).map_err(|error| format!("the body is not the JSON expected: {error}"))?;
    let mut facts = Facts::default();
    facts.take(&parsed);
    if let Some(choices) = parsed.choices {
        choices::read(choices.get().as_bytes(), &mut facts);
    }
    let error = error_in(&parsed).filter(|_| parsed.choices.is_none());
    Ok((facts, error))
}

/// A whole answer as the chunk of a stream: each choice's `message` is its `delta`.
pub(crate) fn as_chunk(body: &[u8]) -> Bytes {
    let Ok(mut answer) = serde_json::from_slice::<serde_json::Value>(body) else {
        return Bytes::copy_from_slice(body);
    };
    for choice in answer
        .get_mut("choices")
        .and_then(|choices| choices.as_array_mut())
        .into_iter()
        .flatten()
    {
        if let Some(choice) = choice.as_object_mut()
            && let Some(message) = choice.remove("message")
        {
            choice.insert("delta".to_owned(), message);
        }
    }
    answer["object"] = "chat.completion.chunk".into();
    serde_json::to_vec(&answer).map_or_else(|_| Bytes::copy_from_slice(body), Bytes::from)
}

/// The facts of an embeddings answer without reading its vectors: the last `"usage"` and what stands around the data.
///
/// The patched SDK reads and checks the body itself; a second full parse would double its cost.
pub(crate) fn skim_embeddings(body: &[u8]) -> Facts {
    // What stands before and behind the vectors: no name in it can be a part of them.
    let head = &body[..memchr::memmem::find(body, b"\"data\"").unwrap_or(0)];
    let tail = &body[memchr::memrchr(b']', body).unwrap_or(0)..];
    let field = |name: &[u8]| -> Option<&RawValue> {
        [tail, head].into_iter().find_map(|part| {
            let at = memchr::memmem::find(part, name)? + name.len();
            let rest = part[at..].trim_ascii_start().strip_prefix(b":")?;
            serde_json::Deserializer::from_slice(rest)
                .into_iter::<&RawValue>()
                .next()?
                .ok()
        })
    };
    Facts {
        usage: object(field(b"\"usage\"")).map(str::to_owned),
        model: owned(field(b"\"model\"")),
        response_id: owned(field(b"\"id\"")),
        ..Facts::default()
    }
}

/// Reads one event of a stream into `facts`.
pub(crate) fn read_event(facts: &mut Facts, data: &[u8]) -> EventKind {
    let trimmed = data.trim_ascii();
    if trimmed.is_empty() {
        return EventKind::Empty;
    }
    if trimmed.starts_with(b"[DONE]") {
        return EventKind::Done;
    }
    let Ok(text) = std::str::from_utf8(trimmed) else {
        return EventKind::Invalid("an event of the stream is not UTF-8".to_owned());
    };
    if !text.starts_with('{') {
        return EventKind::Invalid("an event of the stream is not a JSON object".to_owned());
    }
    let body: Body<'_> = match serde_json::from_str(text) {
        Ok(body) => body,
        Err(error) => return EventKind::Invalid(format!("an event of the stream is not the JSON expected: {error}")),
    };
    if let Some(error) = error_in(&body) {
        return EventKind::Error(error);
    }
    facts.take(&body);
    let choices = body
        .choices
        .map_or(0, |choices| choices::read(choices.get().as_bytes(), facts));
    let only_usage =
        choices == 0 && object(body.usage).is_some() && body.choices.is_some_and(|c| c.get().starts_with('['));
    if only_usage {
        EventKind::UsageOnly
    } else {
        EventKind::Chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_gives_its_facts() {
        let body = br#"{"id":"c1","model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"},
            {"index":1,"message":{},"finish_reason":"length"}],"usage":{"prompt_tokens":3},"service_tier":"default"}"#;
        let (facts, error) = read_answer(body).expect("an answer");
        assert_eq!(error, None);
        assert_eq!(facts.finish_reasons, ["stop", "length"]);
        assert_eq!(facts.usage.as_deref(), Some(r#"{"prompt_tokens":3}"#));
        assert_eq!(facts.model.as_deref(), Some("gpt-4o-2024-08-06"));
    }

    #[test]
    fn odd_types_do_not_spoil_the_rest() {
        let body = br#"{"id":7,"model":null,"choices":{"a":1},"usage":{"prompt_tokens":3}}"#;
        let (facts, _) = read_answer(body).expect("an answer");
        assert_eq!(facts.response_id, None);
        assert!(facts.usage.is_some());
    }

    #[test]
    fn events_add_up() {
        let mut facts = Facts::default();
        let chunk =
            br#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"Hello w\u00f6rld"}}],"usage":null}"#;
        assert_eq!(read_event(&mut facts, chunk), EventKind::Chunk);
        let last = br#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
        assert_eq!(read_event(&mut facts, last), EventKind::Chunk);
        let usage = br#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
        assert_eq!(read_event(&mut facts, usage), EventKind::UsageOnly);
        assert_eq!(read_event(&mut facts, b"[DONE]"), EventKind::Done);
        assert_eq!(facts.finish_reasons, ["stop"]);
        assert_eq!(facts.written.tokens(), 4);
        assert!(facts.usage.is_some());
    }

    #[test]
    fn errors_in_their_many_places() {
        let nested =
            read_error(br#"{"error":{"message":"no","type":"invalid_request_error","code":"model_not_found"}}"#);
        assert_eq!(
            (nested.message.as_str(), nested.code.as_deref()),
            ("no", Some("model_not_found"))
        );
        assert_eq!(read_error(br#"{"error":"plain"}"#).message, "plain");
        assert_eq!(read_error(br#"{"detail":"gone"}"#).message, "gone");
        assert_eq!(read_error(b"<html>502</html>").message, "<html>502</html>");
        let numbered = read_error(br#"{"error":{"message":"x","code":429}}"#);
        assert_eq!((numbered.code, numbered.status), (None, Some(429)));
        let mut facts = Facts::default();
        assert!(
            matches!(read_event(&mut facts, br#"{"error":{"message":"boom"}}"#), EventKind::Error(e) if e.message == "boom")
        );
    }

    #[test]
    fn embeddings_are_skimmed() {
        let facts = skim_embeddings(br#"{"object":"list","data":[{"embedding":[0.1]}],"model":"e-3","usage":{"prompt_tokens":5,"total_tokens":5}}"#);
        assert_eq!(facts.model.as_deref(), Some("e-3"));
        assert_eq!(facts.usage.as_deref(), Some(r#"{"prompt_tokens":5,"total_tokens":5}"#));
        assert_eq!(skim_embeddings(b"not json").usage, None);
    }
}
