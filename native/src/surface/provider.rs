//! The usage in an answer of any provider's own dialect, wherever it stands. The rest is for the library to tell.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::de::IgnoredAny;

use super::messages;
use super::typed::take_usage;
use crate::json_scan::{elements, member, members, text_of};
use crate::providers::openai::{EventKind, Facts};

const METRICS: &[u8] = b"amazon-bedrock-invocationMetrics";

/// Levels of an event below which nobody keeps text, and which nobody can make endless.
const DEEPEST: usize = 16;

/// Where providers quote what they found, or say once more what was said.
const QUOTED: [&[u8]; 5] = [
    b"citations",
    b"documents",
    b"search_results",
    b"groundingMetadata",
    b"citationMetadata",
];

/// What providers call the text that a model writes: Gemini, Bedrock and Cohere `text`, Bedrock's tools `input`, Cohere's
/// `arguments`, Ollama `content` and `response`, Titan `outputText`, Llama `generation`, older Claudes `completion`.
const TEXTS: [&[u8]; 10] = [
    b"text",
    b"thinking",
    b"input",
    b"arguments",
    b"tool_plan",
    b"content",
    b"response",
    b"outputText",
    b"generation",
    b"completion",
];

/// Ollama's counts stand in the answer itself, Cohere's in its `meta`; Bedrock's stream has its own word for them.
static NAMES: LazyLock<[Finder<'static>; 4]> = LazyLock::new(|| {
    [
        "\"usage",
        "eval_count\"",
        "\"billed_units\"",
        "bedrock-invocationMetrics\"",
    ]
    .map(Finder::new)
});

/// Whether an event may say more than text.
pub(super) fn is_telling(data: &[u8]) -> bool {
    NAMES.iter().any(|name| name.find(data).is_some())
}

/// A whole answer; what is no JSON says nothing.
pub(super) fn read(body: &[u8]) -> Facts {
    let mut facts = Facts::default();
    if serde_json::from_slice::<IgnoredAny>(body).is_err() {
        return facts;
    }
    if body.trim_ascii_start().starts_with(b"[") {
        // Gemini's stream without events is one list.
        elements(body).for_each(|part| take(&mut facts, part));
    } else {
        take(&mut facts, body);
    }
    facts
}

fn take(facts: &mut Facts, object: &[u8]) {
    for (name, value) in members(object) {
        match name {
            b"usage" | b"usageMetadata" | b"usage_metadata" | b"meta" => take_usage(facts, value),
            b"model" | b"modelVersion" => facts.model = text_of(value).map(|model| model.into_owned()),
            b"responseId" => facts.response_id = text_of(value).map(|id| id.into_owned()),
            b"prompt_eval_count" | b"eval_count" => {
                facts.usage = std::str::from_utf8(object).ok().map(counts_of);
            }
            _ => {}
        }
    }
}

/// Ollama's counts and times without the answer that stands beside them.
fn counts_of(object: &str) -> String {
    let kept: Vec<String> = members(object.as_bytes())
        .filter_map(|(name, value)| Some((std::str::from_utf8(name).ok()?, std::str::from_utf8(value).ok()?)))
        .filter(|(name, _)| name.ends_with("_count") || name.ends_with("_duration"))
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", kept.join(","))
}

/// Reads one event into `facts`. Counts are cumulative or come once: the last object is the whole.
pub(super) fn read_event(facts: &mut Facts, data: &[u8]) -> EventKind {
    let data = data.trim_ascii();
    if data.is_empty() {
        return EventKind::Empty;
    }
    if data.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(data).is_ok() {
        if is_of_a_message(data) {
            // Claude's own events, behind Bedrock.
            messages::read_event(facts, data);
            take_metrics(facts, data);
        } else {
            take(facts, data);
            for (name, value) in members(data) {
                take_event(facts, name, value);
            }
        }
    }
    EventKind::Chunk
}

fn is_of_a_message(event: &[u8]) -> bool {
    member(event, b"type").and_then(text_of).is_some_and(|kind| {
        matches!(&*kind, "message_start" | "message_delta" | "message_stop") || kind.starts_with("content_block_")
    })
}

/// Bedrock's counts of an invocation, by which it bills; but only Claude tells how long it keeps what it caches.
fn take_metrics(facts: &mut Facts, event: &[u8]) {
    let metrics = member(event, METRICS);
    if let Some(metrics) = metrics.filter(|_| !facts.usage.as_deref().is_some_and(caches_for_an_hour)) {
        take_usage(facts, metrics);
    }
}

fn caches_for_an_hour(usage: &str) -> bool {
    member(usage.as_bytes(), b"cache_creation")
        .and_then(|split| member(split, b"ephemeral_1h_input_tokens"))
        .is_some_and(|count| count != b"0")
}

/// A member of an event: what it wraps, and the text in it.
fn take_event(facts: &mut Facts, name: &[u8], value: &[u8]) {
    match name {
        METRICS => take_usage(facts, value),
        // Cohere's last event says everything once more.
        b"response" if value.starts_with(b"{") => take(facts, value),
        b"metadata" => take(facts, value),
        _ => {
            if name == b"delta" && is_telling(value) {
                take(facts, value);
            }
            measure(facts, name, value, DEEPEST);
        }
    }
}

/// Adds the text beneath a member of an event.
fn measure(facts: &mut Facts, name: &[u8], value: &[u8], levels: usize) {
    let Some(levels) = levels.checked_sub(1) else { return };
    match value.first() {
        _ if QUOTED.contains(&name) => {}
        Some(b'"') if TEXTS.contains(&name) => {
            if let Some(text) = text_of(value) {
                facts.written.add(&text);
            }
        }
        Some(b'{') => members(value).for_each(|(name, value)| measure(facts, name, value, levels)),
        Some(b'[') => elements(value).for_each(|element| measure(facts, name, element, levels)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_found_under_its_many_names() {
        let usage = |body: &[u8]| read(body).usage;
        assert_eq!(
            usage(br#"{"usage":{"input_tokens":3}}"#).as_deref(),
            Some(r#"{"input_tokens":3}"#)
        );
        assert_eq!(
            usage(br#"[{"usageMetadata":{"promptTokenCount":1}},{"usageMetadata":{"promptTokenCount":2}}]"#).as_deref(),
            Some(r#"{"promptTokenCount":2}"#)
        );
        assert_eq!(
            usage(br#"{"message":{"content":"x"},"prompt_eval_count":5,"eval_count":7}"#).as_deref(),
            Some(r#"{"prompt_eval_count":5,"eval_count":7}"#)
        );
        assert_eq!(usage(b"<html>"), None);
    }

    #[test]
    fn events_with_usage_are_kept() {
        let mut facts = Facts::default();
        for event in [
            r#"{"candidates":[],"usageMetadata":{"promptTokenCount":3}}"#,
            r#"{"candidates":[{"text":"x"}],"responseId":"r"}"#,
            r#"{"candidates":[],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"totalTokenCount":7}}"#,
        ] {
            assert_eq!(read_event(&mut facts, event.as_bytes()), EventKind::Chunk);
        }
        let last = r#"{"promptTokenCount":3,"candidatesTokenCount":4,"totalTokenCount":7}"#;
        assert_eq!(
            (facts.usage.as_deref(), facts.response_id.as_deref()),
            (Some(last), Some("r"))
        );
    }

    fn after(events: &[&str]) -> Facts {
        let mut facts = Facts::default();
        for event in events {
            read_event(&mut facts, event.as_bytes());
        }
        facts
    }

    #[test]
    fn what_was_said_is_measured_and_not_kept() {
        let facts = after(&[
            r#"{"type":"content-delta","delta":{"message":{"content":{"text":"secret \"usage\" 12"}}}}"#,
            r#"{"type":"citation-start","delta":{"message":{"citations":{"text":"secret","sources":[{"text":"secret"}]}}}}"#,
            r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"output_tokens":4}}}}"#,
        ]);
        assert_eq!(facts.usage.as_deref(), Some(r#"{"billed_units":{"output_tokens":4}}"#));
        assert_eq!(facts.written.tokens(), 5, "eighteen characters");
    }

    #[test]
    fn an_event_may_be_as_deep_as_it_likes() {
        let deep = format!(
            r#"{{"text":"Hello","x":{}{}}}"#,
            "[".repeat(1_000_000),
            "]".repeat(1_000_000)
        );
        assert_eq!(after(&[&deep]).written.tokens(), 2);
    }

    #[test]
    fn the_usage_of_bedrocks_streams() {
        let converse = after(&[
            r#"{"contentBlockIndex":0,"delta":{"text":"Hello"},"p":"abc"}"#,
            r#"{"metrics":{"latencyMs":1},"usage":{"inputTokens":3,"outputTokens":1},"p":"a"}"#,
        ]);
        assert_eq!(converse.usage.as_deref(), Some(r#"{"inputTokens":3,"outputTokens":1}"#));
        assert_eq!(converse.written.tokens(), 2, "five characters");
        let metrics = r#""amazon-bedrock-invocationMetrics":{"inputTokenCount":3,"outputTokenCount":5}"#;
        let titan = after(&[&format!(r#"{{"outputText":"Hello",{metrics}}}"#)]);
        let counted = r#"{"inputTokenCount":3,"outputTokenCount":5}"#;
        assert_eq!(titan.usage.as_deref(), Some(counted));
        let start = r#"{"type":"message_start","message":{"id":"m","usage":{"input_tokens":3,"output_tokens":1}}}"#;
        let delta = |split: &str| format!(r#"{{"type":"message_delta","usage":{{"output_tokens":5{split}}}}}"#);
        let stop = format!(r#"{{"type":"message_stop",{metrics}}}"#);
        let claude = after(&[start, &delta(""), &stop]);
        assert_eq!(
            (claude.usage.as_deref(), claude.response_id.as_deref()),
            (Some(counted), Some("m"))
        );
        let hour = delta(r#","cache_creation":{"ephemeral_1h_input_tokens":9}"#);
        let claudes = r#"{"input_tokens":3,"output_tokens":5,"cache_creation":{"ephemeral_1h_input_tokens":9}}"#;
        assert_eq!(after(&[start, &hour, &stop]).usage.as_deref(), Some(claudes));
    }

    #[test]
    fn a_last_event_that_repeats_the_answer_tells_its_usage_only() {
        let facts = after(&[
            r#"{"event_type":"text-generation","text":"Hello"}"#,
            r#"{"event_type":"stream-end","response":{"text":"Hello","meta":{"billed_units":{"output_tokens":1}}}}"#,
        ]);
        assert_eq!(facts.usage.as_deref(), Some(r#"{"billed_units":{"output_tokens":1}}"#));
        assert_eq!(facts.written.tokens(), 2);
    }
}
