//! An event of a stream that holds nothing but a piece of text, as most do: read without making values of it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Whatever has another member is read the long way.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PlainText<'a> {
    #[serde(borrow)]
    candidates: [Candidate<'a>; 1],
    #[serde(borrow)]
    usage_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    pub model_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub response_id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(borrow)]
    content: Content<'a>,
    #[serde(default)]
    index: u64,
    #[serde(borrow)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content<'a> {
    #[serde(borrow)]
    parts: [Part<'a>; 1],
    #[serde(borrow, rename = "role")]
    _role: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part<'a> {
    #[serde(borrow)]
    text: &'a RawValue,
}

impl<'a> PlainText<'a> {
    /// None where the event holds something else, or is not JSON.
    pub(super) fn read(event: &'a [u8]) -> Option<Self> {
        let read: Self = serde_json::from_slice(event).ok()?;
        read.json().starts_with('"').then_some(read)
    }

    pub(super) fn index(&self) -> u64 {
        self.candidates[0].index
    }

    pub(super) fn finish_reason(&self) -> Option<&str> {
        self.candidates[0].finish_reason.as_deref()
    }

    /// The text, as JSON.
    pub(super) fn json(&self) -> &'a str {
        self.candidates[0].content.parts[0].text.get()
    }

    /// What was counted so far, as it came.
    pub(super) fn usage(&self) -> Option<&'a str> {
        self.usage_metadata
            .map(RawValue::get)
            .filter(|usage| usage.starts_with('{') && usage.len() > 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_is_plain_text() {
        let event = br#"{"candidates":[{"content":{"parts":[{"text":"a\n\u00e9"}],"role":"model"},"index":1}],
            "usageMetadata":{"promptTokenCount":3},"responseId":"r"}"#;
        let read = PlainText::read(event).expect("plain text");
        assert_eq!(
            (read.json(), read.index(), read.finish_reason()),
            (r#""a\n\u00e9""#, 1, None)
        );
        assert_eq!(read.usage(), Some(r#"{"promptTokenCount":3}"#));
        for other in [
            r#"{"candidates":[{"content":{"parts":[{"text":"a","thought":true}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"a"},{"text":"b"}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":null}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"groundingMetadata":{}}]}"#,
            r#"{"candidates":[],"promptFeedback":{}}"#,
            r#"{"error":{"message":"no"}}"#,
            "{",
        ] {
            assert!(PlainText::read(other.as_bytes()).is_none(), "{other}");
        }
    }
}
