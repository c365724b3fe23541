//! litellm's answer classes: thin subclasses of [`OpenAIObject`], with quick access to the fields that every program reads.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple, PyType};

use super::forms::{Form, names_provider_in_answers};
use super::hidden::{Hidden, usd_of};
use super::kinds::{self, Kind};
use super::object::{Child, OpenAIObject};
use super::source::Source;
use crate::providers::native_usage;

/// A class: its kind, and the fields read so often that they have a slot of their own.
macro_rules! answer_class {
    ($class:ident, $kind:path $(, $field:ident)*) => {
        #[pyclass(extends = OpenAIObject, subclass, frozen, module = "edgequake_obs")]
        #[derive(Debug)]
        pub(crate) struct $class;

        #[pymethods]
        impl $class {
            #[new]
            #[pyo3(signature = (**fields))]
            fn new(fields: Option<&Bound<'_, PyDict>>) -> PyResult<PyClassInitializer<Self>> {
                Ok(PyClassInitializer::from(OpenAIObject::from_values(&$kind, fields)?).add_subclass(Self))
            }

            $(
                #[getter]
                fn $field(slf: PyRef<'_, Self>) -> PyResult<Py<PyAny>> {
                    let py = slf.py();
                    slf.as_super().required(py, stringify!($field))
                }
            )*
        }
    };
}

answer_class!(Choices, kinds::CHOICES, message, finish_reason, index);
answer_class!(Message, kinds::MESSAGE, content, role, tool_calls);
answer_class!(ChatCompletionMessageToolCall, kinds::TOOL_CALL, function, id);
answer_class!(Function, kinds::FUNCTION, arguments, name);
answer_class!(StreamingChoices, kinds::STREAMING_CHOICES, delta, finish_reason, index);
answer_class!(Delta, kinds::DELTA, content, role, tool_calls);
answer_class!(ChatCompletionDeltaToolCall, kinds::DELTA_TOOL_CALL, function, id, index);
answer_class!(ChoiceLogprobs, kinds::LOGPROBS);
answer_class!(ChatCompletionTokenLogprob, kinds::TOKEN_LOGPROB);
answer_class!(TopLogprob, kinds::TOP_LOGPROB);
answer_class!(Usage, kinds::USAGE, prompt_tokens, completion_tokens, total_tokens);
answer_class!(CompletionTokensDetailsWrapper, kinds::COMPLETION_TOKENS_DETAILS);
answer_class!(PromptTokensDetailsWrapper, kinds::PROMPT_TOKENS_DETAILS);
answer_class!(TextChoices, kinds::TEXT_CHOICES, text, finish_reason, index);
answer_class!(Embedding, kinds::EMBEDDING, embedding, index);

/// A chunk of a stream: it also knows what its stream came to.
#[pyclass(extends = OpenAIObject, subclass, frozen, module = "edgequake_obs")]
#[derive(Debug)]
pub(crate) struct ModelResponseStream;

#[pymethods]
impl ModelResponseStream {
    #[new]
    #[pyo3(signature = (**fields))]
    fn new(fields: Option<&Bound<'_, PyDict>>) -> PyResult<PyClassInitializer<Self>> {
        Ok(PyClassInitializer::from(OpenAIObject::from_values(&kinds::STREAM_CHUNK, fields)?).add_subclass(Self))
    }

    #[getter]
    fn choices(slf: PyRef<'_, Self>) -> PyResult<Py<PyAny>> {
        slf.as_super().required(slf.py(), "choices")
    }

    #[getter]
    fn id(slf: PyRef<'_, Self>) -> PyResult<Py<PyAny>> {
        slf.as_super().required(slf.py(), "id")
    }

    #[getter]
    fn model(slf: PyRef<'_, Self>) -> PyResult<Py<PyAny>> {
        slf.as_super().required(slf.py(), "model")
    }

    /// Of a stream of ours that is over: the usage that the provider reported, in OpenAI's words as JSON text, the cost in
    /// USD, and the provider.
    #[getter]
    fn _came_to(slf: PyRef<'_, Self>) -> Option<(Option<String>, Option<f64>, String)> {
        let record = slf.as_super().source()?.call.settled()?;
        let reported = record.usage.as_deref();
        let usage = reported.and_then(|usage| native_usage::as_openais(&record.provider, usage));
        Some((usage, usd_of(&record), record.provider.to_string()))
    }
}

/// A class of whole answers: they also know what litellm keeps in `_hidden_params`.
macro_rules! whole_answer_class {
    ($class:ident, $kind:path $(, $field:ident)*) => {
        #[pyclass(extends = OpenAIObject, subclass, frozen, module = "edgequake_obs")]
        #[derive(Debug)]
        pub(crate) struct $class {
            hidden: Mutex<Hidden>,
        }

        #[pymethods]
        impl $class {
            #[new]
            #[pyo3(signature = (**fields))]
            fn new(fields: Option<&Bound<'_, PyDict>>) -> PyResult<PyClassInitializer<Self>> {
                let base = PyClassInitializer::from(OpenAIObject::from_values(&$kind, fields)?);
                Ok(base.add_subclass(Self { hidden: Mutex::default() }))
            }

            /// litellm's: `response_cost` (USD, float, None where no price is known), provider, headers.
            #[getter]
            fn _hidden_params(slf: PyRef<'_, Self>) -> PyResult<Py<PyDict>> {
                Hidden::dict(&slf.hidden, slf.py())
            }

            /// A pickle or a copy takes `_hidden_params` along.
            fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
                let py = slf.py();
                let hidden = Hidden::dict(&slf.get().hidden, py)?;
                let fields = slf.as_super().get().dumped(py, false)?;
                let rebuild = py.import("edgequake_obs._native")?.getattr("_rebuild")?;
                Ok((rebuild, (slf.get_type(), fields, hidden).into_pyobject(py)?))
            }

            fn _restore_hidden(&self, hidden: Py<PyDict>) {
                Hidden::restore(&self.hidden, hidden);
            }

            /// How long the call took, in milliseconds.
            #[getter]
            fn _response_ms(slf: PyRef<'_, Self>) -> f64 {
                Hidden::milliseconds(&slf.hidden)
            }

            $(
                #[getter]
                fn $field(slf: PyRef<'_, Self>) -> PyResult<Py<PyAny>> {
                    let py = slf.py();
                    slf.as_super().required(py, stringify!($field))
                }
            )*
        }

        impl $class {
            /// `made`: the object over the answer's JSON.
            fn over(py: Python<'_>, made: OpenAIObject, hidden: Hidden) -> PyResult<Py<PyAny>> {
                let base = PyClassInitializer::from(made);
                Ok(Py::new(py, base.add_subclass(Self { hidden: Mutex::new(hidden) }))?.into_any())
            }
        }
    };
}

whole_answer_class!(ModelResponse, kinds::MODEL_RESPONSE, choices, id, model);
whole_answer_class!(
    TextCompletionResponse,
    kinds::TEXT_COMPLETION_RESPONSE,
    choices,
    id,
    model
);
whole_answer_class!(EmbeddingResponse, kinds::EMBEDDING_RESPONSE, data, model);

mod endpoints;
pub(crate) use endpoints::{is_response, whole};

impl ModelResponse {
    /// A whole answer of chat; `form`: how litellm reads those of this provider.
    pub(crate) fn of(py: Python<'_>, json: Bytes, hidden: Hidden, form: Form) -> PyResult<Py<PyAny>> {
        let provider = hidden.provider().filter(|_| form != Form::Own);
        let prefix = provider.filter(|provider| names_provider_in_answers(provider));
        let made = OpenAIObject::of_provider(form.response(), json, prefix.cloned());
        Self::over(py, made, hidden)
    }
}

impl TextCompletionResponse {
    pub(crate) fn of(py: Python<'_>, json: Bytes, hidden: Hidden) -> PyResult<Py<PyAny>> {
        Self::over(
            py,
            OpenAIObject::from_json(&kinds::TEXT_COMPLETION_RESPONSE, json),
            hidden,
        )
    }
}

impl EmbeddingResponse {
    pub(crate) fn of(py: Python<'_>, json: Bytes, hidden: Hidden) -> PyResult<Py<PyAny>> {
        Self::over(py, OpenAIObject::from_json(&kinds::EMBEDDING_RESPONSE, json), hidden)
    }
}

/// A chunk of `source`'s stream.
pub(crate) fn make_chunk(py: Python<'_>, json: Bytes, source: &Arc<Source>) -> PyResult<Py<PyAny>> {
    let base = OpenAIObject::of_stream(&kinds::STREAM_CHUNK, json, Arc::clone(source));
    Py::new(py, PyClassInitializer::from(base).add_subclass(ModelResponseStream)).map(Py::into_any)
}

/// An object of `kind` over `json`.
pub(crate) fn make(py: Python<'_>, kind: &'static Kind, json: Bytes) -> PyResult<Py<PyAny>> {
    macro_rules! made {
        ($class:expr) => {
            Py::new(
                py,
                PyClassInitializer::from(OpenAIObject::from_json(kind, json)).add_subclass($class),
            )
            .map(Py::into_any)
        };
    }
    match kind.name {
        "ModelResponseStream" => made!(ModelResponseStream),
        "StreamingChoices" => made!(StreamingChoices),
        "Delta" => made!(Delta),
        "Choices" => made!(Choices),
        "Message" => made!(Message),
        "Usage" => made!(Usage),
        "ChatCompletionMessageToolCall" => made!(ChatCompletionMessageToolCall),
        "ChatCompletionDeltaToolCall" => made!(ChatCompletionDeltaToolCall),
        "Function" => made!(Function),
        "ChoiceLogprobs" => made!(ChoiceLogprobs),
        "ChatCompletionTokenLogprob" => made!(ChatCompletionTokenLogprob),
        "TopLogprob" => made!(TopLogprob),
        "CompletionTokensDetailsWrapper" => made!(CompletionTokensDetailsWrapper),
        "PromptTokensDetailsWrapper" => made!(PromptTokensDetailsWrapper),
        "TextChoices" => made!(TextChoices),
        "Embedding" => made!(Embedding),
        _ => match endpoints::make(py, kind, json.clone()) {
            Some(made) => made,
            None => Py::new(py, OpenAIObject::from_json(kind, json)).map(Py::into_any),
        },
    }
}

/// A value given to a constructor, with dicts made into the objects that the field holds.
pub(crate) fn adopt(child: Child, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let py = value.py();
    let Child::Of(kind) = child else {
        return Ok(value.clone().unbind());
    };
    if let Ok(dict) = value.cast::<PyDict>() {
        return class_of(py, kind)?.call((), Some(dict)).map(Bound::unbind);
    }
    let holds_dicts = |list: &Bound<'_, PyList>| list.iter().any(|item| item.is_instance_of::<PyDict>());
    if let Some(list) = value.cast::<PyList>().ok().filter(|list| holds_dicts(list)) {
        let items = list
            .iter()
            .map(|item| adopt(child, &item))
            .collect::<PyResult<Vec<_>>>()?;
        return Ok(PyList::new(py, items)?.into_any().unbind());
    }
    Ok(value.clone().unbind())
}

fn class_of<'py>(py: Python<'py>, kind: &Kind) -> PyResult<Bound<'py, PyAny>> {
    py.import("edgequake_obs._native")?.getattr(kind.name)
}

/// How a pickle or a copy comes back.
#[pyfunction]
#[pyo3(signature = (class, fields, hidden=None))]
fn _rebuild<'py>(
    class: &Bound<'py, PyType>,
    fields: &Bound<'py, PyDict>,
    hidden: Option<Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let made = class.call((), Some(fields))?;
    if let Some(hidden) = hidden {
        made.call_method1("_restore_hidden", (hidden,))?;
    }
    Ok(made)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<OpenAIObject>()?;
    module.add_class::<ModelResponse>()?;
    module.add_class::<TextCompletionResponse>()?;
    module.add_class::<TextChoices>()?;
    module.add_class::<EmbeddingResponse>()?;
    module.add_class::<Choices>()?;
    module.add_class::<Message>()?;
    module.add_class::<ChatCompletionMessageToolCall>()?;
    module.add_class::<Function>()?;
    module.add_class::<ModelResponseStream>()?;
    module.add_class::<StreamingChoices>()?;
    module.add_class::<Delta>()?;
    module.add_class::<ChatCompletionDeltaToolCall>()?;
    module.add_class::<ChoiceLogprobs>()?;
    module.add_class::<ChatCompletionTokenLogprob>()?;
    module.add_class::<TopLogprob>()?;
    module.add_class::<Usage>()?;
    module.add_class::<CompletionTokensDetailsWrapper>()?;
    module.add_class::<PromptTokensDetailsWrapper>()?;
    module.add_class::<Embedding>()?;
    endpoints::register(module)?;
    module.add_function(pyo3::wrap_pyfunction!(_rebuild, module)?)
}
