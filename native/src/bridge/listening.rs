//! Callbacks: whether a program registered any, and what happened, for the Python thread that runs them.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use exporters::otlp::Wanted;
use exporters::{CallRecord, Labels, Outcome};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString};

use super::asked;
use super::classes;
use super::errors::exception;
use super::forms::Form;
use super::hidden::{Hidden, usd_of};
use super::json_in;
use super::kinds;
use super::object::Child;
use super::spans;
use crate::call::{Live, Start};
use crate::core::core;
use crate::estimate::TextSize;
use crate::events::{Event, Heard, Listener, Over};
use crate::failure::{Failure, FailureKind};
use crate::providers::Operation;
use crate::{ids, json_scan, redact};

/// What is told of a call when it begins.
pub(crate) struct Announced<'a, 'py> {
    pub start: &'a Start,
    pub asynchronous: bool,
    /// What the model is asked; None where the parameters say it.
    pub input: Option<&'a Bound<'py, PyAny>>,
    pub params: Option<&'a Bound<'py, PyDict>>,
    /// Whether the call's parameters have callbacks of its own.
    pub has_own: bool,
}

/// The package's own namespace, where a program registers callbacks.
fn package(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
    static PACKAGE: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    PACKAGE
        .get_or_try_init(py, || Ok(py.import("edgequake_obs")?.dict().unbind()))
        .map(|package| package.bind(py))
}

fn is_anything_registered(py: Python<'_>) -> PyResult<bool> {
    let package = package(py)?;
    for name in [
        intern!(py, "callbacks"),
        intern!(py, "success_callback"),
        intern!(py, "failure_callback"),
        intern!(py, "input_callback"),
    ] {
        if package.get_item(name)?.is_some_and(|list| {
            list.cast::<PyList>()
                .map_or_else(|_| list.is_truthy().unwrap_or(false), |list| !list.is_empty())
        }) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Who listens to a call that is about to begin; None where nobody does.
pub(crate) fn listener(py: Python<'_>, call: &Announced<'_, '_>) -> Option<Listener> {
    let told = if call.has_own {
        tell(py, call)
    } else {
        is_anything_registered(py).and_then(|registered| if registered { tell(py, call) } else { Ok(None) })
    };
    match told {
        Ok(listener) => listener,
        Err(error) => {
            // What is wrong with a callback must not fail the call.
            let _ = super::process::note_internal_error(py, "callbacks", error.value(py).as_any());
            None
        }
    }
}

/// As [`listener`], for a request's body.
pub(crate) fn listener_of_body(
    py: Python<'_>,
    start: &Start,
    asynchronous: bool,
    body: Option<&Bound<'_, PyDict>>,
) -> Option<Listener> {
    let announced = Announced {
        start,
        asynchronous,
        input: None,
        params: body,
        has_own: false,
    };
    listener(py, &announced)
}

fn tell(py: Python<'_>, call: &Announced<'_, '_>) -> PyResult<Option<Listener>> {
    static OBSERVE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let observe = OBSERVE.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("edgequake_obs._callbacks")?.getattr("observe")?.unbind())
    })?;
    let in_params = || {
        ["messages", "input", "prompt"]
            .into_iter()
            .find_map(|name| call.params?.get_item(name).ok()?)
    };
    let input = call.input.cloned().or_else(in_params);
    let mut size = TextSize::default();
    if let Some(input) = &input {
        asked::measure(input, &mut size, 0);
    }
    if core().events.refuses(size.bytes()) {
        return Ok(None);
    }
    let start = call.start;
    let told = observe.bind(py).call1((
        call.asynchronous,
        call.has_own,
        start.surface.name(),
        &*start.provider,
        start.request_model.as_deref(),
        start.server_address.as_deref(),
        input,
        call.params,
    ))?;
    let (ticket, wants): (u64, u8) = told.extract()?;
    Ok(Some(Listener {
        ticket,
        wants_beginning: wants & 1 != 0,
        wants_chunks: wants & 2 != 0,
        request_bytes: size.bytes(),
    }))
}

/// A call that is over, as its callbacks see it.
#[pyclass(frozen, module = "edgequake_obs._native")]
#[derive(Debug)]
pub(crate) struct OverCall {
    over: Over,
    record: Arc<CallRecord>,
    heard: Mutex<Heard>,
}

impl OverCall {
    fn failure(&self) -> Option<Failure> {
        if self.record.outcome != Outcome::Error {
            return None;
        }
        let heard = self
            .heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .failure
            .clone();
        heard.or_else(|| {
            let record = &self.record;
            let kind = match (record.error_type.as_deref(), record.http_status) {
                (Some("timeout"), None) => FailureKind::Timeout,
                (_, Some(status)) if status >= 400 => FailureKind::Status,
                (Some("invalid_response"), _) => FailureKind::InvalidResponse,
                _ => FailureKind::Connection,
            };
            let code = record.error_type.clone().filter(|code| code.parse::<u16>().is_err());
            Some(Failure {
                status: record.http_status.filter(|status| *status >= 400),
                code,
                retries: record.attempts.len().saturating_sub(1),
                ..Failure::new(kind, record.error_message.clone().unwrap_or_default())
            })
        })
    }
}

#[pymethods]
impl OverCall {
    /// What the record says.
    fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let record = &self.record;
        let dict = PyDict::new(py);
        dict.set_item("call_uid", ids::uuid_text(&record.call_uid))?;
        dict.set_item("outcome", record.outcome.as_str())?;
        dict.set_item("provider", &*record.provider)?;
        dict.set_item("model", record.request_model.as_deref())?;
        dict.set_item("response_id", record.response_id.as_deref())?;
        dict.set_item("streaming", record.streaming)?;
        dict.set_item("start_ns", record.start_ns)?;
        dict.set_item("duration_ns", record.duration_ns)?;
        dict.set_item("time_to_first_chunk_ns", record.time_to_first_chunk_ns)?;
        dict.set_item("cost", usd_of(record))?;
        let tokens = &record.tokens;
        dict.set_item("input_tokens", tokens.input.or(record.estimated_input_tokens))?;
        dict.set_item("output_tokens", tokens.output.or(record.estimated_output_tokens))?;
        dict.set_item("usage", record.usage.as_deref())?;
        dict.set_item(
            "session",
            record.labels.as_ref().and_then(|labels| labels.session.clone()),
        )?;
        let trace_id: String = record.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
        dict.set_item("trace_id", trace_id)?;
        let headers = PyDict::new(py);
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, value) in &heard.headers {
            headers.set_item(name.as_str(), String::from_utf8_lossy(value.as_bytes()))?;
        }
        dict.set_item("headers", headers)?;
        Ok(dict)
    }

    /// The whole answer, as the caller's, but an object of its own: a dict where litellm has no class for it here; None
    /// where there is none.
    fn answer(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let (body, headers) = {
            let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            (heard.answer.clone(), heard.headers.clone())
        };
        let Some(body) = body else { return Ok(None) };
        let provider = Arc::clone(&self.record.provider);
        let (hidden, form) = match &self.over {
            Over::Call(call) => {
                let is_own = self.record.origin != "native" || call.is_mocked();
                let form = if is_own { Form::Own } else { Form::of(&provider) };
                (Hidden::new(Arc::clone(call), provider, headers), form)
            }
            Over::Record(_) => (Hidden::default(), Form::Own),
        };
        let is_own = self.record.origin == "native";
        let operation = match Operation::named(self.record.operation) {
            Operation::Chat if has_choices(&body) => Some(Operation::Chat),
            Operation::Chat => (is_own && classes::is_response(&body)).then_some(Operation::Responses),
            Operation::Embeddings => Some(Operation::Embeddings),
            operation => is_own.then_some(operation),
        };
        if let Some(operation) = operation {
            return classes::whole(py, operation, body, hidden, form).map(Some);
        }
        if body.trim_ascii_start().starts_with(b"{") {
            return json_in::to_python(py, &body, Child::Plain).map(Some);
        }
        Ok(Some(
            PyString::new(py, &String::from_utf8_lossy(&body)).into_any().unbind(),
        ))
    }

    /// The chunks of a stream that arrived; dicts where they are not chat completions'.
    fn chunks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let chunks = self.heard.lock().unwrap_or_else(PoisonError::into_inner).chunks.clone();
        let made = chunks.into_iter().map(|chunk| made_or_text(py, chunk));
        PyList::new(py, made.collect::<Vec<_>>())
    }

    /// The exception of a call that failed.
    fn exception(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let failure = self.failure()?;
        let record = &self.record;
        let error = exception(py, &failure, &record.provider, record.request_model.as_deref(), false);
        Some(error.into_value(py).into_any())
    }
}

fn has_choices(json: &[u8]) -> bool {
    json_scan::members(json).any(|(name, _)| name == b"choices")
}

fn made_of(py: Python<'_>, chunk: Bytes) -> PyResult<Py<PyAny>> {
    if has_choices(&chunk) {
        classes::make(py, &kinds::STREAM_CHUNK, chunk)
    } else {
        json_in::to_python(py, &chunk, Child::Plain)
    }
}

/// As [`made_of`]; what is no JSON as its text.
fn made_or_text(py: Python<'_>, chunk: Bytes) -> Py<PyAny> {
    made_of(py, chunk.clone())
        .unwrap_or_else(|_| PyString::new(py, &String::from_utf8_lossy(&chunk)).into_any().unbind())
}

/// A call whose record waits for the program's own redactor.
#[pyclass(frozen, module = "edgequake_obs._native")]
#[derive(Debug)]
pub(crate) struct UnredactedRecord {
    record: Arc<CallRecord>,
    exported: Wanted,
    live: Option<Live>,
}

#[pymethods]
impl UnredactedRecord {
    /// Takes the record's texts through `redact`, those that are JSON through `redact_json`, and lets it leave.
    fn leave(&self, redact: &Bound<'_, PyAny>, redact_json: &Bound<'_, PyAny>) -> PyResult<()> {
        let by = |redact: &Bound<'_, PyAny>, text: &mut Option<String>| -> PyResult<()> {
            if let Some(text) = text {
                *text = redact.call1((&*text,))?.extract()?;
            }
            Ok(())
        };
        let all = |pairs: &mut Vec<(String, String)>| -> PyResult<()> {
            for (_, value) in pairs {
                *value = redact.call1((&*value,))?.extract()?;
            }
            Ok(())
        };
        let mut record = CallRecord::clone(&self.record);
        by(redact, &mut record.error_message)?;
        by(redact, &mut record.error_type)?;
        for attempt in &mut record.attempts {
            by(redact, &mut attempt.error_type)?;
        }
        by(redact, &mut record.user)?;
        all(&mut record.tags)?;
        by(redact_json, &mut record.metadata)?;
        by(redact_json, &mut record.request_params)?;
        by(redact_json, &mut record.content)?;
        if let Some(labels) = &record.labels {
            let mut labels = Labels::clone(labels);
            by(redact, &mut labels.user)?;
            by(redact, &mut labels.session)?;
            all(&mut labels.tags)?;
            by(redact_json, &mut labels.metadata)?;
            record.labels = Some(Arc::new(labels));
        }
        let shared = Arc::new(record.clone());
        if let Some(otlp) = core().otlp() {
            otlp.push_record(Arc::clone(&shared), self.exported);
        }
        if let Some(live) = self.live {
            spans::end(redact.py(), live, shared);
        }
        core().recorder().push(Box::new(record));
        Ok(())
    }
}

/// What has happened since, in order, at most `most` events: kind, ticket, and what belongs to it.
#[pyfunction]
pub(crate) fn take_events<'py>(py: Python<'py>, most: usize) -> PyResult<Bound<'py, PyList>> {
    let events = PyList::empty(py);
    while events.len() < most
        && let Some(event) = core().events.next()
    {
        let (kind, ticket, content) = match event {
            Event::Begun(listener) => ("begun", listener.ticket, py.None()),
            Event::Chunk(ticket, chunk) => ("chunk", ticket, made_or_text(py, chunk)),
            Event::Dropped(ticket) => ("dropped", ticket, py.None()),
            Event::Ended(listener, over, heard) => {
                let Some(record) = over.record() else {
                    events.append(("dropped", listener.ticket, py.None()))?;
                    continue;
                };
                let over = OverCall {
                    over,
                    record,
                    heard: Mutex::new(*heard),
                };
                ("ended", listener.ticket, Py::new(py, over)?.into_any())
            }
            Event::Unredacted(over) => {
                let Some(record) = over.record() else {
                    events.append(("dropped", 0, py.None()))?;
                    continue;
                };
                let held = UnredactedRecord {
                    record,
                    exported: over.exported(),
                    live: over.live(),
                };
                ("unredacted", 0, Py::new(py, held)?.into_any())
            }
        };
        events.append((kind, ticket, content))?;
    }
    Ok(events)
}

/// The descriptor that is readable while an event waits; None where callbacks cannot be run on this system.
#[pyfunction]
pub(crate) fn events_descriptor() -> Option<i32> {
    core().events.descriptor()
}

/// How many events there have been so far.
#[pyfunction]
pub(crate) fn events_so_far() -> u64 {
    core().events.pushed()
}

/// Whether calls wait for the program's own redactor before they are recorded.
#[pyfunction]
pub(crate) fn set_programs_redactor(given: bool) {
    redact::set_programs_own(given);
}
