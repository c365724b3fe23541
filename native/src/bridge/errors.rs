//! A failure becomes one of litellm's exceptions. Which one is the facade's business, in `edgequake_obs.failures`.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::failure::Failure;

/// The exception for `failure`. Where even making it fails, that error is raised instead: nothing is swallowed.
pub(crate) fn exception(
    py: Python<'_>,
    failure: &Failure,
    provider: &str,
    model: Option<&str>,
    in_stream: bool,
) -> PyErr {
    match build(py, failure, provider, model, in_stream) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

fn build<'py>(
    py: Python<'py>,
    failure: &Failure,
    provider: &str,
    model: Option<&str>,
    in_stream: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let fields = PyDict::new(py);
    fields.set_item("kind", failure.kind.as_str())?;
    fields.set_item("message", &failure.message)?;
    fields.set_item("status", failure.status)?;
    fields.set_item("code", &failure.code)?;
    fields.set_item("body", &failure.body)?;
    fields.set_item(
        "headers",
        failure
            .headers
            .iter()
            .cloned()
            .collect::<std::collections::HashMap<_, _>>(),
    )?;
    fields.set_item("retries", failure.retries)?;
    fields.set_item("provider", provider)?;
    fields.set_item("model", model.unwrap_or_default())?;
    fields.set_item("in_stream", in_stream)?;
    py.import("edgequake_obs.failures")?
        .call_method("from_failure", (), Some(&fields))
}
