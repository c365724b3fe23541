//! What a patched SDK's client was asked to send.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// An SDK's `FinalRequestOptions`.
pub(super) struct Options<'py> {
    object: Bound<'py, PyAny>,
    /// Where a pydantic model keeps its fields: a look there costs a fifth of reading one as an attribute.
    fields: Option<Bound<'py, PyDict>>,
}

impl<'py> Options<'py> {
    pub(super) fn new(object: Bound<'py, PyAny>) -> PyResult<Self> {
        let fields = object.getattr_opt(intern!(object.py(), "__dict__"))?;
        Ok(Self {
            fields: fields.and_then(|fields| fields.cast_into().ok()),
            object,
        })
    }

    pub(super) fn object(&self) -> &Bound<'py, PyAny> {
        &self.object
    }

    /// A field's value.
    pub(super) fn get(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        let kept = match &self.fields {
            Some(fields) => fields.get_item(name)?,
            None => None,
        };
        kept.map_or_else(|| self.object.getattr(name), Ok)
    }
}
