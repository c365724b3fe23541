//! The shapes of the answers of the endpoints beside chat: responses, images, transcripts, verdicts, rankings.

use bytes::Bytes;

use super::content::{Fields, Key, Slot};
use super::kinds::{Field, Kind, Missing, field, plain};
use super::object::Child;

/// A field that only some of the objects of its class have.
const fn rare(name: &'static str) -> Field {
    field(name, Child::Plain, Missing::Absent)
}

pub(crate) static RESPONSE: Kind = Kind {
    name: "ResponsesAPIResponse",
    read: None,
    fields: &[
        plain("id"),
        plain("created_at"),
        plain("error"),
        field("incomplete_details", Child::Of(&INCOMPLETE_DETAILS), Missing::None),
        plain("instructions"),
        plain("metadata"),
        plain("model"),
        field("object", Child::Plain, Missing::Text("response")),
        field("output", Child::Of(&OUTPUT_ITEM), Missing::EmptyList),
        plain("parallel_tool_calls"),
        plain("temperature"),
        plain("tool_choice"),
        plain("tools"),
        plain("top_p"),
        plain("max_output_tokens"),
        plain("previous_response_id"),
        plain("reasoning"),
        plain("status"),
        plain("text"),
        plain("truncation"),
        field("usage", Child::Of(&RESPONSE_USAGE), Missing::None),
        plain("user"),
        plain("store"),
    ],
};

pub(crate) static INCOMPLETE_DETAILS: Kind = Kind {
    name: "IncompleteDetails",
    read: None,
    fields: &[plain("reason")],
};

pub(crate) static OUTPUT_ITEM: Kind = Kind {
    name: "ResponseOutputItem",
    read: None,
    fields: &[
        plain("type"),
        rare("id"),
        field("content", Child::Of(&OUTPUT_CONTENT), Missing::Absent),
        field("summary", Child::Of(&OUTPUT_CONTENT), Missing::Absent),
    ],
};

pub(crate) static OUTPUT_CONTENT: Kind = Kind {
    name: "ResponseOutputContent",
    read: None,
    fields: &[plain("type"), rare("text"), rare("annotations")],
};

pub(crate) static RESPONSE_USAGE: Kind = Kind {
    name: "ResponseAPIUsage",
    read: None,
    fields: &[
        field("input_tokens", Child::Plain, Missing::Zero),
        field("input_tokens_details", Child::Of(&RESPONSE_TOKENS), Missing::None),
        field("output_tokens", Child::Plain, Missing::Zero),
        field("output_tokens_details", Child::Of(&RESPONSE_TOKENS), Missing::None),
        field("total_tokens", Child::Plain, Missing::Zero),
    ],
};

pub(crate) static RESPONSE_TOKENS: Kind = Kind {
    name: "ResponseTokensDetails",
    read: None,
    fields: &[rare("cached_tokens"), rare("reasoning_tokens")],
};

/// An event of a stream that names its type.
pub(crate) static EVENT: Kind = Kind {
    name: "ResponsesAPIStreamEvent",
    read: None,
    fields: &[
        plain("type"),
        field("response", Child::Of(&RESPONSE), Missing::Absent),
        field("item", Child::Of(&OUTPUT_ITEM), Missing::Absent),
        field("part", Child::Of(&OUTPUT_CONTENT), Missing::Absent),
    ],
};

pub(crate) static IMAGES: Kind = Kind {
    name: "ImageResponse",
    read: Some(images),
    fields: &[
        field("created", Child::Plain, Missing::Zero),
        plain("background"),
        field("data", Child::Of(&IMAGE), Missing::EmptyList),
        plain("output_format"),
        plain("quality"),
        plain("size"),
        field("usage", Child::Of(&IMAGE_USAGE), Missing::None),
    ],
};

pub(crate) static IMAGE: Kind = Kind {
    name: "ImageObject",
    read: None,
    fields: &[plain("b64_json"), plain("revised_prompt"), plain("url")],
};

pub(crate) static IMAGE_USAGE: Kind = Kind {
    name: "ImageUsage",
    read: None,
    fields: &[
        field("total_tokens", Child::Plain, Missing::Zero),
        field("input_tokens", Child::Plain, Missing::Zero),
        field("input_tokens_details", Child::Of(&IMAGE_TOKENS), Missing::None),
        field("output_tokens", Child::Plain, Missing::Zero),
    ],
};

pub(crate) static IMAGE_TOKENS: Kind = Kind {
    name: "ImageUsageInputTokensDetails",
    read: None,
    fields: &[
        field("image_tokens", Child::Plain, Missing::Zero),
        field("text_tokens", Child::Plain, Missing::Zero),
    ],
};

pub(crate) static TRANSCRIPT: Kind = Kind {
    name: "TranscriptionResponse",
    read: None,
    fields: &[
        plain("text"),
        plain("usage"),
        rare("language"),
        rare("duration"),
        rare("words"),
        rare("segments"),
    ],
};

pub(crate) static RANKING: Kind = Kind {
    name: "RerankResponse",
    read: None,
    fields: &[plain("id"), plain("results"), plain("meta")],
};

pub(crate) static VERDICTS: Kind = Kind {
    name: "ModerationCreateResponse",
    read: None,
    fields: &[
        plain("id"),
        plain("model"),
        field("results", Child::Of(&VERDICT), Missing::EmptyList),
    ],
};

pub(crate) static VERDICT: Kind = Kind {
    name: "Moderation",
    read: None,
    fields: &[
        field("categories", Child::Of(&CATEGORIES), Missing::None),
        field("category_applied_input_types", Child::Of(&CATEGORIES), Missing::None),
        field("category_scores", Child::Of(&CATEGORIES), Missing::None),
        plain("flagged"),
    ],
};

pub(crate) static CATEGORIES: Kind = Kind {
    name: "ModerationCategories",
    read: Some(categories),
    fields: &[],
};

/// litellm's images always have a usage, of zeros where the provider counts none.
fn images(fields: &mut Fields) {
    let is_told = fields
        .iter()
        .any(|(key, slot)| key.as_str() == "usage" && !matches!(slot, Slot::Json(json) if json.as_ref() == b"null"));
    if !is_told {
        fields.retain(|(key, _)| key.as_str() != "usage");
        let zeros = b"{\"input_tokens_details\":{\"image_tokens\":0,\"text_tokens\":0}}";
        fields.push((Key::Known("usage"), Slot::Json(Bytes::from_static(zeros))));
    }
}

/// Names with a slash or a dash, as attributes: `self-harm/intent` is `self_harm_intent`.
fn categories(fields: &mut Fields) {
    for (key, _) in fields {
        if let Key::Other(name) = key
            && name.contains(['/', '-'])
        {
            *name = name.replace(['/', '-'], "_").into();
        }
    }
}
