//! One call of a program's that asks several models in turn.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;

use super::spans;
use crate::call::OpenCall;

/// The call under way: each model that is asked is an attempt of it.
#[pyclass(frozen, module = "edgequake_obs._native")]
#[derive(Debug, Default)]
pub(crate) struct Tries {
    call: Mutex<Option<Arc<OpenCall>>>,
}

impl Tries {
    pub(super) fn call(&self) -> Option<Arc<OpenCall>> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn began(&self, call: &Arc<OpenCall>) {
        *self.call.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(call));
    }
}

#[pymethods]
impl Tries {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Nobody else is asked: where the last model failed, so has the call.
    fn end(&self, py: Python<'_>) {
        let call = self.call.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(call) = call
            && let Some(failure) = call.last_try()
        {
            call.fail(failure);
            spans::end_those_over(py);
        }
    }
}
