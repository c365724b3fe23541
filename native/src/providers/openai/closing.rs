//! The end of a stream whose provider did not say why it ended.

use bytes::Bytes;
use serde_json::json;

use super::Facts;
use crate::ids;

/// The chunk that litellm puts there; None where the provider gave a reason.
pub(crate) fn closing_chunk(facts: &Facts, model: &str) -> Option<Bytes> {
    if facts.finish_reasons.iter().any(|reason| !reason.is_empty()) {
        return None;
    }
    let now = ids::wall_clock_ns();
    let id = facts.response_id.clone().unwrap_or_else(ids::completion_id);
    let reason = if facts.called_tools { "tool_calls" } else { "stop" };
    let mut chunk = json!({
        "id": id,
        "created": now / 1_000_000_000,
        "model": model,
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "finish_reason": reason, "delta": {}}],
    });
    if let Some(fingerprint) = &facts.system_fingerprint {
        chunk["system_fingerprint"] = fingerprint.as_str().into();
    }
    Some(Bytes::from(chunk.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stream_without_a_reason_gets_one() {
        let mut facts = Facts {
            called_tools: true,
            ..Facts::default()
        };
        let chunk = closing_chunk(&facts, "a \"model\"").expect("a chunk");
        let read: serde_json::Value = serde_json::from_slice(&chunk).expect("JSON");
        assert_eq!(read["choices"][0]["finish_reason"], "tool_calls");
        assert_eq!(read["model"], "a \"model\"");
        facts.finish_reasons = vec![String::new(), "length".to_owned()];
        assert_eq!(closing_chunk(&facts, "m"), None);
    }
}
