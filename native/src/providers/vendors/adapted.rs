//! How vendors of OpenAI's dialect differ from it, by what litellm sends them and what was recorded of them.

use serde_json::{Map, Value, json};

use crate::providers::compatible::{Compatible, PLAIN};

/// What litellm sends to servers of one's own that are given no key.
const ANY_KEY: &str = "fake-api-key";

/// The older name of the limit, where only that is known.
const LIMIT: &[(&str, &str)] = &[("max_completion_tokens", "max_tokens")];

/// DeepSeek's switch has no levels.
fn deepseek_thinking(body: &mut Map<String, Value>) {
    let effort = body.remove("reasoning_effort");
    if let Some(thinking) = body.get_mut("thinking").and_then(Value::as_object_mut) {
        thinking.retain(|name, _| name == "type");
    } else if effort.is_some_and(|effort| effort != "none") {
        body.insert("thinking".to_owned(), json!({"type": "enabled"}));
    }
}

/// What the call cost stands in OpenRouter's usage only where it is asked for.
fn openrouter_usage(body: &mut Map<String, Value>) {
    if !body.contains_key("usage") {
        body.insert("usage".to_owned(), json!({"include": true}));
    }
}

/// Models that OpenRouter passes marks for a cache on to.
fn keeps_marks(model: &str) -> bool {
    ["claude", "gemini", "minimax", "glm", "z-ai"]
        .iter()
        .any(|kind| model.contains(kind))
}

pub(super) const DEEPSEEK: Compatible = Compatible {
    unsupported: &["verbosity"],
    left_out: &["user"],
    reasons_by_model: false,
    flat_texts: true,
    always: Some(deepseek_thinking),
    only_texts: true,
    ..PLAIN
};

pub(super) const GROQ: Compatible = Compatible {
    unsupported: &["verbosity", "web_search_options", "thinking"],
    left_out: &["user"],
    renamed: LIMIT,
    ..PLAIN
};

pub(super) const MISTRAL: Compatible = Compatible {
    unsupported: &[
        "functions",
        "function_call",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "modalities",
        "audio",
        "n",
        "presence_penalty",
        "frequency_penalty",
        "prediction",
        "store",
        "verbosity",
        "web_search_options",
        "service_tier",
    ],
    left_out: &["user", "stream_options"],
    renamed: &[("max_completion_tokens", "max_tokens"), ("seed", "random_seed")],
    flat_texts: true,
    required: Some("any"),
    embeddings: Some(&["encoding_format"]),
    unsupported_by: |_, name| name == "thinking",
    ..PLAIN
};

pub(super) const TOGETHER_AI: Compatible = Compatible {
    unsupported: &["verbosity"],
    left_out: &["user"],
    ..PLAIN
};

pub(super) const FIREWORKS_AI: Compatible = Compatible {
    always_asks_for_usage: true,
    unsupported: &[
        "functions",
        "function_call",
        "verbosity",
        "web_search_options",
        "modalities",
        "store",
        "thinking",
    ],
    renamed: LIMIT,
    tools_by_model: true,
    required: Some("any"),
    model_path: "accounts/fireworks/models/",
    embeddings: Some(&["dimensions"]),
    ..PLAIN
};

pub(super) const OPENROUTER: Compatible = Compatible {
    unsupported: &["verbosity"],
    left_out: &["user"],
    reasons_by_model: false,
    keeps_cache_control: keeps_marks,
    // What OpenRouter lists the program under: litellm's, whose users change nothing but the import.
    headers: &[
        ("http-referer", "OR_SITE_URL", "https://litellm.ai"),
        ("x-title", "OR_APP_NAME", "liteLLM"),
    ],
    always: Some(openrouter_usage),
    ..PLAIN
};

pub(super) const PERPLEXITY: Compatible = Compatible {
    unsupported: &[
        "functions",
        "function_call",
        "tools",
        "modalities",
        "audio",
        "n",
        "parallel_tool_calls",
        "prediction",
        "seed",
        "service_tier",
        "stop",
        "store",
        "tool_choice",
        "logit_bias",
        "logprobs",
        "top_logprobs",
    ],
    left_out: &["user", "stream_options"],
    ..PLAIN
};

pub(super) const XAI: Compatible = Compatible {
    unsupported: &[
        "functions",
        "modalities",
        "audio",
        "prediction",
        "service_tier",
        "verbosity",
        "store",
    ],
    renamed: LIMIT,
    ..PLAIN
};

pub(super) const CEREBRAS: Compatible = Compatible {
    unsupported: &[
        "functions",
        "logit_bias",
        "modalities",
        "audio",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "frequency_penalty",
        "prediction",
        "safety_identifier",
        "prompt_cache_key",
        "service_tier",
        "store",
    ],
    left_out: &["stream_options"],
    ..PLAIN
};

/// NVIDIA's older Gemma models only complete.
fn gemmas_limits(model: &str, name: &str) -> bool {
    model.contains("gemma")
        && !matches!(
            name,
            "stream" | "temperature" | "top_p" | "max_tokens" | "stop" | "seed" | "user"
        )
}

pub(super) const NVIDIA_NIM: Compatible = Compatible {
    unsupported: &[
        "functions",
        "function_call",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "modalities",
        "audio",
        "n",
        "prediction",
        "store",
        "verbosity",
        "web_search_options",
        "reasoning_effort",
        "service_tier",
    ],
    left_out: &["user", "stream_options"],
    renamed: LIMIT,
    reasons_by_model: false,
    unsupported_by: gemmas_limits,
    ..PLAIN
};

pub(super) const HUGGINGFACE: Compatible = Compatible {
    unsupported: &["verbosity"],
    version: "/v1",
    keeps_cache_control: |_| true,
    ..PLAIN
};

pub(super) const MOONSHOT: Compatible = Compatible {
    left_out: &["user"],
    renamed: LIMIT,
    flat_texts: true,
    ..PLAIN
};

pub(super) const SAMBANOVA: Compatible = Compatible {
    unsupported: &[
        "n",
        "seed",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "modalities",
        "prediction",
        "presence_penalty",
        "service_tier",
        "store",
        "top_logprobs",
        "reasoning_effort",
        "thinking",
    ],
    left_out: &["user"],
    flat_texts: true,
    embeddings: Some(&[]),
    ..PLAIN
};

pub(super) const HOSTED_VLLM: Compatible = Compatible {
    unsupported: &["verbosity"],
    reasons_by_model: false,
    keyless: Some(ANY_KEY),
    ..PLAIN
};

pub(super) const LM_STUDIO: Compatible = Compatible {
    unsupported: &["verbosity"],
    left_out: &["user"],
    embeddings: Some(&["encoding_format", "user"]),
    keyless: Some(ANY_KEY),
    ..PLAIN
};

pub(super) const CUSTOM_OPENAI: Compatible = Compatible {
    renamed: LIMIT,
    embeddings: Some(&[]),
    ..PLAIN
};
