//! Anthropic's usage in litellm's words.

use serde_json::{Map, Value, json};

/// `reasoning`: tokens of the reasoning as its text lets one guess, where the provider does not say.
pub(in crate::providers) fn translate(usage: &Map<String, Value>, reasoning: u64) -> Value {
    let count = |name: &str| usage.get(name).and_then(Value::as_u64).unwrap_or(0);
    let (input, output) = (count("input_tokens"), count("output_tokens"));
    let (read, written) = (count("cache_read_input_tokens"), count("cache_creation_input_tokens"));
    let prompt = input + read + written;
    let reasoning = usage
        .get("output_tokens_details")
        .and_then(|details| details["thinking_tokens"].as_u64())
        .unwrap_or_else(|| reasoning.min(output));
    let mut made = json!({
        "completion_tokens": output,
        "prompt_tokens": prompt,
        "total_tokens": prompt + output,
        "completion_tokens_details": {"reasoning_tokens": reasoning, "text_tokens": output - reasoning.min(output)},
        "prompt_tokens_details": {
            "cached_tokens": read, "text_tokens": input, "cache_write_tokens": written, "cache_creation_tokens": written,
        },
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
    });
    if let Some(split) = usage.get("cache_creation").filter(|split| split.is_object()) {
        made["prompt_tokens_details"]["cache_creation_token_details"] = split.clone();
    }
    for name in [
        "server_tool_use",
        "service_tier",
        "inference_geo",
        "speed",
        "iterations",
    ] {
        if let Some(value) = usage.get(name).filter(|value| !value.is_null()) {
            made[name] = value.clone();
        }
    }
    made
}
