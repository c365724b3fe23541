//! Events that name their type (`response.output_text.delta`, `transcript.text.done`), and the response they add up to.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::AnswerProblem;
use crate::json_scan::{elements, member, members, text_of};
use crate::providers::openai::{EventKind, Facts, ProviderError, check_object};

static RESPONSE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"response\""));
static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"usage\""));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"error\""));

/// Whether an event may say more than text.
pub(super) fn is_telling(data: &[u8]) -> bool {
    [&RESPONSE, &USAGE, &ERROR].iter().any(|name| name.find(data).is_some())
}

/// A response object, whole.
pub(super) fn read_response(body: &[u8]) -> Result<Facts, AnswerProblem> {
    let text = check_object(body).map_err(AnswerProblem::Unreadable)?;
    let mut facts = Facts::default();
    match take_response(&mut facts, text.as_bytes()) {
        Some(error) => Err(AnswerProblem::Failed(Box::new(facts), error)),
        None => Ok(facts),
    }
}

/// What a response object says; its error, where it says that it failed.
fn take_response(facts: &mut Facts, response: &[u8]) -> Option<ProviderError> {
    let (mut status, mut error, mut reason) = (None, None, None);
    for (name, value) in members(response) {
        match name {
            b"id" => facts.response_id = owned(value).or(facts.response_id.take()),
            b"model" => facts.model = owned(value).or(facts.model.take()),
            b"service_tier" => facts.service_tier = owned(value).or(facts.service_tier.take()),
            b"usage" => take_usage(facts, value),
            b"background" => facts.in_background = value == b"true",
            b"output" => facts.web_searches = web_searches(value),
            b"status" => status = owned(value),
            b"error" => error = Some(value),
            b"incomplete_details" => {
                reason = members(value)
                    .find(|(name, _)| *name == b"reason")
                    .and_then(|(_, value)| owned(value));
            }
            _ => {}
        }
    }
    match status.as_deref() {
        Some("failed") => return Some(provider_error(error.unwrap_or_default())),
        Some("completed" | "incomplete" | "cancelled") => {
            facts.finish_reasons = vec![reason.or(status).unwrap_or_default()];
        }
        _ => {}
    }
    None
}

/// How often the model searched the web: each search is billed, looking at a page it found is not.
fn web_searches(output: &[u8]) -> u32 {
    let is_search = |item: &&[u8]| {
        let (mut is_call, mut is_other_action) = (false, false);
        for (name, value) in members(item) {
            match name {
                b"type" => is_call = text_of(value).as_deref() == Some("web_search_call"),
                b"action" => {
                    let kind = member(value, b"type");
                    is_other_action = kind.is_some_and(|kind| text_of(kind).as_deref() != Some("search"));
                }
                _ => {}
            }
        }
        is_call && !is_other_action
    };
    elements(output).filter(is_search).count() as u32
}

pub(super) fn take_usage(facts: &mut Facts, value: &[u8]) {
    if value.starts_with(b"{") && value.len() > 2 {
        facts.usage = std::str::from_utf8(value)
            .ok()
            .map(str::to_owned)
            .or(facts.usage.take());
    }
}

pub(super) fn provider_error(error: &[u8]) -> ProviderError {
    let (mut code, mut kind, mut message) = (None, None, None);
    for (name, value) in members(error) {
        match name {
            b"code" => code = owned(value),
            b"type" => kind = owned(value),
            b"message" => message = owned(value),
            _ => {}
        }
    }
    ProviderError {
        message: message.unwrap_or_else(|| "the provider says that the response failed".to_owned()),
        code: code.or(kind.filter(|kind| kind != "error")),
        status: None,
    }
}

/// Reads one event into `facts`.
pub(super) fn read_event(facts: &mut Facts, data: &[u8]) -> EventKind {
    if data.trim_ascii().is_empty() {
        return EventKind::Empty;
    }
    if data.trim_ascii_start().starts_with(b"[DONE]") {
        return EventKind::Done;
    }
    let text = match check_object(data) {
        Ok(text) => text,
        Err(why) => return EventKind::Invalid(why),
    };
    let (mut kind, mut delta, mut failure) = (None, None, None);
    for (name, value) in members(text.as_bytes()) {
        match name {
            b"type" => kind = text_of(value),
            b"delta" => delta = text_of(value),
            b"response" => failure = take_response(facts, value),
            b"usage" => take_usage(facts, value),
            // Where an error stands in the event itself, not in its response.
            b"error" if value.starts_with(b"{") => failure = Some(provider_error(value)),
            _ => {}
        }
    }
    let kind = kind.unwrap_or(Cow::Borrowed(""));
    if kind == "error" {
        failure = failure.or_else(|| Some(provider_error(text.as_bytes())));
    }
    if let Some(failure) = failure {
        return EventKind::Error(failure);
    }
    if let Some(delta) = delta.filter(|_| is_text(&kind)) {
        facts.written.add(&delta);
    }
    match &*kind {
        "response.completed" | "response.incomplete" | "transcript.text.done" | "speech.audio.done" => EventKind::Last,
        _ => EventKind::Chunk,
    }
}

/// Sound comes in deltas too; its transcript is what the model wrote.
fn is_text(kind: &str) -> bool {
    kind.ends_with(".delta") && (!kind.contains("audio") || kind.contains("transcript"))
}

fn owned(value: &[u8]) -> Option<String> {
    text_of(value).filter(|text| !text.is_empty()).map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_are_counted_and_pages_looked_at_are_not() {
        let body =
            br#"{"id":"r","model":"gpt-5","output":[{"type":"web_search_call","action":{"type":"search","query":"x"}},
            {"type":"web_search_call","action":{"type":"open_page","url":"u"}},{"type":"web_search_call"},
            {"type":"message","content":[]}],"usage":{"input_tokens":3}}"#;
        assert_eq!(read_response(body).map(|facts| facts.web_searches), Ok(2));
    }

    #[test]
    fn the_events_of_a_response_add_up() {
        let mut facts = Facts::default();
        let created = br#"{"type":"response.created","response":{"id":"resp_1","status":"in_progress","model":"gpt-5","usage":null,"error":null}}"#;
        assert_eq!(read_event(&mut facts, created), EventKind::Chunk);
        let delta = br#"{"type":"response.output_text.delta","delta":"Hello"}"#;
        assert!(is_telling(created) && !is_telling(delta));
        assert_eq!(read_event(&mut facts, delta), EventKind::Chunk);
        assert_eq!(
            read_event(&mut facts, br#"{"type":"response.audio.delta","delta":"QUJD"}"#),
            EventKind::Chunk
        );
        let done = br#"{"type": "response.incomplete", "response": {"id":"resp_1","status":"incomplete","model":"gpt-5-2025",
            "incomplete_details":{"reason":"max_output_tokens"},"service_tier":"default","usage":{"input_tokens":3,"output_tokens":2}}}"#;
        assert_eq!(read_event(&mut facts, done), EventKind::Last);
        assert_eq!(facts.response_id.as_deref(), Some("resp_1"));
        assert_eq!(facts.model.as_deref(), Some("gpt-5-2025"));
        assert_eq!(facts.finish_reasons, ["max_output_tokens"]);
        assert_eq!(facts.usage.as_deref(), Some(r#"{"input_tokens":3,"output_tokens":2}"#));
        assert_eq!(facts.written.tokens(), 2, "five characters");
    }

    #[test]
    fn a_failed_response_keeps_what_it_used() {
        let body = br#"{"id":"resp_2","status":"failed","model":"gpt-5","error":{"code":"server_error","message":"sorry"},"usage":{"input_tokens":3}}"#;
        let Err(AnswerProblem::Failed(facts, error)) = read_response(body) else {
            panic!("it failed");
        };
        assert_eq!(
            (error.code.as_deref(), &*error.message),
            (Some("server_error"), "sorry")
        );
        assert!(facts.usage.is_some());
        let mut facts = Facts::default();
        let event = br#"{"type":"error","code":"rate_limit_exceeded","message":"slow down","param":null}"#;
        assert!(
            matches!(read_event(&mut facts, event), EventKind::Error(e) if e.code.as_deref() == Some("rate_limit_exceeded"))
        );
        assert!(matches!(read_response(b"<html>"), Err(AnswerProblem::Unreadable(_))));
    }
}
