//! Answer objects as plain Python values, and what stands for a field that the provider did not send.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::kinds::{Field, Missing};
use super::object::OpenAIObject;

pub(super) fn missing(py: Python<'_>, field: &Field) -> PyResult<Option<Py<PyAny>>> {
    Ok(match field.missing {
        Missing::Absent => None,
        Missing::None => Some(py.None()),
        Missing::Zero => Some(0i64.into_pyobject(py)?.into_any().unbind()),
        Missing::Text(text) => Some(PyString::new(py, text).into_any().unbind()),
        Missing::EmptyList => Some(PyList::empty(py).into_any().unbind()),
    })
}

pub(super) fn dumped_value<'py>(value: &Bound<'py, PyAny>, exclude_none: bool) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(object) = value.cast::<OpenAIObject>() {
        return Ok(object.get().dumped(value.py(), exclude_none)?.into_any());
    }
    if let Ok(list) = value.cast::<PyList>() {
        let items = list
            .iter()
            .map(|item| dumped_value(&item, exclude_none))
            .collect::<PyResult<Vec<_>>>()?;
        return Ok(PyList::new(value.py(), items)?.into_any());
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        let copy = PyDict::new(value.py());
        for (key, item) in dict {
            copy.set_item(key, dumped_value(&item, exclude_none)?)?;
        }
        return Ok(copy.into_any());
    }
    Ok(value.clone())
}
