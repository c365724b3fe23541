//! The patched call that is being made in a context, from its start to its return.

use pyo3::prelude::*;

/// One patched call under way; `_native.pyi` says what its attributes are.
#[pyclass(subclass, get_all, set_all, module = "edgequake_obs._native")]
#[derive(Debug)]
pub(crate) struct Frame {
    pub(super) call: Option<Py<PyAny>>,
    pub(super) tap: Option<Py<PyAny>>,
    pub(super) streaming: bool,
    pub(super) asynchronous: bool,
    pub(super) hide_usage: bool,
    pub(super) options: Option<Py<PyAny>>,
    pub(super) retrying: bool,
    pub(super) within: Option<Py<PyAny>>,
    pub(super) span: u64,
    pub(super) active: bool,
}

#[pymethods]
impl Frame {
    #[new]
    pub(super) fn new(call: Option<Py<PyAny>>, streaming: bool, asynchronous: bool) -> Self {
        Self {
            call,
            tap: None,
            streaming,
            asynchronous,
            hide_usage: false,
            options: None,
            retrying: false,
            within: None,
            span: 0,
            active: true,
        }
    }
}
