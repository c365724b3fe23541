//! A call made through a library that has transports of its own beneath it, which are hooked too: litellm over the openai
//! SDK. The library's frame owns the record; what a transport hears is a part of it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::patched::{Call, StreamTap, response_facts, said_in};
use super::{propagation, spans};
use crate::call::library::{Target, Told, Unsent};
use crate::call::{Ending, OpenCall};
use crate::ids;
use crate::surface::Surface;
use crate::tap::Tap;

fn target(provider: &str, model: Option<&str>, server_address: Option<&str>) -> Target {
    Target {
        provider: Arc::from(provider),
        model: model.map(Arc::from),
        server_address: server_address.map(Arc::from),
    }
}

/// A call that the library makes for the program.
#[pyclass(frozen, module = "edgequake_obs._native")]
#[derive(Debug)]
pub(crate) struct LibraryCall {
    call: Arc<OpenCall>,
}

#[pymethods]
impl LibraryCall {
    /// Takes over a call that has just begun.
    #[new]
    fn new(call: &Call) -> Self {
        Self { call: call.open() }
    }

    #[getter]
    fn call_uid(&self) -> String {
        ids::uuid_text(&self.call.uid)
    }

    /// A transport is about to ask: an attempt.
    #[pyo3(signature = (surface, provider, model, server_address, api_key=None))]
    fn part(
        &self,
        surface: &str,
        provider: &str,
        model: Option<&str>,
        server_address: Option<&str>,
        api_key: Option<&str>,
    ) -> Part {
        let surface = Surface::named(surface);
        self.call.with_state(|state| {
            state.transport_begins(surface, target(provider, model, server_address));
            if let Some(key) = api_key.filter(|key| !key.is_empty()) {
                state.uses_key(key);
            }
        });
        Part {
            call: Arc::clone(&self.call),
            surface,
        }
    }

    /// A router has chosen whom it asks.
    fn serves(&self, surface: &str, provider: &str, model: Option<&str>) {
        let surface = Surface::named(surface);
        self.call
            .with_state(|state| state.serves(surface, target(provider, model, None)));
    }

    /// What the library's answer says, for what the transport's bytes do not tell.
    #[pyo3(signature = (response_id, model, finish_reasons, usage))]
    fn told(
        &self,
        response_id: Option<String>,
        model: Option<String>,
        finish_reasons: Vec<String>,
        usage: Option<String>,
    ) {
        let told = Told {
            response_id,
            model,
            finish_reasons,
            usage,
            is_the_usage: false,
        };
        self.call.with_state(|state| state.library_told(told));
    }

    /// Nothing was sent: the answer came from a cache, or was made up.
    fn unsent(&self, cached: bool) {
        let unsent = if cached { Unsent::Cached } else { Unsent::Mocked };
        self.call.with_state(|state| state.unsent = Some(unsent));
    }

    /// A chunk reached the program, which no transport has seen.
    fn chunk(&self) {
        self.call
            .with_state(|state| state.events_arrived(1, std::time::Instant::now()));
    }

    fn completed(&self, py: Python<'_>) {
        self.end(py, Ending::Completed);
    }

    fn closed_early(&self, py: Python<'_>) {
        self.end(py, Ending::ClosedEarly);
    }

    fn abandoned(&self, py: Python<'_>) {
        self.end(py, Ending::Abandoned);
    }

    fn cancelled(&self, py: Python<'_>) {
        self.end(py, Ending::cancelled());
    }

    /// The library raised. A call that no transport has heard of was refused before it was sent.
    fn failed(&self, py: Python<'_>, error_type: &str, message: &str, status: Option<u16>) {
        let code = self.call.with_state(|state| {
            state.refused_unless_sent();
            state.last_error()
        });
        let ending = Ending::Failed {
            error_type: code.flatten().unwrap_or_else(|| error_type.to_owned()),
            message: message.to_owned(),
            status,
        };
        self.end(py, ending);
    }
}

impl LibraryCall {
    fn end(&self, py: Python<'_>, ending: Ending) {
        self.call.finish(ending);
        spans::end_those_over(py);
    }
}

/// One HTTP call of a transport, with the methods of a call of its own: they tell, and end nothing.
#[pyclass(frozen, module = "edgequake_obs._native")]
#[derive(Debug)]
pub(crate) struct Part {
    call: Arc<OpenCall>,
    surface: Surface,
}

#[pymethods]
impl Part {
    /// Headers that tell the provider of the request's trace, where the program asks for it.
    fn carried(&self, py: Python<'_>) -> Vec<(String, String)> {
        propagation::carried(py, &self.call)
    }

    fn attempt(&self) {
        self.call.with_state(crate::call::State::attempt_begins);
    }

    #[pyo3(signature = (status, error_type, request_id=None))]
    fn attempt_failed(&self, status: Option<u16>, error_type: Option<String>, request_id: Option<String>) {
        self.call
            .with_state(|state| state.attempt_failed(status, error_type, request_id));
    }

    fn answered(&self, status: u16, headers: &Bound<'_, PyAny>, body: &Bound<'_, PyBytes>) -> PyResult<()> {
        let response = response_facts(status, Some(headers))?;
        let body = match body.as_bytes() {
            media if self.surface.answers_with_media(media) => None,
            body => Some(Bytes::copy_from_slice(body)),
        };
        if let Some(body) = &body {
            self.call.hear_answer(body, &http::HeaderMap::new());
        }
        self.call.with_state(|state| state.answered_with(response, body));
        Ok(())
    }

    #[pyo3(signature = (error_type, message, status=None, body=None, headers=None))]
    fn failed(
        &self,
        error_type: &str,
        message: &str,
        status: Option<u16>,
        body: Option<&Bound<'_, PyBytes>>,
        headers: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let response = status.map(|status| response_facts(status, headers)).transpose()?;
        let request_id = response.and_then(|response| response.request_id);
        let (code, _) = said_in(status, body.map(|body| body.as_bytes()), error_type, message);
        self.call
            .with_state(|state| state.attempt_failed(status, Some(code), request_id));
        Ok(())
    }

    /// The library decides what its caller's leaving means.
    fn cancelled(&self) {}

    fn tap(&self, status: u16, headers: &Bound<'_, PyAny>, hide_usage: bool) -> PyResult<StreamTap> {
        let response = response_facts(status, Some(headers))?;
        let framing = response.framing;
        self.call.with_state(|state| state.answered(response));
        let tap = Tap::of_part(Arc::clone(&self.call), self.surface, framing, hide_usage);
        Ok(StreamTap::of(Mutex::new(tap)))
    }
}
