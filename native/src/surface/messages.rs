//! Anthropic's messages: the answer, and the events that it comes in.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde_json::{Map, Value};

use super::AnswerProblem;
use super::typed::provider_error;
use crate::json_scan::{member, members, text_of};
use crate::providers::native_usage;
use crate::providers::openai::{EventKind, Facts, check_object};

static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"usage\""));
static STOP: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("message_stop"));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"error\""));

/// Whether an event may say more than text.
pub(super) fn is_telling(data: &[u8]) -> bool {
    [&USAGE, &STOP, &ERROR].iter().any(|name| name.find(data).is_some())
}

pub(super) fn read_answer(body: &[u8]) -> Result<Facts, AnswerProblem> {
    let text = check_object(body).map_err(AnswerProblem::Unreadable)?;
    let mut facts = Facts::default();
    take_message(&mut facts, text.as_bytes());
    Ok(facts)
}

fn take_message(facts: &mut Facts, message: &[u8]) {
    for (name, value) in members(message) {
        match name {
            b"id" => facts.response_id = owned(value).or(facts.response_id.take()),
            b"model" => facts.model = owned(value).or(facts.model.take()),
            b"usage" => add_usage(facts, value),
            b"stop_reason" => take_reason(facts, value),
            _ => {}
        }
    }
}

fn take_reason(facts: &mut Facts, value: &[u8]) {
    if let Some(reason) = owned(value) {
        facts.finish_reasons = vec![reason];
    }
}

/// The start of a stream counts the input, its deltas the output: later counts are laid over earlier ones.
fn add_usage(facts: &mut Facts, value: &[u8]) {
    let Ok(Value::Object(later)) = serde_json::from_slice::<Value>(value) else {
        return;
    };
    if let Some(tier) = later.get("service_tier").and_then(Value::as_str) {
        facts.service_tier = Some(tier.to_owned());
    }
    let Some(earlier) = facts.usage.as_deref() else {
        facts.usage = std::str::from_utf8(value).ok().map(str::to_owned);
        return;
    };
    let earlier = native_usage::of_start(earlier).unwrap_or(earlier);
    let mut all: Map<String, Value> = serde_json::from_str(earlier).unwrap_or_default();
    all.extend(later.into_iter().filter(|(_, count)| !count.is_null()));
    facts.usage = serde_json::to_string(&all).ok();
}

/// Reads one event into `facts`.
pub(super) fn read_event(facts: &mut Facts, data: &[u8]) -> EventKind {
    if data.trim_ascii().is_empty() {
        return EventKind::Empty;
    }
    let text = match check_object(data) {
        Ok(text) => text,
        Err(why) => return EventKind::Invalid(why),
    };
    let mut kind = None;
    for (name, value) in members(text.as_bytes()) {
        match name {
            b"type" => kind = text_of(value),
            b"message" => {
                take_message(facts, value);
                // As an event, until a delta completes it: what a stream left early has counted is the input alone.
                facts.usage = facts.usage.take().map(|usage| native_usage::as_start(&usage));
            }
            b"usage" => add_usage(facts, value),
            b"delta" => take_delta(facts, value),
            b"content_block" => take_block(facts, value),
            b"error" => return EventKind::Error(provider_error(value)),
            _ => {}
        }
    }
    match kind.as_deref() {
        Some("message_stop") => EventKind::Last,
        Some("ping") => EventKind::Empty,
        _ => EventKind::Chunk,
    }
}

/// A block's start names the tool that it calls, or has the beginning of a text.
fn take_block(facts: &mut Facts, block: &[u8]) {
    let text = |wanted: &[u8]| member(block, wanted).and_then(text_of).unwrap_or_default();
    match &*text(b"type") {
        "tool_use" | "server_tool_use" | "mcp_tool_use" => facts.written.add(&text(b"name")),
        "text" => facts.written.add(&text(b"text")),
        _ => {}
    }
}

fn take_delta(facts: &mut Facts, delta: &[u8]) {
    for (name, value) in members(delta) {
        match name {
            b"stop_reason" => take_reason(facts, value),
            b"text" | b"thinking" | b"partial_json" => {
                if let Some(text) = text_of(value) {
                    facts.written.add(&text);
                }
            }
            _ => {}
        }
    }
}

fn owned(value: &[u8]) -> Option<String> {
    text_of(value).filter(|text| !text.is_empty()).map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_of_a_message_add_up() {
        let mut facts = Facts::default();
        let events = [
            r#"{"type":"message_start","message":{"id":"msg_1","model":"claude-x","stop_reason":null,"usage":{"input_tokens":3,"output_tokens":1}}}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"add","input":{}}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello!"}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":4}}"#,
            r#"{"type":"message_stop"}"#,
        ];
        read_event(&mut facts, events[0].as_bytes());
        let started = r#"[{"type":"message_start","message":{"usage":{"input_tokens":3,"output_tokens":1}}}]"#;
        assert_eq!(facts.usage.as_deref(), Some(started), "the output is not counted yet");
        let mut facts = Facts::default();
        let kinds = events.map(|event| read_event(&mut facts, event.as_bytes()));
        assert_eq!(kinds[1], EventKind::Empty);
        assert_eq!(kinds[5], EventKind::Last);
        assert_eq!(facts.usage.as_deref(), Some(r#"{"input_tokens":3,"output_tokens":4}"#));
        assert_eq!(
            (facts.response_id.as_deref(), facts.model.as_deref()),
            (Some("msg_1"), Some("claude-x"))
        );
        assert_eq!(facts.finish_reasons, ["end_turn"]);
        assert_eq!(facts.written.tokens(), 3, "six characters, and three of the tool");
        let overloaded = br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert!(
            matches!(read_event(&mut facts, overloaded), EventKind::Error(e) if e.code.as_deref() == Some("overloaded_error"))
        );
    }
}
