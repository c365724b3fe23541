//! The list of stream events that carry usage.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::anthropic::{self, MessagesUsage};
use super::{Usage, UsageFormat, malformed, parse, read_object};
use crate::error::PricingError;

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    /// Gemini's name for it.
    #[serde(borrow, rename = "usageMetadata", alias = "usage_metadata")]
    usage_metadata: Option<&'a RawValue>,
    /// Anthropic's `message_start`.
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    /// OpenAI's `response.completed` and `response.done`.
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    /// Bedrock's last event.
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    /// Cohere's `message-end`.
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    /// Groq's, where the caller did not ask for OpenAI's.
    #[serde(borrow)]
    x_groq: Option<&'a RawValue>,
    /// Bedrock's invoke streams.
    #[serde(borrow, rename = "amazon-bedrock-invocationMetrics")]
    metrics: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Inner<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

impl<'a> Event<'a> {
    fn usage(&self) -> Option<&'a str> {
        let nested = [self.message, self.response, self.metadata, self.delta, self.x_groq];
        // These fields are other things in other protocols (a delta may be a text): what is no object has no usage.
        let nested = nested
            .into_iter()
            .flatten()
            .filter_map(|inner| serde_json::from_str::<Inner<'_>>(inner.get()).ok());
        self.usage
            .into_iter()
            .chain(self.usage_metadata)
            .chain(nested.filter_map(|inner| inner.usage))
            .chain(self.metrics)
            .map(RawValue::get)
            .find(|usage| usage.starts_with('{'))
    }
}

pub(super) fn read(format: UsageFormat, json: &str) -> Result<Usage, PricingError> {
    let events: Vec<Event<'_>> = serde_json::from_str(json).map_err(malformed)?;
    let Some(last) = events.iter().rfind(|event| event.usage().is_some()) else {
        return Ok(Usage::absent());
    };
    // Bedrock's stream of a Claude may break off before it counts itself.
    if format == UsageFormat::AnthropicMessages || format == UsageFormat::BedrockConverse && last.message.is_some() {
        return merged(&events);
    }
    // Everybody else's counts are cumulative or come once: the last object is the whole.
    last.usage()
        .map_or_else(|| Ok(Usage::absent()), |object| read_object(format, object))
}

/// Anthropic's start of a message counts the input, its deltas the output.
fn merged(events: &[Event<'_>]) -> Result<Usage, PricingError> {
    let mut merged = MessagesUsage::default();
    let mut started_only = false;
    for event in events {
        if let Some(object) = event.usage() {
            merged = merged.then(parse(object)?);
            started_only = event.message.is_some();
        }
    }
    let usage = anthropic::messages(&merged)?;
    // A stream that broke off before its first delta has counted next to nothing of what it wrote.
    Ok(if started_only { usage.into_estimated() } else { usage })
}
