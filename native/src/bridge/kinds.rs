//! The shapes of litellm's answer objects: which fields each class has, in which order, and what a missing one is.

use super::content::Fields;
use super::object::Child;
use super::readings;

/// One class of answer objects.
#[derive(Debug)]
pub(crate) struct Kind {
    pub name: &'static str,
    /// What is made of the fields that a provider sent, when somebody first looks at them.
    pub read: Option<fn(&mut Fields)>,
    pub fields: &'static [Field],
}

#[derive(Debug)]
pub(crate) struct Field {
    pub name: &'static str,
    pub child: Child,
    pub missing: Missing,
}

/// What an attribute is where the provider sent none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    None,
    Zero,
    Text(&'static str),
    EmptyList,
    /// An AttributeError, as litellm deletes it where there is none.
    Absent,
}

pub(super) const fn field(name: &'static str, child: Child, missing: Missing) -> Field {
    Field { name, child, missing }
}

pub(super) const fn plain(name: &'static str) -> Field {
    field(name, Child::Plain, Missing::None)
}

impl Kind {
    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

pub(crate) static MODEL_RESPONSE: Kind = Kind {
    name: "ModelResponse",
    read: None,
    fields: &[
        plain("id"),
        field("created", Child::Plain, Missing::Zero),
        plain("model"),
        field("object", Child::Plain, Missing::Text("chat.completion")),
        plain("system_fingerprint"),
        field("choices", Child::Of(&CHOICES), Missing::EmptyList),
        field("usage", Child::Of(&USAGE), Missing::Absent),
        field("service_tier", Child::Plain, Missing::Absent),
    ],
};

pub(crate) static CHOICES: Kind = Kind {
    name: "Choices",
    read: None,
    fields: &[
        plain("finish_reason"),
        field("index", Child::Plain, Missing::Zero),
        field("message", Child::Of(&MESSAGE), Missing::None),
        field("logprobs", Child::Of(&LOGPROBS), Missing::None),
    ],
};

pub(crate) static MESSAGE: Kind = Kind {
    name: "Message",
    read: None,
    fields: &[
        plain("content"),
        field("role", Child::Plain, Missing::Text("assistant")),
        field("tool_calls", Child::Of(&TOOL_CALL), Missing::None),
        field("function_call", Child::Of(&FUNCTION), Missing::None),
    ],
};

pub(crate) static TOOL_CALL: Kind = Kind {
    name: "ChatCompletionMessageToolCall",
    read: None,
    fields: &[
        field("function", Child::Of(&FUNCTION), Missing::None),
        plain("id"),
        field("type", Child::Plain, Missing::Text("function")),
    ],
};

pub(crate) static FUNCTION: Kind = Kind {
    name: "Function",
    read: None,
    fields: &[plain("arguments"), plain("name")],
};

pub(crate) static STREAM_CHUNK: Kind = Kind {
    name: "ModelResponseStream",
    read: None,
    fields: &[
        plain("id"),
        field("created", Child::Plain, Missing::Zero),
        plain("model"),
        field("object", Child::Plain, Missing::Text("chat.completion.chunk")),
        plain("system_fingerprint"),
        field("choices", Child::Of(&STREAMING_CHOICES), Missing::EmptyList),
        plain("provider_specific_fields"),
        field("usage", Child::Of(&USAGE), Missing::Absent),
    ],
};

pub(crate) static STREAMING_CHOICES: Kind = Kind {
    name: "StreamingChoices",
    read: Some(readings::streaming_choice),
    fields: &[
        plain("finish_reason"),
        field("index", Child::Plain, Missing::Zero),
        field("delta", Child::Of(&DELTA), Missing::None),
        field("logprobs", Child::Of(&LOGPROBS), Missing::None),
    ],
};

pub(crate) static DELTA: Kind = Kind {
    name: "Delta",
    read: Some(readings::delta),
    fields: &[
        plain("content"),
        plain("role"),
        field("function_call", Child::Of(&FUNCTION), Missing::None),
        field("tool_calls", Child::Of(&DELTA_TOOL_CALL), Missing::None),
        plain("audio"),
    ],
};

pub(crate) static DELTA_TOOL_CALL: Kind = Kind {
    name: "ChatCompletionDeltaToolCall",
    read: None,
    fields: &[
        plain("id"),
        field("function", Child::Of(&FUNCTION), Missing::None),
        plain("type"),
        field("index", Child::Plain, Missing::Zero),
    ],
};

pub(crate) static LOGPROBS: Kind = Kind {
    name: "ChoiceLogprobs",
    read: None,
    fields: &[
        field("content", Child::Of(&TOKEN_LOGPROB), Missing::None),
        field("refusal", Child::Of(&TOKEN_LOGPROB), Missing::None),
    ],
};

pub(crate) static TOKEN_LOGPROB: Kind = Kind {
    name: "ChatCompletionTokenLogprob",
    read: None,
    fields: &[
        plain("token"),
        plain("bytes"),
        plain("logprob"),
        field("top_logprobs", Child::Of(&TOP_LOGPROB), Missing::EmptyList),
    ],
};

pub(crate) static TOP_LOGPROB: Kind = Kind {
    name: "TopLogprob",
    read: None,
    fields: &[plain("token"), plain("bytes"), plain("logprob")],
};

pub(crate) static USAGE: Kind = Kind {
    name: "Usage",
    read: Some(readings::usage),
    fields: &[
        field("completion_tokens", Child::Plain, Missing::Zero),
        field("prompt_tokens", Child::Plain, Missing::Zero),
        field("total_tokens", Child::Plain, Missing::Zero),
        field(
            "completion_tokens_details",
            Child::Of(&COMPLETION_TOKENS_DETAILS),
            Missing::None,
        ),
        field(
            "prompt_tokens_details",
            Child::Of(&PROMPT_TOKENS_DETAILS),
            Missing::None,
        ),
    ],
};

pub(crate) static COMPLETION_TOKENS_DETAILS: Kind = Kind {
    name: "CompletionTokensDetailsWrapper",
    read: None,
    fields: &[
        plain("accepted_prediction_tokens"),
        plain("audio_tokens"),
        plain("reasoning_tokens"),
        plain("rejected_prediction_tokens"),
        plain("text_tokens"),
        plain("image_tokens"),
    ],
};

pub(crate) static PROMPT_TOKENS_DETAILS: Kind = Kind {
    name: "PromptTokensDetailsWrapper",
    read: None,
    fields: &[
        plain("audio_tokens"),
        plain("cached_tokens"),
        plain("text_tokens"),
        plain("image_tokens"),
    ],
};

pub(crate) static TEXT_COMPLETION_RESPONSE: Kind = Kind {
    name: "TextCompletionResponse",
    read: None,
    fields: &[
        plain("id"),
        field("object", Child::Plain, Missing::Text("text_completion")),
        field("created", Child::Plain, Missing::Zero),
        plain("model"),
        field("choices", Child::Of(&TEXT_CHOICES), Missing::EmptyList),
        field("usage", Child::Of(&USAGE), Missing::Absent),
    ],
};

pub(crate) static TEXT_CHOICES: Kind = Kind {
    name: "TextChoices",
    read: Some(readings::choice),
    fields: &[
        plain("finish_reason"),
        field("index", Child::Plain, Missing::Zero),
        plain("text"),
        plain("logprobs"),
    ],
};

pub(crate) static EMBEDDING_RESPONSE: Kind = Kind {
    name: "EmbeddingResponse",
    read: None,
    fields: &[
        plain("model"),
        field("data", Child::Of(&EMBEDDING), Missing::EmptyList),
        field("object", Child::Plain, Missing::Text("list")),
        field("usage", Child::Of(&USAGE), Missing::Absent),
    ],
};

pub(crate) static EMBEDDING: Kind = Kind {
    name: "Embedding",
    read: None,
    fields: &[
        plain("embedding"),
        field("index", Child::Plain, Missing::Zero),
        field("object", Child::Plain, Missing::Text("embedding")),
    ],
};
