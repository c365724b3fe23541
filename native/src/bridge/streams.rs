//! A stream of chunks as its consumer holds it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::classes;
use super::counting::{Counting, Wanted};
use super::endpoint_kinds;
use super::errors::exception;
use super::event_loop::EventLoop;
use super::forms::Form;
use super::hidden::response_cost;
use super::source::Source;
use super::spans;
use crate::ids;
use crate::stream::{Stream, Taken};

const SIGNAL_CHECK: Duration = Duration::from_millis(100);
const MOST_AT_ONCE: usize = 64;

/// The native half of `CustomStreamWrapper`: an iterator for `for`, batches for `async for`.
#[pyclass(frozen, weakref, module = "edgequake_obs._native")]
#[derive(Debug)]
pub(crate) struct ChunkStream {
    stream: Arc<Stream>,
    provider: Arc<str>,
    model: Option<Arc<str>>,
    headers: HeaderMap,
    source: Arc<Source>,
    names_types: bool,
    counting: Option<Counting>,
    crossed: Mutex<Crossed>,
}

/// What is known of a stream from its call.
#[derive(Debug)]
pub(crate) struct StreamFacts {
    pub provider: Arc<str>,
    pub model: Option<Arc<str>>,
    pub form: Form,
    /// Its events are no chunks of chat, but say of what type they are.
    pub names_types: bool,
    pub usage_wanted: Wanted,
}

/// Chunks that have crossed from the I/O thread and wait for the next `next()`.
#[derive(Debug)]
struct Crossed {
    chunks: VecDeque<Bytes>,
    /// How many to fetch next time: the first chunk must not wait for others, a burst need not cross one by one.
    batch: usize,
}

impl ChunkStream {
    pub(crate) fn new(stream: Arc<Stream>, facts: StreamFacts, headers: HeaderMap) -> Self {
        let StreamFacts {
            provider,
            model,
            form,
            names_types,
            usage_wanted,
        } = facts;
        let call = Arc::clone(&stream.call);
        let source = match form {
            Form::Own => Source::of_own(call, model.as_deref()),
            _ => Source::new(call, &provider, model.as_deref(), usage_wanted.is_none()),
        };
        Self {
            stream,
            provider,
            model,
            headers,
            source: Arc::new(source),
            names_types,
            // Only chat's chunks are counted: other events say themselves what they used.
            counting: usage_wanted.filter(|_| !names_types).map(Counting::new),
            crossed: Mutex::new(Crossed {
                chunks: VecDeque::new(),
                batch: 1,
            }),
        }
    }

    fn take(&self, wait: Duration) -> Taken {
        let most = {
            let mut crossed = self.crossed.lock().unwrap_or_else(PoisonError::into_inner);
            let most = crossed.batch;
            crossed.batch = (most * 4).min(MOST_AT_ONCE);
            most
        };
        self.stream.take(most, wait)
    }

    fn made(&self, py: Python<'_>, chunk: Bytes) -> PyResult<Py<PyAny>> {
        if self.names_types {
            return classes::make(py, &endpoint_kinds::EVENT, chunk);
        }
        if let Some(counting) = &self.counting {
            counting.saw(&chunk);
        }
        classes::make_chunk(py, chunk, &self.source)
    }

    /// What comes after the provider's last chunk, if anything.
    fn counted(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.counting.as_ref().map_or(Ok(None), |counting| {
            counting.chunk(py, &self.source, self.model.as_deref().unwrap_or_default())
        })
    }

    fn buffered(&self) -> Option<Bytes> {
        self.crossed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .chunks
            .pop_front()
    }
}

#[pymethods]
impl ChunkStream {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        if let Some(chunk) = self.buffered() {
            return self.made(py, chunk).map(Some);
        }
        let mut taken = self.take(Duration::ZERO);
        loop {
            match taken {
                Taken::Chunks(chunks) => {
                    let mut chunks = chunks.into_iter();
                    let first = chunks.next();
                    self.crossed
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .chunks
                        .extend(chunks);
                    return first.map(|chunk| self.made(py, chunk)).transpose();
                }
                Taken::End => {
                    spans::end_those_over(py);
                    return self.counted(py);
                }
                Taken::Failed(failure) => {
                    spans::end_those_over(py);
                    return Err(exception(py, &failure, &self.provider, self.model.as_deref(), true));
                }
                Taken::Nothing => {
                    if let Err(interrupt) = py.check_signals() {
                        self.close(py);
                        return Err(interrupt);
                    }
                    taken = py.detach(|| self.take(SIGNAL_CHECK));
                }
            }
        }
    }

    /// The chunks that are there, as a list; empty where none has come yet; None at the end.
    fn batch<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let mut ready = std::mem::take(&mut self.crossed.lock().unwrap_or_else(PoisonError::into_inner).chunks);
        if ready.is_empty() {
            match self.take(Duration::ZERO) {
                Taken::Chunks(chunks) => ready = chunks.into(),
                Taken::Nothing => {}
                Taken::End => {
                    spans::end_those_over(py);
                    let counted = self.counted(py)?;
                    return counted.map(|chunk| PyList::new(py, [chunk])).transpose();
                }
                Taken::Failed(failure) => {
                    spans::end_those_over(py);
                    return Err(exception(py, &failure, &self.provider, self.model.as_deref(), true));
                }
            }
        }
        let chunks = ready
            .into_iter()
            .map(|chunk| self.made(py, chunk))
            .collect::<PyResult<Vec<_>>>()?;
        PyList::new(py, chunks).map(Some)
    }

    /// A future of `event_loop` that resolves when there is something to take; None where there is already.
    fn arrival(&self, py: Python<'_>, event_loop: &Bound<'_, EventLoop>) -> PyResult<Option<Py<PyAny>>> {
        let event_loop = event_loop.get();
        let (ticket, future) = event_loop.expect_wake_up(py)?;
        if self.stream.wait_on(&event_loop.queue, ticket) {
            return Ok(Some(future));
        }
        event_loop.forget(ticket);
        Ok(None)
    }

    /// Leaves the stream: its connection is closed, its record made.
    fn close(&self, py: Python<'_>) {
        self.crossed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .chunks
            .clear();
        self.stream.close();
        spans::end_those_over(py);
    }

    #[getter]
    fn hidden_params<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("custom_llm_provider", &*self.provider)?;
        dict.set_item("call_uid", ids::uuid_text(&self.stream.call.uid))?;
        dict.set_item("response_cost", response_cost(&self.stream.call))?;
        let headers = PyDict::new(py);
        for (name, value) in &self.headers {
            let (name, value) = (name.as_str(), String::from_utf8_lossy(value.as_bytes()));
            headers.set_item(name, value)?;
        }
        dict.set_item("headers", headers)?;
        Ok(dict)
    }

    #[getter]
    fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    #[getter]
    fn provider(&self) -> &str {
        &self.provider
    }
}

impl Drop for ChunkStream {
    fn drop(&mut self) {
        self.stream.dropped();
        // Where no interpreter is at hand, whoever comes by next ends the span.
        let _ = Python::try_attach(|py| {
            // This may be the end of a frame that an exception leaves.
            let raised = PyErr::take(py);
            spans::end_those_over(py);
            if let Some(raised) = raised {
                raised.restore(py);
            }
        });
    }
}
