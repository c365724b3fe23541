//! What an error of OpenAI's dialect says, in the many places and shapes that vendors and gateways put it.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Body, owned, text};

/// An error object in a body or in an event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProviderError {
    pub message: String,
    /// The provider's code, or else its type: what `error_type` records.
    pub code: Option<String>,
    pub status: Option<u16>,
}

pub(super) fn error_in(body: &Body<'_>) -> Option<ProviderError> {
    let raw = body.error.map(RawValue::get).filter(|raw| *raw != "null");
    if let Some(raw) = raw {
        return Some(read_error_object(raw));
    }
    // vLLM and LM Studio put the error's fields at the top level.
    let is_error = text(body.object).is_some_and(|object| object == "error");
    is_error.then(|| ProviderError {
        message: owned(body.message).unwrap_or_default(),
        code: None,
        status: None,
    })
}

fn read_error_object(raw: &str) -> ProviderError {
    #[derive(Deserialize)]
    struct Fields<'a> {
        #[serde(borrow, default)]
        message: Option<&'a RawValue>,
        #[serde(borrow, default)]
        code: Option<&'a RawValue>,
        #[serde(borrow, default, rename = "type")]
        kind: Option<&'a RawValue>,
        #[serde(borrow, default)]
        status: Option<&'a RawValue>,
    }
    let Ok(fields) = serde_json::from_str::<Fields<'_>>(raw) else {
        let message = serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned());
        return ProviderError {
            message,
            ..ProviderError::default()
        };
    };
    let number = |raw: Option<&RawValue>| raw.and_then(|raw| raw.get().trim_matches('"').parse::<u16>().ok());
    let named = |raw: Option<&RawValue>| owned(raw).filter(|code| code.parse::<u16>().is_err());
    ProviderError {
        message: owned(fields.message).unwrap_or_else(|| raw.to_owned()),
        code: named(fields.code)
            .or_else(|| named(fields.kind))
            .or_else(|| named(fields.status)),
        status: number(fields.code)
            .or_else(|| number(fields.status))
            .filter(|status| (400..600).contains(status)),
    }
}

/// What the body of an answer with an error status says.
pub(crate) fn read_error(body: &[u8]) -> ProviderError {
    let text = String::from_utf8_lossy(body);
    #[derive(Deserialize)]
    struct Plain<'a> {
        #[serde(borrow, default)]
        message: Option<&'a RawValue>,
        #[serde(borrow, default)]
        detail: Option<&'a RawValue>,
        #[serde(borrow, default, rename = "type")]
        kind: Option<&'a RawValue>,
        #[serde(borrow, default)]
        code: Option<&'a RawValue>,
    }
    // Some gateways wrap the object in a list.
    let inner = text
        .trim()
        .strip_prefix('[')
        .and_then(|t| t.strip_suffix(']'))
        .unwrap_or(text.trim());
    if let Ok(body) = serde_json::from_str::<Body<'_>>(inner)
        && let Some(error) = error_in(&body)
    {
        return error;
    }
    if let Ok(plain) = serde_json::from_str::<Plain<'_>>(inner) {
        let message = owned(plain.message).or_else(|| {
            plain
                .detail
                .map(|detail| owned(Some(detail)).unwrap_or_else(|| detail.get().to_owned()))
        });
        let code = owned(plain.code).or_else(|| owned(plain.kind));
        return ProviderError {
            message: message.unwrap_or_else(|| text.trim().to_owned()),
            code,
            status: None,
        };
    }
    ProviderError {
        message: text.trim().to_owned(),
        ..ProviderError::default()
    }
}
