//! What a provider reported of a stream, in OpenAI's words.

use serde_json::{Map, Value};

use super::{anthropic, gemini, ollama};

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
