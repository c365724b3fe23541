//! The redaction pass over Python values that are on their way out.

use std::borrow::Cow;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};

use crate::redact;

const DEEPEST: usize = 32;

/// A copy of dicts, lists and models, each text masked, or as `own` gives it; anything else as it is.
#[pyfunction]
#[pyo3(signature = (value, own=None))]
pub(crate) fn redacted<'py>(value: &Bound<'py, PyAny>, own: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
    walk(value, own, 0)
}

/// `text` without credentials: the pass that comes before every way out.
#[pyfunction]
pub(crate) fn mask_credentials<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyString>> {
    // A lone surrogate, which UTF-8 has no form for, hides nothing beside it.
    let read = text.to_string_lossy();
    Ok(match redact::redact(&read, &[]) {
        Cow::Borrowed(_) => text.clone(),
        Cow::Owned(masked) => PyString::new(text.py(), &masked),
    })
}

fn walk<'py>(value: &Bound<'py, PyAny>, own: Option<&Bound<'py, PyAny>>, depth: usize) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    if let Ok(text) = value.cast::<PyString>() {
        return match own {
            Some(own) => own.call1((text,)),
            None => mask_credentials(text).map(Bound::into_any),
        };
    }
    if depth > DEEPEST {
        return Ok(PyString::new(py, "[withheld: too deep]").into_any());
    }
    let inner = |item: &Bound<'py, PyAny>| walk(item, own, depth + 1);
    if let Ok(dict) = value.cast::<PyDict>() {
        let copy = PyDict::new(py);
        for (key, item) in dict {
            copy.set_item(key, inner(&item)?)?;
        }
        return Ok(copy.into_any());
    }
    if let Ok(list) = value.cast::<PyList>() {
        let items: Vec<_> = list.iter().map(|item| inner(&item)).collect::<PyResult<_>>()?;
        return Ok(PyList::new(py, items)?.into_any());
    }
    if let Ok(tuple) = value.cast::<PyTuple>() {
        let items: Vec<_> = tuple.iter().map(|item| inner(&item)).collect::<PyResult<_>>()?;
        return Ok(PyList::new(py, items)?.into_any());
    }
    if !value.is_instance_of::<PyType>()
        && let Some(dump) = value.getattr_opt(intern!(py, "model_dump"))?
    {
        return inner(&dump.call0()?);
    }
    Ok(value.clone())
}
