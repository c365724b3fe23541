//! An answer that is sound: its bytes, as litellm hands them over.

use std::path::PathBuf;
use std::sync::Mutex;

use bytes::Bytes;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::hidden::Hidden;

/// Spoken text.
#[pyclass(frozen, weakref, module = "edgequake_obs")]
#[derive(Debug)]
pub(crate) struct HttpxBinaryResponseContent {
    body: Bytes,
    hidden: Mutex<Hidden>,
}

impl HttpxBinaryResponseContent {
    pub(crate) fn of(py: Python<'_>, body: Bytes, hidden: Hidden) -> PyResult<Py<PyAny>> {
        let hidden = Mutex::new(hidden);
        Ok(Py::new(py, Self { body, hidden })?.into_any())
    }
}

#[pymethods]
impl HttpxBinaryResponseContent {
    #[getter]
    fn content<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.body)
    }

    fn read<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.content(py)
    }

    #[getter]
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The bytes in pieces of `chunk_size`; None: in one.
    #[pyo3(signature = (chunk_size=None))]
    fn iter_bytes(&self, py: Python<'_>, chunk_size: Option<usize>) -> PyResult<Py<PyAny>> {
        let size = chunk_size.unwrap_or(self.body.len().max(1));
        if size == 0 {
            return Err(PyValueError::new_err("chunk_size must be 1 or more"));
        }
        let pieces = self.body.chunks(size).map(|piece| PyBytes::new(py, piece));
        Ok(PyList::new(py, pieces)?.try_iter()?.into_any().unbind())
    }

    fn write_to_file(&self, py: Python<'_>, file: PathBuf) -> PyResult<()> {
        py.detach(|| std::fs::write(file, &self.body))?;
        Ok(())
    }

    fn stream_to_file(&self, py: Python<'_>, file: PathBuf) -> PyResult<()> {
        self.write_to_file(py, file)
    }

    /// litellm's: `response_cost` (USD, float, None where no price is known), provider, headers.
    #[getter]
    fn _hidden_params(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        Hidden::dict(&self.hidden, py)
    }

    /// How long the call took, in milliseconds.
    #[getter]
    fn _response_ms(&self) -> f64 {
        Hidden::milliseconds(&self.hidden)
    }

    fn __len__(&self) -> usize {
        self.body.len()
    }

    fn __repr__(&self) -> String {
        format!("HttpxBinaryResponseContent({} bytes)", self.body.len())
    }
}
