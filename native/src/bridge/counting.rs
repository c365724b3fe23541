//! A stream whose caller wants the usage, of a provider that reports none: litellm counts the tokens, and so do we.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::classes;
use super::source::Source;

/// The conversation of a call that wants its stream's usage.
pub(crate) type Wanted = Option<Arc<Py<PyAny>>>;

#[derive(Debug)]
pub(crate) struct Counting {
    messages: Arc<Py<PyAny>>,
    /// None once the usage was told.
    seen: Mutex<Option<Vec<Bytes>>>,
}

/// What a call's arguments say.
pub(super) fn wanted(streaming: bool, input: &Bound<'_, PyAny>, params: &Bound<'_, PyDict>) -> PyResult<Wanted> {
    let options = if streaming {
        params.get_item("stream_options")?
    } else {
        None
    };
    let asked = match options.as_ref().and_then(|options| options.cast::<PyDict>().ok()) {
        Some(options) => options.get_item("include_usage")?,
        None => None,
    };
    let is_wanted = asked.map_or(Ok(false), |asked| asked.is_truthy())?;
    Ok(is_wanted.then(|| Arc::new(input.clone().unbind())))
}

impl Counting {
    pub(super) fn new(messages: Arc<Py<PyAny>>) -> Self {
        Self {
            messages,
            seen: Mutex::new(Some(Vec::new())),
        }
    }

    pub(super) fn saw(&self, chunk: &Bytes) {
        if let Some(seen) = &mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner) {
            seen.push(chunk.clone());
        }
    }

    /// At the end of the stream, once: the chunk with the usage; None where the provider reported it.
    pub(super) fn chunk(&self, py: Python<'_>, source: &Arc<Source>, model: &str) -> PyResult<Option<Py<PyAny>>> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        let is_reported = source.call.settled().is_some_and(|record| record.usage.is_some());
        let Some(seen) = seen.filter(|_| !is_reported) else {
            return Ok(None);
        };
        let chunks = seen
            .into_iter()
            .map(|chunk| classes::make_chunk(py, chunk, source))
            .collect::<PyResult<Vec<_>>>()?;
        let counted: Option<String> = py
            .import("edgequake_obs.chunks")?
            .call_method1("counted_usage", (PyList::new(py, chunks)?, &*self.messages, model))?
            .extract()?;
        counted
            .map(|json| classes::make_chunk(py, Bytes::from(json), source))
            .transpose()
    }
}
