//! What a provider reported of a stream, in OpenAI's words.

use serde_json::{Map, Value};

use super::{anthropic, gemini, ollama};

/// The one event of Anthropic's that carries the usage of a stream's start.
const START: (&str, &str) = (r#"[{"type":"message_start","message":{"usage":"#, "}}]");

/// What the start of a message has counted, as the event it came in: the price engine knows it by that.
pub(crate) fn as_start(usage: &str) -> String {
    format!("{}{usage}{}", START.0, START.1)
}

/// The usage object in what [`as_start`] gave; None for any other usage.
pub(crate) fn of_start(usage: &str) -> Option<&str> {
    usage.strip_prefix(START.0)?.strip_suffix(START.1)
}

/// `reported`: the provider's own usage object, as JSON text; None where it has no counts that OpenAI's has.
pub(crate) fn as_openais(provider: &str, reported: &str) -> Option<String> {
    let usage: Map<String, Value> = serde_json::from_str(reported).ok()?;
    let counted = match provider {
        "anthropic" => anthropic::usage::translate(&usage, 0),
        "gemini" => gemini::usage::translate(&usage, 0),
        "ollama" | "ollama_chat" => ollama::counted(&usage)?,
        _ => usage.contains_key("prompt_tokens").then(|| Value::from(usage))?,
    };
    Some(counted.to_string())
}
