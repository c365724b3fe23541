//! A call that somebody else's client makes: Python's hooks tell of its start, its bytes and its end.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use super::asked;
use super::caller::Caller;
use super::listening;
use super::spans;
use crate::background;
use crate::call::{Asked, Ending, OpenCall, Start};
use crate::failure::{Failure, FailureKind};
use crate::fingerprint;
use crate::headers::ResponseFacts;
use crate::ids;
use crate::providers::openai;
use crate::redact;
use crate::surface::Surface;
use crate::tap::Tap;

/// A call under way. Every ending is idempotent: the first one wins.
#[pyclass(frozen, module = "edgequake_obs._native")]
#[derive(Debug)]
pub(crate) struct Call {
    call: Arc<OpenCall>,
    surface: Surface,
    /// The program gets a stream.
    streaming: bool,
    /// The provider was asked to answer in the background.
    in_background: bool,
}

impl Call {
    pub(super) fn of(call: Arc<OpenCall>, surface: Surface, streaming: bool) -> Self {
        Self {
            call,
            surface,
            streaming,
            in_background: false,
        }
    }

    pub(super) fn in_background(self) -> Self {
        Self {
            in_background: true,
            ..self
        }
    }

    pub(super) fn of_call(&self) -> &OpenCall {
        &self.call
    }

    pub(super) fn streaming(&self) -> bool {
        self.streaming
    }

    pub(super) fn open(&self) -> Arc<OpenCall> {
        Arc::clone(&self.call)
    }
}

pub(super) fn origin_of(name: &str) -> &'static str {
    match name {
        "openai" => "openai",
        "litellm" => "litellm",
        "anthropic" => "anthropic",
        _ => "record",
    }
}

/// What the hooks call the surface at a URL; None where nothing there makes a record.
#[pyfunction]
pub(crate) fn surface_of(url: &str) -> Option<&'static str> {
    Surface::at(url).map(Surface::name)
}

/// The start hook of a patched client.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "as many as the Python function has")]
#[pyo3(signature = (*, origin, origin_version, provider, operation, server_address, model, streaming, params, caller, api_key=None, headers=None, asynchronous=false))]
pub(crate) fn begin_call(
    py: Python<'_>,
    origin: &str,
    origin_version: Option<&str>,
    provider: &str,
    operation: &str,
    server_address: Option<&str>,
    model: Option<&str>,
    streaming: bool,
    params: Option<&Bound<'_, PyAny>>,
    caller: Option<&Bound<'_, PyAny>>,
    api_key: Option<&str>,
    headers: Option<Vec<Bound<'_, PyAny>>>,
    asynchronous: bool,
) -> PyResult<Call> {
    let caller = Caller::read(caller)?;
    let surface = Surface::named(operation);
    let params = params.and_then(|params| params.cast::<PyDict>().ok());
    let asked = match params {
        Some(params) => asked::read_body(params, surface, streaming)?,
        None => Asked::default(),
    };
    let mut start = Start {
        origin: origin_of(origin),
        origin_version: origin_version.map(Arc::from),
        surface,
        provider: Arc::from(provider),
        request_model: model.map(Arc::from),
        server_address: server_address.map(Arc::from),
        server_port: None,
        streaming,
        scope: caller.scope,
        parent: caller.parent,
        api_key_id: api_key.filter(|key| !key.is_empty()).and_then(fingerprint::of),
        secrets: secrets(api_key, headers.iter().flatten()),
        asked,
        mocked: false,
        live: None,
        listener: None,
    };
    start.listener = listening::listener_of_body(py, &start, asynchronous, params);
    start.live = spans::begin(py, &start, surface.operation(), None);
    Ok(Call::of(OpenCall::begin(start), surface, streaming))
}

/// The key, and the values of secret headers: `headers` are dicts of names and values, or whatever stands for none.
pub(super) fn secrets<'a, 'py: 'a>(
    api_key: Option<&str>,
    headers: impl Iterator<Item = &'a Bound<'py, PyAny>>,
) -> Vec<String> {
    let mut secrets: Vec<String> = api_key.map(str::to_owned).into_iter().collect();
    for (name, value) in headers.filter_map(|headers| headers.cast::<PyDict>().ok()).flatten() {
        if let (Ok(name), Ok(value)) = (name.extract::<String>(), value.extract::<String>()) {
            redact::note_header(&name, &value, &mut secrets);
        }
    }
    secrets
}

/// Status and facts of a response whose headers are httpx's or any mapping.
pub(super) fn response_facts(status: u16, headers: Option<&Bound<'_, PyAny>>) -> PyResult<ResponseFacts> {
    let mut facts = ResponseFacts::new(status);
    let Some(headers) = headers.filter(|headers| !headers.is_none()) else {
        return Ok(facts);
    };
    // Where httpx keeps them, as bytes: its own `raw` and `items()` make a list of them first, while the program waits.
    if let Some(kept) = headers.getattr_opt(intern!(headers.py(), "_list"))?
        && let Ok(kept) = kept.cast::<PyList>()
    {
        for entry in kept {
            let entry = entry.cast_into::<PyTuple>()?; // the name as it came, the name in lower case, the value
            let name = entry.get_borrowed_item(1)?;
            let name = name.cast::<PyBytes>()?;
            if ResponseFacts::is_told_by(name.as_bytes()) {
                let value = entry.get_borrowed_item(2)?;
                let value = value.cast::<PyBytes>()?;
                facts.take(name.as_bytes(), &String::from_utf8_lossy(value.as_bytes()));
            }
        }
        return Ok(facts);
    }
    for pair in headers.call_method0("items")?.try_iter()? {
        let (name, value) = pair?.extract::<(String, String)>()?;
        facts.take(name.as_bytes(), &value);
    }
    Ok(facts)
}

/// Type and message of an error: the provider's own where its answer has them, else what the client calls it.
pub(super) fn said_in(status: Option<u16>, body: Option<&[u8]>, error_type: &str, message: &str) -> (String, String) {
    let status = status.filter(|status| *status >= 400);
    let said = body.filter(|_| status.is_some()).map(openai::read_error);
    let (code, text) = said.map_or((None, None), |error| (error.code, Some(error.message)));
    let code = code.or_else(|| status.map(|status| status.to_string()));
    (
        code.unwrap_or_else(|| error_type.to_owned()),
        text.filter(|text| !text.is_empty())
            .unwrap_or_else(|| message.to_owned()),
    )
}

#[pymethods]
impl Call {
    #[getter]
    fn call_uid(&self) -> String {
        ids::uuid_text(&self.call.uid)
    }

    /// The ticket of its span in the program's own OpenTelemetry; 0: there is none.
    #[getter]
    pub(super) fn span(&self) -> u64 {
        self.call.live.map_or(0, |live| live.ticket)
    }

    /// A further HTTP attempt begins.
    fn attempt(&self) {
        self.call.with_state(crate::call::State::attempt_begins);
    }

    /// The attempt under way failed, and will be tried again.
    #[pyo3(signature = (status, error_type, request_id=None))]
    fn attempt_failed(&self, status: Option<u16>, error_type: Option<String>, request_id: Option<String>) {
        self.call
            .with_state(|state| state.attempt_failed(status, error_type, request_id));
    }

    /// A plain answer, whole: the record is made, priced and handed on.
    pub(super) fn answered(&self, status: u16, headers: &Bound<'_, PyAny>, body: &Bound<'_, PyBytes>) -> PyResult<()> {
        let response = response_facts(status, Some(headers))?;
        if self.in_background {
            self.call.with_state(|state| state.answered(response.clone()));
            if background::waits(&self.call, body.as_bytes()) {
                return Ok(());
            }
        }
        // The SDK finds out for itself whether it can be read; for the record there is time later.
        let body = match body.as_bytes() {
            media if self.surface.answers_with_media(media) => None,
            body => Some(Bytes::copy_from_slice(body)),
        };
        if let Some(body) = &body {
            self.call.hear_answer(body, &http::HeaderMap::new());
        }
        self.call.with_state(|state| state.answered_with(response, body));
        self.call.finish(Ending::Completed);
        spans::end_those_over(headers.py());
        Ok(())
    }

    /// The call failed: no answer, an error status, an answer that cannot be read.
    #[pyo3(signature = (error_type, message, status=None, body=None, headers=None))]
    fn failed(
        &self,
        py: Python<'_>,
        error_type: &str,
        message: &str,
        status: Option<u16>,
        body: Option<&Bound<'_, PyBytes>>,
        headers: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let response = status.map(|status| response_facts(status, headers)).transpose()?;
        if let Some(response) = response {
            self.call.with_state(|state| state.answered(response));
        }
        let (error_type, message) = said_in(status, body.map(|body| body.as_bytes()), error_type, message);
        self.call.finish(Ending::Failed {
            error_type,
            message,
            status,
        });
        spans::end_those_over(py);
        Ok(())
    }

    /// The caller gave the call up before its answer.
    fn cancelled(&self, py: Python<'_>) {
        self.call.finish(Ending::cancelled());
        spans::end_those_over(py);
    }

    /// The answer is a stream: its bytes go through the tap.
    fn tap(&self, status: u16, headers: &Bound<'_, PyAny>, hide_usage: bool) -> PyResult<StreamTap> {
        let response = response_facts(status, Some(headers))?;
        let framing = response.framing;
        self.call.with_state(|state| state.answered(response));
        let tap = Tap::new(Arc::clone(&self.call), self.surface, framing, hide_usage);
        Ok(StreamTap::of(Mutex::new(tap)))
    }
}

/// Where the bytes of somebody else's stream pass by.
#[pyclass(frozen, weakref, module = "edgequake_obs._native")]
#[derive(Debug)]
pub(crate) struct StreamTap {
    tap: Mutex<Tap>,
}

impl StreamTap {
    pub(super) fn of(tap: Mutex<Tap>) -> Self {
        Self { tap }
    }
}

#[pymethods]
impl StreamTap {
    /// The library above is done with the stream, however far it has read: what was heard is noted.
    fn settle(&self) {
        self.tap.lock().unwrap_or_else(PoisonError::into_inner).settle();
    }

    /// Takes the next bytes, and gives those that the client may see: the same object where nothing is hidden. If the
    /// stream's last event is among them: what comes before it, and the rest.
    fn feed<'py>(&self, data: &Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyAny>> {
        let fed = self
            .tap
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .feed(data.as_bytes());
        let py = data.py();
        spans::end_those_over(py);
        let seen = fed.seen.as_deref();
        let Some(last) = fed.last else {
            return Ok(match seen {
                None => data.clone().into_any(),
                Some(bytes) => PyBytes::new(py, bytes).into_any(),
            });
        };
        let seen = seen.unwrap_or(data.as_bytes());
        let (before, rest) = seen.split_at(last.min(seen.len()));
        Ok((PyBytes::new(py, before), PyBytes::new(py, rest))
            .into_pyobject(py)?
            .into_any())
    }

    /// The body ended: gives what was still held back.
    fn eof<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let rest: Bytes = self.tap.lock().unwrap_or_else(PoisonError::into_inner).eof();
        spans::end_those_over(py);
        PyBytes::new(py, &rest)
    }

    /// The consumer closed the stream.
    fn closed(&self, py: Python<'_>) {
        self.tap.lock().unwrap_or_else(PoisonError::into_inner).closed();
        spans::end_those_over(py);
    }

    /// The stream broke while it was read.
    fn failed(&self, py: Python<'_>, error_type: &str, message: &str) {
        let kind = FailureKind::Connection;
        let failure = Failure {
            code: Some(error_type.to_owned()),
            ..Failure::new(kind, message)
        };
        self.tap.lock().unwrap_or_else(PoisonError::into_inner).failed(failure);
        spans::end_those_over(py);
    }
}
