//! The Python side of a scope.

use std::sync::Arc;

use exporters::Labels;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::{asked, json_out};
use crate::redact;
use crate::scope::Scope;

/// What `edgequake_obs.context(...)` holds: labels for its calls, and what they came to so far.
#[pyclass(frozen, module = "edgequake_obs._native")]
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) scope: Arc<Scope>,
}

#[pymethods]
impl Context {
    #[new]
    #[pyo3(signature = (*, user=None, session=None, tags=None, metadata=None, parent=None))]
    fn new(
        user: Option<String>,
        session: Option<String>,
        tags: Option<&Bound<'_, PyAny>>,
        metadata: Option<&Bound<'_, PyDict>>,
        parent: Option<PyRef<'_, Self>>,
    ) -> PyResult<Self> {
        let mut json = Vec::new();
        if let Some(metadata) = metadata.filter(|metadata| !metadata.is_empty()) {
            json_out::write(metadata.as_any(), &mut json)?;
        }
        let clean = |text: String| redact::redact(&text, &[]).into_owned();
        let tags = tags.map_or_else(|| Ok(Vec::new()), asked::tags)?;
        let labels = Labels {
            user: user.map(clean),
            session: session.map(clean),
            tags: tags.into_iter().map(|(key, value)| (key, clean(value))).collect(),
            metadata: String::from_utf8(json).ok().filter(|json| !json.is_empty()).map(clean),
        };
        Ok(Self {
            scope: Arc::new(Scope::new(labels, parent.map(|parent| Arc::clone(&parent.scope)))),
        })
    }

    /// USD so far, exact, as decimal text.
    #[getter]
    fn cost_text(&self) -> String {
        self.scope.totals().cost.to_string()
    }

    #[getter]
    fn calls(&self) -> u64 {
        self.scope.totals().calls
    }

    /// Calls with usage that no price is known for; they are not in the cost.
    #[getter]
    fn unpriced_calls(&self) -> u64 {
        self.scope.totals().unpriced_calls
    }

    #[getter]
    fn input_tokens(&self) -> u64 {
        self.scope.totals().input_tokens
    }

    #[getter]
    fn output_tokens(&self) -> u64 {
        self.scope.totals().output_tokens
    }
}
