//! The answer classes of the endpoints beside chat.

use std::sync::Mutex;

use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::{EmbeddingResponse, Form, Hidden, Kind, ModelResponse, OpenAIObject, TextCompletionResponse};
use crate::bridge::binary::HttpxBinaryResponseContent;
use crate::bridge::endpoint_kinds;
use crate::json_scan::{members, text_of};
use crate::providers::Operation;

whole_answer_class!(ResponsesAPIResponse, endpoint_kinds::RESPONSE, output, id, status);
whole_answer_class!(ImageResponse, endpoint_kinds::IMAGES, data);
whole_answer_class!(TranscriptionResponse, endpoint_kinds::TRANSCRIPT, text);
whole_answer_class!(RerankResponse, endpoint_kinds::RANKING, results, id);
whole_answer_class!(ModerationCreateResponse, endpoint_kinds::VERDICTS, results, id, model);

/// The classes of the parts of these answers.
macro_rules! parts {
    ($($class:ident: $kind:ident),* $(,)?) => {
        $(answer_class!($class, endpoint_kinds::$kind);)*

        /// An object of `kind` over `json`; None where the kind is no part of these answers.
        pub(super) fn make_part(py: Python<'_>, kind: &'static Kind, json: Bytes) -> Option<PyResult<Py<PyAny>>> {
            $(
                if std::ptr::eq(kind, &raw const endpoint_kinds::$kind) {
                    let made = PyClassInitializer::from(OpenAIObject::from_json(kind, json)).add_subclass($class);
                    return Some(Py::new(py, made).map(Py::into_any));
                }
            )*
            None
        }

        fn register_parts(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(module.add_class::<$class>()?;)*
            Ok(())
        }
    };
}

parts!(
    IncompleteDetails: INCOMPLETE_DETAILS,
    ResponseOutputItem: OUTPUT_ITEM,
    ResponseOutputContent: OUTPUT_CONTENT,
    ResponseAPIUsage: RESPONSE_USAGE,
    ResponseTokensDetails: RESPONSE_TOKENS,
    ResponsesAPIStreamEvent: EVENT,
    ImageObject: IMAGE,
    ImageUsage: IMAGE_USAGE,
    ImageUsageInputTokensDetails: IMAGE_TOKENS,
    Moderation: VERDICT,
    ModerationCategories: CATEGORIES,
);

/// The answer to `operation`; `form`: how litellm reads those of its provider.
pub(crate) fn whole(
    py: Python<'_>,
    operation: Operation,
    body: Bytes,
    hidden: Hidden,
    form: Form,
) -> PyResult<Py<PyAny>> {
    let of = OpenAIObject::from_json;
    match operation {
        Operation::Chat => ModelResponse::of(py, body, hidden, form),
        Operation::TextCompletion => TextCompletionResponse::of(py, body, hidden),
        Operation::Embeddings => EmbeddingResponse::of(py, body, hidden),
        Operation::Responses => ResponsesAPIResponse::over(py, of(&endpoint_kinds::RESPONSE, body), hidden),
        Operation::ImageGeneration | Operation::ImageEdit | Operation::ImageVariation => {
            ImageResponse::over(py, of(&endpoint_kinds::IMAGES, body), hidden)
        }
        Operation::Speech => HttpxBinaryResponseContent::of(py, body, hidden),
        Operation::Transcription => TranscriptionResponse::over(py, of(&endpoint_kinds::TRANSCRIPT, body), hidden),
        Operation::Moderation => ModerationCreateResponse::over(py, of(&endpoint_kinds::VERDICTS, body), hidden),
        Operation::Rerank => RerankResponse::over(py, of(&endpoint_kinds::RANKING, body), hidden),
    }
}

/// Whether a body is an answer of the Responses API.
pub(crate) fn is_response(json: &[u8]) -> bool {
    members(json).any(|(name, value)| name == b"object" && text_of(value).as_deref() == Some("response"))
}

/// A part of these answers, or the response that an event of its stream holds.
pub(super) fn make(py: Python<'_>, kind: &'static Kind, json: Bytes) -> Option<PyResult<Py<PyAny>>> {
    if std::ptr::eq(kind, &raw const endpoint_kinds::RESPONSE) {
        let made = OpenAIObject::from_json(kind, json);
        return Some(ResponsesAPIResponse::over(py, made, Hidden::default()));
    }
    make_part(py, kind, json)
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ResponsesAPIResponse>()?;
    module.add_class::<ImageResponse>()?;
    module.add_class::<TranscriptionResponse>()?;
    module.add_class::<RerankResponse>()?;
    module.add_class::<ModerationCreateResponse>()?;
    module.add_class::<HttpxBinaryResponseContent>()?;
    register_parts(module)
}
