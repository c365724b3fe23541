//! What a response's headers say about a call.

use serde_json::{Map, Value};

use crate::framing::Framing;

enum Fact {
    ContentType,
    /// The place among [`COUNTED`].
    Count(usize),
    RequestId,
    Organization,
    ProcessingMs,
    Region,
}

/// Which header holds which fact, vendor by vendor.
const HEADERS: &[(&str, Fact)] = &[
    ("content-type", Fact::ContentType),
    ("x-request-id", Fact::RequestId),
    ("apim-request-id", Fact::RequestId),
    ("x-ms-request-id", Fact::RequestId),
    ("x-groq-request-id", Fact::RequestId),
    ("request-id", Fact::RequestId),
    ("x-amzn-requestid", Fact::RequestId),
    ("mistral-correlation-id", Fact::RequestId),
    ("x-generation-id", Fact::RequestId),
    ("openai-organization", Fact::Organization),
    ("openai-processing-ms", Fact::ProcessingMs),
    ("x-ms-region", Fact::Region),
    ("x-groq-region", Fact::Region),
    // Bedrock counts for every model, whatever the model says itself.
    ("x-amzn-bedrock-input-token-count", Fact::Count(0)),
    ("x-amzn-bedrock-output-token-count", Fact::Count(1)),
    ("x-amzn-bedrock-cache-read-input-token-count", Fact::Count(2)),
    ("x-amzn-bedrock-cache-write-input-token-count", Fact::Count(3)),
];

/// What Bedrock calls its counts in a stream's last event.
const COUNTED: [&str; 4] = [
    "inputTokenCount",
    "outputTokenCount",
    "cacheReadInputTokenCount",
    "cacheWriteInputTokenCount",
];
/// What Titan calls the one count of vectors, for which nothing is written.
const COUNTED_ALONE: &str = "inputTextTokenCount";

fn fact_of(name: &[u8]) -> Option<&'static Fact> {
    HEADERS
        .iter()
        .find_map(|(header, fact)| header.as_bytes().eq_ignore_ascii_case(name).then_some(fact))
}

/// The headers' facts; names are compared in lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResponseFacts {
    pub status: Option<u16>,
    pub request_id: Option<String>,
    organization: Option<String>,
    processing_ms: Option<String>,
    region: Option<String>,
    /// Of a stream.
    pub framing: Framing,
    counts: [Option<u64>; COUNTED.len()],
}

impl ResponseFacts {
    #[must_use]
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::default()
        }
    }

    /// Whether a header says something of the call.
    pub(crate) fn is_told_by(name: &[u8]) -> bool {
        fact_of(name).is_some()
    }

    pub(crate) fn take(&mut self, name: &[u8], value: &str) {
        let Some(fact) = fact_of(name) else { return };
        let field = match fact {
            Fact::ContentType => {
                self.framing = Framing::of(value);
                return;
            }
            Fact::Count(at) => {
                self.counts[*at] = value.parse().ok();
                return;
            }
            Fact::RequestId => &mut self.request_id,
            Fact::Organization => &mut self.organization,
            Fact::ProcessingMs => &mut self.processing_ms,
            Fact::Region => &mut self.region,
        };
        if field.is_none() && !value.is_empty() {
            *field = Some(value.to_owned());
        }
    }

    /// The usage that the headers tell, as an object of Bedrock's.
    pub(crate) fn usage(&self) -> Option<String> {
        let input = self.counts[0]?;
        if self.counts[1].is_none() {
            return Some(format!("{{\"{COUNTED_ALONE}\":{input}}}"));
        }
        let counted = COUNTED.iter().zip(self.counts);
        let fields: Vec<String> = counted
            .filter_map(|(name, count)| Some(format!("\"{name}\":{}", count?)))
            .collect();
        Some(format!("{{{}}}", fields.join(",")))
    }

    /// The column `provider_details`: a JSON object, None where nothing is known.
    pub(crate) fn details_json(&self, fingerprint: Option<&str>, request_id: Option<&str>) -> Option<String> {
        let known = [
            ("request_id", request_id),
            ("organization", self.organization.as_deref()),
            ("region", self.region.as_deref()),
            ("processing_ms", self.processing_ms.as_deref()),
            ("system_fingerprint", fingerprint),
        ];
        let object: Map<String, Value> = known
            .into_iter()
            .filter_map(|(key, value)| value.map(|value| (key.to_owned(), Value::from(value))))
            .collect();
        if object.is_empty() {
            None
        } else {
            serde_json::to_string(&object).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(headers: &[(&str, &str)]) -> Option<String> {
        let mut facts = ResponseFacts::new(200);
        for (name, value) in headers {
            facts.take(name.as_bytes(), value);
        }
        facts.usage()
    }

    #[test]
    fn bedrock_counts_in_headers() {
        let input = ("X-Amzn-Bedrock-Input-Token-Count", "7");
        assert_eq!(usage(&[input]).as_deref(), Some(r#"{"inputTextTokenCount":7}"#));
        let rest = [
            ("x-amzn-bedrock-output-token-count", "8"),
            ("x-amzn-bedrock-cache-read-input-token-count", "0"),
        ];
        assert_eq!(
            usage(&[input, rest[0], rest[1]]).as_deref(),
            Some(r#"{"inputTokenCount":7,"outputTokenCount":8,"cacheReadInputTokenCount":0}"#)
        );
        assert_eq!(usage(&rest), None);
        assert_eq!(usage(&[("x-amzn-bedrock-input-token-count", "many")]), None);
    }
}
