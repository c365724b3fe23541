//! What a response's headers say about a call.

use serde_json::{Map, Value};

enum Fact {
    RequestId,
    Organization,
    ProcessingMs,
    Region,
}

/// Which header holds which fact, vendor by vendor.
const HEADERS: &[(&str, Fact)] = &[
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
];

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
            Fact::RequestId => &mut self.request_id,
            Fact::Organization => &mut self.organization,
            Fact::ProcessingMs => &mut self.processing_ms,
            Fact::Region => &mut self.region,
        };
        if field.is_none() && !value.is_empty() {
            *field = Some(value.to_owned());
        }
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
