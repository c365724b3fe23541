//! OpenAI's parameters, where a provider does not know them all.

use serde_json::{Map, Value};

use super::dialect::refused;
use crate::failure::Failure;

/// litellm's list: a parameter that is not in it is the provider's own and goes to it as it is.
const OPENAI: &[&str] = &[
    "audio",
    "dimensions",
    "encoding_format",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "modalities",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

/// What the caller said about parameters that the provider does not know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wishes<'a> {
    pub provider: &'static str,
    /// The model's name as the provider knows it.
    pub model: &'a str,
    /// Such parameters are left out instead of refused.
    pub drop_params: bool,
    /// These are sent all the same.
    pub allowed_params: &'a [String],
    /// What the provider refuses in messages is made good, as litellm's `modify_params` does.
    pub modify_params: bool,
}

/// Refuses, or with `drop_params` leaves out, what of OpenAI's parameters the provider does not know.
pub(super) fn keep_supported(
    body: &mut Map<String, Value>,
    asked: &Wishes<'_>,
    supported: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    let unknown = |name: &str| {
        OPENAI.contains(&name) && !supported(name) && !asked.allowed_params.iter().any(|allowed| allowed == name)
    };
    if body.get("n").is_some_and(|n| n == 1) && unknown("n") {
        // One answer is what everybody gives.
        body.remove("n");
    }
    if asked.drop_params {
        body.retain(|name, _| !unknown(name));
        return Ok(());
    }
    let refused_names: Vec<&str> = body.keys().map(String::as_str).filter(|name| unknown(name)).collect();
    if refused_names.is_empty() {
        return Ok(());
    }
    Err(unsupported(format!(
        "{} does not support parameters: {refused_names:?}, for model={}. To leave them out, set drop_params=True; to send \
         them all the same, name them in allowed_openai_params",
        asked.provider, asked.model
    )))
}

/// litellm's `UnsupportedParamsError`.
pub(crate) fn unsupported(message: impl Into<String>) -> Failure {
    Failure {
        code: Some("unsupported_params".to_owned()),
        ..refused(message)
    }
}
