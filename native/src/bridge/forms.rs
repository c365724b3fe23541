//! Whose answers litellm reads how: by way of the openai package, from JSON with some translation, or as they are.

use super::kinds::{self, CHOICES, Kind, MESSAGE, Missing, field, plain};
use super::object::Child;
use super::readings;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Written by ourselves: a dialect's translation, or a mocked answer.
    Own,
    /// As the provider sent it.
    Kept,
    /// Read from JSON, what OpenAI's messages do not have set apart.
    Read,
    /// Read by the openai package.
    Sdk,
}

impl Form {
    pub(crate) fn of(provider: &str) -> Self {
        match provider {
            "anthropic" | "gemini" | "ollama" | "ollama_chat" => Self::Own,
            "groq" | "fireworks_ai" => Self::Kept,
            "openai" | "azure" | "custom_openai" | "lm_studio" | "moonshot" | "nvidia_nim" | "perplexity"
            | "sambanova" | "cerebras" => Self::Sdk,
            _ => Self::Read,
        }
    }

    pub(crate) fn response(self) -> &'static Kind {
        match self {
            Self::Own => &kinds::MODEL_RESPONSE,
            Self::Kept => &KEPT_RESPONSE,
            Self::Read => &READ_RESPONSE,
            Self::Sdk => &SDK_RESPONSE,
        }
    }
}

/// Whether litellm puts the provider's name before the model that answered.
pub(crate) fn names_provider_in_answers(provider: &str) -> bool {
    names_provider_in_chunks(provider) || provider == "fireworks_ai"
}

/// The same for chunks that litellm writes itself, and for those with a usage.
pub(crate) fn names_provider_in_chunks(provider: &str) -> bool {
    Form::of(provider) == Form::Sdk && !matches!(provider, "openai" | "azure")
}

/// What litellm's chunks of a provider leave out.
pub(crate) fn unsaid_in_chunks(provider: &str) -> &'static [&'static str] {
    match (Form::of(provider), provider) {
        (Form::Own | Form::Sdk, _) => &[],
        (_, "openrouter") => &["system_fingerprint", "service_tier"],
        _ => &["system_fingerprint"],
    }
}

macro_rules! response_of {
    ($response:ident, $choices:ident, $message:ident, $read_response:expr, $read_message:expr) => {
        static $response: Kind = Kind {
            name: "ModelResponse",
            read: $read_response,
            fields: &[
                plain("id"),
                field("created", Child::Plain, Missing::Zero),
                plain("model"),
                field("object", Child::Plain, Missing::Text("chat.completion")),
                plain("system_fingerprint"),
                field("choices", Child::Of(&$choices), Missing::EmptyList),
                field("usage", Child::Of(&kinds::USAGE), Missing::Absent),
                field("service_tier", Child::Plain, Missing::Absent),
            ],
        };
        static $choices: Kind = Kind {
            name: CHOICES.name,
            read: Some(readings::choice),
            fields: &[
                plain("finish_reason"),
                field("index", Child::Plain, Missing::Zero),
                field("message", Child::Of(&$message), Missing::None),
                field("logprobs", Child::Of(&kinds::LOGPROBS), Missing::None),
            ],
        };
        static $message: Kind = Kind {
            name: MESSAGE.name,
            read: $read_message,
            fields: MESSAGE.fields,
        };
    };
}

response_of!(KEPT_RESPONSE, KEPT_CHOICES, KEPT_MESSAGE, None, None);
response_of!(
    READ_RESPONSE,
    READ_CHOICES,
    READ_MESSAGE,
    Some(readings::response),
    Some(readings::message)
);
response_of!(
    SDK_RESPONSE,
    SDK_CHOICES,
    SDK_MESSAGE,
    Some(readings::response),
    Some(readings::sdk_message)
);
