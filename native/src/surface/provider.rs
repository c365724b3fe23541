//! The usage in an answer of any provider's own dialect, wherever it stands. The rest is for the library to tell.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::de::IgnoredAny;

use super::typed::take_usage;
use crate::json_scan::{elements, members, text_of};
use crate::providers::openai::{EventKind, Facts};

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

/// What of an event tells of usage, and nothing of what was said; None where nothing does.
fn of_usage(object: &[u8]) -> Option<String> {
    let mut kept = Vec::new();
    let mut tells = false;
    for (name, value) in members(object) {
        let (Ok(name), Ok(text)) = (std::str::from_utf8(name), std::str::from_utf8(value)) else {
            continue;
        };
        let is_usage = name.starts_with("usage")
            || name.ends_with("_count")
            || name.ends_with("_duration")
            || name == "billed_units"
            || name.ends_with("bedrock-invocationMetrics");
        let part = match value.first() {
            _ if is_usage => Some(text.to_owned()),
            Some(b'{') if is_telling(value) => of_usage(value),
            _ => None,
        };
        if let Some(part) = part {
            tells = true;
            kept.push(format!("\"{name}\":{part}"));
        } else if name == "type" {
            kept.push(format!("\"{name}\":{text}"));
        }
    }
    tells.then(|| format!("{{{}}}", kept.join(",")))
}

/// Of events that carry usage that much is kept, since some providers split it over two; Gemini's last says it all.
pub(super) fn read_event(facts: &mut Facts, data: &[u8]) -> EventKind {
    let data = data.trim_ascii();
    if data.is_empty() {
        return EventKind::Empty;
    }
    if is_telling(data) && data.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(data).is_ok() {
        if members(data).any(|(name, _)| name == b"usageMetadata") {
            take(facts, data);
            return EventKind::Chunk;
        }
        let Some(event) = of_usage(data) else {
            return EventKind::Chunk;
        };
        facts.usage = Some(match facts.usage.take() {
            None => format!("[{event}]"),
            Some(events) => format!("{},{event}]", events.strip_suffix(']').unwrap_or(&events)),
        });
    }
    EventKind::Chunk
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
            r#"{"candidates":[{"text":"x"}]}"#,
            r#"{"candidates":[],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"totalTokenCount":7}}"#,
        ] {
            assert_eq!(read_event(&mut facts, event.as_bytes()), EventKind::Chunk);
        }
        let last = r#"{"promptTokenCount":3,"candidatesTokenCount":4,"totalTokenCount":7}"#;
        assert_eq!(facts.usage.as_deref(), Some(last));
    }

    #[test]
    fn what_was_said_beside_the_usage_is_not_kept() {
        let mut facts = Facts::default();
        for event in [
            r#"{"type":"message_start","message":{"role":"assistant","content":"secret","usage":{"input_tokens":3}}}"#,
            r#"{"type":"content","delta":{"text":"secret \"usage\""}}"#,
            r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"output_tokens":4}}}}"#,
        ] {
            read_event(&mut facts, event.as_bytes());
        }
        let kept = concat!(
            r#"[{"type":"message_start","message":{"usage":{"input_tokens":3}}},"#,
            r#"{"type":"message-end","delta":{"usage":{"billed_units":{"output_tokens":4}}}}]"#
        );
        assert_eq!(facts.usage.as_deref(), Some(kept));
    }
}
