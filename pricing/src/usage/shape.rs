//! Recognises a usage object by its fields.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{UsageFormat, malformed};
use crate::error::PricingError;

/// The fields of an object: few, so that looking through them is quicker than sorting them.
#[derive(Default)]
struct Fields<'a>(Vec<(&'a str, &'a RawValue)>);

impl<'a> Fields<'a> {
    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Fields<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        source.deserialize_map(All)
    }
}

impl UsageFormat {
    /// The format of a usage object, or of a list of stream events, by the fields it has.
    ///
    /// Where two formats look alike, their rules for these fields are the same.
    ///
    /// # Errors
    /// `UnknownShape` if the fields are those of none, `Malformed` if the text is not JSON.
    pub fn recognise(json: &str) -> Result<Self, PricingError> {
        if json.trim_ascii_start().starts_with('[') {
            let events: Vec<Fields<'_>> = serde_json::from_str(json).map_err(malformed)?;
            return events.iter().rev().find_map(of_event).ok_or(PricingError::UnknownShape);
        }
        of(&serde_json::from_str(json).map_err(malformed)?).ok_or(PricingError::UnknownShape)
    }
}

fn inner<'a>(fields: &Fields<'a>, name: &str) -> Option<Fields<'a>> {
    fields
        .get(name)
        .and_then(|value| serde_json::from_str(value.get()).ok())
}

fn of_event(event: &Fields<'_>) -> Option<UsageFormat> {
    let kind = event.get("type").map(|kind| kind.get().trim_matches('"'));
    if matches!(kind, Some("message_start" | "message_delta")) {
        return Some(UsageFormat::AnthropicMessages);
    }
    let carriers = ["response", "metadata", "delta", "message", "x_groq"];
    let outer = [
        "usage",
        "usageMetadata",
        "usage_metadata",
        "amazon-bedrock-invocationMetrics",
    ]
    .iter()
    .find_map(|name| inner(event, name));
    let usage = outer.or_else(|| carriers.iter().find_map(|name| inner(&inner(event, name)?, "usage")))?;
    of(&usage)
}

fn of(fields: &Fields<'_>) -> Option<UsageFormat> {
    let any = |names: &[&str]| names.iter().any(|name| fields.contains_key(name));
    if let Some(units) = inner(fields, "billed_units") {
        let searches = units.contains_key("search_units") && !units.contains_key("output_tokens");
        return Some(if searches {
            UsageFormat::CohereRerank
        } else {
            UsageFormat::CohereChat
        });
    }
    if let Some(cost) = fields.get("cost") {
        return Some(if cost.get().starts_with('{') {
            UsageFormat::PerplexityChat
        } else {
            UsageFormat::OpenRouterChat
        });
    }
    if any(&["cost_in_usd_ticks"]) {
        return Some(UsageFormat::XaiChat);
    }
    if any(&["prompt_tokens", "completion_tokens"]) {
        return Some(match () {
            () if any(&["prompt_cache_hit_tokens", "prompt_cache_miss_tokens"]) => UsageFormat::DeepSeekChat,
            () if !any(&["completion_tokens"]) => UsageFormat::OpenAiEmbeddings,
            () => UsageFormat::OpenAiChat,
        });
    }
    if any(&["input_tokens", "output_tokens"]) {
        return Some(with_input_tokens(fields));
    }
    NAMED.iter().find(|(names, _)| any(names)).map(|(_, format)| *format)
}

/// Names that only one format has, the more telling ones first.
const NAMED: [(&[&str], UsageFormat); 11] = [
    (
        &["generation_token_count", "inputTextTokenCount", "inputTokenCount"],
        UsageFormat::BedrockConverse,
    ),
    (&["inputTokens", "outputTokens"], UsageFormat::BedrockConverse),
    (
        &[
            "promptTokenCount",
            "candidatesTokenCount",
            "totalTokenCount",
            "prompt_token_count",
            "total_input_tokens",
        ],
        UsageFormat::GeminiGenerateContent,
    ),
    (&["prompt_eval_count", "eval_count"], UsageFormat::OllamaChat),
    (&["pages_processed"], UsageFormat::MistralOcr),
    (&["images", "pixels"], UsageFormat::ImageCount),
    (&["duration_seconds"], UsageFormat::VideoDuration),
    (&["characters"], UsageFormat::SpeechCharacters),
    (&["queries"], UsageFormat::Search),
    (&["seconds"], UsageFormat::TranscriptionDuration),
    // Embeddings and rerankers that count one thing only.
    (&["total_tokens"], UsageFormat::OpenAiEmbeddings),
];

/// OpenAI and Anthropic name their counts alike.
fn with_input_tokens(fields: &Fields<'_>) -> UsageFormat {
    let has = |name: &str| fields.contains_key(name);
    if has("input_token_details") {
        let typed = fields.get("type").is_some_and(|kind| kind.get() == "\"tokens\"");
        return if typed {
            UsageFormat::OpenAiTranscription
        } else {
            UsageFormat::OpenAiRealtime
        };
    }
    if has("input_tokens_details") || has("output_tokens_details") && !has("cache_read_input_tokens") {
        let details = inner(fields, "input_tokens_details").unwrap_or_default();
        let images = details.contains_key("image_tokens") && !details.contains_key("cached_tokens");
        return if images {
            UsageFormat::OpenAiImages
        } else {
            UsageFormat::OpenAiResponses
        };
    }
    if has("total_tokens") {
        UsageFormat::OpenAiResponses
    } else {
        UsageFormat::AnthropicMessages
    }
}
