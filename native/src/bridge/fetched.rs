//! What a program fetches long after it asked for it: the results of a batch, a response made in the background.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::caller::Caller;
use crate::background::{self, Reply};
use crate::batch_results::{self, Source};
use crate::call::Start;
use crate::core::core;

/// More than any provider lets one request's result be.
const LONGEST_LINE: usize = 64 << 20;
/// How long a thread of the program's waits for the disk when it brings more than the recorder's queue holds.
const FOR_THE_DISK: std::time::Duration = std::time::Duration::from_secs(1);

/// What reads the bytes that come.
#[derive(Debug)]
enum Reader {
    /// Of a file, whose lines may be a batch's results.
    Lines(Lines),
    Response(Reply),
}

/// What is read piece by piece has been found: for anything else the SDK raises.
const FOUND: u16 = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Lines,
    Response,
}

/// What is at a URL that is read, or whose response is cancelled.
fn kind_at(url: &str, method: &str) -> Option<Kind> {
    let path = url.split('?').next().unwrap_or(url);
    let is_get = method.eq_ignore_ascii_case("get");
    let mut parts = path.rsplit('/');
    let (last, before, above) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
    match (last, before, above) {
        ("content", _, "files") if is_get => Some(Kind::Lines),
        ("results", _, "batches") if is_get => Some(Kind::Lines),
        ("cancel", _, "responses") if !is_get => Some(Kind::Response),
        (_, "responses", _) if is_get => Some(Kind::Response),
        _ => None,
    }
}

/// In the place of a call: hears the answer, and makes the records of the calls that it brings the outcome of.
#[pyclass(frozen, module = "edgequake_obs._native")]
#[derive(Debug)]
pub(crate) struct Fetched {
    url: String,
    /// What all calls told of here have in common.
    start: Mutex<Start>,
    reader: Mutex<Reader>,
}

#[derive(Debug, Default)]
struct Lines {
    /// The beginning of a line that has not ended.
    begun: Vec<u8>,
    /// It has turned out to be something else.
    is_other: bool,
}

impl Fetched {
    /// None where nothing at the URL tells of calls.
    pub(super) fn at(url: &str, method: &str) -> Option<fn(String, Start, Caller) -> Self> {
        match kind_at(url, method)? {
            Kind::Lines => Some(|url, start, caller| Self::of(Reader::Lines(Lines::default()), url, start, caller)),
            Kind::Response => {
                Some(|url, start, caller| Self::of(Reader::Response(Reply::default()), url, start, caller))
            }
        }
    }

    fn of(reader: Reader, url: String, mut start: Start, caller: Caller) -> Self {
        start.scope = caller.scope;
        start.parent = caller.parent;
        Self {
            url,
            start: Mutex::new(start),
            reader: Mutex::new(reader),
        }
    }

    fn reader(&self) -> MutexGuard<'_, Reader> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> MutexGuard<'_, Start> {
        self.start.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, status: u16, data: &[u8]) {
        match &mut *self.reader() {
            Reader::Lines(lines) => self.read_lines(lines, data),
            Reader::Response(reply) => {
                if let Some(response) = reply.feed(data) {
                    background::fetched(&self.start(), status, response);
                }
            }
        }
    }

    fn finish(&self, status: u16) {
        match &mut *self.reader() {
            Reader::Lines(lines) => {
                let line = std::mem::take(&mut lines.begun);
                if !line.is_empty() && !lines.is_other {
                    self.told(&line);
                }
            }
            Reader::Response(reply) => {
                if let Some(response) = reply.finish() {
                    background::fetched(&self.start(), status, response);
                }
            }
        }
    }

    fn read_lines(&self, lines: &mut Lines, data: &[u8]) {
        for piece in data.split_inclusive(|byte| *byte == b'\n') {
            if lines.is_other {
                return;
            }
            if lines.begun.is_empty() && piece.ends_with(b"\n") {
                lines.is_other = !self.told(piece);
                continue;
            }
            lines.begun.extend_from_slice(piece);
            lines.is_other = lines.begun.len() > LONGEST_LINE;
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut lines.begun);
                lines.is_other = !self.told(&line);
            }
        }
    }

    /// Whether the line was a result, or nothing.
    fn told(&self, line: &[u8]) -> bool {
        if line.trim_ascii().is_empty() {
            return true;
        }
        if core().recorder().is_filling() {
            let _ = core().recorder().flush(FOR_THE_DISK); // whether or not it was in time
        }
        let source = Source {
            start: &self.start(),
            url: &self.url,
        };
        batch_results::tell(&source, line)
    }
}

#[pymethods]
impl Fetched {
    fn answered(&self, py: Python<'_>, status: u16, _headers: &Bound<'_, PyAny>, body: &Bound<'_, PyBytes>) {
        let body = body.as_bytes();
        py.detach(|| {
            self.read(status, body);
            self.finish(status);
        });
    }

    fn feed<'py>(&self, data: &Bound<'py, PyBytes>) -> Bound<'py, PyBytes> {
        let bytes = data.as_bytes();
        data.py().detach(|| self.read(FOUND, bytes));
        data.clone()
    }

    fn eof<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        py.detach(|| self.finish(FOUND));
        PyBytes::new(py, b"")
    }

    /// The program has read as much as it wants.
    fn closed(&self) {}

    #[pyo3(signature = (*_what))]
    fn failed(&self, _what: &Bound<'_, pyo3::types::PyTuple>) {}

    fn cancelled(&self) {}

    fn attempt(&self) {}

    #[pyo3(signature = (*_what))]
    fn attempt_failed(&self, _what: &Bound<'_, pyo3::types::PyTuple>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fetched_later() {
        let at = |url, method| kind_at(url, method);
        assert_eq!(at("/files/file-1/content", "get"), Some(Kind::Lines));
        assert_eq!(at("/v1/messages/batches/b/results?beta=true", "GET"), Some(Kind::Lines));
        assert_eq!(at("/responses/resp_1", "get"), Some(Kind::Response));
        assert_eq!(at("/responses/resp_1/cancel", "post"), Some(Kind::Response));
        for (url, method) in [
            ("/files/file-1", "get"),
            ("/responses", "get"),
            ("/responses/resp_1/input_items", "get"),
            ("/batches/b", "get"),
            ("/responses/resp_1", "delete"),
        ] {
            assert!(at(url, method).is_none() || method == "delete", "{url}");
        }
    }
}
